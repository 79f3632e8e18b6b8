//! What the lines of two ears are to each other: pairs between the ears, pairs in one ear, sidebands.

use super::lines::{Line, Spectrum};
use super::{Beat, HIGHEST, Kind};
use crate::analysis::to_db;
use realfft::num_complex::Complex;
use std::f64::consts::TAU;

/// Two tones farther apart in level are no pair, in dB.
const PAIR: f64 = 12.0;

/// Tones of a pair that lie on sides are stronger there by this, in dB.
const SIDED: f64 = 6.0;

/// Sidebands are told down to this below their carrier, in dB: a depth of 2 %.
const SIDEBAND: f64 = -46.0;

/// Sidebands of one pair are alike within this, in dB.
const ALIKE: f64 = 3.0;

/// Sidebands this much weaker than the strongest of their carrier, in dB, do not say its rate. A codec leaves such: what it
/// does to a tone repeats with its frames (50 a second in Opus), and that beats with the rate.
const FAINT: f64 = 20.0;

/// A beat this much weaker than one near it, in dB, is what a codec has made of that.
const MASKED: f64 = 40.0;

/// Sidebands farther from their carrier than this are not followed, in hertz.
const REACH: f64 = 700.0;

/// What is on the grid of an envelope and this much weaker than its carrier belongs to it (-26 dB).
const WEAK: f64 = 0.05;

/// A level that swings less is steady: what the lines that are too weak to be told would add.
const LEAST: f64 = 0.04;

/// Steps of a cycle in which its envelope is looked at.
const STEPS: usize = 512;

/// A line as both ears have it.
#[derive(Debug, Clone, Copy)]
struct Spot {
    frequency: f64,
    uncertainty: f64,
    /// Amplitude and phase in each ear; none where the ear's own lines hide it.
    ears: [Option<Complex<f64>>; 2],
    taken: bool,
}

impl Spot {
    fn amplitude(&self, ear: usize) -> f64 {
        self.ears[ear].map_or(0.0, |value| value.norm())
    }

    fn loudest(&self) -> f64 {
        self.amplitude(0).max(self.amplitude(1))
    }

    /// By how many dB the left ear has more of it.
    fn side(&self) -> f64 {
        (to_db(self.amplitude(0)) - to_db(self.amplitude(1))).clamp(-120.0, 120.0)
    }
}

/// The beats of a segment, loudest first. One ear: mono.
pub(super) fn beats(ears: &[Spectrum]) -> Vec<Beat> {
    let Some(first) = ears.first() else {
        return Vec::new();
    };
    let bin = first.bin();
    let mut spots = spots(ears);
    let mut found = Vec::new();
    for n in 0..spots.len() {
        if spots[n].taken {
            continue;
        }
        spots[n].taken = true;
        let beat = match sidebands(&mut spots, n, bin) {
            Sidebands::None => pair(&mut spots, n),
            Sidebands::Vibrato => None,
            Sidebands::Beat(beat) => Some(beat),
        };
        found.extend(beat);
    }
    found.sort_by(|a, b| b.level.total_cmp(&a.level));
    let heard: Vec<(f64, f64)> = found.iter().map(|b| (b.carrier(), b.level)).collect();
    found.retain(|beat| {
        let hides = |(carrier, level): &(f64, f64)| {
            (carrier - beat.carrier()).abs() < REACH && level - beat.level > MASKED
        };
        !heard.iter().any(hides)
    });
    found
}

/// The lines of both ears, each once, strongest first.
fn spots(ears: &[Spectrum]) -> Vec<Spot> {
    let lines: Vec<Vec<Line>> = ears.iter().map(Spectrum::lines).collect();
    let mut spots: Vec<Spot> = Vec::new();
    for (own, (ear, list)) in ears.iter().zip(&lines).enumerate() {
        for line in list {
            let sure = 4.0 * line.uncertainty + 0.02 * ear.bin();
            let same = |spot: &&mut Spot| {
                own == 1 && (spot.frequency - line.frequency).abs() < sure + 4.0 * spot.uncertainty
            };
            if let Some(spot) = spots.iter_mut().find(same) {
                spot.ears[1] = Some(ear.at(line.frequency));
                // The surer of both.
                if line.uncertainty < spot.uncertainty {
                    (spot.frequency, spot.uncertainty) = (line.frequency, line.uncertainty);
                }
                continue;
            }
            let mut values = [Some(Complex::default()); 2];
            for (other, value) in values.iter_mut().enumerate().take(ears.len()) {
                let near = |theirs: &Line| {
                    let apart = (theirs.frequency - line.frequency).abs();
                    apart < ear.lobe() && apart > sure
                };
                *value = if other != own && lines[other].iter().any(near) {
                    None
                } else {
                    Some(ears[other].at(line.frequency))
                };
            }
            spots.push(Spot {
                frequency: line.frequency,
                uncertainty: line.uncertainty,
                ears: values,
                taken: false,
            });
        }
    }
    spots.sort_by(|a, b| b.loudest().total_cmp(&a.loudest()));
    spots
}

