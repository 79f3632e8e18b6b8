//! The nodes of inserts A and B of one instance: what its state asks for, made off the audio thread.
//!
//! What is built in, or has been compiled here before, is brought wherever it is asked for, before a host goes on.
//! Compiling takes seconds and has a thread of its own, which looks at the files meanwhile. What a project brings is
//! compiled only after the user has said so; nothing of it runs before.

use crate::editor::Link;
use crate::editor::insert::{InsertChoice, InsertMacro, InsertState, InsertStatus, LONGEST_SOURCE};
use crate::engine::{Engine, InsertLine, Prepared};
use crate::live::{self, Bring, CHECKER, LiveNode, Tripped, Workshop};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often files are looked at.
const ROUND: Duration = Duration::from_millis(250);

/// In how many rounds a file is read again although nothing about it seems to have changed: what it includes may have.
const REREAD: u32 = 4;

/// Larger files are read again only when they seem to have changed.
const SMALL: u64 = 1 << 20;

/// No node is larger, in bytes.
const LARGEST: u64 = 64 << 20;

/// Inserts as people call them.
const NAMES: [&str; 2] = ["insert A", "insert B"];

/// What brings one instance's engine its nodes. No lock in it is ever taken by the audio thread.
pub(super) struct Inserts {
    link: Arc<Link>,
    desk: Mutex<Desk>,
    workshop: OnceLock<Result<Workshop, String>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: Arc<AtomicBool>,
    wake: Condvar,
}

#[derive(Default)]
struct Desk {
    lines: Option<[InsertLine; 2]>,
    channels: [usize; 2],
    rate: f64,
    slots: [Slot; 2],
    /// Grows with every engine.
    engine: u64,
}

/// What the engine has, or is on its way.
#[derive(Debug, Clone, Default, PartialEq)]
enum Key {
    #[default]
    Nothing,
    Builtin(String),
    File(PathBuf, u128),
}

#[derive(Default)]
struct Slot {
    sent: Key,
    /// The choice that it was sent for.
    sent_for: u64,
    /// What found no room in the line.
    unsent: Option<Option<Box<Prepared>>>,
    /// What could not be made.
    failed: Option<(Key, u64)>,
    tripped: Option<Tripped>,
    file: Option<Seen>,
    /// The choice of which has been said that its file says something else.
    said_other: Option<u64>,
}

/// A file as it was seen last.
struct Seen {
    path: PathBuf,
    stamp: Stamp,
    content: u128,
    rounds: u32,
}

/// Length and time of change.
type Stamp = (u64, Option<SystemTime>);

fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((about.len(), about.modified().ok()))
}

impl Slot {
    /// The content of a file, read again when it seems to be another, and now and then.
    fn content(&mut self, path: &Path) -> Result<u128, String> {
        let now =
            stamp(path).ok_or_else(|| format!("{}: there is no such file", path.display()))?;
        if now.0 > LARGEST {
            return Err(format!("{}: it is too large for a node", path.display()));
        }
        if let Some(seen) = self.file.as_mut().filter(|seen| seen.path == path) {
            seen.rounds += 1;
            let again = seen.rounds.is_multiple_of(REREAD) && now.0 <= SMALL;
            if seen.stamp == now && !again {
                return Ok(seen.content);
            }
        }
        let content = Workshop::content(path).map_err(|error| error.to_string())?;
        self.file = Some(Seen {
            path: path.to_owned(),
            stamp: now,
            content,
            rounds: 0,
        });
        Ok(content)
    }
}

/// Where a node of a file comes from, this round.
enum Found {
    /// It sounds, or has failed, already.
    Done,
    /// It has been made here before.
    Known(LiveNode, Key),
    /// It has to be compiled, of this file.
    Unknown(PathBuf, Key),
}

