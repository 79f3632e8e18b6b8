//! The widgets, each once: knob, slider, choice, switch, value, meter, chart, stage. What they have in common
//! (gestures, wheel, fine drag, reset, typing, menu, tooltip, keyboard, accessible names) is in this file and in
//! `drive.rs`.

mod button;
mod choice;
mod drive;
mod knob;
mod line;
mod menu;
mod slider;
mod switch;
mod typing;
mod value;

pub(super) use button::{Look, button, lamp, tab};
pub(super) use choice::{choice, choice_bare, choice_icons, choice_list};
pub(super) use drive::Steer;
pub(super) use knob::knobs;
pub(super) use line::{entered, line};
pub(super) use slider::{NAME_BELOW, slider};
pub(super) use switch::{power, switch};
pub(super) use value::{Large, value};

use super::ParamSink;
use super::browse::{Ask, Browse, Field};
use super::insert::InsertMacro;
use super::link::Link;
use super::words;
use crate::control::Moves;
use crate::engine::ControlId;
use crate::engine::controls::{INSERTS, InsertIds, Scale, Values};
use egui::{Response, Role, Ui, WidgetInfo};
use typing::Typing;

/// Seconds in which a host may still report the value from before a gesture.
const ECHO: f64 = 0.25;

/// Seconds after the last turn of the wheel that scrolled a page in which it goes on doing so.
const SCROLL: f64 = 0.3;

/// Seconds for which is said that the protocol moves what the user has moved.
const SAID: f64 = 4.0;

/// What stands on a button that asks for a file.
const BROWSE: &str = "Browse...";

/// Letters that fit above and below a knob.
const KNOB: usize = 9;

/// The controls that the user holds or has just let go of. There is one pointer and one keyboard focus: what is held
/// is one gesture, mostly of one control, of two where something is dragged over a plane.
#[derive(Debug, Default)]
pub(super) struct Hand {
    held: Vec<ControlId>,
    /// The user's own values, and until when they are shown.
    last: Vec<(ControlId, f64, f64)>,
    /// Where the held control's handle is, 0 to 1, between the values that it snaps to.
    grip: f64,
    typing: Option<Typing>,
    /// The control that the wheel turns, where its handle is, and until when the turn is one gesture.
    wheel: Option<(ControlId, f64, f64)>,
    /// The value that was copied from a control's menu.
    copied: Option<String>,
    /// What the protocol has in force in this frame.
    pub(super) in_force: Vec<(ControlId, f64)>,
    /// The control that was moved though the protocol has another value in force, and until when that is said.
    overruled: Option<(ControlId, f64)>,
    /// The dialog that asks for a file.
    pub(super) browse: Browse,
    /// What waits for a MIDI controller.
    pub(super) learning: Option<Moves>,
    /// How many steps there were when the user chose what each insert holds.
    pub(super) chosen: [u64; INSERTS.len()],
    /// The number that the pointer is on, and since when.
    rests: Option<(egui::Id, f64)>,
    /// A control has taken the wheel in this frame.
    took_wheel: bool,
    /// The page scrolls until then, and what slides under the pointer meanwhile does not turn.
    scrolls_until: f64,
}

impl Hand {
    /// Ends the gestures that are open, if any are. Called when the editor closes, too.
    pub(super) fn release(&mut self, sink: &dyn ParamSink) {
        for id in self.held.drain(..) {
            sink.end(id);
        }
    }
}

impl Hand {
    /// Whether a value is being typed.
    pub(super) fn types(&self) -> bool {
        self.typing.is_some()
    }

    /// Forgets what was being typed into a field that is drawn no more: another page is open.
    pub(super) fn forget_what_is_out_of_sight(&mut self) {
        self.typing = self.typing.take().and_then(Typing::if_in_sight);
    }

    /// The wheel was turned: a page scrolls with it, unless a control took it.
    pub(super) fn wheel_turned(&mut self, turned: bool, now: f64) {
        if turned && !self.took_wheel {
            self.scrolls_until = now + SCROLL;
        }
        self.took_wheel = false;
    }

    /// The control that was just moved in vain, and for how many seconds that is still to be said.
    pub(super) fn overruled(&self, now: f64) -> Option<(ControlId, f64)> {
        let (id, until) = self.overruled?;
        let holds = self.in_force.iter().any(|(other, _)| *other == id);
        (holds && now < until).then_some((id, until - now))
    }

