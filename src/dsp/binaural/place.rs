//! Where a source is, and what that means to each ear: directions, delays, levels, air.

use super::air::Air;
use super::bank::FilterBank;
use super::late::ear_delays;
use crate::dsp::hrir::Neighbours;

/// The distance at which a source has the level of its set, in metres.
pub const REFERENCE_DISTANCE: f64 = 1.5;

/// Nearer than this, in metres, the ears differ by more than the set says.
const NEAR: f64 = 1.0;

/// From here on, in metres, they differ as geometry says; in between it fades in.
const NEAREST: f64 = 0.5;

/// What distances are clamped to, in metres.
const DISTANCES: (f64, f64) = (0.12, 100.0);

/// Radius of the head in metres, and the speed of sound in metres a second.
const HEAD: f64 = 0.0875;
const SOUND: f64 = 343.0;

/// Where a source is to be, as seen from the head.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Degrees, positive to the left.
    pub azimuth: f64,
    /// Degrees, positive up.
    pub elevation: f64,
    /// Metres; 0.12 to 100 are rendered.
    pub distance: f64,
    /// Linear.
    pub gain: f64,
}

impl Default for Target {
    fn default() -> Target {
        Target {
            azimuth: 0.0,
            elevation: 0.0,
            distance: REFERENCE_DISTANCE,
            gain: 1.0,
        }
    }
}

impl Target {
    /// In range; what is no number is as by default.
    pub(in crate::dsp) fn checked(self) -> Target {
        let or = |value: f64, default: f64| if value.is_finite() { value } else { default };
        Target {
            azimuth: around(or(self.azimuth, 0.0)),
            elevation: or(self.elevation, 0.0).clamp(-90.0, 90.0),
            distance: or(self.distance, REFERENCE_DISTANCE).clamp(DISTANCES.0, DISTANCES.1),
            gain: or(self.gain, 0.0).clamp(-1e3, 1e3),
        }
    }

    /// Whether this is further from another than `degrees` of angle or that share of its distance.
    pub(in crate::dsp) fn is_far_from(&self, other: &Target, degrees: f64, share: f64) -> bool {
        if (self.distance - other.distance).abs() > share * self.distance.min(other.distance) {
            return true;
        }
        let around = (self.azimuth - other.azimuth).abs();
        let around = around.min(360.0 - around);
        let up = (self.elevation - other.elevation).abs();
        // An angle is no longer than the way along the circles: most steps need no trigonometry.
        if around + up <= degrees {
            return false;
        }
        let (a, b) = (self.toward(), other.toward());
        let cosine: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        cosine < degrees.to_radians().cos()
    }

    /// Whether an ear sees this in another direction than another target.
    pub(super) fn is_seen_elsewhere(&self, other: &Target) -> bool {
        self.azimuth != other.azimuth
            || self.elevation != other.elevation
            || (self.distance != other.distance && self.distance.min(other.distance) < NEAR)
    }

    /// The unit vector: front, left, up.
    pub(in crate::dsp) fn toward(&self) -> [f64; 3] {
        let (sin_a, cos_a) = self.azimuth.to_radians().sin_cos();
        let (sin_e, cos_e) = self.elevation.to_radians().sin_cos();
        [cos_e * cos_a, cos_e * sin_a, sin_e]
    }
}

/// Degrees to 0 up to 360.
fn around(azimuth: f64) -> f64 {
    if (0.0..360.0).contains(&azimuth) {
        return azimuth;
    }
    let turned = azimuth.rem_euclid(360.0);
    // A tiny negative angle rounds to a whole turn.
    if turned < 360.0 { turned } else { 0.0 }
}

/// What a place means to the ears, left first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// Between which directions of the bank each ear sees it.
    pub neighbours: [Neighbours; 2],
    /// Frames.
    pub delays: [f64; 2],
    /// Linear.
    pub gains: [f32; 2],
    /// The air's outer taps.
    pub air: f64,
}

