//! The editor's way to the host's parameters.

use super::params::ZgParams;
use super::session::Session;
use crate::control::Desk;
use crate::editor::{ParamSink, SinkMaker, follow};
use crate::engine::{ControlId, Order};
use crate::protocol::Take;
use nice_plug::context::gui::GuiContext;
use std::sync::Arc;

/// Reads the parameters and changes them through the host.
struct HostSink {
    params: Arc<ZgParams>,
    session: Arc<Session>,
    control: Arc<Desk>,
    // Lives only as long as the window: nice-plug's context must not be kept beyond it.
    context: GuiContext,
}

/// Makes a sink for each opening of the editor.
pub(super) fn maker(params: &Arc<ZgParams>, session: &Arc<Session>) -> SinkMaker {
    let (params, session) = (params.clone(), session.clone());
    let control = session.control().clone();
    Arc::new(move |context| {
        Box::new(HostSink {
            params: params.clone(),
            session: session.clone(),
            control: control.clone(),
            context,
        })
    })
}

impl ParamSink for HostSink {
    fn value(&self, control: ControlId) -> f64 {
        // What is held is what sounds; a host that is told of it says so some blocks later.
        let held = self.control.held(control);
        held.unwrap_or_else(|| self.params.value(control))
    }

    fn begin(&self, control: ControlId) {
        self.params
            .gesture(&self.context.param_setter(), control, true);
    }

    fn set(&self, control: ControlId, value: f64) {
        self.params
            .set(&self.context.param_setter(), control, value);
    }

    fn end(&self, control: ControlId) {
        self.params
            .gesture(&self.context.param_setter(), control, false);
    }

    fn touch(&self) {
        self.params.touch(&self.context.param_setter());
    }

    fn load(&self, take: &Take) {
        // The engine first: what the host then repeats is what it has already.
        self.session.load(take);
        follow(self, take);
    }

    fn play(&self, play: bool) {
        self.session.order(Order::Play(play));
    }

    fn seek(&self, seconds: f64) {
        self.session.order(Order::Seek(seconds));
    }
}
