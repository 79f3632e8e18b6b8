//! `zeitgeber presets`: the factory's and the musician's presets; their checks, import and export.

use crate::args::Problem;
use crate::{print, print_json, print_text};
use clap::Subcommand;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use zeitgeber::analysis::bands::{bands, pulse};
use zeitgeber::analysis::beat::beats;
use zeitgeber::analysis::tones::tones;
use zeitgeber::engine::{ControlId, controls as id};
use zeitgeber::offline::{DecodeError, RenderOptions, Silence, Source, render};
use zeitgeber::protocol::{Entry, Library, Preset, carrier_hertz, export_sbg, import};

/// List, show, check, rename, delete, import, export and measure presets
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber presets list\n  \
    zeitgeber presets show \"Calm ten\"\n  \
    zeitgeber presets import sequence.sbg\n  \
    zeitgeber presets check mine.json")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the factory's presets and your own
    List {
        /// As JSON: an array of objects
        #[arg(long)]
        json: bool,
    },
    /// Show a preset as JSON, as --preset reads it
    Show {
        /// A name, or a file
        #[arg(value_name = "NAME|FILE")]
        name: String,
    },
    /// Check preset files, and sequences that can be imported
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Give one of your own presets another name; the factory's stay as they are
    Rename {
        /// Its name
        #[arg(value_name = "OLD")]
        name: String,
        /// The name that it gets, which no other preset has
        #[arg(value_name = "NEW")]
        to: String,
    },
    /// Delete one of your own presets; the factory's stay as they are
    Delete {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Import a preset, an SBaGen sequence (.sbg) or a Gnaural schedule into your folder
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Write the preset here, and not into the folder
        #[arg(short, long, value_name = "OUT.json")]
        output: Option<PathBuf>,
    },
    /// Export a preset as JSON, or as an SBaGen sequence where OUT ends in .sbg
    Export {
        /// A name, or a file
        #[arg(value_name = "NAME|FILE")]
        name: String,
        /// The file to write; without it stdout
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
        /// As an SBaGen sequence
        #[arg(long)]
        sbg: bool,
    },
    /// Render all factory presets and print what is measured of them
    Measure {
        /// Seconds of each
        #[arg(long, default_value_t = 60.0)]
        seconds: f64,
        /// Only presets whose names contain this
        #[arg(long, default_value = "")]
        only: String,
    },
}

/// A line of the list.
#[derive(Serialize)]
struct Line {
    name: String,
    group: String,
    about: String,
    /// Grade of the evidence, where the preset states one.
    evidence: Option<&'static str>,
    /// Seconds, where it has a protocol.
    protocol: Option<f64>,
    factory: bool,
    path: Option<String>,
}

impl Line {
    fn new(entry: &Entry) -> Line {
        let preset = &entry.preset;
        Line {
            name: entry.name.clone(),
            group: preset.group().to_owned(),
            about: preset.about().to_owned(),
            evidence: preset.evidence().map(|evidence| evidence.grade.letter()),
            protocol: preset.protocol().map(|protocol| protocol.seconds()),
            factory: entry.path.is_none(),
            // A name that is no text is shown as near as can be.
            path: entry
                .path
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned()),
        }
    }
}

impl Args {
    /// Does it.
    pub fn run(self) -> Result<(), Problem> {
        let library = Library::new();
        match self.action {
            Action::List { json } => list(&library, json),
            Action::Show { name } => print_text(&library.open(&name)?.preset.to_text()),
            Action::Check { files } => check(&files),
            Action::Rename { name, to } => {
                let path = library.rename(&name, &to)?;
                print(&format!("\"{name}\" is \"{to}\" now: {}\n", path.display()))
            }
            Action::Delete { name } => {
                library.delete(&name)?;
                print(&format!("\"{name}\" is deleted\n"))
            }
            Action::Import { file, output } => take_in(&library, &file, output.as_deref()),
            Action::Export { name, output, sbg } => give_out(&library, &name, output, sbg),
            Action::Measure { seconds, only } => measure(&library, seconds, &only),
        }
    }
}

fn warn(line: &str) {
    crate::warn(line);
}

fn list(library: &Library, json: bool) -> Result<(), Problem> {
    let (entries, wrong) = library.list();
    for error in wrong {
        warn(&error.to_string());
    }
    let lines: Vec<Line> = entries.iter().map(Line::new).collect();
    if json {
        return print_json(&lines);
    }
    let width = lines
        .iter()
        .map(|line| line.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for line in &lines {
        let whose = if line.factory {
            line.group.as_str()
        } else {
            "yours"
        };
        let grade = line.evidence.unwrap_or(" ");
        let length = line.protocol.map_or_else(String::new, clock);
        let about = line
            .about
            .split(". ")
            .next()
            .unwrap_or("")
            .trim_end_matches('.');
        let _ = writeln!(
            text,
            "{:width$}  {whose:9} {grade} {length:>8}  {about}",
            line.name
        );
    }
    print(&text)
}

/// Seconds as hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    format!("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
}

