//! Sets that are made up: a sphere with two ears, in any directions, at any rate.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::f64::consts::{FRAC_PI_2, PI};
use zeitgeber::hrtf::Raw;

/// A head without pinnae whose responses are delayed, filtered pulses.
pub struct Sphere {
    pub rate: f64,
    pub taps: usize,
    /// Whether the delays stand in the file rather than in the responses.
    pub delays: bool,
}

/// Azimuth and elevation of directions spread evenly (a Fibonacci spiral).
pub fn even(count: usize) -> Vec<[f64; 2]> {
    (0..count)
        .map(|k| {
            let height = 1.0 - (2 * k + 1) as f64 / count as f64;
            [
                (k as f64 * 137.507_764).rem_euclid(360.0),
                height.asin().to_degrees(),
            ]
        })
        .collect()
}

/// Rings every `step` degrees of both angles, from one elevation to another.
pub fn rings(step: f64, from: f64, to: f64) -> Vec<[f64; 2]> {
    let mut directions = Vec::new();
    let mut elevation = from;
    while elevation <= to {
        let count = if elevation.abs() == 90.0 {
            1
        } else {
            (360.0 / step) as usize
        };
        directions.extend((0..count).map(|k| [k as f64 * step, elevation]));
        elevation += step;
    }
    directions
}

impl Sphere {
    /// The interaural time difference of a direction in seconds, positive on the left.
    pub fn time_difference([azimuth, elevation]: [f64; 2]) -> f64 {
        (Self::path(azimuth, elevation, 1) - Self::path(azimuth, elevation, 0)) * 0.0875 / 343.0
    }

    /// Of the ear that looks left (0) or right (1), in radii.
    fn path(azimuth: f64, elevation: f64, ear: usize) -> f64 {
        let side = azimuth.to_radians().sin() * elevation.to_radians().cos();
        let angle = if ear == 0 { side } else { -side }.acos();
        if angle < FRAC_PI_2 {
            -angle.cos()
        } else {
            angle - FRAC_PI_2
        }
    }

    /// The set.
    pub fn raw(&self, directions: &[[f64; 2]]) -> Raw {
        let mut raw = Raw {
            rate: self.rate,
            taps: self.taps,
            ..Raw::default()
        };
        for [azimuth, elevation] in directions {
            raw.positions.push([*azimuth, *elevation, 1.5]);
            let delays = [0, 1]
                .map(|ear| Self::path(*azimuth, *elevation, ear) * 0.0875 / 343.0 * self.rate);
            for (ear, delay) in delays.into_iter().enumerate() {
                let own = if self.delays { 0.0 } else { delay };
                let side = azimuth.to_radians().sin() * elevation.to_radians().cos();
                let near = if ear == 0 { side } else { -side };
                let gain = 1.0 + 0.5 * near;
                let dull = 0.5 - 0.3 * near;
                let place = 0.0008 * self.rate + own;
                let pulse = |n: f64| {
                    let x = n - place;
                    let sinc = if x.abs() < 1e-9 {
                        1.0
                    } else {
                        (PI * x).sin() / (PI * x)
                    };
                    let window = if x.abs() < 24.0 {
                        0.5 + 0.5 * (PI * x / 24.0).cos()
                    } else {
                        0.0
                    };
                    sinc * window
                };
                let mut past = 0.0;
                raw.responses.extend((0..self.taps).map(|n| {
                    past += (1.0 - dull) * (gain * pulse(n as f64) - past);
                    past as f32
                }));
            }
            if self.delays {
                raw.delays.push(delays);
            }
        }
        raw
    }
}
