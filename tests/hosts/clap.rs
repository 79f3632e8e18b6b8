//! The CLAP in a host: load, ports, parameters, state, and the same samples as the engine's own render.
//!
//! promise: in a CLAP host: events to the sample, blocks of any size, states whole or not at all, rates from 8 to 768 kHz

use crate::rig::{Change, Rig, Stereo, load};
use clack_extensions::tail::TailLength;
use clack_host::events::event_types::{TransportEvent, TransportFlags};
use clack_host::events::{EventFlags, EventHeader};
use clack_host::prelude::{PluginEntry, ProcessStatus};
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::engine::controls::{
    BEAT, BEAT_SOURCE, BYPASS, CARRIER, CARRIER_SOURCE, FADE_IN, GLIDE, IN_GAIN, L1_KIND, L1_LEVEL,
    L2_KIND, PROTOCOL_ON,
};
use zeitgeber::engine::{Change as How, ControlId, Engine, Event, Tempo, Transport};

const RATE: f64 = 48_000.0;
const BINAURAL: f64 = 1.0;

/// Uniform noise from a counter: the same for every run, different in the two ears.
pub fn noise(frames: usize) -> Stereo {
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let mut ears = [Vec::with_capacity(frames), Vec::with_capacity(frames)];
    for _ in 0..frames {
        for ear in &mut ears {
            ear.push(0.5 * next());
        }
    }
    ears
}

/// The engine's own render: what comes at frame 0 is set before it, the rest are events.
fn reference(input: &Stereo, changes: &[Change], transport: Transport) -> Stereo {
    let mut engine = Engine::new(RATE).expect("an engine at 48 kHz");
    engine.reset();
    for &(_, control, value) in changes.iter().filter(|(at, ..)| *at == 0) {
        engine.set(control, value);
    }
    let events: Vec<Event> = changes
        .iter()
        .filter(|(at, ..)| *at > 0)
        .map(|&(frame, control, value)| Event {
            frame,
            control,
            change: How::Step(value),
        })
        .collect();
    let [mut left, mut right] = input.clone();
    engine.process(&mut left, &mut right, transport, &events);
    [left, right]
}

fn playing(start_frame: i64) -> impl Fn(usize) -> Option<TransportEvent> {
    move |frame| {
        let seconds = (start_frame + frame as i64) as f64 / RATE;
        Some(TransportEvent {
            header: EventHeader::new_core(0, EventFlags::empty()),
            flags: TransportFlags::IS_PLAYING
                | TransportFlags::HAS_TEMPO
                | TransportFlags::HAS_SECONDS_TIMELINE
                | TransportFlags::HAS_BEATS_TIMELINE,
            song_pos_beats: (seconds * 2.0).into(),
            song_pos_seconds: seconds.into(),
            tempo: 120.0,
            tempo_inc: 0.0,
            loop_start_beats: 0.0.into(),
            loop_end_beats: 0.0.into(),
            loop_start_seconds: 0.0.into(),
            loop_end_seconds: 0.0.into(),
            bar_start: 0.0.into(),
            bar_number: 0,
            time_signature_numerator: 4,
            time_signature_denominator: 4,
        })
    }
}

#[track_caller]
fn assert_same(found: &Stereo, wanted: &Stereo, what: &str) {
    for (ear, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let first = found
            .iter()
            .zip(wanted)
            .position(|(a, b)| a.to_bits() != b.to_bits());
        if let Some(frame) = first {
            panic!(
                "{what}: ear {ear} differs first at frame {frame}: {} for {}",
                found[frame], wanted[frame]
            );
        }
    }
}

/// A beat that is automated in the midst of blocks, exactly and with glides.
fn lane() -> Vec<Change> {
    let mut changes = vec![
        (0, L1_KIND, BINAURAL),
        (0, L1_LEVEL, -12.0),
        (0, FADE_IN, 0.05),
        (0, GLIDE, 0.0),
        (0, BEAT, 6.3),
    ];
    for step in 1..40 {
        changes.push((
            701 * step,
            BEAT,
            BEAT.control().snap(6.3 + 0.317 * step as f64),
        ));
    }
    changes.push((28_100, GLIDE, 0.1));
    changes.push((28_101, CARRIER, 320.5));
    changes.push((33_333, L1_LEVEL, -30.0));
    changes.push((40_000, IN_GAIN, -6.0));
    changes.push((44_444, BYPASS, 1.0));
    changes
}

