//! Automation from CSV files: a control's values over song time.
//!
//! Rows are `seconds,value[,step|linear]`. Seconds are song time, ascending (two rows may share a
//! moment: the second then follows at once). The word says how the value travels *to* this row, and is
//! `step` where it is missing: a step lands at its frame and glides as the control does; a linear row is
//! an exact straight line in the control's unit from the row before it, or from the control's own
//! setting at second 0 for the first row. A step from which a line departs is exact, without glide, so
//! that the line is. Enums are written by name. Blank lines, lines that begin with `#`, and a first row
//! of headings are passed over.

use crate::engine::controls::Values;
use crate::engine::{Change, ControlError, ControlId};
use crate::text::near;
use std::fmt;
use std::path::{Path, PathBuf};

/// A file of more bytes than this (millions of rows) is some other file.
const LONGEST_FILE: u64 = 64 << 20;

/// Song times up to this many seconds can be given: over 31 years.
pub(super) const LONGEST: f64 = 1e9;

/// One control over song time.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    control: ControlId,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    seconds: f64,
    value: f64,
    linear: bool,
}

/// A lane's change at a song frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LaneEvent {
    /// Frames since the beginning of the song.
    pub frame: u64,
    /// What happens there.
    pub change: Change,
}

/// Why a lane was refused.
#[derive(Debug)]
pub struct LaneError {
    /// The file.
    pub path: PathBuf,
    /// The line in it, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub problem: LaneProblem,
}

/// What can be wrong with a lane.
#[derive(Debug)]
pub enum LaneProblem {
    /// The file cannot be read.
    Unreadable(std::io::Error),
    /// It holds no row.
    Empty,
    /// A row has less than two fields or more than three.
    Fields,
    /// The first field is no time.
    Time(String),
    /// A row lies before the one above it.
    Order {
        /// Its time.
        seconds: f64,
        /// That of the row above.
        above: f64,
    },
    /// The third field is neither word.
    Word {
        /// What it is.
        word: String,
        /// The word that may have been meant.
        near: Option<String>,
    },
    /// The control does not take the value.
    Value(ControlError),
    /// A straight line on a control that has nothing in between.
    Line(&'static str),
}

impl fmt::Display for LaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        f.write_str(": ")?;
        match &self.problem {
            LaneProblem::Unreadable(error) if error.kind() == std::io::ErrorKind::NotFound => {
                f.write_str("there is no such file")
            }
            LaneProblem::Unreadable(error) => write!(f, "cannot be read: {error}"),
            LaneProblem::Empty => f.write_str("holds no row; write for example \"0,10\""),
            LaneProblem::Fields => {
                f.write_str("a row is seconds,value or seconds,value,step or seconds,value,linear")
            }
            LaneProblem::Time(text) => {
                write!(
                    f,
                    "\"{text}\" is not a time in seconds from 0; write for example \"12.5\""
                )
            }
            LaneProblem::Order { seconds, above } => {
                write!(
                    f,
                    "{seconds} s comes before the row above at {above} s; sort the rows by time"
                )
            }
            LaneProblem::Word { word, near } => {
                write!(f, "\"{word}\" is neither step nor linear")?;
                match near {
                    Some(near) => write!(f, "; the nearest is \"{near}\""),
                    None => Ok(()),
                }
            }
            LaneProblem::Value(error) => error.fmt(f),
            LaneProblem::Line(id) => {
                write!(
                    f,
                    "{id} has no values in between and cannot travel linearly; use step"
                )
            }
        }
    }
}

impl std::error::Error for LaneError {}

impl Lane {
    /// Reads a CSV file.
    ///
    /// # Errors
    /// [`LaneError`], naming the file, the line and the problem.
    pub fn read(control: ControlId, path: &Path) -> Result<Lane, LaneError> {
        let fail = |(line, problem)| LaneError {
            path: path.to_owned(),
            line,
            problem,
        };
        let text = crate::file::text(path, LONGEST_FILE)
            .map_err(|error| fail((0, LaneProblem::Unreadable(error))))?;
        Lane::parse(control, &text).map_err(fail)
    }

    /// Reads the text of a CSV file.
    ///
    /// # Errors
    /// The line, from 1 (0 for the whole), and its problem.
    pub fn parse(control: ControlId, text: &str) -> Result<Lane, (usize, LaneProblem)> {
        let mut rows: Vec<Row> = Vec::new();
        let mut headings = true;
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let first = line.split(',').next().unwrap_or("").trim().to_lowercase();
            if std::mem::take(&mut headings)
                && (first.starts_with("sec") || first.starts_with("time"))
            {
                continue;
            }
            let row = Row::parse(control, line).map_err(|problem| (number, problem))?;
            if let Some(above) = rows.last().filter(|above| above.seconds > row.seconds) {
                let (seconds, above) = (row.seconds, above.seconds);
                return Err((number, LaneProblem::Order { seconds, above }));
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Err((0, LaneProblem::Empty));
        }
        Ok(Lane { control, rows })
    }

    /// The control that the lane moves.
    pub fn control(&self) -> ControlId {
        self.control
    }

    /// The lane from song frame `start` on at `rate` hertz: the value that it has there, and the
    /// changes that follow. `setting` is what the control is set to where the lane has not begun.
    pub(super) fn play(&self, rate: f64, start: u64, setting: f64) -> (f64, Vec<LaneEvent>) {
        let frame_of = |seconds: f64| (seconds * rate).round() as u64;
        let mut value = setting;
        let mut events = Vec::new();
        let (mut last_frame, mut last_value) = (0, setting);
        for (n, row) in self.rows.iter().enumerate() {
            let frame = frame_of(row.seconds);
            let to = row.value;
            if frame <= start {
                value = to;
            } else if row.linear {
                let from = last_frame.max(start);
                if last_frame < start {
                    let travelled = (start - last_frame) as f64 / (frame - last_frame) as f64;
                    value = last_value + (to - last_value) * travelled;
                }
                let change = Change::Linear {
                    to,
                    frames: frame - from,
                };
                events.push(LaneEvent {
                    frame: from,
                    change,
                });
            } else {
                // What a line departs from must be there when it does.
                let departs = self.rows.get(n + 1).is_some_and(|next| next.linear);
                let change = if departs {
                    Change::Linear { to, frames: 0 }
                } else {
                    Change::Step(to)
                };
                events.push(LaneEvent { frame, change });
            }
            (last_frame, last_value) = (frame, to);
        }
        (value, events)
    }
}

impl Row {
    fn parse(control: ControlId, line: &str) -> Result<Row, LaneProblem> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let (time, value, word) = match fields[..] {
            [time, value] => (time, value, "step"),
            [time, value, ""] => (time, value, "step"),
            [time, value, word] => (time, value, word),
            _ => return Err(LaneProblem::Fields),
        };
        let seconds = time
            .parse::<f64>()
            .ok()
            .filter(|seconds| (0.0..=LONGEST).contains(seconds))
            .ok_or_else(|| LaneProblem::Time(time.to_owned()))?;
        let value = control.control().parse(value).map_err(LaneProblem::Value)?;
        let linear = match word.to_lowercase().as_str() {
            "step" => false,
            "linear" => true,
            other => {
                return Err(LaneProblem::Word {
                    word: word.to_owned(),
                    near: near(other, ["step", "linear"].into_iter()),
                });
            }
        };
        if linear && !matches!(control.control().values, Values::Number { .. }) {
            return Err(LaneProblem::Line(control.control().id));
        }
        Ok(Row {
            seconds,
            value,
            linear,
        })
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
