//! The entrainment chain as a graph: controls in, sound and telemetry out.

pub mod controls;
mod event;
mod telemetry;

pub use controls::{Control, ControlError, ControlId};
pub use event::{Change, Event, Transport};
pub use telemetry::Telemetry;

use crate::graph::GraphRun;
use std::sync::Arc;

/// Frames of the fixed grid on which filters and trajectories act.
pub const QUANTUM: usize = 32;

/// What sounds on after the input has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    None,
    /// This many frames.
    Frames(u32),
    /// Something generates: it never ends.
    Infinite,
}

/// Why an engine could not be made.
#[derive(Debug, Clone, PartialEq)]
pub enum EngineError {
    /// The sample rate is outside 8 kHz to 768 kHz.
    Rate(f64),
}
impl std::fmt::Display for EngineError { fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
impl std::error::Error for EngineError {}

/// The engine.
pub struct Engine { telemetry: Arc<Telemetry>, values: Vec<f64>, graph: GraphRun, rate: f64 }

impl Engine {
    /// A new engine with every control at its default.
    pub fn new(sample_rate: f64) -> Result<Engine, EngineError> { Ok(Engine { telemetry: Arc::default(), values: controls::CONTROLS.iter().map(|c| c.default_value()).collect(), graph: GraphRun {}, rate: sample_rate }) }
    /// Rate in hertz.
    pub fn sample_rate(&self) -> f64 { self.rate }
    /// Sets a control at the next frame (a step; glides as the control does). Before the first frame after
    /// `new` or `reset` there is nothing to glide from: the value is simply there. Clamped into its range.
    pub fn set(&mut self, control: ControlId, value: f64) { self.values[control.index()] = control.control().clamp(value); }
    /// The value a control has been set to (not where its glide is).
    pub fn get(&self, control: ControlId) -> f64 { self.values[control.index()] }
    /// Back to the first frame: same controls, fresh sound state. Allocates nothing.
    pub fn reset(&mut self) {}
    /// Processes one block in place; `left` and `right` have the same length, any from 0. `events` are
    /// sorted by frame. `transport` holds at the block's first frame.
    pub fn process(&mut self, left: &mut [f32], right: &mut [f32], transport: Transport, events: &[Event]) { let _ = (left, right, transport, events); }
    /// What sounds on when the input ends now.
    pub fn tail(&self) -> Tail { Tail::None }
    /// Levels, phases and counters.
    pub fn telemetry(&self) -> &Arc<Telemetry> { &self.telemetry }
    /// The chain as a graph: names, connections, JSON, dot, taps.
    pub fn graph(&self) -> &GraphRun { &self.graph }
    /// The same, to set taps.
    pub fn graph_mut(&mut self) -> &mut GraphRun { &mut self.graph }
}
