//! Fractional delays: a windowed sinc, made anew wherever a delay moves, and its FIR over a quantum.

use crate::dsp::convolve::PARTITION;
use crate::dsp::convolve::kernels::{cross, cross_body, kernel, mul_add};
use multiversion::multiversion;
use multiversion::target::match_target;

/// Taps of the sinc.
pub(super) const TAPS: usize = 24;

/// Frames that a delay of 0 takes: the sinc's taps before its centre.
pub(super) const BEFORE: usize = TAPS / 2 - 1;

/// Input frames that a quantum of delayed frames comes from.
pub(super) const WINDOW: usize = PARTITION + TAPS - 1;

/// Kaiser's window (Kaiser 1974) for 70 dB: within 0.003 dB up to 0.8 of half the sample rate.
const SHARP: [f32; 13] = kaiser_terms(70.0);

/// And for 95 dB, up to 0.7 of it: what is heard ends far below where the rate is high, and a delay passes so many frames a
/// second there that the images of its steps lie far from a tone.
const CLEAN: [f32; 18] = kaiser_terms(95.0);

/// From this rate on, in hertz, the window is the clean one.
const HIGH: f64 = 150_000.0;

/// Kaiser's window for an attenuation in dB as a polynomial in 1 - (x / 12)^2: I0(beta sqrt(v)) / I0(beta) by the series of
/// I0.
const fn kaiser_terms<const COUNT: usize>(attenuation: f64) -> [f32; COUNT] {
    let beta = 0.1102 * (attenuation - 8.7);
    let mut terms = [0.0; COUNT];
    let (mut term, mut sum, mut k) = (1.0, 0.0, 0);
    while k < COUNT {
        terms[k] = term;
        sum += term;
        k += 1;
        term *= beta * beta / 4.0 / (k * k) as f64;
    }
    let mut scaled = [0.0; COUNT];
    k = 0;
    while k < COUNT {
        scaled[k] = (terms[k] / sum) as f32;
        k += 1;
    }
    scaled
}

/// Of sin(pi x) from tap to tap, both ears' in one row.
const SIGNS: [f32; 2 * TAPS] = {
    let mut signs = [-1.0; 2 * TAPS];
    let mut index = 1;
    while index < signs.len() {
        signs[index] = 1.0;
        index += 2;
    }
    signs
};

/// What a quantum comes from, for each ear.
pub(super) type Windows<'a> = [&'a [f32; WINDOW]; 2];

/// The delays of both ears, left first, ready to be applied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delays {
    /// Whole frames.
    whole: [usize; 2],
    /// Taps, that of the oldest frame first.
    taps: [[f32; TAPS]; 2],
    /// Whether the rate is high.
    high: bool,
}

impl Delays {
    /// At a rate in hertz, not set yet.
    pub fn new(rate: f64) -> Delays {
        Delays {
            whole: [0; 2],
            taps: [[0.0; TAPS]; 2],
            high: rate >= HIGH,
        }
    }

    /// Delays of `frames` (not negative; with 11 more that every delay takes), with the air's outer taps `share`, `lag`
    /// frames off the centre.
    pub fn set(&mut self, frames: [f64; 2], share: f64, lag: usize) {
        let mut fractions = [0.0; 2];
        for ear in 0..2 {
            let whole = frames[ear] as u32;
            self.whole[ear] = whole as usize;
            // A whole number of frames would divide by 0: a millionth of a frame beside it is as good.
            fractions[ear] = ((frames[ear] - f64::from(whole)) as f32).clamp(1e-6, 1.0 - 1e-6);
        }
        let sinc = if self.high { clean_sinc } else { sharp_sinc };
        sinc(fractions, share as f32, lag, &mut self.taps);
    }

    /// An ear's taps with their ages in frames.
    #[cfg(test)]
    pub fn by_age(&self, ear: usize) -> impl Iterator<Item = (usize, f32)> {
        let ages = (self.whole[ear]..self.whole[ear] + TAPS).rev();
        ages.zip(self.taps[ear])
    }

