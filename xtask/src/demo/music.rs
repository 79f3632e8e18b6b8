//! The piece of music that the demo treats: drums, a bass and chords, twenty seconds, from arithmetic alone.

use std::f64::consts::TAU;

/// Length in seconds: eight bars and the last sound's end.
pub const SECONDS: f64 = 20.0;

/// Quarter notes a minute. No beat of the demo is a multiple of its bars (0.433 Hz), its quarters (1.733 Hz) or
/// its eighths: what pulsates at the drums' rhythm is told as rhythm.
const TEMPO: f64 = 104.0;

/// A minor, F, C, G, two bars each, as MIDI notes.
const CHORDS: [[f64; 3]; 4] = [
    [57.0, 60.0, 64.0],
    [53.0, 57.0, 60.0],
    [55.0, 60.0, 64.0],
    [55.0, 59.0, 62.0],
];

/// Seconds in which chords follow each other without a click.
const JOIN: f64 = 0.03;

/// Uniform numbers from -1 to 1 (xorshift64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Frequency of a MIDI note in hertz.
fn hertz(note: f64) -> f64 {
    440.0 * ((note - 69.0) / 12.0).exp2()
}

/// A gain that decays by so many nepers a second, and begins within a millisecond.
fn struck(seconds: f64, decay: f64) -> f64 {
    (seconds / 0.001).min(1.0) * (-decay * seconds).exp()
}

/// The drums in one ear at a time.
fn drums(t: f64, white: f64) -> f64 {
    let quarter = 60.0 / TEMPO;
    let (count, within) = ((t / quarter) as usize, t % quarter);
    // A kick whose pitch falls from 150 to 48 Hz, a snare on two and four, a hat on the eighths.
    let turns = 48.0 * within + 3.4 * (1.0 - (-within * 30.0).exp());
    let kick = (TAU * turns).sin() * struck(within, 10.0);
    let snare = if count % 2 == 1 {
        white * struck(within, 16.0)
    } else {
        0.0
    };
    let hat = white * struck(t % (quarter / 2.0), 60.0);
    0.3 * kick + 0.12 * snare + 0.05 * hat
}

/// Bass and chords in one ear (0 left, 1 right) at a time.
fn harmony(t: f64, ear: usize) -> f64 {
    let length = 8.0 * 60.0 / TEMPO;
    let chord = &CHORDS[(t / length) as usize % CHORDS.len()];
    let within = t % length;
    let join = (within / JOIN).min((length - within) / JOIN).min(1.0);
    let tone = |frequency: f64, harmonics: u32, fall: f64| -> f64 {
        let part = |k: u32| (TAU * (frequency * f64::from(k) * t).fract()).sin();
        (1..=harmonics)
            .map(|k| part(k) / f64::from(k).powf(fall))
            .sum()
    };
    let bass = tone(hertz(chord[0] - 24.0), 4, 1.5);
    // Each voice a little out of tune and more to one side than to the other.
    let voice = |(n, note): (usize, &f64)| {
        let beside = n as f64 - 1.0;
        let side = if ear == 0 { -beside } else { beside };
        (1.0 + 0.4 * side) * tone(hertz(*note) * (1.0 + 0.0007 * beside), 12, 1.0)
    };
    let chord: f64 = chord.iter().enumerate().map(voice).sum();
    join * (0.1 * bass + 0.035 * chord)
}

/// The piece: left and right ear at a rate in hertz, peaks below -3 dBFS. The same every time.
pub fn music(rate: u32) -> [Vec<f32>; 2] {
    let frames = (SECONDS * f64::from(rate)) as usize;
    let end = 1.0;
    [0, 1].map(|ear| {
        // Each ear has its own noise.
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 + ear as u64);
        (0..frames)
            .map(|n| {
                let t = n as f64 / f64::from(rate);
                let fade = ((SECONDS - t) / end).min(1.0);
                (fade * (drums(t, dice.roll()) + harmony(t, ear))) as f32
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::music;

    #[test]
    fn it_is_the_same_every_time_and_leaves_headroom() {
        let [left, right] = music(8000);
        assert_eq!(music(8000), [left.clone(), right.clone()]);
        assert_eq!((left.len(), right.len()), (160_000, 160_000));
        let peak = left.iter().chain(&right).fold(0f32, |p, x| p.max(x.abs()));
        assert!((0.3..0.707).contains(&peak), "{peak}");
    }
}
