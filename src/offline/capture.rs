//! Capturing what single nodes put out while a render runs: one WAV file per node, streamed.

use super::tags::Tags;
use super::target::folded;
use super::wav::{WavError, WavWriter};
use crate::file;
use crate::graph::{GraphError, GraphRun, Sink};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What to capture, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The folder that receives `NODE.wav` for every node; made if it does not exist.
    pub folder: PathBuf,
    /// Names of nodes; none for all that have outputs.
    pub nodes: Vec<String>,
    /// Files that must not be written over: what is read, and the render itself.
    pub keep: Vec<PathBuf>,
    /// What the files say of themselves.
    pub tags: Tags,
}

impl Capture {
    /// The file that receives a node.
    pub fn file(&self, node: &str) -> PathBuf {
        capture_file(&self.folder, node)
    }

    /// Reads `DIR` or `DIR:NODE,NODE...`.
    pub fn parse(text: &str) -> Capture {
        match text.rsplit_once(':') {
            Some((folder, nodes)) if !is_drive(folder) && !nodes.contains(['/', '\\']) => Capture {
                folder: PathBuf::from(folder),
                nodes: nodes
                    .split(',')
                    .map(str::trim)
                    .filter(|node| !node.is_empty())
                    .map(str::to_owned)
                    .collect(),
                keep: Vec::new(),
                tags: Tags::default(),
            },
            _ => Capture {
                folder: PathBuf::from(text),
                nodes: Vec::new(),
                keep: Vec::new(),
                tags: Tags::default(),
            },
        }
    }
}

