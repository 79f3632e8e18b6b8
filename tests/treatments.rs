//! The music itself carries the beat: amplitude, bilateral, shift and sweep do what they say, and no more.

mod common;

use common::{At, BLOCKS, Random, Render, assert_same, figure, sine, step};
use std::f64::consts::{PI, TAU};
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::analysis::fit;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls as id;

const RATE: f64 = 48_000.0;

/// Renders a program under settings, without fades, from song position 0.
fn treat(rate: f64, settings: &[(ControlId, f64)], input: [Vec<f32>; 2]) -> [Vec<f32>; 2] {
    let mut all = vec![(id::FADE_IN, 0.0)];
    all.extend_from_slice(settings);
    Render {
        rate,
        settings: &all,
        events: &[],
        input,
        song: Some(0),
    }
    .run(Some(64))
}

fn kind(kind: usize, beat: f64) -> Vec<(ControlId, f64)> {
    vec![(id::PROG_KIND, kind as f64), (id::BEAT, beat)]
}

fn both(signal: Vec<f32>) -> [Vec<f32>; 2] {
    [signal.clone(), signal]
}

fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    (0..frames).map(|_| 0.3 * random.sample()).collect()
}

#[test]
fn amplitude_is_a_tremolo() {
    let mut worst_depth = 0.0f64;
    let mut worst_harmonic = f64::NEG_INFINITY;
    for (beat, depth) in [
        (10.0, 1.0),
        (10.0, 0.5),
        (4.0, 0.123),
        (40.0, 0.9),
        (0.5, 1.0),
    ] {
        let mut settings = kind(id::PROGRAM_AMPLITUDE, beat);
        settings.push((id::PROG_DEPTH, depth));
        // A constant shows the gain itself.
        let [left, right] = treat(RATE, &settings, both(vec![0.5; 240_000]));
        assert_same(&left, &right, "the ears");
        let settled = &left[48_000..];
        let (low, high) = settled.iter().fold((f32::MAX, f32::MIN), |(low, high), x| {
            (low.min(*x), high.max(*x))
        });
        worst_depth = worst_depth
            .max((1.0 - f64::from(low) / 0.5 - depth).abs())
            .max((f64::from(high) / 0.5 - 1.0).abs());
        let mean = settled.iter().map(|x| f64::from(*x)).sum::<f64>() / settled.len() as f64;
        let ac: Vec<f32> = settled
            .iter()
            .map(|x| (f64::from(*x) - mean) as f32)
            .collect();
        let first = fit::fit(&ac, RATE, beat).unwrap();
        let rest: Vec<f32> = fit::subtract(&ac, RATE, &first)
            .iter()
            .map(|x| *x as f32)
            .collect();
        worst_harmonic = worst_harmonic.max(fit::level_at(&rest, RATE, 2.0 * beat) - first.level());
        // Half-way and rising at phase 0.
        assert!((f64::from(left[48_000]) / 0.5 - (1.0 - 0.5 * depth)).abs() < 1e-3);
    }
    figure(
        "14 amplitude: depth, of 5 beats and depths",
        "within 0.1 %",
        &format!("{:.5} % off", 100.0 * worst_depth),
    );
    figure(
        "14 amplitude: 2nd harmonic of the envelope",
        "<= -90 dB",
        &format!("{worst_harmonic:.1} dB"),
    );
    assert!(worst_depth < 1e-3 && worst_harmonic < -90.0);
}

#[test]
fn the_pulse_shape_has_its_duty_and_ramp() {
    let mut settings = kind(id::PROGRAM_AMPLITUDE, 10.0);
    settings.extend([
        (id::PROG_SHAPE, 1.0),
        (id::PROG_DUTY, 30.0),
        (id::PROG_RAMP, 20.0),
        (id::PROG_DEPTH, 0.8),
    ]);
    let [left, _] = treat(RATE, &settings, both(vec![0.5; 96_000]));
    let cycle = &left[48_000..52_800];
    let above = cycle.iter().filter(|x| f64::from(**x) > 0.5 * 0.6).count();
    assert!((above as f64 / 4800.0 - 0.3).abs() < 0.001, "{above}");
    assert!(
        (f64::from(cycle[720]) - 0.5).abs() < 1e-6 && (f64::from(cycle[3000]) - 0.1).abs() < 1e-6
    );
}

