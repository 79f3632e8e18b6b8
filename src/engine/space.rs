//! Space: where the program and the layers sent there are, how they move, and when space is on.
//!
//! Directions are turned into the head's here; the node of space renders them. What enters space fades in and
//! out at its inputs (filters of finite length need no more), and what does not goes past it. Space is on
//! once it is asked for and filters have come.

use super::clock::{Anchor, Course};
use super::controls as id;
use super::{Engine, QUANTUM, SWITCH_TIME};
use crate::dsp::phase::{CYCLE, Motion};
use crate::graph::{Activity, NodeIndex};
use crate::node::gain;
use crate::node::hrtf::param;

/// Turns a second that no motion exceeds.
const FASTEST: f64 = 10.0;

/// The gain of a layer in space that plain stereo has in both ears alike: its power.
const BOTH_EARS: f64 = std::f64::consts::SQRT_2;

/// A place: azimuth and elevation in degrees, distance in metres, linear gain.
type Place = [f64; 4];

/// What space does.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// The motion's phase, in 2^-64 cycles; whole cycles are counted.
    phase: i128,
    gear: Motion,
    /// A place has been stepped in the quantum that is being collected: far steps fade.
    pub stepped: bool,
    /// What the node of space remembers is to be forgotten.
    pub poisoned: bool,
    /// Whether the program goes through space, and each layer.
    program: Route,
    layers: [Route; id::LAYERS],
    /// When the node of space has nothing left to say.
    rests: u64,
}

/// Past space or through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route {
    through: bool,
    /// When the fade from one to the other is over.
    settled: u64,
}

impl Space {
    /// Off, the motion at its start.
    pub fn new() -> Space {
        let past = Route {
            through: false,
            settled: 0,
        };
        Space {
            phase: 0,
            gear: Motion::default(),
            stepped: true,
            poisoned: false,
            program: past,
            layers: [past; id::LAYERS],
            rests: 0,
        }
    }

    /// As new; with `keep` at the phase where it is.
    pub fn rewound(&self, keep: bool) -> Space {
        Space {
            phase: if keep { self.phase } else { 0 },
            ..Space::new()
        }
    }

    /// Moves the phase on by frames of the piece.
    pub fn advance(&mut self, frames: u64) {
        self.phase = self.phase.wrapping_add(self.gear.at(frames));
        self.gear = Motion::default();
    }
}

impl Engine {
    /// Which filters are asked for: equalised or not.
    pub(super) fn space_wanted(&self) -> Option<bool> {
        (self.choice(id::SPACE_KIND) == id::SPACE_HRTF).then(|| self.choice(id::HRTF_EQ) == 1)
    }

    /// Whether space sounds, if only its tail.
    pub(super) fn space_sounds(&self) -> bool {
        self.space.rests > self.now
    }

    /// Puts the motion where an anchor says.
    pub(super) fn anchor_motion(&mut self, anchor: &Anchor) {
        let hertz = self.motion_hertz(self.now);
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
        self.space.stepped = true;
    }

    /// Routes program and layers, and tells the node of space where everything is at the end of the piece.
    pub(super) fn run_space(&mut self, end: u64) {
        let frames = end - self.now;
        let moves = [id::MOTION_RATE, id::MOTION_RATIO]
            .map(|control| self.travels[control.index()])
            .iter()
            .chain([self.beat_travel()])
            .any(|travel| travel.end(self.now).is_some());
        let at = |frame| self.motion_hertz(frame);
        let course = if moves {
            Course::Moving(at(self.now), at(self.now + frames / 2), at(end))
        } else {
            Course::Still(at(self.now))
        };
        self.space.gear = course.motion(1.0, frames, self.rate);
        if let Some(equalised) = self.space_wanted() {
            let equalised = f64::from(u8::from(equalised));
            self.graph
                .set_param(self.chain.space, param::EQUALISED, equalised);
        }
        let ready = self.graph.get_param(self.chain.space, param::READY) >= 0.5;
        // The node counts quanta by itself, from where it starts: it starts, stops and forgets on the grid only.
        let on_grid = self.now.is_multiple_of(QUANTUM as u64);
        if self.space.poisoned && on_grid {
            self.space.poisoned = false;
            self.graph.reset_node(self.chain.space);
        }
        let starts = self.space_sounds() || on_grid;
        self.route(ready && starts && self.space_wanted().is_some());
        if self.space_sounds() {
            self.graph.set_activity(self.chain.space, Activity::Run);
            self.place(end);
        } else if on_grid {
            self.graph.set_activity(self.chain.space, Activity::Silent);
        }
        // A step counts until the end of its quantum, where the renderer looks.
        if end.is_multiple_of(QUANTUM as u64) {
            self.space.stepped = false;
        }
    }

