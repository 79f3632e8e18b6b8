//! The inner loops: delays of all images, and their sum on the bus.

use super::images::{FIRST, IMAGES};
use super::line::{GUARD_FRAMES, Line};
use crate::dsp::ambisonics::MAX_CHANNELS;
use crate::dsp::convolve::PARTITION;
use crate::dsp::convolve::kernels::{kernel, mul_add};
use multiversion::multiversion;
use multiversion::target::match_target;

/// One value an image.
pub(super) type Row = [f32; IMAGES];

/// A quantum.
pub(super) type Quantum = [f32; PARTITION];

/// Taps of a fractional delay: Lagrange's interpolation of fifth order (Laakso et al. 1996), within 0.01 dB up to an
/// eighth of the sample rate. Reflections lose some of their top, as they would.
pub(super) const TAPS: usize = 6;

/// Frames that a fractional delay needs at least: its taps before the centre.
pub(super) const LEAST: usize = TAPS / 2 - 1;

/// The delays of all images.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delays {
    frames: [f64; IMAGES],
    whole: [usize; IMAGES],
    /// By tap, that of the newest frame first.
    taps: [Row; TAPS],
}

impl Delays {
    pub const NONE: Delays = Delays {
        frames: [LEAST as f64; IMAGES],
        whole: [LEAST; IMAGES],
        taps: [[0.0; IMAGES]; TAPS],
    };

    /// Of delays in frames; too short ones become [`LEAST`].
    pub fn new(frames: &[f64; IMAGES]) -> Delays {
        let mut delays = Delays::NONE;
        let mut fractions = [0.0; IMAGES];
        for (i, frames) in frames.iter().enumerate() {
            let frames = frames.max(LEAST as f64);
            delays.frames[i] = frames;
            delays.whole[i] = frames as usize;
            fractions[i] = (frames - frames.floor()) as f32;
        }
        lagrange(&fractions, &mut delays.taps);
        delays
    }

    /// Half-way to others.
    pub fn half_way(&self, to: &Delays) -> Delays {
        let middle = |i: usize| 0.5 * (self.frames[i] + to.frames[i]);
        Delays::new(&std::array::from_fn(middle))
    }
}

kernel!(
    /// The weights of frames -2 to 3 for places between 0 and 1.
    lagrange = lagrange_body(fractions: &Row, taps: &mut [Row; TAPS])
);

#[inline(always)]
fn lagrange_body<const FUSED: bool>(fractions: &Row, taps: &mut [Row; TAPS]) {
    const SCALES: [f32; TAPS] = [
        -1.0 / 120.0,
        1.0 / 24.0,
        -1.0 / 12.0,
        1.0 / 12.0,
        -1.0 / 24.0,
        1.0 / 120.0,
    ];
    for (k, (taps, scale)) in taps.iter_mut().zip(SCALES).enumerate() {
        *taps = [scale; IMAGES];
        for other in (0..TAPS).filter(|other| *other != k) {
            let place = other as f32 - LEAST as f32;
            for (tap, fraction) in taps.iter_mut().zip(fractions) {
                *tap *= fraction - place;
            }
        }
    }
}

/// Where a source's past is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'a> {
    /// What has met one wall, and two.
    pub lines: [&'a Line; 2],
    /// Where this piece was written.
    pub at: usize,
    /// Frames before that have been heard.
    pub age: usize,
    /// Frames of this piece.
    pub count: usize,
}

kernel!(
    /// Delays a piece for each image.
    delay = delay_body(past: Past, delays: &Delays, out: &mut [Quantum; IMAGES])
);

#[inline(always)]
fn delay_body<const FUSED: bool>(past: Past, delays: &Delays, out: &mut [Quantum; IMAGES]) {
    let mut scratch = [0.0; GUARD_FRAMES];
    for (i, out) in out.iter_mut().enumerate() {
        let line = past.lines[usize::from(i >= FIRST)];
        let oldest = delays.whole[i] + TAPS - 1 - LEAST;
        let frames = past.count + TAPS - 1;
        let window = line.window(past.at, oldest, frames, past.age, &mut scratch);
        let mut sum = [0.0f32; PARTITION];
        for k in 0..TAPS {
            let (tap, from) = (delays.taps[k][i], TAPS - 1 - k);
            if past.count == PARTITION {
                let frames: &Quantum = window[from..].first_chunk().expect("a whole quantum");
                for n in 0..PARTITION {
                    sum[n] = mul_add::<FUSED>(frames[n], tap, sum[n]);
                }
            } else {
                for (sum, frame) in sum.iter_mut().zip(&window[from..from + past.count]) {
                    *sum = mul_add::<FUSED>(*frame, tap, *sum);
                }
            }
        }
        *out = sum;
    }
}

