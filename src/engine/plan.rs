//! Pieces of the clock: from one place where something can change to the next.

use super::apply::turns_program;
use super::clock::{Course, Gear, Hands};
use super::controls as id;
use super::timeline::Part;
use super::travel::Travel;
use super::travels::each;
use super::{ControlId, Engine, QUANTUM, apply};
use crate::graph::Activity;
use crate::node::gain;

/// From this gain on the gate counts as open.
const NEARLY_OPEN: f64 = 1.0 - 1e-6;

impl Engine {
    /// Begins a piece: from now to the next multiple of the quantum, or to where a travel ends before.
    /// Nothing here depends on where blocks end.
    pub(super) fn plan(&mut self) {
        let now = self.now;
        self.untold = true;
        self.mark_piece();
        self.advance();
        self.primed = false;
        if self.unsettled {
            self.settle();
        }
        if self.poisoned {
            self.poisoned = false;
            // Not the leveller: it bounds what it hears, and would have to learn the program anew.
            for node in [self.chain.gate, self.chain.ceiling] {
                self.graph.reset_node(node);
            }
            self.clear_treatments();
            self.clear_inserts();
            self.space.poisoned = true;
        }
        self.land_held();
        self.run_dip();
        let grid = (now / QUANTUM as u64 + 1) * QUANTUM as u64;
        let end = [&self.tempo_beat, &self.note_carrier]
            .into_iter()
            .filter_map(|travel| travel.end(now))
            .chain(self.travels.next_end(now))
            .chain(self.timer_end())
            .chain(self.deck_border())
            .fold(grid, u64::min);
        self.piece_end = end;
        self.run_deck(end);
        self.run_fade();
        self.bed.pair.expire(now);
        self.treatments.expire(now);
        for layer in &mut self.layers {
            layer.pair.expire(now);
        }
        if self.anchor_pending && self.dips().is_none() {
            self.anchor_all();
        }
        self.drive_master(end);
        self.run_generators(end);
        self.run_treatments(end);
        self.run_inserts(end);
        self.run_space(end);
        self.run_lines(end);
        self.freeze_leveller();
        let skip = |rests: u64| {
            if rests <= now {
                Activity::Pass
            } else {
                Activity::Run
            }
        };
        self.graph
            .set_activity(self.chain.gate, skip(self.gate_rests));
        self.graph
            .set_activity(self.chain.leveller, skip(self.leveller_rests));
        self.graph
            .set_activity(self.chain.ceiling, skip(self.ceiling_rests));
    }

    /// The leveller waits while the gate is not fully open, be its range ever so small.
    fn freeze_leveller(&mut self) {
        let works = self.gate_rests > self.now && self.get(id::GATE_ON) >= 0.5;
        let (chain, params) = (self.chain, self.params);
        // Before the first frame the gate's display is of before a reset, if there was one: it begins closed.
        let open =
            self.now > 0 && self.graph.get_param(chain.gate, params.gate_gain) >= NEARLY_OPEN;
        let shut = works && !open;
        let frozen = f64::from(u8::from(shut));
        if self.graph.get_param(chain.leveller, params.leveller_frozen) != frozen {
            self.graph
                .set_param(chain.leveller, params.leveller_frozen, frozen);
        }
    }

    /// Moves all phases from the start of the piece to now.
    fn advance(&mut self) {
        let frames = self.now - self.piece_start;
        self.master_half = self.master_at_now();
        self.master_gear = Gear::default();
        for layer in &mut self.layers {
            layer.advance(frames);
        }
        self.bed.advance(frames);
        self.treatments.advance(frames);
        self.space.advance(frames);
        self.piece_start = self.now;
    }

    /// Stops all phases where they are (`keep`), or puts them to 0, before the frames start anew.
    pub(super) fn rewind(&mut self, keep: bool) {
        self.advance();
        let (layers, bed) = (self.layers, self.bed);
        self.layers = [super::Layer::new(); id::LAYERS];
        self.bed = super::Bed::new();
        self.treatments = self.treatments.rewound(keep);
        self.space = self.space.rewound(keep);
        if keep {
            for (layer, old) in self.layers.iter_mut().zip(layers) {
                layer.hands = [old.hands[old.pair.current()]; 2];
            }
            self.bed.hands = [bed.hands[bed.pair.current()]; 2];
        } else {
            self.master_half = 0;
        }
    }

    /// Puts everything in force that was set before the first frame, without glides, and lets the fade
    /// start from silence.
    pub(super) fn settle(&mut self) {
        self.unsettled = false;
        self.aim_tempo();
        for control in ControlId::all() {
            self.put(control, 0.0);
        }
        self.set_fade(gain::SILENCE, 0.0);
        self.fade = Travel::still(0.0);
        self.faded_in = false;
        self.graph.reset();
    }

