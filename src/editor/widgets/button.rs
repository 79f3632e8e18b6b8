//! Buttons and tabs of one look.

use crate::editor::theme::{Theme, font, mix};
use egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};

/// Room of a lamp before a text, and before the lamp, in points.
const LAMP: f32 = 12.0;
const BEFORE: f32 = 6.0;

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::editor) enum Look {
    /// Text on the ground.
    Quiet,
    /// A raised field.
    Raised,
    /// What is to be done next, in an accent.
    Accent(Color32),
    /// One of several that stay pressed.
    Pressed(Color32),
}

/// Draws a button with a text; what it does is told when the pointer rests on it. `name` is what assistive
/// technology calls it.
pub(in crate::editor) fn button(
    ui: &mut Ui,
    text: &str,
    name: &str,
    help: &str,
    enabled: bool,
    look: Look,
) -> Response {
    let theme = Theme::of(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font::BODY, Color32::PLACEHOLDER);
    let size = vec2((galley.size().x + 18.0).max(28.0), 26.0);
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (area, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| match look {
        Look::Pressed(_) => WidgetInfo::selected(Role::Button, enabled, true, name),
        _ => WidgetInfo::labeled(Role::Button, enabled, name),
    });
    let active = enabled && (response.hovered() || response.has_focus());
    let (fill, colour) = match look {
        _ if !enabled => (Color32::TRANSPARENT, theme.faint),
        Look::Quiet if active => (theme.raised, theme.text),
        Look::Quiet => (Color32::TRANSPARENT, theme.weak),
        Look::Raised if active => (theme.held(), theme.text),
        Look::Raised => (theme.raised, theme.text),
        Look::Accent(accent) => (
            mix(accent, theme.text, if active { 0.15 } else { 0.0 }),
            theme.surface,
        ),
        Look::Pressed(accent) => (theme.held(), theme.lit(accent)),
    };
    ui.painter().rect_filled(area, 6.0, fill);
    if let Look::Pressed(accent) = look {
        let stroke = Stroke::new(1.0, mix(theme.held(), theme.lit(accent), 0.5));
        let inside = egui::StrokeKind::Inside;
        ui.painter().rect_stroke(area, 6.0, stroke, inside);
    }
    if response.has_focus() {
        ring(ui, area, theme);
    }
    let place = area.center() - 0.5 * galley.size();
    ui.painter().galley(place, galley, colour);
    if help.is_empty() {
        response
    } else {
        response.on_hover_text(help)
    }
}

/// Draws what is on or off by itself, in so much room: a lamp that says which, and a text. `told` is its name for
/// assistive technology and what is told when the pointer rests on it. A click turns it.
pub(in crate::editor) fn lamp(
    ui: &mut Ui,
    size: Vec2,
    text: &str,
    (name, help): (&str, &str),
    accent: Color32,
    on: &mut bool,
) {
    let theme = Theme::of(ui);
    let (area, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, *on, name));
    let active = response.hovered() || response.has_focus();
    let fill = if active { theme.held() } else { theme.raised };
    let painter = ui.painter();
    painter.rect_filled(area, 6.0, fill);
    if response.has_focus() {
        ring(ui, area, theme);
    }
    let centre = area.left_center() + vec2(BEFORE + 4.0, 0.0);
    if *on {
        painter.circle_filled(centre, 4.0, accent);
    } else {
        painter.circle_stroke(centre, 3.4, Stroke::new(1.2, theme.weak));
    }
    let colour = if *on || active {
        theme.text
    } else {
        theme.weak
    };
    let place = area.left_center() + vec2(BEFORE + LAMP, 0.0);
    painter.text(place, Align2::LEFT_CENTER, text, font::SMALL, colour);
    if response.on_hover_text(help).clicked() {
        *on = !*on;
    }
}

fn ring(ui: &Ui, area: Rect, theme: Theme) {
    ui.painter().rect_stroke(
        area,
        6.0,
        Stroke::new(1.0, theme.weak),
        egui::StrokeKind::Inside,
    );
}

/// Draws a tab: a name that is underlined in its accent while its page is open.
pub(in crate::editor) fn tab(ui: &mut Ui, text: &str, open: bool, accent: Color32) -> Response {
    let theme = Theme::of(ui);
    let galley =
        ui.painter()
            .layout_no_wrap(text.to_owned(), font::heading(), Color32::PLACEHOLDER);
    let (area, response) =
        ui.allocate_exact_size(vec2(galley.size().x + 18.0, 30.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, open, text));
    let active = response.hovered() || response.has_focus();
    let colour = if open || active {
        theme.text
    } else {
        theme.weak
    };
    let painter = ui.painter();
    let place = Align2::CENTER_CENTER.anchor_size(area.center(), galley.size());
    painter.galley(place.min, galley, colour);
    if open {
        painter.hline(
            area.left() + 9.0..=area.right() - 9.0,
            area.bottom() - 2.0,
            Stroke::new(2.0, accent),
        );
    }
    if response.has_focus() {
        ring(ui, area, theme);
    }
    response
}
