//! The page of space: where the program's speakers and the layers sent there are around the head, how they move, and
//! how the head is turned, seen from above and from the right. Everything in it can be dragged.

mod fan;
mod grab;
pub(super) mod head;
mod plane;
mod scene;

use crate::dsp::room::Room;
use crate::editor::live::Live;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, NAME_BELOW, button, choice, slider};
use crate::editor::words;
use crate::engine::controls::{
    AZIMUTH, BEAT, DISTANCE, ELEVATION, HEAD_PITCH, HEAD_ROLL, HEAD_YAW, LAYER, LAYERS, MOTION,
    MOTION_DEPTH, MOTION_HZ, MOTION_ORBIT, MOTION_RATE, MOTION_RATIO, MOTION_SOURCE, MOTION_STILL,
    MOTION_SWING, ROOM, ROOM_DECAY, ROOM_SIZE, SPACE_HRTF, SPACE_KIND, WIDTH,
};
use egui::epaint::Mesh;
use egui::{
    Align, Align2, Color32, FontId, Layout, Painter, Pos2, Rect, RichText, Sense, Shape, Stroke,
    Ui, UiBuilder, Vec2, pos2, vec2,
};
use fan::{BOTH, MARKS, Marks};
use grab::Grip;
use head::{View, glow};
use plane::{Plane, wrapped};
use scene::{Scene, Source, Trail};
use std::f32::consts::TAU;
use std::time::Duration;

/// Room around a view for the names of its directions, in points.
const MARGIN: f32 = 15.0;
/// Height of the title over a view, in points.
const TITLE: f32 = 14.0;
/// Height of the row of controls below, in points, and of what says that space is off: in one row and in two.
const BAR: f32 = 44.0;
const OFF: [f32; 2] = [38.0, 74.0];
/// The width from which on that has one row.
const OFF_ROW: f32 = 440.0;
/// How large the head seen from behind is beside the view from the right, and the least that shows anything, in points.
const BEHIND: f32 = 0.72;
const LEAST_BEHIND: f32 = 80.0;
/// Views from above with a smaller radius than that have no titles, in points.
const TITLED: f32 = 110.0;
/// Where marks go that would cover others, in degrees from upwards to the right: the speakers, then the layers; from above
/// and from the right, where the speakers are often abreast.
const WAYS: [[f32; 2 + LAYERS]; 2] = [
    [-120.0, 120.0, 0.0, -60.0, 60.0, 180.0],
    [-30.0, -150.0, 30.0, 150.0, 90.0, -90.0],
];
/// Between the frames in which trails fade after the sound has stopped.
const FADE_FRAME: Duration = Duration::from_millis(33);
/// Where the rings are, in metres.
const RINGS: [f32; 5] = [0.5, 1.0, 2.0, 5.0, 10.0];

/// What the page remembers.
#[derive(Default)]
pub(in crate::editor) struct Stage {
    trail: Trail,
    grip: Option<Grip>,
}

/// Where the views are.
struct Plan {
    above: Plane,
    beside: Plane,
    /// The middle and half the height of the head seen from behind, where there is room.
    behind: Option<Rect>,
    /// Where the titles of the views begin, where they have any.
    titles: Option<[Pos2; 2]>,
    /// Where marks are drawn, from above and from the right.
    marks: [Marks; 2],
}

impl Plan {
    /// From above on the left; beside it from the right and, where there is room, from behind below that: in this order
    /// at every size.
    fn of(area: Rect) -> Plan {
        let gap = GAP;
        // The top view is the larger one, unless both fit as high as there is room.
        let large = area.height().min(0.66 * (area.width() - gap)).max(60.0);
        let rest = area.width() - gap - large;
        // The third is there if it is no stamp.
        let both = area.height() - TITLE - 2.0 * gap;
        let small = rest.min(both / (1.0 + BEHIND));
        let behind = Some(BEHIND * small).filter(|high| *high >= LEAST_BEHIND);
        let titled = behind.is_some() || 0.5 * large - MARGIN > TITLED;
        let heading = if titled { TITLE } else { 0.0 };
        let small = match behind {
            Some(_) => small,
            None => rest.min(area.height() - heading).max(60.0),
        };
        let left = area.left() + 0.5 * (area.width() - gap - large - small).max(0.0);
        let below = behind.map_or(0.0, |high| 2.0 * gap + high);
        let column = heading + small + below;
        // Both begin on one line. What is left over in the column goes between its views.
        let top = area.center().y - 0.5 * large.max(column);
        let spare = (large - column).max(0.0);
        let between = if behind.is_some() {
            spare.min(3.0 * gap)
        } else {
            0.0
        };
        let plane = |centre: Pos2, side: f32| {
            let outer = 0.5 * side - MARGIN;
            Plane {
                centre,
                inner: (0.2 * outer).clamp(17.0, 64.0),
                outer,
            }
        };
        let x = left + large + gap + 0.5 * small;
        let side = match behind {
            Some(_) => top + heading + 0.5 * small,
            // Alone, in the middle of what is beside it.
            None => top + (0.5 * large).max(heading + 0.5 * small),
        };
        Plan {
            above: plane(pos2(left + 0.5 * large, top + 0.5 * large), large),
            beside: plane(pos2(x, side), small),
            behind: behind.map(|high| {
                let y = top + heading + small + between + 2.0 * gap + 0.5 * high;
                Rect::from_center_size(pos2(x, y), Vec2::splat(high))
            }),
            titles: titled.then(|| [left, x - 0.5 * small].map(|x| pos2(x, top))),
            marks: [Marks::default(); 2],
        }
    }

