//! Timelines against integrals that are worked out otherwise.

use super::*;

const RATE: f64 = 48_000.0;

fn row(seconds: f64, control: ControlId, value: f64, curve: Curve) -> Row {
    Row {
        seconds,
        control,
        value,
        curve,
    }
}

fn timeline(rows: &[Row], glide: f64) -> Timeline {
    Timeline::new(
        rows,
        |control| control.control().default_value(),
        glide,
        RATE,
    )
    .unwrap()
}

/// Cycles from second 0 to a frame.
fn cycles(timeline: &Timeline, part: Part, frame: i64, looping: bool) -> f64 {
    timeline.sum(part, &timeline.place(frame, looping)).unwrap() as f64 / CYCLE
}

#[test]
fn lines_exponentials_cosines_and_glides_have_their_integrals() {
    let from_to = |curve| {
        timeline(
            &[
                row(0.0, id::BEAT, 10.0, Curve::Step),
                row(60.0, id::BEAT, 4.0, curve),
            ],
            0.02,
        )
    };
    let at = |curve, seconds: f64| {
        cycles(
            &from_to(curve),
            Part::Master,
            (seconds * RATE) as i64,
            false,
        )
    };
    for t in [0.0, 0.5, 17.25, 60.0] {
        let line = 10.0 * t - 6.0 * t * t / 120.0;
        assert!((at(Curve::Linear, t) - line).abs() < 1e-9);
        let ratio = (0.4f64).ln();
        let exponential = 10.0 * 60.0 / ratio * ((ratio * t / 60.0).exp() - 1.0);
        assert!((at(Curve::Exponential, t) - exponential).abs() < 1e-9);
        let cosine = 7.0 * t + 3.0 * 60.0 / PI * (PI * t / 60.0).sin();
        assert!((at(Curve::Smooth, t) - cosine).abs() < 1e-9);
    }
    // A step is where it was until its time, and then glides.
    assert!((at(Curve::Step, 60.0) - 600.0).abs() < 1e-9);
    assert!((at(Curve::Step, 61.0) - (600.0 + 0.02 * 7.0 + 0.98 * 4.0)).abs() < 1e-9);
    assert_eq!(
        from_to(Curve::Linear).value(id::BEAT, -5, false),
        Some(10.0)
    );
    assert!((cycles(&from_to(Curve::Linear), Part::Master, -48_000, false) + 10.0).abs() < 1e-9);
}

#[test]
fn loops_repeat_with_a_glide_back() {
    let timeline = timeline(
        &[
            row(0.0, id::BEAT, 10.0, Curve::Step),
            row(10.0, id::BEAT, 4.0, Curve::Linear),
        ],
        0.5,
    );
    let length = 480_000;
    // The second pass glides from 4 to 10, and its line takes the rest.
    let second = 0.5 * 7.0 + 9.5 * 7.0;
    for pass in 1..5 {
        let at = cycles(&timeline, Part::Master, pass * length, true);
        assert!(
            (at - (70.0 + (pass - 1) as f64 * second)).abs() < 1e-9,
            "{pass}: {at}"
        );
    }
    assert_eq!(timeline.value(id::BEAT, length, true), Some(4.0));
    assert_eq!(timeline.value(id::BEAT, length, false), Some(4.0));
    assert_eq!(timeline.value(id::BEAT, length * 3 / 2, false), Some(4.0));
}

#[test]
fn products_are_integrated() {
    let rows = [
        row(0.0, id::CARRIER, 200.0, Curve::Step),
        row(0.0, id::L1_INTERVAL, 0.0, Curve::Step),
        row(0.0, id::BEAT, 10.0, Curve::Step),
        row(0.0, id::L1_RATIO, 1.0, Curve::Step),
        row(60.0, id::L1_INTERVAL, 12.0, Curve::Linear),
        row(60.0, id::L1_RATIO, 2.0, Curve::Smooth),
        row(100.0, id::CARRIER, 400.0, Curve::Exponential),
        row(100.0, id::BEAT, 4.0, Curve::Linear),
        row(120.0, id::L1_INTERVAL, -12.0, Curve::Step),
    ];
    let timeline = timeline(&rows, 0.02);
    for part in [Part::Carrier(0), Part::Beat(0)] {
        let (first, second) = part.factors();
        let value = |frame: i64| {
            timeline.value(first, frame, false).unwrap()
                * part.law(timeline.value(second.unwrap(), frame, false).unwrap())
        };
        // Simpson's rule on a grid of 20 frames is as good as exact for these.
        let (mut sum, step) = (0.0, 20);
        for frame in (0..130 * 48_000i64).step_by(step) {
            let h = step as i64;
            sum += (value(frame) + 4.0 * value(frame + h / 2) + value(frame + h)) / 6.0
                * step as f64
                / RATE;
            if frame % 480_000 == 0 {
                let at = cycles(&timeline, part, frame + h, false);
                assert!(
                    (at - sum).abs() < 1e-6,
                    "{part:?} at {frame}: {at} and {sum}"
                );
            }
        }
    }
    // One factor alone has to be multiplied by the other.
    let alone = Timeline::new(&rows[3..4], |_| 0.0, 0.02, RATE).unwrap();
    assert!((cycles(&alone, Part::Beat(0), 48_000, false) - 1.0).abs() < 1e-12);
    assert!(alone.sum(Part::Master, &alone.place(1, false)).is_none());
}

