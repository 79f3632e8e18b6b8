//! Whether the devices of `zeitgeber live` still call: some stop, or never begin, without an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a device may rest before that is said, and how many of its blocks at least.
const PATIENCE: Duration = Duration::from_secs(2);
const BLOCKS: u32 = 4;

/// How often a device has called; counted in its callback.
#[derive(Clone, Default)]
pub struct Calls(Arc<AtomicU64>);

impl Calls {
    /// It calls.
    pub fn count(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Looks whether one device calls.
pub struct Watch {
    /// The device as it is told of.
    device: String,
    calls: Calls,
    seen: u64,
    since: Instant,
    patience: Duration,
    rests: bool,
}

impl Watch {
    /// From `now` on; the device should call once in `block`.
    pub fn new(device: String, calls: Calls, block: Duration, now: Instant) -> Watch {
        Watch {
            device,
            seen: calls.0.load(Relaxed),
            calls,
            since: now,
            patience: PATIENCE.max(BLOCKS * block),
            rests: false,
        }
    }

    /// What is to be said: that it has fallen silent, or is back; each once.
    pub fn look(&mut self, now: Instant) -> Option<String> {
        let calls = self.calls.0.load(Relaxed);
        if calls != self.seen {
            self.seen = calls;
            self.since = now;
            let back = std::mem::take(&mut self.rests);
            return back.then(|| format!("{} is back", self.device));
        }
        if self.rests || now.duration_since(self.since) < self.patience {
            return None;
        }
        self.rests = true;
        Some(format!(
            "{} has not called for {:.0} s; where it stays away, end live and start it again",
            self.device,
            self.patience.as_secs_f64()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_rests_is_told_of_once_and_when_it_is_back() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let calls = Calls::default();
        let block = Duration::from_millis(20);
        let mut watch = Watch::new("the input device x".to_owned(), calls.clone(), block, start);
        // One that never begins.
        assert_eq!(watch.look(at(1.9)), None);
        let said = watch.look(at(2.0)).unwrap();
        assert!(said.starts_with("the input device x has not called for 2 s"));
        assert_eq!(watch.look(at(9.0)), None);
        calls.count();
        assert_eq!(watch.look(at(9.1)).unwrap(), "the input device x is back");
        // One that goes on, and one that stops.
        calls.count();
        assert_eq!(watch.look(at(11.2)), None);
        assert_eq!(watch.look(at(13.1)), None);
        assert!(watch.look(at(13.2)).is_some());
        // One whose blocks are long.
        let mut watch = Watch::new(String::new(), calls, Duration::from_secs(1), start);
        assert_eq!(watch.look(at(3.9)), None);
        assert!(watch.look(at(4.0)).unwrap().contains("for 4 s"));
    }
}
