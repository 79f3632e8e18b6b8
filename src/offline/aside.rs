//! What a render writes beside its sound: captures and markers. They are complete when the render ends, and take their
//! names only when the sound has its own.

use super::capture::Captures;
use super::marks::Marks;
use super::render::RenderError;
use std::path::PathBuf;

/// Complete files that have no names yet. Dropped, they are gone.
#[must_use = "without finish() nothing is left of captures and markers"]
#[derive(Default)]
pub struct Aside {
    pub(super) captures: Option<Captures>,
    pub(super) marks: Option<Marks>,
}

impl Aside {
    /// Gives them their names. Returns the captures, in the order of their nodes.
    ///
    /// # Errors
    /// [`RenderError`]; what has no name yet is gone then.
    pub fn finish(self) -> Result<Vec<PathBuf>, RenderError> {
        let captured = self.captures.map_or(Ok(Vec::new()), Captures::finish)?;
        self.marks.map_or(Ok(()), Marks::finish)?;
        Ok(captured)
    }
}
