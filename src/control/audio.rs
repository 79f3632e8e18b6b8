//! MIDI that comes with the audio: learned controllers act in their block, and the desk hears of it later.

use super::midi::{Moved, Player};
use crate::engine::{ControlId, Engine};

/// Messages that fit between two rounds of the worker; what does not fit has acted all the same.
const RING: usize = 512;

/// What the audio thread tells the desk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heard {
    /// A message, to learn from.
    Message([u8; 3]),
    /// What it has moved.
    Moved(Moved),
}

/// The audio thread's end.
pub struct AudioMidi {
    player: Option<Box<Player>>,
    from: rtrb::Consumer<Box<Player>>,
    spent: rtrb::Producer<Box<Player>>,
    heard: rtrb::Producer<Heard>,
}

/// The desk's end.
pub(super) struct AudioEnd {
    pub to: rtrb::Producer<Box<Player>>,
    pub spent: rtrb::Consumer<Box<Player>>,
    pub heard: rtrb::Consumer<Heard>,
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
    };
    (audio, AudioEnd { to, spent, heard })
}

impl AudioMidi {
    /// A controller, wheel or program comes in. `host` tells what the host has a control at. Wait-free.
    pub fn hear(&mut self, message: [u8; 3], engine: &mut Engine, host: impl Fn(ControlId) -> f64) {
        while self.spent.slots() > 0 {
            let Ok(next) = self.from.pop() else { break };
            if let Some(before) = self.player.replace(next) {
                // There is room: it was looked for above.
                let _ = self.spent.push(before);
            }
        }
        let heard = &mut self.heard;
        let _ = heard.push(Heard::Message(message));
        let Some(player) = &mut self.player else {
            return;
        };
        let mut set = None;
        player.hear(
            message,
            |control| engine.get(control),
            |moved| {
                if let Moved::Control(control, value) = moved {
                    set = Some((control, value));
                }
                let _ = heard.push(Heard::Moved(moved));
            },
        );
        // A map has each controller once.
        if let Some((control, value)) = set {
            engine.impose(control, value, host(control));
        }
    }
}
