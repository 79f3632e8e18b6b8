//! Levels that go up and down regularly: a tremolo, a filter that sweeps, or a rhythm of its own.

use super::bands::{Band, Bands};
use super::lines::{Line, Series, lines, summit};
use super::shape::{Shape, shape};
use super::sides::Bilateral;
use super::sweep::{self, Travel};
use super::{HIGHEST, LEAST, Rate, lowest};
use crate::analysis::tones::Spectrum;
use realfft::num_complex::Complex;

/// A tremolo: the same gain in all bands of its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amplitude {
    /// Of one cycle.
    pub rate: Rate,
    /// 0-1: the gain runs between 1 and 1 - depth.
    pub depth: f64,
    /// Its course.
    pub shape: Shape,
    /// Edges in hertz of the lowest and highest band that takes part.
    pub range: (f64, f64),
}

/// A low-pass whose cut-off runs up and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    /// Of one cycle.
    pub rate: Rate,
    /// Lowest and highest cut-off in hertz, to about half an octave.
    pub range: (f64, f64),
}

/// A regular pulsation that is no treatment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulsation {
    /// Of one cycle.
    pub rate: Rate,
    /// Edges in hertz of the lowest and highest band that takes part.
    pub range: (f64, f64),
}

/// So many harmonics of a rate are looked at.
const HARMONICS: usize = 8;

/// Faster harmonics are lost in the window, in hertz.
const FASTEST: f64 = 160.0;

/// Lines of the level that are looked at more closely.
const CANDIDATES: usize = 8;

/// A line is evidence in a band where it is so many times the noise beside it.
const EVIDENT: f64 = 4.0;

/// Bands that must be evident for a tremolo. In fewer it may be two tones that beat.
const BANDS: usize = 3;

/// Pulsations of few bands above this rate are the roughness of chords, in hertz.
const ROUGH: f64 = 20.0;

/// A tremolo above [`ROUGH`] is none where the sound itself repeats so exactly at its rate: that is its
/// pitch.
const PITCH: f64 = 0.7;

/// Where the level over some seconds is this far below the whole (60 dB of power), there is a gap.
const GAP: f64 = 1e-6;

/// One line as one band shows it.
pub(super) struct Seen {
    /// Edges of the band in hertz.
    pub edges: (f64, f64),
    /// Amplitude and phase of the harmonics of the level, relative to its mean.
    pub harmonics: Vec<Complex<f64>>,
    /// Standard deviation of the first.
    pub noise: f64,
}

impl Seen {
    pub fn first(&self) -> Complex<f64> {
        self.harmonics[0]
    }

    fn is_evident(&self) -> bool {
        self.first().norm() > (EVIDENT * self.noise).max(LEAST)
    }
}

/// Looks for what makes the level pulsate; sides that alternate explain what the level does with them.
pub(super) fn find(
    bands: &Bands,
    spectrum: &Spectrum,
    sides: Option<&Bilateral>,
) -> super::Treatments {
    let mut found = super::Treatments::default();
    let active = bands.active();
    let mut told: Vec<f64> = sides.iter().map(|sides| sides.rate.hz).collect();
    for (line, seconds) in candidates(bands, &active) {
        let multiple = |rate: &f64| {
            let times = (line.frequency / rate).round();
            times >= 1.0 && (line.frequency - times * rate).abs() < 1.5 / seconds
        };
        if told.iter().any(multiple) {
            continue;
        }
        let seen = look(bands, &active, line.frequency);
        let evident: Vec<&Seen> = seen.iter().filter(|seen| seen.is_evident()).collect();
        let [lowest, .., highest] = evident[..] else {
            if let ([only], true) = (&evident[..], line.frequency < ROUGH) {
                found.pulsation = found.pulsation.or(Some(Pulsation {
                    rate: Rate::of(&line, seconds),
                    range: only.edges,
                }));
                told.push(line.frequency);
            }
            continue;
        };
        let rate = Rate::of(&line, seconds);
        let is_pitch = line.frequency > ROUGH && spectrum.periodicity(line.frequency) > PITCH;
        let tremolo = tremolo(&seen, line.frequency).filter(|_| !is_pitch);
        if let Some((shape, depth, range)) = tremolo {
            found.amplitude = found.amplitude.or(Some(Amplitude {
                rate,
                depth,
                shape,
                range,
            }));
        } else if let Some(Travel { low, high }) = sweep::travel(&seen).filter(|_| !is_pitch) {
            let range = (low, high);
            found.sweep = found.sweep.or(Some(Sweep { rate, range }));
        } else if line.frequency < ROUGH {
            let range = (lowest.edges.0, highest.edges.1);
            found.pulsation = found.pulsation.or(Some(Pulsation { rate, range }));
        }
        told.push(line.frequency);
    }
    found
}

/// The level of a band relative to its mean over `cycle` seconds times a whole number, about 3 s: so
/// the cycle itself is left as it is, and what is slower is taken out.
fn level(bands: &Bands, band: &Band, cycle: f64) -> Series {
    let (rate, frames) = (bands.frame_rate(), bands.frames());
    let longest = (frames as f64 / rate / 4.0).min(3.0);
    let half = ((longest / cycle).floor().max(1.0) * cycle * rate / 2.0).round() as usize;
    let half = half.clamp(1, frames.saturating_sub(2) / 2);
    let mut sums = Vec::with_capacity(frames + 1);
    let (mut power, mut sum) = (0.0, 0.0);
    sums.push(0.0);
    for n in 0..frames {
        power += band.both(n);
        sum += band.both(n).sqrt();
        sums.push(sum);
    }
    let gap = (GAP * power / frames as f64).sqrt();
    let relative: Vec<Option<f64>> = (half..frames - half)
        .map(|n| {
            let mean = (sums[n + half] - sums[n - half]) / (2 * half) as f64;
            (mean > gap).then(|| band.both(n).sqrt() / mean)
        })
        .collect();
    let (sum, count) = relative
        .iter()
        .flatten()
        .fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    let mean = if count > 0.0 { sum / count } else { 1.0 };
    let values = relative
        .into_iter()
        .map(|x| x.map(|x| Complex::from(x / mean - 1.0)));
    Series::new(rate, values)
}

