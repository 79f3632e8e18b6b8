//! Encoding of moving sources to a bus.
//!
//! Everything moves on the grid of 32 frames counted from `reset`, without latency: what is asked for when a quantum
//! begins is reached at its end, gains in straight lines from those at its start. A jump (over 5 degrees or 5 % of the
//! distance that is no motion, or another order) is a fade of 20 ms between two sets of gains, parabolas that follow a
//! raised cosine. Levels and air are those of [`binaural`](crate::dsp::binaural), without its near field: the ears of
//! a bus see a near source where its centre sees it.

use super::fade::Fade;
use super::harmonics::{MAX_CHANNELS, MAX_ORDER, channels, encode};
use crate::dsp::binaural::{Air, JUMP, Move, Target, level};
use crate::dsp::convolve::PARTITION;
use crate::dsp::convolve::kernels::{kernel, mul_add};
use multiversion::multiversion;
use multiversion::target::match_target;

/// Past frames that the air needs: two lags of at most 4.
const PAST: usize = 8;

/// A place as gains.
#[derive(Debug, Clone, Copy)]
struct Gains {
    channels: [f32; MAX_CHANNELS],
    /// The air's taps, a lag apart.
    air: [f32; 3],
}

impl Gains {
    const NOTHING: Gains = Gains {
        channels: [0.0; MAX_CHANNELS],
        air: [0.0; 3],
    };

    fn new(target: &Target, order: usize, air: &Air) -> Gains {
        let level = target.gain * level(target.distance);
        let gains = encode(order, target.azimuth, target.elevation);
        Gains {
            channels: gains.map(|gain| (level * gain) as f32),
            air: causal(air.share(target.distance)),
        }
    }

    /// For each pair of values.
    fn map2(self, other: &Gains, work: impl Fn(f32, f32) -> f32) -> Gains {
        let mut out = self;
        for (out, other) in out.channels.iter_mut().zip(&other.channels) {
            *out = work(*out, *other);
        }
        for (out, other) in out.air.iter_mut().zip(&other.air) {
            *out = work(*out, *other);
        }
        out
    }
}

/// The air's three taps, `share`, 1 - 2 `share`, `share`, made causal: their response is the square of (a + b z) (a + b / z),
/// so that (a + b / z) twice has its magnitude and minimum phase.
fn causal(share: f64) -> [f32; 3] {
    let a = 0.5 + (0.25 - share).max(0.0).sqrt();
    let b = 1.0 - a;
    [a * a, 2.0 * a * b, b * b].map(|tap| tap as f32)
}

/// One source.
#[derive(Debug, Clone)]
struct Source {
    asked: Target,
    how: Move,
    /// What was asked for when the quantum began.
    latched: (Target, Move),
    /// Where it is at the quantum's end, and its gains there, without a jump's fade.
    at: Target,
    to: Gains,
    order: usize,
    /// A jump: from these gains, so many quanta ago.
    left: Gains,
    jump: Option<usize>,
    /// Gains at the quantum's start, and what is added over it: t `slope` + t (1 - t) `bend`.
    base: Gains,
    slope: Gains,
    bend: Gains,
    moves: bool,
    /// Channels that are not silent.
    channels: usize,
    /// Whether something has been heard in this quantum.
    heard: bool,
    /// Nothing was heard in the quantum before, and nothing yet in this one: gains are not there yet.
    idle: bool,
    past: [f32; PAST],
}

impl Source {
    fn new() -> Source {
        let target = Target::default().checked();
        Source {
            asked: target,
            how: Move::Auto,
            latched: (target, Move::Auto),
            at: target,
            to: Gains::NOTHING,
            order: 0,
            left: Gains::NOTHING,
            jump: None,
            base: Gains::NOTHING,
            slope: Gains::NOTHING,
            bend: Gains::NOTHING,
            moves: false,
            channels: 0,
            heard: false,
            idle: true,
            past: [0.0; PAST],
        }
    }

    fn reset(&mut self) {
        self.heard = false;
        self.idle = true;
        self.jump = None;
        self.past = [0.0; PAST];
    }

    /// A quantum begins.
    fn begin(&mut self, order: usize, length: usize, air: &Air) {
        self.latched = (self.asked, self.how);
        self.idle = !self.heard;
        self.heard = false;
        if !self.idle {
            self.go(order, length, air);
        }
    }

