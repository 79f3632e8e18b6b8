//! Nothing is in the way of anything, nor cut where there is room: what is seen at a glance, held at every size.

use crate::shown::{seen, written};
use crate::stand::Stand;
use egui::accesskit::Role;
use egui::{Rect, Shape, vec2};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls::*;

const SIZES: [(f32, f32); 3] = [(760.0, 500.0), (1100.0, 720.0), (1600.0, 1000.0)];

fn stand(size: (f32, f32)) -> Stand {
    Stand::new(size, Look::default())
}

fn press(stand: &mut Stand, role: Role, name: &str) {
    stand.harness.get_by_role_and_label(role, name).click();
    stand.steps(4);
}

/// Where the cards of the middle end, in points from the top.
fn floor(stand: &Stand) -> f32 {
    let strip = (stand.harness).get_by_role_and_label(Role::RadioButton, "Input");
    strip.rect().top() - 8.0 - 12.0
}

/// Where a text stands.
fn place(stand: &Stand, text: &str) -> Rect {
    let all = written(stand);
    let found = all.iter().find(|shape| shape.galley.text() == text);
    found
        .unwrap_or_else(|| panic!("{text} is not there"))
        .visual_bounding_rect()
}

#[test]
fn the_column_of_the_beat_fits_the_smallest_window() {
    for beat in [0.0, 1.0] {
        for carrier in [0.0, 1.0, 2.0] {
            for tempo in [None, zeitgeber::engine::Tempo::new(97.0, None, None)] {
                let mut stand = stand(SIZES[0]);
                stand.transport = zeitgeber::engine::Transport::Host {
                    playing: true,
                    song_frames: None,
                    tempo,
                };
                stand.set(BEAT_SOURCE, beat);
                stand.set(CARRIER_SOURCE, carrier);
                stand.set(DIVISION, 0.0);
                stand.set(L1_KIND, 1.0);
                stand.play(6);
                let last = stand.harness.get_by_label("Phase: free").rect();
                let room = floor(&stand);
                let follows = format!("beat {beat}, carrier {carrier}: {last:?}, {room}");
                assert!(last.bottom() <= room + 0.5, "{follows}");
                for shape in written(&stand) {
                    let rect = shape.visual_bounding_rect();
                    let beside = rect.left() < 236.0 && rect.center().y < room && rect.top() > 50.0;
                    let text = shape.galley.text();
                    assert!(!beside || rect.right() < 226.0, "{text}: {rect:?}");
                }
            }
        }
    }
}

#[test]
fn an_inspector_that_takes_the_page_shows_all_at_once() {
    let mut stand = stand(SIZES[0]);
    for card in ["Layer 1", "Program", "Noise", "Session", "Input", "Output"] {
        press(&mut stand, Role::RadioButton, card);
        let room = floor(&stand);
        let all = stand.accessible().into_iter();
        let controls = all.filter(|(_, role, _)| {
            matches!(role, Role::Slider | Role::CheckBox | Role::RadioButton)
        });
        let mut count = 0;
        for (name, _, rect) in controls {
            let rect = rect.unwrap();
            if rect.left() > 244.0 && rect.top() > 90.0 && rect.top() < room + 20.0 {
                count += 1;
                assert!(
                    rect.bottom() <= room + 0.5,
                    "{card}: {name} {rect:?}, {room}"
                );
            }
        }
        assert!(count > 2, "{card}: {count}");
        // The last of each is there without scrolling.
        let last = match card {
            "Layer 1" => L1_DISTANCE,
            "Program" => PROG_HIGH,
            "Noise" => SEED,
            "Session" => TIMER,
            "Input" => LEVELLER_SPEED,
            _ => CEILING,
        };
        let last = (stand.harness).get_by_role_and_label(Role::Slider, last.control().name);
        let last = last.rect();
        assert!(last.bottom() <= room + 0.5, "{card}: {last:?}, {room}");
    }
}

