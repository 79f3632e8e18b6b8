//! What a display shows of two ears while they sound: spectra, envelope and inter-ear phase around the carrier,
//! loudness, correlation. Fed as the samples come; for the eye, not for figures.

use ebur128::{EbuR128, Mode};
use realfft::num_complex::{Complex32, Complex64};
use realfft::{RealFftPlanner, RealToComplex};
use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Frames of one spectrum.
const LENGTH: usize = 8192;
/// Bands of a spectrum, equal in ratio.
pub const BANDS: usize = 320;
/// The lowest and the highest band in hertz.
pub const REACH: [f64; 2] = [20.0, 20_000.0];
/// The lowest level of a band, in dBFS.
pub const FLOOR: f32 = -120.0;
/// Seconds between two moments of the track, and the length of the window around each.
const HOP: f64 = 0.005;
const WINDOW: f64 = 0.040;
/// Moments that are kept.
pub const MOMENTS: usize = 600;

/// The two ears around the carrier at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Peak of the tone in each ear, linear.
    pub ears: [f32; 2],
    /// Peak of the tone where both ears are mixed, linear.
    pub mixed: f32,
    /// Phase of the right ear before the left in cycles, -0.5 to 0.5; none where an ear is silent.
    pub phase: Option<f32>,
}

/// See the module.
pub struct Monitor {
    rate: f64,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
    past: VecDeque<[f32; 2]>,
    /// Frames until the next moment.
    until: f64,
    track: VecDeque<Moment>,
    loudness: Option<EbuR128>,
    silent: usize,
}

impl Monitor {
    /// For a rate in hertz.
    pub fn new(rate: f64) -> Monitor {
        let fft = RealFftPlanner::new().plan_fft_forward(LENGTH);
        let hann = |n: usize| 0.5 - 0.5 * (TAU * n as f64 / LENGTH as f64).cos();
        Monitor {
            rate,
            window: (0..LENGTH).map(|n| hann(n) as f32).collect(),
            input: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            past: VecDeque::from(vec![[0.0; 2]; LENGTH]),
            until: 0.0,
            track: VecDeque::new(),
            loudness: EbuR128::new(2, (rate.round() as u32).max(1), Mode::M | Mode::S).ok(),
            silent: LENGTH,
        }
    }

    /// The rate in hertz.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes the next frames; `carrier` in hertz is what the track is around.
    pub fn feed(&mut self, frames: &[[f32; 2]], carrier: f64) {
        if let Some(loudness) = &mut self.loudness {
            let mut planes = [Vec::new(), Vec::new()];
            for frame in frames {
                planes[0].push(frame[0]);
                planes[1].push(frame[1]);
            }
            let [left, right] = &planes;
            // The only error is a wrong number of channels.
            let _ = loudness.add_frames_planar_f32(&[left, right]);
        }
        for frame in frames {
            self.past.pop_front();
            self.past.push_back(*frame);
            let quiet = frame.iter().all(|sample| sample.abs() < 1e-6);
            self.silent = if quiet { self.silent + 1 } else { 0 };
            self.until -= 1.0;
            if self.until <= 0.0 {
                self.until += HOP * self.rate;
                let moment = self.moment(carrier);
                if self.track.len() == MOMENTS {
                    self.track.pop_front();
                }
                self.track.push_back(moment);
            }
        }
    }

    /// Whether nothing has been heard for as long as a spectrum looks back.
    pub fn is_silent(&self) -> bool {
        self.silent >= LENGTH
    }

    fn moment(&self, carrier: f64) -> Moment {
        let length = ((WINDOW * self.rate) as usize).clamp(2, self.past.len());
        let step = Complex64::cis(-TAU * carrier / self.rate);
        // The window is a Hann, by the same recurrence.
        let turn = Complex64::cis(TAU / length as f64);
        let (mut hand, mut bell) = (Complex64::new(1.0, 0.0), Complex64::new(1.0, 0.0));
        let mut sums = [Complex64::default(); 2];
        for frame in self.past.range(self.past.len() - length..) {
            let weight = 0.5 - 0.5 * bell.re;
            for (sum, sample) in sums.iter_mut().zip(frame) {
                *sum += hand * (weight * f64::from(*sample));
            }
            hand *= step;
            bell *= turn;
        }
        // A tone of peak 1 sums to a quarter of the length.
        let [left, right] = sums.map(|sum| sum * (4.0 / length as f64));
        let both = left.norm().min(right.norm()) > 1e-5;
        Moment {
            ears: [left.norm() as f32, right.norm() as f32],
            mixed: (0.5 * (left + right)).norm() as f32,
            phase: both.then(|| ((right * left.conj()).arg() / TAU) as f32),
        }
    }

    /// The track so far, the newest last: a moment each 5 ms.
    pub fn track(&self) -> &VecDeque<Moment> {
        &self.track
    }

