//! What `render` and `run` share: where the sound comes from and where it goes.

use crate::args::{self, Problem};
use crate::normalize::{Goal, Waiting};
use crate::{capture_plot, print, signals, warn};
use indicatif::{MultiProgress, ProgressBar, ProgressFinish, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf, is_separator};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;
use zeitgeber::file;
use zeitgeber::offline::{
    Aside, BlockSize, Capture, Container, DecodeError, Decoder, Looped, SampleFormat, Silence,
    SoundFile, Source, Tags, WavError, WavProblem, resampled,
};
use zeitgeber::text::tame;

/// Rate of silence where none is asked for, in hertz.
const SILENCE_RATE: u32 = 48_000;

/// The longest silence, in seconds: beyond, it is a slip of the finger.
const LONGEST_SILENCE: f64 = 1e9;

/// A file whose highest sample is above this (40 dB above full scale) is no sound that anybody meant.
const FAR_ABOVE: f32 = 100.0;

/// Sound in, sound out, and how it is cut.
#[derive(clap::Args)]
pub struct Material {
    /// The audio to treat: WAV, RF64, FLAC, OGG Vorbis, Opus or MP3, mono or stereo
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// The file to write: WAV (RF64 beyond 4 GiB), or FLAC where it ends in .flac. Of several inputs: the folder
    /// that receives a file of each one's name
    #[arg(short, long, value_name = "OUT.wav|OUT.flac|DIR")]
    output: PathBuf,
    /// What is written, where the name does not say it: as in a folder
    #[arg(long, value_enum, value_name = "wav|flac")]
    format: Option<Format>,
    /// Silence of this length in place of INPUT: seconds, or as 90s, 60m, 8h, 1:30:00
    #[arg(
        long,
        value_name = "LENGTH",
        conflicts_with_all = ["inputs", "loop_to"],
        allow_hyphen_values = true,
        value_parser = args::length_or_none
    )]
    silence: Option<f64>,
    /// Repeat INPUT until this length is reached, its first sample after its last without a crossfade; a longer
    /// one is cut. Seconds, or as 90s, 60m, 8h, 1:30:00
    #[arg(long = "loop", value_name = "LENGTH", value_parser = args::length, allow_hyphen_values = true)]
    loop_to: Option<f64>,
    /// Frames per block; the sound does not depend on it
    #[arg(
        long,
        value_name = "FRAMES|random:SEED",
        default_value = "512",
        allow_hyphen_values = true
    )]
    pub block: BlockSize,
    /// Sample rate; that of the input where it is not given, 48000 for silence
    #[arg(long, value_name = "HZ", value_parser = args::rate, allow_hyphen_values = true)]
    rate: Option<u32>,
    /// Go on after the end of the input for so long: seconds, or as 90s, 60m, 8h, 1:30:00
    #[arg(
        long,
        value_name = "LENGTH",
        default_value_t = 0.0,
        allow_hyphen_values = true,
        value_parser = args::length_or_none
    )]
    pub tail: f64,
    /// Also write what each node puts out to DIR/NODE.wav: all nodes, or those named. Of several inputs: to
    /// DIR/INPUT/NODE.wav
    #[arg(long, value_name = "DIR[:NODE,...]")]
    capture: Option<String>,
    /// Draw each captured node beside its file, as NODE.png: its envelope and its spectrum
    #[arg(long, requires = "capture")]
    plot: bool,
    /// How samples are written: 32-bit floats as they are (WAV, where this is the default), or integers with
    /// triangular dither, the same in every render (FLAC, where 24 is the default)
    #[arg(long, value_enum)]
    bits: Option<Bits>,
    /// Bring the whole to a level: integrated loudness (-16LUFS), true peak (-1dBTP) or highest sample (-1dBFS).
    /// The render waits in a file beside the output until it is measured
    #[arg(long, value_name = "LEVEL", allow_hyphen_values = true)]
    normalize: Option<Goal>,
    /// How many inputs are treated at a time; as many as there are processors where it is not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// No progress bar and no summary
    #[arg(long, short)]
    quiet: bool,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Wav,
    Flac,
}

/// Whether what is written to either name ends in one file.
fn same_end(one: &Path, other: &Path) -> bool {
    let end = |path: &Path| file::destination(path).unwrap_or(path.to_owned());
    args::same_name(&end(one), &end(other))
}

