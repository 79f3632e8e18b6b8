//! Who hears whom, as activities are: which places of a schedule have something to do, and where each of their
//! inputs is read.
//!
//! Most nodes of a large chain pass or are silent most of the time. What passes is not copied: whoever reads it reads
//! what it passes. All this is found out anew when an activity changes, not for every chunk.

use super::slot::{Activity, Slot};

/// What a sum of nothing is: its sign is part of the bits.
pub(super) const NOTHING: f32 = -0.0;

/// A signal where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tap {
    /// A channel of a slot's output.
    Output { slot: usize, channel: usize },
    /// One of a slot's delayed lines.
    Line { slot: usize, line: usize },
}

impl Tap {
    /// Its frames so far.
    pub fn signal(self, slots: &[Slot], count: usize) -> &[f32] {
        match self {
            Tap::Output { slot, channel } => &slots[slot].outputs[channel][..count],
            Tap::Line { slot, line } => &slots[slot].lines[line].output[..count],
        }
    }
}

/// What an input channel reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feed {
    /// Silence, which is on the slot's own bus.
    Nothing,
    /// One signal, where it is.
    Lone(Tap),
    /// The sum of several: so many of the routes' taps from the first on.
    Sum { first: usize, count: usize },
}

/// The routes of a schedule. Finding them anew allocates nothing.
pub(super) struct Routes {
    /// Activities have changed since.
    pub stale: bool,
    /// Slots that have something to do, in their order.
    pub active: Vec<usize>,
    /// What each slot's input channels read, slot after slot.
    feeds: Vec<Feed>,
    /// Where a slot's feeds begin.
    first_feed: Vec<usize>,
    /// What is heard of each slot's output channels, slot after slot.
    heard: Vec<Option<Tap>>,
    first_heard: Vec<usize>,
    taps: Vec<Tap>,
}

impl Routes {
    pub fn new(slots: &[Slot]) -> Routes {
        let firsts = |widths: &dyn Fn(&Slot) -> usize| -> Vec<usize> {
            let mut sum = 0;
            let mut firsts: Vec<usize> = slots
                .iter()
                .map(|slot| {
                    let first = sum;
                    sum += widths(slot);
                    first
                })
                .collect();
            firsts.push(sum);
            firsts
        };
        let first_feed = firsts(&|slot| slot.sources.len());
        let first_heard = firsts(&|slot| slot.outputs.len());
        let taps = slots
            .iter()
            .flat_map(|slot| &slot.sources)
            .map(Vec::len)
            .sum();
        Routes {
            stale: true,
            active: Vec::with_capacity(slots.len()),
            feeds: vec![Feed::Nothing; first_feed[slots.len()]],
            first_feed,
            heard: vec![None; first_heard[slots.len()]],
            first_heard,
            taps: Vec::with_capacity(taps),
        }
    }

    /// What the input channels of a slot read.
    pub fn feeds(&self, slot: usize) -> &[Feed] {
        &self.feeds[self.first_feed[slot]..self.first_feed[slot + 1]]
    }

    /// The signals of a sum.
    pub fn taps(&self, first: usize, count: usize) -> &[Tap] {
        &self.taps[first..first + count]
    }

    /// What is heard of a slot's output channels.
    pub fn heard(&self, slot: usize) -> &[Option<Tap>] {
        &self.heard[self.first_heard[slot]..self.first_heard[slot + 1]]
    }

    /// Finds the routes anew.
    pub fn find(&mut self, slots: &mut [Slot]) {
        self.stale = false;
        self.active.clear();
        self.taps.clear();
        for place in 0..slots.len() {
            self.feed(slots, place);
            if self.hear(&slots[place], place) {
                self.active.push(place);
            }
        }
    }

    /// What a slot's inputs read.
    fn feed(&mut self, slots: &mut [Slot], place: usize) {
        for channel in 0..slots[place].sources.len() {
            let first = self.taps.len();
            for source in &slots[place].sources[channel] {
                let heard = self.heard[self.first_heard[source.slot] + source.channel];
                let tap = match source.line {
                    // What is still on its way in a line sounds on when nothing follows it.
                    Some(line) => (slots[source.slot].does() != Activity::Silent)
                        .then_some(Tap::Line { slot: place, line }),
                    None => heard,
                };
                self.taps.extend(tap);
            }
            let feed = match self.taps[first..] {
                [] => Feed::Nothing,
                [lone] => {
                    self.taps.truncate(first);
                    Feed::Lone(lone)
                }
                ref sum => Feed::Sum {
                    first,
                    count: sum.len(),
                },
            };
            let before = &mut self.feeds[self.first_feed[place] + channel];
            // Where there has been nothing the bus is silent already.
            if feed == Feed::Nothing && *before != Feed::Nothing {
                slots[place].bus[channel].fill(NOTHING);
            }
            *before = feed;
        }
    }

    /// What is heard of a slot. Whether it has something to do.
    fn hear(&mut self, slot: &Slot, place: usize) -> bool {
        let first = self.first_heard[place];
        let shown = slot.watched || slot.seen;
        let mut busy = !slot.lines.is_empty() || shown;
        for channel in 0..slot.outputs.len() {
            let own = Tap::Output {
                slot: place,
                channel,
            };
            let feed = self.feeds(place).get(channel).copied();
            self.heard[first + channel] = match (slot.does(), feed) {
                (Activity::Silent, _) => None,
                (Activity::Run, _) if slot.node.is_some() => Some(own),
                // The graph's input is its own.
                _ if place == 0 => Some(own),
                _ if !slot.detour.is_empty() => (channel < slot.detour.len()).then_some(own),
                (_, None | Some(Feed::Nothing)) => None,
                (_, Some(Feed::Lone(tap))) => Some(tap),
                (_, Some(Feed::Sum { .. })) => Some(own),
            };
            busy |= self.heard[first + channel] == Some(own);
        }
        // Slot 0 is filled from outside. A node without outputs runs for what it shows.
        let runs = slot.does() == Activity::Run && slot.node.is_some();
        place > 0 && (busy || runs)
    }
}
