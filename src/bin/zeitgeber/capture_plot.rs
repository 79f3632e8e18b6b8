//! `--capture DIR --plot`: a picture of every captured node, as `zeitgeber analyze --plot` draws it.

use crate::analyze;
use crate::args::{self, Problem};
use crate::material::Stage;
use std::path::{Path, PathBuf};
use zeitgeber::offline::{DecodeProblem, Decoder};

/// Draws the files of captured nodes, each as `NODE.png` beside its `NODE.wav`, but over none of the files to `keep`.
/// Buses have no two ears and are left out. The sound is there already, so what goes wrong is a warning; those are
/// returned.
pub fn draw(captured: &[PathBuf], keep: &[PathBuf], stage: &Stage) -> Vec<String> {
    let mut warnings = Vec::new();
    for (n, file) in captured.iter().enumerate() {
        if stage.is_stopped() {
            warnings.push(format!(
                "interrupted: {} of {} captures are not drawn",
                captured.len() - n,
                captured.len()
            ));
            break;
        }
        if let Err(problem) = picture(file, keep) {
            warnings.push(format!("{} is not drawn: {problem}", file.display()));
        }
    }
    warnings
}

fn picture(file: &Path, keep: &[PathBuf]) -> Result<(), Problem> {
    let picture = file.with_extension("png");
    match Decoder::open(file) {
        Err(error) if matches!(error.problem, DecodeProblem::Channels(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(_) => {}
    }
    args::refuse_overwrite(&picture, keep.iter().map(PathBuf::as_path))?;
    analyze::draw(file, &picture)
}
