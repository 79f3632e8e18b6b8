//! Timelines: controls over a time of their own, with their integrals in closed form.
//!
//! A timeline is made off the audio thread from rows (`protocol/` reads them from presets), never changes, and
//! is shared. Per control it is a track of segments: held, straight, exponential, or a raised cosine. The
//! integral of a frequency from second 0 to any frame is a function of that frame alone, in 2^-64 cycles: the
//! part at the frequency in which a segment begins is exact in integers, only what it departs from there is
//! computed in f64. So a phase is the same from wherever it is reached, after hours too.
//!
//! A layer's carrier is carrier x 2^(interval/12) and its beat is beat x ratio. Where both factors move at
//! once, their product is integrated by Gauss-Legendre quadrature, which for such smooth functions is as
//! exact as an f64.

use super::apply::{self, crossfades, is_macro, places, travels};
use super::controls as id;
use super::controls::{Control, Values};
use super::{ControlId, SWITCH_TIME};
use crate::dsp::phase::{CYCLE, increment};
use crate::dsp::ramp::raised_cosine;
use std::f64::consts::PI;
use std::fmt;

/// The longest timeline in seconds: a week.
pub const LONGEST: f64 = 604_800.0;

/// Frames that a row may lie apart from any other: no product of seconds and rates is longer.
const FOREVER: u64 = u64::MAX / 4;

/// How a control travels to the value of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// It is at the row before until the row's time, and then glides to the row's value in the glide's time.
    Step,
    /// A straight line in the control's unit, from the row before to this one.
    Linear,
    /// Equal ratios in equal times: both ends must be above 0.
    Exponential,
    /// Half a period of a cosine, in the control's unit.
    Smooth,
}

impl Curve {
    /// The curve of a name.
    pub fn parse(name: &str) -> Option<Curve> {
        let curves = [
            Curve::Step,
            Curve::Linear,
            Curve::Exponential,
            Curve::Smooth,
        ];
        curves.into_iter().find(|curve| curve.name() == name)
    }

    /// Its name in presets.
    pub fn name(self) -> &'static str {
        match self {
            Curve::Step => "step",
            Curve::Linear => "linear",
            Curve::Exponential => "exponential",
            Curve::Smooth => "smooth",
        }
    }
}

/// One value of one control at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Seconds from the beginning.
    pub seconds: f64,
    /// What is set.
    pub control: ControlId,
    /// To what.
    pub value: f64,
    /// How it comes there from the control's row before (from its setting at second 0 where there is none).
    pub curve: Curve,
}

/// What a timeline cannot be made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimelineError {
    /// The row at fault, from 0; the number of rows for the whole.
    pub row: usize,
    /// What is wrong.
    pub fault: TimelineFault,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimelineFault {
    /// There is no row.
    Empty,
    /// A time that is negative, not a number, or beyond [`LONGEST`].
    Time(f64),
    /// A row lies before the one above it.
    Order(f64),
    /// A timeline cannot move this control.
    NotMoved(ControlId),
    /// A value outside the control's range.
    Value(ControlId, f64),
    /// An exponential whose one end is not above 0: the value that it comes from and the one it goes to.
    Exponential(ControlId, f64, f64),
}

impl fmt::Display for TimelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            TimelineFault::Empty => {
                f.write_str("there is no row; write for example {\"at\": 0, \"beat\": 10}")
            }
            TimelineFault::Time(at) => write!(f, "at: {at} is not a time from 0 to {LONGEST} s"),
            TimelineFault::Order(above) => {
                write!(
                    f,
                    "at: the row above is later, at {above} s; sort the rows by time"
                )
            }
            TimelineFault::NotMoved(control) => write!(
                f,
                "{}: a protocol cannot move it; set it in \"params\"",
                control.control().id
            ),
            TimelineFault::Value(control, value) => {
                let entry = control.control();
                let (min, max) = entry.range();
                let unit = entry.unit();
                write!(f, "{}: {value} is outside {min} to {max} {unit}", entry.id)
            }
            TimelineFault::Exponential(control, from, to) => write!(
                f,
                "{}: an exponential needs both ends above 0, and this one goes from {from} to {to}; {}",
                control.control().id,
                if is_level(control.control()) {
                    "levels are in dB, where a linear row is an exponential in gain"
                } else {
                    "use linear or smooth"
                }
            ),
        }
    }
}

