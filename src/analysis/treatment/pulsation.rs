//! Levels that go up and down regularly: a tremolo, a filter that sweeps, or a rhythm of its own.

use super::bands::{Band, Bands};
use super::lines::{Line, Series, lines};
use super::sides::Bilateral;
use super::sweep;
use super::tremolo::{fundamental, tremolo};
use super::{HIGHEST, LEAST, Rate, Treatments, lowest};
use crate::analysis::tones::Spectrum;
use realfft::num_complex::Complex;

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

/// Bars are told apart where so many of them pass.
const BAR: f64 = 8.0;

/// A line is evidence in a band where it is so many times the noise beside it.
pub(super) const EVIDENT: f64 = 4.0;

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
    /// The first harmonic.
    pub fn first(&self) -> Complex<f64> {
        self.harmonics[0]
    }

    /// Whether the line is so many times the noise, and worth telling.
    pub fn is_evident(&self, times: f64) -> bool {
        self.first().norm() > (times * self.noise).max(LEAST)
    }
}

/// Looks for what makes the level pulsate; sides that alternate explain what the level does with them.
pub(super) fn find(bands: &Bands, spectrum: &Spectrum, sides: Option<&Bilateral>) -> Treatments {
    let mut found = Treatments::default();
    let active = bands.active();
    let mut named: Vec<f64> = sides.iter().map(|sides| sides.rate.hz).collect();
    let (lines, seconds) = candidates(bands, &active);
    let mut looked_at = 0;
    for &(strength, line) in &lines {
        let is_multiple = |rate: &f64| {
            let times = (line.frequency / rate).round();
            times >= 1.0 && (line.frequency - times * rate).abs() < 1.5 / seconds
        };
        if named.iter().any(is_multiple) {
            continue;
        }
        // The many harmonics of a rhythm are not looked at one by one: a tremolo may be weaker than they are.
        let rhythm = found.pulsation.map(|found| found.rate.hz);
        if rhythm.is_some_and(|rhythm| {
            is_multiple(&rhythm)
                && is_one_of_many(&lines, strength, line.frequency, rhythm, seconds)
        }) {
            continue;
        }
        looked_at += 1;
        if looked_at > CANDIDATES {
            break;
        }
        let seen = look(bands, &active, line.frequency);
        let rate = Rate::of(&line, seconds);
        let is_pitch = line.frequency > ROUGH
            && (1..=4).any(|part| spectrum.periodicity(line.frequency / f64::from(part)) > PITCH);
        // Also bars, of two or four strokes, have multiples.
        let own = |found: &Pulsation| {
            let bars = [1.0, 2.0, 4.0].map(|strokes| found.rate.hz / strokes);
            let bar = bars
                .iter()
                .find(|bar| **bar > BAR / seconds && is_multiple(bar));
            bar.is_none_or(|bar| stands_out(bands, &active, &line, *bar))
        };
        let is_named = found.amplitude.is_some() || found.sweep.is_some();
        if !is_pitch && !is_named && found.pulsation.as_ref().is_none_or(own) {
            let tremolo = tremolo(&seen, bands, line.frequency);
            if let Some(tremolo) = tremolo.filter(|tremolo| tremolo.is_whole) {
                let slower = fundamental(bands, &active, line.frequency, seconds);
                let (part, tremolo) = slower.unwrap_or((1.0, Some(tremolo)));
                // Also what stays without a name has multiples.
                named.push(line.frequency / part);
                found.amplitude = tremolo.map(|tremolo| tremolo.at(rate.divided(part)));
                continue;
            }
            if let Some(range) = sweep::travel(&seen) {
                found.sweep = Some(Sweep { rate, range });
                named.push(line.frequency);
                continue;
            }
            if let Some(tremolo) = tremolo {
                found.amplitude = Some(tremolo.at(rate));
                named.push(line.frequency);
                continue;
            }
        }
        let mut evident = seen.iter().filter(|seen| seen.is_evident(EVIDENT));
        if let (Some(lowest), None, true) =
            (evident.next(), found.pulsation, line.frequency < ROUGH)
        {
            let highest = evident.next_back().unwrap_or(lowest);
            let range = (lowest.edges.0, highest.edges.1);
            // The second harmonic of short sounds may be the strongest; their rate is the first.
            let is_half = |(other, half): &&(f64, Line)| {
                (2.0 * half.frequency - line.frequency).abs() < 3.0 / seconds
                    && *other > 0.4 * strength
            };
            let half = lines.iter().find(is_half);
            let rate = half.map_or(rate, |(_, half)| Rate::of(half, seconds));
            found.pulsation = Some(Pulsation { rate, range });
        }
    }
    // Chords that come at a rhythm are rough at its multiples.
    let is_rough = |sweep: &Sweep| {
        found.pulsation.is_some_and(|rhythm| {
            let times = (sweep.rate.hz / rhythm.rate.hz).round();
            let beside = (sweep.rate.hz - times * rhythm.rate.hz).abs();
            // Where the file is short, every rate is beside a multiple of a slow rhythm.
            let is_known = 1.5 / seconds < 0.1 * rhythm.rate.hz;
            is_known && sweep.rate.hz > ROUGH && beside < 1.5 / seconds
        })
    };
    found.sweep = found.sweep.filter(|sweep| !is_rough(sweep));
    found
}

