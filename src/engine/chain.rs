//! The entrainment chain as a graph, and where its nodes are.
//!
//! ```text
//! in -> input_gain -> gate ------------------------------------------> output_gain -> ceiling -> bypass -> out
//!   layer1_a -> layer1_a_fade -> layer1 -> fade -> output_gain                        in -> bypass.b
//!   layer1_b -> layer1_b_fade -> layer1
//! ```
//!
//! A layer has two renderings, a and b: one sounds, the other takes over when the phase jumps, and both
//! fade. `fade` is the fade-in and fade-out of everything that is generated.

use super::QUANTUM;
use crate::graph::{Graph, GraphError, GraphRun, NodeIndex};

/// The nodes of one rendering of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Rendering {
    pub tones: NodeIndex,
    pub fade: NodeIndex,
}

/// Where the nodes are.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    pub input_gain: NodeIndex,
    pub gate: NodeIndex,
    pub renderings: [Rendering; 2],
    pub layer: NodeIndex,
    pub fade: NodeIndex,
    pub output_gain: NodeIndex,
    pub ceiling: NodeIndex,
    pub bypass: NodeIndex,
}

/// Positions of the parameters of the Faust and C++ nodes that the engine sets: found by name once.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    pub gate_on: usize,
    pub gate_threshold: usize,
    pub gate_range: usize,
    pub gate_hold: usize,
    pub gate_gain: usize,
    pub ceiling_on: usize,
    pub ceiling: usize,
    pub ceiling_gain: usize,
}

/// Builds and compiles the chain.
///
/// # Errors
/// [`GraphError`], which for the built-in chain can only be lack of memory.
pub fn build(sample_rate: f64) -> Result<(GraphRun, Chain, Params), GraphError> {
    let mut graph = Graph::new(2, 2);
    for (name, kind) in [
        ("input_gain", "gain"),
        ("gate", "gate"),
        ("layer1_a", "tone_pair"),
        ("layer1_b", "tone_pair"),
        ("layer1_a_fade", "gain"),
        ("layer1_b_fade", "gain"),
        ("layer1", "gain"),
        ("fade", "gain"),
        ("output_gain", "gain"),
        ("ceiling", "ceiling"),
        ("bypass", "mix"),
    ] {
        graph.add_builtin(name, kind)?;
    }
    graph.serial(&[
        "in",
        "input_gain",
        "gate",
        "output_gain",
        "ceiling",
        "bypass.a",
    ])?;
    graph.serial(&["layer1_a", "layer1_a_fade", "layer1", "fade", "output_gain"])?;
    graph.serial(&["layer1_b", "layer1_b_fade", "layer1"])?;
    graph.connect("in", "bypass.b")?;
    graph.connect("bypass", "out")?;
    let run = graph.compile(sample_rate, QUANTUM)?;
    let rendering = |tones, fade| -> Result<Rendering, GraphError> {
        Ok(Rendering {
            tones: run.find(tones)?,
            fade: run.find(fade)?,
        })
    };
    let chain = Chain {
        input_gain: run.find("input_gain")?,
        gate: run.find("gate")?,
        renderings: [
            rendering("layer1_a", "layer1_a_fade")?,
            rendering("layer1_b", "layer1_b_fade")?,
        ],
        layer: run.find("layer1")?,
        fade: run.find("fade")?,
        output_gain: run.find("output_gain")?,
        ceiling: run.find("ceiling")?,
        bypass: run.find("bypass")?,
    };
    let param = |node, name| run.param(node, name);
    let params = Params {
        gate_on: param(chain.gate, "on")?,
        gate_threshold: param(chain.gate, "threshold")?,
        gate_range: param(chain.gate, "range")?,
        gate_hold: param(chain.gate, "hold")?,
        gate_gain: param(chain.gate, "gain")?,
        ceiling_on: param(chain.ceiling, "on")?,
        ceiling: param(chain.ceiling, "ceiling")?,
        ceiling_gain: param(chain.ceiling, "gain")?,
    };
    Ok((run, chain, params))
}
