//! Nodes in inserts A and B as they are played from outside: by the names of their parameters, and by the MIDI
//! controllers and OSC addresses that they declare.

use super::osc::Message;
use crate::engine::{
    ControlId, InsertPlaces, Macro, MidiMover, Mover, NodeParam, Prepared, controls,
};
use std::collections::BTreeMap;

/// A parameter of a node in an insert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InsertParam {
    /// 0 is A, 1 is B.
    pub insert: usize,
    /// Which of those that can be set.
    pub index: usize,
    /// Where it is set.
    pub to: InsertTarget,
}

/// Where a parameter of a node in an insert is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InsertTarget {
    /// Its macro, which stays in charge of it, to a position from 0 to 1.
    Macro(ControlId),
    /// At the node.
    Node(NodeParam),
}

/// What of MIDI moves a parameter of a node in an insert.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub by: MidiMover,
    pub range: Macro,
    pub param: InsertParam,
}

/// The nodes.
#[derive(Debug, Default)]
pub(super) struct Brought {
    places: Option<InsertPlaces>,
    nodes: [Option<BroughtNode>; 2],
}

#[derive(Debug)]
struct BroughtNode {
    name: String,
    /// In their order, each with its place in the insert.
    params: Vec<(Macro, usize)>,
    /// What further parameters have been set to from outside, by name: a new version of the node goes on there.
    values: BTreeMap<String, f64>,
}

impl Brought {
    /// From now on these are the inserts.
    pub fn attach(&mut self, places: InsertPlaces) {
        self.places = Some(places);
    }

    /// An insert is about to be given this node, or none.
    pub fn bring(&mut self, insert: usize, node: Option<&mut Prepared>) {
        let Some(slot) = self.nodes.get_mut(insert) else {
            return;
        };
        let before = slot.take();
        let Some(node) = node else { return };
        let name = node.info().name.clone();
        let params = Macro::all(node.info()).into_iter();
        let params: Vec<_> = params
            .map(|param| {
                let place = node.place(param.index);
                (param, place)
            })
            .collect();
        let values = before
            .filter(|before| before.name == name)
            .map(|before| before.values)
            .unwrap_or_default();
        for (param, _) in &params {
            if let Some(value) = values.get(&param.info().name) {
                node.set(param.index, *value);
            }
        }
        *slot = Some(BroughtNode {
            name,
            params,
            values,
        });
    }

    fn param(&self, insert: usize, index: usize) -> Option<InsertParam> {
        let (_, place) = self.nodes.get(insert)?.as_ref()?.params.get(index)?;
        let macros = &controls::INSERTS.get(insert)?.macros;
        let to = match macros.get(index) {
            Some(control) => InsertTarget::Macro(*control),
            None => InsertTarget::Node(self.places?.param(insert, *place)),
        };
        Some(InsertParam { insert, index, to })
    }

    fn all(&self) -> impl Iterator<Item = (&BroughtNode, &Macro, InsertParam)> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter_map(|(insert, node)| Some((insert, node.as_ref()?)))
            .flat_map(move |(insert, node)| {
                let params = node.params.iter().enumerate();
                params.filter_map(move |(index, (range, _))| {
                    Some((node, range, self.param(insert, index)?))
                })
            })
    }

    /// The range of a parameter.
    pub fn range(&self, param: InsertParam) -> Option<&Macro> {
        let node = self.nodes.get(param.insert)?.as_ref()?;
        node.params.get(param.index).map(|(range, _)| range)
    }

    /// The parameters of that name of the nodes of that name; "insert_a" is whatever insert A holds.
    pub fn named(&self, node: &str, param: &str) -> Vec<InsertParam> {
        let names = ["insert_a", "insert_b"];
        self.all()
            .filter(|(of, range, at)| {
                (of.name == node || names[at.insert] == node) && range.info().name == param
            })
            .map(|(_, _, at)| at)
            .collect()
    }

    /// What a message at an address that a node declares sets, and to which values.
    pub fn heard(&self, message: &Message) -> Vec<(InsertParam, f64)> {
        let number = message.args.first().and_then(|arg| arg.number());
        let Some(number) = number.filter(|number| number.is_finite()) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (_, range, at) in self.all() {
            for mover in &range.info().movers {
                if let Mover::Osc { address, low, high } = mover
                    && *address == message.address
                {
                    all.push((at, range.between(number, *low, *high)));
                }
            }
        }
        all
    }

    /// What of MIDI moves something.
    pub fn declared(&self) -> Vec<Declared> {
        let mut all = Vec::new();
        for (_, range, param) in self.all() {
            for mover in &range.info().movers {
                if let Mover::Midi(by) = mover {
                    all.push(Declared {
                        by: *by,
                        range: range.clone(),
                        param,
                    });
                }
            }
        }
        all
    }

    /// Remembers what a parameter without a macro has been set to.
    pub fn remember(&mut self, param: InsertParam, value: f64) {
        let node = self.nodes.get_mut(param.insert).and_then(Option::as_mut);
        if let Some(node) = node
            && let Some((range, _)) = node.params.get(param.index)
        {
            node.values.insert(range.info().name.clone(), value);
        }
    }
}
