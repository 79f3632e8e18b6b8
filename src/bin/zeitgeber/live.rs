//! `zeitgeber live`: an audio device or a file in, the engine, an audio device out; arrow keys play it.

use crate::args::{self, Problem};
use crate::brought::Brought;
use crate::live_audio::{self, Input, Request, Running};
use crate::live_devices::Backend;
use crate::live_inserts::Inserts;
use crate::live_keys::{self, Screen};
use crate::live_outside::{Console, Outside, Refusals};
use crate::{live_devices, print, signals, tell_raw, warn};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use zeitgeber::control::{Desk, OSC_PORT, Ports};
use zeitgeber::engine::controls::{L1_KIND, LAYER_BINAURAL};
use zeitgeber::hrtf;
use zeitgeber::protocol::{Entry, Preset};

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
    /// What plays; none is for trying things without a sound card, and takes no --input and no --output
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
        self.refuse_devices_for_none()?;
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
        let console = Arc::new(Console::new(&settings));
        let desk = self.desk(&console);
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
            console,
            inserts,
            ports: Ports::default(),
            refusals: Refusals::default(),
        };
        let end = End {
            began: Instant::now(),
            seconds: self.seconds,
        };
        if !keys {
            print(&format!("{}\n", running.description))?;
            return wait(running, outside, &stop, &end);
        }
        print(&format!("{}\n{}\n", running.description, live_keys::HELP))?;
        let screen = Screen::enter()?;
        let running = play(running, outside, &stop, &end)?;
        drop(screen);
        farewell(&running, &end)
    }

    /// Without a device none can be chosen.
    fn refuse_devices_for_none(&self) -> Result<(), Problem> {
        let named = [("--input", &self.input), ("--output", &self.output)];
        match named.into_iter().find(|(_, device)| device.is_some()) {
            Some((option, _)) if self.backend == Backend::None => Err(Problem::new(format!(
                "--backend none opens no device, and {option} names one: leave one of the two out; \
                 a file to play is given by its name alone"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether nothing says what is to sound.
    fn asks_for_nothing(&self) -> bool {
        let inserts = [&self.brought.insert_a, &self.brought.insert_b];
        self.preset.is_none() && self.set.is_empty() && inserts.iter().all(|node| node.is_none())
    }

    /// What is listened to.
    fn desk(&self, console: &Arc<Console>) -> Arc<Desk> {
        let desk = Arc::new(Desk::default());
        desk.belong(console.hooks(|text| tell_raw(text)));
        desk.edit(|settings| {
            settings.osc = self.osc.is_some();
            settings.port = self.osc.map_or(OSC_PORT, |door| door.port);
            settings.anywhere = self.osc.is_some_and(|door| door.anywhere);
            settings.midi_port = self.midi.clone().unwrap_or_default();
        });
        desk
    }
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

/// Plays by keys.
fn play(
    mut running: Running,
    mut outside: Outside,
    stop: &AtomicBool,
    end: &End,
) -> Result<Running, Problem> {
    while !stop.load(Relaxed) && !end.has_come(&running)? {
        if let Some(error) = running.take_error() {
            return Err(error);
        }
        outside.round(&mut running);
        live_keys::status(&running, &outside.desk)?;
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
            _ => live_keys::obey(key, &outside.desk),
        }
    }
    Ok(running)
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
}
