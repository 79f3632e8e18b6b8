//! Random and mutated presets, protocols, sequences, schedules, graphs and node descriptors: whatever a file holds, it
//! is refused with a message or read without loss, and what it makes can be played.
//!
//! promise: random and mutated presets, protocols, .sbg, Gnaural schedules, graphs and node descriptors are refused with a message or played
//!
//! `cargo xtask fuzz` runs a million of each, and of those for SOFA files, OSC packets and states.

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

/// Graphs that are sound, of every kind of node that a file can name.
fn graphs() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus/graph");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect()
}

#[test]
fn graphs_in_a_storm() {
    let mut random = Random(15);
    let graphs = graphs();
    let names: Vec<String> = zeitgeber::node::registry()
        .infos()
        .iter()
        .map(|info| info.name.clone())
        .collect();
    let (mut read, mut played) = (0, 0);
    for _ in 0..rounds() {
        let mut text = graphs[random.below(graphs.len() as u64) as usize].clone();
        // Another node in the place of one, or a word of it anywhere.
        if random.below(2) == 0 {
            let name = &names[random.below(names.len() as u64) as usize];
            text = text.replacen("gain", name, 1 + random.below(2) as usize);
        }
        if random.below(4) > 0 {
            text = mutated(&text, &mut random);
        }
        match zeitgeber::graph::Graph::from_json(&text) {
            Ok(graph) => {
                read += 1;
                let Ok(mut run) = graph.compile(48_000.0, 64) else {
                    continue;
                };
                // What is written is read as the same.
                let written = run.to_json().to_string();
                let again = zeitgeber::graph::Graph::from_json(&written)
                    .unwrap_or_else(|error| panic!("{error}: {written}"));
                let again = again.compile(48_000.0, 64).unwrap();
                assert_eq!(again.to_json(), run.to_json());
                let (inputs, outputs) = (run.inputs(), run.outputs());
                if read % 2 != 0 {
                    continue;
                }
                played += 1;
                let input = vec![common::bursts(200, 3); inputs];
                let mut output = vec![vec![0.0; 200]; outputs];
                let ins: Vec<&[f32]> = input.iter().map(Vec::as_slice).collect();
                let mut outs: Vec<&mut [f32]> = output.iter_mut().map(Vec::as_mut_slice).collect();
                run.process(&ins, &mut outs);
            }
            Err(error) => {
                let line = error.to_string();
                assert!(!line.is_empty() && line.len() < 1200, "{line}");
            }
        }
    }
    println!(
        "{read} of {} graphs were sound, {played} were played",
        rounds()
    );
    assert!(read > 0 && played > 0);
}

/// `zg_param` and `zg_node_descriptor` of `cpp/node.h`, as somebody else's compiler lays them out.
#[repr(C)]
struct RawParam {
    texts: [*const std::ffi::c_char; 3],
    numbers: [f64; 4],
    scale: u32,
    kind: u32,
}

#[repr(C)]
struct RawDescriptor {
    numbers: [u32; 4],
    texts: [*const std::ffi::c_char; 5],
    param_count: u32,
    params: *const RawParam,
    functions: [*const std::ffi::c_void; 8],
}

unsafe extern "C" fn never() {
    panic!("a descriptor that is only looked at was called");
}

