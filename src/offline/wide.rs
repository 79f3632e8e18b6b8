//! WAV and RF64 files of more than eight channels, which the decoder library does not read: ambisonic buses.
//!
//! Channel masks are ignored: buses have none, and writers that must write one write anything.

use super::decode::{DecodeError, DecodeProblem, Source};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// More channels than the decoder library is asked for.
const NARROW: usize = 8;

/// How a sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Int16,
    Int24,
    Int32,
    Float32,
    Float64,
}

impl Coding {
    /// From the format tag (that of the sub-format where there is one) and bits.
    fn new(tag: u16, bits: u16) -> Option<Coding> {
        match (tag, bits) {
            (1, 16) => Some(Coding::Int16),
            (1, 24) => Some(Coding::Int24),
            (1, 32) => Some(Coding::Int32),
            (3, 32) => Some(Coding::Float32),
            (3, 64) => Some(Coding::Float64),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Coding::Int16 => 2,
            Coding::Int24 => 3,
            Coding::Int32 | Coding::Float32 => 4,
            Coding::Float64 => 8,
        }
    }

    /// A sample of as many bytes; silence for any other number.
    fn sample(self, bytes: &[u8]) -> f32 {
        let scale = |x: i32| (f64::from(x) / 2_147_483_648.0) as f32;
        match (self, bytes) {
            (Coding::Int16, &[a, b]) => scale(i32::from_le_bytes([0, 0, a, b])),
            (Coding::Int24, &[a, b, c]) => scale(i32::from_le_bytes([0, a, b, c])),
            (Coding::Int32, &[a, b, c, d]) => scale(i32::from_le_bytes([a, b, c, d])),
            (Coding::Float32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Coding::Float64, bytes) => bytes
                .try_into()
                .map_or(0.0, |bytes| f64::from_le_bytes(bytes) as f32),
            _ => 0.0,
        }
    }
}

/// A wide WAV file.
pub struct WideWav {
    path: PathBuf,
    file: BufReader<File>,
    rate: u32,
    channels: usize,
    coding: Coding,
    frames: u64,
    done: u64,
    bytes: Vec<u8>,
}

/// What the `fmt ` chunk says.
struct Format {
    channels: usize,
    rate: u32,
    coding: Option<Coding>,
}

impl WideWav {
    /// Opens a file, if it is a WAV or RF64 file of more than eight channels.
    ///
    /// # Errors
    /// [`DecodeError`] where such a file is damaged, or of samples that are not read.
    pub fn open(path: &Path) -> Result<Option<WideWav>, DecodeError> {
        let fail = |problem| DecodeError {
            path: path.to_owned(),
            problem,
        };
        // What cannot be opened is said by who opens it otherwise.
        let Ok(file) = crate::file::plain(path).and_then(|_| File::open(path)) else {
            return Ok(None);
        };
        let mut file = BufReader::new(file);
        let mut head = [0; 12];
        if file.read_exact(&mut head).is_err()
            || !matches!(&head[..4], b"RIFF" | b"RF64")
            || &head[8..] != b"WAVE"
        {
            return Ok(None);
        }
        let is_unsized = head[4..8] == [0; 4];
        let whole = file.get_ref().metadata().map_or(0, |about| about.len());
        let (mut format, mut long) = (None::<Format>, None);
        loop {
            let mut head = [0; 8];
            if file.read_exact(&mut head).is_err() {
                return Ok(None);
            }
            let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            let Ok(start) = file.stream_position() else {
                return Ok(None);
            };
            match &head[..4] {
                b"ds64" => {
                    let mut sizes = [0; 16];
                    let full = file.read_exact(&mut sizes).is_ok();
                    long = full.then(|| sizes[8..].try_into().map_or(0, u64::from_le_bytes));
                }
                b"fmt " => {
                    let mut bytes = [0; 40];
                    let length = (size as usize).min(bytes.len());
                    if length < 16 || file.read_exact(&mut bytes[..length]).is_err() {
                        return Ok(None);
                    }
                    format = Some(read_format(&bytes[..length]));
                }
                b"data" => {
                    let Some(format) = format else {
                        return Ok(None);
                    };
                    if format.channels <= NARROW {
                        return Ok(None);
                    }
                    let coding = format.coding.ok_or_else(|| {
                        let what = "samples that are neither 16, 24 or 32 bits nor floats";
                        fail(DecodeProblem::Unsupported(what))
                    })?;
                    if !(1..=10_000_000).contains(&format.rate) {
                        return Err(fail(DecodeProblem::Rate(format.rate)));
                    }
                    let bytes = match (size, long) {
                        (u32::MAX, Some(long)) => long,
                        // Of a recorder that never came to writing sizes.
                        (0, None) if is_unsized => whole.saturating_sub(start),
                        (size, _) => u64::from(size),
                    };
                    let frame = (format.channels * coding.bytes()) as u64;
                    return Ok(Some(WideWav {
                        path: path.to_owned(),
                        file,
                        rate: format.rate,
                        channels: format.channels,
                        coding,
                        frames: bytes / frame,
                        done: 0,
                        bytes: Vec::new(),
                    }));
                }
                _ => {}
            }
            // Chunks start on even bytes.
            let next = start + u64::from(size) + u64::from(size & 1);
            if file.seek(SeekFrom::Start(next)).is_err() {
                return Ok(None);
            }
        }
    }
}

