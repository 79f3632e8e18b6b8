//! `zeitgeber run`: a file through a graph of one's own, or through one node.

use crate::args::{self, Problem};
use crate::material::Material;
use crate::node;
use std::path::Path;
use zeitgeber::file;
use zeitgeber::graph::{Graph, GraphRun};
use zeitgeber::live::{LiveNode, Workshop};
use zeitgeber::offline::{RenderOptions, Tags, alone, lone_node, prepare, run_graph};

/// A graph of more bytes than this is some other file.
const LONGEST: u64 = 8 << 20;

/// Run a graph, or one node alone, on a file
#[derive(clap::Args)]
#[command(
    after_help = "A graph's first two inputs are the two ears, further ones are silent. \
    `zeitgeber nodes` lists the nodes, `zeitgeber graph --json` shows what a graph looks like, \
    `zeitgeber node new` begins a node of your own.\n\n\
    Examples:\n  \
    zeitgeber run gate talk.wav -o gated.wav --set gate.threshold=-40\n  \
    zeitgeber run mine.dsp music.flac -o out.wav --capture taps --plot"
)]
pub struct Args {
    /// A graph as JSON, the name of a node, or a node of your own: .dsp, .cpp, or a built library
    #[arg(value_name = "GRAPH.json|NODE|FILE")]
    graph: String,
    #[command(flatten)]
    material: Material,
    /// Set a parameter of a node, or the frequency of one of its phase inputs; may be repeated
    #[arg(long, value_name = "NODE.PARAM=V")]
    set: Vec<String>,
}

impl Args {
    /// Runs the graph.
    pub fn run(self) -> Result<(), Problem> {
        let path = Path::new(&self.graph);
        if Workshop::takes(path) {
            return through(&node::open(path)?, &self.material, &self.set);
        }
        let is_file = path.exists() || path.extension().is_some_and(|ending| ending == "json");
        let graph = if is_file {
            read(path)?
        } else {
            node::check_factor(&self.graph)?;
            lone_node(&self.graph)?
        };
        render(
            graph,
            is_file.then_some(path),
            &self.material,
            &self.set,
            &|| Ok(()),
        )
    }
}

/// Refuses what no change of the node mends: what is asked for wrongly, a missing INPUT, an output that cannot be.
pub fn check(material: &Material, sets: &[String]) -> Result<(), Problem> {
    for text in sets {
        parts(text)?;
    }
    material.needs_sound()?;
    let job = material.job()?;
    let source = material.open(&job, None, None, false)?;
    options(material)?;
    let stage = material.stage(1)?;
    // Begun and dropped: nothing is left of it.
    material.output(&job, &stage, source.as_ref(), 2, Tags::default())?;
    Ok(())
}

/// Renders through a node of the user's alone.
pub fn through(node: &LiveNode, material: &Material, set: &[String]) -> Result<(), Problem> {
    let (instance, tripped) = node.create()?;
    let graph = alone(&node.info().name, instance)?;
    render(graph, None, material, set, &|| {
        if !tripped.is_set() {
            return Ok(());
        }
        Err(Problem::new(format!(
            "{}: it put out something that is not a number",
            node.info().name
        )))
    })
}

/// Renders through a graph, which was read from a file or not. At the end `fine` says whether all went well.
fn render(
    graph: Graph,
    file: Option<&Path>,
    material: &Material,
    sets: &[String],
    fine: &dyn Fn() -> Result<(), Problem>,
) -> Result<(), Problem> {
    let options = options(material)?;
    material.needs_sound()?;
    let job = material.job()?;
    let mut source = material.open(&job, file, None, false)?;
    let mut graph = prepare(graph, source.rate(), options.block)?;
    for text in sets {
        set(&mut graph, text)?;
    }
    // What is set before the first frame is there, and does not travel.
    graph.reset();
    let tags = Tags::default();
    let capture = material.capture(&job, file.map(Path::to_owned).as_ref(), &tags);
    let stage = material.stage(1)?;
    let mut output = material.output(&job, &stage, source.as_ref(), graph.outputs(), tags)?;
    let done = run_graph(
        source.as_mut(),
        &mut graph,
        options.block,
        options.tail,
        capture.as_ref(),
        |channels| output.write(channels),
    );
    fine()?;
    let (frames, aside) = done?;
    let mut report = output.finish(frames, aside)?;
    material.draw(&mut report, capture.as_ref(), &stage);
    report.tell(material.is_quiet())
}

/// How the material is cut, checked.
fn options(material: &Material) -> Result<RenderOptions, Problem> {
    let options = RenderOptions {
        block: material.block,
        tail: material.tail,
        ..RenderOptions::default()
    };
    options.check()?;
    Ok(options)
}

/// Reads a graph file.
fn read(path: &Path) -> Result<Graph, Problem> {
    let named = |what: String| Problem::new(format!("{}: {what}", path.display()));
    let text = file::text(path, LONGEST).map_err(|error| {
        named(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => format!("cannot be read: {error}"),
        })
    })?;
    Graph::from_json(&text).map_err(|error| named(error.to_string()))
}

/// Node, parameter and value of `NODE.PARAM=V`.
fn parts(text: &str) -> Result<(&str, &str, f64), Problem> {
    const SHAPE: &str = "NODE.PARAM=V";
    let (name, value) = args::assignment(text, "--set", SHAPE)?;
    let (node, param) = name
        .split_once('.')
        .ok_or_else(|| Problem::new(format!("--set \"{text}\": write --set {SHAPE}")))?;
    let value = match value.trim() {
        "on" | "true" => 1.0,
        "off" | "false" => 0.0,
        number => number
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())
            .ok_or_else(|| {
                Problem::new(format!(
                    "{name}: \"{value}\" is not a number; write for example \"1\""
                ))
            })?,
    };
    Ok((node, param, value))
}

/// Sets what `NODE.PARAM=V` says.
fn set(graph: &mut GraphRun, text: &str) -> Result<(), Problem> {
    let (node, param, value) = parts(text)?;
    Ok(graph.set(node, param, value)?)
}
