//! Archives that are the same in every run: sorted, of no time and nobody's.

use anyhow::{Result, ensure};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use sha2::{Digest, Sha256};
use std::io::Write;

/// A file of an archive.
pub struct Entry {
    /// Its path in the archive's one folder, with `/`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether it may be started.
    pub is_program: bool,
}

impl Entry {
    /// A file that is no program.
    pub fn text(path: String, bytes: Vec<u8>) -> Entry {
        Entry {
            path,
            bytes,
            is_program: false,
        }
    }

    fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// Brings entries into the order of their paths.
///
/// # Errors
/// When two have one path.
pub fn sort(entries: &mut [Entry]) -> Result<()> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    for pair in entries.windows(2) {
        ensure!(pair[0].path != pair[1].path, "{} comes twice", pair[0].path);
    }
    Ok(())
}

/// The SHA-256 of bytes in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line for each entry, as `sha256sum -c` reads them.
pub fn sums(entries: &[Entry]) -> String {
    entries
        .iter()
        .map(|entry| format!("{}  {}\n", sha256(&entry.bytes), entry.path))
        .collect()
}

/// A tar (POSIX ustar), packed by gzip, whose one folder is `root`.
///
/// # Errors
/// When a path or a file is too long for the format.
pub fn tar_gz(root: &str, entries: &[Entry]) -> Result<Vec<u8>> {
    const BLOCK: usize = 512;
    // GzEncoder writes no name and the time 0.
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    for entry in entries {
        let path = format!("{root}/{}", entry.path);
        gz.write_all(&ustar(&path, entry)?)?;
        gz.write_all(&entry.bytes)?;
        let rest = entry.bytes.len().next_multiple_of(BLOCK) - entry.bytes.len();
        gz.write_all(&vec![0; rest])?;
    }
    gz.write_all(&[0; 2 * BLOCK])?;
    Ok(gz.finish()?)
}

/// The header of a file.
fn ustar(path: &str, entry: &Entry) -> Result<[u8; 512]> {
    // A path of over 100 bytes is cut in two at a slash.
    let (prefix, name) = if path.len() <= 100 {
        ("", path)
    } else {
        let cut = path
            .match_indices('/')
            .map(|(at, _)| at)
            .find(|at| path.len() - at - 1 <= 100 && *at <= 155);
        ensure!(cut.is_some(), "{path}: too long for an archive");
        let at = cut.unwrap_or(0);
        (&path[..at], &path[at + 1..])
    };
    ensure!(
        entry.bytes.len() < 1 << 33,
        "{path}: too large for an archive"
    );
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{:07o}", entry.mode()).as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{:011o}", entry.bytes.len()).as_bytes());
    put(136, b"00000000000");
    // The sum of the header with blanks in its own place.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// A zip whose one folder is `root`.
