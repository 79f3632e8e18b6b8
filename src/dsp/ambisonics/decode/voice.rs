//! One rendering of the bus with one bank: what has been heard, as it will sound.

use super::bank::DecoderBank;
use super::heard::Heard;
use crate::dsp::convolve::{Ahead, Mix, PARTITION, Spectrum, Transform};

/// Ears, left first.
pub(super) type Ears = [[f32; PARTITION]; 2];

/// What is heard of a mix, and quanta since something of it was.
#[derive(Debug, Clone)]
struct Part {
    ahead: Ahead,
    quiet: usize,
}

impl Part {
    fn is_idle(&self, mix: &Mix) -> bool {
        self.quiet >= mix.partitions()
    }

    fn hear(&mut self, mix: &Mix, heard: &Heard) {
        self.quiet = match heard.there & mix.signals() {
            0 => self.quiet.saturating_add(1),
            _ => 0,
        };
        if !self.is_idle(mix) {
            self.ahead.hear(mix, &heard.spectra, heard.there);
        }
    }
}

/// One rendering. It can be with any bank that has no more partitions than it was made for.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    parts: [Part; 2],
}

impl Voice {
    /// For filters of up to `partitions`.
    pub fn new(partitions: usize) -> Voice {
        let part = Part {
            ahead: Ahead::new(partitions),
            quiet: usize::MAX,
        };
        Voice {
            parts: [part.clone(), part],
        }
    }

    /// Forgets what it has heard.
    pub fn start(&mut self) {
        for part in &mut self.parts {
            part.ahead.clear();
            part.quiet = usize::MAX;
        }
    }

    /// Whether there is nothing left to hear of it.
    pub fn is_idle(&self, bank: &DecoderBank) -> bool {
        self.idle(bank) == [true; 2]
    }

    fn idle(&self, bank: &DecoderBank) -> [bool; 2] {
        let [a, b] = &self.parts;
        let [of_a, of_b] = bank.mixes();
        [a.is_idle(of_a), b.is_idle(of_b)]
    }

    /// Hears the quantum that is complete.
    pub fn hear(&mut self, bank: &DecoderBank, heard: &Heard) {
        for (part, mix) in self.parts.iter_mut().zip(bank.mixes()) {
            part.hear(mix, heard);
        }
    }

    /// What is heard in the next quantum. `false`: nothing, and `out` is untouched.
    pub fn render(&self, bank: &DecoderBank, transform: &mut Transform, out: &mut Ears) -> bool {
        let idle = self.idle(bank);
        if idle == [true; 2] {
            return false;
        }
        let [a, b] = &self.parts;
        let spectrum = |part: &Part, idle| {
            if idle {
                Spectrum::ZERO
            } else {
                *part.ahead.now()
            }
        };
        transform.inverse(&spectrum(a, idle[0]), &spectrum(b, idle[1]), out);
        // They share a transform, which rounds; where one is silent, what is in the middle is alike at both ears, bit for bit.
        for (out, _) in out.iter_mut().zip(idle).filter(|(_, idle)| *idle) {
            *out = [0.0; PARTITION];
        }
        if bank.is_symmetric() {
            let [left, right] = out;
            for (left, right) in left.iter_mut().zip(right) {
                (*left, *right) = (*left + *right, *left - *right);
            }
        }
        true
    }
}
