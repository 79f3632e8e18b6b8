//! The override layer: what comes from outside (OSC, learned MIDI) acts at once, and the last writer wins.
//!
//! A host knows nothing of such a value and goes on repeating its own: while a control is held, what the host had
//! said before is an echo and is ignored; anything else from the host ends the hold, and so does any event. What an editor has written to
//! the host for us comes back from there, and is an echo as well: by then there may be a newer value.
//!
//! Values are numbered. A whole sound says which was the last before it: older ones end with it, even where they are
//! still on their way; newer ones outlive it, even where it arrives later than they.

use super::{Change, ControlId, Engine, Event};
use crate::graph::NodeIndex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Values that fit into a line between two blocks: all controls, and some more than once.
const LINE: usize = 1024;

/// How many are taken a block.
const MOST: usize = 64;

/// Values that may be on their way back from the host at once, by control.
const GIVEN: usize = 8;

/// A parameter of a node of the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeParam {
    node: NodeIndex,
    param: usize,
}

/// Where the parameters of the nodes in the inserts are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InsertPlaces([NodeIndex; 2]);

impl InsertPlaces {
    /// A parameter of a node that is or will be brought to insert A (0) or B (1), by its [`super::Prepared::place`].
    pub fn param(self, insert: usize, place: usize) -> NodeParam {
        NodeParam {
            node: self.0[insert.min(1)],
            param: place,
        }
    }
}

/// A value from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Override {
    /// Of a control.
    Control {
        /// Which.
        control: ControlId,
        /// In its unit.
        value: f64,
        /// What the host has it at: a repetition of this is an echo. NaN where there is no host.
        host: f64,
    },
    /// Of a node's parameter: it holds until the chain says something else.
    Node {
        /// The node's parameter.
        at: NodeParam,
        /// In its unit.
        value: f64,
    },
    /// An editor writes this value to the host: when the host says it, it is an echo.
    Given {
        /// Of which control.
        control: ControlId,
        /// In its unit, as the host will have it.
        value: f64,
    },
    /// The control is let go, and goes to what the host has it at: NaN leaves it where it is.
    Release {
        /// Which.
        control: ControlId,
        /// In its unit.
        host: f64,
    },
}

impl Override {
    /// Whether a newer one makes this one needless.
    fn is_of_the_same(&self, other: &Override) -> bool {
        match (self, other) {
            (Override::Node { at, .. }, Override::Node { at: other, .. }) => at == other,
            (Override::Given { .. }, Override::Given { .. }) => self == other,
            _ => self.holds().is_some() && self.holds() == other.holds(),
        }
    }

    /// The control that is held or let go.
    fn holds(&self) -> Option<ControlId> {
        match self {
            Override::Control { control, .. } | Override::Release { control, .. } => Some(*control),
            Override::Node { .. } | Override::Given { .. } => None,
        }
    }
}

/// Which controls are held, for any thread.
#[derive(Debug, Default)]
pub struct Holds {
    bits: Box<[AtomicU64]>,
    values: Box<[AtomicU64]>,
    /// The number of the last value that the engine has taken from its line.
    taken: AtomicU64,
}

impl Holds {
    fn new() -> Holds {
        let words = ControlId::all().count().div_ceil(64);
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Holds {
            bits: zeros(words),
            values: zeros(ControlId::all().count()),
            taken: AtomicU64::new(0),
        }
    }

    /// Whether a control is held.
    pub fn holds(&self, control: ControlId) -> bool {
        let (word, bit) = (control.index() / 64, control.index() % 64);
        self.bits[word].load(Ordering::Relaxed) >> bit & 1 == 1
    }

    /// What it is held at, in its unit; `None` where it is not held.
    pub fn value(&self, control: ControlId) -> Option<f64> {
        let (word, bit) = (control.index() / 64, control.index() % 64);
        // Acquire: whoever sees the bit sees the value.
        let held = self.bits[word].load(Ordering::Acquire) >> bit & 1 == 1;
        held.then(|| f64::from_bits(self.values[control.index()].load(Ordering::Relaxed)))
    }

    fn set(&self, control: ControlId, held: Option<f64>) {
        let (word, bit) = (control.index() / 64, 1 << (control.index() % 64));
        if let Some(value) = held {
            self.values[control.index()].store(value.to_bits(), Ordering::Relaxed);
            self.bits[word].fetch_or(bit, Ordering::Release);
        } else {
            self.bits[word].fetch_and(!bit, Ordering::Release);
        }
    }
}

/// One on its way, with its number.
type Item = (u64, Override);

/// The other end of an engine's overrides, for one thread at a time.
pub struct OverrideLine {
    to: rtrb::Producer<Item>,
    /// What found the line full, in the order of the numbers: of each control and parameter the newest only.
    waiting: VecDeque<Item>,
    sent: u64,
    holds: Arc<Holds>,
}

