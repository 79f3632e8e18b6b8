//! `zeitgeber listen-test`: a kit for blind comparisons. Files at the same loudness in an order that nobody knows, a
//! sheet for the listener, and a key that is kept apart.

mod sheet;

use crate::args::{self, Problem};
use crate::{print, signals};
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use zeitgeber::analysis::loudness::LoudnessMeter;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{BEAT, BEAT_HZ, BEAT_SOURCE};
use zeitgeber::file;
use zeitgeber::offline::{
    Container, Decoder, RenderOptions, SampleFormat, Silence, SoundFile, Source, Tags, WavError,
    WavProblem, render,
};

/// Rate of silence, in hertz.
const RATE: u32 = 48_000;

/// Most trials, and seconds of an excerpt: more is no test that anybody sits through.
const TRIALS: (u32, u32) = (1, 200);
const SECONDS: (f64, f64) = (1.0, 600.0);

/// Seconds in which an excerpt ends.
const END: f64 = 0.020;

/// Make a blind listening test: files of equal loudness, a sheet and a key; or score its answers
///
/// Without --b the other condition is the sham: the same sound with a beat of 0, which is two equal tones. Both are
/// brought to the loudness of the softer one (ITU-R BS.1770), so that loudness gives nothing away. The key lies
/// beside the folder, not in it: give the folder to the listener and keep the key.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber listen-test test --a \"Calm ten\"\n  \
    zeitgeber listen-test test music.flac --set-a prog_kind=shift --set-a beat=6 --trials 20 --seed 7\n  \
    zeitgeber listen-test test --a \"Calm ten\" --b \"Sham: noise alone\" --kind ab\n  \
    zeitgeber listen-test --score test/answers.csv --key test-key.csv\n\n\
    docs/listening-test.md tells how to run it and what a score means.")]
pub struct Args {
    /// The folder that is made for the listener
    #[arg(value_name = "OUT_DIR", required_unless_present = "score")]
    folder: Option<PathBuf>,
    /// The audio to treat; silence where it is not given
    #[arg(value_name = "INPUT")]
    input: Option<PathBuf>,
    /// Condition A: a preset by name or file
    #[arg(long, value_name = "NAME|FILE")]
    a: Option<String>,
    /// Set a parameter of A, over its preset's; may be repeated
    #[arg(long, value_name = "ID=VALUE")]
    set_a: Vec<String>,
    /// Condition B: a preset; without it and --set-b the sham of A
    #[arg(long, value_name = "NAME|FILE")]
    b: Option<String>,
    /// Set a parameter of B, over its preset's; without --b over A's
    #[arg(long, value_name = "ID=VALUE")]
    set_b: Vec<String>,
    /// abx: A and B are known, which of them is X? ab: two sounds without names, which is A?
    #[arg(long, value_enum, default_value_t = Kind::Abx)]
    kind: Kind,
    /// How many times it is asked
    #[arg(long, value_name = "N", default_value_t = 16)]
    trials: u32,
    /// The seed of the order: the same gives the same test. Without it nobody knows it before the key is read
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Length of the excerpts
    #[arg(long, value_name = "LENGTH", default_value = "20", value_parser = args::length)]
    seconds: f64,
    /// Where the key is written; beside the folder where it is not given
    #[arg(long, value_name = "FILE.csv")]
    key: Option<PathBuf>,
    /// Score a sheet: give its answers, and --key
    #[arg(long, value_name = "ANSWERS.csv", requires = "key", conflicts_with_all = ["folder", "a", "b"])]
    score: Option<PathBuf>,
}

/// The kinds of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Abx,
    Ab,
}

/// One of the two sounds.
struct Condition {
    options: RenderOptions,
    said: String,
}

/// How a condition sounds.
struct Heard {
    rate: u32,
    ears: [Vec<f32>; 2],
    /// In LUFS; none for silence.
    loudness: Option<f64>,
}

