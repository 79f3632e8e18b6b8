//! Typed values: with or without units, notes and divisions where they make sense.

use super::Desk;
use crate::editor::theme::Theme;
use crate::editor::words;
use crate::engine::ControlId;
use crate::engine::controls::{
    BEAT, BEAT_HZ, BEAT_SOURCE, BEAT_TEMPO, CARRIER, CARRIER_FIXED_NOTE, CARRIER_HZ, CARRIER_NOTE,
    CARRIER_SOURCE, DIVISION,
};
use egui::{Align2, FontId, Id, Key, Rect, TextEdit, Ui};

/// Seconds after the click that opened a field in which another makes it a double click; egui's own limit is 0.3.
const TWICE: f64 = 0.35;

/// What is being typed.
#[derive(Debug)]
pub(super) struct Typing {
    id: ControlId,
    /// The widget in which: a control may be in two places.
    place: Id,
    text: String,
    /// What the field opened with, if it was the value: entered as it was, it changes nothing.
    before: Option<String>,
    /// When it was opened: two clicks are a double click, though the second meets the field.
    since: f64,
    /// Why what was entered is no value.
    wrong: Option<String>,
    /// Not drawn yet; whether all of the text is to be selected then.
    fresh: Option<bool>,
    /// Drawn in this frame.
    drawn: bool,
}

impl Typing {
    /// For the next frame, if it was drawn in this one or is to be drawn first then.
    pub(super) fn if_in_sight(self) -> Option<Typing> {
        let seen = self.drawn || self.fresh.is_some();
        seen.then_some(Typing {
            drawn: false,
            ..self
        })
    }
}

impl Desk<'_> {
    /// Begins to type a value, with `text` in the field: what is typed takes its place.
    pub(super) fn type_into(&mut self, id: ControlId, place: Id, text: String) {
        self.hand.typing = Some(Typing {
            id,
            place,
            before: Some(text.clone()),
            since: self.now,
            text,
            wrong: None,
            fresh: Some(true),
            drawn: false,
        });
    }

    /// As [`Desk::type_into`], where `text` is the beginning of what is typed.
    pub(super) fn type_on(&mut self, id: ControlId, place: Id, text: String) {
        self.type_into(id, place, text);
        if let Some(typing) = &mut self.hand.typing {
            typing.fresh = Some(false);
            typing.before = None;
        }
    }

    /// What is being typed in a widget.
    pub(super) fn typed_in(&self, place: Id) -> Option<&str> {
        let typing = self.hand.typing.as_ref();
        let typing = typing.filter(|typing| typing.place == place);
        typing.map(|typing| typing.text.as_str())
    }

    /// Gives up what is being typed in a widget.
    pub(super) fn type_no_more(&mut self, place: Id) {
        self.hand.typing.take_if(|typing| typing.place == place);
    }
}

/// A number as people write it elsewhere: with a comma for the point, in kilohertz. What could be thousands, and all other
/// text, stays as it is.
pub(super) fn plain(text: &str, unit: &str) -> String {
    let trimmed = text.trim();
    let mut text = trimmed.to_owned();
    if let Some((whole, rest)) = trimmed.split_once(',') {
        let places = rest.chars().take_while(char::is_ascii_digit).count();
        let digits = whole.ends_with(|c: char| c.is_ascii_digit());
        let thousands = places == 3 && !matches!(whole.trim_start_matches(['-', '+']), "0");
        if digits && places > 0 && !thousands && !rest.contains([',', '.']) {
            text = format!("{whole}.{rest}");
        }
    }
    let lower = text.to_lowercase();
    let kilo = lower.strip_suffix("khz").filter(|_| unit == "Hz");
    match kilo.map(|number| number.trim().parse::<f64>()) {
        Some(Ok(number)) => format!("{} Hz", 1000.0 * number),
        _ => text,
    }
}

/// Sets a control from text. "A3" for the carrier and "1/8d" for the beat change where they come from.
///
/// # Errors
/// What is wrong with the text, for people.
pub(super) fn enter(id: ControlId, text: &str, desk: &mut Desk) -> Result<(), String> {
    if id == BEAT
        && let Ok(division) = words::read(DIVISION, text)
    {
        desk.bring(DIVISION, division);
        desk.bring(BEAT_SOURCE, BEAT_TEMPO as f64);
        return Ok(());
    }
    let is_note = text
        .trim_start()
        .starts_with(|c: char| c.is_ascii_alphabetic());
    if id == CARRIER
        && is_note
        && let Ok(note) = CARRIER_NOTE.control().parse(text)
    {
        desk.bring(CARRIER_NOTE, note);
        desk.bring(CARRIER_SOURCE, CARRIER_FIXED_NOTE as f64);
        return Ok(());
    }
    let value = desk.read(id, text)?;
    desk.bring(id, value);
    make_own(id, desk);
    Ok(())
}

