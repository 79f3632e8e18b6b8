//! The protocol's page: points are dragged, added, typed and taken out, and every edit can be taken back.

use crate::stand::{Stand, Told};
use egui::{Event, Modifiers, Pos2, accesskit::Role, vec2};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls::{BEAT, CARRIER, L1_LEVEL, PROTOCOL_LOOP, PROTOCOL_ON};
use zeitgeber::engine::timeline::{Curve, Row};
use zeitgeber::engine::{ControlId, DeckLine, Order, Transport};
use zeitgeber::protocol::Protocol;

fn page() -> Stand {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    open(&mut stand);
    stand
}

fn open(stand: &mut Stand) {
    stand
        .harness
        .get_by_role_and_label(Role::Tab, "Protocol")
        .click();
    stand.steps(3);
}

/// A page with 10 Hz at the beginning, 6 Hz after five minutes, 4 Hz after ten.
fn filled() -> Stand {
    let mut stand = page();
    let list = serde_json::json!([
        {"at": 0, "beat": 10, "carrier": 200, "mine": "kept"},
        {"at": 300, "beat": 6, "curve": "linear"},
        {"at": 600, "beat": 4, "carrier": 150, "curve": "smooth"}
    ]);
    let protocol = Protocol::from_json(&list, &[], &mut Vec::new()).unwrap();
    stand
        .link
        .edit_session(|session| session.protocol = Some(protocol.into()));
    stand.steps(3);
    stand
}

fn rows(stand: &Stand) -> Vec<Row> {
    let protocol = stand.link.session().protocol;
    protocol.map_or_else(Vec::new, |protocol| protocol.rows().to_vec())
}

fn beats(stand: &Stand) -> Vec<(f64, f64)> {
    let rows = rows(stand).into_iter().filter(|row| row.control == BEAT);
    rows.map(|row| (row.seconds, row.value)).collect()
}

fn place(stand: &Stand, name: &str) -> Pos2 {
    stand.harness.get_by_label(name).rect().center()
}

#[test]
fn a_dragged_point_moves_its_row_in_one_step_that_can_be_taken_back() {
    let mut stand = filled();
    let before = stand.link.session().protocol.unwrap();
    let from = place(&stand, "Beat point 2");
    stand.drag(from, vec2(60.0, 0.0), Modifiers::NONE);
    let moved = beats(&stand);
    assert_eq!(moved[1].1, 6.0, "along the time only the time changes");
    assert!(moved[1].0 > 320.0 && moved[1].0 < 420.0, "{moved:?}");
    assert_eq!((moved[0], moved[2]), ((0.0, 10.0), (600.0, 4.0)));
    assert!(stand.params.told.borrow().contains(&Told::Touch));
    let document = stand.link.session().protocol.unwrap();
    assert_eq!(document.document()[0]["mine"], "kept");
    stand.harness.get_by_label("Undo").click();
    stand.steps(3);
    assert_eq!(stand.link.session().protocol.unwrap(), before);

    let from = place(&stand, "Beat point 2");
    stand.drag(from, vec2(0.0, -50.0), Modifiers::NONE);
    let moved = beats(&stand);
    assert_eq!(moved[1].0, 300.0, "up and down only the value changes");
    assert!(moved[1].1 > 8.0, "{moved:?}");
    // A point stays between its neighbours.
    let from = place(&stand, "Beat point 2");
    stand.drag(from, vec2(2000.0, 0.0), Modifiers::NONE);
    assert_eq!(beats(&stand)[1].0, 600.0);
}

#[test]
fn a_new_protocol_begins_at_the_beat_of_now() {
    let mut stand = page();
    stand.set(BEAT, 7.0);
    stand.harness.get_by_label("New protocol").click();
    stand.steps(4);
    assert_eq!(beats(&stand), [(0.0, 7.0), (600.0, 7.0)]);
    assert!(
        stand
            .params
            .told
            .borrow()
            .contains(&Told::Set(PROTOCOL_ON, 1.0))
    );
    for name in ["Protocol On", "Protocol Loop", "Play protocol"] {
        assert!(stand.harness.query_by_label(name).is_some(), "{name}");
    }
    stand.harness.get_by_label("Protocol Loop").click();
    stand.steps(2);
    assert_eq!(stand.params.values.borrow()[PROTOCOL_LOOP.index()], 1.0);
}

