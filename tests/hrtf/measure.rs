//! How sets are measured, as ACCEPTANCE.md defines it; nothing of the preparation's own arithmetic.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::TAU;
use zeitgeber::dsp::hrir::Hrirs;
use zeitgeber::hrtf::Aligned;

/// Length of the spectra at 44.1 or 48 kHz.
const LENGTH: usize = 4096;

/// Decibels of a ratio of powers.
pub fn decibels(power: f64) -> f64 {
    10.0 * power.log10()
}

/// A response's spectrum: bins from 0 to half its rate.
pub fn spectrum(response: &[f32]) -> Vec<Complex64> {
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(LENGTH);
    let mut time: Vec<f64> = response.iter().map(|x| f64::from(*x)).collect();
    time.resize(LENGTH, 0.0);
    let mut bins = fft.make_output_vec();
    fft.process(&mut time, &mut bins).unwrap();
    bins
}

/// The filters of both ears in any direction as a renderer blends them, and the ITD in seconds.
pub fn pair(hrirs: &Hrirs, azimuth: f64, elevation: f64) -> ([Vec<f32>; 2], f64) {
    let neighbours = hrirs.rings.locate(azimuth, elevation);
    let filters = [0, 1].map(|ear| {
        let mut sum = vec![0.0; hrirs.taps];
        for (direction, weight) in neighbours {
            for (sum, tap) in sum.iter_mut().zip(hrirs.filter(direction, ear)) {
                *sum += weight * tap;
            }
        }
        sum
    });
    let itd: f64 = neighbours
        .iter()
        .map(|(direction, weight)| f64::from(*weight) * f64::from(hrirs.itd[*direction]))
        .sum();
    (filters, itd / hrirs.rate)
}

/// By how much the right of two spectra is later, in seconds, if it comes `apart` seconds later by itself:
/// the peak of the cross-correlation below 1.5 kHz at 50 times 44.1 kHz, with a parabola.
pub fn time_difference(left: &[Complex64], right: &[Complex64], rate: f64, apart: f64) -> f64 {
    let spacing = rate / LENGTH as f64;
    let step = 1.0 / (50.0 * 44_100.0);
    let steps = (1.2e-3 / step) as i32;
    let bins = (1500.0 / spacing) as usize;
    let cross: Vec<Complex64> = (0..=bins).map(|k| left[k].conj() * right[k]).collect();
    let turn = TAU * spacing;
    let mut phasors: Vec<Complex64> = (0..=bins)
        .map(|k| Complex64::from_polar(1.0, turn * k as f64 * (-f64::from(steps) * step - apart)))
        .collect();
    let turns: Vec<Complex64> = (0..=bins)
        .map(|k| Complex64::from_polar(1.0, turn * k as f64 * step))
        .collect();
    let correlation: Vec<f64> = (-steps..=steps)
        .map(|_| {
            let mut sum = 0.0;
            for ((cross, phasor), turn) in cross.iter().zip(&mut phasors).zip(&turns) {
                sum += (cross * *phasor).re;
                *phasor *= turn;
            }
            sum
        })
        .collect();
    let best = (1..correlation.len() - 1)
        .max_by(|a, b| correlation[*a].total_cmp(&correlation[*b]))
        .unwrap();
    let [a, b, c] = [
        correlation[best - 1],
        correlation[best],
        correlation[best + 1],
    ];
    (best as f64 - f64::from(steps) + 0.5 * (a - c) / (a - 2.0 * b + c)) * step
}

/// How a prepared set differs from measurements.
pub struct Measured {
    /// Mean log-spectral distance in dB, 0.2 to 16 kHz.
    pub lsd: f64,
    /// Of the worst direction and ear.
    pub worst: f64,
    /// Mean error of the interaural time difference in microseconds.
    pub itd: f64,
}

