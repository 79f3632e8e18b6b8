//! What an insert can hold: a built-in node by its name, or a file.

use super::{LiveNode, Workshop};
use crate::node::insert::{InsertError, Prepared};
use crate::node::{Tripped, registry};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A node for an insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertSource {
    /// A built-in one, by its name.
    Builtin(String),
    /// A `.dsp`, a `.cpp` or a library.
    File(PathBuf),
}

impl InsertSource {
    /// Reads what a user writes: what ends as a file of a node does, or has a folder in it, is a file.
    pub fn parse(text: &str) -> InsertSource {
        let path = Path::new(text);
        if Workshop::takes(path) || path.components().count() > 1 {
            InsertSource::File(path.to_owned())
        } else {
            InsertSource::Builtin(text.to_owned())
        }
    }
}

/// A node of which inserts can be made: found, and if it is a file, compiled and checked.
#[derive(Clone)]
pub enum InsertNode {
    /// A built-in one, by its name.
    Builtin(String),
    /// One from a file.
    Live(Arc<LiveNode>),
}

impl InsertNode {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            InsertNode::Builtin(name) => name,
            InsertNode::Live(node) => &node.info().name,
        }
    }

    /// Prepares it for an insert of so many channels at a rate.
    ///
    /// # Errors
    /// [`InsertError`].
    pub fn prepare(&self, channels: usize, rate: f64) -> Result<Bring, InsertError> {
        match self {
            InsertNode::Builtin(name) => builtin(name, channels, rate),
            InsertNode::Live(node) => prepare(node, channels, rate),
        }
    }
}

impl fmt::Debug for InsertNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InsertNode").field(&self.name()).finish()
    }
}

/// A node that is ready for an insert, and what is to be known of it.
pub struct Bring {
    /// For the insert.
    pub prepared: Box<Prepared>,
    /// Whether it has put out what is not finite.
    pub tripped: Tripped,
}

impl Bring {
    fn new(prepared: Box<Prepared>) -> Bring {
        Bring {
            tripped: prepared.tripped(),
            prepared,
        }
    }
}

/// Prepares a built-in node for an insert of so many channels at a rate.
///
/// # Errors
/// [`InsertError`].
pub fn builtin(name: &str, channels: usize, rate: f64) -> Result<Bring, InsertError> {
    let mut make = || registry().create(name);
    // "amplitude" is for stereo; where the insert is a bus, a node of its width goes by the same name.
    let wide = format!("{name}*{channels}");
    let fits = registry()
        .info(name)
        .is_ok_and(|info| (info.inputs, info.outputs) == (2, 2) && channels != 2);
    if fits {
        let mut make = || registry().create(&wide);
        return Prepared::new(&mut make, channels, rate).map(Bring::new);
    }
    Prepared::new(&mut make, channels, rate).map(Bring::new)
}

/// Prepares a node from a file.
///
/// # Errors
/// [`InsertError`].
pub fn prepare(node: &LiveNode, channels: usize, rate: f64) -> Result<Bring, InsertError> {
    Prepared::new(&mut || node.create_unwatched(), channels, rate).map(Bring::new)
}

/// The names of the built-in nodes that inserts of so many channels can hold.
pub fn names(channels: usize) -> Vec<String> {
    let fits = |inputs, outputs| inputs == outputs && [1, 2, channels].contains(&inputs);
    registry()
        .infos()
        .into_iter()
        .filter(|info| info.latency == 0 && info.name != "insert")
        .filter(|info| fits(info.inputs, info.outputs))
        .map(|info| info.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_from_names() {
        for file in ["a.dsp", "b.cpp", "x/y", "./gain", "/n.so"] {
            assert!(matches!(InsertSource::parse(file), InsertSource::File(_)));
        }
        for name in ["gain", "amplitude", "gain*16", "nothing"] {
            assert!(matches!(
                InsertSource::parse(name),
                InsertSource::Builtin(_)
            ));
        }
    }

    #[test]
    fn every_name_that_is_offered_can_be_had() {
        for channels in [2, 4, 16, 64] {
            let names = names(channels);
            assert!(names.contains(&"amplitude".to_owned()));
            for name in names {
                assert!(
                    builtin(&name, channels, 48_000.0).is_ok(),
                    "{name}*{channels}"
                );
            }
        }
    }
}
