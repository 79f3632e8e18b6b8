//! Filters from an ambisonic bus to two ears.

use super::harmonics::{channels, degree};

/// Filters from a bus (ACN, SN3D) to two ears, at one sample rate. Like head-related filters they begin with the
/// onset: what renders with them is heard a partition of 32 frames later.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// Sample rate in hertz.
    pub rate: f64,
    /// Order of the bus, 1 to 7.
    pub order: usize,
    /// Taps of a filter: a multiple of 32.
    pub taps: usize,
    /// Channels x ears x taps; the left ear only where it is symmetric.
    pub filters: Vec<f32>,
    /// Whether the right ear's filters are the left one's of the mirrored scene: those of negative m with their sign
    /// turned.
    pub symmetric: bool,
}

impl Decoder {
    /// Channels of the bus.
    pub fn channels(&self) -> usize {
        channels(self.order)
    }

    /// The taps of a channel for an ear (0 left, 1 right), and the sign that they are to be taken with.
    pub fn filter(&self, channel: usize, ear: usize) -> (&[f32], f32) {
        let (row, sign) = match (self.symmetric, ear) {
            (true, 1) if degree(channel).1 < 0 => (channel, -1.0),
            (true, _) => (channel, 1.0),
            (false, ear) => (2 * channel + ear, 1.0),
        };
        (&self.filters[row * self.taps..][..self.taps], sign)
    }
}
