//! The menu of a control: reset, copy, paste, learn MIDI, type.

use super::Desk;
use super::typing::{enter, reset};
use crate::control::Moves;
use crate::editor::theme::in_menu;
use crate::engine::ControlId;
use crate::engine::controls::Values;
use egui::{Response, Ui};

/// Opens on the secondary button.
pub(super) fn attach(response: &Response, id: ControlId, shown: &str, desk: &mut Desk) {
    response.context_menu(|ui| show(ui, response, id, shown, desk));
}

fn show(ui: &mut Ui, response: &Response, id: ControlId, shown: &str, desk: &mut Desk) {
    let control = id.control();
    in_menu(ui, 170.0);
    ui.weak(desk.title(id));
    let default = desk.default_text(id);
    if ui.button(format!("Reset to {default}")).clicked() {
        reset(id, desk);
        ui.close();
    }
    if ui.button("Copy value").clicked() {
        ui.ctx().copy_text(shown.to_owned());
        desk.hand.copied = Some(shown.to_owned());
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
    if desk.learns(id) {
        if ui.button("Stop learning MIDI").clicked() {
            desk.link.control.learn(None);
            ui.close();
        }
    } else if ui.button("Learn MIDI").clicked() {
        desk.link
            .control
            .learn(Some(Moves::Control(control.id.to_owned())));
        ui.close();
    }
    let number = matches!(control.values, Values::Number { .. });
    if number && ui.button("Type a value").clicked() {
        desk.type_into(id, response.id, shown.to_owned());
        ui.close();
    }
}
