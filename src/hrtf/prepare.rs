//! From measurements to what a renderer blends between.

use super::HrtfError;
use super::align::{Aligned, align};
use super::densify::{Dense, densify};
use super::equalise::{equalise, level};
use super::grid::{mirrored, rings};
use super::progress::{Progress, share};
use super::raw::Raw;
use super::spectra::{Frame, Spectra};
use super::spectrum::{Transform, latest};
use crate::dsp::hrir::{Hrirs, Rings};
use realfft::num_complex::Complex32;

/// Sample rates that sets are prepared for, in hertz.
pub const RATES: std::ops::RangeInclusive<f64> = 8_000.0..=768_000.0;

/// From this rate on a set's level is found in its own filters, in hertz.
const LEVELLED: f64 = 44_100.0;

/// How the filters fall above what was measured: in nepers (60 dB) and octaves.
const BEYOND: [f32; 2] = [6.9, 0.5];

/// Largest share of an interaural time difference that filters of minimum phase make, in seconds.
const WITHIN: f64 = 0.5e-3;

/// What is asked of a preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Options {
    /// Diffuse-field equalisation with bass extension.
    pub equalise: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { equalise: true }
    }
}

/// Prepares measurements for a host's rate.
///
/// # Errors
/// [`HrtfError::Content`] (which then names the title, not the file), [`HrtfError::Rate`],
/// [`HrtfError::Cancelled`].
pub fn prepare(
    raw: &Raw,
    rate: f64,
    options: Options,
    progress: &Progress,
) -> Result<Hrirs, HrtfError> {
    let aligned = align(raw, progress, [0.0, 0.2])?;
    finish(&aligned, rate, options, progress, [0.2, 1.0])
}

/// Prepares windows for a host's rate. The level is told in docs/design.md (*HRTF sets*); the filters are of minimum phase and
/// the interaural time difference of the pair below 1.5 kHz is the measured one.
///
/// # Errors
/// [`HrtfError::Rate`], [`HrtfError::Cancelled`].
pub fn finish(
    aligned: &Aligned,
    rate: f64,
    options: Options,
    progress: &Progress,
    [from, to]: [f64; 2],
) -> Result<Hrirs, HrtfError> {
    if !RATES.contains(&rate) {
        return Err(HrtfError::Rate { rate });
    }
    // A rate that does not reach as high as ears would weigh the set differently.
    let middle = 0.5 * (from + to);
    let (mut hrirs, gain) = if rate < LEVELLED {
        let levelled = build(aligned, LEVELLED, options, progress, [from, middle])?;
        let gain = level(&levelled);
        (build(aligned, rate, options, progress, [middle, to])?, gain)
    } else {
        let hrirs = build(aligned, rate, options, progress, [from, to])?;
        let gain = level(&hrirs);
        (hrirs, gain)
    };
    for tap in &mut hrirs.filters {
        *tap *= gain;
    }
    Ok(hrirs)
}

/// Prepares windows, of whatever level.
fn build(
    aligned: &Aligned,
    rate: f64,
    options: Options,
    progress: &Progress,
    [from, to]: [f64; 2],
) -> Result<Hrirs, HrtfError> {
    let at = |share: f64| from + (to - from) * share;
    let spectra = Spectra::new(aligned, rate, progress, [at(0.0), at(0.15)])?;
    let rings = rings(aligned, spectra.frame.taps);
    let mut dense = densify(aligned, &spectra, &rings, progress, [at(0.15), at(0.6)])?;
    if options.equalise {
        equalise(&mut dense, aligned, &spectra);
    }
    let (filters, low) = filters(&dense, &spectra, &rings, progress, [at(0.6), at(1.0)])?;
    Ok(Hrirs {
        rate,
        taps: spectra.frame.taps,
        filters,
        itd: itd(&dense, &spectra.frame, &low, progress)?,
        distance: aligned.distance,
        symmetric: aligned.symmetric,
        rings,
    })
}

