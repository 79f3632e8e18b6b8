//! Headers of objects: lists of messages, of either age (sections IV.A.1.a and b), and their attributes.

use super::bytes::{Bytes, padded, plain};
use super::heap::{self, FractalHeap};
use super::tree;
use super::{Fault, File, Found, NOWHERE, unknown};

/// Kinds of messages.
pub(super) mod kind {
    pub const SHAPE: usize = 1;
    pub const LINKS: usize = 2;
    pub const NUMBER: usize = 3;
    pub const OLD_FILL: usize = 4;
    pub const FILL: usize = 5;
    pub const LINK: usize = 6;
    pub const ELSEWHERE: usize = 7;
    pub const LAYOUT: usize = 8;
    pub const FILTERS: usize = 11;
    pub const ATTRIBUTE: usize = 12;
    pub const CONTINUATION: usize = 16;
    pub const OLD_GROUP: usize = 17;
    pub const ATTRIBUTES: usize = 21;
}

/// The body of a message is an address of where it is.
const SHARED: u8 = 2;

/// Attributes of a variable that are stored in a heap, in the order of names.
const ATTRIBUTES_BY_NAME: u8 = 8;

/// Most messages of an object, and most of its attributes.
const MOST: usize = 10_000;

/// Bytes of a text that are kept.
const LONGEST: usize = 4096;

/// The messages of an object.
pub(super) struct Header<'a> {
    messages: Vec<(usize, u8, Bytes<'a>)>,
}

