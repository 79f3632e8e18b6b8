//! A stream as levels and interaural products of octave bands, 400 times a second.

use crate::analysis::finite;
use crate::analysis::window::blackman_harris;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Frames a second, about: modulations to 100 Hz pass, and nothing from above folds down on them, since
/// the window stops modulations of 300 Hz and more.
const FRAME_RATE: f64 = 400.0;

/// Length of the window in hops: 20 ms, with a main lobe of 200 Hz to each side.
const OVERLAP: usize = 8;

/// Edges of the bands in hertz; the last is lowered to what the rate allows.
const EDGES: [f64; 8] = [
    60.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12_800.0, 20_000.0,
];

/// Only so much is looked at, in seconds: lines are a thousandth of a hertz wide by then.
const LONGEST: f64 = 600.0;

/// A band this far below the strongest is only what the window leaks (power ratio of 80 dB).
const BELOW_STRONGEST: f64 = 1e-8;

/// A band below -130 dBFS holds nothing.
const FLOOR: f64 = 1e-13;

/// One octave band over time.
pub(super) struct Band {
    /// Edges in hertz.
    pub low: f64,
    pub high: f64,
    /// Power of each ear, frame by frame; one ear for mono.
    pub power: [Vec<f32>; 2],
    /// Sum over the band of left times conjugate right; empty for mono.
    pub product: Vec<Complex<f32>>,
    bins: std::ops::Range<usize>,
}

impl Band {
    /// Power of both ears together at a frame.
    pub fn both(&self, frame: usize) -> f64 {
        let ear = |ear: usize| f64::from(self.power[ear].get(frame).copied().unwrap_or(0.0));
        ear(0) + ear(1)
    }
}

/// Short-time spectra of one or two channels, summed into bands.
pub(super) struct Bands {
    rate: f64,
    channels: usize,
    hop: usize,
    window: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    waiting: [Vec<f64>; 2],
    spectra: [Vec<Complex<f64>>; 2],
    bands: Vec<Band>,
    frames: usize,
}

impl Bands {
    /// Bands of a stream of 1 or 2 channels at `rate` hertz.
    pub fn new(rate: f64, channels: usize) -> Bands {
        let hop = ((rate / FRAME_RATE).round() as usize).max(1);
        let size = hop * OVERLAP;
        let fft = RealFftPlanner::new().plan_fft_forward(size);
        let bin = |hertz: f64| (hertz * size as f64 / rate).round() as usize;
        let top = 0.45 * rate;
        let bands = EDGES
            .windows(2)
            .filter(|pair| bin(pair[0]) < bin(pair[1].min(top)))
            .map(|pair| Band {
                low: pair[0],
                high: pair[1].min(top),
                power: [Vec::new(), Vec::new()],
                product: Vec::new(),
                bins: bin(pair[0])..bin(pair[1].min(top)),
            })
            .collect();
        Bands {
            rate,
            channels,
            hop,
            window: blackman_harris(size),
            spectra: [fft.make_output_vec(), fft.make_output_vec()],
            fft,
            waiting: [Vec::new(), Vec::new()],
            bands,
            frames: 0,
        }
    }

    /// Adds one chunk, a slice per channel.
    pub fn push(&mut self, channels: &[&[f32]]) {
        if self.frames as f64 >= LONGEST * self.frame_rate() {
            return;
        }
        for (waiting, channel) in self.waiting.iter_mut().zip(channels) {
            waiting.extend(channel.iter().map(|&sample| finite(sample)));
        }
        let (size, mut start) = (self.window.len(), 0);
        while start + size <= self.waiting[0].len() {
            self.frame(start);
            start += self.hop;
        }
        for waiting in &mut self.waiting[..self.channels] {
            waiting.drain(..start);
        }
    }

    fn frame(&mut self, start: usize) {
        for ear in 0..self.channels {
            let mut windowed: Vec<f64> = self.waiting[ear][start..]
                .iter()
                .zip(&self.window)
                .map(|(x, w)| x * w / self.window.len() as f64)
                .collect();
            // Both lengths come from the plan itself.
            let done = self.fft.process(&mut windowed, &mut self.spectra[ear]);
            debug_assert!(done.is_ok());
        }
        for band in &mut self.bands {
            for (spectrum, power) in self.spectra.iter().zip(&mut band.power[..self.channels]) {
                let sum: f64 = spectrum[band.bins.clone()]
                    .iter()
                    .map(Complex::norm_sqr)
                    .sum();
                power.push(sum as f32);
            }
            if self.channels == 2 {
                let [left, right] = &self.spectra;
                let pairs = left[band.bins.clone()]
                    .iter()
                    .zip(&right[band.bins.clone()]);
                let sum: Complex<f64> = pairs.map(|(l, r)| l * r.conj()).sum();
                band.product
                    .push(Complex::new(sum.re as f32, sum.im as f32));
            }
        }
        self.frames += 1;
    }

    /// Frames a second, exactly.
    pub fn frame_rate(&self) -> f64 {
        self.rate / self.hop as f64
    }

    /// Frames so far.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// 1 or 2.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The bands that hold sound, lowest first.
    pub fn active(&self) -> Vec<&Band> {
        let mean = |band: &Band| {
            (0..self.frames).map(|n| band.both(n)).sum::<f64>() / self.frames.max(1) as f64
        };
        let means: Vec<f64> = self.bands.iter().map(mean).collect();
        let strongest = means.iter().copied().fold(0.0, f64::max);
        self.bands
            .iter()
            .zip(means)
            .filter(|(_, mean)| *mean > FLOOR && *mean > BELOW_STRONGEST * strongest)
            .map(|(band, _)| band)
            .collect()
    }

    /// What the window leaves of a modulation of the power at `frequency` hertz: 1 at 0.
    pub fn response(&self, frequency: f64) -> f64 {
        let middle = (self.window.len() - 1) as f64 / 2.0;
        let step = TAU * frequency / self.rate;
        let turned: f64 = self
            .window
            .iter()
            .enumerate()
            .map(|(n, w)| w * w * (step * (n as f64 - middle)).cos())
            .sum();
        turned / self.window.iter().map(|w| w * w).sum::<f64>()
    }
}
