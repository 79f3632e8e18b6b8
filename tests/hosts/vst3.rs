//! The VST3 in Python's hosts: `pedalboard` and DawDreamer, which are JUCE inside.
//!
//! promise: pedalboard and DawDreamer load, automate, render, save and restore, where they are installed

use crate::library::{run, skipped, targets, vst3_bundle};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The Python that has the hosts: named by ZEITGEBER_PYTHON, or in the environment that `cargo xtask` makes.
pub fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ZEITGEBER_PYTHON") {
        return Some(named.into());
    }
    let place = if cfg!(windows) {
        "host-venv/Scripts/python.exe"
    } else {
        "host-venv/bin/python"
    };
    targets()
        .into_iter()
        .map(|target| target.join(place))
        .find(|python| python.exists())
}

/// Runs one of the scripts beside this file on a fresh bundle.
fn script(name: &str, module: &str) {
    run_in("tests/hosts", name, module, &[], |_| ());
}

/// Runs a script of a folder on a fresh bundle, in a folder of its own, and looks there at what it has made.
fn run_in(place: &str, name: &str, module: &str, more: &[&str], look: impl Fn(&Path)) {
    let Some(python) = python() else {
        return skipped(
            name,
            "no Python with the hosts; `cargo xtask test` makes one",
        );
    };
    let importable = Command::new(&python)
        .args(["-c", &format!("import numpy, {module}")])
        .output();
    if !importable.is_ok_and(|output| output.status.success()) {
        return skipped(
            name,
            &format!("{} cannot import {module}", python.display()),
        );
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
    let mut command = Command::new(python);
    // Nothing is left beside the scripts.
    command
        .arg("-B")
        .arg(scripts.join(name))
        .arg(vst3_bundle(folder.path()))
        .args(more)
        .current_dir(folder.path());
    let output = run(&mut command, Duration::from_secs(600));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{name}:\n{text}");
    look(folder.path());
}

/// The rows of the table that an example has written: seconds, beat, and the level of each ear.
fn table(folder: &Path) -> Vec<Vec<f64>> {
    let text = std::fs::read_to_string(folder.join("out.csv")).expect("the table");
    let rows = text.lines().skip(1).map(|line| {
        let numbers = line.split(',').map(|field| field.trim().parse());
        numbers.collect::<Result<Vec<f64>, _>>().expect("numbers")
    });
    rows.collect()
}

#[test]
fn the_example_for_pedalboard() {
    let place = "examples/python";
    run_in(
        place,
        "pedalboard_render.py",
        "pedalboard",
        &["out"],
        |folder| {
            let rows = table(folder);
            assert_eq!(rows.len(), 800);
            let last = &rows[799];
            assert!(last[1] > 11.9, "{last:?}");
            // A tone of -20 dBFS is there from the beginning to the end.
            for row in &rows[10..] {
                assert!((-30.0..-15.0).contains(&row[2]), "{row:?}");
            }
            assert!(folder.join("out.wav").exists());
        },
    );
}

#[test]
fn the_example_for_dawdreamer() {
    let place = "examples/python";
    run_in(
        place,
        "dawdreamer_automation.py",
        "dawdreamer",
        &["out"],
        |folder| {
            let rows = table(folder);
            let (first, last) = (&rows[20], &rows[rows.len() - 1]);
            assert!(rows.len() >= 799 && last[1] > 11.9, "{last:?}");
            assert!(
                first[2] - last[2] > 6.0,
                "the level falls: {first:?} {last:?}"
            );
        },
    );
}

#[test]
fn pedalboard() {
    script("check_pedalboard.py", "pedalboard");
}

#[test]
fn dawdreamer() {
    script("check_dawdreamer.py", "dawdreamer");
}

#[test]
fn window() {
    let screen = Command::new("Xvfb").arg("-version").output().is_ok();
    // Mesa's software GL: without it no window can be drawn on such a screen.
    let graphics = ["x86_64-linux-gnu/dri", "aarch64-linux-gnu/dri", "dri"]
        .iter()
        .any(|folder| {
            let folder = std::path::Path::new("/usr/lib").join(folder);
            folder.join("swrast_dri.so").exists()
        });
    if screen && graphics {
        script("check_window.py", "pedalboard");
    } else {
        let why = "no Xvfb or no software GL; `cargo xtask test` installs them";
        skipped("check_window.py", why);
    }
}
