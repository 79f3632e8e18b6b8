//! Space: where the program and the layers sent there are, how they move, and when space is on.
//!
//! Directions are turned into the head's here; the node of space renders them. What enters space fades in and
//! out at its inputs (filters of finite length need no more), and what does not goes past it. Space is on
//! once it is asked for and filters have come.

use super::apply::turns_program;
use super::clock::{Anchor, Course, Kept, Moment, exact_or};
use super::controls as id;
use super::timeline::Part;
use super::travel::Travel;
use super::{Engine, QUANTUM, SWITCH_TIME};
use crate::dsp::ambisonics::MAX_ORDER;
use crate::dsp::phase::{CYCLE, Motion};
use crate::dsp::quaternion::Quat;
use crate::graph::{Activity, NodeIndex};
use crate::node::hrtf::{SOURCES, param};
use crate::node::{decode, early, encode};

/// Turns a second that no motion exceeds.
const FASTEST: f64 = 10.0;

/// The gain of a layer in space that plain stereo has in both ears alike: its power.
const BOTH_EARS: f64 = std::f64::consts::SQRT_2;

/// Seconds for which a source that has left space is still heard: its reflections, from the largest room.
const LINGER: f64 = 0.5;

/// Degrees up to which a jump of the program's place is travelled, in 20 ms: further ones fade.
const NEAR: f64 = 5.0;

/// A place: azimuth and elevation in degrees, distance in metres, linear gain.
type Place = [f64; 4];

/// What space asks to be supplied with from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpaceWish {
    /// Head-related filters.
    pub filters: bool,
    /// The decoder of an ambisonic bus of this order.
    pub decoder: Option<usize>,
    /// Equalised for a diffuse field.
    pub equalised: bool,
}

impl SpaceWish {
    /// What a file that has been chosen is looked at for even while space is off, so that what is wrong with it is said.
    pub const CHOSEN: SpaceWish = SpaceWish {
        filters: true,
        decoder: None,
        equalised: true,
    };

    /// What controls ask for in an engine whose program is stereo, or a bus of an order; `None` while space is off.
    pub fn of(bus: Option<usize>, value: impl Fn(id::ControlId) -> f64) -> Option<SpaceWish> {
        let kind = value(id::SPACE_KIND) as usize;
        if kind == id::SPACE_OFF {
            return None;
        }
        let filters = kind == id::SPACE_HRTF;
        // A bus that comes in can be decoded only.
        let decodes = !filters || bus.is_some() || value(id::ROOM) > 0.0;
        let order = (value(id::ORDER) as usize).clamp(1, bus.unwrap_or(MAX_ORDER));
        Some(SpaceWish {
            filters,
            decoder: decodes.then_some(order),
            equalised: value(id::HRTF_EQ) as usize == 1,
        })
    }

    /// As a number that is not 0.
    pub(super) fn to_bits(self) -> u32 {
        let order = self.decoder.unwrap_or(0) as u32;
        8 + u32::from(self.filters) + 2 * u32::from(self.equalised) + 16 * order
    }

    /// From that number; `None` for 0.
    pub(super) fn from_bits(bits: u32) -> Option<SpaceWish> {
        let order = (bits / 16) as usize;
        (bits > 0).then_some(SpaceWish {
            filters: bits & 1 > 0,
            decoder: (order > 0).then_some(order),
            equalised: bits & 2 > 0,
        })
    }
}

/// What space does.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// The motion's phase, in 2^-64 cycles; whole cycles are counted.
    phase: i128,
    gear: Motion,
    kept: Kept,
    /// The advance of the phase after so many frames, where a timeline tells it exactly.
    exact: Option<(u64, i128)>,
    /// A place has been stepped in the quantum that is being collected: far steps fade.
    pub stepped: bool,
    /// One was in the quantum before: nodes that look when a quantum begins see it now.
    stepped_before: bool,
    /// The program's azimuth before what makes it jump at this frame.
    left: Option<f64>,
    /// Degrees that the program is still behind after a near jump.
    behind: Travel,
    /// What the nodes of space remember is to be forgotten.
    pub poisoned: bool,
    /// The way that is open.
    way: Way,
    /// Where the program goes, and each layer.
    program: Route,
    layers: [Route; id::LAYERS],
    /// When the node of head-related filters, the bus and the room have nothing left to say.
    rests: u64,
    bus_rests: u64,
    room_rests: u64,
    /// Until when the room, which has just begun to run, is kept silent.
    room_wakes: u64,
}

