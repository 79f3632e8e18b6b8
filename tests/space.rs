//! Space: sources among head-related filters through the whole engine: exact, without clicks, zero latency but
//! the filters' onset.

mod common;

use common::{
    At, BLOCKS, Random, Render, assert_same, binaural, cuts, figure, music, silence, sine, step,
};
use std::f64::consts::TAU;
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::analysis::loudness::LoudnessMeter;
use zeitgeber::dsp::binaural::FilterBank;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Event, Transport};
use zeitgeber::hrtf::{Options, Progress, Source, load};
use zeitgeber::space::{bring_all, everything};

const RATE: f64 = 48_000.0;

/// An engine with the embedded set, both ways.
fn engine(rate: f64) -> Engine {
    let mut engine = Engine::new(rate).unwrap();
    bring_all(&mut engine, &Source::Default, everything(3)).unwrap();
    engine
}

fn run(
    rate: f64,
    settings: &[(ControlId, f64)],
    events: &[At],
    input: [Vec<f32>; 2],
    block: Option<usize>,
) -> [Vec<f32>; 2] {
    Render {
        rate,
        settings,
        events,
        input,
        song: Some(0),
    }
    .run_on(&mut engine(rate), block)
}

fn hrtf() -> Vec<(ControlId, f64)> {
    vec![(id::SPACE_KIND, id::SPACE_HRTF as f64), (id::FADE_IN, 0.0)]
}

fn with(more: &[(ControlId, f64)]) -> Vec<(ControlId, f64)> {
    let mut all = hrtf();
    all.extend_from_slice(more);
    all
}

fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    (0..frames).map(|_| 0.2 * random.sample()).collect()
}

fn energy(signal: &[f32]) -> f64 {
    signal.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
}

#[test]
fn the_onset_is_the_same_in_every_direction() {
    let mut random = Random(4);
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        let mut engine = engine(rate);
        for _ in 0..40 {
            let azimuth = random.below(360) as f64 - 180.0;
            let elevation = random.below(181) as f64 - 90.0;
            let mut impulse = silence(400);
            impulse[0][0] = 1.0;
            impulse[1][0] = 1.0;
            let settings = with(&[(id::AZIMUTH, azimuth), (id::ELEVATION, elevation)]);
            let out = Render {
                rate,
                settings: &settings,
                events: &[],
                input: impulse,
                song: Some(0),
            }
            .run_on(&mut engine, Some(64));
            // Before it there is at most the rounding of the transform, from its quantum on.
            let peak = out.iter().flatten().fold(0.0f32, |a, b| a.max(b.abs()));
            let first = |ear: &[f32]| ear.iter().position(|x| x.abs() > 1e-6 * peak);
            let onset = first(&out[0]).into_iter().chain(first(&out[1])).min();
            let onset = onset.expect("an onset");
            // As long above 48 kHz as at it: 11.4 frames of the 32 are there the sinc's.
            let more = (11.42 * (rate / 48_000.0 - 1.0)).max(0.0).round() as usize;
            assert_eq!(onset, 32 + more, "{azimuth} {elevation}");
            assert!(out.iter().all(|ear| ear[..32].iter().all(|x| *x == 0.0)));
            assert!(onset as f64 / rate < 32.5 / 44_100.0);
        }
    }
    figure(
        "20 space: onset of an impulse, 120 directions at 3 rates",
        "constant, <= 32 frames of 48 kHz",
        "frame 32 at 44.1 and 48 kHz, 43 at 96 kHz",
    );
}

