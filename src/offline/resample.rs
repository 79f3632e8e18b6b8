//! A source at another sample rate: band-limited, without delay, of the same duration.

use super::decode::{DecodeError, Source};
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};
use std::collections::VecDeque;

/// Least frames per transform on the slower side; longer is steeper.
const CHUNK: usize = 4096;

/// Another source, resampled to a new rate.
struct Resampled {
    source: Box<dyn Source>,
    resampler: Fft<f64>,
    rate: u32,
    input: Vec<Vec<f64>>,
    output: Vec<Vec<f64>>,
    read: Vec<Vec<f32>>,
    waiting: Vec<VecDeque<f32>>,
    /// Frames of the resampler's own delay that are still to be dropped.
    delay: usize,
    frames_in: u64,
    frames_out: u64,
    ended: bool,
}

/// Wraps `source` so that it yields `rate` hertz; a source that already does is passed through.
///
/// `None` where the resampler refuses the pair of rates (a rate of 0).
pub fn resampled(source: Box<dyn Source>, rate: u32) -> Option<Box<dyn Source>> {
    let (from, channels) = (source.rate(), source.channels());
    if from == rate {
        return Some(source);
    }
    let resampler = Fft::new_custom(
        from as usize,
        rate as usize,
        chunk(from as usize, rate as usize)?,
        1,
        channels,
        WindowFunction::BlackmanHarris2,
        FixedSync::Both,
    )
    .ok()?;
    let (input, output) = (
        resampler.input_frames_next(),
        resampler.output_frames_next(),
    );
    Some(Box::new(Resampled {
        delay: resampler.output_delay(),
        source,
        resampler,
        rate,
        input: vec![vec![0.0; input]; channels],
        output: vec![vec![0.0; output]; channels],
        read: vec![vec![0.0; input]; channels],
        waiting: vec![VecDeque::new(); channels],
        frames_in: 0,
        frames_out: 0,
        ended: false,
    }))
}

impl Resampled {
    /// How many frames so many of the source become.
    fn converted(&self, frames: u64) -> u64 {
        let (from, to) = (u128::from(self.source.rate()), u128::from(self.rate));
        ((u128::from(frames) * to + from / 2) / from) as u64
    }

    /// Resamples one chunk; past the end of the source, silence, which rings out its last frames.
    fn step(&mut self) -> Result<(), DecodeError> {
        let count = if self.ended {
            0
        } else {
            let mut channels: Vec<&mut [f32]> =
                self.read.iter_mut().map(Vec::as_mut_slice).collect();
            self.source.read(&mut channels)?
        };
        self.frames_in += count as u64;
        self.ended |= count < self.read[0].len();
        for (to, from) in self.input.iter_mut().zip(&self.read) {
            for (n, (to, &from)) in to.iter_mut().zip(from).enumerate() {
                // A sample that is not finite would spread over the whole transform.
                *to = if n < count && from.is_finite() {
                    f64::from(from)
                } else {
                    0.0
                };
            }
        }
        let (frames_in, frames_out) = (self.input[0].len(), self.output[0].len());
        let done = match (
            SequentialSliceOfVecs::new(&self.input, self.input.len(), frames_in),
            SequentialSliceOfVecs::new_mut(&mut self.output, self.input.len(), frames_out),
        ) {
            (Ok(input), Ok(mut output)) => self
                .resampler
                .process_into_buffer(&input, &mut output, None)
                .is_ok(),
            _ => false,
        };
        debug_assert!(
            done,
            "the buffers have the sizes that the resampler asked for"
        );
        let skip = self.delay.min(frames_out);
        self.delay -= skip;
        for (waiting, output) in self.waiting.iter_mut().zip(&self.output) {
            waiting.extend(output[skip..].iter().map(|x| *x as f32));
        }
        Ok(())
    }
}

