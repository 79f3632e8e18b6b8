//! The menu of a control: reset, copy, paste, type.

use super::Desk;
use super::typing::enter;
use crate::control::Moves;
use crate::engine::ControlId;
use crate::engine::controls::Values;
use egui::{Response, Ui};

/// Opens on the secondary button.
pub(super) fn attach(response: &Response, id: ControlId, desk: &mut Desk) {
    response.context_menu(|ui| show(ui, response, id, desk));
}

fn show(ui: &mut Ui, response: &Response, id: ControlId, desk: &mut Desk) {
    let control = id.control();
    ui.set_min_width(170.0);
    ui.weak(control.name);
    let default = desk.text(id, control.default_value());
    if ui.button(format!("Reset to {default}")).clicked() {
        desk.jump(id, control.default_value());
        ui.close();
    }
    if ui.button("Copy value").clicked() {
        let text = desk.text(id, desk.value(id));
        ui.ctx().copy_text(text.clone());
        desk.hand.copied = Some(text);
        ui.close();
    }
    let copied = desk.hand.copied.clone();
    let paste = match &copied {
        Some(text) => format!("Paste {text}"),
        None => "Paste value".to_owned(),
    };
    let button = ui.add_enabled(copied.is_some(), egui::Button::new(paste));
    if let Some(text) = copied.filter(|_| button.clicked()) {
        if let Err(wrong) = enter(id, &text, desk) {
            desk.link.messages.post(wrong);
        }
        ui.close();
    }
    if ui.button("Learn MIDI").clicked() {
        desk.link
            .control
            .learn(Some(Moves::Control(control.id.to_owned())));
        desk.link
            .messages
            .post(format!("{}: move a controller to learn it", control.name));
        ui.close();
    }
    let number = matches!(control.values, Values::Number { .. });
    if number && ui.button("Type a value").clicked() {
        let text = desk.text(id, desk.value(id));
        desk.type_into(id, response.id, text);
        ui.close();
    }
}
