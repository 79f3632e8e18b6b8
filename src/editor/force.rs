//! What the protocol has in force: the values of its controls that sound in place of the parameters' own.

use super::ParamSink;
use super::link::Link;
use crate::engine::controls::{GLIDE, PROTOCOL_LOOP};
use crate::engine::{ControlId, Timeline};
use crate::protocol::Protocol;
use std::sync::Arc;

/// Frames a second of the timeline that is asked: the eye needs no more.
const RATE: f64 = 1000.0;

/// The protocol as it was last laid out.
#[derive(Default)]
pub(super) struct Force(Option<Laid>);

struct Laid {
    protocol: Arc<Protocol>,
    /// What else the timeline depends on.
    starts: Vec<f64>,
    timeline: Timeline,
}

impl Force {
    /// The controls that the protocol moves now, each with what it has them at.
    pub fn values(&mut self, link: &Link, sink: &dyn ParamSink) -> Vec<(ControlId, f64)> {
        let Some(seconds) = link.telemetry().and_then(|telemetry| telemetry.protocol()) else {
            return Vec::new();
        };
        let Some(protocol) = link.session().protocol else {
            return Vec::new();
        };
        let moved = protocol.rows().iter().map(|row| row.control);
        let starts: Vec<f64> = moved.chain([GLIDE]).map(|id| sink.value(id)).collect();
        let same = |laid: &Laid| Arc::ptr_eq(&laid.protocol, &protocol) && laid.starts == starts;
        if !self.0.as_ref().is_some_and(same) {
            let settings: Vec<_> = ControlId::all().map(|id| (id, sink.value(id))).collect();
            let timeline = protocol.timeline(&settings, RATE).ok();
            self.0 = timeline.map(|timeline| Laid {
                protocol,
                starts,
                timeline,
            });
        }
        let Some(Laid { timeline, .. }) = &self.0 else {
            return Vec::new();
        };
        let (frame, looping) = (
            (seconds * RATE).round() as i64,
            sink.value(PROTOCOL_LOOP) >= 0.5,
        );
        let controls = timeline.controls().iter();
        controls
            .filter_map(|id| Some((*id, timeline.value(*id, frame, looping)?)))
            .collect()
    }
}
