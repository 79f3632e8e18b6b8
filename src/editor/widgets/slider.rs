//! A slider: name and value on one line, a thin track below.

use super::drive::{Number, drive};
use super::typing::Readout;
use super::{Desk, LEARNS, is_two_sided, learns, moved, position, short_name};
use crate::editor::theme::{Theme, font};
use crate::engine::ControlId;
use egui::{Align2, Color32, Rect, Sense, Ui, pos2, vec2};

/// By how much the name of a slider stands lower than that of a choice, in points.
pub(in crate::editor) const NAME_BELOW: f32 = 3.0;
/// Height in points.
const HEIGHT: f32 = 36.0;

/// Draws a slider as wide as there is room. `lit` is whether what it moves sounds.
pub(in crate::editor) fn slider(
    ui: &mut Ui,
    id: ControlId,
    accent: Color32,
    lit: bool,
    desk: &mut Desk,
) {
    let size = vec2(ui.available_width(), HEIGHT);
    let (area, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let readout = Rect::from_min_max(
        pos2(area.right() - 84.0, area.top()),
        pos2(area.right(), area.top() + 20.0),
    );
    let full = desk.text(id, desk.value(id));
    let place = Readout {
        rect: readout,
        text: &full,
        font: font::value(),
        align: Align2::RIGHT_CENTER,
    };
    let number = Number::own(id, area.width(), &full, place);
    let typing = drive(ui, &response, &number, desk);
    let learning = learns(ui, area.expand2(vec2(4.0, 0.0)), id, desk);
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let value = desk.value(id);
    let active = response.hovered() || desk.holds(id) || response.has_focus();
    painter.text(
        pos2(area.left(), area.top() + 10.0),
        Align2::LEFT_CENTER,
        short_name(id),
        font::SMALL,
        if active { theme.text } else { theme.weak },
    );
    if !typing {
        painter.text(
            readout.right_center(),
            Align2::RIGHT_CENTER,
            if learning { LEARNS } else { &full },
            font::value(),
            match (learning, lit) {
                (true, _) => theme.beat,
                (false, true) => theme.text,
                (false, false) => theme.weak,
            },
        );
    }
    let accent = match (desk.in_force(id), lit) {
        (Some(_), _) => moved(
            painter,
            pos2(area.right() - 90.0, area.top() + 10.0),
            &theme,
        ),
        (None, true) => accent,
        (None, false) => theme.faint,
    };
    let (left, right, y) = (area.left() + 6.0, area.right() - 6.0, area.top() + 27.0);
    let x = |at: f64| left + (right - left) * at as f32;
    let at = x(position(id, value));
    let from = x(if is_two_sided(id) { 0.5 } else { 0.0 });
    let bar = |from: f32, to: f32| {
        Rect::from_min_max(pos2(from.min(to), y - 1.5), pos2(from.max(to), y + 1.5))
    };
    painter.rect_filled(bar(area.left(), area.right()), 1.5, theme.raised);
    // The track begins below the name and ends below the value.
    let from = if from == left { area.left() } else { from };
    painter.rect_filled(bar(from, at), 1.5, accent);
    painter.circle_filled(
        pos2(at, y),
        if active { 6.0 } else { 5.0 },
        if lit { theme.text } else { theme.weak },
    );
    if response.has_focus() {
        painter.circle_stroke(pos2(at, y), 8.5, egui::Stroke::new(1.0, theme.weak));
    }
}
