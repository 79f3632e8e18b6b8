//! Random and mutated presets, protocols, sequences and schedules: whatever a file holds, it is refused with a
//! message or read without loss, and what it makes can be played.
//!
//! `ZEITGEBER_STORM=1000000 cargo test --release --test storm --  --nocapture` runs a million of each.

mod common;

use common::Random;
use std::sync::Arc;
use zeitgeber::engine::{ControlId, Engine, Order, Snapshot, Transport};
use zeitgeber::protocol::{FACTORY, Preset, export_sbg, import_text};

/// How many inputs each test makes.
fn rounds() -> u64 {
    let asked = std::env::var("ZEITGEBER_STORM").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(1500)
}

const SEQUENCES: &[&str] = &[
    "-SE -m river1.ogg\n\noff: -\nts00: 205+10/1.0 mix/100\nts01: 204.4+8.5/1.0 pink/20 mix/100\n0:00:00 == off ->\n0:00:05 == ts00 ->\n0:03:00 <> ts01 ->\n0:29:50 == off\n",
    "-SE\nts: pink/80 360-40/6 440+40/6 spin:300+4.2/80 bell400/20\noff: -\nb: {\n+00:00 ts ->\n+00:10:00 off\n}\nNOW b\n+01:00 b\nNOW+02:00 off\n",
    "# x\nwave00: 1 2 3\na: wave00:100+2/30 200/10 100@10/20 100M10/20\nc: 50+12.5/30 6000+12.5/30\n22:30 -- a\n23:30:15 <= c ->\n+00:20 a\n",
    "-i 100+4/20 pink/40\n",
];

const SCHEDULE: &str = "<?xml version=\"1.0\"?>\n<schedule><title>a</title><loops>2</loops><overallvolume_left>0.5</overallvolume_left><stereoswap>1</stereoswap><voice><type>0</type><voice_mute>0</voice_mute><entries><entry duration=\"60\" volume_left=\"0.4\" volume_right=\"0.5\" beatfreq=\"10\" basefreq=\"200\"/><entry duration=\"0.5\" volume_left=\"0\" beatfreq=\"-4\" basefreq=\"100\"/></entries></voice><voice><type>1</type><entry duration=\"9\" volume_left=\"1\"/></voice><voice><type>4</type><entry duration=\"61\" volume_left=\"1\" beatfreq=\"3\" basefreq=\"90\"/></voice></schedule>";

const PIECES: &[&str] = &[
    "0",
    "-1",
    "1e309",
    "NaN",
    "null",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "NOW",
    "+00:10",
    "->",
    "==",
    "<>",
    "/",
    "99999999999",
    "\"curve\": \"exponential\"",
    "\"at\": -5",
    "\"beat\"",
    "true",
    "\u{feff}",
    "\u{1F3B5}",
    "<entry ",
    "</voice>",
    "&amp;",
    "&#0;",
    "0.0000001",
    "-SE",
    "pink/40",
    "200+10/20",
    "1e-300",
    "86400",
    "\\u0000",
];

/// A text with a few things wrong.
fn mutated(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(6) {
        let at = random.below(letters.len() as u64 + 1) as usize;
        match random.below(6) {
            0 => {
                letters.truncate(at);
            }
            1 => {
                let end = (at + random.below(40) as usize).min(letters.len());
                letters.drain(at..end);
            }
            2 => {
                let end = (at + random.below(60) as usize).min(letters.len());
                let copy: Vec<char> = letters[at..end].to_vec();
                let to = random.below(letters.len() as u64 + 1) as usize;
                letters.splice(to..to, copy);
            }
            3 => {
                let piece = PIECES[random.below(PIECES.len() as u64) as usize];
                letters.splice(at..at, piece.chars());
            }
            4 => {
                if let Some(letter) = letters.get_mut(at) {
                    *letter = char::from(32 + random.below(95) as u8);
                }
            }
            _ => {
                // Another number in place of one.
                if let Some(start) = letters[at.min(letters.len())..]
                    .iter()
                    .position(char::is_ascii_digit)
                {
                    let start = at + start;
                    let length = letters[start..]
                        .iter()
                        .take_while(|c| c.is_ascii_digit())
                        .count();
                    let number = [0, 1, 7, 20, 80, 101, 5000, u64::MAX][random.below(8) as usize];
                    letters.splice(start..start + length, number.to_string().chars());
                }
            }
        }
    }
    letters.into_iter().collect()
}

/// What was read is whole: in range, the same after writing and reading, and playable.
fn check(preset: &Preset, random: &mut Random) {
    let settings = preset.all_settings();
    for (id, value) in &settings {
        let (min, max) = id.control().range();
        assert!((min..=max).contains(value), "{}: {value}", id.control().id);
    }
    let text = preset.to_text();
    let again = Preset::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again.to_text(), text);
    assert_eq!(again.all_settings(), settings, "{text}");
    let _ = export_sbg(preset);
    let Some(protocol) = preset.protocol() else {
        return;
    };
    assert_eq!(again.protocol().unwrap().rows(), protocol.rows());
    let timeline = protocol.timeline(&settings, 48_000.0).unwrap();
    for _ in 0..8 {
        let position = random.below(2 * timeline.length() + 48_000) as i64 - 24_000;
        for control in timeline.controls() {
            let (min, max) = control.control().range();
            let value = timeline
                .value(*control, position, random.below(2) == 0)
                .unwrap();
            // Angles are told beyond a half turn on their way.
            let within = (min - 360.0..=max + 360.0).contains(&value);
            assert!(
                value.is_finite() && within,
                "{}: {value} at {position}",
                control.control().id
            );
        }
    }
}

