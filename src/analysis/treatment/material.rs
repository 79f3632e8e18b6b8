//! Sound for the tests, and the treatments as their definitions say.

use realfft::RealFftPlanner;
use std::f64::consts::{FRAC_PI_4, PI, SQRT_2, TAU};

/// Uniform numbers from -1 to 1 (xorshift).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Pink noise (P. Kellet's filter, at any rate: only about pink).
pub fn pink(frames: usize, seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
    (0..frames)
        .map(|_| {
            let white = dice.next();
            a = 0.997_65 * a + white * 0.099_046;
            b = 0.963 * b + white * 0.296_516_4;
            c = 0.57 * c + white * 1.052_691_3;
            0.05 * (a + b + c + white * 0.184_8)
        })
        .collect()
}

/// Syllables of a buzzing voice and of hiss, 3 to 8 a second, of uneven length, height and loudness,
/// with pauses.
pub fn speech(frames: usize, rate: f64, seed: u64) -> Vec<f64> {
    let mut dice = Dice::new(seed);
    let mut voice = Vec::with_capacity(frames);
    let (mut low, mut cycle) = (0.0, 0.0);
    while voice.len() < frames {
        let seconds = 0.19 + 0.06 * dice.next();
        let (loud, pitch) = (0.1 + 0.08 * dice.next(), 120.0 + 30.0 * dice.next());
        let hiss = 0.25 + 0.2 * dice.next();
        let length = (seconds * rate) as usize;
        for n in 0..length {
            let shape = (PI * n as f64 / length as f64).sin().powi(2);
            cycle = (cycle + pitch / rate) % 1.0;
            let buzz = 2.0 * cycle - 1.0;
            low += 0.2 * (buzz - low);
            voice.push(loud * shape * (low + hiss * dice.next()));
        }
        if dice.next() > 0.7 {
            let pause = (0.3 + 0.2 * dice.next()) * rate;
            voice.extend((0..pause as usize).map(|_| 0.0));
        }
    }
    voice.truncate(frames);
    voice
}

/// Four notes with eight harmonics that sound on, and a little hiss.
pub fn chord(frames: usize, rate: f64) -> Vec<f64> {
    let mut dice = Dice::new(9);
    (0..frames)
        .map(|n| {
            let tones = [221.3, 277.18, 331.7, 443.9].iter().flat_map(|f| {
                (1..9).map(move |k| {
                    let turned = f * f64::from(k) * n as f64 / rate;
                    (TAU * turned.fract() + f64::from(k)).sin() / f64::from(k)
                })
            });
            0.03 * tones.sum::<f64>() + 0.001 * dice.next()
        })
        .collect()
}

/// Drums: a kick and a hat at `tempo` strokes a second each, the hat between the kicks.
pub fn drums(frames: usize, rate: f64, tempo: f64) -> Vec<f64> {
    let mut dice = Dice::new(4);
    (0..frames)
        .map(|n| {
            let beat = (n as f64 / rate * tempo).fract() / tempo;
            let between = (n as f64 / rate * tempo + 0.5).fract() / tempo;
            let kick = (TAU * 60.0 * beat).sin() * (-beat * 14.0).exp();
            0.3 * kick + 0.1 * dice.next() * (-between * 40.0).exp()
        })
        .collect()
}

/// A gain between 1 and 1 - depth, as a cosine.
pub fn tremolo(sound: &[f64], rate: f64, beat: f64, depth: f64) -> Vec<f64> {
    let gain =
        |n: usize| 1.0 - depth / 2.0 + depth / 2.0 * (TAU * beat * n as f64 / rate + 0.7).cos();
    sound.iter().enumerate().map(|(n, x)| x * gain(n)).collect()
}

/// On for a share of the cycle, with raised-cosine flanks of 10 ms around the points of half amplitude.
pub fn pulses(sound: &[f64], rate: f64, beat: f64, depth: f64, duty: f64) -> Vec<f64> {
    let gain = |n: usize| {
        let phase = (beat * n as f64 / rate).fract();
        let away = (phase - 0.5).abs();
        let up = ((duty / 2.0 - away) / (0.01 * beat) + 0.5).clamp(0.0, 1.0);
        1.0 - depth + depth * (0.5 - 0.5 * (PI * up).cos())
    };
    sound.iter().enumerate().map(|(n, x)| x * gain(n)).collect()
}

/// Equal-power pan from side to side.
pub fn pan(sound: &[f64], rate: f64, beat: f64, depth: f64) -> [Vec<f64>; 2] {
    let angle = |n: usize| FRAC_PI_4 * (1.0 - depth * (TAU * beat * n as f64 / rate).sin());
    let ear = |gain: fn(f64) -> f64| {
        let gains = (0..sound.len()).map(|n| SQRT_2 * gain(angle(n)));
        sound.iter().zip(gains).map(|(x, gain)| x * gain).collect()
    };
    [ear(f64::cos), ear(f64::sin)]
}

/// Left lower and right higher by half the beat each: single sideband, by the analytic signal of the
/// whole.
pub fn shift(sound: &[f64], rate: f64, beat: f64) -> [Vec<f64>; 2] {
    let frames = sound.len();
    let mut planner = RealFftPlanner::new();
    let mut spectrum = vec![Default::default(); frames / 2 + 1];
    let forward = planner.plan_fft_forward(frames);
    forward.process(&mut sound.to_vec(), &mut spectrum).unwrap();
    for bin in &mut spectrum {
        *bin *= realfft::num_complex::Complex::new(0.0, -1.0) / frames as f64;
    }
    spectrum[0] = Default::default();
    spectrum[frames / 2].im = 0.0;
    let mut quadrature = vec![0.0; frames];
    let inverse = planner.plan_fft_inverse(frames);
    inverse.process(&mut spectrum, &mut quadrature).unwrap();
    let ear = |sign: f64| {
        let turned = |(n, (x, y)): (usize, (&f64, &f64))| {
            let (sin, cos) = (sign * PI * beat * n as f64 / rate).sin_cos();
            x * cos - y * sin
        };
        sound
            .iter()
            .zip(&quadrature)
            .enumerate()
            .map(turned)
            .collect()
    };
    [ear(-1.0), ear(1.0)]
}

/// A resonant low-pass (state-variable, trapezoidal) whose cut-off travels between `low` and `high`.
pub fn sweep(sound: &[f64], rate: f64, beat: f64, low: f64, high: f64) -> Vec<f64> {
    let (mut a, mut b) = (0.0, 0.0);
    sound
        .iter()
        .enumerate()
        .map(|(n, x)| {
            let along = 0.5 + 0.5 * (TAU * beat * n as f64 / rate).cos();
            let g = (PI * low * (high / low).powf(along) / rate).tan();
            let middle = (a + g * (x - b)) / (1.0 + g * (g + 0.5));
            let out = b + g * middle;
            (a, b) = (2.0 * middle - a, 2.0 * out - b);
            out
        })
        .collect()
}
