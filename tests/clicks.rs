//! Everything that starts, stops or switches fades: no change of state clicks.

mod common;

use common::{At, Render, binaural, figure, silence, sine, step};
use std::sync::Arc;
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Order, Snapshot, Transport};
use zeitgeber::protocol::factory_presets;

const RATE: f64 = 48_000.0;
const BAR: f64 = -80.0; // dB re the tone
const TONE: f64 = 400.0; // Hz
/// Long after every fade-in; changes come at eight phases of the tone.
const AT: usize = 40_000;
const FRAMES: usize = 60_000;

/// The worst click of eight phases of the tone, in dB re its amplitude.
fn worst(render: impl Fn(usize) -> [Vec<f32>; 2], amplitude: f64) -> f64 {
    let filter = ClickFilter::new(RATE).unwrap();
    (0..8)
        .flat_map(|eighth| {
            let ears = render(AT + eighth * (RATE / TONE) as usize / 8);
            ears.map(|ear| filter.click(&ear[20_000..], amplitude))
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

/// The layer alone, with a change at a frame.
fn layer(extra: &[(ControlId, f64)], change: impl Fn(usize) -> Vec<At>) -> f64 {
    let mut settings = binaural(10.0, TONE);
    settings.extend_from_slice(extra);
    worst(
        |at| {
            Render {
                rate: RATE,
                settings: &settings,
                events: &change(at),
                input: silence(FRAMES),
                song: Some(0),
            }
            .run(Some(64))
        },
        0.1,
    )
}

/// A tone that passes through, with a change at a frame.
fn program(extra: &[(ControlId, f64)], change: impl Fn(usize) -> Vec<At>) -> f64 {
    let tone = sine(FRAMES, RATE, 0.5, TONE, 0.0);
    worst(
        |at| {
            Render {
                rate: RATE,
                settings: extra,
                events: &change(at),
                input: [tone.clone(), tone.clone()],
                song: Some(0),
            }
            .run(Some(64))
        },
        0.5,
    )
}

/// The layer over a transport that does something at a frame.
fn transport(settings: &[(ControlId, f64)], song: impl Fn(usize, usize) -> Transport) -> f64 {
    worst(
        |at| {
            let mut engine = Engine::new(RATE).unwrap();
            for (control, value) in settings {
                engine.set(*control, *value);
            }
            engine.reset();
            let [mut left, mut right] = silence(FRAMES);
            for start in (0..FRAMES).step_by(32) {
                let end = (start + 32).min(FRAMES);
                engine.process(
                    &mut left[start..end],
                    &mut right[start..end],
                    song(start, at),
                    &[],
                );
            }
            [left, right]
        },
        0.1,
    )
}

fn check(row: &str, what: &str, worst: f64) {
    figure(row, "<= -80 dB re the tone", &format!("{worst:.1} dB"));
    assert!(worst <= BAR, "{what}: {worst}");
}

#[test]
fn beat_step() {
    let worst = layer(&[], |at| vec![step(at, id::BEAT, 16.0)]);
    check("09 clicks: beat step 10 -> 16 Hz", "beat step", worst);
    let worst = layer(&[], |at| vec![step(at, id::BEAT, 40.0)]);
    check("09 clicks: beat step 10 -> 40 Hz", "beat step", worst);
}

#[test]
fn carrier_step() {
    let worst = layer(&[], |at| vec![step(at, id::CARRIER, 450.0)]);
    check(
        "09 clicks: carrier step 400 -> 450 Hz",
        "carrier step",
        worst,
    );
}

#[test]
fn level_step() {
    let worst = layer(&[], |at| vec![step(at, id::L1_LEVEL, -26.0)]);
    check("09 clicks: level step -20 -> -26 dB", "level step", worst);
}

#[test]
fn kind_switch() {
    let off = layer(&[], |at| vec![step(at, id::L1_KIND, 0.0)]);
    let on = layer(&[(id::L1_KIND, 0.0)], |at| vec![step(at, id::L1_KIND, 1.0)]);
    let quick = layer(&[], |at| {
        vec![step(at, id::L1_KIND, 0.0), step(at + 300, id::L1_KIND, 1.0)]
    });
    check(
        "09 clicks: kind switch off, on, and both within 6 ms",
        "kind",
        off.max(on).max(quick),
    );
}

#[test]
fn every_kind_to_every_other() {
    let kinds = id::L1_KIND.control().range().1 as usize;
    let mut worst = f64::NEG_INFINITY;
    for from in 0..=kinds {
        for to in 0..=kinds {
            // Noise is no tone: what it has above 2 kHz is no click.
            if from != to && from != id::LAYER_NOISE && to != id::LAYER_NOISE {
                // A pulse of the isochronic layer is on, with flanks of its own that are slow enough.
                let extra = [
                    (id::L1_KIND, from as f64),
                    (id::L1_RAMP, 20.0),
                    (id::BEAT, 1.2),
                    (id::PHASE, -90.0),
                ];
                let click = layer(&extra, |at| vec![step(at, id::L1_KIND, to as f64)]);
                worst = worst.max(click);
            }
        }
    }
    // Off, and another within the fade.
    let click = layer(&[], |at| {
        let other = id::LAYER_MONAURAL as f64;
        vec![
            step(at, id::L1_KIND, 0.0),
            step(at + 480, id::L1_KIND, other),
        ]
    });
    worst = worst.max(click);
    check("09 clicks: every kind to every other", "kinds", worst);
}

#[test]
fn ear_swap() {
    let worst = layer(&[], |at| vec![step(at, id::L1_SWAP, 1.0)]);
    check("09 clicks: ear swap", "ear swap", worst);
}

#[test]
fn tone_parameters() {
    let isochronic = [
        (id::L1_KIND, id::LAYER_ISOCHRONIC as f64),
        (id::BEAT, 1.2),
        (id::L1_RAMP, 30.0),
    ];
    let worst = [
        layer(&[], |at| vec![step(at, id::L1_RATIO, 2.0)]),
        layer(&[], |at| vec![step(at, id::L1_INTERVAL, 2.0)]),
        layer(&[], |at| vec![step(at, id::PHASE, 180.0)]),
        layer(&[(id::GLIDE, 0.0)], |at| vec![step(at, id::PHASE, 180.0)]),
        layer(&isochronic, |at| vec![step(at, id::L1_DUTY, 90.0)]),
        layer(&isochronic, |at| vec![step(at, id::L1_RAMP, 25.0)]),
    ];
    let worst = worst.into_iter().fold(f64::NEG_INFINITY, f64::max);
    check(
        "09 clicks: ratio, interval, phase, duty, ramp",
        "tone parameters",
        worst,
    );
}

/// A kind that pulses: name, settings, and whether the program is what sounds.
type Pulsed = (&'static str, Vec<(ControlId, f64)>, bool);

/// The pulsed kinds of layers and of the program.
fn pulsed_kinds() -> Vec<Pulsed> {
    let layer = |kind: usize| vec![(id::L1_KIND, kind as f64)];
    let program = |kind: usize| vec![(id::PROG_KIND, kind as f64), (id::PROG_SHAPE, 1.0)];
    vec![
        ("isochronic", layer(id::LAYER_ISOCHRONIC), false),
        ("bilateral", layer(id::LAYER_BILATERAL), false),
        ("program amplitude", program(id::PROGRAM_AMPLITUDE), true),
        (
            "program bilateral",
            // An equal-power crossing of the default 10 ms is at -81 dB by itself.
            [program(id::PROGRAM_BILATERAL), vec![(id::PROG_RAMP, 15.0)]].concat(),
            true,
        ),
        ("program sweep", program(id::PROGRAM_SWEEP), true),
    ]
}

/// The worst click of every pulsed kind with its default ramp, when something is set up and changes: at four moments
/// of a cycle of 10 Hz, each at another phase of the tone, in dB re the most that it comes to. That of the
/// sweep is only compared with its own at a steady beat.
fn pulsed(name: &str, extra: &[(ControlId, f64)], change: impl Fn(usize) -> Vec<At>) -> f64 {
    const FRAMES: usize = 18_000;
    let filter = ClickFilter::new(RATE).unwrap();
    let tone = sine(FRAMES, RATE, 0.5, TONE, 0.0);
    let mut most = f64::NEG_INFINITY;
    for (kind, settings, of_program) in pulsed_kinds() {
        let input = if of_program {
            [tone.clone(), tone.clone()]
        } else {
            silence(FRAMES)
        };
        let carrier = [(id::CARRIER, TONE), (id::FADE_IN, 0.02)];
        let settings = [&carrier[..], &settings, extra].concat();
        let click = |settings: &[(ControlId, f64)], events: &[At]| {
            let ears = Render {
                rate: RATE,
                settings,
                events,
                input: input.clone(),
                song: Some(0),
            }
            .run(Some(64));
            let loudest = |peak: f32, x: &f32| peak.max(x.abs());
            let peak = f64::from(ears.iter().flatten().fold(0.0, loudest));
            ears.iter()
                .map(|ear| filter.click(&ear[4_800..], peak))
                .fold(f64::NEG_INFINITY, f64::max)
        };
        let found = (0..4)
            .map(|fourth| click(&settings, &change(7_200 + 1_215 * fourth)))
            .fold(f64::NEG_INFINITY, f64::max);
        println!("{kind}, {name}: {found:.1} dB");
        if kind == "program sweep" {
            // Its corner travels over more than four octaves in a flank: that alone is heard above 2 kHz.
            let own = click(
                &[&settings[..], &[(id::BEAT, 10.0), (id::PHASE, 0.0)]].concat(),
                &[],
            );
            println!("at a steady 10 Hz: {own:.1} dB");
            // Two flanks that follow each other closely come to 6 dB more than one, at a pace up to a fifth higher.
            assert!(found <= own + 9.0, "{kind}, {name}: {found}, steady {own}");
        } else {
            most = most.max(found);
        }
    }
    most
}

#[test]
fn pulses_whose_beat_starts_and_stops() {
    let mut most = f64::NEG_INFINITY;
    for (from, to, phase) in [
        (0.0, 10.0, 0.0),
        (0.0, 10.0, -10.0),
        (0.0, 10.0, 10.0),
        (0.0, 10.0, 180.0),
        (0.0, 20.0, 0.0),
        (1.0, 10.0, 0.0),
        (10.0, 0.0, 0.0),
    ] {
        let click = pulsed(
            &format!("beat {from} -> {to} Hz at {phase} degrees"),
            &[(id::BEAT, from), (id::PHASE, phase)],
            |at| vec![step(at, id::BEAT, to)],
        );
        most = most.max(click);
    }
    let click = pulsed("beat 0 -> 10 -> 0 -> 10 Hz", &[(id::BEAT, 0.0)], |at| {
        vec![
            step(at, id::BEAT, 10.0),
            step(at + 1234, id::BEAT, 0.0),
            step(at + 4321, id::BEAT, 10.0),
        ]
    });
    check(
        "09 clicks: pulses whose beat steps from 0 or to 0 Hz",
        "beat from 0",
        most.max(click),
    );
}

#[test]
fn pulses_whose_beat_is_drawn_from_nothing() {
    let mut most = f64::NEG_INFINITY;
    for seconds in [0.3, 20.0] {
        let frames = (seconds * RATE) as u64;
        let click = pulsed(
            &format!("a line of {seconds} s from 0 to 10 Hz"),
            &[(id::BEAT, 0.0)],
            |at| vec![(at, id::BEAT, Change::Linear { to: 10.0, frames })],
        );
        most = most.max(click);
    }
    check(
        "09 clicks: pulses whose beat is drawn from 0 to 10 Hz",
        "line from 0",
        most,
    );
}

#[test]
fn pulses_whose_phase_is_offset() {
    let mut most = f64::NEG_INFINITY;
    for (from, to) in [
        (180.0, 0.0),
        (90.0, 0.0),
        (0.0, 180.0),
        (170.0, -170.0),
        (180.0, -180.0),
    ] {
        let click = pulsed(
            &format!("phase {from} -> {to} degrees"),
            &[(id::PHASE, from)],
            |at| vec![step(at, id::PHASE, to)],
        );
        most = most.max(click);
    }
    check(
        "09 clicks: pulses whose phase offset steps",
        "phase offset",
        most,
    );
}

#[test]
fn a_pulse_at_beat_0_is_on_or_off() {
    // At its edge, half-way through its on time, and half-way through its gap; and after it was at a beat.
    for (phase, from, on) in [
        (0.0, 0.0, true),
        (90.0, 0.0, true),
        (-90.0, 0.0, false),
        (90.0, 10.0, false),
    ] {
        let mut settings = binaural(from, TONE);
        settings.extend([
            (id::L1_KIND, id::LAYER_ISOCHRONIC as f64),
            (id::PHASE, phase),
            (id::BEAT, from),
        ]);
        let [left, _] = Render {
            rate: RATE,
            settings: &settings,
            events: &[step(AT, id::BEAT, 0.0)],
            input: silence(FRAMES),
            song: Some(0),
        }
        .run(Some(64));
        let peak = left[AT + 8000..].iter().fold(0.0f32, |p, x| p.max(x.abs()));
        println!("phase {phase} from {from} Hz: peak {peak}");
        if on {
            assert!((peak - 0.1).abs() < 1e-4, "{phase} {from}: {peak}");
        } else {
            assert_eq!(peak, 0.0, "{phase} {from}");
        }
    }
}

#[test]
fn bypass() {
    let on = layer(&[], |at| vec![step(at, id::BYPASS, 1.0)]);
    let off = layer(&[(id::BYPASS, 1.0)], |at| vec![step(at, id::BYPASS, 0.0)]);
    check("09 clicks: bypass on and off", "bypass", on.max(off));
}

#[test]
fn gains_of_the_program() {
    let step_in = program(&[], |at| vec![step(at, id::IN_GAIN, -6.0)]);
    let step_out = program(&[], |at| vec![step(at, id::OUT_GAIN, -6.0)]);
    check(
        "09 clicks: input and output gain step of 6 dB",
        "gains",
        step_in.max(step_out),
    );
}

#[test]
fn gate_and_ceiling_switch() {
    // The gate closes on the tone: threshold above it.
    let closing = [(id::GATE_THRESHOLD, 0.0)];
    let on = program(&closing, |at| vec![step(at, id::GATE_ON, 1.0)]);
    let both = [(id::GATE_THRESHOLD, 0.0), (id::GATE_ON, 1.0)];
    let off = program(&both, |at| vec![step(at, id::GATE_ON, 0.0)]);
    check("09 clicks: gate switched on and off", "gate", on.max(off));
    let low = [(id::CEILING, -12.0)];
    let on = program(&low, |at| vec![step(at, id::CEILING_ON, 1.0)]);
    let low = [(id::CEILING, -12.0), (id::CEILING_ON, 1.0)];
    let off = program(&low, |at| vec![step(at, id::CEILING_ON, 0.0)]);
    check(
        "09 clicks: ceiling switched on and off",
        "ceiling",
        on.max(off),
    );
}

#[test]
fn a_moved_ceiling() {
    let on = |ceiling| [(id::CEILING_ON, 1.0), (id::CEILING, ceiling)];
    let down = program(&on(-1.0), |at| vec![step(at, id::CEILING, -12.0)]);
    let further = program(&on(-8.0), |at| vec![step(at, id::CEILING, -9.0)]);
    println!("-1 to -12: {down:.1} dB, -8 to -9: {further:.1} dB");
    check(
        "09 clicks: ceiling lowered over a tone of -6 dBFS",
        "ceiling",
        down.max(further),
    );
}

#[test]
fn switches_turned_round_half_way() {
    let mut found = f64::NEG_INFINITY;
    let gate = [(id::GATE_THRESHOLD, 0.0), (id::GATE_RANGE, 80.0)];
    let level = [(id::LEVELLER_TARGET, -30.0), (id::LEVELLER_SPEED, 0.5)];
    let ceiling = [(id::CEILING, -12.0)];
    for (control, settings) in [
        (id::GATE_ON, &gate[..]),
        (id::LEVELLER_ON, &level),
        (id::CEILING_ON, &ceiling),
    ] {
        for after in [240, 480, 900, 1400] {
            let mut all = settings.to_vec();
            all.push((control, 1.0));
            let click = program(&all, |at| {
                vec![step(at, control, 0.0), step(at + after, control, 1.0)]
            });
            println!("{} after {after}: {click:.1} dB", control.control().id);
            found = found.max(click);
        }
    }
    check(
        "09 clicks: gate, leveller, ceiling off and on half-way",
        "switches",
        found,
    );
}

#[test]
fn the_gate_turned_round_half_way() {
    // Opened and closed by its threshold.
    let settings = [(id::GATE_ON, 1.0), (id::GATE_HOLD, 0.0)];
    let mut found = f64::NEG_INFINITY;
    for after in [100, 480, 1200, 2000] {
        let click = program(&settings, |at| {
            vec![
                step(at, id::GATE_THRESHOLD, 0.0),
                step(at + after, id::GATE_THRESHOLD, -40.0),
            ]
        });
        println!("threshold after {after}: {click:.1} dB");
        found = found.max(click);
    }
    figure(
        "09 clicks: gate turned round half-way",
        "<= -60 dB",
        &format!("{found:.1} dB"),
    );
    assert!(found <= -60.0, "{found}");
}

#[test]
fn seek_while_playing() {
    let settings = binaural(10.0, TONE);
    let worst = transport(&settings, |start, at| {
        // A jump of the song by 1.2345 s at the block that holds the frame.
        let jump = if start >= at { 59_257 } else { 0 };
        Transport::Host {
            playing: true,
            song_frames: Some(start as i64 + jump),
            tempo: None,
        }
    });
    check("09 clicks: seek while playing", "seek", worst);
}

#[test]
fn a_loop_of_a_hundred_turns() {
    let settings = binaural(6.3, TONE);
    // A hundred loops of 12.7 ms, shorter than the fade of a jump: turns that come during one wait for its end.
    let worst = transport(&settings, |start, _| {
        let song_frames = Some((start % 608) as i64);
        Transport::Host {
            playing: true,
            song_frames,
            tempo: None,
        }
    });
    check("09 clicks: a loop of 12.7 ms, x100", "loop", worst);
}

#[test]
fn play_and_stop() {
    for (mode, name) in [
        (id::PHASE_TIMELINE, "timeline"),
        (id::PHASE_RESTART, "restart"),
    ] {
        let mut settings = binaural(10.0, TONE);
        settings.push((id::PHASE_MODE, mode as f64));
        let play = transport(&settings, |start, at| Transport::Host {
            playing: start >= at,
            song_frames: Some(if start >= at {
                start as i64 - at as i64
            } else {
                0
            }),
            tempo: None,
        });
        check(
            &format!("09 clicks: play starts, phase mode {name}"),
            name,
            play,
        );
    }
    let mut settings = binaural(10.0, TONE);
    settings.push((id::RUN, id::RUN_TRANSPORT as f64));
    settings.push((id::FADE_OUT, 0.0));
    let stop = transport(&settings, |start, at| Transport::Host {
        playing: start < at,
        song_frames: Some(start.min(at) as i64),
        tempo: None,
    });
    check(
        "09 clicks: the transport stops, run transport",
        "stop",
        stop,
    );
}

/// A factory preset as it is loaded.
struct Loaded {
    name: String,
    snapshot: Snapshot,
    /// Peak of what it sounds like by itself.
    peak: f64,
}

/// Plays one preset over silence, and another from a frame on.
fn presets(first: &Snapshot, second: Option<&Snapshot>, at: usize) -> [Vec<f32>; 2] {
    let mut engine = Engine::new(RATE).unwrap();
    let mut deck = engine.take_deck().unwrap();
    let mut send = |snapshot: &Snapshot| {
        let order = Order::Snapshot(Box::new(snapshot.clone()));
        deck.send(order).unwrap();
    };
    send(first);
    let mut ears = silence(FRAMES);
    let [left, right] = &mut ears;
    let mut frame = 0;
    while frame < FRAMES {
        if let Some(second) = second.filter(|_| frame == at) {
            send(second);
        }
        let border = if frame < at { at } else { FRAMES };
        let end = (frame + 64).min(border);
        let transport = Transport::Host {
            playing: true,
            song_frames: Some(frame as i64),
            tempo: None,
        };
        engine.process(
            &mut left[frame..end],
            &mut right[frame..end],
            transport,
            &[],
        );
        frame = end;
    }
    ears
}

/// The factory presets that the measure can judge: tones below 1 kHz, no noise, nothing above 2 kHz by themselves.
fn tonal_presets(filter: &ClickFilter) -> Vec<Loaded> {
    let noisy = |value: &dyn Fn(ControlId) -> f64| {
        let layers = id::LAYER
            .iter()
            .any(|layer| value(layer.kind) as usize == id::LAYER_NOISE);
        layers || value(id::NOISE_KIND) != 0.0
    };
    let mut found = Vec::new();
    for preset in factory_presets() {
        let mut settings = preset.all_settings();
        settings[id::FADE_IN.index()].1 = 0.02;
        let value = |control: ControlId| settings[control.index()].1;
        if noisy(&value) || value(id::CARRIER) >= 1000.0 || value(id::SPACE_KIND) != 0.0 {
            continue;
        }
        let protocol = preset.protocol();
        let timeline = protocol.map(|rows| Arc::new(rows.timeline(&settings, RATE).unwrap()));
        let snapshot = Snapshot {
            settings,
            timeline,
            ..Snapshot::default()
        };
        let ears = presets(&snapshot, None, 0);
        let loudest = |peak: f32, x: &f32| peak.max(x.abs());
        let peak = ears.iter().flatten().fold(0.0, loudest);
        let own = ears
            .iter()
            .map(|ear| filter.click(&ear[20_000..], f64::from(peak)))
            .fold(f64::NEG_INFINITY, f64::max);
        println!("{}: peak {peak:.4}, by itself {own:.1} dB", preset.name());
        if peak > 1e-3 && own <= -95.0 {
            found.push(Loaded {
                name: preset.name().to_owned(),
                snapshot,
                peak: f64::from(peak),
            });
        }
    }
    found
}

#[test]
fn every_tonal_factory_preset_to_every_other() {
    let filter = ClickFilter::new(RATE).unwrap();
    let all = tonal_presets(&filter);
    assert!(all.len() >= 6, "only {} can be judged", all.len());
    let (mut most, mut pairs) = (f64::NEG_INFINITY, 0);
    for (n, first) in all.iter().enumerate() {
        for (_, second) in all.iter().enumerate().filter(|(m, _)| *m != n) {
            // Re the louder of the two tones.
            let tone = first.peak.max(second.peak);
            for eighth in 0..8 {
                let at = AT + eighth * 15;
                let ears = presets(&first.snapshot, Some(&second.snapshot), at);
                // What happens, happens within 40 ms.
                let span = at - 4_000..at + 8_000;
                for ear in &ears {
                    let click = filter.click(&ear[span.clone()], tone);
                    if click > BAR {
                        println!("{} -> {}: {click:.1} dB", first.name, second.name);
                    }
                    most = most.max(click);
                }
            }
            pairs += 1;
        }
    }
    println!("{} presets, {pairs} changes", all.len());
    check(
        "09 clicks: every tonal factory preset to every other, re the louder tone",
        "preset change",
        most,
    );
}

#[test]
fn the_click_measure_can_fail() {
    let hard = layer(&[(id::GLIDE, 0.0)], |at| {
        vec![step(at, id::L1_LEVEL, -40.0)]
    });
    assert!(hard > -40.0, "a hard step of level is a click: {hard}");
}
