//! The deck: plays a timeline, and puts prepared snapshots in force.
//!
//! While a timeline plays it holds the controls that it moves; what the host sets them to meanwhile is kept for
//! when it ends. It follows the host's song position, or runs by itself where there is none. What jumps (another
//! snapshot or timeline, a seek, on and off) does so in a dip: what the beat makes fades out in 20 ms, everything
//! changes while nothing of it is heard, and it fades in again. The phases of what the timeline moves are its
//! integrals in closed form (`timeline.rs`).

use super::apply::{crossfades, is_macro, is_near, places, travels};
use super::controls as id;
use super::timeline::{Part, Place, Segment, Timeline, decibels, scaled};
use super::travel::Travel;
use super::{ControlId, Engine, SWITCH_TIME, Transport};
use crate::dsp::phase::Motion;
use crate::node::gain;
use std::sync::Arc;

/// Orders that fit into a line.
const LINE: usize = 16;

/// All that a preset says, prepared off the audio thread.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Controls and their values.
    pub settings: Vec<(ControlId, f64)>,
    /// The timeline that plays while `protocol_on` is on; none takes away the one that is there.
    pub timeline: Option<Arc<Timeline>>,
    /// The number of the last value from outside that is older than it ([`OverrideLine::count`]): what is held ends up
    /// to it, and newer values stay. Without one all that is held when it arrives ends.
    ///
    /// [`OverrideLine::count`]: super::OverrideLine::count
    pub after: Option<u64>,
}

/// What an engine is told from another thread.
#[derive(Debug)]
pub enum Order {
    /// Everything at once, with a fade.
    Snapshot(Box<Snapshot>),
    /// Another timeline, or none, with a fade.
    Timeline(Option<Arc<Timeline>>),
    /// Where no song position is told: the timeline runs, or waits.
    Play(bool),
    /// Where no song position is told: the timeline goes on from this second.
    Seek(f64),
}

/// What an engine needs no more: to be dropped off the audio thread.
#[derive(Debug)]
pub enum Spent {
    /// A snapshot that is in force.
    Snapshot(Box<Snapshot>),
    /// A timeline that was replaced.
    Timeline(Arc<Timeline>),
}

/// The other end of an engine's deck, for one thread at a time.
pub struct DeckLine {
    to: rtrb::Producer<Order>,
    from: rtrb::Consumer<Spent>,
}

impl DeckLine {
    /// Sends an order; gives it back where the line is full, which is where the engine does not run.
    ///
    /// # Errors
    /// The order.
    pub fn send(&mut self, order: Order) -> Result<(), Order> {
        self.drain();
        self.to
            .push(order)
            .map_err(|rtrb::PushError::Full(order)| order)
    }

    /// Drops what the engine has given back.
    pub fn drain(&mut self) {
        while self.from.pop().is_ok() {}
    }
}

/// What waits for the bottom of a dip.
#[derive(Debug, Default)]
struct Pending {
    snapshot: Option<Box<Snapshot>>,
    timeline: Option<Option<Arc<Timeline>>>,
    /// A position, and the engine's frame at which it held.
    seek: Option<(i64, u64)>,
}

/// The deck.
pub(super) struct Deck {
    inbox: rtrb::Consumer<Order>,
    outbox: rtrb::Producer<Spent>,
    line: Option<DeckLine>,
    timeline: Option<Arc<Timeline>>,
    /// Whether it holds the controls of its timeline.
    on: bool,
    looping: bool,
    /// Position in frames at the engine's frame `at`.
    position: i64,
    at: u64,
    running: bool,
    paused: bool,
    /// No host tells a song position.
    by_itself: bool,
    /// It was sent to its place while it held nothing: there it begins.
    sought: bool,
    /// What the world has set the controls to that the timeline holds, in the order of the table.
    kept: Vec<f64>,
    pending: Pending,
    /// The frame at which the dip is at its bottom.
    bottom: Option<u64>,
    /// When the fade that the dip interrupted would have been over.
    fade_end: u64,
    /// Nothing was heard when it last jumped: all values are there at once.
    jumped: bool,
    /// When the levels that no dip silences are where the timeline is, after a jump.
    caught_up: u64,
    /// The piece that has been planned.
    here: Place,
    there: Place,
    /// The integral of each part where the piece before has ended.
    sums: [Option<(Place, i128)>; Part::COUNT],
}

