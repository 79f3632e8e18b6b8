//! MIDI that comes with the audio: learned controllers act in their block, and the desk hears of it later.

use super::brought::{InsertParam, InsertTarget};
use super::midi::{MOST_MOVED, Moved, Player};
use crate::engine::{ControlId, Engine};
use arrayvec::ArrayVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Messages that fit between two rounds of the worker; what does not fit has acted all the same, and the worker asks
/// the engine what is held.
const RING: usize = 512;

/// What the audio thread tells the desk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heard {
    /// A message, to learn from.
    Message([u8; 3]),
    /// A control that it has moved, and what the host had it at.
    Control(ControlId, f64, f64),
    /// A parameter of a node in an insert that it has moved.
    Insert(InsertParam, f64),
    /// Another entry of the map, by its key.
    Entry(u64),
}

/// The audio thread's end.
pub struct AudioMidi {
    player: Option<Box<Player>>,
    from: rtrb::Consumer<Box<Player>>,
    spent: rtrb::Producer<Box<Player>>,
    heard: rtrb::Producer<Heard>,
    lost: Arc<AtomicBool>,
}

/// The desk's end.
pub(super) struct AudioEnd {
    pub to: rtrb::Producer<Box<Player>>,
    pub spent: rtrb::Consumer<Box<Player>>,
    pub heard: rtrb::Consumer<Heard>,
    /// Something did not fit.
    pub lost: Arc<AtomicBool>,
}

/// Both ends.
pub(super) fn pair() -> (AudioMidi, AudioEnd) {
    let (to, from) = rtrb::RingBuffer::new(4);
    // Every player that is there at once has its place.
    let (give, spent) = rtrb::RingBuffer::new(8);
    let (tell, heard) = rtrb::RingBuffer::new(RING);
    let audio = AudioMidi {
        player: None,
        from,
        spent: give,
        heard: tell,
        lost: Arc::default(),
    };
    let lost = audio.lost.clone();
    let end = AudioEnd {
        to,
        spent,
        heard,
        lost,
    };
    (audio, end)
}

impl AudioMidi {
    /// A controller, wheel, program, pressure or note comes in. `host` tells what the host has a control at. Wait-free.
    pub fn hear(&mut self, message: [u8; 3], engine: &mut Engine, host: impl Fn(ControlId) -> f64) {
        while self.spent.slots() > 0 {
            let Ok(next) = self.from.pop() else { break };
            if let Some(before) = self.player.replace(next) {
                // There is room: it was looked for above.
                let _ = self.spent.push(before);
            }
        }
        let (heard, lost) = (&mut self.heard, &self.lost);
        let mut tell = |what| {
            if heard.push(what).is_err() {
                lost.store(true, Ordering::Release);
            }
        };
        // Of what nothing is learned from there may be much.
        if matches!(message[0] & 0xF0, 0xB0 | 0xC0 | 0xE0) {
            tell(Heard::Message(message));
        }
        let Some(player) = &mut self.player else {
            return;
        };
        let mut found: ArrayVec<Moved, MOST_MOVED> = ArrayVec::new();
        player.hear(
            message,
            |control| engine.get(control),
            |moved| {
                let _ = found.try_push(moved);
            },
        );
        for moved in found {
            match moved {
                Moved::Control(control, value) => {
                    let host = host(control);
                    // First it acts: whoever hears of it looks whether the engine holds it.
                    engine.impose(control, value, host);
                    tell(Heard::Control(control, value, host));
                }
                Moved::Insert(param, value) => {
                    if let InsertTarget::Node(at) = param.to {
                        engine.set_node(at, value);
                        tell(Heard::Insert(param, value));
                    }
                }
                Moved::Entry(key) => tell(Heard::Entry(key)),
            }
        }
    }
}
