//! leveller: brings a program slowly to a loudness.
//!
//! Loudness is that of ITU-R BS.1770-4: K-weighting (its shelf and high-pass as analogue prototypes, so that they fit
//! every rate: their 48 kHz coefficients are the standard's within 1e-6; B. De Man, 2018), power summed over both
//! channels. The gain is what the mean power of the last `speed` seconds lacks to the target; it is frozen while
//! nothing of weight sounds: below -70 LUFS, 10 LU below the mean (the standard's two gates), and while `frozen` (the
//! gate is closed). A burst lowers a boost at once. Off is exactly 1.
//!
//! Every frame is weighed; what follows from it is found every 16 frames after a reset, and the gain moves there
//! in a straight line.

use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted};
use crate::dsp::ramp::raised_cosine;
use std::f64::consts::PI;

/// Frames from one gain to the next.
const CELL: usize = 16;

/// Positions of the parameters.
mod param {
    pub const ON: usize = 0;
    pub const TARGET: usize = 1;
    pub const SPEED: usize = 2;
    pub const FROZEN: usize = 3;
    pub const GAIN: usize = 4;
}

/// Seconds, on and off.
const SWITCH_TIME: f64 = 0.05;
/// Seconds, what decides whether anything of weight sounds.
const MOMENTARY: f64 = 0.1;
/// 36 dB.
const MOST: f64 = 63.1;
/// 25 dB above the mean: what is above counts as this.
const OUTLIER: f64 = 300.0;
/// 13 dB above the target: the most that a boost makes of a burst.
const BURST: f64 = 20.0;
/// Seconds, what is a burst.
const FAST: f64 = 0.02;
/// Seconds, in which a peak is forgotten.
const PEAK_TIME: f64 = 0.05;
/// Seconds, in which a moved target is followed.
const TARGET_TIME: f64 = 0.1;
/// +18 dBFS: what is above counts as this. One broken sample, however large, must not deafen it for minutes.
const LOUDEST: f64 = 8.0;
/// Peaks that a boost keeps below: +6 dBFS.
const HEADROOM: f64 = 2.0;
/// -70 LUFS as a power.
const GATE: f64 = 1.172e-7;
/// Powers and levels below count as this.
const TINY: f64 = 1e-12;

/// A section of second order: b0, b1, b2, a1, a2.
type Section = [f64; 5];

/// Filters and averages at a rate.
#[derive(Debug, Clone, Copy)]
struct Shape {
    sections: [Section; 2],
    /// What an average takes of a cell.
    momentary: f64,
    whole: f64,
    fast: f64,
    target: f64,
    /// What is left of a peak after a cell.
    decay: f64,
    /// Frames of `speed`.
    frames: f64,
    /// How far on and off move in a cell.
    switch: f64,
}

impl Shape {
    fn new(rate: f64, speed: f64) -> Shape {
        let cell = CELL as f64;
        let left = |seconds: f64| (-cell / (seconds * rate).max(1.0)).exp();
        Shape {
            sections: [shelf(rate), high_pass(rate)],
            momentary: 1.0 - left(MOMENTARY),
            // At most 10 s, so that a program that stays quieter by more than the gate is followed in time.
            whole: 1.0 - left(speed.clamp(3.0, 10.0)),
            fast: 1.0 - left(FAST),
            target: 1.0 - left(TARGET_TIME),
            decay: left(PEAK_TIME),
            frames: speed * rate,
            switch: cell / (SWITCH_TIME * rate).max(cell),
        }
    }
}

/// The bilinear transform of (h s^2 + b s + l) / (s^2 + k s + 1) around a frequency.
fn section(rate: f64, frequency: f64, k: f64, [h, b, l]: [f64; 3]) -> Section {
    let g = (PI * (frequency / rate).min(0.48)).tan();
    let a0 = 1.0 + g * (g + k);
    [
        (h + b * g + l * g * g) / a0,
        2.0 * (l * g * g - h) / a0,
        (h - b * g + l * g * g) / a0,
        2.0 * (g * g - 1.0) / a0,
        (1.0 + g * (g - k)) / a0,
    ]
}

