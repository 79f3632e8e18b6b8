//! Presets are honest, whole and portable: read and written without loss, published as a schema, sounding clean.
//!
//! promise: presets are read and written without loss, are published as a schema, and sound clean

use std::sync::Arc;
use zeitgeber::engine::{Engine, Order, Snapshot, Transport};
use zeitgeber::protocol::{Preset, factory_presets, schema};
use zeitgeber::space::bring;

const RATE: f64 = 48_000.0;

/// Rewrites what is published where this variable is set; otherwise it is compared.
const REWRITE: &str = "ZEITGEBER_REWRITE";

#[test]
fn the_published_schema_is_that_of_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/preset.schema.json");
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "docs/preset.schema.json is of another version of the table: \
         ZEITGEBER_REWRITE=1 cargo test --test presets schema"
    );
}

#[test]
fn unknown_keys_survive_and_are_warned_of() {
    let text = r#"{"zeitgeber": 1, "name": "x", "colour": {"deep": [1, 2.50, null]},
        "params": {"beat": 6, "beet": 1.10}, "protocol": [{"at": 0, "beat": 4, "note": "x"}]}"#;
    let preset = Preset::parse(text).unwrap();
    let warnings = preset.warnings().join("\n");
    for key in ["beet", "colour", "note"] {
        assert!(warnings.contains(key), "{key}: {warnings}");
    }
    assert!(warnings.contains("the nearest is \"beat\""), "{warnings}");
    let before: serde_json::Value = serde_json::from_str(text).unwrap();
    let after: serde_json::Value = serde_json::from_str(&preset.to_text()).unwrap();
    assert_eq!(before, after);
    assert_eq!(
        Preset::parse(&preset.to_text()).unwrap().to_text(),
        preset.to_text()
    );
}

/// Renders a preset through an engine as a host would load it, over two sines in each ear.
fn render(preset: &Preset, seconds: f64) -> [Vec<f32>; 2] {
    let mut engine = Engine::new(RATE).unwrap();
    let settings = preset.all_settings();
    let timeline = preset
        .protocol()
        .map(|protocol| Arc::new(protocol.timeline(&settings, RATE).unwrap()));
    for (id, value) in &settings {
        engine.set(*id, *value);
    }
    bring(&mut engine, &zeitgeber::hrtf::Source::Default).unwrap();
    let mut deck = engine.take_deck().unwrap();
    deck.send(Order::Snapshot(Box::new(Snapshot {
        settings,
        timeline,
        ..Snapshot::default()
    })))
    .unwrap();
    let frames = (seconds * RATE) as usize;
    let tone = |n: usize, f: f64| 0.25 * (std::f64::consts::TAU * f * n as f64 / RATE).sin();
    let mut ears = [220.0, 221.0].map(|f| {
        (0..frames)
            .map(|n| (tone(n, f) + tone(n, 3.0 * f)) as f32)
            .collect::<Vec<f32>>()
    });
    for at in (0..frames).step_by(480) {
        let end = (at + 480).min(frames);
        let transport = Transport::Host {
            playing: true,
            song_frames: Some(at as i64),
            tempo: None,
        };
        let [left, right] = ears.each_mut().map(|ear| &mut ear[at..end]);
        engine.process(left, right, transport, &[]);
    }
    assert_eq!(engine.telemetry().output_repaired(), 0);
    ears
}

#[test]
fn every_factory_preset_sounds_clean() {
    for preset in factory_presets() {
        let ears = render(&preset, 4.0);
        for ear in &ears {
            let peak = ear.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            assert!(peak < 1.0, "{}: peak {peak}", preset.name());
            // Nothing jumps: the steepest step of a sound like this is its tones'.
            let jump = ear
                .windows(2)
                .fold(0.0f32, |jump, w| jump.max((w[1] - w[0]).abs()));
            assert!(jump < 0.3, "{}: a step of {jump}", preset.name());
        }
    }
}
