//! Arithmetic that knows no node: phases, ramps, levels, the floating-point mode of the audio thread.

pub mod denormals;
pub mod hrir;
pub mod level;
pub mod phase;
pub mod ramp;
