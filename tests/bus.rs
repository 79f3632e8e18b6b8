//! Ambisonic buses through the whole engine: what comes in leaves as two ears, treated on every channel, turned with the
//! head, without clicks, and untouched while space is off.

mod common;

use common::{BLOCKS, Random, assert_same, bursts, cuts, figure, music};
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::dsp::ambisonics::{channels, degree, encode, n3d};
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Event, Transport};
use zeitgeber::hrtf::Source;
use zeitgeber::space::{bring, bring_all, everything};

const RATE: f64 = 48_000.0;

type Bus = Vec<Vec<f32>>;

/// An engine of an order with all that space may ask for, set and reset.
fn engine(order: usize, settings: &[(ControlId, f64)]) -> Engine {
    let mut engine = Engine::ambisonic(RATE, order).unwrap();
    engine.set(id::FADE_IN, 0.0);
    engine.set(id::ORDER, order as f64);
    for (control, value) in settings {
        engine.set(*control, *value);
    }
    bring_all(&mut engine, &Source::Default, everything(order)).unwrap();
    engine.reset();
    engine
}

/// Renders a bus in blocks of a size, with steps at frames.
fn run(
    engine: &mut Engine,
    input: &Bus,
    steps: &[(usize, ControlId, f64)],
    block: Option<usize>,
) -> Bus {
    let mut bus = input.clone();
    let mut start = 0;
    for count in cuts(input[0].len(), block, 99) {
        let end = start + count;
        let within = |(frame, ..): &&(usize, ControlId, f64)| (start..end).contains(frame);
        let events: Vec<Event> = steps
            .iter()
            .filter(within)
            .map(|(frame, control, value)| Event {
                frame: frame - start,
                control: *control,
                change: Change::Step(*value),
            })
            .collect();
        let mut slices: Vec<&mut [f32]> = bus.iter_mut().map(|c| &mut c[start..end]).collect();
        let transport = Transport::Host {
            playing: true,
            song_frames: Some(start as i64),
            tempo: None,
        };
        engine.process_channels(&mut slices, transport, &events);
        start = end;
    }
    bus
}

/// A plane wave as a bus.
fn wave(order: usize, azimuth: f64, elevation: f64, signal: &[f32]) -> Bus {
    let gains = encode(order, azimuth, elevation);
    (0..channels(order))
        .map(|c| {
            signal
                .iter()
                .map(|x| (gains[c] * f64::from(*x)) as f32)
                .collect()
        })
        .collect()
}

fn noises(order: usize, frames: usize) -> Bus {
    (0..channels(order) as u64)
        .map(|c| bursts(frames, c + 1))
        .collect()
}

fn energy(signal: &[f32]) -> f64 {
    signal.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
}

/// How far two renders are from each other, in dB of the first.
fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let (mut apart, mut whole) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let between: Vec<f32> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        apart += energy(&between);
        whole += energy(a);
    }
    10.0 * (apart / whole).log10()
}

const AMBISONIC: (ControlId, f64) = (id::SPACE_KIND, id::SPACE_AMBISONIC as f64);

#[test]
fn defaults_pass_every_bus_bit_for_bit() {
    for order in 1..=7 {
        let input = noises(order, 5000);
        let mut engine = Engine::ambisonic(RATE, order).unwrap();
        engine.reset();
        let output = run(&mut engine, &input, &[], Some(480));
        for (channel, (input, output)) in input.iter().zip(&output).enumerate() {
            assert_same(input, output, &format!("order {order}, channel {channel}"));
        }
    }
    figure(
        "62 ambisonic class, defaults, orders 1 to 7",
        "output = input, bit-exact",
        "bit-exact on every channel",
    );
}

#[test]
fn a_bus_leaves_as_two_ears_and_silence() {
    let input = noises(3, 20_000);
    let output = run(&mut engine(3, &[AMBISONIC]), &input, &[], Some(64));
    assert!(energy(&output[0]) > 1.0 && energy(&output[1]) > 1.0);
    for (channel, silent) in output.iter().enumerate().skip(2) {
        assert!(silent.iter().all(|x| *x == 0.0), "channel {channel}");
    }
}