impl Deck {
    /// Without a timeline.
    pub fn new() -> Deck {
        let (to, inbox) = rtrb::RingBuffer::new(LINE);
        let (outbox, from) = rtrb::RingBuffer::new(4 * LINE);
        Deck {
            inbox,
            outbox,
            line: Some(DeckLine { to, from }),
            timeline: None,
            on: false,
            looping: false,
            position: 0,
            at: 0,
            running: false,
            paused: false,
            by_itself: true,
            sought: false,
            kept: id::CONTROLS
                .iter()
                .map(|control| control.default_value())
                .collect(),
            pending: Pending::default(),
            bottom: None,
            fade_end: 0,
            jumped: true,
            caught_up: 0,
            here: Place::default(),
            there: Place::default(),
            sums: [None; Part::COUNT],
        }
    }

    /// The other end, once.
    pub fn take_line(&mut self) -> Option<DeckLine> {
        self.line.take()
    }

    /// To frame 0.
    pub fn reset(&mut self) {
        (self.position, self.at, self.bottom, self.jumped) = (0, 0, None, true);
        (self.running, self.sought, self.caught_up) = (false, false, 0);
        // A seek that waits is from the first frame on: frames are counted anew.
        if let Some((_, since)) = &mut self.pending.seek {
            *since = 0;
        }
    }

    /// Whether the timeline holds a control.
    pub fn holds(&self, control: ControlId) -> bool {
        self.on
            && self
                .timeline
                .as_ref()
                .is_some_and(|timeline| timeline.drives(control))
    }

    /// Whether its time passes.
    pub fn runs(&self) -> bool {
        self.running
    }

    /// Whether nobody outside says where it is.
    pub fn is_by_itself(&self) -> bool {
        self.by_itself
    }

    /// Whether it holds anything.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// The position in frames at a frame of the engine.
    fn position(&self, now: u64) -> i64 {
        if self.running {
            self.position.saturating_add((now - self.at) as i64)
        } else {
            self.position
        }
    }

    fn run(&mut self, running: bool, now: u64) {
        (self.position, self.at) = (self.position(now), now);
        self.running = running;
    }

    /// Whether something waits for a dip.
    fn waits(&self) -> bool {
        self.pending.snapshot.is_some()
            || self.pending.timeline.is_some()
            || self.pending.seek.is_some()
    }

    fn give_back(&mut self, spent: Spent) {
        // `receive` takes no order while this could be full.
        let _ = self.outbox.push(spent);
    }

    /// Takes orders; where there was a whole sound among them, tells what it came after.
    fn receive(&mut self, now: u64, rate: f64) -> Option<Option<u64>> {
        let mut whole = None;
        while self.outbox.slots() >= 8 {
            let Ok(order) = self.inbox.pop() else {
                break;
            };
            match order {
                Order::Snapshot(snapshot) => {
                    whole = Some(snapshot.after);
                    if let Some(before) = self.pending.snapshot.replace(snapshot) {
                        self.give_back(Spent::Snapshot(before));
                    }
                    // A snapshot says everything: a timeline that was on its way is of before.
                    if let Some(Some(before)) = self.pending.timeline.take() {
                        self.give_back(Spent::Timeline(before));
                    }
                }
                Order::Timeline(timeline) => {
                    if let Some(Some(before)) = self.pending.timeline.replace(timeline) {
                        self.give_back(Spent::Timeline(before));
                    }
                }
                Order::Play(play) => {
                    self.paused = !play;
                }
                // A host's song position says where it is.
                Order::Seek(_) if !self.by_itself => {}
                Order::Seek(seconds) => {
                    let seconds = if seconds.is_finite() {
                        seconds.clamp(0.0, super::timeline::LONGEST)
                    } else {
                        0.0
                    };
                    self.pending.seek = Some(((seconds * rate).round() as i64, now));
                }
            }
        }
        whole
    }
}

/// The motion of a phase over a piece, and by how much it comes on in it, exactly.
pub(super) struct Closed {
    pub motion: Motion,
    pub exact: (u64, i128),
}