    /// Past frames that a delay of up to `frames` needs.
    pub fn past(frames: f64) -> usize {
        frames.ceil() as usize + TAPS - 1
    }

    /// Age of the oldest frame that an ear's first one of the quantum comes from.
    pub fn reach(&self, ear: usize) -> usize {
        self.whole[ear] + TAPS - 1
    }
}

/// The window, frames from its centre.
#[inline(always)]
fn kaiser<const FUSED: bool, const COUNT: usize>(x: f32, terms: &[f32; COUNT]) -> f32 {
    const HALF: f32 = (TAPS / 2) as f32;
    let u = x * (1.0 / HALF);
    let v = 1.0 - u * u;
    let mut window = terms[COUNT - 1];
    for term in terms.iter().rev().skip(1) {
        window = mul_add::<FUSED>(window, v, *term);
    }
    window
}

kernel!(
    /// Windowed sincs of the places k - 11 - fraction, reversed, for both ears: together they are whole vectors.
    sharp_sinc = sharp_sinc_body(fractions: [f32; 2], share: f32, lag: usize, taps: &mut [[f32; TAPS]; 2])
);

kernel!(
    /// The same for a high rate.
    clean_sinc = clean_sinc_body(fractions: [f32; 2], share: f32, lag: usize, taps: &mut [[f32; TAPS]; 2])
);

#[inline(always)]
fn sharp_sinc_body<const FUSED: bool>(
    fractions: [f32; 2],
    share: f32,
    lag: usize,
    taps: &mut [[f32; TAPS]; 2],
) {
    sinc::<FUSED, _>(fractions, share, lag, &SHARP, taps);
}

#[inline(always)]
fn clean_sinc_body<const FUSED: bool>(
    fractions: [f32; 2],
    share: f32,
    lag: usize,
    taps: &mut [[f32; TAPS]; 2],
) {
    sinc::<FUSED, _>(fractions, share, lag, &CLEAN, taps);
}

#[inline(always)]
fn sinc<const FUSED: bool, const COUNT: usize>(
    fractions: [f32; 2],
    share: f32,
    lag: usize,
    window: &[f32; COUNT],
    taps: &mut [[f32; TAPS]; 2],
) {
    // Of sin(pi x) only the sign changes from tap to tap: what it is does not matter to what adds up to 1. Signs of the
    // neighbours that the air adds.
    let shift = lag as f32;
    let outer = if lag.is_multiple_of(2) { share } else { -share };
    // The window must not take from the outer taps what makes the sum 1.
    let outer = outer / kaiser::<FUSED, _>(shift, window);
    // Where the taps are, from there on as one row: their place, and after that their value.
    for (taps, fraction) in taps.iter_mut().zip(fractions) {
        for (index, tap) in taps.iter_mut().enumerate() {
            // Reversed: the first tap is that of the oldest frame.
            *tap = (TAPS - 1 - index) as f32 - BEFORE as f32 - fraction;
        }
    }
    let taps = taps.as_flattened_mut();
    for (tap, sign) in taps.iter_mut().zip(SIGNS) {
        let x = *tap;
        let part = sign * kaiser::<FUSED, _>(x, window);
        *tap = part / x * (1.0 - 2.0 * share);
        if share > 0.0 {
            let around = 1.0 / (x - shift) + 1.0 / (x + shift);
            *tap += part * outer * around;
        }
    }
    // Their sum is the gain of what is low: where it changed with the fraction, a delay that moves would make sidebands,
    // far from a tone where the sample rate is high.
    let (rows, _) = taps.as_chunks_mut::<TAPS>();
    for taps in rows {
        let whole = 1.0 / sum(taps);
        taps.iter_mut().for_each(|tap| *tap *= whole);
    }
}

