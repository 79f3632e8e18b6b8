//! The lanes of the protocol's page: values are read whole, marks are seen whole, labels stand clear of lines.

use crate::shown::{seen, written};
use crate::stand::Stand;
use egui::accesskit::Role;
use egui::{Pos2, Rect, Shape};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls::*;
use zeitgeber::protocol::Protocol;

const SIZES: [(f32, f32); 3] = [(760.0, 500.0), (1100.0, 720.0), (1600.0, 1000.0)];

fn page(size: (f32, f32)) -> Stand {
    let mut stand = Stand::new(size, Look::default());
    crate::reach::page(&mut stand, "Protocol");
    stand
}

fn put(stand: &mut Stand, list: serde_json::Value) {
    let protocol = Protocol::from_json(&list, &[], &mut Vec::new()).unwrap();
    (stand.link).edit_session(|session| session.protocol = Some(protocol.into()));
    stand.steps(3);
}

/// Its beat begins at its highest, and ends in the alpha band.
fn steep(size: (f32, f32)) -> Stand {
    let mut stand = page(size);
    let list = serde_json::json!([
        {"at": 0, "beat": 100},
        {"at": 300, "beat": 6, "curve": "linear"},
        {"at": 600, "beat": 11, "curve": "smooth"}
    ]);
    put(&mut stand, list);
    stand
}

fn sleep(size: (f32, f32)) -> Stand {
    let mut stand = page(size);
    let preset = zeitgeber::protocol::factory("Descent into sleep").unwrap();
    let pinned = preset.protocol().unwrap().pinned(&preset.all_settings());
    (stand.link).edit_session(|session| session.protocol = Some(pinned.into()));
    stand.steps(3);
    stand
}

/// The lanes' part of the window.
fn lanes(stand: &Stand) -> Rect {
    let ruler = stand.harness.get_by_label("Protocol position").rect();
    let lane = stand.harness.get_by_label("Beat lane").rect();
    let strip = (stand.harness).get_by_role_and_label(Role::RadioButton, "Input");
    Rect::from_min_max(
        Pos2::new(lane.left(), ruler.top()),
        Pos2::new(lane.right(), strip.rect().top() - 40.0),
    )
}

/// What is drawn from the ruler down, whole and as much as is seen.
fn drawn(stand: &Stand) -> Vec<(Shape, Rect, Rect)> {
    let area = lanes(stand);
    let all = seen(stand).into_iter();
    let all = all.filter(|(_, place)| area.contains(place.center()));
    all.map(|(shape, place)| (shape.clone(), shape.visual_bounding_rect(), place))
        .collect()
}

#[test]
fn the_value_of_the_beat_is_read_whole_beside_the_axis() {
    for size in SIZES {
        for beat in [100.0, 10.0] {
            let mut stand = page(size);
            put(
                &mut stand,
                serde_json::json!([{"at": 0, "beat": beat}, {"at": 60, "beat": beat}]),
            );
            let text = format!("{beat:.3} Hz");
            let all = drawn(&stand);
            let is = |shape: &Shape| matches!(shape, Shape::Text(at) if at.galley.text() == text);
            let (_, whole, shown) = all.iter().find(|(shape, ..)| is(shape)).expect("a value");
            assert!(
                shown.expand(0.5).contains_rect(*whole),
                "{size:?}: {whole:?} {shown:?}"
            );
            let ruler = stand.harness.get_by_label("Protocol position").rect();
            assert!(whole.right() + 8.0 <= ruler.left(), "{size:?}: {whole:?}");
            let axis = all.iter().filter(|(shape, ..)| {
                matches!(shape, Shape::Text(at)
                    if ["100", "30", "13", "8", "4"].contains(&at.galley.text()))
            });
            for (_, number, _) in axis {
                let clear = !number.intersects(whole.expand(2.0));
                assert!(clear, "{size:?}: {number:?} {whole:?}");
            }
        }
    }
}

#[test]
fn marks_at_the_beginning_and_at_the_top_are_seen_whole() {
    for size in SIZES {
        let mut stand = steep(size);
        stand.harness.get_by_label("Beat point 1").click();
        stand.steps(3);
        let point = stand.harness.get_by_label("Beat point 1").rect().center();
        let mut rings = 0;
        let mut flags = 0;
        let mut axis = None;
        for (shape, whole, shown) in drawn(&stand) {
            match &shape {
                Shape::Circle(circle) if circle.center.distance(point) < 1.0 => {
                    rings += 1;
                    assert!(
                        shown.expand(0.1).contains_rect(whole),
                        "{size:?}: {whole:?} {shown:?}"
                    );
                }
                Shape::Path(path) if path.closed && path.points.len() == 3 => {
                    flags += 1;
                    assert!(
                        shown.expand(0.1).contains_rect(whole),
                        "{size:?}: {whole:?} {shown:?}"
                    );
                }
                Shape::Text(text) if text.galley.text() == "100" => axis = Some(whole),
                _ => {}
            }
        }
        assert!(rings >= 2 && flags == 1, "{size:?}: {rings} {flags}");
        let axis = axis.expect("the axis' highest number");
        assert!(axis.right() < point.x - 8.0, "{size:?}: {axis:?} {point:?}");
    }
}

/// Whether a line of points comes into a place.
fn crosses(line: &[Pos2], place: Rect) -> bool {
    line.windows(2).any(|step| {
        let way = step[1] - step[0];
        let parts = (way.length() / 0.5).ceil().max(1.0);
        (0..=parts as usize).any(|part| place.contains(step[0] + way * (part as f32 / parts)))
    })
}