impl Engine {
    /// Reads the transport at the first frame of a block.
    pub(super) fn deck_follow(&mut self, transport: Transport, moved: bool) {
        let now = self.now;
        let here = self.deck.position(now);
        let (running, song) = match transport {
            Transport::Absent => (!self.deck.paused, None),
            Transport::Host {
                playing,
                song_frames,
                ..
            } => {
                let waits = song_frames.is_none() && self.deck.paused;
                (playing && !waits, song_frames)
            }
        };
        self.deck.by_itself = song.is_none();
        if running != self.deck.running {
            self.deck.run(running, now);
            self.piece_end = now;
            // While it stood the tones went on: what plays by itself goes on in its closed form.
            let anchors = self.choice(id::PHASE_MODE) == id::PHASE_TIMELINE;
            self.anchor_pending |= running && self.deck.by_itself && self.deck.on && anchors;
        }
        // While it stands the deck is where the host's cursor is.
        if let Some(song) = song.filter(|song| (moved || !running) && *song != here) {
            let waits = self.deck.pending.seek.map(|(at, since)| {
                if running {
                    at.saturating_add((now - since) as i64)
                } else {
                    at
                }
            });
            if waits != Some(song) {
                self.deck.pending.seek = Some((song, now));
                self.piece_end = now;
            }
        } else if song == Some(here) && moved {
            self.deck.pending.seek = None;
        }
    }

    /// Takes what has come over the line.
    pub(super) fn receive_orders(&mut self) {
        let Some(after) = self.deck.receive(self.now, self.rate) else {
            return;
        };
        self.overrides.release(after);
        // What is newer than the sound is not undone by it.
        if let Some(snapshot) = &mut self.deck.pending.snapshot {
            for (control, value) in self.overrides.all() {
                let settings = snapshot.settings.iter_mut();
                for setting in settings.filter(|setting| setting.0 == control) {
                    setting.1 = value;
                }
            }
        }
    }

    /// A change of a control that the deck has to say something about; whether it is dealt with.
    pub(super) fn deck_takes(&mut self, control: ControlId, value: f64) -> bool {
        if let Some(snapshot) = &mut self.deck.pending.snapshot
            && let Some(setting) = snapshot
                .settings
                .iter_mut()
                .find(|(other, _)| *other == control)
        {
            // The host repeats what the snapshot says, or has changed its mind since.
            setting.1 = value;
            return true;
        }
        if !self.deck.holds(control) {
            return false;
        }
        self.deck.kept[control.index()] = value;
        true
    }

    /// Makes what waits come true: at once where nothing is heard, otherwise in a dip.
    pub(super) fn run_dip(&mut self) {
        self.receive_orders();
        if !self.deck.on && self.deck.pending.snapshot.is_none() {
            // Nothing of it is heard.
            self.arrive();
        }
        let now = self.now;
        let wanted = self.get(id::PROTOCOL_ON) >= 0.5 && self.deck.timeline.is_some();
        let looping = self.get(id::PROTOCOL_LOOP) >= 0.5;
        let rewinds = looping != self.deck.looping && {
            let timeline = self.deck.timeline.as_ref();
            let length = timeline.map_or(0, |timeline| timeline.length());
            self.deck.on && self.deck.position(now) >= length as i64
        };
        if !rewinds {
            self.deck.looping = looping;
        }
        let stays = wanted == self.deck.on && !rewinds;
        let replaced = self.deck.pending.snapshot.is_some() || self.deck.pending.timeline.is_some();
        if stays && !replaced && self.deck.bottom.is_none() && self.fades_out() {
            // The host's cursor has gone elsewhere while the beat leaves: its fade is heard to its end first.
            return;
        }
        let settled = !self.deck.waits() && stays;
        if settled && self.deck.bottom.is_none() {
            return;
        }
        match self.deck.bottom {
            None if self.beat_is_heard() => {
                let frames = self.frames(SWITCH_TIME);
                self.deck.fade_end = self.fade.end(now).unwrap_or(0);
                self.set_fade(gain::SILENCE, SWITCH_TIME);
                self.fade.glide(0.0, now, frames);
                self.deck.bottom = Some(now + frames);
            }
            Some(bottom) if now < bottom => {}
            dipped => {
                self.deck.bottom = None;
                self.deck.looping = looping;
                let whole = self.deck.pending.snapshot.is_some();
                self.jump();
                if now == 0 && whole {
                    // Before the first frame a snapshot is as if it had been set control by control.
                    self.settle();
                }
                if dipped.is_some() && self.faded_in {
                    // A fade-in that was under way goes on in its own time.
                    let rest = self.deck.fade_end.saturating_sub(now);
                    let frames = self.frames(SWITCH_TIME).max(rest);
                    self.set_fade(0.0, frames as f64 / self.rate);
                    self.fade.glide(1.0, now, frames);
                }
            }
        }
    }

