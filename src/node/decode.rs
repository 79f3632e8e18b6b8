//! decode: an ambisonic bus to two ears, with decoders that come from outside.
//!
//! Decoders are made on another thread and reach the node through a [`SupplyLine`]; until the first have come it is
//! silent. The registry's own is for graphs without an engine: it makes its own from the embedded set when it is
//! prepared. It lags by 32 frames, which belong to the filters (an onset, not a latency).

use super::supply::{self, Receiver, Render};
use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted};
use crate::dsp::ambisonics::{BusRenderer, DecoderBank, MAX_CHANNELS, MAX_ORDER, sampled};
use crate::dsp::convolve::PARTITION;
use crate::hrtf::{Set, embedded_decoder};
use std::sync::Arc;

/// Messages that fit into a supply line.
const LINE: usize = 2 * MAX_ORDER + 2;

/// Positions of the parameters.
pub mod param {
    /// 1 to 7: which decoder. Channels above are not heard.
    pub const ORDER: usize = 0;
    /// Which filters: 0 as measured, 1 equalised for a diffuse field.
    pub const EQUALISED: usize = 1;
    /// 1 once there are filters.
    pub const READY: usize = 2;
}

/// What reaches the node from outside: a renderer, and decoders of their orders.
pub type Supply = supply::Supply<BusRenderer>;

/// The other end of a node.
pub type SupplyLine = supply::SupplyLine<BusRenderer>;

impl Render for BusRenderer {
    type Bank = DecoderBank;

    fn place(slot: usize, bank: &DecoderBank) -> Option<usize> {
        place(bank.order(), slot)
    }

    fn retired(&mut self) -> Option<Arc<DecoderBank>> {
        BusRenderer::retired(self)
    }

    fn swap(
        &mut self,
        bank: Arc<DecoderBank>,
    ) -> Result<Option<Arc<DecoderBank>>, Arc<DecoderBank>> {
        BusRenderer::swap(self, bank).map_err(|refused| refused.0)
    }
}

/// Where a decoder of an order is kept, as measured (0) or equalised (1).
fn place(order: usize, slot: usize) -> Option<usize> {
    let is_one = (1..=MAX_ORDER).contains(&order) && slot < 2;
    is_one.then(|| 2 * (order - 1) + slot)
}

/// The decoders of a set, by order from 1 on.
struct Decoders(Vec<Arc<DecoderBank>>);

/// Where a node that supplies itself gets its decoders from: the embedded ones, and where there are none for its
/// rate, harmonics fitted to the set, which takes no time.
fn decoders(set: &Arc<Set>) -> Arc<Decoders> {
    set.derived(|hrirs| {
        let orders = 1..=MAX_ORDER;
        Decoders(
            orders
                .map(|order| {
                    let embedded = embedded_decoder(order, set.options, hrirs.rate);
                    let decoder = embedded.unwrap_or_else(|| sampled(hrirs, order));
                    Arc::new(DecoderBank::new(&decoder))
                })
                .collect(),
        )
    })
}

/// The node.
pub struct Decode {
    info: NodeInfo,
    values: Vec<f64>,
    /// Banks as in [`place`].
    supply: Receiver<BusRenderer, { 2 * MAX_ORDER }>,
    /// Frames of the quantum so far.
    position: usize,
    /// Of one that supplies itself; the decoders, so that nothing is freed by handing one back.
    own: Vec<Arc<Decoders>>,
    /// The sets, so that others share them.
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

fn make() -> (Decode, SupplyLine) {
    let params = vec![
        ParamInfo {
            step: 1.0,
            ..ParamInfo::number(
                "order",
                "",
                1.0..=7.0,
                3.0,
                "Which decoder; channels above are not heard, a change fades",
            )
        },
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
            kind: ParamKind::Readout,
            ..ParamInfo::number("ready", "", 0.0..=1.0, 0.0, "Decoders have come")
        },
    ];
    let info = NodeInfo {
        params,
        ..NodeInfo::rust(
            "decode",
            "An ambisonic bus (ACN, SN3D) to two ears, by decoders that are supplied from outside.",
            "bus: ambisonic 7",
            "ears: stereo",
        )
    };
    let (supply, line) = Receiver::new(LINE);
    let node = Decode {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        supply,
        position: 0,
        own: Vec::new(),
        sets: Vec::new(),
    };
    (node, line)
}

impl Decode {
    fn receive(&mut self) {
        if self.supply.receive() {
            self.values[param::READY] = 1.0;
        }
    }

    /// The place of the decoder that is asked for.
    fn wanted(&self) -> Option<usize> {
        let order = self.values[param::ORDER].round() as usize;
        place(order, self.values[param::EQUALISED] as usize)
    }

    fn choose(&mut self) {
        self.supply.choose(self.wanted());
    }
}

impl Node for Decode {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        if !self.supply.alone {
            return Ok(());
        }
        let sets = supply::own_sets(&self.info.name, sample_rate)?;
        self.supply.renderer = None;
        self.supply.sounding = None;
        self.own = sets.iter().map(decoders).collect();
        self.sets = sets;
        for (slot, own) in self.own.iter().enumerate() {
            for (order, bank) in (1..).zip(&own.0) {
                if let Some(place) = place(order, slot) {
                    self.supply.banks[place] = Some(Arc::clone(bank));
                }
            }
        }
        let wanted = self
            .wanted()
            .and_then(|place| self.supply.banks[place].clone());
        if let Some(bank) = wanted {
            let renderer = BusRenderer::new(Arc::clone(&bank), bank.taps());
            self.supply.renderer = Some(Box::new(renderer));
            self.supply.sounding = Some(bank);
            self.values[param::READY] = 1.0;
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.position = 0;
        self.receive();
        // First, so that a fade under way is forgotten and the decoder that is asked for begins.
        if let Some(renderer) = self.supply.renderer.as_mut() {
            renderer.reset();
        }
        self.choose();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [left, right] = outputs else {
            return;
        };
        if inputs.len() < MAX_CHANNELS {
            return;
        }
        let mut done = 0;
        while done < left.len() {
            if self.position == 0 {
                self.receive();
                self.choose();
            }
            let count = (PARTITION - self.position).min(left.len() - done);
            let span = done..done + count;
            let (left, right) = (&mut left[span.clone()], &mut right[span]);
            match self.supply.renderer.as_mut() {
                // One that comes in the middle of a quantum begins with the next.
                Some(renderer) if renderer.rest() == PARTITION - self.position => {
                    renderer.process_part(inputs, done, left, right);
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
        if let Some(value) = accepted(self.info.params.get(index), value) {
            self.values[index] = value;
            // Asked for before every quantum while space is wanted, so that what has come is seen even while the
            // node does not run.
            self.receive();
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }
}
