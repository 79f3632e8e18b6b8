//! Layers: what each sounds like, through which rendering, at which phases.

use super::chain::LayerNodes;
use super::clock::{Anchor, Course, Gear, Hands, Kept, Moment};
use super::controls as id;
use super::controls::LayerIds;
use super::pair::{Pair, Turn};
use super::timeline::Part;
use super::travel::Travel;
use super::{Engine, SWITCH_TIME};
use crate::dsp::phase::Motion;
use crate::graph::{Activity, NodeIndex};
use crate::node::{gain, noise, wave_pair};

/// The beat is limited to this share of a layer's carrier, so that no ear's tone comes near 0 Hz.
const WIDEST_BEAT: f64 = 1.8;

/// Seconds of noise that its filters have behind them when they start: their slowest pole, 8 Hz, has
/// forgotten 150 dB.
const NOISE_PAST: f64 = 0.35;

/// What a layer is set up for. A change of any of it is a crossfade of two renderings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerSetup {
    pub kind: usize,
    wave: usize,
    duty: f64,
    ramp: f64,
    swap: bool,
    seed: f64,
}

impl LayerSetup {
    /// Whether pulses shape it.
    fn pulsed(&self) -> bool {
        matches!(self.kind, id::LAYER_NOISE | id::LAYER_ISOCHRONIC)
    }
}

/// A layer.
#[derive(Debug, Clone, Copy)]
pub struct Layer {
    pub pair: Pair<LayerSetup>,
    pub hands: [Hands; 2],
    pub gear: Gear,
    /// Of carrier and half-beat.
    kept: [Kept; 2],
    /// What the gear was found for, while nothing of it moves: beat, carrier, ratio, interval.
    still: Option<[f64; 4]>,
    /// Its phases have to follow an anchor and have not yet.
    pub jump: bool,
}

/// The longest past in frames: what it costs is bounded at any rate, where blocks leave less time for it. Above
/// 93.6 kHz it is shorter than [`NOISE_PAST`], and the slowest pole has forgotten less: 74 dB at 192 kHz, 19 dB at 768.
const LONGEST_PAST: u64 = 1 << 15;

impl Layer {
    /// Silent, at phase 0.
    pub fn new() -> Layer {
        Layer {
            pair: Pair::new(),
            hands: [Hands::default(); 2],
            gear: Gear::default(),
            kept: [Kept::default(); 2],
            still: None,
            jump: false,
        }
    }

    /// Whether it sounds, if only its fade.
    pub fn sounds(&self) -> bool {
        self.pair.sounds_at_all()
    }

    /// Moves the phases on by frames of the piece.
    pub fn advance(&mut self, frames: u64) {
        let passed = self.gear.passed(frames);
        for hands in &mut self.hands {
            hands.add(&passed);
        }
    }
}

/// A layer's carrier, so many semitones from the master's, and its beat within the limit for that carrier: its tones are
/// half of the beat below and above.
pub fn transposed(carrier: f64, semitones: f64, beat: f64) -> (f64, f64) {
    // The power function takes longer than all the rest, and most layers are at the carrier itself.
    let carrier = match semitones {
        0.0 => carrier,
        _ => carrier * 2f64.powf(semitones / 12.0),
    };
    (carrier, beat.min(WIDEST_BEAT * carrier))
}

impl Engine {
    /// Turns every generator towards what its controls ask for, and gives those that sound their phases
    /// for the piece that begins and lasts until `end`.
    pub(super) fn run_generators(&mut self, end: u64) {
        if self.choice(id::PHASE_MODE) == id::PHASE_FREE {
            // The mode was changed while a jump waited for a fade.
            self.forget_jumps();
        }
        let anchor = self.anchor();
        for index in 0..id::LAYERS {
            self.turn_layer(index, &anchor);
            self.drive_layer(index, end);
        }
        self.turn_bed(&anchor);
        self.drive_bed();
        self.run_faded(self.chain.fade, self.generates());
    }

