//! One rendering of one source: its delays, filters and gains, and what it has heard.

use super::air::Air;
use super::bank::FilterBank;
use super::delay::{Delay, fir, fir_between};
use super::line::Line;
use super::place::{Place, Target};
use crate::dsp::convolve::kernels::{Blend, add_scaled, blend, multiply_accumulate, turn};
use crate::dsp::convolve::{History, PARTITION, Spectrum, Transform};

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

/// One rendering. All it is but `before` and `histories` follows from the target and the bank alone.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    /// In which of the renderer's places the bank is.
    pub slot: usize,
    pub target: Target,
    place: Place,
    delays: [Delay; 2],
    filters: [Vec<Spectrum>; 2],
    /// Where the next filters are made.
    spare: [Vec<Spectrum>; 2],
    /// The delayed frames of the quantum before.
    before: [[f32; PARTITION]; 2],
    histories: [History; 2],
}

impl Voice {
    /// In front, for filters of up to `partitions`.
    pub fn new(partitions: usize, bank: &FilterBank, air: &Air) -> Voice {
        let target = Target::default();
        let place = Place::new(&target, bank, air);
        let filters = || [0, 1].map(|_| vec![Spectrum::ZERO; partitions]);
        let mut voice = Voice {
            slot: 0,
            target,
            place,
            delays: delays(&place, air),
            filters: filters(),
            spare: filters(),
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
        self.delays = delays(&self.place, air);
        for ear in 0..2 {
            let filter = &mut self.filters[ear][..bank.partitions()];
            blend(blend_of(bank, &self.place, ear), filter);
        }
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
        for ear in 0..2 {
            let gains = [
                self.place.gains[ear] * fade.start,
                place.gains[ear] * fade.end,
            ];
            let bend = place.gains[ear] * fade.bend;
            let heard = gains != [0.0; 2] || bend != 0.0;
            let (filter, spare) = (&mut self.filters[ear], &mut self.spare[ear]);
            if heard {
                let x = self.histories[ear].newest(bank.partitions());
                let sums = [&mut mix.start[ear], &mut mix.end[ear], &mut mix.bend[ear]];
                let gains = [gains[0], gains[1], bend];
                if turns {
                    let filters = blend_of(bank, &place, ear);
                    turn(x, filter, filters, &mut spare[..x.len()], gains, sums);
                } else {
                    let mut heard = Spectrum::ZERO;
                    multiply_accumulate(x, filter, &mut heard);
                    let [start, end, bent] = sums;
                    add_scaled(&heard, gains[0], start);
                    add_scaled(&heard, gains[1], end);
                    if bend != 0.0 {
                        add_scaled(&heard, bend, bent);
                    }
                }
                mix.moves |= turns || gains[0] != gains[1];
                mix.bends |= bend != 0.0;
            } else if turns {
                blend(blend_of(bank, &place, ear), &mut spare[..bank.partitions()]);
            }
            if turns {
                std::mem::swap(filter, spare);
            }
        }
        self.target = target;
        self.place = place;
    }

    /// Delays a quantum, on the way to a place, and transforms it.
    fn hear(&mut self, place: &Place, line: &Line, air: &Air, transform: &mut Transform) {
        let ends = (place.delays != self.place.delays || place.air != self.place.air)
            .then(|| delays(place, air));
        let mut now = [[0.0; PARTITION]; 2];
        for ear in 0..2 {
            let start = &self.delays[ear];
            match &ends {
                None => fir(line.window(start), start, &mut now[ear]),
                Some(ends) => {
                    let end = &ends[ear];
                    let windows = [line.window(start), line.window(end)];
                    fir_between(windows, [start, end], &mut now[ear]);
                }
            }
        }
        let [left, right] = &mut self.histories;
        transform.forward(
            [[&self.before[0], &now[0]], [&self.before[1], &now[1]]],
            left.push(),
            right.push(),
        );
        self.before = now;
        if let Some(ends) = ends {
            self.delays = ends;
        }
    }
}

/// The delays of a place.
fn delays(place: &Place, air: &Air) -> [Delay; 2] {
    let delay = |ear: usize| Delay::new(place.delays[ear], place.air, air.lag);
    [delay(0), delay(1)]
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
