//! What beats of tones and treatments are to each other: a treated chord is told once, as what was done to it, and not
//! once for each of its tones; the tones of a rhythm are told as the rhythm.

use super::entrainment::{Confidence, Course, Kind};
use super::treatment::{Amplitude, Pulsation, Rate, Shape, Treatments};

/// What a beat of tones may be a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// Of a treatment, which all that sounds has.
    Treatment,
    /// Of a rhythm: the tone is that of a sound that is struck again and again.
    Rhythm,
}

impl Whole {
    /// As in reports.
    pub fn name(self) -> &'static str {
        match self {
            Whole::Treatment => "treatment",
            Whole::Rhythm => "rhythm",
        }
    }
}

/// So many tones that pulse alike have been treated: a preset has four layers at most, and those at one rate are rarely so
/// many.
const TONES: usize = 5;

/// Rates are the same within so many hertz, or this share.
const SAME: (f64, f64) = (0.02, 1e-3);

/// What a treatment does to one tone among others is known only so well, as a share of its rate: the others are in the way.
const ROUGHLY: f64 = 0.02;

/// Depths are the same within this.
const ALIKE: f64 = 0.15;

/// A sound that is struck regularly has all its lines at multiples of its rate (of half of it where every second stroke
/// differs), to this share of it.
const ON_GRID: f64 = 0.04;

/// A rhythm is in more than one sound where it reaches over so many octaves.
const WIDE: f64 = 3.0;

/// A rhythm and its strokes are so many to one at most.
const STROKES: f64 = 8.0;

/// How well a rate is known, in hertz, that does not stand out at all in a window of 10 s.
const WINDOW: f64 = 0.06;

fn same(a: f64, b: f64, share: f64) -> bool {
    (a.abs() - b.abs()).abs() < SAME.0.max(share * b.abs())
}

/// Says of each beat what it is a part of, and tells a tremolo of a chord that is known by its tones alone.
pub fn join(courses: &mut [Course], treatments: &mut Treatments) {
    if treatments.amplitude.is_none() {
        let is_of_sides = |found: &Amplitude| {
            let sides = treatments.bilateral;
            sides.is_some_and(|sides| same(found.rate.hz, sides.rate.hz, ROUGHLY))
        };
        treatments.amplitude = of_tones(courses).filter(|found| !is_of_sides(found));
    }
    let rates = |harmonics: bool| -> Vec<f64> {
        let is_asked = |course: &&Course| (course.harmonic > 1) == harmonics;
        let rate = |course: &Course| course.beat.frequency;
        courses.iter().filter(is_asked).map(rate).collect()
    };
    let (overtones, tones) = (rates(true), rates(false));
    // Where the overtones of notes meet, the depth is that of their sum: many tones of the treatment's depth vouch for the
    // rest.
    let treated: Vec<(f64, f64)> = courses
        .iter()
        .filter(|course| is_treated(course, treatments))
        .map(|course| (course.beat.frequency, course.beat.level))
        .collect();
    let is_met = |course: &Course| {
        let beat = &course.beat;
        let is_alike = |other: &&(f64, f64)| same(beat.frequency, other.0, SAME.1);
        let is_pulse = matches!(beat.kind, Kind::Isochronic | Kind::Bilateral);
        let alike: Vec<_> = treated.iter().filter(is_alike).collect();
        is_pulse && alike.len() >= TONES && alike.iter().any(|other| other.1 > beat.level)
    };
    for course in courses {
        // The overtones of one layer have its rate in many bands too.
        let alike = |rates: &[f64]| {
            let is_alike = |rate: &&f64| same(**rate, course.beat.frequency, SAME.1);
            rates.iter().filter(is_alike).count()
        };
        let is_layer = alike(&overtones) > 0 && alike(&tones) < TONES;
        if !is_layer && (is_treated(course, treatments) || is_met(course)) {
            course.part_of = Some(Whole::Treatment);
        } else if treatments
            .pulsation
            .is_some_and(|rhythm| is_struck(course, &rhythm))
        {
            course.part_of = Some(Whole::Rhythm);
        }
    }
}

