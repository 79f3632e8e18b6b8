//! The editor around a running engine moves while something sounds and stands still otherwise.

use egui::{Context, FullOutput, Pos2, RawInput, Rect, vec2};
use std::sync::Arc;
use std::time::Duration;
use zeitgeber::editor::{Link, Panel, ParamSink};
use zeitgeber::engine::controls::{CEILING_ON, LEVELLER_ON, LEVELLER_SPEED};
use zeitgeber::engine::{ControlId, Engine, Transport};

/// Parameters at their defaults that nobody changes.
pub struct Defaults;

impl ParamSink for Defaults {
    fn value(&self, control: ControlId) -> f64 {
        control.control().default_value()
    }

    fn begin(&self, _control: ControlId) {}
    fn set(&self, _control: ControlId, _value: f64) {}
    fn end(&self, _control: ControlId) {}
    fn touch(&self) {}
}

/// Draws a frame.
fn frame(context: &Context, panel: &mut Panel, time: f64) -> FullOutput {
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(760.0, 500.0))),
        time: Some(time),
        ..RawInput::default()
    };
    let mut output: FullOutput = context.run_ui(input, |ui| panel.ui(ui, &Defaults));
    // There is no graphics card to hand the fonts to; egui wants that said.
    output.textures_delta.clear();
    output
}

/// Draws a frame and returns how long until the next one is wanted.
fn draw(context: &Context, panel: &mut Panel, time: f64) -> Duration {
    let output = frame(context, panel, time);
    let delays = output
        .viewport_output
        .values()
        .map(|viewport| viewport.repaint_delay);
    delays.min().unwrap_or(Duration::MAX)
}

#[test]
fn a_silent_editor_stands_still_and_a_sounding_one_moves() {
    let link = Arc::new(Link::default());
    let mut engine = Engine::new(48_000.0).unwrap();
    link.watch(engine.telemetry().clone());
    let mut panel = Panel::new(link);
    let context = Context::default();
    // egui itself asks for a few frames until its layout has settled.
    for second in 0..10 {
        draw(&context, &mut panel, f64::from(second));
    }
    assert!(draw(&context, &mut panel, 10.0) > Duration::from_secs(1));

    let mut left = [0.5f32; 64];
    let mut right = [0.5f32; 64];
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    let wanted = draw(&context, &mut panel, 11.0);
    assert!(
        wanted >= Duration::from_millis(30) && wanted < Duration::from_millis(40),
        "{wanted:?}"
    );
    // The meters fall, and it stands still again.
    for second in 12..20 {
        draw(&context, &mut panel, f64::from(second));
    }
    assert!(draw(&context, &mut panel, 20.0) > Duration::from_secs(1));
}

/// The texts of a frame.
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

/// What the editor says of leveller and ceiling after a second of a tone at a quarter of the rate, which hides
/// 3 dB between its samples; and what it says when the tone is over and the levels have fallen.
fn readouts(on: &[ControlId], level: f32) -> [Vec<String>; 2] {
    let mut engine = Engine::new(48_000.0).unwrap();
    engine.set(LEVELLER_SPEED, 0.5);
    on.iter().for_each(|control| engine.set(*control, 1.0));
    engine.reset();
    let link = Arc::new(Link::default());
    link.watch(engine.telemetry().clone());
    let mut panel = Panel::new(link);
    let wave = [level, level, -level, -level].into_iter().cycle();
    let tone: Vec<f32> = wave.take(48_000).collect();
    let (mut left, mut right) = (tone.clone(), tone);
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    let context = Context::default();
    let mut drawn = |time| {
        // egui lays new things out before it draws them.
        frame(&context, &mut panel, time);
        let drawn = texts(&frame(&context, &mut panel, time));
        let told = |text: &String| {
            text.starts_with('+') && (text.ends_with(" dB") || text.ends_with(" dB over"))
        };
        drawn.into_iter().filter(told).collect::<Vec<String>>()
    };
    let sounding = drawn(1.0);
    (2..10).for_each(|second| drop(drawn(f64::from(second))));
    [sounding, drawn(10.0)]
}

#[test]
fn leveller_and_ceiling_tell_what_they_do_while_they_do_it() {
    let nothing = Vec::<String>::new();
    assert_eq!(readouts(&[], 0.5), [nothing.clone(), nothing.clone()]);
    let [levelled, after] = readouts(&[LEVELLER_ON], 0.01);
    assert!(
        levelled.len() == 1 && levelled[0].ends_with(" dB"),
        "{levelled:?}"
    );
    assert_eq!(after, nothing);
    let [limited, after] = readouts(&[CEILING_ON], 0.88);
    assert!(
        limited.len() == 1 && limited[0].ends_with(" dB over"),
        "{limited:?}"
    );
    assert_eq!(after, nothing);
}
