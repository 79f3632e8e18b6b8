//! Program treatments: what the beat does to the incoming audio, through which rendering, at which phase.
//!
//! Amplitude and sweep act before space, bilateral and shift on the two ears after it: two stages in a row.
//! Each stage has two renderings of which one sounds, if only untreated; a change of kind, shape or band edge and
//! a jump of the phase are a crossfade to the other one, which listens first if it has filters to fill. The depth follows its control and the fade of the
//! entrainment; where it stays at nothing the audio passes bit for bit.

use super::chain::{ModulatorParams, StageNodes};
use super::clock::{Anchor, Course, Gear, Hands, Kept, Moment};
use super::controls as id;
use super::pair::{Pair, Turn};
use super::timeline::Part;
use super::{Engine, QUANTUM, SWITCH_TIME};
use crate::dsp::phase::Motion;
use crate::graph::{Activity, NodeIndex};
use crate::node::gain;

/// The sweep's travel in hertz where the band edges give none.
const SWEEP: (f64, f64) = (200.0, 5000.0);

/// The highest edge of a band, as a share of the rate (`warp` of `faust/zeitgeber.lib`).
const HIGHEST_EDGE: f64 = 0.48;

/// Seconds in which the input of filters fades in that begin in the middle of a wave.
const START_TIME: f64 = 0.005;

/// Seconds for which a rendering with filters only listens before it takes over: they have to fill, or lows dip.
const LISTEN_TIME: f64 = 0.04;

/// Before space, after space: the kinds of each stage.
const STAGES: [[usize; 2]; 2] = [
    [id::PROGRAM_AMPLITUDE, id::PROGRAM_SWEEP],
    [id::PROGRAM_BILATERAL, id::PROGRAM_SHIFT],
];

/// What a stage is set up for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Setup {
    kind: usize,
    pulse: bool,
    duty: f64,
    ramp: f64,
    low: f64,
    high: f64,
}

/// The audio as it is.
const UNTREATED: Setup = Setup {
    kind: id::PROGRAM_OFF,
    pulse: false,
    duty: 0.0,
    ramp: 0.0,
    low: 0.0,
    high: 0.0,
};

impl Setup {
    /// Whether only a band is treated. An upper edge that filters cannot reach is none.
    fn has_edges(&self, rate: f64) -> bool {
        let (lowest, highest) = edges();
        !matches!(self.kind, id::PROGRAM_OFF | id::PROGRAM_SWEEP)
            && (self.low > lowest || self.high < highest.min(HIGHEST_EDGE * rate))
    }

    /// Whether filters run, which would ring if they began in the middle of a wave.
    fn filters(&self, rate: f64) -> bool {
        self.has_edges(rate) || matches!(self.kind, id::PROGRAM_SWEEP | id::PROGRAM_SHIFT)
    }

    /// Where the sweep's filter travels, in hertz.
    fn travel(&self) -> (f64, f64) {
        let (lowest, highest) = edges();
        (
            if self.low > lowest { self.low } else { SWEEP.0 },
            if self.high < highest {
                self.high
            } else {
                SWEEP.1
            },
        )
    }
}

/// The values of the band edges that mean none.
fn edges() -> (f64, f64) {
    (
        id::PROG_LOW.control().range().0,
        id::PROG_HIGH.control().range().1,
    )
}

/// A stage.
#[derive(Debug, Clone, Copy)]
struct Stage {
    pair: Pair<Setup>,
    hands: [Hands; 2],
    /// Its phase has to follow an anchor and has not yet.
    jump: bool,
    /// When the current rendering, which listens, takes over from the other one.
    takes_over: Option<u64>,
}

/// Both stages.
#[derive(Debug, Clone, Copy)]
pub struct Treatments {
    stages: [Stage; 2],
    gear: Gear,
    kept: Kept,
}

impl Treatments {
    /// Untreated, at phase 0.
    pub fn new() -> Treatments {
        Treatments {
            stages: [Stage {
                pair: Pair::new(),
                hands: [Hands::default(); 2],
                jump: false,
                takes_over: None,
            }; 2],
            gear: Gear::default(),
            kept: Kept::default(),
        }
    }

