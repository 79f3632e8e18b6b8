//! The course of a gain over one cycle, from its harmonics: sine, pulse, or neither.

use std::f64::consts::{PI, TAU};

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

/// Shorter pulses, as a share of the cycle, are clicks and drums.
const SHORTEST: f64 = 0.08;

/// A model may leave over this share of the power of the harmonics.
const LEFT_OVER: f64 = 0.04;

/// Longest flank of a pulse in seconds.
const RAMP: f64 = 0.05;

/// Shape and depth of a gain of which the harmonics 1, 2, ... are known, relative to its mean and turned
/// so that the first is real: (real, imaginary) each, `noise` their standard deviation. `frequency` in
/// hertz limits the flanks; `responses` are what the window leaves of modulations at it and at twice it. `None` where it is neither sine nor pulse, above all where it is not the
/// same forwards and backwards: an attack and its decay.
pub(super) fn shape(
    harmonics: &[(f64, f64)],
    noise: f64,
    frequency: f64,
    responses: [f64; 2],
) -> Option<(Shape, f64)> {
    let (first, rest) = harmonics.split_first()?;
    let power = |parts: &[(f64, f64)]| parts.iter().map(|(a, b)| a * a + b * b).sum::<f64>();
    let chance = harmonics.len() as f64 * noise.powi(2);
    let pulse = best_pulse(harmonics, frequency);
    // A pulse with long flanks is nearly a sine, and fits the noise a little better.
    let near = (OTHERS * first.0).powi(2);
    let is_sine =
        power(rest) < near || (power(rest) < near + chance && pulse.left > 0.5 * power(rest));
    if is_sine && first.0 < 1.2 {
        return Some((Shape::Sine, sine(first.0 * responses[0], responses)));
    }
    if pulse.duty < SHORTEST || pulse.left > LEFT_OVER * power(harmonics) + chance {
        return None;
    }
    // The mean of top (1 - d + d pulse) is 1, and its swing is top d.
    let depth = pulse.swing / (1.0 + pulse.swing * (1.0 - pulse.duty));
    let duty = 100.0 * pulse.duty;
    Some((Shape::Pulse { duty }, depth.min(1.0)))
}

/// A pulse that has been fitted.
struct Pulse {
    duty: f64,
    /// From low to high, relative to the mean.
    swing: f64,
    /// Power of the harmonics that it leaves over.
    left: f64,
}

/// The pulse that is nearest to the harmonics, by search over duty and flank.
fn best_pulse(harmonics: &[(f64, f64)], frequency: f64) -> Pulse {
    let whole: f64 = harmonics.iter().map(|(a, b)| a * a + b * b).sum();
    let mut best = Pulse {
        duty: 0.5,
        swing: 0.0,
        left: whole,
    };
    for percent in 5..=95 {
        let duty = f64::from(percent) / 100.0;
        let longest = (2.0 * duty.min(1.0 - duty)).min(RAMP * frequency);
        for part in 0..=8 {
            let ramp = longest * f64::from(part) / 8.0;
            let (mut product, mut square) = (0.0, 0.0);
            for (k, harmonic) in (1..).zip(harmonics) {
                let model = pulse(f64::from(k), duty, ramp);
                product += harmonic.0 * model;
                square += model * model;
            }
            let (swing, left) = (product / square, whole - product * product / square);
            if swing > 0.0 && left < best.left {
                best = Pulse { duty, swing, left };
            }
        }
    }
    best
}

/// Depth of a sine whose first harmonic is `seen`, before the window's `responses` at the rate and twice
/// the rate are made good: these act on the power, of which the level is the root.
fn sine(seen: f64, responses: [f64; 2]) -> f64 {
    let harmonic = |depth: f64| {
        // (1 - d/2) (1 + r cos): r = d / (2 - d), and its square.
        let r = depth / (2.0 - depth);
        let (mut mean, mut first) = (0.0, 0.0);
        for n in 0..64 {
            let x = TAU * f64::from(n) / 64.0;
            let (cos, twice) = (x.cos(), (2.0 * x).cos());
            let power =
                1.0 + 2.0 * r * responses[0] * cos + r * r * (1.0 + responses[1] * twice) / 2.0;
            let level = power.max(0.0).sqrt();
            mean += level;
            first += 2.0 * level * cos;
        }
        first / mean
    };
    inverse(harmonic, seen)
}

/// Where between 0 and 1 a rising function has a value; the nearer end where it has not.
pub(super) fn inverse(rising: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if rising(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
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
