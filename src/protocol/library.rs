//! The musician's presets: a folder of JSON files.

use super::error::{PresetError, PresetProblem};
use super::factory::factory_presets;
use super::import::{ImportError, Imported, import};
use super::preset::Preset;
use crate::text::{Instead, instead};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// Names a folder that takes the place of the platform's.
const FOLDER_VARIABLE: &str = "ZEITGEBER_PRESETS";

/// The longest name of a file without its ending, in bytes.
const LONGEST_STEM: usize = 100;

/// A preset that can be asked for by name.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its file; none for the factory's.
    pub path: Option<PathBuf>,
    /// The preset.
    pub preset: Preset,
}

impl Entry {
    /// The SOFA file that the preset asks for: beside the preset where it is named relatively.
    pub fn hrtf_path(&self) -> Option<PathBuf> {
        let file = Path::new(self.preset.hrtf()?);
        let folder = self.path.as_ref().and_then(|path| path.parent());
        Some(folder.map_or_else(|| file.to_owned(), |folder| folder.join(file)))
    }
}

/// The factory's presets and those of a folder.
#[derive(Debug, Clone)]
pub struct Library {
    folder: Option<PathBuf>,
}

/// Why something could not be done with the library.
#[derive(Debug)]
pub enum LibraryError {
    /// The system has no folder for presets.
    NoFolder,
    /// There is no preset of that name.
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is instead.
        instead: Instead,
    },
    /// There is one already.
    Exists(String),
    /// It belongs to the factory, and stays.
    Factory(String),
    /// A name that is none: empty, too long, or with control characters.
    Name(String),
    /// A preset is wrong.
    Preset(PresetError),
    /// A file of another program is.
    Import(ImportError),
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
}

impl fmt::Display for LibraryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LibraryError::NoFolder => write!(
                f,
                "this system names no folder for presets; set {FOLDER_VARIABLE} to one"
            ),
            LibraryError::Unknown {
                name,
                instead: instead @ Instead::Near(_),
            } => {
                write!(
                    f,
                    "there is no preset \"{name}\", and no such file{instead}"
                )
            }
            LibraryError::Unknown { name, instead } => {
                write!(f, "there is no preset \"{name}\"{instead}")
            }
            LibraryError::Exists(name) => write!(
                f,
                "there is a preset \"{name}\" already; choose another name or delete it first"
            ),
            LibraryError::Factory(name) => write!(
                f,
                "\"{name}\" belongs to the factory and stays as it is; save it under another name"
            ),
            LibraryError::Name(name) => write!(
                f,
                "\"{name}\" is no name: write one to 80 letters, digits and signs"
            ),
            LibraryError::Preset(error) => error.fmt(f),
            LibraryError::Import(error) => error.fmt(f),
            LibraryError::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for LibraryError {}

impl From<PresetError> for LibraryError {
    fn from(error: PresetError) -> LibraryError {
        LibraryError::Preset(error)
    }
}

