//! The beat clock: the phases of carrier and half-beat as 64-bit fractions of a cycle.
//!
//! The half-beat has a phase of its own because half of a wrapped beat phase would flip its sign each
//! cycle; left = carrier - half-beat and right = carrier + half-beat are then exact. Time is cut into
//! pieces, at multiples of the quantum, at events and where a glide ends, never at block ends; within a
//! piece the increments are constant or change linearly, and a piece's advance is the integral of the
//! frequency in closed form.

use super::travel::Travel;
use crate::dsp::phase::{Motion, increment};

/// Phases of one rendering of the tones. There are two while a jump is faded: the one that comes and the
/// one that goes. Both move with the same increments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hands {
    /// Carrier, in 2^-64 cycles.
    pub carrier: i128,
    /// Half-beat, in 2^-64 cycles.
    pub half_beat: i128,
}

/// The clock.
#[derive(Debug, Clone)]
pub struct Clock {
    rate: f64,
    hands: [Hands; 2],
    /// The rendering that stays.
    current: usize,
    piece_start: u64,
    /// Increments and sweeps of the piece; their positions are 0.
    carrier: Motion,
    half_beat: Motion,
}

impl Clock {
    /// At phase 0.
    pub fn new(rate: f64) -> Clock {
        Clock {
            rate,
            hands: [Hands::default(); 2],
            current: 0,
            piece_start: 0,
            carrier: Motion::default(),
            half_beat: Motion::default(),
        }
    }

    /// The rendering that stays: 0 or 1.
    pub fn current(&self) -> usize {
        self.current
    }

    /// Back to frame 0; the phases stay.
    pub fn rewind(&mut self, now: u64) {
        self.hands = [self.at(0, now), self.at(1, now)];
        self.piece_start = 0;
        self.carrier = Motion::default();
        self.half_beat = Motion::default();
    }

    /// Where the phases of a rendering are at a frame of the piece.
    fn at(&self, rendering: usize, now: u64) -> Hands {
        let frames = now - self.piece_start;
        let hands = &self.hands[rendering];
        Hands {
            carrier: hands.carrier.wrapping_add(self.carrier.at(frames)),
            half_beat: hands.half_beat.wrapping_add(self.half_beat.at(frames)),
        }
    }

    /// The phase of the beat at a frame, modulo a cycle.
    pub fn beat_phase(&self, now: u64) -> u64 {
        (self.at(self.current, now).half_beat as u64).wrapping_mul(2)
    }

    /// Where the phases are that a song position gives: frequency times time, exactly.
    pub fn anchored(&self, beat: f64, carrier: f64, song_frames: i64) -> Hands {
        let times = |increment: i128| increment.wrapping_mul(i128::from(song_frames));
        Hands {
            carrier: times(increment(carrier, self.rate)),
            half_beat: times(increment(beat / 2.0, self.rate)),
        }
    }

    /// Puts the phases of the current rendering somewhere else.
    pub fn set(&mut self, hands: Hands, now: u64) {
        self.hands = [self.at(0, now), self.at(1, now)];
        self.piece_start = now;
        self.hands[self.current] = hands;
    }

    /// Goes on with the other rendering from other phases; the one so far runs on beside it.
    pub fn swap(&mut self, hands: Hands, now: u64) {
        self.current = 1 - self.current;
        self.set(hands, now);
    }

    /// Whether being at these phases now would be heard as a jump.
    pub fn differs(&self, hands: Hands, now: u64) -> bool {
        let here = self.at(self.current, now);
        here.carrier as u64 != hands.carrier as u64
            || here.half_beat as u64 != hands.half_beat as u64
    }

    /// Begins the piece from `now` to `end`.
    pub fn plan(&mut self, now: u64, end: u64, beat: &Travel, carrier: &Travel) {
        self.hands = [self.at(0, now), self.at(1, now)];
        self.piece_start = now;
        self.carrier = self.motion(carrier, now, end, 1.0);
        self.half_beat = self.motion(beat, now, end, 0.5);
    }

    fn motion(&self, travel: &Travel, now: u64, end: u64, factor: f64) -> Motion {
        if travel.end(now).is_none() {
            return Motion {
                increment: increment(travel.target() * factor, self.rate),
                ..Motion::default()
            };
        }
        let per_frame = factor / self.rate;
        Motion::travel(
            0,
            travel.value(now) * per_frame,
            travel.value(end) * per_frame,
            travel.integral(now, end) * per_frame,
            end - now,
        )
    }

    /// The phases of the left and the right ear of a rendering, for the piece that begins.
    pub fn ears(&self, rendering: usize) -> [Motion; 2] {
        let hands = &self.hands[rendering];
        let carrier = Motion {
            position: hands.carrier,
            ..self.carrier
        };
        let half_beat = Motion {
            position: hands.half_beat,
            ..self.half_beat
        };
        [carrier.minus(&half_beat), carrier.plus(&half_beat)]
    }
}
