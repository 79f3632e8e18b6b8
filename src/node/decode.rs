//! decode: an ambisonic bus to two ears, with decoders that come from outside.
//!
//! Decoders are made on another thread and reach the node through a [`SupplyLine`]; until the first have come it is
//! silent. The registry's own is for graphs without an engine: it makes its own from the embedded set when it is
//! prepared. It lags by 32 frames, which belong to the filters (an onset, not a latency).

use super::{Node, NodeError, NodeInfo, ParamInfo, ParamKind, accepted, parse_groups};
use crate::dsp::ambisonics::{BusRenderer, DecoderBank, MAX_CHANNELS, MAX_ORDER, sampled};
use crate::dsp::convolve::PARTITION;
use crate::hrtf::{Options, Progress, Set, Source, embedded_decoder, load};
use std::sync::Arc;

/// Messages that fit into a supply line.
const LINE: usize = 2 * MAX_ORDER + 2;

/// What one message may give back: all decoders that there are, and what a choice does.
const MOST_BACK: usize = 2 * MAX_ORDER + 3;

/// Positions of the parameters.
pub mod param {
    /// 1 to 7: which decoder. Channels above are not heard.
    pub const ORDER: usize = 0;
    /// Which filters: 0 as measured, 1 equalised for a diffuse field.
    pub const EQUALISED: usize = 1;
    /// 1 once there are filters.
    pub const READY: usize = 2;
}

/// What reaches the node from outside.
pub enum Supply {
    /// A renderer, for as long as the node lives.
    Renderer(Box<BusRenderer>),
    /// A decoder of its order: as measured (0) or equalised (1).
    Bank(usize, Arc<DecoderBank>),
    /// What has come is of another set: only what sounds is kept, until the next comes.
    Forget,
}

/// The other end of a node: what brings it decoders, and takes back those that it needs no more.
pub struct SupplyLine {
    /// To the node.
    pub to: rtrb::Producer<Supply>,
    /// From the node, to be dropped off the audio thread.
    pub from: rtrb::Consumer<Arc<DecoderBank>>,
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
    renderer: Option<Box<BusRenderer>>,
    /// By order from 1 on, and equalisation.
    banks: [[Option<Arc<DecoderBank>>; 2]; MAX_ORDER],
    /// The decoder that the renderer has been given last.
    sounding: Option<Arc<DecoderBank>>,
    inbox: rtrb::Consumer<Supply>,
    outbox: rtrb::Producer<Arc<DecoderBank>>,
    /// Frames of the quantum so far.
    position: usize,
    /// It supplies itself; the decoders, so that nothing is freed by handing one back.
    alone: bool,
    own: Vec<Arc<Decoders>>,
    /// The sets, so that others share them.
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
        name: "decode".to_owned(),
        language: "rust".to_owned(),
        help:
            "An ambisonic bus (ACN, SN3D) to two ears, by decoders that are supplied from outside."
                .to_owned(),
        inputs: MAX_CHANNELS,
        outputs: 2,
        input_groups: parse_groups("bus: ambisonic 7", MAX_CHANNELS, "in").unwrap_or_default(),
        output_groups: parse_groups("ears: stereo", 2, "out").unwrap_or_default(),
        latency: 0,
        phases: Vec::new(),
        params,
    };
    let (to, inbox) = rtrb::RingBuffer::new(LINE);
    let (outbox, from) = rtrb::RingBuffer::new(LINE + MOST_BACK);
    let node = Decode {
        values: info.params.iter().map(|param| param.default).collect(),
        info,
        renderer: None,
        banks: Default::default(),
        sounding: None,
        inbox,
        outbox,
        position: 0,
        alone: false,
        own: Vec::new(),
        sets: Vec::new(),
    };
    (node, SupplyLine { to, from })
}

