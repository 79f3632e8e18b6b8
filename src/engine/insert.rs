//! Inserts A and B: where the controls put the parameters of the nodes that were brought, and when these run.

use super::Engine;
use super::controls as id;
use crate::dsp::phase::Motion;
use crate::graph::Activity;
use crate::node::insert::param;

impl Engine {
    /// Gives the inserts their controls and the phase of the beat for the piece that begins and lasts until `end`, and
    /// lets them run if there is anything to hear of them.
    pub(super) fn run_inserts(&mut self, end: u64) {
        self.put_inserts();
        for node in self.chain.inserts {
            if self.on_grid() {
                self.graph.set_param(node, param::BEGINS, 1.0);
            }
            if self.graph.get_param(node, param::SOUNDS) < 0.5 {
                self.graph.set_activity(node, Activity::Pass);
                continue;
            }
            self.graph.set_activity(node, Activity::Run);
            let half_beat = Motion {
                position: self.master_half,
                ..self.master_gear.half_beat
            }
            .plus(&self.offset_motion(end - self.now));
            self.set_motion(node, 0, &half_beat.plus(&half_beat));
        }
    }

    /// Brings the controls of the inserts to them, as they are now.
    pub(super) fn put_inserts(&mut self) {
        for (node, ids) in self.chain.inserts.into_iter().zip(id::INSERTS) {
            let on = self.settled(ids.on);
            self.put_param(node, param::ON, on);
            for (n, control) in ids.macros.into_iter().enumerate() {
                let position = self.travels[control.index()].value(self.now);
                self.put_param(node, param::MACROS + n, position);
            }
        }
    }

    /// Whether a node of an insert sounds, if only its fade.
    pub(super) fn inserts_sound(&self) -> bool {
        let sounds = |node| self.graph.get_param(node, param::SOUNDS) >= 0.5;
        self.chain.inserts.into_iter().any(sounds)
    }

    /// Makes the nodes of the inserts forget what they have heard.
    pub(super) fn clear_inserts(&mut self) {
        for node in self.chain.inserts {
            self.graph.set_param(node, param::FORGETS, 1.0);
        }
    }
}
