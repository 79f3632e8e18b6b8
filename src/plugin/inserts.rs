//! The nodes of inserts A and B of one instance: what its state asks for, made off the audio thread.
//!
//! What is built in, or has been compiled here before, is brought wherever it is asked for, before a host goes on.
//! Compiling takes seconds and has threads of its own, one for each insert, while another looks at the files. What a
//! project brings is compiled only after the user has said so, from a copy; nothing of it runs before. No file is
//! touched while the desk is locked.

use crate::editor::Link;
use crate::editor::insert::{InsertChoice, InsertMacro, InsertState, InsertStatus, LONGEST_SOURCE};
use crate::engine::{Engine, InsertLine, Prepared};
use crate::live::{self, Bring, CHECKER, LiveError, Original, Reach, Tripped, Workshop};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often files are looked at.
const ROUND: Duration = Duration::from_millis(250);

/// In how many rounds a file of the user's is read again although nothing about it seems to have changed: what it
/// includes may have.
const REREAD: u32 = 4;

/// Larger files are read again only when they seem to have changed.
const SMALL: u64 = 1 << 20;

/// Inserts as people call them.
const NAMES: [&str; 2] = ["insert A", "insert B"];

/// What brings one instance's engine its nodes. No lock in it is ever taken by the audio thread.
pub(super) struct Inserts {
    link: Arc<Link>,
    desk: Mutex<Desk>,
    workshop: OnceLock<Workshop>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: AtomicBool,
    wake: Arc<Condvar>,
}

#[derive(Default)]
struct Desk {
    lines: Option<[InsertLine; 2]>,
    channels: [usize; 2],
    rate: f64,
    slots: [Slot; 2],
    /// What is being compiled; engines come and go meanwhile.
    making: [Option<Making>; 2],
    /// Grows with every engine.
    engine: u64,
}

/// What the engine has, or is on its way.
#[derive(Debug, Clone, Default, PartialEq)]
enum Key {
    #[default]
    Nothing,
    Builtin(String),
    /// Of a file, this content.
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
    /// What has been compiled, and should be known from now on.
    made: Option<Key>,
    tripped: Option<Tripped>,
    seen: Option<Seen>,
    /// The choice of which has been said that its file says something else.
    said_other: Option<u64>,
}

/// A node that is being compiled and tried, on a thread of its own.
struct Making {
    key: Key,
    changes: u64,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), LiveError>>,
}

/// A file as it was seen last.
#[derive(Clone)]
struct Seen {
    changes: u64,
    consent: bool,
    stamp: Option<Stamp>,
    rounds: u32,
    found: Found,
}

/// What a choice of a file comes to.
#[derive(Clone)]
struct Found {
    /// The file's name, and its content with all that it draws in.
    name: String,
    content: u128,
    needs: Vec<String>,
    /// What it says, where the project is to keep that.
    text: Option<Arc<str>>,
}

/// Length and time of change.
type Stamp = (u64, Option<SystemTime>);

fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((about.len(), about.modified().ok()))
}

impl Inserts {
    /// For an instance.
    pub fn new(link: Arc<Link>) -> Inserts {
        Inserts {
            link,
            desk: Mutex::default(),
            workshop: OnceLock::new(),
            thread: Mutex::default(),
            stop: AtomicBool::new(false),
            wake: Arc::default(),
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
            making: std::mem::take(&mut desk.making),
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

    /// Ends what is being compiled, and the threads: the instance goes.
    pub fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // With the desk's lock: nothing begins from here on, and who waits is woken.
        let making = std::mem::take(&mut self.desk().making);
        for making in making.iter().flatten() {
            making.stop.store(true, Ordering::SeqCst);
        }
        self.wake.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Those that died have nothing left to say.
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        for making in making.into_iter().flatten() {
            let _ = making.thread.join();
        }
    }

    fn workshop(&self) -> Result<&Workshop, String> {
        if let Some(workshop) = self.workshop.get() {
            return Ok(workshop);
        }
        // The program that checks is looked for when something is to be checked.
        let workshop = Workshop::new(PathBuf::new()).map_err(|error| error.to_string())?;
        Ok(self.workshop.get_or_init(|| workshop))
    }

    /// Looks at both inserts.
    fn round(&self, compiles: bool) {
        for insert in 0..NAMES.len() {
            let state = self.link.insert(insert);
            let mut desk = self.desk();
            desk.tend(insert);
            self.tell_trip(insert, &state, &desk);
            self.collect(insert, &state, &mut desk);
            if desk.lines.is_none() {
                continue;
            }
            match &state.choice {
                None => self.empty(insert, &state, &mut desk),
                Some(InsertChoice::Node(name)) => {
                    let key = Key::Builtin(name.clone());
                    desk.supersede(insert, &key);
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
                    drop(desk);
                    self.serve(insert, &state, path, source.as_deref(), compiles);
                }
            }
        }
    }

    /// An insert that is to hold nothing.
    fn empty(&self, insert: usize, state: &InsertState, desk: &mut Desk) {
        desk.supersede(insert, &Key::Nothing);
        if desk.slots[insert].sent != Key::Nothing {
            self.link.control.bring(insert, None);
            desk.send(insert, None, Key::Nothing, state.changes);
        }
        if state.status != InsertStatus::Empty || !state.name.is_empty() {
            self.link.edit_insert(insert, |now| {
                if now.changes == state.changes {
                    now.status = InsertStatus::Empty;
                    now.name.clear();
                    now.macros.clear();
                }
            });
        }
    }

    /// The desk again, if it is still about this choice and this engine.
    fn desk_of(
        &self,
        insert: usize,
        state: &InsertState,
        engine: u64,
    ) -> Option<MutexGuard<'_, Desk>> {
        let desk = self.desk();
        let is_of_now = desk.engine == engine && self.link.insert(insert).changes == state.changes;
        (is_of_now && !self.stop.load(Ordering::SeqCst)).then_some(desk)
    }

