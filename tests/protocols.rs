//! Protocols: the phase is the closed form from wherever it is reached, however the stream is cut.

mod common;

use common::{BLOCKS, assert_same, binaural, cuts, figure};
use std::sync::Arc;
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::timeline::{Curve, Row};
use zeitgeber::engine::{
    ControlId, DeckLine, Engine, Order, Snapshot, Telemetry, Timeline, Transport,
};

const RATE: f64 = 48_000.0;

fn row(seconds: f64, control: ControlId, value: f64, curve: Curve) -> Row {
    Row {
        seconds,
        control,
        value,
        curve,
    }
}

fn timeline(rows: &[Row]) -> Arc<Timeline> {
    let setting = |control: ControlId| control.control().default_value();
    Arc::new(Timeline::new(rows, setting, 0.02, RATE).unwrap())
}

/// The ramp of the table of promises.
fn ramp() -> Arc<Timeline> {
    timeline(&[
        row(0.0, id::BEAT, 10.0, Curve::Step),
        row(60.0, id::BEAT, 4.0, Curve::Linear),
    ])
}

/// Cycles of the ramp's beat.
fn ramp_cycles(t: f64) -> f64 {
    let line = |t: f64| 10.0 * t - 6.0 * t * t / 120.0;
    if t < 0.0 {
        10.0 * t
    } else if t < 60.0 {
        line(t)
    } else {
        line(60.0) + 4.0 * (t - 60.0)
    }
}

fn engine(settings: &[(ControlId, f64)], timeline: Arc<Timeline>) -> (Engine, DeckLine) {
    let mut engine = Engine::new(RATE).unwrap();
    for (control, value) in settings {
        engine.set(*control, *value);
    }
    engine.set(id::PROTOCOL_ON, 1.0);
    let mut deck = engine.take_deck().unwrap();
    deck.send(Order::Timeline(Some(timeline))).unwrap();
    (engine, deck)
}

/// Renders from a song position; blocks of a size.
fn from(
    engine: &mut Engine,
    song: Option<i64>,
    frames: usize,
    block: Option<usize>,
) -> [Vec<f32>; 2] {
    let mut ears = [vec![0.0; frames], vec![0.0; frames]];
    let mut start = 0;
    for count in cuts(frames, block, 5) {
        let transport = song.map_or(Transport::Absent, |song| Transport::Host {
            playing: true,
            song_frames: Some(song + start as i64),
            tempo: None,
        });
        let [left, right] = ears.each_mut().map(|ear| &mut ear[start..start + count]);
        engine.process(left, right, transport, &[]);
        start += count;
    }
    ears
}

/// The phase in cycles of a tone of this frequency and slope at the middle of a signal, by a windowed
/// correlation with it.
fn phase_of(signal: &[f32], turns: impl Fn(f64) -> f64) -> f64 {
    let n = signal.len();
    let (mut re, mut im) = (0.0, 0.0);
    for (k, x) in signal.iter().enumerate() {
        let hann = 0.5 - 0.5 * (std::f64::consts::TAU * (k as f64 + 0.5) / n as f64).cos();
        let angle = std::f64::consts::TAU * turns(k as f64).rem_euclid(1.0);
        re += f64::from(*x) * hann * hann * angle.sin();
        im += f64::from(*x) * hann * hann * angle.cos();
    }
    im.atan2(re) / std::f64::consts::TAU
}

#[test]
fn a_ramp_is_at_its_closed_form_from_any_position() {
    let mut worst: f64 = 0.0;
    for song in [
        0,
        48_000 * 7 + 13,
        1_439_997,
        2_400_000 - 160,
        48_000 * 59,
        48_000 * 3600 * 5,
        -24_000,
    ] {
        let (mut engine, _deck) = engine(&binaural(33.0, 400.0), ramp());
        let ears = from(&mut engine, Some(song), 48_000, Some(480));
        for (ear, sign) in ears.iter().zip([-0.5, 0.5]) {
            let begin = 24_000;
            let turns = |k: f64| {
                let t = (song as f64 + begin as f64 + k) / RATE;
                400.0 * t + sign * ramp_cycles(t)
            };
            let off = phase_of(&ear[begin..begin + 19_200], turns) * 360.0;
            worst = worst.max(off.abs());
        }
    }
    figure(
        "05 ramp 10 -> 4 Hz over 60 s by a protocol: phase",
        "<= 0.01 degree of the closed form",
        &format!("{worst:.5} degree"),
    );
    assert!(worst <= 0.01, "{worst}");
}

