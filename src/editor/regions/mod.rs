//! The regions of the window, each in a file of its own. They see the parameters and the instance through the
//! desk, the sound through [`Live`](super::live::Live), and nothing of each other.

pub(super) mod beat;
pub(super) mod control;
mod ears;
pub(super) mod figures;
pub(super) mod graph;
pub(super) mod header;
pub(super) mod inserts;
pub(super) mod inspector;
pub(super) mod messages;
pub(super) mod presets;
pub(super) mod protocol;
pub(super) mod scope;
pub(super) mod space;
pub(super) mod strip;
pub(super) mod welcome;
