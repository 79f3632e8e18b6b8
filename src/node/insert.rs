//! insert: a place for a node that is brought from outside while the sound runs.
//!
//! Nodes are made and prepared on another thread ([`Prepared::new`]) and reach the place through an [`InsertLine`];
//! what is replaced goes back through it, to be dropped there. Without a node, or switched off, the signal passes bit
//! for bit. Every exchange is a raised cosine between what sounded and what comes, begun when the owner says that a
//! quantum begins. A node that puts out what is not finite is left: what was heard last fades into the signal as it
//! came. Where the beat jumps, a node that follows it does not: it goes on as before while it fades into the signal as
//! it came, and fades back at the new beat.

use super::macros::{MACROS, Macro};
use super::{
    MAX_CHANNELS, MAX_PARAMS, Node, NodeError, NodeInfo, ParamInfo, ParamKind, PhaseInfo, Tripped,
    accepted, many,
};
use crate::dsp::phase;
use crate::dsp::ramp::raised_cosine;
use arrayvec::ArrayVec;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Frames that a node gets at once at most.
const CHUNK: usize = 32;

/// Messages that fit into a line.
const LINE: usize = 8;

/// What one beginning of a quantum may give back: what waited, and two nodes.
const MOST_BACK: usize = 4;

/// Seconds of an exchange.
const FADE: f64 = 0.02;

/// The name of the phase input that follows the beat; others run at their own frequency.
const BEAT: &str = "beat";

/// Positions of the parameters.
pub mod param {
    /// Whether the node is heard.
    pub const ON: usize = 0;
    /// The first of four: where the node's first parameters are in their ranges.
    pub const MACROS: usize = 1;
    /// Set to 1 when a quantum begins: what has come is taken up.
    pub const BEGINS: usize = 5;
    /// Set to 1 to make the node forget what it has heard.
    pub const FORGETS: usize = 6;
    /// 0: the signal passes, and need not go through here.
    pub const SOUNDS: usize = 7;
    /// From here on: parameters of nodes that have been brought, by [`super::Prepared::place`].
    pub(super) const WITHIN: usize = 1 << 16;
}

/// Why a node cannot be an insert.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertError {
    /// It could not be made.
    Node(NodeError),
    /// It has other channels than the place.
    Channels {
        /// The node.
        name: String,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        outputs: usize,
        /// Channels of the place.
        channels: usize,
    },
    /// It is late.
    Latency {
        /// The node.
        name: String,
        /// By so many frames.
        frames: u32,
    },
    /// It takes too long.
    Load {
        /// The node.
        name: String,
        /// Share of a core that one of it takes at 48 kHz.
        load: f64,
        /// How many of it the place needs.
        copies: usize,
        /// Hertz.
        rate: f64,
        /// Share of a core that all of them may take.
        most: f64,
    },
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InsertError::Node(error) => error.fmt(f),
            InsertError::Channels {
                name,
                inputs,
                outputs,
                channels,
            } => write!(
                f,
                "the node \"{name}\" has {inputs} inputs and {outputs} outputs; an insert here has {channels} of each, or 1 of each, which then runs on every channel"
            ),
            InsertError::Latency { name, frames } => write!(
                f,
                "the node \"{name}\" is late by {frames} frames; inserts have no latency"
            ),
            InsertError::Load {
                name,
                load,
                copies,
                rate,
                most,
            } => write!(
                f,
                "the node \"{name}\" is too slow here: it takes {:.2} % of a core at 48 kHz, and runs {copies} times at {} kHz, which is {:.0} %; at most {:.0} % are allowed",
                load * 100.0,
                rate / 1000.0,
                load * *copies as f64 * rate / 480.0,
                most * 100.0
            ),
        }
    }
}

impl std::error::Error for InsertError {}

impl From<NodeError> for InsertError {
    fn from(error: NodeError) -> InsertError {
        InsertError::Node(error)
    }
}