fn check(files: &[PathBuf]) -> Result<(), Problem> {
    let mut text = String::new();
    let mut wrong = Vec::new();
    for file in files {
        let imported = match import(file) {
            Ok(imported) => imported,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let preset = &imported.preset;
        let _ = write!(text, "{}: {}, sound", file.display(), imported.format);
        if let Some(protocol) = preset.protocol() {
            let _ = write!(text, ", protocol of {}", clock(protocol.seconds()));
        }
        text.push('\n');
        for line in &imported.report {
            warn(&format!("{}: {line}", file.display()));
        }
    }
    print(&text)?;
    let Some(last) = wrong.pop() else {
        return Ok(());
    };
    for line in wrong {
        crate::tell(line);
    }
    Err(Problem::new(last))
}

fn take_in(library: &Library, file: &Path, output: Option<&Path>) -> Result<(), Problem> {
    let (imported, saved) = match output {
        None => library.import(file)?,
        Some(output) => {
            let imported = import(file)?;
            write(output, &imported.preset.to_text(), file)?;
            (imported, output.to_owned())
        }
    };
    for line in &imported.report {
        warn(line);
    }
    let format = imported.format;
    print(&format!(
        "\"{}\" ({format}): {}\n",
        imported.preset.name(),
        saved.display()
    ))
}

/// Writes a file, unless it is the one that was read.
fn write(path: &Path, text: &str, read: &Path) -> Result<(), Problem> {
    crate::args::refuse_overwrite(path, [read])?;
    crate::args::write(path, text.as_bytes())
}

fn give_out(
    library: &Library,
    name: &str,
    output: Option<PathBuf>,
    sbg: bool,
) -> Result<(), Problem> {
    let entry = library.open(name)?;
    let sbg = sbg
        || output
            .as_ref()
            .is_some_and(|path| path.extension().is_some_and(|ending| ending == "sbg"));
    let text = if sbg {
        let (text, report) = export_sbg(&entry.preset).map_err(|error| {
            Problem::new(format!(
                "\"{}\" cannot become an SBaGen sequence: {error}",
                entry.name
            ))
        })?;
        for line in report {
            warn(&line);
        }
        text
    } else {
        entry.preset.to_text()
    };
    match output {
        None if text.starts_with('{') => print_text(&text),
        None => print(&text),
        Some(path) => write(&path, &text, entry.path.as_deref().unwrap_or(Path::new(""))),
    }
}

/// Tempo of the measured renders in beats a minute.
const TEMPO: f64 = 120.0;

/// Rate of the measured renders in hertz.
const RATE: u32 = 48_000;

/// Tones below this level in dBFS are part of noise.
const LOUD: f64 = -50.0;

/// Edges of the bands in hertz: below 150, to 600, to 2400, above.
const BANDS: [f64; 3] = [150.0, 600.0, 2400.0];

fn measure(library: &Library, seconds: f64, only: &str) -> Result<(), Problem> {
    if !(1.0..=3600.0).contains(&seconds) {
        return Err(Problem::new(format!(
            "--seconds {seconds}: not a length from 1 to 3600 s"
        )));
    }
    print(&format!(
        "{:32} {:>9} {:>10} {:>9} {:>10} {:>8} {:>28}\n",
        "preset",
        "beat set",
        "beat heard",
        "carrier",
        "heard",
        "peak",
        "dBFS below 150|600|2400|above"
    ))?;
    let (entries, _) = library.list();
    let factory = entries.iter().filter(|entry| entry.path.is_none());
    for entry in factory.filter(|entry| entry.name.to_lowercase().contains(&only.to_lowercase())) {
        print(&row(&entry.preset, seconds)?)?;
    }
    Ok(())
}

/// Seconds at the end of a render that are measured.
const WINDOW: f64 = 16.0;

/// The tone in hertz, and its amplitude, that a treatment of the program is measured on.
const PROGRAM: (f64, f64) = (440.0, 0.1);

/// A steady tone in both ears.
struct Steady {
    frame: u64,
    frames: u64,
}

impl Source for Steady {
    fn rate(&self) -> u32 {
        RATE
    }

    fn channels(&self) -> usize {
        1
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
        let wanted = channels.first().map_or(0, |channel| channel.len() as u64);
        let count = wanted.min(self.frames - self.frame) as usize;
        for frame in 0..count {
            let turns = (self.frame as f64 * PROGRAM.0 / f64::from(RATE)).fract();
            let sample = (PROGRAM.1 * (std::f64::consts::TAU * turns).sin()) as f32;
            for channel in channels.iter_mut() {
                channel[frame] = sample;
            }
            self.frame += 1;
        }
        Ok(count)
    }
}

/// What is measured of the end of a render: where protocols move, that is where they are then.
fn row(preset: &Preset, seconds: f64) -> Result<String, Problem> {
    let settings = preset.all_settings();
    let options = RenderOptions {
        settings: settings.clone(),
        protocol: preset.protocol().cloned(),
        bpm: Some(TEMPO),
        ..RenderOptions::default()
    };
    let rate = f64::from(RATE);
    let frames = (seconds * rate) as u64;
    let keep = (WINDOW * rate) as usize;
    let setting = |control: ControlId| settings[control.index()].1;
    // What treats or places the program is heard on a tone.
    let treats = setting(id::PROG_KIND) != 0.0 || setting(id::SPACE_KIND) != 0.0;
    let mut silence = Silence::new(RATE, frames);
    let mut steady = Steady { frame: 0, frames };
    let source: &mut dyn Source = if treats { &mut steady } else { &mut silence };
    let mut ears: [Vec<f32>; 2] = Default::default();
    let mut peak = 0.0f32;
    render(source, &options, |heard| {
        for (ear, block) in ears.iter_mut().zip(heard) {
            peak = block.iter().fold(peak, |peak, x| peak.max(x.abs()));
            ear.extend_from_slice(block);
            if ear.len() > 2 * keep {
                ear.drain(..ear.len() - keep);
            }
        }
        Ok(())
    })?;
    for ear in &mut ears {
        ear.drain(..ear.len().saturating_sub(keep));
    }
    let middle = ((seconds - ears[0].len() as f64 / rate / 2.0) * rate) as i64;
    let protocol = preset.protocol();
    let timeline = protocol
        .map(|protocol| protocol.timeline(&settings, rate))
        .transpose()?;
    let looping = setting(id::PROTOCOL_LOOP) >= 0.5;
    let moves = |control| {
        let timeline = timeline.as_ref();
        timeline.is_some_and(|timeline| timeline.drives(control))
    };
    let set = |control: ControlId| {
        let driven = timeline
            .as_ref()
            .and_then(|timeline| timeline.value(control, middle, looping));
        driven.unwrap_or(setting(control))
    };
    let by_tempo = setting(id::BEAT_SOURCE) as usize == id::BEAT_TEMPO && !moves(id::BEAT);
    let master = if by_tempo {
        let quarters = id::division_quarters(setting(id::DIVISION) as usize, 4.0);
        id::BEAT.control().clamp(TEMPO / 60.0 / quarters)
    } else {
        set(id::BEAT)
    };
    let decibels = |x: f64| {
        if x > 1e-10 {
            format!("{:.1}", 20.0 * x.log10())
        } else {
            "-".to_owned()
        }
    };
    let (beat, carrier) = heard(&ears);
    let show =
        |hertz: Option<f64>| hertz.map_or_else(|| "-".to_owned(), |hertz| format!("{hertz:.3}"));
    let by_ear = ears.each_ref().map(|ear| bands(ear, rate, &BANDS));
    let bands: Vec<String> = by_ear[0]
        .iter()
        .zip(&by_ear[1])
        .map(|(left, right)| decibels(((left * left + right * right) / 2.0).sqrt()))
        .collect();
    Ok(format!(
        "{:32} {:>9.3} {:>10} {:>9.3} {:>10} {:>8} {:>28}\n",
        preset.name(),
        master,
        show(beat),
        carrier_hertz(set, moves(id::CARRIER)),
        show(carrier),
        decibels(f64::from(peak)),
        bands.join(" | ")
    ))
}

/// Beat and carrier as they are heard: between the ears, or else how the left ear pulses.
fn heard(ears: &[Vec<f32>; 2]) -> (Option<f64>, Option<f64>) {
    let found = ears.each_ref().map(|ear| tones(ear, f64::from(RATE), 6));
    let pair = beats(&found[0], &found[1])
        .into_iter()
        .find(|pair| pair.frequency.abs() > 0.02 && pair.left.level() > LOUD);
    if let Some(pair) = pair {
        let carrier = (pair.left.frequency + pair.right.frequency) / 2.0;
        return (Some(pair.frequency.abs()), Some(carrier));
    }
    let loudest = found[0].first().filter(|tone| tone.level() > LOUD);
    (
        pulse(&ears[0], f64::from(RATE)),
        loudest.map(|tone| tone.frequency),
    )
}
