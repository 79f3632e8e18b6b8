//! A host that plays while sounds are loaded, and follows them late.
//!
//! promise: a state or preset that comes while it plays is one fade

use super::*;
use crate::control::{Command, Hooks};
use crate::editor::{EditorSize, SessionState};
use crate::engine::Transport;
use crate::engine::controls::{
    A_1, BEAT, BYPASS, CARRIER, FADE_IN, IN_GAIN, L1_KIND, L1_LEVEL, L2_KIND, LAYER_BINAURAL,
    LAYER_MONAURAL, PROTOCOL_ON,
};
use crate::plugin::state;
use nice_plug::prelude::Params;

const RATE: f64 = 48_000.0;
const BLOCK: usize = 32;

/// An instance without its framework.
struct Host {
    link: Arc<Link>,
    params: Arc<ZgParams>,
    session: Arc<Session>,
    engine: Engine,
    frame: usize,
}

impl Host {
    fn new(settings: &[(ControlId, f64)]) -> Host {
        let link = Arc::new(Link::default());
        let params = Arc::new(ZgParams::new(link.clone()));
        let session = Arc::new(Session::new(link.clone(), params.clone()));
        params.answer_to(&session);
        let mut engine = Engine::new(RATE).unwrap();
        session.attach(&mut engine);
        for (control, value) in settings {
            params.host_sets(*control, *value);
        }
        let mut host = Host {
            link,
            params,
            session,
            engine,
            frame: 0,
        };
        host.play(1);
        host
    }

    /// Processes blocks; returns the left ear, and the fade of the beat after each block.
    fn play(&mut self, blocks: usize) -> (Vec<f32>, Vec<f64>) {
        let (mut heard, mut fades) = (Vec::new(), Vec::new());
        for _ in 0..blocks {
            let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
            let engine = &mut self.engine;
            self.params.take_changes(|id, value| engine.set(id, value));
            let transport = Transport::Host {
                playing: true,
                song_frames: Some(self.frame as i64),
                tempo: None,
            };
            engine.process(&mut left, &mut right, transport, &[]);
            self.frame += BLOCK;
            heard.extend(left);
            fades.push(engine.telemetry().fade());
        }
        (heard, fades)
    }

    /// What the editor does with a preset, but for the gestures.
    fn load(&self, take: &Take) {
        self.session.load(take);
        self.link
            .edit_session(|session| session.protocol = take.protocol.clone());
    }

    /// The host repeats what the gestures told it.
    fn follow(&self, take: &Take) {
        for (control, value) in &take.settings {
            self.params.host_sets(*control, *value);
        }
    }
}

fn sound() -> Vec<(ControlId, f64)> {
    vec![
        (L1_KIND, LAYER_BINAURAL as f64),
        (L1_LEVEL, -20.0),
        (CARRIER, 400.0),
        (BEAT, 10.0),
        (FADE_IN, 0.02),
    ]
}

fn take(host: &Host, changes: &[(ControlId, f64)], rows: Option<&str>) -> Take {
    let mut settings: Vec<(ControlId, f64)> = ControlId::all()
        .map(|id| (id, host.params.value(id)))
        .collect();
    for (control, value) in changes {
        settings[control.index()].1 = *value;
    }
    let protocol = rows.map(|rows| {
        let value = serde_json::from_str(rows).unwrap();
        let read = Protocol::from_session(&value, &settings, &mut Vec::new());
        Arc::new(read.unwrap().0)
    });
    Take {
        settings,
        protocol,
        ..Take::default()
    }
}

const ROWS: &str = r#"[{"at": 0, "beat": 8}, {"at": 600, "beat": 4}]"#;

/// How often a fade left 1.
fn dips(fades: &[f64]) -> usize {
    fades
        .windows(2)
        .filter(|pair| pair[0] == 1.0 && pair[1] < 1.0)
        .count()
}

#[test]
fn a_snapshots_glide_holds_until_the_host_follows() {
    let mut host = Host::new(&sound());
    host.session.sync();
    host.play(200);
    let loaded = take(&host, &[(GLIDE, 0.5), (PROTOCOL_ON, 1.0)], Some(ROWS));
    host.load(&loaded);
    let mut fades = vec![1.0];
    fades.extend(host.play(200).1);
    assert_eq!(dips(&fades), 1);
    assert_eq!(host.engine.get(GLIDE), 0.5);
    // The worker comes round, time and again, before the host has followed and after.
    let mut fades = vec![1.0];
    for round in 0..8 {
        if round == 3 {
            host.follow(&loaded);
        }
        host.session.sync();
        fades.extend(host.play(60).1);
    }
    assert_eq!(dips(&fades), 0, "the timeline was laid out again");
    assert_eq!(host.engine.get(GLIDE), 0.5);
    // One that is really moved lays it out anew.
    host.params.host_sets(GLIDE, 0.1);
    let mut fades = vec![1.0];
    for _ in 0..3 {
        host.session.sync();
        fades.extend(host.play(60).1);
    }
    assert_eq!(dips(&fades), 1);
}

