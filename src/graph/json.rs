//! Graphs as JSON and as Graphviz dot.
//!
//! `{"inputs": 2, "outputs": 2, "nodes": {"quiet": {"node": "gain", "params": {"gain": -6}}},
//!   "connections": [["in", "quiet"], ["quiet", "out"]]}`

use super::{Graph, GraphError, GraphRun, INPUT, OUTPUT};
use crate::node::{ParamKind, registry};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt::Write;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "stereo")]
    inputs: usize,
    #[serde(default = "stereo")]
    outputs: usize,
    nodes: Map<String, Value>,
    connections: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNode {
    node: String,
    #[serde(default)]
    params: Map<String, Value>,
}

fn stereo() -> usize {
    2
}

impl Graph {
    /// Reads a graph.
    ///
    /// # Errors
    /// [`GraphError::Json`] with the place; and whatever building it by hand would say.
    pub fn from_json(text: &str) -> Result<Graph, GraphError> {
        let file: File = serde_json::from_str(text).map_err(|error| GraphError::Json {
            place: format!("line {}, column {}", error.line(), error.column()),
            problem: error.to_string(),
        })?;
        let within = |key: &str, problem: String| GraphError::Json {
            place: key.to_owned(),
            problem,
        };
        let widest = crate::node::MAX_CHANNELS;
        for (key, channels) in [("inputs", file.inputs), ("outputs", file.outputs)] {
            if channels > widest {
                return Err(within(
                    key,
                    format!("{channels} is more than {widest} channels"),
                ));
            }
        }
        let mut graph = Graph::new(file.inputs, file.outputs);
        for (name, value) in file.nodes {
            let key = format!("nodes.{name}");
            let node: FileNode =
                serde_json::from_value(value).map_err(|error| within(&key, error.to_string()))?;
            graph.add_builtin(&name, &node.node)?;
            for (param, value) in node.params {
                let value = value.as_f64().ok_or_else(|| {
                    within(
                        &format!("{key}.params.{param}"),
                        format!("{value} is not a number"),
                    )
                })?;
                graph.set(&name, &param, value)?;
            }
        }
        for (from, to) in file.connections {
            graph.connect(&from, &to)?;
        }
        Ok(graph)
    }

    /// The graph as JSON: its nodes with the values of their parameters, and its connections.
    pub fn description(&self) -> Value {
        let nodes: Map<String, Value> = self
            .nodes
            .iter()
            .map(|entry| {
                let info = entry.node.info();
                let params: Map<String, Value> = info
                    .params
                    .iter()
                    .enumerate()
                    .filter(|(_, param)| param.kind != ParamKind::Readout)
                    .map(|(index, param)| (param.name.clone(), json!(entry.node.get_param(index))))
                    .collect();
                let node = json!({"node": info.name, "params": params});
                (entry.name.clone(), node)
            })
            .collect();
        let connections: Vec<Value> = self
            .connections
            .iter()
            .map(|connection| json!([connection.from.text, connection.to.text]))
            .collect();
        json!({
            "inputs": self.inputs,
            "outputs": self.outputs,
            "nodes": nodes,
            "connections": connections,
        })
    }
}

/// The JSON Schema of graphs, made from the registry. `docs/graph.schema.json` is a copy, which a test compares.
pub fn schema() -> Value {
    let infos = registry().infos();
    let kinds: Vec<Value> = infos
        .iter()
        .map(|info| {
            let params: Map<String, Value> = info
                .params
                .iter()
                .filter(|param| param.kind != ParamKind::Readout)
                .map(|param| {
                    let unit = if param.unit.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", param.unit)
                    };
                    let value = json!({
                        "description": format!("{}{unit}", param.help),
                        "type": "number",
                        "minimum": param.min,
                        "maximum": param.max,
                        "default": param.default,
                    });
                    (param.name.clone(), value)
                })
                .collect();
            json!({
                "if": {"properties": {"node": {"pattern": format!("^{}(@[248])?$", info.name)}}},
                "then": {"properties": {"params": {
                    "description": info.help,
                    "properties": params,
                    "additionalProperties": false,
                }}},
            })
        })
        .collect();
    let names: Vec<&str> = infos.iter().map(|info| info.name.as_str()).collect();
    let channels = json!({
        "type": "integer",
        "minimum": 0,
        "maximum": crate::node::MAX_CHANNELS,
        "default": stereo(),
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Zeitgeber graph",
        "type": "object",
        "required": ["nodes", "connections"],
        "additionalProperties": false,
        "properties": {
            "inputs": channels,
            "outputs": channels,
            "nodes": {
                "description": "The nodes by name.",
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9_-]+$", "not": {"enum": [INPUT, OUTPUT]}},
                "additionalProperties": {
                    "type": "object",
                    "required": ["node"],
                    "additionalProperties": false,
                    "properties": {
                        "node": {
                            "description": "What it is: a built-in node, *N for a bus of N channels, @2, @4 or @8 for a multiple of the rate.",
                            "type": "string",
                            "pattern": format!("^({})(\\*[0-9]+)?(@[248])?$", names.join("|")),
                        },
                        "params": {"type": "object", "additionalProperties": {"type": "number"}},
                    },
                    "allOf": kinds,
                },
            },
            "connections": {
                "description": "From and to: a node, a group of it (mix.b), some channels (rotate[1-16]), in and out.",
                "type": "array",
                "items": {
                    "type": "array",
                    "prefixItems": [{"type": "string"}, {"type": "string"}],
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
        },
    })
}

impl GraphRun {
    /// The graph in Graphviz dot.
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph zeitgeber {\n  rankdir=LR;\n  node [shape=box];\n");
        for end in [INPUT, OUTPUT] {
            let _ = writeln!(dot, "  \"{end}\" [shape=plaintext];");
        }
        let description = self.to_json();
        if let Some(nodes) = description["nodes"].as_object() {
            for (name, node) in nodes {
                let kind = node["node"].as_str().unwrap_or_default();
                let _ = writeln!(dot, "  \"{name}\" [label=\"{name}\\n{kind}\"];");
            }
        }
        for connection in description["connections"].as_array().into_iter().flatten() {
            let end = |index: usize| {
                let text = connection[index].as_str().unwrap_or_default();
                match text.find(['.', '[']) {
                    Some(place) => {
                        let group = text[place..].trim_start_matches('.');
                        let label = format!(" [headlabel=\"{group}\"]");
                        (text[..place].to_owned(), label)
                    }
                    None => (text.to_owned(), String::new()),
                }
            };
            let ((from, _), (to, label)) = (end(0), end(1));
            let _ = writeln!(dot, "  \"{from}\" -> \"{to}\"{label};");
        }
        dot.push_str("}\n");
        dot
    }
}
