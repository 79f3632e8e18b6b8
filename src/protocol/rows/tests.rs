//! What rows say beyond their values.

use super::*;
use crate::engine::controls::{BEAT, CARRIER};

fn protocol(text: &str, settings: &[(ControlId, f64)]) -> (Protocol, Vec<String>) {
    let mut warnings = Vec::new();
    let value = serde_json::from_str(text).unwrap();
    let protocol = Protocol::from_json(&value, settings, &mut warnings).unwrap();
    (protocol, warnings)
}

#[test]
fn a_pinned_protocol_begins_where_it_was_loaded() {
    let text = r#"[{"at": 0, "beat": 8, "mine": 1},
        {"at": 60, "carrier": 300, "beat": 4, "curve": "exponential"},
        {"at": 90, "carrier": 200, "theirs": [2]}]"#;
    let loaded = [(CARRIER, 123.5)];
    let (protocol, _) = protocol(text, &loaded);
    let pinned = protocol.pinned(&loaded);
    let later = pinned
        .timeline(&[(CARRIER, 999.0), (BEAT, 50.0)], 1000.0)
        .unwrap();
    let wanted = protocol.timeline(&loaded, 1000.0).unwrap();
    for control in [BEAT, CARRIER] {
        for frame in (0..100_000).step_by(999) {
            let value = |timeline: &Timeline| timeline.value(control, frame, false);
            assert_eq!(value(&later), value(&wanted), "{frame}");
        }
    }
    let list = pinned.document().as_array().unwrap();
    assert_eq!(list[0], serde_json::json!({"at": 0, "carrier": 123.5}));
    assert_eq!(
        list[1..],
        protocol.document().as_array().unwrap()[..],
        "what was there stays, unknown keys included"
    );
    // Read again it is the same, and pinned again nothing is added.
    let again = Protocol::from_json(pinned.document(), &[], &mut Vec::new()).unwrap();
    assert_eq!(again, pinned);
    assert_eq!(pinned.pinned(&[(CARRIER, 700.0)]), pinned);
}

#[test]
fn a_row_that_sets_nothing_is_told() {
    let (protocol, warnings) = protocol(r#"[{"at": 0, "beat": 8}, {"at": 600}]"#, &[]);
    assert_eq!(protocol.seconds(), 0.0);
    assert!(
        warnings.len() == 1
            && warnings[0].starts_with("protocol row 2 (counted from 1): it sets nothing"),
        "{warnings:?}"
    );
}
