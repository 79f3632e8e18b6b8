//! mix: a crossfade between two signals, stereo or a bus.

use super::{Group, Node, NodeError, NodeInfo, ParamInfo, accepted};
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

/// Makes a stereo one.
pub fn create() -> Box<dyn Node> {
    wide(2)
}

/// Makes one for two signals of so many channels.
pub fn wide(channels: usize) -> Box<dyn Node> {
    let format = match channels {
        2 => "stereo".to_owned(),
        _ => channels.to_string(),
    };
    let group = |name: &str, first| Group {
        name: name.to_owned(),
        format: format.clone(),
        first,
        channels,
    };
    let info = NodeInfo {
        name: "mix".to_owned(),
        language: "rust".to_owned(),
        help: "Crossfade of two signals; the ends pass one of them bit for bit.".to_owned(),
        inputs: 2 * channels,
        outputs: channels,
        input_groups: vec![group("a", 0), group("b", channels)],
        output_groups: vec![group("program", 0)],
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
        let (a, b) = inputs.split_at(inputs.len() / 2);
        if self.ramp.is_still() && matches!(self.ramp.target(), 0.0 | 1.0) {
            let only = if self.ramp.target() == 1.0 { b } else { a };
            for (input, output) in only.iter().zip(outputs) {
                output.copy_from_slice(input);
            }
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
        for i in 0..a.first().map_or(0, |channel| channel.len()) {
            let share = self.ramp.step();
            for (output, (a, b)) in outputs.iter_mut().zip(a.iter().zip(b)) {
                output[i] = blend(a[i], b[i], share);
            }
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
