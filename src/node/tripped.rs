//! Whether a node has put out what is no sound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a guarded node has fallen silent; it can be asked from any thread.
#[derive(Debug, Clone, Default)]
pub struct Tripped(Arc<AtomicBool>);

impl Tripped {
    /// Whether it has put out something that is not finite, and is not heard until it is reset.
    pub fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }

    pub(crate) fn set(&self, tripped: bool) {
        self.0.store(tripped, Relaxed);
    }
}
