//! The chosen point in numbers: its time, its value, and how the control comes there.

use super::lanes::{accent, is_named};
use super::time::{exact, parse};
use super::{Laid, Point, Stage};
use crate::editor::theme::{Theme, font};
use crate::editor::widgets::{Desk, Look, button};
use crate::engine::timeline::{Curve, Row, can_travel};
use egui::{
    Color32, Key, Pos2, Rect, RichText, Role, Sense, Stroke, TextEdit, Ui, WidgetInfo, pos2, vec2,
};

/// The curves with their names.
pub(super) const CURVES: [(Curve, &str); 4] = [
    (Curve::Step, "step"),
    (Curve::Linear, "linear"),
    (Curve::Exponential, "exponential"),
    (Curve::Smooth, "smooth"),
];

/// What is being typed, and of which point as it was.
#[derive(Default)]
pub(super) struct Typed {
    of: Option<(Point, Row)>,
    time: String,
    value: String,
}

impl Stage {
    /// Draws the row for the chosen point; without one, what can be done.
    pub(super) fn form(&mut self, ui: &mut Ui, laid: &Laid, desk: &Desk, theme: &Theme) {
        let chosen = self.chosen.and_then(|point| {
            let (_, row) = laid.points(point.0).get(point.1)?;
            Some((point, *row))
        });
        let Some((point, row)) = chosen else {
            self.typed.of = None;
            let help = "Double click adds a point \u{b7} shift drags finely \u{b7} the wheel zooms";
            self.line(ui, help, theme);
            return;
        };
        let control = point.0;
        if self.typed.of != Some((point, row)) {
            self.typed = Typed {
                of: Some((point, row)),
                time: exact(row.seconds),
                value: desk.whole(control, row.value),
            };
        }
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let (dot, _) = ui.allocate_exact_size(vec2(8.0, 26.0), Sense::hover());
            ui.painter()
                .circle_filled(dot.center(), 4.0, accent(control, theme));
            let to = self.fields(ui, row, desk);
            let icons = curves(ui, row, accent(control, theme), theme);
            if let Some(to) = icons.map(|curve| Row { curve, ..row }).or(to) {
                self.set(to, laid, desk);
            }
            let delete = button(ui, "Delete", "Delete point", "", true, Look::Quiet);
            if delete.clicked()
                && let Some(&(index, _)) = laid.points(control).get(point.1)
            {
                self.delete(index, laid, desk);
            }
            if self.wrong.is_some() {
                self.line(ui, "", theme);
            }
        });
    }

    /// Why the last edit was refused, or else a remark.
    fn line(&self, ui: &mut Ui, otherwise: &str, theme: &Theme) {
        let (text, colour) = match &self.wrong {
            Some(wrong) => (wrong.as_str(), theme.warning),
            None => (otherwise, theme.weak),
        };
        let label = egui::Label::new(RichText::new(text).font(font::SMALL).color(colour));
        ui.add(label.truncate()).on_hover_text(text);
    }

    /// Time and value; returns where the point is to go.
    fn fields(&mut self, ui: &mut Ui, row: Row, desk: &Desk) -> Option<Row> {
        let mut to = None;
        let wide = if is_named(row.control) { 84.0 } else { 74.0 };
        for (name, width) in [("Point time", 62.0), ("Point value", wide)] {
            let is_time = name == "Point time";
            let text = if is_time {
                &mut self.typed.time
            } else {
                &mut self.typed.value
            };
            let field = TextEdit::singleline(text)
                .id(ui.scope_id().with(name))
                .font(font::value())
                .margin(egui::Margin::symmetric(6, 5))
                .desired_width(width);
            let response = ui.add(field);
            response.widget_info(|| {
                let mut info = WidgetInfo::labeled(Role::TextInput, true, name);
                info.current_text_value = Some(text.clone());
                info
            });
            if !response.lost_focus() || ui.input(|input| input.key_pressed(Key::Escape)) {
                if response.lost_focus() {
                    self.typed.of = None;
                }
                continue;
            }
            // What was not touched stays as exact as it is, which the text need not be.
            let shown = match is_time {
                true => exact(row.seconds),
                false => desk.whole(row.control, row.value),
            };
            if *text == shown {
                self.wrong = None;
                self.typed.of = None;
                continue;
            }
            let read = if is_time {
                parse(text).map(|seconds| Row { seconds, ..row })
            } else {
                let value = desk.read(row.control, text);
                value.map(|value| Row { value, ..row })
            };
            match read {
                Ok(read) if read != row => to = Some(read),
                Ok(_) => self.wrong = None,
                Err(wrong) => self.wrong = Some(wrong),
            }
            // What is written then is what counts.
            self.typed.of = None;
        }
        to
    }
}

/// The way to a point, as pictures; returns the one that was clicked.
fn curves(ui: &mut Ui, row: Row, accent: Color32, theme: &Theme) -> Option<Curve> {
    let width = 32.0;
    let (area, _) = ui.allocate_exact_size(vec2(4.0 * width, 26.0), Sense::hover());
    ui.painter().rect_filled(area, 6.0, theme.raised);
    let mut clicked = None;
    for (index, (curve, name)) in CURVES.into_iter().enumerate() {
        let corner = pos2(area.left() + index as f32 * width, area.top());
        let rect = Rect::from_min_size(corner, vec2(width, 26.0));
        let enabled = curve == Curve::Step || can_travel(row.control);
        let sense = if enabled {
            Sense::click()
        } else {
            Sense::hover()
        };
        let response = ui.interact(rect, ui.scope_id().with(("curve", name)), sense);
        let chosen = row.curve == curve;
        response.widget_info(|| {
            WidgetInfo::selected(Role::RadioButton, enabled, chosen, format!("Curve: {name}"))
        });
        if chosen {
            let fill = theme.pressed();
            ui.painter().rect_filled(rect.shrink(2.0), 5.0, fill);
        }
        let active = response.hovered() || response.has_focus();
        let colour = match (enabled, chosen, active) {
            (false, ..) => theme.faint,
            (true, true, _) => theme.lit(accent),
            (true, false, true) => theme.text,
            (true, false, false) => theme.weak,
        };
        let inner = Rect::from_center_size(rect.center(), vec2(18.0, 11.0));
        let line: Vec<Pos2> = (0..=18)
            .map(|n| n as f32 / 18.0)
            .map(|x| inner.lerp_inside(vec2(x, 1.0 - rise(curve, x))))
            .collect();
        ui.painter().line(line, Stroke::new(1.5, colour));
        if response.on_hover_text(name).clicked() && !chosen {
            clicked = Some(curve);
        }
    }
    clicked
}

/// How far a curve has come after this share of its time.
fn rise(curve: Curve, x: f32) -> f32 {
    match curve {
        Curve::Step => f32::from(u8::from(x > 0.7)),
        Curve::Linear => x,
        Curve::Exponential => (32f32.powf(x) - 1.0) / 31.0,
        Curve::Smooth => 0.5 - 0.5 * (std::f32::consts::PI * x).cos(),
    }
}
