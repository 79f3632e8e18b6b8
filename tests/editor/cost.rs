//! What a frame costs, counted: vertices are the same on every machine, time is not.

use crate::stand::Stand;
use egui::epaint::{ClippedShape, Primitive};
use std::collections::BTreeMap;
use zeitgeber::editor::Look;
use zeitgeber::engine::controls as id;

/// Vertices of shapes.
fn vertices(stand: &Stand, shapes: Vec<ClippedShape>) -> usize {
    let meshes = stand.harness.ctx.tessellate(shapes, 1.0);
    let vertices = meshes.iter().map(|part| match &part.primitive {
        Primitive::Mesh(mesh) => mesh.vertices.len(),
        Primitive::Callback(_) => 0,
    });
    vertices.sum()
}

fn kind(shape: &egui::Shape) -> &'static str {
    match shape {
        egui::Shape::Mesh(_) => "meshes",
        egui::Shape::Path(_) => "lines",
        egui::Shape::Text(_) => "text",
        egui::Shape::Rect(_) => "rectangles",
        egui::Shape::Circle(_) => "circles",
        egui::Shape::Vec(_) => "groups",
        egui::Shape::LineSegment { .. } => "segments",
        _ => "others",
    }
}

#[test]
fn a_frame_of_every_page_is_bounded() {
    let mut stand = Stand::new((1100.0, 720.0), Look::default());
    for (control, value) in [
        (id::L1_KIND, 1.0),
        (id::BEAT, 6.0),
        (id::SPACE_KIND, id::SPACE_HRTF as f64),
    ] {
        stand.set(control, value);
    }
    stand.play(10);
    let mut worst = Vec::new();
    for page in ["Scope", "Space", "Protocol", "Graph", "Presets", "Control"] {
        crate::reach::page(&mut stand, page);
        stand.play(4);
        let shapes = stand.harness.output().shapes.clone();
        let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for shape in &shapes {
            let found = kinds.entry(kind(&shape.shape)).or_default();
            found.0 += 1;
            found.1 += vertices(&stand, vec![shape.clone()]);
        }
        let all = vertices(&stand, shapes);
        println!("{page}: {all} vertices; {kinds:?}");
        worst.push((page, all));
    }
    for (page, all) in worst {
        assert!(all < 40_000, "{page}: {all}");
    }
}
