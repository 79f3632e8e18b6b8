//! The lines in the spectrum of a few seconds of two ears: frequency, amplitude and phase of each tone.
//!
//! One windowed transform names the peaks. A second one, whose window is weighted by time, says how far a
//! peak lies beside its bin: for a lone tone the ratio of both is imaginary and grows with the distance
//! (the reassignment of F. Auger and P. Flandrin, IEEE Trans. Signal Processing 43, 1995).

use super::super::finite;
use super::super::window::{MAIN_LOBE, blackman_harris};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};
use std::ops::Range;
use std::sync::Arc;

/// A segment is looked at in bands of this many hertz, each brought down to a rate of twice as many.
const WIDTH: f64 = 5000.0;

/// From one band to the next, in hertz: they overlap by what sidebands reach.
const STEP: f64 = 3600.0;

/// Carriers this far into a band are its own, in hertz; those below are the last one's.
const OWN: f64 = 700.0;

/// What is as near to the border of two bands, in hertz, is seen in both.
const BORDER: f64 = 0.5;

/// Carriers are looked for up to this many hertz: the highest that a layer can have (1500 Hz and three octaves).
const TOP: f64 = 12_500.0;

/// What is nearer to the upper edge of a band than this is not told, in hertz.
const EDGE: f64 = 50.0;

/// A band above the lowest is looked at where its strongest bin is so many times the mean (power): something stands in it.
const STANDS_IN: f64 = 300.0;

/// A line is clean where beside it there is at most this share of its power: it stays as it is for the whole segment. What
/// begins, ends, dies away or glides has skirts.
const SKIRTS: f64 = 4e-3;

/// Or at most so many times the noise.
const SKIRTS_IN_NOISE: f64 = 4.0;

/// Skirts are looked for between these distances, in lobes.
const BESIDE: (f64, f64) = (1.15, 2.2);

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
    /// Whether it is as it is for the whole segment.
    pub is_clean: bool,
}

/// A band of a stretch of sound, brought down to a rate that is enough for it.
pub(super) struct Band {
    /// One list of samples an ear.
    pub ears: Vec<Vec<f64>>,
    /// Hertz.
    pub rate: f64,
    /// What was brought down to 0 Hz.
    pub offset: f64,
    /// Where the carriers are that are told of this band, in hertz.
    pub own: Range<f64>,
}

/// What transforms of one length have in common: made once, as making it costs more than a transform.
struct Lens {
    /// The window, and time times the window.
    weights: [Vec<f64>; 2],
    fft: Arc<dyn RealToComplex<f64>>,
    /// Frames with the padding.
    size: usize,
    /// Second moment of the window, and what its fourth adds; in frames.
    second: f64,
    cubic: f64,
    /// Root mean square of the time under the square of the window.
    reach: f64,
}

/// All lenses of a stream, and the plans of its transforms.
#[derive(Default)]
pub(super) struct Lenses {
    planner: RealFftPlanner<f64>,
    known: BTreeMap<usize, Arc<Lens>>,
}

impl Lenses {
    /// The lens for so many frames.
    fn of(&mut self, frames: usize) -> Arc<Lens> {
        let Lenses { planner, known } = self;
        let lens = known
            .entry(frames)
            .or_insert_with(|| Arc::new(Lens::new(frames, planner)));
        Arc::clone(lens)
    }
}

impl Lens {
    fn new(frames: usize, planner: &mut RealFftPlanner<f64>) -> Lens {
        let window = blackman_harris(frames);
        let middle = (frames - 1) as f64 / 2.0;
        let time = |n: usize| n as f64 - middle;
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
        let timed: Vec<f64> = (window.iter().enumerate())
            .map(|(n, w)| w * time(n))
            .collect();
        let under: f64 = timed.iter().map(|w| w.powi(2)).sum();
        let size = (4 * frames).next_power_of_two();
        Lens {
            weights: [window, timed],
            fft: planner.plan_fft_forward(size),
            size,
            second,
            cubic: (fourth - 3.0 * second * second) / 6.0,
            reach: (under / squares).sqrt(),
        }
    }
}

/// The spectrum of one ear.
pub(super) struct Spectrum {
    lens: Arc<Lens>,
    /// Of the transform with the window, and of that with time times the window.
    bins: [Vec<Complex<f64>>; 2],
    /// Hertz of a bin.
    step: f64,
    /// Hertz of the first bin.
    offset: f64,
    /// Bins of the padded transform for one of the segment's own.
    padding: f64,
    frames: usize,
}

