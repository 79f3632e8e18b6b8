//! Fades in quanta: a raised cosine, a parabola a quantum.

use crate::dsp::convolve::PARTITION;
use crate::dsp::ramp::raised_cosine;
use std::f64::consts::PI;

/// Seconds of a fade.
pub(super) const SECONDS: f64 = 0.02;

/// What fades in has the gain `start` + t (`end` - `start`) + t (1 - t) `bend` over a quantum, t from 0 to 1; what fades
/// out has the rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fade {
    pub start: f32,
    pub end: f32,
    pub bend: f32,
}

impl Fade {
    /// It is over.
    pub const FULL: Fade = Fade {
        start: 1.0,
        end: 1.0,
        bend: 0.0,
    };

    /// It has not begun.
    pub const NOTHING: Fade = Fade {
        start: 0.0,
        end: 0.0,
        bend: 0.0,
    };

    /// Quanta of a fade at a rate in hertz.
    pub fn quanta(rate: f64) -> usize {
        (SECONDS * rate / PARTITION as f64).ceil() as usize
    }

    /// After so many quanta of `length`; `None`: before it.
    pub fn at(quanta: Option<usize>, length: usize) -> Fade {
        let Some(done) = quanta else {
            return Fade::NOTHING;
        };
        let at = |quanta: usize| quanta as f64 / length as f64;
        let gain = |quanta| raised_cosine(at(quanta)) as f32;
        let slope = |quanta| 0.5 * PI / length as f64 * (PI * at(quanta)).sin();
        Fade {
            start: gain(done),
            end: gain(done + 1),
            bend: (0.5 * (slope(done) - slope(done + 1))) as f32,
        }
    }

    /// Whether nothing of what fades in is heard.
    pub fn is_nothing(&self) -> bool {
        *self == Fade::NOTHING
    }

    /// The gain at a frame of the quantum.
    pub fn gain(&self, frame: usize) -> f32 {
        let way = frame as f32 * (1.0 / PARTITION as f32);
        self.start + way * (self.end - self.start) + way * (1.0 - way) * self.bend
    }
}