#[test]
fn a_moving_tone_has_no_sidebands() {
    // 90 degrees a second, from the side on: a quarter of a turn.
    for (rate, tone, bar) in [
        (RATE, 1000.0, -110.0),
        (RATE, 4000.0, -100.0),
        (44_100.0, 1000.0, -109.0),
        (96_000.0, 1000.0, -110.0),
        (192_000.0, 1000.0, -110.0),
        (384_000.0, 1000.0, -110.0),
        (384_000.0, 4000.0, -100.0),
    ] {
        let frames = (1.1 * rate) as usize + WINDOW.max((2.73 * rate.min(96_000.0)) as usize);
        let settings = with(&[
            (id::WIDTH, 0.0),
            (id::MOTION, id::MOTION_ORBIT as f64),
            (id::MOTION_RATE, 0.25),
        ]);
        let input = [sine(frames, rate, 0.5, tone, 0.0), vec![0.0; frames]];
        let out = run(rate, &settings, &[], input, Some(64));
        let windows = out
            .iter()
            .flat_map(|ear| ear[rate as usize..].chunks_exact(WINDOW));
        let worst = windows
            .map(|window| side_energy(window, tone, rate))
            .fold(f64::NEG_INFINITY, f64::max);
        figure(
            &format!(
                "21 space: moving source, 90 deg/s, {} kHz, beyond +-300 Hz (KEMAR, through the engine), at {} kHz",
                tone / 1000.0,
                rate / 1000.0
            ),
            &format!("<= {bar} dB"),
            &format!("{worst:.1} dB"),
        );
        assert!(worst <= bar, "{rate} {tone}: {worst}");
    }
}

/// Frames of one look at a spectrum.
const WINDOW: usize = 1 << 17;

/// Energy beyond 300 Hz from a tone, re all of it, in dB: a Blackman-Harris window twice over keeps the tone's
/// own skirts below.
fn side_energy(signal: &[f32], tone: f64, rate: f64) -> f64 {
    let n = WINDOW;
    let mut plan = realfft::RealFftPlanner::<f64>::new();
    let fft = plan.plan_fft_forward(n);
    let mut samples: Vec<f64> = (0..n)
        .map(|k| {
            let x = (k as f64 + 0.5) / n as f64;
            let window: f64 = [0.35875, -0.48829, 0.14128, -0.01168]
                .iter()
                .enumerate()
                .map(|(h, a)| a * (TAU * h as f64 * x).cos())
                .sum();
            window * window * f64::from(signal[k])
        })
        .collect();
    let mut bins = fft.make_output_vec();
    fft.process(&mut samples, &mut bins).unwrap();
    let (mut all, mut beyond) = (0.0, 0.0);
    for (k, bin) in bins.iter().enumerate() {
        let frequency = k as f64 * rate / n as f64;
        all += bin.norm_sqr();
        if (frequency - tone).abs() > 300.0 {
            beyond += bin.norm_sqr();
        }
    }
    10.0 * (beyond / all).log10()
}

#[test]
fn blocks_of_any_size_give_the_same_space() {
    let frames = 40_000;
    let mut random = Random(11);
    let controls = [
        id::AZIMUTH,
        id::ELEVATION,
        id::DISTANCE,
        id::WIDTH,
        id::MOTION,
        id::MOTION_RATE,
        id::MOTION_SOURCE,
        id::MOTION_DEPTH,
        id::HEAD_YAW,
        id::HEAD_PITCH,
        id::HEAD_ROLL,
        id::HRTF_EQ,
        id::L1_AZIMUTH,
        id::L1_SPACE,
        id::L1_KIND,
        id::PROG_KIND,
        id::BEAT,
        id::SPACE_KIND,
    ];
    let mut events: Vec<At> = (0..80)
        .map(|_| {
            let control = controls[random.below(controls.len() as u64) as usize];
            let value = control
                .control()
                .from_normalized(random.below(1001) as f64 / 1000.0);
            let change = match random.below(3) {
                0 => Change::Linear {
                    to: value,
                    frames: random.below(3000),
                },
                _ => Change::Step(value),
            };
            (random.below(frames as u64) as usize, control, change)
        })
        .collect();
    events.sort_by_key(|event| event.0);
    let settings = with(&[(id::L1_KIND, 3.0), (id::L1_SPACE, 1.0), (id::MOTION, 1.0)]);
    let input = [noise(frames, 1), noise(frames, 2)];
    let whole = run(RATE, &settings, &events, input.clone(), Some(frames));
    for block in BLOCKS {
        let cut = run(RATE, &settings, &events, input.clone(), *block);
        for ear in 0..2 {
            assert_same(&whole[ear], &cut[ear], &format!("blocks of {block:?}"));
        }
    }
    // The same engine again: reset forgets everything.
    let mut engine = engine(RATE);
    let render = Render {
        rate: RATE,
        settings: &settings,
        events: &events,
        input,
        song: Some(0),
    };
    let first = render.run_on(&mut engine, Some(64));
    let second = render.run_on(&mut engine, Some(64));
    assert_same(&first[0], &second[0], "two bounces");
    assert_same(&first[0], &whole[0], "a bounce and the whole");
}

