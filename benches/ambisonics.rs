//! What an ambisonic bus costs: rotating it and decoding it to two ears, by order and block, in % of a core at 48 kHz.
//!
//! The head turns at 90 degrees a second all the time; decoders are symmetric, of 288 taps (256 at 44.1 kHz), of noise:
//! time does not depend on what is in them. The best batch counts: what disturbs a machine only slows down. Prints the
//! table of docs/performance.md.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeitgeber::dsp::ambisonics::{BusRenderer, Decoder, DecoderBank, MAX_CHANNELS, channels};
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::node::decode::{self, Supply};
use zeitgeber::node::{Node, registry};

const RATE: f64 = 48_000.0;
const TAPS: usize = 288;
const QUANTUM: usize = 32;

/// Frames that are processed between two looks at the clock, and looks.
const FRAMES: usize = 2560;
const LOOKS: usize = 200;

/// White noise of -1 to 1.
fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64.wrapping_mul(2 * seed + 1);
    (0..frames)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

fn rotation(order: usize) -> Box<dyn Node> {
    let mut node = registry().create("rotate").expect("a built-in node");
    for (name, value) in [("order", order as f64), ("smooth", 0.0)] {
        let index = node.info().param(name).expect("a parameter");
        node.set_param(index, value);
    }
    node.init(RATE, FRAMES).expect("any rate");
    node
}

fn decoding(order: usize) -> Box<dyn Node> {
    let bank = Arc::new(DecoderBank::new(&Decoder {
        rate: RATE,
        order,
        taps: TAPS,
        filters: noise(channels(order) * TAPS, 3),
        symmetric: true,
    }));
    let (mut node, mut line) = decode::create();
    let renderer = Box::new(BusRenderer::new(bank.clone(), TAPS));
    for supply in [Supply::Renderer(renderer), Supply::Bank(1, bank)] {
        assert!(line.to.push(supply).is_ok(), "the line is empty");
    }
    node.init(RATE, FRAMES).expect("any rate");
    node.set_param(decode::param::ORDER, order as f64);
    node
}

/// Per cent of a core of a chain of nodes in blocks. The first may be told a yaw in each quantum.
fn cost(nodes: &mut [Box<dyn Node>], turns: bool, order: usize, block: usize) -> f64 {
    let _mode = DenormalGuard::new();
    let input: Vec<Vec<f32>> = (0..MAX_CHANNELS)
        .map(|channel| match channel {
            _ if channel < channels(order) => noise(FRAMES, channel as u64),
            _ => vec![0.0; FRAMES],
        })
        .collect();
    // An engine cuts its blocks at quanta, where it tells a head's turn.
    let piece = if turns { block.min(QUANTUM) } else { block };
    let pieces: Vec<Vec<&[f32]>> = (0..FRAMES)
        .step_by(piece)
        .map(|at| input.iter().map(|x| &x[at..at + piece]).collect())
        .collect();
    let mut buffers = vec![vec![vec![0.0f32; piece]; MAX_CHANNELS]; nodes.len()];
    let mut outs: Vec<Vec<&mut [f32]>> = buffers
        .iter_mut()
        .map(|buffers| buffers.iter_mut().map(Vec::as_mut_slice).collect())
        .collect();
    let widths: Vec<usize> = nodes.iter().map(|node| node.info().outputs).collect();
    let mut best = Duration::MAX;
    let mut now = 0;
    for _ in 0..LOOKS {
        let start = Instant::now();
        for (number, input) in pieces.iter().enumerate() {
            let frame = now + number * piece;
            if turns && frame.is_multiple_of(QUANTUM) {
                let yaw = 90.0 * (frame + QUANTUM) as f64 / RATE;
                nodes[0].set_param(0, yaw.rem_euclid(360.0));
            }
            nodes[0].process(input, &mut outs[0][..widths[0]]);
            for number in 1..nodes.len() {
                let (before, after) = outs.split_at_mut(number);
                let mut ins: [&[f32]; MAX_CHANNELS] = [&[]; MAX_CHANNELS];
                for (to, from) in ins.iter_mut().zip(&before[number - 1]) {
                    *to = from;
                }
                nodes[number].process(&ins, &mut after[0][..widths[number]]);
            }
        }
        best = best.min(start.elapsed());
        now += FRAMES;
    }
    black_box(&outs);
    best.as_secs_f64() * RATE / FRAMES as f64 * 100.0
}

fn main() {
    const BLOCKS: [usize; 5] = [1, 32, 64, 128, 512];
    println!("% of a core at 48 kHz; the head turns at 90 deg/s; 288 taps\n");
    println!("| what | order | block 1 | 32 | 64 | 128 | 512 |");
    println!("|---|---|---|---|---|---|---|");
    for what in ["rotate, still", "rotate", "decode", "rotate + decode"] {
        for order in 1..=7 {
            let costs = BLOCKS.map(|block| {
                let mut nodes = match what {
                    "decode" => vec![decoding(order)],
                    "rotate + decode" => vec![rotation(order), decoding(order)],
                    _ => vec![rotation(order)],
                };
                if what == "rotate, still" {
                    nodes[0].set_param(0, 30.0);
                }
                let turns = what == "rotate" || what == "rotate + decode";
                format!("{:.3}", cost(&mut nodes, turns, order, block))
            });
            println!("| {what} | {order} | {} |", costs.join(" | "));
        }
    }
    println!(
        "\nBar of rotate + decode, block 128, order 1/3/5/7: 0.10 / 0.30 / 0.60 / 1.0 (AVX-512), x 1.5 (AVX2)"
    );
}