impl Inserts {
    /// For an instance.
    pub fn new(link: Arc<Link>) -> Inserts {
        Inserts {
            link,
            desk: Mutex::default(),
            workshop: OnceLock::new(),
            thread: Mutex::default(),
            stop: Arc::default(),
            wake: Condvar::new(),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on supplies this engine, and nothing that came before.
    pub fn attach(&self, engine: &mut Engine) {
        let mut desk = self.desk();
        *desk = Desk {
            lines: engine.take_inserts(),
            channels: engine.insert_channels(),
            rate: engine.sample_rate(),
            engine: desk.engine + 1,
            ..Desk::default()
        };
        self.link.set_insert_names(desk.channels.map(live::names));
    }

    /// Brings what needs no compiler. Never on the audio thread.
    pub fn bring_known(&self) {
        self.round(false);
    }

    /// Has a thread see to the inserts, if there is anything to see to.
    pub fn look(self: &Arc<Self>) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = self.link.insert_choices().iter().all(Option::is_none);
        if thread.is_some() || idle || self.stop.load(Ordering::SeqCst) {
            return;
        }
        let theirs = self.clone();
        let spawned = std::thread::Builder::new()
            .name("zeitgeber-inserts".to_owned())
            .spawn(move || theirs.run());
        match spawned {
            Ok(spawned) => *thread = Some(spawned),
            Err(error) => {
                self.link
                    .messages
                    .post(format!("the system gave no thread for inserts: {error}"));
            }
        }
    }

    fn run(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            self.round(true);
            let desk = self.desk();
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            drop(self.wake.wait_timeout(desk, ROUND));
        }
    }

