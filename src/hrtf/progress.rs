//! How far a preparation is, a way to stop it, and the threads that share its work.

use super::HrtfError;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

/// Seen and cancelled from any thread while a set is prepared.
#[derive(Debug, Default)]
pub struct Progress {
    /// In 65536ths.
    done: AtomicU32,
    cancelled: AtomicBool,
}

/// The whole, in the unit of [`Progress`].
const WHOLE: f64 = 65_536.0;

impl Progress {
    /// At the start.
    pub fn new() -> Progress {
        Progress::default()
    }

    /// How much is done, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        f64::from(self.done.load(Ordering::Relaxed)) / WHOLE
    }

    /// Makes the preparation end soon, with [`HrtfError::Cancelled`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to end.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Says how much is done.
    pub(super) fn set(&self, fraction: f64) {
        self.done
            .store((fraction * WHOLE) as u32, Ordering::Relaxed);
    }
}

/// Shares work among the machine's cores: `work` gets the index and the `size` numbers of one piece of `out`
/// after another, with what `start` made for its thread. The progress moves from `from` to `to`.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub(super) fn share<T: Send, S>(
    out: &mut [T],
    size: usize,
    progress: &Progress,
    [from, to]: [f64; 2],
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, &mut [T]) + Sync,
) -> Result<(), HrtfError> {
    let count = out.len() / size.max(1);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(out.chunks_exact_mut(size.max(1)).enumerate());
    let run = || {
        let mut own = start();
        while !progress.cancelled() {
            // A thread that panicked has taken its piece with it; the queue itself is whole.
            let next = queue
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .next();
            let Some((index, piece)) = next else { break };
            work(&mut own, index, piece);
            if index % 64 == 0 {
                progress.set(from + (to - from) * index as f64 / count as f64);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..cores.min(count) {
            scope.spawn(run);
        }
        run();
    });
    if progress.cancelled() {
        return Err(HrtfError::Cancelled);
    }
    progress.set(to);
    Ok(())
}
