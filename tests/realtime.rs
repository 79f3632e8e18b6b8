//! Promise 4: the audio thread never waits. malloc, calloc, realloc, posix_memalign, free, read, write and
//! pthread_mutex_lock of this process are interposed, for C++ and Faust nodes too, and none may be called while audio
//! is processed.
//!
//! Not seen here: a lock of Rust's that is free (it calls nothing until it waits), and other system calls. That the code
//! of the engine, nodes and graphs names no lock, sleep or print at all is a rule of `tests/layering.rs`; every function
//! that the real library calls outside of itself is counted in `tests/hosts/process.rs`.
//!
//! promise: no allocation, C lock, read or write in the engine, the nodes in C++ and Faust, users' nodes and exchanges of graphs
#![cfg(target_os = "linux")]

mod common;

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;
use zeitgeber::control::{Controller, Desk, Learned, Moves};
use zeitgeber::dsp::ambisonics::{BusRenderer, Decoder, DecoderBank, channels};
use zeitgeber::dsp::binaural::{FilterBank, Move, Renderer, Target};
use zeitgeber::dsp::quaternion::Quat;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{
    Change, ControlId, Engine, Event, HeadSlot, Override, Prepared, Transport,
};
use zeitgeber::graph::{Graph, swappable};
use zeitgeber::hrtf::Source;
use zeitgeber::live::Workshop;
use zeitgeber::node::registry;
use zeitgeber::space::{bring_all, everything};

