//! Control from outside through the real library: OSC from a socket and controllers from the host, without an editor.
//!
//! promise: OSC and MIDI reach the real library, and its ports and threads go with the last instance

use crate::held::Held;
use crate::library::{on_path, run, skipped};
use crate::rig::{Change, Rig, load};
use crate::vst3::python;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeitgeber::control::osc::{Arg, Message};
use zeitgeber::control::{Desk, PortState, listen};
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{BEAT, CARRIER, HEAD_TRACK, L1_KIND, L1_LEVEL, SPACE_KIND};

const RATE: f64 = 48_000.0;

/// A state with further parts beside its parameters.
fn with_parts(saved: &[u8], parts: &[(&str, String)]) -> Vec<u8> {
    let mut state: serde_json::Value = serde_json::from_slice(&saved[8..]).expect("JSON");
    for (key, json) in parts {
        state["fields"][*key] = serde_json::Value::String(json.clone());
    }
    let json = state.to_string().into_bytes();
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    bytes
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    socket.local_addr().unwrap().port()
}

fn packet(address: &str, arg: Arg) -> Vec<u8> {
    let message = Message {
        address: address.to_owned(),
        args: vec![arg],
    };
    message.encode().unwrap()
}

/// The loudest sample of silence that goes through.
fn loudest(running: &mut crate::rig::Running, changes: &[Change]) -> f32 {
    let silence = [vec![0.0; 4800], vec![0.0; 4800]];
    let out = running.render(&silence, &[64], changes, |_| None);
    out.iter().flatten().fold(0.0, |most, x| x.abs().max(most))
}