/// Where something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Past space.
    Past,
    /// Through head-related filters.
    Hrtf,
    /// Over the ambisonic bus.
    Bus,
}

impl Way {
    const ALL: [Way; 3] = [Way::Past, Way::Hrtf, Way::Bus];
}

/// Where something goes, and the fade from where it went before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route {
    way: Way,
    from: Way,
    /// When the fade from one to the other is over.
    settled: u64,
}

impl Route {
    const PAST: Route = Route {
        way: Way::Past,
        from: Way::Past,
        settled: 0,
    };

    /// Whether something goes this way at a frame, if only its fade.
    fn takes(&self, way: Way, now: u64) -> bool {
        self.way == way || self.from == way && self.settled > now
    }
}

impl Space {
    /// Off, the motion at its start.
    pub fn new() -> Space {
        Space {
            phase: 0,
            gear: Motion::default(),
            kept: Kept::default(),
            exact: None,
            stepped: true,
            stepped_before: false,
            left: None,
            behind: Travel::still(0.0),
            poisoned: false,
            way: Way::Past,
            program: Route::PAST,
            layers: [Route::PAST; id::LAYERS],
            rests: 0,
            bus_rests: 0,
            room_rests: 0,
            room_wakes: 0,
        }
    }

    /// As new; with `keep` at the phase where it is.
    pub fn rewound(&self, keep: bool) -> Space {
        Space {
            phase: if keep { self.phase } else { 0 },
            ..Space::new()
        }
    }

    /// The motion's phase at the start of the piece.
    #[cfg(test)]
    pub fn phase(&self) -> i128 {
        self.phase
    }

    /// Moves the phase on by frames of the piece.
    pub fn advance(&mut self, frames: u64) {
        let advance = exact_or(self.exact.take(), frames);
        let advance = advance.unwrap_or_else(|| self.gear.at(frames));
        self.phase = self.phase.wrapping_add(advance);
        self.gear = Motion::default();
    }
}

impl Engine {
    /// What space asks for from outside, as the controls are now; `None` while it is off.
    pub fn space_wish(&self) -> Option<SpaceWish> {
        self.space_wish_of(|control| match control {
            // A room on its way to nothing is heard until it is there.
            id::ROOM => self.settled(id::ROOM).max(self.room_level()),
            _ => self.settled(control),
        })
    }

    /// What space would ask for with other values of the controls.
    pub fn space_wish_of(&self, value: impl Fn(id::ControlId) -> f64) -> Option<SpaceWish> {
        SpaceWish::of(self.bus, value)
    }

    /// How much of the room is asked for.
    fn room_level(&self) -> f64 {
        self.travels[id::ROOM.index()].value(self.now)
    }

    /// Whether space sounds, if only its tail.
    pub(super) fn space_sounds(&self) -> bool {
        let rests = [
            self.space.rests,
            self.space.bus_rests,
            self.space.room_rests,
        ];
        rests.iter().any(|rests| *rests > self.now)
    }

    /// Frames for which the room sounds on.
    pub(super) fn room_tail(&self) -> u64 {
        if self.space.room_rests > self.now {
            self.frames(2.0 * self.settled(id::ROOM_DECAY) + 0.5)
        } else {
            0
        }
    }

    /// Puts the motion where an anchor says.
    pub(super) fn anchor_motion(&mut self, anchor: &Anchor) {
        self.leave_place();
        let hertz = self.motion_hertz(self.now.into());
        self.space.phase = if self.choice(id::MOTION_SOURCE) == id::MOTION_HZ {
            anchor.hands(hertz, 0.0, 1.0, self.rate).carrier
        } else {
            let ratio = self.settled(id::MOTION_RATIO);
            let whole = self.beat_travel().settled(self.now) * ratio;
            // Where the tempo tells the cycles, the limit holds for them too.
            let share = if whole > 0.0 { hertz / whole } else { 1.0 };
            let hands = anchor.hands(0.0, hertz, ratio * share, self.rate);
            hands.half_beat.wrapping_mul(2)
        };
        if let Some(phase) = self.anchored_phase(self.motion_part()) {
            self.space.phase = phase;
        }
    }

