//! A set of head-related responses by formula: a sphere with ears, for tests and benches of the renderer.

use std::f64::consts::PI;
use zeitgeber::dsp::hrir::{Hrirs, Rings};

/// Radius in metres, over the speed of sound.
const HEAD: f64 = 0.0875 / 343.0;

/// Interaural time difference of a sphere in seconds for the sine of the lateral angle (Woodworth 1938).
pub fn woodworth(lateral: f64) -> f64 {
    HEAD * (lateral + lateral.asin())
}

/// Sine of the lateral angle, positive left.
pub fn lateral(azimuth: f64, elevation: f64) -> f64 {
    (azimuth.to_radians().sin() * elevation.to_radians().cos()).clamp(-1.0, 1.0)
}

/// Rings 2.5 degrees apart, directions on them as far apart.
pub fn rings() -> Rings {
    let rings: Vec<(f64, usize)> = (0..=72)
        .map(|ring| {
            let elevation = -90.0 + 2.5 * f64::from(ring);
            let count = (144.0 * elevation.to_radians().cos()).round() as usize;
            (elevation, count.max(1))
        })
        .collect();
    Rings::new(&rings).unwrap()
}

/// The sphere's shadow (Brown and Duda 1998) with an echo of the torso's kind that moves with elevation, at
/// a sample rate in hertz.
pub fn sphere(rate: f64, taps: usize) -> Hrirs {
    let rings = rings();
    let directions = rings.directions();
    let mut filters = vec![0.0; directions * 2 * taps];
    let mut itd = vec![0.0; directions];
    for direction in 0..directions {
        let (azimuth, elevation) = rings.direction(direction);
        let side = lateral(azimuth, elevation);
        itd[direction] = (woodworth(side) * rate) as f32;
        for (ear, side) in [side, -side].into_iter().enumerate() {
            let row = &mut filters[(direction * 2 + ear) * taps..][..taps];
            let angle = side.acos().to_degrees();
            let alpha = 1.05 + 0.95 * (angle / 150.0 * PI).cos();
            // (1 + alpha s / w) / (1 + s / w), bilinear, w = 2 c / a.
            let warp = rate * HEAD;
            let (b0, b1, a1) = (1.0 + alpha * warp, 1.0 - alpha * warp, 1.0 - warp);
            let mut last = 0.0;
            for (n, tap) in row.iter_mut().enumerate() {
                let drive = match n {
                    0 => b0,
                    1 => b1,
                    _ => 0.0,
                };
                last = (drive - a1 * last) / (1.0 + warp);
                *tap = last as f32;
            }
            let late = (0.0007 * rate * (1.0 + 0.3 * elevation.to_radians().sin())) as usize;
            for n in (late.max(1)..taps).rev() {
                row[n] += 0.2 * row[n - late.max(1)];
            }
        }
    }
    Hrirs {
        rate,
        rings,
        taps,
        filters,
        itd,
        distance: 1.4,
        symmetric: false,
    }
}