/// Phases further than this from where they were going, in 2^64ths of a cycle, have jumped: a hundred-thousandth.
const JUMP: u64 = (1 << 63) / 50_000;

/// Where the beat was said to be, and how it was to go on.
#[derive(Clone, Copy)]
struct Course {
    phase: u64,
    increment: u64,
    sweep: i64,
    /// Frames since.
    passed: u64,
}

impl Course {
    /// Where it is by now.
    fn now(&self) -> u64 {
        let k = self.passed;
        let way = self.increment.wrapping_mul(k);
        // k (k - 1) is even.
        let bend = (k.wrapping_mul(k.wrapping_sub(1)) / 2).wrapping_mul(self.sweep as u64);
        self.phase.wrapping_add(way).wrapping_add(bend)
    }
}

/// A phase input that does not follow the beat.
struct Driver {
    index: usize,
    phase: u64,
    increment: u64,
}

/// A node that is ready to be an insert.
pub struct Prepared {
    /// Which of all that have been prepared.
    number: usize,
    node: Box<dyn Node>,
    macros: Vec<Macro>,
    /// What the macros have set last.
    set: [f64; MACROS],
    beats: Vec<usize>,
    drivers: Vec<Driver>,
    /// Frames since the drivers moved.
    passed: u64,
    tripped: Tripped,
    /// It stays as it is where the macros are when it comes.
    as_it_is: bool,
    /// It has not heard anything since it was reset.
    fresh: bool,
    wet: Vec<[f32; CHUNK]>,
}

impl Prepared {
    /// Prepares a node for a place of so many channels at a rate in hertz. `make` makes instances of it: several where
    /// it is mono. Never on the audio thread.
    ///
    /// # Errors
    /// [`InsertError`].
    pub fn new(
        make: &mut dyn FnMut() -> Result<Box<dyn Node>, NodeError>,
        channels: usize,
        rate: f64,
    ) -> Result<Box<Prepared>, InsertError> {
        let first = make()?;
        let info = first.info().clone();
        if info.latency > 0 {
            return Err(InsertError::Latency {
                name: info.name,
                frames: info.latency,
            });
        }
        let mut node = match (info.inputs, info.outputs) {
            (inputs, outputs) if inputs == channels && outputs == channels => first,
            (1, 1) => {
                let mut copies = vec![first];
                while copies.len() < channels {
                    copies.push(make()?);
                }
                many::mono(copies, &info)
            }
            (inputs, outputs) => {
                return Err(InsertError::Channels {
                    name: info.name,
                    inputs,
                    outputs,
                    channels,
                });
            }
        };
        node.init(rate, CHUNK)?;
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let phases = info.phases.iter().enumerate();
        let (beats, others): (Vec<_>, Vec<_>) = phases.partition(|(_, phase)| phase.name == BEAT);
        let driver = |(index, phase): (usize, &PhaseInfo)| Driver {
            index,
            phase: 0,
            increment: phase::increment(phase.frequency, rate) as u64,
        };
        Ok(Box::new(Prepared {
            number,
            node,
            macros: Macro::of(&info),
            set: [f64::NAN; MACROS],
            beats: beats.into_iter().map(|(index, _)| index).collect(),
            drivers: others.into_iter().map(driver).collect(),
            passed: 0,
            tripped: Tripped::default(),
            as_it_is: false,
            fresh: true,
            wet: vec![[0.0; CHUNK]; channels],
        }))
    }

    /// The parameters that the macros move.
    pub fn macros(&self) -> &[Macro] {
        &self.macros
    }

    /// What it is.
    pub fn info(&self) -> &NodeInfo {
        self.node.info()
    }

    /// Where one of its parameters is to be set in the insert that it is brought to: there it reaches this node and no
    /// other, whether it sounds, waits, or has gone.
    pub fn place(&self, param: usize) -> usize {
        param::WITHIN + self.number * MAX_PARAMS + param.min(MAX_PARAMS - 1)
    }

