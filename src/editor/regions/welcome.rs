//! What is said at first use (safety), and the three starters that a new instance offers.

use super::presets::Presets;
use crate::editor::theme::{GAP, ROUND, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button};
use crate::protocol::Library;
use egui::{
    Align2, Color32, Frame, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2,
};
use std::path::PathBuf;

/// The file, beside the presets, that tells that the note has been read.
const FILE: &str = "editor.json";

/// A longer one is none of ours, in bytes.
const LONGEST: u64 = 1 << 16;

/// Whether the note has been read.
pub(in crate::editor) struct Welcome {
    file: Option<PathBuf>,
    read: bool,
}

impl Welcome {
    /// As this user left it.
    pub fn new(library: &Library) -> Welcome {
        let file = library.folder().map(|folder| folder.with_file_name(FILE));
        let text = file
            .as_ref()
            .and_then(|file| crate::file::text(file, LONGEST).ok());
        let read = text
            .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
            .is_some_and(|value| value["safety_read"] == true);
        Welcome { file, read }
    }

    fn keep(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        crate::file::replace(file, "{\"safety_read\": true}\n")
    }

    /// Draws the note over everything until it has been read; true while it is open.
    pub fn ui(&mut self, ui: &mut Ui, area: Rect, desk: &Desk) -> bool {
        if self.read {
            return false;
        }
        let theme = Theme::of(ui);
        let veil = Color32::from_black_alpha(150);
        egui::Area::new(ui.scope_id().with("safety"))
            .order(egui::Order::Foreground)
            .fixed_pos(area.min)
            .show(ui.ctx(), |ui| {
                let (rect, _) = ui.allocate_exact_size(area.size(), Sense::click_and_drag());
                ui.painter().rect_filled(rect, 0.0, veil);
                let size = vec2(440.0f32.min(rect.width() - 40.0), 300.0);
                let place = Rect::from_center_size(rect.center(), size);
                let mut page = ui.new_child(egui::UiBuilder::new().max_rect(place));
                Frame::new()
                    .fill(theme.surface)
                    .corner_radius(ROUND)
                    .inner_margin(22)
                    .show(&mut page, |ui| {
                        ui.set_width(size.x - 44.0);
                        ui.label(RichText::new("Before you listen").font(font::title()).color(theme.text));
                        for text in [
                            "Pulsing sound can trigger seizures. If you or a listener have epilepsy or a \
                             pacemaker, ask a doctor first.",
                            "Do not drive or use machines while you listen, or soon after.",
                            "Keep the level low: a beat works as well quietly. Long sessions at high levels \
                             damage hearing.",
                            "Nothing here treats an illness. Each preset says what was found, and what was not.",
                        ] {
                            ui.label(RichText::new(text).color(theme.text));
                        }
                        ui.add_space(GAP);
                        let look = Look::Accent(theme.beat);
                        if button(ui, "I understand", "I understand", "", true, look).clicked() {
                            self.read = true;
                            if let Err(error) = self.keep() {
                                desk.link.messages.post(format!(
                                    "the safety note will be shown again: what was read cannot be kept: {error}"
                                ));
                            }
                        }
                    });
            });
        // Nothing moves in it.
        false
    }
}

/// Draws the three starters.
pub(in crate::editor) fn starters(ui: &mut Ui, presets: &mut Presets, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let starters: Vec<(usize, String, String)> = presets
        .starters()
        .map(|(index, entry)| (index, entry.name.clone(), entry.preset.about().to_owned()))
        .collect();
    if starters.is_empty() {
        return;
    }
    let area = ui.max_rect();
    let text = "Nothing is changed yet. Begin with one of these, or turn on a card below.";
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(text.to_owned(), font::BODY, theme.weak);
    let place = area.center_top() + vec2(0.0, 14.0);
    let place = Align2::CENTER_CENTER.anchor_size(place, galley.size());
    painter.rect_filled(place.expand2(vec2(10.0, 4.0)), 6.0, theme.surface);
    painter.galley(place.min, galley, theme.weak);
    let gap = 1.5 * GAP;
    let width = (area.width() - gap * (starters.len() as f32 - 1.0)) / starters.len() as f32;
    let mut loaded = None;
    for (place, (index, name, about)) in starters.into_iter().enumerate() {
        let left = area.left() + place as f32 * (width + gap);
        let rect = Rect::from_min_max(
            egui::pos2(left, area.top() + 34.0),
            egui::pos2(left + width, area.bottom()),
        );
        let response = ui.interact(rect, ui.scope_id().with(("starter", index)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let active = response.hovered() || response.has_focus();
        let line = if active { theme.beat } else { theme.line };
        ui.painter().rect(
            rect,
            ROUND,
            if active {
                mix(theme.raised, theme.text, 0.06)
            } else {
                theme.raised
            },
            Stroke::new(1.0, line),
            StrokeKind::Inside,
        );
        let inner = rect.shrink(12.0);
        let builder = egui::UiBuilder::new().id_salt(index).max_rect(inner);
        let mut page = ui.new_child(builder);
        page.set_clip_rect(inner);
        page.spacing_mut().item_spacing.y = 4.0;
        page.label(RichText::new(&name).font(font::heading()).color(theme.text));
        page.label(RichText::new(&about).font(font::SMALL).color(theme.weak));
        if response.clicked() {
            loaded = Some(index);
        }
    }
    if let Some(index) = loaded {
        presets.load(desk.link, desk.sink, index);
    }
}