/// The small scope of the graph's page: its rectangle, or from its name to its levels where it is a line.
fn small_scope(stand: &Stand, name: &str) -> Rect {
    let ground = egui::Color32::from_rgb(0x0D, 0x10, 0x16);
    let corner = seen(stand)
        .into_iter()
        .find_map(|(shape, place)| match shape {
            Shape::Rect(rect) if rect.fill == ground && rect.rect.width() < 220.0 => Some(place),
            _ => None,
        });
    let page = stand.harness.get_by_label("Graph of the engine").rect();
    let line = egui::Rangef::new(page.top() - 32.0, page.top());
    let on_line = |text: &str| {
        let all = written(stand)
            .into_iter()
            .filter(|shape| shape.galley.text() == text);
        let mut all = all.map(|shape| shape.visual_bounding_rect());
        let found = all.find(|place| line.contains(place.center().y));
        found.unwrap_or_else(|| panic!("{text} is not there"))
    };
    corner.unwrap_or_else(|| on_line(name).union(on_line("R")))
}

#[test]
fn boxes_of_the_graph_are_named_whole_and_the_small_scope_covers_none() {
    for size in SIZES {
        let mut stand = stand(size);
        press(&mut stand, Role::Tab, "Graph");
        let chain = stand.link.chain().unwrap();
        let mut lines = 0;
        for group in ["", "layer1", "noise", "program", "space", "post", "output"] {
            let clear = |stand: &Stand, name: &str| {
                let scope = small_scope(stand, name);
                // Nothing of the picture is drawn beyond its page.
                let page = stand.harness.get_by_label("Graph of the engine").rect();
                let mut nodes = 0;
                for (name, role, place) in stand.accessible() {
                    let is_node = name.starts_with("Open ") || chain.places.contains(&name);
                    let Some(place) = place.filter(|_| role == Role::Button && is_node) else {
                        continue;
                    };
                    nodes += 1;
                    let both = place.intersect(page).intersect(scope);
                    assert!(!both.is_positive(), "{size:?} {group}: {name} {both:?}");
                }
                assert!(nodes > 5, "{size:?} {group}: {nodes}");
                scope.height() < 40.0
            };
            if group.is_empty() {
                clear(&stand, "Output");
                continue;
            }
            press(&mut stand, Role::Button, &format!("Open {group}"));
            lines += usize::from(clear(&stand, "Output"));
            let frame = stand.harness.get_by_label(&format!("Close {group}")).rect();
            let nodes: Vec<(String, Rect)> = (stand.accessible().into_iter())
                .filter(|(name, ..)| chain.places.contains(name))
                .filter_map(|(name, _, place)| Some((name, place?)))
                .filter(|(_, place)| frame.x_range().contains(place.center().x))
                .collect();
            let names = written(&stand);
            for (name, place) in &nodes {
                let inside = names.iter().filter(|shape| {
                    let text = shape.visual_bounding_rect();
                    place.contains(text.center())
                });
                let inside: Vec<(&str, Rect)> = inside
                    .map(|shape| (shape.galley.text(), shape.visual_bounding_rect()))
                    .collect();
                let short = name.strip_prefix(group).unwrap_or(name);
                let short = short.trim_start_matches('_').replace('_', " ");
                let short = if short.is_empty() { name } else { &short };
                let is_named = inside.iter().any(|(text, _)| text == short);
                assert!(is_named, "{size:?} {group}: {name} {inside:?}");
                for (text, shape) in inside {
                    assert!(place.contains_rect(shape), "{size:?}: {text} of {name}");
                }
            }
            // What is listened to has a longer name, and a way back.
            let (heard, _) = nodes.last().unwrap();
            press(&mut stand, Role::Button, heard);
            clear(&stand, heard);
            let back = stand.harness.get_by_role_and_label(Role::Button, "Output");
            let (back, fit) = (
                back.rect(),
                stand.harness.get_by_label("Fit the graph").rect(),
            );
            assert!(!back.intersects(fit), "{size:?} {group}: {back:?}");
            press(&mut stand, Role::Button, "Output");
            press(&mut stand, Role::Button, "Close all groups");
        }
        assert!(lines == 0 || size.1 <= 500.0, "{size:?}: {lines} lines");
    }
}

