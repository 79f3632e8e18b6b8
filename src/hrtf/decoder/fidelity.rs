//! What a decoder does to a set: errors of spectra, times and levels, and Gerzon's vectors.

use super::field::picks;
use crate::dsp::ambisonics::{Decoder, encode};
use crate::dsp::hrir::Hrirs;
use crate::hrtf::HrtfError;
use crate::hrtf::head::vector;
use crate::hrtf::progress::{Progress, share};
use crate::hrtf::spectrum::{Transform, fast_length, latest};
use realfft::num_complex::Complex32;
use serde::Serialize;
use std::f64::consts::TAU;

/// Hertz that log-spectral distances span.
const HEARD: [f64; 2] = [200.0, 16_000.0];

/// Hertz that interaural level differences span.
const LEVELS: [f64; 2] = [2_000.0, 16_000.0];

/// Highest frequency of interaural time differences, in hertz, and the largest, in seconds.
const TIMES: (f64, f64) = (1500.0, 1.2e-3);

/// Edges of the bands that vectors are told in: octaves, in hertz.
const OCTAVES: [f64; 8] = [88.0, 177.0, 354.0, 707.0, 1414.0, 2828.0, 5657.0, 11_314.0];

/// How near a decoder is to its set: means over the sphere, by solid angle, and over both ears.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fidelity {
    /// Root of the mean squared difference of levels in dB, 0.2 to 16 kHz.
    pub log_spectral_distance: f64,
    /// Error of the interaural time difference below 1.5 kHz, in microseconds.
    pub itd_error: f64,
    /// Error of the interaural level difference from 2 to 16 kHz, in dB.
    pub ild_error: f64,
    /// Octaves from 125 Hz on.
    pub bands: Vec<Band>,
}

/// One octave.
///
/// The vectors (Gerzon, "General metatheory of auditory localisation", 1992) are those of an ear's responses, with
/// the directions in the place of loudspeakers: where its hearing points to, by amplitude and phase (velocity) and by power
/// (energy), and how much so, from 0 to 1 and, for velocity, beyond.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Band {
    /// Centre in hertz.
    pub frequency: f64,
    /// Length of the velocity vector of the set, and of the decoder.
    pub velocity: [f64; 2],
    /// Degrees between them.
    pub velocity_error: f64,
    /// Length of the energy vector of the set, and of the decoder.
    pub energy: [f64; 2],
    /// Degrees between them.
    pub energy_error: f64,
    /// Power of a diffuse field against the set's, in dB.
    pub diffuse: f64,
    /// Coherence of the ears in a diffuse field (its real part), of the set and of the decoder.
    pub coherence: [f64; 2],
}

/// What one direction adds.
#[derive(Clone)]
struct Part {
    /// Spectra of both ears: of the set, of the decoder.
    spectra: [[Vec<Complex32>; 2]; 2],
    distance: f64,
    itd: f64,
    ild: f64,
}

/// Compares a decoder with the set that it is made from, or another one of its rate.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn fidelity(
    hrirs: &Hrirs,
    decoder: &Decoder,
    progress: &Progress,
) -> Result<Fidelity, HrtfError> {
    let (picks, weights) = picks(&hrirs.rings, 4.0);
    let rate = hrirs.rate;
    let length = fast_length(((rate / 40.0) as usize).max(2 * hrirs.taps));
    let spacing = rate / length as f64;
    let top = ((OCTAVES[OCTAVES.len() - 1].max(HEARD[1]) / spacing) as usize).min(length / 2);
    let mut parts: Vec<Option<Part>> = vec![None; picks.len()];
    share(
        &mut parts,
        1,
        progress,
        [0.0, 1.0],
        || Transform::new(length),
        |transform, index, part| {
            let pick = picks[index];
            let (azimuth, elevation) = hrirs.rings.direction(pick);
            let gains = encode(decoder.order, azimuth, elevation);
            let own =
                [0, 1].map(|ear| transform.spectrum(hrirs.filter(pick, ear))[..=top].to_vec());
            let heard = [0, 1].map(|ear| {
                let mut sum = vec![0.0; decoder.taps];
                for (channel, gain) in gains.iter().enumerate().take(decoder.channels()) {
                    let (taps, sign) = decoder.filter(channel, ear);
                    let gain = *gain as f32 * sign;
                    for (sum, tap) in sum.iter_mut().zip(taps) {
                        *sum += gain * tap;
                    }
                }
                transform.spectrum(&sum)[..=top].to_vec()
            });
            part[0] = Some(compare(
                own,
                heard,
                f64::from(hrirs.itd[pick]) / rate,
                spacing,
            ));
        },
    )?;
    let parts: Vec<Part> = parts.into_iter().flatten().collect();
    let mean = |value: fn(&Part) -> f64| -> f64 {
        parts
            .iter()
            .zip(&weights)
            .map(|(part, weight)| weight * value(part))
            .sum()
    };
    let directions: Vec<[f64; 3]> = picks
        .iter()
        .map(|pick| {
            let (azimuth, elevation) = hrirs.rings.direction(*pick);
            vector(azimuth, elevation)
        })
        .collect();
    let octaves = OCTAVES.windows(2).filter(|edges| edges[1] <= rate / 2.0);
    Ok(Fidelity {
        log_spectral_distance: mean(|part| part.distance),
        itd_error: mean(|part| part.itd) * 1e6,
        ild_error: mean(|part| part.ild),
        bands: octaves
            .map(|edges| {
                let bins = bins([edges[0], edges[1]], spacing, top);
                band(
                    (edges[0] * edges[1]).sqrt(),
                    bins,
                    &parts,
                    &weights,
                    &directions,
                )
            })
            .collect(),
    })
}

