//! What the two ears are to each other: coherence, correlation, and what a fold to mono loses.

use super::finite;
use super::window::blackman_harris;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Frames of one spectrum.
const SIZE: usize = 8192;

/// Both ears of a stream, compared; memory does not grow.
pub struct Comparison {
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    waiting: [Vec<f64>; 2],
    /// Power of each ear and their product, bin by bin.
    power: [Vec<f64>; 2],
    product: Vec<Complex<f64>>,
    spectra: u64,
    /// Sums of LL, RR and LR.
    sums: [f64; 3],
}

/// What a [`Comparison`] has found. Each is none where an ear is silent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// 1 the same, 0 nothing in common, -1 opposite.
    pub correlation: Option<f64>,
    /// 0-1: how steadily the ears are related, frequency by frequency, whatever the phase; the mean of the
    /// squared coherence (Welch, 8192 frames), weighted with the power. None below four spectra.
    pub coherence: Option<f64>,
    /// Power in dB that is lost where both ears are folded to (L + R) / 2: 0 where they are the same, 3 where
    /// they have nothing in common, infinite where they are opposite.
    pub fold_loss: Option<f64>,
}

impl Default for Comparison {
    fn default() -> Comparison {
        let fft = RealFftPlanner::new().plan_fft_forward(SIZE);
        Comparison {
            window: blackman_harris(SIZE),
            fft,
            waiting: [Vec::new(), Vec::new()],
            power: [vec![0.0; SIZE / 2 + 1], vec![0.0; SIZE / 2 + 1]],
            product: vec![Complex::default(); SIZE / 2 + 1],
            spectra: 0,
            sums: [0.0; 3],
        }
    }
}

impl Comparison {
    /// Adds one chunk of both ears, of the same length.
    pub fn push(&mut self, left: &[f32], right: &[f32]) {
        for (l, r) in left.iter().zip(right) {
            let (l, r) = (finite(*l), finite(*r));
            self.sums[0] += l * l;
            self.sums[1] += r * r;
            self.sums[2] += l * r;
            self.waiting[0].push(l);
            self.waiting[1].push(r);
            if self.waiting[0].len() == SIZE {
                self.spectrum();
                self.waiting
                    .iter_mut()
                    .for_each(|ear| drop(ear.drain(..SIZE / 2)));
            }
        }
    }

    fn spectrum(&mut self) {
        let transform = |ear: &Vec<f64>| {
            let mut input: Vec<f64> = ear.iter().zip(&self.window).map(|(x, w)| x * w).collect();
            let mut bins = self.fft.make_output_vec();
            self.fft.process(&mut input, &mut bins).ok().map(|()| bins)
        };
        let [Some(left), Some(right)] = [transform(&self.waiting[0]), transform(&self.waiting[1])]
        else {
            return;
        };
        for (k, (l, r)) in left.iter().zip(&right).enumerate() {
            self.power[0][k] += l.norm_sqr();
            self.power[1][k] += r.norm_sqr();
            self.product[k] += l * r.conj();
        }
        self.spectra += 1;
    }

    /// The figures of everything pushed so far.
    pub fn measure(&self) -> Compared {
        let [left, right, both] = self.sums;
        let is_heard = left > 0.0 && right > 0.0;
        let all: f64 = self.power.iter().flatten().sum();
        let coherent: f64 = (0..self.product.len())
            .map(|k| {
                let (l, r) = (self.power[0][k], self.power[1][k]);
                let share = self.product[k].norm_sqr() / (l * r).max(1e-300);
                (l + r) * share.min(1.0)
            })
            .sum();
        // (L + R) / 2 has a quarter of LL + RR + 2 LR.
        let folded = (0.25 * (left + right + 2.0 * both)).max(0.0);
        let loss = 10.0 * (0.5 * (left + right) / folded).log10();
        Compared {
            correlation: is_heard.then(|| both / (left * right).sqrt()),
            coherence: (is_heard && self.spectra >= 4 && all > 0.0).then(|| coherent / all),
            fold_loss: (left + right > 0.0).then_some(loss),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..480_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / (1u32 << 23) as f32 - 1.0) * 0.1
            })
            .collect()
    }

    fn compare(left: &[f32], right: &[f32]) -> Compared {
        let mut comparison = Comparison::default();
        for (left, right) in left.chunks(999).zip(right.chunks(999)) {
            comparison.push(left, right);
        }
        comparison.measure()
    }

    #[test]
    fn the_same_the_opposite_the_late_and_the_foreign() {
        let (one, other) = (noise(1), noise(99));
        let opposite: Vec<f32> = one.iter().map(|x| -x).collect();
        let near = |found: Option<f64>, value: f64, within: f64| {
            assert!(
                (found.unwrap() - value).abs() < within,
                "{found:?} for {value}"
            );
        };
        let same = compare(&one, &one);
        near(same.correlation, 1.0, 1e-9);
        near(same.coherence, 1.0, 1e-9);
        near(same.fold_loss, 0.0, 1e-9);
        let turned = compare(&one, &opposite);
        near(turned.correlation, -1.0, 1e-9);
        near(turned.coherence, 1.0, 1e-9);
        assert_eq!(turned.fold_loss, Some(f64::INFINITY));
        let late = compare(&one[100..], &one);
        assert!(
            late.correlation.unwrap().abs() < 0.01 && late.coherence.unwrap() > 0.9,
            "{late:?}"
        );
        let foreign = compare(&one, &other);
        assert!(foreign.coherence.unwrap() < 0.1, "{foreign:?}");
        near(foreign.fold_loss, 3.01, 0.05);
    }

    #[test]
    fn silence_has_none() {
        let silent = compare(&[0.0; 48_000], &[0.0; 48_000]);
        assert_eq!(
            (silent.correlation, silent.coherence, silent.fold_loss),
            (None, None, None)
        );
        let one_ear = compare(&noise(3), &vec![0.0; 480_000]);
        assert_eq!((one_ear.correlation, one_ear.coherence), (None, None));
        assert!((one_ear.fold_loss.unwrap() - 3.01).abs() < 0.01);
        assert_eq!(compare(&[f32::NAN; 9000], &[1.0; 9000]).correlation, None);
    }
}
