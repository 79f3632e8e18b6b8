//! A source through the engine, block by block, at a place on the timeline.

use super::aside::Aside;
use super::blocks::{BlockSize, Stream};
use super::capture::{Capture, CaptureError, Captures};
use super::decode::{DecodeError, Source};
use super::lanes::{LONGEST, Lane};
use super::marks::{Marks, MarksError};
use super::wav::WavError;
use crate::engine::controls::{CEILING_ON, HRTF_EQ, ORDER, ROOM, SPACE_KIND};
use crate::engine::timeline::TimelineError;
use crate::engine::{
    Change, ControlId, Engine, EngineError, Event, InsertError, Order, SpaceWish, Tempo, Timeline,
    Transport,
};
use crate::hrtf::{self, HrtfError};
use crate::live::{InsertNode, Tripped};
use crate::protocol::Protocol;
use crate::space::bring_all;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a render does beside passing the source through.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// Values of controls before the first frame; of two for one control the later wins.
    pub settings: Vec<(ControlId, f64)>,
    /// Controls over song time; they win over settings.
    pub lanes: Vec<Lane>,
    /// A timeline, which wins over both while `protocol_on` is on.
    pub protocol: Option<Protocol>,
    /// How the stream is cut.
    pub block: BlockSize,
    /// Silence that follows the source, in seconds.
    pub tail: f64,
    /// The song position of the first frame, in seconds; the transport plays from there.
    pub start: f64,
    /// The tempo of the transport in beats per minute, where it has one.
    pub bpm: Option<f64>,
    /// The order of the ambisonic bus that the source is; `None` for stereo.
    pub bus: Option<usize>,
    /// Nodes to capture.
    pub capture: Option<Capture>,
    /// The SOFA file that space renders with; without one the embedded set.
    pub hrtf: Option<PathBuf>,
    /// The nodes of inserts A and B.
    pub inserts: [Option<InsertNode>; 2],
    /// A CSV file that receives beat cycles, pulse onsets and anchors.
    pub markers: Option<PathBuf>,
}

impl Default for RenderOptions {
    fn default() -> RenderOptions {
        RenderOptions {
            settings: Vec::new(),
            lanes: Vec::new(),
            protocol: None,
            block: BlockSize::Frames(512),
            tail: 0.0,
            start: 0.0,
            bpm: None,
            bus: None,
            capture: None,
            hrtf: None,
            inserts: [None, None],
            markers: None,
        }
    }
}

/// What a render has done.
pub struct Rendered {
    /// Frames handed to the output.
    pub frames: u64,
    /// Incoming samples that were not finite and became silence.
    pub repaired: u64,
    /// The most by which a true peak between the samples exceeded the ceiling, in dB; none where the ceiling
    /// was never on. Read at the ends of blocks, between which it falls to a third in a second: a block of
    /// 512 frames at 48 kHz can tell 1 % too little.
    pub overshoot: Option<f32>,
    /// When the nodes of inserts A and B have put out what is not finite, and were left: in seconds from the first
    /// frame, to a block; none where they have not.
    pub tripped: [Option<f64>; 2],
    /// Captures and markers, to be finished when the output has its name.
    pub aside: Aside,
}

