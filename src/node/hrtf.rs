//! hrtf: sources in space to two ears, with filters that come from outside.
//!
//! The filters are made on another thread and reach the node through a [`SupplyLine`]; until the first have
//! come it is silent. The registry's own is for graphs without an engine: it takes the embedded set when it is
//! prepared. It lags by 32 frames, which belong to the filters (an onset, not a latency).

use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted, parse_groups};
use crate::dsp::binaural::{FilterBank, Move, Renderer, Target};
use crate::dsp::convolve::PARTITION;
use crate::hrtf::{Options, Progress, Set, Source, load};
use std::sync::Arc;

/// Sources: two virtual speakers, and two sides for each of four layers.
pub const SOURCES: usize = 10;

/// The channel groups of the sources.
pub(super) const GROUPS: &str =
    "speakers: stereo, layer1: stereo, layer2: stereo, layer3: stereo, layer4: stereo";

/// Messages that fit into a supply line.
const LINE: usize = 8;

/// What one message may give back: all filters that there are, and what a choice does.
const MOST_BACK: usize = 5;

/// Positions of the parameters.
pub mod param {
    /// Which filters: 0 as measured, 1 equalised for a diffuse field.
    pub const EQUALISED: usize = 0;
    /// 1: places move smoothly however far they are; 0: steps of over 5 degrees are fades.
    pub const MOTION: usize = 1;
    /// 1 once there are filters.
    pub const READY: usize = 2;
    /// The first of four for each source: azimuth, elevation, distance, gain.
    pub const PLACES: usize = 3;
}

/// What reaches the node from outside.
pub enum Supply {
    /// A renderer of [`SOURCES`] sources, for as long as the node lives.
    Renderer(Box<Renderer>),
    /// Filters: as measured (0) or equalised (1).
    Bank(usize, Arc<FilterBank>),
    /// What has come is of another set: only what sounds is kept, until the next comes.
    Forget,
}

/// The other end of a node: what brings it filters, and takes back those that it needs no more.
pub struct SupplyLine {
    /// To the node.
    pub to: rtrb::Producer<Supply>,
    /// From the node, to be dropped off the audio thread.
    pub from: rtrb::Consumer<Arc<FilterBank>>,
}

/// The node.
pub struct Hrtf {
    info: NodeInfo,
    values: Vec<f64>,
    renderer: Option<Box<Renderer>>,
    /// By equalisation.
    banks: [Option<Arc<FilterBank>>; 2],
    /// The filters that the renderer has been given last.
    sounding: Option<Arc<FilterBank>>,
    inbox: rtrb::Consumer<Supply>,
    outbox: rtrb::Producer<Arc<FilterBank>>,
    /// Frames of the quantum so far.
    position: usize,
    /// It supplies itself; the sets, so that others share them.
    alone: bool,
    sets: Vec<Arc<Set>>,
}

/// Makes one that supplies itself.
pub fn create_alone() -> Box<dyn Node> {
    let (mut node, _) = make();
    node.alone = true;
    Box::new(node)
}

/// Makes one, with the line that supplies it.
pub fn create() -> (Box<dyn Node>, SupplyLine) {
    let (node, line) = make();
    (Box::new(node), line)
}

/// The parameters of the sources' places: four for each.
pub(super) fn places() -> impl Iterator<Item = ParamInfo> {
    (1..=SOURCES).flat_map(|source| {
        let name = |what: &str| format!("{what}{source}");
        [
            ParamInfo::number(
                &name("azimuth"),
                "deg",
                -360.0..=360.0,
                0.0,
                "Positive to the left",
            ),
            ParamInfo::number(&name("elevation"), "deg", -90.0..=90.0, 0.0, "Positive up"),
            ParamInfo::number(
                &name("distance"),
                "m",
                0.12..=100.0,
                1.5,
                "From the head's centre",
            ),
            ParamInfo::number(&name("gain"), "", 0.0..=4.0, 1.0, "Linear"),
        ]
    })
}

/// Where the four parameters of a place put its source.
pub(super) fn target(place: &[f64]) -> Target {
    match *place {
        [azimuth, elevation, distance, gain] => Target {
            azimuth,
            elevation,
            distance,
            gain,
        },
        _ => Target::default(),
    }
}

/// How the switch `motion` has places change.
pub(super) fn movement(motion: f64) -> Move {
    if motion >= 0.5 {
        Move::Glide
    } else {
        Move::Auto
    }
}

fn make() -> (Hrtf, SupplyLine) {
    let mut params = vec![
        ParamInfo {
            kind: ParamKind::Switch,
            ..ParamInfo::number(
                "equalised",
                "",
                0.0..=1.0,
                1.0,
                "Filters made flat for a diffuse field",
            )
        },
        ParamInfo {
            kind: ParamKind::Switch,
            ..ParamInfo::number(
                "motion",
                "",
                0.0..=1.0,
                0.0,
                "Places move, however far; off: far steps fade",
            )
        },
        ParamInfo {
            kind: ParamKind::Readout,
            ..ParamInfo::number("ready", "", 0.0..=1.0, 0.0, "Filters have come")
        },
    ];
    params.extend(places());
    let info = NodeInfo {
        name: "hrtf".to_owned(),
        language: "rust".to_owned(),
        help:
            "Sources in space to two ears by head-related filters that are supplied from outside."
                .to_owned(),
        inputs: SOURCES,
        outputs: 2,
        input_groups: parse_groups(GROUPS, SOURCES, "in").unwrap_or_default(),
        output_groups: parse_groups("ears: stereo", 2, "out").unwrap_or_default(),
        latency: 0,
        phases: Vec::new(),
        params,
    };
    let (to, inbox) = rtrb::RingBuffer::new(LINE);
    let (outbox, from) = rtrb::RingBuffer::new(LINE + MOST_BACK);
    let node = Hrtf {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        renderer: None,
        banks: [None, None],
        sounding: None,
        inbox,
        outbox,
        position: 0,
        alone: false,
        sets: Vec::new(),
    };
    (node, SupplyLine { to, from })
}

