//! The fence before an instance goes: nice-plug's queue is empty of it.
//!
//! nice-plug's background thread (VST3, standalone) serves all instances and quits for good when it meets a
//! task of one that is gone; destroying the last instance then panics. While an instance is used its
//! parameter changes post such tasks. So `deactivate` posts one of ours behind them and waits for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a host waits for the fence at most: the thread may have quit already.
const LONGEST: Duration = Duration::from_millis(200);
/// The background thread lets go of the instance just after the task: a moment for that.
const LET_GO: Duration = Duration::from_millis(1);

/// The only background task there is: the fence with this number.
#[derive(Debug, Clone, Copy)]
pub struct FenceTask(u64);

/// Counts the fences that the background thread has passed.
#[derive(Debug, Default)]
pub(super) struct Fence {
    passed: Mutex<u64>,
    moved: Condvar,
    posted: Mutex<u64>,
}

impl Fence {
    /// What the background thread runs.
    pub(super) fn executor(self: &Arc<Self>) -> Box<dyn Fn(FenceTask) + Send> {
        let fence = self.clone();
        Box::new(move |FenceTask(number)| {
            let mut passed = fence.passed.lock().unwrap_or_else(PoisonError::into_inner);
            *passed = number.max(*passed);
            fence.moved.notify_all();
        })
    }

    /// Posts a fence through `post` and waits until the background thread has passed it. Returns whether it
    /// has.
    pub(super) fn wait(&self, post: impl FnOnce(FenceTask)) -> bool {
        let number = {
            let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
            *posted += 1;
            *posted
        };
        post(FenceTask(number));
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self
            .moved
            .wait_timeout_while(passed, LONGEST, |passed| *passed < number);
        let passed = !result.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        std::thread::sleep(LET_GO);
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
