//! UDP ports: one socket and one thread a port in a library image, shared by all instances that listen there.
//!
//! A port that another program has is said, and tried again every second. The last instance that leaves a port ends
//! its thread and closes its socket.

use super::consent::Ask;
use super::desk::{Desk, Door};
use super::osc;
use super::port::MidiPort;
use super::settings::Settings;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a port that is taken is left alone.
const RETRY: Duration = Duration::from_secs(1);
/// How long a socket waits for packets while nothing else is to be done.
const IDLE: Duration = Duration::from_millis(100);
/// And while a head moves by itself or somebody is told values.
const BUSY: Duration = Duration::from_millis(5);

/// How a port is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum PortState {
    /// Not asked for.
    #[default]
    Off,
    /// Listening.
    Open,
    /// It could not be opened, and is tried again: why.
    Taken(String),
}

/// One that listens at a port.
struct Guest {
    number: u64,
    desk: Weak<Desk>,
    door: Door,
    anywhere: bool,
}

#[derive(Default)]
struct Shared {
    port: u16,
    guests: Mutex<Vec<Guest>>,
    stop: AtomicBool,
    /// The port is ours: what is sent there comes here.
    open: AtomicBool,
    /// Wakes the thread while it waits to try again.
    wake: Condvar,
    retry: Mutex<()>,
}

