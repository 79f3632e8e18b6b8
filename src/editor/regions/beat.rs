//! The beat: how fast, where it comes from, and its true phase on a dial; the carrier and the two tones.

use super::ears;
use crate::editor::live::Live;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Large, Steer, choice, choice_bare, choice_list, knobs, value};
use crate::engine::ControlId;
use crate::engine::controls::{
    BEAT, BEAT_SOURCE, BEAT_TEMPO, CARRIER, CARRIER_FIXED_NOTE, CARRIER_MIDI, CARRIER_NOTE,
    CARRIER_SOURCE, DIVISION, GLIDE, PHASE, PHASE_MODE, TUNING,
};
use egui::{
    Align, Align2, Color32, FontId, Layout, Pos2, Rect, RichText, Role, Sense, Stroke, Ui,
    UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};
use std::f32::consts::{PI, TAU};

/// The bands of brain rhythms by name, with where each ends in hertz (IFCN 2017: Kane et al., Clin. Neurophysiol.
/// Pract. 2:170).
const BANDS: [(f64, &str); 6] = [
    (0.1, "beat 0: two equal tones"),
    (4.0, "delta"),
    (8.0, "theta"),
    (13.0, "alpha"),
    (30.0, "beta"),
    (f64::INFINITY, "gamma"),
];

/// Up to the first of these beats, in hertz, the dial has hands; from the second on it is a ring, where the window is drawn 30
/// times a second: three pictures a cycle. How strongly the ring is lit.
const HANDS: [f64; 2] = [7.0, 10.0];
const STEADY: f32 = 0.6;

/// Height of what is above and below the dial beside the two numbers, in points: the same whatever the beat and the
/// carrier follow, so that nothing moves where that is switched.
const REST: f32 = 272.0;
/// Height of the line of the band, which has the divisions of a tempo too, and how wide their list is at most.
const LINE: f32 = 24.0;
const LIST: f32 = 110.0;
/// The least dial below the number. Where there is no room for that, the dial stands beside a smaller number.
const LEAST: f32 = 64.0;
/// The greatest dial, and the width of the column from which on its number is larger, in points.
const MOST: f32 = 248.0;
const WIDE: f32 = 230.0;
/// In a high column that is left over goes between the parts: their number, and the most that each gets, in points.
const PARTS: f32 = 4.0;
const SPREAD: f32 = 40.0;
/// The dial beside the number, and the width that the name of the phase leaves to its choice, in points.
const BESIDE: f32 = 50.0;
const MODES: f32 = 148.0;
/// Below this a dial has no room for words.
const WORDS: f32 = 110.0;
/// From a number to its unit, in points.
const UNIT: f32 = 5.0;

/// Why a number moves as it does.
const TEMPO: &str = "It follows the host's tempo: a drag goes through the divisions.";
const NOTE: &str = "A drag goes from note to note; a frequency that is typed leaves them.";
const PLAYED: &str = "It follows the MIDI note that was played last, and is not dragged: what is typed takes its place.";

fn up(id: ControlId, down: bool) -> Steer {
    Steer { id, down }
}

/// The name of the band that a beat is in.
pub(in crate::editor) fn band(hertz: f64) -> &'static str {
    let found = BANDS.iter().find(|(end, _)| hertz < *end);
    found.map_or("gamma", |(_, name)| name)
}

/// The nearest note and how far off it is in cents: "B3 +21 ct".
pub(in crate::editor) fn note(hertz: f64, tuning: f64) -> String {
    const NAMES: [&str; 12] = [
        "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
    ];
    let number = 69.0 + 12.0 * (hertz / tuning).log2();
    let nearest = number.round();
    let cents = (100.0 * (number - nearest)).round();
    let name = NAMES[nearest.rem_euclid(12.0) as usize];
    let octave = (nearest / 12.0).floor() - 1.0;
    if cents == 0.0 {
        format!("{name}{octave}")
    } else {
        format!("{name}{octave} {cents:+} ct")
    }
}

