//! hrtf: sources in space to two ears, with filters that come from outside.
//!
//! The filters are made on another thread and reach the node through a [`SupplyLine`]; until the first have
//! come it is silent. The registry's own is for graphs without an engine: it takes the embedded set when it is
//! prepared. It lags by 32 frames, which belong to the filters (an onset, not a latency).

use super::supply::{self, Receiver, Render};
use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted};
use crate::dsp::binaural::{FilterBank, Move, Renderer, Target};
use crate::dsp::convolve::PARTITION;
use crate::hrtf::Set;
use std::sync::Arc;

/// Sources: two virtual speakers, and two sides for each of four layers.
pub const SOURCES: usize = 10;

/// The channel groups of the sources.
pub(super) const GROUPS: &str =
    "speakers: stereo, layer1: stereo, layer2: stereo, layer3: stereo, layer4: stereo";

/// Messages that fit into a supply line.
const LINE: usize = 8;

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

/// What reaches the node from outside: a renderer of [`SOURCES`] sources, and filters.
pub type Supply = supply::Supply<Renderer>;

/// The other end of a node.
pub type SupplyLine = supply::SupplyLine<Renderer>;

impl Render for Renderer {
    type Bank = FilterBank;

    fn place(slot: usize, _: &FilterBank) -> Option<usize> {
        (slot < 2).then_some(slot)
    }

    fn retired(&mut self) -> Option<Arc<FilterBank>> {
        Renderer::retired(self)
    }

    fn swap(&mut self, bank: Arc<FilterBank>) -> Result<Option<Arc<FilterBank>>, Arc<FilterBank>> {
        Renderer::swap(self, bank).map_err(|refused| refused.0)
    }
}

/// The node.
pub struct Hrtf {
    info: NodeInfo,
    values: Vec<f64>,
    /// Banks by equalisation.
    supply: Receiver<Renderer, 2>,
    /// Frames of the quantum so far.
    position: usize,
    /// Of one that supplies itself; the sets, so that others share them.
    sets: Vec<Arc<Set>>,
}

/// Makes one that supplies itself.
pub fn create_alone() -> Box<dyn Node> {
    let (mut node, _) = make();
    node.supply.alone = true;
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
        params,
        ..NodeInfo::rust(
            "hrtf",
            "Sources in space to two ears by head-related filters that are supplied from outside.",
            GROUPS,
            "ears: stereo",
        )
    };
    let (supply, line) = Receiver::new(LINE);
    let node = Hrtf {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        supply,
        position: 0,
        sets: Vec::new(),
    };
    (node, line)
}

impl Hrtf {
    fn receive(&mut self) {
        if self.supply.receive() {
            self.values[param::READY] = 1.0;
            self.place_all();
        }
    }

    fn choose(&mut self) {
        let wanted = self.values[param::EQUALISED] as usize;
        self.supply.choose(Some(wanted));
    }

    fn place(&mut self, source: usize) {
        let first = param::PLACES + 4 * source;
        let how = movement(self.values[param::MOTION]);
        if let Some(renderer) = self.supply.renderer.as_mut() {
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
        if !self.supply.alone {
            return Ok(());
        }
        self.sets = supply::own_sets(&self.info.name, sample_rate)?;
        self.supply.renderer = None;
        self.supply.sounding = None;
        for (slot, set) in self.sets.iter().enumerate() {
            self.supply.banks[slot] = Some(set.derived(FilterBank::new));
        }
        if let Some(bank) = &self.supply.banks[self.values[param::EQUALISED] as usize] {
            let renderer = Renderer::new(Arc::clone(bank), SOURCES, bank.taps());
            self.supply.renderer = Some(Box::new(renderer));
            self.supply.sounding = Some(Arc::clone(bank));
            self.values[param::READY] = 1.0;
            self.place_all();
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.position = 0;
        self.receive();
        self.choose();
        if let Some(renderer) = self.supply.renderer.as_mut() {
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
                self.supply.renderer.as_mut(),
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
