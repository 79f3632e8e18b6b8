//! bus_in: an ambisonic bus in another format, made ACN and SN3D.

use super::{Node, NodeError, NodeInfo, ParamInfo, accepted};
use crate::dsp::ambisonics::{Format, Input};

/// Positions of the parameters.
pub mod param {
    /// 0 SN3D, 1 N3D, 2 FuMa.
    pub const FORMAT: usize = 0;
}

/// The node.
struct BusIn {
    info: NodeInfo,
    format: f64,
    input: Input,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let format = ParamInfo {
        step: 1.0,
        ..ParamInfo::number(
            "format",
            "",
            0.0..=2.0,
            0.0,
            "0 is ACN SN3D (AmbiX), 1 ACN N3D, 2 FuMa (to order 3); a change fades",
        )
    };
    Box::new(BusIn {
        info: NodeInfo {
            params: vec![format],
            ..NodeInfo::rust(
                "bus_in",
                "An ambisonic bus of another format, made ACN SN3D.",
                "bus: ambisonic 7",
                "bus: ambisonic 7",
            )
        },
        format: 0.0,
        input: Input::new(48_000.0),
    })
}

impl BusIn {
    fn tell(&mut self) {
        let format = Format::ALL.get(self.format.round() as usize);
        self.input.set_format(format.copied().unwrap_or_default());
    }
}

impl Node for BusIn {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.input = Input::new(sample_rate);
        self.tell();
        Ok(())
    }

    fn reset(&mut self) {
        self.input.reset();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        self.input.process(inputs, outputs);
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if let Some(value) = accepted(self.info.params.get(index), value) {
            self.format = value;
            self.tell();
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        if index == param::FORMAT {
            self.format
        } else {
            0.0
        }
    }
}
