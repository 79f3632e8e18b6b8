//! Reports: analyze, params, graph.

use super::{RATE, Run, sine};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_minute_of_two_tones_is_told_to_the_microhertz() {
    let run = Run::new();
    let frames = 60 * RATE as usize;
    let (left, right) = (
        sine(245.0, 0.1, frames, RATE),
        sine(255.0, 0.1, frames, RATE),
    );
    run.wav("in.wav", RATE, &[&left, &right]);
    let text = run.fine("analyze in.wav");
    assert!(
        text.contains("245.000000 Hz") && text.contains("255.000000 Hz"),
        "{text}"
    );
    assert!(
        text.contains("10.000000 Hz") && text.contains("-20.00 dBFS"),
        "{text}"
    );
    let report = json(&run.fine("analyze in.wav --json"));
    assert!((report["beat_hz"].as_f64().unwrap() - 10.0).abs() < 1e-6);
    assert!(report["beat_uncertainty_hz"].as_f64().unwrap() < 1e-6);
    let tone = &report["ears"][1]["tones"][0];
    assert!((tone["hz"].as_f64().unwrap() - 255.0).abs() < 1e-6);
    assert!((tone["dbfs"].as_f64().unwrap() + 20.0).abs() < 0.01);
    assert_eq!(report["ears"][0]["ear"], "left");
    assert_eq!(report["frames"], frames);
    assert!((report["peak_dbfs"].as_f64().unwrap() + 20.0).abs() < 0.01);
    assert!(report["loudness_lufs"].as_f64().unwrap() < -19.0);
}

#[test]
fn silence_has_neither_tone_nor_loudness() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.0; 48_000]]);
    let report = json(&run.fine("analyze in.wav --json"));
    for key in ["beat_hz", "loudness_lufs", "peak_dbfs", "true_peak_dbtp"] {
        assert!(report[key].is_null(), "{key}");
    }
    assert_eq!(report["ears"][0]["ear"], "mono");
    assert!(run.fine("analyze in.wav").contains("no steady tone"));
}

#[test]
fn every_parameter_is_listed() {
    let run = Run::new();
    let list = json(&run.fine("params --json"));
    let entry = |id: &str| {
        let found = list
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["id"] == id);
        found.unwrap().clone()
    };
    let beat = entry("beat");
    assert_eq!(
        (beat["min"].as_f64(), beat["max"].as_f64()),
        (Some(0.0), Some(100.0))
    );
    assert_eq!(
        (beat["unit"].as_str(), beat["type"].as_str()),
        (Some("Hz"), Some("number"))
    );
    assert_eq!(entry("l1_kind")["default"], "off");
    assert_eq!(entry("l1_kind")["values"][1], "binaural");
    assert_eq!(entry("bypass")["default"], false);
    let text = run.fine("params");
    for entry in list.as_array().unwrap() {
        assert!(text.contains(entry["id"].as_str().unwrap()));
        assert!(!entry["help"].as_str().unwrap().is_empty());
    }
}

#[test]
fn the_chain_is_shown() {
    let run = Run::new();
    assert!(!run.fine("graph").trim().is_empty());
    assert!(run.fine("graph --dot").contains("digraph"));
    assert!(json(&run.fine("graph --json")).is_object());
}

#[test]
fn help_and_version_are_no_errors() {
    let run = Run::new();
    assert!(run.fine("--version").starts_with("zeitgeber "));
    assert!(run.fine("render --help").contains("--automate"));
}
