//! A knob: the name above, an arc that tells how far, the value below.

use super::drive::{Number, drive};
use super::typing::Readout;
use super::{Desk, LEARNS, in_kilohertz, is_two_sided, learns, moved, position};
use crate::editor::theme::{Theme, font, mix};
use crate::engine::ControlId;
use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, Color32, Rect, Sense, Stroke, Ui, pos2, vec2};
use std::f32::consts::TAU;

/// Height of a knob, and the least and greatest width, in points.
const HEIGHT: f32 = 80.0;
const WIDTHS: [f32; 2] = [56.0, 80.0];
/// The greatest width of one that has others beside it.
const SPREAD: f32 = 130.0;
/// Way of the pointer for the whole range, in points.
const TRAVEL: f32 = 180.0;
/// What is free between neighbours' values, if that can be, in points.
const APART: f32 = 8.0;
/// Where the arc begins and ends: an open circle with its gap below, in turns from the top.
const REACH: f32 = 0.375;

/// Draws knobs side by side in an accent, as many as fit. With each comes whether what it moves sounds.
pub(in crate::editor) fn knobs(
    ui: &mut Ui,
    ids: &[(ControlId, bool)],
    accent: Color32,
    desk: &mut Desk,
) {
    let room = ui.available_width();
    let most = ((room / WIDTHS[0]) as usize).clamp(1, ids.len().max(1));
    // Rows of equal length rather than a last one with a lone knob.
    let rows = ids.len().div_ceil(most).max(1);
    let row = ids.len().div_ceil(rows).max(1);
    let most = if row > 1 { SPREAD } else { WIDTHS[1] };
    let width = (room / row as f32).clamp(WIDTHS[0], most).floor();
    for ids in ids.chunks(row) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            for (id, lit) in ids {
                knob(ui, *id, accent, *lit, width, desk);
            }
        });
    }
}

fn knob(ui: &mut Ui, id: ControlId, accent: Color32, lit: bool, width: f32, desk: &mut Desk) {
    let (area, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::click_and_drag());
    let readout = Rect::from_min_max(pos2(area.left(), area.bottom() - 20.0), area.max);
    let full = desk.text(id, desk.value(id));
    let place = Readout {
        rect: readout,
        text: &full,
        font: font::value(),
        align: Align2::CENTER_CENTER,
    };
    let number = Number::own(id, TRAVEL, &full, place);
    let typing = drive(ui, &response, &number, desk);
    let learning = learns(ui, area.expand2(vec2(0.0, 3.0)), id, desk);
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let value = desk.value(id);
    let (name, mut text) = desk.short(id, value);
    let room = ui
        .painter()
        .layout_no_wrap(text.clone(), font::value(), theme.text);
    if room.size().x > width - APART {
        text = in_kilohertz(&text).unwrap_or(text);
    }
    let active = response.hovered() || desk.holds(id) || response.has_focus();
    // Never beyond its own column, neither name nor value.
    let within = |text: String, font, colour, centre: egui::Pos2, gap: f32| {
        let mut job = LayoutJob::simple_singleline(text, font, colour);
        job.wrap = TextWrapping::truncate_at_width(width + gap);
        let galley = painter.layout_job(job);
        painter.galley(centre - 0.5 * galley.size(), galley, colour);
    };
    let colour = if active { theme.text } else { theme.weak };
    within(
        name,
        font::SMALL,
        colour,
        pos2(area.center().x, area.top() + 7.0),
        // A letter may stand in the gap to the next one.
        2.0,
    );
    let (centre, radius) = (pos2(area.center().x, area.top() + 38.0), 17.0);
    let accent = match (desk.in_force(id), lit) {
        (Some(_), _) => moved(painter, area.right_top() + vec2(-5.0, 7.0), &theme),
        (None, true) => accent,
        (None, false) => theme.faint,
    };
    let at = position(id, value) as f32;
    let from = if is_two_sided(id) { 0.5 } else { 0.0 };
    arc(
        ui,
        centre,
        radius,
        (0.0, 1.0),
        Stroke::new(3.0, theme.raised),
    );
    let (low, high) = (at.min(from), at.max(from));
    arc(ui, centre, radius, (low, high), Stroke::new(3.0, accent));
    let face = if active {
        mix(theme.raised, theme.text, 0.10)
    } else {
        theme.raised
    };
    painter.circle_filled(centre, radius - 5.0, face);
    let (sin, cos) = angle(at).sin_cos();
    let hand = vec2(sin, -cos);
    painter.line_segment(
        [centre + hand * 5.0, centre + hand * (radius - 6.0)],
        Stroke::new(2.0, if lit { theme.text } else { theme.weak }),
    );
    if response.has_focus() {
        painter.circle_stroke(centre, radius + 4.0, Stroke::new(1.0, theme.weak));
    }
    if !typing {
        let (text, colour) = match (learning, lit) {
            (true, _) => (LEARNS.to_owned(), theme.beat),
            (false, true) => (text, theme.text),
            (false, false) => (text, theme.weak),
        };
        within(text, font::value(), colour, readout.center(), 0.0);
    }
}

fn angle(at: f32) -> f32 {
    (2.0 * at - 1.0) * REACH * TAU
}

/// A part of the open circle, from and to in shares of the way.
fn arc(ui: &Ui, centre: egui::Pos2, radius: f32, (from, to): (f32, f32), stroke: Stroke) {
    if to - from < 1e-3 {
        return;
    }
    let points = (2.0 + 40.0 * (to - from)) as usize;
    let line = (0..=points)
        .map(|point| {
            let (sin, cos) = angle(from + (to - from) * point as f32 / points as f32).sin_cos();
            centre + radius * vec2(sin, -cos)
        })
        .collect();
    ui.painter().line(line, stroke);
}
