//! What inserts A and B hold, as the editor and the plugin's state know it.

use crate::protocol::Held;
pub use crate::protocol::InsertChoice;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// How many there are.
pub const INSERTS: usize = 2;

/// The longest path or name that a state may hold, in bytes.
const LONGEST_NAME: usize = 4096;

/// The longest source that travels in a state, in bytes.
pub const LONGEST_SOURCE: usize = 1 << 20;

/// The form of what a state holds of the inserts.
const FORM: u64 = 1;

/// How it is with an insert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InsertStatus {
    /// It holds nothing.
    #[default]
    Empty,
    /// Its node is being compiled and tried.
    Compiling,
    /// Its node sounds.
    Sounds,
    /// It could not be had, for this reason.
    Failed(String),
    /// The project brought it, and it has not been compiled here: nothing of it runs before the user says so.
    NeedsConsent,
    /// It has put out what is not finite, and the audio passes it by.
    Tripped,
}

/// Writes a position from 0 to 1.
pub type Format = dyn Fn(f64) -> String + Send + Sync;
/// Reads it.
pub type Parse = dyn Fn(&str) -> Option<f64> + Send + Sync;

/// A parameter of the node that a macro moves.
#[derive(Clone)]
pub struct InsertMacro {
    /// The parameter's name.
    pub name: String,
    /// The position of its default.
    pub default: f64,
    /// The text of a position from 0 to 1.
    pub format: Arc<Format>,
    /// The position of a text; none where it is no value.
    pub parse: Arc<Parse>,
}

/// What an insert goes back to, where what is chosen cannot be had.
#[derive(Debug, Clone)]
pub struct Before {
    /// What it held.
    pub held: Held,
    /// As [`InsertState::fresh`] was.
    pub fresh: Option<[f64; 4]>,
}

/// What is chosen, and what is known of it.
#[derive(Clone, Default)]
pub struct InsertState {
    /// What it is to hold.
    pub choice: Option<InsertChoice>,
    /// What was there before the user's choice, while it is not known whether that can be had: it comes back where not.
    pub before: Option<Before>,
    /// What could not be had and was given up for what was before, and why.
    pub refused: Option<(InsertChoice, String)>,
    /// Whether the user has chosen it: then the file may be compiled, whatever it comes to say.
    pub consent: bool,
    /// What a project brings and the user is asked about, by its content.
    pub asked: Option<u128>,
    /// Of what a project brings, that which the user has said may be compiled: this content, and nothing that comes later.
    pub allowed: Option<u128>,
    /// What the file draws in and what is not there, where the user is asked.
    pub needs: Vec<String>,
    /// How it is.
    pub status: InsertStatus,
    /// The name of the node that sounds; empty where none does.
    pub name: String,
    /// What the macros move.
    pub macros: Vec<InsertMacro>,
    /// The user has just chosen a node: where its macros were then. It begins as its author meant it, and the macros
    /// are to go there.
    pub fresh: Option<[f64; 4]>,
    /// What the project keeps of it is another than the host knows.
    pub unsaved: bool,
    /// Grows with every choice.
    pub changes: u64,
}

impl InsertState {
    /// Whether it is to hold something.
    pub fn holds(&self) -> bool {
        self.choice.is_some()
    }

    /// Whether what it holds does not sound as it should: it could not be had, or is passed by.
    pub fn warns(&self) -> bool {
        matches!(self.status, InsertStatus::Failed(_) | InsertStatus::Tripped)
    }

    /// What it goes back to, where what is chosen next cannot be had: what is there, unless that could not be had itself.
    pub fn stands(&self) -> Option<Before> {
        // A source that came with a project may be the only copy: it is worth something though nothing of it sounds.
        let is_whole = matches!(
            &self.choice,
            Some(InsertChoice::File {
                source: Some(_),
                ..
            })
        );
        let failed = matches!(self.status, InsertStatus::Failed(_)) && self.name.is_empty();
        if self.before.is_some() || failed && !is_whole {
            return self.before.clone();
        }
        let (choice, consent) = (self.choice.clone()?, self.consent);
        let held = Held { choice, consent };
        let fresh = self.fresh;
        Some(Before { held, fresh })
    }

