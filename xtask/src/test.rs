//! `cargo xtask test`.

use crate::setup::{Purpose, setup};
use crate::shell;
use anyhow::{Context, Result};
use std::process::ExitCode;

/// Sets up, then runs every test in one build of the dev profile. Cargo's own lines end the output.
///
/// # Errors
/// When the set-up or the start of cargo fails; failing tests are an exit code.
pub fn test(arguments: &[String]) -> Result<ExitCode> {
    setup(Purpose::Test)?;
    println!("$ cargo test --workspace {}", arguments.join(" "));
    cargo("test", arguments)
}

/// Runs cargo on the whole workspace and keeps its exit code.
fn cargo(command: &str, arguments: &[String]) -> Result<ExitCode> {
    let status = shell::cargo()
        .args([command, "--workspace"])
        .args(arguments)
        .status()
        .with_context(|| format!("could not start `cargo {command}`"))?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}
