//! `cargo xtask asset`: the embedded form of the default HRTF set, made by the command line itself.

use crate::shell;
use anyhow::{Context, Result, ensure};
use std::process::ExitCode;

const FROM: &str = "assets/MIT_KEMAR_normal_pinna.sofa";
const TO: &str = "assets/kemar.bin";

/// Writes [`TO`] from [`FROM`]; a test of the plugin's crate holds the two together.
///
/// # Errors
/// When the program does not build or cannot read or write.
pub fn asset() -> Result<ExitCode> {
    let status = shell::cargo()
        .args(["run", "--package", "zeitgeber", "--bin", "zeitgeber", "--"])
        .args(["hrtf", FROM, "--pack", TO])
        .status()
        .context("could not start `cargo run`")?;
    ensure!(status.success(), "{TO} was not made");
    println!("xtask: {TO} is made; build again to embed it");
    Ok(ExitCode::SUCCESS)
}
