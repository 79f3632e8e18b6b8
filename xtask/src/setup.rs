//! `cargo xtask setup`: installs what is missing where it may, otherwise says what to do.

use crate::things::{Need, Thing, things};
use crate::{hosts, shell};
use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// What the machine is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The demo and the tests.
    Everything,
    /// Building and speaking.
    Demo,
    /// Building and the hosts of the tests.
    Test,
}

impl Purpose {
    fn wants(self, need: Need) -> bool {
        match need {
            Need::Build => true,
            Need::Editor | Need::Demo => self != Purpose::Test,
            Need::Hosts => self != Purpose::Demo,
        }
    }
}

/// Finds out what is missing and installs it, or names it. What only some tests or the window need is
/// named and left at that; without the rest there is nothing to go on with.
///
/// # Errors
/// What is still missing, and the one line or the names that provide it.
pub fn setup(purpose: Purpose) -> Result<()> {
    println!("setup: looking for what Zeitgeber needs");
    let wanted: Vec<Thing> = things()
        .into_iter()
        .filter(|thing| purpose.wants(thing.need))
        .collect();
    let mut missing = Vec::new();
    for thing in wanted {
        match (thing.probe)() {
            Ok(found) => println!("  found    {}: {found}", thing.name),
            Err(seen) => {
                println!("  missing  {}: {seen}", thing.name);
                missing.push(thing);
            }
        }
    }
    if !missing.is_empty() {
        missing = provide(missing)?;
    }
    for thing in &missing {
        let lost = match thing.need {
            Need::Editor => "the editor and the standalone program will not open a window here",
            Need::Hosts => "THE TESTS IN PYTHON HOSTS WILL BE SKIPPED",
            Need::Build | Need::Demo => continue,
        };
        eprintln!("setup: going on without {}: {lost}", thing.name);
    }
    if purpose.wants(Need::Hosts) {
        hosts::prepare(missing.iter().any(|thing| thing.need == Need::Hosts))?;
    }
    println!("setup: done\n");
    Ok(())
}

/// Installs through apt-get where that is possible. Returns what can be done without and is still missing.
fn provide(missing: Vec<Thing>) -> Result<Vec<Thing>> {
    let installer = match (cfg!(target_os = "linux") && shell::exists("apt-get")).then(privilege) {
        Some(Some(prefix)) => prefix,
        Some(None) => return without(missing, one_line_for_apt),
        None => return without(missing, names),
    };
    let packages = packages(&missing, |thing| thing.apt);
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = installer
            .iter()
            .copied()
            .chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .chain(arguments.iter().copied())
            .collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        shell::run(&mut command)
    };
    if let Err(error) = apt(&["update"]) {
        // One broken repository of many is no reason to stop; a missing package is, below.
        eprintln!("setup: {error:#}\nsetup: going on with the package lists there are");
    }
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&packages);
    let installed = apt(&install);
    let mut still: Vec<Thing> = Vec::new();
    let mut reasons = Vec::new();
    for thing in missing {
        match (thing.probe)() {
            Ok(found) => println!("  found    {}: {found}", thing.name),
            Err(seen) => {
                reasons.push(format!(
                    "  {}: {seen}. By hand: {}",
                    thing.name, thing.by_hand
                ));
                still.push(thing);
            }
        }
    }
    if still.iter().any(blocks) {
        let failed = installed
            .err()
            .map(|error| format!("{error:#}\n"))
            .unwrap_or_default();
        bail!(
            "{failed}still missing after installing:\n{}",
            reasons.join("\n")
        );
    }
    for reason in reasons {
        eprintln!("setup: still missing after installing:\n{reason}");
    }
    Ok(still)
}

/// Stops with the message when something is missing that nothing works without, else prints it.
fn without(missing: Vec<Thing>, message: fn(&[Thing]) -> String) -> Result<Vec<Thing>> {
    let text = message(&missing);
    if missing.iter().any(blocks) {
        bail!("{text}");
    }
    eprintln!("setup: {text}");
    Ok(missing)
}

fn blocks(thing: &Thing) -> bool {
    matches!(thing.need, Need::Build | Need::Demo)
}

/// What to put before a command that needs root: nothing for root, sudo where it asks for no password.
fn privilege() -> Option<Vec<&'static str>> {
    if shell::quietly("id", &["-u"]).is_some_and(|id| id == "0") {
        return Some(Vec::new());
    }
    shell::quietly("sudo", &["-n", "true"]).map(|_| vec!["sudo", "-n"])
}

fn one_line_for_apt(missing: &[Thing]) -> String {
    format!(
        "installing needs administrator rights. Paste this line, then run the same command again:\n\n\
         sudo apt-get update && sudo apt-get install -y --no-install-recommends {}\n",
        packages(missing, |thing| thing.apt).join(" ")
    )
}

/// The command of the package manager that is here, or what to look for.
fn names(missing: &[Thing]) -> String {
    type Column = fn(&Thing) -> &'static str;
    let managers: [(&str, &str, Column); 3] = [
        ("dnf", "sudo dnf install", |thing| thing.dnf),
        ("pacman", "sudo pacman -S --needed", |thing| thing.pacman),
        ("brew", "brew install", |thing| thing.brew),
    ];
    let mut text = "install what is missing, then run the same command again:\n".to_owned();
    let manager = managers.iter().find(|(program, ..)| shell::exists(program));
    if let Some((_, install, column)) = manager {
        let packages = packages(missing, column);
        if !packages.is_empty() {
            text += &format!("\n  {install} {}\n", packages.join(" "));
        }
    }
    let by_hand: Vec<&Thing> = missing
        .iter()
        .filter(|thing| manager.is_none_or(|(_, _, column)| column(thing).is_empty()))
        .collect();
    for thing in by_hand {
        text += &format!("\n  {}: {}", thing.name, thing.by_hand);
    }
    if cfg!(target_os = "macos") && manager.is_none() {
        text += "\n\n  (with Homebrew from https://brew.sh this command names one line instead)";
    }
    text
}

/// Package names without repetition, in the order of the things.
fn packages(things: &[Thing], column: impl Fn(&Thing) -> &'static str) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for package in things
        .iter()
        .flat_map(|thing| column(thing).split_whitespace())
    {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::{names, one_line_for_apt, packages};
    use crate::things::things;

    #[test]
    fn one_line_installs_everything_once() {
        let line = one_line_for_apt(&things());
        let command: Vec<&str> = line
            .lines()
            .filter(|line| line.starts_with("sudo "))
            .collect();
        assert_eq!(command.len(), 1, "{line}");
        let mut words = packages(&things(), |thing| thing.apt);
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(words.contains(&"faust"));
    }

    #[test]
    fn every_thing_is_named_where_nothing_can_install_it() {
        for thing in things() {
            assert!(
                !thing.by_hand.is_empty() && !thing.name.is_empty(),
                "{thing:?}"
            );
        }
        assert!(names(&things()).contains("faust") || names(&things()).contains("Faust"));
    }
}
