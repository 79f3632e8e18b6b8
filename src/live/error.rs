//! Why a node that a user brought is not used: every message names the file, and the line where there is one.

use crate::node::NodeError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a node from outside, or with the machine that should make it.
#[derive(Debug)]
pub enum LiveError {
    /// The file cannot be read.
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file is no source of a node and no library.
    Ending {
        /// The file.
        file: PathBuf,
    },
    /// A compiler is not installed.
    Missing {
        /// The file that needs it.
        file: PathBuf,
        /// What to install.
        tool: &'static str,
    },
    /// A compiler does not accept the source.
    Compile {
        /// The file with the mistake: the user's own, or one that it includes.
        file: PathBuf,
        /// The line, counted from 1, where the compiler names one.
        line: Option<u32>,
        /// The compiler's message.
        message: String,
        /// All that it said.
        log: String,
    },
    /// A compiler took more time or memory than it is given, or crashed.
    Gave {
        /// The file.
        file: PathBuf,
        /// What happened.
        what: String,
    },
    /// The node does what a node must not do, and was not loaded.
    Refused {
        /// The file.
        file: PathBuf,
        /// What it does.
        problem: String,
    },
    /// The file, with what it draws in, is larger than a node may be.
    Large {
        /// The file.
        file: PathBuf,
        /// Bytes that it may have.
        most: u64,
    },
    /// The file, or something that it draws in, was saved while it was compiled.
    Changed {
        /// The file.
        file: PathBuf,
    },
    /// It is not wanted any more, and was given up.
    Stopped {
        /// The file.
        file: PathBuf,
    },
    /// The folder for compiled nodes cannot be used.
    Folder {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The program that checks nodes cannot be run.
    Checker {
        /// The program.
        program: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A checked node could not be opened or made after all.
    Node(NodeError),
}

impl LiveError {
    pub(super) fn read(file: &Path, error: io::Error) -> LiveError {
        LiveError::Read {
            file: file.to_owned(),
            error,
        }
    }

    pub(super) fn folder(path: &Path, error: io::Error) -> LiveError {
        LiveError::Folder {
            path: path.to_owned(),
            error,
        }
    }
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LiveError::Read { file, error } if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "{}: there is no such file", file.display())
            }
            LiveError::Read { file, error } => {
                write!(f, "{}: cannot be read: {error}", file.display())
            }
            LiveError::Ending { file } => write!(
                f,
                "{}: a node is a .dsp file (Faust), a .cpp file, or a library made by `zeitgeber node build`",
                file.display()
            ),
            LiveError::Missing { file, tool } => write!(
                f,
                "{}: compiling it needs {tool}, which is not installed",
                file.display()
            ),
            LiveError::Compile {
                file,
                line,
                message,
                ..
            } => match line {
                Some(line) => write!(f, "{}:{line}: {message}", file.display()),
                None => write!(f, "{}: {message}", file.display()),
            },
            LiveError::Gave { file, what } => write!(f, "{}: the compiler {what}", file.display()),
            LiveError::Refused { file, problem } => {
                write!(f, "{}: not loaded: {problem}", file.display())
            }
            LiveError::Large { file, most } => write!(
                f,
                "{}: with what it draws in it is larger than the {} MiB that a node may have",
                file.display(),
                most >> 20
            ),
            LiveError::Changed { file } => write!(
                f,
                "{}: it was saved while it was compiled; try again",
                file.display()
            ),
            LiveError::Stopped { file } => write!(f, "{}: given up", file.display()),
            LiveError::Folder { path, error } => write!(
                f,
                "{}: compiled nodes cannot be kept there: {error}",
                path.display()
            ),
            LiveError::Checker { program, error } => write!(
                f,
                "{}: the program that checks nodes cannot be run: {error}",
                program.display()
            ),
            LiveError::Node(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LiveError {}