    /// Seconds until the user's own values are shown no more and the host's are again, which may have refused them.
    pub(super) fn settles_in(&self, now: f64) -> Option<f64> {
        let free = self.last.iter().filter(|(id, ..)| !self.held.contains(id));
        let left = free
            .map(|(.., until)| until - now)
            .filter(|left| *left > 0.0);
        left.max_by(f64::total_cmp)
    }

    /// Ends the gestures that no button holds any more.
    pub(super) fn let_go(&mut self, sink: &dyn ParamSink, now: f64) {
        if self.wheel.is_some_and(|(.., until)| now <= until) {
            return;
        }
        self.wheel = None;
        self.release(sink);
    }
}

/// What a region works with: the user's hand, the parameters and the instance.
pub(super) struct Desk<'a> {
    pub hand: &'a mut Hand,
    pub sink: &'a dyn ParamSink,
    pub link: &'a Link,
    /// The time of this frame in seconds.
    pub now: f64,
}

impl Desk<'_> {
    /// Draws a button that asks for a file; the path that has been chosen since, once.
    pub fn browse(&mut self, ui: &mut Ui, name: &str, field: Field, ask: Ask) -> Option<String> {
        let free = self.hand.browse.is_free();
        let help = "Asks for the file in a dialog of the system";
        if button(ui, BROWSE, name, help, free, Look::Raised).clicked() {
            self.hand.browse.ask(field, ask, self.link);
        }
        self.hand.browse.answer(field)
    }

    /// The value to show: while the user moves a control, and until the host has taken the value over, the
    /// user's own; else what the protocol has in force, where it moves the control.
    pub fn value(&self, id: ControlId) -> f64 {
        let own = self.hand.last.iter().find(|(own, ..)| *own == id);
        match own {
            Some((_, value, until)) if self.holds(id) || self.now < *until => *value,
            _ => (self.in_force(id)).unwrap_or_else(|| self.sink.value(id)),
        }
    }

    /// What the protocol has a control at, where it moves it now.
    pub fn in_force(&self, id: ControlId) -> Option<f64> {
        let mut moved = self.hand.in_force.iter();
        moved.find_map(|(other, value)| (*other == id).then_some(*value))
    }

    /// What a macro moves of the node that its insert holds.
    fn moved(&self, id: ControlId) -> Option<InsertMacro> {
        let place = |ids: &InsertIds| ids.macros.iter().position(|of| *of == id);
        let mut inserts = INSERTS.iter().enumerate();
        let (insert, number) = inserts.find_map(|(n, ids)| Some((n, place(ids)?)))?;
        self.link.insert_macro(insert, number)
    }

    /// The text of a value; a macro's is that of what it moves.
    pub fn text(&self, id: ControlId, value: f64) -> String {
        match self.moved(id) {
            Some(moved) => (moved.format)(value),
            // A number that moves by itself keeps its decimals.
            None if self.in_force(id).is_some() => words::steady(id, value),
            None => words::value(id, value),
        }
    }

    /// The same without decimals that say nothing, whatever moves it: for values that stay.
    pub fn whole(&self, id: ControlId, value: f64) -> String {
        match self.moved(id) {
            Some(moved) => (moved.format)(value),
            None => words::value(id, value),
        }
    }

    /// Where a control is by itself; a macro, where what it moves is.
    pub fn default(&self, id: ControlId) -> f64 {
        let control = id.control();
        match self.moved(id) {
            Some(moved) => control.snap(moved.default),
            None => control.default_value(),
        }
    }

    /// The value at which a control is by itself, without the name of what a macro moves.
    fn default_text(&self, id: ControlId) -> String {
        let text = self.whole(id, self.default(id));
        match self.moved(id) {
            Some(moved) => bare(&text, &moved.name).to_owned(),
            None => text,
        }
    }

    /// What a control is called where nothing around says it; a macro, by what it moves.
    fn title(&self, id: ControlId) -> String {
        let name = id.control().name;
        match self.moved(id) {
            Some(moved) if !moved.name.is_empty() => format!("{} ({name})", moved.name),
            _ => name.to_owned(),
        }
    }

    /// The name and the value of a control where there is little room.
    fn short(&self, id: ControlId, value: f64) -> (String, String) {
        let Some(moved) = self.moved(id) else {
            return (
                short_name(id).to_owned(),
                brief(&self.text(id, value), self.in_force(id).is_some()),
            );
        };
        let text = (moved.format)(value);
        let value = brief(bare(&text, &moved.name), false);
        (cut(&moved.name, KNOB), cut(&value, KNOB))
    }

    /// Reads a value from text.
    pub fn read(&self, id: ControlId, text: &str) -> Result<f64, String> {
        match self.moved(id) {
            Some(moved) => {
                let error = || format!("{}: \"{text}\" is not a value", moved.name);
                (moved.parse)(text).ok_or_else(error)
            }
            None => {
                let text = typing::plain(text, id.control().unit());
                words::read(id, &text)
            }
        }
    }

    /// Whether a control waits for a MIDI controller.
    pub fn learns(&self, id: ControlId) -> bool {
        let is = |moves: &Moves| matches!(moves, Moves::Control(text) if text == id.control().id);
        self.hand.learning.as_ref().is_some_and(is)
    }

    /// The value of a choice or switch to show.
    pub fn index(&self, id: ControlId) -> usize {
        self.value(id) as usize
    }

    /// Whether a switch is on.
    pub fn is_on(&self, id: ControlId) -> bool {
        self.value(id) >= 0.5
    }

    /// The user takes hold of a control.
    pub fn take(&mut self, id: ControlId) {
        self.take_all(&[id]);
    }

    /// The user takes hold of controls that move together.
    pub fn take_all(&mut self, ids: &[ControlId]) {
        if ids.iter().all(|id| self.holds(*id)) {
            return;
        }
        let shown: Vec<f64> = ids.iter().map(|id| self.value(*id)).collect();
        self.hand.release(self.sink);
        for (id, shown) in ids.iter().zip(shown) {
            self.sink.begin(*id);
            self.hand.held.push(*id);
            // What was moved to long ago is not where it is taken hold of.
            self.remember(*id, shown);
        }
    }

    /// The user moves a control that is held.
    pub fn change(&mut self, id: ControlId, value: f64) {
        let value = id.control().snap(value);
        self.sink.set(id, value);
        if self.in_force(id).is_some() {
            self.hand.overruled = Some((id, self.now + SAID));
        }
        self.remember(id, value);
    }

    /// Shows this value until the host has taken it over.
    fn remember(&mut self, id: ControlId, value: f64) {
        let (held, now) = (&self.hand.held, self.now);
        let stays = |own: &ControlId, until: f64| held.contains(own) || now < until;
        self.hand
            .last
            .retain(|(own, _, until)| *own != id && stays(own, *until));
        self.hand.last.push((id, value, now + ECHO));
    }

    /// The user lets go.
    pub fn release(&mut self) {
        self.hand.release(self.sink);
    }

    /// Whether this control is held.
    pub fn holds(&self, id: ControlId) -> bool {
        self.hand.held.contains(&id)
    }

    /// A whole gesture at once: a click, a typed value, a default.
    pub fn jump(&mut self, id: ControlId, value: f64) {
        let held = self.holds(id);
        self.take(id);
        self.change(id, value);
        if !held {
            self.release();
        }
    }

    /// As [`Desk::jump`], where the control is elsewhere.
    pub fn bring(&mut self, id: ControlId, value: f64) {
        if self.value(id) != value || self.in_force(id).is_some() {
            self.jump(id, value);
        }
    }
}

