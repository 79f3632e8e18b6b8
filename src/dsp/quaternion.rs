//! Orientations of a head as unit quaternions.
//!
//! Axes are those of ambisonics: x to the front, y to the left, z up; right-handed. A quaternion turns what the
//! head sees into the world. Yaw positive turns the head left, pitch positive looks up, roll positive puts the
//! right ear down, each about the axis that the turns before have left (yaw, pitch, roll).

use std::ops::Mul;

/// An orientation. Kept at unit length by everything here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quat {
    /// Real part.
    pub w: f64,
    /// Along the axis to the front.
    pub x: f64,
    /// Along the axis to the left.
    pub y: f64,
    /// Along the axis up.
    pub z: f64,
}

impl Quat {
    /// Looks to the front.
    pub const FRONT: Quat = Quat {
        w: 1.0,
        x: 0.0,
        y: 0.0,
        z: 0.0,
    };

    /// Of four numbers of any length; `None` where they are no orientation (zero, or not finite).
    pub fn new(w: f64, x: f64, y: f64, z: f64) -> Option<Quat> {
        let longest = [w, x, y, z].iter().fold(0.0_f64, |m, p| m.max(p.abs()));
        if !(longest.is_finite() && longest > 1e-9) || [w, x, y, z].iter().any(|p| p.is_nan()) {
            return None;
        }
        let [w, x, y, z] = [w, x, y, z].map(|part| part / longest);
        let length = (w * w + x * x + y * y + z * z).sqrt();
        Some(Quat {
            w: w / length,
            x: x / length,
            y: y / length,
            z: z / length,
        })
    }

    /// A turn by an angle in degrees about the axis to the front, to the left, or up (0, 1, 2).
    fn about(axis: usize, degrees: f64) -> Quat {
        let (sine, w) = (0.5 * degrees.to_radians()).sin_cos();
        let part = |index| if index == axis { sine } else { 0.0 };
        Quat {
            w,
            x: part(0),
            y: part(1),
            z: part(2),
        }
    }

    /// From yaw, pitch and roll in degrees, in this order.
    pub fn from_turns(yaw: f64, pitch: f64, roll: f64) -> Quat {
        // About the axis to the left a positive turn looks down.
        Quat::about(2, yaw) * Quat::about(1, -pitch) * Quat::about(0, roll)
    }

    /// Yaw, pitch and roll in degrees; looking straight up or down all of the turn is yaw.
    pub fn turns(self) -> [f64; 3] {
        let [front, left, up] = self.axes();
        let pitch = front[2].clamp(-1.0, 1.0).asin();
        let (yaw, roll) = if front[2].abs() > 1.0 - 1e-12 {
            ((-left[0]).atan2(left[1]), 0.0)
        } else {
            (front[1].atan2(front[0]), left[2].atan2(up[2]))
        };
        [yaw, pitch, roll].map(f64::to_degrees)
    }

    /// The head's own front, left and up in the world.
    pub fn axes(self) -> [[f64; 3]; 3] {
        let Quat { w, x, y, z } = self;
        [
            [
                1.0 - 2.0 * (y * y + z * z),
                2.0 * (x * y + w * z),
                2.0 * (x * z - w * y),
            ],
            [
                2.0 * (x * y - w * z),
                1.0 - 2.0 * (x * x + z * z),
                2.0 * (y * z + w * x),
            ],
            [
                2.0 * (x * z + w * y),
                2.0 * (y * z - w * x),
                1.0 - 2.0 * (x * x + y * y),
            ],
        ]
    }

    /// The turn as a vector: its axis (front, left, up), as long as the turn in radians.
    pub fn vector(self) -> [f64; 3] {
        let Quat { w, x, y, z } = self;
        let sine = (x * x + y * y + z * z).sqrt();
        // The short way round.
        let angle = 2.0 * sine.atan2(w.abs()) * if w < 0.0 { -1.0 } else { 1.0 };
        let scale = if sine > 1e-12 { angle / sine } else { 2.0 };
        [x * scale, y * scale, z * scale]
    }

    /// From such a vector.
    pub fn from_vector([x, y, z]: [f64; 3]) -> Quat {
        let angle = (x * x + y * y + z * z).sqrt();
        let (sine, w) = (0.5 * angle).sin_cos();
        let scale = if angle > 1e-12 { sine / angle } else { 0.5 };
        Quat {
            w,
            x: x * scale,
            y: y * scale,
            z: z * scale,
        }
    }

    /// The turn the other way round.
    pub fn inverse(self) -> Quat {
        Quat {
            w: self.w,
            x: -self.x,
            y: -self.y,
            z: -self.z,
        }
    }

