//! The strip of cards: the chain from left to right, each with what it does now. A click shows its controls in the
//! inspector; the mark in its corner turns it on and off.

use super::figures::{Figure, figure_on};
use super::inserts;
use crate::dsp::ramp::raised_cosine;
use crate::editor::insert::InsertState;
use crate::editor::live::{BOTTOM, Live};
use crate::editor::theme::{Theme, font, mix};
use crate::editor::widgets::{Desk, power};
use crate::engine::ControlId;
use crate::engine::controls::{
    CEILING, CEILING_ON, FADE_IN, FADE_OUT, INSERTS, LAYER, LAYERS, NOISE_KIND, NOISE_LEVEL, ORDER,
    PROG_DEPTH, PROG_DUTY, PROG_KIND, PROG_SHAPE, ROOM, RUN, SPACE_AMBISONIC, SPACE_KIND, TIMER,
};
use egui::{
    Align2, Color32, FontId, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
    vec2,
};

/// Below this width of the strip, and of a card, everything stands closer; from this inner width of a card on there is
/// room for whole names.
const NARROW: f32 = 900.0;
const TIGHT: f32 = 70.0;
const ROOMY: f32 = 70.0;

/// The shortest fade in seconds, as the engine has it.
const LEAST_FADE: f64 = 0.02;

/// The cards, in the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::editor) enum Card {
    Input,
    Program,
    Insert(usize),
    Layer(usize),
    Noise,
    Space,
    Session,
    Output,
}

impl Card {
    /// All cards.
    pub const ALL: [Card; 12] = [
        Card::Input,
        Card::Program,
        Card::Insert(0),
        Card::Insert(1),
        Card::Layer(0),
        Card::Layer(1),
        Card::Layer(2),
        Card::Layer(3),
        Card::Noise,
        Card::Space,
        Card::Session,
        Card::Output,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Card::Input => "Input",
            Card::Program => "Program",
            Card::Insert(index) => inserts::NAMES[index.min(1)],
            Card::Layer(index) => ["Layer 1", "Layer 2", "Layer 3", "Layer 4"][index.min(3)],
            Card::Noise => "Noise",
            Card::Space => "Space",
            Card::Session => "Session",
            Card::Output => "Output",
        }
    }

    /// Its name where there is little room.
    fn short(self) -> &'static str {
        match self {
            Card::Program => "Prog",
            Card::Insert(index) => ["Ins A", "Ins B"][index.min(1)],
            Card::Session => "Sess",
            Card::Layer(index) => ["L 1", "L 2", "L 3", "L 4"][index.min(3)],
            _ => self.name(),
        }
    }

    /// Its accent.
    pub fn accent(self, theme: &Theme) -> Color32 {
        match self {
            Card::Input | Card::Output => theme.noise,
            Card::Program | Card::Insert(_) => theme.program,
            Card::Layer(_) => theme.layer,
            Card::Noise => theme.noise,
            Card::Space => theme.space,
            Card::Session => theme.beat,
        }
    }

    /// The same, or a warning's: what has failed does not look like what sounds.
    pub fn accent_now(self, theme: &Theme, desk: &Desk) -> Color32 {
        let failed =
            matches!(self, Card::Insert(index) if desk.link.with_insert(index, InsertState::warns));
        if failed {
            theme.warning
        } else {
            self.accent(theme)
        }
    }

    /// The choice that turns it on and off, and what it is turned on to first.
    fn kind(self) -> Option<(ControlId, f64)> {
        match self {
            Card::Program => Some((PROG_KIND, 1.0)),
            Card::Insert(index) => Some((INSERTS[index].on, 1.0)),
            Card::Layer(index) => Some((LAYER[index].kind, 1.0)),
            Card::Noise => Some((NOISE_KIND, 2.0)),
            Card::Space => Some((SPACE_KIND, 1.0)),
            _ => None,
        }
    }

    /// Whether it does something.
    pub fn is_on(self, desk: &Desk) -> bool {
        match self {
            Card::Input | Card::Output | Card::Session => true,
            Card::Insert(index) => {
                desk.is_on(INSERTS[index].on) && desk.link.with_insert(index, InsertState::holds)
            }
            _ => self.kind().is_some_and(|(id, _)| desk.index(id) > 0),
        }
    }
}

/// What a layer does over a cycle.
pub(in crate::editor) fn layer_figure(kind: usize, duty: f64, swapped: bool) -> Figure {
    let duty = (duty / 100.0) as f32;
    match kind {
        1 => Figure::Ears { swapped },
        2 => Figure::Swell,
        3 => Figure::Pulse { duty, noise: false },
        4 => Figure::Sides { duty },
        5 => Figure::Pulse { duty, noise: true },
        _ => Figure::Off,
    }
}

