//! Reads the musician's presets on a thread of its own: a slow disk does not hold the window up.

use crate::editor::link::Link;
use crate::protocol::{Entry, Library, PresetError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the list is taken for current, while the window is drawn.
const FRESH: Duration = Duration::from_secs(5);

/// What was read, with the stamp of the folder; no presets where that is the one of before.
type Found = (u64, Option<(Vec<Entry>, Vec<PresetError>)>);

/// Reads now and then.
#[derive(Default)]
pub(super) struct Reader {
    thread: Option<JoinHandle<Found>>,
    read: Option<Instant>,
    stamp: Option<u64>,
}

fn find(library: &Library, before: Option<u64>) -> Found {
    let stamp = library.stamp();
    (stamp, (before != Some(stamp)).then(|| library.own()))
}

impl Reader {
    /// What has been read, where it is another than before. Begins to read where that is long ago.
    pub fn poll(&mut self, library: &Library, link: &Link) -> Option<Vec<Entry>> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            return self.finish(link);
        }
        let stale = self.read.is_none_or(|read| read.elapsed() >= FRESH);
        if self.thread.is_none() && stale {
            let (library, before, notifier) = (library.clone(), self.stamp, link.notifier());
            let thread = std::thread::Builder::new().name("zeitgeber-presets".to_owned());
            let reading = thread.spawn(move || {
                let found = find(&library, before);
                if found.1.is_some() {
                    notifier.request_repaint();
                }
                found
            });
            self.read = Some(Instant::now());
            // Without a thread the factory's are there, and the next time it is tried again.
            self.thread = reading.ok();
        }
        None
    }

    /// Reads at once.
    pub fn read(&mut self, library: &Library, link: &Link) -> Vec<Entry> {
        // What is being read may be of before.
        self.thread.take().map(JoinHandle::join);
        self.read = Some(Instant::now());
        let found = find(library, None);
        self.take(found, link).unwrap_or_default()
    }

    fn finish(&mut self, link: &Link) -> Option<Vec<Entry>> {
        let found = self.thread.take()?.join().ok()?;
        self.take(found, link)
    }

    fn take(&mut self, (stamp, found): Found, link: &Link) -> Option<Vec<Entry>> {
        let first = self.stamp.replace(stamp).is_none();
        let (own, wrong) = found?;
        for error in wrong.into_iter().filter(|_| first) {
            link.messages.post(error.to_string());
        }
        Some(own)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // The library may be unloaded with the window.
        self.thread.take().map(JoinHandle::join);
    }
}