    /// As new; with `keep` at the phase where it is.
    pub fn rewound(&self, keep: bool) -> Treatments {
        let mut new = Treatments::new();
        if keep {
            for (stage, old) in new.stages.iter_mut().zip(&self.stages) {
                stage.hands = [old.hands[old.pair.current()]; 2];
            }
        }
        new
    }

    /// Silences renderings whose fade has ended.
    pub fn expire(&mut self, now: u64) {
        for stage in &mut self.stages {
            stage.pair.expire(now);
        }
    }

    /// Moves the phases on by frames of the piece.
    pub fn advance(&mut self, frames: u64) {
        let passed = self.gear.passed(frames);
        for hands in self.stages.iter_mut().flat_map(|stage| &mut stage.hands) {
            hands.add(&passed);
        }
    }

    /// The phases of the treatment that sounds, at the start of the piece, and how they move.
    pub fn shown(&self) -> (&Hands, &Gear) {
        let sounding = self.stages.iter().find(|stage| stage.pair.sounds_at_all());
        let stage = sounding.unwrap_or(&self.stages[0]);
        (&stage.hands[stage.pair.current()], &self.gear)
    }

    /// The phases have to follow an anchor, or need not any more.
    pub fn jump(&mut self, jump: bool) {
        for stage in &mut self.stages {
            stage.jump = jump;
        }
    }
}

impl Engine {
    /// Whether a treatment sounds, if only its fade.
    pub(super) fn treats(&self) -> bool {
        let stages = &self.treatments.stages;
        stages.iter().any(|stage| {
            [0, 1].into_iter().any(|rendering| {
                let setup = stage.pair.setup(rendering);
                stage.pair.sounds(rendering)
                    && setup.is_some_and(|setup| setup.kind != id::PROGRAM_OFF)
            })
        })
    }

    /// Turns both stages towards what the controls ask for, and gives them their phases and depth for the
    /// piece that begins and lasts until `end`.
    pub(super) fn run_treatments(&mut self, end: u64) {
        let frames = end - self.now;
        let anchor = self.anchor();
        let moves = [self.beat_travel(), &self.travels[id::PROG_RATIO.index()]]
            .iter()
            .any(|travel| travel.end(self.now).is_some());
        let course = if moves {
            Course::moving(self.now, end, |moment| self.treatment_beat(moment))
        } else {
            Course::Still(self.treatment_beat(self.now.into()))
        };
        let mut gear = Gear {
            half_beat: course.motion(0.5, frames, self.rate, &mut self.treatments.kept),
            ..Gear::default()
        };
        let [from, to] = [self.now, end].map(|frame| self.treatment_beat(frame.into()));
        if let Some(closed) = self.deck_motion(Part::Treatment, 1, from, to, end) {
            (gear.half_beat, gear.exact[1]) = (closed.motion, Some(closed.exact));
        }
        self.treatments.gear = gear;
        for stage in 0..STAGES.len() {
            self.take_over(stage);
            self.turn_stage(stage, &anchor);
            for rendering in [0, 1] {
                self.drive_stage(stage, rendering, end);
            }
        }
    }

    /// Forgets what filters remember.
    pub(super) fn clear_treatments(&mut self) {
        for nodes in self.chain.stages.into_iter().flatten() {
            self.clear_rendering(&nodes);
        }
    }

    fn clear_rendering(&mut self, nodes: &StageNodes) {
        let all = [nodes.band, nodes.rest, nodes.first, nodes.second];
        for node in all.into_iter().chain(nodes.through) {
            self.graph.reset_node(node);
        }
    }

    /// The beat of the treatment at a moment, in hertz.
    fn treatment_beat(&self, moment: Moment) -> f64 {
        let ratio = self.travels[id::PROG_RATIO.index()].value_at(moment);
        self.beat_travel().value_at(moment) * ratio
    }

    /// The depth at a frame, the fade of the entrainment included.
    fn treatment_depth(&self, frame: u64) -> f64 {
        self.travels[id::PROG_DEPTH.index()].value(frame) * self.fade.value(frame)
    }

