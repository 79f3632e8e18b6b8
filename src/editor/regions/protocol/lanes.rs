//! The lanes: how high a value stands in them, and their pictures.

use super::time::View;
use crate::editor::regions::scope::fill;
use crate::editor::theme::{Theme, font, mix};
use crate::editor::widgets::{at_position, position};
use crate::engine::ControlId;
use crate::engine::controls::{BEAT, Values};
use crate::engine::timeline::{Row, Timeline};
use egui::{Align2, Color32, Galley, Painter, Pos2, Rangef, Rect, Stroke, Vec2, pos2, vec2};
use std::cmp::Ordering;
use std::sync::Arc;

/// Frames a second of the timelines that are drawn: steps of a millisecond cannot be seen.
pub(super) const RATE: f64 = 1000.0;
/// Room for a lane's name and value, in points, and for the numbers of the beat's axis within it.
pub(super) const GUTTER: f32 = 112.0;
pub(super) const AXIS: f32 = 28.0;
/// Room above the highest and below the lowest value, and before the first and after the last moment in view, in points:
/// a point that is chosen is seen whole there.
const MARGIN: f32 = 9.0;
/// Steps by which a label stands farther from its mark that has no room near it, in points.
const FAR: f32 = 14.0;
/// Below this many hertz the beat's axis becomes straight; above, equal ratios are equal heights.
const KNEE: f64 = 2.0;
/// The bands of brain rhythms (IFCN 2017) with where each ends in hertz.
const BANDS: [(f64, &str); 5] = [
    (4.0, "delta"),
    (8.0, "theta"),
    (13.0, "alpha"),
    (30.0, "beta"),
    (100.0, "gamma"),
];

/// A lane on the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub control: ControlId,
    /// The whole lane, its name too.
    pub area: Rect,
}

impl Lane {
    /// Where its curve is.
    pub fn plot(&self) -> Rect {
        Rect::from_min_max(
            pos2(self.area.left() + GUTTER, self.area.top()),
            self.area.max,
        )
    }

    /// From the first to the last moment in view.
    pub fn span(&self) -> Rangef {
        across(self.plot())
    }

    fn heights(&self) -> Rangef {
        self.area.y_range().shrink(MARGIN)
    }

    /// How high a value stands, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        if self.control == BEAT {
            (value / KNEE).ln_1p() / (100.0 / KNEE).ln_1p()
        } else {
            position(self.control, value)
        }
    }

    /// The value that stands so high, as the control writes it.
    pub fn value(&self, share: f64) -> f64 {
        let share = share.clamp(0.0, 1.0);
        let value = if self.control == BEAT {
            KNEE * (share * (100.0 / KNEE).ln_1p()).exp_m1()
        } else {
            at_position(self.control, share)
        };
        self.control.control().snap(value)
    }

    pub fn y(&self, value: f64) -> f32 {
        let range = self.heights();
        range.max - self.share(value) as f32 * range.span()
    }

    /// How much of the lane's height so many points are.
    pub fn share_of(&self, points: f32) -> f64 {
        f64::from(points / self.heights().span())
    }

    pub fn share_at(&self, y: f32) -> f64 {
        let range = self.heights();
        f64::from((range.max - y) / range.span())
    }
}

/// From the first to the last moment in view, in a plot or on the ruler above.
pub(super) fn across(plot: Rect) -> Rangef {
    plot.x_range().shrink(MARGIN)
}

/// The accent of what a control belongs to.
pub(super) fn accent(control: ControlId, theme: &Theme) -> Color32 {
    match control.control().group {
        "Program" => theme.program,
        "Noise" | "Global" | "Gate" | "Leveller" | "Ceiling" => theme.noise,
        "Space" | "Room" | "Head" => theme.space,
        group if group.starts_with("Layer") => theme.layer,
        _ => theme.beat,
    }
}

