//! The host's transport as the engine takes it.

use crate::engine::{Tempo, Transport};
use nice_plug::prelude::Transport as HostTransport;

/// Positions beyond this many frames (24 years at 768 kHz would be 2^49) are a host's nonsense; up to it
/// every frame has an exact f64.
const FARTHEST: f64 = 9_007_199_254_740_992.0;

/// Who says where time is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// The host.
    #[default]
    Host,
    /// The window: what a standalone's backend counts since its start is no song position.
    Window,
    /// The host from the first time that it rolls, until then the window: JACK's transport, which most leave alone.
    OnceItRolls,
}

/// Follows the host from block to block, so that the engine sees whole frames that run on where the host
/// runs on: positions in seconds are rounded, and a rounding is no seek.
#[derive(Debug, Default)]
pub(super) struct HostClock {
    /// Where the next block begins if the host runs on.
    expected: Option<i64>,
    /// The position that the host gave for the last block, as it gave it.
    given: Option<f64>,
    /// Whether it has ever rolled.
    rolled: bool,
}

impl HostClock {
    /// Forgets where the host was.
    pub(super) fn reset(&mut self) {
        *self = HostClock {
            rolled: self.rolled,
            ..HostClock::default()
        };
    }

    /// As [`HostClock::read`], where the host need not be the one who leads.
    pub(super) fn read_led(
        &mut self,
        lead: Lead,
        host: &HostTransport,
        rate: f64,
        frames: usize,
    ) -> Transport {
        self.rolled |= host.playing;
        let leads = match lead {
            Lead::Host => true,
            Lead::Window => false,
            Lead::OnceItRolls => self.rolled,
        };
        if leads {
            return self.read(host, rate, frames);
        }
        (self.expected, self.given) = (None, None);
        Transport::Host {
            playing: true,
            song_frames: None,
            tempo: (host.tempo).and_then(|bpm| Tempo::new(bpm, None, bar(host))),
        }
    }

    /// The transport at the first frame of a block of `frames` frames at `rate` hertz.
    pub(super) fn read(&mut self, host: &HostTransport, rate: f64, frames: usize) -> Transport {
        // nice-plug gives a bar number for every CLAP transport and a position in samples for every VST3
        // context; where it gives neither, the host passed no transport at all.
        if host.bar_number.is_none() && host.pos_samples.is_none() {
            self.reset();
            return Transport::Absent;
        }
        let given = position(host, rate);
        let song_frames = given.map(|position| {
            let rounded = position.round() as i64;
            match self.expected.filter(|_| host.playing) {
                Some(expected) if (position - expected as f64).abs() < 1.0 => expected,
                // Between events of one block nice-plug moves a position in seconds on only for hosts that
                // give a tempo: without one, the same number again means that the host runs on.
                Some(expected)
                    if host.pos_samples.is_none()
                        && host.tempo.is_none()
                        && self.given == given =>
                {
                    expected
                }
                _ => rounded,
            }
        });
        self.given = given;
        self.expected = song_frames
            .filter(|_| host.playing)
            .map(|position| position.saturating_add(i64::try_from(frames).unwrap_or(i64::MAX)));
        Transport::Host {
            playing: host.playing,
            song_frames,
            tempo: host
                .tempo
                .and_then(|bpm| Tempo::new(bpm, host.pos_beats, bar(host))),
        }
    }
}

/// Quarter notes of a bar.
fn bar(host: &HostTransport) -> Option<f64> {
    host.time_sig_numerator
        .zip(host.time_sig_denominator)
        .map(|(beats, unit)| 4.0 * f64::from(beats) / f64::from(unit))
}

