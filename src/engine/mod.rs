//! The entrainment chain as a graph: controls in, sound and telemetry out; the beat clock.
//!
//! One sample's way: [`Engine::process`] cuts the block at events and at the pieces of the clock, repairs
//! what is not finite, and hands each segment to the chain of nodes (`chain.rs`). One control's way:
//! [`Engine::set`] or an [`Event`] -> `apply` -> a travel of the beat clock or a parameter of a node -> the
//! next piece.

mod chain;
mod clock;
pub mod controls;
mod event;
mod telemetry;
mod travel;

pub use controls::{Control, ControlError, ControlId};
pub use event::{Change, Event, Transport};
pub use telemetry::Telemetry;

use crate::dsp::denormals::DenormalGuard;
use crate::dsp::level::{peak, repair};
use crate::graph::{Activity, GraphError, GraphRun, NodeIndex};
use crate::node::{gain, mix};
use chain::{Chain, Params};
use clock::{Clock, Hands};
use controls as id;
use std::fmt;
use std::sync::Arc;
use telemetry::Snapshot;
use travel::Travel;

/// Frames of the fixed grid on which filters and travels act.
pub const QUANTUM: usize = 32;

/// The lowest and highest sample rate in hertz.
pub const RATES: std::ops::RangeInclusive<f64> = 8_000.0..=768_000.0;

/// Seconds in which structural changes (bypass, kinds, phase jumps) fade.
const SWITCH_TIME: f64 = 0.02;

/// The shortest fade-in and fade-out in seconds.
const SHORTEST_FADE: f64 = 0.02;

/// Seconds after which a node that was switched off has finished its own fade and can be skipped.
const SETTLE_TIME: f64 = 0.1;

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
            EngineError::Chain(error) => write!(f, "the chain cannot be made: {error}"),
        }
    }
}

impl std::error::Error for EngineError {}

/// The entrainment engine: stereo in, stereo out, no latency. Everything but [`Engine::new`] may be called
/// on the audio thread.
pub struct Engine {
    rate: f64,
    graph: GraphRun,
    chain: Chain,
    params: Params,
    /// Where each control is on its way, in the order of the table.
    travels: Vec<Travel>,
    clock: Clock,
    /// Frames since the reset.
    now: u64,
    /// Where the piece of the clock ends that has been planned; `now` or less: plan before going on.
    piece_end: u64,
    /// What has been set before the first frame has not been put in force yet.
    unsettled: bool,
    /// Whether the two renderings of the layer sound, and until when one that faded out still does.
    sounding: [bool; 2],
    rendering_ends: [u64; 2],
    /// A jump of the phase that waits for the last one's fade to end.
    jump_pending: bool,
    layer_on: bool,
    /// Whether the fade of the entrainment is in or on its way in.
    faded_in: bool,
    fade: Travel,
    /// When gate and ceiling, switched off, can be skipped.
    gate_rests: u64,
    ceiling_rests: u64,
    /// Something inside overflowed: forget the program's history at the next piece.
    poisoned: bool,
    was_playing: bool,
    /// `now` at the frame at which the transport last started.
    play_start: u64,
    /// `now` at the first frame of this block.
    block_start: u64,
    /// The song position that the next block should have if the host just plays on.
    song_expected: Option<i64>,
    telemetry: Arc<Telemetry>,
}

