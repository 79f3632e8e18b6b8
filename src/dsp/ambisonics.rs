//! Ambisonics: spherical harmonics and what is made of them. Channels are in ACN order and SN3D normalisation (AmbiX:
//! Nachbar et al., "ambiX - a suggested ambisonics format", Ambisonics Symposium 2011), azimuth positive to the left,
//! elevation up, without Condon-Shortley phase.

mod convert;
mod decode;
mod decoder;
mod encoder;
mod fade;
mod harmonics;
mod sampled;

pub use convert::{Format, Input};
pub use decode::{BusRenderer, DecoderBank, ONSET, RefusedBank};
pub use decoder::Decoder;
pub use encoder::Encoder;
pub use harmonics::{MAX_CHANNELS, MAX_ORDER, channels, degree, encode, n3d};
pub use sampled::sampled;
