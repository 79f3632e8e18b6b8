//! The session of one instance beyond its parameters: its protocol on the way to the engine, and whole sounds.

use super::params::ZgParams;
use crate::control::Command;
use crate::editor::{HrtfChoice, Link, SessionState};
use crate::engine::controls::GLIDE;
use crate::engine::{ControlId, DeckLine, Engine, Order, Snapshot, Timeline};
use crate::protocol::{Library, Protocol, Take};
use std::collections::BTreeMap;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Brings timelines and snapshots to the engine. No lock in it is ever taken by the audio thread.
pub(super) struct Session {
    link: Arc<Link>,
    params: Arc<ZgParams>,
    desk: Mutex<Desk>,
}

/// What the host and the session have when a whole sound is made of them.
struct Before {
    session: SessionState,
    /// The parameters, by their index.
    host: Box<[f64]>,
}

impl Before {
    fn host(&self, id: ControlId) -> f64 {
        self.host[id.index()]
    }
}

#[derive(Default)]
struct Desk {
    line: Option<DeckLine>,
    rate: f64,
    /// The protocol that the engine has, and the glide that its steps were laid out with.
    sent: Option<(Option<Arc<Protocol>>, f64)>,
    /// The glide that the host still had when a snapshot with another was sent: until its parameter moves, the
    /// snapshot's holds.
    outdated: Option<f64>,
    changes: Option<u64>,
    /// The glide of the last round: one that is being moved is waited for.
    glide: f64,
}

impl Session {
    /// For an instance.
    pub fn new(link: Arc<Link>, params: Arc<ZgParams>) -> Session {
        Session {
            link,
            params,
            desk: Mutex::default(),
        }
    }

