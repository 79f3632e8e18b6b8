//! The course of a gain over one cycle, from its harmonics: sine, pulse, or neither.

use std::f64::consts::PI;

/// How a tremolo goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Up and down as a cosine.
    Sine,
    /// On and off, with raised-cosine flanks.
    Pulse {
        /// Share of the cycle between the points of half amplitude, in percent.
        duty: f64,
    },
}

/// The gain is called a sine while the other harmonics hold at most this share of the first.
const OTHERS: f64 = 0.15;

/// A model may leave over this share of the power of the harmonics.
const LEFT_OVER: f64 = 0.04;

/// Longest flank of a pulse in seconds.
const RAMP: f64 = 0.05;

/// Shape and depth of a gain of which the harmonics 1, 2, ... are known, relative to its mean and turned
/// so that the first is real: (real, imaginary) each, `noise` their standard deviation. `frequency` in
/// hertz limits the flanks. `None` where it is neither sine nor pulse, above all where it is not the
/// same forwards and backwards: an attack and its decay.
pub(super) fn shape(harmonics: &[(f64, f64)], noise: f64, frequency: f64) -> Option<(Shape, f64)> {
    let (first, rest) = harmonics.split_first()?;
    let power = |parts: &[(f64, f64)]| parts.iter().map(|(a, b)| a * a + b * b).sum::<f64>();
    let chance = harmonics.len() as f64 * (2.0 * noise).powi(2);
    if power(rest) < (OTHERS * first.0).powi(2) + chance {
        // (1 - d/2) (1 + r cos): r = d / (2 - d).
        let r = first.0;
        return (r < 1.15).then(|| (Shape::Sine, (2.0 * r / (1.0 + r)).min(1.0)));
    }
    let mut best: Option<(f64, f64, f64)> = None;
    for percent in 5..=95 {
        let duty = f64::from(percent) / 100.0;
        let longest = (2.0 * duty.min(1.0 - duty)).min(RAMP * frequency);
        for part in 0..=8 {
            let ramp = longest * f64::from(part) / 8.0;
            let model = |k: usize| pulse(k as f64, duty, ramp);
            let (mut product, mut square) = (0.0, 0.0);
            for (n, harmonic) in harmonics.iter().enumerate() {
                product += harmonic.0 * model(n + 1);
                square += model(n + 1).powi(2);
            }
            let swing = product / square;
            let left = power(harmonics) - swing * product;
            if swing > 0.0 && best.is_none_or(|(least, ..)| left < least) {
                best = Some((left, duty, swing));
            }
        }
    }
    let (_, duty, swing) = best.filter(|(left, ..)| *left < LEFT_OVER * power(harmonics) + chance)?;
    // The mean of top (1 - d + d pulse) is 1, and its swing is top d.
    let depth = swing / (1.0 + swing * (1.0 - duty));
    Some((Shape::Pulse { duty: 100.0 * duty }, depth.min(1.0)))
}

/// Harmonic `k` of a pulse of height 1, centred at phase 0, whose flanks are `ramp` of a cycle long.
fn pulse(k: f64, duty: f64, ramp: f64) -> f64 {
    let x = k * ramp;
    let flank = if (x - 0.5).abs() < 1e-6 {
        PI / 4.0
    } else {
        (PI * x).cos() / (1.0 - 4.0 * x * x)
    };
    2.0 * (PI * k * duty).sin() / (PI * k) * flank
}
