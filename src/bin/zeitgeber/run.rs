//! `zeitgeber run`: files through a graph of one's own, or through one node.

use crate::args::{self, Problem};
use crate::batch;
use crate::material::{Job, Material, Report, Stage};
use crate::node;
use std::path::Path;
use zeitgeber::file;
use zeitgeber::graph::{Graph, GraphRun};
use zeitgeber::live::{LiveNode, Workshop};
use zeitgeber::node::Tripped;
use zeitgeber::offline::{BlockSize, RenderOptions, Tags, alone, lone_node, prepare, run_graph};

/// A graph of more bytes than this is some other file.
const LONGEST: u64 = 8 << 20;

/// The rate at which a graph is tried that several inputs go through, in hertz.
const RATE: u32 = 48_000;

/// Run a graph, or one node alone, on files
#[derive(clap::Args)]
#[command(
    after_help = "A graph's first two inputs are the two ears, further ones are silent. \
    `zeitgeber nodes` lists the nodes, `zeitgeber graph --json` shows what a graph looks like, \
    `zeitgeber node new` begins a node of your own.\n\n\
    Examples:\n  \
    zeitgeber run gate talk.wav -o gated.wav --set gate.threshold=-40\n  \
    zeitgeber run mine.dsp music.flac -o out.wav --capture taps --plot\n  \
    zeitgeber run gain *.flac -o quieter --format flac --set gain.gain=-6\n\n\
    Several inputs are treated on all processors, each by a graph of its own. What is wrong with one does not stop the \
    others: it is told at the end, with exit code 2."
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
        let read = if is_file { Some(text(path)?) } else { None };
        if read.is_none() {
            node::check_factor(&self.graph)?;
        }
        let make = || match &read {
            Some(text) => Ok((parse(path, text)?, None)),
            None => Ok((lone_node(&self.graph).map_err(args::no_graph)?, None)),
        };
        // Said before anything of the sound is.
        make()?;
        render(
            &make,
            &self.graph,
            is_file.then_some(path),
            &self.material,
            &self.set,
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

/// Makes the graph that one file is rendered through, and what says whether a node of the user's in it fell silent.
type Make<'a> = dyn Fn() -> Result<(Graph, Option<Tripped>), Problem> + Sync + 'a;

/// Renders through a node of the user's alone.
pub fn through(node: &LiveNode, material: &Material, set: &[String]) -> Result<(), Problem> {
    let make = || {
        let (instance, tripped) = node.create()?;
        Ok((alone(&node.info().name, instance)?, Some(tripped)))
    };
    render(&make, &node.info().name, None, material, set)
}

/// Renders all inputs through graphs of a `name`, which were read from a file or not.
fn render(
    make: &Make,
    name: &str,
    file: Option<&Path>,
    material: &Material,
    sets: &[String],
) -> Result<(), Problem> {
    let options = options(material)?;
    material.needs_sound()?;
    let jobs = material.jobs()?;
    let stage = material.stage(jobs.len())?;
    if jobs.len() > 1 {
        // What is wrong with the graph is wrong for all: it is said once.
        ready(make, file, sets, RATE, options.block)?;
    }
    batch::run(material, &jobs, &stage, |job| {
        one(make, name, file, material, sets, job, &stage)
    })
}

/// A graph as it stands before the first frame.
fn ready(
    make: &Make,
    file: Option<&Path>,
    sets: &[String],
    rate: u32,
    block: BlockSize,
) -> Result<(GraphRun, Option<Tripped>), Problem> {
    let (graph, tripped) = make()?;
    let mut graph = prepare(graph, rate, block).map_err(|error| match file {
        Some(file) => Problem::new(format!("{}: {error}", file.display())),
        None => error.into(),
    })?;
    for text in sets {
        set(&mut graph, text)?;
    }
    // What is set before the first frame is there, and does not travel.
    graph.reset();
    Ok((graph, tripped))
}

/// Renders one input.
fn one(
    make: &Make,
    name: &str,
    file: Option<&Path>,
    material: &Material,
    sets: &[String],
    job: &Job,
    stage: &Stage,
) -> Result<Report, Problem> {
    let options = options(material)?;
    let mut source = material.open(job, file, None, false)?;
    let rate = source.rate();
    let (mut graph, tripped) = ready(make, file, sets, rate, options.block)?;
    let tags = Tags::default();
    let capture = material.capture(job, file.map(Path::to_owned).as_ref(), &tags);
    let mut output = material.output(job, stage, source.as_ref(), graph.outputs(), tags)?;
    let mut frames = 0u64;
    let mut fell = None;
    let done = run_graph(
        source.as_mut(),
        &mut graph,
        options.block,
        options.tail,
        capture.as_ref(),
        |channels| {
            if tripped.as_ref().is_some_and(Tripped::is_set) {
                fell = Some(frames as f64 / f64::from(rate));
                return Err(output.given_up());
            }
            frames += channels.first().map_or(0, |channel| channel.len() as u64);
            output.write(channels)
        },
    );
    if let Some(seconds) = fell {
        return Err(Problem::new(format!(
            "{name}: it put out something that is not a number, at {seconds:.2} s; {}",
            node::MEND
        )));
    }
    let (frames, aside) = done?;
    let mut report = output.finish(frames, aside)?;
    material.draw(&mut report, capture.as_ref(), stage);
    Ok(report)
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
fn text(path: &Path) -> Result<String, Problem> {
    file::text(path, LONGEST).map_err(|error| {
        let what = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => format!("cannot be read: {error}"),
        };
        Problem::new(format!("{}: {what}", path.display()))
    })
}

/// The graph of a file.
fn parse(path: &Path, text: &str) -> Result<Graph, Problem> {
    Graph::from_json(text)
        .map_err(|error| Problem::new(format!("{}: {}", path.display(), args::no_graph(error))))
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
