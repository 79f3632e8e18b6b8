//! `--capture DIR --plot`: a picture of every captured node, as `zeitgeber analyze --plot` draws it.

use crate::analyze;
use crate::args::Problem;
use std::fs;
use std::path::PathBuf;
use zeitgeber::offline::{Capture, DecodeProblem, Decoder};

/// Draws the captured nodes of a render that has ended, each as `NODE.png` beside its `NODE.wav`. Buses have no
/// two ears and are left out.
pub fn draw(capture: &Capture) -> Result<(), Problem> {
    for file in files(capture)? {
        match Decoder::open(&file) {
            Err(error) if matches!(error.problem, DecodeProblem::Channels(_)) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => analyze::draw(&file, &file.with_extension("png"))?,
        }
    }
    Ok(())
}

/// The files of the nodes that were named, or else all of the folder.
fn files(capture: &Capture) -> Result<Vec<PathBuf>, Problem> {
    if !capture.nodes.is_empty() {
        return Ok(capture
            .nodes
            .iter()
            .map(|node| capture.file(node))
            .collect());
    }
    let unreadable = |error: std::io::Error| {
        Problem::new(format!(
            "{}: cannot be read: {error}",
            capture.folder.display()
        ))
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(&capture.folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "wav") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
