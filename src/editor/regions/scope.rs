//! The large display: spectra of both ears, the envelope of the beat and the phase between the ears over time, the
//! goniometer, loudness.

use super::beat::label;
use super::ears;
use super::graph;
use super::presets::Presets;
use super::welcome;
use crate::analysis::monitor::{BANDS, Moment, Monitor, band_of};
use crate::editor::live::Live;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button};
use crate::engine::controls::{LAYER, NOISE_KIND, PROG_KIND, SPACE_KIND};
use egui::{
    Align2, Color32, Mesh, Painter, Pos2, Rect, RichText, Sense, Shape, Stroke, Ui, UiBuilder,
    pos2, vec2,
};

/// The levels of the spectrum, in dBFS.
const LEVELS: [f32; 2] = [-100.0, 0.0];
/// Room for the numbers of axes on the left, in points: all plots begin below each other.
const AXIS: f32 = 32.0;
/// Seconds of the track.
const SECONDS: f32 = 2.0;
const HOP: f32 = 0.005;

/// Draws the page.
pub(in crate::editor) fn ui(ui: &mut Ui, live: &mut Live, presets: &mut Presets, desk: &mut Desk) {
    live.look_at_spectra(desk.now, desk.link.sounds());
    let area = ui.available_rect_before_wrap();
    let lower = (0.36 * area.height()).clamp(90.0, 190.0);
    let split = area.bottom() - lower;
    let upper = Rect::from_min_max(area.min, pos2(area.right(), split - GAP));
    let square = lower.min(0.34 * area.width());
    let track = Rect::from_min_max(
        pos2(area.left(), split),
        pos2(area.right() - square - 2.0 * GAP, area.bottom()),
    );
    let field = Rect::from_min_max(pos2(track.right() + 2.0 * GAP, split), area.max);
    ui.allocate_rect(area, Sense::hover());
    let fresh = is_fresh(desk);
    spectrum(ui, upper, live, desk, !fresh);
    over_time(ui, track, live);
    goniometer(ui, field, live);
    listened(ui, upper, live, desk);
    if fresh {
        let wide = upper.width().min(620.0);
        let rect = Rect::from_center_size(upper.center(), vec2(wide, upper.height().min(150.0)));
        let builder = UiBuilder::new().id_salt("starters").max_rect(rect);
        ui.scope_builder(builder, |ui| welcome::starters(ui, presets, desk));
    }
}

/// Says so where another node than the output is shown, with the way back.
fn listened(ui: &mut Ui, area: Rect, live: &Live, desk: &Desk) {
    let Some(node) = graph::listened(live, desk.link) else {
        return;
    };
    let theme = Theme::of(ui);
    let corner = pos2(area.left() + AXIS + 6.0, area.top() + 6.0);
    let rect = Rect::from_min_size(corner, vec2(area.width() - AXIS - 6.0, 28.0));
    let builder = UiBuilder::new().id_salt("listened").max_rect(rect);
    ui.scope_builder(builder, |ui| {
        ui.horizontal(|ui| {
            ui.label(
                RichText::new(format!("showing {node}"))
                    .font(font::value())
                    .color(theme.beat),
            );
            let help = "Shows what leaves the plugin again";
            if button(ui, "Output", "Show the output", help, true, Look::Raised).clicked() {
                graph::leave(live);
            }
        });
    });
}

/// Nothing is on, and no preset has been chosen: a new instance.
fn is_fresh(desk: &Desk) -> bool {
    let kinds = LAYER.iter().map(|ids| ids.kind);
    kinds
        .chain([PROG_KIND, NOISE_KIND, SPACE_KIND])
        .all(|kind| desk.index(kind) == 0)
        && desk.link.session().name.is_empty()
}

/// How much of the spectrum is seen behind the starters.
const BEHIND: f32 = 0.2;

