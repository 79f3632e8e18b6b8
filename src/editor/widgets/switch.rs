//! Switches: a labelled one, and the power mark of a card.

use super::{Desk, hint, learns, menu, short_name, tell};
use crate::editor::theme::{Theme, font, mix};
use crate::engine::ControlId;
use egui::{Align2, Color32, Rect, Response, Sense, Stroke, Ui, pos2, vec2};

/// Draws a switch with its name.
pub(in crate::editor) fn switch(ui: &mut Ui, id: ControlId, accent: Color32, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let name =
        ui.painter()
            .layout_no_wrap(short_name(id).to_owned(), font::SMALL, Color32::PLACEHOLDER);
    let size = vec2(36.0 + name.size().x, 24.0);
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    flip(&response, id, desk);
    learns(ui, area.expand2(vec2(3.0, 0.0)), id, desk);
    let on = desk.is_on(id);
    let painter = ui.painter();
    let track = Rect::from_center_size(pos2(area.left() + 14.0, area.center().y), vec2(26.0, 14.0));
    let fill = if on {
        mix(theme.raised, accent, 0.75)
    } else {
        theme.raised
    };
    painter.rect_filled(track, 7.0, fill);
    let x = if on {
        track.right() - 7.0
    } else {
        track.left() + 7.0
    };
    let active = response.hovered() || response.has_focus();
    painter.circle_filled(
        pos2(x, track.center().y),
        5.0,
        if on || active { theme.text } else { theme.weak },
    );
    if response.has_focus() {
        painter.rect_stroke(
            track.expand(2.0),
            9.0,
            Stroke::new(1.0, theme.weak),
            egui::StrokeKind::Outside,
        );
    }
    let colour = if on || active { theme.text } else { theme.weak };
    let place = pos2(area.left() + 33.0, area.center().y);
    painter.text(
        place,
        Align2::LEFT_CENTER,
        short_name(id),
        font::SMALL,
        colour,
    );
}

/// Draws the mark that turns something on: a dot that is lit. `on` and what a click sets are the caller's, so that
/// kinds can be turned off and on as well.
pub(in crate::editor) fn power(
    ui: &mut Ui,
    rect: Rect,
    name: &str,
    on: bool,
    accent: Color32,
) -> bool {
    let response = ui.interact(rect, ui.scope_id().with(("power", name)), Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, on, name));
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let ring = if response.hovered() || response.has_focus() {
        theme.text
    } else if on {
        accent
    } else {
        theme.weak
    };
    let centre = rect.center();
    painter.circle_stroke(centre, 5.5, Stroke::new(1.5, ring));
    if on {
        painter.circle_filled(centre, 3.0, accent);
    }
    response
        .on_hover_text(if on { "turn off" } else { "turn on" })
        .clicked()
}

fn flip(response: &Response, id: ControlId, desk: &mut Desk) {
    let on = desk.is_on(id);
    let shown = desk.text(id, f64::from(u8::from(on)));
    tell(response, id, f64::from(u8::from(on)), &shown, desk);
    if response.clicked() {
        desk.jump(id, f64::from(u8::from(!on)));
    }
    menu::attach(response, id, &shown, desk);
    let (moved, learns) = (desk.in_force(id).is_some(), desk.learns(id));
    let _ = (response.clone()).on_hover_ui(|ui| hint(ui, id, &shown, moved, learns, desk));
}
