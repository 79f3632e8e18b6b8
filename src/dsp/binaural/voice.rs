//! One rendering of one source: its delays, filters and gains, and what it has heard.

use super::air::Air;
use super::bank::FilterBank;
use super::delay::{Delays, apply, apply_between};
use super::line::Line;
use super::place::{Place, Target};
use crate::dsp::convolve::kernels::{Blend, add_blended, add_scaled, blend, multiply_accumulate};
use crate::dsp::convolve::{History, PARTITION, Spectrum, Transform};
use crate::dsp::hrir::Neighbours;

/// What all sources add up to, ears left first: spectra of the rendering at the quantum's start and end, and
/// of what bends the way between them.
#[derive(Debug)]
pub(super) struct Mix {
    pub start: [Spectrum; 2],
    pub end: [Spectrum; 2],
    pub bend: [Spectrum; 2],
    /// Whether the end differs from the start.
    pub moves: bool,
    /// Whether there is a bend.
    pub bends: bool,
}

impl Mix {
    /// Of nothing.
    pub const SILENCE: Mix = Mix {
        start: [Spectrum::ZERO; 2],
        end: [Spectrum::ZERO; 2],
        bend: [Spectrum::ZERO; 2],
        moves: false,
        bends: false,
    };

    /// Silence again.
    pub fn clear(&mut self) {
        self.start = [Spectrum::ZERO; 2];
        self.end = [Spectrum::ZERO; 2];
        if self.bends {
            self.bend = [Spectrum::ZERO; 2];
        }
        self.moves = false;
        self.bends = false;
    }
}

/// The gain of a fade over a quantum: `start` + t (`end` - `start`) + t (1 - t) `bend`, t from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fade {
    pub start: f32,
    pub end: f32,
    pub bend: f32,
}

impl Fade {
    /// None.
    pub const FULL: Fade = Fade {
        start: 1.0,
        end: 1.0,
        bend: 0.0,
    };

    /// What the other rendering has.
    pub fn other(self) -> Fade {
        Fade {
            start: 1.0 - self.start,
            end: 1.0 - self.end,
            bend: -self.bend,
        }
    }
}

/// One rendering. All that it sounds with but `before` and `histories` follows from the target and the bank alone.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    /// In which of the renderer's places the bank is.
    pub slot: usize,
    pub target: Target,
    place: Place,
    /// Those of the place and, while a quantum is heard, those it goes to; in which order, `turned` tells.
    delays: [Delays; 2],
    turned: bool,
    /// The filters of the place, where they are blended.
    filters: [Vec<Spectrum>; 2],
    /// Whether they are: motion needs the directions' own filters alone.
    blended: bool,
    /// The delayed frames of the quantum before.
    before: [[f32; PARTITION]; 2],
    histories: [History; 2],
}

impl Voice {
    /// In front, for filters of up to `partitions`.
    pub fn new(partitions: usize, bank: &FilterBank, air: &Air) -> Voice {
        let target = Target::default();
        let place = Place::new(&target, bank, air);
        let mut voice = Voice {
            slot: 0,
            target,
            place,
            delays: [0, 1].map(|_| Delays::new(bank.rate())),
            turned: false,
            filters: [0, 1].map(|_| vec![Spectrum::ZERO; partitions]),
            blended: false,
            before: [[0.0; PARTITION]; 2],
            histories: [0, 1].map(|_| History::new(partitions)),
        };
        voice.settle(target, bank, 0, air);
        voice
    }

    /// Forgets what it has heard.
    pub fn clear(&mut self) {
        self.before = [[0.0; PARTITION]; 2];
        self.histories.iter_mut().for_each(History::clear);
    }

    /// Is at a target at once.
    pub fn settle(&mut self, target: Target, bank: &FilterBank, slot: usize, air: &Air) {
        self.slot = slot;
        self.target = target;
        self.place = Place::new(&target, bank, air);
        self.delays[usize::from(self.turned)].set(self.place.delays, self.place.air, air.lag);
        self.blended = false;
    }

    /// Blends the filters of the place.
    fn blend(&mut self, bank: &FilterBank) {
        for (ear, filter) in self.filters.iter_mut().enumerate() {
            let filter = &mut filter[..bank.partitions()];
            blend(blend_of(bank, &self.place, ear), filter);
        }
        self.blended = true;
    }

