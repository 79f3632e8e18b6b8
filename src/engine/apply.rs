//! A control's change on its way to what lives by it.

use super::controls as id;
use super::travel::Travel;
use super::{Change, ControlId, Engine, SETTLE_TIME, SWITCH_TIME};
use crate::graph::NodeIndex;
use crate::node::{bus_in, gain, mix};

impl Engine {
    /// Takes a change of a control at this frame.
    pub(super) fn apply(&mut self, control: ControlId, change: Change) {
        let entry = control.control();
        let now = self.now;
        let change = match change {
            // Before the first frame there is nothing to jump from: the value is simply there.
            Change::Linear { to, frames: 0 } if now == 0 => Change::Step(to),
            change => change,
        };
        // What a host repeats of a snapshot comes after the snapshot.
        self.receive_orders();
        if let Change::Step(value) | Change::Linear { to: value, .. } = change
            && self.deck_takes(control, entry.clamp(value))
        {
            return;
        }
        if let Change::Step(value) = change
            && now > 0
            && self.travels[control.index()].goes_to(entry.clamp(value), now)
        {
            // A host's echo of what is in force, or on its way.
            return;
        }
        if turns_program(control) && !matches!(change, Change::Linear { frames: 1.., .. }) {
            self.leave_place();
        }
        let travel = &mut self.travels[control.index()];
        match change {
            Change::Linear { to, frames: 0 } if places(control) => {
                *travel = Travel::still(entry.clamp(to));
                self.space.stepped |= !turns_program(control);
            }
            Change::Linear { to, frames } if places(control) => {
                travel.line(entry.clamp(to), now, frames);
            }
            Change::Linear { to, frames: 0 } if travels(control) && control != id::PHASE => {
                *travel = Travel::still(entry.clamp(to));
                self.put(control, 0.0);
            }
            Change::Linear { to, frames }
                if travels(control) || crossfades(control) || is_macro(control) =>
            {
                travel.line(entry.clamp(to), now, frames);
            }
            Change::Linear { to, frames } => travel.hold(entry.clamp(to), now, frames),
            Change::Step(value) => {
                let value = entry.clamp(value);
                // A level's own glide is its node's; this one is what a line would depart from.
                let frames = match control {
                    // Not even glide 0 makes a phase jump: that is faded like any jump.
                    id::PHASE if now > 0 => self.glide_frames().max(self.frames(SWITCH_TIME)),
                    _ if travels(control) => self.glide_frames(),
                    _ if is_macro(control) && now > 0 => self.frames(SWITCH_TIME),
                    // Near places are reached on the way, far ones by a jump, which fades.
                    _ if places(control)
                        && now > 0
                        && is_near(control, self.get(control), value) =>
                    {
                        self.frames(SWITCH_TIME)
                    }
                    _ => 0,
                };
                let before = self.sources();
                // A bilateral layer has other places than the others.
                let moves = id::LAYER.iter().any(|l| l.kind == control);
                let jumps = places(control) && frames == 0 && !turns_program(control);
                self.space.stepped |= jumps || moves;
                self.travels[control.index()].glide(value, now, frames);
                self.put(control, self.get(id::GLIDE));
                self.change_source(before);
            }
            Change::Note(note) => {
                self.midi_note = Some(note.min(127));
                self.aim_note();
            }
        }
        if now == 0 {
            self.unsettled = true;
        }
        self.piece_end = now;
    }

    /// Brings a control's value to the node that lives by it; levels travel in `glide` seconds.
    pub(super) fn put(&mut self, control: ControlId, glide: f64) {
        let value = self.travels[control.index()].target();
        let (chain, params) = (self.chain, self.params);
        if control == id::OUT_GAIN
            && let Some(rest) = chain.bus.rest
        {
            self.put_level(rest, control, glide);
        }
        if let Some(node) = self.level_node(control) {
            return self.put_level(node, control, glide);
        }
        match control {
            id::BYPASS => {
                self.graph
                    .set_param(chain.bypass, mix::param::GLIDE, SWITCH_TIME);
                self.graph.set_param(chain.bypass, mix::param::MIX, value);
            }
            id::GATE_ON => {
                self.gate_rests = self.rests(value);
                self.graph.set_param(chain.gate, params.gate_on, value);
            }
            id::GATE_THRESHOLD => {
                self.graph
                    .set_param(chain.gate, params.gate_threshold, value);
            }
            id::GATE_RANGE => self.graph.set_param(chain.gate, params.gate_range, value),
            id::GATE_HOLD => self.graph.set_param(chain.gate, params.gate_hold, value),
            id::LEVELLER_ON => {
                if value >= 0.5 && self.leveller_rests <= self.now {
                    // What it measured before its rest is of another time.
                    self.graph.reset_node(chain.leveller);
                }
                self.leveller_rests = self.rests(value);
                self.graph
                    .set_param(chain.leveller, params.leveller_on, value);
            }
            id::LEVELLER_TARGET => {
                self.graph
                    .set_param(chain.leveller, params.leveller_target, value);
            }
            id::LEVELLER_SPEED => {
                self.graph
                    .set_param(chain.leveller, params.leveller_speed, value);
            }
            id::CEILING_ON => {
                self.ceiling_rests = self.rests(value);
                self.graph
                    .set_param(chain.ceiling, params.ceiling_on, value);
            }
            id::HRTF_EQ => {
                self.graph
                    .set_param(chain.space, crate::node::hrtf::param::EQUALISED, value)
            }
            id::BUS_FORMAT | id::SPACE_KIND => {
                if let Some(format) = chain.bus.format {
                    // A bus that is not decoded leaves as it came.
                    let off = self.choice(id::SPACE_KIND) == id::SPACE_OFF;
                    let value = if off {
                        0.0
                    } else {
                        self.settled(id::BUS_FORMAT)
                    };
                    self.graph.set_param(format, bus_in::param::FORMAT, value);
                }
            }
            id::CEILING => self.graph.set_param(chain.ceiling, params.ceiling, value),
            id::CARRIER_NOTE | id::TUNING => self.aim_note(),
            id::DIVISION => self.aim_tempo(),
            // At the start nodes have to know before they are reset.
            _ if self.now == 0 && id::INSERTS.iter().any(|insert| insert.has(control)) => {
                self.put_inserts();
            }
            // The others are read where they are needed: at the next piece.
            _ => {}
        }
    }

