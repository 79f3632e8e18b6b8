//! Reports: analyze, params, graph.

use super::{RATE, Run, data, sine};
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

/// A chord of notes with overtones, `by` hertz higher, at a time in seconds.
fn chord(by: f64, time: f64) -> f64 {
    let notes = [196.0, 261.63, 311.13, 440.0, 587.33, 880.0];
    let tones = notes.iter().flat_map(|note| {
        (1..8).map(move |times| {
            let hertz = note * f64::from(times) + by;
            (TAU * (hertz * time).fract() + note).sin() / f64::from(times)
        })
    });
    0.03 * tones.sum::<f64>()
}

/// Twelve seconds of what sounds at a time in seconds.
fn ear(of: impl Fn(f64) -> f64) -> Vec<f32> {
    (0..12 * RATE as usize)
        .map(|n| of(n as f64 / f64::from(RATE)) as f32)
        .collect()
}

/// The kinds of beats of tones that are told: neither harmonics nor parts of what is told otherwise.
fn told(report: &Value) -> Vec<&str> {
    let courses = report["entrainment"].as_array().unwrap().iter();
    courses
        .filter(|course| course["part_of"].is_null() && course["harmonic"] == 1)
        .map(|course| course["kind"].as_str().unwrap())
        .collect()
}

#[test]
fn a_treated_chord_is_told_once_and_not_once_a_tone() {
    let run = Run::new();
    for (beat, depth) in [(2.5, 0.8), (17.0, 0.4)] {
        let gain = |time: f64| 1.0 - depth / 2.0 * (1.0 - (TAU * beat * time).cos());
        let treated = ear(|time| gain(time) * chord(0.0, time));
        run.wav("in.wav", RATE, &[&treated, &treated]);
        let report = json(&run.fine("analyze in.wav --json"));
        let found = &report["treatments"]["amplitude"];
        let hz = found["hz"].as_f64().unwrap();
        assert!((hz - beat).abs() < 0.01, "{beat}: {found}");
        let found = found["depth"].as_f64().unwrap();
        assert!((found - depth).abs() < 0.05, "{beat}: {found}");
        assert!(told(&report).is_empty(), "{beat}: {report}");
        assert!(report["beat_hz"].is_null(), "{report}");
        // The tones are there, as what they are.
        assert_eq!(report["entrainment"][0]["part_of"], "treatment", "{report}");
        let text = run.fine("analyze in.wav");
        assert!(!text.contains("isochronic"), "{text}");
    }
}

#[test]
fn a_sound_that_is_struck_is_a_rhythm() {
    let run = Run::new();
    let hiss = noise();
    let drum = |time: f64| {
        let since = time % 0.5;
        let tone = (TAU * 88.0 * since).sin() * (-14.0 * since).exp();
        0.3 * tone + hiss[(time * f64::from(RATE)) as usize] * (-40.0 * since).exp()
    };
    let drum = ear(drum);
    run.wav("in.wav", RATE, &[&drum, &drum]);
    let report = json(&run.fine("analyze in.wav --json"));
    let rhythm = report["treatments"]["pulsation"]["hz"].as_f64().unwrap();
    assert!((rhythm - 2.0).abs() < 0.01, "{report}");
    assert!(told(&report).is_empty(), "{report}");
}

#[test]
fn notes_without_overtones_are_no_layer() {
    let run = Run::new();
    let tones = |tones: &[(f64, f64)]| {
        ear(|time| {
            let parts = tones.iter();
            parts
                .map(|(hz, level)| level * (TAU * (hz * time).fract()).sin())
                .sum()
        })
    };
    let third = tones(&[(220.0, 0.1), (277.18, 0.08)]);
    let triad = tones(&[(220.0, 0.1), (277.18, 0.1), (329.63, 0.1)]);
    for (name, notes) in [("third.wav", third), ("triad.wav", triad)] {
        run.wav(name, RATE, &[&notes, &notes]);
        let report = json(&run.fine(&format!("analyze {name} --json")));
        assert!(told(&report).is_empty(), "{name}: {report}");
    }
    // Two that are alike and as far apart as a layer may have them are one.
    let layer = tones(&[(230.0, 0.1), (270.0, 0.1)]);
    run.wav("layer.wav", RATE, &[&layer, &layer]);
    let report = json(&run.fine("analyze layer.wav --json"));
    assert_eq!(told(&report), ["monaural"], "{report}");
}

