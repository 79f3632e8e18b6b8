//! The Python environment with the hosts that the tests load the VST3 into: `<target>/host-venv`.

use crate::shell;
use crate::things::PYTHON;
use anyhow::Result;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const REQUIREMENTS: &str = "xtask/host-requirements.txt";
const PINS: &str = include_str!("../host-requirements.txt");

/// Makes the environment, or finishes one that an earlier run left half made. Where it cannot be made this
/// says so and goes on: the tests in Python hosts then skip and say so too.
///
/// # Errors
/// When cargo does not tell where it builds.
pub fn prepare(python_is_missing: bool) -> Result<()> {
    let folder = shell::target_dir()?.join("host-venv");
    // Written last, with the pins: it stands for "these are installed and can be imported".
    let stamp = folder.join("zeitgeber-pins.txt");
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    let runs = shell::quietly(&python.to_string_lossy(), &["-c", "import pip"]).is_some();
    if runs && fs::read_to_string(&stamp).is_ok_and(|pins| pins == PINS) {
        println!("  found    Python hosts: {}", folder.display());
        return Ok(());
    }
    if python_is_missing {
        return Ok(());
    }
    if let Err(error) = make(&folder, &python, runs).and_then(|()| Ok(fs::write(&stamp, PINS)?)) {
        eprintln!(
            "\nsetup: THE TESTS IN PYTHON HOSTS WILL BE SKIPPED: {} could not be made.\n{error:#}\n\
             Is the network reachable? Run the same command again to go on from here.\n",
            folder.display()
        );
    }
    Ok(())
}

fn make(folder: &Path, python: &Path, runs: bool) -> Result<()> {
    if !runs {
        let mut venv = Command::new(PYTHON);
        shell::run(
            venv.args(["-m", "venv", "--clear"])
                .arg(folder)
                .stdin(Stdio::null()),
        )?;
    }
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        REQUIREMENTS,
    ]);
    shell::run(pip.stdin(Stdio::null()))?;
    let mut import = Command::new(python);
    shell::run(
        import
            .args(["-c", "import numpy, pedalboard, dawdreamer, pythonosc"])
            .stdin(Stdio::null()),
    )
}