impl<'a> Header<'a> {
    pub fn read(file: &'a File<'_>, address: u64) -> Found<Header<'a>> {
        file.step()?;
        let mut header = Header {
            messages: Vec::new(),
        };
        let mut start = file.at(address)?;
        if start.0.starts_with(b"OHDR") {
            header.read_new(file, start)?;
        } else if start.byte()? == 1 {
            start.skip(1 + 2 + 4)?;
            let size = start.number(4)?;
            start.skip(4)?;
            header.read_old(file, start.take(size)?)?;
        } else {
            return Err(Fault::Broken);
        }
        Ok(header)
    }

    fn read_new(&mut self, file: &'a File<'_>, mut start: Bytes<'a>) -> Found<()> {
        start.skip(4)?;
        if start.byte()? != 2 {
            return Err(Fault::Broken);
        }
        let flags = start.byte()?;
        let times = if flags & 0x20 != 0 { 16 } else { 0 };
        let phases = if flags & 0x10 != 0 { 4 } else { 0 };
        start.skip(times + phases)?;
        let size = start.number(1 << (flags & 3))?;
        let head = if flags & 4 != 0 { 6 } else { 4 };
        let mut blocks = vec![Bytes(start.take(size)?)];
        while let Some(mut block) = blocks.pop() {
            // What is shorter than a message is a gap.
            while block.0.len() >= head {
                file.step()?;
                let kind = block.number(1)?;
                let size = block.number(2)?;
                let flags = block.byte()?;
                block.skip(head - 4)?;
                let message = Bytes(block.take(size)?);
                if kind == kind::CONTINUATION {
                    // A signature before, a checksum behind.
                    let inner = continuation(file, message)?.strip_prefix(b"OCHK");
                    let inner = inner.and_then(|rest| rest.split_last_chunk::<4>());
                    blocks.push(Bytes(inner.ok_or(Fault::Broken)?.0));
                } else {
                    self.push(kind, flags, message)?;
                }
            }
        }
        Ok(())
    }

    fn read_old(&mut self, file: &'a File<'_>, first: &'a [u8]) -> Found<()> {
        let mut blocks = vec![Bytes(first)];
        while let Some(mut block) = blocks.pop() {
            while block.0.len() >= 8 {
                file.step()?;
                let kind = block.number(2)?;
                let size = block.number(2)?;
                let flags = block.byte()?;
                block.skip(3)?;
                let message = Bytes(block.take(size)?);
                if kind == kind::CONTINUATION {
                    blocks.push(Bytes(continuation(file, message)?));
                } else {
                    self.push(kind, flags, message)?;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, kind: usize, flags: u8, message: Bytes<'a>) -> Found<()> {
        self.messages.push((kind, flags, message));
        if self.messages.len() > MOST {
            return Err(Fault::Broken);
        }
        Ok(())
    }

    /// All messages of a kind, those that are elsewhere from there.
    pub fn all(&self, file: &'a File<'_>, kind: usize) -> Found<Vec<Bytes<'a>>> {
        let those = self.messages.iter().filter(|(other, ..)| *other == kind);
        those
            .map(|(_, flags, message)| {
                if flags & SHARED == 0 {
                    Ok(*message)
                } else {
                    shared(file, *message, kind)
                }
            })
            .collect()
    }

    /// The only message of a kind, if there is one.
    pub fn only(&self, file: &'a File<'_>, kind: usize) -> Found<Option<Bytes<'a>>> {
        Ok(self.all(file, kind)?.first().copied())
    }

    /// The attributes that are texts, by name.
    pub fn texts(&self, file: &File<'_>) -> Found<Vec<(String, String)>> {
        let mut texts = Vec::new();
        for (kind, flags, message) in &self.messages {
            // An attribute that is stored once for several objects says nothing that a set needs.
            if *kind == kind::ATTRIBUTE && flags & SHARED == 0 {
                texts.extend(attribute(file, *message)?);
            }
        }
        if let Some(mut info) = self.only(file, kind::ATTRIBUTES)? {
            info.skip(1)?;
            let flags = info.byte()?;
            info.skip(if flags & 1 != 0 { 2 } else { 0 })?;
            let (heap, index) = (info.wide()?, info.wide()?);
            if heap != NOWHERE && index != NOWHERE {
                let heap = FractalHeap::open(file, heap)?;
                tree::walk(file, index, &mut |kind, record| {
                    let mut record = Bytes(record);
                    if kind != ATTRIBUTES_BY_NAME {
                        return Err(Fault::Broken);
                    }
                    let id = record.take(8)?;
                    if texts.len() > MOST {
                        return Err(Fault::Broken);
                    }
                    if record.byte()? & SHARED == 0
                        && let Some(found) = heap.object(file, id)?
                    {
                        texts.extend(attribute(file, found)?);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(texts)
    }
}

fn continuation<'a>(file: &'a File<'_>, mut message: Bytes<'_>) -> Found<&'a [u8]> {
    let (address, length) = (message.wide()?, message.number(8)?);
    file.at(address)?.take(length)
}

/// A message that is in another object's header: a named kind of number.
fn shared<'a>(file: &'a File<'_>, mut message: Bytes<'_>, kind: usize) -> Found<Bytes<'a>> {
    let (version, place) = (message.byte()?, message.byte()?);
    match (version, place) {
        (1, _) => message.skip(6)?,
        (2, _) | (3, 2) => {}
        (3, _) => return unknown("HDF5 with shared messages"),
        _ => return Err(Fault::Broken),
    }
    let other = Header::read(file, message.wide()?)?;
    let mut those = other.messages.iter().filter(|(found, ..)| *found == kind);
    match those.next() {
        Some((_, flags, message)) if flags & SHARED == 0 => Ok(*message),
        _ => Err(Fault::Broken),
    }
}

/// An attribute that is a text, or some of which the first counts; none for any other.
fn attribute(file: &File<'_>, mut message: Bytes<'_>) -> Found<Option<(String, String)>> {
    let version = message.byte()?;
    let flags = message.byte()?;
    let sizes = [message.number(2)?, message.number(2)?, message.number(2)?];
    let sizes = match version {
        1 => sizes.map(padded),
        2 => sizes,
        3 => {
            message.skip(1)?;
            sizes
        }
        _ => return unknown("an attribute of an unknown version"),
    };
    let name = plain(message.take(sizes[0])?);
    let mut number = Bytes(message.take(sizes[1])?);
    message.skip(sizes[2])?;
    if version > 1 && flags & 1 != 0 {
        number = shared(file, number, kind::NUMBER)?;
    }
    let class = number.byte()? & 15;
    let variable = number.number(3)? & 15 == 1;
    let size = number.number(4)?;
    let text = match class {
        3 => plain(&message.0[..size.min(LONGEST).min(message.0.len())]),
        // What cannot be found is as good as empty: it need not be one that matters.
        9 if variable && !message.0.is_empty() => {
            let text = heap::long_text(file, message).unwrap_or_default();
            plain(&text[..text.len().min(LONGEST)])
        }
        9 if variable => String::new(),
        _ => return Ok(None),
    };
    Ok(Some((name, text)))
}
