//! Little-endian numbers out of bytes.

use super::{Fault, Found};

/// What is left to read; broken where it ends too early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn take(&mut self, count: usize) -> Found<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count).ok_or(Fault::Broken)?;
        self.0 = rest;
        Ok(first)
    }

    pub fn skip(&mut self, count: usize) -> Found<()> {
        self.take(count).map(|_| ())
    }

    pub fn byte(&mut self) -> Found<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// A number of up to 8 bytes, as an address.
    pub fn address(&mut self, size: usize) -> Found<u64> {
        let mut wide = [0; 8];
        wide.get_mut(..size)
            .ok_or(Fault::Broken)?
            .copy_from_slice(self.take(size)?);
        Ok(u64::from_le_bytes(wide))
    }

    /// A number of 8 bytes.
    pub fn wide(&mut self) -> Found<u64> {
        self.address(8)
    }

    /// A number of up to 8 bytes, as a count.
    pub fn number(&mut self, size: usize) -> Found<usize> {
        usize::try_from(self.address(size)?).map_err(|_| Fault::Broken)
    }
}

/// The whole binary logarithm; 0 of 0.
pub(super) fn log2(number: usize) -> usize {
    number.checked_ilog2().unwrap_or(0) as usize
}

/// Bytes that numbers up to this one take.
pub(super) fn width(largest: usize) -> usize {
    log2(largest) / 8 + 1
}

/// Words of old structures are padded to 8 bytes.
pub(super) fn padded(size: usize) -> usize {
    size.saturating_add(7) & !7
}

/// A text without what pads it.
pub(super) fn plain(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
    text.trim().to_owned()
}
