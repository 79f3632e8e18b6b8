//! A compiled graph: nodes in the order they run, with their buffers.

use super::error::{self, find_param};
use super::routes::{NOTHING, Routes};
use super::slot::{Activity, Slot, run_slot};
use super::tap::{Capture, Ring};
use super::{GraphError, Sink};
use crate::dsp::denormals::DenormalGuard;
use crate::dsp::phase;
use crate::node::{MAX_CHANNELS, Node, NodeError, NodeInfo};
use crate::text::instead;
use arrayvec::ArrayVec;
use serde_json::Value;

/// Phases that nothing else drives are set at multiples of this many frames.
pub(super) const PHASE_GRID: u64 = 32;

/// The place of a node in a [`GraphRun`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeIndex(usize);

/// A phase input and what drives it where nothing else does.
pub(super) struct Driver {
    pub slot: usize,
    pub index: usize,
    pub name: String,
    pub phase: u64,
    pub increment: u64,
}

impl Driver {
    /// What it drives at, in hertz.
    fn frequency(&self, rate: f64) -> f64 {
        self.increment as i64 as f64 / phase::CYCLE * rate
    }
}

/// A graph that runs. Processing, setting and resetting allocate nothing.
pub struct GraphRun {
    slots: Vec<Slot>,
    /// Which of them have something to do, and what they read.
    routes: Routes,
    latency: usize,
    drivers: Vec<Driver>,
    /// Whether the drivers drive; an owner that sets phases itself turns them off.
    driving: bool,
    frames: u64,
    rate: f64,
    max_frames: usize,
    captures: Vec<Capture>,
    rings: Vec<Ring>,
    /// The place that a display looks at.
    seen: Option<usize>,
    description: Value,
}

impl GraphRun {
    pub(super) fn new(
        slots: Vec<Slot>,
        latency: usize,
        drivers: Vec<Driver>,
        rate: f64,
        max_frames: usize,
        description: Value,
    ) -> GraphRun {
        GraphRun {
            routes: Routes::new(&slots),
            slots,
            latency,
            drivers,
            driving: true,
            frames: 0,
            rate,
            max_frames,
            captures: Vec::new(),
            rings: Vec::new(),
            seen: None,
            description,
        }
    }

    /// Input channels.
    pub fn inputs(&self) -> usize {
        self.slots[0].outputs.len()
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.slots[self.slots.len() - 1].outputs.len()
    }

    /// By how many frames the output is later than the input: the sum of the latencies of the nodes on the
    /// latest way through.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// The rate it was compiled for, in hertz.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The longest chunk that its nodes get, in frames.
    pub fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// Frames since the start.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether phases may be set at the next frame.
    pub(super) fn is_on_grid(&self) -> bool {
        self.frames.is_multiple_of(PHASE_GRID)
    }

    /// Makes it ready again, for another rate and other chunks; parameters keep their values.
    ///
    /// # Errors
    /// What a node says that cannot run so; then nothing may be processed.
    pub(super) fn prepare(&mut self, rate: f64, max_frames: usize) -> Result<(), NodeError> {
        for slot in &mut self.slots {
            slot.clear();
            slot.resize(max_frames);
            slot.passing = false;
            if let Some(node) = slot.node.as_mut() {
                node.init(rate, max_frames)?;
            }
        }
        for driver in &mut self.drivers {
            let frequency = driver.frequency(self.rate);
            driver.increment = phase::increment(frequency, rate) as u64;
            driver.phase = 0;
        }
        (self.rate, self.max_frames, self.frames) = (rate, max_frames, 0);
        self.routes.stale = true;
        Ok(())
    }

    /// As if so many frames, a multiple of the grid, had gone by in silence.
    pub(super) fn begin_at(&mut self, frames: u64) {
        self.frames = frames;
        for driver in &mut self.drivers {
            driver.phase = driver.increment.wrapping_mul(frames);
        }
    }