#[test]
fn labels_stand_clear_of_curves_and_of_the_line_of_the_end() {
    let labels = ["gamma", "beta", "alpha", "theta", "delta"];
    for size in SIZES {
        let mut chosen = steep(size);
        chosen.harness.get_by_label("Beat point 1").click();
        chosen.steps(3);
        for stand in [steep(size), sleep(size), chosen] {
            let ruler = stand.harness.get_by_label("Protocol position").rect();
            let all = drawn(&stand);
            let mut read = 0;
            for (shape, whole, shown) in &all {
                let Shape::Text(text) = shape else { continue };
                let text = text.galley.text();
                let in_plot = whole.left() > ruler.left() && whole.top() > ruler.bottom();
                let is_label =
                    labels.contains(&text) || text.contains("Hz") || text.ends_with("dB");
                if !(in_plot && is_label) {
                    continue;
                }
                read += 1;
                assert!(
                    shown.expand(1.0).contains_rect(*whole),
                    "{size:?}: {text} is cut"
                );
                let core = whole.shrink(1.0);
                for (other, place, seen) in &all {
                    let hit = match other {
                        // Curves, not the play head's flag.
                        Shape::Path(path) if !path.closed => crosses(&path.points, core),
                        // The line of the end; the grid's are fainter, and below.
                        Shape::LineSegment { points, stroke }
                            if stroke.color == egui::Color32::from_rgb(0x4A, 0x56, 0x66) =>
                        {
                            points[0].x == points[1].x && crosses(points, core)
                        }
                        Shape::Text(_) => place != whole && seen.intersects(core),
                        _ => false,
                    };
                    assert!(!hit, "{size:?}: {text} at {whole:?} on {other:?}");
                }
            }
            assert!(read >= 4, "{size:?}: {read} labels");
        }
    }
}

#[test]
fn a_band_is_named_beside_the_curve_that_runs_through_it() {
    let stand = steep(SIZES[1]);
    let ruler = stand.harness.get_by_label("Protocol position").rect();
    // The beat ends in alpha: its name is there, away from the curve, or nowhere in the plot.
    for name in ["gamma", "beta", "delta"] {
        let all = written(&stand).into_iter();
        let mut all = all.filter(|shape| shape.galley.text() == name);
        let found = all.any(|shape| shape.visual_bounding_rect().left() > ruler.center().x);
        assert!(found, "{name}");
    }
}

#[test]
fn a_page_without_a_protocol_is_whole_and_its_switches_are_off_duty() {
    for size in [SIZES[0], (985.0, 640.0), SIZES[1], SIZES[2]] {
        let mut stand = page(size);
        let begin = stand.harness.get_by_label("New protocol").rect();
        // Neither a line nor a field runs into words, and nothing covers a line.
        let words: Vec<Rect> = written(&stand)
            .iter()
            .map(|shape| shape.visual_bounding_rect())
            .filter(|place| (place.center().x - begin.center().x).abs() < 20.0)
            .filter(|place| (place.center().y - begin.center().y).abs() < 150.0)
            .collect();
        assert!(words.len() >= 3, "{size:?}: {words:?}");
        for (shape, _) in seen(&stand) {
            if let Shape::Path(path) = &shape {
                for place in &words {
                    assert!(!crosses(&path.points, *place), "{size:?}: {place:?}");
                }
            }
        }
        let card = stand
            .harness
            .get_by_role_and_label(Role::Tab, "Protocol")
            .rect();
        assert!(words.iter().all(|place| place.top() > card.bottom()));
        for (name, id) in [
            ("Protocol On", PROTOCOL_ON),
            ("Protocol Loop", PROTOCOL_LOOP),
        ] {
            let at = stand.harness.get_by_label(name).rect().center();
            stand.click(at);
            assert_eq!(
                stand.params.values.borrow()[id.index()],
                0.0,
                "{size:?}: {name}"
            );
        }
        let begin = begin.center();
        stand.click(begin);
        let at = stand.harness.get_by_label("Protocol Loop").rect().center();
        stand.click(at);
        assert_eq!(stand.params.values.borrow()[PROTOCOL_LOOP.index()], 1.0);
    }
}

#[test]
fn the_play_head_passes_below_what_is_written() {
    for size in SIZES {
        let mut stand = sleep(size);
        let ruler = stand.harness.get_by_label("Protocol position").rect();
        let label = |stand: &Stand| {
            let all = drawn(stand);
            let found = all.iter().position(
                |(shape, ..)| matches!(shape, Shape::Text(text) if text.galley.text() == "3 Hz"),
            );
            let found = found.expect("a label");
            (all, found)
        };
        let (all, found) = label(&stand);
        let place = all[found].1;
        stand.click(Pos2::new(place.center().x, ruler.center().y));
        stand.harness.remove_cursor();
        stand.steps(3);
        let (all, found) = label(&stand);
        assert_eq!(all[found].1, place, "{size:?}: it does not move for that");
        let heads = all.iter().enumerate().filter(|(_, (shape, ..))| {
            matches!(shape, Shape::LineSegment { points, stroke }
                if stroke.width == 1.2 && crosses(points, place))
        });
        let heads: Vec<usize> = heads.map(|(n, _)| n).collect();
        assert!(!heads.is_empty(), "{size:?}: it is there");
        assert!(
            heads.iter().all(|n| *n < found),
            "{size:?}: {heads:?} {found}"
        );
        // What is written has a ground of its own, between the two.
        let grounds = all.iter().enumerate().filter(|(n, (shape, whole, _))| {
            let ground = matches!(shape, Shape::Rect(_)) && whole.contains_rect(place);
            ground && *n < found && heads.iter().all(|head| head < n)
        });
        assert!(grounds.count() > 0, "{size:?}");
    }
}
