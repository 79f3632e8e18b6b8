//! The page of control: what is asked of trackers, OSC and MIDI is taken, and the host told.

use crate::stand::{Stand, Told};
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use zeitgeber::control::{Moves, MrMode, QuaternionOrder};
use zeitgeber::editor::Look;

fn page() -> Stand {
    let mut stand = Stand::new((1100.0, 1100.0), Look::default());
    stand
        .harness
        .get_by_role_and_label(Role::Tab, "Control")
        .click();
    stand.steps(3);
    stand.params.told.borrow_mut().clear();
    stand
}

fn press(stand: &mut Stand, name: &str) {
    stand
        .harness
        .get_by_role_and_label(Role::Button, name)
        .click();
    stand.steps(3);
}

#[test]
fn ports_and_axes_are_asked_for_and_the_host_told() {
    let mut stand = page();
    for name in [
        "Listen to OSC",
        "OSC from the network",
        "OSC feedback",
        "Listen to opentrack",
        "Invert pitch",
        "Supperware",
        "MIDI pickup",
    ] {
        press(&mut stand, name);
    }
    for (list, entry) in [
        ("Axes", "yaw, roll, pitch"),
        ("Quaternion order", "x y z w"),
        ("MrHeadTracker", "w x y z"),
    ] {
        let list = (stand.harness).get_by_role_and_label(Role::ComboBox, list);
        list.click();
        stand.steps(3);
        let entries = (stand.harness).get_all_by_role_and_label(Role::Button, entry);
        entries.last().unwrap().click();
        stand.steps(3);
    }
    let settings = stand.link.control.settings();
    assert!(settings.osc && settings.anywhere && settings.feedback && settings.opentrack);
    assert!(settings.supperware && settings.order == QuaternionOrder::Xyzw);
    assert_eq!(settings.head.invert, [false, true, false]);
    assert_eq!(settings.head.axes, [0, 2, 1]);
    assert_eq!(settings.mr_mode, MrMode::Quaternion);
    let touched = stand
        .params
        .told
        .borrow()
        .iter()
        .filter(|told| **told == Told::Touch)
        .count();
    assert_eq!(touched, 10);
    press(&mut stand, "Listen to OSC");
    assert!(!stand.link.control.settings().osc);
}

#[test]
fn what_a_project_asks_for_beyond_this_machine_waits_for_a_click() {
    let mut stand = page();
    let osc = r#"{"osc": true, "port": 9009, "anywhere": true}"#;
    let saved = [("osc".to_owned(), osc.to_owned())];
    stand.link.control.restore(saved.into());
    stand.steps(3);
    assert_eq!(stand.link.control.status().asks.len(), 1);
    press(&mut stand, "Listen to opentrack");
    press(&mut stand, "Allow to hear other machines at UDP port 4242");
    assert_eq!(stand.link.control.status().asks.len(), 1);
    press(&mut stand, "Allow to hear other machines at UDP port 9009");
    assert!(stand.link.control.status().asks.is_empty());
}

#[test]
fn drawing_the_page_changes_nothing_that_a_project_says() {
    let mut stand = page();
    // Within what is usable, beyond what a drag goes to.
    let osc = r#"{"port": 999, "opentrack_port": 80, "head": {"timeout": 300.0, "prediction": 0.0123456}}"#;
    stand
        .link
        .control
        .restore([("osc".to_owned(), osc.to_owned())].into());
    let before = stand.link.control.settings();
    assert_eq!((before.port, before.opentrack_port), (999, 80));
    assert_eq!(
        (before.head.timeout, before.head.prediction),
        (300.0, 0.012_345_6)
    );
    stand.steps(5);
    assert_eq!(stand.link.control.settings(), before);
    assert!(stand.params.told.borrow().is_empty());
}

#[test]
fn a_controller_is_learned_from_a_knobs_menu_and_forgotten_on_the_page() {
    let mut stand = page();
    let at = stand.harness.get_by_label("Layer 1 Ratio").rect().center();
    stand.menu(at);
    stand.harness.get_by_label("Learn MIDI").click();
    stand.steps(3);
    let wanted = Some(Moves::Control("l1_ratio".into()));
    assert_eq!(stand.link.control.status().learning, wanted);
    // Controller 20 on channel 4.
    for value in [10, 20, 30] {
        stand.link.control.midi(&[0xB3, 20, value]);
    }
    let learned = stand.link.control.map().entries;
    assert_eq!(learned.len(), 1, "{learned:?}");
    stand.steps(3);
    press(&mut stand, "Forget Layer 1 Ratio");
    assert!(stand.link.control.map().entries.is_empty());
}

#[test]
fn a_port_counts_when_it_is_let_go_of() {
    let mut stand = page();
    let at = stand.harness.get_by_label("OSC port").rect().center();
    let before = stand.link.control.settings().port;
    stand.hold(at, true);
    for step in 1..=20 {
        let at = at + egui::vec2(10.0 * step as f32, 0.0);
        stand.point(at);
        assert_eq!(stand.link.control.settings().port, before);
    }
    stand.hold(at + egui::vec2(200.0, 0.0), false);
    stand.steps(3);
    assert!(stand.link.control.settings().port > before);
    let touched = stand.params.told.borrow();
    let touched = touched.iter().filter(|told| **told == Told::Touch);
    assert_eq!(touched.count(), 1);
}
