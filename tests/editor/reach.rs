//! Everything can be reached, by name and in one click; nothing overlaps or is cut off, at any size and zoom.

use crate::stand::Stand;
use egui::accesskit::Role;
use egui::{Rect, Shape};
use egui_kittest::kittest::Queryable;
use std::collections::BTreeSet;
use std::sync::Arc;
use zeitgeber::editor::Look;
use zeitgeber::editor::insert::{InsertChoice, InsertMacro, InsertStatus};
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::*;

const CARDS: [&str; 12] = [
    "Input", "Program", "Insert A", "Insert B", "Layer 1", "Layer 2", "Layer 3", "Layer 4",
    "Noise", "Space", "Session", "Output",
];
const PAGES: [&str; 6] = ["Scope", "Space", "Protocol", "Graph", "Presets", "Control"];

fn names(stand: &Stand) -> BTreeSet<String> {
    stand
        .accessible()
        .into_iter()
        .map(|(name, ..)| name)
        .collect()
}

fn card(stand: &mut Stand, name: &str) {
    stand
        .harness
        .get_by_role_and_label(Role::RadioButton, name)
        .click();
    stand.steps(3);
}

pub fn page(stand: &mut Stand, name: &str) {
    stand.harness.get_by_role_and_label(Role::Tab, name).click();
    stand.steps(3);
}

#[test]
fn every_parameter_is_reached_by_its_name() {
    for size in [(1100.0, 1100.0), (760.0, 1400.0)] {
        let mut stand = Stand::new(size, Look::default());
        let mut found = BTreeSet::new();
        for (source, note) in [(0.0, 0.0), (1.0, 1.0)] {
            stand.set(BEAT_SOURCE, source);
            stand.set(CARRIER_SOURCE, note);
            for name in CARDS {
                card(&mut stand, name);
                found.extend(names(&stand));
            }
            for name in PAGES {
                page(&mut stand, name);
                found.extend(names(&stand));
            }
        }
        let missing: Vec<&str> = ControlId::all()
            .map(|id| id.control().name)
            .filter(|name| !found.contains(*name))
            .collect();
        assert!(missing.is_empty(), "at {size:?}: {missing:?}");
    }
}

#[test]
fn what_matters_is_one_click_away() {
    for size in [(1100.0, 720.0), (760.0, 500.0)] {
        let fresh = || Stand::new(size, Look::default());
        let stand = fresh();
        assert!(names(&stand).contains("Beat"), "the beat is there already");
        for (open, reached) in [("Layer 3", "Layer 3 Level"), ("Output", "Ceiling On")] {
            let mut stand = fresh();
            card(&mut stand, open);
            assert!(names(&stand).contains(reached), "{open} at {size:?}");
        }
        for (open, reached) in [
            ("Space", "Speakers in space"),
            ("Protocol", "Protocol On"),
            ("Presets", "Search presets"),
            ("Graph", "Open layer1"),
            ("Control", "Head Yaw"),
        ] {
            let mut stand = fresh();
            page(&mut stand, open);
            assert!(
                names(&stand).contains(reached),
                "{open} at {size:?}: {:?}",
                names(&stand)
            );
        }
        let mut stand = fresh();
        stand.harness.get_by_label("Next preset").click();
        stand.steps(3);
        assert_eq!(stand.link.session().name, "Calm ten");
    }
}

