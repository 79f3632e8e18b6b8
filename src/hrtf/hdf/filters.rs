//! What chunks are packed with (section IV.A.2.l), undone.

use super::bytes::{Bytes, padded};
use super::{Fault, Found, unknown};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

/// One way of packing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Filter {
    Deflate,
    /// First bytes of all numbers of so many bytes, then their second bytes, and so on.
    Shuffle,
    /// Fletcher's checksum behind.
    Checksum,
}

/// The filters of a variable, in the order in which they were applied.
#[derive(Debug, Clone, Default)]
pub(super) struct Filters(Vec<Filter>);

impl Filters {
    pub fn parse(mut message: Bytes<'_>) -> Found<Filters> {
        let version = message.byte()?;
        let count = message.byte()?;
        match version {
            1 => message.skip(6)?,
            2 => {}
            _ => return unknown("filters of an unknown version"),
        }
        let mut filters = Vec::new();
        for _ in 0..count {
            let id = message.number(2)?;
            let name = if version == 1 || id >= 256 {
                message.number(2)?
            } else {
                0
            };
            message.skip(2)?;
            let values = message.number(2)?;
            message.skip(if version == 1 { padded(name) } else { name })?;
            let odd = version == 1 && values % 2 == 1;
            message.skip(4 * (values + usize::from(odd)))?;
            filters.push(match id {
                1 => Filter::Deflate,
                2 => Filter::Shuffle,
                3 => Filter::Checksum,
                4 => return unknown("packed with szip"),
                5 => return unknown("packed with nbit"),
                6 => return unknown("packed with scale-offset"),
                307 => return unknown("packed with bzip2"),
                32_001 => return unknown("packed with blosc"),
                32_015 => return unknown("packed with zstandard"),
                _ => return unknown(format!("packed with the HDF5 filter {id}")),
            });
        }
        Ok(Filters(filters))
    }

    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Unpacks a chunk of `full` bytes of numbers of `size`; filters whose bits are set in `skipped` were
    /// left out.
    pub fn undo(&self, packed: &[u8], skipped: u32, full: usize, size: usize) -> Found<Vec<u8>> {
        let mut data = packed.to_vec();
        for (index, filter) in self.0.iter().enumerate().rev() {
            if skipped.checked_shr(index as u32).unwrap_or(0) & 1 == 1 {
                continue;
            }
            data = match filter {
                Filter::Deflate => {
                    decompress_to_vec_zlib_with_limit(&data, full + 4).map_err(|_| Fault::Broken)?
                }
                Filter::Shuffle => unshuffled(&data, size),
                Filter::Checksum => {
                    let (data, sum) = data.split_last_chunk::<4>().ok_or(Fault::Broken)?;
                    let sum = u32::from_le_bytes(*sum);
                    let due = fletcher(data);
                    // Until version 1.6.3 bytes were swapped in each half.
                    let old = due.to_be().rotate_left(16);
                    if sum != due && sum.to_le() != old {
                        return Err(Fault::Broken);
                    }
                    data.to_vec()
                }
            };
        }
        if data.len() == full {
            Ok(data)
        } else {
            Err(Fault::Broken)
        }
    }
}

fn unshuffled(data: &[u8], size: usize) -> Vec<u8> {
    let count = data.len() / size;
    let mut plain = data.to_vec();
    // Number by number: what is written stays in one place, and so many rows are read at a time with ease.
    for (number, bytes) in plain.chunks_exact_mut(size).enumerate() {
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = data[place * count + number];
        }
    }
    plain
}

/// Fletcher's checksum of 32 bits over words of which the first byte is the most significant (Fletcher 1982),
/// an odd last byte as the upper half of one.
fn fletcher(data: &[u8]) -> u32 {
    let (mut first, mut second) = (0u32, 0u32);
    // So many words do not overflow.
    for words in data.chunks(720) {
        for word in words.chunks(2) {
            let low = word.get(1).copied().unwrap_or(0);
            first += u32::from(word[0]) << 8 | u32::from(low);
            second += first;
        }
        first = (first & 0xffff) + (first >> 16);
        second = (second & 0xffff) + (second >> 16);
    }
    first = (first & 0xffff) + (first >> 16);
    second = (second & 0xffff) + (second >> 16);
    second << 16 | first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_fletchers() {
        assert_eq!(fletcher(b"abcde"), by_hand(b"abcde"));
        assert_eq!(fletcher(&[]), 0);
        let long: Vec<u8> = (0..5000u32).map(|n| (n * 7 % 251) as u8).collect();
        assert_eq!(fletcher(&long), by_hand(&long));
    }

    /// Sums modulo 65535 in wide numbers; zero is written as 65535 unless all is.
    fn by_hand(data: &[u8]) -> u32 {
        let (mut first, mut second) = (0u64, 0u64);
        for word in data.chunks(2) {
            let low = word.get(1).copied().unwrap_or(0);
            first += u64::from(word[0]) * 256 + u64::from(low);
            second += first;
        }
        let folded = |x: u64| {
            if x == 0 { 0 } else { (x - 1) % 65_535 + 1 }
        };
        (folded(second) << 16 | folded(first)) as u32
    }

    #[test]
    fn bytes_are_put_back() {
        assert_eq!(unshuffled(b"adbecf", 3), b"abcdef");
        assert_eq!(unshuffled(b"adbecf!", 3), b"abcdef!");
        assert_eq!(unshuffled(b"", 3), b"");
    }
}
