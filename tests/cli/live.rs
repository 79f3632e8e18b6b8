//! `zeitgeber live` without a device, spoken to from outside.

use super::Run;
use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use zeitgeber::control::osc::{Arg, Message};

/// A run of `zeitgeber live` that listens to OSC; ended with the test, whichever way that ends.
struct Live {
    child: Child,
    out: BufReader<ChildStdout>,
    port: u16,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Drop for Live {
    fn drop(&mut self) {
        // It has ended where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Live {
    /// Starts it, and returns when it plays.
    fn start(run: &Run, words: &str) -> Live {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut child = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
            .args(["live", "--backend", "none", "--headless", "--osc"])
            .arg(port.to_string())
            .args(words.split_whitespace())
            .current_dir(run.folder.path())
            .env("ZEITGEBER_PRESETS", run.folder.path().join("own"))
            .env("XDG_CACHE_HOME", run.cache.path())
            .env("HOME", run.cache.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (line, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for said in errors.lines().map_while(Result::ok) {
                let _ = line.send(said.trim_end().to_owned());
            }
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        assert!(first.starts_with("silence -> no device"), "{first}");
        Live {
            child,
            out,
            port,
            lines,
            heard: Vec::new(),
        }
    }

    /// Whether a line with these words has been told by now.
    fn says(&mut self, words: &str) -> bool {
        self.heard.extend(self.lines.try_iter());
        self.heard.iter().any(|line| line.contains(words))
    }

    /// Does something again and again until a line with these words is told.
    fn until(&mut self, words: &str, mut act: impl FnMut(&Live)) {
        let begun = Instant::now();
        while !self.says(words) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "never \"{words}\": {:?}",
                self.heard
            );
            act(self);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn send(&self, address: &str, arg: Arg) {
        let message = Message {
            address: address.to_owned(),
            args: vec![arg],
        };
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        // Before the port is open nobody hears it.
        let _ = socket.send_to(&message.encode().unwrap(), ("127.0.0.1", self.port));
    }

    /// Tells it to end; what it has printed, and all the lines on stderr.
    fn end(mut self) -> (String, Vec<String>) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(told.success());
        let mut printed = String::new();
        self.out.read_to_string(&mut printed).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.heard.extend(self.lines.iter());
        (printed, std::mem::take(&mut self.heard))
    }
}

#[test]
fn a_preset_by_osc_brings_its_filters_and_says_what_is_wrong_with_it() {
    let run = Run::new();
    std::fs::create_dir(run.path("own")).unwrap();
    run.write(
        "own/mine.json",
        r#"{"zeitgeber": 1, "name": "Mine", "hrtf": "gone.sofa",
            "params": {"l1_kind": "binaural", "space_kind": "hrtf", "from_the_future": 1}}"#,
    );
    let mut live = Live::start(&run, "");
    live.until("from_the_future", |live| {
        live.send("/zeitgeber/preset", Arg::Text("Mine".to_owned()));
    });
    live.until("The embedded HRTF set sounds in its place", |_| ());
    live.until("there is no preset \"Nobody's\"", |live| {
        live.send("/zeitgeber/preset", Arg::Text("Nobody's".to_owned()));
    });
    let (printed, said) = live.end();
    assert!(printed.contains("played "), "{printed}");
    let missing: Vec<_> = said.iter().filter(|line| line.contains("sofa")).collect();
    assert_eq!(missing.len(), 1, "{said:?}");
    assert!(missing[0].contains("gone.sofa"), "{said:?}");
}

#[test]
fn what_osc_is_refused_is_said_with_its_address_and_why() {
    let run = Run::new();
    let mut live = Live::start(&run, "--set l1_kind=binaural");
    live.until("refused by OSC: /zeitgeber/beat: ", |live| {
        live.send("/zeitgeber/beat", Arg::Number(101.0));
    });
    assert!(live.says("0 to 100"), "{:?}", live.heard);
    live.until("/zeitgeber/beet: ", |live| {
        live.send("/zeitgeber/beet", Arg::Number(7.0));
    });
    live.until("/ [2J/x: not understood", |live| {
        live.send("/\u{1b}[2J/x", Arg::Text("\u{1b}[1A".to_owned()));
    });
    // A flood is a line a second.
    let (before, began) = (live.heard.len(), Instant::now());
    live.until("/zeitgeber/carrier: ", |live| {
        for n in 0..500 {
            live.send("/zeitgeber/carrier", Arg::Number(f64::from(n) + 9000.0));
        }
    });
    let lines = live.heard.len() - before;
    let seconds = began.elapsed().as_secs();
    assert!(lines as u64 <= 2 + seconds, "{lines} in {seconds} s");
    let all = live.heard.concat();
    assert!(!all.contains(char::is_control), "{all:?}");
}

#[test]
fn it_ends_while_filters_are_being_loaded() {
    let run = Run::new();
    let kemar =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
    std::fs::copy(kemar, run.path("my.sofa")).unwrap();
    let live = Live::start(&run, "--rate 192000 --hrtf my.sofa");
    let (printed, said) = live.end();
    assert!(printed.contains("played "), "{printed}");
    assert_eq!(said, [] as [&str; 0]);
}
