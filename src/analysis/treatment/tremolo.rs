//! A tremolo: what tells it from a rhythm is that all bands have it alike.

use super::bands::{Band, Bands};
use super::pulsation::{Seen, look};
use super::shape::{Shape, shape};
use super::{Rate, lowest};
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

/// And likely where it is so many times the noise.
const LIKELY: f64 = 2.5;

/// A band whose noise is more than this holds but a few sounds, and cannot tell.
const TELLING: f64 = 0.3;

/// Bands are alike where they differ by this share of the line.
const ALIKE: f64 = 0.2;

/// Bands that must be likely for a tremolo. In fewer it may be two tones that beat. Where other bands do not
/// take part it is one more: cymbals fill three.
const BANDS: usize = 3;

/// A tremolo before it has its rate.
#[derive(Clone, Copy)]
pub(super) struct Tremolo {
    pub shape: Shape,
    depth: f64,
    range: (f64, f64),
    /// All bands that can tell take part.
    pub is_whole: bool,
}

impl Tremolo {
    /// The tremolo at its rate.
    pub fn at(self, rate: Rate) -> Amplitude {
        Amplitude {
            rate,
            depth: self.depth,
            shape: self.shape,
            range: self.range,
        }
    }
}

/// Shape, depth and range of a tremolo: a run of bands that all have the line with the same depth and
/// phase, while the bands beyond have none.
pub(super) fn tremolo(seen: &[Seen], bands: &Bands, frequency: f64) -> Option<Tremolo> {
    let telling: Vec<&Seen> = seen.iter().filter(|seen| seen.noise < TELLING).collect();
    let strongest = telling
        .iter()
        .map(|seen| seen.first().norm() - seen.noise)
        .fold(0.0, f64::max);
    let takes_part =
        |seen: &&Seen| seen.first().norm() > (0.5 * strongest).max(LIKELY * seen.noise);
    let from = telling.iter().position(takes_part)?;
    let to = telling.iter().rposition(takes_part)?;
    let run = &telling[from..=to];
    let is_whole = run.len() == telling.len();
    let least = if is_whole { BANDS } else { BANDS + 1 };
    if run.iter().filter(|seen| seen.is_evident(LIKELY)).count() < least {
        return None;
    }
    let weight = |seen: &Seen| 1.0 / (seen.noise.powi(2) + (0.05 * strongest).powi(2));
    let whole: f64 = run.iter().map(|seen| weight(seen)).sum();
    let mean: Vec<Complex<f64>> = (0..run[0].harmonics.len())
        .map(|k| {
            let sum: Complex<f64> = run
                .iter()
                .map(|seen| weight(seen) * seen.harmonics[k])
                .sum();
            sum / whole
        })
        .collect();
    let size = mean[0].norm();
    let alike = |seen: &&Seen| {
        let allowed = (ALIKE * size + 3.0 * seen.noise).min(2.0 * ALIKE * size);
        (seen.first() - mean[0]).norm() < allowed
    };
    let beyond = |seen: &&Seen| seen.first().norm() < ALIKE * size + 3.0 * seen.noise;
    // The band that holds an edge of the range takes part by half; it is not asked.
    let outside = &telling[..from.saturating_sub(1)];
    let above = telling.get(to + 2..).unwrap_or_default();
    if !run.iter().all(alike) || !outside.iter().chain(above).all(beyond) {
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
    let noise = run
        .iter()
        .map(|seen| seen.noise)
        .fold(f64::INFINITY, f64::min);
    let responses = [1.0, 2.0].map(|k| bands.response(k * frequency));
    let (shape, depth) = shape(&turned, noise, frequency, responses)?;
    Some(Tremolo {
        shape,
        depth,
        range: (run[0].edges.0, run[run.len() - 1].edges.1),
        is_whole,
    })
}

/// Looks for pulses of which a tremolo's line of `frequency` is the third or second harmonic, and gives
/// that number with them. There may be such a slower line, as strong, that is no tremolo itself, for
/// instance hidden among syllables: then the number comes alone.
pub(super) fn fundamental(
    bands: &Bands,
    active: &[&Band],
    frequency: f64,
    seconds: f64,
) -> Option<(f64, Option<Tremolo>)> {
    let power = |seen: &[Seen]| -> f64 { seen.iter().map(|seen| seen.first().norm_sqr()).sum() };
    let here = power(&look(bands, active, frequency));
    [3.0, 2.0].into_iter().find_map(|part| {
        let slower = frequency / part;
        if slower < lowest(seconds) {
            return None;
        }
        let seen = look(bands, active, slower);
        let is_pulse =
            |found: &Tremolo| found.is_whole && matches!(found.shape, Shape::Pulse { .. });
        let found = tremolo(&seen, bands, slower).filter(is_pulse);
        let likely = seen.iter().filter(|seen| seen.is_evident(LIKELY)).count();
        (found.is_some() || (likely >= BANDS && power(&seen) > here)).then_some((part, found))
    })
}
