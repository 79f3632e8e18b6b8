//! Decoders on disk, in the user's folder for what can be made again. Whatever goes wrong there (no folder, no space, a
//! damaged file) only means that a decoder is made again.
//!
//! A file holds, little-endian: "ZGD", the version (u8), the key as text (in it the rate) after its length (u16),
//! taps (u32), whether it is symmetric (u8), taps as f32, and FNV-1a (128 bits) of all before.

use super::ORDERS;
use crate::dsp::ambisonics::{Decoder, channels};
use crate::dsp::hash::fnv;
use crate::file::cache_folder;
use crate::hrtf::bits::Reader;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Goes up with every change of what decoders are made of.
const VERSION: u8 = 1;

/// What all files may take, in bytes; the ones that were used longest ago go first.
const MOST: u64 = 64_000_000;

/// What a file is called by, and by which it is known not to be another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The content of the set, in hexadecimal digits.
    pub hash: String,
    /// Ambisonic order.
    pub order: usize,
    /// The bits of the rate.
    pub rate: u64,
    /// Whether the set is equalised.
    pub equalised: bool,
}

impl Key {
    fn text(&self) -> String {
        let set = if self.equalised {
            "equalised"
        } else {
            "measured"
        };
        let rate = f64::from_bits(self.rate);
        format!("{}-{set}-{rate}-{}", self.hash, self.order)
    }

    fn file(&self) -> String {
        format!("{}-{VERSION}.decoder", self.text())
    }
}

/// Where decoders are kept by this platform's convention, if it has one for this user.
pub fn folder() -> Option<PathBuf> {
    Some(cache_folder()?.join("decoders"))
}

/// The decoder that was kept.
pub fn read(folder: &Path, key: &Key) -> Option<Decoder> {
    let file = folder.join(key.file());
    // The largest that was ever written: of order 7, both ears, at 768 kHz.
    if fs::metadata(&file).ok()?.len() > 3_000_000 {
        return None;
    }
    let decoder = parse(&fs::read(&file).ok()?, key)?;
    // Used just now; that this may fail does no harm.
    if let Ok(file) = fs::File::options().append(true).open(&file) {
        let _ = file.set_modified(SystemTime::now());
    }
    Some(decoder)
}

/// Keeps a decoder, if that can be done.
pub fn write(folder: &Path, key: &Key, decoder: &Decoder) {
    if try_write(folder, key, decoder).is_some() {
        tidy(folder, MOST);
    }
}

fn try_write(folder: &Path, key: &Key, decoder: &Decoder) -> Option<()> {
    fs::create_dir_all(folder).ok()?;
    let name = key.file();
    // Another process may write the same at the same time.
    let draft = folder.join(format!("{name}.{}", std::process::id()));
    let write = || {
        let mut file = fs::File::create(&draft)?;
        file.write_all(&bytes(key, decoder))?;
        file.sync_all()?;
        fs::rename(&draft, folder.join(&name))
    };
    let written = write();
    if written.is_err() {
        // Half a file is of no use.
        let _ = fs::remove_file(&draft);
    }
    written.ok()
}

fn bytes(key: &Key, decoder: &Decoder) -> Vec<u8> {
    let mut bytes = b"ZGD".to_vec();
    bytes.push(VERSION);
    let text = key.text();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend((decoder.taps as u32).to_le_bytes());
    bytes.push(u8::from(decoder.symmetric));
    for tap in &decoder.filters {
        bytes.extend(tap.to_le_bytes());
    }
    let sum = fnv(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8], key: &Key) -> Option<Decoder> {
    let (content, sum) = bytes.split_last_chunk::<16>()?;
    if fnv(content) != u128::from_le_bytes(*sum) {
        return None;
    }
    let mut reader = Reader::new(content);
    if reader.take()? != *b"ZGD" || reader.take()? != [VERSION] {
        return None;
    }
    let length = reader.short()?;
    if reader.bytes(length)? != key.text().as_bytes() || !ORDERS.contains(&key.order) {
        return None;
    }
    let taps = reader.long()?;
    let [symmetric] = reader.take()?;
    let ears = if symmetric == 1 { 1 } else { 2 };
    let count = channels(key.order).checked_mul(ears)?.checked_mul(taps)?;
    let filters = reader.bytes(count.checked_mul(4)?)?;
    let (filters, rest) = filters.as_chunks::<4>();
    let decoder = Decoder {
        rate: f64::from_bits(key.rate),
        order: key.order,
        taps,
        filters: filters.iter().map(|tap| f32::from_le_bytes(*tap)).collect(),
        symmetric: symmetric == 1,
    };
    let whole = rest.is_empty() && taps > 0 && taps.is_multiple_of(32);
    (whole && decoder.filters.iter().all(|tap| tap.is_finite())).then_some(decoder)
}

