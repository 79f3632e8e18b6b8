//! Nodes that a user brings: a `.dsp` or `.cpp` file is compiled by the installed compilers, tried in a
//! process of its own, kept by its content, and opened.
//!
//! A [`Workshop`] does all of this and takes seconds: never on the audio thread, and in a host on a worker.
//! Whatever the file holds, the worst that comes back is a [`LiveError`] with a message for people. What the
//! compilers and the check may use is bounded; a node that crashes or never ends takes only the check's
//! process with it. A node that was let in and later puts out what is not finite falls silent
//! ([`Tripped`]).

mod checker;
mod child;
mod compile;
mod error;
mod examine;
mod guard;
mod insert;

pub use crate::node::Tripped;
pub use checker::{CHECKER, checker};
pub use error::LiveError;
pub use examine::examine;
pub use insert::{Bring, InsertNode, InsertSource, builtin, names, prepare};

use crate::dsp::hash::{BASIS, fnv_on};
use crate::node::foreign::ForeignKind;
use crate::node::{Node, NodeError, NodeInfo};
use child::{End, Limits};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Goes up with every change of how sources are compiled or checked.
const VERSION: u32 = 1;

/// The most files that a source may draw in and still be known by them.
const MOST_FILES: usize = 256;

/// How many compiled nodes are kept; those that were made longest ago go first.
const KEPT: usize = 200;

/// Work that has not moved for so long is nobody's.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// The largest file beside a source that it is known by, in bytes.
const LARGEST_PART: u64 = 16 << 20;

/// The check of an ordinary node takes a second.
const CHECK: Limits = Limits {
    processor: 10,
    wall: Duration::from_secs(30),
    memory: 2 << 30,
};

/// What is known of a node that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Share of one core that it takes at 48 kHz in blocks of 64 frames.
    pub load: f64,
}

/// What the process that checks a node writes into a file: what it is about to try, and how all ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// It was about to try this.
    Doing(String),
    /// The node may be used.
    Fine(Report),
    /// It may not.
    Wrong(String),
}

/// A source with its name.
struct Source {
    /// Where it is, from the root on.
    file: PathBuf,
    /// What the user called it.
    shown: PathBuf,
    name: String,
    /// Ends what compiles it.
    stop: Arc<AtomicBool>,
}

impl Source {
    fn new(file: &Path) -> Result<Source, LiveError> {
        Ok(Source {
            file: crate::file::plain(file)
                .and_then(|_| fs::canonicalize(file))
                .map_err(|error| LiveError::read(file, error))?,
            shown: file.to_owned(),
            name: compile::node_name(file),
            stop: Arc::default(),
        })
    }

    /// A number for everything that a library is made of: the source, the files beside it that it names, what
    /// they are compiled against, and with what.
    fn content(&self) -> Result<u128, LiveError> {
        let mut hash = fnv_on(BASIS, &VERSION.to_le_bytes());
        for text in [std::env::consts::ARCH, std::env::consts::OS] {
            hash = fnv_on(hash, text.as_bytes());
        }
        for (_, text) in compile::SUPPORT {
            hash = fnv_on(hash, text.as_bytes());
        }
        let mut waiting = vec![self.file.clone()];
        let mut seen = BTreeSet::new();
        while let Some(file) = waiting.pop() {
            if seen.len() >= MOST_FILES || !seen.insert(file.clone()) {
                continue;
            }
            let bytes = fs::read(&file).map_err(|error| LiveError::read(&self.shown, error))?;
            hash = fnv_on(hash, &(bytes.len() as u64).to_le_bytes());
            hash = fnv_on(hash, &bytes);
            // Whatever stands in quotes and is a file beside this one is taken to be drawn in.
            if let (Some(folder), Ok(text)) = (file.parent(), std::str::from_utf8(&bytes)) {
                let quoted = text
                    .lines()
                    .flat_map(|line| line.split('"').skip(1).step_by(2));
                let beside = quoted.filter(|name| !name.is_empty() && name.len() < 256);
                waiting.extend(
                    beside
                        .map(|name| folder.join(name))
                        .filter(|path| is_part(path)),
                );
            }
        }
        Ok(hash)
    }

    fn is_faust(&self) -> bool {
        self.file.extension().is_some_and(|ending| ending == "dsp")
    }
}

/// Where user's nodes are made.
pub struct Workshop {
    folder: PathBuf,
    checker: PathBuf,
    stop: Arc<AtomicBool>,
}

impl Workshop {
    /// With the user's folder for what can be made again. `checker` is the `zeitgeber` program, of which the
    /// check is a subcommand.
    ///
    /// # Errors
    /// [`LiveError::Folder`] where the user has no such folder.
    pub fn new(checker: PathBuf) -> Result<Workshop, LiveError> {
        let folders = directories::ProjectDirs::from("", "", "Zeitgeber").ok_or_else(|| {
            let error = io::Error::new(io::ErrorKind::NotFound, "there is no home folder");
            LiveError::folder(Path::new("nodes"), error)
        })?;
        Ok(Workshop::at(folders.cache_dir().join("nodes"), checker))
    }