    /// Keeps where the program is, before something makes its azimuth jump at this frame: at the next piece it goes
    /// from there to where it then is.
    pub(super) fn leave_place(&mut self) {
        if self.now > 0 && self.space.left.is_none() {
            self.space.left = Some(self.program_azimuth(self.now));
        }
    }

    /// A place steps at this frame: what turns the program jumps from where that is, the others fade where they are far.
    pub(super) fn step_place(&mut self, control: id::ControlId) {
        if turns_program(control) {
            self.leave_place();
        } else {
            self.space.stepped = true;
        }
    }

    /// Takes the program from where it was left to where it is: what is near is travelled like a step of a parameter,
    /// the rest fades.
    fn run_jump(&mut self) {
        let Some(left) = self.space.left.take() else {
            return;
        };
        let now = self.now;
        let jump = left - self.program_azimuth(now);
        let jump = (jump + 180.0).rem_euclid(360.0) - 180.0;
        if jump.abs() < 1e-9 {
            return;
        }
        // What is left of a jump before this one is travelled with it.
        let jump = jump + self.space.behind.value(now);
        // The renderers compare ends of quanta. What moves besides may make a far jump a near one for them, which
        // they would travel within a quantum.
        let turns = self.motion_hertz(now.into()) * QUANTUM as f64 / self.rate;
        let moved = std::f64::consts::PI * 360.0 * turns;
        let moved = moved.min(360.0 * FASTEST * QUANTUM as f64 / self.rate);
        let seen = if self.bus.is_some() {
            // A scene is turned by all of it.
            jump.abs()
        } else {
            // The angle between two places as high.
            let high = self.travels[id::ELEVATION.index()].value(now).to_radians();
            let half = high.cos() * (0.5 * jump.to_radians()).sin();
            2.0 * half.abs().min(1.0).asin().to_degrees()
        };
        if seen > NEAR + moved {
            self.space.stepped = true;
            self.space.behind = Travel::still(0.0);
        } else {
            let frames = self.frames(SWITCH_TIME);
            self.space.behind.glide_on(jump, 0.0, now, frames);
        }
    }

    /// The program's azimuth in the world at a frame of this piece or its end, in degrees to the left.
    fn program_azimuth(&self, frame: u64) -> f64 {
        let azimuth = self.travels[id::AZIMUTH.index()].value(frame) + self.motion_angle(frame);
        match self.space.behind.value(frame) {
            // Not even the sign of a zero is touched where nothing has jumped.
            0.0 => azimuth,
            behind => azimuth + behind,
        }
    }

