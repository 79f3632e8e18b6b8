//! One widget per kind of control: a slider with a typed value, a list, a checkbox. Every change is a
//! gesture; a double click restores the default.

use super::ParamSink;
use crate::engine::ControlId;
use crate::engine::controls::Values;
use egui::{
    Align, ComboBox, Layout, Response, Sense, Slider, SliderClamping, TextWrapMode, Ui, vec2,
};

/// Seconds in which a host may still report the value from before a gesture.
const ECHO: f64 = 0.25;
/// Width of the column of names, in points.
const NAME: f32 = 108.0;

/// The control that the user holds or has just let go of. There is one pointer and one keyboard focus, so
/// one is enough.
#[derive(Debug, Default)]
pub(super) struct Hand {
    held: Option<ControlId>,
    last: Option<(ControlId, f64, f64)>,
}

impl Hand {
    /// The value to show: while the user moves a control, and until the host has taken the value over, the
    /// user's own.
    fn shown(&self, id: ControlId, now: f64, sink: &dyn ParamSink) -> f64 {
        match self.last {
            Some((own, value, until)) if own == id && (self.held == Some(id) || now < until) => {
                value
            }
            _ => sink.value(id),
        }
    }

    fn take(&mut self, id: ControlId, sink: &dyn ParamSink) {
        if self.held == Some(id) {
            return;
        }
        self.release(sink);
        sink.begin(id);
        self.held = Some(id);
    }

    fn change(&mut self, id: ControlId, value: f64, now: f64, sink: &dyn ParamSink) {
        let value = id.control().snap(value);
        sink.set(id, value);
        self.last = Some((id, value, now + ECHO));
    }

    /// Ends the gesture that is open, if one is. Called when the editor closes, too.
    pub(super) fn release(&mut self, sink: &dyn ParamSink) {
        if let Some(id) = self.held.take() {
            sink.end(id);
        }
    }

    /// A whole gesture at once: a click, a typed value, a default.
    fn jump(&mut self, id: ControlId, value: f64, now: f64, sink: &dyn ParamSink) {
        let held = self.held == Some(id);
        self.take(id, sink);
        self.change(id, value, now, sink);
        if !held {
            self.release(sink);
        }
    }
}

/// One row: the name and the widget that fits the control's values.
pub(super) fn row(ui: &mut Ui, id: ControlId, hand: &mut Hand, sink: &dyn ParamSink) {
    let control = id.control();
    let now = ui.input(|input| input.time);
    let value = hand.shown(id, now, sink);
    ui.horizontal(|ui| {
        let label = ui
            .allocate_ui_with_layout(
                vec2(NAME, 18.0),
                Layout::left_to_right(Align::Center),
                |ui| {
                    ui.set_min_width(NAME);
                    ui.add(
                        egui::Label::new(control.name)
                            .sense(Sense::click())
                            .truncate(),
                    )
                },
            )
            .inner
            .on_hover_text(format!(
                "{}\nDouble click: {}",
                control.help,
                control.format(control.default_value())
            ));
        if label.double_clicked() {
            hand.jump(id, control.default_value(), now, sink);
            return;
        }
        match control.values {
            Values::Number { .. } => number(ui, id, value, now, hand, sink),
            Values::Choice {
                names, available, ..
            } => {
                choice(ui, id, value, (names, available), now, hand, sink);
            }
            Values::Switch { .. } => {
                let mut on = value >= 0.5;
                if ui.checkbox(&mut on, "").changed() {
                    hand.jump(id, f64::from(u8::from(on)), now, sink);
                }
            }
        }
    });
}

fn number(ui: &mut Ui, id: ControlId, value: f64, now: f64, hand: &mut Hand, sink: &dyn ParamSink) {
    let control = id.control();
    let (min, max) = control.range();
    let mut moved = value;
    ui.spacing_mut().slider_width = (ui.available_width() - 92.0).max(60.0);
    let response = ui.add(
        Slider::new(&mut moved, min..=max)
            .clamping(SliderClamping::Always)
            .smart_aim(false)
            .custom_formatter(|value, _| control.format(value))
            // Text that is no value leaves the control as it is.
            .custom_parser(|text| control.parse_any(text).ok()),
    );
    if double_clicked(ui, &response) {
        hand.jump(id, control.default_value(), now, sink);
        return;
    }
    let down = response.dragged() || response.is_pointer_button_down_on();
    if down {
        hand.take(id, sink);
    }
    if response.changed() && control.snap(moved) != value {
        hand.jump(id, moved, now, sink);
    }
    if !down && hand.held == Some(id) {
        hand.release(sink);
    }
}

/// A slider senses drags only, so double clicks on it are read from the pointer.
fn double_clicked(ui: &Ui, response: &Response) -> bool {
    response.contains_pointer()
        && ui.input(|input| {
            input
                .pointer
                .button_double_clicked(egui::PointerButton::Primary)
                && input.pointer.interact_pos().is_some_and(|at| {
                    // Not on the number: a double click there selects its text.
                    at.x < response.rect.left() + ui.spacing().slider_width
                })
        })
}

fn choice(
    ui: &mut Ui,
    id: ControlId,
    value: f64,
    (names, available): (&[&str], usize),
    now: f64,
    hand: &mut Hand,
    sink: &dyn ParamSink,
) {
    let control = id.control();
    ComboBox::from_id_salt(control.id)
        .selected_text(control.format(value))
        .width(120.0)
        .wrap_mode(TextWrapMode::Extend)
        .show_ui(ui, |ui| {
            for (index, name) in names.iter().take(available).enumerate() {
                let chosen = index as f64 == value;
                if ui.selectable_label(chosen, *name).clicked() && !chosen {
                    hand.jump(id, index as f64, now, sink);
                }
            }
        });
}

#[cfg(test)]
mod tests;
