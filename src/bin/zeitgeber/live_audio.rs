//! The audio of `zeitgeber live`: a device in, the engine, a device out.
//!
//! The input callback fills a ring, the output callback empties it through the engine; keys reach the
//! engine through another ring. Neither callback allocates, locks or writes.

use crate::args::Problem;
use crate::live_devices::{choose, find, host, name, unusable};
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Device, ErrorKind, FromSample, SampleFormat, SizedSample, Stream};
use cpal::{StreamConfig, SupportedStreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use zeitgeber::control::Desk;
use zeitgeber::engine::{Change, ControlId, DeckLine, Engine, Event, Order, Telemetry, Transport};
use zeitgeber::hrtf;
use zeitgeber::live::InsertNode;
use zeitgeber::protocol::Protocol;
use zeitgeber::space::bring;

/// Frames that the engine is handed at most at a time.
const BLOCK: usize = 1024;

/// Key presses that may wait for the audio thread, and that one block takes.
const PRESSES: usize = 64;

/// What to open and how.
pub struct Request<'a> {
    pub input: Option<&'a str>,
    pub output: Option<&'a str>,
    pub no_input: bool,
    pub rate: Option<u32>,
    pub frames: Option<u32>,
    pub settings: &'a [(ControlId, f64)],
    /// A timeline that plays from the beginning.
    pub protocol: Option<&'a Protocol>,
    /// A SOFA file in place of the embedded set.
    pub hrtf: Option<&'a Path>,
    /// The nodes of inserts A and B.
    pub inserts: &'a [Option<InsertNode>; 2],
    /// What speaks to the engine from outside.
    pub desk: &'a Desk,
}

/// Open devices, which play until this is dropped.
pub struct Running {
    /// Which devices, at what rate.
    pub description: String,
    /// Of the engine.
    pub telemetry: Arc<Telemetry>,
    /// In hertz.
    pub rate: f64,
    deck: Option<DeckLine>,
    presses: Producer<(ControlId, f64)>,
    errors: mpsc::Receiver<cpal::Error>,
    dropouts: Arc<Dropouts>,
    _streams: (Stream, Option<Stream>),
}

/// Frames that the two devices missed of each other.
#[derive(Default)]
struct Dropouts {
    missed: AtomicU64,
    lost: AtomicU64,
}

impl Running {
    /// Sends a value to the engine; a press is dropped when 64 are waiting already.
    pub fn send(&mut self, control: ControlId, value: f64) {
        let _ = self.presses.push((control, value));
    }

    /// Gives the engine an order; dropped where some are waiting already.
    pub fn order(&mut self, order: Order) {
        if let Some(deck) = &mut self.deck {
            let _ = deck.send(order);
        }
    }

    /// Blocks whose input came too late, and blocks of input that nobody took.
    pub fn dropouts(&self) -> (u64, u64) {
        (
            self.dropouts.missed.load(Relaxed),
            self.dropouts.lost.load(Relaxed),
        )
    }

    /// The error that ended a stream, if one did; passing ones are counted as dropouts.
    pub fn take_error(&self) -> Option<Problem> {
        self.errors.try_iter().find_map(|error| match error.kind() {
            ErrorKind::Xrun => {
                self.dropouts.missed.fetch_add(1, Relaxed);
                None
            }
            ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => None,
            _ => Some(Problem::new(format!("the audio device stopped: {error}"))),
        })
    }
}

