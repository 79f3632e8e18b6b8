//! Sequences as SBaGen's documentation says that they play.

use super::*;
use crate::engine::ControlId;
use crate::protocol::import_text;

const RATE: f64 = 1000.0;

/// A value of the imported sequence at a second.
struct Played {
    preset: Preset,
    report: Vec<String>,
}

impl Played {
    fn new(text: &str) -> Played {
        let imported =
            import_text(text, "test").unwrap_or_else(|error| panic!("{error:?}: {text}"));
        Played {
            preset: imported.preset,
            report: imported.report,
        }
    }

    fn at(&self, control: ControlId, seconds: f64) -> f64 {
        let settings = self.preset.all_settings();
        let timeline = self
            .preset
            .protocol()
            .map(|protocol| protocol.timeline(&settings, RATE).unwrap());
        let driven =
            timeline.and_then(|timeline| timeline.value(control, (seconds * RATE) as i64, false));
        driven.unwrap_or(settings[control.index()].1)
    }

    fn carrier(&self, layer: usize, seconds: f64) -> f64 {
        self.at(id::CARRIER, seconds) * 2f64.powf(self.at(LAYER[layer].interval, seconds) / 12.0)
    }

    fn beat(&self, layer: usize, seconds: f64) -> f64 {
        self.at(id::BEAT, seconds) * self.at(LAYER[layer].ratio, seconds)
    }

    /// Linear gain of a layer in percent.
    fn percent(&self, layer: usize, seconds: f64) -> f64 {
        let db = self.at(LAYER[layer].level, seconds);
        if db <= -80.0 {
            0.0
        } else {
            100.0 * 10f64.powf(db / 20.0)
        }
    }
}

fn near(a: f64, b: f64, within: f64) {
    assert!((a - b).abs() <= within, "{a} and {b}");
}

#[test]
fn a_slide_takes_the_whole_time_and_the_left_ear_is_higher() {
    let played = Played::new("-SE\n\nts1: 200+10/20\nts2: 100+4/20\n\nNOW ts1 ->\n+00:10 ts2\n");
    for (seconds, carrier, beat) in [(0.0, 200.0, 10.0), (300.0, 150.0, 7.0), (600.0, 100.0, 4.0)] {
        near(played.carrier(0, seconds), carrier, 1e-6);
        near(played.beat(0, seconds), beat, 1e-6);
    }
    near(played.percent(0, 300.0), 20.0, 0.01);
    assert_eq!(played.at(LAYER[0].swap, 300.0), 1.0);
    assert_eq!(played.preset.protocol().unwrap().seconds(), 600.0);
    let minus = Played::new("-SE\nts1: 200-10/20\nNOW ts1\n+00:10 ts1\n");
    assert_eq!(minus.at(LAYER[0].swap, 300.0), 0.0);
}

#[test]
fn without_an_arrow_tones_change_within_a_minute() {
    let played =
        Played::new("-SE\nts1: 200+10/20\nts2: 200+4/20\nNOW ts1\n+00:10 == ts2\n+00:20 ts2\n");
    // Half of the transition is before the line's time. Without = on both sides it fades through silence.
    near(played.beat(0, 569.0), 10.0, 1e-6);
    near(played.percent(0, 585.0), 10.0, 0.2);
    near(played.percent(0, 600.0), 0.0, 0.05);
    near(played.percent(0, 615.0), 10.0, 0.2);
    near(played.beat(0, 631.0), 4.0, 1e-6);
    let slid =
        Played::new("-SE\nts1: 200+10/20\nts2: 200+4/20\nNOW == ts1\n+00:10 == ts2\n+00:20 ts2\n");
    near(slid.beat(0, 600.0), 7.0, 1e-6);
    near(slid.percent(0, 600.0), 20.0, 0.01);
    let quick = Played::new(
        "-SE -F 2000\nts1: 200+10/20\nts2: 200+4/20\nNOW == ts1\n+00:10 == ts2\n+00:20 ts2\n",
    );
    near(quick.beat(0, 598.9), 10.0, 1e-6);
    near(quick.beat(0, 600.0), 7.0, 1e-6);
}