    /// Sets one of its parameters, before it is brought; those of the macros follow these.
    pub fn set(&mut self, param: usize, value: f64) {
        // It is to begin there.
        self.fresh = false;
        self.node.set_param(param, value);
    }

    /// Says from now on whether it has put out what is not finite, and is not heard any more.
    pub fn tripped(&self) -> Tripped {
        self.tripped.clone()
    }

    /// Lets it begin as its author meant it, wherever the macros are: it follows each from where that moves next.
    pub fn begin_as_it_is(&mut self) {
        self.as_it_is = true;
    }

    fn set_macros(&mut self, positions: &[f64; MACROS]) {
        if std::mem::take(&mut self.as_it_is) {
            self.set = *positions;
            return;
        }
        for ((macro_, position), set) in self.macros.iter().zip(positions).zip(&mut self.set) {
            if *position != *set {
                *set = *position;
                // It may be on its way there: it is to begin there.
                self.fresh = false;
                self.node.set_param(macro_.index, macro_.value(*position));
            }
        }
    }

    fn set_phase(&mut self, phase: u64, increment: u64, sweep: i64) {
        for index in &self.beats {
            self.node.set_phase(*index, phase, increment, sweep);
        }
        for driver in &mut self.drivers {
            let way = driver.increment.wrapping_mul(self.passed);
            driver.phase = driver.phase.wrapping_add(way);
            self.node
                .set_phase(driver.index, driver.phase, driver.increment, 0);
        }
        self.passed = 0;
    }

    fn reset(&mut self) {
        self.tripped.set(false);
        if !std::mem::replace(&mut self.fresh, true) {
            self.node.reset();
            self.passed = 0;
            for driver in &mut self.drivers {
                driver.phase = 0;
            }
        }
    }

    /// Runs it over a chunk, into `wet`; tells the first frame that is not finite.
    fn run(&mut self, inputs: &[&[f32]], frames: usize) -> Option<usize> {
        let mut outputs: ArrayVec<&mut [f32], MAX_CHANNELS> = self
            .wet
            .iter_mut()
            .take(MAX_CHANNELS)
            .map(|channel| &mut channel[..frames])
            .collect();
        self.node.process(inputs, &mut outputs);
        self.fresh = false;
        self.passed += frames as u64;
        outputs
            .iter()
            // What is not finite stays so when it is multiplied by 0, and makes the sum so.
            .filter(|channel| !channel.iter().map(|x| x * 0.0).sum::<f32>().is_finite())
            .filter_map(|channel| channel.iter().position(|x| !x.is_finite()))
            .min()
    }
}

/// What reaches the place from outside: a node, or none.
type Delivery = Option<Box<Prepared>>;

/// The other end of an insert: what brings it nodes, and drops those that it needs no more.
pub struct InsertLine {
    to: rtrb::Producer<Delivery>,
    from: rtrb::Consumer<Box<Prepared>>,
}

impl InsertLine {
    /// Sends a node, or none, on its way; gives it back where the line is full, which is where nothing runs. Never on
    /// the audio thread.
    ///
    /// # Errors
    /// What was to be sent.
    pub fn send(&mut self, delivery: Delivery) -> Result<(), Delivery> {
        self.drain();
        self.to
            .push(delivery)
            .map_err(|rtrb::PushError::Full(delivery)| delivery)
    }

    /// Drops what has been given back.
    pub fn drain(&mut self) {
        while self.from.pop().is_ok() {}
    }
}

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// The signal as it comes.
    Through,
    /// The node in this slot.
    Slot(usize),
    /// What was heard last, standing still.
    Held,
}

/// The node.
pub struct Insert {
    info: NodeInfo,
    values: Vec<f64>,
    slots: [Option<Box<Prepared>>; 2],
    /// The slot of the node that is in force, heard or not.
    resident: Option<usize>,
    /// What has come and is not yet in force.
    waiting: Option<Delivery>,
    from: Voice,
    to: Voice,
    /// Frames of the fade from one to the other, if they differ.
    done: u64,
    fade: u64,
    /// The last frame that left.
    last: Vec<f32>,
    /// The frame that stands still.
    held: Vec<f32>,
    /// Where the beat goes, while a node sounds.
    course: Option<Course>,
    /// How far the beat has jumped: the nodes have not heard of it.
    jumped: u64,
    inbox: rtrb::Consumer<Delivery>,
    outbox: rtrb::Producer<Box<Prepared>>,
}

