//! Fractional delays: a windowed sinc, made anew wherever a delay moves, and its FIR over a quantum.

use crate::dsp::convolve::PARTITION;
use crate::dsp::convolve::kernels::{cross_body, kernel, mul_add};
use multiversion::multiversion;
use multiversion::target::match_target;
use std::f64::consts::PI;

/// Taps of the sinc.
pub(super) const TAPS: usize = 24;

/// Frames that a delay of 0 takes: the sinc's taps before its centre.
pub(super) const BEFORE: usize = TAPS / 2 - 1;

/// Input frames that a quantum of delayed frames comes from.
pub(super) const WINDOW: usize = PARTITION + TAPS - 1;

/// Kaiser's window for 70 dB (Kaiser 1974): within 0.003 dB up to 0.8 of half the sample rate.
const BETA: f64 = 0.1102 * (70.0 - 8.7);

/// The window as a polynomial in 1 - (x / 12)^2: I0(beta sqrt(v)) / I0(beta) by the series of I0.
const KAISER: [f32; 13] = {
    let mut terms = [0.0; 13];
    let (mut term, mut sum, mut k) = (1.0, 0.0, 0);
    while k < terms.len() {
        terms[k] = term;
        sum += term;
        k += 1;
        term *= BETA * BETA / 4.0 / (k * k) as f64;
    }
    let mut scaled = [0.0; 13];
    k = 0;
    while k < terms.len() {
        scaled[k] = (terms[k] / sum) as f32;
        k += 1;
    }
    scaled
};

/// A delay, ready to be applied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delay {
    /// Whole frames.
    whole: usize,
    /// Taps, that of the oldest frame first.
    taps: [f32; TAPS],
}

impl Delay {
    /// A delay of `frames` (not negative; with 11 more that every delay takes), with the air's outer taps
    /// `share`, `lag` frames off the centre.
    pub fn new(frames: f64, share: f64, lag: usize) -> Delay {
        let whole = frames as usize;
        // A whole number of frames would divide 0 by 0: a millionth of a frame beside it is as good.
        let fraction = ((frames - whole as f64) as f32).clamp(1e-6, 1.0 - 1e-6);
        let mut taps = [0.0; TAPS];
        sinc(fraction, sine(fraction), share as f32, lag, &mut taps);
        Delay { whole, taps }
    }

    /// Its taps with their ages in frames.
    #[cfg(test)]
    pub fn by_age(&self) -> impl Iterator<Item = (usize, f32)> {
        let ages = (self.whole..self.whole + TAPS).rev();
        ages.zip(self.taps)
    }

    /// Past frames that a delay of up to `frames` needs.
    pub fn past(frames: f64) -> usize {
        frames.ceil() as usize + TAPS - 1
    }

    /// Age of the oldest frame that the quantum's first one comes from.
    pub fn reach(&self) -> usize {
        self.whole + TAPS - 1
    }
}

/// sin(pi x) / pi of 0 to 1, by Taylor's series around the nearer end.
fn sine(x: f32) -> f32 {
    /// (-1)^k / (2k + 1)!.
    const TERMS: [f64; 7] = {
        let mut terms = [1.0; 7];
        let mut k = 1;
        while k < terms.len() {
            terms[k] = -terms[k - 1] / (2 * k * (2 * k + 1)) as f64;
            k += 1;
        }
        terms
    };
    let nearest = f64::from(x.min(1.0 - x));
    let square = (PI * nearest) * (PI * nearest);
    // Terms in pairs (Estrin 1960): one after another they would wait for each other longer than they take.
    let [a, b, c, d, e, f, g] = TERMS;
    let fourth = square * square;
    let low = (a + b * square) + (c + d * square) * fourth;
    let high = (e + f * square) + g * fourth;
    (nearest * (low + high * (fourth * fourth))) as f32
}

/// The window, frames from its centre.
#[inline(always)]
fn kaiser<const FUSED: bool>(x: f32) -> f32 {
    const HALF: f32 = (TAPS / 2) as f32;
    let u = x * (1.0 / HALF);
    let v = 1.0 - u * u;
    let mut window = KAISER[KAISER.len() - 1];
    for term in KAISER.iter().rev().skip(1) {
        window = mul_add::<FUSED>(window, v, *term);
    }
    window
}

kernel!(
    /// Windowed sinc of the places k - 11 - fraction, reversed. `sine` is sin(pi fraction) / pi.
    sinc = sinc_body(fraction: f32, sine: f32, share: f32, lag: usize, taps: &mut [f32; TAPS])
);

#[inline(always)]
fn sinc_body<const FUSED: bool>(
    fraction: f32,
    sine: f32,
    share: f32,
    lag: usize,
    taps: &mut [f32; TAPS],
) {
    // Signs of sin(pi x) from tap to tap, and of the neighbours that the air adds.
    let shift = lag as f32;
    let outer = if lag.is_multiple_of(2) { share } else { -share };
    // The window must not take from the outer taps what makes the sum 1.
    let outer = outer / kaiser::<FUSED>(shift);
    for (index, tap) in taps.iter_mut().enumerate() {
        // Reversed: the first tap is that of the oldest frame.
        let k = TAPS - 1 - index;
        let sign = if k.is_multiple_of(2) { sine } else { -sine };
        let x = (k as f32 - BEFORE as f32) - fraction;
        let window = kaiser::<FUSED>(x);
        *tap = sign * window / x * (1.0 - 2.0 * share);
        if share > 0.0 {
            let around = 1.0 / (x - shift) + 1.0 / (x + shift);
            *tap += sign * window * outer * around;
        }
    }
    // Their sum is the gain of what is low: where it changed with the fraction, a delay that moves would make sidebands, far from a
    // tone where the sample rate is high.
    let sum: f32 = taps.iter().sum();
    let whole = 1.0 / sum;
    taps.iter_mut().for_each(|tap| *tap *= whole);
}

