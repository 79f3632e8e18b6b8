//! Small pictures of sounds: what a kind of layer or treatment does over one cycle of its beat. The mark on it
//! moves with the true phase. Nothing large changes its brightness with the beat (WCAG 2.3.1): a window that
//! flickers at 3 to 30 Hz is a hazard to some of those who use it.

use crate::editor::theme::{Theme, mix};
use egui::{Color32, Painter, Pos2, Rect, Stroke, Ui, pos2, vec2};
use std::f32::consts::{PI, TAU};

/// What goes on over a cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::editor) enum Figure {
    Off,
    /// Two tones that turn against each other.
    Ears {
        swapped: bool,
    },
    /// Two tones that swell and fade together.
    Swell,
    /// On for a share of the cycle.
    Pulse {
        duty: f32,
        noise: bool,
    },
    /// From the left to the right, which has the rest of the cycle.
    Sides {
        duty: f32,
    },
    /// To and fro like a sine.
    Sway {
        filter: bool,
    },
}

/// Draws a figure with its mark at `phase` (cycles); none where it does not sound.
pub(in crate::editor) fn figure(
    ui: &Ui,
    area: Rect,
    figure: Figure,
    accent: Color32,
    phase: Option<f64>,
) {
    figure_on(ui, area, figure, accent, phase, &Theme::of(ui));
}

/// The same in these colours.
pub(in crate::editor) fn figure_on(
    ui: &Ui,
    area: Rect,
    figure: Figure,
    accent: Color32,
    phase: Option<f64>,
    theme: &Theme,
) {
    let painter = ui.painter_at(area.expand(3.0));
    let lit = phase.is_some();
    let accent = if lit { accent } else { theme.faint };
    let phase = phase.map(|phase| phase.rem_euclid(1.0) as f32);
    match figure {
        Figure::Off => {
            let y = area.center().y;
            let line = Stroke::new(1.5, theme.line);
            painter.hline(area.left() + 4.0..=area.right() - 4.0, y, line);
        }
        Figure::Ears { swapped } => ears(&painter, area, theme, lit, phase, swapped),
        Figure::Swell => {
            // Both edges of the sum's envelope.
            let level = |x: f32| (PI * x).cos().abs();
            for side in [-0.46, 0.46] {
                curve(&painter, area, accent, |x| 0.5 + side * level(x));
            }
            if let Some(x) = phase {
                mark(&painter, area, theme, x, 0.5 - 0.46 * level(x));
            }
        }
        Figure::Pulse { duty, noise } => {
            let level = |x: f32| pulse(x, duty);
            curve(&painter, area, accent, |x| 0.92 - 0.84 * level(x));
            if noise {
                grain(&painter, area, accent, level);
            }
            if let Some(x) = phase {
                mark(&painter, area, theme, x, 0.92 - 0.84 * level(x));
            }
        }
        Figure::Sides { duty } => {
            let side = |x: f32| 0.92 - 0.84 * pulse(x, duty);
            let colours = if lit {
                (theme.left, theme.right)
            } else {
                (accent, accent)
            };
            halves(&painter, area, colours, side);
            if let Some(x) = phase {
                mark(&painter, area, theme, x, side(x));
            }
        }
        Figure::Sway { filter } => {
            let way = |x: f32| 0.5 - 0.42 * (TAU * x).cos();
            curve(&painter, area, accent, way);
            if filter {
                let faint = Stroke::new(1.0, mix(theme.surface, accent, 0.4));
                for y in [0.08, 0.92] {
                    painter.hline(area.x_range(), area.top() + y * area.height(), faint);
                }
            }
            if let Some(x) = phase {
                mark(&painter, area, theme, x, way(x));
            }
        }
    }
}

