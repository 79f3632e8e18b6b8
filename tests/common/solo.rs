//! Layer 1 alone at 48 kHz: rendering it and reading its tones and pulses.

use super::{Render, silence};
use std::f64::consts::TAU;
use zeitgeber::analysis::fit;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls as id;

pub const RATE: f64 = 48_000.0;

/// Renders in blocks of 64 at 48 kHz from song position 0, without a fade-in.
pub fn render(settings: &[(ControlId, f64)], seconds: f64) -> [Vec<f32>; 2] {
    let mut all = vec![(id::FADE_IN, 0.0)];
    all.extend_from_slice(settings);
    Render {
        rate: RATE,
        settings: &all,
        events: &[],
        input: silence((seconds * RATE) as usize),
        song: Some(0),
    }
    .run(Some(64))
}

/// Layer 1 of a kind.
pub fn layer(kind: usize) -> Vec<(ControlId, f64)> {
    vec![
        (id::L1_KIND, kind as f64),
        (id::BEAT, 10.0),
        (id::CARRIER, 250.0),
    ]
}

pub fn with(
    mut settings: Vec<(ControlId, f64)>,
    more: &[(ControlId, f64)],
) -> Vec<(ControlId, f64)> {
    settings.extend_from_slice(more);
    settings
}

pub fn tail(signal: &[f32], from: f64) -> &[f32] {
    &signal[(from * RATE) as usize..]
}

pub fn hertz(signal: &[f32], guess: f64) -> f64 {
    fit::fit_refined(tail(signal, 1.0), RATE, guess)
        .unwrap()
        .frequency
}

pub fn peak(signal: &[f32]) -> f64 {
    signal
        .iter()
        .fold(0.0, |peak, x| f64::max(peak, f64::from(x.abs())))
}

/// The envelope of a pulsed tone: the amplitude that multiplies the known carrier, where the carrier is
/// not near a zero.
pub fn envelope(signal: &[f32], carrier: f64) -> Vec<Option<f64>> {
    signal
        .iter()
        .enumerate()
        .map(|(n, x)| {
            let tone = 0.1 * (TAU * (carrier * n as f64 / RATE).fract()).sin();
            (tone.abs() > 0.02).then(|| f64::from(*x) / tone)
        })
        .collect()
}
