//! The inspector: all controls of the card that is chosen. What its kind does not use is left out or dimmed.

use super::figures::{figure, icon};
use super::inserts;
use super::strip::{Card, fade_figure, layer_figure, meter, noise_figure, program_figure};
use crate::editor::hrtf;
use crate::editor::live::Live;
use crate::editor::panel::scrolled;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button, choice, choice_icons, knobs, slider, switch};
use crate::engine::ControlId;
use crate::engine::controls::{
    AZIMUTH, BUS_FORMAT, CEILING, CEILING_ON, DISTANCE, ELEVATION, FADE_IN, FADE_OUT, GATE_HOLD,
    GATE_ON, GATE_RANGE, GATE_THRESHOLD, HRTF_EQ, IN_GAIN, LAYER, LAYER_BILATERAL, LAYER_BINAURAL,
    LAYER_ISOCHRONIC, LAYER_NOISE, LAYERS, LEVELLER_ON, LEVELLER_SPEED, LEVELLER_TARGET, MOTION,
    MOTION_DEPTH, MOTION_RATE, MOTION_RATIO, MOTION_SOURCE, NOISE_KIND, NOISE_LEVEL, NOISE_WIDTH,
    ORDER, OUT_GAIN, PROG_DEPTH, PROG_DUTY, PROG_HIGH, PROG_KIND, PROG_LEVEL, PROG_LOW, PROG_RAMP,
    PROG_RATIO, PROG_SHAPE, ROOM, ROOM_DECAY, ROOM_SIZE, RUN, SEED, SPACE_AMBISONIC, SPACE_KIND,
    TIMER, WIDTH,
};
use egui::{Color32, Rect, RichText, Sense, Ui, UiBuilder, Vec2, vec2};

/// Draws the controls of a card; true when it is to be closed.
pub(in crate::editor) fn ui(
    ui: &mut Ui,
    card: Card,
    closes: bool,
    live: &Live,
    desk: &mut Desk,
) -> bool {
    let theme = Theme::of(ui);
    let accent = card.accent(&theme);
    let mut close = false;
    ui.horizontal(|ui| {
        ui.label(
            RichText::new(card.name())
                .font(font::title())
                .color(theme.text),
        );
        let (dot, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::hover());
        let colour = if card.is_on(desk) {
            card.accent_now(&theme, desk)
        } else {
            theme.faint
        };
        ui.painter().circle_filled(dot.center(), 4.0, colour);
        if closes {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let back = button(ui, "Close", "Close the inspector", "", true, Look::Quiet);
                close = back.clicked();
            });
        }
    });
    ui.add_space(2.0);
    // In a low column the controls need the room of the picture, which is on the card as well; in a high one it grows.
    let high = ui.available_height();
    let room = match high < LOW && ui.available_width() < WIDE {
        true => None,
        false => Some((0.6 * (high - HIGH)).clamp(0.0, GROWS)),
    };
    scrolled(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(GAP, 8.0);
        let sight = Sight { accent, live, room };
        match card {
            Card::Layer(index) => layer(ui, index, &sight, desk),
            Card::Program => program(ui, &sight, desk),
            Card::Insert(index) => inserts::ui(ui, index, accent, desk),
            Card::Noise => noise(ui, &sight, desk),
            Card::Space => space(ui, accent, desk),
            Card::Input => input(ui, &sight, desk),
            Card::Output => output(ui, &sight, desk),
            Card::Session => session(ui, &sight, desk),
        }
    });
    close
}

/// Below the first height of a column its card has no picture, above the second the picture is larger, by so much at most;
/// in points.
const LOW: f32 = 330.0;
const HIGH: f32 = 560.0;
const GROWS: f32 = 130.0;
/// From this width on what a card has stands in two columns: where the inspector takes the place of a page.
pub(super) const WIDE: f32 = 400.0;