#[test]
fn angles_take_the_short_way_and_switches_step() {
    let timeline = timeline(
        &[
            row(0.0, id::AZIMUTH, 170.0, Curve::Step),
            row(10.0, id::AZIMUTH, -170.0, Curve::Linear),
            row(10.0, id::L1_KIND, 1.0, Curve::Linear),
            row(20.0, id::AZIMUTH, 170.0, Curve::Linear),
        ],
        0.02,
    );
    let at = |control, seconds: f64| {
        timeline
            .value(control, (seconds * RATE) as i64, false)
            .unwrap()
    };
    assert_eq!(at(id::AZIMUTH, 5.0), 180.0);
    assert_eq!(at(id::AZIMUTH, 10.0), -170.0);
    assert_eq!(at(id::AZIMUTH, 15.0), -180.0);
    assert_eq!(at(id::AZIMUTH, 20.0), 170.0);
    assert_eq!((at(id::L1_KIND, 9.99), at(id::L1_KIND, 10.0)), (0.0, 1.0));
}

#[test]
fn what_cannot_be_laid_out_is_refused_by_row() {
    let refused = |rows: &[Row]| {
        let error = Timeline::new(rows, |_| 0.0, 0.02, RATE).unwrap_err();
        (error.row, error.to_string())
    };
    let beat = |seconds, value, curve| row(seconds, id::BEAT, value, curve);
    assert!(refused(&[]).1.contains("no row"));
    let (row_at, text) = refused(&[
        beat(0.0, 10.0, Curve::Step),
        beat(1.0, 0.0, Curve::Exponential),
    ]);
    assert!(
        row_at == 1 && text.contains("beat: an exponential needs both ends above 0"),
        "{text}"
    );
    let level = refused(&[row(1.0, id::L1_LEVEL, -20.0, Curve::Exponential)]).1;
    assert!(level.contains("levels are in dB"), "{level}");
    assert!(
        refused(&[beat(2.0, 1.0, Curve::Step), beat(1.0, 1.0, Curve::Step)])
            .1
            .contains("sort")
    );
    assert!(
        refused(&[beat(f64::NAN, 1.0, Curve::Step)])
            .1
            .contains("not a time")
    );
    assert!(
        refused(&[beat(0.0, 101.0, Curve::Step)])
            .1
            .contains("0 to 100 Hz")
    );
    let bypass = row(0.0, id::BYPASS, 1.0, Curve::Step);
    assert!(refused(&[bypass]).1.contains("cannot move it"));
}

#[test]
fn the_phase_offset_does_not_go_round() {
    let timeline = timeline(
        &[
            row(0.0, id::PHASE, 170.0, Curve::Step),
            row(10.0, id::PHASE, -170.0, Curve::Linear),
        ],
        0.02,
    );
    let middle = timeline.value(id::PHASE, (5.0 * RATE) as i64, false);
    assert_eq!(middle, Some(0.0));
}

#[test]
fn of_rows_at_one_frame_the_last_counts_and_glides() {
    let rows = [
        row(0.0, id::BEAT, 10.0, Curve::Step),
        row(5.0, id::BEAT, 20.0, Curve::Step),
        row(5.0, id::BEAT, 4.0, Curve::Linear),
    ];
    let timeline = timeline(&rows, 0.02);
    let at = |seconds: f64| {
        timeline
            .value(id::BEAT, (seconds * RATE) as i64, false)
            .unwrap()
    };
    assert_eq!((at(5.0), at(5.03)), (10.0, 4.0));
    assert!((at(5.01) - 7.0).abs() < 1e-9);
}
