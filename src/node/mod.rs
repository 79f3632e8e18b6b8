//! The node: one contract for processors written in Faust, C++ and Rust.
//!
//! A node turns N mono signals of 32-bit floats into M. Its channels are bundled in named groups, its
//! parameters are f64, and phases reach it as 64-bit fractions of a cycle. The same contract as a C ABI is
//! `cpp/node.h`; [`foreign`] adapts it. [`registry()`] lists the built-in nodes.

pub mod bus_in;
pub mod decode;
pub mod early;
pub mod encode;
pub mod foreign;
pub mod gain;
pub mod hrtf;
pub mod insert;
pub mod leveller;
mod macros;
mod many;
pub mod mix;
mod mover;
pub mod noise;
pub mod oversample;
pub mod pink;
mod registry;
pub mod supply;
pub mod tone_pair;
mod tripped;
pub mod wave_pair;

pub use macros::{MACROS, Macro};
pub use mover::{MidiKind, MidiMover, Mover};
pub use registry::{Registry, registry};
pub use tripped::Tripped;

use crate::text::Instead;
use std::fmt;
use std::path::PathBuf;

/// The most parameters of a node from outside; `faust/node.cpp` has the same bound.
pub(crate) const MAX_PARAMS: usize = 256;

/// The most channels a node may have on one side: two ambisonic buses of order 7.
pub const MAX_CHANNELS: usize = 128;

/// How a control travels between its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamScale {
    /// Proportional.
    Linear,
    /// Equal ratios for equal distances.
    Log,
    /// The inverse of `Log`.
    Exp,
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParamKind {
    /// A number in its range.
    Number,
    /// 1 while pressed.
    Button,
    /// 0 or 1.
    Switch,
    /// Written by the node; it cannot be set.
    Readout,
}

/// One parameter of a node.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ParamInfo {
    /// Unique within the node.
    pub name: String,
    /// Unit as displayed ("Hz", "dB"); empty for none.
    pub unit: String,
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// Value of a new instance.
    pub default: f64,
    /// Smallest sensible change.
    pub step: f64,
    /// Scale of a control.
    pub scale: ParamScale,
    /// What it is.
    pub kind: ParamKind,
    /// One line of help.
    pub help: String,
    /// What moves it from outside, where it is in an insert.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub movers: Vec<Mover>,
}

impl ParamInfo {
    /// A number of a Rust node, with linear scale.
    pub(crate) fn number(
        name: &str,
        unit: &str,
        range: std::ops::RangeInclusive<f64>,
        default: f64,
        help: &str,
    ) -> ParamInfo {
        ParamInfo {
            name: name.to_owned(),
            unit: unit.to_owned(),
            min: *range.start(),
            max: *range.end(),
            default,
            step: 0.0,
            scale: ParamScale::Linear,
            kind: ParamKind::Number,
            help: help.to_owned(),
            movers: Vec::new(),
        }
    }
}

/// A named run of channels.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Group {
    /// Name, unique on its side.
    pub name: String,
    /// "mono", "stereo", "ambisonic N" or a number of channels.
    pub format: String,
    /// First channel.
    pub first: usize,
    /// Number of channels.
    pub channels: usize,
}

/// A phase input: receives the phase of a clock.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PhaseInfo {
    /// Name.
    pub name: String,
    /// Frequency in hertz that drives it where nothing else does.
    pub frequency: f64,
}

/// What a node is, before it runs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NodeInfo {
    /// Name in the registry.
    pub name: String,
    /// "faust", "c++" or "rust".
    pub language: String,
    /// One line of help.
    pub help: String,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Input channels by name.
    pub input_groups: Vec<Group>,
    /// Output channels by name.
    pub output_groups: Vec<Group>,
    /// Delay in frames; 0 for built-in nodes.
    pub latency: u32,
    /// Phase inputs.
    pub phases: Vec<PhaseInfo>,
    /// Parameters.
    pub params: Vec<ParamInfo>,
}

