//! Small files, read whole: what is no plain file is not opened, and what is too long not read.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Refuses what is no plain file, before it is opened: a pipe would wait for its other end, and a device may never end.
///
/// # Errors
/// Of [`ErrorKind::InvalidInput`] in words for people; otherwise the system's.
pub fn plain(path: &Path) -> Result<Metadata> {
    let about = std::fs::metadata(path)?;
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
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(kind(&path), ErrorKind::InvalidData);
        #[cfg(unix)]
        assert_eq!(kind(Path::new("/dev/zero")), ErrorKind::InvalidInput);
    }
}
