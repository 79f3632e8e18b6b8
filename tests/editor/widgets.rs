//! Each widget under pointer, wheel, keyboard and menu, found by the name of its control: what the host is told.

use crate::stand::{Stand, Told};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, vec2};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls::*;
use zeitgeber::engine::{ControlId, Tempo, Transport};

fn stand() -> Stand {
    Stand::new((1100.0, 720.0), Look::default())
}

fn place(stand: &Stand, control: ControlId) -> Pos2 {
    let node = stand.harness.get_by_label(control.control().name);
    node.rect().center()
}

fn told(stand: &Stand) -> Vec<Told> {
    stand.params.told.take()
}

fn value(stand: &Stand, control: ControlId) -> f64 {
    stand.params.values.borrow()[control.index()]
}

/// The gestures of one control: begun, so many values, ended.
fn one_gesture(told: &[Told], control: ControlId) -> Vec<f64> {
    assert_eq!(told.first(), Some(&Told::Begin(control)), "{told:?}");
    assert_eq!(told.last(), Some(&Told::End(control)), "{told:?}");
    let inner = &told[1..told.len() - 1];
    inner
        .iter()
        .map(|told| match told {
            Told::Set(id, value) if *id == control => *value,
            other => panic!("{other:?} within a gesture of {}", control.control().id),
        })
        .collect()
}

#[test]
fn a_drag_is_one_gesture_and_finer_with_shift() {
    let mut stand = stand();
    for (control, by) in [
        (L1_RATIO, vec2(0.0, -40.0)),
        (L1_LEVEL, vec2(-60.0, 0.0)),
        (BEAT, vec2(0.0, -50.0)),
        (PHASE, vec2(30.0, 0.0)),
    ] {
        let before = value(&stand, control);
        let at = place(&stand, control);
        told(&stand);
        stand.drag(at, by, Modifiers::NONE);
        let values = one_gesture(&told(&stand), control);
        assert!(values.len() > 3, "{values:?}");
        let far = value(&stand, control);
        assert_ne!(far, before);
        assert_eq!(values.last(), Some(&far));
        assert_eq!(control.control().snap(far), far);
        stand.set(control, before);
        stand.steps(30);
        told(&stand);
        stand.drag(at, by, Modifiers::SHIFT);
        let near = value(&stand, control);
        one_gesture(&told(&stand), control);
        assert!(
            near != before && (near - before).abs() < 0.5 * (far - before).abs(),
            "{}: {before}, {far}, {near}",
            control.control().id
        );
        stand.set(control, before);
        stand.steps(30);
    }
}

#[test]
fn a_double_click_restores_the_default_and_the_wheel_steps() {
    let mut stand = stand();
    stand.set(L1_INTERVAL, 7.0);
    stand.steps(3);
    let at = place(&stand, L1_INTERVAL);
    stand.click(at);
    stand.click(at);
    assert_eq!(value(&stand, L1_INTERVAL), 0.0);
    told(&stand);
    stand.harness.event(Event::PointerMoved(at));
    stand.harness.step();
    stand.harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, 80.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    // A notch comes in many parts, and a turn of the wheel is over when none has come for a while: one gesture.
    stand.steps(60);
    assert!(
        value(&stand, L1_INTERVAL) > 0.5,
        "{}",
        value(&stand, L1_INTERVAL)
    );
    let told = told(&stand);
    let begun = told
        .iter()
        .filter(|t| matches!(t, Told::Begin(L1_INTERVAL)))
        .count();
    let ended = told
        .iter()
        .filter(|t| matches!(t, Told::End(L1_INTERVAL)))
        .count();
    assert_eq!((begun, ended), (1, 1));
}

/// Focuses a control and types.
fn type_text(stand: &mut Stand, control: ControlId, text: &str) {
    stand.harness.get_by_label(control.control().name).focus();
    stand.steps(2);
    stand.harness.key_press(Key::Enter);
    stand.steps(2);
    stand.harness.event(Event::Text(text.to_owned()));
    stand.steps(2);
    stand.harness.key_press(Key::Enter);
    stand.steps(3);
}

