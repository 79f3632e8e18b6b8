//! Least-squares sine fits: amplitude, phase, offset and purity of one tone over a span.
//!
//! The fit is that of IEEE Std 1057: three parameters where the frequency is known, four where it is
//! refined. What the fit leaves over is noise and distortion, whose ratio to the tone is the SINAD.

use super::sum::Sum;
use super::{finite, to_db};
use std::f64::consts::TAU;

/// A sine fitted to a span: `amplitude * cos(2 pi frequency t + phase) + dc`, t = 0 at its first sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SineFit {
    /// Hertz.
    pub frequency: f64,
    /// Peak amplitude, linear.
    pub amplitude: f64,
    /// Phase of the cosine at the first sample, in radians, -pi to pi.
    pub phase: f64,
    /// Constant offset, linear.
    pub dc: f64,
    /// Root mean square of what the fit leaves over, linear.
    pub residual: f64,
}

impl SineFit {
    /// Peak level in dBFS; negative infinity for silence.
    pub fn level(&self) -> f64 {
        to_db(self.amplitude)
    }

    /// Ratio of the tone to everything that is neither it nor the offset, in dB; infinite where nothing
    /// is left over, negative infinity where there is no tone.
    pub fn sinad(&self) -> f64 {
        if self.amplitude == 0.0 {
            return f64::NEG_INFINITY;
        }
        20.0 * (self.amplitude / (self.residual * std::f64::consts::SQRT_2)).log10()
    }
}

/// Fits a sine of a known `frequency` in hertz to `samples` at `rate` hertz.
///
/// `None` where that cannot be done: fewer than 4 samples, a frequency that is not between 0 and half
/// the rate, or a span so short that tone and offset cannot be told apart.
pub fn fit(samples: &[f32], rate: f64, frequency: f64) -> Option<SineFit> {
    solve(samples, rate, frequency, false).map(|(fit, _)| fit)
}

/// As [`fit()`], but refines the frequency from a first guess that must be within half a cycle over the
/// span. Converges quadratically; a fixed number of steps keeps it deterministic.
pub fn fit_refined(samples: &[f32], rate: f64, guess: f64) -> Option<SineFit> {
    let mut frequency = guess;
    for _ in 0..6 {
        let (_, step) = solve(samples, rate, frequency, true)?;
        // Beyond one cycle over the span the guess was no guess.
        let limit = rate / samples.len() as f64;
        frequency += step.clamp(-limit, limit);
    }
    fit(samples, rate, frequency)
}

/// SINAD of a lone tone near `guess` hertz, in dB, after refining its frequency: 0 dB or less where
/// there is no such tone.
pub fn sinad(samples: &[f32], rate: f64, guess: f64) -> f64 {
    fit_refined(samples, rate, guess).map_or(f64::NEG_INFINITY, |fit| fit.sinad())
}

/// Level in dBFS peak of whatever `samples` hold at exactly `frequency` hertz beside any other tones,
/// by a Blackman-Harris window: for how much of one ear's tone reaches the other. Tones at least
/// 4 / duration hertz away stay 92 dB below their own level; for less, subtract their fit first
/// ([`subtract`]).
pub fn level_at(samples: &[f32], rate: f64, frequency: f64) -> f64 {
    if samples.is_empty() || !(rate > 0.0 && frequency.is_finite()) {
        return f64::NEG_INFINITY;
    }
    let (mut re, mut im) = (Sum::default(), Sum::default());
    for (n, (&sample, w)) in samples
        .iter()
        .zip(super::window::blackman_harris(samples.len()))
        .enumerate()
    {
        let (sin, cos) = angle(frequency, rate, n).sin_cos();
        re.add(finite(sample) * w * cos);
        im.add(finite(sample) * w * sin);
    }
    to_db(2.0 * re.value().hypot(im.value()) / samples.len() as f64)
}