fn spectrum(ui: &Ui, area: Rect, live: &Live, desk: &Desk, numbered: bool) {
    let theme = Theme::of(ui);
    let plot = Rect::from_min_max(
        pos2(area.left() + AXIS, area.top() + 6.0),
        pos2(area.right() - 2.0, area.bottom() - 16.0),
    );
    let mut painter = ui.painter_at(area);
    if !numbered {
        // The starters are read, and what is heard is alive behind them.
        painter.multiply_opacity(BEHIND);
    }
    let x = |band: f32| plot.left() + plot.width() * band / (BANDS - 1) as f32;
    let y = |db: f32| {
        let share = ((db - LEVELS[0]) / (LEVELS[1] - LEVELS[0])).clamp(0.0, 1.0);
        plot.bottom() - share * plot.height()
    };
    let grid = Stroke::new(1.0, mix(theme.surface, theme.line, 0.7));
    let spectra = live.spectra.iter().flatten();
    if !numbered && spectra.fold(LEVELS[0], |most, db| most.max(*db)) < LEVELS[0] + 1.0 {
        // Nothing is behind the starters where nothing is heard.
        return;
    }
    for (hertz, name) in [
        (20.0, "20"),
        (50.0, "50"),
        (100.0, "100"),
        (200.0, "200"),
        (500.0, "500"),
        (1000.0, "1k"),
        (2000.0, "2k"),
        (5000.0, "5k"),
        (10_000.0, "10k"),
        (20_000.0, "20k"),
    ] {
        let at = x(band_of(hertz) as f32);
        painter.vline(at, plot.y_range(), grid);
        let anchor = match name {
            "20" => Align2::LEFT_TOP,
            "20k" => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        if numbered {
            let place = pos2(at, plot.bottom() + 4.0);
            painter.text(place, anchor, name, font::TINY, theme.weak);
        }
    }
    for db in [-80, -60, -40, -20, 0] {
        let at = y(db as f32);
        painter.hline(plot.x_range(), at, grid);
        if numbered {
            let place = pos2(plot.left() - 6.0, at);
            painter.text(
                place,
                Align2::RIGHT_CENTER,
                db.to_string(),
                font::TINY,
                theme.weak,
            );
        }
    }
    for (ear, colour) in [(1, theme.right), (0, theme.left)] {
        let points: Vec<Pos2> = (0..BANDS)
            .map(|band| pos2(x(band as f32), y(live.spectra[ear][band])))
            .collect();
        fill(&painter, &points, plot, colour);
        painter.line(points, Stroke::new(1.6, colour));
        let peaks: Vec<Pos2> = (0..BANDS)
            .map(|band| pos2(x(band as f32), y(live.peaks[ear][band])))
            .collect();
        painter.line(peaks, Stroke::new(1.0, colour.gamma_multiply(0.4)));
    }
    // The tones by their numbers.
    if let Some(tones) = ears::tones(live, desk) {
        let at = x(band_of(tones.middle().max(20.0)) as f32);
        // Below what says that a node is shown.
        let other = graph::listened(live, desk.link).is_some();
        let top = plot.top() + if other { 32.0 } else { 2.0 };
        let right = at + 150.0 < plot.right();
        let (anchor, shift) = match right {
            true => (Align2::LEFT_TOP, 8.0),
            false => (Align2::RIGHT_TOP, -8.0),
        };
        painter.vline(
            at,
            plot.y_range(),
            Stroke::new(1.0, theme.beat.gamma_multiply(0.5)),
        );
        for (line, (text, colour)) in tones.told(&theme).into_iter().enumerate() {
            let place = pos2(at + shift, top + 15.0 * line as f32);
            let galley = painter.layout_no_wrap(text + " Hz", font::value(), colour);
            let rect = anchor.anchor_size(place, galley.size());
            // Curves do not run through it.
            let ground = theme.surface.gamma_multiply(0.85);
            painter.rect_filled(rect.expand2(vec2(4.0, 0.0)), 3.0, ground);
            painter.galley(rect.min, galley, colour);
        }
    }
}

/// The room below a line, fading downwards.
pub(super) fn fill(painter: &Painter, line: &[Pos2], plot: Rect, colour: Color32) {
    let mut mesh = Mesh::default();
    let bottom = plot.bottom();
    for (index, point) in line.iter().enumerate() {
        // The same shade at the same height, or dips would be streaks.
        let height = (bottom - point.y) / plot.height();
        mesh.colored_vertex(*point, colour.gamma_multiply(0.02 + 0.38 * height));
        mesh.colored_vertex(pos2(point.x, bottom), colour.gamma_multiply(0.02));
        if index > 0 {
            let at = 2 * index as u32;
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// The envelope of each ear and of their mix around the carrier, and below it the phase from ear to ear.
fn over_time(ui: &mut Ui, area: Rect, live: &mut Live) {
    let theme = Theme::of(ui);
    let builder = UiBuilder::new().id_salt("titles").max_rect(area);
    ui.scope_builder(builder, |ui| {
        label(ui, "ENVELOPE IN DBFS AND PHASE, LAST 2 S", theme.weak)
    });
    let painter = ui.painter_at(area);
    let plot = Rect::from_min_max(pos2(area.left() + AXIS, area.top() + 18.0), area.max);
    let half = 0.5 * (plot.height() - GAP);
    let upper = Rect::from_min_size(plot.min, vec2(plot.width(), half));
    let lower = Rect::from_min_max(pos2(plot.left(), plot.bottom() - half), plot.max);
    for rect in [upper, lower] {
        painter.rect_filled(rect, 4.0, mix(theme.surface, theme.ground, 0.6));
    }
    for (turn, name) in [(0.5, "180\u{b0}"), (0.0, "0"), (-0.5, "-180\u{b0}")] {
        let y = lower.center().y - turn * (lower.height() - 10.0);
        let place = pos2(lower.left() - 4.0, y);
        painter.text(place, Align2::RIGHT_CENTER, name, font::TINY, theme.weak);
    }
    let count = (SECONDS / HOP) as usize;
    let skipped = |monitor: &Monitor| monitor.track().len().saturating_sub(count);
    let loudest = live.monitor.as_ref().map_or(0.0, |monitor| {
        let newest = monitor.track().iter().skip(skipped(monitor));
        newest.flat_map(|moment| moment.ears).fold(0.0, f32::max)
    });
    let heard = loudest > 1.1e-4;
    // The axis is linear, as the envelope is heard to open and to close; its marks are half as high each.
    let y = |share: f32| upper.bottom() - 4.0 - share.min(1.0) * (upper.height() - 8.0);
    let top = if heard { live.scale(loudest) } else { 0.0 };
    for (share, name) in [
        (1.0, format!("{top:.0}")),
        (0.5, format!("{:.0}", top - 6.0)),
        (0.0, "-\u{221e}".to_owned()),
    ] {
        let place = pos2(upper.left() - 4.0, y(share));
        painter.text(place, Align2::RIGHT_CENTER, name, font::TINY, theme.weak);
    }
    let Some(monitor) = &live.monitor else { return };
    let moments: Vec<&Moment> = monitor.track().iter().skip(skipped(monitor)).collect();
    let x = |index: usize| {
        let back = (moments.len() - 1 - index) as f32 / count as f32;
        upper.right() - back * upper.width()
    };
    if heard {
        let whole = 10f32.powf(top / 20.0);
        let y = |level: f32| y(level / whole);
        let curve = |level: &dyn Fn(&Moment) -> f32| -> Vec<Pos2> {
            let points = moments.iter().enumerate();
            points
                .map(|(n, moment)| pos2(x(n), y(level(moment))))
                .collect()
        };
        painter.line(
            curve(&|m| m.mixed),
            Stroke::new(1.0, theme.beat.gamma_multiply(0.7)),
        );
        painter.line(curve(&|m| m.ears[1]), Stroke::new(1.6, theme.right));
        painter.line(curve(&|m| m.ears[0]), Stroke::new(1.6, theme.left));
    }
    let mut run: Vec<Pos2> = Vec::new();
    let mut before = 0.0;
    let stroke = Stroke::new(1.6, theme.beat);
    for (index, moment) in moments.iter().enumerate() {
        match moment.phase {
            Some(phase) if run.is_empty() || (phase - before).abs() < 0.5 => {
                let y = lower.center().y - phase * (lower.height() - 10.0);
                run.push(pos2(x(index), y));
                before = phase;
            }
            other => {
                painter.line(std::mem::take(&mut run), stroke);
                if let Some(phase) = other {
                    let y = lower.center().y - phase * (lower.height() - 10.0);
                    run.push(pos2(x(index), y));
                    before = phase;
                }
            }
        }
    }
    painter.line(run, stroke);
}

/// Left against right, turned so that mono stands upright; loudness and likeness below.
fn goniometer(ui: &mut Ui, area: Rect, live: &Live) {
    let theme = Theme::of(ui);
    let builder = UiBuilder::new().id_salt("field").max_rect(area);
    ui.scope_builder(builder, |ui| label(ui, "EARS", theme.weak));
    let painter = ui.painter_at(area);
    let inner = Rect::from_min_max(pos2(area.left(), area.top() + 18.0), area.max);
    // Where there is no room for more than the loudness, the picture is larger by a line.
    let more = inner.width() >= 170.0;
    let below = if more { 38.0 } else { 23.0 };
    let side = (inner.height() - below).min(inner.width()).max(10.0);
    let rect = Rect::from_min_size(
        pos2(inner.center().x - 0.5 * side, inner.top()),
        vec2(side, side),
    );
    let (centre, reach) = (rect.center(), 0.5 * side);
    let grid = Stroke::new(1.0, theme.line);
    let corner = |x: f32, y: f32| centre + reach * vec2(x, y);
    painter.add(Shape::closed_line(
        vec![
            corner(0.0, -1.0),
            corner(1.0, 0.0),
            corner(0.0, 1.0),
            corner(-1.0, 0.0),
        ],
        grid,
    ));
    for (x, name, colour) in [(-1.0f32, "L", theme.left), (1.0, "R", theme.right)] {
        // Beside the corner on top, however small it is.
        let away = (0.78 * reach).max(0.3 * reach + 14.0);
        let place = centre + vec2(x * away, -0.78 * reach);
        painter.text(place, Align2::CENTER_CENTER, name, font::value(), colour);
    }
    let Some(monitor) = &live.monitor else { return };
    let frames: Vec<[f32; 2]> = monitor.frames(1500).collect();
    let loudest = frames
        .iter()
        .map(|[left, right]| left.abs().max(right.abs()))
        .fold(0.0f32, f32::max);
    if loudest > 1e-4 {
        let dot = theme.text.gamma_multiply(0.35);
        let mut mesh = Mesh::default();
        for [left, right] in frames.iter().step_by(2) {
            let (left, right) = (left / loudest, right / loudest);
            let at = centre + 0.5 * reach * vec2(right - left, -(left + right));
            mesh.add_colored_rect(Rect::from_center_size(at, vec2(1.6, 1.6)), dot);
        }
        painter.add(Shape::mesh(mesh));
    }
    let [momentary, short] = monitor.loudness();
    let told = |value: Option<f64>, decimals: usize| match value {
        Some(value) => format!("{value:.decimals$}"),
        None => "\u{2013}".to_owned(),
    };
    let line = |y: f32, text: String, font: egui::FontId, colour: Color32| {
        let place = pos2(inner.center().x, inner.bottom() - y);
        painter.text(place, Align2::CENTER_CENTER, text, font, colour);
    };
    let loud = format!("{} LUFS", told(momentary, 1));
    line(below - 16.0, loud, font::value(), theme.text);
    if !more {
        return;
    }
    let alike = told(monitor.correlation().map(f64::from), 2);
    let more = format!("short-term {} \u{b7} correlation {alike}", told(short, 1));
    line(7.0, more, font::TINY, theme.weak);
}