    /// The newest frames, the newest last.
    pub fn frames(&self, count: usize) -> impl Iterator<Item = [f32; 2]> + '_ {
        let start = self.past.len().saturating_sub(count);
        self.past.range(start..).copied()
    }

    /// The spectra of both ears: for each band the peak of a sine there in dBFS.
    pub fn spectra(&mut self) -> [[f32; BANDS]; 2] {
        let mut spectra = [[FLOOR; BANDS]; 2];
        for (ear, spectrum) in spectra.iter_mut().enumerate() {
            for ((slot, frame), weight) in self.input.iter_mut().zip(&self.past).zip(&self.window) {
                *slot = frame[ear] * weight;
            }
            let done =
                self.fft
                    .process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch);
            if done.is_err() {
                continue;
            }
            self.bands(spectrum);
        }
        spectra
    }

    fn bands(&self, spectrum: &mut [f32; BANDS]) {
        let width = self.rate / LENGTH as f64;
        let last = self.bins.len() - 1;
        let db = |bin: usize| {
            let peak = self.bins[bin.min(last)].norm() * 4.0 / LENGTH as f32;
            (20.0 * peak.max(1e-9).log10()).max(FLOOR)
        };
        for (band, level) in spectrum.iter_mut().enumerate() {
            let (from, to) = (band_hertz(band as f64 - 0.5), band_hertz(band as f64 + 0.5));
            if from > 0.5 * self.rate {
                break;
            }
            let (from, to) = (from / width, to / width);
            // Every bin that is in the band, so that no tone is lost.
            let inside = from.ceil() as usize..=to.floor() as usize;
            let (bins, most) = inside.fold((0, FLOOR), |(bins, most), bin| {
                (bins + 1, most.max(db(bin)))
            });
            *level = match bins {
                0 | 1 => most.max(between(db, band_hertz(band as f64) / width)),
                _ => most,
            };
        }
    }

    /// Momentary and short-term loudness in LUFS (ITU-R BS.1770, EBU Tech 3341); none in silence.
    pub fn loudness(&self) -> [Option<f64>; 2] {
        let heard = |lufs: Result<f64, _>| lufs.ok().filter(|lufs: &f64| *lufs > -70.0);
        match &self.loudness {
            Some(meter) => [
                heard(meter.loudness_momentary()),
                heard(meter.loudness_shortterm()),
            ],
            None => [None; 2],
        }
    }

    /// How alike the ears are over the last spectrum: 1 the same, 0 nothing in common, -1 opposite. None in silence.
    pub fn correlation(&self) -> Option<f32> {
        let mut sums = [0.0f64; 3];
        for [left, right] in &self.past {
            let (left, right) = (f64::from(*left), f64::from(*right));
            sums[0] += left * left;
            sums[1] += right * right;
            sums[2] += left * right;
        }
        let power = (sums[0] * sums[1]).sqrt();
        (power > 1e-9).then(|| (sums[2] / power) as f32)
    }
}

/// A level between bins, on a cubic that is never higher nor lower than the bins beside it: smooth, and without a peak that
/// is not there (Fritsch and Butland 1984, SIAM J. Sci. Stat. Comput. 5:300).
fn between(db: impl Fn(usize) -> f32, at: f64) -> f32 {
    let bin = at as usize;
    let part = (at - bin as f64) as f32;
    let [before, here, next, after] = [bin.saturating_sub(1), bin, bin + 1, bin + 2].map(db);
    let slope = |one: f32, other: f32| match one * other > 0.0 {
        // The harmonic mean, 0 at peaks and dips.
        true => 2.0 * one * other / (one + other),
        false => 0.0,
    };
    let rise = next - here;
    let (first, last) = (slope(here - before, rise), slope(rise, after - next));
    let (square, cube) = (part * part, part * part * part);
    here + first * (part - 2.0 * square + cube)
        + rise * (3.0 * square - 2.0 * cube)
        + last * (cube - square)
}

/// The frequency of a band in hertz.
pub fn band_hertz(band: f64) -> f64 {
    REACH[0] * (REACH[1] / REACH[0]).powf(band / (BANDS - 1) as f64)
}

