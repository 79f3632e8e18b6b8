//! `zeitgeber analyze`: what sounds in a file, at which beat, and what has been done to it.

mod courses;
mod plot;

use crate::args::{self, Problem};
use crate::treatments;
use crate::{print, print_json};
use courses::{EarCourse, Window};
use plot::Picture;
use serde::Serialize;
use std::path::{Path, PathBuf};
use zeitgeber::analysis::ears::{Compared, Comparison};
use zeitgeber::analysis::entrainment::{Confidence, Course, Kind, Watch, courses as courses_of};
use zeitgeber::analysis::jumps::Jumps;
use zeitgeber::analysis::loudness::{Loudness, LoudnessMeter};
use zeitgeber::analysis::together;
use zeitgeber::analysis::tones::{Spectrum, Tone, Tracker, decimals};
use zeitgeber::analysis::treatment::{Listener, Treatments};
use zeitgeber::offline::{Decoder, Source};

/// How many tones of each ear are told.
const TONES: usize = 5;

/// Frames read at a time.
const CHUNK: usize = 16_384;

/// The version of what `--json` prints: it grows when a key changes its meaning or goes.
const VERSION: u32 = 2;

/// Windows of the beat over time, in seconds: shortest and longest, and what is taken where nothing is said.
const WINDOWS: (f64, f64) = (1.0, 600.0);
const EVERY: f64 = 10.0;

/// Measure a file: the tones of each ear, the beats of every kind and where they go, program treatments,
/// what the ears are to each other, clicks, peaks and loudness
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber analyze out.wav\n  \
    zeitgeber analyze out.opus --plot out.png\n  \
    zeitgeber analyze descent.wav --every 30 --json\n\n\
    docs/guide.md tells what each line means and how it is found.")]
pub struct Args {
    /// WAV, RF64, FLAC, OGG Vorbis, Opus or MP3, mono or stereo
    file: PathBuf,
    /// As JSON, after docs/analysis.schema.json
    #[arg(long)]
    json: bool,
    /// Draw spectra, beat over time, envelope and inter-ear phase
    #[arg(long, value_name = "OUT.png")]
    plot: Option<PathBuf>,
    /// Length of the windows in which beats are followed: longer ones tell slower beats apart, shorter ones
    /// follow faster
    #[arg(
        long,
        value_name = "LENGTH",
        default_value_t = EVERY,
        allow_hyphen_values = true,
        value_parser = args::length_or_none
    )]
    every: f64,
}

/// What `--json` prints. A level of nothing at all is null.
#[derive(Serialize)]
struct Report {
    /// Version of this report.
    zeitgeber_analysis: u32,
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
    /// What beats, of tones: that which is loud for long first.
    entrainment: Vec<EarCourse>,
    /// The beats window by window.
    over_time: Vec<Window>,
    /// The first beat of "entrainment", of whatever kind; null where there is none, or where it moves: then its
    /// "points" say where it goes.
    beat_hz: Option<f64>,
    /// One standard deviation of it.
    beat_uncertainty_hz: Option<f64>,
    /// All beats of "entrainment" that stay where they are, are sure and no harmonics, in that order.
    beats: Vec<EarBeat>,
    /// What has been done to music or speech at a beat.
    treatments: treatments::Report,
    /// What the ears are to each other; null for mono.
    between_ears: Option<Between>,
    /// Where the sound jumps.
    clicks: Clicks,
    /// Highest sample of all channels.
    peak_dbfs: Option<f64>,
    /// Highest true peak of all channels.
    true_peak_dbtp: Option<f64>,
    /// Integrated loudness; null for silence and what is shorter than 0.4 s.
    loudness_lufs: Option<f64>,
}

/// The ears, compared. Null where an ear is silent or the file is too short.
#[derive(Serialize)]
struct Between {
    /// 1 the same, 0 nothing in common, -1 opposite.
    correlation: Option<f64>,
    /// 0-1, frequency by frequency, whatever the phase.
    coherence: Option<f64>,
    /// What a fold to mono loses of the power; null where it loses everything.
    mono_fold_loss_db: Option<f64>,
    /// Whether a fold to mono loses everything.
    folds_to_silence: bool,
}