#[test]
fn it_loads_with_its_ports_and_parameters() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    assert_eq!(rig.channels(), [vec![2], vec![2]]);
    // And the hidden revision.
    assert_eq!(rig.params(), ControlId::all().count() + 1);
    assert_eq!(rig.latency(), 0);
    for id in ControlId::all() {
        let control = id.control();
        assert_eq!(rig.value(id), control.default_value(), "{}", control.id);
        let (text, back) = rig.text(id, control.default_value());
        assert_eq!(text, control.format(control.default_value()));
        assert_eq!(back, control.default_value(), "{}", control.id);
    }
}

#[test]
fn its_pages_hold_every_parameter_by_group() {
    let entry = load();
    let pages = Rig::new(&entry).pages();
    let on_pages: usize = pages.iter().map(|(_, params)| params).sum();
    assert_eq!(on_pages, ControlId::all().count());
    for id in ControlId::all() {
        let group = id.control().group;
        assert!(
            pages.iter().any(|(name, _)| name.starts_with(group)),
            "{group} of {pages:?}"
        );
    }
}

#[test]
fn a_mono_track_leaves_in_stereo() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    assert_eq!(rig.layouts(Some(1)), ["Stereo", "Mono to stereo"]);
    assert_eq!(rig.channels(), [vec![1], vec![2]]);
    let [mono, other] = noise(4800);
    let input = [mono.clone(), other];
    let both = [mono.clone(), mono];
    let found = rig
        .start(RATE)
        .expect("48 kHz")
        .render(&input, &[100, 333], &[], |_| None);
    assert_same(&found, &both, "a mono track");
    let changes = [(0, L1_KIND, BINAURAL), (200, BEAT, 20.0)];
    let wanted = reference(&both, &changes, Transport::Absent);
    let found = rig
        .start(RATE)
        .expect("48 kHz")
        .render(&input, &[100, 333], &changes, |_| None);
    assert_same(&found, &wanted, "a mono track with a beat");
}

#[test]
fn its_defaults_are_bit_exact_through() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    let input = noise(10_000);
    let mut running = rig.start(RATE).expect("48 kHz");
    assert_same(
        &running.render(&input, &[512], &[], |_| None),
        &input,
        "defaults",
    );
    assert_eq!(running.tail(), TailLength::Finite(0));
}

#[test]
fn it_renders_what_the_engine_renders_bit_for_bit() {
    let entry = load();
    let input = noise(48_000);
    let changes = lane();
    let free = reference(&input, &changes, Transport::Absent);
    let start = 480_000;
    let timeline = reference(
        &input,
        &changes,
        Transport::Host {
            playing: true,
            song_frames: Some(start),
            tempo: None,
        },
    );
    let odd: Vec<usize> = (0..3000).map(|i| 1 + (i * 7919) % 211).collect();
    for blocks in [&[1][..], &[7], &[32], &[64], &[480], &[1024], &[8192], &odd] {
        let mut rig = Rig::new(&entry);
        let mut running = rig.start(RATE).expect("48 kHz");
        let what = format!("blocks of {}", blocks[0]);
        assert_same(
            &running.render(&input, blocks, &changes, |_| None),
            &free,
            &what,
        );
        drop(running);
        let mut rig = Rig::new(&entry);
        let mut running = rig.start(RATE).expect("48 kHz");
        let what = format!("{what} from 10 s of the song");
        assert_same(
            &running.render(&input, blocks, &changes, playing(start)),
            &timeline,
            &what,
        );
    }
}