    /// The names of the nodes in the order they run.
    pub fn node_names(&self) -> impl Iterator<Item = &str> {
        self.slots
            .iter()
            .filter(|slot| slot.node.is_some())
            .map(|slot| slot.name.as_str())
    }

    /// Output channels of a node, or of the graph's own ends "in" and "out".
    pub fn channels(&self, name: &str) -> Option<usize> {
        self.slot(name)
            .ok()
            .map(|slot| self.slots[slot].outputs.len())
    }

    /// What a node is.
    pub fn info(&self, node: NodeIndex) -> Option<&NodeInfo> {
        self.slots
            .get(node.0)?
            .node
            .as_ref()
            .map(|node| node.info())
    }

    /// The graph as JSON, as [`super::Graph::from_json`] reads it, with the parameters it was built with.
    pub fn to_json(&self) -> &Value {
        &self.description
    }

    /// Finds a node.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`].
    pub fn find(&self, name: &str) -> Result<NodeIndex, GraphError> {
        let slot = self.slot(name)?;
        if self.slots[slot].node.is_some() {
            Ok(NodeIndex(slot))
        } else {
            Err(GraphError::unknown_node(name, self.node_names()))
        }
    }

    fn slot(&self, name: &str) -> Result<usize, GraphError> {
        self.slots
            .iter()
            .position(|slot| slot.name == name)
            .ok_or_else(|| {
                GraphError::unknown_node(name, self.slots.iter().map(|slot| slot.name.as_str()))
            })
    }

    /// The position of a parameter of a node, readouts too.
    ///
    /// # Errors
    /// [`GraphError::UnknownParam`].
    pub fn param(&self, node: NodeIndex, name: &str) -> Result<usize, GraphError> {
        let info = self.info(node);
        let params = || info.into_iter().flat_map(|info| &info.params);
        params()
            .position(|param| param.name == name)
            .ok_or_else(|| GraphError::UnknownParam {
                node: self
                    .slots
                    .get(node.0)
                    .map_or("", |slot| &slot.name)
                    .to_owned(),
                param: name.to_owned(),
                instead: instead(name, params().map(|param| param.name.as_str())),
            })
    }

    /// Sets a parameter of a node by name, or the frequency in hertz of one of its phase inputs.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`], [`GraphError::UnknownParam`], [`GraphError::Value`],
    /// [`GraphError::Readout`].
    pub fn set(&mut self, node: &str, param: &str, value: f64) -> Result<(), GraphError> {
        let index = self.find(node)?;
        let rate = self.rate;
        let driver = self
            .drivers
            .iter_mut()
            .find(|driver| driver.slot == index.0 && driver.name == param);
        if let Some(driver) = driver {
            if !(-rate / 2.0..=rate / 2.0).contains(&value) {
                return Err(GraphError::Value {
                    node: node.to_owned(),
                    param: param.to_owned(),
                    value,
                    min: -rate / 2.0,
                    max: rate / 2.0,
                });
            }
            driver.increment = phase::increment(value, rate) as u64;
            return Ok(());
        }
        if let Some(found) = self.node_mut(index) {
            let param = find_param(node, found.info(), param, value)?;
            found.set_param(param, value);
        }
        Ok(())
    }

    /// A parameter of a node by name, or the frequency of a phase input.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`], [`GraphError::UnknownParam`].
    pub fn get(&self, node: &str, param: &str) -> Result<f64, GraphError> {
        let index = self.find(node)?;
        let mut drivers = self.drivers.iter();
        if let Some(driver) = drivers.find(|driver| driver.slot == index.0 && driver.name == param)
        {
            return Ok(driver.frequency(self.rate));
        }
        let info = self.info(index);
        match info.and_then(|info| info.param(param)) {
            Some(param) => Ok(self.get_param(index, param)),
            None => Err(error::unknown_param(node, info, param)),
        }
    }

    /// Sets a parameter by position; clamped into its range.
    pub fn set_param(&mut self, node: NodeIndex, param: usize, value: f64) {
        if let Some(node) = self.node_mut(node) {
            node.set_param(param, value);
        }
    }