    /// Fans out what would cover each other.
    fn fan_out(&mut self, scene: &Scene, desk: &Desk) {
        let own = scene::Spot {
            azimuth: desk.value(AZIMUTH) as f32,
            elevation: desk.value(ELEVATION) as f32,
            distance: desk.value(DISTANCE) as f32,
        };
        let mut spots = [None; MARKS];
        spots[BOTH] = Some(own);
        for (side, source) in scene.speakers.iter().enumerate() {
            spots[fan::speaker(side)] = source.map(|source| source.shown);
        }
        for (index, sides) in scene.layers.iter().enumerate() {
            for (side, source) in sides.iter().enumerate() {
                spots[fan::layer(index, side)] = source.map(|source| source.shown);
            }
        }
        let above = |spot: scene::Spot| self.above.above(spot.azimuth, spot.distance);
        let beside = |spot: scene::Spot| {
            self.beside
                .beside(spot.azimuth, spot.elevation, spot.distance)
        };
        self.marks = [
            Marks::of(spots.map(|spot| spot.map(above)), WAYS[0]),
            Marks::of(spots.map(|spot| spot.map(beside)), WAYS[1]),
        ];
    }
}

impl Stage {
    /// Draws the page.
    pub fn ui(&mut self, ui: &mut Ui, live: &Live, desk: &mut Desk) {
        let theme = Theme::of(ui);
        let area = ui.available_rect_before_wrap();
        ui.allocate_rect(area, Sense::hover());
        let scene = Scene::of(desk, live, &mut self.trail);
        let row = area.width() > OFF_ROW;
        // What says that space is off has a row of its own, and covers nothing.
        let said = match scene.on {
            true => 0.0,
            false => OFF[usize::from(!row)] + GAP,
        };
        let floor = area.bottom() - BAR - GAP - said;
        let picture = Rect::from_min_max(area.min, pos2(area.right(), floor));
        let bar = Rect::from_min_max(pos2(area.left(), area.bottom() - BAR), area.max);
        let mut plan = Plan::of(picture);
        plan.fan_out(&scene, desk);
        let mut painter = ui.painter_at(picture.expand(4.0));
        if !scene.on {
            painter.set_opacity(0.38);
        }
        ground(&painter, &theme, &plan.above, true);
        ground(&painter, &theme, &plan.beside, false);
        names(&painter, &theme, &plan);
        room(&painter, &theme, &plan, desk);
        path(&painter, &theme, &plan, desk);
        let calm = calmness(motion_rate(desk, live));
        wedge(&painter, &theme, &plan.above, &scene, calm);
        self.trails(&painter, &theme, &plan);
        if self.trail.fades() {
            ui.ctx().request_repaint_after(FADE_FRAME);
        }
        for (plane, view) in [(plan.above, View::Above), (plan.beside, View::Right)] {
            let half = 0.92 * plane.inner;
            head::draw(
                &painter,
                &theme,
                (plane.centre, half),
                scene.head,
                view,
                scene.on,
            );
        }
        if let Some(rect) = plan.behind {
            let column = plan.beside.area().expand(MARGIN);
            behind(
                &painter,
                &theme,
                rect,
                (column.left(), column.right()),
                &scene,
            );
        }
        self.heads(ui, &painter, &plan, &scene, desk);
        for index in 0..LAYER.len() {
            self.layer(ui, &painter, &plan, &scene, index, desk);
        }
        self.speakers(ui, &painter, &plan, &scene, desk);
        if !scene.on {
            let place = pos2(area.left(), floor + GAP);
            let place = Rect::from_min_size(place, vec2(area.width(), said - GAP));
            off(ui, place, row, &theme, desk);
        }
        let builder = UiBuilder::new().id_salt("quick").max_rect(bar);
        ui.scope_builder(builder, |ui| quick(ui, bar, scene.on, &theme, desk));
    }

