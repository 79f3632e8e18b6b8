//! Sets of head-related responses: what is prepared is what was measured, and right where nothing was.

mod common;
#[path = "hrtf/measure.rs"]
mod measure;
#[path = "hrtf/synthetic.rs"]
mod synthetic;

use common::figure;
use measure::{Measured, decibels, loudness, pair, time_difference};
use std::path::Path;
use std::time::Instant;
use zeitgeber::hrtf::{self, Aligned, Options, Progress};

/// The bars of ACCEPTANCE.md.
const HELD_OUT_BAR: (f64, f64) = (1.15, 1.5); // dB, us
const MEASURED_BAR: f64 = 0.1; // dB
const LEVEL_BAR: f64 = 0.1; // dB
const LOUDNESS_BAR: f64 = 1.0; // LU

const OFF: Options = Options { equalise: false };

fn kemar() -> Aligned {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
    let raw = hrtf::sofa::read(&file).unwrap();
    hrtf::align(&raw, &Progress::new(), [0.0, 1.0]).unwrap()
}

fn prepared(aligned: &Aligned, rate: f64, options: Options) -> zeitgeber::dsp::hrir::Hrirs {
    hrtf::finish(aligned, rate, options, &Progress::new(), [0.0, 1.0]).unwrap()
}

/// Odd-indexed azimuths of every ring with at least 4 directions.
fn held_out(aligned: &Aligned) -> Vec<bool> {
    let mut held = vec![false; aligned.directions.len()];
    for (index, [azimuth, elevation]) in aligned.directions.iter().enumerate() {
        let ring = aligned
            .directions
            .iter()
            .filter(|d| (d[1] - elevation).abs() < 0.01);
        let before = ring.clone().filter(|d| d[0] < *azimuth).count();
        held[index] = ring.count() >= 4 && before % 2 == 1;
    }
    held
}

#[test]
fn directions_that_are_held_out() {
    let full = kemar();
    assert!(full.symmetric);
    let held = held_out(&full);
    assert_eq!(held.iter().filter(|held| **held).count(), 354);
    let half = full.without(|index| held[index]);
    // Its ring at 50 degrees has an odd number of directions, so it mirrors itself no more: what was held
    // out is not known from the other ear.
    assert!(!half.symmetric);
    let mut worst = (0.0_f64, 0.0_f64);
    let mut text = Vec::new();
    for rate in [44_100.0, 48_000.0] {
        let hrirs = prepared(&half, rate, OFF);
        let found = Measured::against(&full, &hrirs, |index| held[index], |index| !held[index]);
        text.push(format!(
            "{:.3} dB / {:.2} us at {rate} Hz",
            found.lsd, found.itd
        ));
        worst = (worst.0.max(found.lsd), worst.1.max(found.itd));
    }
    figure(
        "60 HRTF: directions held out of KEMAR, log-spectral distance and ITD error, means",
        "<= 1.15 dB / <= 1.5 us",
        &text.join(", "),
    );
    assert!(
        worst.0 <= HELD_OUT_BAR.0 && worst.1 <= HELD_OUT_BAR.1,
        "{worst:?}"
    );
}

#[test]
fn directions_that_were_measured() {
    let full = kemar();
    let mut text = Vec::new();
    let mut worst = 0.0_f64;
    for rate in [44_100.0, 48_000.0] {
        let hrirs = prepared(&full, rate, OFF);
        let found = Measured::against(&full, &hrirs, |_| true, |_| true);
        text.push(format!(
            "{:.4} dB (worst {:.3}) / {:.2} us at {rate} Hz",
            found.lsd, found.worst, found.itd
        ));
        worst = worst.max(found.lsd);
        assert!(found.itd < 0.5);
    }
    figure(
        "61 HRTF: measured directions reproduced, log-spectral distance and ITD error, means",
        "<= 0.1 dB",
        &text.join(", "),
    );
    assert!(worst <= MEASURED_BAR, "{worst}");
}

/// Prints how long preparing takes; asserts nothing. Run it alone, on a machine that does nothing else.
#[test]
#[ignore = "a measurement of time"]
fn how_long_preparing_takes() {
    let kemar = hrtf::default_set().unwrap();
    for rate in [44_100.0, 48_000.0, 96_000.0, 384_000.0] {
        let times: Vec<f64> = (0..5)
            .map(|_| {
                let start = Instant::now();
                prepared(&kemar, rate, Options::default());
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        println!("default set at {rate} Hz: {times:.0?} ms");
    }
}
