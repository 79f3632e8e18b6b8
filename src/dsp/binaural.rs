//! Rendering of moving sources to two ears with head-related filters.
//!
//! Per source and ear: a fractional delay (the interaural one), then a filter out of the [`FilterBank`]
//! blended for the direction, then a gain. The filters' onsets are aligned, so that blending them is sound
//! (FRAMEWORK.md has the figures), and the delay comes before the filter, so that the spectra of all sources
//! and both ears add up before they go back to time in one transform.
//!
//! Everything moves on a grid of 32 frames counted from `reset`: what is heard goes in a straight line from
//! the rendering at a quantum's start to that at its end, both made from the same input. A jump (a step of
//! over 5 degrees or 5 % of the distance that is no motion, or another bank) is a fade of 20 ms between two renderings.
//! Nothing that is still depends on how it got there.
//!
//! Output lags input by exactly 32 frames. No Doppler: how long sound is on its way is left out.

mod air;
mod bank;
mod delay;
mod late;
mod line;
mod place;
mod renderer;
mod source;
mod voice;

pub(super) use air::Air;
pub use bank::FilterBank;
pub use late::front_delay;
pub(super) use place::level;
pub use place::{REFERENCE_DISTANCE, Target};
pub use renderer::{Refused, Renderer};
pub use source::Move;
pub(in crate::dsp) use source::{FADE, JUMP};

/// Frames from an input frame to the first one it is heard in.
pub const ONSET: usize = super::convolve::PARTITION;

/// The longest interaural delay that is rendered, in seconds. Heads stay below 1 ms.
pub const LONGEST_ITD: f64 = 0.0015;

#[cfg(test)]
mod tests;
