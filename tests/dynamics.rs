//! Pre-processing and ceiling: gate, leveller, levels and true peaks, against the standards they name.

mod common;

use common::{At, Random, Render, assert_same, figure, music, sine, step};
use zeitgeber::analysis::loudness::LoudnessMeter;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{ControlId, Engine, Transport};

const RATE: f64 = 48_000.0;

fn run(rate: f64, settings: &[(ControlId, f64)], input: [Vec<f32>; 2]) -> [Vec<f32>; 2] {
    Render {
        rate,
        settings,
        events: &[],
        input,
        song: Some(0),
    }
    .run(Some(64))
}

fn measure(
    rate: f64,
    signal: &[Vec<f32>; 2],
    from: f64,
) -> zeitgeber::analysis::loudness::Loudness {
    let from = (from * rate) as usize;
    let mut meter = LoudnessMeter::new(2, rate as u32).unwrap();
    // A signal that began in the middle of a wave would have a true peak of its own there.
    let fade = if from > 0 { 0.002 * rate } else { 1.0 };
    let part = |ear: &Vec<f32>| -> Vec<f32> {
        let faded = |(n, x): (usize, &f32)| x * ((n as f64 / fade) as f32).min(1.0);
        ear[from..].iter().enumerate().map(faded).collect()
    };
    meter.push(&[&part(&signal[0]), &part(&signal[1])]);
    meter.measure()
}

fn pinkish(frames: usize, level: f32, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let mut state = 0.0f32;
    (0..frames)
        .map(|_| {
            state += 0.1 * (random.sample() - state);
            level * (state + 0.1 * random.sample())
        })
        .collect()
}

/// Syllables of irregular length and pauses between phrases.
fn speech(seconds: f64, rate: f64, level: f64, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let mut out = Vec::new();
    while out.len() < (seconds * rate) as usize {
        let phrase = 4 + random.below(8);
        for _ in 0..phrase {
            let length = (rate * (0.1 + 0.002 * random.below(100) as f64)) as usize;
            let pitch = 90.0 + random.below(60) as f64;
            let loud = 0.5 + 0.005 * random.below(100) as f64;
            for n in 0..length {
                let t = n as f64 / rate;
                let envelope = (std::f64::consts::PI * n as f64 / length as f64).sin();
                let voice: f64 = (1..20)
                    .map(|h| (std::f64::consts::TAU * pitch * h as f64 * t).sin() / h as f64)
                    .sum();
                out.push((level * loud * envelope * 0.5 * voice) as f32);
            }
        }
        let pause = (rate * (0.3 + 0.01 * random.below(100) as f64)) as usize;
        out.extend((0..pause).map(|_| 1e-4 * random.sample()));
    }
    out.truncate((seconds * rate) as usize);
    out
}

#[test]
fn leveller_comes_to_its_target() {
    let mut worst = 0.0f64;
    let mut print = Vec::new();
    for (rate, target, gain) in [
        (44_100.0, -20.0, 0.02),
        (48_000.0, -30.0, 0.8),
        (96_000.0, -16.0, 0.3),
    ] {
        let seconds = 30.0;
        let frames = (seconds * rate) as usize;
        let noise = [1, 2].map(|seed| pinkish(frames, gain as f32, seed));
        let voice = speech(seconds, rate, gain, 5);
        let songs = music(seconds, rate, gain, 6);
        for (name, input) in [
            ("noise", noise),
            ("speech", [voice.clone(), voice]),
            ("music", songs),
        ] {
            let settings = [
                (id::LEVELLER_ON, 1.0),
                (id::LEVELLER_TARGET, target),
                (id::LEVELLER_SPEED, 4.0),
            ];
            let out = run(rate, &settings, input);
            let loudness = measure(rate, &out, 10.0).integrated.unwrap();
            let off = loudness - target;
            print.push(format!("{name} {off:+.2}"));
            if off.abs() > worst.abs() {
                worst = off;
            }
        }
    }
    println!("{}", print.join(", "));
    figure(
        "17 leveller against ebur128: noise, speech, music, 3 rates",
        "+-0.5 LU",
        &format!("{worst:+.2} LU"),
    );
    assert!(worst.abs() <= 0.5, "{worst}");
}