impl std::error::Error for TimelineError {}

/// Whether a timeline can set a control: all but those that say how it is heard or played.
pub fn can_move(control: ControlId) -> bool {
    !matches!(
        control,
        id::BYPASS
            | id::RUN
            | id::FADE_IN
            | id::FADE_OUT
            | id::TIMER
            | id::GLIDE
            | id::PHASE_MODE
            | id::BEAT_SOURCE
            | id::CARRIER_SOURCE
            | id::PROTOCOL_ON
            | id::PROTOCOL_LOOP
    )
}

/// Whether a control has values in between, so that it can travel; the others step.
pub fn can_travel(control: ControlId) -> bool {
    can_move(control)
        && (travels(control) || places(control) || crossfades(control) || is_macro(control))
}

/// Whether a control is an angle that goes round: its travels take the short way. Not the phase offset: the tones
/// turn by half of it, so 180 and -180 degrees are not the same to them.
fn goes_round(control: ControlId) -> bool {
    matches!(control, id::AZIMUTH | id::HEAD_YAW | id::HEAD_ROLL)
        || id::LAYER.iter().any(|layer| layer.azimuth == control)
}

fn is_level(control: &Control) -> bool {
    matches!(
        control.values,
        Values::Number {
            floor_is_silence: true,
            ..
        }
    )
}

/// An angle within -180 to 180 degrees.
fn wrapped(degrees: f64) -> f64 {
    if (-180.0..=180.0).contains(&degrees) {
        degrees
    } else {
        (degrees + 180.0).rem_euclid(360.0) - 180.0
    }
}

/// How a value runs over a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Hold,
    Line,
    Exponential,
    Cosine,
}

/// A stretch of a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    start: u64,
    frames: u64,
    from: f64,
    to: f64,
    shape: Shape,
    /// It is the glide of a step.
    step: bool,
    /// The integral up to its start, in 2^-64 of unit x seconds.
    sum: i128,
}

/// A number of cycles in 2^-64.
fn fixed(cycles: f64) -> i128 {
    (cycles * CYCLE) as i128
}

/// A fixed-point number times a factor: exact to the factor's bits, so that differences are.
pub(super) fn scaled(sum: i128, factor: f64) -> i128 {
    if factor == 1.0 {
        return sum;
    }
    let (whole, part) = (sum >> 64, sum as u64);
    whole
        .wrapping_mul(fixed(factor))
        .wrapping_add((part as f64 * factor) as i128)
}

impl Segment {
    /// Whether the value moves in it.
    pub fn moves(&self) -> bool {
        self.shape != Shape::Hold
    }

    /// Whether it is the glide of a step.
    pub fn is_step(&self) -> bool {
        self.step
    }

    /// The frame after its last.
    fn end(&self) -> u64 {
        self.start.saturating_add(self.frames)
    }

    /// Where it comes from.
    pub fn origin(&self) -> f64 {
        self.from
    }

    /// Where it goes.
    pub fn target(&self) -> f64 {
        self.to
    }

    /// The value at a place that lies in it, or at its end.
    pub fn value_at(&self, place: &Place) -> f64 {
        self.value((place.frame.max(0) as u64).saturating_sub(self.start) as f64)
    }

    /// The slope per frame at a place that lies in it, or at its end.
    pub fn slope_at(&self, place: &Place) -> f64 {
        let n = self.frames.max(1) as f64;
        let x = (place.frame.max(0) as u64).saturating_sub(self.start) as f64 / n;
        let (x, way) = (x.min(1.0), self.to - self.from);
        match self.shape {
            Shape::Hold => 0.0,
            Shape::Line => way / n,
            Shape::Exponential => {
                let steepness = (self.to / self.from).ln();
                self.from * steepness * (steepness * x).exp() / n
            }
            Shape::Cosine => 0.5 * PI * (PI * x).sin() * way / n,
        }
    }

    /// The value so many frames after its start.
    fn value(&self, frames: f64) -> f64 {
        let x = frames / self.frames.max(1) as f64;
        if x >= 1.0 {
            return self.to;
        }
        match self.shape {
            Shape::Hold => self.to,
            Shape::Line => self.from + (self.to - self.from) * x,
            Shape::Exponential => self.from * ((self.to / self.from).ln() * x).exp(),
            Shape::Cosine => self.from + (self.to - self.from) * raised_cosine(x),
        }
    }

