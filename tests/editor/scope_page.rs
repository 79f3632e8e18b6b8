//! The scope: its plots stand below each other, each with an axis.

use crate::shown::{seen, written};
use crate::stand::Stand;
use egui::{Rect, Shape};
use egui_kittest::kittest::Queryable;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls::*;

#[test]
fn plots_begin_below_each_other_and_the_envelope_has_an_axis() {
    for size in [(760.0, 500.0), (1100.0, 720.0), (1600.0, 1000.0)] {
        let mut stand = Stand::new(size, Look::default());
        stand.set(L1_KIND, 1.0);
        stand.set(FADE_IN, 0.0);
        stand.play(40);
        let texts = written(&stand);
        let title = texts
            .iter()
            .find(|text| text.galley.text().starts_with("ENVELOPE"))
            .expect("a title");
        let title = title.visual_bounding_rect();
        let stage = stand.harness.get_by_label("Scope").rect().left();
        // The fields of envelope and phase, and the first line of the spectrum's grid.
        let all = seen(&stand);
        let fields: Vec<Rect> = all
            .iter()
            .filter_map(|(shape, place)| match shape {
                Shape::Rect(rect) if rect.rect.top() > title.top() => Some(*place),
                _ => None,
            })
            .filter(|place| place.width() > 200.0 && place.height() < 90.0)
            .filter(|place| place.left() > stage && place.left() < title.right())
            .collect();
        assert_eq!(fields.len(), 2, "{size:?}: {fields:?}");
        let grid = all.iter().filter_map(|(shape, _)| match shape {
            Shape::LineSegment { points, .. } if points[0].x == points[1].x => Some(points[0]),
            _ => None,
        });
        let first = grid
            .filter(|at| at.y < title.top() && at.x > stage - 10.0)
            .map(|at| at.x)
            .fold(f32::INFINITY, f32::min);
        for field in &fields {
            assert!(
                (field.left() - first).abs() < 0.5,
                "{size:?}: {field:?} {first}"
            );
        }
        // Layer 1 is at -20 dBFS an ear: the scale ends a step above.
        let marks: Vec<(&str, Rect)> = texts
            .iter()
            .map(|text| (text.galley.text(), text.visual_bounding_rect()))
            .filter(|(_, place)| place.right() < fields[0].left() && place.left() > stage - 20.0)
            .filter(|(_, place)| place.center().y > title.bottom())
            .collect();
        let names: Vec<&str> = marks.iter().map(|(name, _)| *name).collect();
        let told = ["180\u{b0}", "0", "-180\u{b0}", "-18", "-24", "-\u{221e}"];
        for name in told {
            assert!(names.contains(&name), "{size:?}: {name} in {names:?}");
        }
        for (n, (name, one)) in marks.iter().enumerate() {
            for (other, place) in &marks[..n] {
                let apart = !one.shrink(0.5).intersects(*place);
                assert!(apart, "{size:?}: {name} {one:?} on {other} {place:?}");
            }
        }
    }
}