#[test]
fn one_late_change_does_not_bring_the_glide_of_before() {
    let mut host = Host::new(&sound());
    host.play(200);
    host.load(&take(&host, &[(GLIDE, 0.5)], None));
    // The first echo comes, that of the glide not yet: within the dip, and after it.
    host.params.host_sets(BEAT, 12.0);
    host.play(100);
    assert_eq!((host.engine.get(GLIDE), host.engine.get(BEAT)), (0.5, 12.0));
    host.params.host_sets(BEAT, 13.0);
    host.play(100);
    assert_eq!((host.engine.get(GLIDE), host.engine.get(BEAT)), (0.5, 13.0));
}

#[test]
fn the_last_writer_wins() {
    let mut host = Host::new(&sound());
    host.play(200);
    // Set before the snapshot, and not yet heard of: of before.
    host.params.host_sets(BEAT, 20.0);
    host.params.host_sets(CARRIER, 300.0);
    host.load(&take(&host, &[(BEAT, 5.0), (CARRIER, 350.0)], None));
    // Set after it, while it waits.
    host.params.host_sets(CARRIER, 320.0);
    host.play(200);
    let now = |host: &Host| (host.engine.get(BEAT), host.engine.get(CARRIER));
    assert_eq!(now(&host), (5.0, 320.0));
    host.params.host_sets(BEAT, 6.0);
    host.play(1);
    assert_eq!(now(&host), (6.0, 320.0));
}

#[test]
fn a_full_line_loses_nothing() {
    let mut host = Host::new(&sound());
    host.play(10);
    for n in 0..40 {
        let loaded = take(&host, &[(BEAT, 5.0 + f64::from(n))], None);
        host.load(&loaded);
        host.follow(&loaded);
    }
    host.play(200);
    assert_eq!(host.engine.get(BEAT), 44.0);
}

/// Loads a state as nice-plug does: parameters first, then the rest.
fn load_state(host: &Host, changes: &[(ControlId, f64)]) {
    for (control, value) in changes {
        host.params.host_sets(*control, *value);
    }
    let session = SessionState {
        protocol: take(host, &[], Some(ROWS)).protocol,
        ..SessionState::default()
    };
    let fields = state::fields(EditorSize::default(), None, &session, &[None, None]);
    host.params.deserialize_fields(&fields);
}

const STATE: [(ControlId, f64); 8] = [
    (CARRIER, 613.0),
    (BEAT, 33.0),
    (L1_KIND, LAYER_MONAURAL as f64),
    (L1_LEVEL, -26.0),
    (L2_KIND, LAYER_BINAURAL as f64),
    (IN_GAIN, -6.0),
    (GLIDE, 0.0),
    (PROTOCOL_ON, 1.0),
];

#[test]
fn a_state_that_is_loaded_while_it_plays_is_one_fade() {
    let mut host = Host::new(&sound());
    host.play(1250);
    load_state(&host, &STATE);
    let mut fades = vec![1.0];
    fades.extend(host.play(500).1);
    assert_eq!(dips(&fades), 1, "one fade");
    assert!(fades.contains(&0.0), "all of it at the bottom of the fade");
    for (control, value) in STATE.into_iter().filter(|(id, _)| *id != BEAT) {
        assert_eq!(host.engine.get(control), value, "{}", control.control().id);
    }
    assert!((host.engine.telemetry().beat() - 8.0).abs() < 1e-9);
    // Nothing is left over for the worker.
    host.session.sync();
    let mut fades = vec![1.0];
    fades.extend(host.play(100).1);
    assert_eq!(dips(&fades), 0);
}

/// What the host sets while a sound is on its way is heard, whether the engine had it before the sound or not at all.
#[test]
fn what_the_host_sets_while_a_state_is_loaded_is_newer_than_the_state() {
    for blocks in [0, 3] {
        let mut host = Host::new(&sound());
        host.play(200);
        for (control, value) in STATE {
            host.params.host_sets(control, value);
        }
        let before = host.session.look();
        host.params.host_sets(CARRIER, 250.0);
        host.params.host_sets(GLIDE, 0.75);
        host.play(blocks);
        host.session.put_in_force(&before);
        host.play(400);
        let now = (host.engine.get(CARRIER), host.engine.get(GLIDE));
        assert_eq!(now, (250.0, 0.75), "{blocks} blocks between");
        // The rest is the state's.
        assert_eq!(
            (host.engine.get(BEAT), host.engine.get(IN_GAIN)),
            (33.0, -6.0)
        );
    }
}

