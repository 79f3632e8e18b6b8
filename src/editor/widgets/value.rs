//! A large readout that can be dragged and typed into: the beat, the carrier.

use super::drive::{Number, Steer, drive};
use super::typing::Readout;
use super::{Desk, learns};
use crate::editor::theme::{Theme, font};
use crate::engine::ControlId;
use egui::{Align2, Color32, Sense, Ui, vec2};

/// Way of the pointer for the whole range, in points.
const TRAVEL: f32 = 400.0;

/// A large number: what sounds.
pub(in crate::editor) struct Large<'a> {
    /// The control that it is now.
    pub id: ControlId,
    /// The control that what is typed is for.
    pub typed: ControlId,
    /// What the hand moves.
    pub steer: Option<Steer>,
    /// Why it moves as it does.
    pub why: Option<&'a str>,
    pub text: &'a str,
    pub unit: &'a str,
    /// How the control's own value is told, where that is not the number.
    pub told: Option<&'a str>,
    /// Height of the digits' line in points.
    pub points: f32,
}

/// Draws it as wide as there is room.
pub(in crate::editor) fn value(ui: &mut Ui, large: &Large, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let &Large { text, unit, .. } = large;
    let font = font::numeral(large.points);
    let lay_out = |ui: &Ui, text: &str| {
        let painter = ui.painter();
        painter.layout_no_wrap(text.to_owned(), font.clone(), theme.text)
    };
    let number = lay_out(ui, text);
    let size = vec2(ui.available_width(), number.size().y);
    let (area, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let drawn = egui::Rect::from_min_size(area.min, vec2(number.size().x + 40.0, size.y));
    let shown = format!("{text} {unit}");
    let types = desk.typed_in(response.id).is_some();
    let whole = Number {
        id: large.id,
        typed: large.typed,
        steer: large.steer,
        travel: TRAVEL,
        shown: large.told.unwrap_or(&shown),
        readout: Readout {
            // All that there is room for is typed into.
            rect: if types { area } else { drawn },
            text,
            font: font.clone(),
            align: Align2::LEFT_CENTER,
        },
        why: large.why,
    };
    let typing = drive(ui, &response, &whole, desk);
    learns(ui, area.expand2(vec2(4.0, 0.0)), large.id, desk);
    let typed = desk.typed_in(response.id).filter(|_| typing);
    let width = match typed {
        Some(typed) => lay_out(ui, typed).size().x,
        None => number.size().x,
    };
    let has_unit = typed.is_some_and(|typed| typed.contains(char::is_alphabetic));
    let painter = ui.painter();
    if !typing {
        if response.hovered() || response.has_focus() {
            painter.hline(
                area.left()..=area.left() + width,
                area.bottom() - 1.0,
                egui::Stroke::new(1.0, theme.weak),
            );
        }
        painter.galley(area.min, number, theme.text);
    }
    let baseline = area.bottom() - 0.19 * large.points;
    let after = painter.layout_no_wrap(unit.to_owned(), font::BODY, Color32::PLACEHOLDER);
    let place = egui::pos2(area.left() + width + 5.0, baseline);
    if !has_unit && place.x + after.size().x <= area.right() {
        painter.text(place, Align2::LEFT_BOTTOM, unit, font::BODY, theme.weak);
    }
}
