//! Any node at two, four or eight times the rate: "low_pass@4".
//!
//! Each doubling is a half-band filter on the way up and on the way down, of odd length 4 M - 1 with linear
//! phase: half of its taps are zero and one is 1/2, so that each phase of it costs 2 M multiplications at most
//! (Crochiere and Rabiner, Multirate Digital Signal Processing, 1983). The windows are Kaiser's for 100 dB. Both
//! ways together are late by 2 M - 1 frames.

use super::{MAX_CHANNELS, Node, NodeError, NodeInfo};
use arrayvec::ArrayVec;

/// M of each doubling, from the node's outside to its inside: the first is flat to 20 kHz at 44.1 kHz, the
/// others have room.
const HALF_TAPS: [usize; 3] = [36, 9, 6];

/// Shape of Kaiser's window for 100 dB.
const BETA: f64 = 10.06;

/// Frames that are doubled at once.
const CHUNK: usize = 64;

/// Runs a node at `factor` (2, 4 or 8) times the rate; `None` for other factors. Its latency is declared, and
/// its phase inputs are as late as its sound.
pub fn oversampled(node: Box<dyn Node>, factor: usize) -> Option<Box<dyn Node>> {
    let doublings = match factor {
        2 => 1,
        4 => 2,
        8 => 3,
        _ => return None,
    };
    let name = format!("{}@{factor}", node.info().name);
    let mut node = node;
    for half_taps in HALF_TAPS[..doublings].iter().rev() {
        node = Box::new(Double::new(node, *half_taps, &name));
    }
    Some(node)
}

/// The taps at odd distances from the middle, of sum 1: what is between two frames.
fn between(half_taps: usize) -> Vec<f64> {
    let width = 2.0 * half_taps as f64;
    let taps: Vec<f64> = (0..2 * half_taps)
        .map(|tap| {
            let distance = tap as f64 - (half_taps as f64 - 0.5);
            let angle = std::f64::consts::PI * distance;
            let place = 2.0 * distance / width;
            angle.sin() / angle * bessel(BETA * (1.0 - place * place).max(0.0).sqrt())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| tap / sum).collect()
}

/// Modified Bessel function of the first kind, order 0, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..60 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

/// The last frames of a signal before a chunk, and the chunk.
struct Past(Vec<f32>);

impl Past {
    fn new(frames: usize) -> Past {
        Past(vec![0.0; frames + CHUNK])
    }

    /// What a chunk of `count` frames is written into.
    fn chunk(&mut self, count: usize) -> &mut [f32] {
        let start = self.0.len() - CHUNK;
        &mut self.0[start..start + count]
    }

    /// The frame `back` before frame `n` of the chunk.
    fn get(&self, n: usize, back: usize) -> f32 {
        self.0[self.0.len() - CHUNK + n - back]
    }

    /// Forgets the oldest `count` frames, after a chunk of as many.
    fn advance(&mut self, count: usize) {
        let kept = self.0.len() - CHUNK;
        self.0.copy_within(count..count + kept, 0);
    }

    /// What lies between frames in the middle of the 2 M up to frame `n`.
    fn between(&self, taps: &[f64], n: usize) -> f64 {
        let end = self.0.len() - CHUNK + n + 1;
        let frames = &self.0[end - taps.len()..end];
        frames
            .iter()
            .zip(taps)
            .map(|(x, tap)| f64::from(*x) * tap)
            .sum()
    }
}

/// A node at twice the rate.
struct Double {
    node: Box<dyn Node>,
    info: NodeInfo,
    taps: Vec<f64>,
    inputs: Vec<Past>,
    /// Frames at even and at odd places on the way down.
    even: Vec<Past>,
    odd: Vec<Past>,
    /// The doubled rate's last frame, where the node's own latency is odd there.
    held: Option<Vec<f32>>,
    fast_inputs: Vec<Vec<f32>>,
    fast_outputs: Vec<Vec<f32>>,
}

impl Double {
    fn new(node: Box<dyn Node>, half_taps: usize, name: &str) -> Double {
        let mut info = node.info().clone();
        let inner = info.latency;
        info.name = name.to_owned();
        info.latency = (2 * half_taps - 1) as u32 + inner.div_ceil(2);
        let past = |count| (0..count).map(|_| Past::new(2 * half_taps)).collect();
        let fast = |count| vec![vec![0.0; 2 * CHUNK]; count];
        Double {
            taps: between(half_taps),
            inputs: past(info.inputs),
            even: past(info.outputs),
            odd: past(info.outputs),
            held: (inner % 2 == 1).then(|| vec![0.0; info.outputs]),
            fast_inputs: fast(info.inputs),
            fast_outputs: fast(info.outputs),
            node,
            info,
        }
    }

    /// Processes up to a chunk from `start` on.
    fn chunk(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], start: usize, count: usize) {
        let half_taps = self.taps.len() / 2;
        for ((past, fast), input) in self
            .inputs
            .iter_mut()
            .zip(&mut self.fast_inputs)
            .zip(inputs)
        {
            past.chunk(count)
                .copy_from_slice(&input[start..start + count]);
            for n in 0..count {
                fast[2 * n] = past.between(&self.taps, n) as f32;
                fast[2 * n + 1] = past.get(n, half_taps - 1);
            }
            past.advance(count);
        }
        {
            // Tables on the stack: nothing is allocated here.
            let ins: ArrayVec<&[f32], MAX_CHANNELS> = self
                .fast_inputs
                .iter()
                .map(|fast| &fast[..2 * count])
                .collect();
            let mut outs: ArrayVec<&mut [f32], MAX_CHANNELS> = self
                .fast_outputs
                .iter_mut()
                .map(|fast| &mut fast[..2 * count])
                .collect();
            self.node.process(&ins, &mut outs);
        }
        for (channel, output) in outputs.iter_mut().enumerate().take(self.info.outputs) {
            let fast = &mut self.fast_outputs[channel][..2 * count];
            if let Some(held) = self.held.as_mut() {
                let last = fast[2 * count - 1];
                fast.copy_within(..2 * count - 1, 1);
                fast[0] = std::mem::replace(&mut held[channel], last);
            }
            let (even, odd) = (&mut self.even[channel], &mut self.odd[channel]);
            for (n, pair) in fast.chunks_exact(2).enumerate() {
                even.chunk(count)[n] = pair[0];
                odd.chunk(count)[n] = pair[1];
            }
            for n in 0..count {
                let middle = f64::from(odd.get(n, half_taps));
                output[start + n] = (0.5 * (middle + even.between(&self.taps, n))) as f32;
            }
            even.advance(count);
            odd.advance(count);
        }
    }
}

