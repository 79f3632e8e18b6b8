//! The editor's way to the host's parameters.

use super::params::ZgParams;
use crate::editor::{ParamSink, SinkMaker};
use crate::engine::ControlId;
use nice_plug::context::gui::GuiContext;
use std::sync::Arc;

/// Reads the parameters and changes them through the host.
struct HostSink {
    params: Arc<ZgParams>,
    // Lives only as long as the window: nice-plug's context must not be kept beyond it.
    context: GuiContext,
}

/// Makes a sink for each opening of the editor.
pub(super) fn maker(params: &Arc<ZgParams>) -> SinkMaker {
    let params = params.clone();
    Arc::new(move |context| {
        Box::new(HostSink {
            params: params.clone(),
            context,
        })
    })
}

impl ParamSink for HostSink {
    fn value(&self, control: ControlId) -> f64 {
        self.params.value(control)
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
}
