//! How near a decoder is to its set, as ACCEPTANCE.md defines it; nothing of the fit's own arithmetic.

use super::measure::{decibels, spectrum, time_difference};
use realfft::num_complex::Complex64;
use std::f64::consts::TAU;
use std::thread;
use zeitgeber::dsp::ambisonics::{Decoder, encode};
use zeitgeber::dsp::hrir::Hrirs;
use zeitgeber::hrtf::Aligned;

/// Bins of the spectra from here to there, in hertz, at a rate.
fn band(rate: f64, from: f64, to: f64) -> std::ops::RangeInclusive<usize> {
    let spacing = rate / 4096.0;
    (from / spacing).ceil() as usize..=(to.min(0.45 * rate) / spacing) as usize
}

/// What a decoder makes of a plane wave: the responses of both ears.
pub fn rendered(decoder: &Decoder, azimuth: f64, elevation: f64) -> [Vec<f32>; 2] {
    let gains = encode(decoder.order, azimuth, elevation);
    [0, 1].map(|ear| {
        let mut sum = vec![0.0_f64; decoder.taps];
        for (channel, gain) in gains.iter().enumerate().take(decoder.channels()) {
            let (taps, sign) = decoder.filter(channel, ear);
            for (sum, tap) in sum.iter_mut().zip(taps) {
                *sum += gain * f64::from(sign * tap);
            }
        }
        sum.into_iter().map(|x| x as f32).collect()
    })
}

/// The directions of a prepared set that were measured, each as heavy as any.
pub fn measured(aligned: &Aligned, hrirs: &Hrirs) -> Vec<(usize, f64)> {
    let weight = 1.0 / aligned.directions.len() as f64;
    let nearest = |[azimuth, elevation]: &[f64; 2]| {
        let (direction, share) = hrirs
            .rings
            .locate(*azimuth, *elevation)
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        assert!(share > 0.99, "{azimuth} {elevation} lies beside the rings");
        (direction, weight)
    };
    aligned.directions.iter().map(nearest).collect()
}

/// All directions of a set, each with the share of the sphere that it stands for; of finer rings than asked for, every
/// second.
pub fn sphere(hrirs: &Hrirs, spacing: f64) -> Vec<(usize, f64)> {
    let every = (spacing / 2.5).max(1.0) as usize;
    let rings: Vec<_> = hrirs.rings.rings().iter().step_by(every).collect();
    let mut weights = Vec::new();
    for (index, ring) in rings.iter().enumerate() {
        let edge = |other: Option<usize>, pole: f64| {
            let other = other.and_then(|i| rings.get(i));
            let place = other.map_or(pole, |o| 0.5 * (o.elevation + ring.elevation));
            place.to_radians().sin()
        };
        let area = edge(Some(index + 1), 90.0) - edge(index.checked_sub(1), -90.0);
        let weight = area / 2.0 / ring.count as f64;
        weights.extend((0..ring.count).map(|k| (ring.first + k, weight)));
    }
    weights
}

/// Means of what a decoder errs by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fidelity {
    /// Log-spectral distance in dB, 0.2 to 16 kHz.
    pub lsd: f64,
    /// Interaural time difference below 1.5 kHz, in microseconds.
    pub itd: f64,
    /// Interaural level difference from 2 to 16 kHz, in dB.
    pub ild: f64,
}

impl Fidelity {
    /// Over some directions, with their weights.
    pub fn of(hrirs: &Hrirs, decoder: &Decoder, directions: &[(usize, f64)]) -> Fidelity {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let part = |core: usize| {
            let mut sum = Fidelity::default();
            for (direction, weight) in directions.iter().skip(core).step_by(cores).copied() {
                let (azimuth, elevation) = hrirs.rings.direction(direction);
                let heard = rendered(decoder, azimuth, elevation).map(|x| spectrum(&x));
                let wanted = [0, 1].map(|ear| spectrum(hrirs.filter(direction, ear)));
                for (heard, wanted) in heard.iter().zip(&wanted) {
                    let bins = band(hrirs.rate, 200.0, 16_000.0);
                    let count = bins.clone().count() as f64;
                    let square = bins
                        .map(|k| decibels(heard[k].norm_sqr() / wanted[k].norm_sqr()).powi(2))
                        .sum::<f64>();
                    sum.lsd += weight * (square / count).sqrt() / 2.0;
                }
                let apart = f64::from(hrirs.itd[direction]) / hrirs.rate;
                let is = time_difference(&heard[0], &heard[1], hrirs.rate, 0.0);
                let was = time_difference(&wanted[0], &wanted[1], hrirs.rate, apart);
                sum.itd += weight * (is - was).abs() * 1e6;
                let level = |ears: &[Vec<Complex64>; 2]| {
                    let [left, right] = ears.each_ref().map(|ear| {
                        band(hrirs.rate, 2000.0, 16_000.0)
                            .map(|k| ear[k].norm_sqr())
                            .sum::<f64>()
                    });
                    decibels(left / right)
                };
                sum.ild += weight * (level(&heard) - level(&wanted)).abs();
            }
            sum
        };
        thread::scope(|scope| {
            let part = &part;
            let parts: Vec<_> = (0..cores)
                .map(|core| scope.spawn(move || part(core)))
                .collect();
            parts.into_iter().fold(Fidelity::default(), |sum, part| {
                let part = part.join().unwrap();
                Fidelity {
                    lsd: sum.lsd + part.lsd,
                    itd: sum.itd + part.itd,
                    ild: sum.ild + part.ild,
                }
            })
        })
    }
}

/// How late a response is in a band (hertz) after another, which is delayed by `by` seconds: the slope of the phase
/// between them, weighed by both magnitudes. In seconds.
pub fn lateness(
    heard: &[Complex64],
    wanted: &[Complex64],
    by: f64,
    rate: f64,
    [from, to]: [f64; 2],
) -> (f64, f64) {
    let spacing = rate / 4096.0;
    let cross: Vec<Complex64> = band(rate, from, to)
        .map(|k| {
            let delay = Complex64::from_polar(1.0, -TAU * k as f64 * spacing * by);
            heard[k] * (wanted[k] * delay).conj()
        })
        .collect();
    let turn: Complex64 = cross.windows(2).map(|pair| pair[1] * pair[0].conj()).sum();
    let weight = cross.iter().map(|x| x.norm()).sum();
    (-turn.arg() / (TAU * spacing), weight)
}
