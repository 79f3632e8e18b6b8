//! What is in space: where the controls put it, and where the engine says that it is now.

use super::plane::wrapped;
use crate::editor::live::Live;
use crate::editor::widgets::Desk;
use crate::engine::controls::{
    AZIMUTH, DISTANCE, ELEVATION, HEAD_PITCH, HEAD_ROLL, HEAD_YAW, LAYER, LAYER_BILATERAL,
    LAYER_BINAURAL, LAYER_OFF, LAYERS, SPACE_KIND, SPACE_OFF, WIDTH,
};
use crate::engine::{PLACES, Place};
use std::collections::VecDeque;

/// Seconds after which an engine that shows nothing new is no longer believed: its last places stay behind.
const STALE: f64 = 0.3;
/// Seconds that a trail is long.
const TRAIL: f64 = 0.9;
/// The least that counts as a movement, in degrees.
const STILL: f32 = 0.05;

/// A place around the head: degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spot {
    pub azimuth: f32,
    pub elevation: f32,
    pub distance: f32,
}

/// Something in space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Source {
    /// Where its controls put it.
    pub control: Spot,
    /// Where it is now.
    pub shown: Spot,
    /// By how many degrees it is to the left of what its azimuth says: a side of a layer.
    pub turn: f32,
    pub sounds: bool,
}

/// All of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    pub on: bool,
    /// Left and right; a bus has its front only.
    pub speakers: [Option<Source>; 2],
    /// The azimuth between the speakers and half their width as they are now.
    pub middle: f32,
    pub half: f32,
    pub layers: [[Option<Source>; 2]; LAYERS],
    /// Yaw, pitch and roll as they are now.
    pub head: [f32; 3],
}

impl Scene {
    /// As it is in this frame.
    pub fn of(desk: &Desk, live: &Live, trail: &mut Trail) -> Scene {
        let value = |id| desk.value(id) as f32;
        let display = live.telemetry().map(|telemetry| telemetry.display());
        let display = display.filter(|display| trail.runs(display.written(), desk.now));
        let places = display.map(|display| display.places());
        trail.note(places.as_ref(), desk.now);
        let source = |control: Spot, turn: f32, index: usize| {
            let now = places
                .map(|places| places[index])
                .filter(|place| place.sounds);
            Source {
                control,
                shown: now.map_or(control, |place| Spot {
                    azimuth: place.azimuth,
                    elevation: place.elevation,
                    distance: place.distance,
                }),
                turn,
                sounds: now.is_some(),
            }
        };
        let half = 0.5 * value(WIDTH);
        let speaker = |turn: f32, index: usize| {
            let control = Spot {
                azimuth: wrapped(value(AZIMUTH) + turn),
                elevation: value(ELEVATION),
                distance: value(DISTANCE),
            };
            source(control, turn, index)
        };
        let (left, right) = (speaker(half, 0), speaker(-half, 1));
        let is_bus = left.sounds && !right.sounds;
        let (middle, half) = if left.sounds && right.sounds {
            let half = 0.5 * (left.shown.azimuth - right.shown.azimuth);
            (right.shown.azimuth + half, half)
        } else {
            (value(AZIMUTH), half)
        };
        let layers = std::array::from_fn(|index| {
            let ids = LAYER[index];
            let kind = desk.index(ids.kind);
            let sent = kind != LAYER_OFF && kind != LAYER_BINAURAL && desk.is_on(ids.space);
            let side = |turn: f32, side: usize| {
                let control = Spot {
                    azimuth: wrapped(value(ids.azimuth) + turn),
                    elevation: value(ids.elevation),
                    distance: value(ids.distance),
                };
                source(control, turn, 2 + 2 * index + side)
            };
            match (sent, kind == LAYER_BILATERAL) {
                (false, _) => [None, None],
                (true, true) => [Some(side(90.0, 0)), Some(side(-90.0, 1))],
                (true, false) => [Some(side(0.0, 0)), None],
            }
        });
        Scene {
            on: desk.index(SPACE_KIND) != SPACE_OFF,
            speakers: [Some(left), Some(right).filter(|_| !is_bus)],
            middle,
            half,
            layers,
            head: match display.filter(|_| desk.index(SPACE_KIND) != SPACE_OFF) {
                Some(display) => display.head(),
                None => [HEAD_YAW, HEAD_PITCH, HEAD_ROLL].map(value),
            },
        }
    }
}

