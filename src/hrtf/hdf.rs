//! Variables of an HDF5 file: their shape, numbers and short texts.
//!
//! sofar finds the variables and reads the attributes of a file; of their data it reads only what fits one
//! node of an index and was shuffled, and takes the rest for it. This reads every storage that netCDF and
//! h5py write by default (HDF5 File Format Specification 3.0, sections III.A, IV.A): compact, contiguous, and
//! chunks in a tree of any depth or in one piece, with the filters deflate, shuffle and Fletcher's checksum.
//! Nothing in here trusts a length: whatever lies outside the file or the variable is an error.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// Most bytes that a variable may have: 12000 responses of 2 x 4096 doubles fit.
const LARGEST: usize = 1 << 30;

/// Most continuations of a header.
const CONTINUATIONS: usize = 64;

/// Stored numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Format {
    /// Floating point, or else an integer.
    float: bool,
    size: usize,
    /// Most significant byte first.
    swapped: bool,
}

/// One variable.
#[derive(Default)]
pub struct Variable {
    /// Its dimensions.
    pub shape: Vec<usize>,
    texts: Vec<(String, String)>,
    format: Option<Format>,
    layout: Option<Layout>,
    filters: Vec<u16>,
    bytes: Vec<u8>,
}

enum Layout {
    /// Its bytes.
    Here(Vec<u8>),
    /// Where its bytes are.
    Whole(usize, usize),
    /// A tree of chunks of this shape, whose last dimension is the size of a number.
    Tree(usize, Vec<usize>),
    /// One chunk, filtered, of this many bytes.
    One(usize, usize, Vec<usize>),
}

/// Reads little-endian numbers; `None` where the bytes end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self, size: usize) -> Option<usize> {
        let mut wide = [0; 8];
        wide.get_mut(..size)?.copy_from_slice(self.take(size)?);
        usize::try_from(u64::from_le_bytes(wide)).ok()
    }
}

impl Variable {
    /// Reads the variable whose header is at an address of a file; `None` where it is damaged or stored in a way
    /// that is not known.
    pub fn read(file: &[u8], address: u64) -> Option<Variable> {
        let mut variable = Variable::default();
        let mut header = Bytes(file.get(usize::try_from(address).ok()?..)?);
        if header.take(4)? != b"OHDR" || header.number(1)? != 2 {
            return None;
        }
        let flags = header.number(1)?;
        if flags & 0x20 != 0 {
            header.take(16)?;
        }
        if flags & 0x10 != 0 {
            header.take(4)?;
        }
        let size = header.number(1 << (flags & 3))?;
        let mut blocks = vec![header.take(size)?];
        let mut done = 0;
        while let Some(block) = blocks.get(done).copied() {
            let mut block = Bytes(block);
            // What is shorter than a message is a gap.
            let head = if flags & 4 != 0 { 6 } else { 4 };
            while block.0.len() >= head {
                let kind = block.number(1)?;
                let size = block.number(2)?;
                block.take(head - 3)?;
                let message = Bytes(block.take(size)?);
                if kind == 0x10 && blocks.len() < CONTINUATIONS {
                    blocks.push(continuation(file, message)?);
                } else {
                    variable.message(kind, message)?;
                }
            }
            done += 1;
        }
        variable.load(file)?;
        Some(variable)
    }

    /// A short text that the variable carries, in small letters; empty where it has none of that name.
    pub fn text(&self, name: &str) -> &str {
        let found = self.texts.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, text)| text)
    }

    /// Its numbers.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        let format = self.format.unwrap_or(Format {
            float: true,
            size: 8,
            swapped: false,
        });
        self.bytes.chunks_exact(format.size).map(move |bytes| {
            let mut wide = [0; 8];
            wide[..format.size].copy_from_slice(bytes);
            if format.swapped {
                wide[..format.size].reverse();
            }
            let [a, b, c, d, ..] = wide;
            match (format.float, format.size) {
                (true, 4) => f64::from(f32::from_le_bytes([a, b, c, d])),
                (true, _) => f64::from_le_bytes(wide),
                // Moved to the top and back, which extends the sign.
                (false, size) => {
                    let unused = 64 - 8 * size;
                    ((i64::from_le_bytes(wide) << unused) >> unused) as f64
                }
            }
        })
    }

    fn message(&mut self, kind: usize, mut message: Bytes<'_>) -> Option<()> {
        match kind {
            1 => self.shape = shape(&mut message)?,
            3 => self.format = format(&mut message)?,
            8 => self.layout = layout(&mut message)?,
            11 => self.filters = filters(&mut message)?,
            12 => self.texts.extend(text(&mut message)),
            _ => {}
        }
        Some(())
    }

    fn load(&mut self, file: &[u8]) -> Option<()> {
        let format = self.format?;
        let count = self
            .shape
            .iter()
            .try_fold(1, |n: usize, m| n.checked_mul(*m))?;
        let size = count
            .checked_mul(format.size)
            .filter(|size| *size <= LARGEST)?;
        match self.layout.take()? {
            Layout::Here(bytes) => self.bytes = bytes.get(..size)?.to_vec(),
            Layout::Whole(address, length) => {
                let bytes = file.get(address..address.checked_add(length)?)?;
                self.bytes = bytes.get(..size)?.to_vec();
            }
            Layout::Tree(address, chunk) => {
                let mut chunks = Chunks::new(self, file, chunk, format.size)?;
                chunks.bytes = vec![0; size];
                chunks.walk(address, None)?;
                self.bytes = chunks.bytes;
            }
            Layout::One(address, length, chunk) => {
                let mut chunks = Chunks::new(self, file, chunk, format.size)?;
                chunks.bytes = vec![0; size];
                chunks.place(address, length, &vec![0; self.shape.len()])?;
                self.bytes = chunks.bytes;
            }
        }
        Some(())
    }
}