    /// Tells every phase that the song is somewhere else. The master is there at once, each generator as
    /// soon as its renderings are free.
    fn anchor_all(&mut self) {
        self.anchor_pending = false;
        // What jumps anyway does not glide besides: the phase would be out by half a glide's way for good.
        let now = self.now;
        let arrive = |travel: &mut Travel| {
            if !travel.on_line(now) {
                *travel = Travel::still(travel.target());
            }
        };
        arrive(&mut self.tempo_beat);
        arrive(&mut self.note_carrier);
        let layers = id::LAYER
            .iter()
            .flat_map(|layer| [layer.ratio, layer.interval]);
        for control in layers.chain([id::BEAT, id::CARRIER, id::PROG_RATIO, id::MOTION_RATIO]) {
            arrive(&mut self.travels[control.index()]);
        }
        let anchor = self.anchor();
        let hertz = self.beat_travel().settled(now);
        let by_hertz = anchor.hands(0.0, hertz, 1.0, self.rate).half_beat;
        self.master_half = self
            .anchored_phase(Part::Master)
            .map_or(by_hertz, |cycles| cycles >> 1);
        for layer in &mut self.layers {
            layer.jump = true;
        }
        self.bed.jump = true;
        self.treatments.jump(true);
        self.anchor_motion(&anchor);
        self.mark_anchor();
    }

    /// The phase of a part at an anchor, where a timeline tells it in closed form.
    pub(super) fn anchored_phase(&self, part: Part) -> Option<i128> {
        self.deck_phase(part)
            .filter(|_| self.choice(id::PHASE_MODE) == id::PHASE_TIMELINE)
    }

    fn drive_master(&mut self, end: u64) {
        let beat = *self.beat_travel();
        let (from, to) = (beat.value(self.now), beat.value(end));
        if let Some(closed) = self.deck_motion(Part::Master, 1, from, to, end) {
            self.master_gear = Gear {
                half_beat: closed.motion,
                exact: [None, Some(closed.exact)],
                ..Gear::default()
            };
            return;
        }
        let course = if beat.end(self.now).is_none() {
            Course::Still(beat.target())
        } else {
            Course::moving(self.now, end, |moment| beat.value_at(moment))
        };
        self.master_gear = Gear {
            half_beat: course.motion(0.5, end - self.now, self.rate, &mut self.master_kept),
            ..Gear::default()
        };
    }

    /// The phase of the beat at this frame, modulo a cycle: what sounds, offset included.
    pub(super) fn beat_phase(&self) -> u64 {
        let degrees = self.travels[id::PHASE.index()].value(self.now);
        let offset = (degrees / 720.0 * crate::dsp::phase::CYCLE) as i128;
        ((self.master_at_now().wrapping_add(offset)) as u64).wrapping_mul(2)
    }

    /// Shows the phases of the beats of layers and program at this frame.
    pub(super) fn show_phases(&self) {
        let degrees = self.travels[id::PHASE.index()].value(self.now);
        let offset = (degrees / 720.0 * crate::dsp::phase::CYCLE) as i128;
        let passed = self.now - self.piece_start;
        let beat = |hands: &Hands, gear: &Gear| {
            let half = hands.half_beat.wrapping_add(gear.half_beat_at(passed));
            (half.wrapping_add(offset) as u64).wrapping_mul(2)
        };
        let mut phases = [0; id::LAYERS + 1];
        for (phase, layer) in phases.iter_mut().zip(&self.layers) {
            *phase = beat(&layer.hands[layer.pair.current()], &layer.gear);
        }
        let (hands, gear) = self.treatments.shown();
        phases[id::LAYERS] = beat(hands, gear);
        self.telemetry.display().show_phases(phases);
    }

    /// The master's half-beat at this frame, without the offset.
    fn master_at_now(&self) -> i128 {
        self.master_half
            .wrapping_add(self.master_gear.half_beat_at(self.now - self.piece_start))
    }

    /// Controls that step at the end of a line: puts those in force whose line has ended.
    fn land_held(&mut self) {
        for index in each(self.travels.marks()) {
            let control = ControlId::at(index as u16);
            let before = self.sources();
            let mut travel = self.travels[control.index()];
            if travel.land(self.now) {
                if turns_program(control) {
                    self.leave_place();
                }
                self.travels[control.index()] = travel;
                self.put(control, self.get(id::GLIDE));
                self.change_source(before);
            }
        }
    }

    /// Straight lines of levels: their nodes are sent to where the line is at the end of the piece.
    fn run_lines(&mut self, end: u64) {
        for index in each(self.travels.marks()) {
            let control = ControlId::at(index as u16);
            let travel = self.travels[control.index()];
            if !travel.on_line(self.now) {
                continue;
            }
            let Some(node) = self.level_node(control) else {
                continue;
            };
            let seconds = (end - self.now) as f64 / self.rate;
            let db = apply::level(control, travel.value(end));
            self.set_gain(node, db, seconds, true);
            if control == id::OUT_GAIN
                && let Some(rest) = self.chain.bus.rest
            {
                self.set_gain(rest, db, seconds, true);
            }
        }
    }
}