/// `samples` without the fitted tone and offset, in double precision.
pub fn subtract(samples: &[f32], rate: f64, fit: &SineFit) -> Vec<f64> {
    samples
        .iter()
        .enumerate()
        .map(|(n, &sample)| {
            let model = fit.amplitude * (angle(fit.frequency, rate, n) + fit.phase).cos();
            finite(sample) - model - fit.dc
        })
        .collect()
}

/// The angle in radians of `frequency` at sample `n`, reduced to one cycle before it meets a sine.
fn angle(frequency: f64, rate: f64, n: usize) -> f64 {
    TAU * (frequency * n as f64 / rate).fract()
}

/// One least-squares step. With `refine` the frequency is the fourth parameter, and its correction in
/// hertz is returned beside the fit.
fn solve(samples: &[f32], rate: f64, frequency: f64, refine: bool) -> Option<(SineFit, f64)> {
    let usable = rate > 0.0 && frequency > 0.0 && frequency < rate / 2.0;
    if samples.len() < 4 || !usable {
        return None;
    }
    // Columns: cosine, sine, offset, and for the frequency the derivative, whose scale is that of the
    // tone itself; time is centred and normalised to -1..1 to keep the system well conditioned.
    let columns = if refine { 4 } else { 3 };
    let half = (samples.len() - 1) as f64 / 2.0;
    let (mut a, mut b) = (1.0, 0.0);
    if refine {
        let (fit, _) = solve(samples, rate, frequency, false)?;
        (a, b) = (
            fit.amplitude * fit.phase.cos(),
            -fit.amplitude * fit.phase.sin(),
        );
        if fit.amplitude == 0.0 {
            return Some((fit, 0.0));
        }
    }
    let mut normal = [[Sum::default(); 4]; 4];
    let mut right = [Sum::default(); 4];
    for (n, &sample) in samples.iter().enumerate() {
        let (sin, cos) = angle(frequency, rate, n).sin_cos();
        let time = (n as f64 - half) / half;
        let row = [cos, sin, 1.0, time * (b * cos - a * sin)];
        for i in 0..columns {
            for j in i..columns {
                normal[i][j].add(row[i] * row[j]);
            }
            right[i].add(row[i] * finite(sample));
        }
    }
    let mut matrix = [[0.0; 5]; 4];
    for i in 0..columns {
        for j in 0..columns {
            matrix[i][j] = normal[i.min(j)][i.max(j)].value();
        }
        matrix[i][columns] = right[i].value();
    }
    let x = gauss(&mut matrix, columns)?;
    let (amplitude, phase) = (x[0].hypot(x[1]), (-x[1]).atan2(x[0]));
    let mut fit = SineFit {
        frequency,
        amplitude,
        phase,
        dc: x[2],
        residual: 0.0,
    };
    let mut energy = Sum::default();
    for rest in subtract(samples, rate, &fit) {
        energy.add(rest * rest);
    }
    fit.residual = (energy.value() / samples.len() as f64).sqrt();
    Some((fit, x[3] * rate / (TAU * half)))
}