#[test]
fn times_are_of_the_clock_relative_and_in_blocks() {
    let text = "-SE\nts: 200+10/20\noff: -\nrun: {\n+00:00 ts\n+00:05 off\n}\n23:50 off\n+00:05 ts\n00:10:30 off\nNOW+01:00 off\n";
    let mut reader = read(text, "x");
    assert!(reader.is_ok(), "{:?}", reader.err());
    reader = read(
        "-SE\nts: 200+10/20\noff: -\nrun: {\n+00:00 ts\n+00:05 off\n}\n22:00 run\n+00:30 run\n",
        "x",
    );
    let pieces = reader.unwrap().pieces;
    assert_eq!(pieces.last().unwrap().end, 2100.0);
    near(
        Played::new("-SE\nts: 200+10/20\noff: -\n23:50 off ->\n00:10 ts\n00:20 ts")
            .percent(0, 600.0),
        10.0,
        0.2,
    );
}

#[test]
fn noise_and_soundtrack_are_mapped_and_the_rest_is_reported() {
    let played = Played::new(
        "-SE -m river1.ogg\nwave00: 0 1 0\nts1: pink/40 100+1.5/10 mix/50 bell+600/20 wave00:200+3/5\noff: -\nNOW ts1 ->\n+00:02 ts1 ->\n+00:03 off\n",
    );
    assert_eq!(
        played.preset.all_settings()[id::NOISE_KIND.index()].1,
        id::NOISE_PINK as f64
    );
    near(
        played.at(id::NOISE_LEVEL, 60.0),
        20.0 * (0.4f64 * PINK).log10(),
        0.01,
    );
    near(played.at(id::PROG_LEVEL, 60.0), 20.0 * 0.5f64.log10(), 0.01);
    near(played.percent(0, 60.0), 10.0, 0.01);
    near(played.beat(1, 60.0), 3.0, 1e-5);
    near(played.carrier(1, 60.0), 200.0, 1e-4);
    near(played.percent(0, 150.0), 5.0, 0.1);
    let report = played.report.join("\n");
    for what in [
        "soundtrack river1.ogg",
        "bells",
        "waves of one's own",
        "noise",
    ] {
        assert!(report.contains(what), "{what}: {report}");
    }
}

#[test]
fn voices_that_no_ratio_reaches_are_silent_and_told() {
    let played = Played::new("-SE\nts: 200+10/20 300+0.5/10\nNOW ts\n+00:05 ts\n");
    assert!(
        played
            .report
            .iter()
            .any(|line| line.contains("cannot follow")),
        "{:?}",
        played.report
    );
    let five = Played::new(
        "-SE\nts: 200+10/20 210+10/19 220+10/18 230+10/17 240+10/1\nNOW ts\n+00:05 ts\n",
    );
    assert!(
        five.report.iter().any(|line| line.contains("four layers")),
        "{:?}",
        five.report
    );
}

#[test]
fn one_line_alone_is_a_preset_without_a_protocol() {
    for text in ["ts: 200+10/20\nNOW ts\n", "-i 200+10/20\n"] {
        let played = Played::new(text);
        assert!(played.preset.protocol().is_none());
        near(played.carrier(0, 0.0), 200.0, 1e-9);
        near(played.percent(0, 0.0), 20.0, 0.001);
    }
}

#[test]
fn what_is_no_sequence_is_refused_by_line() {
    for (text, line, says) in [
        ("", 0, "empty"),
        ("ts: 200+10/20\n", 0, "no line with a time"),
        ("ts: 200+10\nNOW ts", 1, "no tone"),
        ("ts: 200+10/20\nNOW tt", 2, "the nearest is \"ts\""),
        (
            "ts: 200+10/20\noff: -\nNOW xyzzy",
            3,
            "\"xyzzy\" is not defined, only: off, ts",
        ),
        ("ts: 200+10/20\n25:00 ts", 2, "no time"),
        ("ts: 200+10/20\n+00:10 ts", 2, "needs a line with NOW"),
        ("ts: 200+10/20\nNOW ~~ ts", 2, "a fade is two of"),
        ("ts: 200+10/20\nNOW ts => x", 2, "only ->"),
        ("-p drop 00d\n", 1, "built-in"),
        ("b: {\n+00:00 b\n}\nNOW b", 4, "more than 20 deep"),
        ("b: {\n+00:00 b\n", 1, "has no }"),
        ("hello world", 1, "neither an option"),
        ("ts: -\nNOW ts\n+00:10 ts", 0, "nothing sounds"),
    ] {
        let (at, message) = import_text(text, "x").unwrap_err();
        assert!(message.contains(says), "{text:?}: {message}");
        assert_eq!(at, line, "{text:?}: {message}");
    }
}

