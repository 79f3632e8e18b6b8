//! One source: its input, and one rendering of it, or two while a jump fades.

use super::air::Air;
use super::bank::FilterBank;
use super::late::longest_delay;
use super::line::Line;
use super::place::Target;
use super::voice::{Fade, Mix, Voice};
use crate::dsp::convolve::{PARTITION, Transform};
use crate::dsp::ramp::raised_cosine;
use std::f64::consts::PI;
use std::sync::Arc;

/// How a source gets to its target within a quantum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Move {
    /// In a straight line, however far it is: motion.
    Glide,
    /// So too, unless it is over 5 degrees or 5 % of the distance away: then by a fade of 20 ms between two
    /// renderings. For parameters and head trackers.
    #[default]
    Auto,
}

/// Degrees, and share of the distance, beyond which a step is a jump.
pub(in crate::dsp) const JUMP: (f64, f64) = (5.0, 0.05);

/// Seconds of a jump's fade.
pub(in crate::dsp) const FADE: f64 = 0.02;

/// The banks of a renderer: the one that is asked for, and while it is being faded to, the one before.
#[derive(Debug)]
pub(super) struct Banks {
    pub slots: [Option<Arc<FilterBank>>; 2],
    /// Which of them is asked for.
    pub current: usize,
}

impl Banks {
    /// The bank of a slot that is in use.
    fn at(&self, slot: usize) -> &FilterBank {
        let bank = self.slots[slot].as_ref();
        bank.or(self.slots[self.current].as_ref())
            .expect("the bank that is asked for is there")
    }
}

/// One source.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub line: Line,
    target: Target,
    how: Move,
    /// The rendering that follows the target is `voices[front]`; the other one is what a jump left behind.
    voices: [Voice; 2],
    front: usize,
    /// Quanta since a jump, while it is under way.
    jump: Option<usize>,
    /// Quanta that a new rendering listens before it is heard, and that it then fades in.
    warm: usize,
    length: usize,
    /// Silent quanta of input so far, and how many until nothing is left to hear.
    silent: usize,
    tail: usize,
}

impl Source {
    /// Silent, in front.
    pub fn new(partitions: usize, bank: &FilterBank, air: &Air) -> Source {
        let line = Line::new(longest_delay(bank.rate()));
        let voice = Voice::new(partitions, bank, air);
        let tail = line.quanta() + partitions + 2;
        Source {
            line,
            target: Target::default(),
            how: Move::Auto,
            voices: [voice.clone(), voice],
            front: 0,
            jump: None,
            warm: partitions,
            length: (FADE * bank.rate() / PARTITION as f64).ceil() as usize,
            silent: tail,
            tail,
        }
    }

    /// Forgets what it has heard.
    pub fn reset(&mut self) {
        self.line.clear();
        self.voices.iter_mut().for_each(Voice::clear);
        self.front = 0;
        self.jump = None;
        self.silent = self.tail;
    }

    /// Quanta until nothing is left to hear of what was heard.
    pub fn tail(&self) -> usize {
        self.tail
    }

    /// Where to be at the end of the quantum.
    pub fn set_target(&mut self, target: Target, how: Move) {
        self.target = target.checked();
        self.how = how;
    }

    /// Whether a rendering of it may still need the bank in a slot.
    pub fn uses(&self, slot: usize) -> bool {
        let idle = self.silent >= self.tail;
        let back = self.jump.is_some() && self.voices[1 - self.front].slot == slot;
        !idle && (back || self.voices[self.front].slot == slot)
    }

    /// Renders the quantum that is complete in the line. `false`: it is silent, and nothing was added.
    pub fn render(
        &mut self,
        banks: &Banks,
        air: &Air,
        transform: &mut Transform,
        mix: &mut Mix,
    ) -> bool {
        let was_idle = self.silent >= self.tail;
        let silent = self.line.is_silent();
        self.silent = if silent {
            (self.silent + 1).min(self.tail)
        } else {
            0
        };
        if silent && (was_idle || self.silent >= self.tail) {
            if !was_idle {
                self.rest();
            }
            return false;
        }
        if was_idle {
            // Nothing was heard, so nothing has to move.
            let bank = banks.at(banks.current);
            self.voices[self.front].settle(self.target, bank, banks.current, air);
        }
        let target = self.turn(banks, air);
        let fade = self.fade();
        let front = &mut self.voices[self.front];
        let (line, bank) = (&self.line, banks.at(front.slot));
        front.render(target, fade, line, bank, air, transform, mix);
        if self.jump.is_some() {
            let back = &mut self.voices[1 - self.front];
            let (stays, bank) = (back.target, banks.at(back.slot));
            back.render(stays, fade.other(), line, bank, air, transform, mix);
        }
        self.jump = self
            .jump
            .map(|quanta| quanta + 1)
            .filter(|quanta| *quanta < self.warm + self.length);
        self.line.advance();
        true
    }

    /// Nothing is left to hear: what is remembered is zeros, some of them negative.
    fn rest(&mut self) {
        self.line.clear();
        self.voices.iter_mut().for_each(Voice::clear);
        self.jump = None;
    }

    /// Where the front rendering goes in this quantum; begins a jump where one is due. One that comes during
    /// another waits for its end.
    fn turn(&mut self, banks: &Banks, air: &Air) -> Target {
        let front = &self.voices[self.front];
        let other_bank = front.slot != banks.current;
        let far = self.how == Move::Auto && self.target.is_far_from(&front.target, JUMP.0, JUMP.1);
        if !other_bank && !far {
            return self.target;
        }
        if self.jump.is_some() {
            // Motion goes on in the bank before until it is left.
            return if far { front.target } else { self.target };
        }
        self.front = 1 - self.front;
        self.jump = Some(0);
        let bank = banks.at(banks.current);
        let front = &mut self.voices[self.front];
        front.clear();
        front.settle(self.target, bank, banks.current, air);
        self.target
    }

    /// The front rendering's gain in this quantum: after a jump nothing while its history fills, then a
    /// raised cosine, a parabola a quantum.
    fn fade(&self) -> Fade {
        let Some(quanta) = self.jump else {
            return Fade::FULL;
        };
        let Some(done) = quanta.checked_sub(self.warm) else {
            return Fade {
                start: 0.0,
                end: 0.0,
                bend: 0.0,
            };
        };
        let at = |quanta: usize| quanta as f64 / self.length as f64;
        let gain = |quanta| raised_cosine(at(quanta)) as f32;
        let slope = |quanta| 0.5 * PI / self.length as f64 * (PI * at(quanta)).sin();
        Fade {
            start: gain(done),
            end: gain(done + 1),
            bend: (0.5 * (slope(done) - slope(done + 1))) as f32,
        }
    }
}
