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
fn leveller_and_ceiling_tell_what_they_do_while_they_do_it() {
    use crate::engine::controls::{CEILING_ON, LEVELLER_ON, LEVELLER_SPEED};
    use crate::engine::{Engine, Transport};
    // A tone at a quarter of the rate hides 3 dB between its samples.
    let tone = |level: f32| -> Vec<f32> {
        let wave = [1.0, 1.0, -1.0, -1.0];
        wave.iter()
            .cycle()
            .take(48_000)
            .map(|x| level * x)
            .collect()
    };
    let readouts = |on: &[ControlId], level: f32| {
        let mut engine = Engine::new(48_000.0).unwrap();
        engine.set(LEVELLER_SPEED, 0.5);
        on.iter().for_each(|control| engine.set(*control, 1.0));
        engine.reset();
        let link = Arc::new(Link::default());
        link.watch(engine.telemetry().clone());
        let mut panel = Panel::new(link);
        let (mut left, mut right) = (tone(level), tone(level));
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
        let context = Context::default();
        let mut drawn = |time| {
            // egui lays new things out before it draws them.
            frame(&context, &mut panel, time, (760.0, 500.0));
            let drawn = texts(&frame(&context, &mut panel, time, (760.0, 500.0)));
            let told = |text: &String| text.starts_with("leveller ") || text.ends_with(" dB over");
            drawn.into_iter().filter(told).collect::<Vec<String>>()
        };
        let sounding = drawn(1.0);
        // The levels have fallen: what the engine told last is of the past.
        (2..10).for_each(|second| drop(drawn(f64::from(second))));
        (sounding, drawn(10.0))
    };
    let nothing = Vec::<String>::new();
    assert_eq!(readouts(&[], 0.5), (nothing.clone(), nothing.clone()));
    let (levelled, after) = readouts(&[LEVELLER_ON], 0.01);
    assert!(
        levelled.len() == 1 && levelled[0].starts_with("leveller +"),
        "{levelled:?}"
    );
    assert_eq!(after, nothing);
    let (limited, after) = readouts(&[CEILING_ON], 0.88);
    assert!(
        limited.len() == 1 && limited[0].starts_with("ceiling +"),
        "{limited:?}"
    );
    assert_eq!(after, nothing);
    assert_eq!(readouts(&[LEVELLER_ON, CEILING_ON], 0.005).0.len(), 1);
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
