//! `cargo xtask fuzz`: the storms of the tests, with as many inputs as one likes.

use crate::shell;
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Inputs of each kind where no number is given.
const INPUTS: &str = "1000000";

/// Every storm: the target of its test, and names in it.
const STORMS: &[(&str, &[&str])] = &[
    ("storm", &[]),
    ("control", &["storm"]),
    ("hrtf_files", &["small_files_that_are_damaged"]),
    ("hosts", &["storm::states_in_a_storm"]),
];

/// Runs the storms in release.
///
/// # Errors
/// When cargo cannot be started; failing storms are an exit code.
pub fn fuzz(inputs: Option<&str>) -> Result<ExitCode> {
    let inputs = inputs.unwrap_or(INPUTS);
    let mut failed = Vec::new();
    for (target, names) in STORMS {
        println!(
            "$ ZEITGEBER_STORM={inputs} cargo test --release --test {target} -- {}",
            names.join(" ")
        );
        let status = shell::cargo()
            .env("ZEITGEBER_STORM", inputs)
            .args(["test", "--release", "--test", target, "--"])
            .args(*names)
            .arg("--nocapture")
            .status()
            .context("could not start `cargo test`")?;
        if !status.success() {
            failed.push(*target);
        }
    }
    if failed.is_empty() {
        println!("{inputs} inputs of each kind: nothing fell");
        return Ok(ExitCode::SUCCESS);
    }
    println!("failed: {}", failed.join(", "));
    Ok(ExitCode::FAILURE)
}
