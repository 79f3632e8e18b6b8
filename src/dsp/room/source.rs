//! One source: its past behind one wall and two, and one rendering of it, or two while a jump fades.

use super::kernels::{Past, Quantum};
use super::line::Line;
use super::voice::{Mix, Scene, Voice};
use super::wall::Wall;
use crate::dsp::binaural::{JUMP, Move, Target};
use crate::dsp::convolve::PARTITION;

/// What is louder is no sound but an accident, and is taken as silence; so is what is no number.
const LOUDEST: f32 = 1e10;

/// A gain that steps by more than this in a quantum is a jump. Fades of 20 ms stay below.
const STEP: f64 = 0.1;

/// What a piece of a quantum is rendered with.
pub(super) struct Piece<'a> {
    /// Share of the input that is let in.
    pub open: &'a Quantum,
    /// How far each frame is through the quantum.
    pub way: &'a Quantum,
    /// The walls at each frame.
    pub walls: &'a [Wall],
    /// A raised cosine as long as a jump's fade.
    pub cosine: &'a [f32],
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    lines: [Line; 2],
    /// Where the lines are written, and how much they have heard.
    at: usize,
    age: usize,
    /// Of the filters of both walls.
    states: [f64; 2],
    /// As set, and as it was at the start of the quantum.
    pending: (Target, Move),
    latched: (Target, Move),
    voices: [Voice; 2],
    front: usize,
    /// Frames since a jump, while it fades.
    jump: Option<usize>,
    /// Frames of silence so far, and how many until nothing is left to hear.
    silent: usize,
    tail: usize,
    idle: bool,
    heard: bool,
}

impl Source {
    /// Silent, in front; `longest` frames of delay, `ringing` frames until the walls are silent.
    pub fn new(longest: usize, ringing: usize, scene: &Scene) -> Source {
        let target = (Target::default(), Move::Auto);
        let voice = Voice::new(scene);
        Source {
            lines: [Line::new(longest), Line::new(longest)],
            at: 0,
            age: 0,
            states: [0.0; 2],
            pending: target,
            latched: target,
            voices: [voice.clone(), voice],
            front: 0,
            jump: None,
            silent: 0,
            tail: longest + ringing,
            idle: true,
            heard: false,
        }
    }

    pub fn set_target(&mut self, target: Target, how: Move) {
        self.pending = (target.checked(), how);
    }

    /// Forgets what it has heard.
    pub fn rest(&mut self) {
        self.idle = true;
        self.age = 0;
        self.states = [0.0; 2];
        self.jump = None;
        self.silent = 0;
        self.heard = false;
    }

    /// The highest order that is heard of it.
    pub fn order(&self) -> Option<usize> {
        let front = &self.voices[self.front];
        let back = &self.voices[1 - self.front];
        match (self.idle, self.jump) {
            (true, _) => None,
            (false, None) => Some(front.order),
            (false, Some(_)) => Some(front.order.max(back.order)),
        }
    }

    /// The start of a quantum: where to go in it. A jump begins where one is due, of `fade` frames.
    pub fn begin(&mut self, scene: &Scene, fade: usize) {
        self.latched = self.pending;
        if self.idle {
            return;
        }
        self.jump = self.jump.filter(|done| *done < fade);
        let (target, how) = self.latched;
        let front = &self.voices[self.front];
        let other = front.room != scene.room || front.order != scene.order;
        let louder = (target.gain - front.target.gain).abs() > STEP;
        let far =
            how == Move::Auto && (louder || target.is_far_from(&front.target, JUMP.0, JUMP.1));
        if !other && !far {
            self.voices[self.front].turn(target, scene);
        } else if self.jump.is_some() {
            // It waits for the end of the jump before.
            let stays = front.target;
            self.voices[self.front].turn(stays, scene);
        } else {
            let stays = front.target;
            self.voices[self.front].turn(stays, scene);
            self.front = 1 - self.front;
            self.voices[self.front].settle(target, scene);
            self.jump = Some(0);
            return;
        }
        if self.jump.is_some() {
            let back = &mut self.voices[1 - self.front];
            let stays = back.target;
            back.turn(stays, scene);
        }
    }

    /// Adds a piece to the mix. Nothing is done while there is nothing to hear.
    pub fn process(&mut self, input: &[f32], piece: &Piece, scene: &Scene, mix: &mut Mix) {
        let mut x = [0.0f32; PARTITION];
        let mut bits = 0;
        for (x, input) in x.iter_mut().zip(input) {
            *x = if input.abs() < LOUDEST { *input } else { 0.0 };
            bits |= x.to_bits();
        }
        // All but the sign: zeros may be negative.
        let silent = bits << 1 == 0;
        if self.idle {
            if silent {
                return;
            }
            // Nothing was heard, so nothing has to move.
            self.voices[self.front].settle(self.latched.0, scene);
            self.idle = false;
        }
        self.heard |= !silent;
        let count = input.len();
        let (mut once, mut twice) = ([0.0; PARTITION], [0.0; PARTITION]);
        for n in 0..count {
            x[n] *= piece.open[n];
            let wall = piece.walls[n];
            let first = wall.step(&mut self.states[0], f64::from(x[n]));
            let second = wall.step(&mut self.states[1], first);
            once[n] = first as f32;
            twice[n] = second as f32;
        }
        self.lines[0].write(self.at, &once[..count]);
        self.lines[1].write(self.at, &twice[..count]);
        let past = Past {
            lines: [&self.lines[0], &self.lines[1]],
            at: self.at,
            age: self.age,
            count,
        };
        let front = &self.voices[self.front];
        match self.jump {
            None => front.render(past, &x[..count], None, piece.way, mix),
            Some(done) => {
                let share = |n: usize| piece.cosine.get(done + n).map_or(1.0, |share| *share);
                let rise: Quantum = std::array::from_fn(share);
                let fall = rise.map(|share| 1.0 - share);
                let back = &self.voices[1 - self.front];
                front.render(past, &x[..count], Some(&rise), piece.way, mix);
                back.render(past, &x[..count], Some(&fall), piece.way, mix);
                self.jump = Some(done + count);
            }
        }
        self.at = self.at.wrapping_add(count);
        self.age = self.age.saturating_add(count);
    }

    /// The quantum is complete.
    pub fn end(&mut self) {
        if self.idle {
            return;
        }
        self.silent = if self.heard {
            0
        } else {
            self.silent + PARTITION
        };
        self.heard = false;
        if self.silent > self.tail {
            self.rest();
        }
    }
}
