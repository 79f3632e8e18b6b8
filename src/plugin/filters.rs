//! The head-related filters of one instance: what its state asks for, loaded off the audio thread.

use crate::editor::{HrtfChoice, Link, Loading};
use crate::engine::{Engine, SpaceWish};
use crate::hrtf::{HrtfError, Info, Progress, Source};
use crate::space::Supplier;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long a file that could not be read is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// What one instance supplies its engine with. No lock in it is ever taken by the audio thread.
pub(super) struct Filters {
    link: Arc<Link>,
    desk: Mutex<Desk>,
    /// What is being loaded.
    work: Mutex<Option<Arc<Progress>>>,
    /// Threads that wait for the desk, or have taken it away for good: what is being loaded is not wanted.
    unwanted: AtomicUsize,
}

#[derive(Default)]
struct Desk {
    supplier: Option<Supplier>,
    /// The file that could not be read.
    failed: Option<Failure>,
    /// What has been said of that.
    said: String,
    /// What the musician did not want to wait for, of the embedded set.
    given_up: Option<SpaceWish>,
}

/// A file that could not be read, when, and as what.
struct Failure {
    source: Source,
    when: Instant,
    stamp: Stamp,
}

/// Length and time of change of a file, where it has them.
type Stamp = Option<(u64, Option<SystemTime>)>;

impl Failure {
    fn new(source: Source) -> Failure {
        Failure {
            stamp: stamp(&source),
            source,
            when: Instant::now(),
        }
    }

    /// Whether it is not worth another look: it has been looked at just now, or is what it was, and large files
    /// take seconds to refuse.
    fn holds(&self, source: &Source) -> bool {
        let same = || self.stamp.is_some() && stamp(source) == self.stamp;
        self.source == *source && (self.when.elapsed() < RETRY || same())
    }
}

fn stamp(source: &Source) -> Stamp {
    let Source::File(path) = source else {
        return None;
    };
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    // One that may not be opened has no content to be known by: it is tried again.
    fs::File::open(path).ok()?;
    Some((found.len(), found.modified().ok()))
}

