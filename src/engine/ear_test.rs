//! A short tone in one ear, so that a listener can tell which side of the headphones is which. It is added to
//! what leaves, after everything else, when a display asks for it; never by itself.

use std::f64::consts::{PI, TAU};

/// Its frequency in hertz.
const HERTZ: f64 = 440.0;
/// Its length and that of its flanks in seconds.
const LENGTH: f64 = 0.8;
const FLANK: f64 = 0.05;
/// Its level: -26 dBFS peak.
const GAIN: f64 = 0.05;

/// The tone that sounds.
#[derive(Debug, Clone, Copy, Default)]
pub struct EarTest {
    ear: usize,
    /// Frames of it that have passed, where it sounds.
    at: Option<u64>,
}

impl EarTest {
    /// Begins; one that sounds is left to end.
    pub fn start(&mut self, ear: usize) {
        if self.at.is_none() {
            *self = EarTest { ear, at: Some(0) };
        }
    }

    /// Adds the tone to the ears.
    pub fn add(&mut self, ears: [&mut [f32]; 2], rate: f64) {
        let Some(mut at) = self.at else {
            return;
        };
        for sample in ears.into_iter().nth(self.ear).into_iter().flatten() {
            let seconds = at as f64 / rate;
            let edge = (seconds.min(LENGTH - seconds) / FLANK).clamp(0.0, 1.0);
            let gain = GAIN * 0.5 * (1.0 - (PI * edge).cos());
            *sample += (gain * (TAU * (HERTZ * seconds).fract()).sin()) as f32;
            at += 1;
        }
        self.at = ((at as f64) < LENGTH * rate).then_some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ear_hears_it_and_it_ends() {
        let mut test = EarTest::default();
        test.start(1);
        let (mut left, mut right) = (vec![0.0f32; 96_000], vec![0.0f32; 96_000]);
        for at in (0..96_000).step_by(480) {
            let range = at..at + 480;
            test.add([&mut left[range.clone()], &mut right[range]], 48_000.0);
        }
        assert!(left.iter().all(|sample| *sample == 0.0));
        let peak = right
            .iter()
            .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        assert!((peak - 0.05).abs() < 1e-3, "{peak}");
        assert!(right[38_400..].iter().all(|sample| *sample == 0.0));
        // Neither end clicks.
        assert!(
            right[..16]
                .iter()
                .chain(&right[38_384..])
                .all(|s| s.abs() < 1e-5)
        );
    }
}
