//! `zeitgeber live`: an audio device in, the engine, an audio device out; arrow keys play it.

use crate::args::{self, Problem};
use crate::live_audio::{self, Request, Running};
use crate::{live_devices, node, print, signals};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::{cursor, execute, terminal};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use zeitgeber::analysis::to_db;
use zeitgeber::control::{Command, Desk, Hooks, OSC_PORT, Ports};
use zeitgeber::engine::controls::{BEAT, BYPASS, CARRIER, L1_KIND, LAYER_BINAURAL};
use zeitgeber::engine::{ControlId, Order, Snapshot};
use zeitgeber::hrtf;
use zeitgeber::protocol::{Entry, Library, Preset};

/// Time between two status lines.
const REFRESH: Duration = Duration::from_millis(100);

/// Play the engine live: device in, device out
///
/// Keys: left and right move the beat by 0.1 Hz (with shift 1 Hz), up and down the carrier by 1 Hz
/// (with shift 10 Hz), space bypasses, q quits.
#[derive(clap::Args)]
pub struct Args {
    /// Input device, or part of its name
    #[arg(long, value_name = "NAME", conflicts_with = "no_input")]
    input: Option<String>,
    /// Output device, or part of its name
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// Sample rate; that of the output device where it is not given
    #[arg(long, value_name = "HZ", value_parser = args::rate, allow_hyphen_values = true)]
    rate: Option<u32>,
    /// Frames per block; the device's choice where it is not given
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    frames: Option<u32>,
    /// List the devices and end
    #[arg(long)]
    list: bool,
    /// Generate only: open no input device
    #[arg(long)]
    no_input: bool,
    /// A preset by name (`zeitgeber presets list`) or file; its protocol plays by itself
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,
    /// Set a parameter, over the preset's; without a preset and an l1_kind, layer 1 is binaural
    #[arg(long, value_name = "ID=VALUE")]
    set: Vec<String>,
    /// The SOFA file whose head-related filters space renders with, in place of the embedded set
    #[arg(long, value_name = "FILE.sofa")]
    hrtf: Option<PathBuf>,
    /// The node of insert A, in the incoming audio before space: a built-in one by name, a .dsp or .cpp file, or a
    /// library; its first parameters are a_1 to a_4, from 0 to 1
    #[arg(long, value_name = "NODE|FILE")]
    insert_a: Option<String>,
    /// The node of insert B, in everything before the ceiling
    #[arg(long, value_name = "NODE|FILE")]
    insert_b: Option<String>,
    /// Listen to OSC, head trackers and opentrack at a UDP port of this machine (9000 where none is given)
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "9000",
        value_parser = clap::value_parser!(u16).range(1..))]
    osc: Option<u16>,
    /// Listen to a MIDI port: its name, or part of it
    #[arg(long, value_name = "NAME")]
    midi: Option<String>,
    /// Play without a terminal, until told to stop
    #[arg(long)]
    headless: bool,
}

impl Args {
    /// Plays until q, Ctrl-C, or a device fails.
    pub fn run(self) -> Result<(), Problem> {
        if self.list {
            return print(&live_devices::list()?);
        }
        let entry = self.preset.as_deref().map(args::preset).transpose()?;
        let preset = entry.as_ref().map(|entry| &entry.preset);
        for warning in preset.into_iter().flat_map(|preset| preset.warnings()) {
            eprintln!("zeitgeber: warning: {warning}");
        }
        let mut settings = preset.map_or_else(
            || vec![(L1_KIND, LAYER_BINAURAL as f64)],
            Preset::all_settings,
        );
        settings.extend(args::settings(&self.set)?);
        let asked_hrtf = entry.as_ref().and_then(Entry::hrtf_path);
        let hrtf = self.hrtf.as_ref().or(asked_hrtf.as_ref());
        // What is wrong with the file is said before anything is opened.
        if let Some(file) = hrtf {
            hrtf::sofa::read(file)?;
        }
        let [insert_a, insert_b] = [&self.insert_a, &self.insert_b]
            .map(|insert| insert.as_deref().map(node::for_insert).transpose());
        let inserts = [insert_a?, insert_b?];
        let keys = !self.headless;
        if keys && (!io::stdin().is_terminal() || !io::stdout().is_terminal()) {
            return Err(Problem::new("live is played by keys: run it in a terminal"));
        }
        let stop = signals::stop_flag()?;
        let desk = self.desk(&settings);
        let running = live_audio::start(&Request {
            input: self.input.as_deref(),
            output: self.output.as_deref(),
            no_input: self.no_input,
            rate: self.rate,
            frames: self.frames,
            settings: &settings,
            protocol: preset.and_then(Preset::protocol),
            hrtf: hrtf.map(PathBuf::as_path),
            inserts: &inserts,
            desk: &desk,
        })?;
        let outside = Outside {
            desk,
            ports: Ports::default(),
        };
        if !keys {
            print(&format!("{}\n", running.description))?;
            return wait(running, outside, &stop);
        }
        print(&format!(
            "{}\nleft/right: beat  up/down: carrier  shift: larger steps  space: bypass  q: quit\n",
            running.description
        ))?;
        let _screen = Screen::enter()?;
        play(running, outside, &settings, &stop)
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
            say: Box::new(|text| eprintln!("zeitgeber: {text}\r")),
            // It looks often enough by itself.
            wake: Box::new(|| ()),
        });
        desk.edit(|settings| {
            settings.osc = self.osc.is_some();
            settings.port = self.osc.unwrap_or(OSC_PORT);
            settings.midi_port = self.midi.clone().unwrap_or_default();
        });
        desk
    }
}

/// What speaks to the engine from outside.
struct Outside {
    desk: Arc<Desk>,
    ports: Ports,
}

impl Outside {
    /// Opens what is to be opened, and does what is asked for.
    fn round(&mut self, running: &mut Running) {
        self.ports.sync(&self.desk);
        self.desk.round();
        for command in self.desk.take_commands() {
            match command {
                Command::Play(play) => running.order(Order::Play(play)),
                Command::Seek(seconds) => running.order(Order::Seek(seconds)),
                Command::Preset(name) => {
                    if let Err(problem) = load(running, &name) {
                        eprintln!("zeitgeber: {problem}\r");
                    }
                }
                // These never leave the desk.
                Command::Set(..) | Command::Node { .. } | Command::Recenter => {}
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
    running.order(Order::Snapshot(Box::new(Snapshot { settings, timeline })));
    running.order(Order::Play(true));
    Ok(())
}

/// Plays without keys.
fn wait(mut running: Running, mut outside: Outside, stop: &AtomicBool) -> Result<(), Problem> {
    while !stop.load(Relaxed) {
        if let Some(error) = running.take_error() {
            return Err(error);
        }
        outside.round(&mut running);
        std::thread::sleep(REFRESH);
    }
    Ok(())
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
        println!();
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
) -> Result<(), Problem> {
    let mut knobs = Knobs::new(settings);
    while !stop.load(Relaxed) {
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
    Ok(())
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
    let mut out = io::stdout();
    write!(
        out,
        "\rbeat {} (now {:.3})  carrier {} (now {:.3})  in {in_left} {in_right}  \
         out {out_left} {out_right} dBFS  under-runs {missed}  over-runs {lost}{}",
        BEAT.control().format(knobs.beat),
        telemetry.beat(),
        CARRIER.control().format(knobs.carrier),
        telemetry.carrier(),
        if knobs.bypass { "  BYPASS" } else { "" },
    )?;
    execute!(out, terminal::Clear(terminal::ClearType::UntilNewLine))
}

#[cfg(test)]
mod tests {
    use super::*;

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