    /// A parameter by position; 0 where there is none.
    pub fn get_param(&self, node: NodeIndex, param: usize) -> f64 {
        match self.slots.get(node.0).and_then(|slot| slot.node.as_ref()) {
            Some(node) => node.get_param(param),
            None => 0.0,
        }
    }

    /// Sets a phase input, as [`Node::set_phase`]. The graph's own drivers are off from then on.
    pub fn set_phase(
        &mut self,
        node: NodeIndex,
        index: usize,
        phase: u64,
        increment: u64,
        sweep: i64,
    ) {
        self.driving = false;
        if let Some(node) = self.node_mut(node) {
            node.set_phase(index, phase, increment, sweep);
        }
    }

    /// Lets a node run, pass or be silent from the next frame on. What it was let do before comes back.
    #[inline]
    pub fn set_activity(&mut self, node: NodeIndex, activity: Activity) -> Activity {
        let Some(slot) = self.slots.get_mut(node.0) else {
            return activity;
        };
        let before = std::mem::replace(&mut slot.activity, activity);
        self.routes.stale |= before != activity;
        before
    }

    /// A node that is about to be told something.
    fn node_mut(&mut self, node: NodeIndex) -> Option<&mut Box<dyn Node>> {
        let slot = self.slots.get_mut(node.0)?;
        self.routes.stale |= std::mem::take(&mut slot.passing);
        slot.node.as_mut()
    }

    /// Runs some nodes by themselves for so many frames, in the order given, so that filters have a past.
    /// Their outputs are overwritten; the graph's own time does not move.
    pub(crate) fn prime(&mut self, nodes: &[NodeIndex], frames: usize) {
        self.find_routes();
        let mut left = frames;
        while left > 0 {
            let count = left.min(self.max_frames);
            let mut rest = false;
            for node in nodes {
                rest |= run_slot(&mut self.slots, node.0, &self.routes, count);
            }
            self.routes.stale |= rest;
            left -= count;
        }
    }

    /// Back to the first frame; parameters keep their values.
    pub fn reset(&mut self) {
        for slot in &mut self.slots {
            slot.clear();
            slot.passing = false;
            if let Some(node) = slot.node.as_mut() {
                node.reset();
            }
        }
        for driver in &mut self.drivers {
            driver.phase = 0;
        }
        self.frames = 0;
        self.routes.stale = true;
    }

    /// Back to the state after `compile` of one node.
    pub fn reset_node(&mut self, node: NodeIndex) {
        if let Some(node) = self.node_mut(node) {
            node.reset();
        }
    }

    /// From now on hands every chunk of a node's output ("in" and "out" are the graph's own ends) to a
    /// sink, for as long as the graph lives. For offline work: the sink may allocate.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`].
    pub fn capture(&mut self, node: &str, sink: Box<dyn Sink>) -> Result<(), GraphError> {
        let slot = self.slot(node)?;
        self.slots[slot].watched = true;
        self.routes.stale = true;
        self.captures.push(Capture { slot, sink });
        Ok(())
    }

    /// A lock-free ring with the samples of one channel of a node, for a display on another thread. When
    /// it is full, samples are dropped.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`], [`GraphError::Channels`] where the node has no such channel.
    pub fn tap(
        &mut self,
        node: &str,
        channel: usize,
        capacity: usize,
    ) -> Result<rtrb::Consumer<f32>, GraphError> {
        let slot = self.slot(node)?;
        let channels = self.slots[slot].outputs.len();
        if channel >= channels {
            return Err(GraphError::Channels {
                from: node.to_owned(),
                from_channels: channels,
                to: format!("tap of channel {channel}"),
                to_channels: channel + 1,
            });
        }
        let (producer, consumer) = rtrb::RingBuffer::new(capacity.max(1));
        self.slots[slot].watched = true;
        self.routes.stale = true;
        self.rings.push(Ring {
            slot,
            channel,
            producer,
        });
        Ok(consumer)
    }

