//! Phases as unsigned 64-bit fractions of a cycle, and increments that do not drift.
//!
//! Adding integers is exact however the stream is cut, so a phase after eight hours is the phase that one
//! multiplication gives. A frequency in hertz becomes an increment by one division in 128 bits: the error
//! is at most 2^-65 cycle a sample, 4e-11 cycle in eight hours at 48 kHz. (An f64 quotient would be out by
//! up to 5e-9 cycle.)

/// One cycle, as a float.
pub const CYCLE: f64 = 18_446_744_073_709_551_616.0;

/// Increment per frame of a frequency in hertz at a rate in hertz, rounded to the nearest. Frequencies are
/// taken to the nanohertz and rates to the microhertz, far below what is displayed. Negative frequencies
/// run backwards.
pub fn increment(frequency: f64, rate: f64) -> i128 {
    let nanohertz = (frequency * 1e9).round() as i128;
    let microhertz = (rate * 1e6).round().max(1.0) as i128;
    // nanohertz / 1e9 / (microhertz / 1e6) cycles, times 2^64.
    let numerator = nanohertz << 64;
    let denominator = microhertz * 1000;
    let half = denominator / 2;
    (numerator + if numerator >= 0 { half } else { -half }) / denominator
}

/// A phase in cycles, 0 to 1.
pub fn to_cycles(phase: u64) -> f64 {
    phase as f64 / CYCLE
}

/// The fraction of a number of cycles, as a phase.
pub fn from_cycles(cycles: f64) -> u64 {
    ((cycles - cycles.floor()) * CYCLE) as u64
}

/// A phase that turns: frame by frame its increment is added, and to that its sweep. Whatever the number of frames,
/// this is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turning {
    /// In 2^-64 cycles.
    pub phase: u64,
    /// A frame; those above half a cycle run backwards.
    pub increment: u64,
    /// Change of the increment a frame.
    pub sweep: i64,
}

impl Turning {
    /// Cycles a frame, whatever its direction.
    pub fn speed(&self) -> f64 {
        (self.increment as i64).unsigned_abs() as f64 / CYCLE
    }

    /// Goes on by a frame.
    pub fn step(&mut self) {
        self.phase = self.phase.wrapping_add(self.increment);
        self.increment = self.increment.wrapping_add(self.sweep as u64);
    }
}

/// A phase that counts whole cycles too, moving with a constant or linearly changing increment: frame k
/// has position + k increment + k (k - 1) / 2 sweep. The upper 64 bits of a position count cycles, the
/// lower are the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Motion {
    /// Where frame 0 is, in 2^-64 cycles.
    pub position: i128,
    /// Difference of frame 1 from frame 0.
    pub increment: i128,
    /// Change of the difference per frame.
    pub sweep: i64,
}

impl Motion {
    /// The position of frame k.
    pub fn at(&self, frame: u64) -> i128 {
        let k = frame as i128;
        let pairs = k * (k - 1) / 2;
        self.position
            .wrapping_add(self.increment.wrapping_mul(k))
            .wrapping_add(i128::from(self.sweep).wrapping_mul(pairs))
    }

    /// The fraction of the position of frame 0.
    pub fn phase(&self) -> u64 {
        self.position as u64
    }

    /// The increment as nodes take it: modulo a cycle.
    pub fn wrapped_increment(&self) -> u64 {
        self.increment as u64
    }

    /// Frame by frame the sum of both.
    pub fn plus(&self, other: &Motion) -> Motion {
        Motion {
            position: self.position.wrapping_add(other.position),
            increment: self.increment + other.increment,
            sweep: self.sweep.wrapping_add(other.sweep),
        }
    }

    /// Frame by frame the difference.
    pub fn minus(&self, other: &Motion) -> Motion {
        Motion {
            position: self.position.wrapping_sub(other.position),
            increment: self.increment - other.increment,
            sweep: self.sweep.wrapping_sub(other.sweep),
        }
    }

    /// From position 0 an advance in 2^-64 cycles over so many frames, while the frequency changes by `change`
    /// (cycles a frame) in a straight line.
    pub fn exactly(change: f64, advance: i128, frames: u64) -> Motion {
        let n = frames.max(1) as i128;
        let sweep = (change / n as f64 * CYCLE).round() as i64;
        Motion {
            position: 0,
            increment: (advance - i128::from(sweep) * (n * (n - 1) / 2)) / n,
            sweep,
        }
    }

    /// From here on a line of frequencies from `from` to `to` (cycles a frame) over `frames` frames, whose
    /// advance is exactly `advance` cycles: the mean of the frequencies where they move in a straight line.
    pub fn travel(position: i128, from: f64, to: f64, advance: f64, frames: u64) -> Motion {
        let n = frames.max(1) as f64;
        let sweep = ((to - from) / n * CYCLE).round() as i64;
        let advance = (advance * CYCLE) as i128;
        let n = frames.max(1) as i128;
        Motion {
            position,
            increment: (advance - i128::from(sweep) * (n * (n - 1) / 2)) / n,
            sweep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_increment_is_the_nearest_fraction() {
        // 12 kHz at 48 kHz is a quarter of a cycle.
        assert_eq!(increment(12_000.0, 48_000.0), 1i128 << 62);
        assert_eq!(increment(-12_000.0, 48_000.0), -(1i128 << 62));
        assert_eq!(increment(0.0, 44_100.0), 0);
        // After a rate's worth of frames the error is below half a step per frame.
        let inc = increment(250.003, 44_100.0);
        let cycles_in_mhz_seconds = inc * 44_100 * 1000;
        let exact = 250_003i128 << 64;
        assert!((cycles_in_mhz_seconds - exact).abs() <= 44_100 * 1000 / 2 + 1);
    }

    #[test]
    fn travel_advances_by_the_integral() {
        let motion = Motion::travel(5, 0.001, 0.002, 0.0015 * 32.0, 32);
        let advance = (motion.at(32) - 5) as f64 / CYCLE;
        assert!((advance - 0.048).abs() < 1e-15, "{advance}");
    }

    #[test]
    fn at_is_the_sum_of_its_steps() {
        let motion = Motion {
            position: 1 << 70,
            increment: 12_345_678_901,
            sweep: -77,
        };
        let (mut position, mut step) = (motion.position, motion.increment);
        for k in 0..100 {
            assert_eq!(motion.at(k), position);
            position += step;
            step += i128::from(motion.sweep);
        }
    }
}
