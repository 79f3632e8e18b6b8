//! The renderer: a bus in, two ears out, on the grid.

use super::ONSET;
use super::bank::DecoderBank;
use super::heard::{Heard, Piece};
use super::voice::{Ears, Voice};
use crate::dsp::ambisonics::channels;
use crate::dsp::ambisonics::fade::Fade;
use crate::dsp::convolve::{PARTITION, Transform};
use std::sync::Arc;

/// Renders a bus (ACN, SN3D) to two ears with the filters of a bank.
///
/// Making one allocates; processing and swapping banks neither allocate nor free.
#[derive(Debug)]
pub struct BusRenderer {
    /// The bank of each voice.
    banks: [Option<Arc<DecoderBank>>; 2],
    voices: [Voice; 2],
    /// The voice that sounds, or fades in; the other is what a swap left behind.
    front: usize,
    /// A bank whose turn comes at the start of a quantum, when the other voice is free.
    waiting: Option<Arc<DecoderBank>>,
    /// Quanta since a swap, while it is under way.
    swap: Option<usize>,
    /// Quanta of a fade.
    length: usize,
    partitions: usize,
    heard: Heard,
    transform: Transform,
    /// Frames of the quantum so far.
    position: usize,
    /// What is heard in this quantum, left ear first.
    out: Ears,
    /// Whether `out` is silent already.
    silent: bool,
}

/// A bank that a renderer cannot use, given back: it is for another sample rate, or has more taps than the renderer was
/// made for.
#[derive(Debug)]
pub struct RefusedBank(pub Arc<DecoderBank>);

impl BusRenderer {
    /// A renderer for banks of up to `taps` (at least those of this one). Memory: 1 KB a partition of 32 taps, and 40 KB.
    pub fn new(bank: Arc<DecoderBank>, taps: usize) -> BusRenderer {
        let partitions = bank.partitions().max(taps.div_ceil(PARTITION));
        let voice = Voice::new(partitions);
        let mut renderer = BusRenderer {
            length: Fade::quanta(bank.rate()),
            banks: [Some(bank), None],
            voices: [voice.clone(), voice],
            front: 0,
            waiting: None,
            swap: None,
            partitions,
            heard: Heard::new(),
            transform: Transform::new(),
            position: 0,
            out: [[0.0; PARTITION]; 2],
            silent: true,
        };
        renderer.listen();
        renderer
    }

    /// Frames for which something is heard after the input has become silent, at most.
    pub fn tail(&self) -> usize {
        ONSET + (self.partitions + 1) * PARTITION
    }

    /// Silence, as if nothing had been heard. The bank that was asked for last stays.
    pub fn reset(&mut self) {
        self.voices.iter_mut().for_each(Voice::start);
        self.heard.clear();
        self.swap = None;
        self.listen();
        self.position = 0;
        self.out = [[0.0; PARTITION]; 2];
        self.silent = true;
    }

    /// Fades to another bank, the latest that is asked for, from the start of the next quantum on: it listens until its
    /// history is full, and then takes 20 ms. Gives back one that was waiting for its turn and will not get it.
    ///
    /// # Errors
    /// A bank for another rate, or of more taps than this renderer was made for, comes back.
    pub fn swap(
        &mut self,
        bank: Arc<DecoderBank>,
    ) -> Result<Option<Arc<DecoderBank>>, RefusedBank> {
        let rate = self.banks[self.front].as_ref().map(|bank| bank.rate());
        if rate != Some(bank.rate()) || bank.partitions() > self.partitions {
            return Err(RefusedBank(bank));
        }
        Ok(self.waiting.replace(bank))
    }

    /// Takes away the bank that nothing is rendered with any more, to be freed elsewhere. To be asked now and then:
    /// until it is taken away, no other bank gets its turn.
    pub fn retired(&mut self) -> Option<Arc<DecoderBank>> {
        if self.swap.is_some() {
            return None;
        }
        self.banks[1 - self.front].take()
    }

