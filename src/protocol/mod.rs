//! Presets and protocols: what a session is, as text. JSON presets with their checks, the timelines in them,
//! the factory's and the musician's libraries, and sequences of other programs.
//!
//! This room knows the engine's controls and the timelines that it plays, nothing else of it.

mod edit;
mod edit_rows;
mod error;
mod factory;
mod gnaural;
mod hold;
mod import;
mod library;
mod preset;
mod rows;
mod sbg;
mod schema;
mod sequence;

pub use edit::{History, Take};
pub use error::{PresetError, PresetProblem};
pub use factory::{FACTORY, factory, factory_presets, starters};
pub use hold::{Held, InsertChoice};
pub use import::{ImportError, Imported, import, import_text};
pub use library::{Entry, Library, LibraryError};
pub use preset::{
    Cite, Evidence, Grade, Preset, VERSION, carrier_hertz, control_value, value_json,
};
pub use rows::Protocol;
pub use sbg::export as export_sbg;
pub use schema::schema;
