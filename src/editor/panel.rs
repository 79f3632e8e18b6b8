//! The one page of the editor: meters and beat on top, the controls by group, messages below.

use super::hrtf;
use super::link::Link;
use super::meters::{self, Meters};
use super::presets::{self, Presets};
use super::widgets::{self, Hand};
use super::{ParamSink, messages::Message};
use crate::engine::ControlId;
use crate::engine::controls::HRTF_EQ;
use egui::{CentralPanel, Panel as EguiPanel, RichText, ScrollArea, Ui};
use std::sync::Arc;
use std::time::Duration;

/// Telemetry is read at most this often, and only while something sounds: 30 times a second.
const FRAME: Duration = Duration::from_millis(33);
/// Width of one column of controls, in points.
const COLUMN: f32 = 340.0;

/// What is drawn, and the little that it remembers between frames.
pub struct Panel {
    link: Arc<Link>,
    meters: Meters,
    hand: Hand,
    presets: Presets,
    groups: Vec<(&'static str, Vec<ControlId>)>,
    /// The path of a SOFA file as it is being typed.
    hrtf_path: String,
    last_poll: Option<f64>,
}

impl Panel {
    /// A page for the instance behind `link`.
    pub fn new(link: Arc<Link>) -> Panel {
        Panel {
            link,
            meters: Meters::default(),
            hand: Hand::default(),
            presets: Presets::new(),
            groups: groups(),
            hrtf_path: String::new(),
            last_poll: None,
        }
    }

    /// Draws the page into the whole of `ui` and asks for the next frame while something moves.
    pub fn ui(&mut self, ui: &mut Ui, sink: &dyn ParamSink) {
        let moving = self.poll(ui);
        let messages = self.link.messages.all();
        EguiPanel::top("sound").show(ui, |ui| self.sound(ui));
        EguiPanel::top("presets").show(ui, |ui| self.presets.ui(ui, &self.link, sink));
        if !messages.is_empty() {
            EguiPanel::bottom("messages").show(ui, |ui| self.said(ui, &messages));
        }
        CentralPanel::default().show(ui, |ui| {
            let noting = Noting {
                link: &self.link.clone(),
                sink,
            };
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| self.controls(ui, &noting));
        });
        self.link.set_idle(!moving);
        if moving {
            ui.ctx().request_repaint_after(FRAME);
        }
    }

    /// Ends what the user still holds. Called before the window goes.
    pub fn close(&mut self, sink: &dyn ParamSink) {
        self.hand.release(sink);
        self.link.set_idle(false);
    }

    fn poll(&mut self, ui: &Ui) -> bool {
        let now = ui.input(|input| input.time);
        let passed = self
            .last_poll
            .map_or(0.0, |last| (now - last).clamp(0.0, 1.0));
        // The pointer redraws more often than the meters are read.
        if self.last_poll.is_some() && passed < 0.9 * FRAME.as_secs_f64() {
            return true;
        }
        self.last_poll = Some(now);
        self.meters.poll(&self.link, passed as f32)
    }

    fn sound(&self, ui: &mut Ui) {
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            let telemetry = self.link.telemetry();
            // The clock runs on while nothing generates; then there is no beat to show.
            let (phase, fade) = telemetry
                .as_ref()
                .filter(|t| t.generates())
                .map_or((0.0, 0.0), |t| (t.beat_phase(), t.fade()));
            meters::beat_lamp(ui, phase, fade);
            ui.vertical(|ui| {
                ui.set_width(150.0);
                ui.label(RichText::new("Zeitgeber").strong());
                match telemetry.filter(|_| fade > 0.0) {
                    Some(t) => {
                        ui.label(format!("beat {:.3} Hz", t.beat()));
                        ui.label(format!("carrier {:.3} Hz", t.carrier()));
                    }
                    None => {
                        ui.weak("no beat sounds");
                        ui.weak("choose the kind of a layer");
                    }
                }
            });
            ui.vertical(|ui| self.meters.show(ui));
        });
        ui.add_space(2.0);
    }

    fn controls(&mut self, ui: &mut Ui, sink: &dyn ParamSink) {
        let columns = ((ui.available_width() / COLUMN) as usize).clamp(1, 3);
        // The groups fill the columns from the top, each into the one that is shortest so far.
        let mut heights = vec![0usize; columns];
        let mut filled = vec![Vec::new(); columns];
        for (index, (_, ids)) in self.groups.iter().enumerate() {
            let shortest = (0..columns)
                .min_by_key(|&column| heights[column])
                .unwrap_or(0);
            heights[shortest] += ids.len() + 2;
            filled[shortest].push(index);
        }
        ui.columns(columns, |columns| {
            for (ui, indices) in columns.iter_mut().zip(filled) {
                for index in indices {
                    let (name, ids) = &self.groups[index];
                    ui.group(|ui| {
                        ui.set_width(ui.available_width());
                        ui.label(RichText::new(*name).strong());
                        for id in ids {
                            widgets::row(ui, *id, &mut self.hand, sink);
                        }
                        if ids.contains(&HRTF_EQ) {
                            hrtf::row(ui, &self.link, &mut self.hrtf_path, sink);
                        }
                    });
                }
            }
        });
    }

    fn said(&self, ui: &mut Ui, messages: &[Message]) {
        ui.add_space(2.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new("Messages").strong());
            if ui.small_button("clear").clicked() {
                self.link.messages.clear();
            }
        });
        ScrollArea::vertical()
            .max_height(72.0)
            .stick_to_bottom(true)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for message in messages {
                    let times = if message.times > 1 {
                        format!(" ({} times)", message.times)
                    } else {
                        String::new()
                    };
                    ui.label(format!("{}{times}", message.text));
                }
            });
    }
}

/// Remembers the sound as it is before each gesture, so that it can be taken back.
struct Noting<'a> {
    link: &'a Link,
    sink: &'a dyn ParamSink,
}

impl ParamSink for Noting<'_> {
    fn value(&self, control: ControlId) -> f64 {
        self.sink.value(control)
    }

    fn begin(&self, control: ControlId) {
        let now = presets::take(self.link, self.sink);
        self.link.history(|history| history.note(now));
        self.sink.begin(control);
    }

    fn set(&self, control: ControlId, value: f64) {
        self.sink.set(control, value);
    }

    fn end(&self, control: ControlId) {
        self.sink.end(control);
    }

    fn touch(&self) {
        self.sink.touch();
    }
}

/// The controls by group, in the order of the table.
fn groups() -> Vec<(&'static str, Vec<ControlId>)> {
    let mut groups: Vec<(&'static str, Vec<ControlId>)> = Vec::new();
    for id in ControlId::all() {
        let name = id.control().group;
        match groups.iter_mut().find(|(group, _)| *group == name) {
            Some((_, ids)) => ids.push(id),
            None => groups.push((name, vec![id])),
        }
    }
    groups
}

#[cfg(test)]
mod tests;