/// Draws two parts below each other, or side by side where there is room.
pub(super) fn sides(
    ui: &mut Ui,
    desk: &mut Desk,
    first: impl FnOnce(&mut Ui, &mut Desk),
    second: impl FnOnce(&mut Ui, &mut Desk),
) {
    if ui.available_width() < WIDE {
        first(ui, desk);
        second(ui, desk);
        return;
    }
    let width = 0.5 * ui.available_width() - GAP;
    columns(ui, [width, 2.0 * GAP], desk, first, second);
}

/// Draws two controls side by side, the first in so many points.
fn beside(
    ui: &mut Ui,
    (width, desk): (f32, &mut Desk),
    first: impl FnOnce(&mut Ui, &mut Desk),
    second: impl FnOnce(&mut Ui, &mut Desk),
) {
    columns(ui, [width, GAP], desk, first, second);
}

/// Draws two columns, the first so wide and with so much room behind it.
fn columns(
    ui: &mut Ui,
    [width, gap]: [f32; 2],
    desk: &mut Desk,
    first: impl FnOnce(&mut Ui, &mut Desk),
    second: impl FnOnce(&mut Ui, &mut Desk),
) {
    let area = ui.available_rect_before_wrap();
    let edge = area.left() + width;
    let mut column = |rect: Rect| ui.new_child(UiBuilder::new().max_rect(rect));
    let mut one = column(area.with_max_x(edge));
    let mut other = column(area.with_min_x(edge + gap));
    first(&mut one, desk);
    second(&mut other, desk);
    let drawn = one.min_rect().union(other.min_rect());
    ui.allocate_rect(drawn, Sense::hover());
}

/// Width of a knob that stands beside something else, in points.
const KNOB: f32 = 60.0;

/// What is of no use now is drawn fainter, as knobs are; it can be set all the same.
fn dim(ui: &mut Ui, lit: bool, draw: impl FnOnce(&mut Ui)) {
    ui.scope(|ui| {
        if !lit {
            ui.multiply_opacity(0.6);
        }
        draw(ui);
    });
}

/// A title with the switch of what it is of, and what that does now with its tooltip.
fn switched(
    ui: &mut Ui,
    text: &str,
    id: ControlId,
    accent: Color32,
    now: Option<(String, &str)>,
    desk: &mut Desk,
) {
    let theme = Theme::of(ui);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        ui.label(RichText::new(text).font(font::heading()).color(theme.text));
        switch(ui, id, accent, desk);
        if let Some((now, help)) = now {
            ui.small(now).on_hover_text(help);
        }
    });
}

/// A title above controls that belong together.
fn section(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.add_space(4.0);
    ui.label(RichText::new(text).font(font::heading()).color(theme.text));
}

/// Height of the picture of a kind, in one column and in two, and size of those on its segments, in points.
const PICTURE: [f32; 2] = [76.0, 56.0];
const METERS: [f32; 2] = [52.0, 30.0];
const ICON: Vec2 = vec2(22.0, 12.0);

/// How a card is seen.
struct Sight<'a> {
    accent: Color32,
    live: &'a Live,
    /// By how much its picture may grow, in points; none where there is no room for one.
    room: Option<f32>,
}

impl Sight<'_> {
    /// A large picture of what the card does, moving with its phase; in two columns it is lower.
    fn picture(&self, ui: &mut Ui, wide: bool, draw: impl FnOnce(&Ui, Rect)) {
        match (self.room, wide) {
            (Some(_), true) => frame(ui, PICTURE[1], draw),
            (Some(room), false) => frame(ui, PICTURE[0] + room, draw),
            (None, _) => {}
        }
    }

    /// The meters of a card.
    fn meters(&self, ui: &mut Ui, wide: bool, draw: impl FnOnce(&Ui, Rect)) {
        if self.room.is_some() {
            frame(ui, METERS[usize::from(wide)], draw);
        }
    }
}

