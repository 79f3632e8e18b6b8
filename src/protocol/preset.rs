//! A preset: the JSON document with what it says, checked. The document is kept as it was read, keys that this
//! version does not know included, so that reading and writing changes nothing.

use super::error::{PresetError, PresetProblem, short};
use super::rows::Protocol;
use crate::engine::controls::{self, CONTROLS, Control, Values};
use crate::engine::{ControlError, ControlId};
use crate::text::near;
use serde_json::{Map, Value, json};
use std::io;
use std::path::Path;

/// The version of the format.
pub const VERSION: u64 = 1;

/// The longest preset in bytes.
const LONGEST_FILE: u64 = 8 << 20;

/// Letters of a name at most.
const LONGEST_NAME: usize = 100;

/// Most warnings of a preset.
pub(super) const WARNINGS: usize = 20;

/// The keys of a preset.
const KEYS: [&str; 8] = [
    "zeitgeber",
    "name",
    "about",
    "group",
    "evidence",
    "params",
    "protocol",
    "hrtf",
];

/// The keys of "evidence".
const EVIDENCE_KEYS: [&str; 4] = ["grade", "cites", "found", "not_found"];

/// How good the evidence for a preset is. What it is evidence of is said in `found` and `not_found`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// Several controlled studies and a meta-analysis agree.
    A,
    /// Controlled studies or a meta-analysis find an effect, with exceptions.
    B,
    /// Studies disagree, or are small, or have no control.
    C,
    /// A convention: nobody has measured it.
    D,
    /// Controlled studies found nothing, or the opposite.
    N,
}

impl Grade {
    /// From its letter.
    pub fn parse(text: &str) -> Option<Grade> {
        let grades = [Grade::A, Grade::B, Grade::C, Grade::D, Grade::N];
        grades.into_iter().find(|grade| grade.letter() == text)
    }

    /// Its letter.
    pub fn letter(self) -> &'static str {
        match self {
            Grade::A => "A",
            Grade::B => "B",
            Grade::C => "C",
            Grade::D => "D",
            Grade::N => "N",
        }
    }

    /// What it means, in a line.
    pub fn meaning(self) -> &'static str {
        match self {
            Grade::A => "controlled studies and a meta-analysis agree",
            Grade::B => "controlled studies or a meta-analysis find an effect, with exceptions",
            Grade::C => "studies disagree, are small or have no control",
            Grade::D => "a convention: not measured",
            Grade::N => "controlled studies found nothing, or the opposite",
        }
    }
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cite {
    /// Authors, year, title, where.
    pub text: String,
    /// Whether nobody has held it against the publication itself.
    pub unchecked: bool,
}

/// What is known of what a preset does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// How good it is.
    pub grade: Grade,
    /// Where it was published.
    pub cites: Vec<Cite>,
    /// What was found.
    pub found: String,
    /// What was looked for and not found, or not looked for.
    pub not_found: String,
}

/// A preset.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    document: Map<String, Value>,
    settings: Vec<(ControlId, f64)>,
    protocol: Option<Protocol>,
    evidence: Option<Evidence>,
    warnings: Vec<String>,
}

/// A value of a control as JSON: a number in its unit, an enum name, or a boolean.
pub fn value_json(control: &Control, value: f64) -> Value {
    match control.values {
        Values::Number { .. } if value == value.trunc() && value.abs() < 1e15 => {
            json!(value as i64)
        }
        Values::Number { .. } => json!(value),
        Values::Choice { .. } => json!(control.format(value)),
        Values::Switch { .. } => json!(value >= 0.5),
    }
}

/// Reads a control's value from JSON: a number in its unit, text with a unit, an enum name, or a boolean.
///
/// # Errors
/// What is wrong with the value; `None` where it is no kind of value at all.
pub fn control_value(id: ControlId, value: &Value) -> Result<f64, Option<ControlError>> {
    let text = match value {
        // No value is so long, and to look for the nearest name would take its time.
        Value::String(text) if text.len() > 200 => return Err(None),
        // Some writers of JSON know floats only: 1.0 for a switch is 1.
        Value::Number(number) => match number.as_f64() {
            Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.0}"),
            _ => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
        _ => return Err(None),
    };
    id.control().parse(&text).map_err(Some)
}

/// The carrier in hertz that the engine plays of these values: a note's where it comes from one, unless a
/// timeline moves `carrier` itself. Before a MIDI note is played it is the fixed one.
pub fn carrier_hertz(value: impl Fn(ControlId) -> f64, moved: bool) -> f64 {
    if moved || value(controls::CARRIER_SOURCE) as usize == controls::CARRIER_HZ {
        return value(controls::CARRIER);
    }
    let octaves = (value(controls::CARRIER_NOTE) - 69.0) / 12.0;
    let hertz = value(controls::TUNING) * 2f64.powf(octaves);
    controls::CARRIER.control().clamp(hertz)
}

