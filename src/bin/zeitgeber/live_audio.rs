//! The audio of `zeitgeber live`: a device or a file in, the engine, a device out.
//!
//! The input callback (or the thread of the file) fills a ring, the output callback empties it through the engine;
//! notes reach the engine through another. Neither callback allocates, locks or writes.

use crate::args::Problem;
use crate::live_devices::{Backend, choose, find, host, name, unusable};
use crate::live_file;
use crate::live_filters::Filters;
use crate::live_inserts::Inserts;
use crate::live_notes::{self, Notes};
use crate::live_watch::{Calls, Watch};
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Device, ErrorKind, FromSample, SampleFormat, SizedSample, Stream};
use cpal::{StreamConfig, SupportedStreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use std::cell::Cell;
use std::collections::VecDeque;
use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use zeitgeber::control::Desk;
use zeitgeber::engine::controls::CARRIER_SOURCE;
use zeitgeber::engine::{Change, ControlId, DeckLine, Engine, Event, Order, Telemetry, Transport};
use zeitgeber::hrtf::Source;
use zeitgeber::protocol::Protocol;

/// Frames that the engine is handed at most at a time.
const BLOCK: usize = 1024;

/// The largest block of a device that is reckoned with where none is asked for.
const LARGEST: usize = 8192;

/// Seconds in which the sound fades before the devices are closed, and of silence after it: what was handed out before is
/// heard by then.
const FADE: f64 = 0.030;
const SILENCE: f64 = 0.200;

/// Notes that may wait for the audio thread, and that one block takes.
const NOTES: usize = 64;

/// Rate and block where there is no device to say them.
const SILENT_RATE: u32 = 48_000;
const SILENT_BLOCK: usize = 256;

/// Where the sound comes from.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Nowhere.
    Silence,
    /// A device by its name, or the system's own.
    Device(Option<&'a str>),
    /// A file, once or over and over.
    File { path: &'a Path, once: bool },
}

/// What to open and how.
pub struct Request<'a> {
    pub backend: Backend,
    pub input: Input<'a>,
    pub output: Option<&'a str>,
    /// The channels of the devices that are the two ears, counted from 0.
    pub in_channels: [usize; 2],
    pub out_channels: [usize; 2],
    pub rate: Option<u32>,
    pub frames: Option<u32>,
    pub settings: &'a [(ControlId, f64)],
    /// A timeline that plays from the beginning.
    pub protocol: Option<&'a Protocol>,
    /// A SOFA file in place of the embedded set.
    pub hrtf: Option<&'a Path>,
    /// The MIDI port whose notes are played.
    pub midi: Option<&'a str>,
    /// The nodes of inserts A and B.
    pub inserts: &'a mut Inserts,
    /// What speaks to the engine from outside.
    pub desk: &'a Desk,
}

/// Open devices, which play until this is dropped, and fade before.
pub struct Running {
    /// Which devices, at what rate.
    pub description: String,
    /// Of the engine.
    pub telemetry: Arc<Telemetry>,
    /// In hertz.
    pub rate: f64,
    deck: Option<DeckLine>,
    /// Orders that found the line full: a device stands still.
    unsent: VecDeque<Order>,
    filters: Filters,
    errors: mpsc::Receiver<cpal::Error>,
    file: mpsc::Receiver<Result<(), Problem>>,
    dropouts: Arc<Dropouts>,
    load: Arc<Load>,
    leave: Arc<Leave>,
    /// How long a fade may take at most: a device may have stopped by itself.
    patience: Duration,
    failed: Cell<bool>,
    watches: Vec<Watch>,
    _notes: Option<Notes>,
    _streams: Streams,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.fade_out();
    }
}

/// How the sound ends.
#[derive(Default)]
struct Leave {
    /// It is asked to.
    asked: AtomicBool,
    /// It has.
    silent: AtomicBool,
}

/// What plays.
enum Streams {
    /// Devices.
    #[expect(dead_code, reason = "they play until they are dropped")]
    Devices(Stream, Option<Stream>),
    /// A thread without a device, until this is raised.
    Thread(Arc<AtomicBool>),
}

