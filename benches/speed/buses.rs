//! An ambisonic bus: rotating it and decoding it to two ears, by order and block.
//!
//! The head turns at 90 degrees a second and is told in every quantum of 32 frames, so that what rotates is cut there;
//! *still* is a head that is turned and stays. Decoders are symmetric, of 288 taps (256 at 44.1 kHz), of noise: time
//! does not depend on what is in them.

use super::clock::{Work, measure, percent};
use crate::common::floor;
use crate::common::workloads::{RATE, bus, decoding, rotation};
use zeitgeber::dsp::ambisonics::channels;

/// Prints the table.
pub fn table() {
    const BLOCKS: [usize; 6] = [1, 32, 64, 128, 512, 1920];
    println!("\n## An ambisonic bus\n");
    println!(
        "Per cent of a core at 48 kHz by frames a block; the last column is blocks of 128 over the floor.\n"
    );
    println!("| what | order | 1 | 32 | 64 | 128 | 512 | 1920 | x floor |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for what in ["rotate, still", "rotate", "decode", "rotate + decode"] {
        for order in 1..=7 {
            let mut works: Vec<Work> = BLOCKS
                .iter()
                .map(|block| {
                    let mut nodes = match what {
                        "decode" => vec![decoding(order)],
                        "rotate + decode" => vec![rotation(order), decoding(order)],
                        _ => vec![rotation(order)],
                    };
                    if what == "rotate, still" {
                        nodes[0].set_param(0, 30.0);
                    }
                    let turns = what == "rotate" || what == "rotate + decode";
                    bus(nodes, turns, order, *block)
                })
                .collect();
            works.push(floor::bus(channels(order)));
            let times = measure(&mut works);
            let costs: Vec<String> = (0..BLOCKS.len())
                .map(|block| format!("{:.3}", percent(times.of(block), RATE)))
                .collect();
            let floor = if what.contains("decode") {
                format!("{:.2}", times.ratio(3, BLOCKS.len()))
            } else {
                String::new()
            };
            println!("| {what} | {order} | {} | {floor} |", costs.join(" | "));
        }
    }
    println!(
        "\nBars of rotate + decode, block 128, order 1/3/5/7: 0.10 / 0.30 / 0.60 / 1.0 (AVX-512), x 1.5 (AVX2)."
    );
}
