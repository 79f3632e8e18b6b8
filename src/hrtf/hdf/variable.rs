//! A variable: its shape, its numbers and its texts.

use super::bytes::Bytes;
use super::chunks::{Chunks, Index};
use super::filters::Filters;
use super::header::{Header, kind};
use super::{Fault, File, Found, NOWHERE, unknown};
use std::borrow::Cow;

/// Most bytes that a variable may have, as it is stored and as single floats: 64 800 responses of 2 x 512 doubles fit.
/// A reader has both at once.
pub(super) const LARGEST: usize = 1 << 29;

/// Bytes of a single float, which is what responses become.
const SINGLE: usize = 4;

/// How many times as long as packed data may be what deflate makes of them, and something for what is not
/// stored at all: no small file is large.
const PACKED: usize = 1100;
const UNSTORED: usize = 1 << 20;

/// Stored numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Format {
    kind: Kind,
    size: usize,
    /// Most significant byte first.
    swapped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// One variable.
pub struct Variable<'a> {
    /// Its dimensions.
    pub shape: Vec<usize>,
    texts: Vec<(String, String)>,
    format: Format,
    /// The file's own where they lie in it as they are.
    bytes: Cow<'a, [u8]>,
}

/// Where its bytes are.
enum Layout<'a> {
    Here(&'a [u8]),
    Whole(u64),
    Chunked(Index, Vec<usize>),
}

/// The dimensions of a variable, of which nothing else is read.
pub(super) fn shape_at(file: &File<'_>, address: u64) -> Found<Vec<usize>> {
    let header = Header::read(file, address)?;
    let message = header.only(file, kind::SHAPE)?.ok_or(Fault::Broken)?;
    Ok(shape(message)?.0)
}

impl<'a> Variable<'a> {
    pub(super) fn read(file: &'a File<'_>, address: u64) -> Found<Variable<'a>> {
        let header = Header::read(file, address)?;
        let needed = |kind| header.only(file, kind)?.ok_or(Fault::Broken);
        let (shape, most) = shape(needed(kind::SHAPE)?)?;
        let format = format(needed(kind::NUMBER)?)?;
        let layout = layout(needed(kind::LAYOUT)?)?;
        if header.only(file, kind::ELSEWHERE)?.is_some() {
            return unknown("stored in other files");
        }
        let filters = match header.only(file, kind::FILTERS)? {
            Some(message) => Filters::parse(message)?,
            None => Filters::default(),
        };
        let count = shape.iter().try_fold(1, |n: usize, m| n.checked_mul(*m));
        let size = count.and_then(|count| count.checked_mul(format.size));
        let size = size.ok_or(Fault::Broken)?;
        let single = size / format.size.max(1) * SINGLE;
        if size.max(single) > LARGEST {
            return unknown(format!("larger than {} MB", LARGEST >> 20));
        }
        if size > file.bytes.len().saturating_mul(PACKED) + UNSTORED {
            return Err(Fault::Broken);
        }
        let fill = fill(file, &header, format.size)?;
        let unstored = || match fill.iter().all(|byte| *byte == 0) {
            true => vec![0; size],
            false => fill.repeat(size / format.size),
        };
        let bytes = match layout {
            Layout::Here(bytes) => bytes.get(..size).ok_or(Fault::Broken)?.into(),
            Layout::Whole(NOWHERE) => unstored().into(),
            Layout::Whole(address) => file.at(address)?.take(size)?.into(),
            Layout::Chunked(index, chunk) => {
                let mut chunks = Chunks::new(file, &shape, &most, chunk, format.size, filters)?;
                chunks.fill(unstored());
                chunks.read(&index)?;
                chunks.bytes.into()
            }
        };
        Ok(Variable {
            texts: header.texts(file)?,
            shape,
            format,
            bytes,
        })
    }

    /// A text that the variable carries, in small letters; empty where it has none of that name.
    pub fn text(&self, name: &str) -> String {
        super::text(&self.texts, name).to_lowercase()
    }

    /// Its numbers.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        let format = self.format;
        self.bytes.chunks_exact(format.size).map(move |bytes| {
            let mut wide = [0; 8];
            wide[..format.size].copy_from_slice(bytes);
            if format.swapped {
                wide[..format.size].reverse();
            }
            let [a, b, c, d, ..] = wide;
            let unused = 64 - 8 * format.size;
            match format.kind {
                Kind::Float if format.size == 4 => f64::from(f32::from_le_bytes([a, b, c, d])),
                Kind::Float => f64::from_le_bytes(wide),
                Kind::Unsigned => u64::from_le_bytes(wide) as f64,
                // Moved to the top and back, which extends the sign.
                Kind::Signed => ((i64::from_le_bytes(wide) << unused) >> unused) as f64,
            }
        })
    }
}