impl Decode {
    /// Takes what has come, as long as there is room to give back what it replaces.
    fn receive(&mut self) {
        while self.outbox.slots() > MOST_BACK {
            match self.inbox.pop() {
                Ok(Supply::Renderer(renderer)) if self.renderer.is_none() => {
                    self.renderer = Some(renderer);
                    self.values[param::READY] = 1.0;
                }
                // There is one a life: a second would have to be freed here.
                Ok(Supply::Renderer(renderer)) => std::mem::forget(renderer),
                Ok(Supply::Bank(slot, bank)) => {
                    let place = self
                        .banks
                        .get_mut(bank.order().wrapping_sub(1))
                        .and_then(|slots| slots.get_mut(slot));
                    let old = match place {
                        Some(place) => place.replace(bank),
                        None => Some(bank),
                    };
                    self.give_back(old);
                }
                Ok(Supply::Forget) => {
                    for place in 0..2 * MAX_ORDER {
                        let old = self.banks[place / 2][place % 2].take();
                        self.give_back(old);
                    }
                }
                Err(_) => break,
            }
        }
    }

    fn wanted(&self) -> Option<&Arc<DecoderBank>> {
        let order = self.values[param::ORDER].round() as usize;
        let slots = self.banks.get(order.wrapping_sub(1))?;
        slots[self.values[param::EQUALISED] as usize].as_ref()
    }

    /// Fades to the decoder that is asked for, where it is another than the one that sounds. Only at the start of a
    /// quantum, so that it does not depend on how the stream is cut.
    fn choose(&mut self) {
        let Some(renderer) = self.renderer.as_mut() else {
            return;
        };
        if !self.alone && self.outbox.slots() < 3 {
            return;
        }
        let retired = renderer.retired();
        let sounds = |bank: &Arc<DecoderBank>| {
            let now = self.sounding.as_ref();
            now.is_some_and(|now| Arc::ptr_eq(now, bank))
        };
        let wanted = self.wanted().filter(|bank| !sounds(bank)).map(Arc::clone);
        let mut displaced = None;
        if let (Some(bank), Some(renderer)) = (wanted, self.renderer.as_mut()) {
            displaced = match renderer.swap(Arc::clone(&bank)) {
                Ok(displaced) => displaced,
                Err(refused) => Some(refused.0),
            };
            let before = self.sounding.replace(bank);
            self.give_back(before);
        }
        self.give_back(retired);
        self.give_back(displaced);
    }

    fn give_back(&mut self, bank: Option<Arc<DecoderBank>>) {
        let Some(bank) = bank else {
            return;
        };
        // Held in another place: nothing is freed by this, and the line stays free for what is. Nobody may be there
        // to empty it.
        let mut own = self.banks.iter().flatten().flatten();
        if self.alone || own.any(|own| Arc::ptr_eq(own, &bank)) {
            return;
        }
        if let Err(rtrb::PushError::Full(bank)) = self.outbox.push(bank) {
            // Nobody takes anything back any more: better kept for good than freed here.
            std::mem::forget(bank);
        }
    }
}

impl Node for Decode {
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
        let sets = sets.map_err(|error| NodeError::Init {
            name: self.info.name.clone(),
            reason: error.to_string(),
        })?;
        self.renderer = None;
        self.sounding = None;
        self.own = sets.iter().map(decoders).collect();
        self.sets = sets;
        for (slot, own) in self.own.iter().enumerate() {
            for (places, bank) in self.banks.iter_mut().zip(&own.0) {
                places[slot] = Some(Arc::clone(bank));
            }
        }
        if let Some(bank) = self.wanted().map(Arc::clone) {
            let renderer = BusRenderer::new(Arc::clone(&bank), bank.taps());
            self.renderer = Some(Box::new(renderer));
            self.sounding = Some(bank);
            self.values[param::READY] = 1.0;
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.position = 0;
        self.receive();
        // First, so that a fade under way is forgotten and the decoder that is asked for begins.
        if let Some(renderer) = self.renderer.as_mut() {
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
            match self.renderer.as_mut() {
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
