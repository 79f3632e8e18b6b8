//! Samples in blocks of 16: a byte with the number of bits of a sample, and the samples in units of a step, as two's
//! complement of so many bits, lowest bit first.

/// Samples of a block.
const BLOCK: usize = 16;

/// Appends samples.
pub fn put(bytes: &mut Vec<u8>, samples: &[f32], step: f32) {
    for block in samples.chunks(BLOCK) {
        let steps: Vec<i32> = block.iter().map(|x| (x / step).round() as i32).collect();
        let bits = |x: i32| {
            if x < 0 {
                33 - (!x).leading_zeros()
            } else {
                33 - x.leading_zeros()
            }
        };
        let width = steps.iter().map(|x| bits(*x)).max().unwrap_or(1);
        bytes.push(width as u8);
        let (mut waiting, mut filled) = (0_u64, 0);
        for x in steps {
            waiting |= (u64::from(x as u32) & ((1 << width) - 1)) << filled;
            filled += width;
            while filled >= 8 {
                bytes.push(waiting as u8);
                waiting >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            bytes.push(waiting as u8);
        }
    }
}

/// What is left to read of some bytes.
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Of all of them.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes }
    }

    /// The next bytes.
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*first)
    }

    /// The next bytes, of a number known now only.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(first)
    }

    /// A number of 16 bits.
    pub fn short(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes(self.take()?)))
    }

    /// A number of 32 bits.
    pub fn long(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).ok()
    }

    /// A number with a fraction.
    pub fn float(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.take()?))
    }

    /// Samples as [`put`] has written them.
    pub fn samples(&mut self, samples: &mut [f32], step: f32) -> Option<()> {
        for block in samples.chunks_mut(BLOCK) {
            self.block(block, step)?;
        }
        Some(())
    }

    fn block(&mut self, block: &mut [f32], step: f32) -> Option<()> {
        let [width] = self.take()?;
        let width = u32::from(width);
        if !(1..=32).contains(&width) {
            return None;
        }
        let (mut waiting, mut filled) = (0_u64, 0);
        for x in block {
            while filled < width {
                let [byte] = self.take()?;
                waiting |= u64::from(byte) << filled;
                filled += 8;
            }
            // Moved to the top and back, which extends the sign.
            let unused = 64 - width;
            let steps = ((waiting << unused) as i64) >> unused;
            *x = steps as f32 * step;
            waiting >>= width;
            filled -= width;
        }
        Some(())
    }
}
