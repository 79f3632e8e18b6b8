//! What the lines of two ears are to each other: pairs between the ears, pairs in one ear, sidebands.

use super::lines::{Band, Line, Spectrum};
use super::{Beat, HIGHEST, Kind, Seen};
use crate::analysis::to_db;
use realfft::num_complex::Complex;
use std::f64::consts::TAU;

/// Two tones farther apart in level are no pair, in dB.
const PAIR: f64 = 9.0;

/// Two tones in one ear farther apart in level are none, in dB: a layer has two that are the same.
const BOTH: f64 = 6.0;

/// A third line as far from a pair as its tones are from each other, and no more than this weaker, in dB, makes them overtones
/// of a low note, or a part of a comb.
const COMB: f64 = 26.0;

/// How exactly, as a share of the distance: strings are not quite harmonic.
const COMB_WITHIN: f64 = 0.03;

/// Overtones this much weaker than their tone, in dB, are heard.
const OVERTONE: f64 = 26.0;

/// Tones with overtones that are farther apart than this share of their frequency (a semitone) are an interval.
const INTERVAL: f64 = 0.058;

/// Notes are in tune within so many semitones, in equal temperament.
const IN_TUNE: f64 = 0.08;

/// The two tones of a layer are as loud as each other within this, in dB; an encoder may add it.
const SAME_LEVEL: f64 = 1.0;

/// Overtones of the two tones of one layer are alike within this, in dB.
const SAME_WAVE: f64 = 2.0;

/// How far the phases of a pair of sidebands may be from those of a level that goes up and down: the cosine, 1 there, -1 where
/// the frequency does.
const IN_PHASE: f64 = 0.7;

/// Pulses are as steep at their end as at their beginning: this share of the power of their harmonics may say otherwise. A stroke
/// that dies away is none.
const UNEVEN: f64 = 0.3;

/// A row of lines is followed so many lines to each side.
const ROW: f64 = 12.0;

/// Tones of two ears that are nearer to each other than this, in bins of the window, are one that is disturbed.
const SLOWEST: f64 = 0.2;

/// Two tones in one ear this much weaker than the strongest line, in dB, are a part of what sounds otherwise.
const AMONG: f64 = 25.0;

/// Around a pair lines are looked for in so many times its distance, and no more than so many hertz.
const CROWD: (f64, f64) = (4.0, 60.0);

/// How exactly a line is an overtone of a lower one, as a share of it.
const OVERTONE_WITHIN: f64 = 1.5e-4;

/// Multiples of a beat's tones are looked for up to this one.
const MULTIPLES: f64 = 64.0;

/// A line that is taken as a carrier for steadiness is within this of the strongest, in dB.
const STRONG: f64 = 20.0;

/// Lines this much weaker than the strongest of all bands, in dB, are not told.
const BELOW_STRONGEST: f64 = 60.0;

/// Tones of a pair that lie on sides are stronger there by this, in dB.
const SIDED: f64 = 6.0;

/// Sidebands are told down to this below their carrier, in dB: a depth of 2 %.
const SIDEBAND: f64 = -46.0;

/// Sidebands of one pair are alike within this, in dB.
const ALIKE: f64 = 3.0;

/// So many multiples of a rate are compared on both sides.
const ALIKE_TO: u32 = 4;

/// Sidebands this much weaker than the strongest of their carrier, in dB, do not say its rate. A codec leaves such: what it
/// does to a tone repeats with its frames (50 a second in Opus), and that beats with the rate.
const FAINT: f64 = 20.0;

