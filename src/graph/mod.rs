//! Named nodes and connections, checked, compiled into a flat schedule, and run.
//!
//! [`Graph`] is built by name and can be written as JSON and read back; [`Graph::compile`] checks it and
//! makes a [`GraphRun`], which allocates nothing while it processes. Any node's output can be captured
//! whole ([`GraphRun::capture`]) or watched through a lock-free ring ([`GraphRun::tap`]). A graph can be exchanged
//! for another while it plays ([`swappable`]), and be a node itself ([`Graph::into_node`]).

mod compile;
mod delay;
mod error;
mod json;
mod nested;
mod routes;
mod run;
mod slot;
mod swap;
mod tap;

pub use error::GraphError;
pub use json::schema;
pub use run::{GraphRun, NodeIndex};
pub use slot::Activity;
pub use swap::{Editor, Player, swappable};
pub use tap::Sink;

use crate::node::{Group, Node, registry};

/// The name of the graph's own inputs, where connections start.
pub const INPUT: &str = "in";
/// The name of the graph's own outputs, where connections end.
pub const OUTPUT: &str = "out";

/// Nodes by name and the connections between them, not yet checked as a whole.
pub struct Graph {
    inputs: usize,
    outputs: usize,
    nodes: Vec<Entry>,
    connections: Vec<Connection>,
}

struct Entry {
    name: String,
    node: Box<dyn Node>,
}

/// A run of channels from one place to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Connection {
    from: Port,
    to: Port,
    channels: usize,
}

/// A run of channels of a node or of the graph's own ends.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Port {
    /// As written: "gate" or "mix.b".
    text: String,
    /// Position in `nodes`; `None` is the graph's own end.
    node: Option<usize>,
    first: usize,
    channels: usize,
}

impl Graph {
    /// An empty graph with so many input and output channels.
    pub fn new(inputs: usize, outputs: usize) -> Graph {
        Graph {
            inputs,
            outputs,
            nodes: Vec::new(),
            connections: Vec::new(),
        }
    }

    /// Adds a node under a name.
    ///
    /// # Errors
    /// [`GraphError::Name`] for a name that is taken, reserved or not made of letters, digits, `_` and `-`.
    pub fn add(&mut self, name: &str, node: Box<dyn Node>) -> Result<&mut Self, GraphError> {
        let valid = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let problem = if !valid {
            "is not made of letters, digits, _ and -"
        } else if name == INPUT || name == OUTPUT {
            "is the graph's own end"
        } else if self.position(name).is_some() {
            "is used twice"
        } else {
            self.nodes.push(Entry {
                name: name.to_owned(),
                node,
            });
            return Ok(self);
        };
        Err(GraphError::Name {
            name: name.to_owned(),
            problem,
        })
    }

    /// Adds a built-in node under a name.
    ///
    /// # Errors
    /// As [`Graph::add`]; [`GraphError::Node`] where there is no such node.
    pub fn add_builtin(&mut self, name: &str, kind: &str) -> Result<&mut Self, GraphError> {
        let node = registry().create(kind).map_err(GraphError::Node)?;
        self.add(name, node)
    }

    /// Sets a parameter of a node before the graph runs.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`], [`GraphError::UnknownParam`], [`GraphError::Value`].
    pub fn set(&mut self, node: &str, param: &str, value: f64) -> Result<&mut Self, GraphError> {
        let position = self.find(node)?;
        let entry = &mut self.nodes[position];
        let index = error::find_param(node, entry.node.info(), param, value)?;
        entry.node.set_param(index, value);
        Ok(self)
    }

