//! How the head is turned, and by what.

use crate::editor::live::Live;
use crate::editor::panel::scrolled;
use crate::editor::theme::Theme;
use crate::editor::widgets::{Desk, knob};
use crate::engine::controls::{HEAD_PITCH, HEAD_ROLL, HEAD_YAW};
use egui::Ui;

/// Draws the page.
pub(in crate::editor) fn ui(ui: &mut Ui, _live: &Live, desk: &mut Desk) {
    let theme = Theme::of(ui);
    scrolled(ui, |ui| {
        ui.heading("Head");
        ui.horizontal_wrapped(|ui| {
            for id in [HEAD_YAW, HEAD_PITCH, HEAD_ROLL] {
                knob(ui, id, theme.space, true, desk);
            }
        });
        ui.weak("Yaw is positive to the left, pitch looks up, roll puts the right ear down.");
    });
}