/// Draws the region.
pub(in crate::editor) fn ui(ui: &mut Ui, live: &Live, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let room = ui.available_height();
    let tempo = desk.index(BEAT_SOURCE) == BEAT_TEMPO;
    let roomy = ui.available_width() > WIDE;
    let [large, small] = if roomy { [54.0, 32.0] } else { [44.0, 26.0] };
    let rest = REST
        + [large, small]
            .map(|points| high(ui, points))
            .iter()
            .sum::<f32>();
    let close = room < rest + LEAST;
    ui.spacing_mut().item_spacing = vec2(GAP, if close { 2.0 } else { 6.0 });
    let side = (room - rest).clamp(LEAST, MOST).min(ui.available_width());
    let spare = if close { 0.0 } else { room - rest - side };
    let apart = (spare / PARTS).clamp(0.0, SPREAD);
    let sounding = live.sounding();
    // What sounds; while nothing does, what would.
    let beat = match (sounding, live.telemetry()) {
        (Some(telemetry), _) => telemetry.beat(),
        (None, Some(telemetry)) if tempo => telemetry.beat(),
        _ => desk.value(BEAT),
    };
    let carrier = match (sounding, live.telemetry()) {
        (Some(telemetry), _) => telemetry.carrier(),
        (None, Some(telemetry)) if desk.index(CARRIER_SOURCE) != 0 => telemetry.carrier(),
        _ => desk.value(CARRIER),
    };
    let host_tells = live.telemetry().and_then(|t| t.tempo()).is_some();
    titled(ui, "BEAT", BEAT_SOURCE, 96.0, desk);
    let number = ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if close {
            ui.set_max_width(ui.available_width() - BESIDE);
        }
        let text = format!("{beat:.3}");
        // Longer divisions are slower beats. Without a tempo the own beat sounds.
        let (steer, why) = match tempo && host_tells {
            true => (up(DIVISION, true), Some(TEMPO)),
            false => (up(BEAT, false), None),
        };
        let large = Large {
            id: BEAT,
            typed: BEAT,
            steer: Some(steer),
            why,
            text: &text,
            unit: "Hz",
            told: None,
            points: fitting(ui, "100.000", if close { 34.0 } else { large }),
        };
        value(ui, &large, desk);
        let follows = tempo.then_some(host_tells);
        in_band(ui, band(beat), follows, &theme, desk);
    });
    let room = match close {
        true => {
            let number = number.response.rect;
            let end = ui.max_rect().right();
            let middle = pos2(end - 0.5 * BESIDE, number.center().y);
            Rect::from_center_size(middle, vec2(BESIDE, BESIDE))
        }
        false => {
            ui.add_space(apart);
            let size = vec2(ui.available_width(), side);
            ui.allocate_exact_size(size, Sense::hover()).0
        }
    };
    dial(ui, live, &theme, room);
    ui.add_space(apart);
    titled(ui, "CARRIER", CARRIER_SOURCE, 120.0, desk);
    let source = desk.index(CARRIER_SOURCE);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let text = format!("{carrier:.3}");
        let id = match source {
            CARRIER_FIXED_NOTE => CARRIER_NOTE,
            _ => CARRIER,
        };
        let told = desk.text(id, desk.value(id));
        let large = Large {
            id,
            typed: CARRIER,
            steer: (source != CARRIER_MIDI).then(|| up(id, false)),
            why: match source {
                CARRIER_FIXED_NOTE => Some(NOTE),
                CARRIER_MIDI => Some(PLAYED),
                _ => None,
            },
            text: &text,
            unit: "Hz",
            told: (id == CARRIER_NOTE).then_some(told.as_str()),
            points: small,
        };
        value(ui, &large, desk);
        let name = note(carrier, desk.value(TUNING));
        ui.label(RichText::new(name).font(font::SMALL).color(theme.weak));
        ui.add_space(4.0);
        let told = match ears::tones(live, desk) {
            Some(tones) => tones.told(&theme).to_vec(),
            None => vec![("no tone sounds".to_owned(), theme.weak)],
        };
        tones(ui, told, &theme);
    });
    ui.add_space(apart);
    // In hertz the tuning sounds nowhere, but names the note.
    let tuned = source == CARRIER_FIXED_NOTE || source == CARRIER_MIDI;
    let ids = [(TUNING, tuned), (GLIDE, true), (PHASE, true)];
    knobs(ui, &ids, theme.beat, desk);
    ui.add_space(apart);
    match close {
        true => titled(ui, "PHASE", PHASE_MODE, MODES, desk),
        false => choice(ui, PHASE_MODE, theme.beat, desk),
    }
}

/// How high a line of numerals is.
fn high(ui: &Ui, points: f32) -> f32 {
    lay_out(ui, "0", font::numeral(points)).y
}

fn lay_out(ui: &Ui, text: &str, font: FontId) -> Vec2 {
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
    galley.size()
}