impl OverrideLine {
    /// Sends a value; false where the line is full, which is where the engine does not run or is flooded: the newest
    /// value of each control then waits for [`OverrideLine::flush`].
    pub fn send(&mut self, value: Override) -> bool {
        self.sent += 1;
        self.waiting
            .retain(|(_, waits)| !waits.is_of_the_same(&value));
        self.waiting.push_back((self.sent, value));
        self.flush()
    }

    /// Sends what has waited; tells whether nothing waits any more.
    pub fn flush(&mut self) -> bool {
        while let Some(item) = self.waiting.front() {
            if self.to.push(*item).is_err() {
                return false;
            }
            self.waiting.pop_front();
        }
        true
    }

    /// The number of the value that was sent last; 0 before the first.
    pub fn count(&self) -> u64 {
        self.sent
    }

    /// Whether the engine has taken everything; [`Holds`] are then of now.
    pub fn is_settled(&self) -> bool {
        self.holds.taken.load(Ordering::Acquire) == self.sent
    }

    /// Which controls are held.
    pub fn holds(&self) -> &Arc<Holds> {
        &self.holds
    }
}

/// A control that is held.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// What the host repeats meanwhile.
    host: f64,
    value: f64,
    number: u64,
}

/// What the engine knows of it.
pub(super) struct Overrides {
    line: Option<OverrideLine>,
    from: rtrb::Consumer<Item>,
    /// By control; `None` where it is not held.
    held: Vec<Option<Held>>,
    /// By control: what has been written to the host and has not come back, NaN where nothing is; oldest first.
    given: Vec<[f64; GIVEN]>,
    any: bool,
    /// The number of the last value that was taken, and of the last before the newest whole sound.
    taken: u64,
    released: u64,
    holds: Arc<Holds>,
}

impl Overrides {
    pub fn new() -> Overrides {
        let (to, from) = rtrb::RingBuffer::new(LINE);
        let holds = Arc::new(Holds::new());
        let controls = ControlId::all().count();
        Overrides {
            line: Some(OverrideLine {
                to,
                waiting: VecDeque::new(),
                sent: 0,
                holds: holds.clone(),
            }),
            from,
            held: vec![None; controls],
            given: vec![[f64::NAN; GIVEN]; controls],
            any: false,
            taken: 0,
            released: 0,
            holds,
        }
    }

    pub fn take_line(&mut self) -> Option<OverrideLine> {
        self.line.take()
    }

    /// Whether the host says what it has said before, or what was written to it; if not, it has the control again.
    pub fn is_echo(&mut self, control: ControlId, value: f64) -> bool {
        let index = control.index();
        let given = &mut self.given[index];
        // What was written before this comes back no more.
        let comes_back = given.iter().rposition(|given| *given == value);
        if let Some(place) = comes_back {
            given.copy_within(place + 1.., 0);
            given[GIVEN - 1 - place..].fill(f64::NAN);
        }
        let Some(held) = &mut self.held[index] else {
            return false;
        };
        if held.host == value {
            return true;
        }
        if comes_back.is_some() && held.value != value {
            // The host has what was written to it; meanwhile there is a newer value.
            held.host = value;
            return true;
        }
        self.let_go(control);
        false
    }

    /// An event sets a control: who held it has it no more.
    pub fn take_back(&mut self, event: &Event) {
        let is_value = !matches!(event.change, Change::Note(_));
        if is_value && self.held[event.control.index()].is_some() {
            self.let_go(event.control);
        }
    }

    fn let_go(&mut self, control: ControlId) {
        self.held[control.index()] = None;
        self.holds.set(control, None);
    }

    /// Lets go of what came up to a number, also of what is still on its way; of all that there is without one.
    pub fn release(&mut self, up_to: Option<u64>) {
        self.released = self.released.max(up_to.unwrap_or(0));
        if !std::mem::take(&mut self.any) {
            return;
        }
        for control in ControlId::all() {
            let Some(held) = self.held[control.index()] else {
                continue;
            };
            if up_to.is_none_or(|last| held.number <= last) {
                self.let_go(control);
            } else {
                self.any = true;
            }
        }
    }

    /// What is held, with its values.
    pub fn all(&self) -> impl Iterator<Item = (ControlId, f64)> {
        let held = |control: ControlId| Some((control, self.held[control.index()]?.value));
        let all = self.any.then(|| ControlId::all().filter_map(held));
        all.into_iter().flatten()
    }

    fn hold(&mut self, control: ControlId, held: Held) {
        self.any = true;
        self.held[control.index()] = Some(held);
        self.holds.set(control, Some(held.value));
    }

