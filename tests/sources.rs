//! Where beat and carrier come from, and when the session ends: tempo, notes, phase offset, timer.

mod common;

use common::silence;
use common::solo::{RATE, envelope, hertz, layer, peak, render, with};
use std::f64::consts::TAU;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Event, Tempo, Transport};

#[test]
fn carriers_come_from_notes() {
    let note = |settings: &[(ControlId, f64)], guess: f64| {
        let settings = with(
            layer(id::LAYER_BINAURAL),
            &with(
                vec![
                    (id::CARRIER_SOURCE, id::CARRIER_FIXED_NOTE as f64),
                    (id::BEAT, 0.0),
                ],
                settings,
            ),
        );
        hertz(&render(&settings, 5.0)[0], guess)
    };
    assert!((note(&[], 220.0) - 220.0).abs() < 1e-5, "A3");
    assert!(
        (note(&[(id::TUNING, 432.0)], 216.0) - 216.0).abs() < 1e-5,
        "A3 at A4 = 432 Hz"
    );
    assert!(
        (note(&[(id::CARRIER_NOTE, 60.0)], 261.6) - 261.625_565).abs() < 1e-5,
        "C4"
    );
}

#[test]
fn carriers_follow_midi_notes_at_their_frame() {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in with(
        layer(id::LAYER_BINAURAL),
        &[
            (id::CARRIER_SOURCE, id::CARRIER_MIDI as f64),
            (id::BEAT, 0.0),
            (id::GLIDE, 0.0),
            (id::FADE_IN, 0.0),
        ],
    ) {
        engine.set(control, value);
    }
    let at = 30_011;
    let play = Event {
        frame: at,
        control: id::CARRIER_SOURCE,
        change: Change::Note(69),
    };
    let [mut left, mut right] = silence(96_000);
    engine.process(&mut left, &mut right, Transport::Absent, &[play]);
    for (n, x) in left.iter().enumerate().skip(1000) {
        // A3 until the note, A4 from it on, phase-continuous.
        let cycles = if n < at {
            220.0 * n as f64
        } else {
            220.0 * at as f64 + 440.0 * (n - at) as f64
        };
        let expected = 0.1 * (TAU * (cycles / RATE).fract()).sin();
        assert!((f64::from(*x) - expected).abs() < 1e-7, "frame {n}");
    }
}

/// Plays blocks of a host with a tempo that may change from block to block.
fn with_tempo(
    settings: &[(ControlId, f64)],
    blocks: &[(usize, f64)],
    start_quarters: f64,
) -> (Engine, [Vec<f32>; 2]) {
    let mut engine = Engine::new(RATE).unwrap();
    engine.set(id::FADE_IN, 0.0);
    for (control, value) in settings {
        engine.set(*control, *value);
    }
    let (mut song, mut quarters) = (0i64, start_quarters);
    let mut ears = [Vec::new(), Vec::new()];
    for (frames, bpm) in blocks {
        let transport = Transport::Host {
            playing: true,
            song_frames: Some(song),
            tempo: Tempo::new(*bpm, Some(quarters), Some(3.0)),
        };
        let [mut left, mut right] = silence(*frames);
        engine.process(&mut left, &mut right, transport, &[]);
        ears[0].extend(left);
        ears[1].extend(right);
        song += *frames as i64;
        quarters += *frames as f64 / RATE * bpm / 60.0;
    }
    (engine, ears)
}

#[test]
fn the_beat_follows_the_tempo() {
    let settings = with(
        layer(id::LAYER_BINAURAL),
        &[(id::BEAT_SOURCE, id::BEAT_TEMPO as f64)],
    );
    let division = |name: &str| (id::DIVISION, id::DIVISION.control().parse(name).unwrap());
    for (name, hertz) in [
        ("1/4", 2.0),
        ("1/8d", 2.0 / 0.75),
        ("1/16t", 12.0),
        ("2bar", 2.0 / 6.0),
    ] {
        let settings = with(settings.clone(), &[division(name)]);
        let (engine, _) = with_tempo(&settings, &[(4_800, 120.0); 10], 0.0);
        assert!((engine.telemetry().beat() - hertz).abs() < 1e-9, "{name}");
    }
    // Phase: the fraction of ppq over the period, from any start, over tempo changes between blocks.
    let settings = with(settings, &[division("1/8"), (id::GLIDE, 0.0)]);
    for start in [0.0, 17.3, -4.25] {
        let blocks: Vec<(usize, f64)> = (0..200)
            .map(|n| (n * 7 % 700 + 1, 90.0 + n as f64))
            .collect();
        let (engine, _) = with_tempo(&settings, &blocks, start);
        let quarters: f64 = start
            + blocks
                .iter()
                .map(|(n, bpm)| *n as f64 / RATE * bpm / 60.0)
                .sum::<f64>();
        let error = (engine.telemetry().beat_phase() - quarters / 0.5).rem_euclid(1.0);
        assert!(error.min(1.0 - error) < 1e-9, "from {start}: {error}");
    }
    // Without a tempo it is the beat control.
    let (engine, _) = with_tempo(&settings, &[(480, 0.0); 4], 0.0);
    assert_eq!(engine.telemetry().beat(), 10.0);
}