    /// Whether the deck is in a dip.
    pub(super) fn dips(&self) -> Option<u64> {
        self.deck.bottom
    }

    /// Whether a fade would be heard.
    fn beat_is_heard(&self) -> bool {
        let faded_out = self.fade.value(self.now) == 0.0 && self.fade.end(self.now).is_none();
        self.now > 0 && !faded_out && (self.generates() || self.treats())
    }

    /// Whether the beat is on its way out, or about to be, and still heard.
    fn fades_out(&self) -> bool {
        !self.is_wanted() && self.beat_is_heard()
    }

    /// Takes what waits over while the deck holds nothing: another timeline, another place.
    fn arrive(&mut self) {
        if let Some(timeline) = self.deck.pending.timeline.take() {
            self.replace(timeline);
        }
        if let Some((position, since)) = self.deck.pending.seek.take() {
            let passed = if self.deck.running {
                (self.now - since) as i64
            } else {
                0
            };
            (self.deck.position, self.deck.at) = (position.saturating_add(passed), self.now);
            self.deck.sought = !self.deck.on;
        }
    }

    fn replace(&mut self, timeline: Option<Arc<Timeline>>) {
        // One of another rate would play at another speed.
        let usable = |timeline: &Arc<Timeline>| timeline.rate() == self.rate;
        let (timeline, unusable) = match timeline {
            Some(timeline) if !usable(&timeline) => (None, Some(timeline)),
            other => (other, None),
        };
        self.deck.sums = [None; Part::COUNT];
        let before = std::mem::replace(&mut self.deck.timeline, timeline);
        for spent in [before, unusable].into_iter().flatten() {
            self.deck.give_back(Spent::Timeline(spent));
        }
    }

    /// Everything that waits, at once, while nothing of the beat is heard.
    fn jump(&mut self) {
        self.leave_place();
        let glide = if self.now == 0 { 0.0 } else { SWITCH_TIME };
        for control in ControlId::all() {
            if self.deck.holds(control) {
                self.place_at(control, self.deck.kept[control.index()], glide);
            }
        }
        let was_on = std::mem::take(&mut self.deck.on);
        let begins = !was_on || self.deck.pending.snapshot.is_some();
        let begins = begins && self.deck.pending.seek.is_none();
        // A seek of before another sound was meant for the one before.
        let sought = std::mem::take(&mut self.deck.sought) && self.deck.pending.snapshot.is_none();
        if let Some(mut snapshot) = self.deck.pending.snapshot.take() {
            for &(control, value) in &snapshot.settings {
                self.place_at(control, value, glide);
            }
            let timeline = snapshot.timeline.take();
            self.replace(timeline);
            self.deck.give_back(Spent::Snapshot(snapshot));
            self.aim_tempo();
            self.aim_note();
            for travel in [&mut self.tempo_beat, &mut self.note_carrier] {
                *travel = Travel::still(travel.target());
            }
        }
        self.arrive();
        if self.get(id::PROTOCOL_ON) >= 0.5 && self.deck.timeline.is_some() {
            for control in ControlId::all() {
                self.deck.kept[control.index()] = self.get(control);
            }
            if begins && self.deck.by_itself && !sought {
                // What runs by itself begins at its beginning, or where it was sent.
                (self.deck.position, self.deck.at) = (0, self.now);
            }
            self.deck.on = true;
            self.deck.sought = false;
        }
        self.deck.jumped = true;
        self.space.stepped = true;
        if self.choice(id::PHASE_MODE) == id::PHASE_TIMELINE {
            self.anchor_pending = true;
        }
    }

    /// Puts a control to a value without a travel; its node gets there in `glide` seconds, or at once where the
    /// beat's fade keeps it from being heard: on its way in, it would make that fade steeper.
    fn place_at(&mut self, control: ControlId, value: f64, glide: f64) {
        let value = control.control().clamp(value);
        let glide = if fades(control) { 0.0 } else { glide };
        let travel = &mut self.travels[control.index()];
        if *travel != Travel::still(value) {
            *travel = Travel::still(value);
            self.put(control, glide);
        }
    }