    fn stage_setup(&self, stage: usize) -> Setup {
        let kind = self.choice(id::PROG_KIND);
        let depth = &self.travels[id::PROG_DEPTH.index()];
        let still_at_nothing =
            |travel: &super::Travel| travel.target() == 0.0 && travel.end(self.now).is_none();
        let nothing = still_at_nothing(depth) || still_at_nothing(&self.fade);
        if nothing || !STAGES[stage].contains(&kind) {
            return UNTREATED;
        }
        let pulse = kind != id::PROGRAM_SHIFT && self.choice(id::PROG_SHAPE) == 1;
        // What a kind does not use changes nothing about it.
        let if_pulse = |control| if pulse { self.settled(control) } else { 0.0 };
        Setup {
            kind,
            pulse,
            duty: if_pulse(id::PROG_DUTY),
            ramp: if_pulse(id::PROG_RAMP),
            low: self.settled(id::PROG_LOW),
            high: self.settled(id::PROG_HIGH),
        }
    }

    /// Where an anchor puts the phase of the treatment.
    fn anchored_treatment(&self, anchor: &Anchor) -> Hands {
        let ratio = self.settled(id::PROG_RATIO);
        let beat = self.beat_travel().settled(self.now) * ratio;
        let hands = anchor.hands(0.0, beat, ratio, self.rate);
        let closed = self.anchored_phase(Part::Treatment);
        Hands {
            half_beat: closed.map_or(hands.half_beat, |cycles| cycles >> 1),
            ..hands
        }
    }

    fn turn_stage(&mut self, index: usize, anchor: &Anchor) {
        let setup = self.stage_setup(index);
        let stage = self.treatments.stages[index];
        let here = stage.hands[stage.pair.current()];
        let target = if stage.jump {
            self.anchored_treatment(anchor)
        } else {
            here
        };
        let treated = setup.kind != id::PROGRAM_OFF;
        let heard = treated && self.now > 0 && target.half_beat as u64 != here.half_beat as u64;
        let listen = if setup.filters(self.rate) {
            // It takes over at the next piece.
            self.frames(LISTEN_TIME) + QUANTUM as u64
        } else {
            0
        };
        let fade = self.frames(SWITCH_TIME) + listen;
        let turn = self.treatments.stages[index]
            .pair
            .turn(Some(setup), heard, self.now, fade);
        if turn == Turn::Stay && heard {
            // Both renderings sound: the jump waits until one is free.
            return;
        }
        let nodes = self.chain.stages[index];
        let stage = &mut self.treatments.stages[index];
        stage.jump = false;
        stage.hands[stage.pair.current()] = target;
        match turn {
            // A stage always sounds: it neither goes out nor comes back.
            Turn::Stay | Turn::Out(_) | Turn::Back(_) => {}
            Turn::Start(rendering) => {
                let nodes = nodes[rendering];
                self.start_stage(&nodes, &setup);
                self.set_gain(nodes.start, 0.0, 0.0, false);
                self.set_gain(nodes.fade, 0.0, 0.0, false);
            }
            Turn::Swap(from, to) => {
                self.treatments.stages[index].takes_over =
                    (listen > 0).then(|| self.now + self.frames(LISTEN_TIME));
                if listen == 0 {
                    self.fade_out(nodes[from].fade);
                }
                let nodes = nodes[to];
                self.start_stage(&nodes, &setup);
                if setup.filters(self.rate) {
                    self.set_gain(nodes.start, gain::SILENCE, 0.0, false);
                    self.set_gain(nodes.start, 0.0, START_TIME, false);
                } else {
                    self.set_gain(nodes.start, 0.0, 0.0, false);
                }
                self.set_gain(nodes.fade, gain::SILENCE, 0.0, false);
                if listen == 0 {
                    self.fade_in(nodes.fade, 0.0);
                }
            }
        }
    }

    /// The crossfade to a rendering that has listened for long enough.
    fn take_over(&mut self, index: usize) {
        let stage = &mut self.treatments.stages[index];
        if stage.takes_over.is_none_or(|at| self.now < at) {
            return;
        }
        stage.takes_over = None;
        let to = stage.pair.current();
        let nodes = self.chain.stages[index];
        self.fade_out(nodes[1 - to].fade);
        self.fade_in(nodes[to].fade, 0.0);
    }