/// The size of numerals, at most so many points, in which the widest number leaves room for its unit.
fn fitting(ui: &Ui, widest: &str, points: f32) -> f32 {
    let unit = UNIT + lay_out(ui, "Hz", font::BODY).x;
    let room = ui.available_width() - unit;
    let wide = lay_out(ui, widest, font::numeral(points)).x;
    // Whole points: letters are made once.
    (points * (room / wide).min(1.0)).floor()
}

/// The line below the beat: the name of its band, and beside it, where the beat follows a tempo, which part of that.
/// `follows` is whether the host tells one.
fn in_band(ui: &mut Ui, name: &str, follows: Option<bool>, theme: &Theme, desk: &mut Desk) {
    let size = vec2(ui.available_width(), LINE);
    let (area, response) = ui.allocate_exact_size(size, Sense::hover());
    let room = match follows {
        Some(_) => (area.width() - GAP - LIST).max(0.48 * area.width() - GAP),
        None => area.width(),
    };
    let silent = format!("{name} \u{b7} no tempo");
    let fits = |text: &str| lay_out(ui, text, font::SMALL).x <= room;
    let told = match follows {
        Some(false) if fits(&silent) => silent.as_str(),
        Some(false) => "no tempo",
        _ => name,
    };
    let place = area.left_center();
    let drawn = (ui.painter()).text(place, Align2::LEFT_CENTER, told, font::SMALL, theme.weak);
    let full = match follows {
        Some(false) => format!("{name}, the host tells no tempo"),
        _ => name.to_owned(),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &full));
    if follows == Some(false) {
        let _ = response.on_hover_text("The host tells no tempo: the own beat sounds.");
    }
    if follows.is_some() {
        let left = (drawn.right() + GAP).max(area.right() - LIST);
        let list = Rect::from_min_max(pos2(left, area.top()), area.max);
        let layout = Layout::left_to_right(Align::Center);
        let builder = UiBuilder::new()
            .id_salt("divisions")
            .max_rect(list)
            .layout(layout);
        // It takes no more room than the line has.
        choice_list(&mut ui.new_child(builder), DIVISION, desk);
    }
}

/// The tones on one line, with their unit where there is room.
fn tones(ui: &mut Ui, told: Vec<(String, Color32)>, theme: &Theme) {
    let gap = 6.0;
    let unit = gap + lay_out(ui, "Hz", font::SMALL).x;
    let room = ui.available_width();
    let wide = |font: FontId| -> f32 {
        let parts = told
            .iter()
            .map(|(text, _)| lay_out(ui, text, font.clone()).x);
        parts.sum::<f32>() + gap * (told.len() - 1) as f32
    };
    // Smaller letters rather than no unit.
    let font = match wide(font::value()) + unit <= room {
        true => font::value(),
        false => font::label(),
    };
    let has_unit = told.len() > 1 && wide(font.clone()) + unit <= room;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        for (text, colour) in told {
            ui.label(RichText::new(text).font(font.clone()).color(colour));
        }
        if has_unit {
            ui.label(RichText::new("Hz").font(font::SMALL).color(theme.weak));
        }
    });
}

/// A title with the choice of where what is below comes from.
fn titled(ui: &mut Ui, text: &str, source: ControlId, width: f32, desk: &mut Desk) {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        label(ui, text, theme.beat);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            choice_bare(ui, source, width, theme.beat, desk);
        });
    });
}

/// A small title in an accent.
pub(in crate::editor) fn label(ui: &mut Ui, text: &str, accent: Color32) {
    ui.label(
        RichText::new(text)
            .font(font::TINY)
            .color(accent)
            .extra_letter_spacing(1.2),
    );
}

