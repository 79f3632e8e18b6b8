//! What this process holds of the system: threads by name, and descriptors. Linux only; elsewhere it is nothing, always.

use std::time::{Duration, Instant};

/// How long nothing may have changed: a thread that was joined is listed for a moment longer.
const STILL: Duration = Duration::from_millis(300);
/// How long that is waited for.
const LONGEST: Duration = Duration::from_secs(10);

/// What is held.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub threads: Vec<String>,
    pub descriptors: usize,
}

impl Held {
    /// Just now.
    pub fn now() -> Held {
        let list = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).into_iter();
        let names = list("task").flatten().filter_map(|task| {
            let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
            Some(name.trim().to_owned())
        });
        let mut threads: Vec<String> = names.collect();
        threads.sort();
        Held {
            threads,
            descriptors: list("fd").flatten().count(),
        }
    }

    /// Once it has not changed for a while.
    pub fn settled() -> Held {
        let start = Instant::now();
        let (mut held, mut since) = (Held::now(), start);
        while since.elapsed() < STILL && start.elapsed() < LONGEST {
            std::thread::sleep(Duration::from_millis(10));
            let now = Held::now();
            if now != held {
                (held, since) = (now, Instant::now());
            }
        }
        held
    }

    /// Waits until it is this again.
    ///
    /// # Panics
    /// Where something is left behind.
    pub fn awaited(&self) {
        let deadline = Instant::now() + LONGEST;
        while Held::now() != *self {
            let now = Held::now();
            assert!(
                Instant::now() < deadline,
                "left behind: {self:?}, now {now:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
