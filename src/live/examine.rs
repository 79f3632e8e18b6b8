//! What a user's node has to stand before it is let in. It runs in a process of its own, which it may take
//! down with it.

use super::Report;
use crate::dsp::denormals::DenormalGuard;
use crate::dsp::phase;
use crate::node::foreign::ForeignKind;
use crate::node::{Node, ParamKind};
use std::path::Path;

const RATE: f64 = 48_000.0;
/// Frames of each stretch of sound.
const FRAMES: usize = 4_800;
const BLOCK: usize = 64;
/// Where phases and parameters move, whatever the blocks.
const GRID: usize = 32;
/// More than this share of one core at 48 kHz in blocks of 64 leaves too little for everything else.
pub(super) const MOST_LOAD: f64 = 0.5;

/// A sample from its frame and from noise.
type Wave = fn(usize, f32) -> f32;

/// The sounds that it has to bear.
const SOUNDS: [(&str, Wave); 6] = [
    ("silence", |_, _| 0.0),
    ("noise at full scale", |_, noise| noise),
    ("a square wave 12 dB over full scale", |n, _| {
        if n / 50 % 2 == 0 { 4.0 } else { -4.0 }
    }),
    ("a constant", |_, _| 1.0),
    ("clicks", |n, _| if n % 997 == 0 { 1.0 } else { 0.0 }),
    ("numbers next to zero", |_, noise| noise * 1e-38),
];

/// Where its parameters are, as a share of their ranges.
const PLACES: [(&str, Option<f64>); 3] = [
    ("default", None),
    ("lowest", Some(0.0)),
    ("highest", Some(1.0)),
];

/// Opens a library and tries its node. `doing` hears what is tried before it is, so that it is known when it
/// is the last thing that happens.
///
/// # Errors
/// What the node does wrong, for people.
pub fn examine(library: &Path, name: &str, doing: &mut dyn FnMut(&str)) -> Result<Report, String> {
    let _mode = DenormalGuard::new();
    doing("it was opened");
    let kind = ForeignKind::open(name, library).map_err(|error| error.to_string())?;
    if kind.info().outputs == 0 {
        return Err("it has no outputs".to_owned());
    }
    let load = speed(&kind, doing)?;
    for rate in [RATE, 44_100.0, 8_000.0, 192_000.0] {
        torture(&kind, rate, doing)?;
    }
    blocks(&kind, doing)?;
    resets(&kind, doing)?;
    doing("it was closed");
    drop(kind);
    Ok(Report { load })
}

fn make(kind: &ForeignKind, rate: f64, most: usize) -> Result<Box<dyn Node>, String> {
    let mut node = kind.create().map_err(|error| error.to_string())?;
    node.init(rate, most).map_err(|error| error.to_string())?;
    Ok(Box::new(node))
}

/// The share of a core that it takes, by the processor's time, which other programs do not lengthen: the largest of
/// what it takes wherever its parameters are.
fn speed(kind: &ForeignKind, doing: &mut dyn FnMut(&str)) -> Result<f64, String> {
    doing("its speed was measured");
    let mut most: f64 = 0.0;
    for (_, share) in PLACES {
        let mut node = make(kind, RATE, BLOCK)?;
        place(node.as_mut(), share);
        most = most.max(load(node.as_mut()));
        if most > MOST_LOAD {
            return Err(format!(
                "it is too slow: it takes {:.0} % of a core at 48 kHz, at most {:.0} % are allowed",
                most * 100.0,
                MOST_LOAD * 100.0
            ));
        }
    }
    Ok(most)
}

/// The share of a core that a node takes as it is.
fn load(node: &mut dyn Node) -> f64 {
    let input = sound(node, SOUNDS[1].1, FRAMES, 1);
    let mut buffers = vec![[0.0; BLOCK]; node.info().outputs];
    let began = processor_time();
    let mut done = 0;
    // Something very slow is known to be after a short while.
    while done < 10 * FRAMES && (done < BLOCK || processor_time() - began < 1.0) {
        let start = done % FRAMES;
        let ins: Vec<&[f32]> = input.iter().map(|x| &x[start..start + BLOCK]).collect();
        let mut outs: Vec<&mut [f32]> = buffers.iter_mut().map(|y| &mut y[..]).collect();
        node.process(&ins, &mut outs);
        done += BLOCK;
    }
    (processor_time() - began) / (done as f64 / RATE)
}

/// Puts all parameters at a share of their ranges, or leaves them where they are by themselves.
fn place(node: &mut dyn Node, share: Option<f64>) {
    for index in 0..node.info().params.len() {
        let param = &node.info().params[index];
        let value = share.map_or(param.default, |share| {
            param.min + share * (param.max - param.min)
        });
        node.set_param(index, value);
    }
}

/// Every sound at every extreme of its parameters: what leaves is finite.
fn torture(kind: &ForeignKind, rate: f64, doing: &mut dyn FnMut(&str)) -> Result<(), String> {
    for (what, wave) in SOUNDS {
        for (where_, share) in PLACES {
            let task =
                format!("it processed {what} at {rate} Hz, its parameters at their {where_}");
            doing(&task);
            let mut node = make(kind, rate, BLOCK)?;
            place(node.as_mut(), share);
            let input = sound(node.as_ref(), wave, FRAMES, 1);
            let output = whole(node.as_mut(), &input, &[BLOCK], rate, false);
            check_finite(&output).map_err(|problem| format!("{problem} when {task}"))?;
        }
    }
    doing("its parameters moved");
    let mut node = make(kind, rate, BLOCK)?;
    let input = sound(node.as_ref(), SOUNDS[1].1, FRAMES, 1);
    let output = whole(node.as_mut(), &input, &[BLOCK], rate, true);
    check_finite(&output).map_err(|problem| format!("{problem} when its parameters move"))
}

