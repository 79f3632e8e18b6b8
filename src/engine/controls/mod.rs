//! Controls: what a parameter is, how its values read as text, clamp and snap. The table of them is `table.rs`.
//!
//! The engine, the command line, the presets and the plugin's parameters all read that table; nothing
//! else knows an id. Ids, ranges, scales and the order of enum names are permanent once released.

mod notes;
mod table;

pub use table::*;

use crate::text::{Instead, instead, near};
use notes::{note_name, note_number};
use std::fmt;

/// The position of a control in [`CONTROLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ControlId(u16);

impl ControlId {
    pub(in crate::engine) const fn at(position: u16) -> ControlId {
        ControlId(position)
    }

    /// The position in [`CONTROLS`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The entry of the table.
    pub fn control(self) -> &'static Control {
        &CONTROLS[self.index()]
    }

    /// All ids in the order of the table.
    pub fn all() -> impl Iterator<Item = ControlId> {
        (0..CONTROLS.len() as u16).map(ControlId)
    }

    /// Looks an id up by its text.
    ///
    /// # Errors
    /// [`ControlError::UnknownId`], naming an id that is near.
    pub fn parse(text: &str) -> Result<ControlId, ControlError> {
        CONTROLS
            .iter()
            .position(|control| control.id == text)
            .map(|index| ControlId(index as u16))
            .ok_or_else(|| ControlError::UnknownId {
                id: text.to_owned(),
                instead: instead(text, CONTROLS.iter().map(|control| control.id)),
            })
    }
}

/// How a host's 0..1 maps onto the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Proportional: a straight lane is a straight glide.
    Linear,
    /// Equal ratios for equal distances.
    Logarithmic,
}

/// What values a control takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// A number in a unit.
    Number {
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
        /// Value of a new instance.
        default: f64,
        /// Displayed decimals; what comes from a host is snapped to them.
        decimals: usize,
        /// Unit as displayed, with its leading space ("Hz", "dB", "s"); empty for none.
        unit: &'static str,
        /// Host scale.
        scale: Scale,
        /// The lowest value is silence (levels).
        floor_is_silence: bool,
        /// A MIDI note number, written as a note ("A3"; 60 is C4).
        is_note: bool,
    },
    /// One of several names, in permanent order.
    Choice {
        /// The names used by the command line, presets and OSC (lower case).
        names: &'static [&'static str],
        /// Index of the value of a new instance.
        default: usize,
    },
    /// Off or on.
    Switch {
        /// Value of a new instance.
        default: bool,
    },
}

/// One control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// Permanent id.
    pub id: &'static str,
    /// Name in hosts.
    pub name: &'static str,
    /// Group in hosts, the editor and listings.
    pub group: &'static str,
    /// Values.
    pub values: Values,
    /// One line of help.
    pub help: &'static str,
}

/// Why an id or a value was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum ControlError {
    /// No such id.
    UnknownId {
        /// What was asked for.
        id: String,
        /// What there is instead.
        instead: Instead,
    },
    /// No such enum name.
    UnknownName {
        /// The control.
        id: &'static str,
        /// What was asked for.
        value: String,
        /// The name that may have been meant.
        near: Option<String>,
        /// All names that can be used.
        names: Vec<&'static str>,
    },
    /// Not a number in the control's unit.
    NotANumber {
        /// The control.
        id: &'static str,
        /// What was given.
        value: String,
        /// An example of a valid value.
        example: String,
    },
    /// Outside the range.
    OutOfRange {
        /// The control.
        id: &'static str,
        /// What was given.
        value: f64,
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
        /// Unit.
        unit: &'static str,
    },
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::UnknownId { id, instead } => {
                write!(f, "there is no parameter \"{id}\"{instead}")
            }
            ControlError::UnknownName {
                id,
                value,
                near,
                names,
            } => {
                write!(f, "{id}: \"{value}\" is not one of {}", names.join(", "))?;
                match near {
                    Some(near) => write!(f, "; the nearest is \"{near}\""),
                    None => Ok(()),
                }
            }
            ControlError::NotANumber { id, value, example } => {
                write!(
                    f,
                    "{id}: \"{value}\" is not a value; write for example \"{example}\""
                )
            }
            ControlError::OutOfRange {
                id,
                value,
                min,
                max,
                unit,
            } => {
                let nearest = value.clamp(*min, *max);
                write!(
                    f,
                    "{id}: {value} is outside {min} to {max}{}{unit}; the nearest valid value is {nearest}",
                    if unit.is_empty() { "" } else { " " }
                )
            }
        }
    }
}

impl std::error::Error for ControlError {}

/// How a switch is written.
const SWITCH: [&str; 6] = ["on", "off", "true", "false", "1", "0"];

impl Control {
    /// Value of a new instance (enums by index, switches 0 or 1).
    pub const fn default_value(&self) -> f64 {
        match self.values {
            Values::Number { default, .. } => default,
            Values::Choice { default, .. } => default as f64,
            Values::Switch { default } => default as u8 as f64,
        }
    }

    /// Lowest and highest value.
    pub const fn range(&self) -> (f64, f64) {
        match self.values {
            Values::Number { min, max, .. } => (min, max),
            Values::Choice { names, .. } => (0.0, (names.len() - 1) as f64),
            Values::Switch { .. } => (0.0, 1.0),
        }
    }

