//! How the head is turned, and by what.

mod sources;

pub(super) use sources::said;

use super::space::head::{self, View};
use crate::dsp::quaternion::Quat;
use crate::editor::live::Live;
use crate::editor::panel::scrolled;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button, knobs};
use crate::engine::ControlId;
use crate::engine::controls::{HEAD_PITCH, HEAD_ROLL, HEAD_TRACK, HEAD_YAW, SPACE_KIND, SPACE_OFF};
use egui::{
    Align, Align2, Layout, PointerButton, Pos2, Rect, Role, Sense, Stroke, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

/// What turns the head.
const TURNS: [ControlId; 3] = [HEAD_YAW, HEAD_PITCH, HEAD_ROLL];
/// The column of what turns it: its share of the page, and its least and greatest width in points.
const SHARE: f32 = 0.46;
const SOURCES: [f32; 2] = [236.0, 320.0];
/// What controllers move is in that column, too, but on pages as high as this, where it would have no room: there it is
/// below the head.
const APART: std::ops::Range<f32> = 400.0..640.0;
/// Height of what controllers move below the head, in points.
const BELOW: f32 = 150.0;
/// Below this width of the page there is no room for a column beside the head.
const BESIDE: f32 = 420.0;
/// Degrees that a point of a drag turns the head by.
const SPEED: f32 = 0.4;

/// Draws the page.
pub(in crate::editor) fn ui(ui: &mut Ui, live: &Live, desk: &mut Desk) {
    let area = ui.available_rect_before_wrap();
    ui.allocate_rect(area, Sense::hover());
    if area.width() < BESIDE {
        portrait(ui, area, live, desk);
        return;
    }
    let width = (SHARE * area.width()).clamp(SOURCES[0], SOURCES[1]);
    let edge = area.right() - width - 2.0 * GAP;
    let apart = APART.contains(&area.height());
    let below = if apart {
        area.bottom() - BELOW
    } else {
        area.bottom()
    };
    let figure = Rect::from_min_max(area.min, pos2(edge, below));
    portrait(ui, figure, live, desk);
    let column = Rect::from_min_max(pos2(edge + 2.0 * GAP, area.top()), area.max);
    let builder = UiBuilder::new().id_salt("sources").max_rect(column);
    ui.scope_builder(builder, |ui| {
        scrolled(ui, |ui| {
            sources::trackers(ui, desk);
            if !apart {
                sources::controllers(ui, desk);
            }
        });
    });
    if apart {
        let rest = Rect::from_min_max(pos2(area.left(), below + GAP), pos2(edge, area.bottom()));
        let builder = UiBuilder::new().id_salt("controllers").max_rect(rest);
        ui.scope_builder(builder, |ui| {
            scrolled(ui, |ui| sources::controllers(ui, desk))
        });
    }
}

/// The head as it is turned, and its three controls.
fn portrait(ui: &mut Ui, area: Rect, live: &Live, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let controls = Rect::from_min_max(pos2(area.left(), area.bottom() - 82.0), area.max);
    let picture = Rect::from_min_max(area.min, pos2(area.right(), controls.top() - GAP));
    turn(ui, picture, desk);
    let painter = ui.painter_at(picture);
    let back = mix(theme.surface, theme.ground, 0.6);
    painter.rect_filled(picture, 10.0, back);
    let half = (0.36 * picture.height())
        .min(0.32 * picture.width())
        .min(190.0);
    let centre = picture.center() - vec2(0.0, 0.10 * half);
    let on = desk.index(SPACE_KIND) != SPACE_OFF;
    let turns = turns(live, desk);
    // The horizon: where the middle of what is heard would be with the head at rest.
    let line = mix(theme.surface, theme.space, 0.30);
    let [front, left] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]].map(|way| View::Portrait.shows(way));
    let ring = (0..=72).map(|step| {
        let (sin, cos) = (std::f32::consts::TAU * step as f32 / 72.0).sin_cos();
        centre + 1.22 * half * (cos * front + sin * left)
    });
    let ring: Vec<Pos2> = ring.collect();
    // What is behind the head first: half of it is farther than the other.
    let stroke = Stroke::new(1.2, line);
    painter.line(
        ring[14..=52].to_vec(),
        Stroke::new(1.0, line.gamma_multiply(0.6)),
    );
    head::shoulders(&painter, &theme, centre, half, back);
    head::draw(&painter, &theme, (centre, half), turns, View::Portrait, on);
    painter.line(ring[52..].to_vec(), stroke);
    painter.line(ring[..=14].to_vec(), stroke);
    painter.circle_filled(ring[0], 2.5, line);
    for (step, name, colour) in [(18, "left", theme.left), (54, "right", theme.right)] {
        let at = ring[step];
        painter.circle_filled(at, 2.5, line);
        let way = (at - centre).x.signum();
        let anchor = if way < 0.0 {
            Align2::RIGHT_CENTER
        } else {
            Align2::LEFT_CENTER
        };
        // Where the picture ends, the name stands inside of it.
        let most = picture.shrink(4.0).x_range();
        let beside = at + vec2(9.0 * way, 0.0);
        let fits = most.contains(beside.x + 28.0 * way);
        let (beside, anchor) = match fits {
            true => (beside, anchor),
            false => (at - vec2(0.0, 10.0), Align2::CENTER_CENTER),
        };
        painter.text(beside, anchor, name, font::TINY, colour);
    }
    // Where the nose points, while it does not point away.
    let front = head::axes(turns)[0];
    let (from, to) = [1.06, 1.38]
        .map(|far| centre + far * half * View::Portrait.shows(front))
        .into();
    if View::Portrait.faces(front) {
        painter.line_segment(
            [from, to],
            Stroke::new(1.5, theme.space.gamma_multiply(0.7)),
        );
        painter.circle_filled(to, 3.5, theme.space);
    }
    let width = controls.width().min(240.0);
    let left = controls.left() + 0.5 * (controls.width() - width);
    let row = Rect::from_min_size(pos2(left, controls.top()), vec2(width, controls.height()));
    let builder = UiBuilder::new().id_salt("turns").max_rect(row);
    ui.scope_builder(builder, |ui| {
        knobs(ui, &TURNS.map(|id| (id, on)), theme.space, desk);
    });
    let builder = UiBuilder::new()
        .id_salt("recenter")
        .max_rect(picture.shrink(GAP))
        .layout(Layout::right_to_left(Align::Max));
    ui.scope_builder(builder, |ui| {
        let turned = TURNS.iter().any(|id| desk.value(*id) != 0.0);
        let help = "Turns the head straight ahead: yaw, pitch and roll to 0";
        if button(
            ui,
            "Recenter",
            "Recenter the head",
            help,
            turned,
            Look::Raised,
        )
        .clicked()
        {
            recenter(desk);
        }
    });
}

