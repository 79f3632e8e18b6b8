//! The keys of `zeitgeber live`, and the line that shows what they have done. What they move starts from what is in force,
//! whoever has brought it there.

use crate::live_audio::Running;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use crossterm::{cursor, execute, terminal};
use std::io::{self, Write};
use zeitgeber::analysis::to_db;
use zeitgeber::control::Desk;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{BEAT, BYPASS, CARRIER};

/// What they do.
pub const HELP: &str =
    "left/right: beat  up/down: carrier  shift: larger steps  space: bypass  q: quit";

/// The terminal in raw mode; whichever way this ends, it is as it was before.
pub struct Screen;

impl Screen {
    /// From now on.
    pub fn enter() -> io::Result<Screen> {
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

/// What a key makes of what is in force: a control and its value; `None` for keys that do nothing.
fn press(key: KeyEvent, in_force: impl Fn(ControlId) -> f64) -> Option<(ControlId, f64)> {
    let (control, step) = match key.code {
        KeyCode::Left => (BEAT, -0.1),
        KeyCode::Right => (BEAT, 0.1),
        KeyCode::Down => (CARRIER, -1.0),
        KeyCode::Up => (CARRIER, 1.0),
        KeyCode::Char(' ') => {
            let sounds = in_force(BYPASS) < 0.5;
            return Some((BYPASS, f64::from(u8::from(sounds))));
        }
        _ => return None,
    };
    let large = key.modifiers.contains(KeyModifiers::SHIFT);
    let step = if large { 10.0 * step } else { step };
    Some((control, control.control().snap(in_force(control) + step)))
}

/// Does what a key says, as anybody else who speaks to the engine.
pub fn obey(key: KeyEvent, desk: &Desk) {
    if let Some((control, value)) = press(key, |id| desk.in_force(id)) {
        desk.hold(control, value);
    }
}

/// A part of the line, and how much it matters: the higher, the longer it stays where there is no room.
type Part = (u8, String);

/// What the line says of the three that keys move.
fn knobs(in_force: impl Fn(ControlId) -> f64, beat: f64, carrier: f64) -> Vec<Part> {
    let format = |id: ControlId| id.control().format(in_force(id));
    let mut parts = Vec::new();
    if in_force(BYPASS) >= 0.5 {
        parts.push((10, "BYPASS".to_owned()));
    }
    parts.push((9, format!("beat {}", format(BEAT))));
    parts.push((3, format!("(now {beat:.3})")));
    parts.push((8, format!("carrier {}", format(CARRIER))));
    parts.push((2, format!("(now {carrier:.3})")));
    parts
}

/// A line of so many columns, of what matters most, in the order of the parts.
fn fit(parts: &[Part], columns: usize) -> String {
    let line = |least: u8| {
        let mut line = String::new();
        for (_, part) in parts.iter().filter(|(matters, _)| *matters >= least) {
            if !line.is_empty() {
                // What stands in brackets belongs to what is before it.
                line.push_str(if part.starts_with('(') { " " } else { "  " });
            }
            line.push_str(part);
        }
        line
    };
    let mut levels: Vec<u8> = parts.iter().map(|(matters, _)| *matters).collect();
    levels.sort_unstable();
    let fitting = levels.iter().map(|least| line(*least));
    let most = |line: &String| line.chars().count() <= columns;
    let short = || line(levels.last().copied().unwrap_or(0));
    let shown = fitting.into_iter().find(most).unwrap_or_else(short);
    shown.chars().take(columns).collect()
}

/// The line that is written over and over.
pub fn status(running: &Running, desk: &Desk) -> io::Result<()> {
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
    let mut parts = knobs(
        |id| desk.in_force(id),
        telemetry.beat(),
        telemetry.carrier(),
    );
    let dropouts = |count: u64, matters: u8| if count > 0 { 7 } else { matters };
    parts.extend([
        (4, format!("in {in_left} {in_right}")),
        (6, format!("out {out_left} {out_right} dBFS")),
        (5, format!("load {:.0} %", 100.0 * load)),
        (dropouts(missed, 1), format!("under-runs {missed}")),
        (dropouts(lost, 0), format!("over-runs {lost}")),
    ]);
    // A line that is broken in two could not be written over. A terminal that does not know has columns without end.
    let columns = terminal::size().map_or(0, |(columns, _)| usize::from(columns));
    let columns = columns.checked_sub(1).unwrap_or(usize::MAX);
    let line = fit(&parts, columns);
    let mut out = io::stdout();
    write!(out, "\r{line}")?;
    execute!(out, terminal::Clear(terminal::ClearType::UntilNewLine))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live_outside::Console;
    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use zeitgeber::control::Ports;
    use zeitgeber::control::osc::{Arg, Message};
    use zeitgeber::engine::{Engine, Transport};

    #[test]
    fn keys_move_beat_carrier_and_bypass_within_their_ranges() {
        let at = |beat: f64, bypass: f64| {
            move |id| match id {
                BEAT => beat,
                BYPASS => bypass,
                id => id.control().default_value(),
            }
        };
        let press = |code, modifiers, at: &dyn Fn(ControlId) -> f64| {
            super::press(KeyEvent::new(code, modifiers), at)
        };
        let (plain, shift) = (KeyModifiers::NONE, KeyModifiers::SHIFT);
        let high = at(99.95, 0.0);
        assert_eq!(press(KeyCode::Right, plain, &high), Some((BEAT, 100.0)));
        let top = at(100.0, 0.0);
        assert_eq!(press(KeyCode::Left, plain, &top), Some((BEAT, 99.9)));
        assert_eq!(press(KeyCode::Left, shift, &top), Some((BEAT, 99.0)));
        assert_eq!(press(KeyCode::Up, plain, &top), Some((CARRIER, 251.0)));
        assert_eq!(press(KeyCode::Down, shift, &top), Some((CARRIER, 240.0)));
        assert_eq!(press(KeyCode::Char(' '), plain, &top), Some((BYPASS, 1.0)));
        let bypassed = at(10.0, 1.0);
        assert_eq!(
            press(KeyCode::Char(' '), plain, &bypassed),
            Some((BYPASS, 0.0))
        );
        assert_eq!(press(KeyCode::Char('x'), plain, &top), None);
    }

    #[test]
    fn the_line_leaves_out_what_matters_least() {
        let parts = |missed: u64| -> Vec<Part> {
            let mut parts = knobs(|id| id.control().default_value(), 10.0, 250.0);
            parts.push((4, "in -12.0 -12.0".to_owned()));
            parts.push((6, "out -10.0 -10.0 dBFS".to_owned()));
            parts.push((5, "load 3 %".to_owned()));
            parts.push((
                if missed > 0 { 7 } else { 1 },
                format!("under-runs {missed}"),
            ));
            parts.push((0, "over-runs 0".to_owned()));
            parts
        };
        let whole = "beat 10 Hz (now 10.000)  carrier 250 Hz (now 250.000)  in -12.0 -12.0  \
                     out -10.0 -10.0 dBFS  load 3 %  under-runs 0  over-runs 0";
        assert_eq!(fit(&parts(0), 200), whole);
        assert_eq!(fit(&parts(0), usize::MAX), whole);
        for (columns, missed, line) in [
            (
                127,
                0,
                "beat 10 Hz (now 10.000)  carrier 250 Hz (now 250.000)  in -12.0 -12.0  out -10.0 -10.0 dBFS  load 3 %  under-runs 0",
            ),
            (
                79,
                0,
                "beat 10 Hz  carrier 250 Hz  in -12.0 -12.0  out -10.0 -10.0 dBFS  load 3 %",
            ),
            (
                79,
                5,
                "beat 10 Hz  carrier 250 Hz  out -10.0 -10.0 dBFS  load 3 %  under-runs 5",
            ),
            (50, 5, "beat 10 Hz  carrier 250 Hz  under-runs 5"),
            (40, 0, "beat 10 Hz  carrier 250 Hz"),
            (25, 0, "beat 10 Hz"),
            (6, 0, "beat 1"),
            (0, 0, ""),
        ] {
            let found = fit(&parts(missed), columns);
            assert_eq!(found, line, "{columns} columns");
            assert!(found.chars().count() <= columns);
        }
    }

    #[test]
    fn keys_and_the_line_start_from_what_osc_has_set_and_osc_from_what_keys_have() {
        let console = Arc::new(Console::new(&[(BEAT, 10.0), (BYPASS, 1.0)]));
        let desk = Arc::new(Desk::default());
        desk.belong(console.hooks(|_| ()));
        let mut engine = Engine::new(8000.0).unwrap();
        engine.set(BEAT, 10.0);
        engine.set(BYPASS, 1.0);
        desk.attach(&mut engine);
        let mut play = || {
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            engine.process(&mut left, &mut right, Transport::Absent, &[]);
            desk.round();
            (engine.get(BEAT), engine.get(BYPASS))
        };
        let line = || fit(&knobs(|id| desk.in_force(id), 0.0, 0.0), usize::MAX);
        assert!(line().starts_with("BYPASS  beat 10"), "{}", line());
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        desk.edit(|settings| (settings.osc, settings.port) = (true, port));
        let mut ports = Ports::default();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut say = |address: &str, value: f64| {
            let packet = Message {
                address: address.to_owned(),
                args: vec![Arg::Number(value)],
            };
            let before = desk.status().understood;
            let begun = Instant::now();
            while desk.status().understood == before {
                assert!(begun.elapsed() < Duration::from_secs(20), "{address}");
                ports.sync(&desk);
                // Where the port is not open yet it is lost.
                let _ = socket.send_to(&packet.encode().unwrap(), ("127.0.0.1", port));
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        say("/zeitgeber/beat", 4.0);
        say("/zeitgeber/bypass", 0.0);
        assert!(line().starts_with("beat 4"), "{}", line());
        let right = KeyEvent::new(KeyCode::Right, KeyModifiers::NONE);
        let space = KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE);
        obey(right, &desk);
        obey(right, &desk);
        obey(space, &desk);
        assert!(line().starts_with("BYPASS  beat 4.2"), "{}", line());
        assert_eq!(play(), (4.2, 1.0));
        assert_eq!(play(), (4.2, 1.0));
        // Back to where it began, which is no echo of anybody's.
        say("/zeitgeber/beat", 10.0);
        assert!(line().starts_with("BYPASS  beat 10"), "{}", line());
        obey(right, &desk);
        assert_eq!(play(), (10.1, 1.0));
    }
}