#[test]
fn leveller_waits_in_pauses_and_follows_both_ears_alike() {
    let frames = 30 * 48_000;
    let mut input = [pinkish(frames, 0.1, 8), pinkish(frames, 0.05, 9)];
    // Ten seconds of a quiet room in the middle.
    for ear in &mut input {
        for x in &mut ear[15 * 48_000..25 * 48_000] {
            *x *= 0.003;
        }
    }
    let settings = [(id::LEVELLER_ON, 1.0), (id::LEVELLER_SPEED, 5.0)];
    let out = run(RATE, &settings, input.clone());
    let gain = |n: usize| f64::from(out[0][n]) / f64::from(input[0][n]);
    let loud = |n: usize| (n..n + 1000).find(|n| input[0][*n].abs() > 1e-5).unwrap();
    let (before, during, after) = (
        gain(loud(14 * 48_000)),
        gain(loud(24 * 48_000)),
        gain(loud(1_201_000)),
    );
    assert!((during / before - 1.0).abs() < 0.15, "{before} {during}");
    assert!((after / before - 1.0).abs() < 0.15, "{before} {after}");
    for n in (48_000..frames).step_by(997) {
        let (l, r) = (
            f64::from(out[0][n]) / f64::from(input[0][n]),
            f64::from(out[1][n]) / f64::from(input[1][n]),
        );
        if input[0][n].abs() > 1e-4 && input[1][n].abs() > 1e-4 {
            assert!((l / r - 1.0).abs() < 1e-5, "one gain for both ears");
        }
    }
}

#[test]
fn a_program_that_stays_quieter_is_followed_all_the_same() {
    // 25 dB less from 20 s on is more than the relative gate's 10 LU.
    let frames = 60 * 48_000;
    let mut input = [pinkish(frames, 0.3, 1), pinkish(frames, 0.3, 2)];
    for ear in &mut input {
        for x in &mut ear[20 * 48_000..] {
            *x *= 0.056;
        }
    }
    let settings = [(id::LEVELLER_ON, 1.0), (id::LEVELLER_SPEED, 3.0)];
    let out = run(RATE, &settings, input);
    let loudness = measure(RATE, &out, 50.0).integrated.unwrap();
    assert!((loudness + 20.0).abs() < 1.0, "{loudness}");
}

/// Behind a low-pass of first order at a tenth of the rate.
fn mellow(mut signal: Vec<f32>) -> Vec<f32> {
    let mut state = 0.0;
    for x in &mut signal {
        state += 0.47 * (*x - state);
        *x = state;
    }
    signal
}

/// True peak of both ears in dB re the ceiling of -1 dBFS.
fn over(rate: f64, signal: &[Vec<f32>; 2], from: f64) -> f64 {
    measure(rate, signal, from)
        .true_peak
        .into_iter()
        .fold(f64::NEG_INFINITY, f64::max)
        + 1.0
}

#[test]
fn ceiling_holds_samples_and_true_peaks() {
    let limit = 10f64.powf(-1.0 / 20.0) as f32;
    let settings = [(id::CEILING_ON, 1.0), (id::CEILING, -1.0)];
    let mut steady = f64::NEG_INFINITY;
    let mut which = String::new();
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        for frequency in [
            31.0,
            100.0,
            997.0,
            5000.0,
            rate / 4.0,
            rate / 3.0,
            rate / 6.0,
            0.21 * rate,
            0.4 * rate,
        ] {
            for (level, phase) in [(0.95, 0.125), (1.2, 0.0), (2.0, 0.125), (4.0, 0.3)] {
                let tone = sine(rate as usize, rate, level, frequency, phase);
                let out = run(rate, &settings, [tone.clone(), tone]);
                assert!(
                    out.iter().flatten().all(|x| x.abs() <= limit),
                    "{frequency} {level}"
                );
                let here = over(rate, &out, 0.02);
                if here > steady {
                    steady = here;
                    which = format!("{frequency:.0} Hz at {rate}, level {level}");
                }
            }
        }
    }
    figure(
        "18 ceiling: samples of tones and music",
        "never above",
        "never above",
    );
    figure(
        "18 ceiling: true peak of steady tones after 20 ms",
        "<= +0.5 dB",
        &format!("{steady:+.2} dB ({which})"),
    );
    assert!(steady <= 0.5, "{steady}");
    // Music, and the same with drums of white noise, whose peaks lie between the samples.
    let mut loudest = [f64::NEG_INFINITY; 2];
    for rate in [44_100.0, 48_000.0] {
        for level in [1.0, 1.6, 3.0] {
            let plain = music(8.0, rate, level, 7).map(mellow);
            let mut random = Random(9);
            let mut bright = music(8.0, rate, level, 7);
            for (n, x) in bright[0].iter_mut().enumerate() {
                let within = n as f64 / rate % 0.272;
                *x += (0.2 * level * (-within * 60.0).exp()) as f32 * random.sample();
            }
            bright[1] = bright[0].clone();
            for (loudest, input) in loudest.iter_mut().zip([plain, bright]) {
                let out = run(rate, &settings, input);
                assert!(out.iter().flatten().all(|x| x.abs() <= limit));
                *loudest = loudest.max(over(rate, &out, 0.0));
            }
        }
    }
    figure(
        "18 ceiling: true peak of music, up to 9.5 dB into it",
        "<= +0.5 dB",
        &format!("{:+.2} dB", loudest[0]),
    );
    figure(
        "18 ceiling: true peak of music with bright drums, up to 9.5 dB into it",
        "<= +0.5 dB",
        &format!("{:+.2} dB", loudest[1]),
    );
    // Without look-ahead the first peak of a bright onset exceeds it; `overshoot` tells.
    assert!(loudest[0] <= 0.5 && loudest[1] < 2.0, "{loudest:?}");
}

