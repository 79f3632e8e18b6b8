//! What `render` and `run` share: where the sound comes from and where it goes.

use crate::args::{self, Problem};
use crate::{print, signals};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;
use zeitgeber::offline::{
    BlockSize, Capture, Decoder, SampleFormat, Silence, Source, WavError, WavWriter, resampled,
};

/// Rate of silence where none is asked for, in hertz.
const SILENCE_RATE: u32 = 48_000;

/// The longest silence, in seconds: beyond, it is a slip of the finger.
const LONGEST_SILENCE: f64 = 1e9;

/// Sound in, sound out, and how it is cut.
#[derive(clap::Args)]
pub struct Material {
    /// The audio to treat: WAV, RF64, FLAC, OGG Vorbis or MP3, mono or stereo
    input: Option<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// Silence of this length in place of INPUT
    #[arg(
        long,
        value_name = "SECONDS",
        conflicts_with = "input",
        allow_hyphen_values = true,
        value_parser = args::number
    )]
    silence: Option<f64>,
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
    /// Go on after the end of the input
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0.0,
        allow_hyphen_values = true,
        value_parser = args::number
    )]
    pub tail: f64,
    /// Also write what each node puts out to DIR/NODE.wav: all nodes, or those named
    #[arg(long, value_name = "DIR[:NODE,...]")]
    capture: Option<String>,
    /// How samples are written: 32-bit floats as they are, or integers with triangular dither, the same in every
    /// render
    #[arg(long, value_enum, default_value_t = Bits::Float32)]
    bits: Bits,
    /// No progress bar and no summary
    #[arg(long, short)]
    quiet: bool,
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

impl Material {
    /// What to capture, if anything.
    pub fn capture(&self) -> Option<Capture> {
        self.capture.as_deref().map(|text| Capture {
            keep: self.input.iter().chain([&self.output]).cloned().collect(),
            ..Capture::parse(text)
        })
    }

    /// The file that is read, if it is one.
    pub fn input(&self) -> Option<&Path> {
        self.input.as_deref()
    }

    /// Whether a file is the one that is written.
    pub fn is_output(&self, file: &Path) -> bool {
        self.output == file
    }

    /// The sound that comes in, stereo or an ambisonic bus, at the rate it is treated at. Refuses an output that is
    /// the input or one of the `other` files that are read. `own` is the length in seconds of silence where neither is
    /// named.
    pub fn open<'a>(
        &self,
        other: impl IntoIterator<Item = &'a Path>,
        own: Option<f64>,
        is_bus: bool,
    ) -> Result<Box<dyn Source>, Problem> {
        args::refuse_overwrite(&self.output, self.input.as_deref())?;
        args::refuse_overwrite(&self.output, other)?;
        let Some(input) = &self.input else {
            let silence = self.silence(own)?;
            // Of the order that the parameter has by default.
            return Ok(Box::new(silence.wide(if is_bus { 16 } else { 1 })));
        };
        let decoder: Box<dyn Source> = if is_bus {
            Decoder::open_bus(input)?.0
        } else {
            Box::new(Decoder::open(input)?)
        };
        let from = decoder.rate();
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
    pub fn output(&self, source: &dyn Source, channels: usize) -> Result<Output, Problem> {
        let rate = source.rate();
        let tail = (self.tail * f64::from(rate)) as u64;
        Ok(Output {
            stop: signals::stop_flag()?,
            wav: WavWriter::create_as(&self.output, channels, rate, self.bits.into())?,
            path: self.output.clone(),
            rate,
            progress: progress(self.quiet, source.frames().map(|frames| frames + tail)),
            quiet: self.quiet,
            notes: String::new(),
            began: Instant::now(),
        })
    }
}

/// A file that is being written. Dropped unfinished, it leaves nothing.
pub struct Output {
    wav: WavWriter,
    path: PathBuf,
    rate: u32,
    progress: ProgressBar,
    quiet: bool,
    notes: String,
    began: Instant,
    stop: Arc<AtomicBool>,
}

impl Output {
    /// Appends a block: a slice per channel.
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WavError> {
        if self.stop.load(Relaxed) {
            return Err(self.wav.interrupted());
        }
        self.progress
            .inc(channels.first().map_or(0, |channel| channel.len() as u64));
        self.wav.write(channels)
    }

    /// Adds a line to what is said at the end.
    pub fn note(&mut self, line: String) {
        self.notes += &line;
        self.notes.push('\n');
    }

    /// Completes the file and says so, unless it is to be quiet.
    pub fn finish(self, frames: u64) -> Result<(), Problem> {
        self.progress.finish_and_clear();
        let clipped = self.wav.clipped();
        self.wav.finish()?;
        if clipped > 0 {
            eprintln!(
                "zeitgeber: warning: {}: {clipped} samples were beyond full scale and were cut off; lower out_gain, switch \
                 the ceiling on, or give --bits 32f",
                self.path.display()
            );
        }
        if self.quiet {
            return Ok(());
        }
        let seconds = frames as f64 / f64::from(self.rate);
        print(&format!(
            "{}: {seconds:.3} s at {} Hz, rendered at {:.0} times real time\n{}",
            self.path.display(),
            self.rate,
            seconds / self.began.elapsed().as_secs_f64().max(1e-9),
            self.notes
        ))
    }
}

/// A progress bar on a terminal; elsewhere and when quiet, nothing.
fn progress(quiet: bool, frames: Option<u64>) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match frames {
        Some(frames) => (
            ProgressBar::new(frames),
            "{elapsed_precise} {wide_bar} {percent} % {eta_precise}",
        ),
        None => (ProgressBar::new_spinner(), "{elapsed_precise} {spinner}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
