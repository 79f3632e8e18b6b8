//! What a source may not name: addresses on the network, which Faust would fetch, and what is no file and would keep a
//! compiler waiting.
//!
//! Looked for in the plain text, wherever it stands: what a comment, a string or documentation is, is Faust's to say.

use super::LiveError;
use crate::text::shorten;
use std::fs;
use std::path::Path;

/// The words of Faust that read another source.
const READS: [&str; 3] = ["import", "library", "component"];

/// The most bytes of blanks, comments and names that are looked through for addresses.
const MOST_WORK: usize = 64 << 20;

/// The most names that are looked for.
pub(super) const MOST_NAMES: usize = 4096;

/// The same, as C and C++ have it.
const INCLUDES: &str = "include";

/// Why the compilers do not get to see a text, if it may not be compiled. `shown` is its name for people; `folders`, those
/// from which relative names are looked for.
pub(super) fn refuse(
    shown: &Path,
    text: &str,
    is_faust: bool,
    folders: &[&Path],
) -> Option<LiveError> {
    let at = |place: usize, message: String| LiveError::Compile {
        file: shown.to_owned(),
        line: u32::try_from(text[..place].matches('\n').count() + 1).ok(),
        message,
        log: String::new(),
    };
    match is_faust.then(|| address(text)).flatten() {
        Some((place, Some(name))) => {
            let message = format!(
                "it would have Faust fetch \"{}\"; a node reaches no network: save that file beside it and name the file",
                shorten(name)
            );
            return Some(at(place, message));
        }
        Some((place, None)) => {
            let message = "what it imports cannot be found among so many comments".to_owned();
            return Some(at(place, message));
        }
        None => {}
    }
    let (place, name) = quoted(text).take(MOST_NAMES).find(|(place, name)| {
        let name = Path::new(name);
        let is_read = is_read(&text[..*place]);
        let mut places = folders.iter().map(|folder| folder.join(name));
        if name.is_absolute() {
            keeps_waiting(name, is_read)
        } else {
            places.any(|place| keeps_waiting(&place, is_read))
        }
    })?;
    let message = format!(
        "\"{}\" is a device or a pipe; a node is made of plain files",
        shorten(name)
    );
    Some(at(place, message))
}

/// The first address that Faust reads a source by, with where it begins: one of its words, `(` and a text, with blanks and
/// comments between. Without a name where it would take too long to say.
fn address(text: &str) -> Option<(usize, Option<&str>)> {
    if !text.contains("://") {
        return None;
    }
    let mut work = 0;
    for word in READS {
        for (at, _) in text.match_indices(word) {
            let word_on = &text[at + word.len()..];
            let name_on = skip(word_on, &mut work)
                .strip_prefix('(')
                .and_then(|rest| skip(rest, &mut work).strip_prefix('"'));
            let name = name_on.map(|rest| rest.split_once('"').map_or(rest, |(name, _)| name));
            work += name.map_or(0, str::len);
            if work > MOST_WORK {
                return Some((at, None));
            }
            if let Some(name) = name.filter(|name| name.contains("://")) {
                return Some((name.as_ptr() as usize - text.as_ptr() as usize, Some(name)));
            }
        }
    }
    None
}

/// A text from its first letter on that is neither blank nor in a comment.
fn skip<'a>(mut text: &'a str, work: &mut usize) -> &'a str {
    let long = text.len();
    let rest = loop {
        // Control characters are blanks to some versions.
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
        if let Some(comment) = text.strip_prefix("//") {
            text = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = text.strip_prefix("/*") {
            text = comment.split_once("*/").map_or("", |(_, rest)| rest);
        } else {
            break text;
        }
    };
    *work += long - rest.len();
    rest
}

/// Whatever stands between two quotes of a line, with where it begins: which quote opens is the compilers' to say. And what
/// C++ includes in angle brackets, from the root on.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let ends = |line: &str| line.rfind('"').unwrap_or(0);
    let place = move |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
    let quoted = text
        .lines()
        .flat_map(move |line| line[..ends(line)].split('"').skip(1));
    let angled = text.lines().filter_map(|line| {
        let (before, after) = line.split_once('<')?;
        let (name, _) = after.split_once('>')?;
        (before.trim_end().ends_with(INCLUDES) && name.starts_with('/')).then_some(name)
    });
    let is_name = |name: &&str| !name.is_empty() && name.len() < 256;
    quoted
        .chain(angled)
        .filter(is_name)
        .map(move |name| (place(name), name))
}

