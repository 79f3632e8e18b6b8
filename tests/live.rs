//! Nodes from outside, within a program: reloaded without end, sounding while they are replaced, and kept
//! from putting out what is not finite.
//!
//! promise: a user's node that breaks is silenced, not the host, and reloads leave nothing behind

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};
use zeitgeber::control::{Desk, listen, osc};
use zeitgeber::engine::{Engine, InsertLine, Transport, controls};
use zeitgeber::live::{LiveError, LiveNode, Original, Reach, Workshop, prepare};
use zeitgeber::node::Node;

fn workshop(folder: &Path) -> Workshop {
    Workshop::at(
        folder.join("nodes"),
        PathBuf::from(env!("CARGO_BIN_EXE_zeitgeber")),
    )
}

fn one(node: &mut dyn Node, x: f32) -> f32 {
    let mut out = [0.0];
    node.process(&[&[x]], &mut [&mut out]);
    out[0]
}

/// Libraries of the folder that are mapped into this process.
fn mapped(folder: &Path) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let folder = folder.to_str().unwrap();
    maps.lines().filter(|line| line.contains(folder)).count()
}

#[test]
fn a_thousand_reloads_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (dsp, cpp) = (folder.path().join("a.dsp"), folder.path().join("b.cpp"));
    fs::write(&dsp, "process = *(2);").unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    fs::copy(data.join("fixture.h"), folder.path().join("fixture.h")).unwrap();
    let body = "void process(void*, const float* const* in, float* const* out, uint32_t frames)\n\
                { for (uint32_t i = 0; i < frames; ++i) out[0][i] = 3 * in[0][i]; }";
    fs::write(
        &cpp,
        format!("#include \"fixture.h\"\nnamespace {{\n{body}\n}}\nNODE(b, ZG_ABI)\n"),
    )
    .unwrap();
    let workshop = workshop(folder.path());
    for _ in 0..500 {
        for (file, factor) in [(&dsp, 2.0), (&cpp, 3.0)] {
            let live = workshop.open(file).unwrap();
            let (mut node, _) = live.create().unwrap();
            // An instance keeps its library open.
            drop(live);
            node.init(48_000.0, 64).unwrap();
            assert_eq!(one(node.as_mut(), 0.25), 0.25 * factor);
        }
    }
    assert_eq!(mapped(folder.path()), 0);
}

#[test]
fn the_old_node_sounds_on_while_the_new_one_is_made_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("a.dsp");
    let workshop = workshop(folder.path());
    fs::write(&dsp, "process = *(2);").unwrap();
    let (mut old, _) = workshop.open(&dsp).unwrap().create().unwrap();
    old.init(48_000.0, 64).unwrap();
    fs::write(&dsp, "process = *(2;").unwrap();
    let before = Workshop::content(&dsp).unwrap();
    match workshop.open(&dsp).err().unwrap() {
        LiveError::Compile {
            file, line, log, ..
        } => {
            assert_eq!((file, line), (dsp.clone(), Some(1)));
            assert!(log.contains("ERROR"));
        }
        other => panic!("{other}"),
    }
    assert_eq!(one(old.as_mut(), 1.0), 2.0);
    fs::write(&dsp, "process = *(4);").unwrap();
    assert_ne!(Workshop::content(&dsp).unwrap(), before);
    let live = workshop.open(&dsp).unwrap();
    assert!(live.library().exists() && live.report().load < 0.5);
    let (mut new, _) = live.create().unwrap();
    new.init(48_000.0, 64).unwrap();
    assert_eq!((one(old.as_mut(), 1.0), one(new.as_mut(), 1.0)), (2.0, 4.0));
}

#[test]
fn what_comes_later_than_the_check_is_silenced() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("late.dsp");
    // Infinite when 0.125 comes in, which the check does not try.
    fs::write(&dsp, "process(x) = x / (abs(x - 0.125) > 0);").unwrap();
    let (mut node, tripped) = workshop(folder.path())
        .open(&dsp)
        .unwrap()
        .create()
        .unwrap();
    node.init(48_000.0, 64).unwrap();
    assert_eq!(one(node.as_mut(), 0.5), 0.5);
    assert!(!tripped.is_set());
    assert_eq!(one(node.as_mut(), 0.125), 0.0);
    assert!(tripped.is_set());
    assert_eq!(one(node.as_mut(), 0.5), 0.0);
    node.reset();
    assert_eq!(one(node.as_mut(), 0.5), 0.5);
}

