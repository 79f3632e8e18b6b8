//! gain: a stereo level that travels smoothly to where it is set.

use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted};
use crate::dsp::level::db_to_gain;
use crate::dsp::ramp::{Ramp, Shape};

/// Decibels at and below which the gain is silence.
pub const SILENCE: f64 = -160.0;

/// Positions of the parameters.
pub mod param {
    /// Gain in dB.
    pub const GAIN: usize = 0;
    /// Travelling time in seconds of the next change of gain.
    pub const GLIDE: usize = 1;
    /// 0: raised cosine, 1: straight line of the factor.
    pub const SHAPE: usize = 2;
}

/// The node.
pub struct Gain {
    info: NodeInfo,
    values: [f64; 3],
    ramp: Ramp,
    rate: f64,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let info = NodeInfo {
        params: vec![
            ParamInfo::number(
                "gain",
                "dB",
                SILENCE..=40.0,
                0.0,
                "Gain; -160 dB is silence",
            ),
            ParamInfo::number(
                "glide",
                "s",
                0.0..=60.0,
                0.02,
                "Time of the next change of gain; 0 steps",
            ),
            ParamInfo {
                kind: ParamKind::Switch,
                ..ParamInfo::number(
                    "line",
                    "",
                    0.0..=1.0,
                    0.0,
                    "Travel in a straight line, not a raised cosine",
                )
            },
        ],
        ..NodeInfo::rust(
            "gain",
            "Stereo gain that travels to its value; 0 dB passes the signal bit for bit.",
            "program: stereo",
            "program: stereo",
        )
    };
    let values = [
        info.params[0].default,
        info.params[1].default,
        info.params[2].default,
    ];
    Box::new(Gain {
        info,
        values,
        ramp: Ramp::new(1.0),
        rate: 48_000.0,
    })
}

fn factor(db: f64) -> f64 {
    if db <= SILENCE { 0.0 } else { db_to_gain(db) }
}

impl Node for Gain {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.rate = sample_rate;
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.ramp.jump(factor(self.values[param::GAIN]));
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let ([left, right], [out_left, out_right]) = (inputs, outputs) else {
            return;
        };
        if self.ramp.is_still() {
            let gain = self.ramp.target();
            for (input, output) in [(left, out_left), (right, out_right)] {
                if gain == 1.0 {
                    output.copy_from_slice(input);
                } else {
                    for (x, y) in input.iter().zip(output.iter_mut()) {
                        *y = (f64::from(*x) * gain) as f32;
                    }
                }
            }
            return;
        }
        for i in 0..left.len() {
            let gain = self.ramp.step();
            out_left[i] = (f64::from(left[i]) * gain) as f32;
            out_right[i] = (f64::from(right[i]) * gain) as f32;
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        self.values[index] = value;
        if index == param::GAIN {
            let frames = (self.values[param::GLIDE] * self.rate).round() as u64;
            let shape = if self.values[param::SHAPE] >= 0.5 {
                Shape::Line
            } else {
                Shape::RaisedCosine
            };
            self.ramp.travel(factor(value), frames, shape);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }

    fn passes(&self) -> bool {
        self.ramp.is_still() && self.ramp.target() == 1.0
    }
}
