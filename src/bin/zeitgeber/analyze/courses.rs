//! The part of `zeitgeber analyze` that tells beats of tones, on the whole and over time.

use serde::Serialize;
use zeitgeber::analysis::entrainment::{Beat, Confidence, Course, Moment};
use zeitgeber::analysis::together::Whole;

/// So many beats are told in words; `--json` has all.
const TOLD: usize = 8;

/// Beats this much softer than the loudest, in dB, are not told in words: lossy encoders add such.
const SOFT: f64 = 30.0;

/// Rows of the table over time.
const ROWS: usize = 24;

/// Columns of it.
const COLUMNS: usize = 4;

/// A beat through the file.
#[derive(Serialize)]
pub struct EarCourse {
    /// As it is on the whole. Where it moves, its frequency is the median.
    #[serde(flatten)]
    seen: Seen,
    /// Of what pulses, in percent: above half amplitude; bilateral: on the left.
    duty: Option<f64>,
    /// Of a binaural beat: how much louder each tone is in its own ear; null where it cannot be told.
    separation_db: Option<f64>,
    /// Whether it moves, and between which frequencies.
    moves: bool,
    lowest_hz: f64,
    highest_hz: f64,
    /// Where it begins and ends.
    from_hz: f64,
    to_hz: f64,
    /// Whether it moves in steps, and does not glide.
    steps: bool,
    /// The share of windows that have it, 0-1.
    share: f64,
    /// "high", "medium" or "low".
    confidence: &'static str,
    /// 1, or the harmonic of an earlier beat that it is.
    harmonic: u32,
    /// "treatment" or "rhythm" where it is what one of these, told by itself, makes of a tone; otherwise null.
    part_of: Option<&'static str>,
    /// Seconds and hertz of each window that has it.
    points: Vec<(f64, f64)>,
}

/// One window.
#[derive(Serialize)]
pub struct Window {
    at_seconds: f64,
    pub seconds: f64,
    beats: Vec<Seen>,
}

/// A beat, of one window or of all.
#[derive(Serialize)]
struct Seen {
    /// "binaural", "monaural", "isochronic" or "bilateral".
    kind: &'static str,
    /// Of a binaural beat right minus left.
    hz: f64,
    /// One standard deviation.
    uncertainty_hz: f64,
    /// The carriers, which differ for binaural beats only.
    left_hz: f64,
    right_hz: f64,
    /// 0-1: the gain runs between 1 and 1 - depth; binaural: the softer tone to the louder.
    depth: f64,
    /// Highest peak over a cycle.
    dbfs: f64,
}

impl From<&Beat> for Seen {
    fn from(beat: &Beat) -> Seen {
        Seen {
            kind: beat.kind.name(),
            hz: beat.frequency,
            uncertainty_hz: beat.uncertainty,
            left_hz: beat.carriers[0],
            right_hz: beat.carriers[1],
            depth: beat.depth,
            dbfs: beat.level,
        }
    }
}

impl From<&Course> for EarCourse {
    fn from(course: &Course) -> EarCourse {
        let beat = &course.beat;
        EarCourse {
            seen: beat.into(),
            duty: beat.duty,
            separation_db: beat.separation,
            moves: course.is_moving,
            lowest_hz: course.range.0,
            highest_hz: course.range.1,
            from_hz: course.ends.0,
            to_hz: course.ends.1,
            steps: course.is_moving && course.is_stepping,
            share: course.share,
            confidence: match course.confidence() {
                Confidence::High => "high",
                Confidence::Medium => "medium",
                Confidence::Low => "low",
            },
            harmonic: course.harmonic,
            part_of: course.part_of.map(Whole::name),
            points: course.points.clone(),
        }
    }
}

impl From<&Moment> for Window {
    fn from(moment: &Moment) -> Window {
        Window {
            at_seconds: moment.at,
            seconds: moment.seconds,
            beats: moment.beats.iter().map(Seen::from).collect(),
        }
    }
}

impl EarCourse {
    fn is_told(&self) -> bool {
        self.harmonic == 1 && self.part_of.is_none() && self.confidence != "low"
    }

    fn carrier(&self) -> f64 {
        0.5 * (self.seen.left_hz + self.seen.right_hz)
    }

    /// For the legend of a drawing.
    pub fn title(&self) -> String {
        format!("{} at {:.0} Hz", self.seen.kind, self.carrier())
    }

