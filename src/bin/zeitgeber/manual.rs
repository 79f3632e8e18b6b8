//! `zeitgeber completions` and `zeitgeber man`: what shells and manuals know of the command line.

use crate::args::{self, Problem};
use clap::Command;
use clap_complete::Shell;
use std::path::PathBuf;
use zeitgeber::file;

/// Print completions for a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber completions bash > ~/.local/share/bash-completion/completions/zeitgeber\n  \
    zeitgeber completions fish > ~/.config/fish/completions/zeitgeber.fish\n  \
    zeitgeber completions zsh > ~/.zfunc/_zeitgeber")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints them.
    pub fn run(self, mut command: Command) -> Result<(), Problem> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, "zeitgeber", &mut text);
        crate::print(&String::from_utf8_lossy(&text))
    }
}

/// Write manual pages into a folder: zeitgeber.1, and one for each command
#[derive(clap::Args)]
#[command(after_help = "Example:\n  zeitgeber man man1\n  man -l man1/zeitgeber-render.1")]
pub struct Man {
    /// The folder; made if it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Man {
    /// Writes them.
    pub fn run(self, mut command: Command) -> Result<(), Problem> {
        let folder = &self.folder;
        file::outside(folder)
            .and_then(|()| std::fs::create_dir_all(folder))
            .map_err(|error| args::unwritable(folder, &error))?;
        command.build();
        pages(&command, "zeitgeber", &|name, page| {
            args::write(&folder.join(format!("{name}.1")), page)
        })
    }
}

/// Takes a page by its name.
type Write<'a> = &'a dyn Fn(&str, &[u8]) -> Result<(), Problem>;

/// Hands over the page of a command and of all below it, without those that are hidden.
fn pages(command: &Command, name: &str, write: Write) -> Result<(), Problem> {
    let named = command.clone().display_name(name.to_owned());
    let mut page = Vec::new();
    clap_mangen::Man::new(named)
        .manual("Zeitgeber".to_owned())
        .render(&mut page)?;
    let page = with_values(command, &String::from_utf8_lossy(&page));
    write(name, page.as_bytes())?;
    for below in command.get_subcommands() {
        if !below.is_hide_set() && below.get_name() != "help" {
            pages(below, &format!("{name}-{}", below.get_name()), write)?;
        }
    }
    Ok(())
}

/// A page whose synopsis says which options take a value, and what it is called: clap_mangen names the options alone.
fn with_values(command: &Command, page: &str) -> String {
    let heading = ".SH SYNOPSIS\n";
    let Some((before, (synopsis, after))) = page
        .split_once(heading)
        .and_then(|(before, rest)| Some((before, rest.split_once('\n')?)))
    else {
        return page.to_owned();
    };
    let escaped = |text: &str| text.replace('-', "\\-");
    let mut synopsis = synopsis.to_owned();
    for arg in command.get_arguments() {
        let takes = arg.get_num_args().unwrap_or_default();
        let (Some(long), Some(names)) = (arg.get_long(), arg.get_value_names()) else {
            continue;
        };
        if arg.is_positional() || takes.max_values() == 0 {
            continue;
        }
        let option = format!("\\fB\\-\\-{}\\fR", escaped(long));
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let value = format!("\\fI{}\\fR", escaped(&names.join(" ")));
        let value = match takes.min_values() {
            0 => format!("{option} [{value}]"),
            _ => format!("{option} {value}"),
        };
        synopsis = synopsis.replacen(&option, &value, 1);
    }
    format!("{before}{heading}{synopsis}\n{after}")
}