    /// Where things have just been.
    fn trails(&self, painter: &Painter, theme: &Theme, plan: &Plan) {
        for (from, to, index, age) in self.trail.steps() {
            let colour = if index < 2 {
                theme.program
            } else {
                theme.layer
            };
            let strength = (1.0 - age) * (1.0 - age);
            let stroke = Stroke::new(1.0 + 3.5 * strength, colour.gamma_multiply(0.6 * strength));
            let turn = wrapped(to.azimuth - from.azimuth);
            // A fast turn is round between two frames, too.
            let parts = ((turn.abs() / 6.0).ceil() as usize).clamp(1, 30);
            let at = |part: usize| {
                let share = part as f32 / parts as f32;
                let between = |a: f32, b: f32| a + share * (b - a);
                (
                    from.azimuth + share * turn,
                    between(from.elevation, to.elevation),
                    between(from.distance, to.distance),
                )
            };
            let points = (0..=parts).map(at);
            painter.line(
                points
                    .clone()
                    .map(|(a, _, d)| plan.above.above(a, d))
                    .collect(),
                stroke,
            );
            painter.line(
                points
                    .map(|(a, e, d)| plan.beside.beside(a, e, d))
                    .collect(),
                stroke,
            );
        }
    }

    /// What turns the head: its nose.
    fn heads(&mut self, ui: &Ui, painter: &Painter, plan: &Plan, scene: &Scene, desk: &mut Desk) {
        let theme = Theme::of(ui);
        for (plane, view, id, name) in [
            (plan.above, View::Above, HEAD_YAW, "Head in space"),
            (
                plan.beside,
                View::Right,
                HEAD_PITCH,
                "Head in space, from the right",
            ),
        ] {
            // The tip of the nose, where the head looks.
            let reach = 0.80 * plane.inner;
            let angle = desk.value(id) as f32;
            let (sin, cos) = angle.to_radians().sin_cos();
            let way = if id == HEAD_YAW {
                vec2(-sin, -cos)
            } else {
                vec2(cos, -sin)
            };
            let tip = plane.centre + reach * way;
            let value = format!("{} {}", id.control().name, desk.text(id, desk.value(id)));
            let area = Rect::from_center_size(plane.centre, Vec2::splat(1.7 * plane.inner));
            let handle = grab::Handle {
                name,
                value: &value,
                help: "Drag to turn the head.",
                area,
                ids: &[id],
            };
            let active = handle.drive(ui, &mut self.grip, tip, desk, |desk, at, _| {
                let out = at - plane.centre;
                let angle = if id == HEAD_YAW {
                    plane.azimuth(at)
                } else {
                    (-out.y).atan2(out.x).to_degrees()
                };
                let (min, max) = id.control().range();
                desk.change(id, f64::from(angle).clamp(min, max));
            });
            if active {
                let shown = view.shows(head::axes(scene.head)[0]);
                let from = plane.centre + plane.inner * 1.02 * shown;
                let to = plane.centre + plane.inner * 1.45 * shown;
                painter.line_segment([from, to], Stroke::new(1.5, theme.space));
                pill(ui, &theme, plane, to, &value, theme.space);
            }
        }
    }

    /// A layer, or its two sides.
    fn layer(
        &mut self,
        ui: &Ui,
        painter: &Painter,
        plan: &Plan,
        scene: &Scene,
        index: usize,
        desk: &mut Desk,
    ) {
        let theme = Theme::of(ui);
        let ids = LAYER[index];
        for (side, source) in scene.layers[index].iter().enumerate() {
            let Some(source) = source else { continue };
            let turn = source.turn;
            let format = |id: crate::engine::ControlId| desk.text(id, desk.value(id));
            let value = format!(
                "Layer {}  {}, {}, {}",
                index + 1,
                format(ids.azimuth),
                format(ids.elevation),
                format(ids.distance)
            );
            let name = match side {
                0 => format!("Layer {} in space", index + 1),
                _ => format!("Layer {} in space, right side", index + 1),
            };
            let label = ["1", "2", "3", "4"][index.min(3)];
            let number = fan::layer(index, side);
            let spot = |marks: &Marks, at, active| {
                let accent = theme.layer;
                marks.tie(painter, number, accent);
                dot(painter, &theme, at, accent, label, source.sounds, active);
            };
            // Above: direction and distance.
            let own = plan
                .above
                .above(source.control.azimuth, source.control.distance);
            let at = plan
                .above
                .above(source.shown.azimuth, source.shown.distance);
            let at = plan.marks[0].at(number, at);
            let handle = grab::Handle {
                name: &name,
                value: &value,
                help: "Drag for azimuth and distance.",
                area: Rect::from_center_size(at, Vec2::splat(22.0)),
                ids: &[ids.azimuth, ids.distance],
            };
            let above = handle.drive(ui, &mut self.grip, own, desk, |desk, at, _| {
                let azimuth = wrapped(plan.above.azimuth(at) - turn);
                desk.change(ids.azimuth, f64::from(azimuth));
                desk.change(ids.distance, f64::from(plan.above.distance(at)));
            });
            spot(&plan.marks[0], at, above);
            height(painter, &theme, &plan.above, at, source.shown.elevation);
            if above {
                pill(ui, &theme, plan.above, at, &value, theme.layer);
            }
            // Beside: height.
            let (own, at) = [source.control, source.shown]
                .map(|place| {
                    plan.beside
                        .beside(place.azimuth, place.elevation, place.distance)
                })
                .into();
            let at = plan.marks[1].at(number, at);
            let name = format!("{name}, from the right");
            let handle = grab::Handle {
                name: &name,
                value: &value,
                help: "Drag up and down for elevation.",
                area: Rect::from_center_size(at, Vec2::splat(22.0)),
                ids: &[ids.elevation],
            };
            let beside = handle.drive(ui, &mut self.grip, own, desk, |desk, at, _| {
                let metres = source.control.distance;
                desk.change(ids.elevation, f64::from(plan.beside.elevation(at, metres)));
            });
            spot(&plan.marks[1], at, beside);
            if beside {
                pill(ui, &theme, plan.beside, at, &value, theme.layer);
            }
        }
    }