/// The sum of taps: thirds onto each other, then halves, where a chain of additions would take longer than all the rest.
#[inline(always)]
fn sum(taps: &[f32; TAPS]) -> f32 {
    let (thirds, _) = taps.as_chunks::<{ TAPS / 3 }>();
    let mut sums = thirds[0];
    for k in 0..TAPS / 3 {
        sums[k] = sums[k] + thirds[1][k] + thirds[2][k];
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// A quantum through delays that are still: what each ear's window becomes.
pub(super) fn apply(windows: Windows, delays: &Delays, out: &mut [[f32; PARTITION]; 2]) {
    for ear in 0..2 {
        fir(windows[ear], &delays.taps[ear], &mut out[ear]);
    }
}

/// A quantum from delays to others, in a straight line: what each ear's window of the ones and of the others becomes.
pub(super) fn apply_between(
    [windows, others]: [Windows; 2],
    [start, end]: [&Delays; 2],
    out: &mut [[f32; PARTITION]; 2],
) {
    for ear in 0..2 {
        let taps = [&start.taps[ear], &end.taps[ear]];
        if start.whole[ear] == end.whole[ear] {
            // Nearly always: what is loaded serves both.
            fir_between(windows[ear], taps, &mut out[ear]);
        } else {
            let mut end = [0.0; PARTITION];
            fir(windows[ear], taps[0], &mut out[ear]);
            fir(others[ear], taps[1], &mut end);
            cross(&mut out[ear], &end);
        }
    }
}

kernel!(
    /// A window through taps.
    fir = fir_body(window: &[f32; WINDOW], taps: &[f32; TAPS], out: &mut [f32; PARTITION])
);

#[inline(always)]
fn fir_body<const FUSED: bool>(
    window: &[f32; WINDOW],
    taps: &[f32; TAPS],
    out: &mut [f32; PARTITION],
) {
    let mut sum = [0.0f32; PARTITION];
    for (k, tap) in taps.iter().enumerate() {
        let frames: &[f32; PARTITION] = window[k..].first_chunk().expect("long enough");
        for n in 0..PARTITION {
            sum[n] = mul_add::<FUSED>(frames[n], *tap, sum[n]);
        }
    }
    *out = sum;
}

kernel!(
    /// A window through taps that change to others, in a straight line.
    fir_between = fir_between_body(window: &[f32; WINDOW], taps: [&[f32; TAPS]; 2], out: &mut [f32; PARTITION])
);

#[inline(always)]
fn fir_between_body<const FUSED: bool>(
    window: &[f32; WINDOW],
    taps: [&[f32; TAPS]; 2],
    out: &mut [f32; PARTITION],
) {
    let (mut start, mut end) = ([0.0; PARTITION], [0.0; PARTITION]);
    for k in 0..TAPS {
        let frames: &[f32; PARTITION] = window[k..].first_chunk().expect("long enough");
        let (a, b) = (taps[0][k], taps[1][k]);
        for n in 0..PARTITION {
            start[n] = mul_add::<FUSED>(frames[n], a, start[n]);
            end[n] = mul_add::<FUSED>(frames[n], b, end[n]);
        }
    }
    cross_body::<FUSED>(&mut start, &end);
    *out = start;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    /// Gain and delay in frames of an ear's taps at a frequency in cycles a frame.
    fn response(delays: &Delays, ear: usize, frequency: f64) -> (f64, f64) {
        let (mut re, mut im) = (0.0, 0.0);
        // Turned back by the centre, so that the phase does not wrap.
        let middle = (TAPS / 2) as f64 - 0.5;
        for (k, tap) in delays.taps[ear].iter().rev().enumerate() {
            let angle = TAU * frequency * (k as f64 - middle);
            re += f64::from(*tap) * angle.cos();
            im -= f64::from(*tap) * angle.sin();
        }
        let late = -im.atan2(re) / (TAU * frequency) + middle - BEFORE as f64;
        (re.hypot(im), delays.whole[ear] as f64 + late)
    }

    #[test]
    fn delays_are_what_they_say() {
        let all = [0.001, 0.02, 0.1, 0.25, 0.32, 0.4];
        // The clean one far more so up to its edge.
        for (step, (rate, bar)) in
            (0..200).flat_map(|step| [(48e3, 1e-3), (176.4e3, 5e-5)].map(|kind| (step, kind)))
        {
            let frames = f64::from(step) * 0.0517;
            let mut delays = Delays::new(rate);
            delays.set([frames, 3.3], 0.0, 1);
            let heard = if delays.high { &all[..5] } else { &all[..] };
            for &frequency in heard {
                let (gain, late) = response(&delays, 0, frequency);
                assert!((gain - 1.0).abs() < bar, "{frames} {frequency}: {gain}");
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
                let mut delays = Delays::new(48e3 * lag as f64);
                delays.set([0.7, frames], share, lag);
                for frequency in [0.01, 0.05, 0.1, 0.2] {
                    let due = 1.0 - 2.0 * share * (1.0 - (TAU * frequency * lag as f64).cos());
                    let (gain, late) = response(&delays, 1, frequency);
                    assert!((gain - due).abs() < 0.03, "{lag} {frequency}: {gain} {due}");
                    assert!((late - frames).abs() < 0.01, "{lag} {frequency}: {late}");
                }
            }
        }
    }

    #[test]
    fn instruction_sets_agree() {
        let mut taps = [[[0.0; TAPS]; 2]; 4];
        sharp_sinc([0.3, 0.9], 0.1, 2, &mut taps[0]);
        sharp_sinc_body::<false>([0.3, 0.9], 0.1, 2, &mut taps[1]);
        clean_sinc([0.3, 0.9], 0.1, 2, &mut taps[2]);
        clean_sinc_body::<false>([0.3, 0.9], 0.1, 2, &mut taps[3]);
        for [a, b] in taps.as_chunks().0 {
            let same = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(a.as_flattened().iter().zip(b.as_flattened()).all(same));
        }
        let window: [f32; WINDOW] = std::array::from_fn(|n| ((n * n) as f32).sin());
        let taps = [&taps[0][0], &taps[0][1]];
        let mut out = [[0.0; PARTITION]; 2];
        fir_between(&window, taps, &mut out[0]);
        fir_between_body::<false>(&window, taps, &mut out[1]);
        assert!(out[0].iter().zip(out[1]).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    /// From delays to others is in a straight line from what the ones make of it to what the others do, whether the whole
    /// frames change or not.
    #[test]
    fn delays_change_in_a_straight_line() {
        let frames: [f32; WINDOW + 8] = std::array::from_fn(|n| ((n * n) as f32).sin());
        for ends in [[3.1, 4.2], [2.9, 6.0]] {
            let (mut start, mut end) = (Delays::new(48e3), Delays::new(48e3));
            start.set([3.0, 4.9], 0.1, 1);
            end.set(ends, 0.0, 1);
            let window = |delays: &Delays, ear: usize| -> &[f32; WINDOW] {
                frames[8 - delays.whole[ear]..].first_chunk().unwrap()
            };
            let windows = |delays: &Delays| [0, 1].map(|ear| window(delays, ear));
            let mut out = [[[0.0; PARTITION]; 2]; 3];
            apply(windows(&start), &start, &mut out[0]);
            apply(windows(&end), &end, &mut out[1]);
            let both = [windows(&start), windows(&end)];
            apply_between(both, [&start, &end], &mut out[2]);
            for (ear, n) in (0..2).flat_map(|ear| (0..PARTITION).map(move |n| (ear, n))) {
                let way = n as f32 / PARTITION as f32;
                let due = (1.0 - way) * out[0][ear][n] + way * out[1][ear][n];
                assert!((out[2][ear][n] - due).abs() < 1e-5, "{ends:?} {ear} {n}");
            }
        }
    }
}
