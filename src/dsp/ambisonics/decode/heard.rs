//! What has been heard of a bus: its newest two quanta, and the spectra of its channels over them.

use super::lanes::{Bins, LANES, Rows, Turns, forward, gather, loudness, spread};
use crate::dsp::ambisonics::MAX_CHANNELS;
use crate::dsp::convolve::{PARTITION, SIGNALS, Spectrum};

/// A quantum whose magnitudes add up to more than this is no sound but an accident, and could overflow in a
/// transform: it is taken as silence.
const LOUDEST: f32 = 1e20;

/// Channels that are transformed together.
const BATCHES: usize = MAX_CHANNELS / LANES;

/// What a channel holds that there is none of.
const NOTHING: [f32; PARTITION] = [0.0; PARTITION];

/// Some frames of a bus, at most a quantum.
pub(super) struct Piece<'a> {
    pub inputs: &'a [&'a [f32]],
    /// The first frame, and how many.
    pub start: usize,
    pub count: usize,
}

impl Piece<'_> {
    fn channel(&self, channel: usize) -> &[f32] {
        match self.inputs.get(channel) {
            Some(input) => &input[self.start..self.start + self.count],
            None => &NOTHING[..self.count],
        }
    }

    fn whole(&self, channel: usize) -> &[f32; PARTITION] {
        self.channel(channel).first_chunk().unwrap_or(&NOTHING)
    }
}

/// The newest two quanta of a bus and their spectra, of the channels that somebody listens to.
#[derive(Debug)]
pub(super) struct Heard {
    /// Batches of channels in lanes, each the quantum that is being collected, number `now`, and the one before.
    frames: Box<[[Rows; 2]; BATCHES]>,
    now: usize,
    channels: usize,
    /// Channels that sounded in the quantum before, a bit each.
    before: u64,
    bins: Box<Bins>,
    /// By channel; of those that are in `there`.
    pub spectra: Box<[Spectrum; SIGNALS]>,
    /// Channels that sound in the newest two quanta, a bit each.
    pub there: u64,
    turns: Turns,
}

impl Heard {
    pub fn new() -> Heard {
        Heard {
            frames: Box::new([[Rows::ZERO; 2]; BATCHES]),
            now: 0,
            channels: 0,
            before: 0,
            bins: Box::new(Bins::ZERO),
            spectra: Box::new([Spectrum::ZERO; SIGNALS]),
            there: 0,
            turns: Turns::new(),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.frames.as_flattened_mut().fill(Rows::ZERO);
        self.before = 0;
        self.there = 0;
    }

    /// Listens to so many channels from this quantum on; those that come have been silent.
    pub fn listen_to(&mut self, channels: usize) {
        for channel in self.channels..channels {
            for frames in &mut self.frames[channel / LANES] {
                silence(frames, channel % LANES);
            }
            self.before &= !(1 << channel);
        }
        self.channels = channels;
    }

    /// Writes frames into the quantum that is being collected, at a place of it.
    pub fn write(&mut self, place: usize, piece: &Piece) {
        for channel in 0..self.channels {
            let rows = &mut self.frames[channel / LANES][self.now].0[place..];
            for (row, x) in rows.iter_mut().zip(piece.channel(channel)) {
                row[channel % LANES] = *x;
            }
        }
    }

    /// Hears a quantum: `whole`, or what has been written.
    pub fn hear(&mut self, whole: Option<&Piece>) {
        let (mut now, mut there) = (0, 0);
        let batches = self.frames.iter_mut().zip(self.spectra.as_chunks_mut().0);
        for (number, (frames, spectra)) in batches.enumerate() {
            let first = number * LANES;
            let lanes = self.channels.saturating_sub(first).min(LANES);
            if lanes == 0 {
                break;
            }
            let spectra: &mut [Spectrum; LANES] = spectra;
            let (older, newer) = match frames {
                [even, odd] if self.now == 0 => (odd, even),
                [even, odd] => (even, odd),
            };
            if let Some(piece) = whole {
                let signals: [&[f32; PARTITION]; LANES] = std::array::from_fn(|lane| {
                    if lane < lanes {
                        piece.whole(first + lane)
                    } else {
                        &NOTHING
                    }
                });
                gather(&signals, lanes, newer);
            }
            let sounds = sounding(newer, lanes);
            let audible = sounds | (self.before >> first & 0xFFFF);
            now |= sounds << first;
            there |= audible << first;
            if audible == 0 {
                continue;
            }
            forward(older, newer, &self.turns, &mut self.bins);
            spread(&self.bins, lanes, spectra);
        }
        self.now = 1 - self.now;
        self.before = now;
        self.there = there;
    }
}

/// Which of the first lanes sound, a bit each. What is no sound becomes silence.
fn sounding(frames: &mut Rows, lanes: usize) -> u64 {
    let mut loud = [0.0; LANES];
    loudness(frames, &mut loud);
    let mut sounds = 0;
    for (lane, loud) in loud.iter().enumerate().take(lanes) {
        if *loud >= LOUDEST || loud.is_nan() {
            silence(frames, lane);
        } else if *loud > 0.0 {
            sounds |= 1 << lane;
        }
    }
    sounds
}

fn silence(frames: &mut Rows, lane: usize) {
    frames.0.iter_mut().for_each(|row| row[lane] = 0.0);
}