/// Whether what stands before a name reads it.
fn is_read(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '<']).trim_end();
    let before = before.strip_suffix('(').unwrap_or(before).trim_end();
    before.ends_with(INCLUDES) || READS.iter().any(|word| before.ends_with(word))
}

/// Whether this is there and not to be opened: pipes and sockets, and what is read also where it is a device.
#[cfg(unix)]
fn keeps_waiting(place: &Path, is_read: bool) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::metadata(place).is_ok_and(|about| {
        let kind = about.file_type();
        let is_device = kind.is_char_device() || kind.is_block_device();
        kind.is_fifo() || kind.is_socket() || (is_read && is_device)
    })
}

#[cfg(not(unix))]
fn keeps_waiting(place: &Path, is_read: bool) -> bool {
    is_read && fs::metadata(place).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, folders: &[&Path]) -> Option<String> {
        let name = Path::new("a.dsp");
        refuse(name, text, true, folders).map(|error| error.to_string())
    }

    #[test]
    fn addresses_that_faust_would_fetch_are_found_and_their_line() {
        for (text, line) in [
            ("import(\"http://x.invalid/a.lib\");", 1),
            ("\n\nx = library(\"https://x.invalid/a.lib\");", 3),
            ("\nx = component ( \"http://x.invalid/a.dsp\" ) ;", 2),
            (
                "import\n/* so */ // and so\n(\n\"a/http://x.invalid/a.lib\");",
                4,
            ),
            ("/* \" */ import(\"http://x.invalid/a.lib\");", 1),
            ("<mdoc> \" </mdoc>\nimport(\"file:///etc/passwd\");", 2),
            ("/*\n// */ import(\"http://x.invalid/a.lib\");", 2),
            ("x = \"\u{1F3B5}\";\r\nimport(\"ftp://x.invalid\");", 2),
            // It would be fetched as soon as it was none, so it is told, too.
            ("// import(\"http://x.invalid/a.lib\");", 1),
        ] {
            let said = said(text, &[]).unwrap();
            assert!(said.starts_with(&format!("a.dsp:{line}: ")), "{said}");
            assert!(said.contains("network"), "{said}");
        }
        for fine in [
            "import(\"stdfaust.lib\");",
            "declare license \"https://x.invalid/mit\";\nprocess = _;",
            "// from https://x.invalid/a\nprocess = _; /* http://x.invalid */",
            "x = hslider(\"see http://x.invalid\", 0, 0, 1, 0.1);",
            "import(",
            "library(\"",
            "import /* never closed",
        ] {
            assert_eq!(said(fine, &[]), None, "{fine}");
        }
        // What cannot be told in time is refused.
        let began = std::time::Instant::now();
        for long in ["import/*", "import//", "import(\"", "import (/"] {
            let text = format!("x = \"://\"; {}", long.repeat((8 << 20) / long.len()));
            let said = said(&text, &[]);
            assert!(
                said.is_none_or(
                    |said| said.contains("so many comments") || said.contains("network")
                )
            );
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20));
        // C++ fetches nothing.
        let text = "#include \"http://x.invalid/a.h\"";
        assert!(refuse(Path::new("a.cpp"), text, false, &[]).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_found_wherever_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.h");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink(&pipe, folder.path().join("link.h")).unwrap();
        fs::write(folder.path().join("plain.h"), "").unwrap();
        let whole = pipe.display();
        for text in [
            "#include \"pipe.h\"".to_owned(),
            "\n#define WHAT \"link.h\"\n#include WHAT".to_owned(),
            format!("#include \"{whole}\""),
            format!("# include <{whole}>"),
            "/* \" */ #include \"pipe.h\"".to_owned(),
            "import(\"./pipe.h\");".to_owned(),
            "#include \"/dev/zero\"".to_owned(),
            "x = library( \"/dev/tty\");".to_owned(),
        ] {
            let said = said(&text, &[folder.path()]).unwrap();
            assert!(said.contains("is a device or a pipe"), "{said}");
        }
        for fine in [
            "#include \"plain.h\"\n#include <vector>\n#include \"gone.h\"",
            "FILE* noise = fopen(\"/dev/urandom\", \"rb\");",
            "#include \".\"",
        ] {
            assert_eq!(said(fine, &[folder.path()]), None, "{fine}");
        }
        // Without a folder nothing is beside it.
        assert_eq!(said("#include \"pipe.h\"", &[]), None);
    }
}