    /// The names of all places in the order they run, the graph's own ends too.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().map(|slot| slot.name.as_str())
    }

    /// From the next segment on [`GraphRun::seen`] shows what this place puts out; nothing where there is none.
    pub(crate) fn see(&mut self, place: Option<usize>) {
        let place = place.filter(|place| *place < self.slots.len());
        if self.seen != place {
            for (index, slot) in self.slots.iter_mut().enumerate() {
                slot.seen = Some(index) == place;
            }
            self.seen = place;
            self.routes.stale = true;
        }
    }

    fn find_routes(&mut self) {
        if self.routes.stale {
            self.routes.find(&mut self.slots);
        }
    }

    /// The first two channels of the place that is looked at; a lone channel twice.
    pub(crate) fn seen(&self) -> Option<[&[f32]; 2]> {
        let outputs = &self.slots[self.seen?].outputs;
        let first = outputs.first()?;
        Some([first, outputs.get(1).unwrap_or(first)])
    }

    /// Processes any number of frames, with denormals as zero. `inputs` and `outputs` hold the graph's
    /// channels, each of the same number of frames; missing inputs are silence, surplus channels are left
    /// alone.
    pub fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let _mode = DenormalGuard::new();
        let frames = outputs
            .iter()
            .map(|channel| channel.len())
            .chain(inputs.iter().map(|channel| channel.len()))
            .min()
            .unwrap_or(0);
        let mut done = 0;
        while done < frames {
            let to_grid = (PHASE_GRID - self.frames % PHASE_GRID) as usize;
            let limit = if self.driving && !self.drivers.is_empty() {
                self.max_frames.min(to_grid)
            } else {
                self.max_frames
            };
            let count = limit.min(frames - done);
            if self.driving && self.frames.is_multiple_of(PHASE_GRID) {
                self.drive();
            }
            self.segment(inputs, outputs, done, count);
            done += count;
        }
    }

    /// Tells the phase inputs where they are and moves the drivers on by one grid.
    fn drive(&mut self) {
        for driver in &mut self.drivers {
            let slot = &mut self.slots[driver.slot];
            self.routes.stale |= std::mem::take(&mut slot.passing);
            if let Some(node) = slot.node.as_mut() {
                node.set_phase(driver.index, driver.phase, driver.increment, 0);
            }
            driver.phase = driver
                .phase
                .wrapping_add(driver.increment.wrapping_mul(PHASE_GRID));
        }
    }

    /// Processes `count` frames from `start` on, at most `max_frames`, without setting the floating-point
    /// mode.
    pub(crate) fn segment(
        &mut self,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        start: usize,
        count: usize,
    ) {
        for (index, buffer) in self.slots[0].outputs.iter_mut().enumerate() {
            match inputs.get(index) {
                Some(input) => buffer[..count].copy_from_slice(&input[start..start + count]),
                None => buffer[..count].fill(0.0),
            }
        }
        self.find_routes();
        let mut rest = false;
        for place in &self.routes.active {
            rest |= run_slot(&mut self.slots, *place, &self.routes, count);
        }
        let heard = self.routes.heard(self.slots.len() - 1);
        for (output, heard) in outputs.iter_mut().zip(heard) {
            let output = &mut output[start..start + count];
            match heard {
                Some(tap) => output.copy_from_slice(tap.signal(&self.slots, count)),
                None => output.fill(NOTHING),
            }
        }
        self.routes.stale |= rest;
        self.frames += count as u64;
        for capture in &mut self.captures {
            let slot = &self.slots[capture.slot];
            let channels: ArrayVec<&[f32], MAX_CHANNELS> = slot
                .outputs
                .iter()
                .take(MAX_CHANNELS)
                .map(|channel| &channel[..count])
                .collect();
            capture.sink.write(&channels);
        }
        for ring in &mut self.rings {
            ring.write(&self.slots[ring.slot].outputs[ring.channel][..count]);
        }
    }
}