#[test]
fn a_binaural_layer_never_passes_space() {
    let plain = binaural(10.0, 250.0);
    let mut inside = with(&[(id::L1_SPACE, 1.0), (id::MOTION, 1.0), (id::HEAD_YAW, 30.0)]);
    inside.extend(plain.clone());
    let off = run(RATE, &plain, &[], silence(96_000), Some(64));
    let on = run(RATE, &inside, &[], silence(96_000), Some(64));
    for ear in 0..2 {
        assert_same(&off[ear], &on[ear], "the layer");
    }
    figure(
        "22 space on and moving: a binaural layer",
        "as without space",
        "bit-identical",
    );
}

#[test]
fn signs_are_those_of_the_conventions() {
    // A mono program from one point.
    let side = |settings: &[(ControlId, f64)]| {
        let mut all = with(&[(id::WIDTH, 0.0)]);
        all.extend_from_slice(settings);
        let out = run(
            RATE,
            &all,
            &[],
            [noise(24_000, 5), vec![0.0; 24_000]],
            Some(64),
        );
        10.0 * (energy(&out[0]) / energy(&out[1])).log10()
    };
    assert!(side(&[]).abs() < 0.5);
    assert!(side(&[(id::AZIMUTH, 90.0)]) > 6.0, "positive is left");
    assert!(
        side(&[(id::HEAD_YAW, 90.0)]) < -6.0,
        "a head turned left hears the front on the right"
    );
    assert!(side(&[(id::AZIMUTH, 90.0), (id::HEAD_YAW, 90.0)]).abs() < 0.5);
    // Looking up at what was above in front.
    assert!(
        side(&[(id::ELEVATION, 90.0), (id::HEAD_ROLL, 90.0)]) > 6.0,
        "right ear down, the zenith is left"
    );
    // A layer has a place of its own.
    let mut layer = with(&[
        (id::L1_KIND, 3.0),
        (id::L1_SPACE, 1.0),
        (id::L1_AZIMUTH, -90.0),
        (id::CARRIER, 1000.0),
    ]);
    layer.push((id::L1_DUTY, 95.0));
    let out = run(RATE, &layer, &[], silence(48_000), Some(64));
    assert!(energy(&out[1]) > 2.0 * energy(&out[0]));
}

#[test]
fn space_is_as_loud_as_none() {
    let mut worst = 0.0f64;
    for rate in [44_100.0, 48_000.0] {
        let frames = 6 * rate as usize;
        // Pink by the engine itself.
        let pink = [
            (id::NOISE_KIND, 2.0),
            (id::NOISE_LEVEL, -20.0),
            (id::FADE_IN, 0.0),
        ];
        let input = run(rate, &pink, &[], silence(frames), Some(512));
        let loudness = |signal: &[Vec<f32>; 2]| {
            let mut meter = LoudnessMeter::new(2, rate as u32).unwrap();
            meter.push(&[&signal[0], &signal[1]]);
            meter.measure().integrated.unwrap()
        };
        for eq in [0.0, 1.0] {
            let out = run(
                rate,
                &with(&[(id::HRTF_EQ, eq)]),
                &[],
                input.clone(),
                Some(512),
            );
            let off = loudness(&out) - loudness(&input);
            if off.abs() > worst.abs() {
                worst = off;
            }
        }
    }
    figure(
        "23 space on against off, pink noise in front",
        "within 1 LU",
        &format!("{worst:+.2} LU"),
    );
    assert!(worst.abs() <= 1.0, "{worst}");
}

