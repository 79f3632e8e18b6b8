//! The command line, run as a user runs it.

#[path = "cli/analyze.rs"]
mod analyze;
#[path = "cli/bounces.rs"]
mod bounces;
#[path = "cli/codecs.rs"]
mod codecs;
#[path = "cli/docs.rs"]
mod docs;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/files.rs"]
mod files;
#[path = "cli/hrtf.rs"]
mod hrtf;
#[cfg(unix)]
#[path = "cli/inserts.rs"]
mod inserts;
#[path = "cli/kits.rs"]
mod kits;
#[cfg(unix)]
#[path = "cli/live.rs"]
mod live;
#[cfg(unix)]
#[path = "cli/node.rs"]
mod node;
#[path = "cli/presets.rs"]
mod presets;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/sound.rs"]
mod sound;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Rate of the files that the tests make, in hertz.
const RATE: u32 = 48_000;

/// A folder to run in.
struct Run {
    folder: TempDir,
    /// What the program keeps for the user, away from this user's own.
    cache: TempDir,
}

impl Run {
    fn new() -> Run {
        Run {
            folder: tempfile::tempdir().unwrap(),
            cache: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs `zeitgeber` in the folder with words that are separated by blanks.
    fn zeitgeber(&self, words: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            // The folder of whoever runs the tests stays as it is.
            .env("ZEITGEBER_PRESETS", self.folder.path().join("own"))
            .env("XDG_CACHE_HOME", self.cache.path())
            .env("HOME", self.cache.path())
            .output()
            .unwrap()
    }

    /// Runs it and expects success; returns what it printed.
    fn fine(&self, words: &str) -> String {
        let output = self.zeitgeber(words);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "zeitgeber {words}: {errors}");
        assert_eq!(errors, "", "zeitgeber {words}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it and expects one line on stderr, exit code 2, and no new file; returns the line.
    fn wrong(&self, words: &str) -> String {
        let before = self.names();
        let output = self.zeitgeber(words);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "zeitgeber {words}: {line}");
        assert_eq!(line.lines().count(), 1, "zeitgeber {words}: {line}");
        assert!(output.stdout.is_empty(), "zeitgeber {words}");
        assert_eq!(self.names(), before, "zeitgeber {words} left a file");
        line
    }

    /// Everything in the folder, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The two channels of a WAV file that the program wrote.
    fn read(&self, name: &str) -> [Vec<f32>; 2] {
        read(&self.path(name))
    }

    /// Writes a 32-bit float WAV file of the given channels.
    fn wav(&self, name: &str, rate: u32, channels: &[&[f32]]) {
        let spec = hound::WavSpec {
            channels: channels.len() as u16,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut wav = hound::WavWriter::create(self.path(name), spec).unwrap();
        for n in 0..channels[0].len() {
            channels
                .iter()
                .for_each(|channel| wav.write_sample(channel[n]).unwrap());
        }
        wav.finalize().unwrap();
    }
}

/// The two channels of a stereo float WAV file, by another reader than the program's own.
fn read(path: &Path) -> [Vec<f32>; 2] {
    let mut wav = hound::WavReader::open(path).unwrap();
    assert_eq!(wav.spec().channels, 2);
    let samples: Vec<f32> = wav.samples::<f32>().map(Result::unwrap).collect();
    [0, 1].map(|ear| samples.iter().skip(ear).step_by(2).copied().collect())
}

/// A sine at `rate` hertz.
fn sine(frequency: f64, amplitude: f64, frames: usize, rate: u32) -> Vec<f32> {
    let step = std::f64::consts::TAU * frequency / f64::from(rate);
    (0..frames)
        .map(|n| (amplitude * (step * n as f64).sin()) as f32)
        .collect()
}

/// A recording that ships with the tests.
fn data(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
        .display()
        .to_string()
}

/// The commands that the general help lists.
fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What is further in goes on from the line before.
        .filter_map(|line| {
            line.strip_prefix("  ")
                .filter(|line| !line.starts_with(' '))
        })
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|command| command != "help")
        .collect()
}
