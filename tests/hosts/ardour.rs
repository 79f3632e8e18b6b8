//! The VST3 in Ardour, headless: on a track, with automation, bounced.
//!
//! promise: in Ardour, automated on the timeline, two bounces are equal to the bit once the start has faded, at two buffer sizes, too, and equal the engine's own render
//!
//! `ardour7-lua` makes a session, `ardour7-export` or a script bounces it; all run in a HOME of their own. Scripts cannot
//! import files: sources and regions are written into the session.
//!
//! `ZEITGEBER_LONG=1` bounces at more buffer sizes.

use crate::library::{on_path, run, skipped, vst3_bundle};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::dsp::ambisonics::encode;
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{Change, ControlId, Engine, Event, Transport};

const RATE: usize = 48_000;
const FRAMES: usize = 6 * RATE;
const CHANNELS: usize = 16;
const TONE: f64 = 400.0; // Hz
const AMPLITUDE: f64 = 0.25;

/// Frames in which what sounds while the song stands fades into the song's own phases. For how many buffers Ardour
/// processes before it rolls is not the same twice: the machine's load decides.
const FADE: usize = RATE / 50;

/// Units of Ardour's audio time a frame.
const TICKS: usize = 282_240_000 / RATE;

/// Bounces that are tried: `ardour7-export` frees something twice in one run of ten when it is done, with no plugin in
/// the session too.
const TRIES: usize = 6;

/// WAV in 32-bit floats: the format is Ardour's own.
const PRESET: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ExportPreset id="f10a7000-0000-4000-8000-000000000001" name="float">
  <ExportFormat id="20b4ab09-6452-4cb3-bd66-b921cdbd2942"/>
  <ExportFilename>
    <Folder relative="1" path="export"/>
    <Field name="label" enabled="0"/>
    <Field name="session" enabled="0"/>
    <Field name="snapshot" enabled="0"/>
    <Field name="timespan" enabled="1"/>
    <Field name="revision" enabled="0"/>
    <Field name="time" enabled="0" value="T_None"/>
    <Field name="date" enabled="0" value="D_None"/>
  </ExportFilename>
</ExportPreset>
"#;

/// Ardour, with the plugin in its index.
pub struct Ardour {
    folder: tempfile::TempDir,
}

impl Ardour {
    /// Where it is installed.
    pub fn find(test: &str) -> Option<Ardour> {
        let scanner = Path::new("/usr/lib/ardour7/ardour-vst3-scanner");
        if on_path("ardour7-lua").is_none() || on_path("ardour7-export").is_none() {
            skipped(test, "ardour7-lua and ardour7-export are not on the PATH");
            return None;
        }
        if !scanner.exists() {
            skipped(test, &format!("there is no {}", scanner.display()));
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ardour = Ardour { folder };
        let plugins = ardour.path(".vst3");
        std::fs::create_dir(&plugins).expect("a folder can be made");
        let presets = ardour.path(".config/ardour7/export");
        std::fs::create_dir_all(&presets).expect("a folder can be made");
        std::fs::write(presets.join("float.preset"), PRESET).expect("a file can be written");
        let bundle = vst3_bundle(&plugins);
        // An index of the same second as the library is ignored.
        std::thread::sleep(Duration::from_secs(2));
        let mut scan = ardour.command(scanner);
        scan.env("LD_LIBRARY_PATH", "/usr/lib/ardour7");
        scan.arg("-f").arg(bundle);
        let output = run(&mut scan, Duration::from_secs(120));
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("Zeitgeber Ambisonic"), "{text}");
        Some(ardour)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .current_dir(self.folder.path());
        command
    }