    fn give(&mut self, control: ControlId, value: f64) {
        let given = &mut self.given[control.index()];
        let free = given.iter().position(|given| given.is_nan());
        let place = free.unwrap_or_else(|| {
            given.copy_within(1.., 0);
            GIVEN - 1
        });
        given[place] = value;
    }
}

impl Engine {
    /// Holds a control at a value, as a step at the next frame, until the host says something else than `host`.
    pub fn impose(&mut self, control: ControlId, value: f64, host: f64) {
        // A sound that has been loaded before lets go of what was held, not of this.
        self.receive_orders();
        let held = Held {
            host,
            value,
            number: self.overrides.taken,
        };
        self.overrides.hold(control, held);
        self.apply(control, Change::Step(value));
    }

    /// The parameters of the chain's nodes, as "node/parameter".
    pub fn node_params(&self) -> impl Iterator<Item = (String, NodeParam)> {
        self.graph.node_names().flat_map(|name| {
            let node = self.graph.find(name).ok();
            let info = node.and_then(|node| Some((node, self.graph.info(node)?)));
            info.into_iter().flat_map(move |(node, info)| {
                let all = info.params.iter().enumerate();
                all.map(move |(param, known)| {
                    (format!("{name}/{}", known.name), NodeParam { node, param })
                })
            })
        })
    }

    /// Where the parameters of the nodes in the inserts are.
    pub fn insert_places(&self) -> InsertPlaces {
        InsertPlaces(self.chain.inserts)
    }

    /// Sets a node's parameter at the next frame.
    pub fn set_node(&mut self, at: NodeParam, value: f64) {
        self.graph.set_param(at.node, at.param, value);
    }