/// Where is said whether a column scrolls: it has no room for all that is in it.
fn scrolling() -> egui::Id {
    egui::Id::unique("whether this column scrolls")
}

/// Says it of what is drawn next.
pub(super) fn say_scrolls(ui: &Ui, scrolls: bool) {
    ui.data_mut(|data| data.insert_temp(scrolling(), scrolls));
}

/// Whether what is drawn now stands in a column that scrolls.
fn does_scroll(ui: &Ui) -> bool {
    ui.data(|data| data.get_temp(scrolling())) == Some(true)
}

/// A macro's text without the name of what it moves.
fn bare<'a>(text: &'a str, name: &str) -> &'a str {
    text.strip_suffix(name).unwrap_or(text).trim_end()
}

/// A frequency from 1000 Hz on in kilohertz, in three digits; nothing for what is none.
fn in_kilohertz(text: &str) -> Option<String> {
    let hertz: f64 = text.strip_suffix(" Hz")?.parse().ok()?;
    let kilo = 1e-3 * hertz;
    let places = match kilo.abs() {
        kilo if kilo < 1.0 => return None,
        kilo if kilo < 10.0 => 2,
        kilo if kilo < 100.0 => 1,
        _ => 0,
    };
    let number = format!("{kilo:.places$}");
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => &number,
    };
    Some(format!("{number} kHz"))
}

