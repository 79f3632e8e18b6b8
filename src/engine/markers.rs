//! Marks for studies: when a beat cycle begins, when a pulse rises, when the phase was anchored.

use super::controls as id;
use super::{Engine, clock::Gear};
use crate::dsp::phase::{CYCLE, Motion};

/// What happens at a mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MarkerKind {
    /// A cycle of the beat begins; cycles are counted from the last anchor's phase 0.
    Beat {
        /// Which cycle.
        cycle: i64,
    },
    /// A pulse of a layer rises through half its amplitude (bilateral: to the left).
    Onset {
        /// 1 to 4.
        layer: usize,
        /// Which pulse.
        cycle: i64,
    },
    /// The phase was set by the transport.
    Anchor {
        /// Phase of the beat from there on, in cycles.
        phase: f64,
    },
}

/// One mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    /// Frames since the reset, to a fraction of a frame.
    pub frame: f64,
    /// What happens.
    pub kind: MarkerKind,
}

/// Where marks go.
#[derive(Default)]
pub(super) struct Markers {
    pub sink: Option<Box<dyn FnMut(Marker) + Send>>,
    /// What of the piece that runs has been told already.
    done: u64,
    /// The phases were set at the start of this piece, not led there.
    fresh: bool,
    waiting: Vec<Marker>,
}

impl Markers {
    /// Frames are counted anew.
    pub fn reset(&mut self) {
        (self.done, self.fresh) = (0, false);
        self.waiting.clear();
    }
}

/// A phase that is set to this little behind a whole cycle is meant to be on it: increments are rounded.
const ON_IT: u64 = 1 << 34; // 1e-9 of a cycle

/// The frames, from `from` to `to` of a piece, at which a phase passes a whole cycle, and which cycle.
/// `fresh`: the phase was set at `from`.
fn crossings(motion: &Motion, from: u64, to: u64, fresh: bool, mut each: impl FnMut(f64, i64)) {
    let cycles = |position: i128| (position >> 64) as i64;
    for k in from..to {
        let (a, b) = (motion.at(k), motion.at(k + 1));
        // A phase that starts on a cycle begins it there.
        if k == from && (a as u64 == 0 && a != b || fresh && (a as u64) < ON_IT) {
            each(k as f64, cycles(a));
        }
        if cycles(b) > cycles(a) {
            let whole = i128::from(cycles(b)) << 64;
            let share = (whole - a) as f64 / (b - a) as f64;
            if !(k + 1 == to && share >= 1.0) {
                each(k as f64 + share, cycles(b));
            }
        }
    }
}

impl Engine {
    /// Tells of the marks between the last call and now.
    pub(super) fn mark_piece(&mut self) {
        if self.markers.sink.is_none() {
            return;
        }
        let start = self.piece_start;
        let from = self.markers.done.max(start) - start;
        let to = self.now.saturating_sub(start);
        self.markers.done = self.now;
        let fresh = std::mem::take(&mut self.markers.fresh) && from == 0;
        let offset = (self.travels[id::PHASE.index()].value(start) / 720.0 * CYCLE) as i128;
        let beat = |half: i128, gear: &Gear| {
            let motion = Motion {
                position: half.wrapping_add(offset),
                ..gear.half_beat
            };
            motion.plus(&motion)
        };
        let mut marks = std::mem::take(&mut self.markers.waiting);
        let at = |frame: f64| start as f64 + frame;
        crossings(
            &beat(self.master_half, &self.master_gear),
            from,
            to,
            fresh,
            |frame, cycle| {
                marks.push(Marker {
                    frame: at(frame),
                    kind: MarkerKind::Beat { cycle },
                });
            },
        );
        for (index, layer) in self.layers.iter().enumerate() {
            let rendering = layer.pair.current();
            // Nobody hears what has faded out.
            let heard = self.faded_in || self.fade.end(start).is_some();
            let pulses = heard
                && layer.pair.is_on()
                && layer.pair.setup(rendering).is_some_and(|setup| {
                    matches!(
                        setup.kind,
                        id::LAYER_ISOCHRONIC | id::LAYER_BILATERAL | id::LAYER_NOISE
                    )
                });
            if pulses {
                let motion = beat(layer.hands[rendering].half_beat, &layer.gear);
                crossings(&motion, from, to, fresh, |frame, cycle| {
                    marks.push(Marker {
                        frame: at(frame),
                        kind: MarkerKind::Onset {
                            layer: index + 1,
                            cycle,
                        },
                    });
                });
            }
        }
        marks.sort_by(|a, b| a.frame.total_cmp(&b.frame));
        if let Some(sink) = self.markers.sink.as_mut() {
            marks.drain(..).for_each(sink);
        }
        self.markers.waiting = marks;
    }

    /// Notes an anchor at this frame, to be told with the piece that begins.
    pub(super) fn mark_anchor(&mut self) {
        if self.markers.sink.is_some() {
            let phase = self.beat_phase() as f64 / CYCLE;
            self.markers.fresh = true;
            self.markers.waiting.push(Marker {
                frame: self.now as f64,
                kind: MarkerKind::Anchor { phase },
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_reset_marks_begin_anew() {
        use crate::engine::{Transport, controls::FADE_IN};
        let mut engine = Engine::new(48_000.0).unwrap();
        let marks = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = marks.clone();
        engine.mark(Box::new(move |mark| sink.lock().unwrap().push(mark)));
        engine.set(FADE_IN, 0.0);
        let mut second = || {
            for _ in 0..100 {
                let (mut left, mut right) = ([0.0; 480], [0.0; 480]);
                engine.process(&mut left, &mut right, Transport::Absent, &[]);
            }
            engine.finish_marks();
            engine.reset();
            std::mem::take(&mut *marks.lock().unwrap())
        };
        let first = second();
        assert!(first.len() >= 10, "{first:?}");
        let again: Vec<f64> = second().iter().map(|mark| mark.frame).collect();
        let first: Vec<f64> = first.iter().map(|mark| mark.frame).collect();
        assert_eq!(again, first);
    }

    #[test]
    fn crossings_are_where_the_phase_is_whole() {
        // A quarter of a cycle a frame, from an eighth before a cycle.
        let motion = Motion {
            position: (5 << 64) - (1 << 61),
            increment: 1 << 62,
            sweep: 0,
        };
        let mut found = Vec::new();
        crossings(&motion, 0, 9, false, |frame, cycle| {
            found.push((frame, cycle))
        });
        assert_eq!(found, [(0.5, 5), (4.5, 6), (8.5, 7)]);
        let on_it = Motion {
            position: 0,
            ..motion
        };
        let mut found = Vec::new();
        crossings(&on_it, 0, 4, false, |frame, cycle| {
            found.push((frame, cycle))
        });
        crossings(&on_it, 4, 8, false, |frame, cycle| {
            found.push((frame, cycle))
        });
        assert_eq!(found, [(0.0, 0), (4.0, 1)]);
    }
}
