//! The strongest tones of a channel, each to the microhertz where the length allows.
//!
//! Two passes over a stream in memory that does not grow with its sound: [`Spectrum`] averages windowed
//! spectra and names the peaks, [`Tracker`] compares the phase of each peak from frame to frame with
//! that of a steady tone; the slope of a straight line through the unwrapped phases is the error of the
//! first estimate. A phase known to 1e-5 radians every second for a minute is a frequency known to well
//! below a microhertz. [`tones`] does both for a slice.

use super::window::{MAIN_LOBE, blackman_harris};
use super::{finite, to_db};
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// A steady tone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Hertz.
    pub frequency: f64,
    /// Peak amplitude while it is steady, linear.
    pub amplitude: f64,
    /// Phase of the cosine at the first frame of the stream, in radians, -pi to pi.
    pub phase: f64,
    /// One standard deviation of the frequency, in hertz.
    pub uncertainty: f64,
}

impl Tone {
    /// Peak level in dBFS.
    pub fn level(&self) -> f64 {
        to_db(self.amplitude)
    }
}

/// How many decimals of a frequency in hertz are worth printing: 0 to 6, the microhertz.
pub fn decimals(uncertainty: f64) -> usize {
    if uncertainty > 0.0 {
        (-(2.0 * uncertainty).log10()).floor().clamp(0.0, 6.0) as usize
    } else {
        6
    }
}

/// Peaks this far below the strongest may be side lobes of the window: power ratio of 80 dB.
const BELOW_STRONGEST: f64 = 1e-8;

/// Nothing below -140 dBFS is called a tone (amplitude).
const FLOOR: f64 = 1e-7;

/// A tone stands out of its surroundings by at least this power ratio (13 dB).
const ABOVE_SURROUNDINGS: f64 = 20.0;

/// A tone is steady while its amplitude stays within this ratio.
const STEADY: f64 = 1.06;

/// Frames without a steady tone, after which it is another one that comes.
const PAUSE: usize = 4;

/// Signals shorter than this hold no spectrum worth the name.
const SHORTEST: usize = 16;

/// First pass: the average spectrum of a stream.
pub struct Spectrum {
    rate: f64,
    size: usize,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    waiting: Vec<f64>,
    power: Vec<f64>,
    spectra: u64,
    frames: u64,
}

impl Spectrum {
    /// A spectrum of frames of about 3 s of a stream at `rate` hertz.
    pub fn new(rate: f64) -> Spectrum {
        let size = ((rate * 2.5).clamp(64.0, 4e6) as usize).next_power_of_two();
        Spectrum {
            rate,
            size,
            window: blackman_harris(size),
            fft: RealFftPlanner::new().plan_fft_forward(size),
            waiting: Vec::with_capacity(size),
            power: vec![0.0; size / 2 + 1],
            spectra: 0,
            frames: 0,
        }
    }

    /// Adds one chunk of one channel.
    pub fn push(&mut self, samples: &[f32]) {
        self.frames += samples.len() as u64;
        for &sample in samples {
            self.waiting.push(finite(sample));
            if self.waiting.len() == self.size {
                let windowed: Vec<f64> = self
                    .waiting
                    .iter()
                    .zip(&self.window)
                    .map(|(x, w)| x * w)
                    .collect();
                self.add(windowed);
                self.waiting.drain(..self.size / 2);
            }
        }
    }

    /// Frames pushed so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The strongest peaks, at most `count`, strongest first, in hertz to about a hundredth of a bin.
    pub fn peaks(&mut self, count: usize) -> Vec<f64> {
        // A stream shorter than one frame is windowed as it is.
        let length = if self.spectra == 0 {
            self.waiting.len()
        } else {
            self.size
        };
        if length < SHORTEST {
            return Vec::new();
        }
        if self.spectra == 0 {
            let window = blackman_harris(length);
            let mut windowed: Vec<f64> = self
                .waiting
                .iter()
                .zip(window)
                .map(|(x, w)| x * w)
                .collect();
            windowed.resize(self.size, 0.0);
            self.add(windowed);
        }
        let lobe = (MAIN_LOBE * self.size as f64 / length as f64).ceil() as usize;
        let full = (length as f64 / 2.0).powi(2) * self.spectra as f64;
        let strongest = self.power.iter().skip(lobe).copied().fold(0.0, f64::max);
        let least = (strongest * BELOW_STRONGEST).max(FLOOR * FLOOR * full);
        let last = self.power.len() - 1;
        let mut peaks: Vec<(f64, f64)> = Vec::new();
        for k in lobe + 1..last {
            let power = self.power[k];
            let lobe = k - lobe..=(k + lobe).min(last);
            let is_peak = power > least
                && lobe
                    .clone()
                    .all(|j| self.power[j] < power || (self.power[j] == power && j >= k));
            if is_peak && power > ABOVE_SURROUNDINGS * self.surroundings(k, lobe.end() - k) {
                let [a, b, c] = [k - 1, k, k + 1].map(|j| self.power[j].max(1e-300).ln());
                let bend = a - 2.0 * b + c;
                let offset = if bend < 0.0 {
                    0.5 * (a - c) / bend
                } else {
                    0.0
                };
                peaks.push((power, (k as f64 + offset) * self.rate / self.size as f64));
            }
        }
        peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
        peaks
            .into_iter()
            .take(count)
            .map(|(_, frequency)| frequency)
            .collect()
    }

