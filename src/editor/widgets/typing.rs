//! Typed values: with or without units, notes and divisions where they make sense.

use super::Desk;
use crate::editor::theme::{Theme, font};
use crate::engine::ControlId;
use crate::engine::controls::{
    BEAT, BEAT_HZ, BEAT_SOURCE, BEAT_TEMPO, CARRIER, CARRIER_FIXED_NOTE, CARRIER_HZ, CARRIER_NOTE,
    CARRIER_SOURCE, DIVISION,
};
use egui::{Id, Key, Rect, TextEdit, Ui};

/// What is being typed.
#[derive(Debug)]
pub(super) struct Typing {
    id: ControlId,
    /// The widget in which: a control may be in two places.
    place: Id,
    text: String,
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
        }
    }
}

/// Sets a control from text. "A3" for the carrier and "1/8d" for the beat change where they come from.
///
/// # Errors
/// What is wrong with the text, for people.
pub(super) fn enter(id: ControlId, text: &str, desk: &mut Desk) -> Result<(), String> {
    if id == BEAT
        && let Ok(division) = DIVISION.control().parse(text)
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
    if id == BEAT {
        desk.bring(BEAT_SOURCE, BEAT_HZ as f64);
    }
    if id == CARRIER {
        desk.bring(CARRIER_SOURCE, CARRIER_HZ as f64);
    }
    Ok(())
}

/// Draws the field while a value is typed in this widget; true if it was drawn.
pub(super) fn field(ui: &mut Ui, place: Id, rect: Rect, desk: &mut Desk) -> bool {
    let Some(mut typing) = desk.hand.typing.take_if(|typing| typing.place == place) else {
        return false;
    };
    let theme = Theme::of(ui);
    let wide = rect.width().max(64.0);
    let rect = Rect::from_center_size(rect.center(), egui::vec2(wide, rect.height().max(22.0)));
    let colour = if typing.wrong.is_some() {
        theme.warning
    } else {
        theme.text
    };
    let edit = TextEdit::singleline(&mut typing.text)
        .id(place.with("typed"))
        .font(font::value())
        .text_color(colour)
        .align(egui::Align2::CENTER_CENTER)
        .margin(egui::Margin::symmetric(4, 3));
    let mut response = ui.put(rect, edit);
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
