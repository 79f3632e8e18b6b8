//! What benches measure and the guard of instruction counts counts: sources, buses and chains as workloads.

use super::floor::{FRAMES, Work};
use super::noise;
use arrayvec::ArrayVec;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use zeitgeber::dsp::ambisonics::{BusRenderer, Decoder, DecoderBank, MAX_CHANNELS, channels};
use zeitgeber::dsp::binaural::{FilterBank, Move, Renderer, Target};
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::engine::{ControlId, Engine, Transport};
use zeitgeber::hrtf::{self, Options, Progress, Set, Source};
use zeitgeber::node::decode::{self, Supply};
use zeitgeber::node::{Node, registry};
use zeitgeber::protocol::Preset;
use zeitgeber::space;

/// Sample rate that per cent of a core are given at.
pub const RATE: f64 = 48_000.0;

/// Taps of head-related filters and decoders at 48 kHz (256 at 44.1).
pub const TAPS: usize = 288;

const QUANTUM: usize = 32;

/// What a case is: sources, whether they move, frames a block, elevation in degrees.
pub type Case = (usize, bool, usize, f64);

/// Sources with head-related filters, which move at 90 degrees a second or stay.
pub fn sources<'a>(
    bank: &Arc<FilterBank>,
    x: &'a [f32],
    (sources, moves, block, elevation): Case,
) -> Work<'a> {
    let mut renderer = Renderer::new(bank.clone(), sources, TAPS);
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    let mut now = 0;
    Box::new(move || {
        for start in (0..FRAMES).step_by(block) {
            // A block of several quanta is cut where targets are set, as the engine does.
            for at in (start..start + block).step_by(block.min(QUANTUM)) {
                let length = block.min(QUANTUM);
                if moves && at % QUANTUM == 0 {
                    for source in 0..sources {
                        let target = Target {
                            azimuth: 90.0 * (now + at + QUANTUM) as f64 / RATE
                                + 50.0 * source as f64,
                            elevation: elevation
                                + if elevation == 0.0 {
                                    0.0
                                } else {
                                    5.0 * source as f64
                                },
                            ..Target::default()
                        };
                        renderer.set_target(source, target, Move::Glide);
                    }
                }
                let inputs = [&x[at..at + length]; 16];
                renderer.process(
                    &inputs[..sources],
                    &mut left[..length],
                    &mut right[..length],
                );
            }
        }
        now += FRAMES;
        black_box((&left, &right));
    })
}

/// A node that turns a bus.
pub fn rotation(order: usize) -> Box<dyn Node> {
    let mut node = registry().create("rotate").expect("a built-in node");
    for (name, value) in [("order", order as f64), ("smooth", 0.0)] {
        let index = node.info().param(name).expect("a parameter");
        node.set_param(index, value);
    }
    node.init(RATE, FRAMES).expect("any rate");
    node
}

/// A node that decodes a bus, with symmetric decoders of noise: time does not depend on what is in them.
pub fn decoding(order: usize) -> Box<dyn Node> {
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

/// A chain of nodes in blocks. The first may be told a yaw in each quantum.
pub fn bus(
    mut nodes: Vec<Box<dyn Node>>,
    turns: bool,
    order: usize,
    block: usize,
) -> Work<'static> {
    // An engine cuts its blocks at quanta, where it tells a head's turn.
    let piece = if turns { block.min(QUANTUM) } else { block };
    // Pieces x channels x frames, so that making slices takes next to nothing: it is not what is measured.
    let mut input = vec![0.0; FRAMES.next_multiple_of(piece) * MAX_CHANNELS];
    for channel in 0..channels(order) {
        let pieces = input.chunks_exact_mut(piece * MAX_CHANNELS);
        for (piece, x) in pieces.zip(noise(FRAMES, channel as u64).chunks(piece)) {
            piece[channel * x.len()..][..x.len()].copy_from_slice(x);
        }
    }
    let mut buffers = vec![vec![0.0f32; piece * MAX_CHANNELS]; nodes.len()];
    let widths: Vec<usize> = nodes.iter().map(|node| node.info().outputs).collect();
    let mut now = 0;
    Box::new(move || {
        let _mode = DenormalGuard::new();
        for (number, input) in input.chunks_exact(piece * MAX_CHANNELS).enumerate() {
            let at = number * piece;
            let length = piece.min(FRAMES - at);
            let frame = now + at;
            if turns && frame.is_multiple_of(QUANTUM) {
                let turn = (frame + QUANTUM) % (4 * RATE as usize);
                nodes[0].set_param(0, 90.0 * turn as f64 / RATE);
            }
            for number in 0..nodes.len() {
                let (before, after) = buffers.split_at_mut(number);
                let before = before.last().map_or(input, |outs| &outs[..]);
                let mut ins: ArrayVec<&[f32], MAX_CHANNELS> = ArrayVec::new();
                ins.extend(before.chunks_exact(length).take(MAX_CHANNELS));
                let mut outs: ArrayVec<&mut [f32], MAX_CHANNELS> = ArrayVec::new();
                outs.extend(after[0].chunks_exact_mut(length).take(widths[number]));
                nodes[number].process(&ins, &mut outs);
            }
        }
        now += FRAMES;
        black_box(&buffers);
    })
}

