//! `zeitgeber osc`: what arrives at a port, and how it is understood.

use crate::args::Problem;
use crate::{print, signals};
use clap::{Subcommand, ValueEnum};
use std::fmt::Write;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use zeitgeber::control::osc::{self, Arg, Message};
use zeitgeber::control::{Command, OSC_PORT, QuaternionOrder, Source, Tracker, route};
use zeitgeber::dsp::quaternion::Quat;

/// How often it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// Look at OSC and head trackers
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber osc monitor\n  \
    zeitgeber osc monitor --port 9100 --anywhere --count 10\n\n\
    docs/control.md has the addresses.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print what arrives at a port and how it is understood, until Ctrl-C
    Monitor {
        /// The UDP port
        #[arg(long, default_value_t = OSC_PORT, value_parser = clap::value_parser!(u16).range(1..))]
        port: u16,
        /// Listen to other machines, too
        #[arg(long)]
        anywhere: bool,
        /// The order of /quaternion
        #[arg(long, value_enum, default_value_t = Order::Wxyz)]
        order: Order,
        /// End after so many packets
        #[arg(long, value_name = "N")]
        count: Option<u64>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    Wxyz,
    Xyzw,
}

impl Args {
    /// Prints until it is told to stop.
    pub fn run(self) -> Result<(), Problem> {
        let Action::Monitor {
            port,
            anywhere,
            order,
            count,
        } = self.action;
        let address = if anywhere {
            Ipv4Addr::UNSPECIFIED
        } else {
            Ipv4Addr::LOCALHOST
        };
        let socket = UdpSocket::bind((address, port)).map_err(|error| {
            let why = if error.kind() == ErrorKind::AddrInUse {
                "another program has it".to_owned()
            } else {
                error.to_string()
            };
            Problem::new(format!("the UDP port {port} cannot be opened: {why}"))
        })?;
        socket.set_read_timeout(Some(LOOK))?;
        let stop = signals::stop_flag()?;
        let mut tracker = Tracker::default();
        tracker.order = match order {
            Order::Wxyz => QuaternionOrder::Wxyz,
            Order::Xyzw => QuaternionOrder::Xyzw,
        };
        print(&format!("listening at {address}:{port}\n"))?;
        let mut buffer = vec![0; osc::LONGEST];
        let mut packets = 0;
        while !stop.load(Relaxed) && count != Some(packets) {
            match socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    packets += 1;
                    print(&describe(&mut tracker, &buffer[..length], from))?;
                }
                Err(error)
                    if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A line for each message of a packet.
fn describe(tracker: &mut Tracker, bytes: &[u8], from: SocketAddr) -> String {
    let Ok(messages) = osc::decode(bytes) else {
        let said = match tracker.opentrack(bytes) {
            Some(pose) => format!("opentrack -> {}", head(pose)),
            None => "malformed: dropped and counted".to_owned(),
        };
        return format!("{from}  {} bytes  {said}\n", bytes.len());
    };
    let mut text = String::new();
    for message in messages {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "{from}  {}  -> {}",
            said(&message),
            understood(tracker, &message)
        );
    }
    if text.is_empty() {
        return format!("{from}  an empty bundle\n");
    }
    text
}

/// What was sent; control characters of a stranger do not reach the terminal.
fn said(message: &Message) -> String {
    let mut text = message.address.clone();
    for arg in &message.args {
        text.push(' ');
        match arg {
            Arg::Number(number) => text.push_str(&format!("{}", *number as f32)),
            Arg::Text(word) => text.push_str(&format!("{word:?}")),
            Arg::Other => text.push('?'),
        }
    }
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn understood(tracker: &mut Tracker, message: &Message) -> String {
    let routed = match route(message) {
        None => {
            return tracker
                .osc(message)
                .map_or_else(|| "not understood".to_owned(), head);
        }
        Some(Err(why)) => return format!("refused: {why}"),
        Some(Ok(routed)) => routed,
    };
    let what = match routed.command {
        Command::Set(control, value) => {
            let control = control.control();
            format!("{} = {}", control.id, control.format(value))
        }
        Command::Preset(name) => format!("preset {name:?}"),
        Command::Play(true) => "protocol plays".to_owned(),
        Command::Play(false) => "protocol waits".to_owned(),
        Command::Seek(seconds) => format!("protocol at {seconds} s"),
        Command::Node { node, param, value } => format!("node {node}, {param} = {value}"),
        Command::Recenter => "the head is recentred".to_owned(),
        Command::LetGo => "a button is let go".to_owned(),
    };
    match routed.instance {
        Some(name) => format!("{what} (instance {name:?})"),
        None => what,
    }
}

fn head((source, pose): (Source, Quat)) -> String {
    let [yaw, pitch, roll] = pose.turns();
    format!(
        "head yaw {yaw:.1} pitch {pitch:.1} roll {roll:.1} deg ({})",
        source.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_explained() {
        let mut tracker = Tracker::default();
        let from: SocketAddr = "127.0.0.1:5000".parse().unwrap();
        let mut explain = |bytes: &[u8]| describe(&mut tracker, bytes, from);
        let message = |address: &str, args: &[Arg]| {
            let message = Message {
                address: address.to_owned(),
                args: args.to_vec(),
            };
            message.encode().unwrap()
        };
        let numbers = [90.0, 0.0, 0.0].map(Arg::Number);
        let text = explain(&message("/SceneRotator/ypr", &numbers));
        assert!(text.contains("head yaw -90.0"), "{text}");
        let text = explain(&message("/zeitgeber/beat", &[Arg::Number(6.0)]));
        assert!(text.contains("beat = 6 Hz"), "{text}");
        let text = explain(&message("/zeitgeber/beet", &[Arg::Number(6.0)]));
        assert!(text.contains("refused") && text.contains("beat"), "{text}");
        assert!(explain(b"nonsense").contains("malformed"));
        assert!(explain(&[0; 48]).contains("opentrack"));
        let text = explain(&message("/a\u{1b}[31m", &[]));
        assert!(!text.contains('\u{1b}') && text.contains("not understood"));
    }
}
