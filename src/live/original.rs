//! What a node is to be made of, as it was read: the source and the files beside it that it names, or a library.

use super::{LiveError, compile, named};
use crate::dsp::hash::{BASIS, fnv_on};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Goes up with every change of how sources are compiled or checked.
const VERSION: u32 = 2;

/// The most files that a source may draw in and still be known by them.
const MOST_FILES: usize = 256;

/// The most files of a folder that are looked through.
const MOST_ENTRIES: usize = 4096;

/// The most that a source and all that it draws in may have, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// No library is larger, in bytes.
const LARGEST_LIBRARY: u64 = 64 << 20;

/// How far what a file names is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To its folder and what is below: a file that a project brought may name anything, and nobody has asked for it.
    Beside,
    /// Wherever it is: the user has chosen the file.
    Anywhere,
}

/// What a node is to be made of.
pub struct Original {
    /// What the user calls it.
    pub(super) shown: PathBuf,
    /// Where it is, from the root on, if it may be compiled there; a copy is compiled otherwise.
    pub(super) in_place: Option<PathBuf>,
    pub(super) name: String,
    /// The file first; then what it draws in, as it is called from there.
    pub(super) parts: Vec<(PathBuf, Vec<u8>)>,
    key: u128,
    needs: Vec<String>,
}

impl Original {
    /// Reads a file, and what it draws in.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn read(file: &Path, reach: Reach) -> Result<Original, LiveError> {
        if !super::Workshop::takes(file) {
            return Err(LiveError::Ending {
                file: file.to_owned(),
            });
        }
        let whole = fs::canonicalize(file).map_err(|error| LiveError::read(file, error))?;
        let folder = whole.parent().unwrap_or(Path::new(".")).to_owned();
        let own = PathBuf::from(whole.file_name().unwrap_or_default());
        let is_library = is_library(file);
        let most = if is_library {
            LARGEST_LIBRARY
        } else {
            MOST_BYTES
        };
        let mut left = most;
        let mut parts = Vec::new();
        let mut needs = BTreeSet::new();
        // Of those that wait the last comes first.
        let (mut waiting, mut seen) = (Vec::new(), BTreeSet::new());
        if reach == Reach::Anywhere && is_faust(file) {
            waiting = in_place_of_installed(file, &folder)?;
        }
        waiting.push(own);
        let mut looked = 0;
        while let Some(part) = waiting.pop() {
            if parts.len() >= MOST_FILES || !seen.insert(part.clone()) {
                continue;
            }
            let bytes = read_at_most(&folder.join(&part), left)
                .map_err(|error| LiveError::read(file, error))?;
            let Some(bytes) = bytes else {
                return Err(LiveError::Large {
                    file: file.to_owned(),
                    most,
                });
            };
            left -= bytes.len() as u64;
            if !is_library {
                let from = [
                    folder.join(part.parent().unwrap_or(Path::new(""))),
                    folder.clone(),
                ];
                let from = from.each_ref().map(PathBuf::as_path);
                let shown = file.with_file_name("").join(&part);
                let shown = if parts.is_empty() { file } else { &shown };
                // Also of what is no text to us: it may be to the compilers.
                let text = String::from_utf8_lossy(&bytes);
                if let Some(error) = named::refuse(shown, &text, is_faust(file), &from) {
                    return Err(error);
                }
            }
            if let Some(text) = std::str::from_utf8(&bytes).ok().filter(|_| !is_library) {
                let beside = part.parent().unwrap_or(Path::new(""));
                for name in names(text) {
                    looked += 1;
                    if looked > named::MOST_NAMES {
                        break;
                    }
                    let next = beside.join(name);
                    if (reach == Reach::Anywhere || stays(&next)) && is_file(&folder.join(&next)) {
                        waiting.push(next);
                    }
                }
                let drawn_in = drawn_in(text).filter(|name| {
                    let next = beside.join(name);
                    let is_there =
                        (reach == Reach::Anywhere || stays(&next)) && is_file(&folder.join(&next));
                    !is_there && !is_installed(name)
                });
                needs.extend(drawn_in.map(str::to_owned));
            }
            parts.push((part, bytes));
        }
        let in_place = (reach == Reach::Anywhere).then_some(whole);
        Ok(Original::of(file, in_place, parts, needs))
    }

    /// Of a source that came without its file: nothing lies beside it.
    ///
    /// # Errors
    /// [`LiveError::Ending`] for what is no source.
    pub fn of_text(file: &Path, text: &str) -> Result<Original, LiveError> {
        let own = file
            .file_name()
            .filter(|_| super::Workshop::takes(file) && !is_library(file));
        let Some(own) = own else {
            return Err(LiveError::Ending {
                file: file.to_owned(),
            });
        };
        if let Some(error) = named::refuse(file, text, is_faust(file), &[]) {
            return Err(error);
        }
        let needs = drawn_in(text).filter(|name| !is_installed(name));
        let needs = needs.map(str::to_owned).collect();
        let parts = vec![(PathBuf::from(own), text.as_bytes().to_vec())];
        Ok(Original::of(file, None, parts, needs))
    }

    fn of(
        file: &Path,
        in_place: Option<PathBuf>,
        parts: Vec<(PathBuf, Vec<u8>)>,
        needs: BTreeSet<String>,
    ) -> Original {
        let mut hash = fnv_on(BASIS, &VERSION.to_le_bytes());
        for text in [std::env::consts::ARCH, std::env::consts::OS] {
            hash = fnv_on(hash, text.as_bytes());
        }
        let ending = file.extension().unwrap_or_default();
        hash = fnv_on(hash, ending.as_encoded_bytes());
        for (_, text) in compile::SUPPORT {
            hash = fnv_on(hash, text.as_bytes());
        }
        for (n, (part, bytes)) in parts.iter().enumerate() {
            if n > 0 {
                // Under another name it would be another part.
                hash = fnv_on(hash, part.as_os_str().as_encoded_bytes());
            }
            hash = fnv_on(hash, &(bytes.len() as u64).to_le_bytes());
            hash = fnv_on(hash, bytes);
        }
        Original {
            shown: file.to_owned(),
            in_place,
            name: compile::node_name(file),
            parts,
            key: hash,
            needs: needs.into_iter().collect(),
        }
    }

    /// A number for everything that a library is made of: the source, what it draws in, what it is compiled against.
    pub fn key(&self) -> u128 {
        self.key
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it draws in and what is not there: it will not compile.
    pub fn needs(&self) -> &[String] {
        &self.needs
    }

    /// Whether it draws in anything of the user's.
    pub fn has_parts(&self) -> bool {
        self.parts.len() > 1
    }

    /// What the file itself says, where that is text and no library.
    pub fn text(&self) -> Option<&str> {
        let (_, bytes) = self.parts.first().filter(|_| !self.is_library())?;
        std::str::from_utf8(bytes).ok()
    }

    pub(super) fn is_library(&self) -> bool {
        is_library(&self.shown)
    }

    /// Writes all of it into a folder; gives the file.
    pub(super) fn copy_to(&self, folder: &Path) -> Result<PathBuf, LiveError> {
        let mut own = folder.to_owned();
        for (n, (part, bytes)) in self.parts.iter().enumerate() {
            let path = folder.join(part);
            let within = path.parent().unwrap_or(folder);
            fs::create_dir_all(within)
                .and_then(|()| fs::write(&path, bytes))
                .map_err(|error| LiveError::folder(&path, error))?;
            if n == 0 {
                own = path;
            }
        }
        Ok(own)
    }
}

