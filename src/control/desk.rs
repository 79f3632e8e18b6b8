//! The desk of one instance: what it is told from outside, what it says of that, and what is saved of it.

use super::audio::{self, AudioEnd, AudioMidi, Heard};
use super::brought::{Brought, InsertParam, InsertTarget};
use super::consent::{Ask, Consent};
use super::head::{Head, Stir};
use super::midi::{Learned, Learner, MOST, MOST_MOVED, MidiMap, Moved, Moves, Player};
use super::osc::{Arg, Message};
use super::route::{Command, ROOT, route};
use super::server::PortState;
use super::settings::Settings;
use super::tracker::{Source, Tracker};
use crate::dsp::quaternion::Quat;
use crate::engine::{ControlId, Engine, HeadSlot, NodeParam, Override, OverrideLine, Prepared};
use crate::text::{instead, shorten};
use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// Messages of one round of feedback at most.
const FEEDBACK: usize = 64;

/// Values of a control that may be on their way to the host at once.
const GIVEN: usize = 8;

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
    /// What the settings ask for beyond this machine and nobody has allowed: it is not done.
    pub asks: Vec<Ask>,
}

/// What is saved under "osc".
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedOsc {
    #[serde(flatten)]
    settings: Settings,
    overrides: BTreeMap<String, f64>,
}

/// A control that is held.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    value: f64,
    /// What the host had it at.
    host: f64,
    /// The editor has written this value to the host, which does not have it yet.
    given: bool,
    /// What has been written to the host: when it comes to say that, it only answers.
    answers: Vec<f64>,
}

impl Held {
    /// Whether the host has said something of its own since.
    fn is_taken_back(&self, host: f64) -> bool {
        // NaN: there is no host.
        let knows = !host.is_nan() && !self.host.is_nan();
        knows && host != self.host && host != self.value && !self.answers.contains(&host)
    }
}

/// A value as a host has it that was told it: hosts keep 0 to 1 as f32.
fn as_the_host_has_it(control: ControlId, value: f64) -> f64 {
    let entry = control.control();
    entry.from_normalized(f64::from(entry.to_normalized(value) as f32))
}