#[test]
fn depth_0_is_bit_exact() {
    let input = [noise(96_000, 3), noise(96_000, 4)];
    for kind_ in 1..=4 {
        for edges in [false, true] {
            let mut settings = kind(kind_, 10.0);
            settings.push((id::PROG_DEPTH, 0.0));
            if edges {
                settings.extend([(id::PROG_LOW, 300.0), (id::PROG_HIGH, 3000.0)]);
            }
            let out = treat(RATE, &settings, input.clone());
            for ear in 0..2 {
                assert_same(&out[ear], &input[ear], &format!("kind {kind_}"));
            }
        }
    }
    figure(
        "15 amplitude, bilateral, shift, sweep: depth 0",
        "bit-exact through",
        "bit-exact",
    );
}

/// Level of what is at `wanted`, and at two others beside it, in dB, from a second on.
fn lines(signal: &[f32], rate: f64, wanted: f64, others: [f64; 2]) -> (f64, [f64; 2]) {
    let settled = &signal[rate as usize..];
    let main = fit::fit(settled, rate, wanted).unwrap();
    let rest: Vec<f32> = fit::subtract(settled, rate, &main)
        .iter()
        .map(|x| *x as f32)
        .collect();
    (main.level(), others.map(|f| fit::level_at(&rest, rate, f)))
}

#[test]
fn shift_moves_every_frequency_by_half_the_beat() {
    let (mut image, mut ripple) = (f64::NEG_INFINITY, 0.0f64);
    for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        for frequency in [40.0, 61.7, 150.0, 440.0, 1000.0, 4321.0, 12_000.0, 16_000.0] {
            for beat in [0.5, 7.83, 40.0, 100.0] {
                if frequency - beat / 2.0 < 1.0 {
                    continue;
                }
                let frames = (3.0 * rate) as usize;
                let input = both(sine(frames, rate, 0.5, frequency, 0.1));
                let ears = treat(rate, &kind(id::PROGRAM_SHIFT, beat), input);
                for (ear, sign) in [(0, -1.0), (1, 1.0)] {
                    let moved = sign * beat / 2.0;
                    let (level, [at_image, at_carrier]) = lines(
                        &ears[ear],
                        rate,
                        frequency + moved,
                        [frequency - moved, frequency],
                    );
                    let here = at_image.max(at_carrier) - level;
                    image = image.max(here);
                    ripple = ripple.max((level - 20.0 * 0.5f64.log10()).abs());
                    assert!(here <= -80.0, "{rate} {frequency} {beat} {ear}: {here}");
                }
            }
        }
    }
    figure(
        "16 shift: image and carrier, 40 Hz - 16 kHz, beat 0.5 - 100 Hz, 4 rates",
        "<= -80 dB",
        &format!("{image:.1} dB"),
    );
    figure("16 shift: ripple", "0.01 dB", &format!("{ripple:.4} dB"));
    assert!(ripple <= 0.01, "{ripple}");
}

#[test]
fn shift_has_the_group_delay_that_is_documented() {
    // An impulse at depth just above nothing: the allpass itself.
    let mut impulse = vec![0.0; 1 << 16];
    impulse[0] = 1.0;
    let mut settings = kind(id::PROGRAM_SHIFT, 0.0);
    settings.push((id::PROG_DEPTH, 1.0));
    let [left, _] = treat(RATE, &settings, both(impulse));
    assert!(left[0] != 0.0, "no latency");
    let delay = |frequency: f64| {
        let (mut re, mut im, mut dre, mut dim) = (0.0, 0.0, 0.0, 0.0);
        for (n, x) in left.iter().enumerate() {
            let (sin, cos) = (TAU * frequency * n as f64 / RATE).sin_cos();
            let x = f64::from(*x);
            re += x * cos;
            im -= x * sin;
            dre += n as f64 * x * cos;
            dim -= n as f64 * x * sin;
        }
        // Group delay: the real part of the transform of n x over that of x.
        1000.0 * (dre * re + dim * im) / (re * re + im * im) / RATE
    };
    let (low, mid) = (delay(40.0), delay(1000.0));
    figure(
        "16 shift: group delay at 40 Hz / 1 kHz / 10 kHz",
        "documented",
        &format!("{low:.1} / {mid:.2} / {:.3} ms", delay(10_000.0)),
    );
    assert!((low - 11.0).abs() < 1.0 && (mid - 0.6).abs() < 0.1);
}

