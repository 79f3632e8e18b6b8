//! Transforms of one length, and minimum phase out of a magnitude.

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Transforms of one length, with their scratch space: one for each thread.
pub struct Transform {
    length: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    scratch: Vec<Complex32>,
    time: Vec<f32>,
    bins: Vec<Complex32>,
}

impl Clone for Transform {
    fn clone(&self) -> Transform {
        Transform {
            length: self.length,
            forward: Arc::clone(&self.forward),
            inverse: Arc::clone(&self.inverse),
            scratch: self.scratch.clone(),
            time: self.time.clone(),
            bins: self.bins.clone(),
        }
    }
}

/// A length of at least `least` that transforms fast: even, of factors 2 and 3 only.
pub fn fast_length(least: usize) -> usize {
    let powers = std::iter::successors(Some(2_usize), |n| n.checked_mul(2));
    powers
        .take_while(|two| *two < least.max(2) * 2)
        .map(|two| {
            let mut length = two;
            while length < least {
                length *= 3;
            }
            length
        })
        .min()
        .unwrap_or(2)
}

impl Transform {
    /// Of `length` frames, an even number.
    pub fn new(length: usize) -> Transform {
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(length);
        let inverse = planner.plan_fft_inverse(length);
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Transform {
            length,
            scratch: vec![Complex32::default(); scratch],
            time: vec![0.0; length],
            bins: vec![Complex32::default(); length / 2 + 1],
            forward,
            inverse,
        }
    }

    /// The spectrum of a response, cut or filled with silence to the length: length / 2 + 1 bins.
    pub fn spectrum(&mut self, response: &[f32]) -> &[Complex32] {
        let count = response.len().min(self.length);
        self.time[..count].copy_from_slice(&response[..count]);
        self.time[count..].fill(0.0);
        self.forward();
        &self.bins
    }

    /// The response of a spectrum that `fill` writes.
    pub fn response(&mut self, fill: impl FnOnce(&mut [Complex32])) -> &[f32] {
        fill(&mut self.bins);
        self.inverse();
        &self.time
    }

    /// The spectrum of minimum phase with a magnitude, given as its natural logarithm in each bin, by folding
    /// the cepstrum (Oppenheim and Schafer, Discrete-Time Signal Processing, 13.5).
    pub fn minimum_phase(&mut self, log_magnitude: &[f32]) -> &[Complex32] {
        for (bin, log) in self.bins.iter_mut().zip(log_magnitude) {
            *bin = Complex32::new(*log, 0.0);
        }
        self.inverse();
        let half = self.length / 2;
        for quefrency in &mut self.time[1..half] {
            *quefrency *= 2.0;
        }
        self.time[half + 1..].fill(0.0);
        self.forward();
        for (bin, log) in self.bins.iter_mut().zip(log_magnitude) {
            let (sin, cos) = bin.im.sin_cos();
            let magnitude = log.exp();
            *bin = Complex32::new(magnitude * cos, magnitude * sin);
        }
        &self.bins
    }

    /// The response of minimum phase with such a magnitude, and its spectrum in `low`'s bins.
    pub fn minimum_phase_response(
        &mut self,
        log_magnitude: &[f32],
        low: &mut [Complex32],
    ) -> &[f32] {
        self.minimum_phase(log_magnitude);
        low.copy_from_slice(&self.bins[..low.len()]);
        self.inverse();
        &self.time
    }

    fn forward(&mut self) {
        let done =
            self.forward
                .process_with_scratch(&mut self.time, &mut self.bins, &mut self.scratch);
        debug_assert!(done.is_ok(), "buffers of the transform's own lengths");
    }

    /// With the scale that makes it the inverse.
    fn inverse(&mut self) {
        // Both are real by nature; the transform insists on it.
        let last = self.length / 2;
        self.bins[0].im = 0.0;
        self.bins[last].im = 0.0;
        let done =
            self.inverse
                .process_with_scratch(&mut self.bins, &mut self.time, &mut self.scratch);
        debug_assert!(done.is_ok(), "buffers of the transform's own lengths");
        let scale = 1.0 / self.length as f32;
        for x in &mut self.time {
            *x *= scale;
        }
    }
}

/// The delay in seconds, within `range` seconds of `centre`, at which a cross-spectrum (bins from 0 on,
/// `spacing` hertz apart) peaks: by how much the second signal is later than the first, where the spectrum is
/// conj(first) x second.
pub fn latest(cross: &[Complex32], spacing: f64, centre: f64, range: f64) -> f64 {
    let value = |delay: f64| -> f64 {
        let turn = std::f64::consts::TAU * spacing * delay;
        let (sin, cos) = turn.sin_cos();
        let (mut re, mut im) = (1.0_f64, 0.0_f64);
        let mut sum = 0.0;
        for bin in cross {
            sum += f64::from(bin.re) * re - f64::from(bin.im) * im;
            (re, im) = (re * cos - im * sin, re * sin + im * cos);
        }
        sum
    };
    // Below 1.5 kHz a peak is some 600 us wide: first the highest of some points, then parabolas that close in.
    const COARSE: f64 = 80e-6;
    let steps = (range / COARSE).ceil() as i32;
    let at = |step: i32| centre + f64::from(step) * COARSE;
    let mut best = (centre, f64::NEG_INFINITY);
    for delay in (-steps..=steps).map(at) {
        let height = value(delay);
        if height > best.1 {
            best = (delay, height);
        }
    }
    let mut peak = best.0;
    for step in [COARSE, COARSE / 4.0, COARSE / 16.0] {
        let [before, here, after] = [peak - step, peak, peak + step].map(value);
        let bend = before - 2.0 * here + after;
        if bend < 0.0 {
            peak += step * (0.5 * (before - after) / bend).clamp(-1.0, 1.0);
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_even_and_not_much_longer() {
        for least in 1..5000 {
            let length = fast_length(least);
            assert!(length >= least && length.is_multiple_of(2));
            assert!(
                length < 3 || length * 2 <= least * 3 + 2,
                "{least}: {length}"
            );
        }
    }

    #[test]
    fn minimum_phase_keeps_what_is_of_minimum_phase() {
        let response = [1.0, -0.4, 0.25, 0.1];
        let mut transform = Transform::new(128);
        let logs: Vec<f32> = transform
            .spectrum(&response)
            .iter()
            .map(|bin| bin.norm().ln())
            .collect();
        let found = transform.minimum_phase_response(&logs, &mut []);
        for (n, x) in found.iter().enumerate() {
            let expected = response.get(n).copied().unwrap_or(0.0);
            assert!((x - expected).abs() < 1e-5, "{n}: {x}");
        }
    }

    #[test]
    fn the_peak_of_a_delay_is_that_delay() {
        let spacing = 80.0;
        for delay in [0.0, 123.4e-6, -655.3e-6] {
            let cross: Vec<Complex32> = (0..18)
                .map(|k| {
                    let turn = -std::f64::consts::TAU * spacing * f64::from(k) * delay;
                    Complex32::from_polar(1.0, turn as f32)
                })
                .collect();
            let found = latest(&cross, spacing, 0.0, 1e-3);
            assert!((found - delay).abs() < 0.05e-6, "{delay}: {found}");
        }
    }
}
