//! The `params` object of a preset file: control values in real units.

use crate::engine::{ControlError, ControlId};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};

/// The version of the format that is read.
const VERSION: u64 = 1;

/// What a preset file sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Controls and their values, in the order of the file.
    pub settings: Vec<(ControlId, f64)>,
    /// Lines for the user about what was passed over: ids that this version does not know.
    pub warnings: Vec<String>,
}

/// Why a preset was refused.
#[derive(Debug)]
pub struct PresetError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: PresetProblem,
}

/// What can be wrong with a preset.
#[derive(Debug)]
pub enum PresetProblem {
    /// It cannot be read.
    Unreadable(std::io::Error),
    /// It is not JSON.
    Json(serde_json::Error),
    /// It has no object "params".
    NoParams,
    /// It is of a later version.
    Version(String),
    /// A value that its control does not take.
    Value(ControlError),
    /// A value that is neither number, name nor switch.
    Kind {
        /// The key.
        key: String,
        /// The value as JSON.
        value: String,
    },
}

impl fmt::Display for PresetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.problem {
            PresetProblem::Unreadable(error) => write!(f, "cannot be read: {error}"),
            PresetProblem::Json(error) => write!(f, "is not a preset, which is JSON: {error}"),
            PresetProblem::NoParams => {
                f.write_str("has no object \"params\"; write {\"zeitgeber\": 1, \"params\": {...}}")
            }
            PresetProblem::Version(version) => write!(
                f,
                "is of version {version}; this program reads version {VERSION}, get a newer one"
            ),
            PresetProblem::Value(error) => error.fmt(f),
            PresetProblem::Kind { key, value } => {
                write!(f, "{key}: {value} is not a number, a name, true or false")
            }
        }
    }
}

impl std::error::Error for PresetError {}

impl Preset {
    /// Reads a preset file.
    ///
    /// # Errors
    /// [`PresetError`], naming the file and the key at fault.
    pub fn read(path: &Path) -> Result<Preset, PresetError> {
        std::fs::read_to_string(path)
            .map_err(PresetProblem::Unreadable)
            .and_then(|text| Preset::parse(&text))
            .map_err(|problem| PresetError {
                path: path.to_owned(),
                problem,
            })
    }

    /// Reads the text of a preset. Values are numbers in the control's unit, enum names, or booleans;
    /// text with a unit ("6.3 Hz") is taken as well.
    ///
    /// # Errors
    /// [`PresetProblem`], naming the key at fault.
    pub fn parse(text: &str) -> Result<Preset, PresetProblem> {
        let json: Value = serde_json::from_str(text).map_err(PresetProblem::Json)?;
        match json.get("zeitgeber") {
            None => {}
            Some(version) if version.as_u64() == Some(VERSION) => {}
            Some(version) => return Err(PresetProblem::Version(version.to_string())),
        }
        let params = json
            .get("params")
            .and_then(Value::as_object)
            .ok_or(PresetProblem::NoParams)?;
        let mut preset = Preset {
            settings: Vec::new(),
            warnings: Vec::new(),
        };
        for (key, value) in params {
            let id = match ControlId::parse(key) {
                Ok(id) => id,
                Err(error) => {
                    preset.warnings.push(format!("{error}; ignored"));
                    continue;
                }
            };
            let text = match value {
                // Some writers of JSON know floats only: 1.0 for a switch is 1.
                Value::Number(number) => match number.as_f64() {
                    Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.0}"),
                    _ => number.to_string(),
                },
                Value::String(text) => text.clone(),
                Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
                _ => {
                    let (key, value) = (key.clone(), value.to_string());
                    return Err(PresetProblem::Kind { key, value });
                }
            };
            preset
                .settings
                .push((id, id.control().parse(&text).map_err(PresetProblem::Value)?));
        }
        Ok(preset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::controls::{BEAT, CEILING_ON, L1_KIND};

    #[test]
    fn numbers_names_and_booleans_are_read_and_unknown_keys_named() {
        let preset = Preset::parse(
            r#"{"zeitgeber": 1, "name": "x", "params":
                {"beat": 6.25, "l1_kind": "binaural", "ceiling_on": true, "beet": 1}}"#,
        )
        .unwrap();
        assert_eq!(
            preset.settings,
            [(BEAT, 6.25), (L1_KIND, 1.0), (CEILING_ON, 1.0)]
        );
        assert_eq!(preset.warnings.len(), 1);
        assert!(preset.warnings[0].contains("\"beet\"") && preset.warnings[0].contains("\"beat\""));
    }

    #[test]
    fn wrong_values_are_refused_by_key() {
        let refused = |text: &str| {
            let problem = Preset::parse(text).unwrap_err();
            PresetError {
                path: "p.json".into(),
                problem,
            }
            .to_string()
        };
        assert!(
            refused(r#"{"params": {"beat": 101}}"#).starts_with("p.json: beat: 101 is outside")
        );
        assert!(refused(r#"{"params": {"beat": null}}"#).contains("beat: null is not"));
        assert!(refused(r#"{"params": {"beat": true}}"#).contains("beat"));
        assert!(refused(r#"{"params": {"l1_kind": 1}}"#).contains("l1_kind"));
        assert!(refused("{}").contains("no object \"params\""));
        assert!(refused("[1]").contains("no object \"params\""));
        assert!(refused("beat=6").contains("JSON"));
        assert!(refused(r#"{"zeitgeber": 2, "params": {}}"#).contains("version 2"));
    }
}
