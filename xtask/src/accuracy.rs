//! `cargo xtask accuracy`: runs the tests and writes the figures they print to docs/accuracy.md.

use crate::setup::{Purpose, setup};
use crate::shell;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

const PAGE: &str = "docs/accuracy.md";

const HEAD: &str = "\
# Measured accuracy

Made by `cargo xtask accuracy`, which runs the tests and collects the figures that they print: nothing here
is typed by hand. Every figure is measured on a render of the real engine (or, where it says so, of one
node) and asserted against its bar by the test that prints it.

| promise | bar | measured |
|---|---|---|
";

/// Runs the tests with a folder for their figures, and writes the page.
///
/// # Errors
/// When a test fails, prints no figure, or the page cannot be written.
pub fn accuracy(arguments: &[String]) -> Result<ExitCode> {
    setup(Purpose::Test)?;
    let folder = std::env::temp_dir().join(format!("zeitgeber-figures-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let outcome = measure(&folder, arguments);
    // Whatever happened, the folder has served.
    let _ = fs::remove_dir_all(&folder);
    outcome
}

fn measure(folder: &Path, arguments: &[String]) -> Result<ExitCode> {
    let status = shell::cargo()
        .args(["test", "--package", "zeitgeber"])
        .args(arguments)
        .env("ZEITGEBER_FIGURES", folder)
        .status()
        .context("could not start `cargo test`")?;
    if !status.success() {
        bail!("a test failed, so {PAGE} stays as it was");
    }
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).context("the folder of the figures is gone")? {
        rows.push(fs::read_to_string(entry?.path())?);
    }
    ensure!(!rows.is_empty(), "the tests printed no figure");
    rows.sort();
    let mut page = String::from(HEAD);
    for row in &rows {
        let cells: Vec<&str> = row.trim().split('|').collect();
        let [promise, bar, measured] = cells[..] else {
            bail!("a test printed a figure with a | in it: {row}");
        };
        // The number in front only sorts.
        let promise = promise
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .trim();
        page += &format!("| {promise} | {bar} | {measured} |\n");
    }
    fs::write(PAGE, page).with_context(|| format!("could not write {PAGE}"))?;
    println!("xtask: {} figures in {PAGE}", rows.len());
    Ok(ExitCode::SUCCESS)
}
