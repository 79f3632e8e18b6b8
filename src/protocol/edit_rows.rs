//! Points of a protocol, one at a time: added, moved and taken out, with the rest of the list as it was written,
//! keys that this version does not know included.

use super::error::PresetProblem;
use super::preset::value_json;
use super::rows::{CHECK_RATE, Protocol};
use crate::engine::ControlId;
use crate::engine::timeline::{Curve, Row};
use serde_json::{Map, Value, json};

/// What of a row of the list is no value of a control.
const FRAME: [&str; 2] = ["at", "curve"];

/// The controls of a row of the list with their keys, in the order in which [`Protocol::rows`] has them.
fn controls(row: &Value) -> impl Iterator<Item = ControlId> {
    let keys = row.as_object().into_iter().flat_map(Map::keys);
    keys.filter(|key| !FRAME.contains(&key.as_str()))
        .filter_map(|key| ControlId::parse(key).ok())
}

fn at(row: &Value) -> f64 {
    row.get("at").and_then(Value::as_f64).unwrap_or(0.0)
}

fn curve(row: &Value) -> Curve {
    let name = row.get("curve").and_then(Value::as_str);
    name.and_then(Curve::parse).unwrap_or(Curve::Step)
}

fn seconds_json(seconds: f64) -> Value {
    if seconds.fract() == 0.0 && seconds.abs() < 1e15 {
        json!(seconds as i64)
    } else {
        json!(seconds)
    }
}

impl Protocol {
    /// With one more point, and its place in [`Protocol::rows`]. Among points of its control at the same time it
    /// is the last.
    ///
    /// # Errors
    /// [`PresetProblem`], where no timeline can be made of it with these settings.
    pub fn with_point(
        &self,
        point: Row,
        settings: &[(ControlId, f64)],
    ) -> Result<(Protocol, usize), PresetProblem> {
        let mut list = self.list();
        let place = insert(&mut list, point, Map::new());
        built(list, place, point.control, settings)
    }

    /// Without the point at this place in [`Protocol::rows`]; none where it was the last.
    ///
    /// # Errors
    /// As [`Protocol::with_point`].
    pub fn without_point(
        &self,
        index: usize,
        settings: &[(ControlId, f64)],
    ) -> Result<Option<Protocol>, PresetProblem> {
        let mut list = self.list();
        if let Some((place, control)) = self.place(index) {
            take_out(&mut list, place, control);
        }
        if list.iter().flat_map(controls).next().is_none() {
            return Ok(None);
        }
        checked(list, settings).map(Some)
    }

    /// Without all points of a control; none where it moved nothing else.
    ///
    /// # Errors
    /// As [`Protocol::with_point`].
    pub fn without_control(
        &self,
        control: ControlId,
        settings: &[(ControlId, f64)],
    ) -> Result<Option<Protocol>, PresetProblem> {
        let mut list = self.list();
        for place in (0..list.len()).rev() {
            if controls(&list[place]).any(|other| other == control) {
                take_out(&mut list, place, control);
            }
        }
        if list.iter().flat_map(controls).next().is_none() {
            return Ok(None);
        }
        checked(list, settings).map(Some)
    }

    /// With the point at this place in [`Protocol::rows`] at another time or value, or reached by another curve;
    /// and the place that it has then.
    ///
    /// # Errors
    /// As [`Protocol::with_point`].
    pub fn moved(
        &self,
        index: usize,
        to: Row,
        settings: &[(ControlId, f64)],
    ) -> Result<(Protocol, usize), PresetProblem> {
        let mut list = self.list();
        let Some((place, control)) = self.place(index) else {
            return self.with_point(to, settings);
        };
        let row = &list[place];
        let stays = at(row) == to.seconds && curve(row) == to.curve && control == to.control;
        let place = if stays {
            if let Value::Object(map) = &mut list[place] {
                let entry = control.control();
                map.insert(entry.id.to_owned(), value_json(entry, to.value));
            }
            place
        } else if controls(row).count() == 1 {
            // A row of its own goes with all that it says.
            let mut rest = match list.remove(place) {
                Value::Object(map) => map,
                _ => Map::new(),
            };
            rest.retain(|key, _| key != control.control().id && !FRAME.contains(&key.as_str()));
            insert(&mut list, to, rest)
        } else {
            take_out(&mut list, place, control);
            insert(&mut list, to, Map::new())
        };
        built(list, place, to.control, settings)
    }