    /// The two speakers of the program, and the handle between them.
    fn speakers(
        &mut self,
        ui: &Ui,
        painter: &Painter,
        plan: &Plan,
        scene: &Scene,
        desk: &mut Desk,
    ) {
        let theme = Theme::of(ui);
        let accent = theme.program;
        let text = |id: crate::engine::ControlId| desk.text(id, desk.value(id));
        let value = format!("Program  {}, {}", text(AZIMUTH), text(DISTANCE));
        let wide = format!("Width {}", text(WIDTH));
        let high = format!("Program  elevation {}", text(ELEVATION));
        // Both, by the handle between them, which stays where the controls say while they move.
        let own = plan
            .above
            .above(desk.value(AZIMUTH) as f32, desk.value(DISTANCE) as f32);
        let handle = grab::Handle {
            name: "Speakers in space",
            value: &value,
            help: "Both speakers: drag for azimuth and distance.",
            area: Rect::from_center_size(own, Vec2::splat(26.0)),
            ids: &[AZIMUTH, DISTANCE],
        };
        let active = handle.drive(ui, &mut self.grip, own, desk, |desk, at, _| {
            desk.change(AZIMUTH, f64::from(plan.above.azimuth(at)));
            desk.change(DISTANCE, f64::from(plan.above.distance(at)));
        });
        ring(painter, &theme, own, accent, active);
        if active {
            pill(ui, &theme, plan.above, own, &value, accent);
        }
        for (side, source) in scene.speakers.iter().enumerate() {
            let Some(source) = source else { continue };
            let sign = 1.0 - 2.0 * side as f32;
            let at = plan
                .above
                .above(source.shown.azimuth, source.shown.distance);
            let at = plan.marks[0].at(fan::speaker(side), at);
            plan.marks[0].tie(painter, fan::speaker(side), accent);
            // A bus has its front only, and no width.
            if scene.is_bus() {
                dot(painter, &theme, at, accent, "F", source.sounds, active);
                height(painter, &theme, &plan.above, at, source.shown.elevation);
                continue;
            }
            let handle = grab::Handle {
                name: ["Left speaker in space", "Right speaker in space"][side],
                value: &wide,
                help: "Drag around the head for the width between the speakers.",
                area: Rect::from_center_size(at, Vec2::splat(22.0)),
                ids: &[WIDTH],
            };
            let edge = handle.drive(ui, &mut self.grip, at, desk, |desk, at, before| {
                let turn = wrapped(plan.above.azimuth(at) - plan.above.azimuth(before));
                let width = desk.value(WIDTH) + f64::from(2.0 * sign * turn);
                desk.change(WIDTH, width.clamp(0.0, 360.0));
            });
            dot(
                painter,
                &theme,
                at,
                accent,
                ["L", "R"][side],
                source.sounds,
                edge,
            );
            height(painter, &theme, &plan.above, at, source.shown.elevation);
            if edge {
                pill(ui, &theme, plan.above, at, &wide, accent);
            }
        }
        // From the right: both again, the farther one first.
        let mut sides: Vec<(usize, Source)> = (scene.speakers.iter().enumerate())
            .filter_map(|(side, source)| source.map(|source| (side, source)))
            .collect();
        sides.sort_by(|a, b| {
            let left = |source: &Source| source.shown.azimuth.to_radians().sin();
            left(&b.1).total_cmp(&left(&a.1))
        });
        let place = |side: usize, source: &Source| {
            let place = &source.shown;
            let at = plan
                .beside
                .beside(place.azimuth, place.elevation, place.distance);
            plan.marks[1].at(fan::speaker(side), at)
        };
        let metres = desk.value(DISTANCE) as f32;
        let own = plan.beside.beside(
            desk.value(AZIMUTH) as f32,
            desk.value(ELEVATION) as f32,
            metres,
        );
        let mut hulls = vec![Rect::from_center_size(own, Vec2::splat(26.0))];
        hulls.extend(
            sides.iter().map(|(side, source)| {
                Rect::from_center_size(place(*side, source), Vec2::splat(22.0))
            }),
        );
        let mut active = false;
        for (number, area) in hulls.into_iter().enumerate() {
            let names = [
                "Speakers in space, from the right",
                "Speaker in space, from the right",
                "Other speaker in space, from the right",
            ];
            let handle = grab::Handle {
                name: names[number.min(2)],
                value: &high,
                help: "Both speakers: drag up and down for elevation.",
                area,
                ids: &[ELEVATION],
            };
            active |= handle.drive(ui, &mut self.grip, own, desk, |desk, at, _| {
                desk.change(ELEVATION, f64::from(plan.beside.elevation(at, metres)));
            });
        }
        ring(painter, &theme, own, accent, active);
        for (side, source) in &sides {
            let label = match scene.is_bus() {
                true => "F",
                false => ["L", "R"][*side],
            };
            plan.marks[1].tie(painter, fan::speaker(*side), accent);
            dot(
                painter,
                &theme,
                place(*side, source),
                accent,
                label,
                source.sounds,
                active,
            );
        }
        if active {
            pill(ui, &theme, plan.beside, own, &high, accent);
        }
    }
}