/// A beat this much weaker than a line near it, in dB, is what a codec has made of that, or a part of a note.
const MASKED: f64 = 32.0;

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
    /// Whether it stays as it is.
    is_clean: bool,
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
pub(super) fn beats(bands: &[(&Band, Vec<Spectrum>)]) -> Seen {
    let all: Vec<Vec<Spot>> = bands.iter().map(|(_, ears)| spots(ears)).collect();
    let loudest = all.iter().flatten().map(Spot::loudest).fold(0.0, f64::max);
    let is_strong = |spot: &&Spot| spot.loudest() > loudest * from_db(-STRONG);
    let is_steady = loudest > 0.0
        && all
            .iter()
            .flatten()
            .filter(is_strong)
            .all(|spot| spot.is_clean);
    let mut found: Vec<(Beat, [f64; 2])> = Vec::new();
    let mut lines: Vec<(f64, f64)> = Vec::new();
    for ((band, ears), mut spots) in bands.iter().zip(all) {
        let Some(bin) = ears.first().map(Spectrum::bin) else {
            continue;
        };
        spots.retain(|spot| spot.loudest() > loudest * from_db(-BELOW_STRONGEST));
        lines.extend(
            spots
                .iter()
                .map(|spot| (spot.frequency, to_db(spot.loudest()))),
        );
        for n in 0..spots.len() {
            if spots[n].taken {
                continue;
            }
            spots[n].taken = true;
            let beat = match sidebands(&mut spots, n, bin) {
                Sidebands::None => pair(&mut spots, n, bin),
                Sidebands::Vibrato => None,
                Sidebands::Beat(beat) => Some((beat, [spots[n].frequency; 2])),
            };
            found.extend(beat.filter(|(beat, _)| band.own.contains(&beat.carrier())));
        }
    }
    found.sort_by(|a, b| b.0.level.total_cmp(&a.0.level));
    found.retain(|(beat, _)| {
        let hides = |(frequency, level): &(f64, f64)| {
            (frequency - beat.carrier()).abs() < REACH && level - beat.level > MASKED
        };
        !lines.iter().any(hides)
    });
    let mut beats: Vec<(Beat, [f64; 2])> = Vec::new();
    for (beat, tones) in found {
        if beat.kind == Kind::Monaural && beat.level < to_db(loudest) - AMONG {
            continue;
        }
        // On the border of two bands it is seen in both.
        let is_same = |(other, _): &(Beat, [f64; 2])| {
            other.kind == beat.kind
                && (other.carrier() - beat.carrier()).abs() < 0.05
                && (other.frequency - beat.frequency).abs() < 0.05
        };
        if beats.iter().any(is_same) {
            continue;
        }
        let is_wave = |(_, of): &(Beat, [f64; 2])| are_harmonics(tones, *of);
        if beats.iter().any(is_wave) || !are_overtones(tones, &lines) {
            beats.push((beat, tones));
        }
    }
    Seen {
        beats: beats.into_iter().map(|(beat, _)| beat).collect(),
        is_steady,
    }
}

/// By which multiple a tone is an overtone of another.
fn times(tone: f64, of: f64) -> Option<f64> {
    let times = (tone / of).round();
    let is_one = (2.0..MULTIPLES).contains(&times)
        && (tone - times * of).abs() < (OVERTONE_WITHIN * tone).max(0.02);
    is_one.then_some(times)
}

/// Whether two tones are the same multiple of those of a louder beat.
fn are_harmonics(tones: [f64; 2], of: [f64; 2]) -> bool {
    let both = |a: f64, b: f64| match (times(tones[0], a), times(tones[1], b)) {
        (Some(first), Some(second)) => first == second,
        _ => false,
    };
    both(of[0], of[1]) || both(of[1], of[0])
}

/// Whether two tones are both overtones of lower and louder lines (hertz and dB): of notes, which meet there by chance.
fn are_overtones(tones: [f64; 2], lines: &[(f64, f64)]) -> bool {
    let level = |tone: f64| {
        let near = lines
            .iter()
            .min_by(|a, b| (a.0 - tone).abs().total_cmp(&(b.0 - tone).abs()));
        near.map_or(0.0, |line| line.1)
    };
    let is_one = |tone: f64| {
        let own = level(tone);
        lines
            .iter()
            .any(|(line, level)| *level > own && times(tone, *line).is_some())
    };
    tones[0] != tones[1] && tones.iter().all(|tone| is_one(*tone))
}

