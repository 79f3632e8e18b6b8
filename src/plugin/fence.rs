//! The fence before an instance goes: nice-plug's queue is empty of it.
//!
//! nice-plug's background thread (VST3, standalone) serves all instances and quits for good when it meets a
//! task of one that is gone; destroying the last instance then panics. While an instance is used its
//! parameter changes post such tasks. So `deactivate` posts one of ours behind them and waits for it.
//!
//! Under Linux that thread also panics, in VST3, when it looks for the window while the window opens or closes: nice-plug 0.4.2 holds
//! its cell all that time (`attached` and `removed` in its `vst3/view.rs`), and has every change that the host's automation makes
//! meanwhile told on that thread. Nothing of ours is lost with it, but nice-plug panics again when the last instance goes, and takes
//! the host along. So the thread rests while a window closes, until it has closed; and where it has ended while one opened, the next
//! instance that goes is kept for good (`guard/vst3.rs`): none is the last one then. While a window opens a
//! rest would not help: what is told meanwhile waits in nice-plug's queue, which only its thread empties, and by then the window is
//! there, which is of the host's thread and may be asked for on no other (`Fragile` in its `vst3/inner.rs`).

use std::any::TypeId;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a host waits for the fence at most: the thread may have quit already.
const LONGEST: Duration = Duration::from_millis(400);
/// The background thread lets go of the instance just after the task: a moment for that.
const LET_GO: Duration = Duration::from_millis(1);

/// nice-plug lets go of its cell just after a window has closed: a moment for that.
const REST: Duration = Duration::from_millis(50);
/// How long the thread rests at most: a window that cannot close must not hold up the other instances for ever.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// The plugins whose background thread has ended, and whether an instance of theirs is kept for good already.
static ENDED: Mutex<Vec<(TypeId, bool)>> = Mutex::new(Vec::new());

/// What the background thread is to do.
#[derive(Debug, Clone, Copy)]
pub enum FenceTask {
    /// To pass the fence with this number.
    Pass(u64),
    /// To pass the fence with this number, and to do nothing else while a window closes.
    Rest(u64),
}

/// Counts the fences that the background thread has passed.
#[derive(Debug, Default)]
pub(super) struct Fence {
    passed: Mutex<u64>,
    moved: Condvar,
    posted: Mutex<u64>,
    /// How many windows are closing.
    closing: Mutex<usize>,
    closed: Condvar,
}

impl Fence {
    /// What the background thread runs.
    pub(super) fn executor(self: &Arc<Self>) -> Box<dyn Fn(FenceTask) + Send> {
        let fence = self.clone();
        Box::new(move |task| {
            let (FenceTask::Pass(number) | FenceTask::Rest(number)) = task;
            let mut passed = fence.passed.lock().unwrap_or_else(PoisonError::into_inner);
            *passed = number.max(*passed);
            fence.moved.notify_all();
            drop(passed);
            if matches!(task, FenceTask::Rest(_)) {
                fence.rest();
            }
        })
    }

    /// Until no window closes any more.
    fn rest(&self) {
        let closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = self
            .closed
            .wait_timeout_while(closing, LONGEST_REST, |closing| *closing > 0);
        drop(rested);
        std::thread::sleep(REST);
    }

    /// Posts a fence through `post` and waits until the background thread has passed it. Returns whether it
    /// has.
    pub(super) fn wait(&self, post: impl FnOnce(FenceTask)) -> bool {
        self.wait_for(FenceTask::Pass, post)
    }

    fn wait_for(&self, task: impl FnOnce(u64) -> FenceTask, post: impl FnOnce(FenceTask)) -> bool {
        let number = {
            let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
            *posted += 1;
            *posted
        };
        post(task(number));
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self
            .moved
            .wait_timeout_while(passed, LONGEST, |passed| *passed < number);
        let passed = !result.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        std::thread::sleep(LET_GO);
        passed
    }

