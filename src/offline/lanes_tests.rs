//! What CSV rows mean, and which are refused.

use super::*;
use crate::engine::controls::{BEAT, CEILING_ON, L1_KIND};

fn step(frame: u64, to: f64) -> LaneEvent {
    LaneEvent {
        frame,
        change: Change::Step(to),
    }
}

fn linear(frame: u64, to: f64, frames: u64) -> LaneEvent {
    LaneEvent {
        frame,
        change: Change::Linear { to, frames },
    }
}

fn play(text: &str, start: u64) -> (f64, Vec<LaneEvent>) {
    Lane::parse(BEAT, text).unwrap().play(100.0, start, 8.0)
}

#[test]
fn rows_step_unless_they_say_linear() {
    let text =
        "\u{feff}seconds,value\r\n# calm down\r\n\r\n0,10\r\n1,6,step\r\n 2 , 4 Hz , Linear \r\n";
    assert_eq!(
        play(text, 0),
        (10.0, vec![linear(100, 6.0, 0), linear(100, 4.0, 100)])
    );
    assert_eq!(
        play("0,10\n1,6\n2,5", 0),
        (10.0, vec![step(100, 6.0), step(200, 5.0)])
    );
}

#[test]
fn before_the_first_row_the_setting_holds() {
    assert_eq!(play("1,6", 0), (8.0, vec![step(100, 6.0)]));
    assert_eq!(play("1,6,linear", 0), (8.0, vec![linear(0, 6.0, 100)]));
}

#[test]
fn a_later_start_finds_the_rows_before_it_travelled() {
    let text = "0,10\n1,6\n3,4,linear\n4,20";
    assert_eq!(
        play(text, 100),
        (6.0, vec![linear(100, 4.0, 200), step(400, 20.0)])
    );
    assert_eq!(
        play(text, 200),
        (5.0, vec![linear(200, 4.0, 100), step(400, 20.0)])
    );
    assert_eq!(play(text, 350), (4.0, vec![step(400, 20.0)]));
    assert_eq!(play(text, 900), (20.0, vec![]));
    assert_eq!(play("2,4,linear", 100), (6.0, vec![linear(100, 4.0, 100)]));
}

#[test]
fn two_rows_of_one_moment_follow_at_once() {
    assert_eq!(
        play("0,10\n1,4,linear\n1,10,step\n2,4,linear", 0),
        (
            10.0,
            vec![
                linear(0, 4.0, 100),
                linear(100, 10.0, 0),
                linear(100, 4.0, 100)
            ]
        )
    );
}

#[test]
fn frames_are_rounded_and_enums_go_by_name() {
    assert_eq!(play("0.014,6", 0).1, [step(1, 6.0)]);
    assert_eq!(play("0.016,6", 0).1, [step(2, 6.0)]);
    let lane = Lane::parse(L1_KIND, "0,off\n5,binaural").unwrap();
    assert_eq!(lane.play(100.0, 0, 0.0), (0.0, vec![step(500, 1.0)]));
    let lane = Lane::parse(CEILING_ON, "5,on").unwrap();
    assert_eq!(lane.play(100.0, 0, 0.0), (0.0, vec![step(500, 1.0)]));
}

#[test]
fn every_wrong_row_is_named_with_its_line() {
    for (control, text, line, says) in [
        (BEAT, "", 0, "holds no row"),
        (BEAT, "seconds,value\n# nothing", 0, "holds no row"),
        (BEAT, "0,10\n5,200", 2, "outside 0 to 100 Hz"),
        (BEAT, "0,10\n5,fast", 2, "\"fast\" is not a value"),
        (
            BEAT,
            "0,10\n\n5,6\n4,7",
            4,
            "4 s comes before the row above at 5 s",
        ),
        (BEAT, "0;10", 1, "a row is seconds,value"),
        (BEAT, "0,10,step,1", 1, "a row is seconds,value"),
        (BEAT, "-1,10", 1, "not a time"),
        (BEAT, "nan,10", 1, "not a time"),
        (BEAT, "inf,10", 1, "not a time"),
        (BEAT, "0,10\nseconds,value", 2, "not a time"),
        (BEAT, "0,10,liner", 1, "nearest is \"linear\""),
        (L1_KIND, "0,binarual", 1, "nearest is \"binaural\""),
        (
            L1_KIND,
            "0,off\n1,binaural,linear",
            2,
            "cannot travel linearly",
        ),
        (CEILING_ON, "1,on,linear", 1, "cannot travel linearly"),
    ] {
        let (found, problem) = Lane::parse(control, text).unwrap_err();
        let error = LaneError {
            path: "x.csv".into(),
            line: found,
            problem,
        }
        .to_string();
        assert!(found == line && error.contains(says), "{text:?}: {error}");
    }
}