/// A figure as an icon: nothing moves on it, and it is told from its neighbours at a glance.
pub(in crate::editor) fn icon(ui: &Ui, area: Rect, figure: Figure, colour: Color32) {
    let theme = Theme::of(ui);
    let painter = ui.painter_at(area.expand(3.0));
    let middle = area.center();
    match figure {
        Figure::Off => {
            painter.circle_stroke(middle, 4.5, Stroke::new(1.5, colour));
            let way = vec2(3.2, -3.2);
            painter.line_segment([middle - way, middle + way], Stroke::new(1.5, colour));
        }
        Figure::Ears { .. } => {
            for (x, colour) in [(-4.0, theme.left), (4.0, theme.right)] {
                painter.circle_stroke(middle + vec2(x, 0.0), 5.5, Stroke::new(1.6, colour));
            }
        }
        Figure::Swell => {
            let level = |x: f32| (PI * x).cos().abs();
            for side in [-0.46, 0.46] {
                curve(&painter, area, colour, |x| 0.5 + side * level(x));
            }
        }
        Figure::Pulse { duty, noise: false } => {
            curve(&painter, area, colour, |x| 0.92 - 0.84 * pulse(x, duty));
        }
        Figure::Pulse { noise: true, .. } => {
            // Bars of all heights while it is on.
            for (bar, height) in [0.5, 1.0, 0.7, 0.9, 0.4].into_iter().enumerate() {
                let x = area.left() + 2.0 + 2.6 * bar as f32;
                let half = 0.5 * height * area.height();
                let reach = middle.y - half..=middle.y + half;
                painter.vline(x, reach, Stroke::new(1.4, colour));
            }
            let rest = area.left() + 15.0..=area.right();
            painter.hline(rest, middle.y, Stroke::new(1.6, colour));
        }
        Figure::Sides { duty } => {
            let side = |x: f32| 0.92 - 0.84 * pulse(x, duty);
            halves(&painter, area, (theme.left, theme.right), side);
        }
        Figure::Sway { filter } => {
            curve(&painter, area, colour, |x| 0.5 - 0.42 * (TAU * x).cos());
            for y in [0.0, 1.0].into_iter().filter(|_| filter) {
                let line = Stroke::new(1.0, colour);
                painter.hline(area.x_range(), area.top() + y * area.height(), line);
            }
        }
    }
}

/// 1 while a pulse is on, with short flanks so that it reads as one.
fn pulse(x: f32, duty: f32) -> f32 {
    let flank = 0.04;
    let x = x.rem_euclid(1.0);
    let rise = (x / flank).min(1.0);
    let fall = ((duty - x) / flank + 1.0).clamp(0.0, 1.0);
    rise.min(fall)
}

fn curve(painter: &Painter, area: Rect, colour: Color32, y: impl Fn(f32) -> f32) {
    let points = (area.width() / 1.5).max(8.0) as usize;
    let line = (0..=points)
        .map(|point| place(area, point as f32 / points as f32, &y))
        .collect();
    painter.line(line, Stroke::new(1.6, colour));
}

fn place(area: Rect, x: f32, y: &impl Fn(f32) -> f32) -> Pos2 {
    pos2(
        area.left() + x * area.width(),
        area.top() + y(x) * area.height(),
    )
}

/// A curve whose upper half is one ear's, the lower the other's.
fn halves(painter: &Painter, area: Rect, (up, down): (Color32, Color32), y: impl Fn(f32) -> f32) {
    let points = (area.width() / 1.5).max(8.0) as usize;
    let at = |point: usize| place(area, point as f32 / points as f32, &y);
    for point in 0..points {
        let (a, b) = (at(point), at(point + 1));
        let colour = if a.y + b.y < 2.0 * area.center().y {
            up
        } else {
            down
        };
        painter.line_segment([a, b], Stroke::new(1.6, colour));
    }
}

fn mark(painter: &Painter, area: Rect, theme: &Theme, x: f32, y: f32) {
    let at = place(area, x, &|_| y);
    painter.circle_filled(at, 3.2, theme.text);
}

/// Dots in a pattern that never changes.
fn grain(painter: &Painter, area: Rect, colour: Color32, level: impl Fn(f32) -> f32) {
    let mut seed = 7u32;
    for _ in 0..60 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let x = (seed >> 16) as f32 / 65_536.0;
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let y = (seed >> 16) as f32 / 65_536.0;
        if level(x) > 0.9 {
            painter.circle_filled(place(area, x, &|_| 0.14 + 0.74 * y), 0.8, colour);
        }
    }
}

/// Two hands on a dial, one an ear: they part by half the phase each, as the ears' tones do.
fn ears(
    painter: &Painter,
    area: Rect,
    theme: &Theme,
    lit: bool,
    phase: Option<f32>,
    swapped: bool,
) {
    let radius = 0.5 * area.height().min(area.width()) - 3.0;
    let centre = area.center();
    painter.circle_stroke(centre, radius, Stroke::new(1.2, theme.line));
    let half = PI * phase.unwrap_or(0.12);
    let (mut left, mut right) = (theme.left, theme.right);
    if swapped {
        std::mem::swap(&mut left, &mut right);
    }
    for (turn, colour) in [(-half, left), (half, right)] {
        let colour = if lit { colour } else { theme.faint };
        let tip = centre + radius * vec2(turn.sin(), -turn.cos());
        painter.line_segment([centre, tip], Stroke::new(1.6, colour));
        painter.circle_filled(tip, 3.2, colour);
    }
}