#[test]
fn switching_and_jumping_do_not_click() {
    const TONE: f64 = 400.0;
    let filter = ClickFilter::new(RATE).unwrap();
    let tone = sine(70_000, RATE, 0.5, TONE, 0.0);
    let mut worst = (f64::NEG_INFINITY, String::new());
    for (settings, control, value) in [
        (vec![(id::FADE_IN, 0.0)], id::SPACE_KIND, 1.0),
        (hrtf(), id::SPACE_KIND, 0.0),
        (hrtf(), id::AZIMUTH, 90.0),
        (hrtf(), id::AZIMUTH, 4.0),
        (hrtf(), id::WIDTH, 180.0),
        (hrtf(), id::DISTANCE, 0.3),
        (hrtf(), id::HRTF_EQ, 0.0),
        (hrtf(), id::HEAD_YAW, -120.0),
        (hrtf(), id::MOTION, 1.0),
    ] {
        for eighth in 0..8 {
            let at = 40_000 + eighth * 15;
            let events = [step(at, control, value)];
            let out = run(
                RATE,
                &settings,
                &events,
                [tone.clone(), tone.clone()],
                Some(64),
            );
            for ear in &out {
                let click = filter.click(&ear[at - 2000..at + 10_000], 0.5);
                if click > worst.0 {
                    worst = (click, format!("{} to {value}", control.control().id));
                }
            }
        }
    }
    figure(
        "24 space: switched on and off, jumps of place and head, other filters",
        "<= -80 dB re the tone",
        &format!("{:.1} dB", worst.0),
    );
    assert!(worst.0 <= -80.0, "{worst:?}");
}

/// The renderer's quanta are the engine's, whenever space comes on: one that counted from there would take the far
/// step below for motion, and click.
#[test]
fn space_that_comes_on_between_quanta_is_the_same() {
    let frames = 24_000;
    let played = |on: usize, off: bool| {
        let mut events = vec![step(on, id::SPACE_KIND, id::SPACE_HRTF as f64)];
        if off {
            // Off between quanta, with time to come to rest, and on again.
            events.insert(0, step(37, id::SPACE_KIND, id::SPACE_HRTF as f64));
            events.insert(1, step(1003, id::SPACE_KIND, id::SPACE_OFF as f64));
        }
        events.push(step(18_001, id::AZIMUTH, 90.0));
        let input = [sine(frames, RATE, 0.5, 400.0, 0.0), vec![0.0; frames]];
        let settings = [(id::FADE_IN, 0.0)];
        run(RATE, &settings, &events, input, Some(64))
    };
    let even = played(12_000, false);
    for (on, off) in [
        (12_005, false),
        (12_031, false),
        (12_000, true),
        (12_011, true),
    ] {
        let odd = played(on, off);
        for (a, b) in even.iter().zip(&odd) {
            assert_eq!(a[15_000..], b[15_000..], "{on} {off}");
        }
    }
}

#[test]
fn motion_follows_the_clock() {
    // An orbit at a quarter of the beat, from a place on the timeline: where the source is depends on the
    // song's position only.
    let settings = with(&[
        (id::WIDTH, 0.0),
        (id::MOTION, id::MOTION_ORBIT as f64),
        (id::MOTION_SOURCE, 1.0),
        (id::MOTION_RATIO, 0.25),
        (id::BEAT, 4.0),
    ]);
    let input = noise(96_000, 9);
    let whole = run(
        RATE,
        &settings,
        &[],
        [input.clone(), vec![0.0; 96_000]],
        Some(64),
    );
    let start = 48_000;
    let part = Render {
        rate: RATE,
        settings: &settings,
        events: &[],
        input: [input[start..].to_vec(), vec![0.0; 48_000]],
        song: Some(start as i64),
    }
    .run_on(&mut engine(RATE), Some(64));
    for ear in 0..2 {
        for n in 2000..48_000 {
            let difference = (whole[ear][start + n] - part[ear][n]).abs();
            assert!(difference < 2e-6, "frame {n}: {difference}");
        }
    }
    // A quarter of a second in, at 1 Hz, it is on the left.
    let window = |from: usize| {
        10.0 * (energy(&whole[0][from..from + 480]) / energy(&whole[1][from..from + 480])).log10()
    };
    assert!(window(12_000) > 6.0 && window(36_000) < -6.0);
}