    /// Ends what is being compiled, and the thread: the instance goes.
    pub fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // With the desk's lock, so that it is either not yet waiting or woken.
        drop(self.desk());
        self.wake.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // One that died has nothing left to say.
            let _ = thread.join();
        }
    }

    fn workshop(&self) -> Result<&Workshop, String> {
        let made = self.workshop.get_or_init(|| {
            // Where the program is missing this is found out when something is to be checked; what has been checked
            // needs it no more.
            let checker = live::checker().unwrap_or_default();
            Workshop::new(checker)
                .map(|workshop| workshop.stopped_by(self.stop.clone()))
                .map_err(|error| error.to_string())
        });
        made.as_ref().map_err(String::clone)
    }

    /// Looks at both inserts.
    fn round(&self, compiles: bool) {
        for insert in 0..NAMES.len() {
            let state = self.link.insert(insert);
            let mut desk = self.desk();
            desk.tend(insert);
            self.tell_trip(insert, &state, &desk);
            if desk.lines.is_none() {
                continue;
            }
            match &state.choice {
                None => self.empty(insert, &state, &mut desk),
                Some(InsertChoice::Node(name)) => {
                    let key = Key::Builtin(name.clone());
                    if desk.is_done(insert, &key, &state) {
                        continue;
                    }
                    let (channels, rate) = (desk.channels[insert], desk.rate);
                    match live::builtin(name, channels, rate) {
                        Ok(bring) => self.deliver(insert, &state, &mut desk, key, bring, name),
                        Err(error) => {
                            self.fail(insert, &state, &mut desk, key, error.to_string());
                        }
                    }
                }
                Some(InsertChoice::File { path, source }) => {
                    let source = source.as_deref();
                    self.serve(insert, &state, desk, path, source, compiles);
                }
            }
        }
    }

    /// An insert that is to hold nothing.
    fn empty(&self, insert: usize, state: &InsertState, desk: &mut Desk) {
        if desk.slots[insert].sent != Key::Nothing {
            self.link.control.bring(insert, None);
            desk.send(insert, None, Key::Nothing, state.changes);
        }
        if state.status != InsertStatus::Empty {
            self.link.edit_insert(insert, |state| {
                state.status = InsertStatus::Empty;
                state.name.clear();
                state.macros.clear();
            });
        }
    }

    /// An insert that is to hold a file.
    fn serve(
        &self,
        insert: usize,
        state: &InsertState,
        mut desk: MutexGuard<'_, Desk>,
        path: &Path,
        source: Option<&str>,
        compiles: bool,
    ) {
        let found = match self.find(insert, state, &mut desk, path, source) {
            Ok(found) => found,
            Err(problem) => {
                let key = Key::File(path.to_owned(), 0);
                if !desk.has_failed(insert, &key, state) {
                    self.fail(insert, state, &mut desk, key, problem);
                }
                return;
            }
        };
        match found {
            Found::Done => {}
            Found::Known(node, key) => {
                self.take(insert, state, &mut desk, path, key, &node);
            }
            Found::Unknown(..) if !state.consent && !state.allowed => {
                self.leave_other(insert, state, &mut desk);
                if state.status != InsertStatus::NeedsConsent {
                    self.set_status(insert, state, InsertStatus::NeedsConsent);
                }
            }
            Found::Unknown(file, key) if compiles => {
                let engine = desk.engine;
                drop(desk);
                self.set_status(insert, state, InsertStatus::Compiling);
                let made = match self.workshop() {
                    Ok(workshop) => workshop.open(&file).map_err(|error| match error {
                        live::LiveError::Checker { .. } => no_checker(),
                        error => error.to_string(),
                    }),
                    Err(problem) => Err(problem),
                };
                let mut desk = self.desk();
                let is_of_now =
                    desk.engine == engine && self.link.insert(insert).changes == state.changes;
                // Otherwise the next round looks anew, and finds it made.
                if is_of_now && !self.stop.load(Ordering::SeqCst) {
                    match made {
                        Ok(node) => self.take(insert, state, &mut desk, path, key, &node),
                        Err(problem) => self.fail(insert, state, &mut desk, key, problem),
                    }
                }
            }
            // The thread comes to it.
            Found::Unknown(..) => {}
        }
    }

    /// Looks for the file that is chosen. Where it is gone, or a project brings it and it is not what the project says, what
    /// the project says stands in for it: that is what the user is asked about.
    fn find(
        &self,
        insert: usize,
        state: &InsertState,
        desk: &mut Desk,
        path: &Path,
        source: Option<&str>,
    ) -> Result<Found, String> {
        let workshop = self.workshop()?;
        let there = stamp(path);
        let is_same = |source: &str| {
            there.is_some_and(|(length, _)| length == source.len() as u64)
                && fs::read(path).is_ok_and(|text| text == source.as_bytes())
        };
        let file = match source.filter(|source| !state.consent && !is_same(source)) {
            Some(source) => {
                let slot = &mut desk.slots[insert];
                if there.is_some() && slot.said_other != Some(state.changes) {
                    slot.said_other = Some(state.changes);
                    self.link.messages.post(format!(
                        "{} is not what this project says of it; the project's version is used. Load the file again to take it up.",
                        path.display()
                    ));
                }
                workshop.keep_source(path, source)
            }
            None => match source.filter(|_| there.is_none()) {
                Some(source) => workshop.keep_source(path, source),
                None => Ok(path.to_owned()),
            },
        };
        let file = file.map_err(|error| error.to_string())?;
        let content = desk.slots[insert].content(&file)?;
        let key = Key::File(file.clone(), content);
        if desk.is_done(insert, &key, state) {
            return Ok(Found::Done);
        }
        match workshop.known(&file).map_err(|error| error.to_string())? {
            Some(node) => Ok(Found::Known(node, key)),
            None => Ok(Found::Unknown(file, key)),
        }
    }

    /// Takes a node of a file that has been made.
    fn take(
        &self,
        insert: usize,
        state: &InsertState,
        desk: &mut Desk,
        path: &Path,
        key: Key,
        node: &LiveNode,
    ) {
        let (channels, rate) = (desk.channels[insert], desk.rate);
        let name = node.info().name.clone();
        match live::prepare(node, channels, rate) {
            Ok(bring) => self.deliver(insert, state, desk, key, bring, &name),
            Err(error) => {
                let problem = format!("{}: {error}", path.display());
                return self.fail(insert, state, desk, key, problem);
            }
        }
        self.remember(insert, path);
    }

    /// Keeps what the file says in the state, so that the project is whole without it. A project's own file that is
    /// what the project says may be edited without being asked again.
    fn remember(&self, insert: usize, path: &Path) {
        let is_library = path
            .extension()
            .is_some_and(|ending| ending == std::env::consts::DLL_EXTENSION);
        let length = stamp(path).map_or(0, |(length, _)| length);
        if is_library || length == 0 {
            return;
        }
        if length > LONGEST_SOURCE as u64 {
            return self.link.messages.post(format!(
                "{}: its source is too long to be kept in the project; the project needs the file",
                path.display()
            ));
        }
        let Ok(text) = fs::read_to_string(path) else {
            return;
        };
        self.link.edit_insert(insert, |state| {
            if let Some(InsertChoice::File {
                path: chosen,
                source,
            }) = &mut state.choice
                && chosen == path
            {
                state.consent |= source.as_deref() == Some(text.as_str());
                if state.consent {
                    *source = Some(text);
                }
            }
        });
    }

    fn deliver(
        &self,
        insert: usize,
        state: &InsertState,
        desk: &mut Desk,
        key: Key,
        mut bring: Bring,
        name: &str,
    ) {
        self.link.control.bring(insert, Some(&mut bring.prepared));
        let macros = bring.prepared.macros().iter().map(|of_node| {
            let (shown, read) = (of_node.clone(), of_node.clone());
            InsertMacro {
                name: of_node.info().name.clone(),
                default: of_node.position(of_node.info().default),
                format: Arc::new(move |position| shown.format(position)),
                parse: Arc::new(move |text| read.parse(text)),
            }
        });
        let macros = macros.collect();
        desk.slots[insert].tripped = Some(bring.tripped);
        desk.slots[insert].failed = None;
        desk.send(insert, Some(bring.prepared), key, state.changes);
        self.link.edit_insert(insert, |now| {
            if now.changes == state.changes {
                now.status = InsertStatus::Sounds;
            }
            now.name = name.to_owned();
            now.macros = macros;
        });
    }

    /// It could not be had: said once, and what sounded of the same choice sounds on.
    fn fail(&self, insert: usize, state: &InsertState, desk: &mut Desk, key: Key, problem: String) {
        desk.slots[insert].failed = Some((key, state.changes));
        self.leave_other(insert, state, desk);
        self.link
            .messages
            .post(format!("{}: {problem}", NAMES[insert]));
        self.set_status(insert, state, InsertStatus::Failed(problem));
    }

    /// What sounds of another choice does not stand in for one that cannot be had.
    fn leave_other(&self, insert: usize, state: &InsertState, desk: &mut Desk) {
        let slot = &desk.slots[insert];
        if slot.sent != Key::Nothing && slot.sent_for != state.changes {
            self.link.control.bring(insert, None);
            desk.send(insert, None, Key::Nothing, state.changes);
        }
    }

    fn set_status(&self, insert: usize, of: &InsertState, status: InsertStatus) {
        self.link.edit_insert(insert, |state| {
            if state.changes == of.changes {
                state.status = status;
            }
        });
    }

    /// Says when a node has been left, and when it has another chance.
    fn tell_trip(&self, insert: usize, state: &InsertState, desk: &Desk) {
        let tripped = desk.slots[insert].tripped.as_ref();
        match (tripped.is_some_and(Tripped::is_set), &state.status) {
            (true, InsertStatus::Sounds) => {
                self.link.messages.post(format!(
                    "{}: \"{}\" has put out what is not finite; the audio passes it by. Switch the insert off and on to try again.",
                    NAMES[insert], state.name
                ));
                self.set_status(insert, state, InsertStatus::Tripped);
            }
            (false, InsertStatus::Tripped) => {
                self.set_status(insert, state, InsertStatus::Sounds);
            }
            _ => {}
        }
    }
}

