//! Audio files as a stream of `f32`: WAV, RF64, FLAC, OGG Vorbis, Opus and MP3.

use super::rf64::Rf64AsRiff;
use super::wide::WideWav;
use crate::dsp::ambisonics::{MAX_ORDER, channels};
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::FORMAT_ID_MP3;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia_adapter_libopus::OpusDecoder;

/// Endings of sound and film in formats that are not read.
const OTHERS: [&str; 15] = [
    "aif", "aifc", "aiff", "m4a", "mp4", "mov", "mkv", "webm", "aac", "ac3", "caf", "w64", "wma",
    "wv", "ape",
];

/// Something that yields audio.
pub trait Source {
    /// Hertz.
    fn rate(&self) -> u32;

    /// Channels that differ: 1 for mono, which is read into every channel that is asked for, 2, or those of a bus.
    fn channels(&self) -> usize;

    /// How many frames there are in all, where that is known beforehand.
    fn frames(&self) -> Option<u64>;

    /// Fills the slices, which have the same length, and returns how many frames it filled: fewer than
    /// asked for only at the end. Channels that it does not have are silent, those not asked for are dropped.
    ///
    /// # Errors
    /// [`DecodeError`] where the file turns out to be damaged or unreadable on the way.
    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError>;
}

/// Why a file cannot be read.
#[derive(Debug)]
pub struct DecodeError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: DecodeProblem,
}

