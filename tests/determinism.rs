//! Promise 2: the same input and events from the same starting point give the same samples, bit for bit,
//! for every way of cutting the stream.
//!
//! promise: the same input and events are the same samples, however the stream is cut

mod common;

use common::{
    At, BLOCKS, Random, Render, assert_same, binaural, bits, bursts, figure, noise, silence, step,
};
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Transport};
use zeitgeber::hrtf::Source;
use zeitgeber::space::{bring, bring_all, everything};

const FRAMES: usize = 60_000;

/// Everything that this version can do, at frames that no grid knows.
fn storm() -> Vec<At> {
    let mut events = vec![
        step(1_001, id::BEAT, 4.0),
        step(1_001, id::L1_LEVEL, -12.0),
        step(5_003, id::CARRIER, 400.0),
        step(7_777, id::L1_KIND, 0.0),
        step(9_999, id::L1_KIND, 1.0),
        step(10_050, id::L1_KIND, 0.0),
        step(10_060, id::L1_KIND, 1.0),
        step(12_345, id::GATE_ON, 1.0),
        step(13_000, id::GATE_RANGE, 80.0),
        step(13_111, id::CEILING_ON, 1.0),
        step(13_333, id::CEILING, -12.0),
        (
            15_000,
            id::BEAT,
            Change::Linear {
                to: 20.0,
                frames: 9_001,
            },
        ),
        (
            15_500,
            id::L1_LEVEL,
            Change::Linear {
                to: -40.0,
                frames: 3_003,
            },
        ),
        (
            16_000,
            id::OUT_GAIN,
            Change::Linear {
                to: -6.0,
                frames: 10_000,
            },
        ),
        (
            16_500,
            id::GATE_THRESHOLD,
            Change::Linear {
                to: -20.0,
                frames: 777,
            },
        ),
        step(20_000, id::BYPASS, 1.0),
        step(22_500, id::BYPASS, 0.0),
        step(25_000, id::GLIDE, 0.0),
        step(25_001, id::BEAT, 7.5),
        step(25_040, id::IN_GAIN, 6.0),
        step(27_000, id::RUN, 1.0),
        step(30_000, id::GATE_ON, 0.0),
        step(31_000, id::CEILING_ON, 0.0),
        step(50_000, id::GATE_ON, 1.0),
    ];
    // Besides, every control somewhere, by steps and lines, drawn once and for all.
    let mut random = common::Random(4711);
    for control in ControlId::all() {
        let (low, high) = control.control().range();
        for _ in 0..3 {
            let value = low + (high - low) * random.below(1000) as f64 / 999.0;
            let change = match random.below(3) {
                0 => Change::Linear {
                    to: value,
                    frames: random.below(5_000),
                },
                _ => Change::Step(value),
            };
            let frame = 26_000 + random.below(34_000) as usize;
            // A storm that ends in silence would hide the rest.
            if ![id::BYPASS, id::OUT_GAIN, id::FADE_OUT].contains(&control) {
                events.push((frame, control, change));
            }
        }
        events.push((33_333, id::CARRIER_SOURCE, Change::Note(64)));
    }
    events.sort_by_key(|(frame, ..)| *frame);
    events
}

fn settings() -> Vec<(ControlId, f64)> {
    let mut settings = binaural(10.0, 250.0);
    settings.push((id::FADE_IN, 0.3));
    settings
}

fn render(song: Option<i64>) -> Render<'static> {
    Render {
        rate: 48_000.0,
        settings: Box::leak(settings().into_boxed_slice()),
        events: Box::leak(storm().into_boxed_slice()),
        input: [bursts(FRAMES, 1), bursts(FRAMES, 2)],
        song,
    }
}

#[test]
fn block_sizes_are_bit_identical() {
    for song in [None, Some(123_457), Some(-48_000)] {
        let render = render(song);
        let reference = render.run(Some(FRAMES));
        for block in BLOCKS {
            let output = render.run(*block);
            for ear in [0, 1] {
                assert_same(
                    &reference[ear],
                    &output[ear],
                    &format!("blocks {block:?}, ear {ear}"),
                );
            }
        }
    }
    figure(
        "07 block sizes 1, 7, 32, 64, 480, 1024, random",
        "bit-identical",
        "bit-identical (with events on every control)",
    );
}

