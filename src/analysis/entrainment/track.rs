//! One beat through all windows: what it is on the whole, and where it goes.

use super::{Beat, Kind, Moment};
use crate::analysis::together::Whole;

/// How far carrier and beat may move from one window to the next, in hertz and as a share; in short windows less.
const CARRIER: (f64, f64) = (4.0, 0.03);
const BEAT: (f64, f64) = (0.6, 0.15);

/// Where windows are closer than this, in seconds, a carrier and a beat move less.
const FAR: (f64, f64) = (5.0, 2.5);

/// How near to each other the carriers before and after a step are, in hertz and as a share.
const SAME: (f64, f64) = (0.3, 1e-3);

/// How far ahead a glide is foreseen, in seconds.
const FORESEEN: f64 = 20.0;

/// A step may hide a beat for so long, in seconds, and change its level by so many dB.
const PAUSE: f64 = 3.0;
const AS_LOUD: f64 = 6.0;

/// A step goes from one beat that stays for longer than this to another, in seconds.
const STAYS: f64 = 2.0;

/// By how much a harmonic may be louder than a sawtooth has it, in dB.
const LOUDER: f64 = 1.0;

/// A beat is said to move beyond this many hertz.
const MOVES: f64 = 0.02;

/// How sure it is that a beat is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// In few windows: it may be chance, or a passage.
    Low,
    /// In many, or in one alone that is short.
    Medium,
    /// In nearly all, or of one long one.
    High,
}

/// A beat through a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Medians over its windows; where it does not move the frequency is the mean of the sure ones.
    pub beat: Beat,
    /// Lowest and highest beat in hertz.
    pub range: (f64, f64),
    /// Where it begins and ends, in hertz.
    pub ends: (f64, f64),
    /// Whether it moves.
    pub is_moving: bool,
    /// Whether it does so in steps, and does not glide.
    pub is_stepping: bool,
    /// Middle in seconds, and beat in hertz, of each window that has it.
    pub points: Vec<(f64, f64)>,
    /// Those windows as a share of all, 0-1.
    pub share: f64,
    /// Whether it goes up and down from window to window, as chance does.
    pub is_erratic: bool,
    /// The longest time for which it is there without a pause, in seconds.
    pub longest: f64,
    /// The harmonic of another beat that it is: twice its carrier and twice its beat are 2. Otherwise 1.
    pub harmonic: u32,
    /// What it is a part of, where that is told by itself.
    pub part_of: Option<Whole>,
}

impl Course {
    /// Whether a beat of one window may be this one.
    pub(super) fn is_through(&self, beat: &Beat) -> bool {
        let (low, high) = self.range;
        let slack = BEAT.0.max(BEAT.1 * beat.frequency.abs());
        self.beat.kind == beat.kind
            && near(self.beat.carrier(), beat.carrier(), CARRIER)
            && (low - slack..=high + slack).contains(&beat.frequency)
    }

    /// How sure it is that it is there.
    pub fn confidence(&self) -> Confidence {
        // A frequency that is not known to a hundredth is that of a short window.
        let is_known = self.beat.uncertainty < 0.01;
        match self.share {
            _ if self.is_erratic => Confidence::Low,
            share if share >= 0.8 && is_known => Confidence::High,
            share if share >= 0.4 => Confidence::Medium,
            _ => Confidence::Low,
        }
    }
}

/// The beats of a stream, the one that matters most (loud for long) first. What is there for less than a window is none.
pub fn courses(moments: &[Moment]) -> Vec<Course> {
    let window = moments
        .iter()
        .map(|moment| moment.seconds)
        .fold(0.0, f64::max);
    let all: f64 = moments.iter().map(|moment| moment.seconds).sum();
    let mut found = all_of(moments, true);
    found.retain(|course| course.longest >= 0.9 * window.min(0.5 * all));
    for n in 1..found.len() {
        found[n].harmonic = harmonic(&found, n);
    }
    found
}

/// All that can be followed, without names for harmonics.
pub(super) fn all(moments: &[Moment]) -> Vec<Course> {
    all_of(moments, false)
}

/// The beat of one window.
#[derive(Clone, Copy)]
struct Place {
    /// Middle and length of the window in seconds.
    at: f64,
    seconds: f64,
    beat: Beat,
}

impl Place {
    fn ends(&self) -> (f64, f64) {
        (self.at - 0.5 * self.seconds, self.at + 0.5 * self.seconds)
    }
}

