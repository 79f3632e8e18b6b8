//! From measured directions to dense ones: the mean, in decibels, of two estimates that err differently.
//!
//! Log-magnitudes vary fast where the waves around the head cancel, complex spectra do not; complex spectra
//! lose level where their phases differ, log-magnitudes do not. Measured on KEMAR with every other azimuth
//! held out: 1.15 dB by log-magnitudes, 1.06 by complex spectra, 1.0 by both.

use super::HrtfError;
use super::align::Aligned;
use super::grid::anchors;
use super::head::{self, interaural, vector};
use super::kriging::{Kriging, Weights};
use super::progress::{Progress, share};
use super::spectra::Spectra;
use super::trend::Trend;
use crate::dsp::hrir::Rings;
use realfft::num_complex::Complex32;

/// The complex estimate's share.
const COMPLEX_SHARE: f64 = 0.55;

/// Spacings of measurements, in radians, between which that share fades: beyond, phases tell nothing.
const COHERENT: [f64; 2] = [0.21, 0.35];

/// Shares of variance explained between which it fades in: in gaps, phases tell nothing either.
const KNOWN: [f64; 2] = [0.3, 0.8];

/// How far the estimates may differ: beyond, the complex one has cancelled. In nepers, 17 dB.
const DIFFERENCE: f32 = 2.0;

/// Above this frequency what was never measured is darker, in hertz.
const DARK_ABOVE: f64 = 3000.0;

/// By how much, a whole radian below what was measured: in nepers, 6 dB.
const DARKER: f64 = 0.7;

/// How often what lies between the rings' directions is fed back.
const PASSES: usize = 4;

/// The set in dense directions.
pub struct Dense {
    /// Natural logarithms of magnitudes, directions x ears x bins.
    pub logs: Vec<f32>,
    /// Interaural time differences in seconds.
    pub itd: Vec<f64>,
}

/// Estimates all directions of the rings.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn densify(
    aligned: &Aligned,
    spectra: &Spectra,
    rings: &Rings,
    progress: &Progress,
    [from, to]: [f64; 2],
) -> Result<Dense, HrtfError> {
    let directions = aligned
        .directions
        .iter()
        .map(|[az, el]| vector(*az, *el))
        .collect();
    let kriging = Kriging::new(directions);
    let width = spectra.ears * spectra.frame.bins;
    let trend = Trend::fit(kriging.directions(), width, |index| spectra.logs(index));
    let mut residual = spectra.logs.clone();
    let mut surface = vec![0.0; width];
    for (row, direction) in residual.chunks_exact_mut(width).zip(kriging.directions()) {
        trend.at(*direction, &mut surface);
        subtract(row, &surface);
    }
    let head = Head::fit(kriging.directions(), &spectra.itd);
    let shade = shade(spectra);
    let anchors = anchors(aligned, rings);
    let mut anchored = vec![None; rings.directions()];
    for (measurement, anchor) in anchors.iter().enumerate() {
        if let Some(direction) = anchor {
            anchored[*direction] = Some(measurement);
        }
    }
    let count = rings.directions();
    let mut logs = vec![0.0; count * width];
    // Each with its interaural time difference.
    let mut rows: Vec<(f64, &mut [f32])> =
        logs.chunks_exact_mut(width).map(|row| (0.0, row)).collect();
    share(
        &mut rows,
        1,
        progress,
        [from, to],
        || (Weights::default(), vec![Complex32::default(); width]),
        |(weights, sum), index, row| {
            let (itd, logs) = &mut row[0];
            if let Some(measurement) = anchored[index] {
                logs.copy_from_slice(spectra.logs(measurement));
                *itd = spectra.itd[measurement];
                return;
            }
            let (azimuth, elevation) = rings.direction(index);
            let direction = vector(azimuth, elevation);
            kriging.weigh(direction, weights);
            *itd = head.itd(direction, weights);
            let gap = (weights.gap - kriging.spacing).clamp(0.0, 1.0);
            trend.at(direction, logs);
            for (i, weight) in weights.index.iter().zip(&weights.log) {
                add(logs, &residual[i * width..][..width], *weight as f32);
            }
            let share = COMPLEX_SHARE
                * rise(weights.known, KNOWN)
                * (1.0 - rise(kriging.spacing, COHERENT));
            if share > 0.0 {
                sum.fill(Complex32::default());
                for (i, weight) in weights.index.iter().zip(&weights.complex) {
                    add_complex(sum, spectra.complex(*i), *weight as f32);
                }
                mix(logs, sum, share as f32);
            }
            if gap > 0.0 && elevation < 0.0 {
                add(logs, &shade, -(gap * DARKER) as f32);
            }
        },
    )?;
    let mut dense = Dense {
        itd: rows.iter().map(|(itd, _)| *itd).collect(),
        logs: Vec::new(),
    };
    drop(rows);
    dense.logs = logs;
    dense.feed_back(aligned, spectra, rings, &anchors, &anchored);
    Ok(dense)
}

