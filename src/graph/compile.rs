//! From a graph to a schedule: checks, order, buffers.

use super::delay::{Delay, Line};
use super::run::Driver;
use super::slot::{Slot, Source};
use super::{Connection, Graph, GraphError, GraphRun, INPUT, OUTPUT};
use crate::dsp::phase;

/// The latest that a node may be, in frames: more is a mistake, and delays take memory.
const MOST_LATENCY: u32 = 1 << 20;

impl Graph {
    /// Checks the graph, prepares its nodes for a rate in hertz and chunks of up to `max_frames`, and
    /// makes it ready to run. An input that nothing is connected to reads silence. Branches that meet are
    /// brought together: what passes a node that is late waits for nothing, the others wait for it
    /// ([`GraphRun::latency`] is what remains).
    ///
    /// # Errors
    /// [`GraphError::Cycle`], [`GraphError::NoOutput`], [`GraphError::Latency`], [`GraphError::Node`].
    pub fn compile(self, sample_rate: f64, max_frames: usize) -> Result<GraphRun, GraphError> {
        let max_frames = max_frames.max(1);
        if !self.connections.iter().any(|c| c.to.node.is_none()) {
            return Err(GraphError::NoOutput);
        }
        let order = self.order()?;
        // Slot 0 is the graph's input, then come the nodes in their order, then the graph's output.
        let mut slot_of = vec![0; self.nodes.len()];
        for (place, node) in order.iter().enumerate() {
            slot_of[*node] = place + 1;
        }
        let description = self.description();
        let Graph {
            inputs,
            outputs,
            nodes,
            connections,
        } = self;
        let mut nodes: Vec<_> = nodes.into_iter().map(Some).collect();
        let mut slots = vec![Slot::end(INPUT, inputs, inputs, max_frames)];
        let mut drivers = Vec::new();
        for node in &order {
            let mut entry = nodes[*node].take().expect("an order names each node once");
            let info = entry.node.info();
            if info.latency > MOST_LATENCY {
                return Err(GraphError::Latency {
                    node: entry.name,
                    frames: info.latency,
                });
            }
            for (index, input) in info.phases.iter().enumerate() {
                drivers.push(Driver {
                    slot: slots.len(),
                    index,
                    name: input.name.clone(),
                    phase: 0,
                    increment: phase::increment(input.frequency, sample_rate) as u64,
                });
            }
            entry
                .node
                .init(sample_rate, max_frames)
                .map_err(GraphError::Node)?;
            slots.push(Slot::node(entry.name, entry.node, max_frames));
        }
        slots.push(Slot::end(OUTPUT, outputs, outputs, max_frames));
        let output = slots.len() - 1;
        for Connection { from, to, channels } in connections {
            let source_slot = from.node.map_or(0, |node| slot_of[node]);
            let target_slot = to.node.map_or(output, |node| slot_of[node]);
            for offset in 0..channels {
                slots[target_slot].sources[to.first + offset].push(Source {
                    slot: source_slot,
                    channel: from.first + offset,
                    line: None,
                });
            }
        }
        let latency = align(&mut slots, max_frames);
        Ok(GraphRun::new(
            slots,
            latency,
            drivers,
            sample_rate,
            max_frames,
            description,
        ))
    }

    /// The nodes so that each comes after those that feed it (Kahn 1962); among those that could come
    /// next, the one that was added first.
    fn order(&self) -> Result<Vec<usize>, GraphError> {
        let feeds = |from: usize, to: usize| {
            self.connections
                .iter()
                .any(|c| c.from.node == Some(from) && c.to.node == Some(to))
        };
        let count = self.nodes.len();
        let mut order: Vec<usize> = Vec::with_capacity(count);
        while order.len() < count {
            let next = (0..count).find(|node| {
                !order.contains(node)
                    && (0..count).all(|other| order.contains(&other) || !feeds(other, *node))
            });
            match next {
                Some(node) => order.push(node),
                None => {
                    let rest = (0..count).filter(|node| !order.contains(node)).collect();
                    return Err(self.cycle(rest, feeds));
                }
            }
        }
        Ok(order)
    }

    /// Walks backwards through nodes that all have a predecessor among themselves until one repeats.
    fn cycle(&self, rest: Vec<usize>, feeds: impl Fn(usize, usize) -> bool) -> GraphError {
        let mut path = vec![rest[0]];
        loop {
            let last = path[path.len() - 1];
            let before = rest.iter().copied().find(|node| feeds(*node, last));
            let Some(before) = before else { break };
            if let Some(start) = path.iter().position(|node| *node == before) {
                path.drain(..start);
                path.push(before);
                break;
            }
            path.push(before);
        }
        path.reverse();
        GraphError::Cycle {
            nodes: path
                .into_iter()
                .map(|node| self.nodes[node].name.clone())
                .collect(),
        }
    }
}

/// Delays what arrives at a node before its latest source; gives the latency of the last slot, in frames.
fn align(slots: &mut [Slot], max_frames: usize) -> usize {
    // By how much what each slot puts out is late.
    let mut late: Vec<usize> = Vec::with_capacity(slots.len());
    for slot in slots {
        let sources = slot.sources.iter().flatten();
        let latest = sources.map(|source| late[source.slot]).max().unwrap_or(0);
        for source in slot.sources.iter_mut().flatten() {
            let early = latest - late[source.slot];
            if early > 0 {
                source.line = Some(slot.lines.len());
                slot.lines.push(Line {
                    slot: source.slot,
                    channel: source.channel,
                    delay: Delay::new(early),
                    output: vec![0.0; max_frames],
                });
            }
        }
        let own = slot.node.as_ref().map_or(0, |node| node.info().latency);
        late.push(latest + own as usize);
    }
    late.last().copied().unwrap_or(0)
}