    /// The plugin `P` is deactivated: waits until nothing of it is in the queue, unless nobody is there who would take it out.
    pub(super) fn deactivates<P: 'static>(&self, post: impl FnOnce(FenceTask)) {
        if !has_ended::<P>() && !self.wait(post) {
            end::<P>();
        }
    }

    /// A window of the plugin `P` closes, on the host's thread: has the background thread rest until [`Fence::window_closed`].
    pub(super) fn window_closes<P: 'static>(&self, post: impl FnOnce(FenceTask)) {
        if has_ended::<P>() {
            return;
        }
        self.count(|closing| closing + 1);
        // From the moment that it has passed it rests: nothing comes between.
        if !self.wait_for(FenceTask::Rest, post) {
            end::<P>();
        }
    }

    /// The window has closed: the background thread goes on.
    pub(super) fn window_closed(&self) {
        self.count(|closing| closing.saturating_sub(1));
        self.closed.notify_all();
    }

    fn count(&self, by: impl FnOnce(usize) -> usize) {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        *closing = by(*closing);
    }
}

/// Whether the background thread of the plugin `P` has ended: nothing depends on it any more.
fn has_ended<P: 'static>() -> bool {
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    ended.iter().any(|(plugin, _)| *plugin == TypeId::of::<P>())
}

fn end<P: 'static>() {
    if !has_ended::<P>() {
        let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
        ended.push((TypeId::of::<P>(), false));
    }
}

/// Whether the instance of the plugin `P` that goes is the one that must not: the first since the background thread has ended.
pub(super) fn keeps<P: 'static>() -> bool {
    let mut ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ours = ended
        .iter_mut()
        .filter(|(plugin, _)| *plugin == TypeId::of::<P>());
    ours.next()
        .is_some_and(|(_, kept)| !std::mem::replace(kept, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn waits_for_its_own_task_and_not_for_ever() {
        let fence = Arc::new(Fence::default());
        let run = fence.executor();
        let thread = std::thread::scope(|scope| {
            fence.wait(|task| {
                scope.spawn(move || run(task));
            })
        });
        assert!(thread);
        assert!(!fence.wait(|_lost| {}));
    }

    #[test]
    fn one_instance_of_a_plugin_is_kept_where_the_thread_has_ended() {
        struct One;
        struct Other;
        struct Third;
        let fence = Arc::new(Fence::default());
        // A thread that lives is asked to rest, and nothing is kept.
        let asked = AtomicUsize::new(0);
        let alive = |task| {
            if let FenceTask::Rest(number) = task {
                asked.fetch_add(1, Ordering::Relaxed);
                *fence.passed.lock().unwrap() = number;
            }
        };
        fence.window_closes::<One>(alive);
        assert_eq!(asked.into_inner(), 1);
        assert!(!keeps::<One>());
        let lost = |_: FenceTask| {};
        fence.window_closes::<One>(lost);
        fence.window_closes::<One>(lost);
        // The first that goes is kept, and no other.
        assert_eq!([keeps::<One>(), keeps::<One>()], [true, false]);
        assert!(!keeps::<Other>());
        fence.deactivates::<Other>(lost);
        assert_eq!([keeps::<Other>(), keeps::<Other>()], [true, false]);
        assert!(!keeps::<Third>());
    }

    #[test]
    fn the_thread_rests_until_the_window_has_closed() {
        struct Class;
        let fence = Arc::new(Fence::default());
        let (run, rests) = (fence.executor(), Arc::new(AtomicUsize::new(0)));
        let counted = rests.clone();
        let mut thread = None;
        fence.window_closes::<Class>(|task| {
            thread = Some(std::thread::spawn(move || {
                run(task);
                counted.fetch_add(1, Ordering::Relaxed);
            }));
        });
        assert!(!keeps::<Class>(), "it lives");
        // Closing takes longer than any moment.
        std::thread::sleep(4 * REST);
        assert_eq!(rests.load(Ordering::Relaxed), 0, "it does not rest");
        fence.window_closed();
        thread.expect("a task").join().unwrap();
    }
}
