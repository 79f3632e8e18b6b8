//! One listener's head: what a tracker says on its way to the engine: axes, centre, smoothing, prediction, and
//! home where nothing is heard any more. Time is told by the caller, in seconds.

use super::tracker::Source;
use crate::dsp::quaternion::Quat;
use serde::{Deserialize, Serialize};

/// Seconds in which a head whose tracker is silent glides home.
const HOME: f64 = 1.0;

/// Longer gaps say nothing about how fast a head turns.
const GAP: f64 = 0.25;

/// Orientations that come within this many seconds are of one moment.
const MOMENT: f64 = 0.002;

/// How a tracker's angles become the head's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadSettings {
    /// Turns yaw, pitch and roll the other way.
    pub invert: [bool; 3],
    /// Which of the tracker's angles (0 yaw, 1 pitch, 2 roll) each of the head's is.
    pub axes: [u8; 3],
    /// Time constant of the smoothing in seconds; 0 is none.
    pub smoothing: f64,
    /// How far ahead the turn is continued, in seconds; 0 is not at all.
    pub prediction: f64,
    /// Seconds of silence after which the head glides home; 0 never.
    pub timeout: f64,
}

impl Default for HeadSettings {
    fn default() -> Self {
        HeadSettings {
            invert: [false; 3],
            axes: [0, 1, 2],
            smoothing: 0.0,
            prediction: 0.0,
            timeout: 5.0,
        }
    }
}

impl HeadSettings {
    /// The nearest usable settings.
    pub fn usable(self) -> HeadSettings {
        let within = |value: f64, most: f64| {
            if value.is_finite() {
                value.clamp(0.0, most)
            } else {
                0.0
            }
        };
        let mut sorted = self.axes;
        sorted.sort_unstable();
        HeadSettings {
            axes: if sorted == [0, 1, 2] {
                self.axes
            } else {
                [0, 1, 2]
            },
            smoothing: within(self.smoothing, 1.0),
            prediction: within(self.prediction, 0.1),
            timeout: within(self.timeout, 3600.0),
            ..self
        }
    }

    /// A tracker's orientation with axes inverted and exchanged.
    fn arrange(&self, said: Quat) -> Quat {
        if self.invert == [false; 3] && self.axes == [0, 1, 2] {
            return said;
        }
        // An exchange of axes is a change of the coordinates in which the turn is described: as a rotation vector,
        // so that it holds for any orientation. Yaw is about the axis up, pitch about that to the right, roll about
        // that to the front.
        let Quat { w, x, y, z } = said;
        let theirs = [z, -y, x];
        let mut ours = [0.0; 3];
        for (index, part) in ours.iter_mut().enumerate() {
            let sign = if self.invert[index] { -1.0 } else { 1.0 };
            *part = sign * theirs[usize::from(self.axes[index]).min(2)];
        }
        let [yaw, pitch, roll] = ours;
        Quat::new(w, roll, -pitch, yaw).unwrap_or(said)
    }
}

/// The head.
#[derive(Debug, Clone)]
pub struct Head {
    settings: HeadSettings,
    /// Where it looks that is the front: undone first.
    centre: Quat,
    /// What was said last, axes arranged, and when.
    said: Option<(Quat, f64)>,
    smoothed: Quat,
    /// The turn between the last two, and the seconds that it took.
    turn: Option<(Quat, f64)>,
    /// Where that turn began.
    origin: Option<(Quat, f64)>,
    source: Option<Source>,
    /// Seconds between two, averaged.
    interval: f64,
    count: u64,
}

impl Default for Head {
    fn default() -> Self {
        Head {
            settings: HeadSettings::default(),
            centre: Quat::FRONT,
            said: None,
            smoothed: Quat::FRONT,
            turn: None,
            origin: None,
            source: None,
            interval: 0.0,
            count: 0,
        }
    }
}

impl Head {
    /// Uses other settings from now on.
    pub fn set(&mut self, settings: HeadSettings) {
        self.settings = settings.usable();
    }

    /// A tracker says something.
    pub fn hear(&mut self, source: Source, said: Quat, now: f64) {
        let said = self.settings.arrange(said);
        let other = self.source.replace(source) != Some(source);
        let before = self.said.filter(|_| !other);
        self.count += 1;
        match before {
            Some((before, when)) if now - when < GAP => {
                let passed = (now - when).max(0.0);
                self.interval +=
                    (passed - self.interval) * if self.interval > 0.0 { 0.1 } else { 1.0 };
                // Angles that come one by one are one orientation: what a moment tells of a speed is noise.
                let (origin, since) = *self.origin.get_or_insert((before, when));
                let span = now - since;
                if !(0.0..MOMENT).contains(&span) {
                    self.turn = (span > 0.0).then(|| (origin.inverse() * said, span));
                    self.origin = Some((said, now));
                }
                let part = if self.settings.smoothing > 0.0 {
                    1.0 - (-passed / self.settings.smoothing).exp()
                } else {
                    1.0
                };
                self.smoothed = self.smoothed.slerp(said, part);
            }
            _ => {
                self.turn = None;
                self.origin = Some((said, now));
                self.interval = 0.0;
                self.smoothed = said;
            }
        }
        self.said = Some((said, now));
    }

