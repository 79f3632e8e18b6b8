//! A file that takes its name only when it is complete.
//!
//! It grows under a temporary name beside the target; dropped before the end, it is removed, so that a failed
//! or interrupted render leaves nothing behind and what had the name stays.

use super::wav::{WavError, WavProblem};
use crate::file;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// Endings of formats that are not written here, beside the two that are.
const OTHERS: [&str; 9] = [
    "mp3", "ogg", "oga", "opus", "aif", "aiff", "aac", "m4a", "json",
];

/// The name of a file as file systems see it that make no difference between capitals and small letters: of two that
/// are the same here, one would write over the other there.
pub fn folded(path: &Path) -> String {
    path.to_string_lossy().to_lowercase()
}

/// A file on its way to its name.
pub(super) struct Target {
    file: Option<BufWriter<File>>,
    path: PathBuf,
    /// The end of its links, which is replaced.
    place: PathBuf,
    temporary: PathBuf,
}

impl Target {
    /// Begins what will be `path`, which may not end in `other`: the ending of the other format.
    pub(super) fn create(path: &Path, other: &str) -> Result<Target, WavError> {
        let fail = |problem| WavError {
            path: path.to_owned(),
            problem,
        };
        let place = check(path, other).map_err(fail)?;
        let temporary = file::part(&place, "part");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|error| fail(WavProblem::Io(error)))?;
        Ok(Target {
            file: Some(BufWriter::with_capacity(1 << 16, file)),
            path: path.to_owned(),
            place,
            temporary,
        })
    }

    /// The error of this file.
    pub(super) fn error(&self, problem: WavProblem) -> WavError {
        WavError {
            path: self.path.clone(),
            problem,
        }
    }

    /// The error to end with when the user stops what writes this file.
    pub(super) fn interrupted(&self) -> WavError {
        self.error(WavProblem::Interrupted {
            kept: self.place.exists(),
        })
    }

    /// Does something with the file that the system may refuse.
    pub(super) fn attempt<T: Default>(
        &mut self,
        action: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
    ) -> Result<T, WavError> {
        match self.file.as_mut().map(action) {
            Some(Err(error)) => Err(self.error(WavProblem::Io(error))),
            Some(Ok(done)) => Ok(done),
            None => Ok(T::default()),
        }
    }

    /// Gives the file its name, replacing what had it. It has been flushed.
    pub(super) fn finish(mut self) -> Result<(), WavError> {
        // Windows renames no file that is open.
        drop(self.file.take());
        fs::rename(&self.temporary, &self.place).map_err(|error| {
            remove(&self.temporary);
            self.error(WavProblem::Io(error))
        })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // Without into_parts the buffer would be written once more before the file goes.
            drop(file.into_parts());
            remove(&self.temporary);
        }
    }
}

/// Refuses names under which no such file can or should appear; returns where it will be.
fn check(path: &Path, other: &str) -> Result<PathBuf, WavProblem> {
    if let Some(extension) = path.extension().map(|e| e.to_string_lossy().to_lowercase())
        && (extension == other || OTHERS.contains(&extension.as_str()))
    {
        return Err(WavProblem::OtherFormat(extension));
    }
    if path.file_name().is_none() {
        return Err(WavProblem::NotAFile);
    }
    // Renaming over a device would replace the device.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(WavProblem::NotAFile);
    }
    let place = file::destination(path).map_err(WavProblem::Io)?;
    let folder = place
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(WavProblem::NoFolder);
    }
    Ok(place)
}

/// Removes a file that this program made; that it is already gone is no news.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}