#[test]
fn shift_blocks_dc_and_folds_to_full_amplitude_modulation() {
    let constant = treat(
        RATE,
        &kind(id::PROGRAM_SHIFT, 10.0),
        both(vec![0.5; 144_000]),
    );
    let worst = constant[0][96_000..]
        .iter()
        .fold(0.0f32, |peak, x| peak.max(x.abs()));
    assert!(worst < 1e-5, "{worst}");
    let [left, right] = treat(
        RATE,
        &kind(id::PROGRAM_SHIFT, 10.0),
        both(sine(144_000, RATE, 0.5, 1000.0, 0.0)),
    );
    let mono: Vec<f32> = left
        .iter()
        .zip(&right)
        .map(|(l, r)| 0.5 * (l + r))
        .collect();
    for line in [995.0, 1005.0] {
        let level = fit::level_at(&mono[48_000..], RATE, line);
        assert!(
            (level - 20.0 * 0.25f64.log10()).abs() < 0.1,
            "{line}: {level}"
        );
    }
    // The null of the fold: twice a beat cycle the ears cancel.
    let quietest = mono[48_000..]
        .chunks(48)
        .map(|chunk| chunk.iter().fold(0.0f32, |peak, x| peak.max(x.abs())))
        .fold(f32::MAX, f32::min);
    assert!(quietest < 0.02, "{quietest}");
}

#[test]
fn partial_depth_keeps_the_rest_in_place() {
    let mut settings = kind(id::PROGRAM_SHIFT, 8.0);
    settings.push((id::PROG_DEPTH, 0.25));
    let [left, _] = treat(RATE, &settings, both(sine(192_000, RATE, 0.5, 700.0, 0.0)));
    let settled = &left[48_000..];
    for (frequency, expected) in [(700.0, 0.375f64), (696.0, 0.125)] {
        let level = fit::level_at(settled, RATE, frequency);
        assert!(
            (level - 20.0 * expected.log10()).abs() < 0.02,
            "{frequency}: {level}"
        );
    }
    assert!(fit::level_at(settled, RATE, 704.0) < -85.0);
}

