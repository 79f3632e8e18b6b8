//! Speed does not get lost. Counts, under callgrind, the instructions that the key workloads of the benches take, and
//! compares them with those of a bare kernel in the same run: no clock, so a busy machine does not matter.
//!
//! promise: no workload of the benches takes clearly more instructions than it did
//!
//! Valgrind knows no AVX-512, so it is the AVX2 path that is counted. `cargo test --test instructions -- --nocapture`
//! prints the table. Without valgrind, or in a build without optimisation, it is skipped and says so.

mod common;

use common::floor::{self, FRAMES, Work};
use common::sphere::sphere;
use common::workloads::{
    RATE, TAPS, bus, chain, decoding, engine, everything, reference, rotation, settings, sources,
};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::Arc;
use zeitgeber::dsp::binaural::FilterBank;

/// By how much a workload may grow over what is written down here before the test fails; compilers differ by some
/// per cent.
const SLACK: f64 = 1.15;

/// Instructions of the workloads over those of the reference kernel: what was counted when this was last edited.
/// Whoever makes something faster lowers its number.
const EXPECTED: [(&str, f64); 10] = [
    ("one source, still, block 64", 2.4),
    ("one source, moving, block 64", 5.48),
    ("one source, moving, block 1", 10.22),
    ("bus of order 3, turning, block 128", 18.94),
    ("bus of order 7, turning, block 128", 67.67),
    ("defaults, block 64", 6.53),
    ("two binaural layers, block 64", 10.16),
    ("reference, block 64", 29.05),
    ("reference, block 1", 175.95),
    ("everything on, block 64", 219.32),
];

/// The kernel that all are compared with: one transform of 64 and products of 18 rows of 32 bins for each 32 frames.
fn kernel() -> Work<'static> {
    floor::work(1, 18)
}

fn workloads<'a>(bank: &Arc<FilterBank>, x: &'a [f32]) -> [Work<'a>; EXPECTED.len()] {
    let turning = |order| bus(vec![rotation(order), decoding(order)], true, order, 128);
    // Without fades: what is counted is what goes on.
    let rests = settings(&[("fade_in", "0")]);
    let layers = settings(&[
        ("fade_in", "0"),
        ("l1_kind", "binaural"),
        ("l2_kind", "binaural"),
    ]);
    [
        sources(bank, x, (1, false, 64, 0.0)),
        sources(bank, x, (1, true, 64, 0.0)),
        sources(bank, x, (1, true, 1, 0.0)),
        turning(3),
        turning(7),
        chain(engine(&rests, RATE), 64),
        chain(engine(&layers, RATE), 64),
        chain(engine(&reference(), RATE), 64),
        chain(engine(&reference(), RATE), 1),
        chain(engine(&everything(), RATE), 64),
    ]
}

/// What callgrind counts: it looks for this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn zeitgeber_counted(work: &mut dyn FnMut()) {
    work();
    black_box(());
}

/// Runs each workload: some frames to warm up, which are not counted, then [`FRAMES`] that are.
#[test]
#[ignore = "what the test below runs under callgrind"]
fn counted() {
    let bank = Arc::new(FilterBank::new(&sphere(RATE, TAPS)));
    let x = common::noise(FRAMES, 0);
    let mut kernel = kernel();
    kernel();
    zeitgeber_counted(&mut kernel);
    for mut work in workloads(&bank, &x) {
        for _ in 0..3 {
            work();
        }
        zeitgeber_counted(&mut work);
    }
}

#[test]
fn workloads_take_no_more_instructions_than_they_did() {
    if env!("ZEITGEBER_OPT_LEVEL") < "2" {
        println!("SKIPPED: this build is not optimised");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let run = Command::new("valgrind")
        .arg("--tool=callgrind")
        .args(["--collect-atstart=no", "--toggle-collect=zeitgeber_counted"])
        .arg("--dump-after=zeitgeber_counted")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "counted", "--ignored", "--test-threads=1"])
        .stdin(Stdio::null())
        .output();
    let run = match run {
        Ok(run) => run,
        Err(error) => {
            println!("SKIPPED: valgrind cannot be run ({error}); install valgrind");
            return;
        }
    };
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "valgrind: {said}");
    // One file a call, numbered from 1; the last one is of the end of the program.
    let count = |number: usize| -> f64 {
        let path = folder.path().join(format!("out.{number}"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}\n{said}", path.display()));
        text.lines()
            .find_map(|line| {
                line.strip_prefix("summary:")
                    .or(line.strip_prefix("totals:"))
            })
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or_else(|| panic!("{} has no sum", path.display()))
    };
    let reference = count(1);
    println!(
        "reference kernel: {:.1} instructions a frame",
        reference / FRAMES as f64
    );
    let mut lost = Vec::new();
    for (index, (name, expected)) in EXPECTED.into_iter().enumerate() {
        let ratio = count(index + 2) / reference;
        println!("{name:<36} {ratio:>8.2} x the kernel (written down: {expected:.2})");
        if ratio > expected * SLACK {
            lost.push(format!(
                "{name}: {ratio:.2} x the kernel, was {expected:.2}"
            ));
        }
        if ratio * SLACK < expected {
            println!("  it has become faster: write {ratio:.2} down in tests/instructions.rs");
        }
    }
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