#[test]
fn notes_and_tempo_reach_the_engine() {
    let entry = load();
    let input = [vec![0.0; 48_000], vec![0.0; 48_000]];
    let changes = [
        (0, L1_KIND, BINAURAL),
        (0, FADE_IN, 0.0),
        (0, GLIDE, 0.0),
        (0, BEAT_SOURCE, 1.0),
        (0, CARRIER_SOURCE, 2.0),
        (20_003, L1_LEVEL, -26.0),
    ];
    let (at, key, start) = (10_007, 69, 480_000);
    // The same through the engine: 120 beats a minute, song position in quarters.
    let mut engine = Engine::new(RATE).expect("an engine at 48 kHz");
    for &(_, control, value) in &changes[..5] {
        engine.set(control, value);
    }
    let events = [
        (at, CARRIER_SOURCE, How::Note(key)),
        (20_003, L1_LEVEL, How::Step(-26.0)),
    ]
    .map(|(frame, control, change)| Event {
        frame,
        control,
        change,
    });
    let transport = Transport::Host {
        playing: true,
        song_frames: Some(start),
        tempo: Tempo::new(120.0, Some(start as f64 / RATE * 2.0), Some(4.0)),
    };
    let [mut left, mut right] = input.clone();
    engine.process(&mut left, &mut right, transport, &events);
    for block in [1, 64, 480, 8192] {
        let mut rig = Rig::new(&entry);
        let mut running = rig.start(RATE).expect("48 kHz");
        running.notes.push((at, key));
        let found = running.render(&input, &[block], &changes, playing(start));
        let what = format!("blocks of {block}");
        assert_same(&found, &[left.clone(), right.clone()], &what);
    }
}

#[test]
fn an_automated_beat_is_sample_accurate() {
    let entry = load();
    let input = [vec![0.0; 4800], vec![0.0; 4800]];
    let begin = [(0, L1_KIND, BINAURAL), (0, FADE_IN, 0.0), (0, GLIDE, 0.0)];
    let render = |at: usize| {
        let mut changes = begin.to_vec();
        changes.push((at, BEAT, 50.0));
        let mut rig = Rig::new(&entry);
        let mut running = rig.start(RATE).expect("48 kHz");
        running.render(&input, &[1024], &changes, |_| None)
    };
    let late = render(4799);
    for at in [1, 333, 1023, 1024, 1500, 2400] {
        let found = render(at);
        let first = (0..4799).find(|&i| found[0][i] != late[0][i] || found[1][i] != late[1][i]);
        // The new increment is first heard one frame after the frame at which it is set.
        assert!(
            first.is_some_and(|first| (at..=at + 1).contains(&first)),
            "event at {at}: heard at {first:?}"
        );
    }
}

#[test]
fn what_generates_keeps_it_awake() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    let mut running = rig.start(RATE).expect("48 kHz");
    let silence = [vec![0.0; 1024], vec![0.0; 1024]];
    let mut output = silence.clone();
    let quiet = running.block(&silence, &mut output, 0..512, &[], None);
    assert_eq!(quiet, ProcessStatus::ContinueIfNotQuiet);
    let awake = running.block(
        &silence,
        &mut output,
        512..1024,
        &[(512, L1_KIND, BINAURAL)],
        None,
    );
    assert_eq!(awake, ProcessStatus::Continue);
    assert_eq!(running.tail(), TailLength::Infinite);
}

#[test]
fn its_state_is_saved_and_restored() {
    let entry = load();
    let input = noise(9600);
    let changes = [
        (0, L1_KIND, BINAURAL),
        (0, BEAT, 6.3),
        (0, CARRIER, 432.1),
        (0, L1_LEVEL, -7.5),
    ];
    let mut rig = Rig::new(&entry);
    let wanted = rig
        .start(RATE)
        .expect("48 kHz")
        .render(&input, &[64], &changes, |_| None);
    let saved = rig.save();

    let mut restored = Rig::new(&entry);
    assert!(restored.load(&saved));
    for (_, control, value) in changes {
        assert_eq!(restored.value(control), value, "{}", control.control().id);
    }
    assert_eq!(restored.save(), saved);
    let found = restored
        .start(RATE)
        .expect("48 kHz")
        .render(&input, &[64], &[], |_| None);
    assert_same(&found, &wanted, "a restored state");
}

