//! What is wrong gets one line that names the nearest valid thing, exit code 2, and no file.

use super::{RATE, Run, data, sine};
use std::fs;
use zeitgeber::offline::{Decoder, Source};

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
        ("frobnicate", "'frobnicate'; --help lists what there is"),
        ("analyze --zzzzzz x.wav", "--help lists what there is"),
        (
            "render --silence 1 -o o.wav --set frobnicate=1",
            "there is no parameter \"frobnicate\"; `zeitgeber params` lists them",
        ),
        (
            "render --silence 1 -o o.wav --preset frobnicate",
            "--preset frobnicate: there is no preset \"frobnicate\"; `zeitgeber presets list` lists them",
        ),
        ("run low_pass@3 --silence 1 -o o.wav", "2, 4 or 8 times"),
        ("run low_pass@x --silence 1 -o o.wav", "2, 4 or 8 times"),
        (
            "render --silence 1 -o o.wav --insert-a gain@3",
            "2, 4 or 8 times",
        ),
        (
            "run gain -o o.wav",
            "give an INPUT file, or --silence SECONDS",
        ),
        ("render --silence 1m30 -o o.wav", "1:30:00"),
        // What saving cannot mend is said before the node is looked at.
        (
            "node watch none.dsp -o o.wav",
            "give an INPUT file, or --silence SECONDS",
        ),
        (
            "node watch none.dsp in.wav -o o.wav",
            "in.wav: there is no such file",
        ),
        ("node watch none.dsp in.wav", "--output"),
        (
            "node watch none.dsp --silence 1 -o no/o.wav",
            "its folder does not exist",
        ),
        (
            "node watch none.dsp --silence 1 -o o.wav --set gain",
            "write --set NODE.PARAM=V",
        ),
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
        ("--start soon", "not a length"),
        ("--tail 1:75", "write 135s"),
        ("--start 3m10h", "not a length"),
        (
            "--set seed=1.5",
            "seed: 1.5 is not a whole number; the nearest valid value is 2",
        ),
        ("--set order=2.5", "order: 2.5 is not a whole number"),
        ("--bpm 0", "tempo above 0"),
        ("--bpm -120", "tempo above 0"),
        ("--bpm inf", "tempo above 0"),
    ] {
        let line = run.wrong(&format!("render --silence 1 -o o.wav {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
    let line = run.wrong("render --silence 1:75 -o o.wav");
    assert!(line.contains("below 60; write 135s"), "{line}");
    let line = run.wrong("analyze in.wav --every 0:75");
    assert!(line.contains("below 60; write 75s"), "{line}");
    for seconds in ["-1", "nan", "inf", "1e10"] {
        let line = run.wrong(&format!("render --silence {seconds} -o o.wav"));
        assert!(line.contains("nearest valid value"), "{seconds}: {line}");
    }
}

#[test]
fn help_of_help_is_help() {
    let run = Run::new();
    assert_eq!(run.fine("help --help"), run.fine("--help"));
    assert_eq!(run.fine("node help -h"), run.fine("node help"));
    // A node or a file may be called help.
    let line = run.wrong("run help --silence 1 -o o.wav");
    assert!(line.contains("there is no node \"help\""), "{line}");
    assert!(run.fine("run help --help").contains("NODE.PARAM=V"));
}

#[test]
fn silence_is_as_long_as_it_is_written() {
    let run = Run::new();
    let frames = |words: String| {
        run.fine(&format!("render {words} -o o.wav --rate 8000"));
        let frames = Decoder::open(&run.path("o.wav")).unwrap().frames();
        frames.map(|frames| frames as f64 / 8000.0)
    };
    for (length, seconds) in [
        ("2s", 2.0),
        ("0:02", 2.0),
        ("1", 1.0),
        ("0", 0.0),
        ("1m2s", 62.0),
    ] {
        assert_eq!(
            frames(format!("--silence {length}")),
            Some(seconds),
            "{length}"
        );
    }
    // The same reader everywhere.
    for (length, seconds) in [("2s", 3.0), ("0:02", 3.0), ("0s", 1.0)] {
        let words = format!("--silence 1 --start 1h30m --tail {length}");
        assert_eq!(frames(words), Some(seconds), "{length}");
    }
}

/// The link stays, and what is at its end is written; nothing is made among the system's own files.
#[cfg(unix)]
#[test]
fn outputs_go_through_links_and_never_into_the_system() {
    use std::os::unix::fs::symlink;
    let run = Run::new();
    run.wav("in.wav", RATE, &[&sine(250.0, 0.1, 4800, RATE)]);
    fs::create_dir(run.path("disk")).unwrap();
    let names = [
        "o.wav", "o.flac", "o.csv", "o.png", "o.json", "tone.wav", "key.csv",
    ];
    for name in names {
        symlink(format!("disk/{name}"), run.path(name)).unwrap();
    }
    // One that is there already is replaced, and the others are made.
    run.write("disk/o.wav", "before");
    for words in [
        "render in.wav -o o.wav --markers o.csv",
        "render in.wav -o o.flac --normalize -3dBFS",
        "analyze in.wav --plot o.png",
        "presets export Pendulum -o o.json",
        "calibrate -o tone.wav --seconds 1",
        "listen-test t in.wav --set-a prog_kind=amplitude --trials 1 --seconds 1 --key key.csv",
    ] {
        run.fine(words);
    }
    for name in names {
        let link = fs::symlink_metadata(run.path(name)).unwrap();
        assert!(link.is_symlink(), "{name} is replaced");
        let bytes = fs::read(run.path("disk").join(name)).unwrap();
        assert!(bytes.len() > 20, "{name}");
    }
    let inside = fs::read_dir(run.path("disk")).unwrap().count();
    assert_eq!(inside, names.len(), "something is left beside them");
    symlink("nowhere/o.wav", run.path("lost.wav")).unwrap();
    symlink("round.wav", run.path("round.wav")).unwrap();
    symlink("/dev/zeitgeber.wav", run.path("device.wav")).unwrap();
    symlink("o.csv", run.path("second.csv")).unwrap();
    symlink("disk/same.wav", run.path("same.wav")).unwrap();
    let system = "the system's own";
    for (words, says) in [
        ("render in.wav -o /dev/zeitgeber.wav", system),
        ("render in.wav -o /proc/zeitgeber.wav", system),
        (
            "render in.wav -o /dev/null",
            "is not a file that can be written",
        ),
        ("render in.wav -o device.wav", system),
        ("render in.wav -o lost.wav", "its folder does not exist"),
        ("render in.wav -o round.wav", "in a circle"),
        ("render in.wav -o p.wav --markers /dev/null", system),
        (
            "render in.wav -o p.wav --markers no/o.csv",
            "its folder does not exist",
        ),
        (
            "render in.wav -o same.wav --markers disk/same.wav",
            "name the same file",
        ),
        (
            "render in.wav -o p.wav --capture no/such/folder",
            "its folder does not exist",
        ),
        ("analyze in.wav --plot /dev/o.png", system),
        ("presets export Pendulum -o /dev/full", system),
        ("presets export Pendulum -o disk", "this is a folder"),
        (
            "presets export Pendulum -o no/o.json",
            "its folder does not exist; make it first",
        ),
        ("calibrate -o /sys/o.wav", system),
        ("man /dev/zeitgeber-pages", system),
        ("render in.wav -o /dev/zeitgeber-folder/", system),
        (
            "render in.wav -o p.wav --capture /dev/zeitgeber-folder",
            system,
        ),
        (
            "listen-test /dev/zeitgeber-test --set-a l1_kind=binaural --key k.csv",
            system,
        ),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
    assert_eq!(fs::read_dir(run.path("disk")).unwrap().count(), inside);
}

#[test]
fn names_of_outputs_say_what_they_are() {
    let run = Run::new();
    run.wav("a.wav", RATE, &[&sine(250.0, 0.1, 480, RATE)]);
    run.wav("b.wav", RATE, &[&sine(250.0, 0.1, 480, RATE)]);
    for (words, says) in [
        (
            "render a.wav -o o.txt",
            "only WAV and FLAC can be written, not txt",
        ),
        ("render a.wav -o o.w64", "not w64"),
        ("run gain a.wav -o o.v2", "not v2"),
        ("render a.wav -o o.mp3 --format wav", "not mp3"),
        ("render a.wav -o -", "name a file"),
        ("run gain a.wav -o -", "name a file"),
        ("calibrate -o -", "name a file"),
        ("render a.wav b.wav -o single.wav", "name a folder"),
        ("render a.wav b.wav -o single.FLAC", "name a folder"),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
    assert_eq!(run.names().len(), 2, "{:?}", run.names());
    run.fine("render a.wav -o o.v2 --format wav");
    run.fine("render a.wav -o plain");
    run.fine("render a.wav b.wav -o folder.wav/");
    run.fine("render a.wav b.wav -o folder.wav");
    assert!(run.path("folder.wav/b.wav").is_file());
}

#[test]
fn presets_that_are_none_are_told_as_what_they_are() {
    let run = Run::new();
    fs::create_dir(run.path("folder")).unwrap();
    run.write("empty.json", "");
    run.write("blank.json", "\u{feff} \n");
    run.write("words.json", "beat 10\n");
    run.write("walk.sbg", "ts1: 200+10/20\nNOW ts1\n");
    run.write("list.json", "[1]");
    run.write(
        "rows.json",
        r#"{"params": {}, "protocol": [{"at": 0, "beat": 4}, {"beat": 5}]}"#,
    );
    for (words, says) in [
        (
            "render -o o.wav --preset folder",
            "--preset folder: this is a folder",
        ),
        (
            "render -o o.wav --preset ./empty.json",
            "empty.json: the file is empty",
        ),
        (
            "render -o o.wav --preset walk.sbg",
            "imported first: zeitgeber presets import walk.sbg",
        ),
        ("presets check empty.json", "the file is empty"),
        ("presets check blank.json", "the file is empty"),
        (
            "presets check words.json",
            "words.json: is not a preset, which is JSON",
        ),
        ("presets import list.json", "has no object \"params\""),
        (
            "presets check rows.json",
            "protocol row 2 (counted from 1): it has no time",
        ),
        (
            "render --silence 1 -o o.wav --hrtf nope.sofa",
            "nope.sofa: cannot be read: there is no such file",
        ),
        ("hrtf nope.sofa", "there is no such file"),
    ] {
        let line = run.wrong(words);
        assert!(
            line.contains(says) && !line.contains("os error"),
            "{words}: {line}"
        );
    }
}

/// A recorder that crashed leaves the sizes at 0, and one that was cut off too much of them.
#[test]
fn recordings_that_were_never_ended_are_read() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 4800, RATE);
    run.wav("good.wav", RATE, &[&tone, &tone]);
    run.wav("bus.wav", RATE, &[tone.as_slice(); 16]);
    let whole = fs::read(run.path("good.wav")).unwrap();
    fs::write(run.path("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    let line = run.wrong("render cut.wav -o o.wav");
    assert!(
        line.contains("too early; repair or convert it, for example: ffmpeg -i "),
        "{line}"
    );
    for name in ["good.wav", "bus.wav"] {
        let mut bytes = fs::read(run.path(name)).unwrap();
        let data = bytes.windows(4).position(|word| word == b"data").unwrap();
        bytes[4..8].fill(0);
        bytes[data + 4..data + 8].fill(0);
        fs::write(run.path(&format!("unsized-{name}")), &bytes).unwrap();
    }
    for (name, options) in [("good.wav", ""), ("bus.wav", "--bus ambisonic")] {
        for input in [name.to_owned(), format!("unsized-{name}")] {
            run.fine(&format!("render {input} -o {input}.out.wav {options}"));
        }
        let of = |input: &str| fs::read(run.path(&format!("{input}.out.wav"))).unwrap();
        assert!(of(name) == of(&format!("unsized-{name}")), "{name}");
        assert!(of(name).len() > 4800 * 8);
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
    run.write("tape.AIFF", "FORM\0\0\0\x1cAIFFCOMM");
    run.write("tape.m4a", "\0\0\0\x20ftypM4A ");
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
        ("tape.AIFF", "convert it, for example: ffmpeg -i IN OUT.wav"),
        ("tape.m4a", "convert it, for example: ffmpeg -i IN OUT.wav"),
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

/// A loop of a shell goes on after a program that exits, and ends with one that a signal ended.
#[test]
#[cfg(unix)]
fn interrupted_it_leaves_nothing_and_ends_by_the_signal() {
    use std::os::unix::process::ExitStatusExt;
    let run = Run::new();
    for (name, number, is_there) in [
        ("-INT", 2, false),
        ("-TERM", 15, true),
        ("-HUP", 1, true),
        ("-INT", 2, true),
    ] {
        if is_there {
            run.write("o.wav", "from before");
        }
        let before = run.names();
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
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
        let status = render.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (None, Some(number)));
        let mut said = String::new();
        std::io::Read::read_to_string(&mut render.stderr.take().unwrap(), &mut said).unwrap();
        let says = match is_there {
            true => "the file that was there is as it was",
            false => "nothing is left of it",
        };
        assert!(said.contains(says), "{name}: {said}");
        assert_eq!(run.names(), before, "{name}");
        if is_there {
            assert_eq!(
                fs::read_to_string(run.path("o.wav")).unwrap(),
                "from before"
            );
        }
    }
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
