//! Control from outside: OSC, MIDI and head trackers become head poses and values of controls.
//!
//! A packet's way: `server.rs` (a socket a port, shared by all instances) -> `osc.rs` -> the [`Desk`] of each
//! instance -> `tracker.rs` and `head.rs` for orientations, `route.rs` for everything else -> the engine's slot
//! and override layer, without waiting for anybody. docs/control.md has the addresses and their conventions.
//!
//! This room knows the engine and its controls, never the plugin.

mod audio;
mod brought;
mod consent;
mod desk;
mod head;
mod midi;
pub mod osc;
mod port;
mod route;
mod server;
mod settings;
mod tracker;

pub use audio::AudioMidi;
pub use brought::{InsertParam, InsertTarget};
pub use consent::Ask;
pub use desk::{Desk, Hooks, SourceStatus, Status};
pub use head::{Head, HeadSettings, Stir};
pub use midi::{Controller, Learned, Learner, MidiMap, Moved, Moves, Player};
pub use port::{MidiPort, midi_ports};
pub use route::{Command, Routed, route};
pub use server::{Listener, PortState, Ports, listen};
pub use settings::{OPENTRACK_PORT, OSC_PORT, Settings};
pub use tracker::{MrMode, QuaternionOrder, Source, Tracker};