    /// A session of one track with the class of so many channels and a scene on it; a range of the track's outputs,
    /// counted from 1, goes to the master. `settings` are calls of the script's `set` and `lane`.
    pub fn session(&self, name: &str, outputs: [usize; 2], settings: &str, scene: &[Vec<f32>]) {
        let class = match scene.len() {
            2 => "Zeitgeber",
            _ => "Zeitgeber Ambisonic",
        };
        let folder = self.path(name);
        let script = include_str!("session.lua")
            .replace("{FOLDER}", folder.to_str().expect("UTF-8"))
            .replace("{CLASS}", class)
            .replace("{CHANNELS}", &scene.len().to_string())
            .replace("{FIRST}", &outputs[0].to_string())
            .replace("{LAST}", &outputs[1].to_string())
            .replace("{SETTINGS}", settings);
        let file = self.path("session.lua");
        std::fs::write(&file, script).expect("a file can be written");
        let mut command = self.command("ardour7-lua");
        let output = run(command.arg(&file), Duration::from_secs(120));
        let text = String::from_utf8_lossy(&output.stdout);
        let count = scene.len();
        // One instance that takes and gives all channels.
        assert!(
            text.contains(&format!("SHAPE 1 {count} {count}")),
            "{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let audio = folder.join("interchange").join(name).join("audiofiles");
        for (channel, signal) in scene.iter().enumerate() {
            write_mono(&audio.join(format!("scene-{channel}.wav")), signal);
        }
        let file = folder.join("scene.ardour");
        let session = std::fs::read_to_string(&file).expect("the session has been saved");
        std::fs::write(&file, with_scene(&session, count)).expect("a file can be written");
    }

    /// The master's two channels.
    fn bounce(&self, name: &str) -> [Vec<f32>; 2] {
        let out = self.path("bounce.wav");
        let mut said = String::new();
        for _ in 0..TRIES {
            let mut command = self.command("ardour7-export");
            command.args(["-b", "float", "-o"]).arg(&out);
            command.arg(self.path(name)).arg("scene");
            let output = run(&mut command, Duration::from_secs(120));
            if output.status.success() {
                return read_stereo(&out);
            }
            said = format!(
                "{}: {}{}",
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            println!(
                "ardour7-export has failed, and runs again: {}",
                output.status
            );
        }
        panic!("{TRIES} bounces have failed, the last with {said}");
    }

    /// The same by a script, with a buffer of some frames. `save`: after it has been opened it is saved again.
    fn bounce_at(&self, name: &str, buffer: usize, save: bool) -> [Vec<f32>; 2] {
        let script = include_str!("bounce.lua")
            .replace("{FOLDER}", self.path(name).to_str().expect("UTF-8"))
            .replace("{OUT}", self.folder.path().to_str().expect("UTF-8"))
            .replace("{BUFFER}", &buffer.to_string())
            .replace("{FRAMES}", &FRAMES.to_string())
            .replace("{SAVE}", &save.to_string());
        let file = self.path("bounce.lua");
        std::fs::write(&file, script).expect("a file can be written");
        let out = self.path("bounce.wav");
        let mut said = String::new();
        for _ in 0..TRIES {
            let _ = std::fs::remove_file(&out);
            let mut command = self.command("ardour7-lua");
            let output = run(command.arg(&file), Duration::from_secs(120));
            let text = String::from_utf8_lossy(&output.stdout);
            if text.contains("BOUNCED true") {
                // What was set before it was saved is there when it is opened.
                assert!(
                    text.contains("VALUE Space 1") || text.contains("VALUE Space 2"),
                    "{text}"
                );
                return read_stereo(&out);
            }
            said = format!(
                "{}: {text}{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
            println!("ardour7-lua has failed, and runs again: {}", output.status);
        }
        panic!("{TRIES} bounces have failed, the last with {said}");
    }
}

fn write_mono(path: &Path, signal: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE as u32,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("a file can be written");
    for x in signal {
        file.write_sample(*x).expect("a file can be written");
    }
    file.finalize().expect("a file can be written");
}

fn read_stereo(path: &Path) -> [Vec<f32>; 2] {
    let mut file = hound::WavReader::open(path).expect("the bounce is there");
    assert_eq!(file.spec().channels, 2);
    assert_eq!(file.spec().sample_rate as usize, RATE);
    let mut ears = [Vec::new(), Vec::new()];
    for (n, x) in file.samples::<f32>().enumerate() {
        ears[n % 2].push(x.expect("a sample"));
    }
    assert_eq!(ears[0].len(), FRAMES);
    ears
}

/// The session with its range, and the scene's files as one region on the track. Nothing in it is connected to the
/// system: Ardour counts the latency of what is (16 frames of them its own) in threads of its own, and a bounce that
/// begins before it has done so rolls from another place, where each buffer holds another value of a lane.
fn with_scene(session: &str, channels: usize) -> String {
    let end = FRAMES * TICKS;
    let to_system = "<Connection other=\"system:";
    let alone: Vec<&str> = session
        .lines()
        .filter(|line| !line.trim_start().starts_with(to_system))
        .collect();
    let session = alone.join("\n");
    assert!(!session.contains(to_system), "a line holds more than that");
    let (mut sources, mut own) = (String::new(), String::new());
    for channel in 0..channels {
        let id = 900_000 + channel;
        let _ = write!(
            sources,
            "<Source name=\"scene-{channel}.wav\" take-id=\"\" type=\"audio\" flags=\"\" id=\"{id}\" \
             natural-position=\"a0\" channel=\"0\" origin=\"\"/>"
        );
        let _ = write!(
            own,
            " source-{channel}=\"{id}\" master-source-{channel}=\"{id}\""
        );
    }
    let region = format!(
        "<Region name=\"scene\" muted=\"0\" opaque=\"1\" whole-file=\"0\" start=\"a0\" length=\"a{end}@a0\" \
         id=\"910000\" type=\"audio\" first-edit=\"nothing\" envelope-active=\"0\" fade-in-active=\"0\" \
         fade-out-active=\"0\" scale-amplitude=\"1\" channels=\"{channels}\"{own}/>"
    );
    let range = format!(
        "<Locations><Location id=\"920000\" name=\"session\" start=\"a0\" end=\"a{end}\" flags=\"IsSessionRange\" \
         locked=\"0\" position-lock-style=\"AudioTime\"/></Locations>"
    );
    let playlist = session
        .find("<Playlist ")
        .expect("the track has a playlist");
    let close = playlist + session[playlist..].find("/>").expect("an empty one");
    let (before, after) = (&session[..close], &session[close + 2..]);
    let session = format!("{before}>{region}</Playlist>{after}");
    let counter = session.find("id-counter=\"").expect("a counter") + "id-counter=\"".len();
    let digits = session[counter..].find('"').expect("a number");
    let session = format!(
        "{}999999{}",
        &session[..counter],
        &session[counter + digits..]
    );
    session
        .replacen("<Sources/>", &format!("<Sources>{sources}</Sources>"), 1)
        .replacen("<Locations/>", &range, 1)
}

/// A tone in front, of third order.
fn scene() -> Vec<Vec<f32>> {
    let gains = encode(3, 0.0, 0.0);
    let step = std::f64::consts::TAU * TONE / RATE as f64;
    gains[..CHANNELS]
        .iter()
        .map(|gain| {
            (0..FRAMES)
                .map(|n| (AMPLITUDE * gain * (step * n as f64).sin()) as f32)
                .collect()
        })
        .collect()
}

fn rms(signal: &[f32], seconds: [f64; 2]) -> f64 {
    let span = &signal[(seconds[0] * RATE as f64) as usize..(seconds[1] * RATE as f64) as usize];
    let power: f64 = span.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    (power / span.len() as f64).sqrt()
}

/// A head on a lane: it turns to the left within a second, and later is at its right within a millisecond.
const TURNS: &str = r#"
set("Space", 2)
lane("Head Yaw", { {0, 0}, {2, 0}, {3, 90}, {4, 90}, {4.001, -90}, {6, -90} }, false)
"#;

#[test]
fn ardour_a_track_of_16_channels_is_binaural_on_outputs_1_and_2() {
    let name = "ardour, 16 channels";
    let Some(ardour) = Ardour::find(name) else {
        return;
    };
    let scene = scene();
    ardour.session("ears", [1, 2], TURNS, &scene);
    let ears = ardour.bounce("ears");
    let again = ardour.bounce("ears");
    // Nothing sounds before it rolls, so nothing fades.
    assert_same(&again, &ears, 0, "two bounces");
    let [left, right] = ears;
    // In front both ears are alike; a head turned left hears it on its right.
    assert_eq!(left[RATE..RATE + 40_000], right[RATE..RATE + 40_000]);
    let front = rms(&left, [1.0, 1.9]);
    assert!(front > 0.05, "{front}");
    let (near, far) = (rms(&right, [3.2, 3.9]), rms(&left, [3.2, 3.9]));
    assert!(near > 1.3 * far && far > 0.05, "{near} {far}");
    // And at its other side the other way about.
    let (other, also) = (rms(&left, [4.2, 5.9]), rms(&right, [4.2, 5.9]));
    assert!((other / near - 1.0).abs() < 1e-3 && (also / far - 1.0).abs() < 1e-3);
    // Ardour tells a lane once a buffer: what turns there are small steps, and one large one.
    let filter = ClickFilter::new(RATE as f64).expect("a rate");
    for ear in [&left, &right] {
        let click = filter.click(&ear[RATE / 2..], AMPLITUDE);
        println!("{name}: turns and a step click at {click:.1} dB");
        assert!(click <= -80.0, "{click}");
    }
    ardour.session("others", [3, 16], TURNS, &scene);
    let others = ardour.bounce("others");
    assert!(
        others.iter().flatten().all(|x| *x == 0.0),
        "outputs 3 to 16 are not silent"
    );
}

/// The frequency of a tone near one, in hertz, from its phases half a second apart, and its amplitude.
fn tone(signal: &[f32], near: f64, from: f64) -> (f64, f64) {
    let window = RATE / 2;
    let heard = |start: usize| {
        let (mut re, mut im) = (0.0, 0.0);
        for n in 0..window {
            let angle = std::f64::consts::TAU * near * (start + n) as f64 / RATE as f64;
            let share = 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / window as f64).cos();
            let x = share * f64::from(signal[start + n]);
            re += x * angle.cos();
            im -= x * angle.sin();
        }
        (im.atan2(re), 4.0 * re.hypot(im) / window as f64)
    };
    let start = (from * RATE as f64) as usize;
    let ((before, amplitude), (after, _)) = (heard(start), heard(start + window));
    let turns = (after - before) / std::f64::consts::TAU;
    let off = (turns - turns.round()) * RATE as f64 / window as f64;
    (near + off, amplitude)
}

/// A layer under a program in space.
const SCENE: &str = r#"
set("Space", 1)
set("Layer 1 Kind", 1)
"#;

/// A lane in steps: from somewhere on, a value.
type Steps<'a> = (ControlId, &'a [(usize, f64)]);

/// Steps within buffers of any size, some at the same frame. Ardour keeps lanes in ticks, of which there are 1920 in half a
/// second: multiples of 25 frames are whole ticks. None is a multiple of 32: a step on the first frame of a buffer is heard a
/// buffer later in Ardour 7 (docs/design.md, limits).
const STEPS: [Steps<'static>; 3] = [
    (
        id::BEAT,
        &[
            (0, 10.0),
            (101_000, 6.0),
            (150_025, 14.5),
            (200_025, 8.0),
            (260_325, 4.0),
        ],
    ),
    (
        id::L1_LEVEL,
        &[
            (0, -20.0),
            (120_025, -26.0),
            (150_025, -18.0),
            (241_000, -32.0),
        ],
    ),
    (
        id::AZIMUTH,
        &[
            (0, 0.0),
            (110_000, 90.0),
            (170_025, -30.0),
            (200_025, 175.0),
            (262_150, 0.0),
        ],
    ),
];

/// The engine's own render of the steps, through the same filters.
fn reference(program: &[f32]) -> [Vec<f32>; 2] {
    let mut engine = Engine::new(RATE as f64).expect("an engine at 48 kHz");
    engine.set(id::SPACE_KIND, id::SPACE_HRTF as f64);
    engine.set(id::L1_KIND, 1.0);
    let mut events = Vec::new();
    for (control, points) in STEPS {
        engine.set(control, points[0].1);
        events.extend(points[1..].iter().map(|&(frame, value)| Event {
            frame,
            control,
            change: Change::Step(value),
        }));
    }
    events.sort_by_key(|event| event.frame);
    zeitgeber::space::bring_all(
        &mut engine,
        &zeitgeber::hrtf::Source::Default,
        zeitgeber::space::everything(3),
    )
    .expect("the embedded set");
    engine.reset();
    let (mut left, mut right) = (program.to_vec(), program.to_vec());
    let transport = Transport::Host {
        playing: true,
        song_frames: Some(0),
        tempo: None,
    };
    engine.process(&mut left, &mut right, transport, &events);
    [left, right]
}

/// A tone to be moved.
pub fn program() -> Vec<f32> {
    let step = std::f64::consts::TAU * 1000.0 / RATE as f64;
    (0..FRAMES)
        .map(|n| (0.1 * (step * n as f64).sin()) as f32)
        .collect()
}

#[track_caller]
fn assert_same(found: &[Vec<f32>; 2], wanted: &[Vec<f32>; 2], from: usize, what: &str) {
    let differ = |n: &usize| (0..2).any(|ear| found[ear][*n] != wanted[ear][*n]);
    let apart: Vec<usize> = (from..FRAMES).filter(differ).collect();
    assert!(
        apart.is_empty(),
        "{what}: {} frames differ, from {:?} to {:?}",
        apart.len(),
        apart.first(),
        apart.last()
    );
}

#[test]
fn ardour_stepped_lanes_are_bounced_as_the_engine_renders_them_whatever_the_buffer() {
    let name = "ardour, steps";
    let Some(ardour) = Ardour::find(name) else {
        return;
    };
    let mut settings = SCENE.to_owned();
    for (control, points) in STEPS {
        let points: Vec<String> = points
            .iter()
            .map(|(at, value)| format!("{{{}, {value}}}", at))
            .collect();
        let _ = writeln!(
            settings,
            "lane_at(\"{}\", {{ {} }}, true)",
            control.control().name,
            points.join(", ")
        );
    }
    let program = program();
    ardour.session(
        "steps",
        [1, 2],
        &settings,
        &[program.clone(), program.clone()],
    );
    // Ardour processes before it rolls, and as long as its buffer is; what it saves again is where the lanes are then.
    let settled = 2 * RATE;
    let before = ardour.bounce_at("steps", 1024, true);
    let first = ardour.bounce_at("steps", 1024, false);
    assert_same(&first, &before, settled, "opened and saved again");
    let wanted = reference(&program);
    assert_same(&first, &wanted, settled, "the engine's own render");
    assert!(rms(&first[0], [2.5, 3.0]) > 1.5 * rms(&first[1], [2.5, 3.0]));
    let sizes: &[usize] = if std::env::var_os("ZEITGEBER_LONG").is_some() {
        &[32, 64, 128, 512]
    } else {
        &[256]
    };
    for &size in sizes {
        let other = ardour.bounce_at("steps", size, false);
        assert_same(
            &other,
            &first,
            settled,
            &format!("a buffer of {size} frames"),
        );
    }
}

#[test]
fn ardour_a_linear_lane_is_a_beat_within_a_twentieth_of_a_hertz() {
    let name = "ardour, lines";
    let Some(ardour) = Ardour::find(name) else {
        return;
    };
    let settings = format!(
        "{SCENE}{}",
        r#"
set("Glide", 0)
lane("Beat", { {0, 10}, {1, 10}, {5, 8}, {6, 8} }, false)
lane("Azimuth", { {0, 0}, {1, 0}, {2, 90}, {6, 90} }, false)
"#
    );
    let program = program();
    ardour.session("lines", [1, 2], &settings, &[program.clone(), program]);
    let ears = ardour.bounce_at("lines", 1024, false);
    for (from, beat) in [(1.5, 9.5), (2.5, 9.0), (3.5, 8.5), (4.95, 8.0)] {
        let [left, right] =
            [(0, -0.5), (1, 0.5)].map(|(ear, side)| tone(&ears[ear], 250.0 + side * beat, from).0);
        println!(
            "{name}: {:.4} Hz where the lane has {beat} Hz",
            right - left
        );
        assert!((right - left - beat).abs() < 0.05, "{left} {right}");
    }
    // The program is at the left once it is there.
    assert!(rms(&ears[0], [4.0, 5.9]) > 1.5 * rms(&ears[1], [4.0, 5.9]));
}

/// A layer under a program in space, with lanes: steps of the beat and of the layer's level, a line of the azimuth.
const LANES: &str = r#"
set("Space", 1)
set("Layer 1 Kind", 1)
lane("Beat", { {0, 10}, {3, 6} }, true)
lane("Layer 1 Level", { {0, -20}, {3, -26} }, true)
lane("Azimuth", { {0, 0}, {1, 0}, {2, 90}, {6, 90} }, false)
"#;

#[test]
fn ardour_a_stereo_track_with_lanes_is_bounced_twice_alike() {
    let name = "ardour, stereo";
    let Some(ardour) = Ardour::find(name) else {
        return;
    };
    let program = program();
    ardour.session("stereo", [1, 2], LANES, &[program.clone(), program]);
    // Each bounce opens what was saved.
    let ears = ardour.bounce("stereo");
    let again = ardour.bounce("stereo");
    assert_same(&again, &ears, FADE, "two bounces");
    let heard = [(1.5, 10.0), (4.0, 6.0)].map(|(from, beat)| {
        let [(left, amplitude), (right, _)] =
            [(0, -0.5), (1, 0.5)].map(|(ear, side)| tone(&ears[ear], 250.0 + side * beat, from));
        println!("{name}: {left:.4} and {right:.4} Hz at a beat of {beat} Hz");
        assert!((right - left - beat).abs() < 0.05, "{left} {right}");
        amplitude
    });
    let softer = 20.0 * (heard[1] / heard[0]).log10();
    assert!((softer + 6.0).abs() < 0.05, "{softer} dB");
    // The program is at the left once it is there.
    assert!(rms(&ears[0], [4.0, 5.9]) > 1.5 * rms(&ears[1], [4.0, 5.9]));
}
