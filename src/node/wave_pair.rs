//! wave_pair: band-limited triangle, saw and square, one an ear, at exact phases.
//!
//! The naive wave is corrected around each of its steps (or corners) by the difference between a step (a
//! corner) and the same through a linear-phase low-pass (BLEP: Brandt 2001; BLAMP: Esqueda, Välimäki and
//! Bilbao 2016). Phases are known in closed form, so the correction begins before the step without latency,
//! and no state is kept: any cut of the stream gives the same bits. The low-pass is a sinc of 48 frames
//! under a Kaiser window: -110 dB from the Nyquist frequency on, flat to 0.35 of the rate.

use super::{Node, NodeError, NodeInfo, ParamInfo, PhaseInfo, accepted};
use crate::dsp::phase::{Turning, to_cycles};
use crate::dsp::sine::audible;
use std::sync::OnceLock;

/// Position of the parameter that chooses the wave.
pub const WAVE: usize = 0;

/// Half the length of the correction in frames.
const HALF: usize = 24;
/// Entries of the tables per frame.
const FINE: usize = 256;
/// Cut-off of the low-pass in cycles a frame.
const CUTOFF: f64 = 0.425;
/// Kaiser's shape for -110 dB.
const BETA: f64 = 11.2;

/// What a low-passed step and a low-passed corner differ from the ideal by, over -HALF to HALF frames.
struct Corrections {
    step: Vec<f64>,
    corner: Vec<f64>,
    /// 1 over the highest value of a low-passed saw or square.
    scale: f64,
}

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-18 * sum {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
        k += 1.0;
    }
    sum
}

/// The impulse response of the low-pass at t frames.
fn kernel(t: f64) -> f64 {
    let x = t / HALF as f64;
    if x.abs() >= 1.0 {
        return 0.0;
    }
    let angle = std::f64::consts::TAU * CUTOFF * t;
    let sinc = if angle.abs() < 1e-9 {
        1.0
    } else {
        angle.sin() / angle
    };
    2.0 * CUTOFF * sinc * bessel(BETA * (1.0 - x * x).sqrt()) / bessel(BETA)
}

impl Corrections {
    fn new() -> Corrections {
        let length = 2 * HALF * FINE;
        let width = 1.0 / FINE as f64;
        let time = |i: usize| i as f64 * width - HALF as f64;
        let values: Vec<f64> = (0..=2 * length)
            .map(|i| kernel(i as f64 * 0.5 * width - HALF as f64))
            .collect();
        // Simpson's rule from point to point, then normed to a step of exactly 1.
        let mut smooth = vec![0.0; length + 1];
        for i in 0..length {
            let mean = (values[2 * i] + 4.0 * values[2 * i + 1] + values[2 * i + 2]) / 6.0;
            smooth[i + 1] = smooth[i] + mean * width;
        }
        let whole = smooth[length];
        smooth.iter_mut().for_each(|x| *x /= whole);
        let highest = smooth.iter().copied().fold(0.0, f64::max);
        // The corner is the integral of the step; it is taken of the smooth step minus the ideal one, on
        // each side of 0 by itself, so that the jump at 0 is not integrated across.
        let step: Vec<f64> = (0..=length)
            .map(|i| smooth[i] - if time(i) >= 0.0 { 1.0 } else { 0.0 })
            .collect();
        let mut corner = vec![0.0; length + 1];
        for i in 0..length {
            // Trapezoid with the kernel's slope at both ends: exact to the fourth order.
            let ideal = if time(i) >= 0.0 { 1.0 } else { 0.0 };
            let (a, b) = (smooth[i] - ideal, smooth[i + 1] - ideal);
            let bend = (values[2 * i] - values[2 * i + 2]) / whole * width * width / 12.0;
            corner[i + 1] = corner[i] + 0.5 * (a + b) * width + bend;
        }
        Corrections {
            step,
            corner,
            scale: 1.0 / (2.0 * highest - 1.0),
        }
    }

