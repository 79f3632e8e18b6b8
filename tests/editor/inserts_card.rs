//! The cards of inserts A and B.

use crate::stand::{Stand, Told};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::PathBuf;
use std::sync::Arc;
use zeitgeber::editor::Look;
use zeitgeber::editor::insert::{InsertChoice, InsertMacro, InsertStatus};
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{A_1, A_ON};

/// A window with the card of insert A or B open.
fn open(name: &str) -> Stand {
    let mut stand = Stand::new((1100.0, 900.0), Look::default());
    let names = ["gain", "amplitude"].map(str::to_owned).to_vec();
    stand.link.set_insert_names([names.clone(), names]);
    stand
        .harness
        .get_by_role_and_label(Role::RadioButton, name)
        .click();
    stand.steps(3);
    stand
}

fn click(stand: &mut Stand, name: &str) {
    stand.harness.get_by_label(name).click();
    stand.steps(3);
}

fn file() -> InsertChoice {
    InsertChoice::File {
        path: PathBuf::from("/songs/shimmer.dsp"),
        source: Some("process = _;".to_owned()),
    }
}

/// Whether something on the page says this.
fn says(stand: &Stand, text: &str) -> bool {
    let found = stand.harness.query_all_by_label_contains(text);
    found.count() > 0
}

#[test]
fn a_built_in_node_is_chosen_and_cleared() {
    let mut stand = open("Insert B");
    assert!(says(&stand, "It holds nothing"));
    click(&mut stand, "Built-in node of Insert B");
    click(&mut stand, "amplitude");
    let chosen = Some(InsertChoice::Node("amplitude".to_owned()));
    assert_eq!(stand.link.insert_choices(), [None, chosen]);
    assert!(stand.link.insert(1).consent);
    assert!(stand.params.told.borrow().contains(&Told::Touch));
    assert!(says(&stand, "amplitude is to come"));
    click(&mut stand, "Clear Insert B");
    assert_eq!(stand.link.insert_choices(), [None, None]);
}

#[test]
fn a_path_is_typed_and_loaded() {
    let mut stand = open("Insert A");
    let field = stand
        .harness
        .get_by_role_and_label(Role::TextInput, "Path of the file of Insert A");
    field.focus();
    field.type_text("/songs/warm.cpp");
    stand.steps(2);
    click(&mut stand, "Load the file of Insert A");
    let chosen = InsertChoice::File {
        path: PathBuf::from("/songs/warm.cpp"),
        source: None,
    };
    assert_eq!(stand.link.insert(0).choice, Some(chosen));
    assert!(stand.link.insert(0).consent);
}

#[test]
fn what_a_project_brings_waits_for_a_click() {
    let mut stand = open("Insert A");
    stand.link.choose_insert(0, Some(file()), false);
    stand.link.edit_insert(0, |state| {
        state.status = InsertStatus::NeedsConsent;
        state.asked = Some(7);
        state.needs = vec!["half.lib".to_owned()];
    });
    stand.steps(3);
    assert!(says(&stand, "has not been compiled on this machine"));
    assert!(says(&stand, "draws in half.lib"));
    // Who is asked can look at it.
    click(&mut stand, "Source of Insert A");
    stand.steps(20);
    assert!(says(&stand, "process = _;"));
    assert_eq!(stand.link.insert(0).allowed, None);
    click(&mut stand, "Compile the node of Insert A");
    let state = stand.link.insert(0);
    assert!(state.allowed == Some(7) && !state.consent);
    // Of another choice nothing is allowed.
    stand.link.choose_insert(0, Some(file()), false);
    assert_eq!(stand.link.insert(0).allowed, None);
}