/// The ground of a lane: the beat's has the bands. After the protocol's end it is dimmer.
pub(super) fn ground(painter: &Painter, lane: &Lane, view: &View, end: f64, theme: &Theme) {
    let plot = lane.plot();
    painter.rect_filled(plot, 4.0, bare(theme));
    let span = lane.span();
    let grid = Stroke::new(1.0, mix(theme.surface, theme.line, 0.7));
    if lane.control == BEAT {
        let (mut below, mut last) = (plot.bottom(), f32::INFINITY);
        for (index, (end, _)) in BANDS.into_iter().enumerate() {
            let top = if index + 1 == BANDS.len() {
                plot.top()
            } else {
                lane.y(end)
            };
            let zone = Rect::from_min_max(pos2(plot.left(), top), pos2(plot.right(), below));
            let wash = theme
                .beat
                .gamma_multiply(if index % 2 == 0 { 0.02 } else { 0.07 });
            painter.rect_filled(zone, if index == 0 { 4.0 } else { 0.0 }, wash);
            let place = pos2(plot.left() - 6.0, top.max(plot.top() + 6.0));
            if last - place.y >= 13.0 || end == 100.0 {
                let text = format!("{end:.0}");
                painter.text(place, Align2::RIGHT_CENTER, text, font::TINY, theme.weak);
                last = place.y;
            }
            below = top;
        }
    }
    for mark in view.marks(span) {
        painter.vline(view.x(mark, span), plot.y_range(), grid);
    }
    let end = view.x(end, span);
    if end < plot.right() {
        let after = Rect::from_min_max(pos2(end.max(plot.left()), plot.top()), plot.max);
        painter.rect_filled(after, 0.0, theme.surface.gamma_multiply(0.6));
        if end > plot.left() {
            painter.vline(end, plot.y_range(), Stroke::new(1.0, theme.faint));
        }
    }
}

/// The ground of a plot.
fn bare(theme: &Theme) -> Color32 {
    mix(theme.surface, theme.ground, 0.6)
}

/// Writes a text on the ground's colour: no line runs through it.
pub(super) fn write(painter: &Painter, place: Rect, galley: Arc<Galley>, theme: &Theme) {
    let ground = bare(theme).gamma_multiply(0.85);
    painter.rect_filled(place.expand2(vec2(2.0, 0.0)), 3.0, ground);
    painter.galley(place.min, galley, theme.weak);
}

/// The names of the beat's bands, where neither its curve nor anything else is.
pub(super) fn names(painter: &Painter, lane: &Lane, labels: &Labels, theme: &Theme) {
    let plot = lane.plot();
    // A low lane has room for its curve and its points.
    if lane.control != BEAT || plot.height() < 96.0 {
        return;
    }
    let mut below = plot.bottom();
    for (index, (end, name)) in BANDS.into_iter().enumerate() {
        let last = index + 1 == BANDS.len();
        let top = if last { plot.top() } else { lane.y(end) };
        let galley = painter.layout_no_wrap(name.to_owned(), font::TINY, theme.weak);
        let zone = Rangef::new(top, below).shrink(0.5 * galley.size().y);
        // In the middle of its band, or wherever else in it there is room.
        let places = [zone.center(), zone.min, zone.max].map(|y| {
            let place = pos2(plot.right() - 5.0, y);
            Align2::RIGHT_CENTER.anchor_size(place, galley.size())
        });
        let free = |place: &&Rect| labels.is_free(place.expand(2.0));
        if let Some(place) = places.iter().find(free).filter(|_| zone.span() > 0.0) {
            write(painter, *place, galley, theme);
        }
        below = top;
    }
}

/// Where labels of points may stand: what is in their way.
pub(super) struct Labels {
    /// Where they are seen whole.
    pub room: Rect,
    /// The curve, from left to right.
    pub line: Vec<Pos2>,
    /// Upright lines that stay.
    pub uprights: Vec<f32>,
    /// Marks of points, all of one width, from left to right.
    pub marks: Vec<Rect>,
    /// Labels that have their place.
    pub taken: Vec<Rect>,
}

