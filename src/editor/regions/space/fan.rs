//! Marks that would cover each other are fanned out a little: each is drawn beside its true place, with a thin line to
//! it, and dragged from there.

use crate::engine::controls::LAYERS;
use egui::{Color32, Painter, Pos2, Stroke, Vec2, vec2};

/// Marks of a view: the handle of both speakers, the speakers, both sides of each layer.
pub(super) const MARKS: usize = 3 + 2 * LAYERS;
/// The least distance of two marks, in points.
const APART: f32 = 20.0;

/// The handle of both speakers.
pub(super) const BOTH: usize = 0;

/// A speaker: 0 left, 1 right.
pub(super) fn speaker(side: usize) -> usize {
    1 + side
}

/// A side of a layer.
pub(super) fn layer(index: usize, side: usize) -> usize {
    3 + 2 * index + side
}

/// Where the marks of a view are, and where they are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Marks([Option<(Pos2, Pos2)>; MARKS]);

impl Marks {
    /// Fans marks out from their true places. The first of those that coincide stays where it is; `turns` are the ways
    /// of the speakers and the layers that do not, in degrees from upwards to the right.
    pub fn of(places: [Option<Pos2>; MARKS], turns: [f32; 2 + LAYERS]) -> Marks {
        let mut marks = Marks::default();
        for (number, place) in places.into_iter().enumerate() {
            let Some(place) = place else { continue };
            let (turn, back) = match number.checked_sub(3) {
                Some(layer) => (turns[2 + layer / 2], layer % 2 == 1),
                // What stays needs none.
                None => (turns[number.saturating_sub(1)], false),
            };
            let (sin, cos) = turn.to_radians().sin_cos();
            let way = if back { -1.0 } else { 1.0 } * vec2(sin, -cos);
            let mut at = place;
            // What is led around one may come onto another.
            for _ in 0..2 {
                for (_, other) in marks.0[..number].iter().flatten() {
                    at = beside(at, *other, way);
                }
            }
            marks.0[number] = Some((place, at));
        }
        marks
    }

    /// Where a mark is drawn; its true place where it is not known.
    pub fn at(&self, number: usize, place: Pos2) -> Pos2 {
        self.0[number].map_or(place, |(_, at)| at)
    }

    /// Draws the line from a mark that is beside its place to that.
    pub fn tie(&self, painter: &Painter, number: usize, colour: Color32) {
        let moved = self.0[number].filter(|(place, at)| place.distance(*at) > 2.0);
        if let Some((place, at)) = moved {
            painter.line_segment([place, at], Stroke::new(1.0, colour));
            painter.circle_filled(place, 2.2, colour);
        }
    }
}

/// A place at least as far from another as marks are apart: in its own direction from there, and the nearer it is, the
/// more in `way`, so that it never jumps while it comes nearer.
fn beside(at: Pos2, other: Pos2, way: Vec2) -> Pos2 {
    let out = at - other;
    let share = out.length() / APART;
    if share >= 1.0 {
        return at;
    }
    let between = way * (1.0 - share) + out / APART;
    let between = if between.length() < 1e-3 {
        way
    } else {
        between
    };
    other + APART * between.normalized()
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    const TURNS: [f32; 2 + LAYERS] = [-120.0, 120.0, 0.0, -60.0, 60.0, 180.0];

    #[test]
    fn marks_at_one_place_are_fanned_out_around_the_first() {
        let here = pos2(100.0, 80.0);
        let mut places = [Some(here); MARKS];
        for index in 0..LAYERS {
            places[layer(index, 1)] = None;
        }
        let marks = Marks::of(places, TURNS);
        let drawn: Vec<Pos2> = marks.0.iter().flatten().map(|(_, at)| *at).collect();
        assert_eq!(drawn[0], here);
        for (number, one) in drawn.iter().enumerate() {
            for other in &drawn[..number] {
                assert!(one.distance(*other) > 0.9 * APART, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_has_room_stays_and_nothing_jumps() {
        let here = pos2(100.0, 80.0);
        let mut before: Option<Pos2> = None;
        for step in 0..400 {
            let place = here + vec2(-40.0 + 0.2 * step as f32, 5.0);
            let mut places = [None; MARKS];
            places[BOTH] = Some(here);
            places[speaker(0)] = Some(place);
            let at = Marks::of(places, TURNS).at(speaker(0), place);
            assert!(at.distance(here) > 0.999 * APART);
            assert!(place.distance(here) < APART || at == place);
            if let Some(before) = before {
                assert!(at.distance(before) < 6.0, "{before:?} {at:?}");
            }
            before = Some(at);
        }
    }
}
