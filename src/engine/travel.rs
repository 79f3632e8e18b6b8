//! Where a control is on its way to its value: still, on a glide, or on a straight line.

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
    /// What a line that departs from a step still has to travel of that step's glide, and in how many
    /// frames from `start`.
    residue: f64,
    residue_frames: u64,
    /// A value that is stepped to at a frame.
    held: Option<(f64, u64)>,
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
            residue: 0.0,
            residue_frames: 0,
            held: None,
        }
    }

    /// A raised cosine from where it is now; 0 frames jump.
    pub fn glide(&mut self, to: f64, now: u64, frames: u64) {
        *self = Travel {
            from: self.value(now),
            start: now,
            frames,
            ..Travel::still(to)
        };
    }

    /// A raised cosine from a value that is given.
    pub fn glide_from(&mut self, from: f64, to: f64, now: u64, frames: u64) {
        *self = Travel::still(from);
        self.glide(to, now, frames);
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
        if self.held.is_some() || self.end(now).is_none() {
            return self.to;
        }
        let passed = now.saturating_sub(self.start) as f64;
        let x = (passed / self.frames.max(1) as f64).min(1.0);
        let share = if self.line { x } else { raised_cosine(x) };
        let left = 1.0 - raised_cosine(passed / self.residue_frames.max(1) as f64);
        self.from + (self.to - self.from) * share + self.residue * left
    }

    /// Its slope per frame at a frame.
    pub fn slope(&self, now: u64) -> f64 {
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
        (self.to - self.from) * share - self.residue * steepness(self.residue_frames)
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
