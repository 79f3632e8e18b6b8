//! What differs between the ears: sides that alternate, and a phase between them that turns.

use super::bands::{Band, Bands};
use super::lines::{Line, Series, lines, summit, uncertainty};
use super::shape::inverse;
use super::{HIGHEST, LEAST, Rate, lowest};
use realfft::num_complex::Complex;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Sides that alternate in all bands alike, the power of both together staying what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bilateral {
    /// Of one cycle, left and right.
    pub rate: Rate,
    /// 0-1: the share of the way from the middle to one side, 1 all the way; equal-power pan.
    pub depth: f64,
}

/// A frequency shift between the ears: the interaural phase turns steadily.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Turns a second; positive where the right ear is higher.
    pub beat: Rate,
    /// 0-1: how much of the sound takes part; 1 where the ears are otherwise the same.
    pub coherence: f64,
    /// Whether the shifted part is heard beside one that is not, as where it is mixed in.
    pub is_mixed: bool,
    /// Edges in hertz of the lowest and highest band that turn.
    pub range: (f64, f64),
}

/// Frames this far below a band's mean power (60 dB) are gaps.
const GAP: f64 = 1e-6;

/// `(2 d w)^2 / (d^2 w^2)`.
const PARTS: f64 = 4.0;

/// Fewer bands may be a pair of tones.
const BANDS: usize = 3;

/// The least share that has to turn.
const COHERENT: f64 = 0.15;

/// Every frame's power of both ears in a band, `None` in gaps.
fn sounding<'a>(band: &'a Band, frames: usize) -> impl Fn(usize) -> Option<f64> + 'a {
    let mean = (0..frames).map(|n| band.both(n)).sum::<f64>() / frames.max(1) as f64;
    move |n| Some(band.both(n)).filter(|power| *power > GAP * mean)
}

/// Looks for sides that alternate; `None` for mono, and where nothing does.
///
/// The balance (L - R) / (L + R) of the powers does not know how loud the sound is, so that speech and
/// music stay out of it. It has to turn in every band with the same phase and swing.
pub(super) fn bilateral(bands: &Bands) -> Option<Bilateral> {
    let active = bands.active();
    if bands.channels() < 2 || active.is_empty() {
        return None;
    }
    let rate = bands.frame_rate();
    let balance = |band: &Band| {
        let frames = bands.frames();
        let power = sounding(band, frames);
        let values: Vec<Option<f64>> = (0..frames)
            .map(|n| {
                power(n)
                    .map(|both| (f64::from(band.power[0][n]) - f64::from(band.power[1][n])) / both)
            })
            .collect();
        let (sum, count) = values
            .iter()
            .flatten()
            .fold((0.0, 0.0), |(s, c), v| (s + v, c + 1.0));
        let mean = sum / f64::max(count, 1.0);
        Series::new(
            rate,
            values
                .into_iter()
                .map(|v| v.map(|v| Complex::from(v - mean))),
        )
    };
    let series: Vec<Series> = active.iter().map(|band| balance(band)).collect();
    let line = common(&series, false)?;
    let frequency = line.frequency;
    let response = bands.response(frequency);
    // Twice: a real swing has its other half at minus the frequency.
    let seen: Vec<(Complex<f64>, f64)> = series
        .iter()
        .map(|s| (2.0 * s.at(frequency) / response, 2.0 * s.noise(frequency)))
        .collect();
    let weight = |noise: f64| 1.0 / (noise.powi(2) + 0.05f64.powi(2));
    let whole: f64 = seen.iter().map(|(_, noise)| weight(*noise)).sum();
    let swing: Complex<f64> = seen.iter().map(|(own, noise)| own * weight(*noise)).sum();
    let swing = swing / whole;
    let alike = |(own, noise): &(Complex<f64>, f64)| {
        (own - swing).norm() < 0.25 * swing.norm() + 3.0 * noise / response
    };
    let agree = seen.iter().filter(|own| alike(own)).count();
    if swing.norm() < 2.0 * LEAST || agree < active.len() {
        return None;
    }
    let third = 3.0 * frequency;
    let third = series
        .iter()
        .map(|s| 2.0 * s.at(third))
        .sum::<Complex<f64>>()
        / (series.len() as f64 * bands.response(third).max(0.1));
    Some(Bilateral {
        rate: Rate::of(&line, series[0].seconds()),
        depth: pan(swing.norm(), third.norm()),
    })
}

