//! The past of a source, in a circle.

use super::kernels::TAPS;
use crate::dsp::convolve::PARTITION;

/// Frames at the end of the memory that repeat those at its start, so that a window is one piece.
pub(super) const GUARD_FRAMES: usize = PARTITION + TAPS;

/// A window of past frames where some were never heard.
pub(super) type Scratch = [f32; GUARD_FRAMES];

/// A delay line. How many of its frames count is the source's matter, so that forgetting costs nothing.
#[derive(Debug, Clone)]
pub(super) struct Line {
    frames: Vec<f32>,
    mask: usize,
}

impl Line {
    /// For delays of up to a number of frames.
    pub fn new(longest: usize) -> Line {
        let size = (longest + 2 * GUARD_FRAMES).next_power_of_two();
        Line {
            frames: vec![0.0; size + GUARD_FRAMES],
            mask: size - 1,
        }
    }

    /// Writes frames at a place.
    pub fn write(&mut self, at: usize, frames: &[f32]) {
        let start = at & self.mask;
        let size = self.mask + 1;
        if start >= GUARD_FRAMES && start + frames.len() <= size {
            self.frames[start..start + frames.len()].copy_from_slice(frames);
            return;
        }
        for (n, frame) in frames.iter().enumerate() {
            let index = (start + n) & self.mask;
            self.frames[index] = *frame;
            if index < GUARD_FRAMES {
                self.frames[index + size] = *frame;
            }
        }
    }

    /// `count` frames from the one that was written `delay` before `at`; of the last `age` frames before `at` on.
    #[inline(always)]
    pub fn window<'a>(
        &'a self,
        at: usize,
        delay: usize,
        count: usize,
        age: usize,
        scratch: &'a mut Scratch,
    ) -> &'a [f32] {
        let start = at.wrapping_sub(delay) & self.mask;
        let window = &self.frames[start..start + count];
        if age >= delay {
            return window;
        }
        let unheard = (delay - age).min(count);
        scratch[..unheard].fill(0.0);
        scratch[unheard..count].copy_from_slice(&window[unheard..]);
        &scratch[..count]
    }
}