/// Whether what stands before a colon is a drive of Windows: one letter.
fn is_drive(text: &str) -> bool {
    cfg!(windows) && text.len() == 1 && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Why nothing can be captured.
#[derive(Debug)]
pub enum CaptureError {
    /// There is no such node.
    Graph(GraphError),
    /// The node has no output to capture.
    NoOutput(String),
    /// The folder cannot be made.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A capture would have the name of a file that is read or rendered.
    Kept(PathBuf),
    /// The captures of two nodes would have one name.
    Both {
        /// The file.
        path: PathBuf,
        /// The nodes.
        nodes: [String; 2],
    },
    /// A file in it cannot be written.
    Wav(WavError),
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CaptureError::Graph(error) => write!(f, "capture: {error}"),
            CaptureError::NoOutput(node) => write!(f, "capture: node \"{node}\" has no output"),
            CaptureError::Folder { path, error } => {
                write!(
                    f,
                    "{}: the capture folder cannot be made: {}",
                    path.display(),
                    file::why(error)
                )
            }
            CaptureError::Kept(path) => write!(
                f,
                "{}: the capture would overwrite what is read or rendered; name another folder",
                path.display()
            ),
            CaptureError::Both { path, nodes } => write!(
                f,
                "{}: nodes \"{}\" and \"{}\" would both be captured to this file; capture one of them",
                path.display(),
                nodes[0],
                nodes[1]
            ),
            CaptureError::Wav(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CaptureError {}

impl From<WavError> for CaptureError {
    fn from(error: WavError) -> CaptureError {
        CaptureError::Wav(error)
    }
}

/// A file that a tap inside the graph writes and that its starter finishes.
struct Tape {
    path: PathBuf,
    wav: Option<WavWriter>,
    error: Option<WavError>,
}

/// The end of a tape that lives in the graph.
struct Head(Arc<Mutex<Tape>>);

impl Sink for Head {
    fn write(&mut self, channels: &[&[f32]]) {
        let mut tape = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = tape.wav.as_mut().map(|wav| wav.write(channels)) {
            tape.wav = None;
            tape.error = Some(error);
        }
    }
}

/// Running captures. Dropped before they have their names, they leave no file, and no folder that was
/// made for them.
pub struct Captures {
    tapes: Vec<Arc<Mutex<Tape>>>,
    made: Option<PathBuf>,
}

impl Captures {
    /// Sets a tap in `graph` on every node that `capture` names; files hold `rate` hertz.
    ///
    /// # Errors
    /// [`CaptureError`], before any audio is processed.
    pub fn start(
        graph: &mut GraphRun,
        capture: &Capture,
        rate: u32,
    ) -> Result<Captures, CaptureError> {
        let names: Vec<String> = graph.node_names().map(str::to_owned).collect();
        for node in &capture.nodes {
            match graph.channels(node) {
                None => graph.find(node).map(|_| ()).map_err(CaptureError::Graph)?,
                Some(0) => return Err(CaptureError::NoOutput(node.clone())),
                Some(_) => {}
            }
        }
        let mut wanted: Vec<&String> = Vec::new();
        for node in if capture.nodes.is_empty() {
            &names
        } else {
            &capture.nodes
        } {
            if !wanted.contains(&node) {
                wanted.push(node);
            }
        }
        wanted.retain(|node| graph.channels(node).unwrap_or(0) > 0);
        let kept: Vec<String> = capture.keep.iter().filter_map(|path| place(path)).collect();
        for (n, node) in wanted.iter().enumerate() {
            let file = capture.file(node);
            if place(&file).is_some_and(|place| kept.contains(&place)) {
                return Err(CaptureError::Kept(file));
            }
            let same = |other: &&&String| folded(&capture.file(other)) == folded(&file);
            if let Some(other) = wanted[..n].iter().find(same) {
                return Err(CaptureError::Both {
                    nodes: [(*other).clone(), (*node).clone()],
                    path: file,
                });
            }
        }
        let mut captures = Captures {
            tapes: Vec::new(),
            made: None,
        };
        if !capture.folder.is_dir() {
            let begun =
                file::outside(&capture.folder).and_then(|()| fs::create_dir(&capture.folder));
            begun.map_err(|error| CaptureError::Folder {
                path: capture.folder.clone(),
                error,
            })?;
            captures.made = Some(capture.folder.clone());
        }
        for node in wanted {
            let channels = graph.channels(node).unwrap_or(0);
            let path = capture.file(node);
            let mut wav = WavWriter::create(&path, channels, rate)?;
            wav.tag(&capture.tags);
            let tape = Arc::new(Mutex::new(Tape {
                path,
                wav: Some(wav),
                error: None,
            }));
            captures.tapes.push(tape.clone());
            graph
                .capture(node, Box::new(Head(tape)))
                .map_err(CaptureError::Graph)?;
        }
        Ok(captures)
    }

    /// Completes all files; what is left is their names.
    ///
    /// # Errors
    /// The first [`WavError`] that writing or completing met.
    pub(super) fn seal(&self) -> Result<(), CaptureError> {
        for tape in &self.tapes {
            let mut tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(error) = tape.error.take() {
                return Err(error.into());
            }
            if let Some(wav) = &mut tape.wav {
                wav.seal()?;
            }
        }
        Ok(())
    }

    /// Gives all sealed files their names, and returns those.
    ///
    /// # Errors
    /// The first [`WavError`] that the system answered with.
    pub(super) fn finish(mut self) -> Result<Vec<PathBuf>, CaptureError> {
        let mut files = Vec::new();
        for tape in &self.tapes {
            let mut tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(wav) = tape.wav.take() {
                wav.name()?;
                files.push(tape.path.clone());
            }
        }
        self.made = None;
        Ok(files)
    }
}

impl Drop for Captures {
    fn drop(&mut self) {
        for tape in &self.tapes {
            tape.lock().unwrap_or_else(PoisonError::into_inner).wav = None;
        }
        if let Some(folder) = &self.made {
            // Only an empty folder goes: what someone else put there stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Where a file is or would be, whatever way leads there, folded; `None` where its folder does not exist.
fn place(path: &Path) -> Option<String> {
    let place = fs::canonicalize(path).ok().or_else(|| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        Some(folder.join(path.file_name()?))
    })?;
    Some(folded(&place))
}

/// The file that holds a node: its name, with what no file system takes replaced.
fn capture_file(folder: &Path, node: &str) -> PathBuf {
    let name: String = node
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "-_. ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    folder.join(format!("{name}.wav"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_and_nodes_are_told_apart() {
        let parse = |text| {
            let capture = Capture::parse(text);
            (
                capture.folder.to_string_lossy().into_owned(),
                capture.nodes.join("|"),
            )
        };
        assert_eq!(parse("taps"), ("taps".into(), "".into()));
        assert_eq!(
            parse("taps:gate, layer 1"),
            ("taps".into(), "gate|layer 1".into())
        );
        assert_eq!(parse("C:\\taps"), ("C:\\taps".into(), "".into()));
        assert_eq!(parse(".:gate"), (".".into(), "gate".into()));
        assert_eq!(parse("a:b/c:gate"), ("a:b/c".into(), "gate".into()));
        assert_eq!(
            capture_file(Path::new("d"), "a/b:c"),
            Path::new("d/a_b_c.wav")
        );
    }
}
