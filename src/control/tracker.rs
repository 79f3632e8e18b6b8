//! Head trackers: what each protocol says, turned into our convention (see `dsp::quaternion`).
//!
//! docs/control.md names the source of every convention. A protocol that says how the *scene* is turned is turned
//! round here; one that has other axes has them exchanged.

use super::osc::Message;
use crate::dsp::quaternion::Quat;
use serde::{Deserialize, Serialize};

/// Bytes of opentrack's packet: six doubles; some senders add a count of frames.
const OPENTRACK: [usize; 2] = [48, 52];

/// Supperware's manufacturer number.
const SUPPERWARE: [u8; 3] = [0x00, 0x21, 0x42];

/// Where an orientation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Angles by OSC.
    OscTurns,
    /// Quaternions by OSC.
    OscQuaternion,
    /// Angles of the scene by OSC, as IEM's SceneRotator takes them.
    SceneTurns,
    /// Quaternions of the scene by OSC.
    SceneQuaternion,
    /// A phone's rotation vector by OSC.
    Phone,
    /// opentrack's UDP.
    Opentrack,
    /// MrHeadTracker's controllers.
    MrHeadTracker,
    /// Supperware's system exclusive messages.
    Supperware,
}

impl Source {
    /// What musicians call it.
    pub fn name(self) -> &'static str {
        match self {
            Source::OscTurns => "OSC angles",
            Source::OscQuaternion => "OSC quaternion",
            Source::SceneTurns => "SceneRotator angles",
            Source::SceneQuaternion => "SceneRotator quaternion",
            Source::Phone => "phone",
            Source::Opentrack => "opentrack",
            Source::MrHeadTracker => "MrHeadTracker",
            Source::Supperware => "Supperware",
        }
    }
}

/// The order of the numbers of `/quaternion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuaternionOrder {
    /// The real part first.
    #[default]
    Wxyz,
    /// The real part last.
    Xyzw,
}

/// What MrHeadTracker's controllers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MrMode {
    /// No MIDI tracker of this kind.
    #[default]
    Off,
    /// Controllers 16 to 19 and 48 to 51: w, x, y, z.
    Quaternion,
    /// Controllers 16 to 18 and 48 to 50: yaw, pitch, roll.
    Ypr,
}

/// Understands trackers; keeps what comes in parts until it is whole.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// How `/quaternion` and `/quaternions` are ordered.
    pub order: QuaternionOrder,
    /// What MrHeadTracker sends.
    pub mr_mode: MrMode,
    /// Yaw, pitch and roll, as they have come one by one.
    turns: [f64; 3],
    scene: [f64; 3],
    mr_low: [u8; 4],
    mr_high: [u8; 4],
}

/// The head in a scene that is turned by these angles, as SceneRotator turns it with its default sequence: roll,
/// pitch, yaw about fixed axes; right-handed.
fn from_scene([yaw, pitch, roll]: [f64; 3]) -> Quat {
    // Right-handed pitch is downwards, ours upwards.
    Quat::from_turns(yaw, -pitch, roll).inverse()
}

/// From axes to the right, to the front and up.
fn from_right_front_up(w: f64, x: f64, y: f64, z: f64) -> Option<Quat> {
    Quat::new(w, y, -x, z)
}

impl Tracker {
    /// The orientation that a message says, with its source. Addresses may have any prefix; a part "SceneRotator"
    /// in it makes angles and quaternions those of the scene.
    pub fn osc(&mut self, message: &Message) -> Option<(Source, Quat)> {
        let address = message.address.trim_end_matches('/');
        let mut parts = address.rsplit('/');
        let last = parts.next()?.to_ascii_lowercase();
        let scene = parts.any(|part| part.eq_ignore_ascii_case("SceneRotator"));
        let turned = |turns: [f64; 3]| {
            if scene {
                (Source::SceneTurns, from_scene(turns))
            } else {
                let [yaw, pitch, roll] = turns;
                (Source::OscTurns, Quat::from_turns(yaw, pitch, roll))
            }
        };
        let kept = if scene {
            &mut self.scene
        } else {
            &mut self.turns
        };
        match last.as_str() {
            "ypr" => {
                *kept = message.numbers()?;
                Some(turned(*kept))
            }
            "yaw" | "pitch" | "roll" => {
                let [degrees] = message.numbers()?;
                let index = ["yaw", "pitch", "roll"]
                    .iter()
                    .position(|name| *name == last)?;
                kept[index] = degrees;
                Some(turned(*kept))
            }
            "quaternion" | "quaternions" => {
                let [a, b, c, d] = message.numbers()?;
                // SceneRotator and what is called as it has one order only.
                let ordered = self.order == QuaternionOrder::Xyzw && !scene;
                let [w, x, y, z] = if ordered { [d, a, b, c] } else { [a, b, c, d] };
                let quat = Quat::new(w, x, y, z)?;
                Some(if scene {
                    (Source::SceneQuaternion, quat.inverse())
                } else {
                    (Source::OscQuaternion, quat)
                })
            }
            "head_pose" => {
                // Number, place, then pitch, yaw and roll; or the angles alone.
                let [pitch, yaw, roll] = match message.numbers::<7>() {
                    Some([_, _, _, _, angles @ ..]) => angles,
                    None => message.numbers()?,
                };
                Some((Source::OscTurns, Quat::from_turns(yaw, pitch, roll)))
            }
            "orientation" => {
                // A phone flat on the head: azimuth clockwise; pitch and roll positive where the top and the right
                // edge rise and fall the other way round.
                let [azimuth, pitch, roll] = message.numbers()?;
                Some((Source::Phone, Quat::from_turns(-azimuth, -pitch, -roll)))
            }
            "gamerotationvector" | "rotationvector" => {
                let (x, y, z, w) = match message.numbers::<4>() {
                    Some([x, y, z, w]) => (x, y, z, w),
                    None => {
                        // Without its real part, which is positive; accuracies that follow are left alone.
                        let mut numbers = message.args.iter().map(super::osc::Arg::number);
                        let mut next = || numbers.next().flatten();
                        let (x, y, z) = (next()?, next()?, next()?);
                        let w = next().unwrap_or((1.0 - x * x - y * y - z * z).max(0.0).sqrt());
                        (x, y, z, w)
                    }
                };
                Some((Source::Phone, from_right_front_up(w, x, y, z)?))
            }
            _ => None,
        }
    }

