//! One place of a schedule: a node with its buffers and sources, and how it runs.

use super::delay::{Delay, Line};
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
    /// Which of the reader's lines delays it, if any.
    pub line: Option<usize>,
}

impl Source {
    /// What is heard of it.
    fn signal<'a>(&self, before: &'a [Slot], lines: &'a [Line]) -> &'a [f32] {
        match self.line {
            Some(line) => &lines[line].output,
            None => &before[self.slot].outputs[self.channel],
        }
    }
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
    /// Sources that arrive before the others.
    pub lines: Vec<Line>,
    /// What passes a node that is late is as late as the node; empty for others.
    pub detour: Vec<Delay>,
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
            lines: Vec::new(),
            detour: Vec::new(),
            bus: vec![vec![0.0; max_frames]; inputs],
            outputs: vec![vec![0.0; max_frames]; outputs],
        }
    }

    pub fn end(name: &str, inputs: usize, outputs: usize, max_frames: usize) -> Slot {
        Slot::new(name.to_owned(), None, inputs, outputs, max_frames)
    }

    pub fn node(name: String, node: Box<dyn Node>, max_frames: usize) -> Slot {
        let (inputs, outputs) = (node.info().inputs, node.info().outputs);
        let latency = node.info().latency as usize;
        let mut slot = Slot::new(name, Some(node), inputs, outputs, max_frames);
        if latency > 0 {
            slot.detour = (0..inputs.min(outputs))
                .map(|_| Delay::new(latency))
                .collect();
        }
        slot
    }

    /// Makes room for chunks of another length.
    pub fn resize(&mut self, max_frames: usize) {
        let lines = self.lines.iter_mut().map(|line| &mut line.output);
        let buffers = self.bus.iter_mut().chain(&mut self.outputs).chain(lines);
        buffers.for_each(|buffer| buffer.resize(max_frames, 0.0));
    }

    /// Forgets what is on its way.
    pub fn clear(&mut self) {
        self.lines.iter_mut().for_each(|line| line.delay.reset());
        self.detour.iter_mut().for_each(Delay::reset);
    }
}

/// Gathers the inputs of one slot and runs it. A lone source is read where it is; several are summed in
/// f64; none is silence.
pub(super) fn run_slot(before: &[Slot], slot: &mut Slot, count: usize) {
    for line in &mut slot.lines {
        let source = &before[line.slot];
        let signal = &source.outputs[line.channel][..count];
        let sounds = source.activity != Activity::Silent;
        let signal = signal.iter().map(|x| if sounds { *x } else { 0.0 });
        line.delay.run(signal, &mut line.output[..count]);
    }
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
        .map(|(sources, bus)| gather(before, &slot.lines, sources, &mut bus[..count]))
        .collect();
    let inputs: ArrayVec<&[f32], MAX_CHANNELS> = lone
        .iter()
        .zip(&slot.bus)
        .map(|(lone, bus)| match lone {
            Some(source) => &source.signal(before, &slot.lines)[..count],
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
            for (delay, input) in slot.detour.iter_mut().zip(&inputs) {
                delay.keep(input);
            }
        }
        _ if !slot.detour.is_empty() => {
            let ends = slot.outputs.iter_mut().zip(&inputs);
            for (delay, (output, input)) in slot.detour.iter_mut().zip(ends) {
                delay.run(input.iter().copied(), &mut output[..count]);
            }
        }
        _ => {
            for (output, input) in slot.outputs.iter_mut().zip(&inputs) {
                output[..count].copy_from_slice(input);
            }
        }
    }
}

/// The only source that sounds, if there is exactly one; else the sum of all is on the bus.
fn gather(before: &[Slot], lines: &[Line], sources: &[Source], bus: &mut [f32]) -> Option<Source> {
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
            let output = source.signal(before, lines);
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
