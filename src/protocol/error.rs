//! Why a preset is refused, by file, key, value and what would be right.

use crate::engine::ControlError;
use crate::engine::timeline::{LONGEST, TimelineError};
use crate::text::shorten;
use std::fmt;
use std::path::PathBuf;

/// Why a preset was refused.
#[derive(Debug)]
pub struct PresetError {
    /// The file, or the name of what is no file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: PresetProblem,
}

/// What can be wrong with a preset.
#[derive(Debug)]
pub enum PresetProblem {
    /// It cannot be read.
    Unreadable(std::io::Error),
    /// It is longer than any preset: its length and the longest, in bytes.
    Long(u64, u64),
    /// It holds nothing.
    Empty,
    /// It is not JSON.
    Json(serde_json::Error),
    /// It has no object "params".
    NoParams,
    /// It is of a later version.
    Version(String),
    /// A value that its control does not take.
    Value(ControlError),
    /// A value that is neither number, name nor switch.
    Kind {
        /// The key.
        key: String,
        /// The value as JSON.
        value: String,
    },
    /// A part that is not what it has to be.
    Part {
        /// The key, with its place.
        key: String,
        /// The value as JSON.
        value: String,
        /// What it has to be.
        wanted: String,
    },
    /// A row of the protocol that has no time.
    NoTime {
        /// Its place, from 0.
        row: usize,
    },
    /// A row of the protocol with a value that its control does not take.
    RowValue {
        /// Its place, from 0.
        row: usize,
        /// What is wrong.
        error: ControlError,
    },
    /// Rows of which no timeline can be made.
    Timeline(TimelineError),
    /// More rows than a protocol can have: how many, and the most.
    Rows(usize, usize),
}

impl fmt::Display for PresetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl fmt::Display for PresetProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PresetProblem::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                f.write_str("there is no such file")
            }
            PresetProblem::Unreadable(error) => write!(f, "cannot be read: {error}"),
            PresetProblem::Long(bytes, most) => write!(
                f,
                "is {bytes} bytes long, and a preset has at most {most}; this is some other file"
            ),
            PresetProblem::Empty => f.write_str("the file is empty"),
            PresetProblem::Json(error) => write!(f, "is not a preset, which is JSON: {error}"),
            PresetProblem::NoParams => {
                f.write_str("has no object \"params\"; write {\"zeitgeber\": 1, \"params\": {...}}")
            }
            PresetProblem::Version(version) => write!(
                f,
                "is of version {version}; this program reads up to version {}, get a newer one",
                super::VERSION
            ),
            PresetProblem::Value(error) => error.fmt(f),
            PresetProblem::Kind { key, value } => {
                write!(f, "{key}: {value} is not a number, a name, true or false")
            }
            PresetProblem::Part { key, value, wanted } => {
                write!(f, "{key}: {value} is not {wanted}")
            }
            PresetProblem::NoTime { row } => write!(
                f,
                "{}: it has no time; write \"at\": seconds, from 0 to {LONGEST}",
                row_name(*row)
            ),
            PresetProblem::RowValue { row, error } => write!(f, "{}: {error}", row_name(*row)),
            PresetProblem::Timeline(error) => write!(f, "protocol: {error}"),
            PresetProblem::Rows(rows, most) => {
                write!(f, "protocol: {rows} values in its rows; at most {most}")
            }
        }
    }
}

impl std::error::Error for PresetError {}
impl std::error::Error for PresetProblem {}

/// A row of the protocol by its place, which is from 0: people count from 1.
pub(super) fn row_name(place: usize) -> String {
    format!("protocol row {} (counted from 1)", place + 1)
}

/// At most a line of a value: a file can hold anything.
pub(super) fn short(value: &impl fmt::Display) -> String {
    shorten(&value.to_string())
}