#[test]
fn interaural_differences_are_the_sets_own() {
    let rate = RATE;
    let set = load(
        &Source::Default,
        rate,
        Options { equalise: false },
        &Progress::new(),
    )
    .unwrap();
    let bank = set.derived(FilterBank::new);
    let mut random = Random(21);
    let mut engine = engine(rate);
    let (mut itd_sum, mut ild_sum) = (0.0, 0.0);
    let count = 200;
    for _ in 0..count {
        let azimuth = random.below(36_000) as f64 / 100.0 - 180.0;
        let elevation = (random.sample() as f64).asin().to_degrees().max(-40.0);
        let settings = with(&[
            (id::WIDTH, 0.0),
            (id::AZIMUTH, azimuth),
            (id::ELEVATION, elevation),
            (id::HRTF_EQ, 0.0),
        ]);
        let mut impulse = silence(1024);
        impulse[0][0] = 1.0;
        let out = Render {
            rate,
            settings: &settings,
            events: &[],
            input: impulse,
            song: Some(0),
        }
        .run_on(&mut engine, Some(64));
        // The set itself: the four neighbours' filters blended, the delay between the ears.
        let cell = set.hrirs.rings.locate(azimuth, elevation);
        let mut own = [vec![0.0f64; set.hrirs.taps], vec![0.0f64; set.hrirs.taps]];
        let delay = bank.itd(&set.hrirs.rings.cell(azimuth, elevation));
        for (direction, weight) in cell {
            for (ear, own) in own.iter_mut().enumerate() {
                for (sum, tap) in own.iter_mut().zip(set.hrirs.filter(direction, ear)) {
                    *sum += f64::from(weight * tap);
                }
            }
        }
        let heard = out
            .each_ref()
            .map(|ear| ear.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>());
        let (found, expected) = (itd(&heard, 0.0), itd(&own, delay));
        itd_sum += (found - expected).abs() / rate * 1e6;
        ild_sum += (ild(&heard) - ild(&own)).abs();
    }
    let (itd, ild) = (itd_sum / f64::from(count), ild_sum / f64::from(count));
    figure(
        "25 space: ITD / ILD against the set's own, 200 random directions",
        "printed",
        &format!("{itd:.2} us / {ild:.3} dB"),
    );
    assert!(itd <= 1.0 && ild < 0.1, "{itd} {ild}");
}

/// Interaural time difference in frames, positive where the right ear is later: the slope of the phase
/// between the ears below 1.5 kHz, weighted by energy, with a further delay of the right ear.
fn itd(ears: &[Vec<f64>; 2], delay: f64) -> f64 {
    let (mut above, mut below) = (0.0, 0.0);
    let mut last = 0.0f64;
    for step in 1..150 {
        let w = TAU * 10.0 * f64::from(step) / RATE;
        let spectrum = |ear: &Vec<f64>| {
            ear.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, x)| {
                (re + x * (w * n as f64).cos(), im - x * (w * n as f64).sin())
            })
        };
        let (l, r) = (spectrum(&ears[0]), spectrum(&ears[1]));
        let cross = (l.0 * r.0 + l.1 * r.1, l.1 * r.0 - l.0 * r.1);
        let mut phase = cross.1.atan2(cross.0);
        phase += TAU * ((last - phase) / TAU).round();
        last = phase;
        let weight = cross.0.hypot(cross.1);
        above += weight * w * phase;
        below += weight * w * w;
    }
    above / below + delay
}

/// Energy ratio of the ears from 2 to 16 kHz in dB.
fn ild(ears: &[Vec<f64>; 2]) -> f64 {
    let band = |ear: &Vec<f64>| -> f64 {
        (40..320)
            .map(|step| {
                let w = TAU * 50.0 * f64::from(step) / RATE;
                let (re, im) = ear.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, x)| {
                    (re + x * (w * n as f64).cos(), im - x * (w * n as f64).sin())
                });
                re * re + im * im
            })
            .sum()
    };
    10.0 * (band(&ears[0]) / band(&ears[1])).log10()
}

#[test]
fn without_filters_space_waits() {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in hrtf() {
        engine.set(control, value);
    }
    engine.reset();
    let input = noise(4800, 3);
    let [mut left, mut right] = [input.clone(), input.clone()];
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    assert_same(&left, &input, "no filters, no space");
    let wish = engine.telemetry().space_wish().unwrap();
    assert!(wish.filters && wish.equalised && wish.decoder.is_none());
    // They come while it plays: space fades in.
    bring_all(&mut engine, &Source::Default, everything(1)).unwrap();
    let [mut left, mut right] = [noise(9600, 4), noise(9600, 4)];
    let before = left.clone();
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    assert!(left[9000..] != before[9000..], "space is on");
}

