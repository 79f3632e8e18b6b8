//! The cards of inserts A and B.

use crate::stand::{Stand, Told};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use std::path::PathBuf;
use std::sync::Arc;
use zeitgeber::editor::Look;
use zeitgeber::editor::insert::{InsertChoice, InsertMacro, InsertStatus};
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{A_1, A_2, A_ON, INSERTS};

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
    click(&mut stand, "Amplitude");
    let chosen = Some(InsertChoice::Node("amplitude".to_owned()));
    assert_eq!(stand.link.insert_choices(), [None, chosen]);
    assert!(stand.link.insert(1).consent);
    assert!(stand.params.told.borrow().contains(&Told::Touch));
    assert!(says(&stand, "Amplitude is to come"));
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

/// As the instance does it: a node sounds, with the names and places of its macros.
fn sound(stand: &Stand, name: &str, defaults: &[f64]) {
    let macros = defaults.iter().map(|default| InsertMacro {
        name: "a".to_owned(),
        default: *default,
        format: Arc::new(|x| x.to_string()),
        parse: Arc::new(|text| text.parse().ok()),
    });
    let macros = macros.collect();
    stand.link.edit_insert(0, |state| {
        state.status = InsertStatus::Sounds;
        state.name = name.to_owned();
        state.macros = macros;
    });
}

fn macros(stand: &Stand) -> [f64; 4] {
    let values = stand.params.values.borrow();
    INSERTS[0].macros.map(|id| values[id.index()])
}

fn node(name: &str) -> Option<InsertChoice> {
    Some(InsertChoice::Node(name.to_owned()))
}

#[test]
fn choosing_loading_and_clearing_are_steps_to_take_back() {
    let mut stand = open("Insert A");
    click(&mut stand, "Built-in node of Insert A");
    click(&mut stand, "Amplitude");
    sound(&stand, "amplitude", &[0.25, 1.0]);
    stand.steps(3);
    assert_eq!(macros(&stand), [0.25, 1.0, 0.5, 0.5]);
    // The macros that went there are no steps of their own.
    click(&mut stand, "Undo");
    assert_eq!(stand.link.insert(0).choice, None);
    assert_eq!(macros(&stand), [0.5; 4]);
    click(&mut stand, "Redo");
    assert_eq!(stand.link.insert(0).choice, node("amplitude"));
    assert_eq!(macros(&stand), [0.25, 1.0, 0.5, 0.5]);
    sound(&stand, "amplitude", &[0.25, 1.0]);
    stand.steps(3);
    stand.set(A_1, 0.75);
    stand.set(A_2, 0.75);
    stand.steps(1);
    click(&mut stand, "Defaults of Insert A");
    click(&mut stand, "Undo");
    assert_eq!(macros(&stand), [0.75, 0.75, 0.5, 0.5]);
    click(&mut stand, "Clear Insert A");
    assert_eq!(stand.link.insert(0).choice, None);
    click(&mut stand, "Undo");
    assert_eq!(stand.link.insert(0).choice, node("amplitude"));
    // The two sounds that are compared hold a node each.
    click(&mut stand, "Sound B");
    click(&mut stand, "Built-in node of Insert A");
    click(&mut stand, "Gain");
    click(&mut stand, "Sound A");
    assert_eq!(stand.link.insert(0).choice, node("amplitude"));
    click(&mut stand, "Sound B");
    assert_eq!(stand.link.insert(0).choice, node("gain"));
}

/// A file that the user had loaded is theirs again, and what a project brought is the project's.
#[test]
fn what_is_taken_back_keeps_whose_it_was() {
    for consent in [false, true] {
        let mut stand = open("Insert A");
        stand.link.choose_insert(0, Some(file()), consent);
        stand.steps(2);
        click(&mut stand, "Built-in node of Insert A");
        click(&mut stand, "Gain");
        click(&mut stand, "Undo");
        let state = stand.link.insert(0);
        assert_eq!((state.choice, state.consent), (Some(file()), consent));
    }
}

