//! Zeitgeber: entrainment for any audio stream.
//!
//! The crate is the plugin (CLAP and VST3) and, as a Rust library, everything the plugin is made of: the
//! [`graph`] of [`node`]s and the [`engine`] that runs the entrainment chain. Imports run one way:
//! `dsp <- node <- graph <- engine <- plugin`; `tests/layering.rs` holds them to it.

pub mod analysis;
pub mod control;
pub mod dsp;
pub mod editor;
pub mod engine;
pub mod file;
pub mod graph;
pub mod hrtf;
pub mod live;
pub mod node;
pub mod offline;
pub mod plugin;
pub mod protocol;
pub mod space;
pub mod text;