    /// What the project keeps of it: while it is not known whether what is chosen can be had, what was before.
    pub fn kept(&self) -> Option<&InsertChoice> {
        let before = self.before.as_ref().map(|before| &before.held.choice);
        before.or(self.choice.as_ref())
    }

    /// Gives up what is chosen, which could not be had, for what was before; whether there was something.
    pub fn take_back(&mut self, why: &str) -> bool {
        let (Some(before), Some(wanted)) = (self.before.take(), self.choice.take()) else {
            return false;
        };
        self.refused = Some((wanted, why.to_owned()));
        (self.choice, self.consent) = (Some(before.held.choice), before.held.consent);
        (self.asked, self.allowed, self.fresh) = (None, None, before.fresh);
        self.needs.clear();
        self.unsaved = true;
        self.changes += 1;
        true
    }

    /// Whether this is what is chosen: of files, whatever they say.
    pub fn is_of(&self, choice: &InsertChoice) -> bool {
        match choice {
            InsertChoice::File { path, .. } => self.is_file(path),
            InsertChoice::Node(_) => self.choice.as_ref() == Some(choice),
        }
    }

    /// Whether the file that is chosen is this one.
    pub fn is_file(&self, file: &Path) -> bool {
        matches!(&self.choice, Some(InsertChoice::File { path, .. }) if path == file)
    }
}

/// What a state holds of the inserts, as JSON; nothing where they hold nothing.
pub fn write(choices: &[Option<InsertChoice>; INSERTS]) -> Option<String> {
    let [a, b] = choices;
    if a.is_none() && b.is_none() {
        return None;
    }
    // A path that is no text has no JSON form; it can only have been typed, which is text.
    serde_json::to_string(&serde_json::json!({"form": FORM, "a": a, "b": b})).ok()
}

/// Whether a state may hold this.
fn check(choice: &InsertChoice) -> Result<(), String> {
    let (length, source) = match choice {
        InsertChoice::Node(name) => (name.len(), 0),
        InsertChoice::File { path, source } => (
            path.as_os_str().len(),
            source.as_ref().map_or(0, String::len),
        ),
    };
    match length {
        0 => Err("an insert has no name".to_owned()),
        _ if length > LONGEST_NAME => Err(format!("an insert's name has {length} bytes")),
        _ if source > LONGEST_SOURCE => Err(format!("an insert's source has {source} bytes")),
        _ => Ok(()),
    }
}

/// Reads what a state holds. `None` is a form that this version does not know.
///
/// # Errors
/// What is wrong with it.
pub fn read(json: &str) -> Result<Option<[Option<InsertChoice>; INSERTS]>, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if value.get("form").and_then(Value::as_u64) != Some(FORM) {
        return Ok(None);
    }
    let choice = |key: &str| -> Result<Option<InsertChoice>, String> {
        let value = value.get(key).cloned().unwrap_or_default();
        let choice: Option<InsertChoice> =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        choice.iter().try_for_each(check)?;
        Ok(choice)
    };
    Ok(Some([choice("a")?, choice("b")?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(write(&[None, None]), None);
        let choices = [
            Some(InsertChoice::Node("gain".to_owned())),
            Some(InsertChoice::File {
                path: PathBuf::from("/x/y.dsp"),
                source: Some("process = _;".to_owned()),
            }),
        ];
        let json = write(&choices).unwrap();
        assert_eq!(
            json,
            r#"{"form":1,"a":{"node":"gain"},"b":{"file":{"path":"/x/y.dsp","source":"process = _;"}}}"#
        );
        assert_eq!(read(&json).unwrap().unwrap(), choices);
        let one = [None, choices[0].clone()];
        assert_eq!(read(&write(&one).unwrap()).unwrap().unwrap(), one);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_what_is_newer_is_left_alone() {
        for other in ["{}", "[]", "5", r#"{"form":2,"a":7}"#] {
            assert_eq!(read(other), Ok(None), "{other}");
        }
        let long = format!(r#"{{"form":1,"a":{{"node":"{}"}}}}"#, "x".repeat(5000));
        for bad in [
            "",
            "{",
            r#"{"form":1,"a":7}"#,
            r#"{"form":1,"a":{"node":""}}"#,
            r#"{"form":1,"a":{"file":{}}}"#,
            r#"{"form":1,"b":{"other":"x"}}"#,
            &long,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