/// Solves the first `n` rows by elimination with pivoting; `None` where they do not determine `x`.
fn gauss(matrix: &mut [[f64; 5]; 4], n: usize) -> Option<[f64; 4]> {
    let scale = (0..n).map(|i| matrix[i][i].abs()).fold(0.0, f64::max);
    for i in 0..n {
        let pivot = (i..n).max_by(|&p, &q| matrix[p][i].abs().total_cmp(&matrix[q][i].abs()))?;
        matrix.swap(i, pivot);
        if matrix[i][i].abs() <= scale * 1e-12 {
            return None;
        }
        let row = matrix[i];
        for below in &mut matrix[i + 1..n] {
            let factor = below[i] / row[i];
            for (cell, &above) in below.iter_mut().zip(&row).take(n + 1).skip(i) {
                *cell -= factor * above;
            }
        }
    }
    let mut x = [0.0; 4];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| matrix[i][j] * x[j]).sum();
        x[i] = (matrix[i][n] - known) / matrix[i][i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f64, amplitude: f64, phase: f64, frames: usize) -> Vec<f32> {
        (0..frames)
            .map(|n| (amplitude * (angle(frequency, 48_000.0, n) + phase).cos()) as f32)
            .collect()
    }

    #[test]
    fn a_known_tone_is_found_again() {
        let fit = fit(&tone(245.0, 0.1, 0.7, 48_000), 48_000.0, 245.0).unwrap();
        assert!(
            (fit.amplitude - 0.1).abs() < 1e-9 && (fit.phase - 0.7).abs() < 1e-8,
            "{fit:?}"
        );
        assert!(fit.dc.abs() < 1e-9);
    }

    #[test]
    fn the_purity_of_a_tone_rounded_to_f32_is_above_140_db() {
        let sinad = sinad(&tone(245.0, 0.1, 0.3, 480_000), 48_000.0, 245.0);
        assert!(sinad > 145.0 && sinad < 170.0, "{sinad}");
    }

    #[test]
    fn a_known_impurity_is_measured_as_such() {
        let mut samples = tone(245.0, 0.1, 0.3, 480_000);
        for (sample, other) in samples.iter_mut().zip(tone(1000.0, 1e-7, 0.0, 480_000)) {
            *sample += other;
        }
        let sinad = sinad(&samples, 48_000.0, 245.0);
        assert!((sinad - 120.0).abs() < 0.1, "{sinad}");
    }

    #[test]
    fn the_frequency_is_refined() {
        let fit = fit_refined(&tone(255.123_456_7, 0.1, -2.0, 480_000), 48_000.0, 255.1).unwrap();
        assert!((fit.frequency - 255.123_456_7).abs() < 1e-8, "{fit:?}");
        assert!(fit.sinad() > 140.0, "{}", fit.sinad());
    }

    #[test]
    fn the_other_ears_tone_is_seen_far_below() {
        let mut samples = tone(255.0, 0.1, 0.3, 480_000);
        let other = tone(245.0, 0.1e-6, 0.0, 480_000);
        samples
            .iter_mut()
            .zip(&other)
            .for_each(|(sample, o)| *sample += o);
        let own = fit_refined(&samples, 48_000.0, 255.0).unwrap();
        let rest: Vec<f32> = subtract(&samples, 48_000.0, &own)
            .iter()
            .map(|&r| r as f32)
            .collect();
        assert!((level_at(&rest, 48_000.0, 245.0) + 140.0).abs() < 0.5);
        assert!(level_at(&rest, 48_000.0, 250.0) < -175.0);
    }

    #[test]
    fn what_cannot_be_fitted_is_no_panic() {
        assert_eq!(fit(&[], 48_000.0, 100.0), None);
        assert_eq!(fit(&[0.1], 48_000.0, 100.0), None);
        assert_eq!(fit(&[0.1; 100], 48_000.0, 0.0), None);
        assert_eq!(fit(&[0.1; 100], 48_000.0, 24_000.0), None);
        assert_eq!(fit(&[0.1; 100], f64::NAN, 100.0), None);
        let silent = fit_refined(&[0.0; 4800], 48_000.0, 100.0).unwrap();
        assert_eq!(silent.sinad(), f64::NEG_INFINITY);
        let constant = fit(&[0.5; 4800], 48_000.0, 100.0).unwrap();
        assert!((constant.dc - 0.5).abs() < 1e-12 && constant.amplitude < 1e-12);
        let mut broken = tone(245.0, 0.1, 0.0, 4800);
        broken[100] = f32::NAN;
        assert!(fit(&broken, 48_000.0, 245.0).unwrap().amplitude > 0.09);
        assert_eq!(level_at(&[], 48_000.0, 245.0), f64::NEG_INFINITY);
    }
}
