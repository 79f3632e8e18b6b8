//! Control from outside through the real library: OSC from a socket and controllers from the host, without an editor.

use crate::rig::{Change, Rig, load};
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use zeitgeber::control::osc::{Arg, Message};
use zeitgeber::engine::controls::{L1_KIND, L1_LEVEL};

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
    #[cfg(target_os = "linux")]
    {
        let count = |what: &str| {
            let folder = std::fs::read_dir(format!("/proc/self/{what}"));
            folder.map(Iterator::count).unwrap_or(0)
        };
        // The first time loads the library and whatever it keeps.
        drop(Rig::new(&load()));
        let before = (count("task"), count("fd"));
        for _ in 0..3 {
            osc_reaches_every_instance_and_the_last_writer_wins();
            let deadline = Instant::now() + Duration::from_secs(5);
            while (count("task"), count("fd")) != before {
                assert!(Instant::now() < deadline, "something is left behind");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    osc_reaches_every_instance_and_the_last_writer_wins();
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
    let output = crate::library::run(&mut command, Duration::from_secs(120));
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
}