#[test]
fn errors_and_work_are_shown() {
    let mut stand = open("Insert A");
    stand.link.choose_insert(0, Some(file()), true);
    for (status, text) in [
        (InsertStatus::Compiling, "Compiling /songs/shimmer.dsp"),
        (
            InsertStatus::Failed("/songs/shimmer.dsp:3: undefined symbol".to_owned()),
            "shimmer.dsp:3: undefined symbol",
        ),
        (InsertStatus::Tripped, "Switch the insert off and on"),
        (InsertStatus::Sounds, "sounds"),
    ] {
        stand
            .link
            .edit_insert(0, |state| state.status = status.clone());
        stand.steps(3);
        assert!(says(&stand, text), "{text}");
    }
}

#[test]
fn what_sounds_meanwhile_is_said_and_what_does_not_is_not() {
    let mut stand = open("Insert A");
    stand.link.choose_insert(0, Some(file()), true);
    let failed = InsertStatus::Failed("it is broken".to_owned());
    stand.link.edit_insert(0, |state| {
        state.status = failed.clone();
        state.name = "shimmer".to_owned();
    });
    stand.steps(3);
    assert!(says(&stand, "\"shimmer\" sounds on"));
    stand.link.edit_insert(0, |state| state.name.clear());
    stand.steps(3);
    assert!(!says(&stand, "sounds on"));
}

/// A node that the user chooses sounds as its author meant it: the macros go there, those that nobody has moved since.
#[test]
fn the_macros_go_to_where_a_chosen_node_begins() {
    let mut stand = open("Insert B");
    let macros = zeitgeber::engine::controls::INSERTS[0].macros;
    let before = [0.5; 4];
    let value = |stand: &Stand, id: ControlId| stand.params.values.borrow()[id.index()];
    stand.link.choose_insert(0, Some(file()), true);
    let moved = |default| InsertMacro {
        name: "a".to_owned(),
        default,
        format: Arc::new(|x| x.to_string()),
        parse: Arc::new(|_| None),
    };
    stand.link.edit_insert(0, |state| {
        state.fresh = Some(before);
        state.macros = vec![moved(0.25), moved(1.0)];
    });
    stand.set(macros[1], 0.6);
    stand.steps(3);
    // Not before it is there.
    assert_eq!(value(&stand, macros[0]), 0.5);
    stand
        .link
        .edit_insert(0, |state| state.status = InsertStatus::Sounds);
    stand.steps(3);
    assert_eq!(macros.map(|id| value(&stand, id)), [0.25, 0.6, 0.5, 0.5]);
    // Once.
    stand.set(macros[0], 0.5);
    stand.steps(3);
    assert_eq!(value(&stand, macros[0]), 0.5);
}

#[test]
fn macros_have_the_names_and_values_of_the_node() {
    let mut stand = open("Insert A");
    stand.link.choose_insert(0, Some(file()), true);
    stand.link.edit_insert(0, |state| {
        state.status = InsertStatus::Sounds;
        state.name = "shimmer".to_owned();
        state.macros = vec![InsertMacro {
            name: "cutoff".to_owned(),
            default: 0.75,
            format: Arc::new(|x| format!("{} Hz cutoff", (1000.0 * x).round())),
            parse: Arc::new(|text| Some(text.split(' ').next()?.parse::<f64>().ok()? / 1000.0)),
        }];
    });
    stand.steps(3);
    assert!(says(&stand, "\"shimmer\" sounds"));
    let text = |stand: &Stand, name: &str| {
        let knob = stand.harness.get_by_role_and_label(Role::Slider, name);
        knob.accesskit_node().value().unwrap_or_default()
    };
    assert_eq!(text(&stand, "Insert A 1"), "500 Hz cutoff");
    assert_eq!(text(&stand, "Insert A 2"), "0.5");
    stand.set(A_1, 0.25);
    stand.steps(2);
    assert_eq!(text(&stand, "Insert A 1"), "250 Hz cutoff");
    click(&mut stand, "Defaults of Insert A");
    assert_eq!(text(&stand, "Insert A 1"), "750 Hz cutoff");
    // On and off, from the card too.
    click(&mut stand, "Insert A on");
    let values = stand.params.values.borrow();
    assert_eq!(values[A_ON.index()], 0.0);
}