fn continuation<'a>(file: &'a [u8], mut message: Bytes<'_>) -> Option<&'a [u8]> {
    let (address, length) = (message.number(8)?, message.number(8)?);
    let block = file.get(address..address.checked_add(length)?)?;
    // A signature before, a checksum behind.
    block
        .strip_prefix(b"OCHK")?
        .split_last_chunk::<4>()
        .map(|(messages, _)| messages)
}

fn shape(message: &mut Bytes<'_>) -> Option<Vec<usize>> {
    let version = message.number(1)?;
    let rank = message.number(1)?;
    message.take(if version == 1 { 6 } else { 2 })?;
    (0..rank).map(|_| message.number(8)).collect()
}

/// `Some(None)` for what is no plain number: texts and references.
fn format(message: &mut Bytes<'_>) -> Option<Option<Format>> {
    let class = message.number(1)? & 15;
    let bits = message.number(3)?;
    let size = message.number(4)?;
    let (_, precision) = (message.number(2), message.number(2));
    let known = matches!((class, size), (1, 4 | 8) | (0, 1 | 2 | 4 | 8));
    Some((known && precision == Some(8 * size)).then_some(Format {
        float: class == 1,
        size,
        swapped: bits & 1 != 0,
    }))
}

/// `Some(None)` for a storage that is not known.
fn layout(message: &mut Bytes<'_>) -> Option<Option<Layout>> {
    let version = message.number(1)?;
    let class = message.number(1)?;
    let found = match (version, class) {
        (3 | 4, 0) => {
            let size = message.number(2)?;
            Layout::Here(message.take(size)?.to_vec())
        }
        (3 | 4, 1) => Layout::Whole(message.number(8)?, message.number(8)?),
        (3, 2) => {
            let rank = message.number(1)?;
            let address = message.number(8)?;
            let chunk: Option<Vec<usize>> = (0..rank).map(|_| message.number(4)).collect();
            Layout::Tree(address, chunk?)
        }
        (4, 2) => {
            let flags = message.number(1)?;
            let rank = message.number(1)?;
            let width = message.number(1)?;
            let chunk: Option<Vec<usize>> = (0..rank).map(|_| message.number(width)).collect();
            let chunk = chunk?;
            if message.number(1)? != 1 {
                return Some(None);
            }
            let length = if flags & 2 != 0 {
                let length = message.number(8)?;
                message.take(4)?;
                length
            } else {
                chunk.iter().try_fold(1, |n: usize, m| n.checked_mul(*m))?
            };
            Layout::One(message.number(8)?, length, chunk)
        }
        _ => return Some(None),
    };
    Some(Some(found))
}

fn filters(message: &mut Bytes<'_>) -> Option<Vec<u16>> {
    let version = message.number(1)?;
    let count = message.number(1)?;
    if version == 1 {
        message.take(6)?;
    }
    let filter = |_| {
        let id = message.number(2)?;
        let name = if version == 1 || id >= 256 {
            message.number(2)?
        } else {
            0
        };
        message.take(2)?;
        let values = message.number(2)?;
        message.take(if version == 1 {
            name.next_multiple_of(8)
        } else {
            name
        })?;
        message.take(
            4 * (if version == 1 {
                values.next_multiple_of(2)
            } else {
                values
            }),
        )?;
        u16::try_from(id).ok()
    };
    (0..count).map(filter).collect()
}

/// An attribute that is a text of fixed length; none for any other.
fn text(message: &mut Bytes<'_>) -> Option<(String, String)> {
    let version = message.number(1)?;
    message.take(1)?;
    let sizes = [message.number(2)?, message.number(2)?, message.number(2)?];
    if version == 3 {
        message.take(1)?;
    }
    let padded = sizes.map(|size| {
        if version == 1 {
            size.next_multiple_of(8)
        } else {
            size
        }
    });
    let name = message.take(padded[0])?;
    let kind = message.take(padded[1])?;
    message.take(padded[2])?;
    if kind.first()? & 15 != 3 {
        return None;
    }
    let plain = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.trim_end_matches('\0').trim().to_owned()
    };
    Some((plain(name), plain(message.0).to_lowercase()))
}

