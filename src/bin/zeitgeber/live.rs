//! `zeitgeber live`: an audio device or a file in, the engine, an audio device out; arrow keys play it.

use crate::args::{self, Problem};
use crate::brought::Brought;
use crate::live_audio::{self, Input, Request, Running};
use crate::live_devices::Backend;
use crate::live_inserts::Inserts;
use crate::{live_devices, print, signals, tell, warn};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::{cursor, execute, terminal};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use zeitgeber::analysis::to_db;
use zeitgeber::control::{Command, Desk, Hooks, OSC_PORT, Ports};
use zeitgeber::engine::controls::{BEAT, BYPASS, CARRIER, L1_KIND, LAYER_BINAURAL};
use zeitgeber::engine::{ControlId, Order, Snapshot};
use zeitgeber::hrtf;
use zeitgeber::protocol::{Entry, Library, Preset};

/// Time between two status lines.
const REFRESH: Duration = Duration::from_millis(100);

/// Play the engine live: device, file or nothing in, device out
///
/// Keys: left and right move the beat by 0.1 Hz (with shift 1 Hz), up and down the carrier by 1 Hz
/// (with shift 10 Hz), space bypasses, q quits. The line shows levels, the load (how much of its time the audio
/// thread uses at most) and how often a device came too late (under-runs) or was not heard (over-runs).
///
/// For the editor's window there is a program of its own: zeitgeber-standalone.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber live --list\n  \
    zeitgeber live music.flac --set prog_kind=shift --set beat=8\n  \
    zeitgeber live --input \"Scarlett\" --in-channels 3,4 --frames 128\n  \
    zeitgeber live --backend jack --midi \"Keystation\" --set l1_kind=binaural --set carrier_source=midi\n  \
    zeitgeber live --no-input --preset \"Calm ten\" --headless --osc\n\n\
    docs/live.md tells how the sound of the whole system goes through it.")]
pub struct Args {
    /// Play this file in place of an input device, over and over
    #[arg(value_name = "FILE", conflicts_with_all = ["input", "no_input"])]
    file: Option<PathBuf>,
    /// End with the file
    #[arg(long, requires = "file")]
    once: bool,
    /// What plays
    #[arg(long, value_enum, default_value_t = Backend::System)]
    backend: Backend,
    /// Input device, or part of its name
    #[arg(long, value_name = "NAME", conflicts_with = "no_input")]
    input: Option<String>,
    /// Output device, or part of its name
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// The channels of the input device that are the two ears, counted from 1; one for both
    #[arg(long, value_name = "LEFT[,RIGHT]", default_value = "1,2", value_parser = channels)]
    in_channels: [usize; 2],
    /// The channels of the output device that are the two ears
    #[arg(long, value_name = "LEFT,RIGHT", default_value = "1,2", value_parser = two_channels)]
    out_channels: [usize; 2],
    /// Sample rate; that of the output device where it is not given
    #[arg(long, value_name = "HZ", value_parser = args::rate, allow_hyphen_values = true)]
    rate: Option<u32>,
    /// Frames per block, for instance 64, 128 or 256; the device's choice where it is not given
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    frames: Option<u32>,
    /// List the devices, their channels and rates, and the MIDI ports, and end
    #[arg(long)]
    list: bool,
    /// Generate only: open no input device
    #[arg(long)]
    no_input: bool,
    /// A preset by name (`zeitgeber presets list`) or file; its protocol plays by itself
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,
    /// Set a parameter, over the preset's. Where nothing is set, and no preset or insert is named, layer 1 is binaural
    #[arg(long, value_name = "ID=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    brought: Brought,
    /// Listen to OSC, head trackers and opentrack at a UDP port of this machine (9000 where none is given); with 0.0.0.0:
    /// before it to other machines, too
    #[arg(long, value_name = "[ADDRESS:]PORT", num_args = 0..=1, default_missing_value = "9000", value_parser = door)]
    osc: Option<Door>,
    /// Listen to a MIDI port: its name, or part of it. Notes move the carrier where carrier_source is midi
    #[arg(long, value_name = "NAME")]
    midi: Option<String>,
    /// Play without a terminal, until told to stop
    #[arg(long)]
    headless: bool,
    /// End after this time
    #[arg(long, value_name = "LENGTH", value_parser = args::length, allow_hyphen_values = true)]
    seconds: Option<f64>,
}

