//! A source that begins again at its end, until a length is reached.

use super::decode::{DecodeError, Source};

/// Opens the source anew.
pub type Again = Box<dyn FnMut() -> Result<Box<dyn Source>, DecodeError>>;

/// A source over and over: its first frame follows its last, sample by sample, without a crossfade. One that is
/// longer than the length is cut.
pub struct Looped {
    source: Box<dyn Source>,
    again: Again,
    frames: u64,
    done: u64,
}

impl Looped {
    /// `source`, and then what `again` opens, until `frames` frames have been read. Without a frame in it, the
    /// rest is silence.
    pub fn new(source: Box<dyn Source>, again: Again, frames: u64) -> Looped {
        Looped {
            source,
            again,
            frames,
            done: 0,
        }
    }
}

impl Source for Looped {
    fn rate(&self) -> u32 {
        self.source.rate()
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn frames(&self) -> Option<u64> {
        Some(self.frames)
    }

    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
        let wanted = channels.first().map_or(0, |channel| channel.len() as u64);
        let wanted = wanted.min(self.frames - self.done) as usize;
        let mut count = 0;
        let mut was_empty = false;
        while count < wanted {
            let mut rest: Vec<&mut [f32]> = channels
                .iter_mut()
                .map(|channel| &mut channel[count..wanted])
                .collect();
            let read = self.source.read(&mut rest)?;
            count += read;
            if count == wanted {
                break;
            }
            if read == 0 && was_empty {
                rest.iter_mut().for_each(|channel| channel.fill(0.0));
                count = wanted;
                break;
            }
            was_empty = read == 0;
            self.source = (self.again)()?;
        }
        self.done += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0, 1, 2...
    struct Count(usize, usize);

    impl Source for Count {
        fn rate(&self) -> u32 {
            48_000
        }
        fn channels(&self) -> usize {
            1
        }
        fn frames(&self) -> Option<u64> {
            Some(self.1 as u64)
        }
        fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
            let count = channels[0].len().min(self.1 - self.0);
            for n in 0..count {
                channels.iter_mut().for_each(|x| x[n] = (self.0 + n) as f32);
            }
            self.0 += count;
            Ok(count)
        }
    }

    #[test]
    fn the_first_frame_follows_the_last_whatever_the_blocks() {
        for length in [0usize, 1, 3, 7, 100] {
            for block in [1, 2, 5, 64] {
                let again: Again = Box::new(move || Ok(Box::new(Count(0, length))));
                let mut looped = Looped::new(Box::new(Count(0, length)), again, 50);
                let mut heard = Vec::new();
                loop {
                    let (mut left, mut right) = (vec![9.0; block], vec![9.0; block]);
                    let count = looped.read(&mut [&mut left, &mut right]).unwrap();
                    assert_eq!(left[..count], right[..count]);
                    heard.extend_from_slice(&left[..count]);
                    if count < block {
                        break;
                    }
                }
                let wanted: Vec<f32> = (0..50).map(|n| (n % length.max(1)) as f32).collect();
                assert_eq!(heard, wanted, "{length} in blocks of {block}");
            }
        }
    }
}