/// The head is turned by a drag across its picture: yaw and pitch at once, finer with shift.
fn turn(ui: &Ui, area: Rect, desk: &mut Desk) {
    let response = ui.interact(area, ui.scope_id().with("head"), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Slider, true, "Head"));
    let ids = [HEAD_YAW, HEAD_PITCH];
    if response.double_clicked() {
        recenter(desk);
        return;
    }
    if response.drag_started_by(PointerButton::Primary) {
        desk.take_all(&ids);
    }
    let held = ids.iter().all(|id| desk.holds(*id));
    if held && response.dragged_by(PointerButton::Primary) {
        let fine = ui.input(|input| input.modifiers.shift);
        // It faces the viewer: its left is on the right.
        let way = response.drag_delta() * if fine { 0.1 * SPEED } else { SPEED };
        for (id, way) in ids.into_iter().zip([way.x, -way.y]) {
            let (min, max) = id.control().range();
            if way != 0.0 {
                desk.change(id, (desk.value(id) + f64::from(way)).clamp(min, max));
            }
        }
    }
    if held && response.drag_stopped() {
        desk.release();
    }
    if !response.dragged() {
        let _ = response.on_hover_text(
            "Drag to turn the head: yaw and pitch. Shift is fine, a double click recenters.",
        );
    }
}

/// The head looks straight ahead: one gesture of all three.
fn recenter(desk: &mut Desk) {
    desk.take_all(&TURNS);
    for id in TURNS {
        desk.change(id, 0.0);
    }
    desk.release();
}

/// Yaw, pitch and roll: as they are heard while space sounds, else as controls and tracker stand.
fn turns(live: &Live, desk: &Desk) -> [f32; 3] {
    let display = live.telemetry().map(|telemetry| telemetry.display());
    let heard = display.filter(|display| {
        live.sounding().is_some() && display.places().iter().any(|place| place.sounds)
    });
    match heard {
        Some(display) => display.head(),
        None => {
            let controls = TURNS.map(|id| desk.value(id));
            let tracked = desk.link.control.head().filter(|_| desk.is_on(HEAD_TRACK));
            // As the engine would turn it: the controls first.
            let turns = tracked.map_or(controls, |tracked| {
                let [yaw, pitch, roll] = controls;
                (Quat::from_turns(yaw, pitch, roll) * tracked).turns()
            });
            turns.map(|turn| turn as f32)
        }
    }
}