/// A text in so many letters, for where there is no more room.
pub(super) fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let short: String = text.chars().take(letters.saturating_sub(2)).collect();
    short + ".."
}

/// A value in at most four digits that count, for where there is little room: all of it is in the tooltip, and in the
/// field that opens. One that moves by itself keeps its decimals.
fn brief(text: &str, moves: bool) -> String {
    let (whole, degrees) = match text.strip_suffix('\u{b0}') {
        Some(whole) => (whole, "\u{b0}"),
        None => (text, ""),
    };
    let (number, unit) = whole.split_once(' ').unwrap_or((whole, ""));
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let short = match number.parse::<f64>() {
        Ok(value) if value.is_finite() && digits > 4 => {
            let whole = value.abs().max(1.0).log10().floor() as usize + 1;
            let decimals = 4usize.saturating_sub(whole);
            let scale = 10f64.powi(decimals as i32);
            // What rounds to 0 has no sign.
            let value = (scale * value).round() / scale + 0.0;
            let text = format!("{value:.decimals$}");
            match text.contains('.') && !moves {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => number.to_owned(),
    };
    match unit {
        "" => short + degrees,
        "semitones" => short + " st",
        _ => format!("{short} {unit}"),
    }
}

/// How far a control's handle is, 0 to 1, on the curve that suits the hand: hosts' lanes are straight in the unit,
/// knobs give more room to where the ear is finer.
pub(super) fn position(id: ControlId, value: f64) -> f64 {
    let control = id.control();
    let (min, max) = control.range();
    match bend(id) {
        Bend::Ratio => (value.max(min) / min).ln() / (max / min).ln(),
        Bend::Power(power) => ((value - min) / (max - min))
            .clamp(0.0, 1.0)
            .powf(1.0 / power),
    }
    .clamp(0.0, 1.0)
}

/// The value at a position of the handle.
pub(super) fn at_position(id: ControlId, position: f64) -> f64 {
    let (min, max) = id.control().range();
    let position = position.clamp(0.0, 1.0);
    match bend(id) {
        Bend::Ratio => min * (max / min).powf(position),
        Bend::Power(power) => min + (max - min) * position.powf(power),
    }
}

enum Bend {
    /// Equal ratios for equal ways.
    Ratio,
    /// A power of the way; 1 is straight.
    Power(f64),
}

fn bend(id: ControlId) -> Bend {
    let Values::Number {
        min,
        max,
        unit,
        scale,
        ..
    } = id.control().values
    else {
        return Bend::Power(1.0);
    };
    match (scale, unit) {
        (Scale::Logarithmic, _) => Bend::Ratio,
        (_, "Hz") if min > 0.0 && max / min > 10.0 => Bend::Ratio,
        (_, "Hz") if min == 0.0 => Bend::Power(2.5),
        (_, "s" | "ms" | "min") if min == 0.0 => Bend::Power(3.0),
        (_, "s" | "m") => Bend::Ratio,
        _ => Bend::Power(1.0),
    }
}

/// Whether the control's middle is its natural zero: the handle's arc then begins there.
fn is_two_sided(id: ControlId) -> bool {
    let (min, max) = id.control().range();
    min == -max && max > 0.0 || matches!(bend(id), Bend::Ratio) && min * max == 1.0
}

/// A shorter name for a control beside those of its own group: "Layer 1 Level" among layer 1's is "Level".
pub(super) fn short_name(id: ControlId) -> &'static str {
    let control = id.control();
    if let Some(short) = words::short(id) {
        return short;
    }
    let rest = control.name.strip_prefix(control.group);
    match rest.map(str::trim_start) {
        Some(rest) if !rest.is_empty() => rest,
        _ => control.name,
    }
}

/// Tells assistive technology what a widget is: the host's name of the control and its value.
fn tell(response: &Response, id: ControlId, value: f64, text: &str, desk: &Desk) {
    let control = id.control();
    let text = match desk.learns(id) {
        true => format!("{text}, learns MIDI"),
        false => text.to_owned(),
    };
    response.widget_info(|| {
        let mut info = match control.values {
            Values::Number { .. } => WidgetInfo::slider(true, value, control.name),
            Values::Choice { .. } => WidgetInfo::labeled(Role::ComboBox, true, control.name),
            Values::Switch { .. } => {
                WidgetInfo::selected(Role::CheckBox, true, value >= 0.5, control.name)
            }
        };
        info.current_text_value = Some(text.clone());
        info
    });
}

/// What stands in place of a value while its control waits for a controller.
const LEARNS: &str = "MIDI ?";

/// Frames a widget whose control waits for a controller; whether it does.
fn learns(ui: &Ui, area: egui::Rect, id: ControlId, desk: &Desk) -> bool {
    let learns = desk.learns(id);
    if learns {
        let theme = super::theme::Theme::of(ui);
        let stroke = egui::Stroke::new(1.5, theme.beat);
        let inside = egui::StrokeKind::Inside;
        ui.painter().rect_stroke(area, 6.0, stroke, inside);
    }
    learns
}

/// The mark of a control that the protocol moves, and the accent that it has for that.
fn moved(painter: &egui::Painter, at: egui::Pos2, theme: &super::theme::Theme) -> egui::Color32 {
    painter.circle_filled(at, 2.5, theme.beat);
    theme.beat
}

/// What the tooltip of a control says: its value, what it does, its range, its default; whether the protocol moves it.
fn hint(ui: &mut Ui, id: ControlId, shown: &str, moved: bool, learns: bool, desk: &Desk) {
    let control = id.control();
    ui.strong(format!("{}: {shown}", control.name));
    if moved {
        let colour = super::theme::Theme::of(ui).beat;
        ui.colored_label(colour, "moved by the protocol");
    }
    if learns {
        let colour = super::theme::Theme::of(ui).beat;
        ui.colored_label(colour, "waits for a MIDI controller; Escape gives up");
    }
    ui.label(control.help);
    let default = desk.default_text(id);
    let text = match control.values {
        Values::Number { .. } => {
            let (min, max) = control.range();
            let (min, max) = (desk.whole(id, min), desk.whole(id, max));
            format!("{min} to {max}; normally {default}")
        }
        Values::Choice { .. } => {
            format!("{}; normally {default}", words::choices(id).join(", "))
        }
        Values::Switch { .. } => format!("normally {default}"),
    };
    ui.weak(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilohertz_take_less_room() {
        for (text, short) in [
            ("10100 Hz", Some("10.1 kHz")),
            ("1000 Hz", Some("1 kHz")),
            ("1234 Hz", Some("1.23 kHz")),
            ("20000 Hz", Some("20 kHz")),
            ("100000 Hz", Some("100 kHz")),
            ("999 Hz", None),
            ("-34 dB", None),
        ] {
            assert_eq!(in_kilohertz(text).as_deref(), short);
        }
    }

    #[test]
    fn what_has_little_room_has_four_digits() {
        for (text, short) in [
            ("-120.27\u{b0}", "-120.3\u{b0}"),
            ("0\u{b0}", "0\u{b0}"),
            ("-12.25 semitones", "-12.25 st"),
            ("-12.5 dB", "-12.5 dB"),
            ("19999.5 Hz", "20000 Hz"),
            ("2.50004", "2.5"),
            // A node's parameter a hair beside its default.
            ("0.00001 dB", "0 dB"),
            ("-0.00001 dB", "0 dB"),
            ("0.1234 s", "0.123 s"),
            ("silent", "silent"),
            ("A#3", "A#3"),
        ] {
            assert_eq!(brief(text, false), short);
        }
        assert_eq!(brief("-120.20\u{b0}", true), "-120.2\u{b0}");
        assert_eq!(brief("-12.50 dB", true), "-12.50 dB");
    }
}

#[cfg(test)]
mod desk_tests;
