//! The listener's head as a solid, turned as it is and shaded, its ears in their colours. One model for every view:
//! from above, from the right, from behind, and from the front at an angle.

use crate::editor::theme::{Theme, mix};
use egui::epaint::{Mesh, Shape, Vertex, WHITE_UV};
use egui::{Color32, Painter, Pos2, Vec2, vec2};
use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

/// Front, left, up.
type Vector = [f32; 3];

fn dot(a: Vector, b: Vector) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn unit(a: Vector) -> Vector {
    let length = dot(a, a).sqrt().max(1e-9);
    a.map(|part| part / length)
}

fn weighed(parts: [Vector; 3], weights: Vector) -> Vector {
    [0, 1, 2].map(|axis| (0..3).map(|part| weights[part] * parts[part][axis]).sum())
}

/// The front, the left and the up of a head in the world: yaw positive to the left, then pitch positive up, then roll
/// positive with the right ear down, in degrees.
pub(in crate::editor::regions) fn axes([yaw, pitch, roll]: [f32; 3]) -> [Vector; 3] {
    let (sy, cy) = yaw.to_radians().sin_cos();
    let (sp, cp) = pitch.to_radians().sin_cos();
    let (sr, cr) = roll.to_radians().sin_cos();
    [
        [cy * cp, sy * cp, sp],
        [-sy * cr - cy * sp * sr, cy * cr - sy * sp * sr, cp * sr],
        [sy * sr - cy * sp * cr, -cy * sr - sy * sp * cr, cp * cr],
    ]
}

/// From where the head is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::editor::regions) enum View {
    /// Front is up, left is left.
    Above,
    /// Front is to the right.
    Right,
    /// Left is left.
    Behind,
    /// From the front, a little from its left and from above.
    Portrait,
}

