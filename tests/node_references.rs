//! Each node against an independent closed form or implementation, never against a recording of itself.

mod common;

use common::{Random, bursts, figure, sine};
use std::f64::consts::{PI, TAU};
use zeitgeber::node::{Node, registry};

const RATE: f64 = 48_000.0;

fn make(name: &str, params: &[(&str, f64)], rate: f64) -> Box<dyn Node> {
    let mut node = registry().create(name).unwrap();
    for (param, value) in params {
        let index = node
            .info()
            .param(param)
            .unwrap_or_else(|| panic!("{name}.{param}"));
        node.set_param(index, *value);
    }
    node.init(rate, 1 << 20).unwrap();
    node
}

fn stereo(node: &mut dyn Node, left: &[f32], right: &[f32]) -> [Vec<f32>; 2] {
    let mut output = [vec![0.0; left.len()], vec![0.0; left.len()]];
    let [out_left, out_right] = output.each_mut().map(Vec::as_mut_slice);
    node.process(&[left, right], &mut [out_left, out_right]);
    output
}

#[test]
fn tone_pair_is_two_sines() {
    let mut node = make("tone_pair", &[], RATE);
    // A phase and an increment of all 64 bits, and a sweep, over more frames than the engine ever gives.
    let (phase, increment, sweep) = (
        0x0123_4567_89AB_CDEFu64,
        0x0157_3919_2222_1111u64,
        -0x1_0000_0000i64,
    );
    node.set_phase(0, phase, increment, sweep);
    node.set_phase(1, !phase, increment.wrapping_neg(), 0);
    let mut output = [vec![0.0f32; 4096], vec![0.0; 4096]];
    let [left, right] = output.each_mut().map(Vec::as_mut_slice);
    node.process(&[], &mut [left, right]);
    let mut worst: f64 = 0.0;
    for k in 0..4096u64 {
        let pairs = (k as i64 * (k as i64 - 1) / 2) as u64;
        let exact = [
            phase
                .wrapping_add(increment.wrapping_mul(k))
                .wrapping_add((sweep as u64).wrapping_mul(pairs)),
            (!phase).wrapping_sub(increment.wrapping_mul(k)),
        ];
        for (ear, exact) in output.iter().zip(exact) {
            let expected = (exact as f64 / 18_446_744_073_709_551_616.0 * TAU).sin();
            // Relative to what an f32 near it can be.
            let step = (expected.abs() as f32).max(1e-3) as f64 * f64::from(f32::EPSILON);
            worst = worst.max((f64::from(ear[k as usize]) - expected).abs() / step);
        }
    }
    assert!(worst <= 0.51, "half a step of f32 is rounding: {worst}");
    figure(
        "14 tone_pair against sin in f64",
        "-",
        &format!("{worst:.2} steps of f32"),
    );
}

/// |H| of the bilinear transform of the analogue second-order low-pass, prewarped at the cutoff.
fn low_pass_magnitude(frequency: f64, cutoff: f64, q: f64, rate: f64) -> f64 {
    let ratio = (PI * frequency / rate).tan() / (PI * cutoff / rate).tan();
    1.0 / ((1.0 - ratio * ratio).powi(2) + (ratio / q).powi(2)).sqrt()
}

#[test]
fn low_pass_has_the_response_of_the_bilinear_transform() {
    let mut worst: f64 = 0.0;
    for (cutoff, q) in [(1000.0, 0.707), (200.0, 4.0), (8000.0, 0.5)] {
        for frequency in [50.0, 400.0, 1000.0, 3000.0, 12_000.0] {
            let input = sine(96_000, RATE, 0.5, frequency, 0.0);
            let mut node = make("low_pass", &[("cutoff", cutoff), ("q", q)], RATE);
            let [left, right] = stereo(node.as_mut(), &input, &input);
            assert_eq!(left, right);
            // Whole cycles at the end, where it has settled: correlation with the frequency.
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in left.iter().enumerate().skip(48_000) {
                re += f64::from(*x) * (TAU * frequency * n as f64 / RATE).cos();
                im += f64::from(*x) * (TAU * frequency * n as f64 / RATE).sin();
            }
            let measured = 2.0 * re.hypot(im) / 48_000.0 / 0.5;
            let expected = low_pass_magnitude(frequency, cutoff, q, RATE);
            worst = worst.max((20.0 * (measured / expected).log10()).abs());
        }
    }
    assert!(worst < 0.001, "{worst} dB");
    figure(
        "14 low_pass against its closed form",
        "-",
        &format!("{worst:.1e} dB"),
    );
}

/// The gate's gain, written from its description: state, hold, fader and raised cosine in plain f64.
fn gate_reference(
    left: &[f32],
    right: &[f32],
    threshold: f64,
    range: f64,
    hold_ms: f64,
) -> Vec<f64> {
    let (upper, lower) = (
        10f64.powf(threshold / 20.0),
        10f64.powf((threshold - 4.0) / 20.0),
    );
    let floor = 10f64.powf(-range / 20.0);
    let hold = hold_ms * 0.001 * RATE;
    let (mut open, mut quiet, mut fader) = (false, 0.0, None::<f64>);
    left.iter()
        .zip(right)
        .map(|(l, r)| {
            let peak = f64::from(l.abs().max(r.abs()));
            quiet = if peak >= lower { 0.0 } else { quiet + 1.0 };
            open = peak >= upper || (open && quiet <= hold);
            let next = match fader {
                None => f64::from(open),
                Some(x) if open => (x + 1.0 / (0.005 * RATE)).min(1.0),
                Some(x) => (x - 1.0 / (0.05 * RATE)).max(0.0),
            };
            fader = Some(next);
            floor + (1.0 - floor) * (0.5 - 0.5 * (PI * next).cos())
        })
        .collect()
}

