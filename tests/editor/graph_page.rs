//! The graph's page: groups open, nodes are listened to, and the output is what is heard after it.

use crate::stand::Stand;
use egui::accesskit::Role;
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