/// Plays a preset for some blocks, on top of whatever played before.
fn play(
    engine: &mut Engine,
    deck: &mut zeitgeber::engine::DeckLine,
    preset: &Preset,
    random: &mut Random,
) {
    let settings = preset.all_settings();
    let timeline = preset
        .protocol()
        .map(|protocol| Arc::new(protocol.timeline(&settings, 48_000.0).unwrap()));
    let _ = deck.send(Order::Snapshot(Box::new(Snapshot {
        settings,
        timeline,
        ..Snapshot::default()
    })));
    for _ in 0..4 {
        let song = random.below(48_000 * 600) as i64;
        let transport = match random.below(3) {
            0 => Transport::Absent,
            playing => Transport::Host {
                playing: playing == 1,
                song_frames: Some(song),
                tempo: None,
            },
        };
        let (mut left, mut right) = ([0.0f32; 700], [0.0f32; 700]);
        engine.process(&mut left, &mut right, transport, &[]);
        assert!(
            left.iter()
                .chain(&right)
                .all(|x| x.is_finite() && x.abs() < 8.0)
        );
    }
}

#[test]
fn presets_in_a_storm() {
    let mut random = Random(11);
    let mut engine = Engine::new(48_000.0).unwrap();
    let mut deck = engine.take_deck().unwrap();
    let mut read = 0;
    for round in 0..rounds() {
        let (_, text) = FACTORY[random.below(FACTORY.len() as u64) as usize];
        let text = mutated(text, &mut random);
        match Preset::parse(&text) {
            Ok(preset) => {
                read += 1;
                check(&preset, &mut random);
                // What is not known is not lost.
                let before: serde_json::Value =
                    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
                let mut after: serde_json::Value = serde_json::from_str(&preset.to_text()).unwrap();
                if before.get("zeitgeber").is_none() {
                    after.as_object_mut().unwrap().shift_remove("zeitgeber");
                }
                assert_eq!(before, after);
                if round % 20 == 0 {
                    play(&mut engine, &mut deck, &preset, &mut random);
                }
            }
            Err(problem) => {
                let line = problem.to_string();
                assert!(!line.is_empty() && line.len() < 800, "{line}");
            }
        }
    }
    println!("{read} of {} presets were sound", rounds());
    assert!(read > 0);
}

#[test]
fn protocols_in_a_storm() {
    let mut random = Random(12);
    let mut engine = Engine::new(48_000.0).unwrap();
    let mut deck = engine.take_deck().unwrap();
    let ids: Vec<ControlId> = ControlId::all().collect();
    let mut read = 0;
    for round in 0..rounds() {
        let mut at = 0.0;
        let rows: Vec<String> = (0..1 + random.below(12))
            .map(|_| {
                at += random.below(4) as f64 * 0.37;
                let mut row = format!("{{\"at\": {at}");
                for _ in 0..random.below(4) {
                    let control = ids[random.below(ids.len() as u64) as usize].control();
                    let (min, max) = control.range();
                    let value = min + (max - min) * random.below(1001) as f64 / 1000.0;
                    let text = match control.values {
                        zeitgeber::engine::controls::Values::Number { .. } => format!("{value}"),
                        _ => format!("\"{}\"", control.format(value)),
                    };
                    row += &format!(", \"{}\": {text}", control.id);
                }
                let curve = ["step", "linear", "exponential", "smooth"][random.below(4) as usize];
                row + &format!(", \"curve\": \"{curve}\"}}")
            })
            .collect();
        let glide = random.below(100) as f64 / 10.0;
        let text = format!(
            "{{\"zeitgeber\": 1, \"params\": {{\"glide\": {glide}, \"l1_kind\": \"binaural\"}}, \"protocol\": [{}]}}",
            rows.join(",")
        );
        match Preset::parse(&text) {
            Ok(preset) => {
                read += 1;
                check(&preset, &mut random);
                if round % 20 == 0 {
                    play(&mut engine, &mut deck, &preset, &mut random);
                }
            }
            Err(problem) => assert!(problem.to_string().len() < 1200, "{problem}"),
        }
    }
    println!("{read} of {} protocols were sound", rounds());
    assert!(read > 0);
}

#[test]
fn sequences_and_schedules_in_a_storm() {
    let mut random = Random(13);
    let mut read = 0;
    for _ in 0..rounds() {
        let text = match random.below(SEQUENCES.len() as u64 + 2) as usize {
            n if n < SEQUENCES.len() => SEQUENCES[n],
            _ => SCHEDULE,
        };
        let text = mutated(text, &mut random);
        match import_text(&text, "storm") {
            Ok(imported) => {
                read += 1;
                check(&imported.preset, &mut random);
                assert!(imported.report.len() <= 60);
            }
            Err((_, message)) => assert!(!message.is_empty() && message.len() < 1200, "{message}"),
        }
    }
    println!("{read} of {} sequences and schedules were sound", rounds());
    assert!(read > 0);
}

#[test]
fn noise_is_refused() {
    let mut random = Random(14);
    for _ in 0..rounds() {
        let text: String = (0..random.below(200))
            .map(|_| char::from_u32(random.below(0x300) as u32).unwrap_or(' '))
            .collect();
        if let Ok(imported) = import_text(&text, "noise") {
            check(&imported.preset, &mut random);
        }
    }
}