/// The disc, its rings and its marks.
fn ground(painter: &Painter, theme: &Theme, plane: &Plane, labelled: bool) {
    let near = mix(
        theme.surface,
        theme.space,
        if theme.dark { 0.13 } else { 0.07 },
    );
    let far = mix(
        theme.surface,
        theme.ground,
        if theme.dark { 0.85 } else { 0.55 },
    );
    let mut mesh = Mesh::default();
    mesh.colored_vertex(plane.centre, near);
    const POINTS: u32 = 96;
    for point in 0..POINTS {
        let out = Vec2::angled(TAU * point as f32 / POINTS as f32);
        mesh.colored_vertex(plane.centre + plane.outer * out, far);
        mesh.add_triangle(0, 1 + point, 1 + (point + 1) % POINTS);
    }
    painter.add(Shape::mesh(mesh));
    let line = mix(
        theme.surface,
        theme.space,
        if theme.dark { 0.24 } else { 0.26 },
    );
    let thin = Stroke::new(1.0, line.gamma_multiply(0.75));
    for metres in RINGS {
        painter.circle_stroke(plane.centre, plane.radius(metres), thin);
    }
    for way in [vec2(1.0, 0.0), vec2(0.0, 1.0)] {
        for sign in [-1.0, 1.0] {
            let ends = [plane.radius(0.28), plane.outer].map(|at| plane.centre + sign * at * way);
            painter.line_segment(ends, Stroke::new(1.0, line.gamma_multiply(0.45)));
        }
    }
    painter.circle_stroke(plane.centre, plane.outer, Stroke::new(1.2, line));
    for tick in 0..24 {
        let long = if tick % 6 == 0 {
            0.0
        } else if tick % 2 == 0 {
            5.0
        } else {
            3.0
        };
        let out = Vec2::angled(TAU * tick as f32 / 24.0);
        let ends = [plane.outer - long, plane.outer].map(|at| plane.centre + at * out);
        painter.line_segment(ends, Stroke::new(1.0, line));
    }
    if !labelled {
        return;
    }
    // Behind, where little is.
    let way = Vec2::angled(68f32.to_radians());
    for metres in RINGS {
        if plane.outer < 120.0 && (metres == 0.5 || metres == 5.0) {
            continue;
        }
        let at = plane.centre + plane.radius(metres) * way;
        let text = if metres == 10.0 {
            "10 m".to_owned()
        } else {
            format!("{metres}")
        };
        let galley = painter.layout_no_wrap(text, font::TINY, theme.weak);
        let back = Rect::from_center_size(at, galley.size() + vec2(4.0, -3.0));
        let share = plane.radius(metres) / plane.outer;
        painter.rect_filled(back, 3.0, mix(near, far, share));
        painter.galley(at - 0.5 * galley.size(), galley, theme.weak);
    }
}

/// The names of the views and their directions.
fn names(painter: &Painter, theme: &Theme, plan: &Plan) {
    for (plane, names) in [
        (&plan.above, ["front", "left", "right", "back"]),
        (
            &plan.beside,
            ["up", "\u{2039} back", "front \u{203a}", "down"],
        ),
    ] {
        let (outer, side) = (plane.outer, plane.outer + MARGIN - 2.0);
        // To the sides, where words are wider than the margin, they stand on the axis inside, or in the corners.
        let on_axis = names[0] == "front";
        let (left, right) = if on_axis {
            (vec2(7.0 - outer, -2.0), vec2(outer - 7.0, -2.0))
        } else {
            (vec2(-side, side), vec2(side, side))
        };
        for (name, way, anchor) in [
            (names[0], vec2(0.0, -outer - 3.0), Align2::CENTER_BOTTOM),
            (names[1], left, Align2::LEFT_BOTTOM),
            (names[2], right, Align2::RIGHT_BOTTOM),
            (names[3], vec2(0.0, outer + 3.0), Align2::CENTER_TOP),
        ] {
            let colour = match name {
                "left" => theme.left,
                "right" => theme.right,
                _ => theme.weak,
            };
            painter.text(plane.centre + way, anchor, name, font::TINY, colour);
        }
    }
    for (corner, text) in plan
        .titles
        .iter()
        .flatten()
        .zip(["FROM ABOVE", "FROM THE RIGHT"])
    {
        title(painter, theme, *corner, text);
    }
}

