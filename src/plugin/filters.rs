//! The head-related filters of one instance: what its state asks for, loaded off the audio thread.

use crate::editor::{HrtfChoice, Link, Loading};
use crate::engine::{Engine, SpaceWish};
use crate::hrtf::{HrtfError, Info, Progress, Source};
use crate::space::{Failure, Supplier};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// What is said when the musician cancels the embedded set, which has none behind it.
const GIVEN_UP: &str = "the embedded HRTF set was cancelled: until it is there space does not sound as it is set, nor in a bounce. To load it, switch Space off and on, press Default beside the HRTF set, or load the project again.";

/// What one instance supplies its engine with. No lock in it is ever taken by the audio thread.
pub(super) struct Filters {
    link: Arc<Link>,
    desk: Mutex<Desk>,
    /// What is being loaded.
    work: Mutex<Option<Arc<Progress>>>,
    /// Threads that wait for the desk, or have taken it away for good: what is being loaded is not wanted.
    unwanted: AtomicUsize,
    /// Goes up whenever the embedded set is asked for anew other than by a choice.
    renewed: Arc<AtomicU64>,
    /// Whoever holds it lets nothing be loaded.
    #[cfg(test)]
    pub(super) gate: Mutex<()>,
}

#[derive(Default)]
struct Desk {
    supplier: Option<Supplier>,
    /// The file that could not be read.
    failed: Option<Failure>,
    /// What has been said of that.
    said: String,
    given_up: Option<GivenUp>,
}

/// What tells whether filters have been asked for anew: how often a set was chosen, and how often otherwise.
type Asked = (u64, u64);

/// What the musician did not want to wait for, of the embedded set. It holds until somebody asks anew.
struct GivenUp {
    wish: SpaceWish,
    asked: Asked,
}

impl GivenUp {
    /// Whether this is not to be loaded: nothing beyond what was given up, and not asked for since.
    fn holds(&self, wish: &SpaceWish, asked: Asked) -> bool {
        let beyond = wish.filters && !self.wish.filters
            || wish.decoder.is_some() && wish.decoder != self.wish.decoder
            || wish.equalised != self.wish.equalised;
        self.asked == asked && !beyond
    }
}

/// What is to be loaded next.
struct Job {
    /// The file that is chosen, where this loads it; else it is the embedded set.
    file: Option<HrtfChoice>,
    asked: Asked,
}

impl Filters {
    /// For an instance.
    pub fn new(link: Arc<Link>) -> Filters {
        Filters {
            link,
            desk: Mutex::default(),
            work: Mutex::default(),
            unwanted: AtomicUsize::new(0),
            renewed: Arc::default(),
            #[cfg(test)]
            gate: Mutex::default(),
        }
    }

