//! Data in chunks: where each is, by any of the six indexes (sections III.A.1, III.A.2, VII), and how they
//! make up a variable.

use super::bytes::{Bytes, log2};
use super::filters::Filters;
use super::variable::LARGEST;
use super::{Fault, File, Found, NOWHERE, tree, unknown};

/// Bytes that chunks may unpack to beyond the variable's own: those at its edges reach beyond it.
const BEYOND: usize = 256 << 20;

/// Where the chunks of a variable are.
#[derive(Debug)]
pub(super) enum Index {
    /// A B-tree of version 1.
    Tree(u64),
    /// One chunk; if packed, of so many bytes and without some filters.
    One(u64, Option<(usize, u32)>),
    /// One after another.
    Row(u64),
    /// A fixed array.
    Fixed(u64),
    /// An extensible array.
    Extensible(u64),
    /// A B-tree of version 2.
    Tree2(u64),
}

impl Index {
    /// Out of a layout of version 4.
    pub fn parse(message: &mut Bytes<'_>, flags: u8) -> Found<Index> {
        let kind = message.byte()?;
        let packed = if kind == 1 && flags & 2 != 0 {
            Some((message.number(8)?, message.address(4)? as u32))
        } else {
            None
        };
        // How the index was laid out stands in the index again.
        message.skip(match kind {
            1 | 2 => 0,
            3 => 1,
            4 => 5,
            5 => 6,
            _ => return unknown("chunks with an unknown index"),
        })?;
        // Chunks at the edges may be left unpacked: no writer of SOFA asks for it.
        if flags & 1 != 0 {
            return unknown("chunks that are packed only within");
        }
        let address = message.wide()?;
        Ok(match kind {
            1 => Index::One(address, packed),
            2 => Index::Row(address),
            3 => Index::Fixed(address),
            4 => Index::Extensible(address),
            _ => Index::Tree2(address),
        })
    }
}

/// A chunk: where, how long, and which filters were left out.
#[derive(Debug, Clone, Copy)]
struct Place {
    address: u64,
    length: usize,
    skipped: u32,
}

/// The chunks of a variable on their way to its bytes.
pub(super) struct Chunks<'a> {
    file: &'a File<'a>,
    shape: Vec<usize>,
    chunk: Vec<usize>,
    /// How many chunks each dimension has now, and at most; none for one without end.
    counts: Vec<usize>,
    most: Vec<Option<usize>>,
    size: usize,
    /// Bytes of an unpacked chunk.
    full: usize,
    filters: Filters,
    /// How many bytes may still be unpacked.
    left: usize,
    pub bytes: Vec<u8>,
}