#[test]
fn band_edges_leave_the_rest_alone() {
    // Edges at 250 and 4000 Hz: two octaves inside is 1 kHz, two outside 62.5 Hz and 16 kHz.
    let edges = [(id::PROG_LOW, 250.0), (id::PROG_HIGH, 4000.0)];
    let mut settings = kind(id::PROGRAM_SHIFT, 10.0);
    settings.extend(edges);
    let mut worst = f64::NEG_INFINITY;
    for (frequency, shifted) in [(1000.0, true), (62.5, false), (16_000.0, false)] {
        let ears = treat(
            RATE,
            &settings,
            both(sine(192_000, RATE, 0.5, frequency, 0.0)),
        );
        let (here, others) = if shifted {
            (frequency + 5.0, [frequency, frequency - 5.0])
        } else {
            (frequency, [frequency + 5.0, frequency - 5.0])
        };
        let (level, others) = lines(&ears[1], RATE, here, others);
        assert!(
            (level - 20.0 * 0.5f64.log10()).abs() < 0.02,
            "{frequency}: {level}"
        );
        worst = worst.max(others[0].max(others[1]) - level);
    }
    figure(
        "16 shift with band edges, two octaves inside and outside",
        "<= -80 dB",
        &format!("{worst:.1} dB"),
    );
    assert!(worst <= -80.0, "{worst}");
    // The whole is flat where the treatment does nothing: beat 0.
    for kind_ in [id::PROGRAM_SHIFT, id::PROGRAM_BILATERAL] {
        for (low, high) in [(250.0, 4000.0), (0.0, 800.0), (120.0, 20_000.0)] {
            let mut settings = kind(kind_, 0.0);
            settings.extend([(id::PROG_LOW, low), (id::PROG_HIGH, high)]);
            for frequency in [50.0, 200.0, 250.0, 900.0, 4000.0, 15_000.0] {
                let [left, _] = treat(
                    RATE,
                    &settings,
                    both(sine(96_000, RATE, 0.5, frequency, 0.0)),
                );
                let level = fit::level_at(&left[48_000..], RATE, frequency) - 20.0 * 0.5f64.log10();
                assert!(
                    level.abs() < 0.02,
                    "kind {kind_}, {low}-{high}: {frequency} Hz {level} dB"
                );
            }
        }
    }
    // Amplitude leaves what is outside of its band as loud as it was.
    let mut settings = kind(id::PROGRAM_AMPLITUDE, 10.0);
    settings.extend(edges);
    let [left, _] = treat(RATE, &settings, both(sine(192_000, RATE, 0.5, 62.5, 0.0)));
    let (_, sides) = lines(&left, RATE, 62.5, [52.5, 72.5]);
    assert!(sides[0].max(sides[1]) < -80.0, "{sides:?}");
}

#[test]
fn bilateral_is_an_equal_power_pan() {
    let mut settings = kind(id::PROGRAM_BILATERAL, 2.0);
    let [left, right] = treat(RATE, &settings, both(vec![0.5; 96_000]));
    let mut sides = (0.0f64, 1.0f64);
    for (n, (l, r)) in left.iter().zip(&right).enumerate().skip(1000) {
        let (l, r) = (f64::from(*l) / 0.5, f64::from(*r) / 0.5);
        assert!((l * l + r * r - 2.0).abs() < 1e-6, "frame {n}");
        // The left comes first.
        let place = (TAU * 2.0 * n as f64 / RATE).sin();
        let angle = PI / 4.0 * (1.0 + place);
        assert!((l - 2f64.sqrt() * angle.sin()).abs() < 1e-6, "frame {n}");
        sides = (sides.0.max(l), sides.1.min(l));
    }
    assert!((sides.0 - 2f64.sqrt()).abs() < 1e-6 && sides.1.abs() < 1e-6);
    settings.push((id::PROG_DEPTH, 0.5));
    let [left, _] = treat(RATE, &settings, both(vec![0.5; 96_000]));
    let most = left.iter().fold(0.0f32, |most, x| most.max(*x));
    assert!((f64::from(most) / 0.5 - 2f64.sqrt() * (PI * 3.0 / 8.0).sin()).abs() < 1e-4);
}

#[test]
fn sweep_travels_between_its_ends() {
    // The level of a tone over the cycle shows the corner: loud while it is above the tone.
    let mut settings = kind(id::PROGRAM_SWEEP, 1.0);
    settings.extend([(id::PROG_LOW, 400.0), (id::PROG_HIGH, 6400.0)]);
    let [left, right] = treat(
        RATE,
        &settings,
        both(sine(144_000, RATE, 0.25, 6400.0, 0.0)),
    );
    assert_same(&left, &right, "the ears");
    let level = |from: usize| {
        let part = &left[from..from + 480];
        20.0 * (part.iter().fold(0.0f32, |peak, x| peak.max(x.abs())) / 0.25).log10()
    };
    // Corner at 6400 Hz after a quarter of the cycle: the resonance, Q 2, is +6 dB; at 400 Hz 48 dB below.
    let (top, bottom) = (level(48_000 + 12_000 - 240), level(48_000 + 36_000 - 240));
    assert!((top - 6.0).abs() < 0.5, "{top}");
    assert!((-50.0..-44.0).contains(&bottom), "{bottom}");
    // Without edges it travels from 200 Hz to 5 kHz; at 8 kHz sample rate too.
    for rate in [8_000.0, 44_100.0, 192_000.0] {
        let out = treat(
            rate,
            &kind(id::PROGRAM_SWEEP, 3.0),
            both(noise(2 * rate as usize, 5)),
        );
        assert!(out[0].iter().all(|x| x.is_finite() && x.abs() < 2.0));
    }
}

