//! Promise 5: bad input leaves the sound as it was: what is not finite in never comes out.
//!
//! promise: what is not finite in never comes out, and is forgotten within one quantum

mod common;

use common::{Render, assert_same, binaural, bursts, figure, silence};
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, EngineError, Event, Transport};

fn everything_on() -> Vec<(ControlId, f64)> {
    let mut settings = binaural(10.0, 250.0);
    settings.extend([
        (id::GATE_ON, 1.0),
        (id::CEILING_ON, 1.0),
        (id::IN_GAIN, 12.0),
    ]);
    settings
}

#[test]
fn what_is_not_finite_never_comes_out() {
    let frames = 50_000;
    let bad = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        1e-42,
        -1e-45,
    ];
    for settings in [vec![], everything_on()] {
        let mut input = [bursts(frames, 1), bursts(frames, 2)];
        for n in 0..2_000 {
            input[n % 2][10_000 + n] = bad[n % bad.len()];
        }
        let output = Render {
            rate: 48_000.0,
            settings: &settings,
            events: &[],
            input,
            song: None,
        }
        .run(Some(64));
        assert!(output.iter().flatten().all(|x| x.is_finite()));
    }
}

#[test]
fn it_recovers_within_one_quantum() {
    // A burst of what is not finite, in a program that is silent otherwise: one quantum later the output
    // is what it would have been.
    let frames = 20_000;
    let settings = binaural(10.0, 250.0);
    let render = |input| {
        Render {
            rate: 48_000.0,
            settings: &settings,
            events: &[],
            input,
            song: None,
        }
        .run(Some(64))
    };
    let clean = render(silence(frames));
    let mut input = silence(frames);
    for n in 5_000..5_100 {
        input[0][n] = [f32::NAN, f32::INFINITY, f32::MAX][n % 3];
        input[1][n] = f32::NEG_INFINITY;
    }
    let hurt = render(input);
    assert_same(&clean[0][5_132..], &hurt[0][5_132..], "left");
    assert_same(&clean[1][5_132..], &hurt[1][5_132..], "right");
    figure(
        "13 NaN, Inf, denormals, full scale in",
        "finite out; recovers within one quantum",
        "finite; bit-identical again after 32 frames",
    );
}

#[test]
fn an_overflow_inside_is_forgotten() {
    // Finite input that overflows inside: +12 dB on the largest float, through the gate and the ceiling.
    let frames = 96_000;
    let mut input = silence(frames);
    for ear in &mut input {
        ear[10_000..10_010].fill(f32::MAX);
    }
    let settings = everything_on();
    let output = Render {
        rate: 48_000.0,
        settings: &settings,
        events: &[],
        input,
        song: None,
    }
    .run(Some(64));
    assert!(output.iter().flatten().all(|x| x.is_finite()));
    let after = output[0][90_000..]
        .iter()
        .fold(0.0f32, |peak, x| peak.max(x.abs()));
    assert!(
        (after - 0.1).abs() < 1e-3,
        "the tone is back at its level: {after}"
    );
}

#[test]
fn repairs_are_counted() {
    let mut engine = Engine::new(48_000.0).unwrap();
    let mut left = [0.0, f32::NAN, 1.0, f32::INFINITY];
    let mut right = [0.0; 4];
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    assert_eq!(left, [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(engine.telemetry().input_repaired(), 2);
    assert_eq!(engine.telemetry().output_repaired(), 0);
    assert_eq!(engine.telemetry().take_input_peaks(), [1.0, 0.0]);
    assert_eq!(engine.telemetry().take_output_peaks(), [1.0, 0.0]);
    assert_eq!(engine.telemetry().take_output_peaks(), [0.0, 0.0]);
}

#[test]
fn nonsense_values_and_events_are_tamed() {
    let mut engine = Engine::new(48_000.0).unwrap();
    for control in ControlId::all() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308] {
            engine.set(control, value);
            let (low, high) = control.control().range();
            assert!(
                (low..=high).contains(&engine.get(control)),
                "{}",
                control.control().id
            );
        }
    }
    let events: Vec<Event> = ControlId::all()
        .flat_map(|control| {
            [
                Change::Step(f64::NAN),
                Change::Linear {
                    to: f64::INFINITY,
                    frames: u64::MAX,
                },
                Change::Linear {
                    to: -1e300,
                    frames: 0,
                },
                Change::Linear { to: 1.0, frames: 3 },
            ]
            .map(|change| Event {
                frame: 7_000_000,
                control,
                change,
            })
        })
        .collect();
    for song_frames in [None, Some(i64::MAX), Some(i64::MIN), Some(-1), Some(0)] {
        for playing in [true, false, true] {
            let transport = Transport::Host {
                playing,
                song_frames,
                tempo: None,
            };
            let (mut left, mut right) = (bursts(500, 1), bursts(500, 2));
            engine.process(&mut left, &mut right, transport, &events);
            engine.process(&mut [], &mut [], transport, &events);
            assert!(left.iter().chain(&right).all(|x| x.is_finite()));
        }
    }
}

#[test]
fn rates_outside_the_range_are_refused() {
    for rate in [0.0, -1.0, 7_999.0, 768_001.0, f64::NAN, f64::INFINITY] {
        match Engine::new(rate) {
            Err(error @ EngineError::Rate(_)) => {
                assert!(error.to_string().contains("8000 to 768000 Hz"), "{error}");
            }
            _ => panic!("{rate} was taken"),
        }
    }
    for rate in [8_000.0, 11_025.0, 44_100.0, 768_000.0] {
        let mut engine = Engine::new(rate).unwrap();
        engine.set(id::L1_KIND, 1.0);
        let (mut left, mut right) = (vec![0.0; 10_000], vec![0.0; 10_000]);
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
        assert!(left.iter().any(|x| *x != 0.0));
    }
}

/// A jump that waits for the fade of the one before it, while the host resets, loses its transport and
/// changes the mode: a fuzzing host counted the frames since a play that had not begun yet.
#[test]
fn a_jump_that_waits_outlives_no_reset() {
    let host = |song| Transport::Host {
        playing: true,
        song_frames: Some(song),
        tempo: None,
    };
    for mode in [id::PHASE_FREE, id::PHASE_RESTART, id::PHASE_TIMELINE] {
        let mut engine = Engine::new(8000.0).expect("8 kHz is a rate");
        engine.set(id::L1_KIND, id::LAYER_BINAURAL as f64);
        let run = |engine: &mut Engine, transport, frames: usize| {
            let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
            engine.process(&mut left, &mut right, transport, &[]);
            assert!(left.iter().chain(&right).all(|x| x.is_finite()));
        };
        run(&mut engine, Transport::default(), 5000);
        let stopped = Transport::Host {
            playing: false,
            song_frames: Some(0),
            tempo: None,
        };
        run(&mut engine, stopped, 10);
        run(&mut engine, host(0), 10);
        engine.reset();
        run(&mut engine, Transport::Absent, 64);
        run(&mut engine, host(1_001), 64);
        run(&mut engine, host(777_777), 8);
        engine.set(id::PHASE_MODE, mode as f64);
        run(&mut engine, host(777_785), 400);
    }
}
