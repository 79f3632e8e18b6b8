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

/// The gate's gain, written from its description: state, hold, fader that turns within 2 ms and raised cosine in
/// plain f64.
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
    let (mut open, mut quiet, mut fader, mut speed) = (false, 0.0, None::<f64>, 0.0);
    let turn = (-1.0 / (0.002 * RATE)).exp();
    left.iter()
        .zip(right)
        .map(|(l, r)| {
            let peak = f64::from(l.abs().max(r.abs()));
            quiet = if peak >= lower { 0.0 } else { quiet + 1.0 };
            open = peak >= upper || (open && quiet <= hold);
            let wanted = 1.0 / (if open { 0.005 } else { -0.05 } * RATE);
            let inside = fader.is_some_and(|x| x > 0.0 && x < 1.0);
            speed = if inside {
                wanted + (speed - wanted) * turn
            } else {
                wanted
            };
            let next = fader.map_or(f64::from(open), |x| (x + speed).clamp(0.0, 1.0));
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

/// A gain that falls to what is needed, holds for 25 ms and recovers as a one-pole of 100 ms.
#[derive(Clone, Copy)]
struct Follower {
    gain: f64,
    held: f64,
}

impl Follower {
    fn follow(&mut self, needed: f64, attack: f64) -> f64 {
        if needed <= self.gain {
            self.gain = needed + (self.gain - needed) * attack;
            self.held = if needed < 1.0 { 1200.0 } else { self.held };
        } else if self.held > 0.0 {
            self.held -= 1.0;
        } else {
            self.gain = 1.0 - (1.0 - self.gain) * (-1.0 / 4800.0f64).exp();
            let nearly = self.gain > 1.0 - 1e-6;
            self.gain = if nearly { 1.0 } else { self.gain }.min(needed);
        }
        self.gain
    }
}

/// The value of a signal a share of a frame after frame n, by 24 taps of a sinc under Kaiser's window of 4.
fn between(signal: &[f32], n: i64, share: f64) -> f64 {
    let bessel = |x: f64| {
        let term = |k: i32| (0.5 * x).powi(2 * k) / (1..=k).map(f64::from).product::<f64>().powi(2);
        (0..20).map(term).sum::<f64>()
    };
    let taps = (-11..=12).map(|k| {
        let x = f64::from(k) - share;
        (PI * x).sin() / (PI * x) * bessel(4.0 * (1.0 - (x / 12.0).powi(2)).max(0.0).sqrt())
    });
    let taps: Vec<f64> = taps.collect();
    let at = |k: i64| usize::try_from(n + k).map_or(0.0, |n| f64::from(signal[n]));
    let sum: f64 = taps.iter().zip(-11..).map(|(tap, k)| tap * at(k)).sum();
    sum / taps.iter().sum::<f64>()
}

#[test]
fn ceiling_is_its_definition() {
    let (left, right) = (bursts(20_000, 1), bursts(20_000, 2));
    let params = [("on", 1.0), ("ceiling", -6.0)];
    let [out, _] = stereo(make("ceiling", &params, RATE).as_mut(), &left, &right);
    let limit = 10f64.powf(-0.3);
    let needed = |peak: f64| (limit / peak).min(1.0);
    let start = Follower {
        gain: 1.0,
        held: 0.0,
    };
    let (mut samples, mut hidden) = (start, start);
    for (n, (l, r)) in left.iter().zip(&right).enumerate() {
        let peak = f64::from(l.abs().max(r.abs()));
        // Peaks between the samples are known twelve frames later.
        let middle = n as i64 - 12;
        let found = [0.25, 0.5, 0.75]
            .into_iter()
            .flat_map(|share| [&left, &right].map(|ear| between(ear, middle, share).abs()))
            .fold(0.0, f64::max);
        let gain = samples
            .follow(needed(peak), 0.0)
            .min(hidden.follow(needed(found), (-1.0 / 9.6f64).exp()));
        let expected = f64::from(*l) * gain;
        assert!(
            (f64::from(out[n]) - expected).abs() < 2e-6,
            "frame {n}: {} {expected}",
            out[n]
        );
    }
}

/// The response of a node to an impulse in both ears.
fn response(name: &str, params: &[(&str, f64)], rate: f64, frames: usize) -> Vec<f64> {
    let mut impulse = vec![0.0f32; frames];
    impulse[0] = 1.0;
    let [left, _] = stereo(make(name, params, rate).as_mut(), &impulse, &impulse);
    left.into_iter().map(f64::from).collect()
}

/// Its complex value at a frequency.
fn at(response: &[f64], frequency: f64, rate: f64) -> (f64, f64) {
    let turns = |n: usize| TAU * frequency * n as f64 / rate;
    let sum = |f: fn(f64) -> f64| -> f64 {
        (response.iter().enumerate())
            .map(|(n, x)| x * f(turns(n)))
            .sum()
    };
    (sum(f64::cos), -sum(f64::sin))
}

#[test]
fn bands_are_linkwitz_riley_crossovers_of_order_8() {
    for rate in [44_100.0, 192_000.0] {
        let params = [("low", 200.0), ("high", 3000.0)];
        let frames = (0.4 * rate) as usize;
        let pass = response("band_pass", &params, rate, frames);
        let stop = response("band_stop", &params, rate, frames);
        let sum: Vec<f64> = pass.iter().zip(&stop).map(|(a, b)| a + b).collect();
        for frequency in [25.0, 100.0, 200.0, 500.0, 3000.0, 6000.0, 15_000.0] {
            // Butterworth of order 4, squared, of the warped frequency.
            let warp = |f: f64| (PI * f / rate).tan();
            let ratio = |edge: f64| (warp(frequency) / warp(edge)).powi(8);
            let expected = 1.0 / (1.0 + 1.0 / ratio(200.0)) / (1.0 + ratio(3000.0));
            let (re, im) = at(&pass, frequency, rate);
            assert!(
                (re.hypot(im) - expected).abs() < 2e-5,
                "{frequency} at {rate}"
            );
            let (re, im) = at(&sum, frequency, rate);
            assert!(
                (re.hypot(im) - 1.0).abs() < 2e-5,
                "sum at {frequency} at {rate}"
            );
        }
    }
}

#[test]
fn amplitude_pan_and_sweep_follow_their_description() {
    let gains =
        |name, params: &[(&str, f64)]| steady(make(name, params, RATE).as_mut(), 10.0, 9600);
    for (pulse, depth) in [(0.0, 1.0), (1.0, 1.0), (0.0, 0.3), (1.0, 0.7)] {
        let params = [
            ("depth", depth),
            ("pulse", pulse),
            ("duty", 30.0),
            ("ramp", 7.0),
        ];
        let (tremolo, sides) = (gains("amplitude", &params), gains("pan", &params));
        for n in 0..9600 {
            let phase = 10.0 * n as f64 / RATE;
            let envelope = if pulse == 1.0 {
                pulse_reference(phase, 0.3, 0.07)
            } else {
                0.5 + 0.5 * (TAU * phase).sin()
            };
            let gain = 1.0 - depth * (1.0 - envelope);
            let angle = 0.25 * PI * (1.0 + depth * (2.0 * envelope - 1.0));
            for (found, expected) in [
                (tremolo[n][0], gain),
                (tremolo[n][1], gain),
                (sides[n][0], 2f64.sqrt() * angle.sin()),
                (sides[n][1], 2f64.sqrt() * angle.cos()),
            ] {
                assert!(
                    (f64::from(found) - expected).abs() < 1e-6,
                    "frame {n}: {found} {expected}"
                );
            }
        }
    }
    // At rest half-way up, the sweep is a low-pass of Q 2 at the geometric mean of its ends.
    let params = [("low", 250.0), ("high", 4000.0), ("resonance", 2.0)];
    let response = response("sweep", &params, RATE, 9600);
    for frequency in [100.0, 500.0, 1000.0, 2000.0, 8000.0] {
        let (re, im) = at(&response, frequency, RATE);
        let expected = low_pass_magnitude(frequency, 1000.0, 2.0, RATE);
        assert!((re.hypot(im) / expected - 1.0).abs() < 1e-3, "{frequency}");
    }
}

#[test]
fn leveller_gain_is_that_of_the_k_weighted_power() {
    // BS.1770: a sine of 997 Hz at 0 dBFS in one channel is -3.01 LUFS.
    for rate in [44_100.0, 48_000.0, 192_000.0] {
        let mut node = make(
            "leveller",
            &[("on", 1.0), ("target", -20.0), ("speed", 0.5)],
            rate,
        );
        let frames = (3.0 * rate) as usize;
        let tone: Vec<f32> = (0..frames)
            .map(|n| (0.5 * (TAU * 997.0 * n as f64 / rate).sin()) as f32)
            .collect();
        let silent = vec![0.0; frames];
        stereo(node.as_mut(), &tone, &silent);
        let readout = node.info().param("gain").unwrap();
        let gain = 20.0 * node.get_param(readout).log10();
        let expected = -20.0 - (-3.01 + 20.0 * 0.5f64.log10());
        assert!(
            (gain - expected).abs() < 0.05,
            "{gain} {expected} at {rate}"
        );
    }
}

#[test]
fn shift_is_a_hilbert_pair_and_a_rotation() {
    // With the phases at rest at 0 the ears hear I, at a quarter of a cycle -Q: equal in magnitude, 90
    // degrees apart.
    let part = |quarter: u64, rate: f64| {
        let mut node = make("shift", &[], rate);
        for ear in [0, 1] {
            node.set_phase(ear, quarter << 62, 0, 0);
        }
        let mut impulse = vec![0.0f32; (0.5 * rate) as usize];
        impulse[0] = 1.0;
        let [left, right] = stereo(node.as_mut(), &impulse, &impulse);
        assert_eq!(left, right);
        left.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    for rate in [8_000.0, 48_000.0, 384_000.0] {
        let (i, q) = (part(0, rate), part(1, rate));
        for frequency in [40.0, 300.0, 1000.0, 3500.0] {
            let ((ir, ii), (qr, qi)) = (at(&i, frequency, rate), at(&q, frequency, rate));
            assert!((ir.hypot(ii) - 1.0).abs() < 2e-3, "I at {frequency}");
            // I j is -Q turned: their difference is twice the image.
            let image = 0.5 * (qr + ii).hypot(qi - ir);
            assert!(
                image < 1e-4,
                "{frequency} Hz at {rate}: {:.1} dB",
                20.0 * image.log10()
            );
        }
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

/// Phase of a node's input 0 as cycles, for frames of a steady 10 Hz.
fn steady(node: &mut dyn Node, hertz: f64, frames: usize) -> Vec<[f32; 2]> {
    let ones = vec![1.0f32; frames];
    let increment = zeitgeber::dsp::phase::increment(hertz, RATE) as u64;
    node.set_phase(0, 0, increment, 0);
    let [left, right] = stereo(node, &ones, &ones);
    left.into_iter().zip(right).map(|(l, r)| [l, r]).collect()
}

/// The pulse of PARAMETERS.md: half amplitude at 0 and at duty, raised-cosine flanks centred there.
fn pulse_reference(phase: f64, duty: f64, ramp: f64) -> f64 {
    let ramp = ramp.min(0.5 * duty.min(1.0 - duty));
    let f = phase - phase.floor();
    // Distance to the nearest rising and falling half-amplitude points, over three cycles.
    let mut value = f64::from(u8::from(f < duty));
    for cycle in [-1.0, 0.0, 1.0] {
        for (edge, sign) in [(cycle, 1.0), (cycle + duty, -1.0)] {
            let distance = f - edge;
            if distance.abs() < 0.5 * ramp {
                value = 0.5 + sign * 0.5 * (PI * distance / ramp).sin();
            }
        }
    }
    value
}

#[test]
fn pulse_and_bilateral_follow_their_description() {
    for (duty, ramp) in [(50.0, 10.0), (5.0, 50.0), (95.0, 1.0), (33.0, 7.0)] {
        let params = [("duty", duty), ("ramp", ramp)];
        let pulses = steady(make("pulse", &params, RATE).as_mut(), 10.0, 10_000);
        let sides = steady(make("bilateral", &params, RATE).as_mut(), 10.0, 10_000);
        for n in 0..10_000 {
            let expected = pulse_reference(10.0 * n as f64 / RATE, duty / 100.0, ramp * 0.01);
            for (found, expected) in [
                (pulses[n][0], expected),
                (pulses[n][1], expected),
                (sides[n][0], expected),
                (sides[n][1], 1.0 - expected),
            ] {
                assert!(
                    (f64::from(found) - expected).abs() < 1e-6,
                    "frame {n}: {found} {expected}"
                );
            }
        }
    }
    // Without flanks the edges are hard, and at rest the pulse is on.
    let hard = steady(make("pulse", &[("ramp", 0.0)], RATE).as_mut(), 10.0, 4_800);
    assert!(hard.iter().all(|[x, _]| *x == 0.0 || *x == 1.0));
    let on = hard.iter().filter(|[x, _]| *x == 1.0).count();
    assert!((2_399..=2_401).contains(&on), "{on}");
    assert!(
        steady(make("pulse", &[], RATE).as_mut(), 0.0, 100)
            .iter()
            .all(|[x, _]| *x == 1.0)
    );
}

#[test]
fn mono_sum_is_the_mean() {
    let (a, b) = (bursts(1000, 1), bursts(1000, 2));
    let [left, right] = stereo(make("mono_sum", &[], RATE).as_mut(), &a, &b);
    for n in 0..1000 {
        let mean = 0.5 * (f64::from(a[n]) + f64::from(b[n]));
        assert!((f64::from(left[n]) - mean).abs() < 1e-7);
    }
    assert_eq!(left, right);
}

/// The impulse response of first-order sections b0 + b1 z^-1 over 1 - a1 z^-1, in plain f64.
fn sections(coefficients: &[[f64; 3]], frames: usize) -> Vec<f64> {
    let mut signal = vec![0.0; frames];
    signal[0] = 1.0;
    for [b0, b1, a1] in coefficients {
        let (mut x1, mut y1) = (0.0, 0.0);
        for x in &mut signal {
            let y = b0 * *x + b1 * x1 + a1 * y1;
            (x1, y1) = (*x, y);
            *x = y;
        }
    }
    signal
}

#[test]
fn pink_and_brown_are_their_sections() {
    for rate in [8_000.0, 48_000.0, 384_000.0] {
        let low = (PI * 8.0 / rate).tan();
        let ratio = (60.0 / low).powf(1.0 / 8.0);
        let mut pink: Vec<[f64; 3]> = (0..8)
            .map(|k| {
                let p = low * ratio.powi(k);
                let z = p * ratio.sqrt();
                [
                    (1.0 + z) / (1.0 + p),
                    (z - 1.0) / (1.0 + p),
                    (1.0 - p) / (1.0 + p),
                ]
            })
            .collect();
        pink.push([1.0, 0.60217479, -0.80280155]);
        pink.push([1.0, 0.15006925, -0.31283917]);
        let pole = (-2.0 * PI * 20.0 / rate).exp();
        let brown = [[1.0, 0.0, pole], [1.0, -1.0, pole]];
        for (name, coefficients) in [("pink", &pink[..]), ("brown", &brown[..])] {
            let mut input = vec![0.0f32; 4000];
            input[0] = 1.0;
            let [left, _] = stereo(make(name, &[], rate).as_mut(), &input, &input);
            for (n, expected) in sections(coefficients, 4000).iter().enumerate() {
                let error = (f64::from(left[n]) - expected).abs();
                assert!(
                    error < 1e-6 * expected.abs().max(1e-3),
                    "{name} at {rate}, frame {n}"
                );
            }
        }
    }
}

#[test]
fn noise_is_uniform_white_and_of_unit_power() {
    let mut node = make("noise", &[("seed", 7.0)], RATE);
    let frames = 1 << 20;
    let mut output = [vec![0.0f32; frames], vec![0.0; frames]];
    let [left, right] = output.each_mut().map(Vec::as_mut_slice);
    node.process(&[], &mut [left, right]);
    let n = frames as f64;
    for ear in &output {
        let mean = ear.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let power = ear.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / n;
        // Four standard errors of a uniform distribution of unit power.
        assert!(
            mean.abs() < 4.0 / n.sqrt() && (power - 1.0).abs() < 4.0 * 0.9 / n.sqrt(),
            "{mean} {power}"
        );
        assert!(ear.iter().all(|x| x.abs() <= 1.732_051));
        for lag in [1, 2, 3, 7, 64, 1000] {
            let dot: f64 = ear
                .iter()
                .zip(&ear[lag..])
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum();
            assert!((dot / n).abs() < 5.0 / n.sqrt(), "lag {lag}");
        }
    }
    // The same position is the same sample.
    node.set_phase(0, 1_000, 1, 0);
    let mut again = [vec![0.0f32; 100], vec![0.0; 100]];
    let [left, right] = again.each_mut().map(Vec::as_mut_slice);
    node.process(&[], &mut [left, right]);
    assert_eq!(again[0], output[0][1_000..1_100]);
}