/// What a treatment does over a cycle.
pub(in crate::editor) fn program_figure(kind: usize, pulse: bool, duty: f64) -> Figure {
    let duty = (duty / 100.0) as f32;
    match (kind, pulse) {
        (1, true) => Figure::Pulse { duty, noise: false },
        (1, false) => Figure::Sway { filter: false },
        (2, _) => Figure::Sides {
            duty: if pulse { duty } else { 0.5 },
        },
        (3, _) => Figure::Ears { swapped: false },
        (4, _) => Figure::Sway { filter: true },
        _ => Figure::Off,
    }
}

/// Draws the strip; returns the card that was clicked.
pub(in crate::editor) fn ui(
    ui: &mut Ui,
    open: Option<Card>,
    live: &Live,
    desk: &mut Desk,
) -> Option<Card> {
    let area = ui.max_rect();
    let gap = if area.width() < NARROW { 3.0 } else { 4.0 };
    let count = Card::ALL.len() as f32;
    let width = (area.width() - gap * (count - 1.0)) / count;
    let mut clicked = None;
    for (index, card) in Card::ALL.into_iter().enumerate() {
        let left = area.left() + index as f32 * (width + gap);
        let rect = Rect::from_min_size(pos2(left, area.top()), vec2(width, area.height()));
        if draw(ui, rect, card, open == Some(card), live, desk) {
            clicked = Some(card);
        }
    }
    clicked
}

fn draw(ui: &mut Ui, rect: Rect, card: Card, open: bool, live: &Live, desk: &mut Desk) -> bool {
    let theme = Theme::of(ui);
    let response = ui.interact(rect, ui.scope_id().with(card.name()), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, open, card.name()));
    let accent = card.accent_now(&theme, desk);
    let on = card.is_on(desk);
    let fill = match (open, response.hovered()) {
        (true, _) => theme.wash(accent),
        (false, true) => mix(theme.surface, theme.text, 0.05),
        (false, false) => theme.surface,
    };
    ui.painter().rect_filled(rect, 8.0, fill);
    if open || response.has_focus() {
        let colour = if open { accent } else { theme.weak };
        let stroke = Stroke::new(1.0, colour);
        ui.painter()
            .rect_stroke(rect, 8.0, stroke, StrokeKind::Inside);
    }
    let tight = rect.width() < TIGHT;
    let inner = rect.shrink(if tight { 5.0 } else { 7.0 });
    ui.painter_at(rect).text(
        pos2(inner.left(), inner.top() + 7.0),
        Align2::LEFT_CENTER,
        if inner.width() < ROOMY {
            card.short()
        } else {
            card.name()
        },
        if tight { font::label() } else { font::value() },
        if on || open { theme.text } else { theme.weak },
    );
    let picture = Rect::from_min_max(
        pos2(inner.left(), inner.top() + 20.0),
        pos2(inner.right(), inner.bottom() - 19.0),
    );
    // On the wash of the card that is open faint lines would be lost.
    let shown = match open {
        true => Theme {
            line: theme.weak,
            faint: theme.weak,
            ..theme
        },
        false => theme,
    };
    let text = picture_of(ui, picture, card, live, desk, &shown);
    let text = if tight { shorter(&text) } else { text };
    let (text, font) = match card {
        Card::Insert(_) => whole(ui, text, inner.width() + 2.0),
        _ => (text, font::SMALL),
    };
    ui.painter_at(rect).text(
        pos2(inner.left(), inner.bottom() - 6.0),
        Align2::LEFT_CENTER,
        text,
        font,
        if on { theme.text } else { theme.weak },
    );
    // An insert that holds nothing has nothing to be switched.
    let switches = match card {
        Card::Insert(index) => desk.link.with_insert(index, InsertState::holds),
        _ => true,
    };
    if let Some((id, first)) = card.kind().filter(|_| switches) {
        let corner = Rect::from_center_size(
            pos2(
                inner.right() - if tight { 4.0 } else { 6.0 },
                inner.top() + 7.0,
            ),
            vec2(20.0, 20.0),
        );
        let name = format!("{} on", card.name());
        if power(ui, corner, &name, on, accent) {
            desk.jump(id, if on { 0.0 } else { first });
        }
    }
    response.clicked()
}

/// A name in letters that let it fit into so many points; of one that is too long as much as fits.
fn whole(ui: &Ui, text: String, width: f32) -> (String, FontId) {
    let fits = |text: &str, font: &FontId| {
        let painter = ui.painter();
        let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER);
        galley.size().x <= width
    };
    for font in [font::SMALL, font::TINY] {
        if fits(&text, &font) {
            return (text, font);
        }
    }
    let letters: Vec<char> = text.chars().collect();
    let short = |count: usize| letters[..count].iter().collect::<String>() + "\u{2026}";
    let most = (0..letters.len()).rev().map(short);
    let short = most.into_iter().find(|text| fits(text, &font::SMALL));
    (short.unwrap_or_default(), font::SMALL)
}

