//! tmp
pub mod analysis;
pub mod engine;
pub mod graph;
pub mod offline;
