//! Energy by band, and the rate at which it pulses.

use super::finite;
use realfft::RealFftPlanner;
use std::f64::consts::TAU;

/// Blocks a second of the level that [`pulse`] looks at.
const LEVELS: f64 = 400.0;

/// By how much the line of a pulse exceeds the mean of the level's spectrum, in power.
const STANDS_OUT: f64 = 30.0;

/// The rate in hertz, up to 100, at which the level of a channel pulses most, where one rate stands out. The
/// channel has to hold some four pulses.
pub fn pulse(samples: &[f32], rate: f64) -> Option<f64> {
    let block = (rate / LEVELS).round().max(1.0) as usize;
    let levels: Vec<f64> = samples
        .chunks_exact(block)
        .map(|block| {
            (block.iter().map(|x| finite(*x).powi(2)).sum::<f64>() / block.len() as f64).sqrt()
        })
        .collect();
    let n = levels.len() & !1;
    let mean = levels.iter().sum::<f64>() / n.max(1) as f64;
    if n < 64 || mean < 1e-6 {
        return None;
    }
    let windowed = levels[..n].iter().enumerate().map(|(k, level)| {
        let hann = 0.5 - 0.5 * (TAU * k as f64 / n as f64).cos();
        (level - mean) * hann
    });
    let mut input: Vec<f64> = windowed.collect();
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(n);
    let mut bins = transform.make_output_vec();
    transform.process(&mut input, &mut bins).ok()?;
    let power: Vec<f64> = bins.iter().map(|bin| bin.norm_sqr()).collect();
    let resolution = rate / block as f64 / n as f64;
    let last = ((100.0 / resolution) as usize).min(power.len() - 2);
    let best = (4..=last).max_by(|a, b| power[*a].total_cmp(&power[*b]))?;
    let all = power[4..=last].iter().sum::<f64>() / (last - 3) as f64;
    // Of the mean level, a line of 1 % is a pulse; below it is the rest of what beats elsewhere.
    let least = (0.01 * mean * n as f64 / 4.0).powi(2);
    if power[best] < STANDS_OUT * all || power[best] < least {
        return None;
    }
    let [a, b, c] = [best - 1, best, best + 1].map(|bin| power[bin].max(1e-300).ln());
    Some((best as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)) * resolution)
}

/// RMS of a channel in each of the bands between ascending edges in hertz: below the first, between, above the
/// last. By one windowed transform of the whole.
pub fn bands(samples: &[f32], rate: f64, edges: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; edges.len() + 1];
    let n = samples.len() & !1;
    if n < 16 {
        return sums;
    }
    let windowed = samples[..n].iter().enumerate().map(|(k, x)| {
        let hann = 0.5 - 0.5 * (TAU * k as f64 / n as f64).cos();
        finite(*x) * hann
    });
    let mut input: Vec<f64> = windowed.collect();
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(n);
    let mut bins = transform.make_output_vec();
    if transform.process(&mut input, &mut bins).is_err() {
        return sums;
    }
    // The mean square of Hann's window is 3/8; each bin stands for its mirror image, too.
    let scale = 2.0 / (0.375 * n as f64 * n as f64);
    for (bin, value) in bins.iter().enumerate() {
        let hertz = bin as f64 * rate / n as f64;
        let band = edges.iter().take_while(|edge| hertz >= **edge).count();
        sums[band] += value.norm_sqr() * scale;
    }
    sums.iter().map(|sum| sum.sqrt()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_has_its_rate_and_a_steady_tone_none() {
        let pulsing = |depth: f64| -> Vec<f32> {
            (0..48_000 * 8)
                .map(|n| {
                    let t = n as f64 / 48_000.0;
                    let gain = 1.0 - depth * (0.5 + 0.5 * (TAU * 6.3 * t).cos());
                    (0.1 * gain * (TAU * 440.0 * t).sin()) as f32
                })
                .collect()
        };
        let found = pulse(&pulsing(0.5), 48_000.0).unwrap();
        assert!((found - 6.3).abs() < 0.01, "{found}");
        assert_eq!(pulse(&pulsing(0.0), 48_000.0), None);
        assert_eq!(pulse(&[0.0; 48_000], 48_000.0), None);
    }

    #[test]
    fn a_tone_is_in_its_band() {
        let tone: Vec<f32> = (0..48_000)
            .map(|n| (0.1 * (TAU * 440.0 * n as f64 / 48_000.0).sin()) as f32)
            .collect();
        let found = bands(&tone, 48_000.0, &[150.0, 600.0]);
        assert!((found[1] - 0.1 / 2f64.sqrt()).abs() < 1e-6, "{found:?}");
        assert!(found[0] < 1e-5 && found[2] < 1e-5, "{found:?}");
    }
}
