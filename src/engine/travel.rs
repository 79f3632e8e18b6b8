//! Where a control is on its way to its value: still, on a glide, or on a straight line.

use crate::dsp::ramp::{raised_cosine, raised_cosine_integral};

/// A control's value over frames, counted since the engine's reset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Travel {
    from: f64,
    to: f64,
    start: u64,
    frames: u64,
    line: bool,
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
            held: None,
        }
    }

    /// A raised cosine from where it is now; 0 frames jump.
    pub fn glide(&mut self, to: f64, now: u64, frames: u64) {
        *self = Travel {
            from: self.value(now),
            to,
            start: now,
            frames,
            line: false,
            held: None,
        };
    }

    /// A straight line from where it is now; 0 frames jump.
    pub fn line(&mut self, to: f64, now: u64, frames: u64) {
        self.glide(to, now, frames);
        self.line = true;
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
            None => self.start.saturating_add(self.frames),
        };
        (end > now).then_some(end)
    }

    /// The value at a frame.
    pub fn value(&self, now: u64) -> f64 {
        if self.held.is_some() || self.end(now).is_none() {
            return self.to;
        }
        let x = now.saturating_sub(self.start) as f64 / self.frames as f64;
        let share = if self.line { x } else { raised_cosine(x) };
        self.from + (self.to - self.from) * share
    }

    /// The integral over frames from `from` to `to`, both within the travel: value times frames.
    pub fn integral(&self, from: u64, to: u64) -> f64 {
        let whole = self.frames.max(1) as f64;
        let until = |frame: u64| {
            let x = (frame.saturating_sub(self.start) as f64 / whole).min(1.0);
            if self.line {
                0.5 * x * x
            } else {
                raised_cosine_integral(x)
            }
        };
        (to - from) as f64 * self.from + (self.to - self.from) * whole * (until(to) - until(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_is_the_sum_of_the_values() {
        for line in [false, true] {
            let mut travel = Travel::still(4.0);
            if line {
                travel.line(10.0, 100, 960);
            } else {
                travel.glide(10.0, 100, 960);
            }
            assert_eq!(travel.end(100), Some(1060));
            assert_eq!(travel.end(1060), None);
            // The trapezoidal sum of a fine grid.
            let sum: f64 = (100..1060)
                .map(|n| 0.5 * (travel.value(n) + travel.value(n + 1)))
                .sum();
            let integral = travel.integral(100, 1060);
            assert!((sum - integral).abs() < 0.02, "{sum} {integral}");
            let parts: f64 = (0..30)
                .map(|i| travel.integral(100 + i * 32, 132 + i * 32))
                .sum();
            assert!((parts - integral).abs() < 1e-9);
        }
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