/// What lies around a carrier.
enum Sidebands {
    /// Nothing that belongs to it.
    None,
    /// Its frequency goes up and down, not its level.
    Vibrato,
    /// Its level goes up and down.
    Beat(Beat),
}

/// A carrier whose level goes up and down: sidebands on both sides of it, the same distance away.
fn sidebands(spots: &mut [Spot], n: usize, bin: f64) -> Sidebands {
    let carrier = spots[n];
    // The ear that has more of it judges.
    let ear = usize::from(carrier.amplitude(1) > carrier.amplitude(0));
    let own = carrier.amplitude(ear);
    let mirrored = |k: usize| -> Option<usize> {
        let upper = &spots[k];
        let sure = 4.0 * upper.uncertainty + 0.1 * bin;
        let level = to_db(upper.amplitude(ear) / own);
        (0..spots.len()).find(|&j| {
            let lower = &spots[j];
            let there = (lower.frequency + upper.frequency - 2.0 * carrier.frequency).abs()
                < sure + 4.0 * lower.uncertainty;
            let alike = (to_db(lower.amplitude(ear) / own) - level).abs() < ALIKE;
            !lower.taken && there && alike && level > SIDEBAND
        })
    };
    let pairs: Vec<(usize, usize)> = (0..spots.len())
        .filter(|&k| !spots[k].taken)
        .filter(|&k| (0.0..REACH).contains(&(spots[k].frequency - carrier.frequency)))
        .filter_map(|k| mirrored(k).map(|j| (j, k)))
        .collect();
    let half =
        |(lower, upper): &(usize, usize)| 0.5 * (spots[*upper].frequency - spots[*lower].frequency);
    let loud = |&(lower, upper): &(usize, usize)| {
        to_db(spots[lower].amplitude(ear).max(spots[upper].amplitude(ear)))
    };
    let loudest = pairs.iter().map(loud).fold(f64::NEG_INFINITY, f64::max);
    let (strong, faint): (Vec<_>, Vec<_>) =
        (pairs.iter().copied()).partition(|pair| loudest - loud(pair) < FAINT);
    let first = strong.iter().map(half).min_by(f64::total_cmp);
    let Some(first) = first.filter(|first| *first <= HIGHEST) else {
        return Sidebands::None;
    };
    // All harmonics of the envelope say what its rate is, the sure ones more.
    let (mut rate, mut weight) = (0.0, 0.0);
    let mut harmonics: Vec<(i32, usize)> = vec![(0, n)];
    for pair in &pairs {
        let times = (half(pair) / first).round();
        let (lower, upper) = (&spots[pair.0], &spots[pair.1]);
        let sure = 4.0 * lower.uncertainty.hypot(upper.uncertainty) + 0.1 * bin;
        if (half(pair) - times * first).abs() > sure {
            continue;
        }
        let variance = 0.25 * (lower.uncertainty.powi(2) + upper.uncertainty.powi(2));
        rate += times * half(pair) / variance;
        weight += times * times / variance;
        harmonics.extend([(-(times as i32), pair.0), (times as i32, pair.1)]);
    }
    // Two lines at one multiple are not of one envelope.
    harmonics.dedup_by_key(|(times, _)| *times);
    let envelope = |ear: usize, step: usize| -> f64 {
        let turn = TAU * step as f64 / STEPS as f64;
        let part = |(times, spot): &(i32, usize)| {
            spots[*spot].ears[ear].unwrap_or_default() * Complex::cis(turn * f64::from(*times))
        };
        harmonics.iter().map(part).sum::<Complex<f64>>().norm()
    };
    let cycle = |ear: usize| -> Vec<f64> { (0..STEPS).map(|step| envelope(ear, step)).collect() };
    let (cycles, first_of) = ([cycle(0), cycle(1)], |cycle: &[f64]| {
        let part = |(step, x): (usize, &f64)| {
            x * Complex::cis(-TAU * step as f64 / STEPS as f64) * 2.0 / STEPS as f64
        };
        cycle.iter().enumerate().map(part).sum::<Complex<f64>>()
    });
    let (low, high) = ends(&cycles[ear]);
    let (rate, uncertainty, depth) = (rate / weight, weight.sqrt().recip(), 1.0 - low / high);
    let taken = belongs(spots, &harmonics, &carrier, rate, bin);
    let faint = faint.into_iter().flat_map(|(lower, upper)| [lower, upper]);
    taken
        .into_iter()
        .chain(faint)
        .for_each(|spot| spots[spot].taken = true);
    if depth < LEAST {
        return Sidebands::Vibrato;
    }
    let swings = [0, 1].map(|ear| first_of(&cycles[ear]));
    let both = carrier.amplitude(1 - ear) > 0.1 * own;
    let kind = if both && (swings[0] * swings[1].conj()).re < 0.0 {
        Kind::Bilateral
    } else {
        Kind::Isochronic
    };
    // For what changes sides the duty is the left side's share.
    let judge = if kind == Kind::Bilateral { 0 } else { ear };
    let (quiet, loud) = ends(&cycles[judge]);
    let on = cycles[judge]
        .iter()
        .filter(|x| **x > 0.5 * (quiet + loud))
        .count();
    Sidebands::Beat(Beat {
        kind,
        frequency: rate,
        uncertainty,
        carriers: [carrier.frequency; 2],
        depth,
        level: to_db(high),
        duty: Some(100.0 * on as f64 / STEPS as f64),
        separation: None,
    })
}

