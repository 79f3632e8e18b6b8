//! `cargo xtask package`: what is handed out, as one archive with its checksum.

mod archive;
mod third_party;

use crate::bundle::{Bundled, bundle, option};
use crate::shell;
use anyhow::{Context, Result, bail, ensure};
use archive::Entry;
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Shells that completions are made for, with the name of the file.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "zeitgeber.bash"),
    ("zsh", "_zeitgeber"),
    ("fish", "zeitgeber.fish"),
    ("powershell", "_zeitgeber.ps1"),
    ("elvish", "zeitgeber.elv"),
];

/// Files and folders of the repository that go along, and where they lie then.
const ALONG: [(&str, &str); 9] = [
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("NOTICE", "NOTICE"),
    ("assets/fonts/LICENSE", "assets/fonts/LICENSE"),
    ("assets/presets", "presets"),
    ("docs", "docs"),
    ("examples", "examples"),
];

/// Builds, bundles and packs. `--no-build` takes what was bundled before for this machine.
///
/// # Errors
/// The first step that fails.
pub fn package(arguments: &[String]) -> Result<PathBuf> {
    let (own, build): (Vec<String>, Vec<String>) = arguments
        .iter()
        .cloned()
        .partition(|argument| argument == "--no-build");
    refuse_other_bundle(!own.is_empty(), &build)?;
    let target = shell::target_dir()?;
    let bundled = if own.is_empty() {
        bundle(&build)?
    } else {
        Bundled::before(&target)?
    };
    let metadata = metadata(&build)?;
    let version = version(&metadata)?;
    let platform = platform(&build);
    let name = format!("zeitgeber-{version}-{platform}");
    let folder = target.join("package");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;

    let mut entries = Vec::new();
    for (from, to) in [(&bundled.clap, "plugins"), (&bundled.vst3, "plugins")] {
        let file = from.file_name().context("a bundle has no name")?;
        gather(
            from,
            &format!("{to}/{}", file.to_string_lossy()),
            true,
            &mut entries,
        )?;
    }
    for program in [&bundled.cli, &bundled.standalone] {
        let file = program.file_name().context("a program has no name")?;
        gather(
            program,
            &format!("bin/{}", file.to_string_lossy()),
            true,
            &mut entries,
        )?;
    }
    for (from, to) in ALONG {
        gather(Path::new(from), to, false, &mut entries)?;
    }
    let cli = speaker(&bundled, &build, &target)?;
    for (shell, file) in SHELLS {
        let text = ask(&cli, &["completions", shell])?;
        entries.push(Entry::text(format!("completions/{file}"), text));
    }
    let pages = folder.join("man1");
    // What an earlier run has left.
    let _ = fs::remove_dir_all(&pages);
    ask(&cli, &["man", &pages.to_string_lossy()])?;
    gather(&pages, "man/man1", false, &mut entries)?;
    fs::remove_dir_all(&pages)?;
    let notices = third_party::notices(&metadata, "zeitgeber", &third_party::files_of)?;
    entries.push(Entry::text(
        "THIRD-PARTY.txt".to_owned(),
        notices.text.into_bytes(),
    ));
    for package in &notices.without_text {
        println!("xtask: {package} ships no licence text; THIRD-PARTY.txt names its licence");
    }

    archive::sort(&mut entries)?;
    let sums = archive::sums(&entries);
    entries.push(Entry::text("SHA256SUMS".to_owned(), sums.into_bytes()));
    archive::sort(&mut entries)?;
    let (ending, bytes) = if platform.contains("windows") {
        ("zip", archive::zip(&name, &entries)?)
    } else {
        ("tar.gz", archive::tar_gz(&name, &entries)?)
    };
    let path = folder.join(format!("{name}.{ending}"));
    fs::write(&path, &bytes).with_context(|| format!("could not write {}", path.display()))?;
    let sum = format!("{}  {name}.{ending}\n", archive::sha256(&bytes));
    let sum_path = folder.join(format!("{name}.{ending}.sha256"));
    fs::write(&sum_path, &sum)
        .with_context(|| format!("could not write {}", sum_path.display()))?;
    println!(
        "{}: {} files, {:.1} MB\n{}",
        path.display(),
        entries.len(),
        bytes.len() as f64 / 1e6,
        sum.trim_end()
    );
    Ok(path)
}

/// What cargo knows of the packages, for the platform that is built for.
fn metadata(build: &[String]) -> Result<serde_json::Value> {
    let mut command = shell::cargo();
    command.args(["metadata", "--format-version", "1", "--locked"]);
    command.args(["--filter-platform", &triple(build)?]);
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("could not start cargo")?;
    ensure!(
        output.status.success(),
        "`cargo metadata` failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")
}