    /// Hears a quantum and adds its rendering to the mix, on the way to a target.
    #[expect(
        clippy::too_many_arguments,
        reason = "all that a rendering depends on, each once"
    )]
    pub fn render(
        &mut self,
        target: Target,
        fade: Fade,
        line: &Line,
        bank: &FilterBank,
        air: &Air,
        transform: &mut Transform,
        mix: &mut Mix,
    ) {
        let moved = target != self.target;
        let place = if moved {
            Place::new(&target, bank, air)
        } else {
            self.place
        };
        self.hear(&place, line, air, transform);
        let turns = moved && target.is_seen_elsewhere(&self.target);
        if !turns && !self.blended {
            self.blend(bank);
        }
        for ear in 0..2 {
            let start = self.place.gains[ear] * fade.start;
            let end = place.gains[ear] * fade.end;
            let bend = place.gains[ear] * fade.bend;
            if start == 0.0 && end == 0.0 && bend == 0.0 {
                continue;
            }
            let x = self.histories[ear].newest(bank.partitions());
            let gains = [start, end, bend];
            let sums = [&mut mix.start[ear], &mut mix.end[ear], &mut mix.bend[ear]];
            if turns {
                let ends = [&self.place.neighbours[ear], &place.neighbours[ear]];
                add_turn(x, bank, ear, ends, gains, sums);
            } else {
                let mut heard = Spectrum::ZERO;
                multiply_accumulate(x, &self.filters[ear], &mut heard);
                for (gain, sum) in gains.into_iter().zip(sums) {
                    if gain != 0.0 {
                        add_scaled(&heard, gain, sum);
                    }
                }
            }
            mix.moves |= turns || start != end;
            mix.bends |= bend != 0.0;
        }
        self.blended &= !turns;
        self.target = target;
        self.place = place;
    }

    /// Delays a quantum, on the way to a place, and transforms it.
    fn hear(&mut self, place: &Place, line: &Line, air: &Air, transform: &mut Transform) {
        let mut now = [[0.0; PARTITION]; 2];
        let [a, b] = &mut self.delays;
        let (start, end) = if self.turned { (b, a) } else { (a, b) };
        if place.delays != self.place.delays || place.air != self.place.air {
            end.set(place.delays, place.air, air.lag);
            let windows = [line.windows(start), line.windows(end)];
            apply_between(windows, [start, end], &mut now);
            self.turned = !self.turned;
        } else {
            apply(line.windows(start), start, &mut now);
        }
        let [left, right] = &mut self.histories;
        transform.forward(
            [[&self.before[0], &now[0]], [&self.before[1], &now[1]]],
            left.push(),
            right.push(),
        );
        self.before = now;
    }
}

/// Adds what an ear hears on the way from one blend to another, times gains at its start, at its end and of its bend.
fn add_turn(
    x: &[Spectrum],
    bank: &FilterBank,
    ear: usize,
    [from, to]: [&Neighbours; 2],
    [start, end, bend]: [f32; 3],
    sums: [&mut Spectrum; 3],
) {
    // Written out: `map` of an array goes through memory.
    let filters = |of: &Neighbours| {
        let filter = |index: usize| bank.filter(of[index].0, ear);
        [filter(0), filter(1), filter(2), filter(3)]
    };
    let weights = |of: &Neighbours, gain: f32| {
        [
            gain * of[0].1,
            gain * of[1].1,
            gain * of[2].1,
            gain * of[3].1,
        ]
    };
    let (start, end) = (weights(from, start), weights(to, end));
    let bend = weights(to, bend);
    if (0..4).all(|index| from[index].0 == to[index].0) {
        add_blended(x, filters(to), &[start, end, bend], sums);
    } else {
        const NONE: [f32; 4] = [0.0; 4];
        let [a, b, c] = sums;
        add_blended(x, filters(from), &[start, NONE, NONE], [a, b, c]);
        add_blended(x, filters(to), &[NONE, end, bend], [a, b, c]);
    }
}

/// What the filter of one ear is blended of at a place.
fn blend_of<'a>(bank: &'a FilterBank, place: &Place, ear: usize) -> Blend<'a> {
    // Written out: `map` of an array goes through memory.
    let part = |index: usize| {
        let (direction, weight) = place.neighbours[ear][index];
        (bank.filter(direction, ear), weight)
    };
    [part(0), part(1), part(2), part(3)]
}