#[test]
fn values_are_typed_with_and_without_units_as_notes_and_divisions() {
    let mut stand = stand();
    type_text(&mut stand, BEAT, "6.3");
    assert_eq!(value(&stand, BEAT), 6.3);
    type_text(&mut stand, BEAT, "7.25 Hz");
    assert_eq!(value(&stand, BEAT), 7.25);
    type_text(&mut stand, CARRIER, "A3");
    assert_eq!(
        (value(&stand, CARRIER_SOURCE), value(&stand, CARRIER_NOTE)),
        (1.0, 57.0)
    );
    // The number is the note now, and takes both.
    type_text(&mut stand, CARRIER_NOTE, "300");
    assert_eq!(
        (value(&stand, CARRIER_SOURCE), value(&stand, CARRIER)),
        (0.0, 300.0)
    );
    type_text(&mut stand, BEAT, "1/8d");
    assert_eq!(value(&stand, BEAT_SOURCE), 1.0);
    assert_eq!(DIVISION.control().format(value(&stand, DIVISION)), "1/8d");
    type_text(&mut stand, CARRIER, "0.3 kHz");
    assert_eq!(value(&stand, CARRIER), 300.0);
    type_text(&mut stand, BEAT, "6,25");
    assert_eq!(value(&stand, BEAT), 6.25);
    type_text(&mut stand, L1_LEVEL, "-31.5 dB");
    assert_eq!(value(&stand, L1_LEVEL), -31.5);
    // Nonsense changes nothing and says why.
    told(&stand);
    type_text(&mut stand, L1_LEVEL, "loud");
    assert_eq!(told(&stand), []);
    assert!(
        stand
            .accessible()
            .iter()
            .any(|(name, ..)| name.contains("is not a value"))
    );
    stand.harness.key_press(Key::Escape);
    stand.steps(2);
    assert_eq!(value(&stand, L1_LEVEL), -31.5);
}

#[test]
fn keys_and_assistive_technology_move_what_has_the_focus() {
    let mut stand = stand();
    let before = value(&stand, L1_DUTY);
    stand.harness.get_by_label(L1_DUTY.control().name).focus();
    stand.steps(2);
    stand.harness.key_press(Key::ArrowUp);
    stand.steps(2);
    let up = value(&stand, L1_DUTY);
    assert!(up > before);
    stand.harness.key_press(Key::ArrowDown);
    stand.steps(2);
    assert!((value(&stand, L1_DUTY) - before).abs() < 0.02);
    stand.harness.key_press(Key::Delete);
    stand.steps(2);
    assert_eq!(value(&stand, L1_DUTY), 50.0);
}

#[test]
fn choices_and_switches_are_gestures_of_one_step() {
    let mut stand = stand();
    told(&stand);
    stand.harness.get_by_label("Layer 1 Wave: saw").click();
    stand.steps(2);
    assert_eq!(one_gesture(&told(&stand), L1_WAVE), [2.0]);
    stand
        .harness
        .get_by_label("Layer 1 Kind: isochronic")
        .click();
    stand.steps(2);
    assert_eq!(one_gesture(&told(&stand), L1_KIND), [3.0]);
    stand.harness.get_by_label(L1_SWAP.control().name).click();
    stand.steps(2);
    assert_eq!(one_gesture(&told(&stand), L1_SWAP), [1.0]);
    stand.harness.get_by_label("Layer 2 on").click();
    stand.steps(2);
    assert_eq!(one_gesture(&told(&stand), L2_KIND), [1.0]);
    stand.harness.get_by_label("Bypass").click();
    stand.steps(2);
    assert_eq!(one_gesture(&told(&stand), BYPASS), [1.0]);
}

#[test]
fn the_menu_resets_copies_and_pastes() {
    let mut stand = stand();
    stand.set(L1_DUTY, 30.0);
    stand.steps(3);
    let at = place(&stand, L1_DUTY);
    stand.menu(at);
    stand.harness.get_by_label("Copy value").click();
    stand.steps(3);
    stand.set(L1_DUTY, 70.0);
    stand.steps(3);
    stand.menu(at);
    stand.harness.get_by_label("Paste 30 %").click();
    stand.steps(3);
    assert_eq!(value(&stand, L1_DUTY), 30.0);
    stand.menu(at);
    stand.harness.get_by_label("Reset to 50 %").click();
    stand.steps(3);
    assert_eq!(value(&stand, L1_DUTY), 50.0);
}

#[test]
fn a_change_from_the_host_is_shown_and_a_gesture_outlives_its_echo() {
    let mut stand = stand();
    stand.set(L1_LEVEL, -40.0);
    stand.steps(2);
    let shown = |stand: &Stand| {
        let node = stand
            .harness
            .get_by_role_and_label(Role::Slider, L1_LEVEL.control().name);
        node.value()
    };
    assert_eq!(shown(&stand).as_deref(), Some("-40 dB"));
}