#[test]
fn a_protocol_in_the_state_plays_and_is_saved_again() {
    let entry = load();
    let input = noise(9600);
    let changes = [
        (0, L1_KIND, BINAURAL),
        (0, PROTOCOL_ON, 1.0),
        (0, BEAT, 6.3),
    ];
    let mut rig = Rig::new(&entry);
    let without = rig
        .start(RATE)
        .expect("48 kHz")
        .render(&input, &[64], &changes, |_| None);
    let saved = rig.save();
    let json = String::from_utf8(saved[8..].to_vec()).expect("the state is JSON");
    let rows = r#""fields":{"protocol":"[{\"at\":0,\"beat\":20},{\"at\":60,\"beat\":4}]","#;
    assert!(json.contains("\"fields\":{"), "{json}");
    let mut json = json.replace("\"fields\":{", rows).into_bytes();
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut json);
    let mut restored = Rig::new(&entry);
    assert!(restored.load(&bytes));
    let again = String::from_utf8(restored.save()[8..].to_vec()).expect("the state is JSON");
    assert!(again.contains(r#"\"beat\":20"#), "{again}");
    let with = restored
        .start(RATE)
        .expect("48 kHz")
        .render(&input, &[64], &[], |_| None);
    assert_ne!(
        with[0], without[0],
        "the protocol wins over the beat of the host"
    );
    let once_more = String::from_utf8(restored.save()[8..].to_vec()).expect("the state is JSON");
    assert_eq!(again, once_more);
}

/// A state in which another sound plays.
fn another_sound(entry: &PluginEntry) -> Vec<u8> {
    let mut rig = Rig::new(entry);
    let changes = [
        (0, L1_KIND, 2.0),
        (0, L1_LEVEL, -26.0),
        (0, CARRIER, 613.0),
        (0, BEAT, 33.0),
        (0, L2_KIND, BINAURAL),
        (0, IN_GAIN, -6.0),
        (0, GLIDE, 0.0),
    ];
    let silence = [vec![0.0; 64], vec![0.0; 64]];
    rig.start(RATE)
        .expect("it starts")
        .render(&silence, &[64], &changes, playing(0));
    rig.save()
}

#[test]
fn a_state_that_is_loaded_while_it_plays_does_not_click() {
    let entry = load();
    let state = another_sound(&entry);
    let filter = ClickFilter::new(RATE).expect("a filter at 48 kHz");
    let sound = [
        (0, L1_KIND, BINAURAL),
        (0, L1_LEVEL, -20.0),
        (0, CARRIER, 400.0),
        (0, BEAT, 10.0),
        (0, FADE_IN, 0.02),
    ];
    let mut worst = f64::NEG_INFINITY;
    for eighth in 0..8 {
        let at = 40_000 + 15 * eighth;
        let silence = [vec![0.0; 60_000], vec![0.0; 60_000]];
        let mut output = silence.clone();
        let mut rig = Rig::new(&entry);
        let mut running = rig.start(RATE).expect("it starts");
        let mut start = 0;
        while start < 60_000 {
            if start == at {
                assert!(running.load(&state));
            }
            let border = if start < at { at } else { 60_000 };
            let end = (start + 64).min(border);
            let transport = playing(0)(start);
            running.block(
                &silence,
                &mut output,
                start..end,
                &sound,
                transport.as_ref(),
            );
            start = end;
        }
        drop(running);
        assert_eq!((rig.value(CARRIER), rig.value(L2_KIND)), (613.0, BINAURAL));
        for ear in &output {
            worst = worst.max(filter.click(&ear[20_000..], 0.1));
            // One fade: it has been silent in between, and the new sound is there 60 ms later.
            let peak = |from: usize| {
                ear[from..from + 120]
                    .iter()
                    .fold(0.0f32, |p, x| p.max(x.abs()))
            };
            let bottom = (at..at + 2_000).step_by(24).map(peak);
            assert!(bottom.fold(1.0, f32::min) < 0.01);
            assert!(peak(at + 3_000) > 0.02);
        }
    }
    println!("a state that is loaded while it plays: {worst:.1} dB re the tone");
    assert!(worst <= -80.0, "{worst}");
}

#[test]
fn a_broken_state_changes_nothing() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    let input = noise(64);
    let changes = [(0, BEAT, 6.3)];
    rig.start(RATE)
        .expect("48 kHz")
        .render(&input, &[64], &changes, |_| None);
    let saved = rig.save();
    let json = String::from_utf8(saved[8..].to_vec()).expect("the state is JSON");
    for (from, to) in [
        ("{\"f32\":6.3}", "{\"f32\":600.0}"),
        ("{\"f32\":6.3}", "{\"i32\":6}"),
        ("\"l1_kind\":{\"i32\":0}", "\"l1_kind\":{\"i32\":77}"),
        ("{\"f32\":6.3}", "null"),
        ("{\"f32\":6.3}", "{\"f32\":1e39}"),
        ("\"params\"", "\"parms\""),
    ] {
        assert!(json.contains(from), "{from} in {json}");
        let mut broken = json
            .replace(from, to)
            .replace("{\"f32\":250.0}", "{\"f32\":99.0}")
            .into_bytes();
        let mut bytes = (broken.len() as u64).to_le_bytes().to_vec();
        bytes.append(&mut broken);
        rig.load(&bytes);
        assert_eq!(rig.value(BEAT), 6.3, "{to}");
        assert_eq!(
            rig.value(CARRIER),
            250.0,
            "a refused state sets nothing at all ({to})"
        );
    }
    assert_eq!(rig.save(), saved);
}

