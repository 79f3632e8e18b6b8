//! Promises 3 and 8: zero latency, and a new instance is bit-exact through; bypass too.

mod common;

use common::{Render, assert_same, binaural, bits, bursts, figure, silence, step};
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Engine, Tail, Transport};

#[test]
fn defaults_are_bit_exact_through() {
    for rate in [8_000.0, 44_100.0, 48_000.0, 192_000.0] {
        let mut input = [bursts(50_000, 1), bursts(50_000, 2)];
        // Every kind of finite normal sample: huge, tiny, both zeros.
        for (n, x) in [
            f32::MAX,
            f32::MIN,
            f32::MIN_POSITIVE,
            -0.0,
            0.0,
            1.0,
            -1.0,
            3e38,
        ]
        .into_iter()
        .enumerate()
        {
            input[n % 2][n * 97] = x;
        }
        let output = Render {
            rate,
            settings: &[],
            events: &[],
            input: input.clone(),
            song: Some(0),
        }
        .run(Some(64));
        assert_same(&input[0], &output[0], "left");
        assert_same(&input[1], &output[1], "right");
    }
    figure("11 defaults", "output = input, bit-exact", "bit-exact");
}

#[test]
fn parts_that_are_idle_are_bit_exact() {
    let input = [bursts(50_000, 1), bursts(50_000, 2)];
    // Quiet enough for the ceiling never to act, and the gate open by its lowest threshold.
    let quiet = input
        .clone()
        .map(|ear| ear.iter().map(|x| x * 0.25).collect::<Vec<f32>>());
    let settings = [(id::CEILING_ON, 1.0), (id::CEILING, 0.0)];
    let output = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input: quiet.clone(),
        song: None,
    }
    .run(Some(64));
    assert_same(&quiet[0], &output[0], "an idle ceiling");
    let settings = [(id::GATE_ON, 1.0), (id::GATE_RANGE, 0.0)];
    let output = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input: input.clone(),
        song: None,
    }
    .run(Some(64));
    assert_same(&input[0], &output[0], "a gate without range");
}

#[test]
fn the_first_sample_answers_the_first_sample() {
    let mut settings = binaural(10.0, 250.0);
    settings.extend([
        (id::CEILING_ON, 1.0),
        (id::IN_GAIN, -6.0),
        (id::L1_LEVEL, -80.0),
    ]);
    let mut input = silence(1000);
    input[0][0] = 0.5;
    input[1][0] = 0.5;
    let [left, right] = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input,
        song: None,
    }
    .run(Some(64));
    let first = |ear: &[f32]| ear.iter().position(|x| x.abs() > 0.1);
    assert_eq!((first(&left), first(&right)), (Some(0), Some(0)));
    figure(
        "10 latency: first non-zero output after an impulse at sample 0",
        "sample 0 with space off",
        "sample 0",
    );
}

#[test]
fn bypass_is_bit_exact_and_comes_back() {
    let input = [bursts(60_000, 1), bursts(60_000, 2)];
    let mut settings = binaural(10.0, 250.0);
    settings.extend([
        (id::GATE_ON, 1.0),
        (id::CEILING_ON, 1.0),
        (id::OUT_GAIN, 6.0),
    ]);
    let events = [step(10_000, id::BYPASS, 1.0), step(40_000, id::BYPASS, 0.0)];
    let render = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &events,
        input: input.clone(),
        song: None,
    };
    let output = render.run(Some(64));
    let bypassed = 10_960..40_000;
    assert_same(
        &input[0][bypassed.clone()],
        &output[0][bypassed],
        "bypassed",
    );
    // The phases went on: after the fade it is the render that never was bypassed.
    let without = Render {
        events: &[],
        ..render
    }
    .run(Some(64));
    assert_same(&without[0][40_960..], &output[0][40_960..], "back");
    assert_ne!(
        bits(&without[0][10_960..11_000]),
        bits(&output[0][10_960..11_000])
    );
}

