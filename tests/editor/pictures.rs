//! Pictures of every page at three sizes in both themes, held against those that are kept in `docs/pictures`.
//! `ZEITGEBER_REWRITE=1 cargo test --test editor pictures` makes them anew.

use crate::raster::Picture;
use crate::stand::Stand;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use std::path::Path;
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

/// The pages, each with the card whose inspector is open beside it.
const PAGES: [(&str, &str); 6] = [
    ("Scope", "Layer 1"),
    ("Space", "Space"),
    ("Protocol", "Session"),
    ("Graph", "Output"),
    ("Presets", "Program"),
    ("Control", "Noise"),
];

/// The greatest share of pixels that may differ: kernels for other processors differ in the last digit, and where a
/// line falls between two pixels that is a shade.
const MOST: f64 = 0.01;

/// Draws every page at a size in a theme and holds it against what is kept.
fn look_at(name: &str, size: (f32, f32)) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let drawn = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&drawn).unwrap();
    let rewrite = std::env::var_os("ZEITGEBER_REWRITE").is_some();
    let mut wrong = Vec::new();
    for light in [false, true] {
        let mut hold = |stand: &Stand, page: &str| {
            let theme = if light { "light" } else { "dark" };
            let file = format!("{name}-{theme}-{}.png", page.to_lowercase());
            let picture = stand.picture();
            if rewrite {
                std::fs::create_dir_all(&kept).unwrap();
                picture.write(&kept.join(&file));
                return;
            }
            let share = Picture::read(&kept.join(&file)).map_or(1.0, |old| old.differs(&picture));
            if share > MOST {
                picture.write(&drawn.join(&file));
                wrong.push(format!("{file}: {:.2} % differ", 100.0 * share));
            }
        };
        let mut stand = Stand::new(size, look(light));
        stand.steps(5);
        hold(&stand, "fresh");
        music(&mut stand);
        for (page, card) in PAGES {
            let narrow = size.0 < 980.0;
            if !narrow {
                let strip = stand.harness.get_by_role_and_label(Role::RadioButton, card);
                strip.click();
            }
            stand.harness.get_by_role_and_label(Role::Tab, page).click();
            stand.play(6);
            match page {
                "Protocol" => {
                    protocol(&mut stand, "Descent into sleep", 1150.0);
                    stand.harness.get_by_label("Beat point 3").click();
                    stand.play(3);
                }
                "Graph" => {
                    for node in ["Open layer1", "layer1_a_sine"] {
                        stand.harness.get_by_label(node).click();
                        stand.play(4);
                    }
                }
                _ => {}
            }
            // No pointer rests on anything.
            stand.harness.remove_cursor();
            stand.play(2);
            hold(&stand, page);
        }
    }
    assert!(
        wrong.is_empty(),
        "these pictures are not those of docs/pictures (they are in {}):\n{}",
        drawn.display(),
        wrong.join("\n")
    );
}

#[test]
fn pictures_wide() {
    look_at("wide", (1100.0, 720.0));
}

#[test]
fn pictures_small() {
    look_at("small", (760.0, 500.0));
}

#[test]
fn pictures_large() {
    look_at("large", (1600.0, 1000.0));
}