/// Where OSC is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Door {
    port: u16,
    anywhere: bool,
}

/// Reads a port, alone or behind an address.
fn door(text: &str) -> Result<Door, String> {
    let wrong =
        || "write a port from 1 to 65535, alone or as 0.0.0.0:9000 for other machines".to_owned();
    let (address, port) = text.rsplit_once(':').unwrap_or(("127.0.0.1", text));
    let port = port
        .parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(wrong)?;
    let anywhere = match address {
        "127.0.0.1" | "localhost" => false,
        "0.0.0.0" => true,
        _ => return Err(wrong()),
    };
    Ok(Door { port, anywhere })
}

/// Reads channels, counted from 1.
fn channels(text: &str) -> Result<[usize; 2], String> {
    let wrong = || "write the channels of the two ears, counted from 1, for example 3,4".to_owned();
    let numbers: Vec<usize> = text
        .split(',')
        .map(|number| number.trim().parse().map_err(|_| wrong()))
        .collect::<Result<_, _>>()?;
    match numbers[..] {
        [one @ 1..=1024] => Ok([one - 1; 2]),
        [left @ 1..=1024, right @ 1..=1024] => Ok([left - 1, right - 1]),
        _ => Err(wrong()),
    }
}

/// Reads two channels that differ: what goes out to one alone would lack an ear.
fn two_channels(text: &str) -> Result<[usize; 2], String> {
    match channels(text)? {
        [left, right] if left == right => {
            Err("the two ears need a channel each; write for example 3,4".to_owned())
        }
        ears => Ok(ears),
    }
}

/// When it ends by itself.
struct End {
    began: Instant,
    seconds: Option<f64>,
}

impl End {
    /// Whether it has come: by its time, or with the file.
    fn has_come(&self, running: &Running) -> Result<bool, Problem> {
        let late = self.began.elapsed().as_secs_f64();
        Ok(self.seconds.is_some_and(|seconds| late >= seconds) || running.file_ended()?)
    }
}

/// What is said at the end, after the sound has faded.
fn farewell(running: &Running, end: &End) -> Result<(), Problem> {
    running.fade_out();
    let (missed, lost) = running.dropouts();
    let (_, most) = running.load();
    print(&format!(
        "played {:.1} s, load at most {:.0} %, under-runs {missed}, over-runs {lost}\n",
        end.began.elapsed().as_secs_f64(),
        100.0 * most
    ))
}