/// Removes the files that were used longest ago, until the rest fits.
fn tidy(folder: &Path, most: u64) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            let ours = entry.file_name().to_string_lossy().contains(".decoder");
            (about.is_file() && ours).then(|| {
                let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                (used, about.len(), entry.path())
            })
        })
        .collect();
    files.sort_by_key(|(used, _, _)| std::cmp::Reverse(*used));
    let mut total = 0;
    for (_, size, path) in files {
        total += size;
        if total > most {
            // Another process may have removed it.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(order: usize) -> Key {
        Key {
            hash: "0123".to_owned(),
            order,
            rate: 48_000.0_f64.to_bits(),
            equalised: true,
        }
    }

    fn some(order: usize) -> Decoder {
        Decoder {
            rate: 48_000.0,
            order,
            taps: 64,
            filters: (0..channels(order) * 128).map(|n| n as f32).collect(),
            symmetric: false,
        }
    }

    #[test]
    fn what_is_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("deep").join("down");
        assert!(read(&folder, &key(2)).is_none());
        write(&folder, &key(2), &some(2));
        let back = read(&folder, &key(2)).unwrap();
        assert_eq!(back.filters, some(2).filters);
        assert_eq!(
            (back.taps, back.rate, back.symmetric),
            (64, 48_000.0, false)
        );
        assert!(read(&folder, &key(3)).is_none());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_is_damaged_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, key) = (folder.path(), key(1));
        let whole = bytes(&key, &some(1));
        let file = folder.join(key.file());
        for at in (0..whole.len()).step_by(7) {
            let mut bent = whole.clone();
            bent[at] ^= 0x10;
            fs::write(&file, &bent).unwrap();
            assert!(read(folder, &key).is_none(), "{at}");
            fs::write(&file, &whole[..at]).unwrap();
            assert!(read(folder, &key).is_none(), "{at}");
        }
        // Another's bytes under this name.
        fs::write(&file, bytes(&self::key(2), &some(2))).unwrap();
        assert!(read(folder, &key).is_none());
        write(folder, &key, &some(1));
        assert!(read(folder, &key).is_some());
    }

    #[test]
    fn a_folder_that_is_none_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "in the way").unwrap();
        write(&file, &key(1), &some(1));
        write(&file.join("below"), &key(1), &some(1));
        assert!(read(&file, &key(1)).is_none());
        assert_eq!(fs::read(&file).unwrap(), b"in the way");
    }

    #[test]
    fn the_oldest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("foreign"), [0; 100_000]).unwrap();
        for order in 1..=4 {
            try_write(folder, &key(order), &some(order)).unwrap();
            let file = fs::File::options()
                .append(true)
                .open(folder.join(key(order).file()));
            let age = std::time::Duration::from_secs(100 - order as u64);
            file.unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
        assert!(read(folder, &key(1)).is_some(), "and so it is the newest");
        let one = |order| fs::metadata(folder.join(key(order).file())).unwrap().len();
        tidy(folder, one(1) + one(4));
        let kept = [1, 2, 3, 4].map(|order| read(folder, &key(order)).is_some());
        assert_eq!(kept, [true, false, false, true]);
        assert!(folder.join("foreign").exists());
    }
}
