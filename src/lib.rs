//! tmp
pub mod engine;
pub mod graph;