/// Depth of an equal-power pan from first and third harmonic of the balance. A smooth one turns the
/// angle as a sine, whose balance is `sin(depth pi/2 sin x)`; one that switches has a square.
fn pan(first: f64, third: f64) -> f64 {
    if third > 0.22 * first {
        return (first * PI / 4.0).clamp(0.0, 1.0).asin() / FRAC_PI_2;
    }
    let balance = |depth: f64| {
        let steps = (0..64).map(|n| (TAU * n as f64 / 64.0).sin());
        steps
            .map(|sin| 2.0 * sin * (depth * FRAC_PI_2 * sin).sin())
            .sum::<f64>()
            / 64.0
    };
    inverse(balance, first)
}

/// Looks for a shift; `None` for mono, and where nothing turns.
///
/// The product of the left ear and the conjugate right one, frame by frame and band by band, turns at
/// minus the beat where one ear is the other shifted in frequency, and stands still where they are
/// only panned, delayed or independent. Three bands have to turn at the same rate: two tones are no
/// shift, and a chorus turns faster the higher the band.
pub(super) fn shift(bands: &Bands) -> Option<Shift> {
    let active = bands.active();
    if bands.channels() < 2 || active.len() < BANDS {
        return None;
    }
    let frames = bands.frames();
    let product = |band: &&Band| {
        let power = sounding(band, frames);
        let values: Vec<Option<Complex<f64>>> = (0..frames)
            .map(|n| {
                power(n).map(|both| {
                    let product = band.product[n];
                    let product = Complex::new(f64::from(product.re), f64::from(product.im));
                    let ears = f64::from(band.power[0][n]) * f64::from(band.power[1][n]);
                    // An ear that is silent has no phase.
                    product / ears.sqrt().max(GAP * both)
                })
            })
            .collect();
        Series::new(bands.frame_rate(), values.into_iter())
    };
    let series: Vec<Series> = active.iter().map(product).collect();
    let line = common(&series, true)?;
    let found = line.frequency;
    let turns = |series: &Series| {
        let own = series.at(found).norm();
        let others = series.at(0.0).norm().max(series.at(-found).norm());
        own > COHERENT && own > 5.0 * series.noise(found) && own > 1.5 * others
    };
    if let Some(part) = in_part(bands, &active, line) {
        return Some(part);
    }
    let turning: Vec<usize> = (0..active.len()).filter(|&n| turns(&series[n])).collect();
    if turning.len() < BANDS {
        return None;
    }
    let coherence = turning
        .iter()
        .map(|&n| series[n].at(found).norm())
        .sum::<f64>();
    let beat = Line {
        frequency: -found,
        ..line
    };
    // Within the window the ears drift apart: that much of the product is lost.
    let coherence = coherence / turning.len() as f64 / bands.response(found);
    Some(Shift {
        beat: Rate::of(&beat, series[0].seconds()),
        coherence: coherence.min(1.0),
        is_mixed: false,
        range: (active[turning[0]].low, active[*turning.last()?].high),
    })
}