/// Makes one that nobody brings anything.
pub fn create_alone() -> Box<dyn Node> {
    create(2).0
}

/// Makes one of so many channels, with the line to it.
pub fn create(channels: usize) -> (Box<dyn Node>, InsertLine) {
    let (to, inbox) = rtrb::RingBuffer::new(LINE);
    let (outbox, from) = rtrb::RingBuffer::new(LINE + 2 * MOST_BACK);
    let info = info(channels);
    let node = Insert {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        slots: [None, None],
        resident: None,
        waiting: None,
        from: Voice::Through,
        to: Voice::Through,
        done: 0,
        fade: 1,
        last: vec![0.0; channels],
        held: vec![0.0; channels],
        course: None,
        jumped: 0,
        inbox,
        outbox,
    };
    (Box::new(node), InsertLine { to, from })
}

fn info(channels: usize) -> NodeInfo {
    let of_kind = |kind, name: &str, help: &str, default| ParamInfo {
        kind,
        ..ParamInfo::number(name, "", 0.0..=1.0, default, help)
    };
    let mut params = vec![of_kind(
        ParamKind::Switch,
        "on",
        "Whether the node is heard",
        1.0,
    )];
    params.extend((1..=MACROS).map(|n| {
        let help = format!("Where parameter {n} of the node is in its range");
        ParamInfo::number(&format!("macro{n}"), "", 0.0..=1.0, 0.5, &help)
    }));
    let button = |name, help| of_kind(ParamKind::Button, name, help, 0.0);
    params.push(button("begins", "A quantum begins: takes up what has come"));
    params.push(button("forgets", "Makes the node forget what it has heard"));
    let help = "0 while the signal just passes";
    params.push(of_kind(ParamKind::Readout, "sounds", help, 0.0));
    let (name, group) = if channels == 2 {
        ("insert".to_owned(), "program: stereo".to_owned())
    } else {
        let format = many::bus_group(channels).format;
        (format!("insert*{channels}"), format!("bus: {format}"))
    };
    let groups = |side| super::parse_groups(&group, channels, side).unwrap_or_default();
    NodeInfo {
        name,
        language: "rust".to_owned(),
        help: "A place for a node that is brought from outside; alone it passes.".to_owned(),
        inputs: channels,
        outputs: channels,
        input_groups: groups("in"),
        output_groups: groups("out"),
        latency: 0,
        phases: vec![PhaseInfo {
            name: BEAT.to_owned(),
            frequency: 10.0,
        }],
        params,
    }
}

impl Insert {
    fn is_fading(&self) -> bool {
        self.from != self.to
    }

    fn macros(&self) -> [f64; MACROS] {
        std::array::from_fn(|n| self.values[param::MACROS + n])
    }

    fn give_back(&mut self, prepared: Option<Box<Prepared>>) {
        if let Some(prepared) = prepared
            && let Err(rtrb::PushError::Full(prepared)) = self.outbox.push(prepared)
        {
            // Nothing is taken while this could be full. If it is all the same, better kept for good than freed here.
            std::mem::forget(prepared);
        }
    }

    /// Takes what has come, the last of it.
    fn receive(&mut self) {
        while self.outbox.slots() > MOST_BACK {
            let Ok(next) = self.inbox.pop() else {
                break;
            };
            let before = self.waiting.replace(next).flatten();
            self.give_back(before);
        }
    }

    /// Sets a parameter of a node that has been brought, by its [`Prepared::place`].
    fn set_within(&mut self, place: usize, value: f64) {
        self.receive();
        let waiting = self.waiting.iter_mut().flatten();
        let all = self.slots.iter_mut().flatten().chain(waiting);
        let number = place / MAX_PARAMS;
        if let Some(node) = all.into_iter().find(|node| node.number == number) {
            node.set(place % MAX_PARAMS, value);
        }
    }

