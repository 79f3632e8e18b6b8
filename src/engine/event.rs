//! What the world tells the engine: control changes and the host's transport.

use super::controls::ControlId;

/// A change of one control at one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Frame within the block that is processed, 0 to its length.
    pub frame: usize,
    /// What changes.
    pub control: ControlId,
    /// How it changes.
    pub change: Change,
}

/// How a control travels to its new value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// A step. Beat, carrier and levels glide to it over the `glide` control; 0 is exact.
    Step(f64),
    /// A straight line in the control's unit from the value set last (a step's glide fades on top of it),
    /// reaching `to` after `frames` frames; 0 frames jump there, without a glide.
    /// Controls that cannot move in between (enums, switches, times) step at the end of the line.
    Linear {
        /// The value at the end.
        to: f64,
        /// Length of the line.
        frames: u64,
    },
    /// A MIDI note (0 to 127) is played. It belongs to the control `carrier_source`, which says whether
    /// the carrier follows; the note stays after it is released.
    Note(u8),
}

/// The host's transport at the first frame of a block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Transport {
    /// The host has no transport: the engine is free and playing.
    #[default]
    Absent,
    /// The host has one.
    Host {
        /// Whether it rolls.
        playing: bool,
        /// Song position in frames at the engine's rate; `None` where the host does not tell.
        song_frames: Option<i64>,
        /// Tempo and musical position; `None` where the host does not tell.
        tempo: Option<Tempo>,
    },
}

/// The host's musical time at the first frame of a block, one that music can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tempo {
    /// Quarter notes a minute.
    pub(super) bpm: f64,
    /// Song position in quarter notes; `None` where the host does not tell.
    pub(super) song_quarters: Option<f64>,
    /// Quarter notes of one bar: 4 in 4/4.
    pub(super) bar_quarters: f64,
}

impl Tempo {
    /// A tempo that music can have, or `None`: positive, finite, with a bar.
    pub fn new(bpm: f64, song_quarters: Option<f64>, bar_quarters: Option<f64>) -> Option<Tempo> {
        let usable = |x: &f64| x.is_finite() && *x > 0.0;
        Some(Tempo {
            bpm: Some(bpm).filter(usable)?,
            song_quarters: song_quarters.filter(|x| x.abs() < 1e9),
            bar_quarters: bar_quarters.filter(usable).unwrap_or(4.0),
        })
    }
}

impl Transport {
    /// Whether sound that follows the transport sounds.
    pub fn playing(self) -> bool {
        match self {
            Transport::Absent => true,
            Transport::Host { playing, .. } => playing,
        }
    }

    /// The musical time, where there is one.
    pub fn tempo(self) -> Option<Tempo> {
        match self {
            Transport::Absent => None,
            Transport::Host { tempo, .. } => tempo,
        }
    }

    /// The song position, where there is one.
    pub fn song_frames(self) -> Option<i64> {
        match self {
            Transport::Absent => None,
            Transport::Host { song_frames, .. } => song_frames,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_tempo_that_music_cannot_have() {
        for bpm in [f64::NAN, f64::INFINITY, 0.0, -120.0] {
            assert_eq!(Tempo::new(bpm, Some(0.0), Some(4.0)), None, "{bpm}");
        }
        let tempo = Tempo::new(120.0, Some(f64::NAN), Some(0.0));
        let found = tempo.map(|tempo| (tempo.song_quarters, tempo.bar_quarters));
        assert_eq!(found, Some((None, 4.0)));
    }
}
