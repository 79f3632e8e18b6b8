//! The frequency-domain delay line: spectra of the newest spans of a signal, and their convolution.

use super::Spectrum;
use super::kernels::multiply_accumulate;

/// The spectra of a signal's newest spans, one a partition of the longest filter.
#[derive(Debug, Clone)]
pub struct History {
    /// A ring: the newest at `head`, older ones after it.
    rows: Vec<Spectrum>,
    head: usize,
}

impl History {
    /// Silence, for filters of up to `partitions` (at least 1). Allocates 256 bytes a partition.
    pub fn new(partitions: usize) -> History {
        History {
            rows: vec![Spectrum::ZERO; partitions.max(1)],
            head: 0,
        }
    }

    /// As new.
    pub fn clear(&mut self) {
        self.rows.fill(Spectrum::ZERO);
        self.head = 0;
    }

    /// The place of the next span's spectrum, which becomes the newest; the oldest is gone.
    pub fn push(&mut self) -> &mut Spectrum {
        self.head = self.head.checked_sub(1).unwrap_or(self.rows.len() - 1);
        &mut self.rows[self.head]
    }

    /// Adds the convolution with a filter, partitions in order, to a sum.
    ///
    /// # Panics
    /// When the filter has more partitions than the history.
    pub fn convolve(&self, filter: &[Spectrum], sum: &mut Spectrum) {
        let newest = &self.rows[self.head..];
        let split = newest.len().min(filter.len());
        let rest = filter.len() - split;
        multiply_accumulate(&newest[..split], &filter[..split], sum);
        if rest > 0 {
            multiply_accumulate(&self.rows[..rest], &filter[split..], sum);
        }
    }
}