impl From<Format> for Container {
    fn from(format: Format) -> Container {
        match format {
            Format::Wav => Container::Wav,
            Format::Flac => Container::Flac,
        }
    }
}

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Bits {
    #[value(name = "16")]
    Int16,
    #[value(name = "24")]
    Int24,
    #[value(name = "32f")]
    Float32,
}

impl From<Bits> for SampleFormat {
    fn from(bits: Bits) -> SampleFormat {
        match bits {
            Bits::Int16 => SampleFormat::Int16,
            Bits::Int24 => SampleFormat::Int24,
            Bits::Float32 => SampleFormat::Float32,
        }
    }
}

/// One sound that becomes one file.
pub struct Job {
    /// The file that is read; none for silence.
    pub input: Option<PathBuf>,
    /// The file that is written.
    pub output: PathBuf,
    container: Container,
    /// The folder in the folder of captures that is this job's own, where there are several.
    own_folder: Option<String>,
}

/// What the jobs of a command have in common.
pub struct Stage {
    stop: Arc<AtomicBool>,
    bars: MultiProgress,
    /// Whether bars say whose they are.
    named: bool,
    shown: bool,
}

impl Stage {
    /// Whether the user has asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Of `jobs` files how many are done; nothing where bars are not shown.
    pub fn total(&self, jobs: usize) -> ProgressBar {
        if !self.shown {
            return ProgressBar::hidden();
        }
        let bar = self.bars.add(ProgressBar::new(jobs as u64));
        styled(
            bar,
            "{elapsed_precise} {wide_bar} {pos} of {len} files {eta_precise}",
        )
    }

    /// A progress bar on a terminal; elsewhere and when quiet, nothing.
    fn bar(&self, output: &Path, frames: Option<u64>) -> ProgressBar {
        if !self.shown {
            return ProgressBar::hidden();
        }
        let bar = match frames {
            Some(frames) => ProgressBar::new(frames),
            None => ProgressBar::new_spinner(),
        };
        let bar = self.bars.add(bar);
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        bar.set_prefix(tame(&name));
        styled(
            bar,
            match (frames.is_some(), self.named) {
                (true, false) => "{elapsed_precise} {wide_bar} {percent} % {eta_precise}",
                (true, true) => "  {prefix:24!} {wide_bar} {percent} % {eta_precise}",
                (false, false) => "{elapsed_precise} {spinner}",
                (false, true) => "  {prefix:24!} {spinner}",
            },
        )
    }
}