    /// With a folder of one's own.
    pub fn at(folder: PathBuf, checker: PathBuf) -> Workshop {
        Workshop {
            folder,
            checker,
            stop: Arc::default(),
        }
    }

    /// A workshop that gives up what it does, with an error, once `stop` is set.
    pub fn stopped_by(self, stop: Arc<AtomicBool>) -> Workshop {
        Workshop { stop, ..self }
    }

    /// Where the library of a source is kept, made or not.
    fn place(&self, source: &Source) -> Result<PathBuf, LiveError> {
        let name = format!("{}-{:032x}", source.name, source.content()?);
        Ok(self.folder.join(compile::library_name(&name)))
    }

    /// Opens a node that has been compiled here before and found fine; `None` where that would have to be done first.
    /// Nothing that a file says is run that has not been before.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn known(&self, file: &Path) -> Result<Option<LiveNode>, LiveError> {
        if !Workshop::takes(file) {
            return Err(LiveError::Ending {
                file: file.to_owned(),
            });
        }
        let source = Source::new(file)?;
        let library = self.place(&source)?;
        match read_progress(&library.with_extension("json")) {
            Some(Progress::Fine(report)) if library.exists() => {
                let kind = ForeignKind::open(&source.name, &library).map_err(LiveError::Node)?;
                Ok(Some(LiveNode {
                    kind,
                    report,
                    library,
                }))
            }
            _ => Ok(None),
        }
    }

    /// Writes a source that came without its file into the folder, where it can be compiled; gives the file. The name
    /// is that of `file`.
    ///
    /// # Errors
    /// [`LiveError`]; [`LiveError::Ending`] for what is no source.
    pub fn keep_source(&self, file: &Path, text: &str) -> Result<PathBuf, LiveError> {
        let ending = file.extension().and_then(|ending| ending.to_str());
        let Some(ending) = ending.filter(|ending| ["dsp", "cpp"].contains(ending)) else {
            return Err(LiveError::Ending {
                file: file.to_owned(),
            });
        };
        let hash = fnv_on(BASIS, text.as_bytes());
        // Apart from libraries and from other sources: nothing lies beside it that it could name.
        let folder = self.folder.join("sources").join(format!("{hash:032x}"));
        let kept = folder.join(compile::node_name(file)).with_extension(ending);
        if fs::read(&kept).is_ok_and(|found| found == text.as_bytes()) {
            return Ok(kept);
        }
        let job = Job::new(&self.folder)?;
        let whole = job.0.join("source");
        fs::write(&whole, text).map_err(|error| LiveError::folder(&whole, error))?;
        fs::create_dir_all(&folder).map_err(|error| LiveError::folder(&folder, error))?;
        fs::rename(&whole, &kept).map_err(|error| LiveError::folder(&kept, error))?;
        Ok(kept)
    }

    /// Whether [`Workshop::open`] takes this file: by its ending.
    pub fn takes(file: &Path) -> bool {
        let ending = file.extension().and_then(|ending| ending.to_str());
        ending
            .is_some_and(|ending| ["dsp", "cpp", std::env::consts::DLL_EXTENSION].contains(&ending))
    }

    /// Compiles a source, if that has not been done before; takes a library as it is. What comes back is a
    /// library in the folder, named by its content, and not yet checked.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn build(&self, file: &Path) -> Result<PathBuf, LiveError> {
        if !Workshop::takes(file) {
            return Err(LiveError::Ending {
                file: file.to_owned(),
            });
        }
        let source = Source {
            stop: self.stop.clone(),
            ..Source::new(file)?
        };
        let is_library = file
            .extension()
            .is_some_and(|ending| ending == std::env::consts::DLL_EXTENSION);
        let kept = self.place(&source)?;
        if kept.exists() {
            return Ok(kept);
        }
        let job = Job::new(&self.folder)?;
        let made = if is_library {
            // A copy: the user may overwrite the file while it runs.
            let copy = job.0.join("copy");
            fs::copy(&source.file, &copy).map_err(|error| LiveError::read(file, error))?;
            copy
        } else {
            compile::compile(&source, &job.0)?
        };
        self.tidy();
        fs::rename(&made, &kept).map_err(|error| LiveError::folder(&kept, error))?;
        Ok(kept)
    }

    /// A number that changes with the file and with the files beside it that it draws in, to see whether they
    /// were saved.
    ///
    /// # Errors
    /// [`LiveError::Read`].
    pub fn content(file: &Path) -> Result<u128, LiveError> {
        Source::new(file)?.content()
    }

    /// Makes a node of a file: compiles it, tries it in a process of its own, and opens it. What has been
    /// compiled and found fine before is opened at once.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn open(&self, file: &Path) -> Result<LiveNode, LiveError> {
        let library = self.build(file)?;
        let name = compile::node_name(file);
        let report = self.check(file, &name, &library)?;
        let kind = ForeignKind::open(&name, &library).map_err(LiveError::Node)?;
        Ok(LiveNode {
            kind,
            report,
            library,
        })
    }

    /// The verdict on a library of the folder, from beside it or by trying it.
    fn check(&self, file: &Path, name: &str, library: &Path) -> Result<Report, LiveError> {
        let verdict = library.with_extension("json");
        if let Some(Progress::Fine(report)) = read_progress(&verdict) {
            return Ok(report);
        }
        let job = Job::new(&self.folder)?;
        let progress = job.0.join("progress");
        let args: Vec<OsString> = vec![
            "node".into(),
            "examine".into(),
            library.into(),
            name.into(),
            progress.clone().into(),
        ];
        let (end, _) = child::run(
            &self.checker.clone().into_os_string(),
            &args,
            &job.0,
            &job.0.join("log"),
            CHECK,
            &self.stop,
        )
        .map_err(|error| LiveError::folder(&job.0, error))?;
        let refused = |problem: String| LiveError::Refused {
            file: file.to_owned(),
            problem,
        };
        let (ended, stage) = match (end, read_progress(&progress)) {
            (End::Code(0), Some(Progress::Fine(report))) => {
                fs::rename(&progress, &verdict)
                    .map_err(|error| LiveError::folder(&verdict, error))?;
                return Ok(report);
            }
            (_, Some(Progress::Wrong(problem))) => return Err(refused(problem)),
            (End::Missing, _) | (_, None) => {
                return Err(LiveError::Checker {
                    program: self.checker.clone(),
                    error: io::Error::new(io::ErrorKind::NotFound, "it did not begin"),
                });
            }
            (End::Late, stage) => ("it did not come to an end".to_owned(), stage),
            (End::Signal(signal), stage) => (format!("it crashed (signal {signal})"), stage),
            (End::Code(code), stage) => (format!("it ended the program (code {code})"), stage),
        };
        Err(refused(match stage {
            Some(Progress::Doing(what)) => format!("{ended} when {what}"),
            _ => ended,
        }))
    }

    /// Removes the oldest of what is kept when there is too much, and what crashes have left behind. What
    /// cannot be removed stays.
    fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let ending = std::env::consts::DLL_EXTENSION;
        let mut libraries = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(modified) = entry.metadata().and_then(|about| about.modified()) else {
                continue;
            };
            if path.extension().is_some_and(|e| e == ending) {
                libraries.push((modified, path));
            } else if path.is_dir() && modified.elapsed().is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_dir_all(path);
            }
        }
        libraries.sort();
        let surplus = (libraries.len() + 1).saturating_sub(KEPT);
        for (_, path) in libraries.into_iter().take(surplus) {
            let _ = fs::remove_file(path.with_extension("json"));
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether a source may be known by this file too.
fn is_part(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= LARGEST_PART)
}