    /// How the head is turned now; `None` until a tracker has spoken.
    pub fn at(&self, now: f64) -> Option<Quat> {
        let (_, when) = self.said?;
        let mut head = self.smoothed;
        if let Some((turn, passed)) = self.turn.filter(|_| self.settings.prediction > 0.0) {
            // Never by more than a quarter of a turn: what is that fast is no head.
            let whole = Quat::FRONT.degrees_to(turn);
            let part = (self.settings.prediction / passed).min(90.0 / whole.max(1e-9));
            head = head * Quat::FRONT.slerp(turn, part);
        }
        let head = self.centre.inverse() * head;
        let silent = now - when - self.settings.timeout;
        if self.settings.timeout > 0.0 && silent > 0.0 {
            let part = (silent / HOME).min(1.0);
            // A raised cosine.
            let part = 0.5 - 0.5 * (std::f64::consts::PI * part).cos();
            return Some(head.slerp(Quat::FRONT, part));
        }
        Some(head)
    }

    /// Whether the head moves by itself: it glides home.
    pub fn glides(&self, now: f64) -> bool {
        self.said.is_some_and(|(_, when)| {
            let silent = now - when - self.settings.timeout;
            self.settings.timeout > 0.0 && (0.0..=HOME + 0.5).contains(&silent)
        })
    }

    /// From now on the direction in which the head looks is the front. Only its yaw: gravity says what is level.
    pub fn recenter(&mut self) {
        let [yaw, ..] = self.smoothed.turns();
        self.centre = Quat::from_turns(yaw, 0.0, 0.0);
    }

    /// The tracker that spoke last, how often a second it speaks, and for how many seconds it has been silent.
    pub fn source(&self, now: f64) -> Option<(Source, f64, f64)> {
        let (_, when) = self.said?;
        let rate = if self.interval > 0.0 {
            1.0 / self.interval
        } else {
            0.0
        };
        Some((self.source?, rate, (now - when).max(0.0)))
    }

    /// How many orientations have come.
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: Source = Source::OscTurns;

    fn yaw(head: &Head, now: f64) -> f64 {
        head.at(now).unwrap().turns()[0]
    }

    #[test]
    fn axes_are_inverted_and_exchanged() {
        let mut head = Head::default();
        head.set(HeadSettings {
            invert: [true, false, false],
            ..HeadSettings::default()
        });
        head.hear(FROM, Quat::from_turns(30.0, 0.0, 0.0), 0.0);
        assert!((yaw(&head, 0.0) + 30.0).abs() < 1e-9);
        // The tracker's roll is the head's pitch, and the other way round.
        head.set(HeadSettings {
            axes: [0, 2, 1],
            invert: [false, true, false],
            ..HeadSettings::default()
        });
        head.hear(FROM, Quat::from_turns(0.0, 0.0, 25.0), 0.1);
        let [yaw, pitch, roll] = head.at(0.1).unwrap().turns();
        assert!(yaw.abs() < 1e-9 && (pitch + 25.0).abs() < 1e-9 && roll.abs() < 1e-9);
        let unusable = HeadSettings {
            axes: [0, 0, 9],
            smoothing: f64::NAN,
            ..HeadSettings::default()
        };
        assert_eq!(unusable.usable(), HeadSettings::default());
    }

    #[test]
    fn recentering_takes_the_yaw_only() {
        let mut head = Head::default();
        head.hear(FROM, Quat::from_turns(50.0, 20.0, 0.0), 0.0);
        head.recenter();
        let [yaw, pitch, _] = head.at(0.0).unwrap().turns();
        assert!(yaw.abs() < 1e-9 && (pitch - 20.0).abs() < 1e-9);
        head.hear(FROM, Quat::from_turns(60.0, 0.0, 0.0), 0.01);
        assert!((self::yaw(&head, 0.01) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn smoothing_lags_prediction_leads_and_silence_goes_home() {
        let mut head = Head::default();
        let mut settings = HeadSettings {
            smoothing: 0.05,
            ..HeadSettings::default()
        };
        head.set(settings);
        let turning = |head: &mut Head| {
            for n in 0..100 {
                let t = f64::from(n) * 0.01;
                head.hear(FROM, Quat::from_turns(90.0 * t, 0.0, 0.0), t);
            }
        };
        turning(&mut head);
        let lag = 89.1 - yaw(&head, 0.99);
        assert!((lag - 90.0 * 0.045).abs() < 0.5, "{lag}");
        (settings.smoothing, settings.prediction) = (0.0, 0.02);
        head.set(settings);
        head.hear(FROM, Quat::from_turns(0.0, 0.0, 0.0), 2.0);
        turning(&mut head);
        let lead = yaw(&head, 0.99) - 89.1;
        assert!((lead - 1.8).abs() < 1e-6, "{lead}");
        let (source, rate, age) = head.source(1.49).unwrap();
        assert_eq!(source, FROM);
        assert!((rate - 100.0).abs() < 1.0 && (age - 0.5).abs() < 1e-9);
        // Silence.
        assert!(!head.glides(5.9));
        assert!((yaw(&head, 5.9) - yaw(&head, 0.99)).abs() < 1e-9);
        assert!(head.glides(6.2));
        let mut last = yaw(&head, 5.99);
        for n in 1..=100 {
            let now = yaw(&head, 5.99 + f64::from(n) * 0.01);
            assert!(now <= last + 1e-9 && last - now < 2.0, "{last} {now}");
            last = now;
        }
        assert!(last.abs() < 1e-6);
    }
}
