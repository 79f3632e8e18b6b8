//! The desk of one instance: what it is told from outside, what it says of that, and what is saved of it.

use super::audio::{self, AudioEnd, AudioMidi, Heard};
use super::head::Head;
use super::midi::{Learned, Learner, MidiMap, Moved, Moves, Player};
use super::osc::{Arg, Message};
use super::route::{Command, ROOT, route};
use super::server::PortState;
use super::settings::Settings;
use super::tracker::{Source, Tracker};
use crate::dsp::quaternion::Quat;
use crate::engine::{ControlId, Engine, HeadSlot, NodeParam, Override, OverrideLine};
use crate::text::shorten;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// Commands that wait for the worker at most; later ones are dropped.
const COMMANDS: usize = 256;

/// Messages of one round of feedback at most.
const FEEDBACK: usize = 64;

/// What the time is told from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Seconds since the first call in this process.
pub(super) fn now() -> f64 {
    EPOCH.elapsed().as_secs_f64()
}

/// What a desk needs of the instance that it belongs to.
pub struct Hooks {
    /// What the host has a control at.
    pub host: Box<dyn Fn(ControlId) -> f64 + Send + Sync>,
    /// Something is to be said to the musician.
    pub say: Box<dyn Fn(String) + Send + Sync>,
    /// There is something to do for whoever calls [`Desk::round`].
    pub wake: Box<dyn Fn() + Send + Sync>,
}

/// A tracker that has spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceStatus {
    /// What it is.
    pub source: Source,
    /// Orientations a second.
    pub rate: f64,
    /// Seconds since the last.
    pub age: f64,
}

/// How things are, for the editor.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// OSC's port.
    pub osc: PortState,
    /// opentrack's port.
    pub opentrack: PortState,
    /// The MIDI port.
    pub midi: PortState,
    /// Messages and packets that were understood.
    pub understood: u64,
    /// Packets that were no packets.
    pub malformed: u64,
    /// Messages of ours that were refused.
    pub refused: u64,
    /// What was refused last, and why.
    pub last_refused: String,
    /// The tracker that spoke last.
    pub source: Option<SourceStatus>,
    /// Yaw, pitch and roll of the tracked head in degrees.
    pub head: Option<[f64; 3]>,
    /// What is being learned.
    pub learning: Option<Moves>,
    /// Controls that are held from outside, with their values.
    pub overrides: Vec<(ControlId, f64)>,
}

/// What is saved under "osc".
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedOsc {
    #[serde(flatten)]
    settings: Settings,
    overrides: BTreeMap<String, f64>,
}

#[derive(Default)]
struct State {
    settings: Settings,
    map: MidiMap,
    player: Player,
    learner: Learner,
    tracker: Tracker,
    head: Head,
    line: Option<OverrideLine>,
    nodes: HashMap<String, NodeParam>,
    audio: Option<AudioEnd>,
    /// The audio thread has an older map.
    outdated: bool,
    overrides: BTreeMap<ControlId, f64>,
    commands: VecDeque<Command>,
    /// What a state held, as long as nothing of it has been changed.
    restored: BTreeMap<String, String>,
    ports: [PortState; 3],
    understood: u64,
    malformed: u64,
    refused: u64,
    last_refused: String,
    sender: Option<SocketAddr>,
    feedback: Feedback,
}

#[derive(Default)]
struct Feedback {
    to: Option<SocketAddr>,
    told: Vec<Option<f64>>,
    when: f64,
}

/// Which of an instance's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Osc,
    Opentrack,
    Midi,
}

/// Everything from outside comes together here. No lock in it is ever taken by the audio thread.
#[derive(Default)]
pub struct Desk {
    state: Mutex<State>,
    slot: Arc<HeadSlot>,
    hooks: OnceLock<Hooks>,
    changes: AtomicU64,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whom it belongs to. Once; a second time is ignored.
    pub fn belong(&self, hooks: Hooks) {
        let _ = self.hooks.set(hooks);
    }

