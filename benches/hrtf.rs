//! What a source with head-related filters costs, against sofar's renderer in the same run; and what activating a
//! plugin with them costs. `cargo bench --bench hrtf`.
//!
//! Ours: 288 taps (256 at 44.1 kHz), blended and turned anew in every quantum of 32 frames while it moves at
//! 90 degrees a second. sofar's: a still source with the whole filters of its default set, in partitions of
//! 64. Ratios are printed at the end, from the best batch of each: what disturbs a machine only slows down.

#[path = "../tests/common/sphere.rs"]
mod sphere;

use criterion::Criterion;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeitgeber::dsp::binaural::{FilterBank, Move, Renderer, Target};
use zeitgeber::engine::{Engine, Transport, controls};
use zeitgeber::hrtf::{Progress, Source};
use zeitgeber::space::Supplier;

const RATE: f64 = 48_000.0;
const TAPS: usize = 288;
const QUANTUM: usize = 32;

/// Frames that are processed between two looks at the clock.
const FRAMES: usize = 1920;

/// MIT KEMAR: both renderers' default, and where sofar's filters come from.
const KEMAR: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/MIT_KEMAR_normal_pinna.sofa"
);

/// Taps of sofar's filters of that set at 48 kHz.
const KEMAR_TAPS: usize = 558;

/// White noise of -1 to 1.
fn noise(frames: usize) -> Vec<f32> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    (0..frames)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

/// Measures a workload of `FRAMES` frames, and returns the nanoseconds a frame of its best batch.
fn measure(criterion: &mut Criterion, name: &str, mut work: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let mut all = Duration::ZERO;
            for _ in 0..count {
                let start = Instant::now();
                work();
                let took = start.elapsed();
                best = best.min(took);
                all += took;
            }
            all
        });
    });
    best.as_nanos() as f64 / FRAMES as f64
}

/// sofar's renderer, still.
fn theirs(criterion: &mut Criterion, x: &[f32]) -> f64 {
    let mut filter = sofar::filter::Filter::new(KEMAR_TAPS);
    match sofar::reader::OpenOptions::new()
        .sample_rate(RATE as f32)
        .open(KEMAR)
    {
        Ok(set) => {
            filter = sofar::filter::Filter::new(set.filter_len());
            set.filter(1.0, 0.3, 0.1, &mut filter);
        }
        Err(error) => {
            // Its time does not depend on what is in the filters, only on how many taps there are.
            println!("{KEMAR}: {error}; sofar renders {KEMAR_TAPS} taps of noise instead");
            filter.left.copy_from_slice(&noise(KEMAR_TAPS));
            filter.right.copy_from_slice(&noise(KEMAR_TAPS));
        }
    }
    let plan = sofar::render::RendererPlan::builder(filter.left.len())
        .with_partition_len(64)
        .build()
        .expect("sofar takes partitions of 64");
    let mut renderer = sofar::render::Renderer::new(&plan);
    renderer
        .set_filter(&filter)
        .expect("the filter is the plan's");
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    measure(criterion, "sofar, still, block 64", || {
        for block in x.chunks_exact(64) {
            renderer
                .process_block(block, &mut left, &mut right)
                .expect("whole partitions");
        }
        black_box((&left, &right));
    })
}

/// Our renderer, `sources` of them, in blocks.
fn ours(
    criterion: &mut Criterion,
    bank: &Arc<FilterBank>,
    x: &[f32],
    (sources, moves, block, elevation): (usize, bool, usize, f64),
) -> (String, f64) {
    let how = if moves { "moving" } else { "still" };
    let beside = if elevation == 0.0 {
        ""
    } else {
        ", between rings"
    };
    let name = format!("{sources} {how}, block {block}{beside}");
    let mut renderer = Renderer::new(bank.clone(), sources, TAPS);
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    let mut now = 0;
    let best = measure(criterion, &name, || {
        for start in (0..FRAMES).step_by(block) {
            // A block of several quanta is cut where targets are set, as the engine does.
            for at in (start..start + block).step_by(block.min(QUANTUM)) {
                let length = block.min(QUANTUM);
                if moves && at % QUANTUM == 0 {
                    for source in 0..sources {
                        let target = Target {
                            azimuth: 90.0 * (now + at + QUANTUM) as f64 / RATE
                                + 50.0 * source as f64,
                            elevation: elevation + 10.0 * source as f64,
                            ..Target::default()
                        };
                        renderer.set_target(source, target, Move::Glide);
                    }
                }
                let inputs = [&x[at..at + length]; 6];
                renderer.process(
                    &inputs[..sources],
                    &mut left[..length],
                    &mut right[..length],
                );
            }
        }
        now += FRAMES;
        black_box((&left, &right));
    });
    (name, best)
}

/// What a plugin does when a host activates it with space on: an engine, and the embedded set in it.
fn activated() -> (Engine, Supplier) {
    let mut engine = Engine::new(RATE).expect("a rate as any");
    engine.set(controls::SPACE_KIND, controls::SPACE_HRTF as f64);
    let wish = engine.space_wish().expect("space is on");
    let line = engine.take_supply().expect("nobody has taken it");
    let mut supplier = Supplier::new(line, RATE);
    supplier
        .supply(&Source::Default, wish, &Progress::new())
        .expect("the embedded set is whole");
    (engine, supplier)
}

/// Megabytes of this process in memory; none where the system does not tell.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1e3)
}

/// Prints what activating costs: the first instance prepares the set, later ones share it.
fn activation(x: &[f32]) {
    let run = |(mut engine, supplier): (Engine, Supplier)| {
        for block in x.chunks_exact(64) {
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            left.copy_from_slice(block);
            engine.process(&mut left, &mut right, Transport::Absent, &[]);
        }
        (engine, supplier)
    };
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        let instance = activated();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
        drop(instance);
    }
    let first = run(activated());
    let before = resident();
    let start = Instant::now();
    let second = activated();
    let later = start.elapsed().as_secs_f64() * 1e3;
    let second = run(second);
    println!(
        "activate with the default set: {best:.0} ms (best of 5); a second instance {later:.1} ms"
    );
    if let (Some(before), Some(after)) = (before, resident()) {
        println!("memory of the second instance: {:.1} MB", after - before);
    }
    drop((first, second));
}

fn main() {
    activation(&noise(FRAMES));
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500))
        .configure_from_args();
    let bank = Arc::new(FilterBank::new(&sphere::sphere(RATE, TAPS)));
    let x = noise(FRAMES);
    let reference = theirs(&mut criterion, &x);
    let cases = [
        (1, false, 64, 0.0),
        (1, true, 64, 0.0),
        // Four neighbours in place of two.
        (1, true, 64, 1.3),
        (1, true, 32, 0.0),
        (1, true, 1, 0.0),
        (2, true, 64, 0.0),
        (6, true, 64, 0.0),
        (6, false, 64, 0.0),
    ];
    let results = cases.map(|case| ours(&mut criterion, &bank, &x, case));
    // Once more: a machine may have become faster or slower in between.
    let reference = reference.min(theirs(&mut criterion, &x));
    println!("\nsofar, still, block 64: {reference:.2} ns a frame");
    println!("ours                                ns a frame   x sofar   % of a core at 48 kHz");
    for (name, best) in results {
        println!(
            "{name:<34} {best:>11.2} {:>9.2} {:>10.3}",
            best / reference,
            best * RATE * 1e-7
        );
    }
}