    /// A table at t frames, -HALF < t < HALF, by a cubic through four points. `smooth` is the value that
    /// the ideal curve has left out: the cubic must not cross its jump at 0.
    fn at(table: &[f64], t: f64, jump: f64) -> f64 {
        let place = (t + HALF as f64) * FINE as f64;
        let i = (place as usize).clamp(1, table.len() - 3);
        let x = place - i as f64;
        let middle = HALF * FINE;
        // Left of 0 the tables hold the smooth curve, right of it the curve less the jump: put it back.
        let value = |k: usize| table[k] + if k >= middle { jump } else { 0.0 };
        let [a, b, c, d] = [value(i - 1), value(i), value(i + 1), value(i + 2)];
        let curve = b + x
            * (0.5 * (c - a)
                + x * (a - 2.5 * b + 2.0 * c - 0.5 * d + x * (0.5 * (d - a) + 1.5 * (b - c))));
        curve - if t >= 0.0 { jump } else { 0.0 }
    }
}

fn corrections() -> &'static Corrections {
    static TABLES: OnceLock<Corrections> = OnceLock::new();
    TABLES.get_or_init(Corrections::new)
}

/// The node.
pub struct WavePair {
    info: NodeInfo,
    wave: f64,
    ears: [Turning; 2],
    tables: &'static Corrections,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let phase = |name: &str, frequency| PhaseInfo {
        name: name.to_owned(),
        frequency,
    };
    let info = NodeInfo {
        phases: vec![phase("left", 245.0), phase("right", 255.0)],
        params: vec![ParamInfo {
            step: 1.0,
            ..ParamInfo::number("wave", "", 0.0..=2.0, 0.0, "0 is triangle, 1 saw, 2 square")
        }],
        ..NodeInfo::rust(
            "wave_pair",
            "Two band-limited triangles, saws or squares, one an ear, without latency.",
            "",
            "ears: stereo",
        )
    };
    Box::new(WavePair {
        info,
        wave: 0.0,
        ears: [Turning::default(); 2],
        tables: corrections(),
    })
}

impl WavePair {
    /// The sum of the corrections of all events at phase `event` that lie within reach, for a wave at
    /// phase `x` that moves by `increment` cycles a frame.
    fn corrected(table: &[f64], jump: f64, x: f64, event: f64, increment: f64) -> f64 {
        let reach = HALF as f64 * increment;
        let distance = x - event;
        let mut k = (-reach - distance).ceil();
        let mut sum = 0.0;
        while distance + k < reach {
            let t = (distance + k) / increment;
            if t > -(HALF as f64) {
                sum += Corrections::at(table, t, jump);
            }
            k += 1.0;
        }
        sum
    }

    /// One sample at phase x in cycles, 0 to 1.
    fn sample(&self, x: f64, increment: f64) -> f64 {
        let tables = self.tables;
        let moving = increment > 1e-9;
        let step = |event| {
            if moving {
                Self::corrected(&tables.step, 1.0, x, event, increment)
            } else {
                0.0
            }
        };
        match self.wave as u32 {
            0 => {
                let naive = 1.0 - 4.0 * ((x + 0.25) - (x + 0.25).floor() - 0.5).abs();
                if !moving {
                    return naive;
                }
                let corner = |event| {
                    Self::corrected(&tables.corner, 0.0, x, event, increment) * 8.0 * increment
                };
                naive - corner(0.25) + corner(0.75)
            }
            1 => {
                let naive = 2.0 * ((x + 0.5) - (x + 0.5).floor()) - 1.0;
                (naive - 2.0 * step(0.5)) * tables.scale
            }
            _ => {
                let naive = if x < 0.5 { 1.0 } else { -1.0 };
                (naive + 2.0 * step(0.0) - 2.0 * step(0.5)) * tables.scale
            }
        }
    }
}

impl Node for WavePair {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, _sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.ears = [Turning::default(); 2];
    }

    fn process(&mut self, _inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        for (index, output) in outputs.iter_mut().enumerate().take(2) {
            let mut ear = self.ears[index];
            for y in output.iter_mut() {
                let increment = ear.speed();
                *y = (self.sample(to_cycles(ear.phase), increment) * audible(increment)) as f32;
                ear.step();
            }
            self.ears[index] = ear;
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if let Some(value) = accepted(self.info.params.get(index), value) {
            self.wave = value.round();
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        if index == WAVE { self.wave } else { 0.0 }
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        if let Some(ear) = self.ears.get_mut(index) {
            *ear = Turning {
                phase,
                increment,
                sweep,
            };
        }
    }
}
