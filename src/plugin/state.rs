//! The state that hosts save: checked as a whole before any of it is loaded.
//!
//! nice-plug applies a state field by field, skips bad ones alone, keeps current values for missing ones
//! and does not clamp. So [`filter`] looks at all of it first. A state that is sound is completed with
//! defaults; one that is not is emptied, so that nothing changes, and a notice says why.

use super::params::{LAST_REVISION, REVISION, from_plain, to_plain};
use crate::editor::insert::{self, INSERTS, InsertChoice};
use crate::editor::{EditorSize, HrtfChoice, Link, SessionState};
use crate::engine::ControlId;
use crate::engine::controls::{Control, Values};
use crate::protocol::Protocol;
use nice_plug::plugin::{ParamValue, PluginState};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The version of the state's form. It grows when an older Zeitgeber could no longer read a state.
///
/// 1: parameters, editor, HRTF file. 2: the protocol, the preset's name, and parts that were reserved: the inserts'
/// has a form of its own.
const VERSION: u32 = 2;

const VERSION_KEY: &str = "state_version";
const EDITOR_KEY: &str = "editor";
const HRTF_KEY: &str = "hrtf";
const PROTOCOL_KEY: &str = "protocol";
const PRESET_KEY: &str = "preset";
/// What the inserts hold; a form of it that a later version writes is kept.
const INSERTS_KEY: &str = "inserts";
/// Learned MIDI, and ports, axes and values that are held from outside. What of it cannot be read is kept, too.
const CONTROL_KEYS: [&str; 2] = ["midi", "osc"];
/// Messages on their way from [`filter`], which is static, to the instance. Never saved.
const NOTICE_KEY: &str = "notice";

/// The longest part of a state in bytes.
const LONGEST_PART: usize = 8 << 20;

/// Letters of a preset's name at most.
const LONGEST_NAME: usize = 200;

/// Most unknown names that one message lists.
const NAMED: usize = 5;

/// What is saved beside the parameters, as JSON by key.
pub(super) fn fields(
    editor: EditorSize,
    hrtf: Option<HrtfChoice>,
    session: &SessionState,
    inserts: &[Option<InsertChoice>; INSERTS],
) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::from([(VERSION_KEY.to_owned(), VERSION.to_string())]);
    // Two floats always have a JSON form; a size that had none would only be forgotten.
    if let Ok(json) = serde_json::to_string(&editor.usable()) {
        fields.insert(EDITOR_KEY.to_owned(), json);
    }
    // A path that is no text has no JSON form; it can only have been typed, which is text.
    if let Some(Ok(json)) = hrtf.map(|hrtf| serde_json::to_string(&hrtf)) {
        fields.insert(HRTF_KEY.to_owned(), json);
    }
    if let Some(protocol) = &session.protocol {
        fields.insert(PROTOCOL_KEY.to_owned(), protocol.document().to_string());
    }
    if !session.name.is_empty()
        && let Ok(json) = serde_json::to_string(&session.name)
    {
        fields.insert(PRESET_KEY.to_owned(), json);
    }
    for (key, json) in &session.reserved {
        fields.insert(key.clone(), json.clone());
    }
    if let Some(json) = insert::write(inserts) {
        fields.insert(INSERTS_KEY.to_owned(), json);
    }
    fields
}

/// Reads the protocol of a state whose parameters are these: what no row sets at second 0 begins there. Beside it
/// comes why it cannot be played from there.
fn protocol(
    json: &str,
    settings: &[(ControlId, f64)],
) -> Result<(Protocol, Option<String>), String> {
    let value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let (protocol, problem) = Protocol::from_session(&value, settings, &mut Vec::new())
        .map_err(|error| error.to_string())?;
    Ok((protocol, problem.map(|problem| problem.to_string())))
}

/// The controls that a state sets, which have been checked.
fn settings(state: &PluginState) -> Vec<(ControlId, f64)> {
    let value = |id: ControlId| match state.params.get(id.control().id)? {
        ParamValue::F32(plain) => Some(from_plain(id.control(), *plain)),
        ParamValue::I32(index) => Some(f64::from(*index)),
        ParamValue::Bool(on) => Some(f64::from(u8::from(*on))),
        ParamValue::String(_) => None,
    };
    ControlId::all()
        .filter_map(|id| Some((id, value(id)?)))
        .collect()
}

fn name(json: &str) -> Result<String, String> {
    let name: String = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("it has over {LONGEST_NAME} letters"));
    }
    Ok(name)
}

