//! What pointer, wheel and keyboard do to a number: drag (fine with shift), wheel, arrows, double click, typing,
//! and what assistive technology asks for. Every change is a gesture.

use super::typing::Readout;
use super::{Desk, at_position, does_scroll, hint, menu, position, tell, typing};
use crate::engine::ControlId;
use crate::engine::controls::Values;
use egui::accesskit::{Action, ActionData};
use egui::{Event, EventFilter, Key, Modifiers, PointerButton, Response, Ui};
use std::time::Duration;

/// How much finer a drag with shift is.
const FINE: f64 = 0.1;
/// Points of the wheel for one step.
const NOTCH: f32 = 40.0;
/// Share of the way for one step of wheel or arrows.
const STEP: f64 = 0.02;
/// Seconds after which a turn of the wheel is over.
const WHEEL: f64 = 0.25;
/// Seconds for which the pointer has to rest on a number before the wheel turns it, in a column that scrolls.
const REST: f64 = 0.6;

/// What drag, wheel and arrows move of a number: mostly its own control, of one that follows something else that.
#[derive(Debug, Clone, Copy)]
pub(in crate::editor) struct Steer {
    pub id: ControlId,
    /// More of it is less of what is shown.
    pub down: bool,
}

impl Steer {
    /// How far the handle is, 0 to 1.
    fn position(self, value: f64) -> f64 {
        let at = position(self.id, value);
        if self.down { 1.0 - at } else { at }
    }

    fn value(self, at: f64) -> f64 {
        at_position(self.id, if self.down { 1.0 - at } else { at })
    }
}

/// A number under the hand.
pub(super) struct Number<'a> {
    /// What it is called, and what is reset.
    pub id: ControlId,
    /// What is typed into it.
    pub typed: ControlId,
    /// None where it follows what is not to be moved here.
    pub steer: Option<Steer>,
    /// The way of the pointer for the whole range, in points.
    pub travel: f32,
    /// How the value is told.
    pub shown: &'a str,
    pub readout: Readout<'a>,
    /// Why it moves as it does, where that is not plain.
    pub why: Option<&'a str>,
}

impl<'a> Number<'a> {
    /// A number that moves itself.
    pub fn own(id: ControlId, travel: f32, shown: &'a str, readout: Readout<'a>) -> Number<'a> {
        Number {
            id,
            typed: id,
            steer: Some(Steer { id, down: false }),
            travel,
            shown,
            readout,
            why: None,
        }
    }
}

/// Drives a number: a click on its readout types. True while the field of a typed value is drawn there.
pub(super) fn drive(ui: &mut Ui, response: &Response, number: &Number, desk: &mut Desk) -> bool {
    let id = number.id;
    tell(response, id, desk.value(id), number.shown, desk);
    // The first click of two may have opened the field.
    if response.double_clicked() {
        desk.type_no_more(response.id);
        typing::reset(id, desk);
        return false;
    }
    if !response.dragged() && typing::field(ui, response.id, &number.readout, desk) {
        return true;
    }
    if let Some(steer) = number.steer {
        drag(ui, response, steer, number.travel, desk);
        wheel(ui, response, steer, desk);
    }
    keys(ui, response, number, desk);
    assist(ui, response, number, desk);
    let readout = number.readout.rect;
    let on_readout =
        (ui.input(|input| input.pointer.interact_pos())).is_some_and(|at| readout.contains(at));
    if response.clicked() {
        response.request_focus();
        if on_readout {
            let text = number.readout.text.to_owned();
            desk.type_into(number.typed, response.id, text);
        }
    }
    menu::attach(response, id, number.shown, desk);
    if !response.dragged() {
        let moved = desk.in_force(id).is_some();
        let learns = desk.learns(id);
        let _ = (response.clone()).on_hover_ui(|ui| {
            hint(ui, id, number.shown, moved, learns, desk);
            if let Some(why) = number.why {
                ui.label(why);
            }
        });
    }
    false
}

fn drag(ui: &Ui, response: &Response, steer: Steer, travel: f32, desk: &mut Desk) {
    let id = steer.id;
    if response.drag_started_by(PointerButton::Primary) {
        desk.take(id);
        desk.hand.grip = steer.position(desk.value(id));
    }
    if response.dragged_by(PointerButton::Primary) && desk.holds(id) {
        let way = response.drag_delta();
        let fine = ui.input(|input| input.modifiers.shift);
        let scale = if fine { FINE } else { 1.0 };
        let moved = f64::from((way.x - way.y) / travel) * scale;
        if moved != 0.0 {
            desk.hand.grip = (desk.hand.grip + moved).clamp(0.0, 1.0);
            desk.change(id, steer.value(desk.hand.grip));
        }
    }
    if response.drag_stopped() && desk.holds(id) {
        desk.release();
    }
}

/// The share of the way that a step of the wheel or of an arrow takes: of a choice at least the next name.
fn share(id: ControlId) -> f64 {
    match id.control().values {
        Values::Choice { names, .. } => STEP.max(1.0 / (names.len() - 1).max(1) as f64),
        _ => STEP,
    }
}