/// A picture in its frame.
fn frame(ui: &mut Ui, height: f32, draw: impl FnOnce(&Ui, Rect)) {
    let theme = Theme::of(ui);
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let ground = mix(theme.surface, theme.ground, 0.6);
    ui.painter().rect_filled(area, 8.0, ground);
    draw(ui, area.shrink2(vec2(12.0, 8.0)));
}

fn layer(ui: &mut Ui, index: usize, sight: &Sight, desk: &mut Desk) {
    let Sight { accent, live, .. } = *sight;
    let ids = LAYER[index];
    let kind = desk.index(ids.kind);
    let lit = kind > 0;
    let phase = live
        .sounding()
        .map(|telemetry| telemetry.display().phases()[index]);
    let shown = layer_figure(kind, desk.value(ids.duty), desk.is_on(ids.swap));
    let wide = ui.available_width() >= WIDE;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        sight.picture(ui, wide, |ui, area| {
            figure(ui, area, shown, accent, phase.filter(|_| lit))
        });
        choice_icons(ui, ids.kind, accent, desk, |ui, rect, kind, colour| {
            let area = Rect::from_center_size(rect.center(), ICON);
            icon(ui, area, layer_figure(kind, 50.0, false), colour);
        });
        slider(ui, ids.level, accent, lit, desk);
    };
    let pulses = matches!(kind, LAYER_ISOCHRONIC | LAYER_BILATERAL | LAYER_NOISE);
    let tones = lit && kind != LAYER_NOISE;
    let shape = |ui: &mut Ui, desk: &mut Desk, wave: bool| {
        knobs(
            ui,
            &[
                (ids.ratio, lit),
                (ids.interval, tones),
                (ids.duty, pulses),
                (ids.ramp, pulses),
            ],
            accent,
            desk,
        );
        if wave {
            dim(ui, tones, |ui| choice(ui, ids.wave, accent, desk));
        }
    };
    let sent = lit && kind != LAYER_BINAURAL && desk.is_on(ids.space);
    let place = |ui: &mut Ui, desk: &mut Desk| {
        ui.horizontal_wrapped(|ui| {
            dim(ui, lit, |ui| switch(ui, ids.swap, accent, desk));
            let sends = lit && kind != LAYER_BINAURAL;
            dim(ui, sends, |ui| switch(ui, ids.space, accent, desk));
        });
        if kind == LAYER_BINAURAL && desk.is_on(ids.space) {
            ui.weak("A binaural layer is never sent to space: each ear keeps its own tone.");
        }
        let space = Theme::of(ui).space;
        knobs(
            ui,
            &[
                (ids.azimuth, sent),
                (ids.elevation, sent),
                (ids.distance, sent),
            ],
            space,
            desk,
        );
    };
    sides(
        ui,
        desk,
        |ui, desk| {
            what(ui, desk);
            if wide {
                dim(ui, tones, |ui| choice(ui, ids.wave, accent, desk));
            }
        },
        |ui, desk| {
            shape(ui, desk, !wide);
            place(ui, desk);
        },
    );
}

fn program(ui: &mut Ui, sight: &Sight, desk: &mut Desk) {
    let Sight { accent, live, .. } = *sight;
    let kind = desk.index(PROG_KIND);
    let lit = kind > 0;
    let pulse = desk.index(PROG_SHAPE) == 1;
    let phase = live
        .sounding()
        .map(|telemetry| telemetry.display().phases()[LAYERS]);
    let shown = program_figure(kind, pulse, desk.value(PROG_DUTY));
    let wide = ui.available_width() >= WIDE;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        sight.picture(ui, wide, |ui, area| {
            figure(ui, area, shown, accent, phase.filter(|_| lit))
        });
        choice_icons(ui, PROG_KIND, accent, desk, |ui, rect, kind, colour| {
            let area = Rect::from_center_size(rect.center(), ICON);
            icon(ui, area, program_figure(kind, false, 50.0), colour);
        });
        slider(ui, PROG_LEVEL, accent, true, desk);
        slider(ui, PROG_DEPTH, accent, lit, desk);
    };
    let pulses = lit && pulse && kind != 3;
    let how = |ui: &mut Ui, desk: &mut Desk| {
        dim(ui, lit, |ui| choice(ui, PROG_SHAPE, accent, desk));
        knobs(
            ui,
            &[
                (PROG_RATIO, lit),
                (PROG_DUTY, pulses),
                (PROG_RAMP, pulses),
                (PROG_LOW, lit),
                (PROG_HIGH, lit),
            ],
            accent,
            desk,
        );
    };
    sides(ui, desk, what, how);
}

