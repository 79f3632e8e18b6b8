//! `zeitgeber node`: nodes of one's own, from the first line to the sound.

use crate::args::{self, Problem};
use crate::material::Material;
use crate::{nodes, print, print_json, run, signals};
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use zeitgeber::file;
use zeitgeber::graph::GraphError;
use zeitgeber::live::{InsertNode, InsertSource, LiveNode, Workshop, examine_into};
use zeitgeber::node::{NodeInfo, ParamKind, registry};

/// How often `watch` looks whether a file was saved.
const GLANCE: Duration = Duration::from_millis(200);

/// Make, check, build and hear nodes of your own
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber node new mine\n  \
    zeitgeber node check mine.dsp\n  \
    zeitgeber node watch mine.dsp music.flac -o out.wav\n\n\
    docs/write-a-node.md is the guide.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Write a beginning of a node: NAME.dsp, or NAME.cpp
    New {
        /// Lower-case letters, digits and _, from a letter on
        name: String,
        /// In Faust, which is what is written without either
        #[arg(long, conflicts_with = "cpp")]
        faust: bool,
        /// In C++
        #[arg(long)]
        cpp: bool,
    },
    /// Compile a node and try whatever a host may do to it
    Check {
        /// A .dsp or .cpp file, or a library that `node build` made
        file: PathBuf,
        /// As JSON: the node's description, and its load
        #[arg(long)]
        json: bool,
    },
    /// Compile and check a node into a library that runs where no compiler is
    Build {
        /// A .dsp or .cpp file
        file: PathBuf,
        /// The library; beside the file where it is not given
        #[arg(short, long, value_name = "OUT")]
        output: Option<PathBuf>,
    },
    /// Render through a node, again each time its file is saved, until Ctrl-C
    Watch {
        /// A .dsp or .cpp file
        file: PathBuf,
        #[command(flatten)]
        material: Box<Material>,
        /// Set a parameter; may be repeated
        #[arg(long, value_name = "NODE.PARAM=V")]
        set: Vec<String>,
    },
    /// Write the source of a Max/MSP external of a node in Faust, to be built with the Max SDK
    ExportMax {
        /// A .dsp file
        file: PathBuf,
        /// The folder to make; NAME_tilde beside the file where it is not given
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
    /// What `check` starts: tries a library in this process and writes into a file how it goes
    #[command(hide = true)]
    Examine {
        library: PathBuf,
        name: String,
        progress: PathBuf,
    },
}

/// The JSON of `node check`.
#[derive(Serialize)]
struct Checked<'a> {
    #[serde(flatten)]
    info: &'a NodeInfo,
    load: f64,
}

impl Args {
    /// Does what the command says.
    pub fn run(self) -> Result<(), Problem> {
        match self.command {
            Command::New { name, cpp, .. } => new(&name, cpp),
            Command::Check { file, json } => check(&file, json),
            Command::Build { file, output } => build(&file, output),
            Command::Watch {
                file,
                material,
                set,
            } => watch(&file, &material, &set),
            Command::ExportMax { file, output } => export_max(&file, output),
            Command::Examine {
                library,
                name,
                progress,
            } => Ok(examine_into(&library, &name, &progress)?),
        }
    }
}

/// Where nodes are made; this program checks them.
pub fn workshop() -> Result<Workshop, Problem> {
    Ok(Workshop::new(std::env::current_exe()?)?)
}

/// Opens a node of the user's.
pub fn open(file: &Path) -> Result<LiveNode, Problem> {
    Ok(workshop()?.open(file)?)
}

/// Finds the node of an insert: a built-in one by its name, or a file, which is compiled and checked.
pub fn for_insert(text: &str) -> Result<InsertNode, Problem> {
    match InsertSource::parse(text) {
        InsertSource::Builtin(name) => {
            check_factor(&name)?;
            registry()
                .info(name.split(['*', '@']).next().unwrap_or(&name))
                .map_err(|error| args::no_graph(GraphError::Node(error)))?;
            Ok(InsertNode::Builtin(name))
        }
        InsertSource::File(file) => Ok(InsertNode::Live(Arc::new(open(&file)?))),
    }
}

/// Refuses a multiple of the rate at which no node runs: "low_pass@3".
pub fn check_factor(name: &str) -> Result<(), Problem> {
    match name.split_once('@') {
        Some((node, factor)) if !["2", "4", "8"].contains(&factor) => Err(Problem::new(format!(
            "\"{name}\": a node runs at 2, 4 or 8 times the rate; write for example {node}@2"
        ))),
        _ => Ok(()),
    }
}

/// What helps where a node puts out what is not a number.
pub const MEND: &str = "keep what it feeds back below 1 and what it divides by away from 0";

/// What is to be said where a node that an insert holds was left, at these seconds.
pub fn left_out(tripped: [Option<f64>; 2], inserts: &[Option<InsertNode>; 2]) -> Vec<String> {
    let all = tripped.into_iter().zip(inserts).zip(["A", "B"]);
    all.filter_map(|((tripped, node), letter)| {
        let (node, seconds) = (node.as_ref()?, tripped?);
        Some(format!(
            "insert {letter}: \"{}\" put out what is not finite at {seconds:.2} s, and was left out from there on; {MEND}",
            node.name()
        ))
    })
    .collect()
}