    fn layer_setup(&self, ids: &LayerIds) -> Option<LayerSetup> {
        let kind = self.choice(ids.kind);
        let pulses = matches!(
            kind,
            id::LAYER_ISOCHRONIC | id::LAYER_BILATERAL | id::LAYER_NOISE
        );
        let sided = matches!(kind, id::LAYER_BINAURAL | id::LAYER_BILATERAL);
        // What a kind does not use changes nothing about it.
        let if_used = |used: bool, control| if used { self.settled(control) } else { 0.0 };
        (kind != id::LAYER_OFF).then(|| LayerSetup {
            kind,
            wave: if_used(kind != id::LAYER_NOISE, ids.wave) as usize,
            duty: if_used(pulses, ids.duty),
            ramp: if_used(pulses, ids.ramp),
            swap: if_used(sided, ids.swap) >= 0.5,
            seed: if_used(kind == id::LAYER_NOISE, id::SEED),
        })
    }

    /// Carrier and beat of a layer at a moment, in hertz.
    fn layer_frequencies(&self, ids: &LayerIds, moment: Moment) -> (f64, f64) {
        let at = |control: id::ControlId| self.travels[control.index()].value_at(moment);
        let carrier = self.carrier_travel().value_at(moment);
        let beat = self.beat_travel().value_at(moment) * at(ids.ratio);
        transposed(carrier, at(ids.interval), beat)
    }

    /// Where a control is for what does not glide.
    pub(super) fn settled(&self, control: id::ControlId) -> f64 {
        self.travels[control.index()].settled(self.now)
    }

    /// What a layer's frequencies follow from, if none of it moves.
    fn layer_rests(&self, ids: &LayerIds) -> Option<[f64; 4]> {
        let travels = [
            self.beat_travel(),
            self.carrier_travel(),
            &self.travels[ids.ratio.index()],
            &self.travels[ids.interval.index()],
        ];
        let still = travels.iter().all(|travel| travel.end(self.now).is_none());
        still.then(|| travels.map(Travel::target))
    }

    /// Where an anchor puts a layer. A glide is as good as over; a straight line is where it is.
    fn anchored(&self, index: usize, anchor: &Anchor) -> Hands {
        let ids = &id::LAYER[index];
        let ratio = self.settled(ids.ratio);
        let whole = self.beat_travel().settled(self.now) * ratio;
        let carrier = self.carrier_travel().settled(self.now);
        let (carrier, beat) = transposed(carrier, self.settled(ids.interval), whole);
        // Where the tempo tells the cycles, the limit holds for them too.
        let share = if whole > 0.0 { beat / whole } else { 1.0 };
        let hands = anchor.hands(carrier, beat, ratio * share, self.rate);
        let closed = |part| self.anchored_phase(part);
        Hands {
            carrier: closed(Part::Carrier(index)).unwrap_or(hands.carrier),
            half_beat: closed(Part::Beat(index)).map_or(hands.half_beat, |cycles| cycles >> 1),
            ..hands
        }
    }

    fn turn_layer(&mut self, index: usize, anchor: &Anchor) {
        let ids = &id::LAYER[index];
        let setup = self.layer_setup(ids);
        let layer = &self.layers[index];
        let noisy = setup.is_some_and(|setup| setup.kind == id::LAYER_NOISE);
        if noisy && self.primed && self.now > 0 {
            // One past of noise a piece is enough work: this one is next.
            return;
        }
        let target = layer.jump.then(|| self.anchored(index, anchor));
        let here = layer.hands[layer.pair.current()];
        // Tones do not hear where noise is, and noise not where tones are.
        let heard = target.filter(|target| match setup {
            Some(setup) if setup.kind == id::LAYER_NOISE => target.differs(&here),
            _ => Hands {
                position: here.position,
                ..*target
            }
            .differs(&here),
        });
        // What still sounds does not jump: the anchor waits until a rendering is free.
        let sounds = layer.pair.sounds(layer.pair.current());
        let fade = self.frames(SWITCH_TIME);
        let turn =
            self.layers[index]
                .pair
                .turn(setup, heard.is_some() && self.now > 0, self.now, fade);
        let nodes = self.chain.layers[index].0;
        if let Turn::Out(rendering) = turn {
            return self.fade_out(nodes[rendering].fade);
        }
        if turn == Turn::Stay && heard.is_some() && sounds {
            return;
        }
        let layer = &mut self.layers[index];
        let target = target.unwrap_or(here);
        layer.jump = false;
        layer.hands[layer.pair.current()] = target;
        match turn {
            Turn::Stay | Turn::Out(_) => {}
            Turn::Back(rendering) => self.fade_in(nodes[rendering].fade, self.layer_db(index)),
            Turn::Start(rendering) => self.start_layer(index, rendering),
            Turn::Swap(from, to) => {
                self.fade_out(nodes[from].fade);
                self.start_layer(index, to);
            }
        }
    }

