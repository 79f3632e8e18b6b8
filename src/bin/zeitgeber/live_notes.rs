//! Notes of a MIDI port for `zeitgeber live`: they move the carrier where `carrier_source` is *midi*. Controllers and
//! trackers of the same port are `zeitgeber::control`'s, over a connection of its own.

use midir::{Ignore, MidiInput, MidiInputConnection};
use rtrb::Producer;

/// A connection, until it is dropped.
pub struct Notes {
    _input: MidiInputConnection<Producer<u8>>,
}

/// Opens the input of this name, or the first whose name contains it. `None` where it cannot be had: systems
/// that give a port to one listener alone, or none of that name; `control` says the latter.
pub fn open(name: &str, ring: Producer<u8>) -> Option<Notes> {
    let mut input = MidiInput::new("Zeitgeber notes").ok()?;
    input.ignore(Ignore::All);
    let ports = input.ports();
    let named = |test: &dyn Fn(&str) -> bool| {
        let found =
            |port: &&midir::MidiInputPort| input.port_name(port).is_ok_and(|found| test(&found));
        ports.iter().find(found).cloned()
    };
    let port = named(&|found| found == name).or_else(|| named(&|found| found.contains(name)))?;
    let hear = |_, bytes: &[u8], ring: &mut Producer<u8>| {
        if let Some(note) = note(bytes) {
            // Where the ring is full, the audio does not run, and nobody hears that this one is left out.
            let _ = ring.push(note);
        }
    };
    let input = input.connect(&port, "notes", hear, ring).ok()?;
    Some(Notes { _input: input })
}

/// The note that a message begins.
fn note(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [status, note @ 0..=127, 1..=127] if status & 0xf0 == 0x90 => Some(*note),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::note;

    #[test]
    fn only_beginnings_of_notes_are_notes() {
        assert_eq!(note(&[0x90, 60, 100]), Some(60));
        assert_eq!(note(&[0x9f, 69, 1]), Some(69));
        for other in [
            &[0x90, 60, 0][..],
            &[0x80, 60, 64],
            &[0xb0, 1, 2],
            &[0x90, 60],
            &[],
        ] {
            assert_eq!(note(other), None, "{other:?}");
        }
    }
}
