//! The bar on top: the name, the preset with what it is and what is known of it, undo and A/B, the meters, bypass,
//! and the window's own settings.

use super::presets::Presets;
use super::strip::meter;
use crate::editor::live::Live;
use crate::editor::panel::Page;
use crate::editor::theme::{GAP, Theme, font, in_menu, mix};
use crate::editor::widgets::{Desk, Look, button, entered, line};
use crate::engine::controls::BYPASS;
use egui::{
    Align, Align2, Color32, Key, Layout, Modifiers, Popup, PopupCloseBehavior, Rect, RichText,
    Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

/// Room for the mark of a preset that has been changed, in points.
const MARK: f32 = 14.0;
/// Least and greatest width of the meters, in points.
const METER: [f32; 2] = [60.0, 110.0];
/// The zooms that are offered, in per cent.
const ZOOMS: [u32; 6] = [75, 100, 125, 150, 175, 200];

/// What the bar remembers.
#[derive(Default)]
pub(in crate::editor) struct Header {
    name: String,
    /// The field for the name has just been opened.
    naming: bool,
}

impl Header {
    /// Draws the bar; returns the page that is asked for.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        live: &Live,
        presets: &mut Presets,
        desk: &mut Desk,
    ) -> Option<Page> {
        let theme = Theme::of(ui);
        let area = ui.max_rect();
        let middle = Rect::from_center_size(area.center(), vec2(area.width() - 20.0, 32.0));
        let mut asked = None;
        let mut bar = ui.new_child(
            egui::UiBuilder::new()
                .max_rect(middle)
                .layout(Layout::left_to_right(Align::Center)),
        );
        let ui = &mut bar;
        ui.spacing_mut().item_spacing.x = 4.0;
        emblem(ui, &theme);
        if area.width() >= 900.0 {
            ui.label(
                RichText::new("Zeitgeber")
                    .font(font::title())
                    .color(theme.text),
            );
        }
        ui.add_space(GAP);
        if button(
            ui,
            "\u{2039}",
            "Previous preset",
            "the preset before",
            true,
            Look::Quiet,
        )
        .clicked()
        {
            presets.step(-1, desk);
        }
        if self.preset(ui, presets, desk, &theme) {
            asked = Some(Page::Presets);
        }
        if button(
            ui,
            "\u{203a}",
            "Next preset",
            "the next preset",
            true,
            Look::Quiet,
        )
        .clicked()
        {
            presets.step(1, desk);
        }
        self.save(ui, presets, desk);
        history(ui, desk, &theme);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            settings(ui, desk);
            bypass(ui, desk, &theme);
            let room = ui.available_width() - 2.0 * GAP;
            if room >= METER[0] {
                let size = vec2(room.min(METER[1]), 24.0);
                let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
                meter(ui, rect, &live.levels[2..], None);
                response.on_hover_text(
                    "Peak level of the left (upper) and the right ear, -60 to 0 dBFS",
                );
            }
        });
        asked
    }

    /// The name of the preset with its grade, and a mark where the sound is another by now; true when it was clicked.
    fn preset(&mut self, ui: &mut Ui, presets: &mut Presets, desk: &Desk, theme: &Theme) -> bool {
        let name = desk.link.session().name;
        let shown = if name.is_empty() { "No preset" } else { &name };
        let width = (ui.available_width() - 400.0).clamp(120.0, 250.0);
        let (area, response) = ui.allocate_exact_size(vec2(width, 30.0), Sense::click());
        let changes = presets.changes(desk);
        response.widget_info(|| {
            let mark = if changes.is_some() { ", changed" } else { "" };
            WidgetInfo::labeled(Role::Button, true, format!("Preset: {shown}{mark}"))
        });
        let active = response.hovered() || response.has_focus();
        let fill = if active {
            mix(theme.surface, theme.text, 0.08)
        } else {
            theme.surface
        };
        let painter = ui.painter_at(area);
        painter.rect_filled(area, 7.0, fill);
        if response.has_focus() {
            let inside = egui::StrokeKind::Inside;
            painter.rect_stroke(area, 7.0, Stroke::new(1.0, theme.weak), inside);
        }
        let grade = presets.grade(&name);
        let end = if grade.is_some() {
            area.right() - 34.0
        } else {
            area.right() - 8.0
        };
        let room = if changes.is_some() { MARK } else { 0.0 };
        let text = elided(ui, shown, end - area.left() - 10.0 - room);
        let written = painter.text(
            pos2(area.left() + 10.0, area.center().y),
            Align2::LEFT_CENTER,
            text,
            font::BODY,
            if name.is_empty() {
                theme.weak
            } else {
                theme.text
            },
        );
        if changes.is_some() {
            let at = pos2(written.right() + 0.6 * MARK, area.center().y);
            painter.circle_filled(at, 2.5, theme.text);
        }
        if let Some(grade) = grade {
            badge(
                ui,
                pos2(area.right() - 18.0, area.center().y),
                grade.letter(),
                theme,
            );
        }
        let help = match changes {
            Some(changes) => format!("All presets\nChanged since {shown} was loaded: {changes}"),
            None => "All presets".to_owned(),
        };
        response.on_hover_text(help).clicked()
    }

    fn save(&mut self, ui: &mut Ui, presets: &mut Presets, desk: &mut Desk) {
        let save = button(
            ui,
            "Save",
            "Save preset",
            "Keep this sound as a preset of your own",
            true,
            Look::Quiet,
        );
        if save.clicked() {
            self.name = desk.link.session().name;
            self.naming = true;
        }
        Popup::menu(&save)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .width(240.0)
            .show(|ui| {
                // A menu stretches what is in it to its width.
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.label("Save as");
                    let field = line(ui, &mut self.name, "Name of the preset", "name", 240.0);
                    if std::mem::take(&mut self.naming) {
                        field.request_focus();
                    }
                    let entered = entered(ui, &field);
                    let named = !self.name.trim().is_empty();
                    let done = button(ui, "Save", "Save under this name", "", named, Look::Raised);
                    if named && (done.clicked() || entered) {
                        presets.save(self.name.trim(), desk);
                        ui.close();
                    }
                });
            });
    }
}