/// The beat as it sounds: the two ears' hands part and meet once a cycle. What the hands have passed since the last
/// frames stays as a trail, so that a beat too fast for the eye is a ring and a slow one a hand.
fn dial(ui: &mut Ui, live: &Live, theme: &Theme, area: Rect) {
    let response = ui.interact(area, ui.scope_id().with("dial"), Sense::hover());
    let painter = ui.painter();
    let side = area.height();
    let (centre, radius) = (area.center(), 0.5 * side - 8.0);
    painter.circle_stroke(centre, radius, Stroke::new(6.0, theme.raised));
    for tick in 0..4 {
        let turn = tick as f32 * TAU / 4.0;
        let out = vec2(turn.sin(), -turn.cos());
        let line = [
            centre + out * (radius - 8.0),
            centre + out * (radius - 12.0),
        ];
        painter.line_segment(line, Stroke::new(1.0, theme.faint));
    }
    let Some(telemetry) = live.sounding() else {
        if side >= WORDS {
            painter.text(
                centre,
                Align2::CENTER_CENTER,
                "no beat sounds",
                font::SMALL,
                theme.weak,
            );
        }
        return;
    };
    let fade = telemetry.fade() as f32;
    let phase = live.phase.rem_euclid(1.0) as f32;
    let passed = (live.phase - live.phase_before).clamp(0.0, 1.0) as f32;
    let trail = (passed * 2.0).clamp(0.04, 1.0);
    let blur = blur(telemetry.beat(), live.pace);
    for (side, colour) in [(-PI, theme.left), (PI, theme.right)] {
        let colour = mix(theme.raised, colour, fade);
        arc(
            ui,
            centre,
            radius,
            (side * (phase - trail), side * phase),
            colour.gamma_multiply(1.0 - blur),
        );
        // Each ear's hand sweeps its half: all of that is lit, and stays so.
        ring(
            ui,
            centre,
            radius,
            side,
            colour.gamma_multiply(STEADY * blur),
        );
        let tip = turned(centre, radius, side * phase);
        painter.circle_filled(tip, 6.0, colour.gamma_multiply(1.0 - blur));
    }
    // Numbers that the eye can follow: how far apart the ears are, or how far the fade is.
    let apart = 360.0 * phase;
    let text = match (telemetry.beat() <= 1.0, fade < 1.0) {
        (_, true) => format!("{:.0} %", 100.0 * fade),
        (true, false) => format!("{apart:.0}\u{b0}"),
        (false, false) => String::new(),
    };
    let numeral = match side < WORDS {
        true => font::TINY,
        false => font::numeral(22.0),
    };
    painter.text(centre, Align2::CENTER_CENTER, text, numeral, theme.weak);
    response.on_hover_text(
        "The phase of the beat as it sounds: the left and the right ear's hands part and meet once a cycle. \
         Up is phase 0.",
    );
}

/// How much of the dial is a steady ring in place of hands, in a window of this pace: a hand that is drawn less than three times
/// a cycle is seen to go anywhere.
fn blur(beat: f64, pace: f64) -> f32 {
    ((beat / pace - HANDS[0]) / (HANDS[1] - HANDS[0])).clamp(0.0, 1.0) as f32
}

/// A half of the dial, lit evenly.
fn ring(ui: &Ui, centre: Pos2, radius: f32, side: f32, colour: Color32) {
    const POINTS: usize = 32;
    let line = (0..=POINTS)
        .map(|point| turned(centre, radius, side * point as f32 / POINTS as f32))
        .collect();
    ui.painter().line(line, Stroke::new(5.0, colour));
}

fn turned(centre: Pos2, radius: f32, turn: f32) -> Pos2 {
    centre + radius * vec2(turn.sin(), -turn.cos())
}

fn arc(ui: &Ui, centre: Pos2, radius: f32, (from, to): (f32, f32), colour: Color32) {
    const POINTS: usize = 24;
    let at = |point: usize| from + (to - from) * point as f32 / POINTS as f32;
    for point in 0..POINTS {
        // The older, the fainter.
        let strength = (point + 1) as f32 / POINTS as f32;
        let line = [point, point + 1].map(|point| turned(centre, radius, at(point)));
        let stroke = Stroke::new(5.0, colour.gamma_multiply(0.75 * strength));
        ui.painter().line_segment(line, stroke);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_move_where_they_are_seen_to() {
        for (beat, pace, ring) in [
            (6.0, 1.0, 0.0),
            (7.0, 1.0, 0.0),
            (8.5, 1.0, 0.5),
            (10.0, 1.0, 1.0),
            (3.5, 0.5, 0.0),
            (5.0, 0.5, 1.0),
        ] {
            assert_eq!(blur(beat, pace), ring, "{beat} Hz");
        }
    }

    #[test]
    fn bands_and_notes_have_their_names() {
        for (hertz, name) in [
            (2.0, "delta"),
            (4.0, "theta"),
            (10.0, "alpha"),
            (40.0, "gamma"),
        ] {
            assert_eq!(band(hertz), name);
        }
        assert_eq!(note(440.0, 440.0), "A4");
        assert_eq!(note(250.0, 440.0), "B3 +21 ct");
        assert_eq!(note(261.6256, 440.0), "C4");
        assert_eq!(note(432.0, 432.0), "A4");
    }
}