/// A level with one decimal, where two have no room.
fn shorter(text: &str) -> String {
    let level = text.strip_suffix(" dB").map(str::parse::<f64>);
    match level {
        Some(Ok(level)) if text.len() > "-00.0 dB".len() => format!("{level:.1} dB"),
        _ => text.to_owned(),
    }
}

/// The slope of a noise's spectrum: white is level, pink falls by 3 dB an octave, brown by 6.
pub(in crate::editor) fn noise_figure(ui: &Ui, area: Rect, kind: usize, colour: Color32) {
    let fall = [0.0, 0.0, 0.30, 0.62][kind.min(3)];
    let at = |x: f32| {
        let y = area.top() + (0.5 - 0.5 * fall + fall * x) * area.height();
        pos2(area.left() + x * area.width(), y)
    };
    let stroke = Stroke::new(1.6, colour);
    ui.painter().line_segment([at(0.04), at(0.96)], stroke);
}

/// How a session fades in and out, as long beside each other as they are, and how far the fade is now.
pub(in crate::editor) fn fade_figure(
    ui: &Ui,
    area: Rect,
    accent: Color32,
    live: &Live,
    desk: &Desk,
) {
    let [fade_in, fade_out] = [FADE_IN, FADE_OUT].map(|id| desk.value(id).max(LEAST_FADE));
    // What is played between has the length that the timer gives it; without one it is as long as they are.
    let between = match 60.0 * desk.value(TIMER) {
        0.0 => fade_in + fade_out,
        played => played,
    };
    let all = fade_in + between + fade_out;
    let high = area.height() - 8.0;
    let at = |time: f64, level: f64| {
        let x = area.left() + area.width() * (time / all) as f32;
        pos2(x, area.bottom() - 4.0 - high * level as f32)
    };
    const STEPS: u32 = 32;
    let steps = || (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS));
    let rise = steps().map(|share| at(share * fade_in, raised_cosine(share)));
    let fall = steps().map(|share| {
        at(
            fade_in + between + share * fade_out,
            raised_cosine(1.0 - share),
        )
    });
    let line: Vec<Pos2> = rise.chain(fall).collect();
    ui.painter().line(line, Stroke::new(1.6, accent));
    if let Some(telemetry) = live.sounding() {
        let level = telemetry.fade();
        // Where the rise has that level; once it is there, in the middle of what is played.
        let share = steps()
            .find(|share| raised_cosine(*share) >= level)
            .unwrap_or(1.0);
        let time = if level < 1.0 {
            share * fade_in
        } else {
            fade_in + 0.5 * between
        };
        ui.painter()
            .circle_filled(at(time, level), 3.0, Theme::of(ui).text);
    }
}

