//! A source through the engine, block by block, at a place on the timeline.

use super::capture::{Capture, CaptureError, Captures};
use super::decode::{DecodeError, Source};
use super::lanes::{LONGEST, Lane};
use super::wav::WavError;
use crate::engine::{Change, ControlId, Engine, EngineError, Event, Transport};
use std::fmt;
use std::str::FromStr;

/// The largest block that can be asked for, in frames.
const LARGEST_BLOCK: usize = 1 << 20;

/// The largest block of a random series, in frames.
const LARGEST_RANDOM: u64 = 1024;

/// How the stream is cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockSize {
    /// Always so many frames, the last block fewer.
    Frames(usize),
    /// Sizes of 1 to 1024 frames, evenly distributed; the same series for the same seed.
    Random(u64),
}

/// Why a block size was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockError(String);

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BlockError(text) = self;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                let nearest = (number.round().max(1.0) as usize).min(LARGEST_BLOCK);
                write!(
                    f,
                    "block: {text} is not a whole number of frames from 1 to {LARGEST_BLOCK}; \
                     the nearest valid value is {nearest}"
                )
            }
            _ => write!(
                f,
                "block: \"{text}\" is neither a number of frames nor random:SEED; \
                 write for example \"512\" or \"random:1\""
            ),
        }
    }
}

impl std::error::Error for BlockError {}

impl FromStr for BlockSize {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<BlockSize, BlockError> {
        let refused = || BlockError(text.to_owned());
        match text.strip_prefix("random:") {
            Some(seed) => seed.parse().map(BlockSize::Random).map_err(|_| refused()),
            None => text
                .parse()
                .ok()
                .filter(|frames| (1..=LARGEST_BLOCK).contains(frames))
                .map(BlockSize::Frames)
                .ok_or_else(refused),
        }
    }
}

impl BlockSize {
    /// The sizes of the blocks, one after the other.
    pub fn blocks(self) -> Blocks {
        Blocks {
            size: self,
            state: if let BlockSize::Random(seed) = self {
                seed
            } else {
                0
            },
        }
    }

    /// The largest of them.
    pub fn largest(self) -> usize {
        match self {
            BlockSize::Frames(frames) => frames.max(1),
            BlockSize::Random(_) => LARGEST_RANDOM as usize,
        }
    }
}

/// An endless series of block sizes in frames, each at least 1.
#[derive(Debug, Clone)]
pub struct Blocks {
    size: BlockSize,
    state: u64,
}

impl Iterator for Blocks {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        Some(match self.size {
            BlockSize::Frames(frames) => frames.max(1),
            BlockSize::Random(_) => {
                // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
                self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = self.state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                ((z ^ (z >> 31)) % LARGEST_RANDOM) as usize + 1
            }
        })
    }
}

/// What a render does beside passing the source through.
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// Values of controls before the first frame; of two for one control the later wins.
    pub settings: Vec<(ControlId, f64)>,
    /// Controls over song time; they win over settings.
    pub lanes: Vec<Lane>,
    /// How the stream is cut.
    pub block: BlockSize,
    /// Silence that follows the source, in seconds.
    pub tail: f64,
    /// The song position of the first frame, in seconds; the transport plays from there.
    pub start: f64,
    /// The tempo of the transport in beats per minute, where it has one.
    pub bpm: Option<f64>,
    /// Nodes to capture.
    pub capture: Option<Capture>,
}