impl From<ImportError> for LibraryError {
    fn from(error: ImportError) -> LibraryError {
        LibraryError::Import(error)
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// A name as a file's: letters, digits and few signs that every file system takes.
fn file_name(name: &str) -> String {
    let mut stem: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect();
    while stem.contains("--") {
        stem = stem.replace("--", "-");
    }
    // File systems take names of 255 bytes, and a number and an ending come behind.
    let mut end = stem.len().min(LONGEST_STEM);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    stem.truncate(end);
    let stem = stem.trim_matches('-');
    format!("{}.json", if stem.is_empty() { "preset" } else { stem })
}

impl Library {
    /// With the folder of this user: by the platform's convention, or where `ZEITGEBER_PRESETS` says.
    pub fn new() -> Library {
        let named = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty());
        let own = || Some(crate::file::data_folder()?.join("presets"));
        let folder = named.map(PathBuf::from).or_else(own);
        Library { folder }
    }

    /// With a folder that is given.
    pub fn at(folder: impl Into<PathBuf>) -> Library {
        Library {
            folder: Some(folder.into()),
        }
    }

    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// All presets: the factory's in their order, then the folder's by name. Files that are no presets are
    /// told beside.
    pub fn list(&self) -> (Vec<Entry>, Vec<PresetError>) {
        let mut entries = Library::factory();
        let (mut own, wrong) = self.own();
        entries.append(&mut own);
        (entries, wrong)
    }

    /// The factory's, in their order: nothing is read from a disk.
    pub(crate) fn factory() -> Vec<Entry> {
        let entry = |preset: Preset| Entry {
            name: preset.name().to_owned(),
            path: None,
            preset,
        };
        factory_presets().into_iter().map(entry).collect()
    }

    /// What tells one content of the folder from another without reading its files.
    pub(crate) fn stamp(&self) -> u64 {
        let mut files: Vec<_> = (self.folder.iter())
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .flatten()
            .map(|file| {
                // Of the file at a link's end: it may lie elsewhere.
                let data = std::fs::metadata(file.path()).ok();
                let time = data.as_ref().and_then(|data| data.modified().ok());
                (file.file_name(), data.map(|data| data.len()), time)
            })
            .collect();
        files.sort();
        let mut hasher = DefaultHasher::new();
        files.hash(&mut hasher);
        hasher.finish()
    }

    /// The folder's, by name.
    pub(crate) fn own(&self) -> (Vec<Entry>, Vec<PresetError>) {
        let (mut entries, mut wrong) = (Vec::new(), Vec::new());
        let files = self
            .folder
            .as_ref()
            .and_then(|folder| std::fs::read_dir(folder).ok());
        for file in files.into_iter().flatten().flatten() {
            let path = file.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            // A pipe would wait for its other end, and a device might never end.
            if std::fs::metadata(&path).is_ok_and(|about| !about.is_file()) {
                wrong.push(PresetError {
                    path,
                    problem: PresetProblem::Unreadable(io::Error::other("it is no file")),
                });
                continue;
            }
            match Preset::read(&path) {
                Ok(preset) => {
                    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                    let name = match preset.name() {
                        "" => stem.into_owned(),
                        name => name.to_owned(),
                    };
                    entries.push(Entry {
                        name,
                        path: Some(path),
                        preset,
                    });
                }
                Err(error) => wrong.push(error),
            }
        }
        entries.sort_by_key(|entry| entry.name.to_lowercase());
        (entries, wrong)
    }

    /// The preset of a name; capitals do not count. The folder's wins over the factory's.
    ///
    /// # Errors
    /// [`LibraryError::Unknown`], with a name that is near.
    pub fn find(&self, name: &str) -> Result<Entry, LibraryError> {
        let (entries, _) = self.list();
        let found = entries.iter().rev().find(|entry| same(&entry.name, name));
        found.cloned().ok_or_else(|| {
            let short: String = name.chars().take(100).collect();
            LibraryError::Unknown {
                instead: instead(&short, entries.iter().map(|entry| entry.name.as_str())),
                name: short,
            }
        })
    }

    /// A preset by the path of a file, or else by name.
    ///
    /// # Errors
    /// [`LibraryError`].
    pub fn open(&self, name: &str) -> Result<Entry, LibraryError> {
        let path = Path::new(name);
        // A device or a pipe is one as well, and refused as such.
        if path.exists() && !path.is_dir() {
            let preset = Preset::read(path)?;
            let name = match preset.name() {
                "" => path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                name => name.to_owned(),
            };
            return Ok(Entry {
                name,
                path: Some(path.to_owned()),
                preset,
            });
        }
        match self.find(name) {
            // A preset may be called as a folder is.
            Err(LibraryError::Unknown { .. }) if path.is_dir() => {
                let text = "this is a folder; give a preset's file, or a name";
                let error = io::Error::new(io::ErrorKind::InvalidInput, text);
                Err(LibraryError::File(path.to_owned(), error))
            }
            found => found,
        }
    }

    /// Saves a preset under its name: over the file that it has there, or as a new one.
    ///
    /// # Errors
    /// [`LibraryError`]; what was there stays then.
    pub fn save(&self, preset: &Preset) -> Result<PathBuf, LibraryError> {
        let folder = self.folder.as_ref().ok_or(LibraryError::NoFolder)?;
        let name = check_name(preset.name())?;
        if factory_presets()
            .iter()
            .any(|other| same(other.name(), name))
        {
            return Err(LibraryError::Factory(name.to_owned()));
        }
        let (own, _) = self.own();
        let known = own.into_iter().find(|entry| same(&entry.name, name));
        let path = match known.and_then(|entry| entry.path) {
            Some(path) => path,
            None => free(folder, &file_name(name)),
        };
        std::fs::create_dir_all(folder)
            .map_err(|error| LibraryError::File(folder.clone(), error))?;
        write(&path, &preset.to_text())?;
        Ok(path)
    }

    /// Saves a preset under another name, which nobody has yet.
    ///
    /// # Errors
    /// [`LibraryError::Exists`] and others.
    pub fn save_as(&self, preset: &Preset, name: &str) -> Result<PathBuf, LibraryError> {
        if self.find(name).is_ok() {
            return Err(LibraryError::Exists(name.to_owned()));
        }
        let mut preset = preset.clone();
        preset.rename(name);
        self.save(&preset)
    }

    /// Gives a preset of the folder another name.
    ///
    /// # Errors
    /// [`LibraryError`]; nothing has changed then.
    pub fn rename(&self, name: &str, to: &str) -> Result<PathBuf, LibraryError> {
        let entry = self.find(name)?;
        let old = entry.path.ok_or(LibraryError::Factory(entry.name))?;
        if !same(name, to) && self.find(to).is_ok() {
            return Err(LibraryError::Exists(to.to_owned()));
        }
        let mut preset = entry.preset;
        preset.rename(check_name(to)?);
        let folder = self.folder.as_ref().ok_or(LibraryError::NoFolder)?;
        let wanted = folder.join(file_name(to));
        let path = if wanted == old {
            old.clone()
        } else {
            free(folder, &file_name(to))
        };
        write(&path, &preset.to_text())?;
        if path != old {
            std::fs::remove_file(&old).map_err(|error| LibraryError::File(old, error))?;
        }
        Ok(path)
    }

    /// Deletes a preset of the folder.
    ///
    /// # Errors
    /// [`LibraryError`].
    pub fn delete(&self, name: &str) -> Result<(), LibraryError> {
        let entry = self.find(name)?;
        let path = entry.path.ok_or(LibraryError::Factory(entry.name))?;
        std::fs::remove_file(&path).map_err(|error| LibraryError::File(path, error))
    }

    /// Imports a file into the folder: a preset, or a sequence of another program. A name that is taken gets a
    /// number.
    ///
    /// # Errors
    /// [`LibraryError`].
    pub fn import(&self, path: &Path) -> Result<(Imported, PathBuf), LibraryError> {
        let mut imported = import(path)?;
        let wanted = match imported.preset.name().trim() {
            "" => "Imported".to_owned(),
            name => name.chars().filter(|c| !c.is_control()).take(70).collect(),
        };
        let mut name = wanted.clone();
        for number in 2.. {
            if self.find(&name).is_err() {
                break;
            }
            name = format!("{wanted} {number}");
        }
        imported.preset.rename(&name);
        let saved = self.save(&imported.preset)?;
        Ok((imported, saved))
    }
}

impl Default for Library {
    fn default() -> Self {
        Library::new()
    }
}

fn check_name(name: &str) -> Result<&str, LibraryError> {
    let sound = !name.trim().is_empty()
        && name.chars().count() <= 80
        && !name.chars().any(char::is_control);
    if sound {
        Ok(name)
    } else {
        Err(LibraryError::Name(name.chars().take(80).collect()))
    }
}

/// A file name that nobody has.
fn free(folder: &Path, file: &str) -> PathBuf {
    let stem = file.trim_end_matches(".json");
    let mut path = folder.join(file);
    let mut number = 2;
    while path.exists() {
        path = folder.join(format!("{stem}-{number}.json"));
        number += 1;
    }
    path
}

/// Writes a file as a whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), LibraryError> {
    crate::file::replace(path, text).map_err(|error| LibraryError::File(path.to_owned(), error))
}

#[cfg(test)]
mod tests;