    /// Sends program and layers past space or through it, with fades.
    fn route(&mut self, on: bool) {
        let chain = self.chain;
        self.space.program = self.reroute(self.space.program, on, chain.direct, chain.send);
        for (index, ids) in id::LAYER.iter().enumerate() {
            let kind = self.choice(ids.kind);
            let through = on && self.choice(ids.space) == 1 && kind != id::LAYER_BINAURAL;
            let route = chain.routes[index];
            let now = self.reroute(self.space.layers[index], through, route.direct, route.send);
            self.space.layers[index] = now;
            let sounds = self.layers[index].sounds();
            let past = !now.through || now.settled > self.now;
            let into = now.through || now.settled > self.now;
            let when = |run: bool| {
                if run { Activity::Run } else { Activity::Silent }
            };
            self.graph.set_activity(route.direct, when(sounds && past));
            self.graph.set_activity(route.send, when(sounds && into));
            self.graph.set_activity(route.away, when(sounds && into));
        }
        let program = self.space.program;
        let fading = program.settled > self.now;
        let when = |run: bool, otherwise| if run { Activity::Run } else { otherwise };
        let past = if program.through {
            when(fading, Activity::Silent)
        } else {
            when(fading, Activity::Pass)
        };
        let into = when(fading || program.through, Activity::Silent);
        self.graph.set_activity(chain.direct, past);
        self.graph.set_activity(chain.send, into);
        self.graph.set_activity(chain.ears, Activity::Pass);
        let into_space = program.through || self.space.layers.iter().any(|layer| layer.through);
        if into_space || fading {
            self.space.rests = self.now + self.frames(super::SETTLE_TIME);
        }
    }

    fn reroute(
        &mut self,
        route: Route,
        through: bool,
        direct: NodeIndex,
        send: NodeIndex,
    ) -> Route {
        if self.now == 0 {
            // At the very start there is nothing to fade from.
            let level = |on: bool| if on { 0.0 } else { gain::SILENCE };
            self.set_gain(direct, level(!through), 0.0, false);
            self.set_gain(send, level(through), 0.0, false);
            return Route {
                through,
                settled: 0,
            };
        }
        if through == route.through || route.settled > self.now {
            return route;
        }
        let (to, from) = if through {
            (send, direct)
        } else {
            (direct, send)
        };
        self.fade_in(to, 0.0);
        self.fade_out(from);
        Route {
            through,
            settled: self.now + self.frames(SWITCH_TIME),
        }
    }

    /// Turns a second at a frame, or swings.
    fn motion_hertz(&self, frame: u64) -> f64 {
        let at = |control: id::ControlId| self.travels[control.index()].value(frame);
        let hertz = if self.choice(id::MOTION_SOURCE) == id::MOTION_HZ {
            at(id::MOTION_RATE)
        } else {
            self.beat_travel().value(frame) * at(id::MOTION_RATIO)
        };
        hertz.min(FASTEST)
    }

    /// Tells the node of space where everything is at the end of the piece.
    fn place(&mut self, end: u64) {
        let glides = if self.space.stepped { 0.0 } else { 1.0 };
        self.graph
            .set_param(self.chain.space, param::MOTION, glides);
        let at = |control: id::ControlId| self.travels[control.index()].value(end);
        let head = Head::new(at(id::HEAD_YAW), at(id::HEAD_PITCH), at(id::HEAD_ROLL));
        let azimuth = at(id::AZIMUTH) + self.motion_angle(end);
        let half = 0.5 * at(id::WIDTH);
        let (elevation, distance) = (at(id::ELEVATION), at(id::DISTANCE));
        let mut places: [Place; 10] = [[0.0, 0.0, distance, 1.0]; 10];
        for (place, side) in places.iter_mut().zip([half, -half]) {
            *place = head.sees(azimuth + side, elevation, distance, 1.0);
        }
        for (index, ids) in id::LAYER.iter().enumerate() {
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
                let place = head.sees(azimuth + turn, elevation, distance, gain);
                places[2 + 2 * index + side] = place;
            }
        }
        for (source, place) in places.iter().enumerate() {
            for (part, value) in place.iter().enumerate() {
                self.graph
                    .set_param(self.chain.space, param::PLACES + 4 * source + part, *value);
            }
        }
    }

    /// Degrees to the left by which the motion has moved the program at the end of the piece.
    fn motion_angle(&self, end: u64) -> f64 {
        let position = self
            .space
            .phase
            .wrapping_add(self.space.gear.at(end - self.now));
        let turns = position as u64 as f64 / CYCLE;
        match self.choice(id::MOTION) {
            id::MOTION_ORBIT => 360.0 * turns,
            id::MOTION_SWING => {
                let hertz = self.motion_hertz(end).max(1e-9);
                // The steepest slope of the swing stays below the limit.
                let widest = 360.0 * FASTEST / (std::f64::consts::TAU * hertz);
                let depth = self.travels[id::MOTION_DEPTH.index()].value(end);
                depth.min(widest) * (std::f64::consts::TAU * turns).sin()
            }
            _ => 0.0,
        }
    }
}

/// How the head is turned: rows are its front, left and up in the world.
struct Head {
    axes: Option<[[f64; 3]; 3]>,
}

impl Head {
    /// Yaw positive turns it left, pitch positive looks up, roll positive puts the right ear down, in that
    /// order, in degrees.
    fn new(yaw: f64, pitch: f64, roll: f64) -> Head {
        if yaw == 0.0 && pitch == 0.0 && roll == 0.0 {
            return Head { axes: None };
        }
        let (sy, cy) = yaw.to_radians().sin_cos();
        let (sp, cp) = pitch.to_radians().sin_cos();
        let (sr, cr) = roll.to_radians().sin_cos();
        let front = [cy * cp, sy * cp, sp];
        let left = [-sy * cr - cy * sp * sr, cy * cr - sy * sp * sr, cp * sr];
        let up = [sy * sr - cy * sp * cr, -cy * sr - sy * sp * cr, cp * cr];
        Head {
            axes: Some([front, left, up]),
        }
    }

    /// A place as the head sees it.
    fn sees(&self, azimuth: f64, elevation: f64, distance: f64, gain: f64) -> Place {
        let Some(axes) = &self.axes else {
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
        let place = Head::new(yaw, pitch, roll).sees(azimuth, elevation, 1.5, 1.0);
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