    /// The orientation in a packet of opentrack: x, y, z in centimetres and yaw, pitch, roll in degrees, as
    /// little-endian doubles. Yaw is positive to the right, roll to the left.
    pub fn opentrack(&self, bytes: &[u8]) -> Option<(Source, Quat)> {
        if !OPENTRACK.contains(&bytes.len()) {
            return None;
        }
        let (doubles, _) = bytes.as_chunks::<8>();
        let mut numbers = [0.0; 6];
        for (number, bytes) in numbers.iter_mut().zip(doubles) {
            *number = f64::from_le_bytes(*bytes);
        }
        if numbers.iter().any(|n| !n.is_finite() || n.abs() > 1e6) {
            return None;
        }
        let [_, _, _, yaw, pitch, roll] = numbers;
        Some((Source::Opentrack, Quat::from_turns(-yaw, pitch, -roll)))
    }

    /// Whether a controller belongs to a tracker.
    pub fn wants(&self, controller: u8) -> bool {
        let last = match self.mr_mode {
            MrMode::Off => return false,
            MrMode::Quaternion => 3,
            MrMode::Ypr => 2,
        };
        (16..=16 + last).contains(&controller) || (48..=48 + last).contains(&controller)
    }

    /// A controller of MrHeadTracker: fine values first, and an orientation is whole with its last coarse one.
    pub fn controller(&mut self, controller: u8, value: u8) -> Option<(Source, Quat)> {
        if !self.wants(controller) {
            return None;
        }
        if let Some(index) = controller.checked_sub(48) {
            self.mr_low[usize::from(index)] = value & 127;
            return None;
        }
        let index = usize::from(controller - 16);
        self.mr_high[index] = value & 127;
        let part = |index: usize| {
            let value = 128 * i32::from(self.mr_high[index]) + i32::from(self.mr_low[index]);
            f64::from(value) / 8192.0 - 1.0
        };
        let quat = match (self.mr_mode, index) {
            (MrMode::Quaternion, 3) => Quat::new(part(0), part(1), part(2), part(3))?.inverse(),
            (MrMode::Ypr, 2) => from_scene([0, 1, 2].map(|index| 180.0 * part(index))),
            _ => return None,
        };
        Some((Source::MrHeadTracker, quat))
    }

    /// The orientation in a system exclusive message of Supperware's Head Tracker 1, from F0 to F7.
    pub fn sysex(&self, bytes: &[u8]) -> Option<(Source, Quat)> {
        let body = bytes.strip_prefix(&[0xF0])?.strip_suffix(&[0xF7])?;
        let body = body.strip_prefix(&SUPPERWARE)?;
        let (&[0x40, kind], data) = body.split_at_checked(2)? else {
            return None;
        };
        let (pairs, rest) = data.as_chunks::<2>();
        if !rest.is_empty() || data.iter().any(|byte| *byte > 127) {
            return None;
        }
        // 14 bits in two's complement, eleven of them behind the point.
        let number = |pair: &[u8; 2]| {
            let value = (i32::from(pair[0]) << 7) + i32::from(pair[1]);
            let value = if value >= 0x2000 {
                value - 0x4000
            } else {
                value
            };
            f64::from(value) / 2048.0
        };
        let quat = match (kind, pairs) {
            (0, [yaw, pitch, roll]) => {
                let [yaw, pitch, roll] = [yaw, pitch, roll].map(|pair| number(pair).to_degrees());
                Quat::from_turns(yaw, pitch, roll)
            }
            (1, [w, x, y, z]) => from_right_front_up(number(w), number(x), number(y), number(z))?,
            _ => return None,
        };
        Some((Source::Supperware, quat))
    }