#[test]
fn what_could_not_be_had_is_said_beside_the_field_and_the_node_stays() {
    let mut stand = open("Insert A");
    click(&mut stand, "Built-in node of Insert A");
    click(&mut stand, "Gain");
    sound(&stand, "gain", &[0.8]);
    stand.steps(3);
    let field = stand
        .harness
        .get_by_role_and_label(Role::TextInput, "Path of the file of Insert A");
    field.focus();
    field.type_text("/tmp/nope.dsp");
    stand.steps(2);
    click(&mut stand, "Load the file of Insert A");
    let held = stand.link.insert(0).before.map(|before| before.held);
    let held = held.map(|held| (held.choice, held.consent));
    assert_eq!(held, Some((node("gain").unwrap(), true)));
    // What the instance does then.
    stand.link.edit_insert(0, |state| {
        assert!(state.take_back("/tmp/nope.dsp: there is no such file"));
        state.status = InsertStatus::Sounds;
    });
    stand.steps(3);
    assert_eq!(stand.link.insert(0).choice, node("gain"));
    assert!(says(&stand, "\"Gain\" sounds") && says(&stand, "there is no such file"));
    let field = stand
        .harness
        .get_by_role_and_label(Role::TextInput, "Path of the file of Insert A");
    assert_eq!(
        field.accesskit_node().value().as_deref(),
        Some("/tmp/nope.dsp")
    );
    assert_eq!(macros(&stand), [0.8, 0.5, 0.5, 0.5]);
    // Said until something else is chosen.
    click(&mut stand, "Clear Insert A");
    assert!(!says(&stand, "there is no such file"));
}

