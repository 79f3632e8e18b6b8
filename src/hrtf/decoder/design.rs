//! The fit: phases below a cutoff, magnitudes above, by filters that are causal and end.

use super::field::{Field, LANES, Row};
use crate::dsp::ambisonics::{Decoder, degree, encode, n3d};
use crate::dsp::binaural::front_delay;
use crate::dsp::hrir::Hrirs;
use crate::hrtf::HrtfError;
use crate::hrtf::align::FADE;
use crate::hrtf::equalise::{blend, k_weighting, response};
use crate::hrtf::head::vector;
use crate::hrtf::progress::{Progress, share};
use crate::hrtf::spectrum::{Transform, fast_length};
use realfft::num_complex::{Complex32, Complex64};
use std::f64::consts::{PI, TAU};

/// What an order is fitted with.
struct Tuning {
    /// Hertz; below, responses are fitted with their phase, above, by magnitude.
    cutoff: f64,
    /// Octaves around it in which one becomes the other.
    width: f64,
    /// Seconds by which a source at the side reaches both ears later than one in front: less than nothing would
    /// have to be heard from the nearer ear. Orders that cannot turn a phase as far do with less.
    late: f64,
    /// Seconds by which the fit starts earlier above the cutoff: low orders end with their high band later than it began.
    early: f64,
    /// Steps towards the best fit.
    steps: usize,
}

const fn tuning(cutoff: f64, width: f64, [late, early]: [f64; 2], steps: usize) -> Tuning {
    Tuning {
        cutoff,
        width,
        late: late * 1e-6,
        early: early * 1e-6,
        steps,
    }
}

/// Of orders 1 to 7.
const TUNINGS: [Tuning; 7] = [
    tuning(1400.0, 0.2, [10.0, 25.0], 60),
    tuning(1600.0, 0.5, [75.0, 35.0], 60),
    tuning(1800.0, 0.5, [100.0, 25.0], 60),
    tuning(2000.0, 0.5, [125.0, 0.0], 60),
    tuning(2000.0, 0.5, [150.0, 0.0], 60),
    tuning(2000.0, 0.5, [175.0, 0.0], 80),
    tuning(2000.0, 0.5, [200.0, 0.0], 100),
];

/// Nothing is fitted above, in hertz; where the rate goes higher, it fades out from the first of these.
const TOP: [f64; 2] = [20_000.0, 24_000.0];

/// What the fade ends at: nothing at all could not be divided by.
const FAINT: f32 = 0.01;

/// Share of the mean power at which a direction stops to weigh more for being weak.
const FLOOR: f32 = 0.05;

/// How much more than the mean a direction may weigh.
const HEAVIEST: f32 = 2.0;

/// Pull of the mean power over all directions, against that of each direction's own magnitude.
const POWER: f32 = 0.5;

/// Rounds of giving the diffuse field its power and cutting to length.
const ROUNDS: usize = 4;

/// Limits of the diffuse field's gain.
const GAINS: [f32; 2] = [0.25, 4.0];

/// How far the loudness of a source in front may be off, in LU.
const QUIETER: f64 = 0.7;

/// Makes a decoder of order 1 to 7.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn design(
    hrirs: &Hrirs,
    order: usize,
    progress: &Progress,
    [from, to]: [f64; 2],
) -> Result<Decoder, HrtfError> {
    let field = Field::new(&hrirs.rings, order);
    let ears = if hrirs.symmetric { 1 } else { 2 };
    let mut filters = vec![0.0; field.channels * ears * hrirs.taps];
    for ear in 0..ears {
        let at = |share: usize| from + (to - from) * share as f64 / ears as f64;
        let tuning = &TUNINGS[order - 1];
        let mut fit = Fit::new(hrirs, &field, tuning, ear, progress, at(ear))?;
        let found = fit.run(tuning.steps, progress, [at(ear), at(ear + 1)])?;
        for (channel, taps) in found.chunks_exact(hrirs.taps).enumerate() {
            let gain = n3d(degree(channel).0) as f32;
            let row = &mut filters[(channel * ears + ear) * hrirs.taps..][..hrirs.taps];
            for (to, tap) in row.iter_mut().zip(taps) {
                *to = gain * tap;
            }
        }
    }
    let mut decoder = Decoder {
        rate: hrirs.rate,
        order,
        taps: hrirs.taps,
        filters,
        symmetric: hrirs.symmetric,
    };
    let gain = front_gain(hrirs, &decoder);
    for tap in &mut decoder.filters {
        *tap *= gain;
    }
    Ok(decoder)
}

