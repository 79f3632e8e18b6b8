//! One of several names: segments side by side where they have room, else a list that opens.

use super::{Desk, hint, learns, menu, short_name, tell};
use crate::editor::theme::{Theme, font, mix};
use crate::editor::words;
use crate::engine::ControlId;
use egui::{
    Align2, Color32, ComboBox, CornerRadius, Rect, RichText, Role, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

/// Height of a segment in points.
const HEIGHT: f32 = 26.0;
/// The most names that stand side by side.
const MOST: usize = 6;

/// Draws a choice as wide as there is room, its name above.
pub(in crate::editor) fn choice(ui: &mut Ui, id: ControlId, accent: Color32, desk: &mut Desk) {
    let names = words::choices(id);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let theme = Theme::of(ui);
        ui.label(
            RichText::new(short_name(id))
                .font(font::SMALL)
                .color(theme.weak),
        );
        let widest = names
            .iter()
            .map(|name| {
                let text =
                    ui.painter()
                        .layout_no_wrap(name.clone(), font::SMALL, Color32::PLACEHOLDER);
                text.size().x
            })
            .fold(0.0, f32::max);
        let room = ui.available_width() / names.len() as f32;
        if names.len() <= MOST && widest + 10.0 <= room {
            segments(ui, id, &names, (accent, HEIGHT), desk, word(&names));
        } else {
            list(ui, id, &names, desk);
        }
    });
}

/// Draws a choice without its name, in so many points: beside a title that says what it is of.
pub(in crate::editor) fn choice_bare(
    ui: &mut Ui,
    id: ControlId,
    width: f32,
    accent: Color32,
    desk: &mut Desk,
) {
    let names = words::choices(id);
    ui.scope(|ui| {
        ui.set_max_width(width);
        segments(ui, id, &names, (accent, 20.0), desk, word(&names));
    });
}

/// Draws a choice without its name as a list that opens, as wide as there is room.
pub(in crate::editor) fn choice_list(ui: &mut Ui, id: ControlId, desk: &mut Desk) {
    list(ui, id, &words::choices(id), desk);
}

/// Draws a choice whose segments are pictures: `draw` gets the rectangle, the index and the colour. The name of what
/// is chosen stands above, beside the control's.
pub(in crate::editor) fn choice_icons(
    ui: &mut Ui,
    id: ControlId,
    accent: Color32,
    desk: &mut Desk,
    draw: impl Fn(&Ui, Rect, usize, Color32),
) {
    let names = words::choices(id);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let theme = Theme::of(ui);
        ui.horizontal(|ui| {
            ui.label(
                RichText::new(short_name(id))
                    .font(font::SMALL)
                    .color(theme.weak),
            );
            let chosen = &names[desk.index(id).min(names.len() - 1)];
            ui.label(RichText::new(chosen).font(font::value()));
        });
        segments(ui, id, &names, (accent, HEIGHT), desk, draw);
    });
}

/// What is in a segment that has no picture: its name.
fn word(names: &[String]) -> impl Fn(&Ui, Rect, usize, Color32) {
    move |ui, rect, index, colour| {
        let text = &names[index];
        let painter = ui.painter();
        painter.text(
            rect.center(),
            Align2::CENTER_CENTER,
            text,
            font::SMALL,
            colour,
        );
    }
}

fn segments(
    ui: &mut Ui,
    id: ControlId,
    names: &[String],
    (accent, height): (Color32, f32),
    desk: &mut Desk,
    draw: impl Fn(&Ui, Rect, usize, Color32),
) {
    let theme = Theme::of(ui);
    let (area, whole) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let shown = desk.text(id, desk.value(id));
    tell(&whole, id, desk.value(id), &shown, desk);
    menu::attach(&whole, id, &shown, desk);
    ui.painter().rect_filled(area, 6.0, theme.raised);
    let width = area.width() / names.len() as f32;
    let now = desk.index(id);
    let (moved, learning) = (desk.in_force(id).is_some(), desk.learns(id));
    let accent = if moved { theme.beat } else { accent };
    for (index, name) in names.iter().enumerate() {
        let rect = Rect::from_min_size(
            pos2(area.left() + index as f32 * width, area.top()),
            vec2(width, height),
        );
        let part = ui.interact(rect, whole.id.with(index), Sense::click());
        let chosen = index == now;
        part.widget_info(|| {
            let name = format!("{}: {name}", id.control().name);
            WidgetInfo::selected(Role::RadioButton, true, chosen, name)
        });
        let colour = if chosen {
            theme.lit(accent)
        } else if part.hovered() || part.has_focus() {
            mix(theme.weak, theme.text, 0.7)
        } else {
            theme.weak
        };
        if chosen {
            ui.painter()
                .rect_filled(rect.shrink(2.0), CornerRadius::same(5), theme.pressed());
        }
        if part.has_focus() {
            ui.painter().rect_stroke(
                rect.shrink(1.0),
                6.0,
                Stroke::new(1.0, theme.weak),
                egui::StrokeKind::Inside,
            );
        }
        draw(ui, rect, index, colour);
        if part.clicked() && !chosen {
            desk.jump(id, index as f64);
        }
        menu::attach(&part, id, &shown, desk);
        let _ = part.on_hover_ui(|ui| {
            ui.strong(name);
            hint(ui, id, &shown, moved, learning, desk);
        });
    }
    learns(ui, area.expand(1.0), id, desk);
}

fn list(ui: &mut Ui, id: ControlId, names: &[String], desk: &mut Desk) {
    let now = desk.index(id).min(names.len() - 1);
    let shown = RichText::new(&names[now]).font(font::value());
    let response = ComboBox::from_id_salt(id.control().id)
        .width(ui.available_width())
        .height(320.0)
        .selected_text(shown)
        .show_ui(ui, |ui| {
            for (index, name) in names.iter().enumerate() {
                if ui.selectable_label(index == now, name).clicked() {
                    desk.bring(id, index as f64);
                }
            }
        })
        .response;
    let shown = desk.text(id, desk.value(id));
    tell(&response, id, desk.value(id), &shown, desk);
    learns(ui, response.rect.expand(1.0), id, desk);
    menu::attach(&response, id, &shown, desk);
    let (moved, learning) = (desk.in_force(id).is_some(), desk.learns(id));
    let _ = response.on_hover_ui(|ui| hint(ui, id, &shown, moved, learning, desk));
}