#[derive(Default)]
struct State {
    settings: Settings,
    consent: Consent,
    map: MidiMap,
    player: Player,
    learner: Learner,
    tracker: Tracker,
    head: Head,
    line: Option<OverrideLine>,
    nodes: HashMap<String, NodeParam>,
    brought: Brought,
    audio: Option<AudioEnd>,
    /// The audio thread has an older map.
    outdated: bool,
    overrides: BTreeMap<ControlId, Held>,
    /// The engine has not been told of them.
    untold: bool,
    commands: VecDeque<Command>,
    /// The head moves by itself, or will.
    stirs: bool,
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
    /// Where it goes round in circles.
    own: bool,
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
        state.brought.attach(engine.insert_places());
        state.take_declared();
        state.line = engine.take_overrides_line();
        self.tell(&mut state);
    }

    /// An insert is about to be given this node, or none: its parameters are played from outside from now on, and go on
    /// where a node of its name had been brought to. To be called before the node is sent.
    pub fn bring(&self, insert: usize, node: Option<&mut Prepared>) {
        let mut state = self.state();
        state.brought.bring(insert, node);
        state.take_declared();
        drop(state);
        // The audio thread is to hear of it.
        self.wake();
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

    /// Keeps in a folder what the user allows beyond this machine, and takes what has been allowed before.
    pub fn keep_consent_in(&self, folder: &std::path::Path) {
        self.state().consent.keep_in(folder);
        self.changes.fetch_add(1, Ordering::Release);
        self.wake();
    }

    /// The user of this machine allows it, here and from now on.
    pub fn allow(&self, ask: Ask) {
        let kept = self.state().consent.allow(ask);
        if let Err(why) = kept {
            self.say(why);
        }
        self.changes.fetch_add(1, Ordering::Release);
        self.wake();
    }

    /// Whether somebody has allowed it.
    pub(super) fn may(&self, ask: Ask) -> bool {
        self.state().consent.has(ask)
    }

    /// The user of this machine changes them, and allows what of the change reaches beyond it; ports open and close soon
    /// after. What a project said is not allowed by changing something else.
    pub fn edit(&self, edit: impl FnOnce(&mut Settings)) {
        let mut state = self.state();
        let before = state.settings.clone();
        edit(&mut state.settings);
        state.settings = std::mem::take(&mut state.settings).usable();
        let now = &state.settings;
        // Who has the network already takes it along to another port.
        let had = before
            .asks()
            .into_iter()
            .any(|ask| matches!(ask, Ask::Listen(_)) && state.consent.has(ask));
        let new = now.asks().into_iter().filter(|ask| match ask {
            Ask::Listen(_) => now.anywhere && (!before.anywhere || had),
            Ask::Tell(_) => now.feedback_to != before.feedback_to,
        });
        let new: Vec<Ask> = new.filter(|ask| !state.consent.has(*ask)).collect();
        let kept: Vec<_> = new
            .into_iter()
            .map(|ask| state.consent.allow(ask))
            .collect();
        state.restored.remove("osc");
        state.take_settings();
        self.turn(&state);
        drop(state);
        kept.into_iter()
            .filter_map(Result::err)
            .for_each(|why| self.say(why));
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

    /// What waits for a controller.
    pub fn learning(&self) -> Option<Moves> {
        self.state().learner.wanted().cloned()
    }

    /// The direction in which the head looks now is the front.
    pub fn recenter(&self) {
        let mut state = self.state();
        state.head.recenter(now());
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
            overrides: (state.overrides.iter())
                .filter(|(id, held)| !held.is_taken_back(self.host(**id)))
                .map(|(id, held)| (*id, held.value))
                .collect(),
            asks: state.consent.lacks(&state.settings),
        }
    }

    /// How the tracked head is turned; `None` until a tracker has spoken.
    pub fn head(&self) -> Option<Quat> {
        self.state().head.at(now())
    }

    /// What an editor shows of all this and of the host's values, for comparison: with the tracked head where that is in
    /// sight, and with the counts of what has come.
    pub(crate) fn sight(&self, head: bool, counts: bool, into: &mut impl Hasher) {
        for control in ControlId::all() {
            self.host(control).to_bits().hash(into);
        }
        let state = self.state();
        state.ports.hash(into);
        for (control, held) in &state.overrides {
            (control.index(), held.value.to_bits()).hash(into);
        }
        state.learner.wanted().is_some().hash(into);
        state.map.entries.len().hash(into);
        state.head.source(0.0).is_some().hash(into);
        if counts {
            (state.understood, state.malformed, state.refused).hash(into);
        }
        state.consent.lacks(&state.settings).len().hash(into);
        if head {
            let head = state.head.at(now()).map(Quat::turns);
            // In tenths of a degree.
            head.map(|turns| turns.map(|turn| (10.0 * turn).round() as i64))
                .hash(into);
        }
    }

    /// The value of a control that is held from outside, until the host has it or has said another.
    pub fn held(&self, control: ControlId) -> Option<f64> {
        let state = self.state();
        let held = state.overrides.get(&control)?;
        (!held.is_taken_back(self.host(control))).then_some(held.value)
    }

    /// What a control is at: as it is held, or as the host has it.
    pub fn in_force(&self, control: ControlId) -> f64 {
        self.value(&self.state(), control)
    }

    /// All that is held, and the number of the last value that the engine was sent: what comes later is newer.
    pub fn held_and_count(&self) -> (BTreeMap<ControlId, f64>, u64) {
        let mut state = self.state();
        self.hear_audio(&mut state);
        let held = state.overrides.iter().map(|(id, held)| (*id, held.value));
        (held.collect(), state.count())
    }

    /// Whether there are values for [`Desk::take_for_host`].
    pub fn waits_for_host(&self) -> bool {
        self.state().overrides.values().any(|held| !held.given)
    }

    /// Hands over all values that are held from outside and new, to be written to the host as gestures. They are held
    /// until the host says them: until then it repeats older ones. For an open editor, once a frame.
    pub fn take_for_host(&self) -> Vec<(ControlId, f64)> {
        let mut state = self.state();
        let State {
            overrides, line, ..
        } = &mut *state;
        let mut taken = Vec::new();
        for (control, held) in overrides.iter_mut().filter(|(_, held)| !held.given) {
            if held.is_taken_back(self.host(*control)) {
                continue;
            }
            held.given = true;
            let value = as_the_host_has_it(*control, held.value);
            held.answers.push(value);
            if held.answers.len() > GIVEN {
                held.answers.remove(0);
            }
            // Before the host can say it.
            if let Some(line) = line {
                line.send(Override::Given {
                    control: *control,
                    value,
                });
            }
            taken.push((*control, held.value));
        }
        taken
    }

    /// Holds a control at a value, until the host says something else.
    pub fn hold(&self, control: ControlId, value: f64) {
        self.set(&mut self.state(), control, value);
    }

    fn set(&self, state: &mut State, control: ControlId, value: f64) {
        let host = self.host(control);
        self.note(state, control, value, host);
        if let Some(line) = &mut state.line {
            // Where the line is full the newest value waits.
            line.send(Override::Control {
                control,
                value,
                host,
            });
        }
    }

    fn note(&self, state: &mut State, control: ControlId, value: f64, host: f64) {
        state.restored.remove("osc");
        let before = state.overrides.remove(&control);
        let held = Held {
            value,
            host,
            given: false,
            answers: before.map(|held| held.answers).unwrap_or_default(),
        };
        state.overrides.insert(control, held);
    }

    /// Forgets all values that are held: a whole sound comes. Gives the number of the last of them, up to which that
    /// sound ends the engine's holds.
    pub fn release(&self) -> u64 {
        let mut state = self.state();
        // What the audio thread has moved is of before, too.
        self.hear_audio(&mut state);
        state.let_go();
        state.count()
    }

    /// Lets go of all that is held: each control goes back to what the host has it at.
    pub fn give_back(&self) {
        let mut state = self.state();
        self.hear_audio(&mut state);
        let known = state.let_go();
        let Some(line) = &mut state.line else { return };
        let holds = line.holds().clone();
        for control in ControlId::all() {
            if known.contains_key(&control) || holds.holds(control) {
                let host = self.host(control);
                line.send(Override::Release { control, host });
            }
        }
    }

    /// Tells the engine again what is held.
    pub fn resend(&self) {
        self.tell(&mut self.state());
    }

    fn tell(&self, state: &mut State) {
        for (control, held) in state.overrides.clone() {
            self.set(state, control, held.value);
        }
        state.untold = false;
    }

    /// What others than the engine have to do.
    pub fn take_commands(&self) -> Vec<Command> {
        self.state().commands.drain(..).collect()
    }

    /// What is to be done now and then: hears what the audio thread has to say, sends it what has been learned,
    /// forgets values that the host has or has replaced, lets the head move by itself. Tells whether it does: then
    /// this is to be called some hundred times a second.
    pub fn round(&self) -> bool {
        let mut state = self.state();
        self.hear_audio(&mut state);
        if let Some(line) = &mut state.line {
            line.flush();
        }
        let before = state.overrides.len();
        state.overrides.retain(|control, held| {
            let has_it = || self.host(*control) == as_the_host_has_it(*control, held.value);
            !(held.given && has_it())
        });
        let line = state.line.as_ref().filter(|line| line.is_settled());
        if let Some(line) = line.filter(|_| !state.untold) {
            let holds = line.holds().clone();
            state.overrides.retain(|control, _| holds.holds(*control));
        }
        if state.overrides.len() != before {
            state.restored.remove("osc");
        }
        self.stir(&mut state)
    }

    /// Lets a head move that moves by itself; tells whether there is one.
    pub(super) fn tick(&self) -> bool {
        self.stir(&mut self.state())
    }

    /// Whether the head moves by itself, or will.
    pub(super) fn stirs(&self) -> bool {
        self.state().stirs
    }

    fn stir(&self, state: &mut State) -> bool {
        let stir = state.head.stirs(now());
        if stir == Stir::Now {
            self.turn(state);
        }
        state.stirs = stir != Stir::Rests;
        state.stirs
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
        let stirs = state.head.stirs(now()) != Stir::Rests;
        let stirred = std::mem::replace(&mut state.stirs, stirs);
        if state.stirs && !stirred {
            // Somebody has to move it between what the tracker says.
            self.wake();
        }
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
                None if self.declared(&mut state, message) => state.understood += 1,
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

    /// Does what a node in an insert has declared for an address; tells whether one has.
    fn declared(&self, state: &mut State, message: &Message) -> bool {
        let all = state.brought.heard(message);
        for (param, value) in &all {
            self.set_insert(state, *param, *value);
        }
        !all.is_empty()
    }

    /// Sets a parameter of a node in an insert: by its macro, where it has one.
    fn set_insert(&self, state: &mut State, param: InsertParam, value: f64) {
        match param.to {
            InsertTarget::Macro(control) => {
                if let Some(range) = state.brought.range(param) {
                    let position = control.control().snap(range.position(value));
                    self.set(state, control, position);
                }
            }
            InsertTarget::Node(at) => {
                state.brought.remember(param, value);
                if let Some(line) = &mut state.line {
                    line.send(Override::Node { at, value });
                }
            }
        }
    }

    /// Does what it can; tells whether somebody else has to.
    fn obey(&self, state: &mut State, command: Command) -> bool {
        match command {
            Command::Set(control, value) => self.set(state, control, value),
            Command::Recenter => {
                state.head.recenter(now());
                self.turn(state);
            }
            Command::LetGo => {}
            Command::Node { node, param, value } => {
                let name = format!("{node}/{param}");
                let brought = state.brought.named(&node, &param);
                match (state.nodes.get(&name).copied(), &mut state.line) {
                    (Some(at), Some(line)) => {
                        line.send(Override::Node { at, value });
                    }
                    (None, Some(_)) if value.is_finite() && !brought.is_empty() => {
                        for param in brought {
                            self.set_insert(state, param, value);
                        }
                    }
                    _ => {
                        state.refused += 1;
                        let name = shorten(&name);
                        let instead = instead(&name, state.nodes.keys().map(String::as_str));
                        state.last_refused =
                            format!("there is no node's parameter \"{name}\"{instead}");
                    }
                }
            }
            other => {
                // A flood of presets is one preset: each would hold the worker up.
                let kind = std::mem::discriminant(&other);
                state
                    .commands
                    .retain(|waits| std::mem::discriminant(waits) != kind);
                state.commands.push_back(other);
                return true;
            }
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
        let mut all: ArrayVec<Moved, MOST_MOVED> = ArrayVec::new();
        let mut player = std::mem::take(&mut state.player);
        let value = |control| self.value(&state, control);
        player.hear(message, value, |moved| {
            let _ = all.try_push(moved);
        });
        state.player = player;
        let mut wake = false;
        for moved in all {
            match moved {
                Moved::Control(control, value) => self.set(&mut state, control, value),
                Moved::Insert(param, value) => self.set_insert(&mut state, param, value),
                Moved::Entry(key) => wake |= self.entry(&mut state, key),
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
            if state.map.learn(learned) {
                state.take_map();
            } else {
                self.say(format!(
                    "{MOST} things are learned already, and the map holds no more: forget one of them, and learn again"
                ));
            }
        }
    }

    /// What a control is at: as it is held, or as the host has it.
    fn value(&self, state: &State, control: ControlId) -> f64 {
        let host = self.host(control);
        match state.overrides.get(&control) {
            Some(held) if !held.is_taken_back(host) => held.value,
            _ => host,
        }
    }

    fn entry(&self, state: &mut State, key: u64) -> bool {
        // One that is not learned any more, or moves something else by now, was meant otherwise.
        let mut entries = state.map.entries.iter();
        let entry = entries.find(|entry| entry.key() == key);
        match entry.map(|entry| entry.moves.clone()) {
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
                Heard::Control(control, value, host) => self.note(state, control, value, host),
                Heard::Insert(param, value) => state.brought.remember(param, value),
                Heard::Entry(key) => {
                    self.entry(state, key);
                }
            }
        }
        if end.lost.swap(false, Ordering::AcqRel)
            && let Some(line) = &state.line
        {
            let holds = line.holds().clone();
            for control in ControlId::all() {
                let known = state.overrides.get(&control).map(|held| held.value);
                if let Some(value) = holds.value(control).filter(|value| known != Some(*value)) {
                    let host = self.host(control);
                    self.note(state, control, value, host);
                }
            }
        }
        if state.outdated && end.to.push(Box::new(state.new_player())).is_ok() {
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

    /// Tells whoever listens what has changed, through `send`. What `is_own` says is this port itself is told nothing.
    pub(super) fn feed_back(
        &self,
        is_own: impl Fn(SocketAddr) -> bool,
        mut send: impl FnMut(&[u8], SocketAddr),
    ) {
        let mut state = self.state();
        if !state.settings.feedback {
            return;
        }
        let now = now();
        let set = state.settings.feedback_to;
        if set.is_some_and(|to| !state.consent.has(Ask::Tell(to))) {
            return;
        }
        let to = set.or(state.sender);
        let due = now - state.feedback.when >= 1.0 / state.settings.feedback_rate;
        let (Some(to), true) = (to, due) else { return };
        if state.feedback.to != Some(to) {
            // Somebody new is told everything.
            state.feedback.told = vec![None; ControlId::all().count()];
            state.feedback.to = Some(to);
            state.feedback.own = is_own(to);
            if state.feedback.own {
                self.say(format!(
                    "feedback to {to} is not sent: that is the port that OSC is heard at, which would hear itself. \
                     Choose the port of the program that is to be told."
                ));
            }
        }
        if state.feedback.own {
            return;
        }
        state.feedback.when = now;
        let mut sent = 0;
        for control in ControlId::all() {
            let value = self.value(&state, control);
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
            .filter(|(id, held)| !held.is_taken_back(self.host(**id)))
            .map(|(id, held)| (id.control().id.to_owned(), held.value))
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
        state.consent.read();
        let lacks = state.consent.lacks(&state.settings);
        state.overrides = osc
            .overrides
            .iter()
            .filter_map(|(id, value)| {
                let id = ControlId::parse(id).ok()?;
                let held = Held {
                    value: id.control().snap(*value),
                    host: self.host(id),
                    given: false,
                    answers: Vec::new(),
                };
                value.is_finite().then_some((id, held))
            })
            .collect();
        state.untold = true;
        state.map = map.unwrap_or_default().usable();
        state.take_settings();
        state.take_map();
        state.restored = saved;
        drop(state);
        let asks = lacks.iter().map(|ask| {
            format!(
                "this project asks to {ask}; it does not until you allow that on the Control page"
            )
        });
        for text in wrong.into_iter().chain(asks) {
            self.say(text);
        }
        self.changes.fetch_add(1, Ordering::Release);
        self.wake();
    }
}

impl State {
    /// Gives away what is held.
    fn let_go(&mut self) -> BTreeMap<ControlId, Held> {
        if !self.overrides.is_empty() {
            self.restored.remove("osc");
        }
        std::mem::take(&mut self.overrides)
    }

    /// The number of the last value that the engine was sent.
    fn count(&self) -> u64 {
        self.line.as_ref().map_or(0, OverrideLine::count)
    }

    fn take_settings(&mut self) {
        (self.tracker.order, self.tracker.mr_mode) = (self.settings.order, self.settings.mr_mode);
        self.head.set(self.settings.head);
    }

    fn new_player(&self) -> Player {
        Player::new(&self.map).with(self.brought.declared())
    }

    fn take_declared(&mut self) {
        self.player = self.new_player();
        self.outdated = true;
    }

    fn take_map(&mut self) {
        self.take_declared();
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
