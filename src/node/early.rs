//! early: the first reflections of a room on an ambisonic bus, and sends to its late part.
//!
//! Directions are the room's: the head's rotation is applied to the bus. The direct sound is not in it, and nothing
//! comes before that: with the onset of 32 frames that a decoder gives the bus, reflections come as much later than the
//! direct sound as their ways are longer.

use super::hrtf::{SOURCES, movement, target};
use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted};
use crate::dsp::room::{Reflections, Room};

/// Positions of the parameters.
pub mod param {
    /// Share of the room: 0 is exact silence.
    pub const LEVEL: usize = 0;
    /// Longest edge in metres.
    pub const SIZE: usize = 1;
    /// Seconds.
    pub const DECAY: usize = 2;
    /// Order of the bus.
    pub const ORDER: usize = 3;
    /// 1: places move smoothly however far they are; 0: steps of over 5 degrees are fades.
    pub const MOTION: usize = 4;
    /// The first of four for each source: azimuth, elevation, distance, gain.
    pub const PLACES: usize = 5;
}

/// The node.
pub struct Early {
    info: NodeInfo,
    values: Vec<f64>,
    reflections: Option<Reflections>,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let mut params = vec![
        ParamInfo::number(
            "level",
            "",
            0.0..=1.0,
            1.0,
            "Share of the room; 0 is exact silence",
        ),
        ParamInfo::number("size", "m", 2.0..=30.0, 6.0, "Longest edge of the room"),
        ParamInfo::number(
            "decay",
            "s",
            0.1..=5.0,
            0.4,
            "Time in which low and middle frequencies decay by 60 dB",
        ),
        ParamInfo::number("order", "", 1.0..=7.0, 3.0, "Ambisonic order of the bus"),
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
    let info = NodeInfo {
        params,
        ..NodeInfo::rust(
            "early",
            "First reflections of a room on an ambisonic bus, and sends to its late part.",
            super::hrtf::GROUPS,
            "bus: ambisonic 7, late: 4",
        )
    };
    Box::new(Early {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        reflections: None,
    })
}

impl Early {
    fn room(&self) -> Room {
        Room {
            size: self.values[param::SIZE],
            decay: self.values[param::DECAY],
        }
    }

    fn order(&self) -> usize {
        self.values[param::ORDER].round() as usize
    }

    fn place(&mut self, source: usize) {
        let first = param::PLACES + 4 * source;
        let how = movement(self.values[param::MOTION]);
        if let Some(reflections) = self.reflections.as_mut() {
            reflections.set_target(source, target(&self.values[first..first + 4]), how);
        }
    }

    fn place_all(&mut self) {
        for source in 0..SOURCES {
            self.place(source);
        }
    }
}

impl Node for Early {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        let mut reflections = Reflections::new(sample_rate, SOURCES, self.room(), self.order());
        reflections.set_level(self.values[param::LEVEL]);
        self.reflections = Some(reflections);
        self.place_all();
        Ok(())
    }

    fn reset(&mut self) {
        if let Some(reflections) = self.reflections.as_mut() {
            reflections.reset();
        }
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        match self.reflections.as_mut() {
            Some(reflections) => reflections.process(inputs, outputs),
            None => outputs.iter_mut().for_each(|output| output.fill(0.0)),
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        if self.values[index] == value {
            return;
        }
        self.values[index] = value;
        let (room, order) = (self.room(), self.order());
        if let Some(reflections) = self.reflections.as_mut() {
            match index {
                param::LEVEL => reflections.set_level(value),
                param::SIZE | param::DECAY => reflections.set_room(room),
                param::ORDER => reflections.set_order(order),
                _ => {}
            }
        }
        if index == param::MOTION {
            self.place_all();
        } else if let Some(place) = index.checked_sub(param::PLACES) {
            self.place(place / 4);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }
}
