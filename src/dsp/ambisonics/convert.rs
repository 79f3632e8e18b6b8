//! Buses of other formats, made ACN and SN3D.

use super::fade;
use super::harmonics::{MAX_CHANNELS, degree, n3d};
use crate::dsp::ramp::raised_cosine;

/// Order and normalisation of a bus's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// ACN, SN3D (AmbiX): nothing to do.
    #[default]
    Sn3d,
    /// ACN, N3D.
    N3d,
    /// Furse and Malham, up to order 3: W X Y Z, R S T U V, K L M N O P Q, of which each has a maximum of 1, but for W,
    /// which is 3 dB lower (Malham, "Higher order ambisonic systems", 2003).
    FuMa,
}

/// The channel of Furse and Malham's order that is a channel in ACN.
const FUMA: [usize; 16] = [0, 2, 3, 1, 8, 6, 4, 5, 7, 15, 13, 11, 9, 10, 12, 14];

impl Format {
    /// All, in their final order.
    pub const ALL: [Format; 3] = [Format::Sn3d, Format::N3d, Format::FuMa];

    /// What channel of the bus, times what, is a channel in ACN and SN3D. `None`: silence.
    pub fn source(self, acn: usize) -> Option<(usize, f32)> {
        let (l, m) = degree(acn);
        match self {
            _ if acn >= MAX_CHANNELS => None,
            Format::Sn3d => Some((acn, 1.0)),
            Format::N3d => Some((acn, (1.0 / n3d(l)) as f32)),
            Format::FuMa => {
                // The maximum of SN3D's harmonics, and W's -3 dB.
                let most: f64 = match (l, m.unsigned_abs()) {
                    (0, _) => 2.0,
                    (1, _) | (2 | 3, 0) => 1.0,
                    (2, _) => 3.0 / 4.0,
                    (3, 1) => 32.0 / 45.0,
                    (3, 2) => 5.0 / 9.0,
                    (3, _) => 5.0 / 8.0,
                    _ => return None,
                };
                FUMA.get(acn).map(|from| (*from, most.sqrt() as f32))
            }
        }
    }
}

/// Makes a bus ACN and SN3D, with fades of 20 ms between formats.
#[derive(Debug, Clone)]
pub struct Input {
    asked: Format,
    /// What sounds, or fades out.
    now: Format,
    /// What fades in.
    next: Format,
    /// Frames of the fade so far, and in all.
    done: usize,
    length: usize,
    started: bool,
}

impl Input {
    /// Of SN3D, at a sample rate in hertz.
    pub fn new(rate: f64) -> Input {
        Input {
            asked: Format::Sn3d,
            now: Format::Sn3d,
            next: Format::Sn3d,
            done: 0,
            length: (fade::SECONDS * rate).ceil() as usize,
            started: false,
        }
    }

    /// As new, but for the format that is asked for.
    pub fn reset(&mut self) {
        self.started = false;
    }

    /// The format of what comes from the next frame on. A change during a fade waits for its end.
    pub fn set_format(&mut self, format: Format) {
        self.asked = format;
    }

    /// Converts any number of frames, all channels of one length.
    pub fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let frames = outputs.first().map_or(0, |output| output.len());
        if !self.started && frames > 0 {
            self.started = true;
            (self.now, self.next) = (self.asked, self.asked);
        }
        let mut from = 0;
        while from < frames {
            if self.now == self.next && self.asked != self.now {
                self.next = self.asked;
                self.done = 0;
            }
            let fades = self.now != self.next;
            let left = if fades {
                self.length - self.done
            } else {
                frames
            };
            let to = (from + left).min(frames);
            for (acn, output) in outputs.iter_mut().enumerate() {
                let part = |format: Format| {
                    let (channel, gain) = format.source(acn)?;
                    Some((&inputs.get(channel)?[from..to], gain))
                };
                let output = &mut output[from..to];
                match part(self.now) {
                    Some((x, gain)) => output.iter_mut().zip(x).for_each(|(y, x)| *y = gain * x),
                    None => output.fill(0.0),
                }
                if fades {
                    let next = part(self.next);
                    for (n, y) in output.iter_mut().enumerate() {
                        let way = (self.done + n) as f64 / self.length as f64;
                        let other = next.map_or(0.0, |(x, gain)| gain * x[n]);
                        *y += raised_cosine(way) as f32 * (other - *y);
                    }
                }
            }
            if fades {
                self.done += to - from;
                if self.done == self.length {
                    self.now = self.next;
                }
            }
            from = to;
        }
    }
}