#[test]
fn the_phase_offset_shifts_the_beat() {
    let [plain, _] = render(
        &with(layer(id::LAYER_ISOCHRONIC), &[(id::CARRIER, 20.0)]),
        2.0,
    );
    let settings = with(
        layer(id::LAYER_ISOCHRONIC),
        &[(id::CARRIER, 20.0), (id::PHASE, 90.0)],
    );
    let [shifted, _] = render(&settings, 2.0);
    let (a, b) = (envelope(&plain, 20.0), envelope(&shifted, 20.0));
    let quarter = 1200;
    for n in 48_000..90_000 {
        if let (Some(a), Some(b)) = (a[n + quarter], b[n]) {
            assert!((a - b).abs() < 1e-5, "frame {n}: {a} {b}");
        }
    }
}

#[test]
fn the_timer_ends_the_session_and_play_starts_it_anew() {
    let settings = [
        (id::L1_KIND, 1.0),
        (id::RUN, id::RUN_TRANSPORT as f64),
        (id::TIMER, 0.05),
        (id::FADE_IN, 0.0),
        (id::FADE_OUT, 0.5),
    ];
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in settings {
        engine.set(control, value);
    }
    let mut song = 0;
    let mut play = |engine: &mut Engine, playing: bool, seconds: f64| {
        let [mut left, mut right] = silence((seconds * RATE) as usize);
        for (l, r) in left.chunks_mut(333).zip(right.chunks_mut(333)) {
            let transport = Transport::Host {
                playing,
                song_frames: Some(song),
                tempo: None,
            };
            engine.process(l, r, transport, &[]);
            song += if playing { l.len() as i64 } else { 0 };
        }
        left
    };
    // Standing still does not count.
    play(&mut engine, false, 2.0);
    let heard = play(&mut engine, true, 5.0);
    assert!(
        peak(&heard[140_000..143_900]) > 0.099,
        "up to 3 s of playing"
    );
    assert!(peak(&heard[168_100..]) == 0.0, "silent half a second later");
    play(&mut engine, false, 0.1);
    assert!(
        peak(&play(&mut engine, true, 1.0)) > 0.099,
        "play starts it anew"
    );
}

#[test]
fn a_source_that_changes_comes_back_to_its_lane() {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in layer(id::LAYER_BINAURAL) {
        engine.set(control, value);
    }
    let line = |frame, control, to, frames| Event {
        frame,
        control,
        change: Change::Linear { to, frames },
    };
    let step = |frame, control, value| Event {
        frame,
        control,
        change: Change::Step(value),
    };
    let transport = Transport::Host {
        playing: true,
        song_frames: Some(0),
        tempo: Tempo::new(120.0, Some(0.0), None),
    };
    let [mut left, mut right] = silence(96_000);
    let events = [
        line(0, id::BEAT, 40.0, 960_000),
        step(0, id::BEAT_SOURCE, id::BEAT_TEMPO as f64),
        step(48_000, id::BEAT_SOURCE, id::BEAT_HZ as f64),
    ];
    engine.process(&mut left, &mut right, transport, &events);
    // Two of twenty seconds from 10 to 40 Hz.
    let beat = engine.telemetry().beat();
    assert!((beat - 13.0).abs() < 1e-9, "{beat}");
}

#[test]
fn without_a_tempo_the_beat_control_counts() {
    let mut engine = Engine::new(RATE).unwrap();
    engine.set(id::L1_KIND, 1.0);
    engine.set(id::BEAT_SOURCE, id::BEAT_TEMPO as f64);
    let [mut left, mut right] = silence(4_800);
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    engine.set(id::BEAT, 4.0);
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    assert_eq!(engine.telemetry().beat(), 4.0);
}
