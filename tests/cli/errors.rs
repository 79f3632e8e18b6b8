//! What is wrong gets one line that names the nearest valid thing, exit code 2, and no file.

use super::{RATE, Run, data, sine};
use std::fs;

#[test]
fn words_that_mean_nothing() {
    let run = Run::new();
    for (words, says) in [
        (
            "",
            "listen-test, calibrate, completions or man; --help explains them",
        ),
        ("osc", "give a command of osc: monitor"),
        (
            "node",
            "give a command of node: new, check, build, watch or export-max",
        ),
        ("rendr", "nearest is 'render'"),
        (
            "render --silence 1 -o o.wav --sett beat=6",
            "nearest is '--set'",
        ),
        ("analyze --jsn x.wav", "nearest is '--json'"),
        ("render --silence 1", "--output"),
        (
            "render -o o.wav",
            "give an INPUT file, --silence SECONDS, or a --preset with a protocol",
        ),
        ("render in.wav --silence 1 -o o.wav", "cannot be used with"),
        ("analyze", "<FILE>"),
        ("params extra", "unexpected argument 'extra'"),
        ("graph --dot --json", "cannot be used with"),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
}

#[test]
fn ids_and_values() {
    let run = Run::new();
    for (set, says) in [
        ("beet=6", "\"beet\"; the nearest is \"beat\""),
        ("l1_kid=off", "the nearest is \"l1_kind\""),
        (
            "beat=100.5",
            "beat: 100.5 is outside 0 to 100 Hz; the nearest valid value is 100",
        ),
        ("beat=-1", "the nearest valid value is 0"),
        (
            "beat=fast",
            "\"fast\" is not a value; write for example \"10 Hz\"",
        ),
        ("beat=nan", "is not a value"),
        ("beat=inf", "the nearest valid value is 100"),
        ("beat=-1e400", "the nearest valid value is 0"),
        ("BEAT=6", "the nearest is \"beat\""),
        ("phase_mode=time", "the nearest is \"timeline\""),
        ("beat=", "is not a value"),
        ("beat", "write --set ID=VALUE"),
        ("l1_kind=binarual", "the nearest is \"binaural\""),
        ("l1_kind=monoural", "nearest is \"monaural\""),
        ("division=1/3", "is not one of"),
        ("carrier_note=H3", "A3"),
        ("ceiling_on=maybe", "ceiling_on"),
        ("l1_level=1", "the nearest valid value is 0"),
    ] {
        let line = run.wrong(&format!("render --silence 1 -o o.wav --set {set}"));
        assert!(line.contains(says), "{set}: {line}");
    }
}

#[test]
fn numbers() {
    let run = Run::new();
    for (words, says) in [
        ("--block 0", "the nearest valid value is 1"),
        ("--block -5", "the nearest valid value is 1"),
        ("--block 1.5", "the nearest valid value is 2"),
        ("--block random", "random:SEED"),
        ("--block random:x", "random:SEED"),
        ("--rate 7999", "the nearest valid value is 8000"),
        ("--rate 768001", "the nearest valid value is 768000"),
        ("--rate -1", "the nearest valid value is 8000"),
        ("--rate 44100.5", "whole number"),
        ("--rate fast", "not a sample rate"),
        ("--tail -1", "tail: -1 is not a time"),
        ("--tail nan", "tail: NaN is not a time"),
        ("--start -0.5", "start: -0.5 is not a time"),
        ("--start soon", "not a number"),
        ("--bpm 0", "tempo above 0"),
        ("--bpm -120", "tempo above 0"),
        ("--bpm inf", "tempo above 0"),
    ] {
        let line = run.wrong(&format!("render --silence 1 -o o.wav {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
    for seconds in ["-1", "nan", "inf", "1e10"] {
        let line = run.wrong(&format!("render --silence {seconds} -o o.wav"));
        assert!(line.contains("nearest valid value"), "{seconds}: {line}");
    }
}

/// What never ends or never begins is not opened, and what is far too long not read.
#[cfg(unix)]
#[test]
fn devices_pipes_and_huge_files_are_refused_everywhere() {
    let run = Run::new();
    fs::create_dir(run.path("folder")).unwrap();
    for (name, bytes) in [("huge.json", 9u64 << 20), ("huge.csv", 65 << 20)] {
        // Holes: they are long, and take no room.
        fs::File::create(run.path(name))
            .unwrap()
            .set_len(bytes)
            .unwrap();
    }
    let made = std::process::Command::new("mkfifo")
        .arg(run.path("pipe"))
        .status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    std::os::unix::fs::symlink(run.path("pipe"), run.path("pipe.dsp")).unwrap();
    let pipe = "a device or a pipe";
    for (words, says) in [
        (
            "render --silence 1 -o o.wav --automate beat=/dev/zero",
            pipe,
        ),
        ("render --silence 1 -o o.wav --automate beat=pipe", pipe),
        (
            "render --silence 1 -o o.wav --automate beat=folder",
            "a folder",
        ),
        (
            "render --silence 1 -o o.wav --automate beat=huge.csv",
            "67108864 at most",
        ),
        ("render --silence 1 -o o.wav --preset ./pipe", pipe),
        ("render --silence 1 -o o.wav --preset /dev/zero", pipe),
        (
            "render --silence 1 -o o.wav --preset ./huge.json",
            "9437184",
        ),
        ("render pipe -o o.wav", pipe),
        ("render /dev/zero -o o.wav", pipe),
        ("analyze pipe", pipe),
        ("run pipe --silence 1 -o o.wav", pipe),
        ("run /dev/zero --silence 1 -o o.wav", pipe),
        ("run huge.json --silence 1 -o o.wav", "8388608 at most"),
        ("node check pipe.dsp", pipe),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
}

#[test]
fn inputs_that_are_no_audio_or_damaged() {
    let run = Run::new();
    run.write("empty.wav", "");
    run.write("text.wav", "this is not audio, whatever its name says");
    fs::create_dir(run.path("folder.wav")).unwrap();
    let tone = sine(250.0, 0.1, 4800, RATE);
    run.wav("good.wav", RATE, &[&tone, &tone]);
    run.wav("three.wav", RATE, &[&tone, &tone, &tone]);
    run.wav("slow.wav", 4000, &[&tone]);
    let whole = fs::read(run.path("good.wav")).unwrap();
    fs::write(run.path("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    let mut none = whole.clone();
    none[22] = 0;
    fs::write(run.path("none.wav"), none).unwrap();
    for name in ["pair.flac", "pair.mp3", "pair.ogg"] {
        let whole = fs::read(data(name)).unwrap();
        fs::write(run.path(&format!("cut-{name}")), &whole[..whole.len() / 2]).unwrap();
    }
    for (input, says) in [
        ("missing.wav", "there is no such file"),
        ("empty.wav", "is not audio"),
        ("text.wav", "give a WAV, FLAC, OGG Vorbis, Opus or MP3 file"),
        ("folder.wav", "is a folder"),
        ("three.wav", "has 3 channels"),
        ("none.wav", "is damaged"),
        ("slow.wav", "give --rate 8000"),
        ("cut.wav", "s too early"),
        ("cut-pair.flac", "s too early"),
        ("cut-pair.mp3", "s too early"),
    ] {
        let line = run.wrong(&format!("render {input} -o o.wav"));
        assert!(
            line.contains(input) && line.contains(says),
            "{input}: {line}"
        );
    }
    for input in ["missing.wav", "text.wav", "cut.wav", "three.wav"] {
        run.wrong(&format!("analyze {input}"));
    }
}

#[test]
fn outputs_that_cannot_be() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 4800, RATE);
    run.wav("in.wav", RATE, &[&tone]);
    run.write("p.json", r#"{"zeitgeber": 1, "params": {}}"#);
    run.write("lane.csv", "0,10\n");
    fs::create_dir(run.path("folder")).unwrap();
    let before = fs::read(run.path("in.wav")).unwrap();
    for (words, says) in [
        ("in.wav -o in.wav", "would overwrite what is read"),
        (
            "in.wav -o ./folder/../in.wav",
            "would overwrite what is read",
        ),
        (
            "in.wav -o lane.csv --automate beat=lane.csv",
            "would overwrite what is read",
        ),
        ("--silence 1 -o folder", "not a file"),
        ("in.wav -o nowhere/o.wav", "its folder does not exist"),
        ("in.wav -o o.mp3", "only WAV and FLAC can be written"),
        (
            "in.wav -o p.json --preset p.json",
            "would overwrite what is read",
        ),
    ] {
        let line = run.wrong(&format!("render {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
    assert_eq!(fs::read(run.path("in.wav")).unwrap(), before);
}

#[test]
fn a_failed_render_leaves_the_file_that_was_there() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 48_000, RATE);
    run.wav("in.wav", RATE, &[&tone]);
    let whole = fs::read(run.path("in.wav")).unwrap();
    fs::write(run.path("cut.wav"), &whole[..whole.len() - 1000]).unwrap();
    run.fine("render in.wav -o o.wav --quiet");
    let before = fs::read(run.path("o.wav")).unwrap();
    run.wrong("render cut.wav -o o.wav");
    assert_eq!(fs::read(run.path("o.wav")).unwrap(), before);
}

#[test]
fn presets() {
    let run = Run::new();
    run.write(
        "range.json",
        r#"{"zeitgeber": 1, "params": {"beat": 6, "carrier": 5}}"#,
    );
    run.write("name.json", r#"{"params": {"l1_kind": "binarual"}}"#);
    run.write("kind.json", r#"{"params": {"beat": [1]}}"#);
    run.write("later.json", r#"{"zeitgeber": 9, "params": {}}"#);
    run.write("text.json", "beat=6");
    for (preset, says) in [
        ("starer", "there is no preset \"starer\""),
        (
            "range.json",
            "range.json: carrier: 5 is outside 20 to 1500 Hz",
        ),
        ("name.json", "nearest is \"binaural\""),
        ("kind.json", "beat: [1] is not a number"),
        ("later.json", "version 9"),
        ("text.json", "is not a preset"),
    ] {
        let line = run.wrong(&format!("render --silence 1 -o o.wav --preset {preset}"));
        assert!(line.contains(says), "{preset}: {line}");
    }
}

#[test]
fn lanes() {
    let run = Run::new();
    run.write("good.csv", "0,10\n");
    run.write("order.csv", "# beat\n0,10\n5,6\n4,7\n");
    run.write("range.csv", "0,10\n5,101,linear\n");
    run.write("kind.csv", "0,off\n1,binaural,linear\n");
    run.write("word.csv", "0,10,ramp\n");
    run.write("empty.csv", "\n");
    for (automate, says) in [
        ("beat", "write --automate ID=FILE.csv"),
        ("beet=good.csv", "nearest is \"beat\""),
        ("beat=missing.csv", "missing.csv: there is no such file"),
        ("beat=order.csv", "order.csv, line 4: 4 s comes before"),
        ("beat=range.csv", "range.csv, line 2: beat: 101 is outside"),
        (
            "l1_kind=kind.csv",
            "kind.csv, line 2: l1_kind has no values in between",
        ),
        (
            "beat=word.csv",
            "word.csv, line 1: \"ramp\" is neither step nor linear",
        ),
        ("beat=empty.csv", "empty.csv: holds no row"),
        (
            "beat=good.csv --automate beat=good.csv",
            "beat is automated by two files",
        ),
    ] {
        let line = run.wrong(&format!(
            "render --silence 1 -o o.wav --automate {automate}"
        ));
        assert!(line.contains(says), "{automate}: {line}");
    }
}

#[test]
fn captures() {
    let run = Run::new();
    run.write("file", "not a folder");
    let line = run.wrong("render --silence 1 -o o.wav --capture taps:nothing");
    assert!(line.contains("there is no node \"nothing\""), "{line}");
    run.wrong("render --silence 1 -o o.wav --capture file");
    run.wrong("render --silence 1 -o o.wav --capture nowhere/taps");
    // What is read and what is rendered may lie where a capture would.
    run.wav("gate.wav", RATE, &[&sine(250.0, 0.5, 100, RATE)]);
    let before = fs::read(run.path("gate.wav")).unwrap();
    let line = run.wrong("render gate.wav -o o.wav --capture .");
    assert!(line.contains("gate.wav"), "{line}");
    assert_eq!(fs::read(run.path("gate.wav")).unwrap(), before);
    run.wrong("render gate.wav -o fade.wav --capture .:fade");
    run.fine("render gate.wav -o o.wav --quiet --capture .:fade,fade");
    fs::remove_file(run.path("o.wav")).unwrap();
}

#[test]
fn names_that_differ_in_capitals_alone() {
    let run = Run::new();
    for folder in ["x", "y"] {
        fs::create_dir(run.path(folder)).unwrap();
    }
    let tone = sine(250.0, 0.5, 100, RATE);
    run.wav("x/take.wav", RATE, &[&tone]);
    run.wav("y/Take.wav", RATE, &[&tone]);
    let line = run.wrong("render x/take.wav y/Take.wav -o out");
    assert!(line.contains("would become this file"), "{line}");
    let line = run.wrong("render x/take.wav -o o.wav --markers ./O.WAV");
    assert!(line.contains("name two"), "{line}");
    run.write(
        "g.json",
        r#"{"nodes": {"low": {"node": "gain"}, "Low": {"node": "gain"}},
            "connections": [["in", "low"], ["low", "Low"], ["Low", "out"]]}"#,
    );
    let line = run.wrong("run g.json x/take.wav -o o.wav --capture taps");
    assert!(
        line.contains("\"low\"") && line.contains("\"Low\"") && line.contains("both be captured"),
        "{line}"
    );
    run.fine("run g.json x/take.wav -o o.wav --capture taps:Low");
}

#[test]
#[cfg(unix)]
fn words_that_are_no_text_and_a_closed_stderr() {
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;
    let run = Run::new();
    for words in [
        vec![&b"\xff"[..]],
        vec![b"render", b"\xff"],
        vec![b"presets", b"\xff"],
        vec![b"render", b"--silence", b"1", b"--\xff"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
            .args(words.iter().map(|word| std::ffi::OsStr::from_bytes(word)))
            .current_dir(run.folder.path())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{words:?}: {errors}");
    }
    // A warning, or a list of what is wrong, that nobody reads.
    run.wav("loud.wav", RATE, &[&[1.5; 100]]);
    run.write("text.wav", "no audio");
    for (words, code) in [
        ("render loud.wav -o o.wav --bits 16", 0),
        ("render loud.wav text.wav -o out", 2),
        ("rendr", 2),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
            .args(words.split(' '))
            .current_dir(run.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(writer)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(code), "{words}");
    }
    assert!(run.path("o.wav").is_file());
    assert!(run.path("out/loud.wav").is_file());
}

#[test]
#[cfg(unix)]
fn interrupted_it_leaves_nothing() {
    let run = Run::new();
    let mut render = std::process::Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args("render --silence 1e7 -o o.wav --capture taps".split(' '))
        .current_dir(run.folder.path())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It has begun when its file is there.
    let begun = std::time::Instant::now();
    while run.names().iter().all(|name| !name.ends_with(".part")) {
        assert!(begun.elapsed().as_secs() < 30, "it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let pid = render.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(render.wait().unwrap().code(), Some(2));
    assert!(run.names().is_empty(), "{:?}", run.names());
}

#[test]
fn live_without_a_terminal() {
    let run = Run::new();
    assert!(run.wrong("live --no-input").contains("terminal"));
    assert!(
        run.wrong("live --set beat=101")
            .contains("nearest valid value is 100")
    );
    assert!(
        run.wrong("live --hrtf nowhere.sofa")
            .contains("nowhere.sofa: cannot be read")
    );
    assert!(run.wrong("live --frames 0").contains("--frames"));
}

#[test]
fn filters_that_cannot_be_read() {
    let run = Run::new();
    run.write("bad.sofa", "this is no HDF5");
    fs::create_dir(run.path("folder.sofa")).unwrap();
    for (file, says) in [
        ("none.sofa", "none.sofa"),
        ("bad.sofa", "bad.sofa"),
        ("folder.sofa", "folder.sofa"),
    ] {
        // Said even where space is off and nothing would be rendered with it.
        for space in ["", " --set space_kind=hrtf"] {
            let line = run.wrong(&format!("render --silence 1 --hrtf {file} -o o.wav{space}"));
            assert!(line.contains(says), "{line}");
        }
    }
}
