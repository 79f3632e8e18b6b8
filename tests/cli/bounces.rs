//! What bounces are made of: many inputs, FLAC, levels, loops, tags, pictures of captures, and constant memory.

use super::{RATE, Run, data, read, sine};
use std::fs;
use std::path::Path;
use std::process::Command;
#[cfg(unix)]
use std::process::Stdio;
#[cfg(unix)]
use std::time::Duration;
use zeitgeber::analysis::loudness::{Loudness, LoudnessMeter};
use zeitgeber::offline::{Capture, Decoder, RenderOptions, Silence, Source, render};

/// All channels of a file, by the program's own decoder.
fn decoded(path: &Path) -> Vec<Vec<f32>> {
    let mut decoder = Decoder::open(path).unwrap();
    let frames = decoder.frames().unwrap() as usize;
    let mut channels = vec![vec![0.0; frames]; decoder.channels()];
    let mut slices: Vec<&mut [f32]> = channels.iter_mut().map(Vec::as_mut_slice).collect();
    assert_eq!(decoder.read(&mut slices).unwrap(), frames);
    channels
}

fn measured(path: &Path) -> Loudness {
    let channels = decoded(path);
    let mut meter = LoudnessMeter::new(channels.len(), RATE).unwrap();
    let slices: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
    meter.push(&slices);
    meter.measure()
}

#[test]
fn many_inputs_become_the_files_that_each_becomes_alone() {
    let run = Run::new();
    for (n, name) in ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"]
        .iter()
        .enumerate()
    {
        let tone = sine(200.0 + 10.0 * n as f64, 0.1, 20_000 + 1000 * n, RATE);
        run.wav(name, RATE, &[&tone]);
    }
    let how = "--set l1_kind=binaural --set prog_kind=amplitude --bits 24";
    for jobs in ["--jobs 1", "--jobs 4", ""] {
        let said = run.fine(&format!(
            "render c.wav a.wav e.wav b.wav d.wav -o out {how} {jobs}"
        ));
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 6, "{said}");
        // Told in the order that was given, whatever ended first.
        for (line, name) in lines.iter().zip(["c", "a", "e", "b", "d"]) {
            assert!(line.contains(&format!("{name}.wav: ")), "{said}");
        }
        assert!(lines[5].contains("5 files"));
        for name in ["a", "b", "c", "d", "e"] {
            run.fine(&format!("render {name}.wav -o alone.wav -q {how}"));
            assert!(
                fs::read(run.path("alone.wav")).unwrap()
                    == fs::read(run.path(&format!("out/{name}.wav"))).unwrap()
            );
        }
        fs::remove_dir_all(run.path("out")).unwrap();
    }
}

#[test]
fn one_that_is_broken_does_not_stop_the_others() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 20_000, RATE);
    run.wav("a.wav", RATE, &[&tone]);
    run.wav("b.wav", RATE, &[&tone]);
    run.write("text.wav", "no audio");
    let output = run.zeitgeber("render a.wav text.wav missing.wav b.wav -o out");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 3, "{errors}");
    assert!(lines[0].contains("text.wav") && lines[0].contains("is not audio"));
    assert!(lines[1].contains("missing.wav") && lines[1].contains("no such file"));
    assert!(lines[2].contains("2 of 4 files failed"));
    let names: Vec<_> = fs::read_dir(run.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // Where nothing could be written no folder is left either.
    let output = run.zeitgeber("render text.wav missing.wav -o none --capture taps");
    assert_eq!(output.status.code(), Some(2));
    assert!(!run.path("none").exists() && !run.path("taps").exists());
}

