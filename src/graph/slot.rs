//! One place of a schedule: a node with its buffers and sources, and how it runs.

use crate::dsp::sum::{CHUNK, add};
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
    let lone: ArrayVec<Option<Source>, MAX_CHANNELS> = slot
        .sources
        .iter()
        .zip(&mut slot.bus)
        .take(MAX_CHANNELS)
        .map(|(sources, bus)| gather(before, sources, &mut bus[..count]))
        .collect();
    let inputs: ArrayVec<&[f32], MAX_CHANNELS> = lone
        .iter()
        .zip(&slot.bus)
        .map(|(lone, bus)| match lone {
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

/// The only source that sounds, if there is exactly one; else the sum of all is on the bus.
fn gather(before: &[Slot], sources: &[Source], bus: &mut [f32]) -> Option<Source> {
    let sounds = |source: &&Source| before[source.slot].activity != Activity::Silent;
    let mut sounding = sources.iter().filter(sounds);
    let (first, second) = (sounding.next(), sounding.next());
    if second.is_none() && first.is_some() {
        return first.copied();
    }
    // What a sum of nothing is: its sign is part of the bits.
    let nothing = std::iter::empty::<f64>().sum::<f64>();
    for (number, bus) in bus.chunks_mut(CHUNK).enumerate() {
        let mut sums = [nothing; CHUNK];
        for source in sources.iter().filter(sounds) {
            let output = &before[source.slot].outputs[source.channel];
            let frames = &output[number * CHUNK..][..bus.len()];
            match frames.first_chunk() {
                Some(frames) => add(&mut sums, frames),
                None => {
                    for (sum, frame) in sums.iter_mut().zip(frames) {
                        *sum += f64::from(*frame);
                    }
                }
            }
        }
        for (bus, sum) in bus.iter_mut().zip(&sums) {
            *bus = *sum as f32;
        }
    }
    None
}
