//! Ambisonics: spherical harmonics and what is made of them. Channels are in ACN order and SN3D normalisation (AmbiX:
//! Nachbar et al., "ambiX - a suggested ambisonics format", Ambisonics Symposium 2011), azimuth positive to the left,
//! elevation up, without Condon-Shortley phase.

mod decode;
mod decoder;
mod fade;
mod harmonics;

pub use decode::{BusRenderer, DecoderBank, ONSET, RefusedBank};
pub use decoder::Decoder;
pub use harmonics::{MAX_CHANNELS, MAX_ORDER, channels, degree, encode, n3d};
