//! Marks of a render for studies, as CSV: beat cycles, pulse onsets and anchors of the phase.
//!
//! Columns: `seconds` (song time), `frame` (of the output, to a fraction), `event` (beat, onset, anchor),
//! `layer` (1 to 4 for onsets), `value` (which cycle; for anchors the phase of the beat in cycles).

use crate::engine::{Engine, Marker, MarkerKind};
use crate::file;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

const HEAD: &str = "seconds,frame,event,layer,value\n";

/// Why marks cannot be written.
#[derive(Debug)]
pub struct MarksError {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for MarksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the markers cannot be written: {}",
            self.path.display(),
            file::why(&self.error)
        )
    }
}

impl std::error::Error for MarksError {}

/// What the engine's sink and the starter share.
struct Sheet {
    file: BufWriter<File>,
    error: Option<io::Error>,
}

/// A CSV that is being written under another name. Dropped before [`Marks::finish`], it leaves no file.
pub struct Marks {
    sheet: Arc<Mutex<Sheet>>,
    path: PathBuf,
    /// The end of its links, which is replaced.
    place: PathBuf,
    temporary: PathBuf,
}

impl Marks {
    /// Begins a file with the marks of an engine whose frame 0 is at a song frame.
    ///
    /// # Errors
    /// [`MarksError`] where the file cannot be made.
    pub fn start(engine: &mut Engine, path: &Path, song: u64) -> Result<Marks, MarksError> {
        let fail = |error| MarksError {
            path: path.to_owned(),
            error,
        };
        let place = file::destination(path).map_err(fail)?;
        let temporary = file::part(&place, "part");
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(fail)?;
        let marks = Marks {
            sheet: Arc::new(Mutex::new(Sheet {
                file: BufWriter::new(file),
                error: None,
            })),
            path: path.to_owned(),
            place,
            temporary,
        };
        let write = |sheet: &Mutex<Sheet>, line: &str| {
            let mut sheet = sheet.lock().unwrap_or_else(PoisonError::into_inner);
            if sheet.error.is_none() {
                sheet.error = sheet.file.write_all(line.as_bytes()).err();
            }
        };
        write(&marks.sheet, HEAD);
        let sheet = marks.sheet.clone();
        let rate = engine.sample_rate();
        engine.mark(Box::new(move |mark: Marker| {
            write(&sheet, &line(&mark, song, rate));
        }));
        Ok(marks)
    }

    /// Ends the file; what is left is the name.
    ///
    /// # Errors
    /// [`MarksError`]; then no file is left.
    pub(super) fn seal(&self) -> Result<(), MarksError> {
        let mut sheet = self.sheet.lock().unwrap_or_else(PoisonError::into_inner);
        match sheet.error.take() {
            Some(error) => Err(self.fail(error)),
            None => sheet.file.flush().map_err(|error| self.fail(error)),
        }
    }

    fn fail(&self, error: io::Error) -> MarksError {
        MarksError {
            path: self.path.clone(),
            error,
        }
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// [`MarksError`]; then no file is left.
    pub fn finish(self) -> Result<(), MarksError> {
        self.seal()?;
        fs::rename(&self.temporary, &self.place).map_err(|error| self.fail(error))
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        // After `finish` there is none of that name.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn line(mark: &Marker, song: u64, rate: f64) -> String {
    let seconds = (song as f64 + mark.frame) / rate;
    let (event, layer, value) = match mark.kind {
        MarkerKind::Beat { cycle } => ("beat", String::new(), cycle.to_string()),
        MarkerKind::Onset { layer, cycle } => ("onset", layer.to_string(), cycle.to_string()),
        MarkerKind::Anchor { phase } => ("anchor", String::new(), format!("{phase:.12}")),
    };
    format!("{seconds:.9},{:.4},{event},{layer},{value}\n", mark.frame)
}