impl Drop for Streams {
    fn drop(&mut self) {
        if let Streams::Thread(stop) = self {
            stop.store(true, Relaxed);
        }
    }
}

/// Frames that the two devices missed of each other.
#[derive(Default)]
struct Dropouts {
    missed: AtomicU64,
    lost: AtomicU64,
}

/// How much of the time that a block lasts its computation takes, in thousandths.
#[derive(Default)]
struct Load {
    /// The most since it was last looked at, and of all.
    recent: AtomicU32,
    most: AtomicU32,
}

impl Load {
    /// A block of so many frames took so long.
    fn count(&self, took: Duration, frames: usize, rate: f64) {
        let share = took.as_secs_f64() * rate / frames.max(1) as f64;
        let thousandths = (1000.0 * share).round().min(1e6) as u32;
        self.recent.fetch_max(thousandths, Relaxed);
        self.most.fetch_max(thousandths, Relaxed);
    }
}

impl Running {
    /// Gives the engine an order; while it takes none, the newest of each kind waits.
    pub fn order(&mut self, order: Order) {
        self.unsent
            .retain(|waits| discriminant(waits) != discriminant(&order));
        self.unsent.push_back(order);
        self.send_orders();
    }

    fn send_orders(&mut self) {
        let Some(deck) = &mut self.deck else { return };
        deck.drain();
        while let Some(order) = self.unsent.pop_front() {
            if let Err(order) = deck.send(order) {
                self.unsent.push_front(order);
                break;
            }
        }
    }

    /// From now on space renders with the filters of a SOFA file.
    pub fn choose_hrtf(&self, file: PathBuf) {
        self.filters.choose(file);
    }

    /// Blocks whose input came too late, and blocks of input that nobody took.
    pub fn dropouts(&self) -> (u64, u64) {
        (
            self.dropouts.missed.load(Relaxed),
            self.dropouts.lost.load(Relaxed),
        )
    }

    /// Sends what has waited; tells what is to be said of filters, and of devices that have fallen silent, or are back.
    pub fn news(&mut self) -> Vec<String> {
        self.send_orders();
        let now = Instant::now();
        let watches = self.watches.iter_mut();
        let mut news: Vec<String> = watches.filter_map(|watch| watch.look(now)).collect();
        news.extend(self.filters.news());
        news
    }

    /// How much of its time the audio thread has used at most since the last call, and of all; 1 is all it has.
    pub fn load(&self) -> (f64, f64) {
        let share = |thousandths: u32| f64::from(thousandths) / 1000.0;
        (
            share(self.load.recent.swap(0, Relaxed)),
            share(self.load.most.load(Relaxed)),
        )
    }

    /// Fades the sound, and returns when it is silent.
    pub fn fade_out(&self) {
        self.leave.asked.store(true, Relaxed);
        let end = Instant::now() + self.patience;
        while !self.failed.get() && !self.leave.silent.load(Relaxed) && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        // It is not waited for twice.
        self.failed.set(true);
    }