impl Shared {
    fn guests(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desks(&self) -> Vec<(Arc<Desk>, Door)> {
        let guests = self.guests();
        let desk = |guest: &Guest| Some((guest.desk.upgrade()?, guest.door));
        guests.iter().filter_map(desk).collect()
    }

    /// Those that listen to this sender: one that asked for its own machine hears no other, whoever shares the port.
    fn listeners(&self, from: SocketAddr) -> Vec<(Arc<Desk>, Door)> {
        let guests = self.guests();
        guests
            .iter()
            .filter(|guest| guest.anywhere || from.ip().is_loopback())
            .filter_map(|guest| Some((guest.desk.upgrade()?, guest.door)))
            .collect()
    }

    fn anywhere(&self) -> bool {
        self.guests().iter().any(|guest| guest.anywhere)
    }

    fn tell(&self, state: &PortState) {
        for (desk, door) in self.desks() {
            desk.port(door, state.clone());
        }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn run(&self) {
        let mut buffer = vec![0; osc::LONGEST];
        while !self.stops() {
            let anywhere = self.anywhere();
            let address = if anywhere {
                Ipv4Addr::UNSPECIFIED
            } else {
                Ipv4Addr::LOCALHOST
            };
            match UdpSocket::bind((address, self.port)) {
                Ok(socket) => {
                    self.open.store(true, Ordering::Release);
                    self.listen(&socket, anywhere, &mut buffer);
                    self.open.store(false, Ordering::Release);
                }
                Err(error) => {
                    let why = if error.kind() == ErrorKind::AddrInUse {
                        "another program has it".to_owned()
                    } else {
                        error.to_string()
                    };
                    let port = self.port;
                    self.tell(&PortState::Taken(format!(
                        "the UDP port {port} cannot be opened: {why}; it is tried again every second"
                    )));
                    let retry = self.retry.lock().unwrap_or_else(PoisonError::into_inner);
                    if !self.stops() {
                        drop(self.wake.wait_timeout(retry, RETRY));
                    }
                }
            }
        }
    }

    /// Listens until it is to stop, or at another address.
    fn listen(&self, socket: &UdpSocket, anywhere: bool, buffer: &mut [u8]) {
        let mut timeout = Duration::ZERO;
        let mut looked = Instant::now();
        let mut desks = self.desks();
        self.tell(&PortState::Open);
        while !self.stops() && self.anywhere() == anywhere {
            let stirs = desks.iter().filter(|(desk, _)| desk.tick()).count() > 0;
            let feeds = desks.iter().any(|(desk, _)| desk.settings().feedback);
            let wanted = if stirs || feeds { BUSY } else { IDLE };
            if timeout != wanted && socket.set_read_timeout(Some(wanted)).is_ok() {
                timeout = wanted;
            }
            // What comes in is heard before anything else; the rest is done in between, and now and then.
            while looked.elapsed() < wanted {
                match socket.recv_from(buffer) {
                    // Only wakes.
                    Ok((0, _)) => break,
                    Ok((length, from)) => {
                        let listeners = self.listeners(from);
                        hear(&listeners, &buffer[..length], from);
                        if wanted == IDLE && listeners.iter().any(|(desk, _)| desk.stirs()) {
                            break;
                        }
                    }
                    Err(error) => {
                        let silent = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                        if !silent.contains(&error.kind()) {
                            // On some systems an answer that nobody took comes back as an error.
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        break;
                    }
                }
            }
            looked = Instant::now();
            desks = self.desks();
            self.tell(&PortState::Open);
            for (desk, door) in &desks {
                if *door == Door::Osc {
                    let is_own = |to: SocketAddr| to.port() == self.port && is_here(to.ip());
                    desk.feed_back(is_own, |packet, to| {
                        // One that is not there misses it.
                        let _ = socket.send_to(packet, to);
                    });
                }
            }
        }
    }
}

/// Whether an address is this machine's: only such ones can be bound.
fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

fn hear(desks: &[(Arc<Desk>, Door)], bytes: &[u8], from: SocketAddr) {
    match osc::decode(bytes) {
        Ok(messages) => {
            for (desk, door) in desks {
                // At opentrack's own port nothing else is obeyed.
                if *door == Door::Osc {
                    desk.osc(&messages, from);
                } else {
                    desk.malformed();
                }
            }
        }
        Err(osc::Malformed) => {
            for (desk, _) in desks {
                if !desk.opentrack(bytes) {
                    desk.malformed();
                }
            }
        }
    }
}

struct Running {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
    next: u64,
}

static PORTS: Mutex<BTreeMap<u16, Running>> = Mutex::new(BTreeMap::new());

fn ports() -> MutexGuard<'static, BTreeMap<u16, Running>> {
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One desk at one port, until it is dropped.
pub struct Listener {
    port: u16,
    number: u64,
}

/// Listens at a port for a desk: from this machine, or from anywhere. `None` where the system gives no thread.
pub fn listen(desk: &Arc<Desk>, port: u16, anywhere: bool) -> Option<Listener> {
    join(desk, Door::Osc, port, anywhere)
}

fn join(desk: &Arc<Desk>, door: Door, port: u16, anywhere: bool) -> Option<Listener> {
    let mut ports = ports();
    if let std::collections::btree_map::Entry::Vacant(vacant) = ports.entry(port) {
        let shared = Arc::new(Shared {
            port,
            ..Shared::default()
        });
        let theirs = shared.clone();
        let thread = std::thread::Builder::new()
            .name("zeitgeber-osc".to_owned())
            .spawn(move || {
                // The first guest is there before anything is opened.
                while theirs.guests().is_empty() && !theirs.stops() {
                    std::thread::yield_now();
                }
                theirs.run();
            });
        match thread {
            Ok(thread) => {
                vacant.insert(Running {
                    shared,
                    thread,
                    next: 0,
                });
            }
            Err(error) => {
                desk.say(format!("the system gave no thread for a port: {error}"));
                return None;
            }
        }
    }
    let running = ports.get_mut(&port)?;
    let number = running.next;
    running.next += 1;
    running.shared.guests().push(Guest {
        number,
        desk: Arc::downgrade(desk),
        door,
        anywhere,
    });
    poke(&running.shared);
    Some(Listener { port, number })
}

/// Wakes a port's thread: an empty packet, which is no packet of anybody else's either.
fn poke(shared: &Shared) {
    drop(shared.retry.lock().unwrap_or_else(PoisonError::into_inner));
    shared.wake.notify_all();
    // Where another program has the port, that would hear it.
    if shared.open.load(Ordering::Acquire)
        && let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
    {
        // One that does not come is no harm: the thread looks ten times a second.
        let _ = socket.send_to(&[], (Ipv4Addr::LOCALHOST, shared.port));
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut ports = ports();
        let Some(running) = ports.get(&self.port) else {
            return;
        };
        let left = {
            let mut guests = running.shared.guests();
            let gone = guests.iter().position(|guest| guest.number == self.number);
            if let Some(guest) = gone.map(|index| guests.remove(index))
                && let Some(desk) = guest.desk.upgrade()
            {
                desk.port(guest.door, PortState::Off);
            }
            guests.len()
        };
        if left > 0 {
            poke(&running.shared);
            return;
        }
        // Joined while the lock is held: one that comes meanwhile opens the port anew.
        if let Some(running) = ports.remove(&self.port) {
            running.shared.stop.store(true, Ordering::Release);
            poke(&running.shared);
            // A thread that died has closed its socket.
            let _ = running.thread.join();
        }
    }
}

/// The ports of one instance, as its settings ask for them.
#[derive(Default)]
pub struct Ports {
    osc: Option<Listener>,
    opentrack: Option<Listener>,
    midi: Option<MidiPort>,
    midi_tried: Option<Instant>,
    settings: Settings,
    /// Whether OSC's port and opentrack's hear other machines.
    wide: [bool; 2],
    /// Of the settings that were looked at last, and one more: 0 is none yet.
    seen: u64,
}

impl Ports {
    /// Opens and closes what the settings ask for now. Never on the audio thread.
    pub fn sync(&mut self, desk: &Arc<Desk>) {
        let changes = desk.changes() + 1;
        if changes != self.seen {
            let new = desk.settings();
            let before = std::mem::replace(&mut self.settings, new);
            let new = &self.settings;
            let may = |port| new.anywhere && desk.may(Ask::Listen(port));
            let wide = [new.port, new.opentrack_port].map(may);
            let was = std::mem::replace(&mut self.wide, wide);
            let same = before.port == new.port;
            if !new.osc || !same || was[0] != wide[0] {
                self.osc = None;
            }
            let apart = before.opentrack_port != new.opentrack_port;
            if !new.opentrack || apart || !same || was[1] != wide[1] {
                self.opentrack = None;
            }
            if before.midi_port != new.midi_port || before.supperware != new.supperware {
                (self.midi, self.midi_tried) = (None, None);
                desk.port(Door::Midi, PortState::Off);
            }
            self.seen = changes;
        }
        let Settings {
            port,
            opentrack_port,
            ..
        } = self.settings;
        if self.settings.osc && self.osc.is_none() {
            self.osc = join(desk, Door::Osc, port, self.wide[0]);
        }
        // OSC's port hears opentrack as well.
        let apart = !self.settings.osc || opentrack_port != port;
        if self.settings.opentrack && apart && self.opentrack.is_none() {
            self.opentrack = join(desk, Door::Opentrack, opentrack_port, self.wide[1]);
        }
        let rested = self.midi_tried.is_none_or(|tried| tried.elapsed() >= RETRY);
        if !self.settings.midi_port.is_empty() && self.midi.is_none() && rested {
            self.midi_tried = Some(Instant::now());
            let Settings {
                midi_port,
                supperware,
                ..
            } = &self.settings;
            match MidiPort::open(midi_port, *supperware, desk) {
                Ok(open) => {
                    self.midi = Some(open);
                    desk.port(Door::Midi, PortState::Open);
                }
                Err(why) => desk.port(Door::Midi, PortState::Taken(why)),
            }
        }
    }
}
