//! The editor: egui. It sees parameters (through [`ParamSink`]) and telemetry (through [`Link`]), and
//! nothing else of the plugin or the engine.

mod browse;
mod force;
mod hrtf;
pub mod insert;
mod link;
mod live;
mod messages;
mod panel;
mod regions;
#[cfg(test)]
mod testing;
mod theme;
mod widgets;
mod window;
mod words;

pub use browse::{Ask, Asker};
pub use hrtf::{HrtfChoice, HrtfState, Loading};
pub use link::{Chain, EditorSize, Link, Look, SessionState};
pub use messages::{Message, Messages};
pub use panel::Panel;
pub use window::{SinkMaker, Way, ZgEditor, ZgHandle};

use crate::engine::ControlId;
use crate::protocol::Take;

/// Where the editor reads and writes parameters: in a plugin the host, in tests a table.
///
/// A change is a gesture: [`begin`](ParamSink::begin), any number of [`set`](ParamSink::set),
/// [`end`](ParamSink::end), so that hosts can record it as one movement.
pub trait ParamSink {
    /// The value now, in the control's unit (enums by index, switches 0 or 1).
    fn value(&self, control: ControlId) -> f64;
    /// The user takes hold of the control.
    fn begin(&self, control: ControlId);
    /// The user moves it; `value` in the control's unit.
    fn set(&self, control: ControlId, value: f64);
    /// The user lets go of it.
    fn end(&self, control: ControlId);
    /// The user has changed what is saved beside the parameters: the host is to know that there is something to save.
    fn touch(&self);
    /// A whole sound at once, with a fade; the parameters follow as gestures. Here only as gestures, where
    /// there is no engine behind.
    fn load(&self, take: &Take) {
        follow(self, take);
    }
    /// Where the host has no transport: the protocol runs, or waits.
    fn play(&self, _play: bool) {}
    /// Where the host has no transport: the protocol goes on from this second.
    fn seek(&self, _seconds: f64) {}
}

/// Brings the parameters to the values of a sound, a gesture each where they differ.
pub(crate) fn follow(sink: &(impl ParamSink + ?Sized), take: &Take) {
    for (id, value) in &take.settings {
        if sink.value(*id) != *value {
            sink.begin(*id);
            sink.set(*id, *value);
            sink.end(*id);
        }
    }
}
