//! The standalone program: the plugin on JACK or the system's audio, with its editor as a window.

use nice_plug::prelude::nice_export_standalone_with_args;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use zeitgeber::plugin::{Zg, has_run, instances_made, share_transport};
use zeitgeber::text::tame;

/// How long a backend may take until it asks for the first block.
const PATIENCE: Duration = Duration::from_secs(5);

/// The system's own audio, after JACK.
const SYSTEM_BACKEND: &str = if cfg!(target_os = "macos") {
    "core-audio"
} else if cfg!(target_os = "windows") {
    "wasapi"
} else {
    "alsa"
};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    // nice-plug's `auto` falls back to a backend without sound and reports success, so the choice is made here.
    let (backends, rest) = match take_backend(&args) {
        (None, rest) => (vec!["jack".to_owned(), SYSTEM_BACKEND.to_owned()], rest),
        (Some(chosen), rest) if chosen == "auto" => {
            (vec!["jack".to_owned(), SYSTEM_BACKEND.to_owned()], rest)
        }
        (Some(chosen), rest) => (vec![chosen], rest),
    };
    watch_the_backend();
    for backend in &backends {
        let mut args = rest.clone();
        share_transport(backend == "jack");
        args.splice(1..1, ["--backend".to_owned(), backend.clone()]);
        if nice_export_standalone_with_args::<Zg<true>, _>(args) {
            return ExitCode::SUCCESS;
        }
        if instances_made() > 0 {
            // The backend was there; what failed is the window or the sample rate, and it has been said.
            tell("could not start; the reason is above");
            return ExitCode::FAILURE;
        }
    }
    tell(&format!(
        "no audio: {} could not be opened. Start JACK, connect a sound device, or \
         use --backend dummy to look at the editor without sound",
        backends.join(" and ")
    ));
    ExitCode::FAILURE
}

/// One line on stderr. Nobody is left to tell where that is closed.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "zeitgeber-standalone: {}", tame(text));
}

/// Splits `--backend X`, `--backend=X`, `-b X` or `-bX` from the arguments.
fn take_backend(args: &[String]) -> (Option<String>, Vec<String>) {
    let mut backend = None;
    let mut rest = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--backend" || arg == "-b" {
            match args.next() {
                Some(value) => backend = Some(value.clone()),
                // nice-plug's own parser says what is missing.
                None => rest.push(arg.clone()),
            }
        } else if let Some(value) = arg
            .strip_prefix("--backend=")
            .or_else(|| arg.strip_prefix("-b").filter(|v| !v.is_empty()))
        {
            backend = Some(value.trim_start_matches('=').to_owned());
        } else {
            rest.push(arg.clone());
        }
    }
    (backend, rest)
}

/// Ends the program when a backend opened but never asks for audio: nice-plug's audio thread can fail while
/// the window stays open in silence.
fn watch_the_backend() {
    std::thread::spawn(|| {
        while instances_made() == 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
        std::thread::sleep(PATIENCE);
        if !has_run() {
            tell(&format!(
                "the audio backend opened, but it has asked for no audio in {} s",
                PATIENCE.as_secs()
            ));
            std::process::exit(1);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::take_backend;

    #[test]
    fn the_backend_is_found_in_every_spelling() {
        for spelling in [
            &["--backend", "dummy"][..],
            &["--backend=dummy"],
            &["-b", "dummy"],
            &["-bdummy"],
        ] {
            let mut args = vec!["program".to_owned()];
            args.extend(spelling.iter().map(|arg| (*arg).to_owned()));
            args.push("--tempo=90".to_owned());
            let (backend, rest) = take_backend(&args);
            assert_eq!(backend.as_deref(), Some("dummy"));
            assert_eq!(rest, ["program", "--tempo=90"]);
        }
        assert_eq!(
            take_backend(&["program".to_owned()]),
            (None, vec!["program".to_owned()])
        );
    }
}
