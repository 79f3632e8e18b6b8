//! What happens now and then: instances made, activated and saved, filters prepared, decoders designed, the editor
//! drawn; and memory.

use super::clock::{milliseconds, noise};
use crate::common::workloads::{RATE, engine, reference};
use crate::rig::{Rig, load};
use crate::stand::Stand;
use std::hint::black_box;
use zeitgeber::editor::Look;
use zeitgeber::engine::{Engine, Transport, controls};
use zeitgeber::hrtf::{Options, Progress, Source, make_decoder};
use zeitgeber::space::Supplier;

/// What a plugin does when a host activates it with space on: an engine, and the embedded set in it.
fn activated() -> (Engine, Supplier) {
    let mut engine = Engine::new(RATE).expect("a rate as any");
    engine.set(controls::SPACE_KIND, controls::SPACE_HRTF as f64);
    let wish = engine.space_wish().expect("space is on");
    let line = engine.take_supply().expect("nobody has taken it");
    let mut supplier = Supplier::new(line, RATE);
    supplier
        .supply(&Source::Default, wish, &Progress::new())
        .expect("the embedded set is whole");
    (engine, supplier)
}

/// Megabytes of this process in memory; none where the system does not tell.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1e3)
}

/// Prints the table.
pub fn table() {
    println!("\n## Now and then\n");
    println!("| what | ms, median | bar |");
    println!("|---|---|---|");
    let row = |what: &str, time: f64, bar: &str| println!("| {what} | {time:.2} | {bar} |");

    row(
        "make an engine",
        milliseconds(50, || {
            black_box(Engine::new(RATE).expect("a rate as any"));
        }),
        "",
    );
    row(
        "make an engine and bring it the default set, prepared before",
        milliseconds(20, || {
            black_box(activated());
        }),
        "",
    );
    let set = zeitgeber::hrtf::load(&Source::Default, RATE, Options::default(), &Progress::new())
        .expect("the embedded set is whole");
    for (order, bar) in [(1, ""), (3, ""), (5, ""), (7, "3000")] {
        let time = milliseconds(3, || {
            black_box(make_decoder(&set.hrirs, order, &Progress::new()).expect("an order"));
        });
        row(&format!("design a decoder of order {order}"), time, bar);
    }
    plugin(&row);
    editor(&row);
}

/// The real CLAP: a library of its own, which has prepared nothing yet.
fn plugin(row: &impl Fn(&str, f64, &str)) {
    const INSTANCES: usize = 20;
    let entry = load();
    let kept = Rig::new(&entry);
    row(
        "plugin: create and destroy an instance",
        milliseconds(INSTANCES, || {
            black_box(Rig::new(&entry));
        }),
        "5",
    );
    // The embedded set is brought to instances whose space is off, too.
    for rate in [44_100.0, RATE, 96_000.0, 192_000.0, 768_000.0] {
        let mut rigs: Vec<Rig> = (0..=INSTANCES).map(|_| Rig::new(&entry)).collect();
        let mut rigs = rigs.iter_mut();
        let mut activate = || {
            let rig = rigs.next().expect("as many as are timed");
            black_box(rig.start(rate).is_some());
        };
        let (first, later) = (
            milliseconds(1, &mut activate),
            milliseconds(INSTANCES, activate),
        );
        let kilohertz = rate / 1e3;
        row(
            &format!(
                "plugin: activate the first instance at {kilohertz:.1} kHz, which prepares the default set"
            ),
            first,
            if rate == RATE { "150" } else { "" },
        );
        row("the same, further instances", later, "");
    }
    let mut rig = Rig::new(&entry);
    let time = milliseconds(20, || {
        black_box(rig.save());
    });
    row("plugin: save the state", time, "");
    let state = rig.save();
    let time = milliseconds(20, || {
        black_box(rig.load(&state));
    });
    row("plugin: load the state", time, "");
    drop(kept);
}

/// The window without a screen: what is drawn of it, not the drawing itself.
fn editor(row: &impl Fn(&str, f64, &str)) {
    const FRAMES: usize = 60;
    let mut stand = Stand::new((1000.0, 640.0), Look::default());
    for (id, value) in reference() {
        stand.set(id, value);
    }
    stand.play(10);
    let time = milliseconds(5, || stand.steps(FRAMES)) / FRAMES as f64;
    row("editor: lay out a frame", time, "");
    let time = milliseconds(5, || {
        let output = stand.harness.output();
        black_box(stand.harness.ctx.tessellate(output.shapes.clone(), 1.0));
    });
    row("editor: its triangles", time, "");
}

/// Prints what the first and second instance of the reference chain keep in memory. First of all: what was freed
/// before stays with the process.
pub fn memory() {
    let run = || {
        let mut engine = engine(&reference(), RATE);
        let mut left = noise(48_000, 1);
        let mut right = noise(48_000, 2);
        engine.process(&mut left, &mut right, Transport::Absent, &[]);
        engine
    };
    let none = resident();
    let first = run();
    let one = resident();
    let second = run();
    let two = resident();
    if let (Some(none), Some(one), Some(two)) = (none, one, two) {
        println!("\n## Memory");
        println!(
            "\nMemory of the reference chain: the first instance with its filters {:.1} MB, the second {:.1} MB (bar 8).",
            one - none,
            two - one
        );
    }
    drop((first, second));
}
