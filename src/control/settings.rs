//! What is saved of control: ports, names, axes.

use super::consent::Ask;
use super::head::HeadSettings;
use super::tracker::{MrMode, QuaternionOrder};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// The port that OSC is expected at.
pub const OSC_PORT: u16 = 9000;

/// opentrack's own default port.
pub const OPENTRACK_PORT: u16 = 4242;

/// The longest name of an instance or of a MIDI port, in letters.
const LONGEST_NAME: usize = 200;

/// How an instance is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Whether OSC is listened to.
    pub osc: bool,
    /// At which port.
    pub port: u16,
    /// From other machines, too.
    pub anywhere: bool,
    /// What the instance is called in `/zeitgeber/instance/<name>/...`.
    pub name: String,
    /// Whether opentrack is listened to at a port of its own. (At OSC's port it always is.)
    pub opentrack: bool,
    /// At which port.
    pub opentrack_port: u16,
    /// Whether values are told to the last sender, or to `feedback_to`.
    pub feedback: bool,
    /// Whom values are told; the last sender where there is none.
    pub feedback_to: Option<SocketAddr>,
    /// Rounds of feedback a second at most.
    pub feedback_rate: f64,
    /// The order of `/quaternion`.
    pub order: QuaternionOrder,
    /// What MrHeadTracker's controllers mean.
    pub mr_mode: MrMode,
    /// A Supperware tracker at the MIDI port is turned on.
    pub supperware: bool,
    /// The MIDI port that is listened to; none where it is empty.
    pub midi_port: String,
    /// How the tracker's axes are the head's.
    pub head: HeadSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            osc: false,
            port: OSC_PORT,
            anywhere: false,
            name: String::new(),
            opentrack: false,
            opentrack_port: OPENTRACK_PORT,
            feedback: false,
            feedback_to: None,
            feedback_rate: 10.0,
            order: QuaternionOrder::default(),
            mr_mode: MrMode::default(),
            supperware: false,
            midi_port: String::new(),
            head: HeadSettings::default(),
        }
    }
}

impl Settings {
    /// What of this reaches beyond this machine: a project from somewhere else may ask for it.
    pub(super) fn asks(&self) -> Vec<Ask> {
        let doors = [(self.osc, self.port), (self.opentrack, self.opentrack_port)];
        let open = doors.into_iter().filter(|(on, _)| *on && self.anywhere);
        let mut asks: Vec<Ask> = open.map(|(_, port)| Ask::Listen(port)).collect();
        asks.dedup();
        if let Some(to) = self.feedback_to
            && self.osc
            && self.feedback
            && !to.ip().is_loopback()
        {
            asks.push(Ask::Tell(to));
        }
        asks
    }

    /// The nearest usable settings.
    pub fn usable(mut self) -> Settings {
        if self.port == 0 {
            self.port = OSC_PORT;
        }
        if self.opentrack_port == 0 {
            self.opentrack_port = OPENTRACK_PORT;
        }
        self.feedback_rate = if self.feedback_rate.is_finite() {
            self.feedback_rate.clamp(1.0, 50.0)
        } else {
            Settings::default().feedback_rate
        };
        for name in [&mut self.name, &mut self.midi_port] {
            if name.chars().count() > LONGEST_NAME {
                *name = name.chars().take(LONGEST_NAME).collect();
            }
        }
        // A slash would be part of the address.
        self.name.retain(|letter| letter != '/');
        self.head = self.head.usable();
        self
    }
}