fn bins([from, to]: [f64; 2], spacing: f64, top: usize) -> std::ops::Range<usize> {
    let first = (from / spacing).ceil() as usize;
    first.min(top)..((to / spacing) as usize + 1).clamp(first.min(top) + 1, top + 1)
}

/// Errors of one direction. The set's ears are `itd` seconds further apart than their filters say.
fn compare(
    mut own: [Vec<Complex32>; 2],
    heard: [Vec<Complex32>; 2],
    itd: f64,
    spacing: f64,
) -> Part {
    let top = own[0].len() - 1;
    let late = |spectra: &[Vec<Complex32>; 2], centre: f64| {
        let cross: Vec<Complex32> = bins([0.0, TIMES.0], spacing, top)
            .map(|k| spectra[0][k].conj() * spectra[1][k])
            .collect();
        latest(&cross, spacing, centre, TIMES.1)
    };
    let level = |spectra: &[Vec<Complex32>; 2]| {
        let [left, right] = spectra.each_ref().map(|spectrum| {
            let power = bins(LEVELS, spacing, top).map(|k| f64::from(spectrum[k].norm_sqr()));
            power.sum::<f64>().max(1e-30)
        });
        10.0 * (left / right).log10()
    };
    let mut distance = 0.0;
    for (own, heard) in own.iter().zip(&heard) {
        let range = bins(HEARD, spacing, top);
        let count = range.len() as f64;
        let squares = range.map(|k| {
            let power = |bin: Complex32| f64::from(bin.norm_sqr()).max(1e-30);
            (10.0 * (power(heard[k]) / power(own[k])).log10()).powi(2)
        });
        distance += 0.5 * (squares.sum::<f64>() / count).sqrt();
    }
    for (side, spectrum) in [-0.5, 0.5].into_iter().zip(&mut own) {
        for (k, bin) in spectrum.iter_mut().enumerate() {
            let turn = -TAU * k as f64 * spacing * side * itd;
            *bin *= Complex32::from_polar(1.0, turn.rem_euclid(TAU) as f32);
        }
    }
    Part {
        distance,
        itd: (late(&heard, 0.0) - late(&own, 0.0)).abs(),
        ild: (level(&heard) - level(&own)).abs(),
        spectra: [own, heard],
    }
}

fn band(
    frequency: f64,
    bins: std::ops::Range<usize>,
    parts: &[Part],
    weights: &[f64],
    directions: &[[f64; 3]],
) -> Band {
    let mut velocity = [[[0.0; 3]; 2]; 2];
    let mut energy = [[[0.0; 3]; 2]; 2];
    let mut power = [[0.0; 2]; 2];
    let mut cross = [0.0; 2];
    for which in 0..2 {
        for ear in 0..2 {
            let mut shares = 0.0;
            for k in bins.clone() {
                let mut pressure = Complex32::default();
                let mut flow = [Complex32::default(); 3];
                for ((part, weight), direction) in parts.iter().zip(weights).zip(directions) {
                    let bin = part.spectra[which][ear][k] * *weight as f32;
                    pressure += bin;
                    let square = weight * f64::from(part.spectra[which][ear][k].norm_sqr());
                    power[which][ear] += square;
                    for axis in 0..3 {
                        flow[axis] += bin * direction[axis] as f32;
                        energy[which][ear][axis] += square * direction[axis];
                    }
                }
                // Bins whose directions cancel would have the longest vectors, and mean the least.
                let share = f64::from(pressure.norm_sqr());
                shares += share;
                for axis in 0..3 {
                    velocity[which][ear][axis] += f64::from((flow[axis] * pressure.conj()).re);
                }
            }
            for axis in 0..3 {
                velocity[which][ear][axis] /= shares.max(1e-30);
                energy[which][ear][axis] /= power[which][ear].max(1e-30);
            }
        }
        for (part, weight) in parts.iter().zip(weights) {
            let [left, right] = &part.spectra[which];
            cross[which] += bins
                .clone()
                .map(|k| weight * f64::from((left[k] * right[k].conj()).re))
                .sum::<f64>();
        }
    }
    let length = |v: &[f64; 3]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let lengths = |v: &[[[f64; 3]; 2]; 2]| {
        [0, 1].map(|which| 0.5 * (length(&v[which][0]) + length(&v[which][1])))
    };
    let apart = |v: &[[[f64; 3]; 2]; 2]| {
        let angle = |ear: usize| {
            let (a, b) = (&v[0][ear], &v[1][ear]);
            let cosine = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>()
                / (length(a) * length(b)).max(1e-30);
            cosine.clamp(-1.0, 1.0).acos().to_degrees()
        };
        0.5 * (angle(0) + angle(1))
    };
    Band {
        frequency,
        velocity: lengths(&velocity),
        velocity_error: apart(&velocity),
        energy: lengths(&energy),
        energy_error: apart(&energy),
        diffuse: 10.0 * (power[1].iter().sum::<f64>() / power[0].iter().sum::<f64>()).log10(),
        coherence: [0, 1].map(|w| cross[w] / (power[w][0] * power[w][1]).sqrt().max(1e-30)),
    }
}
