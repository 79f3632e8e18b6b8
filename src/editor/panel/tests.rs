//! The whole page, in egui without a window.

use super::super::testing::Table;
use super::*;
use crate::engine::{Engine, Transport};
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

/// How long until the next frame is wanted.
fn delay(output: &FullOutput) -> Duration {
    output
        .viewport_output
        .values()
        .map(|viewport| viewport.repaint_delay)
        .min()
        .unwrap_or(Duration::MAX)
}

#[test]
fn every_control_is_drawn_with_its_value() {
    let link = Arc::new(Link::default());
    let mut panel = Panel::new(link.clone());
    let context = Context::default();
    for size in [(1200.0, 900.0), (760.0, 2000.0)] {
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

#[test]
fn a_silent_page_stands_still_and_a_sounding_one_moves() {
    let link = Arc::new(Link::default());
    let mut engine = Engine::new(48_000.0).unwrap();
    link.watch(engine.telemetry().clone());
    let mut panel = Panel::new(link);
    let context = Context::default();
    // egui itself asks for a few frames until its layout has settled.
    let mut now = 0.0;
    for _ in 0..10 {
        now += 1.0;
        frame(&context, &mut panel, now, (760.0, 500.0));
    }
    assert!(
        delay(&frame(&context, &mut panel, now + 1.0, (760.0, 500.0))) > Duration::from_secs(1)
    );

    let mut left = [0.5f32; 64];
    let mut right = [0.5f32; 64];
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    let wanted = delay(&frame(&context, &mut panel, now + 2.0, (760.0, 500.0)));
    assert!(
        wanted >= Duration::from_millis(30) && wanted < Duration::from_millis(40),
        "{wanted:?}"
    );
}
