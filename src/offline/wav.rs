//! Writing WAV of 32-bit floats or of 16 or 24-bit integers with dither, streamed; beyond 4 GiB the file becomes RF64 (EBU Tech 3306).

use super::tags::Tags;
use super::target::Target;
use std::fmt;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes before the audio: RIFF 12, JUNK or ds64 8 + 28, fmt 8 + 18, fact 8 + 4, data 8.
const HEADER: u64 = 94;

/// Largest size of a RIFF file less its first 8 bytes.
const RIFF_LIMIT: u64 = u32::MAX as u64;

/// Format tags of integer and of IEEE floating point samples.
const WAVE_FORMAT_PCM: u16 = 1;
const WAVE_FORMAT_IEEE_FLOAT: u16 = 3;

/// How samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// 16-bit integers with dither.
    Int16,
    /// 24-bit integers with dither.
    Int24,
    /// 32-bit floats, as they are.
    Float32,
}

impl SampleFormat {
    pub(super) fn bytes(self) -> u16 {
        match self {
            SampleFormat::Int16 => 2,
            SampleFormat::Int24 => 3,
            SampleFormat::Float32 => 4,
        }
    }

    /// A sample as an integer: with triangular dither of two steps (Lipshitz, Wannamaker and Vanderkooy,
    /// J. Audio Eng. Soc. 40, 1992) that depends on place alone, so that two renders are the same. Silence
    /// stays silence, and what is beyond full scale is cut off. Says whether it was; full scale itself, which is one
    /// step above the highest integer, is not beyond.
    pub(super) fn quantised(self, sample: f32, place: u64) -> (i32, bool) {
        let full = f64::from(1u32 << (8 * u32::from(self.bytes()) - 1));
        if sample == 0.0 || !sample.is_finite() {
            return (0, false);
        }
        let dither = uniform(2 * place) - uniform(2 * place + 1);
        let scaled = f64::from(sample) * full;
        let within = (scaled + dither).round().clamp(-full, full - 1.0);
        (within as i32, f64::from(sample).abs() > 1.0)
    }
}

/// A number from 0 to 1 of its own for every place: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn uniform(place: u64) -> f64 {
    let mut z = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Why an audio file could not be written.
#[derive(Debug)]
pub struct WavError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: WavProblem,
}

/// What can go wrong with an audio file that is written.
#[derive(Debug)]
pub enum WavProblem {
    /// Its folder does not exist.
    NoFolder,
    /// The name is that of something that is not a file: a folder or a device.
    NotAFile,
    /// The name ends as that of another format does.
    OtherFormat(String),
    /// A format that WAV cannot hold.
    Format {
        /// Channels.
        channels: usize,
        /// Hertz.
        rate: u32,
    },
    /// A format that FLAC cannot hold.
    NoFlac {
        /// Channels.
        channels: usize,
        /// Hertz.
        rate: u32,
    },
    /// FLAC holds integers alone.
    NoFloats,
    /// The user stopped it.
    Interrupted {
        /// A file of that name is there, from before.
        kept: bool,
    },
    /// The system refuses: permissions, a full disk.
    Io(io::Error),
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.problem {
            WavProblem::NoFolder => f.write_str("its folder does not exist; make it first"),
            WavProblem::NotAFile => {
                f.write_str("is not a file that can be written; name a new file")
            }
            WavProblem::OtherFormat(extension) => {
                write!(
                    f,
                    "only WAV and FLAC can be written, not {extension}; name it .wav or .flac"
                )
            }
            WavProblem::Format { channels, rate } => {
                write!(f, "WAV cannot hold {channels} channels at {rate} Hz")
            }
            WavProblem::NoFlac { channels, rate } => write!(
                f,
                "FLAC cannot hold {channels} channels at {rate} Hz (8 channels at most, of one of the usual rates); write WAV"
            ),
            WavProblem::NoFloats => {
                f.write_str("FLAC holds no floats; give --bits 24 or --bits 16, or write WAV")
            }
            WavProblem::Interrupted { kept: false } => {
                f.write_str("was not finished; nothing is left of it")
            }
            WavProblem::Interrupted { kept: true } => {
                f.write_str("was not finished; the file that was there is as it was")
            }
            WavProblem::Io(error) => write!(f, "cannot be written: {error}"),
        }
    }
}

