//! Values, choices and what is wrong with a text in people's words. Command lines, presets and OSC keep those of the table.

use crate::engine::ControlId;
use crate::engine::controls::{
    BEAT_SOURCE, BUS_FORMAT, CARRIER_SOURCE, DIVISION, HRTF_EQ, MOTION_SOURCE, ORDER, SPACE_KIND,
    Values,
};

/// Units of the table that have another name here, with what stands between number and unit.
const UNITS: [(&str, &str); 2] = [(" deg", "\u{b0}"), (" st", " semitones")];

/// Choices that have another name here.
const CHOICES: [(&[ControlId], &str, &str); 7] = [
    (&[BEAT_SOURCE, CARRIER_SOURCE, MOTION_SOURCE], "hz", "Hz"),
    (&[CARRIER_SOURCE], "midi", "MIDI"),
    (&[SPACE_KIND], "hrtf", "HRTF"),
    (&[BUS_FORMAT], "sn3d", "SN3D"),
    (&[BUS_FORMAT], "n3d", "N3D"),
    (&[BUS_FORMAT], "fuma", "FuMa"),
    (&[HRTF_EQ], "diffuse", "diffuse field"),
];

/// What ends the name of a division, and what it means.
const DIVISIONS: [(&str, &str); 3] = [("t", " triplet"), ("d", " dotted"), ("bar", " bars")];

/// A shorter name than the host's, for some controls whose place says the rest.
pub(super) fn short(id: ControlId) -> Option<&'static str> {
    (id == ORDER).then_some("Order")
}

/// A name of a choice.
fn choice(id: ControlId, name: &str) -> String {
    if id == DIVISION {
        let ends = DIVISIONS.iter();
        let mut told =
            ends.filter_map(|(end, word)| Some(name.strip_suffix(end)?.to_owned() + word));
        return told.next().unwrap_or_else(|| name.to_owned());
    }
    let mut others = CHOICES.iter();
    let other = others.find(|(ids, own, _)| *own == name && ids.contains(&id));
    other.map_or(name, |(.., word)| word).to_owned()
}

/// The names of a choice, in their order; nothing for what is none.
pub(super) fn choices(id: ControlId) -> Vec<String> {
    match id.control().values {
        Values::Choice { names, .. } => names.iter().map(|name| choice(id, name)).collect(),
        _ => Vec::new(),
    }
}

fn in_words(id: ControlId, text: String) -> String {
    if matches!(id.control().values, Values::Choice { .. }) {
        return choice(id, &text);
    }
    let mut units = UNITS.iter();
    let told = units.find_map(|(unit, word)| Some(text.strip_suffix(unit)?.to_owned() + word));
    told.unwrap_or(text)
}

/// A value with its unit: "6.3 Hz", "-30°", "HRTF", "1/8 dotted", "on".
pub(super) fn value(id: ControlId, value: f64) -> String {
    in_words(id, id.control().format(value))
}

/// The same with all decimals, so that a number that moves stands still.
pub(super) fn steady(id: ControlId, now: f64) -> String {
    let control = id.control();
    match control.values {
        Values::Number {
            decimals,
            unit,
            is_note: false,
            ..
        } => {
            let now = control.snap(now);
            // What rounds to 0 has no sign.
            let now = if now == 0.0 { 0.0 } else { now };
            let gap = if unit.is_empty() { "" } else { " " };
            in_words(id, format!("{now:.decimals$}{gap}{unit}"))
        }
        _ => value(id, now),
    }
}

/// A text in the table's words again.
fn back(id: ControlId, text: &str) -> String {
    let lower = text.trim().to_lowercase();
    if let Values::Choice { names, .. } = id.control().values {
        let meant = names
            .iter()
            .find(|name| choice(id, name).to_lowercase() == lower);
        return meant.map_or_else(|| text.trim().to_owned(), |name| (*name).to_owned());
    }
    for (unit, word) in UNITS {
        // "semitone" is one of them.
        for word in [word.trim(), word.trim().trim_end_matches('s')] {
            if let Some(number) = lower.strip_suffix(word) {
                return number.trim_end().to_owned() + unit;
            }
        }
    }
    text.trim().to_owned()
}

/// Reads a value, in these words or those of the table.
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn read(id: ControlId, text: &str) -> Result<f64, String> {
    let control = id.control();
    let read = control.parse(&back(id, text));
    read.map_err(|error| named(&error.to_string()))
}

/// A message about a control with the name that it has in the window in place of its id.
pub(super) fn named(text: &str) -> String {
    let about = text.split_once(": ");
    match about.map(|(id, rest)| (ControlId::parse(id), rest)) {
        Some((Ok(id), rest)) => format!("{}: {rest}", id.control().name),
        _ => text.to_owned(),
    }
}

/// What people call a built-in node: "band_pass" is "Band pass".
pub(super) fn node(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut letters = name.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::controls::{AZIMUTH, BEAT, CARRIER_NOTE, L1_INTERVAL, L1_KIND, L1_LEVEL};

    #[test]
    fn every_value_is_read_as_it_is_written() {
        for id in ControlId::all() {
            let (min, max) = id.control().range();
            let choices = choices(id).len().max(2);
            for step in 0..choices {
                let there = min + (max - min) * step as f64 / (choices - 1) as f64;
                let there = id.control().snap(there);
                for text in [value(id, there), steady(id, there)] {
                    assert_eq!(read(id, &text), Ok(there), "{text}");
                }
                // Those of the table, too.
                assert_eq!(read(id, &id.control().format(there)), Ok(there));
            }
        }
    }

    #[test]
    fn nodes_have_names() {
        assert_eq!(node("band_pass"), "Band pass");
        assert_eq!(node("gain"), "Gain");
        assert_eq!(node(""), "");
    }

    #[test]
    fn words_are_those_of_people() {
        for (id, there, text) in [
            (AZIMUTH, -30.5, "-30.5\u{b0}"),
            (L1_INTERVAL, 7.0, "7 semitones"),
            (BEAT_SOURCE, 0.0, "Hz"),
            (CARRIER_SOURCE, 2.0, "MIDI"),
            (SPACE_KIND, 1.0, "HRTF"),
            (BUS_FORMAT, 2.0, "FuMa"),
            (DIVISION, 13.0, "1/4"),
            (DIVISION, 14.0, "1/4 dotted"),
            (DIVISION, 12.0, "1/4 triplet"),
            (DIVISION, 21.0, "2 bars"),
            (L1_KIND, 3.0, "isochronic"),
            (CARRIER_NOTE, 57.0, "A3"),
        ] {
            assert_eq!(value(id, there), text);
        }
        assert_eq!(steady(BEAT, 6.0), "6.000 Hz");
        assert_eq!(steady(L1_LEVEL, -34.5), "-34.50 dB");
        assert_eq!(read(L1_INTERVAL, "1 semitone"), Ok(1.0));
        assert_eq!(read(AZIMUTH, "12 \u{b0}"), Ok(12.0));
        let wrong = read(L1_LEVEL, "loud").unwrap_err();
        assert!(wrong.starts_with("Layer 1 Level: "), "{wrong}");
    }
}
