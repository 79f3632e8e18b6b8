//! Filters from outside: how a node that renders with them receives, chooses and gives them back.
//!
//! They are made on another thread and come through a line; what they replace goes back through another, for nothing may be
//! freed here.

use super::NodeError;
use crate::hrtf::{Options, Progress, Set, Source, load};
use std::sync::Arc;

/// What renders with a bank of filters.
pub trait Render {
    /// The filters.
    type Bank;

    /// The place among a node's banks of what comes as "as measured" (0) or "equalised" (1); none for anything else.
    fn place(slot: usize, bank: &Self::Bank) -> Option<usize>;

    /// The bank that no sound needs any more.
    fn retired(&mut self) -> Option<Arc<Self::Bank>>;

    /// Fades to a bank. Returns one that waited and will never sound.
    ///
    /// # Errors
    /// The bank, where it does not fit.
    fn swap(&mut self, bank: Arc<Self::Bank>) -> Result<Option<Arc<Self::Bank>>, Arc<Self::Bank>>;
}

/// What reaches a node from outside.
pub enum Supply<R: Render> {
    /// A renderer, for as long as the node lives.
    Renderer(Box<R>),
    /// Filters: as measured (0) or equalised (1).
    Bank(usize, Arc<R::Bank>),
    /// What has come is of another set: only what sounds is kept, until the next comes.
    Forget,
}

/// The other end of a node: what brings it filters, and takes back those that it needs no more.
pub struct SupplyLine<R: Render> {
    /// To the node.
    pub to: rtrb::Producer<Supply<R>>,
    /// From the node, to be dropped off the audio thread.
    pub from: rtrb::Consumer<Arc<R::Bank>>,
}

/// The node's end, with all that has come: `PLACES` banks at most.
pub(super) struct Receiver<R: Render, const PLACES: usize> {
    pub renderer: Option<Box<R>>,
    pub banks: [Option<Arc<R::Bank>>; PLACES],
    /// The bank that the renderer has been given last.
    pub sounding: Option<Arc<R::Bank>>,
    /// The node supplies itself, and holds everything elsewhere: nothing is freed by dropping it, and nobody takes it back.
    pub alone: bool,
    inbox: rtrb::Consumer<Supply<R>>,
    outbox: rtrb::Producer<Arc<R::Bank>>,
}

impl<R: Render, const PLACES: usize> Receiver<R, PLACES> {
    /// What one message may give back: all banks that there are, and what a choice does.
    const MOST_BACK: usize = PLACES + 3;

    /// Both ends of a line for so many messages.
    pub fn new(messages: usize) -> (Receiver<R, PLACES>, SupplyLine<R>) {
        let (to, inbox) = rtrb::RingBuffer::new(messages);
        let (outbox, from) = rtrb::RingBuffer::new(messages + Self::MOST_BACK);
        let receiver = Receiver {
            renderer: None,
            banks: [const { None }; PLACES],
            sounding: None,
            alone: false,
            inbox,
            outbox,
        };
        (receiver, SupplyLine { to, from })
    }

    /// Takes what has come, as long as there is room to give back what it replaces. Whether the renderer was among it.
    pub fn receive(&mut self) -> bool {
        let mut came = false;
        while self.outbox.slots() > Self::MOST_BACK {
            match self.inbox.pop() {
                Ok(Supply::Renderer(renderer)) if self.renderer.is_none() => {
                    self.renderer = Some(renderer);
                    came = true;
                }
                // There is one a life: a second would have to be freed here.
                Ok(Supply::Renderer(renderer)) => std::mem::forget(renderer),
                Ok(Supply::Bank(slot, bank)) => {
                    let place = R::place(slot, &bank);
                    let old = match place.and_then(|place| self.banks.get_mut(place)) {
                        Some(place) => place.replace(bank),
                        None => Some(bank),
                    };
                    self.give_back(old);
                }
                Ok(Supply::Forget) => {
                    for place in 0..PLACES {
                        let old = self.banks[place].take();
                        self.give_back(old);
                    }
                }
                Err(_) => break,
            }
        }
        came
    }

    /// Fades to the bank at a place, where it is another than the one that sounds. Only at the start of a quantum, so that it
    /// does not depend on how the stream is cut.
    pub fn choose(&mut self, place: Option<usize>) {
        let Some(renderer) = self.renderer.as_mut() else {
            return;
        };
        if !self.alone && self.outbox.slots() < 3 {
            return;
        }
        let retired = renderer.retired();
        let wanted = place.and_then(|place| self.banks.get(place)?.as_ref());
        let sounds = |bank: &Arc<R::Bank>| {
            let now = self.sounding.as_ref();
            now.is_some_and(|now| Arc::ptr_eq(now, bank))
        };
        let mut displaced = None;
        if let Some(bank) = wanted.filter(|bank| !sounds(bank)).map(Arc::clone) {
            displaced = renderer.swap(Arc::clone(&bank)).unwrap_or_else(Some);
            let before = self.sounding.replace(bank);
            self.give_back(before);
        }
        self.give_back(retired);
        self.give_back(displaced);
    }

    fn give_back(&mut self, bank: Option<Arc<R::Bank>>) {
        let Some(bank) = bank else {
            return;
        };
        // Held in another place: nothing is freed by this, and the line stays free for what is. Nobody may be there
        // to empty it.
        let mut own = self.banks.iter().flatten();
        if self.alone || own.any(|own| Arc::ptr_eq(own, &bank)) {
            return;
        }
        if let Err(rtrb::PushError::Full(bank)) = self.outbox.push(bank) {
            // Nobody takes anything back any more: better kept for good than freed here.
            std::mem::forget(bank);
        }
    }
}

/// The embedded set, as measured and equalised, for a node that supplies itself.
pub(super) fn own_sets(node: &str, rate: f64) -> Result<Vec<Arc<Set>>, NodeError> {
    let set = |equalise| {
        let options = Options { equalise };
        load(&Source::Default, rate, options, &Progress::new())
    };
    let sets = [false, true].into_iter().map(set);
    sets.collect::<Result<_, _>>()
        .map_err(|error| NodeError::Init {
            name: node.to_owned(),
            reason: error.to_string(),
        })
}
