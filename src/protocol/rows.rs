//! The rows of a protocol: `{"at": seconds, "beat": 6, "curve": "linear"}`.

use super::error::{PresetProblem, row_name, short};
use super::preset::{WARNINGS, control_value, known, value_json};
use crate::engine::timeline::{Curve, Row, Timeline, TimelineError, TimelineFault};
use crate::engine::{ControlId, controls};
use crate::text::near;
use serde_json::{Map, Value, json};

/// The most values in all rows together.
pub(super) const MOST: usize = 200_000;

/// The names of the curves.
const CURVES: [&str; 4] = ["step", "linear", "exponential", "smooth"];

/// The rate at which rows are laid out to be checked.
pub(super) const CHECK_RATE: f64 = 48_000.0;

/// A timeline as a preset writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    document: Value,
    rows: Vec<Row>,
}

impl Protocol {
    /// From the list in a preset whose parameters are `settings`.
    ///
    /// # Errors
    /// [`PresetProblem`], naming the row.
    pub fn from_json(
        value: &Value,
        settings: &[(ControlId, f64)],
        warnings: &mut Vec<String>,
    ) -> Result<Protocol, PresetProblem> {
        match Protocol::from_session(value, settings, warnings)? {
            (protocol, None) => Ok(protocol),
            (_, Some(problem)) => Err(problem),
        }
    }

    /// As [`Protocol::from_json`], but an exponential whose start is not above 0 is told beside: where the start
    /// is a parameter, that can be moved until it can be played.
    ///
    /// # Errors
    /// [`PresetProblem`], naming the row.
    pub fn from_session(
        value: &Value,
        settings: &[(ControlId, f64)],
        warnings: &mut Vec<String>,
    ) -> Result<(Protocol, Option<PresetProblem>), PresetProblem> {
        let (protocol, places) = Protocol::read(value, warnings)?;
        let Err(error) = protocol.timeline(settings, CHECK_RATE) else {
            return Ok((protocol, None));
        };
        // The rows of a timeline are single values: tell the row that people see.
        let row = places.get(error.row).copied().unwrap_or(0);
        let problem = PresetProblem::Part {
            key: row_name(row),
            value: value.get(row).map_or_else(|| "[]".to_owned(), short),
            wanted: format!("a row that can be played: {error}"),
        };
        match error.fault {
            TimelineFault::Exponential(_, from, to) if from <= 0.0 && to > 0.0 => {
                Ok((protocol, Some(problem)))
            }
            _ => Err(problem),
        }
    }

    /// The rows of a list, and for each the place in the list that it comes from; not laid out yet.
    pub(super) fn read(
        value: &Value,
        warnings: &mut Vec<String>,
    ) -> Result<(Protocol, Vec<usize>), PresetProblem> {
        let part = |key: String, value: &Value, wanted: &str| PresetProblem::Part {
            key,
            value: short(value),
            wanted: wanted.to_owned(),
        };
        let Value::Array(list) = value else {
            return Err(part("protocol".to_owned(), value, "a list of rows"));
        };
        let mut rows = Vec::new();
        let mut places = Vec::new();
        for (place, row) in list.iter().enumerate() {
            let Value::Object(row) = row else {
                let wanted = "a row, like {\"at\": 0, \"beat\": 10}";
                return Err(part(row_name(place), row, wanted));
            };
            let seconds = match row.get("at") {
                None => return Err(PresetProblem::NoTime { row: place }),
                Some(at) => at.as_f64().ok_or_else(|| {
                    part(
                        format!("{}, at", row_name(place)),
                        at,
                        "a number of seconds",
                    )
                })?,
            };
            let curve = match row.get("curve") {
                None => Curve::Step,
                Some(curve) => curve.as_str().and_then(Curve::parse).ok_or_else(|| {
                    let near = near(curve.as_str().unwrap_or(""), CURVES.into_iter())
                        .map_or_else(String::new, |near| format!("; the nearest is \"{near}\""));
                    let wanted = format!("one of {}{near}", CURVES.join(", "));
                    part(format!("{}, curve", row_name(place)), curve, &wanted)
                })?,
            };
            let sets = row.keys().any(|key| key != "at" && key != "curve");
            if !sets && warnings.len() < WARNINGS {
                warnings.push(format!(
                    "{}: it sets nothing, and makes the protocol no longer; kept and ignored",
                    row_name(place)
                ));
            }
            for (key, value) in row {
                if key == "at" || key == "curve" {
                    continue;
                }
                let Some(control) = known(key, &row_name(place), warnings) else {
                    continue;
                };
                let value = control_value(control, value).map_err(|error| match error {
                    Some(error) => PresetProblem::RowValue { row: place, error },
                    None => PresetProblem::Kind {
                        key: format!("{}, {key}", row_name(place)),
                        value: short(value),
                    },
                })?;
                rows.push(Row {
                    seconds,
                    control,
                    value,
                    curve,
                });
                places.push(place);
            }
        }
        if rows.len() > MOST {
            return Err(PresetProblem::Rows(rows.len(), MOST));
        }
        let protocol = Protocol {
            document: value.clone(),
            rows,
        };
        Ok((protocol, places))
    }

