//! `zeitgeber render`: a file, or silence, through the engine into a WAV file.

use crate::args::{self, Problem};
use crate::{print, signals};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;
use zeitgeber::engine::ControlId;
use zeitgeber::offline::{
    BlockSize, Capture, Decoder, Lane, Preset, RenderOptions, Silence, Source, WavWriter, render,
    resampled,
};

/// Rate of silence where none is asked for, in hertz.
const SILENCE_RATE: u32 = 48_000;

/// The longest silence, in seconds: beyond, it is a slip of the finger.
const LONGEST_SILENCE: f64 = 1e9;

/// Render a file, or silence, through the engine into a 32-bit float WAV file (RF64 beyond 4 GiB)
#[derive(clap::Args)]
#[command(
    after_help = "Parameters: the values of --preset come first, --set wins over them, and \
    --automate over both. `zeitgeber params` lists the ids."
)]
pub struct Args {
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
        allow_hyphen_values = true, value_parser = args::number
    )]
    silence: Option<f64>,
    /// A preset file: JSON with an object "params" of ids and values
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<PathBuf>,
    /// Set a parameter, in its unit, by enum name, or on/off; may be repeated
    #[arg(long, value_name = "ID=VALUE")]
    set: Vec<String>,
    /// Automate a parameter by rows of seconds,value[,step|linear]; the word says how the value
    /// travels to its row; may be repeated
    #[arg(long, value_name = "ID=FILE.csv")]
    automate: Vec<String>,
    /// Frames per block; the sound does not depend on it
    #[arg(
        long,
        value_name = "FRAMES|random:SEED",
        default_value = "512",
        allow_hyphen_values = true
    )]
    block: BlockSize,
    /// Sample rate; that of the input where it is not given, 48000 for silence
    #[arg(long, value_name = "HZ", value_parser = args::rate, allow_hyphen_values = true)]
    rate: Option<u32>,
    /// Go on after the end of the input
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0.0,
        allow_hyphen_values = true, value_parser = args::number
    )]
    tail: f64,
    /// Tempo of the transport
    #[arg(long, value_name = "BPM", allow_hyphen_values = true, value_parser = args::number)]
    bpm: Option<f64>,
    /// Song position at which the file begins
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0.0,
        allow_hyphen_values = true, value_parser = args::number
    )]
    start: f64,
    /// Also write what each node puts out to DIR/NODE.wav: all nodes, or those named
    #[arg(long, value_name = "DIR[:NODE,...]")]
    capture: Option<String>,
    /// Say nothing but errors
    #[arg(long, short)]
    quiet: bool,
}

impl Args {
    /// Renders.
    pub fn run(self) -> Result<(), Problem> {
        let began = Instant::now();
        let preset = self.preset.as_deref().map(read_preset).transpose()?;
        let (mut settings, warnings) = preset.map_or_else(Default::default, |preset| {
            (preset.settings, preset.warnings)
        });
        for warning in warnings {
            eprintln!("zeitgeber: warning: {warning}");
        }
        settings.extend(args::settings(&self.set)?);
        let automations = automations(&self.automate)?;
        let options = RenderOptions {
            settings,
            lanes: automations
                .iter()
                .map(|(control, path)| Lane::read(*control, path))
                .collect::<Result<_, _>>()?,
            block: self.block,
            tail: self.tail,
            start: self.start,
            bpm: self.bpm,
            capture: self.capture.as_deref().map(Capture::parse),
        };
        options.check()?;
        let read = self.input.iter().chain(&self.preset).map(PathBuf::as_path);
        let read = read.chain(automations.iter().map(|(_, path)| path.as_path()));
        args::refuse_overwrite(&self.output, read)?;
        let mut source = self.source()?;
        let rate = source.rate();
        let mut wav = WavWriter::create(&self.output, 2, rate)?;
        let tail = (self.tail * f64::from(rate)) as u64;
        let progress = progress(self.quiet, source.frames().map(|frames| frames + tail));
        let stop = signals::stop_flag()?;
        let done = render(source.as_mut(), &options, |left, right| {
            progress.inc(left.len() as u64);
            if stop.load(Relaxed) {
                Err(wav.interrupted())
            } else {
                wav.write(&[left, right])
            }
        });
        progress.finish_and_clear();
        let frames = done?;
        wav.finish()?;
        if self.quiet {
            return Ok(());
        }
        let seconds = frames as f64 / f64::from(rate);
        print(&format!(
            "{}: {seconds:.3} s at {rate} Hz, rendered at {:.0} times real time\n",
            self.output.display(),
            seconds / began.elapsed().as_secs_f64().max(1e-9)
        ))
    }

    /// What is rendered, at the rate it is rendered at.
    fn source(&self) -> Result<Box<dyn Source>, Problem> {
        let Some(input) = &self.input else {
            let seconds = self
                .silence
                .ok_or_else(|| Problem::new("give an INPUT file, or --silence SECONDS"))?;
            if !(0.0..=LONGEST_SILENCE).contains(&seconds) {
                return Err(Problem::new(format!(
                    "--silence {seconds}: not a length from 0 to {LONGEST_SILENCE} s; \
                     the nearest valid value is {}",
                    if seconds > 0.0 { LONGEST_SILENCE } else { 0.0 }
                )));
            }
            let rate = self.rate.unwrap_or(SILENCE_RATE);
            let frames = (seconds * f64::from(rate)).round() as u64;
            return Ok(Box::new(Silence::new(rate, frames)));
        };
        open(input, self.rate)
    }
}

/// Opens an audio file at its own rate, or at the one that is asked for.
pub fn open(input: &Path, rate: Option<u32>) -> Result<Box<dyn Source>, Problem> {
    let decoder = Decoder::open(input)?;
    let from = decoder.rate();
    let Some(to) = rate else {
        args::check_file_rate(input, from)?;
        return Ok(Box::new(decoder));
    };
    resampled(Box::new(decoder), to).ok_or_else(|| {
        let input = input.display();
        Problem::new(format!(
            "{input}: cannot be resampled from {from} Hz to {to} Hz"
        ))
    })
}

/// A progress bar on a terminal; elsewhere and when quiet, nothing.
pub fn progress(quiet: bool, frames: Option<u64>) -> ProgressBar {
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

/// Reads every `--automate ID=FILE.csv` up to the file's name.
fn automations(texts: &[String]) -> Result<Vec<(ControlId, PathBuf)>, Problem> {
    texts
        .iter()
        .map(|text| {
            let (id, file) = args::assignment(text, "--automate", "ID=FILE.csv")?;
            Ok((ControlId::parse(id)?, PathBuf::from(file)))
        })
        .collect()
}

/// Reads a preset by the name of its file.
fn read_preset(path: &Path) -> Result<Preset, Problem> {
    if !path.exists() {
        return Err(Problem::new(format!(
            "--preset {}: there is no such file, and presets by name come in a later version",
            path.display()
        )));
    }
    Ok(Preset::read(path)?)
}
