//! The renderer: sources in, two ears out, on the grid.

use super::ONSET;
use super::air::Air;
use super::bank::FilterBank;
use super::place::Target;
use super::source::{Banks, Move, Source};
use super::voice::Mix;
use crate::dsp::convolve::kernels::cross;
use crate::dsp::convolve::{PARTITION, Transform};
use std::sync::Arc;

/// Renders sources to two ears with the filters of a bank.
///
/// Making one allocates; processing, setting targets and swapping banks neither allocate nor free.
#[derive(Debug)]
pub struct Renderer {
    banks: Banks,
    /// A bank whose turn comes when the one before the current one is taken away.
    waiting: Option<Arc<FilterBank>>,
    sources: Vec<Source>,
    air: Air,
    transform: Transform,
    partitions: usize,
    mix: Mix,
    /// Frames of the quantum so far.
    position: usize,
    /// What is heard in this quantum, left ear first.
    out: [[f32; PARTITION]; 2],
    /// What it goes to, or bends by.
    other: [[f32; PARTITION]; 2],
    /// Whether `out` is silent already.
    silent: bool,
}

/// A bank that a renderer cannot use, given back: it is for another sample rate, or has more taps than the
/// renderer was made for.
#[derive(Debug)]
pub struct Refused(pub Arc<FilterBank>);

impl Renderer {
    /// A renderer of a number of sources, in front at 1.5 m, for banks of up to `taps` (at least those of
    /// this one).
    ///
    /// Memory per source: 3 KiB a partition of 32 taps, more for short filters, and the past of the longest delay: some
    /// 45 KB at 48 kHz with 288 taps.
    pub fn new(bank: Arc<FilterBank>, sources: usize, taps: usize) -> Renderer {
        let partitions = bank.partitions().max(taps.div_ceil(PARTITION));
        let air = Air::new(bank.rate());
        let source = Source::new(partitions, &bank, &air);
        Renderer {
            banks: Banks {
                slots: [Some(bank), None],
                current: 0,
            },
            waiting: None,
            sources: vec![source; sources],
            air,
            transform: Transform::new(),
            partitions,
            mix: Mix::SILENCE,
            position: 0,
            out: [[0.0; PARTITION]; 2],
            other: [[0.0; PARTITION]; 2],
            silent: true,
        }
    }

    /// Sources.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Frames for which something is heard after the input has become silent, at most.
    pub fn tail(&self) -> usize {
        let quanta = self.sources.iter().map(Source::tail).max().unwrap_or(0);
        ONSET + quanta * PARTITION
    }

    /// Silence, as if nothing had been heard. Targets and banks stay; sources are at their targets at once.
    pub fn reset(&mut self) {
        self.sources.iter_mut().for_each(Source::reset);
        self.position = 0;
        self.out = [[0.0; PARTITION]; 2];
        self.silent = true;
    }

    /// Where a source is to be at the end of the quantum that is being collected, and at those after. What
    /// is no number is taken as the default; the rest is clamped to what can be rendered. No such source:
    /// nothing happens.
    pub fn set_target(&mut self, source: usize, target: Target, how: Move) {
        if let Some(source) = self.sources.get_mut(source) {
            source.set_target(target, how);
        }
    }

    /// Fades to another bank, the latest that is asked for. Gives back one that was waiting for its turn and
    /// will not get it.
    ///
    /// # Errors
    /// A bank for another rate, or of more taps than this renderer was made for, comes back.
    pub fn swap(&mut self, bank: Arc<FilterBank>) -> Result<Option<Arc<FilterBank>>, Refused> {
        let rate = self.bank().map(FilterBank::rate);
        if rate != Some(bank.rate()) || bank.partitions() > self.partitions {
            return Err(Refused(bank));
        }
        let before = self.waiting.replace(bank);
        self.turn();
        Ok(before)
    }

    /// Takes away the bank that nothing is rendered with any more, to be freed elsewhere. To be asked now and
    /// then: until it is taken away, no other bank gets its turn.
    pub fn retired(&mut self) -> Option<Arc<FilterBank>> {
        let other = 1 - self.banks.current;
        if self.banks.slots[other].is_none() || self.sources.iter().any(|s| s.uses(other)) {
            return None;
        }
        let bank = self.banks.slots[other].take();
        self.turn();
        bank
    }

    fn bank(&self) -> Option<&FilterBank> {
        self.banks.slots[self.banks.current].as_deref()
    }

    /// Makes the waiting bank the current one, if there is a place.
    fn turn(&mut self) {
        let other = 1 - self.banks.current;
        if self.banks.slots[other].is_none() && self.waiting.is_some() {
            self.banks.slots[other] = self.waiting.take();
            self.banks.current = other;
        }
    }

    /// Renders any number of frames: one input a source, all as long as `left` and `right`, which are
    /// overwritten. The same bits however the stream is cut, as long as targets and banks are set at the same
    /// quanta.
    ///
    /// # Panics
    /// When there are not as many inputs as sources, or lengths differ.
    pub fn process(&mut self, inputs: &[&[f32]], left: &mut [f32], right: &mut [f32]) {
        assert_eq!(inputs.len(), self.sources.len(), "one input a source");
        let mut done = 0;
        while done < left.len() {
            let count = (PARTITION - self.position).min(left.len() - done);
            let (here, there) = (self.position..self.position + count, done..done + count);
            for (source, input) in self.sources.iter_mut().zip(inputs) {
                source.line.write(self.position, &input[there.clone()]);
            }
            left[there.clone()].copy_from_slice(&self.out[0][here.clone()]);
            right[there].copy_from_slice(&self.out[1][here]);
            self.position += count;
            done += count;
            if self.position == PARTITION {
                self.position = 0;
                self.quantum();
            }
        }
    }

    /// The quantum is complete: what is heard in the next one.
    fn quantum(&mut self) {
        let mix = &mut self.mix;
        mix.clear();
        let mut heard = false;
        for source in &mut self.sources {
            heard |= source.render(&self.banks, &self.air, &mut self.transform, mix);
        }
        if !heard {
            if !self.silent {
                self.out = [[0.0; PARTITION]; 2];
                self.silent = true;
            }
            return;
        }
        self.silent = false;
        let transform = &mut self.transform;
        transform.inverse(&mix.start[0], &mix.start[1], &mut self.out);
        if mix.moves {
            transform.inverse(&mix.end[0], &mix.end[1], &mut self.other);
            for (out, end) in self.out.iter_mut().zip(&self.other) {
                cross(out, end);
            }
        }
        if mix.bends {
            let way = |n: usize| n as f32 / PARTITION as f32;
            transform.inverse(&mix.bend[0], &mix.bend[1], &mut self.other);
            for (out, bend) in self.out.iter_mut().zip(&self.other) {
                for (n, (out, bend)) in out.iter_mut().zip(bend).enumerate() {
                    *out += way(n) * (1.0 - way(n)) * bend;
                }
            }
        }
    }
}
