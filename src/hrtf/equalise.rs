//! Diffuse-field equalisation with bass extension, and the level of a set.
//!
//! The equaliser makes the mean power over the sphere, both ears together, flat in smoothed bands: what is
//! left is what tells directions apart (Moller 1992), and programs keep their timbre. Below what the
//! loudspeaker of the measurement gave, a head hardly tells directions apart either, so the level of the
//! lowest sound frequency is held down to 0 Hz.

use super::densify::Dense;
use super::spectra::Spectra;
use crate::dsp::hrir::{Hrirs, Rings};
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

/// Width of the smoothed bands, in octaves.
const BAND: f64 = 1.0 / 3.0;

/// Equalises all directions of a set.
pub fn equalise(dense: &mut Dense, spectra: &Spectra, rings: &Rings) {
    let bins = spectra.frame.bins;
    let width = spectra.ears * bins;
    let mean = smoothed(&diffuse(dense, spectra, rings), spectra);
    let [low, high] = MIDDLE.map(|frequency| spectra.frame.bin(frequency));
    let middle = mean[low..=high].iter().sum::<f64>() / (high - low + 1) as f64;
    let last = spectra.frame.bin(HIGHEST);
    let gain: Vec<f32> = (0..bins)
        .map(|bin| (middle - mean[bin.min(last)]).clamp(-LIMIT, LIMIT) as f32)
        .collect();
    let held = spectra.frame.bin(BASS[1]).max(1).min(bins - 1);
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
        let bass = logs[held];
        for (log, own) in logs[..held].iter_mut().zip(&own) {
            *log = own * *log + (1.0 - own) * bass;
        }
    }
}

/// Mean power over the measured part of the sphere in each bin, as half its natural logarithm.
fn diffuse(dense: &Dense, spectra: &Spectra, rings: &Rings) -> Vec<f64> {
    let bins = spectra.frame.bins;
    let width = spectra.ears * bins;
    let mut power = vec![0.0; bins];
    let mut total = 0.0;
    for (place, ring) in rings.rings().iter().enumerate() {
        // A ring stands for the band half-way to its neighbours.
        let half = |other: Option<&crate::dsp::hrir::Ring>| {
            let other = other.map_or(ring.elevation, |other| other.elevation);
            (0.5 * (ring.elevation + other)).to_radians().sin()
        };
        let below = half(place.checked_sub(1).and_then(|i| rings.rings().get(i)));
        let above = half(rings.rings().get(place + 1));
        let weight = (above - below) / ring.count as f64;
        for direction in ring.first..ring.first + ring.count {
            if !dense.measured[direction] {
                continue;
            }
            total += weight * spectra.ears as f64;
            for logs in dense.logs[direction * width..][..width].chunks_exact(bins) {
                for (power, log) in power.iter_mut().zip(logs) {
                    *power += weight * f64::from((2.0 * log).exp());
                }
            }
        }
    }
    power
        .iter()
        .map(|power| 0.5 * (power / total).max(1e-30).ln())
        .collect()
}

/// Means over bands around each bin.
fn smoothed(logs: &[f64], spectra: &Spectra) -> Vec<f64> {
    let mut sums = vec![0.0];
    for log in logs {
        sums.push(sums[sums.len() - 1] + log);
    }
    let edge = (BAND / 2.0).exp2();
    (0..spectra.frame.bins)
        .map(|bin| {
            let from = (bin as f64 / edge).round() as usize;
            let end = ((bin as f64 * edge).round() as usize + 1).min(logs.len());
            (sums[end] - sums[from]) / (end - from) as f64
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
fn blend(hrirs: &Hrirs, azimuth: f64) -> ([Vec<f32>; 2], f64) {
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
fn response(filter: &[f32], turn: f64) -> Complex64 {
    let step = Complex64::from_polar(1.0, -turn);
    let start = Complex64::new(0.0, 0.0);
    // Horner's rule, from the last tap on.
    filter
        .iter()
        .rev()
        .fold(start, |sum, tap| sum * step + f64::from(*tap))
}

/// Power gain of BS.1770's two filters at a frequency in hertz, as at 48 kHz.
fn k_weighting(frequency: f64) -> f64 {
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