#[test]
fn a_double_click_adds_a_point_and_delete_takes_it_out() {
    let mut stand = filled();
    let second = place(&stand, "Beat point 2");
    let third = place(&stand, "Beat point 3");
    let at = second + 0.5 * (third - second) + vec2(0.0, -40.0);
    for _ in 0..2 {
        stand.hold(at, true);
        stand.hold(at, false);
    }
    stand.steps(3);
    let added = beats(&stand);
    assert_eq!(added.len(), 4, "{added:?}");
    assert!((added[2].0 - 450.0).abs() < 10.0, "{added:?}");
    stand.harness.get_by_label("Delete point").click();
    stand.steps(3);
    assert_eq!(beats(&stand).len(), 3);
}

#[test]
fn a_point_is_typed_exactly_and_what_cannot_be_played_changes_nothing() {
    let mut stand = filled();
    stand.harness.get_by_label("Beat point 2").click();
    stand.steps(2);
    for (field, text) in [("Point time", "4:30.5"), ("Point value", "5.125 Hz")] {
        enter(&mut stand, field, text);
    }
    assert_eq!(beats(&stand)[1], (270.5, 5.125));
    stand.harness.get_by_label("Curve: smooth").click();
    stand.steps(3);
    assert_eq!(rows(&stand)[2].curve, Curve::Smooth);
    enter(&mut stand, "Point value", "0");
    let before = rows(&stand);
    let said = stand.link.messages.changes();
    stand.harness.get_by_label("Curve: exponential").click();
    stand.steps(3);
    assert_eq!(rows(&stand), before);
    assert!(stand.link.messages.changes() > said, "it is said why");
    enter(&mut stand, "Point value", "nonsense");
    assert_eq!(rows(&stand), before);
}

fn enter(stand: &mut Stand, field: &str, text: &str) {
    let at = place(stand, field);
    stand.click(at);
    stand
        .harness
        .key_press_modifiers(Modifiers::COMMAND, egui::Key::A);
    stand.harness.event(Event::Text(text.to_owned()));
    stand.harness.step();
    stand.harness.key_press(egui::Key::Enter);
    stand.steps(3);
}

#[test]
fn a_lane_is_added_from_the_menu_and_filled() {
    let mut stand = filled();
    assert!(stand.harness.query_by_label("Carrier lane").is_some());
    stand.harness.get_by_label("Add lane").click();
    stand.steps(3);
    let at = stand
        .accessible()
        .into_iter()
        .find(|(name, role, _)| *role == Role::Button && name.starts_with("Layer 1"))
        .and_then(|(.., place)| place)
        .unwrap();
    stand.click(at.center());
    stand.steps(6);
    stand
        .harness
        .get_by_role_and_label(Role::Button, "Level")
        .click();
    stand.steps(4);
    // The menu goes before the lane can be reached.
    stand.harness.key_press(egui::Key::Escape);
    stand.steps(20);
    let lane = stand.harness.get_by_label("Layer 1 Level lane").rect();
    let at = lane.center() + vec2(80.0, 0.0);
    for _ in 0..2 {
        stand.hold(at, true);
        stand.hold(at, false);
    }
    stand.steps(3);
    let levels: Vec<Row> = rows(&stand)
        .into_iter()
        .filter(|row| row.control == L1_LEVEL)
        .collect();
    assert_eq!(levels.len(), 2, "it begins where the control stands");
    assert_eq!(levels[0].value, L1_LEVEL.control().default_value());
    assert!(rows(&stand).iter().any(|row| row.control == CARRIER));
}

/// The focus goes to a point, as the tab key brings it there.
fn focus(stand: &mut Stand, name: &str) {
    stand.harness.get_by_label(name).focus();
    stand.steps(3);
}

