//! pink: shapes white noise to -3 dB per octave (`dsp/pink.rs`).

use super::{Node, NodeError, NodeInfo};
use crate::dsp::pink::{Ear, Tilt, shape};

/// The node.
pub struct Pink {
    info: NodeInfo,
    tilt: Tilt,
    ears: [Ear; 2],
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let info = NodeInfo::rust(
        "pink",
        "Shapes white noise to pink: -3 dB per octave from 20 Hz on.",
        "program: stereo",
        "program: stereo",
    );
    Box::new(Pink {
        info,
        tilt: Tilt::new(48_000.0),
        ears: [Ear::default(); 2],
    })
}

impl Node for Pink {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.tilt = Tilt::new(sample_rate);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.ears = [Ear::default(); 2];
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        for ((ear, input), output) in self.ears.iter_mut().zip(inputs).zip(outputs) {
            shape(ear, &self.tilt, input, output);
        }
    }

    fn set_param(&mut self, _index: usize, _value: f64) {}

    fn get_param(&self, _index: usize) -> f64 {
        0.0
    }
}
