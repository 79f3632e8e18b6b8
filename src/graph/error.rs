//! What can be wrong with a graph: every message names the culprit.

use crate::node::{NodeError, NodeInfo, ParamKind};
use crate::text::{Instead, instead};
use std::fmt;

/// Why a graph was refused.
#[derive(Debug, Clone, PartialEq)]
pub enum GraphError {
    /// A name cannot be used.
    Name {
        /// The name.
        name: String,
        /// Why not.
        problem: &'static str,
    },
    /// No node of that name in the graph.
    UnknownNode {
        /// What was asked for.
        name: String,
        /// What the graph has instead.
        instead: Instead,
    },
    /// A node has no such group.
    UnknownGroup {
        /// The node.
        node: String,
        /// What was asked for.
        group: String,
        /// What it has.
        groups: Vec<String>,
    },
    /// A node has no such parameter.
    UnknownParam {
        /// The node.
        node: String,
        /// What was asked for.
        param: String,
        /// What it has instead.
        instead: Instead,
    },
    /// A value outside a parameter's range.
    Value {
        /// The node.
        node: String,
        /// The parameter.
        param: String,
        /// The value.
        value: f64,
        /// Lowest value.
        min: f64,
        /// Highest value.
        max: f64,
    },
    /// A readout cannot be set.
    Readout {
        /// The node.
        node: String,
        /// The parameter.
        param: String,
    },
    /// The two ends of a connection have different widths.
    Channels {
        /// Source.
        from: String,
        /// Its channels.
        from_channels: usize,
        /// Target.
        to: String,
        /// Its channels.
        to_channels: usize,
    },
    /// There is no such connection.
    NotConnected {
        /// Source.
        from: String,
        /// Target.
        to: String,
    },
    /// A graph cannot take the place of one that plays.
    Swap {
        /// Why not.
        problem: &'static str,
    },
    /// Nodes feed themselves.
    Cycle {
        /// The nodes of the cycle.
        nodes: Vec<String>,
    },
    /// Nothing reaches the outputs.
    NoOutput,
    /// A node declares more latency than can be compensated.
    Latency {
        /// The node.
        node: String,
        /// Frames.
        frames: u32,
    },
    /// A node could not be made or prepared.
    Node(NodeError),
    /// JSON that is no graph.
    Json {
        /// Where (line and column, or key).
        place: String,
        /// What is wrong.
        problem: String,
    },
}

impl GraphError {
    pub(super) fn unknown_node<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> GraphError {
        GraphError::UnknownNode {
            name: name.to_owned(),
            instead: instead(name, names),
        }
    }
}

/// There is no such parameter; names one that is near, phase inputs too.
pub(super) fn unknown_param(node: &str, info: Option<&NodeInfo>, param: &str) -> GraphError {
    let params = info.into_iter().flat_map(|info| &info.params);
    let phases = info.into_iter().flat_map(|info| &info.phases);
    let names = params
        .map(|param| param.name.as_str())
        .chain(phases.map(|phase| phase.name.as_str()));
    GraphError::UnknownParam {
        node: node.to_owned(),
        param: param.to_owned(),
        instead: instead(param, names),
    }
}

/// Finds a parameter that may be set to a value.
///
/// # Errors
/// [`GraphError::UnknownParam`], [`GraphError::Readout`], [`GraphError::Value`].
pub(super) fn find_param(
    node: &str,
    info: &NodeInfo,
    param: &str,
    value: f64,
) -> Result<usize, GraphError> {
    let index = info
        .param(param)
        .ok_or_else(|| unknown_param(node, Some(info), param))?;
    let found = &info.params[index];
    if found.kind == ParamKind::Readout {
        return Err(GraphError::Readout {
            node: node.to_owned(),
            param: param.to_owned(),
        });
    }
    if !(found.min..=found.max).contains(&value) {
        return Err(GraphError::Value {
            node: node.to_owned(),
            param: param.to_owned(),
            value,
            min: found.min,
            max: found.max,
        });
    }
    Ok(index)
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GraphError::Name { name, problem } => write!(f, "the node name \"{name}\" {problem}"),
            GraphError::UnknownNode { name, instead } => {
                write!(f, "there is no node \"{name}\" in the graph{instead}")
            }
            GraphError::UnknownGroup {
                node,
                group,
                groups,
            } => write!(
                f,
                "the node \"{node}\" has no channel group \"{group}\" on that side, only: {}",
                groups.join(", ")
            ),
            GraphError::UnknownParam {
                node,
                param,
                instead,
            } => {
                write!(
                    f,
                    "the node \"{node}\" has no parameter \"{param}\"{instead}"
                )
            }
            GraphError::Value {
                node,
                param,
                value,
                min,
                max,
            } => write!(
                f,
                "{node}.{param}: {value} is outside {min} to {max}; the nearest valid value is {}",
                value.clamp(*min, *max)
            ),
            GraphError::Readout { node, param } => {
                write!(
                    f,
                    "{node}.{param} is a readout: the node writes it, nobody sets it"
                )
            }
            GraphError::Channels {
                from,
                from_channels,
                to,
                to_channels,
            } => write!(
                f,
                "\"{from}\" has {from_channels} channels, \"{to}\" takes {to_channels}"
            ),
            GraphError::NotConnected { from, to } => {
                write!(f, "\"{from}\" is not connected to \"{to}\"")
            }
            GraphError::Swap { problem } => {
                write!(
                    f,
                    "the graph cannot take the place of the one that plays: {problem}"
                )
            }
            GraphError::Cycle { nodes } => {
                write!(f, "these nodes feed themselves: {}", nodes.join(" -> "))
            }
            GraphError::NoOutput => write!(f, "nothing is connected to \"out\""),
            GraphError::Latency { node, frames } => write!(
                f,
                "the node \"{node}\" delays by {frames} frames, which is more than can be compensated"
            ),
            GraphError::Node(error) => error.fmt(f),
            GraphError::Json { place, problem } => write!(f, "{place}: {problem}"),
        }
    }
}

impl std::error::Error for GraphError {}