#[test]
fn arrows_move_a_point_and_delete_removes_it() {
    let mut stand = filled();
    focus(&mut stand, "Beat point 2");
    for key in [egui::Key::ArrowRight, egui::Key::ArrowUp] {
        stand.harness.key_press(key);
        stand.steps(3);
        assert!(stand.harness.get_by_label("Beat point 2").is_focused());
    }
    let (seconds, value) = beats(&stand)[1];
    assert!(seconds > 301.0 && seconds < 330.0, "{seconds}");
    assert!(value > 6.0 && value < 8.0, "{value}");
    stand
        .harness
        .key_press_modifiers(Modifiers::SHIFT, egui::Key::ArrowLeft);
    stand.steps(3);
    let finer = beats(&stand)[1].0;
    assert!(finer < seconds && finer > seconds - 3.0, "{finer}");
    // The focus has stayed, and delete takes that point out.
    stand.harness.key_press(egui::Key::Delete);
    stand.steps(3);
    assert_eq!(beats(&stand).len(), 2);
}

#[test]
fn tab_goes_from_point_to_point() {
    let mut stand = filled();
    focus(&mut stand, "Beat point 1");
    let mut reached = Vec::new();
    for _ in 0..4 {
        stand.harness.key_press(egui::Key::Tab);
        stand.steps(2);
        for name in ["Beat point 2", "Beat point 3", "Carrier point 1"] {
            let node = stand.harness.query_by_label(name);
            if node.is_some_and(|node| node.is_focused()) {
                reached.push(name);
            }
        }
    }
    assert!(
        reached.starts_with(&["Beat point 2", "Beat point 3"]),
        "{reached:?}"
    );
}

#[test]
fn looking_away_from_a_field_leaves_its_point_as_exact_as_it_was() {
    let mut stand = page();
    let exactly = 100.0 / 3.0;
    let list = serde_json::json!([
        {"at": 0, "beat": 10},
        {"at": exactly, "beat": exactly / 5.0, "curve": "linear"},
        {"at": 600, "beat": 4}
    ]);
    let protocol = Protocol::from_json(&list, &[], &mut Vec::new()).unwrap();
    stand
        .link
        .edit_session(|session| session.protocol = Some(protocol.into()));
    stand.steps(3);
    let before = rows(&stand);
    let changes = stand.link.session().changes;
    stand.harness.get_by_label("Beat point 2").click();
    stand.steps(2);
    for field in ["Point time", "Point value"] {
        let at = place(&stand, field);
        stand.click(at);
    }
    let at = place(&stand, "Play protocol");
    stand
        .harness
        .event(Event::PointerMoved(at + vec2(120.0, 2.0)));
    stand.click(at + vec2(120.0, 2.0));
    stand.steps(3);
    assert_eq!(rows(&stand), before);
    assert_eq!(stand.link.session().changes, changes);
}

#[test]
fn the_button_says_what_the_protocol_does() {
    let mut stand = filled();
    let named = |stand: &Stand, name: &str| stand.harness.query_by_label(name).is_some();
    assert!(named(&stand, "Play protocol"), "no engine is called yet");
    // On, and its time passes.
    let mut deck = sent(&stand);
    stand.set(PROTOCOL_ON, 1.0);
    stand.play(4);
    assert!(named(&stand, "Pause protocol"));
    deck.send(Order::Play(false)).unwrap();
    stand.play(4);
    assert!(named(&stand, "Play protocol"));
    // Looking at another page meanwhile makes it run no more than before.
    crate::reach::page(&mut stand, "Scope");
    stand.play(2);
    open(&mut stand);
    stand.play(2);
    assert!(named(&stand, "Play protocol"));
    deck.send(Order::Play(true)).unwrap();
    stand.play(4);
    assert!(named(&stand, "Pause protocol"));
    // A host that calls the engine no more plays nothing.
    stand.steps(20);
    assert!(named(&stand, "Play protocol"));
}

/// Gives the engine the page's protocol; the way there takes further orders.
fn sent(stand: &Stand) -> DeckLine {
    let protocol = stand.link.session().protocol.unwrap();
    let settings: Vec<_> = ControlId::all()
        .map(|id| (id, id.control().default_value()))
        .collect();
    let timeline = protocol.timeline(&settings, 48_000.0).unwrap();
    let mut deck = stand.params.engine.borrow_mut().take_deck().unwrap();
    deck.send(Order::Timeline(Some(timeline.into()))).unwrap();
    deck
}

