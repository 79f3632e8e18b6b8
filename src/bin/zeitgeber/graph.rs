//! `zeitgeber graph`: the chain of the engine.

use crate::args::Problem;
use crate::{print, print_json};
use zeitgeber::engine::Engine;

/// Show the engine's chain of nodes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber graph\n  \
    zeitgeber graph --dot | dot -Tsvg > graph.svg\n  \
    zeitgeber graph --json > mine.json")]
pub struct Args {
    /// As a Graphviz graph
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// As JSON that `zeitgeber run` reads
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Prints the chain: by default the names of its nodes, one a line, in the order they run.
    pub fn run(self) -> Result<(), Problem> {
        let engine = Engine::new(48_000.0)?;
        let graph = engine.graph();
        if self.json {
            return print_json(graph.to_json());
        }
        if self.dot {
            return print(&graph.to_dot());
        }
        let mut text = graph.node_names().collect::<Vec<_>>().join("\n");
        text.push('\n');
        print(&text)
    }
}