/// Where a value is written, and how: the field to type into is just there.
pub(super) struct Readout<'a> {
    pub rect: Rect,
    /// What is written there, and what the field opens with.
    pub text: &'a str,
    pub font: FontId,
    pub align: Align2,
}

/// Brings a control to its default, a macro to that of what it moves: what is shown, where beat or carrier came from elsewhere.
pub(super) fn reset(id: ControlId, desk: &mut Desk) {
    desk.release();
    desk.jump(id, desk.default(id));
    make_own(id, desk);
}

/// Beat and carrier come from their own values.
pub(super) fn make_own(id: ControlId, desk: &mut Desk) {
    if id == BEAT {
        desk.bring(BEAT_SOURCE, BEAT_HZ as f64);
    }
    if id == CARRIER {
        desk.bring(CARRIER_SOURCE, CARRIER_HZ as f64);
    }
}

/// Draws the field while a value is typed in this widget; true if it was drawn.
pub(super) fn field(ui: &mut Ui, place: Id, readout: &Readout, desk: &mut Desk) -> bool {
    let Some(mut typing) = desk.hand.typing.take_if(|typing| typing.place == place) else {
        return false;
    };
    let theme = Theme::of(ui);
    let colour = if typing.wrong.is_some() {
        theme.warning
    } else {
        theme.text
    };
    let rect = readout.rect;
    ui.painter()
        .rect_filled(rect.expand2(egui::vec2(3.0, 0.0)), 4.0, theme.raised);
    let edit = TextEdit::singleline(&mut typing.text)
        .id(place.with("typed"))
        .font(readout.font.clone())
        .text_color(colour)
        .align(readout.align)
        .frame(egui::Frame::NONE)
        .margin(egui::Margin::ZERO)
        .min_size(rect.size())
        .desired_width(rect.width());
    // No taller than its line.
    let least = std::mem::take(&mut ui.spacing_mut().interact_size.y);
    let mut response = ui.put(rect, edit);
    ui.spacing_mut().interact_size.y = least;
    if response.double_clicked() && desk.now - typing.since < TWICE {
        reset(typing.id, desk);
        return true;
    }
    if let Some(selects) = typing.fresh.take() {
        response.request_focus();
        let end = egui::text::CCursor::new(typing.text.chars().count());
        let start = if selects {
            egui::text::CCursor::new(0)
        } else {
            end
        };
        let all = egui::text::CCursorRange::two(start, end);
        if let Some(mut state) = egui::TextEdit::load_state(ui.ctx(), response.id) {
            state.cursor.set_char_range(Some(all));
            state.store(ui.ctx(), response.id);
        }
    }
    if let Some(wrong) = &typing.wrong {
        response = response.on_hover_text(wrong);
        response.show_tooltip_text(wrong);
    }
    let escaped = ui.input(|input| input.key_pressed(Key::Escape));
    let entered = ui.input(|input| input.key_pressed(Key::Enter));
    if response.changed() {
        typing.wrong = None;
    }
    if escaped {
        return true;
    }
    if entered || response.lost_focus() {
        if typing.before.as_deref() == Some(typing.text.trim()) {
            return true;
        }
        match enter(typing.id, typing.text.trim(), desk) {
            Ok(()) => return true,
            // Looking away from nonsense forgets it; entering it says what is wrong.
            Err(_) if !entered => return true,
            Err(wrong) => {
                typing.wrong = Some(wrong);
                response.request_focus();
            }
        }
    }
    typing.drawn = true;
    desk.hand.typing = Some(typing);
    true
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn commas_and_kilohertz_are_understood() {
        for (text, unit, plainly) in [
            ("6,3", "Hz", "6.3"),
            (" -20,5 dB", "dB", "-20.5 dB"),
            ("0.3 kHz", "Hz", "300 Hz"),
            ("0,25kHz", "Hz", "250 Hz"),
            ("0,125", "Hz", "0.125"),
            // These may be thousands, or nothing at all.
            ("1,000", "Hz", "1,000"),
            ("1,2,3", "Hz", "1,2,3"),
            ("1.2,3", "Hz", "1.2.3"),
            ("6,", "Hz", "6,"),
            ("1 kHz", "dB", "1 kHz"),
            ("A#3", "Hz", "A#3"),
        ] {
            assert_eq!(plain(text, unit), plainly);
        }
    }
}
