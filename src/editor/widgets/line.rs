//! A field for a line of text: a name, a path.

use crate::editor::theme::font;
use egui::{Align2, Key, Margin, Response, Role, TextEdit, Ui, WidgetInfo, vec2};

/// Height of a field, as a button's, in points; and what is free beside its text.
const HEIGHT: f32 = 26.0;
const MARGIN: i8 = 8;

/// Draws a field of so many points of width; `name` is what assistive technology calls it.
pub(in crate::editor) fn line(
    ui: &mut Ui,
    text: &mut String,
    name: &str,
    hint: &str,
    width: f32,
) -> Response {
    let field = TextEdit::singleline(text)
        .hint_text(hint)
        .font(font::BODY)
        .align(Align2::LEFT_CENTER)
        .margin(Margin::symmetric(MARGIN, 4))
        .min_size(vec2(width, HEIGHT))
        .desired_width(width - 2.0 * f32::from(MARGIN));
    let response = ui.add(field);
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, name));
    response
}

/// Whether what was typed into a field has just been entered.
pub(in crate::editor) fn entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}
