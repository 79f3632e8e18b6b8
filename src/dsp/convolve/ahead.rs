//! Convolutions of many signals that add up to one: what the newest spans bring to this and to later partitions.
//!
//! A delay line of spectra keeps what each signal was. Where many signals end in one, it takes less to keep what they
//! will be heard as: a partition of sums for each of the filters, to which every signal is added once, when it is
//! there (the transposed form). Then only filters have to come from memory, and signals that are silent cost nothing.

use super::kernels::{TOGETHER, add_ahead};
use super::{PARTITION, Spectrum, Transform, partition};

/// Signals that a mix can have.
pub const SIGNALS: usize = 64;

/// Filters of up to [`SIGNALS`] signals whose convolutions add up to one signal.
#[derive(Debug, Clone)]
pub struct Mix {
    /// Groups of [`TOGETHER`] partitions x filters x partitions of the group: the order in which they are read.
    rows: Vec<Spectrum>,
    /// Which signals there are, a bit each.
    signals: u64,
    /// The place of each signal's filter among the others.
    places: [u8; SIGNALS],
    partitions: usize,
}

impl Mix {
    /// Transforms filters of `partitions` whole partitions, given with the numbers of their signals. Allocates 256
    /// bytes a filter and partition.
    ///
    /// # Panics
    /// When there is none, a filter has another length, or a signal is not below [`SIGNALS`].
    pub fn new<'a>(
        transform: &mut Transform,
        partitions: usize,
        filters: impl IntoIterator<Item = (usize, &'a [f32])>,
    ) -> Mix {
        let filters: Vec<(usize, &[f32])> = filters.into_iter().collect();
        let mut signals = 0u64;
        let mut places = [0; SIGNALS];
        let mut spectra = Vec::with_capacity(filters.len());
        let mut other = vec![Spectrum::ZERO; partitions];
        for (place, (signal, filter)) in filters.iter().enumerate() {
            signals |= 1 << signal;
            places[*signal] = place as u8;
            assert_eq!(
                filter.len(),
                partitions * PARTITION,
                "filters of one length"
            );
            let mut rows = vec![Spectrum::ZERO; partitions];
            partition(transform, [filter, filter], &mut rows, &mut other);
            spectra.push(rows);
        }
        assert_eq!(
            signals.count_ones() as usize,
            filters.len(),
            "a filter a signal"
        );
        let rows = (0..partitions)
            .step_by(TOGETHER)
            .flat_map(|first| {
                let last = (first + TOGETHER).min(partitions);
                spectra.iter().flat_map(move |rows| &rows[first..last])
            })
            .copied()
            .collect();
        Mix {
            rows,
            signals,
            places,
            partitions,
        }
    }

    /// Partitions of a filter.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Which signals there are, a bit each.
    pub fn signals(&self) -> u64 {
        self.signals
    }
}

/// What is heard of a mix now and later.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// A partition each, this one first; behind the last is silence.
    sums: Vec<Spectrum>,
}

impl Ahead {
    /// Silence, for mixes of up to `partitions`. Allocates 256 bytes a partition.
    pub fn new(partitions: usize) -> Ahead {
        Ahead {
            sums: vec![Spectrum::ZERO; partitions + 1],
        }
    }

    /// Silence.
    pub fn clear(&mut self) {
        self.sums.fill(Spectrum::ZERO);
    }

    /// A partition later: adds what the newest spans bring, those of the signals in `there` (a bit each; spectra of others
    /// are not read). What is heard now is in [`now`](Ahead::now).
    ///
    /// # Panics
    /// When the mix has more partitions than this one was made for.
    pub fn hear(&mut self, mix: &Mix, spectra: &[Spectrum; SIGNALS], there: u64) {
        add_ahead(
            spectra,
            there & mix.signals,
            &mix.places,
            &mix.rows,
            &mut self.sums[..=mix.partitions],
        );
    }

    /// The spectrum of what is heard now.
    pub fn now(&self) -> &Spectrum {
        &self.sums[0]
    }
}