/// A small title, with its letters apart.
fn title(painter: &Painter, theme: &Theme, at: Pos2, text: &str) {
    let mut job = egui::text::LayoutJob::default();
    let mut format = egui::TextFormat::simple(font::TINY, theme.weak);
    format.extra_letter_spacing = 1.2;
    job.append(text, 0.0, format);
    let galley = painter.layout_job(job);
    painter.galley(at, galley, theme.weak);
}

/// The walls: as everything else on the logarithmic scale, so that straight ones bend around the head.
fn room(painter: &Painter, theme: &Theme, plan: &Plan, desk: &Desk) {
    let level = desk.value(ROOM) as f32;
    if level <= 0.0 {
        return;
    }
    let room = Room {
        size: desk.value(ROOM_SIZE),
        decay: desk.value(ROOM_DECAY),
    };
    let edges = room.edges().map(|edge| edge as f32);
    let here = room.listener().map(|place| place as f32);
    // Right and up on the screen: what is behind, on the right and below the listener, then what is not.
    let walls = |plane: &Plane, (right, up): ([f32; 2], [f32; 2])| {
        const POINTS: usize = 28;
        let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(x, y)| (right[x], up[y]));
        let mut points = Vec::new();
        for (from, to) in (0..4).map(|n| (corners[n], corners[(n + 1) % 4])) {
            for point in 0..POINTS {
                let share = point as f32 / POINTS as f32;
                let (x, y) = (
                    from.0 + share * (to.0 - from.0),
                    from.1 + share * (to.1 - from.1),
                );
                points.push(plane.at(x, y));
            }
        }
        let colour = theme.space;
        let mut mesh = Mesh::default();
        mesh.colored_vertex(plane.centre, colour.gamma_multiply(0.0));
        let wash = colour.gamma_multiply(0.05 + 0.13 * level);
        let count = points.len() as u32;
        for (number, point) in (0..count).zip(&points) {
            mesh.colored_vertex(*point, wash);
            mesh.add_triangle(0, 1 + number, 1 + (number + 1) % count);
        }
        painter.add(Shape::mesh(mesh));
        let stroke = Stroke::new(1.0 + level, colour.gamma_multiply(0.45 + 0.4 * level));
        painter.add(Shape::closed_line(points, stroke));
    };
    let ahead = [-here[0], edges[0] - here[0]];
    walls(&plan.above, ([-(edges[1] - here[1]), here[1]], ahead));
    walls(&plan.beside, (ahead, [-here[2], edges[2] - here[2]]));
}

/// The way of the program's middle.
fn path(painter: &Painter, theme: &Theme, plan: &Plan, desk: &Desk) {
    let [azimuth, elevation, distance, depth] =
        [AZIMUTH, ELEVATION, DISTANCE, MOTION_DEPTH].map(|id| desk.value(id) as f32);
    let reach = match desk.index(MOTION) {
        MOTION_ORBIT => 180.0,
        MOTION_SWING => depth,
        _ => return,
    };
    let stroke = Stroke::new(1.4, theme.program.gamma_multiply(0.7));
    let span = (azimuth - reach, azimuth + reach);
    let line = plan.above.arc(span, distance);
    let ends = [line[0], line[line.len() - 1]];
    painter.extend(Shape::dashed_line(&line, stroke, 5.0, 5.0));
    if reach < 180.0 {
        for end in ends {
            let out = (end - plan.above.centre).normalized();
            painter.line_segment([end - 5.0 * out, end + 5.0 * out], stroke);
        }
    }
    // From the right it is a line to and fro: as far as the arc reaches.
    let steps = 0..=72;
    let across: Vec<f32> = steps
        .map(|step| span.0 + (span.1 - span.0) * step as f32 / 72.0)
        .map(|at| plan.beside.beside(at, elevation, distance).x)
        .collect();
    let low = across.iter().copied().fold(f32::INFINITY, f32::min);
    let high = across.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let y = plan.beside.beside(azimuth, elevation, distance).y;
    painter.extend(Shape::dashed_line(
        &[pos2(low, y), pos2(high, y)],
        stroke,
        5.0,
        5.0,
    ));
}

/// Turns or swings a second of the program.
fn motion_rate(desk: &Desk, live: &Live) -> f64 {
    if desk.index(MOTION) == MOTION_STILL {
        return 0.0;
    }
    if desk.index(MOTION_SOURCE) == MOTION_HZ {
        return desk.value(MOTION_RATE);
    }
    let beat = live
        .telemetry()
        .map_or(desk.value(BEAT), |telemetry| telemetry.beat());
    beat * desk.value(MOTION_RATIO)
}

/// How much of the area between the speakers is filled: what sweeps over the page several times a second would flash
/// (WCAG 2.3.1), so that from 1 turn a second on it fades, and from 2.5 only lines and dots are left.
fn calmness(rate: f64) -> f32 {
    (1.0 - (rate - 1.0) / 1.5).clamp(0.0, 1.0) as f32
}

