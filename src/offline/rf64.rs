//! RF64 files (EBU Tech 3306) seen as RIFF: the decoder library knows only the latter.
//!
//! An RF64 file is a RIFF file whose 32-bit sizes say "see the ds64 chunk". With the first four bytes
//! read as `RIFF` the library takes the sizes for unknown and reads to the end of the file, so that is
//! where this view ends the file: at the last byte of the audio.
//!
//! A WAV file whose sizes are both 0 is that of a recorder that never came to writing them. It is seen with unknown
//! sizes as well, and ends where the file does.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use symphonia::core::io::MediaSource;

/// A file whose RF64 header, if it has one, reads as RIFF.
pub(super) struct Rf64AsRiff {
    file: File,
    position: u64,
    end: u64,
    frames: Option<u64>,
    /// What is read in place of what the file holds, and where.
    instead: Vec<(u64, &'static [u8])>,
}

/// A size that is not known.
const UNKNOWN: &[u8] = &[0xff; 4];

impl Rf64AsRiff {
    /// Looks at the first bytes of a file and rewinds it.
    ///
    /// # Errors
    /// Those of reading, and a damaged RF64 header.
    pub fn new(mut file: File) -> io::Result<Rf64AsRiff> {
        let end = file.metadata()?.len();
        let mut view = Rf64AsRiff {
            file,
            position: 0,
            end,
            frames: None,
            instead: Vec::new(),
        };
        let mut head = [0; 12];
        let full = view.file.read_exact(&mut head);
        if full.is_ok() && &head[..4] == b"RF64" && &head[8..] == b"WAVE" {
            view.parse().map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => io::Error::other("its RF64 header ends early"),
                _ => error,
            })?;
            view.instead = vec![(0, b"RIFF"), (4, UNKNOWN)];
        } else if full.is_ok() && &head[..8] == b"RIFF\0\0\0\0" && &head[8..] == b"WAVE" {
            // What else is wrong with it is said by who decodes it.
            if let Ok(Some(data)) = view.unsized_data() {
                view.instead = vec![(4, UNKNOWN), (data, UNKNOWN)];
            }
        } else if let Err(error) = full
            && error.kind() != ErrorKind::UnexpectedEof
        {
            return Err(error);
        }
        file = view.file;
        file.seek(SeekFrom::Start(0))?;
        Ok(Rf64AsRiff { file, ..view })
    }

    /// Frames of an RF64 file as its header tells; `None` for every other file.
    pub fn frames(&self) -> Option<u64> {
        self.frames
    }

    /// Walks the chunks up to the audio. Where its size lies, if it is 0 and something follows.
    fn unsized_data(&mut self) -> io::Result<Option<u64>> {
        loop {
            let mut head = [0; 8];
            self.file.read_exact(&mut head)?;
            let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            let start = self.file.stream_position()?;
            if &head[..4] == b"data" {
                return Ok((size == 0 && start < self.end).then(|| start - 4));
            }
            let next = start + u64::from(size) + u64::from(size & 1);
            self.file.seek(SeekFrom::Start(next))?;
        }
    }

    /// Walks the chunks up to the audio.
    fn parse(&mut self) -> io::Result<()> {
        let (mut data_bytes, mut frame_bytes) = (None, 0);
        loop {
            let mut head = [0; 8];
            self.file.read_exact(&mut head)?;
            let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            let start = self.file.stream_position()?;
            match &head[..4] {
                b"ds64" => {
                    let mut sizes = [0; 16];
                    self.file.read_exact(&mut sizes)?;
                    let (_, data) = sizes.split_at(8);
                    data_bytes = data.try_into().ok().map(u64::from_le_bytes);
                }
                b"fmt " => {
                    let mut format = [0; 14];
                    self.file.read_exact(&mut format)?;
                    frame_bytes = u64::from(u16::from_le_bytes([format[12], format[13]]));
                }
                b"data" => {
                    let bytes = match size {
                        u32::MAX => data_bytes
                            .ok_or_else(|| io::Error::other("its RF64 header has no ds64 chunk"))?,
                        size => u64::from(size),
                    };
                    self.frames = bytes.checked_div(frame_bytes);
                    self.end = self.end.min(start.saturating_add(bytes));
                    return Ok(());
                }
                _ => {}
            }
            // Chunks start on even bytes.
            self.file.seek(SeekFrom::Start(
                start + u64::from(size) + u64::from(size & 1),
            ))?;
        }
    }
}

impl Read for Rf64AsRiff {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self
            .end
            .saturating_sub(self.position)
            .min(buffer.len() as u64) as usize;
        let count = self.file.read(&mut buffer[..left])?;
        for (place, bytes) in &self.instead {
            for (place, byte) in (*place..).zip(*bytes) {
                if let Some(at) = place.checked_sub(self.position)
                    && let Some(own) = buffer[..count].get_mut(at as usize)
                {
                    *own = *byte;
                }
            }
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Rf64AsRiff {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::End(offset) => SeekFrom::Start(self.end.saturating_add_signed(offset)),
            to => to,
        };
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}

impl MediaSource for Rf64AsRiff {
    fn is_seekable(&self) -> bool {
        MediaSource::is_seekable(&self.file)
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.end)
    }
}
