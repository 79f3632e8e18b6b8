//! Energy by band.

use super::finite;
use realfft::RealFftPlanner;
use std::f64::consts::TAU;

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
    fn a_tone_is_in_its_band() {
        let tone: Vec<f32> = (0..48_000)
            .map(|n| (0.1 * (TAU * 440.0 * n as f64 / 48_000.0).sin()) as f32)
            .collect();
        let found = bands(&tone, 48_000.0, &[150.0, 600.0]);
        assert!((found[1] - 0.1 / 2f64.sqrt()).abs() < 1e-6, "{found:?}");
        assert!(found[0] < 1e-5 && found[2] < 1e-5, "{found:?}");
    }
}
