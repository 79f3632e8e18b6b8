//! Files that are no sets, or broken ones: each is refused with a reason, or read for what it is.
//!
//! promise: mutated and cut SOFA files are refused with a reason or read for what they are, in bounded time

mod common;
#[path = "hrtf/synthetic.rs"]
mod synthetic;

use common::Random;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synthetic::{Sphere, even};
use zeitgeber::hrtf::{self, HrtfError, Options, Progress, Raw, Source, load, sofa};

fn asset() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa")
}

fn said(error: &HrtfError) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n') && text.len() > 20, "{text}");
    text
}

#[test]
fn the_default_file_is_read() {
    let raw = sofa::read(&asset()).unwrap();
    assert_eq!(
        (raw.positions.len(), raw.taps, raw.rate),
        (710, 512, 44_100.0)
    );
    assert_eq!(raw.about.convention, "SimpleFreeFieldHRIR 1.0");
    assert_eq!(raw.about.title, "MIT KEMAR, normal pinna");
    assert_eq!(raw.positions[1][1], -40.0);
    assert!(raw.responses.iter().all(|x| x.abs() < 2.0));
}

#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let error = sofa::read(folder.path()).unwrap_err();
    assert!(matches!(error, HrtfError::NotAFile { .. }), "{error}");
    let error = sofa::read(&path("nowhere.sofa")).unwrap_err();
    assert!(
        said(&error).contains("nowhere.sofa: cannot be read"),
        "{error}"
    );
    for (name, bytes) in [
        ("empty.sofa", &b""[..]),
        ("text.sofa", b"this is no SOFA file"),
        ("head.sofa", b"\x89HDF\r\n\x1a\n"),
        ("wave.sofa", b"RIFF\x24\0\0\0WAVEfmt "),
    ] {
        fs::write(path(name), bytes).unwrap();
        let error = sofa::read(&path(name)).unwrap_err();
        assert!(said(&error).contains(name), "{error}");
        assert!(matches!(error, HrtfError::NotSofa { .. }), "{error}");
    }
    // A gigabyte of nothing is refused before it is read.
    let large = fs::File::create(path("large.sofa")).unwrap();
    large.set_len(1_000_000_000).unwrap();
    let start = Instant::now();
    let error = sofa::read(&path("large.sofa")).unwrap_err();
    assert!(said(&error).contains("holds 1000 MB"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_file_that_is_cut_off() {
    let bytes = fs::read(asset()).unwrap();
    let mut random = Random(3);
    let lengths = (0..400).chain((0..400).map(|_| random.below(bytes.len() as u64) as usize));
    for length in lengths {
        let error =
            sofa::parse(&bytes[..length], Path::new("cut.sofa"), &Progress::new()).unwrap_err();
        assert!(
            matches!(error, HrtfError::NotSofa { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_file_that_is_damaged() {
    let bytes = fs::read(asset()).unwrap();
    let mut random = Random(1);
    let start = Instant::now();
    let (mut read, mut refused) = (0, 0);
    // As many as half a minute allows, and at most some thousands; the structure lies at both ends of the file.
    for round in 0..4000 {
        if start.elapsed() > Duration::from_secs(30) {
            break;
        }
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(8) {
            let span = match round % 3 {
                0 => 4096,
                1 => 65_536,
                _ => damaged.len() as u64,
            };
            let mut at = random.below(span) as usize;
            if random.below(2) == 0 {
                at = damaged.len() - 1 - at;
            }
            damaged[at] = match random.below(4) {
                0 => 0,
                1 => 255,
                _ => damaged[at] ^ (1 << random.below(8)),
            };
        }
        match sofa::parse(&damaged, Path::new("damaged.sofa"), &Progress::new()) {
            Ok(raw) => {
                raw.check().unwrap();
                read += 1;
            }
            Err(error) => {
                said(&error);
                refused += 1;
            }
        }
    }
    println!("{read} read, {refused} refused in {:.0?}", start.elapsed());
    assert!(read > 0 && refused > 0);
}

/// The small files in `tests/data/sofa`, of every storage there is: here the structure is most of a file.
#[test]
fn small_files_that_are_damaged() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sofa");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "sofa"))
        .collect();
    files.sort();
    let asked = std::env::var("ZEITGEBER_STORM").ok();
    let rounds: usize = asked.and_then(|text| text.parse().ok()).unwrap_or(3000);
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut random = Random(5);
    let (mut read, mut refused) = (0, 0);
    for round in 0..rounds {
        let mut damaged = bytes[round % bytes.len()].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(damaged.len() as u64) as usize;
            match random.below(6) {
                0 => damaged[at] = 0,
                1 => damaged[at] = 255,
                2 => damaged[at] = damaged[at].wrapping_add(1),
                // A length or an address that is another one's.
                3 => {
                    let from = random.below(damaged.len() as u64) as usize & !7;
                    let end = (from + 8).min(damaged.len()).min(from + damaged.len() - at);
                    let piece = damaged[from..end].to_vec();
                    damaged[at..at + piece.len()].copy_from_slice(&piece);
                }
                4 if round % 7 == 0 => damaged.truncate(at.max(1)),
                _ => damaged[at] ^= 1 << random.below(8),
            }
        }
        match sofa::parse(&damaged, Path::new("damaged.sofa"), &Progress::new()) {
            Ok(raw) => {
                raw.check().unwrap();
                read += 1;
            }
            Err(error) => {
                said(&error);
                refused += 1;
            }
        }
    }
    println!("{read} small files read, {refused} refused");
    assert!(read > 0 && refused > 0);
}

#[test]
fn numbers_that_make_no_set() {
    let good = Sphere {
        rate: 48_000.0,
        taps: 64,
        delays: true,
    }
    .raw(&even(20));
    let prepare = |raw: &Raw| hrtf::prepare(raw, 48_000.0, Options::default(), &Progress::new());
    assert!(prepare(&good).is_ok());
    type Damage = fn(&mut Raw);
    let cases: &[(&str, Damage)] = &[
        ("0 responses", |raw| {
            raw.positions.clear();
            raw.responses.clear();
            raw.delays.clear();
        }),
        ("of 0 samples", |raw| {
            raw.taps = 0;
            raw.responses.clear();
        }),
        ("should be", |raw| raw.taps = usize::MAX),
        ("should be", |raw| raw.responses.truncate(100)),
        ("NaN", |raw| raw.responses[77] = f32::NAN),
        ("inf", |raw| raw.responses[77] = f32::INFINITY),
        ("finite", |raw| raw.responses[77] = 1e30),
        ("silent", |raw| raw.responses.fill(0.0)),
        ("sample rate", |raw| raw.rate = 0.0),
        ("sample rate", |raw| raw.rate = f64::NAN),
        ("sample rate", |raw| raw.rate = 1e9),
        ("no place", |raw| raw.positions[3] = [f64::NAN, 0.0, 1.0]),
        ("no place", |raw| raw.positions[3] = [0.0, 120.0, 1.0]),
        ("no place", |raw| raw.positions[3] = [0.0, 0.0, 0.0]),
        ("delays", |raw| raw.delays.truncate(7)),
        ("delayed", |raw| raw.delays[4][1] = f64::INFINITY),
    ];
    for (says, damage) in cases {
        let mut raw = good.clone();
        damage(&mut raw);
        let error = prepare(&raw).unwrap_err();
        assert!(said(&error).contains(says), "{says}: {error}");
    }
    for rate in [0.0, 7999.0, 1e6, f64::NAN] {
        let error = hrtf::prepare(&good, rate, Options::default(), &Progress::new()).unwrap_err();
        assert!(matches!(error, HrtfError::Rate { .. }), "{error}");
    }
}

#[test]
fn a_set_that_is_odd_is_prepared_all_the_same() {
    let directions = even(60);
    let good = Sphere {
        rate: 48_000.0,
        taps: 200,
        delays: false,
    }
    .raw(&directions);
    type Oddity = fn(&mut Raw);
    let cases: &[(&str, Oddity)] = &[
        ("all in one direction", |raw| {
            raw.positions.fill([20.0, 10.0, 1.0])
        }),
        ("one silent", |raw| raw.responses[..400].fill(0.0)),
        ("very quiet", |raw| {
            raw.responses.iter_mut().for_each(|x| *x *= 1e-12)
        }),
        ("noise", |raw| {
            let mut random = Random(9);
            raw.responses.iter_mut().for_each(|x| *x = random.sample());
        }),
        ("constant", |raw| raw.responses.fill(0.5)),
        ("two distances", |raw| {
            raw.positions.iter_mut().skip(35).for_each(|p| p[2] = 0.4);
        }),
        ("a second late", |raw| {
            raw.delays = vec![[48_000.0, 48_000.0]; 60]
        }),
        ("azimuths below 0", |raw| {
            raw.positions.iter_mut().for_each(|p| p[0] -= 360.0);
        }),
    ];
    for (name, oddity) in cases {
        let mut raw = good.clone();
        oddity(&mut raw);
        let hrirs = hrtf::prepare(&raw, 44_100.0, Options::default(), &Progress::new()).unwrap();
        assert!(
            hrirs
                .filters
                .iter()
                .chain(&hrirs.itd)
                .all(|x| x.is_finite()),
            "{name}"
        );
        let loudest = hrirs
            .filters
            .iter()
            .fold(0.0_f32, |max, x| max.max(x.abs()));
        assert!((0.05..20.0).contains(&loudest), "{name}: {loudest}");
        let widest = hrirs.itd.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        assert!(widest < 0.002 * 44_100.0, "{name}: {widest}");
    }
}

#[test]
fn the_same_content_is_shared_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let copies = ["a.sofa", "b.sofa"].map(|name| {
        let path = folder.path().join(name);
        fs::copy(asset(), &path).unwrap();
        Source::File(path)
    });
    let ask = |source: &Source| load(source, 16_000.0, Options::default(), &Progress::new());
    let [a, b] = copies.each_ref().map(|source| ask(source).unwrap());
    assert!(std::sync::Arc::ptr_eq(&a, &b));
    assert_eq!(a.info.hash.len(), 32);
    assert_eq!(a.info.measured, 710);
    let default = ask(&Source::Default).unwrap();
    assert_ne!(default.info.hash, a.info.hash);
    fs::write(folder.path().join("a.sofa"), "no more").unwrap();
    assert!(ask(&copies[0]).is_err());
}
