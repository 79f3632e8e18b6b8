//! A sphere with two ears: how late each hears a direction, where measurements say nothing better.

use std::f64::consts::{FRAC_PI_2, PI};

/// Metres per second, at 20 degrees Celsius.
pub const SPEED_OF_SOUND: f64 = 343.0;

/// Metres; the mean of adults (Algazi, Avendano and Duda 2001).
pub const RADIUS: f64 = 0.0875;

/// How close to the point opposite an ear the paths around the head meet, in radians: there the sum of them
/// all no longer comes later.
const SHADOW: f64 = 1.0;

/// A direction (degrees) as a unit vector: ahead, left, up.
pub fn vector(azimuth: f64, elevation: f64) -> [f64; 3] {
    let (sin_az, cos_az) = azimuth.to_radians().sin_cos();
    let (sin_el, cos_el) = elevation.to_radians().sin_cos();
    [cos_el * cos_az, cos_el * sin_az, sin_el]
}

/// Path to one ear (0 left, 1 right) less that to the head's centre, in radii: Woodworth's straight line and
/// creeping wave, levelling out in the shadow.
pub fn path(direction: [f64; 3], ear: usize) -> f64 {
    let side = if ear == 0 {
        direction[1]
    } else {
        -direction[1]
    };
    let angle = side.clamp(-1.0, 1.0).acos();
    if angle < FRAC_PI_2 {
        return -angle.cos();
    }
    let over = (angle - (PI - SHADOW)).max(0.0);
    angle - FRAC_PI_2 - over * over / (2.0 * SHADOW)
}

/// Interaural time difference in radii over the speed of sound, positive for sources on the left
/// (Woodworth 1938).
pub fn interaural(direction: [f64; 3]) -> f64 {
    let side = direction[1].clamp(-1.0, 1.0);
    side + side.asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_on_the_left_reaches_the_left_ear_first() {
        let left = vector(90.0, 0.0);
        assert!(path(left, 0) < -0.999 && path(left, 1) > 1.0);
        assert!(interaural(left) > 2.5);
        for azimuth in [0.0, 180.0] {
            let median = vector(azimuth, 30.0);
            assert!((path(median, 0) - path(median, 1)).abs() < 1e-12);
            assert!(interaural(median).abs() < 1e-12);
        }
        for step in 0..180 {
            let (a, b) = (
                vector(f64::from(step), 0.0),
                vector(f64::from(step) + 1.0, 0.0),
            );
            assert!((path(a, 1) - path(b, 1)).abs() < 0.0176, "{step}");
        }
    }
}
