//! Rows under a pointer and a keyboard, in egui without a window.

use super::super::testing::{Table, Told};
use super::*;
use crate::engine::controls::{BEAT, BYPASS, L1_KIND, L1_LEVEL};
use egui::{Context, Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2};

/// One row alone in a window, and the user in front of it.
struct Bench {
    context: Context,
    hand: Hand,
    table: Table,
    control: ControlId,
    time: f64,
}

impl Bench {
    fn new(control: ControlId) -> Bench {
        let mut bench = Bench {
            context: Context::default(),
            hand: Hand::default(),
            table: Table::default(),
            control,
            time: 0.0,
        };
        bench.frame([]);
        bench
    }

    fn frame(&mut self, events: impl IntoIterator<Item = Event>) {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0))),
            time: Some(self.time),
            events: events.into_iter().collect(),
            ..RawInput::default()
        };
        let mut output = self.context.run_ui(input, |ui| {
            row(ui, self.control, &mut self.hand, &self.table)
        });
        // There is no graphics card to hand the fonts to; egui wants that said.
        output.textures_delta.clear();
    }

    fn button(&mut self, at: Pos2, pressed: bool) {
        let modifiers = Modifiers::NONE;
        self.frame([
            Event::PointerMoved(at),
            Event::PointerButton {
                pos: at,
                button: PointerButton::Primary,
                pressed,
                modifiers,
            },
        ]);
    }

    fn click(&mut self, at: Pos2) {
        self.button(at, true);
        self.button(at, false);
        self.frame([]);
    }

    fn told(&self) -> Vec<Told> {
        std::mem::take(&mut *self.table.told.borrow_mut())
    }
}

const NAME_AT: Pos2 = pos2(20.0, 10.0);
const SLIDER_AT: Pos2 = pos2(200.0, 10.0);
const NUMBER_AT: Pos2 = pos2(335.0, 10.0);

#[test]
fn a_drag_is_one_gesture() {
    let mut bench = Bench::new(BEAT);
    bench.button(SLIDER_AT, true);
    for x in [210.0, 220.0, 240.0] {
        bench.frame([Event::PointerMoved(pos2(x, 10.0))]);
    }
    bench.button(pos2(240.0, 10.0), false);
    bench.frame([]);
    let told = bench.told();
    assert_eq!(told.first(), Some(&Told::Begin(BEAT)), "{told:?}");
    assert_eq!(told.last(), Some(&Told::End(BEAT)), "{told:?}");
    let inside = &told[1..told.len() - 1];
    assert!(inside.len() >= 3, "{told:?}");
    for step in inside {
        // What is set is a value that is displayed: snapped to a thousandth of a hertz.
        assert!(
            matches!(step, Told::Set(id, v) if *id == BEAT && *v == BEAT.control().snap(*v)),
            "{told:?}"
        );
    }
    bench.frame([]);
    assert_eq!(bench.told(), []);
}

#[test]
fn a_double_click_restores_the_default() {
    for at in [NAME_AT, SLIDER_AT] {
        let mut bench = Bench::new(BEAT);
        bench.table.set(BEAT, 42.0);
        bench.told();
        bench.click(at);
        bench.click(at);
        assert_eq!(bench.table.value(BEAT), 10.0, "at {at:?}");
        let told = bench.told();
        assert_eq!(told.last(), Some(&Told::End(BEAT)));
        let begun = told.iter().filter(|t| matches!(t, Told::Begin(_))).count();
        let ended = told.iter().filter(|t| matches!(t, Told::End(_))).count();
        assert_eq!(begun, ended, "{told:?}");
    }
}

fn type_in(control: ControlId, text: &str) -> (f64, Vec<Told>) {
    let mut bench = Bench::new(control);
    bench.click(NUMBER_AT);
    bench.frame([]);
    let key = |key, modifiers| Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers,
    };
    bench.frame([key(Key::A, Modifiers::COMMAND)]);
    bench.frame([Event::Text(text.to_owned())]);
    bench.frame([key(Key::Enter, Modifiers::NONE)]);
    bench.frame([]);
    (bench.table.value(control), bench.told())
}

#[test]
fn typed_values_with_units_are_gestures() {
    let (value, told) = type_in(BEAT, "6.3 Hz");
    assert_eq!(value, 6.3);
    assert_eq!(told.first(), Some(&Told::Begin(BEAT)), "{told:?}");
    assert_eq!(told.last(), Some(&Told::End(BEAT)), "{told:?}");
    assert_eq!(type_in(L1_LEVEL, "silent").0, -80.0);
    assert_eq!(type_in(BEAT, "1e9").0, 100.0);
    assert_eq!(type_in(BEAT, "schnell").0, 10.0);
}

#[test]
fn a_checkbox_is_a_whole_gesture() {
    let mut bench = Bench::new(BYPASS);
    bench.click(pos2(134.0, 10.0));
    assert_eq!(
        bench.told(),
        [
            Told::Begin(BYPASS),
            Told::Set(BYPASS, 1.0),
            Told::End(BYPASS)
        ]
    );
}

#[test]
fn a_list_offers_what_sounds() {
    let mut bench = Bench::new(L1_KIND);
    bench.click(pos2(160.0, 10.0));
    bench.frame([]);
    // The second entry of the list below the row.
    bench.click(pos2(160.0, 60.0));
    assert_eq!(
        bench.told(),
        [
            Told::Begin(L1_KIND),
            Told::Set(L1_KIND, 1.0),
            Told::End(L1_KIND)
        ]
    );
    assert_eq!(bench.table.value(L1_KIND), 1.0);
}