#[test]
fn rates_and_blocks_are_bit_identical() {
    for rate in [8_000.0, 44_100.0, 96_000.0, 768_000.0] {
        let render = Render {
            rate,
            ..render(Some(77))
        };
        let reference = render.run(Some(1024));
        for block in [Some(1), None] {
            let output = render.run(block);
            assert_same(
                &reference[0],
                &output[0],
                &format!("{rate} Hz, blocks {block:?}"),
            );
        }
    }
}

#[test]
fn two_bounces_from_the_same_position_are_bit_identical() {
    for mode in [id::PHASE_TIMELINE, id::PHASE_RESTART] {
        let mut render = render(Some(4_711));
        let mut settings = settings();
        settings.push((id::PHASE_MODE, mode as f64));
        render.settings = &settings;
        let mut engine = Engine::new(48_000.0).unwrap();
        let first = render.run_on(&mut engine, Some(480));
        // The second bounce comes from an engine that has run, stopped anywhere, and was reset.
        let (mut left, mut right) = (bursts(12_345, 9), bursts(12_345, 10));
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
        let second = render.run_on(&mut engine, Some(64));
        for ear in [0, 1] {
            assert_same(&first[ear], &second[ear], "second bounce");
        }
    }
    figure(
        "08 two bounces from the same position",
        "bit-identical",
        "bit-identical",
    );
}

#[test]
fn a_bounce_from_the_middle_is_the_middle_of_a_bounce() {
    let settings = binaural(6.3, 211.1);
    let frames = 96_000;
    let whole = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input: silence(frames),
        song: Some(0),
    }
    .run(Some(480));
    let start = 31_337;
    let middle = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input: silence(frames - start),
        song: Some(start as i64),
    }
    .run(Some(64));
    // The middle one fades in for 20 ms.
    assert_same(&whole[0][start + 961..], &middle[0][961..], "left");
    assert_same(&whole[1][start + 961..], &middle[1][961..], "right");
}

#[test]
fn phase_mode_free_runs_on_over_a_reset() {
    let mut settings = binaural(10.0, 250.0);
    settings.push((id::PHASE_MODE, id::PHASE_FREE as f64));
    let mut engine = Engine::new(48_000.0).unwrap();
    let render = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input: silence(10_007),
        song: Some(0),
    };
    let first = render.run_on(&mut engine, Some(64));
    let phase = engine.telemetry().beat_phase();
    let second = render.run_on(&mut engine, Some(64));
    assert_ne!(bits(&first[0]), bits(&second[0]));
    let expected = (2.0 * phase).fract();
    assert!((engine.telemetry().beat_phase() - expected).abs() < 1e-9);
}

#[test]
fn the_storm_is_heard() {
    // The comparison above would be idle if the events did nothing.
    let full = render(None).run(Some(64));
    let mut calm = render(None);
    calm.events = &[];
    let calm = calm.run(Some(64));
    assert_ne!(bits(&full[0]), bits(&calm[0]));
}

#[test]
fn a_jump_before_the_first_frame_is_a_setting() {
    const FRAMES: usize = 4800;
    let basis = [(id::L1_KIND, id::LAYER_BINAURAL as f64), (id::FADE_IN, 0.0)];
    for (control, value) in [
        (id::BYPASS, 1.0),
        (id::GATE_ON, 1.0),
        (id::CEILING_ON, 1.0),
        (id::L2_KIND, id::LAYER_ISOCHRONIC as f64),
        (id::L1_WAVE, 2.0),
        (id::PROG_KIND, id::PROGRAM_AMPLITUDE as f64),
        (id::CARRIER_SOURCE, 1.0),
        (id::BEAT, 7.0),
        (id::PHASE, 90.0),
    ] {
        let render = |settings: &[_], events: &[At]| {
            Render {
                rate: 48_000.0,
                settings,
                events,
                input: [bursts(FRAMES, 1), bursts(FRAMES, 2)],
                song: Some(0),
            }
            .run(Some(480))
        };
        let set = render(&[&basis[..], &[(control, value)]].concat(), &[]);
        let jump = Change::Linear {
            to: value,
            frames: 0,
        };
        let jumped = render(&basis, &[(0, control, jump)]);
        for ear in [0, 1] {
            assert_same(&set[ear], &jumped[ear], control.control().id);
        }
    }
}

