//! `zeitgeber`: the engine on the command line.
//!
//! One file per subcommand. Whatever is wrong, with the words of the command or with the files they
//! name, becomes one line on stderr and exit code 2, and leaves no output file behind. What a signal stopped on its way
//! ends by that signal.

mod analyze;
mod args;
mod batch;
mod brought;
mod calibrate;
mod capture_plot;
mod graph;
mod hrtf;
mod listen_test;
mod live;
mod live_audio;
mod live_devices;
mod live_file;
mod live_filters;
mod live_inserts;
mod live_keys;
mod live_notes;
mod live_outside;
mod live_watch;
mod manual;
mod material;
mod node;
mod nodes;
mod normalize;
mod osc;
mod params;
mod presets;
mod render;
mod run;
mod signals;
mod treatments;

use args::Problem;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use zeitgeber::text::{near, tame, tame_json};

/// Exit code of everything that is wrong.
const WRONG: u8 = 2;

/// Binaural entrainment for any audio: render, measure, play.
#[derive(Parser)]
#[command(
    name = "zeitgeber",
    version,
    about,
    max_term_width = 100,
    after_help = "Examples:\n  \
    zeitgeber render talk.flac -o out.wav --set l1_kind=binaural --set beat=6 --set l1_level=-30\n  \
    zeitgeber analyze out.wav\n  \
    zeitgeber presets list\n\n\
    `zeitgeber COMMAND --help` has examples of each. What is wrong is one line on stderr, and exit code 2; \
    what is interrupted ends by the signal (130 after Ctrl-C)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Render(render::Args),
    Run(run::Args),
    Params(params::Args),
    Nodes(nodes::Args),
    Node(node::Args),
    Graph(graph::Args),
    Analyze(analyze::Args),
    Live(live::Args),
    Hrtf(hrtf::Args),
    Presets(presets::Args),
    Osc(osc::Args),
    ListenTest(listen_test::Args),
    Calibrate(calibrate::Args),
    Completions(manual::Completions),
    Man(manual::Man),
}

fn main() -> ExitCode {
    signals::outlive_file_limits();
    let cli = match Cli::try_parse_from(asked()) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    let done = match cli.command {
        Command::Render(args) => args.run(),
        Command::Run(args) => args.run(),
        Command::Params(args) => args.run(),
        Command::Nodes(args) => args.run(),
        Command::Node(args) => args.run(),
        Command::Graph(args) => args.run(),
        Command::Analyze(args) => args.run(),
        Command::Live(args) => args.run(),
        Command::Hrtf(args) => args.run(),
        Command::Presets(args) => args.run(),
        Command::Osc(args) => args.run(),
        Command::ListenTest(args) => args.run(),
        Command::Calibrate(args) => args.run(),
        Command::Completions(args) => args.run(Cli::command()),
        Command::Man(args) => args.run(Cli::command()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let wrong = refuse(&problem);
            signals::end().unwrap_or(wrong)
        }
    }
}

/// What the program was called with; `help --help` is `help`, which knows no options.
fn asked() -> Vec<std::ffi::OsString> {
    let mut all: Vec<_> = std::env::args_os().collect();
    let words: Vec<String> = words().collect();
    if let [path @ .., help, option] = &words[..]
        && help == "help"
        && (option == "--help" || option == "-h")
    {
        let cli = Cli::command();
        let called = path
            .iter()
            .try_fold(&cli, |called, word| called.find_subcommand(word));
        if called.is_some_and(clap::Command::has_subcommands) {
            all.pop();
        }
    }
    all
}

/// Help and version go to stdout; everything else clap has to say becomes one line.
fn explain(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => refuse(&problem),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            refuse(&Problem::new(commands()))
        }
        kind => {
            let said = text.split("\n\nUsage:").next().unwrap_or(&text);
            let said = said
                .split("\n\nFor more information")
                .next()
                .unwrap_or(said);
            let said = said.strip_prefix("error: ").unwrap_or(said);
            let unknown = match kind {
                // A second file is one too many, not a slip in an option.
                ErrorKind::UnknownArgument => error
                    .get(ContextKind::InvalidArg)
                    .filter(|value| value.to_string().starts_with('-')),
                ErrorKind::InvalidSubcommand => error.get(ContextKind::InvalidSubcommand),
                _ => None,
            };
            let Some(ContextValue::String(unknown)) = unknown else {
                return refuse(&Problem::new(said));
            };
            let what = said.split("\n\n").next().unwrap_or(said);
            refuse(&Problem::new(match near_word(unknown) {
                Some(near) => format!("{what}; the nearest is '{near}'"),
                None => format!("{what}; --help lists what there is"),
            }))
        }
    }
}

/// The nearest word that may stand in place of one that means nothing, where one is near: an option of the subcommand
/// that was called, or a subcommand.
fn near_word(unknown: &str) -> Option<String> {
    let cli = Cli::command();
    let mut called = &cli;
    for word in words() {
        match called.find_subcommand(word) {
            Some(command) => called = command,
            None => break,
        }
    }
    let is_option = unknown.starts_with('-') && called.get_name() != cli.get_name();
    let words: Vec<String> = if is_option || !called.has_subcommands() {
        let options = called.get_arguments().filter_map(clap::Arg::get_long);
        options
            .chain(["help"])
            .map(|long| format!("--{long}"))
            .collect()
    } else {
        called
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect()
    };
    near(unknown, words.iter().map(String::as_str))
}

/// What the program was called with; what is no text is shown as far as it is.
fn words() -> impl Iterator<Item = String> {
    let words = std::env::args_os().skip(1);
    words.map(|word| word.to_string_lossy().into_owned())
}

/// Which commands there are where one is missing.
fn commands() -> String {
    let cli = Cli::command();
    let called = words()
        .next()
        .and_then(|word| cli.find_subcommand(word))
        .unwrap_or(&cli);
    let names: Vec<&str> = called
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(clap::Command::get_name)
        .collect();
    let names = match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    };
    if called.get_name() == cli.get_name() {
        format!("give a command: {names}; --help explains them")
    } else {
        format!("give a command of {}: {names}", called.get_name())
    }
}

/// One line on stderr. Nobody is left to tell where that is closed. What comes from files, nodes and packets moves no
/// cursor.
fn tell(text: impl Display) {
    let _ = writeln!(io::stderr(), "zeitgeber: {}", tame(&text.to_string()));
}

/// The same while the terminal is raw, and does not go to the left by itself.
fn tell_raw(text: impl Display) {
    let _ = writeln!(io::stderr(), "zeitgeber: {}\r", tame(&text.to_string()));
}

/// A warning on stderr.
fn warn(text: impl Display) {
    tell(format_args!("warning: {text}"));
}

/// One line on stderr, and the exit code.
fn refuse(problem: &Problem) -> ExitCode {
    let line = problem
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    tell(line);
    ExitCode::from(WRONG)
}

/// Writes a report to stdout. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> Result<(), Problem> {
    write(&tame(text))
}

fn write(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::new(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value as indented JSON to stdout.
fn print_json(value: &impl serde::Serialize) -> Result<(), Problem> {
    let text = serde_json::to_string_pretty(value)?;
    print_text(&(text + "\n"))
}

/// Writes a text that is JSON to stdout: it says what it said.
fn print_text(json: &str) -> Result<(), Problem> {
    write(&tame_json(json))
}