#[test]
fn the_ceiling_holds_every_sample() {
    let mut worst: f32 = 0.0;
    for ceiling in [-1.0, -12.0, -24.0, 0.0] {
        let settings = [
            (id::CEILING_ON, 1.0),
            (id::CEILING, ceiling),
            (id::IN_GAIN, 12.0),
        ];
        let input = [bursts(100_000, 3), bursts(100_000, 4)];
        let output = Render {
            rate: 48_000.0,
            settings: &settings,
            events: &[],
            input,
            song: None,
        }
        .run(None);
        let bound = 10f64.powf(ceiling / 20.0);
        for x in output.iter().flatten() {
            assert!(f64::from(x.abs()) <= bound, "{x} above {ceiling} dBFS");
            worst = worst.max((f64::from(x.abs()) / bound) as f32);
        }
    }
    assert!(worst > 0.99, "the test drives it: {worst}");
    figure("12 ceiling: sample peak", "never above", "never above");
}

#[test]
fn the_gate_turns_down_what_is_quiet_and_nothing_else() {
    let frames = 48_000;
    let tone = |level: f64| common::sine(frames, 48_000.0, level, 440.0, 0.0);
    let gain = |level: f64| {
        let settings = [
            (id::GATE_ON, 1.0),
            (id::GATE_THRESHOLD, -40.0),
            (id::GATE_RANGE, 20.0),
        ];
        let input = [tone(level), tone(level)];
        let [left, _] = Render {
            rate: 48_000.0,
            settings: &settings,
            events: &[],
            input,
            song: None,
        }
        .run(Some(64));
        let peak = left[40_000..]
            .iter()
            .fold(0.0f32, |peak, x| peak.max(x.abs()));
        20.0 * (f64::from(peak) / level).log10()
    };
    assert!(gain(0.1).abs() < 1e-6, "-20 dBFS passes");
    assert!(
        (gain(0.001) + 20.0).abs() < 0.01,
        "-60 dBFS is 20 dB down: {}",
        gain(0.001)
    );
}

#[test]
fn fades_start_and_end_the_entrainment_and_nothing_else() {
    let settings = [
        (id::L1_KIND, 1.0),
        (id::FADE_IN, 2.0),
        (id::FADE_OUT, 1.0),
        (id::RUN, id::RUN_TRANSPORT as f64),
    ];
    let mut engine = Engine::new(48_000.0).unwrap();
    for (control, value) in settings {
        engine.set(control, value);
    }
    let play = |engine: &mut Engine, playing: bool, seconds: f64, from: &mut i64| -> Vec<f32> {
        let frames = (seconds * 48_000.0) as usize;
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        for (l, r) in left.chunks_mut(480).zip(right.chunks_mut(480)) {
            let transport = Transport::Host {
                playing,
                song_frames: Some(*from),
                tempo: None,
            };
            engine.process(l, r, transport, &[]);
            *from += if playing { l.len() as i64 } else { 0 };
        }
        left
    };
    let peak = |signal: &[f32]| signal.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    let mut song = 0;
    let standing = play(&mut engine, false, 0.5, &mut song);
    assert!(
        standing.iter().all(|x| *x == 0.0),
        "nothing sounds while the transport stands"
    );
    assert_eq!(
        engine.tail(),
        Tail::Infinite,
        "but it must not be put to sleep"
    );
    let rolling = play(&mut engine, true, 3.0, &mut song);
    assert!(peak(&rolling[..480]) < 0.001);
    let middle = peak(&rolling[47_500..48_500]);
    assert!(
        (middle - 0.05).abs() < 0.002,
        "half way up after half of two seconds: {middle}"
    );
    assert!((peak(&rolling[100_000..]) - 0.1).abs() < 1e-4);
    assert!((engine.telemetry().fade() - 1.0).abs() < 1e-9);
    let stopped = play(&mut engine, false, 2.0, &mut song);
    assert!((peak(&stopped[..480]) - 0.1).abs() < 0.001);
    assert!(
        stopped[48_100..].iter().all(|x| *x == 0.0),
        "silent after one second"
    );
}

#[test]
fn tails_keep_a_generator_awake_and_nothing_else() {
    let mut engine = Engine::new(48_000.0).unwrap();
    let run = |engine: &mut Engine, frames: usize| {
        engine.process(
            &mut vec![0.0; frames],
            &mut vec![0.0; frames],
            Transport::Absent,
            &[],
        );
    };
    run(&mut engine, 100);
    assert_eq!(engine.tail(), Tail::None);
    engine.set(id::L1_KIND, 1.0);
    run(&mut engine, 100);
    assert_eq!(engine.tail(), Tail::Infinite);
    engine.set(id::L1_KIND, 0.0);
    assert_eq!(engine.tail(), Tail::Infinite, "while it fades out");
    run(&mut engine, 2_000);
    assert_eq!(engine.tail(), Tail::None);
}