/// A page whose engine has its protocol, and takes orders from it.
fn playing() -> Stand {
    let mut stand = filled();
    let deck = sent(&stand);
    *stand.params.deck.borrow_mut() = Some(deck);
    stand.play(4);
    stand
}

fn at(stand: &Stand) -> Option<f64> {
    stand.link.telemetry().unwrap().protocol()
}

#[test]
fn without_a_host_it_plays_waits_and_moves_from_the_page() {
    let mut stand = playing();
    assert_eq!(at(&stand), None, "it is off");
    // The play head is put somewhere, and there it begins.
    let ruler = stand.harness.get_by_label("Protocol position").rect();
    stand.click(ruler.center());
    let told = stand.params.told.take();
    let asked = told.iter().rev().find_map(|told| match told {
        Told::Seek(seconds) => Some(*seconds),
        _ => None,
    });
    let asked = asked.expect("a click seeks");
    assert!((250.0..400.0).contains(&asked), "{asked}");
    stand.play(30);
    stand.harness.get_by_label("Play protocol").click();
    stand.play(30);
    let begun = at(&stand).expect("it plays");
    assert!((asked..asked + 1.5).contains(&begun), "{begun}: {asked}");
    // It waits, and is dragged on meanwhile.
    stand.harness.get_by_label("Pause protocol").click();
    stand.play(10);
    let waits = at(&stand).unwrap();
    stand.play(30);
    assert_eq!(at(&stand), Some(waits));
    stand.drag(ruler.center(), vec2(60.0, 0.0), Modifiers::NONE);
    stand.play(10);
    let dragged = at(&stand).unwrap();
    assert!(dragged > waits + 20.0, "{dragged}");
    assert!(stand.harness.query_by_label("Play protocol").is_some());
    // Keys move it, too.
    focus(&mut stand, "Protocol position");
    stand.harness.key_press(egui::Key::ArrowLeft);
    stand.play(10);
    let earlier = at(&stand).unwrap();
    assert!(earlier < dragged && earlier > dragged - 20.0, "{earlier}");
    stand.harness.key_press(egui::Key::Home);
    stand.play(10);
    assert_eq!(at(&stand), Some(0.0));
    stand.harness.get_by_label("Play protocol").click();
    stand.play(30);
    assert!(at(&stand).unwrap() > 0.5);
}

#[test]
fn what_is_over_begins_anew() {
    let mut stand = playing();
    stand.harness.get_by_label("Play protocol").click();
    stand.play(10);
    stand.params.order(Order::Seek(600.0));
    stand.play(30);
    stand.harness.get_by_label("Play protocol").click();
    stand.play(30);
    let seconds = at(&stand).unwrap();
    assert!((0.1..2.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_hosts_transport_leads_and_the_page_says_so() {
    let mut stand = playing();
    let host = |playing, song_frames| Transport::Host {
        playing,
        song_frames,
        tempo: None,
    };
    stand.transport = host(false, Some(480_000));
    stand.set(PROTOCOL_ON, 1.0);
    stand.play(30);
    assert_eq!(at(&stand), Some(10.0));
    stand.params.told.take();
    for name in ["Play protocol", "Protocol position"] {
        let at = place(&stand, name);
        stand.click(at);
        stand.point(at + vec2(4.0, 0.0));
        stand.steps(40);
        let said = crate::shown::named(&stand, "leads the protocol");
        assert!(said, "{name}");
        stand.point(at + vec2(0.0, 200.0));
        stand.steps(20);
    }
    assert_eq!(stand.params.told.take(), []);
    // One that plays and tells no position does not.
    stand.transport = host(true, None);
    stand.play(4);
    stand.harness.get_by_label("Pause protocol").click();
    stand.play(4);
    let waits = at(&stand);
    stand.play(20);
    assert_eq!(at(&stand), waits);
}
