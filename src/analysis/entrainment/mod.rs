//! The beats of tones: binaural, monaural, isochronic, bilateral; over time, and as a whole.
//!
//! The stream is cut into windows, each of which is looked at by itself, so that a beat that moves is
//! followed; a window in which it moves too fast, or steps, is cut into halves, down to an eighth. A tone in each ear, some hertz apart, is a binaural beat; two in the same ear are a monaural
//! one; a tone with pairs of sidebands pulses, in both ears together (isochronic) or in turn (bilateral).
//! What pulses without a tone, or is shifted as a whole, is for [`super::treatment`].

mod kinds;
mod lines;
#[cfg(test)]
mod tests;
mod track;

use lines::{Band, Lenses, Spectrum};
pub use track::{Confidence, Course, courses};

/// Beats above this many hertz are separate tones.
pub const HIGHEST: f64 = 100.0;

/// What beats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One tone in each ear.
    Binaural,
    /// Two tones in the same ear, or in both.
    Monaural,
    /// A tone that pulses.
    Isochronic,
    /// A tone that changes sides.
    Bilateral,
}

impl Kind {
    /// As in the names of layers.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Binaural => "binaural",
            Kind::Monaural => "monaural",
            Kind::Isochronic => "isochronic",
            Kind::Bilateral => "bilateral",
        }
    }
}

/// A beat of tones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// What beats.
    pub kind: Kind,
    /// Hertz; of a binaural beat right minus left, so negative where the left ear has the higher tone.
    pub frequency: f64,
    /// One standard deviation of it.
    pub uncertainty: f64,
    /// The carrier of the left and of the right ear in hertz; they differ for binaural beats only.
    pub carriers: [f64; 2],
    /// 0-1. Of what pulses: the gain runs between 1 and 1 - depth. Binaural: the softer tone to the louder.
    pub depth: f64,
    /// Highest peak of the tone over a cycle in the louder ear, in dBFS.
    pub level: f64,
    /// Share of the cycle above half amplitude, in percent; of a bilateral one that of the left ear.
    pub duty: Option<f64>,
    /// Of a binaural beat: by how many dB each tone is louder in its own ear than in the other; none where
    /// the window is too short to tell.
    pub separation: Option<f64>,
}

impl Beat {
    /// The carrier between the ears, in hertz.
    pub fn carrier(&self) -> f64 {
        0.5 * (self.carriers[0] + self.carriers[1])
    }
}

/// The beats of a few seconds of one or two ears at `rate` hertz, loudest first. Tones closer than
/// 4 / seconds hertz in one ear cannot be told apart.
pub fn beats(channels: &[&[f32]], rate: f64) -> Vec<Beat> {
    let lenses = &mut Lenses::default();
    look(&lines::bands(channels, rate, lenses), (0, 1), lenses).beats
}

/// What is seen in a stretch.
struct Seen {
    beats: Vec<Beat>,
    /// Whether every strong line stays as it is from one end to the other: then there is nothing to be seen in parts of it.
    is_steady: bool,
}

/// Looks at part `n` of `parts` equal ones of what the bands hold.
fn look(bands: &[Band], (n, parts): (usize, usize), lenses: &mut Lenses) -> Seen {
    let mut spectra = |band: &Band| -> Option<Vec<Spectrum>> {
        let mut part = |ear: &Vec<f64>| {
            let range = n * ear.len() / parts..(n + 1) * ear.len() / parts;
            Spectrum::new(&ear[range], band.rate, band.offset, lenses)
        };
        band.ears.iter().map(&mut part).collect()
    };
    let seen: Vec<(&Band, Vec<Spectrum>)> = bands
        .iter()
        .filter_map(|band| Some((band, spectra(band)?)))
        .collect();
    kinds::beats(&seen)
}

/// One window of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Where it begins, in seconds.
    pub at: f64,
    /// Its length in seconds: that of the watch, or a half, a quarter or an eighth of it where the beat moves too fast.
    pub seconds: f64,
    /// What beats in it, loudest first.
    pub beats: Vec<Beat>,
}

/// A window is halved so often where its parts know more than the whole.
const HALVINGS: u32 = 3;