/// What makes pink noise in front as loud as in the set, K-weighted, but for [`QUIETER`]: low orders spread a source over
/// other directions, and a diffuse field of the right power then leaves too little for the front.
fn front_gain(hrirs: &Hrirs, decoder: &Decoder) -> f32 {
    let gains = encode(decoder.order, 0.0, 0.0);
    let heard = [0, 1].map(|ear| {
        let mut sum = vec![0.0; decoder.taps];
        for (channel, gain) in gains.iter().enumerate().take(decoder.channels()) {
            let (taps, sign) = decoder.filter(channel, ear);
            for (sum, tap) in sum.iter_mut().zip(taps) {
                *sum += *gain as f32 * sign * tap;
            }
        }
        sum
    });
    let (own, _) = blend(hrirs, 0.0);
    let loudness = |ears: &[Vec<f32>; 2]| {
        let (mut sum, mut frequency) = (0.0, 40.0);
        while frequency < (0.45 * hrirs.rate).min(16_000.0) {
            let turn = TAU * frequency / hrirs.rate;
            let power: f64 = ears.iter().map(|ear| response(ear, turn).norm_sqr()).sum();
            sum += k_weighting(frequency) * power;
            frequency *= (1.0_f64 / 9.0).exp2();
        }
        sum.max(1e-30)
    };
    let differs = 10.0 * (loudness(&own) / loudness(&heard)).log10();
    let excess = differs - differs.clamp(-QUIETER, QUIETER);
    10.0_f64.powf(excess / 20.0) as f32
}

/// One ear's filters (of N3D channels) on their way to the best ones.
struct Fit<'a> {
    field: &'a Field,
    blocks: Vec<Block>,
    transform: Transform,
    taps: usize,
    /// The last part of a filter fades out.
    window: Vec<f32>,
    /// Spectra above what is fitted, channels x bins.
    above: Vec<Complex32>,
    /// Bins that are fitted, and all.
    bins: [usize; 2],
}

/// Some bins of the fit. All spectra are in units of their bin's `level`.
struct Block {
    /// Magnitudes to be met, by direction.
    magnitudes: Vec<[f32; LANES]>,
    /// What phases are met with below the cutoff, by channel.
    low: Vec<Row>,
    /// Share of magnitudes against phases.
    share: [f32; LANES],
    /// Root of the mean power over all directions.
    level: [f32; LANES],
    /// The filters' spectra by channel, then the step that they take.
    channels: Vec<Row>,
}

/// What one thread works with.
struct Work {
    heard: Vec<Row>,
    weights: Vec<[f32; LANES]>,
    step: Vec<Row>,
}

impl Work {
    fn new(field: &Field) -> Work {
        Work {
            heard: vec![[0.0; 2 * LANES]; field.picks.len()],
            weights: vec![[0.0; LANES]; field.picks.len()],
            step: vec![[0.0; 2 * LANES]; field.channels],
        }
    }
}