    /// How alike the signal is to itself one cycle of `frequency` hertz later: 1 for a tone of that
    /// pitch with all its harmonics, about 0 for noise (the autocorrelation, by Wiener and Khinchin).
    /// 0 before a first full frame.
    pub fn periodicity(&self, frequency: f64) -> f64 {
        let turn = self.rate / self.size as f64 / frequency;
        let alike: f64 = (1..)
            .zip(&self.power[1..])
            .map(|(k, power)| power * (TAU * (turn * f64::from(k)).fract()).cos())
            .sum();
        alike / self.power[1..].iter().sum::<f64>().max(1e-300)
    }

    /// Median power around a bin, its own lobe left out.
    fn surroundings(&self, k: usize, lobe: usize) -> f64 {
        let reach = 16 * lobe.max(1);
        let low = k.saturating_sub(reach)..k.saturating_sub(lobe);
        let high = (k + lobe + 1).min(self.power.len())..(k + reach).min(self.power.len());
        let mut around: Vec<f64> = low.chain(high).map(|j| self.power[j]).collect();
        around.sort_by(f64::total_cmp);
        around.get(around.len() / 2).copied().unwrap_or(0.0)
    }

    fn add(&mut self, mut windowed: Vec<f64>) {
        let mut spectrum = self.fft.make_output_vec();
        // Both lengths come from the plan itself.
        if self.fft.process(&mut windowed, &mut spectrum).is_ok() {
            self.spectra += 1;
            self.power
                .iter_mut()
                .zip(&spectrum)
                .for_each(|(sum, bin)| *sum += bin.norm_sqr());
        }
    }
}

/// One first estimate and what the tracker has seen of it.
struct Track {
    frequency: f64,
    /// Window times cosine and minus sine of the estimate, from phase 0.
    cos: Vec<f64>,
    sin: Vec<f64>,
    /// Per frame: amplitude and phase against the estimate.
    seen: Vec<(f64, f64)>,
}

/// Second pass: amplitude and phase of the peaks, frame by frame.
pub struct Tracker {
    rate: f64,
    length: usize,
    tracks: Vec<Track>,
    waiting: Vec<f64>,
    start: u64,
    total: u64,
}

impl Tracker {
    /// A tracker of the estimates `peaks` (hertz, from [`Spectrum::peaks`]) in the same stream of
    /// `frames` frames at `rate` hertz. Frames are 1 s, longer where peaks lie closer than 8 Hz.
    pub fn new(rate: f64, frames: u64, peaks: &[f64]) -> Tracker {
        let mut sorted = peaks.to_vec();
        sorted.sort_by(f64::total_cmp);
        let nearest = sorted
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(f64::INFINITY, f64::min);
        let seconds = (2.0 * MAIN_LOBE / nearest).clamp(1.0, 10.0);
        let length = ((rate * seconds) as u64).min(frames / 2).max(2) as usize;
        let window = blackman_harris(length);
        let tracks = peaks
            .iter()
            .map(|&frequency| {
                let angle = |n: usize| TAU * (frequency * n as f64 / rate).fract();
                let weighed = |f: fn(f64) -> f64| {
                    window
                        .iter()
                        .enumerate()
                        .map(|(n, w)| w * f(angle(n)))
                        .collect()
                };
                Track {
                    frequency,
                    cos: weighed(f64::cos),
                    sin: weighed(f64::sin),
                    seen: Vec::new(),
                }
            })
            .collect();
        Tracker {
            rate,
            length,
            tracks,
            waiting: Vec::with_capacity(length),
            start: 0,
            total: 0,
        }
    }