    /// What turns Supperware's Head Tracker 1 on: quaternions a hundred times a second.
    pub fn supperware_on() -> [u8; 10] {
        [0xF0, 0x00, 0x21, 0x42, 0x00, 0x00, 0x28, 0x01, 0x05, 0xF7]
    }
}

#[cfg(test)]
mod tests {
    use super::super::osc::Arg;
    use super::*;

    fn message(address: &str, numbers: &[f64]) -> Message {
        Message {
            address: address.to_owned(),
            args: numbers.iter().map(|n| Arg::Number(*n)).collect(),
        }
    }

    fn near(found: Option<(Source, Quat)>, turns: [f64; 3]) -> bool {
        let [yaw, pitch, roll] = turns;
        found.is_some_and(|(_, quat)| quat.degrees_to(Quat::from_turns(yaw, pitch, roll)) < 0.1)
    }

    #[test]
    fn each_convention_is_ours_in_the_end() {
        let mut tracker = Tracker::default();
        let half = 0.5_f64.sqrt();
        // A head that is turned a quarter to the left.
        for (address, numbers) in [
            ("/ypr", &[90.0, 0.0, 0.0][..]),
            ("/hedrot/yaw", &[90.0]),
            ("/quaternions", &[half, 0.0, 0.0, half]),
            ("/SceneRotator/ypr", &[-90.0, 0.0, 0.0]),
            ("/SceneRotator/quaternions", &[half, 0.0, 0.0, -half]),
            ("/head_pose", &[0.0, 1.0, 2.0, 3.0, 0.0, 90.0, 0.0]),
            ("/orientation", &[270.0, 0.0, 0.0]),
            ("/gamerotationvector", &[0.0, 0.0, half, half]),
            ("/gamerotationvector", &[0.0, 0.0, half]),
        ] {
            let found = tracker.osc(&message(address, numbers));
            assert!(near(found, [90.0, 0.0, 0.0]), "{address}: {found:?}");
        }
        tracker = Tracker::default();
        // One that looks up by 30 degrees.
        let (c, s) = (15f64.to_radians().cos(), 15f64.to_radians().sin());
        for (address, numbers) in [
            ("/ypr", &[0.0, 30.0, 0.0][..]),
            ("/quaternions", &[c, 0.0, -s, 0.0]),
            ("/SceneRotator/ypr", &[0.0, 30.0, 0.0]),
            ("/SceneRotator/quaternions", &[c, 0.0, s, 0.0]),
            ("/orientation", &[0.0, -30.0, 0.0]),
            ("/gamerotationvector", &[s, 0.0, 0.0, c]),
        ] {
            let found = tracker.osc(&message(address, numbers));
            assert!(near(found, [0.0, 30.0, 0.0]), "{address}: {found:?}");
        }
        // And one whose right ear is down.
        for (address, numbers) in [
            ("/ypr", &[0.0, 0.0, 30.0][..]),
            ("/quaternions", &[c, s, 0.0, 0.0]),
            ("/SceneRotator/ypr", &[0.0, 0.0, -30.0]),
            ("/SceneRotator/quaternions", &[c, -s, 0.0, 0.0]),
            ("/orientation", &[0.0, 0.0, -30.0]),
            ("/gamerotationvector", &[0.0, s, 0.0, c]),
        ] {
            let found = tracker.osc(&message(address, numbers));
            assert!(near(found, [0.0, 0.0, 30.0]), "{address}: {found:?}");
        }
    }

    #[test]
    fn the_order_of_a_quaternion_can_be_chosen() {
        let mut tracker = Tracker {
            order: QuaternionOrder::Xyzw,
            ..Tracker::default()
        };
        let half = 0.5_f64.sqrt();
        let found = tracker.osc(&message("/quaternion", &[0.0, 0.0, half, half]));
        assert!(near(found, [90.0, 0.0, 0.0]));
        let scene = message("/SceneRotator/quaternions", &[half, 0.0, 0.0, -half]);
        assert!(near(tracker.osc(&scene), [90.0, 0.0, 0.0]));
    }

    #[test]
    fn what_is_no_orientation_is_none() {
        let mut tracker = Tracker::default();
        for (address, numbers) in [
            ("/ypr", &[1.0, 2.0][..]),
            ("/yaw", &[]),
            ("/quaternion", &[0.0, 0.0, 0.0, 0.0]),
            ("/quaternion", &[1.0, 0.0, 0.0]),
            ("/head_pose", &[1.0]),
            ("/", &[1.0]),
            ("", &[]),
        ] {
            assert_eq!(tracker.osc(&message(address, numbers)), None, "{address}");
        }
        assert_eq!(tracker.opentrack(&[0; 47]), None);
        let mut packet = [0; 48];
        packet[24..32].copy_from_slice(&f64::NAN.to_le_bytes());
        assert_eq!(tracker.opentrack(&packet), None);
        for bytes in [
            &[][..],
            &[0xF0],
            &[0xF0, 0xF7],
            &[0xF0, 0, 0x21, 0x42, 0x40, 0xF7],
        ] {
            assert_eq!(tracker.sysex(bytes), None);
        }
    }
}
