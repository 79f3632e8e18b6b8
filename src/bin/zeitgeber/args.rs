//! What several subcommands read from their options, and the one kind of error they end with.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use zeitgeber::engine::controls::Values;
use zeitgeber::engine::{self, ControlError, ControlId};
use zeitgeber::file;
use zeitgeber::graph::GraphError;
use zeitgeber::node::NodeError;
use zeitgeber::offline::{Container, WavError, WavProblem, folded};
use zeitgeber::protocol::{Entry, Library, LibraryError, import};
use zeitgeber::text::Instead;

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

/// The parameter of an id; where none is near, it says how to see them all.
pub fn control(id: &str) -> Result<ControlId, Problem> {
    ControlId::parse(id).map_err(|error| match error {
        ControlError::UnknownId {
            instead: Instead::Many,
            ..
        } => Problem::new(format!("{error}; `zeitgeber params` lists them")),
        error => error.into(),
    })
}

/// Why there is no such graph; where no node has nearly the name, it says how to see them all.
pub fn no_graph(error: GraphError) -> Problem {
    match error {
        GraphError::Node(NodeError::Unknown {
            instead: Instead::Many,
            ..
        }) => Problem::new(format!("{error}; `zeitgeber nodes` lists them")),
        error => error.into(),
    }
}

/// Reads every `--set ID=VALUE`.
pub fn settings(texts: &[String]) -> Result<Vec<(ControlId, f64)>, Problem> {
    texts
        .iter()
        .map(|text| {
            let (id, value) = assignment(text, "--set", "ID=VALUE")?;
            let id = control(id)?;
            let value = id.control().parse(value)?;
            check_whole(id, value)?;
            Ok((id, value))
        })
        .collect()
}

/// Refuses a part of what is counted.
fn check_whole(id: ControlId, value: f64) -> Result<(), Problem> {
    let is_counted = matches!(
        id.control().values,
        Values::Number {
            decimals: 0,
            unit: "",
            is_note: false,
            ..
        }
    );
    if !is_counted || value.fract() == 0.0 {
        return Ok(());
    }
    Err(Problem::new(format!(
        "{}: {value} is not a whole number; the nearest valid value is {}",
        id.control().id,
        value.round()
    )))
}

/// Reads the `NAME|FILE` of an option.
pub fn preset(option: &str, name: &str) -> Result<Entry, Problem> {
    Library::new().open(name).map_err(|error| match error {
        LibraryError::Unknown { .. } => Problem::new(format!(
            "{option} {name}: {error}; `zeitgeber presets list` lists them"
        )),
        LibraryError::Preset(error) if is_sequence(Path::new(name)) => Problem::new(format!(
            "{option} {error}; a sequence of another program is imported first: zeitgeber presets import {name}"
        )),
        other => Problem::new(format!("{option} {other}")),
    })
}

/// Whether a file is what `presets import` is for, by its name or its content.
fn is_sequence(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    let is_named = ending.is_some_and(|ending| ["sbg", "gnaural"].iter().any(|of| ending == *of));
    is_named || import(path).is_ok()
}

/// Refuses `-`, which elsewhere is stdout, and here would be a file of that name.
pub fn check_name(path: &Path) -> Result<(), Problem> {
    if path == Path::new("-") {
        return Err(Problem::new(
            "-o -: sound is not written to stdout; name a file (./- for one that is called -)",
        ));
    }
    Ok(())
}

/// Reads a number; whether it is a sensible one is for its user to say.
pub fn number(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| "it is not a number; write for example 10".to_owned())
}

/// Reads a length of time above 0: seconds, `90s`, `50m`, `8h`, `3h10m`, `5:00` or `1:30:00`.
pub fn length(text: &str) -> Result<f64, String> {
    any_length(text).and_then(|seconds| match seconds > 0.0 {
        true => Ok(seconds),
        false => Err(no_length()),
    })
}

fn no_length() -> String {
    "it is not a length; write for example 3600, 90s, 60m, 8h, 3h10m or 1:30:00".to_owned()
}

fn any_length(text: &str) -> Result<f64, String> {
    let number = |text: &str| match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err(no_length()),
    };
    let clock: Vec<&str> = text.split(':').collect();
    if clock.len() > 1 {
        let parts: Vec<f64> = clock.into_iter().map(number).collect::<Result<_, _>>()?;
        let seconds = parts.iter().fold(0.0, |sum, part| 60.0 * sum + part);
        return match parts[1..].iter().all(|part| *part < 60.0) {
            _ if parts.len() > 3 => Err(no_length()),
            true => Ok(seconds),
            false => Err(format!(
                "minutes and seconds after a colon are below 60; write {seconds}s if that is what is meant"
            )),
        };
    }
    let (mut seconds, mut rest) = (0.0, text.trim());
    let mut has_unit = false;
    for (unit, scale) in [('h', 3600.0), ('m', 60.0), ('s', 1.0)] {
        if let Some((count, after)) = rest.split_once(unit) {
            seconds += scale * number(count)?;
            (rest, has_unit) = (after.trim(), true);
        }
    }
    match (has_unit, rest) {
        (true, "") if seconds.is_finite() => Ok(seconds),
        (true, _) => Err(no_length()),
        (false, rest) => number(rest),
    }
}

/// Reads a length that may also be none; whether a number is a sensible one is for its user to say.
pub fn length_or_none(text: &str) -> Result<f64, String> {
    text.trim().parse().or_else(|_| any_length(text))
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

/// Refuses a name that ends as no sound does which is written here. One without an ending becomes WAV.
pub fn check_ending(path: &Path) -> Result<(), Problem> {
    let Some(ending) = path.extension() else {
        return Ok(());
    };
    if Container::of(path) == Container::Flac || ending.eq_ignore_ascii_case("wav") {
        return Ok(());
    }
    Err(Problem::from(WavError {
        path: path.to_owned(),
        problem: WavProblem::OtherFormat(ending.to_string_lossy().into_owned()),
    }))
}

/// Why a file or folder cannot be written.
pub fn unwritable(path: &Path, error: &io::Error) -> Problem {
    let why = file::why(error);
    Problem::new(format!("{}: cannot be written: {why}", path.display()))
}

/// Writes a small file, through links, and only where a file can be.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    file::destination(path)
        .and_then(|place| fs::write(place, bytes))
        .map_err(|error| unwritable(path, &error))
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

/// Whether two files would have one name, where capitals and small letters are the same.
pub fn same_name(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| folded(&std::path::absolute(path).unwrap_or(path.to_owned()));
    whole(a) == whole(b)
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

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths_are_read_in_every_spelling() {
        for (text, seconds) in [
            ("90", 90.0),
            ("1.5", 1.5),
            ("90s", 90.0),
            ("50m", 3000.0),
            ("8h", 28_800.0),
            ("5:00", 300.0),
            ("1:30:00", 5400.0),
            ("3h10m", 11_400.0),
            ("1h 2m 3s", 3723.0),
            ("90:00", 5400.0),
        ] {
            assert_eq!(length(text), Ok(seconds), "{text}");
        }
        for text in [
            "", "0", "-1", "nan", "inf", "1:2:3:4", "1:30m", "soon", "5:-1", "1:75", "1:60:00",
            "3m10h", "1m30", "h", "3h-10m", "0s",
        ] {
            assert!(length(text).is_err(), "{text}");
        }
    }
}
