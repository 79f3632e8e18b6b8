//! Rendering of an ambisonic bus to two ears with the filters of a [`Decoder`](super::Decoder).
//!
//! The convolution is that of [`convolve`](crate::dsp::convolve): partitions of 32 frames, a block delay of 32 frames,
//! odd frequencies. But a bus has many channels, and all go the same way: each is a *lane* of a vector, so that one
//! pass transforms sixteen of them without a shuffle, and products of all channels and partitions add up before one
//! transform back. Lanes are added last, in time: the ears of a symmetric decoder are S + A and S - A, where the lanes
//! of S hold the channels that are alike left and right (m >= 0) and those of A the others, which halves the work.
//!
//! Everything acts on the grid of 32 frames counted from `reset`. Output lags input by exactly 32 frames.

mod bank;
mod lanes;
mod renderer;
mod voice;

pub use bank::DecoderBank;
pub use renderer::{BusRenderer, RefusedBank};

/// Frames from an input frame to the first one it is heard in.
pub const ONSET: usize = crate::dsp::convolve::PARTITION;

#[cfg(test)]
mod tests;
