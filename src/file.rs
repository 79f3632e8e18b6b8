//! Small files, read whole: what is no plain file is not opened, and what is too long not read. And where what is
//! written goes, and which folders are this user's.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::{Path, PathBuf};

/// More links than this lead in a circle.
const LINKS: usize = 40;

/// Folders of the system's own in which nothing is a file to be written, and the one in them that is like any other.
const SYSTEM: [&str; 3] = ["/dev", "/proc", "/sys"];
const MEMORY: &str = "/dev/shm";

fn folders() -> Option<directories::ProjectDirs> {
    directories::ProjectDirs::from("", "", "Zeitgeber")
}

/// This user's folder for what is to be kept, by the platform's convention, if there is one.
pub fn data_folder() -> Option<PathBuf> {
    Some(folders()?.data_dir().to_owned())
}

/// This user's folder for what can be made again, by the platform's convention, if there is one.
pub fn cache_folder() -> Option<PathBuf> {
    Some(folders()?.cache_dir().to_owned())
}

/// Refuses what is no plain file, before it is opened: a pipe would wait for its other end, and a device may never end.
///
/// # Errors
/// Of [`ErrorKind::InvalidInput`] in words for people; otherwise the system's.
pub fn plain(path: &Path) -> Result<Metadata> {
    let about = std::fs::metadata(path).map_err(|error| match error.kind() {
        // In what is no folder there is no file either.
        ErrorKind::NotADirectory => Error::new(ErrorKind::NotFound, "there is no such file"),
        _ => error,
    })?;
    if about.is_file() {
        return Ok(about);
    }
    let what = if about.is_dir() {
        "a folder"
    } else {
        "a device or a pipe"
    };
    let text = format!("this is {what}; give a plain file");
    Err(Error::new(ErrorKind::InvalidInput, text))
}

