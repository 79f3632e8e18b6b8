//! SOFA files in all forms in which libraries write them (tests/data/sofa/make.py made them): each is read to the
//! last number, or refused with a reason; damaged ones never do harm.

mod common;

use common::Random;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeitgeber::hrtf::{HrtfError, Progress, Raw, sofa};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sofa");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sofa"))
        .collect();
    files.sort();
    assert!(files.len() > 30);
    files
}

fn name(file: &Path) -> &str {
    file.file_stem().unwrap().to_str().unwrap()
}

fn named(wanted: &str) -> PathBuf {
    let mut files = files().into_iter();
    files.find(|file| name(file) == wanted).unwrap()
}

/// What make.py writes.
fn number(measurement: usize, ear: usize, frame: usize) -> f32 {
    ((131 * measurement + 37 * ear + 17 * frame) % 201) as f32 / 128.0 - 100.0 / 128.0
}

fn assert_numbers(name: &str, raw: &Raw) {
    let scale = if name.starts_with("whole") {
        128.0
    } else {
        1.0
    };
    for measurement in 0..raw.positions.len() {
        for ear in 0..2 {
            for (frame, x) in raw.response(measurement, ear).iter().enumerate() {
                let due = scale * number(measurement, ear, frame);
                assert_eq!(*x, due, "{name}: {measurement} {ear} {frame}");
            }
        }
    }
}

#[test]
fn every_form_is_read_to_the_last_number() {
    let mut read = 0;
    for file in files() {
        let name = name(&file);
        if name.starts_with("refused") || name == "turned" {
            continue;
        }
        let raw = sofa::read(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_numbers(name, &raw);
        assert_eq!(raw.rate, 48_000.0, "{name}");
        assert_eq!(raw.about.title, "Forms", "{name}");
        assert_eq!(raw.about.author, "Jörg Å. <nobody@example.org>", "{name}");
        assert_eq!(raw.about.convention, "SimpleFreeFieldHRIR 1.0", "{name}");
        let count = raw.positions.len();
        for (k, place) in raw.positions.iter().enumerate() {
            let due = [
                k as f64 * 360.0 / count as f64,
                (k * 7 % 91) as f64 - 40.0,
                1.5,
            ];
            let near = place.iter().zip(due).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(near, "{name}: {place:?} {due:?}");
        }
        let delay = if name == "unwritten_delay" { 2.5 } else { 0.0 };
        assert!(raw.delays.iter().flatten().all(|x| *x == delay), "{name}");
        assert_eq!(raw.delays.len(), count, "{name}");
        read += 1;
    }
    println!("{read} forms read");
    assert!(read >= 28);
}

#[test]
fn places_are_as_the_listener_sees_them_and_ears_are_where_they_are() {
    let raw = sofa::read(&named("turned")).unwrap();
    let due = [[180.0, 0.0, 2.0], [90.0, 0.0, 2.0], [-90.0, 0.0, 2.0]];
    for (place, due) in raw.positions.iter().zip(due) {
        let turn = (place[0] - due[0]).rem_euclid(360.0);
        let near = turn.min(360.0 - turn) < 1e-9 && (place[1] - due[1]).abs() < 1e-9;
        assert!(
            near && (place[2] - due[2]).abs() < 1e-9,
            "{place:?} {due:?}"
        );
    }
    assert!((raw.positions[3][1] - 90.0).abs() < 1e-9);
    // The file's first receiver is on the right.
    assert_eq!(raw.response(2, 0)[5], number(2, 1, 5));
    assert_eq!(raw.response(2, 1)[5], number(2, 0, 5));
    assert_eq!(raw.delays[3], [8.0, 7.0]);
}

#[test]
fn what_is_refused_says_why() {
    for (form, says) in [
        ("lzf", "HDF5 filter 32000"),
        ("scale", "scale-offset"),
        ("kind", "SingleRoomDRIR"),
        ("classic", "does not begin as one"),
    ] {
        let file = named(&format!("refused_{form}"));
        let error = sofa::read(&file).unwrap_err().to_string();
        assert!(
            error.contains(says) && error.contains(name(&file)),
            "{error}"
        );
    }
    let bytes = fs::read(named("h5py")).unwrap();
    let cut = sofa::parse(&bytes[..10_000], Path::new("cut"), &Progress::new());
    let said = cut.unwrap_err().to_string();
    assert!(
        said.contains(&format!("10000 of {} bytes", bytes.len())),
        "{said}"
    );
    let progress = Progress::new();
    progress.cancel();
    let packed = fs::read(named("h5py_packed")).unwrap();
    let cancelled = sofa::parse(&packed, Path::new("c"), &progress);
    assert_eq!(cancelled, Err(HrtfError::Cancelled));
}

#[test]
fn damaged_ones_end_in_time_whatever_they_say() {
    let files: Vec<Vec<u8>> = files().iter().map(|file| fs::read(file).unwrap()).collect();
    let mut random = Random(5);
    let (start, mut slowest) = (Instant::now(), Duration::ZERO);
    let (mut read, mut refused) = (0, 0);
    for round in 0..60_000 {
        let mut bytes = files[round % files.len()].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(5) {
                0 => bytes[at] = 0,
                1 => bytes[at] = 255,
                2 => bytes[at] ^= 1 << random.below(8),
                // A word of all bits, of one, or of another place: lengths and addresses.
                kind => {
                    let at = at & !7;
                    let word: [u8; 8] = match (kind, random.below(3)) {
                        (3, 0) => [255; 8],
                        (3, 1) => (1u64 << random.below(64)).to_le_bytes(),
                        _ => random.below(bytes.len() as u64).to_le_bytes(),
                    };
                    if let Some(place) = bytes.get_mut(at..at + 8) {
                        place.copy_from_slice(&word);
                    }
                }
            }
        }
        let began = Instant::now();
        match sofa::parse(&bytes, Path::new("damaged.sofa"), &Progress::new()) {
            Ok(raw) => {
                raw.check().unwrap();
                read += 1;
            }
            Err(error) => {
                assert!(error.to_string().len() > 20);
                refused += 1;
            }
        }
        slowest = slowest.max(began.elapsed());
        if start.elapsed() > Duration::from_secs(10) {
            break;
        }
    }
    println!("{read} read, {refused} refused; the slowest took {slowest:.0?}");
    assert!(read > 100 && refused > 100 && slowest < Duration::from_secs(20));
}
