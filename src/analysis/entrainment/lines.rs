//! The lines in the spectrum of a few seconds of two ears: frequency, amplitude and phase of each tone.
//!
//! One windowed transform names the peaks. A second one, whose window is weighted by time, says how far a
//! peak lies beside its bin: for a lone tone the ratio of both is imaginary and grows with the distance
//! (the reassignment of F. Auger and P. Flandrin, IEEE Trans. Signal Processing 43, 1995).

use super::super::finite;
use super::super::window::{MAIN_LOBE, blackman_harris};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::{PI, TAU};

/// Lines are looked for below this many hertz: carriers, and the first harmonics of low ones.
pub(super) const TOP: f64 = 4500.0;

/// The rate in hertz that is enough for them.
const ENOUGH: f64 = 10_000.0;

/// Lines this far below the strongest (60 dB of power) are not told.
const BELOW_STRONGEST: f64 = 1e-6;

/// Nothing below -110 dBFS is called a line (amplitude).
const FLOOR: f64 = 3e-6;

/// A line stands above the lower quartile of its surroundings by at least this ratio of power: noise does
/// that once in 10^12 bins.
const STANDS_OUT: f64 = 100.0;

/// The lower quartile of the power of noise, relative to its mean.
const QUARTILE: f64 = 0.288;

/// At most so many lines an ear.
const MOST: usize = 96;

/// Fewer frames than these hold no lines.
const SHORTEST: usize = 64;

/// A line of one ear.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Hertz.
    pub frequency: f64,
    /// One standard deviation of it.
    pub uncertainty: f64,
    /// Peak amplitude, linear.
    pub amplitude: f64,
}

/// The spectrum of one ear.
pub(super) struct Spectrum {
    /// Of the transform with the window, and of that with time times the window.
    bins: [Vec<Complex<f64>>; 2],
    /// Hertz of a bin.
    step: f64,
    /// Bins of the padded transform for one of the segment's own.
    padding: f64,
    frames: usize,
    /// Second moment of the window, and what its fourth adds; in frames.
    second: f64,
    cubic: f64,
    /// Root mean square of the time under the square of the window.
    reach: f64,
}

impl Spectrum {
    /// Of a segment at `rate` hertz; none where it is too short.
    pub fn new(samples: &[f32], rate: f64) -> Option<Spectrum> {
        let (samples, rate) = lowered(samples, rate)?;
        let frames = samples.len();
        let window = blackman_harris(frames);
        let middle = (frames - 1) as f64 / 2.0;
        let time = |n: usize| n as f64 - middle;
        let size = (4 * frames).next_power_of_two();
        let fft = RealFftPlanner::<f64>::new().plan_fft_forward(size);
        let transform = |weight: &dyn Fn(usize) -> f64| {
            let mut input: Vec<f64> = samples
                .iter()
                .zip(&window)
                .enumerate()
                .map(|(n, (x, w))| x * w * weight(n))
                .collect();
            input.resize(size, 0.0);
            let mut bins = fft.make_output_vec();
            fft.process(&mut input, &mut bins).ok()?;
            // Phases are those of the middle of the segment.
            for (k, bin) in bins.iter_mut().enumerate() {
                *bin *= Complex::cis(TAU * ((k as f64 * middle / size as f64) % 1.0));
            }
            Some(bins)
        };
        let moment = |power: i32| {
            let sum: f64 = window
                .iter()
                .enumerate()
                .map(|(n, w)| w * time(n).powi(power))
                .sum();
            sum / frames as f64
        };
        let (second, fourth) = (moment(2), moment(4));
        let squares: f64 = window.iter().map(|w| w * w).sum();
        let under: f64 = window
            .iter()
            .enumerate()
            .map(|(n, w)| (w * time(n)).powi(2))
            .sum();
        Some(Spectrum {
            bins: [transform(&|_| 1.0)?, transform(&time)?],
            step: rate / size as f64,
            padding: size as f64 / frames as f64,
            frames,
            second,
            cubic: (fourth - 3.0 * second * second) / 6.0,
            reach: (under / squares).sqrt(),
        })
    }

    /// Hertz by which lines have to differ to be told apart.
    pub fn lobe(&self) -> f64 {
        MAIN_LOBE * self.padding * self.step
    }

    /// Hertz of a bin of the segment itself: one over its seconds.
    pub fn bin(&self) -> f64 {
        self.padding * self.step
    }

    /// Amplitude (peak, linear) and phase of whatever is at a frequency.
    pub fn at(&self, frequency: f64) -> Complex<f64> {
        let bin = (frequency / self.step)
            .round()
            .clamp(0.0, (self.bins[0].len() - 1) as f64);
        let away = (bin * self.step - frequency) / self.step * TAU / self.size();
        self.bins[0][bin as usize] * 2.0 / self.frames as f64 / self.lobe_at(away)
    }

