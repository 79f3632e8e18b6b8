//! One rendering of the bus with one bank: what it has heard, and what it makes of it.

use super::bank::{DecoderBank, Filters, Layout, Width};
use super::lanes::{Bins, Frames, Kernels, Lanes, NARROW, Rows, Turns, WIDE};
use crate::dsp::convolve::PARTITION;

/// A quantum whose magnitudes add up to more than this is no sound but an accident, and could overflow in a
/// transform: it is taken as silence.
const LOUDEST: f32 = 1e20;

/// The most wide batches that there are: 36 channels with m >= 0 and 28 others in lanes of 9 and 7.
const BATCHES: usize = 4;

/// Ears, left first.
pub(super) type Ears = [[f32; PARTITION]; 2];

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

/// Channels that are transformed together.
#[derive(Debug, Clone)]
struct Batch<const W: usize> {
    /// The quantum that is being collected, number `now`, and the one before.
    frames: [Frames<W>; 2],
    now: usize,
    was_silent: bool,
    /// A ring of the newest spectra, the newest at `head`, of which `filled` hold something.
    slots: Vec<Bins<W>>,
    head: usize,
    filled: usize,
    /// Silent spectra in a row.
    quiet: usize,
}

impl<const W: usize> Batch<W>
where
    Kernels: Lanes<W>,
{
    fn new(partitions: usize) -> Batch<W> {
        Batch {
            frames: [Rows::ZERO; 2],
            now: 0,
            was_silent: true,
            slots: vec![Bins::ZERO; partitions],
            head: 0,
            filled: 0,
            quiet: 0,
        }
    }

    fn clear(&mut self) {
        self.frames[1 - self.now] = Rows::ZERO;
        self.was_silent = true;
        self.filled = 0;
    }

    /// Hears the quantum that is complete, for filters of so many partitions.
    fn hear(&mut self, partitions: usize, turns: &Turns) {
        let mut loud = [0.0; W];
        Kernels::loudness(&self.frames[self.now], &mut loud);
        let mut sum = 0.0;
        for (lane, loud) in loud.iter().enumerate() {
            if *loud < LOUDEST {
                sum += loud;
            } else {
                // Not finite, or as good as.
                self.frames[self.now]
                    .0
                    .iter_mut()
                    .for_each(|row| row[lane] = 0.0);
            }
        }
        let silent = sum == 0.0;
        if silent && self.was_silent {
            self.quiet += 1;
            if self.filled == 0 || self.quiet >= partitions {
                self.filled = 0;
                return;
            }
            let slot = self.push(partitions);
            self.slots[slot] = Bins::ZERO;
            return;
        }
        self.quiet = 0;
        self.was_silent = silent;
        let slot = self.push(partitions);
        let (older, newer) = (&self.frames[1 - self.now], &self.frames[self.now]);
        Kernels::forward(older, newer, turns, &mut self.slots[slot]);
        self.now = 1 - self.now;
    }

    /// The place of the newest spectrum.
    fn push(&mut self, partitions: usize) -> usize {
        self.head = self.head.checked_sub(1).unwrap_or(partitions - 1);
        self.filled = (self.filled + 1).min(partitions);
        self.head
    }

    /// The newest spectra, newest first, in two runs.
    fn newest(&self, partitions: usize) -> [&[Bins<W>]; 2] {
        let straight = (partitions - self.head).min(self.filled);
        [
            &self.slots[self.head..self.head + straight],
            &self.slots[..self.filled - straight],
        ]
    }
}

/// All batches of one number of lanes.
#[derive(Debug, Clone)]
struct Chamber<const W: usize> {
    batches: Vec<Batch<W>>,
    sum: Bins<W>,
    frames: Frames<W>,
}

