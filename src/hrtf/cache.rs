//! Prepared sets, shared in the process by content: the second instance that asks for one waits for the
//! first, or has it at once. A set lives as long as somebody holds it; the embedded one that was prepared last stays.

use super::align::{Aligned, align};
use super::decoder::Decoders;
use super::packed::{default_bytes, default_set};
use super::prepare::{Options, RATES, finish};
use super::{About, HrtfError, Progress, sofa};
use crate::dsp::hash::{BASIS, fnv, fnv_on};
use crate::dsp::hrir::Hrirs;
use std::any::Any;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread;
use std::time::Duration;

/// Where a set comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Source {
    /// MIT KEMAR, embedded.
    #[default]
    Default,
    /// A SOFA file.
    File(PathBuf),
}

/// What is known of a set beside its filters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// What it says of itself.
    pub about: About,
    /// 32 hexadecimal digits, the same for files of the same content: 128-bit FNV-1a of its bytes.
    pub hash: String,
    /// Directions that were measured and are used.
    pub measured: usize,
    /// Sample rate of the measurements in hertz.
    pub rate: f64,
    /// What a user should know: what was left out, and why.
    pub notes: Vec<String>,
}

/// A prepared set, shared by all who ask for the same.
pub struct Set {
    /// Filters and delays.
    pub hrirs: Hrirs,
    /// What is known of it.
    pub info: Info,
    /// What was asked of its preparation.
    pub options: Options,
    /// Whether it is the embedded one.
    pub(super) is_default: bool,
    pub(super) decoders: Decoders,
    derived: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl Set {
    /// What `make` derives from the filters, once for each type: a renderer's spectra, a decoder. Whoever asks
    /// at the same time waits. Allocates and locks: not for the audio thread.
    pub fn derived<T: Send + Sync + 'static>(&self, make: impl FnOnce(&Hrirs) -> T) -> Arc<T> {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        let known = derived
            .iter()
            .find_map(|any| Arc::clone(any).downcast().ok());
        known.unwrap_or_else(|| {
            let made = Arc::new(make(&self.hrirs));
            derived.push(made.clone());
            made
        })
    }
}

/// What tells prepared sets apart: content, rate (its bits) and options.
type Key = (u128, u64, Options);

/// A set that somebody may hold. It is locked while the set is prepared.
type Slot = Arc<Mutex<Weak<Set>>>;

static SLOTS: LazyLock<Mutex<HashMap<Key, Slot>>> = LazyLock::new(Mutex::default);

/// The embedded set as it was prepared last: hosts open and close instances one after the other, and preparing it
/// takes ten times the memory that it keeps.
static KEPT: Mutex<Option<Arc<Set>>> = Mutex::new(None);

/// How often one who waits for another's preparation looks whether to give up.
const GLANCE: Duration = Duration::from_millis(2);

/// A set for a host's rate (hertz): the one that somebody holds already, or a new one.
///
/// Takes some 100 ms for the default, some seconds for large files; not for the audio thread.
///
/// # Errors
/// [`HrtfError`]; nothing is kept of a preparation that failed or was cancelled.
pub fn load(
    source: &Source,
    rate: f64,
    options: Options,
    progress: &Progress,
) -> Result<Arc<Set>, HrtfError> {
    if !RATES.contains(&rate) {
        return Err(HrtfError::Rate { rate });
    }
    let bytes = match source {
        Source::Default => None,
        Source::File(file) => Some(sofa::bytes(file)?),
    };
    let hash = hash_of(bytes.as_deref().unwrap_or(default_bytes()), progress)?;
    let slot = slot((hash, rate.to_bits(), options));
    let mut held = wait(&slot, progress)?;
    if let Some(set) = held.upgrade() {
        progress.set(1.0);
        return Ok(set);
    }
    let aligned = match (source, bytes) {
        (Source::File(file), Some(bytes)) => {
            let raw = sofa::parse(&bytes, file, progress)?;
            drop(bytes);
            align(&raw, progress, [0.1, 0.25])?
        }
        // Its bytes are part of the program, and tested.
        _ => default_set().ok_or(HrtfError::Cancelled)?,
    };
    let hrirs = finish(&aligned, rate, options, progress, [0.25, 1.0])?;
    let set = Arc::new(Set {
        hrirs,
        info: info(aligned, hash),
        options,
        is_default: *source == Source::Default,
        decoders: Decoders::default(),
        derived: Mutex::default(),
    });
    *held = Arc::downgrade(&set);
    if set.is_default {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.replace(Arc::clone(&set));
        // Freed when the lock is open again.
        drop(kept);
        drop(before);
    }
    Ok(set)
}

