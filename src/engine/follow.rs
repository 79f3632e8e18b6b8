//! Following the host's transport: anchors of the phase, tempo, and the fade of the entrainment.

use super::clock::Anchor;
use super::controls as id;
use super::controls::division_quarters;
use super::{Engine, SHORTEST_FADE, Tempo, Transport};
use crate::node::gain;

impl Engine {
    /// Reads the transport at the first frame of a block: anchors the phase at play, seek and loop as
    /// `phase_mode` asks, and takes the tempo, which holds for the block.
    pub(super) fn follow(&mut self, transport: Transport) {
        let playing = transport.playing();
        let song = transport.song_frames();
        let started = playing && !self.was_playing;
        let moved = match (song, self.song_expected) {
            (Some(song), Some(expected)) => song.abs_diff(expected) > 1,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let tempo = transport.tempo();
        let retimed = |tempo: Option<Tempo>| tempo.map(|tempo| (tempo.bpm, tempo.bar_quarters));
        if retimed(tempo) != retimed(self.tempo) {
            self.tempo = tempo;
            self.aim_tempo();
            self.piece_end = self.now;
        }
        self.tempo = tempo;
        if playing != self.was_playing {
            self.was_playing = playing;
            self.piece_end = self.now;
        }
        if started {
            self.play_start = self.now;
            // A session starts at play, or with `run` always at the reset.
            if self.choice(id::RUN) == id::RUN_TRANSPORT {
                self.played = 0;
            }
        }
        self.deck_follow(transport, moved || started);
        if !playing || transport == Transport::Absent && !self.deck.is_on() {
            self.song_expected = None;
            self.anchor_pending = false;
            self.forget_jumps();
            return;
        }
        if moved || started {
            self.song_expected = song;
        }
        let anchors = match self.choice(id::PHASE_MODE) {
            id::PHASE_TIMELINE => (started || moved) && song.is_some(),
            id::PHASE_RESTART => started,
            _ => false,
        };
        if anchors {
            self.anchor_pending = true;
            self.piece_end = self.now;
        }
    }

    /// Jumps that wait for a fade lead nowhere any more.
    pub(super) fn forget_jumps(&mut self) {
        for layer in &mut self.layers {
            layer.jump = false;
        }
        self.bed.jump = false;
        self.treatments.jump(false);
    }

    /// Where the song is at this frame, for phases that follow it.
    pub(super) fn anchor(&self) -> Anchor {
        let since_block = self.now - self.block_start;
        match (self.choice(id::PHASE_MODE), self.song_expected) {
            (id::PHASE_TIMELINE, None) if self.deck.is_on() => Anchor {
                song_frames: self.deck_position(),
                beat_cycles: None,
            },
            (id::PHASE_TIMELINE, Some(song)) => Anchor {
                song_frames: song.saturating_add(since_block as i64),
                beat_cycles: self.song_cycles(since_block),
            },
            _ => Anchor {
                song_frames: (self.now - self.play_start) as i64,
                beat_cycles: None,
            },
        }
    }

    /// Cycles of the beat at the song position, where tempo and musical position give them.
    fn song_cycles(&self, since_block: u64) -> Option<f64> {
        if self.choice(id::BEAT_SOURCE) != id::BEAT_TEMPO || self.deck.holds(id::BEAT) {
            return None;
        }
        let (tempo, quarters) = self.beat_quarters()?;
        let passed = since_block as f64 / self.rate * tempo.bpm / 60.0;
        Some((tempo.song_quarters? + passed) / quarters)
    }

    /// The tempo and the quarters of one beat cycle in it.
    pub(super) fn beat_quarters(&self) -> Option<(Tempo, f64)> {
        let tempo = self.tempo?;
        let quarters = division_quarters(self.choice(id::DIVISION), tempo.bar_quarters);
        Some((tempo, quarters))
    }

    /// The frame at which the session timer runs out, if it counts and has not yet.
    pub(super) fn timer_end(&self) -> Option<u64> {
        let frames = self.timer_frames()?;
        let left = frames.checked_sub(self.played).filter(|left| *left > 0)?;
        self.was_playing.then_some(self.now + left)
    }

    fn timer_frames(&self) -> Option<u64> {
        Some(self.frames(self.get(id::TIMER) * 60.0)).filter(|frames| *frames > 0)
    }

    /// Whether `run`, the transport and the timer ask for the entrainment.
    pub(super) fn is_wanted(&self) -> bool {
        let runs = self.choice(id::RUN) == id::RUN_ALWAYS || self.was_playing;
        let over = self
            .timer_frames()
            .is_some_and(|frames| self.played >= frames);
        runs && !over
    }

    /// Starts the fade of the entrainment where `run`, the transport and the timer ask for the other state.
    pub(super) fn run_fade(&mut self) {
        if self.dips().is_some() {
            return;
        }
        let wanted = self.is_wanted();
        if wanted == self.faded_in {
            return;
        }
        self.faded_in = wanted;
        let (db, time) = if wanted {
            (0.0, id::FADE_IN)
        } else {
            (gain::SILENCE, id::FADE_OUT)
        };
        let seconds = self.get(time).max(SHORTEST_FADE);
        self.set_fade(db, seconds);
        self.fade
            .glide(f64::from(u8::from(wanted)), self.now, self.frames(seconds));
    }

    /// The fade of the entrainment, past space and in it.
    pub(super) fn set_fade(&mut self, db: f64, seconds: f64) {
        self.set_gain(self.chain.fade, db, seconds, false);
        for route in self.chain.routes {
            self.set_gain(route.away, db, seconds, false);
        }
    }
}
