//! Inserts A and B: what is brought sounds, what is not leaves no trace, and no exchange clicks.

mod common;

use common::{At, BLOCKS, Render, assert_same, bursts, cuts, figure, silence, sine, step};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{
    Change, ControlId, Engine, Event, InsertError, InsertLine, Prepared, Tail, Transport,
};
use zeitgeber::node::{Node, NodeError, NodeInfo, registry};

const RATE: f64 = 48_000.0;
const FRAMES: usize = 24_000;

fn builtin(name: &str, channels: usize) -> Result<Box<Prepared>, InsertError> {
    Prepared::new(&mut || registry().create(name), channels, RATE)
}

/// An engine with its lines.
fn engine() -> (Engine, [InsertLine; 2]) {
    let mut engine = Engine::new(RATE).unwrap();
    let lines = engine.take_inserts().unwrap();
    assert!(engine.take_inserts().is_none());
    (engine, lines)
}

fn send(line: &mut InsertLine, node: Option<Box<Prepared>>) {
    assert!(line.send(node).is_ok(), "the line is full");
}

fn render<'a>(settings: &'a [(ControlId, f64)], events: &'a [At]) -> Render<'a> {
    Render {
        rate: RATE,
        settings,
        events,
        input: [bursts(FRAMES, 1), bursts(FRAMES, 2)],
        song: Some(0),
    }
}

/// A node that gives up after so many frames, counts itself, and otherwise halves.
struct Halves {
    info: NodeInfo,
    frames: usize,
    breaks_at: usize,
    alive: Arc<AtomicUsize>,
}

