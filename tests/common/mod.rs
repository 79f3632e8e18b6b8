//! What several tests share: ways of cutting a stream, test signals, renders through the engine.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod floor;
pub mod held;
pub mod solo;
pub mod sphere;
pub mod workloads;

use std::f64::consts::TAU;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Event, Transport};

/// A small deterministic generator (xorshift64*), so that failures repeat.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// 0 up to but not including `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// -1 to 1.
    pub fn sample(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// White noise of -1 to 1.
pub fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15u64.wrapping_mul(2 * seed + 1));
    (0..frames).map(|_| random.sample()).collect()
}

/// The ways of cutting a stream that ACCEPTANCE.md names; `None` is random.
pub const BLOCKS: &[Option<usize>] = &[
    Some(1),
    Some(7),
    Some(32),
    Some(64),
    Some(480),
    Some(1024),
    None,
];

/// Cuts a length into blocks: of one size, or random of 0 to 700 frames.
pub fn cuts(total: usize, size: Option<usize>, seed: u64) -> Vec<usize> {
    let mut random = Random(seed | 1);
    let mut left = total;
    let mut sizes = Vec::new();
    while left > 0 {
        let size = size.unwrap_or_else(|| random.below(700) as usize).min(left);
        sizes.push(size);
        left -= size;
    }
    sizes
}

/// Noise in bursts: loud, quiet, silent, in turn, so that gates and ceilings have something to do.
pub fn bursts(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed | 1);
    (0..frames)
        .map(|frame| {
            let level = [1.5, 0.3, 0.0005, 0.0, 0.05][frame / 3000 % 5];
            random.sample() * level
        })
        .collect()
}

/// Music-like material: drums, a bass and chords of saws at 110 to the minute, the same at every rate but
/// for the band limit; peaks near `level`.
pub fn music(seconds: f64, rate: f64, level: f64, seed: u64) -> [Vec<f32>; 2] {
    let mut random = Random(seed | 1);
    let frames = (seconds * rate) as usize;
    let beat = 60.0 / 110.0;
    let chords = [
        [57.0, 60.0, 64.0],
        [53.0, 57.0, 60.0],
        [48.0, 52.0, 55.0],
        [55.0, 59.0, 62.0],
    ];
    let hertz = |note: f64| 440.0 * 2f64.powf((note - 69.0) / 12.0);
    let mut low = [0.0f64; 2];
    let mut out = [Vec::with_capacity(frames), Vec::with_capacity(frames)];
    for n in 0..frames {
        let t = n as f64 / rate;
        let (count, within) = ((t / beat) as usize, t % beat);
        let chord = &chords[count / 4 % 4];
        // A kick that falls in pitch, a snare on two and four, hats on eighths.
        let kick = (TAU * (45.0 * within + 12.0 * (1.0 - (-within * 30.0).exp()))).sin()
            * (-within * 9.0).exp();
        let snare = if count % 2 == 1 {
            (-within * 14.0).exp()
        } else {
            0.0
        };
        let hat = (-(t % (beat / 2.0)) * 60.0).exp();
        let bass = (TAU * hertz(chord[0] - 24.0) * t).sin();
        for ear in 0..2 {
            let white = f64::from(random.sample());
            low[ear] += 0.5 * (white - low[ear]);
            let mut pad = 0.0;
            for (voice, note) in chord.iter().enumerate() {
                let f = hertz(*note) * (1.0 + 0.001 * (voice + ear) as f64);
                let harmonics = ((0.45 * rate / f) as usize).min(5);
                for h in 1..=harmonics {
                    pad += (TAU * f * h as f64 * t).sin() / h as f64;
                }
            }
            let sum = 0.9 * kick
                + 0.5 * snare * low[ear]
                + 0.2 * hat * low[ear]
                + 0.35 * bass
                + 0.08 * pad;
            out[ear].push((level * 0.7 * sum) as f32);
        }
    }
    out
}

/// A change at a frame of the whole render.
pub type At = (usize, ControlId, Change);

/// A step at a frame of the whole render.
pub fn step(frame: usize, control: ControlId, value: f64) -> At {
    (frame, control, Change::Step(value))
}

/// What to render through the engine.
pub struct Render<'a> {
    pub rate: f64,
    pub settings: &'a [(ControlId, f64)],
    pub events: &'a [At],
    pub input: [Vec<f32>; 2],
    /// The song position at the first frame; `None` is a host without a transport.
    pub song: Option<i64>,
}