impl Args {
    /// Plays until q, Ctrl-C, or a device fails.
    pub fn run(self) -> Result<(), Problem> {
        if self.list {
            return print(&live_devices::list(self.backend)?);
        }
        let entry = self
            .preset
            .as_deref()
            .map(|name| args::preset("--preset", name))
            .transpose()?;
        let preset = entry.as_ref().map(|entry| &entry.preset);
        for warning in preset.into_iter().flat_map(|preset| preset.warnings()) {
            warn(warning);
        }
        let mut settings = preset.map_or_else(Vec::new, Preset::all_settings);
        if self.asks_for_nothing() {
            settings.push((L1_KIND, LAYER_BINAURAL as f64));
        }
        settings.extend(args::settings(&self.set)?);
        let asked_hrtf = entry.as_ref().and_then(Entry::hrtf_path);
        let hrtf = self.brought.hrtf.as_ref().or(asked_hrtf.as_ref());
        // What is wrong with the file is said before anything is opened.
        if let Some(file) = hrtf {
            hrtf::sofa::read(file)?;
        }
        let Brought {
            insert_a, insert_b, ..
        } = &self.brought;
        let mut inserts = Inserts::open([insert_a, insert_b])?;
        let keys = !self.headless;
        if keys && (!io::stdin().is_terminal() || !io::stdout().is_terminal()) {
            return Err(Problem::new("live is played by keys: run it in a terminal"));
        }
        let stop = signals::stop_flag()?;
        let desk = self.desk(&settings);
        let input = match &self.file {
            Some(path) => Input::File {
                path,
                once: self.once,
            },
            None if self.no_input || self.backend == Backend::None => Input::Silence,
            None => Input::Device(self.input.as_deref()),
        };
        let running = live_audio::start(&mut Request {
            backend: self.backend,
            input,
            output: self.output.as_deref(),
            in_channels: self.in_channels,
            out_channels: self.out_channels,
            rate: self.rate,
            frames: self.frames,
            settings: &settings,
            protocol: preset.and_then(Preset::protocol),
            hrtf: hrtf.map(PathBuf::as_path),
            midi: self.midi.as_deref(),
            inserts: &mut inserts,
            desk: &desk,
        })?;
        let outside = Outside {
            desk,
            inserts,
            ports: Ports::default(),
        };
        let end = End {
            began: Instant::now(),
            seconds: self.seconds,
        };
        if !keys {
            print(&format!("{}\n", running.description))?;
            return wait(running, outside, &stop, &end);
        }
        print(&format!(
            "{}\nleft/right: beat  up/down: carrier  shift: larger steps  space: bypass  q: quit\n",
            running.description
        ))?;
        let screen = Screen::enter()?;
        let running = play(running, outside, &settings, &stop, &end)?;
        drop(screen);
        farewell(&running, &end)
    }

    /// Whether nothing says what is to sound.
    fn asks_for_nothing(&self) -> bool {
        let inserts = [&self.brought.insert_a, &self.brought.insert_b];
        self.preset.is_none() && self.set.is_empty() && inserts.iter().all(|node| node.is_none())
    }

    /// What is listened to.
    fn desk(&self, settings: &[(ControlId, f64)]) -> Arc<Desk> {
        let desk = Arc::new(Desk::default());
        let settings = settings.to_vec();
        desk.belong(Hooks {
            host: Box::new(move |id| {
                let set = settings.iter().rev().find(|(set, _)| *set == id);
                set.map_or(id.control().default_value(), |(_, value)| *value)
            }),
            say: Box::new(|text| tell(format_args!("{text}\r"))),
            // It looks often enough by itself.
            wake: Box::new(|| ()),
        });
        desk.edit(|settings| {
            settings.osc = self.osc.is_some();
            settings.port = self.osc.map_or(OSC_PORT, |door| door.port);
            settings.anywhere = self.osc.is_some_and(|door| door.anywhere);
            settings.midi_port = self.midi.clone().unwrap_or_default();
        });
        desk
    }
}

/// What speaks to the engine from outside.
struct Outside {
    desk: Arc<Desk>,
    inserts: Inserts,
    ports: Ports,
}

impl Outside {
    /// Opens what is to be opened, and does what is asked for.
    fn round(&mut self, running: &mut Running) {
        self.ports.sync(&self.desk);
        self.desk.round();
        for said in self.inserts.round(&self.desk) {
            eprintln!("zeitgeber: {said}\r");
        }
        for command in self.desk.take_commands() {
            match command {
                Command::Play(play) => running.order(Order::Play(play)),
                Command::Seek(seconds) => running.order(Order::Seek(seconds)),
                Command::Preset(name) => {
                    if let Err(problem) = load(running, &name) {
                        tell(format_args!("{problem}\r"));
                    }
                }
                // These never leave the desk.
                Command::Set(..) | Command::Node { .. } | Command::Recenter | Command::LetGo => {}
            }
        }
    }
}