/// As much of a text as fits into so many points.
pub(in crate::editor) fn elided(ui: &Ui, text: &str, width: f32) -> String {
    let fits = |text: &str| {
        let galley = ui
            .painter()
            .layout_no_wrap(text.to_owned(), font::BODY, Color32::PLACEHOLDER);
        galley.size().x <= width
    };
    if fits(text) {
        return text.to_owned();
    }
    let mut letters: Vec<char> = text.chars().collect();
    while !letters.is_empty() {
        letters.pop();
        let short: String = letters.iter().collect::<String>().trim_end().to_owned() + "\u{2026}";
        if fits(&short) {
            return short;
        }
    }
    String::new()
}

/// A grade of evidence as a badge.
pub(in crate::editor) fn badge(ui: &Ui, at: egui::Pos2, letter: &str, theme: &Theme) {
    let rect = Rect::from_center_size(at, vec2(20.0, 18.0));
    let painter = ui.painter();
    painter.rect_stroke(
        rect,
        4.0,
        Stroke::new(1.0, theme.beat),
        egui::StrokeKind::Inside,
    );
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        letter,
        font::value(),
        theme.beat,
    );
}

/// Two tones that meet: the mark of the house.
fn emblem(ui: &mut Ui, theme: &Theme) {
    let (area, _) = ui.allocate_exact_size(vec2(28.0, 24.0), Sense::hover());
    let centre = area.center();
    let painter = ui.painter();
    painter.circle_stroke(centre - vec2(4.0, 0.0), 7.5, Stroke::new(2.2, theme.left));
    painter.circle_stroke(centre + vec2(4.0, 0.0), 7.5, Stroke::new(2.2, theme.right));
}

fn history(ui: &mut Ui, desk: &mut Desk, theme: &Theme) {
    let (can_undo, can_redo) = desk.link.history(|history| history.can());
    let undo = button(
        ui,
        "Undo",
        "Undo",
        "Take the last change back",
        can_undo,
        Look::Quiet,
    );
    if undo.clicked() {
        super::presets::undo(desk);
    }
    let redo = button(ui, "Redo", "Redo", "Do it again", can_redo, Look::Quiet);
    if redo.clicked() {
        super::presets::redo(desk);
    }
    let second = desk.link.history(|history| history.is_second());
    for (is_second, letter) in [(false, "A"), (true, "B")] {
        let look = if is_second == second {
            Look::Pressed(theme.beat)
        } else {
            Look::Quiet
        };
        let name = format!("Sound {letter}");
        let help = "Compare two sounds: what you change belongs to the one that is lit";
        if button(ui, letter, &name, help, true, look).clicked() && is_second != second {
            super::presets::swap(desk);
        }
    }
}

fn bypass(ui: &mut Ui, desk: &mut Desk, theme: &Theme) {
    let on = desk.is_on(BYPASS);
    let look = if on {
        Look::Pressed(theme.warning)
    } else {
        Look::Quiet
    };
    let help = BYPASS.control().help;
    let response = button(ui, "Bypass", "Bypass", help, true, look);
    if response.clicked() {
        desk.jump(BYPASS, f64::from(u8::from(!on)));
    }
}

/// A title in a menu, above entries that it is of.
fn menu_title(ui: &mut Ui, text: &str) {
    ui.horizontal(|ui| {
        ui.add_space(ui.spacing().button_padding.x);
        let weak = Theme::of(ui).weak;
        ui.label(RichText::new(text).font(font::SMALL).color(weak));
    });
}

fn settings(ui: &mut Ui, desk: &mut Desk) {
    let open = button(ui, "View", "View", "Theme and zoom", true, Look::Quiet);
    let mut look = desk.link.look();
    let before = look;
    // A window that has become too large for the screen is brought back without its menu. (egui's window hands on letters
    // and digits only: no plus, no minus.)
    if ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Num0)) {
        look.zoom = 1.0;
    }
    Popup::menu(&open)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(150.0)
        .show(|ui| {
            in_menu(ui, 120.0);
            menu_title(ui, "Theme");
            for (light, name) in [(false, "Dark"), (true, "Light")] {
                if ui.selectable_label(look.light == light, name).clicked() {
                    look.light = light;
                }
            }
            ui.add_space(GAP);
            menu_title(ui, "Zoom");
            for zoom in ZOOMS {
                let share = zoom as f32 / 100.0;
                let chosen = (look.zoom - share).abs() < 0.01;
                if ui.selectable_label(chosen, format!("{zoom} %")).clicked() {
                    look.zoom = share;
                }
            }
        });
    if look != before {
        desk.link.set_look(look);
        desk.sink.touch();
    }
}
