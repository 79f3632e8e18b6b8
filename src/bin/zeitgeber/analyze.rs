//! `zeitgeber analyze`: what sounds in a file, at which beat, and what has been done to it.

use crate::args::Problem;
use crate::treatments;
use crate::{print, print_json};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zeitgeber::analysis::beat::{Beat, beats};
use zeitgeber::analysis::loudness::{Loudness, LoudnessMeter};
use zeitgeber::analysis::tones::{Spectrum, Tone, Tracker, decimals};
use zeitgeber::analysis::treatment::{Listener, Treatments};
use zeitgeber::offline::{Decoder, Source};

/// How many tones of each ear are told.
const TONES: usize = 5;

/// Frames read at a time.
const CHUNK: usize = 16_384;

/// Measure a file: the strongest tones of each ear, the beat between them, program treatments, peaks and
/// loudness
#[derive(clap::Args)]
pub struct Args {
    /// WAV, RF64, FLAC, OGG Vorbis or MP3, mono or stereo
    file: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints. A level of nothing at all is null.
#[derive(Serialize)]
struct Report {
    /// The file as it was named.
    file: String,
    /// Hertz.
    rate: u32,
    /// 1 or 2.
    channels: usize,
    /// Frames.
    frames: u64,
    /// Length.
    seconds: f64,
    /// "left" and "right", or "mono".
    ears: Vec<Ear>,
    /// The strongest beat between the ears, right minus left; null where no tones pair up.
    beat_hz: Option<f64>,
    /// One standard deviation of it.
    beat_uncertainty_hz: Option<f64>,
    /// All beats between the ears, that of the loudest tones first.
    beats: Vec<EarBeat>,
    /// What has been done to music or speech at a beat.
    treatments: treatments::Report,
    /// Highest sample of all channels.
    peak_dbfs: Option<f64>,
    /// Highest true peak of all channels.
    true_peak_dbtp: Option<f64>,
    /// Integrated loudness; null for silence and what is shorter than 0.4 s.
    loudness_lufs: Option<f64>,
}

/// One channel.
#[derive(Serialize)]
struct Ear {
    ear: &'static str,
    /// At most five, strongest first.
    tones: Vec<EarTone>,
    peak_dbfs: Option<f64>,
    true_peak_dbtp: Option<f64>,
}

/// One tone of one ear.
#[derive(Serialize)]
struct EarTone {
    hz: f64,
    /// One standard deviation.
    uncertainty_hz: f64,
    /// Peak level while it is steady.
    dbfs: f64,
    /// Phase of the cosine at the first frame, -180 to 180.
    phase_degrees: f64,
}

/// One pair of tones.
#[derive(Serialize)]
struct EarBeat {
    /// Right minus left.
    hz: f64,
    /// One standard deviation.
    uncertainty_hz: f64,
    left_hz: f64,
    right_hz: f64,
}

impl Args {
    /// Measures and prints.
    pub fn run(self) -> Result<(), Problem> {
        let report = measure(&self.file)?;
        if self.json {
            print_json(&report)
        } else {
            print(&report.text())
        }
    }
}

/// Hands every chunk of a file to `each`: a slice per channel. Returns rate and channels.
fn stream(path: &Path, mut each: impl FnMut(u32, &[&[f32]])) -> Result<(u32, usize), Problem> {
    let mut decoder = Decoder::open(path)?;
    let (rate, channels) = (decoder.rate(), decoder.channels());
    let (mut left, mut right) = (vec![0.0; CHUNK], vec![0.0; CHUNK]);
    loop {
        let count = decoder.read(&mut [&mut left[..], &mut right[..]])?;
        each(rate, &[&left[..count], &right[..count]][..channels]);
        if count < CHUNK {
            return Ok((rate, channels));
        }
    }
}

fn measure(path: &Path) -> Result<Report, Problem> {
    // The rate is known only once the file is open, so the first chunk makes the meters.
    let mut meters: Option<(LoudnessMeter, Vec<Spectrum>, Listener)> = None;
    let mut refused = None;
    let (rate, channels) = stream(path, |rate, chunk| {
        if meters.is_none() && refused.is_none() {
            match LoudnessMeter::new(chunk.len(), rate) {
                Ok(meter) => {
                    let spectra = chunk
                        .iter()
                        .map(|_| Spectrum::new(f64::from(rate)))
                        .collect();
                    let listener = Listener::new(chunk.len(), f64::from(rate));
                    meters = Some((meter, spectra, listener));
                }
                Err(error) => refused = Some(error),
            }
        }
        if let Some((meter, spectra, listener)) = &mut meters {
            meter.push(chunk);
            listener.push(chunk);
            spectra
                .iter_mut()
                .zip(chunk)
                .for_each(|(spectrum, ear)| spectrum.push(ear));
        }
    })?;
    if let Some(error) = refused {
        return Err(Problem::new(format!("{}: {error}", path.display())));
    }
    let (loudness, spectra, treatments) = meters
        .map(|(meter, spectra, listener)| (meter.measure(), spectra, listener.find()))
        .unwrap_or_else(|| {
            let nothing = Loudness {
                integrated: None,
                sample_peak: Vec::new(),
                true_peak: Vec::new(),
            };
            (nothing, Vec::new(), Treatments::default())
        });
    let frames = spectra.first().map_or(0, Spectrum::frames);
    let mut trackers: Vec<Tracker> = spectra
        .into_iter()
        .map(|mut spectrum| Tracker::new(f64::from(rate), frames, &spectrum.peaks(TONES)))
        .collect();
    stream(path, |_, chunk| {
        trackers
            .iter_mut()
            .zip(chunk)
            .for_each(|(tracker, ear)| tracker.push(ear));
    })?;
    let tones: Vec<Vec<Tone>> = trackers.iter().map(Tracker::tones).collect();
    let beats = if let [left, right] = &tones[..] {
        beats(left, right)
    } else {
        Vec::new()
    };
    let names: &[&str] = if channels == 1 {
        &["mono"]
    } else {
        &["left", "right"]
    };
    let highest = |levels: &[f64]| finite(levels.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let level = |levels: &[f64], ear: usize| levels.get(ear).copied().and_then(finite);
    let ears = names
        .iter()
        .zip(&tones)
        .enumerate()
        .map(|(n, (&ear, tones))| Ear {
            ear,
            tones: tones.iter().map(EarTone::from).collect(),
            peak_dbfs: level(&loudness.sample_peak, n),
            true_peak_dbtp: level(&loudness.true_peak, n),
        });
    Ok(Report {
        file: path.display().to_string(),
        rate,
        channels,
        frames,
        seconds: frames as f64 / f64::from(rate),
        ears: ears.collect(),
        beat_hz: beats.first().map(|beat| beat.frequency),
        beat_uncertainty_hz: beats.first().map(|beat| beat.uncertainty),
        beats: beats.iter().map(EarBeat::from).collect(),
        treatments: treatments.into(),
        peak_dbfs: highest(&loudness.sample_peak),
        true_peak_dbtp: highest(&loudness.true_peak),
        loudness_lufs: loudness.integrated,
    })
}

/// JSON has no infinity.
fn finite(level: f64) -> Option<f64> {
    level.is_finite().then_some(level)
}

impl From<&Tone> for EarTone {
    fn from(tone: &Tone) -> EarTone {
        EarTone {
            hz: tone.frequency,
            uncertainty_hz: tone.uncertainty,
            dbfs: tone.level(),
            phase_degrees: tone.phase.to_degrees(),
        }
    }
}

impl From<&Beat> for EarBeat {
    fn from(beat: &Beat) -> EarBeat {
        EarBeat {
            hz: beat.frequency,
            uncertainty_hz: beat.uncertainty,
            left_hz: beat.left.frequency,
            right_hz: beat.right.frequency,
        }
    }
}

impl Report {
    /// The report for reading: frequencies with the decimals that the length allows.
    fn text(&self) -> String {
        let hertz = |hz: f64, uncertainty: f64| {
            let decimals = decimals(uncertainty);
            // Six decimals after the point, or the blanks in their place.
            format!(
                "{hz:>w$.decimals$} Hz{:pad$}",
                "",
                w = 6 + decimals,
                pad = 6 - decimals
            )
        };
        let db = |level: Option<f64>| level.map_or("silent".to_owned(), |db| format!("{db:.2} dB"));
        let channels = if self.channels == 1 { "mono" } else { "stereo" };
        let mut text = format!(
            "{}: {channels}, {} Hz, {:.3} s\n",
            self.file, self.rate, self.seconds
        );
        for ear in &self.ears {
            if ear.tones.is_empty() {
                text += &format!("{:10}no steady tone\n", ear.ear);
            }
            for tone in &ear.tones {
                let hz = hertz(tone.hz, tone.uncertainty_hz);
                text += &format!("{:10}{hz} {:8.2} dBFS\n", ear.ear, tone.dbfs);
            }
        }
        for beat in &self.beats {
            let hz = hertz(beat.hz, beat.uncertainty_hz);
            text += &format!(
                "{:10}{hz} between {:.3} Hz left and {:.3} Hz right\n",
                "beat", beat.left_hz, beat.right_hz
            );
        }
        text += &self.treatments.text(hertz);
        for ear in &self.ears {
            text += &format!(
                "{:10}{}: sample {} FS, true {} TP\n",
                "peak",
                ear.ear,
                db(ear.peak_dbfs),
                db(ear.true_peak_dbtp)
            )
            .replace("silent FS", "silent")
            .replace("silent TP", "silent")
            .replace("dB FS", "dBFS")
            .replace("dB TP", "dBTP");
        }
        let loudness = self
            .loudness_lufs
            .map_or("none".to_owned(), |lufs| format!("{lufs:.2} LUFS"));
        text + &format!("{:10}{loudness}\n", "loudness")
    }
}
