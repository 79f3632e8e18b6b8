//! Values that travel: raised cosines and straight lines, counted in frames.

use std::f64::consts::PI;

/// A raised cosine: 0 at 0, 1 at 1, exactly so at and beyond the ends.
pub fn raised_cosine(x: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        0.5 - 0.5 * (PI * x).cos()
    }
}

/// The integral of [`raised_cosine`] from 0 to x, for x in 0..=1.
pub fn raised_cosine_integral(x: f64) -> f64 {
    0.5 * x - (PI * x).sin() / (2.0 * PI)
}

/// How a ramp runs between its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Half a period of a cosine.
    #[default]
    RaisedCosine,
    /// A straight line.
    Line,
}

/// A value that moves to its target over a number of frames, sample by sample. It counts its own frames,
/// so its values do not depend on how the stream is cut.
#[derive(Debug, Clone, Copy)]
pub struct Ramp {
    from: f64,
    to: f64,
    done: u64,
    length: u64,
    shape: Shape,
}

impl Ramp {
    /// Still at a value.
    pub fn new(value: f64) -> Ramp {
        Ramp {
            from: value,
            to: value,
            done: 0,
            length: 0,
            shape: Shape::RaisedCosine,
        }
    }

    /// Jumps.
    pub fn jump(&mut self, value: f64) {
        *self = Ramp::new(value);
    }

    /// Starts from the value now; 0 frames jump.
    pub fn travel(&mut self, to: f64, frames: u64, shape: Shape) {
        *self = Ramp {
            from: self.value(),
            to,
            done: 0,
            length: frames,
            shape,
        };
    }

    /// The value of the next frame.
    pub fn value(&self) -> f64 {
        if self.is_still() {
            return self.to;
        }
        let x = self.done as f64 / self.length as f64;
        let share = match self.shape {
            Shape::RaisedCosine => raised_cosine(x),
            Shape::Line => x,
        };
        self.from + (self.to - self.from) * share
    }

    /// Where it is going.
    pub fn target(&self) -> f64 {
        self.to
    }

    /// Whether the target is reached.
    pub fn is_still(&self) -> bool {
        self.done >= self.length
    }

    /// The value of the next frame, and moves on.
    pub fn step(&mut self) -> f64 {
        let value = self.value();
        self.skip(1);
        value
    }

    /// Moves on by frames.
    pub fn skip(&mut self, frames: u64) {
        self.done = self.done.saturating_add(frames).min(self.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_starts_at_its_start_and_ends_exactly_at_its_target() {
        let mut ramp = Ramp::new(0.25);
        ramp.travel(1.0, 10, Shape::RaisedCosine);
        assert_eq!(ramp.step(), 0.25);
        for _ in 0..9 {
            let value = ramp.step();
            assert!(value > 0.25 && value < 1.0);
        }
        assert!(ramp.is_still());
        assert_eq!(ramp.step(), 1.0);
        ramp.travel(0.5, 0, Shape::Line);
        assert_eq!(ramp.step(), 0.5);
    }

    #[test]
    fn the_integral_is_that_of_the_curve() {
        let n = 100_000;
        let mut sum = 0.0;
        for i in 0..n {
            sum += raised_cosine((i as f64 + 0.5) / n as f64) / n as f64;
            if i % 9999 == 0 {
                let x = (i + 1) as f64 / n as f64;
                assert!((sum - raised_cosine_integral(x)).abs() < 1e-9);
            }
        }
    }
}
