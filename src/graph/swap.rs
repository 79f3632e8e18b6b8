//! Changing a graph while it runs: the new one is made elsewhere, fades in, and the old one is dropped
//! elsewhere.
//!
//! [`swappable`] splits a run in two. The [`Player`] stays on the audio thread and never allocates, frees, locks
//! or waits; the [`Editor`] belongs to any other thread.

use super::run::PHASE_GRID;
use super::{GraphError, GraphRun};
use crate::dsp::denormals::DenormalGuard;
use crate::node::MAX_CHANNELS;
use arrayvec::ArrayVec;
use rtrb::{Consumer, Producer, RingBuffer};

/// The shortest fade, in seconds: below, a tone of low frequency clicks.
const SHORTEST_FADE: f64 = 0.02;

/// Runs that may be on their way at once.
const WAITING: usize = 4;

/// Splits a run in what plays it and what exchanges it. Each exchange fades over `fade` seconds, at least 20 ms.
///
/// The new graph is as one that has been silent so far: after the fade the output is that of a fresh graph that
/// began in the frame of the exchange, bit for bit, with its phases where they would be had it run from the
/// first frame.
pub fn swappable(run: GraphRun, fade: f64) -> (Player, Editor) {
    let (to, incoming) = RingBuffer::new(WAITING);
    // As many as can wait, one that fades and one that plays: it is never full.
    let (outgoing, back) = RingBuffer::new(WAITING + 2);
    let (inputs, outputs) = (run.inputs(), run.outputs());
    let (rate, max_frames) = (run.rate(), run.max_frames());
    let length = (fade.max(SHORTEST_FADE) * rate).ceil() as u64;
    let player = Player {
        run: Box::new(run),
        next: None,
        faded: 0,
        length,
        incoming,
        outgoing,
        old: vec![vec![0.0; max_frames]; outputs],
        new: vec![vec![0.0; max_frames]; outputs],
        silence: vec![0.0; max_frames],
    };
    let editor = Editor {
        to,
        back,
        inputs,
        outputs,
        rate,
        max_frames,
    };
    (player, editor)
}

/// The half that plays.
pub struct Player {
    run: Box<GraphRun>,
    /// What fades in, or will from the next multiple of the grid on.
    next: Option<Box<GraphRun>>,
    /// Frames of the fade that are done.
    faded: u64,
    length: u64,
    incoming: Consumer<Box<GraphRun>>,
    outgoing: Producer<Box<GraphRun>>,
    old: Vec<Vec<f32>>,
    new: Vec<Vec<f32>>,
    /// In place of inputs that are not given.
    silence: Vec<f32>,
}

impl Player {
    /// The graph that plays; during a fade, the one that goes.
    pub fn run(&mut self) -> &mut GraphRun {
        &mut self.run
    }

    /// Whether one graph fades into another.
    pub fn is_fading(&self) -> bool {
        self.next.is_some()
    }

    /// As [`GraphRun::process`].
    pub fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let _mode = DenormalGuard::new();
        let lengths = inputs.iter().map(|channel| channel.len());
        let lengths = lengths.chain(outputs.iter().map(|channel| channel.len()));
        let frames = lengths.min().unwrap_or(0);
        let mut done = 0;
        while done < frames {
            if self.next.is_none()
                && let Ok(next) = self.incoming.pop()
            {
                self.next = Some(next);
                self.faded = 0;
            }
            done += self.piece(inputs, outputs, done, frames - done);
        }
    }

    /// Processes up to `left` frames from `start` on, and says how many.
    fn piece(
        &mut self,
        inputs: &[&[f32]],
        outputs: &mut [&mut [f32]],
        start: usize,
        left: usize,
    ) -> usize {
        let to_grid = (PHASE_GRID - self.run.frames() % PHASE_GRID) as usize;
        let most = left.min(self.silence.len());
        let count = match &self.next {
            None => most,
            // The drivers of phases are set on the grid: there the new graph begins.
            Some(_) if self.faded == 0 && !self.run.is_on_grid() => most.min(to_grid),
            Some(_) => most.min((self.length - self.faded) as usize),
        };
        let ins: ArrayVec<&[f32], MAX_CHANNELS> = (0..self.run.inputs().min(MAX_CHANNELS))
            .map(|channel| match inputs.get(channel) {
                Some(input) => &input[start..start + count],
                None => &self.silence[..count],
            })
            .collect();
        let waits = self.faded == 0 && !self.run.is_on_grid();
        let Some(next) = self.next.as_mut().filter(|_| !waits) else {
            let mut outs: ArrayVec<&mut [f32], MAX_CHANNELS> = outputs
                .iter_mut()
                .take(MAX_CHANNELS)
                .map(|output| &mut output[start..start + count])
                .collect();
            self.run.process(&ins, &mut outs);
            return count;
        };
        if self.faded == 0 {
            next.begin_at(self.run.frames());
        }
        for (run, buffers) in [(&mut self.run, &mut self.old), (next, &mut self.new)] {
            let mut outs: ArrayVec<&mut [f32], MAX_CHANNELS> = buffers
                .iter_mut()
                .take(MAX_CHANNELS)
                .map(|buffer| &mut buffer[..count])
                .collect();
            run.process(&ins, &mut outs);
        }
        for (output, (old, new)) in outputs.iter_mut().zip(self.old.iter().zip(&self.new)) {
            let pairs = old.iter().zip(new);
            for (n, (out, (old, new))) in output[start..start + count]
                .iter_mut()
                .zip(pairs)
                .enumerate()
            {
                let turn = (self.faded + n as u64) as f64 / self.length as f64;
                let share = 0.5 - 0.5 * (std::f64::consts::PI * turn).cos();
                *out = (f64::from(*old) * (1.0 - share) + f64::from(*new) * share) as f32;
            }
        }
        self.faded += count as u64;
        if self.faded == self.length
            && let Some(next) = self.next.take()
        {
            let old = std::mem::replace(&mut self.run, next);
            if let Err(rtrb::PushError::Full(old)) = self.outgoing.push(old) {
                // There is room for all that there can be; to keep one for ever is better than to free it here.
                std::mem::forget(old);
            }
        }
        count
    }
}

/// The half that exchanges.
pub struct Editor {
    to: Producer<Box<GraphRun>>,
    back: Consumer<Box<GraphRun>>,
    inputs: usize,
    outputs: usize,
    rate: f64,
    max_frames: usize,
}

impl Editor {
    /// Hands over a graph that is to play in place of the one that does; several are taken in turn. What has
    /// played is dropped here.
    ///
    /// # Errors
    /// [`GraphError::Swap`] where its channels are others, it was compiled for another rate or shorter blocks, or
    /// too many are on their way.
    pub fn swap(&mut self, run: GraphRun) -> Result<(), GraphError> {
        self.collect();
        let problem = if (run.inputs(), run.outputs()) != (self.inputs, self.outputs) {
            "it has other channels than the one that plays"
        } else if run.rate() != self.rate || run.max_frames() < self.max_frames {
            "it was compiled for another rate or for shorter blocks than the one that plays"
        } else if self.to.push(Box::new(run)).is_err() {
            "too many are on their way already"
        } else {
            return Ok(());
        };
        Err(GraphError::Swap { problem })
    }

    /// Drops graphs that have played; says how many.
    pub fn collect(&mut self) -> usize {
        std::iter::from_fn(|| self.back.pop().ok()).count()
    }
}