    /// Gives back what is neither in force nor heard, and puts what has come in force.
    fn turn_over(&mut self) {
        self.receive();
        if self.is_fading() || self.outbox.slots() < MOST_BACK {
            return;
        }
        self.sweep();
        if self.to == Voice::Through {
            // Nothing that is heard follows the beat.
            (self.course, self.jumped) = (None, 0);
        }
        if let Some(delivery) = self.waiting.take() {
            let place = usize::from(self.resident == Some(0));
            self.resident = delivery.as_ref().map(|_| place);
            if let Some(mut prepared) = delivery {
                prepared.set_macros(&self.macros());
                let before = self.slots[place].replace(prepared);
                self.give_back(before);
            }
        }
        self.aim();
        self.sweep();
    }

    /// Gives back what is neither in force nor heard.
    fn sweep(&mut self) {
        for place in 0..self.slots.len() {
            let heard = [self.from, self.to].contains(&Voice::Slot(place));
            if !heard && self.resident != Some(place) {
                let spent = self.slots[place].take();
                self.give_back(spent);
            }
        }
    }

    /// What is to be heard.
    fn wanted(&self) -> Voice {
        let on = self.values[param::ON] >= 0.5;
        let sane = |place: &usize| {
            let node = self.slots[*place].as_ref();
            node.is_some_and(|node| !node.tripped.is_set())
        };
        let on = on && self.jumped == 0;
        match self.resident.filter(|place| on && sane(place)) {
            Some(place) => Voice::Slot(place),
            None => Voice::Through,
        }
    }

    /// Sets out to what is to be heard, where that is something else.
    fn aim(&mut self) {
        let wanted = self.wanted();
        if wanted == self.to {
            return;
        }
        if let Voice::Slot(place) = wanted
            && let Some(node) = &mut self.slots[place]
        {
            // What it heard before it was switched off is of another time.
            node.reset();
        }
        (self.from, self.to, self.done) = (self.to, wanted, 0);
    }

    /// A chunk that is no longer than [`CHUNK`].
    fn chunk(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], frames: usize) {
        let mut broken: [Option<usize>; 2] = [None; 2];
        for (place, (slot, broken)) in self.slots.iter_mut().zip(&mut broken).enumerate() {
            let heard = [self.from, self.to].contains(&Voice::Slot(place));
            if let Some(node) = slot.as_mut().filter(|_| heard) {
                *broken = node.run(inputs, frames);
            }
        }
        let mut start = 0;
        while start < frames {
            let next = (0..self.slots.len())
                .filter(|place| [self.from, self.to].contains(&Voice::Slot(*place)))
                .filter_map(|place| Some((broken[place]?, place)))
                .min();
            let end = next.map_or(frames, |(frame, _)| frame.max(start));
            self.mix(inputs, outputs, start, end);
            start = end;
            if let Some((_, place)) = next {
                self.leave(place);
            }
        }
    }

    /// A node has put out what is no sound: what was heard last fades into what is left.
    fn leave(&mut self, place: usize) {
        if let Some(node) = &self.slots[place] {
            node.tripped.set(true);
        }
        let to = if self.to == Voice::Slot(place) {
            Voice::Through
        } else {
            self.to
        };
        self.held.copy_from_slice(&self.last);
        (self.from, self.to, self.done) = (Voice::Held, to, 0);
    }

    /// Puts out some frames of a chunk whose nodes have run.
    fn mix(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], start: usize, end: usize) {
        let (slots, held) = (&self.slots, &self.held);
        let (from, to) = (self.from, self.to);
        for (channel, output) in outputs.iter_mut().enumerate() {
            let still = held.get(channel).copied().unwrap_or(0.0);
            let heard = |voice: Voice, frame: usize| match voice {
                Voice::Through => inputs[channel][frame],
                Voice::Slot(place) => slots[place]
                    .as_ref()
                    .map_or(inputs[channel][frame], |node| node.wet[channel][frame]),
                Voice::Held => still,
            };
            let mut done = self.done;
            for (frame, y) in output.iter_mut().enumerate().take(end).skip(start) {
                *y = if from == to || done >= self.fade {
                    heard(to, frame)
                } else {
                    let share = raised_cosine(done as f64 / self.fade as f64);
                    let (before, after) = (heard(from, frame), heard(to, frame));
                    done += 1;
                    (f64::from(before) * (1.0 - share) + f64::from(after) * share) as f32
                };
            }
        }
        if self.is_fading() {
            self.done += (end - start) as u64;
            if self.done >= self.fade {
                self.from = self.to;
            }
        }
        if end > start {
            for (last, output) in self.last.iter_mut().zip(outputs) {
                *last = output[end - 1];
            }
        }
    }
}