#[test]
fn the_beat_phase_is_told_exactly_after_an_hour_and_through_a_loop() {
    let (mut engine, _deck) = engine(&binaural(33.0, 400.0), ramp());
    engine.set(id::PROTOCOL_LOOP, 1.0);
    let song = 48_000 * 3600;
    from(&mut engine, Some(song), 9600, Some(64));
    // 60 passes; each after the first glides back to 10 Hz in the first 20 ms and its line takes the rest.
    let t = 0.2;
    let pass = 0.02 * 7.0 + 59.98 * 7.0;
    let line = |u: f64| 10.0 * u - 6.0 * u * u / (2.0 * 59.98);
    let cycles = 420.0 + 59.0 * pass + 0.02 * 7.0 + line(t - 0.02);
    let off = (engine.telemetry().beat_phase() - cycles).rem_euclid(1.0);
    let off = off.min(1.0 - off) * 360.0;
    assert!(off < 0.01, "{off}");
    assert_eq!(engine.telemetry().protocol(), Some(0.2));
}

/// A timeline that moves a bit of everything.
fn all_sorts() -> Arc<Timeline> {
    timeline(&[
        row(0.0, id::BEAT, 10.0, Curve::Step),
        row(0.0, id::CARRIER, 200.0, Curve::Step),
        row(0.0, id::L1_KIND, 1.0, Curve::Step),
        row(0.5, id::CARRIER, 300.0, Curve::Exponential),
        row(0.5, id::L1_LEVEL, -12.0, Curve::Linear),
        row(0.6, id::NOISE_LEVEL, -20.0, Curve::Step),
        row(0.7, id::BEAT, 4.0, Curve::Smooth),
        row(0.7, id::L2_RATIO, 2.0, Curve::Linear),
        row(0.7, id::L2_INTERVAL, 7.0, Curve::Linear),
        row(0.8, id::L2_KIND, 3.0, Curve::Step),
        row(0.9, id::BEAT, 6.0, Curve::Step),
        row(1.0, id::NOISE_WIDTH, 0.5, Curve::Linear),
        row(1.1, id::PROG_DEPTH, 0.5, Curve::Linear),
        row(1.2, id::MOTION_RATE, 0.5, Curve::Linear),
    ])
}

fn busy() -> Vec<(ControlId, f64)> {
    let mut settings = binaural(10.0, 250.0);
    settings.extend([
        (id::L2_KIND, id::LAYER_BINAURAL as f64),
        (id::NOISE_KIND, id::NOISE_PINK as f64),
        (id::PROG_KIND, id::PROGRAM_AMPLITUDE as f64),
    ]);
    settings
}

#[test]
fn any_block_sizes_give_the_same_bits() {
    for (song, looping) in [(None, 0.0), (Some(0), 1.0), (Some(20_011), 0.0)] {
        let render = |block| {
            let (mut engine, _deck) = engine(&busy(), all_sorts());
            engine.set(id::PROTOCOL_LOOP, looping);
            from(&mut engine, song, 80_000, block)
        };
        let reference = render(Some(64));
        for block in BLOCKS {
            let other = render(*block);
            for (a, b) in reference.iter().zip(&other) {
                assert_same(a, b, &format!("blocks of {block:?} from {song:?}"));
            }
        }
    }
}