/// How the signal is cut must not change a bit.
fn blocks(kind: &ForeignKind, doing: &mut dyn FnMut(&str)) -> Result<(), String> {
    let mut reference: Option<Vec<Vec<f32>>> = None;
    for cuts in [&[1024][..], &[1], &[7], &[32, 0, 1, 500, 3]] {
        doing("it was given blocks of several sizes");
        let mut node = make(kind, RATE, 1024)?;
        let input = sound(node.as_ref(), SOUNDS[1].1, FRAMES, 2);
        let output = whole(node.as_mut(), &input, cuts, RATE, true);
        match &reference {
            None => reference = Some(output),
            Some(reference) => {
                if let Some(frame) = difference(reference, &output) {
                    return Err(format!(
                        "its sound depends on how the signal is cut into blocks: frame {frame} differs \
                         between blocks of 1024 and of {}; what may break this is a state that follows \
                         the length of a block",
                        cuts[0]
                    ));
                }
            }
        }
    }
    Ok(())
}

/// `reset` is a fresh start, even after what is not a number came in.
fn resets(kind: &ForeignKind, doing: &mut dyn FnMut(&str)) -> Result<(), String> {
    doing("it was reset after something that is not a number");
    let mut node = make(kind, RATE, BLOCK)?;
    let input = sound(node.as_ref(), SOUNDS[1].1, FRAMES, 3);
    let fresh = whole(node.as_mut(), &input, &[BLOCK], RATE, false);
    let poison = sound(
        node.as_ref(),
        |n, _| [f32::NAN, f32::INFINITY][n % 2],
        BLOCK,
        3,
    );
    whole(node.as_mut(), &poison, &[BLOCK], RATE, false);
    node.reset();
    let again = whole(node.as_mut(), &input, &[BLOCK], RATE, false);
    match difference(&fresh, &again) {
        Some(frame) => Err(format!(
            "reset is not a fresh start: frame {frame} differs from that of a new node"
        )),
        None => Ok(()),
    }
}

/// A sound for each input, with noise of its own.
fn sound(node: &dyn Node, wave: Wave, frames: usize, seed: u64) -> Vec<Vec<f32>> {
    (0..node.info().inputs as u64)
        .map(|channel| {
            let mut state = (seed * 1000 + channel) | 1;
            (0..frames)
                .map(|n| {
                    // xorshift64, so that what was found is found again.
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    wave(n, (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0)
                })
                .collect()
        })
        .collect()
}

/// The whole sound in blocks of the given sizes, in turn; phases run, and parameters move if they are to, at
/// multiples of the grid.
fn whole(
    node: &mut dyn Node,
    input: &[Vec<f32>],
    cuts: &[usize],
    rate: f64,
    moves: bool,
) -> Vec<Vec<f32>> {
    let frames = input.first().map_or(FRAMES, Vec::len);
    let mut output = vec![Vec::with_capacity(frames); node.info().outputs];
    let (mut start, mut cut) = (0, 0);
    while start < frames {
        let end = (start + cuts[cut % cuts.len()]).min(frames);
        cut += 1;
        if end == start {
            run(node, input, start, 0);
        }
        while start < end {
            if start % GRID == 0 {
                drive(node, start, rate);
                if moves {
                    shift(node, start / GRID);
                }
            }
            let count = (GRID - start % GRID).min(end - start);
            // Only what happens on the grid cuts; without it blocks are as long as they are.
            let count = if moves || !node.info().phases.is_empty() {
                count
            } else {
                end - start
            };
            for (output, block) in output.iter_mut().zip(run(node, input, start, count)) {
                output.extend(block);
            }
            start += count;
        }
    }
    output
}

fn drive(node: &mut dyn Node, frame: usize, rate: f64) {
    for index in 0..node.info().phases.len() {
        let increment = phase::increment(200.0 + 57.3 * index as f64, rate) as u64;
        node.set_phase(index, increment.wrapping_mul(frame as u64), increment, 0);
    }
}

/// Every eighth time, the next parameter goes somewhere else.
fn shift(node: &mut dyn Node, time: usize) {
    let count = node.info().params.len();
    if count == 0 || !time.is_multiple_of(8) {
        return;
    }
    let turn = time / 8;
    let param = &node.info().params[turn % count];
    let share = match param.kind {
        ParamKind::Number => (turn * 37 % 101) as f64 / 100.0,
        _ => f64::from(turn as u32 / count as u32 % 2),
    };
    let value = param.min + share * (param.max - param.min);
    node.set_param(turn % count, value);
}

fn run(node: &mut dyn Node, input: &[Vec<f32>], start: usize, count: usize) -> Vec<Vec<f32>> {
    let ins: Vec<&[f32]> = input.iter().map(|x| &x[start..start + count]).collect();
    let mut buffers = vec![vec![0.0; count]; node.info().outputs];
    let mut outs: Vec<&mut [f32]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
    node.process(&ins, &mut outs);
    buffers
}

fn check_finite(output: &[Vec<f32>]) -> Result<(), String> {
    for (channel, samples) in output.iter().enumerate() {
        if let Some(frame) = samples.iter().position(|x| !x.is_finite()) {
            let value = samples[frame];
            return Err(format!(
                "it puts out {value} in channel {} at frame {frame}",
                channel + 1
            ));
        }
    }
    Ok(())
}

fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> Option<usize> {
    let frames = a.iter().zip(b).filter_map(|(a, b)| {
        a.iter()
            .zip(b)
            .position(|(a, b)| a.to_bits() != b.to_bits())
    });
    frames.min()
}

/// Processor time of this thread in seconds.
#[cfg(unix)]
fn processor_time() -> f64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

#[cfg(not(unix))]
fn processor_time() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_secs_f64()
}