#[test]
fn every_kind_switches_to_every_other_without_a_click() {
    const TONE: f64 = 400.0;
    const AT: usize = 60_000;
    let filter = ClickFilter::new(RATE).unwrap();
    let tone = sine(90_000, RATE, 0.5, TONE, 0.0);
    let mut worst = (f64::NEG_INFINITY, 0, 0);
    for from in 0..=4 {
        for to in 0..=4 {
            for eighth in 0..8 {
                let at = AT + eighth * (RATE / TONE) as usize / 8;
                let events: [At; 1] = [step(at, id::PROG_KIND, to as f64)];
                let mut settings = kind(from, 2.0);
                settings.push((id::FADE_IN, 0.0));
                let ears = Render {
                    rate: RATE,
                    settings: &settings,
                    events: &events,
                    input: [tone.clone(), tone.clone()],
                    song: Some(0),
                }
                .run(Some(64));
                for ear in &ears {
                    let click = filter.click(&ear[at - 2000..at + 6000], 0.5);
                    if click > worst.0 {
                        worst = (click, from, to);
                    }
                }
            }
        }
    }
    figure(
        "09 clicks: every program kind to every other",
        "<= -80 dB re the tone",
        &format!("{:.1} dB", worst.0),
    );
    assert!(worst.0 <= -80.0, "{worst:?}");
}

#[test]
fn moved_edges_leave_the_lows_in_place() {
    let mut worst = 0.0f64;
    for (control, from, to, hertz) in [
        (id::PROG_LOW, 380.0, 400.0, 120.0),
        (id::PROG_HIGH, 1000.0, 5000.0, 60.0),
    ] {
        let mut settings = kind(id::PROGRAM_AMPLITUDE, 1.0);
        settings.extend([(id::PROG_DEPTH, 0.001), (id::FADE_IN, 0.0), (control, from)]);
        let tone = sine(72_000, RATE, 0.5, hertz, 0.0);
        let out = Render {
            rate: RATE,
            settings: &settings,
            events: &[step(48_000, control, to)],
            input: [tone.clone(), tone],
            song: Some(0),
        }
        .run(Some(64));
        for at in (47_000..56_000).step_by(200) {
            let level = fit::level_at(&out[0][at..at + 2400], RATE, hertz) - 20.0 * 0.5f64.log10();
            worst = worst.min(level);
        }
    }
    figure(
        "14 edges that move: level of a low tone",
        ">= -1 dB",
        &format!("{worst:+.2} dB"),
    );
    assert!(worst >= -1.0, "{worst}");
}

#[test]
fn an_upper_edge_beyond_the_rate_is_none() {
    let mut settings = kind(id::PROGRAM_AMPLITUDE, 10.0);
    let input = [noise(8_000, 1), noise(8_000, 2)];
    let plain = treat(8_000.0, &settings, input.clone());
    settings.push((id::PROG_HIGH, 3_900.0));
    let edged = treat(8_000.0, &settings, input);
    assert_same(&plain[0], &edged[0], "an edge of 3.9 kHz at 8 kHz");
}