    /// An insert that is to hold a file.
    fn serve(
        &self,
        insert: usize,
        state: &InsertState,
        path: &Path,
        source: Option<&str>,
        compiles: bool,
    ) {
        let (engine, channels, rate) = {
            let desk = self.desk();
            (desk.engine, desk.channels[insert], desk.rate)
        };
        let looked = self.look_at(insert, state, path, source, false);
        let Some(mut desk) = self.desk_of(insert, state, engine) else {
            return;
        };
        let (found, original) = match looked {
            Ok(looked) => looked,
            Err(problem) => {
                let key = Key::File(path.to_owned(), 0);
                desk.supersede(insert, &key);
                if !desk.has_failed(insert, &key, state) {
                    self.fail(insert, state, &mut desk, key, problem);
                }
                return;
            }
        };
        let key = Key::File(path.to_owned(), found.content);
        desk.supersede(insert, &key);
        if desk.is_done(insert, &key, state) || desk.making[insert].is_some() {
            return;
        }
        drop(desk);
        let known = self.workshop().and_then(|workshop| {
            let known = workshop.known_by(&found.name, found.content);
            known.map_err(|error| format!("{}: {error}", path.display()))
        });
        let prepared = known.map(|node| {
            node.map(|node| {
                let name = node.info().name.clone();
                (live::prepare(&node, channels, rate), name)
            })
        });
        let Some(mut desk) = self.desk_of(insert, state, engine) else {
            return;
        };
        match prepared {
            Ok(Some((Ok(bring), name))) => {
                self.deliver(insert, state, &mut desk, key, bring, &name);
                drop(desk);
                self.remember(insert, path, &found);
            }
            Ok(Some((Err(error), _))) => {
                let problem = format!("{}: {error}", path.display());
                self.fail(insert, state, &mut desk, key, problem);
            }
            Err(problem) => self.fail(insert, state, &mut desk, key, problem),
            Ok(None) if !state.consent && state.allowed != Some(found.content) => {
                self.ask(insert, state, &mut desk, found);
            }
            Ok(None) if desk.slots[insert].made.as_ref() == Some(&key) => {
                let problem = format!(
                    "{}: it was compiled, and is not among what was compiled any more",
                    path.display()
                );
                self.fail(insert, state, &mut desk, key, problem);
            }
            Ok(None) if compiles => {
                drop(desk);
                self.begin(insert, state, path, source, key, original);
            }
            // The thread comes to it.
            Ok(None) => {}
        }
    }

    /// Asks the user about what a project brings.
    fn ask(&self, insert: usize, state: &InsertState, desk: &mut Desk, found: Found) {
        self.leave_other(insert, state, desk);
        let asked = Some(found.content);
        if state.status != InsertStatus::NeedsConsent || state.asked != asked {
            self.link.edit_insert(insert, |now| {
                if now.changes == state.changes {
                    now.status = InsertStatus::NeedsConsent;
                    now.asked = asked;
                    now.needs = found.needs;
                }
            });
        }
    }