kernel!(
    /// Goes from one set of signals to another by shares of the way, in a parabola through those half-way.
    blend = blend_body(
        signals: &mut [Quantum; IMAGES], middle: &[Quantum; IMAGES], to: &[Quantum; IMAGES], way: &Quantum
    )
);

#[inline(always)]
fn blend_body<const FUSED: bool>(
    signals: &mut [Quantum; IMAGES],
    middle: &[Quantum; IMAGES],
    to: &[Quantum; IMAGES],
    way: &Quantum,
) {
    let mut bend = [0.0; PARTITION];
    for n in 0..PARTITION {
        bend[n] = 4.0 * way[n] * (1.0 - way[n]);
    }
    for ((signal, middle), to) in signals.iter_mut().zip(middle).zip(to) {
        for n in 0..PARTITION {
            let off = middle[n] - 0.5 * (signal[n] + to[n]);
            let line = mul_add::<FUSED>(to[n] - signal[n], way[n], signal[n]);
            signal[n] = mul_add::<FUSED>(off, bend[n], line);
        }
    }
}

kernel!(
    /// Multiplies signals by a level.
    scale = scale_body(signals: &mut [Quantum; IMAGES], level: &Quantum)
);

#[inline(always)]
fn scale_body<const FUSED: bool>(signals: &mut [Quantum; IMAGES], level: &Quantum) {
    for signal in signals {
        for n in 0..PARTITION {
            signal[n] *= level[n];
        }
    }
}

/// Channels that are summed at a time, at most.
pub(super) const BLOCK: usize = 4;

/// Adds images to a number of channels of the bus, by gains; whole blocks of channels, and whole quanta. Sums of one, two
/// or four channels stay in registers; they are the same.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn encode(
    channels: usize,
    gains: &[Row; MAX_CHANNELS],
    signals: &[Quantum; IMAGES],
    bus: &mut [Quantum; MAX_CHANNELS],
) {
    match_target! {
        "x86_64+avx512f" => encode_body::<true, BLOCK>(channels, gains, signals, bus),
        "x86_64+fma" => encode_body::<true, 2>(channels, gains, signals, bus),
        "aarch64+neon" => encode_body::<true, 2>(channels, gains, signals, bus),
        _ => encode_body::<false, 1>(channels, gains, signals, bus),
    }
}

#[inline(always)]
fn encode_body<const FUSED: bool, const CHANNELS: usize>(
    channels: usize,
    gains: &[Row; MAX_CHANNELS],
    signals: &[Quantum; IMAGES],
    bus: &mut [Quantum; MAX_CHANNELS],
) {
    let blocks = channels.div_ceil(CHANNELS);
    let (gains, _) = gains.as_chunks::<CHANNELS>();
    let (bus, _) = bus.as_chunks_mut::<CHANNELS>();
    // Every count is fixed: with slices of any length compilers give up vectors.
    for (gains, bus) in gains.iter().zip(bus).take(blocks) {
        let mut sums = *bus;
        for i in 0..IMAGES {
            let frames = &signals[i];
            for c in 0..CHANNELS {
                for n in 0..PARTITION {
                    sums[c][n] = mul_add::<FUSED>(frames[n], gains[c][i], sums[c][n]);
                }
            }
        }
        for c in 0..CHANNELS {
            for n in 0..PARTITION {
                bus[c][n] = sums[c][n];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fractional_delay_is_a_delay() {
        let fractions: Row = std::array::from_fn(|i| i as f32 / IMAGES as f32);
        let mut taps = [[0.0; IMAGES]; TAPS];
        lagrange(&fractions, &mut taps);
        for (i, fraction) in fractions.iter().enumerate() {
            for frequency in [0.0, 0.02, 0.08, 0.125] {
                let (mut re, mut im) = (0.0, 0.0);
                for (k, row) in taps.iter().enumerate() {
                    let late = k as f64 - LEAST as f64 - f64::from(*fraction);
                    let angle = std::f64::consts::TAU * frequency * late;
                    re += f64::from(row[i]) * angle.cos();
                    im -= f64::from(row[i]) * angle.sin();
                }
                assert!(
                    (re - 1.0).abs() < 2.5e-3 && im.abs() < 2.5e-3,
                    "{i} {frequency}: {re} {im}"
                );
            }
        }
    }
}