#[test]
fn what_several_inputs_cannot_do_is_said_before_anything_is_written() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 4800, RATE);
    fs::create_dir(run.path("x")).unwrap();
    for name in ["a.wav", "b.wav", "x/a.wav"] {
        run.wav(name, RATE, &[&tone]);
    }
    for (words, says) in [
        ("a.wav x/a.wav -o out", "would become this file"),
        ("a.wav b.wav -o b.wav", "name a folder"),
        ("a.wav b.wav -o no/where", "cannot be made"),
        ("a.wav b.wav -o out --markers m.csv", "one by one"),
        ("a.wav -o o.wav --format flac", "its name says wav"),
        ("a.wav -o o.flac --bits 32f", "FLAC holds no floats"),
        ("a.wav -o o.wav --normalize loud", "-16LUFS"),
        (
            "a.wav -o o.wav --normalize 3dBTP",
            "nearest valid value is 0",
        ),
        ("a.wav -o o.wav --loop never", "1:30:00"),
        ("--silence 1 -o o.wav --loop 3", "cannot be used with"),
        ("--preset starter-calm -o o.wav --plot", "--capture"),
        ("a.wav -o o.wav --jobs 0", "--jobs"),
    ] {
        let line = run.wrong(&format!("render {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
    // The folder of the inputs is no place for files of their names.
    let output = run.zeitgeber("render a.wav b.wav -o .");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("would overwrite what is read"));
    for (words, says) in [
        ("run gate a.wav b.wav -o o.wav", "name a folder"),
        ("run gate a.wav b.wav -o out --set gate.x=1", "\"x\""),
        (
            "node watch none.dsp a.wav b.wav -o out",
            "one INPUT too many",
        ),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
}

#[test]
fn flac_holds_what_wav_of_the_same_bits_holds() {
    let run = Run::new();
    let how = "--silence 1.3 --set l1_kind=binaural --set noise_kind=pink";
    for bits in [16, 24] {
        run.fine(&format!("render {how} -o o.wav -q --bits {bits}"));
        run.fine(&format!("render {how} -o o.flac -q --bits {bits}"));
        let first = fs::read(run.path("o.flac")).unwrap();
        assert_eq!(&first[..4], b"fLaC");
        assert!(decoded(&run.path("o.wav")) == decoded(&run.path("o.flac")));
        run.fine(&format!(
            "render {how} -o o.flac -q --bits {bits} --block 77"
        ));
        assert!(fs::read(run.path("o.flac")).unwrap() == first);
    }
    // In a folder, and as 24 bits where nothing is said.
    run.wav("in.wav", RATE, &[&sine(250.0, 0.5, 48_000, RATE)]);
    run.fine("render in.wav -o bounced/ --format flac");
    run.fine("render in.wav -o other --format flac");
    assert!(
        run.path("other/in.flac").is_file(),
        "a pattern may be one file"
    );
    let whole = decoded(&run.path("bounced/in.flac"));
    let error = whole[0]
        .iter()
        .zip(sine(250.0, 0.5, 48_000, RATE))
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(error < 3.0 / 8_388_608.0, "{error}");
}

/// Another program's judgement, where it is on the machine.
#[test]
fn the_reference_decoder_takes_the_flac() {
    let run = Run::new();
    run.fine("render --silence 3 -o o.flac -q --set l1_kind=binaural --set noise_kind=white");
    match Command::new("flac")
        .args(["--test", "--silent"])
        .arg(run.path("o.flac"))
        .output()
    {
        Err(_) => eprintln!("SKIPPED: there is no flac program on this machine"),
        Ok(output) => assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

#[test]
fn files_say_what_made_them_and_nothing_of_when() {
    let run = Run::new();
    let version = concat!("Zeitgeber ", env!("CARGO_PKG_VERSION"));
    for name in ["o.wav", "o.flac"] {
        let listed = run.fine("presets list");
        let preset = listed.lines().next().unwrap();
        let preset = preset.split("  ").next().unwrap().to_owned();
        let render = || {
            let output = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
                .args([
                    "render",
                    "--silence",
                    "1",
                    "-q",
                    "-o",
                    name,
                    "--preset",
                    &preset,
                ])
                .current_dir(run.folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{name}");
            fs::read(run.path(name)).unwrap()
        };
        let bytes = render();
        let has = |text: &str| {
            bytes
                .windows(text.len())
                .any(|found| found == text.as_bytes())
        };
        assert!(has(version), "{name}");
        assert!(has(&format!("Preset: {preset}")), "{name}");
        assert!(render() == bytes, "{name}: two bounces are the same");
    }
    // The chunk lies after the sound, and RIFF counts it.
    let wav = fs::read(run.path("o.wav")).unwrap();
    let size = u32::from_le_bytes(wav[4..8].try_into().unwrap()) as usize;
    assert_eq!(size + 8, wav.len());
    assert_eq!(read(&run.path("o.wav"))[0].len(), RATE as usize);
}

#[test]
fn normalize_brings_to_loudness_and_peaks() {
    let run = Run::new();
    let tone = sine(997.0, 0.05, 4 * RATE as usize, RATE);
    run.wav("in.wav", RATE, &[&tone, &tone]);
    let highest = |peaks: &[f64]| peaks.iter().copied().fold(f64::MIN, f64::max);
    for name in ["o.wav", "o.flac"] {
        let said = run.fine(&format!("render in.wav -o {name} --normalize -23LUFS"));
        assert!(
            said.contains("normalize: ") && said.contains("-23.0 LUFS"),
            "{said}"
        );
        let lufs = measured(&run.path(name)).integrated.unwrap();
        assert!((lufs + 23.0).abs() < 0.01, "{name}: {lufs}");
        run.fine(&format!("render in.wav -o {name} --normalize -1dBTP"));
        let peak = highest(&measured(&run.path(name)).true_peak);
        assert!((peak + 1.0).abs() < 0.01, "{name}: {peak}");
        run.fine(&format!("render in.wav -o {name} --normalize -6dBFS"));
        let peak = highest(&measured(&run.path(name)).sample_peak);
        assert!((peak + 6.0).abs() < 0.01, "{name}: {peak}");
    }
    // Two bounces are the same, and nothing is left beside them.
    run.fine("render in.wav -o a.wav --normalize -20LUFS --bits 16");
    run.fine("render in.wav -o b.wav --normalize -20LUFS --bits 16 --block 99");
    assert!(fs::read(run.path("a.wav")).unwrap() == fs::read(run.path("b.wav")).unwrap());
    let said = run.fine("render --silence 1 -o o.wav --normalize -20LUFS");
    assert!(said.contains("silent or too short"), "{said}");
    assert!(run.read("o.wav").iter().flatten().all(|x| *x == 0.0));
    // One ear alone is 3 dB softer than its peak.
    run.wav("in.wav", RATE, &[&tone, &[0.0; 4 * RATE as usize]]);
    let said = run.fine("render in.wav -o loud.wav --normalize -1LUFS");
    assert!(
        said.contains("above full scale") && said.contains("-1dBTP") && !said.contains("ceiling"),
        "{said}"
    );
    // The ceiling is before it, and no parameter helps where integers are cut off.
    let output =
        run.zeitgeber("render in.wav -o loud.wav --normalize -1LUFS --bits 16 --set ceiling_on=on");
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("ceiling, before --normalize: "), "{said}");
    assert!(
        errors.contains("ask --normalize for less") && !errors.contains("out_gain"),
        "{errors}"
    );
    assert_eq!(
        run.names(),
        ["a.wav", "b.wav", "in.wav", "loud.wav", "o.flac", "o.wav"]
    );
}

#[test]
fn a_loop_is_exact_at_its_seam_and_ends_at_its_length() {
    let run = Run::new();
    let ramp: Vec<f32> = (0..10_007).map(|n| n as f32 / 20_000.0).collect();
    run.wav("in.wav", RATE, &[&ramp]);
    run.fine("render in.wav -o o.wav --loop 2s --tail 0.1");
    let [left, right] = run.read("o.wav");
    assert_eq!(left.len(), 96_000 + 4800);
    for (n, x) in left.iter().enumerate() {
        let wanted = if n < 96_000 {
            ramp[n % ramp.len()]
        } else {
            0.0
        };
        assert!(*x == wanted, "frame {n}");
    }
    assert!(left == right);
    // A longer file is cut; another format and rate go the same way.
    run.fine("render in.wav -o o.wav --loop 0.1");
    assert_eq!(run.read("o.wav")[0], ramp[..4800]);
    run.fine(&format!(
        "render {} -o o.wav --loop 0:05 --rate 48000",
        data("pair.ogg")
    ));
    assert_eq!(run.read("o.wav")[0].len(), 5 * 48_000);
    run.wav("empty.wav", RATE, &[&[]]);
    let line = run.wrong("render empty.wav -o n.wav --loop 3");
    assert!(line.contains("nothing can be looped"), "{line}");
}

#[test]
fn captures_are_drawn_and_each_input_has_its_own() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 24_000, RATE);
    run.wav("a.wav", RATE, &[&tone]);
    run.wav("b.wav", RATE, &[&tone]);
    let node = run.fine("graph");
    assert!(node.contains("gate"), "{node}");
    run.fine("render a.wav -o o.wav --capture taps:gate --plot");
    let png = fs::read(run.path("taps/gate.png")).unwrap();
    assert_eq!(&png[1..4], b"PNG");
    run.fine("run gate a.wav -o o.wav --capture alone --plot");
    assert!(run.path("alone/gate.png").is_file());
    run.fine("render a.wav b.wav -o out --capture many:gate --plot");
    for name in [
        "many/a/gate.wav",
        "many/a/gate.png",
        "many/b/gate.wav",
        "many/b/gate.png",
    ] {
        assert!(run.path(name).is_file(), "{name}");
    }
}

#[test]
fn pictures_are_of_what_was_captured_and_over_nothing_else() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 24_000, RATE);
    run.wav("a.wav", RATE, &[&tone]);
    fs::create_dir(run.path("taps")).unwrap();
    run.write("taps/broken.wav", "no audio");
    run.wav("taps/mine.wav", RATE, &[&tone]);
    run.write("taps/mine.png", "my picture");
    run.fine("run gate a.wav -o o.wav --capture taps --plot");
    assert!(run.path("taps/gate.png").is_file());
    assert!(!run.path("taps/broken.png").exists());
    let mine = fs::read_to_string(run.path("taps/mine.png")).unwrap();
    assert_eq!(mine, "my picture");
    // What is read stays, whatever it is called; the sound is there all the same.
    fs::copy(run.path("a.wav"), run.path("taps/gate.png")).unwrap();
    let input = fs::read(run.path("a.wav")).unwrap();
    let output = run.zeitgeber("run gate taps/gate.png -o p.wav --capture taps --plot");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(
        errors.contains("warning") && errors.contains("gate.wav is not drawn"),
        "{errors}"
    );
    assert!(fs::read(run.path("taps/gate.png")).unwrap() == input);
    assert!(run.path("p.wav").is_file());
    // A picture that cannot be written is no reason to lose the render either.
    fs::remove_file(run.path("taps/gate.png")).unwrap();
    fs::create_dir(run.path("taps/gate.png")).unwrap();
    let output = run.zeitgeber("run gate a.wav -o q.wav --capture taps --plot");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not drawn"));
    assert!(run.path("q.wav").is_file());
}

