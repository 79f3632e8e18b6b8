//! The beat clock: phases as 64-bit fractions of a cycle, moved piece by piece.
//!
//! A carrier and a half-beat have a phase each, because half of a wrapped beat phase would flip its sign
//! each cycle; left = carrier - half-beat and right = carrier + half-beat are then exact. Time is cut into
//! pieces, at multiples of the quantum, at events and where a glide ends, never at block ends; within a
//! piece the increments are constant or change linearly, and a piece's advance is the integral of the
//! frequency (Simpson's rule, which is exact for straight lines; the middle of an odd number of frames lies
//! between two of them).

use crate::dsp::phase::{Motion, increment};

/// A moment: a frame since the reset, or half a frame after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The frame.
    pub frame: u64,
    /// It is half a frame later.
    pub half: bool,
}

impl Moment {
    /// Half-way between two frames.
    pub fn between(from: u64, to: u64) -> Moment {
        let frames = to.saturating_sub(from);
        Moment {
            frame: from + frames / 2,
            half: !frames.is_multiple_of(2),
        }
    }

    /// Frames since an earlier one.
    pub fn since(self, frame: u64) -> f64 {
        let passed = self.frame.saturating_sub(frame) as f64;
        if self.half { passed + 0.5 } else { passed }
    }
}

impl From<u64> for Moment {
    fn from(frame: u64) -> Moment {
        Moment { frame, half: false }
    }
}

/// A frequency over one piece, in hertz.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Course {
    /// It stays.
    Still(f64),
    /// It moves: at the start, half-way and at the end.
    Moving(f64, f64, f64),
}

/// The increment of the frequency that was asked for last: the exact division takes longer than all else in a piece,
/// and most frequencies stay. For one rate only.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kept {
    hertz: f64,
    increment: i128,
}

impl Kept {
    fn of(&mut self, hertz: f64, rate: f64) -> i128 {
        if hertz != self.hertz {
            *self = Kept {
                hertz,
                increment: increment(hertz, rate),
            };
        }
        self.increment
    }
}

impl Course {
    /// That of a frequency that moves, over the piece between two frames.
    pub fn moving(from: u64, to: u64, hertz: impl Fn(Moment) -> f64) -> Course {
        let middle = hertz(Moment::between(from, to));
        Course::Moving(hertz(from.into()), middle, hertz(to.into()))
    }

    /// Through three frequencies; one that does not move is exact.
    pub fn through(from: f64, middle: f64, to: f64) -> Course {
        if from == middle && middle == to {
            Course::Still(from)
        } else {
            Course::Moving(from, middle, to)
        }
    }

    /// The motion that it gives over so many frames, from position 0, times a factor.
    pub fn motion(self, factor: f64, frames: u64, rate: f64, kept: &mut Kept) -> Motion {
        match self {
            Course::Still(hertz) => Motion {
                increment: kept.of(hertz * factor, rate),
                ..Motion::default()
            },
            Course::Moving(from, middle, to) => {
                let per_frame = factor / rate;
                let mean = (from + 4.0 * middle + to) / 6.0;
                Motion::travel(
                    0,
                    from * per_frame,
                    to * per_frame,
                    mean * per_frame * frames as f64,
                    frames,
                )
            }
        }
    }
}

/// The phases of one rendering of one generator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hands {
    /// Carrier, in 2^-64 cycles.
    pub carrier: i128,
    /// Half-beat, in 2^-64 cycles; whole cycles are counted.
    pub half_beat: i128,
    /// Position of noise, in frames.
    pub position: i128,
}

impl Hands {
    /// Moves on.
    pub fn add(&mut self, passed: &Hands) {
        self.carrier = self.carrier.wrapping_add(passed.carrier);
        self.half_beat = self.half_beat.wrapping_add(passed.half_beat);
        self.position = self.position.wrapping_add(passed.position);
    }

    /// Whether being there instead of here is heard.
    pub fn differs(&self, other: &Hands) -> bool {
        self.carrier as u64 != other.carrier as u64
            || self.half_beat as u64 != other.half_beat as u64
            || self.position != other.position
    }
}

/// How the hands of one generator move over a piece.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gear {
    /// Of the carrier.
    pub carrier: Motion,
    /// Of the half-beat.
    pub half_beat: Motion,
    /// The advance of each after so many frames, where it is known more exactly than a motion tells.
    pub exact: [Option<(u64, i128)>; 2],
}

impl Gear {
    /// How far hands have come so many frames after the start of the piece.
    pub fn passed(&self, frames: u64) -> Hands {
        Hands {
            carrier: self.carrier_at(frames),
            half_beat: self.half_beat_at(frames),
            position: i128::from(frames),
        }
    }

    fn carrier_at(&self, frames: u64) -> i128 {
        exact_or(self.exact[0], frames).unwrap_or_else(|| self.carrier.at(frames))
    }

    /// The advance of the half-beat after so many frames.
    pub fn half_beat_at(&self, frames: u64) -> i128 {
        exact_or(self.exact[1], frames).unwrap_or_else(|| self.half_beat.at(frames))
    }
}

/// An exact advance, where it is that of these frames.
pub fn exact_or(exact: Option<(u64, i128)>, frames: u64) -> Option<i128> {
    exact
        .filter(|(after, _)| *after == frames)
        .map(|(_, advance)| advance)
}

/// What happens to all phases when the transport says where the song is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    /// Song position in frames.
    pub song_frames: i64,
    /// Cycles of the beat at that position, where the tempo tells them; otherwise frequency times time.
    pub beat_cycles: Option<f64>,
}

impl Anchor {
    /// Where the hands of a generator of these frequencies are.
    pub fn hands(&self, carrier: f64, beat: f64, ratio: f64, rate: f64) -> Hands {
        let frames = i128::from(self.song_frames);
        let half_beat = match self.beat_cycles {
            // 2^-64 cycles of the half-beat; the f64 has some 40 bits below the cycle in a song of hours.
            Some(cycles) => (cycles * ratio * 0.5 * crate::dsp::phase::CYCLE) as i128,
            None => increment(beat * 0.5, rate).wrapping_mul(frames),
        };
        Hands {
            carrier: increment(carrier, rate).wrapping_mul(frames),
            half_beat,
            position: frames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_lines_are_integrated_exactly() {
        let mut kept = Kept::default();
        let motion = Course::Moving(10.0, 9.0, 8.0).motion(0.5, 32, 48_000.0, &mut kept);
        let advance = motion.at(32) as f64 / crate::dsp::phase::CYCLE;
        assert!((advance - 9.0 * 0.5 * 32.0 / 48_000.0).abs() < 1e-16);
        let still = |hertz, kept: &mut Kept| Course::Still(hertz).motion(1.0, 32, 48_000.0, kept);
        assert_eq!(still(10.0, &mut kept).sweep, 0);
        for hertz in [10.0, 10.0, 0.0, -3.0, 10.0] {
            assert_eq!(
                still(hertz, &mut kept).increment,
                increment(hertz, 48_000.0)
            );
        }
    }

    #[test]
    fn tempo_and_hertz_anchor_alike() {
        // 120 to the minute, a beat a quarter: 2 Hz.
        let by_hertz = Anchor {
            song_frames: 48_000,
            beat_cycles: None,
        };
        let by_tempo = Anchor {
            beat_cycles: Some(2.0),
            ..by_hertz
        };
        let a = by_hertz.hands(250.0, 2.0, 1.0, 48_000.0).half_beat;
        let b = by_tempo.hands(250.0, 2.0, 1.0, 48_000.0).half_beat;
        assert!((a - b).abs() < 1 << 20, "{}", a - b);
    }
}