impl Args {
    /// Makes the test, or scores it.
    pub fn run(self) -> Result<(), Problem> {
        if let (Some(answers), Some(key)) = (&self.score, &self.key) {
            return print(&sheet::score(answers, key)?);
        }
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let (few, many) = TRIALS;
        if !(few..=many).contains(&self.trials) {
            return Err(Problem::new(format!(
                "--trials {}: not a number from {few} to {many}",
                self.trials
            )));
        }
        let (short, long) = SECONDS;
        if !(short..=long).contains(&self.seconds) {
            return Err(Problem::new(format!(
                "--seconds {}: not a length from {short} to {long} s",
                self.seconds
            )));
        }
        let conditions = self.conditions()?;
        let key = match &self.key {
            Some(key) => key.clone(),
            None => {
                let mut name = folder.file_name().unwrap_or_default().to_owned();
                name.push("-key.csv");
                folder.with_file_name(name)
            }
        };
        check_key(&key, folder)?;
        if folder.exists() || key.exists() {
            return Err(Problem::new(format!(
                "{}: it is there already; a test of before is not written over, name another folder",
                if folder.exists() { folder } else { &key }.display()
            )));
        }
        let stop = signals::stop_flag()?;
        let told = |error: std::io::Error| {
            Problem::new(format!(
                "{}: cannot be made: {}",
                folder.display(),
                file::why(&error)
            ))
        };
        file::outside(folder)
            .and_then(|()| fs::create_dir(folder))
            .map_err(told)?;
        let done = self.make(folder, &key, &conditions, &stop);
        if done.is_err() {
            // The folder is ours: it was not there before.
            let _ = fs::remove_dir_all(folder);
        }
        print(&done?)
    }

    /// What A and B are.
    fn conditions(&self) -> Result<[Condition; 2], Problem> {
        if self.a.is_none() && self.set_a.is_empty() {
            return Err(Problem::new(
                "give condition A: --a PRESET, or --set-a ID=VALUE",
            ));
        }
        let condition = |option: &str,
                         preset: &Option<String>,
                         sets: &[&String]|
         -> Result<Condition, Problem> {
            let entry = preset
                .as_deref()
                .map(|name| args::preset(option, name))
                .transpose()?;
            let mut options = RenderOptions::default();
            let mut said = Vec::new();
            if let Some(entry) = &entry {
                options.settings = entry.preset.settings().to_vec();
                options.protocol = entry.preset.protocol().cloned();
                options.hrtf = entry.hrtf_path();
                said.push(entry.name.clone());
            }
            let texts: Vec<String> = sets.iter().map(|text| (*text).clone()).collect();
            options.settings.extend(args::settings(&texts)?);
            said.extend(texts);
            Ok(Condition {
                options,
                said: said.join(" "),
            })
        };
        let own: Vec<&String> = self.set_a.iter().collect();
        let a = condition("--a", &self.a, &own)?;
        let b = match (&self.b, self.set_b.is_empty()) {
            (Some(_), _) => condition("--b", &self.b, &self.set_b.iter().collect::<Vec<_>>())?,
            (None, false) => {
                let both: Vec<&String> = self.set_a.iter().chain(&self.set_b).collect();
                condition("--a", &self.a, &both)?
            }
            (None, true) => self.sham(condition("--a", &self.a, &own)?)?,
        };
        Ok([a, b])
    }

    /// The same without a beat.
    fn sham(&self, mut condition: Condition) -> Result<Condition, Problem> {
        let options = &mut condition.options;
        if let Some(protocol) = &options.protocol {
            let timeline = protocol.timeline(&options.settings, f64::from(RATE))?;
            if timeline.drives(BEAT) {
                return Err(Problem::new(format!(
                    "\"{}\" moves the beat itself, and has no sham of beat 0; give --b",
                    condition.said
                )));
            }
        }
        let none: [(ControlId, f64); 2] = [(BEAT_SOURCE, BEAT_HZ as f64), (BEAT, 0.0)];
        options.settings.extend(none);
        condition.said += " with beat=0 (sham)";
        Ok(condition)
    }