impl Fit<'_> {
    /// Takes the spectra that are to be met, and where the fit starts from: responses whose delays above the cutoff
    /// turn their phases no further than at it, so that they vary little from direction to direction (time alignment:
    /// Zaunschirm et al. 2018), and go on from the phases below.
    fn new<'a>(
        hrirs: &Hrirs,
        field: &'a Field,
        tuning: &Tuning,
        ear: usize,
        progress: &Progress,
        done: f64,
    ) -> Result<Fit<'a>, HrtfError> {
        let (rate, taps) = (hrirs.rate, hrirs.taps);
        let length = fast_length(2 * taps);
        let spacing = rate / length as f64;
        let all = length / 2 + 1;
        let bins = ((TOP[1] / spacing) as usize + 1).min(all);
        let places = delays(hrirs, field, tuning, ear);
        let mut transform = Transform::new(length);
        let mut spectra = Vec::with_capacity(field.picks.len() * bins);
        for pick in &field.picks {
            let filter = hrirs.filter(*pick, ear);
            spectra.extend_from_slice(&transform.spectrum(filter)[..bins]);
        }
        // When a source in front is heard, as in HRTF mode, in seconds after the first tap.
        let onset = front_delay(rate) / rate;
        let mut blocks: Vec<Block> = (0..bins.div_ceil(LANES))
            .map(|_| Block::empty(field))
            .collect();
        let make = |work: &mut Work, index: usize, block: &mut Block| {
            for lane in 0..LANES {
                let bin = index * LANES + lane;
                if bin >= bins {
                    // Nothing is asked of it, and nothing is done with it.
                    block.level[lane] = 1.0;
                    continue;
                }
                let frequency = bin as f64 * spacing;
                let octaves = (frequency.max(1e-9) / tuning.cutoff).log2();
                let place = (octaves / tuning.width + 0.5).clamp(0.0, 1.0);
                block.share[lane] = (place * place * (3.0 - 2.0 * place)) as f32;
                let fade = if rate / 2.0 > TOP[1] {
                    let place = ((frequency - TOP[0]) / (TOP[1] - TOP[0])).clamp(0.0, 1.0);
                    0.5 + 0.5 * (PI * place).cos()
                } else {
                    1.0
                };
                let power: f32 = (0..field.picks.len())
                    .map(|d| field.weights[d] * spectra[d * bins + bin].norm_sqr())
                    .sum();
                let unit = power.sqrt().max(1e-9);
                block.level[lane] = unit * (fade as f32).max(FAINT);
                for (direction, late) in places.iter().enumerate() {
                    let bin = spectra[direction * bins + bin] / unit;
                    block.magnitudes[direction][lane] = bin.norm();
                    let turn = |until: f64| {
                        let above = (frequency - until).max(0.0);
                        let turns =
                            frequency * onset + frequency.min(until) * late - above * tuning.early;
                        let turned = Complex64::from_polar(1.0, -TAU * turns);
                        bin * Complex32::new(turned.re as f32, turned.im as f32)
                    };
                    let (low, start) = (turn(f64::INFINITY), turn(tuning.cutoff));
                    let share = block.share[lane];
                    let mixed = low * (1.0 - share) + start * share;
                    set(&mut work.heard[direction], lane, mixed);
                }
            }
            // Where phases are met at all, the start is next to them.
            field.fit(&work.heard, &mut block.channels);
            block.low.clone_from(&block.channels);
        };
        share(
            &mut blocks,
            1,
            progress,
            [done, done],
            || Work::new(field),
            |work, index, block| make(work, index, &mut block[0]),
        )?;
        let fade = ((FADE * rate).ceil() as usize).min(taps);
        let mut window = vec![1.0; taps];
        for n in 0..fade {
            let place = PI * (n as f64 + 0.5) / fade as f64;
            window[taps - 1 - n] = (0.5 - 0.5 * place.cos()) as f32;
        }
        Ok(Fit {
            above: vec![Complex32::default(); field.channels * (all - bins)],
            bins: [bins, all],
            field,
            blocks,
            transform,
            taps,
            window,
        })
    }

    /// Steps towards the filters that meet the magnitudes best, which are those of the directions' best phases
    /// (Schörkhuber et al. 2018), with momentum (Beck and Teboulle 2009). Every step begins and ends with filters that
    /// are causal and of their length, so nothing is lost at the end.
    fn run(
        &mut self,
        steps: usize,
        progress: &Progress,
        [from, to]: [f64; 2],
    ) -> Result<Vec<f32>, HrtfError> {
        let mut filters = vec![0.0; self.field.channels * self.taps];
        self.add(&mut filters);
        let mut before = filters.clone();
        let mut speed = 1.0_f32;
        for step in 0..steps {
            let next = (1.0 + (1.0 + 4.0 * speed * speed).sqrt()) / 2.0;
            let momentum = (speed - 1.0) / next;
            speed = next;
            for (tap, before) in filters.iter_mut().zip(&mut before) {
                let on = *tap + momentum * (*tap - *before);
                *before = *tap;
                *tap = on;
            }
            self.take(&filters);
            let at = |step: usize| from + (to - from) * step as f64 / steps as f64;
            let field = self.field;
            share(
                &mut self.blocks,
                1,
                progress,
                [at(step), at(step + 1)],
                || Work::new(field),
                |work, _, block| block[0].step(field, work),
            )?;
            for bin in &mut self.above {
                *bin = -*bin;
            }
            self.add(&mut filters);
        }
        for _ in 0..ROUNDS {
            self.take(&filters);
            for block in &mut self.blocks {
                block.level_out();
            }
            filters.fill(0.0);
            self.add(&mut filters);
        }
        Ok(filters)
    }

    /// Spectra of filters.
    fn take(&mut self, filters: &[f32]) {
        let [bins, all] = self.bins;
        for (channel, taps) in filters.chunks_exact(self.taps).enumerate() {
            let spectrum = self.transform.spectrum(taps);
            for (block, spectrum) in self.blocks.iter_mut().zip(spectrum[..bins].chunks(LANES)) {
                for (lane, bin) in spectrum.iter().enumerate() {
                    set(&mut block.channels[channel], lane, bin / block.level[lane]);
                }
            }
            self.above[channel * (all - bins)..][..all - bins].copy_from_slice(&spectrum[bins..]);
        }
    }

    /// Adds what the blocks hold to filters: the part of it that is causal, and short enough.
    fn add(&mut self, filters: &mut [f32]) {
        let [bins, all] = self.bins;
        for (channel, taps) in filters.chunks_exact_mut(self.taps).enumerate() {
            let (blocks, above) = (&self.blocks, &self.above[channel * (all - bins)..]);
            let response = self.transform.response(|spectrum| {
                for (block, spectrum) in blocks.iter().zip(spectrum[..bins].chunks_mut(LANES)) {
                    for (lane, bin) in spectrum.iter_mut().enumerate() {
                        *bin = get(&block.channels[channel], lane) * block.level[lane];
                    }
                }
                spectrum[bins..].copy_from_slice(&above[..all - bins]);
            });
            for ((tap, x), window) in taps.iter_mut().zip(response).zip(&self.window) {
                *tap += window * x;
            }
        }
    }
}

