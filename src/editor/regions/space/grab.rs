//! What can be dragged in the picture of space: one or two controls at a handle, as one gesture.

use crate::editor::widgets::Desk;
use crate::engine::ControlId;
use egui::{
    Id, Key, Modifiers, PointerButton, Pos2, Rect, Role, Sense, Ui, Vec2, WidgetInfo, vec2,
};

/// How much finer a drag with shift is.
const FINE: f32 = 0.1;
/// Points that an arrow key moves a handle by.
const STEP: f32 = 4.0;

/// What is held: its handle's place, which follows the pointer, only slower with shift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grip {
    place: Id,
    at: Pos2,
}

/// A handle.
pub(super) struct Handle<'a> {
    /// What assistive technology calls it.
    pub name: &'a str,
    /// Its values, written out.
    pub value: &'a str,
    /// What a drag does.
    pub help: &'a str,
    pub area: Rect,
    /// What it moves.
    pub ids: &'a [ControlId],
}

impl Handle<'_> {
    /// Drives the handle, which is at `own` by its controls. `change` sets them from a place of the handle and the one
    /// before. True while it is pointed at, held or has the keyboard.
    pub fn drive(
        &self,
        ui: &Ui,
        grip: &mut Option<Grip>,
        own: Pos2,
        desk: &mut Desk,
        change: impl Fn(&mut Desk, Pos2, Pos2),
    ) -> bool {
        let place = ui.scope_id().with(self.name);
        let response = ui.interact(self.area, place, Sense::click_and_drag());
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Slider, true, self.name);
            info.current_text_value = Some(self.value.to_owned());
            info
        });
        if response.double_clicked() {
            desk.release();
            self.whole(desk, |desk| {
                for id in self.ids {
                    desk.change(*id, id.control().default_value());
                }
            });
            return true;
        }
        let (fine, pressed, now) = ui.input(|input| {
            let pointer = &input.pointer;
            (
                input.modifiers.shift,
                pointer.press_origin(),
                pointer.interact_pos(),
            )
        });
        if response.drag_started_by(PointerButton::Primary) {
            desk.take_all(self.ids);
            *grip = Some(Grip { place, at: own });
        }
        let held = grip.filter(|grip| grip.place == place && self.is_held(desk));
        if let Some(before) = held.filter(|_| response.dragged_by(PointerButton::Primary)) {
            // What the pointer moved before it counted as a drag belongs to it.
            let way = match (response.drag_started(), pressed, now) {
                (true, Some(from), Some(to)) => to - from,
                _ => response.drag_delta(),
            };
            let way = if fine { FINE * way } else { way };
            if way != Vec2::ZERO {
                let at = before.at + way;
                *grip = Some(Grip { place, at });
                change(desk, at, before.at);
            }
        }
        if response.drag_stopped() && held.is_some() {
            desk.release();
            *grip = None;
        }
        if response.clicked() {
            response.request_focus();
        }
        if response.has_focus() {
            let way = arrows(ui, place);
            if way != Vec2::ZERO {
                self.whole(desk, |desk| change(desk, own + way, own));
            }
        }
        let dragged = response.dragged();
        let active = response.hovered() || dragged || response.has_focus();
        if !dragged {
            let _ = response.on_hover_ui(|ui| {
                ui.strong(self.name);
                ui.label(self.help);
                ui.weak("Shift is fine, a double click resets.");
            });
        }
        active
    }

    fn is_held(&self, desk: &Desk) -> bool {
        self.ids.iter().all(|id| desk.holds(*id))
    }

    /// A whole gesture of all its controls.
    fn whole(&self, desk: &mut Desk, work: impl FnOnce(&mut Desk)) {
        desk.take_all(self.ids);
        work(desk);
        desk.release();
    }
}

/// How far the arrow keys move the handle that has the keyboard.
fn arrows(ui: &Ui, place: Id) -> Vec2 {
    ui.memory_mut(|memory| {
        let filter = egui::EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..egui::EventFilter::default()
        };
        memory.set_focus_lock_filter(place, filter);
    });
    ui.input_mut(|input| {
        let mut count = |key| {
            input.count_and_consume_key(Modifiers::NONE, key) as f32
                + FINE * input.count_and_consume_key(Modifiers::SHIFT, key) as f32
        };
        let across = count(Key::ArrowRight) - count(Key::ArrowLeft);
        let down = count(Key::ArrowDown) - count(Key::ArrowUp);
        STEP * vec2(across, down)
    })
}