    fn open(&self) -> Result<Box<dyn Source>, Problem> {
        Ok(match &self.input {
            Some(input) => {
                let decoder = Decoder::open(input)?;
                args::check_file_rate(input, decoder.rate())?;
                Box::new(decoder)
            }
            None => Box::new(Silence::new(RATE, u64::MAX / 2)),
        })
    }

    /// Renders a condition; its loudness.
    fn hear(&self, condition: &Condition, stop: &AtomicBool) -> Result<Heard, Problem> {
        let mut source = Excerpt {
            source: self.open()?,
            left: 0,
        };
        let rate = source.rate();
        source.left = (self.seconds * f64::from(rate)).round() as u64;
        let mut meter = LoudnessMeter::new(2, rate)?;
        let mut heard: [Vec<f32>; 2] = Default::default();
        render(&mut source, &condition.options, |ears| {
            if stop.load(Relaxed) {
                return Err(WavError {
                    path: self.folder.clone().unwrap_or_default(),
                    problem: WavProblem::Interrupted { kept: false },
                });
            }
            for (ear, block) in heard.iter_mut().zip(ears) {
                ear.extend_from_slice(block);
            }
            meter.push(&ears[..2]);
            Ok(())
        })?;
        Ok(Heard {
            rate,
            ears: heard,
            loudness: meter.measure().integrated,
        })
    }

    fn make(
        &self,
        folder: &Path,
        key: &Path,
        conditions: &[Condition; 2],
        stop: &AtomicBool,
    ) -> Result<String, Problem> {
        let [a, b] = conditions;
        let (first, second) = (self.hear(a, stop)?, self.hear(b, stop)?);
        let (rate, mut a_ears, mut b_ears) = (first.rate, first.ears, second.ears);
        let is_silent = [&a_ears, &b_ears].map(|ears| ears.iter().flatten().all(|x| *x == 0.0));
        if is_silent == [true, true] {
            return Err(Problem::new(if self.input.is_some() {
                "A is silent, as INPUT is; give one that sounds, or switch a layer on with --set-a l1_kind=binaural"
            } else {
                "A is silent: give an INPUT (a sound to be treated), or switch a layer on with --set-a l1_kind=binaural"
            }));
        }
        if a_ears == b_ears {
            return Err(Problem::new(
                "A and B are the same to the sample: there is nothing to be told apart",
            ));
        }
        let mut change = [0.0, 0.0];
        let matched = match (first.loudness, second.loudness) {
            (Some(a), Some(b)) => {
                change = [f64::min(b - a, 0.0), f64::min(a - b, 0.0)];
                format!("A and B at {:.1} LUFS", a.min(b))
            }
            (None, None) => {
                "A and B as loud as they are: too soft or too short to be measured".to_owned()
            }
            _ => {
                return Err(Problem::new(format!(
                    "{} is silent: anybody can tell them apart",
                    if first.loudness.is_none() { "A" } else { "B" }
                )));
            }
        };
        for (ears, change) in [&mut a_ears, &mut b_ears].into_iter().zip(change) {
            let gain = 10f64.powf(change / 20.0) as f32;
            ears.iter_mut().flatten().for_each(|sample| *sample *= gain);
            ears.iter_mut().for_each(|ear| end_softly(ear, rate));
        }
        let random = || RandomState::new().hash_one("zeitgeber listen-test");
        let seed = self.seed.unwrap_or_else(|| random() >> 12);
        // Of its own, also where the seed is given: whoever reads it learns nothing of the order.
        let test = sheet::test_name(random());
        let order = sheet::order(seed, self.trials);
        let write = |name: &str, ears: &[Vec<f32>; 2]| -> Result<(), Problem> {
            if stop.load(Relaxed) {
                return Err(Problem::new("interrupted; nothing is left of the test"));
            }
            let path = folder.join(name);
            // No tag: it would say which is which.
            let mut file = SoundFile::create(
                &path,
                Container::Wav,
                2,
                rate,
                SampleFormat::Int24,
                Tags::default(),
            )?;
            file.write(&[&ears[0], &ears[1]])?;
            if file.clipped() > 0 {
                return Err(Problem::new(
                    "A or B is beyond full scale; lower it with --set-a out_gain=-6 (and B with --set-b)",
                ));
            }
            Ok(file.finish()?)
        };
        if self.kind == Kind::Abx {
            write("A.wav", &a_ears)?;
            write("B.wav", &b_ears)?;
        }
        for (n, is_a) in order.iter().enumerate() {
            let (first, second) = if *is_a {
                (&a_ears, &b_ears)
            } else {
                (&b_ears, &a_ears)
            };
            match self.kind {
                Kind::Abx => write(&sheet::file(n, "X"), first)?,
                Kind::Ab => {
                    write(&sheet::file(n, "1"), first)?;
                    write(&sheet::file(n, "2"), second)?;
                }
            }
        }
        for (name, text) in [
            ("sheet.csv", sheet::csv(self.kind, self.trials, &test)),
            ("sheet.html", sheet::html(self.kind, self.trials, &test)),
        ] {
            args::write(&folder.join(name), text.as_bytes())?;
        }
        let about = format!(
            "# {:?}, seed {seed}\n# A: {} ({:+.2} dB)\n# B: {} ({:+.2} dB)\n",
            self.kind, a.said, change[0], b.said, change[1]
        );
        let text = sheet::key(self.kind, &order, &test, &about);
        args::write(key, text.as_bytes())?;
        let seconds = a_ears[0].len() as f64 / f64::from(rate);
        Ok(format!(
            "{}: {} trial{} of {} s, {matched}; open sheet.html\n{}: the key, for later\n",
            folder.display(),
            self.trials,
            if self.trials == 1 { "" } else { "s" },
            (seconds * 10.0).round() / 10.0,
            key.display()
        ))
    }
}

