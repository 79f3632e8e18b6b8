//! Our own worker: one thread per library image, started with the first instance and joined with the last.
//!
//! Audio threads push small reports into lock-free rings; the worker turns them into messages for the
//! editor and stderr, and wakes sleeping editors. nice-plug's background executor is not used for this: it
//! ends with the first instance that goes (see `fence`).

use super::filters::Filters;
use super::inserts::Inserts;
use super::session::Session;
use crate::control::Ports;
use crate::editor::Link;
use crate::engine::SpaceWish;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the worker looks.
const ROUND: Duration = Duration::from_millis(80);
/// And while a head moves by itself.
const GLIDE: Duration = Duration::from_millis(10);
/// Reports that fit between two rounds; one that does not is repeated in the next block's.
const RING: usize = 64;
/// A stream of broken input is said once and then counted for so long.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// What an audio thread has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// So many incoming samples were not finite and became silence.
    InputRepaired(u64),
    /// So many outgoing samples were not finite and became silence.
    OutputRepaired(u64),
}

/// One instance's end of the ring. Dropping it takes the instance off the worker.
pub(super) struct Reporter {
    ring: rtrb::Producer<Report>,
    lane: u64,
    filters: Weak<Filters>,
    inserts: Weak<Inserts>,
    shared: Weak<Shared>,
}

impl Reporter {
    /// What makes the worker look at once. Never on the audio thread.
    pub(super) fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || {
            if let Some(shared) = shared.upgrade() {
                shared.wake.notify_all();
            }
        }
    }

    /// Leaves a report; false where the ring is full. Wait-free; for the audio thread.
    pub(super) fn push(&mut self, report: Report) -> bool {
        self.ring.push(report).is_ok()
    }
}

/// The worker's end.
struct Lane {
    number: u64,
    ring: rtrb::Consumer<Report>,
    link: Weak<Link>,
    filters: Weak<Filters>,
    inserts: Weak<Inserts>,
    session: Weak<Session>,
    ports: Ports,
    pending: [u64; 2],
    said: Option<Instant>,
}

impl Lane {
    /// The filters that the instance's engine, or its musician, asks for.
    fn wish(&self) -> Option<(Arc<Filters>, SpaceWish)> {
        let link = self.link.upgrade()?;
        let wanted = link.telemetry()?.space_wish();
        // What has just been chosen is looked at even while space is off, so that what is wrong is said.
        let chosen = link.hrtf().choice.is_some().then_some(SpaceWish {
            filters: true,
            decoder: None,
            equalised: true,
        });
        Some((self.filters.upgrade()?, wanted.or(chosen)?))
    }

    /// Tells whether a head moves by itself, for which it has to look more often.
    fn round(&mut self, now: Instant) -> bool {
        while let Ok(report) = self.ring.pop() {
            match report {
                Report::InputRepaired(samples) => self.pending[0] += samples,
                Report::OutputRepaired(samples) => self.pending[1] += samples,
            }
        }
        let Some(link) = self.link.upgrade() else {
            return false;
        };
        let stirs = link.control.round();
        self.ports.sync(&link.control);
        if let Some(session) = self.session.upgrade() {
            for command in link.control.take_commands() {
                session.obey(command);
            }
            session.sync();
        }
        if let Some(inserts) = self.inserts.upgrade() {
            inserts.look();
        }
        let quiet = self
            .said
            .is_none_or(|said| now.duration_since(said) >= SAID_EVERY);
        if quiet && self.pending != [0; 2] {
            let [input, output] = std::mem::take(&mut self.pending);
            if input > 0 {
                link.messages.post(format!(
                    "the input was not finite: {} became silence",
                    samples(input)
                ));
            }
            if output > 0 {
                link.messages.post(format!(
                    "something within was not finite: {} of the output became silence",
                    samples(output)
                ));
            }
            self.said = Some(now);
        }
        link.wake_if_something_moves();
        stirs
    }
}

fn samples(count: u64) -> String {
    format!("{count} sample{}", if count == 1 { "" } else { "s" })
}

