//! The way of gestures to the host's own thread.
//!
//! promise: what is done in the editor reaches a VST3 host on its own thread and in order, and leaves no gesture open
//!
//! VST3 wants them there, and Ardour 7 crashes where a gesture begins on any other: under X11 a window has a thread of its
//! own, and nice-plug (0.4.2) hands on what it is told on that very thread. So what the window says waits here until the
//! host's thread takes it; nice-plug's queue of tasks for that thread wakes it.

use crate::engine::ControlId;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// How long a task of ours may be on its way before another is sent: nice-plug drops tasks where its queue is full.
const LOST: Duration = Duration::from_secs(1);

/// How long the host's thread is waited for. While a window opens, and where the host gives nothing to run tasks by,
/// nice-plug runs them on a thread of its own.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a window tells a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Word {
    /// The user takes hold of a control.
    Begin(ControlId),
    /// The user moves it to a value, in the control's unit.
    Set(ControlId, f64),
    /// The user lets go of it.
    End(ControlId),
    /// What is saved beside the parameters is another.
    Touch,
}

/// The threads on which a host hears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Threads {
    /// Its own alone.
    Own,
    /// Whichever it is told on.
    Any,
}

/// What one window says to the host until it closes.
pub(super) struct Outbox {
    words: Mutex<Words>,
    threads: Threads,
    host: ThreadId,
    opened: Instant,
    say: Box<dyn Fn(Word) + Send + Sync>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Words {
    waiting: VecDeque<Word>,
    /// Since when.
    since: Option<Instant>,
    /// Gestures that the host has been told the beginning of, and not the end.
    open: Vec<ControlId>,
    /// Since when a task has been on its way to the host's thread.
    woken: Option<Instant>,
    /// Words are being said: the host may call us back from within.
    telling: bool,
    /// The host's thread has come for words before.
    comes: bool,
    closed: bool,
}

impl Words {
    /// A host that is slower than the hand hears the newest value of a control: whether one that waits has become it.
    fn renew(&mut self, word: Word) -> bool {
        let Word::Set(id, new) = word else {
            return false;
        };
        let last = self.waiting.iter_mut().rev().find(|waiting| match waiting {
            Word::Begin(own) | Word::Set(own, _) | Word::End(own) => *own == id,
            Word::Touch => false,
        });
        if let Some(Word::Set(_, value)) = last {
            *value = new;
            return true;
        }
        false
    }

    fn take(&mut self) -> Option<Word> {
        let word = self.waiting.pop_front()?;
        match word {
            Word::Begin(id) => self.open.push(id),
            Word::End(id) => self.open.retain(|open| *open != id),
            Word::Set(..) | Word::Touch => (),
        }
        Some(word)
    }
}

impl Outbox {
    /// Made on the host's own thread. `say` tells the host a word; `wake` has [`Outbox::tell`] called on that thread soon.
    pub(super) fn new(
        threads: Threads,
        say: impl Fn(Word) + Send + Sync + 'static,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Outbox {
        Outbox {
            words: Mutex::default(),
            threads,
            host: std::thread::current().id(),
            opened: Instant::now(),
            say: Box::new(say),
            wake,
        }
    }

    /// Says a word: at once where the host hears it on this thread, else as soon as the host's comes for it.
    pub(super) fn put(&self, word: Word) {
        if self.threads == Threads::Any || self.is_hosts() {
            (self.say)(word);
            return;
        }
        let mut words = self.lock();
        if words.closed {
            return;
        }
        if words.waiting.is_empty() {
            words.since = Some(Instant::now());
        }
        if !words.renew(word) {
            words.waiting.push_back(word);
        }
        self.call(words);
    }

    /// The value that the host is about to be told of a control.
    pub(super) fn value(&self, id: ControlId) -> Option<f64> {
        let words = self.lock();
        let value = words.waiting.iter().rev().find_map(|word| match word {
            Word::Set(own, value) if *own == id => Some(*value),
            _ => None,
        });
        if !words.waiting.is_empty() {
            self.call(words);
        }
        value
    }