/// Its dimensions, and the largest that they may ever have.
fn shape(mut message: Bytes<'_>) -> Found<(Vec<usize>, Vec<Option<usize>>)> {
    let version = message.byte()?;
    let rank = message.byte()?;
    let flags = message.byte()?;
    match version {
        1 => message.skip(5)?,
        // One that is null has no numbers, not even one.
        2 if message.byte()? != 2 => {}
        2 => return Ok((vec![0], vec![Some(0)])),
        _ => return unknown("a shape of an unknown version"),
    }
    let mut numbers = |_| message.wide();
    let now: Vec<u64> = (0..rank).map(&mut numbers).collect::<Found<_>>()?;
    let most = if flags & 1 != 0 {
        (0..rank).map(&mut numbers).collect::<Found<_>>()?
    } else {
        now.clone()
    };
    let count = |number: u64| usize::try_from(number).map_err(|_| Fault::Broken);
    let now = now.into_iter().map(count).collect::<Found<_>>()?;
    // All bits set: without end.
    let most = most
        .into_iter()
        .map(|most| (most != u64::MAX).then(|| count(most)).transpose())
        .collect::<Found<_>>()?;
    Ok((now, most))
}

fn format(mut message: Bytes<'_>) -> Found<Format> {
    let class = message.byte()? & 15;
    let bits = message.number(3)?;
    let size = message.number(4)?;
    let kind = match class {
        0 if bits & 8 != 0 => Kind::Signed,
        0 => Kind::Unsigned,
        1 => Kind::Float,
        3 | 9 => return unknown("texts, not numbers"),
        _ => return unknown("no plain numbers"),
    };
    let (offset, precision) = (message.number(2)?, message.number(2)?);
    let known = match kind {
        // Bits of the exponent tell the formats of IEEE 754 from others.
        Kind::Float => {
            let exponent = (message.byte()?, message.byte()?);
            matches!((size, exponent), (4, (23, 8)) | (8, (52, 11))) && bits & 64 == 0
        }
        _ => matches!(size, 1 | 2 | 4 | 8),
    };
    if !known || offset != 0 || precision != 8 * size {
        return unknown(format!("numbers of an unusual form of {size} bytes"));
    }
    Ok(Format {
        kind,
        size,
        swapped: bits & 1 != 0,
    })
}

fn layout(mut message: Bytes<'_>) -> Found<Layout<'_>> {
    let version = message.byte()?;
    // 5 differs from 4 in the width of lengths, which the indexes tell themselves.
    if !(3..=5).contains(&version) {
        return unknown(format!("a layout of version {version}"));
    }
    match (version, message.byte()?) {
        (_, 0) => {
            let size = message.number(2)?;
            Ok(Layout::Here(message.take(size)?))
        }
        (_, 1) => Ok(Layout::Whole(message.wide()?)),
        (3, 2) => {
            let rank = message.byte()?;
            let address = message.wide()?;
            let chunk = (0..rank).map(|_| message.number(4));
            let chunk = chunk.collect::<Found<_>>()?;
            Ok(Layout::Chunked(Index::Tree(address), chunk))
        }
        (_, 2) => {
            let flags = message.byte()?;
            let rank = message.byte()?;
            let width = message.number(1)?;
            let chunk = (0..rank).map(|_| message.number(width));
            let chunk = chunk.collect::<Found<_>>()?;
            let index = Index::parse(&mut message, flags)?;
            Ok(Layout::Chunked(index, chunk))
        }
        _ => unknown("a virtual one, made of others"),
    }
}

/// The bytes of the number that stands where nothing was stored.
fn fill(file: &File<'_>, header: &Header<'_>, size: usize) -> Found<Vec<u8>> {
    let mut found = None;
    if let Some(mut message) = header.only(file, kind::FILL)? {
        let version = message.byte()?;
        let given = match version {
            1 | 2 => {
                message.skip(2)?;
                message.byte()? != 0
            }
            3 => message.byte()? & 32 != 0,
            _ => false,
        };
        if given {
            let length = message.number(4)?;
            found = Some(message.take(length)?);
        }
    } else if let Some(mut message) = header.only(file, kind::OLD_FILL)? {
        let length = message.number(4)?;
        found = Some(message.take(length)?);
    }
    let found = found.filter(|bytes| bytes.len() == size);
    Ok(found.map_or_else(|| vec![0; size], <[u8]>::to_vec))
}
