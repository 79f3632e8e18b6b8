//! Reading SOFA files (AES69): whatever is in the file, the caller gets an answer.

use super::hdf::{self, Fault, Root, Variable};
use super::head::vector;
use super::raw::MOST;
use super::{About, HrtfError, Progress, Raw};
use std::fs;
use std::path::Path;

/// The variable of the responses.
const RESPONSES: &str = "Data.IR";

/// Largest file that is read.
pub const MAX_BYTES: u64 = 512_000_000;

/// Reads a SOFA file.
///
/// # Errors
/// [`HrtfError`], for a file that cannot be read, is none, is too large, is damaged, holds something else, or
/// holds numbers that make no set.
pub fn read(file: &Path) -> Result<Raw, HrtfError> {
    parse(&bytes(file)?, file, &Progress::new())
}

/// The bytes of a file that may be a set.
///
/// # Errors
/// For what is no file, too large, or cannot be read.
pub fn bytes(file: &Path) -> Result<Vec<u8>, HrtfError> {
    let unreadable = |error: std::io::Error| HrtfError::Unreadable {
        file: file.to_owned(),
        why: match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        },
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
    // An empty one is none. The system's own files say that they are empty, too, and may wait for ever to be more.
    if found.len() == 0 {
        return Ok(Vec::new());
    }
    fs::read(file).map_err(unreadable)
}

/// Reads the bytes of a SOFA file; `file` is its name in messages.
///
/// # Errors
/// As [`read`], and [`HrtfError::Cancelled`].
pub fn parse(bytes: &[u8], file: &Path, progress: &Progress) -> Result<Raw, HrtfError> {
    let refused = |why: &str| HrtfError::NotSofa {
        file: file.to_owned(),
        why: why.to_owned(),
    };
    if bytes.is_empty() {
        return Err(refused("it is empty"));
    }
    if !hdf::looks_like(bytes) {
        return Err(refused("it does not begin as one"));
    }
    extract(bytes, progress).map_err(|problem| match problem {
        Problem::Damaged(why) => refused(&why),
        Problem::Convention(found) => HrtfError::Convention {
            file: file.to_owned(),
            found,
        },
        Problem::Content(why) => HrtfError::Content {
            file: file.to_owned(),
            why,
        },
        Problem::Cancelled => HrtfError::Cancelled,
    })
}

/// What is wrong with a file, whichever that is.
enum Problem {
    Damaged(String),
    Convention(String),
    Content(String),
    Cancelled,
}

impl Problem {
    /// What is wrong with a part of it.
    fn with(part: &str, fault: Fault) -> Problem {
        Problem::Damaged(match fault {
            Fault::Broken => format!("{part} is cut off or damaged"),
            Fault::Unknown(what) => format!("{part} is {what}, which cannot be read"),
            Fault::Short(has, should) => {
                format!("it is cut off: {has} of {should} bytes are there")
            }
            Fault::Cancelled => return Problem::Cancelled,
        })
    }
}

/// What a set needs, out of the tree that the file is.
fn extract(bytes: &[u8], progress: &Progress) -> Result<Raw, Problem> {
    let structure = |fault| Problem::with("its structure", fault);
    let opened = hdf::File::open(bytes, progress).map_err(structure)?;
    let root = opened.root().map_err(structure)?;
    if root.text("Conventions") != "SOFA" {
        return Err(Problem::Damaged(
            "it does not say Conventions = SOFA".to_owned(),
        ));
    }
    let (convention, kind) = (root.text("SOFAConventions"), root.text("DataType"));
    let free_field = ["SimpleFreeField", "FreeField", "GeneralFIR"];
    if !free_field.iter().any(|known| convention.starts_with(known)) || kind != "FIR" {
        let [convention, kind] =
            [convention, kind].map(|text| if text.is_empty() { "unnamed" } else { text });
        let [convention, kind] = [convention, kind].map(crate::text::shorten);
        return Err(Problem::Convention(format!(
            "{convention} with data of type {kind}"
        )));
    }
    // All but the responses is small, and what is wrong with it is known before they are unpacked.
    let shape = root.shape(RESPONSES);
    let shape = shape.map_err(|fault| Problem::with(RESPONSES, fault))?;
    let shape = shape.ok_or_else(|| absent(RESPONSES))?;
    let [count, receivers, taps] = shape[..] else {
        return Err(Problem::Content(format!(
            "Data.IR has {} dimensions; measurements x receivers x samples are needed",
            shape.len()
        )));
    };
    if receivers != 2 {
        return Err(Problem::Content(format!(
            "holds {count} responses of {receivers} receivers; Zeitgeber needs 2 receivers, the two ears"
        )));
    }
    Raw::check_count(count).map_err(Problem::Content)?;
    let rates: Vec<f64> = variable(&root, "Data.SamplingRate", MOST)?
        .numbers()
        .collect();
    let rate = rates.first().copied().unwrap_or(0.0);
    if rates.iter().any(|other| *other != rate) {
        return Err(Problem::Content(
            "has several sample rates; one for all responses is needed".to_owned(),
        ));
    }
    let positions = positions(&root, count)?;
    let delays = delays(&root, count)?;
    let right_first = right_ear_first(&root)?;
    let responses = variable(&root, RESPONSES, usize::MAX)?;
    let mut raw = Raw {
        about: about(&root),
        rate,
        positions,
        taps,
        responses: singles(&responses, progress)?,
        delays,
    };
    drop(responses);
    raw.check().map_err(Problem::Content)?;
    if right_first {
        for ears in raw.responses.chunks_exact_mut(2 * taps) {
            let (left, right) = ears.split_at_mut(taps);
            left.swap_with_slice(right);
        }
        raw.delays.iter_mut().for_each(|ears| ears.reverse());
    }
    Ok(raw)
}

