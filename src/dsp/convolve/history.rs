//! The frequency-domain delay line: spectra of the newest spans of a signal, and their convolution.

use super::Spectrum;
use super::kernels::multiply_accumulate;

/// The spectra of a signal's newest spans, one a partition of the longest filter.
#[derive(Debug, Clone)]
pub struct History {
    /// The newest at `head`, older ones after it: always in one piece, for the kernels.
    rows: Vec<Spectrum>,
    partitions: usize,
    head: usize,
}

impl History {
    /// Silence, for filters of up to `partitions` (at least 1). Allocates 512 bytes a partition, at least 8 KiB.
    pub fn new(partitions: usize) -> History {
        let partitions = partitions.max(1);
        // Room to grow into, so that what is kept is seldom moved.
        let room = partitions.max(32 - partitions.min(16));
        History {
            rows: vec![Spectrum::ZERO; partitions + room],
            partitions,
            head: room,
        }
    }

    /// As new.
    pub fn clear(&mut self) {
        self.rows.fill(Spectrum::ZERO);
        self.head = self.rows.len() - self.partitions;
    }

    /// The place of the next span's spectrum, which becomes the newest; the oldest is gone.
    pub fn push(&mut self) -> &mut Spectrum {
        if self.head == 0 {
            self.head = self.rows.len() - self.partitions;
            self.rows.copy_within(..self.partitions, self.head);
        }
        self.head -= 1;
        &mut self.rows[self.head]
    }

    /// The newest spectra, newest first, as many as a filter has partitions.
    ///
    /// # Panics
    /// When they are more than the history holds.
    pub fn newest(&self, partitions: usize) -> &[Spectrum] {
        assert!(partitions <= self.partitions, "a filter is too long");
        &self.rows[self.head..self.head + partitions]
    }

    /// Adds the convolution with a filter, partitions in order, to a sum.
    ///
    /// # Panics
    /// When the filter has more partitions than the history.
    pub fn convolve(&self, filter: &[Spectrum], sum: &mut Spectrum) {
        multiply_accumulate(self.newest(filter.len()), filter, sum);
    }
}
