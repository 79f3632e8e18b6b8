//! What moves a parameter from outside, as Faust's metadata `[midi:..]` and `[osc:..]` say: whoever hears MIDI or OSC
//! asks here what becomes of it.

use super::macros::Macro;
use std::fmt;

/// The most movers of one parameter.
const MOST: usize = 16;

/// The longest OSC address, in bytes.
const LONGEST_ADDRESS: usize = 200;

/// What moves a parameter from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Mover {
    /// MIDI.
    Midi(MidiMover),
    /// An OSC address, whose values from `low` to `high` run through the range.
    Osc {
        /// As Faust has it: of its own, without the node's name.
        address: String,
        /// Where the range begins.
        low: f64,
        /// Where it ends.
        high: f64,
    },
}

/// What of MIDI moves a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MidiMover {
    /// What of a channel.
    pub kind: MidiKind,
    /// The channel, 0 to 15; any where there is none.
    pub channel: Option<u8>,
}

/// What of a channel moves a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MidiKind {
    /// A controller.
    Controller(u8),
    /// The pitch wheel.
    Wheel,
    /// The number of the program.
    Program,
    /// The pressure of the channel.
    Pressure,
    /// The velocity of a key: 0 when it is let go.
    Key(u8),
    /// The velocity with which a key is pressed.
    KeyOn(u8),
    /// The velocity with which a key is let go.
    KeyOff(u8),
}

impl Mover {
    /// Reads what follows the first line of a parameter's help in `cpp/node.h`: "midi: ctrl 7", "osc: /cutoff 0 1".
    /// What this host does not know is left out, as Faust does.
    pub(super) fn read(lines: &str) -> Vec<Mover> {
        let all = lines.lines().filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            match key.trim() {
                "midi" => MidiMover::parse(value).map(Mover::Midi),
                "osc" => osc(value),
                _ => None,
            }
        });
        all.take(MOST).collect()
    }
}

/// "/address", "/address low high".
fn osc(text: &str) -> Option<Mover> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (address, low, high) = match words[..] {
        [address] => (address, 0.0, 1.0),
        [address, low, high] => (address, low.parse().ok()?, high.parse().ok()?),
        _ => return None,
    };
    let usable = address.starts_with('/') && address.len() <= LONGEST_ADDRESS;
    let (low, high): (f64, f64) = (low, high);
    let runs = low.is_finite() && high.is_finite() && low != high;
    (usable && runs).then(|| Mover::Osc {
        address: address.to_owned(),
        low,
        high,
    })
}

impl MidiMover {
    /// "ctrl 7", "ctrl 7 2", "pitchwheel", "pgm 1": channels are counted from 1, and 0 is any.
    fn parse(text: &str) -> Option<MidiMover> {
        let mut words = text.split_whitespace();
        let what = words.next()?;
        let numbers: Vec<u8> = words
            .map(|word| word.parse().ok().filter(|number| *number < 128))
            .collect::<Option<_>>()?;
        let numbered = ["ctrl", "key", "keyon", "keyoff"].contains(&what);
        let (number, channel) = match numbers[..] {
            [number] if numbered => (number, 0),
            [number, channel] if numbered => (number, channel),
            [] if !numbered => (0, 0),
            [channel] if !numbered => (0, channel),
            _ => return None,
        };
        let kind = match what {
            "ctrl" => MidiKind::Controller(number),
            "pitchwheel" | "pitchbend" => MidiKind::Wheel,
            "pgm" => MidiKind::Program,
            "chanpress" => MidiKind::Pressure,
            "key" => MidiKind::Key(number),
            "keyon" => MidiKind::KeyOn(number),
            "keyoff" => MidiKind::KeyOff(number),
            _ => return None,
        };
        (channel <= 16).then(|| MidiMover {
            kind,
            channel: channel.checked_sub(1),
        })
    }

    /// The value that a message of up to three bytes gives a parameter; `None` where it means another. Wait-free.
    pub fn value(&self, [status, first, second]: [u8; 3], range: &Macro) -> Option<f64> {
        if self.channel.is_some_and(|channel| channel != status & 0x0F) {
            return None;
        }
        let (first, second) = (first & 127, second & 127);
        let over = |value: u8| Some(range.value(f64::from(value) / 127.0));
        match (status & 0xF0, self.kind) {
            (0xB0, MidiKind::Controller(number)) if number == first => over(second),
            (0xE0, MidiKind::Wheel) => {
                let bend = 128.0 * f64::from(second) + f64::from(first);
                Some(range.bent(bend))
            }
            // A program that is no value of the parameter is not meant for it.
            (0xC0, MidiKind::Program) => range.within(f64::from(first)),
            (0xD0, MidiKind::Pressure) => over(first),
            (0x90, MidiKind::Key(key) | MidiKind::KeyOn(key)) if key == first && second > 0 => {
                over(second)
            }
            (0x80 | 0x90, MidiKind::Key(key)) if key == first => over(0),
            // Pressed with no velocity is let go.
            (0x80 | 0x90, MidiKind::KeyOff(key))
                if key == first && (status & 0xF0 == 0x80 || second == 0) =>
            {
                over(second)
            }
            _ => None,
        }
    }
}

