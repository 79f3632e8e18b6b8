//! The head-related filters of `zeitgeber live`: what is on at its start is there before the first block; what is turned on
//! later is loaded on a thread of its own, for which neither keys nor OSC wait.

use crate::args::Problem;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use zeitgeber::engine::{Engine, SpaceWish, Telemetry};
use zeitgeber::hrtf::{HrtfError, Info, Progress, Source};
use zeitgeber::space::{Failure, Supplier, wish_ahead};

/// How often the thread looks what the engine wishes for.
const ROUND: Duration = Duration::from_millis(80);

/// Supplies an engine until this is dropped.
pub struct Filters {
    shared: Arc<Shared>,
    said: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    wake: Condvar,
}

#[derive(Default)]
struct Desk {
    source: Source,
    /// What is being loaded.
    work: Option<Arc<Progress>>,
    ends: bool,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is wanted: what is being loaded is not.
    fn change(&self, change: impl FnOnce(&mut Desk)) {
        let mut desk = self.desk();
        change(&mut desk);
        if let Some(work) = &desk.work {
            work.cancel();
        }
        self.wake.notify_all();
    }
}

impl Filters {
    /// Brings an engine what its controls ask for, and begins to supply it.
    pub fn start(engine: &mut Engine, source: Source) -> Result<Filters, Problem> {
        let shared = Arc::new(Shared::default());
        shared.desk().source = source.clone();
        let (say, said) = mpsc::channel();
        let mut thread = None;
        if let Some(mut worker) = Worker::new(engine, shared.clone(), say) {
            if let Some(wish) = engine.space_wish() {
                let info = worker.supplier.supply(&source, wish, &Progress::new())?;
                worker.note(&source, &info);
            }
            thread = Some(thread::Builder::new().spawn(move || worker.run())?);
        }
        Ok(Filters {
            shared,
            said,
            thread,
        })
    }

    /// From now on the filters of a SOFA file.
    pub fn choose(&self, file: PathBuf) {
        let source = Source::File(file);
        if self.shared.desk().source != source {
            self.shared.change(|desk| desk.source = source);
        }
    }

    /// What is to be said of them.
    pub fn news(&self) -> Vec<String> {
        self.said.try_iter().collect()
    }
}

impl Drop for Filters {
    fn drop(&mut self) {
        self.shared.change(|desk| desk.ends = true);
        if let Some(thread) = self.thread.take() {
            // One that died has nothing left to say.
            let _ = thread.join();
        }
    }
}

/// What runs on the thread.
struct Worker {
    shared: Arc<Shared>,
    supplier: Supplier,
    telemetry: Arc<Telemetry>,
    /// What turning space or the room on would ask for: it is there before anybody does.
    ahead: Option<SpaceWish>,
    /// The file that could not be read, and what has been said of that.
    failed: Option<Failure>,
    missing: String,
    /// The file whose peculiarities have been said.
    noted: Option<Source>,
    say: Sender<String>,
}

impl Worker {
    /// For an engine that nobody supplies yet.
    fn new(engine: &mut Engine, shared: Arc<Shared>, say: Sender<String>) -> Option<Worker> {
        let rate = engine.sample_rate();
        let line = engine.take_supply()?;
        Some(Worker {
            shared,
            supplier: Supplier::new(line, rate),
            telemetry: engine.telemetry().clone(),
            ahead: wish_ahead(engine, |id| engine.get(id)),
            failed: None,
            missing: String::new(),
            noted: None,
            say,
        })
    }

