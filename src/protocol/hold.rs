//! What an insert is to hold, as a project and a remembered sound know it.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What an insert is to hold; persisted in the plugin's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InsertChoice {
    /// A built-in node, by its name.
    Node(String),
    /// A file of the user's.
    File {
        /// Where it is.
        path: PathBuf,
        /// What it said when it was last read: so that the project is whole without the file. Not of libraries.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
}

impl InsertChoice {
    /// A name or a path, as people write it.
    pub fn text(&self) -> String {
        match self {
            InsertChoice::Node(name) => name.clone(),
            InsertChoice::File { path, .. } => path.display().to_string(),
        }
    }
}

/// What an insert held at a moment that can be gone back to.
#[derive(Debug, Clone)]
pub struct Held {
    /// The node.
    pub choice: InsertChoice,
    /// Whether the user had chosen it; else a project brought it.
    pub consent: bool,
}

impl PartialEq for Held {
    /// Of a file that is the user's own it is the file that counts, whatever it said at that moment.
    fn eq(&self, other: &Held) -> bool {
        let same = match (&self.choice, &other.choice) {
            (InsertChoice::File { path, .. }, InsertChoice::File { path: of, .. })
                if self.consent =>
            {
                path == of
            }
            (one, another) => one == another,
        };
        self.consent == other.consent && same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_file_is_the_same_whatever_it_says_and_a_projects_is_not() {
        let held = |source: &str, consent| Held {
            choice: InsertChoice::File {
                path: PathBuf::from("a.dsp"),
                source: Some(source.to_owned()),
            },
            consent,
        };
        assert_eq!(held("one", true), held("two", true));
        assert_ne!(held("one", false), held("two", false));
        assert_ne!(held("one", true), held("one", false));
    }
}