    /// Routes program and layers, and tells the nodes of space where everything is at the end of the piece.
    pub(super) fn run_space(&mut self, end: u64) {
        let frames = end - self.now;
        let moves = [id::MOTION_RATE, id::MOTION_RATIO]
            .map(|control| self.travels[control.index()])
            .iter()
            .chain([self.beat_travel()])
            .any(|travel| travel.end(self.now).is_some());
        let course = if moves {
            Course::moving(self.now, end, |moment| self.motion_hertz(moment))
        } else {
            Course::Still(self.motion_hertz(self.now.into()))
        };
        let [from, to] = [self.now, end].map(|frame| self.motion_hertz(frame.into()));
        self.space.gear = course.motion(1.0, frames, self.rate, &mut self.space.kept);
        self.space.exact = None;
        if from.max(to) < FASTEST
            && let Some(closed) = self.deck_motion(self.motion_part(), 0, from, to, end)
        {
            (self.space.gear, self.space.exact) = (closed.motion, Some(closed.exact));
        }
        let wish = self.space_wish();
        if let Some(wish) = wish {
            self.ask(&wish);
        }
        let ready = |node, param| self.graph.get_param(node, param) >= 0.5;
        let filters = ready(self.chain.space, param::READY);
        let decoder = ready(self.chain.bus.decode, decode::param::READY);
        let decodes = decoder && wish.is_some_and(|wish| wish.decoder.is_some());
        // What is asked for, once it can; what can be had until then, if that sounds already.
        let way = match wish.map(|wish| wish.filters) {
            None => Way::Past,
            Some(true) if filters => Way::Hrtf,
            Some(false) if decoder => Way::Bus,
            Some(true) if decoder && self.space.way == Way::Bus => Way::Bus,
            Some(false) if filters && self.space.way == Way::Hrtf => Way::Hrtf,
            Some(_) => Way::Past,
        };
        if self.on_grid() {
            self.space.way = way;
            let tracks = self.choice(id::HEAD_TRACK) == 1;
            self.space.stepped |= self.head.advance(tracks, self.rate, self.now == 0);
        }
        // The nodes of space count quanta by themselves, from where they start: they start, stop and forget on the
        // grid only.
        if self.on_grid() && std::mem::take(&mut self.space.poisoned) {
            self.forget_space();
        }
        self.run_jump();
        self.route(decodes);
        self.run_room(decodes);
        self.run_nodes();
        if self.space_sounds() {
            // Nodes reach what they are told when a quantum begins at its end, wherever the piece ends.
            self.place(end.next_multiple_of(QUANTUM as u64));
        }
        // A step counts until the end of its quantum, where the renderer of filters looks; nodes of the bus look when
        // the next one begins.
        if end.is_multiple_of(QUANTUM as u64) {
            self.space.stepped_before = std::mem::take(&mut self.space.stepped);
        }
    }

    pub(super) fn on_grid(&self) -> bool {
        self.now.is_multiple_of(QUANTUM as u64)
    }

    fn forget_space(&mut self) {
        let bus = self.chain.bus;
        let nodes = [bus.encode, bus.early, bus.late, bus.rotate, bus.decode];
        let more = [bus.format, bus.turn].into_iter().flatten();
        for node in nodes.into_iter().chain([self.chain.space]).chain(more) {
            self.graph.reset_node(node);
        }
    }

    /// Lets run what sounds, and rest what does not.
    fn run_nodes(&mut self) {
        let (space, bus, now) = (self.space, self.chain.bus, self.now);
        let heard = space.bus_rests.max(space.room_rests);
        let nodes = [
            (self.chain.space, space.rests),
            (bus.encode, space.bus_rests),
            (bus.early, space.room_rests),
            (bus.late, space.room_rests),
            (bus.rotate, heard),
            (bus.decode, heard),
        ];
        let turn = bus.turn.map(|turn| (turn, space.bus_rests));
        for (node, rests) in nodes.into_iter().chain(turn) {
            if rests > now {
                self.graph.set_activity(node, Activity::Run);
            } else if self.on_grid() {
                self.graph.set_activity(node, Activity::Silent);
            }
        }
    }

    /// Tells the nodes what is asked for, so that they see what has come even while they do not run.
    fn ask(&mut self, wish: &SpaceWish) {
        let equalised = f64::from(u8::from(wish.equalised));
        let (space, bus) = (self.chain.space, self.chain.bus);
        self.graph.set_param(space, param::EQUALISED, equalised);
        if let Some(order) = wish.decoder {
            let order = order as f64;
            self.graph
                .set_param(bus.decode, decode::param::EQUALISED, equalised);
            self.graph
                .set_param(bus.decode, decode::param::ORDER, order);
            for (node, param) in [
                (bus.encode, encode::param::ORDER),
                (bus.early, self.params.early.order),
                (bus.late, self.params.late.order),
                (bus.rotate, self.params.rotate.order),
            ] {
                self.put_param(node, param, order);
            }
            if let Some(turn) = bus.turn {
                self.put_param(turn, self.params.rotate.order, order);
            }
        }
    }