fn is_library(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending == std::env::consts::DLL_EXTENSION)
}

fn is_faust(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "dsp")
}

/// The libraries of a folder that Faust takes in place of its own of that name, whoever imports those.
fn in_place_of_installed(file: &Path, folder: &Path) -> Result<Vec<PathBuf>, LiveError> {
    let entries = fs::read_dir(folder).map_err(|error| LiveError::read(file, error))?;
    let mut found = Vec::new();
    for entry in entries.flatten().take(MOST_ENTRIES) {
        let name = PathBuf::from(entry.file_name());
        let is_library = name.extension().is_some_and(|ending| ending == "lib");
        if is_library && name.to_str().is_some_and(is_installed) {
            let place = folder.join(&name);
            if let Err(error) = crate::file::plain(&place) {
                return Err(LiveError::read(&file.with_file_name(name), error));
            }
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a name leads nowhere but to its folder and below.
fn stays(path: &Path) -> bool {
    path.components()
        .all(|component| matches!(component, Component::Normal(_)))
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file())
}

/// `None` where there is more. What is no ordinary file is not opened: it might never end.
fn read_at_most(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    crate::file::plain(path)?;
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// Whatever stands in quotes and could be a file is taken to be drawn in.
fn names(text: &str) -> BTreeSet<&str> {
    named::quoted(text).map(|(_, name)| name).collect()
}

/// What a source says that it draws in, in the words of its language.
fn drawn_in(text: &str) -> impl Iterator<Item = &str> {
    const WORDS: [&str; 4] = ["include", "import(", "library(", "component("];
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let named = lines.filter_map(|line| {
        let (before, after) = line.split_once('"')?;
        let before = before.trim_end();
        let draws = WORDS.iter().any(|word| before.ends_with(word));
        let (name, _) = after.split_once('"').filter(|_| draws)?;
        (!name.is_empty() && name.len() < 256).then_some(name)
    });
    named.take(MOST_FILES)
}

/// Whether the compilers find this by themselves, as far as it can be known without asking them.
fn is_installed(name: &str) -> bool {
    const FOLDERS: [&str; 4] = [
        "/usr/share/faust",
        "/usr/local/share/faust",
        "/opt/homebrew/share/faust",
        "/usr/include",
    ];
    let name = Path::new(name);
    if compile::SUPPORT
        .iter()
        .any(|(own, _)| name == Path::new(own))
    {
        return true;
    }
    // Where nothing is known of Faust's libraries, they are taken to be there.
    let is_faust = name.extension().is_some_and(|ending| ending == "lib");
    let known = FOLDERS.map(Path::new).into_iter();
    let mut known = known.filter(|folder| folder.is_dir()).peekable();
    let knows_faust = || FOLDERS[..3].iter().any(|folder| Path::new(folder).is_dir());
    (is_faust && !knows_faust()) || (stays(name) && known.any(|folder| is_file(&folder.join(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn parts(original: &Original) -> Vec<String> {
        let parts = original.parts.iter();
        let mut parts: Vec<_> = parts.map(|(part, _)| part.display().to_string()).collect();
        parts.sort();
        parts
    }

    #[test]
    fn nobody_is_led_out_of_the_folder_before_the_user_has_chosen_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let secret = write(folder.path(), "secret.h", "int secret;");
        let near = folder.path().join("near");
        let text = format!(
            "#include \"own.h\"\n#include \"below/deep.h\"\n#include \"../secret.h\"\n#include \"{}\"\n",
            secret.display()
        );
        let file = write(&near, "a.cpp", &text);
        write(&near, "own.h", "int own;");
        write(&near, "below/deep.h", "int deep;");
        let beside = Original::read(&file, Reach::Beside).unwrap();
        assert_eq!(parts(&beside), ["a.cpp", "below/deep.h", "own.h"]);
        assert_eq!(beside.needs().len(), 2);
        let anywhere = Original::read(&file, Reach::Anywhere).unwrap();
        assert_eq!(anywhere.parts.len(), 5);
        assert!(anywhere.needs().is_empty());
        // What lies outside counts for whoever reads it only.
        write(folder.path(), "secret.h", "int other;");
        let again = |reach| Original::read(&file, reach).unwrap().key();
        assert_eq!(again(Reach::Beside), beside.key());
        assert_ne!(again(Reach::Anywhere), anywhere.key());
        // Without its file it has nothing beside it.
        let alone = Original::of_text(&file, &text).unwrap();
        assert_eq!(alone.parts.len(), 1);
        assert_eq!(alone.needs().len(), 4);
        assert_eq!(alone.text(), Some(text.as_str()));
        assert!(matches!(
            Original::of_text(Path::new("/x/y.txt"), ""),
            Err(LiveError::Ending { .. })
        ));
    }

    #[test]
    fn a_source_without_parts_is_the_same_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        let text = "import(\"stdfaust.lib\");\nprocess = hslider(\"a\", 0, 0, 1, 0.1);\n";
        let file = write(folder.path(), "a.dsp", text);
        let keys = [
            Original::read(&file, Reach::Beside).unwrap().key(),
            Original::read(&file, Reach::Anywhere).unwrap().key(),
            Original::of_text(Path::new("/gone/a.dsp"), text)
                .unwrap()
                .key(),
        ];
        assert!(keys.iter().all(|key| *key == keys[0]));
        let other = Original::of_text(Path::new("/gone/a.cpp"), text).unwrap();
        assert_ne!(other.key(), keys[0]);
    }

    #[test]
    fn what_is_drawn_in_is_bounded_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for n in 0..5 {
            let name = format!("large{n}.h");
            let file = File::create(folder.path().join(&name)).unwrap();
            file.set_len(4 << 20).unwrap();
            text += &format!("#include \"{name}\"\n");
        }
        let file = write(folder.path(), "a.cpp", &text);
        let error = Original::read(&file, Reach::Beside).err().unwrap();
        assert!(error.to_string().contains("16 MiB"), "{error}");
    }

    #[test]
    fn what_lacks_is_named() {
        let needs = |text: &str| {
            let original = Original::of_text(Path::new("a.dsp"), text).unwrap();
            original.needs().to_vec()
        };
        assert_eq!(needs("part = library(\"half.mine\");"), ["half.mine"]);
        assert_eq!(needs("x = component(\"b.dsp\");"), ["b.dsp"]);
        for fine in [
            "import(\"zeitgeber.lib\");",
            "#include \"node.h\"",
            "x = hslider(\"a\", 0, 0, 1, 0.1);",
            "// import(\"gone.mine\");",
        ] {
            assert!(needs(fine).is_empty(), "{fine}");
        }
    }
}
