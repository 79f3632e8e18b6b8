//! `cargo xtask bench`: runs the benches and keeps their tables in docs/performance.md.

use crate::shell;
use anyhow::{Context, Result};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

const PAGE: &str = "docs/performance.md";

const HEAD: &str = "\
# What it costs

Made by `cargo xtask bench`, release build: nothing here is typed by hand. Workloads of one table are measured in turns,
round after round, together with what they are compared with; the median round counts, and a ratio is the
median of the rounds' ratios. *Floor* is the bare transforms and multiply-adds of the job, with nothing around
them. Ratios hold on a busy machine; per cent of a core are a guide. Instructions are counted by
`cargo test --test instructions -- --nocapture`.
";

/// Runs the benches. Those that are named are printed only; all of them are kept.
///
/// # Errors
/// When cargo cannot be started or the page cannot be written; failing benches are an exit code.
pub fn bench(tables: &[String]) -> Result<ExitCode> {
    let mut child = shell::cargo()
        .args(["bench", "--bench", "speed", "--"])
        .args(tables)
        // What shortens them is for looking, not for the page.
        .env_remove("ZEITGEBER_ONLY")
        .env_remove("ZEITGEBER_BLOCKS")
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start `cargo bench`")?;
    let mut page = format!("{HEAD}\n{}\n", machine());
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line.context("the benches' output broke off")?;
            println!("{line}");
            page += &line;
            page.push('\n');
        }
    }
    let status = child.wait().context("the benches were lost")?;
    if !status.success() {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        return Ok(ExitCode::from(code.unwrap_or(1)));
    }
    if tables.is_empty() {
        fs::write(PAGE, page).with_context(|| format!("could not write {PAGE}"))?;
        println!("xtask: the tables are in {PAGE}");
    }
    Ok(ExitCode::SUCCESS)
}

/// What it was measured on, and when.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .output()
            .ok()
            .and_then(|output| String::from_utf8(output.stdout).ok())
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of_cpu = |key: &str| {
        cpu.lines()
            .find(|line| line.starts_with(key))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let name = of_cpu("model name")
        .or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let flags = of_cpu("flags").unwrap_or_default();
    let vectors = ["avx512f", "avx2"]
        .into_iter()
        .find(|set| flags.split(' ').any(|flag| flag == *set))
        .map_or(String::new(), |set| format!(", {set}"));
    let compiler = said("rustc", &["--version"]).unwrap_or_default();
    let day = said("date", &["+%F"]).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Measured on {day}: {name}{vectors}, {cores} cores, {}, {compiler}.",
        std::env::consts::OS
    )
}