#[test]
fn below_the_ceiling_the_gain_is_exactly_1() {
    let settings = [(id::CEILING_ON, 1.0), (id::CEILING, -1.0)];
    let input = music(5.0, RATE, 0.5, 1);
    let out = run(RATE, &settings, input.clone());
    for ear in 0..2 {
        assert_same(&out[ear], &input[ear], "music below the ceiling");
    }
    // And again, once what was above is over.
    let mut burst = music(5.0, RATE, 0.5, 1);
    for ear in &mut burst {
        for x in &mut ear[48_000..50_000] {
            *x *= 4.0;
        }
    }
    let out = run(RATE, &settings, burst.clone());
    for ear in 0..2 {
        assert_same(
            &out[ear][192_000..],
            &burst[ear][192_000..],
            "two seconds after",
        );
    }
}

#[test]
fn the_overshoot_is_metered() {
    let mut engine = Engine::new(RATE).unwrap();
    engine.set(id::CEILING_ON, 1.0);
    engine.reset();
    let mut peak = 0.0f32;
    // A tone at a quarter of the rate hides 3 dB between its samples at its onset.
    let tone = sine(480, RATE, 1.2, 12_000.0, 0.125);
    let [mut left, mut right] = [tone.clone(), tone];
    for start in (0..480).step_by(32) {
        engine.process(
            &mut left[start..start + 32],
            &mut right[start..start + 32],
            Transport::Absent,
            &[],
        );
        peak = peak.max(engine.telemetry().ceiling_overshoot());
    }
    assert!((1.0..6.0).contains(&peak), "{peak}");
    let mut quiet = [vec![0.0; 480_000], vec![0.0; 480_000]];
    let [left, right] = &mut quiet;
    engine.process(left, right, Transport::Absent, &[]);
    assert!(engine.telemetry().ceiling_overshoot() < 0.01);
}

fn run_events(
    rate: f64,
    settings: &[(ControlId, f64)],
    events: &[At],
    input: Vec<f32>,
) -> [Vec<f32>; 2] {
    Render {
        rate,
        settings,
        events,
        input: [input.clone(), input],
        song: Some(0),
    }
    .run(Some(64))
}

fn highest(signal: &[f32]) -> f64 {
    signal
        .iter()
        .fold(0.0, |most: f64, x| most.max(f64::from(x.abs())))
}

fn db(x: f64) -> f64 {
    20.0 * x.log10()
}

#[test]
fn a_moved_speed_does_not_move_the_gain() {
    let rate = 16_000.0;
    for (from, to) in [(0.5, 60.0), (2.0, 4.0), (10.0, 11.0), (4.0, 1.0)] {
        let tone = sine(20 * 16_000, rate, 0.01, 400.0, 0.0);
        let settings = [(id::LEVELLER_ON, 1.0), (id::LEVELLER_SPEED, from)];
        let at = 15 * 16_000;
        let out = run_events(rate, &settings, &[step(at, id::LEVELLER_SPEED, to)], tone);
        let moved = db(highest(&out[0][at..at + 1600]) / highest(&out[0][at - 1600..at]));
        assert!(moved.abs() < 0.1, "{from} to {to}: {moved} dB");
    }
}

#[test]
fn one_huge_sample_does_not_deafen_the_leveller() {
    let rate = 16_000.0;
    for huge in [100.0, 1e4, 1e10, 3e38] {
        let mut input = pinkish(20 * 16_000, 0.1, 3);
        let at = 12 * 16_000;
        input[at] = huge;
        let settings = [(id::LEVELLER_ON, 1.0), (id::LEVELLER_SPEED, 3.0)];
        let out = run_events(rate, &settings, &[], input);
        let level = |from: usize| {
            let part = &out[0][from..from + 16_000];
            10.0 * part
                .iter()
                .map(|x| f64::from(*x).powi(2))
                .sum::<f64>()
                .log10()
        };
        let moved = level(at + 16_000) - level(at - 16_000);
        assert!(moved.abs() < 2.5, "{huge:e}: {moved} dB a second later");
    }
}