fn new(name: &str, cpp: bool) -> Result<(), Problem> {
    let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !valid {
        return Err(Problem::new(format!(
            "\"{name}\" is no name of a node: write lower-case letters, digits and _, from a letter on"
        )));
    }
    let (template, ending) = if cpp {
        (include_str!("node/template.cpp"), "cpp")
    } else {
        (include_str!("node/template.dsp"), "dsp")
    };
    let file = PathBuf::from(format!("{name}.{ending}"));
    let made = fs::File::create_new(&file)
        .and_then(|mut out| out.write_all(template.replace("NAME", name).as_bytes()));
    let shown = file.display();
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Problem::new(format!("{shown}: it is there already; name another node"))
        }
        _ => Problem::new(format!("{shown}: cannot be written: {error}")),
    })?;
    print(&format!(
        "{shown}: written; hear it with: zeitgeber run {shown} INPUT -o OUT.wav\n"
    ))
}

fn check(file: &Path, json: bool) -> Result<(), Problem> {
    let node = open(file)?;
    let load = node.report().load;
    if json {
        let info = node.info();
        return print_json(&Checked { info, load });
    }
    print(&format!(
        "{}  takes {:.2} % of a core at 48 kHz\n",
        nodes::describe(node.info()),
        load * 100.0
    ))
}

fn build(file: &Path, output: Option<PathBuf>) -> Result<(), Problem> {
    let node = open(file)?;
    let output = output.unwrap_or_else(|| file.with_extension(std::env::consts::DLL_EXTENSION));
    args::refuse_overwrite(&output, [file])?;
    if !Workshop::takes(&output)
        || ["dsp", "cpp"]
            .iter()
            .any(|e| output.extension() == Some(e.as_ref()))
    {
        return Err(Problem::new(format!(
            "{}: a library is called *.{} here",
            output.display(),
            std::env::consts::DLL_EXTENSION
        )));
    }
    // Beside it first: a library that is open somewhere must not be written over.
    let failed = |error| args::unwritable(&output, &error);
    let place = file::destination(&output).map_err(failed)?;
    let part = file::part(&place, "part");
    fs::copy(node.library(), &part)
        .and_then(|_| fs::rename(&part, &place))
        .map_err(|error| {
            // Nothing half done is left, as far as it can be helped.
            let _ = fs::remove_file(&part);
            failed(error)
        })?;
    print(&format!("{}: built and checked\n", output.display()))
}

fn export_max(file: &Path, output: Option<PathBuf>) -> Result<(), Problem> {
    if file.extension().is_none_or(|ending| ending != "dsp") {
        return Err(Problem::new(format!(
            "{}: only nodes in Faust (.dsp) can be exported to Max",
            file.display()
        )));
    }
    let workshop = workshop()?;
    let node = workshop.open(file)?;
    let info = node.info();
    let source = workshop.export_max(file, info)?;
    let name = &info.name;
    let folder = output.unwrap_or_else(|| file.with_file_name(format!("{name}_tilde")));
    let failed = |path: &Path, error: io::Error| {
        Problem::new(match error.kind() {
            io::ErrorKind::AlreadyExists => format!(
                "{}: it is there already; name another folder with -o",
                path.display()
            ),
            _ => format!(
                "{}: cannot be written: {}",
                path.display(),
                file::why(&error)
            ),
        })
    };
    file::outside(&folder)
        .and_then(|()| fs::create_dir(&folder))
        .map_err(|error| failed(&folder, error))?;
    let texts = [
        (format!("{name}~.cpp"), source),
        (
            "CMakeLists.txt".to_owned(),
            max_text(include_str!("node/max.cmake"), info),
        ),
        (
            "README.md".to_owned(),
            max_text(include_str!("node/max.md"), info),
        ),
    ];
    for (file, text) in texts {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    print(&format!(
        "{}: written; its README.md says how it is built\n",
        folder.display()
    ))
}

/// A text about an external, of this node.
fn max_text(text: &str, info: &NodeInfo) -> String {
    let driven = info.phases.iter().map(|phase| &phase.name);
    let set = info
        .params
        .iter()
        .filter(|param| param.kind != ParamKind::Readout);
    let params: Vec<String> = driven
        .chain(set.map(|param| &param.name))
        .map(|param| format!("`{param}`"))
        .collect();
    let params = match &params[..] {
        [] => "none".to_owned(),
        all => all.join(", "),
    };
    text.replace("NAME", &info.name)
        .replace(
            "CHANNELS",
            &format!("{} in, {} out", info.inputs, info.outputs),
        )
        .replace("PARAMETERS", &params)
}

fn watch(file: &Path, material: &Material, set: &[String]) -> Result<(), Problem> {
    // What saving cannot mend is said at once.
    run::check(material, set)?;
    let workshop = workshop()?;
    let stop = signals::stop_flag()?;
    let mut seen = None;
    while !stop.load(Relaxed) {
        // A file that an editor is just replacing may be gone for a moment.
        let now = Workshop::content(file).ok();
        if seen.is_none() && now.is_none() {
            Workshop::content(file)?;
        }
        if now.is_some() && now != seen {
            seen = now;
            let rendered = workshop
                .open(file)
                .map_err(Problem::from)
                .and_then(|node| run::through(&node, material, set));
            if let Err(problem) = rendered {
                // The last good sound stays where it is.
                crate::tell(problem);
            }
        }
        thread::sleep(GLANCE);
    }
    Ok(())
}