impl Halves {
    fn make(breaks_at: usize, alive: &Arc<AtomicUsize>) -> Box<dyn Node> {
        alive.fetch_add(1, Ordering::SeqCst);
        Box::new(Halves {
            info: NodeInfo {
                name: "halves".to_owned(),
                params: Vec::new(),
                ..registry().info("gain").unwrap().clone()
            },
            frames: 0,
            breaks_at,
            alive: alive.clone(),
        })
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Node for Halves {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, _rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        Ok(())
    }

    fn reset(&mut self) {
        self.frames = 0;
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        for (input, output) in inputs.iter().zip(outputs) {
            for (n, (x, y)) in input.iter().zip(output.iter_mut()).enumerate() {
                let broken = self.frames + n >= self.breaks_at;
                *y = if broken { f32::NAN } else { 0.5 * x };
            }
        }
        self.frames += inputs[0].len();
    }

    fn set_param(&mut self, _index: usize, _value: f64) {}

    fn get_param(&self, _index: usize) -> f64 {
        0.0
    }
}

fn halves(breaks_at: usize) -> Box<Prepared> {
    let alive = Arc::default();
    Prepared::new(&mut || Ok(Halves::make(breaks_at, &alive)), 2, RATE).unwrap()
}

#[test]
fn empty_or_off_the_audio_passes_bit_for_bit() {
    let (mut engine, mut lines) = engine();
    let input = render(&[], &[]).input;
    let out = render(&[], &[]).run_on(&mut engine, Some(64));
    for ear in 0..2 {
        assert_same(&out[ear], &input[ear], "passes");
    }
    assert_eq!(engine.tail(), Tail::None);
    for line in &mut lines {
        send(line, Some(halves(usize::MAX)));
    }
    let off = [(id::A_ON, 0.0), (id::B_ON, 0.0)];
    let out = render(&off, &[]).run_on(&mut engine, Some(64));
    for ear in 0..2 {
        assert_same(&out[ear], &input[ear], "passes");
    }
    assert_eq!(engine.tail(), Tail::None);
    // On, each halves.
    let out = render(&[], &[]).run_on(&mut engine, Some(64));
    for (x, y) in input[0].iter().zip(&out[0]) {
        assert_eq!(0.25 * x, *y);
    }
    assert_eq!(engine.tail(), Tail::Infinite);
    // Switched off on the way, it is gone after its fade.
    let events = [step(4000, id::A_ON, 0.0), step(4000, id::B_ON, 0.0)];
    let out = render(&[], &events).run_on(&mut engine, Some(64));
    assert_eq!(out[0][3999], 0.25 * input[0][3999]);
    assert_same(&out[1][5100..], &input[1][5100..], "after the fade");
}

#[test]
fn blocks_change_nothing() {
    let settings = [(id::BEAT, 7.0), (id::A_1, 0.8), (id::SPACE_KIND, 0.0)];
    let events = [
        step(1000, id::A_1, 0.2),
        (
            5003,
            id::B_1,
            Change::Linear {
                to: 0.9,
                frames: 3001,
            },
        ),
        step(7001, id::BEAT, 11.0),
        step(9001, id::A_ON, 0.0),
        step(12_345, id::A_ON, 1.0),
    ];
    let run = |block| {
        let (mut engine, mut lines) = engine();
        // One at the beat, one with a memory, and neither there from the start.
        send(&mut lines[0], Some(builtin("amplitude", 2).unwrap()));
        send(&mut lines[1], Some(builtin("band_pass", 2).unwrap()));
        render(&settings, &events).run_on(&mut engine, block)
    };
    let whole = run(Some(FRAMES));
    for block in BLOCKS {
        let cut = run(*block);
        for ear in 0..2 {
            assert_same(&cut[ear], &whole[ear], &format!("{block:?}"));
        }
    }
    // It is at the beat of the engine that it trembles.
    let plain = render(&settings, &events).input;
    assert_ne!(whole[0], plain[0]);
}

/// The tremolo of an insert is that of the treatment, bit for bit: they hear the same clock.
#[test]
fn phase_inputs_follow_the_beat() {
    let (mut engine, mut lines) = engine();
    send(&mut lines[0], Some(builtin("amplitude", 2).unwrap()));
    let settings = [
        (id::BEAT, 6.5),
        (id::FADE_IN, 0.0),
        (id::PHASE, 30.0),
        // Full depth: the sine, no pulse.
        (id::A_1, 1.0),
        (id::A_3, 0.0),
    ];
    let tone = sine(FRAMES, RATE, 0.5, 300.0, 0.0);
    let all = |settings: &[(ControlId, f64)], engine: &mut Engine| {
        Render {
            input: [tone.clone(), tone.clone()],
            ..render(settings, &[])
        }
        .run_on(engine, Some(64))
    };
    let inserted = all(&settings, &mut engine);
    let mut treated = settings.to_vec();
    treated.push((id::A_ON, 0.0));
    treated.push((id::PROG_KIND, id::PROGRAM_AMPLITUDE as f64));
    let treated = all(&treated, &mut engine);
    // The treatment has faded in by then.
    for (a, b) in inserted[0][4800..].iter().zip(&treated[0][4800..]) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn macros_run_over_the_ranges_of_the_first_parameters() {
    let prepared = builtin("band_pass", 2).unwrap();
    let names: Vec<&str> = prepared
        .macros()
        .iter()
        .map(|macro_| macro_.info().name.as_str())
        .collect();
    assert_eq!(names, ["high", "low"]);
    let info = registry().info("gain").unwrap();
    let gain = info.params[0].clone();
    let position = (-6.0 - gain.min) / (gain.max - gain.min);
    let (mut engine, mut lines) = engine();
    send(&mut lines[1], Some(builtin("gain", 2).unwrap()));
    let settings = [(id::B_1, position), (id::B_2, 0.0)];
    let tone = sine(FRAMES, RATE, 0.5, 300.0, 0.0);
    let out = Render {
        input: [tone.clone(), tone.clone()],
        ..render(&settings, &[])
    }
    .run_on(&mut engine, Some(64));
    for (x, y) in tone.iter().zip(&out[0]).skip(20_000) {
        assert!((y - x * 0.501_187).abs() < 1e-5);
    }
}

#[test]
fn what_cannot_be_an_insert_is_refused() {
    let error = builtin("gate@4", 2).err().unwrap();
    assert!(matches!(error, InsertError::Latency { .. }), "{error}");
    assert!(error.to_string().contains("late by"), "{error}");
    let error = builtin("early", 2).err().unwrap();
    assert!(matches!(error, InsertError::Channels { .. }), "{error}");
    assert!(error.to_string().contains("10 inputs"), "{error}");
    let error = builtin("gain", 16).err().unwrap();
    assert!(matches!(error, InsertError::Channels { .. }), "{error}");
    assert!(builtin("nothing", 2).is_err());
    assert!(builtin("gain*16", 16).is_ok());
}

#[test]
fn a_mono_node_runs_on_every_channel_of_a_bus() {
    let mut engine = Engine::ambisonic(RATE, 3).unwrap();
    let mut lines = engine.take_inserts().unwrap();
    assert_eq!(engine.insert_channels(), [16, 2]);
    let mono = registry()
        .infos()
        .into_iter()
        .find(|info| (info.inputs, info.outputs) == (1, 1))
        .unwrap();
    send(&mut lines[0], Some(builtin(&mono.name, 16).unwrap()));
    let mut channels = vec![vec![0.25f32; 512]; 16];
    let mut slices: Vec<&mut [f32]> = channels.iter_mut().map(Vec::as_mut_slice).collect();
    engine.process_channels(&mut slices, Transport::Absent, &[]);
    let mut alone = registry().create(&mono.name).unwrap();
    alone.init(RATE, 512).unwrap();
    for macro_ in builtin(&mono.name, 2).unwrap().macros() {
        alone.set_param(macro_.index, macro_.value(0.5));
    }
    let (input, mut output) = (vec![0.25f32; 512], vec![0.0f32; 512]);
    alone.process(&[&input], &mut [&mut output]);
    for channel in channels {
        assert_same(&channel, &output, "every channel");
    }
}

/// Something that happens to the inserts.
type Act = dyn Fn(&mut [InsertLine; 2], &mut Engine);

/// A tone through exchanges at eight of its phases, in dB re the tone.
fn worst(act: impl Fn(&mut [InsertLine; 2], &mut Engine)) -> f64 {
    const TONE: f64 = 400.0;
    let filter = ClickFilter::new(RATE).unwrap();
    let tone = sine(26_000, RATE, 0.5, TONE, 0.0);
    let mut worst = f64::NEG_INFINITY;
    for eighth in 0..8 {
        let at = 20_010 + eighth * 15;
        let (mut engine, mut lines) = engine();
        send(&mut lines[0], Some(halves(usize::MAX)));
        engine.set(id::A_1, 0.5);
        engine.reset();
        let (mut left, mut right) = (tone.clone(), tone.clone());
        for (block, (l, r)) in left.chunks_mut(15).zip(right.chunks_mut(15)).enumerate() {
            if block * 15 == at {
                act(&mut lines, &mut engine);
            }
            engine.process(l, r, Transport::Absent, &[]);
        }
        worst = worst.max(filter.click(&left[10_000..], 0.5));
    }
    worst
}

#[test]
fn exchanges_do_not_click() {
    let cases: [(&str, &Act); 5] = [
        ("another node", &|lines, _| {
            send(&mut lines[0], Some(builtin("gain", 2).unwrap()));
        }),
        ("none", &|lines, _| send(&mut lines[0], None)),
        ("off", &|_, engine| engine.set(id::A_ON, 0.0)),
        ("a first one", &|lines, _| {
            send(&mut lines[0], None);
            send(&mut lines[1], Some(builtin("pan", 2).unwrap()));
        }),
        ("two in a row", &|lines, _| {
            send(&mut lines[0], Some(builtin("band_pass", 2).unwrap()));
            send(&mut lines[0], Some(builtin("gain", 2).unwrap()));
        }),
    ];
    for (what, act) in cases {
        let worst = worst(act);
        figure(
            &format!("10 inserts: {what}"),
            "<= -80 dB re the tone",
            &format!("{worst:.1} dB"),
        );
        assert!(worst <= -80.0, "{what}: {worst}");
    }
}

#[test]
fn a_node_at_the_beat_does_not_click_where_the_beat_jumps() {
    let filter = ClickFilter::new(RATE).unwrap();
    let tone = sine(40_000, RATE, 0.5, 400.0, 0.0);
    let run = |jumps: &[(usize, i64)]| {
        let (mut engine, mut lines) = engine();
        send(&mut lines[0], Some(builtin("amplitude", 2).unwrap()));
        engine.set(id::A_1, 1.0);
        // Depth, duty, pulse: a sine.
        engine.set(id::A_3, 0.0);
        engine.reset();
        let (mut left, mut right) = (tone.clone(), tone.clone());
        for (block, (l, r)) in left.chunks_mut(60).zip(right.chunks_mut(60)).enumerate() {
            let frame = block * 60;
            let gone = jumps.iter().filter(|(at, _)| frame >= *at);
            let transport = Transport::Host {
                playing: true,
                song_frames: Some(frame as i64 + gone.map(|(_, by)| by).sum::<i64>()),
                tempo: None,
            };
            engine.process(l, r, transport, &[]);
        }
        left
    };
    let mut worst = f64::NEG_INFINITY;
    for quarter in 0..4 {
        let at = 20_040 + quarter * 1_200;
        // Half a cycle of the beat; the second comes while the first is faded round.
        for jumps in [&[(at, 52_400)][..], &[(at, 52_400), (at + 480, -1_300)]] {
            worst = worst.max(filter.click(&run(jumps)[10_000..], 0.5));
        }
    }
    figure(
        "10 inserts: the beat jumps",
        "<= -80 dB re the tone",
        &format!("{worst:.1} dB"),
    );
    assert!(worst <= -80.0, "{worst}");
    // A song that goes on is left alone, and one that jumps by whole cycles; after a jump the new beat sounds.
    let plain = run(&[]);
    assert!(plain[30_000..34_800].iter().any(|x| x.abs() > 0.49));
    let whole = run(&[(20_040, 48_000)]);
    for (one, other) in plain.iter().zip(&whole) {
        assert!((one - other).abs() < 1e-4, "{one} {other}");
    }
    let half = run(&[(20_040, 48_000 + 2_400)]);
    let level = |x: &[f32]| x.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let quietest = |x: &[f32]| {
        let levels = x.chunks(240).map(level).enumerate();
        levels.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
    };
    let (was, is) = (
        quietest(&plain[28_800..33_600]),
        quietest(&half[28_800..33_600]),
    );
    assert_eq!((was + 10) % 20, is, "half a cycle on");
}

#[test]
fn a_node_that_breaks_is_left_and_said_and_may_try_again() {
    let run = |block: Option<usize>| {
        let (mut engine, mut lines) = engine();
        let node = halves(10_007);
        let tripped = node.tripped();
        send(&mut lines[0], Some(node));
        let events = [step(14_000, id::A_ON, 0.0), step(16_000, id::A_ON, 1.0)];
        let out = render(&[], &events).run_on(&mut engine, block);
        assert_eq!(engine.telemetry().output_repaired(), 0);
        (out, tripped.is_set())
    };
    let (out, tripped) = run(Some(64));
    // The second time it lasts to the end.
    assert!(!tripped);
    let input = render(&[], &[]).input;
    assert_eq!(out[0][10_006], 0.5 * input[0][10_006]);
    // What was heard last fades into the audio as it is.
    assert_eq!(out[0][10_007], out[0][10_006]);
    let (passed, plain) = (&out[0][11_000..14_000], &input[0][11_000..14_000]);
    assert_same(passed, plain, "after the break");
    assert_eq!(out[0][18_000], 0.5 * input[0][18_000]);
    for block in BLOCKS {
        let (cut, _) = run(*block);
        assert_same(&cut[0], &out[0], &format!("{block:?}"));
    }
    // Without another chance it stays out, and says so.
    let (mut engine, mut lines) = engine();
    let node = halves(10_007);
    let tripped = node.tripped();
    send(&mut lines[0], Some(node));
    render(&[], &[]).run_on(&mut engine, Some(64));
    assert!(tripped.is_set());
    assert_eq!(engine.tail(), Tail::None);
}

/// One that breaks while it fades in is left where the fade was, not where it began.
#[test]
fn a_node_that_breaks_within_a_fade_does_not_jump() {
    let (mut engine, mut lines) = engine();
    send(&mut lines[0], Some(halves(2000)));
    let ramp: Vec<f32> = (0..6400).map(|n| n as f32 / 6400.0).collect();
    let (mut left, mut right) = (ramp.clone(), ramp);
    for (block, (l, r)) in left.chunks_mut(32).zip(right.chunks_mut(32)).enumerate() {
        if block * 32 == 1984 {
            // The first breaks within the fade to this one, and this one within the fade from what stands still then.
            send(&mut lines[0], Some(halves(400)));
        }
        engine.process(l, r, Transport::Absent, &[]);
    }
    let steps = left.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let worst = steps.fold(0.0, f32::max);
    assert!(worst < 0.002, "{worst}");
    assert_eq!(left[6000], 6000.0 / 6400.0);
}

#[test]
fn every_node_is_given_back_and_freed_by_the_line() {
    let alive = Arc::default();
    let (mut engine, mut lines) = engine();
    let [mut left, mut right] = silence(1024);
    for _ in 0..1000 {
        let node = Prepared::new(&mut || Ok(Halves::make(usize::MAX, &alive)), 2, RATE).unwrap();
        send(&mut lines[0], Some(node));
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
        // What sounds, what fades out, what has come, what waits.
        assert!(alive.load(Ordering::SeqCst) <= 4);
    }
    send(&mut lines[0], None);
    for _ in 0..3 {
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
    }
    lines[0].drain();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

/// Where the engine does not run, the line fills up and says so.
#[test]
fn a_full_line_gives_back() {
    let (_engine, mut lines) = engine();
    let full = (0..20).find(|_| lines[0].send(None).is_err());
    assert!(full.is_some());
}

/// An exchange begins on the grid, wherever it arrives within a quantum.
#[test]
fn an_exchange_begins_with_a_quantum() {
    for at in [64, 70, 95, 96] {
        let (mut engine, mut lines) = engine();
        let (mut left, mut right) = (vec![1.0f32; 4000], vec![1.0f32; 4000]);
        let (l0, l1) = left.split_at_mut(at);
        let (r0, r1) = right.split_at_mut(at);
        engine.process(l0, r0, Transport::Absent, &[] as &[Event]);
        send(&mut lines[0], Some(halves(usize::MAX)));
        for count in cuts(l1.len(), Some(100), 1).iter().scan(0, |sum, count| {
            let start = *sum;
            *sum += count;
            Some(start..*sum)
        }) {
            let (l, r) = (&mut l1[count.clone()], &mut r1[count]);
            engine.process(l, r, Transport::Absent, &[]);
        }
        let first = left.iter().position(|x| *x != 1.0).unwrap();
        let begins = at.next_multiple_of(32);
        // The first frame of a raised cosine is still what was.
        assert!((begins..begins + 8).contains(&first), "{at}: {first}");
        assert!((left[begins + 480] - 0.75).abs() < 1e-6);
        assert_eq!(left[begins + 960], 0.5);
    }
}

/// Libraries of a folder that are mapped into this process.
#[cfg(target_os = "linux")]
fn mapped(folder: &std::path::Path) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let folder = folder.to_str().unwrap();
    maps.lines().filter(|line| line.contains(folder)).count()
}

/// A node from a file, taken up a thousand times while the engine runs: its library is open while it is of use.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_reloads_of_a_file_leave_nothing_behind() {
    use zeitgeber::live::{Workshop, prepare};
    let folder = tempfile::tempdir().unwrap();
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    std::fs::copy(data.join("fixture.h"), folder.path().join("fixture.h")).unwrap();
    let file = folder.path().join("halve.cpp");
    let body = "void process(void*, const float* const* in, float* const* out, uint32_t frames)\n\
                { for (uint32_t i = 0; i < frames; ++i) out[0][i] = 0.5f * in[0][i]; }";
    let text = format!("#include \"fixture.h\"\nnamespace {{\n{body}\n}}\nNODE(halve, ZG_ABI)\n");
    std::fs::write(&file, text).unwrap();
    let checker = std::path::PathBuf::from(env!("CARGO_BIN_EXE_zeitgeber"));
    let workshop = Workshop::at(folder.path().join("nodes"), checker);
    assert!(workshop.known(&file).unwrap().is_none());
    drop(workshop.open(&file).unwrap());
    let (mut engine, mut lines) = engine();
    let mut most = 0;
    for _ in 0..1000 {
        let node = workshop.known(&file).unwrap().unwrap();
        send(
            &mut lines[0],
            Some(prepare(&node, 2, RATE).unwrap().prepared),
        );
        drop(node);
        let (mut left, mut right) = ([0.5f32; 1024], [0.25f32; 1024]);
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
        assert!((left[1023] - 0.25).abs() < 1e-6);
        most = most.max(mapped(folder.path()));
    }
    // One library, in its segments.
    assert!((1..10).contains(&most), "{most}");
    send(&mut lines[0], None);
    let (mut left, mut right) = ([0.5f32; 4096], [0.25f32; 4096]);
    engine.process(&mut left, &mut right, Transport::Absent, &[]);
    lines[0].drain();
    assert_eq!(mapped(folder.path()), 0);
}