/// Why a render failed.
#[derive(Debug)]
pub enum RenderError {
    /// The engine does not run at this rate.
    Engine(EngineError),
    /// The source is damaged.
    Decode(DecodeError),
    /// The output cannot be written.
    Wav(WavError),
    /// A capture cannot be made.
    Capture(CaptureError),
    /// The markers cannot be written.
    Marks(MarksError),
    /// The filters of space cannot be made.
    Hrtf(HrtfError),
    /// A node cannot be an insert.
    Insert(InsertError),
    /// A time is negative, not a number, or beyond 31 years.
    Seconds {
        /// Which: "tail" or "start".
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A tempo that is not above 0.
    Tempo(f64),
    /// A graph that takes one channel, and a source of two.
    Stereo,
    /// Two lanes move one control.
    TwoLanes(&'static str),
    /// No timeline can be made of the protocol.
    Protocol(TimelineError),
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenderError::Engine(error) => error.fmt(f),
            RenderError::Decode(error) => error.fmt(f),
            RenderError::Wav(error) => error.fmt(f),
            RenderError::Capture(error) => error.fmt(f),
            RenderError::Marks(error) => error.fmt(f),
            RenderError::Hrtf(error) => error.fmt(f),
            RenderError::Insert(error) => error.fmt(f),
            RenderError::Seconds { what, value } => write!(
                f,
                "{what}: {value} is not a time from 0 to {LONGEST} s; the nearest valid value is {}",
                if value.is_nan() {
                    0.0
                } else {
                    value.clamp(0.0, LONGEST)
                }
            ),
            RenderError::Tempo(bpm) => {
                write!(
                    f,
                    "bpm: {bpm} is not a tempo above 0; write for example 120"
                )
            }
            RenderError::Stereo => {
                f.write_str("the graph takes one channel and the input has two; give a mono file")
            }
            RenderError::Protocol(error) => write!(f, "protocol: {error}"),
            RenderError::TwoLanes(id) => {
                write!(
                    f,
                    "{id} is automated by two files; give one file per parameter"
                )
            }
        }
    }
}

impl std::error::Error for RenderError {}

impl From<DecodeError> for RenderError {
    fn from(error: DecodeError) -> RenderError {
        RenderError::Decode(error)
    }
}

impl From<WavError> for RenderError {
    fn from(error: WavError) -> RenderError {
        RenderError::Wav(error)
    }
}

impl From<CaptureError> for RenderError {
    fn from(error: CaptureError) -> RenderError {
        RenderError::Capture(error)
    }
}

impl From<MarksError> for RenderError {
    fn from(error: MarksError) -> RenderError {
        RenderError::Marks(error)
    }
}

impl From<HrtfError> for RenderError {
    fn from(error: HrtfError) -> RenderError {
        RenderError::Hrtf(error)
    }
}

impl RenderOptions {
    /// Refuses values that no render can use.
    ///
    /// # Errors
    /// [`RenderError`], naming the value and the nearest valid one.
    pub fn check(&self) -> Result<(), RenderError> {
        for (what, value) in [("tail", self.tail), ("start", self.start)] {
            if !(0.0..=LONGEST).contains(&value) {
                return Err(RenderError::Seconds { what, value });
            }
        }
        if let Some(bpm) = self.bpm.filter(|bpm| !(*bpm > 0.0 && bpm.is_finite())) {
            return Err(RenderError::Tempo(bpm));
        }
        for (n, lane) in self.lanes.iter().enumerate() {
            if self.lanes[..n]
                .iter()
                .any(|other| other.control() == lane.control())
            {
                return Err(RenderError::TwoLanes(lane.control().control().id));
            }
        }
        Ok(())
    }
}

