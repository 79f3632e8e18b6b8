//! One rendering of a source: the delays and gains of its images, and the way to the next ones.

use super::harmonics::{Recurrence, harmonics};
use super::images::{IMAGES, images};
use super::kernels::{BLOCK, Delays, Past, Quantum, Row, blend, delay, encode, scale};
use super::{Room, SENDS};
use crate::dsp::ambisonics::{MAX_CHANNELS, channels};
use crate::dsp::binaural::Target;
use crate::dsp::convolve::PARTITION;

/// What all sources share, as it is in this quantum.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub rate: f64,
    pub room: Room,
    pub order: usize,
    pub recurrence: Recurrence,
}

/// Signals on their way to the bus.
#[derive(Debug, Clone)]
pub(super) struct Mix {
    pub bus: Box<[Quantum; MAX_CHANNELS]>,
    pub sends: [Quantum; SENDS],
    start: Box<[Quantum; IMAGES]>,
    middle: Box<[Quantum; IMAGES]>,
    end: Box<[Quantum; IMAGES]>,
    /// Channels of the bus that hold something.
    used: usize,
}

impl Mix {
    pub fn new() -> Mix {
        Mix {
            bus: Box::new([[0.0; PARTITION]; MAX_CHANNELS]),
            sends: [[0.0; PARTITION]; SENDS],
            start: Box::new([[0.0; PARTITION]; IMAGES]),
            middle: Box::new([[0.0; PARTITION]; IMAGES]),
            end: Box::new([[0.0; PARTITION]; IMAGES]),
            used: 0,
        }
    }

    /// Silence.
    pub fn clear(&mut self) {
        let used = self.used.next_multiple_of(BLOCK).min(MAX_CHANNELS);
        self.bus[..used].fill([0.0; PARTITION]);
        self.used = 0;
        self.sends = [[0.0; PARTITION]; SENDS];
    }
}

/// Where images are.
#[derive(Debug, Clone)]
struct Pose {
    delays: Delays,
    /// By channel.
    gains: Box<[Row; MAX_CHANNELS]>,
    sends: [f32; SENDS],
}

impl Pose {
    fn new() -> Pose {
        Pose {
            delays: Delays::NONE,
            gains: Box::new([[0.0; IMAGES]; MAX_CHANNELS]),
            sends: [0.0; SENDS],
        }
    }

    /// Of a target in a scene. Channels above its order stay as they are.
    fn place(&mut self, target: &Target, scene: &Scene) {
        let images = images(&scene.room, target);
        let toward = [0, 1, 2].map(|axis| images.map(|image| image.toward[axis] as f32));
        let gains = images.map(|image| image.gain as f32);
        self.delays = Delays::new(&images.map(|image| image.delay * scene.rate));
        let factors = &scene.recurrence;
        harmonics(factors, scene.order, &toward, &gains, &mut self.gains);
        self.sends = sends(target);
    }
}

/// Shares of a source in the sends: cardioids in the corners of a tetrahedron, whose powers add up to 1 in every
/// direction.
fn sends(target: &Target) -> [f32; SENDS] {
    const CORNERS: [[f64; 3]; SENDS] = [
        [1.0, 1.0, 1.0],
        [1.0, -1.0, -1.0],
        [-1.0, 1.0, -1.0],
        [-1.0, -1.0, 1.0],
    ];
    let toward = target.toward();
    CORNERS.map(|corner| {
        let along: f64 = corner.iter().zip(toward).map(|(a, b)| a * b).sum();
        (0.25 * (3f64.sqrt() + along) * target.gain) as f32
    })
}

/// A rendering: in a quantum it goes in a straight line from one pose to another.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub target: Target,
    pub room: Room,
    pub order: usize,
    start: Pose,
    end: Pose,
    /// Delays half-way.
    middle: Delays,
    /// End less start.
    slope: Box<[Row; MAX_CHANNELS]>,
    moves: bool,
}

impl Voice {
    pub fn new(scene: &Scene) -> Voice {
        Voice {
            target: Target::default(),
            room: scene.room,
            order: scene.order,
            start: Pose::new(),
            end: Pose::new(),
            middle: Delays::NONE,
            slope: Box::new([[0.0; IMAGES]; MAX_CHANNELS]),
            moves: false,
        }
    }

    /// Is there at once.
    pub fn settle(&mut self, target: Target, scene: &Scene) {
        self.target = target;
        self.room = scene.room;
        self.order = scene.order;
        for pose in [&mut self.start, &mut self.end] {
            pose.gains.fill([0.0; IMAGES]);
        }
        self.slope.fill([0.0; IMAGES]);
        self.start.place(&target, scene);
        self.moves = false;
    }

    /// Stays where it went, or goes on to a target in the room where it is.
    pub fn turn(&mut self, target: Target, scene: &Scene) {
        if self.moves {
            std::mem::swap(&mut self.start, &mut self.end);
            self.moves = false;
        }
        if target == self.target || self.room != scene.room || self.order != scene.order {
            return;
        }
        self.target = target;
        self.end.place(&target, scene);
        self.middle = self.start.delays.half_way(&self.end.delays);
        let count = channels(self.order);
        let ends = self.start.gains.iter().zip(self.end.gains.iter());
        for (slope, (start, end)) in self.slope.iter_mut().zip(ends).take(count) {
            for i in 0..IMAGES {
                slope[i] = end[i] - start[i];
            }
        }
        self.moves = true;
    }

    /// Adds a piece to the mix, faded by frame. `way` is how far each frame is through the quantum; `input`
    /// is what the sends take.
    pub fn render(
        &self,
        past: Past,
        input: &[f32],
        fade: Option<&Quantum>,
        way: &Quantum,
        mix: &mut Mix,
    ) {
        if self.target.gain == 0.0 && !self.moves {
            // A source that nobody hears: all its gains are zero.
            return;
        }
        for (k, send) in mix.sends.iter_mut().enumerate() {
            let (from, slope) = match self.moves {
                true => (self.start.sends[k], self.end.sends[k] - self.start.sends[k]),
                false => (self.start.sends[k], 0.0),
            };
            for (n, (send, x)) in send.iter_mut().zip(input).enumerate() {
                *send += x * (from + slope * way[n]) * fade.map_or(1.0, |fade| fade[n]);
            }
        }
        delay(past, &self.start.delays, &mut mix.start);
        if self.moves && self.end.delays != self.start.delays {
            delay(past, &self.end.delays, &mut mix.end);
            delay(past, &self.middle, &mut mix.middle);
            blend(&mut mix.start, &mix.middle, &mix.end, way);
        }
        if let Some(fade) = fade {
            scale(&mut mix.start, fade);
        }
        let count = channels(self.order);
        mix.used = mix.used.max(count);
        encode(count, &self.start.gains, &mix.start, &mut mix.bus);
        if self.moves {
            scale(&mut mix.start, way);
            encode(count, &self.slope, &mix.start, &mut mix.bus);
        }
    }
}