impl Node for Insert {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.fade = (FADE * sample_rate).round().max(1.0) as u64;
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        (self.course, self.jumped) = (None, 0);
        // At the start there is nothing to fade from.
        self.from = self.to;
        self.turn_over();
        for node in self.slots.iter_mut().flatten() {
            node.reset();
        }
        self.to = self.wanted();
        self.from = self.to;
        self.sweep();
        self.last.fill(0.0);
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let frames = outputs.first().map_or(0, |output| output.len());
        let mut start = 0;
        while start < frames {
            let count = (frames - start).min(CHUNK);
            let ins: ArrayVec<&[f32], MAX_CHANNELS> = inputs
                .iter()
                .take(MAX_CHANNELS)
                .map(|input| &input[start..start + count])
                .collect();
            let mut outs: ArrayVec<&mut [f32], MAX_CHANNELS> = outputs
                .iter_mut()
                .take(MAX_CHANNELS)
                .map(|output| &mut output[start..start + count])
                .collect();
            self.chunk(&ins, &mut outs, count);
            if let Some(course) = &mut self.course {
                course.passed += count as u64;
            }
            start += count;
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if index >= param::WITHIN {
            return self.set_within(index - param::WITHIN, value);
        }
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        self.values[index] = value;
        match index {
            param::BEGINS if value >= 0.5 => self.turn_over(),
            param::FORGETS if value >= 0.5 => {
                for node in self.slots.iter_mut().flatten() {
                    // One that has failed stays out: it has not been asked for again.
                    if !node.tripped.is_set() {
                        node.reset();
                    }
                }
            }
            param::ON if value < 0.5 => {
                // Switched off and on again it is given another chance.
                for node in self.slots.iter().flatten() {
                    node.tripped.set(false);
                }
            }
            _ if (param::MACROS..param::MACROS + MACROS).contains(&index) => {
                let macros = self.macros();
                for node in self.slots.iter_mut().flatten() {
                    node.set_macros(&macros);
                }
            }
            _ => {}
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        match index {
            param::SOUNDS => {
                let passes = !self.is_fading() && self.to == Voice::Through;
                f64::from(u8::from(!passes))
            }
            _ => self.values.get(index).copied().unwrap_or(0.0),
        }
    }

    fn set_phase(&mut self, _index: usize, phase: u64, increment: u64, sweep: i64) {
        if let Some(course) = self.course
            && self
                .slots
                .iter()
                .flatten()
                .any(|node| !node.beats.is_empty())
        {
            let off = phase.wrapping_sub(course.now());
            if off.min(off.wrapping_neg()) > JUMP {
                // Never 0, which is where nothing has jumped.
                self.jumped = self.jumped.wrapping_add(off).max(1);
            }
        }
        self.course = Some(Course {
            phase,
            increment,
            sweep,
            passed: 0,
        });
        let heard = phase.wrapping_sub(self.jumped);
        for node in self.slots.iter_mut().flatten() {
            node.set_phase(heard, increment, sweep);
        }
    }
}