    /// The gain node of a level control.
    pub(super) fn level_node(&self, control: ControlId) -> Option<NodeIndex> {
        match control {
            id::IN_GAIN => Some(self.chain.input_gain),
            id::OUT_GAIN => Some(self.chain.output_gain),
            id::PROG_LEVEL => Some(self.chain.program),
            id::NOISE_LEVEL => Some(self.chain.bed.1),
            _ => (id::LAYER.iter())
                .position(|layer| layer.level == control)
                .map(|index| self.chain.layers[index].1),
        }
    }

    /// Sends a level on its way to its value in `glide` seconds, as a raised cosine.
    fn put_level(&mut self, node: NodeIndex, control: ControlId, glide: f64) {
        let db = self.settled(control);
        self.set_gain(node, level(control, db), glide, false);
    }

    pub(super) fn set_gain(&mut self, node: NodeIndex, db: f64, seconds: f64, line: bool) {
        self.graph.set_param(node, gain::param::GLIDE, seconds);
        self.graph
            .set_param(node, gain::param::SHAPE, f64::from(line));
        self.graph.set_param(node, gain::param::GAIN, db);
    }

    /// When a node that was just switched can be skipped: never while it is on.
    fn rests(&self, on: f64) -> u64 {
        if on >= 0.5 {
            u64::MAX
        } else {
            // At the very start too: a node that has never run would not fade when it is switched on.
            self.now + self.frames(SETTLE_TIME)
        }
    }

    /// Where beat and carrier come from.
    pub(super) fn sources(&self) -> [usize; 2] {
        [
            self.choice(id::BEAT_SOURCE),
            self.choice(id::CARRIER_SOURCE),
        ]
    }

    /// Where a source has changed, beat or carrier glide from where they were to where they are now.
    pub(super) fn change_source(&mut self, before: [usize; 2]) {
        let [beat, carrier] = self.sources();
        let (now, glide) = (self.now, self.glide_frames());
        if beat != before[0] {
            let was = self.beat_travel_of(before[0]).value(now);
            self.aim_tempo();
            let travel = if beat == id::BEAT_TEMPO {
                &mut self.tempo_beat
            } else {
                &mut self.travels[id::BEAT.index()]
            };
            enter(travel, was, now, glide);
        }
        if carrier != before[1] {
            let was = self.carrier_travel_of(before[1]).value(now);
            self.aim_note();
            let travel = if carrier == id::CARRIER_HZ {
                &mut self.travels[id::CARRIER.index()]
            } else {
                &mut self.note_carrier
            };
            enter(travel, was, now, glide);
        }
    }

    /// Sends the carrier of notes to the note that holds now.
    pub(super) fn aim_note(&mut self) {
        let fixed = self.get(id::CARRIER_NOTE);
        let note = match (self.choice(id::CARRIER_SOURCE), self.midi_note) {
            (id::CARRIER_MIDI, Some(note)) => f64::from(note),
            _ => fixed,
        };
        let hertz = self.get(id::TUNING) * 2f64.powf((note - 69.0) / 12.0);
        let hertz = id::CARRIER.control().clamp(hertz);
        if hertz != self.note_carrier.target() {
            let frames = self.glide_frames();
            self.note_carrier.glide(hertz, self.now, frames);
        }
    }