/// A tone through a treatment at 10 Hz, something happening at a frame; the worst click of eight phases.
fn click(settings: &[(ControlId, f64)], events: impl Fn(usize) -> Vec<At>) -> f64 {
    const TONE: f64 = 400.0;
    let filter = ClickFilter::new(RATE).unwrap();
    let tone = sine(90_000, RATE, 0.5, TONE, 0.0);
    (0..8)
        .flat_map(|eighth| {
            let at = 60_000 + eighth * (RATE / TONE) as usize / 8;
            let ears = Render {
                rate: RATE,
                settings,
                events: &events(at),
                input: [tone.clone(), tone.clone()],
                song: Some(0),
            }
            .run(Some(64));
            ears.map(|ear| filter.click(&ear[at - 4000..at + 12_000], 0.5))
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn controls_of_a_treatment_move_without_a_click() {
    let mut worst = (f64::NEG_INFINITY, String::new());
    for kind_ in 1..=4 {
        let mut settings = kind(kind_, 4.0);
        settings.push((id::FADE_IN, 0.0));
        for (control, value) in [
            (id::PROG_DEPTH, 0.3),
            (id::PROG_DEPTH, 0.0),
            (id::PROG_RATIO, 2.0),
            (id::PROG_LOW, 300.0),
            (id::PROG_HIGH, 3000.0),
            (id::PROG_LEVEL, -12.0),
            (id::BEAT, 7.0),
            (id::PHASE, 90.0),
            (id::PROG_SHAPE, 1.0),
            (id::BYPASS, 1.0),
        ] {
            let found = click(&settings, |at| vec![step(at, control, value)]);
            if found > worst.0 {
                worst = (
                    found,
                    format!("kind {kind_}: {} to {value}", control.control().id),
                );
            }
        }
    }
    figure(
        "09 clicks: depth, ratio, edges, level, beat, phase, shape of every treatment",
        "<= -80 dB re the tone",
        &format!("{:.1} dB", worst.0),
    );
    assert!(worst.0 <= -80.0, "{worst:?}");
}

#[test]
fn treatments_fade_with_the_entrainment_and_leave_the_audio_as_it_was() {
    let input = [noise(200_000, 7), noise(200_000, 8)];
    for kind_ in 1..=4 {
        let mut settings = kind(kind_, 10.0);
        settings.extend([
            (id::RUN, id::RUN_TRANSPORT as f64),
            (id::FADE_IN, 0.5),
            (id::FADE_OUT, 0.5),
            (id::TIMER, 1.0 / 60.0),
        ]);
        let out = Render {
            rate: RATE,
            settings: &settings,
            events: &[],
            input: input.clone(),
            song: Some(0),
        }
        .run(Some(64));
        let differs = |range: std::ops::Range<usize>| {
            range
                .clone()
                .any(|n| out[0][n].to_bits() != input[0][n].to_bits())
        };
        assert!(differs(24_000..48_000), "kind {kind_} sounds");
        // The timer runs out after a second, the fade takes half of one, the last crossfade 20 ms.
        assert!(!differs(74_000..200_000), "kind {kind_} leaves no trace");
    }
}

#[test]
fn blocks_of_any_size_give_the_same_treatment() {
    let frames = 60_000;
    let mut random = Random(77);
    let controls = [
        id::PROG_KIND,
        id::PROG_DEPTH,
        id::PROG_RATIO,
        id::PROG_LOW,
        id::PROG_HIGH,
        id::PROG_SHAPE,
        id::PROG_DUTY,
        id::PROG_RAMP,
        id::PROG_LEVEL,
        id::LEVELLER_ON,
        id::LEVELLER_TARGET,
        id::CEILING_ON,
        id::BEAT,
    ];
    let mut events: Vec<At> = (0..120)
        .map(|_| {
            let control = controls[random.below(controls.len() as u64) as usize];
            let share = random.below(1001) as f64 / 1000.0;
            let at = random.below(frames as u64) as usize;
            step(at, control, control.control().from_normalized(share))
        })
        .collect();
    events.sort_by_key(|event| event.0);
    let render = Render {
        rate: RATE,
        settings: &[
            (id::PROG_KIND, 3.0),
            (id::LEVELLER_ON, 1.0),
            (id::FADE_IN, 0.1),
        ],
        events: &events,
        input: [noise(frames, 1), noise(frames, 2)],
        song: Some(12_345),
    };
    let whole = render.run(Some(frames));
    for block in BLOCKS {
        let cut = render.run(*block);
        for ear in 0..2 {
            assert_same(&whole[ear], &cut[ear], &format!("blocks of {block:?}"));
        }
    }
}
