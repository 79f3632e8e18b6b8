//! What the beat does to speech and music: renders of every treatment, each named by `zeitgeber analyze`.

use super::{analyze, music};
use crate::shell;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Rate of the music and of all renders, in hertz.
const RATE: u32 = 48_000;

/// Relative error of a rate that is still what was asked for. Analysis is finer; this is the bar of a demo.
const TOLERANCE: f64 = 0.005;

/// How far the levelled loudness may be from its target, in LU: the file's beginning is a fade to it.
const NEAR: f64 = 2.0;

/// One kind of render.
struct Show {
    /// What it is called, and the treatment that `analyze --json` has to name.
    name: &'static str,
    settings: &'static [&'static str],
    /// What should be found.
    wanted: Wanted,
    /// What to listen for.
    listen: &'static str,
}

/// What `analyze` should say.
enum Wanted {
    /// The treatment at this rate in hertz.
    Rate(f64),
    /// This loudness in LUFS, and no sample above this level in dBFS.
    Level(f64, f64),
}

/// The rates keep away from the rhythm of the music and from each other.
const SHOWS: [Show; 5] = [
    Show {
        name: "amplitude",
        settings: &["prog_kind=amplitude", "beat=10", "prog_depth=0.8"],
        wanted: Wanted::Rate(10.0),
        listen: "a tremolo, ten times a second",
    },
    Show {
        name: "bilateral",
        settings: &["prog_kind=bilateral", "beat=1.1", "prog_level=-3"],
        wanted: Wanted::Rate(1.1),
        listen: "it wanders from ear to ear",
    },
    Show {
        name: "shift",
        settings: &["prog_kind=shift", "beat=7", "prog_level=-3"],
        wanted: Wanted::Rate(7.0),
        listen: "HEADPHONES: left 3.5 Hz lower, right 3.5 Hz higher, a beat within the head",
    },
    Show {
        name: "sweep",
        settings: &["prog_kind=sweep", "beat=1.6", "prog_level=-3"],
        wanted: Wanted::Rate(1.6),
        listen: "a filter opens and closes",
    },
    Show {
        name: "levelled",
        settings: &[
            "in_gain=-15",
            "gate_on=on",
            "gate_threshold=-60",
            "leveller_on=on",
            "leveller_target=-16",
            "leveller_speed=3",
            "ceiling_on=on",
            "ceiling=-3",
        ],
        wanted: Wanted::Level(-16.0, -3.0),
        listen: "gate, leveller, ceiling: 15 dB too quiet at first, then as loud as asked",
    },
];

/// A render that has been made and measured.
pub struct Shown {
    file: PathBuf,
    /// What was found.
    found: String,
    /// Whether that is what should be there.
    named: bool,
}