    /// Says all that waits; what the host's thread is woken for.
    pub(super) fn tell(&self) {
        let own = self.is_hosts();
        let mut words = self.lock();
        words.comes |= own;
        // Whoever has come, words that nobody hears are worse.
        let never = !words.comes && self.opened.elapsed() >= PATIENCE;
        let late = words.since.is_some_and(|at| at.elapsed() >= PATIENCE);
        if !(own || never || late) {
            // The next frame calls again.
            words.woken = None;
            return;
        }
        if words.telling {
            return;
        }
        words.telling = true;
        drop(words);
        while let Some(word) = self.next() {
            (self.say)(word);
        }
    }

    /// Says what waits and ends what is open; nothing is said from now on. Called on the host's own thread, before the
    /// window goes.
    pub(super) fn close(&self) {
        let rest: Vec<Word> = {
            let mut words = self.lock();
            words.closed = true;
            let waiting: Vec<Word> = std::iter::from_fn(|| words.take()).collect();
            let ends = words.open.drain(..).map(Word::End);
            waiting.into_iter().chain(ends).collect()
        };
        for word in rest {
            (self.say)(word);
        }
    }

    fn is_hosts(&self) -> bool {
        std::thread::current().id() == self.host
    }

    fn next(&self) -> Option<Word> {
        let mut words = self.lock();
        let word = words.take();
        if word.is_none() {
            words.telling = false;
            words.woken = None;
        }
        word
    }

    /// Calls the host's thread, unless it is on its way or here.
    fn call(&self, mut words: MutexGuard<'_, Words>) {
        if words.telling || words.woken.is_some_and(|since| since.elapsed() < LOST) {
            return;
        }
        words.woken = Some(Instant::now());
        drop(words);
        (self.wake)();
    }