/// No window is shorter than this, in seconds.
const SHORTEST: f64 = 1.0;

/// What the parts of a window show for this share of it, and it itself does not, is a reason to halve it.
const LASTING: f64 = 0.45;

/// Beats this much weaker than the loudest, in dB, are none.
const WEAKER: f64 = 20.0;

/// A beat is to be seen in a half of a window too where it is so many times as fast as what can be told apart there.
const TOLD_APART: f64 = 1.5;

/// What is known no better than to this many bins of its window (17 dB above the noise) may drown in the noise of a half.
const DROWNS: f64 = 0.05;

/// Looks at a part of a window as a whole or, where that shows more, in halves.
fn moments(
    bands: &[Band],
    part: (usize, usize),
    (at, seconds): (f64, f64),
    lenses: &mut Lenses,
) -> Vec<Moment> {
    let Seen { beats, is_steady } = look(bands, part, lenses);
    let whole = |beats| vec![Moment { at, seconds, beats }];
    let half = seconds / 2.0;
    if is_steady || half < SHORTEST || part.1 >= 1 << HALVINGS {
        return whole(beats);
    }
    let (n, parts) = (2 * part.0, 2 * part.1);
    let mut halves = moments(bands, (n, parts), (at, half), lenses);
    halves.extend(moments(bands, (n + 1, parts), (at + half, half), lenses));
    let seen = track::all(&halves);
    let loudest = seen
        .iter()
        .map(|course| course.beat.level)
        .fold(f64::NEG_INFINITY, f64::max);
    let is_new = |course: &&Course| {
        course.share >= LASTING
            && course.beat.level > loudest - WEAKER
            && !beats.iter().any(|own| course.is_through(own))
    };
    if seen.iter().any(|course| is_new(&course)) {
        return halves;
    }
    // What is only a mixture of what comes and goes is in no half.
    let is_there = |own: &Beat| {
        own.kind != Kind::Binaural && own.frequency < TOLD_APART * 4.0 / half
            || own.uncertainty * seconds > DROWNS
            || seen.iter().any(|course| course.is_through(own))
    };
    whole(beats.into_iter().filter(is_there).collect())
}

/// Listens to a stream for beats, window by window; memory is that of one window and of what was found.
pub struct Watch {
    rate: f64,
    frames: usize,
    waiting: Vec<Vec<f32>>,
    start: u64,
    moments: Vec<Moment>,
    lenses: Lenses,
}

impl Watch {
    /// To a stream of `channels` ears (1 or 2) at `rate` hertz, in windows of so many seconds.
    pub fn new(channels: usize, rate: f64, seconds: f64) -> Watch {
        Watch {
            rate,
            frames: ((seconds * rate) as usize).max(2),
            waiting: vec![Vec::new(); channels],
            start: 0,
            moments: Vec::new(),
            lenses: Lenses::default(),
        }
    }

    /// Adds one chunk: a slice per channel, all of the same length.
    pub fn push(&mut self, channels: &[&[f32]]) {
        for (waiting, channel) in self.waiting.iter_mut().zip(channels) {
            waiting.extend_from_slice(channel);
        }
        while self
            .waiting
            .first()
            .is_some_and(|ear| ear.len() >= self.frames)
        {
            self.look(self.frames);
        }
    }

    fn look(&mut self, frames: usize) {
        let ears: Vec<&[f32]> = self.waiting.iter().map(|ear| &ear[..frames]).collect();
        let place = (self.start as f64 / self.rate, frames as f64 / self.rate);
        let bands = lines::bands(&ears, self.rate, &mut self.lenses);
        let seen = moments(&bands, (0, 1), place, &mut self.lenses);
        self.moments.extend(seen);
        for ear in &mut self.waiting {
            ear.drain(..frames);
        }
        self.start += frames as u64;
    }

    /// All windows. The last one may be shorter, down to half; a shorter rest is left out, unless it is all.
    pub fn finish(mut self) -> Vec<Moment> {
        let rest = self.waiting.first().map_or(0, Vec::len);
        if rest > 0 && (2 * rest >= self.frames || self.moments.is_empty()) {
            self.look(rest);
        }
        self.moments
    }
}