impl Preset {
    /// Of controls with their values; those at their defaults are left out.
    pub fn new(
        name: &str,
        about: &str,
        settings: &[(ControlId, f64)],
        protocol: Option<&Protocol>,
    ) -> Preset {
        let params = params(settings, protocol);
        let mut document = Map::new();
        document.insert("zeitgeber".to_owned(), json!(VERSION));
        document.insert("name".to_owned(), json!(name));
        if !about.is_empty() {
            document.insert("about".to_owned(), json!(about));
        }
        document.insert("params".to_owned(), Value::Object(params));
        if let Some(protocol) = protocol {
            document.insert("protocol".to_owned(), protocol.document().clone());
        }
        Preset {
            settings: settings.to_vec(),
            document,
            protocol: protocol.cloned(),
            evidence: None,
            warnings: Vec::new(),
        }
    }

    /// With another sound and everything else as it was: about, evidence, and keys that this version does not
    /// know. `hrtf` is the path of the SOFA file; none takes it away.
    #[must_use]
    pub fn with(
        &self,
        settings: &[(ControlId, f64)],
        protocol: Option<&Protocol>,
        hrtf: Option<&str>,
    ) -> Preset {
        let mut document = self.document.clone();
        let mut params = params(settings, protocol);
        if let Some(Value::Object(before)) = document.get("params") {
            let unknown = before.iter().filter(|(key, _)| !is_known(key));
            params.extend(unknown.map(|(key, value)| (key.clone(), value.clone())));
        }
        document.insert("params".to_owned(), Value::Object(params));
        let mut put = |key: &str, value: Option<Value>| match value {
            Some(value) => {
                document.insert(key.to_owned(), value);
            }
            // A key that says nothing keeps its place.
            None => {
                if let Some(value) = document.get_mut(key) {
                    *value = Value::Null;
                }
            }
        };
        put(
            "protocol",
            protocol.map(|protocol| protocol.document().clone()),
        );
        put("hrtf", hrtf.map(|path| json!(path)));
        Preset {
            document,
            settings: settings.to_vec(),
            protocol: protocol.cloned(),
            evidence: self.evidence.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// Reads a preset file.
    ///
    /// # Errors
    /// [`PresetError`], naming the file and the key at fault.
    pub fn read(path: &Path) -> Result<Preset, PresetError> {
        read_text(path)
            .and_then(|text| Preset::parse(&text))
            .map_err(|problem| PresetError {
                path: path.to_owned(),
                problem,
            })
    }

    /// Reads the text of a preset.
    ///
    /// # Errors
    /// [`PresetProblem`], naming the key at fault.
    pub fn parse(text: &str) -> Result<Preset, PresetProblem> {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Err(PresetProblem::Empty);
        }
        match serde_json::from_str(text).map_err(PresetProblem::Json)? {
            Value::Object(document) => Preset::from_document(document),
            _ => Err(PresetProblem::NoParams),
        }
    }

    fn from_document(mut document: Map<String, Value>) -> Result<Preset, PresetProblem> {
        let mut warnings = migrate(&mut document)?;
        let params = match document.get("params") {
            Some(Value::Object(params)) => params,
            _ => return Err(PresetProblem::NoParams),
        };
        let mut settings = Vec::new();
        for (key, value) in params {
            let Some(id) = known(key, "params", &mut warnings) else {
                continue;
            };
            let value = control_value(id, value).map_err(|error| match error {
                Some(error) => PresetProblem::Value(error),
                None => PresetProblem::Kind {
                    key: key.clone(),
                    value: short(value),
                },
            })?;
            settings.push((id, value));
        }
        let unknown = document.keys().filter(|key| !KEYS.contains(&key.as_str()));
        for key in unknown.take(WARNINGS) {
            let key = short(key);
            let near = aside(&key, &KEYS);
            warnings.push(format!(
                "\"{key}\" means nothing here{near}; kept and ignored"
            ));
        }
        for (key, most) in [
            ("name", LONGEST_NAME),
            ("group", LONGEST_NAME),
            ("about", 10_000),
            ("hrtf", 4096),
        ] {
            check_text(&document, key, most)?;
        }
        let evidence = match document.get("evidence") {
            None | Some(Value::Null) => None,
            Some(value) => Some(evidence(value, &mut warnings)?),
        };
        let protocol = match document.get("protocol") {
            None | Some(Value::Null) => None,
            Some(value) => Some(Protocol::from_json(value, &settings, &mut warnings)?),
        };
        let plays = settings.iter().any(|(id, _)| *id == controls::PROTOCOL_ON);
        if protocol.is_some() && !plays {
            settings.push((controls::PROTOCOL_ON, 1.0));
        }
        warnings.truncate(WARNINGS);
        Ok(Preset {
            document,
            settings,
            protocol,
            evidence,
            warnings,
        })
    }

    fn text_of(&self, key: &str) -> &str {
        self.document.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// Its name; empty where it has none.
    pub fn name(&self) -> &str {
        self.text_of("name")
    }

    /// Gives it another name.
    pub fn rename(&mut self, name: &str) {
        self.document.insert("name".to_owned(), json!(name));
    }

    /// What it is, for people.
    pub fn about(&self) -> &str {
        self.text_of("about")
    }

    /// The kind of thing that it is: "sleep", "study", ...
    pub fn group(&self) -> &str {
        self.text_of("group")
    }

    /// The SOFA file that it asks for.
    pub fn hrtf(&self) -> Option<&str> {
        Some(self.text_of("hrtf")).filter(|path| !path.is_empty())
    }

    /// What is known of what it does.
    pub fn evidence(&self) -> Option<&Evidence> {
        self.evidence.as_ref()
    }

    /// The controls that it sets, in the order of the file. A protocol turns `protocol_on` on where the file
    /// does not say.
    pub fn settings(&self) -> &[(ControlId, f64)] {
        &self.settings
    }

    /// Every control's value: what the preset does not set is at its default.
    pub fn all_settings(&self) -> Vec<(ControlId, f64)> {
        let mut values: Vec<f64> = CONTROLS.iter().map(Control::default_value).collect();
        for (id, value) in &self.settings {
            values[id.index()] = *value;
        }
        ControlId::all()
            .map(|id| (id, values[id.index()]))
            .collect()
    }

    /// Whether loading it sets a control: it leaves bypass alone, and all that belongs to an insert of which it says
    /// nothing, for what the insert holds is the project's.
    pub fn sets(&self, id: ControlId) -> bool {
        let insert = controls::INSERTS.iter().find(|insert| insert.has(id));
        let Some(insert) = insert else {
            return id != controls::BYPASS;
        };
        let params = self.document.get("params").and_then(Value::as_object);
        let said =
            |id: ControlId| params.is_some_and(|params| params.contains_key(id.control().id));
        let mut moved = self.protocol.iter().flat_map(Protocol::rows);
        let mut ids = insert.macros.into_iter().chain([insert.on]);
        ids.any(said) || moved.any(|row| insert.has(row.control))
    }

    /// Says where these controls are, though they be at their defaults.
    pub fn say(&mut self, settings: &[(ControlId, f64)]) {
        if let Some(Value::Object(params)) = self.document.get_mut("params") {
            for (id, value) in settings {
                let control = id.control();
                params.insert(control.id.to_owned(), value_json(control, *value));
            }
        }
    }

    /// Its timeline.
    pub fn protocol(&self) -> Option<&Protocol> {
        self.protocol.as_ref()
    }

    /// Lines for the user about what was passed over.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The document as JSON text.
    pub fn to_text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.document);
        // A document that was read from JSON, or built of JSON values, can be written.
        text.map_or_else(|_| String::new(), |text| text + "\n")
    }
}

