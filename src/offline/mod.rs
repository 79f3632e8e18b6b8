//! Rendering without a host: files in, the engine, files out; streamed, so that length costs no memory.

mod aside;
mod blocks;
mod capture;
mod decode;
mod flac;
mod lanes;
mod looped;
mod marks;
mod render;
mod resample;
mod rf64;
mod run;
mod sound_file;
mod tags;
mod target;
mod wav;
mod wide;

pub use aside::Aside;
pub use blocks::{BlockError, BlockSize, Blocks};
pub use capture::{Capture, CaptureError, Captures};
pub use decode::{DecodeError, DecodeProblem, Decoder, Silence, Source};
pub use flac::FlacWriter;
pub use lanes::{Lane, LaneError, LaneProblem};
pub use looped::Looped;
pub use marks::{Marks, MarksError};
pub use render::{RenderError, RenderOptions, Rendered, render};
pub use resample::resampled;
pub use run::{alone, lone_node, prepare, run_graph};
pub use sound_file::{Container, SoundFile};
pub use tags::Tags;
pub use target::folded;
pub use wav::{SampleFormat, WavError, WavProblem, WavWriter};