#[test]
fn undo_takes_a_gesture_back() {
    let mut stand = stand();
    let at = place(&stand, L1_RATIO);
    stand.drag(at, vec2(0.0, -60.0), Modifiers::NONE);
    assert_ne!(value(&stand, L1_RATIO), 1.0);
    stand.harness.get_by_label("Undo").click();
    stand.steps(3);
    assert_eq!(value(&stand, L1_RATIO), 1.0);
    stand.harness.get_by_label("Redo").click();
    stand.steps(3);
    assert_ne!(value(&stand, L1_RATIO), 1.0);
}

#[test]
fn a_click_that_changes_nothing_is_no_step_to_take_back() {
    let mut stand = stand();
    let can = |stand: &Stand| stand.link.history(|history| history.can());
    let at = place(&stand, L1_RATIO);
    stand.drag(at, vec2(0.0, -40.0), Modifiers::NONE);
    assert_eq!(can(&stand), (true, false));
    let undo = |stand: &mut Stand| {
        stand.harness.get_by_label("Undo").click();
        stand.steps(3);
    };
    undo(&mut stand);
    assert_eq!(can(&stand), (false, true));
    // Taken hold of and let go: what was taken back can still be done again.
    told(&stand);
    stand.drag(at, vec2(40.0, 40.0), Modifiers::NONE);
    let told = told(&stand);
    assert_eq!(told.first(), Some(&Told::Begin(L1_RATIO)), "{told:?}");
    assert_eq!(value(&stand, L1_RATIO), 1.0);
    assert_eq!(can(&stand), (false, true));
}

#[test]
fn what_is_typed_is_forgotten_with_its_page() {
    let mut stand = stand();
    crate::reach::page(&mut stand, "Control");
    let at = place(&stand, HEAD_YAW);
    stand.click(at);
    stand.harness.event(Event::Text("9".to_owned()));
    stand.steps(3);
    crate::reach::page(&mut stand, "Scope");
    crate::reach::page(&mut stand, "Control");
    // The knob shows its value again, and the text is nobody's.
    stand.harness.key_press(Key::Enter);
    stand.steps(3);
    assert_eq!(value(&stand, HEAD_YAW), 0.0);
    let typed = |name: &String| name.contains('9') && !name.contains(' ');
    assert!(!stand.accessible().iter().any(|(name, ..)| typed(name)));
}

#[test]
fn a_value_that_the_host_refuses_is_not_shown_for_long() {
    let mut stand = stand();
    let at = place(&stand, L1_RATIO);
    stand.drag(at, vec2(0.0, -40.0), Modifiers::NONE);
    stand.params.values.borrow_mut()[L1_RATIO.index()] = 1.0;
    let shown = |stand: &Stand| stand.harness.get_by_label("Layer 1 Ratio").value();
    let delay = |stand: &Stand| {
        let output = stand.harness.output().viewport_output.values();
        output.map(|viewport| viewport.repaint_delay).min().unwrap()
    };
    stand.steps(1);
    let own = shown(&stand);
    // The pointer goes away: nothing but this asks for a frame.
    stand.harness.event(Event::PointerGone);
    stand.steps(1);
    assert_eq!(shown(&stand), own);
    assert!(delay(&stand) < std::time::Duration::from_millis(300));
    stand.steps(40);
    assert_ne!(shown(&stand), own);
    assert!(delay(&stand) > std::time::Duration::from_secs(1), "at rest");
}

/// The text in the field that is open.
fn field(stand: &Stand) -> Option<String> {
    let fields = stand.harness.query_all_by_role(Role::TextInput);
    let mut values = fields.filter_map(|node| node.value());
    values.next_back()
}

/// Clicks the number of a control itself, at the left of its place.
fn number(stand: &Stand, control: ControlId) -> Pos2 {
    let rect = stand
        .harness
        .get_by_role_and_label(Role::Slider, control.control().name)
        .rect();
    match control {
        BEAT | CARRIER | CARRIER_NOTE => rect.left_center() + vec2(30.0, 0.0),
        L1_LEVEL => rect.right_top() + vec2(-30.0, 10.0),
        _ => rect.center_bottom() - vec2(0.0, 10.0),
    }
}

