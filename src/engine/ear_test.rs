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

/// The tone of each ear, where it sounds.
#[derive(Debug, Clone, Copy, Default)]
pub struct EarTest([Option<Tone>; 2]);

#[derive(Debug, Clone, Copy)]
struct Tone {
    /// Frames of it that have passed.
    at: u64,
    /// When it begins and ends, in seconds since then.
    begin: f64,
    end: f64,
}

impl Tone {
    /// One that is about to end, or on its way out, begins again from the level that it has.
    fn turn_back(&mut self, rate: f64) {
        let now = self.at as f64 / rate;
        let left = self.end - now;
        if left < 2.0 * FLANK {
            self.begin = now - left.min(now - self.begin).min(FLANK);
            self.end = self.begin + LENGTH;
        }
    }
}

impl EarTest {
    /// Begins; one that sounds in the same ear goes on, from its way out too, one in the other ear leaves in the time
    /// of a flank.
    pub fn start(&mut self, ear: usize, rate: f64) {
        for (index, tone) in self.0.iter_mut().enumerate() {
            match tone {
                Some(tone) if index != ear => {
                    tone.end = tone.end.min(tone.at as f64 / rate + FLANK);
                }
                Some(tone) if index == ear => tone.turn_back(rate),
                None if index == ear => {
                    *tone = Some(Tone {
                        at: 0,
                        begin: 0.0,
                        end: LENGTH,
                    });
                }
                _ => {}
            }
        }
    }

    /// Adds the tones to the ears.
    pub fn add(&mut self, ears: [&mut [f32]; 2], rate: f64) {
        for (ear, sounding) in ears.into_iter().zip(&mut self.0) {
            let Some(tone) = sounding else {
                continue;
            };
            for sample in ear {
                let seconds = tone.at as f64 / rate;
                let edge = (seconds - tone.begin).min(tone.end - seconds);
                let edge = (edge / FLANK).clamp(0.0, 1.0);
                let gain = GAIN * 0.5 * (1.0 - (PI * edge).cos());
                *sample += (gain * (TAU * (HERTZ * seconds).fract()).sin()) as f32;
                tone.at += 1;
            }
            if tone.at as f64 >= tone.end * rate {
                *sounding = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ear_hears_it_and_it_ends() {
        let mut test = EarTest::default();
        test.start(1, 48_000.0);
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

    #[test]
    fn the_other_ear_takes_over_without_a_click() {
        let rate = 48_000.0;
        let mut test = EarTest::default();
        let mut ears = [vec![0.0f32; 48_000], vec![0.0f32; 48_000]];
        test.start(0, rate);
        for at in (0..48_000).step_by(480) {
            // In the middle of a wave.
            if at == 10_080 {
                test.start(1, rate);
            }
            let [left, right] = &mut ears;
            test.add([&mut left[at..at + 480], &mut right[at..at + 480]], rate);
        }
        let [left, right] = &ears;
        assert!(left[12_480..].iter().all(|sample| *sample == 0.0));
        assert!(right[..10_080].iter().all(|sample| *sample == 0.0));
        assert!(right[20_000..].iter().any(|sample| *sample > 0.049));
        // A cut would be a step of up to the tone's own height; its steepest step is 0.0029.
        for ear in &ears {
            let steepest = ear.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            assert!(steepest.fold(0.0, f32::max) < 0.003);
        }
    }

    #[test]
    fn who_changes_their_mind_hears_the_ear_asked_for_last() {
        let rate = 48_000.0;
        // Left, right, left again: while the first tone still rises, at its height, and as it ends by itself.
        for (other, again) in [(480, 480), (480, 960), (9600, 10_560), (37_440, 37_920)] {
            let mut test = EarTest::default();
            let mut ears = [vec![0.0f32; 96_000], vec![0.0f32; 96_000]];
            for at in (0..96_000).step_by(480) {
                for (when, ear) in [(0, 0), (other, 1), (again, 0)] {
                    if at == when {
                        test.start(ear, rate);
                    }
                }
                let [left, right] = &mut ears;
                test.add([&mut left[at..at + 480], &mut right[at..at + 480]], rate);
            }
            let peak = |ear: &[f32]| ear.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            let [left, right] = &ears;
            assert!(peak(&left[again + 2880..again + 30_000]) > 0.049, "{again}");
            assert!(right[again + 2880..].iter().all(|x| *x == 0.0), "{again}");
            assert!(left[again + 40_000..].iter().all(|x| *x == 0.0), "{again}");
            for ear in &ears {
                let steepest = ear.windows(2).map(|pair| (pair[1] - pair[0]).abs());
                assert!(steepest.fold(0.0, f32::max) < 0.003, "{again}");
            }
        }
    }
}