/// A bar that goes when it is done or given up.
fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    let bar = bar.with_finish(ProgressFinish::AndClear);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Material {
    /// Whether a file is the one that is written.
    pub fn is_output(&self, other: &Path) -> bool {
        same_end(&self.output, other)
    }

    /// Whether the whole is brought to a level.
    pub fn is_normalized(&self) -> bool {
        self.normalize.is_some()
    }

    /// How many inputs may be treated at a time.
    pub fn workers(&self) -> usize {
        match self.jobs {
            Some(jobs) => usize::from(jobs),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// What becomes of what. Refuses outputs that are read, or that two inputs would become.
    pub fn jobs(&self) -> Result<Vec<Job>, Problem> {
        args::check_name(&self.output)?;
        let ends_as_folder = self.output.to_string_lossy().ends_with(is_separator);
        // *.wav may be one file, and with --format a name without an ending is no file's.
        let has_no_ending = self.format.is_some() && self.output.extension().is_none();
        let is_folder = self.inputs.len() > 1
            || ends_as_folder
            || self.output.is_dir()
            || has_no_ending && !self.output.is_file();
        if !is_folder || self.inputs.is_empty() {
            let container = self.container(&self.output)?;
            return Ok(vec![Job {
                input: self.inputs.first().cloned(),
                output: self.output.clone(),
                container,
                own_folder: None,
            }]);
        }
        if self.inputs.len() > 1 && self.output.is_file() {
            return Err(Problem::new(format!(
                "{}: several inputs become files of a folder; name a folder",
                self.output.display()
            )));
        }
        if self.inputs.len() > 1 && !ends_as_folder && !self.output.is_dir() {
            let named = Container::of(&self.output).ending();
            let ending = self.output.extension();
            if ending.is_some_and(|ending| ending.eq_ignore_ascii_case(named)) {
                return Err(Problem::new(format!(
                    "{}: {} inputs become files of a folder, and this is the name of one file; name a folder",
                    self.output.display(),
                    self.inputs.len()
                )));
            }
        }
        let container = self.format.map_or(Container::Wav, Container::from);
        let mut jobs: Vec<Job> = Vec::new();
        for input in &self.inputs {
            let stem = input.file_stem().unwrap_or_default();
            let mut name = stem.to_owned();
            name.push(".");
            name.push(container.ending());
            let output = self.output.join(name);
            if let Some(other) = jobs.iter().find(|job| same_end(&job.output, &output)) {
                let other = other.input.as_deref().unwrap_or(Path::new(""));
                return Err(Problem::new(format!(
                    "{}: both {} and {} would become this file; render one of them elsewhere",
                    output.display(),
                    other.display(),
                    input.display()
                )));
            }
            jobs.push(Job {
                input: Some(input.clone()),
                output,
                container,
                own_folder: (self.inputs.len() > 1).then(|| stem.to_string_lossy().into_owned()),
            });
        }
        Ok(jobs)
    }

    /// By the option, or else by the name; they may not contradict each other.
    fn container(&self, output: &Path) -> Result<Container, Problem> {
        let named = Container::of(output);
        let Some(asked) = self.format.map(Container::from) else {
            return Ok(named);
        };
        let says = output
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case(named.ending()));
        if says && named != asked {
            return Err(Problem::new(format!(
                "{}: its name says {} and --format {}; leave one of them out",
                output.display(),
                named.ending(),
                asked.ending()
            )));
        }
        Ok(asked)
    }

    /// The one job of a command that takes no more.
    pub fn job(&self) -> Result<Job, Problem> {
        if self.inputs.len() > 1 {
            return Err(Problem::new(format!(
                "{}: it is one INPUT too many here; only render and run take several",
                self.inputs[1].display()
            )));
        }
        let job = self.jobs()?.into_iter().next();
        job.ok_or_else(|| Problem::new("give an INPUT file"))
    }

    /// Refuses to go on without a sound, where no preset can be what sounds.
    pub fn needs_sound(&self) -> Result<(), Problem> {
        if self.inputs.is_empty() && self.silence.is_none() && self.loop_to.is_none() {
            return Err(Problem::new("give an INPUT file, or --silence SECONDS"));
        }
        Ok(())
    }

    /// The signals that stop it, and room for its bars.
    pub fn stage(&self, jobs: usize) -> Result<Stage, Problem> {
        Ok(Stage {
            stop: signals::stop_flag()?,
            bars: MultiProgress::new(),
            named: jobs > 1,
            shown: !self.quiet && io::stderr().is_terminal(),
        })
    }

    /// What to capture of a job, if anything. Nothing is written over inputs, the output and what else is to be kept.
    pub fn capture<'a>(
        &self,
        job: &Job,
        keep: impl IntoIterator<Item = &'a PathBuf>,
        tags: &Tags,
    ) -> Option<Capture> {
        let mut capture = Capture::parse(self.capture.as_deref()?);
        capture.keep = self.inputs.iter().chain([&job.output]).cloned().collect();
        capture.keep.extend(keep.into_iter().cloned());
        capture.tags = tags.clone();
        if let Some(own) = &job.own_folder {
            capture.folder.push(own);
        }
        Some(capture)
    }

    /// The folders that receive the files of the jobs, and their captures.
    pub fn folders(&self, jobs: &[Job]) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        if jobs.iter().any(|job| job.output != self.output) {
            folders.push(self.output.clone());
        }
        if let (Some(text), true) = (&self.capture, jobs.len() > 1) {
            folders.push(Capture::parse(text).folder);
        }
        folders
    }

    /// Draws what was captured, if that is asked for.
    pub fn draw(&self, report: &mut Report, capture: Option<&Capture>, stage: &Stage) {
        if let (Some(capture), true) = (capture, self.plot) {
            let warnings = capture_plot::draw(&report.captured, &capture.keep, stage);
            report.warnings.extend(warnings);
        }
    }

    /// Whether nothing is to be said.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The sound that comes in, stereo or an ambisonic bus, at the rate it is treated at. Refuses an output that is
    /// an input or one of the `other` files that are read. `own` is the length in seconds of silence where neither is
    /// named.
    pub fn open<'a>(
        &self,
        job: &Job,
        other: impl IntoIterator<Item = &'a Path>,
        own: Option<f64>,
        is_bus: bool,
    ) -> Result<Box<dyn Source>, Problem> {
        args::refuse_overwrite(&job.output, self.inputs.iter().map(PathBuf::as_path))?;
        args::refuse_overwrite(&job.output, other)?;
        if self.format.is_none() {
            args::check_ending(&job.output)?;
        }
        let Some(input) = &job.input else {
            if self.loop_to.is_some() {
                return Err(Problem::new("--loop repeats an INPUT; give one"));
            }
            let silence = self.silence(own)?;
            // Of the order that the parameter has by default.
            return Ok(Box::new(silence.wide(if is_bus { 16 } else { 1 })));
        };
        let open = {
            let input = input.clone();
            move || -> Result<Box<dyn Source>, DecodeError> {
                Ok(if is_bus {
                    Decoder::open_bus(&input)?.0
                } else {
                    Box::new(Decoder::open(&input)?)
                })
            }
        };
        let mut decoder = open()?;
        let from = decoder.rate();
        if let Some(seconds) = self.loop_to {
            if decoder.frames() == Some(0) {
                return Err(Problem::new(format!(
                    "{}: it is empty, and nothing can be looped",
                    input.display()
                )));
            }
            // Before the rate is changed: the seam is that of the file's own samples.
            let frames = (seconds.min(LONGEST_SILENCE) * f64::from(from)).round() as u64;
            decoder = Box::new(Looped::new(decoder, Box::new(open), frames));
        }
        let Some(to) = self.rate else {
            args::check_file_rate(input, from)?;
            return Ok(decoder);
        };
        resampled(decoder, to).ok_or_else(|| {
            let input = input.display();
            Problem::new(format!(
                "{input}: cannot be resampled from {from} Hz to {to} Hz"
            ))
        })
    }

    fn silence(&self, own: Option<f64>) -> Result<Silence, Problem> {
        let seconds = match (self.silence, own) {
            (Some(seconds), _) => seconds,
            (None, Some(own)) if own > 0.0 => own,
            (None, Some(_)) => {
                return Err(Problem::new(
                    "nothing is left of the preset's protocol; give --silence SECONDS, or an earlier --start",
                ));
            }
            (None, None) => {
                return Err(Problem::new(
                    "give an INPUT file, --silence SECONDS, or a --preset with a protocol",
                ));
            }
        };
        if !(0.0..=LONGEST_SILENCE).contains(&seconds) {
            return Err(Problem::new(format!(
                "--silence {seconds}: not a length from 0 to {LONGEST_SILENCE} s; \
                 the nearest valid value is {}",
                if seconds > 0.0 { LONGEST_SILENCE } else { 0.0 }
            )));
        }
        let rate = self.rate.unwrap_or(SILENCE_RATE);
        let frames = (seconds * f64::from(rate)).round() as u64;
        Ok(Silence::new(rate, frames))
    }

    /// The file that is written for `source`, with its progress bar.
    pub fn output(
        &self,
        job: &Job,
        stage: &Stage,
        source: &dyn Source,
        channels: usize,
        tags: Tags,
    ) -> Result<Output, Problem> {
        let rate = source.rate();
        let tail = (self.tail * f64::from(rate)) as u64;
        let bits = self.bits.map_or(
            match job.container {
                Container::Wav => SampleFormat::Float32,
                Container::Flac => SampleFormat::Int24,
            },
            SampleFormat::from,
        );
        let path = &job.output;
        Ok(Output {
            file: SoundFile::create(path, job.container, channels, rate, bits, tags)?,
            waiting: self
                .normalize
                .map(|goal| Waiting::create(path, goal, channels, rate))
                .transpose()?,
            stop: stage.stop.clone(),
            progress: stage.bar(path, source.frames().map(|frames| frames + tail)),
            path: path.clone(),
            rate,
            peak: 0.0,
            notes: String::new(),
            warnings: Vec::new(),
            began: Instant::now(),
        })
    }
}

