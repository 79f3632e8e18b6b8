//! Reports: analyze, params, graph.

use super::{RATE, Run, sine};
use serde_json::Value;
use std::f64::consts::{FRAC_PI_4, SQRT_2, TAU};

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

/// Twelve seconds of white noise.
fn noise() -> Vec<f64> {
    let mut state = 7u32;
    (0..12 * RATE)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 23) * 0.1 - 0.1
        })
        .collect()
}

/// The noise with a gain of the phase of a 6 Hz beat in cycles.
fn gained(gain: impl Fn(f64) -> f64) -> Vec<f32> {
    let phase = |n: usize| 6.0 * n as f64 / f64::from(RATE);
    let gained = noise().into_iter().enumerate();
    gained.map(|(n, x)| (x * gain(phase(n))) as f32).collect()
}

#[test]
fn a_tremolo_is_named() {
    let run = Run::new();
    let treated = gained(|phase| 0.6 + 0.4 * (TAU * phase).cos());
    run.wav("in.wav", RATE, &[&treated, &treated]);
    let text = run.fine("analyze in.wav");
    assert!(
        text.contains("amplitude") && text.contains("tremolo, sine, depth 0.8"),
        "{text}"
    );
    let report = json(&run.fine("analyze in.wav --json"));
    let found = &report["treatments"]["amplitude"];
    assert!(
        (found["hz"].as_f64().unwrap() - 6.0).abs() < 0.005,
        "{found}"
    );
    assert!(
        (found["depth"].as_f64().unwrap() - 0.8).abs() < 0.03,
        "{found}"
    );
    assert_eq!(
        (found["shape"].as_str(), found["duty"].is_null()),
        (Some("sine"), true)
    );
    assert!(found["above_db"].as_f64().unwrap() > 30.0, "{found}");
    for other in ["bilateral", "shift", "sweep", "pulsation"] {
        assert!(report["treatments"][other].is_null(), "{report}");
    }
}

#[test]
fn sides_that_alternate_are_named() {
    let run = Run::new();
    let angle = |phase: f64| FRAC_PI_4 * (1.0 + (TAU * phase).sin());
    let left = gained(|phase| SQRT_2 * angle(phase).cos());
    let right = gained(|phase| SQRT_2 * angle(phase).sin());
    run.wav("in.wav", RATE, &[&left, &right]);
    assert!(
        run.fine("analyze in.wav")
            .contains("sides alternate, depth 1.00")
    );
    let report = json(&run.fine("analyze in.wav --json"));
    let found = &report["treatments"]["bilateral"];
    assert!(
        (found["hz"].as_f64().unwrap() - 6.0).abs() < 0.005,
        "{found}"
    );
    assert!(report["treatments"]["amplitude"].is_null(), "{report}");
}

#[test]
fn a_shift_is_named_with_the_ear_that_is_higher() {
    let run = Run::new();
    // A shifted chord, note by note.
    let ear = |by: f64| -> Vec<f32> {
        let notes = [220.0, 331.0, 523.0, 880.0, 1320.0, 2093.0, 4186.0];
        (0..12 * RATE as usize)
            .map(|n| {
                let time = n as f64 / f64::from(RATE);
                notes
                    .iter()
                    .map(|hz| 0.05 * (TAU * (hz + by) * time).sin() as f32)
                    .sum()
            })
            .collect()
    };
    run.wav("in.wav", RATE, &[&ear(3.0), &ear(-3.0)]);
    let text = run.fine("analyze in.wav");
    assert!(
        text.contains("shift") && text.contains("left ear higher"),
        "{text}"
    );
    let found = &json(&run.fine("analyze in.wav --json"))["treatments"]["shift"];
    assert!(
        (found["hz"].as_f64().unwrap() + 6.0).abs() < 0.005,
        "{found}"
    );
    assert!(found["coherence"].as_f64().unwrap() > 0.9, "{found}");
}

#[test]
fn nothing_is_named_that_is_not_there() {
    let run = Run::new();
    let plain = gained(|_| 1.0);
    let short = &gained(|phase| 0.5 + 0.5 * (TAU * phase).cos())[..RATE as usize];
    run.wav("noise.wav", RATE, &[&plain, &plain]);
    run.wav("short.wav", RATE, &[short]);
    run.wav("silence.wav", RATE, &[&[0.0; 480_000]]);
    run.wav("empty.wav", RATE, &[&[]]);
    for file in ["noise.wav", "short.wav", "silence.wav", "empty.wav"] {
        let report = json(&run.fine(&format!("analyze {file} --json")));
        for (kind, found) in report["treatments"].as_object().unwrap() {
            assert!(found.is_null(), "{file}: {kind} {found}");
        }
    }
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