    /// What speaks to this instance from outside.
    pub fn control(&self) -> &Arc<crate::control::Desk> {
        &self.link.control
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on speaks to this engine.
    pub fn attach(&self, engine: &mut Engine) {
        *self.desk() = Desk {
            line: engine.take_deck(),
            rate: engine.sample_rate(),
            ..Desk::default()
        };
        self.link.control.attach(engine);
    }

    /// Gives the engine the protocol of the state, where it has another. Never on the audio thread.
    pub fn sync(&self) {
        let mut desk = self.desk();
        if let Some(line) = &mut desk.line {
            line.drain();
        }
        let glide = self.params.value(GLIDE);
        let session = self.link.session();
        let moving = std::mem::replace(&mut desk.glide, glide) != glide;
        desk.outdated = desk.outdated.filter(|outdated| *outdated == glide);
        let awaited = desk.outdated.is_some();
        let laid_out = desk.sent.as_ref().is_some_and(|(protocol, with)| {
            protocol.is_none() || *with == glide || moving || awaited
        });
        if laid_out && desk.changes == Some(session.changes) {
            return;
        }
        let same = desk
            .sent
            .as_ref()
            .is_some_and(|(protocol, _)| *protocol == session.protocol);
        if !(same && laid_out) {
            let settings: Vec<(ControlId, f64)> = ControlId::all()
                .map(|id| (id, self.params.value(id)))
                .collect();
            let timeline = self.timeline(session.protocol.as_deref(), &settings, desk.rate);
            let nothing_yet = desk.sent.is_none() && timeline.is_none();
            let Some(line) = &mut desk.line else { return };
            if !nothing_yet && line.send(Order::Timeline(timeline)).is_err() {
                // The line is full where the engine does not run: the next round tries again.
                return;
            }
        }
        let kept = desk.sent.as_ref().map(|(_, with)| *with);
        let with = kept.filter(|_| same && laid_out).unwrap_or(glide);
        desk.sent = Some((session.protocol, with));
        desk.changes = Some(session.changes);
    }

    fn timeline(
        &self,
        protocol: Option<&Protocol>,
        settings: &[(ControlId, f64)],
        rate: f64,
    ) -> Option<Arc<Timeline>> {
        match protocol?.timeline(settings, rate) {
            Ok(timeline) => Some(Arc::new(timeline)),
            Err(error) => {
                self.link
                    .messages
                    .post(format!("the protocol cannot be played: {error}"));
                None
            }
        }
    }

    /// What there is now. Never on the audio thread.
    fn look(&self) -> Before {
        Before {
            session: self.link.session(),
            host: ControlId::all().map(|id| self.params.value(id)).collect(),
        }
    }

    /// Puts a whole sound in force, as one snapshot, with a fade.
    pub fn load(&self, take: &Take) {
        self.load_over(&self.look(), take);
    }

    fn load_over(&self, before: &Before, take: &Take) {
        let after = self.link.control.release();
        let held = BTreeMap::new();
        self.send(before, &held, &take.settings, take.protocol.clone(), after);
    }

    /// Puts a state in force that the host has just loaded: as one snapshot where the engine runs. Never on the
    /// audio thread.
    pub fn load_state(&self) {
        let before = self.look();
        self.link.sound_comes();
        self.put_in_force(&before);
    }

    fn put_in_force(&self, before: &Before) {
        let (held, after) = self.link.control.held_and_count();
        let settings: Vec<(ControlId, f64)> = ControlId::all()
            .map(|id| (id, held.get(&id).copied().unwrap_or(before.host(id))))
            .collect();
        let protocol = before.session.protocol.clone();
        self.send(before, &held, &settings, protocol, after);
        self.link.control.resend();
    }

    /// Does what somebody outside asks for. Never on the audio thread.
    pub fn obey(&self, command: Command) {
        match command {
            Command::Preset(name) => self.load_preset(&name),
            Command::Play(play) => self.order(Order::Play(play)),
            Command::Seek(seconds) => self.order(Order::Seek(seconds)),
            // These never leave the desk.
            Command::Set(..) | Command::Node { .. } | Command::Recenter | Command::LetGo => {}
        }
    }

    /// Loads a preset without an editor: what of it the host does not have is held until it has.
    fn load_preset(&self, name: &str) {
        let entry = match Library::new().find(name) {
            Ok(entry) => entry,
            Err(error) => return self.link.messages.post(error.to_string()),
        };
        let before = self.look();
        // What it does not set stays where it is, held or not.
        let take = Take::of(&entry, |id| {
            self.link.control.held(id).unwrap_or(before.host(id))
        });
        self.load_over(&before, &take);
        self.link.sound_comes();
        self.link.edit_session(|session| {
            session.protocol = take.protocol.clone();
            session.name = take.name.clone();
        });
        if let Some(path) = take.hrtf {
            self.link.choose_hrtf(Some(HrtfChoice { path, hash: None }));
        }
        for (id, value) in take.settings {
            let now = self.params.value(id);
            // What the host has moved meanwhile is newer.
            if now != value && now == before.host(id) {
                self.link.control.hold(id, value);
            }
        }
        self.order(Order::Play(true));
        for warning in entry.preset.warnings() {
            self.link
                .messages
                .post(format!("{}: {warning}", entry.name));
        }
    }

    /// Sends a whole sound; `after` is the number of the last value from outside that is older. What has changed since
    /// `before` is newer than the sound, but for what is held.
    fn send(
        &self,
        before: &Before,
        held: &BTreeMap<ControlId, f64>,
        settings: &[(ControlId, f64)],
        protocol: Option<Arc<Protocol>>,
        after: u64,
    ) {
        let mut desk = self.desk();
        if desk.line.is_none() {
            // An engine that is still to come takes all parameters as they are then.
            return;
        }
        let timeline = self.timeline(protocol.as_deref(), settings, desk.rate);
        let Some(line) = &mut desk.line else { return };
        let snapshot = Snapshot {
            settings: settings.to_vec(),
            timeline,
            after: Some(after),
        };
        // What the host has set before is of before; what it sets from now on comes after the snapshot.
        self.params.forget_changes();
        if line.send(Order::Snapshot(Box::new(snapshot))).is_err() {
            // The line is full where the engine does not run: it is told parameter by parameter.
            self.link.control.give_back();
            self.params.mark_all();
            return;
        }
        // What the host has set since `before` is forgotten, or the engine has had it before the snapshot: it is told
        // again. The fence: an engine that took a value without having seen the snapshot took it before this looks.
        fence(Ordering::SeqCst);
        for id in ControlId::all().filter(|id| !held.contains_key(id)) {
            if self.params.value(id) != before.host(id) {
                self.params.mark(id);
            }
        }
        let hosts = before.host(GLIDE);
        let glide = settings.iter().find(|(id, _)| *id == GLIDE);
        let glide = glide.map_or(hosts, |(_, value)| *value);
        desk.sent = Some((protocol, glide));
        desk.outdated = Some(hosts).filter(|hosts| *hosts != glide);
        // Of the same moment as the protocol: one that is edited since is still to be sent.
        desk.changes = Some(before.session.changes);
    }

    /// Sends an order.
    pub fn order(&self, order: Order) {
        if let Some(line) = &mut self.desk().line {
            // Where the engine does not run there is nothing to play.
            let _ = line.send(order);
        }
    }
}

#[cfg(test)]
mod tests;