impl Render<'_> {
    /// Renders in blocks of a size (`None`: random), in one go from a fresh engine.
    pub fn run(&self, block: Option<usize>) -> [Vec<f32>; 2] {
        let mut engine = Engine::new(self.rate).unwrap();
        self.run_on(&mut engine, block)
    }

    /// The same on an engine that may have run before: set, reset, render.
    pub fn run_on(&self, engine: &mut Engine, block: Option<usize>) -> [Vec<f32>; 2] {
        for control in ControlId::all() {
            engine.set(control, control.control().default_value());
        }
        for (control, value) in self.settings {
            engine.set(*control, *value);
        }
        engine.reset();
        let [mut left, mut right] = self.input.clone();
        let mut start = 0;
        for count in cuts(left.len(), block, 99) {
            let end = start + count;
            let events: Vec<Event> = self
                .events
                .iter()
                .filter(|(frame, ..)| (start..end).contains(frame))
                .map(|(frame, control, change)| Event {
                    frame: frame - start,
                    control: *control,
                    change: *change,
                })
                .collect();
            let transport = match self.song {
                None => Transport::Absent,
                Some(song) => Transport::Host {
                    playing: true,
                    song_frames: Some(song + start as i64),
                    tempo: None,
                },
            };
            engine.process(
                &mut left[start..end],
                &mut right[start..end],
                transport,
                &events,
            );
            start = end;
        }
        [left, right]
    }
}

/// A render of silence.
pub fn silence(frames: usize) -> [Vec<f32>; 2] {
    [vec![0.0; frames], vec![0.0; frames]]
}

/// The binaural layer, alone, without fades that get in the way of a measurement.
pub fn binaural(beat: f64, carrier: f64) -> Vec<(ControlId, f64)> {
    vec![
        (id::L1_KIND, id::LAYER_BINAURAL as f64),
        (id::BEAT, beat),
        (id::CARRIER, carrier),
        (id::FADE_IN, 0.0),
    ]
}

/// A sine: amplitude, frequency, phase in cycles at frame 0.
pub fn sine(frames: usize, rate: f64, amplitude: f64, frequency: f64, phase: f64) -> Vec<f32> {
    (0..frames)
        .map(|n| (amplitude * (TAU * (frequency * n as f64 / rate + phase)).sin()) as f32)
        .collect()
}

/// The bits, for comparisons that tell -0 from 0 and NaN from NaN.
pub fn bits(signal: &[f32]) -> Vec<u32> {
    signal.iter().map(|x| x.to_bits()).collect()
}

/// Panics with the first difference, if there is one.
pub fn assert_same(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}: lengths");
    if let Some(n) = (0..a.len()).find(|n| a[*n].to_bits() != b[*n].to_bits()) {
        panic!("{what}: frame {n} is {:e} and {:e}", a[n], b[n]);
    }
}

/// Prints a measured figure of ACCEPTANCE.md's table, and keeps it where `cargo xtask accuracy` asks for it.
/// `row` sorts the table: "01 beat and carrier frequency".
pub fn figure(row: &str, bar: &str, measured: &str) {
    println!("figure: {row} | {bar} | {measured}");
    if let Some(folder) = std::env::var_os("ZEITGEBER_FIGURES") {
        let file: String = row
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let path = std::path::Path::new(&folder).join(file);
        std::fs::write(path, format!("{row}|{bar}|{measured}\n")).unwrap();
    }
}

/// Frequency by the slope of the phases of windowed one-second frames against a guess.
pub fn frequency(signal: &[f32], rate: f64, guess: f64) -> f64 {
    let frame = rate as usize;
    let phases: Vec<f64> = signal
        .chunks_exact(frame)
        .enumerate()
        .map(|(k, samples)| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in samples.iter().enumerate() {
                // The square of Hann's window: neighbours some hertz away are far below.
                let hann =
                    0.5 - 0.5 * (std::f64::consts::TAU * (n as f64 + 0.5) / frame as f64).cos();
                let window = hann * hann;
                let turns = guess * ((k * frame + n) as f64 / rate);
                let angle = std::f64::consts::TAU * (turns - turns.floor());
                re += f64::from(*x) * window * angle.cos();
                im -= f64::from(*x) * window * angle.sin();
            }
            im.atan2(re)
        })
        .collect();
    let unwrapped: Vec<f64> = phases
        .iter()
        .scan((phases[0], 0.0), |(last, sum), phase| {
            let step = (phase - *last + std::f64::consts::PI).rem_euclid(std::f64::consts::TAU)
                - std::f64::consts::PI;
            *last = *phase;
            *sum += step;
            Some(*sum)
        })
        .collect();
    let n = unwrapped.len() as f64;
    let mean_t = (n - 1.0) / 2.0;
    let mean = unwrapped.iter().sum::<f64>() / n;
    let (mut above, mut below) = (0.0, 0.0);
    for (k, phase) in unwrapped.iter().enumerate() {
        above += (k as f64 - mean_t) * (phase - mean);
        below += (k as f64 - mean_t) * (k as f64 - mean_t);
    }
    guess + above / below / std::f64::consts::TAU
}
