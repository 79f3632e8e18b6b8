//! The range of a low-pass that sweeps, from what it does to every band.

use super::pulsation::{EVIDENT, Seen};
use realfft::num_complex::Complex;
use std::f64::consts::TAU;

/// Resonances that are tried, as quality factors.
const RESONANCES: [f64; 3] = [0.7, 2.0, 5.0];

/// Harmonics that are compared.
const HARMONICS: usize = 3;

/// Phases of a cycle and frequencies of a band that are computed.
const PHASES: usize = 32;
const POINTS: usize = 5;

/// The fit may leave over this share of the power of the harmonics, and as much again for noise.
const LEFT_OVER: f64 = 0.08;

/// Depth by which the lowest band has to pulsate less than the highest.
const SLOPE: f64 = 0.25;

/// The lowest and highest cut-off in hertz of a sweep: fits a second-order low-pass, whose cut-off travels as a raised cosine of its logarithm, to what the
/// bands show of a line and its harmonics. `None` where none fits, or where low bands pulsate as much
/// as high ones.
pub(super) fn travel(seen: &[Seen]) -> Option<(f64, f64)> {
    let evident = seen.iter().filter(|seen| seen.is_evident(EVIDENT)).count();
    let (lowest, highest) = (seen.first()?, seen.last()?);
    if evident < 3 || highest.first().norm() - lowest.first().norm() < SLOPE {
        return None;
    }
    let sum: Complex<f64> = seen.iter().map(Seen::first).sum();
    let count = HARMONICS.min(lowest.harmonics.len());
    let turned: Vec<Vec<Complex<f64>>> = seen
        .iter()
        .map(|seen| {
            (1..=count)
                .map(|k| {
                    let turn = Complex::from_polar(1.0, -sum.arg() * k as f64);
                    seen.harmonics[k - 1] * turn
                })
                .collect()
        })
        .collect();
    let power: f64 = turned.iter().flatten().map(Complex::norm_sqr).sum();
    let chance: f64 = seen
        .iter()
        .map(|seen| count as f64 * seen.noise.powi(2))
        .sum();
    let mut best = (f64::INFINITY, (0.0, 0.0));
    for step in 0..24 {
        let low = 100.0 * 2f64.powf(f64::from(step) / 4.0);
        for wider in 2..28 {
            let high = low * 2f64.powf(f64::from(wider) / 4.0);
            if high > 20_000.0 {
                break;
            }
            for resonance in RESONANCES {
                let left: f64 = seen
                    .iter()
                    .zip(&turned)
                    .map(|(seen, turned)| {
                        let model = model(seen.edges, low, high, resonance);
                        let pairs = turned.iter().zip(model);
                        pairs
                            .map(|(seen, model)| (seen - model).norm_sqr())
                            .sum::<f64>()
                    })
                    .sum();
                if left < best.0 {
                    best = (left, (low, high));
                }
            }
        }
    }
    let allowed = LEFT_OVER * power;
    (best.0 < allowed + chance.min(allowed)).then_some(best.1)
}

/// The first harmonics of the level of a band of pink noise under the sweep, relative to its mean.
fn model(edges: (f64, f64), low: f64, high: f64, resonance: f64) -> [f64; HARMONICS] {
    let (mut mean, mut harmonics) = (0.0, [0.0; HARMONICS]);
    for phase in 0..PHASES {
        let angle = TAU * phase as f64 / PHASES as f64;
        let cutoff = low * (high / low).powf(0.5 + 0.5 * angle.cos());
        let power: f64 = (0..POINTS)
            .map(|point| {
                let along = (point as f64 + 0.5) / POINTS as f64;
                let u = edges.0 * (edges.1 / edges.0).powf(along) / cutoff;
                1.0 / ((1.0 - u * u).powi(2) + (u / resonance).powi(2))
            })
            .sum();
        let level = power.sqrt();
        mean += level;
        for (k, harmonic) in (1..).zip(&mut harmonics) {
            *harmonic += 2.0 * level * (angle * f64::from(k)).cos();
        }
    }
    harmonics.map(|harmonic| harmonic / mean)
}
