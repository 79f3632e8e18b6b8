//! Undo, redo, and the comparison of two sounds: what an editor remembers.

use super::hold::Held;
use super::library::Entry;
use super::rows::Protocol;
use crate::engine::ControlId;
use crate::engine::controls::INSERTS;
use std::path::PathBuf;
use std::sync::Arc;

/// Steps that can be taken back.
const STEPS: usize = 100;

/// A whole sound: every control's value, its timeline, its head, and the name that it goes by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Take {
    /// All controls, in the order of the table.
    pub settings: Vec<(ControlId, f64)>,
    /// The timeline, if any.
    pub protocol: Option<Arc<Protocol>>,
    /// The preset's name.
    pub name: String,
    /// The SOFA file that is chosen; none for the embedded set.
    pub hrtf: Option<PathBuf>,
    /// What the inserts hold; nothing where that is left as it is: presets hold no nodes.
    pub inserts: Option<[Option<Arc<Held>>; INSERTS.len()]>,
}

impl Take {
    /// A preset as a sound: snapped as a host would have it. What it does not set ([`Preset::sets`]) stays as it is `now`.
    ///
    /// [`Preset::sets`]: super::Preset::sets
    pub fn of(entry: &Entry, now: impl Fn(ControlId) -> f64) -> Take {
        let mut settings = entry.preset.all_settings();
        for (id, value) in &mut settings {
            *value = match entry.preset.sets(*id) {
                true => id.control().snap(*value),
                false => now(*id),
            };
        }
        let protocol = entry.preset.protocol();
        Take {
            // Its starts are those of the preset, whatever the controls become.
            protocol: protocol.map(|protocol| Arc::new(protocol.pinned(&settings))),
            settings,
            name: entry.name.clone(),
            hrtf: entry.hrtf_path(),
            inserts: None,
        }
    }
}

/// What was before, what was taken back, and the other of two sounds that are compared.
#[derive(Debug, Clone, Default)]
pub struct History {
    before: Vec<Take>,
    after: Vec<Take>,
    other: Option<Take>,
    /// Whether the sound that is heard is the second one, B.
    second: bool,
    /// The sound before a gesture that has changed nothing yet.
    expected: Option<Take>,
    /// What is noted belongs to the last step.
    joined: bool,
    /// How many have been noted.
    count: u64,
}

impl History {
    /// Remembers `now` before something changes it.
    pub fn note(&mut self, now: Take) {
        if self.joined || self.before.last() == Some(&now) {
            return;
        }
        self.before.push(now);
        self.count += 1;
        if self.before.len() > STEPS {
            self.before.remove(0);
        }
        self.after.clear();
    }

    /// How many steps have been noted so far, whatever has become of them.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What changes from now on belongs to the last step, or not any more.
    pub fn join(&mut self, joined: bool) {
        self.joined = joined;
    }

    /// Something is about to change `now`, perhaps: it is remembered as soon as that comes true.
    pub fn expect(&mut self, now: Take) {
        self.expected = Some(now);
    }

    /// What was expected comes true.
    pub fn note_expected(&mut self) {
        if let Some(now) = self.expected.take() {
            self.note(now);
        }
    }

    /// What to go back to from `now`, if anything.
    pub fn undo(&mut self, now: Take) -> Option<Take> {
        let mut take = self.before.pop()?;
        // What was noted and never changed is no step.
        while take == now {
            take = self.before.pop()?;
        }
        self.after.push(now);
        Some(take)
    }

    /// What was taken back last.
    pub fn redo(&mut self, now: Take) -> Option<Take> {
        let take = self.after.pop()?;
        self.before.push(now);
        Some(take)
    }

    /// Whether there is something to take back, and something to do again.
    pub fn can(&self) -> (bool, bool) {
        (!self.before.is_empty(), !self.after.is_empty())
    }

    /// The other of the two sounds, in exchange for this one. The first time both are alike.
    pub fn swap(&mut self, now: Take) -> Take {
        self.second = !self.second;
        self.other.replace(now.clone()).unwrap_or(now)
    }

    /// Whether B is heard.
    pub fn is_second(&self) -> bool {
        self.second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(name: &str) -> Take {
        Take {
            name: name.to_owned(),
            ..Take::default()
        }
    }

    #[test]
    fn steps_are_taken_back_and_done_again() {
        let mut history = History::default();
        assert_eq!(history.undo(take("a")), None);
        history.note(take("a"));
        history.note(take("b"));
        assert_eq!(history.undo(take("c")), Some(take("b")));
        assert_eq!(history.undo(take("b")), Some(take("a")));
        assert_eq!(history.redo(take("a")), Some(take("b")));
        history.note(take("b"));
        assert_eq!(history.can(), (true, false));
        for n in 0..300 {
            history.note(take(&n.to_string()));
        }
        assert_eq!(history.before.len(), STEPS);
    }

    #[test]
    fn what_is_joined_is_no_step_of_its_own() {
        let mut history = History::default();
        history.note(take("a"));
        history.join(true);
        history.note(take("b"));
        history.expect(take("b"));
        history.note_expected();
        history.join(false);
        assert_eq!(history.undo(take("c")), Some(take("a")));
        assert_eq!(history.undo(take("a")), None);
    }

    #[test]
    fn two_sounds_are_compared() {
        let mut history = History::default();
        assert_eq!(history.swap(take("a")), take("a"));
        assert!(history.is_second());
        assert_eq!(history.swap(take("b")), take("a"));
        assert_eq!(history.swap(take("a")), take("b"));
    }
}