    /// What the value has added up to so many frames after its start.
    fn sum(&self, frames: u64, rate: f64) -> i128 {
        let k = frames as f64;
        let n = self.frames.max(1) as f64;
        let bent = match self.shape {
            Shape::Hold => 0.0,
            Shape::Line => (self.to - self.from) * k * k / (2.0 * n),
            Shape::Exponential => {
                let steepness = (self.to / self.from).ln();
                if steepness.abs() < 1e-9 {
                    0.5 * self.from * steepness * k * k / n
                } else {
                    self.from * (n / steepness * (steepness * k / n).exp_m1() - k)
                }
            }
            Shape::Cosine => {
                (self.to - self.from) * (0.5 * k - n / (2.0 * PI) * (PI * k / n).sin())
            }
        };
        self.sum
            .wrapping_add(increment(self.from, rate).wrapping_mul(i128::from(frames)))
            .wrapping_add(fixed(bent / rate))
    }
}

/// A control over one pass of the timeline, from frame 0 on without end.
#[derive(Debug, Clone, PartialEq)]
struct Track {
    segments: Vec<Segment>,
}

/// A value of a track that is still to be laid out.
#[derive(Debug, Clone, Copy)]
struct Point {
    frame: u64,
    value: f64,
    curve: Curve,
}

impl Track {
    /// From the value `before` frame 0, through points of which the first is at frame 0.
    fn new(control: ControlId, before: f64, points: &[Point], glide: u64, rate: f64) -> Track {
        let round = goes_round(control);
        let entry = control.control();
        let mut track = Track {
            segments: Vec::new(),
        };
        let (mut here, mut value) = (0, before);
        for (index, point) in points.iter().enumerate() {
            let next = points.get(index + 1);
            let to = if round {
                value + wrapped(point.value - value)
            } else {
                point.value
            };
            let shape = match point.curve {
                Curve::Linear => Shape::Line,
                Curve::Exponential => Shape::Exponential,
                Curve::Smooth => Shape::Cosine,
                Curve::Step => {
                    track.hold(here, point.frame, value, rate);
                    here = here.max(point.frame);
                    if next.is_some_and(|next| next.frame <= point.frame) {
                        // Of several rows at one frame the last counts.
                        continue;
                    }
                    let mut room = next.map_or(FOREVER, |next| next.frame - here.min(next.frame));
                    if next.is_some_and(|next| next.curve != Curve::Step) {
                        room /= 2;
                    }
                    let glides = can_travel(control) && to != value;
                    let frames = if glides { glide.min(room) } else { 0 };
                    track.travel(here, frames, value, to, Shape::Cosine, true, rate);
                    here += frames;
                    value = if round { wrapped(to) } else { to };
                    continue;
                }
            };
            let frames = point.frame.saturating_sub(here);
            track.travel(here, frames, value, to, shape, false, rate);
            here += frames;
            value = if round { wrapped(to) } else { to };
        }
        value = entry.clamp(value);
        track.hold(here, FOREVER, value, rate);
        track
    }

