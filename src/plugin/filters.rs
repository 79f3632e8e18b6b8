//! The head-related filters of one instance: what its state asks for, loaded off the audio thread.

use crate::editor::{HrtfChoice, Link, Loading};
use crate::engine::Engine;
use crate::hrtf::{HrtfError, Info, Progress, Source};
use crate::space::Supplier;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a file that could not be read is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// What one instance supplies its engine with. No lock in it is ever taken by the audio thread.
pub(super) struct Filters {
    link: Arc<Link>,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    supplier: Option<Supplier>,
    /// The file that could not be read, and when.
    failed: Option<(Source, Instant)>,
    /// What has been said of that.
    said: String,
}

impl Filters {
    /// For an instance.
    pub fn new(link: Arc<Link>) -> Filters {
        Filters {
            link,
            desk: Mutex::default(),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on supplies this engine, and nothing that came before.
    pub fn attach(&self, engine: &mut Engine) {
        let rate = engine.sample_rate();
        let supplier = engine.take_supply().map(|line| Supplier::new(line, rate));
        *self.desk() = Desk {
            supplier,
            ..Desk::default()
        };
    }

    /// Brings the engine the filters that it asks for: those of the file that is chosen, or the embedded ones
    /// where there is none, or it cannot be read. Takes some 100 ms; never on the audio thread.
    pub fn ensure(&self, equalised: bool) {
        let mut desk = self.desk();
        let Desk {
            supplier: Some(supplier),
            failed,
            said,
        } = &mut *desk
        else {
            return;
        };
        supplier.drain();
        let chosen = self.link.hrtf().choice;
        let source = source(chosen.as_ref());
        if supplier.has(&source, equalised) {
            return;
        }
        let left_alone = failed
            .as_ref()
            .is_some_and(|(other, when)| *other == source && when.elapsed() < RETRY);
        if !left_alone {
            let progress = Arc::new(Progress::new());
            self.link.set_loading(Some(loading(&progress)));
            let supplied = supplier.supply(&source, equalised, &progress);
            self.link.set_loading(None);
            match supplied {
                Ok(info) => {
                    *failed = None;
                    said.clear();
                    self.loaded(chosen.as_ref(), &info);
                    return;
                }
                Err(HrtfError::Cancelled) => {
                    // Given up in the editor: back to the embedded set.
                    self.link.choose_hrtf(None);
                }
                Err(error) => {
                    *failed = Some((source, Instant::now()));
                    self.missing(said, &error);
                }
            }
        }
        if !supplier.has(&Source::Default, equalised)
            && let Ok(info) = supplier.supply(&Source::Default, equalised, &Progress::new())
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
        filters.ensure(true);
        let mut engine = Engine::new(16_000.0).unwrap();
        filters.attach(&mut engine);
        let missing = PathBuf::from("no/such/file.sofa");
        choose(&link, &missing);
        filters.ensure(true);
        filters.ensure(true);
        let said = link.messages.all();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].text.contains("file.sofa"), "{said:?}");
        assert_eq!(link.hrtf().choice.unwrap().path, missing);
        assert!(link.hrtf().name.contains("KEMAR"));
        // A file that is there is taken, and its content remembered.
        let asset =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
        choose(&link, &asset);
        filters.ensure(true);
        let choice = link.hrtf().choice.unwrap();
        assert_eq!(choice.hash.as_ref().map(String::len), Some(32));
        assert_eq!(link.messages.all().len(), 1);
        // Another content than the project remembers is said.
        link.choose_hrtf(Some(HrtfChoice {
            path: asset,
            hash: Some("0".repeat(32)),
        }));
        filters.attach(&mut Engine::new(16_000.0).unwrap());
        filters.ensure(false);
        assert!(
            link.messages
                .all()
                .last()
                .unwrap()
                .text
                .contains("has changed")
        );
    }
}
