//! One place of a schedule: a node with its buffers and sources, and how it runs.

use crate::node::{MAX_CHANNELS, Node};
use arrayvec::ArrayVec;

/// What a node does in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activity {
    /// It runs.
    #[default]
    Run,
    /// It does not run; its inputs pass to its outputs bit for bit (as many as both have).
    Pass,
    /// It does not run; those it feeds hear nothing of it, not even zeros to add.
    Silent,
}

/// One channel that another reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub slot: usize,
    pub channel: usize,
}

/// A node with its place, or one of the graph's own ends.
pub(super) struct Slot {
    pub name: String,
    pub node: Option<Box<dyn Node>>,
    pub activity: Activity,
    /// A capture or a tap reads it.
    pub watched: bool,
    /// A display looks at it.
    pub seen: bool,
    /// For each input channel, what feeds it.
    pub sources: Vec<Vec<Source>>,
    /// Where several sources are summed, per input channel.
    bus: Vec<Vec<f32>>,
    pub outputs: Vec<Vec<f32>>,
}

impl Slot {
    fn new(
        name: String,
        node: Option<Box<dyn Node>>,
        inputs: usize,
        outputs: usize,
        max_frames: usize,
    ) -> Slot {
        Slot {
            name,
            node,
            activity: Activity::Run,
            watched: false,
            seen: false,
            sources: vec![Vec::new(); inputs],
            bus: vec![vec![0.0; max_frames]; inputs],
            outputs: vec![vec![0.0; max_frames]; outputs],
        }
    }

    pub fn end(name: &str, inputs: usize, outputs: usize, max_frames: usize) -> Slot {
        Slot::new(name.to_owned(), None, inputs, outputs, max_frames)
    }

    pub fn node(name: String, node: Box<dyn Node>, max_frames: usize) -> Slot {
        let (inputs, outputs) = (node.info().inputs, node.info().outputs);
        Slot::new(name, Some(node), inputs, outputs, max_frames)
    }
}

/// Gathers the inputs of one slot and runs it. A lone source is read where it is; several are summed in
/// f64; none is silence.
pub(super) fn run_slot(before: &[Slot], slot: &mut Slot, count: usize) {
    if slot.activity == Activity::Silent {
        // Nobody reads it but captures, taps and displays.
        if slot.watched || slot.seen {
            for output in &mut slot.outputs {
                output[..count].fill(0.0);
            }
        }
        return;
    }
    for (sources, bus) in slot.sources.iter().zip(&mut slot.bus) {
        sum_sources(before, sources, &mut bus[..count]);
    }
    let inputs: ArrayVec<&[f32], MAX_CHANNELS> = slot
        .sources
        .iter()
        .zip(&slot.bus)
        .take(MAX_CHANNELS)
        .map(|(sources, bus)| match lone(before, sources) {
            Some(source) => &before[source.slot].outputs[source.channel][..count],
            None => &bus[..count],
        })
        .collect();
    match (slot.node.as_mut(), slot.activity) {
        (Some(node), Activity::Run) => {
            let mut outputs: ArrayVec<&mut [f32], MAX_CHANNELS> = slot
                .outputs
                .iter_mut()
                .take(MAX_CHANNELS)
                .map(|channel| &mut channel[..count])
                .collect();
            node.process(&inputs, &mut outputs);
        }
        _ => {
            for (output, input) in slot.outputs.iter_mut().zip(&inputs) {
                output[..count].copy_from_slice(input);
            }
        }
    }
}

/// The only source that sounds, if there is exactly one.
fn lone(before: &[Slot], sources: &[Source]) -> Option<Source> {
    let mut sounding = sources
        .iter()
        .filter(|source| before[source.slot].activity != Activity::Silent);
    match (sounding.next(), sounding.next()) {
        (Some(source), None) => Some(*source),
        _ => None,
    }
}

fn sum_sources(before: &[Slot], sources: &[Source], bus: &mut [f32]) {
    if lone(before, sources).is_some() {
        return;
    }
    let sounding = sources
        .iter()
        .filter(|source| before[source.slot].activity != Activity::Silent)
        .map(|source| before[source.slot].outputs[source.channel].as_slice());
    for (frame, sum) in bus.iter_mut().enumerate() {
        *sum = sounding
            .clone()
            .map(|source| f64::from(source[frame]))
            .sum::<f64>() as f32;
    }
}