#[test]
fn a_shift_of_a_part_of_the_sound_has_its_whole_beat() {
    let run = Run::new();
    for part in [0.4, 0.6] {
        let side = |by: f64| ear(|time| (1.0 - part) * chord(0.0, time) + part * chord(by, time));
        run.wav("in.wav", RATE, &[&side(-2.5), &side(2.5)]);
        let report = json(&run.fine("analyze in.wav --json"));
        let found = &report["treatments"]["shift"];
        let hz = found["hz"].as_f64().unwrap();
        assert!((hz - 5.0).abs() < 0.01, "{part}: {report}");
        assert!(
            report["treatments"]["amplitude"].is_null(),
            "{part}: {report}"
        );
    }
}

#[test]
fn tones_that_drown_in_the_noise_of_half_a_window_are_found() {
    let run = Run::new();
    let hiss = noise();
    let own = |hz: f64, step: usize| {
        let mut n = 0;
        ear(|time| 0.0025 * (TAU * (hz * time).fract()).sin())
            .into_iter()
            .map(|x| {
                n = (n + step) % hiss.len();
                x + hiss[n] as f32
            })
            .collect::<Vec<f32>>()
    };
    run.wav("in.wav", RATE, &[&own(247.0, 1), &own(253.0, 7)]);
    let report = json(&run.fine("analyze in.wav --json"));
    let found = &report["entrainment"][0];
    assert_eq!(found["kind"], "binaural", "{report}");
    assert!(
        (found["hz"].as_f64().unwrap() - 6.0).abs() < 0.02,
        "{found}"
    );
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

/// Renders a layer and returns the first beat of the report, with the report.
fn rendered(run: &Run, settings: &str) -> (Value, Value) {
    let words = settings
        .split_whitespace()
        .map(|word| format!(" --set {word}"));
    run.fine(&format!(
        "render --silence 12 -o o.wav -q{}",
        words.collect::<String>()
    ));
    let report = json(&run.fine("analyze o.wav --json"));
    (report["entrainment"][0].clone(), report)
}

#[test]
fn every_kind_that_the_engine_makes_is_named_at_any_rate() {
    let run = Run::new();
    for (kind, beats) in [
        ("binaural", [0.5, 6.3, 40.0]),
        ("monaural", [1.0, 6.3, 40.0]),
        ("isochronic", [1.0, 6.3, 40.0]),
        ("bilateral", [1.0, 4.0, 10.0]),
    ] {
        for beat in beats {
            let (found, report) =
                rendered(&run, &format!("l1_kind={kind} beat={beat} carrier=300"));
            assert_eq!(found["kind"], kind, "{beat}: {found}");
            let hz = found["hz"].as_f64().unwrap();
            assert!((hz - beat).abs() < 1e-3, "{kind} {beat}: {found}");
            let dbfs = found["dbfs"].as_f64().unwrap();
            assert!((dbfs + 20.0).abs() < 0.7, "{kind} {beat}: {found}");
            assert_eq!(found["confidence"], "high", "{found}");
            assert_eq!(found["moves"], false, "{found}");
            assert_eq!(
                report["entrainment"].as_array().unwrap().len(),
                1,
                "{report}"
            );
            assert_eq!(report["clicks"]["count"], 0, "{report}");
        }
    }
    let text = run.fine("analyze o.wav");
    assert!(
        text.contains("bilateral") && text.contains("left for 50 %"),
        "{text}"
    );
}

#[test]
fn a_duty_is_told() {
    let run = Run::new();
    for duty in [20.0, 35.0, 70.0] {
        let (found, _) = rendered(&run, &format!("l1_kind=isochronic beat=5 l1_duty={duty}"));
        assert!(
            (found["duty"].as_f64().unwrap() - duty).abs() < 2.0,
            "{duty}: {found}"
        );
    }
}

#[test]
fn a_beat_is_found_under_noise_and_after_a_lossy_encoder() {
    let run = Run::new();
    // Noise 40 dB below full scale, the tones 30 dB below it.
    let (found, _) = rendered(
        &run,
        "l1_kind=binaural beat=7 l1_level=-30 noise_kind=pink noise_level=-40",
    );
    assert_eq!(found["kind"], "binaural");
    assert!(
        (found["hz"].as_f64().unwrap() - 7.0).abs() < 1e-3,
        "{found}"
    );
    for name in ["pair.mp3", "pair.ogg", "pair.opus", "pair.flac"] {
        let text = run.fine(&format!("analyze {}", data(name)));
        // What an encoder adds, 40 dB below, is not told in words.
        assert_eq!(text.matches("depth").count(), 1, "{name}: {text}");
        let report = json(&run.fine(&format!("analyze {} --json", data(name))));
        let found = &report["entrainment"][0];
        assert_eq!(found["kind"], "binaural", "{name}: {report}");
        assert!(
            (found["hz"].as_f64().unwrap() - 10.0).abs() < 0.01,
            "{name}: {found}"
        );
    }
}

#[test]
fn a_beat_that_moves_is_followed() {
    let run = Run::new();
    run.write("ramp.csv", "0,10\n60,4,linear\n");
    run.fine("render --silence 60 -o o.wav -q --set l1_kind=binaural --automate beat=ramp.csv");
    let report = json(&run.fine("analyze o.wav --json --every 5"));
    let found = &report["entrainment"][0];
    assert_eq!(found["moves"], true, "{found}");
    let points = found["points"].as_array().unwrap();
    assert_eq!(points.len(), 12, "{found}");
    for point in points {
        let (at, hz) = (point[0].as_f64().unwrap(), point[1].as_f64().unwrap());
        assert!((hz - (10.0 - 0.1 * at)).abs() < 0.01, "{at}: {hz}");
    }
    let text = run.fine("analyze o.wav --every 5");
    assert!(
        text.contains("binaural at 250 Hz") && text.contains("moves from"),
        "{text}"
    );
    // As it is asked without thinking of windows: one beat, from where it begins to where it ends.
    let text = run.fine("analyze o.wav");
    assert_eq!(text.matches("binaural  ").count(), 1, "{text}");
    let line = text.lines().find(|line| line.starts_with("binaural"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    let [from, to] = [words[3], words[5]].map(|word| word.parse::<f64>().unwrap());
    assert!(
        (from - 10.0).abs() < 0.1 && (to - 4.0).abs() < 0.1,
        "{text}"
    );
    let report = json(&run.fine("analyze o.wav --json"));
    let courses = report["entrainment"].as_array().unwrap();
    assert_eq!(courses.len(), 1, "{report}");
    assert_eq!(courses[0]["steps"], false, "{report}");
    // It is at no one frequency.
    assert!(report["beat_hz"].is_null(), "{report}");
    assert_eq!(report["beats"].as_array().unwrap().len(), 0, "{report}");
}

#[test]
fn a_beat_that_steps_is_told_with_the_levels_of_its_tones() {
    let run = Run::new();
    run.write("step.csv", "0,10\n13,6\n");
    run.fine("render --silence 30 -o o.wav -q --set l1_kind=binaural --automate beat=step.csv");
    let report = json(&run.fine("analyze o.wav --json"));
    let courses = report["entrainment"].as_array().unwrap();
    assert_eq!(courses.len(), 1, "{report}");
    let value = |key: &str| courses[0][key].as_f64().unwrap();
    assert!((value("from_hz") - 10.0).abs() < 0.01, "{report}");
    assert!((value("to_hz") - 6.0).abs() < 0.01, "{report}");
    assert!(report["beat_hz"].is_null(), "{report}");
    for ear in report["ears"].as_array().unwrap() {
        let tones = ear["tones"].as_array().unwrap();
        assert!(tones.len() >= 2, "{ear}");
        for tone in &tones[..2] {
            let (dbfs, hz) = (tone["dbfs"].as_f64().unwrap(), tone["hz"].as_f64().unwrap());
            assert!((dbfs + 20.0).abs() < 0.1, "{ear}");
            assert!((hz - hz.round()).abs() < 4.0 * tone["uncertainty_hz"].as_f64().unwrap());
        }
    }
}

#[test]
fn a_script_reads_one_beat_of_any_kind_up_to_the_limits() {
    let run = Run::new();
    for settings in [
        "l1_kind=binaural beat=100 carrier=400",
        "l1_kind=monaural beat=100 carrier=400",
        "l1_kind=isochronic beat=100 carrier=400 l1_ramp=1",
        "l1_kind=binaural beat=10 carrier=1500 l1_interval=24",
        "l1_kind=monaural beat=10 carrier=1500 l1_interval=36",
        "l1_kind=isochronic beat=10 carrier=1500 l1_interval=36",
    ] {
        let (found, report) = rendered(&run, settings);
        let words: Vec<&str> = settings.split([' ', '=']).collect();
        assert_eq!(found["kind"], words[1], "{settings}: {report}");
        let beat: f64 = words[3].parse().unwrap();
        let said = report["beat_hz"].as_f64().unwrap();
        assert!((said - beat).abs() < 1e-3, "{settings}: {report}");
        let beats = report["beats"].as_array().unwrap();
        assert_eq!(beats.len(), 1, "{settings}: {report}");
        assert_eq!(beats[0]["kind"], words[1], "{settings}: {report}");
        assert_eq!(beats[0]["hz"], report["beat_hz"], "{settings}: {report}");
    }
}

#[test]
fn what_cannot_be_told_is_not_told() {
    let run = Run::new();
    let sham = sine(250.0, 0.1, 96_000, 8000);
    run.wav("sham.wav", 8000, &[&sham, &sham]);
    run.wav("one.wav", RATE, &[&[0.5], &[0.5]]);
    run.wav("nan.wav", RATE, &[&[f32::NAN; 96_000], &[f32::NAN; 96_000]]);
    run.wav("silence.wav", RATE, &[&[0.0; 96_000]]);
    for (file, says) in [
        ("sham.wav", "less than 0.4 Hz apart"),
        ("one.wav", "too short to tell"),
        ("nan.wav", "none found"),
        ("silence.wav", "none found"),
    ] {
        let text = run.fine(&format!("analyze {file}"));
        assert!(
            text.contains("none found") && text.contains(says),
            "{file}: {text}"
        );
        let report = json(&run.fine(&format!("analyze {file} --json")));
        assert_eq!(report["entrainment"].as_array().unwrap().len(), 0, "{file}");
    }
    assert!(run.fine("analyze nan.wav").contains("an ear is silent"));
    let beat = [
        sine(247.0, 0.1, 96_000, 8000),
        sine(253.0, 0.1, 96_000, 8000),
    ];
    run.wav("low.wav", 8000, &[&beat[0], &beat[1]]);
    assert!(run.fine("analyze low.wav").contains("6.0000"));
}

#[test]
fn clicks_and_a_fold_that_is_silent_are_told() {
    let run = Run::new();
    let mut ear = sine(250.0, 0.1, 96_000, RATE);
    ear[48_000] += 0.05;
    let other: Vec<f32> = ear.iter().map(|x| -x).collect();
    run.wav("in.wav", RATE, &[&ear, &other]);
    let text = run.fine("analyze in.wav");
    assert!(
        text.contains("1 at 1.000 s") && text.contains("a fold to mono is silent"),
        "{text}"
    );
    let report = json(&run.fine("analyze in.wav --json"));
    assert_eq!(report["between_ears"]["folds_to_silence"], true);
    assert!(report["between_ears"]["mono_fold_loss_db"].is_null());
    assert_eq!(report["clicks"]["count"], 1);
}

#[test]
fn a_drawing_is_a_png_of_its_size_and_bad_names_are_refused() {
    let run = Run::new();
    let ears = [
        sine(245.0, 0.1, 96_000, 8000),
        sine(255.0, 0.1, 96_000, 8000),
    ];
    run.wav("in.wav", 8000, &[&ears[0], &ears[1]]);
    run.wav("empty.wav", 8000, &[&[]]);
    run.wav("mono.wav", 8000, &[&ears[0]]);
    for file in ["in.wav", "empty.wav", "mono.wav"] {
        run.fine(&format!("analyze {file} --plot o.png"));
        let decoder = png::Decoder::new(std::io::Cursor::new(
            std::fs::read(run.path("o.png")).unwrap(),
        ));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (2008, 1500));
        let coloured = pixels
            .chunks(3)
            .filter(|pixel| pixel[0] != pixel[2])
            .count();
        assert!(coloured > 1000, "{file}: {coloured}");
    }
    assert_eq!(run.names(), ["empty.wav", "in.wav", "mono.wav", "o.png"]);
    for (words, says) in [
        ("--plot o.svg", "only PNG"),
        ("--plot no/o.png", "folder does not exist"),
        ("--every 0", "the nearest valid value is 1"),
        ("--every 601", "the nearest valid value is 600"),
        ("--every nan", "not a length"),
    ] {
        let line = run.wrong(&format!("analyze in.wav {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
}

/// Every key of a report is in the published schema, and every key that the schema requires is there.
fn fits(value: &Value, schema: &Value, path: &str) {
    match value {
        Value::Object(map) => {
            let properties = schema["properties"]
                .as_object()
                .unwrap_or_else(|| panic!("{path}"));
            for (key, value) in map {
                let own = properties
                    .get(key)
                    .unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
                assert!(
                    own["description"].is_string(),
                    "{path}.{key} has no description"
                );
                fits(value, own, &format!("{path}.{key}"));
            }
            for key in properties.keys() {
                assert!(map.contains_key(key), "{path}.{key} is not in the report");
            }
        }
        Value::Array(items) if schema["items"].is_object() => {
            items
                .iter()
                .for_each(|item| fits(item, &schema["items"], path));
        }
        _ => {}
    }
}

#[test]
fn the_report_is_that_of_its_published_schema() {
    let run = Run::new();
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/analysis.schema.json");
    let schema = json(&std::fs::read_to_string(schema).unwrap());
    let (_, report) = rendered(&run, "l1_kind=isochronic beat=8");
    fits(&report, &schema, "");
    assert_eq!(
        report["zeitgeber_analysis"],
        schema["properties"]["zeitgeber_analysis"]["const"]
    );
    let treated = gained(|phase| 0.6 + 0.4 * (TAU * phase).cos());
    run.wav("in.wav", RATE, &[&treated, &treated]);
    fits(&json(&run.fine("analyze in.wav --json")), &schema, "");
}