    fn host(&self, control: ControlId) -> f64 {
        self.hooks
            .get()
            .map_or(f64::NAN, |hooks| (hooks.host)(control))
    }

    pub(super) fn say(&self, text: String) {
        if let Some(hooks) = self.hooks.get() {
            (hooks.say)(text);
        }
    }

    fn wake(&self) {
        if let Some(hooks) = self.hooks.get() {
            (hooks.wake)();
        }
    }

    /// From now on speaks to this engine.
    pub fn attach(&self, engine: &mut Engine) {
        engine.follow_head(self.slot.clone());
        let mut state = self.state();
        state.nodes = engine.node_params().collect();
        state.line = engine.take_overrides_line();
        drop(state);
        self.resend();
    }

    /// The end that takes MIDI on the audio thread; the one before is told nothing any more.
    pub fn audio(&self) -> AudioMidi {
        let (audio, end) = audio::pair();
        let mut state = self.state();
        (state.audio, state.outdated) = (Some(end), true);
        audio
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Changes them; ports open and close soon after.
    pub fn edit(&self, edit: impl FnOnce(&mut Settings)) {
        let mut state = self.state();
        edit(&mut state.settings);
        state.settings = std::mem::take(&mut state.settings).usable();
        state.restored.remove("osc");
        state.take_settings();
        drop(state);
        self.changes.fetch_add(1, Ordering::Release);
        self.wake();
    }

    /// Grows with every change of the settings.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// What has been learned.
    pub fn map(&self) -> MidiMap {
        self.state().map.clone()
    }

    /// Changes it.
    pub fn edit_map(&self, edit: impl FnOnce(&mut MidiMap)) {
        let mut state = self.state();
        edit(&mut state.map);
        state.take_map();
    }

    /// From now on waits for a controller for this; `None` stops waiting.
    pub fn learn(&self, moves: Option<Moves>) {
        self.state().learner.want(moves);
    }

    /// The direction in which the head looks now is the front.
    pub fn recenter(&self) {
        let mut state = self.state();
        state.head.recenter();
        self.turn(&state);
    }

    /// How things are.
    pub fn status(&self) -> Status {
        let state = self.state();
        let now = now();
        let [osc, opentrack, midi] = state.ports.clone();
        Status {
            osc,
            opentrack,
            midi,
            understood: state.understood,
            malformed: state.malformed,
            refused: state.refused,
            last_refused: state.last_refused.clone(),
            source: (state.head.source(now)).map(|(source, rate, age)| SourceStatus {
                source,
                rate,
                age,
            }),
            head: state.head.at(now).map(Quat::turns),
            learning: state.learner.wanted().cloned(),
            overrides: state.overrides.iter().map(|(id, v)| (*id, *v)).collect(),
        }
    }

    /// The value of a control that is held from outside.
    pub fn held(&self, control: ControlId) -> Option<f64> {
        self.state().overrides.get(&control).copied()
    }

    /// Whether there are values for [`Desk::take_for_host`].
    pub fn waits_for_host(&self) -> bool {
        !self.state().overrides.is_empty()
    }

    /// Hands over all values that are held from outside, to be written to the host as gestures: from then on they
    /// are the host's. For an open editor, once a frame.
    pub fn take_for_host(&self) -> Vec<(ControlId, f64)> {
        self.state().let_go().into_iter().collect()
    }

    /// Holds a control at a value, until the host says something else.
    pub fn hold(&self, control: ControlId, value: f64) {
        self.set(&mut self.state(), control, value);
    }

    fn set(&self, state: &mut State, control: ControlId, value: f64) {
        let host = self.host(control);
        state.overrides.insert(control, value);
        state.restored.remove("osc");
        if let Some(line) = &mut state.line {
            // A full line is one of an engine that does not run; the next one is told everything.
            line.send(Override::Control {
                control,
                value,
                host,
            });
        }
    }

    /// Forgets all values that are held: a whole sound comes.
    pub fn release(&self) {
        self.state().let_go();
    }

    /// Tells the engine again what is held.
    pub fn resend(&self) {
        let mut state = self.state();
        for (control, value) in state.overrides.clone() {
            self.set(&mut state, control, value);
        }
    }

    /// What others than the engine have to do.
    pub fn take_commands(&self) -> Vec<Command> {
        self.state().commands.drain(..).collect()
    }

    /// What is to be done now and then: hears what the audio thread has to say, sends it what has been learned,
    /// forgets values that the host has replaced, lets the head glide. Tells whether the head glides.
    pub fn round(&self) -> bool {
        let mut state = self.state();
        self.hear_audio(&mut state);
        if let Some(line) = state.line.as_ref().filter(|line| line.is_settled()) {
            let holds = line.holds().clone();
            let before = state.overrides.len();
            state.overrides.retain(|control, _| holds.holds(*control));
            if state.overrides.len() != before {
                state.restored.remove("osc");
            }
        }
        self.glide(&state)
    }

    /// Lets a head whose tracker is silent glide home.
    pub(super) fn tick(&self) -> bool {
        self.glide(&self.state())
    }

    fn glide(&self, state: &State) -> bool {
        let glides = state.head.glides(now());
        if glides {
            self.turn(state);
        }
        glides
    }

    /// Tells the engine how the head is turned. The lock makes this the one writer.
    fn turn(&self, state: &State) {
        if let Some(head) = state.head.at(now()) {
            self.slot.put(head);
        }
    }

    fn orientation(&self, state: &mut State, source: Source, said: Quat) {
        state.head.hear(source, said, now());
        self.turn(state);
    }

    /// A packet of OSC came in.
    pub(super) fn osc(&self, messages: &[Message], from: SocketAddr) {
        let mut state = self.state();
        let mut wake = false;
        for message in messages {
            match route(message) {
                Some(Ok(routed)) => {
                    let mine = routed
                        .instance
                        .is_none_or(|name| name == state.settings.name);
                    if mine {
                        // Trackers want no feedback.
                        state.sender = Some(from);
                        state.understood += 1;
                        wake |= self.obey(&mut state, routed.command);
                    }
                }
                Some(Err(reason)) => {
                    state.refused += 1;
                    state.last_refused = reason;
                }
                None => match state.tracker.osc(message) {
                    Some((source, said)) => {
                        state.understood += 1;
                        self.orientation(&mut state, source, said);
                    }
                    None => {
                        state.refused += 1;
                        state.last_refused =
                            format!("{}: not understood", shorten(&message.address));
                    }
                },
            }
        }
        drop(state);
        if wake {
            self.wake();
        }
    }

    /// Does what it can; tells whether somebody else has to.
    fn obey(&self, state: &mut State, command: Command) -> bool {
        match command {
            Command::Set(control, value) => self.set(state, control, value),
            Command::Recenter => {
                state.head.recenter();
                self.turn(state);
            }
            Command::Node { node, param, value } => {
                let name = format!("{node}/{param}");
                match (state.nodes.get(&name).copied(), &mut state.line) {
                    (Some(at), Some(line)) => {
                        line.send(Override::Node { at, value });
                    }
                    _ => {
                        state.refused += 1;
                        state.last_refused =
                            format!("there is no node's parameter {}", shorten(&name));
                    }
                }
            }
            other if state.commands.len() < COMMANDS => {
                state.commands.push_back(other);
                return true;
            }
            _ => {}
        }
        false
    }

    /// A packet of opentrack came in; tells whether it was one.
    pub(super) fn opentrack(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        let Some((source, said)) = state.tracker.opentrack(bytes) else {
            return false;
        };
        state.understood += 1;
        self.orientation(&mut state, source, said);
        true
    }

    /// A packet came in that was none.
    pub(super) fn malformed(&self) {
        self.state().malformed += 1;
    }

    /// A MIDI message came in at a port.
    pub fn midi(&self, bytes: &[u8]) {
        let mut state = self.state();
        if let Some((source, said)) = state.tracker.sysex(bytes) {
            state.understood += 1;
            return self.orientation(&mut state, source, said);
        }
        let message = match *bytes {
            [status, first] => [status, first, 0],
            [status, first, second] => [status, first, second],
            _ => return,
        };
        if message[0] & 0xF0 == 0xB0 && state.tracker.wants(message[1]) {
            if let Some((source, said)) = state.tracker.controller(message[1], message[2]) {
                state.understood += 1;
                self.orientation(&mut state, source, said);
            }
            return;
        }
        let mut all: [Option<Moved>; 4] = [None; 4];
        let mut player = std::mem::take(&mut state.player);
        let value = |control| match state.overrides.get(&control) {
            Some(value) => *value,
            None => self.host(control),
        };
        let mut slots = all.iter_mut();
        player.hear(message, value, |moved| {
            if let Some(slot) = slots.next() {
                *slot = Some(moved);
            }
        });
        state.player = player;
        let mut wake = false;
        for moved in all.into_iter().flatten() {
            match moved {
                Moved::Control(control, value) => self.set(&mut state, control, value),
                Moved::Entry(index) => wake |= self.entry(&mut state, index),
            }
        }
        self.learn_from(&mut state, message);
        drop(state);
        if wake {
            self.wake();
        }
    }

    fn learn_from(&self, state: &mut State, message: [u8; 3]) {
        if let Some(learned) = state.learner.hear(message, now()) {
            state.map.learn(learned);
            state.take_map();
        }
    }

    fn entry(&self, state: &mut State, index: usize) -> bool {
        match state
            .map
            .entries
            .get(index)
            .map(|entry| entry.moves.clone())
        {
            Some(Moves::Preset(name)) => self.obey(state, Command::Preset(name)),
            Some(Moves::Recenter) => self.obey(state, Command::Recenter),
            Some(Moves::Control(_)) | None => false,
        }
    }

    fn hear_audio(&self, state: &mut State) {
        let Some(mut end) = state.audio.take() else {
            return;
        };
        while end.spent.pop().is_ok() {}
        while let Ok(heard) = end.heard.pop() {
            match heard {
                Heard::Message(message) => self.learn_from(state, message),
                // It has acted already.
                Heard::Moved(Moved::Control(control, value)) => {
                    state.restored.remove("osc");
                    state.overrides.insert(control, value);
                }
                Heard::Moved(Moved::Entry(index)) => {
                    self.entry(state, index);
                }
            }
        }
        if state.outdated && end.to.push(Box::new(Player::new(&state.map))).is_ok() {
            state.outdated = false;
        }
        state.audio = Some(end);
    }

    /// How a port is; what is wrong with it is said once.
    pub(super) fn port(&self, door: Door, port: PortState) {
        let mut state = self.state();
        let slot = &mut state.ports[door as usize];
        if *slot == port {
            return;
        }
        let said = match &port {
            PortState::Taken(reason) => Some(reason.clone()),
            _ => None,
        };
        *slot = port;
        drop(state);
        if let Some(said) = said {
            self.say(said);
        }
    }

    /// Tells whoever listens what has changed, through `send`.
    pub(super) fn feed_back(&self, mut send: impl FnMut(&[u8], SocketAddr)) {
        let mut state = self.state();
        if !state.settings.feedback {
            return;
        }
        let now = now();
        let to = state.settings.feedback_to.or(state.sender);
        let due = now - state.feedback.when >= 1.0 / state.settings.feedback_rate;
        let (Some(to), true) = (to, due) else { return };
        if state.feedback.to != Some(to) {
            // Somebody new is told everything.
            state.feedback.told = vec![None; ControlId::all().count()];
            state.feedback.to = Some(to);
        }
        state.feedback.when = now;
        let mut sent = 0;
        for control in ControlId::all() {
            let value = match state.overrides.get(&control) {
                Some(value) => *value,
                None => self.host(control),
            };
            let told = &mut state.feedback.told[control.index()];
            if value.is_nan() || *told == Some(value) || sent == FEEDBACK {
                continue;
            }
            *told = Some(value);
            sent += 1;
            let entry = control.control();
            let arg = match entry.values {
                crate::engine::controls::Values::Choice { .. } => Arg::Text(entry.format(value)),
                _ => Arg::Number(value),
            };
            let name = &state.settings.name;
            let address = if name.is_empty() {
                format!("{ROOT}{}", entry.id)
            } else {
                format!("{ROOT}instance/{name}/{}", entry.id)
            };
            let message = Message {
                address,
                args: vec![arg],
            };
            if let Some(packet) = message.encode() {
                send(&packet, to);
            }
        }
    }

    /// What is to be saved: JSON by key; nothing where there is nothing to say.
    pub fn save(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let mut saved = state.restored.clone();
        let overrides: BTreeMap<String, f64> = state
            .overrides
            .iter()
            .map(|(id, value)| (id.control().id.to_owned(), *value))
            .collect();
        let osc = SavedOsc {
            settings: state.settings.clone(),
            overrides,
        };
        let plain = osc.settings == Settings::default() && osc.overrides.is_empty();
        if !plain
            && !saved.contains_key("osc")
            && let Ok(json) = serde_json::to_string(&osc)
        {
            saved.insert("osc".to_owned(), json);
        }
        if state.map != MidiMap::default()
            && !saved.contains_key("midi")
            && let Ok(json) = serde_json::to_string(&state.map)
        {
            saved.insert("midi".to_owned(), json);
        }
        saved
    }

    /// Takes over what was saved; what is absent is as in a new instance. What cannot be read is kept for saving,
    /// and said.
    pub fn restore(&self, saved: BTreeMap<String, String>) {
        let mut wrong = Vec::new();
        let mut read = |key: &str, error: serde_json::Error| {
            wrong.push(format!(
                "the part \"{key}\" of this state is kept but not used: {error}"
            ));
        };
        let osc = saved
            .get("osc")
            .map(|json| serde_json::from_str::<SavedOsc>(json));
        let osc = osc.and_then(|osc| osc.map_err(|error| read("osc", error)).ok());
        let map = saved
            .get("midi")
            .map(|json| serde_json::from_str::<MidiMap>(json));
        let map = map.and_then(|map| map.map_err(|error| read("midi", error)).ok());
        let osc = osc.unwrap_or_default();
        let mut state = self.state();
        state.settings = osc.settings.usable();
        let beyond = state.settings.beyond();
        state.overrides = osc
            .overrides
            .iter()
            .filter_map(|(id, value)| {
                let id = ControlId::parse(id).ok()?;
                value.is_finite().then(|| (id, id.control().snap(*value)))
            })
            .collect();
        state.map = map.unwrap_or_default().usable();
        state.take_settings();
        state.take_map();
        state.restored = saved;
        drop(state);
        for text in wrong.into_iter().chain(beyond) {
            self.say(text);
        }
        self.changes.fetch_add(1, Ordering::Release);
        self.wake();
    }
}

impl State {
    /// Gives away what is held.
    fn let_go(&mut self) -> BTreeMap<ControlId, f64> {
        if !self.overrides.is_empty() {
            self.restored.remove("osc");
        }
        std::mem::take(&mut self.overrides)
    }

    fn take_settings(&mut self) {
        (self.tracker.order, self.tracker.mr_mode) = (self.settings.order, self.settings.mr_mode);
        self.head.set(self.settings.head);
    }

    fn take_map(&mut self) {
        self.player = Player::new(&self.map);
        self.outdated = true;
        self.restored.remove("midi");
    }
}

/// What has been learned, in a musician's words.
impl std::fmt::Display for Learned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use super::midi::Controller;
        let channel = self.channel + 1;
        match self.controller {
            Controller::Cc(number) => write!(f, "controller {number}, channel {channel}"),
            Controller::Cc14(number) => {
                write!(
                    f,
                    "controller {number} and {}, channel {channel}",
                    number + 32
                )
            }
            Controller::Bend => write!(f, "pitch wheel, channel {channel}"),
            Controller::Program(number) => write!(f, "program {}, channel {channel}", number + 1),
        }
    }
}
