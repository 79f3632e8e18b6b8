//! A decoder as spectra, made once and shared by all renderers.

use crate::dsp::ambisonics::{Decoder, MAX_ORDER, degree};
use crate::dsp::convolve::{Mix, PARTITION, Transform};

/// Spectra of a decoder's filters, shared by all renderers.
///
/// Memory: 256 bytes a channel and partition of 32 taps, twice that where the decoder is not symmetric: some 150 KB
/// for order 7 and 288 taps.
#[derive(Debug, Clone)]
pub struct DecoderBank {
    rate: f64,
    order: usize,
    symmetric: bool,
    mixes: [Mix; 2],
}

impl DecoderBank {
    /// Transforms a decoder. Allocates; not for the audio thread.
    ///
    /// # Panics
    /// When its list does not fit its channels and taps, or taps are no multiple of 32.
    pub fn new(decoder: &Decoder) -> DecoderBank {
        assert!(decoder.taps > 0 && decoder.taps.is_multiple_of(PARTITION));
        assert!((1..=MAX_ORDER).contains(&decoder.order));
        let ears = if decoder.symmetric { 1 } else { 2 };
        assert_eq!(
            decoder.filters.len(),
            decoder.channels() * ears * decoder.taps
        );
        let mut transform = Transform::new();
        let mixes = [0, 1].map(|mix| {
            let (ear, odd) = if decoder.symmetric {
                (0, Some(mix == 1))
            } else {
                (mix, None)
            };
            let filters = (0..decoder.channels())
                .filter(|channel| odd.is_none_or(|odd| odd == (degree(*channel).1 < 0)))
                .map(|channel| (channel, decoder.filter(channel, ear).0));
            Mix::new(&mut transform, decoder.taps / PARTITION, filters)
        });
        DecoderBank {
            rate: decoder.rate,
            order: decoder.order,
            symmetric: decoder.symmetric,
            mixes,
        }
    }

    /// Sample rate in hertz.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Order of the bus.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Taps of a filter.
    pub fn taps(&self) -> usize {
        self.partitions() * PARTITION
    }

    pub(super) fn partitions(&self) -> usize {
        self.mixes[0].partitions()
    }

    /// Whether the mixes are S, of channels that are alike left and right (m >= 0), and A, of the others; the ears are
    /// S + A and S - A then. Otherwise they are the ears.
    pub(super) fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    pub(super) fn mixes(&self) -> &[Mix; 2] {
        &self.mixes
    }
}