    fn list(&self) -> Vec<Value> {
        self.document().as_array().cloned().unwrap_or_default()
    }

    /// Where in the list a point is, and of which control.
    fn place(&self, index: usize) -> Option<(usize, ControlId)> {
        let rows = self.document().as_array()?.iter().enumerate();
        rows.flat_map(|(place, row)| controls(row).map(move |control| (place, control)))
            .nth(index)
    }
}

/// Puts a point into a list; returns its place there. `rest` is what its row says beside it.
fn insert(list: &mut Vec<Value>, point: Row, rest: Map<String, Value>) -> usize {
    let entry = point.control.control();
    let value = value_json(entry, point.value);
    let end = list.partition_point(|row| at(row) <= point.seconds);
    let start = list.partition_point(|row| at(row) < point.seconds);
    // A row of this time and curve takes it up, where it does not change which of several counts.
    let has = |row: &Value| row.get(entry.id).is_some();
    if rest.is_empty()
        && !list[start..end].iter().any(has)
        && let Some(place) = (start..end).find(|place| curve(&list[*place]) == point.curve)
        && let Value::Object(map) = &mut list[place]
    {
        map.insert(entry.id.to_owned(), value);
        return place;
    }
    let mut map = Map::new();
    map.insert("at".to_owned(), seconds_json(point.seconds));
    map.insert(entry.id.to_owned(), value);
    if point.curve != Curve::Step {
        map.insert("curve".to_owned(), json!(point.curve.name()));
    }
    map.extend(rest);
    list.insert(end, Value::Object(map));
    end
}

/// Takes a control out of a row, and the row where it says nothing else.
fn take_out(list: &mut Vec<Value>, place: usize, control: ControlId) {
    let Value::Object(map) = &mut list[place] else {
        return;
    };
    map.shift_remove(control.control().id);
    if map.keys().all(|key| FRAME.contains(&key.as_str())) {
        list.remove(place);
    }
}

fn checked(list: Vec<Value>, settings: &[(ControlId, f64)]) -> Result<Protocol, PresetProblem> {
    let (protocol, _) = Protocol::read(&Value::Array(list), &mut Vec::new())?;
    match protocol.timeline(settings, CHECK_RATE) {
        Ok(_) => Ok(protocol),
        Err(error) => Err(PresetProblem::Timeline(error)),
    }
}