#[test]
fn captures_say_what_made_them() {
    let run = Run::new();
    run.fine("render --silence 0.1 --preset Pendulum -o o.wav --capture taps:gate");
    let text = fs::read(run.path("taps/gate.wav")).unwrap();
    let has = |word: &[u8]| text.windows(word.len()).any(|found| found == word);
    assert!(has(b"Zeitgeber ") && has(b"Preset: "));
}

#[test]
fn what_lies_aside_is_named_after_the_sound() {
    let folder = tempfile::tempdir().unwrap();
    let options = || RenderOptions {
        capture: Some(Capture::parse(
            &folder.path().join("taps:gate").to_string_lossy(),
        )),
        markers: Some(folder.path().join("marks.csv")),
        ..RenderOptions::default()
    };
    let names = || {
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        let all = entries(folder.path()).chain(entries(&folder.path().join("taps")));
        let mut names: Vec<String> = all
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    };
    for finishes in [false, true] {
        let done = render(&mut Silence::new(RATE, 1000), &options(), |_| Ok(())).unwrap();
        // Complete, but without a name until the sound has one.
        assert_eq!(names(), ["taps"]);
        if !finishes {
            drop(done);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            continue;
        }
        let captured = done.aside.finish().unwrap();
        assert_eq!(captured, [folder.path().join("taps/gate.wav")]);
        assert_eq!(names(), ["gate.wav", "marks.csv", "taps"]);
    }
}

