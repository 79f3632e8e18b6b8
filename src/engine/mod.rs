//! The entrainment chain as a graph: controls in, sound and telemetry out; the beat clock.
//!
//! One sample's way: [`Engine::process`] cuts the block at events and at the pieces of the clock, repairs
//! what is not finite, and hands each segment to the chain of nodes (`chain.rs`). One control's way:
//! [`Engine::set`] or an [`Event`] -> `apply.rs` -> a travel or a parameter of a node -> the next piece
//! (`plan.rs`), in which `layer.rs`, `bed.rs` and `treatment.rs` give generators and treatments their phases. The transport's way:
//! `follow.rs` -> anchors and fades.

mod apply;
mod bed;
mod chain;
mod clock;
pub mod controls;
mod deck;
mod display;
mod ear_test;
mod event;
mod follow;
mod head;
mod insert;
mod layer;
mod markers;
mod overrides;
mod pair;
mod plan;
mod rest;
mod space;
mod telemetry;
pub mod timeline;
mod travel;
mod travels;
mod treatment;

pub use chain::SpaceSupply;
pub use controls::{Control, ControlError, ControlId};
pub use deck::{DeckLine, Order, Snapshot, Spent};
pub use display::{DISPLAY_FRAMES, Display, PLACES, Place};
pub use event::{Change, Event, Tempo, Transport};
pub use head::HeadSlot;
pub use layer::transposed as layer_tones;
pub use markers::{Marker, MarkerKind};
pub use overrides::{Holds, InsertPlaces, NodeParam, Override, OverrideLine};
pub use space::SpaceWish;
pub use telemetry::Telemetry;
pub use timeline::Timeline;

pub use crate::node::insert::{InsertError, InsertLine, Prepared};
pub use crate::node::{Macro, MidiMover, Mover};

use crate::dsp::ambisonics::{MAX_CHANNELS, MAX_ORDER, channels};
use crate::dsp::denormals::DenormalGuard;
use crate::dsp::level::{peak, repair};
use crate::graph::{GraphError, GraphRun};
use arrayvec::ArrayVec;
use bed::Bed;
use chain::{Chain, NoiseLevels, Params};
use clock::{Gear, Kept};
use controls as id;
use deck::Deck;
use ear_test::EarTest;
use head::HeadFollower;
use layer::Layer;
use markers::Markers;
use overrides::Overrides;
use space::Space;
use std::fmt;
use std::sync::Arc;
use travel::Travel;
use travels::Travels;
use treatment::Treatments;

/// Frames of the fixed grid on which filters and travels act.
pub const QUANTUM: usize = 32;

/// The lowest and highest sample rate in hertz.
pub const RATES: std::ops::RangeInclusive<f64> = 8_000.0..=768_000.0;

/// Seconds in which structural changes (bypass, kinds, phase jumps) fade.
const SWITCH_TIME: f64 = 0.02;

/// The shortest fade-in and fade-out in seconds.
const SHORTEST_FADE: f64 = 0.02;

/// Seconds after which a node that was switched off has finished its own fades, one under way included, and can
/// be skipped.
const SETTLE_TIME: f64 = 0.15;

/// Samples above this (120 dB over full scale) are broken: what filters remember of them is forgotten.
const POISON: f32 = 1e6;

/// Seconds after which the filters of a treatment have fallen silent.
const TREATMENT_TAIL: f64 = 0.5;

/// What sounds on after the input has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    None,
    /// This many frames.
    Frames(u32),
    /// Something generates: it never ends.
    Infinite,
}

/// Why an engine could not be made.
#[derive(Debug, Clone, PartialEq)]
pub enum EngineError {
    /// The sample rate is outside [`RATES`].
    Rate(f64),
    /// There are no buses of this order.
    Order(usize),
    /// The chain could not be made.
    Chain(GraphError),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Rate(rate) => write!(
                f,
                "the sample rate {rate} Hz is outside {} to {} Hz",
                RATES.start(),
                RATES.end()
            ),
            EngineError::Order(order) => write!(
                f,
                "there is no ambisonic bus of order {order}, only of 1 to {MAX_ORDER}"
            ),
            EngineError::Chain(error) => write!(f, "the chain cannot be made: {error}"),
        }
    }
}

impl std::error::Error for EngineError {}