    /// Renders any number of frames: channels that the bank's order does not have are not heard, those that are missing
    /// are silent; all are as long as `left` and `right`, which are overwritten. The same bits however the stream is cut,
    /// as long as banks are swapped in the same quanta.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn process(&mut self, inputs: &[&[f32]], left: &mut [f32], right: &mut [f32]) {
        assert_eq!(left.len(), right.len(), "ears of one length");
        let mut done = 0;
        while done < left.len() {
            let count = self.rest().min(left.len() - done);
            let there = done..done + count;
            self.process_part(inputs, done, &mut left[there.clone()], &mut right[there]);
            done += count;
        }
    }

    /// Frames that the quantum still takes.
    pub(crate) fn rest(&self) -> usize {
        PARTITION - self.position
    }

    /// As `process`, for the frames of `inputs` from one on, and at most the rest of the quantum.
    pub(crate) fn process_part(
        &mut self,
        inputs: &[&[f32]],
        start: usize,
        left: &mut [f32],
        right: &mut [f32],
    ) {
        if self.position == 0 {
            self.begin();
        }
        let count = left.len();
        let here = self.position..self.position + count;
        left.copy_from_slice(&self.out[0][here.clone()]);
        right.copy_from_slice(&self.out[1][here]);
        let piece = Piece {
            inputs,
            start,
            count,
        };
        if count == PARTITION {
            self.quantum(Some(&piece));
            return;
        }
        self.heard.write(self.position, &piece);
        self.position += count;
        if self.position == PARTITION {
            self.position = 0;
            self.quantum(None);
        }
    }

    /// Channels of all banks that sound.
    fn listen(&mut self) {
        let (front, swaps) = (self.front, self.swap.is_some());
        let sounding = |(number, bank): (usize, &Option<Arc<DecoderBank>>)| {
            let sounds = swaps || number == front;
            bank.as_ref().filter(|_| sounds).map(|bank| bank.order())
        };
        let order = self.banks.iter().enumerate().filter_map(sounding).max();
        self.heard.listen_to(order.map_or(0, channels));
    }

    /// A quantum begins: the waiting bank's turn, if there is a place.
    fn begin(&mut self) {
        let other = 1 - self.front;
        if self.waiting.is_none() || self.banks[other].is_some() {
            return;
        }
        let idle = self.banks[self.front]
            .as_deref()
            .is_none_or(|bank| self.voices[self.front].is_idle(bank));
        // Where nothing is heard, nothing has to fade.
        self.swap = (!idle).then_some(0);
        self.banks[other] = self.waiting.take();
        self.front = other;
        self.voices[other].start();
        self.listen();
    }

    /// The quantum is complete: what is heard in the next one.
    fn quantum(&mut self, whole: Option<&Piece>) {
        let fade = match self.swap {
            None => Fade::FULL,
            Some(quanta) => Fade::at(quanta.checked_sub(self.warm()), self.length),
        };
        let (front, swaps) = (self.front, self.swap.is_some());
        self.heard.hear(whole);
        let mut heard = false;
        let mut other = [[0.0; PARTITION]; 2];
        let mut faded = false;
        for number in [front, 1 - front] {
            let Some(bank) = self.banks[number].as_deref() else {
                continue;
            };
            if number != front && !swaps {
                continue;
            }
            let voice = &mut self.voices[number];
            voice.hear(bank, &self.heard);
            if number == front && fade.is_nothing() {
                continue;
            }
            if number == front {
                heard = voice.render(bank, &mut self.transform, &mut self.out);
            } else {
                faded = voice.render(bank, &mut self.transform, &mut other);
            }
        }
        if !heard && (faded || !self.silent) {
            self.out = [[0.0; PARTITION]; 2];
        }
        self.silent = !heard && !faded;
        if swaps && !self.silent {
            for (out, other) in self.out.iter_mut().zip(&other) {
                for (n, (out, other)) in out.iter_mut().zip(other).enumerate() {
                    *out = other + fade.gain(n) * (*out - other);
                }
            }
        }
        self.swap = self
            .swap
            .map(|quanta| quanta + 1)
            .filter(|quanta| *quanta < self.warm() + self.length);
        if swaps && self.swap.is_none() {
            self.listen();
        }
    }

    /// Quanta that a new voice listens before it is heard.
    fn warm(&self) -> usize {
        let bank = self.banks[self.front].as_ref();
        bank.map_or(0, |bank| bank.partitions())
    }
}
