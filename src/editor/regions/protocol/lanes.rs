//! The lanes: how high a value stands in them, and their pictures.

use super::time::View;
use crate::editor::regions::scope::fill;
use crate::editor::theme::{Theme, font, mix};
use crate::editor::widgets::{at_position, position};
use crate::engine::ControlId;
use crate::engine::controls::{BEAT, Values};
use crate::engine::timeline::{Row, Timeline};
use egui::{Align2, Color32, Painter, Pos2, Rangef, Rect, Stroke, pos2, vec2};

/// Frames a second of the timelines that are drawn: steps of a millisecond cannot be seen.
pub(super) const RATE: f64 = 1000.0;
/// Room for a lane's name and value, in points.
pub(super) const GUTTER: f32 = 96.0;
/// Room above the highest and below the lowest value, in points.
const MARGIN: f32 = 7.0;
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
    painter.rect_filled(plot, 4.0, mix(theme.surface, theme.ground, 0.6));
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
    for mark in view.marks(plot.x_range()) {
        painter.vline(view.x(mark, plot.x_range()), plot.y_range(), grid);
    }
    let end = view.x(end, plot.x_range());
    if end < plot.right() {
        let after = Rect::from_min_max(pos2(end.max(plot.left()), plot.top()), plot.max);
        painter.rect_filled(after, 0.0, theme.surface.gamma_multiply(0.6));
        if end > plot.left() {
            painter.vline(end, plot.y_range(), Stroke::new(1.0, theme.faint));
        }
    }
}

/// The names of the beat's bands, on the curve rather than below it.
pub(super) fn names(painter: &Painter, lane: &Lane, theme: &Theme) {
    let plot = lane.plot();
    // A low lane has room for its curve and its points.
    if lane.control != BEAT || plot.height() < 96.0 {
        return;
    }
    let mut below = plot.bottom();
    for (index, (end, name)) in BANDS.into_iter().enumerate() {
        let last = index + 1 == BANDS.len();
        let top = if last { plot.top() } else { lane.y(end) };
        if below - top > 12.0 {
            let place = pos2(plot.right() - 8.0, 0.5 * (top + below));
            let galley = painter.layout_no_wrap(name.to_owned(), font::TINY, theme.weak);
            let rect = Align2::RIGHT_CENTER.anchor_size(place, galley.size());
            let ground = mix(theme.surface, theme.ground, 0.3).gamma_multiply(0.85);
            painter.rect_filled(rect.expand2(vec2(4.0, 0.0)), 3.0, ground);
            painter.galley(rect.min, galley, theme.weak);
        }
        below = top;
    }
}

/// The travel of a lane's control as it will sound; `rows` are its points.
pub(super) fn travel(
    painter: &Painter,
    lane: &Lane,
    view: &View,
    timeline: &Timeline,
    rows: &[(usize, Row)],
    colour: Color32,
) {
    let plot = lane.plot();
    let range = plot.x_range();
    let (first, last) = (view.start, view.start + view.span);
    let mut times: Vec<f64> = (0..=(plot.width() / 3.0) as usize)
        .map(|step| view.seconds(range.min + 3.0 * step as f32, range))
        .chain([last])
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
        painter.line(line, Stroke::new(wide, colour));
    }
}

/// A level that nothing moves: where the control stands.
pub(super) fn still(painter: &Painter, lane: &Lane, value: f64, colour: Color32) {
    let plot = lane.plot();
    let y = lane.y(value);
    let ends = [pos2(plot.left(), y), pos2(plot.right(), y)];
    let stroke = Stroke::new(1.2, colour.gamma_multiply(0.6));
    painter.extend(egui::Shape::dashed_line(&ends, stroke, 5.0, 5.0));
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