#[test]
fn a_group_that_is_open_fits_the_window_whatever_size_that_gets() {
    let mut stand = stand(SIZES[0]);
    press(&mut stand, Role::Tab, "Graph");
    press(&mut stand, Role::Button, "Open layer1");
    for size in SIZES {
        stand.harness.set_size(vec2(size.0, size.1));
        stand.steps(4);
        let page = stand.harness.get_by_label("Graph of the engine").rect();
        // The title's place is as wide as the frame.
        let frame = stand.harness.get_by_label("Close layer1").rect();
        assert!(page.contains_rect(frame), "{size:?}: {frame:?} of {page:?}");
        assert!(frame.width() >= 440.0, "{size:?}: {frame:?}");
    }
}

#[test]
fn what_is_said_of_a_node_does_not_stand_on_the_tones() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.set(L1_KIND, 1.0);
        stand.play(6);
        press(&mut stand, Role::Tab, "Graph");
        press(&mut stand, Role::Button, "in");
        press(&mut stand, Role::Tab, "Scope");
        stand.play(4);
        let back = stand.harness.get_by_label("Show the output").rect();
        for text in ["L 245.000 Hz", "R 255.000 Hz"] {
            let both = place(&stand, text).intersect(back);
            assert!(!both.is_positive(), "{size:?}: {text}");
        }
    }
}

#[test]
fn nothing_runs_through_what_a_new_instance_says() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.steps(5);
        let text = "Nothing is changed yet. Begin with one of these, or turn on a card below.";
        let headline = place(&stand, text);
        for (shape, rect) in seen(&stand) {
            let line = matches!(shape, Shape::LineSegment { .. } | Shape::Path(_));
            assert!(!(line && rect.intersects(headline)), "{size:?}: {shape:?}");
        }
    }
}

#[test]
fn names_of_presets_are_whole_and_the_grades_explained() {
    for size in SIZES {
        let mut stand = stand(size);
        press(&mut stand, Role::Tab, "Presets");
        let cut = written(&stand);
        let cut = cut.iter().map(|shape| shape.galley.text().to_owned());
        let cut: Vec<String> = cut.filter(|text| text.ends_with('\u{2026}')).collect();
        assert!(cut.is_empty(), "{size:?}: {cut:?}");
        place(&stand, "How well it is known");
        // In the smallest window the rest is a turn of the wheel away.
        if size.1 > 500.0 {
            place(&stand, zeitgeber::protocol::Grade::N.meaning());
        }
    }
}

#[test]
fn names_of_cards_stand_clear_of_their_switches() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.steps(2);
        for (name, short) in [("Space", "Space"), ("Noise", "Noise"), ("Program", "Prog")] {
            let card = (stand.harness).get_by_role_and_label(Role::RadioButton, name);
            let card = card.rect();
            let switch = stand.harness.get_by_label(&format!("{name} on")).rect();
            let titles = written(&stand).into_iter().filter(|shape| {
                let text = shape.galley.text();
                let inside = card.contains(shape.visual_bounding_rect().center());
                inside && (text == name || text == short)
            });
            let title = titles.map(|shape| shape.visual_bounding_rect()).next();
            let gap = switch.center().x - 6.0 - title.expect("a title").right();
            assert!(gap >= 2.0, "{size:?}: {name} {gap}");
        }
    }
}

#[test]
fn the_line_of_messages_stands_where_it_stands() {
    let mut stand = stand(SIZES[1]);
    stand.set(L1_KIND, 1.0);
    stand.play(20);
    let hint = "Binaural beats need headphones: each ear must have its own tone.";
    let before = place(&stand, hint);
    stand.link.messages.post("something has been said");
    stand.play(2);
    let said = place(&stand, "something has been said");
    assert_eq!(said.left(), before.left());
    // It is over, and there is a list of messages.
    stand.play(300);
    assert_eq!(place(&stand, hint).left(), before.left());
    let all = stand.harness.get_by_label("All messages").rect();
    assert!(all.left() > 0.8 * SIZES[1].0 && all.right() <= SIZES[1].0);
}

