//! Where all controls are on their ways, and which of them may be on one: most stand still most of the time, and are
//! not asked.

use super::controls::{CONTROLS, ControlId};
use super::travel::Travel;
use std::ops::{Index, IndexMut};

/// Controls that a word of marks holds.
const WORD: usize = u64::BITS as usize;

/// Words for all controls.
const WORDS: usize = CONTROLS.len().div_ceil(WORD);

/// One travel a control, in the order of the table.
pub(super) struct Travels {
    all: Vec<Travel>,
    /// A bit for each travel that was touched and has not been seen at rest since.
    moving: [u64; WORDS],
}

impl Travels {
    /// Every control at its default.
    pub fn new() -> Travels {
        let all: Vec<Travel> = ControlId::all()
            .map(|control| Travel::still(control.control().default_value()))
            .collect();
        Travels {
            all,
            moving: [0; WORDS],
        }
    }

    /// Every travel stays where it goes.
    pub fn arrive(&mut self) {
        for travel in &mut self.all {
            *travel = Travel::still(travel.target());
        }
        self.moving = [0; WORDS];
    }

    /// Those that may be on their way, as marks to go through with [`each`].
    pub fn marks(&self) -> [u64; WORDS] {
        self.moving
    }

    /// Forgets those that have arrived by `now`. Returns the frame of the next arrival.
    pub fn next_end(&mut self, now: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        for index in each(self.moving) {
            match self.all[index].end(now) {
                Some(end) => next = Some(next.map_or(end, |next| next.min(end))),
                None if self.all[index].holds() => {}
                None => self.moving[index / WORD] &= !(1 << (index % WORD)),
            }
        }
        next
    }
}

/// The indices that are marked, ascending.
pub(super) fn each(marks: [u64; WORDS]) -> impl Iterator<Item = usize> {
    marks.into_iter().enumerate().flat_map(|(word, mut marks)| {
        std::iter::from_fn(move || {
            let index = marks.trailing_zeros() as usize;
            marks &= marks.wrapping_sub(1);
            (index < WORD).then_some(word * WORD + index)
        })
    })
}

impl Index<usize> for Travels {
    type Output = Travel;

    fn index(&self, control: usize) -> &Travel {
        &self.all[control]
    }
}

impl IndexMut<usize> for Travels {
    fn index_mut(&mut self, control: usize) -> &mut Travel {
        self.moving[control / WORD] |= 1 << (control % WORD);
        &mut self.all[control]
    }
}
