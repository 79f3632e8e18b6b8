//! Writing FLAC of 16 or 24 bits, streamed: each block is encoded as it is full, and the description of the stream
//! at the beginning is written once more at the end.

use super::tags::Tags;
use super::target::Target;
use super::wav::{SampleFormat, WavError, WavProblem};
use flac_codec::encode::{FlacStreamWriter, Options};
use md5::Context;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Frames of a block.
const BLOCK: usize = 4096;

/// Channels that FLAC has room for.
const CHANNELS: usize = 8;

/// Most frames that the description of a stream can count.
const LONGEST: u64 = (1 << 36) - 1;

/// What the encoder has put out of the block at hand.
#[derive(Clone, Default)]
struct Encoded(Arc<Mutex<Vec<u8>>>);

impl Encoded {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Encoded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A FLAC file that is being written.
pub struct FlacWriter {
    target: Target,
    format: SampleFormat,
    channels: usize,
    rate: u32,
    tags: Tags,
    encoder: FlacStreamWriter<Encoded>,
    encoded: Encoded,
    digest: Context,
    /// Interleaved samples of the block that is being filled.
    waiting: Vec<i32>,
    blocks: usize,
    smallest: usize,
    largest: usize,
    frames: u64,
    clipped: u64,
}

impl FlacWriter {
    /// Starts a file of `channels` channels at `rate` hertz that will be `path`.
    ///
    /// # Errors
    /// [`WavError`], before anything is written, where FLAC has no such format or the name cannot be written to.
    pub fn create(
        path: &Path,
        channels: usize,
        rate: u32,
        format: SampleFormat,
        tags: Tags,
    ) -> Result<FlacWriter, WavError> {
        let fail = |problem| WavError {
            path: path.to_owned(),
            problem,
        };
        if format == SampleFormat::Float32 {
            return Err(fail(WavProblem::NoFloats));
        }
        if !(1..=CHANNELS).contains(&channels) || !names(rate) {
            return Err(fail(WavProblem::NoFlac { channels, rate }));
        }
        let encoded = Encoded::default();
        // No checks of the whole, no table, no room for either: each block goes as it is full.
        let options = Options::default().no_padding().no_seektable();
        let mut writer = FlacWriter {
            target: Target::create(path, "wav")?,
            format,
            channels,
            rate,
            tags,
            encoder: FlacStreamWriter::new(encoded.clone(), options),
            encoded,
            digest: Context::new(),
            waiting: Vec::with_capacity(BLOCK * channels),
            blocks: 0,
            smallest: 0,
            largest: 0,
            frames: 0,
            clipped: 0,
        };
        let header = writer.header();
        writer.target.attempt(|file| file.write_all(&header))?;
        Ok(writer)
    }

    /// Samples so far that were beyond full scale and were cut off there.
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The error to end with when the user stops what writes this file.
    pub fn interrupted(&self) -> WavError {
        self.target.interrupted()
    }

    /// Appends one chunk: a slice per channel, all of the same length.
    ///
    /// # Errors
    /// [`WavError`] where the system refuses (a full disk).
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WavError> {
        debug_assert_eq!(channels.len(), self.channels);
        let frames = channels.iter().map(|channel| channel.len()).min();
        for n in 0..frames.unwrap_or(0) {
            for (number, channel) in channels.iter().enumerate() {
                let place = self.frames * self.channels as u64 + number as u64;
                let (value, is_beyond) = self.format.quantised(channel[n], place);
                self.clipped += u64::from(is_beyond);
                self.waiting.push(value);
            }
            self.frames += 1;
            if self.waiting.len() == BLOCK * self.channels {
                self.block()?;
            }
        }
        Ok(())
    }

    /// Encodes what waits.
    fn block(&mut self) -> Result<(), WavError> {
        if self.frames > LONGEST {
            return Err(self.target.error(WavProblem::Io(io::Error::other(
                "it is longer than FLAC can count; write WAV",
            ))));
        }
        let bits = 8 * u32::from(self.format.bytes());
        for sample in &self.waiting {
            self.digest
                .consume(&sample.to_le_bytes()[..usize::from(self.format.bytes())]);
        }
        let done = self
            .encoder
            .write(self.rate, self.channels as u8, bits, &self.waiting);
        self.waiting.clear();
        done.map_err(|error| {
            let what = format!("the FLAC encoder refuses: {error}");
            self.target.error(WavProblem::Io(io::Error::other(what)))
        })?;
        let bytes = self.encoded.take();
        self.smallest = match self.blocks {
            0 => bytes.len(),
            _ => self.smallest.min(bytes.len()),
        };
        self.largest = self.largest.max(bytes.len());
        self.blocks += 1;
        self.target.attempt(|file| file.write_all(&bytes))
    }

    /// Completes the description of the stream and gives the file its name, replacing what had it.
    ///
    /// # Errors
    /// [`WavError`]; the temporary file is gone then.
    pub fn finish(mut self) -> Result<(), WavError> {
        if !self.waiting.is_empty() {
            self.block()?;
        }
        let header = self.header();
        self.target.attempt(|file| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&header)?;
            file.flush()
        })?;
        self.target.finish()
    }

    /// `fLaC`, the description of the stream (RFC 9639, 8.2) and the comment.
    fn header(&self) -> Vec<u8> {
        const LAST: u8 = 0x80;
        const COMMENT: u8 = 4;
        let size = |value: usize| value.min((1 << 24) - 1).to_be_bytes();
        let mut header = b"fLaC".to_vec();
        header.extend([0, 0, 0, 34]);
        for _ in 0..2 {
            header.extend((BLOCK as u16).to_be_bytes());
        }
        for bytes in [self.smallest, self.largest] {
            header.extend(&size(bytes)[std::mem::size_of::<usize>() - 3..]);
        }
        let bits = 8 * u64::from(self.format.bytes());
        let packed = u64::from(self.rate) << 44
            | (self.channels as u64 - 1) << 41
            | (bits - 1) << 36
            | self.frames;
        header.extend(packed.to_be_bytes());
        header.extend(self.digest.clone().finalize().0);
        let comment = self.tags.comment();
        header.push(LAST | COMMENT);
        header.extend(&size(comment.len())[std::mem::size_of::<usize>() - 3..]);
        header.extend(comment);
        header
    }
}

/// Whether the blocks of a FLAC file can name a rate (RFC 9639, 9.1.2): in hertz, tens of hertz or kilohertz.
fn names(rate: u32) -> bool {
    let words = u32::from(u16::MAX);
    rate > 0
        && (rate <= words
            || rate.is_multiple_of(10) && rate / 10 <= words
            || rate.is_multiple_of(1000) && rate / 1000 <= u32::from(u8::MAX))
}