    /// The room, as loud, large and long as asked for.
    fn run_room(&mut self, decodes: bool) {
        let level = if decodes { self.room_level() } else { 0.0 };
        let into_space = self.space.rests.max(self.space.bus_rests) > self.now;
        let runs = self.space.room_rests > self.now;
        let (early, late) = (self.chain.bus.early, self.chain.bus.late);
        if level > 0.0 && into_space && (runs || self.on_grid()) {
            if !runs && self.now > 0 {
                // It may begin in the middle of a wave: its input fades in after a quantum without level.
                self.graph.reset_node(early);
                self.graph.reset_node(late);
                self.space.room_wakes = self.now + QUANTUM as u64;
            }
            let tail = 2.0 * self.settled(id::ROOM_DECAY) + 0.5;
            self.space.room_rests = self.now + self.frames(tail);
        }
        if self.space.room_rests <= self.now {
            return;
        }
        let asleep = self.now < self.space.room_wakes;
        let level = if asleep { 0.0 } else { level };
        let (size, decay) = (self.settled(id::ROOM_SIZE), self.settled(id::ROOM_DECAY));
        let params = self.params;
        for (node, room) in [(early, params.early), (late, params.late)] {
            self.put_param(node, room.level, level);
            self.put_param(node, room.size, size);
            self.put_param(node, room.decay, decay);
        }
    }

    /// Sets a parameter where it is another.
    pub(super) fn put_param(&mut self, node: NodeIndex, param: usize, value: f64) {
        if self.graph.get_param(node, param) != value {
            self.graph.set_param(node, param, value);
        }
    }

    /// Sends program and layers where they go, with fades: through head-related filters, over the bus, or past
    /// both. A program that is a bus needs a decoder.
    fn route(&mut self, decodes: bool) {
        let (chain, way) = (self.chain, self.space.way);
        let (program_way, program_nodes) = if self.bus.is_some() {
            let way = if decodes { Way::Bus } else { Way::Past };
            (way, [chain.direct, chain.bus.send, chain.bus.send])
        } else {
            (way, [chain.direct, chain.send, chain.bus.send])
        };
        self.space.program = self.reroute(self.space.program, program_way, program_nodes, true);
        for (index, ids) in id::LAYER.iter().enumerate() {
            let kind = self.choice(ids.kind);
            let sent = self.choice(ids.space) == 1 && kind != id::LAYER_BINAURAL;
            let nodes = chain.routes[index];
            let doors = [nodes.direct, nodes.send, nodes.send_bus];
            let sounds = self.layers[index].sounds();
            let route = self.reroute(
                self.space.layers[index],
                if sent { way } else { Way::Past },
                doors,
                sounds,
            );
            self.space.layers[index] = route;
            for (way, node) in Way::ALL.into_iter().zip(doors) {
                let takes = sounds && route.takes(way, self.now);
                self.run_door(node, way == route.way, takes);
            }
            let into = [Way::Hrtf, Way::Bus].map(|way| route.takes(way, self.now));
            self.run_faded(nodes.away, sounds && into.contains(&true));
        }
        let program = self.space.program;
        let fading = program.settled > self.now;
        for (way, node) in Way::ALL.into_iter().zip(program_nodes) {
            if self.bus.is_some() && way == Way::Hrtf {
                continue;
            }
            let activity = match (program.takes(way, self.now), fading) {
                (false, _) => Activity::Silent,
                (true, false) if way == Way::Past => Activity::Pass,
                _ => Activity::Run,
            };
            self.graph.set_activity(node, activity);
        }
        if self.bus.is_some() {
            self.graph.set_activity(chain.send, Activity::Silent);
        }
        self.graph.set_activity(chain.ears, Activity::Pass);
        let routes = self.space.layers.iter().chain([&self.space.program]);
        let [hrtf, bus] =
            [Way::Hrtf, Way::Bus].map(|way| routes.clone().any(|route| route.takes(way, self.now)));
        let rests = self.now + self.frames(super::SETTLE_TIME);
        if hrtf {
            self.space.rests = rests;
        }
        if bus {
            self.space.bus_rests = rests;
        }
    }

    /// Fades from one way to another; `doors` are the gains of past space, filters and bus. What does not sound goes
    /// there at once.
    fn reroute(&mut self, route: Route, way: Way, doors: [NodeIndex; 3], sounds: bool) -> Route {
        let door = |way: Way| doors[way as usize];
        if self.now == 0 {
            // At the very start there is nothing to fade from.
            self.put_doors(doors, way);
            return Route {
                way,
                from: way,
                settled: 0,
            };
        }
        if way == route.way || route.settled > self.now || !self.on_grid() {
            return route;
        }
        if !sounds {
            self.put_doors(doors, way);
            return Route {
                way,
                from: route.way,
                settled: self.now,
            };
        }
        self.fade_in(door(way), 0.0);
        self.fade_out(door(route.way));
        Route {
            way,
            from: route.way,
            settled: self.now + self.frames(SWITCH_TIME),
        }
    }