/// Two binaural layers, music through two moving virtual speakers, leveller, pink bed.
const REFERENCE: &str = include_str!("../../benches/reference.json");

/// Controls with values.
pub type Settings = Vec<(ControlId, f64)>;

/// Settings by ids and texts as a user types them.
pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs
        .iter()
        .map(|(name, value)| {
            let id = ControlId::parse(name).expect("an id of the table");
            let value = id
                .control()
                .parse_any(value)
                .expect("a value of the control");
            (id, value)
        })
        .collect()
}

/// The reference chain.
pub fn reference() -> Settings {
    Preset::parse(REFERENCE)
        .expect("benches/reference.json is a preset")
        .all_settings()
}

/// The reference chain and everything else that there is.
pub fn everything() -> Settings {
    let mut all = reference();
    all.extend(settings(&[
        ("gate_on", "on"),
        ("ceiling_on", "on"),
        ("prog_kind", "shift"),
        ("prog_low", "200"),
        ("prog_high", "4000"),
        ("l3_kind", "isochronic"),
        ("l3_wave", "saw"),
        ("l3_space", "on"),
        ("l3_azimuth", "60"),
        ("l4_kind", "noise"),
        ("l4_space", "on"),
        ("l4_azimuth", "-60"),
        ("noise_kind", "brown"),
        ("room", "0.5"),
    ]));
    all
}

/// Keeps the embedded set prepared for a rate, as whoever supplies a plugin does: all instances share it.
fn keep(rate: f64) {
    static KEPT: Mutex<Vec<(u64, Arc<Set>)>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().expect("nobody panics with it");
    if kept.iter().all(|(bits, _)| *bits != rate.to_bits()) {
        let set = hrtf::load(&Source::Default, rate, Options::default(), &Progress::new());
        kept.push((rate.to_bits(), set.expect("the embedded set is whole")));
    }
}

/// An engine with these settings and the filters that they ask for.
pub fn engine(settings: &[(ControlId, f64)], rate: f64) -> Engine {
    let mut engine = Engine::new(rate).expect("a rate as any");
    for (id, value) in settings {
        engine.set(*id, *value);
    }
    keep(rate);
    space::bring(&mut engine, &Source::Default).expect("the embedded set is whole");
    engine
}

/// Runs it in blocks, playing from the start of the song.
pub fn chain(mut engine: Engine, block: usize) -> Work<'static> {
    let music = [noise(FRAMES, 1), noise(FRAMES, 2)];
    let (mut left, mut right) = (vec![0.0; block], vec![0.0; block]);
    let mut song = 0i64;
    Box::new(move || {
        for start in (0..FRAMES).step_by(block) {
            let length = block.min(FRAMES - start);
            for (out, music) in [&mut left, &mut right].into_iter().zip(&music) {
                for (out, x) in out.iter_mut().zip(&music[start..start + length]) {
                    *out = 0.1 * x;
                }
            }
            let transport = Transport::Host {
                playing: true,
                song_frames: Some(song),
                tempo: None,
            };
            engine.process(&mut left[..length], &mut right[..length], transport, &[]);
            song += length as i64;
        }
        black_box((&left, &right));
    })
}
