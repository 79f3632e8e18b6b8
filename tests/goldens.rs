//! Golden samples of every kind of sound: what a refactoring must not change.
//!
//! The references in the other tests say what is right; these say that it stayed so, down to 1e-6. After a
//! change that is meant to be heard, reprint them with `ZEITGEBER_REPRINT_GOLDENS=1 cargo test --test goldens`
//! and look at the difference in the version control.

mod common;

use common::{Render, silence};
use std::fmt::Write;
use std::path::Path;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls as id;

/// Samples of one golden: the first after the fade-in, then every so many.
const FIRST: usize = 2_003;
const STRIDE: usize = 397;
const COUNT: usize = 60;

fn sounds() -> Vec<(String, Vec<(ControlId, f64)>)> {
    let mut sounds = Vec::new();
    let name = |control: ControlId, value: usize| control.control().format(value as f64);
    for kind in 1..=id::LAYER_NOISE {
        for wave in 0..4 {
            if wave > 0 && kind == id::LAYER_NOISE {
                continue;
            }
            let settings = vec![(id::L1_KIND, kind as f64), (id::L1_WAVE, wave as f64)];
            let title = format!("{}-{}", name(id::L1_KIND, kind), name(id::L1_WAVE, wave));
            sounds.push((title, settings));
        }
    }
    for kind in 1..=id::NOISE_BROWN {
        let title = format!("bed-{}", name(id::NOISE_KIND, kind));
        sounds.push((title, vec![(id::NOISE_KIND, kind as f64)]));
    }
    let mut four = Vec::new();
    for (n, layer) in id::LAYER.iter().enumerate() {
        four.extend([
            (layer.kind, (n + 1) as f64),
            (layer.interval, 5.0 * n as f64),
            (layer.ratio, 0.5 + 0.5 * n as f64),
        ]);
    }
    sounds.push(("four-layers".to_owned(), four));
    sounds
}

fn samples(settings: &[(ControlId, f64)]) -> Vec<[f32; 2]> {
    let mut all = vec![(id::FADE_IN, 0.0), (id::BEAT, 6.3), (id::CARRIER, 211.1)];
    all.extend_from_slice(settings);
    let [left, right] = Render {
        rate: 48_000.0,
        settings: &all,
        events: &[],
        input: silence(FIRST + STRIDE * COUNT),
        song: Some(12_345),
    }
    .run(Some(64));
    (0..COUNT)
        .map(|n| [left[FIRST + n * STRIDE], right[FIRST + n * STRIDE]])
        .collect()
}

#[test]
fn every_sound_is_as_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let reprint = std::env::var_os("ZEITGEBER_REPRINT_GOLDENS").is_some();
    for (title, settings) in sounds() {
        let path = folder.join(format!("{title}.txt"));
        let found = samples(&settings);
        assert!(
            found.iter().flatten().any(|x| x.abs() > 1e-3),
            "{title} is silent"
        );
        if reprint {
            let mut text = String::new();
            for [left, right] in &found {
                writeln!(text, "{left:.8e} {right:.8e}").unwrap();
            }
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, text).unwrap();
            continue;
        }
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{title}: {error}"));
        let expected: Vec<f32> = text
            .split_whitespace()
            .map(|x| x.parse().unwrap())
            .collect();
        assert_eq!(expected.len(), 2 * COUNT, "{title}");
        for (n, (found, expected)) in found.iter().flatten().zip(&expected).enumerate() {
            assert!(
                (found - expected).abs() < 1e-6,
                "{title}, value {n}: {found} was {expected}"
            );
        }
    }
}