    /// Begins to compile what may be compiled.
    fn begin(
        &self,
        insert: usize,
        state: &InsertState,
        path: &Path,
        source: Option<&str>,
        key: Key,
        original: Option<Original>,
    ) {
        let original = match original {
            Some(original) => Ok(original),
            None => match self.look_at(insert, state, path, source, true) {
                Ok((_, Some(original))) => Ok(original),
                Ok((_, None)) => return,
                Err(problem) => Err(problem),
            },
        };
        let ready = original.and_then(|original| Ok((original, self.workshop()?.clone())));
        let mut desk = self.desk();
        if self.stop.load(Ordering::SeqCst) || desk.making[insert].is_some() {
            return;
        }
        let (original, workshop) = match ready {
            Ok(ready) => ready,
            Err(problem) => return self.fail(insert, state, &mut desk, key, problem),
        };
        // It may have been saved since; the next round sees what it is now.
        if key != Key::File(path.to_owned(), original.key()) {
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, wake) = (stop.clone(), self.wake.clone());
        let spawned = std::thread::Builder::new()
            .name("zeitgeber-compiles".to_owned())
            .spawn(move || {
                let checker = Some(workshop.checker().to_owned())
                    .filter(|named| !named.as_os_str().is_empty())
                    .or_else(live::checker)
                    .unwrap_or_default();
                let workshop = workshop.checked_by(checker).stopped_by(theirs);
                let made = workshop.make(&original).map(drop);
                wake.notify_all();
                made
            });
        match spawned {
            Ok(thread) => {
                desk.making[insert] = Some(Making {
                    key,
                    changes: state.changes,
                    stop,
                    thread,
                });
                // A new engine has nothing yet.
                self.forget_silent(insert, state, &desk);
                self.set_status(insert, state, InsertStatus::Compiling);
            }
            Err(error) => {
                let problem = format!("the system gave no thread to compile it: {error}");
                self.fail(insert, state, &mut desk, key, problem);
            }
        }
    }