fn noise(ui: &mut Ui, sight: &Sight, desk: &mut Desk) {
    let accent = sight.accent;
    let lit = desk.index(NOISE_KIND) > 0;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        choice(ui, NOISE_KIND, accent, desk);
        knobs(ui, &[(SEED, lit)], accent, desk);
    };
    let how = |ui: &mut Ui, desk: &mut Desk| {
        slider(ui, NOISE_LEVEL, accent, lit, desk);
        slider(ui, NOISE_WIDTH, accent, lit, desk);
    };
    let wide = ui.available_width() >= WIDE;
    sight.picture(ui, wide, |ui, area| {
        noise_figure(ui, area, desk.index(NOISE_KIND), accent);
    });
    if !wide {
        choice(ui, NOISE_KIND, accent, desk);
        how(ui, desk);
        knobs(ui, &[(SEED, lit)], accent, desk);
    } else {
        sides(ui, desk, what, how);
    }
}

fn space(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    // In the smallest window the names of the controls say what they are of.
    let titled = ui.available_width() < WIDE;
    sides(
        ui,
        desk,
        |ui, desk| place_and_motion(ui, accent, desk),
        |ui, desk| room_and_filters(ui, titled, accent, desk),
    );
}

fn place_and_motion(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    let lit = desk.index(SPACE_KIND) > 0;
    choice(ui, SPACE_KIND, accent, desk);
    knobs(
        ui,
        &[
            (AZIMUTH, lit),
            (ELEVATION, lit),
            (DISTANCE, lit),
            (WIDTH, lit),
        ],
        accent,
        desk,
    );
    let moves = lit && desk.index(MOTION) > 0;
    beside(
        ui,
        (0.6 * ui.available_width(), desk),
        |ui, desk| dim(ui, lit, |ui| choice(ui, MOTION, accent, desk)),
        |ui, desk| dim(ui, moves, |ui| choice(ui, MOTION_SOURCE, accent, desk)),
    );
    let by_beat = desk.index(MOTION_SOURCE) == 1;
    knobs(
        ui,
        &[
            (MOTION_RATE, moves && !by_beat),
            (MOTION_RATIO, moves && by_beat),
            (MOTION_DEPTH, lit && desk.index(MOTION) == 2),
        ],
        accent,
        desk,
    );
}

fn room_and_filters(ui: &mut Ui, titled: bool, accent: Color32, desk: &mut Desk) {
    let kind = desk.index(SPACE_KIND);
    let lit = kind > 0;
    let title = |ui: &mut Ui, text: &str| {
        if titled {
            section(ui, text);
        }
    };
    title(ui, "Room");
    let room = lit && desk.value(ROOM) > 0.0;
    knobs(
        ui,
        &[(ROOM, lit), (ROOM_SIZE, room), (ROOM_DECAY, room)],
        accent,
        desk,
    );
    title(ui, "Filters");
    dim(ui, lit, |ui| choice(ui, HRTF_EQ, accent, desk));
    hrtf::row(ui, desk);
    title(ui, "Ambisonics");
    let bus = kind == SPACE_AMBISONIC;
    // The order, and beside it what the channels are called.
    beside(
        ui,
        (KNOB, desk),
        |ui, desk| knobs(ui, &[(ORDER, bus)], accent, desk),
        |ui, desk| dim(ui, bus, |ui| choice(ui, BUS_FORMAT, accent, desk)),
    );
}

