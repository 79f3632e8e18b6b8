//! What speaks to the engine of `zeitgeber live` from outside, and what it brings: values, presets, inserts.

use crate::args::Problem;
use crate::live_audio::Running;
use crate::live_inserts::Inserts;
use crate::tell_raw;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use zeitgeber::control::{Command, Desk, Hooks, Ports, Status};
use zeitgeber::engine::{ControlId, Order, Snapshot};
use zeitgeber::protocol::{Entry, Library, Take};

/// What a host has its knobs at, where there is no host: what live was started with, or the last preset. What is set from
/// outside is held over it by the [`Desk`].
pub struct Console(Box<[AtomicU64]>);

impl Console {
    /// At these settings, and elsewhere at what controls are by themselves.
    pub fn new(settings: &[(ControlId, f64)]) -> Console {
        let default = |id: ControlId| AtomicU64::new(id.control().default_value().to_bits());
        let console = Console(ControlId::all().map(default).collect());
        console.set(settings);
        console
    }

    fn set(&self, settings: &[(ControlId, f64)]) {
        for (id, value) in settings {
            if let Some(place) = self.0.get(id.index()) {
                place.store(value.to_bits(), Relaxed);
            }
        }
    }

    fn value(&self, id: ControlId) -> f64 {
        let place = self.0.get(id.index());
        place.map_or(f64::NAN, |place| f64::from_bits(place.load(Relaxed)))
    }

    /// What a desk asks for and says.
    pub fn hooks(self: &Arc<Self>, say: impl Fn(&str) + Send + Sync + 'static) -> Hooks {
        let console = self.clone();
        Hooks {
            host: Box::new(move |id| console.value(id)),
            say: Box::new(move |text| say(&text)),
            // Whoever owns it looks often enough.
            wake: Box::new(|| ()),
        }
    }
}

/// A preset on its way.
struct Loaded {
    snapshot: Snapshot,
    /// The SOFA file that it asks for; what is there stays where it asks for none.
    hrtf: Option<PathBuf>,
    /// What is to be said of it.
    said: Vec<String>,
}

impl Loaded {
    /// Of a preset: what has been held ends with it, but for bypass and inserts that it says nothing of, which stay as they are.
    fn new(entry: &Entry, desk: &Desk, console: &Console, rate: f64) -> Loaded {
        let take = Take::of(entry, |id| desk.in_force(id));
        let mut said = Vec::new();
        let protocol = take.protocol.as_ref();
        let timeline = protocol.and_then(|protocol| {
            let laid_out = protocol.timeline(&take.settings, rate);
            let wrong = |error| said.push(format!("the protocol cannot be played: {error}"));
            laid_out.map_err(wrong).ok().map(Arc::new)
        });
        let warnings = entry.preset.warnings().iter();
        said.extend(warnings.map(|warning| format!("{}: {warning}", entry.name)));
        // Before what is held is let go of: what comes in between is held over the new ones.
        console.set(&take.settings);
        Loaded {
            snapshot: Snapshot {
                settings: take.settings,
                timeline,
                after: Some(desk.release()),
            },
            hrtf: take.hrtf,
            said,
        }
    }
}

/// A flood of what is refused is a line as often as this.
const REFUSED_EVERY: Duration = Duration::from_secs(1);

/// What of OSC has been refused, as far as it has been said.
#[derive(Default)]
pub struct Refusals {
    refused: u64,
    malformed: u64,
    said: Option<Instant>,
}

impl Refusals {
    /// What is to be said of what has been refused since the last time, if it is time to.
    fn news(&mut self, status: &Status, now: Instant) -> Option<String> {
        let refused = status.refused.saturating_sub(self.refused);
        let malformed = status.malformed.saturating_sub(self.malformed);
        let quiet = self
            .said
            .is_none_or(|said| now.saturating_duration_since(said) >= REFUSED_EVERY);
        if refused + malformed == 0 || !quiet {
            return None;
        }
        let packets = match malformed {
            0 => None,
            1 => Some("a packet that is no OSC".to_owned()),
            more => Some(format!("{more} packets that are no OSC")),
        };
        let messages = match refused {
            0 => None,
            1 => Some(status.last_refused.clone()),
            more => Some(format!(
                "{} ({} others before it)",
                status.last_refused,
                more - 1
            )),
        };
        let all: Vec<String> = messages.into_iter().chain(packets).collect();
        (self.refused, self.malformed) = (status.refused, status.malformed);
        self.said = Some(now);
        Some(format!("refused by OSC: {}", all.join("; ")))
    }
}

/// What speaks to the engine from outside.
pub struct Outside {
    pub desk: Arc<Desk>,
    pub console: Arc<Console>,
    pub inserts: Inserts,
    pub ports: Ports,
    pub refusals: Refusals,
}

impl Outside {
    /// Opens what is to be opened, and does what is asked for.
    pub fn round(&mut self, running: &mut Running) {
        self.ports.sync(&self.desk);
        self.desk.round();
        for said in self.inserts.round(&self.desk) {
            tell_raw(said);
        }
        if let Some(said) = self.refusals.news(&self.desk.status(), Instant::now()) {
            tell_raw(said);
        }
        for said in running.news() {
            tell_raw(said);
        }
        for command in self.desk.take_commands() {
            match command {
                Command::Play(play) => running.order(Order::Play(play)),
                Command::Seek(seconds) => running.order(Order::Seek(seconds)),
                Command::Preset(name) => {
                    if let Err(problem) = self.load(running, &name) {
                        tell_raw(problem);
                    }
                }
                // These never leave the desk.
                Command::Set(..) | Command::Node { .. } | Command::Recenter | Command::LetGo => {}
            }
        }
    }

