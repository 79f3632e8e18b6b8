//! What several subcommands read from their options, and the one kind of error they end with.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use zeitgeber::engine::{self, ControlId};
use zeitgeber::protocol::{Entry, Library, LibraryError};

/// Why a command stops: a message for the user.
#[derive(Debug)]
pub struct Problem(String);

impl Problem {
    /// From a message.
    pub fn new(message: impl Into<String>) -> Problem {
        Problem(message.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every error of the library has its message; nothing more is known of it here.
impl<E: Error> From<E> for Problem {
    fn from(error: E) -> Problem {
        Problem(error.to_string())
    }
}

/// Splits `NAME=VALUE`.
pub fn assignment<'a>(
    text: &'a str,
    option: &str,
    shape: &str,
) -> Result<(&'a str, &'a str), Problem> {
    text.split_once('=')
        .map(|(name, value)| (name.trim(), value))
        .ok_or_else(|| Problem::new(format!("{option} \"{text}\": write {option} {shape}")))
}

/// Reads every `--set ID=VALUE`.
pub fn settings(texts: &[String]) -> Result<Vec<(ControlId, f64)>, Problem> {
    texts
        .iter()
        .map(|text| {
            let (id, value) = assignment(text, "--set", "ID=VALUE")?;
            let id = ControlId::parse(id)?;
            Ok((id, id.control().parse(value)?))
        })
        .collect()
}

/// Reads `--preset NAME|FILE`.
pub fn preset(name: &str) -> Result<Entry, Problem> {
    Library::new().open(name).map_err(|error| match error {
        LibraryError::Unknown { .. } => Problem::new(format!(
            "--preset {name}: {error}; `zeitgeber presets list` lists them"
        )),
        other => other.into(),
    })
}

/// Reads a number; whether it is a sensible one is for its user to say.
pub fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| "it is not a number; write for example 10".to_owned())
}

/// Lowest and highest sample rate that the engine runs at, in hertz.
const RATES: (u32, u32) = (*engine::RATES.start() as u32, *engine::RATES.end() as u32);

/// Reads a sample rate.
pub fn rate(text: &str) -> Result<u32, String> {
    let (low, high) = RATES;
    match text.parse::<f64>() {
        Ok(rate) if rate.fract() == 0.0 && (f64::from(low)..=f64::from(high)).contains(&rate) => {
            Ok(rate as u32)
        }
        Ok(rate) if rate.is_finite() => {
            let nearest = rate.round().clamp(f64::from(low), f64::from(high));
            Err(format!(
                "a sample rate is a whole number from {low} to {high} Hz; \
                 the nearest valid value is {nearest}"
            ))
        }
        _ => Err("it is not a sample rate in Hz; write for example 48000".to_owned()),
    }
}

/// Refuses a rate that a file has and the engine does not run at.
pub fn check_file_rate(path: &Path, rate: u32) -> Result<(), Problem> {
    let (low, high) = RATES;
    if (low..=high).contains(&rate) {
        return Ok(());
    }
    Err(Problem::new(format!(
        "{}: its sample rate of {rate} Hz is outside {low} to {high} Hz; give --rate {}",
        path.display(),
        rate.clamp(low, high)
    )))
}

/// Refuses an output that is one of the files that are read.
pub fn refuse_overwrite<'a>(
    output: &Path,
    inputs: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Problem> {
    for input in inputs {
        if same_file(output, input) {
            return Err(Problem::new(format!(
                "{}: the output would overwrite what is read; name another file",
                output.display()
            )));
        }
    }
    Ok(())
}

/// Whether two names lead to one file, by links of either kind too.
fn same_file(a: &Path, b: &Path) -> bool {
    let (Ok(a), Ok(b)) = (fs::canonicalize(a), fs::canonicalize(b)) else {
        return false;
    };
    a == b || same_inode(&a, &b).unwrap_or(false)
}

#[cfg(unix)]
fn same_inode(a: &Path, b: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (a, b) = (fs::metadata(a)?, fs::metadata(b)?);
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

#[cfg(not(unix))]
fn same_inode(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}