    /// Frames of the piece from now on that the timeline lets it have.
    pub(super) fn deck_border(&self) -> Option<u64> {
        let dip = self.deck.bottom.filter(|bottom| *bottom > self.now);
        let timeline = self
            .deck
            .timeline
            .as_ref()
            .filter(|_| self.deck.on && self.deck.running);
        let border = timeline.and_then(|timeline| {
            let place = timeline.place(self.deck.position(self.now), self.deck.looping);
            timeline.until_border(&place, self.deck.looping)
        });
        let border = border.map(|frames| self.now.saturating_add(frames));
        [dip, border].into_iter().flatten().min()
    }

    /// Sets the controls that the timeline holds for the piece from now to `end`.
    pub(super) fn run_deck(&mut self, end: u64) {
        if !self.deck.on {
            return;
        }
        let Some(timeline) = self.deck.timeline.clone() else {
            return;
        };
        let jumped = std::mem::take(&mut self.deck.jumped);
        let here = timeline.place(self.deck.position(self.now), self.deck.looping);
        let frames = if self.deck.running { end - self.now } else { 0 };
        let there = here.later(frames);
        (self.deck.here, self.deck.there) = (here, there);
        for (track, control) in timeline.controls().iter().enumerate() {
            let (segment, value) = timeline.segment(track, &here);
            let last = if frames > 0 {
                segment.value_at(&there)
            } else {
                value
            };
            let step = Step {
                segment,
                value,
                last,
                begins: here.begins(&segment),
                left: here.until_end(&segment),
                slopes: [segment.slope_at(&here), segment.slope_at(&there)],
                end,
                moves: frames > 0 && segment.moves() && here.has_begun(),
                jumped,
            };
            self.hold(*control, &step);
        }
    }

    /// Sets one control.
    fn hold(&mut self, control: ControlId, step: &Step) {
        let now = self.now;
        let between = if control == id::PHASE {
            // Its slope is a frequency: one that changed from piece to piece would be heard.
            Travel::along(step.value, step.last, now, step.end - now, step.slopes)
        } else {
            Travel::between(step.value, step.last, now, step.end - now)
        };
        let still = |value: f64| Travel::still(value);
        let index = control.index();
        if let Some(node) = self.level_node(control) {
            // What no dip silences is heard where it jumps: it takes the time of one to where the timeline is then.
            let heard = !fades(control) && now > 0;
            if step.jumped && heard {
                self.deck.caught_up = now + self.frames(SWITCH_TIME);
            }
            let behind = heard && now < self.deck.caught_up;
            let rate = self.rate;
            let shortest = if behind { SWITCH_TIME } else { 0.0 };
            if step.moves && step.segment.is_step() {
                // The node's own glide is smoother than a chain of lines.
                if step.jumped && !heard {
                    self.set_gain(node, decibels(control, step.value), 0.0, false);
                }
                // Where play stopped inside the glide, the node stands on the way.
                let stopped = self.travels[index].target() != step.segment.target();
                if step.jumped || step.begins || stopped {
                    let mut travel = still(step.value);
                    travel.glide(step.segment.target(), now, step.left);
                    self.travels[index] = travel;
                    self.put(control, (step.left as f64 / rate).max(shortest));
                }
            } else if step.moves && behind {
                if step.jumped {
                    let there = self.deck.here.later(self.frames(SWITCH_TIME));
                    let db = decibels(control, step.segment.value_at(&there));
                    self.set_gain(node, db, SWITCH_TIME, false);
                }
                self.travels[index] = still(step.value);
            } else if step.moves {
                if step.jumped {
                    self.set_gain(node, decibels(control, step.value), 0.0, false);
                }
                self.travels[index] = between;
            } else if step.jumped || self.travels[index].target() != step.value {
                self.travels[index] = still(step.value);
                self.put(control, shortest);
            }
            return;
        }
        let far = |segment: &Segment| !is_near(control, segment.origin(), segment.target());
        let at_once = step.segment.is_step()
            && (crossfades(control) || places(control) && far(&step.segment));
        if places(control) && (step.jumped || at_once && step.begins) {
            self.step_place(control);
        }
        if step.moves && at_once {
            self.travels[index] = still(step.segment.target());
        } else if step.moves
            && (travels(control) || places(control) || crossfades(control) || is_macro(control))
        {
            self.travels[index] = between;
        } else if self.travels[index] != still(step.value) {
            let before = self.sources();
            if places(control)
                && !step.jumped
                && step.begins
                && !self.travels[index].on_line(now.saturating_sub(1))
            {
                self.step_place(control);
            }
            if control == id::MOTION {
                self.leave_place();
            }
            self.travels[index] = still(step.value);
            self.put(control, self.get(id::GLIDE));
            self.change_source(before);
        }
    }

