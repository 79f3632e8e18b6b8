//! `cargo xtask asset`: the embedded forms of the default HRTF set and of its decoders, made by the command line itself.

use crate::shell;
use anyhow::{Context, Result, ensure};
use std::process::ExitCode;

const FROM: &str = "assets/MIT_KEMAR_normal_pinna.sofa";

/// What is made, and the option that makes it.
const TO: [(&str, &str); 2] = [
    ("assets/kemar.bin", "--pack"),
    ("assets/decoders.bin", "--pack-decoders"),
];

/// Writes [`TO`] from [`FROM`]; tests of the plugin's crate hold them together.
///
/// # Errors
/// When the program does not build or cannot read or write.
pub fn asset() -> Result<ExitCode> {
    for (to, option) in TO {
        let status = shell::cargo()
            .args(["run", "--package", "zeitgeber", "--bin", "zeitgeber", "--"])
            .args(["hrtf", FROM, option, to])
            .status()
            .context("could not start `cargo run`")?;
        ensure!(status.success(), "{to} was not made");
        println!("xtask: {to} is made; build again to embed it");
    }
    Ok(ExitCode::SUCCESS)
}
