//! The line of messages: what the ears should know now, else the newest in plain words for a while; all of them on a
//! click.

use crate::editor::Message;
use crate::editor::live::Live;
use crate::editor::regions::control::said;
use crate::editor::theme::{Theme, font};
use crate::editor::widgets::{Desk, Look, button};
use crate::engine::controls::{LAYER, LAYER_BINAURAL};
use egui::{Align, Layout, Popup, RichText, ScrollArea, Ui};
use std::time::Duration;

/// Ears that are as alike as this hear no binaural beat.
const ALIKE: f32 = 0.9999;

/// Seconds for which the newest message stays in the line; in the list it stays longer.
const STAYS: f64 = 8.0;

/// What the line remembers.
#[derive(Default)]
pub(in crate::editor) struct Line {
    /// How many changes of the messages it has seen, and when it saw the last.
    seen: Option<(u64, f64)>,
}

impl Line {
    /// Draws the line: what holds now, then the newest message for a while, then what is good to know.
    pub fn ui(&mut self, ui: &mut Ui, live: &Live, desk: &mut Desk) {
        let theme = Theme::of(ui);
        let changes = desk.link.messages.changes();
        let since = match self.seen {
            Some((seen, since)) if seen == changes => since,
            _ => desk.now,
        };
        self.seen = Some((changes, since));
        let messages = desk.link.messages.all();
        let left = since + STAYS - desk.now;
        let fresh = messages.last().filter(|_| left > 0.0);
        let advice = advice(live, desk);
        let mut again = fresh.map(|_| left);
        let (text, colour) = if let Some(moves) = &desk.hand.learning {
            let text = format!(
                "{}: move a controller to learn it. Escape gives up.",
                said(moves)
            );
            (text, theme.beat)
        } else if let Some((id, left)) = desk.hand.overruled(desk.now) {
            again = Some(again.map_or(left, |other| other.min(left)));
            let text = format!(
                "{} is moved by the protocol: your value is heard where the protocol is off.",
                id.control().name
            );
            (text, theme.warning)
        } else if advice == Some(Advice::Alike) {
            let text = "The two ears are alike: there is no binaural beat. Is something after this making it mono?";
            (text.to_owned(), theme.warning)
        } else if let Some(last) = fresh {
            (told(last), theme.text)
        } else if advice == Some(Advice::Headphones) {
            let text = "Binaural beats need headphones: each ear must have its own tone.";
            (text.to_owned(), theme.weak)
        } else {
            (String::new(), theme.weak)
        };
        if let Some(seconds) = again {
            // It leaves the line though nothing else moves.
            let soon = Duration::from_secs_f64(seconds + 0.01);
            ui.ctx().request_repaint_after(soon);
        }
        // The list at the end: the line stands where it stands, whether there is one or not.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if !messages.is_empty() {
                list(ui, &messages, desk);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let line = RichText::new(&text).font(font::SMALL).color(colour);
                let line = ui.add(egui::Label::new(line).truncate());
                if !text.is_empty() {
                    line.on_hover_text(&text);
                }
            });
        });
    }
}

/// A message, and how often it came.
fn told(message: &Message) -> String {
    match message.times {
        0 | 1 => message.text.clone(),
        times => format!("{} ({times} times)", message.text),
    }
}

/// All of them, the newest first.
fn list(ui: &mut Ui, messages: &[Message], desk: &Desk) {
    let all = button(ui, "Messages", "All messages", "", true, Look::Quiet);
    Popup::menu(&all).width(520.0).show(|ui| {
        // A menu stretches what is in it to its width, and words with it.
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            if ui.button("Clear").clicked() {
                desk.link.messages.clear();
            }
            ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
                for message in messages.iter().rev() {
                    ui.label(told(message));
                }
            });
        });
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
