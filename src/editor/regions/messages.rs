//! The line of messages: the newest in plain words, all of them on a click; else what the ears should know.

use crate::editor::live::Live;
use crate::editor::theme::{Theme, font};
use crate::editor::widgets::{Desk, Look, button};
use crate::engine::controls::{LAYER, LAYER_BINAURAL};
use egui::{Popup, RichText, ScrollArea, Ui};

/// Ears that are as alike as this hear no binaural beat.
const ALIKE: f32 = 0.9999;

/// Draws the line.
pub(in crate::editor) fn ui(ui: &mut Ui, live: &Live, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let messages = desk.link.messages.all();
    ui.horizontal_centered(|ui| {
        if let Some(last) = messages.last() {
            let text = match last.times {
                0 | 1 => last.text.clone(),
                times => format!("{} ({times} times)", last.text),
            };
            let all = button(ui, "Messages", "All messages", "", true, Look::Quiet);
            Popup::menu(&all).width(520.0).show(|ui| {
                if ui.button("Clear").clicked() {
                    desk.link.messages.clear();
                }
                ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
                    for message in messages.iter().rev() {
                        let times = match message.times {
                            0 | 1 => String::new(),
                            times => format!(" ({times} times)"),
                        };
                        ui.label(format!("{}{times}", message.text));
                    }
                });
            });
            let line = RichText::new(&text).font(font::SMALL).color(theme.text);
            ui.add(egui::Label::new(line).truncate()).on_hover_text(&text);
        } else {
            let (text, colour) = match advice(live, desk) {
                Some(Advice::Alike) => (
                    "The two ears are alike: there is no binaural beat. Is something after this making it mono?",
                    theme.warning,
                ),
                Some(Advice::Headphones) => (
                    "Binaural beats need headphones: each ear must have its own tone.",
                    theme.weak,
                ),
                None => ("", theme.weak),
            };
            ui.label(RichText::new(text).font(font::SMALL).color(colour));
        }
    });
}

#[derive(Debug, PartialEq)]
enum Advice {
    /// A binaural layer sounds and the ears do not differ.
    Alike,
    /// One sounds.
    Headphones,
}

fn advice(live: &Live, desk: &Desk) -> Option<Advice> {
    let telemetry = live.sounding()?;
    let binaural = LAYER
        .iter()
        .any(|ids| desk.index(ids.kind) == LAYER_BINAURAL);
    if !binaural {
        return None;
    }
    let alike = telemetry.beat() > 0.0
        && telemetry.fade() > 0.5
        && telemetry.display().looks_at().is_none()
        && (live.monitor.as_ref()?.correlation()).is_some_and(|alike| alike > ALIKE);
    Some(if alike {
        Advice::Alike
    } else {
        Advice::Headphones
    })
}