/// Lines of the levels of all bands together and of each, strongest first, with the seconds they were
/// seen for.
fn candidates(bands: &Bands, active: &[&Band]) -> Vec<(Line, f64)> {
    let series: Vec<Series> = active.iter().map(|band| level(bands, band, 1e-2)).collect();
    let Some(seconds) = series.first().map(Series::seconds) else {
        return Vec::new();
    };
    let together = Series::mean(&series);
    let mut found: Vec<(f64, Line)> = Vec::new();
    for series in std::iter::once(&together).chain(&series) {
        let ([power, _], bin) = series.power();
        for line in lines(&power, bin, seconds, lowest(seconds), HIGHEST)
            .into_iter()
            .take(CANDIDATES)
        {
            let at = summit(line.frequency, 0.6 / seconds, |f| series.at(f).norm_sqr());
            let line = Line {
                frequency: at,
                ..line
            };
            let same = |other: &&mut (f64, Line)| (other.1.frequency - at).abs() < 1.5 / seconds;
            match found.iter_mut().find(same) {
                Some(other) if other.1.above < line.above => other.1 = line,
                Some(_) => {}
                None => found.push((0.0, line)),
            }
        }
    }
    for (strength, line) in &mut found {
        *strength = series
            .iter()
            .map(|series| series.at(line.frequency).norm_sqr())
            .sum();
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
        .into_iter()
        .take(CANDIDATES)
        .map(|(_, line)| (line, seconds))
        .collect()
}

/// A line and its harmonics in every band.
fn look(bands: &Bands, active: &[&Band], frequency: f64) -> Vec<Seen> {
    let count = ((FASTEST / frequency) as usize).clamp(1, HARMONICS);
    let responses: Vec<f64> = (1..=count)
        .map(|k| bands.response(k as f64 * frequency))
        .collect();
    let see = |band: &&Band| {
        let series = level(bands, band, 1.0 / frequency);
        let harmonic = |(k, response): (usize, &f64)| {
            2.0 * series.at((k + 1) as f64 * frequency) / response
        };
        Seen {
            edges: (band.low, band.high),
            harmonics: responses.iter().enumerate().map(harmonic).collect(),
            noise: 2.0 * series.noise(frequency) / responses[0],
        }
    };
    active.iter().map(see).collect()
}

/// Shape, depth and range of a tremolo: a run of bands that all have the line with the same depth and
/// phase, while the bands beyond have none.
fn tremolo(seen: &[Seen], frequency: f64) -> Option<(Shape, f64, (f64, f64))> {
    let strongest = seen
        .iter()
        .filter(|seen| seen.is_evident())
        .map(|seen| seen.first().norm())
        .fold(0.0, f64::max);
    // What takes part: at least half of the strongest, or too noisy to tell.
    let takes_part = |seen: &Seen| seen.first().norm() + 3.0 * seen.noise > 0.5 * strongest;
    let from = seen.iter().position(takes_part)?;
    let to = seen.iter().rposition(takes_part)?;
    let run = &seen[from..=to];
    if run.iter().filter(|seen| seen.is_evident()).count() < BANDS {
        return None;
    }
    let count = run[0].harmonics.len();
    let weight = |seen: &Seen| 1.0 / (seen.noise.powi(2) + (0.05 * strongest).powi(2));
    let whole: f64 = run.iter().map(weight).sum();
    let mean: Vec<Complex<f64>> = (0..count)
        .map(|k| {
            run.iter()
                .map(|seen| weight(seen) * seen.harmonics[k])
                .sum::<Complex<f64>>()
                / whole
        })
        .collect();
    let alike = |seen: &Seen| {
        (seen.first() - mean[0]).norm() < 0.2 * mean[0].norm() + 3.0 * seen.noise
    };
    // A band that holds an edge of the range takes part by half, but not in another phase.
    let beyond = |seen: &Seen| {
        let across = (seen.first() * mean[0].conj()).im.abs() / mean[0].norm();
        seen.first().norm() < 0.2 * strongest + 3.0 * seen.noise || across < 0.1 * mean[0].norm()
    };
    let outside = seen[..from].iter().chain(&seen[to + 1..]);
    if !run.iter().all(alike) || !outside.clone().all(beyond) {
        return None;
    }
    let phase = mean[0].arg();
    let turned: Vec<(f64, f64)> = (1..)
        .zip(&mean)
        .map(|(k, harmonic)| {
            let turned = harmonic * Complex::from_polar(1.0, -phase * f64::from(k));
            (turned.re, turned.im)
        })
        .collect();
    let noise = (1.0 / run.iter().map(|seen| seen.noise.powi(-2)).sum::<f64>()).sqrt();
    let (shape, depth) = shape(&turned, noise, frequency)?;
    Some((shape, depth, (run[0].edges.0, run[run.len() - 1].edges.1)))
}
