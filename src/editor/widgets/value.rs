//! A large readout that can be dragged and typed into: the beat, the carrier.

use super::Desk;
use super::drive::drive;
use crate::editor::theme::{Theme, font};
use crate::engine::ControlId;
use egui::{Align2, Sense, Ui, vec2};

/// Way of the pointer for the whole range, in points.
const TRAVEL: f32 = 400.0;

/// Draws `text` and its `unit`, so many points high: what sounds, while the control behind it is `id`.
pub(in crate::editor) fn value(
    ui: &mut Ui,
    id: ControlId,
    (text, unit): (&str, &str),
    points: f32,
    colour: egui::Color32,
    desk: &mut Desk,
) {
    let theme = Theme::of(ui);
    let number = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font::numeral(points), colour);
    let size = vec2(ui.available_width(), number.size().y);
    let (area, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let readout = egui::Rect::from_min_size(area.min, vec2(number.size().x + 40.0, size.y));
    let shown = format!("{text} {unit}");
    if drive(ui, &response, id, TRAVEL, (readout, &shown), desk) {
        return;
    }
    let width = number.size().x;
    let painter = ui.painter();
    if response.hovered() || response.has_focus() {
        painter.hline(
            area.left()..=area.left() + width,
            area.bottom() - 1.0,
            egui::Stroke::new(1.0, theme.weak),
        );
    }
    let baseline = area.bottom() - 0.19 * points;
    painter.galley(area.min, number, colour);
    painter.text(
        egui::pos2(area.left() + width + 5.0, baseline),
        Align2::LEFT_BOTTOM,
        unit,
        font::BODY,
        theme.weak,
    );
}