/// A shift in which only a part of the sound takes part, with `line` at half of it: there the shifted part of one ear turns
/// against the other's unshifted one. Of parts `d` and `w` the product has `d^2` at rest, `2 d w` at the half and `w^2` at the whole.
fn in_part(bands: &Bands, active: &[&Band], line: Line) -> Option<Shift> {
    let (rate, frames, half) = (bands.frame_rate(), bands.frames(), line.frequency);
    // The level is that of whole cycles: from frame to frame both parts go up and down in it.
    let cycles = half.abs().floor().max(1.0);
    let reach = (cycles / half.abs() * rate / 2.0).round() as usize;
    if 2 * reach >= frames || 2.0 * half.abs() > HIGHEST {
        return None;
    }
    let product = |band: &&Band| {
        let mean = |ear: usize| {
            let mut sums = vec![0.0];
            sums.extend(band.power[ear].iter().scan(0.0, |sum, power| {
                *sum += f64::from(*power);
                Some(*sum)
            }));
            sums
        };
        let (left, right) = (mean(0), mean(1));
        let least = GAP * (left[frames] + right[frames]) / frames as f64;
        let values: Vec<Option<Complex<f64>>> = (reach..frames - reach)
            .map(|n| {
                let mean = |sums: &[f64]| (sums[n + reach] - sums[n - reach]) / (2 * reach) as f64;
                let ears = (mean(&left) * mean(&right)).sqrt();
                let product = band.product[n];
                let product = Complex::new(f64::from(product.re), f64::from(product.im));
                (ears > least).then(|| product / ears)
            })
            .collect();
        Series::new(rate, values.into_iter())
    };
    let seen = |band: &&Band| {
        let series = product(band);
        let parts = [0.0, half, 2.0 * half].map(|hertz| series.at(hertz));
        let evident = |n: usize, hertz: f64| parts[n].norm() > 5.0 * series.noise(hertz);
        let ratio = parts[1] * parts[1] / (parts[0] * parts[2]);
        let is_one = evident(1, half)
            && evident(2, 2.0 * half)
            && (ratio - Complex::from(PARTS)).norm() < 0.4 * PARTS;
        is_one.then(|| parts[2].norm() / bands.response(2.0 * half))
    };
    let found: Vec<(&Band, f64)> = (active.iter())
        .filter_map(|band| seen(band).map(|whole| (*band, whole)))
        .collect();
    if found.len() < BANDS {
        return None;
    }
    let seconds = (frames - 2 * reach) as f64 / rate;
    let line = Line {
        frequency: -half,
        ..line
    };
    let coherence = found.iter().map(|found| found.1).sum::<f64>() / found.len() as f64;
    Some(Shift {
        beat: Rate::of(&line, seconds).divided(0.5),
        coherence: coherence.min(1.0),
        is_mixed: true,
        range: (found[0].0.low, found[found.len() - 1].0.high),
    })
}

/// The strongest line that the series have in common, in the sum of their powers; with `both` also
/// among the negative frequencies.
fn common(series: &[Series], both: bool) -> Option<Line> {
    let seconds = series.first()?.seconds();
    let mut sums: Option<([Vec<f64>; 2], f64)> = None;
    for series in series {
        let (power, bin) = series.power();
        match &mut sums {
            None => sums = Some((power, bin)),
            Some((sums, _)) => {
                for (sums, power) in sums.iter_mut().zip(power) {
                    sums.iter_mut().zip(power).for_each(|(sum, p)| *sum += p);
                }
            }
        }
    }
    let (sums, bin) = sums?;
    let mut found: Vec<Line> = Vec::new();
    for (sums, sign) in sums.iter().zip([1.0, -1.0]).take(if both { 2 } else { 1 }) {
        let line = lines(sums, bin, seconds, lowest(seconds), HIGHEST);
        found.extend(line.first().map(|line| Line {
            frequency: sign * line.frequency,
            ..*line
        }));
    }
    let power = |frequency: f64| -> f64 { series.iter().map(|s| s.at(frequency).norm_sqr()).sum() };
    let best = found
        .into_iter()
        .max_by(|a, b| power(a.frequency).total_cmp(&power(b.frequency)))?;
    Some(Line {
        frequency: summit(best.frequency, 0.6 / seconds, power),
        ..best
    })
}

impl Rate {
    /// The rate of a line in a series of `seconds`.
    pub(super) fn of(line: &Line, seconds: f64) -> Rate {
        Rate {
            hz: line.frequency,
            uncertainty: uncertainty(line.above, seconds),
            above: 10.0 * line.above.log10(),
        }
    }

    /// The rate of which this is a multiple.
    pub(super) fn divided(self, by: f64) -> Rate {
        Rate {
            hz: self.hz / by,
            uncertainty: self.uncertainty / by,
            ..self
        }
    }
}
