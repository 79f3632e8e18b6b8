//! The small scope of the graph's page: what is listened to, by its name, its wave and its levels.

use super::plan::Node;
use super::{Stage, accent, leave};
use crate::editor::live::Live;
use crate::editor::theme::{Theme, font};
use crate::editor::widgets::{Look, button};
use egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Stroke, StrokeKind, Ui, UiBuilder, Vec2, pos2,
    vec2,
};

/// Frames of the small scope: 21 ms at 48 kHz.
const FRAMES: usize = 1024;
/// Below this, in linear amplitude, a node is silent.
const SILENT: f32 = 1e-5;
/// Room for the way back to the output, in points.
const BACK: Vec2 = vec2(62.0, 26.0);

impl Stage {
    /// What is listened to, and its accent.
    fn heard(&self, live: &Live, theme: &Theme) -> (Option<&Node>, Color32) {
        let place = live
            .telemetry()
            .and_then(|telemetry| telemetry.display().looks_at());
        let node = self.net.nodes.iter().find(|node| Some(node.place) == place);
        let group = node.and_then(|node| node.group);
        let group = group.map_or("", |group| &self.net.groups[group]);
        (node, accent(group, theme))
    }

    /// The small scope: what is listened to, by its name and kind, its wave and level.
    pub(super) fn corner(&self, ui: &mut Ui, area: Rect, live: &Live, theme: &Theme) {
        let (node, accent) = self.heard(live, theme);
        let painter = ui.painter_at(area);
        painter.rect_filled(area, 8.0, theme.ground);
        let line = if node.is_some() { accent } else { theme.line };
        painter.rect_stroke(area, 8.0, Stroke::new(1.0, line), StrokeKind::Inside);
        let inner = area.shrink(9.0);
        let (name, kind) = titles(node);
        let top = inner.top() + 6.0;
        let right = match node {
            Some(_) => back(ui, pos2(area.right() - 5.0, top), live).left(),
            None => inner.right(),
        };
        let beside = pos2(inner.left(), top);
        let beside = say(&painter, beside, name, font::value(), theme.text) + vec2(6.0, 0.0);
        let kind = painter.layout_no_wrap(kind, font::TINY, theme.weak);
        if beside.x + kind.size().x < right {
            let place = beside - vec2(0.0, 0.5 * kind.size().y);
            painter.galley(place, kind, theme.weak);
        }
        let plot = Rect::from_min_max(
            pos2(inner.left(), inner.top() + 20.0),
            pos2(inner.right(), inner.bottom() - 14.0),
        );
        let levels = wave(&painter, plot, live, theme);
        let bottom = inner.bottom() - 3.0;
        for (level, x) in levels.into_iter().zip([inner.left(), inner.center().x]) {
            level.write(&painter, pos2(x, bottom), theme);
        }
    }

    /// The small scope as one line, where it would cover boxes.
    pub(super) fn line(&self, ui: &mut Ui, area: Rect, live: &Live, theme: &Theme) {
        let (node, _) = self.heard(live, theme);
        let painter = ui.painter_at(area);
        let middle = area.center().y;
        let (name, _) = titles(node);
        let at = pos2(area.left(), middle);
        let at = say(&painter, at, name, font::value(), theme.text) + vec2(8.0, 0.0);
        let plot = Rect::from_min_size(pos2(at.x, middle - 9.0), vec2(56.0, 18.0));
        let mut at = plot.right_center() + vec2(8.0, 0.0);
        for level in wave(&painter, plot, live, theme) {
            at = level.write(&painter, at, theme) + vec2(8.0, 0.0);
        }
        if node.is_some() {
            back(ui, at + vec2(BACK.x, 0.0), live);
        }
    }
}

/// What is said of what is listened to: its name and kind.
fn titles(node: Option<&Node>) -> (&str, String) {
    match node {
        Some(node) => (&node.name, node.kind.replace('_', " ")),
        None => ("Output", "what leaves".to_owned()),
    }
}

/// The way back to the output, left of a point. Returns where it is.
fn back(ui: &mut Ui, right: Pos2, live: &Live) -> Rect {
    let place = Rect::from_min_size(right - vec2(BACK.x, 0.5 * BACK.y), BACK);
    let builder = UiBuilder::new().id_salt("back").max_rect(place);
    ui.scope_builder(builder, |ui| {
        let help = "Listens to what leaves the plugin again";
        if button(ui, "Output", "Output", help, true, Look::Quiet).clicked() {
            leave(live);
        }
    });
    place
}

/// Writes a line from its left end; returns its right one.
pub(super) fn say(painter: &Painter, at: Pos2, text: &str, font: FontId, colour: Color32) -> Pos2 {
    pos2(
        painter
            .text(at, Align2::LEFT_CENTER, text, font, colour)
            .right(),
        at.y,
    )
}

/// What an ear gets, as its peak.
struct Level {
    ear: usize,
    peak: f32,
}

impl Level {
    /// Writes it from its left end; returns its right one.
    fn write(&self, painter: &Painter, at: Pos2, theme: &Theme) -> Pos2 {
        let (side, colour) = [("L", theme.left), ("R", theme.right)][self.ear];
        let text = match self.peak > SILENT {
            // What rounds to 0 has no sign.
            true => format!("{:.1} dB", (200.0 * self.peak.log10()).round() / 10.0 + 0.0),
            false => "silent".to_owned(),
        };
        let at = say(painter, at, side, font::TINY, colour) + vec2(5.0, 0.0);
        say(painter, at, &text, font::TINY, theme.text)
    }
}

/// Draws the last frames of both ears; returns their levels.
fn wave(painter: &Painter, plot: Rect, live: &Live, theme: &Theme) -> Vec<Level> {
    let line = Stroke::new(1.0, theme.line);
    painter.hline(plot.x_range(), plot.center().y, line);
    let Some(monitor) = &live.monitor else {
        return Vec::new();
    };
    let frames: Vec<[f32; 2]> = monitor.frames(FRAMES).collect();
    let peaks = frames.iter().fold([0.0f32; 2], |peaks, [left, right]| {
        [peaks[0].max(left.abs()), peaks[1].max(right.abs())]
    });
    let loudest = peaks[0].max(peaks[1]);
    if loudest > SILENT {
        let step = plot.width() / (frames.len() - 1).max(1) as f32;
        for (ear, colour) in [(1, theme.right), (0, theme.left)] {
            let point = |(n, frame): (usize, &[f32; 2])| {
                let high = 0.5 * plot.height() * frame[ear] / loudest;
                pos2(plot.left() + step * n as f32, plot.center().y - high)
            };
            let wave: Vec<Pos2> = frames.iter().enumerate().step_by(3).map(point).collect();
            painter.line(wave, Stroke::new(1.3, colour));
        }
    }
    let levels = peaks.into_iter().enumerate();
    levels.map(|(ear, peak)| Level { ear, peak }).collect()
}
