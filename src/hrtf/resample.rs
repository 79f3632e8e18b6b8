//! Windows at another sample rate, by one matrix for all of them: any ratio, no delay but its own lead.

use std::f64::consts::PI;

/// Half the length of the kernel, in frames of the slower rate.
const REACH: f64 = 40.0;

/// Kaiser's beta: 80 dB of attenuation.
const BETA: f64 = 8.0;

/// Share of the slower rate's Nyquist frequency up to which the level is kept.
pub const PASSED: f64 = 0.93;

/// From one rate to another, for windows of one length.
pub struct Resampler {
    /// Each output frame's first input frame, and its coefficients.
    rows: Vec<(usize, Vec<f32>)>,
    /// Frames of the input's rate by which the output begins before the input.
    pub lead: f64,
}

impl Resampler {
    /// For windows of `taps` frames. Responses keep the gain of their spectrum.
    pub fn new(from: f64, to: f64, taps: usize) -> Resampler {
        if from == to {
            return Resampler {
                rows: (0..taps).map(|n| (n, vec![1.0])).collect(),
                lead: 0.0,
            };
        }
        let step = from / to;
        let cutoff = (to / from).min(1.0);
        let lead = REACH / cutoff;
        let count = ((taps as f64 + 2.0 * lead) / step).ceil() as usize;
        let row = |n: usize| {
            let time = n as f64 * step - lead;
            let first = (time - lead).ceil().max(0.0) as usize;
            let end = ((time + lead).floor() + 1.0).clamp(0.0, taps as f64) as usize;
            let coefficients: Vec<f64> = (first..end.max(first))
                .map(|k| kernel((time - k as f64) * cutoff))
                .collect();
            (
                first,
                coefficients
                    .iter()
                    .map(|c| (c * cutoff * step) as f32)
                    .collect(),
            )
        };
        Resampler {
            rows: (0..count).map(row).collect(),
            lead,
        }
    }

    /// Frames of the output.
    pub fn frames(&self) -> usize {
        self.rows.len()
    }

    /// Resamples a window.
    pub fn run(&self, input: &[f32], output: &mut Vec<f32>) {
        output.clear();
        output.extend(self.rows.iter().map(|(first, coefficients)| {
            let input = &input[(*first).min(input.len())..];
            dot(coefficients, input)
        }));
    }
}

/// Sum of products, in eight sums so that they are vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let count = a.len().min(b.len());
    let (a, b) = (a[..count].chunks_exact(8), b[..count].chunks_exact(8));
    let (rest_a, rest_b) = (a.remainder(), b.remainder());
    let mut sums = [0.0; 8];
    for (a, b) in a.zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>();
    sums.iter().sum::<f32>() + rest
}

/// A sinc in Kaiser's window.
fn kernel(x: f64) -> f64 {
    let place = x / REACH;
    if place.abs() >= 1.0 {
        return 0.0;
    }
    let sinc = if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    };
    sinc * bessel(BETA * (1.0 - place * place).sqrt()) / bessel(BETA)
}

/// The modified Bessel function of the first kind and order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40 {
        let half = x / (2.0 * f64::from(k));
        term *= half * half;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_rates_keeps_level_and_time() {
        for (from, to) in [
            (44_100.0, 48_000.0),
            (44_100.0, 384_000.0),
            (48_000.0, 8_000.0),
            (96_000.0, 44_100.0),
            (44_100.0, 44_100.0),
            (44_099.5, 47_999.0),
        ] {
            let mut input = vec![0.0; 200];
            input[90] = 0.5;
            let resampler = Resampler::new(from, to, input.len());
            let mut output = Vec::new();
            resampler.run(&input, &mut output);
            for share in [0.0, 0.1, 0.5, 0.8] {
                let frequency = share * PASSED * from.min(to) / 2.0;
                let (mut re, mut im) = (0.0, 0.0);
                for (n, x) in output.iter().enumerate() {
                    // Against the moment of the pulse.
                    let time = n as f64 / to - (resampler.lead + 90.0) / from;
                    let turn = 2.0 * PI * frequency * time;
                    re += f64::from(*x) * turn.cos();
                    im -= f64::from(*x) * turn.sin();
                }
                assert!(
                    (re - 0.5).abs() < 1e-3 && im.abs() < 1e-3,
                    "{from} {to} {frequency}: {re} {im}"
                );
            }
        }
    }
}