/// The filters of all directions, and the lowest bins of their spectra, directions x 2 ears.
fn filters(
    dense: &Dense,
    spectra: &Spectra,
    rings: &Rings,
    progress: &Progress,
    span: [f64; 2],
) -> Result<(Vec<f32>, Vec<Complex32>), HrtfError> {
    let Frame {
        taps,
        low,
        length,
        bins,
        ..
    } = spectra.frame;
    let ears = spectra.ears;
    let mut filters = vec![0.0; rings.directions() * 2 * taps];
    let mut lows = vec![Complex32::default(); rings.directions() * 2 * low];
    let mut pairs: Vec<(&mut [f32], &mut [Complex32])> = filters
        .chunks_exact_mut(2 * taps)
        .zip(lows.chunks_exact_mut(2 * low))
        .collect();
    share(
        &mut pairs,
        1,
        progress,
        span,
        || (Transform::new(length), vec![0.0; length / 2 + 1]),
        |(transform, logs), index, pair| {
            let (filters, lows) = &mut pair[0];
            for ear in 0..ears {
                logs[..bins].copy_from_slice(&dense.logs[(index * ears + ear) * bins..][..bins]);
                continue_beyond(logs, bins);
                let low = &mut lows[ear * low..][..low];
                let response = transform.minimum_phase_response(logs, low);
                write(response, &spectra.frame, &mut filters[ear * taps..][..taps]);
            }
        },
    )?;
    drop(pairs);
    if ears == 1 {
        for index in 0..rings.directions() {
            let other = mirrored(rings, index);
            filters.copy_within(
                2 * other * taps..(2 * other + 1) * taps,
                (2 * index + 1) * taps,
            );
            lows.copy_within(
                2 * other * low..(2 * other + 1) * low,
                (2 * index + 1) * low,
            );
        }
    }
    Ok((filters, lows))
}

/// Lets log-magnitudes fall gently above the last measured bin: a filter of minimum phase that ended there
/// would ring.
fn continue_beyond(logs: &mut [f32], bins: usize) {
    if bins >= logs.len() {
        return;
    }
    let last = &logs[bins.saturating_sub(3)..bins];
    let end = last.iter().sum::<f32>() / last.len() as f32;
    for (bin, log) in logs.iter_mut().enumerate().skip(bins) {
        let octaves = (bin as f32 / (bins - 1).max(1) as f32).log2();
        *log = end - BEYOND[0] * (octaves / BEYOND[1]).min(1.0);
    }
}

/// Copies a response to its filter, with a fade at its end. It begins with its onset: it is of minimum phase.
fn write(response: &[f32], frame: &Frame, filter: &mut [f32]) {
    filter.copy_from_slice(&response[..frame.taps]);
    for n in 0..frame.fade.min(frame.taps) {
        let place = std::f32::consts::PI * (n as f32 + 0.5) / frame.fade as f32;
        filter[frame.taps - 1 - n] *= 0.5 - 0.5 * place.cos();
    }
}

/// Interaural time differences in frames: the set's own, less what each pair of filters makes by itself.
fn itd(
    dense: &Dense,
    frame: &Frame,
    lows: &[Complex32],
    progress: &Progress,
) -> Result<Vec<f32>, HrtfError> {
    let mut itd = vec![0.0; dense.itd.len()];
    share(
        &mut itd,
        1,
        progress,
        [progress.fraction(); 2],
        || Vec::with_capacity(frame.low),
        |cross, index, itd| {
            let (left, right) = lows[2 * index * frame.low..][..2 * frame.low].split_at(frame.low);
            cross.clear();
            cross.extend(left.iter().zip(right).map(|(l, r)| l.conj() * r));
            let own = latest(cross, frame.spacing(), 0.0, WITHIN);
            itd[0] = ((dense.itd[index] - own) * frame.rate) as f32;
        },
    )?;
    Ok(itd)
}