    /// Takes what has come from outside since the last block.
    pub(super) fn take_overrides(&mut self) {
        // What comes meanwhile waits for the next block.
        for _ in 0..self.overrides.from.slots().min(MOST) {
            let Ok((number, next)) = self.overrides.from.pop() else {
                break;
            };
            self.overrides.taken = number;
            let of_before = number <= self.overrides.released;
            match next {
                // A newer sound is there already.
                Override::Control { .. } | Override::Release { .. } if of_before => {}
                Override::Control {
                    control,
                    value,
                    host,
                } => self.impose(control, value, host),
                Override::Node { at, value } => self.set_node(at, value),
                Override::Given { control, value } => self.overrides.give(control, value),
                Override::Release { control, host } => {
                    self.receive_orders();
                    self.overrides.let_go(control);
                    if !host.is_nan() {
                        self.apply(control, Change::Step(host));
                    }
                }
            }
            // Release: whoever sees the number sees the holds.
            self.overrides.holds.taken.store(number, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::controls::{BEAT, CARRIER};
    use crate::engine::{Change, Engine, Event, Order, Override, Snapshot, Transport};

    fn block(engine: &mut Engine) {
        let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
    }

    #[test]
    fn the_last_writer_wins_and_echoes_are_ignored() {
        let mut engine = Engine::new(48_000.0).unwrap();
        let mut line = engine.take_overrides_line().unwrap();
        engine.set(BEAT, 10.0);
        block(&mut engine);
        assert!(line.send(Override::Control {
            control: BEAT,
            value: 7.0,
            host: 10.0,
        }));
        assert!(!line.is_settled());
        block(&mut engine);
        assert!(line.is_settled() && line.holds().holds(BEAT) && !line.holds().holds(CARRIER));
        assert_eq!(engine.get(BEAT), 7.0);
        // The host repeats itself.
        engine.set(BEAT, 10.0);
        assert_eq!(engine.get(BEAT), 7.0);
        // An event is no repetition, whatever it says.
        line.send(Override::Control {
            control: CARRIER,
            value: 300.0,
            host: 250.0,
        });
        block(&mut engine);
        assert!(line.holds().holds(CARRIER));
        let event = Event {
            frame: 3,
            control: CARRIER,
            change: Change::Step(250.0),
        };
        let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
        engine.process(&mut left, &mut right, Transport::Absent, &[event]);
        assert_eq!(engine.get(CARRIER), 250.0);
        assert!(!line.holds().holds(CARRIER) && line.holds().holds(BEAT));
        // The host says something else, and from then on anything.
        engine.set(BEAT, 11.0);
        assert_eq!(engine.get(BEAT), 11.0);
        assert!(!line.holds().holds(BEAT));
        engine.set(BEAT, 10.0);
        assert_eq!(engine.get(BEAT), 10.0);
    }

    #[test]
    fn a_whole_sound_ends_all_holds_and_what_comes_after_it_holds() {
        let mut engine = Engine::new(48_000.0).unwrap();
        let (mut line, mut deck) = (
            engine.take_overrides_line().unwrap(),
            engine.take_deck().unwrap(),
        );
        let hold = |control, value| Override::Control {
            control,
            value,
            host: control.control().default_value(),
        };
        line.send(hold(BEAT, 7.0));
        line.send(hold(CARRIER, 300.0));
        block(&mut engine);
        let snapshot = Snapshot {
            settings: vec![(BEAT, 5.0), (CARRIER, 200.0)],
            ..Snapshot::default()
        };
        deck.send(Order::Snapshot(Box::new(snapshot))).unwrap();
        line.send(hold(BEAT, 6.0));
        for _ in 0..40 {
            block(&mut engine);
        }
        assert_eq!((engine.get(BEAT), engine.get(CARRIER)), (6.0, 200.0));
        assert!(line.holds().holds(BEAT) && !line.holds().holds(CARRIER));
        engine.set(BEAT, 10.0);
        assert_eq!(engine.get(BEAT), 6.0, "an echo");
    }

    fn hold(control: crate::engine::ControlId, value: f64) -> Override {
        Override::Control {
            control,
            value,
            host: control.control().default_value(),
        }
    }

    fn sound(settings: &[(crate::engine::ControlId, f64)], after: u64) -> Order {
        Order::Snapshot(Box::new(Snapshot {
            settings: settings.to_vec(),
            after: Some(after),
            ..Snapshot::default()
        }))
    }

    #[test]
    fn a_sound_ends_what_is_older_and_leaves_what_is_newer_whichever_comes_first() {
        for sound_first in [false, true] {
            let mut engine = Engine::new(48_000.0).unwrap();
            let mut line = engine.take_overrides_line().unwrap();
            let mut deck = engine.take_deck().unwrap();
            block(&mut engine);
            // More than a block takes, so that old ones are still on their way when the sound is there.
            for n in 0..200 {
                line.send(hold(BEAT, f64::from(n % 50)));
            }
            line.send(hold(CARRIER, 300.0));
            let after = line.count();
            let sound = sound(&[(BEAT, 5.0), (CARRIER, 200.0)], after);
            if sound_first {
                deck.send(sound).unwrap();
                line.send(hold(BEAT, 6.0));
            } else {
                line.send(hold(BEAT, 6.0));
                for _ in 0..8 {
                    block(&mut engine);
                }
                assert_eq!(engine.get(CARRIER), 300.0);
                deck.send(sound).unwrap();
            }
            for _ in 0..40 {
                block(&mut engine);
            }
            assert!(line.is_settled());
            let found = (engine.get(BEAT), engine.get(CARRIER));
            assert_eq!(found, (6.0, 200.0), "the sound came first: {sound_first}");
            assert_eq!(line.holds().value(BEAT), Some(6.0));
            assert_eq!(line.holds().value(CARRIER), None);
        }
    }

    #[test]
    fn what_was_written_to_the_host_comes_back_without_a_jump() {
        let mut engine = Engine::new(48_000.0).unwrap();
        let mut line = engine.take_overrides_line().unwrap();
        block(&mut engine);
        let given = |value| Override::Given {
            control: BEAT,
            value,
        };
        line.send(hold(BEAT, 7.0));
        line.send(given(7.0));
        line.send(hold(BEAT, 7.5));
        line.send(given(7.5));
        line.send(hold(BEAT, 8.0));
        block(&mut engine);
        // The host comes to say what was written, one after the other, while newer values are held.
        for host in [7.0, 7.0, 7.5] {
            engine.set(BEAT, host);
            assert_eq!(engine.get(BEAT), 8.0, "{host}");
        }
        line.send(given(8.0));
        block(&mut engine);
        engine.set(BEAT, 8.0);
        assert_eq!(engine.get(BEAT), 8.0);
        assert!(!line.holds().holds(BEAT), "it is the host's");
        // Each came back once: from then on it is a word of the host's.
        line.send(hold(BEAT, 9.0));
        block(&mut engine);
        engine.set(BEAT, 7.0);
        assert_eq!(engine.get(BEAT), 7.0);
    }

    #[test]
    fn a_full_line_keeps_the_newest_of_each() {
        let mut engine = Engine::new(48_000.0).unwrap();
        let mut line = engine.take_overrides_line().unwrap();
        let fits = (0..3000_u32).filter(|n| line.send(hold(BEAT, f64::from(n % 90))));
        assert_eq!(fits.count(), super::LINE);
        line.send(hold(CARRIER, 123.0));
        line.send(hold(BEAT, 33.0));
        for _ in 0..40 {
            block(&mut engine);
            line.flush();
        }
        assert!(line.is_settled());
        assert_eq!((engine.get(BEAT), engine.get(CARRIER)), (33.0, 123.0));
        line.send(Override::Release {
            control: BEAT,
            host: 10.0,
        });
        block(&mut engine);
        assert!(!line.holds().holds(BEAT) && line.holds().holds(CARRIER));
        assert_eq!(engine.get(BEAT), 10.0);
    }
}
