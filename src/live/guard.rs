//! A node that stands between a user's node and the sound: what is not finite never leaves.

use crate::node::{Node, NodeError, NodeInfo, Tripped};
/// Runs a node until a sample of it is not finite; from that frame on it is silent until it is reset.
pub(super) struct Guard {
    node: Box<dyn Node>,
    tripped: Tripped,
}

impl Guard {
    pub fn new(node: Box<dyn Node>) -> (Guard, Tripped) {
        let tripped = Tripped::default();
        let guard = Guard {
            node,
            tripped: tripped.clone(),
        };
        (guard, tripped)
    }

    /// Silences the outputs from the first frame on that is not finite.
    fn watch(&self, outputs: &mut [&mut [f32]]) {
        let first = outputs
            .iter()
            // What is not finite stays so when it is multiplied by 0, and makes the sum so.
            .filter(|channel| !channel.iter().map(|x| x * 0.0).sum::<f32>().is_finite())
            .filter_map(|channel| channel.iter().position(|x| !x.is_finite()))
            .min();
        if let Some(first) = first {
            self.tripped.set(true);
            for channel in outputs {
                channel.iter_mut().skip(first).for_each(|x| *x = 0.0);
            }
        }
    }
}

impl Node for Guard {
    fn info(&self) -> &NodeInfo {
        self.node.info()
    }

    fn init(&mut self, sample_rate: f64, max_frames: usize) -> Result<(), NodeError> {
        self.tripped.set(false);
        self.node.init(sample_rate, max_frames)
    }

    fn reset(&mut self) {
        self.tripped.set(false);
        self.node.reset();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        if self.tripped.is_set() {
            outputs.iter_mut().for_each(|channel| channel.fill(0.0));
            return;
        }
        self.node.process(inputs, outputs);
        self.watch(outputs);
    }

    fn set_param(&mut self, index: usize, value: f64) {
        self.node.set_param(index, value);
    }

    fn get_param(&self, index: usize) -> f64 {
        self.node.get_param(index)
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        self.node.set_phase(index, phase, increment, sweep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::registry;

    #[test]
    fn what_is_not_finite_ends_at_its_frame_whatever_the_blocks() {
        for block in [1, 3, 8, 20] {
            let (mut guard, tripped) = Guard::new(registry().create("gain").unwrap());
            guard.init(48_000.0, 64).unwrap();
            let mut input = [0.5f32; 20];
            input[11] = f32::NAN;
            let mut out = [[0.0f32; 20]; 2];
            for start in (0..20).step_by(block) {
                let end = (start + block).min(20);
                let [left, right] = &mut out;
                let quiet = [0.25f32; 20];
                guard.process(
                    &[&quiet[start..end], &input[start..end]],
                    &mut [&mut left[start..end], &mut right[start..end]],
                );
            }
            assert!(out[0][..11].iter().all(|x| *x == 0.25), "{block}");
            assert!(out[1][..11].iter().all(|x| *x == 0.5), "{block}");
            assert!(
                out.iter()
                    .all(|channel| channel[11..].iter().all(|x| *x == 0.0))
            );
            assert!(tripped.is_set());
            guard.reset();
            assert!(!tripped.is_set());
        }
    }
}
