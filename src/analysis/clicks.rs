//! How loud a click is: the peak of what a steep linear-phase high-pass leaves of a low tone.
//!
//! A 400 Hz tone that starts, steps or switches smoothly has nothing above 2 kHz; what is there is the
//! click. The filter stops everything below 1.6 kHz by at least 120 dB and passes from 2 kHz.

use super::window::kaiser;
use super::{finite, to_db};
use std::f64::consts::PI;

/// Upper end of the stop band in hertz.
pub const STOP: f64 = 1600.0;

/// Lower end of the pass band in hertz.
pub const PASS: f64 = 2000.0;

/// Attenuation the filter is designed for, in dB; 120 is promised.
const ATTENUATION: f64 = 130.0;

/// The high-pass, a symmetric FIR of odd length (Kaiser's design, "Digital filters", 1966).
#[derive(Debug, Clone)]
pub struct ClickFilter {
    taps: Vec<f64>,
}

impl ClickFilter {
    /// The filter for a sample rate in hertz; `None` at rates whose half is not above the pass band.
    pub fn new(rate: f64) -> Option<ClickFilter> {
        if !(rate.is_finite() && rate > 2.0 * PASS) {
            return None;
        }
        let width = 2.0 * PI * (PASS - STOP) / rate;
        let half = ((ATTENUATION - 7.95) / (2.285 * width) / 2.0).ceil() as usize;
        let window = kaiser(2 * half + 1, 0.1102 * (ATTENUATION - 8.7));
        let cutoff = (PASS + STOP) / rate;
        let taps = window
            .iter()
            .enumerate()
            .map(|(i, w)| {
                let x = i as f64 - half as f64;
                // A delayed impulse less the low-pass of the same cut-off.
                let low = if x == 0.0 {
                    cutoff
                } else {
                    (PI * cutoff * x).sin() / (PI * x)
                };
                w * (if x == 0.0 { 1.0 } else { 0.0 } - low)
            })
            .collect();
        Some(ClickFilter { taps })
    }

    /// Frames before and after a moment that the filter needs to judge it.
    pub fn reach(&self) -> usize {
        self.taps.len() / 2
    }

    /// The filtered signal wherever the whole filter lies within `samples`: `2 * reach()` frames fewer,
    /// its first frame that of `samples[reach()]`. Ends of the signal are no clicks.
    pub fn filter(&self, samples: &[f32]) -> Vec<f64> {
        let samples: Vec<f64> = samples.iter().map(|&sample| finite(sample)).collect();
        samples
            .windows(self.taps.len())
            .map(|span| {
                span.iter()
                    .zip(&self.taps)
                    .map(|(sample, tap)| sample * tap)
                    .sum()
            })
            .collect()
    }

    /// Peak of the click in dB re a tone of peak `amplitude` (linear); negative infinity where the
    /// signal is shorter than the filter or perfectly smooth.
    pub fn click(&self, samples: &[f32], amplitude: f64) -> f64 {
        let peak = self
            .filter(samples)
            .iter()
            .fold(0.0, |peak: f64, y| peak.max(y.abs()));
        to_db(peak / amplitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 48_000.0;

    fn tone(frequency: f64, frames: usize) -> Vec<f32> {
        (0..frames)
            .map(|n| (2.0 * PI * frequency * n as f64 / RATE).sin() as f32)
            .collect()
    }

    #[test]
    fn stops_below_and_passes_above() {
        let filter = ClickFilter::new(RATE).unwrap();
        for (frequency, low, high) in [
            (400.0, -200.0, -120.0),
            (1600.0, -200.0, -120.0),
            (2000.0, -0.01, 0.01),
            (15e3, -0.1, 0.1),
        ] {
            let level = filter.click(&tone(frequency, 48_000), 1.0);
            assert!((low..high).contains(&level), "{frequency} Hz: {level}");
        }
    }

    #[test]
    fn a_phase_jump_is_a_click_and_a_raised_cosine_is_not() {
        let filter = ClickFilter::new(RATE).unwrap();
        let mut jump = tone(400.0, 48_000);
        jump[24_030..]
            .iter_mut()
            .for_each(|sample| *sample = -*sample);
        assert!(filter.click(&jump, 1.0) > -12.0);
        let mut fade = tone(400.0, 48_000);
        for (n, sample) in fade.iter_mut().enumerate() {
            let x = ((n as f64 - 24_000.0) / 960.0).clamp(0.0, 1.0);
            *sample *= (0.5 + 0.5 * (PI * x).cos()) as f32;
        }
        assert!(filter.click(&fade, 1.0) < -80.0);
    }

    #[test]
    fn edges_are_no_panic() {
        assert!(ClickFilter::new(4000.0).is_none() && ClickFilter::new(f64::NAN).is_none());
        let filter = ClickFilter::new(8000.0).unwrap();
        assert_eq!(filter.click(&[], 1.0), f64::NEG_INFINITY);
        assert_eq!(filter.click(&[1.0], 1.0), f64::NEG_INFINITY);
        assert_eq!(filter.click(&[0.0; 8000], 1.0), f64::NEG_INFINITY);
        assert!(
            filter.click(&[0.5; 8000], 1.0) < -100.0,
            "a constant is no click"
        );
        let broken = vec![f32::NAN; 8000];
        assert_eq!(filter.click(&broken, 1.0), f64::NEG_INFINITY);
    }
}
