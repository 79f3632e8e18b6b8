//! The whole page, in egui without a window.

use super::super::testing::Table;
use super::*;
use egui::{Context, FullOutput, Pos2, RawInput, Rect, vec2};

fn frame(context: &Context, panel: &mut Panel, time: f64, size: (f32, f32)) -> FullOutput {
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(size.0, size.1))),
        time: Some(time),
        ..RawInput::default()
    };
    let table = Table::default();
    let mut output = context.run_ui(input, |ui| panel.ui(ui, &table));
    // There is no graphics card to hand the fonts to; egui wants that said.
    output.textures_delta.clear();
    output
}

fn texts(output: &FullOutput) -> Vec<String> {
    fn collect(shape: &egui::Shape, texts: &mut Vec<String>) {
        match shape {
            egui::Shape::Text(text) => texts.push(text.galley.text().to_owned()),
            egui::Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, texts)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    for shape in &output.shapes {
        collect(&shape.shape, &mut texts);
    }
    texts
}

#[test]
fn every_control_is_drawn_with_its_value() {
    let link = Arc::new(Link::default());
    let mut panel = Panel::new(link.clone());
    let context = Context::default();
    for size in [(1200.0, 2400.0), (760.0, 4000.0)] {
        frame(&context, &mut panel, 0.0, size);
        let drawn = texts(&frame(&context, &mut panel, 1.0, size));
        for id in ControlId::all() {
            let control = id.control();
            assert!(
                drawn.iter().any(|text| text == control.name),
                "{} at {size:?}: {drawn:?}",
                control.name
            );
        }
        for value in ["10 Hz", "250 Hz", "-20 dB", "timeline"] {
            assert!(drawn.iter().any(|text| text == value), "{value}: {drawn:?}");
        }
    }
    for size in [(460.0, 320.0), (1.0, 1.0), (4096.0, 4096.0)] {
        frame(&context, &mut panel, 2.0, size);
    }
}

#[test]
fn messages_are_shown() {
    let link = Arc::new(Link::default());
    link.messages.post("the input was not finite");
    link.messages.post("the input was not finite");
    let mut panel = Panel::new(link);
    let context = Context::default();
    frame(&context, &mut panel, 0.0, (760.0, 500.0));
    let drawn = texts(&frame(&context, &mut panel, 1.0, (760.0, 500.0)));
    assert!(
        drawn
            .iter()
            .any(|text| text == "the input was not finite (2 times)"),
        "{drawn:?}"
    );
}