/// The second way through a render that is brought to a level, on a disk that is full by then.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_at_the_end_leaves_neither_captures_nor_markers() {
    let run = Run::new();
    // What waits is 8 bytes a frame, 1500 blocks of 512; the output has a header beside them.
    let tone = sine(250.0, 0.1, 96_000, RATE);
    run.wav("a.wav", RATE, &[&tone]);
    let before = run.names();
    let output = Command::new("sh")
        .arg("-c")
        .arg(
            "ulimit -f 1500; exec \"$0\" render a.wav -o o.wav --normalize -1dBFS --markers m.csv \
             --set l1_kind=isochronic",
        )
        .arg(env!("CARGO_BIN_EXE_zeitgeber"))
        .current_dir(run.folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("o.wav: cannot be written"), "{errors}");
    assert_eq!(run.names(), before);
}

/// The signal that ended it.
#[cfg(unix)]
fn ended_by(status: std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

/// One that is wrong is told even where the user stops the others.
#[cfg(unix)]
#[test]
fn an_interrupt_swallows_no_error() {
    let run = Run::new();
    run.wav("a.wav", RATE, &[&sine(250.0, 0.1, 48_000, RATE)]);
    run.write("text.wav", "no audio");
    let child = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args("render text.wav a.wav -o out --loop 100h --jobs 1".split(' '))
        .current_dir(run.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One at a time: when the second has begun, the first has failed.
    let begun = || fs::read_dir(run.path("out")).is_ok_and(|files| files.count() > 0);
    while !begun() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(ended_by(output.status), Some(2), "{errors}");
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(lines[0].contains("text.wav") && lines[0].contains("is not audio"));
    assert!(
        lines[1].contains("interrupted: 0 of 2 files are written, 1 failed"),
        "{errors}"
    );
}

/// Ends a render in its middle; what was there before stays, and nothing else does.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_no_half_file_on_any_way() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 48_000, RATE);
    run.wav("a.wav", RATE, &[&tone]);
    run.wav("b.wav", RATE, &[&tone]);
    let before = run.names();
    for words in [
        "render a.wav -o o.wav --loop 100h",
        "render a.wav -o o.flac --loop 100h",
        "render a.wav -o o.wav --loop 100h --normalize -20LUFS",
        "render a.wav b.wav -o out --loop 100h --capture taps:gate --normalize -1dBFS --format flac",
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
            .args(words.split_whitespace())
            .current_dir(run.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Until it has begun to write; then it is asked to stop.
        let begun = || {
            let part = |folder: &Path| {
                fs::read_dir(folder).is_ok_and(|files| {
                    files.flatten().any(|file| {
                        let name = file.file_name();
                        let name = name.to_string_lossy();
                        (name.ends_with(".part") || name.ends_with(".wait"))
                            && file.metadata().is_ok_and(|data| data.len() > 0)
                    })
                })
            };
            part(run.folder.path()) || part(&run.path("out"))
        };
        while !begun() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "{words} ended by itself"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(ended_by(output.status), Some(2), "{words}: {errors}");
        assert!(errors.contains("nothing is left"), "{words}: {errors}");
        assert_eq!(run.names(), before, "{words}");
    }
}

/// The most memory that a command has held, in KiB.
#[cfg(target_os = "linux")]
fn memory(run: &Run, words: &str) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(words.split_whitespace())
        .current_dir(run.folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.unwrap_or_default();
        let line = line.lines().find(|line| line.starts_with("VmHWM"));
        let held = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        most = most.max(held.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{words}");
            return most;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// `ZEITGEBER_LONG=1` renders eight hours (of 1.4 GB), the suite minutes.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_length() {
    let run = Run::new();
    let tone = sine(250.0, 0.1, 8000, 8000);
    run.wav("in.wav", 8000, &[&tone]);
    let long = match std::env::var_os("ZEITGEBER_LONG") {
        Some(_) => 8 * 3600,
        None => 64,
    };
    for how in [
        "-o o.wav --bits 16",
        "-o o.flac --bits 16",
        "-o o.wav --normalize -20LUFS",
    ] {
        let most = |seconds: u32| {
            let words = format!(
                "render in.wav {how} -q --set l1_kind=binaural --block 4096 --loop {seconds}"
            );
            memory(&run, &words)
        };
        let (short, long) = (most(long / 8), most(long));
        // 80 bytes a second of loudness, and what an allocator leaves.
        assert!(long < short + 3000, "{how}: {short} KiB and {long} KiB");
    }
}