#[test]
fn without_the_program_that_checks_nothing_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("a.dsp");
    fs::write(&dsp, "process = _;").unwrap();
    let workshop = Workshop::at(folder.path().join("nodes"), "/nowhere/zeitgeber".into());
    let error = workshop.open(&dsp).err().unwrap();
    assert!(matches!(error, LiveError::Checker { .. }), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Workshop::at(file, "zeitgeber".into())
        .open(&dsp)
        .err()
        .unwrap();
    assert!(matches!(error, LiveError::Folder { .. }), "{error}");
}

#[test]
fn the_folder_does_not_grow_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = folder.path().join("nodes");
    fs::create_dir_all(nodes.join("job-1-1")).unwrap();
    fs::create_dir_all(nodes.join("job-1-2")).unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    for n in 0..250 {
        let name = format!("old-{n}.{}", std::env::consts::DLL_EXTENSION);
        let file = fs::File::create(nodes.join(name)).unwrap();
        file.set_modified(before).unwrap();
    }
    let abandoned = fs::File::open(nodes.join("job-1-1")).unwrap();
    abandoned.set_modified(before).unwrap();
    let dsp = folder.path().join("a.dsp");
    fs::write(&dsp, "process = _;").unwrap();
    let library = workshop(folder.path()).build(&dsp).unwrap();
    let kept = fs::read_dir(&nodes).unwrap().count();
    assert!(library.exists() && kept == 201, "{kept}");
    assert!(nodes.join("job-1-2").exists() && !nodes.join("job-1-1").exists());
}

