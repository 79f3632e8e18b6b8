//! Files that a sound brings along: of `render` and of `live`.

use crate::args::Problem;
use crate::node;
use std::path::PathBuf;
use zeitgeber::live::InsertNode;

/// What is asked for beside parameters.
#[derive(clap::Args)]
pub struct Brought {
    /// The SOFA file whose head-related filters space renders with, in place of the embedded set
    #[arg(long, value_name = "FILE.sofa")]
    pub hrtf: Option<PathBuf>,
    /// The node of insert A, in the incoming audio before space: a built-in one by name, a .dsp or .cpp file, or a
    /// library; its first parameters are a_1 to a_4, from 0 to 1
    #[arg(long, value_name = "NODE|FILE")]
    pub insert_a: Option<String>,
    /// The node of insert B, in everything before the ceiling
    #[arg(long, value_name = "NODE|FILE")]
    pub insert_b: Option<String>,
}

impl Brought {
    /// The nodes of the inserts.
    pub fn inserts(&self) -> [Result<Option<InsertNode>, Problem>; 2] {
        [&self.insert_a, &self.insert_b]
            .map(|insert| insert.as_deref().map(node::for_insert).transpose())
    }
}