/// What lies between the two speakers, as they are heard.
fn wedge(painter: &Painter, theme: &Theme, plane: &Plane, scene: &Scene, calm: f32) {
    let [Some(left), Some(right)] = scene.speakers else {
        return;
    };
    let middle = scene.middle;
    let half = scene.half;
    let distance = left.shown.distance.min(right.shown.distance);
    let arc = plane.arc((middle - half, middle + half), distance);
    let colour = theme.program;
    let sounds = left.sounds || right.sounds;
    let strength = if sounds { 1.0 } else { 0.5 };
    let mut mesh = Mesh::default();
    let inner = plane.inner / plane.radius(distance).max(1.0);
    for (number, point) in (0u32..).zip(&arc) {
        let near = plane.centre + inner * (*point - plane.centre);
        mesh.colored_vertex(near, colour.gamma_multiply(0.02 * calm));
        mesh.colored_vertex(*point, colour.gamma_multiply(0.22 * strength * calm));
        if number > 0 {
            let at = 2 * number;
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    painter.add(Shape::mesh(mesh));
    painter.line(arc, Stroke::new(2.0, colour.gamma_multiply(0.8 * strength)));
}

/// The head from behind, where its roll is seen.
fn behind(painter: &Painter, theme: &Theme, rect: Rect, (left, right): (f32, f32), scene: &Scene) {
    let radius = 0.5 * rect.height();
    let line = mix(
        theme.surface,
        theme.space,
        if theme.dark { 0.24 } else { 0.26 },
    );
    let centre = rect.center();
    painter.circle_filled(centre, radius, mix(theme.surface, theme.ground, 0.5));
    painter.circle_stroke(centre, radius, Stroke::new(1.0, line));
    painter.hline(
        rect.x_range(),
        centre.y,
        Stroke::new(1.0, line.gamma_multiply(0.6)),
    );
    let half = 0.56 * radius;
    head::draw(
        painter,
        theme,
        (centre, half),
        scene.head,
        View::Behind,
        scene.on,
    );
    let corner = pos2(left, rect.top() - 2.0);
    title(painter, theme, corner, "ROLL");
    let roll = words::value(HEAD_ROLL, f64::from(scene.head[2]));
    let corner = pos2(right, rect.top() - 4.0);
    painter.text(corner, Align2::RIGHT_TOP, roll, font::value(), theme.text);
}

fn letter() -> FontId {
    FontId {
        size: 10.0,
        ..font::value()
    }
}

/// A source: filled where it sounds.
fn dot(
    painter: &Painter,
    theme: &Theme,
    at: Pos2,
    accent: Color32,
    label: &str,
    sounds: bool,
    active: bool,
) {
    let radius = if active { 9.0 } else { 8.0 };
    if sounds {
        let light = if theme.dark { 0.55 } else { 0.28 };
        glow(painter, at, 2.9 * radius, accent.gamma_multiply(light));
        painter.circle_filled(at, radius, accent);
        painter.text(at, Align2::CENTER_CENTER, label, letter(), theme.surface);
    } else {
        painter.circle_filled(at, radius, mix(theme.surface, accent, 0.12));
        painter.circle_stroke(at, radius, Stroke::new(1.4, accent));
        painter.text(at, Align2::CENTER_CENTER, label, letter(), accent);
    }
    if active {
        painter.circle_stroke(at, radius + 3.0, Stroke::new(1.0, theme.text));
    }
}

/// The handle of both speakers.
fn ring(painter: &Painter, theme: &Theme, at: Pos2, accent: Color32, active: bool) {
    let (radius, stroke) = if active {
        (7.0, Stroke::new(2.0, theme.text))
    } else {
        (5.5, Stroke::new(2.0, accent))
    };
    painter.circle_filled(at, radius, mix(theme.surface, accent, 0.25));
    painter.circle_stroke(at, radius, stroke);
    painter.circle_filled(at, 1.8, stroke.color);
}

/// How high something is, beside its dot: from above it cannot be seen.
fn height(painter: &Painter, theme: &Theme, plane: &Plane, at: Pos2, elevation: f32) {
    // Where there is little room, the values of what is pointed at have to do.
    if elevation.abs() < 0.5 || plane.outer < TITLED {
        return;
    }
    let right = at.x < plane.centre.x + plane.outer - 40.0;
    let (anchor, shift) = match right {
        true => (Align2::LEFT_CENTER, vec2(11.0, -7.0)),
        false => (Align2::RIGHT_CENTER, vec2(-11.0, -7.0)),
    };
    let text = format!("{elevation:+.0}\u{b0}");
    painter.text(at + shift, anchor, text, font::TINY, theme.text);
}

/// What is held or pointed at, by its values; inside its view.
fn pill(ui: &Ui, theme: &Theme, plane: Plane, at: Pos2, text: &str, accent: Color32) {
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(text.to_owned(), font::value(), theme.text);
    let size = galley.size() + vec2(14.0, 8.0);
    let bounds = plane.area().expand(MARGIN);
    let over = at.y - 18.0 - size.y > bounds.top();
    let y = if over {
        at.y - 16.0 - 0.5 * size.y
    } else {
        at.y + 16.0 + 0.5 * size.y
    };
    let reach = (0.5 * (bounds.width() - size.x)).max(0.0);
    let x = (at.x - bounds.center().x).clamp(-reach, reach) + bounds.center().x;
    let rect = Rect::from_center_size(pos2(x, y), size);
    painter.rect_filled(rect, 6.0, mix(theme.raised, accent, 0.10));
    painter.rect_stroke(
        rect,
        6.0,
        Stroke::new(1.0, mix(theme.raised, accent, 0.55)),
        egui::StrokeKind::Inside,
    );
    painter.galley(rect.center() - 0.5 * galley.size(), galley, theme.text);
}

/// Space is off: says so, and turns it on.
fn off(ui: &mut Ui, area: Rect, row: bool, theme: &Theme, desk: &mut Desk) {
    let wide = if row { 436.0 } else { area.width() };
    let rect = Rect::from_center_size(area.center(), vec2(wide, area.height()));
    let painter = ui.painter();
    painter.rect_filled(rect, 10.0, mix(theme.surface, theme.raised, 0.7));
    painter.rect_stroke(
        rect,
        10.0,
        Stroke::new(1.0, theme.line),
        egui::StrokeKind::Inside,
    );
    // Text and button side by side where they have room.
    let layout = if row {
        Layout::left_to_right(Align::Center)
    } else {
        Layout::top_down(Align::Center)
    };
    let builder = UiBuilder::new()
        .id_salt("off")
        .max_rect(rect.shrink2(vec2(14.0, 5.0)))
        .layout(layout);
    ui.scope_builder(builder, |ui| {
        let text = "Space is off: everything goes straight to the ears.";
        ui.label(RichText::new(text).font(font::BODY).color(theme.text));
        let help = "Renders the program and the layers sent to space around the head, with head-related filters";
        let look = Look::Accent(theme.space);
        if button(ui, "Turn on HRTF", "Turn on space with HRTF", help, true, look).clicked() {
            desk.jump(SPACE_KIND, SPACE_HRTF as f64);
        }
    });
}

/// What is played most, below the picture.
fn quick(ui: &mut Ui, bar: Rect, on: bool, theme: &Theme, desk: &mut Desk) {
    let gap = 2.0 * GAP;
    let room = (0.26 * bar.width()).min(220.0);
    let width = ((bar.width() - room - 2.0 * gap) / 2.0).min(300.0);
    let mut left = bar.left() + 0.5 * (bar.width() - 2.0 * width - room - 2.0 * gap);
    for (number, wide) in [width, width, room].into_iter().enumerate() {
        // All three names on one line.
        let top = bar.top() - if number == 2 { NAME_BELOW } else { 0.0 };
        let rect = Rect::from_min_size(pos2(left, top), vec2(wide, bar.height()));
        left += wide + gap;
        let builder = UiBuilder::new().id_salt(number).max_rect(rect);
        ui.scope_builder(builder, |ui| match number {
            0 => choice(ui, SPACE_KIND, theme.space, desk),
            1 => choice(ui, MOTION, theme.space, desk),
            _ => slider(ui, ROOM, theme.space, on, desk),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_large_sweeps_faster_than_is_safe() {
        assert_eq!(calmness(0.0), 1.0);
        assert_eq!(calmness(1.0), 1.0);
        assert!((0.1..0.9).contains(&calmness(2.0)));
        for rate in [2.5, 3.0, 10.0] {
            assert_eq!(calmness(rate), 0.0);
        }
    }

    #[test]
    fn views_never_overlap_nor_leave_the_page() {
        for size in [
            (300.0, 120.0),
            (482.0, 213.0),
            (552.0, 396.0),
            (1052.0, 694.0),
            (1290.0, 650.0),
            (500.0, 320.0),
            (620.0, 270.0),
            (500.0, 900.0),
        ] {
            let area = Rect::from_min_size(pos2(20.0, 30.0), size.into());
            let plan = Plan::of(area);
            let views = [plan.above, plan.beside].map(|plane| plane.area().expand(MARGIN));
            let inside = area.expand(0.5);
            assert!(!views[0].shrink(0.5).intersects(views[1]), "{size:?}");
            for rect in views.into_iter().chain(plan.behind) {
                assert!(inside.contains_rect(rect), "{size:?}: {rect:?}");
            }
            // Where there is room for a large view, there is for all of them, each with its title.
            let roomy = area.width() > 400.0 && area.height() > 300.0;
            assert!(!roomy || plan.behind.is_some(), "{size:?}");
            assert!(plan.behind.is_none() || plan.titles.is_some());
            if let Some(behind) = plan.behind {
                assert!(!behind.intersects(views[1].shrink(0.5)), "{size:?}");
                assert!(!behind.intersects(views[0].shrink(0.5)), "{size:?}");
            }
        }
    }
}
