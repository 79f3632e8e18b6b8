//! Reading SOFA files (AES69), on a thread of its own: whatever is in the file, the caller gets an answer.

use super::hdf::Variable;
use super::{About, HrtfError, Raw};
use sofar::hdf::{self, ParsedHdf};
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Largest file that is read.
pub const MAX_BYTES: u64 = 512_000_000;

/// How long a file may take. Files of half a gigabyte take some seconds; only one that was made to be
/// slow takes longer, and its reader is left behind.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stack of the reader: the format nests, and a file may nest as deep as its reader allows.
const STACK: usize = 32 << 20;

/// Reads a SOFA file.
///
/// # Errors
/// [`HrtfError`], for a file that cannot be read, is none, is too large, is damaged, holds something else, or
/// holds numbers that make no set.
pub fn read(file: &Path) -> Result<Raw, HrtfError> {
    parse(bytes(file)?, file)
}

/// The bytes of a file that may be a set.
///
/// # Errors
/// For what is no file, too large, or cannot be read.
pub fn bytes(file: &Path) -> Result<Vec<u8>, HrtfError> {
    let unreadable = |error: std::io::Error| HrtfError::Unreadable {
        file: file.to_owned(),
        why: error.to_string(),
    };
    // Before opening: a pipe would wait for its other end.
    let found = fs::metadata(file).map_err(unreadable)?;
    if !found.is_file() {
        return Err(HrtfError::NotAFile {
            file: file.to_owned(),
        });
    }
    if found.len() > MAX_BYTES {
        return Err(HrtfError::TooLarge {
            file: file.to_owned(),
            bytes: found.len(),
        });
    }
    fs::read(file).map_err(unreadable)
}

/// Reads the bytes of a SOFA file; `file` is its name in messages.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: Vec<u8>, file: &Path) -> Result<Raw, HrtfError> {
    let damaged = |why: &str| HrtfError::NotSofa {
        file: file.to_owned(),
        why: why.to_owned(),
    };
    if bytes.is_empty() {
        return Err(damaged("it is empty"));
    }
    if !bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Err(damaged("it does not begin as one"));
    }
    let (sender, receiver) = mpsc::channel();
    let name = file.to_owned();
    // sofar may panic on a damaged file; a thread that ends without an answer is one.
    let reader = thread::Builder::new()
        .name("sofa".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody waits any more where the patience has ended.
            let _ = sender.send(extract(&bytes, &name));
        });
    if let Err(error) = reader {
        return Err(HrtfError::Unreadable {
            file: file.to_owned(),
            why: format!("no thread to read it: {error}"),
        });
    }
    match receiver.recv_timeout(PATIENCE) {
        Ok(raw) => raw,
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(damaged("its structure is broken")),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(damaged("reading it finds no end")),
    }
}

/// What a set needs, out of the tree that the file is.
fn extract(bytes: &[u8], file: &Path) -> Result<Raw, HrtfError> {
    let damaged = |why: String| HrtfError::NotSofa {
        file: file.to_owned(),
        why,
    };
    let content = |why: String| HrtfError::Content {
        file: file.to_owned(),
        why,
    };
    let parsed = hdf::parse_with_children(bytes).map_err(|_| {
        damaged(
            "cut off, damaged at its root, or written in a form of HDF5 that netCDF does not write"
                .to_owned(),
        )
    })?;
    let attribute = |name: &str| {
        let found = parsed
            .root
            .parsed_attributes
            .iter()
            .find(|attribute| attribute.name == name);
        found
            .and_then(|attribute| attribute.value.as_deref())
            .map(|value| value.trim_end_matches('\0').trim().to_owned())
            .unwrap_or_default()
    };
    if attribute("Conventions") != "SOFA" {
        return Err(damaged("it does not say Conventions = SOFA".to_owned()));
    }
    let convention = attribute("SOFAConventions");
    let kind = attribute("DataType");
    let free_field = ["SimpleFreeField", "FreeField", "GeneralFIR"];
    if !free_field.iter().any(|known| convention.starts_with(known)) || kind != "FIR" {
        let named = |text: String| {
            if text.is_empty() {
                "unnamed".to_owned()
            } else {
                text
            }
        };
        return Err(HrtfError::Convention {
            file: file.to_owned(),
            found: format!("{} with data of type {}", named(convention), named(kind)),
        });
    }
    let responses = variable(bytes, &parsed, "Data.IR").map_err(damaged)?;
    let [count, receivers, taps] = responses.shape[..] else {
        return Err(content(format!(
            "Data.IR has {} dimensions; measurements x receivers x samples are needed",
            responses.shape.len()
        )));
    };
    if receivers != 2 {
        return Err(content(format!(
            "holds {count} responses of {receivers} receivers; Zeitgeber needs 2 receivers, the two ears"
        )));
    }
    let rates = variable(bytes, &parsed, "Data.SamplingRate").map_err(damaged)?;
    let rates: Vec<f64> = rates.numbers().collect();
    let rate = rates.first().copied().unwrap_or(0.0);
    if rates.iter().any(|other| *other != rate) {
        return Err(content(
            "has several sample rates; one for all responses is needed".to_owned(),
        ));
    }
    let raw = Raw {
        about: about(&attribute),
        rate,
        positions: positions(bytes, &parsed, count).map_err(content)?,
        taps,
        responses: responses.numbers().map(|x| x as f32).collect(),
        delays: delays(bytes, &parsed, count).map_err(content)?,
    };
    raw.check().map_err(content)?;
    Ok(raw)
}