fn all_of(moments: &[Moment], joins: bool) -> Vec<Course> {
    let mut open: Vec<Vec<Place>> = Vec::new();
    for moment in moments {
        let (seconds, at) = (moment.seconds, moment.at + 0.5 * moment.seconds);
        let mut free: Vec<usize> = (0..open.len()).collect();
        for beat in &moment.beats {
            let place = free.iter().position(|&n| is_next(&open[n], at, beat));
            let here = Place {
                at,
                seconds,
                beat: *beat,
            };
            match place {
                Some(place) => open[free.swap_remove(place)].push(here),
                None => open.push(vec![here]),
            }
        }
    }
    if joins {
        join(&mut open);
    }
    let seconds: f64 = moments.iter().map(|moment| moment.seconds).sum();
    let mut found: Vec<Course> = open.iter().map(|seen| course(seen, seconds)).collect();
    let weight = |course: &Course| 10f64.powf(course.beat.level / 20.0) * course.share;
    found.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    found
}

/// One beat that steps is found in pieces: each that begins where another ends, on the same carrier and as loud, goes on with it.
fn join(open: &mut Vec<Vec<Place>>) {
    open.sort_by(|a, b| a[0].at.total_cmp(&b[0].at));
    let mut n = 1;
    while n < open.len() {
        let first = open[n][0];
        let is_long = |seen: &[Place]| longest(seen) > STAYS;
        let fits = |k: &usize| {
            let Some(last) = open[*k].last() else {
                return false;
            };
            let pause = first.ends().0 - last.ends().1;
            (-1e-6..=PAUSE).contains(&pause)
                && is_long(&open[*k])
                && is_long(&open[n])
                && last.beat.kind == first.beat.kind
                && near(last.beat.carrier(), first.beat.carrier(), SAME)
                && (last.beat.level - first.beat.level).abs() < AS_LOUD
        };
        let before: Vec<usize> = (0..n).filter(fits).collect();
        if let [before] = before[..] {
            let rest = open.remove(n);
            open[before].extend(rest);
        } else {
            n += 1;
        }
    }
}

/// The harmonic of an earlier one that a course is, or 1.
fn harmonic(found: &[Course], n: usize) -> u32 {
    let own = found[n].beat;
    let times = |other: &Course| -> Option<f64> {
        let times = (own.carrier() / other.beat.carrier()).round();
        let carrier = (own.carrier() - times * other.beat.carrier()).abs();
        // The harmonics of a tone that pulses all pulse at its rate; those of two tones are as many times as far apart.
        let rate = match own.kind {
            Kind::Binaural | Kind::Monaural => times * other.beat.frequency,
            Kind::Isochronic | Kind::Bilateral => other.beat.frequency,
        };
        // No wave has a harmonic that is louder than that of a sawtooth: else it is a layer of its own.
        let is_soft = own.level < other.beat.level - 20.0 * times.log10() + LOUDER;
        let is_one = own.kind == other.beat.kind
            && times >= 2.0
            && carrier < 0.05
            && (own.frequency - rate).abs() < 0.05;
        (is_one && is_soft).then_some(times)
    };
    for other in found[..n].iter().filter(|other| other.harmonic == 1) {
        let Some(own) = times(other) else {
            continue;
        };
        // A wave that has even harmonics has the third too; an octave alone is a layer.
        let third = |course: &Course| {
            (course.beat.carrier() - 3.0 * other.beat.carrier()).abs() < 0.05
                && course.beat.kind == other.beat.kind
        };
        if own % 2.0 != 0.0 || found.iter().any(third) {
            return own as u32;
        }
    }
    1
}

fn near(a: f64, b: f64, (hertz, share): (f64, f64)) -> bool {
    (a - b).abs() < hertz.max(share * a.abs())
}

/// Whether a beat goes on with what was seen: near the last one, or where it was going.
fn is_next(seen: &[Place], at: f64, next: &Beat) -> bool {
    let Some(place) = seen.last() else {
        return false;
    };
    let last = &place.beat;
    let expected = |of: &dyn Fn(&Beat) -> f64| match seen {
        [.., before, place] if at - place.at < FORESEEN => {
            let slope = (of(&place.beat) - of(&before.beat)) / (place.at - before.at);
            of(&place.beat) + slope * (at - place.at)
        }
        _ => of(last),
    };
    let is_near = |of: &dyn Fn(&Beat) -> f64, within: (f64, f64)| {
        near(of(last), of(next), within) || near(expected(of), of(next), within)
    };
    let time = at - place.at;
    let (slow, fast) = ((time / FAR.0).min(1.0), (time / FAR.1).min(1.0));
    last.kind == next.kind
        && is_near(&Beat::carrier, (CARRIER.0 * slow, CARRIER.1 * slow))
        && is_near(&|beat| beat.frequency, (BEAT.0, BEAT.1 * fast))
}

