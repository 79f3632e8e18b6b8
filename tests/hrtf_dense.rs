//! Sets of very many directions: what they cost is bounded, and what they sound like is what was measured.
//!
//! promise: a SOFA file takes no more memory for all the directions that it says it has, and too many are refused

#[path = "hrtf/measure.rs"]
#[allow(dead_code, reason = "a part of it is enough here")]
mod measure;
#[path = "hrtf/synthetic.rs"]
mod synthetic;
#[path = "hrtf/written.rs"]
mod written;

use measure::{decibels, pair, spectrum};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use synthetic::{Sphere, even, rings};
use written::Written;
use zeitgeber::dsp::hrir::Hrirs;
use zeitgeber::hrtf::{self, HrtfError, Options, Progress, Raw, Source, load, sofa};

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with the bytes that are held and the most that were.
struct Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: they count the same bytes.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `work` makes, and how many more megabytes than before it held at most.
fn megabytes<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let made = work();
    (
        made,
        MOST.load(Ordering::Relaxed).saturating_sub(before) / 1_000_000,
    )
}

fn places(directions: &[[f64; 2]]) -> Vec<f32> {
    let place = |[azimuth, elevation]: &[f64; 2]| [*azimuth as f32, *elevation as f32, 1.0];
    directions.iter().flat_map(place).collect()
}

/// A small file of many directions, each with the same short response.
fn many(count: usize, rate: f32) -> Written {
    let response: Vec<f32> = [0.0, 0.5, 0.25, 0.0].repeat(2 * count);
    Written::new("Many")
        .plain("Data.SamplingRate", &[1], &[rate])
        .plain("SourcePosition", &[count, 3], &places(&even(count)))
        .packed("Data.IR", &[count, 2, 4], &response)
}

#[test]
fn a_small_file_of_very_many_directions_takes_little_memory() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.sofa");
    // The rates of a set and of a host that take most: there are fewer directions then.
    for (count, set, host, bar) in [
        (100_000, 44_100.0, 48_000.0, 300),
        (20_000, 192_000.0, 192_000.0, 600),
    ] {
        many(count, set).write(&file);
        let source = Source::File(file.clone());
        let ask = || load(&source, host, Options::default(), &Progress::new()).unwrap();
        let (set, most) = megabytes(ask);
        println!("{count}: {} used, {most} MB", set.info.measured);
        assert!((3000..12_000).contains(&set.info.measured));
        let notes = set.info.notes.join("\n");
        assert!(
            notes.contains(&format!("holds {count} directions")),
            "{notes}"
        );
        assert!(
            notes.contains(&format!("{} of them", set.info.measured)),
            "{notes}"
        );
        assert!(set.hrirs.filters.iter().all(|x| x.is_finite()));
        assert!(most < bar, "{most} MB");
    }
}

#[test]
fn too_many_are_refused_before_anything_is_unpacked() {
    let _alone = alone();
    let count = 300_001;
    let file = |count: usize| {
        Written::new("Too many")
            .plain("Data.SamplingRate", &[1], &[48_000.0])
            .unstored("SourcePosition", &[count, 3])
            .unstored("Data.IR", &[count, 2, 100])
            .bytes()
    };
    let parse = |bytes: &[u8]| sofa::parse(bytes, Path::new("f.sofa"), &Progress::new());
    let bytes = file(count);
    let (error, most) = megabytes(|| parse(&bytes).unwrap_err().to_string());
    assert!(
        error.contains("f.sofa: holds 300001 measurements; sets of up to 300000"),
        "{error}"
    );
    assert!(most < 2, "{most} MB");
    // One that is made, not read.
    let raw = Raw {
        rate: 48_000.0,
        positions: vec![[0.0, 0.0, 1.0]; count],
        taps: 1,
        responses: vec![1.0; 2 * count],
        ..Raw::default()
    };
    let error = hrtf::align(&raw, &Progress::new(), [0.0, 1.0]).unwrap_err();
    assert!(error.to_string().contains("holds 300001"), "{error}");
    // Numbers that go with a few responses, more than there can be.
    for name in [
        "Data.SamplingRate",
        "SourcePosition",
        "Data.Delay",
        "ReceiverPosition",
    ] {
        let mut written = Written::new("Odd").packed("Data.IR", &[1, 2, 2], &[1.0, 0.0, 1.0, 0.0]);
        for (other, shape) in [
            ("Data.SamplingRate", vec![1]),
            ("SourcePosition", vec![1, 3]),
        ] {
            if other != name {
                let numbers = [48_000.0, 0.0, 1.0];
                written = written.plain(other, &shape, &numbers[..shape.iter().product()]);
            }
        }
        let numbers = vec![1.0; 3_000_000];
        let bytes = written.packed(name, &[1_000_000, 3], &numbers).bytes();
        drop(numbers);
        let (error, most) = megabytes(|| parse(&bytes).unwrap_err().to_string());
        assert!(
            error.contains(name) && error.contains("more than"),
            "{error}"
        );
        assert!(most < 2, "{name}: {most} MB");
    }
    // More than half a gigabyte of responses, however they are stored.
    let bytes = Written::new("Long")
        .plain("Data.SamplingRate", &[1], &[48_000.0])
        .plain("SourcePosition", &[1, 3], &[0.0, 0.0, 1.0])
        .unstored("Data.IR", &[1, 2, 70_000_000])
        .bytes();
    let (error, most) = megabytes(|| parse(&bytes).unwrap_err().to_string());
    assert!(error.contains("larger than 512 MB") && most < 2, "{error}");
}