#[test]
fn gate_follows_its_description() {
    let (left, right) = (bursts(200_000, 1), bursts(200_000, 2));
    for (threshold, range, hold) in [(-50.0, 40.0, 100.0), (-20.0, 80.0, 0.0), (-30.0, 6.0, 20.0)] {
        let params = [
            ("on", 1.0),
            ("threshold", threshold),
            ("range", range),
            ("hold", hold),
        ];
        let [out, _] = stereo(make("gate", &params, RATE).as_mut(), &left, &right);
        let gains = gate_reference(&left, &right, threshold, range, hold);
        assert!(
            gains.iter().any(|g| *g < 0.9) && gains.contains(&1.0),
            "the signal works it"
        );
        for (n, ((x, y), gain)) in left.iter().zip(&out).zip(&gains).enumerate() {
            let expected = f64::from(*x) * gain;
            assert!(
                (f64::from(*y) - expected).abs() < 1e-6,
                "frame {n}: {y} {expected}"
            );
        }
    }
}

#[test]
fn gate_times_hold_at_every_rate() {
    // 768 kHz too, where Faust's own ma.SR would be 192 kHz.
    for rate in [8_000.0, 48_000.0, 768_000.0] {
        let params = [
            ("on", 1.0),
            ("threshold", -20.0),
            ("range", 80.0),
            ("hold", 100.0),
        ];
        let mut node = make("gate", &params, rate);
        let frames = (0.5 * rate) as usize;
        let input: Vec<f32> = (0..frames)
            .map(|n| if (n as f64) < 0.2 * rate { 0.5 } else { 0.01 })
            .collect();
        let [out, _] = stereo(node.as_mut(), &input, &input);
        let gain = |seconds: f64| f64::from(out[(seconds * rate) as usize] / 0.01);
        assert!(
            (gain(0.299) - 1.0).abs() < 1e-6,
            "held for 100 ms at {rate}"
        );
        assert!(
            (gain(0.325) - 0.5).abs() < 0.02,
            "half closed 25 ms later at {rate}: {}",
            gain(0.325)
        );
        assert!(gain(0.352) < 0.001, "closed after 50 ms at {rate}");
    }
}

#[test]
fn ceiling_is_its_definition() {
    // gain[n] = min(1, limit / peak[n]) where that is lower, hold 10 ms, one-pole recovery of 100 ms.
    let (left, right) = (bursts(100_000, 1), bursts(100_000, 2));
    let [out, _] = stereo(
        make("ceiling", &[("on", 1.0), ("ceiling", -6.0)], RATE).as_mut(),
        &left,
        &right,
    );
    let limit = 10f64.powf(-0.3);
    let (mut gain, mut held) = (1.0f64, 0.0);
    for (n, (l, r)) in left.iter().zip(&right).enumerate() {
        let needed = (limit / f64::from(l.abs().max(r.abs()))).min(1.0);
        if needed <= gain {
            gain = needed;
            held = if needed < 1.0 { 480.0 } else { held };
        } else if held > 0.0 {
            held -= 1.0;
        } else {
            gain = 1.0 - (1.0 - gain) * (-1.0 / 4800.0f64).exp();
            gain = if gain > 1.0 - 1e-6 { 1.0 } else { gain }.min(needed);
        }
        let expected = f64::from(*l) * gain;
        assert!(
            (f64::from(out[n]) - expected).abs() < 2e-7,
            "frame {n}: {} {expected}",
            out[n]
        );
    }
}

#[test]
fn gain_and_mix_are_arithmetic() {
    let mut random = Random(5);
    let (a, b): (Vec<f32>, Vec<f32>) = (0..4000)
        .map(|_| (random.sample(), random.sample()))
        .unzip();
    let [left, right] = stereo(make("gain", &[("gain", -12.5)], RATE).as_mut(), &a, &b);
    for n in 0..a.len() {
        let factor = 10f64.powf(-12.5 / 20.0);
        assert_eq!(left[n], (f64::from(a[n]) * factor) as f32);
        assert_eq!(right[n], (f64::from(b[n]) * factor) as f32);
    }
    let mut node = make("mix", &[("mix", 0.25)], RATE);
    let mut output = [vec![0.0; a.len()], vec![0.0; a.len()]];
    let [l, r] = output.each_mut().map(Vec::as_mut_slice);
    node.process(&[&a, &b, &b, &a], &mut [l, r]);
    for n in 0..a.len() {
        assert_eq!(
            output[0][n],
            (f64::from(a[n]) * 0.75 + f64::from(b[n]) * 0.25) as f32
        );
    }
}