impl std::error::Error for WavError {}

/// A WAV file that is being written.
pub struct WavWriter {
    target: Target,
    channels: u16,
    rate: u32,
    frames: u64,
    limit: u64,
    format: SampleFormat,
    clipped: u64,
    /// What comes after the sound.
    after: Vec<u8>,
}

impl WavWriter {
    /// Starts a file of `channels` channels at `rate` hertz that will be `path`.
    ///
    /// # Errors
    /// [`WavError`], before anything is written, where the name cannot be written to.
    pub fn create(path: &Path, channels: usize, rate: u32) -> Result<WavWriter, WavError> {
        WavWriter::create_with_limit(path, channels, rate, RIFF_LIMIT)
    }

    /// As [`WavWriter::create`], in a format.
    ///
    /// # Errors
    /// As [`WavWriter::create`].
    pub fn create_as(
        path: &Path,
        channels: usize,
        rate: u32,
        format: SampleFormat,
    ) -> Result<WavWriter, WavError> {
        let mut writer = WavWriter::create(path, channels, rate)?;
        // The header is written again at the end; it is as long in every format.
        writer.format = format;
        Ok(writer)
    }

    /// Samples so far that were beyond full scale and were cut off there; floats never are.
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// As [`WavWriter::create`], but the file becomes RF64 beyond `limit` bytes: for tests that cannot
    /// write 4 GiB. Limits above that of RIFF are lowered to it.
    ///
    /// # Errors
    /// As [`WavWriter::create`].
    pub fn create_with_limit(
        path: &Path,
        channels: usize,
        rate: u32,
        limit: u64,
    ) -> Result<WavWriter, WavError> {
        let fail = |problem| WavError {
            path: path.to_owned(),
            problem,
        };
        let bad_format = || fail(WavProblem::Format { channels, rate });
        let count = u16::try_from(channels).map_err(|_| bad_format())?;
        // Bytes per second must fit their 32-bit field.
        if count == 0
            || rate
                .checked_mul(4 * u32::from(count))
                .is_none_or(|bytes| bytes == 0)
        {
            return Err(bad_format());
        }
        let mut writer = WavWriter {
            target: Target::create(path, "flac")?,
            channels: count,
            rate,
            frames: 0,
            limit: limit.min(RIFF_LIMIT),
            format: SampleFormat::Float32,
            clipped: 0,
            after: Vec::new(),
        };
        let header = writer.header();
        writer.target.attempt(|file| file.write_all(&header))?;
        Ok(writer)
    }

    /// Appends one chunk: a slice per channel, all of the same length.
    ///
    /// # Errors
    /// [`WavError`] where the system refuses (a full disk).
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WavError> {
        debug_assert_eq!(channels.len(), usize::from(self.channels));
        let frames = channels
            .iter()
            .map(|channel| channel.len())
            .min()
            .unwrap_or(0);
        let (format, first) = (self.format, self.frames);
        let mut clipped = 0;
        self.target.attempt(|file| {
            for n in 0..frames {
                for (number, channel) in channels.iter().enumerate() {
                    if format == SampleFormat::Float32 {
                        file.write_all(&channel[n].to_le_bytes())?;
                        continue;
                    }
                    let place = (first + n as u64) * channels.len() as u64 + number as u64;
                    let (value, is_beyond) = format.quantised(channel[n], place);
                    clipped += u64::from(is_beyond);
                    file.write_all(&value.to_le_bytes()[..usize::from(format.bytes())])?;
                }
            }
            Ok(())
        })?;
        self.clipped += clipped;
        self.frames += frames as u64;
        Ok(())
    }

