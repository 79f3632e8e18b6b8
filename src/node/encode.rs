//! encode: sources to an ambisonic bus, without latency.
//!
//! It has the sources of the node hrtf, at places in the same parameters, so that an engine can drive either. What is
//! asked for when a quantum of 32 frames begins is reached at its end.

use super::hrtf::{movement, target};
use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted};
use crate::dsp::ambisonics::Encoder;

/// Sources: two virtual speakers, and two sides for each of four layers.
pub const SOURCES: usize = super::hrtf::SOURCES;

/// Positions of the parameters.
pub mod param {
    /// 1 to 7.
    pub const ORDER: usize = 0;
    /// 1: places move smoothly however far they are; 0: steps of over 5 degrees are fades.
    pub const MOTION: usize = 1;
    /// The first of four for each source: azimuth, elevation, distance, gain.
    pub const PLACES: usize = 2;
}

/// The node.
struct Encode {
    info: NodeInfo,
    values: Vec<f64>,
    encoder: Encoder,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let mut params = vec![
        ParamInfo {
            step: 1.0,
            ..ParamInfo::number(
                "order",
                "",
                1.0..=7.0,
                3.0,
                "Of what is encoded; another fades in",
            )
        },
        ParamInfo {
            kind: ParamKind::Switch,
            ..ParamInfo::number(
                "motion",
                "",
                0.0..=1.0,
                0.0,
                "Places move, however far; off: far steps fade",
            )
        },
    ];
    params.extend(super::hrtf::places());
    let inputs = format!("{}, bus: ambisonic 7", super::hrtf::GROUPS);
    let info = NodeInfo {
        params,
        ..NodeInfo::rust(
            "encode",
            "Sources in space to an ambisonic bus (ACN, SN3D), and another bus added to it.",
            &inputs,
            "bus: ambisonic 7",
        )
    };
    Box::new(Encode {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        encoder: Encoder::new(48_000.0, SOURCES),
    })
}

impl Encode {
    fn place(&mut self, source: usize) {
        let first = param::PLACES + 4 * source;
        let how = movement(self.values[param::MOTION]);
        let target = target(&self.values[first..first + 4]);
        self.encoder.set_target(source, target, how);
    }

    fn place_all(&mut self) {
        self.encoder
            .set_order(self.values[param::ORDER].round() as usize);
        for source in 0..SOURCES {
            self.place(source);
        }
    }
}

impl Node for Encode {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.encoder = Encoder::new(sample_rate, SOURCES);
        self.place_all();
        Ok(())
    }

    fn reset(&mut self) {
        self.encoder.reset();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        if let Some((sources, bus)) = inputs.split_at_checked(SOURCES) {
            self.encoder.process(sources, bus, outputs);
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        if std::mem::replace(&mut self.values[index], value) == value {
            return;
        }
        match index.checked_sub(param::PLACES) {
            None => self.place_all(),
            Some(place) => self.place(place / 4),
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }
}