#[test]
fn blocks_of_any_size_give_the_same_ears() {
    for order in [2, 3] {
        let input = noises(order, 30_000);
        let settings = [
            AMBISONIC,
            (id::PROG_KIND, id::PROGRAM_AMPLITUDE as f64),
            (id::ROOM, 0.4),
            (id::L1_KIND, id::LAYER_ISOCHRONIC as f64),
            (id::L1_SPACE, 1.0),
        ];
        let steps = [
            (3_001, id::HEAD_YAW, 3.0),
            (5_007, id::HEAD_YAW, 90.0),
            (9_013, id::ORDER, 1.0),
            (12_001, id::BUS_FORMAT, 2.0),
            (15_003, id::AZIMUTH, 40.0),
            (18_011, id::SPACE_KIND, 0.0),
            (22_017, id::SPACE_KIND, 1.0),
            (25_001, id::ROOM_SIZE, 12.0),
        ];
        let whole = run(&mut engine(order, &settings), &input, &steps, Some(30_000));
        for block in BLOCKS {
            let cut = run(&mut engine(order, &settings), &input, &steps, *block);
            for (channel, (whole, cut)) in whole.iter().zip(&cut).enumerate() {
                assert_same(whole, cut, &format!("order {order}, {block:?}, {channel}"));
            }
        }
    }
}

#[test]
fn treatments_act_on_every_channel() {
    // A treated bus is the treated signal as a bus: the order of both does not matter.
    let signal = music(1.0, RATE, 0.5, 3)[0].clone();
    for kind in [id::PROGRAM_AMPLITUDE, id::PROGRAM_SWEEP] {
        let kind = (id::PROG_KIND, kind as f64);
        let treated = run(
            &mut engine(2, &[kind]),
            &wave(2, 50.0, 20.0, &signal),
            &[],
            Some(64),
        );
        let mut stereo = Engine::new(RATE).unwrap();
        stereo.set(id::FADE_IN, 0.0);
        stereo.set(kind.0, kind.1);
        stereo.reset();
        let mut ears = [signal.clone(), signal.clone()];
        let [left, right] = ears.each_mut();
        let transport = Transport::Host {
            playing: true,
            song_frames: Some(0),
            tempo: None,
        };
        stereo.process(left, right, transport, &[]);
        let expected = wave(2, 50.0, 20.0, &ears[0]);
        let apart = difference(&expected, &treated);
        assert!(apart < -120.0, "{apart}");
    }
}

#[test]
fn a_plane_wave_is_heard_where_the_filters_have_it() {
    // Against head-related filters in the same direction; the higher the order, the nearer.
    let mut random = Random(5);
    let signal: Vec<f32> = (0..24_000).map(|_| 0.1 * random.sample()).collect();
    // Below 1.5 kHz, where decoders keep the phase.
    let low = low_pass(&signal);
    let directions = [(0.0, 0.0), (60.0, 0.0), (-110.0, 30.0), (170.0, -20.0)];
    let mut before = f64::INFINITY;
    let mut told = Vec::new();
    for order in [1, 3, 5, 7] {
        let (mut apart, mut loud) = (0.0, 0.0f64);
        for (azimuth, elevation) in directions {
            let input = wave(order, azimuth, elevation, &low);
            let ears = run(&mut engine(order, &[AMBISONIC]), &input, &[], Some(512));
            let mut filters = Engine::new(RATE).unwrap();
            for (control, value) in [
                (id::SPACE_KIND, id::SPACE_HRTF as f64),
                (id::WIDTH, 0.0),
                (id::AZIMUTH, azimuth),
                (id::ELEVATION, elevation),
            ] {
                filters.set(control, value);
            }
            bring(&mut filters, &Source::Default).unwrap();
            filters.reset();
            let mut expected = [low.clone(), vec![0.0; low.len()]];
            let [left, right] = expected.each_mut();
            filters.process(left, right, Transport::Absent, &[]);
            apart += difference(&expected, &ears[..2]) / directions.len() as f64;
            let power = |ears: &[Vec<f32>]| energy(&ears[0]) + energy(&ears[1]);
            loud = loud.max((10.0 * (power(&ears[..2]) / power(&expected)).log10()).abs());
        }
        told.push(format!("{apart:.1}"));
        assert!(
            apart < before,
            "order {order}: {apart} dB, the order below {before}"
        );
        assert!(loud < 1.5, "order {order}: {loud} dB louder or softer");
        before = apart;
    }
    figure(
        "63 plane wave below 1.5 kHz, ambisonic against HRTF path, order 1 / 3 / 5 / 7",
        "falling",
        &format!("{} dB", told.join(" / ")),
    );
    // Sources at the side are up to 0.2 ms later over the bus (docs/design.md, Decoders): not a copy.
    assert!(before < -12.0, "{before}");
}

