//! tmp
pub mod editor;
pub mod engine;
pub mod graph;
pub mod plugin;