fn info(aligned: Aligned, hash: u128) -> Info {
    Info {
        hash: format!("{hash:032x}"),
        measured: aligned.directions.len(),
        rate: aligned.rate,
        notes: aligned.notes,
        about: aligned.about,
    }
}

/// The slot of a set; those whose sets are gone are cleared away.
fn slot(key: Key) -> Slot {
    let mut slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|other, slot| {
        *other == key
            || Arc::strong_count(slot) > 1
            || slot.try_lock().is_ok_and(|set| set.strong_count() > 0)
    });
    Arc::clone(slots.entry(key).or_default())
}

/// Locks a slot, unless told to give up.
pub(super) fn wait<'a, T>(
    slot: &'a Mutex<T>,
    progress: &Progress,
) -> Result<MutexGuard<'a, T>, HrtfError> {
    loop {
        if progress.cancelled() {
            return Err(HrtfError::Cancelled);
        }
        match slot.try_lock() {
            Ok(held) => return Ok(held),
            Err(TryLockError::Poisoned(held)) => return Ok(held.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(GLANCE),
        }
    }
}

/// [`fnv`] of the bytes of a file, which takes a second where it is large.
///
/// # Errors
/// [`HrtfError::Cancelled`].
fn hash_of(bytes: &[u8], progress: &Progress) -> Result<u128, HrtfError> {
    bytes.chunks(1 << 20).try_fold(BASIS, |hash, piece| {
        if progress.cancelled() {
            return Err(HrtfError::Cancelled);
        }
        Ok(fnv_on(hash, piece))
    })
}

/// What is known of the default set, which need not be prepared for that.
pub fn default_info() -> Info {
    // Its bytes are part of the program, and tested.
    default_set().map_or_else(Info::default, |aligned| info(aligned, fnv(default_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_ask_at_once_share_one() {
        let ask = || {
            load(
                &Source::Default,
                16_000.0,
                Options::default(),
                &Progress::new(),
            )
            .unwrap()
        };
        let (a, b) = thread::scope(|scope| {
            let other = scope.spawn(ask);
            (ask(), other.join().unwrap())
        });
        assert!(Arc::ptr_eq(&a, &b));
        let made = a.derived(|hrirs| hrirs.taps);
        assert!(Arc::ptr_eq(&made, &b.derived(|_| unreachable!())));
        let off = Options { equalise: false };
        let other = load(&Source::Default, 16_000.0, off, &Progress::new()).unwrap();
        assert!(!Arc::ptr_eq(&a, &other));
    }

    #[test]
    fn what_is_cancelled_leaves_nothing() {
        let progress = Progress::new();
        let canceller = || {
            while progress.fraction() < 0.3 {
                thread::yield_now();
            }
            progress.cancel();
        };
        let rate = 22_051.0;
        let cancelled = thread::scope(|scope| {
            scope.spawn(canceller);
            load(&Source::Default, rate, Options::default(), &progress).err()
        });
        assert_eq!(cancelled, Some(HrtfError::Cancelled));
        let again = Progress::new();
        assert!(load(&Source::Default, rate, Options::default(), &again).is_ok());
        assert_eq!(again.fraction(), 1.0);
    }
}