/// Puts a preset in force.
fn load(running: &mut Running, name: &str) -> Result<(), Problem> {
    // By name only: who speaks from outside opens no files.
    let entry = Library::new().find(name)?;
    let settings = entry.preset.all_settings();
    let timeline = match entry.preset.protocol() {
        Some(protocol) => Some(Arc::new(protocol.timeline(&settings, running.rate)?)),
        None => None,
    };
    running.order(Order::Snapshot(Box::new(Snapshot {
        settings,
        timeline,
        ..Snapshot::default()
    })));
    running.order(Order::Play(true));
    Ok(())
}

/// Plays without keys.
fn wait(
    mut running: Running,
    mut outside: Outside,
    stop: &AtomicBool,
    end: &End,
) -> Result<(), Problem> {
    while !stop.load(Relaxed) && !end.has_come(&running)? {
        if let Some(error) = running.take_error() {
            return Err(error);
        }
        outside.round(&mut running);
        std::thread::sleep(REFRESH);
    }
    farewell(&running, end)
}

/// The terminal in raw mode; whichever way this ends, it is as it was before.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Screen> {
        terminal::enable_raw_mode()?;
        let screen = Screen;
        execute!(io::stdout(), cursor::Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nothing left to try where this fails.
        let _ = terminal::disable_raw_mode();
        let _ = execute!(io::stdout(), cursor::Show);
        let _ = writeln!(io::stdout());
    }
}

/// What the keys move.
struct Knobs {
    beat: f64,
    carrier: f64,
    bypass: bool,
}

impl Knobs {
    fn new(settings: &[(ControlId, f64)]) -> Knobs {
        let value = |id: ControlId| {
            let set = settings.iter().rev().find(|(set, _)| *set == id);
            set.map_or(id.control().default_value(), |(_, value)| *value)
        };
        Knobs {
            beat: value(BEAT),
            carrier: value(CARRIER),
            bypass: value(BYPASS) >= 0.5,
        }
    }

    /// What a key changes; `None` for keys that do nothing.
    fn press(&mut self, key: KeyEvent) -> Option<(ControlId, f64)> {
        let step = if key.modifiers.contains(KeyModifiers::SHIFT) {
            10.0
        } else {
            1.0
        };
        let moved = |id: ControlId, value: f64| id.control().snap(value);
        match key.code {
            KeyCode::Left | KeyCode::Right => {
                let sign = if key.code == KeyCode::Right {
                    0.1
                } else {
                    -0.1
                };
                self.beat = moved(BEAT, self.beat + sign * step);
                Some((BEAT, self.beat))
            }
            KeyCode::Up | KeyCode::Down => {
                let sign = if key.code == KeyCode::Up { 1.0 } else { -1.0 };
                self.carrier = moved(CARRIER, self.carrier + sign * step);
                Some((CARRIER, self.carrier))
            }
            KeyCode::Char(' ') => {
                self.bypass = !self.bypass;
                Some((BYPASS, f64::from(self.bypass)))
            }
            _ => None,
        }
    }
}

fn play(
    mut running: Running,
    mut outside: Outside,
    settings: &[(ControlId, f64)],
    stop: &AtomicBool,
    end: &End,
) -> Result<Running, Problem> {
    let mut knobs = Knobs::new(settings);
    while !stop.load(Relaxed) && !end.has_come(&running)? {
        if let Some(error) = running.take_error() {
            return Err(error);
        }
        outside.round(&mut running);
        status(&running, &knobs)?;
        if !event::poll(REFRESH)? {
            continue;
        }
        let Event::Key(key) = event::read()? else {
            continue;
        };
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            _ if key.kind == KeyEventKind::Release => {}
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => break,
            // Raw mode hands over what would have been a signal.
            KeyCode::Char('c') if control => break,
            _ => {
                if let Some((id, value)) = knobs.press(key) {
                    running.send(id, value);
                }
            }
        }
    }
    Ok(running)
}