#[test]
fn a_preset_that_says_nothing_of_inserts_leaves_them_alone() {
    let mut stand = open("Insert A");
    let presets = stand.folder().join("presets");
    std::fs::create_dir_all(&presets).unwrap();
    for (name, params) in [
        ("Silent", r#"{"beat": 7}"#),
        ("Says", r#"{"beat": 8, "a_1": 0.125}"#),
    ] {
        let text = format!(r#"{{"zeitgeber": 1, "name": "{name}", "params": {params}}}"#);
        std::fs::write(presets.join(format!("{name}.json")), text).unwrap();
    }
    click(&mut stand, "Built-in node of Insert A");
    click(&mut stand, "Amplitude");
    sound(&stand, "amplitude", &[0.25, 1.0]);
    let own = std::time::Instant::now() + std::time::Duration::from_secs(8);
    stand
        .harness
        .get_by_role_and_label(Role::Tab, "Presets")
        .click();
    stand.steps(3);
    while stand
        .harness
        .query_by_role_and_label(Role::RadioButton, "Silent")
        .is_none()
    {
        assert!(std::time::Instant::now() < own, "one's own are not read");
        stand.steps(2);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let load = |stand: &mut Stand, name: &str| {
        stand
            .harness
            .get_by_role_and_label(Role::RadioButton, name)
            .click();
        stand.steps(3);
    };
    load(&mut stand, "Silent");
    assert_eq!(macros(&stand), [0.25, 1.0, 0.5, 0.5]);
    assert_eq!(stand.link.insert(0).choice, node("amplitude"));
    // No difference, either.
    assert!(says(&stand, "Preset: Silent") && !says(&stand, "Silent, changed"));
    stand.set(A_1, 0.75);
    stand.steps(2);
    assert!(!says(&stand, "Silent, changed"));
    load(&mut stand, "Says");
    assert_eq!(macros(&stand), [0.125, 0.5, 0.5, 0.5]);
    assert_eq!(stand.link.insert(0).choice, node("amplitude"));
    stand.set(A_2, 0.75);
    stand.steps(2);
    assert!(says(&stand, "Says, changed"));
    // One step each.
    click(&mut stand, "Undo");
    assert_eq!(macros(&stand), [0.75, 1.0, 0.5, 0.5]);
}

/// A band between two edges, as the built-in one is.
fn band(stand: &Stand) {
    let hertz = |name: &str, default: f64| InsertMacro {
        name: name.to_owned(),
        default,
        format: {
            let name = name.to_owned();
            Arc::new(move |x| format!("{} Hz {name}", (20_000.0 * x).round()))
        },
        parse: Arc::new(|text| Some(text.split(' ').next()?.parse::<f64>().ok()? / 20_000.0)),
    };
    let macros = vec![hertz("low", 0.0), hertz("high", 1.0)];
    stand.link.edit_insert(0, |state| {
        state.status = InsertStatus::Sounds;
        state.name = "band_pass".to_owned();
        state.macros = macros;
    });
}

#[test]
fn a_macro_is_reset_to_where_the_node_has_it() {
    let mut stand = open("Insert A");
    stand.link.choose_insert(0, node("band_pass"), true);
    band(&stand);
    stand.set(A_2, 0.505);
    stand.steps(3);
    let knob = |stand: &Stand| {
        let knob = stand
            .harness
            .get_by_role_and_label(Role::Slider, "Insert A 2");
        knob.rect().center()
    };
    let at = knob(&stand);
    stand.menu(at);
    // By what it moves.
    assert!(says(&stand, "high (Insert A 2)"));
    assert!(!says(&stand, "Reset to 20000 Hz high"));
    click(&mut stand, "Reset to 20000 Hz");
    assert_eq!(macros(&stand)[1], 1.0);
    for value in [0.505, 0.25] {
        stand.set(A_2, value);
        stand.steps(20);
        let at = knob(&stand);
        for pressed in [true, false, true, false] {
            stand.hold(at, pressed);
        }
        stand.steps(2);
        assert_eq!(macros(&stand)[1], 1.0, "by a double click");
    }
    // One that moves nothing goes to the middle.
    stand.link.edit_insert(0, |state| state.macros.clear());
    let at = knob(&stand);
    stand.menu(at);
    click(&mut stand, "Reset to 0.5");
    assert_eq!(macros(&stand)[1], 0.5);
}

fn place(stand: &Stand, role: Role, name: &str) -> egui::Rect {
    stand.harness.get_by_role_and_label(role, name).rect()
}

/// Texts that are drawn, with where they are and how large they are.
fn texts(stand: &Stand) -> Vec<(String, egui::Rect)> {
    let shapes = stand.harness.output().shapes.iter();
    let texts = shapes.filter_map(|shape| match &shape.shape {
        egui::Shape::Text(text) => {
            let at = text.galley.rect.translate(text.pos.to_vec2());
            // What a fade or an edge takes away is not seen.
            Some((
                text.galley.text().to_owned(),
                at.intersect(shape.clip_rect),
                at,
            ))
        }
        _ => None,
    });
    let whole = texts.filter(|(_, seen, at)| (seen.width() - at.width()).abs() < 1.0);
    whole.map(|(text, _, at)| (text, at)).collect()
}

#[test]
fn the_card_is_tidy_at_every_size() {
    for size in [(760.0, 500.0), (1100.0, 720.0)] {
        let mut stand = Stand::new(size, Look::default());
        let names = ["gain", "band_pass"].map(str::to_owned).to_vec();
        stand.link.set_insert_names([names.clone(), names]);
        stand
            .harness
            .get_by_role_and_label(Role::RadioButton, "Insert A")
            .click();
        stand.steps(3);
        stand.link.choose_insert(0, node("band_pass"), true);
        band(&stand);
        stand.set(A_1, 0.05);
        stand.set(A_2, 0.505);
        stand.steps(20);
        // One right edge.
        let list = place(&stand, Role::ComboBox, "Built-in node of Insert A");
        let path = place(&stand, Role::TextInput, "Path of the file of Insert A");
        assert!(
            (list.right() - path.right()).abs() < 1.0,
            "{list:?} {path:?}"
        );
        // Names in words, whole on the strip too.
        let strip = place(&stand, Role::RadioButton, "Insert A");
        let drawn = texts(&stand);
        let on_strip = |at: &egui::Rect| strip.contains_rect(*at);
        let named = drawn
            .iter()
            .any(|(text, at)| text == "Band pass" && on_strip(at));
        assert!(named, "{size:?}: {drawn:?}");
        // Values stand apart.
        let find = |text: &str| {
            let mut found = drawn.iter().filter(|(other, _)| other == text);
            found
                .next()
                .unwrap_or_else(|| panic!("{text}: {drawn:?}"))
                .1
        };
        let (low, high) = (find("1 kHz"), find("10.1 kHz"));
        assert!(high.left() - low.right() >= 8.0, "{low:?} {high:?}");
        // All of it is to be seen, above the fade of what scrolls.
        for button in ["Defaults of Insert A", "Clear Insert A"] {
            let at = place(&stand, Role::Button, button);
            assert!(at.bottom() < strip.top() - 40.0, "{button} at {at:?}");
        }
        // Two lines in place of one move nothing.
        let clear = place(&stand, Role::Button, "Clear Insert A");
        stand.link.edit_insert(0, |state| {
            let why = "/tmp/a.dsp: there is no such file".to_owned();
            let (path, source) = (PathBuf::from("/tmp/a.dsp"), None);
            state.refused = Some((InsertChoice::File { path, source }, why));
        });
        stand.steps(3);
        assert!(says(&stand, "there is no such file"));
        assert_eq!(place(&stand, Role::Button, "Clear Insert A"), clear);
    }
}

/// Waits for the thread that asks.
fn wait(stand: &mut Stand, until: impl Fn(&Stand) -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !until(stand) {
        assert!(std::time::Instant::now() < end, "nothing comes");
        std::thread::sleep(std::time::Duration::from_millis(5));
        stand.steps(1);
    }
}

/// Whether a file can be asked for.
fn can_browse(stand: &Stand, insert: &str) -> bool {
    let name = format!("Browse for the file of {insert}");
    let button = stand.harness.get_by_role_and_label(Role::Button, &name);
    !button.accesskit_node().is_disabled()
}

#[test]
fn a_file_is_browsed_for() {
    let mut stand = open("Insert A");
    let path = PathBuf::from("/songs/warm.dsp");
    let answer = path.clone();
    stand.link.ask_by(Box::new(move |ask, _| {
        assert!(ask.endings.contains(&"dsp") && !ask.writes);
        Ok(Some(answer.clone()))
    }));
    click(&mut stand, "Browse for the file of Insert A");
    wait(&mut stand, |stand| stand.link.insert(0).choice.is_some());
    assert!(stand.link.insert(0).is_file(&path) && stand.link.insert(0).consent);
    // Given up: nothing is another.
    let changes = stand.link.insert(0).changes;
    let gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let theirs = gone.clone();
    stand.link.ask_by(Box::new(move |_, _| {
        theirs.store(true, std::sync::atomic::Ordering::SeqCst);
        Ok(None)
    }));
    click(&mut stand, "Browse for the file of Insert A");
    wait(&mut stand, |_| {
        gone.load(std::sync::atomic::Ordering::SeqCst)
    });
    // The window has heard of it when it lets ask again.
    wait(&mut stand, |stand| can_browse(stand, "Insert A"));
    assert_eq!(stand.link.insert(0).changes, changes);
    // Where there is no dialog it is said what to do.
    stand.link.ask_by(Box::new(|_, _| {
        Err("there is none: type a path here".to_owned())
    }));
    click(&mut stand, "Browse for the file of Insert A");
    wait(&mut stand, |stand| says(stand, "type a path here"));
    assert_eq!(stand.link.insert(0).changes, changes);
}

/// The window goes on while a dialog is open, and closes though it is.
#[test]
fn a_dialog_holds_nothing_up() {
    let mut stand = open("Insert A");
    stand.link.ask_by(Box::new(|_, stop| {
        while !stop.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Ok(None)
    }));
    click(&mut stand, "Browse for the file of Insert A");
    click(&mut stand, "Built-in node of Insert A");
    click(&mut stand, "Gain");
    assert_eq!(stand.link.insert(0).choice, node("gain"));
    let began = std::time::Instant::now();
    drop(stand);
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}

/// A dialog whose card is closed ends: it answers nothing later, and holds no other field up.
#[test]
fn a_dialog_goes_with_its_card() {
    let mut stand = open("Insert A");
    let (said, ended) = std::sync::mpsc::channel();
    stand.link.ask_by(Box::new(move |_, stop| {
        while !stop.load(std::sync::atomic::Ordering::SeqCst) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let _ = said.send(());
        Ok(Some(PathBuf::from("/songs/late.dsp")))
    }));
    click(&mut stand, "Browse for the file of Insert A");
    assert!(!can_browse(&stand, "Insert A"));
    click(&mut stand, "Insert B");
    assert!(can_browse(&stand, "Insert B"));
    let soon = std::time::Duration::from_secs(10);
    assert!(ended.recv_timeout(soon).is_ok(), "it was not ended");
    click(&mut stand, "Insert A");
    std::thread::sleep(std::time::Duration::from_millis(20));
    stand.steps(3);
    assert!(can_browse(&stand, "Insert A"));
    assert_eq!(stand.link.insert(0).choice, None);
    assert_eq!(stand.link.insert(1).choice, None);
}