#[test]
fn a_number_is_clicked_and_left_as_it_is() {
    let mut stand = stand();
    stand.set(L1_KIND, 1.0);
    for (control, source, from, shown) in [
        (CARRIER_NOTE, CARRIER_SOURCE, 1.0, "220.000"),
        (BEAT, BEAT_SOURCE, 1.0, ""),
        (CARRIER, CARRIER_SOURCE, 0.0, "250.000"),
        (BEAT, BEAT_SOURCE, 0.0, "10.000"),
    ] {
        stand.set(CARRIER_NOTE, 57.0);
        stand.set(GLIDE, 0.0);
        stand.set(BEAT, 10.0);
        stand.set(source, from);
        stand.play(30);
        let before = stand.params.values.borrow().clone();
        let at = number(&stand, control);
        stand.click(at);
        let text = field(&stand).expect("a click opens the field");
        assert!(text.contains(shown), "{text} in place of {shown}");
        told(&stand);
        stand.steps(20);
        // Somewhere else.
        stand.click(egui::pos2(500.0, 300.0));
        stand.steps(20);
        assert_eq!(told(&stand), [], "{}", control.control().id);
        assert_eq!(*stand.params.values.borrow(), before);
        assert_eq!(field(&stand), None);
        // Escape gives up what was changed, too.
        stand.click(at);
        stand.harness.event(Event::Text("77".to_owned()));
        stand.steps(2);
        stand.harness.key_press(Key::Escape);
        stand.steps(20);
        assert_eq!(*stand.params.values.borrow(), before);
        stand.set(source, 0.0);
    }
}

#[test]
fn a_double_click_on_a_number_itself_resets_it() {
    let mut stand = stand();
    for (control, other) in [
        (BEAT, 7.0),
        (CARRIER, 300.0),
        (L1_RATIO, 2.0),
        (L1_LEVEL, -40.0),
    ] {
        stand.set(control, other);
        stand.steps(30);
        let at = number(&stand, control);
        for pressed in [true, false, true, false] {
            stand.hold(at, pressed);
        }
        stand.steps(20);
        let default = control.control().default_value();
        assert_eq!(value(&stand, control), default, "{}", control.control().id);
        assert_eq!(field(&stand), None);
        // Only one is the field's.
        stand.click(at);
        assert!(field(&stand).is_some());
        stand.harness.key_press(Key::Escape);
        stand.steps(20);
    }
}

/// A stand whose host plays at 120 quarters a minute.
fn in_tempo() -> Stand {
    let mut stand = stand();
    stand.transport = Transport::Host {
        playing: true,
        song_frames: None,
        tempo: Tempo::new(120.0, None, None),
    };
    stand.set(BEAT_SOURCE, 1.0);
    stand.set(L1_KIND, 1.0);
    stand.set(GLIDE, 0.0);
    stand.play(30);
    stand
}

#[test]
fn a_beat_that_follows_the_tempo_is_dragged_through_its_divisions() {
    let mut stand = in_tempo();
    let sounds = |stand: &Stand| stand.link.telemetry().unwrap().beat();
    assert!((sounds(&stand) - 2.0).abs() < 1e-9);
    let beat = place(&stand, BEAT);
    told(&stand);
    stand.drag(beat, vec2(0.0, -40.0), Modifiers::NONE);
    let values = one_gesture(&told(&stand), DIVISION);
    assert!(!values.is_empty());
    stand.play(30);
    let faster = sounds(&stand);
    assert!(faster > 2.5, "up is faster: {faster}");
    assert_eq!(
        (value(&stand, BEAT), value(&stand, BEAT_SOURCE)),
        (10.0, 1.0)
    );
    // One arrow and one notch are one division.
    stand.harness.get_by_label("Beat").focus();
    stand.steps(2);
    let before = value(&stand, DIVISION);
    stand.harness.key_press(Key::ArrowDown);
    stand.steps(3);
    assert_eq!(value(&stand, DIVISION), before + 1.0);
    stand.point(beat + vec2(0.0, 1.0));
    stand.steps(40);
    assert!(crate::shown::named(
        &stand,
        "a drag goes through the divisions"
    ));
    // What is typed is a frequency, or a division.
    type_text(&mut stand, BEAT, "1/2 dotted");
    assert_eq!(DIVISION.control().format(value(&stand, DIVISION)), "1/2d");
    // Without a tempo the own beat sounds, and moves.
    stand.transport = Transport::Absent;
    stand.play(30);
    assert!(crate::shown::named(&stand, "no tempo"));
    stand.drag(beat, vec2(0.0, -40.0), Modifiers::NONE);
    assert!(value(&stand, BEAT) > 10.0);
}