impl<'a> Chunks<'a> {
    /// Of a variable with numbers of `size` bytes; the last dimension of a chunk is that size.
    pub fn new(
        file: &'a File<'a>,
        shape: &[usize],
        most: &[Option<usize>],
        mut chunk: Vec<usize>,
        size: usize,
        filters: Filters,
    ) -> Found<Chunks<'a>> {
        if chunk.pop() != Some(size)
            || chunk.len() != shape.len()
            || chunk.is_empty()
            || chunk.contains(&0)
        {
            return Err(Fault::Broken);
        }
        let full = chunk.iter().try_fold(size, |n, m| n.checked_mul(*m));
        let full = full.filter(|full| *full <= LARGEST);
        let per = |(count, chunk): (&usize, &usize)| count.div_ceil(*chunk);
        Ok(Chunks {
            file,
            counts: shape.iter().zip(&chunk).map(per).collect(),
            most: most
                .iter()
                .zip(&chunk)
                .map(|(most, chunk)| most.map(|most| per((&most, chunk))))
                .collect(),
            shape: shape.to_vec(),
            chunk,
            size,
            full: full.ok_or(Fault::Broken)?,
            filters,
            left: BEYOND,
            bytes: Vec::new(),
        })
    }

    /// What stands where there are no chunks.
    pub fn fill(&mut self, bytes: Vec<u8>) {
        self.left += 2 * bytes.len();
        self.bytes = bytes;
    }

    /// Reads all of them.
    pub fn read(&mut self, index: &Index) -> Found<()> {
        let full = self.full;
        let whole = |address| Place {
            address,
            length: full,
            skipped: 0,
        };
        match *index {
            Index::Tree(NOWHERE)
            | Index::One(NOWHERE, _)
            | Index::Row(NOWHERE)
            | Index::Fixed(NOWHERE)
            | Index::Extensible(NOWHERE)
            | Index::Tree2(NOWHERE) => Ok(()),
            Index::Tree(address) => self.tree(address, None),
            Index::One(address, packed) => {
                let mut place = whole(address);
                if let Some((length, skipped)) = packed {
                    (place.length, place.skipped) = (length, skipped);
                }
                self.place(place, &vec![0; self.shape.len()])
            }
            Index::Row(address) => {
                let count = self.all(self.most.clone())?;
                for number in 0..count {
                    self.file.step()?;
                    let next = address.checked_add((number * full) as u64);
                    self.numbered(number, whole(next.ok_or(Fault::Broken)?), None)?;
                }
                Ok(())
            }
            Index::Fixed(address) => self.fixed(address),
            Index::Extensible(address) => self.extensible(address),
            Index::Tree2(address) => self.tree2(address),
        }
    }

    /// The number of chunks where no dimension is without end.
    fn all(&self, most: Vec<Option<usize>>) -> Found<usize> {
        let count = most
            .into_iter()
            .try_fold(1, |n: usize, m| n.checked_mul(m?));
        // Each is somewhere in the file, or missing; few are missing in any file that is meant to be read.
        let limit = (self.file.bytes.len() / 2).max(1 << 20);
        let fits = |count: &usize| *count <= limit && count.checked_mul(self.full).is_some();
        count.filter(fits).ok_or(Fault::Broken)
    }

    /// Visits a node of a B-tree of version 1; `above` is the level of the node above.
    fn tree(&mut self, address: u64, above: Option<u8>) -> Found<()> {
        let mut node = self.file.block(address, b"TREE", 1)?;
        let level = node.byte()?;
        if above.is_some_and(|above| u16::from(level) + 1 != u16::from(above)) {
            return Err(Fault::Broken);
        }
        let entries = node.number(2)?;
        node.skip(16)?;
        let rank = self.shape.len();
        for _ in 0..entries {
            self.file.step()?;
            let length = node.number(4)?;
            let skipped = node.address(4)? as u32;
            let start: Vec<usize> = (0..rank).map(|_| node.number(8)).collect::<Found<_>>()?;
            node.skip(8)?;
            let address = node.wide()?;
            if level > 0 {
                self.tree(address, Some(level))?;
            } else {
                let place = Place {
                    address,
                    length,
                    skipped,
                };
                self.place(place, &start)?;
            }
        }
        Ok(())
    }

    /// A B-tree of version 2: addresses, lengths where packed, and places counted in chunks.
    fn tree2(&mut self, address: u64) -> Found<()> {
        let packed = !self.filters.are_none();
        let (file, rank, full) = (self.file, self.shape.len(), self.full);
        let mut found = Vec::new();
        tree::walk(file, address, &mut |kind, record| {
            if kind != if packed { 11 } else { 10 } {
                return Err(Fault::Broken);
            }
            let width = record.len().checked_sub(8 * rank + 8);
            let mut record = Bytes(record);
            let place = entry(&mut record, packed, width.ok_or(Fault::Broken)?, full)?;
            let at: Vec<usize> = (0..rank).map(|_| record.number(8)).collect::<Found<_>>()?;
            found.push((place, at));
            Ok(())
        })?;
        for (place, at) in found {
            self.place(place, &self.start(&at)?)?;
        }
        Ok(())
    }

    /// A fixed array: all entries in one block, or in pages of one.
    fn fixed(&mut self, address: u64) -> Found<()> {
        let mut header = self.file.block(address, b"FAHD", 0)?;
        let packed = header.byte()? == 1;
        let size = header.number(1)?;
        let bits = header.number(1)?;
        let count = header.number(8)?;
        let data = header.wide()?;
        if data == NOWHERE {
            return Ok(());
        }
        if count > self.all(self.most.clone())? || bits > 40 {
            return Err(Fault::Broken);
        }
        let mut block = self.file.block(data, b"FADB", 0)?;
        block.skip(1 + 8)?;
        let page = 1 << bits;
        if count <= page {
            return self.entries(&mut block, 0, count, size, packed, None);
        }
        let pages = count.div_ceil(page);
        let written = block.take(pages.div_ceil(8))?;
        block.skip(4)?;
        for number in 0..pages {
            let first = number * page;
            let count = page.min(count - first);
            let mut entries = Bytes(block.take(count * size)?);
            block.skip(4)?;
            if is_set(written, number) {
                self.entries(&mut entries, first, count, size, packed, None)?;
            }
        }
        Ok(())
    }

    /// An extensible array: some entries in its first block, the others in blocks that double in size, and
    /// from some size on have pages.
    fn extensible(&mut self, address: u64) -> Found<()> {
        let mut header = self.file.block(address, b"EAHD", 0)?;
        let packed = header.byte()? == 1;
        let size = header.number(1)?;
        let bits = header.number(1)?;
        let first = header.number(1)?;
        let least = header.number(1)?;
        let pointers = header.number(1)?;
        let page_bits = header.number(1)?;
        header.skip(4 * 8)?;
        let used = header.number(8)?;
        header.skip(8)?;
        let block = header.wide()?;
        let sane = least.is_power_of_two() && pointers.is_power_of_two() && pointers > 1;
        if !sane || !(log2(least)..=48).contains(&bits) || page_bits > 40 || size < 8 {
            return Err(Fault::Broken);
        }
        if block == NOWHERE {
            return Ok(());
        }
        // The dimension without end counts slowest.
        let mut endless = self
            .most
            .iter()
            .enumerate()
            .filter(|(_, most)| most.is_none());
        let slow = endless.next().map(|(axis, _)| axis);
        if slow.is_none() || endless.next().is_some() {
            return Err(Fault::Broken);
        }
        let array = Array {
            size,
            packed,
            page: 1 << page_bits,
            offset: bits.div_ceil(8),
            used,
            slow,
        };
        let mut index = self.file.block(block, b"EAIB", 0)?;
        index.skip(1 + 8)?;
        self.entries(&mut index, 0, first, size, packed, slow)?;
        // Super blocks hold a number of data blocks that doubles with every second, of entries that
        // double with every other. The data blocks of the first ones stand in the index itself.
        let supers = 1 + bits - log2(least);
        let direct = 2 * log2(pointers);
        let mut blocks = Bytes(index.take(8 * 2 * (pointers - 1))?);
        let mut entry = first;
        for number in 0..supers {
            let count = 1usize << (number / 2);
            let each = least << number.div_ceil(2);
            if entry >= used {
                break;
            }
            if number < direct {
                for _ in 0..count {
                    self.data_block(blocks.wide()?, entry, each, &array, None)?;
                    entry += each;
                }
                continue;
            }
            let address = index.wide()?;
            if address == NOWHERE {
                entry += count * each;
                continue;
            }
            let mut block = self.file.block(address, b"EASB", 0)?;
            block.skip(1 + 8 + array.offset)?;
            let pages = if each > array.page {
                each / array.page
            } else {
                0
            };
            let written = block.take(count * pages.div_ceil(8))?;
            for which in 0..count {
                let pages = (pages > 0).then_some((written, which * pages));
                self.data_block(block.wide()?, entry, each, &array, pages)?;
                entry += each;
            }
        }
        Ok(())
    }

    /// One data block of an extensible array; `pages` tells which of its pages were written, from which bit on.
    fn data_block(
        &mut self,
        address: u64,
        entry: usize,
        count: usize,
        array: &Array,
        pages: Option<(&[u8], usize)>,
    ) -> Found<()> {
        self.file.step()?;
        if address == NOWHERE || entry >= array.used {
            return Ok(());
        }
        let mut block = self.file.block(address, b"EADB", 0)?;
        block.skip(1 + 8 + array.offset)?;
        let Array {
            size, packed, slow, ..
        } = *array;
        let Some((written, bit)) = pages else {
            return self.entries(&mut block, entry, count, size, packed, slow);
        };
        block.skip(4)?;
        for number in 0..count / array.page {
            let first = entry + number * array.page;
            if first >= array.used {
                break;
            }
            let mut entries = Bytes(block.take(array.page.saturating_mul(size))?);
            block.skip(4)?;
            if is_set(written, bit + number) {
                self.entries(&mut entries, first, array.page, size, packed, slow)?;
            }
        }
        Ok(())
    }

    /// Entries of an array, numbered from `first` on.
    fn entries(
        &mut self,
        block: &mut Bytes<'a>,
        first: usize,
        count: usize,
        size: usize,
        packed: bool,
        slow: Option<usize>,
    ) -> Found<()> {
        for number in first..first.checked_add(count).ok_or(Fault::Broken)? {
            self.file.step()?;
            let mut record = Bytes(block.take(size)?);
            let width = size.checked_sub(8).ok_or(Fault::Broken)?;
            let place = entry(&mut record, packed, width, self.full)?;
            if place.address != NOWHERE {
                self.numbered(number, place, slow)?;
            }
        }
        Ok(())
    }

    /// Places a chunk by its number: the last dimension counts fastest, `slow` slowest.
    fn numbered(&mut self, number: usize, place: Place, slow: Option<usize>) -> Found<()> {
        let rank = self.shape.len();
        let mut at = vec![0; rank];
        let mut rest = number;
        for axis in (0..rank).rev().filter(|axis| Some(*axis) != slow) {
            let count = self.most[axis].filter(|count| *count > 0);
            let count = count.ok_or(Fault::Broken)?;
            at[axis] = rest % count;
            rest /= count;
        }
        match slow {
            Some(axis) => at[axis] = rest,
            None if rest > 0 => return Err(Fault::Broken),
            None => {}
        }
        if at.iter().zip(&self.counts).any(|(at, count)| at >= count) {
            // Room for a variable that may yet grow.
            return Ok(());
        }
        self.place(place, &self.start(&at)?)
    }

    /// The first number of a chunk.
    fn start(&self, at: &[usize]) -> Found<Vec<usize>> {
        let each = at.iter().zip(&self.chunk);
        each.map(|(at, chunk)| at.checked_mul(*chunk).ok_or(Fault::Broken))
            .collect()
    }

    /// Unpacks a chunk and copies what of it lies within the variable.
    fn place(&mut self, place: Place, start: &[usize]) -> Found<()> {
        self.left = self.left.checked_sub(self.full).ok_or(Fault::Broken)?;
        if self.file.progress.cancelled() {
            return Err(Fault::Cancelled);
        }
        if start.iter().zip(&self.shape).any(|(at, count)| at >= count) {
            return Ok(());
        }
        let packed = self.file.at(place.address)?.take(place.length)?;
        let data = self
            .filters
            .undo(packed, place.skipped, self.full, self.size)?;
        // Row by row of the last dimension.
        let last = self.shape.len() - 1;
        let row = self.chunk[last] * self.size;
        let kept = (self.shape[last] - start[last]).min(self.chunk[last]) * self.size;
        for (index, from) in data.chunks_exact(row).enumerate() {
            let (mut rest, mut to, mut stride, mut inside) = (index, 0, self.shape[last], true);
            for axis in (0..last).rev() {
                let place = start[axis] + rest % self.chunk[axis];
                rest /= self.chunk[axis];
                inside &= place < self.shape[axis];
                to += if inside { place * stride } else { 0 };
                stride *= self.shape[axis];
            }
            if inside {
                let to = (to + start[last]) * self.size;
                self.bytes
                    .get_mut(to..to + kept)
                    .ok_or(Fault::Broken)?
                    .copy_from_slice(&from[..kept]);
            }
        }
        Ok(())
    }
}

/// What all blocks of an extensible array share.
struct Array {
    size: usize,
    packed: bool,
    page: usize,
    offset: usize,
    used: usize,
    slow: Option<usize>,
}

/// An entry: an address, and where packed a length of `width` less 4 bytes, and the filters left out.
fn entry(record: &mut Bytes<'_>, packed: bool, width: usize, full: usize) -> Found<Place> {
    let address = record.wide()?;
    if !packed {
        return Ok(Place {
            address,
            length: full,
            skipped: 0,
        });
    }
    let width = width.checked_sub(4).ok_or(Fault::Broken)?;
    Ok(Place {
        address,
        length: record.number(width)?,
        skipped: record.address(4)? as u32,
    })
}

/// Bits are counted from the most significant one of each byte.
fn is_set(bits: &[u8], number: usize) -> bool {
    let byte = bits.get(number / 8);
    byte.is_some_and(|byte| byte & (0x80 >> (number % 8)) != 0)
}