#[test]
fn every_rate_is_used_or_passes_through() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    let input = noise(4096);
    for rate in [44_100.0, 1234.57, 8000.0, 7999.0, 96_000.0, 1e6, 768_000.0] {
        let mut running = rig.start(rate).expect("an active plugin");
        let found = running.render(&input, &[256], &[(0, L1_KIND, BINAURAL)], |_| None);
        if (8000.0..=768_000.0).contains(&rate) {
            assert!(found != input, "{rate} Hz: no beat");
        } else {
            assert_same(&found, &input, "a rate without an engine");
        }
        let default = [(0, L1_KIND, 0.0)];
        running.render(&input, &[256], &default, |_| None);
    }
}

#[test]
fn nonsense_from_the_host_is_survived() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    let mut running = rig.start(RATE).expect("48 kHz");
    let mut input = noise(4096);
    for (frame, wrong) in [
        (100, f32::NAN),
        (200, f32::INFINITY),
        (300, f32::MIN_POSITIVE / 4.0),
    ] {
        input[0][frame] = wrong;
    }
    let transport = |frame: usize| {
        playing(0)(0).map(|mut event| {
            let bits = [i64::MAX, i64::MIN, -1, 0][frame / 64 % 4];
            event.song_pos_seconds = clack_host::utils::SecondsTime::from_bits(bits);
            event.song_pos_beats = clack_host::utils::BeatTime::from_bits(bits);
            event.tempo = [f64::NAN, 0.0, -1e308, f64::INFINITY][frame / 64 % 4];
            event
        })
    };
    let output = running.render(&input, &[64], &[(0, L1_KIND, BINAURAL)], transport);
    assert!(output.iter().flatten().all(|sample| sample.is_finite()));
}