/// Clicks.
#[derive(Serialize)]
struct Clicks {
    count: u64,
    /// At most a hundred.
    seconds: Vec<f64>,
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

/// A beat that stays where it is.
#[derive(Serialize)]
struct EarBeat {
    /// "binaural", "monaural", "isochronic" or "bilateral".
    kind: &'static str,
    /// Of a binaural beat right minus left.
    hz: f64,
    /// One standard deviation.
    uncertainty_hz: f64,
    /// The carriers, which differ for binaural beats only.
    left_hz: f64,
    right_hz: f64,
}

impl Args {
    /// Measures and prints.
    pub fn run(self) -> Result<(), Problem> {
        let (least, most) = WINDOWS;
        if !(least..=most).contains(&self.every) {
            return Err(Problem::new(format!(
                "--every {}: not a length from {least} to {most} s; the nearest valid value is {}",
                self.every,
                if self.every > most { most } else { least }
            )));
        }
        if let Some(path) = &self.plot {
            plot::check(path)?;
            args::refuse_overwrite(path, [self.file.as_path()])?;
        }
        let (report, picture) = measure(&self.file, self.every, self.plot.is_some())?;
        if let (Some(path), Some(picture)) = (&self.plot, picture) {
            picture.draw(path, &report.entrainment)?;
        }
        if self.json {
            print_json(&report)
        } else {
            print(&report.text())
        }
    }
}

/// Draws a file as `--plot` does.
pub fn draw(file: &Path, picture: &Path) -> Result<(), Problem> {
    plot::check(picture)?;
    match measure(file, EVERY, true)? {
        (report, Some(drawing)) => drawing.draw(picture, &report.entrainment),
        _ => Ok(()),
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

/// Everything that listens to a stream for the first time.
struct Meters {
    loudness: LoudnessMeter,
    spectra: Vec<Spectrum>,
    listener: Listener,
    watch: Watch,
    comparison: Option<Comparison>,
    jumps: Vec<Jumps>,
    picture: Option<Picture>,
}

impl Meters {
    fn new(channels: usize, rate: u32, every: f64, is_drawn: bool) -> Result<Meters, Problem> {
        let hertz = f64::from(rate);
        Ok(Meters {
            loudness: LoudnessMeter::new(channels, rate)?,
            spectra: (0..channels).map(|_| Spectrum::new(hertz)).collect(),
            listener: Listener::new(channels, hertz),
            watch: Watch::new(channels, hertz, every),
            comparison: (channels == 2).then(Comparison::default),
            jumps: (0..channels).map(|_| Jumps::new(hertz)).collect(),
            picture: is_drawn.then(|| Picture::new(channels, hertz)),
        })
    }

    fn push(&mut self, chunk: &[&[f32]]) {
        self.loudness.push(chunk);
        self.listener.push(chunk);
        self.watch.push(chunk);
        for (n, ear) in chunk.iter().enumerate() {
            self.spectra[n].push(ear);
            self.jumps[n].push(ear);
        }
        if let (Some(comparison), [left, right]) = (&mut self.comparison, chunk) {
            comparison.push(left, right);
        }
        if let Some(picture) = &mut self.picture {
            picture.push(chunk);
        }
    }
}

/// The clicks of both ears, each once.
fn clicks(jumps: Vec<Jumps>, rate: u32) -> Clicks {
    let found: Vec<(u64, Vec<u64>)> = jumps.into_iter().map(Jumps::finish).collect();
    let mut places: Vec<u64> = found
        .iter()
        .flat_map(|(_, places)| places.clone())
        .collect();
    places.sort_unstable();
    let together = u64::from(rate / 200);
    places.dedup_by(|next, last| *next - *last < together);
    // Beyond those that are kept, the ear that has more.
    let most = found.iter().map(|(count, _)| *count).max().unwrap_or(0);
    places.truncate(100);
    Clicks {
        count: most.max(places.len() as u64),
        seconds: places
            .iter()
            .map(|frame| *frame as f64 / f64::from(rate))
            .collect(),
    }
}

fn measure(path: &Path, every: f64, is_drawn: bool) -> Result<(Report, Option<Picture>), Problem> {
    // The rate is known only once the file is open, so the first chunk makes the meters.
    let mut meters: Option<Result<Meters, Problem>> = None;
    let (rate, channels) = stream(path, |rate, chunk| {
        let made = meters.get_or_insert_with(|| Meters::new(chunk.len(), rate, every, is_drawn));
        if let Ok(meters) = made {
            meters.push(chunk);
        }
    })?;
    let meters = meters.unwrap_or_else(|| Meters::new(channels, rate, every, is_drawn));
    let meters =
        meters.map_err(|problem| Problem::new(format!("{}: {problem}", path.display())))?;
    let Meters {
        loudness,
        spectra,
        listener,
        watch,
        comparison,
        jumps,
        mut picture,
    } = meters;
    let (loudness, mut treatments): (Loudness, Treatments) = (loudness.measure(), listener.find());
    let moments = watch.finish();
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
    let mut found = courses_of(&moments);
    refine(&mut found, &tones);
    together::join(&mut found, &mut treatments);
    let is_sure = |course: &&Course| {
        course.harmonic == 1 && course.part_of.is_none() && course.confidence() > Confidence::Low
    };
    let stays = |course: &&Course| !course.is_moving;
    let first = found.iter().find(is_sure).filter(stays);
    if let Some(picture) = &mut picture {
        picture.about(path, &found);
    }
    let report = Report {
        zeitgeber_analysis: VERSION,
        entrainment: found.iter().map(EarCourse::from).collect(),
        over_time: moments.iter().map(Window::from).collect(),
        between_ears: comparison.map(|comparison| Between::from(comparison.measure())),
        clicks: clicks(jumps, rate),
        file: path.display().to_string(),
        rate,
        channels,
        frames,
        seconds: frames as f64 / f64::from(rate),
        ears: ears.collect(),
        beat_hz: first.map(|course| course.beat.frequency),
        beat_uncertainty_hz: first.map(|course| course.beat.uncertainty),
        beats: found
            .iter()
            .filter(is_sure)
            .filter(stays)
            .map(EarBeat::from)
            .collect(),
        treatments: treatments.into(),
        peak_dbfs: highest(&loudness.sample_peak),
        true_peak_dbtp: highest(&loudness.true_peak),
        loudness_lufs: loudness.integrated,
    };
    Ok((report, picture))
}

/// Where whole tones are steady, their difference is known better than from windows.
fn refine(courses: &mut [Course], tones: &[Vec<Tone>]) {
    for course in courses.iter_mut().filter(|course| !course.is_moving) {
        let beat = &mut course.beat;
        let near = |ear: usize, hertz: f64| {
            let tones = tones.get(ear)?.iter();
            tones
                .min_by(|a, b| {
                    let apart = |tone: &Tone| (tone.frequency - hertz).abs();
                    apart(a).total_cmp(&apart(b))
                })
                .filter(|tone| (tone.frequency - hertz).abs() < 5e-3)
        };
        let half = 0.5 * beat.frequency;
        let pairs = match beat.kind {
            Kind::Binaural => vec![(near(0, beat.carriers[0]), near(1, beat.carriers[1]))],
            Kind::Monaural => [0, 1]
                .map(|ear| {
                    (
                        near(ear, beat.carrier() - half),
                        near(ear, beat.carrier() + half),
                    )
                })
                .to_vec(),
            Kind::Isochronic | Kind::Bilateral => Vec::new(),
        };
        for pair in pairs {
            if let (Some(low), Some(high)) = pair {
                let uncertainty = low.uncertainty.hypot(high.uncertainty);
                if uncertainty < beat.uncertainty {
                    beat.frequency = high.frequency - low.frequency;
                    beat.uncertainty = uncertainty;
                }
            }
        }
    }
}

/// JSON has no infinity.
fn finite(level: f64) -> Option<f64> {
    level.is_finite().then_some(level)
}

impl From<Compared> for Between {
    fn from(found: Compared) -> Between {
        Between {
            correlation: found.correlation,
            coherence: found.coherence,
            mono_fold_loss_db: found.fold_loss.and_then(finite),
            folds_to_silence: found.fold_loss == Some(f64::INFINITY),
        }
    }
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

impl From<&Course> for EarBeat {
    fn from(course: &Course) -> EarBeat {
        let beat = &course.beat;
        EarBeat {
            kind: beat.kind.name(),
            hz: beat.frequency,
            uncertainty_hz: beat.uncertainty,
            left_hz: beat.carriers[0],
            right_hz: beat.carriers[1],
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
        text += &courses::text(&self.entrainment, hertz);
        text += &courses::table(&self.entrainment);
        let treatments = self.treatments.text(hertz);
        if self.entrainment.is_empty() && treatments.is_empty() {
            text += &courses::nothing(self.over_time.first().map(|window| window.seconds));
        }
        text += &treatments;
        if let Some(between) = &self.between_ears {
            text += &between.text();
        }
        text += &self.clicks.text();
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

impl Between {
    fn text(&self) -> String {
        let Some(correlation) = self.correlation else {
            return format!("{:10}an ear is silent\n", "ears");
        };
        let coherence = self
            .coherence
            .map_or("not told (too short)".to_owned(), |value| {
                format!("{value:.2}")
            });
        let fold = match self.mono_fold_loss_db {
            Some(db) => format!("a fold to mono loses {:.1} dB", db.max(0.0)),
            None => "a fold to mono is silent".to_owned(),
        };
        format!(
            "{:10}correlation {correlation:.2}, coherence {coherence}; {fold}\n",
            "ears"
        )
    }
}

impl Clicks {
    fn text(&self) -> String {
        if self.count == 0 {
            return format!("{:10}none\n", "clicks");
        }
        let places: Vec<String> = self
            .seconds
            .iter()
            .take(5)
            .map(|seconds| format!("{seconds:.3}"))
            .collect();
        let more = if self.count > 5 { ", ..." } else { "" };
        format!(
            "{:10}{} at {}{more} s\n",
            "clicks",
            self.count,
            places.join(", ")
        )
    }
}