/// Texts with where they are and where they may be.
fn texts(stand: &Stand) -> Vec<(String, Rect, Rect)> {
    fn collect(shape: &Shape, clip: Rect, found: &mut Vec<(String, Rect, Rect)>) {
        match shape {
            Shape::Text(text) if !text.galley.text().trim().is_empty() => {
                let area = text.galley.mesh_bounds.translate(text.pos.to_vec2());
                found.push((text.galley.text().to_owned(), area, clip));
            }
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for clipped in &stand.harness.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found
}

fn check(stand: &Stand, what: &str, wrong: &mut Vec<String>) {
    let texts = texts(stand);
    let visible: Vec<&(String, Rect, Rect)> = texts
        .iter()
        // What is scrolled away is not there; what is half scrolled away is no overlap.
        .filter(|(_, area, clip)| clip.expand(0.5).contains(area.center()))
        .collect();
    for (text, area, clip) in &visible {
        if area.left() < clip.left() - 1.0 || area.right() > clip.right() + 1.0 {
            wrong.push(format!("{what}: \"{text}\" is cut off"));
        }
    }
    for (index, (text, area, clip)) in visible.iter().enumerate() {
        for (other, place, _) in &visible[index + 1..] {
            let both = area.intersect(*place).intersect(*clip);
            if both.is_positive() && both.width() > 1.5 && both.height() > 2.5 {
                wrong.push(format!("{what}: \"{text}\" is under \"{other}\""));
            }
        }
    }
}

#[test]
fn nothing_overlaps_and_nothing_is_cut_off() {
    let mut wrong = Vec::new();
    for (size, zoom) in [
        ((760.0, 500.0), 0.75),
        ((760.0, 500.0), 2.0),
        ((980.0, 620.0), 1.0),
        ((1100.0, 720.0), 1.25),
        ((1600.0, 1000.0), 1.0),
    ] {
        let mut stand = Stand::new(size, Look { light: false, zoom });
        check(&stand, &format!("{size:?} x {zoom} fresh"), &mut wrong);
        for (control, value) in [
            (L1_KIND, 1.0),
            (L1_LEVEL, -13.37),
            (L2_KIND, 5.0),
            (PROG_KIND, 3.0),
            (NOISE_KIND, 2.0),
            (SPACE_KIND, 2.0),
            (ROOM, 0.5),
            (CARRIER, 1234.567),
            (BEAT, 12.345),
            (BEAT_SOURCE, 1.0),
            (CARRIER_SOURCE, 1.0),
        ] {
            stand.set(control, value);
        }
        // Whatever a node and its parameters are called.
        stand.link.edit_insert(0, |state| {
            state.choice = Some(InsertChoice::Node("a_node_of_a_long_name".to_owned()));
            state.status = InsertStatus::Sounds;
            state.name = "a_node_of_a_long_name".to_owned();
            let of_node = InsertMacro {
                name: "resonance_frequency".to_owned(),
                default: 0.5,
                format: Arc::new(|x| format!("{x:.6} semitones resonance_frequency")),
                parse: Arc::new(|_| None),
            };
            state.macros = vec![of_node; 4];
        });
        stand.play(20);
        for name in CARDS {
            card(&mut stand, name);
            check(
                &stand,
                &format!("{size:?} x {zoom} card {name}"),
                &mut wrong,
            );
        }
        for name in PAGES {
            page(&mut stand, name);
            check(
                &stand,
                &format!("{size:?} x {zoom} page {name}"),
                &mut wrong,
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_safety_note_comes_once_and_covers_everything() {
    let mut stand = Stand::with((1100.0, 720.0), Look::default(), false);
    assert!(names(&stand).contains("I understand"));
    // What is below it cannot be pressed.
    let at = stand.harness.get_by_label("Layer 2 on").rect().center();
    stand.click(at);
    assert_eq!(stand.params.values.borrow()[L2_KIND.index()], 0.0);
    stand.harness.get_by_label("I understand").click();
    stand.steps(3);
    assert!(!names(&stand).contains("I understand"));
    let kept = std::fs::read_to_string(stand.folder().join("editor.json")).unwrap();
    assert!(kept.contains("safety_read"));
}

#[test]
fn a_starter_is_one_click_and_leaves_the_scope_free() {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    let starter = stand
        .harness
        .get_by_role_and_label(Role::Button, "Pulse your music");
    starter.click();
    stand.steps(3);
    assert_eq!(stand.params.values.borrow()[PROG_KIND.index()], 1.0);
    assert!(!names(&stand).contains("Around your head"));
}

#[test]
fn the_ears_are_tested_one_at_a_time() {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    card(&mut stand, "Output");
    stand.harness.get_by_label("Test the right ear").click();
    stand.steps(2);
    let (mut left, mut right) = (vec![0.0f32; 48_000], vec![0.0f32; 48_000]);
    let mut engine = stand.params.engine.borrow_mut();
    engine.process(
        &mut left,
        &mut right,
        zeitgeber::engine::Transport::Absent,
        &[],
    );
    let peak = |ear: &[f32]| {
        ear.iter()
            .fold(0.0f32, |peak, sample| peak.max(sample.abs()))
    };
    assert_eq!(peak(&left), 0.0);
    assert!((peak(&right) - 0.05).abs() < 1e-3, "{}", peak(&right));
}

#[test]
fn theme_and_zoom_are_kept_in_the_state() {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    stand.harness.get_by_label("View").click();
    stand.steps(3);
    stand.harness.get_by_label("Light").click();
    stand.steps(3);
    stand.harness.get_by_label("150 %").click();
    stand.steps(3);
    let look = stand.link.look();
    assert!(look.light && look.zoom == 1.5);
    assert!(
        stand
            .params
            .told
            .borrow()
            .contains(&crate::stand::Told::Touch)
    );
}

#[test]
fn a_hundred_openings_leave_nothing_open() {
    let stand = Stand::new((760.0, 500.0), Look::default());
    let telemetry = stand.link.telemetry().unwrap();
    let link = stand.link.clone();
    drop(stand);
    assert!(!telemetry.display().is_open());
    for _ in 0..100 {
        let library = zeitgeber::protocol::Library::at("/nonexistent/presets");
        let mut panel = zeitgeber::editor::Panel::with_library(link.clone(), library);
        let context = egui::Context::default();
        for time in 0..2 {
            let input = egui::RawInput {
                time: Some(f64::from(time)),
                screen_rect: Some(Rect::from_min_size(
                    egui::Pos2::ZERO,
                    egui::vec2(760.0, 500.0),
                )),
                ..egui::RawInput::default()
            };
            let mut output = context.run_ui(input, |ui| panel.ui(ui, &crate::motion::Defaults));
            output.textures_delta.clear();
        }
        assert!(telemetry.display().is_open());
        drop(panel);
        assert!(!telemetry.display().is_open());
    }
    assert!(std::sync::Arc::strong_count(&telemetry) <= 3);
}

#[test]
fn a_sofa_file_is_chosen_by_its_path_and_the_host_told() {
    let mut stand = Stand::new((1100.0, 1400.0), Look::default());
    card(&mut stand, "Space");
    let field = stand.harness.get_by_label("Path of a SOFA file");
    field.focus();
    stand.steps(2);
    stand
        .harness
        .event(egui::Event::Text(" a.sofa ".to_owned()));
    stand.steps(2);
    stand.params.told.borrow_mut().clear();
    stand.harness.get_by_label("Load SOFA file").click();
    stand.steps(2);
    let choice = stand.link.hrtf().choice.unwrap();
    assert_eq!(choice.path, std::path::PathBuf::from("a.sofa"));
    stand.harness.get_by_label("Default HRTF").click();
    stand.steps(2);
    assert_eq!(stand.link.hrtf().choice, None);
    let touched = [crate::stand::Told::Touch, crate::stand::Told::Touch];
    assert_eq!(*stand.params.told.borrow(), touched);
}

#[test]
fn what_ardours_check_points_at_is_there() {
    let script = include_str!("../hosts/check_recording.py");
    let place = |name: &str| {
        let start = format!("{name} = (");
        let line = script.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("{name} is not in the script"));
        let (pair, _) = line[start.len()..].split_once(')').unwrap();
        let (x, y) = pair.split_once(", ").unwrap();
        egui::pos2(x.parse().unwrap(), y.parse().unwrap())
    };
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    stand.set(SPACE_KIND, 1.0);
    stand.play(4);
    for (name, role, label) in [
        ("BEAT", Role::Slider, "Beat"),
        ("CARRIER", Role::Slider, "Carrier"),
        ("SPACE_TAB", Role::Tab, "Space"),
        ("PROGRAM", Role::Slider, "Speakers in space"),
    ] {
        if name == "PROGRAM" {
            page(&mut stand, "Space");
        }
        let there = (stand.harness.get_by_role_and_label(role, label)).rect();
        assert!(there.contains(place(name)), "{name} is not in {there:?}");
    }
}
