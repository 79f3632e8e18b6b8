//! One place of a schedule: a node with its buffers and sources, and how it runs.

use super::delay::{Delay, Line};
use super::routes::{Feed, NOTHING, Routes, Tap};
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

/// A node with its place, or one of the graph's own ends.
pub(super) struct Slot {
    pub name: String,
    pub node: Option<Box<dyn Node>>,
    pub activity: Activity,
    /// The node says that all it does is to pass.
    pub passing: bool,
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
    pub bus: Vec<Vec<f32>>,
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
            passing: false,
            watched: false,
            seen: false,
            sources: vec![Vec::new(); inputs],
            lines: Vec::new(),
            detour: Vec::new(),
            bus: vec![vec![NOTHING; max_frames]; inputs],
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

    /// What it does.
    pub fn does(&self) -> Activity {
        match self.activity {
            Activity::Run if self.passing => Activity::Pass,
            activity => activity,
        }
    }

    /// Makes room for chunks of another length.
    pub fn resize(&mut self, max_frames: usize) {
        let lines = self.lines.iter_mut().map(|line| &mut line.output);
        let buffers = self.outputs.iter_mut().chain(lines);
        buffers.for_each(|buffer| buffer.resize(max_frames, 0.0));
        for bus in &mut self.bus {
            bus.resize(max_frames, NOTHING);
        }
    }

    /// Forgets what is on its way.
    pub fn clear(&mut self) {
        self.lines.iter_mut().for_each(|line| line.delay.reset());
        self.detour.iter_mut().for_each(Delay::reset);
    }
}

/// Runs a slot: what came before it is there already. Whether its node has come to where it only passes.
pub(super) fn run_slot(slots: &mut [Slot], place: usize, routes: &Routes, count: usize) -> bool {
    let (before, rest) = slots.split_at_mut(place);
    let Some(slot) = rest.first_mut() else {
        return false;
    };
    for line in &mut slot.lines {
        let source = routes.heard(line.slot)[line.channel];
        let output = &mut line.output[..count];
        match source {
            Some(tap) => line
                .delay
                .run(tap.signal(before, count).iter().copied(), output),
            None => line.delay.run(std::iter::repeat_n(NOTHING, count), output),
        }
    }
    let feeds = routes.feeds(place);
    match slot.does() {
        Activity::Silent => {
            // Nobody reads it but captures, taps and displays.
            for output in &mut slot.outputs {
                output[..count].fill(0.0);
            }
        }
        Activity::Run if slot.node.is_some() => {
            sum_up(before, slot, routes, feeds, count);
            // Arrays as small as they can be: most nodes are stereo.
            match slot.outputs.len().max(feeds.len()) {
                0..=4 => run_node::<4>(before, slot, feeds, count),
                5..=16 => run_node::<16>(before, slot, feeds, count),
                _ => run_node::<MAX_CHANNELS>(before, slot, feeds, count),
            }
            let passes = slot.node.as_ref().is_some_and(|node| node.passes());
            slot.passing = passes && slot.detour.is_empty();
            return slot.passing;
        }
        _ if !slot.detour.is_empty() => {
            sum_up(before, slot, routes, feeds, count);
            let Slot {
                detour,
                outputs,
                bus,
                lines,
                ..
            } = slot;
            let ends = outputs.iter_mut().zip(feeds).zip(bus.iter());
            for (delay, ((output, feed), bus)) in detour.iter_mut().zip(ends) {
                let input = read(before, lines, bus, feed, count);
                delay.run(input.iter().copied(), &mut output[..count]);
            }
            hush(outputs, feeds.len().min(detour.len()), count);
        }
        _ => {
            sum_up(before, slot, routes, feeds, count);
            let Slot {
                outputs,
                bus,
                lines,
                ..
            } = slot;
            for ((output, feed), bus) in outputs.iter_mut().zip(feeds).zip(bus.iter()) {
                output[..count].copy_from_slice(read(before, lines, bus, feed, count));
            }
            hush(outputs, feeds.len(), count);
        }
    }
    false
}

/// Outputs from a channel on have nothing that passes to them.
fn hush(outputs: &mut [Vec<f32>], from: usize, count: usize) {
    for output in outputs.iter_mut().skip(from) {
        output[..count].fill(NOTHING);
    }
}

/// A signal that the slot after these reads; its own lines are apart from it.
fn tapped<'a>(before: &'a [Slot], lines: &'a [Line], tap: &Tap, count: usize) -> &'a [f32] {
    match tap {
        Tap::Line { slot, line } if *slot == before.len() => &lines[*line].output[..count],
        tap => tap.signal(before, count),
    }
}

/// What an input channel reads, once sums are on their buses.
fn read<'a>(
    before: &'a [Slot],
    lines: &'a [Line],
    bus: &'a [f32],
    feed: &Feed,
    count: usize,
) -> &'a [f32] {
    match feed {
        Feed::Lone(tap) => tapped(before, lines, tap, count),
        Feed::Nothing | Feed::Sum { .. } => &bus[..count],
    }
}

/// Runs the node of a slot with up to `N` channels on each side.
fn run_node<const N: usize>(before: &[Slot], slot: &mut Slot, feeds: &[Feed], count: usize) {
    let Slot {
        node: Some(node),
        outputs,
        bus,
        lines,
        detour,
        ..
    } = slot
    else {
        return;
    };
    // Filled in place: an array that is returned is copied.
    let mut from: ArrayVec<&[f32], N> = ArrayVec::new();
    for (feed, bus) in feeds.iter().zip(bus.iter()).take(N) {
        let _ = from.try_push(read(before, lines, bus, feed, count));
    }
    let mut to: ArrayVec<&mut [f32], N> = ArrayVec::new();
    for output in outputs.iter_mut().take(N) {
        let _ = to.try_push(&mut output[..count]);
    }
    node.process(&from, &mut to);
    for (delay, input) in detour.iter_mut().zip(&from) {
        delay.keep(input);
    }
}

/// Puts the sums of a slot's inputs onto its buses, in f64.
fn sum_up(before: &[Slot], slot: &mut Slot, routes: &Routes, feeds: &[Feed], count: usize) {
    let lines = &slot.lines;
    for (feed, bus) in feeds.iter().zip(&mut slot.bus) {
        let Feed::Sum {
            first,
            count: several,
        } = feed
        else {
            continue;
        };
        let taps = routes.taps(*first, *several);
        let signal = |tap| tapped(before, lines, tap, count);
        let bus = &mut bus[..count];
        if count < CHUNK {
            for (n, bus) in bus.iter_mut().enumerate() {
                let start = f64::from(NOTHING);
                let sum = taps
                    .iter()
                    .fold(start, |sum, tap| sum + f64::from(signal(tap)[n]));
                *bus = sum as f32;
            }
            continue;
        }
        for (number, bus) in bus.chunks_mut(CHUNK).enumerate() {
            let mut sums = [f64::from(NOTHING); CHUNK];
            for tap in taps {
                let frames = &signal(tap)[number * CHUNK..][..bus.len()];
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
    }
}
