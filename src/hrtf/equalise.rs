//! Diffuse-field equalisation with bass extension, and the level of a set.
//!
//! The equaliser makes the mean power over the sphere, both ears together, flat in smoothed bands: what is
//! left is what tells directions apart (Moller 1992), and programs keep their timbre. Below what the
//! loudspeaker of the measurement gave, a head hardly tells directions apart either, so the level of the
//! lowest sound frequency is held down to 0 Hz.

use super::align::Aligned;
use super::densify::Dense;
use super::head::vector;
use super::kriging::spacing;
use super::spectra::Spectra;
use crate::dsp::hrir::Hrirs;
use realfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// Between these frequencies what was measured gives way to the extended bass, in hertz.
const BASS: [f64; 2] = [100.0, 200.0];

/// Highest frequency that is equalised by itself, in hertz: beyond, measurements are noise and roll-off.
const HIGHEST: f64 = 16_000.0;

/// The equaliser's gain is 1 on the mean of these frequencies, in hertz: all hosts' rates reach them.
const MIDDLE: [f64; 2] = [300.0, 3000.0];

/// Limit of the equaliser either way, in nepers: 20 dB.
const LIMIT: f64 = 2.303;

/// Places that the mean over the sphere is taken of.
const PLACES: usize = 2000;

/// Degrees from one place to the next around the axis (a Fibonacci spiral).
const GOLDEN: f64 = 137.507_764_05;

/// Width of the smoothed bands, in octaves.
const BAND: f64 = 1.0 / 3.0;

/// Equalises all directions of a set.
pub fn equalise(dense: &mut Dense, aligned: &Aligned, spectra: &Spectra) {
    let bins = spectra.frame.bins;
    let width = spectra.ears * bins;
    let mean = smoothed(&diffuse(aligned, spectra));
    let [low, high] = MIDDLE.map(|frequency| frequency / spectra.frame.spacing());
    let middle = Bands::new(&mean).mean(low, high);
    let last = spectra.frame.bin(HIGHEST);
    let gain: Vec<f32> = (0..bins)
        .map(|bin| (middle - mean[bin.min(last)]).clamp(-LIMIT, LIMIT) as f32)
        .collect();
    let held = (BASS[1] / spectra.frame.spacing()).min(bins as f64 - 1.001);
    let own: Vec<f32> = (0..bins)
        .map(|bin| {
            let octaves = (bin as f64 * spectra.frame.spacing() / BASS[0])
                .max(1e-9)
                .log2();
            let place = (octaves / (BASS[1] / BASS[0]).log2()).clamp(0.0, 1.0);
            (place * place * (3.0 - 2.0 * place)) as f32
        })
        .collect();
    for logs in dense
        .logs
        .chunks_exact_mut(width)
        .flat_map(|row| row.chunks_exact_mut(bins))
    {
        for (log, gain) in logs.iter_mut().zip(&gain) {
            *log += gain;
        }
        let (below, share) = (held as usize, held.fract() as f32);
        let bass = logs[below] + share * (logs[below + 1] - logs[below]);
        for (log, own) in logs[..=below].iter_mut().zip(&own) {
            *log = own * *log + (1.0 - own) * bass;
        }
    }
}

/// Mean power over the measured part of the sphere in each bin, as half its natural logarithm. Each of some
/// places spread evenly counts for the measurement next to it, if that is near: so do gaps count for nothing.
fn diffuse(aligned: &Aligned, spectra: &Spectra) -> Vec<f64> {
    let directions: Vec<[f64; 3]> = aligned
        .directions
        .iter()
        .map(|[az, el]| vector(*az, *el))
        .collect();
    let near = (1.5 * spacing(&directions)).min(PI).cos();
    let mut weights = vec![0.0; directions.len()];
    for place in 0..PLACES {
        let height = 1.0 - (2 * place + 1) as f64 / PLACES as f64;
        let [x, y, z] = vector(place as f64 * GOLDEN, height.asin().to_degrees());
        let cosines = directions
            .iter()
            .map(|d| d[0] * x + d[1] * y + d[2] * z)
            .enumerate();
        let nearest = cosines.max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((index, _)) = nearest.filter(|(_, cosine)| *cosine >= near) {
            weights[index] += 1.0;
        }
    }
    let mut total: f64 = weights.iter().sum();
    if total == 0.0 {
        weights.fill(1.0);
        total = weights.len() as f64;
    }
    let bins = spectra.frame.bins;
    let mut power = vec![0.0; bins];
    for (index, weight) in weights.iter().enumerate() {
        for logs in spectra.logs(index).chunks_exact(bins) {
            for (power, log) in power.iter_mut().zip(logs) {
                *power += weight * f64::from((2.0 * log).exp());
            }
        }
    }
    total *= spectra.ears as f64;
    power
        .iter()
        .map(|power| 0.5 * (power / total).max(1e-30).ln())
        .collect()
}

/// Means of some values over bands that begin and end within bins: so they are alike at all rates.
struct Bands {
    sums: Vec<f64>,
}

