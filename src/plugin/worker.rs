//! Our own worker: one thread per library image, started with the first instance and joined with the last.
//!
//! Audio threads push small reports into lock-free rings; the worker turns them into messages for the
//! editor and stderr, and wakes sleeping editors. Filters that take a while are loaded on a thread of their own
//! (`loader`). nice-plug's background executor is not used for this: it
//! ends with the first instance that goes (see `fence`).

use super::filters::Filters;
use super::inserts::Inserts;
use super::loader::Loader;
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
    /// Whether space was on in the last round.
    in_space: bool,
    pending: [u64; 2],
    said: Option<Instant>,
}

impl Lane {
    /// The filters that the instance's engine, or its musician, asks for.
    fn wish(&mut self) -> Option<(Arc<Filters>, SpaceWish)> {
        let (link, filters) = (self.link.upgrade()?, self.filters.upgrade()?);
        let wanted = link.telemetry()?.space_wish();
        if std::mem::replace(&mut self.in_space, wanted.is_some()) != wanted.is_some() {
            filters.ask_again();
        }
        let chosen = link.hrtf().choice.is_some().then_some(SpaceWish::CHOSEN);
        Some((filters, wanted.or(chosen)?))
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
        let mut loader = Loader::default();
        let mut desk = self.desk();
        while !desk.stop {
            let now = Instant::now();
            let mut pause = ROUND;
            for lane in &mut desk.lanes {
                if lane.round(now) {
                    pause = GLIDE;
                }
            }
            let wishes = desk.lanes.iter_mut().filter_map(Lane::wish);
            loader.tend(
                wishes
                    .filter(|(filters, wish)| filters.wants(wish))
                    .collect(),
            );
            let waited = self.wake.wait_timeout(desk, pause);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // What is being loaded has been given up by the instances that are gone.
        drop(desk);
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
        in_space: false,
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

    /// What was cancelled of the embedded set is in the way of nobody who switches space off and on.
    #[test]
    fn space_that_is_switched_asks_for_the_embedded_set_again() {
        use crate::engine::controls::{SPACE_HRTF, SPACE_KIND, SPACE_OFF};
        let link = Arc::new(Link::default());
        let filters = Arc::new(Filters::new(link.clone()));
        let mut engine = crate::engine::Engine::new(379_000.0).unwrap();
        filters.attach(&mut engine);
        link.watch(engine.telemetry().clone());
        let mut lane = Lane {
            number: 0,
            ring: rtrb::RingBuffer::new(1).1,
            link: Arc::downgrade(&link),
            filters: Arc::downgrade(&filters),
            inserts: Weak::new(),
            session: Weak::new(),
            ports: Ports::default(),
            in_space: false,
            pending: [0; 2],
            said: None,
        };
        let mut round = |kind: usize| {
            engine.set(SPACE_KIND, kind as f64);
            let (mut left, mut right) = ([0.0; 32], [0.0; 32]);
            engine.process(&mut left, &mut right, Default::default(), &[]);
            lane.wish().map(|(_, wish)| wish)
        };
        let wish = round(SPACE_HRTF).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| filters.ensure(wish));
            let deadline = Instant::now() + Duration::from_secs(20);
            while link.loading().is_none() {
                assert!(Instant::now() < deadline, "nothing is loaded");
                std::thread::yield_now();
            }
            (link.loading().unwrap().cancel)();
        });
        assert_eq!(round(SPACE_HRTF), Some(wish));
        assert!(!filters.wants(&wish), "it begins again by itself");
        assert_eq!(round(SPACE_OFF), None);
        assert_eq!(round(SPACE_HRTF), Some(wish));
        assert!(filters.wants(&wish));
    }

    #[test]
    fn what_one_instance_has_loaded_holds_up_no_other() {
        use crate::engine::controls::{SPACE_HRTF, SPACE_KIND};
        let links: Vec<Arc<Link>> = (0..2).map(|_| Arc::default()).collect();
        let filters: Vec<_> = links
            .iter()
            .map(|link| Arc::new(Filters::new(link.clone())))
            .collect();
        let mut engine = crate::engine::Engine::new(16_000.0).unwrap();
        engine.set(SPACE_KIND, SPACE_HRTF as f64);
        filters[0].attach(&mut engine);
        links[0].watch(engine.telemetry().clone());
        let (mut left, mut right) = ([0.0; 32], [0.0; 32]);
        engine.process(&mut left, &mut right, Default::default(), &[]);
        let gate = filters[0].gate.lock();
        let mut parts = Vec::new();
        let mut reporters: Vec<Reporter> = (0..2)
            .map(|n| {
                let params = Arc::new(super::super::ZgParams::new(links[n].clone()));
                let session = Arc::new(Session::new(links[n].clone(), params));
                let inserts = Arc::new(Inserts::new(links[n].clone()));
                let reporter = attach(&links[n], &filters[n], &inserts, &session);
                parts.push((session, inserts));
                reporter
            })
            .collect();
        let wait = |what: &str, done: &dyn Fn() -> bool| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while !done() {
                assert!(Instant::now() < deadline, "{what}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait("nothing is loaded", &|| links[0].loading().is_some());
        // Its own messages come, too.
        for (link, reporter) in links.iter().zip(&mut reporters) {
            reporter.push(Report::InputRepaired(1));
            wait("it waits", &|| !link.messages.all().is_empty());
        }
        assert!(links[0].loading().is_some());
        drop(gate);
        wait("it is not loaded", &|| !links[0].hrtf().name.is_empty());
        wait("it is not done", &|| links[0].loading().is_none());
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