impl Default for RenderOptions {
    fn default() -> RenderOptions {
        RenderOptions {
            settings: Vec::new(),
            lanes: Vec::new(),
            block: BlockSize::Frames(512),
            tail: 0.0,
            start: 0.0,
            bpm: None,
            capture: None,
        }
    }
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
    /// A time is negative, not a number, or beyond 31 years.
    Seconds {
        /// Which: "tail" or "start".
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// A tempo that is not above 0.
    Tempo(f64),
    /// Two lanes move one control.
    TwoLanes(&'static str),
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenderError::Engine(error) => error.fmt(f),
            RenderError::Decode(error) => error.fmt(f),
            RenderError::Wav(error) => error.fmt(f),
            RenderError::Capture(error) => error.fmt(f),
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

/// Renders `source` at its own rate: hands `output` the two ears block by block and returns the number
/// of frames. Memory does not grow with the length. `output` may fail to stop the render.
///
/// # Errors
/// [`RenderError`]; captures that were begun leave nothing behind.
pub fn render(
    source: &mut dyn Source,
    options: &RenderOptions,
    mut output: impl FnMut(&[f32], &[f32]) -> Result<(), WavError>,
) -> Result<u64, RenderError> {
    options.check()?;
    let rate = f64::from(source.rate());
    let mut engine = Engine::new(rate).map_err(RenderError::Engine)?;
    for &(control, value) in &options.settings {
        engine.set(control, value);
    }
    let start = (options.start * rate).round() as u64;
    let events = schedule(&mut engine, &options.lanes, rate, start);
    let captures = options
        .capture
        .as_ref()
        .map(|capture| Captures::start(engine.graph_mut(), capture, source.rate()))
        .transpose()?;
    let mut blocks = options.block.blocks();
    let (mut left, mut right) = (
        vec![0.0; options.block.largest()],
        vec![0.0; options.block.largest()],
    );
    let mut tail = (options.tail * rate).round() as u64;
    let mut upcoming = events.iter().peekable();
    let mut block_events = Vec::new();
    let (mut done, mut ended) = (0u64, false);
    while !ended || tail > 0 {
        let size = blocks.next().unwrap_or(1);
        let mut frames = 0;
        if !ended {
            frames = source.read(&mut left[..size], &mut right[..size])?;
            ended = frames < size;
        }
        let silent = tail.min((size - frames) as u64) as usize;
        left[frames..frames + silent].fill(0.0);
        right[frames..frames + silent].fill(0.0);
        tail -= silent as u64;
        frames += silent;
        if frames == 0 {
            continue;
        }
        block_events.clear();
        while let Some((frame, event)) =
            upcoming.next_if(|(frame, _)| *frame < start + done + frames as u64)
        {
            block_events.push(Event {
                frame: (frame - start - done) as usize,
                ..*event
            });
        }
        let song_frames = i64::try_from(start + done).ok();
        let transport = Transport::Host {
            playing: true,
            song_frames,
        };
        engine.process(
            &mut left[..frames],
            &mut right[..frames],
            transport,
            &block_events,
        );
        output(&left[..frames], &right[..frames])?;
        done += frames as u64;
    }
    captures.map_or(Ok(()), Captures::finish)?;
    Ok(done)
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
    fn block_sizes_are_read_or_refused_by_name() {
        assert_eq!("64".parse(), Ok(BlockSize::Frames(64)));
        assert_eq!("random:7".parse(), Ok(BlockSize::Random(7)));
        for (text, says) in [
            ("0", "nearest valid value is 1"),
            ("-3", "nearest valid value is 1"),
            ("1.5", "nearest valid value is 2"),
            ("99999999", "nearest valid value is 1048576"),
            ("random", "random:SEED"),
            ("random:x", "random:SEED"),
            ("", "random:SEED"),
        ] {
            let error = text.parse::<BlockSize>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn random_blocks_repeat_by_seed_and_span_the_range() {
        let series =
            |seed| -> Vec<usize> { BlockSize::Random(seed).blocks().take(20_000).collect() };
        assert_eq!(series(1), series(1));
        assert_ne!(series(1), series(2));
        assert_eq!(series(3).iter().min(), Some(&1));
        assert_eq!(series(3).iter().max(), Some(&1024));
    }

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
            let done = render(&mut Silence::new(48_000, 1000), &options, |left, right| {
                assert_eq!(left.len(), right.len());
                heard += left.len();
                Ok(())
            });
            assert_eq!((done.unwrap(), heard), (1480, 1480), "{block:?}");
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
