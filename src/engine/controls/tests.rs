//! Text, ranges and snapping of every control.

use super::*;

#[test]
fn every_default_and_end_of_range_survives_text() {
    for control in CONTROLS {
        let (min, max) = control.range();
        for value in [control.default_value(), min, max] {
            let text = control.format(value);
            assert_eq!(
                control.parse_any(&text).unwrap(),
                value,
                "{}: {text}",
                control.id
            );
        }
    }
}

#[test]
fn a_normalised_f32_snaps_to_the_displayed_decimal() {
    for control in CONTROLS {
        if let Values::Number { decimals, .. } = control.values {
            let (min, max) = control.range();
            let grid = 10f64.powi(decimals as i32);
            for i in 0..=1000 {
                let shown = ((min + (max - min) * i as f64 / 1000.0) * grid).round() / grid;
                let host = control.to_normalized(shown) as f32;
                assert_eq!(
                    control.from_normalized(host as f64),
                    shown,
                    "{}",
                    control.id
                );
            }
        }
    }
}

#[test]
fn divisions_ascend_and_have_their_lengths() {
    let lengths: Vec<f64> = (0..DIVISIONS.len())
        .map(|index| division_quarters(index, 4.0))
        .collect();
    assert_eq!(DIVISIONS.len(), 24);
    let at = |name| lengths[DIVISIONS.iter().position(|d| *d == name).unwrap()];
    assert_eq!((at("1/4"), at("1/8d"), at("1/4t")), (1.0, 0.75, 2.0 / 3.0));
    assert_eq!((at("1/64"), at("1/1"), at("8bar")), (0.0625, 4.0, 32.0));
    assert_eq!(division_quarters(21, 3.0), 6.0);
}

#[test]
fn ids_are_unique_and_found() {
    for id in ControlId::all() {
        assert_eq!(ControlId::parse(id.control().id), Ok(id));
    }
}

#[test]
fn errors_name_what_may_have_been_meant() {
    let error = ControlId::parse("beet").unwrap_err().to_string();
    assert!(error.contains("\"beat\""), "{error}");
    let error = L1_KIND.control().parse("binarual").unwrap_err().to_string();
    assert!(error.contains("nearest is \"binaural\""), "{error}");
    // What is near nothing is no slip: the names stand for themselves, and of ids there are too many.
    let error = |id: ControlId, text| id.control().parse(text).unwrap_err().to_string();
    assert_eq!(
        error(BEAT_SOURCE, "xyzzy"),
        "beat_source: \"xyzzy\" is not one of hz, tempo"
    );
    assert_eq!(
        error(BYPASS, "maybe"),
        "bypass: \"maybe\" is not one of on, off, true, false, 1, 0"
    );
    let unknown = ControlId::parse("frobnicate").unwrap_err().to_string();
    assert_eq!(unknown, "there is no parameter \"frobnicate\"");
    let error = BEAT.control().parse("101").unwrap_err().to_string();
    assert!(
        error.contains("0 to 100 Hz") && error.contains("is 100"),
        "{error}"
    );
    let note = CARRIER_NOTE.control();
    assert_eq!((note.parse("A3"), note.parse("57")), (Ok(57.0), Ok(57.0)));
    assert_eq!((note.parse("Bb2"), note.parse("c#4")), (Ok(46.0), Ok(61.0)));
    assert_eq!(note.format(61.0), "C#4");
    assert!(note.parse("C9").is_err() && note.parse("H2").is_err());
    assert_eq!(DIVISION.control().parse("1/8d"), Ok(11.0));
    assert!(BEAT.control().parse("6.3 Hz").is_ok_and(|v| v == 6.3));
    assert!(BEAT.control().parse("6.3hz").is_ok_and(|v| v == 6.3));
    assert!(L1_LEVEL.control().parse("silent").is_ok_and(|v| v == -80.0));
}
