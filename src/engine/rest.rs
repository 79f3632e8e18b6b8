//! Gains through which nothing goes rest, and their ramps stand still. What they were sent to meanwhile would be heard late:
//! a level that was turned down while its layer was off, a fade that ended long ago. So they wake where they would be.

use super::apply::level;
use super::{ControlId, Engine};
use crate::dsp::level::gain_to_db;
use crate::graph::{Activity, NodeIndex};
use crate::node::gain;

/// What a node begins with a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// Nothing new.
    Nothing,
    /// To run.
    Wakes,
    /// To rest.
    Rests,
}

impl Engine {
    /// Lets a gain of the entrainment's fade run, or rest.
    pub(super) fn run_faded(&mut self, node: NodeIndex, runs: bool) {
        if self.let_node_run(node, runs) != Begins::Wakes {
            return;
        }
        let (now, fade) = (self.now, self.fade);
        self.set_gain(node, decibels(fade.value(now)), 0.0, false);
        if let Some(end) = fade.end(now) {
            let seconds = (end - now) as f64 / self.rate;
            self.set_gain(node, decibels(fade.target()), seconds, false);
        }
    }

    /// Lets the gain of a level run, or rest.
    pub(super) fn run_level(&mut self, node: NodeIndex, control: ControlId, runs: bool) {
        if self.let_node_run(node, runs) != Begins::Wakes {
            return;
        }
        let (now, travel) = (self.now, self.travels[control.index()]);
        self.set_gain(node, level(control, travel.value(now)), 0.0, false);
        // A straight line is led from piece to piece.
        if let Some(end) = travel.end(now).filter(|_| !travel.on_line(now)) {
            let seconds = (end - now) as f64 / self.rate;
            self.set_gain(node, level(control, travel.target()), seconds, false);
        }
    }

    /// Lets a gain run that is open or shut, or rest: there it is at once.
    pub(super) fn run_door(&mut self, node: NodeIndex, is_open: bool, runs: bool) {
        if self.let_node_run(node, runs) == Begins::Rests {
            self.put_door(node, is_open);
        }
    }

    /// Opens a door, or shuts it, at once.
    pub(super) fn put_door(&mut self, node: NodeIndex, is_open: bool) {
        let db = if is_open { 0.0 } else { gain::SILENCE };
        self.set_gain(node, db, 0.0, false);
    }

    #[inline]
    fn let_node_run(&mut self, node: NodeIndex, runs: bool) -> Begins {
        let activity = if runs {
            Activity::Run
        } else {
            Activity::Silent
        };
        let rested = self.graph.set_activity(node, activity) == Activity::Silent;
        match (rested, runs) {
            (true, true) => Begins::Wakes,
            (false, false) => Begins::Rests,
            _ => Begins::Nothing,
        }
    }
}

/// A linear gain in decibels, as gain nodes take them.
fn decibels(linear: f64) -> f64 {
    gain_to_db(linear.max(0.0)).max(gain::SILENCE)
}
