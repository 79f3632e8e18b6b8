//! Rendering without a host: files in, the engine, files out; streamed, so that length costs no memory.

mod capture;
mod decode;
mod lanes;
mod preset;
mod render;
mod resample;
mod rf64;
mod wav;

pub use capture::{Capture, CaptureError, Captures};
pub use decode::{DecodeError, DecodeProblem, Decoder, Silence, Source};
pub use lanes::{Lane, LaneError, LaneProblem};
pub use preset::{Preset, PresetError};
pub use render::{BlockError, BlockSize, Blocks, RenderError, RenderOptions, render};
pub use resample::resampled;
pub use wav::{WavError, WavProblem, WavWriter};
