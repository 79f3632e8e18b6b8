//! Rendering of an ambisonic bus to two ears with the filters of a [`Decoder`](super::Decoder).
//!
//! The convolution is that of [`convolve`](crate::dsp::convolve): partitions of 32 frames, a block delay of 32 frames,
//! odd frequencies. But a bus has many channels, and all go the same way. So for the transforms each is a *lane* of a
//! vector, and one pass transforms sixteen of them (`lanes`, `heard`); and what they bring to this and to later
//! partitions is summed up at once ([`Ahead`](crate::dsp::convolve::Ahead)), before one transform back. The ears of a
//! symmetric decoder are S + A and S - A, where S is of the channels that are alike left and right (m >= 0) and A of the
//! others, which halves the work.
//!
//! Everything acts on the grid of 32 frames counted from `reset`. Output lags input by exactly 32 frames.

mod bank;
mod heard;
mod lanes;
mod renderer;
mod voice;

pub use bank::DecoderBank;
pub use renderer::{BusRenderer, RefusedBank};

/// Frames from an input frame to the first one it is heard in.
pub const ONSET: usize = crate::dsp::convolve::PARTITION;

#[cfg(test)]
mod tests;
