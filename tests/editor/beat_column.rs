//! The column of the beat: nothing in it moves where a source is switched, no unit is lost, no hole is left.

use crate::shown::{seen, written};
use crate::stand::Stand;
use egui::accesskit::Role;
use egui::{Rect, Shape};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls::*;

const SIZES: [(f32, f32); 3] = [(760.0, 500.0), (1100.0, 720.0), (1600.0, 1000.0)];

fn stand(size: (f32, f32)) -> Stand {
    Stand::new(size, Look::default())
}

/// Where the column's card ends, less its margin, in points from the top.
fn floor(stand: &Stand) -> f32 {
    let strip = (stand.harness).get_by_role_and_label(Role::RadioButton, "Input");
    strip.rect().top() - 8.0 - 12.0
}

/// Where a text of the column stands, and nothing where it is not there.
fn find(stand: &Stand, text: &str) -> Option<Rect> {
    let all = written(stand).into_iter();
    let mut places = all
        .filter(|shape| shape.galley.text() == text)
        .map(|shape| shape.visual_bounding_rect());
    places.find(|place| place.left() < 270.0)
}

/// The dial: the widest circle of the column.
fn dial(stand: &Stand) -> Rect {
    let circles = seen(stand)
        .into_iter()
        .filter_map(|(shape, _)| match shape {
            Shape::Circle(circle) if circle.stroke.width == 6.0 => Some(circle),
            _ => None,
        });
    let dial = circles.max_by(|one, other| one.radius.total_cmp(&other.radius));
    dial.expect("a dial").visual_bounding_rect()
}

#[test]
fn nothing_moves_where_the_sources_of_beat_and_carrier_are_switched() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.set(L1_KIND, 1.0);
        let mut first: Option<Vec<Rect>> = None;
        for (beat, carrier, hertz) in [
            (0.0, 0.0, 10.0),
            (0.0, 0.0, 100.0),
            (1.0, 0.0, 10.0),
            (0.0, 1.0, 10.0),
            (1.0, 1.0, 10.0),
            (1.0, 2.0, 10.0),
        ] {
            stand.set(BEAT, hertz);
            stand.set(BEAT_SOURCE, beat);
            stand.set(CARRIER_SOURCE, carrier);
            stand.play(4);
            let mut places = vec![dial(&stand)];
            places.extend(["BEAT", "CARRIER"].map(|text| find(&stand, text).expect(text)));
            places.extend(["Glide", "Phase Offset", "Tuning A4"].map(|name| {
                let knob = stand.harness.get_by_role_and_label(Role::Slider, name);
                knob.rect()
            }));
            places.push(stand.harness.get_by_label("Phase: free").rect());
            let follows = format!("{size:?}: beat {beat}, carrier {carrier}, {hertz} Hz");
            let first = first.get_or_insert_with(|| places.clone());
            assert_eq!(*first, places, "{follows}");
        }
    }
}

#[test]
fn the_divisions_stand_beside_the_band_and_what_is_long_is_read_whole() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.set(BEAT_SOURCE, 1.0);
        for hertz in [0.0, 10.0] {
            stand.set(BEAT, hertz);
            stand.play(4);
            let list = (stand.harness).get_by_role_and_label(Role::ComboBox, "Division");
            let list = list.rect();
            let said = written(&stand).into_iter().find(|shape| {
                let place = shape.visual_bounding_rect();
                place.left() < 40.0 && shape.galley.text().ends_with("no tempo")
            });
            let said = said.expect("it says so").visual_bounding_rect();
            assert!(
                said.right() + 4.0 <= list.left(),
                "{size:?}: {said:?} {list:?}"
            );
            let apart = (said.center().y - list.center().y).abs();
            assert!(apart < 3.0, "{size:?}: {said:?} {list:?}");
        }
    }
}

#[test]
fn the_large_beat_keeps_its_unit() {
    for size in SIZES {
        for (hertz, text) in [(2.0, "2.000"), (10.0, "10.000"), (100.0, "100.000")] {
            let mut stand = stand(size);
            stand.set(BEAT, hertz);
            stand.play(3);
            let number = find(&stand, text).expect(text);
            let units = written(&stand).into_iter().filter(|shape| {
                let place = shape.visual_bounding_rect();
                shape.galley.text() == "Hz"
                    && place.left() > number.right()
                    && place.left() < number.right() + 12.0
                    && number.y_range().contains(place.center().y)
            });
            assert_eq!(units.count(), 1, "{size:?}: {text}");
        }
    }
}

#[test]
fn a_high_column_is_spread_over_its_room() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.play(2);
        let last = stand.harness.get_by_label("Phase: free").rect();
        let left = floor(&stand) - last.bottom();
        assert!((-0.5..24.0).contains(&left), "{size:?}: {left}");
    }
}

#[test]
fn tones_of_both_ears_are_told_on_one_line_with_their_unit() {
    for size in SIZES {
        let mut stand = stand(size);
        stand.set(L1_KIND, 2.0);
        for carrier in [250.0, 1500.0] {
            stand.set(CARRIER, carrier);
            stand.play(30);
            let low = format!("both ears {:.3}", carrier - 5.0);
            let high = format!("+ {:.3}", carrier + 5.0);
            let [low, high] = [low, high].map(|text| find(&stand, &text).expect(&text));
            assert!((low.center().y - high.center().y).abs() < 0.5);
            assert!(low.right() < high.left());
            let edge = if size.0 < 1400.0 { 226.0 } else { 276.0 };
            assert!(high.right() < edge, "{size:?}: {high:?}");
            let units = written(&stand).into_iter().filter(|shape| {
                let place = shape.visual_bounding_rect();
                let behind = place.left() > high.right() && place.right() < edge;
                behind && shape.galley.text() == "Hz" && place.intersects(high.expand(12.0))
            });
            assert!(carrier > 1000.0 || units.count() == 1, "{size:?}: {high:?}");
        }
    }
}