#[test]
fn music_moves_fast_at_odd_rates_and_stays_finite() {
    for rate in [8_000.0, 11_025.0, 22_050.0, 88_200.0, 192_000.0] {
        let mut engine = engine(rate);
        let settings = with(&[
            (id::MOTION, 1.0),
            (id::MOTION_RATE, 10.0),
            (id::DISTANCE, 0.2),
        ]);
        for (control, value) in &settings {
            engine.set(*control, *value);
        }
        engine.reset();
        let [mut left, mut right] = music(0.5, rate, 0.5, 3);
        left[100] = f32::NAN;
        right[200] = f32::INFINITY;
        let mut start = 0;
        for count in cuts(left.len(), None, 5) {
            let events = [Event {
                frame: count / 2,
                control: id::ELEVATION,
                change: Change::Step((start % 180) as f64 - 90.0),
            }];
            let end = start + count;
            engine.process(
                &mut left[start..end],
                &mut right[start..end],
                Transport::Absent,
                &events,
            );
            start = end;
        }
        assert!(
            left.iter()
                .chain(&right)
                .all(|x| x.is_finite() && x.abs() < 20.0),
            "{rate}"
        );
        assert!(energy(&left) > 0.0);
    }
}

#[test]
fn a_layer_sent_to_space_is_there_however_long_it_was_not() {
    let settings = with(&[(id::L1_KIND, id::LAYER_MONAURAL as f64), (id::FADE_IN, 2.0)]);
    let frames = 4 * 48_000;
    let events = [step(3 * 48_000, id::L1_SPACE, 1.0)];
    let out = run(RATE, &settings, &events, silence(frames), Some(64));
    // A beat of 10 Hz has its loudest place within a tenth of a second.
    let before = energy(&out[0][3 * 48_000 - 9600..3 * 48_000]);
    let after = energy(&out[0][3 * 48_000 + 4800..3 * 48_000 + 14_400]);
    assert!(after > 0.25 * before, "{after} of {before}");
}

#[test]
fn a_layer_that_is_sent_while_it_is_off_does_not_click_when_it_comes_back() {
    let settings = with(&[
        (id::L1_KIND, id::LAYER_MONAURAL as f64),
        (id::BEAT, 0.0),
        (id::CARRIER, 400.0),
    ]);
    let kind = |at, kind: usize| step(at, id::L1_KIND, kind as f64);
    let filter = ClickFilter::new(RATE).unwrap();
    let mut worst = f64::NEG_INFINITY;
    for quarter in 0..4 {
        let back = 40_000 + quarter * 30;
        let events = [
            kind(10_000, id::LAYER_OFF),
            step(15_000, id::L1_SPACE, 1.0),
            kind(20_000, id::LAYER_MONAURAL),
            step(back, id::L1_SPACE, 0.0),
        ];
        let out = run(RATE, &settings, &events, silence(48_000), Some(64));
        for ear in out {
            worst = worst.max(filter.click(&ear[30_000..], 0.1));
        }
    }
    assert!(worst <= -80.0, "{worst}");
}

