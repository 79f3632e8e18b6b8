//! Where the `zeitgeber` program is, of which a plugin needs the check of nodes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The variable that names the program.
pub const CHECKER: &str = "ZEITGEBER_CLI";

/// How many folders above a plugin's library are looked into: a VST3 is a folder three deep.
const ABOVE: usize = 5;

/// Finds the program: what the environment names, beside this program or the plugin, on the path, or where `cargo
/// install` puts it. `None` where it is nowhere.
pub fn checker() -> Option<PathBuf> {
    if let Some(named) = env::var_os(CHECKER).filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let file = format!("zeitgeber{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok();
    let beside = beside.iter().filter_map(|exe| exe.parent());
    let home = directories::BaseDirs::new();
    let installed = home.map(|home| home.home_dir().join(".cargo/bin"));
    let plugins = libraries();
    let around = plugins
        .iter()
        .flat_map(|library| library.ancestors().skip(1).take(ABOVE));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = beside
        .chain(around)
        .map(Path::to_owned)
        .chain(env::split_paths(&path))
        .chain(installed);
    folders
        .map(|folder| folder.join(&file))
        .find(|program| is_program(program))
}

/// The files that this code may have been loaded from: what is mapped here under the project's name.
fn libraries() -> Vec<PathBuf> {
    // Elsewhere than on Linux there is no such file, and the other places have to do.
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut found: Vec<PathBuf> = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| PathBuf::from(&line[at..])))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            name.is_some_and(|name| name.to_lowercase().contains("zeitgeber"))
        })
        .collect();
    found.dedup();
    found
}

#[cfg(unix)]
pub(super) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_program(path: &Path) -> bool {
    path.is_file()
}