#[test]
fn a_bounce_from_the_middle_is_the_middle_of_a_bounce() {
    let settings = binaural(33.0, 400.0);
    let whole = {
        let (mut engine, _deck) = engine(&settings, ramp());
        from(&mut engine, Some(0), 96_000, Some(512))
    };
    let (mut engine, _deck) = engine(&settings, ramp());
    let middle = from(&mut engine, Some(48_000), 48_000, Some(100));
    for (a, b) in whole.iter().zip(&middle) {
        // After the fade-in of the start, the same bits.
        assert_same(&a[48_000 + 2048..], &b[2048..], "from the middle");
    }
    // Twice the same.
    let again = from(
        &mut engine.clone_fresh(&settings),
        Some(48_000),
        48_000,
        Some(100),
    );
    for (a, b) in middle.iter().zip(&again) {
        assert_same(a, b, "again");
    }
}

/// Another engine that plays the ramp.
trait Fresh {
    fn clone_fresh(&self, settings: &[(ControlId, f64)]) -> Engine;
}

impl Fresh for Engine {
    fn clone_fresh(&self, settings: &[(ControlId, f64)]) -> Engine {
        engine(settings, ramp()).0
    }
}

#[test]
fn it_wins_over_the_host_and_gives_back_what_the_host_says() {
    let (mut engine, _deck) = engine(&binaural(33.0, 400.0), ramp());
    from(&mut engine, Some(0), 4800, Some(64));
    assert_eq!(engine.telemetry().protocol(), Some(0.1));
    engine.set(id::BEAT, 20.0);
    engine.set(id::CARRIER, 300.0);
    from(&mut engine, Some(4800), 4800, Some(64));
    assert!((engine.telemetry().beat() - (10.0 - 0.1 * 0.2)).abs() < 1e-9);
    assert_eq!(engine.telemetry().carrier(), 300.0);
    engine.set(id::PROTOCOL_ON, 0.0);
    from(&mut engine, Some(9600), 9600, Some(64));
    assert_eq!(engine.telemetry().beat(), 20.0);
    assert_eq!(engine.telemetry().protocol(), None);
}

#[test]
fn it_runs_by_itself_starts_waits_and_seeks() {
    let (mut engine, mut deck) = engine(&binaural(33.0, 400.0), ramp());
    let seconds = |telemetry: &Telemetry| telemetry.protocol().unwrap();
    from(&mut engine, None, 48_000, Some(64));
    assert_eq!(seconds(engine.telemetry()), 1.0);
    deck.send(Order::Play(false)).unwrap();
    from(&mut engine, None, 48_000, Some(64));
    let paused = seconds(engine.telemetry());
    assert!((1.0..1.002).contains(&paused), "{paused}");
    deck.send(Order::Seek(30.0)).unwrap();
    deck.send(Order::Play(true)).unwrap();
    from(&mut engine, None, 48_000, Some(64));
    let at = seconds(engine.telemetry());
    assert!((30.9..31.01).contains(&at), "{at}");
    assert!((engine.telemetry().beat() - (10.0 - 0.1 * at)).abs() < 1e-6);
}

#[test]
fn a_host_that_tells_no_position_leaves_it_to_orders() {
    let (mut engine, mut deck) = engine(&binaural(33.0, 400.0), ramp());
    let mut second = |playing| {
        let (mut left, mut right) = (vec![0.0; 48_000], vec![0.0; 48_000]);
        let transport = Transport::Host {
            playing,
            song_frames: None,
            tempo: None,
        };
        engine.process(&mut left, &mut right, transport, &[]);
        assert!(engine.telemetry().protocol_by_itself());
        engine.telemetry().protocol().unwrap()
    };
    assert_eq!(second(true), 1.0);
    assert_eq!(second(false), 1.0, "it stands");
    deck.send(Order::Play(false)).unwrap();
    // Orders are taken once a quantum: a block is under way by then.
    let waits = second(true);
    assert_eq!(second(true), waits);
    deck.send(Order::Seek(30.0)).unwrap();
    deck.send(Order::Play(true)).unwrap();
    second(true);
    let at = second(true);
    assert!((31.0..32.1).contains(&at), "{at}");
}