/// Reads at least the 16 bytes that every format has.
fn read_format(bytes: &[u8]) -> Format {
    let short = |at: usize| match bytes.get(at..at + 2) {
        Some(&[a, b]) => u16::from_le_bytes([a, b]),
        _ => 0,
    };
    let tag = match short(0) {
        // An extensible format: the tag is the beginning of the sub-format.
        0xfffe => short(24),
        tag => tag,
    };
    Format {
        channels: usize::from(short(2)),
        rate: u32::from(short(4)) | u32::from(short(6)) << 16,
        coding: Coding::new(tag, short(14)),
    }
}

impl Source for WideWav {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
        let wanted = channels.first().map_or(0, |channel| channel.len() as u64);
        let count = wanted.min(self.frames - self.done) as usize;
        let (size, frame) = (self.coding.bytes(), self.channels * self.coding.bytes());
        self.bytes.resize(count * frame, 0);
        if let Err(error) = self.file.read_exact(&mut self.bytes) {
            let missing = (self.frames - self.done) as f64 / f64::from(self.rate);
            let problem = match error.kind() {
                ErrorKind::UnexpectedEof => DecodeProblem::Damaged {
                    seconds: self.done as f64 / f64::from(self.rate),
                    what: format!("it ends within the next {missing:.3} s, too early"),
                },
                _ => DecodeProblem::Unreadable(error),
            };
            return Err(DecodeError {
                path: self.path.clone(),
                problem,
            });
        }
        for (number, channel) in channels.iter_mut().enumerate() {
            let at = number * size;
            for (sample, bytes) in channel.iter_mut().zip(self.bytes.chunks_exact(frame)) {
                let bytes = bytes.get(at..at + size).unwrap_or_default();
                *sample = self.coding.sample(bytes);
            }
        }
        self.done += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of 25 channels and 3 frames in a coding, plain or extensible with a mask that means nothing.
    fn wav(tag: u16, bits: u16, is_extensible: bool, samples: &[u8]) -> Vec<u8> {
        let channels = 25u16;
        let block = channels * bits / 8;
        let mut format = Vec::new();
        format.extend(if is_extensible { 0xfffe } else { tag }.to_le_bytes());
        format.extend(channels.to_le_bytes());
        format.extend(48_000u32.to_le_bytes());
        format.extend((48_000 * u32::from(block)).to_le_bytes());
        format.extend(block.to_le_bytes());
        format.extend(bits.to_le_bytes());
        if is_extensible {
            format.extend(22u16.to_le_bytes());
            format.extend(bits.to_le_bytes());
            format.extend(0xffff_ffff_u32.to_le_bytes());
            format.extend(tag.to_le_bytes());
            format.extend([0; 14]);
        }
        let mut file = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
        file.extend((format.len() as u32).to_le_bytes());
        file.extend(format);
        file.extend(b"data");
        file.extend((samples.len() as u32).to_le_bytes());
        file.extend(samples);
        file
    }

    #[test]
    fn every_coding_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wide.wav");
        let value = |n: usize| (n as f64 - 37.0) / 64.0;
        type Bytes = fn(f64) -> Vec<u8>;
        let codings: [(u16, u16, Bytes); 5] = [
            (1, 16, |x| ((x * 32_768.0) as i16).to_le_bytes().to_vec()),
            (1, 24, |x| {
                ((x * 8_388_608.0) as i32).to_le_bytes()[..3].to_vec()
            }),
            (1, 32, |x| {
                ((x * 2_147_483_648.0) as i32).to_le_bytes().to_vec()
            }),
            (3, 32, |x| (x as f32).to_le_bytes().to_vec()),
            (3, 64, |x| x.to_le_bytes().to_vec()),
        ];
        for (tag, bits, bytes) in codings {
            let samples: Vec<u8> = (0..75).flat_map(|n| bytes(value(n))).collect();
            for is_extensible in [false, true] {
                std::fs::write(&path, wav(tag, bits, is_extensible, &samples)).unwrap();
                let mut wide = WideWav::open(&path).unwrap().unwrap();
                assert_eq!((wide.channels(), wide.frames()), (25, Some(3)));
                let mut out = vec![vec![9.0; 5]; 26];
                let mut slices: Vec<&mut [f32]> = out.iter_mut().map(Vec::as_mut_slice).collect();
                assert_eq!(wide.read(&mut slices).unwrap(), 3);
                for (n, channel) in out.iter().enumerate().take(25) {
                    for (frame, sample) in channel.iter().enumerate().take(3) {
                        assert_eq!(*sample, value(frame * 25 + n) as f32, "{tag} {bits}");
                    }
                }
                assert_eq!(out[25][..3], [0.0; 3]);
                // Cut off in the middle of a frame.
                let file = wav(tag, bits, is_extensible, &samples);
                std::fs::write(&path, &file[..file.len() - 1]).unwrap();
                let mut wide = WideWav::open(&path).unwrap().unwrap();
                let mut slices: Vec<&mut [f32]> = out.iter_mut().map(Vec::as_mut_slice).collect();
                assert!(wide.read(&mut slices).is_err());
            }
        }
        std::fs::write(&path, wav(7, 8, false, &[0; 75])).unwrap();
        assert!(WideWav::open(&path).is_err());
    }

    #[test]
    fn other_files_are_left_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        assert!(WideWav::open(&path).unwrap().is_none());
        for bytes in [
            &b""[..],
            b"RIFF",
            b"RIFF....WAVE",
            b"fLaC............",
            b"RIFF....WAVEdata.....",
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert!(WideWav::open(&path).unwrap().is_none());
        }
    }
}