/// The entrainment engine: stereo in, stereo out, no latency. Everything but [`Engine::new`] and
/// [`Engine::mark`] may be called on the audio thread.
pub struct Engine {
    rate: f64,
    /// The order of the bus, where the program is one.
    bus: Option<usize>,
    /// A segment of what comes in.
    incoming: Vec<[f32; QUANTUM]>,
    graph: GraphRun,
    chain: Chain,
    params: Params,
    noise_levels: NoiseLevels,
    /// Where each control is on its way, in the order of the table.
    travels: Travels,
    /// The beat that tempo and division give, while `beat_source` is tempo.
    tempo_beat: Travel,
    /// The carrier that a note gives, while `carrier_source` is one.
    note_carrier: Travel,
    midi_note: Option<u8>,
    /// The master's half-beat and how it moves: what telemetry shows and markers count.
    master_half: i128,
    master_gear: Gear,
    master_kept: Kept,
    layers: [Layer; id::LAYERS],
    bed: Bed,
    treatments: Treatments,
    space: Space,
    /// Plays timelines and puts snapshots in force.
    deck: Deck,
    /// What comes from outside, and what the host repeats meanwhile.
    overrides: Overrides,
    /// How a tracker says that the head is turned.
    head: HeadFollower,
    /// What brings filters to the node of space, until somebody takes it.
    supply: Option<SpaceSupply>,
    /// What brings nodes to the inserts, until somebody takes it.
    inserts: Option<[InsertLine; 2]>,
    /// Frames since the reset.
    now: u64,
    /// The piece of the clock that has been planned. Its end at `now` or before: plan before going on.
    piece_start: u64,
    piece_end: u64,
    /// What has been set before the first frame has not been put in force yet.
    unsettled: bool,
    /// The transport has said where the song is, and the phases follow at the next piece.
    anchor_pending: bool,
    /// Whether the fade of the entrainment is in or on its way in.
    faded_in: bool,
    fade: Travel,
    /// Frames played since the start that the session timer counts from.
    played: u64,
    /// When gate, leveller and ceiling, switched off, can be skipped.
    gate_rests: u64,
    leveller_rests: u64,
    ceiling_rests: u64,
    /// Noise has been given its past in this piece.
    primed: bool,
    /// Something inside overflowed: forget the program's history at the next piece.
    poisoned: bool,
    was_playing: bool,
    /// `now` at the frame at which the transport last started.
    play_start: u64,
    /// `now` at the first frame of this block.
    block_start: u64,
    /// The song position that the next block should have if the host just plays on.
    song_expected: Option<i64>,
    tempo: Option<Tempo>,
    telemetry: Arc<Telemetry>,
    /// A piece has been planned of which telemetry has not been told.
    untold: bool,
    ear_test: EarTest,
    markers: Markers,
}

impl Engine {
    /// A new engine with every control at its default, at a rate in hertz.
    ///
    /// # Errors
    /// [`EngineError::Rate`] outside [`RATES`].
    pub fn new(sample_rate: f64) -> Result<Engine, EngineError> {
        Engine::build(sample_rate, None)
    }

    /// An engine whose program is an ambisonic bus of an order from 1 to 7.
    ///
    /// # Errors
    /// [`EngineError::Rate`] outside [`RATES`], [`EngineError::Order`].
    pub fn ambisonic(sample_rate: f64, order: usize) -> Result<Engine, EngineError> {
        if !(1..=MAX_ORDER).contains(&order) {
            return Err(EngineError::Order(order));
        }
        Engine::build(sample_rate, Some(order))
    }

    fn build(sample_rate: f64, bus: Option<usize>) -> Result<Engine, EngineError> {
        if !RATES.contains(&sample_rate) {
            return Err(EngineError::Rate(sample_rate));
        }
        let built = chain::build(sample_rate, bus.map(channels)).map_err(EngineError::Chain)?;
        let default = |control: ControlId| Travel::still(control.control().default_value());
        let mut engine = Engine {
            rate: sample_rate,
            bus,
            incoming: vec![[0.0; QUANTUM]; built.run.inputs()],
            graph: built.run,
            chain: built.chain,
            params: built.params,
            noise_levels: built.noise_levels,
            travels: Travels::new(),
            tempo_beat: default(id::BEAT),
            note_carrier: default(id::CARRIER),
            midi_note: None,
            master_half: 0,
            master_gear: Gear::default(),
            master_kept: Kept::default(),
            layers: [Layer::new(); id::LAYERS],
            bed: Bed::new(),
            treatments: Treatments::new(),
            space: Space::new(),
            deck: Deck::new(),
            overrides: Overrides::new(),
            head: HeadFollower::default(),
            supply: Some(built.supply),
            inserts: Some(built.inserts),
            now: 0,
            piece_start: 0,
            piece_end: 0,
            unsettled: true,
            anchor_pending: false,
            faded_in: false,
            fade: Travel::still(0.0),
            played: 0,
            gate_rests: 0,
            leveller_rests: 0,
            ceiling_rests: 0,
            primed: false,
            poisoned: false,
            was_playing: false,
            play_start: 0,
            block_start: 0,
            song_expected: None,
            tempo: None,
            telemetry: Arc::new(Telemetry::new(sample_rate)),
            untold: true,
            ear_test: EarTest::default(),
            markers: Markers::default(),
        };
        engine.reset();
        Ok(engine)
    }