/// Renders `source` at its own rate: hands `output` the two ears block by block (of a bus all channels, ears first) and
/// returns what was rendered. Memory does not grow with the length. `output` may fail to stop the render.
///
/// # Errors
/// [`RenderError`]; captures and markers that were begun leave nothing behind.
pub fn render(
    source: &mut dyn Source,
    options: &RenderOptions,
    mut output: impl FnMut(&[&[f32]]) -> Result<(), WavError>,
) -> Result<Rendered, RenderError> {
    options.check()?;
    let rate = f64::from(source.rate());
    let mut engine = match options.bus {
        None => Engine::new(rate),
        Some(order) => Engine::ambisonic(rate, order),
    }
    .map_err(RenderError::Engine)?;
    for &(control, value) in &options.settings {
        engine.set(control, value);
    }
    let start = (options.start * rate).round() as u64;
    let timeline = options
        .protocol
        .as_ref()
        .map(|protocol| protocol.timeline(&options.settings, rate).map(Arc::new))
        .transpose()
        .map_err(RenderError::Protocol)?;
    let events = schedule(&mut engine, &options.lanes, rate, start);
    supply(
        &mut engine,
        options.hrtf.as_deref(),
        &events,
        timeline.as_deref(),
    )?;
    if let (Some(timeline), Some(mut deck)) = (timeline, engine.take_deck()) {
        // The line of a new engine is empty.
        let _ = deck.send(Order::Timeline(Some(timeline)));
    }
    let brought = insert(&mut engine, &options.inserts)?;
    let captures = options
        .capture
        .as_ref()
        .map(|capture| Captures::start(engine.graph_mut(), capture, source.rate()))
        .transpose()?;
    let marks = options
        .markers
        .as_deref()
        .map(|path| Marks::start(&mut engine, path, start))
        .transpose()?;
    let mut stream = Stream::new(source, engine.channels(), options.block, options.tail);
    let mut upcoming = events.iter().peekable();
    let mut block_events = Vec::new();
    let mut song = start;
    let mut overshoot: Option<f32> = None;
    let mut tripped = [None; 2];
    while let Some(mut channels) = stream.next_block()? {
        let end = song + channels[0].len() as u64;
        block_events.clear();
        while let Some((frame, event)) = upcoming.next_if(|(frame, _)| *frame < end) {
            block_events.push(Event {
                frame: (frame - song) as usize,
                ..*event
            });
        }
        let seconds = song as f64 / rate;
        let transport = Transport::Host {
            playing: true,
            song_frames: i64::try_from(song).ok(),
            tempo: options
                .bpm
                .and_then(|bpm| Tempo::new(bpm, Some(seconds * bpm / 60.0), None)),
        };
        engine.process_channels(&mut channels, transport, &block_events);
        for (fell, node) in tripped.iter_mut().zip(&brought) {
            if fell.is_none() && node.as_ref().is_some_and(Tripped::is_set) {
                *fell = Some((song - start) as f64 / rate);
            }
        }
        let heard: Vec<&[f32]> = channels.iter().map(|channel| &**channel).collect();
        output(&heard)?;
        song = end;
        if engine.get(CEILING_ON) >= 0.5 {
            engine.publish_now();
            let here = engine.telemetry().ceiling_overshoot();
            overshoot = Some(overshoot.map_or(here, |most| most.max(here)));
        }
    }
    engine.finish_marks();
    captures.as_ref().map_or(Ok(()), Captures::seal)?;
    marks.as_ref().map_or(Ok(()), Marks::seal)?;
    Ok(Rendered {
        aside: Aside { captures, marks },
        frames: song - start,
        repaired: engine.telemetry().input_repaired(),
        overshoot,
        tripped,
    })
}

/// Brings the inserts their nodes; tells what says whether they fail.
fn insert(
    engine: &mut Engine,
    nodes: &[Option<InsertNode>; 2],
) -> Result<[Option<Tripped>; 2], RenderError> {
    let (channels, rate) = (engine.insert_channels(), engine.sample_rate());
    let mut tripped = [None, None];
    let Some(mut lines) = engine.take_inserts() else {
        return Ok(tripped);
    };
    for (place, node) in nodes.iter().enumerate() {
        if let Some(node) = node {
            let bring = node.prepare(channels[place], rate);
            let bring = bring.map_err(RenderError::Insert)?;
            tripped[place] = Some(bring.tripped);
            // The line of a new engine is empty.
            let _ = lines[place].send(Some(bring.prepared));
        }
    }
    Ok(tripped)
}

