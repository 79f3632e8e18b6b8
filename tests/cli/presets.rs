//! Presets by name, protocols to their own length, import and export.

use super::{RATE, Run};
use std::fs;

const PROTOCOL: &str = r#"{"zeitgeber": 1, "name": "Ramp", "params": {"l1_kind": "binaural", "carrier": 300, "fade_in": 0},
    "protocol": [{"at": 0, "beat": 10}, {"at": 3, "beat": 4, "curve": "linear"}]}"#;

#[test]
fn the_list_is_names_that_preset_accepts() {
    let run = Run::new();
    let list: Vec<serde_json::Value> =
        serde_json::from_str(&run.fine("presets list --json")).unwrap();
    assert!(list.len() >= 24);
    assert!(list.iter().all(|line| line["name"].is_string()));
    let name = list[0]["name"].as_str().unwrap().to_owned();
    assert!(run.fine("presets list").contains(&name));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(["render", "--silence", "1", "-o", "o.wav", "--preset", &name])
        .current_dir(run.folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let [left, _] = run.read("o.wav");
    assert!(left.iter().any(|sample| *sample != 0.0));
}

#[test]
fn a_protocol_is_rendered_to_its_own_length() {
    let run = Run::new();
    run.write("ramp.json", PROTOCOL);
    run.fine("render -o whole.wav --preset ramp.json -q");
    let [left, right] = run.read("whole.wav");
    assert_eq!(left.len(), 3 * RATE as usize);
    assert_ne!(left, right);
    // From the middle on, the middle.
    run.fine("render -o middle.wav --preset ramp.json --start 1 -q");
    let [middle, _] = run.read("middle.wav");
    assert_eq!(middle.len(), 2 * RATE as usize);
    assert_eq!(middle[2048..], left[RATE as usize + 2048..]);
    // Over silence, or without the protocol, as asked.
    run.fine("render -o long.wav --preset ramp.json --silence 4 -q");
    assert_eq!(run.read("long.wav")[0].len(), 4 * RATE as usize);
    let line = run.wrong("render -o x.wav --preset ramp.json --start 3");
    assert!(line.contains("nothing is left"), "{line}");
}

#[test]
fn presets_are_checked_imported_shown_and_exported() {
    let run = Run::new();
    run.write("ramp.json", PROTOCOL);
    run.write(
        "walk.sbg",
        "-SE\nts1: 200+10/20\nts2: 100+4/20\nNOW ts1 ->\n+00:10 ts2\n",
    );
    let checked = run.fine("presets check ramp.json walk.sbg");
    assert!(
        checked.contains("SBaGen sequence, sound, protocol of 0:10:00"),
        "{checked}"
    );
    let said = run.fine("presets import walk.sbg");
    assert!(said.starts_with("\"walk\" (SBaGen sequence)"), "{said}");
    let shown: serde_json::Value = serde_json::from_str(&run.fine("presets show walk")).unwrap();
    assert_eq!(shown["name"], "walk");
    run.fine("presets export walk -o again.json");
    run.fine("presets check again.json");
    run.fine(
        "presets export Ramp.json -o x.json"
            .replace("Ramp", "ramp")
            .as_str(),
    );
    let sbg = run.fine("presets export walk --sbg");
    assert!(sbg.contains("200+10/20") && sbg.contains("->"), "{sbg}");
    run.fine("presets import ramp.json -o here.json");
    assert!(run.path("here.json").exists());
    run.write("bad.json", r#"{"zeitgeber": 1, "params": {"beat": 500}}"#);
    run.write("bad.sbg", "ts: 200+10/20\nNOW tt\n");
    let all = run.zeitgeber("presets check bad.json ramp.json bad.sbg");
    assert!(!all.status.success());
    let said = String::from_utf8(all.stderr).unwrap();
    assert!(
        said.contains("bad.json: beat") && said.contains("bad.sbg, line 2"),
        "{said}"
    );
    assert!(
        String::from_utf8(all.stdout)
            .unwrap()
            .contains("ramp.json: preset, sound")
    );
    for (words, says) in [
        ("presets", "give a command of presets: list, show"),
        (
            "presets check bad.json",
            "bad.json: beat: 500 is outside 0 to 100 Hz",
        ),
        (
            "presets check bad.sbg",
            "bad.sbg, line 2: the name \"tt\" is not defined",
        ),
        ("presets show nothing", "there is no preset \"nothing\""),
        (
            "presets import missing.sbg",
            "missing.sbg: there is no such file",
        ),
        ("presets export ramp.json -o ramp.json", "would overwrite"),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
    assert!(fs::read_to_string(run.path("ramp.json")).unwrap() == PROTOCOL);
}

#[test]
fn own_presets_are_renamed_and_deleted_and_the_factorys_stay() {
    let run = Run::new();
    run.write("ramp.json", PROTOCOL);
    run.fine("presets import ramp.json");
    let said = run.fine("presets rename ramp Slope");
    assert!(
        said.contains("\"Slope\"") && said.contains("slope.json"),
        "{said}"
    );
    assert!(!run.path("own/ramp.json").exists());
    assert!(
        run.fine("presets show slope")
            .contains("\"name\": \"Slope\"")
    );
    for (words, says) in [
        (
            "presets rename Slope Pendulum",
            "there is a preset \"Pendulum\" already",
        ),
        ("presets rename Pendulum Mine", "belongs to the factory"),
        ("presets delete Pendulum", "belongs to the factory"),
        (
            "presets rename nothing Mine",
            "there is no preset \"nothing\"",
        ),
        ("presets delete nothing", "there is no preset \"nothing\""),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
    run.fine("presets delete slope");
    assert!(!run.path("own/slope.json").exists());
    let line = run.wrong("presets show Slope");
    assert!(line.contains("there is no preset"), "{line}");
    for action in ["rename", "delete"] {
        let help = run.fine(&format!("presets {action} --help"));
        assert!(help.contains("the factory's stay as they are"), "{help}");
    }
}

#[test]
fn live_takes_a_preset() {
    let run = Run::new();
    assert!(run.fine("live --help").contains("--preset <NAME|FILE>"));
    let line = run.wrong("live --no-input --preset Pendulun");
    assert!(line.contains("the nearest is \"Pendulum\""), "{line}");
    // It is read before anything is opened.
    run.write("bad.json", r#"{"zeitgeber": 1, "params": {"beat": 500}}"#);
    let line = run.wrong("live --no-input --preset bad.json");
    assert!(line.contains("beat: 500 is outside"), "{line}");
    assert!(
        run.wrong("live --no-input --preset Pendulum")
            .contains("terminal")
    );
}

#[test]
fn what_is_measured_is_what_is_set() {
    let run = Run::new();
    let table = run.fine("presets measure --seconds 20 --only theta");
    let line = table
        .lines()
        .find(|line| line.starts_with("Theta 6 Hz, 250"))
        .unwrap();
    assert!(
        line.contains(" 6.000 ") && line.contains(" 250.000 "),
        "{line}"
    );
}