/// A step of the handle, never less than the value's last decimal.
fn step(steer: Steer, steps: f64, desk: &mut Desk) {
    let id = steer.id;
    let value = desk.value(id);
    let to = steer.value(steer.position(value) + share(id) * steps);
    let grid = match id.control().values {
        Values::Number { decimals, .. } => 10f64.powi(-(decimals as i32)),
        _ => 1.0,
    };
    let steps = if steer.down { -steps } else { steps };
    let to = if (to - value).abs() < 0.999 * grid {
        value + grid.copysign(steps)
    } else {
        to
    };
    desk.jump(id, to);
}

fn wheel(ui: &Ui, response: &Response, steer: Steer, desk: &mut Desk) {
    let id = steer.id;
    if !response.hovered() || response.dragged() {
        desk.hand.rests = desk.hand.rests.filter(|(on, _)| *on != response.id);
        return;
    }
    let rests = desk.hand.rests.filter(|(on, _)| *on == response.id);
    let (_, since) = *desk
        .hand
        .rests
        .insert(rests.unwrap_or((response.id, desk.now)));
    let going = desk.hand.wheel.filter(|(turned, ..)| *turned == id);
    if going.is_none() && desk.now < desk.hand.scrolls_until {
        return;
    }
    // In a column that scrolls that is what is meant, but by who has come to stay.
    let stays = response.has_focus() || desk.now - since >= REST;
    if going.is_none() && !stays && does_scroll(ui) {
        return;
    }
    // The page below must not scroll as well.
    let (way, fine) = ui.input_mut(|input| {
        let way = input.smooth_scroll_delta();
        input.smooth_scroll_delta = egui::Vec2::ZERO;
        (way.x + way.y, input.modifiers.shift)
    });
    if way == 0.0 {
        return;
    }
    desk.hand.took_wheel = true;
    // A notch comes in many small parts: all of them are one gesture.
    let at = match going {
        Some((_, at, _)) if desk.holds(id) => at,
        _ => {
            desk.take(id);
            steer.position(desk.value(id))
        }
    };
    let scale = if fine { FINE } else { 1.0 };
    let to = (at + share(id) * f64::from(way / NOTCH) * scale).clamp(0.0, 1.0);
    desk.hand.wheel = Some((id, to, desk.now + WHEEL));
    desk.change(id, steer.value(to));
    ui.ctx()
        .request_repaint_after(Duration::from_secs_f64(WHEEL + 0.02));
}

fn keys(ui: &Ui, response: &Response, number: &Number, desk: &mut Desk) {
    if !response.has_focus() {
        return;
    }
    // Arrows move the value, not the focus.
    ui.memory_mut(|memory| {
        let filter = EventFilter {
            vertical_arrows: true,
            ..EventFilter::default()
        };
        memory.set_focus_lock_filter(response.id, filter);
    });
    let pressed = |key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, key));
    let fine = |key| ui.input_mut(|input| input.count_and_consume_key(Modifiers::SHIFT, key));
    for (up, down, steps) in [
        (Key::ArrowUp, Key::ArrowDown, 1.0),
        (Key::PageUp, Key::PageDown, 5.0),
    ] {
        // Those with shift first: without is with or without.
        let little = fine(up) as f64 - fine(down) as f64;
        let way = pressed(up) as f64 - pressed(down) as f64;
        let steps = steps * (way + FINE * little);
        if let Some(steer) = number.steer.filter(|_| steps != 0.0) {
            step(steer, steps, desk);
        }
    }
    if pressed(Key::Delete) + pressed(Key::Backspace) > 0 {
        typing::reset(number.id, desk);
    }
    if pressed(Key::Enter) > 0 {
        let text = number.readout.text.to_owned();
        desk.type_into(number.typed, response.id, text);
        return;
    }
    let typed = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            Event::Text(text)
                if text.starts_with(|c: char| c.is_alphanumeric() || "-+.".contains(c)) =>
            {
                Some(text.clone())
            }
            _ => None,
        })
    });
    if let Some(text) = typed {
        desk.type_on(number.typed, response.id, text);
    }
}

fn assist(ui: &Ui, response: &Response, number: &Number, desk: &mut Desk) {
    let asked = |action| ui.input(|input| input.num_accesskit_action_requests(response.id, action));
    let steps = asked(Action::Increment) as f64 - asked(Action::Decrement) as f64;
    if let Some(steer) = number.steer.filter(|_| steps != 0.0) {
        step(steer, steps, desk);
    }
    let set = ui.input(|input| {
        let requests = input.accesskit_action_requests(response.id, Action::SetValue);
        requests.filter_map(|request| request.data.clone()).last()
    });
    match set {
        Some(ActionData::NumericValue(value)) => {
            desk.jump(number.id, value);
            typing::make_own(number.id, desk);
        }
        Some(ActionData::Value(text)) => {
            if let Err(wrong) = typing::enter(number.typed, &text, desk) {
                desk.link.messages.post(wrong);
            }
        }
        _ => {}
    }
}
