//! The whole engine: chains from the defaults to everything on, by block and rate; many instances; the longest
//! blocks of a million.

use super::clock::{FRAMES, Work, measure, noise, percent};
use crate::common::floor;
use crate::common::workloads::{RATE, Settings, chain, engine, everything, reference, settings};
use std::hint::black_box;
use zeitgeber::engine::Transport;

/// Prints the tables.
pub fn table() {
    let chains: [(&str, Settings); 6] = [
        ("defaults", Settings::new()),
        (
            "two binaural layers",
            settings(&[("l1_kind", "binaural"), ("l2_kind", "binaural")]),
        ),
        ("shift of the program", settings(&[("prog_kind", "shift")])),
        ("reference", reference()),
        (
            "reference over a bus of order 3",
            [reference(), settings(&[("space_kind", "ambisonic")])].concat(),
        ),
        ("everything on", everything()),
    ];
    const BLOCKS: [usize; 8] = [1, 16, 32, 64, 128, 512, 1024, 1920];
    println!("\n## Chains\n");
    println!(
        "Per cent of a core at 48 kHz by frames a block; real time over the time of blocks of 512.\n"
    );
    println!("| chain | 1 | 16 | 32 | 64 | 128 | 512 | 1024 | 1920 | x real time |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let only = std::env::var("ZEITGEBER_ONLY").ok();
    let block: Option<usize> = std::env::var("ZEITGEBER_BLOCK")
        .ok()
        .and_then(|block| block.parse().ok());
    for (name, settings) in &chains {
        if only.as_deref().is_some_and(|only| only != *name) {
            continue;
        }
        if let Some(block) = block {
            let mut work = [chain(engine(settings, RATE), block)];
            for _ in 0..20 {
                println!(
                    "| {name} | {:.3} |",
                    percent(measure(&mut work).of(0), RATE)
                );
            }
            continue;
        }
        let mut works: Vec<Work> = BLOCKS
            .iter()
            .map(|block| chain(engine(settings, RATE), *block))
            .collect();
        let times = measure(&mut works);
        let costs: Vec<String> = (0..BLOCKS.len())
            .map(|block| format!("{:.3}", percent(times.of(block), RATE)))
            .collect();
        println!(
            "| {name} | {} | {:.0} |",
            costs.join(" | "),
            100.0 / percent(times.of(5), RATE)
        );
    }
    println!(
        "\nBars of the reference chain: 0.5 % in blocks of 64, at most 10 x that in blocks of 1, 200 x real time."
    );

    if only.is_some() {
        return;
    }
    println!("\n## The reference chain by rate\n");
    println!("| rate | ns a frame, block 64 | % of a core | x floor |");
    println!("|---|---|---|---|");
    for rate in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0, 192_000.0] {
        let mut works = [
            chain(engine(&reference(), rate), 64),
            floor::source(2, true),
        ];
        let times = measure(&mut works);
        println!(
            "| {:.1} kHz | {:.1} | {:.3} | {:.2} |",
            rate / 1e3,
            times.of(0),
            percent(times.of(0), rate),
            times.ratio(0, 1)
        );
    }
    println!(
        "\nThe floor is that of two moving sources with 288 taps; above 48 kHz filters are longer."
    );

    println!("\n## Many instances\n");
    let mut instances: Vec<Work> = (0..64)
        .map(|_| chain(engine(&reference(), RATE), 128))
        .collect();
    let mut works: [Work; 1] = [Box::new(move || {
        instances.iter_mut().for_each(|instance| instance());
    })];
    let all = measure(&mut works).of(0);
    println!(
        "64 instances of the reference chain, blocks of 128, one after the other: {:.1} % of a core, {:.3} % each.",
        percent(all, RATE),
        percent(all, RATE) / 64.0
    );
}

/// Processor time of this thread in nanoseconds.
#[cfg(unix)]
fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Prints how long the longest of a million blocks take: 32 frames at 96 kHz.
#[cfg(unix)]
pub fn histogram() {
    const BLOCK: usize = 32;
    const HIGH: f64 = 96_000.0;
    let count: usize = std::env::var("ZEITGEBER_BLOCKS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    println!("\n## The longest blocks\n");
    println!(
        "{count} blocks of {BLOCK} frames at 96 kHz, thread processor time as a share of the block's own.\n"
    );
    println!(
        "What else the machine does counts as ours in *measured*. The engine does the same whenever it runs, so three \
         engines alike process each block in turns, and in *least* the shortest of the three counts: what the block \
         itself takes.\n"
    );
    println!("| chain | | median | 99 % | 99.9 % | 99.99 % | 99.999 % | longest |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, settings) in [("reference", reference()), ("everything on", everything())] {
        let mut engines: [_; 3] = std::array::from_fn(|_| engine(&settings, HIGH));
        let music = noise(FRAMES, 1);
        let mut measured: Vec<u32> = Vec::with_capacity(count);
        let mut least: Vec<u32> = Vec::with_capacity(count);
        let (mut left, mut right) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        for number in 0..count {
            let start = number * BLOCK % FRAMES;
            let times = engines.each_mut().map(|engine| {
                left.copy_from_slice(&music[start..start + BLOCK]);
                right.copy_from_slice(&left);
                let before = thread_time();
                engine.process(&mut left, &mut right, Transport::Absent, &[]);
                u32::try_from(thread_time() - before).unwrap_or(u32::MAX)
            });
            measured.push(times[0]);
            least.push(times.into_iter().min().unwrap_or(0));
        }
        black_box((&left, &right));
        for (what, mut times) in [("measured", measured), ("least", least)] {
            times.sort_unstable();
            let budget = BLOCK as f64 / HIGH * 1e9;
            let share = |part: f64| {
                let index = ((count as f64 * part) as usize).min(count - 1);
                format!("{:.1} %", f64::from(times[index]) / budget * 100.0)
            };
            println!(
                "| {name} | {what} | {} | {} | {} | {} | {} | {} |",
                share(0.5),
                share(0.99),
                share(0.999),
                share(0.9999),
                share(0.99999),
                share(1.0)
            );
        }
    }
    println!("\nThe bar: 99.999 % below 30 %.");
}

/// There is no clock of a thread here.
#[cfg(not(unix))]
pub fn histogram() {
    println!("\nThe longest blocks are measured on Unix only.");
}
