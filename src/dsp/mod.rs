//! Arithmetic that knows no node: phases, ramps, levels, convolution, head-related responses and their
//! rendering, rooms, the floating-point mode of the audio thread.

pub mod ambisonics;
pub mod binaural;
pub mod convolve;
pub mod denormals;
pub mod hash;
pub mod hrir;
pub mod level;
pub mod noise;
pub mod phase;
pub mod pink;
pub mod quaternion;
pub mod ramp;
pub mod room;
pub mod sine;
pub mod sum;
