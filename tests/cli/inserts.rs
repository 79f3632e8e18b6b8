//! Inserts A and B from the command line.

use super::{RATE, Run, data};

const TRIPLE: &str = "process = *(3);\n";

fn run() -> Run {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.125; 4800], &[0.25; 4800]]);
    run.write("triple.dsp", TRIPLE);
    run
}

#[test]
fn a_built_in_node_and_a_file_sound_where_they_are_put() {
    let run = run();
    let plain = [vec![0.125; 4800], vec![0.25; 4800]];
    // The first parameter of gain runs from -160 to 40 dB, and a mono file runs in each channel.
    run.fine("render in.wav -o a.wav --insert-a triple.dsp -q");
    assert_eq!(
        run.read("a.wav"),
        plain
            .clone()
            .map(|x| x.iter().map(|x| 3.0 * x).collect::<Vec<f32>>())
    );
    run.fine("render in.wav -o b.wav --insert-a triple.dsp --insert-b triple.dsp --set out_gain=-6 --set b_on=off -q");
    run.fine("render in.wav -o c.wav --insert-b gain --set b_1=0.8 --set b_2=0 -q");
    assert_eq!(run.read("c.wav"), plain);
    // Insert A is before the gain of the output, insert B after it: both scale.
    let [left, _] = run.read("b.wav");
    assert!(
        (left[4000] - 0.375 * 0.501_187).abs() < 1e-5,
        "{}",
        left[4000]
    );
    // A macro can be automated like every control.
    run.write("sweep.csv", "0,0.7,step\n0.05,0.8,linear\n");
    run.fine("render in.wav -o d.wav --insert-b gain --set b_2=0 --automate b_1=sweep.csv -q");
    let [left, _] = run.read("d.wav");
    assert!(left[0] < 0.02, "{}", left[0]);
    assert!((left[4000] - 0.125).abs() < 1e-6, "{}", left[4000]);
}

#[test]
fn what_cannot_be_an_insert_is_said_and_leaves_no_file() {
    let run = run();
    for (words, says) in [
        (
            "--insert-a gian",
            "there is no node \"gian\"; the nearest is \"gain\"",
        ),
        (
            "--insert-a xyzzy",
            "there is no node \"xyzzy\"; `zeitgeber nodes` lists them",
        ),
        ("--insert-b nobody.dsp", "nobody.dsp: there is no such file"),
        ("--insert-a early", "10 inputs"),
        ("--insert-b gain@4", "late by"),
        ("--insert-a x/y", "a node is a .dsp file"),
    ] {
        let line = run.wrong(&format!("render in.wav -o x.wav {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
    let broken = data("nodes/broken.dsp");
    let line = run.wrong(&format!("render in.wav -o x.wav --insert-a {broken}"));
    assert!(line.contains("broken.dsp:3: undefined symbol"), "{line}");
    let line = run.wrong("render in.wav -o x.wav --set a_1=2");
    assert!(
        line.contains("a_1") && line.contains("nearest valid value is 1"),
        "{line}"
    );
}

#[test]
fn a_node_that_breaks_is_left_and_warned_of() {
    let run = run();
    run.write("late.dsp", "process(x) = x / (abs(x - 0.125) > 0);\n");
    let output = run.zeitgeber("render in.wav -o x.wav --insert-a late.dsp -q");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(
        errors.contains("insert A: \"late\" put out what is not finite at 0.")
            && errors.contains(" s, and was left out from there on; keep what"),
        "{errors}"
    );
    let [left, _] = run.read("x.wav");
    assert!(left.iter().all(|x| x.is_finite()));
    assert_eq!(left[4000], 0.125);
}

/// Divides by nothing where a sample is exactly so large, which the check never meets.
const BREAKS: &str = "process = \\(x).(x / (1.0 - (x == 0.3125)));\n";

#[test]
fn what_was_left_out_of_several_files_is_told_with_their_names() {
    let run = Run::new();
    run.write("breaks.dsp", BREAKS);
    run.wav("a.wav", RATE, &[&[0.3125; 4800], &[0.25; 4800]]);
    run.wav("b.wav", RATE, &[&[0.125; 4800], &[0.25; 4800]]);
    std::fs::create_dir(run.path("out")).unwrap();
    let output = run.zeitgeber("render a.wav b.wav -o out --insert-a breaks.dsp");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.contains("a.wav") && errors.contains("insert A: \"breaks\""),
        "{errors}"
    );
}

/// What a playing `zeitgeber live` says, and how it is ended.
#[cfg(unix)]
#[test]
fn live_takes_a_saved_file_up_and_tells_of_mistakes_and_trips() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let run = Run::new();
    run.write("mine.dsp", "process = *(0.5);\n");
    run.wav("in.wav", RATE, &[&[0.3125; 48_000], &[0.25; 48_000]]);
    let words = "live in.wav --backend none --headless --seconds 120 --insert-a mine.dsp";
    let mut child = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(words.split_whitespace())
        .current_dir(run.path(""))
        .env("XDG_CACHE_HOME", run.cache.path())
        .env("HOME", run.cache.path())
        .stdout(Stdio::from(
            std::fs::File::create(run.path("said")).unwrap(),
        ))
        .stderr(Stdio::from(
            std::fs::File::create(run.path("errors")).unwrap(),
        ))
        .spawn()
        .unwrap();
    let wait = |file: &str, text: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let found = std::fs::read_to_string(run.path(file)).unwrap();
            if found.contains(text) {
                return true;
            }
            if Instant::now() > deadline {
                eprintln!("{text:?} is not in {found:?}");
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let mut fine = wait("said", "no device");
    run.write("mine.dsp", "process = *(0.5;\n");
    fine &= wait("errors", "insert A: mine.dsp:1:");
    run.write("mine.dsp", BREAKS);
    fine &= wait(
        "errors",
        "insert A: the file was saved; its new version sounds",
    );
    fine &= wait("errors", "insert A: \"mine\" put out what is not finite");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(fine);
}
