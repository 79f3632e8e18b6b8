//! Soon.

use crate::editor::live::Live;
use crate::editor::widgets::Desk;
use egui::Ui;

/// What the page remembers.
#[derive(Default)]
pub(in crate::editor) struct Stage;

impl Stage {
    /// Draws the page.
    pub fn ui(&mut self, ui: &mut Ui, _live: &Live, _desk: &mut Desk) {
        ui.label("space");
    }
}
