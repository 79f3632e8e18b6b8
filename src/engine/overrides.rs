//! The override layer: what comes from outside (OSC, learned MIDI) acts at once, and the last writer wins.
//!
//! A host knows nothing of such a value and goes on repeating its own: while a control is held, what the host had
//! said before is an echo and is ignored; anything else from the host ends the hold.

use super::{Change, ControlId, Engine};
use crate::graph::NodeIndex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Values that fit into a line between two blocks: all controls, and some more than once.
const LINE: usize = 1024;

/// How many are taken a block.
const MOST: usize = 64;

/// A parameter of a node of the chain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeParam {
    node: NodeIndex,
    param: usize,
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
}

/// Which controls are held, for any thread.
#[derive(Debug, Default)]
pub struct Holds {
    bits: Box<[AtomicU64]>,
    /// Values that the engine has taken from its line.
    taken: AtomicU64,
}

impl Holds {
    fn new() -> Holds {
        let words = ControlId::all().count().div_ceil(64);
        Holds {
            bits: (0..words).map(|_| AtomicU64::new(0)).collect(),
            taken: AtomicU64::new(0),
        }
    }

    /// Whether a control is held.
    pub fn holds(&self, control: ControlId) -> bool {
        let (word, bit) = (control.index() / 64, control.index() % 64);
        self.bits[word].load(Ordering::Relaxed) >> bit & 1 == 1
    }

    fn set(&self, control: ControlId, held: bool) {
        let (word, bit) = (control.index() / 64, 1 << (control.index() % 64));
        if held {
            self.bits[word].fetch_or(bit, Ordering::Relaxed);
        } else {
            self.bits[word].fetch_and(!bit, Ordering::Relaxed);
        }
    }
}

/// The other end of an engine's overrides, for one thread at a time.
pub struct OverrideLine {
    to: rtrb::Producer<Override>,
    sent: u64,
    holds: Arc<Holds>,
}

impl OverrideLine {
    /// Sends a value; false where the line is full, which is where the engine does not run.
    pub fn send(&mut self, value: Override) -> bool {
        let fits = self.to.push(value).is_ok();
        self.sent += u64::from(fits);
        fits
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

/// What the engine knows of it.
pub(super) struct Overrides {
    line: Option<OverrideLine>,
    from: rtrb::Consumer<Override>,
    /// By control: what the host repeats while it is held; `None` where it is not.
    held: Vec<Option<f64>>,
    any: bool,
    holds: Arc<Holds>,
}

impl Overrides {
    pub fn new() -> Overrides {
        let (to, from) = rtrb::RingBuffer::new(LINE);
        let holds = Arc::new(Holds::new());
        Overrides {
            line: Some(OverrideLine {
                to,
                sent: 0,
                holds: holds.clone(),
            }),
            from,
            held: vec![None; ControlId::all().count()],
            any: false,
            holds,
        }
    }

    pub fn take_line(&mut self) -> Option<OverrideLine> {
        self.line.take()
    }

    /// Whether the host says what it has said before; if not, it has the control again.
    pub fn is_echo(&mut self, control: ControlId, value: f64) -> bool {
        let Some(host) = self.held[control.index()] else {
            return false;
        };
        if host == value {
            return true;
        }
        self.held[control.index()] = None;
        self.holds.set(control, false);
        false
    }

    /// Lets go of all: a whole sound has come.
    pub fn release(&mut self) {
        if !std::mem::take(&mut self.any) {
            return;
        }
        for control in ControlId::all() {
            if self.held[control.index()].take().is_some() {
                self.holds.set(control, false);
            }
        }
    }

    fn hold(&mut self, control: ControlId, host: f64) {
        self.any = true;
        self.held[control.index()] = Some(host);
        self.holds.set(control, true);
    }
}

impl Engine {
    /// Holds a control at a value, as a step at the next frame, until the host says something else than `host`.
    pub fn impose(&mut self, control: ControlId, value: f64, host: f64) {
        // A sound that has been loaded before lets go of what was held, not of this.
        self.receive_orders();
        self.overrides.hold(control, host);
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

    /// Takes what has come from outside since the last block.
    pub(super) fn take_overrides(&mut self) {
        // What comes meanwhile waits for the next block.
        for _ in 0..self.overrides.from.slots().min(MOST) {
            let Ok(next) = self.overrides.from.pop() else {
                break;
            };
            match next {
                Override::Control {
                    control,
                    value,
                    host,
                } => self.impose(control, value, host),
                Override::Node { at, value } => {
                    self.graph.set_param(at.node, at.param, value);
                }
            }
            // Release: whoever sees the count sees the holds.
            self.overrides.holds.taken.fetch_add(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::controls::{BEAT, CARRIER};
    use crate::engine::{Engine, Order, Override, Snapshot, Transport};

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
            timeline: None,
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
}
