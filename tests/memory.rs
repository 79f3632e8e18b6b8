//! promise: no invalid memory is read or written: valgrind over the command line, sanitizers over the nodes in C++
//!
//! What is not installed is skipped, and says so. The pure parts run in miri by hand:
//! `MIRIFLAGS=-Zmiri-deterministic-floats cargo +nightly miri test --lib -- dsp::phase text:: dsp::quaternion`.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn skipped(what: &str, why: &str) {
    // Straight to the terminal: the harness keeps what is printed by tests that pass.
    let line = format!("\n==== SKIPPED: {what}: {why} ====\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

fn run(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"))
}

fn said(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    format!("{}\n{err}\n{out}", output.status)
}

/// Whether a program runs at all.
fn there(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A sound with a bit of everything that needs no filters: preparing those takes valgrind a quarter of an hour.
const SOUND: &str = "l1_kind=binaural l2_kind=isochronic l3_kind=bilateral l4_kind=noise noise_kind=pink \
                     prog_kind=shift gate_on=on leveller_on=on ceiling_on=on";

#[test]
fn valgrind_finds_nothing_in_a_render() {
    let what = "valgrind over a render";
    if !there("valgrind") {
        return skipped(what, "valgrind is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let seconds = match std::env::var_os("ZEITGEBER_LONG") {
        Some(_) => "3",
        None => "0.1",
    };
    let mut command = Command::new("valgrind");
    command
        .args(["-q", "--error-exitcode=97", "--leak-check=no"])
        .arg(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(["render", "--silence", seconds, "-o", "o.wav"])
        .args(SOUND.split_whitespace().flat_map(|set| ["--set", set]))
        .env("HOME", folder.path())
        .current_dir(folder.path());
    let output = run(&mut command);
    let text = said(&output);
    // A processor of after valgrind: its instructions are no errors of ours.
    if text.contains("unrecognised instruction") || text.contains("unhandled instruction") {
        return skipped(what, "this valgrind does not know this processor");
    }
    assert!(output.status.success(), "{text}");
    assert!(folder.path().join("o.wav").exists());
}

/// Compiles the nodes in C++ with a sanitizer and drives them; `None` where the compiler has none.
fn driven(sanitizer: &str, change: impl Fn(&str) -> String) -> Option<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("drive");
    let flags = [
        "-std=c++17",
        "-O1",
        "-g",
        "-ffp-contract=off",
        "-fno-exceptions",
        "-fno-rtti",
        "-fno-omit-frame-pointer",
        "-fno-sanitize-recover=all",
        "-pthread",
    ];
    // Whether there is one at all: its library is a package of its own in places.
    let empty = folder.path().join("empty.cpp");
    std::fs::write(&empty, "int main() { return 0; }\n").unwrap();
    let compile = |sources: &[PathBuf]| {
        let mut command = Command::new("g++");
        command.args(flags).arg(format!("-fsanitize={sanitizer}"));
        command.arg("-I").arg(root.join("cpp")).args(sources);
        run(command.arg("-o").arg(&program))
    };
    if !compile(&[empty]).status.success() || !run(&mut Command::new(&program)).status.success() {
        return None;
    }
    let mut sources = Vec::new();
    for file in std::fs::read_dir(root.join("cpp")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "cpp") {
            let text = std::fs::read_to_string(&path).unwrap();
            let copy = folder.path().join(path.file_name().unwrap());
            std::fs::write(&copy, change(&text)).unwrap();
            sources.push(copy);
        }
    }
    // Each is driven: one that is new is missing in the driver.
    let driver = root.join("tests/data/nodes/drive.cpp");
    let calls = std::fs::read_to_string(&driver).unwrap();
    for source in &sources {
        let name = source.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            calls.contains(&format!("zg_node_{name}()")),
            "{} does not drive {name}",
            driver.display()
        );
    }
    sources.push(driver);
    let compiled = compile(&sources);
    assert!(compiled.status.success(), "{}", said(&compiled));
    Some(run(&mut Command::new(&program)))
}

fn sanitized(sanitizer: &str) {
    let what = format!("-fsanitize={sanitizer} over the nodes in C++");
    if !there("g++") {
        return skipped(&what, "g++ is not installed");
    }
    match driven(sanitizer, str::to_owned) {
        None => skipped(&what, "this g++ has no such sanitizer"),
        Some(output) => {
            let text = said(&output);
            assert!(output.status.success() && text.contains("driven"), "{text}");
        }
    }
}

#[test]
fn addresses_and_undefined_behaviour_of_the_nodes_in_cpp() {
    sanitized("address,undefined");
}

#[test]
fn threads_of_the_nodes_in_cpp() {
    sanitized("thread");
}

#[test]
fn the_sanitizers_see_something() {
    if !there("g++") {
        return skipped("the sanitizers' own test", "g++ is not installed");
    }
    // A node that has forgotten where its buffer ends.
    let wrong = |text: &str| {
        text.replace(
            "const zg_node_descriptor* zg_node_ceiling(void) {",
            "const zg_node_descriptor* zg_node_ceiling(void) { float* x = new float[4]; volatile int n = 4; x[n] = 1; \
             delete[] x;",
        )
    };
    match driven("address,undefined", wrong) {
        None => skipped("the sanitizers' own test", "this g++ has no such sanitizer"),
        Some(output) => {
            let text = said(&output);
            let seen = text.contains("heap-buffer-overflow") || text.contains("runtime error");
            assert!(!output.status.success() && seen, "{text}");
        }
    }
}
