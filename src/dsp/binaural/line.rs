//! A source's own past, long enough for the longest delay.

use super::delay::{Delays, Windows};
use crate::dsp::convolve::PARTITION;

/// Quanta between two moves of the past to the front of the memory.
const QUANTA: usize = 16;

/// A quantum whose magnitudes add up to more than this is no sound but an accident, and could overflow in a
/// transform: it is taken as silence.
const LOUDEST: f32 = 1e20;

/// The input of a source: this quantum's frames and those before.
#[derive(Debug, Clone)]
pub(super) struct Line {
    frames: Vec<f32>,
    past: usize,
    /// Where this quantum begins.
    at: usize,
}

impl Line {
    /// Silence, for delays of up to `longest` frames.
    pub fn new(longest: f64) -> Line {
        let past = Delays::past(longest);
        Line {
            frames: vec![0.0; past + QUANTA * PARTITION],
            past,
            at: past,
        }
    }

    /// As new.
    pub fn clear(&mut self) {
        self.frames.fill(0.0);
        self.at = self.past;
    }

    /// Quanta after which the past is forgotten.
    pub fn quanta(&self) -> usize {
        self.past.div_ceil(PARTITION)
    }

    /// Writes frames into this quantum, at a place of it.
    pub fn write(&mut self, place: usize, frames: &[f32]) {
        let start = self.at + place;
        self.frames[start..start + frames.len()].copy_from_slice(frames);
    }

    /// Whether the quantum, now complete, is silent. One that is not finite becomes silence.
    pub fn is_silent(&mut self) -> bool {
        let quantum = &mut self.frames[self.at..self.at + PARTITION];
        let mut sums = [0.0f32; 16];
        for frames in quantum.as_chunks::<16>().0 {
            for (sum, frame) in sums.iter_mut().zip(frames) {
                *sum += frame.abs();
            }
        }
        // Halves onto halves: a chain of additions would take longer than all the rest.
        for half in [8, 4, 2, 1] {
            for k in 0..half {
                sums[k] += sums[k + half];
            }
        }
        let sum = sums[0];
        if sum < LOUDEST {
            return sum == 0.0;
        }
        quantum.fill(0.0);
        true
    }

    /// What this quantum comes from after delays, for each ear.
    pub fn windows(&self, delays: &Delays) -> Windows<'_> {
        let window = |ear: usize| {
            let start = self.at - delays.reach(ear);
            self.frames[start..]
                .first_chunk()
                .expect("delays are no longer than the line")
        };
        [window(0), window(1)]
    }

    /// Goes on to the next quantum.
    pub fn advance(&mut self) {
        self.at += PARTITION;
        if self.at + PARTITION > self.frames.len() {
            self.frames.copy_within(self.at - self.past..self.at, 0);
            self.at = self.past;
        }
    }
}
