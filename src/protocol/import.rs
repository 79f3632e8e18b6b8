//! Import of what other programs write, told apart by their content.

use super::preset::{Preset, read_bytes, read_text};
use super::{PresetProblem, gnaural, sbg};
use std::fmt;
use std::path::{Path, PathBuf};

/// What an import gives.
#[derive(Debug)]
pub struct Imported {
    /// The preset.
    pub preset: Preset,
    /// What could not be mapped, a line each.
    pub report: Vec<String>,
    /// What the file was.
    pub format: &'static str,
}

/// Why a file was not imported.
#[derive(Debug)]
pub struct ImportError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; 0 for the whole.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ImportError {}

/// Reads a preset (JSON), an SBaGen sequence, or a Gnaural schedule (XML).
///
/// # Errors
/// [`ImportError`], naming file and line.
pub fn import(path: &Path) -> Result<Imported, ImportError> {
    let name = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let fail = |(line, message): (usize, String)| ImportError {
        path: path.to_owned(),
        line,
        message,
    };
    let text = match read_text(path) {
        Ok(text) => text,
        // Sequences from before Unicode: what is not text is in comments.
        Err(PresetProblem::Unreadable(error))
            if error.kind() == std::io::ErrorKind::InvalidData =>
        {
            let bytes = read_bytes(path).map_err(|problem| fail((0, problem.to_string())))?;
            bytes.iter().map(|byte| char::from(*byte)).collect()
        }
        Err(problem) => return Err(fail((0, problem.to_string()))),
    };
    // What is called a preset, and is none, is no sequence with an error in its first line.
    let is_json = (path.extension()).is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let first = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .chars()
        .next();
    if is_json && !matches!(first, None | Some('{' | '<')) {
        let said = match Preset::parse(&text) {
            Err(problem) => problem.to_string(),
            Ok(_) => PresetProblem::NoParams.to_string(),
        };
        return Err(fail((0, said)));
    }
    import_text(&text, &name).map_err(fail)
}

/// Reads the text of such a file; `name` is for the preset where the text has none.
///
/// # Errors
/// The line, from 1 (0 for the whole), and what is wrong with it.
pub fn import_text(text: &str, name: &str) -> Result<Imported, (usize, String)> {
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Err((0, "the file is empty".to_owned())),
        Some('{') => {
            let mut preset = Preset::parse(text).map_err(|problem| (0, problem.to_string()))?;
            if preset.name().is_empty() {
                preset.rename(name);
            }
            Ok(Imported {
                report: preset.warnings().to_vec(),
                preset,
                format: "preset",
            })
        }
        Some('<') => {
            let sequence = gnaural::read(text, name).map_err(|message| (0, message))?;
            let (preset, report) = sequence.into_preset().map_err(|message| (0, message))?;
            Ok(Imported {
                preset,
                report,
                format: "Gnaural schedule",
            })
        }
        Some(_) => {
            let sequence = sbg::read(text, name)?;
            let (preset, report) = sequence.into_preset().map_err(|message| (0, message))?;
            Ok(Imported {
                preset,
                report,
                format: "SBaGen sequence",
            })
        }
    }
}