/// Takes over the fields of a state that [`filter`] has seen; tells whether it was accepted.
pub(super) fn restore(fields: &BTreeMap<String, String>, link: &Link) -> bool {
    if let Some(size) = fields
        .get(EDITOR_KEY)
        .and_then(|json| serde_json::from_str(json).ok())
    {
        link.set_size(size);
    }
    // A state that says nothing of it has the embedded set; one that was refused has no fields at all.
    let accepted = fields.contains_key(VERSION_KEY);
    if accepted {
        let chosen = fields.get(HRTF_KEY);
        link.choose_hrtf(chosen.and_then(|json| HrtfChoice::parse(json).ok()));
        link.edit_session(|session| {
            let read = |key: &str| fields.get(key);
            session.protocol = read(PROTOCOL_KEY)
                .and_then(|json| protocol(json, &[]).ok())
                .map(|(protocol, _)| Arc::new(protocol));
            session.name = read(PRESET_KEY)
                .and_then(|json| name(json).ok())
                .unwrap_or_default();
            // Of a later version.
            session.reserved = read(INSERTS_KEY)
                .filter(|json| insert::read(json) == Ok(None))
                .map(|json| (INSERTS_KEY.to_owned(), json.clone()))
                .into_iter()
                .collect();
        });
        let inserts = fields.get(INSERTS_KEY).map(|json| insert::read(json));
        let choices = inserts.and_then(|read| read.ok().flatten());
        for (place, choice) in choices.unwrap_or_default().into_iter().enumerate() {
            // What sounds already need not ask again.
            if link.insert(place).choice != choice {
                link.choose_insert(place, choice, false);
            }
        }
        let control = CONTROL_KEYS
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), fields.get(*key)?.clone())));
        link.control.restore(control.collect());
    }
    let notices: Vec<String> = fields
        .get(NOTICE_KEY)
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    for notice in notices {
        link.messages.post(notice);
    }
    link.repaint();
    accepted
}

/// Checks and completes a state before it is loaded, or empties it.
pub(super) fn filter(state: &mut PluginState) {
    // Whatever a file says here was not said by us.
    state.fields.remove(NOTICE_KEY);
    let notices = match check(state) {
        Ok(ignored) => {
            for id in ControlId::all() {
                let control = id.control();
                let default = || saved(control, control.default_value());
                state
                    .params
                    .entry(control.id.to_owned())
                    .or_insert_with(default);
            }
            ignored
        }
        Err(reason) => {
            state.params.clear();
            state.fields.clear();
            vec![refused(&reason)]
        }
    };
    if !notices.is_empty()
        && let Ok(json) = serde_json::to_string(&notices)
    {
        state.fields.insert(NOTICE_KEY.to_owned(), json);
    }
}

/// What is said of a state that is not loaded.
pub(super) fn refused(reason: &str) -> String {
    format!("this state was not loaded: {reason}. The sound stays as it was.")
}

/// The form in which nice-plug saves a value.
fn saved(control: &Control, value: f64) -> ParamValue {
    match control.values {
        Values::Number { .. } => ParamValue::F32(to_plain(control, value)),
        Values::Choice { .. } => ParamValue::I32(value as i32),
        Values::Switch { .. } => ParamValue::Bool(value >= 0.5),
    }
}