    /// Adds one chunk of one channel.
    pub fn push(&mut self, samples: &[f32]) {
        self.total += samples.len() as u64;
        let hop = self.length / 2;
        let mut rest = samples;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.length - self.waiting.len()));
            self.waiting
                .extend(now.iter().map(|&sample| finite(sample)));
            rest = later;
            if self.waiting.len() == self.length {
                for track in &mut self.tracks {
                    let turned = (track.frequency * self.start as f64 / self.rate).fract() * TAU;
                    let (re, im) = (
                        dot(&self.waiting, &track.cos),
                        -dot(&self.waiting, &track.sin),
                    );
                    let amplitude = 2.0 * re.hypot(im) / self.length as f64;
                    track.seen.push((amplitude, im.atan2(re) - turned));
                }
                self.waiting.drain(..hop);
                self.start += hop as u64;
            }
        }
    }

    /// The tones, strongest first.
    pub fn tones(&self) -> Vec<Tone> {
        let mut tones: Vec<Tone> = self
            .tracks
            .iter()
            .filter_map(|track| self.tone(track))
            .collect();
        tones.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
        tones
    }

    fn tone(&self, track: &Track) -> Option<Tone> {
        // What a tone is while it is there: fades, and the time in which it is gone, do not count.
        let amplitude = prevailing(&track.seen)?;
        if amplitude < FLOOR {
            return None;
        }
        let steady = amplitude / STEADY..=amplitude * STEADY;
        let hop = (self.length / 2) as f64;
        let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut pause = PAUSE;
        for (k, &(seen, phase)) in track.seen.iter().enumerate() {
            if !steady.contains(&seen) {
                pause += 1;
                continue;
            }
            let time = (k as f64 * hop + (self.length - 1) as f64 / 2.0) / self.rate;
            match runs.last_mut() {
                Some(run) if pause < PAUSE => {
                    let last = run.last().map_or(phase, |point| point.1);
                    run.push((time, phase + TAU * ((last - phase) / TAU).round()));
                }
                // What comes back may have another phase.
                _ => runs.push(vec![(time, phase)]),
            }
            pause = 0;
        }
        let points = runs.into_iter().max_by_key(Vec::len)?;
        let line = Line::through(&points)?;
        let length = self.length as f64 / self.rate;
        let span = length.max(line.span);
        // Other tones leak in at -92 dB; that is what a quiet residual hides.
        let leakage = 2.5e-5 / (TAU * span);
        let uncertainty = if points.len() < 3 {
            // Hardly more than one frame of it.
            0.05 / (length + line.span)
        } else if line.residual > 0.1 {
            // No straight line, no steady tone: what its frequency scatters by.
            line.scatter / TAU
        } else {
            line.slope_error / TAU
        };
        Some(Tone {
            frequency: track.frequency + line.slope / TAU,
            amplitude,
            phase: line.start - TAU * (line.start / TAU).round(),
            uncertainty: uncertainty.hypot(leakage),
        })
    }
}

/// The amplitude at which a tone stays: loud, for many frames. Of amplitudes that are as frequent the louder.
fn prevailing(seen: &[(f64, f64)]) -> Option<f64> {
    let mut sorted: Vec<f64> = seen.iter().map(|seen| seen.0).collect();
    sorted.sort_by(f64::total_cmp);
    let most = *sorted.last()?;
    let (mut best, mut from, mut to) = ((0.0, most), 0, 0);
    for middle in 0..sorted.len() {
        let own = sorted[middle];
        while sorted[from] < own / STEADY {
            from += 1;
        }
        while to < sorted.len() && sorted[to] <= own * STEADY {
            to += 1;
        }
        let weight = own * (to - from) as f64;
        if weight > best.0 {
            best = (weight, sorted[(from + to) / 2]);
        }
    }
    Some(best.1)
}

/// A least-squares straight line.
struct Line {
    slope: f64,
    /// Value at time 0.
    start: f64,
    slope_error: f64,
    residual: f64,
    /// Standard deviation of the slopes from point to point.
    scatter: f64,
    /// Time from the first to the last point.
    span: f64,
}

impl Line {
    fn through(points: &[(f64, f64)]) -> Option<Line> {
        let n = points.len() as f64;
        let (first, last) = (points.first()?, points.last()?);
        let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
        let (t, y) = (mean(|p| p.0), mean(|p| p.1));
        let tt: f64 = points.iter().map(|p| (p.0 - t).powi(2)).sum();
        let ty: f64 = points.iter().map(|p| (p.0 - t) * (p.1 - y)).sum();
        let slope = if tt > 0.0 { ty / tt } else { 0.0 };
        let rest: f64 = points
            .iter()
            .map(|p| (p.1 - y - slope * (p.0 - t)).powi(2))
            .sum();
        let steps: Vec<f64> = points
            .windows(2)
            .map(|p| (p[1].1 - p[0].1) / (p[1].0 - p[0].0) - slope)
            .collect();
        let scatter = steps.iter().map(|step| step * step).sum::<f64>() / steps.len().max(1) as f64;
        Some(Line {
            slope,
            start: y - slope * t,
            slope_error: if tt > 0.0 {
                (rest / (n - 2.0).max(1.0) / tt).sqrt()
            } else {
                0.0
            },
            residual: (rest / n).sqrt(),
            scatter: scatter.sqrt(),
            span: last.0 - first.0,
        })
    }
}

/// Scalar product in four interleaved sums, which the compiler can keep in vector registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a, a_rest) = a.as_chunks::<4>();
    let (b, b_rest) = b.as_chunks::<4>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// The strongest tones of one channel at `rate` hertz, at most `count`, strongest first.
pub fn tones(samples: &[f32], rate: f64, count: usize) -> Vec<Tone> {
    let mut spectrum = Spectrum::new(rate);
    spectrum.push(samples);
    let mut tracker = Tracker::new(rate, samples.len() as u64, &spectrum.peaks(count));
    tracker.push(samples);
    tracker.tones()
}

#[cfg(test)]
#[path = "tones_tests.rs"]
mod tests;