    /// Sends the beat of the tempo to what the host's tempo gives; without one it is the `beat` control's.
    pub(super) fn aim_tempo(&mut self) {
        let hertz = match self.beat_quarters() {
            Some((tempo, quarters)) => tempo.bpm / 60.0 / quarters,
            None => self.get(id::BEAT),
        };
        let hertz = id::BEAT.control().clamp(hertz);
        if hertz != self.tempo_beat.target() {
            let frames = self.glide_frames();
            self.tempo_beat.glide(hertz, self.now, frames);
        }
    }

    /// Glides take no time before the first frame.
    pub(super) fn glide_frames(&self) -> u64 {
        if self.now == 0 {
            0
        } else {
            self.frames(self.get(id::GLIDE))
        }
    }

    /// Where the beat is on its way.
    pub(super) fn beat_travel(&self) -> &Travel {
        self.beat_travel_of(self.choice(id::BEAT_SOURCE))
    }

    fn beat_travel_of(&self, source: usize) -> &Travel {
        if self.deck.holds(id::BEAT) {
            return &self.travels[id::BEAT.index()];
        }
        // A host without a tempo gets the beat in hertz.
        if source == id::BEAT_TEMPO && self.tempo.is_some() {
            &self.tempo_beat
        } else {
            &self.travels[id::BEAT.index()]
        }
    }

    /// Where the carrier is on its way.
    pub(super) fn carrier_travel(&self) -> &Travel {
        self.carrier_travel_of(self.choice(id::CARRIER_SOURCE))
    }

    fn carrier_travel_of(&self, source: usize) -> &Travel {
        if self.deck.holds(id::CARRIER) {
            return &self.travels[id::CARRIER.index()];
        }
        if source == id::CARRIER_HZ {
            &self.travels[id::CARRIER.index()]
        } else {
            &self.note_carrier
        }
    }
}

/// Comes to a travel from another value: onto its line where it is on one, otherwise to its target.
fn enter(travel: &mut Travel, was: f64, now: u64, glide: u64) {
    if travel.on_line(now) {
        travel.depart_from(was, now, glide);
    } else {
        travel.glide_from(was, travel.target(), now, glide);
    }
}

/// A level control's decibels as the gain node takes them: its lowest value is silence.
pub(super) fn level(control: ControlId, db: f64) -> f64 {
    if db <= control.control().range().0 {
        gain::SILENCE
    } else {
        db
    }
}

/// Whether a control follows a straight line by crossfades, one after another, and steps by one.
pub(super) fn crossfades(control: ControlId) -> bool {
    matches!(
        control,
        id::NOISE_WIDTH | id::PROG_DUTY | id::PROG_RAMP | id::PROG_LOW | id::PROG_HIGH
    ) || id::LAYER
        .iter()
        .any(|layer| [layer.duty, layer.ramp].contains(&control))
}

/// Whether a control moves a parameter of an insert's node: it follows straight lines, and steps take 20 ms.
pub(super) fn is_macro(control: ControlId) -> bool {
    let mut inserts = id::INSERTS.iter();
    inserts.any(|insert| insert.macros.contains(&control))
}

/// Whether a control is a place or an angle: a step is there at once (far ones fade in the renderer), straight
/// lines are followed.
pub(super) fn places(control: ControlId) -> bool {
    matches!(
        control,
        id::AZIMUTH
            | id::ELEVATION
            | id::DISTANCE
            | id::WIDTH
            | id::MOTION_DEPTH
            | id::HEAD_YAW
            | id::HEAD_PITCH
            | id::HEAD_ROLL
    ) || id::LAYER
        .iter()
        .any(|layer| [layer.azimuth, layer.elevation, layer.distance].contains(&control))
}

/// Whether a control makes the program's azimuth jump where it steps: what jumps is told from where the program was.
pub(super) fn turns_program(control: ControlId) -> bool {
    [id::AZIMUTH, id::MOTION, id::MOTION_DEPTH].contains(&control)
}

/// Whether a step of a place is small enough to be travelled: 5 degrees, or 5 % of a distance.
pub(super) fn is_near(control: ControlId, from: f64, to: f64) -> bool {
    let distance =
        control == id::DISTANCE || id::LAYER.iter().any(|layer| layer.distance == control);
    if distance {
        (to - from).abs() <= 0.05 * from
    } else if control == id::WIDTH {
        // Each side goes half the way.
        (to - from).abs() <= 10.0
    } else {
        (to - from).abs() <= 5.0
    }
}

/// Whether a control travels: glides to steps and follows straight lines. The others step, at a line's end.
pub(super) fn travels(control: ControlId) -> bool {
    matches!(
        control,
        id::BEAT
            | id::CARRIER
            | id::PHASE
            | id::IN_GAIN
            | id::OUT_GAIN
            | id::NOISE_LEVEL
            | id::PROG_LEVEL
            | id::PROG_DEPTH
            | id::PROG_RATIO
            | id::MOTION_RATE
            | id::MOTION_RATIO
            | id::ROOM
    ) || id::LAYER
        .iter()
        .any(|layer| [layer.level, layer.ratio, layer.interval].contains(&control))
}