    fn hold(&mut self, start: u64, end: u64, value: f64, rate: f64) {
        if end > start {
            self.push(start, end - start, value, value, Shape::Hold, false, rate);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one segment")]
    fn travel(
        &mut self,
        start: u64,
        frames: u64,
        from: f64,
        to: f64,
        shape: Shape,
        step: bool,
        rate: f64,
    ) {
        if from == to {
            self.hold(start, start + frames, to, rate);
        } else if frames > 0 {
            self.push(start, frames, from, to, shape, step, rate);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one segment")]
    fn push(
        &mut self,
        start: u64,
        frames: u64,
        from: f64,
        to: f64,
        shape: Shape,
        step: bool,
        rate: f64,
    ) {
        let sum = self
            .segments
            .last()
            .map_or(0, |last| last.sum(start - last.start, rate));
        self.segments.push(Segment {
            start,
            frames,
            from,
            to,
            shape,
            step,
            sum,
        });
    }

    /// The segment in which a frame lies.
    fn segment(&self, frame: u64) -> &Segment {
        let after = self
            .segments
            .partition_point(|segment| segment.start <= frame);
        &self.segments[after.saturating_sub(1)]
    }

    fn value(&self, frame: u64) -> f64 {
        let segment = self.segment(frame);
        segment.value((frame - segment.start.min(frame)) as f64)
    }

    fn sum(&self, frame: u64, rate: f64) -> i128 {
        let segment = self.segment(frame);
        segment.sum(frame - segment.start.min(frame), rate)
    }
}

/// What has a phase that a timeline may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The master's beat.
    Master,
    /// A layer's carrier.
    Carrier(usize),
    /// A layer's beat.
    Beat(usize),
    /// The beat of the treatment.
    Treatment,
    /// Turns of the motion, by its own rate.
    Motion,
    /// Turns of the motion, by the beat.
    BeatMotion,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = 4 + 2 * id::LAYERS;

    /// All of them, in the order of [`Part::index`].
    fn all() -> impl Iterator<Item = Part> {
        let layers = (0..id::LAYERS).flat_map(|n| [Part::Carrier(n), Part::Beat(n)]);
        [
            Part::Master,
            Part::Treatment,
            Part::Motion,
            Part::BeatMotion,
        ]
        .into_iter()
        .chain(layers)
    }

    /// Its position among all.
    pub fn index(self) -> usize {
        match self {
            Part::Master => 0,
            Part::Treatment => 1,
            Part::Motion => 2,
            Part::BeatMotion => 3,
            Part::Carrier(n) => 4 + 2 * n,
            Part::Beat(n) => 5 + 2 * n,
        }
    }

    /// The frequency that it follows, and the control that it is transposed by.
    pub fn factors(self) -> (ControlId, Option<ControlId>) {
        match self {
            Part::Master => (id::BEAT, None),
            Part::Carrier(n) => (id::CARRIER, Some(id::LAYER[n].interval)),
            Part::Beat(n) => (id::BEAT, Some(id::LAYER[n].ratio)),
            Part::Treatment => (id::BEAT, Some(id::PROG_RATIO)),
            Part::Motion => (id::MOTION_RATE, None),
            Part::BeatMotion => (id::BEAT, Some(id::MOTION_RATIO)),
        }
    }

    /// The factor that a value of the second control is.
    pub fn law(self, value: f64) -> f64 {
        match self {
            Part::Carrier(_) => 2f64.powf(value / 12.0),
            _ => value,
        }
    }
}

/// The integral of a part where its second factor moves: from where to where both factors are one segment
/// each, and what has come together before.
#[derive(Debug, Clone, PartialEq)]
struct Product {
    first: Option<usize>,
    second: usize,
    pieces: Vec<(u64, i128)>,
}

/// Nodes and weights of the quadrature on -1 to 1.
#[derive(Debug, Clone, PartialEq)]
struct Quadrature {
    nodes: [f64; POINTS],
    weights: [f64; POINTS],
}

/// Points of the quadrature.
const POINTS: usize = 20;

impl Quadrature {
    /// Gauss and Legendre, by Newton's method (Press et al., Numerical Recipes, 4.6).
    fn new() -> Quadrature {
        let mut rule = Quadrature {
            nodes: [0.0; POINTS],
            weights: [0.0; POINTS],
        };
        for index in 0..POINTS {
            let mut x = (PI * (index as f64 + 0.75) / (POINTS as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut here, mut before) = (1.0, 0.0);
                for degree in 0..POINTS {
                    let degree = degree as f64;
                    let next = ((2.0 * degree + 1.0) * x * here - degree * before) / (degree + 1.0);
                    before = here;
                    here = next;
                }
                slope = POINTS as f64 * (x * here - before) / (x * x - 1.0);
                let step = here / slope;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            rule.nodes[index] = x;
            rule.weights[index] = 2.0 / ((1.0 - x * x) * slope * slope);
        }
        rule
    }

    /// The integral of a function from 0 to `end`.
    fn integral(&self, end: f64, function: impl Fn(f64) -> f64) -> f64 {
        let half = 0.5 * end;
        let points = self.nodes.iter().zip(&self.weights);
        points
            .map(|(x, weight)| weight * function(half * (1.0 + x)))
            .sum::<f64>()
            * half
    }
}

/// One way through the timeline.
#[derive(Debug, Clone, PartialEq)]
struct Pass {
    tracks: Vec<Track>,
    products: Vec<Option<Product>>,
    /// Frames at which a segment begins, ascending.
    borders: Vec<u64>,
}

/// Where on a timeline a frame lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Whole passes before.
    passes: u64,
    /// Frame of the pass; negative before the beginning.
    frame: i64,
}

impl Place {
    /// So many frames later in the same pass.
    pub fn later(self, frames: u64) -> Place {
        Place {
            frame: self.frame.saturating_add(frames as i64),
            ..self
        }
    }

    /// The frame of the pass.
    pub fn frames(&self) -> i64 {
        self.frame
    }

    /// Whether the pass has begun.
    pub fn has_begun(&self) -> bool {
        self.frame >= 0
    }

    /// Whether a segment begins here.
    pub fn begins(&self, segment: &Segment) -> bool {
        self.frame == segment.start as i64
    }

    /// Frames to a segment's end.
    pub fn until_end(&self, segment: &Segment) -> u64 {
        segment.end().saturating_sub(self.frame.max(0) as u64)
    }
}

/// Controls over time. Immutable; made for one sample rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    rate: f64,
    length: u64,
    controls: Vec<ControlId>,
    /// By control: its track plus one; 0 for none.
    tracks: Vec<u16>,
    first: Pass,
    /// Every pass after the first, where it loops: it comes from the end of the one before.
    again: Pass,
    rule: Quadrature,
}

impl Timeline {
    /// Lays rows out, which are sorted by time, at a sample rate in hertz. Steps glide in `glide` seconds.
    /// A control without a row at second 0 begins at its `setting`.
    ///
    /// # Errors
    /// [`TimelineError`], naming the row.
    pub fn new(
        rows: &[Row],
        setting: impl Fn(ControlId) -> f64,
        glide: f64,
        rate: f64,
    ) -> Result<Timeline, TimelineError> {
        let fail = |row, fault| Err(TimelineError { row, fault });
        if rows.is_empty() {
            return fail(0, TimelineFault::Empty);
        }
        let frame_of = |seconds: f64| (seconds * rate).round() as u64;
        let mut tracks = vec![0u16; id::CONTROLS.len()];
        let mut controls = Vec::new();
        let mut points: Vec<Vec<Point>> = Vec::new();
        let mut above = 0.0;
        for (index, row) in rows.iter().enumerate() {
            let entry = row.control.control();
            if !(0.0..=LONGEST).contains(&row.seconds) {
                return fail(index, TimelineFault::Time(row.seconds));
            }
            if row.seconds < above {
                return fail(index, TimelineFault::Order(above));
            }
            above = row.seconds;
            if !can_move(row.control) {
                return fail(index, TimelineFault::NotMoved(row.control));
            }
            let (min, max) = entry.range();
            if !(min..=max).contains(&row.value) {
                return fail(index, TimelineFault::Value(row.control, row.value));
            }
            let slot = &mut tracks[row.control.index()];
            if *slot == 0 {
                controls.push(row.control);
                points.push(Vec::new());
                *slot = controls.len() as u16;
            }
            let points = &mut points[usize::from(*slot) - 1];
            let frame = frame_of(row.seconds);
            if points.is_empty() && frame > 0 {
                points.push(Point {
                    frame: 0,
                    value: entry.clamp(setting(row.control)),
                    curve: Curve::Step,
                });
            }
            let curve = if can_travel(row.control) {
                row.curve
            } else {
                Curve::Step
            };
            if curve == Curve::Exponential {
                let from = points.last().map_or(row.value, |last| last.value);
                if from <= 0.0 || row.value <= 0.0 {
                    return fail(
                        index,
                        TimelineFault::Exponential(row.control, from, row.value),
                    );
                }
            }
            // At second 0 there is nothing to travel from, and from a row at the same frame no time to.
            let at_once = frame == 0 || points.last().is_some_and(|last| last.frame == frame);
            let curve = if at_once { Curve::Step } else { curve };
            points.push(Point {
                frame,
                value: row.value,
                curve,
            });
        }
        let length = frame_of(above);
        let glide = frame_of(glide.clamp(0.0, id::GLIDE.control().range().1));
        let rule = Quadrature::new();
        let lay = |before: &dyn Fn(usize) -> f64| {
            let laid = controls.iter().zip(&points).enumerate();
            let laid = laid.map(|(n, (control, points))| {
                // Of several rows at second 0 the last counts.
                let start = points
                    .iter()
                    .take_while(|point| point.frame == 0)
                    .count()
                    .max(1)
                    - 1;
                let glide = if *control == id::PHASE {
                    // Not even glide 0 makes a phase jump.
                    glide.max(frame_of(SWITCH_TIME))
                } else {
                    glide
                };
                Track::new(*control, before(n), &points[start..], glide, rate)
            });
            Pass::new(laid.collect(), &tracks, &rule, rate)
        };
        let first_value = |n: usize| {
            let at_start = points[n].iter().take_while(|point| point.frame == 0).last();
            at_start.map_or(0.0, |point| point.value)
        };
        let first = lay(&first_value);
        let again = lay(&|n| first.tracks[n].value(length));
        Ok(Timeline {
            rate,
            length,
            tracks,
            first,
            again,
            rule,
            controls,
        })
    }

    /// The rate in hertz that it was made for.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Frames from its beginning to its last row.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Seconds from its beginning to its last row.
    pub fn seconds(&self) -> f64 {
        self.length as f64 / self.rate
    }

    /// The controls that it moves.
    pub fn controls(&self) -> &[ControlId] {
        &self.controls
    }

    /// Whether it moves a control.
    pub fn drives(&self, control: ControlId) -> bool {
        self.tracks[control.index()] != 0
    }

    /// All values that a control is set to.
    pub fn values(&self, control: ControlId) -> impl Iterator<Item = f64> {
        let track = usize::from(self.tracks[control.index()]).checked_sub(1);
        let segments = track.map_or(&[][..], |track| &self.first.tracks[track].segments);
        segments
            .iter()
            .flat_map(|segment| [segment.from, segment.to])
    }

    /// The value of a control at a position in frames, where the timeline moves it.
    pub fn value(&self, control: ControlId, position: i64, looping: bool) -> Option<f64> {
        let track = usize::from(self.tracks[control.index()]).checked_sub(1)?;
        let place = self.place(position, looping);
        Some(self.pass(&place).tracks[track].value(place.frame.max(0) as u64))
    }

    /// Where a position lies.
    pub(super) fn place(&self, position: i64, looping: bool) -> Place {
        if looping && self.length > 0 && position > 0 {
            Place {
                passes: position as u64 / self.length,
                frame: (position as u64 % self.length) as i64,
            }
        } else {
            Place {
                passes: 0,
                frame: position,
            }
        }
    }

    fn pass(&self, place: &Place) -> &Pass {
        if place.passes == 0 {
            &self.first
        } else {
            &self.again
        }
    }

    /// The segment of the control with this place in [`Timeline::controls`], and the value, there.
    pub(super) fn segment(&self, track: usize, place: &Place) -> (Segment, f64) {
        let frame = place.frame.max(0) as u64;
        let segment = *self.pass(place).tracks[track].segment(frame);
        (
            segment,
            segment.value((frame - segment.start.min(frame)) as f64),
        )
    }

    /// Frames from a place to the next at which a segment begins, where there is one.
    pub(super) fn until_border(&self, place: &Place, looping: bool) -> Option<u64> {
        let borders = &self.pass(place).borders;
        let next = borders.partition_point(|border| *border as i64 <= place.frame);
        let border = borders
            .get(next)
            .map(|border| (*border as i64 - place.frame) as u64);
        let end = (looping && self.length as i64 > place.frame)
            .then(|| (self.length as i64 - place.frame) as u64);
        [border, end].into_iter().flatten().min()
    }

    /// What a part's frequency adds up to from second 0 to a place, in 2^-64 cycles; of the factors that the
    /// timeline does not move, it still has to be multiplied by the other (`Deck`). None where it moves none.
    pub(super) fn sum(&self, part: Part, place: &Place) -> Option<i128> {
        let at =
            |pass: &Pass, frame: i64| pass.sum(part, frame, &self.tracks, &self.rule, self.rate);
        let here = at(self.pass(place), place.frame)?;
        if place.passes == 0 {
            return Some(here);
        }
        let length = self.length as i64;
        let before = at(&self.first, length)?;
        let each = at(&self.again, length)?;
        Some(
            here.wrapping_add(before)
                .wrapping_add(each.wrapping_mul(i128::from(place.passes - 1))),
        )
    }
}

impl Pass {
    fn new(tracks: Vec<Track>, slots: &[u16], rule: &Quadrature, rate: f64) -> Pass {
        let mut borders: Vec<u64> = tracks
            .iter()
            .flat_map(|track| track.segments.iter().map(|segment| segment.start))
            .collect();
        borders.sort_unstable();
        borders.dedup();
        let mut pass = Pass {
            tracks,
            products: Vec::new(),
            borders,
        };
        let track = |control: ControlId| usize::from(slots[control.index()]).checked_sub(1);
        pass.products = Part::all()
            .map(|part| {
                let (first, second) = part.factors();
                let mut product = Product {
                    first: track(first),
                    second: second.and_then(track)?,
                    pieces: Vec::new(),
                };
                let tracks = product.first.into_iter().chain([product.second]);
                let mut starts: Vec<u64> = tracks
                    .flat_map(|track| &pass.tracks[track].segments)
                    .map(|segment| segment.start)
                    .collect();
                starts.sort_unstable();
                starts.dedup();
                let mut sum = 0;
                for (n, start) in starts.iter().enumerate() {
                    product.pieces.push((*start, sum));
                    if let Some(next) = starts.get(n + 1) {
                        sum = pass.product(part, &product, *next - 1, 1, rule, rate);
                    }
                }
                Some(product)
            })
            .collect();
        let order: Vec<usize> = Part::all().map(Part::index).collect();
        debug_assert!(order.iter().enumerate().all(|(n, index)| n == *index));
        pass
    }

    fn sum(
        &self,
        part: Part,
        frame: i64,
        slots: &[u16],
        rule: &Quadrature,
        rate: f64,
    ) -> Option<i128> {
        let at = frame.max(0) as u64;
        let (sum, value) = match &self.products[part.index()] {
            Some(product) => {
                let first = product
                    .first
                    .map_or(1.0, |track| self.tracks[track].value(0));
                let value = first * part.law(self.tracks[product.second].value(0));
                (self.product(part, product, at, 0, rule, rate), value)
            }
            None => {
                let track = usize::from(slots[part.factors().0.index()]).checked_sub(1)?;
                (
                    self.tracks[track].sum(at, rate),
                    self.tracks[track].value(0),
                )
            }
        };
        // Before the beginning everything is as at the beginning.
        let before = frame.min(0);
        Some(sum.wrapping_add(increment(value, rate).wrapping_mul(i128::from(before))))
    }

    /// The integral of a product up to `frame + more`, in the piece in which `frame` lies.
    fn product(
        &self,
        part: Part,
        product: &Product,
        frame: u64,
        more: u64,
        rule: &Quadrature,
        rate: f64,
    ) -> i128 {
        let after = product.pieces.partition_point(|(start, _)| *start <= frame);
        let (start, sum) = product.pieces[after.saturating_sub(1)];
        let frames = frame + more - start;
        let second = self.tracks[product.second].segment(start);
        let second_at = (start - second.start) as f64;
        let first = product.first.map(|track| self.tracks[track].segment(start));
        if let (Some(first), false) = (first, second.moves()) {
            let here = start - first.start;
            let passed = first
                .sum(here + frames, rate)
                .wrapping_sub(first.sum(here, rate));
            return sum.wrapping_add(scaled(passed, part.law(second.target())));
        }
        let first_at = first.map_or(0.0, |first| (start - first.start) as f64);
        let value = |x: f64| {
            first.map_or(1.0, |first| first.value(first_at + x))
                * part.law(second.value(second_at + x))
        };
        let begin = value(0.0);
        let moves = second.moves() || first.is_some_and(Segment::moves);
        let bent = if moves {
            rule.integral(frames as f64, |x| value(x) - begin)
        } else {
            0.0
        };
        sum.wrapping_add(increment(begin, rate).wrapping_mul(i128::from(frames)))
            .wrapping_add(fixed(bent / rate))
    }
}

/// The decibels of a level that is on its way, as its gain node takes them.
pub(super) fn decibels(control: ControlId, value: f64) -> f64 {
    apply::level(control, value)
}

#[cfg(test)]
mod tests;
