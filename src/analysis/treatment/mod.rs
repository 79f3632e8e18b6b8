//! What has been done to music or speech at a beat: tremolo, alternating sides, a frequency shift between
//! the ears, a sweeping filter; and what merely pulsates by itself.
//!
//! All rest on one observation: a treatment is periodic to the last digit, and the same in every band.
//! Short-time spectra are summed into octave bands 400 times a second (window 20 ms); a treatment is a
//! line in the spectrum of these levels (or of the balance or phase between the ears) that is as narrow
//! as the file allows and stands 16 dB or more above its surroundings. Syllables and applause make hills
//! there, no lines. A drummer makes lines, but of another depth and phase in every band: that is told as
//! what it is, a pulsation.

mod bands;
mod lines;
#[cfg(test)]
mod material;
mod pulsation;
mod shape;
mod sides;
mod sweep;
#[cfg(test)]
mod tests;
mod tremolo;

use super::tones::Spectrum;
use bands::Bands;
pub use pulsation::{Pulsation, Sweep};
pub use shape::Shape;
pub use sides::{Bilateral, Shift};
pub use tremolo::Amplitude;

/// Faster is no beat, in hertz.
const HIGHEST: f64 = 100.0;

/// Weaker lines (relative to the level) are not told: a tremolo of depth 0.1.
const LEAST: f64 = 0.05;

/// Shorter signals are not judged, in seconds: three syllables are as regular as a clock.
pub const SHORTEST: f64 = 4.0;

/// The slowest rate that a signal of `seconds` can tell: so many cycles, and at least 0.2 Hz.
fn lowest(seconds: f64) -> f64 {
    (8.0 / seconds).max(0.2)
}

/// How often something happens, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Hertz.
    pub hz: f64,
    /// One standard deviation, in hertz.
    pub uncertainty: f64,
    /// How far its line stands above its surroundings, in dB.
    pub above: f64,
}

/// What was found. Each is told at most once: the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Treatments {
    /// A tremolo.
    pub amplitude: Option<Amplitude>,
    /// Sides that alternate.
    pub bilateral: Option<Bilateral>,
    /// A frequency shift between the ears.
    pub shift: Option<Shift>,
    /// A low-pass that sweeps.
    pub sweep: Option<Sweep>,
    /// A regular pulsation that is none of these: drums, beating tones.
    pub pulsation: Option<Pulsation>,
}

/// Listens to a stream for treatments. Of streams beyond ten minutes it judges the first ten; memory
/// grows to at most 50 MB by then.
pub struct Listener {
    bands: Bands,
    spectrum: Spectrum,
}

impl Listener {
    /// A listener to a stream of `channels` channels (1 or 2) at `rate` hertz.
    pub fn new(channels: usize, rate: f64) -> Listener {
        Listener {
            bands: Bands::new(rate, channels),
            spectrum: Spectrum::new(rate),
        }
    }

    /// Adds one chunk: a slice per channel, all of the same length.
    pub fn push(&mut self, channels: &[&[f32]]) {
        self.bands.push(channels);
        if let Some(first) = channels.first() {
            self.spectrum.push(first);
        }
    }

    /// What the stream so far has been treated with; nothing where it is shorter than [`SHORTEST`].
    pub fn find(&self) -> Treatments {
        if (self.bands.frames() as f64) < SHORTEST * self.bands.frame_rate() {
            return Treatments::default();
        }
        let bilateral = sides::bilateral(&self.bands);
        let mut level = pulsation::find(&self.bands, &self.spectrum, bilateral.as_ref());
        let shift = sides::shift(&self.bands);
        // What is shifted in part beats with its other part in each ear, at half of what it does between the ears.
        let mixed = shift.filter(|shift| shift.is_mixed);
        let is_of_shift = |rate: &Rate| {
            let half = mixed.map_or(0.0, |shift| 0.5 * shift.beat.hz.abs());
            (rate.hz - half).abs() < 2e-3 * half
        };
        level.amplitude = level.amplitude.filter(|found| !is_of_shift(&found.rate));
        Treatments {
            bilateral,
            shift,
            ..level
        }
    }
}

/// The treatments of a signal: a slice per channel (1 or 2) at `rate` hertz.
pub fn treatments(channels: &[&[f32]], rate: f64) -> Treatments {
    let mut listener = Listener::new(channels.len(), rate);
    listener.push(channels);
    listener.find()
}