impl Dense {
    /// Moves the directions around each measurement that lies between them until their blend is what was
    /// measured, where neighbouring measurements agree.
    fn feed_back(
        &mut self,
        aligned: &Aligned,
        spectra: &Spectra,
        rings: &Rings,
        anchors: &[Option<usize>],
        anchored: &[Option<usize>],
    ) {
        let width = spectra.ears * spectra.frame.bins;
        let between: Vec<usize> = (0..anchors.len())
            .filter(|i| anchors[*i].is_none())
            .collect();
        if between.is_empty() {
            return;
        }
        let mut missing = vec![0.0; width];
        let mut step: Vec<f32> = Vec::new();
        let mut share: Vec<f32> = Vec::new();
        // Interaural time differences likewise.
        let mut late = vec![0.0; anchored.len()];
        for _ in 0..PASSES {
            late.fill(0.0);
            step.clear();
            step.resize(self.logs.len(), 0.0);
            share.clear();
            share.resize(anchored.len(), 0.0);
            for index in &between {
                let [azimuth, elevation] = aligned.directions[*index];
                let neighbours = rings.locate(azimuth, elevation);
                missing.copy_from_slice(spectra.logs(*index));
                let blended = neighbours.map(|(i, weight)| f64::from(weight) * self.itd[i]);
                let itd = spectra.itd[*index] - blended.iter().sum::<f64>();
                for (direction, weight) in neighbours {
                    add(
                        &mut missing,
                        &self.logs[direction * width..][..width],
                        -weight,
                    );
                }
                let free = neighbours.iter().filter(|(i, _)| anchored[*i].is_none());
                let power: f32 = free.clone().map(|(_, weight)| weight * weight).sum();
                // Where the free directions weigh next to nothing, moving them would tear them away.
                if power < 0.05 {
                    continue;
                }
                for (direction, weight) in free {
                    let gain = weight / power;
                    late[*direction] += f64::from(gain * weight) * itd;
                    add(
                        &mut step[direction * width..][..width],
                        &missing,
                        gain * weight,
                    );
                    share[*direction] += weight;
                }
            }
            // What hardly weighs is not moved: its share may be too small to divide by.
            let moved = share.iter().enumerate();
            for (direction, share) in moved.filter(|(_, share)| **share > 1e-6) {
                let to = &mut self.logs[direction * width..][..width];
                add(to, &step[direction * width..][..width], 1.0 / share);
                self.itd[direction] += late[direction] / f64::from(*share);
            }
        }
    }
}

/// The interaural time difference: a sphere's, and what the measurements differ from it.
struct Head {
    scale: f64,
    residual: Vec<f64>,
}

impl Head {
    fn fit(directions: &[[f64; 3]], itd: &[f64]) -> Head {
        // As many measurements of the textbook's head as keep few real ones from meaning too much.
        let (mut cross, mut square) = (0.0, 0.0);
        for (direction, itd) in directions.iter().zip(itd) {
            let shape = interaural(*direction);
            cross += shape * itd;
            square += shape * shape;
        }
        let textbook = head::RADIUS / head::SPEED_OF_SOUND;
        let scale = (cross + textbook) / (square + 1.0);
        let residual = directions
            .iter()
            .zip(itd)
            .map(|(direction, itd)| itd - scale * interaural(*direction))
            .collect();
        Head { scale, residual }
    }

    fn itd(&self, direction: [f64; 3], weights: &Weights) -> f64 {
        let differ = weights.index.iter().zip(&weights.complex);
        let residual: f64 = differ.map(|(i, weight)| self.residual[*i] * weight).sum();
        self.scale * interaural(direction) + residual
    }
}

/// How much each bin darkens, 0 to 1, for all ears.
fn shade(spectra: &Spectra) -> Vec<f32> {
    let one = (0..spectra.frame.bins).map(|bin| {
        let place = bin as f64 * spectra.frame.spacing() / DARK_ABOVE;
        (place * place / (1.0 + place * place)) as f32
    });
    let one: Vec<f32> = one.collect();
    one.repeat(spectra.ears)
}

/// 0 below a range, 1 above it, smooth between.
fn rise(x: f64, [from, to]: [f64; 2]) -> f64 {
    let place = ((x - from) / (to - from)).clamp(0.0, 1.0);
    place * place * (3.0 - 2.0 * place)
}

fn subtract(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to -= from;
    }
}

fn add(to: &mut [f32], from: &[f32], weight: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += weight * from;
    }
}

fn add_complex(to: &mut [Complex32], from: &[Complex32], weight: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        to.re += weight * from.re;
        to.im += weight * from.im;
    }
}

/// Moves log-magnitudes towards those of a complex spectrum.
fn mix(logs: &mut [f32], spectrum: &[Complex32], share: f32) {
    for (log, bin) in logs.iter_mut().zip(spectrum) {
        let other = 0.5 * bin.norm_sqr().max(f32::MIN_POSITIVE).ln();
        *log += share * (other - *log).clamp(-DIFFERENCE, DIFFERENCE);
    }
}