#[test]
fn a_menu_has_room_for_its_entries() {
    let mut stand = stand(SIZES[0]);
    stand.harness.get_by_label("View").click();
    stand.steps(4);
    let entry = stand.harness.get_by_label("100 %").rect();
    let text = place(&stand, "100 %");
    let (left, right) = (text.left() - entry.left(), entry.right() - text.right());
    assert!(left >= 6.0 && right >= 6.0, "{left}, {right}");
}

#[test]
fn the_line_of_the_end_runs_through_no_value() {
    let mut stand = stand(SIZES[1]);
    let preset = zeitgeber::protocol::factory("Descent into sleep").unwrap();
    let pinned = preset.protocol().unwrap().pinned(&preset.all_settings());
    stand
        .link
        .edit_session(|session| session.protocol = Some(pinned.into()));
    press(&mut stand, Role::Tab, "Protocol");
    let point = stand.harness.get_by_label("Layer 1 Level point 3").rect();
    let values = written(&stand).into_iter().filter(|shape| {
        let place = shape.visual_bounding_rect();
        shape.galley.text() == "-80 dB" && (place.center().y - point.center().y).abs() < 30.0
    });
    let value = values.map(|shape| shape.visual_bounding_rect()).next();
    let value = value.expect("its value is written");
    assert!(value.left() > point.center().x, "{value:?}, {point:?}");
}

#[test]
fn a_large_window_gives_the_columns_beside_the_page_more_room() {
    let width = |size| {
        let stand = stand(size);
        let level = L1_LEVEL.control().name;
        let slider = stand.harness.get_by_role_and_label(Role::Slider, level);
        (slider.rect().width(), place(&stand, "10.000").height())
    };
    let (wide, large) = (width(SIZES[1]), width(SIZES[2]));
    assert!(
        large.0 > wide.0 + 30.0 && large.1 > wide.1 + 6.0,
        "{wide:?}, {large:?}"
    );
}

#[test]
fn what_listens_has_a_lamp() {
    let mut stand = stand(SIZES[1]);
    press(&mut stand, Role::Tab, "Control");
    let lamp = |stand: &Stand| {
        let button = stand.harness.get_by_label("Listen to opentrack").rect();
        let all = seen(stand).into_iter();
        let mut circles = all.filter_map(|(shape, place)| match shape {
            Shape::Circle(circle) if button.contains_rect(place) => Some(circle),
            _ => None,
        });
        let lamp = circles.next().expect("a lamp");
        (circles.count(), lamp.fill.a() > 0)
    };
    assert_eq!(lamp(&stand), (0, false));
    press(&mut stand, Role::Button, "Listen to opentrack");
    assert_eq!(lamp(&stand), (0, true));
}

#[test]
fn settings_of_control_stand_in_rows_that_need_no_scrolling_where_there_is_room() {
    for size in SIZES {
        let mut stand = stand(size);
        press(&mut stand, Role::Tab, "Control");
        let [yaw, pitch, roll] = ["Invert yaw", "Invert pitch", "Invert roll"]
            .map(|name| stand.harness.get_by_label(name).rect());
        let in_row = yaw.top() == pitch.top() && pitch.top() == roll.top();
        assert!(in_row && yaw.right() < pitch.left() && pitch.right() < roll.left());
        for text in written(&stand) {
            let text = text.galley.text();
            assert!(!text.ends_with('\u{2026}'), "{size:?}: {text}");
        }
        if size.1 <= 500.0 {
            continue;
        }
        let floor = floor(&stand);
        for name in [
            "Name for OSC",
            "MIDI port",
            "Learn recenter",
            "Tracker time-out",
        ] {
            let place = stand.harness.get_by_label(name).rect();
            assert!(place.bottom() <= floor, "{size:?}: {name} {place:?}");
        }
    }
}
