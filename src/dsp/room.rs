//! The early part of a room: where walls mirror sources, and how that sounds on an ambisonic bus.
//!
//! A box with its edges as 1 : 0.8 : 0.45 (within the limits of EBU Tech 3276, "Listening conditions for the assessment of
//! sound programme material", 1998, section 2.2, and away from ratios of small whole numbers), walls all alike, the listener
//! a little off every middle. Reflections of the first and second order are sources behind the walls (Allen and Berkley,
//! "Image method for efficiently simulating small-room acoustics", JASA 65, 1979): 24 of them, each later than the direct
//! sound by its longer way, weaker by that way and by what walls take, and encoded in its own direction.
//!
//! Walls take what makes 60 dB of decay last T(f) = decay / (1 + x^2 / (1 + x^2)), x = f / 24 kHz (Eyring 1930): all that is
//! taken, by walls, furniture and air, is counted as the walls'. Levels are Barron and Lee's ("Energy relations in concert
//! auditoriums", JASA 84, 1988), scaled by one factor for all reflections such that all a room returns of a source at
//! 1.5 m has the energy of its direct sound, whatever size and decay: the source is as directive as that takes.
//! `cpp/late.cpp` is the rest of the room, in the same terms.

mod harmonics;
mod images;
mod kernels;
mod line;
mod reflections;
mod source;
mod voice;
mod wall;

pub use images::{IMAGES, Image, images};
pub use reflections::{Reflections, SENDS};

/// Speed of sound in metres a second.
pub const SOUND: f64 = 343.0;

/// Edges re the longest: front to back, side to side, height.
const EDGES: [f64; 3] = [1.0, 0.8, 0.45];

/// The listener, from the back, right and lower wall, re each edge.
const LISTENER: [f64; 3] = [0.42, 0.46, 0.44];

/// ln 10^6: 60 dB of energy.
const DECAY: f64 = 13.815_510_557_964_274;

/// Where the decay of high frequencies is two thirds, in hertz.
const CORNER: f64 = 24_000.0;

/// Distance in metres at which a source has its own level.
const REFERENCE: f64 = 1.5;

/// The most that reflections are raised by: large rooms with short decays have none worth more.
const MOST: f64 = 4.0;

/// A room.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Longest edge in metres.
    pub size: f64,
    /// Seconds in which sound decays by 60 dB, in every octave up to 4 kHz.
    pub decay: f64,
}

impl Room {
    /// Edges in metres: front to back, side to side, height.
    pub fn edges(&self) -> [f64; 3] {
        EDGES.map(|edge| edge * self.size)
    }

    /// The listener's place in metres from the back, right and lower wall.
    pub fn listener(&self) -> [f64; 3] {
        let edges = self.edges();
        [0, 1, 2].map(|axis| edges[axis] * LISTENER[axis])
    }

    /// Seconds in which a frequency in hertz decays by 60 dB.
    pub fn decay_at(&self, frequency: f64) -> f64 {
        let x = (frequency / CORNER) * (frequency / CORNER);
        self.decay / (1.0 + x / (1.0 + x))
    }

    /// Mean free path over the speed of sound, in seconds: 4 V / (S c).
    pub fn free_time(&self) -> f64 {
        let [x, y, z] = self.edges();
        2.0 * x * y * z / (x * y + y * z + z * x) / SOUND
    }

    /// What reflections are scaled by.
    pub fn scale(&self) -> f64 {
        let [x, y, z] = self.edges();
        let direct = REFERENCE / SOUND;
        let density = 4.0 * std::f64::consts::PI * SOUND * REFERENCE * REFERENCE / (x * y * z);
        let returned = density * self.decay / DECAY * (-DECAY * direct / self.decay).exp();
        (1.0 / returned).sqrt().min(MOST)
    }
}