/// Opens the devices and starts them.
pub fn start(request: &Request) -> Result<Running, Problem> {
    let host = host();
    let output = find(
        "output",
        request.output,
        host.default_output_device(),
        host.output_devices().map(Iterator::collect),
    )?;
    let input = (!request.no_input)
        .then(|| {
            find(
                "input",
                request.input,
                host.default_input_device(),
                host.input_devices().map(Iterator::collect),
            )
        })
        .transpose()?;
    let rate = match request.rate {
        Some(rate) => rate,
        None => output
            .default_output_config()
            .map_err(|error| unusable(&output, &error))?
            .sample_rate(),
    };
    let output_format = choose(&output, output.supported_output_configs(), rate, 2)?;
    let input_format = input
        .as_ref()
        .map(|input| choose(input, input.supported_input_configs(), rate, 1))
        .transpose()?;
    let mut engine = Engine::new(f64::from(rate))?;
    for &(control, value) in request.settings {
        engine.set(control, value);
    }
    let mut deck = engine.take_deck();
    if let (Some(protocol), Some(line)) = (request.protocol, &mut deck) {
        let timeline = protocol.timeline(request.settings, f64::from(rate))?;
        // A new line has room for its first order.
        let _ = line.send(Order::Timeline(Some(Arc::new(timeline))));
    }
    request.desk.attach(&mut engine);
    let file = request.hrtf.map(Path::to_owned);
    let source = file.map_or(hrtf::Source::Default, hrtf::Source::File);
    bring(&mut engine, &source)?;
    let (channels, hertz) = (engine.insert_channels(), engine.sample_rate());
    let mut lines = engine.take_inserts();
    for (place, node) in request.inserts.iter().enumerate() {
        if let (Some(node), Some(lines)) = (node, &mut lines) {
            let bring = node.prepare(channels[place], hertz)?;
            // A new line has room.
            let _ = lines[place].send(Some(bring.prepared));
        }
    }
    let telemetry = engine.telemetry().clone();
    let dropouts = Arc::new(Dropouts::default());
    // A quarter of a second holds what the two devices may run apart; two blocks are there from the
    // beginning so that the first jitter is no gap.
    let ahead = 2 * request.frames.map_or(BLOCK, |frames| frames as usize);
    let (mut captured, played) = RingBuffer::new(ahead + (rate / 4) as usize);
    for _ in 0..ahead {
        let _ = captured.push([0.0; 2]);
    }
    let (presses, pressed) = RingBuffer::new(PRESSES);
    let (failed, errors) = mpsc::channel();
    let size = request
        .frames
        .map_or(BufferSize::Default, BufferSize::Fixed);
    let player = Player {
        engine,
        captured: input.is_some().then_some(played),
        pressed,
        dropouts: dropouts.clone(),
        left: [0.0; BLOCK],
        right: [0.0; BLOCK],
        events: Vec::with_capacity(PRESSES),
    };
    let config = |format: &SupportedStreamConfig| StreamConfig {
        buffer_size: size,
        ..format.config()
    };
    let opened = |device: &Device, stream: Result<Stream, cpal::Error>| {
        stream.map_err(|error| unusable(device, &error))
    };
    let output_stream = opened(
        &output,
        play(&output, &output_format, config, player, failed.clone()),
    )?;
    let input_stream = match (&input, &input_format) {
        (Some(input), Some(format)) => Some(opened(
            input,
            record(input, format, config, captured, &dropouts, failed),
        )?),
        _ => None,
    };
    for stream in [Some(&output_stream), input_stream.as_ref()]
        .into_iter()
        .flatten()
    {
        stream
            .play()
            .map_err(|error| Problem::new(format!("the device does not start: {error}")))?;
    }
    Ok(Running {
        description: format!(
            "{} -> {} at {rate} Hz",
            input.as_ref().map_or("silence".to_owned(), name),
            name(&output)
        ),
        telemetry,
        rate: f64::from(rate),
        deck,
        presses,
        errors,
        dropouts,
        _streams: (output_stream, input_stream),
    })
}

/// What runs in the output callback.
struct Player {
    engine: Engine,
    captured: Option<Consumer<[f32; 2]>>,
    pressed: Consumer<(ControlId, f64)>,
    dropouts: Arc<Dropouts>,
    left: [f32; BLOCK],
    right: [f32; BLOCK],
    events: Vec<Event>,
}

impl Player {
    /// Fills interleaved `data` of `channels` channels: the ears are the first two, the rest is silent.
    fn fill<T: SizedSample + FromSample<f32>>(&mut self, data: &mut [T], channels: usize) {
        for block in data.chunks_mut(BLOCK * channels) {
            let frames = block.len() / channels;
            let mut missing = false;
            for n in 0..frames {
                let frame = self.captured.as_mut().map(|ring| ring.pop());
                missing |= matches!(frame, Some(Err(_)));
                [self.left[n], self.right[n]] = frame.and_then(Result::ok).unwrap_or([0.0; 2]);
            }
            self.dropouts.missed.fetch_add(u64::from(missing), Relaxed);
            self.events.clear();
            while self.events.len() < PRESSES
                && let Ok((control, value)) = self.pressed.pop()
            {
                self.events.push(Event {
                    frame: 0,
                    control,
                    change: Change::Step(value),
                });
            }
            let (left, right) = (&mut self.left[..frames], &mut self.right[..frames]);
            self.engine
                .process(left, right, Transport::Absent, &self.events);
            for (n, frame) in block.chunks_exact_mut(channels).enumerate() {
                frame.fill(T::from_sample(0.0));
                frame[0] = T::from_sample(self.left[n]);
                frame[1] = T::from_sample(self.right[n]);
            }
        }
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

/// Puts the first two channels of interleaved `data` (mono: one, twice) into the ring.
fn take<T: SizedSample>(
    data: &[T],
    channels: usize,
    captured: &mut Producer<[f32; 2]>,
    dropouts: &Dropouts,
) where
    f32: FromSample<T>,
{
    let mut lost = false;
    for frame in data.chunks_exact(channels) {
        let left = f32::from_sample_(frame[0]);
        let right = frame.get(1).map_or(left, |&right| f32::from_sample_(right));
        lost |= captured.push([left, right]).is_err();
    }
    dropouts.lost.fetch_add(u64::from(lost), Relaxed);
}

fn record(
    device: &Device,
    format: &SupportedStreamConfig,
    config: impl Fn(&SupportedStreamConfig) -> StreamConfig,
    mut captured: Producer<[f32; 2]>,
    dropouts: &Arc<Dropouts>,
    failed: mpsc::Sender<cpal::Error>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(format.channels());
    let config = config(format);
    let dropouts = dropouts.clone();
    let error = move |error| drop(failed.send(error));
    match format.sample_format() {
        SampleFormat::I16 => device.build_input_stream(
            config,
            move |data: &[i16], _: &_| take(data, channels, &mut captured, &dropouts),
            error,
            None,
        ),
        SampleFormat::I32 => device.build_input_stream(
            config,
            move |data: &[i32], _: &_| take(data, channels, &mut captured, &dropouts),
            error,
            None,
        ),
        _ => device.build_input_stream(
            config,
            move |data: &[f32], _: &_| take(data, channels, &mut captured, &dropouts),
            error,
            None,
        ),
    }
}
