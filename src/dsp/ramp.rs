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
    /// Slope per frame that it set out with.
    slope: f64,
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
            slope: 0.0,
            done: 0,
            length: 0,
            shape: Shape::RaisedCosine,
        }
    }

    /// Jumps.
    pub fn jump(&mut self, value: f64) {
        *self = Ramp::new(value);
    }

    /// Starts from the value now; 0 frames jump. A raised cosine sets out with the slope that the value
    /// has now and bends it to its own (a change of mind half-way through a fade does not click), as far
    /// as it does not run beyond its target.
    pub fn travel(&mut self, to: f64, frames: u64, shape: Shape) {
        let from = self.value();
        let steepest = 2.5 * (to - from).abs() / frames.max(1) as f64;
        let slope = match shape {
            Shape::Line => 0.0,
            Shape::RaisedCosine if to > from => self.slope_now().min(steepest),
            Shape::RaisedCosine => self.slope_now().max(-steepest),
        };
        *self = Ramp {
            from,
            to,
            slope,
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
        // The tangent term of a cubic Hermite curve: nothing where it set out from rest.
        let bend = self.slope * self.length as f64 * x * (1.0 - x) * (1.0 - x);
        self.from + (self.to - self.from) * share + bend
    }

    /// Its slope per frame at the next frame.
    fn slope_now(&self) -> f64 {
        if self.is_still() {
            return 0.0;
        }
        let x = self.done as f64 / self.length as f64;
        let share = match self.shape {
            Shape::RaisedCosine => 0.5 * PI * (PI * x).sin(),
            Shape::Line => 1.0,
        };
        (self.to - self.from) * share / self.length as f64
            + self.slope * (1.0 - x) * (1.0 - 3.0 * x)
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
    fn a_change_of_mind_keeps_the_slope_and_the_range() {
        for turn in (0..100).step_by(7) {
            let mut ramp = Ramp::new(0.0);
            ramp.travel(1.0, 100, Shape::RaisedCosine);
            let mut values: Vec<f64> = (0..turn).map(|_| ramp.step()).collect();
            for target in [0.0, 1.0, 0.0] {
                ramp.travel(target, 100, Shape::RaisedCosine);
                values.extend((0..60).map(|_| ramp.step()));
            }
            ramp.skip(100);
            assert_eq!(ramp.step(), 0.0);
            assert!(values.iter().all(|x| (-1e-3..=1.001).contains(x)));
            let bend = values
                .windows(3)
                .map(|w| (w[0] - 2.0 * w[1] + w[2]).abs())
                .fold(0.0, f64::max);
            // A slope that breaks would be some 0.01 here.
            assert!(bend < 0.003, "turned at {turn}: {bend}");
        }
    }
}