impl Scene {
    /// Whether what comes in is an ambisonic bus: it has a front instead of two speakers.
    pub fn is_bus(&self) -> bool {
        self.speakers[1].is_none()
    }
}

/// Where things have been, and whether the engine runs.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// The frames that had been shown, and when that became more.
    written: Option<(u64, f64)>,
    moments: VecDeque<(f64, [Place; PLACES])>,
    now: f64,
    stopped: bool,
}

impl Trail {
    /// Whether the engine goes on showing.
    fn runs(&mut self, written: u64, now: f64) -> bool {
        match self.written {
            Some((before, since)) if before == written => now - since < STALE,
            _ => {
                self.written = Some((written, now));
                written > 0
            }
        }
    }

    fn note(&mut self, places: Option<&[Place; PLACES]>, now: f64) {
        self.now = now;
        self.stopped = places.is_none();
        while self
            .moments
            .front()
            .is_some_and(|(time, _)| now - time > TRAIL)
        {
            self.moments.pop_front();
        }
        if let Some(places) = places {
            let known = self
                .moments
                .back()
                .is_some_and(|(time, last)| *time == now || last == places);
            if !known {
                self.moments.push_back((now, *places));
            }
        }
    }

    /// Whether there is a trail that grows no more: what made it has stopped.
    pub fn fades(&self) -> bool {
        self.stopped && self.moments.len() > 1
    }

    /// The steps of all that moved: from, to, which of the places, and the age from 0 to 1.
    pub fn steps(&self) -> impl Iterator<Item = (Place, Place, usize, f32)> {
        let pairs = self.moments.iter().zip(self.moments.iter().skip(1));
        pairs.flat_map(move |((_, from), (time, to))| {
            let age = (((self.now - time) / TRAIL) as f32).clamp(0.0, 1.0);
            (0..PLACES).filter_map(move |index| {
                let (from, to) = (from[index], to[index]);
                let moved = wrapped(to.azimuth - from.azimuth).abs() > STILL
                    || (to.elevation - from.elevation).abs() > STILL
                    || (to.distance / from.distance.max(1e-3) - 1.0).abs() > 1e-3;
                (from.sounds && to.sounds && moved).then_some((from, to, index, age))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(azimuth: f32, sounds: bool) -> [Place; PLACES] {
        let mut places = [Place::default(); PLACES];
        places[0] = Place {
            azimuth,
            elevation: 0.0,
            distance: 1.5,
            sounds,
        };
        places
    }

    #[test]
    fn a_trail_follows_what_moves_and_fades() {
        let mut trail = Trail::default();
        for (time, azimuth) in [(0.0, 0.0), (0.1, 0.0), (0.2, 20.0), (0.3, 40.0)] {
            trail.note(Some(&places(azimuth, true)), time);
        }
        let steps: Vec<_> = trail.steps().collect();
        assert_eq!(steps.len(), 2);
        assert!(steps[0].3 > steps[1].3 && steps.iter().all(|step| step.2 == 0));
        assert!(!trail.fades());
        trail.note(None, 0.4);
        assert!(trail.fades());
        trail.note(None, 2.0);
        assert!(!trail.fades());
        assert_eq!(trail.steps().count(), 0);
        // What does not sound leaves none.
        trail.note(Some(&places(0.0, false)), 2.1);
        trail.note(Some(&places(50.0, false)), 2.2);
        assert_eq!(trail.steps().count(), 0);
    }

    #[test]
    fn an_engine_that_shows_nothing_new_is_not_believed() {
        let mut trail = Trail::default();
        assert!(!trail.runs(0, 0.0));
        assert!(trail.runs(64, 1.0));
        assert!(trail.runs(64, 1.2));
        assert!(!trail.runs(64, 1.4));
        assert!(trail.runs(128, 1.5));
    }
}