/// Whether a line that is a multiple of a rhythm has another beside it that is nearly as strong.
fn is_one_of_many(
    lines: &[(f64, Line)],
    strength: f64,
    frequency: f64,
    rhythm: f64,
    seconds: f64,
) -> bool {
    let beside = |line: &Line| ((line.frequency - frequency).abs() - rhythm).abs() < 3.0 / seconds;
    lines
        .iter()
        .any(|(other, line)| beside(line) && strength < 2.25 * other)
}

/// Whether a line that is a multiple of a rhythm is more than one of its harmonics: higher than both
/// harmonics beside it by half.
fn stands_out(bands: &Bands, active: &[&Band], line: &Line, rhythm: f64) -> bool {
    let power = |frequency: f64| -> f64 {
        let level = |band: &&Band| level(bands, band, 1.0 / rhythm).at(frequency).norm_sqr();
        active.iter().map(level).sum()
    };
    let beside = power(line.frequency - rhythm).max(power(line.frequency + rhythm));
    power(line.frequency) > 2.25 * beside
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

/// Lines of the levels of all bands together and of each, strongest first, each with its power in all
/// bands, and the seconds they were seen for.
fn candidates(bands: &Bands, active: &[&Band]) -> (Vec<(f64, Line)>, f64) {
    let series: Vec<Series> = active.iter().map(|band| level(bands, band, 1e-2)).collect();
    if series.is_empty() {
        return (Vec::new(), 0.0);
    }
    let seconds = series[0].seconds();
    let mut found: Vec<Line> = Vec::new();
    for series in std::iter::once(&Series::mean(&series)).chain(&series) {
        let ([power, _], bin) = series.power();
        for line in lines(&power, bin, seconds, lowest(seconds), HIGHEST) {
            let same = |other: &&mut Line| (other.frequency - line.frequency).abs() < 1.5 / seconds;
            match found.iter_mut().find(same) {
                Some(other) if other.above < line.above => *other = line.refined(series),
                Some(_) => {}
                None => found.push(line.refined(series)),
            }
        }
    }
    let strength = |line: &Line| -> f64 {
        series
            .iter()
            .map(|series| series.at(line.frequency).norm_sqr())
            .sum()
    };
    let mut found: Vec<(f64, Line)> = found
        .into_iter()
        .map(|line| (strength(&line), line))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    (found, seconds)
}

/// A line and its harmonics in every band.
pub(super) fn look(bands: &Bands, active: &[&Band], frequency: f64) -> Vec<Seen> {
    let count = ((FASTEST / frequency) as usize).clamp(1, HARMONICS);
    let responses: Vec<f64> = (1..=count)
        .map(|k| bands.response(k as f64 * frequency))
        .collect();
    let see = |band: &&Band| {
        let series = level(bands, band, 1.0 / frequency);
        let harmonic =
            |(k, response): (usize, &f64)| 2.0 * series.at((k + 1) as f64 * frequency) / response;
        Seen {
            edges: (band.low, band.high),
            harmonics: responses.iter().enumerate().map(harmonic).collect(),
            noise: 2.0 * series.noise(frequency) / responses[0],
        }
    };
    active.iter().map(see).collect()
}