/// Faust: the first four parameters are the macros', the others their own. Out comes what they are at, times 1000.
const PLAYED: &str = "
p1 = hslider(\"p1[midi:ctrl 7]\", 0, 0, 127, 0.001);
p2 = hslider(\"p2[osc:/two 0 10]\", 0, 0, 100, 0.001);
p3 = hslider(\"p3\", 0, 0, 1, 0.001);
p4 = hslider(\"p4\", 0, 0, 1, 0.001);
p5 = hslider(\"p5[midi:ctrl 8 2][midi:keyon 60][osc:/five 0 10]\", 5, 0, 127, 0.001);
p6 = hslider(\"p6[midi:pitchwheel]\", 3, -10, 20, 0.001);
p7 = nentry(\"p7[midi:pgm]\", 2, 0, 99, 1);
one = p1 + p2 + 1e-30 * (p3 + p4), p5 + 1e-30 * (p6 + p7);
process = !, !, (one : par(i, 2, /(1000)));
";

/// An engine with a desk, whose insert A holds a node.
struct Stand {
    desk: Arc<Desk>,
    engine: Engine,
    line: InsertLine,
}

impl Stand {
    fn new() -> Stand {
        let mut engine = Engine::new(48_000.0).unwrap();
        let desk = Arc::new(Desk::default());
        desk.attach(&mut engine);
        let [line, _] = engine.take_inserts().unwrap();
        Stand { desk, engine, line }
    }

    fn bring(&mut self, node: &LiveNode) {
        let mut prepared = prepare(node, 2, 48_000.0).unwrap().prepared;
        self.desk.bring(0, Some(&mut prepared));
        assert!(self.line.send(Some(prepared)).is_ok());
    }

    /// What the node puts out, in thousandths, once nothing moves any more.
    fn heard(&mut self) -> [f32; 2] {
        let mut last = [0.0; 2];
        for _ in 0..40 {
            self.desk.round();
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            let absent = Transport::Absent;
            self.engine.process(&mut left, &mut right, absent, &[]);
            last = [left[63], right[63]].map(|x| (1e5 * x).round() / 100.0);
        }
        last
    }
}

#[test]
fn fausts_midi_and_osc_metadata_play_a_node_in_an_insert() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("played.dsp");
    fs::write(&dsp, PLAYED).unwrap();
    let workshop = workshop(folder.path());
    let node = workshop.open(&dsp).unwrap();
    let movers = |index: usize| -> Vec<String> {
        let movers = node.info().params[index].movers.iter();
        movers.map(ToString::to_string).collect()
    };
    assert_eq!(movers(0), ["midi:ctrl 7"]);
    assert_eq!(movers(2), [""; 0]);
    let mut all = movers(4);
    all.sort();
    assert_eq!(all, ["midi:ctrl 8 2", "midi:keyon 60", "osc:/five 0 10"]);
    assert_eq!(node.info().params[4].help, "");
    let mut stand = Stand::new();
    stand.bring(&node);
    // The macros rest at the middle of their ranges.
    assert_eq!(stand.heard(), [113.5, 5.0]);
    // A MIDI port: the first parameter by its macro, the fifth by itself, on channel 2 only.
    stand.desk.midi(&[0xB3, 7, 10]);
    stand.desk.midi(&[0xB0, 8, 99]);
    assert_eq!(stand.heard(), [60.0, 5.0]);
    assert!((stand.engine.get(controls::A_1) - 10.0 / 127.0).abs() < 1e-5);
    stand.desk.midi(&[0xB1, 8, 99]);
    assert_eq!(stand.heard(), [60.0, 99.0]);
    // The host's MIDI, on the audio thread.
    let mut midi = stand.desk.audio();
    stand.heard();
    let mut hear = |stand: &mut Stand, bytes| midi.hear(bytes, &mut stand.engine, |_| 0.5);
    hear(&mut stand, [0xB0, 7, 20]);
    hear(&mut stand, [0x90, 60, 77]);
    assert_eq!(stand.heard(), [70.0, 77.0]);
    let held = stand.desk.held(controls::A_1).unwrap();
    assert!((held - 20.0 / 127.0).abs() < 1e-5);
    // Another version of the file goes on where this one is; another node does not.
    fs::write(&dsp, PLAYED.replace("p5 + 1e-30", "p5 + 100 + 1e-30")).unwrap();
    stand.bring(&workshop.open(&dsp).unwrap());
    assert_eq!(stand.heard(), [70.0, 177.0]);
    hear(&mut stand, [0x90, 60, 7]);
    assert_eq!(
        stand.heard(),
        [70.0, 107.0],
        "the new one is what is played"
    );
    let other = folder.path().join("other.dsp");
    fs::write(&other, PLAYED).unwrap();
    stand.bring(&workshop.open(&other).unwrap());
    assert_eq!(stand.heard(), [70.0, 5.0]);
    // OSC: what the node declares, and its parameters by name.
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let _listener = listen(&stand.desk, port, false).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let send = |stand: &mut Stand, address: &str, value: f64| {
        let message = osc::Message {
            address: address.to_owned(),
            args: vec![osc::Arg::Number(value)],
        };
        let heard = |desk: &Desk| desk.status().understood + desk.status().refused;
        let before = heard(&stand.desk);
        let packet = message.encode().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        // Until the port is open packets are lost.
        while heard(&stand.desk) == before {
            assert!(Instant::now() < deadline, "{address}");
            socket.send_to(&packet, ("127.0.0.1", port)).unwrap();
            sleep(Duration::from_millis(20));
        }
    };
    send(&mut stand, "/two", 3.0);
    send(&mut stand, "/five", 10.0);
    assert_eq!(stand.heard(), [50.0, 127.0]);
    send(&mut stand, "/zeitgeber/node/other/p5", 55.0);
    send(&mut stand, "/zeitgeber/node/insert_a/p1", 8.0);
    assert_eq!(stand.heard(), [38.0, 55.0]);
    assert_eq!(stand.desk.status().refused, 0);
    send(&mut stand, "/zeitgeber/node/played/p5", 1.0);
    assert_eq!(stand.desk.status().refused, 1, "it is gone");
}

/// Libraries in the folder of the workshop.
fn libraries(folder: &Path) -> usize {
    let entries = fs::read_dir(folder.join("nodes")).unwrap().flatten();
    let ending = std::env::consts::DLL_EXTENSION;
    let is_library = |path: &PathBuf| path.extension().is_some_and(|e| e == ending);
    entries.map(|entry| entry.path()).filter(is_library).count()
}

/// A library goes by what was read, so nothing else may be in it.
#[test]
fn what_is_saved_while_it_is_compiled_is_not_taken_for_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let workshop = workshop(folder.path());
    let (dsp, part) = (folder.path().join("a.dsp"), folder.path().join("b.lib"));
    fs::write(&dsp, "process = *(library(\"b.lib\").x);").unwrap();
    fs::write(&part, "x = 2;").unwrap();
    let own = Original::read(&dsp, Reach::Anywhere).unwrap();
    let brought = Original::read(&dsp, Reach::Beside).unwrap();
    assert_eq!(own.key(), brought.key());
    fs::write(&part, "x = 3;").unwrap();
    let error = workshop.make(&own).err().unwrap();
    assert!(matches!(error, LiveError::Changed { .. }), "{error}");
    assert_eq!(libraries(folder.path()), 0);
    let factor = |live: zeitgeber::live::LiveNode| {
        let (mut node, _) = live.create().unwrap();
        node.init(48_000.0, 64).unwrap();
        one(node.as_mut(), 1.0)
    };
    // What a project brings is compiled from a copy: it is what it was when it was asked about.
    assert_eq!(factor(workshop.make(&brought).unwrap()), 2.0);
    assert_eq!(factor(workshop.open(&dsp).unwrap()), 3.0);
    fs::write(&part, "x = 2;").unwrap();
    assert_eq!(factor(workshop.known(&dsp).unwrap().unwrap()), 2.0);
}

/// What a source names is looked at before a compiler is started: none is fetched, and nobody waits for a pipe.
#[test]
fn a_source_reaches_no_network_and_waits_for_no_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let net = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    net.set_nonblocking(true).unwrap();
    let address = format!("http://{}/x.lib", net.local_addr().unwrap());
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("pipe.h"))
        .status();
    assert!(made.unwrap().success());
    let own = format!("import(\"stdfaust.lib\");\nimport(\"{address}\");\nprocess = _;");
    // Not UTF-8, and the address in what it imports.
    let part = [b"// caf\xe9\n\nx = library(\"", address.as_bytes(), b"\");"].concat();
    write("part.lib", &part);
    let workshop = workshop(folder.path());
    let began = std::time::Instant::now();
    for (file, place, says) in [
        (write("own.dsp", own.as_bytes()), "own.dsp:2: ", "network"),
        (
            write("other.dsp", b"/* \" */ import(\"part.lib\"); process = _;"),
            "part.lib:3: ",
            "network",
        ),
        (
            write("held.cpp", b"int x;\n#include \"pipe.h\"\n"),
            "held.cpp:2: ",
            "a device or a pipe",
        ),
        (
            write("held.dsp", b"import(\"pipe.h\");\nprocess = _;"),
            "held.dsp:1: ",
            "a device or a pipe",
        ),
    ] {
        let said = workshop.open(&file).err().unwrap().to_string();
        assert!(said.contains(place) && said.contains(says), "{said}");
        // Nor of a project, where nothing lies beside it.
        let text = String::from_utf8(fs::read(&file).unwrap()).unwrap();
        if text.contains("http") {
            assert!(Original::of_text(&file, &text).is_err());
        }
    }
    // A library beside it that Faust takes in place of its own, which imports it.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    let plain = other.join("plain.dsp");
    fs::write(&plain, "import(\"stdfaust.lib\");\nprocess = *(ma.PI);").unwrap();
    fs::write(other.join("maths.lib"), format!("\nimport(\"{address}\");")).unwrap();
    let said = workshop.open(&plain).err().unwrap().to_string();
    assert!(
        said.contains("maths.lib:2: ") && said.contains("network"),
        "{said}"
    );
    fs::remove_file(other.join("maths.lib")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(other.join("maths.lib"))
        .status();
    assert!(made.unwrap().success());
    let said = workshop.open(&plain).err().unwrap().to_string();
    assert!(
        said.contains("maths.lib: ") && said.contains("a device or a pipe"),
        "{said}"
    );
    // A project's source is compiled without what lies beside it and is not named.
    let brought = Original::read(&plain, Reach::Beside).unwrap();
    assert!(!brought.has_parts());
    assert!(began.elapsed() < Duration::from_secs(20));
    assert!(net.accept().is_err(), "something was fetched");
}

#[test]
fn what_is_used_is_kept_and_what_is_refused_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = folder.path().join("nodes");
    let workshop = workshop(folder.path());
    let dsp = folder.path().join("a.dsp");
    fs::write(&dsp, "process = _;").unwrap();
    let used = workshop.open(&dsp).unwrap().library().to_owned();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    let error = workshop.open(&data.join("nan.dsp")).err().unwrap();
    assert!(matches!(error, LiveError::Refused { .. }), "{error}");
    assert_eq!(libraries(folder.path()), 1);
    let old = |path: &Path, days: u64| {
        let when = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(when).unwrap();
    };
    for n in 0..250 {
        let name = format!("old-{n}.{}", std::env::consts::DLL_EXTENSION);
        fs::write(nodes.join(&name), "").unwrap();
        old(&nodes.join(&name), 2);
    }
    for path in [&used, &used.with_extension("json")] {
        old(path, 9);
    }
    // Made longest ago, and used now.
    assert!(workshop.known(&dsp).unwrap().is_some());
    fs::write(&dsp, "process = *(2);").unwrap();
    workshop.build(&dsp).unwrap();
    assert!(used.exists());
    assert_eq!(libraries(folder.path()), 200);
}

/// A node may end the program with any code: that of a shell that finds no program, too.
#[test]
fn a_node_that_ends_the_program_is_no_missing_program() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    let quits = fs::read_to_string(data.join("quits.cpp")).unwrap();
    let file = folder.path().join("quits.cpp");
    fs::copy(data.join("fixture.h"), folder.path().join("fixture.h")).unwrap();
    fs::write(&file, quits.replace("exit(0)", "exit(127)")).unwrap();
    let error = workshop(folder.path()).open(&file).err().unwrap();
    assert!(error.to_string().contains("(code 127)"), "{error}");
}
