//! Sources with head-related filters, beside sofar's renderer and fft-convolver in the same run.
//!
//! Ours: 288 taps (256 at 44.1 kHz), blended and turned anew in every quantum of 32 frames while it moves at
//! 90 degrees a second. sofar's: a still source with the whole filters of its default set, in partitions of
//! 64. fft-convolver: two still filters of 288 taps in blocks of 64.

use super::clock::{FRAMES, Times, Work, measure, noise, percent};
use crate::common::floor;
use crate::common::sphere::sphere;
use crate::common::workloads::{self, Case, RATE, TAPS};
use std::hint::black_box;
use std::sync::Arc;
use zeitgeber::dsp::binaural::FilterBank;

/// MIT KEMAR: both renderers' default, and where sofar's filters come from.
const KEMAR: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/MIT_KEMAR_normal_pinna.sofa"
);

/// Taps of sofar's filters of that set at 48 kHz.
const KEMAR_TAPS: usize = 558;

/// A filter of sofar's from its default set.
fn filter() -> sofar::filter::Filter {
    match sofar::reader::OpenOptions::new()
        .sample_rate(RATE as f32)
        .open(KEMAR)
    {
        Ok(set) => {
            let mut filter = sofar::filter::Filter::new(set.filter_len());
            set.filter(1.0, 0.3, 0.1, &mut filter);
            filter
        }
        Err(error) => {
            // Its time does not depend on what is in the filters, only on how many taps there are.
            println!("{KEMAR}: {error}; sofar renders {KEMAR_TAPS} taps of noise instead");
            let mut filter = sofar::filter::Filter::new(KEMAR_TAPS);
            filter.left.copy_from_slice(&noise(KEMAR_TAPS, 0));
            filter.right.copy_from_slice(&noise(KEMAR_TAPS, 1));
            filter
        }
    }
}

/// sofar's renderer, still.
fn sofar<'a>(filter: &sofar::filter::Filter, x: &'a [f32]) -> Work<'a> {
    let plan = sofar::render::RendererPlan::builder(filter.left.len())
        .with_partition_len(64)
        .build()
        .expect("sofar takes partitions of 64");
    let mut renderer = sofar::render::Renderer::new(&plan);
    renderer
        .set_filter(filter)
        .expect("the filter is the plan's");
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    Box::new(move || {
        for block in x.chunks_exact(64) {
            renderer
                .process_block(block, &mut left, &mut right)
                .expect("whole partitions");
        }
        black_box((&left, &right));
    })
}

/// fft-convolver, one filter an ear.
fn convolver(x: &[f32]) -> Work<'_> {
    let mut ears = [0, 1].map(|ear| {
        let mut convolver = fft_convolver::FFTConvolver::default();
        convolver
            .init(64, &noise(TAPS, ear))
            .expect("a filter as any");
        convolver
    });
    let mut out = [0.0; 64];
    Box::new(move || {
        for block in x.chunks_exact(64) {
            for ear in &mut ears {
                ear.process(block, &mut out).expect("whole blocks");
                black_box(&out);
            }
        }
    })
}

/// Prints the table.
pub fn table() {
    let bank = Arc::new(FilterBank::new(&sphere(RATE, TAPS)));
    let x = noise(FRAMES, 0);
    let filter = filter();
    let cases: [Case; 12] = [
        (1, false, 64, 0.0),
        (1, true, 64, 0.0),
        // Four neighbours in place of two.
        (1, true, 64, 1.3),
        (1, true, 1, 0.0),
        (1, true, 32, 0.0),
        (2, true, 64, 0.0),
        (4, true, 64, 0.0),
        (6, true, 64, 0.0),
        (8, true, 64, 0.0),
        (16, true, 64, 0.0),
        (16, true, 64, 1.3),
        (16, false, 64, 0.0),
    ];
    println!("\n## Sources with head-related filters\n");
    println!(
        "| what | ns a frame | % of a core | x floor | x sofar, still | x fft-convolver, still |"
    );
    println!("|---|---|---|---|---|---|");
    let row = |name: &str, times: &Times| {
        println!(
            "| {name} | {:.2} | {:.3} | {:.2} | {:.2} | {:.2} |",
            times.of(0),
            percent(times.of(0), RATE),
            times.ratio(0, 1),
            times.ratio(0, 2),
            times.ratio(0, 3)
        );
    };
    for case in cases {
        let (sources, moves, block, elevation) = case;
        let mut works = [
            workloads::sources(&bank, &x, case),
            floor::source(sources, moves),
            sofar(&filter, &x),
            convolver(&x),
        ];
        let how = if moves { "moving" } else { "still" };
        let beside = if elevation == 0.0 {
            ""
        } else {
            ", between rings"
        };
        row(
            &format!("{sources} {how}, block {block}{beside}"),
            &measure(&mut works),
        );
    }
    let mut works = [
        sofar(&filter, &x),
        floor::source(1, false),
        sofar(&filter, &x),
        convolver(&x),
    ];
    row("sofar, 1 still, block 64", &measure(&mut works));
    println!(
        "\nRatios to sofar and fft-convolver are to one still source of theirs, however many ours are. The bar: one \
         moving source in blocks of 64 at most 1.2 x sofar."
    );
}
