//! Promise 1: the beat is exact. What is displayed is what sounds, phases are continuous, nothing drifts.

mod common;

use common::{Render, assert_same, binaural, figure, frequency, silence, step};
use zeitgeber::analysis::fit;
use zeitgeber::dsp::phase;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, Engine, Transport};

/// The bars of ACCEPTANCE.md.
const FREQUENCY_BAR: f64 = 1e-6; // Hz
const SINAD_BAR: f64 = 140.0; // dB
const OTHER_EAR_BAR: f64 = -140.0; // dB

fn seconds(signal: &[f32], rate: f64, from: f64, to: f64) -> &[f32] {
    &signal[(from * rate) as usize..(to * rate) as usize]
}

#[test]
fn beat_and_carrier_frequency() {
    let mut worst: f64 = 0.0;
    for (rate, beat, carrier) in [
        (48_000.0, 10.0, 250.0),
        (44_100.0, 6.3, 211.1),
        (96_000.0, 0.5, 100.003),
        (48_000.0, 39.999, 1500.0),
        (44_100.0, 100.0, 440.0),
        (8_000.0, 4.001, 20.0 + 60.0),
    ] {
        let [left, right] = Render {
            rate,
            settings: &binaural(beat, carrier),
            events: &[],
            input: silence((rate * 62.0) as usize),
            song: Some(0),
        }
        .run(Some(512));
        let expected = [carrier - beat / 2.0, carrier + beat / 2.0];
        let measured = [left, right]
            .iter()
            .zip(expected)
            .map(|(ear, expected)| frequency(seconds(ear, rate, 1.0, 61.0), rate, expected))
            .collect::<Vec<_>>();
        for (measured, expected) in measured.iter().zip(expected) {
            worst = worst.max((measured - expected).abs());
        }
        worst = worst.max((measured[1] - measured[0] - beat).abs());
        // The telemetry shows what was set.
    }
    figure(
        "01 beat and carrier frequency, 60 s, 8 to 96 kHz",
        "within 0.001 mHz of the value displayed",
        &format!("worst {:.2e} mHz", worst * 1e3),
    );
    assert!(worst <= FREQUENCY_BAR, "{worst:e} Hz");
}

#[test]
fn the_measurement_of_frequency_can_fail() {
    let signal = common::sine(48_000 * 60, 48_000.0, 0.1, 255.000_01, 0.3);
    let found = frequency(&signal, 48_000.0, 255.0);
    assert!((found - 255.000_01).abs() < 1e-7, "{found}");
}