/// The chunks of a variable on their way to its bytes.
struct Chunks<'a> {
    file: &'a [u8],
    shape: Vec<usize>,
    chunk: Vec<usize>,
    size: usize,
    filters: Vec<u16>,
    /// How many there can be at most; a tree that has more goes in circles.
    left: usize,
    /// How many nodes the file has room for.
    nodes: usize,
    bytes: Vec<u8>,
}

impl<'a> Chunks<'a> {
    fn new(
        variable: &Variable,
        file: &'a [u8],
        mut chunk: Vec<usize>,
        size: usize,
    ) -> Option<Chunks<'a>> {
        if chunk.pop()? != size || chunk.len() != variable.shape.len() || chunk.contains(&0) {
            return None;
        }
        let count = variable.shape.iter().zip(&chunk);
        Some(Chunks {
            file,
            left: count.fold(1_usize, |n, (shape, chunk)| {
                n.saturating_mul(shape.div_ceil(*chunk))
            }),
            nodes: file.len() / 32,
            shape: variable.shape.clone(),
            chunk,
            size,
            filters: variable.filters.clone(),
            bytes: Vec::new(),
        })
    }

    /// Visits a node of the tree; `level` is that of the node above.
    fn walk(&mut self, address: usize, above: Option<usize>) -> Option<()> {
        let mut node = Bytes(self.file.get(address..)?);
        if node.take(4)? != b"TREE" || node.number(1)? != 1 {
            return None;
        }
        let level = node.number(1)?;
        if above.is_some_and(|above| level + 1 != above) {
            return None;
        }
        let entries = node.number(2)?;
        node.take(16)?;
        for _ in 0..entries {
            let length = node.number(4)?;
            let skipped = node.number(4)?;
            let rank = self.shape.len();
            let start: Option<Vec<usize>> = (0..rank).map(|_| node.number(8)).collect();
            node.take(8)?;
            let child = node.number(8)?;
            if level > 0 {
                self.nodes = self.nodes.checked_sub(1)?;
                self.walk(child, Some(level))?;
            } else if skipped != 0 {
                return None;
            } else {
                self.left = self.left.checked_sub(1)?;
                self.place(child, length, &start?)?;
            }
        }
        Some(())
    }

    /// Unpacks a chunk and copies what of it lies within the variable.
    fn place(&mut self, address: usize, length: usize, start: &[usize]) -> Option<()> {
        let full = self
            .chunk
            .iter()
            .try_fold(self.size, |n, m| n.checked_mul(*m));
        let full = full.filter(|full| *full <= LARGEST)?;
        let mut data = self
            .file
            .get(address..address.checked_add(length)?)?
            .to_vec();
        for filter in self.filters.iter().rev() {
            data = match filter {
                1 => decompress_to_vec_zlib_with_limit(&data, full + 4).ok()?,
                2 => unshuffled(&data, self.size),
                // The checksum itself is not looked at.
                3 => data.split_last_chunk::<4>()?.0.to_vec(),
                _ => return None,
            };
        }
        if data.len() != full {
            return None;
        }
        // Row by row of the last dimension.
        let rank = self.shape.len();
        let Some(last) = rank.checked_sub(1) else {
            self.bytes.copy_from_slice(&data);
            return Some(());
        };
        let row = self.chunk[last] * self.size;
        let kept = self.shape[last]
            .checked_sub(start[last])?
            .min(self.chunk[last])
            * self.size;
        for (index, from) in data.chunks_exact(row).enumerate() {
            let (mut rest, mut to, mut stride, mut inside) = (index, 0, self.shape[last], true);
            for axis in (0..last).rev() {
                let place = start[axis].checked_add(rest % self.chunk[axis])?;
                rest /= self.chunk[axis];
                inside &= place < self.shape[axis];
                to += if inside { place * stride } else { 0 };
                stride *= self.shape[axis];
            }
            if inside {
                let to = (to + start[last]) * self.size;
                self.bytes
                    .get_mut(to..to + kept)?
                    .copy_from_slice(&from[..kept]);
            }
        }
        Some(())
    }
}

/// Undoes the shuffle filter: first bytes of all numbers, then their second bytes, and so on.
fn unshuffled(data: &[u8], size: usize) -> Vec<u8> {
    let count = data.len() / size;
    let mut plain = data.to_vec();
    for (place, byte) in data[..count * size].iter().enumerate() {
        plain[place % count * size + place / count] = *byte;
    }
    plain
}