/// Bundles lie in one folder whatever they are for: one of before says nothing of its platform.
fn refuse_other_bundle(is_old: bool, build: &[String]) -> Result<()> {
    ensure!(
        !is_old || option(build, "--target").is_none(),
        "--no-build packs what was bundled before, for whichever machine that was; leave --no-build or --target out"
    );
    Ok(())
}

/// The command line that runs on this machine, to be asked for completions and manual pages: the one that is packed, or
/// where that is for another machine one that is built for it.
fn speaker(bundled: &Bundled, build: &[String], target: &Path) -> Result<PathBuf> {
    if triple(build)? == host()? {
        return Ok(bundled.cli.clone());
    }
    let mut command = shell::cargo();
    command.args([
        "build",
        "--release",
        "--package",
        "zeitgeber",
        "--bin",
        "zeitgeber",
    ]);
    shell::run(&mut command)?;
    Ok(target.join(format!("release/zeitgeber{EXE_SUFFIX}")))
}

/// The target triple that is built for.
fn triple(build: &[String]) -> Result<String> {
    match option(build, "--target") {
        Some(target) => Ok(target.to_owned()),
        None => host(),
    }
}

/// The target triple of this machine.
fn host() -> Result<String> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let said = shell::quietly(&rustc, &["-vV"]).context("could not start rustc")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}

/// How the platform is called in the name of the archive.
fn platform(build: &[String]) -> String {
    let (arch, system) = match option(build, "--target") {
        Some(triple) => {
            let arch = triple.split('-').next().unwrap_or_default();
            let system = ["windows", "darwin", "linux"]
                .into_iter()
                .find(|system| triple.contains(system))
                .unwrap_or("unknown");
            (arch, system)
        }
        None => (std::env::consts::ARCH, std::env::consts::OS),
    };
    let system = if system == "darwin" { "macos" } else { system };
    format!("{system}-{arch}")
}

fn version(metadata: &serde_json::Value) -> Result<String> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let own = packages
        .iter()
        .find(|package| package["name"] == "zeitgeber");
    let version = own.and_then(|package| package["version"].as_str());
    Ok(version.context("cargo does not know zeitgeber")?.to_owned())
}

/// Takes a file, or a folder with all below it. Files that begin with a dot stay behind.
fn gather(from: &Path, to: &str, is_program: bool, entries: &mut Vec<Entry>) -> Result<()> {
    let unreadable = || format!("could not read {}", from.display());
    let kind = fs::metadata(from).with_context(unreadable)?;
    if !kind.is_dir() {
        entries.push(Entry {
            path: to.to_owned(),
            bytes: fs::read(from).with_context(unreadable)?,
            is_program,
        });
        return Ok(());
    }
    for entry in fs::read_dir(from).with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            bail!("{}: its name is no text", entry.path().display());
        };
        if !name.starts_with('.') {
            gather(&entry.path(), &format!("{to}/{name}"), is_program, entries)?;
        }
    }
    Ok(())
}

/// What the command line prints.
fn ask(cli: &Path, words: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(cli)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {}", cli.display()))?;
    ensure!(
        output.status.success(),
        "`zeitgeber {}` failed: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn archives_are_named_after_what_was_built() {
        assert_eq!(
            platform(&words("--target x86_64-pc-windows-msvc")),
            "windows-x86_64"
        );
        assert_eq!(
            platform(&words("--target=aarch64-apple-darwin")),
            "macos-aarch64"
        );
        assert_eq!(
            platform(&words("-v --target=x86_64-unknown-linux-gnu")),
            "linux-x86_64"
        );
        assert!(platform(&[]).contains(std::env::consts::ARCH));
    }

    #[test]
    fn a_bundle_of_before_is_not_packed_as_that_of_another_machine() {
        let refused = |is_old, text: &str| refuse_other_bundle(is_old, &words(text)).is_err();
        assert!(refused(true, "--target x86_64-apple-darwin"));
        assert!(refused(true, "--target=x86_64-apple-darwin"));
        assert!(!refused(false, "--target x86_64-apple-darwin"));
        assert!(!refused(true, "--release"));
    }

    #[test]
    fn what_goes_along_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for (from, to) in ALONG {
            let mut entries = Vec::new();
            gather(&root.join(from), to, false, &mut entries).unwrap();
            assert!(!entries.is_empty(), "{from}");
            assert!(entries.iter().all(|entry| entry.path.starts_with(to)));
        }
    }
}
