//! `cargo xtask bundle`: the plugins and the programs, side by side in `<target>/bundled`.

use crate::shell;
use anyhow::{Context, Result, anyhow};
use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};

const PACKAGE: &str = "zeitgeber";

/// What was made; every path is absolute.
#[derive(Debug)]
pub struct Bundled {
    /// The CLAP plugin.
    pub clap: PathBuf,
    /// The VST3 plugin.
    pub vst3: PathBuf,
    /// The command line.
    pub cli: PathBuf,
    /// The plugin as a program of its own.
    pub standalone: PathBuf,
}

impl Bundled {
    /// What an earlier run has left.
    ///
    /// # Errors
    /// When a part of it is missing.
    pub fn before(target: &Path) -> Result<Bundled> {
        let there = |name: String| {
            let path = target.join("bundled").join(name);
            match path.exists() {
                true => Ok(path),
                false => Err(anyhow!(
                    "{} is not there; run `cargo xtask bundle` first",
                    path.display()
                )),
            }
        };
        Ok(Bundled {
            clap: there("Zeitgeber.clap".to_owned())?,
            vst3: there("Zeitgeber.vst3".to_owned())?,
            cli: there(format!("zeitgeber{EXE_SUFFIX}"))?,
            standalone: there(format!("zeitgeber-standalone{EXE_SUFFIX}"))?,
        })
    }

    /// One line per thing.
    pub fn print(&self) {
        println!("  CLAP plugin   {}", self.clap.display());
        println!("  VST3 plugin   {}", self.vst3.display());
        println!("  command line  {}", self.cli.display());
        println!("  standalone    {}", self.standalone.display());
    }
}

/// Builds (in release, unless the arguments name a profile or say `--debug`) and bundles.
///
/// # Errors
/// When the build fails or a file cannot be copied.
pub fn bundle(arguments: &[String]) -> Result<Bundled> {
    let mut arguments = arguments.to_vec();
    let names_profile = |a: &String| {
        ["--debug", "--release", "--profile"].contains(&a.as_str()) || a.starts_with("--profile=")
    };
    if !arguments.iter().any(names_profile) {
        arguments.push("--release".to_owned());
    }
    // Cargo knows no --debug, and nice-plug-xtask would look for the profile dev in a folder of that name.
    let debug = arguments.iter().any(|argument| argument == "--debug");
    arguments.retain(|argument| argument != "--debug");
    let packages = [PACKAGE.to_owned()];
    println!("$ cargo build -p {PACKAGE} {}", arguments.join(" "));
    nice_plug_xtask::build(&packages, &arguments)
        .context("the build failed, cargo's messages are above; if something is missing on this machine, `cargo xtask setup` installs it")?;
    let target = shell::target_dir()?;
    nice_plug_xtask::bundle(&target, PACKAGE, &arguments, false)
        .context("the plugins could not be bundled")?;

    let folder = target.join("bundled");
    // It also copies the command line under the plugin's name; ours go by their own. Removed first: on a file
    // system that ignores case the two names are one file.
    let (suffix, is_app) = match option(&arguments, "--target") {
        Some(triple) if triple.contains("windows") => (".exe", false),
        Some(triple) => ("", triple.contains("apple")),
        None => (EXE_SUFFIX, cfg!(target_os = "macos")),
    };
    let unwanted = folder.join(if is_app {
        "Zeitgeber.app".to_owned()
    } else {
        format!("Zeitgeber{suffix}")
    });
    remove(&unwanted)?;
    let built = built_folder(&target, &arguments, debug);
    let copy = |name: &str| {
        let file = format!("{name}{suffix}");
        copy_fresh(&built.join(&file), &folder.join(&file))
    };
    let plugin = |name: &str| {
        let path = folder.join(name);
        // nice-plug-xtask makes no bundle, and no error, of a library that exports no plugin.
        if path.exists() {
            Ok(path)
        } else {
            Err(anyhow!(
                "{} was not made: does src/lib.rs export the plugin?",
                path.display()
            ))
        }
    };
    Ok(Bundled {
        clap: plugin("Zeitgeber.clap")?,
        vst3: plugin("Zeitgeber.vst3")?,
        cli: copy("zeitgeber")?,
        standalone: copy("zeitgeber-standalone")?,
    })
}

/// The value of an option of cargo's, as `--name value` or `--name=value`.
pub fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    arguments.iter().enumerate().find_map(|(index, argument)| {
        let joined = argument
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='));
        joined.or_else(|| {
            (argument == name)
                .then(|| arguments.get(index + 1))?
                .map(String::as_str)
        })
    })
}

/// Where cargo left the programs.
fn built_folder(target: &Path, arguments: &[String], debug: bool) -> PathBuf {
    let folder = match option(arguments, "--profile") {
        _ if debug => "debug",
        Some(profile) => profile,
        None => "release",
    };
    match option(arguments, "--target") {
        Some(triple) => target.join(triple).join(folder),
        None => target.join(folder),
    }
}

/// Copies to a new file: overwriting one that runs fails or breaks what runs.
fn copy_fresh(from: &Path, to: &Path) -> Result<PathBuf> {
    remove(to)?;
    fs::copy(from, to)
        .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    Ok(to.to_owned())
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::built_folder;
    use std::path::Path;

    #[test]
    fn programs_are_taken_from_where_cargo_leaves_them() {
        let built = |arguments: &[&str], debug| {
            let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
            built_folder(Path::new("t"), &arguments, debug)
        };
        assert_eq!(built(&["--release"], false), Path::new("t/release"));
        assert_eq!(built(&[], true), Path::new("t/debug"));
        assert_eq!(
            built(&["--profile=small", "--target", "a-b"], false),
            Path::new("t/a-b/small")
        );
        assert_eq!(
            built(&["--target=a-b", "--profile", "small"], false),
            Path::new("t/a-b/small")
        );
    }
}