/// Frames of the source per transform. An even number of the smallest possible transforms: the delay is
/// half of one, and an odd one would leave half a frame of it.
fn chunk(from: usize, to: usize) -> Option<usize> {
    let (mut a, mut b) = (from, to);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let smallest = from.checked_div(a)?.min(to / a);
    (smallest > 0).then(|| from / a * CHUNK.div_ceil(smallest).next_multiple_of(2))
}

impl Source for Resampled {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn channels(&self) -> usize {
        self.source.channels()
    }

    fn frames(&self) -> Option<u64> {
        self.source.frames().map(|frames| self.converted(frames))
    }

    fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
        let wanted = channels.first().map_or(0, |channel| channel.len());
        let waiting = |this: &Self| this.waiting[0].len();
        let enough = |this: &Self| {
            waiting(this) >= wanted
                || this.ended
                    && this.frames_out + waiting(this) as u64 >= this.converted(this.frames_in)
        };
        while !enough(self) {
            self.step()?;
        }
        let mut count = wanted.min(waiting(self));
        if self.ended {
            let rest = self
                .converted(self.frames_in)
                .saturating_sub(self.frames_out);
            count = count.min(usize::try_from(rest).unwrap_or(usize::MAX));
        }
        let mono = self.waiting.len() == 1;
        for (number, channel) in channels.iter_mut().enumerate() {
            match self.waiting.get(if mono { 0 } else { number }) {
                Some(waiting) => {
                    for (to, from) in channel[..count].iter_mut().zip(waiting) {
                        *to = *from;
                    }
                }
                None => channel[..count].fill(0.0),
            }
        }
        for waiting in &mut self.waiting {
            waiting.drain(..count);
        }
        self.frames_out += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fit;

    struct Tone {
        rate: u32,
        next: u64,
        frames: u64,
    }

    impl Source for Tone {
        fn rate(&self) -> u32 {
            self.rate
        }

        fn channels(&self) -> usize {
            2
        }

        fn frames(&self) -> Option<u64> {
            Some(self.frames)
        }

        fn read(&mut self, channels: &mut [&mut [f32]]) -> Result<usize, DecodeError> {
            let [left, right] = channels else {
                unreachable!()
            };
            let count = (self.frames - self.next).min(left.len() as u64) as usize;
            for i in 0..count {
                let t = (self.next + i as u64) as f64 / f64::from(self.rate);
                left[i] = (0.5 * (std::f64::consts::TAU * 1000.0 * t).cos()) as f32;
                right[i] = -left[i];
            }
            self.next += count as u64;
            Ok(count)
        }
    }

    #[test]
    fn a_tone_keeps_its_level_phase_and_length() {
        for (from, to) in [
            (44_100, 48_000),
            (96_000, 44_100),
            (48_000, 47_999),
            (8000, 768_000),
        ] {
            let frames = u64::from(from) * 2 + 17;
            let source = Box::new(Tone {
                rate: from,
                next: 0,
                frames,
            });
            let mut resampled = resampled(source, to).unwrap();
            let expected = resampled.frames().unwrap() as usize;
            let (mut left, mut right) = (vec![0.0; expected + 99], vec![0.0; expected + 99]);
            let mut done = 0;
            loop {
                let end = (done + 1013).min(left.len());
                let count = resampled
                    .read(&mut [&mut left[done..end], &mut right[done..end]])
                    .unwrap();
                done += count;
                if count == 0 {
                    break;
                }
            }
            assert_eq!(done, expected, "{from} to {to}");
            let middle = to as usize / 2;
            let span = &left[middle..middle + to as usize];
            let found = fit::fit(span, f64::from(to), 1000.0).unwrap();
            let turned = (middle as f64 / f64::from(to) * 1000.0).fract() * std::f64::consts::TAU;
            let phase = (found.phase - turned).sin();
            assert!(
                (found.amplitude - 0.5).abs() < 1e-5,
                "{from} to {to}: {found:?}"
            );
            assert!(phase.abs() < 1e-5, "{from} to {to}: {phase}");
            assert!(found.sinad() > 110.0, "{from} to {to}: {}", found.sinad());
            assert_eq!(left[middle], -right[middle]);
        }
    }
}
