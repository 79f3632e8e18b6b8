//! `zeitgeber live` on a real JACK server that has no hardware: it plays on while OSC storms, and how late it is.
//!
//! promise: `zeitgeber live` plays on under JACK at 64 and 256 frames while parameters storm in by OSC
//!
//! What is late in time on a busy machine is printed and not judged. `ZEITGEBER_LONG=1` plays ten minutes at each size.

use crate::library::{on_path, skipped};
use rustix::process::{Pid, Signal};
use std::fs::File;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use zeitgeber::control::osc::{Arg, Message};
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{CONTROLS, Values};

const RATE: u32 = 48_000;

/// A process that is ended with the test, whatever becomes of it.
struct Running(Child);

impl Running {
    fn new(command: &mut Command) -> Running {
        Running(command.stdin(Stdio::null()).spawn().expect("it starts"))
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }

    fn tell(&self, signal: Signal) {
        let process = Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(process, signal);
    }

    fn ask_to_end(&self) {
        // One that was stopped would not hear it.
        self.tell(Signal::CONT);
        self.tell(Signal::TERM);
    }

    /// Waits for its end; whether it ended well.
    fn end(&mut self, longest: Duration) -> bool {
        let start = Instant::now();
        while !self.has_ended() {
            assert!(start.elapsed() < longest, "it does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
        self.0.wait().expect("a child").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A server that is killed keeps its place among the eight that a machine has room for.
        self.ask_to_end();
        let start = Instant::now();
        while !self.has_ended() && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server without hardware, and the name that its clients find it by.
struct Server {
    name: String,
    jackd: Running,
}

impl Server {
    fn start(folder: &Path, frames: u32) -> Server {
        let name = format!("zeitgeber-{}-{frames}", std::process::id());
        let log = File::create(folder.join(format!("jackd-{frames}"))).unwrap();
        let mut command = Command::new("jackd");
        command
            .args(["-r", "-m", "-n", &name, "-d", "dummy"])
            .args(["-r", &RATE.to_string(), "-p", &frames.to_string()])
            .env("JACK_NO_AUDIO_RESERVATION", "1")
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let mut jackd = Running::new(&mut command);
        let start = Instant::now();
        while Server::ask(&name, "jack_lsp", &[]).is_none_or(|ports| !ports.contains("system:")) {
            assert!(!jackd.has_ended(), "jackd does not run");
            assert!(start.elapsed() < Duration::from_secs(30), "jackd is deaf");
            std::thread::sleep(Duration::from_millis(100));
        }
        Server { name, jackd }
    }

    /// What one of JACK's own programs says.
    fn ask(name: &str, program: &str, args: &[&str]) -> Option<String> {
        let mut command = Command::new(program);
        command.args(args).env("JACK_DEFAULT_SERVER", name);
        let Output { status, stdout, .. } =
            crate::library::run(&mut command, Duration::from_secs(20));
        status
            .success()
            .then(|| String::from_utf8_lossy(&stdout).into_owned())
    }

    /// The port whose name holds this.
    fn port(&self, part: &str) -> Option<String> {
        let ports = Server::ask(&self.name, "jack_lsp", &[])?;
        ports
            .lines()
            .find(|port| port.contains(part))
            .map(str::to_owned)
    }

    /// From an output through `live` to an input, as JACK's own meter hears it: in frames.
    fn round_trip(&self, folder: &Path) -> Option<f64> {
        let log = folder.join("round-trip");
        let mut command = Command::new("stdbuf");
        command
            .args(["-oL", "jack_iodelay"])
            .env("JACK_DEFAULT_SERVER", &self.name)
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null());
        let _meter = Running::new(&mut command);
        let start = Instant::now();
        while self.port("jack_delay:in").is_none() && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let (input, output) = (self.port("in:in_0")?, self.port("out:out_0")?);
        Server::ask(&self.name, "jack_connect", &["jack_delay:out", &input])?;
        Server::ask(&self.name, "jack_connect", &[&output, "jack_delay:in"])?;
        std::thread::sleep(Duration::from_secs(4));
        let said = std::fs::read_to_string(&log).ok()?;
        let frames = |line: &str| line.split_once(" frames")?.0.trim().parse::<f64>().ok();
        said.lines().rev().find_map(frames)
    }
}

/// Any value of any control, over and over; the ears keep what they hear.
fn storm(port: u16, seconds: f64, mut live: impl FnMut() -> bool) -> u64 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let start = Instant::now();
    let (mut seed, mut sent) = (1u64, 0);
    while start.elapsed().as_secs_f64() < seconds && live() {
        for _ in 0..50 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let control = &CONTROLS[(seed >> 33) as usize % CONTROLS.len()];
            let share = (seed >> 40) as f64 / f64::from(1 << 24);
            let id = ControlId::parse(control.id).expect("a control");
            let arg = match control.values {
                Values::Number { .. } => Arg::Number(id.control().from_normalized(share)),
                _ => Arg::Text(control.format(id.control().from_normalized(share))),
            };
            let message = Message {
                address: format!("/zeitgeber/{}", control.id),
                args: vec![arg],
            };
            sent += u64::from(
                socket
                    .send_to(&message.encode().unwrap(), ("127.0.0.1", port))
                    .is_ok(),
            );
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    sent
}

#[test]
fn live_plays_on_under_jack_while_parameters_storm_in() {
    for program in [
        "jackd",
        "jack_lsp",
        "jack_connect",
        "jack_iodelay",
        "stdbuf",
    ] {
        if on_path(program).is_none() {
            skipped("live under JACK", &format!("{program} is not on the PATH"));
            return;
        }
    }
    let long = std::env::var_os("ZEITGEBER_LONG").is_some();
    let seconds = if long { 600.0 } else { 6.0 };
    let folder = tempfile::tempdir().unwrap();
    for frames in [64, 256] {
        let server = Server::start(folder.path(), frames);
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        let log = folder.path().join(format!("live-{frames}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_zeitgeber"));
        command
            .args([
                "live",
                "--backend",
                "jack",
                "--headless",
                "--set",
                "l1_kind=off",
            ])
            .args(["--frames", &frames.to_string(), "--osc", &port.to_string()])
            .args(["--seconds", &(seconds + 300.0).to_string()])
            .env("JACK_DEFAULT_SERVER", &server.name)
            .stdout(File::create(&log).unwrap())
            .stderr(File::create(folder.path().join("errors")).unwrap());
        let mut live = Running::new(&mut command);
        // JACK 1.9 sometimes never runs a client that starts while another comes or goes (its server says "not finished,
        // state = Triggered" for ever): nobody asks until it plays.
        let playing = || said(folder.path(), &format!("live-{frames}")).contains(" Hz");
        let start = Instant::now();
        while !playing() {
            assert!(!live.has_ended(), "{}", said(folder.path(), "errors"));
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "it does not play"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_secs(1));
        assert!(server.port("in:in_1").is_some(), "it opens no port");
        let late = server.round_trip(folder.path());
        let sent = storm(port, seconds, || !live.has_ended());
        let ports = server.port("out:out_1");
        assert!(!live.has_ended(), "{}", said(folder.path(), "errors"));
        assert!(ports.is_some(), "it has left the server");
        falls_silent(&server, folder.path());
        live.ask_to_end();
        assert!(
            live.end(Duration::from_secs(60)),
            "{}",
            said(folder.path(), "errors")
        );
        let told = said(folder.path(), &format!("live-{frames}"));
        let late = late.map_or("not measured".to_owned(), |late| {
            format!("{late:.1} frames, {:.2} ms", late / f64::from(RATE) * 1e3)
        });
        println!("JACK at {frames} frames: {sent} messages, round trip {late}; {told}");
        assert!(sent > 1000 && told.contains("played"), "{told}");
    }
}

/// A server that does not run its clients is told of, and that it is back.
fn falls_silent(server: &Server, folder: &Path) {
    let wait = |words: &str| {
        let start = Instant::now();
        while !said(folder, "errors").contains(words) {
            let seconds = start.elapsed().as_secs();
            assert!(seconds < 30, "not told: {words}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    server.jackd.tell(Signal::STOP);
    wait("the input device");
    wait("has not called for 2 s; where it stays away, end live and start it again");
    server.jackd.tell(Signal::CONT);
    wait("is back");
}

fn said(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}