fn from_db(db: f64) -> f64 {
    10f64.powf(db / 20.0)
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
                spot.is_clean &= line.is_clean;
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
                is_clean: line.is_clean,
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
    // What is the other ear's own is no sideband in this one.
    let is_of_ear = |k: usize| to_db(spots[k].loudest() / spots[k].amplitude(ear)) < PAIR;
    let mirrored = |k: usize| -> Option<usize> {
        let upper = &spots[k];
        let sure = 4.0 * upper.uncertainty + 0.1 * bin;
        let level = to_db(upper.amplitude(ear) / own);
        (0..spots.len()).find(|&j| {
            let lower = &spots[j];
            let there = (lower.frequency + upper.frequency - 2.0 * carrier.frequency).abs()
                < sure + 4.0 * lower.uncertainty;
            let alike = (to_db(lower.amplitude(ear) / own) - level).abs() < ALIKE;
            !lower.taken && is_of_ear(j) && there && alike && level > SIDEBAND
        })
    };
    let pairs: Vec<(usize, usize)> = (0..spots.len())
        .filter(|&k| !spots[k].taken && is_of_ear(k))
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
    let Some(first) = first.filter(|first| *first <= HIGHEST + 0.1 * bin) else {
        return Sidebands::None;
    };
    // A level that goes up and down turns both sidebands of a pair with the carrier; a frequency turns them against each other.
    let value = |spot: usize| spots[spot].ears[ear].unwrap_or_default();
    let turned = |&(lower, upper): &(usize, usize)| {
        let product = value(lower) * value(upper) * (value(n) * value(n)).conj();
        product.re / product.norm().max(1e-300)
    };
    // Lines between a carrier and its sidebands are those of something else.
    let between = [-0.5, 0.5].iter().any(|part| {
        let place = carrier.frequency + part * first;
        let least = from_db(loudest - COMB);
        let is_there =
            |spot: &Spot| spot.amplitude(ear) > least && (spot.frequency - place).abs() < 0.3 * bin;
        spots.iter().any(is_there)
    });
    // Both sides of a carrier whose level goes up and down are alike all the way.
    let side = |times: f64| {
        let place = carrier.frequency + times * first;
        let near = |spot: &&Spot| (spot.frequency - place).abs() < 0.3 * bin;
        let there = spots.iter().filter(near).map(|spot| spot.amplitude(ear));
        there.fold(0.0, f64::max)
    };
    let is_lopsided = (1..=ALIKE_TO).map(f64::from).any(|times| {
        let (a, b) = (side(-times), side(times));
        a.max(b) > from_db(loudest - FAINT) && a.min(b) < from_db(-2.0 * ALIKE) * a.max(b)
    });
    let is_level =
        carrier.is_clean && !between && strong.iter().all(|pair| turned(pair) > IN_PHASE);
    let is_loud = loudest > to_db(own) - STRONG;
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
    let cycles = [cycle(0), cycle(1)];
    let (low, high) = ends(&cycles[ear]);
    let (rate, uncertainty, depth) = (rate / weight, weight.sqrt().recip(), 1.0 - low / high);
    let taken = belongs(spots, &harmonics, &carrier, rate, bin);
    let faint = faint.into_iter().flat_map(|(lower, upper)| [lower, upper]);
    taken
        .into_iter()
        .chain(faint)
        .for_each(|spot| spots[spot].taken = true);
    let swings = [0, 1].map(|ear| harmonic_of(&cycles[ear], 1));
    let both = carrier.amplitude(1 - ear) > 0.1 * own;
    let kind = if both && (swings[0] * swings[1].conj()).re < 0.0 {
        Kind::Bilateral
    } else {
        Kind::Isochronic
    };
    let is_lopsided = is_lopsided && kind == Kind::Isochronic;
    if depth < LEAST || !is_level || is_lopsided || is_uneven(&swing(&cycles[ear])) {
        if is_loud {
            take_row(spots, carrier.frequency, first, bin);
            return Sidebands::Vibrato;
        }
        // A carrier that is hardly touched may be one of a pair.
        return Sidebands::None;
    }
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

/// A harmonic of the level over a cycle.
fn harmonic_of(cycle: &[f64], times: usize) -> Complex<f64> {
    let part = |(step, x): (usize, &f64)| {
        let turn = TAU * (times * step) as f64 / STEPS as f64;
        x * Complex::cis(-turn) * 2.0 / STEPS as f64
    };
    cycle.iter().enumerate().map(part).sum()
}

/// The harmonics of the level over a cycle, turned so that its first begins at its middle.
fn swing(cycle: &[f64]) -> Vec<Complex<f64>> {
    let first = harmonic_of(cycle, 1).arg();
    (1..=8)
        .map(|times| harmonic_of(cycle, times) * Complex::cis(-first * times as f64))
        .collect()
}

/// Whether a level goes up otherwise than it goes down.
fn is_uneven(harmonics: &[Complex<f64>]) -> bool {
    let higher = harmonics.get(1..).unwrap_or_default();
    let first = harmonics.first().map_or(0.0, |first| first.norm_sqr());
    let uneven: f64 = higher.iter().map(|own| own.im * own.im).sum();
    let all: f64 = higher.iter().map(|own| own.norm_sqr()).sum();
    uneven > UNEVEN * all && all > 0.05 * first
}

/// Takes the lines of a row that is `apart` hertz from line to line.
fn take_row(spots: &mut [Spot], from: f64, apart: f64, bin: f64) {
    for spot in spots {
        let away = (spot.frequency - from) / apart;
        let beside = (away - away.round()) * apart;
        if away.abs() < ROW && beside.abs() < (0.3 * bin).min(0.25 * apart) {
            spot.taken = true;
        }
    }
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

/// Two tones of like level: one an ear, or both in the same; with their frequencies.
fn pair(spots: &mut [Spot], n: usize, bin: f64) -> Option<(Beat, [f64; 2])> {
    let own = spots[n];
    let partner = (0..spots.len())
        .filter(|&k| {
            let other = &spots[k];
            let level = (to_db(other.loudest()) - to_db(own.loudest())).abs();
            let apart = (other.frequency - own.frequency).abs();
            let sides = (own.side(), other.side());
            // Two tones of one ear only are no pair with one of the other.
            let fits = is_between(sides) || (sides.0 - sides.1).abs() < SIDED;
            let most = if is_between(sides) { PAIR } else { BOTH };
            !other.taken && level <= most && apart <= HIGHEST + 0.1 * bin && fits
        })
        .min_by(|&a, &b| {
            let apart = |k: usize| (spots[k].frequency - own.frequency).abs();
            apart(a).total_cmp(&apart(b))
        })?;
    let other = spots[partner];
    spots[partner].taken = true;
    if let Some(apart) = comb(spots, &own, &other, bin) {
        take_row(spots, own.frequency, apart, bin);
        return None;
    }
    if !(own.is_clean && other.is_clean) {
        return None;
    }
    let between = is_between((own.side(), other.side()));
    if is_interval(spots, &own, &other, between, bin) {
        return None;
    }
    if !between && are_notes(spots, &own, &other) {
        return None;
    }
    if !between && is_crowded(spots, &own, &other) {
        return None;
    }
    let tones = [own.frequency, other.frequency];
    let uncertainty = own.uncertainty.hypot(other.uncertainty);
    if between && tones[0].max(tones[1]) - tones[0].min(tones[1]) < SLOWEST * bin {
        return None;
    }
    if between {
        let (left, right) = if own.side() > 0.0 {
            (own, other)
        } else {
            (other, own)
        };
        let (strong, weak) = (left.amplitude(0), right.amplitude(1));
        let known = left.ears[1].is_some() && right.ears[0].is_some();
        let separation = left.side().min(-right.side());
        let beat = Beat {
            kind: Kind::Binaural,
            frequency: right.frequency - left.frequency,
            uncertainty,
            carriers: [left.frequency, right.frequency],
            depth: strong.min(weak) / strong.max(weak),
            level: to_db(strong.max(weak)),
            duty: None,
            separation: known.then_some(separation),
        };
        return Some((beat, tones));
    }
    let ear = usize::from(own.amplitude(1) > own.amplitude(0));
    let (a, b) = (own.amplitude(ear), other.amplitude(ear));
    let middle = 0.5 * (own.frequency + other.frequency);
    let beat = Beat {
        kind: Kind::Monaural,
        frequency: (other.frequency - own.frequency).abs(),
        uncertainty,
        carriers: [middle; 2],
        depth: 2.0 * a.min(b) / (a + b),
        level: to_db(a + b),
        duty: None,
        separation: None,
    };
    Some((beat, tones))
}

/// How far the lines of a row are apart in which two lines stand: overtones of a low note, or what goes up and down in frequency.
fn comb(spots: &[Spot], a: &Spot, b: &Spot, bin: f64) -> Option<f64> {
    let (low, high) = (a.frequency.min(b.frequency), a.frequency.max(b.frequency));
    let apart = high - low;
    if apart < bin {
        return None;
    }
    let within = (COMB_WITHIN * apart).max(0.3 * bin);
    let least = a.loudest().min(b.loudest()) * from_db(-COMB);
    let is_there = |place: f64| {
        let near = |spot: &Spot| spot.loudest() > least && (spot.frequency - place).abs() < within;
        spots.iter().any(near)
    };
    if is_there(0.5 * (low + high)) {
        Some(0.5 * apart)
    } else {
        (is_there(low - apart) || is_there(high + apart)).then_some(apart)
    }
}

/// Whether steady lines as strong stand around a pair: then it is a part of something that goes up and down in frequency.
fn is_crowded(spots: &[Spot], a: &Spot, b: &Spot) -> bool {
    let middle = 0.5 * (a.frequency + b.frequency);
    let around = (CROWD.0 * (a.frequency - b.frequency).abs()).min(CROWD.1);
    let least = a.loudest().min(b.loudest()) * from_db(-PAIR);
    let is_near = |spot: &&Spot| {
        let is_own = spot.frequency == a.frequency || spot.frequency == b.frequency;
        let is_there = spot.is_clean && spot.loudest() > least;
        !is_own && is_there && (spot.frequency - middle).abs() < around
    };
    spots.iter().filter(is_near).count() >= 2
}

/// Whether two tones are an interval of notes: farther apart than a semitone, with overtones; not those of one wave in two ears.
fn is_interval(spots: &[Spot], a: &Spot, b: &Spot, between: bool, bin: f64) -> bool {
    let middle = 0.5 * (a.frequency + b.frequency);
    if (a.frequency - b.frequency).abs() < INTERVAL * middle {
        return false;
    }
    let overtone = |tone: &Spot, times: f64| -> Option<f64> {
        let place = times * tone.frequency;
        let within = (2e-3 * place).max(0.3 * bin);
        let near = |spot: &&Spot| (spot.frequency - place).abs() < within;
        let level = |spot: &Spot| to_db(spot.loudest() / tone.loudest());
        spots
            .iter()
            .filter(near)
            .map(level)
            .reduce(f64::max)
            .filter(|level| *level > -OVERTONE)
    };
    let waves = [2.0, 3.0].map(|times| [overtone(a, times), overtone(b, times)]);
    let is_same = |wave: &[Option<f64>; 2]| match wave {
        [Some(a), Some(b)] => (a - b).abs() < SAME_WAVE,
        [None, None] => true,
        _ => false,
    };
    let has_overtones = waves.iter().flatten().any(Option::is_some);
    let is_one_wave =
        to_db(a.loudest() / b.loudest()).abs() < SAME_WAVE && waves.iter().all(is_same);
    has_overtones && !(between && is_one_wave)
}

/// Whether two tones in one ear are notes without overtones: as far apart as notes are, and of different level or with a third
/// such note near them. The tones of a layer are alike, and its beat is no interval but by chance.
fn are_notes(spots: &[Spot], a: &Spot, b: &Spot) -> bool {
    let steps = |tone: &Spot, of: &Spot| {
        let steps = 12.0 * (tone.frequency / of.frequency).log2();
        let is_note = (steps - steps.round()).abs() < IN_TUNE && steps.round().abs() >= 2.0;
        is_note.then_some(steps.round())
    };
    if steps(a, b).is_none() {
        return false;
    }
    let is_third = |spot: &Spot| {
        let near = |tone: &Spot| steps(spot, tone).is_some_and(|steps| steps.abs() < 12.0);
        to_db(spot.loudest() / a.loudest()).abs() < PAIR && near(a) && near(b)
    };
    let apart = to_db(a.loudest() / b.loudest()).abs();
    apart > SAME_LEVEL || spots.iter().any(is_third)
}

/// Whether two tones lie on opposite sides.
fn is_between(sides: (f64, f64)) -> bool {
    sides.0.signum() != sides.1.signum() && sides.0.abs().min(sides.1.abs()) > SIDED
}
