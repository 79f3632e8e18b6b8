//! The inspector: all controls of the card that is chosen. What its kind does not use is left out or dimmed.

use super::figures::{figure, icon};
use super::inserts;
use super::strip::{Card, layer_figure, meter, program_figure};
use crate::editor::hrtf;
use crate::editor::live::Live;
use crate::editor::panel::scrolled;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button, choice, choice_icons, knobs, slider, switch};
use crate::engine::controls::{
    AZIMUTH, BUS_FORMAT, CEILING, CEILING_ON, DISTANCE, ELEVATION, FADE_IN, FADE_OUT, GATE_HOLD,
    GATE_ON, GATE_RANGE, GATE_THRESHOLD, HRTF_EQ, IN_GAIN, LAYER, LAYER_BILATERAL, LAYER_BINAURAL,
    LAYER_ISOCHRONIC, LAYER_NOISE, LAYERS, LEVELLER_ON, LEVELLER_SPEED, LEVELLER_TARGET, MOTION,
    MOTION_DEPTH, MOTION_RATE, MOTION_RATIO, MOTION_SOURCE, NOISE_KIND, NOISE_LEVEL, NOISE_WIDTH,
    ORDER, OUT_GAIN, PROG_DEPTH, PROG_DUTY, PROG_HIGH, PROG_KIND, PROG_LEVEL, PROG_LOW, PROG_RAMP,
    PROG_RATIO, PROG_SHAPE, ROOM, ROOM_DECAY, ROOM_SIZE, RUN, SEED, SPACE_KIND, TIMER, WIDTH,
};
use egui::{Color32, Pos2, Rect, RichText, Sense, Ui, UiBuilder, Vec2, vec2};

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
    scrolled(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(GAP, 8.0);
        match card {
            Card::Layer(index) => layer(ui, index, accent, live, desk),
            Card::Program => program(ui, accent, live, desk),
            Card::Insert(index) => inserts::ui(ui, index, accent, desk),
            Card::Noise => noise(ui, accent, desk),
            Card::Space => space(ui, accent, desk),
            Card::Input => input(ui, accent, live, desk),
            Card::Output => output(ui, accent, live, desk),
            Card::Session => session(ui, accent, desk),
        }
    });
    close
}

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
    let area = ui.available_rect_before_wrap();
    let gap = 2.0 * GAP;
    let size = vec2(0.5 * (area.width() - gap), area.height());
    let right = area.min + vec2(size.x + gap, 0.0);
    let mut column = |name: &str, corner: Pos2| {
        let rect = Rect::from_min_size(corner, size);
        ui.new_child(UiBuilder::new().id_salt(name).max_rect(rect))
    };
    let (mut one, mut other) = (column("first", area.min), column("second", right));
    first(&mut one, desk);
    second(&mut other, desk);
    let drawn = one.min_rect().union(other.min_rect());
    ui.allocate_rect(drawn, Sense::hover());
}

/// A title above controls that belong together.
fn section(ui: &mut Ui, text: &str) {
    let theme = Theme::of(ui);
    ui.add_space(4.0);
    ui.label(RichText::new(text).font(font::heading()).color(theme.text));
}

/// Height of the picture of a kind, in one column and in two, and size of those on its segments, in points.
const PICTURE: [f32; 2] = [76.0, 56.0];
const ICON: Vec2 = vec2(22.0, 12.0);

/// A large picture of what a kind does, moving with its phase.
fn portrait(ui: &mut Ui, height: f32, draw: impl FnOnce(&Ui, Rect)) {
    let theme = Theme::of(ui);
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    ui.painter()
        .rect_filled(area, 8.0, mix(theme.surface, theme.ground, 0.6));
    draw(ui, area.shrink2(vec2(12.0, 8.0)));
}

fn layer(ui: &mut Ui, index: usize, accent: Color32, live: &Live, desk: &mut Desk) {
    let ids = LAYER[index];
    let kind = desk.index(ids.kind);
    let lit = kind > 0;
    let phase = live
        .sounding()
        .map(|telemetry| telemetry.display().phases()[index]);
    let shown = layer_figure(kind, desk.value(ids.duty), desk.is_on(ids.swap));
    let wide = ui.available_width() >= WIDE;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        portrait(ui, PICTURE[usize::from(wide)], |ui, area| {
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
            choice(ui, ids.wave, accent, desk);
        }
    };
    let sent = lit && kind != LAYER_BINAURAL && desk.is_on(ids.space);
    let place = |ui: &mut Ui, desk: &mut Desk| {
        ui.horizontal_wrapped(|ui| {
            switch(ui, ids.swap, accent, desk);
            switch(ui, ids.space, accent, desk);
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
                choice(ui, ids.wave, accent, desk);
            }
        },
        |ui, desk| {
            shape(ui, desk, !wide);
            place(ui, desk);
        },
    );
}

