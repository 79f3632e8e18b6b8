//! The graph's page: groups open, nodes are listened to, and the output is what is heard after it.

use crate::shown::seen;
use crate::stand::Stand;
use egui::accesskit::Role;
use egui::{Rect, Shape};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;

fn press(stand: &mut Stand, role: Role, name: &str) {
    stand.harness.get_by_role_and_label(role, name).click();
    stand.steps(3);
}

fn page() -> Stand {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    press(&mut stand, Role::Tab, "Graph");
    stand
}

fn looks_at(stand: &Stand) -> Option<String> {
    let place = stand.link.telemetry()?.display().looks_at()?;
    Some(stand.link.chain()?.places[place].clone())
}

#[test]
fn a_node_is_listened_to_until_it_is_clicked_again() {
    let mut stand = page();
    press(&mut stand, Role::Button, "Open layer1");
    press(&mut stand, Role::Button, "layer1_a_sine");
    assert_eq!(looks_at(&stand).as_deref(), Some("layer1_a_sine"));
    press(&mut stand, Role::Button, "layer1_a_sine");
    assert_eq!(looks_at(&stand), None);
    press(&mut stand, Role::Button, "Close all groups");
    press(&mut stand, Role::Button, "in");
    assert_eq!(looks_at(&stand).as_deref(), Some("in"));
    press(&mut stand, Role::Button, "Output");
    assert_eq!(looks_at(&stand), None);
}

#[test]
fn the_scope_says_what_it_shows_and_other_pages_are_of_the_output() {
    let mut stand = page();
    press(&mut stand, Role::Button, "in");
    press(&mut stand, Role::Tab, "Scope");
    assert_eq!(looks_at(&stand).as_deref(), Some("in"));
    assert!(stand.harness.query_by_label("showing in").is_some());
    press(&mut stand, Role::Button, "Show the output");
    assert_eq!(looks_at(&stand), None);
    assert!(stand.harness.query_by_label("showing in").is_none());
    press(&mut stand, Role::Tab, "Graph");
    press(&mut stand, Role::Button, "in");
    press(&mut stand, Role::Tab, "Protocol");
    assert_eq!(looks_at(&stand), None);
}

/// The texts in a box, from above, with their colours.
fn texts(stand: &Stand, name: &str) -> Vec<(String, egui::Color32)> {
    let place = stand.harness.get_by_label(name).rect();
    let all = seen(stand)
        .into_iter()
        .filter_map(|(shape, at)| match shape {
            Shape::Text(text) if place.contains(at.center()) => {
                Some((text.galley.text().to_owned(), text.fallback_color))
            }
            _ => None,
        });
    all.collect()
}

#[test]
fn what_an_insert_holds_is_seen_in_its_box_and_on_its_closed_group() {
    use zeitgeber::editor::insert::{InsertChoice, InsertStatus};
    let mut stand = page();
    let names = |stand: &Stand, name| texts(stand, name).into_iter().map(|(text, _)| text);
    let has = |stand: &Stand, name, text: &str| names(stand, name).any(|found| found == text);
    assert!(has(&stand, "Open program", "3 nodes"));
    let node = InsertChoice::Node("gain".to_owned());
    stand.link.choose_insert(0, Some(node), true);
    stand.link.edit_insert(0, |state| {
        (state.status, state.name) = (InsertStatus::Sounds, "gain".to_owned());
    });
    stand.steps(3);
    assert!(!has(&stand, "Open program", "3 nodes"));
    assert_eq!(names(&stand, "Open program").count(), 2);
    let failed = InsertStatus::Failed("no such file".to_owned());
    stand.link.edit_insert(0, |state| state.status = failed);
    stand.steps(3);
    assert!(has(&stand, "Open program", "failed"));
    press(&mut stand, Role::Button, "Open program");
    assert!(has(&stand, "insert_a", "failed") && has(&stand, "insert_a", "insert a"));
}

#[test]
fn what_is_turned_off_is_fainter() {
    let mut stand = page();
    let colour = |stand: &Stand| texts(stand, "Open layer1")[0].1;
    let off = colour(&stand);
    stand.set(zeitgeber::engine::controls::L1_KIND, 1.0);
    stand.steps(4);
    assert_ne!(colour(&stand), off);
}

#[test]
fn every_node_of_the_engine_is_reached() {
    let mut stand = page();
    let chain = stand.link.chain().unwrap();
    assert!(chain.places.len() > 100);
    let buttons = |stand: &Stand| -> Vec<String> {
        let all = stand.accessible().into_iter();
        let buttons = all.filter(|(_, role, _)| *role == Role::Button);
        buttons.map(|(name, ..)| name).collect()
    };
    let mut found = buttons(&stand);
    let groups = found.iter().filter(|name| name.starts_with("Open "));
    let groups: Vec<String> = groups.cloned().collect();
    assert!(groups.len() > 6, "{groups:?}");
    for group in groups {
        press(&mut stand, Role::Button, &group);
        found.extend(buttons(&stand));
        press(&mut stand, Role::Button, &group.replace("Open", "Close"));
    }
    for place in &chain.places {
        assert!(found.contains(place), "{place}");
    }
}

#[test]
fn letters_can_be_read_and_no_wire_runs_through_the_buttons() {
    for size in [(760.0, 500.0), (1100.0, 720.0), (1600.0, 1000.0)] {
        let mut stand = Stand::new(size, Look::default());
        press(&mut stand, Role::Tab, "Graph");
        for opens in ["", "Open layer1", "Open space"] {
            if !opens.is_empty() {
                press(&mut stand, Role::Button, opens);
            }
            let button = |name| stand.harness.query_by_label(name).map(|node| node.rect());
            let buttons = ["Fit the graph", "Close all groups"].map(button);
            let buttons: Vec<Rect> = buttons.into_iter().flatten().collect();
            assert_eq!(buttons.len(), if opens.is_empty() { 1 } else { 2 });
            let mut names = 0;
            for (shape, place) in seen(&stand) {
                if let Shape::Text(text) = &shape {
                    for section in &text.galley.job.sections {
                        let (size, text) = (section.format.font_id.size, text.galley.text());
                        assert!(size >= 9.0, "{text}: {size} points");
                        let lower = text.starts_with(|c: char| c.is_ascii_lowercase());
                        names += usize::from(lower && place.left() > 250.0);
                    }
                    continue;
                }
                let drawn = matches!(
                    shape,
                    Shape::LineSegment { .. } | Shape::CubicBezier(_) | Shape::Circle(_)
                );
                let crossed = buttons.iter().any(|button| button.intersects(place));
                assert!(!(drawn && crossed), "{size:?} {opens}: {shape:?}");
            }
            assert!(names >= 3, "{size:?} {opens}: {names}");
            if !opens.is_empty() {
                press(&mut stand, Role::Button, "Close all groups");
            }
        }
    }
}