/// Refuses a key that the listener would find, or that cannot be written, before anything is rendered.
fn check_key(key: &Path, folder: &Path) -> Result<(), Problem> {
    let wrong = |what: &str| Err(Problem::new(format!("{}: {what}", key.display())));
    if key.ancestors().any(|part| args::same_name(part, folder)) {
        return wrong("the key would lie in the listener's folder; name a file elsewhere");
    }
    let parent = key.parent().unwrap_or(Path::new(""));
    if !parent.as_os_str().is_empty() && !parent.is_dir() {
        return wrong("the folder of the key does not exist; make it first");
    }
    Ok(())
}

/// Lets an excerpt end as a raised cosine: where it is cut must not click.
fn end_softly(ear: &mut [f32], rate: u32) {
    let count = ((END * f64::from(rate)) as usize).min(ear.len());
    for (n, sample) in ear.iter_mut().rev().take(count).enumerate() {
        let phase = std::f64::consts::PI * n as f64 / count as f64;
        *sample *= (0.5 - 0.5 * phase.cos()) as f32;
    }
}

/// The beginning of a source.
struct Excerpt {
    source: Box<dyn Source>,
    left: u64,
}

impl Source for Excerpt {
    fn rate(&self) -> u32 {
        self.source.rate()
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn frames(&self) -> Option<u64> {
        Some(
            self.source
                .frames()
                .map_or(self.left, |all| all.min(self.left)),
        )
    }

    fn read(
        &mut self,
        channels: &mut [&mut [f32]],
    ) -> Result<usize, zeitgeber::offline::DecodeError> {
        let wanted = channels.first().map_or(0, |channel| channel.len() as u64);
        let wanted = wanted.min(self.left) as usize;
        let mut first: Vec<&mut [f32]> = channels
            .iter_mut()
            .map(|channel| &mut channel[..wanted])
            .collect();
        let count = self.source.read(&mut first)?;
        self.left -= count as u64;
        Ok(count)
    }
}