impl Spectrum {
    /// Of a segment at `rate` hertz that was brought down by `offset` hertz; none where it is too short.
    pub fn new(samples: &[f64], rate: f64, offset: f64, lenses: &mut Lenses) -> Option<Spectrum> {
        let frames = samples.len();
        if frames < SHORTEST {
            return None;
        }
        let lens = lenses.of(frames);
        let mut scratch = lens.fft.make_scratch_vec();
        let mut transform = |weights: &[f64]| {
            let mut input = Vec::with_capacity(lens.size);
            input.extend(samples.iter().zip(weights).map(|(x, w)| x * w));
            input.resize(lens.size, 0.0);
            let mut bins = lens.fft.make_output_vec();
            let done = lens
                .fft
                .process_with_scratch(&mut input, &mut bins, &mut scratch);
            done.ok().map(|()| bins)
        };
        let bins = [transform(&lens.weights[0])?, transform(&lens.weights[1])?];
        Some(Spectrum {
            bins,
            step: rate / lens.size as f64,
            offset,
            padding: lens.size as f64 / frames as f64,
            frames,
            lens,
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
        let lowered = frequency - self.offset;
        let bin = (lowered / self.step)
            .round()
            .clamp(0.0, (self.bins[0].len() - 1) as f64);
        let away = (bin * self.step - lowered) / self.step * TAU / self.size();
        // Phases are those of the middle of the segment.
        let middle = (self.frames - 1) as f64 / 2.0;
        let turn = Complex::cis(TAU * ((bin * middle / self.size()) % 1.0));
        self.bins[0][bin as usize] * turn * 2.0 / self.frames as f64 / self.lobe_at(away)
    }

    fn size(&self) -> f64 {
        self.lens.size as f64
    }

    /// The main lobe near its middle, `away` radians a frame from it.
    fn lobe_at(&self, away: f64) -> f64 {
        (-0.5 * self.lens.second * away.powi(2) + 0.25 * self.lens.cubic * away.powi(4)).exp()
    }

    /// The lines, strongest first.
    pub fn lines(&self) -> Vec<Line> {
        let power: Vec<f64> = self.bins[0].iter().map(Complex::norm_sqr).collect();
        let lobe = (MAIN_LOBE * self.padding).ceil() as usize;
        let end = power.len().min(((WIDTH - EDGE) / self.step) as usize);
        if end <= 2 * lobe {
            return Vec::new();
        }
        let strongest = power[lobe..end].iter().copied().fold(0.0, f64::max);
        let full = (self.frames as f64 / 2.0).powi(2);
        let least = (strongest * BELOW_STRONGEST).max(FLOOR * FLOOR * full);
        let peaks: Vec<usize> = (lobe + 1..end - 1)
            .filter(|&k| power[k] > least && power[k] > power[k - 1] && power[k] >= power[k + 1])
            .filter(|&k| {
                // The foot of a stronger line is none of its own.
                let near = &power[k.saturating_sub(lobe)..(k + lobe).min(power.len())];
                near.iter().all(|other| *other <= power[k])
            })
            .collect();
        let found: Vec<(usize, f64)> = peaks
            .into_iter()
            .map(|k| (k, self.surroundings(&power, k, lobe) / QUARTILE))
            .filter(|(k, noise)| power[*k] > STANDS_OUT * QUARTILE * noise)
            .collect();
        let places: Vec<usize> = found.iter().map(|(k, _)| *k).collect();
        let line = |(n, (k, noise)): (usize, &(usize, f64))| {
            let skirts = self.skirts(&power, &places, n);
            let most = (SKIRTS * power[*k]).max(SKIRTS_IN_NOISE * noise);
            self.line(*k, power[*k], *noise, skirts <= most)
        };
        let mut lines: Vec<Line> = found.iter().enumerate().map(line).collect();
        lines.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
        lines.truncate(MOST);
        lines
    }

    /// Power beside peak `n` of those at `places`, on the side that has less; 0 where other lines hide it.
    fn skirts(&self, power: &[f64], places: &[usize], n: usize) -> f64 {
        let lobe = MAIN_LOBE * self.padding;
        let (k, reach) = (places[n], lobe as usize + 1);
        let near = &places[n.saturating_sub(6)..(n + 7).min(places.len())];
        let free = |j: &usize| {
            near.iter()
                .all(|other| *other == k || other.abs_diff(*j) > reach)
        };
        let (from, to) = ((BESIDE.0 * lobe) as usize, (BESIDE.1 * lobe) as usize);
        let mean = |bins: &mut dyn Iterator<Item = usize>| -> Option<f64> {
            let seen: Vec<f64> = bins
                .filter(free)
                .filter_map(|j| power.get(j).copied())
                .collect();
            (!seen.is_empty()).then(|| seen.iter().sum::<f64>() / seen.len() as f64)
        };
        let below = mean(&mut (k.saturating_sub(to)..k.saturating_sub(from)));
        let above = mean(&mut (k + from..k + to));
        below
            .into_iter()
            .chain(above)
            .reduce(f64::min)
            .unwrap_or(0.0)
    }

    fn line(&self, k: usize, power: f64, noise: f64, is_clean: bool) -> Line {
        let measured = -(self.bins[1][k] / self.bins[0][k]).im;
        let mut away = measured / self.lens.second;
        for _ in 0..3 {
            away = (measured + self.lens.cubic * away.powi(3)) / self.lens.second;
        }
        // No farther than between two bins of the segment: beyond, it is no lone tone.
        let away = away.clamp(-PI / self.frames as f64, PI / self.frames as f64);
        let hertz = self.step * self.size() / TAU;
        let spread = (noise / (2.0 * power)).sqrt() * self.lens.reach / self.lens.second;
        Line {
            frequency: self.offset + k as f64 * self.step - away * hertz,
            uncertainty: (spread * hertz).hypot(2e-5 * self.bin()),
            amplitude: 2.0 * power.sqrt() / self.frames as f64 / self.lobe_at(away),
            is_clean,
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

/// A stretch of one or two ears in bands: by a transform of the whole, whose ends the windows take. Bands above the lowest
/// are there only where something stands in them.
pub(super) fn bands(ears: &[&[f32]], rate: f64, lenses: &mut Lenses) -> Vec<Band> {
    let count = ears.iter().map(|ear| ear.len()).min().unwrap_or(0) & !1;
    if count < SHORTEST || !(rate.is_finite() && rate > 0.0) {
        return Vec::new();
    }
    let few = ((count as f64 * 2.0 * WIDTH / rate / 2.0).round() as usize) * 2;
    let samples = |ear: &&[f32]| ear[..count].iter().map(|x| finite(*x)).collect();
    let inputs: Vec<Vec<f64>> = ears.iter().take(2).map(samples).collect();
    if few >= count || few < SHORTEST {
        return vec![Band {
            ears: inputs,
            rate,
            offset: 0.0,
            own: 0.0..TOP,
        }];
    }
    let (forward, inverse) = (
        lenses.planner.plan_fft_forward(count),
        lenses.planner.plan_fft_inverse(few),
    );
    let spectrum = |mut input: Vec<f64>| {
        let mut bins = forward.make_output_vec();
        // Both lengths come from the plan itself.
        let done = forward.process(&mut input, &mut bins);
        debug_assert!(done.is_ok());
        bins
    };
    let spectra: Vec<Vec<Complex<f64>>> = inputs.into_iter().map(spectrum).collect();
    let bin = rate / count as f64;
    let stands = |bins: &[Complex<f64>]| {
        let (sum, most) = bins.iter().fold((0.0, 0f64), |(sum, most), bin| {
            (sum + bin.norm_sqr(), most.max(bin.norm_sqr()))
        });
        most * bins.len() as f64 > STANDS_IN * sum
    };
    let part = |n: u32| {
        let start = (STEP * f64::from(n) / bin).round() as usize;
        let end = start + few / 2 + 1;
        let is_there = |bins: &Vec<Complex<f64>>| {
            let upper = bins.get(start..end.min(bins.len())).unwrap_or_default();
            n == 0 || (upper.len() > SHORTEST && stands(upper))
        };
        if !spectra.iter().any(is_there) {
            return None;
        }
        let ear = |bins: &Vec<Complex<f64>>| {
            let upper = bins.get(start..end.min(bins.len())).unwrap_or_default();
            let mut part = upper.to_vec();
            part.resize(few / 2 + 1, Complex::default());
            for edge in [0, few / 2] {
                part[edge].im = 0.0;
            }
            let mut output = inverse.make_output_vec();
            let done = inverse.process(&mut part, &mut output);
            debug_assert!(done.is_ok());
            output.iter_mut().for_each(|x| *x /= count as f64);
            output
        };
        let from = STEP * f64::from(n) + if n == 0 { 0.0 } else { OWN - BORDER };
        Some(Band {
            ears: spectra.iter().map(ear).collect(),
            rate: rate * few as f64 / count as f64,
            offset: start as f64 * bin,
            own: from..(STEP * f64::from(n + 1) + OWN).min(TOP),
        })
    };
    (0..)
        .take_while(|n| STEP * f64::from(*n) + OWN < TOP.min(rate / 2.0))
        .filter_map(part)
        .collect()
}