    fn run(mut self) {
        let shared = self.shared.clone();
        let mut desk = shared.desk();
        while !desk.ends {
            let source = desk.source.clone();
            drop(desk);
            self.round(&source);
            desk = shared.desk();
            // What has changed meanwhile is not waited for.
            if !desk.ends && desk.source == source {
                let waited = shared.wake.wait_timeout(desk, ROUND);
                desk = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn round(&mut self, source: &Source) {
        self.supplier.drain();
        let chosen = (*source != Source::Default).then_some(SpaceWish::CHOSEN);
        if let Some(wish) = self.telemetry.space_wish().or(chosen) {
            self.ensure(source, wish);
        }
        if *source == Source::Default
            && let Some(wish) = self.ahead.take()
        {
            self.ensure(source, wish);
        }
    }

    /// Brings the engine what it wishes for: of the file that is chosen, or the embedded set where there is none, or it cannot
    /// be read.
    fn ensure(&mut self, source: &Source, wish: SpaceWish) {
        if self.supplier.has(source, &wish) {
            return;
        }
        let known = self.failed.as_mut();
        if !known.is_some_and(|failure| failure.holds(source)) {
            match self.supply(source, source, wish) {
                Ok(info) => {
                    self.failed = None;
                    self.missing.clear();
                    return self.note(source, &info);
                }
                // Another file is chosen, or it ends.
                Err(HrtfError::Cancelled) => return,
                Err(error) => {
                    self.failed = Some(Failure::new(source.clone()));
                    self.miss(&error);
                }
            }
        }
        if !self.supplier.has(&Source::Default, &wish) {
            // The embedded set can be given up, and nothing else is wrong with it.
            let _ = self.supply(source, &Source::Default, wish);
        }
    }

    /// Loads in such a way that it can be given up: `chosen` is what was chosen when this was wished for.
    fn supply(
        &mut self,
        chosen: &Source,
        source: &Source,
        wish: SpaceWish,
    ) -> Result<Info, HrtfError> {
        let progress = Arc::new(Progress::new());
        {
            let mut desk = self.shared.desk();
            if desk.ends || desk.source != *chosen {
                return Err(HrtfError::Cancelled);
            }
            desk.work = Some(progress.clone());
        }
        let supplied = self.supplier.supply(source, wish, &progress);
        self.shared.desk().work = None;
        supplied
    }

    /// Says what is peculiar about a file, once.
    fn note(&mut self, source: &Source, info: &Info) {
        if let Source::File(path) = source
            && self.noted.as_ref() != Some(source)
        {
            self.noted = Some(source.clone());
            for note in &info.notes {
                self.tell(format!("{}: {note}", path.display()));
            }
        }
    }

    /// Says that a file is not there, once.
    fn miss(&mut self, error: &HrtfError) {
        let text = format!(
            "{error}. The embedded HRTF set sounds in its place; the file is taken up when it is readable."
        );
        if self.missing != text {
            self.tell(text.clone());
            self.missing = text;
        }
    }

    fn tell(&self, text: String) {
        // Nobody listens any more where it ends.
        let _ = self.say.send(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::time::Instant;
    use zeitgeber::engine::Transport;
    use zeitgeber::engine::controls as id;
    use zeitgeber::space::bring;

    /// A low rate, at which sets are prepared soon.
    const RATE: f64 = 8000.0;

    /// Plays noise that both ears have alike.
    fn play(engine: &mut Engine) -> [Vec<f32>; 2] {
        let mut heard = [Vec::new(), Vec::new()];
        for n in 0..20_u32 {
            let sound = |k: u32| ((n * 64 + k).wrapping_mul(2_654_435_761) as i32) as f32 / 1e10;
            let mut left: Vec<f32> = (0..64).map(sound).collect();
            let mut right = left.clone();
            engine.process(&mut left, &mut right, Transport::Absent, &[]);
            heard[0].extend(left);
            heard[1].extend(right);
        }
        heard
    }

    /// Plays it, and tells whether both ears get the same.
    fn is_flat(engine: &mut Engine) -> bool {
        let [left, right] = play(engine);
        left == right
    }

    /// Plays until something holds.
    fn until(engine: &mut Engine, what: &str, mut holds: impl FnMut(&mut Engine) -> bool) {
        let begun = Instant::now();
        while !holds(engine) {
            assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn engine() -> Engine {
        let mut engine = Engine::new(RATE).unwrap();
        // To the left, so that the ears differ.
        engine.set(id::AZIMUTH, 90.0);
        engine
    }

    #[test]
    fn space_that_is_turned_on_later_is_heard() {
        let mut engine = engine();
        let filters = Filters::start(&mut engine, Source::Default).unwrap();
        assert!(is_flat(&mut engine));
        engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
        until(&mut engine, "space", |engine| !is_flat(engine));
        assert_eq!(filters.news(), [] as [&str; 0]);
    }

    #[test]
    fn what_nobody_could_foresee_comes_as_if_it_had_been_there_from_the_start() {
        let wanted = [
            (id::SPACE_KIND, id::SPACE_AMBISONIC as f64),
            (id::ORDER, 2.0),
            (id::HRTF_EQ, 0.0),
        ];
        let set = |engine: &mut Engine| wanted.map(|(id, value)| engine.set(id, value));
        let mut there = engine();
        set(&mut there);
        bring(&mut there, &Source::Default).unwrap();
        let wanted = play(&mut there);
        let mut engine = engine();
        let _filters = Filters::start(&mut engine, Source::Default).unwrap();
        play(&mut engine);
        set(&mut engine);
        until(&mut engine, "the decoder", |engine| {
            engine.reset();
            play(engine) == wanted
        });
    }

    #[test]
    fn what_turning_space_or_the_room_on_would_ask_for_is_brought_before_anybody_does() {
        let mut engine = engine();
        let (say, _said) = mpsc::channel();
        let mut worker = Worker::new(&mut engine, Arc::default(), say).unwrap();
        is_flat(&mut engine);
        worker.round(&Source::Default);
        is_flat(&mut engine);
        engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
        engine.set(id::ROOM, 50.0);
        let wish = engine.space_wish().unwrap();
        assert!(wish.filters && wish.decoder.is_some());
        assert!(worker.supplier.has(&Source::Default, &wish));
        engine.set(id::ROOM, 0.0);
        assert!(!is_flat(&mut engine), "at once");
    }

    #[test]
    fn a_file_that_is_chosen_later_sounds_and_the_embedded_set_where_the_next_is_no_file() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sofa/netcdf.sofa");
        let on = || {
            let mut engine = engine();
            engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
            engine
        };
        let of = |source| {
            let mut engine = on();
            bring(&mut engine, &source).unwrap();
            play(&mut engine)
        };
        let (embedded, measured) = (of(Source::Default), of(Source::File(file.clone())));
        assert!(embedded != measured);
        let mut engine = on();
        let filters = Filters::start(&mut engine, Source::Default).unwrap();
        let sounds = |engine: &mut Engine, wanted: &[Vec<f32>; 2]| {
            until(engine, "the other set", |engine| {
                engine.reset();
                play(engine) == *wanted
            });
        };
        sounds(&mut engine, &embedded);
        filters.choose(file.clone());
        sounds(&mut engine, &measured);
        filters.choose(file.join("no_file.sofa"));
        sounds(&mut engine, &embedded);
        let said = filters.news();
        assert!(said.last().unwrap().contains("no_file.sofa"), "{said:?}");
        // And back.
        filters.choose(file);
        sounds(&mut engine, &measured);
    }

    #[test]
    fn what_is_on_at_the_start_is_there_before_the_first_block() {
        let mut engine = engine();
        engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
        let _filters = Filters::start(&mut engine, Source::Default).unwrap();
        assert!(!is_flat(&mut engine));
    }

    #[test]
    fn a_file_that_is_not_there_is_told_once_and_the_embedded_set_sounds() {
        let mut engine = engine();
        let filters = Filters::start(&mut engine, Source::Default).unwrap();
        filters.choose(PathBuf::from("no/such/file.sofa"));
        let mut said = Vec::new();
        until(&mut engine, "a word", |engine| {
            is_flat(engine);
            said.extend(filters.news());
            !said.is_empty()
        });
        engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
        until(&mut engine, "space", |engine| !is_flat(engine));
        said.extend(filters.news());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].contains("no/such/file.sofa") && said[0].contains("embedded HRTF set"),
            "{said:?}"
        );
    }

    #[test]
    fn who_ends_does_not_wait_for_what_is_being_loaded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        // Takes long, and longer without optimisation.
        let mut engine = Engine::new(384_000.0).unwrap();
        let filters = Filters::start(&mut engine, Source::Default).unwrap();
        filters.choose(root.join("assets/MIT_KEMAR_normal_pinna.sofa"));
        let mut work = None;
        until(&mut engine, "it loads", |_| {
            work = filters.shared.desk().work.clone();
            work.as_ref().is_some_and(|work| work.fraction() > 0.1)
        });
        drop(filters);
        let work = work.unwrap();
        assert!(work.cancelled() && work.fraction() < 1.0);
    }
}