    /// With a row at second 0 for every control that has none, at its setting: from then on the protocol is the
    /// same whatever the parameters are when it is laid out.
    #[must_use]
    pub fn pinned(&self, settings: &[(ControlId, f64)]) -> Protocol {
        let mut starts: Vec<Row> = Vec::new();
        let mut has_start = vec![false; controls::CONTROLS.len()];
        for row in &self.rows {
            let control = row.control;
            let has = std::mem::replace(&mut has_start[control.index()], true);
            if !has && row.seconds > 0.0 {
                starts.push(Row {
                    seconds: 0.0,
                    control,
                    value: control.control().clamp(setting(settings, control)),
                    curve: Curve::Step,
                });
            }
        }
        let Value::Array(list) = &self.document else {
            return self.clone();
        };
        if starts.is_empty() || starts.len() + self.rows.len() > MOST {
            return self.clone();
        }
        let mut first = Map::new();
        first.insert("at".to_owned(), json!(0));
        for row in &starts {
            let control = row.control.control();
            first.insert(control.id.to_owned(), value_json(control, row.value));
        }
        let list = std::iter::once(Value::Object(first)).chain(list.iter().cloned());
        let pinned = Protocol {
            document: Value::Array(list.collect()),
            rows: starts.iter().chain(&self.rows).copied().collect(),
        };
        // A start that cannot be pinned stays as it was.
        match pinned.timeline(settings, CHECK_RATE) {
            Ok(_) => pinned,
            Err(_) => self.clone(),
        }
    }

    /// Without the rows of some controls, and as long as before; none where no row is left.
    ///
    /// # Errors
    /// [`TimelineError`], where no timeline can be made of the rest.
    pub fn without(
        &self,
        controls: &[ControlId],
        settings: &[(ControlId, f64)],
    ) -> Result<Option<Protocol>, TimelineError> {
        let is_left = |row: &&Row| !controls.contains(&row.control);
        let mut rows: Vec<Row> = self.rows.iter().filter(is_left).copied().collect();
        let Some(last) = rows.last().copied() else {
            return Ok(None);
        };
        if last.seconds < self.seconds() {
            // It says once more what it said, where the last row was.
            rows.push(Row {
                seconds: self.seconds(),
                curve: Curve::Step,
                ..last
            });
        }
        Protocol::from_rows(rows, settings).map(Some)
    }

    /// From rows, which are sorted by time; rows of one time and curve become one row of the list.
    ///
    /// # Errors
    /// [`TimelineError`], where no timeline can be made of them.
    pub fn from_rows(
        rows: Vec<Row>,
        settings: &[(ControlId, f64)],
    ) -> Result<Protocol, TimelineError> {
        let mut list: Vec<Map<String, Value>> = Vec::new();
        let mut last: Option<(f64, Curve)> = None;
        for row in &rows {
            let control = row.control.control();
            let here = (row.seconds, row.curve);
            let fresh =
                last != Some(here) || list.last().is_some_and(|map| map.contains_key(control.id));
            if fresh {
                let mut map = Map::new();
                let seconds = row.seconds;
                let at = if seconds.fract() == 0.0 {
                    json!(seconds as i64)
                } else {
                    json!(seconds)
                };
                map.insert("at".to_owned(), at);
                if row.curve != Curve::Step {
                    map.insert("curve".to_owned(), json!(row.curve.name()));
                }
                list.push(map);
                last = Some(here);
            }
            if let Some(map) = list.last_mut() {
                map.insert(control.id.to_owned(), value_json(control, row.value));
            }
        }
        let protocol = Protocol {
            document: Value::Array(list.into_iter().map(Value::Object).collect()),
            rows,
        };
        protocol.timeline(settings, CHECK_RATE)?;
        Ok(protocol)
    }

    /// The list as it was read.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// One value at a time.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Seconds from the beginning to the last row.
    pub fn seconds(&self) -> f64 {
        self.rows.last().map_or(0.0, |row| row.seconds)
    }

    /// The timeline for an engine at a rate in hertz, in which what no row sets at second 0 begins at its
    /// setting. Its steps glide in the setting of `glide`.
    ///
    /// # Errors
    /// [`TimelineError`], naming the value's place in [`Protocol::rows`].
    pub fn timeline(
        &self,
        settings: &[(ControlId, f64)],
        rate: f64,
    ) -> Result<Timeline, TimelineError> {
        let glide = setting(settings, controls::GLIDE);
        Timeline::new(&self.rows, |id| setting(settings, id), glide, rate)
    }
}

/// A control's value among settings, of which the last counts.
fn setting(settings: &[(ControlId, f64)], id: ControlId) -> f64 {
    let set = settings.iter().rev().find(|(other, _)| *other == id);
    set.map_or_else(|| id.control().default_value(), |(_, value)| *value)
}

#[cfg(test)]
mod tests;