/// What can be wrong with a file.
#[derive(Debug)]
pub enum DecodeProblem {
    /// It cannot be opened or read.
    Unreadable(std::io::Error),
    /// It is a folder.
    Folder,
    /// It is none of the formats that are read.
    NotAudio,
    /// It is audio of a kind that is not read.
    Unsupported(&'static str),
    /// It says that it has no channel, or more than two.
    Channels(usize),
    /// It has not as many channels as an ambisonic order.
    NoBus(usize),
    /// It says that it has no sample rate, or one that no device has.
    Rate(u32),
    /// It is damaged.
    Damaged {
        /// Where, in seconds.
        seconds: f64,
        /// What the decoder found.
        what: String,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.problem {
            DecodeProblem::Unreadable(error) if error.kind() == ErrorKind::NotFound => {
                f.write_str("there is no such file")
            }
            DecodeProblem::Unreadable(error) => write!(f, "cannot be read: {error}"),
            DecodeProblem::Folder => f.write_str("is a folder, not an audio file"),
            DecodeProblem::NotAudio => {
                f.write_str(
                    "is not audio that can be read; give a WAV, FLAC, OGG Vorbis, Opus or MP3 file",
                )?;
                let ending = self
                    .path
                    .extension()
                    .map(|ending| ending.to_ascii_lowercase());
                if ending.is_some_and(|ending| OTHERS.iter().any(|other| ending == *other)) {
                    f.write_str(", or convert it, for example: ffmpeg -i IN OUT.wav")?;
                }
                Ok(())
            }
            DecodeProblem::Unsupported(what) => write!(
                f,
                "is audio of a kind that is not read ({what}); convert it to WAV or FLAC, for example: ffmpeg -i IN OUT.wav"
            ),
            DecodeProblem::Channels(0) => f.write_str("is damaged: it has 0 channels"),
            DecodeProblem::Channels(count) => write!(
                f,
                "has {count} channels; only mono and stereo files are read here, and ambisonic ones of \
                 4, 9, 16, 25, 36, 49 or 64 channels with render --bus ambisonic"
            ),
            DecodeProblem::NoBus(count) => write!(
                f,
                "has {count} channel{}; an ambisonic bus has 4, 9, 16, 25, 36, 49 or 64",
                if *count == 1 { "" } else { "s" }
            ),
            DecodeProblem::Rate(rate) => write!(f, "is damaged: its sample rate is {rate} Hz"),
            DecodeProblem::Damaged { seconds, what } => {
                write!(
                    f,
                    "is damaged at {seconds:.3} s: {what}; repair or convert it, for example: ffmpeg -i IN OUT.wav"
                )
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// An audio file, decoded as it is read.
pub struct Decoder {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    channels: usize,
    frames: Option<u64>,
    decoded: u64,
    packet: Vec<f32>,
    /// Interleaved samples that have been decoded and not yet read.
    waiting: VecDeque<f32>,
    ended: bool,
}

impl Decoder {
    /// Opens a mono or stereo audio file; its kind is found by its content, not by its name.
    ///
    /// # Errors
    /// [`DecodeError`], naming the file and what is wrong with it.
    pub fn open(path: &Path) -> Result<Decoder, DecodeError> {
        if let Some(wide) = WideWav::open(path)? {
            return Err(DecodeError {
                path: path.to_owned(),
                problem: DecodeProblem::Channels(wide.channels()),
            });
        }
        let open = Decoder::open_any(path)?;
        match open.channels {
            1 | 2 => Ok(open),
            count => Err(open.refused(DecodeProblem::Channels(count))),
        }
    }

    /// Opens the file of an ambisonic bus, and tells its order.
    ///
    /// # Errors
    /// [`DecodeError`], naming the file and what is wrong with it.
    pub fn open_bus(path: &Path) -> Result<(Box<dyn Source>, usize), DecodeError> {
        let open: Box<dyn Source> = match WideWav::open(path)? {
            Some(wide) => Box::new(wide),
            None => Box::new(Decoder::open_any(path)?),
        };
        match (1..=MAX_ORDER).find(|order| channels(*order) == open.channels()) {
            Some(order) => Ok((open, order)),
            None => Err(DecodeError {
                path: path.to_owned(),
                problem: DecodeProblem::NoBus(open.channels()),
            }),
        }
    }

    fn refused(&self, problem: DecodeProblem) -> DecodeError {
        DecodeError {
            path: self.path.clone(),
            problem,
        }
    }

    fn open_any(path: &Path) -> Result<Decoder, DecodeError> {
        let fail = |problem| DecodeError {
            path: path.to_owned(),
            problem,
        };
        if path.is_dir() {
            return Err(fail(DecodeProblem::Folder));
        }
        let file = crate::file::plain(path).and_then(|_| File::open(path));
        let file = file.map_err(|error| fail(DecodeProblem::Unreadable(error)))?;
        let file = Rf64AsRiff::new(file).map_err(|error| fail(DecodeProblem::Unreadable(error)))?;
        let rf64_frames = file.frames();
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, Default::default(), Default::default())
            .map_err(|error| {
                fail(match error {
                    Error::IoError(error) if error.kind() != ErrorKind::UnexpectedEof => {
                        DecodeProblem::Unreadable(error)
                    }
                    Error::DecodeError(what) => DecodeProblem::Damaged {
                        seconds: 0.0,
                        what: what.to_owned(),
                    },
                    _ => DecodeProblem::NotAudio,
                })
            })?;
        let track = format
            .default_track(TrackType::Audio)
            .ok_or_else(|| fail(DecodeProblem::NotAudio))?;
        let params = track
            .codec_params
            .as_ref()
            .and_then(|params| params.audio())
            .ok_or_else(|| fail(DecodeProblem::NotAudio))?;
        // The length of an MP3 file without an encoder's tag is an estimate: nothing may be cut off by it.
        let exact = format.format_info().format != FORMAT_ID_MP3 || track.delay.is_some();
        let options = AudioDecoderOptions::default().gapless(exact).verify(true);
        let decoder = codecs()
            .make_audio_decoder(params, &options)
            .map_err(|error| {
                fail(match error {
                    Error::Unsupported(what) => DecodeProblem::Unsupported(what),
                    error => DecodeProblem::Damaged {
                        seconds: 0.0,
                        what: error.to_string(),
                    },
                })
            })?;
        // Of Opus what comes before the sound is counted with it, and cut off.
        let before = if params.codec == CODEC_ID_OPUS {
            track.delay.unwrap_or(0)
        } else {
            0
        };
        let told = track.num_frames.filter(|_| exact);
        let told = told.map(|frames| frames.saturating_sub(u64::from(before)));
        let (track, frames) = (track.id, rf64_frames.or(told));
        let (rate, channels) = (
            params.sample_rate,
            params.channels.as_ref().map(|channels| channels.count()),
        );
        let mut open = Decoder {
            path: path.to_owned(),
            format,
            decoder,
            track,
            rate: rate.unwrap_or(0),
            channels: channels.unwrap_or(0),
            frames,
            decoded: 0,
            packet: Vec::new(),
            waiting: VecDeque::new(),
            ended: false,
        };
        // Some formats tell rate and channels only with their first packet.
        if rate.is_none() || channels.is_none() {
            open.decode()?;
        }
        if open.channels == 0 {
            return Err(fail(DecodeProblem::Channels(0)));
        }
        if !(1..=10_000_000).contains(&open.rate) {
            return Err(fail(DecodeProblem::Rate(open.rate)));
        }
        Ok(open)
    }

    fn damaged(&self, what: String) -> DecodeError {
        let seconds = self.decoded as f64 / f64::from(self.rate.max(1));
        DecodeError {
            path: self.path.clone(),
            problem: DecodeProblem::Damaged { seconds, what },
        }
    }

    /// Decodes one packet into `waiting`.
    fn decode(&mut self) -> Result<(), DecodeError> {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return self.end(),
            Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                return self.end();
            }
            Err(Error::IoError(error)) => {
                return Err(DecodeError {
                    path: self.path.clone(),
                    problem: DecodeProblem::Unreadable(error),
                });
            }
            Err(Error::ResetRequired) => {
                return Err(self.damaged("a second recording follows in the same file".to_owned()));
            }
            Err(error) => return Err(self.damaged(error.to_string())),
        };
        if packet.track_id != self.track {
            return Ok(());
        }
        // A WAV file without a length, or cut off, yields empty packets at its end.
        if packet.data.is_empty() {
            return self.end();
        }
        match self.decoder.decode(&packet) {
            Ok(audio) => {
                let (rate, channels) = (audio.spec().rate(), audio.spec().channels().count());
                if self.decoded == 0 && self.waiting.is_empty() {
                    (self.rate, self.channels) = (rate, channels);
                }
                audio.copy_to_vec_interleaved(&mut self.packet);
                if (rate, channels) != (self.rate, self.channels) {
                    let what = format!("it changes to {channels} channels at {rate} Hz");
                    return Err(self.damaged(what));
                }
            }
            // Skipping what cannot be decoded would shift all that follows on the timeline.
            Err(error) => return Err(self.damaged(error.to_string())),
        }
        self.decoded += (self.packet.len() / self.channels.max(1)) as u64;
        self.waiting.extend(&self.packet);
        Ok(())
    }

    /// The file has ended: a file that promised more is cut off.
    fn end(&mut self) -> Result<(), DecodeError> {
        self.ended = true;
        match self.frames {
            Some(frames) if self.decoded < frames => {
                let missing = (frames - self.decoded) as f64 / f64::from(self.rate.max(1));
                Err(self.damaged(format!("it ends there, {missing:.3} s too early")))
            }
            _ if self.decoder.finalize().verify_ok == Some(false) => {
                Err(self.damaged("its checksum does not fit its sound".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// The decoders of symphonia, and that of Opus.
fn codecs() -> CodecRegistry {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<OpusDecoder>();
    codecs
}

impl Source for Decoder {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn frames(&self) -> Option<u64> {
        self.frames
    }

    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
        let wanted = channels.first().map_or(0, |channel| channel.len());
        while self.waiting.len() < wanted * self.channels && !self.ended {
            self.decode()?;
        }
        let count = wanted.min(self.waiting.len() / self.channels);
        let mut samples = self.waiting.drain(..count * self.channels);
        for frame in 0..count {
            for number in 0..self.channels.max(channels.len()) {
                let sample = match number {
                    _ if number < self.channels => samples.next().unwrap_or(0.0),
                    _ if self.channels == 1 => channels[0][frame],
                    _ => 0.0,
                };
                if let Some(channel) = channels.get_mut(number) {
                    channel[frame] = sample;
                }
            }
        }
        Ok(count)
    }
}

/// Silence of a given length, in place of a file.
#[derive(Debug, Clone)]
pub struct Silence {
    rate: u32,
    channels: usize,
    frames: u64,
    left: u64,
}

impl Silence {
    /// So many frames of silence at `rate` hertz.
    pub fn new(rate: u32, frames: u64) -> Silence {
        Silence {
            rate,
            channels: 1,
            frames,
            left: frames,
        }
    }

    /// As a bus of so many channels.
    pub fn wide(self, channels: usize) -> Silence {
        Silence { channels, ..self }
    }
}

impl Source for Silence {
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
        let wanted = channels.first().map_or(0, |channel| channel.len());
        let count = self.left.min(wanted as u64) as usize;
        for channel in channels {
            channel[..count].fill(0.0);
        }
        self.left -= count as u64;
        Ok(count)
    }
}