    /// The rate in hertz.
    pub fn sample_rate(&self) -> f64 {
        self.rate
    }

    /// The value a control has been set to, not where its glide is.
    pub fn get(&self, control: ControlId) -> f64 {
        self.travels[control.index()].target()
    }

    /// Levels, phases and counters.
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }

    /// What brings head-related filters for space to this engine, once: whoever takes it supplies them, from
    /// any thread (`space::Supplier` does). Without filters space stays off.
    pub fn take_supply(&mut self) -> Option<SpaceSupply> {
        self.supply.take()
    }

    /// What brings nodes to inserts A and B, once: whoever takes it may send them, prepared for this engine's rate and
    /// [`Engine::insert_channels`], from any one thread.
    pub fn take_inserts(&mut self) -> Option<[InsertLine; 2]> {
        self.inserts.take()
    }

    /// Channels of inserts A and B: A is in the program, B in what leaves for two ears.
    pub fn insert_channels(&self) -> [usize; 2] {
        [self.channels(), 2]
    }

    /// What gives orders to this engine's deck (snapshots, timelines), once: from any one thread.
    pub fn take_deck(&mut self) -> Option<DeckLine> {
        self.deck.take_line()
    }

    /// What brings values from outside to this engine, once: from any one thread.
    pub fn take_overrides_line(&mut self) -> Option<OverrideLine> {
        self.overrides.take_line()
    }

    /// From now on the head turns as the tracker of this slot says, on top of the controls of the head.
    pub fn follow_head(&mut self, slot: Arc<HeadSlot>) {
        self.head.follow(slot);
    }

    /// The chain as a graph: names, JSON, dot.
    pub fn graph(&self) -> &GraphRun {
        &self.graph
    }

    /// The chain, to set captures and taps.
    pub fn graph_mut(&mut self) -> &mut GraphRun {
        &mut self.graph
    }

    /// From now on tells `sink` of every beat cycle, pulse onset and anchor of the phase, in the order of
    /// their frames. For offline work: the sink may allocate. [`Engine::finish_marks`] ends the last piece.
    pub fn mark(&mut self, sink: Box<dyn FnMut(Marker) + Send>) {
        self.markers.sink = Some(sink);
    }

    /// Tells of the marks up to the last frame processed.
    pub fn finish_marks(&mut self) {
        self.mark_piece();
    }

    /// What sounds on when the input ends now. A generator that is on keeps a host from putting the plugin
    /// to sleep even while the transport stands, for a host that slept would not tell when it plays.
    pub fn tail(&self) -> Tail {
        let kinds = id::LAYER.iter().map(|layer| layer.kind);
        let wanted = kinds
            .chain([id::NOISE_KIND])
            .any(|kind| self.choice(kind) != 0);
        // What a protocol is silent of now may sound later.
        // Nor is it known how long a node from outside sounds on.
        if wanted || self.generates() || self.deck.is_on() || self.inserts_sound() {
            Tail::Infinite
        } else if self.treats() || self.space_sounds() {
            let tail = self.frames(TREATMENT_TAIL).max(self.room_tail());
            Tail::Frames(u32::try_from(tail).unwrap_or(u32::MAX))
        } else {
            Tail::None
        }
    }

    /// Whether a layer or the noise bed sounds, if only its fade.
    pub fn generates(&self) -> bool {
        self.bed.sounds() || self.layers.iter().any(Layer::sounds)
    }

    /// Sets a control at the next frame: a step, which glides as the control does. Before the first frame
    /// after `new` or `reset` there is nothing to glide from, and the value is simply there. Clamped into
    /// its range. Where something from outside holds the control, a value that the host had before is ignored.
    pub fn set(&mut self, control: ControlId, value: f64) {
        if self.overrides.is_echo(control, value) {
            return;
        }
        self.apply(control, Change::Step(value));
    }

    /// A MIDI note (0 to 127) is played at the next frame.
    pub fn note(&mut self, note: u8) {
        self.apply(id::CARRIER_SOURCE, Change::Note(note));
    }

    /// Back to the first frame: the same controls, fresh sound. With `phase_mode` free the phases run on.
    pub fn reset(&mut self) {
        let free = self.choice(id::PHASE_MODE) == id::PHASE_FREE;
        self.rewind(free);
        self.now = 0;
        self.piece_start = 0;
        self.piece_end = 0;
        self.unsettled = true;
        self.anchor_pending = false;
        self.poisoned = false;
        self.was_playing = false;
        self.play_start = 0;
        self.block_start = 0;
        self.played = 0;
        self.untold = true;
        self.song_expected = None;
        self.deck.reset();
        self.markers.reset();
        // What was asked for before is not for what comes now.
        self.ear_test = EarTest::default();
        self.telemetry.display().take_ear();
        self.travels.arrive();
        for travel in [&mut self.tempo_beat, &mut self.note_carrier] {
            *travel = Travel::still(travel.target());
        }
    }

    /// The order of the bus that the program is; `None` where it is stereo.
    pub fn bus(&self) -> Option<usize> {
        self.bus
    }

    /// Channels of the program, which leave as well.
    pub fn channels(&self) -> usize {
        self.incoming.len()
    }

    /// Processes one block in place, any number of frames from 0; `left` and `right` have the same length.
    /// `events` are sorted by frame; those at the block's end or later act at the end. `transport` holds
    /// at the block's first frame.
    pub fn process(
        &mut self,
        left: &mut [f32],
        right: &mut [f32],
        transport: Transport,
        events: &[Event],
    ) {
        self.process_channels(&mut [left, right], transport, events);
    }

    /// As [`Engine::process`], with as many channels as [`Engine::channels`] says: channels that are missing
    /// are silent, further ones are left alone. A bus leaves as two ears on the first two, the others silent; as
    /// it came while space is off.
    pub fn process_channels(
        &mut self,
        channels: &mut [&mut [f32]],
        transport: Transport,
        events: &[Event],
    ) {
        let _mode = DenormalGuard::new();
        let shared = self.channels().min(channels.len());
        let channels = &mut channels[..shared];
        let frames = channels
            .iter()
            .map(|channel| channel.len())
            .min()
            .unwrap_or(0);
        self.receive_orders();
        self.take_overrides();
        let mut events = events.iter().peekable();
        while let Some(event) = events.next_if(|event| event.frame == 0) {
            self.take(event);
        }
        if frames > 0 {
            self.block_start = self.now;
            self.follow(transport);
            self.look();
        }
        let mut done = 0;
        while done < frames {
            while let Some(event) = events.next_if(|event| event.frame <= done) {
                self.take(event);
            }
            if self.piece_end <= self.now {
                self.plan();
            }
            let until_event = events
                .peek()
                .map_or(frames, |event| event.frame.min(frames))
                - done;
            let until_piece = (self.piece_end - self.now).min(QUANTUM as u64) as usize;
            let count = until_event.min(until_piece);
            self.segment(channels, done, count);
            done += count;
        }
        for event in events {
            self.take(event);
        }
        if let Some(song) = self.song_expected.as_mut() {
            *song = song.saturating_add(frames as i64);
        }
        // Blocks of a few frames tell once a piece: nobody looks more often.
        if self.untold || frames == 0 || frames >= QUANTUM {
            self.publish_now();
        }
    }

    fn take(&mut self, event: &Event) {
        self.overrides.take_back(event);
        self.apply(event.control, event.change);
    }

    /// Publishes how it is at this frame, which telemetry else learns once a quantum: after a last block of a few frames.
    pub fn publish_now(&mut self) {
        self.untold = false;
        self.publish();
    }

    /// A run of frames within one piece: at most a quantum.
    fn segment(&mut self, channels: &mut [&mut [f32]], start: usize, count: usize) {
        // Stereo in small arrays: in blocks of one frame even making larger ones is felt.
        if self.incoming.len() <= 2 {
            self.run::<2>(channels, start, count);
        } else {
            self.run::<MAX_CHANNELS>(channels, start, count);
        }
        self.now += count as u64;
        if self.was_playing {
            self.played += count as u64;
        }
    }

    /// A segment of up to `N` channels.
    fn run<const N: usize>(&mut self, channels: &mut [&mut [f32]], start: usize, count: usize) {
        let mut bad_input = 0;
        let mut peaks = [0.0_f32; 2];
        for (index, incoming) in self.incoming.iter_mut().enumerate() {
            let incoming = &mut incoming[..count];
            let Some(channel) = channels.get(index) else {
                incoming.fill(0.0);
                continue;
            };
            incoming.copy_from_slice(&channel[start..start + count]);
            bad_input += repair(incoming);
            let side = &mut peaks[index.min(1)];
            *side = side.max(peak(incoming));
        }
        self.telemetry.raise_input(peaks);
        // It need not overflow to make filters ring for seconds, and bypass would hide that it did.
        self.poisoned |= peaks.iter().any(|peak| *peak > POISON);
        // Filled in place: arrays that are collected are copied.
        let mut inputs: ArrayVec<&[f32], N> = ArrayVec::new();
        for incoming in self.incoming.iter().take(N) {
            let _ = inputs.try_push(&incoming[..count]);
        }
        let mut outputs: ArrayVec<&mut [f32], N> = ArrayVec::new();
        for channel in channels.iter_mut().take(N) {
            let _ = outputs.try_push(&mut channel[start..start + count]);
        }
        self.graph.segment(&inputs, &mut outputs, 0, count);
        let bad_output: u64 = outputs.iter_mut().map(|output| repair(output)).sum();
        self.poisoned |= bad_output > 0;
        self.telemetry.count_repaired(bad_input, bad_output);
        if let [left, right, ..] = outputs.as_mut_slice() {
            self.ear_test.add([left, right], self.rate);
            let display = self.telemetry.display();
            if display.is_open() {
                match self.graph.seen() {
                    Some([left, right]) => display.show(&left[..count], &right[..count]),
                    None => display.show(left, right),
                }
            }
        }
        let mut heard = outputs.iter().map(|output| peak(output));
        let heard = [heard.next().unwrap_or(0.0), heard.next().unwrap_or(0.0)];
        self.telemetry.raise_output(heard);
    }

    /// Takes up what a display wishes.
    fn look(&mut self) {
        let display = self.telemetry.display();
        let place = display.looks_at().filter(|_| display.is_open());
        self.graph.see(place);
        let ears = self.bus.is_none() || self.space_sounds();
        if let Some(ear) = display.take_ear().filter(|_| ears && display.is_open()) {
            self.ear_test.start(ear, self.rate);
        }
    }

    fn publish(&self) {
        if self.telemetry.display().is_open() {
            self.show_scene();
            self.show_phases();
        }
        let readout = |node, param| self.graph.get_param(node, param) as f32;
        let unless_resting = |rests: u64, at_rest: f32, node, param| {
            if rests <= self.now {
                at_rest
            } else {
                readout(node, param)
            }
        };
        self.telemetry.publish(telemetry::Snapshot {
            beat_phase: self.beat_phase(),
            beat: self.beat_travel().value(self.now),
            carrier: self.carrier_travel().value(self.now),
            fade: self.fade.value(self.now),
            generates: self.generates() || self.treats(),
            gate_gain: unless_resting(self.gate_rests, 1.0, self.chain.gate, self.params.gate_gain),
            ceiling_gain: unless_resting(
                self.ceiling_rests,
                1.0,
                self.chain.ceiling,
                self.params.ceiling_gain,
            ),
            ceiling_overshoot: unless_resting(
                self.ceiling_rests,
                0.0,
                self.chain.ceiling,
                self.params.ceiling_overshoot,
            ),
            leveller_gain: unless_resting(
                self.leveller_rests,
                1.0,
                self.chain.leveller,
                self.params.leveller_gain,
            ),
            space: self.space_wish(),
            protocol: self.deck_seconds(),
            protocol_length: self.deck_length(),
            protocol_runs: self.deck.runs(),
            protocol_by_itself: self.deck.is_by_itself(),
            tempo: self.tempo.map(|tempo| tempo.bpm),
            frames: self.now,
        });
    }

    fn choice(&self, control: ControlId) -> usize {
        self.get(control) as usize
    }

    fn frames(&self, seconds: f64) -> u64 {
        (seconds * self.rate).round() as u64
    }
}
