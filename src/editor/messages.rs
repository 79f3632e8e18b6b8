//! What an instance has to say to the musician: a short list, the newest last.

use crate::text::tame;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many messages are kept; the oldest go first.
const KEPT: usize = 50;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What happened and what became of it, in a musician's words.
    pub text: String,
    /// How often it happened in a row.
    pub times: u32,
}

/// The messages of one instance. Written by the host's main thread and by the worker, never by the audio
/// thread (there is a lock in it); read by the editor.
#[derive(Debug, Default)]
pub struct Messages {
    list: Mutex<VecDeque<Message>>,
    changes: AtomicU64,
}

impl Messages {
    fn list(&self) -> MutexGuard<'_, VecDeque<Message>> {
        // A list of finished messages is whole even if a thread died while it held the lock.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message and writes it to stderr. A repetition of the newest one is counted instead.
    pub fn post(&self, text: impl Into<String>) {
        // What it repeats of files and nodes moves no terminal's cursor.
        let text = tame(&text.into());
        // A host may have closed it, or its disk be full: nobody is left to tell.
        let _ = writeln!(io::stderr(), "zeitgeber: {text}");
        let mut list = self.list();
        match list.back_mut() {
            Some(last) if last.text == text => last.times = last.times.saturating_add(1),
            _ => {
                if list.len() == KEPT {
                    list.pop_front();
                }
                list.push_back(Message { text, times: 1 });
            }
        }
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// All messages, the oldest first.
    pub fn all(&self) -> Vec<Message> {
        self.list().iter().cloned().collect()
    }

    /// Forgets all messages.
    pub fn clear(&self) {
        self.list().clear();
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// A number that moves with every change: for redrawing only when there is something new.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_counted_and_the_list_is_bounded() {
        let messages = Messages::default();
        messages.post("a\u{1b}[2Jb");
        assert_eq!(messages.all()[0].text, "a [2Jb");
        messages.clear();
        messages.post("twice");
        messages.post("twice");
        assert_eq!(
            messages.all(),
            [Message {
                text: "twice".into(),
                times: 2
            }]
        );
        for i in 0..2 * KEPT {
            messages.post(format!("message {i}"));
        }
        assert_eq!(messages.all().len(), KEPT);
        assert_eq!(
            messages.all()[KEPT - 1].text,
            format!("message {}", 2 * KEPT - 1)
        );
        let before = messages.changes();
        messages.clear();
        assert!(messages.all().is_empty() && messages.changes() != before);
    }
}
