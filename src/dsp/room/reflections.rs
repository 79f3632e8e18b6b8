//! Sources in, early reflections on a bus out, on the grid.

use super::harmonics::Recurrence;
use super::source::{Piece, Source};
use super::voice::{Mix, Scene};
use super::wall::{Change, Wall};
use super::{Room, SOUND};
use crate::dsp::ambisonics::{MAX_CHANNELS, MAX_ORDER, channels};
use crate::dsp::binaural::{FADE, Move, Target};
use crate::dsp::convolve::PARTITION;
use crate::dsp::ramp::{Ramp, Shape, raised_cosine};

/// Signals for the late part.
pub const SENDS: usize = 4;

/// The largest room in metres.
const LARGEST: f64 = 30.0;

/// Seconds until what walls hold has died: a filter of first order above some 100 Hz.
const RINGING: f64 = 0.1;

/// What is let in at a level.
fn share_of(level: f64) -> f64 {
    if level > 0.0 { 1.0 } else { 0.0 }
}

/// Renders the reflections of sources.
///
/// Making one allocates; everything else neither allocates nor frees. Settings act at the start of the next quantum of
/// 32 frames from `reset`.
#[derive(Debug)]
pub struct Reflections {
    scene: Scene,
    sources: Vec<Source>,
    /// As set.
    room: Room,
    order: usize,
    goal: f64,
    level: Ramp,
    /// Share of the input: after level 0 it may be in the middle of a wave, and fades in before it is heard.
    open: Ramp,
    walls: Change,
    cosine: Vec<f32>,
    mix: Mix,
    /// Frames of the quantum so far.
    position: usize,
    /// Nothing has been processed since reset.
    fresh: bool,
}

impl Reflections {
    /// Reflections of a number of sources, in front at 1.5 m, at a sample rate in hertz.
    ///
    /// Memory per source: two lines of a quarter of a second, and some 80 KB.
    pub fn new(rate: f64, sources: usize, room: Room, order: usize) -> Reflections {
        let scene = Scene {
            rate,
            room,
            order: order.clamp(1, MAX_ORDER),
            recurrence: Recurrence::new(),
        };
        let longest = (3.0 * LARGEST / SOUND * rate).ceil() as usize;
        let source = Source::new(longest, (RINGING * rate) as usize, &scene);
        let fade = (FADE * rate / PARTITION as f64).ceil() as usize * PARTITION;
        Reflections {
            room,
            order: scene.order,
            goal: 1.0,
            level: Ramp::new(1.0),
            open: Ramp::new(1.0),
            walls: Change::new(Wall::new(&room, rate)),
            cosine: (0..fade)
                .map(|n| raised_cosine((n + 1) as f64 / fade as f64) as f32)
                .collect(),
            mix: Mix::new(),
            sources: vec![source; sources],
            scene,
            position: 0,
            fresh: true,
        }
    }

    /// Silence, as if nothing had been heard; settings are there at once.
    pub fn reset(&mut self) {
        self.sources.iter_mut().for_each(Source::rest);
        self.position = 0;
        self.fresh = true;
    }

    /// The room; sizes over 30 m are rendered as 30 m.
    pub fn set_room(&mut self, room: Room) {
        self.room = Room {
            size: room.size.clamp(0.1, LARGEST),
            decay: room.decay.max(0.01),
        };
    }

    /// The order of the bus, 1 to 7.
    pub fn set_order(&mut self, order: usize) {
        self.order = order.clamp(1, MAX_ORDER);
    }

    /// The level, linear; 0 is exact silence once it has faded, and costs nothing.
    pub fn set_level(&mut self, level: f64) {
        self.goal = level;
    }

    /// Where a source is to be at the end of the next quantum. No such source: nothing happens.
    pub fn set_target(&mut self, source: usize, target: Target, how: Move) {
        if let Some(source) = self.sources.get_mut(source) {
            source.set_target(target, how);
        }
    }

    fn is_off(&self) -> bool {
        self.level.is_still() && self.level.target() == 0.0
    }

    /// The start of a quantum.
    fn begin(&mut self) {
        let fade = self.cosine.len();
        if self.fresh {
            self.fresh = false;
            self.level.jump(self.goal);
            self.open.jump(share_of(self.goal));
            self.scene.room = self.room;
            self.scene.order = self.order;
            self.walls = Change::new(Wall::new(&self.room, self.scene.rate));
        }
        if self.goal != self.level.target() {
            // The sends end with the late part's level, which is the same control.
            let share = share_of(self.goal);
            if self.open.target() != share {
                self.open.travel(share, fade as u64, Shape::RaisedCosine);
            }
            let goal = self.goal;
            self.level.travel(goal, fade as u64, Shape::RaisedCosine);
        }
        if self.scene.room != self.room && self.walls.is_still() {
            self.scene.room = self.room;
            let wall = Wall::new(&self.room, self.scene.rate);
            self.walls.travel(wall);
        }
        self.scene.order = self.order;
        for source in &mut self.sources {
            source.begin(&self.scene, fade);
        }
    }

    /// Any number of frames: one input a source; the outputs (64 channels of the bus, then [`SENDS`]) are overwritten.
    /// The same bits however the stream is cut, as long as settings are made in the same quanta.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let frames = outputs.first().map_or(0, |output| output.len());
        let mut done = 0;
        while done < frames {
            if self.position == 0 {
                self.begin();
            }
            let count = (PARTITION - self.position).min(frames - done);
            self.piece(inputs, outputs, done, count);
            self.position += count;
            done += count;
            if self.position == PARTITION {
                self.position = 0;
                let off = self.is_off();
                for source in &mut self.sources {
                    source.end();
                    if off {
                        source.rest();
                    }
                }
            }
        }
    }

    fn piece(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]], from: usize, count: usize) {
        let (mut level, mut open, mut way) =
            ([0.0f32; PARTITION], [0.0f32; PARTITION], [0.0; PARTITION]);
        let off = self.is_off();
        let mut walls = [self.walls.now(); PARTITION];
        for n in 0..count {
            level[n] = self.level.step() as f32;
            open[n] = self.open.step() as f32;
            way[n] = (self.position + n) as f32 / PARTITION as f32;
            walls[n] = self.walls.next(&self.cosine);
        }
        let mut order = None;
        if !off {
            let piece = Piece {
                open: &open,
                way: &way,
                walls: &walls,
                cosine: &self.cosine,
            };
            let mix = &mut self.mix;
            mix.clear();
            for (source, input) in self.sources.iter_mut().zip(inputs) {
                source.process(&input[from..from + count], &piece, &self.scene, mix);
                order = order.max(source.order());
            }
        }
        let used = order.map_or(0, channels);
        for (c, output) in outputs.iter_mut().enumerate() {
            let output = &mut output[from..from + count];
            let signal = match c.checked_sub(MAX_CHANNELS) {
                None if c < used => &self.mix.bus[c],
                Some(send) if send < SENDS && order.is_some() => &self.mix.sends[send],
                _ => {
                    output.fill(0.0);
                    continue;
                }
            };
            output.copy_from_slice(&signal[..count]);
            if c < used {
                for (output, level) in output.iter_mut().zip(&level) {
                    *output *= level;
                }
            }
        }
    }
}