/// The band of a frequency, in parts.
pub fn band_of(hertz: f64) -> f64 {
    (BANDS - 1) as f64 * (hertz / REACH[0]).ln() / (REACH[1] / REACH[0]).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tones(rate: f64, left: f64, right: f64, seconds: f64) -> Vec<[f32; 2]> {
        let wave = |hertz: f64, n: usize| (0.25 * (TAU * hertz * n as f64 / rate).sin()) as f32;
        let count = (seconds * rate) as usize;
        (0..count)
            .map(|n| [wave(left, n), wave(right, n)])
            .collect()
    }

    #[test]
    fn a_binaural_beat_is_seen_as_it_is() {
        for rate in [44_100.0, 96_000.0] {
            let mut monitor = Monitor::new(rate);
            monitor.feed(&tones(rate, 395.0, 405.0, 1.0), 400.0);
            let [left, right] = monitor.spectra();
            let peak = |spectrum: &[f32; BANDS]| {
                let loudest = (0..BANDS).max_by(|a, b| spectrum[*a].total_cmp(&spectrum[*b]));
                (
                    band_hertz(loudest.unwrap() as f64),
                    spectrum[loudest.unwrap()],
                )
            };
            for (spectrum, hertz) in [(left, 395.0), (right, 405.0)] {
                let (found, level) = peak(&spectrum);
                assert!((found / hertz - 1.0).abs() < 0.03, "{found} for {hertz}");
                assert!((level + 12.04).abs() < 1.6, "{level}");
            }
            let track: Vec<Moment> = monitor.track().iter().copied().collect();
            for pair in track.windows(2).skip(20) {
                assert!((pair[1].ears[0] - 0.25).abs() < 0.01);
                // Ten cycles a second: a twentieth of one between two moments.
                let turned = pair[1].phase.unwrap() - pair[0].phase.unwrap();
                assert!(
                    ((turned + 1.5).rem_euclid(1.0) - 0.5 - 0.05).abs() < 2e-3,
                    "{turned}"
                );
            }
            let mixed = track[20..].iter().map(|moment| moment.mixed);
            assert!(mixed.clone().fold(1.0, f32::min) < 0.05 && mixed.fold(0.0, f32::max) > 0.2);
            let [momentary, _] = monitor.loudness();
            assert!((momentary.unwrap() + 12.7).abs() < 1.0, "{momentary:?}");
        }
    }

    #[test]
    fn lows_are_drawn_smoothly_and_with_the_peaks_that_there_are() {
        let rate = 48_000.0;
        let mut monitor = Monitor::new(rate);
        monitor.feed(&tones(rate, 41.0, 63.7, 1.0), 50.0);
        for (spectrum, hertz) in monitor.spectra().iter().zip([41.0, 63.7]) {
            let end = band_of(200.0) as usize;
            let lows = &spectrum[..end];
            // One peak, at its place.
            let peaks: Vec<usize> = (1..end - 1)
                .filter(|n| lows[*n] > lows[n - 1] && lows[*n] >= lows[n + 1] && lows[*n] > -60.0)
                .collect();
            assert_eq!(peaks.len(), 1, "{peaks:?}");
            let found = band_hertz(peaks[0] as f64);
            assert!((found - hertz).abs() < 3.0, "{found} for {hertz}");
        }
        // Between bins it goes from one to the other and nowhere else.
        let levels = [-80.0, -60.0, -20.0, -25.0, -90.0, -90.0];
        for bin in 0..4 {
            let ends = [levels[bin], levels[bin + 1]];
            let mut last = ends[0];
            for step in 0..=20 {
                let at = bin as f64 + 0.05 * f64::from(step);
                let level = between(|bin: usize| levels[bin.min(5)], at.min(bin as f64 + 0.9999));
                let onwards = (level - last) * (ends[1] - ends[0]);
                assert!(onwards > -1e-2, "{bin} {step}: {last} {level}");
                last = level;
            }
            assert!((last - ends[1]).abs() < 0.1);
        }
        // Nor has it corners: it leaves each bin as steeply as it comes.
        for bin in 1..4 {
            let level = |at: f64| between(|bin: usize| levels[bin.min(5)], at);
            let bin = f64::from(bin);
            let (comes, leaves) = (
                level(bin - 1e-3) - level(bin - 2e-3),
                level(bin + 2e-3) - level(bin + 1e-3),
            );
            assert!((comes - leaves).abs() < 2e-3, "{bin}: {comes} {leaves}");
        }
    }

    #[test]
    fn silence_has_no_loudness_and_no_phase() {
        let mut monitor = Monitor::new(48_000.0);
        monitor.feed(&vec![[0.0; 2]; 10_000], 250.0);
        assert!(monitor.is_silent());
        assert_eq!(
            (monitor.loudness(), monitor.correlation()),
            ([None; 2], None)
        );
        assert!(monitor.track().iter().all(|moment| moment.phase.is_none()));
        let floor = |level: &f32| (level - FLOOR).abs() < 1e-3;
        assert!(monitor.spectra().iter().flatten().all(floor));
        monitor.feed(&[[0.1, 0.1]; 64], 250.0);
        assert!(!monitor.is_silent());
        assert!((monitor.correlation().unwrap() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn bands_and_hertz_are_each_others_inverse() {
        for band in [0.0, 17.5, 319.0] {
            assert!((band_of(band_hertz(band)) - band).abs() < 1e-9);
        }
    }
}