kernel!(
    /// A quantum through a delay that is still.
    fir = fir_body(window: &[f32; WINDOW], delay: &Delay, out: &mut [f32; PARTITION])
);

#[inline(always)]
fn fir_body<const FUSED: bool>(window: &[f32; WINDOW], delay: &Delay, out: &mut [f32; PARTITION]) {
    let mut sum = [0.0f32; PARTITION];
    for (k, tap) in delay.taps.iter().enumerate() {
        let frames: &[f32; PARTITION] = window[k..].first_chunk().expect("long enough");
        for n in 0..PARTITION {
            sum[n] = mul_add::<FUSED>(frames[n], *tap, sum[n]);
        }
    }
    *out = sum;
}

kernel!(
    /// A quantum from one delay to another, in a straight line.
    fir_between = fir_between_body(windows: [&[f32; WINDOW]; 2], delays: [&Delay; 2], out: &mut [f32; PARTITION])
);

#[inline(always)]
fn fir_between_body<const FUSED: bool>(
    windows: [&[f32; WINDOW]; 2],
    delays: [&Delay; 2],
    out: &mut [f32; PARTITION],
) {
    let mut end = [0.0; PARTITION];
    if delays[0].whole == delays[1].whole {
        // Nearly always: what is loaded serves both.
        let mut start = [0.0; PARTITION];
        for k in 0..TAPS {
            let frames: &[f32; PARTITION] = windows[0][k..].first_chunk().expect("long enough");
            let (a, b) = (delays[0].taps[k], delays[1].taps[k]);
            for n in 0..PARTITION {
                start[n] = mul_add::<FUSED>(frames[n], a, start[n]);
                end[n] = mul_add::<FUSED>(frames[n], b, end[n]);
            }
        }
        *out = start;
    } else {
        fir_body::<FUSED>(windows[0], delays[0], out);
        fir_body::<FUSED>(windows[1], delays[1], &mut end);
    }
    cross_body::<FUSED>(out, &end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Gain and delay in frames of taps at a frequency in cycles a frame.
    fn response(delay: &Delay, frequency: f64) -> (f64, f64) {
        let (mut re, mut im) = (0.0, 0.0);
        // Turned back by the centre, so that the phase does not wrap.
        let middle = (TAPS / 2) as f64 - 0.5;
        for (k, tap) in delay.taps.iter().rev().enumerate() {
            let angle = TAU * frequency * (k as f64 - middle);
            re += f64::from(*tap) * angle.cos();
            im -= f64::from(*tap) * angle.sin();
        }
        let late = -im.atan2(re) / (TAU * frequency) + middle - BEFORE as f64;
        (re.hypot(im), delay.whole as f64 + late)
    }

    #[test]
    fn delays_are_what_they_say() {
        for step in 0..200 {
            let frames = f64::from(step) * 0.0517;
            let delay = Delay::new(frames, 0.0, 1);
            for frequency in [0.001, 0.02, 0.1, 0.25, 0.35, 0.4] {
                let (gain, late) = response(&delay, frequency);
                assert!((gain - 1.0).abs() < 1e-3, "{frames} {frequency}: {gain}");
                let bar = 1e-5 / frequency + 1e-3;
                assert!((late - frames).abs() < bar, "{frames} {frequency}: {late}");
            }
        }
    }

    #[test]
    fn air_lowers_the_top_and_nothing_else() {
        for lag in 1..=4 {
            for step in 0..20 {
                let (frames, share) = (3.0 + f64::from(step) / 20.0, 0.01 * f64::from(step));
                let delay = Delay::new(frames, share, lag);
                for frequency in [0.01, 0.05, 0.1, 0.2] {
                    let due = 1.0 - 2.0 * share * (1.0 - (TAU * frequency * lag as f64).cos());
                    let (gain, late) = response(&delay, frequency);
                    assert!((gain - due).abs() < 0.03, "{lag} {frequency}: {gain} {due}");
                    assert!((late - frames).abs() < 0.01, "{lag} {frequency}: {late}");
                }
            }
        }
    }

    #[test]
    fn instruction_sets_agree() {
        let (mut a, mut b) = ([0.0; TAPS], [0.0; TAPS]);
        sinc(0.3, 0.257, 0.1, 2, &mut a);
        sinc_body::<false>(0.3, 0.257, 0.1, 2, &mut b);
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6));
        let window: [f32; WINDOW] = std::array::from_fn(|n| ((n * n) as f32).sin());
        let delays = [a, b].map(|taps| Delay { whole: 0, taps });
        let delays = [&delays[0], &delays[1]];
        let mut out = [[0.0; PARTITION]; 2];
        fir_between([&window; 2], delays, &mut out[0]);
        fir_between_body::<false>([&window; 2], delays, &mut out[1]);
        assert!(out[0].iter().zip(out[1]).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
