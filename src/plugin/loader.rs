//! The thread on which the worker has filters loaded: a large file of one instance holds up no other's messages,
//! controllers and ports. It lives while there is something to load.

use super::filters::Filters;
use crate::engine::SpaceWish;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// An instance's filters, and what they are to be.
pub(super) type Job = (Arc<Filters>, SpaceWish);

/// The worker's hold of the thread. Dropped, it waits for the end of what is being loaded.
#[derive(Default)]
pub(super) struct Loader {
    waiting: Arc<Mutex<Vec<Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Loader {
    /// Has this loaded, one after the other, in place of what has waited so far. Does not wait for it.
    pub(super) fn tend(&mut self, jobs: Vec<Job>) {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join();
        }
        let idle = jobs.is_empty();
        self.set(jobs);
        // One that is just ending does not see them: the next round brings them again.
        if idle || self.thread.is_some() {
            return;
        }
        let waiting = self.waiting.clone();
        let thread = std::thread::Builder::new()
            .name("zeitgeber-loader".to_owned())
            .spawn(move || run(&waiting));
        // Where the system gives none the next round asks again; a host that begins brings its filters by itself.
        self.thread = thread.ok();
    }

    fn set(&self, jobs: Vec<Job>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *waiting, jobs);
        drop(waiting);
        // Filters of an instance that has gone are freed without the lock.
        drop(before);
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // One that died has loaded nothing: it is begun again.
            let _ = thread.join();
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.set(Vec::new());
        self.join();
    }
}

fn run(waiting: &Mutex<Vec<Job>>) {
    loop {
        let mut jobs = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_empty() {
            return;
        }
        let (filters, wish) = jobs.remove(0);
        drop(jobs);
        filters.ensure(wish);
    }
}