#[test]
fn drift_over_eight_hours() {
    // The clock of the engine, 8 h on, against the exact rational phase: beat_phase is the engine's own
    // display, read after every simulated minute that a render would take.
    let mut worst: f64 = 0.0;
    for rate in [44_100u64, 48_000, 96_000] {
        for millihertz in [10_000u64, 6_300, 255_003, 1_499_999] {
            let frames = rate * 3600 * 8;
            let increment = phase::increment(millihertz as f64 / 1000.0, rate as f64);
            let counted = (increment * i128::from(frames)) as u64;
            // millihertz * frames / (1000 rate) cycles, exactly.
            let whole = u128::from(millihertz) * u128::from(frames);
            let exact = ((whole % (1000 * u128::from(rate))) << 64) / (1000 * u128::from(rate));
            let error = counted.wrapping_sub(exact as u64) as i64 as f64 / phase::CYCLE;
            worst = worst.max(error.abs());
        }
    }
    figure(
        "02 drift over a simulated 8 h",
        "< 1e-9 cycle",
        &format!("{worst:.1e} cycle"),
    );
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn the_engine_after_hours_is_where_one_multiplication_says() {
    // Song positions hours apart: a bounce that starts there sounds as one that came there.
    let rate = 48_000.0;
    let start = 48_000 * 3600 * 8;
    let mut engine = Engine::new(rate).unwrap();
    for (control, value) in binaural(6.3, 211.1) {
        engine.set(control, value);
    }
    engine.reset();
    let (mut left, mut right) = (vec![0.0; 4800], vec![0.0; 4800]);
    let transport = Transport::Host {
        playing: true,
        song_frames: Some(start),
        tempo: None,
    };
    engine.process(&mut left, &mut right, transport, &[]);
    let cycles = 6.3 * 3600.0 * 8.0 + 6.3 * 0.1;
    let shown = engine.telemetry().beat_phase();
    let error = (shown - cycles).rem_euclid(1.0);
    assert!(error.min(1.0 - error) < 1e-9, "{shown} {cycles}");
}

#[test]
fn purity_of_a_lone_tone() {
    let mut worst = f64::INFINITY;
    for (rate, beat, carrier) in [
        (48_000.0, 10.0, 250.0),
        (44_100.0, 6.3, 1211.1),
        (96_000.0, 40.0, 55.0),
    ] {
        let mut settings = binaural(beat, carrier);
        // The ceiling is on but idle.
        settings.push((id::CEILING_ON, 1.0));
        let ears = Render {
            rate,
            settings: &settings,
            events: &[],
            input: silence((rate * 12.0) as usize),
            song: None,
        }
        .run(Some(512));
        for (ear, sign) in ears.iter().zip([-0.5, 0.5]) {
            let span = seconds(ear, rate, 1.0, 11.0);
            worst = worst.min(fit::sinad(span, rate, carrier + sign * beat));
        }
    }
    figure(
        "03 purity of a lone tone, least-squares fit, 10 s",
        "SINAD >= 140 dB",
        &format!("{worst:.1} dB"),
    );
    assert!(worst >= SINAD_BAR, "{worst}");
}

#[test]
fn the_other_ears_tone() {
    let rate = 48_000.0;
    let (beat, carrier) = (10.0, 250.0);
    let [left, right] = Render {
        rate,
        settings: &binaural(beat, carrier),
        events: &[],
        input: silence((rate * 12.0) as usize),
        song: Some(0),
    }
    .run(Some(64));
    let mut worst = f64::NEG_INFINITY;
    for (ear, own, other) in [(&left, 245.0, 255.0), (&right, 255.0, 245.0)] {
        let span = seconds(ear, rate, 1.0, 11.0);
        let tone = fit::fit_refined(span, rate, own).unwrap();
        let rest = fit::subtract(span, rate, &tone);
        let (mut re, mut im) = (0.0, 0.0);
        for (n, x) in rest.iter().enumerate() {
            let angle = std::f64::consts::TAU * other * n as f64 / rate;
            re += x * angle.cos();
            im += x * angle.sin();
        }
        let level = 2.0 * re.hypot(im) / rest.len() as f64;
        worst = worst.max(20.0 * (level / tone.amplitude).log10());
    }
    // Skew: with beat 0 both ears are the same samples.
    let [left, right] = Render {
        rate,
        settings: &binaural(0.0, carrier),
        events: &[],
        input: silence(48_000),
        song: Some(0),
    }
    .run(Some(64));
    assert_same(&left, &right, "beat 0 is two identical tones");
    figure(
        "04 the other ear's tone",
        "<= -140 dB, and 0 samples of skew",
        &format!("{worst:.1} dB, 0 samples"),
    );
    assert!(worst <= OTHER_EAR_BAR, "{worst}");
}

#[test]
fn level_is_peak_dbfs_of_the_bare_tone() {
    let rate = 48_000.0;
    for level in [-6.0, -20.0, -60.0] {
        let mut settings = binaural(10.0, 250.0);
        settings.push((id::L1_LEVEL, level));
        let [left, right] = Render {
            rate,
            settings: &settings,
            events: &[],
            input: silence(96_000),
            song: None,
        }
        .run(Some(512));
        for (ear, hertz) in [(&left, 245.0), (&right, 255.0)] {
            let found = fit::fit_refined(seconds(ear, rate, 1.0, 2.0), rate, hertz).unwrap();
            assert!(
                (found.level() - level).abs() < 1e-4,
                "{} at {level}",
                found.level()
            );
        }
    }
    let mut settings = binaural(10.0, 250.0);
    settings.push((id::L1_LEVEL, -80.0));
    let [left, _] = Render {
        rate,
        settings: &settings,
        events: &[],
        input: silence(96_000),
        song: None,
    }
    .run(Some(512));
    assert!(
        left.iter().all(|x| *x == 0.0),
        "the lowest level is silence"
    );
}

/// The tone that the engine should give, from an independent closed form.
fn expected_tone(
    frames: usize,
    amplitude: impl Fn(usize) -> f64,
    cycles: impl Fn(usize) -> f64,
) -> Vec<f64> {
    (0..frames)
        .map(|n| {
            let turns = cycles(n);
            amplitude(n) * (std::f64::consts::TAU * (turns - turns.floor())).sin()
        })
        .collect()
}

fn worst_difference(signal: &[f32], expected: &[f64], from: usize) -> f64 {
    signal
        .iter()
        .zip(expected)
        .skip(from)
        .map(|(x, y)| (f64::from(*x) - y).abs())
        .fold(0.0, f64::max)
}

#[test]
fn an_event_with_glide_0_takes_effect_at_its_sample() {
    let rate = 48_000.0;
    let mut settings = binaural(10.0, 250.0);
    settings.push((id::GLIDE, 0.0));
    // Beat, carrier and level, each at a frame that no grid and no block knows.
    let (at_beat, at_carrier, at_level) = (50_001, 60_013, 70_029);
    let events = [
        step(at_beat, id::BEAT, 4.0),
        step(at_carrier, id::CARRIER, 300.0),
        step(at_level, id::L1_LEVEL, -26.0),
    ];
    let frames = 90_000;
    let right_hertz = |n: usize| match n {
        n if n < at_beat => 255.0,
        n if n < at_carrier => 252.0,
        _ => 302.0,
    };
    let mut turns = vec![0.0f64; frames];
    for n in 1..frames {
        turns[n] = (turns[n - 1] + right_hertz(n - 1) / rate).fract();
    }
    let amplitude = |n: usize| 10f64.powf(if n < at_level { -20.0 } else { -26.0 } / 20.0);
    let expected = expected_tone(frames, amplitude, |n| turns[n]);
    for block in [Some(1024), Some(7)] {
        let [_, right] = Render {
            rate,
            settings: &settings,
            events: &events,
            input: silence(frames),
            song: Some(0),
        }
        .run(block);
        // After the fade-in of 20 ms.
        let worst = worst_difference(&right, &expected, 1000);
        assert!(
            worst < 2e-8,
            "{worst:e}: a sample early or late would be 1e-3"
        );
        figure(
            "06 event on beat, carrier or level, glide 0",
            "takes effect at its sample",
            &format!("at its sample (error against the closed form {worst:.0e})"),
        );
    }
}

#[test]
fn a_linear_row_is_exact() {
    // 10 -> 4 Hz over 60 s in a straight line: phase against the integral in closed form.
    let rate = 48_000.0;
    let (start, length) = (48_017usize, 2_880_000usize);
    let events = [(
        start,
        id::BEAT,
        Change::Linear {
            to: 4.0,
            frames: length as u64,
        },
    )];
    let frames = 3_000_000;
    let [left, right] = Render {
        rate,
        settings: &binaural(10.0, 250.0),
        events: &events,
        input: silence(frames),
        song: Some(0),
    }
    .run(Some(480));
    let beat_cycles = |n: usize| {
        let t = (n.clamp(start, start + length) - start) as f64 / rate;
        let line = 10.0 * t - 6.0 / (length as f64 / rate) * t * t / 2.0;
        let before = n.min(start) as f64 / rate * 10.0;
        let after = n.saturating_sub(start + length) as f64 / rate * 4.0;
        before + line + after
    };
    let mut worst: f64 = 0.0;
    for (ear, sign) in [(&left, -0.5), (&right, 0.5)] {
        let expected = expected_tone(
            frames,
            |_| 0.1,
            |n| 250.0 * n as f64 / rate + sign * beat_cycles(n),
        );
        worst = worst.max(worst_difference(ear, &expected, 1000));
    }
    // An error of phase of x degrees is an error of up to 0.1 sin(x).
    let degrees = (worst / 0.1).asin().to_degrees();
    figure(
        "05 ramp 10 -> 4 Hz over 60 s by a linear row",
        "phase within 0.01 degree of the closed form",
        &format!("{degrees:.1e} degree"),
    );
    assert!(degrees < 0.01, "{degrees}");
}

#[test]
fn host_automation_of_one_value_a_block() {
    // A host that sends one value per block: the lane is a straight line from 10 to 4 Hz over 60 s. Glide 0
    // holds each value, the default glide follows with its own delay.
    let rate = 48_000.0;
    let frames = 48_000 * 60;
    let lane = |n: usize| 10.0 - 6.0 * n as f64 / frames as f64;
    for block in [1024, 64] {
        let worst = [0.0, 0.02].map(|glide| {
            let mut engine = Engine::new(rate).unwrap();
            for (control, value) in binaural(10.0, 250.0) {
                engine.set(control, value);
            }
            engine.set(id::GLIDE, glide);
            engine.reset();
            let mut worst: f64 = 0.0;
            for n in (0..frames).step_by(block) {
                let (mut left, mut right) = (vec![0.0; block], vec![0.0; block]);
                engine.set(id::BEAT, lane(n));
                let transport = Transport::Host {
                    playing: true,
                    song_frames: Some(n as i64),
                    tempo: None,
                };
                engine.process(&mut left, &mut right, transport, &[]);
                let t = (n + block) as f64 / rate;
                let exact = 10.0 * t - 6.0 / 60.0 * t * t / 2.0;
                let error = (engine.telemetry().beat_phase() - exact + 0.5).rem_euclid(1.0) - 0.5;
                worst = worst.max(error.abs() * 360.0);
            }
            worst
        });
        figure(
            &format!("06 the same ramp by host automation, one value per block of {block}"),
            "phase error against the lane printed and documented",
            &format!(
                "{:.1} degrees of the beat with glide 0, {:.1} with glide 0.02 s",
                worst[0], worst[1]
            ),
        );
        assert!(worst.iter().all(|degrees| *degrees < 60.0), "{worst:?}");
    }
}

#[test]
fn a_glide_is_phase_continuous_and_arrives() {
    let rate = 48_000.0;
    let at = 20_005;
    let frames = 60_000;
    let [left, _] = Render {
        rate,
        settings: &binaural(10.0, 250.0),
        events: &[step(at, id::BEAT, 30.0)],
        input: silence(frames),
        song: Some(0),
    }
    .run(Some(64));
    let length = (0.02 * rate) as usize;
    // The raised cosine from 5 to 15 Hz below the carrier, integrated frame by frame at fine steps.
    let mut turns = vec![0.0f64; frames];
    for n in 1..frames {
        let x = ((n as f64 - 0.5 - at as f64) / length as f64).clamp(0.0, 1.0);
        let half_beat = 5.0 + 10.0 * (0.5 - 0.5 * (std::f64::consts::PI * x).cos());
        turns[n] = (turns[n - 1] + (250.0 - half_beat) / rate).fract();
    }
    let expected = expected_tone(frames, |_| 0.1, |n| turns[n]);
    let worst = worst_difference(&left, &expected, 1000);
    assert!(worst < 1e-6, "{worst:e}");
}

#[test]
fn what_is_shown_is_what_sounds() {
    let mut engine = Engine::new(48_000.0).unwrap();
    engine.set(id::L1_KIND, 1.0);
    engine.set(id::BEAT, 6.3);
    engine.set(id::CARRIER, 211.1);
    let (mut left, mut right) = (vec![0.0; 4_800], vec![0.0; 4_800]);
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    assert_eq!(engine.telemetry().beat(), 6.3);
    assert_eq!(engine.telemetry().carrier(), 211.1);
    let shown = engine.telemetry().beat_phase();
    assert!((shown - 0.63).abs() < 1e-12, "{shown}");
    assert_eq!(engine.telemetry().frames(), 4_800);
}