/// The K-weighting's shelf of 4 dB from 1.68 kHz.
fn shelf(rate: f64) -> Section {
    let k = 1.0 / 0.7071752369554196;
    let high = 10f64.powf(3.999843853973347 / 20.0);
    let band = high.powf(0.4996667741545416) * k;
    section(rate, 1681.974450955533, k, [high, band, 1.0])
}

/// The K-weighting's high-pass at 38 Hz.
fn high_pass(rate: f64) -> Section {
    let [_, _, _, a1, a2] = section(
        rate,
        38.13547087602444,
        1.0 / 0.5003270373238773,
        [1.0, 0.0, 0.0],
    );
    // The standard's numerator is 1 -2 1: the gain of its high-pass at high frequencies is not 1.
    [1.0, -2.0, 1.0, a1, a2]
}

/// One frame through a section, on both channels.
#[inline(always)]
fn filter([b0, b1, b2, a1, a2]: &Section, state: &mut [[f64; 2]; 2], x: [f64; 2]) -> [f64; 2] {
    let mut y = [0.0; 2];
    for ear in 0..2 {
        y[ear] = b0 * x[ear] + state[0][ear];
        state[0][ear] = b1 * x[ear] - a1 * y[ear] + state[1][ear];
        state[1][ear] = b2 * x[ear] - a2 * y[ear];
    }
    y
}

/// What it has heard.
#[derive(Debug, Clone, Copy)]
struct Memory {
    /// Two for each section.
    filters: [[[f64; 2]; 2]; 2],
    /// Frames of the cell that have been.
    passed: usize,
    /// Of the cell so far: power, power without outliers, peak.
    power: f64,
    within: f64,
    peak: f64,
    /// Powers above count as this.
    bound: f64,
    heard: f64,
    whole: f64,
    fast: f64,
    /// The slow peak.
    envelope: f64,
    mean: f64,
    /// The share of `speed` that the mean is of: a share, so that a moved speed does not move the fade. At first it
    /// is the mean of all frames so far.
    counted: f64,
    /// 0 off, 1 on, and whether it moves there.
    on: f64,
    rises: bool,
    /// The target in LUFS and as a power.
    target: f64,
    wanted: f64,
    gain: f64,
    slope: f64,
    /// The gain at the end of the cell.
    next: f64,
    begun: bool,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            filters: [[[0.0; 2]; 2]; 2],
            passed: 0,
            power: 0.0,
            within: 0.0,
            peak: 0.0,
            bound: OUTLIER * GATE,
            heard: 0.0,
            whole: 0.0,
            fast: 0.0,
            envelope: 0.0,
            mean: 0.0,
            counted: 0.0,
            on: 0.0,
            rises: false,
            target: 0.0,
            wanted: 0.0,
            gain: 1.0,
            slope: 0.0,
            next: 1.0,
            begun: false,
        }
    }
}

/// The gain, and all that it is made of.
struct Leveller {
    info: NodeInfo,
    values: [f64; 4],
    rate: f64,
    shape: Shape,
    memory: Memory,
}

fn params() -> Vec<ParamInfo> {
    let switch = |name, help| ParamInfo {
        kind: ParamKind::Switch,
        step: 1.0,
        ..ParamInfo::number(name, "", 0.0..=1.0, 0.0, help)
    };
    let number = |name, unit, range, default, help| ParamInfo {
        step: 0.01,
        ..ParamInfo::number(name, unit, range, default, help)
    };
    vec![
        switch("on", "Off passes the signal bit for bit"),
        number("target", "LUFS", -40.0..=-8.0, -20.0, "Loudness to come to"),
        number(
            "speed",
            "s",
            0.5..=60.0,
            10.0,
            "Seconds that it averages over",
        ),
        switch("frozen", "The gain stays, as in a pause"),
        ParamInfo {
            kind: ParamKind::Readout,
            ..ParamInfo::number("gain", "", 0.0..=64.0, 1.0, "Gain now")
        },
    ]
}