#[test]
fn what_the_host_sets_while_a_preset_is_loaded_is_newer_than_the_preset() {
    for blocks in [0, 3] {
        let mut host = Host::new(&sound());
        host.play(200);
        let take = take(&host, &[(CARRIER, 350.0), (BEAT, 5.0)], None);
        let before = host.session.look();
        host.params.host_sets(CARRIER, 250.0);
        host.play(blocks);
        host.session.load_over(&before, &take);
        host.play(400);
        // The host still has the beat of before, and that is no news.
        let now = (host.engine.get(CARRIER), host.engine.get(BEAT));
        assert_eq!(now, (250.0, 5.0), "{blocks} blocks between");
    }
}

#[test]
fn what_is_held_from_outside_is_held_over_a_state_beside_which_the_host_moves() {
    let mut host = reachable(&sound());
    host.play(200);
    host.link.control.hold(BEAT, 7.0);
    host.play(1);
    let before = host.session.look();
    host.params.host_sets(CARRIER, 250.0);
    host.session.put_in_force(&before);
    host.play(400);
    assert_eq!(
        (host.engine.get(BEAT), host.engine.get(CARRIER)),
        (7.0, 250.0)
    );
}

#[test]
fn a_protocol_that_is_edited_while_a_state_is_loaded_is_sent() {
    let mut host = Host::new(&sound());
    host.params.host_sets(PROTOCOL_ON, 1.0);
    host.play(200);
    let protocol = |rows| take(&host, &[], Some(rows)).protocol;
    let (loaded, edited) = (
        protocol(ROWS),
        protocol(r#"[{"at": 0, "beat": 17}, {"at": 600, "beat": 17}]"#),
    );
    host.link.edit_session(|session| session.protocol = loaded);
    let before = host.session.look();
    host.link.edit_session(|session| session.protocol = edited);
    host.session.put_in_force(&before);
    host.session.sync();
    host.play(400);
    let beat = host.engine.telemetry().beat();
    assert!((beat - 17.0).abs() < 1e-9, "{beat}");
}

#[test]
fn a_state_that_is_loaded_before_the_first_frame_is_simply_there() {
    let heard = |late: bool| {
        let link = Arc::new(Link::default());
        let params = Arc::new(ZgParams::new(link.clone()));
        let session = Arc::new(Session::new(link.clone(), params.clone()));
        params.answer_to(&session);
        let mut engine = Engine::new(RATE).unwrap();
        session.attach(&mut engine);
        let mut host = Host {
            link,
            params,
            session,
            engine,
            frame: 0,
        };
        let mut settings = sound();
        settings.extend([(BYPASS, 0.0), (IN_GAIN, -6.0), (GLIDE, 0.0)]);
        if late {
            load_state(&host, &settings);
        } else {
            for (control, value) in settings {
                host.params.host_sets(control, value);
            }
        }
        host.play(300).0
    };
    let (set, loaded) = (heard(false), heard(true));
    assert!(set.iter().any(|x| *x != 0.0));
    assert!(
        set.iter()
            .zip(&loaded)
            .all(|(a, b)| a.to_bits() == b.to_bits())
    );
}

/// A host whose instance is spoken to from outside.
fn reachable(settings: &[(ControlId, f64)]) -> Host {
    let host = Host::new(settings);
    let (params, link) = (Arc::downgrade(&host.params), Arc::downgrade(&host.link));
    host.link.control.belong(Hooks {
        host: Box::new(move |id| params.upgrade().map_or(f64::NAN, |params| params.value(id))),
        say: Box::new(move |text| link.upgrade().unwrap().messages.post(text)),
        wake: Box::new(|| ()),
    });
    host
}

#[test]
fn a_value_from_outside_holds_over_echoes_and_saves_until_the_host_changes_its_own() {
    let mut host = reachable(&[(BEAT, 10.0)]);
    host.link.control.hold(BEAT, 7.0);
    host.play(1);
    assert_eq!(
        (host.engine.get(BEAT), host.params.value(BEAT)),
        (7.0, 10.0)
    );
    // A host that tells everything again, as after a state or a restart.
    host.params.mark_all();
    host.play(1);
    assert_eq!(host.engine.get(BEAT), 7.0);
    let saved = host.params.serialize_fields();
    let mut other = reachable(&[(BEAT, 10.0)]);
    other.params.deserialize_fields(&saved);
    other.play(60);
    assert_eq!(
        (other.engine.get(BEAT), other.params.value(BEAT)),
        (7.0, 10.0)
    );
    other.params.mark_all();
    other.play(1);
    assert_eq!(other.engine.get(BEAT), 7.0);
    other.params.host_sets(BEAT, 12.0);
    other.play(1);
    assert_eq!(other.engine.get(BEAT), 12.0);
    other.link.control.round();
    assert_eq!(other.link.control.held(BEAT), None);
    assert!(!other.params.serialize_fields().contains_key("osc"));
    // A new engine of this instance has it as well.
    let mut engine = Engine::new(RATE).unwrap();
    host.session.attach(&mut engine);
    host.engine = engine;
    host.params.mark_all();
    host.play(1);
    assert_eq!(host.engine.get(BEAT), 7.0);
}

#[test]
fn a_preset_from_outside_leaves_what_it_does_not_set_though_that_is_held() {
    let mut host = reachable(&[(BEAT, 10.0)]);
    host.link.control.hold(BYPASS, 1.0);
    host.link.control.hold(A_1, 0.25);
    host.play(20);
    let preset = crate::protocol::factory_presets().swap_remove(0);
    host.session.obey(Command::Preset(preset.name().to_owned()));
    host.play(60);
    assert_eq!([host.engine.get(BYPASS), host.engine.get(A_1)], [1.0, 0.25]);
    assert_eq!(host.link.session().name, preset.name());
}

#[test]
fn a_preset_from_outside_sounds_without_an_editor() {
    let mut host = reachable(&[(BEAT, 10.0)]);
    let preset = crate::protocol::factory_presets().swap_remove(0);
    host.session.obey(Command::Preset(preset.name().to_owned()));
    host.play(60);
    assert_eq!(host.link.session().name, preset.name());
    for (id, value) in preset.all_settings() {
        let driven = host.link.session().protocol.is_some();
        if id != BYPASS && !driven {
            assert_eq!(
                host.engine.get(id),
                id.control().snap(value),
                "{}",
                id.control().id
            );
        }
    }
    assert_eq!(host.params.value(BEAT), 10.0);
    // The editor that opens writes it to the host.
    for (id, value) in host.link.control.take_for_host() {
        host.params.host_sets(id, value);
    }
    host.play(2);
    host.link.control.round();
    for (id, value) in preset.all_settings() {
        assert!(
            (host.params.value(id) - id.control().snap(value)).abs() < 1e-9,
            "{}",
            id.control().id
        );
    }
    host.session
        .obey(Command::Preset("no such preset".to_owned()));
    let said = host.link.messages.all();
    assert!(
        said.last().unwrap().text.contains("no such preset"),
        "{said:?}"
    );
}

#[test]
fn a_fader_from_outside_never_jumps_back_while_the_editor_writes_it_to_the_host() {
    let mut host = reachable(&[(BEAT, 10.0)]);
    let mut written = Vec::new();
    let mut last = 10.0;
    for n in 0..400_u32 {
        // A fader at every block; an editor that draws now and then; a host that answers some blocks later.
        let value = BEAT.control().snap(10.1 + 0.1 * f64::from(n));
        host.link.control.hold(BEAT, value);
        if n % 5 == 0 {
            for (id, value) in host.link.control.take_for_host() {
                written.push((n + 3, id, value));
            }
        }
        while let Some(&(when, id, value)) = written.first().filter(|(when, ..)| *when <= n) {
            host.params.host_sets(id, value);
            written.remove(0);
            assert!(when <= n);
        }
        if n % 7 == 0 {
            host.link.control.round();
        }
        host.play(1);
        let now = host.engine.get(BEAT);
        assert!(now >= last, "block {n}: {now} after {last}");
        assert_eq!(host.link.control.held(BEAT), Some(value), "block {n}");
        last = now;
    }
    for (id, value) in host.link.control.take_for_host() {
        host.params.host_sets(id, value);
    }
    host.play(2);
    host.link.control.round();
    assert_eq!(host.link.control.held(BEAT), None, "it is the host's");
    assert_eq!(
        (host.engine.get(BEAT), host.params.value(BEAT)),
        (last, last)
    );
    // From then on the host has it.
    host.params.host_sets(BEAT, 20.0);
    host.play(1);
    assert_eq!(host.engine.get(BEAT), 20.0);
}

#[test]
fn what_comes_while_a_preset_is_loaded_is_newer_than_it() {
    let mut host = reachable(&[(BEAT, 10.0), (CARRIER, 200.0)]);
    // An older value that the engine has not taken, and a newer one that it takes before the sound.
    host.link.control.hold(CARRIER, 555.0);
    let after = host.link.control.release();
    host.link.control.hold(BEAT, 3.0);
    host.play(1);
    let settings: Vec<_> = ControlId::all()
        .map(|id| (id, host.params.value(id)))
        .collect();
    let before = host.session.look();
    host.session
        .send(&before, &BTreeMap::new(), &settings, None, after);
    host.play(60);
    let found = (host.engine.get(BEAT), host.engine.get(CARRIER));
    assert_eq!(found, (3.0, 200.0));
    host.link.control.round();
    assert_eq!(host.link.control.held(BEAT), Some(3.0));
    assert_eq!(host.link.control.held(CARRIER), None);
    // Given back, all is as the host has it.
    host.link.control.give_back();
    host.play(60);
    assert_eq!(host.engine.get(BEAT), 10.0);
}

#[test]
fn a_state_that_holds_something_keeps_it_though_the_worker_looks_between() {
    let host = reachable(&[(BEAT, 10.0)]);
    host.link.control.hold(BEAT, 7.0);
    let saved = host.link.control.save();
    let mut other = reachable(&[(BEAT, 10.0)]);
    other.link.control.round();
    other.link.control.restore(saved);
    // The engine knows nothing of it yet.
    other.link.control.round();
    assert_eq!(other.link.control.held(BEAT), Some(7.0));
    other.session.load_state();
    other.play(60);
    other.link.control.round();
    assert_eq!(other.engine.get(BEAT), 7.0);
    assert_eq!(other.link.control.held(BEAT), Some(7.0));
}

#[test]
fn a_flood_of_presets_is_the_last_of_them() {
    let mut host = reachable(&[]);
    let desk = host.link.control.clone();
    let names: Vec<String> = crate::protocol::factory_presets()
        .iter()
        .map(|preset| preset.name().to_owned())
        .collect();
    desk.edit_map(|map| {
        for (number, name) in names.iter().take(100).enumerate() {
            map.learn(crate::control::Learned {
                channel: 0,
                controller: crate::control::Controller::Program(number as u8),
                moves: crate::control::Moves::Preset(name.clone()),
            });
        }
    });
    let last = names.len().min(100) - 1;
    for n in 0..10_000 {
        desk.midi(&[0xC0, (n % (last + 1)) as u8]);
    }
    desk.midi(&[0xC0, last as u8]);
    assert_eq!(desk.take_commands(), [Command::Preset(names[last].clone())]);
    // The same from the audio thread; a map that changes meanwhile makes no other presets of its programs.
    let mut midi = desk.audio();
    desk.round();
    midi.hear([0xC0, 1, 0], &mut host.engine, |_| 0.0);
    let first = desk.map().entries[0].moves.clone();
    desk.edit_map(|map| map.forget(&first));
    desk.round();
    assert_eq!(desk.take_commands(), [Command::Preset(names[1].clone())]);
    midi.hear([0xC0, 2, 0], &mut host.engine, |_| 0.0);
    desk.edit_map(|map| map.entries.clear());
    desk.round();
    assert_eq!(desk.take_commands(), []);
}

#[test]
fn a_controller_of_the_host_holds_at_once_and_a_flood_of_them_loses_nothing() {
    use crate::control::{Controller, Learned, Moves};
    let mut host = reachable(&[(BEAT, 10.0)]);
    let desk = host.link.control.clone();
    desk.edit_map(|map| {
        for (number, id) in [(1, "beat"), (2, "carrier")] {
            map.learn(Learned {
                channel: 0,
                controller: Controller::Cc(number),
                moves: Moves::Control(id.to_owned()),
            });
        }
    });
    let mut midi = desk.audio();
    desk.round();
    let params = host.params.clone();
    let at = |id| params.value(id);
    midi.hear([0xB0, 1, 127], &mut host.engine, at);
    desk.round();
    assert_eq!(desk.held(BEAT), Some(100.0));
    for n in 0..2000 {
        midi.hear([0xB0, 2, (n % 128) as u8], &mut host.engine, at);
    }
    midi.hear([0xB0, 2, 127], &mut host.engine, at);
    midi.hear([0xB0, 1, 0], &mut host.engine, at);
    desk.round();
    let low = BEAT.control().range().0;
    assert_eq!(desk.held(BEAT), Some(low));
    assert_eq!(desk.held(CARRIER), Some(CARRIER.control().range().1));
}
