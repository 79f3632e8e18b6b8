//! What presets say, and what is said of those that are wrong.

use super::*;
use crate::engine::controls::{BEAT, CEILING_ON, L1_KIND, PROTOCOL_ON};

#[test]
fn numbers_names_and_booleans_are_read_and_unknown_keys_named() {
    let preset = Preset::parse(
        r#"{"zeitgeber": 1, "name": "x", "params":
            {"beat": 6.25, "l1_kind": "binaural", "ceiling_on": true, "beet": 1}}"#,
    )
    .unwrap();
    assert_eq!(
        preset.settings(),
        [(BEAT, 6.25), (L1_KIND, 1.0), (CEILING_ON, 1.0)]
    );
    assert_eq!(preset.warnings().len(), 1);
    assert!(preset.warnings()[0].contains("\"beet\"") && preset.warnings()[0].contains("\"beat\""));
    assert_eq!(preset.all_settings().len(), CONTROLS.len());
}

#[test]
fn wrong_presets_are_refused_by_key_value_and_range() {
    let refused = |text: &str| {
        let problem = Preset::parse(text).unwrap_err();
        PresetError {
            path: "p.json".into(),
            problem,
        }
        .to_string()
    };
    for (text, says) in [
        (
            r#"{"params": {"beat": 101}}"#,
            "p.json: beat: 101 is outside 0 to 100 Hz",
        ),
        (r#"{"params": {"beat": null}}"#, "beat: null is not"),
        (r#"{"params": {"beat": true}}"#, "beat"),
        (r#"{"params": {"l1_kind": 1}}"#, "l1_kind"),
        (
            r#"{"params": {"l1_kind": "binural"}}"#,
            "the nearest is \"binaural\"",
        ),
        ("{}", "no object \"params\""),
        ("[1]", "no object \"params\""),
        ("beat=6", "JSON"),
        (r#"{"zeitgeber": 2, "params": {}}"#, "version 2"),
        (r#"{"params": {}, "name": 7}"#, "name: 7 is not text"),
        (
            r#"{"params": {}, "evidence": {"grade": "E"}}"#,
            "evidence.grade: \"E\" is not one of A, B, C, D, N",
        ),
        (
            r#"{"params": {}, "evidence": 1}"#,
            "evidence: 1 is not an object",
        ),
        (
            r#"{"params": {}, "protocol": 1}"#,
            "protocol: 1 is not a list of rows",
        ),
        (r#"{"params": {}, "protocol": []}"#, "there is no row"),
        (
            r#"{"params": {}, "protocol": [{"beat": 1}]}"#,
            "protocol row 1 (counted from 1): it has no time",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 0, "beat": 101}]}"#,
            "protocol row 1 (counted from 1): beat: 101 is outside 0 to 100 Hz",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 0, "curve": "liner"}]}"#,
            "the nearest is \"linear\"",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 0, "curve": "xyzzy"}]}"#,
            "\"xyzzy\" is not one of step, linear, exponential, smooth",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 9, "beat": 1}, {"at": 3, "beat": 1}]}"#,
            "protocol row 2 (counted from 1)",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 0, "l1_level": -20}, {"at": 3, "l1_level": -40, "curve": "exponential"}]}"#,
            "levels are in dB",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 0, "beat": 10}, {"at": 3, "beat": 0, "curve": "exponential"}]}"#,
            "needs both ends above 0",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 0, "bypass": true}]}"#,
            "a protocol cannot move it",
        ),
        (
            r#"{"params": {}, "protocol": [{"at": 1e300, "beat": 1}]}"#,
            "not a time from 0",
        ),
    ] {
        let line = refused(text);
        assert!(line.contains(says), "{text}: {line}");
        assert!(line.len() < 600, "{line}");
    }
}

#[test]
fn a_protocol_is_on_where_the_file_does_not_say() {
    let on = |text: &str| {
        let settings = Preset::parse(text).unwrap().all_settings();
        settings[PROTOCOL_ON.index()].1
    };
    let rows = r#""protocol": [{"at": 0, "beat": 10}, {"at": 60, "beat": 4, "curve": "linear"}]"#;
    assert_eq!(on(&format!(r#"{{"params": {{}}, {rows}}}"#)), 1.0);
    assert_eq!(
        on(&format!(
            r#"{{"params": {{"protocol_on": false}}, {rows}}}"#
        )),
        0.0
    );
    assert_eq!(on(r#"{"params": {}}"#), 0.0);
}

#[test]
fn what_is_made_of_parts_is_read_again() {
    let read = Preset::parse(
        r#"{"params": {"beat": 6.3, "l1_kind": "binaural", "carrier_note": "A3"},
            "protocol": [{"at": 0, "beat": 10}, {"at": 1.5, "beat": 4, "l1_level": -30, "curve": "smooth"}]}"#,
    )
    .unwrap();
    let made = Preset::new("Mine", "about it", &read.all_settings(), read.protocol());
    let again = Preset::parse(&made.to_text()).unwrap();
    assert_eq!(again.all_settings(), read.all_settings());
    assert_eq!(
        again.protocol().unwrap().rows(),
        read.protocol().unwrap().rows()
    );
    assert_eq!((again.name(), again.about()), ("Mine", "about it"));
    assert_eq!(again.warnings(), [""; 0]);
}

#[test]
fn what_has_no_version_is_read_as_the_first() {
    let preset = Preset::parse(r#"{"params": {"beat": 3}}"#).unwrap();
    assert!(preset.warnings()[0].contains("version"));
    assert!(preset.to_text().starts_with("{\n  \"zeitgeber\": 1,"));
}

#[test]
fn another_sound_keeps_what_is_said_and_what_is_unknown() {
    let text = r#"{"zeitgeber": 1.0, "name": "Mine", "about": "a note", "group": "own", "later": {"x": [1]},
        "evidence": {"grade": "D", "found": "f", "not_found": "n"}, "hrtf": "head.sofa",
        "params": {"beat": 5, "carrier": 300, "unheard_of": 7}, "protocol": [{"at": 1, "beat": 6}]}"#;
    let before = Preset::parse(text).unwrap();
    let mut settings = Preset::new("", "", &[], None).all_settings();
    settings[controls::BEAT.index()].1 = 12.0;
    let after = before.with(&settings, None, Some("/other.sofa"));
    let read = Preset::parse(&after.to_text()).unwrap();
    assert_eq!(read.about(), "a note");
    assert_eq!((read.group(), read.hrtf()), ("own", Some("/other.sofa")));
    assert_eq!(read.evidence(), before.evidence());
    assert!(read.protocol().is_none());
    assert_eq!(read.settings(), [(controls::BEAT, 12.0)]);
    let json: Value = serde_json::from_str(&after.to_text()).unwrap();
    assert_eq!(json["later"], json!({"x": [1]}));
    assert_eq!(json["params"], json!({"beat": 12, "unheard_of": 7}));
    assert_eq!(before.with(&settings, None, None).hrtf(), None);
}