    /// Opens the door of one way alone.
    fn put_doors(&mut self, doors: [NodeIndex; 3], open: Way) {
        // Two ways can share a door: the open one comes last.
        for way in Way::ALL.into_iter().filter(|way| *way != open) {
            self.put_door(doors[way as usize], false);
        }
        self.put_door(doors[open as usize], true);
    }

    /// What the motion's phase follows.
    fn motion_part(&self) -> Part {
        if self.choice(id::MOTION_SOURCE) == id::MOTION_HZ {
            Part::Motion
        } else {
            Part::BeatMotion
        }
    }

    /// Turns a second at a moment, or swings.
    fn motion_hertz(&self, moment: Moment) -> f64 {
        let at = |control: id::ControlId| self.travels[control.index()].value_at(moment);
        let hertz = if self.choice(id::MOTION_SOURCE) == id::MOTION_HZ {
            at(id::MOTION_RATE)
        } else {
            self.beat_travel().value_at(moment) * at(id::MOTION_RATIO)
        };
        hertz.min(FASTEST)
    }

    /// Tells the nodes of space where everything is at the end of a quantum: those of filters as the head hears
    /// it, the bus as it is in the world, and how the head is turned in it.
    fn place(&mut self, end: u64) {
        let stepped = self.space.stepped;
        let glides = f64::from(u8::from(!stepped));
        let bus_glides = f64::from(u8::from(!stepped && !self.space.stepped_before));
        let at = |control: id::ControlId| self.travels[control.index()].value(end);
        let turns = [id::HEAD_YAW, id::HEAD_PITCH, id::HEAD_ROLL].map(at);
        // The tracker turns a head that the controls have turned.
        let [yaw, pitch, roll] = turns;
        let tracked = self.head.pose();
        let tracked = tracked.map(|pose| Quat::from_turns(yaw, pitch, roll) * pose);
        let there = self.there();
        let scene = self.scene(end, &there);
        let (chain, params) = (self.chain, self.params);
        if self.space.rests > self.now {
            let head = tracked.map_or_else(
                || Head::new(yaw, pitch, roll),
                |head| Head(Some(head.axes())),
            );
            let node = (chain.space, param::MOTION, param::PLACES);
            self.tell(node, glides, &scene, &there, &head);
        }
        let bus = [
            (
                chain.bus.encode,
                encode::param::MOTION,
                encode::param::PLACES,
            ),
            (chain.bus.early, early::param::MOTION, early::param::PLACES),
        ];
        let sound = [self.space.bus_rests, self.space.room_rests].map(|rests| rests > self.now);
        for (node, sounds) in bus.into_iter().zip(sound) {
            if sounds {
                self.tell(node, bus_glides, &scene, &there, &Head(None));
            }
        }
        if self.space.bus_rests.max(self.space.room_rests) > self.now {
            for node in [chain.bus.rotate].into_iter().chain(chain.bus.turn) {
                self.put_param(node, params.rotate.motion, bus_glides);
            }
            if let Some(Quat { w, x, y, z }) = tracked {
                self.put_param(chain.bus.rotate, params.rotate.quaternion, 1.0);
                for (param, part) in params.rotate.parts.into_iter().zip([w, x, y, z]) {
                    self.put_param(chain.bus.rotate, param, part);
                }
            } else {
                self.put_param(chain.bus.rotate, params.rotate.quaternion, 0.0);
                for (param, turn) in params.rotate.turns.into_iter().zip(turns) {
                    self.put_param(chain.bus.rotate, param, turn);
                }
            }
            if let Some(turn) = chain.bus.turn {
                let [azimuth, elevation, ..] = Head(None).sees(scene[0]);
                self.put_param(turn, params.rotate.quaternion, 1.0);
                let parts = turned_scene(azimuth, elevation);
                for (param, part) in params.rotate.parts.into_iter().zip(parts) {
                    self.put_param(turn, param, part);
                }
            }
        }
    }

