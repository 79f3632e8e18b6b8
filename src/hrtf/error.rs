//! What can be wrong with a set of head-related responses, in words that say what to do.

use std::fmt;
use std::path::PathBuf;

/// Why a set cannot be used. Every message names the file, what is wrong with it and what would be right.
#[derive(Debug, Clone, PartialEq)]
pub enum HrtfError {
    /// The file cannot be opened or read.
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        why: String,
    },
    /// A folder, a pipe or a device in place of a file.
    NotAFile {
        /// What was named.
        file: PathBuf,
    },
    /// Larger than any set that could be used.
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// Its size in bytes.
        bytes: u64,
    },
    /// Not an intact SOFA file: another format, cut off, or damaged.
    NotSofa {
        /// Which file.
        file: PathBuf,
        /// What was noticed.
        why: String,
    },
    /// A SOFA file of another kind than free-field impulse responses.
    Convention {
        /// Which file.
        file: PathBuf,
        /// Its convention and its type of data.
        found: String,
    },
    /// The numbers in the file do not make a set.
    Content {
        /// Which file.
        file: PathBuf,
        /// Which numbers, and what they should be.
        why: String,
    },
    /// A sample rate that no host has.
    Rate {
        /// In hertz.
        rate: f64,
    },
    /// An ambisonic order that there is no decoder of.
    Order {
        /// What was asked for.
        order: usize,
    },
    /// The preparation was cancelled.
    Cancelled,
}

impl fmt::Display for HrtfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HrtfError::Unreadable { file, why } => {
                write!(f, "{}: cannot be read: {why}", file.display())
            }
            HrtfError::NotAFile { file } => {
                write!(f, "{}: is not a file; give a SOFA file", file.display())
            }
            HrtfError::TooLarge { file, bytes } => write!(
                f,
                "{}: holds {} MB; sets of up to {} MB are read",
                file.display(),
                bytes / 1_000_000,
                super::sofa::MAX_BYTES / 1_000_000
            ),
            HrtfError::NotSofa { file, why } => write!(
                f,
                "{}: is no intact SOFA file ({why}); fetch it again, or save it anew with a SOFA tool",
                file.display()
            ),
            HrtfError::Convention { file, found } => write!(
                f,
                "{}: holds {found}; Zeitgeber needs SimpleFreeFieldHRIR, or another convention with data of \
                 type FIR measured around one listener",
                file.display()
            ),
            HrtfError::Content { file, why } => write!(f, "{}: {why}", file.display()),
            HrtfError::Rate { rate } => write!(
                f,
                "{rate} Hz is no sample rate for head-related responses; they are prepared for 8000 to 768000 Hz"
            ),
            HrtfError::Order { order } => write!(
                f,
                "there is no ambisonic decoder of order {order}; give an order from 1 to {}",
                crate::dsp::ambisonics::MAX_ORDER
            ),
            HrtfError::Cancelled => f.write_str("the preparation of the HRTF set was cancelled"),
        }
    }
}

impl std::error::Error for HrtfError {}
