//! What an insert can hold: a built-in node by its name, or a file.

use super::examine::MOST_LOAD;
use super::{LiveNode, Workshop};
use crate::node::insert::{InsertError, Prepared};
use crate::node::{NodeInfo, Tripped, registry};
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

/// Prepares a node from a file. Checked was one of it at 48 kHz; here there may be many, at another rate.
///
/// # Errors
/// [`InsertError`].
pub fn prepare(node: &LiveNode, channels: usize, rate: f64) -> Result<Bring, InsertError> {
    bear(node.info(), node.report().load, channels, rate)?;
    Prepared::new(&mut || node.create_unwatched(), channels, rate).map(Bring::new)
}

/// Whether an insert can bear a node that takes such a share of a core at 48 kHz.
fn bear(info: &NodeInfo, load: f64, channels: usize, rate: f64) -> Result<(), InsertError> {
    let copies = if (info.inputs, info.outputs) == (1, 1) {
        channels
    } else {
        1
    };
    let all = load * copies as f64 * rate / 48_000.0;
    if all > MOST_LOAD {
        return Err(InsertError::Load {
            name: info.name.clone(),
            load,
            copies,
            rate,
            most: MOST_LOAD,
        });
    }
    Ok(())
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
    fn what_is_fast_enough_once_may_be_too_slow_for_a_bus() {
        let mono = registry().infos().into_iter().cloned();
        let mono: Vec<NodeInfo> = mono.filter(|i| (i.inputs, i.outputs) == (1, 1)).collect();
        let stereo = registry().info("gain").unwrap();
        let bear = |info, channels, rate| bear(info, 0.02, channels, rate);
        assert!(bear(&mono[0], 2, 48_000.0).is_ok());
        assert!(bear(&mono[0], 16, 48_000.0).is_ok());
        assert!(bear(stereo, 64, 192_000.0).is_ok());
        let error = bear(&mono[0], 16, 96_000.0).unwrap_err().to_string();
        for part in ["2.00 %", "16 times", "96 kHz", "64 %", "50 %"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(bear(&mono[0], 64, 48_000.0).is_err());
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
