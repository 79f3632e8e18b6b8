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
mod max;
mod named;
mod original;

pub use crate::node::Tripped;
pub use checker::{CHECKER, checker};
pub use error::LiveError;
pub use examine::examine;
pub use insert::{Bring, InsertNode, InsertSource, builtin, names, prepare};
pub use original::{Original, Reach};

use crate::node::foreign::ForeignKind;
use crate::node::{Node, NodeError, NodeInfo};
use child::{End, Limits};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

/// How often a file that is saved while it is compiled is begun with anew.
const TRIES: usize = 5;

/// How many compiled nodes are kept; those that were used longest ago go first.
const KEPT: usize = 200;

/// Work that has not moved for so long is nobody's.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

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

/// A source that is being compiled.
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
    fn is_faust(&self) -> bool {
        self.file.extension().is_some_and(|ending| ending == "dsp")
    }
}

/// Where user's nodes are made.
#[derive(Clone)]
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
        let folder = crate::file::cache_folder().ok_or_else(|| {
            let error = io::Error::new(io::ErrorKind::NotFound, "there is no home folder");
            LiveError::folder(Path::new("nodes"), error)
        })?;
        Ok(Workshop::at(folder.join("nodes"), checker))
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

    /// The same, with this program to check.
    pub fn checked_by(self, checker: PathBuf) -> Workshop {
        Workshop { checker, ..self }
    }

    /// The program that checks.
    pub fn checker(&self) -> &Path {
        &self.checker
    }

    /// Where the library of a source is kept, made or not.
    fn place(&self, name: &str, key: u128) -> PathBuf {
        let name = format!("{name}-{key:032x}");
        self.folder.join(compile::library_name(&name))
    }

    /// Opens a node that has been compiled here before and found fine; `None` where that would have to be done first.
    /// Nothing that a file says is run that has not been before.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn known(&self, file: &Path) -> Result<Option<LiveNode>, LiveError> {
        let original = Original::read(file, Reach::Anywhere)?;
        self.known_by(&original.name, original.key())
    }

    /// As [`Workshop::known`], by the name of the file and [`Original::key`].
    ///
    /// # Errors
    /// [`LiveError::Node`].
    pub fn known_by(&self, name: &str, key: u128) -> Result<Option<LiveNode>, LiveError> {
        let library = self.place(name, key);
        let verdict = library.with_extension("json");
        match read_progress(&verdict) {
            Some(Progress::Fine(report)) if library.exists() => {
                let kind = ForeignKind::open(name, &library).map_err(LiveError::Node)?;
                touch(&verdict);
                Ok(Some(LiveNode {
                    kind,
                    report,
                    library,
                }))
            }
            _ => Ok(None),
        }
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
        self.repeat(file, |original| self.build_of(original))
    }

    /// Reads a file and does something with it, anew while it changes meanwhile.
    fn repeat<T>(
        &self,
        file: &Path,
        mut make: impl FnMut(&Original) -> Result<T, LiveError>,
    ) -> Result<T, LiveError> {
        let mut tries = 1;
        loop {
            match make(&Original::read(file, Reach::Anywhere)?) {
                Err(LiveError::Changed { .. }) if tries < TRIES => tries += 1,
                made => return made,
            }
        }
    }

    /// The library of what was read, and of nothing else.
    fn build_of(&self, original: &Original) -> Result<PathBuf, LiveError> {
        let kept = self.place(&original.name, original.key());
        if kept.exists() {
            touch(&kept.with_extension("json"));
            return Ok(kept);
        }
        let job = Job::new(&self.folder)?;
        let made = if original.is_library() {
            // A copy: the user may overwrite the file while it runs.
            original.copy_to(&job.0.join("copy"))?
        } else {
            let file = match &original.in_place {
                Some(file) => file.clone(),
                None => original.copy_to(&job.0.join("source"))?,
            };
            let source = Source {
                file,
                shown: original.shown.clone(),
                name: original.name.clone(),
                stop: self.stop.clone(),
            };
            let made = compile::compile(&source, &job.0);
            // What was compiled is what was read, or nobody knows what it is; that may be why it failed, too.
            let is_other = |now: Result<Original, LiveError>| match now {
                Ok(now) => now.key() != original.key(),
                Err(_) => true,
            };
            if original.in_place.is_some()
                && is_other(Original::read(&original.shown, Reach::Anywhere))
            {
                return Err(LiveError::Changed {
                    file: original.shown.clone(),
                });
            }
            made?
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
        Ok(Original::read(file, Reach::Anywhere)?.key())
    }

    /// Makes a node of a file: compiles it, tries it in a process of its own, and opens it. What has been
    /// compiled and found fine before is opened at once.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn open(&self, file: &Path) -> Result<LiveNode, LiveError> {
        self.repeat(file, |original| self.make(original))
    }

    /// As [`Workshop::open`], of exactly what was read: a source that is saved meanwhile is an error, or what was read
    /// is compiled from a copy (see [`Reach`]).
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn make(&self, original: &Original) -> Result<LiveNode, LiveError> {
        let library = self.build_of(original)?;
        let name = &original.name;
        let checked = self.check(&original.shown, name, &library);
        if let Err(LiveError::Refused { .. }) = checked {
            // Nobody will want it again.
            let _ = fs::remove_file(&library);
        }
        let report = checked?;
        let kind = ForeignKind::open(name, &library).map_err(LiveError::Node)?;
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
            (End::Stopped, _) => {
                return Err(LiveError::Stopped {
                    file: file.to_owned(),
                });
            }
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
            let is_job = entry.file_name().to_string_lossy().starts_with("job-");
            if path.extension().is_some_and(|e| e == ending) {
                // The verdict is touched whenever the library is used.
                let used = fs::metadata(path.with_extension("json"));
                let used = used.and_then(|about| about.modified()).unwrap_or(modified);
                libraries.push((used.max(modified), path));
            } else if is_job && path.is_dir() && modified.elapsed().is_ok_and(|age| age > ABANDONED)
            {
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

/// Says that a library is of use. Where that cannot be written down it is merely taken to be older.
fn touch(verdict: &Path) {
    let opened = fs::OpenOptions::new().append(true).open(verdict);
    let _ = opened.and_then(|file| file.set_modified(SystemTime::now()));
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