    /// A part's phase at the deck's place, where the timeline moves it, in 2^-64 cycles.
    pub(super) fn deck_phase(&self, part: Part) -> Option<i128> {
        let timeline = self.deck.timeline.as_ref().filter(|_| self.deck.on)?;
        let sum = timeline.sum(part, &self.deck.here)?;
        Some(scaled(sum, self.deck_factor(part, timeline).0))
    }

    /// What the integral has to be multiplied by: the factor that the timeline does not move, and whether it
    /// stands still.
    fn deck_factor(&self, part: Part, timeline: &Timeline) -> (f64, bool) {
        let (first, second) = part.factors();
        if !timeline.drives(first) {
            let travel = match first {
                id::BEAT => self.beat_travel(),
                id::CARRIER => self.carrier_travel(),
                other => &self.travels[other.index()],
            };
            return (travel.settled(self.now), travel.end(self.now).is_none());
        }
        match second.filter(|second| !timeline.drives(*second)) {
            Some(second) => {
                let travel = &self.travels[second.index()];
                (
                    part.law(travel.settled(self.now)),
                    travel.end(self.now).is_none(),
                )
            }
            None => (1.0, true),
        }
    }

    /// How a part's phase moves from now to `end`, in closed form, `halves` times over halved, from and to
    /// these frequencies in hertz; none where something else than the timeline moves it.
    pub(super) fn deck_motion(
        &mut self,
        part: Part,
        halves: u32,
        from: f64,
        to: f64,
        end: u64,
    ) -> Option<Closed> {
        if !(self.deck.on && self.deck.running) {
            return None;
        }
        let deck = &mut self.deck;
        let timeline = deck.timeline.as_ref()?;
        let sum_at = &mut deck.sums[part.index()];
        // Most pieces begin where the one before has ended.
        let here = match *sum_at {
            Some((place, sum)) if place == deck.here => sum,
            _ => timeline.sum(part, &deck.here)?,
        };
        let there = timeline.sum(part, &deck.there)?;
        *sum_at = Some((deck.there, there));
        let timeline = self.deck.timeline.as_ref()?;
        let (factor, still) = self.deck_factor(part, timeline);
        if !still {
            return None;
        }
        let at = |sum: i128| scaled(sum, factor) >> halves;
        let advance = at(there).wrapping_sub(at(here));
        let frames = end - self.now;
        let per_frame = 1.0 / (self.rate * f64::from(1u32 << halves));
        Some(Closed {
            motion: Motion::exactly((to - from) * per_frame, advance, frames),
            exact: (frames, advance),
        })
    }

    /// Where the timeline is, in frames.
    pub(super) fn deck_position(&self) -> i64 {
        self.deck.position(self.now)
    }

    /// Position in seconds, while a timeline plays.
    pub(super) fn deck_seconds(&self) -> Option<f64> {
        let timeline = self.deck.timeline.as_ref().filter(|_| self.deck.on)?;
        let place = timeline.place(self.deck.position(self.now), self.deck.looping);
        Some(place.frames() as f64 / self.rate)
    }

    /// Length of the timeline that the deck has, in seconds.
    pub(super) fn deck_length(&self) -> f64 {
        self.deck
            .timeline
            .as_ref()
            .map_or(0.0, |timeline| timeline.seconds())
    }
}

/// Whether a control is a level of what the beat's fade keeps silent at the bottom of a dip.
fn fades(control: ControlId) -> bool {
    control == id::NOISE_LEVEL || id::LAYER.iter().any(|layer| layer.level == control)
}

/// A control over a piece.
struct Step {
    segment: Segment,
    value: f64,
    /// The value at the end of the piece.
    last: f64,
    /// The segment begins with the piece.
    begins: bool,
    /// Frames to the segment's end.
    left: u64,
    /// Slopes per frame at the piece's start and end.
    slopes: [f64; 2],
    end: u64,
    moves: bool,
    jumped: bool,
}