    /// Decibels at which a layer's rendering is in: noise is brought to 0 dBFS RMS.
    fn layer_db(&self, index: usize) -> f64 {
        let pair = &self.layers[index].pair;
        match pair.setup(pair.current()) {
            Some(setup) if setup.kind == id::LAYER_NOISE => self.noise_levels.pink,
            _ => 0.0,
        }
    }

    fn start_layer(&mut self, index: usize, rendering: usize) {
        let Some(setup) = self.layers[index].pair.setup(rendering) else {
            return;
        };
        let nodes = self.chain.layers[index].0[rendering];
        let params = self.params;
        self.graph.set_param(
            nodes.wave,
            wave_pair::WAVE,
            setup.wave.saturating_sub(1) as f64,
        );
        self.graph
            .set_param(nodes.noise, noise::param::SEED, setup.seed);
        for (node, duty, ramp) in [
            (nodes.pulse, params.pulse_duty, params.pulse_ramp),
            (nodes.side, params.side_duty, params.side_ramp),
        ] {
            self.graph.set_param(node, duty, setup.duty);
            self.graph.set_param(node, ramp, setup.ramp);
            // No flank of its last use is left to finish.
            self.graph.reset_node(node);
        }
        self.graph.set_param(
            nodes.side,
            params.side_swap,
            f64::from(u8::from(setup.swap)),
        );
        if setup.kind == id::LAYER_NOISE {
            let position = self.layers[index].hands[rendering].position;
            // As they are, whatever they were told before.
            for node in [nodes.noise, nodes.pink] {
                self.graph.set_activity(node, Activity::Run);
            }
            self.prime(nodes.noise, &[nodes.noise, nodes.pink], position);
        }
        // From silence, whatever the last use left.
        self.set_gain(nodes.fade, gain::SILENCE, 0.0, false);
        self.fade_in(nodes.fade, self.layer_db(index));
    }

    pub(super) fn fade_in(&mut self, node: NodeIndex, db: f64) {
        self.set_gain(node, db, SWITCH_TIME, false);
    }

    pub(super) fn fade_out(&mut self, node: NodeIndex) {
        self.set_gain(node, gain::SILENCE, SWITCH_TIME, false);
    }

    /// Gives noise and its filters, which run or pass already, the past that they would have had at a
    /// position.
    pub(super) fn prime(&mut self, noise: NodeIndex, nodes: &[NodeIndex], position: i128) {
        self.primed = true;
        let frames = self.frames(NOISE_PAST).min(LONGEST_PAST);
        let start = position.wrapping_sub(i128::from(frames));
        for node in nodes {
            self.graph.reset_node(*node);
        }
        self.graph.set_phase(noise, 0, start as u64, 1, 0);
        self.graph.prime(nodes, frames as usize);
    }

    /// Sets the phases of a layer's renderings for the piece, and what of its nodes runs.
    fn drive_layer(&mut self, index: usize, end: u64) {
        let still = self.layer_rests(&id::LAYER[index]);
        // Most layers go on as they did.
        if still.is_none() || still != self.layers[index].still || self.deck.is_on() {
            self.layers[index].gear = self.layer_gear(index, end, still.is_none());
            self.layers[index].still = still.filter(|_| !self.deck.is_on());
        }
        for rendering in [0, 1] {
            self.drive_rendering(index, rendering, end - self.now);
        }
        let (node, sounds) = (self.chain.layers[index].1, self.layers[index].sounds());
        self.run_level(node, id::LAYER[index].level, sounds);
    }