/// What a file says of itself.
fn about(attribute: &dyn Fn(&str) -> String) -> About {
    let joined = |names: &[&str]| {
        let parts: Vec<String> = names.iter().map(|name| attribute(name)).collect();
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    };
    let title = attribute("Title");
    About {
        title: if title.is_empty() {
            joined(&["DatabaseName", "ListenerShortName"])
        } else {
            title
        },
        convention: joined(&["SOFAConventions", "SOFAConventionsVersion"]),
        author: attribute("AuthorContact"),
        license: attribute("License"),
        organization: attribute("Organization"),
    }
}

/// Where the source was in each measurement: azimuth and elevation in degrees, distance in metres.
fn positions(bytes: &[u8], parsed: &ParsedHdf<'_>, count: usize) -> Result<Vec<[f64; 3]>, String> {
    let array = variable(bytes, parsed, "SourcePosition")?;
    if array.shape != [count, 3] {
        return Err(format!(
            "SourcePosition is {:?} for {count} responses; {count} x 3 is needed, a place for each",
            array.shape
        ));
    }
    let cartesian = array.text("Type") == "cartesian";
    let scale = if array.text("Units").starts_with("rad") {
        180.0 / std::f64::consts::PI
    } else {
        1.0
    };
    let place = |p: &[f64]| {
        if !cartesian {
            return [p[0] * scale, p[1] * scale, p[2]];
        }
        let flat = p[0].hypot(p[1]);
        [
            p[1].atan2(p[0]).to_degrees(),
            p[2].atan2(flat).to_degrees(),
            flat.hypot(p[2]),
        ]
    };
    let values: Vec<f64> = array.numbers().collect();
    Ok(values.chunks_exact(3).map(place).collect())
}

/// The delays of each measurement in frames; none where the file has none.
fn delays(bytes: &[u8], parsed: &ParsedHdf<'_>, count: usize) -> Result<Vec<[f64; 2]>, String> {
    let known = parsed.root.child_directories.iter();
    if known.filter(|entry| entry.name == "Data.Delay").count() == 0 {
        return Ok(Vec::new());
    }
    let array = variable(bytes, parsed, "Data.Delay")?;
    let values: Vec<f64> = array.numbers().collect();
    let pairs: Vec<[f64; 2]> = values
        .chunks_exact(2)
        .map(|pair| [pair[0], pair[1]])
        .collect();
    match (array.shape.last(), pairs.len()) {
        (Some(2), 1) => Ok(vec![pairs[0]; count]),
        (Some(2), found) if found == count => Ok(pairs),
        _ => Err(format!(
            "Data.Delay is {:?} for {count} responses; {count} x 2 or 1 x 2 is needed",
            array.shape
        )),
    }
}

/// Reads a variable, of whichever number format.
fn variable(bytes: &[u8], parsed: &ParsedHdf<'_>, name: &str) -> Result<Variable, String> {
    let mut entries = parsed.root.child_directories.iter();
    let entry = entries
        .find(|entry| entry.name == name)
        .ok_or_else(|| format!("it has no {name}"))?;
    Variable::read(bytes, entry.address)
        .ok_or_else(|| format!("{name} is damaged, or stored in a way that cannot be read"))
}