#[test]
fn a_carrier_of_notes_is_dragged_from_note_to_note_and_one_that_is_played_not_at_all() {
    let mut stand = stand();
    stand.set(CARRIER_SOURCE, 1.0);
    stand.play(4);
    let at = place(&stand, CARRIER_NOTE);
    told(&stand);
    stand.drag(at, vec2(0.0, -40.0), Modifiers::NONE);
    one_gesture(&told(&stand), CARRIER_NOTE);
    let note = value(&stand, CARRIER_NOTE);
    assert!(note > 57.0 && note.fract() == 0.0, "{note}");
    assert_eq!(value(&stand, CARRIER_SOURCE), 1.0);
    stand.set(CARRIER_SOURCE, 2.0);
    stand.play(4);
    told(&stand);
    stand.drag(at, vec2(0.0, -40.0), Modifiers::NONE);
    assert_eq!(told(&stand), []);
    stand.point(at + vec2(0.0, 2.0));
    stand.steps(40);
    assert!(crate::shown::named(
        &stand,
        "MIDI note that was played last"
    ));
}

/// A text, how large and where its first letter stands.
fn letters(stand: &Stand, text: &str) -> Vec<(f32, Pos2)> {
    let written = crate::shown::written(stand).into_iter();
    let same = written.filter(|shape| shape.galley.text() == text);
    same.map(|shape| {
        let size = shape.galley.job.sections[0].format.font_id.size;
        (size, shape.galley.mesh_bounds.min + shape.pos.to_vec2())
    })
    .collect()
}

#[test]
fn the_field_stands_where_the_number_stood() {
    for size in [(1100.0, 720.0), (1600.0, 1000.0)] {
        let mut stand = Stand::new(size, Look::default());
        stand.set(L1_KIND, 1.0);
        stand.set(L1_RATIO, 1.25);
        stand.set(L1_LEVEL, -33.5);
        stand.play(8);
        for (control, text) in [
            (BEAT, "10.000"),
            (CARRIER, "250.000"),
            (L1_RATIO, "1.25"),
            (L1_LEVEL, "-33.5 dB"),
        ] {
            let before = letters(&stand, text);
            let at = number(&stand, control);
            stand.click(at);
            assert_eq!(field(&stand).as_deref(), Some(text));
            let after = letters(&stand, text);
            assert_eq!(before.len(), after.len(), "{text}");
            for (was, is) in before.iter().zip(&after) {
                assert_eq!(was.0, is.0, "{text} has its size");
                assert!(was.1.distance(is.1) < 1.6, "{text}: {was:?}, {is:?}");
            }
            stand.harness.key_press(Key::Escape);
            stand.steps(20);
            assert_eq!(letters(&stand, text), before);
        }
    }
}

#[test]
fn what_learns_says_so_and_gives_up() {
    let mut stand = stand();
    let moves = |stand: &Stand| stand.link.control.learning();
    let shown = |stand: &Stand, control: ControlId| {
        let node = stand.harness.get_by_label(control.control().name);
        node.value().unwrap_or_default()
    };
    let line = "move a controller to learn it. Escape gives up.";
    for control in [L1_RATIO, L1_LEVEL, BEAT, L1_WAVE, L1_SWAP] {
        let name = control.control().name;
        let at = place(&stand, control);
        let learn = |stand: &mut Stand, entry: &str| {
            stand.menu(at);
            stand.harness.get_by_label(entry).click();
            stand.steps(3);
        };
        learn(&mut stand, "Learn MIDI");
        assert!(moves(&stand).is_some());
        assert!(shown(&stand, control).ends_with(", learns MIDI"), "{name}");
        let said = format!("{name}: {line}");
        assert!(crate::shown::named(&stand, &said), "{name}");
        let others = [L1_DUTY, CARRIER].iter();
        others.for_each(|other| assert!(!shown(&stand, *other).contains("MIDI")));
        stand.harness.key_press(Key::Escape);
        stand.steps(3);
        assert_eq!(moves(&stand), None, "{name}");
        assert!(!crate::shown::named(&stand, line));
        learn(&mut stand, "Learn MIDI");
        learn(&mut stand, "Stop learning MIDI");
        assert_eq!(moves(&stand), None, "{name}");
        assert!(!shown(&stand, control).contains("MIDI"), "{name}");
    }
    // On the knob itself, until something comes.
    let at = place(&stand, L1_RATIO);
    stand.menu(at);
    stand.harness.get_by_label("Learn MIDI").click();
    stand.steps(3);
    assert_eq!(letters(&stand, "MIDI ?").len(), 1);
    for value in [10, 20] {
        stand.link.control.midi(&[0xB3, 20, value]);
    }
    stand.steps(3);
    assert_eq!(letters(&stand, "MIDI ?").len(), 0);
}
