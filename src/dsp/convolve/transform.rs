//! Transforms of two real signals at a time, at odd frequencies.

use super::kernels::{demodulate, merge, modulate, separate};
use super::{PARTITION, SPAN, Spectrum};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::PI;
use std::fmt;
use std::sync::Arc;

/// Two halves of a span, older one first.
pub type Span<'a> = [&'a [f32; PARTITION]; 2];

/// Transforms between two real signals and their spectra. Making one allocates, using it does not.
#[derive(Clone)]
pub struct Transform {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// exp(-i pi n / 64) / 2: modulates, and halves what telling two signals apart doubles.
    twist: Spectra,
    /// exp(i pi n / 64) / 64 of the last 32 frames.
    untwist: Spectrum,
    work: [Complex32; SPAN],
    scratch: Vec<Complex32>,
}

/// Complex values of a whole span, real and imaginary parts apart.
pub(super) type Spectra = [Spectrum; 2];

impl Default for Transform {
    fn default() -> Transform {
        Transform::new()
    }
}

impl Transform {
    /// Plans both directions.
    pub fn new() -> Transform {
        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(SPAN);
        let inverse = planner.plan_fft_inverse(SPAN);
        let scratch = forward
            .get_inplace_scratch_len()
            .max(inverse.get_inplace_scratch_len());
        let turns = |first: usize, sign: f64, scale: f64| {
            let mut row = Spectrum::ZERO;
            for n in 0..PARTITION {
                let angle = sign * PI * (first + n) as f64 / SPAN as f64;
                row.re[n] = (scale * angle.cos()) as f32;
                row.im[n] = (scale * angle.sin()) as f32;
            }
            row
        };
        Transform {
            forward,
            inverse,
            twist: [turns(0, -1.0, 0.5), turns(PARTITION, -1.0, 0.5)],
            untwist: turns(PARTITION, 1.0, 1.0 / SPAN as f64),
            work: [Complex32::ZERO; SPAN],
            scratch: vec![Complex32::ZERO; scratch],
        }
    }

    /// The spectra of two signals.
    pub fn forward(&mut self, signals: [Span; 2], a: &mut Spectrum, b: &mut Spectrum) {
        let [[a0, a1], [b0, b1]] = signals;
        let (older, newer) = self.work.split_at_mut(PARTITION);
        modulate(a0, b0, &self.twist[0], older);
        modulate(a1, b1, &self.twist[1], newer);
        self.forward
            .process_with_scratch(&mut self.work, &mut self.scratch);
        separate(&self.work, a, b);
    }

    /// The newest 32 frames of two signals with these spectra, into `out`; the older half is what wrapped.
    pub fn inverse(&mut self, a: &Spectrum, b: &Spectrum, out: &mut [[f32; PARTITION]; 2]) {
        merge(a, b, &mut self.work);
        self.inverse
            .process_with_scratch(&mut self.work, &mut self.scratch);
        let [left, right] = out;
        demodulate(&self.work, &self.untwist, left, right);
    }
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transform").finish_non_exhaustive()
    }
}