impl Desk {
    /// Frees what has come back, and sends what found no room.
    fn tend(&mut self, insert: usize) {
        let Some(lines) = &mut self.lines else {
            return;
        };
        lines[insert].drain();
        let slot = &mut self.slots[insert];
        if let Some(unsent) = slot.unsent.take() {
            slot.unsent = lines[insert].send(unsent).err();
        }
    }

    fn send(&mut self, insert: usize, node: Option<Box<Prepared>>, key: Key, changes: u64) {
        let slot = &mut self.slots[insert];
        if node.is_none() {
            slot.tripped = None;
        }
        (slot.sent, slot.sent_for) = (key, changes);
        // One that still waits is not wanted any more.
        slot.unsent = Some(node);
        self.tend(insert);
    }

    /// Whether this is what the engine has, or has been tried without success.
    fn is_done(&mut self, insert: usize, key: &Key, state: &InsertState) -> bool {
        let failed = self.has_failed(insert, key, state);
        let slot = &mut self.slots[insert];
        if slot.sent == *key && slot.sent_for == state.changes && !failed {
            // An error that has been taken back: what sounds is what is there again.
            return slot.failed.is_none();
        }
        failed
    }

    fn has_failed(&self, insert: usize, key: &Key, state: &InsertState) -> bool {
        let failed = self.slots[insert].failed.as_ref();
        failed.is_some_and(|(of, changes)| of == key && *changes == state.changes)
    }
}

fn no_checker() -> String {
    format!(
        "nodes are checked by the program `zeitgeber` before they sound, and it was not found or did not run: install it with `cargo install zeitgeber`, put it beside the plugin or on the path, or say where it is in {CHECKER}"
    )
}

#[cfg(all(test, unix))]
mod tests;