/// Brings an engine all filters that it will ask for, before its first frame. A file that is named is read even
/// where nothing asks for it yet, so that what is wrong with it is said.
fn supply(
    engine: &mut Engine,
    file: Option<&Path>,
    events: &[(u64, Event)],
    timeline: Option<&Timeline>,
) -> Result<(), HrtfError> {
    let values = |control: ControlId| -> Vec<f64> {
        let moved = timeline.into_iter();
        let moved = moved.flat_map(move |timeline| timeline.values(control));
        let later = events
            .iter()
            .filter(move |(_, event)| event.control == control);
        let later = later.filter_map(|(_, event)| match event.change {
            Change::Step(value) | Change::Linear { to: value, .. } => Some(value),
            Change::Note(_) => None,
        });
        let now = std::iter::once(engine.get(control));
        let mut values: Vec<f64> = now.chain(later).chain(moved).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let mut wishes = Vec::new();
    for kind in values(SPACE_KIND) {
        for equalised in values(HRTF_EQ) {
            for order in values(ORDER) {
                let room = values(ROOM).into_iter().fold(0.0, f64::max);
                let wish = engine.space_wish_of(|control| match control {
                    SPACE_KIND => kind,
                    HRTF_EQ => equalised,
                    ORDER => order,
                    ROOM => room,
                    _ => engine.get(control),
                });
                wishes.extend(wish.filter(|wish| !wishes.contains(wish)));
            }
        }
    }
    if wishes.is_empty() && file.is_some() {
        wishes.push(SpaceWish::CHOSEN);
    }
    let source = file.map_or(hrtf::Source::Default, |file| {
        hrtf::Source::File(file.to_owned())
    });
    bring_all(engine, &source, wishes)
}

/// Sets every lane's control to where it is at song frame `start`, and returns what follows, sorted by
/// song frame. Rows of one lane keep their order, and lanes that of the command line.
fn schedule(engine: &mut Engine, lanes: &[Lane], rate: f64, start: u64) -> Vec<(u64, Event)> {
    let mut events: Vec<(u64, Event)> = Vec::new();
    for lane in lanes {
        let control = lane.control();
        let (value, changes) = lane.play(rate, start, engine.get(control));
        engine.set(control, value);
        let event = |change: Change| Event {
            frame: 0,
            control,
            change,
        };
        events.extend(
            changes
                .into_iter()
                .map(|each| (each.frame, event(each.change))),
        );
    }
    events.sort_by_key(|(frame, _)| *frame);
    events
}

#[cfg(test)]
mod tests {
    use super::super::decode::Silence;
    use super::*;
    use crate::engine::controls::BEAT;

    #[test]
    fn every_cut_renders_every_frame_and_the_tail() {
        for block in [1, 7, 512, 4096]
            .map(BlockSize::Frames)
            .into_iter()
            .chain([BlockSize::Random(1)])
        {
            let options = RenderOptions {
                block,
                tail: 0.01,
                ..RenderOptions::default()
            };
            let mut heard = 0;
            let done = render(&mut Silence::new(48_000, 1000), &options, |ears| {
                assert_eq!(ears[0].len(), ears[1].len());
                heard += ears[0].len();
                Ok(())
            });
            assert_eq!((done.unwrap().frames, heard), (1480, 1480), "{block:?}");
        }
    }

    #[test]
    fn impossible_options_are_refused() {
        let refused = |options: RenderOptions| options.check().unwrap_err().to_string();
        let base = RenderOptions::default;
        assert!(
            refused(RenderOptions {
                tail: -1.0,
                ..base()
            })
            .contains("valid value is 0")
        );
        assert!(
            refused(RenderOptions {
                start: f64::NAN,
                ..base()
            })
            .contains("start")
        );
        assert!(
            refused(RenderOptions {
                bpm: Some(0.0),
                ..base()
            })
            .contains("tempo above 0")
        );
        let lane = Lane::parse(BEAT, "0,1").unwrap();
        let lanes = vec![lane.clone(), lane];
        assert!(refused(RenderOptions { lanes, ..base() }).contains("beat is automated by two"));
    }
}
