//! Pictures of every page at three sizes in both themes, held against those that are kept in `docs/pictures`.
//! `ZEITGEBER_REWRITE=1 cargo test --test editor pictures` makes them anew.

use crate::stand::Stand;
use egui_kittest::kittest::Queryable;
use std::path::PathBuf;
use std::sync::Arc;
use zeitgeber::editor::Look;
use zeitgeber::engine::Order;
use zeitgeber::engine::controls::*;

fn look(light: bool) -> Look {
    Look { light, zoom: 1.0 }
}

/// A sound that shows everything.
fn music(stand: &mut Stand) {
    for (control, value) in [
        (L1_KIND, 1.0),
        (L1_LEVEL, -14.0),
        (L2_KIND, 3.0),
        (L2_LEVEL, -26.0),
        (L2_INTERVAL, 7.0),
        (L2_SPACE, 1.0),
        (L2_AZIMUTH, 60.0),
        (L2_ELEVATION, 20.0),
        (NOISE_KIND, 2.0),
        (NOISE_LEVEL, -36.0),
        (PROG_KIND, 1.0),
        (PROG_DEPTH, 0.5),
        (SPACE_KIND, 1.0),
        (MOTION, 1.0),
        (MOTION_RATE, 0.2),
        (FADE_IN, 0.1),
        (BEAT, 6.0),
        (CARRIER, 220.0),
    ] {
        stand.set(control, value);
    }
    stand.play(75);
}

/// The protocol of a preset, as the engine plays it from a second on.
fn protocol(stand: &mut Stand, name: &str, seconds: f64) {
    let preset = zeitgeber::protocol::factory(name).unwrap();
    let settings = preset.all_settings();
    let protocol = preset.protocol().unwrap().pinned(&settings);
    let timeline = protocol.timeline(&settings, 48_000.0).unwrap();
    let mut deck = stand.params.engine.borrow_mut().take_deck().unwrap();
    deck.send(Order::Timeline(Some(Arc::new(timeline))))
        .unwrap();
    stand
        .link
        .edit_session(|session| session.protocol = Some(Arc::new(protocol)));
    stand.set(PROTOCOL_ON, 1.0);
    stand.play(3);
    deck.send(Order::Seek(seconds)).unwrap();
    stand.play(30);
}

#[test]
fn a_look() {
    let folder = PathBuf::from(std::env::var("ZEITGEBER_PICTURES").unwrap_or("/tmp/zg".into()));
    std::fs::create_dir_all(&folder).unwrap();
    let only = std::env::var("ONLY").unwrap_or_default();
    let pages =
        std::env::var("PAGES").unwrap_or("Scope Space Protocol Graph Presets Control".into());
    for (name, size) in [
        ("wide", (1100.0, 720.0)),
        ("small", (760.0, 500.0)),
        ("large", (1600.0, 1000.0)),
    ] {
        for light in [false, true] {
            let name = format!("{name}-{}", if light { "light" } else { "dark" });
            if !name.contains(&only) {
                continue;
            }
            let mut stand = Stand::new(size, look(light));
            stand.steps(5);
            stand
                .picture()
                .write(&folder.join(format!("fresh-{name}.png")));
            if let Some(close) = stand.harness.query_by_label("Close the inspector") {
                close.click();
                stand.steps(3);
            }
            music(&mut stand);
            protocol(&mut stand, "Descent into sleep", 1150.0);
            for page in pages.split(' ') {
                stand
                    .harness
                    .get_by_role_and_label(egui::accesskit::Role::Tab, page)
                    .click();
                stand.play(4);
                if page == "Protocol" {
                    stand.harness.get_by_label("Beat point 3").click();
                    stand.play(3);
                }
                stand
                    .picture()
                    .write(&folder.join(format!("{page}-{name}.png")));
                if page == "Graph" {
                    for node in ["Open layer1", "layer1_a_sine"] {
                        stand.harness.get_by_label(node).click();
                        stand.play(4);
                    }
                    stand
                        .picture()
                        .write(&folder.join(format!("Graph-open-{name}.png")));
                }
            }
        }
    }
}
