//! Pink noise from white: a filter of -3 dB per octave.
//!
//! Eight first-order sections with poles and zeros at equal ratios from 8 Hz to far beyond the warped Nyquist frequency
//! follow 1 / sqrt(tan(w / 2)) (spectral tilt: J. O. Smith, Spectral Audio Signal Processing); two fixed sections turn
//! that into 1 / sqrt(w). Their four numbers are a least-squares fit of tan(x) / x, which is the same at every rate.
//! Within 0.2 dB from 20 Hz to 0.45 of the rate, 8 to 768 kHz. The eight are computed side by side, as the sum of
//! their partial fractions.

use multiversion::multiversion;

/// Sections of the tilt.
const SECTIONS: usize = 8;

/// Where the tilt begins, in hertz.
const LOWEST: f64 = 8.0;

/// The fixed sections: what multiplies the frame before, and the output before.
const FIXED: [[f64; 2]; 2] = [[0.60217479, -0.80280155], [0.15006925, -0.31283917]];

/// The tilt as `direct` x + the sum of `share` q / (1 - `pole` q), q a frame's delay.
#[derive(Debug, Clone, Copy)]
pub struct Tilt {
    direct: f64,
    shares: [f64; SECTIONS],
    poles: [f64; SECTIONS],
}

impl Tilt {
    /// At a rate in hertz.
    pub fn new(rate: f64) -> Tilt {
        let low = (std::f64::consts::PI * LOWEST / rate).tan();
        let ratio = (60.0 / low).powf(1.0 / SECTIONS as f64);
        let pole = |k: usize| low * ratio.powi(k as i32);
        let zero = |k: usize| pole(k) * ratio.sqrt();
        // Section k is (b0 + b1 q) / (1 - a q).
        let b0: [f64; SECTIONS] = std::array::from_fn(|k| (1.0 + zero(k)) / (1.0 + pole(k)));
        let b1: [f64; SECTIONS] = std::array::from_fn(|k| (zero(k) - 1.0) / (1.0 + pole(k)));
        let poles: [f64; SECTIONS] = std::array::from_fn(|k| (1.0 - pole(k)) / (1.0 + pole(k)));
        let shares = std::array::from_fn(|k| {
            let above: f64 = (0..SECTIONS).map(|j| b0[j] * poles[k] + b1[j]).product();
            let others = (0..SECTIONS).filter(|j| *j != k);
            above / others.map(|j| poles[k] - poles[j]).product::<f64>()
        });
        Tilt {
            direct: b0.iter().product(),
            shares,
            poles,
        }
    }
}

/// What one ear remembers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ear {
    tilt: [f64; SECTIONS],
    /// The fixed sections' last inputs and the last output.
    fixed: [f64; 3],
}

/// Shapes the noise of one ear.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub fn shape(ear: &mut Ear, tilt: &Tilt, input: &[f32], output: &mut [f32]) {
    let Tilt {
        direct,
        shares,
        poles,
    } = *tilt;
    let mut states = ear.tilt;
    let [mut first, mut second, mut last] = ear.fixed;
    for (x, y) in input.iter().zip(output) {
        let x = f64::from(*x);
        let mut parts = [0.0; SECTIONS];
        for k in 0..SECTIONS {
            parts[k] = shares[k] * states[k];
            states[k] = poles[k] * states[k] + x;
        }
        let [a, b, c, d, e, f, g, h] = parts;
        let tilted = direct * x + (((a + e) + (c + g)) + ((b + f) + (d + h)));
        let between = tilted + FIXED[0][0] * first + FIXED[0][1] * second;
        let out = between + FIXED[1][0] * second + FIXED[1][1] * last;
        (first, second, last) = (tilted, between, out);
        *y = out as f32;
    }
    ear.tilt = states;
    ear.fixed = [first, second, last];
}