    /// Puts a preset in force.
    fn load(&self, running: &mut Running, name: &str) -> Result<(), Problem> {
        // By name only: who speaks from outside opens no files.
        let entry = Library::new().find(name)?;
        let loaded = Loaded::new(&entry, &self.desk, &self.console, running.rate);
        running.order(Order::Snapshot(Box::new(loaded.snapshot)));
        running.order(Order::Play(true));
        if let Some(file) = loaded.hrtf {
            running.choose_hrtf(file);
        }
        for said in loaded.said {
            tell_raw(said);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeitgeber::engine::controls::BYPASS;
    use zeitgeber::engine::controls::{BEAT, CARRIER, L1_KIND};
    use zeitgeber::engine::{Engine, Transport};
    use zeitgeber::protocol::Preset;

    const RATE: f64 = 8000.0;

    #[test]
    fn what_is_refused_is_said_once_a_second() {
        let mut status = Desk::default().status();
        let mut refusals = Refusals::default();
        let now = Instant::now();
        let after = |millis| now + Duration::from_millis(millis);
        assert_eq!(refusals.news(&status, now), None);
        status.refused = 1;
        status.last_refused = "/zeitgeber/beat: 101 is outside 0 to 100 Hz".to_owned();
        let first = "refused by OSC: /zeitgeber/beat: 101 is outside 0 to 100 Hz";
        assert_eq!(refusals.news(&status, now).as_deref(), Some(first));
        assert_eq!(refusals.news(&status, after(5000)), None);
        status.refused = 2;
        assert_eq!(refusals.news(&status, after(900)), None);
        status.refused = 41;
        status.malformed = 2;
        let rest = format!("{first} (39 others before it); 2 packets that are no OSC");
        assert_eq!(refusals.news(&status, after(1000)), Some(rest));
        status.malformed = 3;
        let packet = "refused by OSC: a packet that is no OSC";
        assert_eq!(refusals.news(&status, after(2000)).as_deref(), Some(packet));
        assert_eq!(refusals.news(&status, after(9000)), None);
    }

    fn entry(text: &str) -> Entry {
        Entry {
            name: "Mine".to_owned(),
            path: Some(PathBuf::from("folder/mine.json")),
            preset: Preset::parse(text).unwrap(),
        }
    }

    fn play(engine: &mut Engine) {
        for _ in 0..20 {
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            engine.process(&mut left, &mut right, Transport::Absent, &[]);
        }
    }

    #[test]
    fn a_preset_from_outside_is_whole_and_leaves_bypass_as_it_is() {
        let entry = entry(
            r#"{"zeitgeber": 1, "name": "Mine", "hrtf": "head.sofa",
                "params": {"l1_kind": "binaural", "beat": 6.00049, "carrier": 300}}"#,
        );
        for (bypass, from_outside) in [(1.0, true), (0.0, true), (1.0, false), (0.0, false)] {
            // By the start, or by somebody since.
            let start = if from_outside { 1.0 - bypass } else { bypass };
            let console = Arc::new(Console::new(&[(BYPASS, start)]));
            let desk = Desk::default();
            desk.belong(console.hooks(|_| ()));
            let mut engine = Engine::new(RATE).unwrap();
            engine.set(BYPASS, start);
            let mut deck = engine.take_deck().unwrap();
            desk.attach(&mut engine);
            desk.hold(CARRIER, 400.0);
            if from_outside {
                desk.hold(BYPASS, bypass);
            }
            play(&mut engine);
            assert_eq!(engine.get(CARRIER), 400.0);
            let loaded = Loaded::new(&entry, &desk, &console, RATE);
            assert_eq!(loaded.hrtf, Some(PathBuf::from("folder/head.sofa")));
            let order = Order::Snapshot(Box::new(loaded.snapshot));
            deck.send(order).unwrap();
            // What comes after it outlives it, whichever the engine sees first.
            desk.hold(BEAT, 7.0);
            play(&mut engine);
            desk.round();
            let values = [BYPASS, CARRIER, L1_KIND, BEAT];
            let found = values.map(|id| engine.get(id));
            assert_eq!(found, [bypass, 300.0, 1.0, 7.0], "{from_outside}");
            assert_eq!(values.map(|id| desk.in_force(id)), found);
            assert_eq!(console.value(BEAT), BEAT.control().snap(6.00049));
        }
    }

    #[test]
    fn what_is_wrong_with_a_preset_is_said_and_the_rest_plays() {
        let entry = entry(
            r#"{"zeitgeber": 1, "name": "Mine", "params": {"carrier": 300, "from_the_future": 1},
                "protocol": [{"at": 0, "beat": 10}, {"at": 3, "beat": 4, "curve": "linear"}]}"#,
        );
        let console = Console::new(&[]);
        let loaded = Loaded::new(&entry, &Desk::default(), &console, RATE);
        assert!(loaded.snapshot.timeline.is_some());
        assert_eq!(console.value(CARRIER), 300.0);
        let [said] = &loaded.said[..] else {
            panic!("{:?}", loaded.said);
        };
        assert!(
            said.starts_with("Mine: ") && said.contains("from_the_future"),
            "{said}"
        );
    }
}