fn input(ui: &mut Ui, sight: &Sight, desk: &mut Desk) {
    let Sight { accent, live, .. } = *sight;
    let wide = ui.available_width() >= WIDE;
    sides(
        ui,
        desk,
        |ui, desk| {
            sight.meters(ui, wide, |ui, area| {
                meter(ui, area, &live.levels[..2], None)
            });
            slider(ui, IN_GAIN, accent, true, desk);
            gate(ui, accent, desk);
        },
        |ui, desk| leveller(ui, accent, live, desk),
    );
}

fn gate(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    switched(ui, "Gate", GATE_ON, accent, None, desk);
    let on = desk.is_on(GATE_ON);
    knobs(
        ui,
        &[(GATE_THRESHOLD, on), (GATE_RANGE, on), (GATE_HOLD, on)],
        accent,
        desk,
    );
}

fn leveller(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    let gain = live.leveller.map(|gain| format!("{gain:+.1} dB"));
    let gain = gain.map(|gain| (gain, "Gain that the leveller applies now"));
    switched(ui, "Leveller", LEVELLER_ON, accent, gain, desk);
    let on = desk.is_on(LEVELLER_ON);
    knobs(
        ui,
        &[(LEVELLER_TARGET, on), (LEVELLER_SPEED, on)],
        accent,
        desk,
    );
}

fn output(ui: &mut Ui, sight: &Sight, desk: &mut Desk) {
    let Sight { accent, live, .. } = *sight;
    let ceiling = desk.is_on(CEILING_ON).then(|| desk.value(CEILING) as f32);
    sides(
        ui,
        desk,
        |ui, desk| {
            sight.meters(ui, false, |ui, area| {
                meter(ui, area, &live.levels[2..], ceiling)
            });
            slider(ui, OUT_GAIN, accent, true, desk);
        },
        |ui, desk| limit(ui, accent, live, desk),
    );
}

fn limit(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    let over = live.overshoot.map(|over| format!("{over:+.1} dB over"));
    let help = "By how much a true peak between the samples has just exceeded the ceiling";
    let over = over.map(|over| (over, help));
    switched(ui, "Ceiling", CEILING_ON, accent, over, desk);
    slider(ui, CEILING, accent, desk.is_on(CEILING_ON), desk);
    section(ui, "Headphones");
    ui.weak("Binaural beats need an ear each. Which side is which?");
    let display = live.telemetry().map(|telemetry| telemetry.display());
    ui.horizontal(|ui| {
        for (ear, name, help) in [
            (0, "Left", "A short tone at -26 dBFS in the left ear"),
            (1, "Right", "A short tone at -26 dBFS in the right ear"),
        ] {
            let label = format!("Test the {} ear", name.to_lowercase());
            let pressed = button(ui, name, &label, help, display.is_some(), Look::Raised);
            if let Some(display) = display.filter(|_| pressed.clicked()) {
                display.test_ear(ear);
            }
        }
    });
}

fn session(ui: &mut Ui, sight: &Sight, desk: &mut Desk) {
    let Sight { accent, live, .. } = *sight;
    let wide = ui.available_width() >= WIDE;
    sides(
        ui,
        desk,
        |ui, desk| {
            sight.picture(ui, wide, |ui, area| {
                fade_figure(ui, area, accent, live, desk);
            });
        },
        |ui, desk| {
            choice(ui, RUN, accent, desk);
            let ids = [FADE_IN, FADE_OUT, TIMER].map(|id| (id, true));
            knobs(ui, &ids, accent, desk);
        },
    );
    ui.weak("Layers, treatment and noise fade in and out; space stays. The timer counts the time that is played.");
}
