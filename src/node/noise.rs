//! noise: white noise in stereo, computed from a seed and a position instead of remembered.

use super::{Node, NodeError, NodeInfo, ParamInfo, PhaseInfo, accepted};
use crate::dsp::noise::{Mixture, fill};

/// Positions of the parameters.
pub mod param {
    /// Which noise.
    pub const SEED: usize = 0;
    /// Which of independent noises of one seed.
    pub const STREAM: usize = 1;
    /// 0: both ears the same, 1: independent.
    pub const WIDTH: usize = 2;
}

/// The node. Its phase input is the position in frames: a call with increment 1 says which frame comes
/// next, any other leaves it to count from its reset.
pub struct Noise {
    info: NodeInfo,
    values: [f64; 3],
    mixture: Mixture,
    position: u64,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let info = NodeInfo {
        phases: vec![PhaseInfo {
            name: "position".to_owned(),
            frequency: 0.0,
        }],
        params: vec![
            ParamInfo::number("seed", "", 0.0..=65_535.0, 1.0, "Which noise"),
            ParamInfo::number(
                "stream",
                "",
                0.0..=255.0,
                0.0,
                "Which of the independent noises of one seed",
            ),
            ParamInfo::number(
                "width",
                "",
                0.0..=1.0,
                1.0,
                "0 is the same noise in both ears, 1 independent noises",
            ),
        ],
        ..NodeInfo::rust(
            "noise",
            "White noise of 0 dBFS RMS in each ear; the same position gives the same sample.",
            "",
            "noise: stereo",
        )
    };
    let values = [1.0, 0.0, 1.0];
    Box::new(Noise {
        info,
        values,
        mixture: Mixture::new(values),
        position: 0,
    })
}

impl Node for Noise {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, _sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.position = 0;
    }

    fn process(&mut self, _inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [left, right] = outputs else {
            return;
        };
        fill(&self.mixture, self.position, left, right);
        self.position = self.position.wrapping_add(left.len() as u64);
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if let Some(value) = accepted(self.info.params.get(index), value) {
            self.values[index] = if index == param::WIDTH {
                value
            } else {
                value.round()
            };
            self.mixture = Mixture::new(self.values);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, _sweep: i64) {
        if index == 0 && increment == 1 {
            self.position = phase;
        }
    }
}