/// Renders speech and music through every treatment and measures each.
///
/// # Errors
/// When a command fails or a file cannot be written.
pub fn show(cli: &Path, folder: &Path, speech: &Path) -> Result<Vec<Shown>> {
    let piece = folder.join("music.wav");
    write(&piece)?;
    let inputs = [("speech", speech), ("music", &piece)];
    let make = &|show: &Show, what: &str, input: &Path| -> Result<Shown> {
        let file = folder.join(format!("{what}-{}.wav", show.name));
        render(cli, input, &file, show.settings)?;
        let (found, named) = show.judge(&analyze(cli, &file)?);
        Ok(Shown { file, found, named })
    };
    let mut shown = Vec::new();
    for show in &SHOWS {
        // Speech and music at once: most of the time goes into the analysis, which uses one core.
        let pair = thread::scope(|scope| {
            inputs
                .map(|(what, input)| scope.spawn(move || make(show, what, input)))
                .map(|made| made.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        for made in pair {
            shown.push(made?);
        }
    }
    Ok(shown)
}

/// Prints a line a file, below what to listen for.
///
/// # Errors
/// When the analysis did not find in every file what was done to it.
pub fn summary(folder: &Path, shown: &[Shown]) -> Result<()> {
    println!("\nWhat the beat does to speech and music, and what the analysis found:\n");
    println!(
        "  in {}, beside speech.wav and music.wav as they were",
        folder.display()
    );
    for (show, pair) in SHOWS.iter().zip(shown.chunks(2)) {
        println!("\n  {:11}{}", show.name, show.listen);
        println!("  {:11}{}", "", show.settings.join(" "));
        for Shown { file, found, named } in pair {
            let verdict = if *named { "ok" } else { "NOT SO" };
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            println!("    {verdict:9}{name:23}{found}");
        }
    }
    let missed: Vec<_> = shown.iter().filter(|shown| !shown.named).collect();
    if let Some(first) = missed.first() {
        bail!(
            "in {} of {} renders the analysis did not find what was done, first in {}: {}",
            missed.len(),
            shown.len(),
            first.file.display(),
            first.found
        );
    }
    Ok(())
}

impl Show {
    /// What a report says of it, and whether that is what should be there.
    fn judge(&self, report: &Value) -> (String, bool) {
        match self.wanted {
            Wanted::Rate(wanted) => {
                let found = &report["treatments"][self.name];
                let Some(hz) = found["hz"].as_f64() else {
                    return (format!("no {} was found", self.name), false);
                };
                let above = found["above_db"].as_f64().unwrap_or(0.0);
                let line = format!("{hz:.3} Hz, {above:.0} dB above its surroundings");
                (line, (hz - wanted).abs() <= TOLERANCE * wanted)
            }
            Wanted::Level(target, ceiling) => {
                let [loudness, peak] =
                    ["loudness_lufs", "peak_dbfs"].map(|key| report[key].as_f64());
                let (Some(loudness), Some(peak)) = (loudness, peak) else {
                    return ("silence".to_owned(), false);
                };
                // The report's decimals are finer than half a step of 32-bit floats.
                let named = (loudness - target).abs() <= NEAR && peak <= ceiling + 1e-5;
                (format!("{loudness:.1} LUFS, peak {peak:.2} dBFS"), named)
            }
        }
    }
}

fn render(cli: &Path, input: &Path, output: &Path, settings: &[&str]) -> Result<()> {
    let mut render = Command::new(cli);
    render.arg("render").arg(input).arg("-o").arg(output);
    render.args(["--rate", &RATE.to_string(), "--quiet"]);
    for setting in settings {
        render.args(["--set", setting]);
    }
    shell::run(&mut render)
}

/// Writes the piece of music as a WAV of 32-bit floats.
fn write(path: &Path) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let unwritable = || format!("could not write {}", path.display());
    let mut writer = hound::WavWriter::create(path, spec).with_context(unwritable)?;
    let [left, right] = music::music(RATE);
    for sample in left.iter().zip(&right).flat_map(|(l, r)| [*l, *r]) {
        writer.write_sample(sample).with_context(unwritable)?;
    }
    writer.finalize().with_context(unwritable)
}

#[cfg(test)]
mod tests {
    use super::SHOWS;
    use serde_json::json;

    #[test]
    fn only_the_right_treatment_at_the_right_rate_will_do() {
        let amplitude = &SHOWS[0];
        let report = |hz: f64| json!({"treatments": {"amplitude": {"hz": hz, "above_db": 40.0}}});
        assert!(amplitude.judge(&report(10.001)).1);
        assert!(!amplitude.judge(&report(10.1)).1);
        assert!(!SHOWS[1].judge(&report(1.1)).1);
        let level = |lufs: f64, peak: f64| json!({"loudness_lufs": lufs, "peak_dbfs": peak});
        let levelled = &SHOWS[4];
        assert!(levelled.judge(&level(-17.0, -3.0)).1);
        assert!(!levelled.judge(&level(-17.0, -2.9)).1);
        assert!(!levelled.judge(&level(-23.0, -9.0)).1);
    }
}
