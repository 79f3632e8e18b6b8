//! Sets of head-related responses: read, checked, prepared for a host's rate, shared between instances.
//!
//! A SOFA file ([`sofa`]) or the embedded default becomes windows around onsets ([`align`]), spectra at the host's
//! rate, dense directions, and filters of minimum phase with interaural time differences ([`prepare`]). All
//! of it runs off the audio thread.

mod align;
mod bits;
mod cache;
mod decoder;
mod densify;
mod equalise;
mod error;
mod grid;
mod hdf;
mod head;
mod kriging;
mod packed;
mod prepare;
mod progress;
mod raw;
mod resample;
pub mod sofa;
mod spectra;
mod spectrum;
mod thin;
mod trend;

pub use align::{Aligned, align};
pub use cache::{Info, Set, Source, default_info, load};
pub use decoder::{
    Band, Fidelity, ORDERS, decoder, default_decoder, embedded_decoder, fidelity, make_decoder,
    pack_decoders,
};
pub use error::HrtfError;
pub use packed::{default_set, pack};
pub use prepare::{Options, RATES, finish, prepare};
pub use progress::Progress;
pub use raw::{About, Raw};
pub use spectra::time_differences;