fn program(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    let kind = desk.index(PROG_KIND);
    let lit = kind > 0;
    let pulse = desk.index(PROG_SHAPE) == 1;
    let phase = live
        .sounding()
        .map(|telemetry| telemetry.display().phases()[LAYERS]);
    let shown = program_figure(kind, pulse, desk.value(PROG_DUTY));
    let wide = ui.available_width() >= WIDE;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        portrait(ui, PICTURE[usize::from(wide)], |ui, area| {
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
        choice(ui, PROG_SHAPE, accent, desk);
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

fn noise(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    let lit = desk.index(NOISE_KIND) > 0;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        choice(ui, NOISE_KIND, accent, desk);
        knobs(ui, &[(SEED, lit)], accent, desk);
    };
    let how = |ui: &mut Ui, desk: &mut Desk| {
        slider(ui, NOISE_LEVEL, accent, lit, desk);
        slider(ui, NOISE_WIDTH, accent, lit, desk);
    };
    if ui.available_width() < WIDE {
        choice(ui, NOISE_KIND, accent, desk);
        how(ui, desk);
        knobs(ui, &[(SEED, lit)], accent, desk);
    } else {
        sides(ui, desk, what, how);
    }
}

fn space(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    let kind = desk.index(SPACE_KIND);
    sides(
        ui,
        desk,
        |ui, desk| place_and_motion(ui, accent, desk),
        |ui, desk| room_and_filters(ui, kind, accent, desk),
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
    choice(ui, MOTION, accent, desk);
    let moves = desk.index(MOTION) > 0;
    choice(ui, MOTION_SOURCE, accent, desk);
    let by_beat = desk.index(MOTION_SOURCE) == 1;
    knobs(
        ui,
        &[
            (MOTION_RATE, lit && moves && !by_beat),
            (MOTION_RATIO, lit && moves && by_beat),
            (MOTION_DEPTH, lit && desk.index(MOTION) == 2),
        ],
        accent,
        desk,
    );
}

fn room_and_filters(ui: &mut Ui, kind: usize, accent: Color32, desk: &mut Desk) {
    let lit = kind > 0;
    section(ui, "Room");
    let room = lit && desk.value(ROOM) > 0.0;
    knobs(
        ui,
        &[(ROOM, lit), (ROOM_SIZE, room), (ROOM_DECAY, room)],
        accent,
        desk,
    );
    section(ui, "Filters");
    choice(ui, HRTF_EQ, accent, desk);
    hrtf::row(ui, desk);
    section(ui, "Ambisonics");
    knobs(ui, &[(ORDER, kind == 2)], accent, desk);
    choice(ui, BUS_FORMAT, accent, desk);
}

fn input(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    let wide = ui.available_width() >= WIDE;
    sides(
        ui,
        desk,
        |ui, desk| {
            portrait(ui, if wide { 30.0 } else { 52.0 }, |ui, area| {
                meter(ui, area, &live.levels[..2], None)
            });
            slider(ui, IN_GAIN, accent, true, desk);
            gate(ui, accent, desk);
        },
        |ui, desk| leveller(ui, accent, live, desk),
    );
}

fn gate(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    section(ui, "Gate");
    switch(ui, GATE_ON, accent, desk);
    let on = desk.is_on(GATE_ON);
    knobs(
        ui,
        &[(GATE_THRESHOLD, on), (GATE_RANGE, on), (GATE_HOLD, on)],
        accent,
        desk,
    );
}

fn leveller(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    section(ui, "Leveller");
    ui.horizontal(|ui| {
        switch(ui, LEVELLER_ON, accent, desk);
        if let Some(gain) = live.leveller {
            ui.small(format!("leveller {gain:+.1} dB"))
                .on_hover_text("Gain that the leveller applies now");
        }
    });
    let on = desk.is_on(LEVELLER_ON);
    knobs(
        ui,
        &[(LEVELLER_TARGET, on), (LEVELLER_SPEED, on)],
        accent,
        desk,
    );
}

fn output(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    let ceiling = desk.is_on(CEILING_ON).then(|| desk.value(CEILING) as f32);
    sides(
        ui,
        desk,
        |ui, desk| {
            portrait(ui, 52.0, |ui, area| {
                meter(ui, area, &live.levels[2..], ceiling)
            });
            slider(ui, OUT_GAIN, accent, true, desk);
        },
        |ui, desk| limit(ui, accent, live, desk),
    );
}

fn limit(ui: &mut Ui, accent: Color32, live: &Live, desk: &mut Desk) {
    section(ui, "Ceiling");
    ui.horizontal(|ui| {
        switch(ui, CEILING_ON, accent, desk);
        if let Some(over) = live.overshoot {
            ui.small(format!("ceiling {over:+.1} dB over"))
                .on_hover_text(
                    "By how much a true peak between the samples has just exceeded the ceiling",
                );
        }
    });
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

fn session(ui: &mut Ui, accent: Color32, desk: &mut Desk) {
    choice(ui, RUN, accent, desk);
    knobs(
        ui,
        &[(FADE_IN, true), (FADE_OUT, true), (TIMER, true)],
        accent,
        desk,
    );
    ui.weak("Fades are of the entrainment, never of space. The timer counts playing time.");
}