impl Labels {
    /// Whether neither the curve nor a mark nor a label is there.
    fn is_free(&self, place: Rect) -> bool {
        !self.is_taken(place) && !self.is_crossed(place)
    }

    fn is_taken(&self, place: Rect) -> bool {
        let first = self
            .marks
            .partition_point(|mark| mark.right() < place.left());
        let mut marks = self.marks[first..].iter();
        let near = marks
            .by_ref()
            .take_while(|mark| mark.left() <= place.right());
        near.chain(&self.taken).any(|taken| taken.intersects(place))
    }

    /// Whether the curve runs there.
    fn is_crossed(&self, place: Rect) -> bool {
        let first = self.line.partition_point(|at| at.x < place.left());
        let steps = self.line[first.saturating_sub(1)..].windows(2);
        let mut steps = steps.take_while(|step| step[0].x <= place.right());
        steps.any(|step| {
            let (low, high) = (step[0].y.min(step[1].y), step[0].y.max(step[1].y));
            high >= place.top() && low <= place.bottom()
        })
    }

    /// The best place for the label of a point: `rises` is how its value compares with the one before. One that must
    /// be seen, of a point that is chosen, always has a place.
    pub fn place(&self, at: Pos2, size: Vec2, rises: Ordering, must: bool) -> Option<Rect> {
        let [left, middle, right] = [at.x - 5.0 - size.x, at.x - 0.5 * size.x, at.x + 5.0];
        // Beside the line that comes from above, or from below.
        let sides = match rises {
            Ordering::Less => [right, middle, left],
            Ordering::Equal => [middle, right, left],
            Ordering::Greater => [left, middle, right],
        };
        // Near the mark, else beyond a curve that leaves it flat.
        let gap = if must { 10.0 } else { 6.5 };
        let [above, below] = [at.y - size.y - gap, at.y + gap];
        let most = if must { 4 } else { 3 };
        let heights = (0..most).flat_map(|n| {
            let far = f32::from(n as u8) * FAR;
            [above - far, below + far]
        });
        let places = heights.flat_map(|y| sides.map(|x| pos2(x, y)));
        let places = places.map(|corner| {
            let place = Rect::from_min_size(corner, size);
            match must {
                // Inside, however near to an edge it is.
                true => {
                    let edge = (self.room.max - size).max(self.room.min);
                    Rect::from_min_size(corner.clamp(self.room.min, edge), size)
                }
                false => place,
            }
        });
        let mut best: Option<(u32, Rect)> = None;
        for place in places {
            let wide = place.expand2(vec2(3.0, 1.0));
            let is_taken = self.is_taken(wide);
            if !must && (is_taken || !self.room.expand(1.0).contains_rect(place)) {
                continue;
            }
            let upright = self.uprights.iter().any(|x| wide.x_range().contains(*x));
            let cost =
                4 * u32::from(is_taken) + 2 * u32::from(self.is_crossed(wide)) + u32::from(upright);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, place));
            }
        }
        best.map(|(_, place)| place)
    }
}

/// Draws the travel of a lane's control as it will sound, and returns its line; `rows` are its points.
pub(super) fn travel(
    painter: &Painter,
    lane: &Lane,
    view: &View,
    timeline: &Timeline,
    rows: &[(usize, Row)],
    colour: Color32,
) -> Vec<Pos2> {
    let plot = lane.plot();
    let range = lane.span();
    // To the edges of the plot, but not before the beginning.
    let [first, last] = [plot.left(), plot.right()].map(|x| view.seconds(x, range).max(0.0));
    let mut times: Vec<f64> = (0..=(plot.width() / 3.0) as usize)
        .map(|step| view.seconds(plot.left() + 3.0 * step as f32, range))
        .chain([first, last])
        .collect();
    // A jump stands upright: the moment before it is drawn, too.
    for (_, row) in rows {
        times.extend([
            row.seconds - 1.0 / RATE,
            row.seconds,
            row.seconds + 1.0 / RATE,
        ]);
    }
    times.retain(|time| (first..=last).contains(time));
    times.sort_by(f64::total_cmp);
    let line: Vec<Pos2> = times
        .into_iter()
        .filter_map(|time| {
            let value = timeline.value(lane.control, (time * RATE).round() as i64, false)?;
            Some(pos2(view.x(time, range), lane.y(value)))
        })
        .collect();
    if line.len() > 1 {
        fill(painter, &line, plot, colour);
        let wide = if lane.control == BEAT { 2.0 } else { 1.6 };
        painter.line(line.clone(), Stroke::new(wide, colour));
    }
    line
}