/// Whether a beat is what a treatment makes of a tone.
fn is_treated(course: &Course, treatments: &Treatments) -> bool {
    let beat = &course.beat;
    let is_at = |rate: &Rate| same(beat.frequency, rate.hz, ROUGHLY);
    match beat.kind {
        Kind::Isochronic | Kind::Bilateral => {
            let amplitude = treatments.amplitude.is_some_and(|found| {
                is_at(&found.rate) && (found.depth - beat.depth).abs() < ALIKE
            });
            amplitude || treatments.bilateral.is_some_and(|found| is_at(&found.rate))
        }
        // Every line of a shifted sound has a partner in the other ear, and chance makes more of them, which come and go.
        Kind::Binaural => treatments.shift.is_some_and(|found| {
            is_at(&found.beat) || course.confidence() == Confidence::Low || has_pauses(course)
        }),
        Kind::Monaural => false,
    }
}

/// Whether a beat comes and goes where it is.
fn has_pauses(course: &Course) -> bool {
    let [first, .., last] = course.points[..] else {
        return false;
    };
    course.longest < 0.9 * (last.0 - first.0)
}

/// Whether a tone that pulses is that of a sound that is struck at a rhythm, or at one of its divisions.
fn is_struck(course: &Course, rhythm: &Pulsation) -> bool {
    let rate = course.beat.frequency;
    let cycles = 2.0 * course.beat.carrier() / rate;
    let times = (rhythm.rate.hz / rate).max(rate / rhythm.rate.hz);
    course.beat.kind == Kind::Isochronic
        && (rhythm.range.1 / rhythm.range.0).log2() > WIDE
        && (cycles - cycles.round()).abs() < ON_GRID
        && times < STROKES + 0.5
        && (2.0 * times - (2.0 * times).round()).abs() < 0.02
}

/// The tremolo that many tones have in common.
fn of_tones(courses: &[Course]) -> Option<Amplitude> {
    let pulses = |course: &&Course| {
        course.beat.kind == Kind::Isochronic && course.harmonic == 1 && course.share > 0.2
    };
    courses.iter().filter(pulses).find_map(|first| {
        let alike: Vec<&Course> = courses
            .iter()
            .filter(pulses)
            .filter(|other| {
                same(other.beat.frequency, first.beat.frequency, SAME.1)
                    && (other.beat.depth - first.beat.depth).abs() < ALIKE
            })
            .collect();
        // Lines on one grid are those of one sound.
        let apart = |other: &&&Course| {
            let cycles = (other.beat.carrier() - first.beat.carrier()) / first.beat.frequency;
            (cycles - cycles.round()).abs() > 2.0 * ON_GRID
        };
        let others = alike.iter().filter(apart).count();
        if alike.len() < TONES || others < 2 {
            return None;
        }
        let mean = |of: &dyn Fn(&Course) -> f64| {
            alike.iter().map(|course| of(course)).sum::<f64>() / alike.len() as f64
        };
        let uncertainty = mean(&|course| course.beat.uncertainty) / (alike.len() as f64).sqrt();
        let duty = mean(&|course| course.beat.duty.unwrap_or(50.0));
        let carriers = alike.iter().map(|course| course.beat.carrier());
        Some(Amplitude {
            rate: Rate {
                hz: mean(&|course| course.beat.frequency),
                uncertainty,
                // By how much a sideband stands out is in how well its frequency is known.
                above: 20.0 * (WINDOW / uncertainty.max(1e-6)).log10(),
            },
            depth: mean(&|course| course.beat.depth),
            // Above its middle a sine is for half of its cycle.
            shape: if (duty - 50.0).abs() < 4.0 {
                Shape::Sine
            } else {
                Shape::Pulse { duty }
            },
            range: (
                carriers.clone().fold(f64::INFINITY, f64::min),
                carriers.fold(0.0, f64::max),
            ),
        })
    })
}
