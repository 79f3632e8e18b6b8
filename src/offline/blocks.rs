//! How a stream is cut into blocks, and the stream that is cut.

use super::decode::{DecodeError, Source};
use std::fmt;
use std::str::FromStr;

/// The largest block that can be asked for, in frames.
const LARGEST_BLOCK: usize = 1 << 20;

/// The largest block of a random series, in frames.
const LARGEST_RANDOM: u64 = 1024;

/// How the stream is cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockSize {
    /// Always so many frames, the last block fewer.
    Frames(usize),
    /// Sizes of 1 to 1024 frames, evenly distributed; the same series for the same seed.
    Random(u64),
}

/// Why a block size was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockError(String);

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlockError(text) = self;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                let nearest = (number.round().max(1.0) as usize).min(LARGEST_BLOCK);
                write!(
                    f,
                    "block: {text} is not a whole number of frames from 1 to {LARGEST_BLOCK}; \
                     the nearest valid value is {nearest}"
                )
            }
            _ => write!(
                f,
                "block: \"{text}\" is neither a number of frames nor random:SEED; \
                 write for example \"512\" or \"random:1\""
            ),
        }
    }
}

impl std::error::Error for BlockError {}

impl FromStr for BlockSize {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<BlockSize, BlockError> {
        let refused = || BlockError(text.to_owned());
        match text.strip_prefix("random:") {
            Some(seed) => seed.parse().map(BlockSize::Random).map_err(|_| refused()),
            None => text
                .parse()
                .ok()
                .filter(|frames| (1..=LARGEST_BLOCK).contains(frames))
                .map(BlockSize::Frames)
                .ok_or_else(refused),
        }
    }
}

impl BlockSize {
    /// The sizes of the blocks, one after the other.
    pub fn blocks(self) -> Blocks {
        Blocks {
            size: self,
            state: if let BlockSize::Random(seed) = self {
                seed
            } else {
                0
            },
        }
    }

    /// The largest of them.
    pub fn largest(self) -> usize {
        match self {
            BlockSize::Frames(frames) => frames.max(1),
            BlockSize::Random(_) => LARGEST_RANDOM as usize,
        }
    }
}

/// An endless series of block sizes in frames, each at least 1.
#[derive(Debug, Clone)]
pub struct Blocks {
    size: BlockSize,
    state: u64,
}

impl Iterator for Blocks {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        Some(match self.size {
            BlockSize::Frames(frames) => frames.max(1),
            BlockSize::Random(_) => {
                // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
                self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                ((z ^ (z >> 31)) % LARGEST_RANDOM) as usize + 1
            }
        })
    }
}

/// A source and the silence after it, block by block.
pub(super) struct Stream<'a> {
    source: &'a mut dyn Source,
    blocks: Blocks,
    channels: Vec<Vec<f32>>,
    ended: bool,
    /// Frames of silence that are left.
    tail: u64,
}

impl<'a> Stream<'a> {
    /// Cuts `source` and `tail` seconds of silence after it, as so many channels.
    pub fn new(
        source: &'a mut dyn Source,
        channels: usize,
        block: BlockSize,
        tail: f64,
    ) -> Stream<'a> {
        let tail = (tail * f64::from(source.rate())).round() as u64;
        Stream {
            source,
            blocks: block.blocks(),
            channels: vec![vec![0.0; block.largest()]; channels],
            ended: false,
            tail,
        }
    }

    /// The next block, at least one frame long; `None` at the end.
    ///
    /// # Errors
    /// Those of the source.
    pub fn next_block(&mut self) -> Result<Option<Vec<&mut [f32]>>, DecodeError> {
        let size = self.blocks.next().unwrap_or(1);
        let mut channels: Vec<&mut [f32]> = self
            .channels
            .iter_mut()
            .map(|channel| &mut channel[..size])
            .collect();
        let mut frames = 0;
        if !self.ended {
            frames = self.source.read(&mut channels)?;
            self.ended = frames < size;
        }
        let silent = self.tail.min((size - frames) as u64) as usize;
        for channel in &mut channels {
            channel[frames..frames + silent].fill(0.0);
        }
        self.tail -= silent as u64;
        frames += silent;
        Ok((frames > 0).then(|| {
            let all = channels.into_iter();
            all.map(|channel| &mut channel[..frames]).collect()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_are_read_or_refused_by_name() {
        assert_eq!("64".parse(), Ok(BlockSize::Frames(64)));
        assert_eq!("random:7".parse(), Ok(BlockSize::Random(7)));
        for (text, says) in [
            ("0", "nearest valid value is 1"),
            ("-3", "nearest valid value is 1"),
            ("1.5", "nearest valid value is 2"),
            ("99999999", "nearest valid value is 1048576"),
            ("random", "random:SEED"),
            ("random:x", "random:SEED"),
            ("", "random:SEED"),
        ] {
            let error = text.parse::<BlockSize>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn random_blocks_repeat_by_seed_and_span_the_range() {
        let series =
            |seed| -> Vec<usize> { BlockSize::Random(seed).blocks().take(20_000).collect() };
        assert_eq!(series(1), series(1));
        assert_ne!(series(1), series(2));
        assert_eq!(series(3).iter().min(), Some(&1));
        assert_eq!(series(3).iter().max(), Some(&1024));
    }
}