/// Draws a level that nothing moves, where the control stands, and returns its line.
pub(super) fn still(painter: &Painter, lane: &Lane, value: f64, colour: Color32) -> Vec<Pos2> {
    let plot = lane.plot();
    let y = lane.y(value);
    let ends = [pos2(plot.left(), y), pos2(plot.right(), y)];
    let stroke = Stroke::new(1.2, colour.gamma_multiply(0.6));
    painter.extend(egui::Shape::dashed_line(&ends, stroke, 5.0, 5.0));
    ends.to_vec()
}

/// Whether a control's values are names.
pub(super) fn is_named(control: ControlId) -> bool {
    !matches!(control.control().values, Values::Number { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::controls::{CARRIER, L1_KIND, L1_LEVEL};

    #[test]
    fn labels_go_where_nothing_is() {
        let room = Rect::from_min_max(pos2(0.0, 0.0), pos2(200.0, 100.0));
        let mut labels = Labels {
            room,
            line: vec![pos2(0.0, 50.0), pos2(200.0, 50.0)],
            uprights: Vec::new(),
            marks: vec![Rect::from_center_size(pos2(100.0, 50.0), vec2(9.0, 9.0))],
            taken: Vec::new(),
        };
        let (at, size) = (pos2(100.0, 50.0), vec2(30.0, 12.0));
        let place = |labels: &Labels, rises| labels.place(at, size, rises, false);
        let found = place(&labels, Ordering::Equal).expect("a place");
        assert!(
            found.center().x == 100.0 && found.bottom() <= 44.0,
            "{found:?}"
        );
        // An upright line, then a label there, then the curve.
        labels.uprights = vec![100.0];
        let found = place(&labels, Ordering::Equal).expect("a place");
        assert!(found.left() > 100.0 && found.bottom() <= 44.0, "{found:?}");
        labels
            .taken
            .push(Rect::from_min_max(pos2(100.0, 20.0), pos2(140.0, 40.0)));
        let found = place(&labels, Ordering::Equal).expect("a place");
        assert!(found.right() < 100.0 && found.bottom() <= 44.0, "{found:?}");
        labels.line = vec![pos2(0.0, 0.0), pos2(100.0, 50.0), pos2(200.0, 50.0)];
        let found = place(&labels, Ordering::Less).expect("a place");
        assert!(!labels.is_crossed(found), "{found:?}");
        // Without room there is none, unless it must be seen.
        labels.room = Rect::from_min_max(pos2(90.0, 45.0), pos2(200.0, 55.0));
        assert_eq!(place(&labels, Ordering::Equal), None);
        assert!(labels.place(at, size, Ordering::Equal, true).is_some());
    }

    #[test]
    fn a_value_is_found_where_it_is_drawn() {
        for (control, values) in [
            (BEAT, [0.0, 0.125, 6.3, 100.0]),
            (CARRIER, [20.0, 123.456, 440.0, 1500.0]),
            (L1_LEVEL, [-80.0, -32.5, -12.25, 0.0]),
            (L1_KIND, [0.0, 1.0, 3.0, 5.0]),
        ] {
            let area = Rect::from_min_max(pos2(10.0, 20.0), pos2(500.0, 220.0));
            let lane = Lane { control, area };
            for value in values {
                let found = lane.value(lane.share(value));
                assert!((found - value).abs() < 1e-9, "{control:?} {value}: {found}");
                let share = lane.share_at(lane.y(value));
                assert!((share - lane.share(value)).abs() < 1e-4);
            }
        }
    }
}