impl<const W: usize> Chamber<W>
where
    Kernels: Lanes<W>,
{
    fn new(batches: usize, partitions: usize) -> Chamber<W> {
        Chamber {
            batches: vec![Batch::new(partitions); batches],
            sum: Bins::ZERO,
            frames: Rows::ZERO,
        }
    }

    fn start(&mut self) {
        for batch in &mut self.batches {
            batch.clear();
            batch.head = 0;
        }
    }

    fn is_idle(&self) -> bool {
        let idle = |batch: &Batch<W>| batch.filled == 0 && batch.was_silent;
        self.batches.iter().all(idle)
    }

    /// Writes frames into the quantum, at a place of it.
    fn write(&mut self, layout: &Layout<W>, place: usize, piece: &Piece) {
        for (batch, channels) in self.batches.iter_mut().zip(&layout.channels) {
            for (lane, channel) in channels.iter().enumerate() {
                let rows = &mut batch.frames[batch.now].0[place..];
                match *channel {
                    Some(channel) => {
                        for (row, x) in rows.iter_mut().zip(piece.channel(channel)) {
                            row[lane] = *x;
                        }
                    }
                    // What another bank left there.
                    None if place == 0 => rows.iter_mut().for_each(|row| row[lane] = 0.0),
                    None => (),
                }
            }
        }
    }

    /// Hears a quantum that has come in one piece.
    fn hear_whole(&mut self, layout: &Layout<W>, piece: &Piece, partitions: usize, turns: &Turns) {
        for (batch, channels) in self.batches.iter_mut().zip(&layout.channels) {
            let signals = channels.map(|channel| channel.map_or(&NOTHING, |at| piece.whole(at)));
            Kernels::gather(&signals, &mut batch.frames[batch.now]);
            batch.hear(partitions, turns);
        }
    }

    /// Hears the quantum that has been written.
    fn hear(&mut self, layout: &Layout<W>, partitions: usize, turns: &Turns) {
        for (batch, _) in self.batches.iter_mut().zip(&layout.channels) {
            batch.hear(partitions, turns);
        }
    }

    /// What is heard. `false`: nothing, and `out` is untouched.
    fn render(&mut self, filters: &Filters<W>, turns: &Turns, out: &mut Ears) -> bool {
        let batches = &self.batches[..filters.layout.channels.len()];
        if batches.iter().all(|batch| batch.filled == 0) {
            return false;
        }
        let [left, right] = out;
        for ear in 0..filters.ears() {
            self.sum = Bins::ZERO;
            for (number, batch) in batches.iter().enumerate() {
                if batch.filled > 0 {
                    let filter = filters.of(ear, number);
                    Kernels::accumulate(batch.newest(filter.len()), filter, &mut self.sum);
                }
            }
            Kernels::inverse(&mut self.sum, turns, &mut self.frames);
            match (filters.ears(), ear) {
                (1, _) => Kernels::fold(&self.frames, &filters.layout.signs, left, right),
                (_, 0) => Kernels::fold(&self.frames, &[1.0; W], left, &mut [0.0; PARTITION]),
                _ => Kernels::fold(&self.frames, &[1.0; W], right, &mut [0.0; PARTITION]),
            }
        }
        true
    }
}

/// One rendering. It can be with any bank.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    narrow: Chamber<NARROW>,
    wide: Chamber<WIDE>,
}

/// Runs a method of the chamber that a bank needs, with the bank's filters.
macro_rules! with {
    ($voice:expr, $bank:expr, $chamber:ident, $filters:ident => $work:expr) => {
        match &$bank.width {
            Width::Narrow($filters) => {
                let $chamber = &mut $voice.narrow;
                $work
            }
            Width::Wide($filters) => {
                let $chamber = &mut $voice.wide;
                $work
            }
        }
    };
}

impl Voice {
    /// For filters of up to `partitions`.
    pub fn new(partitions: usize) -> Voice {
        Voice {
            narrow: Chamber::new(1, partitions),
            wide: Chamber::new(BATCHES, partitions),
        }
    }

    /// Forgets what it has heard.
    pub fn start(&mut self) {
        self.narrow.start();
        self.wide.start();
    }

    /// Whether there is nothing left to hear of it.
    pub fn is_idle(&self) -> bool {
        self.narrow.is_idle() && self.wide.is_idle()
    }

    /// Writes frames into the quantum that is being collected, at a place of it.
    pub fn write(&mut self, bank: &DecoderBank, place: usize, piece: &Piece) {
        with!(self, bank, chamber, filters => chamber.write(&filters.layout, place, piece));
    }

    /// Hears a quantum: `whole`, or what has been written.
    pub fn hear(&mut self, bank: &DecoderBank, whole: Option<&Piece>, turns: &Turns) {
        let partitions = bank.partitions();
        with!(self, bank, chamber, filters => match whole {
            Some(piece) => chamber.hear_whole(&filters.layout, piece, partitions, turns),
            None => chamber.hear(&filters.layout, partitions, turns),
        });
    }

    /// What is heard in the next quantum. `false`: nothing, and `out` is untouched.
    pub fn render(&mut self, bank: &DecoderBank, turns: &Turns, out: &mut Ears) -> bool {
        with!(self, bank, chamber, filters => chamber.render(filters, turns, out))
    }
}