    /// How the phases of a layer move over the piece.
    fn layer_gear(&mut self, index: usize, end: u64, moves: bool) -> Gear {
        let ids = &id::LAYER[index];
        let frames = end - self.now;
        let here = self.layer_frequencies(ids, self.now.into());
        let (last, middle) = if moves {
            (
                self.layer_frequencies(ids, end.into()),
                self.layer_frequencies(ids, Moment::between(self.now, end)),
            )
        } else {
            (here, here)
        };
        let carrier = Course::through(here.0, middle.0, last.0);
        let beat = Course::through(here.1, middle.1, last.1);
        let rate = self.rate;
        let [kept_carrier, kept_beat] = &mut self.layers[index].kept;
        let mut gear = Gear {
            carrier: carrier.motion(1.0, frames, rate, kept_carrier),
            half_beat: beat.motion(0.5, frames, rate, kept_beat),
            ..Gear::default()
        };
        let (here_carrier, here_beat) = here;
        if let Some(closed) = self.deck_motion(Part::Carrier(index), 0, here_carrier, last.0, end) {
            (gear.carrier, gear.exact[0]) = (closed.motion, Some(closed.exact));
        }
        let limited = |carrier: f64, beat: f64| beat >= WIDEST_BEAT * carrier;
        if !limited(here_carrier, here_beat)
            && !limited(last.0, last.1)
            && let Some(closed) = self.deck_motion(Part::Beat(index), 1, here_beat, last.1, end)
        {
            (gear.half_beat, gear.exact[1]) = (closed.motion, Some(closed.exact));
        }
        gear
    }

    fn drive_rendering(&mut self, index: usize, rendering: usize, frames: u64) {
        let nodes = self.chain.layers[index].0[rendering];
        let (setup, new) = self.layers[index].pair.tell(rendering);
        if new {
            self.let_run(&nodes, setup.as_ref());
        }
        let Some(setup) = setup else {
            return;
        };
        let layer = &self.layers[index];
        let hands = layer.hands[rendering];
        let carrier = Motion {
            position: hands.carrier,
            ..layer.gear.carrier
        };
        let half_beat = Motion {
            position: hands.half_beat,
            ..layer.gear.half_beat
        }
        .plus(&self.offset_motion(frames));
        if setup.kind == id::LAYER_NOISE {
            self.graph
                .set_phase(nodes.noise, 0, hands.position as u64, 1, 0);
        } else {
            let (left, right) = match setup.kind {
                id::LAYER_BINAURAL | id::LAYER_MONAURAL => {
                    (carrier.minus(&half_beat), carrier.plus(&half_beat))
                }
                _ => (carrier, carrier),
            };
            let ears = if setup.swap && setup.kind == id::LAYER_BINAURAL {
                [right, left]
            } else {
                [left, right]
            };
            let tones = if setup.wave == id::WAVE_SINE {
                nodes.sine
            } else {
                nodes.wave
            };
            for (ear, motion) in ears.into_iter().enumerate() {
                self.set_motion(tones, ear, &motion);
            }
        }
        let beat = half_beat.plus(&half_beat);
        if setup.pulsed() {
            self.set_motion(nodes.pulse, 0, &beat);
        }
        if setup.kind == id::LAYER_BILATERAL {
            self.set_motion(nodes.side, 0, &beat);
        }
    }

    /// Lets the nodes of a rendering run that its setup needs: none where it does not sound.
    fn let_run(&mut self, nodes: &LayerNodes, setup: Option<&LayerSetup>) {
        let noise = setup.is_some_and(|setup| setup.kind == id::LAYER_NOISE);
        let sine = !noise && setup.is_some_and(|setup| setup.wave == id::WAVE_SINE);
        let wave = setup.is_some() && !noise && !sine;
        let is = |kind| setup.is_some_and(|setup| setup.kind == kind);
        let otherwise = if setup.is_some() {
            Activity::Pass
        } else {
            Activity::Silent
        };
        let when = |run: bool, otherwise| if run { Activity::Run } else { otherwise };
        for (node, activity) in [
            (nodes.sine, when(sine, Activity::Silent)),
            (nodes.wave, when(wave, Activity::Silent)),
            (nodes.noise, when(noise, Activity::Silent)),
            (nodes.pink, when(noise, Activity::Silent)),
            (nodes.mono, when(is(id::LAYER_MONAURAL), otherwise)),
            (
                nodes.pulse,
                when(setup.is_some_and(LayerSetup::pulsed), otherwise),
            ),
            (nodes.side, when(is(id::LAYER_BILATERAL), otherwise)),
            (nodes.fade, when(setup.is_some(), Activity::Silent)),
        ] {
            self.graph.set_activity(node, activity);
        }
    }