impl Leveller {
    fn new(name: &str, help: &str, inputs: &str, outputs: &str) -> Leveller {
        let info = NodeInfo {
            params: params(),
            ..NodeInfo::rust(name, help, inputs, outputs)
        };
        Leveller {
            info,
            values: [0.0, -20.0, 10.0, 0.0],
            rate: 48_000.0,
            shape: Shape::new(48_000.0, 10.0),
            memory: Memory::new(),
        }
    }

    fn set(&mut self, index: usize, value: f64) {
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        if self.values[index] != value {
            self.values[index] = value;
            if index == param::SPEED {
                self.shape = Shape::new(self.rate, value);
            }
        }
    }

    fn get(&self, index: usize) -> f64 {
        match index {
            param::GAIN => self.memory.gain,
            _ => self.values.get(index).copied().unwrap_or(0.0),
        }
    }

    /// Hears so many frames and hands over the gain of each.
    #[inline(always)]
    fn run(
        &mut self,
        frames: usize,
        mut hear: impl FnMut(usize) -> [f32; 2],
        mut put: impl FnMut(usize, f64),
    ) {
        if !self.memory.begun && frames > 0 {
            self.begin();
        }
        let mut done = 0;
        while done < frames {
            let count = (CELL - self.memory.passed).min(frames - done);
            let [shelf, high_pass] = self.shape.sections;
            let Memory {
                filters: [mut first, mut second],
                mut power,
                mut within,
                mut peak,
                bound,
                mut gain,
                mut slope,
                mut next,
                ..
            } = self.memory;
            for n in done..done + count {
                let heard = hear(n).map(|x| bounded(f64::from(x)));
                let weighted = filter(&high_pass, &mut second, filter(&shelf, &mut first, heard));
                let now = weighted[0] * weighted[0] + weighted[1] * weighted[1];
                power += now;
                within += if now < bound { now } else { bound };
                let [l, r] = heard.map(f64::abs);
                let loud = if l > r { l } else { r };
                peak = if peak > loud { peak } else { loud };
                gain += slope;
                // The first milliseconds of a burst: not above +6 dBFS, if they are not louder themselves.
                if loud * gain > HEADROOM && gain > 1.0 {
                    gain = (HEADROOM / loud).max(1.0);
                    (slope, next) = (0.0, gain);
                }
                put(n, gain);
            }
            let memory = &mut self.memory;
            memory.filters = [first, second];
            (memory.power, memory.within, memory.peak) = (power, within, peak);
            (memory.gain, memory.slope, memory.next) = (gain, slope, next);
            memory.passed += count;
            done += count;
            if memory.passed == CELL {
                self.decide();
            }
        }
    }

    fn begin(&mut self) {
        let memory = &mut self.memory;
        memory.begun = true;
        memory.on = self.values[param::ON];
        memory.target = self.values[param::TARGET];
        memory.wanted = as_power(memory.target);
    }

    /// What follows from a cell: the gain at the end of the next one.
    fn decide(&mut self) {
        let (shape, memory) = (&self.shape, &mut self.memory);
        let power = memory.power / CELL as f64;
        memory.heard += shape.momentary * (power - memory.heard);
        memory.whole += shape.whole * (power - memory.whole);
        memory.fast += shape.fast * (power - memory.fast);
        memory.envelope = memory.peak.max(memory.envelope * shape.decay);
        let sounds = memory.heard > GATE && memory.heard > 0.1 * memory.whole;
        if sounds && self.values[param::FROZEN] == 0.0 {
            let cell = CELL as f64;
            memory.counted = (memory.counted + cell / shape.frames).min(1.0);
            let share = cell / (memory.counted * shape.frames).max(cell);
            memory.mean += share * (memory.within / cell - memory.mean);
        }
        // A broken sample in a soft program weighs little; what stays loud raises the mean all the same.
        memory.bound = OUTLIER * memory.mean.max(GATE);
        (memory.power, memory.within, memory.peak, memory.passed) = (0.0, 0.0, 0.0, 0);
        let target = self.values[param::TARGET];
        if memory.target != target {
            memory.target += shape.target * (target - memory.target);
            if (memory.target - target).abs() < 1e-9 {
                memory.target = target;
            }
            memory.wanted = as_power(memory.target);
        }
        memory.switch(self.values[param::ON], shape.switch);
        memory.gain = memory.next;
        memory.next = memory.aim();
        memory.slope = (memory.next - memory.gain) * (1.0 / CELL as f64);
    }
}

