//! Uniformly partitioned overlap-save convolution on the engine's grid: partitions of 32 frames, hence a
//! block delay of 32 frames, and transforms of 64.
//!
//! One real signal takes half of a complex transform, so two of them (the ears, or two ambisonic channels)
//! share one as its real and imaginary part. The transform looks at odd frequencies, (k + 1/2) / 64 cycles a
//! frame (a modulated signal in an ordinary FFT): the convolution it multiplies to is negacyclic instead of
//! cyclic, which overlap-save does not see, for it keeps only what did not wrap; and a real signal has exactly
//! 32 complex bins, with neither a zero nor a Nyquist frequency that would need an arithmetic of their own.
//! So a row is two or four whole vectors, and the kernels have no tails.
//!
//! Sources: Stockham 1966 and Gardner 1995 for the partitions; Wefers, "Partitioned convolution algorithms
//! for real-time auralization", 2015, chapter 5, for the frequency-domain delay line; Bellanger and Bonnerot,
//! "Premultiplication scheme for digital FIR filters", 1978, for odd frequencies.

mod ahead;
mod history;
pub(super) mod kernels;
mod transform;

pub use ahead::{Ahead, Mix, SIGNALS};
pub use history::History;
pub use transform::Transform;

/// Frames of a partition, and of the block delay.
pub const PARTITION: usize = 32;

/// Frames that a transform spans.
pub const SPAN: usize = 2 * PARTITION;

/// The spectrum of a real signal of [`SPAN`] frames: bins at (k + 1/2) / 64 cycles a frame, k from 0 to 31.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Spectrum {
    /// Real parts.
    pub re: [f32; PARTITION],
    /// Imaginary parts.
    pub im: [f32; PARTITION],
}

impl Spectrum {
    /// Of silence.
    pub const ZERO: Spectrum = Spectrum {
        re: [0.0; PARTITION],
        im: [0.0; PARTITION],
    };
}

/// The spectra of two filters of one length in frames, a multiple of [`PARTITION`]: partitions in order, the
/// first filter's into `first`, the second's into `second`.
///
/// # Panics
/// When the lengths do not fit each other.
pub fn partition(
    transform: &mut Transform,
    filters: [&[f32]; 2],
    first: &mut [Spectrum],
    second: &mut [Spectrum],
) {
    let [a, b] = filters.map(|filter| filter.as_chunks::<PARTITION>());
    assert!(a.1.is_empty() && b.1.is_empty(), "whole partitions");
    assert!(a.0.len() == first.len() && b.0.len() == second.len());
    assert_eq!(first.len(), second.len());
    for (index, (a, b)) in a.0.iter().zip(b.0).enumerate() {
        // The partition leads, zeros follow.
        const ZEROS: [f32; PARTITION] = [0.0; PARTITION];
        transform.forward(
            [[a, &ZEROS], [b, &ZEROS]],
            &mut first[index],
            &mut second[index],
        );
    }
}

#[cfg(test)]
mod tests;
