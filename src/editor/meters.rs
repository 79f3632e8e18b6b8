//! Level meters and the beat lamp: what is heard, as it is heard.

use super::link::{AUDIBLE, Link};
use egui::{Color32, Rect, Sense, Stroke, Ui, Vec2, pos2, vec2};

/// Fall of a meter in decibels a second (the ballistics of a peak programme meter, IEC 60268-10).
const FALL: f32 = 20.0 / 1.7;
/// Lowest level that a meter shows, in dBFS.
const BOTTOM: f32 = -60.0;
/// What is less would be told as 0.0 dB, in dB.
const LEAST_TOLD: f32 = 0.05;

/// What is shown: levels and, while they do something, leveller and ceiling.
pub(super) struct Meters {
    /// In dBFS: input left, right, output left, right.
    levels: [f32; 4],
    /// Gain of the leveller in dB.
    leveller: Option<f32>,
    /// By how many dB a true peak has just exceeded the ceiling.
    overshoot: Option<f32>,
}

impl Default for Meters {
    fn default() -> Self {
        Meters {
            levels: [BOTTOM; 4],
            leveller: None,
            overshoot: None,
        }
    }
}

fn decibels(linear: f32) -> f32 {
    if linear > AUDIBLE {
        20.0 * linear.log10()
    } else {
        f32::NEG_INFINITY
    }
}

impl Meters {
    /// Reads the peaks since the last frame, `seconds` ago. True while something moves.
    pub(super) fn poll(&mut self, link: &Link, seconds: f32) -> bool {
        let mut moving = false;
        for (level, peak) in self.levels.iter_mut().zip(link.take_peaks()) {
            *level = decibels(peak)
                .max(*level - FALL * seconds)
                .clamp(BOTTOM, 6.0);
            moving |= peak > AUDIBLE || *level > BOTTOM;
        }
        // In silence the readouts go with the levels: an engine that is not called any more leaves the last
        // ones standing.
        let telemetry = link.telemetry().filter(|_| moving);
        self.leveller = telemetry
            .as_ref()
            .map(|t| decibels(t.leveller_gain()))
            .filter(|gain| gain.is_finite() && gain.abs() >= LEAST_TOLD);
        self.overshoot = telemetry
            .map(|t| t.ceiling_overshoot())
            .filter(|over| *over >= LEAST_TOLD);
        moving
    }

    /// Draws the four meters in the width that is left, and below them what leveller and ceiling do.
    pub(super) fn show(&self, ui: &mut Ui) {
        for (name, pair) in [("In", &self.levels[..2]), ("Out", &self.levels[2..])] {
            ui.horizontal(|ui| {
                ui.add_sized(vec2(28.0, 18.0), egui::Label::new(name));
                let loudest = pair[0].max(pair[1]);
                let (area, response) = ui.allocate_exact_size(
                    vec2((ui.available_width() - 66.0).max(24.0), 18.0),
                    Sense::hover(),
                );
                for (ear, level) in pair.iter().enumerate() {
                    let top = area.top() + ear as f32 * 10.0;
                    bar(
                        ui,
                        Rect::from_min_size(pos2(area.left(), top), vec2(area.width(), 8.0)),
                        *level,
                    );
                }
                response.on_hover_text("Peak level of the left (upper) and the right ear, in dBFS");
                let text = if loudest > BOTTOM {
                    format!("{loudest:.1} dB")
                } else {
                    "silent".to_owned()
                };
                ui.add_sized(vec2(58.0, 18.0), egui::Label::new(text));
            });
        }
        ui.horizontal(|ui| {
            if let Some(gain) = self.leveller {
                ui.small(format!("leveller {gain:+.1} dB"))
                    .on_hover_text("Gain that the leveller applies now");
            }
            if let Some(over) = self.overshoot {
                ui.small(format!("ceiling {over:+.1} dB over"))
                    .on_hover_text(
                        "By how much a true peak between the samples has just exceeded the ceiling",
                    );
            }
        });
    }
}

fn bar(ui: &Ui, area: Rect, level: f32) {
    let visuals = ui.visuals();
    ui.painter()
        .rect_filled(area, 2.0, visuals.extreme_bg_color);
    let full = ((level - BOTTOM) / -BOTTOM).clamp(0.0, 1.0);
    let colour = match level {
        l if l > 0.0 => Color32::from_rgb(220, 70, 60),
        l if l > -6.0 => Color32::from_rgb(220, 180, 60),
        _ => Color32::from_rgb(90, 180, 130),
    };
    let filled = Rect::from_min_size(area.min, vec2(area.width() * full, area.height()));
    ui.painter().rect_filled(filled, 2.0, colour);
}

/// Draws a beat as a hand on a dial: one turn a cycle, up is phase 0. `strength` 0 to 1 is the fade.
pub(super) fn beat_lamp(ui: &mut Ui, phase: f64, strength: f64) {
    let (area, response) = ui.allocate_exact_size(Vec2::splat(44.0), Sense::hover());
    let centre = area.center();
    let radius = area.width() / 2.0 - 3.0;
    let painter = ui.painter();
    painter.circle_stroke(
        centre,
        radius,
        Stroke::new(1.5, ui.visuals().weak_text_color()),
    );
    if strength > 0.0 {
        let angle = phase as f32 * std::f32::consts::TAU;
        let tip = centre + radius * vec2(angle.sin(), -angle.cos());
        let colour = ui
            .visuals()
            .hyperlink_color
            .gamma_multiply(0.3 + 0.7 * strength as f32);
        painter.line_segment([centre, tip], Stroke::new(2.0, colour));
        painter.circle_filled(tip, 4.0, colour);
    }
    response.on_hover_text("Phase of the beat: one turn a cycle");
}