/// The song position in frames, not rounded. A position in beats alone is none: it does not tell the time
/// once the tempo moves.
fn position(host: &HostTransport, rate: f64) -> Option<f64> {
    let frames = match (host.pos_samples, host.pos_seconds) {
        (Some(samples), _) => samples as f64,
        (None, Some(seconds)) => seconds * rate,
        (None, None) => return None,
    };
    (frames.abs() <= FARTHEST).then_some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clap(seconds: f64, tempo: Option<f64>) -> HostTransport {
        let mut host = HostTransport::new(48_000.0);
        host.playing = true;
        host.pos_seconds = Some(seconds);
        host.tempo = tempo;
        host.bar_number = Some(0);
        host
    }

    fn at(transport: Transport) -> Option<i64> {
        transport.song_frames()
    }

    #[test]
    fn no_transport_is_absent() {
        let host = HostTransport::new(48_000.0);
        assert_eq!(
            HostClock::default().read(&host, 48_000.0, 64),
            Transport::Absent
        );
    }

    #[test]
    fn seconds_become_frames_that_run_on() {
        let mut clock = HostClock::default();
        // The host's position lies between two frames and wobbles by its rounding.
        let start = 1000.5;
        for block in 0..1000 {
            let wobble = if block % 2 == 0 { 1e-7 } else { -1e-7 };
            let seconds = (start + wobble + 64.0 * block as f64) / 48_000.0;
            let read = clock.read(&clap(seconds, Some(120.0)), 48_000.0, 64);
            assert_eq!(at(read), Some(1001 + 64 * block));
        }
        // A seek of two frames is a seek.
        let seconds = (start + 64_002.0) / 48_000.0;
        assert_eq!(
            at(clock.read(&clap(seconds, Some(120.0)), 48_000.0, 64)),
            Some(65_003)
        );
    }

    #[test]
    fn the_parts_of_a_split_block_run_on_without_a_tempo() {
        let mut clock = HostClock::default();
        for (seconds, frames, expected) in [(0.0, 10, 0), (0.0, 54, 10), (64.0 / 48_000.0, 64, 64)]
        {
            assert_eq!(
                at(clock.read(&clap(seconds, None), 48_000.0, frames)),
                Some(expected)
            );
        }
    }

    #[test]
    fn a_stopped_host_stands_still() {
        let mut clock = HostClock::default();
        let mut host = HostTransport::new(48_000.0);
        host.pos_samples = Some(480);
        for _ in 0..3 {
            let read = clock.read(&host, 48_000.0, 64);
            assert_eq!(
                read,
                Transport::Host {
                    playing: false,
                    song_frames: Some(480),
                    tempo: None
                }
            );
        }
        host.playing = true;
        assert_eq!(at(clock.read(&host, 48_000.0, 64)), Some(480));
    }

    #[test]
    fn a_backend_that_only_counts_leads_nothing_and_jack_does_once_it_rolls() {
        let mut host = HostTransport::new(48_000.0);
        (host.playing, host.pos_samples, host.tempo) = (true, Some(4800), Some(90.0));
        let free = Transport::Host {
            playing: true,
            song_frames: None,
            tempo: Tempo::new(90.0, None, None),
        };
        let mut clock = HostClock::default();
        assert_eq!(clock.read_led(Lead::Window, &host, 48_000.0, 64), free);
        assert_eq!(clock.read_led(Lead::Window, &host, 48_000.0, 64), free);
        let mut clock = HostClock::default();
        host.playing = false;
        let mut jack = |playing| {
            host.playing = playing;
            clock.read_led(Lead::OnceItRolls, &host, 48_000.0, 64)
        };
        assert_eq!(jack(false), free);
        assert_eq!(at(jack(true)), Some(4800));
        let stopped = jack(false);
        assert!(!stopped.playing() && at(stopped) == Some(4800));
        let led = clock.read_led(Lead::Host, &host, 48_000.0, 64);
        assert_eq!(at(led), Some(4800));
    }

    #[test]
    fn nonsense_is_no_position() {
        let mut clock = HostClock::default();
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            for tempo in [None, Some(f64::NAN), Some(0.0), Some(-1e308)] {
                let read = clock.read(&clap(seconds, tempo), 48_000.0, usize::MAX);
                assert_eq!(
                    read,
                    Transport::Host {
                        playing: true,
                        song_frames: None,
                        tempo: None
                    }
                );
            }
        }
        let mut host = HostTransport::new(48_000.0);
        host.playing = true;
        for (given, expected) in [(i64::MAX, None), (i64::MIN, None), (-96_000, Some(-96_000))] {
            host.pos_samples = Some(given);
            assert_eq!(at(clock.read(&host, 48_000.0, 64)), expected);
        }
    }
}
