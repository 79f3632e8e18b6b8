//! What one instance and its editor share: messages, telemetry, the window's size and the wish to redraw.

use super::browse::Asker;
use super::hrtf::{HrtfChoice, HrtfState, Loading};
use super::insert::{INSERTS, InsertChoice, InsertMacro, InsertState, InsertStatus};
use super::messages::Messages;
use crate::control::Desk;
use crate::engine::Telemetry;
use crate::protocol::{Held, History, Protocol};
use nice_plug_egui::RepaintNotifier;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// A sleeping window is woken at most this often.
const WAKE: Duration = Duration::from_millis(33);

/// Peaks below -100 dBFS count as silence: no meter shows them.
pub(super) const AUDIBLE: f32 = 1e-5;

/// Size and look of the editor's window; persisted in the plugin's state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EditorSize {
    /// Width in points of the editor: the window's logical points by the zoom.
    pub width: f32,
    /// Height, likewise.
    pub height: f32,
    /// Theme and zoom.
    #[serde(flatten, default)]
    pub look: Look,
}

/// How the editor looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Light in place of dark.
    #[serde(default, skip_serializing_if = "is_dark")]
    pub light: bool,
    /// Magnification, 0.75 to 2.
    #[serde(default = "unzoomed", skip_serializing_if = "is_unzoomed")]
    pub zoom: f32,
}

// What is as ever is not written: states of before stay the same to the byte.
fn is_dark(light: &bool) -> bool {
    !light
}

fn is_unzoomed(zoom: &f32) -> bool {
    *zoom == 1.0
}

fn unzoomed() -> f32 {
    1.0
}

impl Look {
    /// The zooms that can be used.
    pub const ZOOMS: std::ops::RangeInclusive<f32> = 0.75..=2.0;

    /// The nearest usable look.
    pub fn usable(self) -> Look {
        let zoom = if self.zoom.is_finite() {
            self.zoom
        } else {
            1.0
        };
        Look {
            zoom: zoom.clamp(*Self::ZOOMS.start(), *Self::ZOOMS.end()),
            ..self
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Look {
            light: false,
            zoom: 1.0,
        }
    }
}

impl EditorSize {
    /// The smallest size at which everything can be reached.
    pub const MIN: EditorSize = EditorSize {
        width: 760.0,
        height: 500.0,
        look: Look {
            light: false,
            zoom: 1.0,
        },
    };
    /// A bound against nonsense in a state.
    pub const MAX: EditorSize = EditorSize {
        width: 4096.0,
        height: 4096.0,
        look: Look {
            light: false,
            zoom: 1.0,
        },
    };

    /// The nearest usable size; what is not finite becomes the default.
    pub fn usable(self) -> EditorSize {
        if !(self.width.is_finite() && self.height.is_finite()) {
            return EditorSize {
                look: self.look.usable(),
                ..EditorSize::default()
            };
        }
        EditorSize {
            width: self.width.clamp(Self::MIN.width, Self::MAX.width),
            height: self.height.clamp(Self::MIN.height, Self::MAX.height),
            look: self.look.usable(),
        }
    }
}

impl Default for EditorSize {
    fn default() -> Self {
        EditorSize {
            width: 1100.0,
            height: 720.0,
            look: Look::default(),
        }
    }
}

/// What a session holds beside its parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionState {
    /// The timeline, if any.
    pub protocol: Option<Arc<Protocol>>,
    /// The preset that was loaded last.
    pub name: String,
    /// Parts of a state that are reserved for later versions: kept as they are, JSON by key.
    pub reserved: BTreeMap<String, String>,
    /// Grows with every change.
    pub changes: u64,
}

/// The engine's graph, for a picture of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// As JSON: nodes and connections.
    pub description: serde_json::Value,
    /// The names of all places in the order they run.
    pub places: Vec<String>,
}

/// What one instance and its editor share. No lock in it is ever taken by the audio thread.
#[derive(Default)]
pub struct Link {
    /// What the instance has to say.
    pub messages: Messages,
    /// What comes from outside: OSC, MIDI, head trackers.
    pub control: Arc<Desk>,
    telemetry: RwLock<Option<Arc<Telemetry>>>,
    chain: Mutex<Option<Arc<Chain>>>,
    size: Mutex<EditorSize>,
    hrtf: Mutex<HrtfState>,
    session: Mutex<SessionState>,
    history: Mutex<History>,
    loading: Mutex<Option<Arc<Loading>>>,
    inserts: Mutex<[InsertState; INSERTS]>,
    /// What they held when it was last asked.
    held: Mutex<[Option<Arc<Held>>; INSERTS]>,
    insert_names: Mutex<Arc<[Vec<String>; INSERTS]>>,
    /// What asks for files in place of the system's own dialog.
    asker: Mutex<Option<Arc<Asker>>>,
    repaint: RepaintNotifier,
    idle: AtomicBool,
    /// How many whole sounds have been loaded.
    sounds: AtomicU32,
    peaks: [AtomicU32; 4],
    /// What a sleeping window shows: what it looks at, and what it saw there.
    watched: Mutex<(Watch, u64)>,
    /// When it was woken last.
    woken: Mutex<Option<Instant>>,
}

