//! The editor's way to the host's parameters.

use super::outbox::{Collector, Outbox, Threads, Word};
use super::params::ZgParams;
use super::session::Session;
use crate::control::Desk;
use crate::editor::{ParamSink, SinkMaker, Way, follow};
use crate::engine::{ControlId, Order};
use crate::protocol::Take;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::PluginApi;
use std::sync::Arc;

/// Reads the parameters and changes them through the host.
struct HostSink {
    params: Arc<ZgParams>,
    session: Arc<Session>,
    control: Arc<Desk>,
    outbox: Arc<Outbox>,
}

/// What is called on the host's own thread when a window closes, and when it has.
#[derive(Clone)]
pub(super) struct Closing {
    pub(super) begins: Arc<dyn Fn(&GuiContext) + Send + Sync>,
    pub(super) ends: Arc<dyn Fn() + Send + Sync>,
}

/// Makes a sink for each opening of the editor; `wake` has the collector come on the host's own thread.
pub(super) fn maker(
    params: &Arc<ZgParams>,
    session: &Arc<Session>,
    collector: &Arc<Collector>,
    wake: Arc<dyn Fn() + Send + Sync>,
    closing: Closing,
) -> SinkMaker {
    let (params, session, collector) = (params.clone(), session.clone(), collector.clone());
    let control = session.control().clone();
    Arc::new(move |context| {
        let told = params.clone();
        // CLAP and the standalone take words from any thread.
        let threads = match context.plugin_api() {
            PluginApi::Vst3 => Threads::Own,
            _ => Threads::Any,
        };
        // nice-plug's context must not be kept beyond the window: the outbox is not, either.
        let (own, Closing { begins, ends }) = (context.clone(), closing.clone());
        let say = move |word| told.say(&context.param_setter(), word);
        let outbox = Arc::new(Outbox::new(threads, say, wake.clone()));
        collector.serve(&outbox);
        let sink = HostSink {
            params: params.clone(),
            session: session.clone(),
            control: control.clone(),
            outbox: outbox.clone(),
        };
        Way {
            sink: Box::new(sink),
            close: Box::new(move || {
                outbox.close();
                begins(&own);
            }),
            closed: Box::new(move || ends()),
        }
    })
}

impl ParamSink for HostSink {
    fn value(&self, control: ControlId) -> f64 {
        // What is held is what sounds; a host that is told of it says so some blocks later.
        let held = self.control.held(control);
        held.or_else(|| self.outbox.value(control))
            .unwrap_or_else(|| self.params.value(control))
    }

    fn begin(&self, control: ControlId) {
        self.outbox.put(Word::Begin(control));
    }

    fn set(&self, control: ControlId, value: f64) {
        self.outbox.put(Word::Set(control, value));
    }

    fn end(&self, control: ControlId) {
        self.outbox.put(Word::End(control));
    }

    fn touch(&self) {
        self.outbox.put(Word::Touch);
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
