//! What pointer, wheel and keyboard do to a number: drag (fine with shift), wheel, arrows, double click, typing,
//! and what assistive technology asks for. Every change is a gesture.

use super::{Desk, at_position, hint, menu, position, tell, typing};
use crate::engine::ControlId;
use crate::engine::controls::Values;
use egui::accesskit::{Action, ActionData};
use egui::{Event, EventFilter, Key, Modifiers, PointerButton, Rect, Response, Ui};
use std::time::Duration;

/// How much finer a drag with shift is.
const FINE: f64 = 0.1;
/// Points of the wheel for one step.
const NOTCH: f32 = 40.0;
/// Share of the way for one step of wheel or arrows.
const STEP: f64 = 0.02;
/// Seconds after which a turn of the wheel is over.
const WHEEL: f64 = 0.25;

/// Drives a number. `travel` is the way of the pointer, in points, for the whole range; `readout` is where the
/// value is written, `shown` how: a click there types. True while the field of a typed value is drawn there.
pub(super) fn drive(
    ui: &mut Ui,
    response: &Response,
    id: ControlId,
    travel: f32,
    (readout, shown): (Rect, &str),
    desk: &mut Desk,
) -> bool {
    tell(response, id, desk.value(id), shown);
    // The first click of two may have opened the field.
    if response.double_clicked() {
        desk.type_no_more(response.id);
        typing::reset(id, desk);
        return false;
    }
    if !response.dragged() && typing::field(ui, response.id, readout, desk) {
        return true;
    }
    drag(ui, response, id, travel, desk);
    wheel(ui, response, id, desk);
    keys(ui, response, id, shown, desk);
    assist(ui, response, id, desk);
    let on_readout =
        (ui.input(|input| input.pointer.interact_pos())).is_some_and(|at| readout.contains(at));
    if response.clicked() {
        response.request_focus();
        if on_readout {
            desk.type_into(id, response.id, shown.to_owned());
        }
    }
    menu::attach(response, id, shown, desk);
    if !response.dragged() {
        let moved = desk.in_force(id).is_some();
        let _ = (response.clone()).on_hover_ui(|ui| hint(ui, id, shown, moved));
    }
    false
}

fn drag(ui: &Ui, response: &Response, id: ControlId, travel: f32, desk: &mut Desk) {
    if response.drag_started_by(PointerButton::Primary) {
        desk.take(id);
        desk.hand.grip = position(id, desk.value(id));
    }
    if response.dragged_by(PointerButton::Primary) && desk.holds(id) {
        let way = response.drag_delta();
        let fine = ui.input(|input| input.modifiers.shift);
        let scale = if fine { FINE } else { 1.0 };
        let moved = f64::from((way.x - way.y) / travel) * scale;
        if moved != 0.0 {
            desk.hand.grip = (desk.hand.grip + moved).clamp(0.0, 1.0);
            desk.change(id, at_position(id, desk.hand.grip));
        }
    }
    if response.drag_stopped() && desk.holds(id) {
        desk.release();
    }
}

/// A step of the handle, never less than the value's last decimal.
fn step(id: ControlId, steps: f64, desk: &mut Desk) {
    let value = desk.value(id);
    let to = at_position(id, position(id, value) + STEP * steps);
    let grid = match id.control().values {
        Values::Number { decimals, .. } => 10f64.powi(-(decimals as i32)),
        _ => 1.0,
    };
    let to = if (to - value).abs() < grid {
        value + grid.copysign(steps)
    } else {
        to
    };
    desk.jump(id, to);
}

fn wheel(ui: &Ui, response: &Response, id: ControlId, desk: &mut Desk) {
    if !response.hovered() || response.dragged() {
        return;
    }
    let going = desk.hand.wheel.filter(|(turned, ..)| *turned == id);
    if going.is_none() && desk.now < desk.hand.scrolls_until {
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
            position(id, desk.value(id))
        }
    };
    let scale = if fine { FINE } else { 1.0 };
    let to = (at + STEP * f64::from(way / NOTCH) * scale).clamp(0.0, 1.0);
    desk.hand.wheel = Some((id, to, desk.now + WHEEL));
    desk.change(id, at_position(id, to));
    ui.ctx()
        .request_repaint_after(Duration::from_secs_f64(WHEEL + 0.02));
}

fn keys(ui: &Ui, response: &Response, id: ControlId, shown: &str, desk: &mut Desk) {
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
        if steps != 0.0 {
            step(id, steps, desk);
        }
    }
    if pressed(Key::Delete) + pressed(Key::Backspace) > 0 {
        typing::reset(id, desk);
    }
    if pressed(Key::Enter) > 0 {
        desk.type_into(id, response.id, shown.to_owned());
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
        desk.type_on(id, response.id, text);
    }
}

fn assist(ui: &Ui, response: &Response, id: ControlId, desk: &mut Desk) {
    let asked = |action| ui.input(|input| input.num_accesskit_action_requests(response.id, action));
    let steps = asked(Action::Increment) as f64 - asked(Action::Decrement) as f64;
    if steps != 0.0 {
        step(id, steps, desk);
    }
    let set = ui.input(|input| {
        let requests = input.accesskit_action_requests(response.id, Action::SetValue);
        requests.filter_map(|request| request.data.clone()).last()
    });
    match set {
        Some(ActionData::NumericValue(value)) => desk.jump(id, value),
        Some(ActionData::Value(text)) => {
            if let Err(wrong) = typing::enter(id, &text, desk) {
                desk.link.messages.post(wrong);
            }
        }
        _ => {}
    }
}