    fn size(&self) -> f64 {
        self.frames as f64 * self.padding
    }

    /// The main lobe near its middle, `away` radians a frame from it.
    fn lobe_at(&self, away: f64) -> f64 {
        (-0.5 * self.second * away.powi(2) + 0.25 * self.cubic * away.powi(4)).exp()
    }

    /// The lines, strongest first.
    pub fn lines(&self) -> Vec<Line> {
        let power: Vec<f64> = self.bins[0].iter().map(Complex::norm_sqr).collect();
        let lobe = (MAIN_LOBE * self.padding).ceil() as usize;
        let end = power.len().min((TOP / self.step) as usize);
        if end <= 2 * lobe {
            return Vec::new();
        }
        let strongest = power[lobe..end].iter().copied().fold(0.0, f64::max);
        let full = (self.frames as f64 / 2.0).powi(2);
        let least = (strongest * BELOW_STRONGEST).max(FLOOR * FLOOR * full);
        let mut lines: Vec<Line> = (lobe + 1..end - 1)
            .filter(|&k| power[k] > least && power[k] > power[k - 1] && power[k] >= power[k + 1])
            .filter(|&k| {
                // The foot of a stronger line is none of its own.
                let near = &power[k.saturating_sub(lobe)..(k + lobe).min(power.len())];
                near.iter().all(|other| *other <= power[k])
            })
            .filter_map(|k| {
                let noise = self.surroundings(&power, k, lobe) / QUARTILE;
                (power[k] > STANDS_OUT * QUARTILE * noise).then(|| self.line(k, power[k], noise))
            })
            .collect();
        lines.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
        lines.truncate(MOST);
        lines
    }

    fn line(&self, k: usize, power: f64, noise: f64) -> Line {
        let measured = -(self.bins[1][k] / self.bins[0][k]).im;
        let mut away = measured / self.second;
        for _ in 0..3 {
            away = (measured + self.cubic * away.powi(3)) / self.second;
        }
        // No farther than between two bins of the segment: beyond, it is no lone tone.
        let away = away.clamp(-PI / self.frames as f64, PI / self.frames as f64);
        let hertz = self.step * self.size() / TAU;
        let spread = (noise / (2.0 * power)).sqrt() * self.reach / self.second;
        Line {
            frequency: k as f64 * self.step - away * hertz,
            uncertainty: (spread * hertz).hypot(2e-5 * self.bin()),
            amplitude: 2.0 * power.sqrt() / self.frames as f64 / self.lobe_at(away),
        }
    }

    /// Lower quartile of the power around a bin, its own lobe left out.
    fn surroundings(&self, power: &[f64], k: usize, lobe: usize) -> f64 {
        let reach = 12 * lobe;
        let low = k.saturating_sub(reach)..k.saturating_sub(lobe);
        let high = (k + lobe + 1).min(power.len())..(k + reach).min(power.len());
        let stride = (self.padding as usize).max(1);
        let mut around: Vec<f64> = low.chain(high).step_by(stride).map(|j| power[j]).collect();
        around.sort_by(f64::total_cmp);
        around.get(around.len() / 4).copied().unwrap_or(0.0)
    }
}

/// The segment at a rate of 10 kHz, where it has more: by a transform of the whole, whose ends the window
/// takes.
fn lowered(samples: &[f32], rate: f64) -> Option<(Vec<f64>, f64)> {
    let count = samples.len() & !1;
    let mut input: Vec<f64> = samples[..count].iter().map(|x| finite(*x)).collect();
    if count < SHORTEST || !(rate.is_finite() && rate > 0.0) {
        return None;
    }
    let few = ((count as f64 * ENOUGH / rate / 2.0).round() as usize) * 2;
    if few >= count || few < SHORTEST {
        return Some((input, rate));
    }
    let mut planner = RealFftPlanner::<f64>::new();
    let forward = planner.plan_fft_forward(count);
    let mut bins = forward.make_output_vec();
    forward.process(&mut input, &mut bins).ok()?;
    bins.truncate(few / 2 + 1);
    for edge in [0, few / 2] {
        bins[edge].im = 0.0;
    }
    let inverse = planner.plan_fft_inverse(few);
    let mut output = inverse.make_output_vec();
    inverse.process(&mut bins, &mut output).ok()?;
    output.iter_mut().for_each(|x| *x /= count as f64);
    Some((output, rate * few as f64 / count as f64))
}