    /// Connects all channels of one end to all of another: "gate", a group of a node "mix.b", the graph's own
    /// ends "in" and "out", or some channels of any of these, counted from 1: `rotate[1-16]`, `in[1]`. What
    /// arrives at the same channels from several places is summed (in f64).
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`], [`GraphError::UnknownGroup`], [`GraphError::Channels`].
    pub fn connect(&mut self, from: &str, to: &str) -> Result<&mut Self, GraphError> {
        let from = self.port(from, Side::Source)?;
        let to = self.port(to, Side::Target)?;
        if from.channels != to.channels {
            return Err(GraphError::Channels {
                from: from.text,
                from_channels: from.channels,
                to: to.text,
                to_channels: to.channels,
            });
        }
        let channels = from.channels;
        self.connections.push(Connection { from, to, channels });
        Ok(self)
    }

    /// Removes a node and its connections.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`].
    pub fn remove(&mut self, name: &str) -> Result<&mut Self, GraphError> {
        let position = self.find(name)?;
        self.nodes.remove(position);
        self.connections
            .retain(|c| c.from.node != Some(position) && c.to.node != Some(position));
        for connection in &mut self.connections {
            for port in [&mut connection.from, &mut connection.to] {
                port.node = port.node.map(|node| node - usize::from(node > position));
            }
        }
        Ok(self)
    }

    /// Puts another node in the place of one, under its name and with its connections, which must fit.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`]; what [`Graph::connect`] says of a connection that does not fit, and then nothing
    /// is changed.
    pub fn replace(&mut self, name: &str, node: Box<dyn Node>) -> Result<&mut Self, GraphError> {
        let position = self.find(name)?;
        let old = std::mem::replace(&mut self.nodes[position].node, node);
        let before = std::mem::take(&mut self.connections);
        for connection in &before {
            let again = (connection.from.text.clone(), connection.to.text.clone());
            if let Err(error) = self.connect(&again.0, &again.1) {
                self.nodes[position].node = old;
                self.connections = before;
                return Err(error);
            }
        }
        Ok(self)
    }

    /// Undoes [`Graph::connect`] with the same words.
    ///
    /// # Errors
    /// [`GraphError::NotConnected`].
    pub fn disconnect(&mut self, from: &str, to: &str) -> Result<&mut Self, GraphError> {
        let found = self
            .connections
            .iter()
            .position(|c| c.from.text == from && c.to.text == to);
        match found {
            Some(position) => {
                self.connections.remove(position);
                Ok(self)
            }
            None => Err(GraphError::NotConnected {
                from: from.to_owned(),
                to: to.to_owned(),
            }),
        }
    }

    /// Connects a chain: `serial(&["in", "gate", "ceiling", "out"])`.
    ///
    /// # Errors
    /// As [`Graph::connect`].
    pub fn serial(&mut self, ends: &[&str]) -> Result<&mut Self, GraphError> {
        for pair in ends.windows(2) {
            self.connect(pair[0], pair[1])?;
        }
        Ok(self)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|entry| entry.name == name)
    }

    fn find(&self, name: &str) -> Result<usize, GraphError> {
        self.position(name).ok_or_else(|| {
            let names = self.nodes.iter().map(|entry| entry.name.as_str());
            GraphError::unknown_node(name, names)
        })
    }

    fn port(&self, text: &str, side: Side) -> Result<Port, GraphError> {
        let Some((end, channels)) = text.strip_suffix(']').and_then(|text| text.split_once('['))
        else {
            return self.whole_port(text, side);
        };
        let whole = self.whole_port(end, side)?;
        let (first, last) = channels.split_once('-').unwrap_or((channels, channels));
        match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
            (Ok(first), Ok(last)) if 1 <= first && first <= last && last <= whole.channels => {
                Ok(Port {
                    text: text.to_owned(),
                    first: whole.first + first - 1,
                    channels: last - first + 1,
                    ..whole
                })
            }
            _ => Err(GraphError::UnknownGroup {
                node: end.to_owned(),
                group: format!("[{channels}]"),
                groups: vec![format!("[1-{}]", whole.channels)],
            }),
        }
    }

    fn whole_port(&self, text: &str, side: Side) -> Result<Port, GraphError> {
        let (name, group) = match text.split_once('.') {
            Some((name, group)) => (name, Some(group)),
            None => (text, None),
        };
        let port = |node, first, channels| Port {
            text: text.to_owned(),
            node,
            first,
            channels,
        };
        let own_end = match side {
            Side::Source => (INPUT, self.inputs),
            Side::Target => (OUTPUT, self.outputs),
        };
        if name == own_end.0 && group.is_none() {
            return Ok(port(None, 0, own_end.1));
        }
        let position = self.position(name).ok_or_else(|| {
            let names = self.nodes.iter().map(|entry| entry.name.as_str());
            let ends = group.is_none().then_some(own_end.0);
            GraphError::unknown_node(name, names.chain(ends))
        })?;
        let info = self.nodes[position].node.info();
        let (groups, channels): (&[Group], usize) = match side {
            Side::Source => (&info.output_groups, info.outputs),
            Side::Target => (&info.input_groups, info.inputs),
        };
        match group {
            None => Ok(port(Some(position), 0, channels)),
            Some(group) => groups
                .iter()
                .find(|candidate| candidate.name == group)
                .map(|found| port(Some(position), found.first, found.channels))
                .ok_or_else(|| GraphError::UnknownGroup {
                    node: name.to_owned(),
                    group: group.to_owned(),
                    groups: groups.iter().map(|group| group.name.clone()).collect(),
                }),
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Source,
    Target,
}
