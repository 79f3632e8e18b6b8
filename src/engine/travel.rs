//! Where a control is on its way to its value: still, on a glide, or on a straight line.

use super::clock::Moment;
use crate::dsp::ramp::raised_cosine;
use std::f64::consts::PI;

/// A control's value over frames, counted since the engine's reset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    from: f64,
    to: f64,
    start: u64,
    frames: u64,
    line: bool,
    /// Slope per frame that a glide set out with.
    bend: f64,
    /// What a line that departs from a step still has to travel of that step's glide, and in how many
    /// frames from `start`.
    residue: f64,
    residue_frames: u64,
    /// A value that is stepped to at a frame.
    held: Option<(f64, u64)>,
    /// The slopes at start and end, of a line that stands for a piece of a curve.
    slopes: Option<[f64; 2]>,
}

impl Travel {
    /// Still at a value.
    pub fn still(value: f64) -> Travel {
        Travel {
            from: value,
            to: value,
            start: 0,
            frames: 0,
            line: false,
            bend: 0.0,
            residue: 0.0,
            residue_frames: 0,
            held: None,
            slopes: None,
        }
    }

    /// A straight line from one value to another, or still where they are the same.
    pub fn between(from: f64, to: f64, now: u64, frames: u64) -> Travel {
        Travel {
            from,
            start: now,
            frames,
            line: true,
            ..Travel::still(to)
        }
    }

    /// As [`Travel::between`], told how steep the way is at its ends, per frame: for what hears a slope.
    pub fn along(from: f64, to: f64, now: u64, frames: u64, slopes: [f64; 2]) -> Travel {
        Travel {
            slopes: Some(slopes),
            ..Travel::between(from, to, now, frames)
        }
    }

    /// Whether it goes to a value, or is there, by no line or held step: to be told so again changes nothing.
    pub fn goes_to(&self, value: f64, now: u64) -> bool {
        self.to == value && self.held.is_none() && !self.on_line(now)
    }

    /// A raised cosine from where it is now; 0 frames jump. It sets out with the slope that it has, as far
    /// as that leads to its target and not beyond: a host that draws a line by a step a block is followed
    /// at about the glide's own delay, where glides that each set out from rest would hardly move.
    pub fn glide(&mut self, to: f64, now: u64, frames: u64) {
        self.glide_on(self.value(now), to, now, frames);
    }

    /// As [`Travel::glide`], from a value that is given, with the slope that it has.
    pub fn glide_on(&mut self, from: f64, to: f64, now: u64, frames: u64) {
        let steepest = 2.5 * (to - from) / frames.max(1) as f64;
        let slope = self.slope(now);
        *self = Travel {
            from,
            start: now,
            frames,
            bend: slope.clamp(steepest.min(0.0), steepest.max(0.0)),
            ..Travel::still(to)
        };
    }

    /// A raised cosine from a value that is given.
    pub fn glide_from(&mut self, from: f64, to: f64, now: u64, frames: u64) {
        *self = Travel::still(from);
        self.glide(to, now, frames);
    }

    /// Keeps to the line that it is on, and comes to it from a value that is given, in so many frames.
    pub fn depart_from(&mut self, was: f64, now: u64, frames: u64) {
        let (value, end) = (self.value(now), self.start.saturating_add(self.frames));
        *self = Travel {
            from: value,
            start: now,
            frames: end.saturating_sub(now),
            line: true,
            residue: if frames > 0 { was - value } else { 0.0 },
            residue_frames: frames,
            ..Travel::still(self.to)
        };
    }

    /// A straight line; 0 frames jump. It departs from the value that was set before: what a glide to
    /// that value has not travelled yet fades on top of the line, in the glide's own time.
    pub fn line(&mut self, to: f64, now: u64, frames: u64) {
        let glide_end = self.end(now).filter(|_| !self.line && self.held.is_none());
        let from = if self.line { self.value(now) } else { self.to };
        *self = Travel {
            from,
            start: now,
            frames,
            line: true,
            residue: glide_end.map_or(0.0, |_| self.value(now) - from),
            residue_frames: glide_end.map_or(0, |end| end - now),
            ..Travel::still(to)
        };
    }

    /// Stays where it goes, and steps to a value after so many frames.
    pub fn hold(&mut self, to: f64, now: u64, frames: u64) {
        *self = Travel {
            held: Some((to, now.saturating_add(frames))),
            ..Travel::still(self.to)
        };
    }

    /// Whether a step is held.
    pub fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Makes the step that was held for this frame; tells whether there was one.
    pub fn land(&mut self, now: u64) -> bool {
        match self.held {
            Some((to, at)) if at <= now => {
                *self = Travel::still(to);
                true
            }
            _ => false,
        }
    }

    /// Where it goes.
    pub fn target(&self) -> f64 {
        self.to
    }

    /// Where it is for what does not glide: on its straight line, or where it goes.
    pub fn settled(&self, now: u64) -> f64 {
        if self.on_line(now) {
            self.value(now)
        } else {
            self.to
        }
    }

    /// Whether it still moves at a frame, and in a straight line.
    pub fn on_line(&self, now: u64) -> bool {
        self.line && self.end(now).is_some()
    }

    /// The frame at which it arrives, if it still moves at `now`.
    pub fn end(&self, now: u64) -> Option<u64> {
        let end = match self.held {
            Some((_, at)) => at,
            None => self
                .start
                .saturating_add(self.frames.max(self.residue_frames)),
        };
        (end > now).then_some(end)
    }