impl Hrtf {
    /// Takes what has come, as long as there is room to give back what it replaces.
    fn receive(&mut self) {
        while self.outbox.slots() > MOST_BACK {
            match self.inbox.pop() {
                Ok(Supply::Renderer(renderer)) if self.renderer.is_none() => {
                    self.renderer = Some(renderer);
                    self.values[param::READY] = 1.0;
                    self.place_all();
                }
                // There is one a life: a second would have to be freed here.
                Ok(Supply::Renderer(renderer)) => std::mem::forget(renderer),
                Ok(Supply::Bank(slot, bank)) => {
                    let old = self
                        .banks
                        .get_mut(slot)
                        .and_then(|place| place.replace(bank));
                    self.give_back(old);
                }
                Ok(Supply::Forget) => {
                    for slot in 0..self.banks.len() {
                        let old = self.banks[slot].take();
                        self.give_back(old);
                    }
                }
                Err(_) => break,
            }
        }
    }

    /// Fades to the filters that are asked for, where they are others than those that sound. Only at the start
    /// of a quantum, so that it does not depend on how the stream is cut.
    fn choose(&mut self) {
        let Some(renderer) = self.renderer.as_mut() else {
            return;
        };
        if !self.alone && self.outbox.slots() < 3 {
            return;
        }
        let retired = renderer.retired();
        let wanted = self.banks[self.values[param::EQUALISED] as usize].as_ref();
        let displaced = match wanted {
            Some(bank)
                if !self
                    .sounding
                    .as_ref()
                    .is_some_and(|now| Arc::ptr_eq(now, bank)) =>
            {
                let displaced = renderer.swap(Arc::clone(bank));
                let before = self.sounding.replace(Arc::clone(bank));
                self.give_back(before);
                match displaced {
                    Ok(displaced) => displaced,
                    Err(refused) => Some(refused.0),
                }
            }
            _ => None,
        };
        self.give_back(retired);
        self.give_back(displaced);
    }

    fn give_back(&mut self, bank: Option<Arc<FilterBank>>) {
        let Some(bank) = bank else {
            return;
        };
        // Held in another place: nothing is freed by this, and the line stays free for what is. Nobody may be there
        // to empty it.
        let mut own = self.banks.iter().flatten();
        if self.alone || own.any(|own| Arc::ptr_eq(own, &bank)) {
            return;
        }
        if let Err(rtrb::PushError::Full(bank)) = self.outbox.push(bank) {
            // Nobody takes anything back any more: better kept for good than freed here.
            std::mem::forget(bank);
        }
    }

    fn place(&mut self, source: usize) {
        let first = param::PLACES + 4 * source;
        let how = movement(self.values[param::MOTION]);
        if let Some(renderer) = self.renderer.as_mut() {
            renderer.set_target(source, target(&self.values[first..first + 4]), how);
        }
    }

    fn place_all(&mut self) {
        for source in 0..SOURCES {
            self.place(source);
        }
    }
}

impl Node for Hrtf {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        if !self.alone {
            return Ok(());
        }
        let load = |equalise| {
            load(
                &Source::Default,
                sample_rate,
                Options { equalise },
                &Progress::new(),
            )
        };
        let sets = [false, true]
            .into_iter()
            .map(load)
            .collect::<Result<Vec<_>, _>>();
        self.sets = sets.map_err(|error| NodeError::Init {
            name: self.info.name.clone(),
            reason: error.to_string(),
        })?;
        self.renderer = None;
        self.sounding = None;
        for (slot, set) in self.sets.iter().enumerate() {
            self.banks[slot] = Some(set.derived(FilterBank::new));
        }
        if let Some(bank) = &self.banks[self.values[param::EQUALISED] as usize] {
            let renderer = Renderer::new(Arc::clone(bank), SOURCES, bank.taps());
            self.renderer = Some(Box::new(renderer));
            self.sounding = Some(Arc::clone(bank));
            self.values[param::READY] = 1.0;
            self.place_all();
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.position = 0;
        self.receive();
        self.choose();
        if let Some(renderer) = self.renderer.as_mut() {
            renderer.reset();
        }
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [left, right] = outputs else {
            return;
        };
        let mut done = 0;
        while done < left.len() {
            if self.position == 0 {
                self.receive();
                self.choose();
            }
            let count = (PARTITION - self.position).min(left.len() - done);
            let span = done..done + count;
            let (left, right) = (&mut left[span.clone()], &mut right[span.clone()]);
            match (
                self.renderer.as_mut(),
                <&[&[f32]; SOURCES]>::try_from(inputs),
            ) {
                (Some(renderer), Ok(inputs)) => {
                    renderer.process(&inputs.map(|input| &input[span.clone()]), left, right);
                }
                _ => {
                    left.fill(0.0);
                    right.fill(0.0);
                }
            }
            self.position = (self.position + count) % PARTITION;
            done += count;
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        let Some(value) = accepted(self.info.params.get(index), value) else {
            return;
        };
        let same = self.values[index] == value;
        self.values[index] = value;
        if index == param::EQUALISED {
            // Asked for before every quantum while space is wanted, so that what has come is seen even
            // while the node does not run.
            self.receive();
        }
        if index == param::MOTION && !same {
            self.place_all();
        } else if let Some(place) = index.checked_sub(param::PLACES)
            && !same
        {
            self.place(place / 4);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }
}