impl Measured {
    /// Compares some measured directions; the level is set by others, or the same.
    pub fn against(
        aligned: &Aligned,
        hrirs: &Hrirs,
        compared: impl Fn(usize) -> bool,
        levelled: impl Fn(usize) -> bool,
    ) -> Measured {
        let spacing = |rate: f64| rate / LENGTH as f64;
        let band = |rate: f64| {
            let bins = [200.0, 16_000.0_f64.min(0.45 * rate)].map(|f| (f / spacing(rate)) as usize);
            bins[0]..=bins[1]
        };
        // Bins of one rate at the frequencies of the other's, by their logarithm.
        let level = |bins: &[Complex64], place: f64| {
            let index = place as usize;
            let share = place - index as f64;
            let [a, b] = [bins[index], bins[index + 1]].map(|bin| decibels(bin.norm_sqr() + 1e-20));
            a + share * (b - a)
        };
        let mut offsets = Vec::new();
        let mut rows = Vec::new();
        for (index, [azimuth, elevation]) in aligned.directions.iter().enumerate() {
            if !compared(index) && !levelled(index) {
                continue;
            }
            let (filters, itd) = pair(hrirs, *azimuth, *elevation);
            let ours = filters.each_ref().map(|filter| spectrum(filter));
            let theirs = [0, 1].map(|ear| spectrum(aligned.window(index, ear)));
            for (ours, theirs) in ours.iter().zip(&theirs) {
                let differences: Vec<f64> = band(aligned.rate)
                    .map(|k| {
                        let frequency = k as f64 * spacing(aligned.rate);
                        level(ours, frequency / spacing(hrirs.rate)) - level(theirs, k as f64)
                    })
                    .collect();
                if levelled(index) {
                    offsets.extend(differences.iter().copied());
                }
                if compared(index) {
                    rows.push(differences);
                }
            }
            if compared(index) {
                let apart = (aligned.starts[index][1] - aligned.starts[index][0]) / aligned.rate;
                let is = time_difference(&ours[0], &ours[1], hrirs.rate, itd);
                let was = time_difference(&theirs[0], &theirs[1], aligned.rate, apart);
                rows.last_mut().unwrap().push((is - was).abs() * 1e6);
            }
        }
        offsets.sort_by(f64::total_cmp);
        let offset = offsets[offsets.len() / 2];
        let mut result = Measured {
            lsd: 0.0,
            worst: 0.0,
            itd: 0.0,
        };
        let bins = band(aligned.rate).count();
        for row in &rows {
            let square = row[..bins]
                .iter()
                .map(|d| (d - offset).powi(2))
                .sum::<f64>();
            let distance = (square / bins as f64).sqrt();
            result.lsd += distance / rows.len() as f64;
            result.worst = result.worst.max(distance);
            if let Some(error) = row.get(bins) {
                result.itd += error / (rows.len() / 2) as f64;
            }
        }
        result
    }
}

/// Loudness of pink noise through two virtual speakers at 30 degrees against plain stereo, in LU: with the
/// same noise on both channels, and with different noise on each. K-weighted by the filters of BS.1770.
pub fn loudness(hrirs: &Hrirs) -> [f64; 2] {
    let sides = [30.0, -30.0].map(|azimuth| {
        let (filters, itd) = pair(hrirs, azimuth, 0.0);
        (filters.map(|filter| spectrum(&filter)), itd)
    });
    let (mut plain, mut alike, mut different) = (0.0, 0.0, 0.0);
    for k in 1..LENGTH / 2 {
        let frequency = k as f64 * hrirs.rate / LENGTH as f64;
        if !(30.0..=18_000.0).contains(&frequency) {
            continue;
        }
        // Pink, under the K curve as a formula of two analogue filters (1682 Hz shelf of 4 dB, 38 Hz).
        let s = frequency / 38.135;
        let high_pass = (s * s) * (s * s) / ((1.0 - s * s).powi(2) + (s / 0.5).powi(2));
        let w = (frequency / 1681.97).powi(2);
        let gain = 1.585;
        let shelf = ((1.0 - gain * w).powi(2) + gain * w / 0.5) / ((1.0 - w).powi(2) + w / 0.5);
        let weight = high_pass * shelf / frequency;
        plain += 2.0 * weight;
        for ear in 0..2 {
            let [a, b] = sides.each_ref().map(|(spectra, itd)| {
                let delay = if ear == 0 { -0.5 } else { 0.5 } * itd;
                spectra[ear][k] * Complex64::from_polar(1.0, -TAU * frequency * delay)
            });
            alike += weight * (a + b).norm_sqr();
            different += weight * (a.norm_sqr() + b.norm_sqr());
        }
    }
    [decibels(alike / plain), decibels(different / plain)]
}