    /// What enters space, or has done so of late: the others need no place.
    fn there(&self) -> [bool; SOURCES] {
        let left = self.frames(LINGER);
        let enters = |route: &Route| {
            let was = route.from != Way::Past && route.settled.saturating_add(left) > self.now;
            route.way != Way::Past || was
        };
        let program = enters(&self.space.program);
        let layers = self.space.layers.each_ref().map(enters);
        std::array::from_fn(|source| {
            source
                .checked_sub(2)
                .map_or(program, |side| layers[side / 2])
        })
    }

    /// Tells a node where what is there is, as the head hears it.
    fn tell(
        &mut self,
        (node, motion, first): (NodeIndex, usize, usize),
        glides: f64,
        scene: &[Place; SOURCES],
        there: &[bool; SOURCES],
        head: &Head,
    ) {
        self.graph.set_param(node, motion, glides);
        for (source, place) in scene
            .iter()
            .enumerate()
            .filter(|(source, _)| there[*source])
        {
            for (part, value) in head.sees(*place).into_iter().enumerate() {
                self.graph.set_param(node, first + 4 * source + part, value);
            }
        }
    }

    /// Where those of speakers and layers are in the world that are there.
    fn scene(&self, end: u64, there: &[bool; SOURCES]) -> [Place; SOURCES] {
        let at = |control: id::ControlId| self.travels[control.index()].value(end);
        let azimuth = self.program_azimuth(end);
        // A bus has no speakers: the first place is where its front is.
        let half = if self.bus.is_some() {
            0.0
        } else {
            0.5 * at(id::WIDTH)
        };
        let (elevation, distance) = (at(id::ELEVATION), at(id::DISTANCE));
        let mut places: [Place; SOURCES] = [[0.0, 0.0, distance, 1.0]; SOURCES];
        for (place, side) in places.iter_mut().zip([half, -half]) {
            *place = [azimuth + side, elevation, distance, 1.0];
        }
        for (index, ids) in id::LAYER.iter().enumerate() {
            if !there[2 + 2 * index] {
                continue;
            }
            let (azimuth, elevation) = (at(ids.azimuth), at(ids.elevation));
            let distance = at(ids.distance);
            let bilateral = self.choice(ids.kind) == id::LAYER_BILATERAL;
            let sides = if bilateral {
                // Its sides are a quarter of a turn to the left and to the right of where it is.
                [(90.0, 1.0), (-90.0, 1.0)]
            } else {
                [(0.0, BOTH_EARS), (0.0, 0.0)]
            };
            for (side, (turn, gain)) in sides.into_iter().enumerate() {
                places[2 + 2 * index + side] = [azimuth + turn, elevation, distance, gain];
            }
        }
        places
    }

    /// Shows where everything is at this frame. The fourth part of a place tells whether it sounds there.
    pub(super) fn show_scene(&self) {
        let mut places = self.scene(self.now, &[true; SOURCES]);
        let in_space = |route: &Route| route.way != Way::Past;
        let program = in_space(&self.space.program);
        for (index, place) in places.iter_mut().enumerate() {
            let sounds = match index.checked_sub(2) {
                None => program && (index == 0 || self.bus.is_none()),
                Some(side) => {
                    let layer = side / 2;
                    in_space(&self.space.layers[layer])
                        && self.layers[layer].sounds()
                        && place[3] > 0.0
                }
            };
            place[3] = f64::from(u8::from(sounds));
        }
        let at = |control: id::ControlId| self.travels[control.index()].value(self.now);
        let [yaw, pitch, roll] = [id::HEAD_YAW, id::HEAD_PITCH, id::HEAD_ROLL].map(at);
        let head = match self.head.pose() {
            Some(pose) => (Quat::from_turns(yaw, pitch, roll) * pose).turns(),
            None => [yaw, pitch, roll],
        };
        self.telemetry.display().show_scene(&places, head);
    }