/// The line that is written over and over.
fn status(running: &Running, knobs: &Knobs) -> io::Result<()> {
    let telemetry = &running.telemetry;
    let peak = |peak: f32| {
        let db = to_db(f64::from(peak));
        if db > -99.95 {
            format!("{db:5.1}")
        } else {
            "  -- ".to_owned()
        }
    };
    let [in_left, in_right] = telemetry.take_input_peaks().map(peak);
    let [out_left, out_right] = telemetry.take_output_peaks().map(peak);
    let (missed, lost) = running.dropouts();
    let (load, _) = running.load();
    let line = format!(
        "{}beat {} (now {:.3})  carrier {} (now {:.3})  in {in_left} {in_right}  \
         out {out_left} {out_right} dBFS  load {:.0} %  under-runs {missed}  over-runs {lost}",
        if knobs.bypass { "BYPASS  " } else { "" },
        BEAT.control().format(knobs.beat),
        telemetry.beat(),
        CARRIER.control().format(knobs.carrier),
        telemetry.carrier(),
        100.0 * load,
    );
    // A line that is broken in two could not be written over.
    let columns = terminal::size().map_or(usize::MAX, |(columns, _)| columns.into());
    let line: String = line.chars().take(columns.saturating_sub(1)).collect();
    let mut out = io::stdout();
    write!(out, "\r{line}")?;
    execute!(out, terminal::Clear(terminal::ClearType::UntilNewLine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_counted_from_one() {
        assert_eq!(channels("1,2"), Ok([0, 1]));
        assert_eq!(channels("3, 4"), Ok([2, 3]));
        assert_eq!(channels("2"), Ok([1, 1]));
        for text in ["", "0", "1,0", "1,2,3", "left", "-1", "9999"] {
            assert!(channels(text).is_err(), "{text}");
        }
        assert_eq!(two_channels("4,3"), Ok([3, 2]));
        for text in ["3", "3,3", "2, 2"] {
            assert!(two_channels(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_layer_is_added_only_where_nothing_is_asked_for() {
        #[derive(clap::Parser)]
        struct Live {
            #[command(flatten)]
            args: Args,
        }
        let nothing = |words: &[&str]| {
            let words = ["live"].iter().chain(words);
            let live: Live = clap::Parser::try_parse_from(words).unwrap();
            live.args.asks_for_nothing()
        };
        assert!(nothing(&[]));
        assert!(nothing(&["music.flac", "--frames", "128"]));
        assert!(!nothing(&["--set", "prog_kind=shift"]));
        assert!(!nothing(&["--preset", "Calm ten"]));
        assert!(!nothing(&["--insert-a", "gate"]));
        assert!(!nothing(&["--insert-b", "gate"]));
    }

    #[test]
    fn keys_move_beat_carrier_and_bypass_within_their_ranges() {
        let mut knobs = Knobs::new(&[(BEAT, 99.95)]);
        let mut press = |code, modifiers| knobs.press(KeyEvent::new(code, modifiers));
        let (plain, shift) = (KeyModifiers::NONE, KeyModifiers::SHIFT);
        assert_eq!(press(KeyCode::Right, plain), Some((BEAT, 100.0)));
        assert_eq!(press(KeyCode::Left, plain), Some((BEAT, 99.9)));
        assert_eq!(press(KeyCode::Left, shift), Some((BEAT, 98.9)));
        assert_eq!(press(KeyCode::Up, plain), Some((CARRIER, 251.0)));
        assert_eq!(press(KeyCode::Down, shift), Some((CARRIER, 241.0)));
        assert_eq!(press(KeyCode::Char(' '), plain), Some((BYPASS, 1.0)));
        assert_eq!(press(KeyCode::Char(' '), plain), Some((BYPASS, 0.0)));
        assert_eq!(press(KeyCode::Char('x'), plain), None);
    }
}