/// A tone in two speakers, in space, over a transport or with changes, at two phases of the tone: the loudest click
/// in dB re the tone.
fn worst_click(
    engine: &mut Engine,
    settings: &[(ControlId, f64)],
    events: impl Fn(usize) -> Vec<At>,
    song: impl Fn(i64, i64) -> (bool, i64),
) -> f64 {
    let filter = ClickFilter::new(RATE).unwrap();
    let mut tone = sine(22_000, RATE, 0.5, 400.0, 0.0);
    // Its beginning must not ring on in the room.
    for (frame, x) in tone.iter_mut().enumerate().take(4800) {
        *x *= (frame as f32 * TAU as f32 / 19_200.0).sin().powi(2);
    }
    let mut worst = f64::NEG_INFINITY;
    for at in [12_000, 12_045] {
        for control in ControlId::all() {
            engine.set(control, control.control().default_value());
        }
        for (control, value) in settings {
            engine.set(*control, *value);
        }
        engine.reset();
        let [mut left, mut right] = [tone.clone(), tone.clone()];
        let mut start = 0;
        while start < left.len() {
            // A host's blocks end where its transport jumps.
            let next = start + 64;
            let end = if start < at { next.min(at) } else { next }.min(left.len());
            let (playing, place) = song(start as i64, at as i64);
            let transport = Transport::Host {
                playing,
                song_frames: Some(place),
                tempo: None,
            };
            let due: Vec<Event> = events(at)
                .into_iter()
                .filter(|(frame, ..)| (start..end).contains(frame))
                .map(|(frame, control, change)| Event {
                    frame: frame - start,
                    control,
                    change,
                })
                .collect();
            engine.process(
                &mut left[start..end],
                &mut right[start..end],
                transport,
                &due,
            );
            start = end;
        }
        for ear in [&left, &right] {
            worst = filter.click(&ear[at - 2000..], 0.5).max(worst);
        }
    }
    worst
}

#[test]
fn near_jumps_of_the_motion_do_not_click() {
    type Song = fn(i64, i64) -> (bool, i64);
    let moves = |motion: usize, rate: f64| [(id::MOTION, motion as f64), (id::MOTION_RATE, rate)];
    let plays: Song = |start, _| (true, start);
    let back_50: Song = |start, at| (true, start - if start < at { 0 } else { 2400 });
    let back_5: Song = |start, at| (true, start - if start < at { 0 } else { 240 });
    let round: Song = |start, at| (true, start.min(at) + (start - at).max(0) % 960);
    let stops: Song = |start, at| {
        let stood = (start - at).clamp(0, 4800);
        (stood == 0 || stood == 4800, start - stood)
    };
    let to_orbit = |at: usize| vec![step(at, id::MOTION, id::MOTION_ORBIT as f64)];
    let lane = |at: usize| {
        let (to, frames) = (id::MOTION_ORBIT as f64, 960);
        vec![(at - 960, id::MOTION, Change::Linear { to, frames })]
    };
    let depth = |at: usize| vec![step(at, id::MOTION_DEPTH, 80.0)];
    let none = |_: usize| vec![];
    // In a quarter of a second: 4.7 degrees.
    let still = moves(id::MOTION_STILL, 0.0522);
    let orbit = moves(id::MOTION_ORBIT, 0.2);
    let slow = moves(id::MOTION_ORBIT, 0.1);
    let swing = moves(id::MOTION_SWING, 0.1);
    type Events = fn(usize) -> Vec<At>;
    let cases: [(_, _, Events, _); 8] = [
        ("still to orbit, 4.7 degrees", still, to_orbit, plays),
        ("the same at the end of a line", still, lane, plays),
        ("orbit, back by 50 ms", orbit, none, back_50),
        ("orbit, back by 5 ms", orbit, none, back_5),
        ("orbit, stopped for 100 ms", slow, none, stops),
        ("orbit, a loop of 20 ms", orbit, none, round),
        ("swing, back by 50 ms", swing, none, back_50),
        ("swing, its depth 90 to 80", swing, depth, plays),
    ];
    let mut engine = engine(RATE);
    for (name, way) in [
        ("hrtf", vec![]),
        ("hrtf and room", vec![(id::ROOM, 0.5)]),
        (
            "ambisonic",
            vec![(id::SPACE_KIND, id::SPACE_AMBISONIC as f64)],
        ),
    ] {
        let mut worst = (f64::NEG_INFINITY, "");
        for (what, motion, events, song) in cases {
            let settings = with(&[&way[..], &motion].concat());
            let click = worst_click(&mut engine, &settings, events, song);
            println!("{name}, {what}: {click:.1} dB");
            if click > worst.0 {
                worst = (click, what);
            }
        }
        figure(
            &format!("24 space: near jumps of the motion (switched, seek, stop, loop), {name}"),
            "<= -80 dB re the tone",
            &format!("{:.1} dB", worst.0),
        );
        assert!(worst.0 <= -80.0, "{name}: {worst:?}");
    }
}