#[derive(Default)]
struct Desk {
    lanes: Vec<Lane>,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    wake: Condvar,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut desk = self.desk();
        while !desk.stop {
            let now = Instant::now();
            let mut pause = ROUND;
            for lane in &mut desk.lanes {
                if lane.round(now) {
                    pause = GLIDE;
                }
            }
            let wishes: Vec<_> = desk.lanes.iter().filter_map(Lane::wish).collect();
            if !wishes.is_empty() {
                // Loading takes a while: instances may come and go meanwhile.
                drop(desk);
                for (filters, wish) in wishes {
                    filters.ensure(wish);
                }
                desk = self.desk();
                if desk.stop {
                    break;
                }
            }
            let waited = self.wake.wait_timeout(desk, pause);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

struct Running {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    instances: usize,
    next_lane: u64,
}

static WORKER: Mutex<Option<Running>> = Mutex::new(None);

fn worker() -> MutexGuard<'static, Option<Running>> {
    WORKER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts an instance on the worker, which is started if it is the first. Never on the audio thread.
pub(super) fn attach(
    link: &Arc<Link>,
    filters: &Arc<Filters>,
    inserts: &Arc<Inserts>,
    session: &Arc<Session>,
) -> Reporter {
    let mut worker = worker();
    let running = worker.get_or_insert_with(|| {
        let shared = Arc::new(Shared::default());
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("zeitgeber-worker".to_owned())
            .spawn(move || theirs.run())
            .inspect_err(|error| {
                // The sound does not need it: messages of audio threads stay unsaid.
                link.messages
                    .post(format!("the system gave no thread for messages: {error}"));
            })
            .ok();
        Running {
            shared,
            thread,
            instances: 0,
            next_lane: 0,
        }
    });
    let (producer, consumer) = rtrb::RingBuffer::new(RING);
    let number = running.next_lane;
    running.next_lane += 1;
    running.instances += 1;
    let lane = Lane {
        number,
        ring: consumer,
        link: Arc::downgrade(link),
        filters: Arc::downgrade(filters),
        inserts: Arc::downgrade(inserts),
        session: Arc::downgrade(session),
        ports: Ports::default(),
        pending: [0; 2],
        said: None,
    };
    running.shared.desk().lanes.push(lane);
    Reporter {
        ring: producer,
        lane: number,
        filters: Arc::downgrade(filters),
        inserts: Arc::downgrade(inserts),
        shared: Arc::downgrade(&running.shared),
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        // The worker may be loading for this instance: nobody waits for that, neither another instance nor,
        // when it is joined below, the host.
        if let Some(filters) = self.filters.upgrade() {
            filters.give_up();
        }
        if let Some(inserts) = self.inserts.upgrade() {
            inserts.end();
        }
        let mut worker = worker();
        let Some(running) = worker.as_mut() else {
            return;
        };
        // Dropped without the desk's lock: its ports are closed, and their threads joined.
        let gone: Vec<Lane> = {
            let mut desk = running.shared.desk();
            let gone = desk.lanes.extract_if(.., |lane| lane.number == self.lane);
            gone.collect()
        };
        drop(gone);
        running.instances -= 1;
        if running.instances > 0 {
            return;
        }
        // Joined while the lock is held: an instance that comes meanwhile starts a worker of its own.
        if let Some(running) = worker.take() {
            running.shared.desk().stop = true;
            running.shared.wake.notify_all();
            if let Some(thread) = running.thread {
                // A worker that died has nothing left to say.
                let _ = thread.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_become_messages_and_the_last_instance_ends_the_worker() {
        let links: Vec<Arc<Link>> = (0..3).map(|_| Arc::default()).collect();
        let filters: Vec<_> = links
            .iter()
            .map(|link| Arc::new(Filters::new(link.clone())))
            .collect();
        let inserts: Vec<_> = links
            .iter()
            .map(|link| Arc::new(Inserts::new(link.clone())))
            .collect();
        let sessions: Vec<_> = links
            .iter()
            .map(|link| {
                let params = Arc::new(super::super::ZgParams::new(link.clone()));
                Arc::new(Session::new(link.clone(), params))
            })
            .collect();
        let mut reporters: Vec<Reporter> = (0..links.len())
            .map(|n| attach(&links[n], &filters[n], &inserts[n], &sessions[n]))
            .collect();
        assert!(reporters[1].push(Report::InputRepaired(1)));
        assert!(reporters[1].push(Report::InputRepaired(2)));
        assert!(reporters[2].push(Report::OutputRepaired(1)));
        let deadline = Instant::now() + Duration::from_secs(10);
        while links[1..].iter().any(|link| link.messages.all().is_empty()) {
            assert!(Instant::now() < deadline, "the worker says nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(links[0].messages.all().is_empty());
        assert!(
            links[1].messages.all()[0]
                .text
                .starts_with("the input was not finite: ")
        );
        assert!(
            links[2].messages.all()[0]
                .text
                .contains("1 sample of the output")
        );
        // A stream of reports is not a stream of messages.
        for _ in 0..10 {
            reporters[1].push(Report::InputRepaired(64));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(links[1].messages.all().len() <= 2);
        drop(reporters);
        // Other tests of this binary may have instances of their own.
        if let Some(running) = worker().as_ref() {
            assert!(running.instances > 0);
        }
    }

    #[test]
    fn the_last_instance_does_not_wait_for_a_set_that_is_being_loaded() {
        let link = Arc::new(Link::default());
        let filters = Arc::new(Filters::new(link.clone()));
        let mut engine = crate::engine::Engine::new(384_000.0).unwrap();
        engine.set(crate::engine::controls::SPACE_KIND, 1.0);
        filters.attach(&mut engine);
        link.watch(engine.telemetry().clone());
        let (mut left, mut right) = ([0.0; 32], [0.0; 32]);
        engine.process(&mut left, &mut right, Default::default(), &[]);
        let params = Arc::new(super::super::ZgParams::new(link.clone()));
        let session = Arc::new(Session::new(link.clone(), params));
        let inserts = Arc::new(Inserts::new(link.clone()));
        let reporter = attach(&link, &filters, &inserts, &session);
        let deadline = Instant::now() + Duration::from_secs(20);
        while link
            .loading()
            .is_none_or(|loading| (loading.fraction)() < 0.1)
        {
            assert!(Instant::now() < deadline, "the worker loads nothing");
            std::thread::yield_now();
        }
        drop(reporter);
        // It ended before it was done.
        let ended = Instant::now();
        while link.loading().is_some() {
            assert!(
                ended.elapsed() < Duration::from_secs(5),
                "it is not given up"
            );
            std::thread::yield_now();
        }
        assert_eq!(link.hrtf().name, "");
    }

    #[test]
    fn a_full_ring_is_told() {
        let link = Arc::new(Link::default());
        let (producer, _consumer) = rtrb::RingBuffer::new(2);
        // Lane numbers start at 0 and never reach the last one.
        let mut reporter = Reporter {
            ring: producer,
            lane: u64::MAX,
            filters: Weak::new(),
            inserts: Weak::new(),
            shared: Weak::new(),
        };
        assert!(reporter.push(Report::InputRepaired(1)) && reporter.push(Report::InputRepaired(1)));
        assert!(!reporter.push(Report::InputRepaired(1)));
        std::mem::forget(reporter);
        drop(link);
    }
}
