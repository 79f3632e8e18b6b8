//! A source through a graph of one's own, or through one node.

use super::aside::Aside;
use super::blocks::{BlockSize, Stream};
use super::capture::{Capture, Captures};
use super::decode::Source;
use super::render::RenderError;
use super::wav::WavError;
use crate::graph::{Graph, GraphError, GraphRun, INPUT, OUTPUT};
use crate::node::{Node, registry};

/// The largest block that nodes are prepared for, in frames; larger ones are cut.
const LARGEST: usize = 8192;

/// One built-in node alone, under its own name, between the graph's ends.
///
/// # Errors
/// [`GraphError::Node`] where there is no such node, naming the nearest; [`GraphError::NoOutput`] for a
/// node without outputs.
pub fn lone_node(kind: &str) -> Result<Graph, GraphError> {
    // By its description, which buses ("gain*16") have none of.
    let name = registry()
        .info(kind)
        .map_err(GraphError::Node)?
        .name
        .clone();
    alone(&name, registry().create(kind).map_err(GraphError::Node)?)
}

/// One node alone between the graph's ends.
///
/// # Errors
/// [`GraphError::Name`]; [`GraphError::NoOutput`] for a node without outputs, when it is compiled.
pub fn alone(name: &str, node: Box<dyn Node>) -> Result<Graph, GraphError> {
    let (inputs, outputs) = (node.info().inputs, node.info().outputs);
    let mut graph = Graph::new(inputs, outputs);
    graph.add(name, node)?;
    if inputs > 0 {
        graph.connect(INPUT, name)?;
    }
    if outputs > 0 {
        graph.connect(name, OUTPUT)?;
    }
    Ok(graph)
}

/// Makes a graph ready to run at `rate` hertz in blocks of `block`.
///
/// # Errors
/// As [`Graph::compile`].
pub fn prepare(graph: Graph, rate: u32, block: BlockSize) -> Result<GraphRun, GraphError> {
    graph.compile(f64::from(rate), block.largest().min(LARGEST))
}

/// Runs `source`, and `tail` seconds of silence after it, through `graph`: the two ears are its first two
/// inputs, and further ones are silent; a graph of one input takes mono. Hands `output` a slice per output
/// channel, block by block, and returns the number of frames, and the captures, to be finished when the output has its
/// name.
///
/// # Errors
/// [`RenderError`]; captures that were begun leave nothing behind.
pub fn run_graph(
    source: &mut dyn Source,
    graph: &mut GraphRun,
    block: BlockSize,
    tail: f64,
    capture: Option<&Capture>,
    mut output: impl FnMut(&[&[f32]]) -> Result<(), WavError>,
) -> Result<(u64, Aside), RenderError> {
    if graph.inputs() == 1 && source.channels() == 2 {
        return Err(RenderError::Stereo);
    }
    let captures = capture
        .map(|capture| Captures::start(graph, capture, source.rate()))
        .transpose()?;
    let mut outputs = vec![vec![0.0; block.largest()]; graph.outputs()];
    let mut stream = Stream::new(source, 2, block, tail);
    let mut done = 0;
    while let Some(block) = stream.next_block()? {
        let frames = block[0].len();
        let mut channels: Vec<&mut [f32]> = outputs
            .iter_mut()
            .map(|channel| &mut channel[..frames])
            .collect();
        let block: Vec<&[f32]> = block.iter().map(|channel| &**channel).collect();
        graph.process(&block, &mut channels);
        let channels: Vec<&[f32]> = outputs.iter().map(|channel| &channel[..frames]).collect();
        output(&channels)?;
        done += frames as u64;
    }
    captures.as_ref().map_or(Ok(()), Captures::seal)?;
    let aside = Aside {
        captures,
        marks: None,
    };
    Ok((done, aside))
}

#[cfg(test)]
mod tests {
    use super::super::decode::Silence;
    use super::*;

    #[test]
    fn every_node_runs_alone_if_it_has_an_output() {
        for info in registry().infos() {
            let graph = lone_node(&info.name).unwrap();
            let block = BlockSize::Frames(64);
            let mut run = prepare(graph, 48_000, block).unwrap();
            let mut heard = 0;
            let done = run_graph(
                &mut Silence::new(48_000, 100),
                &mut run,
                block,
                0.5,
                None,
                |out| {
                    assert_eq!(out.len(), info.outputs);
                    heard += out[0].len() as u64;
                    Ok(())
                },
            );
            assert_eq!((done.unwrap().0, heard), (24_100, 24_100), "{}", info.name);
        }
        assert!(
            lone_node("gian")
                .err()
                .unwrap()
                .to_string()
                .contains("\"gain\"")
        );
    }
}
