//! Where things of space are on the screen, and back: distance is a radius on a logarithmic scale, so that what is at
//! the ear and what is at the end of a hall are in one picture.

use egui::{Pos2, Vec2, vec2};

/// The distances that are shown, in metres: those of the controls.
pub(super) const NEAREST: f32 = 0.2;
pub(super) const FARTHEST: f32 = 20.0;

/// A view of space with the head in its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    pub centre: Pos2,
    /// The radius at the nearest distance: the head is inside.
    pub inner: f32,
    /// The radius at the farthest.
    pub outer: f32,
}

/// Degrees, from -180 (not included) to 180.
pub(super) fn wrapped(degrees: f32) -> f32 {
    let turned = (degrees + 180.0).rem_euclid(360.0) - 180.0;
    if turned == -180.0 { 180.0 } else { turned }
}

impl Plane {
    /// Points from the middle; metres outside what is shown go on at the same scale.
    pub fn radius(&self, metres: f32) -> f32 {
        let share = (metres / NEAREST).ln() / (FARTHEST / NEAREST).ln();
        (self.inner + share * (self.outer - self.inner)).max(0.0)
    }

    /// The distance at so many points from the middle.
    pub fn metres(&self, radius: f32) -> f32 {
        let share = ((radius - self.inner) / (self.outer - self.inner)).clamp(0.0, 1.0);
        NEAREST * (FARTHEST / NEAREST).powf(share)
    }

    /// Seen from above: front is up, azimuth positive to the left.
    pub fn above(&self, azimuth: f32, metres: f32) -> Pos2 {
        let (sin, cos) = azimuth.to_radians().sin_cos();
        self.centre - self.radius(metres) * vec2(sin, cos)
    }

    /// The azimuth of a place seen from above.
    pub fn azimuth(&self, at: Pos2) -> f32 {
        let out = self.centre - at;
        wrapped(out.x.atan2(out.y).to_degrees())
    }

    /// The distance of a place seen from above.
    pub fn distance(&self, at: Pos2) -> f32 {
        self.metres(at.distance(self.centre))
    }

    /// Seen from the right: front is to the right, up is up.
    pub fn beside(&self, azimuth: f32, elevation: f32, metres: f32) -> Pos2 {
        let (up, flat) = elevation.to_radians().sin_cos();
        self.centre + self.radius(metres) * vec2(flat * azimuth.to_radians().cos(), -up)
    }

    /// The elevation of what is so far away, at the height of a place seen from the right.
    pub fn elevation(&self, at: Pos2, metres: f32) -> f32 {
        let up = (self.centre.y - at.y) / self.radius(metres).max(1.0);
        up.clamp(-1.0, 1.0).asin().to_degrees()
    }

    /// A place in metres from the head, to the right and up on the screen.
    pub fn at(&self, right: f32, up: f32) -> Pos2 {
        let out = vec2(right, -up);
        self.centre + self.radius(out.length().max(1e-3)) * out.normalized()
    }

    /// Points of a circle's part around the head, seen from above.
    pub fn arc(&self, (from, to): (f32, f32), metres: f32) -> Vec<Pos2> {
        let points = (((to - from).abs() / 3.0).ceil() as usize).max(2);
        (0..=points)
            .map(|point| {
                let share = point as f32 / points as f32;
                self.above(from + share * (to - from), metres)
            })
            .collect()
    }

    /// The square around it.
    pub fn area(&self) -> egui::Rect {
        egui::Rect::from_center_size(self.centre, Vec2::splat(2.0 * self.outer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    const PLANE: Plane = Plane {
        centre: pos2(300.0, 200.0),
        inner: 25.0,
        outer: 170.0,
    };

    #[test]
    fn places_seen_from_above_are_found_again() {
        for azimuth in [-179.0, -90.0, -30.0, 0.0, 12.5, 90.0, 135.0, 180.0] {
            for metres in [0.2, 0.5, 1.5, 7.0, 20.0] {
                let at = PLANE.above(azimuth, metres);
                assert!(
                    (PLANE.azimuth(at) - azimuth).abs() < 1e-2,
                    "{azimuth} {metres}"
                );
                assert!(
                    (PLANE.distance(at) / metres - 1.0).abs() < 1e-3,
                    "{azimuth} {metres}"
                );
            }
        }
    }

    #[test]
    fn front_is_up_and_left_is_left() {
        let front = PLANE.above(0.0, 1.5);
        assert!(front.y < PLANE.centre.y && (front.x - PLANE.centre.x).abs() < 1e-3);
        assert!(PLANE.above(90.0, 1.5).x < PLANE.centre.x);
        // From the right, what is in front is to the right, what is high is up.
        assert!(PLANE.beside(0.0, 0.0, 1.5).x > PLANE.centre.x);
        assert!(PLANE.beside(0.0, 90.0, 1.5).y < PLANE.centre.y);
        assert!(PLANE.beside(180.0, 0.0, 1.5).x < PLANE.centre.x);
    }

    #[test]
    fn heights_seen_from_the_right_are_found_again() {
        for elevation in [-89.0, -45.0, 0.0, 10.0, 60.0, 89.0] {
            for azimuth in [-120.0, 0.0, 75.0] {
                let at = PLANE.beside(azimuth, elevation, 3.0);
                assert!((PLANE.elevation(at, 3.0) - elevation).abs() < 0.1);
            }
        }
        // Above what can be, it is straight up.
        let over = PLANE.centre - vec2(0.0, 500.0);
        assert_eq!(PLANE.elevation(over, 1.5), 90.0);
    }

    #[test]
    fn rings_are_evenly_apart_and_what_is_outside_is_at_the_edge() {
        let step = PLANE.radius(2.0) - PLANE.radius(1.0);
        assert!((PLANE.radius(10.0) - PLANE.radius(5.0) - step).abs() < 1e-3);
        assert_eq!(PLANE.metres(0.0), NEAREST);
        assert_eq!(PLANE.metres(1e4), FARTHEST);
        assert_eq!(wrapped(-180.0), 180.0);
        assert_eq!(wrapped(270.0), -90.0);
        let wall = PLANE.at(-2.0, 0.0);
        assert!((PLANE.distance(wall) - 2.0).abs() < 1e-3 && wall.x < PLANE.centre.x);
    }
}