    /// Degrees to the left by which the motion has moved the program at a frame of this piece, or at its end.
    fn motion_angle(&self, frame: u64) -> f64 {
        let position = self
            .space
            .phase
            .wrapping_add(self.space.gear.at(frame - self.piece_start));
        let turns = position as u64 as f64 / CYCLE;
        match self.choice(id::MOTION) {
            id::MOTION_ORBIT => 360.0 * turns,
            id::MOTION_SWING => {
                let hertz = self.motion_hertz(frame.into()).max(1e-9);
                // The steepest slope of the swing stays below the limit.
                let widest = 360.0 * FASTEST / (std::f64::consts::TAU * hertz);
                let depth = self.travels[id::MOTION_DEPTH.index()].value(frame);
                depth.min(widest) * (std::f64::consts::TAU * turns).sin()
            }
            _ => 0.0,
        }
    }
}

/// The orientation (w, x, y, z: front, left, up) of a head that hears what is in front at an azimuth and elevation,
/// in degrees: that of one who looks there, the other way round.
fn turned_scene(azimuth: f64, elevation: f64) -> [f64; 4] {
    let (sa, ca) = (0.5 * azimuth.to_radians()).sin_cos();
    // Looking up turns about the axis to the left, downwards where positive.
    let (se, ce) = (-0.5 * elevation.to_radians()).sin_cos();
    // Yaw, then pitch about the head's own axis: a product in this order; its conjugate undoes it.
    let (w, x, y, z) = (ca * ce, -sa * se, ca * se, sa * ce);
    [w, -x, -y, -z]
}

/// How the head is turned: rows are its front, left and up in the world.
struct Head(Option<[[f64; 3]; 3]>);

impl Head {
    /// By the controls' turns in degrees, as [`Quat::from_turns`] has them; untouched where there are none.
    fn new(yaw: f64, pitch: f64, roll: f64) -> Head {
        let turns = [yaw, pitch, roll] != [0.0; 3];
        Head(turns.then(|| Quat::from_turns(yaw, pitch, roll).axes()))
    }

    /// A place as the head sees it.
    fn sees(&self, [azimuth, elevation, distance, gain]: Place) -> Place {
        let Some(axes) = &self.0 else {
            let azimuth = (azimuth + 180.0).rem_euclid(360.0) - 180.0;
            return [azimuth, elevation, distance, gain];
        };
        let (sa, ca) = azimuth.to_radians().sin_cos();
        let (se, ce) = elevation.to_radians().sin_cos();
        let world = [ce * ca, ce * sa, se];
        let [front, left, up] =
            axes.map(|axis| -> f64 { axis.iter().zip(world).map(|(a, w)| a * w).sum() });
        let azimuth = left.atan2(front).to_degrees();
        [
            azimuth,
            up.clamp(-1.0, 1.0).asin().to_degrees(),
            distance,
            gain,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    fn seen(head: [f64; 3], azimuth: f64, elevation: f64) -> (f64, f64) {
        let [yaw, pitch, roll] = head;
        let place = Head::new(yaw, pitch, roll).sees([azimuth, elevation, 1.5, 1.0]);
        (place[0], place[1])
    }

    #[test]
    fn signs_are_those_of_the_conventions() {
        let near =
            |(a, e): (f64, f64), (b, f): (f64, f64)| (a - b).abs() < 1e-9 && (e - f).abs() < 1e-9;
        // The head turns left: what was in front comes to the right ear.
        assert!(near(seen([90.0, 0.0, 0.0], 0.0, 0.0), (-90.0, 0.0)));
        // It looks up: what was in front is below.
        assert!(near(seen([0.0, 30.0, 0.0], 0.0, 0.0), (0.0, -30.0)));
        // Its right ear goes down: what was on the left is above that ear's opposite.
        assert!(near(seen([0.0, 0.0, 30.0], 90.0, 0.0), (90.0, -30.0)));
        assert!(near(seen([0.0, 0.0, 30.0], -90.0, 0.0), (-90.0, 30.0)));
        // Yaw comes first, then pitch: looking left and up.
        assert!(near(seen([90.0, 45.0, 0.0], 90.0, 45.0), (0.0, 0.0)));
        assert!(near(seen([0.0, 0.0, 0.0], 190.0, 10.0), (-170.0, 10.0)));
    }
}