    /// Is at once where it is asked for: nothing was heard of it.
    fn settle(&mut self, order: usize, air: &Air) {
        self.idle = false;
        self.jump = None;
        self.at = self.latched.0;
        self.order = order;
        self.to = Gains::new(&self.at, order, air);
        self.base = self.to;
        self.moves = false;
        self.channels = channels(order);
    }

    /// Sets out for what is asked for.
    fn go(&mut self, order: usize, length: usize, air: &Air) {
        let start = if self.moves {
            let sum = self.base.map2(&self.slope, |base, slope| base + slope);
            // A jump that is over ends where it should, to the bit.
            if self.jump.is_some() { sum } else { self.to }
        } else {
            self.base
        };
        self.jump = self.jump.map(|quanta| quanta + 1);
        if self.jump.is_some_and(|quanta| quanta >= length) {
            self.jump = None;
        }
        let (target, how) = self.latched;
        let far = order != self.order
            || how == Move::Auto && target.is_far_from(&self.at, JUMP.0, JUMP.1);
        if far && self.jump.is_none() {
            self.left = self.to;
            self.jump = Some(0);
            self.channels = channels(order).max(channels(self.order));
            self.order = order;
        }
        // A jump that is asked for during another waits for its end.
        if target != self.at && (!far || self.jump == Some(0)) || self.jump == Some(0) {
            self.at = target;
            self.to = Gains::new(&target, self.order, air);
        }
        self.base = start;
        let Some(quanta) = self.jump else {
            self.slope = self.to.map2(&start, |to, start| to - start);
            self.moves = self.slope.channels.iter().any(|x| *x != 0.0)
                || self.slope.air.iter().any(|x| *x != 0.0);
            self.bend = Gains::NOTHING;
            self.channels = channels(self.order).max(if self.moves { self.channels } else { 0 });
            return;
        };
        let fade = Fade::at(Some(quanta), length);
        let end = self
            .left
            .map2(&self.to, |left, to| left + fade.end * (to - left));
        self.slope = end.map2(&start, |end, start| end - start);
        self.bend = self.to.map2(&self.left, |to, left| fade.bend * (to - left));
        self.moves = true;
    }

    /// Adds its part of a quantum, from a place of it on.
    fn add(
        &mut self,
        place: usize,
        air: &Air,
        input: &[f32],
        outputs: &mut [&mut [f32]],
        start: usize,
    ) {
        let mut frames = [0.0; PARTITION];
        let x = &mut frames[..input.len()];
        x.copy_from_slice(input);
        let way: [f32; PARTITION] =
            std::array::from_fn(|n| (place + n) as f32 * (1.0 / PARTITION as f32));
        let still = [1.0, 0.0, 0.0];
        if self.base.air != still || (self.moves && self.slope.air != [0.0; 3]) {
            let tap = |number: usize, n: usize| {
                let [base, slope, bend] =
                    [&self.base, &self.slope, &self.bend].map(|gains| gains.air[number]);
                if self.moves {
                    base + way[n] * (slope + (1.0 - way[n]) * bend)
                } else {
                    base
                }
            };
            let past = |n: usize, age: usize| match n.checked_sub(age) {
                Some(n) => input[n],
                None => self.past[PAST + n - age],
            };
            for (n, x) in x.iter_mut().enumerate() {
                *x = tap(0, n) * input[n]
                    + tap(1, n) * past(n, air.lag)
                    + tap(2, n) * past(n, 2 * air.lag);
            }
        }
        let end = start + input.len();
        let outputs = outputs.iter_mut().take(self.channels);
        for (channel, output) in outputs.enumerate() {
            let base = self.base.channels[channel];
            if self.moves {
                let (slope, bend) = (self.slope.channels[channel], self.bend.channels[channel]);
                add_curve(
                    x,
                    &way[..x.len()],
                    [base, slope, bend],
                    &mut output[start..end],
                );
            } else {
                add_still(x, base, &mut output[start..end]);
            }
        }
    }

    /// Keeps what the air needs of the past.
    fn remember(&mut self, input: &[f32]) {
        let new = input.len().min(PAST);
        self.past.copy_within(new.., 0);
        self.past[PAST - new..].copy_from_slice(&input[input.len() - new..]);
    }
}

