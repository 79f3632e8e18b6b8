//! Clicks in any sound: where it jumps, or breaks off, as nothing around it does.
//!
//! The third difference of smooth sound is small. A step, a lost sample, a tone that is cut make it large for
//! some samples; it is a click where it stands out of the 40 ms on both sides. Strokes of drums go on after
//! they begin, and are none. A soft click within 40 ms of a loud one is not told. Waves with corners below some 40 Hz may be taken for one.

use super::finite;

/// Seconds on each side that a click is compared with, and those beside it that are its own.
const AROUND: f64 = 0.040;
const OWN: f64 = 0.001;

/// How many times the RMS of its surroundings a click is.
const STANDS_OUT: f64 = 25.0;

/// Softer ones are not heard: a step of about -66 dBFS.
const LEAST: f64 = 1e-3;

/// Places that are kept.
const KEPT: usize = 100;

/// Looks for clicks in one ear; memory does not grow.
pub struct Jumps {
    around: usize,
    own: usize,
    past: [f64; 3],
    waiting: Vec<f64>,
    /// Frame of the first that waits.
    start: u64,
    places: Vec<u64>,
    count: u64,
    last: Option<u64>,
}

impl Jumps {
    /// Of a stream at `rate` hertz.
    pub fn new(rate: f64) -> Jumps {
        Jumps {
            around: ((AROUND * rate) as usize).max(16),
            own: ((OWN * rate) as usize).max(4),
            past: [0.0; 3],
            waiting: Vec::new(),
            start: 0,
            places: Vec::new(),
            count: 0,
            last: None,
        }
    }

    /// Adds one chunk.
    pub fn push(&mut self, samples: &[f32]) {
        for sample in samples {
            let x = finite(*sample);
            let [a, b, c] = self.past;
            self.waiting.push(x - 3.0 * a + 3.0 * b - c);
            self.past = [x, a, b];
        }
        // In long pieces, or the sums would be made again for every sample.
        if self.waiting.len() >= 8 * self.around {
            self.look();
        }
    }

    fn look(&mut self) {
        let length = self.waiting.len();
        if length <= 2 * self.around {
            return;
        }
        let mut sums = Vec::with_capacity(length + 1);
        sums.push(0.0);
        for x in &self.waiting {
            sums.push(sums[sums.len() - 1] + x * x);
        }
        for n in self.around..length - self.around {
            let size = self.waiting[n].abs();
            let frame = self.start + n as u64;
            // The first differences are those of a beginning, which is none.
            if size < LEAST || frame < (self.around + 3) as u64 {
                continue;
            }
            let near = sums[n + self.own + 1] - sums[n - self.own];
            let all = sums[n + self.around + 1] - sums[n - self.around];
            let mean = (all - near).max(0.0) / (2 * (self.around - self.own)) as f64;
            let is_new = self
                .last
                .is_none_or(|last| frame - last > 5 * self.own as u64);
            if size > STANDS_OUT * mean.sqrt() {
                if is_new {
                    self.count += 1;
                    if self.places.len() < KEPT {
                        self.places.push(frame);
                    }
                }
                self.last = Some(frame);
            }
        }
        let done = length - 2 * self.around;
        self.waiting.drain(..done);
        self.start += done as u64;
    }

    /// How many there are, and the frames of the first hundred. The first and the last 40 ms are not judged.
    pub fn finish(mut self) -> (u64, Vec<u64>) {
        self.look();
        (self.count, self.places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn tone() -> Vec<f32> {
        (0..96_000)
            .map(|n| (0.1 * (TAU * 250.3 * f64::from(n) / 48e3).sin()) as f32)
            .collect()
    }

    fn find(samples: &[f32]) -> (u64, Vec<u64>) {
        let mut jumps = Jumps::new(48e3);
        samples.chunks(777).for_each(|chunk| jumps.push(chunk));
        jumps.finish()
    }

    #[test]
    fn each_click_is_found_once_at_its_place() {
        let mut sound = tone();
        sound[20_000] += 0.01;
        sound[50_000..].iter_mut().for_each(|x| *x = -*x);
        sound[70_000..75_000].fill(0.0);
        let (count, places) = find(&sound);
        assert_eq!(count, 4, "{places:?}");
        for (place, at) in places.iter().zip([20_000, 50_000, 70_000, 75_000]) {
            assert!(place.abs_diff(at) < 5, "{places:?}");
        }
    }

    #[test]
    fn what_is_smooth_or_rough_throughout_has_none() {
        let mut state = 1u32;
        let noise: Vec<f32> = (0..96_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
            })
            .collect();
        let square: Vec<f32> = tone().iter().map(|x| 0.1 * x.signum()).collect();
        // Strokes with hiss that dies away.
        let drums: Vec<f32> = noise
            .iter()
            .enumerate()
            .map(|(n, x)| x * (-((n % 12_000) as f32) / 3000.0).exp())
            .collect();
        for (what, sound) in [
            ("tone", tone()),
            ("noise", noise),
            ("square", square),
            ("drums", drums),
        ] {
            assert_eq!(find(&sound).0, 0, "{what}");
        }
        for sound in [&[][..], &[1.0], &[f32::NAN; 9000]] {
            assert_eq!(find(sound).0, 0);
        }
    }
}
