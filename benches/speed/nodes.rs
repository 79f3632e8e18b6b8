//! Every built-in node alone, switched on, otherwise as it is made, with noise coming in.
//!
//! Nodes that filter need banks to do so: they are measured with sources and buses.

use super::clock::{FRAMES, Work, measure, noise, percent};
use crate::common::workloads::RATE;
use std::hint::black_box;
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::node::{Node, ParamKind, registry};

/// Whoever sets phases does so in every quantum.
const QUANTUM: usize = 32;

/// A node in blocks; `moves`: whether its first number moves in every quantum.
fn work(mut node: Box<dyn Node>, block: usize, moves: bool) -> Work<'static> {
    if let Some(on) = node.info().param("on") {
        node.set_param(on, 1.0);
    }
    let number = node
        .info()
        .params
        .iter()
        .position(|param| moves && param.kind == ParamKind::Number && param.max > param.min);
    let range = number.map(|index| {
        let param = &node.info().params[index];
        (param.default, 0.001 * (param.max - param.min))
    });
    let (inputs, outputs) = (node.info().inputs, node.info().outputs);
    let signals: Vec<Vec<f32>> = (0..inputs)
        .map(|channel| {
            let mut signal = noise(FRAMES, channel as u64);
            signal.iter_mut().for_each(|x| *x *= 0.25);
            signal
        })
        .collect();
    let mut buffers = vec![vec![0.0f32; FRAMES]; outputs];
    let phases: Vec<u64> = node
        .info()
        .phases
        .iter()
        .map(|phase| (phase.frequency / RATE * 2f64.powi(64)) as u64)
        .collect();
    let mut now = 0u64;
    Box::new(move || {
        let _mode = DenormalGuard::new();
        for start in (0..FRAMES).step_by(block) {
            let length = block.min(FRAMES - start);
            if let (Some(index), Some((value, step)), true) =
                (number, range, (now as usize).is_multiple_of(QUANTUM))
            {
                node.set_param(index, value + step * (now / 32 % 2) as f64);
            }
            for (index, increment) in phases.iter().enumerate() {
                if (now as usize).is_multiple_of(QUANTUM) {
                    node.set_phase(index, increment.wrapping_mul(now), *increment, 0);
                }
            }
            let ins: arrayvec::ArrayVec<&[f32], 128> = signals
                .iter()
                .map(|signal| &signal[start..start + length])
                .collect();
            let mut outs: arrayvec::ArrayVec<&mut [f32], 128> =
                buffers.iter_mut().map(|out| &mut out[..length]).collect();
            node.process(&ins, &mut outs);
            now += length as u64;
        }
        black_box(&buffers);
    })
}

/// Prints the table.
pub fn table() {
    println!("\n## Nodes\n");
    println!(
        "Nanoseconds a frame by frames a block, at 48 kHz: no block that a node gets is longer than a quantum. In the last \
         column one parameter moves from quantum to quantum.\n"
    );
    println!("| node | language | channels | 1 | 8 | 32 | % of a core | 32, moving |");
    println!("|---|---|---|---|---|---|---|---|");
    for info in registry().infos() {
        let mut works: Vec<Work> = [(1, false), (8, false), (QUANTUM, false), (QUANTUM, true)]
            .into_iter()
            .map(|(block, moves)| {
                let mut node = registry()
                    .create(&info.name)
                    .expect("it is in the registry");
                node.init(RATE, FRAMES).expect("any rate");
                work(node, block, moves)
            })
            .collect();
        let times = measure(&mut works);
        println!(
            "| {} | {} | {} -> {} | {:.1} | {:.2} | {:.2} | {:.3} | {:.2} |",
            info.name,
            info.language,
            info.inputs,
            info.outputs,
            times.of(0),
            times.of(1),
            times.of(2),
            percent(times.of(2), RATE),
            times.of(3)
        );
    }
}