    pub(super) fn set_motion(&mut self, node: NodeIndex, index: usize, motion: &Motion) {
        self.graph.set_phase(
            node,
            index,
            motion.phase(),
            motion.wrapped_increment(),
            motion.sweep,
        );
    }

    /// The `phase` control as a motion of half-beats over the piece.
    pub(super) fn offset_motion(&self, frames: u64) -> Motion {
        let travel = &self.travels[id::PHASE.index()];
        let half_cycles = |degrees: f64| degrees / 720.0;
        let start = half_cycles(travel.value(self.now));
        // The conversion takes longer than all the rest, and most offsets are none.
        let position = match start {
            0.0 => 0,
            _ => (start * crate::dsp::phase::CYCLE) as i128,
        };
        if travel.end(self.now).is_none() {
            return Motion {
                position,
                ..Motion::default()
            };
        }
        let end = self.now + frames;
        Motion::travel(
            position,
            half_cycles(travel.slope(self.now)),
            half_cycles(travel.slope(end)),
            half_cycles(travel.value(end)) - start,
            frames,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::phase::{CYCLE, increment};
    use crate::engine::{Change, Event, Transport};

    const RATE: f64 = 48_000.0;

    /// How far a phase in 2^-64 cycles is from where a line leads it that begins at a frame, and stays where it ends.
    fn error(phase: i128, from: f64, to: f64, [start, length, end]: [u64; 3]) -> f64 {
        let hertz = |hertz, frames: u64| increment(hertz, RATE) * i128::from(frames);
        // The mean of both ends, exact in integers.
        let line = (hertz(from, length) + hertz(to, length)) / 2;
        let exact = hertz(from, start) + line + hertz(to, end - start - length);
        (phase - exact) as f64 / CYCLE
    }

    #[test]
    fn a_line_that_begins_anywhere_is_integrated_exactly() {
        let mut worst = 0.0_f64;
        for (start, frames, block) in [
            (1000, 96_000, 512),
            (1001, 96_000, 512),
            (1001, 960, 64),
            (1023, 961, 512),
            (1007, 33, 1),
            (1009, 7, 480),
            (1013, 1, 31),
        ] {
            let mut engine = Engine::new(RATE).unwrap();
            for (control, value) in [
                (id::BEAT, 10.0),
                (id::CARRIER, 20.0),
                (id::FADE_IN, 0.0),
                (id::L1_KIND, id::LAYER_BINAURAL as f64),
                (id::PROG_KIND, id::PROGRAM_AMPLITUDE as f64),
                (id::MOTION_RATE, 0.1),
            ] {
                engine.set(control, value);
            }
            let lines = [
                (id::BEAT, 20.0),
                (id::CARRIER, 1500.0),
                (id::MOTION_RATE, 2.0),
            ];
            let end = 102_400;
            let mut done = 0;
            while done < end {
                let count = block.min(end - done);
                let events: Vec<Event> = lines
                    .iter()
                    .filter(|_| (done..done + count).contains(&start))
                    .map(|(control, to)| Event {
                        frame: (start - done) as usize,
                        control: *control,
                        change: Change::Linear { to: *to, frames },
                    })
                    .collect();
                let (mut left, mut right) = ([0.0; 512], [0.0; 512]);
                let cut = count as usize;
                let transport = Transport::Absent;
                engine.process(&mut left[..cut], &mut right[..cut], transport, &events);
                done += count;
            }
            engine.plan();
            let way = [start, frames, end];
            let layer = &engine.layers[0];
            let hands = layer.hands[layer.pair.current()];
            let (treated, _) = engine.treatments.shown();
            let found = [
                error(hands.carrier, 20.0, 1500.0, way),
                error(hands.half_beat, 5.0, 10.0, way),
                error(engine.master_half, 5.0, 10.0, way),
                error(treated.half_beat, 5.0, 10.0, way),
                error(engine.space.phase(), 0.1, 2.0, way),
            ];
            let most = found.iter().fold(0.0_f64, |most, out| most.max(out.abs()));
            println!("a line of {frames} frames from frame {start}: out by {most:.1e} cycle");
            worst = worst.max(most);
        }
        assert!(worst < 1e-12, "{worst:e} cycle");
    }
}
