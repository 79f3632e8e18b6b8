//! Storms: many instances made, automated and destroyed at once; nothing is left behind.
//!
//! promise: short lives on two threads leave no thread and no descriptor behind
//! promise: random and mutated states are taken as a whole or change nothing

use crate::clap::noise;
use crate::held::Held;
use crate::rig::{Change, Rig, load};
use std::time::Duration;
use zeitgeber::engine::controls::{BEAT, CARRIER, L1_KIND};

const ROUNDS: usize = 150;

/// Rounds of a whole life, one after the other.
fn storm() {
    let entry = load();
    let input = noise(512);
    let mut saved = Vec::new();
    for round in 0..ROUNDS {
        let mut rig = Rig::new(&entry);
        if !saved.is_empty() {
            assert!(rig.load(&saved));
        }
        let rate = [44_100.0, 48_000.0, 96_000.0][round % 3];
        if let Some(mut running) = rig.start(rate) {
            let changes: Vec<Change> = (0..512)
                .step_by(1 + round % 9)
                .flat_map(|at| {
                    [
                        (at, BEAT, (at % 97) as f64),
                        (at, CARRIER, 100.0 + at as f64),
                        (at, L1_KIND, (at % 2) as f64),
                    ]
                })
                .collect();
            let output = running.render(&input, &[64, 1, 200], &changes, |_| None);
            assert!(output.iter().flatten().all(|sample| sample.is_finite()));
        }
        if round % 5 == 0 {
            // Started and stopped again, at another rate.
            drop(rig.start(88_200.0));
        }
        saved = rig.save();
    }
}

#[test]
fn two_threads_of_short_lives() {
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(storm);
        }
    });
}

/// Run by itself in a process of its own (below), where no other test has instances.
#[test]
#[ignore = "run by nothing_is_left_behind"]
fn counted_storm() {
    // The first time loads the library and whatever it keeps.
    drop(Rig::new(&load()));
    let before = Held::settled();
    two_threads_of_short_lives();
    before.awaited();
}

#[test]
fn nothing_is_left_behind() {
    let test = std::env::current_exe().expect("a test knows its own path");
    let mut command = std::process::Command::new(test);
    command.args([
        "--exact",
        "storm::counted_storm",
        "--ignored",
        "--nocapture",
    ]);
    let output = crate::library::run(&mut command, Duration::from_secs(300));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// One thing wrong with a state's text, or some.
fn mutated(text: &str, random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    const PIECES: &[&str] = &[
        "null",
        "NaN",
        "1e39",
        "-1e39",
        "[]",
        "{}",
        "\"",
        "{\"f32\":3.5}",
        "{\"i32\":2147483647}",
        "{\"bool\":true}",
        "\\u0000",
        ",",
        ":",
        "}",
        "{\"f32\":null}",
        "\"protocol\":\"[{\\\"at\\\":0,\\\"beat\\\":20}]\",",
        "\"hrtf\":\"{\\\"path\\\":\\\"/dev/zero\\\"}\",",
        "\"midi\":\"{\\\"entries\\\":[{}]}\",",
        "\"state_version\":\"99\",",
        "\u{1F3B5}",
    ];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random(4) {
        let at = random(bytes.len() + 1);
        match random(5) {
            0 => bytes.truncate(at),
            1 => {
                let end = (at + random(60)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => {
                let piece = PIECES[random(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
            3 => {
                // In the place of a value.
                if let Some(colon) = bytes[at..].iter().position(|x| *x == b':') {
                    let start = at + colon + 1;
                    let end = bytes[start..]
                        .iter()
                        .position(|x| *x == b',')
                        .map_or(bytes.len(), |comma| start + comma);
                    bytes.splice(start..end, PIECES[random(PIECES.len())].bytes());
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random(8);
                }
            }
        }
    }
    bytes
}

/// A state is taken as a whole or changes nothing; what has been taken is saved and taken again.
#[test]
fn states_in_a_storm() {
    use crate::raw::{Instance, Library, STEREO, framed, with_fields};
    let rounds = std::env::var("ZEITGEBER_STORM").ok();
    let rounds: usize = rounds.and_then(|text| text.parse().ok()).unwrap_or(400);
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move |most: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as usize % most.max(1)
    };
    let library = Library::open();
    let (instance, other) = (
        Instance::of(&library, STEREO),
        Instance::of(&library, STEREO),
    );
    let plain = instance.save();
    let full = with_fields(
        &plain,
        &[(
            "protocol",
            r#"[{"at":0,"beat":20},{"at":60,"beat":4}]"#.to_owned(),
        )],
    );
    let mut states = vec![plain.clone(), full];
    for name in ["state-1.json", "state-2.json"] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        states.push(framed(std::fs::read(file.join(name)).expect("a fixture")));
    }
    assert!(instance.start(48_000.0, 256) && other.start(48_000.0, 256));
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..rounds {
        let state = &states[random(states.len())];
        let text = std::str::from_utf8(&state[8..]).expect("JSON");
        let before = instance.save();
        instance.load(&framed(mutated(text, &mut random)));
        let mut buffers = vec![vec![0.1f32; 256]; 2];
        assert_ne!(instance.process(&mut buffers, 2, 256, &[], None), 0);
        assert!(buffers.iter().flatten().all(|x| x.is_finite()));
        let after = instance.save();
        if after == before {
            refused += 1;
        } else {
            taken += 1;
            // It is sound: another instance takes it as it is.
            other.load(&plain);
            assert!(other.load(&after));
            assert_eq!(
                String::from_utf8(other.save()),
                String::from_utf8(after),
                "what it has saved is not what another loads"
            );
        }
        if random(4) == 0 {
            assert!(instance.load(&plain));
        }
    }
    instance.stop();
    other.stop();
    println!("{taken} states were taken, {refused} changed nothing");
    assert!(taken > 0 && refused > 0);
}
