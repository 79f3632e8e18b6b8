//! A graph as a node: inside another graph, alone, or at another rate
//! ([`oversampled`](crate::node::oversample::oversampled)).

use super::{Graph, GraphError, GraphRun, NodeIndex};
use crate::node::{Node, NodeError, NodeInfo, ParamInfo, PhaseInfo, parse_groups};

/// The rate at which a graph is tried when it becomes a node, in hertz.
const TRIED_AT: f64 = 48_000.0;

impl Graph {
    /// Makes a node of the graph. Its parameters and phase inputs are those of its nodes, as "node.param"; its
    /// latency is that of the graph.
    ///
    /// # Errors
    /// As [`Graph::compile`].
    pub fn into_node(self, name: &str) -> Result<Box<dyn Node>, GraphError> {
        let run = self.compile(TRIED_AT, 1)?;
        let group = |channels, side| {
            let groups = parse_groups("", channels, side);
            groups.map_err(|problem| {
                GraphError::Node(NodeError::Descriptor {
                    name: name.to_owned(),
                    problem,
                })
            })
        };
        let mut info = NodeInfo {
            name: name.to_owned(),
            language: "graph".to_owned(),
            help: "A graph as a node.".to_owned(),
            inputs: run.inputs(),
            outputs: run.outputs(),
            input_groups: group(run.inputs(), "in")?,
            output_groups: group(run.outputs(), "out")?,
            latency: run.latency() as u32,
            phases: Vec::new(),
            params: Vec::new(),
        };
        let (mut params, mut phases) = (Vec::new(), Vec::new());
        for inner in run.node_names() {
            let index = run.find(inner)?;
            let Some(about) = run.info(index) else {
                continue;
            };
            for (position, param) in about.params.iter().enumerate() {
                params.push((index, position));
                info.params.push(ParamInfo {
                    name: format!("{inner}.{}", param.name),
                    default: run.get_param(index, position),
                    ..param.clone()
                });
            }
            for (position, phase) in about.phases.iter().enumerate() {
                phases.push((index, position));
                info.phases.push(PhaseInfo {
                    name: format!("{inner}.{}", phase.name),
                    frequency: phase.frequency,
                });
            }
        }
        Ok(Box::new(Nested {
            run,
            info,
            params,
            phases,
        }))
    }
}

/// A graph with the table of what is where in it.
struct Nested {
    run: GraphRun,
    info: NodeInfo,
    params: Vec<(NodeIndex, usize)>,
    phases: Vec<(NodeIndex, usize)>,
}

impl Node for Nested {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, max_frames: usize) -> Result<(), NodeError> {
        self.run.prepare(sample_rate, max_frames.max(1))
    }

    fn reset(&mut self) {
        self.run.reset();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        self.run.process(inputs, outputs);
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if let Some((node, param)) = self.params.get(index) {
            self.run.set_param(*node, *param, value);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        match self.params.get(index) {
            Some((node, param)) => self.run.get_param(*node, *param),
            None => 0.0,
        }
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        if let Some((node, input)) = self.phases.get(index) {
            self.run.set_phase(*node, *input, phase, increment, sweep);
        }
    }
}