/// Draws what a card does now; returns its line of text.
fn picture_of(ui: &Ui, area: Rect, card: Card, live: &Live, desk: &Desk, theme: &Theme) -> String {
    let phases = live
        .sounding()
        .map(|telemetry| telemetry.display().phases());
    let text = |id: ControlId| desk.text(id, desk.value(id));
    let accent = card.accent_now(theme, desk);
    match card {
        Card::Layer(index) => {
            let ids = &LAYER[index];
            let kind = desk.index(ids.kind);
            let shown = layer_figure(kind, desk.value(ids.duty), desk.is_on(ids.swap));
            let phase = phases.filter(|_| kind > 0).map(|phases| phases[index]);
            figure_on(ui, area, shown, accent, phase, theme);
            if kind > 0 {
                text(ids.level)
            } else {
                "off".to_owned()
            }
        }
        Card::Program => {
            let kind = desk.index(PROG_KIND);
            let pulse = desk.index(PROG_SHAPE) == 1;
            let shown = program_figure(kind, pulse, desk.value(PROG_DUTY));
            let phase = phases.filter(|_| kind > 0).map(|phases| phases[LAYERS]);
            figure_on(ui, area, shown, accent, phase, theme);
            if kind > 0 && desk.value(PROG_DEPTH) > 0.0 {
                text(PROG_KIND)
            } else {
                "as it is".to_owned()
            }
        }
        Card::Insert(index) => {
            let colour = if card.is_on(desk) { accent } else { theme.line };
            let stroke = Stroke::new(1.6, colour);
            let middle = Rect::from_center_size(area.center(), vec2(22.0, 16.0));
            let y = area.center().y;
            ui.painter()
                .hline(area.left() + 2.0..=middle.left(), y, stroke);
            ui.painter()
                .hline(middle.right()..=area.right() - 2.0, y, stroke);
            ui.painter()
                .rect_stroke(middle, 4.0, stroke, StrokeKind::Middle);
            inserts::line(index, desk)
        }
        Card::Noise => {
            let kind = desk.index(NOISE_KIND);
            let colour = if kind > 0 { accent } else { theme.line };
            noise_figure(ui, area, kind, colour);
            if kind > 0 {
                text(NOISE_LEVEL)
            } else {
                "off".to_owned()
            }
        }
        Card::Space => {
            small_space(ui, area, live, desk, theme);
            let kind = match desk.index(SPACE_KIND) {
                SPACE_AMBISONIC => format!("order {}", text(ORDER)),
                _ => text(SPACE_KIND),
            };
            let room = desk.index(SPACE_KIND) > 0 && desk.value(ROOM) > 0.0;
            if room && area.width() >= ROOMY {
                format!("{kind} + room")
            } else {
                kind
            }
        }
        Card::Session => {
            // An engine that is not called leaves its fade standing.
            let fade = live.sounding().map_or(0.0, |telemetry| telemetry.fade());
            let bar = Rect::from_center_size(area.center(), vec2(area.width() - 4.0, 4.0));
            ui.painter().rect_filled(bar, 2.0, theme.raised);
            let full = Rect::from_min_size(bar.min, vec2(bar.width() * fade as f32, 4.0));
            ui.painter().rect_filled(full, 2.0, accent);
            match (desk.value(TIMER), desk.index(RUN)) {
                (0.0, 0) => format!("fade {}", text(FADE_IN)),
                (0.0, _) => text(RUN),
                _ => text(TIMER),
            }
        }
        Card::Input => {
            meter(ui, area, &live.levels[..2], None);
            match live.leveller {
                Some(gain) => format!("{gain:+.1} dB"),
                None => level(&live.levels[..2]),
            }
        }
        Card::Output => {
            let ceiling = desk.is_on(CEILING_ON).then(|| desk.value(CEILING) as f32);
            meter(ui, area, &live.levels[2..], ceiling);
            match live.overshoot {
                Some(over) => format!("{over:+.1} dB over"),
                None => level(&live.levels[2..]),
            }
        }
    }
}

fn level(pair: &[f32]) -> String {
    let loudest = pair[0].max(pair[1]);
    if loudest > BOTTOM {
        format!("{loudest:.1} dB")
    } else {
        "silent".to_owned()
    }
}

/// Two bars, the left ear above the right, from -60 to 0 dBFS, with a line where the ceiling is.
pub(in crate::editor) fn meter(ui: &Ui, area: Rect, levels: &[f32], ceiling: Option<f32>) {
    let theme = Theme::of(ui);
    let painter = ui.painter();
    let share = |level: f32| ((level - BOTTOM) / -BOTTOM).clamp(0.0, 1.0);
    let height = 6.0f32.min(0.4 * area.height());
    for (ear, (level, colour)) in levels.iter().zip([theme.left, theme.right]).enumerate() {
        let y = area.center().y + (ear as f32 - 1.0) * (height + 3.0) + 1.5;
        let track = Rect::from_min_size(pos2(area.left(), y), vec2(area.width(), height));
        painter.rect_filled(track, 2.0, theme.raised);
        let full = vec2(area.width() * share(*level), height);
        let colour = if *level > 0.0 { theme.warning } else { colour };
        painter.rect_filled(Rect::from_min_size(track.min, full), 2.0, colour);
    }
    if let Some(ceiling) = ceiling {
        let x = area.left() + share(ceiling) * area.width();
        let reach = area.center().y - height - 4.0..=area.center().y + height + 4.0;
        painter.vline(x, reach, Stroke::new(1.5, theme.text));
    }
}

/// The space from above, as small as a stamp.
fn small_space(ui: &Ui, area: Rect, live: &Live, desk: &Desk, theme: &Theme) {
    let on = desk.index(SPACE_KIND) > 0;
    let painter = ui.painter();
    let radius = 0.5 * area.height().min(area.width()) - 4.0;
    let centre = area.center();
    let colour = if on { theme.space } else { theme.line };
    painter.circle_stroke(
        centre,
        radius,
        Stroke::new(1.2, mix(theme.surface, colour, 0.7)),
    );
    painter.circle_filled(centre, 3.0, if on { theme.text } else { theme.faint });
    let Some(telemetry) = live.telemetry().filter(|_| on) else {
        return;
    };
    for (index, place) in telemetry.display().places().into_iter().enumerate() {
        if place.sounds {
            let turn = place.azimuth.to_radians();
            let reach = radius * place.elevation.to_radians().cos();
            let at = centre - reach * vec2(turn.sin(), turn.cos());
            let colour = if index < 2 {
                theme.program
            } else {
                theme.layer
            };
            painter.circle_filled(at, 2.6, colour);
        }
    }
}