impl Engine {
    /// A new engine with every control at its default, at a rate in hertz.
    ///
    /// # Errors
    /// [`EngineError::Rate`] outside [`RATES`].
    pub fn new(sample_rate: f64) -> Result<Engine, EngineError> {
        if !RATES.contains(&sample_rate) {
            return Err(EngineError::Rate(sample_rate));
        }
        let (graph, chain, params) = chain::build(sample_rate).map_err(EngineError::Chain)?;
        let mut engine = Engine {
            rate: sample_rate,
            graph,
            chain,
            params,
            travels: controls::CONTROLS
                .iter()
                .map(|control| Travel::still(control.default_value()))
                .collect(),
            clock: Clock::new(sample_rate),
            now: 0,
            piece_end: 0,
            unsettled: true,
            sounding: [false; 2],
            rendering_ends: [0; 2],
            jump_pending: false,
            layer_on: false,
            faded_in: false,
            fade: Travel::still(0.0),
            gate_rests: 0,
            ceiling_rests: 0,
            poisoned: false,
            was_playing: false,
            play_start: 0,
            block_start: 0,
            song_expected: None,
            telemetry: Arc::new(Telemetry::default()),
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

    /// The chain as a graph: names, JSON, dot.
    pub fn graph(&self) -> &GraphRun {
        &self.graph
    }

    /// The chain, to set captures and taps.
    pub fn graph_mut(&mut self) -> &mut GraphRun {
        &mut self.graph
    }

    /// What sounds on when the input ends now. A layer that is on keeps a host from putting the plugin to
    /// sleep even while the transport stands, for a host that slept would not tell when it plays.
    pub fn tail(&self) -> Tail {
        if self.layer_on || self.sounding != [false; 2] {
            Tail::Infinite
        } else {
            Tail::None
        }
    }

    /// Sets a control at the next frame: a step, which glides as the control does. Before the first frame
    /// after `new` or `reset` there is nothing to glide from, and the value is simply there. Clamped into
    /// its range.
    pub fn set(&mut self, control: ControlId, value: f64) {
        self.apply(control, Change::Step(value));
    }

    /// Back to the first frame: the same controls, fresh sound. With `phase_mode` free the phases run on.
    pub fn reset(&mut self) {
        if self.choice(id::PHASE_MODE) == id::PHASE_FREE {
            self.clock.rewind(self.now);
        } else {
            self.clock = Clock::new(self.rate);
        }
        self.now = 0;
        self.piece_end = 0;
        self.unsettled = true;
        self.jump_pending = false;
        self.poisoned = false;
        self.was_playing = false;
        self.song_expected = None;
        for travel in &mut self.travels {
            *travel = Travel::still(travel.target());
        }
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
        let _mode = DenormalGuard::new();
        let frames = left.len().min(right.len());
        let mut events = events.iter().peekable();
        while let Some(event) = events.next_if(|event| event.frame == 0) {
            self.apply(event.control, event.change);
        }
        if frames > 0 {
            self.block_start = self.now;
            self.follow(transport);
        }
        let mut done = 0;
        while done < frames {
            while let Some(event) = events.next_if(|event| event.frame <= done) {
                self.apply(event.control, event.change);
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
            let span = done..done + count;
            self.segment(&mut left[span.clone()], &mut right[span]);
            done += count;
        }
        for event in events {
            self.apply(event.control, event.change);
        }
        if let Some(song) = self.song_expected.as_mut() {
            *song = song.saturating_add(frames as i64);
        }
        self.publish();
    }

    /// A run of frames within one piece: at most a quantum.
    fn segment(&mut self, left: &mut [f32], right: &mut [f32]) {
        let count = left.len();
        let mut inputs = [[0.0f32; QUANTUM]; 2];
        inputs[0][..count].copy_from_slice(left);
        inputs[1][..count].copy_from_slice(right);
        let [in_left, in_right] = inputs.each_mut().map(|channel| &mut channel[..count]);
        let bad_input = repair(in_left) + repair(in_right);
        self.telemetry.raise_input([peak(in_left), peak(in_right)]);
        self.graph.segment(
            &[in_left, in_right],
            &mut [&mut *left, &mut *right],
            0,
            count,
        );
        let bad_output = repair(left) + repair(right);
        self.poisoned |= bad_output > 0;
        self.telemetry.count_repaired(bad_input, bad_output);
        self.telemetry.raise_output([peak(left), peak(right)]);
        self.now += count as u64;
    }

    /// Takes a change of a control at this frame.
    fn apply(&mut self, control: ControlId, change: Change) {
        let entry = control.control();
        let now = self.now;
        let travel = &mut self.travels[control.index()];
        match change {
            Change::Linear { to, frames: 0 } if moves(control) => {
                *travel = Travel::still(entry.clamp(to));
                self.put(control, 0.0);
            }
            Change::Linear { to, frames } if moves(control) => {
                travel.line(entry.clamp(to), now, frames);
            }
            Change::Linear { to, frames } => {
                travel.hold(entry.clamp(to), now, frames);
            }
            Change::Step(value) => {
                let value = entry.clamp(value);
                // A level's own glide is its node's; this one is what a line would depart from.
                let glides = moves(control) && now > 0;
                let frames = if glides { self.glide_frames() } else { 0 };
                self.travels[control.index()].glide(value, now, frames);
                self.put(control, self.seconds(id::GLIDE));
            }
        }
        if now == 0 {
            self.unsettled = true;
        }
        self.piece_end = now;
    }

    /// Brings a control's value to the node that lives by it; levels travel in `glide` seconds.
    fn put(&mut self, control: ControlId, glide: f64) {
        let value = self.travels[control.index()].target();
        let chain = self.chain;
        match control {
            id::IN_GAIN => self.put_level(chain.input_gain, control, glide),
            id::OUT_GAIN => self.put_level(chain.output_gain, control, glide),
            id::L1_LEVEL => self.put_level(chain.layer, control, glide),
            id::BYPASS => {
                self.graph
                    .set_param(chain.bypass, mix::param::GLIDE, SWITCH_TIME);
                self.graph.set_param(chain.bypass, mix::param::MIX, value);
            }
            id::GATE_ON => {
                self.gate_rests = self.rests(value);
                self.graph.set_param(chain.gate, self.params.gate_on, value);
            }
            id::GATE_THRESHOLD => {
                self.graph
                    .set_param(chain.gate, self.params.gate_threshold, value);
            }
            id::GATE_RANGE => self
                .graph
                .set_param(chain.gate, self.params.gate_range, value),
            id::GATE_HOLD => self
                .graph
                .set_param(chain.gate, self.params.gate_hold, value),
            id::CEILING_ON => {
                self.ceiling_rests = self.rests(value);
                self.graph
                    .set_param(chain.ceiling, self.params.ceiling_on, value);
            }
            id::CEILING => self
                .graph
                .set_param(chain.ceiling, self.params.ceiling, value),
            id::L1_KIND => self.switch_layer(),
            // Read where they are needed.
            _ => {}
        }
    }

    /// Sends a level on its way to its value in `glide` seconds, as a raised cosine.
    fn put_level(&mut self, node: NodeIndex, control: ControlId, glide: f64) {
        let travel = &self.travels[control.index()];
        let db = if travel.on_line(self.now) {
            travel.value(self.now)
        } else {
            travel.target()
        };
        self.set_gain(node, level(control, db), glide, false);
    }

    fn set_gain(&mut self, node: NodeIndex, db: f64, seconds: f64, line: bool) {
        self.graph.set_param(node, gain::param::GLIDE, seconds);
        self.graph
            .set_param(node, gain::param::SHAPE, f64::from(line));
        self.graph.set_param(node, gain::param::GAIN, db);
    }

    /// When a node that was just switched can be skipped: never while it is on.
    fn rests(&self, on: f64) -> u64 {
        if on >= 0.5 {
            u64::MAX
        } else {
            // At the very start too: a node that has never run would not fade when it is switched on.
            self.now + self.frames(SETTLE_TIME)
        }
    }

    /// Fades the layer's current rendering in or out as its kind asks.
    fn switch_layer(&mut self) {
        let on = self.choice(id::L1_KIND) == id::LAYER_BINAURAL;
        if on == self.layer_on {
            return;
        }
        self.layer_on = on;
        let current = self.clock.current();
        self.fade_rendering(current, on);
    }

    fn fade_rendering(&mut self, rendering: usize, on: bool) {
        let node = self.chain.renderings[rendering].fade;
        let db = if on { 0.0 } else { gain::SILENCE };
        self.set_gain(node, db, SWITCH_TIME, false);
        self.rendering_ends[rendering] = if on {
            u64::MAX
        } else {
            self.now + self.frames(SWITCH_TIME)
        };
        self.sounding[rendering] |= on;
    }

    /// Puts everything in force that was set before the first frame, without glides, and starts the fade.
    fn settle(&mut self) {
        self.unsettled = false;
        self.layer_on = self.choice(id::L1_KIND) == id::LAYER_BINAURAL;
        for control in ControlId::all() {
            self.put(control, 0.0);
        }
        let current = self.clock.current();
        self.sounding = [false; 2];
        self.fade_rendering(current, self.layer_on);
        self.fade_rendering(1 - current, false);
        self.rendering_ends[1 - current] = 0;
        self.set_gain(self.chain.fade, gain::SILENCE, 0.0, false);
        self.fade = Travel::still(0.0);
        self.faded_in = false;
        self.graph.reset();
    }

    /// Begins a piece of the clock: from now to the next multiple of the quantum, or to where a travel
    /// ends before. Nothing here depends on where blocks end.
    fn plan(&mut self) {
        let now = self.now;
        if self.unsettled {
            self.settle();
        }
        if self.poisoned {
            self.poisoned = false;
            self.graph.reset_node(self.chain.gate);
            self.graph.reset_node(self.chain.ceiling);
        }
        self.land_held();
        let grid = (now / QUANTUM as u64 + 1) * QUANTUM as u64;
        let end = self
            .travels
            .iter()
            .filter_map(|travel| travel.end(now))
            .fold(grid, u64::min);
        self.piece_end = end;
        self.run_fade();
        for rendering in [0, 1] {
            if self.rendering_ends[rendering] <= now {
                self.sounding[rendering] = false;
            }
        }
        let other = 1 - self.clock.current();
        if self.jump_pending && !self.sounding[other] {
            self.jump();
        }
        self.clock.plan(
            now,
            end,
            &self.travels[id::BEAT.index()],
            &self.travels[id::CARRIER.index()],
        );
        self.run_lines(end);
        self.run_renderings();
        let skip = |rests: u64| {
            if rests <= now {
                Activity::Pass
            } else {
                Activity::Run
            }
        };
        self.graph
            .set_activity(self.chain.gate, skip(self.gate_rests));
        self.graph
            .set_activity(self.chain.ceiling, skip(self.ceiling_rests));
    }

    /// Controls that step at the end of a line: puts those in force whose line has ended.
    fn land_held(&mut self) {
        for control in ControlId::all() {
            if self.travels[control.index()].land(self.now) {
                self.put(control, self.seconds(id::GLIDE));
            }
        }
    }

    /// Straight lines of levels and of the other numbers: nodes are sent to where the line is at the end
    /// of the piece.
    fn run_lines(&mut self, end: u64) {
        for control in ControlId::all() {
            let travel = self.travels[control.index()];
            if !travel.on_line(self.now) {
                continue;
            }
            let seconds = (end - self.now) as f64 / self.rate;
            let node = match control {
                id::IN_GAIN => self.chain.input_gain,
                id::OUT_GAIN => self.chain.output_gain,
                id::L1_LEVEL => self.chain.layer,
                _ => continue,
            };
            let db = level(control, travel.value(end));
            self.set_gain(node, db, seconds, true);
        }
    }

    /// Gives the renderings that sound their phases, and lets the others be silent.
    fn run_renderings(&mut self) {
        for rendering in [0, 1] {
            let nodes = self.chain.renderings[rendering];
            let activity = if self.sounding[rendering] {
                for (ear, motion) in self.clock.ears(rendering).into_iter().enumerate() {
                    self.graph.set_phase(
                        nodes.tones,
                        ear,
                        motion.phase(),
                        motion.wrapped_increment(),
                        motion.sweep,
                    );
                }
                Activity::Run
            } else {
                Activity::Silent
            };
            self.graph.set_activity(nodes.tones, activity);
            self.graph.set_activity(nodes.fade, activity);
        }
        let any = if self.sounding == [false; 2] {
            Activity::Silent
        } else {
            Activity::Run
        };
        self.graph.set_activity(self.chain.layer, any);
        self.graph.set_activity(self.chain.fade, any);
    }

    /// Starts the fade of the entrainment where `run` and the transport ask for the other state.
    fn run_fade(&mut self) {
        let wanted = self.choice(id::RUN) == id::RUN_ALWAYS || self.was_playing;
        if wanted == self.faded_in {
            return;
        }
        self.faded_in = wanted;
        let (db, time) = if wanted {
            (0.0, id::FADE_IN)
        } else {
            (gain::SILENCE, id::FADE_OUT)
        };
        let seconds = self.seconds(time).max(SHORTEST_FADE);
        self.set_gain(self.chain.fade, db, seconds, false);
        self.fade
            .glide(f64::from(wanted), self.now, self.frames(seconds));
    }

    /// Follows the host's transport: anchors the phase at play, seek and loop as `phase_mode` asks.
    fn follow(&mut self, transport: Transport) {
        let playing = transport.playing();
        let song = transport.song_frames();
        let started = playing && !self.was_playing;
        let moved = match (song, self.song_expected) {
            (Some(song), Some(expected)) => song.abs_diff(expected) > 1,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if playing != self.was_playing {
            self.was_playing = playing;
            self.piece_end = self.now;
        }
        if !playing || transport == Transport::Absent {
            self.song_expected = None;
            self.jump_pending = false;
            return;
        }
        if moved || started {
            self.song_expected = song;
        }
        let anchors = match self.choice(id::PHASE_MODE) {
            id::PHASE_TIMELINE => (started || moved) && song.is_some(),
            id::PHASE_RESTART => started,
            _ => false,
        };
        if started {
            self.play_start = self.now;
        }
        if anchors {
            self.jump_pending = true;
            self.piece_end = self.now;
        }
    }

    /// Moves the phase to where the transport says it is; a fade of two renderings where it is heard.
    fn jump(&mut self) {
        self.jump_pending = false;
        // Within a block the song goes on from where the block's transport said.
        let since_block = (self.now - self.block_start) as i64;
        let song = match (self.choice(id::PHASE_MODE), self.song_expected) {
            (id::PHASE_TIMELINE, Some(song)) => song.saturating_add(since_block),
            _ => (self.now - self.play_start) as i64,
        };
        // A glide is as good as over; on a straight line the frequency is what it is now.
        let frequency = |control: ControlId| {
            let travel = &self.travels[control.index()];
            if travel.on_line(self.now) {
                travel.value(self.now)
            } else {
                travel.target()
            }
        };
        let hands: Hands = self
            .clock
            .anchored(frequency(id::BEAT), frequency(id::CARRIER), song);
        if !self.clock.differs(hands, self.now) {
            return;
        }
        let current = self.clock.current();
        if self.now == 0 || !self.sounding[current] {
            self.clock.set(hands, self.now);
            return;
        }
        self.clock.swap(hands, self.now);
        self.fade_rendering(current, false);
        if self.layer_on {
            self.fade_rendering(1 - current, true);
        }
    }

    fn publish(&self) {
        let value = |control: ControlId| self.travels[control.index()].value(self.now);
        let readout = |node, param| self.graph.get_param(node, param) as f32;
        let rests = |rests: u64| rests <= self.now;
        self.telemetry.publish(Snapshot {
            beat_phase: self.clock.beat_phase(self.now),
            beat: value(id::BEAT),
            carrier: value(id::CARRIER),
            fade: self.fade.value(self.now),
            gate_gain: if rests(self.gate_rests) {
                1.0
            } else {
                readout(self.chain.gate, self.params.gate_gain)
            },
            ceiling_gain: if rests(self.ceiling_rests) {
                1.0
            } else {
                readout(self.chain.ceiling, self.params.ceiling_gain)
            },
            frames: self.now,
        });
    }

    fn choice(&self, control: ControlId) -> usize {
        self.get(control) as usize
    }

    fn seconds(&self, control: ControlId) -> f64 {
        self.get(control)
    }

    fn frames(&self, seconds: f64) -> u64 {
        (seconds * self.rate).round() as u64
    }

    fn glide_frames(&self) -> u64 {
        self.frames(self.seconds(id::GLIDE))
    }
}

/// A level control's decibels as the gain node takes them: its lowest value is silence.
fn level(control: ControlId, db: f64) -> f64 {
    if db <= control.control().range().0 {
        gain::SILENCE
    } else {
        db
    }
}

/// Whether a control travels along a straight line; the others step at its end.
fn moves(control: ControlId) -> bool {
    matches!(
        control,
        id::BEAT | id::CARRIER | id::IN_GAIN | id::OUT_GAIN | id::L1_LEVEL
    )
}
