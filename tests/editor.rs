//! The editor around a running engine: it moves while something sounds and stands still otherwise.

use egui::{Context, FullOutput, Pos2, RawInput, Rect, vec2};
use std::sync::Arc;
use std::time::Duration;
use zeitgeber::editor::{Link, Panel, ParamSink};
use zeitgeber::engine::{ControlId, Engine, Transport};

/// Parameters at their defaults that nobody changes.
struct Defaults;

impl ParamSink for Defaults {
    fn value(&self, control: ControlId) -> f64 {
        control.control().default_value()
    }

    fn begin(&self, _control: ControlId) {}
    fn set(&self, _control: ControlId, _value: f64) {}
    fn end(&self, _control: ControlId) {}
}

/// Draws a frame and returns how long until the next one is wanted.
fn draw(context: &Context, panel: &mut Panel, time: f64) -> Duration {
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(760.0, 500.0))),
        time: Some(time),
        ..RawInput::default()
    };
    let mut output: FullOutput = context.run_ui(input, |ui| panel.ui(ui, &Defaults));
    // There is no graphics card to hand the fonts to; egui wants that said.
    output.textures_delta.clear();
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
