//! How the head is turned, and by what.

use crate::editor::live::Live;
use crate::editor::panel::scrolled;
use crate::editor::theme::Theme;
use crate::editor::widgets::{Desk, knobs};
use crate::engine::controls::{HEAD_PITCH, HEAD_ROLL, HEAD_YAW};
use egui::Ui;

/// Draws the page.
pub(in crate::editor) fn ui(ui: &mut Ui, _live: &Live, desk: &mut Desk) {
    let theme = Theme::of(ui);
    scrolled(ui, |ui| {
        ui.heading("Head");
        let head = [HEAD_YAW, HEAD_PITCH, HEAD_ROLL].map(|id| (id, true));
        knobs(ui, &head, theme.space, desk);
        ui.weak("Yaw is positive to the left, pitch looks up, roll puts the right ear down.");
    });
}