fn osc_reaches_every_instance_and_the_last_writer_wins() {
    let entry = load();
    let port = free_port();
    let mut rigs = [Rig::new(&entry), Rig::new(&entry)];
    let plain = rigs[0].save();
    let state = with_parts(
        &plain,
        &[("osc", format!(r#"{{"osc": true, "port": {port}}}"#))],
    );
    for rig in &mut rigs {
        assert!(rig.load(&state));
    }
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let binaural = packet("/zeitgeber/l1_kind", Arg::Text("binaural".to_owned()));
    for (index, rig) in rigs.iter_mut().enumerate() {
        let mut running = rig.start(RATE).expect("48 kHz");
        // What the first was told the second has heard as well, before it was started.
        assert_eq!(loudest(&mut running, &[]) > 0.0, index > 0);
        let deadline = Instant::now() + Duration::from_secs(10);
        while loudest(&mut running, &[]) == 0.0 {
            assert!(Instant::now() < deadline, "it does not hear");
            socket.send_to(&binaural, ("127.0.0.1", port)).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        // The host repeats what it has always had.
        assert!(loudest(&mut running, &[(0, L1_KIND, 0.0)]) > 0.0, "an echo");
        drop(running);
        let saved = String::from_utf8(rig.save()[8..].to_vec()).unwrap();
        assert!(saved.contains(r#"\"l1_kind\":1.0"#), "{saved}");
        let mut running = rig.start(RATE).expect("48 kHz");
        // And now it means it.
        loudest(&mut running, &[(0, L1_KIND, 2.0)]);
        loudest(&mut running, &[(0, L1_KIND, 0.0)]);
        assert_eq!(loudest(&mut running, &[]), 0.0);
    }
    drop(rigs);
    UdpSocket::bind(("127.0.0.1", port)).expect("the port is free again");
}

#[test]
fn learned_controllers_of_the_host_act_in_their_block() {
    let entry = load();
    let mut rig = Rig::new(&entry);
    let plain = rig.save();
    let learned = r#"{"entries": [{"channel": 2, "controller": {"cc": 21},
        "moves": {"control": "l1_kind"}}]}"#;
    assert!(rig.load(&with_parts(&plain, &[("midi", learned.to_owned())])));
    let mut running = rig.start(RATE).expect("48 kHz");
    assert_eq!(loudest(&mut running, &[]), 0.0);
    // The worker hands the map over within a round.
    let deadline = Instant::now() + Duration::from_secs(10);
    while loudest(&mut running, &[]) == 0.0 {
        assert!(Instant::now() < deadline, "it does not hear");
        running.midi = vec![(0, [0xB2, 21, 30])];
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(loudest(&mut running, &[(0, L1_LEVEL, -30.0)]) > 0.0);
}

/// Run by itself in a process of its own (below), where no other test has instances.
#[test]
#[ignore = "run by ports_and_threads_go_with_the_last_instance"]
fn counted_ports() {
    // The first time loads the library and whatever it keeps.
    drop(Rig::new(&load()));
    let before = Held::settled();
    for _ in 0..3 {
        osc_reaches_every_instance_and_the_last_writer_wins();
        before.awaited();
    }
}

#[test]
fn ports_and_threads_go_with_the_last_instance() {
    let test = std::env::current_exe().expect("a test knows its own path");
    let mut command = std::process::Command::new(test);
    command.args([
        "--exact",
        "control::counted_ports",
        "--ignored",
        "--nocapture",
    ]);
    let output = run(&mut command, Duration::from_secs(120));
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A desk at a port of its own.
fn listening() -> (Arc<Desk>, u16, zeitgeber::control::Listener) {
    let (desk, port) = (Arc::new(Desk::default()), free_port());
    let listener = listen(&desk, port, false).expect("a thread");
    wait("the port opens", || desk.status().osc == PortState::Open);
    (desk, port, listener)
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The yaw of the tracked head, in whole degrees.
fn yaw(desk: &Desk) -> Option<i64> {
    desk.status().head.map(|[yaw, ..]| yaw.round() as i64)
}

fn sends(command: &mut Command) {
    let output = run(command, Duration::from_secs(60));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

#[test]
fn python_osc_is_understood() {
    let name = "python_osc_is_understood";
    let Some(python) = python() else {
        return skipped(name, "no Python; `cargo xtask test` makes one");
    };
    let importable = Command::new(&python)
        .args(["-c", "import pythonosc"])
        .output();
    if !importable.is_ok_and(|output| output.status.success()) {
        return skipped(name, "it cannot import pythonosc");
    }
    let (desk, port, _listener) = listening();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/check_osc.py");
    sends(
        Command::new(python)
            .arg("-B")
            .arg(script)
            .arg(port.to_string()),
    );
    let held: [(ControlId, f64); 5] = [
        (BEAT, 6.5),
        (SPACE_KIND, 1.0),
        (HEAD_TRACK, 0.0),
        (L1_LEVEL, 0.0),
        (CARRIER, 300.0),
    ];
    wait("all of it", || desk.held(CARRIER).is_some());
    for (control, value) in held {
        assert_eq!(desk.held(control), Some(value), "{}", control.control().id);
    }
    let status = desk.status();
    assert_eq!(yaw(&desk), Some(90));
    assert_eq!(
        (status.malformed, status.refused, status.understood),
        (0, 0, 6)
    );
}

#[test]
fn oscsend_is_understood() {
    let Some(oscsend) = on_path("oscsend") else {
        return skipped(
            "oscsend_is_understood",
            "no oscsend on the PATH (liblo-tools)",
        );
    };
    let (desk, port, _listener) = listening();
    for arguments in [
        &["/SceneRotator/ypr", "fff", "-90", "0", "0"][..],
        &["/zeitgeber/space_kind", "s", "hrtf"],
        &["/zeitgeber/beat", "i", "7"],
    ] {
        let mut command = Command::new(&oscsend);
        sends(
            command
                .args(["127.0.0.1", &port.to_string()])
                .args(arguments),
        );
    }
    wait("all of it", || desk.held(BEAT) == Some(7.0));
    assert_eq!((yaw(&desk), desk.held(SPACE_KIND)), (Some(90), Some(1.0)));
}
