//! tmp
/// Receives a captured signal, chunk by chunk, in order: `channels` slices of equal length (frames of one chunk).
pub trait Sink: Send {
    /// One chunk.
    fn write(&mut self, channels: &[&[f32]]);
}
/// A compiled graph.
pub struct GraphRun {}
/// Why.
#[derive(Debug)]
pub struct GraphError;
impl GraphRun {
    /// Names of the nodes in the order they run.
    pub fn node_names(&self) -> Vec<String> { vec![] }
    /// Output channels of a node.
    pub fn outputs(&self, _node: &str) -> Option<usize> { None }
    /// From now on hands every output chunk of the named node to `sink`, until the graph is dropped (offline only: a sink may allocate and write files).
    pub fn capture(&mut self, _node: &str, _sink: Box<dyn Sink>) -> Result<(), GraphError> { Ok(()) }
    /// The graph as JSON.
    pub fn to_json(&self) -> serde_json::Value { serde_json::Value::Null }
    /// The graph in Graphviz dot.
    pub fn to_dot(&self) -> String { String::new() }
}