    /// Takes what has come of compiling.
    fn collect(&self, insert: usize, state: &InsertState, desk: &mut Desk) {
        let Some(making) = desk.making[insert].take_if(|making| making.thread.is_finished()) else {
            return;
        };
        let problem = match making.thread.join() {
            Ok(Ok(())) => {
                desk.slots[insert].made = Some(making.key);
                return;
            }
            // It was not wanted any more, or is looked at anew.
            Ok(Err(LiveError::Stopped { .. } | LiveError::Changed { .. })) => return,
            Ok(Err(LiveError::Checker { .. })) => no_checker(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "compiling it broke off".to_owned(),
        };
        if making.changes == state.changes && !making.stop.load(Ordering::SeqCst) {
            self.fail(insert, state, desk, making.key, problem);
        }
    }

    /// What the chosen file comes to, read again when it seems to be another. Where it is gone, or a project brings it and
    /// it is not what the project says, what the project says stands in for it: that is what the user is asked about.
    fn look_at(
        &self,
        insert: usize,
        state: &InsertState,
        path: &Path,
        source: Option<&str>,
        again: bool,
    ) -> Result<(Found, Option<Original>), String> {
        let stamp = stamp(path);
        if !again
            && let Some(seen) = &mut self.desk().slots[insert].seen
            && (seen.changes, seen.consent, seen.stamp) == (state.changes, state.consent, stamp)
        {
            seen.rounds += 1;
            // Nobody has asked for what a project brings to be read time and again.
            let is_due = state.consent
                && seen.rounds.is_multiple_of(REREAD)
                && stamp.is_some_and(|(length, _)| length <= SMALL);
            if !is_due {
                return Ok((seen.found.clone(), None));
            }
        }
        let (original, is_other) = self.original(state, path, source, stamp)?;
        let found = Found {
            name: original.name().to_owned(),
            content: original.key(),
            needs: original.needs().to_vec(),
            text: original.text().filter(|_| state.consent).map(Arc::from),
        };
        let mut desk = self.desk();
        let slot = &mut desk.slots[insert];
        if is_other && slot.said_other != Some(state.changes) {
            slot.said_other = Some(state.changes);
            self.link.messages.post(format!(
                "{} is not what this project says of it; the project's version is used. Load the file again to take it up.",
                path.display()
            ));
        }
        slot.seen = Some(Seen {
            changes: state.changes,
            consent: state.consent,
            stamp,
            rounds: 0,
            found: found.clone(),
        });
        Ok((found, Some(original)))
    }

    /// Reads what an insert is to hold; tells whether the file says something else than the project.
    fn original(
        &self,
        state: &InsertState,
        path: &Path,
        source: Option<&str>,
        there: Option<Stamp>,
    ) -> Result<(Original, bool), String> {
        let said = |error: LiveError| error.to_string();
        let Some(source) = source.filter(|_| !state.consent || there.is_none()) else {
            let reach = if state.consent {
                Reach::Anywhere
            } else {
                Reach::Beside
            };
            return Ok((Original::read(path, reach).map_err(said)?, false));
        };
        let alone = Original::of_text(path, source).map_err(said)?;
        let Some((length, _)) = there else {
            return Ok((alone, false));
        };
        if length != source.len() as u64 {
            return Ok((alone, true));
        }
        // With what lies beside it, it is used only if that has been compiled here: nobody is shown those files.
        match Original::read(path, Reach::Beside) {
            Ok(whole) if whole.text() == Some(source) => {
                let known = self.workshop()?.known_by(whole.name(), whole.key());
                let is_known = whole.has_parts() && known.is_ok_and(|known| known.is_some());
                Ok((if is_known { whole } else { alone }, false))
            }
            _ => Ok((alone, true)),
        }
    }

    /// Keeps what the user's file says in the state, so that the project is whole without it. What a project brought
    /// stays as it was brought.
    fn remember(&self, insert: usize, path: &Path, found: &Found) {
        let Some(text) = &found.text else {
            return;
        };
        if text.len() > LONGEST_SOURCE {
            return self.link.messages.post(format!(
                "{}: its source is too long to be kept in the project; the project needs the file",
                path.display()
            ));
        }
        self.link.edit_insert(insert, |state| {
            if let Some(InsertChoice::File {
                path: chosen,
                source,
            }) = &mut state.choice
                && chosen == path
                && state.consent
                && source.as_deref() != Some(text)
            {
                *source = Some(text.to_string());
                state.unsaved = true;
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
        if state.fresh.is_some() {
            bring.prepared.begin_as_it_is();
        }
        desk.slots[insert].tripped = Some(bring.tripped);
        desk.slots[insert].failed = None;
        desk.slots[insert].made = None;
        desk.send(insert, Some(bring.prepared), key, state.changes);
        self.link.edit_insert(insert, |now| {
            if now.changes == state.changes {
                now.status = InsertStatus::Sounds;
                // From now on the project keeps this one.
                now.unsaved |= now.before.take().is_some();
            }
            now.name = name.to_owned();
            now.macros = macros;
        });
    }

    /// It could not be had: said once, and what the user had chosen before is there again; what sounded of the same file
    /// sounds on.
    fn fail(&self, insert: usize, state: &InsertState, desk: &mut Desk, key: Key, problem: String) {
        let sounds = desk.slots[insert].sent != Key::Nothing;
        let mut back = None;
        // One's own file that is loaded again and cannot be had stays chosen, and is watched; what it said last is kept.
        let own = (state.before.as_ref())
            .is_some_and(|before| before.held.consent && state.is_of(&before.held.choice));
        if own {
            self.link.edit_insert(insert, |now| {
                if let Some(before) = now.before.take_if(|_| now.changes == state.changes) {
                    now.choice = Some(before.held.choice);
                }
            });
        } else if state.before.is_some() {
            self.link.edit_insert(insert, |now| {
                if now.changes == state.changes && now.take_back(&problem) {
                    now.status = match sounds {
                        true => InsertStatus::Sounds,
                        false => InsertStatus::Empty,
                    };
                    back = Some(now.changes);
                }
            });
        }
        if let Some(changes) = back {
            let slot = &mut desk.slots[insert];
            // What the engine has is what is chosen again.
            (slot.sent_for, slot.failed) = (changes, None);
            let text = format!("{}: {problem}", NAMES[insert]);
            return self.link.messages.post(text);
        }
        desk.slots[insert].failed = Some((key, state.changes));
        self.leave_other(insert, state, desk);
        self.link
            .messages
            .post(format!("{}: {problem}", NAMES[insert]));
        self.set_status(insert, state, InsertStatus::Failed(problem));
    }

    /// What sounds of another choice does not stand in for one that cannot be had; of a file that the user loads again
    /// it does.
    fn leave_other(&self, insert: usize, state: &InsertState, desk: &mut Desk) {
        let slot = &desk.slots[insert];
        let is_same =
            matches!(&slot.sent, Key::File(path, _) if state.consent && state.is_file(path));
        if slot.sent != Key::Nothing && slot.sent_for != state.changes && !is_same {
            self.link.control.bring(insert, None);
            desk.send(insert, None, Key::Nothing, state.changes);
        }
        self.forget_silent(insert, state, desk);
    }

    /// What does not sound has no name and no macros. Whatever is chosen meanwhile: both are of what the engine has, as
    /// in [`Inserts::deliver`], and that this desk alone decides.
    fn forget_silent(&self, insert: usize, state: &InsertState, desk: &Desk) {
        if desk.slots[insert].sent == Key::Nothing && !state.name.is_empty() {
            self.link.edit_insert(insert, |now| {
                now.name.clear();
                now.macros.clear();
            });
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

    /// What is being compiled and is not wanted any more is given up.
    fn supersede(&self, insert: usize, key: &Key) {
        if let Some(making) = self.making[insert]
            .as_ref()
            .filter(|making| making.key != *key)
        {
            making.stop.store(true, Ordering::SeqCst);
        }
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