/// Reads what a check wrote, if it wrote anything whole.
fn read_progress(path: &Path) -> Option<Progress> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Checks a library in this very process and writes how it goes into a file: what the subcommand
/// `zeitgeber node examine` does.
///
/// # Errors
/// When the file cannot be written; that the node is wrong is none.
pub fn examine_into(library: &Path, name: &str, progress: &Path) -> io::Result<()> {
    let mut failed = None;
    let mut write = |what: &Progress| {
        let text = serde_json::to_vec(what).unwrap_or_default();
        // In one go, so that a crash leaves a whole one.
        if let Err(error) = fs::write(progress, text) {
            failed = Some(error);
        }
    };
    let verdict = examine(library, name, &mut |doing| {
        write(&Progress::Doing(doing.to_owned()));
    });
    write(&match verdict {
        Ok(report) => Progress::Fine(report),
        Err(problem) => Progress::Wrong(problem),
    });
    failed.map_or(Ok(()), Err)
}

/// A node that was let in, of which instances can be made. Its library stays open as long as this or an
/// instance lives.
pub struct LiveNode {
    kind: ForeignKind,
    report: Report,
    library: PathBuf,
}

impl LiveNode {
    /// What it is; the name is that of the file.
    pub fn info(&self) -> &NodeInfo {
        self.kind.info()
    }

    /// What was measured when it was checked.
    pub fn report(&self) -> Report {
        self.report
    }

    /// The library, in the folder of the workshop.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// Makes an instance as it is: for whoever watches what it puts out.
    ///
    /// # Errors
    /// [`NodeError`].
    pub fn create_unwatched(&self) -> Result<Box<dyn Node>, NodeError> {
        Ok(Box::new(self.kind.create()?))
    }

    /// Makes an instance that never puts out what is not finite, and a flag that says when it fell silent.
    ///
    /// # Errors
    /// [`LiveError::Node`].
    pub fn create(&self) -> Result<(Box<dyn Node>, Tripped), LiveError> {
        let node = self.kind.create().map_err(LiveError::Node)?;
        let (guard, tripped) = guard::Guard::new(Box::new(node));
        Ok((Box::new(guard), tripped))
    }
}

/// A folder for one piece of work, removed when it is done.
struct Job(PathBuf);

impl Job {
    fn new(folder: &Path) -> Result<Job, LiveError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Relaxed);
        let job = folder.join(format!("job-{}-{count}", process::id()));
        fs::create_dir_all(&job).map_err(|error| LiveError::folder(&job, error))?;
        Ok(Job(job))
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // What cannot be removed is only in the way of nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