kernel!(
    /// Adds a signal times a gain.
    add_still = add_still_body(x: &[f32], gain: f32, out: &mut [f32])
);

#[inline(always)]
fn add_still_body<const FUSED: bool>(x: &[f32], gain: f32, out: &mut [f32]) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = mul_add::<FUSED>(*x, gain, *out);
    }
}

kernel!(
    /// Adds a signal times a gain that goes from the first of three numbers by the second, with the third as its bend.
    add_curve = add_curve_body(x: &[f32], way: &[f32], gain: [f32; 3], out: &mut [f32])
);

#[inline(always)]
fn add_curve_body<const FUSED: bool>(x: &[f32], way: &[f32], gain: [f32; 3], out: &mut [f32]) {
    let [base, slope, bend] = gain;
    for ((out, x), way) in out.iter_mut().zip(x).zip(way) {
        let rise = mul_add::<FUSED>(1.0 - way, bend, slope);
        *out = mul_add::<FUSED>(*x, mul_add::<FUSED>(*way, rise, base), *out);
    }
}

/// Encodes sources to a bus (ACN, SN3D) of an order, and adds another bus.
///
/// Making one allocates; processing and setting targets do not. A source whose input is silent costs nothing, and takes
/// its next target at once.
#[derive(Debug, Clone)]
pub struct Encoder {
    sources: Vec<Source>,
    air: Air,
    order: usize,
    /// The order of this quantum.
    latched: usize,
    /// Quanta of a fade.
    length: usize,
    position: usize,
}

impl Encoder {
    /// An encoder of order 1 at a sample rate in hertz, its sources in front at 1.5 m.
    pub fn new(rate: f64, sources: usize) -> Encoder {
        Encoder {
            sources: vec![Source::new(); sources],
            air: Air::new(rate),
            order: 1,
            latched: 1,
            length: Fade::quanta(rate),
            position: 0,
        }
    }

    /// Silence, as if nothing had been heard. Targets and order stay.
    pub fn reset(&mut self) {
        self.sources.iter_mut().for_each(Source::reset);
        self.position = 0;
    }

    /// The order of the bus, from the next quantum on; clamped to 1 to 7.
    pub fn set_order(&mut self, order: usize) {
        self.order = order.clamp(1, MAX_ORDER);
    }

    /// Where a source is to be at the end of the next quantum. What is no number is taken as the default; the rest is
    /// clamped to what can be rendered. No such source: nothing happens.
    pub fn set_target(&mut self, source: usize, target: Target, how: Move) {
        if let Some(source) = self.sources.get_mut(source) {
            source.asked = target.checked();
            source.how = how;
        }
    }

    /// Encodes any number of frames: one input a source; channels of `bus` are added to those of `outputs`, which are
    /// overwritten; all of one length. The same bits however the stream is cut, as long as targets are set in the same
    /// quanta.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn process(&mut self, inputs: &[&[f32]], bus: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let frames = outputs.first().map_or(0, |output| output.len());
        for (channel, output) in outputs.iter_mut().enumerate() {
            match bus.get(channel) {
                // What is added to must not be -0: whether silence is added to it depends on blocks.
                Some(bus) => output.iter_mut().zip(*bus).for_each(|(y, x)| *y = x + 0.0),
                None => output.fill(0.0),
            }
        }
        let mut done = 0;
        while done < frames {
            if self.position == 0 {
                self.latched = self.order;
                for source in &mut self.sources {
                    source.begin(self.latched, self.length, &self.air);
                }
            }
            let count = (PARTITION - self.position).min(frames - done);
            for (source, input) in self.sources.iter_mut().zip(inputs) {
                let input = &input[done..done + count];
                let loud = |frames: &[f32]| frames.iter().any(|x| *x != 0.0);
                let loud_now = loud(input);
                if !loud_now && !loud(&source.past) {
                    continue;
                }
                if source.idle {
                    source.settle(self.latched, &self.air);
                }
                source.heard |= loud_now;
                source.add(self.position, &self.air, input, outputs, done);
                source.remember(input);
            }
            self.position = (self.position + count) % PARTITION;
            done += count;
        }
    }
}
