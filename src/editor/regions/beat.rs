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
use egui::{Align, Align2, Color32, Layout, Pos2, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};
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

/// Height of what is beside the dial, in points, and of the list of divisions.
const REST: f32 = 356.0;
const LIST: f32 = 50.0;
/// The least dial below the number. Where there is no room for that, the dial stands beside a smaller number.
const LEAST: f32 = 64.0;
/// The greatest dial, and the width of the column from which on its number is larger, in points.
const MOST: f32 = 240.0;
const WIDE: f32 = 230.0;
/// The dial beside the number, and the width that the name of the phase leaves to its choice, in points.
const BESIDE: f32 = 50.0;
const MODES: f32 = 148.0;
/// Room between what belongs together there, in points.
const APART: f32 = 2.0;
/// Below this a dial has no room for words.
const WORDS: f32 = 110.0;

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
    let rest = REST + if tempo { LIST } else { 0.0 };
    let close = room < rest + LEAST;
    ui.spacing_mut().item_spacing = vec2(
        GAP,
        match (close, tempo) {
            (true, true) => 2.0,
            (true, false) => 3.0,
            (false, _) => 6.0,
        },
    );
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
            points: match (close, ui.available_width() > WIDE) {
                (true, _) => 34.0,
                (false, true) => 54.0,
                (false, false) => 44.0,
            },
        };
        value(ui, &large, desk);
        let name = match tempo {
            true if !host_tells => format!("{} \u{b7} the host tells no tempo", band(beat)),
            true => format!(
                "{} \u{b7} {} of the tempo",
                band(beat),
                desk.text(DIVISION, desk.value(DIVISION))
            ),
            false => band(beat).to_owned(),
        };
        let told = |ui: &mut Ui, text: String| {
            ui.label(RichText::new(text).font(font::SMALL).color(theme.weak));
        };
        if !(close && tempo) {
            told(ui, name);
            return;
        }
        ui.horizontal(|ui| {
            let name = if host_tells { band(beat) } else { "no tempo" };
            told(ui, name.to_owned());
            choice_list(ui, DIVISION, desk);
        });
    });
    let room = match close {
        true => {
            let number = number.response.rect;
            let end = ui.max_rect().right();
            let middle = pos2(end - 0.5 * BESIDE, number.center().y);
            Rect::from_center_size(middle, vec2(BESIDE, BESIDE))
        }
        false => {
            let side = (room - rest).clamp(LEAST, MOST).min(ui.available_width());
            let size = vec2(ui.available_width(), side);
            ui.allocate_exact_size(size, Sense::hover()).0
        }
    };
    dial(ui, live, &theme, room);
    let apart = |ui: &mut Ui| ui.add_space(if close && !tempo { APART } else { 0.0 });
    apart(ui);
    titled(ui, "CARRIER", CARRIER_SOURCE, 120.0, desk);
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let text = format!("{carrier:.3}");
        let source = desk.index(CARRIER_SOURCE);
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
            points: if ui.available_width() > WIDE {
                32.0
            } else {
                26.0
            },
        };
        value(ui, &large, desk);
        let name = note(carrier, desk.value(TUNING));
        ui.label(RichText::new(name).font(font::SMALL).color(theme.weak));
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            let told = match ears::tones(live, desk) {
                Some(tones) => tones.told(&theme).to_vec(),
                None => vec![("no tone sounds".to_owned(), theme.weak)],
            };
            for (text, colour) in told {
                ui.label(RichText::new(text).font(font::value()).color(colour));
            }
        });
    });
    if tempo && !close {
        choice(ui, DIVISION, theme.beat, desk);
    }
    let source = desk.index(CARRIER_SOURCE);
    let mut ids = vec![(GLIDE, true), (PHASE, true)];
    if source == CARRIER_FIXED_NOTE || source == CARRIER_MIDI {
        ids.insert(0, (TUNING, true));
    }
    apart(ui);
    knobs(ui, &ids, theme.beat, desk);
    apart(ui);
    match close {
        true => titled(ui, "PHASE", PHASE_MODE, MODES, desk),
        false => choice(ui, PHASE_MODE, theme.beat, desk),
    }
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
