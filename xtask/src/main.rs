//! The chores of this repository: `cargo xtask setup | bundle | demo | package | test | fuzz | accuracy | reliability |
//! bench | asset`.

mod accuracy;
mod asset;
mod bench;
mod bundle;
mod demo;
mod fuzz;
mod hosts;
mod package;
mod reliability;
mod setup;
mod shell;
mod test;
mod things;

use anyhow::{Context, Result};
use setup::Purpose;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  setup    installs what building, the demo and the tests need (Debian, Ubuntu), or names it
  bundle   builds the plugins and the programs in release and bundles them
           (--debug for a debug build; any argument of `cargo build` may follow)
  demo     setup and bundle, then renders speech with a 10 Hz binaural beat, and speech and music
           through every treatment, and measures what came out
  package  bundle, then one archive of it all in <target>/package: plugins, programs, presets, docs, licences,
           completions, manual pages, checksums (--no-build takes what was bundled before for this machine,
           --target TRIPLE builds for another)
  test     setup, then every test (any argument of `cargo test` may follow)
  fuzz     random and mutated files, packets and states, a million of each (or as many as are asked for:
           `cargo xtask fuzz 20000`), in release
  accuracy runs the tests and writes the figures they print to docs/accuracy.md
  reliability  writes the table of promises and tests in docs/reliability.md
  bench    the benchmarks, and docs/performance.md of them (names of tables may follow: those are
           printed only)
  asset    makes the embedded HRTF set and its decoders from the SOFA file in assets/

Start with: cargo xtask demo";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    // Not nice-plug-xtask's chdir: that takes the outermost folder with a Cargo.toml, which is the
    // wrong one for a clone that lies inside another Rust project.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask has no parent folder")?;
    std::env::set_current_dir(root).with_context(|| {
        format!(
            "{} is gone; was the clone moved? Run `cargo clean -p xtask`",
            root.display()
        )
    })?;

    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = arguments.collect();
    match (command.as_str(), rest.as_slice()) {
        ("setup", []) => setup::setup(Purpose::Everything).map(|()| ExitCode::SUCCESS),
        ("demo", []) => demo::demo().map(|()| ExitCode::SUCCESS),
        ("asset", []) => asset::asset(),
        ("reliability", []) => reliability::reliability().map(|()| ExitCode::SUCCESS),
        ("fuzz", []) => fuzz::fuzz(None),
        ("fuzz", [inputs]) if inputs.parse::<u64>().is_ok_and(|inputs| inputs > 0) => {
            fuzz::fuzz(Some(inputs))
        }
        ("fuzz", _) => {
            eprintln!(
                "xtask: `cargo xtask fuzz` takes a number of inputs, as in `cargo xtask fuzz 20000`"
            );
            Ok(ExitCode::from(2))
        }
        ("bundle", build_arguments) => {
            bundle::bundle(build_arguments)?.print();
            Ok(ExitCode::SUCCESS)
        }
        ("package", build_arguments) => {
            package::package(build_arguments)?;
            Ok(ExitCode::SUCCESS)
        }
        ("test", test_arguments) => test::test(test_arguments),
        ("accuracy", test_arguments) => accuracy::accuracy(test_arguments),
        ("bench", bench_arguments) => bench::bench(bench_arguments),
        ("help" | "--help" | "-h", _) => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ("setup" | "demo" | "asset" | "reliability", [extra, ..]) => {
            eprintln!(
                "xtask: `cargo xtask {command}` takes no arguments, but was given \"{extra}\"\n\n{HELP}"
            );
            Ok(ExitCode::from(2))
        }
        _ => {
            eprintln!("xtask: there is no command \"{command}\"\n\n{HELP}");
            Ok(ExitCode::from(2))
        }
    }
}