/// A file that is being written. Dropped unfinished, it leaves nothing.
pub struct Output {
    file: SoundFile,
    /// Where all of it waits until its level is known.
    waiting: Option<Waiting>,
    path: PathBuf,
    rate: u32,
    /// The highest sample of what is written.
    peak: f32,
    progress: ProgressBar,
    notes: String,
    warnings: Vec<String>,
    began: Instant,
    stop: Arc<AtomicBool>,
}

/// What a finished job has to say.
#[derive(Debug, Default)]
pub struct Report {
    /// For stdout, unless it is to be quiet.
    pub said: String,
    /// For stderr.
    pub warnings: Vec<String>,
    /// The files of captured nodes.
    captured: Vec<PathBuf>,
}

impl Report {
    /// Names the file in what is warned of.
    pub fn name(&mut self, file: &str) {
        for warning in &mut self.warnings {
            if !warning.contains(file) {
                *warning = format!("{file}: {warning}");
            }
        }
    }

    /// Says it.
    pub fn tell(&self, is_quiet: bool) -> Result<(), Problem> {
        for warning in &self.warnings {
            warn(warning);
        }
        if is_quiet { Ok(()) } else { print(&self.said) }
    }
}

/// The highest sample, where it was `peak` before.
fn highest(peak: f32, channels: &[&[f32]]) -> f32 {
    let samples = channels.iter().flat_map(|channel| channel.iter());
    samples.fold(peak, |peak, sample| peak.max(sample.abs()))
}

