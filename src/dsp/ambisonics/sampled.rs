//! The plainest decoder: a set's responses projected on the harmonics (least squares over the sphere).

use super::decoder::Decoder;
use super::harmonics::{MAX_ORDER, channels, degree, encode};
use crate::dsp::hrir::Hrirs;
use std::f64::consts::PI;

/// Heights of the grid: Gauss and Legendre's rule, exact up to degree 15; twice as many azimuths.
const HEIGHTS: usize = 8;

/// Half the width of the sinc that delays, in frames.
const HALF: f64 = 12.0;

/// A decoder of an order (1 to 7) from a set. Without any care for the ear it is dull at high frequencies: what tests
/// and graphs without an engine decode with where nothing better has been made.
pub fn sampled(hrirs: &Hrirs, order: usize) -> Decoder {
    let order = order.clamp(1, MAX_ORDER);
    let ears = if hrirs.symmetric { 1 } else { 2 };
    let taps = hrirs.taps;
    let mut sums = vec![0.0f64; channels(order) * ears * taps];
    for (z, weight) in rule() {
        for turn in 0..2 * HEIGHTS {
            let azimuth = 180.0 * turn as f64 / HEIGHTS as f64;
            let elevation = z.asin().to_degrees();
            let gains = encode(order, azimuth, elevation);
            let responses = responses(hrirs, azimuth, elevation);
            for (channel, gain) in gains.iter().take(channels(order)).enumerate() {
                let scale =
                    (2 * degree(channel).0 + 1) as f64 * gain * weight / (4 * HEIGHTS) as f64;
                for (ear, response) in responses.iter().take(ears).enumerate() {
                    let row = &mut sums[(channel * ears + ear) * taps..][..taps];
                    row.iter_mut()
                        .zip(response)
                        .for_each(|(sum, x)| *sum += scale * x);
                }
            }
        }
    }
    Decoder {
        rate: hrirs.rate,
        order,
        taps,
        filters: sums.into_iter().map(|sum| sum as f32).collect(),
        symmetric: hrirs.symmetric,
    }
}

/// The responses of both ears in a direction, their delays included.
fn responses(hrirs: &Hrirs, azimuth: f64, elevation: f64) -> [Vec<f64>; 2] {
    let neighbours = hrirs.rings.locate(azimuth, elevation);
    let blend = |value: &dyn Fn(usize) -> f64| -> f64 {
        let parts = neighbours.iter();
        parts
            .map(|(direction, weight)| f64::from(*weight) * value(*direction))
            .sum()
    };
    let itd = blend(&|direction| f64::from(hrirs.itd[direction]));
    [0, 1].map(|ear| {
        let late = if ear == 0 { -itd } else { itd }.max(0.0);
        let filter: Vec<f64> = (0..hrirs.taps)
            .map(|tap| blend(&|direction| f64::from(hrirs.filter(direction, ear)[tap])))
            .collect();
        let sinc: Vec<f64> = (0..)
            .map(|n| f64::from(n) - HALF + 1.0 + late.floor() - late)
            .take(2 * HALF as usize)
            .map(|x| {
                let window = 0.5 + 0.5 * (PI * x / HALF).cos();
                if x.abs() < 1e-9 {
                    1.0
                } else {
                    window * (PI * x).sin() / (PI * x)
                }
            })
            .collect();
        let first = late.floor() as isize - HALF as isize + 1;
        (0..hrirs.taps as isize)
            .map(|n| {
                let parts = sinc.iter().enumerate();
                parts
                    .filter_map(|(k, s)| {
                        Some(s * filter.get(usize::try_from(n - first - k as isize).ok()?)?)
                    })
                    .sum()
            })
            .collect()
    })
}

/// Nodes and weights (which add up to 2) of Gauss and Legendre's rule, by Newton's method.
fn rule() -> impl Iterator<Item = (f64, f64)> {
    (0..HEIGHTS).map(|k| {
        let mut z = (PI * (k as f64 + 0.75) / (HEIGHTS as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut before, mut now) = (1.0, z);
            for l in 1..HEIGHTS {
                let next = ((2 * l + 1) as f64 * z * now - l as f64 * before) / (l + 1) as f64;
                (before, now) = (now, next);
            }
            slope = HEIGHTS as f64 * (z * now - before) / (z * z - 1.0);
            z -= now / slope;
        }
        (z, 2.0 / ((1.0 - z * z) * slope * slope))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_integrates_polynomials() {
        for power in [0, 1, 2, 7, 14, 15] {
            let sum: f64 = rule().map(|(z, weight)| weight * z.powi(power)).sum();
            let exact = if power % 2 == 0 {
                2.0 / f64::from(power + 1)
            } else {
                0.0
            };
            assert!((sum - exact).abs() < 1e-14, "{power}: {sum}");
        }
    }
}