impl Bands {
    fn new(values: &[f64]) -> Bands {
        let mut sums = vec![0.0];
        for value in values {
            sums.push(sums[sums.len() - 1] + value);
        }
        Bands { sums }
    }

    /// From one place to another, in bins; bin k reaches from k - 1/2 to k + 1/2.
    fn mean(&self, from: f64, end: f64) -> f64 {
        let count = self.sums.len() - 1;
        let inside = |place: f64| (place + 0.5).clamp(0.0, count as f64);
        let until = |place: f64| {
            let whole = (place as usize).min(count - 1);
            self.sums[whole] + (self.sums[whole + 1] - self.sums[whole]) * (place - whole as f64)
        };
        let (from, end) = (inside(from), inside(end));
        (until(end) - until(from)) / (end - from)
    }
}

/// Means over bands around each bin.
fn smoothed(logs: &[f64]) -> Vec<f64> {
    let bands = Bands::new(logs);
    let edge = (BAND / 2.0).exp2();
    (0..logs.len())
        .map(|bin| {
            let bin = bin as f64;
            bands.mean((bin / edge).min(bin - 0.5), (bin * edge).max(bin + 0.5))
        })
        .collect()
}

/// The gain that gives a set its level: a stereo program of pink noise through virtual speakers 30 degrees to
/// either side is then as loud as without them, K-weighted (ITU-R BS.1770) and summed over both ears. A
/// program whose channels are alike gains in the bass, where both speakers add up, against one whose channels
/// differ; the level is right half-way between, so each is within 1 LU.
pub fn level(hrirs: &Hrirs) -> f32 {
    let sides = [30.0, -30.0].map(|azimuth| blend(hrirs, azimuth));
    let (mut plain, mut alike, mut different) = (0.0, 0.0, 0.0);
    // Thirds of a third of an octave: pink noise has the same power in each.
    let mut frequency = 40.0;
    while frequency < (0.45 * hrirs.rate).min(16_000.0) {
        let weight = k_weighting(frequency);
        plain += weight;
        let ears = |ear: usize| {
            sides.each_ref().map(|(filters, itd)| {
                let turn = TAU * frequency / hrirs.rate;
                let delay = if ear == 0 { -0.5 } else { 0.5 } * itd;
                response(&filters[ear], turn) * Complex64::from_polar(1.0, -turn * delay)
            })
        };
        for [a, b] in [ears(0), ears(1)] {
            alike += weight * (a + b).norm_sqr() / 2.0;
            different += weight * (a.norm_sqr() + b.norm_sqr()) / 2.0;
        }
        frequency *= (1.0_f64 / 9.0).exp2();
    }
    let gain = plain / (alike * different).sqrt();
    if gain.is_finite() && gain > 0.0 {
        gain.sqrt() as f32
    } else {
        1.0
    }
}

/// The filters of both ears in one horizontal direction, and the interaural time difference in frames.
pub fn blend(hrirs: &Hrirs, azimuth: f64) -> ([Vec<f32>; 2], f64) {
    let neighbours = hrirs.rings.locate(azimuth, 0.0);
    let filters = [0, 1].map(|ear| {
        let mut sum = vec![0.0; hrirs.taps];
        for (direction, weight) in neighbours {
            for (sum, tap) in sum.iter_mut().zip(hrirs.filter(direction, ear)) {
                *sum += weight * tap;
            }
        }
        sum
    });
    let itd = neighbours.map(|(direction, weight)| f64::from(weight * hrirs.itd[direction]));
    (filters, itd.iter().sum())
}

/// A filter's response at an angular frequency in radians a frame.
pub fn response(filter: &[f32], turn: f64) -> Complex64 {
    let step = Complex64::from_polar(1.0, -turn);
    let start = Complex64::new(0.0, 0.0);
    // Horner's rule, from the last tap on.
    filter
        .iter()
        .rev()
        .fold(start, |sum, tap| sum * step + f64::from(*tap))
}

/// Power gain of BS.1770's two filters at a frequency in hertz, as at 48 kHz.
pub fn k_weighting(frequency: f64) -> f64 {
    let z = Complex64::from_polar(1.0, -2.0 * PI * frequency / 48_000.0);
    let biquad = |b: [f64; 3], a: [f64; 2]| {
        (b[0] + z * b[1] + z * z * b[2]) / (1.0 + z * a[0] + z * z * a[1])
    };
    let shelf = biquad(
        [
            1.535_124_859_586_97,
            -2.691_696_189_406_38,
            1.198_392_810_852_85,
        ],
        [-1.690_659_293_182_41, 0.732_480_774_215_85],
    );
    let high_pass = biquad(
        [1.0, -2.0, 1.0],
        [-1.990_047_454_833_98, 0.990_072_250_366_21],
    );
    (shelf * high_pass).norm_sqr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k_weighting_is_that_of_the_standard() {
        let decibels = |frequency| 10.0 * k_weighting(frequency).log10();
        assert!(
            (decibels(997.0) - 0.691).abs() < 0.01,
            "{}",
            decibels(997.0)
        );
        assert!((decibels(10_000.0) - 4.0).abs() < 0.1);
        assert!(decibels(20.0) < -12.0);
    }
}
