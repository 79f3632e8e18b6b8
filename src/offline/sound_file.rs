//! A file of either kind that is written.

use super::flac::FlacWriter;
use super::tags::Tags;
use super::wav::{SampleFormat, WavError, WavWriter};
use std::path::Path;

/// The kinds of files that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// WAV, beyond 4 GiB as RF64.
    Wav,
    /// FLAC, of integers.
    Flac,
}

impl Container {
    /// By the ending of a name; WAV where it says nothing.
    pub fn of(path: &Path) -> Container {
        match path.extension() {
            Some(ending) if ending.eq_ignore_ascii_case("flac") => Container::Flac,
            _ => Container::Wav,
        }
    }

    /// The ending of its names.
    pub fn ending(self) -> &'static str {
        match self {
            Container::Wav => "wav",
            Container::Flac => "flac",
        }
    }
}

/// A file that is being written. Dropped before its end, it leaves nothing.
pub enum SoundFile {
    /// As WAV.
    Wav(WavWriter),
    /// As FLAC.
    Flac(Box<FlacWriter>),
}

impl SoundFile {
    /// Starts a file of `channels` channels at `rate` hertz that will be `path`.
    ///
    /// # Errors
    /// [`WavError`], before anything is written.
    pub fn create(
        path: &Path,
        container: Container,
        channels: usize,
        rate: u32,
        format: SampleFormat,
        tags: Tags,
    ) -> Result<SoundFile, WavError> {
        Ok(match container {
            Container::Wav => {
                let mut wav = WavWriter::create_as(path, channels, rate, format)?;
                wav.tag(&tags);
                SoundFile::Wav(wav)
            }
            Container::Flac => SoundFile::Flac(Box::new(FlacWriter::create(
                path, channels, rate, format, tags,
            )?)),
        })
    }

    /// Appends one chunk: a slice per channel, all of the same length.
    ///
    /// # Errors
    /// [`WavError`] where the system refuses (a full disk).
    pub fn write(&mut self, channels: &[&[f32]]) -> Result<(), WavError> {
        match self {
            SoundFile::Wav(wav) => wav.write(channels),
            SoundFile::Flac(flac) => flac.write(channels),
        }
    }

    /// Samples so far that were beyond full scale and were cut off there; floats never are.
    pub fn clipped(&self) -> u64 {
        match self {
            SoundFile::Wav(wav) => wav.clipped(),
            SoundFile::Flac(flac) => flac.clipped(),
        }
    }

    /// The error to end with when the user stops what writes this file.
    pub fn interrupted(&self) -> WavError {
        match self {
            SoundFile::Wav(wav) => wav.interrupted(),
            SoundFile::Flac(flac) => flac.interrupted(),
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`WavError`]; nothing is left then.
    pub fn finish(self) -> Result<(), WavError> {
        match self {
            SoundFile::Wav(wav) => wav.finish(),
            SoundFile::Flac(flac) => flac.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::{Decoder, Source};
    use super::*;

    /// Everything from silence to noise at full scale, in two ears that differ.
    fn sound(frames: usize) -> [Vec<f32>; 2] {
        let mut seed = 1u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let part = |n: usize| n * 5 / frames.max(1);
        let mut ear = |pitch: f32| -> Vec<f32> {
            (0..frames)
                .map(|n| match part(n) {
                    0 => 0.0,
                    1 => 0.5 * (n as f32 * pitch).sin(),
                    2 => noise(),
                    3 => [1.5, -1.5][n / 64 % 2],
                    _ => 1e-4 * noise(),
                })
                .collect()
        };
        [ear(0.03), ear(0.031)]
    }

    fn read(path: &Path, frames: usize) -> (u32, Vec<Vec<f32>>) {
        let mut decoder = Decoder::open(path).unwrap();
        assert_eq!(decoder.frames(), Some(frames as u64));
        let mut ears = vec![vec![0.0; frames + 10]; decoder.channels()];
        let mut slices: Vec<&mut [f32]> = ears.iter_mut().map(Vec::as_mut_slice).collect();
        assert_eq!(decoder.read(&mut slices).unwrap(), frames);
        (decoder.rate(), ears)
    }

    #[test]
    fn flac_holds_the_very_samples_that_wav_does() {
        let folder = tempfile::tempdir().unwrap();
        let (wav, flac) = (folder.path().join("a.wav"), folder.path().join("a.flac"));
        for (format, rate, channels, frames) in [
            (SampleFormat::Int16, 44_100, 2, 30_001),
            (SampleFormat::Int24, 48_000, 2, 30_001),
            (SampleFormat::Int24, 192_000, 1, 8192),
            (SampleFormat::Int16, 8001, 2, 4096),
            (SampleFormat::Int24, 48_000, 2, 7),
            (SampleFormat::Int24, 48_000, 2, 0),
        ] {
            let ears = sound(frames);
            let ears: Vec<&[f32]> = ears[..channels].iter().map(Vec::as_slice).collect();
            for path in [&wav, &flac] {
                let tags = Tags {
                    preset: Some("Deep focus".into()),
                };
                let mut file =
                    SoundFile::create(path, Container::of(path), channels, rate, format, tags)
                        .unwrap();
                // In pieces that are no blocks.
                let mut at = 0;
                while at < frames {
                    let end = (at + 1000).min(frames);
                    let piece: Vec<&[f32]> = ears.iter().map(|ear| &ear[at..end]).collect();
                    file.write(&piece).unwrap();
                    at = end;
                }
                assert_eq!(file.clipped() > 0, frames > 0);
                file.finish().unwrap();
            }
            if frames > 0 {
                let (of_wav, of_flac) = (read(&wav, frames), read(&flac, frames));
                assert_eq!(of_wav.0, rate);
                assert!(of_wav == of_flac, "{format:?} at {rate} Hz");
            }
            for path in [&wav, &flac] {
                let bytes = std::fs::read(path).unwrap();
                let has = |word: &[u8]| bytes.windows(word.len()).any(|found| found == word);
                assert!(has(b"Preset: Deep focus") && has(b"Zeitgeber "));
            }
        }
    }

    #[test]
    fn flac_refuses_what_it_cannot_hold_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, channels, rate, format| {
            let path = folder.path().join(name);
            let file = SoundFile::create(
                &path,
                Container::Flac,
                channels,
                rate,
                format,
                Tags::default(),
            );
            file.err().map(|error| error.to_string()).unwrap()
        };
        let (int, float) = (SampleFormat::Int24, SampleFormat::Float32);
        assert!(refused("a.flac", 2, 48_000, float).contains("--bits 24"));
        assert!(refused("a.flac", 16, 48_000, int).contains("16 channels"));
        assert!(refused("a.flac", 2, 768_000, int).contains("768000 Hz"));
        assert!(refused("a.wav", 2, 48_000, int).contains(".flac"));
        let path = folder.path().join("b.flac");
        let mut file =
            SoundFile::create(&path, Container::Flac, 1, 48_000, int, Tags::default()).unwrap();
        file.write(&[&[0.5; 10_000]]).unwrap();
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