    fn start_stage(&mut self, nodes: &StageNodes, setup: &Setup) {
        let params = self.params;
        let depth = self.treatment_depth(self.now);
        for node in [nodes.band, nodes.rest] {
            self.graph.set_param(node, params.band_low, setup.low);
            self.graph.set_param(node, params.band_high, setup.high);
        }
        if let Some((node, modulator)) = self.modulator(nodes, setup.kind) {
            self.graph
                .set_param(node, modulator.pulse, f64::from(u8::from(setup.pulse)));
            self.graph.set_param(node, modulator.duty, setup.duty);
            self.graph.set_param(node, modulator.ramp, setup.ramp);
        }
        if setup.kind == id::PROGRAM_SWEEP {
            let (low, high) = setup.travel();
            self.graph.set_param(nodes.second, params.sweep_low, low);
            self.graph.set_param(nodes.second, params.sweep_high, high);
        }
        self.put_depth(nodes, setup.kind, depth);
        self.clear_rendering(nodes);
    }

    /// The node of a kind that follows an envelope.
    fn modulator(&self, nodes: &StageNodes, kind: usize) -> Option<(NodeIndex, ModulatorParams)> {
        match kind {
            id::PROGRAM_AMPLITUDE => Some((nodes.first, self.params.amplitude)),
            id::PROGRAM_BILATERAL => Some((nodes.first, self.params.pan)),
            id::PROGRAM_SWEEP => Some((nodes.second, self.params.sweep)),
            _ => None,
        }
    }

    fn put_depth(&mut self, nodes: &StageNodes, kind: usize, depth: f64) {
        let (node, param) = match self.modulator(nodes, kind) {
            Some((node, modulator)) => (node, modulator.depth),
            None if kind == id::PROGRAM_SHIFT => (nodes.second, self.params.shift_depth),
            None => return,
        };
        if self.graph.get_param(node, param) != depth {
            self.graph.set_param(node, param, depth);
        }
    }

    /// Sets depth and phase of a rendering for the piece, and what of its nodes runs.
    fn drive_stage(&mut self, index: usize, rendering: usize, end: u64) {
        let nodes = self.chain.stages[index][rendering];
        let stage = &mut self.treatments.stages[index];
        let (setup, new) = stage.pair.tell(rendering);
        let position = stage.hands[rendering].half_beat;
        if new {
            self.run_stage(index, &nodes, setup.as_ref());
        }
        let Some(setup) = setup.filter(|setup| setup.kind != id::PROGRAM_OFF) else {
            return;
        };
        self.put_depth(&nodes, setup.kind, self.treatment_depth(end));
        let half_beat = Motion {
            position,
            ..self.treatments.gear.half_beat
        }
        .plus(&self.offset_motion(end - self.now));
        if let Some((node, _)) = self.modulator(&nodes, setup.kind) {
            self.set_motion(node, 0, &half_beat.plus(&half_beat));
        } else if setup.kind == id::PROGRAM_SHIFT {
            let still = Motion::default();
            self.set_motion(nodes.second, 0, &still.minus(&half_beat));
            self.set_motion(nodes.second, 1, &half_beat);
        }
    }

    /// Lets the nodes of a rendering run that its setup needs: none where it does not sound.
    fn run_stage(&mut self, index: usize, nodes: &StageNodes, setup: Option<&Setup>) {
        let when = |run: bool, otherwise| if run { Activity::Run } else { otherwise };
        let sounds = when(setup.is_some(), Activity::Silent);
        let passes = if setup.is_some() {
            Activity::Pass
        } else {
            Activity::Silent
        };
        let edges = setup.is_some_and(|setup| setup.has_edges(self.rate));
        let [first, second] =
            STAGES[index].map(|kind| setup.is_some_and(|setup| setup.kind == kind));
        for (node, activity) in [
            (nodes.start, sounds),
            (nodes.band, when(edges, passes)),
            (nodes.rest, when(edges, Activity::Silent)),
            (nodes.first, when(first, passes)),
            (nodes.second, when(second, passes)),
            (nodes.fade, sounds),
        ] {
            self.graph.set_activity(node, activity);
        }
        if let Some(through) = nodes.through {
            let otherwise = if edges {
                Activity::Pass
            } else {
                Activity::Silent
            };
            self.graph
                .set_activity(through, when(edges && second, otherwise));
        }
    }
}