#[test]
fn where_it_was_sent_while_it_was_off_it_begins() {
    let (mut engine, mut deck) = engine(&binaural(33.0, 400.0), ramp());
    engine.set(id::PROTOCOL_ON, 0.0);
    from(&mut engine, None, 48_000, Some(64));
    deck.send(Order::Seek(20.0)).unwrap();
    from(&mut engine, None, 4800, Some(64));
    engine.set(id::PROTOCOL_ON, 1.0);
    from(&mut engine, None, 48_000, Some(64));
    let seconds = engine.telemetry().protocol().unwrap();
    assert!((20.9..21.2).contains(&seconds), "{seconds}");
    // Only once.
    engine.set(id::PROTOCOL_ON, 0.0);
    from(&mut engine, None, 48_000, Some(64));
    engine.set(id::PROTOCOL_ON, 1.0);
    from(&mut engine, None, 48_000, Some(64));
    let seconds = engine.telemetry().protocol().unwrap();
    assert!((0.9..1.0).contains(&seconds), "{seconds}");
}

#[test]
fn it_is_there_at_the_first_frame_and_begins_at_its_beginning_when_it_is_switched_on() {
    let (mut engine, _deck) = engine(&binaural(33.0, 400.0), ramp());
    from(&mut engine, Some(48_000 * 30), 32, Some(32));
    assert!((engine.telemetry().beat() - 7.0).abs() < 1e-3);
    assert!(engine.telemetry().protocol().is_some());
    // By itself, switched off and on again.
    engine.reset();
    from(&mut engine, None, 48_000, Some(64));
    engine.set(id::PROTOCOL_ON, 0.0);
    from(&mut engine, None, 48_000, Some(64));
    engine.set(id::PROTOCOL_ON, 1.0);
    from(&mut engine, None, 48_000, Some(64));
    let seconds = engine.telemetry().protocol().unwrap();
    assert!((0.97..1.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_host_that_stands_holds_it_and_a_seek_moves_it() {
    let (mut engine, _deck) = engine(&binaural(33.0, 400.0), ramp());
    let mut block = |playing, song| {
        let (mut left, mut right) = ([0.0; 4800], [0.0; 4800]);
        let transport = Transport::Host {
            playing,
            song_frames: Some(song),
            tempo: None,
        };
        engine.process(&mut left, &mut right, transport, &[]);
        engine.telemetry().protocol().unwrap()
    };
    assert_eq!(block(true, 0), 0.1);
    assert_eq!(block(false, 4800), 0.1);
    assert_eq!(block(false, 4800), 0.1);
    assert_eq!(block(true, 4800), 0.2);
    assert_eq!(block(true, 480_000), 10.1);
    assert_eq!(block(false, 96_000), 2.0);
    assert_eq!(block(true, 96_000), 2.1);
}

const BAR: f64 = -80.0;
const AT: usize = 40_000;

/// The worst click of eight phases of a tone of 400 Hz, in dB re the tone.
fn worst(
    change: impl Fn(&mut Engine, &mut DeckLine),
    settings: &[(ControlId, f64)],
    timeline: &Arc<Timeline>,
) -> f64 {
    let filter = ClickFilter::new(RATE).unwrap();
    (0..8)
        .flat_map(|eighth| {
            let at = AT + eighth * 15;
            let (mut engine, mut deck) = engine(settings, timeline.clone());
            let before = from(&mut engine, Some(0), at, Some(64));
            change(&mut engine, &mut deck);
            let after = from(&mut engine, Some(at as i64), 20_000, Some(64));
            before
                .into_iter()
                .zip(after)
                .map(|(mut ear, after)| {
                    ear.extend(after);
                    filter.click(&ear[20_000..], 0.1)
                })
                .collect::<Vec<_>>()
        })
        .fold(f64::NEG_INFINITY, f64::max)
}

fn check(row: &str, worst: f64) {
    figure(row, "<= -80 dB re the tone", &format!("{worst:.1} dB"));
    assert!(worst <= BAR, "{row}: {worst}");
}

#[test]
fn a_change_of_preset_does_not_click() {
    let steady = timeline(&[row(0.0, id::BEAT, 10.0, Curve::Step)]);
    let base = binaural(10.0, 400.0);
    let preset = |settings: &[(ControlId, f64)], timeline: Option<Arc<Timeline>>| {
        let mut all: Vec<(ControlId, f64)> = ControlId::all()
            .map(|control| (control, control.control().default_value()))
            .collect();
        for (control, value) in settings {
            all[control.index()].1 = *value;
        }
        Order::Snapshot(Box::new(Snapshot {
            settings: all,
            timeline,
            ..Snapshot::default()
        }))
    };
    let others: Vec<Vec<(ControlId, f64)>> = vec![
        vec![
            (id::L1_KIND, 1.0),
            (id::CARRIER, 600.0),
            (id::BEAT, 40.0),
            (id::L1_LEVEL, -20.0),
        ],
        vec![
            (id::L1_KIND, 2.0),
            (id::CARRIER, 180.0),
            (id::BEAT, 3.0),
            (id::L1_LEVEL, -26.0),
        ],
        vec![
            (id::L2_KIND, 1.0),
            (id::CARRIER, 440.0),
            (id::L2_INTERVAL, 7.0),
        ],
        vec![
            (id::OUT_GAIN, -6.0),
            (id::GLIDE, 0.0),
            (id::L1_KIND, 1.0),
            (id::CARRIER, 401.0),
        ],
        vec![],
    ];
    let mut most = f64::NEG_INFINITY;
    for other in &others {
        // The host repeats every value at once, as it does after gestures: that is no change of its own.
        let change = |engine: &mut Engine, deck: &mut DeckLine| {
            let order = preset(other, None);
            let Order::Snapshot(snapshot) = &order else {
                return;
            };
            let settings = snapshot.settings.clone();
            deck.send(order).unwrap();
            for (control, value) in settings {
                engine.set(control, value);
            }
        };
        let click = worst(change, &base, &steady);
        most = most.max(click);
    }
    check("09 clicks: preset change", most);
}

#[test]
fn steps_seeks_and_switches_of_a_protocol_do_not_click() {
    let rows = [
        row(0.0, id::BEAT, 10.0, Curve::Step),
        row(0.0, id::CARRIER, 400.0, Curve::Step),
        row(0.9, id::BEAT, 16.0, Curve::Step),
        row(0.95, id::L1_LEVEL, -26.0, Curve::Step),
        row(1.0, id::CARRIER, 450.0, Curve::Step),
        row(1.1, id::L1_LEVEL, -20.0, Curve::Linear),
        row(600.0, id::CARRIER, 500.0, Curve::Linear),
    ];
    let base = binaural(10.0, 400.0);
    check(
        "09 clicks: steps of beat, level and carrier by a protocol",
        worst(|_, _| {}, &base, &timeline(&rows)),
    );
    let off = worst(
        |engine, _| engine.set(id::PROTOCOL_ON, 0.0),
        &base,
        &timeline(&rows),
    );
    check("09 clicks: protocol switched off", off);
    let swap = worst(
        |_, deck| deck.send(Order::Timeline(Some(ramp()))).unwrap(),
        &base,
        &timeline(&rows),
    );
    check("09 clicks: another protocol", swap);
}

#[test]
fn a_phase_offset_that_a_protocol_moves_does_not_click() {
    let base = binaural(10.0, 400.0);
    let turn = [
        row(0.0, id::PHASE, 170.0, Curve::Step),
        row(1.0, id::PHASE, -170.0, Curve::Smooth),
    ];
    check(
        "09 clicks: phase offset from 170 to -170 degrees by a protocol",
        worst(|_, _| {}, &base, &timeline(&turn)),
    );
    let steps = [
        row(0.0, id::PHASE, 0.0, Curve::Step),
        row(0.9, id::PHASE, 180.0, Curve::Step),
        row(1.0, id::PHASE, -180.0, Curve::Step),
    ];
    let setting = |control: ControlId| control.control().default_value();
    // Without a glide too: a phase never jumps.
    let most = [0.02, 0.0]
        .into_iter()
        .map(|glide| {
            let steps = Arc::new(Timeline::new(&steps, setting, glide, RATE).unwrap());
            worst(|_, _| {}, &base, &steps)
        })
        .fold(f64::NEG_INFINITY, f64::max);
    check(
        "09 clicks: phase offset steps of 180 and 360 degrees by a protocol",
        most,
    );
}

#[test]
fn a_protocol_that_plays_by_itself_is_at_its_closed_form_after_pauses_and_seeks() {
    let (mut engine, mut deck) = engine(&binaural(33.0, 400.0), ramp());
    let window = 19_200;
    let mut found: f64 = 0.0;
    let mut look = |engine: &mut Engine, what: &str| {
        let ears = from(engine, None, 24_000 + window, Some(480));
        let end = engine.telemetry().protocol().unwrap() * RATE;
        for (ear, sign) in ears.iter().zip([-0.5, 0.5]) {
            let turns = |k: f64| {
                let t = (end - window as f64 + k) / RATE;
                400.0 * t + sign * ramp_cycles(t)
            };
            let off = phase_of(&ear[24_000..], turns) * 360.0;
            println!("{what}: {off:.6} degree");
            found = found.max(off.abs());
        }
    };
    look(&mut engine, "from its beginning");
    for pause in [4_800, 15_057, 31] {
        deck.send(Order::Play(false)).unwrap();
        from(&mut engine, None, pause, Some(37));
        deck.send(Order::Play(true)).unwrap();
        look(&mut engine, "after a pause");
    }
    deck.send(Order::Seek(29.777)).unwrap();
    look(&mut engine, "after a seek");
    deck.send(Order::Play(false)).unwrap();
    from(&mut engine, None, 9_999, Some(64));
    deck.send(Order::Seek(7.31)).unwrap();
    from(&mut engine, None, 9_999, Some(64));
    deck.send(Order::Play(true)).unwrap();
    look(&mut engine, "after a seek in a pause");
    deck.send(Order::Seek(50.5)).unwrap();
    deck.send(Order::Play(false)).unwrap();
    from(&mut engine, None, 700, Some(64));
    deck.send(Order::Play(true)).unwrap();
    look(&mut engine, "after both at once");
    // A host that plays and stops, and tells no position.
    let mut stop = [vec![0.0; 7_777], vec![0.0; 7_777]];
    let [left, right] = &mut stop;
    let stands = Transport::Host {
        playing: false,
        song_frames: None,
        tempo: None,
    };
    engine.process(left, right, stands, &[]);
    look(&mut engine, "after a stop of the host");
    figure(
        "05 a protocol by itself after pauses and seeks: phase",
        "<= 0.01 degree of the closed form",
        &format!("{found:.5} degree"),
    );
    assert!(found <= 0.01, "{found}");
}

#[test]
fn a_pause_does_not_click() {
    let base = binaural(33.0, 400.0);
    let filter = ClickFilter::new(RATE).unwrap();
    let mut most = f64::NEG_INFINITY;
    for eighth in 0..8 {
        let (mut engine, mut deck) = engine(&base, ramp());
        let mut ears = from(&mut engine, None, 40_000 + 15 * eighth, Some(64));
        for (play, frames) in [(false, 5_000), (true, 15_000)] {
            deck.send(Order::Play(play)).unwrap();
            let next = from(&mut engine, None, frames, Some(64));
            for (ear, next) in ears.iter_mut().zip(next) {
                ear.extend(next);
            }
        }
        for ear in &ears {
            most = most.max(filter.click(&ear[20_000..], 0.1));
        }
    }
    check("09 clicks: a protocol by itself waits and goes on", most);
}

#[test]
fn a_fade_out_is_heard_to_its_end_where_the_cursor_jumps_back() {
    let filter = ClickFilter::new(RATE).unwrap();
    for fade_out in [0.0_f64, 0.4, 2.0] {
        let length = (fade_out.max(0.02) * RATE) as usize;
        let play = |back: bool| {
            let mut settings = binaural(33.0, 400.0);
            settings.extend([
                (id::RUN, id::RUN_TRANSPORT as f64),
                (id::FADE_OUT, fade_out),
            ]);
            let (mut engine, _deck) = engine(&settings, ramp());
            let mut heard = from(&mut engine, Some(0), 48_000, Some(64))[0].clone();
            let song = if back { 0 } else { 48_000 };
            let mut block = |playing, song, frames: usize| {
                let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
                let transport = Transport::Host {
                    playing,
                    song_frames: Some(song),
                    tempo: None,
                };
                engine.process(&mut left, &mut right, transport, &[]);
                heard.extend(left);
                engine.telemetry().protocol().unwrap()
            };
            let mut at = 0.0;
            for _ in 0..(length / 64 + 100) {
                at = block(false, song, 64);
            }
            for n in 0..300 {
                block(true, song + 64 * n, 64);
            }
            (heard, at)
        };
        let ((stayed, here), (jumped, there)) = (play(false), play(true));
        assert_eq!((here, there), (1.0, 0.0), "it is where the cursor is");
        let end = 48_000 + length;
        assert_same(&jumped[..end], &stayed[..end], "the whole fade");
        let middle = &jumped[48_000 + length / 2 - 120..][..120];
        let peak = middle.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!((0.04..0.07).contains(&peak), "half-way: {peak}");
        assert!(jumped[end..end + 5_000].iter().all(|x| *x == 0.0));
        check(
            &format!("09 clicks: stop with the cursor back, fade-out {fade_out} s"),
            filter.click(&jumped[20_000..], 0.1),
        );
    }
}

#[test]
fn levels_of_the_program_that_a_protocol_moves_do_not_click_at_a_seek() {
    let rows = [
        row(0.0, id::PROG_LEVEL, 0.0, Curve::Step),
        row(3.0, id::PROG_LEVEL, -30.0, Curve::Linear),
        row(0.05, id::IN_GAIN, 0.0, Curve::Step),
        row(0.3, id::IN_GAIN, -6.0, Curve::Step),
        row(2.0, id::OUT_GAIN, -6.0, Curve::Smooth),
    ];
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let filter = ClickFilter::new(RATE).unwrap();
    // With a beat there is a dip, which the program does not hear.
    for (kind, beat) in [(0.0, "no beat"), (1.0, "a beat")] {
        let mut most = f64::NEG_INFINITY;
        // To the middle of a line, of a step, behind all.
        for song in [4_800, 14_500, 300_000] {
            for eighth in 0..8 {
                let mut settings = binaural(10.0, 400.0);
                settings.extend([(id::L1_KIND, kind), (id::L1_LEVEL, -60.0)]);
                let (mut engine, _deck) = engine(&settings, timeline(&rows));
                let at = AT + 15 * eighth;
                let tone = |n: usize| (std::f64::consts::TAU * n as f64 / 120.0).sin() as f32;
                let mut left: Vec<f32> = (0..60_000).map(|n| 0.5 * tone(n)).collect();
                let mut right = left.clone();
                let mut start = 0;
                while start < left.len() {
                    let border = if start < at { at } else { left.len() };
                    let end = (start + 64).min(border);
                    let jumped = if start < at { 0 } else { song - at as i64 };
                    let transport = Transport::Host {
                        playing: true,
                        song_frames: Some(start as i64 + jumped),
                        tempo: None,
                    };
                    let (left, right) = (&mut left[start..end], &mut right[start..end]);
                    engine.process(left, right, transport, &[]);
                    start = end;
                }
                most = most.max(filter.click(&left[20_000..], 0.5));
            }
        }
        check(
            &format!("09 clicks: a seek where a protocol moves the program's level, {beat}"),
            most,
        );
    }
}

#[test]
fn an_echo_of_what_is_on_its_way_changes_nothing() {
    let render = |echo: bool| {
        let mut settings = binaural(10.0, 400.0);
        settings.push((id::GLIDE, 0.4));
        let mut engine = Engine::new(RATE).unwrap();
        for (control, value) in &settings {
            engine.set(*control, *value);
        }
        let mut heard = from(&mut engine, Some(0), 9_600, Some(64));
        let steps = [
            (id::BEAT, 16.0),
            (id::L1_LEVEL, -30.0),
            (id::PHASE, 90.0),
            (id::L1_KIND, 1.0),
        ];
        for (control, value) in steps {
            engine.set(control, value);
        }
        for part in 0..4 {
            let song = 9_600 + 6_016 * part;
            for (ear, next) in heard
                .iter_mut()
                .zip(from(&mut engine, Some(song), 6_016, Some(64)))
            {
                ear.extend(next);
            }
            for (control, value) in steps.into_iter().filter(|_| echo) {
                engine.set(control, value);
            }
        }
        heard
    };
    for (a, b) in render(false).iter().zip(&render(true)) {
        assert_same(a, b, "echoes");
    }
}

#[test]
fn a_level_that_was_stopped_on_its_way_arrives() {
    let rows = [
        row(0.0, id::L1_LEVEL, -20.0, Curve::Step),
        row(0.1, id::L1_LEVEL, -40.0, Curve::Step),
    ];
    let setting = |control: ControlId| control.control().default_value();
    let slow = Arc::new(Timeline::new(&rows, setting, 1.0, RATE).unwrap());
    let (mut engine, _deck) = engine(&binaural(10.0, 400.0), slow);
    let mut block = |playing, song: i64| {
        let (mut left, mut right) = ([0.0; 4800], [0.0; 4800]);
        let transport = Transport::Host {
            playing,
            song_frames: Some(song),
            tempo: None,
        };
        engine.process(&mut left, &mut right, transport, &[]);
        left.iter().fold(0.0f32, |peak, x| peak.max(x.abs()))
    };
    for n in 0..4 {
        block(true, 4800 * n);
    }
    for _ in 0..4 {
        block(false, 4800 * 4);
    }
    let peaks: Vec<f32> = (4..12).map(|n| block(true, 4800 * n)).collect();
    assert!(
        peaks.is_sorted_by(|a, b| a >= b) && peaks[5] < 0.6 * peaks[0],
        "it goes on falling: {peaks:?}"
    );
    assert!((peaks[7] - 0.01).abs() < 1e-3, "{peaks:?}");
}

#[test]
fn where_the_host_has_a_song_position_it_alone_seeks() {
    let (mut engine, mut deck) = engine(&binaural(33.0, 400.0), ramp());
    from(&mut engine, Some(0), 48_000, Some(64));
    deck.send(Order::Seek(30.0)).unwrap();
    from(&mut engine, Some(48_000), 48_000, Some(64));
    assert_eq!(engine.telemetry().protocol(), Some(2.0));
}

#[test]
fn a_seek_that_a_reset_overtakes_leads_where_it_was_meant() {
    let (mut engine, mut deck) = engine(&binaural(10.0, 200.0), ramp());
    from(&mut engine, None, 48_000, Some(64));
    // It is taken and waits for the bottom of a dip, when the host begins anew.
    deck.send(Order::Seek(30.0)).unwrap();
    from(&mut engine, None, 64, Some(64));
    engine.reset();
    from(&mut engine, None, 6400, Some(64));
    let here = engine.telemetry().protocol().unwrap();
    let passed = 6400.0 / RATE;
    assert!((here - 30.0 - passed).abs() < 0.03, "{here}");
}