#[test]
fn node_descriptors_in_a_storm() {
    use std::ffi::CString;
    use zeitgeber::node::foreign::ForeignKind;
    let mut random = Random(16);
    const TEXTS: &[&str] = &[
        "",
        "gain",
        "program: stereo, key: mono",
        "bed: ambisonic 3",
        "left:245, right:255",
        ":::,,,",
        "a: 4294967296, b: -1",
        "x: stereo, x: stereo",
        "left:NaN",
        "left:1e999",
        "\u{1F3B5}",
        "Hz",
    ];
    const NUMBERS: &[f64] = &[
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        20_000.0,
    ];
    const COUNTS: &[u32] = &[0, 1, 2, 3, 16, 64, 65, 256, 257, u32::MAX, 1 << 31];
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..rounds() {
        // Some are sound but for one thing.
        let wild = random.below(3) > 0;
        let mut strings: Vec<CString> = Vec::new();
        let mut text = |random: &mut Random, plain: &str, wild: bool| {
            if wild && random.below(8) == 0 {
                return std::ptr::null();
            }
            let mut text = match wild {
                true => TEXTS[random.below(TEXTS.len() as u64) as usize].to_owned(),
                false => plain.to_owned(),
            };
            if wild && random.below(4) == 0 {
                text = mutated(&text, random).replace('\0', "");
            }
            let string = CString::new(text).unwrap();
            let pointer = string.as_ptr();
            strings.push(string);
            pointer
        };
        let count = random.below(4) as usize;
        let params: Vec<RawParam> = (0..count)
            .map(|index| {
                let odd = wild && random.below(2) == 0;
                let mut number = |plain: f64| match odd && random.below(2) == 0 {
                    true => NUMBERS[random.below(NUMBERS.len() as u64) as usize],
                    false => plain,
                };
                let numbers = [number(0.0), number(1.0), number(0.5), number(0.01)];
                RawParam {
                    texts: [
                        text(&mut random, &format!("p{index}"), odd),
                        text(&mut random, "Hz", odd),
                        text(&mut random, "", odd),
                    ],
                    numbers,
                    scale: random.below(if odd { 9 } else { 1 }) as u32,
                    kind: random.below(if odd { 9 } else { 1 }) as u32,
                }
            })
            .collect();
        let mut number = |plain: u32| match wild && random.below(4) == 0 {
            true => COUNTS[random.below(COUNTS.len() as u64) as usize],
            false => plain,
        };
        let numbers = [number(1), number(2), number(2), number(0)];
        // More parameters than there are would be a lie that nobody can see, but for numbers that nobody has.
        let lie = wild && random.below(8) == 0;
        let param_count = if lie { u32::MAX } else { count as u32 };
        let missing = random.below(if wild { 16 } else { 1000 }) as usize;
        let mut functions = [never as *const std::ffi::c_void; 8];
        if let Some(function) = functions.get_mut(missing) {
            *function = std::ptr::null();
        }
        let descriptor = RawDescriptor {
            numbers,
            texts: [
                text(&mut random, "c++", wild),
                text(&mut random, "a node", wild),
                text(&mut random, "", wild),
                text(&mut random, "", wild),
                text(&mut random, "", wild),
            ],
            param_count,
            params: params.as_ptr(),
            functions,
        };
        // SAFETY: strings end in NUL or are null, there are as many parameters as is said or more than is allowed, and
        // no instance is made, so no function is called.
        match unsafe { ForeignKind::new("storm", (&raw const descriptor).cast()) } {
            Ok(kind) => {
                taken += 1;
                let info = kind.info();
                let most = zeitgeber::node::MAX_CHANNELS;
                assert!(info.inputs <= most && info.outputs <= most);
                assert_eq!(info.params.len(), count);
                for param in &info.params {
                    let (low, high) = (param.min, param.max);
                    assert!(
                        low.is_finite() && high.is_finite() && low <= high,
                        "{param:?}"
                    );
                    let shown = param.kind == zeitgeber::node::ParamKind::Readout;
                    assert!(shown || (low..=high).contains(&param.default), "{param:?}");
                }
            }
            Err(error) => {
                refused += 1;
                let line = error.to_string();
                assert!(!line.is_empty() && line.len() < 1200, "{line}");
            }
        }
    }
    println!("{taken} descriptors were sound, {refused} were refused");
    assert!(taken > 0 && refused > 0);
}

#[test]
#[cfg(target_os = "linux")]
fn devices_and_pipes_are_no_presets() {
    use zeitgeber::protocol::{Library, Preset, import};
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.json");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::fs::write(folder.path().join("mine.json"), FACTORY[0].1).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.json")).unwrap();
    // A folder with a pipe in it is listed: nobody waits for its other end.
    let library = Library::at(folder.path());
    let (entries, wrong) = library.list();
    assert!(entries.iter().any(|entry| entry.path.is_some()));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    for device in ["/dev/zero", "/dev/urandom"].map(std::path::Path::new) {
        assert!(Preset::read(device).is_err());
        assert!(import(device).is_err());
    }
}