/// However fast the host renders: the filters are there before space is on.
#[test]
fn a_lane_that_turns_space_on_finds_its_filters() {
    use zeitgeber::engine::controls::{AZIMUTH, ROOM, SPACE_HRTF, SPACE_KIND};
    let entry = load();
    let input = noise(12_000);
    let changes = [
        (4_800, SPACE_KIND, SPACE_HRTF as f64),
        (8_003, AZIMUTH, 40.0),
        (9_000, ROOM, 0.5),
    ];
    let mut engine = Engine::new(RATE).expect("an engine at 48 kHz");
    let (set, wishes) = (
        zeitgeber::hrtf::Source::Default,
        zeitgeber::space::everything(3),
    );
    zeitgeber::space::bring_all(&mut engine, &set, wishes).expect("the embedded set");
    engine.reset();
    let events = changes.map(|(frame, control, value)| Event {
        frame,
        control,
        change: How::Step(value),
    });
    let mut expected = input.clone();
    let [left, right] = &mut expected;
    engine.process(left, right, Transport::Absent, &events);
    assert!(expected[0][6_000..] != input[0][6_000..], "space is heard");
    for blocks in [&[64][..], &[4096]] {
        let mut rig = Rig::new(&entry);
        let mut running = rig.start(RATE).expect("48 kHz");
        let output = running.render(&input, blocks, &changes, |_| None);
        assert_same(&output, &expected, &format!("blocks of {}", blocks[0]));
    }
}

/// A bus of order 3 in a host, with a head that turns: the engine's own render, whatever the blocks.
#[test]
fn an_ambisonic_track_is_decoded_as_by_the_engine() {
    use zeitgeber::engine::controls::{
        HEAD_YAW, L2_KIND, L2_SPACE, ORDER, PROG_KIND, SPACE_AMBISONIC, SPACE_KIND,
    };
    let entry = load();
    let mut rig = Rig::of(&entry, c"org.zeitgeber.zeitgeber-ambisonic");
    assert_eq!(rig.channels(), [vec![16], vec![16]]);
    assert_eq!(rig.layouts(None).len(), 7);
    assert_eq!(rig.latency(), 0);
    let input: Vec<Vec<f32>> = (0..8).flat_map(|_| noise(24_000)).collect();
    let changes: Vec<Change> = vec![
        (0, SPACE_KIND, SPACE_AMBISONIC as f64),
        (0, ORDER, 3.0),
        (0, PROG_KIND, 1.0),
        (0, FADE_IN, 0.0),
        (0, L2_KIND, 3.0),
        (0, L2_SPACE, 1.0),
        (5_000, HEAD_YAW, 2.0),
        (9_000, HEAD_YAW, 120.0),
        (16_000, ORDER, 1.0),
        (20_000, ORDER, 3.0),
    ];
    let mut engine = Engine::ambisonic(RATE, 3).unwrap();
    for (_, control, value) in changes.iter().filter(|(at, ..)| *at == 0) {
        engine.set(*control, *value);
    }
    zeitgeber::space::bring_all(
        &mut engine,
        &zeitgeber::hrtf::Source::Default,
        zeitgeber::space::everything(3),
    )
    .unwrap();
    engine.reset();
    let events: Vec<Event> = changes
        .iter()
        .filter(|(at, ..)| *at > 0)
        .map(|&(frame, control, value)| Event {
            frame,
            control,
            change: How::Step(value),
        })
        .collect();
    let mut expected = input.clone();
    let mut slices: Vec<&mut [f32]> = expected.iter_mut().map(Vec::as_mut_slice).collect();
    let transport = Transport::Host {
        playing: true,
        song_frames: Some(0),
        tempo: Tempo::new(120.0, Some(0.0), None),
    };
    engine.process_channels(&mut slices, transport, &events);
    let at_start: Vec<Change> = changes
        .iter()
        .copied()
        .filter(|(at, ..)| *at == 0)
        .collect();
    // Once, so that the host has said what it wants before the plugin is activated for the bounce.
    let silent = vec![vec![0.0; 64]; 16];
    rig.start(RATE)
        .expect("the plugin starts")
        .render_bus(&silent, 64, &at_start, playing(0));
    let mut running = rig.start(RATE).expect("the plugin starts");
    let output = running.render_bus(&input, 480, &changes[at_start.len()..], playing(0));
    // Decoders of another order come while it plays: what sounds until then is not the host's to know.
    for ear in 0..2 {
        assert_eq!(output[ear][..16_000], expected[ear][..16_000], "ear {ear}");
        assert!(output[ear][16_000..].iter().all(|x| x.is_finite()));
    }
    assert!(output[2..].iter().flatten().all(|x| *x == 0.0));
    assert!(output[0].iter().any(|x| x.abs() > 0.01));
}
