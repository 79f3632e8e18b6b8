//! mix: a crossfade between two stereo signals.

use super::{Node, NodeError, NodeInfo, ParamInfo, accepted, parse_groups};
use crate::dsp::ramp::{Ramp, Shape};

/// Positions of the parameters.
pub mod param {
    /// 0: only a, 1: only b.
    pub const MIX: usize = 0;
    /// Travelling time in seconds of the next change.
    pub const GLIDE: usize = 1;
}

/// The node.
pub struct Mix {
    info: NodeInfo,
    values: [f64; 2],
    ramp: Ramp,
    rate: f64,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let info = NodeInfo {
        name: "mix".to_owned(),
        language: "rust".to_owned(),
        help: "Crossfade of two stereo signals; the ends pass one of them bit for bit.".to_owned(),
        inputs: 4,
        outputs: 2,
        input_groups: parse_groups("a: stereo, b: stereo", 4, "in").unwrap_or_default(),
        output_groups: parse_groups("program: stereo", 2, "out").unwrap_or_default(),
        latency: 0,
        phases: Vec::new(),
        params: vec![
            ParamInfo::number(
                "mix",
                "",
                0.0..=1.0,
                0.0,
                "0 is a, 1 is b, with equal gain in between",
            ),
            ParamInfo::number(
                "glide",
                "s",
                0.0..=60.0,
                0.02,
                "Time of the next change, as a raised cosine; 0 steps",
            ),
        ],
    };
    Box::new(Mix {
        info,
        values: [0.0, 0.02],
        ramp: Ramp::new(0.0),
        rate: 48_000.0,
    })
}

impl Node for Mix {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.rate = sample_rate;
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.ramp.jump(self.values[param::MIX]);
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let ([a_left, a_right, b_left, b_right], [left, right]) = (inputs, outputs) else {
            return;
        };
        if self.ramp.is_still() && matches!(self.ramp.target(), 0.0 | 1.0) {
            let only_b = self.ramp.target() == 1.0;
            left.copy_from_slice(if only_b { b_left } else { a_left });
            right.copy_from_slice(if only_b { b_right } else { a_right });
            return;
        }
        let blend = |a: f32, b: f32, share: f64| {
            if share == 1.0 {
                // Not a sum with nothing: that would turn -0 into 0.
                b
            } else {
                (f64::from(a) * (1.0 - share) + f64::from(b) * share) as f32
            }
        };
        for i in 0..a_left.len() {
            let share = self.ramp.step();
            left[i] = blend(a_left[i], b_left[i], share);
            right[i] = blend(a_right[i], b_right[i], share);
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        self.values[index] = value;
        if index == param::MIX {
            let frames = (self.values[param::GLIDE] * self.rate).round() as u64;
            self.ramp.travel(value, frames, Shape::RaisedCosine);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }
}