/// As Faust has it.
impl fmt::Display for Mover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mover::Midi(midi) => write!(f, "midi:{midi}"),
            Mover::Osc { address, low, high } => write!(f, "osc:{address} {low} {high}"),
        }
    }
}

impl fmt::Display for MidiMover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            MidiKind::Controller(number) => write!(f, "ctrl {number}"),
            MidiKind::Wheel => write!(f, "pitchwheel"),
            MidiKind::Program => write!(f, "pgm"),
            MidiKind::Pressure => write!(f, "chanpress"),
            MidiKind::Key(key) => write!(f, "key {key}"),
            MidiKind::KeyOn(key) => write!(f, "keyon {key}"),
            MidiKind::KeyOff(key) => write!(f, "keyoff {key}"),
        }?;
        self.channel
            .map_or(Ok(()), |channel| write!(f, " {}", channel + 1))
    }
}

impl serde::Serialize for Mover {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NodeInfo, ParamInfo, registry};
    use super::*;

    fn range(min: f64, max: f64) -> Macro {
        let info = NodeInfo {
            params: vec![ParamInfo::number("x", "", min..=max, min, "")],
            ..registry().info("gain").unwrap().clone()
        };
        Macro::all(&info).remove(0)
    }

    fn midi(text: &str) -> MidiMover {
        MidiMover::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn controllers_run_through_the_range() {
        let range = range(100.0, 354.0);
        let ctrl = midi("ctrl 7");
        assert_eq!(ctrl.value([0xB0, 7, 0], &range), Some(100.0));
        assert_eq!(ctrl.value([0xB5, 7, 127], &range), Some(354.0));
        assert_eq!(ctrl.value([0xB0, 7, 64], &range), Some(228.0));
        assert_eq!(ctrl.value([0xB0, 8, 64], &range), None);
        let ctrl = midi("ctrl 7 2");
        assert_eq!(ctrl.value([0xB0, 7, 0], &range), None, "channel 1");
        assert_eq!(ctrl.value([0xB1, 7, 0], &range), Some(100.0));
        assert_eq!(midi("chanpress").value([0xD3, 127, 0], &range), Some(354.0));
    }

    #[test]
    fn the_wheel_rests_at_nought_where_the_range_holds_it() {
        let wheel = midi("pitchwheel");
        let bent = |range: &Macro, bend: u16| {
            let bytes = [0xE0, (bend & 127) as u8, (bend >> 7) as u8];
            wheel.value(bytes, range).unwrap()
        };
        let uneven = range(-12.0, 2.0);
        assert_eq!(bent(&uneven, 0), -12.0);
        assert_eq!(bent(&uneven, 8192), 0.0);
        assert_eq!(bent(&uneven, 16_383), 2.0);
        let above = range(10.0, 20.0);
        assert_eq!(bent(&above, 8192), 15.0);
    }

    #[test]
    fn programs_are_numbers_and_keys_velocities() {
        let range = range(0.0, 10.0);
        assert_eq!(midi("pgm").value([0xC0, 3, 0], &range), Some(3.0));
        assert_eq!(midi("pgm").value([0xC0, 11, 0], &range), None);
        let key = midi("key 60");
        assert_eq!(key.value([0x90, 60, 127], &range), Some(10.0));
        assert_eq!(key.value([0x90, 60, 0], &range), Some(0.0));
        assert_eq!(key.value([0x80, 60, 90], &range), Some(0.0));
        assert_eq!(midi("keyon 60").value([0x90, 60, 0], &range), None);
        assert_eq!(midi("keyoff 60").value([0x80, 60, 127], &range), Some(10.0));
        assert_eq!(midi("keyoff 60").value([0x90, 60, 127], &range), None);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let read = |text: &str| -> Vec<String> {
            Mover::read(text).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            read("midi: ctrl 7 2\nosc: /a/b -1 1\nosc: /c\nknob: 1"),
            ["midi:ctrl 7 2", "osc:/a/b -1 1", "osc:/c 0 1"]
        );
        for text in [
            "midi: ctrl",
            "midi: ctrl 128",
            "midi: ctrl 1 17",
            "midi: ctrl x",
            "midi: clock",
            "midi:",
            "osc: a 0 1",
            "osc: /a 1 1",
            "osc: /a 0",
            "osc: /a 0 NaN",
            "words",
        ] {
            assert_eq!(read(text), [""; 0], "{text}");
        }
    }
}