/// A windowed sinc at 1.2 kHz.
fn low_pass(signal: &[f32]) -> Vec<f32> {
    let taps: Vec<f64> = (-200..=200)
        .map(|n| {
            let x = f64::from(n);
            let sinc = |x: f64| if x == 0.0 { 1.0 } else { x.sin() / x };
            let window = 0.5 + 0.5 * (std::f64::consts::PI * x / 201.0).cos();
            0.05 * sinc(std::f64::consts::PI * 0.05 * x) * window
        })
        .collect();
    (0..signal.len())
        .map(|n| {
            let sum: f64 = taps
                .iter()
                .enumerate()
                .filter_map(|(k, tap)| Some(tap * f64::from(*signal.get(n.checked_sub(k)?)?)))
                .sum();
            sum as f32
        })
        .collect()
}

#[test]
fn the_head_turns_the_scene() {
    let signal = bursts(12_000, 4);
    // A head turned to the left hears what was in front on the right: as a wave that comes from there.
    for (turns, seen) in [
        ([50.0, 0.0, 0.0], (-50.0, 0.0)),
        ([0.0, 30.0, 0.0], (0.0, -30.0)),
        ([90.0, 0.0, 40.0], (-90.0, 40.0)),
    ] {
        let settings: Vec<_> = [id::HEAD_YAW, id::HEAD_PITCH, id::HEAD_ROLL]
            .into_iter()
            .zip(turns)
            .chain([AMBISONIC])
            .collect();
        let turned = run(
            &mut engine(3, &settings),
            &wave(3, 0.0, 0.0, &signal),
            &[],
            Some(64),
        );
        let placed = wave(3, seen.0, seen.1, &signal);
        let expected = run(&mut engine(3, &[AMBISONIC]), &placed, &[], Some(64));
        let apart = difference(&expected[..2], &turned[..2]);
        assert!(apart < -110.0, "{turns:?}: {apart}");
    }
    // The azimuth of the program turns the bus the other way.
    let settings = [AMBISONIC, (id::AZIMUTH, 70.0), (id::ELEVATION, 20.0)];
    let turned = run(
        &mut engine(3, &settings),
        &wave(3, 0.0, 0.0, &signal),
        &[],
        Some(64),
    );
    let placed = wave(3, 70.0, 20.0, &signal);
    let expected = run(&mut engine(3, &[AMBISONIC]), &placed, &[], Some(64));
    let apart = difference(&expected[..2], &turned[..2]);
    assert!(apart < -110.0, "{apart}");
}

#[test]
fn formats_are_read_as_they_are_meant() {
    let signal = bursts(10_000, 4);
    let sn3d = wave(3, 40.0, 25.0, &signal);
    let expected = run(&mut engine(3, &[AMBISONIC]), &sn3d, &[], Some(64));
    let scaled = |bus: &Bus, factor: &dyn Fn(usize) -> f64| -> Bus {
        let channel = |(c, x): (usize, &Vec<f32>)| -> Vec<f32> {
            x.iter()
                .map(|x| (f64::from(*x) * factor(c)) as f32)
                .collect()
        };
        bus.iter().enumerate().map(channel).collect()
    };
    let as_n3d = scaled(&sn3d, &|c| n3d(degree(c).0));
    // Malham 2003: W X Y Z R S T U V K L M N O P Q, each with a largest value of 1, W 3 dB lower.
    let order = [0, 3, 1, 2, 6, 7, 5, 8, 4, 12, 13, 11, 14, 10, 15, 9];
    let weights: [f64; 16] = {
        let (a, b) = (2.0 / 3f64.sqrt(), (45.0f64 / 32.0).sqrt());
        let (c, d) = (3.0 / 5f64.sqrt(), (8.0f64 / 5.0).sqrt());
        let half = 0.5f64.sqrt();
        [half, 1.0, 1.0, 1.0, 1.0, a, a, a, a, 1.0, b, b, c, c, d, d]
    };
    let as_fuma: Bus = order
        .iter()
        .zip(weights)
        .map(|(acn, weight)| {
            sn3d[*acn]
                .iter()
                .map(|x| (f64::from(*x) * weight) as f32)
                .collect()
        })
        .collect();
    for (format, bus) in [(1.0, as_n3d), (2.0, as_fuma)] {
        let settings = [AMBISONIC, (id::BUS_FORMAT, format)];
        let heard = run(&mut engine(3, &settings), &bus, &[], Some(64));
        let apart = difference(&expected[..2], &heard[..2]);
        assert!(apart < -110.0, "format {format}: {apart}");
    }
}