    /// The error to end with when the user stops what writes this file.
    pub fn interrupted(&self) -> WavError {
        self.target.interrupted()
    }

    /// Says in the file what made it.
    pub fn tag(&mut self, tags: &Tags) {
        self.after = tags.list();
    }

    /// Frames written so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Completes the header and gives the file its name, replacing what had it.
    ///
    /// # Errors
    /// [`WavError`]; the temporary file is gone then.
    pub fn finish(mut self) -> Result<(), WavError> {
        self.seal()?;
        self.target.finish()
    }

    /// Completes the header; what is left is the name.
    pub(super) fn seal(&mut self) -> Result<(), WavError> {
        let header = self.header();
        let is_odd = self.data() % 2 == 1;
        let after = std::mem::take(&mut self.after);
        self.target.attempt(|file| {
            // Chunks of RIFF begin at even places.
            if is_odd {
                file.write_all(&[0])?;
            }
            file.write_all(&after)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&header)?;
            file.flush()
        })
    }

    /// Gives the sealed file its name.
    pub(super) fn name(self) -> Result<(), WavError> {
        self.target.finish()
    }

    /// Bytes of sound so far.
    fn data(&self) -> u64 {
        self.frames * u64::from(self.format.bytes() * self.channels)
    }

    /// The header for what has been written so far.
    fn header(&self) -> Vec<u8> {
        let frame = self.format.bytes() * self.channels;
        let data = self.data();
        let riff = HEADER - 8 + data + data % 2 + self.after.len() as u64;
        let tag = match self.format {
            SampleFormat::Float32 => WAVE_FORMAT_IEEE_FLOAT,
            _ => WAVE_FORMAT_PCM,
        };
        let large = riff > self.limit;
        let short = |size: u64| if large { u32::MAX } else { size as u32 }.to_le_bytes();
        let mut header = Vec::with_capacity(HEADER as usize);
        header.extend(if large { b"RF64" } else { b"RIFF" });
        header.extend(short(riff));
        header.extend(b"WAVE");
        header.extend(if large { b"ds64" } else { b"JUNK" });
        header.extend(28u32.to_le_bytes());
        for size in [riff, data, self.frames] {
            header.extend(if large { size } else { 0 }.to_le_bytes());
        }
        // No table of further large chunks.
        header.extend(0u32.to_le_bytes());
        header.extend(b"fmt ");
        header.extend(18u32.to_le_bytes());
        header.extend(tag.to_le_bytes());
        header.extend(self.channels.to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend((self.rate * u32::from(frame)).to_le_bytes());
        header.extend(frame.to_le_bytes());
        header.extend((8 * self.format.bytes()).to_le_bytes());
        header.extend(0u16.to_le_bytes());
        header.extend(b"fact");
        header.extend(4u32.to_le_bytes());
        header.extend(short(self.frames));
        header.extend(b"data");
        header.extend(short(data));
        debug_assert_eq!(header.len() as u64, HEADER);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::{Decoder, Source};
    use super::*;
    use std::fs::{self, OpenOptions};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn integers_of_an_odd_length_are_padded_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        for (format, bytes, within) in [
            (SampleFormat::Int16, 2, 4e-5),
            (SampleFormat::Int24, 3, 2e-7),
        ] {
            let _ = fs::remove_file(&path);
            let mut wav = WavWriter::create_as(&path, 1, 48_000, format).unwrap();
            let sound: Vec<f32> = (0..1001).map(|n| n as f32 / 1001.0 - 0.5).collect();
            wav.write(&[&sound]).unwrap();
            assert_eq!(wav.clipped(), 0);
            wav.finish().unwrap();
            let size = fs::read(&path).unwrap().len() as u64;
            assert_eq!(size, HEADER + 1001 * bytes + (1001 * bytes) % 2);
            let mut decoder = Decoder::open(&path).unwrap();
            let mut read = vec![0.0; 2000];
            assert_eq!(decoder.read(&mut [&mut read[..]]).unwrap(), 1001);
            let furthest = read
                .iter()
                .zip(&sound)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            assert!(furthest < within, "{format:?}: {furthest}");
        }
    }

    #[test]
    fn full_scale_itself_is_not_beyond_it() {
        for format in [SampleFormat::Int16, SampleFormat::Int24] {
            let full = 1i32 << (8 * format.bytes() - 1);
            for place in 0..1000 {
                let (high, is_beyond) = format.quantised(1.0, place);
                assert!((full - 3..full).contains(&high) && !is_beyond);
                assert!(!format.quantised(-1.0, place).1);
                assert!(format.quantised(1.000_01, place).1);
                assert!(format.quantised(-1.000_01, place).1);
            }
        }
    }

    #[test]
    fn small_is_riff_and_large_is_rf64_and_both_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let left: Vec<f32> = (0..5000).map(|n| n as f32 / 5000.0).collect();
        let right: Vec<f32> = left.iter().map(|x| -x).collect();
        for (limit, magic) in [(RIFF_LIMIT, b"RIFF"), (20_000, b"RF64")] {
            let path = folder.path().join("x.wav");
            let _ = fs::remove_file(&path);
            let mut wav = WavWriter::create_with_limit(&path, 2, 44_100, limit).unwrap();
            wav.write(&[&left[..1234], &right[..1234]]).unwrap();
            wav.write(&[&left[1234..], &right[1234..]]).unwrap();
            assert!(!path.exists(), "the name appears only at the end");
            wav.finish().unwrap();
            assert_eq!(names(folder.path()), ["x.wav"]);
            let bytes = fs::read(&path).unwrap();
            assert_eq!(&bytes[..4], magic);
            assert_eq!(bytes.len() as u64, HEADER + 40_000);
            let mut decoder = Decoder::open(&path).unwrap();
            assert_eq!((decoder.rate(), decoder.channels()), (44_100, 2));
            assert_eq!(decoder.frames(), Some(5000));
            let (mut l, mut r) = (vec![0.0; 6000], vec![0.0; 6000]);
            assert_eq!(decoder.read(&mut [&mut l[..], &mut r[..]]).unwrap(), 5000);
            assert_eq!((&l[..5000], &r[..5000]), (&left[..], &right[..]));
        }
    }

    #[test]
    fn chunks_after_the_audio_of_an_rf64_file_are_no_audio() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wav");
        let mut wav = WavWriter::create_with_limit(&path, 1, 8000, 0).unwrap();
        wav.write(&[&[0.25; 100]]).unwrap();
        wav.finish().unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"LIST\x04\0\0\0abcd").unwrap();
        let mut decoder = Decoder::open(&path).unwrap();
        let (mut l, mut r) = (vec![0.0; 200], vec![0.0; 200]);
        assert_eq!(decoder.read(&mut [&mut l[..], &mut r[..]]).unwrap(), 100);
        assert_eq!((l[99], r[99]), (0.25, 0.25));
    }

    #[test]
    fn dropped_before_its_end_it_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut wav = WavWriter::create(&folder.path().join("x.wav"), 1, 48_000).unwrap();
        wav.write(&[&[0.5; 100_000]]).unwrap();
        drop(wav);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn names_that_cannot_be_written_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str| {
            let error = WavWriter::create(&folder.path().join(name), 2, 48_000)
                .err()
                .unwrap();
            error.to_string()
        };
        assert!(refused("none/x.wav").contains("folder does not exist"));
        assert!(refused("x.mp3").contains("name it .wav"));
        assert!(refused("").contains("not a file"));
        assert!(WavWriter::create(&folder.path().join("x.wav"), 0, 48_000).is_err());
        assert!(names(folder.path()).is_empty());
    }
}
