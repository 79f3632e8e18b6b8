//! One beat through all windows: what it is on the whole, and where it goes.

use super::{Beat, Kind, Moment};

/// How far carrier and beat may move from one window to the next, in hertz and as a share.
const CARRIER: (f64, f64) = (4.0, 0.03);
const BEAT: (f64, f64) = (0.6, 0.15);

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
    /// Whether it moves.
    pub is_moving: bool,
    /// Middle in seconds, and beat in hertz, of each window that has it.
    pub points: Vec<(f64, f64)>,
    /// Those windows as a share of all, 0-1.
    pub share: f64,
    /// The harmonic of another beat that it is: twice its carrier and twice its beat are 2. Otherwise 1.
    pub harmonic: u32,
}

impl Course {
    /// How sure it is that it is there.
    pub fn confidence(&self) -> Confidence {
        // A frequency that is not known to a hundredth is that of a short window.
        let is_known = self.beat.uncertainty < 0.01;
        match self.share {
            share if share >= 0.8 && is_known => Confidence::High,
            share if share >= 0.4 => Confidence::Medium,
            _ => Confidence::Low,
        }
    }
}

/// The beats of a stream, the one that matters most (loud for long) first.
pub fn courses(moments: &[Moment]) -> Vec<Course> {
    let mut open: Vec<Vec<(f64, Beat)>> = Vec::new();
    for moment in moments {
        let middle = moment.at + 0.5 * moment.seconds;
        let mut free: Vec<usize> = (0..open.len()).collect();
        for beat in &moment.beats {
            let place = free
                .iter()
                .position(|&n| open[n].last().is_some_and(|(_, last)| is_next(last, beat)));
            match place {
                Some(place) => open[free.swap_remove(place)].push((middle, *beat)),
                None => open.push(vec![(middle, *beat)]),
            }
        }
    }
    let mut found: Vec<Course> = open
        .iter()
        .map(|beats| course(beats, moments.len()))
        .collect();
    let weight = |course: &Course| 10f64.powf(course.beat.level / 20.0) * course.share;
    found.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    for n in 1..found.len() {
        let own = found[n].beat;
        let harmonic = found[..n]
            .iter()
            .filter(|other| other.harmonic == 1)
            .find_map(|other| {
                let times = (own.carrier() / other.beat.carrier()).round();
                let carrier = (own.carrier() - times * other.beat.carrier()).abs();
                // The harmonics of a tone that pulses all pulse at its rate.
                let beats = [1.0, times].map(|k| (own.frequency - k * other.beat.frequency).abs());
                let is_one =
                    times >= 2.0 && carrier < 0.05 && beats.iter().any(|apart| *apart < 0.05);
                is_one.then_some(times as u32)
            });
        found[n].harmonic = harmonic.unwrap_or(1);
    }
    found
}

fn is_next(last: &Beat, next: &Beat) -> bool {
    let near =
        |a: f64, b: f64, (hertz, share): (f64, f64)| (a - b).abs() < hertz.max(share * a.abs());
    last.kind == next.kind
        && near(last.carrier(), next.carrier(), CARRIER)
        && near(last.frequency, next.frequency, BEAT)
}

fn course(seen: &[(f64, Beat)], windows: usize) -> Course {
    let beats: Vec<Beat> = seen.iter().map(|(_, beat)| *beat).collect();
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
            carriers: [of(&|beat| beat.carriers[0]), of(&|beat| beat.carriers[1])],
            depth: of(&|beat| beat.depth),
            level: of(&|beat| beat.level),
            duty: median(&|beat| beat.duty),
            separation: median(&|beat| beat.separation),
        },
        range,
        is_moving,
        points: seen
            .iter()
            .map(|(at, beat)| (*at, beat.frequency))
            .collect(),
        share: beats.len() as f64 / windows.max(1) as f64,
        harmonic: 1,
    }
}
