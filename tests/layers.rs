//! Layers of every kind, against closed forms: tones, pulses, sides, waves.

mod common;

use common::solo::{RATE, envelope, hertz, layer, peak, render, tail, with};
use common::{Render, assert_same, figure, frequency, silence, step};
use std::f64::consts::PI;
use zeitgeber::analysis::fit;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Engine, Transport};

/// The pulse that PARAMETERS.md describes, at a phase of the beat in cycles.
fn pulse(phase: f64, duty: f64, ramp: f64) -> f64 {
    let ramp = ramp.min(0.5 * duty.min(1.0 - duty));
    let edge = |distance: f64| {
        let x = (distance / ramp + 0.5).clamp(0.0, 1.0);
        0.5 - 0.5 * (PI * x).cos()
    };
    let f = phase - phase.floor();
    let from_rise = if f >= 0.5 * (1.0 + duty) { f - 1.0 } else { f };
    edge(from_rise) - edge(from_rise - duty)
}

#[test]
fn ratios_and_intervals_are_exact() {
    let mut worst: f64 = 0.0;
    for (ratio, semitones) in [(1.5, 12.0), (0.25, -24.0), (4.0, 7.02), (0.3333, 0.5)] {
        let settings = with(
            layer(id::LAYER_BINAURAL),
            &[(id::L1_RATIO, ratio), (id::L1_INTERVAL, semitones)],
        );
        let [left, right] = render(&settings, 12.0);
        let carrier = 250.0 * 2f64.powf(semitones / 12.0);
        for (ear, sign) in [(&left, -0.5), (&right, 0.5)] {
            let expected = carrier + sign * 10.0 * ratio;
            worst = worst.max((hertz(ear, expected) - expected).abs());
        }
    }
    figure(
        "20 ratios and intervals, 10 s fit",
        "within 0.001 mHz",
        &format!("{:.1e} mHz", worst * 1e3),
    );
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn four_layers_sound_together() {
    let mut settings = vec![(id::BEAT, 8.0), (id::CARRIER, 200.0)];
    for (n, layer) in id::LAYER.iter().enumerate() {
        settings.push((layer.kind, id::LAYER_BINAURAL as f64));
        settings.push((layer.interval, 7.0 * n as f64));
        settings.push((layer.level, -30.0));
    }
    let [left, _] = render(&settings, 6.0);
    for n in 0..4 {
        let expected = 200.0 * 2f64.powf(7.0 * n as f64 / 12.0) - 4.0;
        let level = fit::level_at(tail(&left, 1.0), RATE, expected);
        assert!((level + 30.0).abs() < 0.05, "layer {}: {level} dB", n + 1);
    }
}

#[test]
fn monaural_is_the_same_in_both_ears_and_peaks_at_its_level() {
    let [left, right] = render(&layer(id::LAYER_MONAURAL), 4.0);
    assert_same(&left, &right, "monaural");
    let found = peak(tail(&left, 1.0));
    assert!((20.0 * found.log10() + 20.0).abs() < 0.01, "{found}");
    for tone in [245.0, 255.0] {
        let level = fit::level_at(tail(&left, 1.0), RATE, tone);
        assert!((level + 26.02).abs() < 0.01, "each tone has half: {level}");
    }
}

#[test]
fn isochronic_pulses_are_as_described() {
    let (mut duty_error, mut off, mut rise_error): (f64, f64, f64) = (0.0, 0.0, 0.0);
    for (duty, ramp) in [(50.0, 10.0), (20.0, 5.0), (80.0, 2.0), (50.0, 50.0)] {
        let settings = with(
            layer(id::LAYER_ISOCHRONIC),
            &[(id::L1_DUTY, duty), (id::L1_RAMP, ramp)],
        );
        let [left, right] = render(&settings, 4.0);
        assert_same(&left, &right, "isochronic");
        let expected = |n: usize| pulse(10.0 * n as f64 / RATE, duty / 100.0, ramp * 0.01);
        for (n, found) in envelope(&left, 250.0).iter().enumerate().skip(48_000) {
            if let Some(found) = found {
                let expected = expected(n);
                assert!(
                    (found - expected).abs() < 1e-5,
                    "frame {n}: {found} {expected}"
                );
            }
        }
        // Duty: the time between the half-amplitude points; off: the middle of the gap.
        let half: Vec<usize> = (48_000..96_000)
            .filter(|n| (expected(*n) >= 0.5) != (expected(n - 1) >= 0.5))
            .collect();
        let on = (half[1] - half[0]) as f64;
        let measured = if expected(half[0]) >= 0.5 {
            on
        } else {
            4800.0 - on
        };
        duty_error = duty_error.max((measured / 4800.0 - duty / 100.0).abs() * 100.0);
        let gap = 48_000 + (4800.0 * (0.5 + duty / 200.0)) as usize;
        off = off.max(peak(&left[gap - 50..gap + 50]));
        // 10-90 % of a raised cosine is 0.59 of its length.
        let cycle_ramp = (ramp * 0.01).min(0.5 * (duty / 100.0).min(1.0 - duty / 100.0));
        let start = 48_000 - (4800.0 * 0.5 * (1.0 - duty / 100.0)) as usize;
        let first = |level: f64| {
            (start..start + 2400)
                .find(|n| expected(*n) >= level)
                .unwrap() as f64
        };
        rise_error =
            rise_error.max((first(0.9) - first(0.1) - 0.590_3 * cycle_ramp * 4800.0).abs());
    }
    figure(
        "21 isochronic: duty / 10-90 % rise / off level",
        "0.1 % / 1 sample / <= -140 dB",
        &format!(
            "{duty_error:.3} % / {rise_error:.2} samples / {}",
            if off == 0.0 {
                "digital silence".to_owned()
            } else {
                format!("{:.0} dB", 20.0 * off.log10())
            }
        ),
    );
    assert!(
        duty_error <= 0.1 && rise_error <= 1.0 && off <= 1e-8,
        "{duty_error} {rise_error} {off}"
    );
}

#[test]
fn isochronic_rate_is_exact() {
    let settings = with(
        layer(id::LAYER_ISOCHRONIC),
        &[(id::BEAT, 7.123), (id::L1_RATIO, 1.0)],
    );
    let [left, _] = render(&settings, 62.0);
    // The first side tones lie a beat beside the carrier.
    let span = &left[48_000..48_000 * 61];
    let side = frequency(span, RATE, 250.0 + 7.123);
    let carrier = frequency(span, RATE, 250.0);
    let error = (side - carrier - 7.123).abs();
    figure(
        "21 isochronic: rate",
        "within 0.001 mHz",
        &format!("{:.1e} mHz", error * 1e3),
    );
    assert!(error < 1e-6, "{error}");
}

#[test]
fn bilateral_alternates_and_swaps() {
    for swap in [0.0, 1.0] {
        let settings = with(
            layer(id::LAYER_BILATERAL),
            &[(id::BEAT, 1.0), (id::L1_DUTY, 30.0), (id::L1_SWAP, swap)],
        );
        let ears = render(&settings, 4.0);
        let envelopes = ears.each_ref().map(|ear| envelope(ear, 250.0));
        let both = envelopes[0].iter().zip(&envelopes[1]);
        for (n, ears) in both.enumerate().take(180_000).skip(48_000) {
            let first = pulse(n as f64 / RATE, 0.3, 0.01);
            let [left, right] = if swap == 0.0 {
                [first, 1.0 - first]
            } else {
                [1.0 - first, first]
            };
            if let (Some(l), Some(r)) = ears {
                assert!(
                    (l - left).abs() < 1e-5 && (r - right).abs() < 1e-5,
                    "frame {n}: {l} {r}"
                );
            }
        }
    }
}

#[test]
fn swap_exchanges_the_ears_of_a_binaural_layer() {
    let [left, right] = render(&layer(id::LAYER_BINAURAL), 2.0);
    let [swapped_left, swapped_right] =
        render(&with(layer(id::LAYER_BINAURAL), &[(id::L1_SWAP, 1.0)]), 2.0);
    assert_same(&left, &swapped_right, "left is right");
    assert_same(&right, &swapped_left, "right is left");
}

#[test]
fn noise_pulses_are_off_in_the_gap_and_have_their_level() {
    let settings = with(
        layer(id::LAYER_NOISE),
        &[(id::BEAT, 1.0), (id::L1_DUTY, 60.0)],
    );
    let [left, right] = render(&settings, 30.0);
    assert_same(&left, &right, "noise pulses in mono");
    let mut power = 0.0;
    for second in 2..30 {
        let start = second * 48_000;
        assert_eq!(
            peak(&left[start + 38_000..start + 46_000]),
            0.0,
            "the gap is silent"
        );
        let on = &left[start + 1_000..start + 28_000];
        power += on.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / on.len() as f64 / 28.0;
    }
    let level = 10.0 * power.log10();
    assert!((level + 20.0).abs() < 0.5, "{level} dBFS RMS");
}

#[test]
fn waves_are_band_limited() {
    // Whole periods of a frequency that shares none with the rate: all that is no harmonic is aliasing.
    let mut worst = f64::NEG_INFINITY;
    for rate in [44_100.0, 48_000.0] {
        for (wave, carrier) in [
            (1, 1_237.0),
            (2, 1_237.0),
            (3, 1_237.0),
            (2, 211.0),
            (3, 431.0),
            (1, 97.0),
        ] {
            let settings = [
                (id::L1_KIND, id::LAYER_BINAURAL as f64),
                (id::BEAT, 0.0),
                (id::CARRIER, carrier),
                (id::L1_WAVE, f64::from(wave)),
                (id::L1_LEVEL, 0.0),
                (id::FADE_IN, 0.0),
            ];
            let frames = rate as usize;
            let [left, _] = Render {
                rate,
                settings: &settings,
                events: &[],
                input: silence(2 * frames),
                song: Some(0),
            }
            .run(Some(64));
            let span = &left[frames..];
            // One second: bins of 1 Hz, harmonics fall on bins exactly.
            let mut planner = realfft::RealFftPlanner::<f64>::new();
            let fft = planner.plan_fft_forward(frames);
            let mut input: Vec<f64> = span.iter().map(|x| f64::from(*x)).collect();
            let mut spectrum = fft.make_output_vec();
            fft.process(&mut input, &mut spectrum).unwrap();
            let top = spectrum.iter().map(|c| c.norm()).fold(0.0, f64::max);
            let alias = spectrum
                .iter()
                .enumerate()
                .filter(|(bin, _)| bin % carrier as usize != 0)
                .map(|(_, c)| c.norm())
                .fold(0.0, f64::max);
            worst = worst.max(20.0 * (alias / top).log10());
            let highest = peak(span);
            assert!(highest <= 1.001, "the level is the peak: {highest}");
            assert!(highest > 0.9, "{highest}");
        }
    }
    figure(
        "22 aliasing of triangle, saw, square",
        "<= -100 dB",
        &format!("{worst:.1} dB"),
    );
    assert!(worst <= -100.0, "{worst}");
}

#[test]
fn waves_have_their_harmonics() {
    for (wave, amplitude) in [
        (
            1,
            (|k: usize| {
                if k % 2 == 1 {
                    8.0 / (PI * PI * (k * k) as f64)
                } else {
                    0.0
                }
            }) as fn(usize) -> f64,
        ),
        (2, |k| 2.0 / (PI * k as f64)),
        (3, |k| {
            if k % 2 == 1 {
                4.0 / (PI * k as f64)
            } else {
                0.0
            }
        }),
    ] {
        let settings = with(
            layer(id::LAYER_BINAURAL),
            &[
                (id::BEAT, 0.0),
                (id::L1_WAVE, f64::from(wave)),
                (id::L1_LEVEL, 0.0),
            ],
        );
        let [left, _] = render(&settings, 3.0);
        let level = |k: usize| fit::level_at(&left[48_000..96_000], RATE, 250.0 * k as f64);
        for k in 2..30 {
            let expected = 20.0 * (amplitude(k) / amplitude(1)).log10();
            let found = level(k) - level(1);
            if expected.is_finite() {
                assert!(
                    (found - expected).abs() < 0.05,
                    "wave {wave}, harmonic {k}: {found} {expected}"
                );
            } else {
                assert!(found < -100.0, "wave {wave}, harmonic {k}: {found}");
            }
        }
    }
}

#[test]
fn the_beat_is_limited_by_the_carrier_and_high_tones_fade_out() {
    // 100 Hz of beat on 20 Hz: limited to 36, so 2 and 38 Hz.
    let settings = with(
        layer(id::LAYER_BINAURAL),
        &[(id::BEAT, 100.0), (id::CARRIER, 20.0)],
    );
    let [left, right] = render(&settings, 8.0);
    assert!((hertz(&left, 2.0) - 2.0).abs() < 1e-4);
    assert!((hertz(&right, 38.0) - 38.0).abs() < 1e-5);
    // 1500 Hz and three octaves: 12 kHz at 24 kHz of rate is beyond 0.45 of it.
    let settings = [
        (id::L1_KIND, 1.0),
        (id::CARRIER, 1500.0),
        (id::L1_INTERVAL, 36.0),
        (id::FADE_IN, 0.0),
    ];
    for wave in [0.0, 2.0] {
        let settings = with(settings.to_vec(), &[(id::L1_WAVE, wave)]);
        let [left, _] = Render {
            rate: 24_000.0,
            settings: &settings,
            events: &[],
            input: silence(24_000),
            song: None,
        }
        .run(Some(64));
        assert_eq!(peak(&left), 0.0, "wave {wave}");
    }
}

#[test]
fn layers_change_kind_without_losing_the_phase() {
    // Off and on again, through other kinds: the tone is where it would have been.
    let settings = with(layer(id::LAYER_BINAURAL), &[(id::FADE_IN, 0.0)]);
    let changed = Render {
        rate: RATE,
        settings: &settings,
        events: &[
            step(10_000, id::L1_KIND, id::LAYER_ISOCHRONIC as f64),
            step(20_000, id::L1_KIND, 0.0),
            step(30_000, id::L1_KIND, id::LAYER_BINAURAL as f64),
        ],
        input: silence(60_000),
        song: Some(0),
    };
    let plain = Render {
        events: &[],
        ..changed
    }
    .run(Some(64));
    let changed = Render {
        rate: RATE,
        settings: &settings,
        events: &[
            step(10_000, id::L1_KIND, id::LAYER_ISOCHRONIC as f64),
            step(20_000, id::L1_KIND, 0.0),
            step(30_000, id::L1_KIND, id::LAYER_BINAURAL as f64),
        ],
        input: silence(60_000),
        song: Some(0),
    }
    .run(Some(64));
    assert_same(&plain[0][32_000..], &changed[0][32_000..], "left");
}

/// Blocks of 64 frames over a transport that plays or stands, for so many seconds.
fn run_on(engine: &mut Engine, playing: bool, seconds: f64) -> [Vec<f32>; 2] {
    let [mut left, mut right] = silence((seconds * RATE) as usize);
    let transport = Transport::Host {
        playing,
        song_frames: None,
        tempo: None,
    };
    for (left, right) in left.chunks_mut(64).zip(right.chunks_mut(64)) {
        engine.process(left, right, transport, &[]);
    }
    [left, right]
}

#[test]
fn what_is_set_while_a_layer_is_off_is_in_force_when_it_sounds() {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in with(layer(id::LAYER_MONAURAL), &[(id::GLIDE, 5.0)]) {
        engine.set(control, value);
    }
    for (kind, level, off) in [
        (id::L1_KIND, id::L1_LEVEL, id::LAYER_OFF),
        (id::NOISE_KIND, id::NOISE_LEVEL, id::NOISE_OFF),
    ] {
        engine.set(id::L1_KIND, id::LAYER_OFF as f64);
        engine.set(id::NOISE_KIND, id::NOISE_OFF as f64);
        engine.set(level, 0.0);
        run_on(&mut engine, true, 6.0);
        engine.set(kind, 2.0);
        let loud = peak(&run_on(&mut engine, true, 0.5)[0]);
        engine.set(kind, off as f64);
        run_on(&mut engine, true, 0.5);
        engine.set(level, -60.0);
        run_on(&mut engine, true, 6.0);
        engine.set(kind, 2.0);
        let soft = peak(&run_on(&mut engine, true, 0.5)[0]);
        let way = 20.0 * (soft / loud).log10();
        assert!((way + 60.0).abs() < 3.0, "{}: {way} dB", level.control().id);
    }
}

#[test]
fn a_layer_that_is_put_on_while_nothing_plays_stays_silent() {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in [
        (id::RUN, id::RUN_TRANSPORT as f64),
        (id::FADE_IN, 0.0),
        (id::FADE_OUT, 2.0),
        (id::L1_KIND, id::LAYER_MONAURAL as f64),
    ] {
        engine.set(control, value);
    }
    run_on(&mut engine, true, 1.0);
    engine.set(id::L1_KIND, id::LAYER_OFF as f64);
    run_on(&mut engine, true, 1.0);
    run_on(&mut engine, false, 3.0);
    engine.set(id::L1_KIND, id::LAYER_MONAURAL as f64);
    assert_eq!(peak(&run_on(&mut engine, false, 3.0)[0]), 0.0);
    // And once it plays it is there, with the fade that is asked for: none.
    let [left, _] = run_on(&mut engine, true, 0.5);
    assert!(peak(&left[2400..]) > 0.09);
}

#[test]
fn a_layer_that_is_put_on_long_after_the_fade_in_does_not_wait_for_it() {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in with(layer(id::LAYER_OFF), &[(id::FADE_IN, 3.0)]) {
        engine.set(control, value);
    }
    run_on(&mut engine, true, 4.0);
    engine.set(id::L1_KIND, id::LAYER_MONAURAL as f64);
    let [left, _] = run_on(&mut engine, true, 0.5);
    assert!(peak(&left[2400..]) > 0.09, "{}", peak(&left[2400..]));
    // Half-way through one it comes in where the fade is.
    engine.reset();
    engine.set(id::L1_KIND, id::LAYER_OFF as f64);
    run_on(&mut engine, true, 1.5);
    engine.set(id::L1_KIND, id::LAYER_MONAURAL as f64);
    let [left, _] = run_on(&mut engine, true, 3.0);
    let half = peak(&left[2400..4800]);
    assert!((0.045..0.065).contains(&half), "{half}");
    assert!((peak(tail(&left, 1.6)) - 0.1).abs() < 1e-3);
}
