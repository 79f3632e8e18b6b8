//! One listener's head: what a tracker says on its way to the engine: axes, centre, smoothing, prediction, and
//! home where nothing is heard any more. Time is told by the caller, in seconds.

use super::tracker::Source;
use crate::dsp::quaternion::Quat;
use serde::{Deserialize, Serialize};

/// Seconds in which a head whose tracker is silent glides home.
const HOME: f64 = 1.0;

/// Longer gaps say nothing about how fast a head turns.
const GAP: f64 = 0.25;

/// Time constants after which a smoothed head is where it was told to be.
const SMOOTH: f64 = 12.0;

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

/// What a head does between what its tracker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stir {
    /// It rests until the tracker speaks, or is silent for long.
    Rests,
    /// It will move by itself if the tracker does not speak soon.
    Soon,
    /// It moves by itself.
    Now,
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
    /// It has been seen where it rests after what was said last: on the spot, and at home.
    rested: [bool; 2],
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
            rested: [false; 2],
        }
    }
}

impl Head {
    /// Uses other settings from now on.
    pub fn set(&mut self, settings: HeadSettings) {
        self.settings = settings.usable();
        self.rested = [false; 2];
    }

    /// A tracker says something.
    pub fn hear(&mut self, source: Source, said: Quat, now: f64) {
        let said = self.settings.arrange(said);
        let other = self.source.replace(source) != Some(source);
        let before = self.said.filter(|_| !other);
        let was_away = before.filter(|(_, when)| !self.is_silent(now - when));
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
                // One that speaks now and then is smoothed all the same, from where it was.
                self.smoothed = match was_away {
                    Some(_) if self.settings.smoothing > 0.0 => self.smoothed_at(now),
                    _ => said,
                };
                self.turn = None;
                self.origin = Some((said, now));
                self.interval = 0.0;
            }
        }
        self.said = Some((said, now));
        self.rested = [false; 2];
    }

    /// How the head is turned now; `None` until a tracker has spoken. It depends on the time, not on how often it is
    /// asked: smoothing goes on to what was said last, and what was continued beyond that comes back to it.
    pub fn at(&self, now: f64) -> Option<Quat> {
        let (_, when) = self.said?;
        let age = now - when;
        let mut head = self.smoothed_at(now);
        if let Some((turn, passed)) = self.turn.filter(|_| self.settings.prediction > 0.0) {
            // Never by more than a quarter of a turn: what is that fast is no head.
            let whole = Quat::FRONT.degrees_to(turn);
            let part = (self.settings.prediction / passed).min(90.0 / whole.max(1e-9));
            // It turns on as long as the tracker may be about to say so.
            let due = self.due();
            let part = part * (2.0 - age / due).clamp(0.0, 1.0);
            head = head * Quat::FRONT.slerp(turn, part);
        }
        let head = self.centre.inverse() * head;
        if self.is_silent(age) {
            let part = ((age - self.settings.timeout) / HOME).min(1.0);
            // A raised cosine.
            let part = 0.5 - 0.5 * (std::f64::consts::PI * part).cos();
            return Some(head.slerp(Quat::FRONT, part));
        }
        Some(head)
    }

    fn smoothed_at(&self, now: f64) -> Quat {
        match self.said {
            Some((said, when)) if self.settings.smoothing > 0.0 => {
                let part = 1.0 - (-(now - when).max(0.0) / self.settings.smoothing).exp();
                self.smoothed.slerp(said, part)
            }
            Some((said, _)) => said,
            None => self.smoothed,
        }
    }

    /// Seconds after which a tracker that goes on would have spoken again.
    fn due(&self) -> f64 {
        if self.interval > 0.0 {
            (2.0 * self.interval).clamp(0.01, GAP)
        } else {
            0.05
        }
    }

    /// Whether a tracker that spoke so many seconds ago is taken to be off.
    fn is_silent(&self, age: f64) -> bool {
        self.settings.timeout > 0.0 && age > self.settings.timeout
    }

    /// Whether the head moves by itself. Whoever asks looks where it is then: each rest is told of once more, so that
    /// it is never left on its way, however late that is.
    pub fn stirs(&mut self, now: f64) -> Stir {
        let Some((_, when)) = self.said else {
            return Stir::Rests;
        };
        let age = now - when;
        let silent = self.is_silent(age);
        let still = if silent {
            self.settings.timeout + HOME
        } else {
            let continued = self.settings.prediction > 0.0 && self.turn.is_some();
            let continued = if continued { 2.0 * self.due() } else { 0.0 };
            continued.max(SMOOTH * self.settings.smoothing)
        };
        if !silent && (still == 0.0 || age < self.due().min(still)) {
            return if still > 0.0 { Stir::Soon } else { Stir::Rests };
        }
        if age < still || !std::mem::replace(&mut self.rested[usize::from(silent)], true) {
            return Stir::Now;
        }
        Stir::Rests
    }

    /// From now on the direction in which the head looks is the front. Only its yaw: gravity says what is level.
    pub fn recenter(&mut self, now: f64) {
        let [yaw, ..] = self.smoothed_at(now).turns();
        self.centre = Quat::from_turns(yaw, 0.0, 0.0);
        self.rested = [false; 2];
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
        head.recenter(0.0);
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
        // The tracker stops: the head comes back to what it said, and rests there.
        assert_eq!(head.stirs(0.995), Stir::Soon);
        assert_eq!(head.stirs(1.02), Stir::Now);
        assert!((yaw(&head, 1.04) - 89.1).abs() < 1e-9);
        assert_eq!(head.stirs(1.04), Stir::Now, "its rest is told once");
        assert_eq!(head.stirs(1.05), Stir::Rests);
        // Silence.
        assert_eq!(head.stirs(5.9), Stir::Rests);
        assert!((yaw(&head, 5.9) - 89.1).abs() < 1e-9);
        assert_eq!(head.stirs(6.2), Stir::Now);
        let mut last = yaw(&head, 5.99);
        for n in 1..=100 {
            let now = yaw(&head, 5.99 + f64::from(n) * 0.01);
            assert!(now <= last + 1e-9 && last - now < 2.0, "{last} {now}");
            last = now;
        }
        assert!(last.abs() < 1e-6);
        // However late somebody looks, the end is told, and once.
        assert_eq!(head.stirs(600.0), Stir::Now);
        assert_eq!(head.stirs(600.1), Stir::Rests);
        // A tracker that speaks again on the way home takes the head at once, and home is told anew after it.
        head.hear(FROM, Quat::from_turns(40.0, 0.0, 0.0), 700.0);
        assert_eq!(head.stirs(705.5), Stir::Now);
        let way = yaw(&head, 705.5);
        assert!(way > 1.0 && way < 39.0, "{way}");
        head.hear(FROM, Quat::from_turns(40.0, 0.0, 0.0), 705.5);
        assert!((yaw(&head, 705.5) - 40.0).abs() < 1e-9);
        assert_eq!(head.stirs(705.6), Stir::Rests);
        assert_eq!(head.stirs(711.0), Stir::Now);
        assert_eq!(head.stirs(720.0), Stir::Now);
        assert_eq!(head.stirs(721.0), Stir::Rests);
    }

    #[test]
    fn smoothing_goes_on_when_nothing_is_heard() {
        let mut head = Head::default();
        head.set(HeadSettings {
            smoothing: 0.1,
            ..HeadSettings::default()
        });
        head.hear(FROM, Quat::FRONT, 0.0);
        head.hear(FROM, Quat::FRONT, 0.01);
        // One step, and no word any more.
        head.hear(FROM, Quat::from_turns(30.0, 0.0, 0.0), 0.02);
        let part = |after: f64| 30.0 * (1.0 - (-(after + 0.01) / 0.1).exp());
        for after in [0.0, 0.05, 0.1, 0.3, 1.0] {
            let found = yaw(&head, 0.02 + after);
            assert!((found - part(after)).abs() < 1e-6, "{after}: {found}");
        }
        assert_eq!(head.stirs(0.025), Stir::Soon);
        assert_eq!(head.stirs(0.5), Stir::Now);
        assert_eq!(head.stirs(2.0), Stir::Now);
        assert_eq!(head.stirs(2.1), Stir::Rests);
        // A tracker that speaks when something has changed is smoothed as well.
        head.hear(FROM, Quat::from_turns(60.0, 0.0, 0.0), 3.0);
        assert!((yaw(&head, 3.0) - 30.0).abs() < 1e-3);
        assert!((yaw(&head, 3.1) - (60.0 - 30.0 / std::f64::consts::E)).abs() < 1e-3);
    }
}