/// A host that plays from a frame on, in blocks that no grid knows.
fn play(engine: &mut Engine, mut program: Vec<Vec<f32>>, song: i64) -> Vec<Vec<f32>> {
    let frames = program[0].len();
    for start in (0..frames).step_by(479) {
        let end = (start + 479).min(frames);
        let mut slices: Vec<&mut [f32]> = program
            .iter_mut()
            .map(|channel| &mut channel[start..end])
            .collect();
        let transport = Transport::Host {
            playing: true,
            song_frames: Some(song + start as i64),
            tempo: None,
        };
        engine.process_channels(&mut slices, transport, &[]);
    }
    program
}

/// Noise of 0.2 from its first frame on.
fn loud(channels: usize, frames: usize, seed: u64) -> Vec<Vec<f32>> {
    let channel = |c: usize| noise(frames, seed + c as u64);
    let quieter = |x: Vec<f32>| x.into_iter().map(|x| 0.2 * x).collect();
    (0..channels).map(channel).map(quieter).collect()
}

fn set_all(engine: &mut Engine, settings: &[(ControlId, f64)]) {
    for (control, value) in settings {
        engine.set(*control, *value);
    }
}

/// That an engine which has played something else, with other settings, is a new one after a reset.
fn assert_reset_is_new(
    mut new: Engine,
    old: &mut Engine,
    settings: &[(ControlId, f64)],
    what: &str,
) {
    let channels = new.channels();
    set_all(&mut new, settings);
    bring(&mut new, &Source::Default).unwrap();
    let expected = play(&mut new, loud(channels, 3_007, 1), 4_711);
    set_all(old, settings);
    old.reset();
    let got = play(old, loud(channels, 3_007, 1), 4_711);
    for (channel, (expected, got)) in expected.iter().zip(&got).enumerate() {
        assert_same(expected, got, &format!("{what}, channel {channel}"));
    }
}

#[test]
fn a_reset_is_a_new_engine_with_gate_and_leveller() {
    let settings = [(id::GATE_ON, 1.0), (id::LEVELLER_ON, 1.0)];
    let mut old = Engine::new(48_000.0).unwrap();
    set_all(&mut old, &settings);
    play(&mut old, loud(2, 5_003, 77), 0);
    for round in ["first", "second"] {
        let new = Engine::new(48_000.0).unwrap();
        assert_reset_is_new(new, &mut old, &settings, &format!("{round} reset"));
    }
}

/// Every control somewhere, but for what hides the rest and phases that are asked to run on.
fn anything(random: &mut Random) -> Vec<(ControlId, f64)> {
    ControlId::all()
        .filter(|control| ![id::BYPASS, id::OUT_GAIN].contains(control))
        .map(|control| {
            let part = random.below(1001) as f64 / 1000.0;
            let value = match control {
                id::PHASE_MODE => {
                    [id::PHASE_RESTART, id::PHASE_TIMELINE][random.below(2) as usize] as f64
                }
                id::FADE_IN => 0.02,
                id::ORDER => 1.0,
                // What beats is heard from the start.
                id::RUN => id::RUN_ALWAYS as f64,
                _ => control.control().from_normalized(part),
            };
            (control, value)
        })
        .collect()
}

#[test]
fn a_reset_is_a_new_engine_whatever_is_set() {
    let mut random = Random(0x9E37_79B9);
    for bus in [false, true] {
        let make = || match bus {
            true => Engine::ambisonic(48_000.0, 1).unwrap(),
            false => Engine::new(48_000.0).unwrap(),
        };
        let mut old = make();
        bring_all(&mut old, &Source::Default, everything(1)).unwrap();
        for round in 0..10 {
            // Somewhere else, and then stopped anywhere.
            set_all(&mut old, &anything(&mut random));
            let channels = old.channels();
            play(&mut old, loud(channels, 1_003, 77), 0);
            let settings = anything(&mut random);
            let what = format!("bus: {bus}, round {round}");
            assert_reset_is_new(make(), &mut old, &settings, &what);
        }
    }
}