impl Node for Double {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.node.init(2.0 * sample_rate, 2 * CHUNK)?;
        self.clear();
        Ok(())
    }

    fn reset(&mut self) {
        self.node.reset();
        self.clear();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let lengths = inputs.iter().map(|input| input.len());
        let lengths = lengths.chain(outputs.iter().map(|output| output.len()));
        let frames = lengths.min().unwrap_or(0);
        for start in (0..frames).step_by(CHUNK) {
            self.chunk(inputs, outputs, start, CHUNK.min(frames - start));
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        self.node.set_param(index, value);
    }

    fn get_param(&self, index: usize) -> f64 {
        self.node.get_param(index)
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        // The same parabola at half steps, and by as many of these ago as the way up takes.
        let sweep_half = sweep / 4;
        let increment = ((increment as i64) / 2).wrapping_sub(sweep / 8);
        let back = self.taps.len() as i64 - 1;
        let phase = phase
            .wrapping_sub(increment.wrapping_mul(back) as u64)
            .wrapping_add((back * (back + 1) / 2).wrapping_mul(sweep_half) as u64);
        let increment = increment.wrapping_sub(back.wrapping_mul(sweep_half));
        self.node
            .set_phase(index, phase, increment as u64, sweep_half);
    }
}

impl Double {
    /// Forgets all sound.
    fn clear(&mut self) {
        let pasts = self
            .inputs
            .iter_mut()
            .chain(&mut self.even)
            .chain(&mut self.odd);
        pasts.for_each(|past| past.0.fill(0.0));
        if let Some(held) = self.held.as_mut() {
            held.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::registry;

    fn run(name: &str, input: &[f32], block: usize) -> Vec<f32> {
        let mut node = registry().create(name).unwrap();
        node.init(48_000.0, 1024).unwrap();
        let mut out = [vec![0.0; input.len()], vec![0.0; input.len()]];
        for start in (0..input.len()).step_by(block) {
            let end = (start + block).min(input.len());
            let [left, right] = &mut out;
            let frames = &input[start..end];
            node.process(
                &[frames, frames],
                &mut [&mut left[start..end], &mut right[start..end]],
            );
        }
        out[0].clone()
    }

    #[test]
    fn what_a_transparent_node_does_is_a_delay_as_declared() {
        for factor in [2, 4, 8] {
            let name = format!("gain@{factor}");
            let latency = registry().create(&name).unwrap().info().latency as usize;
            for frequency in [100.0, 1_000.0, 10_000.0, 20_000.0] {
                let tone = |n: f64| (std::f64::consts::TAU * frequency * n / 48_000.0).sin();
                let input: Vec<f32> = (0..3000).map(|n| tone(f64::from(n)) as f32).collect();
                let output = run(&name, &input, 64);
                for (n, x) in output.iter().enumerate().skip(1000) {
                    let error = f64::from(*x) - tone(n as f64 - latency as f64);
                    assert!(error.abs() < 5e-5, "{name}, {frequency} Hz, {n}: {error}");
                }
                for block in [1, 7, 1000] {
                    assert!(run(&name, &input, block) == output, "{name} in {block}");
                }
            }
        }
        assert!(registry().create("gain@3").is_err());
    }

    #[test]
    fn a_tone_stays_in_phase_with_the_declared_latency() {
        let mut node = registry().create("tone_pair@4").unwrap();
        node.init(48_000.0, 64).unwrap();
        let latency = f64::from(node.info().latency);
        let mut out = [vec![0.0; 4800], vec![0.0; 4800]];
        let increment = crate::dsp::phase::increment(1000.0, 48_000.0) as u64;
        for start in (0..4800).step_by(32) {
            node.set_phase(0, increment.wrapping_mul(start as u64), increment, 0);
            let [left, right] = &mut out;
            node.process(
                &[],
                &mut [&mut left[start..start + 32], &mut right[start..start + 32]],
            );
        }
        for (n, x) in out[0].iter().enumerate().skip(1000) {
            let turns = 1000.0 * (n as f64 - latency) / 48_000.0;
            let error = f64::from(*x) - (std::f64::consts::TAU * turns).sin();
            assert!(error.abs() < 3e-5, "{n}: {error}");
        }
    }

    #[test]
    fn what_is_above_the_band_does_not_fold() {
        // A cube of a tone of 10 kHz has a part at 30 kHz, which folds to 18 kHz where it may.
        struct Cube(NodeInfo);
        impl Node for Cube {
            fn info(&self) -> &NodeInfo {
                &self.0
            }
            fn init(&mut self, _: f64, _: usize) -> Result<(), NodeError> {
                Ok(())
            }
            fn reset(&mut self) {}
            fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
                for (output, input) in outputs[0].iter_mut().zip(inputs[0]) {
                    *output = input * input * input;
                }
            }
            fn set_param(&mut self, _: usize, _: f64) {}
            fn get_param(&self, _: usize) -> f64 {
                0.0
            }
        }
        let mut info = registry().info("gain").unwrap().clone();
        (info.inputs, info.outputs) = (1, 1);
        let mut node = oversampled(Box::new(Cube(info)), 2).unwrap();
        node.init(48_000.0, 64).unwrap();
        let input: Vec<f32> = (0..9600)
            .map(|n| (std::f64::consts::TAU * 10_000.0 * f64::from(n) / 48_000.0).sin() as f32)
            .collect();
        let mut output = vec![0.0; 9600];
        node.process(&[&input], &mut [&mut output]);
        let (mut re, mut im) = (0.0, 0.0);
        for (n, x) in output[4800..].iter().enumerate() {
            let (sin, cos) = (std::f64::consts::TAU * 18_000.0 * n as f64 / 48_000.0).sin_cos();
            re += f64::from(*x) * cos / 2400.0;
            im += f64::from(*x) * sin / 2400.0;
        }
        let level = 20.0 * f64::hypot(re, im).log10();
        assert!(level < -95.0, "{level} dB");
    }
}