/// What a page shows that moves without sound and without a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Watch {
    /// Where the protocol is.
    pub timeline: bool,
    /// The tracked head.
    pub head: bool,
    /// How much comes from outside.
    pub counts: bool,
}

impl Link {
    /// Says which engine is to be watched from now on. Called when an engine has been made.
    pub fn watch(&self, telemetry: Arc<Telemetry>) {
        *self
            .telemetry
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(telemetry);
        self.repaint.request_repaint();
    }

    /// The telemetry of the engine; none before the host has activated the plugin.
    pub fn telemetry(&self) -> Option<Arc<Telemetry>> {
        self.telemetry
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The window's size.
    pub fn size(&self) -> EditorSize {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the window's size; brought into the usable range.
    pub fn set_size(&self, size: EditorSize) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size.usable();
    }

    /// How the editor looks.
    pub fn look(&self) -> Look {
        self.size().look
    }

    /// Changes that; brought into the usable range.
    pub fn set_look(&self, look: Look) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        size.look = look.usable();
        drop(size);
        self.repaint();
    }

    /// Remembers how large the window is, in points of the editor.
    pub fn set_points(&self, width: f32, height: f32) {
        let look = self.look();
        self.set_size(EditorSize {
            width,
            height,
            look,
        });
    }

    /// The chain as JSON, and its places in the order they run; none before the engine was made.
    pub fn chain(&self) -> Option<Arc<Chain>> {
        self.chain
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Says how the chain is made up.
    pub fn set_chain(&self, chain: Chain) {
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(chain));
    }

