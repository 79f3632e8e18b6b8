//! The built-in nodes by name: those of `faust/` and `cpp/`, which `build.rs` finds, and the Rust ones.

use super::foreign::{ForeignKind, RawDescriptor};
use super::oversample::oversampled;
use super::{Node, NodeError, NodeInfo};
use super::{
    bus_in, decode, early, encode, gain, hrtf, insert, leveller, many, mix, noise, pink, tone_pair,
    wave_pair,
};
use crate::text::{Instead, instead};
use std::sync::OnceLock;

include!(concat!(env!("OUT_DIR"), "/nodes.rs"));

/// The most channels of a bus.
const MAX_BUS: usize = 64;

/// A Rust node: its description and how to make one.
struct RustKind {
    info: NodeInfo,
    create: fn() -> Box<dyn Node>,
}

/// All built-in nodes.
pub struct Registry {
    foreign: Vec<ForeignKind>,
    rust: Vec<RustKind>,
}

impl Registry {
    fn new() -> Registry {
        let foreign = FOREIGN
            .iter()
            .map(|(name, descriptor)| {
                // SAFETY: the function is one that build.rs compiled from our own sources against
                // cpp/node.h; its descriptor is static.
                match unsafe { ForeignKind::new(name, descriptor()) } {
                    Ok(kind) => kind,
                    // A built-in node that breaks the contract is a mistake of the build, found by the
                    // first test; nothing can run without it.
                    Err(error) => panic!("{error}"),
                }
            })
            .collect();
        let rust = [
            bus_in::create as fn() -> Box<dyn Node>,
            decode::create_alone,
            early::create,
            encode::create,
            gain::create,
            hrtf::create_alone,
            insert::create_alone,
            leveller::create,
            leveller::create_bus,
            mix::create,
            noise::create,
            pink::create,
            tone_pair::create,
            wave_pair::create,
        ]
        .into_iter()
        .map(|create| RustKind {
            info: create().info().clone(),
            create,
        })
        .collect();
        Registry { foreign, rust }
    }

    /// The descriptions, sorted by name.
    pub fn infos(&self) -> Vec<&NodeInfo> {
        let mut infos: Vec<&NodeInfo> = self
            .foreign
            .iter()
            .map(ForeignKind::info)
            .chain(self.rust.iter().map(|kind| &kind.info))
            .collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }

    /// The description of one node.
    ///
    /// # Errors
    /// [`NodeError::Unknown`], naming one that is near.
    pub fn info(&self, name: &str) -> Result<&NodeInfo, NodeError> {
        let infos = self.infos();
        infos
            .iter()
            .find(|info| info.name == name)
            .copied()
            .ok_or_else(|| NodeError::Unknown {
                name: name.to_owned(),
                instead: self.instead(name),
            })
    }

    /// Makes a node. "gain*16" is one for a bus of 16 channels: a stereo node for each pair of them, or one that
    /// makes a gain of one channel for all of them. "gate@4" is one at 4 times the rate (2, 4 or 8), which is late.
    ///
    /// # Errors
    /// [`NodeError::Unknown`], naming one that is near; [`NodeError::Memory`]; [`NodeError::Descriptor`] for a node that
    /// buses cannot have.
    pub fn create(&self, name: &str) -> Result<Box<dyn Node>, NodeError> {
        if let Some((kind, factor)) = name.split_once('@')
            && let Ok(factor) = factor.parse()
            && let Some(node) = oversampled(self.create(kind)?, factor)
        {
            return Ok(node);
        }
        if let Some((kind, channels)) = name.split_once('*')
            && let Ok(channels @ 2..=MAX_BUS) = channels.parse()
        {
            return many::create(kind, channels);
        }
        if let Some(kind) = self.foreign.iter().find(|kind| kind.info().name == name) {
            return Ok(Box::new(kind.create()?));
        }
        if let Some(kind) = self.rust.iter().find(|kind| kind.info.name == name) {
            return Ok((kind.create)());
        }
        Err(NodeError::Unknown {
            name: name.to_owned(),
            instead: self.instead(name),
        })
    }

    fn instead(&self, name: &str) -> Instead {
        let names = self.infos();
        instead(name, names.iter().map(|info| info.name.as_str()))
    }
}

/// The built-in nodes.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(Registry::new)
}