/// The numbers of all responses, which may be many.
fn singles(responses: &Variable<'_>, progress: &Progress) -> Result<Vec<f32>, Problem> {
    let count = responses.shape.iter().product();
    let mut singles = Vec::with_capacity(count);
    for number in responses.numbers() {
        if singles.len() % (1 << 20) == 0 && progress.cancelled() {
            return Err(Problem::Cancelled);
        }
        singles.push(number as f32);
    }
    Ok(singles)
}

/// What a file says of itself.
fn about(root: &Root<'_>) -> About {
    let text = |name: &str| plain(root.text(name));
    let joined = |names: &[&str]| {
        let parts = names.iter().map(|name| text(name));
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    let title = text("Title");
    About {
        title: if title.is_empty() {
            joined(&["DatabaseName", "ListenerShortName"])
        } else {
            title
        },
        convention: joined(&["SOFAConventions", "SOFAConventionsVersion"]),
        author: text("AuthorContact"),
        license: text("License"),
        organization: text("Organization"),
    }
}

/// A text of a file without what moves a terminal's cursor or ends a line.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars()
        .map(shown)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Where the source was in each measurement, as the listener sees it: azimuth and elevation in degrees,
/// distance in metres.
fn positions(root: &Root<'_>, count: usize) -> Result<Vec<[f64; 3]>, Problem> {
    let sources =
        Places::read(root, "SourcePosition", count)?.ok_or_else(|| absent("SourcePosition"))?;
    let listener = Places::read(root, "ListenerPosition", count)?;
    let view = Places::read(root, "ListenerView", count)?;
    let up = Places::read(root, "ListenerUp", count)?;
    let seen = |index: usize| {
        let at = |places: &Option<Places>, default: [f64; 3]| {
            let given = places.as_ref().map(|places| places.point(index));
            // What was never filled in is what the conventions say.
            let usable = |p: &[f64; 3]| p.iter().all(|x| x.abs() < 1e6);
            given.filter(usable).unwrap_or(default)
        };
        let here = at(&listener, [0.0; 3]);
        let (front, top) = (at(&view, AHEAD), at(&up, ABOVE));
        let front = if length(front) > 1e-3 { front } else { AHEAD };
        if length(here) < 1e-6 && aligned(front, AHEAD) && aligned(top, ABOVE) {
            return sources.place(index);
        }
        let p = sources.point(index);
        let p = [p[0] - here[0], p[1] - here[1], p[2] - here[2]];
        let left = cross(top, front);
        let top = cross(front, left);
        if length(left) < 1e-3 * length(front) {
            return sources.place(index);
        }
        let along = |axis: [f64; 3]| dot(p, axis) / length(axis);
        place([along(front), along(left), along(top)])
    };
    if sources.values.len() < 3 * count {
        return Err(Problem::Content(format!(
            "SourcePosition has one place for {count} responses; {count} x 3 is needed, a place for each"
        )));
    }
    Ok((0..count).map(seen).collect())
}

const AHEAD: [f64; 3] = [1.0, 0.0, 0.0];
const ABOVE: [f64; 3] = [0.0, 0.0, 1.0];

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn length(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

/// Whether one vector points where a unit vector does, to within a thousandth; or is none.
fn aligned(a: [f64; 3], unit: [f64; 3]) -> bool {
    let across = cross(a, unit);
    dot(a, unit) >= 0.0 && length(across) <= 1e-3 * length(a)
}

/// Azimuth, elevation and distance of a point.
fn place(p: [f64; 3]) -> [f64; 3] {
    let flat = p[0].hypot(p[1]);
    [
        p[1].atan2(p[0]).to_degrees(),
        p[2].atan2(flat).to_degrees(),
        flat.hypot(p[2]),
    ]
}

/// Places, one for each measurement or one for all.
struct Places {
    values: Vec<f64>,
    cartesian: bool,
    /// Degrees in its unit of angles.
    degrees: f64,
}

impl Places {
    fn read(root: &Root<'_>, name: &str, count: usize) -> Result<Option<Places>, Problem> {
        let array = root.variable(name, 3 * MOST);
        let Some(array) = array.map_err(|fault| Problem::with(name, fault))? else {
            return Ok(None);
        };
        if array.shape != [count, 3] && array.shape != [1, 3] {
            return Err(Problem::Content(format!(
                "{name} is {:?} for {count} responses; {count} x 3 is needed, a place for each",
                array.shape
            )));
        }
        Ok(Some(Places::of(&array, name)))
    }

    fn of(array: &Variable<'_>, name: &str) -> Places {
        let spherical = array.text("Type").starts_with("spherical");
        // What says nothing of itself: sources are told by angles, all else is not.
        let untold = array.text("Type").is_empty() && name == "SourcePosition";
        Places {
            values: array.numbers().collect(),
            cartesian: !spherical && !untold,
            degrees: if array.text("Units").starts_with("rad") {
                180.0 / std::f64::consts::PI
            } else {
                1.0
            },
        }
    }

    fn values(&self, index: usize) -> [f64; 3] {
        let rows = self.values.as_chunks::<3>().0;
        rows.get(index)
            .or(rows.first())
            .copied()
            .unwrap_or([f64::NAN; 3])
    }

    /// As azimuth, elevation, distance.
    fn place(&self, index: usize) -> [f64; 3] {
        let p = self.values(index);
        if self.cartesian {
            place(p)
        } else {
            [p[0] * self.degrees, p[1] * self.degrees, p[2]]
        }
    }

    /// As front, left, up.
    fn point(&self, index: usize) -> [f64; 3] {
        let p = self.values(index);
        if self.cartesian {
            return p;
        }
        vector(p[0] * self.degrees, p[1] * self.degrees).map(|x| x * p[2])
    }
}

/// Whether the first receiver is on the right and the second on the left.
fn right_ear_first(root: &Root<'_>) -> Result<bool, Problem> {
    const NAME: &str = "ReceiverPosition";
    let array = root.variable(NAME, 6 * MOST);
    let Some(array) = array.map_err(|fault| Problem::with(NAME, fault))? else {
        return Ok(false);
    };
    // Receivers x 3 x measurements, of which the first tells.
    let each = match array.shape[..] {
        [2, 3] => 1,
        [2, 3, each] if each > 0 => each,
        _ => return Ok(false),
    };
    let values: Vec<f64> = array.numbers().collect();
    let mut firsts = Places::of(&array, NAME);
    firsts.values = values.iter().step_by(each).copied().collect();
    let side = |ear: usize| firsts.point(ear)[1];
    Ok(side(0) < -1e-3 && side(1) > 1e-3)
}

/// The delays of each measurement in frames; none where the file has none.
fn delays(root: &Root<'_>, count: usize) -> Result<Vec<[f64; 2]>, Problem> {
    const NAME: &str = "Data.Delay";
    let array = root.variable(NAME, 2 * MOST);
    let Some(array) = array.map_err(|fault| Problem::with(NAME, fault))? else {
        return Ok(Vec::new());
    };
    let values: Vec<f64> = array.numbers().collect();
    let pairs = values.as_chunks::<2>().0;
    match (array.shape.last(), pairs.len()) {
        (Some(2), 1) => Ok(vec![pairs[0]; count]),
        (Some(2), found) if found == count => Ok(pairs.to_vec()),
        _ => Err(Problem::Content(format!(
            "Data.Delay is {:?} for {count} responses; {count} x 2 or 1 x 2 is needed",
            array.shape
        ))),
    }
}

/// Reads a variable that has to be there, of whichever number format.
fn variable<'a>(root: &'a Root<'_>, name: &str, most: usize) -> Result<Variable<'a>, Problem> {
    let found = root.variable(name, most);
    let found = found.map_err(|fault| Problem::with(name, fault))?;
    found.ok_or_else(|| absent(name))
}

fn absent(name: &str) -> Problem {
    Problem::Damaged(format!("it has no {name}"))
}