fn course(seen: &[Place], all: f64) -> Course {
    let beats: Vec<Beat> = seen.iter().map(|place| place.beat).collect();
    let median = |of: &dyn Fn(&Beat) -> Option<f64>| -> Option<f64> {
        let mut values: Vec<f64> = beats.iter().filter_map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let of = |value: &dyn Fn(&Beat) -> f64| median(&|beat| Some(value(beat))).unwrap_or(0.0);
    let fold =
        |start: f64, f: fn(f64, f64) -> f64| beats.iter().map(|beat| beat.frequency).fold(start, f);
    let range = (
        fold(f64::INFINITY, f64::min),
        fold(f64::NEG_INFINITY, f64::max),
    );
    let unsure = of(&|beat| beat.uncertainty);
    let is_moving = range.1 - range.0 > MOVES + 8.0 * unsure;
    let weigh = |beat: &Beat| beat.uncertainty.powi(-2);
    let weight: f64 = beats.iter().map(weigh).sum();
    let mean = beats
        .iter()
        .map(|beat| weigh(beat) * beat.frequency)
        .sum::<f64>()
        / weight;
    let scatter = beats
        .iter()
        .map(|beat| weigh(beat) * (beat.frequency - mean).powi(2))
        .sum::<f64>();
    let scatter = (scatter / weight / beats.len() as f64).sqrt();
    let kind = beats.first().map_or(Kind::Binaural, |beat| beat.kind);
    let mut carriers = [of(&|beat| beat.carriers[0]), of(&|beat| beat.carriers[1])];
    if is_moving {
        // What both ears do at one time belongs together.
        let apart = 0.5 * of(&|beat| beat.carriers[1] - beat.carriers[0]);
        carriers = [-apart, apart].map(|away| of(&Beat::carrier) + away);
    }
    Course {
        beat: Beat {
            kind,
            frequency: if is_moving {
                of(&|beat| beat.frequency)
            } else {
                mean
            },
            uncertainty: if is_moving {
                unsure
            } else {
                weight.sqrt().recip().hypot(scatter)
            },
            carriers,
            depth: of(&|beat| beat.depth),
            level: of(&|beat| beat.level),
            duty: median(&|beat| beat.duty),
            separation: median(&|beat| beat.separation),
        },
        range,
        is_moving,
        points: seen
            .iter()
            .map(|place| (place.at, place.beat.frequency))
            .collect(),
        share: seen.iter().map(|place| place.seconds).sum::<f64>() / all.max(1e-9),
        ends: ends(seen),
        is_erratic: is_moving && is_erratic(seen),
        longest: longest(seen),
        is_stepping: is_stepping(seen),
        harmonic: 1,
        part_of: None,
    }
}

/// The longest time without a pause.
fn longest(seen: &[Place]) -> f64 {
    let (mut longest, mut run, mut end) = (0.0, 0.0, f64::NEG_INFINITY);
    for place in seen {
        let (from, to) = place.ends();
        run = if from - end < PAUSE { run } else { 0.0 } + place.seconds;
        (longest, end) = (f64::max(longest, run), to);
    }
    longest
}

/// Where the beat begins and ends in hertz: at the outer ends of its windows, where it glides there.
fn ends(seen: &[Place]) -> (f64, f64) {
    let outer = |places: [Option<&Place>; 3]| -> f64 {
        let [Some(first), second, third] = places else {
            return 0.0;
        };
        let slope = |a: &Place, b: &Place| (b.beat.frequency - a.beat.frequency) / (b.at - a.at);
        let out = |second: &Place| 0.5 * first.seconds * (first.at - second.at).signum();
        match (second, third) {
            (Some(second), Some(third)) => {
                let (near, far) = (slope(first, second), slope(second, third));
                // What goes on as it did is a glide, and went on beyond the middle of its window.
                if (near - far).abs() < 0.2 * near.abs() {
                    first.beat.frequency + near * out(second)
                } else {
                    first.beat.frequency
                }
            }
            _ => first.beat.frequency,
        }
    };
    let back = |n: usize| seen.len().checked_sub(n).and_then(|n| seen.get(n));
    (
        outer([seen.first(), seen.get(1), seen.get(2)]),
        outer([back(1), back(2), back(3)]),
    )
}

/// Whether a beat turns around in every second window or so, by more than is unsure.
fn is_erratic(seen: &[Place]) -> bool {
    let turns = |three: &[Place]| {
        let [a, b, c] = [0, 1, 2].map(|n| three[n].beat);
        let (first, second) = (b.frequency - a.frequency, c.frequency - b.frequency);
        let least = MOVES + 8.0 * b.uncertainty;
        first * second < 0.0 && first.abs().min(second.abs()) > least
    };
    let count = seen.windows(3).filter(|three| turns(three)).count();
    3 * count > seen.len().saturating_sub(2)
}

/// Whether a beat that moves does it at once: nearly all of its way in few of its windows.
fn is_stepping(seen: &[Place]) -> bool {
    let mut ways: Vec<f64> = seen
        .windows(2)
        .map(|pair| (pair[1].beat.frequency - pair[0].beat.frequency).abs())
        .collect();
    ways.sort_by(|a, b| b.total_cmp(a));
    let all: f64 = ways.iter().sum();
    let most: f64 = ways.iter().take(ways.len().div_ceil(6)).sum();
    ways.len() >= 4 && most > 0.95 * all
}