#[test]
fn what_is_exported_is_read_again() {
    let original = Played::new(
        "-SE\nts1: pink/20 200+10/20 300+15/10\nts2: pink/20 100+4/20 150+6/10\nNOW ts1 ->\n+00:10 ts2\n",
    );
    let (text, report) = export(&original.preset).unwrap();
    assert!(
        report.iter().all(|line| line.contains("noise")),
        "{report:?}"
    );
    let again = Played::new(&text);
    for seconds in [0.0, 200.0, 599.0] {
        for layer in [0, 1] {
            near(
                again.carrier(layer, seconds),
                original.carrier(layer, seconds),
                0.01,
            );
            near(
                again.beat(layer, seconds),
                original.beat(layer, seconds),
                0.01,
            );
            near(
                again.percent(layer, seconds),
                original.percent(layer, seconds),
                0.1,
            );
        }
        assert_eq!(again.at(LAYER[0].swap, seconds), 1.0);
    }
    let program = Preset::parse(r#"{"params": {"prog_kind": "shift"}}"#).unwrap();
    assert!(export(&program).unwrap_err().contains("no binaural layer"));
}

#[test]
fn a_long_list_is_read_or_refused_for_its_length() {
    let list = |lines: usize| {
        let mut text = "a: 200+10/20\nb: 200+8/20\n".to_owned();
        for n in 0..lines {
            let second = n * 86_400 / lines;
            let (hours, minutes) = (second / 3600, second / 60 % 60);
            let name = ["a", "b"][n % 2];
            text += &format!("{hours:02}:{minutes:02}:{:02} {name}\n", second % 60);
        }
        read(&text, "test").map(|_| ())
    };
    assert_eq!(list(MOST_LINES), Ok(()));
    for lines in [MOST_LINES + 1, 100_000] {
        let (line, message) = list(lines).unwrap_err();
        assert_eq!(line, 2 + MOST_LINES + 1);
        let says = "it has more than 5000 lines of time; make several sequences of it";
        assert_eq!(message, says);
    }
}

#[test]
fn nested_blocks_of_nothing_end() {
    let mut text = String::from("off: -\nb0: {\n}\n");
    for level in 1..6 {
        text += &format!("b{level}: {{\n");
        text += &format!("+00:00 b{}\n", level - 1).repeat(1000);
        text += "}\n";
    }
    text += "NOW b5\n";
    let started = std::time::Instant::now();
    let (_, message) = import_text(&text, "x").unwrap_err();
    assert!(
        message.contains("those of blocks counted each time"),
        "{message}"
    );
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn steps_are_exported_at_their_times() {
    let preset = Preset::parse(
        r#"{"params": {"l1_kind": "binaural", "glide": 2}, "protocol": [
        {"at": 0, "beat": 10, "carrier": 200}, {"at": 60, "beat": 4},
        {"at": 90.4, "carrier": 300}]}"#,
    )
    .unwrap();
    let (text, report) = export(&preset).unwrap();
    assert!(report.join("\n").contains("whole seconds"), "{report:?}");
    let again = Played::new(&text);
    near(again.beat(0, 58.9), 10.0, 1e-6);
    near(again.beat(0, 60.0), 4.0, 1e-6);
    near(again.carrier(0, 89.9), 200.0, 1e-3);
    near(again.carrier(0, 91.0), 300.0, 1e-3);
}

#[test]
fn carriers_of_notes_are_exported_and_what_has_no_place_is_told() {
    let preset = Preset::parse(
        r#"{"params": {"l1_kind": "binaural", "l1_wave": "saw", "carrier_source": "note",
        "carrier_note": 57, "tuning": 432, "beat_source": "tempo", "beat": 7}}"#,
    )
    .unwrap();
    let (text, report) = export(&preset).unwrap();
    assert!(text.contains("216-7/"), "{text}");
    let report = report.join("\n");
    for what in ["layer 1: SBaGen has sines only", "follows a tempo"] {
        assert!(report.contains(what), "{what}: {report}");
    }
    let loops = Preset::parse(
        r#"{"params": {"l1_kind": "binaural", "carrier_source": "midi", "protocol_on": false,
        "protocol_loop": true}, "protocol": [{"at": 0, "beat": 5}, {"at": 9, "beat": 6}]}"#,
    )
    .unwrap();
    let report = export(&loops).unwrap().1.join("\n");
    for what in ["MIDI notes", "protocol loops", "protocol is off"] {
        assert!(report.contains(what), "{what}: {report}");
    }
}