    /// Seconds and hertz of each window that has it.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    fn text(&self, hertz: &impl Fn(f64, f64) -> String) -> String {
        let mut parts = Vec::new();
        if self.moves {
            let way = if self.steps { "in steps" } else { "gliding" };
            parts.push(way.to_owned());
            // What it passes on its way and is beyond both ends.
            let ends = (self.from_hz.min(self.to_hz), self.from_hz.max(self.to_hz));
            let beyond = 0.5 + 0.05 * ends.1.abs();
            if self.lowest_hz < ends.0 - beyond || self.highest_hz > ends.1 + beyond {
                parts.push(format!(
                    "by way of {:.2} to {:.2} Hz",
                    self.lowest_hz, self.highest_hz
                ));
            }
            parts.push(format!("around {:.1} Hz", self.carrier()));
        } else if self.seen.kind == "binaural" {
            parts.push(format!(
                "between {:.3} Hz left and {:.3} Hz right",
                self.seen.left_hz, self.seen.right_hz
            ));
        } else {
            parts.push(format!("of {:.3} Hz", self.carrier()));
        }
        parts.push(format!("{:.1} dBFS", self.seen.dbfs));
        parts.push(format!("depth {:.2}", self.seen.depth));
        parts.extend(self.duty.map(|duty| {
            let what = if self.seen.kind == "bilateral" {
                "left for"
            } else {
                "duty"
            };
            format!("{what} {duty:.0} %")
        }));
        parts.extend(self.separation_db.map(|db| match db {
            db if db > 60.0 => "ears apart by over 60 dB".to_owned(),
            db => format!("ears apart by {db:.0} dB"),
        }));
        if self.confidence != "high" {
            let share = 100.0 * self.share;
            parts.push(format!(
                "confidence {} (in {share:.0} % of the file)",
                self.confidence
            ));
        }
        let hz = if self.moves {
            format!(" moves from {:.2} to {:.2} Hz,", self.from_hz, self.to_hz)
        } else {
            hertz(self.seen.hz, self.seen.uncertainty_hz)
        };
        format!("{:10}{hz} {}\n", self.seen.kind, parts.join(", "))
    }
}

/// A line for each beat.
pub fn text(courses: &[EarCourse], hertz: impl Fn(f64, f64) -> String) -> String {
    let loudest = courses
        .iter()
        .map(|course| course.seen.dbfs)
        .fold(f64::NEG_INFINITY, f64::max);
    let is_told = |course: &&EarCourse| course.is_told() && course.seen.dbfs > loudest - SOFT;
    let told: Vec<&EarCourse> = courses.iter().filter(is_told).collect();
    let mut text: String = told
        .iter()
        .take(TOLD)
        .map(|course| course.text(&hertz))
        .collect();
    let rest = courses.len() - told.len().min(TOLD);
    if rest > 0 {
        text += &format!(
            "{:10}{rest} more, soft, passing, unsure, harmonics or parts of what is told: --json has them\n",
            ""
        );
    }
    text
}

/// The beats that move, window by window.
pub fn table(courses: &[EarCourse]) -> String {
    let moving: Vec<&EarCourse> = courses
        .iter()
        .filter(|course| course.moves && course.is_told())
        .take(COLUMNS)
        .collect();
    let mut times: Vec<f64> = moving
        .iter()
        .flat_map(|course| course.points.iter().map(|point| point.0))
        .collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    if times.is_empty() {
        return String::new();
    }
    let mut text = format!("{:>10}", "seconds");
    for course in &moving {
        text += &format!("{:>26}", course.title());
    }
    text.push('\n');
    for time in times.iter().step_by(times.len().div_ceil(ROWS)) {
        text += &format!("{time:10.1}");
        for course in &moving {
            let here = course.points.iter().find(|point| point.0 == *time);
            text += &here.map_or(format!("{:>26}", "-"), |(_, hz)| format!("{hz:23.3} Hz"));
        }
        text.push('\n');
    }
    text
}

/// What is said where nothing beats, and what could not have been told.
pub fn nothing(window: Option<f64>) -> String {
    match window {
        Some(seconds) if seconds >= 1.0 => format!(
            "{:10}none found; two tones in one ear less than {:.1} Hz apart could not be told\n",
            "beat",
            4.0 / seconds
        ),
        _ => format!("{:10}none found; the file is too short to tell\n", "beat"),
    }
}