impl NodeInfo {
    /// A Rust node without latency, phases and parameters; its groups as [`parse_groups`] reads them.
    pub(crate) fn rust(name: &str, help: &str, inputs: &str, outputs: &str) -> NodeInfo {
        let side = |text: &str| {
            let formats = text.split(',').filter_map(|part| part.split_once(':'));
            let widths = formats.filter_map(|(_, format)| group_width(format.trim()));
            parse_groups(text, widths.sum(), "").unwrap_or_default()
        };
        let (input_groups, output_groups) = (side(inputs), side(outputs));
        let width = |groups: &[Group]| groups.iter().map(|group| group.channels).sum();
        NodeInfo {
            name: name.to_owned(),
            language: "rust".to_owned(),
            help: help.to_owned(),
            inputs: width(&input_groups),
            outputs: width(&output_groups),
            input_groups,
            output_groups,
            latency: 0,
            phases: Vec::new(),
            params: Vec::new(),
        }
    }

    /// The position of a parameter.
    pub fn param(&self, name: &str) -> Option<usize> {
        self.params.iter().position(|param| param.name == name)
    }

    /// The position of a phase input.
    pub fn phase(&self, name: &str) -> Option<usize> {
        self.phases.iter().position(|phase| phase.name == name)
    }
}

/// Why a node could not be made or prepared.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeError {
    /// No node of that name.
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is instead.
        instead: Instead,
    },
    /// The descriptor of a foreign node breaks the contract.
    Descriptor {
        /// The node.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A library could not be opened as a node.
    Open {
        /// The library.
        path: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// No memory.
    Memory {
        /// The node.
        name: String,
    },
    /// It cannot run at this rate or block length.
    Init {
        /// The node.
        name: String,
        /// Its own words.
        reason: String,
    },
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::Unknown { name, instead } => {
                write!(f, "there is no node \"{name}\"{instead}")
            }
            NodeError::Descriptor { name, problem } => {
                write!(f, "the node \"{name}\" breaks the node contract: {problem}")
            }
            NodeError::Open { path, reason } => {
                write!(f, "{}: it holds no node: {reason}", path.display())
            }
            NodeError::Memory { name } => {
                write!(f, "there is not enough memory for the node \"{name}\"")
            }
            NodeError::Init { name, reason } => {
                write!(f, "the node \"{name}\" cannot run: {reason}")
            }
        }
    }
}

impl std::error::Error for NodeError {}

/// A processor.
///
/// `init` and dropping may allocate; everything else runs on the audio thread and must not allocate, free,
/// lock, wait, print or panic. How a signal is cut into blocks must not change a bit of the output.
pub trait Node: Send {
    /// What it is.
    fn info(&self) -> &NodeInfo;

    /// Prepares for a rate in hertz and blocks of up to `max_frames`. Parameters keep their values.
    ///
    /// # Errors
    /// [`NodeError::Init`] where the node cannot run so.
    fn init(&mut self, sample_rate: f64, max_frames: usize) -> Result<(), NodeError>;

    /// Back to the state after `init`; parameters keep their values.
    fn reset(&mut self);

    /// Processes one block: `inputs` and `outputs` hold as many channels as [`NodeInfo`] says, each of the
    /// same number of frames, any from 0 to `max_frames`.
    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]);

    /// As [`Node::process`], but output i is written over input i; `signals` holds the larger number of
    /// channels. Only foreign nodes can be asked for this, which their ABI allows; Rust's types rule
    /// shared buffers out, and others return `false` and do nothing.
    fn process_in_place(&mut self, _signals: &mut [&mut [f32]]) -> bool {
        false
    }

    /// Sets a parameter: clamped into its range; not finite is ignored; so are readouts.
    fn set_param(&mut self, index: usize, value: f64);

    /// A parameter's value; 0 where there is none of that index.
    fn get_param(&self, index: usize) -> f64;

    /// Frame k after this call, until the next, has the phase `phase + k increment + k (k - 1) / 2 sweep`,
    /// modulo 2^64, which is one cycle. It is called at fixed places of the stream (events and the
    /// engine's quantum), never because a block ends.
    fn set_phase(&mut self, _index: usize, _phase: u64, _increment: u64, _sweep: i64) {}

    /// Whether all it does from the next frame on, until it is set or reset, is to hand its inputs on bit for bit,
    /// without remembering any of it: a graph then leaves it out.
    fn passes(&self) -> bool {
        false
    }
}