#[test]
fn whatever_a_file_holds_can_be_stopped() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.sofa");
    many(30_000, 44_100.0).write(&file);
    for stage in [0.0, 0.11, 0.26, 0.4] {
        let progress = Progress::new();
        let canceller = || {
            while progress.fraction() < stage {
                std::thread::yield_now();
            }
            progress.cancel();
        };
        let source = Source::File(file.clone());
        let found = std::thread::scope(|scope| {
            scope.spawn(canceller);
            load(&source, 32_000.0, Options::default(), &progress).err()
        });
        assert_eq!(found, Some(HrtfError::Cancelled), "{stage}");
    }
}

/// Root mean square of the difference of two sets in decibels, 0.2 to 16 kHz, and the largest of their interaural time
/// differences in microseconds.
fn apart(a: &Hrirs, b: &Hrirs) -> (f64, f64) {
    let (mut square, mut bins, mut late) = (0.0, 0.0, 0.0_f64);
    for [azimuth, elevation] in even(150) {
        let [(ours, itd), (theirs, other)] = [a, b].map(|set| pair(set, azimuth, elevation));
        late = late.max((itd - other).abs() * 1e6);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let [ours, theirs] = [ours, theirs].map(|filter| spectrum(filter));
            for k in 19..1486 {
                square += decibels(ours[k].norm_sqr() / theirs[k].norm_sqr()).powi(2);
                bins += 1.0;
            }
        }
    }
    ((square / bins).sqrt(), late)
}

#[test]
fn a_set_that_was_thinned_is_the_set_that_was_measured() {
    let _alone = alone();
    let sphere = Sphere {
        rate: 44_100.0,
        taps: 100,
        delays: false,
    };
    let prepare = |aligned: &hrtf::Aligned| {
        hrtf::finish(
            aligned,
            44_100.0,
            Options::default(),
            &Progress::new(),
            [0.0, 1.0],
        )
        .unwrap()
    };
    let align = |directions: &[[f64; 2]]| {
        hrtf::align(&sphere.raw(directions), &Progress::new(), [0.0, 1.0]).unwrap()
    };
    // One every degree, as simulations have them.
    let dense = align(&rings(1.0, -90.0, 90.0));
    assert!((8000..12_000).contains(&dense.directions.len()));
    // It mirrors itself as it did.
    assert!(dense.symmetric);
    // The same responses, given by themselves.
    let mut same = align(&dense.directions);
    // The rings next to the poles have directions that are one.
    assert!(same.notes.is_empty() && dense.notes.len() == 2);
    same.notes.clone_from(&dense.notes);
    assert!(same == dense);
    // Thinned by hand: every third degree.
    let by_hand = align(&rings(3.0, -90.0, 90.0));
    assert!(by_hand.notes.is_empty() && by_hand.directions.len() == 7082);
    let (lsd, itd) = apart(&prepare(&dense), &prepare(&by_hand));
    println!("thinned against by hand: {lsd:.3} dB, {itd:.2} us");
    // Delays are blended between other rings: the worst of 150 directions is below what is heard.
    assert!(lsd <= 0.1 && itd <= 12.0, "{lsd} dB, {itd} us");
}

#[test]
fn what_a_file_says_of_itself_moves_no_cursor() {
    let _alone = alone();
    let bytes = Written::new("a\u{1b}[31mred\u{9b}2J\nline")
        .plain("Data.SamplingRate", &[1], &[48_000.0])
        .plain("SourcePosition", &[1, 3], &[0.0, 0.0, 1.0])
        .plain("Data.IR", &[1, 2, 2], &[1.0, 0.0, 1.0, 0.0])
        .bytes();
    let raw = sofa::parse(&bytes, Path::new("f.sofa"), &Progress::new()).unwrap();
    assert_eq!(raw.about.title, "a [31mred 2J line");
}
