//! The JSON Schema of presets, made from the table of controls. `docs/preset.schema.json` is a copy, which a test
//! compares.

use super::preset::VERSION;
use crate::engine::ControlId;
use crate::engine::controls::{CONTROLS, Control, Values};
use crate::engine::timeline::{LONGEST, can_move};
use serde_json::{Map, Value, json};

/// What a value of a control may be.
fn value(control: &Control) -> Value {
    let unit = control.unit();
    let about = if unit.is_empty() {
        control.help.to_owned()
    } else {
        format!(
            "{} In {unit}; text with the unit is read too.",
            control.help
        )
    };
    match control.values {
        Values::Number {
            min, max, default, ..
        } => json!({
            "description": about,
            "anyOf": [
                {"type": "number", "minimum": min, "maximum": max},
                {"type": "string"}
            ],
            "default": default,
        }),
        Values::Choice { names, default } => json!({
            "description": about,
            "enum": names,
            "default": names[default],
        }),
        Values::Switch { default } => json!({
            "description": about,
            "enum": [true, false, 0, 1, "on", "off", "true", "false", "0", "1"],
            "default": default,
        }),
    }
}

/// The schema (JSON Schema, draft 2020-12). Keys that it does not name are allowed: they are kept and warned of.
pub fn schema() -> Value {
    let params: Map<String, Value> = CONTROLS
        .iter()
        .map(|control| (control.id.to_owned(), value(control)))
        .collect();
    let mut row: Map<String, Value> = Map::new();
    row.insert(
        "at".to_owned(),
        json!({"description": "Seconds from the beginning; rows are sorted by it.", "type": "number", "minimum": 0, "maximum": LONGEST}),
    );
    row.insert(
        "curve".to_owned(),
        json!({
            "description": "How values travel to this row from their row before. Exponential needs both ends above 0; what has no values in between steps.",
            "enum": ["step", "linear", "exponential", "smooth"],
            "default": "step",
        }),
    );
    for id in ControlId::all().filter(|id| can_move(*id)) {
        let reference = format!("#/properties/params/properties/{}", id.control().id);
        row.insert(id.control().id.to_owned(), json!({ "$ref": reference }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Zeitgeber preset",
        "type": "object",
        "required": ["zeitgeber", "params"],
        "properties": {
            "zeitgeber": {"description": "The version of the format.", "const": VERSION},
            "name": {"type": ["string", "null"], "maxLength": 100},
            "about": {"description": "What it is, for people.", "type": ["string", "null"], "maxLength": 10000},
            "group": {"description": "The kind of thing that it is.", "type": ["string", "null"], "maxLength": 100},
            "evidence": {
                "description": "What is known of what it does.",
                "type": ["object", "null"],
                "required": ["grade"],
                "properties": {
                    "grade": {
                        "description": "A: studies and a meta-analysis agree. B: an effect, with exceptions. C: studies disagree or are weak. D: a convention. N: controlled studies found nothing, or the opposite.",
                        "enum": ["A", "B", "C", "D", "N"],
                    },
                    "cites": {
                        "type": "array",
                        "items": {"anyOf": [
                            {"type": "string"},
                            {
                                "type": "object",
                                "required": ["text"],
                                "properties": {
                                    "text": {"type": "string"},
                                    "unchecked": {"description": "Nobody has held it against the publication.", "type": "boolean"},
                                },
                            },
                        ]},
                    },
                    "found": {"type": "string"},
                    "not_found": {"type": "string"},
                },
            },
            "params": {"type": "object", "properties": params},
            "protocol": {
                "description": "A timeline, which wins over params while protocol_on is on.",
                "anyOf": [
                    {"type": "null"},
                    {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["at"], "properties": row}},
                ],
            },
            "hrtf": {"description": "A SOFA file; null for the embedded set.", "type": ["string", "null"], "maxLength": 4096},
        },
    })
}