    /// What the musician has cancelled of the embedded set is loaded after all when it is asked for next: space has
    /// been switched, or the host begins anew. (Whoever chooses a set asks anew by that.) Never waits.
    pub fn ask_again(&self) {
        self.renewed.fetch_add(1, Ordering::SeqCst);
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

    /// Loads, so that it can be given up. Beside the outcome comes what had been asked for when the musician did that.
    fn supply(
        &self,
        supplier: &mut Supplier,
        source: &Source,
        wish: SpaceWish,
    ) -> (Result<Info, HrtfError>, Option<Asked>) {
        let progress = Arc::new(Progress::new());
        let set = |work| *self.work.lock().unwrap_or_else(PoisonError::into_inner) = work;
        set(Some(progress.clone()));
        // Looked at after the work is there to be seen: one of the two sees the other.
        if self.unwanted.load(Ordering::SeqCst) > 0 {
            set(None);
            return (Err(HrtfError::Cancelled), None);
        }
        let by_hand = Arc::default();
        self.link
            .set_loading(Some(self.loading(&progress, &by_hand)));
        #[cfg(test)]
        let _gate = self.gate.lock();
        let supplied = supplier.supply(source, wish, &progress);
        self.link.set_loading(None);
        set(None);
        let by_hand = *by_hand.lock().unwrap_or_else(PoisonError::into_inner);
        (supplied, by_hand)
    }

    /// What the editor shows of a preparation.
    fn loading(
        &self,
        progress: &Arc<Progress>,
        by_hand: &Arc<Mutex<Option<Asked>>>,
    ) -> Arc<Loading> {
        let [shown, cancelled, replaced] = [(); 3].map(|()| progress.clone());
        let (by_hand, renewed) = (by_hand.clone(), self.renewed.clone());
        // The link holds this.
        let link = Arc::downgrade(&self.link);
        Arc::new(Loading {
            fraction: Box::new(move || shown.fraction()),
            cancel: Box::new(move || {
                if let Some(link) = link.upgrade() {
                    let asked = (link.hrtf().asked, renewed.load(Ordering::SeqCst));
                    *by_hand.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
                }
                cancelled.cancel();
            }),
            replace: Box::new(move || replaced.cancel()),
        })
    }

    /// What is to be loaded for a wish: the file that is chosen, or the embedded set where there is none, or it cannot
    /// be read. `failed`: whether a file is known not to be worth another try.
    fn job(
        &self,
        desk: &mut Desk,
        wish: &SpaceWish,
        failed: impl FnOnce(&mut Failure, &Source) -> bool,
    ) -> Option<Job> {
        let supplier = desk.supplier.as_mut()?;
        supplier.drain();
        let hrtf = self.link.hrtf();
        let asked = (hrtf.asked, self.renewed.load(Ordering::SeqCst));
        let source = source(hrtf.choice.as_ref());
        if supplier.has(&source, wish) {
            return None;
        }
        if hrtf.choice.is_some() {
            let failure = desk.failed.as_mut();
            if !failure.is_some_and(|failure| failed(failure, &source)) {
                let file = hrtf.choice;
                return Some(Job { file, asked });
            }
        }
        let given_up = desk.given_up.as_ref();
        let has_rest = supplier.has(&Source::Default, wish)
            || given_up.is_some_and(|given_up| given_up.holds(wish, asked));
        (!has_rest).then_some(Job { file: None, asked })
    }

    /// Brings the engine the filters and decoders that it asks for: those of the file that is chosen, or the embedded ones
    /// where there is none, or it cannot be read. Takes some 100 ms; never on the audio thread.
    pub fn ensure(&self, wish: SpaceWish) {
        let mut desk = self.desk();
        // A file, and the embedded set in its place.
        for _ in 0..2 {
            let Some(job) = self.job(&mut desk, &wish, Failure::holds) else {
                return;
            };
            if !self.load(&mut desk, &job, wish) {
                return;
            }
        }
    }

    /// Whether [`Filters::ensure`] has something to load or to look at. Sends and frees what it can; neither waits nor
    /// touches a file.
    pub fn wants(&self, wish: &SpaceWish) -> bool {
        let mut desk = match self.desk.try_lock() {
            Ok(desk) => desk,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            // It is being loaded.
            Err(TryLockError::WouldBlock) => return false,
        };
        let fresh = |failure: &mut Failure, source: &Source| failure.is_fresh(source);
        self.job(&mut desk, wish, fresh).is_some()
    }

    /// Loads; tells whether something else is to be loaded in its place.
    fn load(&self, desk: &mut Desk, job: &Job, wish: SpaceWish) -> bool {
        let Some(supplier) = &mut desk.supplier else {
            return false;
        };
        let chosen = job.file.as_ref();
        let source = source(chosen);
        match self.supply(supplier, &source, wish) {
            (Ok(info), _) => {
                if chosen.is_some() || self.link.hrtf().choice.is_none() {
                    desk.failed = None;
                    desk.said.clear();
                    self.link.set_hrtf_wrong(None);
                }
                self.loaded(chosen, &info);
            }
            (Err(HrtfError::Cancelled), by_hand) => {
                // By an engine that comes, or an instance that goes: the choice stays. By a choice of another
                // file: that stays, too. Else by the musician: back to the embedded set.
                let by_hand = by_hand.filter(|_| self.unwanted.load(Ordering::SeqCst) == 0);
                if let Some(asked) = by_hand {
                    self.cancelled(desk, chosen, wish, asked);
                }
            }
            (Err(error), _) if chosen.is_some() => {
                desk.failed = Some(Failure::new(source));
                self.link.set_hrtf_wrong(Some(error.to_string()));
                self.missing(&mut desk.said, &error);
                return true;
            }
            (Err(error), _) => {
                // It would fail again.
                let asked = job.asked;
                desk.given_up = Some(GivenUp { wish, asked });
                self.link.messages.post(error.to_string());
            }
        }
        false
    }

    /// The musician has cancelled, when so much had been asked for.
    fn cancelled(
        &self,
        desk: &mut Desk,
        chosen: Option<&HrtfChoice>,
        wish: SpaceWish,
        asked: Asked,
    ) {
        let now = (self.link.hrtf().asked, self.renewed.load(Ordering::SeqCst));
        match chosen {
            Some(chosen) if asked.0 == now.0 => self.link.give_up_hrtf(&chosen.path),
            // Chosen again since.
            Some(_) => {}
            // There is nothing to go back to.
            None => {
                desk.given_up = Some(GivenUp { wish, asked });
                if asked == now {
                    self.link.messages.post(GIVEN_UP);
                }
            }
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
    use crate::plugin::state;
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
                None => cancel(&link),
            });
            let chosen = link.hrtf().choice.map(|choice| choice.path);
            assert_eq!(chosen, meanwhile.map(PathBuf::from));
            assert_eq!(link.hrtf().name, "");
        }
    }

    #[test]
    fn a_choice_that_was_made_again_is_not_given_up_by_the_one_between() {
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.attach(&mut Engine::new(384_000.0).unwrap());
        slow(&link);
        let mine = link.hrtf().choice;
        amid_loading(&link, &filters, || {
            choose(&link, Path::new("b.sofa"));
            slow(&link);
        });
        assert_eq!(link.hrtf().choice, mine);
        // Chosen twice, it is given up as if once.
        amid_loading(&link, &filters, || {
            slow(&link);
            cancel(&link);
        });
        assert_eq!(link.hrtf().choice, None);
    }

    /// The button in the editor.
    fn cancel(link: &Link) {
        (link.loading().unwrap().cancel)();
    }

    /// One that has cancelled the embedded set, at a rate at which no other test has prepared it.
    fn without_embedded(rate: f64) -> (Arc<Link>, Filters) {
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.attach(&mut Engine::new(rate).unwrap());
        amid_loading(&link, &filters, || cancel(&link));
        (link, filters)
    }

    #[test]
    fn the_embedded_set_comes_back_after_a_cancel_when_it_is_asked_for_anew() {
        let wish = filters_only(true);
        let ways: [fn(&Link, &Filters); 4] = [
            |link, _| link.choose_hrtf(None),
            |link, _| {
                let session = link.session();
                let state = state::fields(link.size(), None, &session, &[None, None]);
                assert!(state::restore(&state, link));
            },
            |_, filters| filters.ask_again(),
            |_, filters| filters.attach(&mut Engine::new(16_000.0).unwrap()),
        ];
        for (way, ask) in ways.into_iter().enumerate() {
            let (link, filters) = without_embedded(382_000.0);
            assert!(!filters.wants(&wish), "it begins again by itself");
            let said = link.messages.all();
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].text.contains("Default"), "{said:?}");
            // What asks for more was not given up.
            assert!(filters.wants(&filters_only(false)));
            ask(&link, &filters);
            assert!(filters.wants(&wish), "way {way}");
        }
        // Asked for after the click, and before the loading has ended.
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.attach(&mut Engine::new(382_000.0).unwrap());
        amid_loading(&link, &filters, || {
            cancel(&link);
            link.choose_hrtf(None);
        });
        assert!(filters.wants(&wish));
        assert!(link.messages.all().is_empty());
    }

    #[test]
    fn a_host_that_begins_anew_asks_anew() {
        let mut instance = crate::plugin::Zg::<true>::default();
        let asked =
            |instance: &crate::plugin::Zg<true>| instance.filters.renewed.load(Ordering::SeqCst);
        let before = asked(&instance);
        instance.engine = Some(Engine::new(16_000.0).unwrap());
        // As at every activation, at the same rate or another.
        instance.bring_filters();
        assert!(asked(&instance) > before);
    }

    #[test]
    fn the_embedded_set_in_place_of_a_broken_file_can_be_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broken.sofa");
        std::fs::write(&file, "no SOFA").unwrap();
        let link = Arc::new(Link::default());
        let filters = Filters::new(link.clone());
        filters.attach(&mut Engine::new(381_000.0).unwrap());
        choose(&link, &file);
        amid_loading(&link, &filters, || cancel(&link));
        assert!(!filters.wants(&filters_only(true)), "it begins again");
        assert_eq!(link.hrtf().choice.unwrap().path, file);
        let said = link.messages.all();
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[1].text, GIVEN_UP);
        filters.ask_again();
        assert!(filters.wants(&filters_only(true)));
    }
}