impl View {
    /// Where right, up and the viewer are in the world.
    fn axes(self) -> [Vector; 3] {
        let viewer = match self {
            View::Above => return [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
            View::Right => [0.0, -1.0, 0.0],
            View::Behind => [-1.0, 0.0, 0.0],
            View::Portrait => unit([1.0, 0.40, 0.16]),
        };
        let right = unit(cross([0.0, 0.0, 1.0], viewer));
        [right, cross(viewer, right), viewer]
    }

    /// Where on the screen a direction of the world points, y down; what points at the viewer is short.
    pub fn shows(self, direction: Vector) -> Vec2 {
        let [right, up, _] = self.axes();
        vec2(dot(right, direction), -dot(up, direction))
    }

    /// Whether a direction of the world points to the viewer's side.
    pub fn faces(self, direction: Vector) -> bool {
        dot(self.axes()[2], direction) > -0.1
    }
}

/// A closed surface of triangles, with what its edges part.
struct Solid {
    places: Vec<Vector>,
    normals: Vec<Vector>,
    triangles: Vec<[usize; 3]>,
    /// Two corners, and the triangles on both sides.
    edges: Vec<[usize; 4]>,
}

impl Solid {
    /// A sphere whose points are moved: of so many columns around and rows from the top to the bottom. The columns are
    /// close at the front, where the face is.
    fn new(columns: usize, rows: usize, shape: impl Fn(Vector) -> Vector) -> Solid {
        let mut places = Vec::new();
        for row in 0..=rows {
            // The poles are small holes rather than points, whose normals would be undefined.
            let fall = PI * (row as f32 + 0.02).min(rows as f32 - 0.02) / rows as f32;
            for column in 0..columns {
                let way = 2.0 * column as f32 / columns as f32 - 1.0;
                let turn = PI * way.signum() * way.abs().powf(1.5);
                let (flat, up) = fall.sin_cos();
                places.push(shape([flat * turn.cos(), flat * turn.sin(), up]));
            }
        }
        let at = |row: usize, column: usize| row * columns + column % columns;
        let mut triangles = Vec::new();
        let mut edges = Vec::new();
        let first = |row: usize, column: usize| 2 * (row * columns + column % columns);
        for row in 0..rows {
            for column in 0..columns {
                let (a, b) = (at(row, column), at(row, column + 1));
                let (c, d) = (at(row + 1, column), at(row + 1, column + 1));
                let here = triangles.len();
                triangles.extend([[a, c, b], [b, c, d]]);
                edges.push([b, c, here, here + 1]);
                edges.push([b, d, here + 1, first(row, column + 1)]);
                if row + 1 < rows {
                    edges.push([c, d, here + 1, first(row + 1, column)]);
                }
            }
        }
        let mut normals = vec![[0.0; 3]; places.len()];
        for corners in &triangles {
            let [a, b, c] = corners.map(|corner| places[corner]);
            let away = |p: Vector| [0, 1, 2].map(|axis| p[axis] - a[axis]);
            let normal = cross(away(b), away(c));
            for corner in corners {
                for axis in 0..3 {
                    normals[*corner][axis] += normal[axis];
                }
            }
        }
        Solid {
            normals: normals.into_iter().map(unit).collect(),
            places,
            triangles,
            edges,
        }
    }
}

/// Height over a place of the sphere: 1 there, falling off over so much to each side.
fn bump(from: f32, width: f32) -> f32 {
    (-(from / width) * (from / width)).exp()
}

fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let x = ((x - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// A head of height 2 about the middle between its ears.
fn skull([x, y, z]: Vector) -> Vector {
    let low = smooth(0.05, -1.0, z);
    // The jaw keeps the lower face from running to a point.
    let jaw = 1.0 + 0.20 * bump(z + 0.74, 0.26);
    let mut front = if x > 0.0 {
        0.80 * x * jaw * (1.0 - 0.03 * low)
    } else {
        0.92 * x * (1.0 - 0.42 * low)
    };
    let side = y * jaw * (0.70 - 0.15 * low);
    let up = if z < 0.0 { 1.06 * z } else { 0.98 * z };
    if x > 0.0 {
        let ahead = smooth(0.0, 0.5, x);
        let nose = bump(y, 0.15 + 0.04 * smooth(0.05, -0.28, z))
            * bump(z + 0.26, if z > -0.26 { 0.25 } else { 0.13 });
        let brow = bump(y.abs() - 0.24, 0.26) * bump(z - 0.22, 0.12);
        let eyes = bump(y.abs() - 0.29, 0.16) * bump(z - 0.03, 0.13);
        let upper = bump(y, 0.20) * bump(z + 0.495, 0.05);
        let lower = bump(y, 0.17) * bump(z + 0.605, 0.05);
        let chin = bump(y, 0.26) * bump(z + 0.84, 0.13);
        let cheek = bump(y.abs() - 0.40, 0.2) * bump(z + 0.18, 0.18);
        front += ahead
            * (0.21 * nose + 0.03 * brow - 0.05 * eyes
                + 0.04 * upper
                + 0.04 * lower
                + 0.09 * chin
                + 0.03 * cheek);
    }
    [front, side, up]
}

fn ear([x, y, z]: Vector, side: f32) -> Vector {
    // Tilted backwards, and away from the head at its back.
    let (along, up) = (0.17 * x, 0.27 * z);
    [
        along - 0.22 * up - 0.06,
        side * (0.68 + 0.10 * y * side - 0.5 * along.min(0.0)),
        up + 0.22 * along - 0.05,
    ]
}

static SOLIDS: LazyLock<[[Solid; 3]; 2]> = LazyLock::new(|| {
    [(64, 44), (36, 26)].map(|(columns, rows)| {
        [
            Solid::new(columns, rows, skull),
            Solid::new(columns / 3, rows / 3, |p| ear(p, 1.0)),
            Solid::new(columns / 3, rows / 3, |p| ear(p, -1.0)),
        ]
    })
});

/// Draws the head: `size` is half its height in points, `turns` yaw, pitch and roll in degrees. `lit` is whether it
/// hears anything in space.
pub(in crate::editor::regions) fn draw(
    painter: &Painter,
    theme: &Theme,
    (centre, size): (Pos2, f32),
    turns: [f32; 3],
    view: View,
    lit: bool,
) {
    let solids = &SOLIDS[usize::from(size < 48.0)];
    let world = axes(turns);
    let [right, up, viewer] = view.axes();
    let seen = |p: Vector| {
        let p = weighed(world, p);
        [dot(right, p), -dot(up, p), dot(viewer, p)]
    };
    // The light hangs over the viewer's left shoulder.
    let light = unit([-0.45, -0.75, 0.62]);
    // What is farther is drawn first.
    let mut order = [
        (0, 0.02),
        (1, seen([0.0, 0.7, 0.0])[2]),
        (2, seen([0.0, -0.7, 0.0])[2]),
    ];
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let feather = 1.2 / painter.pixels_per_point().max(1.0);
    for (which, _) in order {
        let solid = &solids[which];
        let paint = |normal: Vector| {
            let facing = seen(normal);
            let (shadow, bright) = if theme.dark {
                (
                    mix(theme.ground, theme.space, 0.16),
                    mix(theme.text, theme.space, 0.12),
                )
            } else {
                (
                    mix(theme.faint, theme.space, 0.22),
                    mix(theme.surface, theme.space, 0.04),
                )
            };
            let shade = (0.44 + 0.56 * dot(facing, light))
                .clamp(0.0, 1.0)
                .powf(1.25);
            let mut colour = mix(shadow, bright, 0.9 * shade);
            // Both sides are lit in their ear's colour, and the ears are of it.
            let ear = if normal[1] > 0.0 {
                theme.left
            } else {
                theme.right
            };
            let ear = mix(ear, shadow, 0.45 * (1.0 - shade));
            colour = match which {
                0 => mix(colour, ear, 0.42 * smooth(0.35, 1.0, normal[1].abs())),
                1 => mix(theme.left, shadow, 0.5 * (1.0 - shade)),
                _ => mix(theme.right, shadow, 0.5 * (1.0 - shade)),
            };
            if lit {
                colour
            } else {
                mix(theme.surface, colour, 0.55)
            }
        };
        mesh(painter, solid, (centre, size, feather), seen, paint);
    }
}

/// Draws what of a solid faces the viewer, the farther parts first, its outline softened.
fn mesh(
    painter: &Painter,
    solid: &Solid,
    (centre, size, feather): (Pos2, f32, f32),
    seen: impl Fn(Vector) -> Vector,
    paint: impl Fn(Vector) -> Color32,
) {
    let places: Vec<Vector> = solid.places.iter().map(|place| seen(*place)).collect();
    let on_screen = |p: Vector| centre + size * vec2(p[0], p[1]);
    let mut mesh = Mesh::default();
    for (place, normal) in places.iter().zip(&solid.normals) {
        mesh.vertices.push(Vertex {
            pos: on_screen(*place),
            uv: WHITE_UV,
            color: paint(*normal),
        });
    }
    let faces: Vec<bool> = solid
        .triangles
        .iter()
        .map(|corners| {
            let [a, b, c] = corners.map(|corner| places[corner]);
            // y is down: what faces the viewer runs clockwise on the screen.
            (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) < 0.0
        })
        .collect();
    let mut parts: Vec<(f32, [u32; 3])> = Vec::new();
    for (corners, _) in solid
        .triangles
        .iter()
        .zip(&faces)
        .filter(|(_, faces)| **faces)
    {
        let depth = corners.iter().map(|corner| places[*corner][2]).sum::<f32>() / 3.0;
        parts.push((depth, corners.map(|corner| corner as u32)));
    }
    for [a, b, one, other] in &solid.edges {
        if faces[*one] == faces[*other] {
            continue;
        }
        let depth = 0.5 * (places[*a][2] + places[*b][2]) - 1e-3;
        let start = mesh.vertices.len() as u32;
        for corner in [*a, *b] {
            let out = seen(solid.normals[corner]);
            let out = vec2(out[0], out[1]).normalized();
            let inner = mesh.vertices[corner];
            mesh.vertices.push(Vertex {
                pos: inner.pos + feather * out,
                color: Color32::TRANSPARENT,
                ..inner
            });
        }
        let (a, b) = (*a as u32, *b as u32);
        parts.push((depth, [a, b, start]));
        parts.push((depth, [b, start, start + 1]));
    }
    parts.sort_by(|a, b| a.0.total_cmp(&b.0));
    mesh.indices = parts.into_iter().flat_map(|(_, corners)| corners).collect();
    painter.add(Shape::mesh(mesh));
}

/// Draws a neck and shoulders, which stay where they are and fade into what is `behind` them.
pub(in crate::editor::regions) fn shoulders(
    painter: &Painter,
    theme: &Theme,
    centre: Pos2,
    size: f32,
    behind: Color32,
) {
    // Half the width at heights below the ears, re half the head's height.
    let outline = |y: f32| {
        let neck = 0.40 + 0.05 * (y - 0.6);
        let fall = smooth(1.02, 1.9, y);
        neck + 1.15 * fall.powf(0.8) + 0.12 * (y - 1.0).max(0.0)
    };
    let top = mix(behind, theme.space, if theme.dark { 0.20 } else { 0.22 });
    let mut mesh = Mesh::default();
    const ROWS: usize = 28;
    for row in 0..=ROWS {
        let share = row as f32 / ROWS as f32;
        let y = 0.55 + 1.35 * share;
        let colour = mix(top, behind, smooth(0.15, 1.0, share));
        let half = outline(y);
        for (x, shade) in [
            (-half - 0.02, 1.0),
            (-half, 0.0),
            (0.1 * half, 0.0),
            (half, 0.0),
            (half + 0.02, 1.0),
        ] {
            let at = centre + size * vec2(x, y);
            let colour = if x > 0.3 * half {
                mix(colour, behind, 0.35)
            } else {
                colour
            };
            mesh.colored_vertex(at, mix(colour, behind, shade));
        }
        if row > 0 {
            let at = 5 * row as u32;
            for column in 0..4 {
                let a = at + column;
                mesh.add_triangle(a - 5, a - 4, a);
                mesh.add_triangle(a - 4, a, a + 1);
            }
        }
    }
    painter.add(Shape::mesh(mesh));
}

/// A soft light around a point, strongest in its middle.
pub(super) fn glow(painter: &Painter, centre: Pos2, radius: f32, colour: Color32) {
    let mut mesh = Mesh::default();
    mesh.colored_vertex(centre, colour);
    const POINTS: u32 = 28;
    for (ring, (share, strength)) in [(0.5, 0.36), (1.0, 0.0)].into_iter().enumerate() {
        for point in 0..POINTS {
            let turn = TAU * point as f32 / POINTS as f32;
            let out = share * radius * Vec2::angled(turn);
            mesh.colored_vertex(centre + out, colour.gamma_multiply(strength));
            let next = (point + 1) % POINTS;
            let (inner, outer) = (1, 1 + POINTS);
            if ring == 0 {
                mesh.add_triangle(0, inner + point, inner + next);
            } else {
                mesh.add_triangle(inner + point, inner + next, outer + point);
                mesh.add_triangle(inner + next, outer + point, outer + next);
            }
        }
    }
    painter.add(Shape::mesh(mesh));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Vec2, x: f32, y: f32) -> bool {
        (a - vec2(x, y)).length() < 1e-5
    }

    #[test]
    fn a_head_turns_to_where_the_engine_turns_it() {
        let nose = |turns, view: View| view.shows(axes(turns)[0]);
        let left = |turns, view: View| view.shows(axes(turns)[1]);
        assert!(near(nose([0.0; 3], View::Above), 0.0, -1.0));
        assert!(near(nose([90.0, 0.0, 0.0], View::Above), -1.0, 0.0));
        assert!(near(nose([0.0; 3], View::Right), 1.0, 0.0));
        assert!(near(nose([0.0, 90.0, 0.0], View::Right), 0.0, -1.0));
        assert!(near(left([0.0; 3], View::Behind), -1.0, 0.0));
        // The right ear goes down, the left one up.
        assert!(near(left([0.0, 0.0, 90.0], View::Behind), 0.0, -1.0));
        assert!(left([0.0; 3], View::Portrait).x > 0.5);
    }

    #[test]
    fn solids_are_closed_and_their_normals_point_outwards() {
        for solid in SOLIDS.iter().flatten() {
            let centre = solid.places.iter().fold([0.0; 3], |sum: Vector, place| {
                [0, 1, 2].map(|axis| sum[axis] + place[axis] / solid.places.len() as f32)
            });
            let outwards = solid
                .places
                .iter()
                .zip(&solid.normals)
                .filter(|(place, normal)| {
                    dot([0, 1, 2].map(|axis| place[axis] - centre[axis]), **normal) > 0.0
                });
            assert!(outwards.count() * 100 > solid.places.len() * 95);
            for [a, b, one, other] in &solid.edges {
                for side in [one, other] {
                    let corners = &solid.triangles[*side];
                    assert!(corners.contains(a) && corners.contains(b));
                }
            }
        }
    }
}