    /// Unit as displayed; empty for none.
    pub const fn unit(&self) -> &'static str {
        match self.values {
            Values::Number { unit, .. } => unit,
            _ => "",
        }
    }

    /// Clamps into the range and snaps to the displayed decimals; a value that is not finite becomes
    /// the default. This is what hosts' values go through.
    pub fn snap(&self, value: f64) -> f64 {
        if !value.is_finite() {
            return self.default_value();
        }
        let (min, max) = self.range();
        let value = value.clamp(min, max);
        match self.values {
            Values::Number { decimals, .. } => {
                let grid = 10f64.powi(decimals as i32);
                // Dividing by the power of ten gives the f64 nearest to the decimal that is displayed;
                // multiplying by its inverse would not.
                ((value * grid).round() / grid).clamp(min, max)
            }
            _ => value.round(),
        }
    }

    /// Clamps into the range without snapping; a value that is not finite becomes the default.
    pub fn clamp(&self, value: f64) -> f64 {
        if !value.is_finite() {
            return self.default_value();
        }
        let (min, max) = self.range();
        match self.values {
            Values::Number { .. } => value.clamp(min, max),
            _ => value.round().clamp(min, max),
        }
    }

    /// From a host's 0..1 to the unit, snapped.
    pub fn from_normalized(&self, normalized: f64) -> f64 {
        let (min, max) = self.range();
        let x = normalized.clamp(0.0, 1.0);
        match self.values {
            Values::Number {
                scale: Scale::Logarithmic,
                ..
            } => self.snap(min * (max / min).powf(x)),
            _ => self.snap(min + x * (max - min)),
        }
    }

    /// From the unit to a host's 0..1.
    pub fn to_normalized(&self, value: f64) -> f64 {
        let (min, max) = self.range();
        let value = value.clamp(min, max);
        match self.values {
            Values::Number {
                scale: Scale::Logarithmic,
                ..
            } => (value / min).ln() / (max / min).ln(),
            _ => (value - min) / (max - min),
        }
    }

    /// The value as text with its unit: "6.3 Hz", "-20 dB", "A3", "binaural", "on". The lowest level is a
    /// number too: hosts that find one word among the numbers of a parameter take all of them for words.
    pub fn format(&self, value: f64) -> String {
        match self.values {
            Values::Number {
                unit,
                decimals,
                is_note,
                ..
            } => {
                let value = self.snap(value);
                if is_note {
                    return note_name(value);
                }
                let mut text = format!("{value:.decimals$}");
                if text.contains('.') {
                    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
                }
                if text == "-0" {
                    text = "0".to_owned();
                }
                if unit.is_empty() {
                    text
                } else {
                    format!("{text} {unit}")
                }
            }
            Values::Choice { names, .. } => {
                names[(self.clamp(value) as usize).min(names.len() - 1)].to_owned()
            }
            Values::Switch { .. } => if value >= 0.5 { "on" } else { "off" }.to_owned(),
        }
    }

    /// Reads text with or without the unit; enums by name, switches as 0/1, on/off, true/false. The
    /// value must lie in the range: nothing is clamped.
    ///
    /// # Errors
    /// [`ControlError`], naming the nearest valid thing.
    pub fn parse(&self, text: &str) -> Result<f64, ControlError> {
        let value = self.parse_any(text)?;
        let (min, max) = self.range();
        if value < min || value > max {
            return Err(ControlError::OutOfRange {
                id: self.id,
                value,
                min,
                max,
                unit: self.unit(),
            });
        }
        Ok(value)
    }

    /// As [`Control::parse`], but reserved names and values outside the range pass: hosts' text.
    ///
    /// # Errors
    /// [`ControlError`] for text that is neither a number in the unit nor a name.
    pub fn parse_any(&self, text: &str) -> Result<f64, ControlError> {
        let text = text.trim();
        let lower = text.to_lowercase();
        match self.values {
            Values::Number {
                unit,
                min,
                max,
                floor_is_silence,
                is_note,
                ..
            } => {
                if let (true, Some(note)) = (is_note, note_number(&lower)) {
                    return Ok(note);
                }
                if floor_is_silence && matches!(lower.as_str(), "silent" | "-inf" | "-inf db") {
                    return Ok(min);
                }
                let bare = lower
                    .strip_suffix(&unit.to_lowercase())
                    .unwrap_or(&lower)
                    .trim_end();
                match bare.parse::<f64>() {
                    Ok(value) if value.is_finite() => Ok(value),
                    // "inf", "1e400": a number, and beyond every range.
                    Ok(value) if value.is_infinite() => Err(ControlError::OutOfRange {
                        id: self.id,
                        value,
                        min,
                        max,
                        unit,
                    }),
                    _ => Err(ControlError::NotANumber {
                        id: self.id,
                        value: text.to_owned(),
                        example: self.format(self.default_value()),
                    }),
                }
            }
            Values::Choice { names, .. } => names
                .iter()
                .position(|name| *name == lower)
                .map(|index| index as f64)
                .ok_or_else(|| ControlError::UnknownName {
                    id: self.id,
                    value: text.to_owned(),
                    near: near(&lower, names.iter().copied()),
                    names: names.to_vec(),
                }),
            Values::Switch { .. } => match lower.as_str() {
                "1" | "on" | "true" => Ok(1.0),
                "0" | "off" | "false" => Ok(0.0),
                _ => Err(ControlError::UnknownName {
                    id: self.id,
                    value: text.to_owned(),
                    near: near(&lower, SWITCH.iter().copied()),
                    names: SWITCH.to_vec(),
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests;
