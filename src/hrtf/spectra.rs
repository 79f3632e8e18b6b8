//! The measured responses as spectra at the host's rate: log-magnitudes, complex spectra with the head's own
//! delay taken out, and interaural time differences.

use super::HrtfError;
use super::align::{AFTER, Aligned, FADE, fit_head};
use super::head::{self, vector};
use super::progress::{Progress, share};
use super::resample::{PASSED, Resampler};
use super::spectrum::{Transform, fast_length, latest};
use realfft::num_complex::Complex32;
use std::f64::consts::TAU;

/// Highest frequency of the interaural time difference, in hertz; above it ears use the envelope.
const ITD_BAND: f64 = 1500.0;

/// No head's interaural time difference is larger, in seconds.
const ITD_RANGE: f64 = 1.1e-3;

/// Smallest magnitude against the largest of a set, -100 dB: it keeps logarithms finite.
const FLOOR: f32 = 1e-5;

/// Taps of a filter at a rate in hertz.
pub fn taps(rate: f64) -> usize {
    // A filter that has to end exactly there would lose some of its low end where its last part fades.
    ((AFTER * 1.03 * rate).ceil() as usize).next_multiple_of(32)
}

/// The lengths that go with a host's rate.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The host's rate in hertz.
    pub rate: f64,
    /// Taps of a filter.
    pub taps: usize,
    /// Frames of its last part, which fades out.
    pub fade: usize,
    /// Length of the transforms.
    pub length: usize,
    /// Bins of them that the measurements reach.
    pub bins: usize,
    /// Bins below [`ITD_BAND`].
    pub low: usize,
}

impl Frame {
    /// For windows of another rate, and the resampler that makes them this one's.
    pub fn new(aligned: &Aligned, rate: f64) -> (Frame, Resampler) {
        let resampler = Resampler::new(aligned.rate, rate, aligned.taps);
        let taps = taps(rate);
        let length = fast_length((4 * taps).max(resampler.frames()));
        let reached = PASSED * aligned.rate / rate * (length / 2) as f64;
        let bins = if rate > aligned.rate {
            (reached as usize).min(length / 2) + 1
        } else {
            length / 2 + 1
        };
        let low = (ITD_BAND / rate * length as f64) as usize + 1;
        let frame = Frame {
            rate,
            taps,
            fade: (FADE * rate).ceil() as usize,
            length,
            bins,
            low: low.min(bins),
        };
        (frame, resampler)
    }

    /// Hertz from one bin to the next.
    pub fn spacing(&self) -> f64 {
        self.rate / self.length as f64
    }

    /// The bin of a frequency, at most the last that is reached.
    pub fn bin(&self, frequency: f64) -> usize {
        ((frequency / self.spacing()).round() as usize).min(self.bins - 1)
    }
}

/// The measured set at the host's rate.
pub struct Spectra {
    /// The lengths.
    pub frame: Frame,
    /// Ears that differ: 1 where the right one mirrors the left one.
    pub ears: usize,
    /// Natural logarithms of magnitudes, directions x ears x bins.
    pub logs: Vec<f32>,
    /// Spectra without the head's delay, of the same shape.
    pub complex: Vec<Complex32>,
    /// Interaural time differences in seconds, positive for sources on the left.
    pub itd: Vec<f64>,
}

impl Spectra {
    /// Takes the spectra of all windows.
    ///
    /// # Errors
    /// [`HrtfError::Cancelled`].
    pub fn new(
        aligned: &Aligned,
        rate: f64,
        progress: &Progress,
        span: [f64; 2],
    ) -> Result<Spectra, HrtfError> {
        let (frame, resampler) = Frame::new(aligned, rate);
        let ears = if aligned.symmetric { 1 } else { 2 };
        let (radius, common) = fit_head(aligned);
        let (count, width) = (aligned.directions.len(), ears * frame.bins);
        let mut spectra = Spectra {
            frame,
            ears,
            logs: vec![0.0; count * width],
            complex: vec![Complex32::default(); count * width],
            itd: vec![0.0; count],
        };
        let mut rows: Vec<Row<'_>> = spectra
            .logs
            .chunks_exact_mut(width)
            .zip(spectra.complex.chunks_exact_mut(width))
            .zip(&mut spectra.itd)
            .map(|((logs, complex), itd)| Row { logs, complex, itd })
            .collect();
        share(
            &mut rows,
            1,
            progress,
            span,
            || {
                (
                    Transform::new(frame.length),
                    Vec::new(),
                    vec![Complex32::default(); frame.low],
                )
            },
            |(transform, resampled, cross), index, row| {
                let [azimuth, elevation] = aligned.directions[index];
                let direction = vector(azimuth, elevation);
                let begins =
                    aligned.starts[index].map(|start| (start - resampler.lead) / aligned.rate);
                for (ear, begins) in begins.into_iter().enumerate() {
                    resampler.run(aligned.window(index, ear), resampled);
                    let spectrum = transform.spectrum(resampled);
                    for (cross, bin) in cross.iter_mut().zip(spectrum) {
                        *cross = if ear == 0 { bin.conj() } else { *cross * bin };
                    }
                    if ear >= ears {
                        continue;
                    }
                    let path = head::path(direction, ear) * radius / head::SPEED_OF_SOUND;
                    let advance = TAU * frame.spacing() * (common + path - begins);
                    row[0].fill(ear * frame.bins, &spectrum[..frame.bins], advance);
                }
                let apart = begins[1] - begins[0];
                *row[0].itd = apart + latest(cross, frame.spacing(), -apart, ITD_RANGE);
            },
        )?;
        drop(rows);
        let largest = spectra
            .logs
            .iter()
            .fold(f32::NEG_INFINITY, |max, x| max.max(*x));
        for log in &mut spectra.logs {
            *log = log.max(largest + FLOOR.ln());
        }
        Ok(spectra)
    }

    /// The log-magnitudes of all ears in one measured direction.
    pub fn logs(&self, index: usize) -> &[f32] {
        let width = self.ears * self.frame.bins;
        &self.logs[index * width..][..width]
    }

    /// The complex spectra of all ears in one measured direction.
    pub fn complex(&self, index: usize) -> &[Complex32] {
        let width = self.ears * self.frame.bins;
        &self.complex[index * width..][..width]
    }
}

/// The interaural time difference of each measured direction in seconds, positive for sources on the left: the
/// peak of the cross-correlation below 1.5 kHz.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn time_differences(aligned: &Aligned, progress: &Progress) -> Result<Vec<f64>, HrtfError> {
    Spectra::new(aligned, aligned.rate, progress, [0.0, 1.0]).map(|spectra| spectra.itd)
}

/// One direction's spectra.
struct Row<'a> {
    logs: &'a mut [f32],
    complex: &'a mut [Complex32],
    itd: &'a mut f64,
}

impl Row<'_> {
    /// Writes one ear's spectrum; each bin is turned `advance` radians further than the one before.
    fn fill(&mut self, from: usize, spectrum: &[Complex32], advance: f64) {
        for (k, bin) in spectrum.iter().enumerate() {
            let turn = Complex32::from_polar(1.0, (k as f64 * advance).rem_euclid(TAU) as f32);
            self.complex[from + k] = bin * turn;
            self.logs[from + k] = bin.norm().max(f32::MIN_POSITIVE).ln();
        }
    }
}