/// The bytes of a plain file of at most `most` bytes.
///
/// # Errors
/// As [`plain`], and of [`ErrorKind::FileTooLarge`].
pub fn bytes(path: &Path, most: u64) -> Result<Vec<u8>> {
    let about = plain(path)?;
    let mut bytes = Vec::new();
    // It may grow, and some of the system's own files say that they are empty.
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let long = about.len().max(bytes.len() as u64);
        let text = format!("it has {long} bytes; such a file has {most} at most");
        return Err(Error::new(ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// As [`bytes`], of a text.
///
/// # Errors
/// Also of [`ErrorKind::InvalidData`] where it is not UTF-8.
pub fn text(path: &Path, most: u64) -> Result<String> {
    String::from_utf8(bytes(path, most)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// The file that is written where `path` is asked for: itself, or what it is a link to, there already or not. So the
/// link stays, and what is at its end is replaced.
///
/// # Errors
/// Of [`ErrorKind::InvalidInput`] in words for people, for what is there and is no plain file, and for what lies among
/// the system's own.
pub fn destination(path: &Path) -> Result<PathBuf> {
    let refused = |text: &str| Err(Error::new(ErrorKind::InvalidInput, text));
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        outside(&place)?;
        match std::fs::symlink_metadata(&place) {
            Ok(about) if about.is_symlink() => {
                let link = std::fs::read_link(&place)?;
                // From the folder that holds it, unless it is absolute.
                place = place.parent().unwrap_or(Path::new("")).join(link);
            }
            Ok(about) if about.is_file() => return Ok(place),
            Ok(about) if about.is_dir() => return refused("this is a folder; name a file"),
            Ok(_) => return refused("this is a device or a pipe; name a plain file"),
            // One that is not there yet, or that cannot be looked at: whoever makes it is told why.
            Err(_) => return Ok(place),
        }
    }
    refused("its links lead in a circle; name a plain file")
}

/// Refuses what lies among the system's own: for folders that are made, and [`destination`] for files.
///
/// # Errors
/// Of [`ErrorKind::InvalidInput`], in words for people.
pub fn outside(path: &Path) -> Result<()> {
    if is_system(path) {
        let text = "this is the system's own, of devices and processes; name a place elsewhere";
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(())
}

/// Why something cannot be written or made, in words where they help more than the system's.
pub fn why(error: &Error) -> String {
    let words = match error.kind() {
        ErrorKind::NotFound => "its folder does not exist; make it first",
        ErrorKind::NotADirectory => "a file is where its folder would be; name another place",
        ErrorKind::AlreadyExists => "there is a file in its place; name another",
        ErrorKind::PermissionDenied => "you may not write there; name a place of your own",
        _ => return error.to_string(),
    };
    words.to_owned()
}

/// The name beside `place`, which [`destination`] gave, under which a file grows until it is complete.
pub fn part(place: &Path, ending: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.{}.{ending}", std::process::id()))
}

/// Writes a file as a whole or not at all, where [`destination`] says.
///
/// # Errors
/// As [`destination`], and the system's; what was there is as it was then.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    let place = destination(path)?;
    let beside = part(&place, "part");
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &place));
    if written.is_err() {
        // What is told is why it was not written.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Whether a name lies in a folder of the system's own, by whatever way.
fn is_system(path: &Path) -> bool {
    let within = |path: &Path| {
        cfg!(unix)
            && SYSTEM.iter().any(|folder| path.starts_with(folder))
            && !(path.starts_with(MEMORY) && path != Path::new(MEMORY))
    };
    // The nearest folder that is there: the others are made in it.
    let mut there = path.ancestors().skip(1).filter_map(|folder| {
        let named = !folder.as_os_str().is_empty();
        let whole = std::fs::canonicalize(if named { folder } else { Path::new(".") }).ok()?;
        Some(whole.join(path.strip_prefix(folder).ok()?))
    });
    within(&there.next().unwrap_or(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_that_are_not_too_long_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "abcd").unwrap();
        assert_eq!(text(&path, 4).unwrap(), "abcd");
        let kind = |path: &Path| text(path, 3).unwrap_err().kind();
        assert_eq!(kind(&path), ErrorKind::FileTooLarge);
        assert_eq!(kind(folder.path()), ErrorKind::InvalidInput);
        assert_eq!(kind(&folder.path().join("b")), ErrorKind::NotFound);
        assert_eq!(kind(&path.join("b")), ErrorKind::NotFound);
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(kind(&path), ErrorKind::InvalidData);
        #[cfg(unix)]
        assert_eq!(kind(Path::new("/dev/zero")), ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_written_goes_to_the_end_of_its_links() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("in")).unwrap();
        std::fs::write(path("in/a"), "").unwrap();
        for (target, name) in [
            ("a", "in/first"),
            ("in/first", "second"),
            ("in/new", "dangling"),
            ("around", "round"),
            ("round", "around"),
            ("/dev/null", "null"),
            ("/dev/nothing-of-this-name", "made"),
            ("/proc/self/fd", "open"),
            ("in", "into"),
        ] {
            symlink(target, path(name)).unwrap();
        }
        let end = |name: &str| destination(&path(name)).map_err(|error| error.to_string());
        assert_eq!(end("new"), Ok(path("new")));
        assert_eq!(end("second"), Ok(path("in/a")));
        assert_eq!(end("dangling"), Ok(path("in/new")));
        for (name, says) in [
            ("round", "in a circle"),
            ("null", "the system's own"),
            ("made", "the system's own"),
            ("open/1", "the system's own"),
            ("into", "a folder"),
        ] {
            let said = end(name).unwrap_err();
            assert!(said.contains(says), "{name}: {said}");
        }
        assert!(destination(Path::new("/dev/new")).is_err());
        assert!(destination(Path::new("/sys/kernel/new")).is_err());
        assert!(destination(Path::new("/dev/shm/new")).is_ok());
        assert_eq!(
            part(Path::new("x/a.wav"), "part").parent(),
            Some(Path::new("x"))
        );
    }
}
