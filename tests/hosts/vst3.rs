//! The VST3 in Python's hosts: `pedalboard` and DawDreamer, which are JUCE inside.
//!
//! promise: pedalboard and DawDreamer load, automate, render, save and restore, where they are installed

use crate::library::{run, skipped, targets, vst3_bundle};
use std::path::PathBuf;
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
    let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts");
    let mut command = Command::new(python);
    // Nothing is left beside the scripts.
    command
        .arg("-B")
        .arg(scripts.join(name))
        .arg(vst3_bundle(folder.path()))
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
