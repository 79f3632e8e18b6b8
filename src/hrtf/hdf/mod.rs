//! HDF5, as far as SOFA files use it: the root's variables and texts, and a variable's numbers.
//!
//! What netCDF, h5py and Matlab write is read (HDF5 File Format Specification 3.0): superblocks 0 to 3,
//! groups of either age, attributes in headers and in heaps, texts of fixed and variable length, and data that
//! are compact, contiguous or in chunks of any index ([`chunks`]), packed by deflate, shuffled, with Fletcher's
//! checksum. Nothing in here trusts a length or an address: what lies outside the file is an error, all work
//! is counted against a budget that the file's size sets, and memory is taken for what a file of its
//! size can hold.

mod bytes;
mod chunks;
mod filters;
mod group;
mod header;
mod heap;
mod tree;
mod variable;

use super::Progress;
use bytes::Bytes;
use header::Header;
use std::cell::Cell;
pub use variable::Variable;

/// Why something cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// It contradicts the format, or itself.
    Broken,
    /// Intact as far as it was looked at, but of a form that is not read; says which.
    Unknown(String),
    /// The file ends before it says it does: bytes that it has, and should have.
    Short(u64, u64),
    /// The reader was told to give up.
    Cancelled,
}

/// What reading comes to.
type Found<T> = Result<T, Fault>;

fn unknown<T>(what: impl Into<String>) -> Found<T> {
    Err(Fault::Unknown(what.into()))
}

/// An address that says: nowhere.
const NOWHERE: u64 = u64::MAX;

/// Steps (messages, entries of trees and heaps) that any file may take; larger ones may take more.
const STEPS: u64 = 100_000;

/// A file, whole in memory.
pub struct File<'a> {
    /// From the superblock on, from which addresses count.
    bytes: &'a [u8],
    /// Steps that are left: links that go in circles end.
    steps: Cell<u64>,
    progress: &'a Progress,
    root: u64,
}

/// The first bytes of a superblock.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Whether bytes look like a file of this format: it begins with a superblock, or has one behind a block of
/// the user's own, which has 512 bytes or a power of two more.
pub fn looks_like(bytes: &[u8]) -> bool {
    superblock(bytes).is_some()
}

fn superblock(bytes: &[u8]) -> Option<&[u8]> {
    let places = std::iter::once(0).chain((9..32).map(|power| 1 << power));
    places
        .map_while(|place| bytes.get(place..))
        .find(|rest| rest.starts_with(SIGNATURE))
}

impl<'a> File<'a> {
    /// Looks at a file's superblock.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn open(bytes: &'a [u8], progress: &'a Progress) -> Found<File<'a>> {
        // The end counts from the file's beginning, all other addresses from the superblock.
        let has = bytes.len() as u64;
        let bytes = superblock(bytes).ok_or(Fault::Broken)?;
        let mut block = Bytes(&bytes[SIGNATURE.len()..]);
        let version = block.byte()?;
        let (end, root) = match version {
            0 | 1 => {
                block.skip(4)?;
                sizes(&mut block)?;
                block.skip(if version == 0 { 9 } else { 13 })?;
                // The base, where space is free; behind the end, a driver's block and a name in no heap.
                block.skip(16)?;
                let end = block.wide()?;
                block.skip(16)?;
                (end, block.wide()?)
            }
            2 | 3 => {
                sizes(&mut block)?;
                block.skip(1 + 16)?;
                (block.wide()?, block.wide()?)
            }
            _ => return unknown(format!("HDF5 with a superblock of version {version}")),
        };
        if has < end {
            return Err(Fault::Short(has, end));
        }
        Ok(File {
            bytes,
            steps: Cell::new(STEPS + has / 16),
            progress,
            root,
        })
    }

    /// The root: its variables and texts.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn root(&self) -> Found<Root<'_>> {
        let header = Header::read(self, self.root)?;
        Ok(Root {
            entries: group::entries(self, &header)?,
            texts: header.texts(self)?,
            file: self,
        })
    }

    /// What is at an address.
    fn at(&self, address: u64) -> Found<Bytes<'_>> {
        let from = usize::try_from(address).map_err(|_| Fault::Broken)?;
        Ok(Bytes(self.bytes.get(from..).ok_or(Fault::Broken)?))
    }

    /// A block that begins with four letters and a version.
    fn block(&self, address: u64, letters: &[u8; 4], version: u8) -> Found<Bytes<'_>> {
        self.step()?;
        let mut block = self.at(address)?;
        if block.take(4)? != letters || block.byte()? != version {
            return Err(Fault::Broken);
        }
        Ok(block)
    }

    /// Counts some work.
    fn step(&self) -> Found<()> {
        let left = self.steps.get().checked_sub(1).ok_or(Fault::Broken)?;
        self.steps.set(left);
        if left % 1024 == 0 && self.progress.cancelled() {
            return Err(Fault::Cancelled);
        }
        Ok(())
    }
}

/// Addresses and lengths have 8 bytes in whatever anybody writes.
fn sizes(block: &mut Bytes<'_>) -> Found<()> {
    match (block.byte()?, block.byte()?) {
        (8, 8) => Ok(()),
        (2 | 4 | 8, 2 | 4 | 8) => unknown("HDF5 with addresses of other than 8 bytes"),
        _ => Err(Fault::Broken),
    }
}

/// The root of a file.
pub struct Root<'a> {
    file: &'a File<'a>,
    entries: Vec<(String, u64)>,
    texts: Vec<(String, String)>,
}

impl Root<'_> {
    /// A text that the file carries, trimmed; empty where it has none of that name.
    pub fn text(&self, name: &str) -> &str {
        text(&self.texts, name)
    }

    /// A variable; `None` where there is none of that name. One of more than `most` numbers is not read.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn variable(&self, name: &str, most: usize) -> Found<Option<Variable<'_>>> {
        let Some(shape) = self.shape(name)? else {
            return Ok(None);
        };
        let count = shape.iter().try_fold(1, |n: usize, m| n.checked_mul(*m));
        if count.is_none_or(|count| count > most) {
            return unknown(format!("of shape {shape:?}, more than {most} numbers"));
        }
        self.address(name)
            .map(|address| Variable::read(self.file, address))
            .transpose()
    }

    /// The dimensions of a variable, of which nothing else is read.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn shape(&self, name: &str) -> Found<Option<Vec<usize>>> {
        self.address(name)
            .map(|address| variable::shape_at(self.file, address))
            .transpose()
    }

    fn address(&self, name: &str) -> Option<u64> {
        let entry = self.entries.iter().find(|(known, _)| known == name);
        entry.map(|(_, address)| *address)
    }
}

fn text<'t>(texts: &'t [(String, String)], name: &str) -> &'t str {
    let found = texts.iter().find(|(known, _)| known == name);
    found.map_or("", |(_, text)| text)
}