///
/// # Errors
/// When it would need the 64-bit form.
pub fn zip(root: &str, entries: &[Entry]) -> Result<Vec<u8>> {
    const VERSION: u16 = 20;
    const UTF8: u16 = 1 << 11;
    const DEFLATED: u16 = 8;
    // The first day that the format knows, 1980-01-01 0:00.
    const DATE: u16 = 1 << 5 | 1;
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = format!("{root}/{}", entry.path);
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(&entry.bytes)?;
        let packed = deflate.finish()?;
        let mut crc = flate2::Crc::new();
        crc.update(&entry.bytes);
        let at = u32::try_from(zip.len())?;
        // What both headers say.
        let mut common = Vec::new();
        for word in [VERSION, UTF8, DEFLATED, 0, DATE] {
            common.extend(word.to_le_bytes());
        }
        common.extend(crc.sum().to_le_bytes());
        common.extend(u32::try_from(packed.len())?.to_le_bytes());
        common.extend(u32::try_from(entry.bytes.len())?.to_le_bytes());
        common.extend(u16::try_from(path.len())?.to_le_bytes());
        common.extend(0u16.to_le_bytes());
        zip.extend(b"PK\x03\x04");
        zip.extend(&common);
        zip.extend(path.as_bytes());
        zip.extend(&packed);
        directory.extend(b"PK\x01\x02");
        // Made on Unix, so that the mode counts.
        directory.extend((3 << 8 | VERSION).to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend(((0o100_000 | entry.mode()) << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let count = u16::try_from(entries.len())?;
    let (at, size) = (u32::try_from(zip.len())?, u32::try_from(directory.len())?);
    zip.extend(directory);
    zip.extend(b"PK\x05\x06");
    zip.extend([0; 4]);
    zip.extend(count.to_le_bytes());
    zip.extend(count.to_le_bytes());
    zip.extend(size.to_le_bytes());
    zip.extend(at.to_le_bytes());
    zip.extend([0; 2]);
    Ok(zip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn entries() -> Vec<Entry> {
        let long = format!("docs/{}/{}.md", "folder".repeat(10), "name".repeat(12));
        let mut entries = vec![
            Entry::text("docs/b.md".into(), b"b\n".to_vec()),
            Entry {
                path: "bin/zeitgeber".into(),
                bytes: vec![7; 1000],
                is_program: true,
            },
            Entry::text(long, Vec::new()),
            Entry::text("a.txt".into(), vec![b'a'; 512]),
        ];
        sort(&mut entries).unwrap();
        entries
    }

    #[test]
    fn entries_are_sorted_and_come_once() {
        let entries = entries();
        assert_eq!(entries[0].path, "a.txt");
        assert_eq!(entries[1].path, "bin/zeitgeber");
        let mut twice = vec![
            Entry::text("a".into(), vec![]),
            Entry::text("a".into(), vec![1]),
        ];
        assert!(sort(&mut twice).is_err());
    }

    #[test]
    fn sums_are_those_of_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sums(&[Entry::text("abc".into(), b"abc".to_vec())]),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc\n"
        );
    }

    #[test]
    fn a_tar_reads_back_and_is_the_same_each_time() {
        let entries = entries();
        let packed = tar_gz("zeitgeber-1", &entries).unwrap();
        assert_eq!(packed, tar_gz("zeitgeber-1", &entries).unwrap());
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(&packed[..])
            .read_to_end(&mut tar)
            .unwrap();
        let text = |bytes: &[u8]| {
            let end = bytes.iter().position(|byte| *byte == 0);
            String::from_utf8(bytes[..end.unwrap_or(bytes.len())].to_vec()).unwrap()
        };
        let mut at = 0;
        for entry in &entries {
            let header = &tar[at..at + 512];
            let prefix = text(&header[345..500]);
            let slash = if prefix.is_empty() { "" } else { "/" };
            let path = format!("{prefix}{slash}{}", text(&header[..100]));
            assert_eq!(path, format!("zeitgeber-1/{}", entry.path));
            assert_eq!(text(&header[100..108]), format!("{:07o}", entry.mode()));
            let size = usize::from_str_radix(&text(&header[124..136]), 8).unwrap();
            assert_eq!(&tar[at + 512..at + 512 + size], &entry.bytes[..]);
            at += 512 + size.next_multiple_of(512);
        }
        assert!(tar[at..].iter().all(|byte| *byte == 0) && tar.len() - at == 1024);
        let long = Entry::text("x".repeat(300), vec![]);
        assert!(tar_gz("r", &[long]).is_err());
    }

    /// Judged by programs that know better, where they are on the machine.
    #[test]
    fn other_programs_unpack_them() {
        let folder = std::env::temp_dir().join(format!("zeitgeber-archive-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let entries = entries();
        let tar = folder.join("a.tar.gz");
        let zip_file = folder.join("a.zip");
        std::fs::write(&tar, tar_gz("r", &entries).unwrap()).unwrap();
        std::fs::write(&zip_file, zip("r", &entries).unwrap()).unwrap();
        let python = "import sys, zipfile, tarfile\n\
            z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None\n\
            t = tarfile.open(sys.argv[2])\n\
            print(sorted(z.namelist()) == sorted(t.getnames()) and len(z.namelist()), z.read('r/docs/b.md'))";
        let ran = std::process::Command::new(crate::things::PYTHON)
            .args(["-c", python])
            .args([&zip_file, &tar])
            .output();
        match ran {
            Err(_) => eprintln!("SKIPPED: there is no Python on this machine"),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout);
                assert_eq!(
                    said.trim(),
                    "4 b'b\\n'",
                    "{}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