impl Output {
    /// The error to give up with before the end, where something else says why.
    pub fn given_up(&self) -> WavError {
        self.file.interrupted()
    }

    /// Appends a block: a slice per channel.
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WavError> {
        if self.stop.load(Relaxed) {
            return Err(self.file.interrupted());
        }
        self.progress
            .inc(channels.first().map_or(0, |channel| channel.len() as u64));
        match &mut self.waiting {
            None => {
                self.peak = highest(self.peak, channels);
                self.file.write(channels)
            }
            Some(waiting) => waiting.write(channels).map_err(|error| WavError {
                path: self.path.clone(),
                problem: WavProblem::Io(error),
            }),
        }
    }

    /// Adds a line to what is said at the end.
    pub fn note(&mut self, line: String) {
        self.notes += &line;
        self.notes.push('\n');
    }

    /// Adds a line to what is warned of.
    pub fn warn(&mut self, line: String) {
        self.warnings.push(line);
    }

    /// Completes the file; what lies aside takes its names after it.
    pub fn finish(mut self, frames: u64, aside: Aside) -> Result<Report, Problem> {
        let is_normalized = self.waiting.is_some();
        if let Some(waiting) = self.waiting.take() {
            // A second way through the file, quicker than the first.
            self.progress.set_position(0);
            let (file, progress, stop) = (&mut self.file, &self.progress, &self.stop);
            let peak = &mut self.peak;
            let said = waiting.release(|channels| {
                if stop.load(Relaxed) {
                    return Err(file.interrupted());
                }
                progress.inc(channels.first().map_or(0, |channel| channel.len() as u64));
                *peak = highest(*peak, channels);
                file.write(channels)
            })?;
            self.note(said);
        }
        self.progress.finish_and_clear();
        let clipped = self.file.clipped();
        self.file.finish()?;
        let captured = aside.finish()?;
        if clipped > 0 {
            // What is brought to a level is so after the engine: no parameter helps.
            let advice = if is_normalized {
                "ask --normalize for less, for example -1dBTP, or give --bits 32f"
            } else {
                "lower out_gain, switch the ceiling on, or give --bits 32f"
            };
            self.warnings.push(format!(
                "{}: {clipped} samples were beyond full scale and were cut off; {advice}",
                self.path.display()
            ));
        }
        if self.peak > FAR_ABOVE && clipped == 0 {
            self.warnings.push(format!(
                "{}: the file is far above full scale (its peak is {:+.0} dBFS); do not listen to it as it is: find what \
                 amplifies or feeds back, or give --normalize -1dBFS",
                self.path.display(),
                20.0 * self.peak.log10()
            ));
        }
        let seconds = frames as f64 / f64::from(self.rate);
        Ok(Report {
            said: format!(
                "{}: {seconds:.3} s at {} Hz, rendered at {:.0} times real time\n{}",
                self.path.display(),
                self.rate,
                seconds / self.began.elapsed().as_secs_f64().max(1e-9),
                self.notes
            ),
            warnings: self.warnings,
            captured,
        })
    }
}
