//! Heaps: the fractal one of attributes and links (section III.G), the global one of long texts (III.E).

use super::bytes::{Bytes, log2, width};
use super::{Fault, File, Found, NOWHERE, unknown};

/// A text of variable length: its length, and its place in a global heap.
pub(super) fn long_text<'a>(file: &'a File<'_>, mut reference: Bytes<'_>) -> Found<&'a [u8]> {
    let length = reference.number(4)?;
    let (address, wanted) = (reference.wide()?, reference.number(4)?);
    if length == 0 {
        return Ok(&[]);
    }
    let mut heap = file.block(address, b"GCOL", 1)?;
    heap.skip(3)?;
    let size = heap.number(8)?.checked_sub(16).ok_or(Fault::Broken)?;
    let mut objects = Bytes(heap.take(size)?);
    while objects.0.len() >= 16 {
        file.step()?;
        let index = objects.number(2)?;
        objects.skip(6)?;
        let size = objects.number(8)?;
        if index == wanted {
            return objects.take(size.min(length));
        }
        if index == 0 {
            break;
        }
        objects.skip(size.checked_next_multiple_of(8).ok_or(Fault::Broken)?)?;
    }
    Err(Fault::Broken)
}

/// Blocks that double in size row by row, and what is found in them by offset.
pub(super) struct FractalHeap {
    id: usize,
    /// Bytes of an offset and of a length in an id.
    offset: usize,
    length: usize,
    columns: usize,
    first: usize,
    largest: usize,
    root: u64,
    rows: usize,
}

impl FractalHeap {
    pub fn open(file: &File<'_>, address: u64) -> Found<FractalHeap> {
        let mut header = file.block(address, b"FRHP", 0)?;
        let id = header.number(2)?;
        let filtered = header.number(2)? > 0;
        header.skip(1)?;
        let object = header.number(4)?;
        header.skip(12 * 8)?;
        let columns = header.number(2)?;
        let (first, largest) = (header.number(8)?, header.number(8)?);
        let bits = header.number(2)?;
        header.skip(2)?;
        let (root, rows) = (header.wide()?, header.number(2)?);
        if filtered {
            return unknown("attributes in a packed heap");
        }
        let sane = (1..=1 << 15).contains(&columns)
            && first.is_power_of_two()
            && largest.is_power_of_two()
            && (first..=1 << 40).contains(&largest)
            && (1..=64).contains(&bits);
        if !sane {
            return Err(Fault::Broken);
        }
        Ok(FractalHeap {
            id,
            offset: bits.div_ceil(8),
            length: (log2(largest).div_ceil(8)).min(width(object)),
            columns,
            first,
            largest,
            root,
            rows,
        })
    }

    /// The bytes of an object; `None` of one that has a place of its own, because it is huge.
    pub fn object<'a>(&self, file: &'a File<'_>, id: &'a [u8]) -> Found<Option<Bytes<'a>>> {
        let mut id = Bytes(id);
        let head = id.byte()?;
        match head >> 4 & 3 {
            0 => {
                let offset = id.number(self.offset)?;
                let length = id.number(self.length)?;
                let (block, inside) = self.block(file, offset)?;
                let mut bytes = file.at(block)?;
                bytes.skip(inside)?;
                Ok(Some(Bytes(bytes.take(length)?)))
            }
            2 => {
                // From 18 bytes on lengths need more than half a byte.
                let more = if self.id > 18 { id.number(1)? } else { 0 };
                let length = usize::from(head & 15);
                let length = if self.id > 18 {
                    length << 8 | more
                } else {
                    length
                };
                Ok(Some(Bytes(id.take(length + 1)?)))
            }
            _ => Ok(None),
        }
    }

    /// The direct block that holds an offset, and where in it.
    fn block(&self, file: &File<'_>, mut offset: usize) -> Found<(u64, usize)> {
        let (mut address, mut rows) = (self.root, self.rows);
        if rows == 0 {
            return if offset < self.first && address != NOWHERE {
                Ok((address, offset))
            } else {
                Err(Fault::Broken)
            };
        }
        let direct = log2(self.largest / self.first) + 2;
        loop {
            let mut block = file.block(address, b"FHIB", 0)?;
            block.skip(8 + self.offset)?;
            // Rows of blocks: one of the first size, from there on doubling.
            let (mut row, mut size) = (0, self.first);
            loop {
                file.step()?;
                if row == rows {
                    return Err(Fault::Broken);
                }
                let span = size.checked_mul(self.columns).ok_or(Fault::Broken)?;
                if offset < span {
                    break;
                }
                offset -= span;
                size <<= usize::from(row > 0 && size.leading_zeros() > 1);
                row += 1;
            }
            let child = row * self.columns + offset / size;
            block.skip(child * 8)?;
            address = block.wide()?;
            offset %= size;
            if address == NOWHERE {
                return Err(Fault::Broken);
            }
            if row < direct {
                return Ok((address, offset));
            }
            rows = log2(size / self.first / self.columns) + 1;
        }
    }
}