thread_local! {
    /// Whether this thread is processing audio; constant-initialised, so that reading it allocates nothing.
    static PROCESSING: Cell<bool> = const { Cell::new(false) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn note() {
    // A thread that is ending has no cells any more; it processes nothing either.
    let processing = PROCESSING.try_with(Cell::get).unwrap_or(false);
    if processing {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
    }
}

/// Calls of the interposed functions while `work` runs.
fn calls_in(work: impl FnOnce()) -> usize {
    CALLS.with(|calls| calls.set(0));
    PROCESSING.with(|processing| processing.set(true));
    work();
    PROCESSING.with(|processing| processing.set(false));
    CALLS.with(Cell::get)
}

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(old: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
    fn __libc_free(old: *mut c_void);
    fn syscall(number: i64, ...) -> i64;
}

// SAFETY (all of these): they replace the C library's functions of the same signature in this test program
// and hand on to the C library's own.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    note();
    // SAFETY: see above.
    unsafe { __libc_malloc(size) }
}

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    note();
    // SAFETY: see above.
    unsafe { __libc_calloc(count, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    note();
    // SAFETY: see above.
    unsafe { __libc_realloc(old, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, align: usize, size: usize) -> i32 {
    note();
    // SAFETY: see above; the caller gives a place for the pointer.
    unsafe {
        *out = __libc_memalign(align, size);
        if (*out).is_null() { 12 } else { 0 }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(old: *mut c_void) {
    note();
    // SAFETY: see above.
    unsafe { __libc_free(old) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: i32, data: *const c_void, count: usize) -> isize {
    note();
    // SAFETY: the system call of that name; its number is 1 on x86-64 and 64 on aarch64.
    unsafe {
        syscall(
            if cfg!(target_arch = "x86_64") { 1 } else { 64 },
            file,
            data,
            count,
        ) as isize
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn read(file: i32, data: *mut c_void, count: usize) -> isize {
    note();
    // SAFETY: as above; its number is 0 and 63.
    unsafe {
        syscall(
            if cfg!(target_arch = "x86_64") { 0 } else { 63 },
            file,
            data,
            count,
        ) as isize
    }
}

/// Mutexes of C and C++ code; Rust's are futexes, which are system calls only when they wait.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_mutex_lock(mutex: *mut c_void) -> i32 {
    note();
    // SAFETY: `trylock` takes the same mutex; it is repeated until it has it. Only code of this test
    // program gets here.
    unsafe {
        while pthread_mutex_trylock(mutex) != 0 {
            std::hint::spin_loop();
        }
    }
    0
}

unsafe extern "C" {
    fn pthread_mutex_trylock(mutex: *mut c_void) -> i32;
}

#[test]
fn the_guard_sees_rust_and_c() {
    assert!(calls_in(|| drop(std::hint::black_box(vec![0u8; 100]))) >= 2);
    let made = calls_in(|| drop(registry().create("gate").unwrap()));
    assert!(
        made >= 2,
        "a C++ instance is allocated by the C library: {made}"
    );
    assert_eq!(calls_in(|| ()), 0);
}

#[test]
fn a_renderer_of_sources_neither_allocates_nor_frees() {
    let bank = || Arc::new(FilterBank::new(&common::sphere::sphere(48_000.0, 288)));
    let (first, second, third) = (bank(), bank(), bank());
    let mut renderer = Renderer::new(first, 6, 288);
    let x = common::bursts(64, 1);
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    let mut others = [Some(second), Some(third)];
    let mut retired = Vec::with_capacity(2);
    let calls = calls_in(|| {
        for block in 0..400 {
            for source in 0..6 {
                // Source 0 turns, the others jump now and then, with air and near by.
                let step = if source == 0 { block } else { block / 50 * 70 };
                let target = Target {
                    azimuth: f64::from(step),
                    distance: [0.3, 1.5, 12.0][source % 3],
                    ..Target::default()
                };
                renderer.set_target(source, target, Move::Auto);
            }
            if block % 100 == 30
                && let Some(bank) = others.iter_mut().find_map(Option::take)
            {
                retired.extend(renderer.swap(bank).unwrap());
            }
            renderer.process(&[&x[..]; 6], &mut left, &mut right);
            retired.extend(renderer.retired());
        }
        renderer.reset();
    });
    assert_eq!(calls, 0);
    assert_eq!(retired.len(), 2);
}

#[test]
fn a_bus_renderer_neither_allocates_nor_frees() {
    let bank = |order: usize, symmetric: bool| {
        let ears = if symmetric { 1 } else { 2 };
        Arc::new(DecoderBank::new(&Decoder {
            rate: 48_000.0,
            order,
            taps: 288,
            filters: common::bursts(channels(order) * ears * 288, 1),
            symmetric,
        }))
    };
    let mut renderer = BusRenderer::new(bank(7, true), 288);
    let mut others = [1, 3, 5].map(|order| Some(bank(order, order != 3)));
    let mut retired = Vec::with_capacity(3);
    let x = common::bursts(64, 1);
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    let calls = calls_in(|| {
        for block in 0..400 {
            if block % 100 == 30
                && let Some(bank) = others.iter_mut().find_map(Option::take)
            {
                retired.extend(renderer.swap(bank).unwrap());
            }
            renderer.process(&[&x[..]; 64], &mut left, &mut right);
            retired.extend(renderer.retired());
        }
        renderer.reset();
    });
    assert_eq!(calls, 0);
    assert_eq!(retired.len(), 3);
}

#[test]
fn every_node_processes_without_allocating() {
    for info in registry().infos() {
        let mut node = registry().create(&info.name).unwrap();
        node.init(48_000.0, 256).unwrap();
        let inputs = vec![common::bursts(256, 1); info.inputs];
        let mut outputs = vec![vec![0.0f32; 256]; info.outputs];
        let ins: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let mut outs: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        let calls = calls_in(|| {
            for round in 0..50u32 {
                for (index, param) in info.params.iter().enumerate() {
                    node.set_param(index, if round % 2 == 0 { param.max } else { param.min });
                    node.get_param(index);
                }
                for index in 0..info.phases.len() {
                    node.set_phase(index, 1, u64::from(round) << 40, 1);
                }
                node.process(&ins, &mut outs);
                if round == 30 {
                    node.reset();
                }
            }
        });
        assert_eq!(calls, 0, "{}", info.name);
    }
}

#[test]
fn the_graph_runs_without_allocating() {
    let mut graph = Graph::new(2, 2);
    for (name, kind) in [("tone", "tone_pair"), ("low", "low_pass"), ("sum", "gain")] {
        graph.add_builtin(name, kind).unwrap();
    }
    graph.serial(&["in", "low", "sum", "out"]).unwrap();
    graph.connect("tone", "sum").unwrap();
    let mut run = graph.compile(48_000.0, 64).unwrap();
    let _ring = run.tap("sum", 0, 100).unwrap();
    let input = [common::bursts(1000, 1), common::bursts(1000, 2)];
    let mut output = [vec![0.0; 1000], vec![0.0; 1000]];
    let calls = calls_in(|| {
        for _ in 0..20 {
            let [left, right] = output.each_mut().map(Vec::as_mut_slice);
            run.process(&[&input[0], &input[1]], &mut [left, right]);
        }
        run.reset();
    });
    assert_eq!(calls, 0);
}

#[test]
fn the_engine_runs_without_allocating_whatever_changes() {
    let mut engine = Engine::new(48_000.0).unwrap();
    bring_all(&mut engine, &Source::Default, everything(7)).unwrap();
    let mut random = common::Random(3);
    let mut block = [common::bursts(512, 1), common::bursts(512, 2)];
    // Every control, steps and lines, seeks, stops, resets, what is not finite.
    let storms: Vec<Vec<Event>> = (0..400)
        .map(|_| {
            let mut events: Vec<Event> = (0..8)
                .map(|_| {
                    let all = ControlId::all().count() as u64;
                    let control = ControlId::all().nth(random.below(all) as usize).unwrap();
                    let (low, high) = control.control().range();
                    let to = low + (high - low) * (random.below(1000) as f64 / 999.0);
                    let change = match random.below(3) {
                        0 => Change::Linear {
                            to,
                            frames: random.below(2000),
                        },
                        _ => Change::Step(to),
                    };
                    Event {
                        frame: random.below(512) as usize,
                        control,
                        change,
                    }
                })
                .collect();
            events.sort_by_key(|event| event.frame);
            events
        })
        .collect();
    let calls = calls_in(|| {
        engine.set(id::L1_KIND, 1.0);
        for (round, events) in storms.iter().enumerate() {
            let song_frames = Some(random.below(1_000_000) as i64);
            let transport = match round % 5 {
                0 => Transport::Absent,
                1 => Transport::Host {
                    playing: false,
                    song_frames,
                    tempo: None,
                },
                _ => Transport::Host {
                    playing: true,
                    song_frames,
                    tempo: None,
                },
            };
            block[0][round % 512] = f32::NAN;
            let [left, right] = block.each_mut().map(Vec::as_mut_slice);
            engine.process(left, right, transport, events);
            if round % 50 == 49 {
                engine.reset();
            }
            engine.tail();
            engine.telemetry().take_output_peaks();
        }
    });
    assert_eq!(calls, 0);
    common::figure(
        "15 allocations, locks and system calls in process, C++ included",
        "0",
        &format!("{calls} in 400 blocks of a storm on every control"),
    );
}

#[test]
fn timelines_and_snapshots_come_and_go_without_allocating() {
    use zeitgeber::engine::timeline::{Curve, Row};
    use zeitgeber::engine::{Order, Snapshot, Timeline};
    let mut engine = Engine::new(48_000.0).unwrap();
    let mut deck = engine.take_deck().unwrap();
    let mut random = common::Random(5);
    let rows = |random: &mut common::Random| -> Arc<Timeline> {
        let curves = [
            Curve::Step,
            Curve::Linear,
            Curve::Exponential,
            Curve::Smooth,
        ];
        let controls = [
            id::BEAT,
            id::CARRIER,
            id::L1_RATIO,
            id::L1_INTERVAL,
            id::L1_KIND,
            id::MOTION_RATE,
        ];
        let rows: Vec<Row> = (0..40)
            .map(|n| {
                let control = controls[random.below(controls.len() as u64) as usize];
                let (low, high) = control.control().range();
                let value = low.max(0.5) + (high - low.max(0.5)) * random.below(100) as f64 / 100.0;
                Row {
                    seconds: f64::from(n / 4) * 0.05,
                    control,
                    value,
                    curve: if control == id::L1_INTERVAL {
                        Curve::Linear
                    } else {
                        curves[random.below(4) as usize]
                    },
                }
            })
            .collect();
        Arc::new(
            Timeline::new(
                &rows,
                |control| control.control().default_value(),
                0.02,
                48_000.0,
            )
            .unwrap(),
        )
    };
    let timelines: Vec<Arc<Timeline>> = (0..16).map(|_| rows(&mut random)).collect();
    let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
    let mut calls = 0;
    for round in 0..400usize {
        if round % 9 == 0 {
            let timeline = timelines[random.below(16) as usize].clone();
            let settings = vec![
                (id::PROTOCOL_ON, 1.0),
                (id::L1_KIND, 1.0),
                (id::PROTOCOL_LOOP, (round % 2) as f64),
            ];
            let order = match random.below(4) {
                0 => Order::Timeline(Some(timeline)),
                1 => Order::Seek(random.below(10) as f64 / 5.0),
                2 => Order::Play(round % 2 == 0),
                _ => Order::Snapshot(Box::new(Snapshot {
                    settings,
                    timeline: Some(timeline),
                    ..Snapshot::default()
                })),
            };
            assert!(deck.send(order).is_ok());
        }
        let transport = if round % 100 < 50 {
            Transport::Absent
        } else {
            Transport::Host {
                playing: round % 20 != 0,
                song_frames: Some((round as i64 * 512) % 70_000),
                tempo: None,
            }
        };
        calls += calls_in(|| engine.process(&mut left, &mut right, transport, &[]));
    }
    assert_eq!(calls, 0);
}

#[test]
fn trackers_values_and_controllers_from_outside_do_not_allocate() {
    let mut engine = Engine::new(48_000.0).unwrap();
    bring_all(&mut engine, &Source::Default, everything(3)).unwrap();
    engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
    let desk = Desk::default();
    desk.edit_map(|map| {
        map.learn(Learned {
            channel: 0,
            controller: Controller::Cc(7),
            moves: Moves::Control("azimuth".to_owned()),
        });
    });
    let mut midi = desk.audio();
    desk.round();
    let slot = Arc::new(HeadSlot::default());
    engine.follow_head(slot.clone());
    let mut line = engine.take_overrides_line().unwrap();
    let mut block = [common::bursts(64, 1), common::bursts(64, 2)];
    let mut moved = 0.0;
    for n in 0..300_u32 {
        slot.put(Quat::from_turns(
            f64::from(n % 40) * 8.0,
            f64::from(n % 7),
            0.0,
        ));
        for control in [id::BEAT, id::L1_KIND, id::ELEVATION] {
            let (low, high) = control.control().range();
            let value = low + (high - low) * f64::from(n % 5) / 4.0;
            let host = control.control().default_value();
            line.send(Override::Control {
                control,
                value,
                host,
            });
            line.send(Override::Given { control, value });
        }
        line.send(Override::Release {
            control: id::ELEVATION,
            host: 0.0,
        });
        // Another map comes while it plays, and the one before goes back.
        if n % 50 == 49 {
            desk.edit_map(|map| map.pickup = n % 100 == 49);
            desk.round();
        }
        let calls = calls_in(|| {
            midi.hear([0xB0, 7, (n % 128) as u8], &mut engine, |_| 0.0);
            engine.set(id::BEAT, id::BEAT.control().default_value());
            let [left, right] = block.each_mut().map(Vec::as_mut_slice);
            engine.process(left, right, Transport::Absent, &[]);
        });
        assert_eq!(calls, 0, "block {n}");
        moved += engine.get(id::AZIMUTH).abs();
    }
    assert!(moved > 0.0);
}

#[test]
fn a_graph_of_live_late_and_faster_nodes_is_exchanged_without_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("half.dsp");
    std::fs::write(&source, "process = *(0.5), *(0.5);").unwrap();
    let checker = env!("CARGO_BIN_EXE_zeitgeber").into();
    let live = Workshop::at(folder.path().join("nodes"), checker)
        .open(&source)
        .unwrap();
    let make = || {
        let mut graph = Graph::new(2, 2);
        graph.add("half", live.create().unwrap().0).unwrap();
        graph.add_builtin("fast", "low_pass@8").unwrap();
        graph.serial(&["in", "half", "fast", "out"]).unwrap();
        graph.connect("in", "out").unwrap();
        graph.compile(48_000.0, 64).unwrap()
    };
    let (mut player, mut editor) = swappable(make(), 0.02);
    let x = common::bursts(512, 1);
    let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
    let mut calls = 0;
    for round in 0..40 {
        if round % 8 == 3 {
            editor.swap(make()).unwrap();
        }
        calls += calls_in(|| player.process(&[&x, &x], &mut [&mut left, &mut right]));
        if round == 20 {
            calls += calls_in(|| player.run().reset());
        }
    }
    assert_eq!(calls, 0);
}

/// A thousand nodes through an insert: taken up, faded, given back, never freed while audio is processed.
#[test]
fn exchanges_of_an_inserts_node_touch_no_memory() {
    let mut engine = Engine::new(48_000.0).unwrap();
    let [mut line, _] = engine.take_inserts().unwrap();
    let kinds = ["amplitude", "gain", "band_pass"];
    let (mut left, mut right) = (vec![0.1; 1024], vec![0.1; 1024]);
    let mut calls = 0;
    let mut round = |engine: &mut Engine| {
        calls_in(|| engine.process(&mut left, &mut right, Transport::Absent, &[]))
    };
    round(&mut engine);
    for number in 0..1000 {
        let mut make = || registry().create(kinds[number % kinds.len()]);
        let node = Prepared::new(&mut make, 2, 48_000.0).unwrap();
        let delivery = Some(node).filter(|_| number % 10 != 9);
        assert!(line.send(delivery).is_ok());
        engine.set(id::A_1, number as f64 / 1000.0);
        engine.set(id::A_ON, f64::from(u8::from(number % 7 > 0)));
        calls += round(&mut engine);
    }
    calls += calls_in(|| engine.reset());
    calls += round(&mut engine);
    assert_eq!(calls, 0);
}