/// The text of a file of a preset's length.
pub(super) fn read_text(path: &Path) -> Result<String, PresetProblem> {
    String::from_utf8(read_bytes(path)?).map_err(|_| {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
        PresetProblem::Unreadable(error)
    })
}

/// Its bytes. What is no plain file is not opened.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, PresetProblem> {
    crate::file::bytes(path, LONGEST_FILE).map_err(|error| {
        let long = std::fs::metadata(path).map_or(LONGEST_FILE + 1, |about| about.len());
        match error.kind() {
            io::ErrorKind::FileTooLarge => PresetProblem::Long(long, LONGEST_FILE),
            _ => PresetProblem::Unreadable(error),
        }
    })
}

/// The key that was meant, in brackets; nothing where none is near.
fn aside(key: &str, keys: &[&str]) -> String {
    near(key, keys.iter().copied())
        .map_or_else(String::new, |near| format!(" (the nearest is \"{near}\")"))
}

/// The control of a key; where there is none, a warning says so.
pub(super) fn known(key: &str, place: &str, warnings: &mut Vec<String>) -> Option<ControlId> {
    // The nearest of a name takes its time: not for names that are far too long, and not for ever.
    if key.len() > 60 || warnings.len() >= WARNINGS {
        if warnings.len() < WARNINGS {
            warnings.push(format!(
                "{place}: there is no parameter \"{}\"; kept and ignored",
                short(&key)
            ));
        }
        return ControlId::all().find(|id| id.control().id == key);
    }
    match ControlId::parse(key) {
        Ok(id) => Some(id),
        Err(error) => {
            warnings.push(format!("{place}: {error}; kept and ignored"));
            None
        }
    }
}