impl Block {
    fn empty(field: &Field) -> Block {
        Block {
            magnitudes: vec![[0.0; LANES]; field.picks.len()],
            low: Vec::new(),
            share: [0.0; LANES],
            level: [0.0; LANES],
            channels: vec![[0.0; 2 * LANES]; field.channels],
        }
    }

    /// Replaces the channels by the step that they take.
    ///
    /// A direction's error is that of its magnitude at the phase it has. It weighs by the inverse of its power, what it
    /// has and what it should have, so that errors count about as their decibels; and the mean power is drawn to
    /// what it should be, because least squares would rather have too little.
    fn step(&mut self, field: &Field, work: &mut Work) {
        let magnitudes = self.share.iter().any(|share| *share > 0.0);
        let mut power = [1.0; LANES];
        if magnitudes {
            field.decode(&self.channels, &mut work.heard);
            power = self.errors(field, work);
            field.fit(&work.heard, &mut work.step);
        } else {
            work.step.fill([0.0; 2 * LANES]);
        }
        let (mut lows, mut owns) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            lows[lane] = 1.0 - self.share[lane];
            // Far from it, as where a fade leaves next to nothing, a share is as long a step as is safe.
            let excess = power[lane].max(1e-6).ln().clamp(-4.0, 4.0);
            owns[lane] = -lows[lane] - self.share[lane] * POWER * 0.25 * excess;
        }
        for ((channel, low), step) in self.channels.iter_mut().zip(&self.low).zip(&work.step) {
            for half in [0, LANES] {
                for (lane, (share, own)) in lows.iter().zip(&owns).enumerate() {
                    let n = half + lane;
                    let toward = share * low[n] + own * channel[n];
                    channel[n] = step[n] + toward;
                }
            }
        }
    }

    /// Replaces what is heard by its errors; returns the mean power of what was.
    fn errors(&self, field: &Field, work: &mut Work) -> [f32; LANES] {
        let (mut power, mut total) = ([0.0; LANES], [0.0; LANES]);
        let heard = work.heard.iter_mut().zip(&mut work.weights);
        for (((heard, weights), wanted), share) in heard.zip(&self.magnitudes).zip(&field.weights) {
            for lane in 0..LANES {
                let square = heard[lane] * heard[lane] + heard[LANES + lane] * heard[LANES + lane];
                let magnitude = square.sqrt();
                let both = 0.5 * (magnitude + wanted[lane]);
                let weight = 1.0 / (both * both + FLOOR);
                power[lane] += share * square;
                total[lane] += share * weight;
                // The error of the magnitude, per unit of it.
                let error = wanted[lane] / magnitude.max(1e-6) - 1.0;
                heard[lane] *= error;
                heard[LANES + lane] *= error;
                weights[lane] = weight;
            }
        }
        let mut scale = [0.0; LANES];
        for lane in 0..LANES {
            scale[lane] = 1.0 / (HEAVIEST * total[lane]);
        }
        for (heard, weights) in work.heard.iter_mut().zip(&work.weights) {
            for lane in 0..LANES {
                // No step is longer than to the magnitude itself: so they come to an end.
                let weight = self.share[lane] * (weights[lane] * scale[lane]).min(1.0);
                heard[lane] *= weight;
                heard[LANES + lane] *= weight;
            }
        }
        power
    }

    /// Gives the diffuse field, all directions at once and out of step, the power that it has in the set.
    fn level_out(&mut self) {
        let mut power = [0.0; LANES];
        for channel in &self.channels {
            for lane in 0..LANES {
                power[lane] +=
                    channel[lane] * channel[lane] + channel[LANES + lane] * channel[LANES + lane];
            }
        }
        let gains = power.map(|power| (1.0 / power.max(1e-12).sqrt()).clamp(GAINS[0], GAINS[1]));
        for channel in &mut self.channels {
            for lane in 0..LANES {
                channel[lane] *= gains[lane];
                channel[LANES + lane] *= gains[lane];
            }
        }
    }
}

/// How much later than in front an ear hears each direction of the fit, in seconds.
fn delays(hrirs: &Hrirs, field: &Field, tuning: &Tuning, ear: usize) -> Vec<f64> {
    let delay = |pick: &usize| {
        let (azimuth, elevation) = hrirs.rings.direction(*pick);
        let side = vector(azimuth, elevation)[1];
        let half = f64::from(hrirs.itd[*pick]) / hrirs.rate * if ear == 0 { -0.5 } else { 0.5 };
        tuning.late * side * side + half
    };
    field.picks.iter().map(delay).collect()
}

fn set(row: &mut Row, lane: usize, bin: Complex32) {
    row[lane] = bin.re;
    row[LANES + lane] = bin.im;
}

fn get(row: &Row, lane: usize) -> Complex32 {
    Complex32::new(row[lane], row[LANES + lane])
}