/// The lines of an envelope: its pairs, and whatever weak is on its grid.
fn belongs(
    spots: &[Spot],
    pairs: &[(i32, usize)],
    carrier: &Spot,
    rate: f64,
    bin: f64,
) -> Vec<usize> {
    let on_grid = |(_, spot): &(usize, &Spot)| {
        let away = spot.frequency - carrier.frequency;
        let beside = away - (away / rate).round() * rate;
        spot.loudest() < WEAK * carrier.loudest()
            && away.abs() < 3.0 * REACH
            && beside.abs() < 4.0 * spot.uncertainty + 0.1 * bin
    };
    let weak = spots.iter().enumerate().filter(on_grid).map(|(n, _)| n);
    pairs.iter().map(|(_, spot)| *spot).chain(weak).collect()
}

/// The least and the most of a cycle.
fn ends(cycle: &[f64]) -> (f64, f64) {
    let least = cycle.iter().copied().fold(f64::INFINITY, f64::min);
    (least, cycle.iter().copied().fold(0.0, f64::max))
}

/// Two tones of like level: one an ear, or both in the same.
fn pair(spots: &mut [Spot], n: usize) -> Option<Beat> {
    let own = spots[n];
    let partner = (0..spots.len())
        .filter(|&k| {
            let other = &spots[k];
            let level = (to_db(other.loudest()) - to_db(own.loudest())).abs();
            let apart = (other.frequency - own.frequency).abs();
            let sides = (own.side(), other.side());
            // Two tones of one ear only are no pair with one of the other.
            let fits = is_between(sides) || (sides.0 - sides.1).abs() < SIDED;
            !other.taken && level <= PAIR && apart <= HIGHEST && fits
        })
        .min_by(|&a, &b| {
            let apart = |k: usize| (spots[k].frequency - own.frequency).abs();
            apart(a).total_cmp(&apart(b))
        })?;
    let other = spots[partner];
    spots[partner].taken = true;
    let uncertainty = own.uncertainty.hypot(other.uncertainty);
    if is_between((own.side(), other.side())) {
        let (left, right) = if own.side() > 0.0 {
            (own, other)
        } else {
            (other, own)
        };
        let (strong, weak) = (left.amplitude(0), right.amplitude(1));
        let known = left.ears[1].is_some() && right.ears[0].is_some();
        let separation = left.side().min(-right.side());
        return Some(Beat {
            kind: Kind::Binaural,
            frequency: right.frequency - left.frequency,
            uncertainty,
            carriers: [left.frequency, right.frequency],
            depth: strong.min(weak) / strong.max(weak),
            level: to_db(strong.max(weak)),
            duty: None,
            separation: known.then_some(separation),
        });
    }
    let ear = usize::from(own.amplitude(1) > own.amplitude(0));
    let (a, b) = (own.amplitude(ear), other.amplitude(ear));
    let middle = 0.5 * (own.frequency + other.frequency);
    Some(Beat {
        kind: Kind::Monaural,
        frequency: (other.frequency - own.frequency).abs(),
        uncertainty,
        carriers: [middle; 2],
        depth: 2.0 * a.min(b) / (a + b),
        level: to_db(a + b),
        duty: None,
        separation: None,
    })
}

/// Whether two tones lie on opposite sides.
fn is_between(sides: (f64, f64)) -> bool {
    sides.0.signum() != sides.1.signum() && sides.0.abs().min(sides.1.abs()) > SIDED
}