    /// The value at a frame.
    pub fn value(&self, now: u64) -> f64 {
        self.value_at(now.into())
    }

    /// The value at a moment, between two frames too.
    pub fn value_at(&self, moment: Moment) -> f64 {
        if self.held.is_some() || self.end(moment.frame).is_none() {
            return self.to;
        }
        let passed = moment.since(self.start);
        let x = (passed / self.frames.max(1) as f64).min(1.0);
        let share = if self.line { x } else { raised_cosine(x) };
        // The tangent term of a cubic Hermite curve: nothing where it set out from rest.
        let bend = self.bend * self.frames as f64 * x * (1.0 - x) * (1.0 - x);
        let left = 1.0 - raised_cosine(passed / self.residue_frames.max(1) as f64);
        self.from + (self.to - self.from) * share + bend + self.residue * left
    }

    /// Its slope per frame at a frame.
    pub fn slope(&self, now: u64) -> f64 {
        if let Some([first, last]) = self.slopes {
            return match now {
                now if now <= self.start => first,
                now if now == self.start.saturating_add(self.frames) => last,
                now if now > self.start.saturating_add(self.frames) => 0.0,
                _ => (self.to - self.from) / self.frames.max(1) as f64,
            };
        }
        if self.held.is_some() || self.end(now).is_none() {
            return 0.0;
        }
        let passed = now.saturating_sub(self.start) as f64;
        let steepness = |length: u64| {
            let x = passed / length.max(1) as f64;
            if x < 1.0 {
                0.5 * PI * (PI * x).sin() / length.max(1) as f64
            } else {
                0.0
            }
        };
        let share = if self.line && passed < self.frames as f64 {
            1.0 / self.frames as f64
        } else {
            steepness(self.frames)
        };
        let x = (passed / self.frames.max(1) as f64).min(1.0);
        (self.to - self.from) * share + self.bend * (1.0 - x) * (1.0 - 3.0 * x)
            - self.residue * steepness(self.residue_frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_values() {
        for line in [false, true] {
            let mut travel = Travel::still(4.0);
            travel.glide(6.0, 90, 100);
            if line {
                travel.line(10.0, 100, 960);
            }
            for n in [100, 130, 150, 189, 500, 1059] {
                let difference = 0.5 * (travel.value(n + 1) - travel.value(n - 1));
                assert!((travel.slope(n) - difference).abs() < 2e-3, "{line} {n}");
            }
            assert_eq!(travel.slope(2000), 0.0);
        }
    }

    #[test]
    fn steps_that_come_faster_than_their_glides_are_followed() {
        // A lane of 5 Hz a second, a step every `every` frames, with glides of 1 s and 20 ms at 48 kHz.
        for (every, glide) in [(1, 960), (48, 960), (64, 48_000), (480, 48_000)] {
            let per_frame = 5.0 / 48_000.0;
            let mut travel = Travel::still(10.0);
            let mut last = 10.0;
            for step in 1..=(480_000 / every) {
                let now = step * every;
                travel.glide(10.0 + per_frame * now as f64, now, glide);
                assert!((travel.value(now) - last).abs() < 1e-9, "no jump");
                last = travel.value(now + every);
            }
            let behind = (10.0 + per_frame * 480_000.0 - last) / per_frame;
            assert!(
                behind > 0.0 && behind < (glide + every) as f64,
                "a step every {every} frames with glides of {glide}: {behind} frames behind"
            );
        }
    }

    #[test]
    fn a_glide_that_turns_round_never_leaves_its_ends() {
        for turn in 0..100 {
            let mut travel = Travel::still(0.0);
            travel.glide(100.0, 0, 100);
            let here = travel.value(turn);
            for to in [here - 0.1, here + 0.1, 0.0, 100.0] {
                let mut turned = travel;
                // The tangent bends the curve by less than this beyond its end.
                let hair = 1e-3 * (to - here).abs() + 1e-9;
                turned.glide(to, turn, 100);
                for now in turn..turn + 100 {
                    let value = turned.value(now);
                    assert!(
                        value >= here.min(to) - hair && value <= here.max(to) + hair,
                        "{turn} {to} {value}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_line_departs_from_the_value_that_was_set() {
        let mut travel = Travel::still(10.0);
        travel.glide(6.0, 1000, 100);
        travel.line(4.0, 1000, 1000);
        assert_eq!(travel.value(1000), 10.0);
        assert!((travel.value(1100) - 5.8).abs() < 1e-12);
        assert!((travel.value(1500) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_held_step_lands_at_its_frame() {
        let mut travel = Travel::still(1.0);
        travel.hold(2.0, 10, 5);
        assert_eq!(
            (travel.value(14), travel.target(), travel.end(10)),
            (1.0, 1.0, Some(15))
        );
        assert!(!travel.land(14));
        assert!(travel.land(15));
        assert_eq!((travel.value(15), travel.end(15)), (2.0, None));
    }

    #[test]
    fn a_new_travel_starts_where_the_last_one_is() {
        let mut travel = Travel::still(0.0);
        travel.line(10.0, 0, 100);
        travel.glide(0.0, 50, 10);
        assert_eq!(travel.value(50), 5.0);
        assert_eq!(travel.value(60), 0.0);
        travel.glide(3.0, 60, 0);
        assert_eq!(travel.value(60), 3.0);
    }
}