    fn dot(self, other: Quat) -> f64 {
        self.w * other.w + self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// Degrees by which two orientations differ, 0 to 180.
    pub fn degrees_to(self, other: Quat) -> f64 {
        let between = self.inverse() * other;
        let sine = (between.x * between.x + between.y * between.y + between.z * between.z).sqrt();
        2.0 * sine.atan2(between.w.abs()).to_degrees()
    }

    /// On the shortest way to another: 0 is here, 1 is there, more goes on beyond.
    pub fn slerp(self, other: Quat, part: f64) -> Quat {
        let mut cosine = self.dot(other);
        let mut to = other;
        if cosine < 0.0 {
            // The same orientation, the short way round.
            cosine = -cosine;
            to = Quat {
                w: -other.w,
                x: -other.x,
                y: -other.y,
                z: -other.z,
            };
        }
        let (a, b) = if cosine > 1.0 - 1e-9 {
            (1.0 - part, part)
        } else {
            let angle = cosine.min(1.0).acos();
            let sine = angle.sin();
            (
                ((1.0 - part) * angle).sin() / sine,
                (part * angle).sin() / sine,
            )
        };
        let mix = |from: f64, to: f64| a * from + b * to;
        Quat::new(
            mix(self.w, to.w),
            mix(self.x, to.x),
            mix(self.y, to.y),
            mix(self.z, to.z),
        )
        .unwrap_or(other)
    }
}

impl Mul for Quat {
    type Output = Quat;

    /// First this, then the other about the axes that this has left.
    fn mul(self, other: Quat) -> Quat {
        let (a, b) = (self, other);
        Quat {
            w: a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
            x: a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            y: a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
            z: a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Quat;

    fn near(a: [f64; 3], b: [f64; 3]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn signs_are_those_of_the_conventions() {
        // Left: the front goes to the left.
        assert!(near(
            Quat::from_turns(90.0, 0.0, 0.0).axes()[0],
            [0.0, 1.0, 0.0]
        ));
        // Up: the front goes up.
        assert!(near(
            Quat::from_turns(0.0, 90.0, 0.0).axes()[0],
            [0.0, 0.0, 1.0]
        ));
        // The right ear down: the left one goes up.
        assert!(near(
            Quat::from_turns(0.0, 0.0, 90.0).axes()[1],
            [0.0, 0.0, 1.0]
        ));
    }

    #[test]
    fn turns_come_back() {
        for yaw in [-170.0, -90.0, 0.0, 33.0, 120.0] {
            for pitch in [-80.0, -10.0, 0.0, 45.0, 89.0] {
                for roll in [-150.0, 0.0, 20.0, 90.0] {
                    let turns = Quat::from_turns(yaw, pitch, roll).turns();
                    assert!(near(turns, [yaw, pitch, roll]), "{turns:?}");
                }
            }
        }
        let up = Quat::from_turns(30.0, 90.0, 0.0).turns();
        assert!(near(up, [30.0, 90.0, 0.0]), "{up:?}");
    }

    #[test]
    fn a_turn_is_a_vector() {
        for (yaw, pitch, roll) in [(170.0, 3.0, -40.0), (0.0, 0.0, 0.0), (1e-9, 0.0, 2e-9)] {
            let turn = Quat::from_turns(yaw, pitch, roll);
            assert!(Quat::from_vector(turn.vector()).degrees_to(turn) < 1e-9);
            let minus = Quat::new(-turn.w, -turn.x, -turn.y, -turn.z).unwrap();
            assert!(near(minus.vector(), turn.vector()));
        }
        assert!(near(
            Quat::from_turns(90.0, 0.0, 0.0).vector(),
            [0.0, 0.0, std::f64::consts::FRAC_PI_2]
        ));
    }

    #[test]
    fn the_way_between_is_the_shortest_and_even() {
        let (a, b) = (
            Quat::from_turns(170.0, 0.0, 0.0),
            Quat::from_turns(-170.0, 0.0, 0.0),
        );
        assert!((a.degrees_to(b) - 20.0).abs() < 1e-9);
        for step in 0..=10 {
            let part = f64::from(step) / 10.0;
            let way = a.degrees_to(a.slerp(b, part));
            assert!((way - 20.0 * part).abs() < 1e-7, "{way}");
        }
        // A quaternion and its negative are one orientation.
        let minus = Quat::new(-b.w, -b.x, -b.y, -b.z).unwrap();
        assert!(a.slerp(minus, 0.5).degrees_to(a.slerp(b, 0.5)) < 1e-6);
        assert_eq!(Quat::new(0.0, 0.0, 0.0, 0.0), None);
        assert_eq!(Quat::new(f64::NAN, 0.0, 0.0, 1.0), None);
        assert_eq!(Quat::new(f64::INFINITY, 0.0, 0.0, 1.0), None);
        assert!(Quat::new(1e300, 1e300, 0.0, 0.0).is_some());
    }
}