    fn lock(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outbox of an instance's open window, for the task that comes for its words.
#[derive(Default)]
pub(super) struct Collector(Mutex<Weak<Outbox>>);

impl Collector {
    /// From now on this window's words are collected.
    pub(super) fn serve(&self, outbox: &Arc<Outbox>) {
        *self.lock() = Arc::downgrade(outbox);
    }

    /// The task itself.
    pub(super) fn collect(&self) {
        let outbox = self.lock().upgrade();
        if let Some(outbox) = outbox {
            outbox.tell();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Weak<Outbox>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Word::{Begin, End, Set, Touch};
    use super::*;
    use crate::engine::controls::{AZIMUTH, BEAT, DISTANCE};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// An outbox of this thread, with what its host has heard and on which thread, and how often it was called.
    struct Host {
        outbox: Arc<Outbox>,
        heard: Arc<Mutex<Vec<(Word, ThreadId)>>>,
        calls: Arc<AtomicUsize>,
    }

    fn host() -> Host {
        of(Threads::Own)
    }

    fn of(threads: Threads) -> Host {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let calls = Arc::new(AtomicUsize::new(0));
        let (ears, bell) = (heard.clone(), calls.clone());
        let say = move |word| {
            let thread = std::thread::current().id();
            ears.lock().expect("one thread").push((word, thread));
        };
        let wake = move || {
            bell.fetch_add(1, Ordering::Relaxed);
        };
        Host {
            outbox: Arc::new(Outbox::new(threads, say, Arc::new(wake))),
            heard,
            calls,
        }
    }

    impl Host {
        /// What a window on a thread of its own does.
        fn window(&self, work: impl FnOnce(&Outbox) + Send) {
            std::thread::scope(|scope| {
                scope.spawn(|| work(&self.outbox));
            });
        }

        fn said(&self) -> Vec<Word> {
            let heard = self.heard.lock().expect("one thread");
            let own = std::thread::current().id();
            assert!(heard.iter().all(|(_, thread)| *thread == own), "{heard:?}");
            heard.iter().map(|(word, _)| *word).collect()
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn a_windows_words_are_said_in_their_order_on_the_hosts_thread() {
        let host = host();
        host.window(|outbox| {
            outbox.put(Begin(BEAT));
            outbox.put(Set(BEAT, 11.0));
        });
        assert_eq!((host.said(), host.calls()), (vec![], 1));
        host.outbox.tell();
        host.window(|outbox| {
            outbox.put(Set(BEAT, 12.0));
            outbox.put(End(BEAT));
            outbox.put(Touch);
        });
        assert_eq!(host.calls(), 2, "one call for all that waits");
        host.outbox.tell();
        let all = [
            Begin(BEAT),
            Set(BEAT, 11.0),
            Set(BEAT, 12.0),
            End(BEAT),
            Touch,
        ];
        assert_eq!(host.said(), all);
    }

    #[test]
    fn a_slow_host_hears_the_newest_value_of_each_gesture() {
        let host = host();
        host.window(|outbox| {
            for id in [AZIMUTH, DISTANCE] {
                outbox.put(Begin(id));
            }
            for step in 1..=9 {
                outbox.put(Set(AZIMUTH, f64::from(step)));
                outbox.put(Set(DISTANCE, 0.1 * f64::from(step)));
            }
            outbox.put(End(AZIMUTH));
            outbox.put(Begin(AZIMUTH));
            outbox.put(Set(AZIMUTH, 30.0));
            assert_eq!(outbox.value(AZIMUTH), Some(30.0));
            assert_eq!(outbox.value(BEAT), None);
        });
        host.outbox.tell();
        let all = [
            Begin(AZIMUTH),
            Begin(DISTANCE),
            Set(AZIMUTH, 9.0),
            Set(DISTANCE, 0.1 * 9.0),
            End(AZIMUTH),
            Begin(AZIMUTH),
            Set(AZIMUTH, 30.0),
        ];
        assert_eq!(host.said(), all);
        assert_eq!(host.outbox.value(AZIMUTH), None);
    }

    #[test]
    fn a_window_that_closes_leaves_no_gesture_open() {
        let host = host();
        host.window(|outbox| {
            outbox.put(Begin(BEAT));
            outbox.put(Set(BEAT, 11.0));
        });
        host.outbox.tell();
        host.window(|outbox| outbox.put(Set(BEAT, 12.0)));
        host.outbox.close();
        // The window's own end, which comes too late, and a task that was still on its way.
        host.window(|outbox| outbox.put(End(BEAT)));
        host.outbox.tell();
        let all = [Begin(BEAT), Set(BEAT, 11.0), Set(BEAT, 12.0), End(BEAT)];
        assert_eq!(host.said(), all);
    }

    #[test]
    fn another_thread_says_nothing_while_the_host_may_come() {
        let host = host();
        host.window(|outbox| {
            outbox.put(Begin(BEAT));
            outbox.tell();
            outbox.put(End(BEAT));
        });
        assert_eq!((host.said(), host.calls()), (vec![], 2), "called again");
        host.outbox.tell();
        assert_eq!(host.said(), [Begin(BEAT), End(BEAT)]);
    }

    #[test]
    fn a_host_that_does_not_come_is_told_where_its_task_runs() {
        let long_ago = Instant::now().checked_sub(PATIENCE);
        let (mut first, second) = (host(), host());
        // It has never come.
        let outbox = Arc::get_mut(&mut first.outbox).expect("one owner");
        outbox.opened = long_ago.expect("the machine has run for some seconds");
        first.window(|outbox| {
            outbox.put(Touch);
            outbox.tell();
        });
        // It has come, and does so no more.
        second.outbox.tell();
        second.window(|outbox| {
            outbox.put(Touch);
            outbox.tell();
            assert_eq!(outbox.lock().waiting.len(), 1);
            outbox.lock().since = long_ago;
            outbox.tell();
        });
        for host in [first, second] {
            let heard = host.heard.lock().expect("one thread");
            assert!(matches!(heard[..], [(Touch, _)]), "{heard:?}");
        }
    }

    #[test]
    fn a_window_on_the_hosts_thread_speaks_at_once() {
        let host = host();
        host.outbox.put(Begin(BEAT));
        assert_eq!(host.said(), [Begin(BEAT)]);
        assert_eq!(host.calls(), 0);
    }

    #[test]
    fn a_host_that_hears_on_any_thread_is_told_at_once() {
        let host = of(Threads::Any);
        host.window(|outbox| outbox.put(Touch));
        assert_eq!(host.heard.lock().expect("one thread").len(), 1);
        assert_eq!(host.calls(), 0);
    }

    #[test]
    fn the_collector_comes_for_the_window_that_is_open() {
        let (closed, open) = (host(), host());
        let collector = Collector::default();
        collector.collect();
        collector.serve(&closed.outbox);
        collector.serve(&open.outbox);
        for host in [&closed, &open] {
            host.window(|outbox| outbox.put(Touch));
        }
        collector.collect();
        assert_eq!((closed.said(), open.said()), (vec![], vec![Touch]));
    }
}