/// Clamps a value into a parameter's range; `None` where it is to be ignored.
pub(crate) fn accepted(param: Option<&ParamInfo>, value: f64) -> Option<f64> {
    let param = param?;
    if !value.is_finite() || param.kind == ParamKind::Readout {
        return None;
    }
    let value = value.clamp(param.min, param.max);
    Some(match param.kind {
        ParamKind::Button | ParamKind::Switch => f64::from(value >= 0.5),
        _ => value,
    })
}

/// Reads "program: stereo, key: mono, bed: ambisonic 3"; an empty text is one group of all channels.
///
/// # Errors
/// What is wrong, when the text cannot be read or does not add up to `channels`.
pub(crate) fn parse_groups(text: &str, channels: usize, side: &str) -> Result<Vec<Group>, String> {
    let mut groups: Vec<Group> = Vec::new();
    if text.trim().is_empty() {
        if channels > 0 {
            groups.push(Group {
                name: side.to_owned(),
                format: match channels {
                    1 => "mono".to_owned(),
                    2 => "stereo".to_owned(),
                    n => n.to_string(),
                },
                first: 0,
                channels,
            });
        }
        return Ok(groups);
    }
    let mut first = 0;
    for part in text.split(',') {
        let (name, format) = part
            .split_once(':')
            .map(|(name, format)| (name.trim(), format.trim()))
            .ok_or_else(|| format!("\"{}\" is not \"name: format\"", part.trim()))?;
        let width = group_width(format).ok_or_else(|| {
            format!("\"{format}\" is not mono, stereo, ambisonic 1-7 or a number")
        })?;
        if name.is_empty() || groups.iter().any(|group| group.name == name) {
            return Err(format!("the group name \"{name}\" is empty or used twice"));
        }
        groups.push(Group {
            name: name.to_owned(),
            format: format.to_owned(),
            first,
            channels: width,
        });
        first += width;
    }
    if first == channels {
        Ok(groups)
    } else {
        Err(format!(
            "its groups \"{text}\" have {first} channels, the node has {channels}"
        ))
    }
}

fn group_width(format: &str) -> Option<usize> {
    match format {
        "mono" => Some(1),
        "stereo" => Some(2),
        _ => match format.strip_prefix("ambisonic") {
            Some(order) => match order.trim().parse::<usize>() {
                Ok(order @ 1..=7) => Some((order + 1) * (order + 1)),
                _ => None,
            },
            None => format
                .parse()
                .ok()
                .filter(|n| (1..=MAX_CHANNELS).contains(n)),
        },
    }
}

/// Reads "left:245, right:255"; an empty text is none.
///
/// # Errors
/// What is wrong.
pub(crate) fn parse_phases(text: &str) -> Result<Vec<PhaseInfo>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, frequency) = part
                .split_once(':')
                .ok_or_else(|| format!("\"{part}\" is not \"name: hertz\""))?;
            match frequency.trim().parse::<f64>() {
                Ok(frequency) if frequency.is_finite() => Ok(PhaseInfo {
                    name: name.trim().to_owned(),
                    frequency,
                }),
                _ => Err(format!("\"{}\" is not a frequency", frequency.trim())),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_and_must_add_up() {
        let groups = parse_groups("a: stereo, bed: ambisonic 3, key: mono", 19, "in").unwrap();
        assert_eq!(groups[1].first, 2);
        assert_eq!(groups[1].channels, 16);
        assert_eq!(groups[2].first, 18);
        assert!(
            parse_groups("a: stereo", 3, "in")
                .unwrap_err()
                .contains("2 channels")
        );
        assert!(
            parse_groups("a: quad", 4, "in")
                .unwrap_err()
                .contains("quad")
        );
        assert!(parse_groups("a: mono, a: mono", 2, "in").is_err());
        assert_eq!(parse_groups("", 0, "in").unwrap(), vec![]);
    }

    #[test]
    fn phases_are_read() {
        let phases = parse_phases("left:245, right: 255.5").unwrap();
        assert_eq!(phases[1].name, "right");
        assert_eq!(phases[1].frequency, 255.5);
        assert!(parse_phases("").unwrap().is_empty());
        assert!(parse_phases("left").is_err());
        assert!(parse_phases("left:x").is_err());
    }
}
