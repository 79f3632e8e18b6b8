//! A MIDI port of the system: learned controllers and MIDI trackers, for hosts that pass no controllers on.

use super::desk::Desk;
use super::tracker::Tracker;
use crate::text::instead;
use midir::{Ignore, MidiInput, MidiInputConnection, MidiOutput};
use std::sync::{Arc, Weak};

/// What we are called among the system's MIDI clients.
const CLIENT: &str = "Zeitgeber";

/// An open port, until it is dropped.
pub struct MidiPort {
    _input: MidiInputConnection<Weak<Desk>>,
}

/// The names of the system's MIDI inputs.
///
/// # Errors
/// Why the system has no MIDI.
pub fn midi_ports() -> Result<Vec<String>, String> {
    let input = MidiInput::new(CLIENT).map_err(|error| error.to_string())?;
    let ports = input.ports();
    Ok(ports
        .iter()
        .filter_map(|port| input.port_name(port).ok())
        .collect())
}

impl MidiPort {
    /// Opens the input of this name, or the first whose name contains it; with `supperware` it is asked to begin.
    ///
    /// # Errors
    /// Why it could not be opened, in a musician's words.
    pub fn open(name: &str, supperware: bool, desk: &Arc<Desk>) -> Result<MidiPort, String> {
        let wrong = |error: &dyn std::fmt::Display| {
            format!("the MIDI port \"{name}\" cannot be opened: {error}; it is tried again")
        };
        let mut input = MidiInput::new(CLIENT).map_err(|error| wrong(&error))?;
        // System exclusive messages are a tracker's; clocks are nobody's.
        input.ignore(Ignore::TimeAndActiveSense);
        let ports = input.ports();
        let named = |test: &dyn Fn(&str) -> bool| {
            let found = |port: &&midir::MidiInputPort| {
                input.port_name(port).is_ok_and(|found| test(&found))
            };
            ports.iter().find(found).cloned()
        };
        let port = named(&|found| found == name)
            .or_else(|| named(&|found| found.contains(name)))
            .ok_or_else(|| {
                let names: Vec<String> = (ports.iter())
                    .filter_map(|port| input.port_name(port).ok())
                    .collect();
                let instead = instead(name, names.iter().map(String::as_str));
                wrong(&format!("there is none of that name{instead}"))
            })?;
        let input = input
            .connect(
                &port,
                "control",
                |_, bytes, desk: &mut Weak<Desk>| {
                    if let Some(desk) = desk.upgrade() {
                        desk.midi(bytes);
                    }
                },
                Arc::downgrade(desk),
            )
            .map_err(|error| wrong(&error))?;
        if supperware {
            turn_on(name).map_err(|error| wrong(&error))?;
        }
        Ok(MidiPort { _input: input })
    }
}

/// Asks the tracker behind an output of this name to begin.
fn turn_on(name: &str) -> Result<(), String> {
    let output = MidiOutput::new(CLIENT).map_err(|error| error.to_string())?;
    let ports = output.ports();
    let found = |port: &&midir::MidiOutputPort| {
        output
            .port_name(port)
            .is_ok_and(|found| found.contains(name))
    };
    let port = ports
        .iter()
        .find(found)
        .cloned()
        .ok_or("the tracker has no output of that name")?;
    let mut output = output
        .connect(&port, "control")
        .map_err(|error| error.to_string())?;
    output
        .send(&Tracker::supperware_on())
        .map_err(|error| error.to_string())
}