    /// Which head-related filters are chosen, and which sound.
    pub fn hrtf(&self) -> HrtfState {
        self.hrtf
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Chooses a SOFA file, or the embedded set; the worker takes it up. Another file that is being loaded is
    /// given up.
    pub fn choose_hrtf(&self, choice: Option<HrtfChoice>) {
        let mut other = false;
        self.edit_hrtf(|hrtf| {
            let path = |choice: &Option<HrtfChoice>| choice.as_ref().map(|c| c.path.clone());
            other = path(&hrtf.choice) != path(&choice);
            // Tried anew, whichever it is.
            hrtf.wrong = None;
            hrtf.choice = choice;
            hrtf.asked += 1;
        });
        if let Some(loading) = self.loading().filter(|_| other) {
            (loading.replace)();
        }
    }

    /// Goes back to the embedded set, if this file is still the chosen one.
    pub fn give_up_hrtf(&self, path: &Path) {
        self.edit_hrtf(|hrtf| {
            if hrtf
                .choice
                .as_ref()
                .is_some_and(|choice| choice.path == path)
            {
                hrtf.choice = None;
                hrtf.wrong = None;
            }
        });
    }

    /// Says why the chosen file does not sound, or that it does.
    pub fn set_hrtf_wrong(&self, wrong: Option<String>) {
        self.edit_hrtf(|hrtf| hrtf.wrong = wrong);
    }

    /// Remembers the content of the file that is chosen, if it still is.
    pub fn set_hrtf_hash(&self, path: &Path, hash: &str) {
        self.edit_hrtf(|hrtf| {
            if let Some(choice) = hrtf.choice.as_mut().filter(|choice| choice.path == path) {
                choice.hash = Some(hash.to_owned());
            }
        });
    }

    /// Says what sounds.
    pub fn set_hrtf_name(&self, name: String) {
        self.edit_hrtf(|hrtf| hrtf.name = name);
    }

    /// The timeline and what else is saved beside the parameters.
    pub fn session(&self) -> SessionState {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes it.
    pub fn edit_session(&self, edit: impl FnOnce(&mut SessionState)) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        edit(&mut session);
        session.changes += 1;
        drop(session);
        self.repaint();
    }

    /// How many whole sounds (presets, takes, states) have been loaded, in a ring.
    pub fn sounds(&self) -> u32 {
        self.sounds.load(Relaxed)
    }

    /// A whole sound is loaded.
    pub fn sound_comes(&self) {
        self.sounds.fetch_add(1, Relaxed);
    }

    /// Undo, redo and the two sounds that are compared.
    pub fn history<T>(&self, act: impl FnOnce(&mut History) -> T) -> T {
        act(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The set that is being loaded.
    pub fn loading(&self) -> Option<Arc<Loading>> {
        self.loading
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Says that a set is being loaded, or not any more.
    pub fn set_loading(&self, loading: Option<Arc<Loading>>) {
        *self.loading.lock().unwrap_or_else(PoisonError::into_inner) = loading;
        self.repaint();
    }

    /// What an insert holds.
    pub fn insert(&self, insert: usize) -> InsertState {
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        inserts.get(insert).cloned().unwrap_or_default()
    }

    /// What a macro of an insert moves, if anything.
    pub fn insert_macro(&self, insert: usize, number: usize) -> Option<InsertMacro> {
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        inserts.get(insert)?.macros.get(number).cloned()
    }

    /// Looks at an insert without a copy of what it holds.
    pub fn with_insert<T>(&self, insert: usize, look: impl FnOnce(&InsertState) -> T) -> T {
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        match inserts.get(insert) {
            Some(state) => look(state),
            None => look(&InsertState::default()),
        }
    }

    /// What a project keeps of both.
    pub fn inserts_kept(&self) -> [Option<InsertChoice>; INSERTS] {
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        inserts.each_ref().map(|state| state.kept().cloned())
    }

    /// What both are to hold.
    pub fn insert_choices(&self) -> [Option<InsertChoice>; INSERTS] {
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        inserts.each_ref().map(|state| state.choice.clone())
    }

    /// What both hold, to go back to.
    pub fn held(&self) -> [Option<Arc<Held>>; INSERTS] {
        let inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (held, state) in held.iter_mut().zip(inserts.iter()) {
            let same = match (held.as_deref(), &state.choice) {
                (None, None) => true,
                (Some(held), Some(choice)) => {
                    held.choice == *choice && held.consent == state.consent
                }
                _ => false,
            };
            // One of many takes that remember it: a source may be long.
            if !same {
                *held = state.choice.as_ref().map(|choice| {
                    Arc::new(Held {
                        choice: choice.clone(),
                        consent: state.consent,
                    })
                });
            }
        }
        held.clone()
    }

    /// Chooses what an insert is to hold. What is chosen by the user may be compiled; what a project brings may not
    /// until the user says so. Where what the user chooses cannot be had, what was before comes back.
    pub fn choose_insert(&self, insert: usize, choice: Option<InsertChoice>, consent: bool) {
        self.edit_insert(insert, |state| {
            state.before = state.stands().filter(|_| consent && choice.is_some());
            state.refused = None;
            state.choice = choice;
            state.consent = consent;
            (state.asked, state.allowed) = (None, None);
            state.needs.clear();
            state.fresh = None;
            // It is to come.
            state.status = InsertStatus::Empty;
            state.changes += 1;
        });
    }

    /// Changes what is known of an insert.
    pub fn edit_insert(&self, insert: usize, edit: impl FnOnce(&mut InsertState)) {
        let mut inserts = self.inserts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = inserts.get_mut(insert) {
            edit(state);
        }
        drop(inserts);
        self.repaint();
    }

    /// Asks for files in another way than by the system's own dialog: for hosts that have one, and for tests.
    pub fn ask_by(&self, asker: Box<Asker>) {
        *self.asker.lock().unwrap_or_else(PoisonError::into_inner) = Some(asker.into());
    }

    pub(super) fn asker(&self) -> Option<Arc<Asker>> {
        self.asker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The names of the built-in nodes that each insert can hold.
    pub fn insert_names(&self) -> Arc<[Vec<String>; INSERTS]> {
        self.insert_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Says which those are.
    pub fn set_insert_names(&self, names: [Vec<String>; INSERTS]) {
        *self
            .insert_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }

    fn edit_hrtf(&self, edit: impl FnOnce(&mut HrtfState)) {
        edit(&mut self.hrtf.lock().unwrap_or_else(PoisonError::into_inner));
        self.repaint();
    }

    /// Asks an open editor to draw itself anew.
    pub fn repaint(&self) {
        self.repaint.request_repaint();
    }

    /// The flag that the window polls.
    pub(super) fn notifier(&self) -> RepaintNotifier {
        self.repaint.clone()
    }

    /// The panel says whether it sleeps: nothing moves, so it does not draw until it is woken; and what it shows.
    pub(super) fn set_idle(&self, idle: bool, watch: Watch, sight: u64) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = (watch, sight);
        self.idle.store(idle, Relaxed);
    }

    /// What a window shows that somebody else than its user changes, for comparison: parameters, messages, the session,
    /// what comes from outside.
    pub(super) fn sight(&self, watch: Watch) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.messages.changes().hash(&mut hasher);
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.changes.hash(&mut hasher);
        drop(session);
        self.control.sight(watch.head, watch.counts, &mut hasher);
        if let Some(telemetry) = self.telemetry().filter(|_| watch.timeline) {
            // In tenths of a second.
            let place = telemetry.protocol().map(|at| (10.0 * at).round() as i64);
            let led = !telemetry.protocol_by_itself();
            (place, telemetry.protocol_runs(), led).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Looks for the panel, while it sleeps, whether something sounds, moves or is not as it shows it; wakes it then.
    /// Called by the worker some ten times a second, so that a silent editor costs nothing.
    pub fn wake_if_something_moves(&self) {
        if !self.idle.load(Relaxed) {
            return;
        }
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        if woken.is_some_and(|woken| woken.elapsed() < WAKE) {
            return;
        }
        let (watch, shown) = *self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wake = self.sight(watch) != shown;
        // An open editor writes what is held from outside to the host.
        wake |= self.control.waits_for_host();
        if let Some(telemetry) = self.telemetry() {
            let [il, ir] = telemetry.take_input_peaks();
            let [ol, or] = telemetry.take_output_peaks();
            for (slot, peak) in self.peaks.iter().zip([il, ir, ol, or]) {
                // The panel gets the peaks that it would have read itself.
                slot.fetch_max(peak.to_bits(), Relaxed);
                wake |= peak > AUDIBLE;
            }
        }
        if wake {
            *woken = Some(Instant::now());
            self.idle.store(false, Relaxed);
            self.repaint();
        }
    }

    /// Highest samples since the last call, linear: input left, right, output left, right.
    pub(super) fn take_peaks(&self) -> [f32; 4] {
        let mut peaks = self
            .peaks
            .each_ref()
            .map(|slot| f32::from_bits(slot.swap(0, Relaxed)));
        if let Some(telemetry) = self.telemetry() {
            let [il, ir] = telemetry.take_input_peaks();
            let [ol, or] = telemetry.take_output_peaks();
            for (peak, new) in peaks.iter_mut().zip([il, ir, ol, or]) {
                *peak = peak.max(new);
            }
        }
        peaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_always_usable() {
        let link = Link::default();
        link.set_size(EditorSize {
            width: f32::NAN,
            height: 10.0,
            look: Look::default(),
        });
        assert_eq!(link.size(), EditorSize::default());
        link.set_size(EditorSize {
            width: 1.0,
            height: 1e9,
            look: Look::default(),
        });
        assert_eq!(
            link.size(),
            EditorSize {
                width: 760.0,
                height: 4096.0,
                look: Look::default(),
            }
        );
    }

    #[test]
    fn a_sleeping_editor_is_woken_by_what_it_does_not_show_yet_and_by_nothing_else() {
        let link = Link::default();
        let host = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let theirs = host.clone();
        link.control.belong(crate::control::Hooks {
            host: Box::new(move |_| f64::from_bits(theirs.load(Relaxed))),
            say: Box::new(|_| ()),
            wake: Box::new(|| ()),
        });
        link.watch(Arc::new(crate::engine::Telemetry::default()));
        let [head, counts] = [false, true].map(|counts| Watch {
            head: !counts,
            counts,
            ..Watch::default()
        });
        let wakes = |watch: Watch, change: &mut dyn FnMut()| {
            link.set_idle(true, watch, link.sight(watch));
            // As if the last time were long ago.
            *link.woken.lock().unwrap() = None;
            link.wake_if_something_moves();
            assert!(link.idle.load(Relaxed), "nothing has changed");
            change();
            link.wake_if_something_moves();
            !link.idle.load(Relaxed)
        };
        let none = Watch::default();
        assert!(!wakes(none, &mut || ()));
        assert!(wakes(none, &mut || link.messages.post("hello")));
        assert!(wakes(none, &mut || host.store(1.5f64.to_bits(), Relaxed)));
        assert!(wakes(none, &mut || link
            .control
            .hold(crate::engine::controls::BEAT, 7.0)));
        link.control.take_for_host();
        // A tracker moves what the pages of space and control show, and no other.
        let mut yaw = 0;
        let mut turn = || {
            yaw += 5;
            link.control
                .midi(&[0xF0, 0x00, 0x21, 0x42, 0x40, 0, yaw, 0, 0, 0, 0, 0, 0xF7]);
        };
        turn();
        assert!(wakes(head, &mut turn) && wakes(counts, &mut turn));
        assert!(!wakes(none, &mut turn));
        // However much changes, it is not woken more often than it can be looked at.
        assert!(wakes(none, &mut || link.messages.post("one")));
        link.set_idle(true, none, 0);
        link.wake_if_something_moves();
        assert!(link.idle.load(Relaxed), "at once again");
    }
}
