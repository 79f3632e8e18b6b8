//! A decoder as spectra, made once and shared by all renderers.

use super::lanes::{Bins, Kernels, Lanes, NARROW, Rows, Turns, WIDE};
use crate::dsp::ambisonics::{Decoder, degree};
use crate::dsp::convolve::PARTITION;

/// Which channel each lane of each batch holds.
#[derive(Debug, Clone)]
pub(super) struct Layout<const W: usize> {
    /// Batches x lanes; `None`: nothing.
    pub channels: Vec<[Option<usize>; W]>,
    /// 1 for lanes whose channels are alike left and right (m >= 0), -1 for the others.
    pub signs: [f32; W],
}

impl<const W: usize> Layout<W> {
    /// Of so many channels, in as few batches as can be, the lowest degrees first: of a bus that holds less than its
    /// order, later batches are silent and cost nothing.
    fn new(channels: usize) -> Layout<W> {
        let (odd, even): (Vec<usize>, Vec<usize>) =
            (0..channels).partition(|channel| degree(*channel).1 < 0);
        let mut batches = 1;
        while even.len().div_ceil(batches) + odd.len().div_ceil(batches) > W {
            batches += 1;
        }
        let own = [even.len().div_ceil(batches), odd.len().div_ceil(batches)];
        let lane = |batch: usize, lane: usize| {
            if lane < own[0] {
                even.get(batch * own[0] + lane)
            } else if lane < own[0] + own[1] {
                odd.get(batch * own[1] + lane - own[0])
            } else {
                None
            }
        };
        Layout {
            channels: (0..batches)
                .map(|batch| std::array::from_fn(|at| lane(batch, at).copied()))
                .collect(),
            signs: std::array::from_fn(|lane| if lane < own[0] { 1.0 } else { -1.0 }),
        }
    }
}

/// Spectra in lanes.
#[derive(Debug, Clone)]
pub(super) struct Filters<const W: usize> {
    pub layout: Layout<W>,
    /// Ears x batches x partitions; one ear where the decoder is symmetric.
    spectra: Vec<Bins<W>>,
    partitions: usize,
}

impl<const W: usize> Filters<W>
where
    Kernels: Lanes<W>,
{
    fn new(decoder: &Decoder) -> Filters<W> {
        let layout = Layout::<W>::new(decoder.channels());
        let partitions = decoder.taps / PARTITION;
        let ears = if decoder.symmetric { 1 } else { 2 };
        let turns = Turns::new();
        let mut spectra = Vec::with_capacity(ears * layout.channels.len() * partitions);
        for ear in 0..ears {
            for lanes in &layout.channels {
                for partition in 0..partitions {
                    let mut taps = Rows::ZERO;
                    for (lane, channel) in lanes.iter().enumerate() {
                        let Some(channel) = *channel else { continue };
                        let (filter, sign) = decoder.filter(channel, ear);
                        let filter = &filter[partition * PARTITION..][..PARTITION];
                        for (row, tap) in taps.0.iter_mut().zip(filter) {
                            row[lane] = sign * tap;
                        }
                    }
                    // The partition leads, zeros follow.
                    let mut bins = Bins::ZERO;
                    Kernels::forward(&taps, &Rows::ZERO, &turns, &mut bins);
                    spectra.push(bins);
                }
            }
        }
        Filters {
            layout,
            spectra,
            partitions,
        }
    }

    /// Whether each ear has its own.
    pub fn ears(&self) -> usize {
        self.spectra.len() / (self.layout.channels.len() * self.partitions)
    }

    /// The partitions of a batch for an ear.
    pub fn of(&self, ear: usize, batch: usize) -> &[Bins<W>] {
        let first = (ear * self.layout.channels.len() + batch) * self.partitions;
        &self.spectra[first..first + self.partitions]
    }
}

#[derive(Debug, Clone)]
pub(super) enum Width {
    Narrow(Filters<NARROW>),
    Wide(Filters<WIDE>),
}

/// Spectra of a decoder's filters, shared by all renderers.
///
/// Memory: 256 bytes a channel and partition of 32 taps, twice that where the decoder is not symmetric: some 150 KB
/// for order 7 and 288 taps.
#[derive(Debug, Clone)]
pub struct DecoderBank {
    rate: f64,
    order: usize,
    partitions: usize,
    pub(super) width: Width,
}

impl DecoderBank {
    /// Transforms a decoder. Allocates; not for the audio thread.
    ///
    /// # Panics
    /// When its list does not fit its channels and taps, or taps are no multiple of 32.
    pub fn new(decoder: &Decoder) -> DecoderBank {
        assert!(decoder.taps > 0 && decoder.taps.is_multiple_of(PARTITION));
        assert!((1..=super::super::MAX_ORDER).contains(&decoder.order));
        let ears = if decoder.symmetric { 1 } else { 2 };
        assert_eq!(
            decoder.filters.len(),
            decoder.channels() * ears * decoder.taps
        );
        DecoderBank {
            rate: decoder.rate,
            order: decoder.order,
            partitions: decoder.taps / PARTITION,
            width: if decoder.channels() <= NARROW {
                Width::Narrow(Filters::new(decoder))
            } else {
                Width::Wide(Filters::new(decoder))
            },
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
        self.partitions * PARTITION
    }

    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }
}