#[test]
fn nothing_clicks() {
    let frames = 40_000;
    let tone = common::sine(frames, RATE, 0.25, 400.0, 0.0);
    let filter = ClickFilter::new(RATE).unwrap();
    let mut worst = f64::NEG_INFINITY;
    let loudest = |ears: &Bus| {
        let whole = ears.iter().flatten().fold(0.0f32, |m, x| m.max(x.abs()));
        let click = ears[..2]
            .iter()
            .flat_map(|ear| filter.filter(&ear[10_000..]))
            .fold(0.0f64, |most, x| most.max(x.abs()));
        20.0 * (click / f64::from(whole)).log10()
    };
    let input = wave(3, 30.0, 10.0, &tone);
    for steps in [
        vec![(20_011, id::HEAD_YAW, 120.0)],
        vec![(20_011, id::ORDER, 1.0)],
        vec![(20_011, id::BUS_FORMAT, 1.0)],
        vec![(20_011, id::HRTF_EQ, 0.0)],
        vec![(20_011, id::SPACE_KIND, 0.0)],
        vec![(20_011, id::ROOM, 0.7)],
        vec![(20_011, id::AZIMUTH, -120.0)],
        // A tracker at 1 kHz that turns the head by 60 degrees a second, with noise of a tenth of a degree.
        (0..400)
            .map(|k| {
                let shake = 0.1 * f64::from(Random(k as u64 + 1).sample());
                (15_000 + 48 * k, id::HEAD_YAW, 0.06 * k as f64 + shake)
            })
            .collect(),
    ] {
        let heard = run(&mut engine(3, &[AMBISONIC]), &input, &steps, Some(64));
        let click = loudest(&heard);
        assert!(click <= -80.0, "{:?}: {click} dB", steps[0].1.control().id);
        worst = worst.max(click);
    }
    figure(
        "64 ambisonic class: head, order, format, equalisation, room, space off, a tracker at 1 kHz",
        "<= -80 dB",
        &format!("{worst:.1} dB"),
    );
}

#[test]
fn a_near_jump_of_the_motion_does_not_click() {
    let tone = common::sine(22_000, RATE, 0.25, 400.0, 0.0);
    let input = wave(3, 30.0, 10.0, &tone);
    // From where it was put to where it has been on its way to, in a quarter of a second: 4.7 degrees.
    let steps = [(12_011, id::MOTION, id::MOTION_ORBIT as f64)];
    let mut engine = engine(3, &[AMBISONIC, (id::MOTION_RATE, 0.0522)]);
    let ears = run(&mut engine, &input, &steps, Some(64));
    let filter = ClickFilter::new(RATE).unwrap();
    let loudest = ears.iter().flatten().fold(0.0f32, |m, x| m.max(x.abs()));
    let click = ears[..2]
        .iter()
        .map(|ear| filter.click(&ear[10_000..], f64::from(loudest)))
        .fold(f64::NEG_INFINITY, f64::max);
    figure(
        "64 ambisonic class: still to orbit by 4.7 degrees",
        "<= -80 dB",
        &format!("{click:.1} dB"),
    );
    assert!(click <= -80.0, "{click}");
}

#[test]
fn no_room_is_bit_exact_and_a_room_is_heard() {
    for kind in [id::SPACE_HRTF, id::SPACE_AMBISONIC] {
        let render = |settings: &[(ControlId, f64)]| {
            let mut engine = Engine::new(RATE).unwrap();
            engine.set(id::SPACE_KIND, kind as f64);
            for (control, value) in settings {
                engine.set(*control, *value);
            }
            bring(&mut engine, &Source::Default).unwrap();
            engine.reset();
            let mut ears = [bursts(30_000, 1), bursts(30_000, 2)];
            let [left, right] = ears.each_mut();
            engine.process(left, right, Transport::Absent, &[]);
            ears
        };
        let dry = render(&[]);
        let off = render(&[
            (id::ROOM, 0.0),
            (id::ROOM_SIZE, 20.0),
            (id::ROOM_DECAY, 3.0),
        ]);
        assert_same(&dry[0], &off[0], "no room");
        let wet = render(&[(id::ROOM, 1.0)]);
        let apart = difference(&dry, &wet);
        assert!((-20.0..6.0).contains(&apart), "{apart}");
        // Nothing is heard before the direct sound.
        assert_same(
            &dry[0][..100],
            &wet[0][..100],
            "before the first reflection",
        );
    }
}