    /// Whether the file that is played has ended, or the problem that it ended with.
    pub fn file_ended(&self) -> Result<bool, Problem> {
        match self.file.try_recv() {
            Ok(ended) => ended.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// The error that ended a stream, if one did; passing ones are counted as dropouts.
    pub fn take_error(&self) -> Option<Problem> {
        let error = self.errors.try_iter().find_map(|error| match error.kind() {
            ErrorKind::Xrun => {
                self.dropouts.missed.fetch_add(1, Relaxed);
                None
            }
            ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => None,
            _ => Some(Problem::new(format!("the audio device stopped: {error}"))),
        });
        self.failed.set(self.failed.get() || error.is_some());
        error
    }
}

/// The devices that were asked for.
struct Devices {
    output: Device,
    output_format: SupportedStreamConfig,
    input: Option<(Device, SupportedStreamConfig)>,
    rate: u32,
}

impl Devices {
    fn open(request: &mut Request) -> Result<Devices, Problem> {
        let host = host(request.backend)?;
        let output = find(
            request.backend,
            "output",
            request.output,
            host.default_output_device(),
            host.output_devices().map(Iterator::collect),
        )?;
        let rate = match request.rate {
            Some(rate) => rate,
            None => output
                .default_output_config()
                .map_err(|error| unusable(&output, &error))?
                .sample_rate(),
        };
        let needs = |[left, right]: [usize; 2]| (left.max(right) + 1) as u16;
        let channels = needs(request.out_channels);
        let output_format = choose(&output, output.supported_output_configs(), rate, channels)?;
        let input = match request.input {
            Input::Device(wanted) => {
                let input = find(
                    request.backend,
                    "input",
                    wanted,
                    host.default_input_device(),
                    host.input_devices().map(Iterator::collect),
                )?;
                // One channel will do where the first two were not asked for by name; JACK makes as many as are asked for.
                let channels = match request.in_channels {
                    [0, 1] if request.backend != Backend::Jack => 1,
                    asked => needs(asked),
                };
                let format = choose(&input, input.supported_input_configs(), rate, channels)?;
                Some((input, format))
            }
            _ => None,
        };
        Ok(Devices {
            output,
            output_format,
            input,
            rate,
        })
    }
}

/// The engine with all that it begins with, and what speaks to it from here.
struct Prepared {
    engine: Engine,
    deck: Option<DeckLine>,
    filters: Filters,
}

impl Prepared {
    fn new(request: &mut Request, rate: f64) -> Result<Prepared, Problem> {
        let mut engine = Engine::new(rate)?;
        for &(control, value) in request.settings {
            engine.set(control, value);
        }
        let mut deck = engine.take_deck();
        if let (Some(protocol), Some(line)) = (request.protocol, &mut deck) {
            let timeline = protocol.timeline(request.settings, rate)?;
            // A new line has room for its first order.
            let _ = line.send(Order::Timeline(Some(Arc::new(timeline))));
        }
        request.desk.attach(&mut engine);
        let file = request.hrtf.map(Path::to_owned);
        let filters = Filters::start(&mut engine, file.map_or(Source::Default, Source::File))?;
        request.inserts.attach(&mut engine, request.desk)?;
        Ok(Prepared {
            engine,
            deck,
            filters,
        })
    }
}

/// What goes between the callbacks and the rest.
struct Wires {
    dropouts: Arc<Dropouts>,
    /// Into the ring that the player empties.
    captured: Producer<[f32; 2]>,
    /// What has ended a stream.
    failed: mpsc::Sender<cpal::Error>,
    /// How the file has ended.
    ended: mpsc::Sender<Result<(), Problem>>,
    /// That the input, and the output, calls.
    heard: Calls,
    played_to: Calls,
}

/// Opens the devices and starts them.
pub fn start(request: &mut Request) -> Result<Running, Problem> {
    let devices = match request.backend {
        Backend::None => None,
        _ => Some(Devices::open(request)?),
    };
    let own = request.rate.unwrap_or(SILENT_RATE);
    let rate = devices.as_ref().map_or(own, |devices| devices.rate);
    if let Input::File { path, once } = request.input {
        // What is wrong with it is said before anything sounds.
        live_file::open(path, once, rate)?;
    }
    let prepared = Prepared::new(request, f64::from(rate))?;
    let telemetry = prepared.engine.telemetry().clone();
    let (dropouts, load) = (Arc::new(Dropouts::default()), Arc::new(Load::default()));
    let leave = Arc::new(Leave::default());
    let block = request.frames.map_or(LARGEST, |frames| frames as usize);
    let (captured, played) = ring(block, rate);
    let (notes, noted) = RingBuffer::new(NOTES);
    let notes = request.midi.and_then(|port| live_notes::open(port, notes));
    let (failed, errors) = mpsc::channel();
    let (ended, file) = mpsc::channel();
    let wires = Wires {
        dropouts: dropouts.clone(),
        captured,
        failed,
        ended,
        heard: Calls::default(),
        played_to: Calls::default(),
    };
    let player = Player {
        engine: prepared.engine,
        calls: wires.played_to.clone(),
        ahead: 2 * block,
        leave: leave.clone(),
        gone: 0,
        captured: (!matches!(request.input, Input::Silence)).then_some(played),
        noted,
        dropouts: dropouts.clone(),
        load: load.clone(),
        rate: f64::from(rate),
        ears: request.out_channels,
        left: [0.0; BLOCK],
        right: [0.0; BLOCK],
        events: Vec::with_capacity(NOTES),
    };
    let opened = match devices {
        None => Opened::nowhere(request, player, wires, rate),
        Some(devices) => Opened::devices(request, &devices, player, wires)?,
    };
    let span = Duration::from_secs_f64(block as f64 / f64::from(rate));
    let now = Instant::now();
    let watch = |(device, calls)| Watch::new(device, calls, span, now);
    Ok(Running {
        description: format!("{} -> {} at {rate} Hz", opened.from, opened.to),
        telemetry,
        rate: f64::from(rate),
        deck: prepared.deck,
        unsent: VecDeque::new(),
        filters: prepared.filters,
        errors,
        file,
        dropouts,
        load,
        leave,
        patience: Duration::from_secs_f64(FADE + 2.0 * SILENCE) + 4 * span,
        failed: Cell::new(false),
        watches: opened.watched.into_iter().map(watch).collect(),
        _notes: notes,
        _streams: opened.streams,
    })
}

/// The ring from the input to the output. A quarter of a second holds what the two devices may run apart; two blocks are there
/// from the beginning so that the first jitter is no gap. Where the device chooses its blocks, the first shows how many
/// frames these are.
fn ring(block: usize, rate: u32) -> (Producer<[f32; 2]>, Consumer<[f32; 2]>) {
    let ahead = 2 * block;
    let (mut captured, played) = RingBuffer::new(ahead + (rate / 4) as usize);
    for _ in 0..ahead {
        let _ = captured.push([0.0; 2]);
    }
    (captured, played)
}

/// What plays, from where to where, and the devices that are to be watched.
struct Opened {
    from: String,
    to: String,
    streams: Streams,
    watched: Vec<(String, Calls)>,
}

impl Opened {
    /// Where the sound comes from where that is no device: a file is begun.
    fn no_device(
        input: Input,
        captured: Producer<[f32; 2]>,
        ended: mpsc::Sender<Result<(), Problem>>,
        rate: u32,
    ) -> String {
        let Input::File { path, once } = input else {
            return "silence".to_owned();
        };
        let from = path.display().to_string();
        let path = PathBuf::from(path);
        live_file::feed(move || live_file::open(&path, once, rate), captured, ended);
        from
    }

    /// Without a device that it goes to.
    fn nowhere(request: &Request, player: Player, wires: Wires, rate: u32) -> Opened {
        let block = request
            .frames
            .map_or(SILENT_BLOCK, |frames| frames as usize);
        let from = Opened::no_device(request.input, wires.captured, wires.ended, rate);
        Opened {
            from,
            to: "no device,".to_owned(),
            streams: Streams::Thread(without_device(player, block)),
            watched: Vec::new(),
        }
    }

    /// Of devices, which are started.
    fn devices(
        request: &Request,
        devices: &Devices,
        player: Player,
        wires: Wires,
    ) -> Result<Opened, Problem> {
        let size = request
            .frames
            .map_or(BufferSize::Default, BufferSize::Fixed);
        let config = |format: &SupportedStreamConfig| StreamConfig {
            buffer_size: size,
            ..format.config()
        };
        let opened = |device: &Device, stream: Result<Stream, cpal::Error>| {
            stream.map_err(|error| unusable(device, &error))
        };
        let (output, format) = (&devices.output, &devices.output_format);
        let failed = wires.failed.clone();
        let output_stream = opened(output, play(output, format, config, player, failed))?;
        let mut watched = Vec::new();
        let (from, input_stream) = match &devices.input {
            Some((input, format)) => {
                let taker = Taker {
                    captured: wires.captured,
                    ears: request.in_channels,
                    dropouts: wires.dropouts,
                    calls: wires.heard.clone(),
                };
                let stream = record(input, format, config, taker, wires.failed);
                watched.push((format!("the input device {}", name(input)), wires.heard));
                (name(input), Some(opened(input, stream)?))
            }
            None => {
                let rate = devices.rate;
                let from = Opened::no_device(request.input, wires.captured, wires.ended, rate);
                (from, None)
            }
        };
        for stream in [Some(&output_stream), input_stream.as_ref()]
            .into_iter()
            .flatten()
        {
            stream
                .play()
                .map_err(|error| Problem::new(format!("the device does not start: {error}")))?;
        }
        watched.push((
            format!("the output device {}", name(output)),
            wires.played_to,
        ));
        Ok(Opened {
            from,
            to: name(output),
            streams: Streams::Devices(output_stream, input_stream),
            watched,
        })
    }
}

/// Plays in real time to nobody.
fn without_device(mut player: Player, block: usize) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    thread::spawn(move || {
        let mut data = vec![0.0f32; 2 * block];
        let span = Duration::from_secs_f64(block as f64 / player.rate);
        player.ears = [0, 1];
        let mut next = Instant::now();
        while !stopped.load(Relaxed) {
            player.fill(&mut data, 2);
            next += span;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    });
    stop
}

/// What runs in the output callback.
struct Player {
    engine: Engine,
    calls: Calls,
    /// Frames of silence that the ring was begun with, until the first block.
    ahead: usize,
    leave: Arc<Leave>,
    /// Frames since it was asked to leave.
    gone: usize,
    captured: Option<Consumer<[f32; 2]>>,
    noted: Consumer<u8>,
    dropouts: Arc<Dropouts>,
    load: Arc<Load>,
    rate: f64,
    /// The channels that are the ears.
    ears: [usize; 2],
    left: [f32; BLOCK],
    right: [f32; BLOCK],
    events: Vec<Event>,
}

impl Player {
    /// Fills interleaved `data` of `channels` channels: two of them are the ears, the rest is silent.
    fn fill<T: SizedSample + FromSample<f32>>(&mut self, data: &mut [T], channels: usize) {
        let began = Instant::now();
        self.calls.count();
        let all = data.len() / channels;
        // More than two blocks of silence would only be late.
        for _ in 2 * all..std::mem::take(&mut self.ahead) {
            let _ = self.captured.as_mut().map(|ring| ring.pop());
        }
        let leaves = self.leave.asked.load(Relaxed);
        for block in data.chunks_mut(BLOCK * channels) {
            let frames = block.len() / channels;
            let mut missing = false;
            for n in 0..frames {
                let frame = self.captured.as_mut().map(|ring| ring.pop());
                missing |= matches!(frame, Some(Err(_)));
                [self.left[n], self.right[n]] = frame.and_then(Result::ok).unwrap_or([0.0; 2]);
            }
            // Whoever leaves misses nothing.
            let missed = u64::from(missing && !leaves);
            self.dropouts.missed.fetch_add(missed, Relaxed);
            self.events.clear();
            while self.events.len() < NOTES
                && let Ok(note) = self.noted.pop()
            {
                self.events.push(Event {
                    frame: 0,
                    control: CARRIER_SOURCE,
                    change: Change::Note(note),
                });
            }
            let (left, right) = (&mut self.left[..frames], &mut self.right[..frames]);
            self.engine
                .process(left, right, Transport::Absent, &self.events);
            if leaves {
                let fade = FADE * self.rate;
                for (left, right) in left.iter_mut().zip(right) {
                    let phase = (self.gone as f64 / fade).min(1.0);
                    let gain = (0.5 + 0.5 * (std::f64::consts::PI * phase).cos()) as f32;
                    *left *= gain;
                    *right *= gain;
                    self.gone += 1;
                }
            }
            for (n, frame) in block.chunks_exact_mut(channels).enumerate() {
                frame.fill(T::from_sample(0.0));
                for (ear, sample) in self.ears.iter().zip([self.left[n], self.right[n]]) {
                    if let Some(channel) = frame.get_mut(*ear) {
                        *channel = T::from_sample(sample);
                    }
                }
            }
        }
        if self.gone as f64 >= (FADE + SILENCE) * self.rate {
            self.leave.silent.store(true, Relaxed);
        }
        self.load.count(began.elapsed(), all, self.rate);
    }
}

fn play(
    device: &Device,
    format: &SupportedStreamConfig,
    config: impl Fn(&SupportedStreamConfig) -> StreamConfig,
    mut player: Player,
    failed: mpsc::Sender<cpal::Error>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(format.channels());
    let config = config(format);
    // The receiver lives as long as the streams do.
    let error = move |error| drop(failed.send(error));
    match format.sample_format() {
        SampleFormat::I16 => device.build_output_stream(
            config,
            move |data: &mut [i16], _: &_| player.fill(data, channels),
            error,
            None,
        ),
        SampleFormat::I32 => device.build_output_stream(
            config,
            move |data: &mut [i32], _: &_| player.fill(data, channels),
            error,
            None,
        ),
        _ => device.build_output_stream(
            config,
            move |data: &mut [f32], _: &_| player.fill(data, channels),
            error,
            None,
        ),
    }
}

/// What runs in the input callback.
struct Taker {
    captured: Producer<[f32; 2]>,
    /// The channels that are the ears.
    ears: [usize; 2],
    dropouts: Arc<Dropouts>,
    calls: Calls,
}

impl Taker {
    /// Puts two channels of interleaved `data` into the ring; where there is no second one, the first twice.
    fn take<T: SizedSample>(&mut self, data: &[T], channels: usize)
    where
        f32: FromSample<T>,
    {
        self.calls.count();
        let mut lost = false;
        for frame in data.chunks_exact(channels) {
            let ear = |ear: usize| frame.get(ear).map(|&sample| f32::from_sample_(sample));
            let left = ear(self.ears[0]).unwrap_or(0.0);
            let right = ear(self.ears[1]).unwrap_or(left);
            lost |= self.captured.push([left, right]).is_err();
        }
        self.dropouts.lost.fetch_add(u64::from(lost), Relaxed);
    }
}

fn record(
    device: &Device,
    format: &SupportedStreamConfig,
    config: impl Fn(&SupportedStreamConfig) -> StreamConfig,
    mut taker: Taker,
    failed: mpsc::Sender<cpal::Error>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(format.channels());
    let config = config(format);
    let error = move |error| drop(failed.send(error));
    match format.sample_format() {
        SampleFormat::I16 => device.build_input_stream(
            config,
            move |data: &[i16], _: &_| taker.take(data, channels),
            error,
            None,
        ),
        SampleFormat::I32 => device.build_input_stream(
            config,
            move |data: &[i32], _: &_| taker.take(data, channels),
            error,
            None,
        ),
        _ => device.build_input_stream(
            config,
            move |data: &[f32], _: &_| taker.take(data, channels),
            error,
            None,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(
        captured: Consumer<[f32; 2]>,
        noted: Consumer<u8>,
        dropouts: &Arc<Dropouts>,
    ) -> Player {
        Player {
            engine: Engine::new(48_000.0).unwrap(),
            calls: Calls::default(),
            ahead: 0,
            leave: Arc::new(Leave::default()),
            gone: 0,
            captured: Some(captured),
            noted,
            dropouts: dropouts.clone(),
            load: Arc::new(Load::default()),
            rate: 48_000.0,
            ears: [0, 1],
            left: [0.0; BLOCK],
            right: [0.0; BLOCK],
            events: Vec::with_capacity(NOTES),
        }
    }

    #[test]
    fn it_leaves_without_a_click_and_says_when_it_is_silent() {
        let (_notes, noted) = RingBuffer::new(1);
        let (mut ring, captured) = RingBuffer::new(48_000);
        (0..48_000).for_each(|_| ring.push([0.5, -0.5]).unwrap());
        let mut player = player(captured, noted, &Arc::default());
        let mut heard = Vec::new();
        let mut block = [0.0f32; 2 * 256];
        for n in 0..60 {
            player.leave.asked.store(n >= 4, Relaxed);
            player.fill(&mut block, 2);
            heard.extend(block.chunks(2).map(|frame| {
                assert_eq!(frame[0], -frame[1]);
                frame[0]
            }));
        }
        let asked = 4 * 256;
        assert!(heard[..asked].iter().all(|x| *x == 0.5));
        let steepest = heard.windows(2).map(|two| (two[1] - two[0]).abs());
        // A raised cosine of 1440 frames, and no edge.
        assert!(steepest.fold(0.0, f32::max) < 0.0006);
        assert!(heard[asked + 960] > 0.01, "it takes more than 20 ms");
        assert!(heard[asked + 1441..].iter().all(|x| *x == 0.0));
        assert!(player.leave.silent.load(Relaxed));
    }

    #[test]
    fn the_ring_is_two_blocks_ahead_whatever_the_device_chooses() {
        for block in [128, 1024, LARGEST, 2 * LARGEST] {
            let (_notes, noted) = RingBuffer::new(1);
            let (mut ring, captured) = RingBuffer::new(4 * LARGEST);
            (0..2 * LARGEST).for_each(|_| ring.push([0.0; 2]).unwrap());
            let mut player = player(captured, noted, &Arc::default());
            player.ahead = 2 * LARGEST;
            let mut data = vec![0.0f32; 2 * block];
            player.fill(&mut data, 2);
            let left = player.captured.as_ref().unwrap().slots();
            assert_eq!(left, block.min(2 * LARGEST - block), "{block}");
            // No more is left out later.
            (0..block).for_each(|_| ring.push([0.0; 2]).unwrap());
            player.fill(&mut data, 2);
            let now = player.captured.as_ref().unwrap().slots();
            assert_eq!(now, left, "{block}");
        }
    }

    #[test]
    fn ears_lie_on_the_channels_that_were_asked_for() {
        let (_notes, noted) = RingBuffer::new(1);
        let (ring, captured) = RingBuffer::new(8);
        let dropouts = Arc::new(Dropouts::default());
        let mut taker = Taker {
            captured: ring,
            ears: [2, 3],
            dropouts: dropouts.clone(),
            calls: Calls::default(),
        };
        // Frames of four channels, of which the last two are the ears.
        let data = [9.0f32, 9.0, 0.1, 0.2, 9.0, 9.0, 0.3, 0.4];
        taker.take(&data, 4);
        // A mono device, and one channel for both.
        taker.ears = [0, 1];
        taker.take(&[0.5f32], 1);
        taker.ears = [3, 3];
        taker.take(&data[..4], 4);
        let mut player = player(captured, noted, &dropouts);
        player.ears = [1, 2];
        let mut out = [7.0f32; 12];
        player.fill(&mut out, 3);
        let wanted = [0.0, 0.1, 0.2, 0.0, 0.3, 0.4, 0.0, 0.5, 0.5, 0.0, 0.2, 0.2];
        assert_eq!(out, wanted);
        assert_eq!(dropouts.missed.load(Relaxed), 0);
        player.fill(&mut out, 3);
        assert_eq!(dropouts.missed.load(Relaxed), 1, "the ring is empty");
        assert!(player.load.most.load(Relaxed) > 0);
    }

    #[test]
    fn the_load_is_the_most_of_what_was_not_yet_looked_at() {
        let load = Load::default();
        load.count(Duration::from_micros(500), 48, 48_000.0);
        load.count(Duration::from_micros(250), 48, 48_000.0);
        assert_eq!(load.recent.swap(0, Relaxed), 500);
        load.count(Duration::from_micros(100), 48, 48_000.0);
        assert_eq!(load.recent.load(Relaxed), 100);
        assert_eq!(load.most.load(Relaxed), 500);
    }
}