impl Memory {
    /// On and off: a move that has begun is finished before the next one, so that its raised cosine has no corner.
    fn switch(&mut self, wanted: f64, step: f64) {
        if self.on <= 0.0 || self.on >= 1.0 {
            self.rises = wanted != 0.0;
        }
        let step = if self.rises { step } else { -step };
        self.on = (self.on + step).clamp(0.0, 1.0);
    }

    /// The gain that what has been heard asks for.
    fn aim(&self) -> f64 {
        if self.on == 0.0 {
            return 1.0;
        }
        let slow = self.wanted / self.mean.max(TINY);
        let burst = (BURST * self.wanted / self.fast.max(TINY)).max(1.0);
        let whole = slow.min(burst).min(MOST * MOST).sqrt();
        let whole = whole.min((HEADROOM / self.envelope.max(1e-6)).max(1.0));
        // It leaves 1 as it gets to know the program: the first `speed` seconds are a fade.
        let gain = 1.0 + raised_cosine(self.counted) * (whole - 1.0);
        let on = raised_cosine(self.on);
        1.0 - on + on * gain
    }
}

#[inline(always)]
fn bounded(x: f64) -> f64 {
    let x = if x < LOUDEST { x } else { LOUDEST };
    if x > -LOUDEST { x } else { -LOUDEST }
}

/// LUFS as the power of both channels together; -0.691 dB belongs to the definition.
fn as_power(loudness: f64) -> f64 {
    10f64.powf((loudness + 0.691) / 10.0)
}

/// Makes the stereo node.
pub fn create() -> Box<dyn Node> {
    let help =
        "Brings the program slowly to a loudness (ITU-R BS.1770), frozen in pauses. Stereo-linked.";
    let stereo = "program: stereo";
    Box::new(Leveller::new("leveller", help, stereo, stereo))
}

/// Makes the node for buses. A plane wave has the level of its omnidirectional channel (SN3D), and is taken to be
/// heard by both ears so.
pub fn create_bus() -> Box<dyn Node> {
    let help =
        "The gain that brings a bus slowly to a loudness (ITU-R BS.1770), from its first channel.";
    Box::new(Leveller::new(
        "leveller_bus",
        help,
        "omni: mono",
        "gain: mono",
    ))
}

impl Node for Leveller {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.rate = sample_rate;
        self.shape = Shape::new(sample_rate, self.values[param::SPEED]);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.memory = Memory::new();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        match (inputs, outputs) {
            ([left, right], [out_left, out_right]) => {
                let frames = left.len().min(right.len());
                let (left, right) = (&left[..frames], &right[..frames]);
                let (out_left, out_right) = (&mut out_left[..frames], &mut out_right[..frames]);
                self.run(
                    frames,
                    |n| [left[n], right[n]],
                    |n, gain| {
                        out_left[n] = (f64::from(left[n]) * gain) as f32;
                        out_right[n] = (f64::from(right[n]) * gain) as f32;
                    },
                );
            }
            // A bus: what comes out is the gain itself.
            ([omni], [gains]) => self.run(
                omni.len(),
                |n| [omni[n]; 2],
                |n, gain| gains[n] = gain as f32,
            ),
            _ => {}
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        self.set(index, value);
    }

    fn get_param(&self, index: usize) -> f64 {
        self.get(index)
    }
}