impl Place {
    /// Of a checked target in a bank.
    pub fn new(target: &Target, bank: &FilterBank, air: &Air) -> Place {
        let rings = bank.rings();
        let level = target.gain * level(target.distance);
        let cell = rings.cell(target.azimuth, target.elevation);
        let mut place = Place {
            neighbours: [cell.neighbours(); 2],
            delays: [0.0; 2],
            gains: [level as f32; 2],
            air: air.share(target.distance),
        };
        let mut itd = bank.itd(&cell);
        if target.distance < NEAR {
            let nearness = ((NEAR - target.distance) / (NEAR - NEAREST)).min(1.0);
            let nearness = nearness * nearness * (3.0 - 2.0 * nearness);
            itd += nearness * near_itd(target) * bank.rate();
            for (ear, side) in [1.0, -1.0].into_iter().enumerate() {
                let sight = sight(target, side * HEAD * nearness, bank.distance());
                place.neighbours[ear] = rings.locate(sight.azimuth, sight.elevation);
                place.gains[ear] = (level * sight.gain) as f32;
            }
        }
        let [left, right] = ear_delays(itd, bank.rate());
        place.delays = [bank.least_delay() + left, bank.least_delay() + right];
        place
    }
}

/// Level at a distance: 1/r, which is 1 at the reference; below 1 m its tangent, for 1/r has no end there:
/// at most 8.6 dB at 0.2 m. What the nearer ear gains besides is in [`sight`].
pub(in crate::dsp) fn level(distance: f64) -> f64 {
    if distance < NEAR {
        REFERENCE_DISTANCE * (2.0 - distance)
    } else {
        REFERENCE_DISTANCE / distance
    }
}

/// How one ear sees a near source.
struct Sight {
    azimuth: f64,
    elevation: f64,
    /// Its level re that at the head's centre.
    gain: f64,
}

/// Parallax: the ear, `ear` metres to the left of the centre, sees a near source where its line of sight
/// meets the sphere that was measured, and hears it by 1/r of its own distance (Brungart and Rabinowitz
/// 1999; Romblom and Cook 2008).
fn sight(target: &Target, ear: f64, sphere: f64) -> Sight {
    let toward = target.toward();
    let mut line = toward.map(|part| part * target.distance);
    line[1] -= ear;
    let length = line.iter().map(|x| x * x).sum::<f64>().sqrt();
    let line = line.map(|x| x / length);
    // |ear + t line| = sphere; a set measured nearer than the near field ends is taken to its end.
    let sphere = sphere.max(NEAR);
    let along = ear * line[1];
    let reach = (along * along - ear * ear + sphere * sphere).sqrt() - along;
    let met = [line[0] * reach, ear + line[1] * reach, line[2] * reach];
    Sight {
        azimuth: met[1].atan2(met[0]).to_degrees(),
        elevation: (met[2] / sphere).clamp(-1.0, 1.0).asin().to_degrees(),
        gain: target.distance / length * reach / sphere,
    }
}

/// How many seconds the interaural delay is longer than at 1 m, on a sphere: straight to an ear that sees
/// the source, around the head to one that does not (Woodworth 1938; Duda and Martens 1998).
fn near_itd(target: &Target) -> f64 {
    let side = target.toward()[1].clamp(-1.0, 1.0).acos();
    let path = |distance: f64, angle: f64| {
        let horizon = (HEAD / distance).acos();
        let tangent = (distance * distance - HEAD * HEAD).sqrt();
        if angle > horizon {
            tangent + HEAD * (angle - horizon)
        } else {
            (distance * distance + HEAD * HEAD - 2.0 * distance * HEAD * angle.cos()).sqrt()
        }
    };
    let difference = |distance| path(distance, std::f64::consts::PI - side) - path(distance, side);
    (difference(target.distance) - difference(NEAR)) / SOUND
}