#[test]
fn one_huge_sample_does_not_ring() {
    for settings in [
        vec![(id::PROG_KIND, 3.0)],
        vec![(id::PROG_KIND, 4.0)],
        vec![(id::PROG_KIND, 1.0), (id::PROG_LOW, 1.0)],
        vec![(id::CEILING_ON, 1.0)],
    ] {
        for bypass in [0.0, 1.0] {
            let mut input = pinkish(48_000, 0.1, 3);
            input[24_000] = 3e38;
            let mut all = settings.clone();
            all.extend([(id::FADE_IN, 0.0), (id::BYPASS, bypass)]);
            let back = [step(24_100, id::BYPASS, 0.0)];
            let out = run_events(RATE, &all, &back, input);
            let peak = highest(&out[0][24_100..]);
            assert!(peak < 1.0, "{settings:?}: {peak}");
        }
    }
}

#[test]
fn a_burst_after_a_soft_start_is_not_blown_up() {
    let rate = 48_000.0;
    let at = 6 * 48_000;
    let mut random = Random(4);
    let input: Vec<f32> = (0..at + 48_000)
        .map(|n| if n < at { 0.003 } else { 0.5 } * random.sample())
        .collect();
    let out = run_events(rate, &[(id::LEVELLER_ON, 1.0)], &[], input);
    let (peak, first) = (db(highest(&out[0])), db(highest(&out[0][at + 960..])));
    figure(
        "17 leveller: a burst 44 dB louder after 6 s: peak, peak after 20 ms",
        "<= +6 dBFS",
        &format!("{peak:+.1} dBFS, {first:+.1} dBFS"),
    );
    assert!(peak <= 6.1 && first <= 3.0, "{peak} {first}");
}

#[test]
fn a_step_down_beyond_the_gate_is_followed_in_time() {
    let rate = 8_000.0;
    let at = 60 * 8_000;
    let mut input = pinkish(130 * 8_000, 0.3, 5);
    for x in &mut input[at..] {
        *x *= 0.1;
    }
    let settings = [(id::LEVELLER_ON, 1.0), (id::LEVELLER_SPEED, 60.0)];
    let out = run_events(rate, &settings, &[], input.clone());
    let gain = |n: usize| highest(&out[0][n - 800..n]) / highest(&input[n - 800..n]);
    let more = db(gain(130 * 8_000) / gain(at));
    assert!(more > 1.5, "{more} dB, 70 s after a step of 20 dB");
}

#[test]
fn the_leveller_waits_while_the_gate_is_closed_whatever_its_range() {
    let rate = 16_000.0;
    for range in [0.5, 2.0, 40.0] {
        let mut input = pinkish(30 * 16_000, 0.1, 7);
        // Between both thresholds of the gate and below the lower one in turns would open it: stay below.
        let at = 10 * 16_000;
        for x in &mut input[at..] {
            *x *= 0.5;
        }
        let peak = db(highest(&input[at..]));
        let settings = [
            (id::LEVELLER_ON, 1.0),
            (id::LEVELLER_SPEED, 2.0),
            (id::GATE_ON, 1.0),
            (id::GATE_RANGE, range),
            (id::GATE_THRESHOLD, peak + 0.5),
        ];
        // Once its last loud peak is over the hold has to end: what follows stays 4 dB below.
        for x in &mut input[at..at + 4800] {
            *x *= 0.3;
        }
        let out = run_events(rate, &settings, &[], input.clone());
        let gain = |n: usize| highest(&out[0][n - 1600..n]) / highest(&input[n - 1600..n]);
        let moved = db(gain(29 * 16_000) / gain(at + 4800));
        assert!(moved.abs() < 0.1, "range {range}: {moved} dB");
    }
}

#[test]
fn a_ceiling_switched_on_over_what_stays_below_changes_nothing() {
    let input = sine(60_000, RATE, 0.85, 100.0, 0.0);
    for offset in 0..24 {
        let events = [step(24_000 + 20 * offset, id::CEILING_ON, 1.0)];
        let out = run_events(RATE, &[(id::CEILING, -1.0)], &events, input.clone());
        assert_same(&out[0], &input, "a tone below the ceiling");
    }
}