impl Filters {
    /// For an instance.
    pub fn new(link: Arc<Link>) -> Filters {
        Filters {
            link,
            desk: Mutex::default(),
            work: Mutex::default(),
            unwanted: AtomicUsize::new(0),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on supplies this engine, and nothing that came before.
    pub fn attach(&self, engine: &mut Engine) {
        let rate = engine.sample_rate();
        let supplier = engine.take_supply().map(|line| Supplier::new(line, rate));
        // What the worker loads for the engine before would keep the host waiting.
        self.give_up();
        let mut desk = self.desk();
        self.unwanted.fetch_sub(1, Ordering::SeqCst);
        *desk = Desk {
            supplier,
            ..Desk::default()
        };
    }

    /// Gives up what is being loaded, and loads nothing more: the instance goes.
    pub fn give_up(&self) {
        self.unwanted.fetch_add(1, Ordering::SeqCst);
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = work.as_ref() {
            progress.cancel();
        }
    }

    /// Loads, so that it can be given up.
    fn supply(
        &self,
        supplier: &mut Supplier,
        source: &Source,
        wish: SpaceWish,
    ) -> Result<Info, HrtfError> {
        let progress = Arc::new(Progress::new());
        let set = |work| *self.work.lock().unwrap_or_else(PoisonError::into_inner) = work;
        set(Some(progress.clone()));
        // Looked at after the work is there to be seen: one of the two sees the other.
        if self.unwanted.load(Ordering::SeqCst) > 0 {
            set(None);
            return Err(HrtfError::Cancelled);
        }
        self.link.set_loading(Some(loading(&progress)));
        let supplied = supplier.supply(source, wish, &progress);
        self.link.set_loading(None);
        set(None);
        supplied
    }

    /// Brings the engine the filters and decoders that it asks for: those of the file that is chosen, or the embedded ones
    /// where there is none, or it cannot be read. Takes some 100 ms; never on the audio thread.
    pub fn ensure(&self, wish: SpaceWish) {
        let mut desk = self.desk();
        let Desk {
            supplier: Some(supplier),
            failed,
            said,
            given_up,
        } = &mut *desk
        else {
            return;
        };
        supplier.drain();
        let chosen = self.link.hrtf().choice;
        let source = source(chosen.as_ref());
        if supplier.has(&source, &wish) || chosen.is_none() && *given_up == Some(wish) {
            return;
        }
        if !failed
            .as_ref()
            .is_some_and(|failure| failure.holds(&source))
        {
            match self.supply(supplier, &source, wish) {
                Ok(info) => {
                    *failed = None;
                    said.clear();
                    self.loaded(chosen.as_ref(), &info);
                    return;
                }
                Err(HrtfError::Cancelled) => {
                    // By an engine that comes, or an instance that goes: the choice stays. By a choice of another
                    // file: that stays, too. Else by the musician: back to the embedded set.
                    if self.unwanted.load(Ordering::SeqCst) == 0 {
                        match chosen {
                            Some(chosen) => self.link.give_up_hrtf(&chosen.path),
                            // There is nothing to go back to: it is not asked for again.
                            None => *given_up = Some(wish),
                        }
                    }
                    return;
                }
                Err(error) => {
                    *failed = Some(Failure::new(source));
                    self.missing(said, &error);
                }
            }
        }
        if !supplier.has(&Source::Default, &wish)
            && let Ok(info) = self.supply(supplier, &Source::Default, wish)
        {
            self.link.set_hrtf_name(title(&info));
        }
    }

    fn loaded(&self, chosen: Option<&HrtfChoice>, info: &Info) {
        if let Some(chosen) = chosen {
            let changed = chosen.hash.as_ref().is_some_and(|hash| *hash != info.hash);
            if changed {
                self.link.messages.post(format!(
                    "{} has changed since this project was saved; it sounds as it is now",
                    chosen.path.display()
                ));
            }
            self.link.set_hrtf_hash(&chosen.path, &info.hash);
            for note in &info.notes {
                self.link
                    .messages
                    .post(format!("{}: {note}", chosen.path.display()));
            }
        }
        self.link.set_hrtf_name(title(info));
    }

    fn missing(&self, said: &mut String, error: &HrtfError) {
        let text = format!(
            "{error}. The embedded HRTF set sounds in its place; the choice is kept, and taken up when the file is readable."
        );
        if *said != text {
            self.link.messages.post(text.clone());
            *said = text;
        }
    }
}

/// What the editor shows of a preparation.
fn loading(progress: &Arc<Progress>) -> Arc<Loading> {
    let (shown, cancelled) = (progress.clone(), progress.clone());
    Arc::new(Loading {
        fraction: Box::new(move || shown.fraction()),
        cancel: Box::new(move || cancelled.cancel()),
    })
}

fn source(choice: Option<&HrtfChoice>) -> Source {
    choice.map_or(Source::Default, |choice| Source::File(choice.path.clone()))
}

/// What the editor shows of a set.
fn title(info: &Info) -> String {
    let about = &info.about;
    let by = [&about.author, &about.organization]
        .into_iter()
        .find(|text| !text.is_empty());
    match by {
        Some(by) => format!("{} ({by})", about.title),
        None => about.title.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    fn filters_only(equalised: bool) -> SpaceWish {
        SpaceWish {
            filters: true,
            decoder: None,
            equalised,
        }
    }

    fn choose(link: &Link, path: &Path) {
        link.choose_hrtf(Some(HrtfChoice {
            path: path.to_owned(),
            hash: None,
        }));
    }

    #[test]
    fn a_missing_file_is_said_and_kept_and_the_embedded_set_sounds() {
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.ensure(filters_only(true));
        let mut engine = Engine::new(16_000.0).unwrap();
        filters.attach(&mut engine);
        let missing = PathBuf::from("no/such/file.sofa");
        choose(&link, &missing);
        filters.ensure(filters_only(true));
        filters.ensure(filters_only(true));
        let said = link.messages.all();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].text.contains("file.sofa"), "{said:?}");
        assert_eq!(link.hrtf().choice.unwrap().path, missing);
        assert!(link.hrtf().name.contains("KEMAR"));
        // A file that is there is taken, and its content remembered.
        let asset =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
        choose(&link, &asset);
        filters.ensure(filters_only(true));
        let choice = link.hrtf().choice.unwrap();
        assert_eq!(choice.hash.as_ref().map(String::len), Some(32));
        assert_eq!(link.messages.all().len(), 1);
        // Another content than the project remembers is said.
        link.choose_hrtf(Some(HrtfChoice {
            path: asset,
            hash: Some("0".repeat(32)),
        }));
        filters.attach(&mut Engine::new(16_000.0).unwrap());
        filters.ensure(filters_only(false));
        assert!(
            link.messages
                .all()
                .last()
                .unwrap()
                .text
                .contains("has changed")
        );
    }

    /// A file that takes some time: many directions at the highest rate.
    fn slow(link: &Link) {
        let asset =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
        choose(link, &asset);
    }

    /// Does something while filters are being loaded, and waits for the end of that.
    fn amid_loading(link: &Link, filters: &Filters, act: impl FnOnce()) {
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| filters.ensure(filters_only(true)));
            while link
                .loading()
                .is_none_or(|loading| (loading.fraction)() < 0.15)
            {
                assert!(!worker.is_finished(), "it was loaded before that");
                std::thread::yield_now();
            }
            act();
        });
    }

    #[test]
    fn what_is_loaded_for_an_instance_that_goes_is_given_up_and_the_choice_stays() {
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.attach(&mut Engine::new(384_000.0).unwrap());
        slow(&link);
        amid_loading(&link, &filters, || filters.give_up());
        assert!(link.hrtf().choice.is_some());
        assert_eq!(link.hrtf().name, "");
        // Nothing is begun for it any more.
        filters.ensure(filters_only(true));
        assert_eq!(link.hrtf().name, "");
        assert!(link.loading().is_none());
    }

    #[test]
    fn an_engine_that_comes_does_not_wait_for_what_the_one_before_asked_for() {
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.attach(&mut Engine::new(384_000.0).unwrap());
        slow(&link);
        amid_loading(&link, &filters, || {
            filters.attach(&mut Engine::new(16_000.0).unwrap())
        });
        assert!(link.hrtf().choice.is_some());
        assert_eq!(link.hrtf().name, "");
        filters.ensure(filters_only(true));
        assert!(link.hrtf().name.contains("KEMAR"));
        assert!(link.messages.all().is_empty());
    }

    #[test]
    fn a_file_that_is_given_up_leaves_the_one_that_was_chosen_meanwhile() {
        for meanwhile in [None, Some("b.sofa")] {
            let link = Arc::new(Link::default());
            let filters = Filters::new(link.clone());
            filters.attach(&mut Engine::new(384_000.0).unwrap());
            slow(&link);
            amid_loading(&link, &filters, || match meanwhile {
                Some(path) => choose(&link, Path::new(path)),
                // The button in the editor.
                None => (link.loading().unwrap().cancel)(),
            });
            let chosen = link.hrtf().choice.map(|choice| choice.path);
            assert_eq!(chosen, meanwhile.map(PathBuf::from));
            assert_eq!(link.hrtf().name, "");
        }
    }

    #[test]
    fn a_broken_file_is_read_again_when_it_has_changed_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broken.sofa");
        fs::write(&file, "no SOFA").unwrap();
        let source = Source::File(file.clone());
        let mut failure = Failure::new(source.clone());
        assert!(failure.holds(&source) && !failure.holds(&Source::Default));
        failure.when -= RETRY;
        assert!(failure.holds(&source), "it is what it was");
        fs::write(&file, "something else").unwrap();
        assert!(!failure.holds(&source), "it has changed");
        fs::remove_file(&file).unwrap();
        let mut missing = Failure::new(source.clone());
        assert!(missing.holds(&source));
        missing.when -= RETRY;
        assert!(!missing.holds(&source), "one that is missing may come back");
    }
}