/// Looks at everything; removes what is unknown and returns what to say about it. The error says what is
/// wrong with the whole.
fn check(state: &mut PluginState) -> Result<Vec<String>, String> {
    if let Some(text) = state.fields.get(VERSION_KEY) {
        match text.trim().parse::<u32>() {
            Ok(version) if version <= VERSION => {}
            Ok(version) => {
                return Err(format!(
                    "it was saved by a newer Zeitgeber (form {version}, this one reads up to {VERSION})"
                ));
            }
            Err(_) => return Err(format!("its version \"{}\" is no number", shorten(text))),
        }
    }
    if let Some(text) = state.fields.get(EDITOR_KEY)
        && serde_json::from_str::<EditorSize>(text).is_err()
    {
        return Err(format!(
            "the size of its editor, \"{}\", is unreadable",
            shorten(text)
        ));
    }
    if let Some(text) = state.fields.get(HRTF_KEY)
        && let Err(error) = HrtfChoice::parse(text)
    {
        return Err(format!(
            "its HRTF file, \"{}\", is unreadable: {error}",
            shorten(text)
        ));
    }
    if let Some((key, json)) = state
        .fields
        .iter()
        .find(|(_, json)| json.len() > LONGEST_PART)
    {
        return Err(format!(
            "its part \"{}\" is {} bytes long",
            shorten(key),
            json.len()
        ));
    }
    if let Some(text) = state.fields.get(PRESET_KEY)
        && let Err(error) = name(text)
    {
        return Err(format!("the name of its preset is unreadable: {error}"));
    }
    let mut ignored = Vec::new();
    match state.fields.get(INSERTS_KEY).map(|text| insert::read(text)) {
        Some(Err(error)) => {
            return Err(format!("what its inserts hold is unreadable: {error}"));
        }
        // `restore` keeps it.
        Some(Ok(None)) => ignored.push(
            "what the inserts of this state hold has a form that this version does not know: they are empty, and saving \
             keeps it as it is until you put something into an insert"
                .to_owned(),
        ),
        Some(Ok(Some(_))) | None => {}
    }
    for key in CONTROL_KEYS {
        if let Some(text) = state.fields.get(key)
            && let Err(error) = serde_json::from_str::<serde_json::Value>(text)
        {
            return Err(format!("its part \"{key}\" is unreadable: {error}"));
        }
    }
    for id in ControlId::all() {
        let control = id.control();
        if let Some(value) = state.params.get(control.id) {
            check_value(control, value)?;
        }
    }
    if let Some(text) = state.fields.get(PROTOCOL_KEY) {
        let (_, problem) = protocol(text, &settings(state))
            .map_err(|error| format!("its protocol is unreadable: {error}"))?;
        if let Some(problem) = problem {
            ignored.push(format!(
                "the protocol of this state waits until it can be played: {problem}"
            ));
        }
    }
    if let Some(value) = state.params.get(REVISION)
        && !matches!(value, ParamValue::I32(0..=LAST_REVISION))
    {
        return Err(format!(
            "its \"{REVISION}\" is no number from 0 to {LAST_REVISION}"
        ));
    }
    let known = |id: &str| id == REVISION || ControlId::parse(id).is_ok();
    if let Some(names) = drop_unknown(&mut state.params, known) {
        ignored.push(format!(
            "this state has parameters that this version does not know: {names}"
        ));
    }
    let known = |key: &str| {
        let keys = [VERSION_KEY, EDITOR_KEY, HRTF_KEY, PROTOCOL_KEY, PRESET_KEY];
        keys.contains(&key) || key == INSERTS_KEY || CONTROL_KEYS.contains(&key)
    };
    if let Some(names) = drop_unknown(&mut state.fields, known) {
        ignored.push(format!(
            "this state has parts that this version does not know: {names}"
        ));
    }
    Ok(ignored)
}

fn drop_unknown<T>(map: &mut BTreeMap<String, T>, known: impl Fn(&str) -> bool) -> Option<String> {
    let unknown: Vec<String> = map.keys().filter(|key| !known(key)).cloned().collect();
    for key in &unknown {
        map.remove(key);
    }
    let named: Vec<String> = unknown
        .iter()
        .take(NAMED)
        .map(|key| format!("\"{}\"", shorten(key)))
        .collect();
    match unknown.len().saturating_sub(NAMED) {
        _ if unknown.is_empty() => None,
        0 => Some(named.join(", ")),
        more => Some(format!("{} and {more} more", named.join(", "))),
    }
}

/// A state can hold anything: no message repeats more than a line of it.
fn shorten(text: &str) -> String {
    shorten_to(text, 40)
}

/// At most so many letters of a text, in one line.
pub(super) fn shorten_to(text: &str, most: usize) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(most)
        .collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

fn check_value(control: &Control, value: &ParamValue) -> Result<(), String> {
    let id = control.id;
    match (control.values, value) {
        (Values::Number { min, max, unit, .. }, ParamValue::F32(plain)) => {
            if !plain.is_finite() {
                return Err(format!("\"{id}\" is not a finite number"));
            }
            // Compared as saved: the nearest f32 to an end of the range may lie outside it.
            if *plain < to_plain(control, min) || *plain > to_plain(control, max) {
                let value = from_plain(control, *plain);
                return Err(
                    format!("\"{id}\" is {value}, outside {min} to {max} {unit}")
                        .trim_end()
                        .into(),
                );
            }
            Ok(())
        }
        (Values::Choice { names, .. }, ParamValue::I32(index)) => match usize::try_from(*index) {
            Ok(index) if index < names.len() => Ok(()),
            _ => Err(format!(
                "\"{id}\" is number {index} of a list that goes from 0 ({}) to {} ({})",
                names[0],
                names.len() - 1,
                names[names.len() - 1]
            )),
        },
        (Values::Switch { .. }, ParamValue::Bool(_)) => Ok(()),
        (values, _) => Err(format!(
            "\"{id}\" should be {}",
            match values {
                Values::Number { .. } => "a number",
                Values::Choice { .. } => "a number in a list",
                Values::Switch { .. } => "on or off",
            }
        )),
    }
}

#[cfg(test)]
mod tests;