/// Whether a key is a control's.
fn is_known(key: &str) -> bool {
    CONTROLS.iter().any(|control| control.id == key)
}

/// Controls with their values as JSON; those at their defaults are left out.
fn params(settings: &[(ControlId, f64)], protocol: Option<&Protocol>) -> Map<String, Value> {
    let mut params = Map::new();
    for (id, value) in settings {
        let control = id.control();
        // A protocol is on by itself: that it is not is what has to be said.
        let default = if *id == controls::PROTOCOL_ON && protocol.is_some() {
            1.0
        } else {
            control.default_value()
        };
        if *value != default && *id != controls::BYPASS {
            params.insert(control.id.to_owned(), value_json(control, *value));
        }
    }
    params
}

/// Brings a document to this version; says what that changed.
fn migrate(document: &mut Map<String, Value>) -> Result<Vec<String>, PresetProblem> {
    match document.get("zeitgeber") {
        // Before presets were numbered they had params and nothing else that matters.
        None => {
            document.shift_insert(0, "zeitgeber".to_owned(), json!(VERSION));
            Ok(vec![format!(
                "it has no \"zeitgeber\" version; read as version {VERSION}"
            )])
        }
        // Some writers of JSON know floats only: 1.0 is 1.
        Some(version) => match version.as_f64() {
            Some(number) if number == VERSION as f64 => Ok(Vec::new()),
            _ => Err(PresetProblem::Version(short(version))),
        },
    }
}

fn check_text(document: &Map<String, Value>, key: &str, most: usize) -> Result<(), PresetProblem> {
    let wrong = |value: &Value, wanted: String| {
        Err(PresetProblem::Part {
            key: key.to_owned(),
            value: short(value),
            wanted,
        })
    };
    match document.get(key) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.chars().count() <= most => Ok(()),
        Some(value @ Value::String(_)) => wrong(value, format!("text of at most {most} letters")),
        Some(value) => wrong(value, "text".to_owned()),
    }
}

fn evidence(value: &Value, warnings: &mut Vec<String>) -> Result<Evidence, PresetProblem> {
    let part = |key: &str, value: &Value, wanted: &str| PresetProblem::Part {
        key: key.to_owned(),
        value: short(value),
        wanted: wanted.to_owned(),
    };
    let Value::Object(map) = value else {
        return Err(part(
            "evidence",
            value,
            "an object with \"grade\" and \"cites\"",
        ));
    };
    let unknown = map
        .keys()
        .filter(|key| !EVIDENCE_KEYS.contains(&key.as_str()));
    for key in unknown.take(WARNINGS) {
        let key = short(key);
        let near = aside(&key, &EVIDENCE_KEYS);
        warnings.push(format!(
            "evidence: \"{key}\" means nothing here{near}; kept and ignored"
        ));
    }
    let null = Value::Null;
    let given = map.get("grade").unwrap_or(&null);
    let grade = given
        .as_str()
        .and_then(Grade::parse)
        .ok_or_else(|| part("evidence.grade", given, "one of A, B, C, D, N"))?;
    let text = |key: &str| match map.get(key) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(part(&format!("evidence.{key}"), other, "text")),
    };
    let cites = match map.get("cites") {
        None => Vec::new(),
        Some(Value::Array(cites)) => cites
            .iter()
            .map(|value| match value {
                Value::String(text) => Ok(Cite {
                    text: text.clone(),
                    unchecked: false,
                }),
                Value::Object(cite) => Ok(Cite {
                    text: cite
                        .get("text")
                        .and_then(Value::as_str)
                        .ok_or_else(|| {
                            part("evidence.cites", value, "text, or an object with \"text\"")
                        })?
                        .to_owned(),
                    unchecked: cite
                        .get("unchecked")
                        .and_then(Value::as_bool)
                        .unwrap_or(false),
                }),
                other => Err(part(
                    "evidence.cites",
                    other,
                    "text, or an object with \"text\"",
                )),
            })
            .collect::<Result<_, _>>()?,
        Some(other) => return Err(part("evidence.cites", other, "a list")),
    };
    Ok(Evidence {
        grade,
        cites,
        found: text("found")?,
        not_found: text("not_found")?,
    })
}

#[cfg(test)]
mod tests;