/// A checked protocol, and the place among its rows of a control in a row of the list.
fn built(
    list: Vec<Value>,
    place: usize,
    control: ControlId,
    settings: &[(ControlId, f64)],
) -> Result<(Protocol, usize), PresetProblem> {
    let before: usize = list[..place].iter().map(|row| controls(row).count()).sum();
    let within = controls(&list[place]).position(|other| other == control);
    let protocol = checked(list, settings)?;
    Ok((protocol, before + within.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::controls::{BEAT, CARRIER, GLIDE, L1_LEVEL};

    fn protocol() -> Protocol {
        let list = json!([
            {"at": 0, "beat": 10, "carrier": 180, "mine": "kept"},
            {"at": 60, "beat": 6, "carrier": 150, "curve": "smooth"},
            {"at": 60, "note": [1]},
            {"at": 90, "l1_level": -30, "theirs": 2}
        ]);
        Protocol::from_json(&list, &[], &mut Vec::new()).unwrap()
    }

    fn row(seconds: f64, control: ControlId, value: f64, curve: Curve) -> Row {
        Row {
            seconds,
            control,
            value,
            curve,
        }
    }

    #[test]
    fn a_point_is_moved_and_the_rest_stays() {
        let protocol = protocol();
        let index = 2;
        assert_eq!(protocol.rows()[index], row(60.0, BEAT, 6.0, Curve::Smooth));
        // A value alone changes in its place.
        let (higher, place) = protocol
            .moved(index, row(60.0, BEAT, 7.5, Curve::Smooth), &[])
            .unwrap();
        assert_eq!((place, higher.rows()[place].value), (index, 7.5));
        assert_eq!(higher.document()[1]["beat"], 7.5);
        assert_eq!(
            higher.document()[2],
            json!({"at": 60, "note": [1]}),
            "unknown keys stay"
        );
        // Another time parts it from the others of its row, of which it takes nothing along.
        let (later, place) = protocol
            .moved(index, row(75.5, BEAT, 6.0, Curve::Linear), &[])
            .unwrap();
        assert_eq!(later.rows()[place], row(75.5, BEAT, 6.0, Curve::Linear));
        assert_eq!(
            later.document()[1],
            json!({"at": 60, "carrier": 150, "curve": "smooth"})
        );
        // A row of its own goes with what else it says.
        let (last, place) = protocol
            .moved(4, row(30.0, L1_LEVEL, -20.0, Curve::Step), &[])
            .unwrap();
        assert_eq!(last.rows()[place].seconds, 30.0);
        assert_eq!(
            last.document()[1],
            json!({"at": 30, "l1_level": -20, "theirs": 2})
        );
        assert_eq!(last.document()[0]["mine"], "kept");
        let again = Protocol::from_json(last.document(), &[], &mut Vec::new()).unwrap();
        assert_eq!(again, last, "read again it is the same");
    }

    #[test]
    fn points_are_added_where_they_belong() {
        let protocol = protocol();
        let point = row(60.0, L1_LEVEL, -40.0, Curve::Smooth);
        let (more, place) = protocol.with_point(point, &[]).unwrap();
        assert_eq!(more.rows()[place], point);
        assert_eq!(
            more.document()[1]["l1_level"],
            -40,
            "in the row of its time"
        );
        // A second one at the same time counts, so it comes after.
        let point = row(60.0, BEAT, 3.0, Curve::Step);
        let (more, place) = protocol.with_point(point, &[]).unwrap();
        assert_eq!(more.rows()[place], point);
        assert!(place > 2);
        let timeline = more.timeline(&[(GLIDE, 0.0)], 1000.0).unwrap();
        assert_eq!(timeline.value(BEAT, 60_001, false), Some(3.0));
    }

    #[test]
    fn points_are_taken_out_to_the_last() {
        let mut protocol = Some(protocol());
        let mut count = 5;
        while let Some(some) = protocol.take() {
            assert_eq!(some.rows().len(), count);
            protocol = some.without_point(0, &[]).unwrap();
            count -= 1;
        }
        assert_eq!(count, 0);
        let without = self::protocol().without_control(CARRIER, &[]).unwrap();
        let without = without.unwrap();
        assert!(without.rows().iter().all(|row| row.control != CARRIER));
        assert_eq!(without.rows().len(), 3);
        assert_eq!(without.document()[0]["mine"], "kept");
    }

    #[test]
    fn what_cannot_be_played_is_refused_in_plain_words() {
        let protocol = protocol();
        let told = |to: Row| protocol.moved(2, to, &[]).unwrap_err().to_string();
        let zero = told(row(60.0, BEAT, 0.0, Curve::Exponential));
        assert!(zero.contains("needs both ends above 0"), "{zero}");
        let early = told(row(-1.0, BEAT, 1.0, Curve::Step));
        assert!(early.contains("not a time"), "{early}");
        let wide = told(row(1.0, BEAT, 101.0, Curve::Step));
        assert!(wide.contains("outside 0 to 100"), "{wide}");
        let fixed = protocol.with_point(row(0.0, GLIDE, 1.0, Curve::Step), &[]);
        assert!(fixed.unwrap_err().to_string().contains("cannot move it"));
    }
}