#[test]
fn orders_and_channels_that_are_none_are_refused() {
    for order in [0, 8, 100] {
        let error = Engine::ambisonic(RATE, order).err().unwrap().to_string();
        assert!(error.contains("1 to 7"), "{error}");
    }
    // Too few or too many channels do no harm.
    let mut engine = engine(1, &[AMBISONIC]);
    for count in [0, 1, 3, 4, 9] {
        let mut bus = vec![vec![0.5; 100]; count];
        let mut slices: Vec<&mut [f32]> = bus.iter_mut().map(Vec::as_mut_slice).collect();
        engine.process_channels(&mut slices, Transport::Absent, &[]);
        assert!(bus.iter().skip(4).flatten().all(|x| *x == 0.5));
        assert!(bus.iter().flatten().all(|x| x.is_finite()));
    }
}

#[test]
fn decoders_are_followed_however_often_they_change() {
    // Whoever brought them has gone, as on the command line.
    let frames = 40 * 2400;
    let tone = common::sine(frames, RATE, 0.25, 400.0, 0.0);
    let steps: Vec<_> = (0..39)
        .map(|k| (2400 * (k + 1), id::ORDER, [1.0, 3.0][k % 2]))
        .collect();
    let input = wave(3, 90.0, 0.0, &tone);
    let heard = run(&mut engine(3, &[AMBISONIC]), &input, &steps, Some(480));
    let still = |order: f64| {
        let settings = [AMBISONIC, (id::ORDER, order)];
        run(&mut engine(3, &settings), &input, &[], Some(480))
    };
    let (third, first) = (still(3.0), still(1.0));
    for k in 0..40 {
        let span = 2400 * k + 1600..2400 * k + 2400;
        let expected = if k % 2 == 0 { &third } else { &first };
        let cut =
            |bus: &Bus| -> Bus { bus[..2].iter().map(|c| c[span.clone()].to_vec()).collect() };
        let apart = difference(&cut(expected), &cut(&heard));
        assert!(apart < -90.0, "after {k} changes: {apart}");
    }
}

#[test]
fn what_sounds_goes_on_until_the_other_way_is_open() {
    let frames = 20_000;
    let mut engine = Engine::new(RATE).unwrap();
    engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
    // Filters only: no decoder comes.
    bring(&mut engine, &Source::Default).unwrap();
    engine.reset();
    let mut ears = [bursts(frames, 1), bursts(frames, 2)];
    let mut expected = ears.clone();
    let [left, right] = ears.each_mut();
    let event = Event {
        frame: 5003,
        control: id::SPACE_KIND,
        change: Change::Step(id::SPACE_AMBISONIC as f64),
    };
    engine.process(left, right, Transport::Absent, &[event]);
    engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
    engine.reset();
    let [left, right] = expected.each_mut();
    engine.process(left, right, Transport::Absent, &[]);
    assert_same(&expected[0], &ears[0], "left");
    assert!(engine.telemetry().space_wish().is_some());
}

#[test]
fn a_bus_that_is_not_decoded_keeps_its_balance() {
    let input = noises(2, 10_000);
    let settings = [(id::OUT_GAIN, -6.0), (id::BUS_FORMAT, 1.0)];
    let output = run(&mut engine(2, &settings), &input, &[], Some(64));
    let gain = 10f32.powf(-6.0 / 20.0);
    for (input, output) in input.iter().zip(&output) {
        for (x, y) in input.iter().zip(output) {
            assert!((x * gain - y).abs() <= 1e-6 * x.abs());
        }
    }
}

/// A room answers a bus as it answers a source: what comes later than the direct sound has about its energy.
#[test]
fn a_room_is_as_loud_for_a_bus_as_for_a_source() {
    let mut impulse = vec![0.0; 48_000];
    impulse[0] = 1.0;
    let room = [(id::ROOM, 1.0), (id::ROOM_DECAY, 2.0), (id::ROOM_SIZE, 8.0)];
    let late = |ears: &[Vec<f32>]| energy(&ears[0][6000..]) + energy(&ears[1][6000..]);
    let mut settings = room.to_vec();
    settings.push(AMBISONIC);
    let bus = run(
        &mut engine(3, &settings),
        &wave(3, 0.0, 0.0, &impulse),
        &[],
        Some(480),
    );
    let mut source = Engine::new(RATE).unwrap();
    for (control, value) in settings.iter().chain(&[(id::WIDTH, 0.0)]) {
        source.set(*control, *value);
    }
    bring(&mut source, &Source::Default).unwrap();
    source.reset();
    let mut ears = [impulse.clone(), vec![0.0; 48_000]];
    let [left, right] = ears.each_mut();
    source.process(left, right, Transport::Absent, &[]);
    let ratio = 10.0 * (late(&bus) / late(&ears)).log10();
    assert!(ratio.abs() < 1.5, "{ratio} dB");
}
