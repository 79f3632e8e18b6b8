//! Decoders from an ambisonic bus to two ears, made from prepared sets by magnitude least squares.
//!
//! Below a cutoff a decoder reproduces a set's responses, above it their magnitudes, for which phases are free
//! (Schörkhuber, Zaunschirm and Höldrich, "Binaural rendering of Ambisonic signals via magnitude least squares", DAGA
//! 2018). docs/design.md (*Decoders*) tells how, and what else was read.
//!
//! The default set's are embedded; those of other sets are made once, and kept on disk and in the process.

mod design;
mod disk;
mod embedded;
mod fidelity;
mod field;

pub use embedded::unpack as embedded_decoder;
pub use fidelity::{Band, Fidelity, fidelity};

use super::align::Aligned;
use super::cache::{Set, Source, load, wait};
use super::prepare::Options;
use super::{HrtfError, Progress};
use crate::dsp::ambisonics::{Decoder, MAX_ORDER};
use crate::dsp::hrir::Hrirs;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

/// Orders that decoders are made for.
pub const ORDERS: std::ops::RangeInclusive<usize> = 1..=MAX_ORDER;

/// A set's decoders, as far as they were asked for: they live as long as the set. Each is locked while it is made.
#[derive(Default)]
pub(super) struct Decoders([Mutex<Option<Arc<Decoder>>>; MAX_ORDER]);

/// The default set's decoders that somebody holds, by rate (its bits), options and order.
type Defaults = Mutex<HashMap<(u64, Options, usize), Weak<Decoder>>>;

static DEFAULTS: LazyLock<Defaults> = LazyLock::new(Defaults::default);

/// The decoder of a set, of order 1 to 7: the one that this process has already, the embedded one, the one that is kept
/// on disk, or a new one, which takes up to some seconds. Not for the audio thread.
///
/// # Errors
/// [`HrtfError::Order`], [`HrtfError::Cancelled`]; nothing is kept of one that was cancelled.
pub fn decoder(
    set: &Arc<Set>,
    order: usize,
    progress: &Progress,
) -> Result<Arc<Decoder>, HrtfError> {
    check(order)?;
    let mut slot = wait(&set.decoders.0[order - 1], progress)?;
    if let Some(decoder) = &*slot {
        progress.set(1.0);
        return Ok(Arc::clone(decoder));
    }
    let embedded = (set.is_default)
        .then(|| embedded::unpack(order, set.options, set.hrirs.rate))
        .flatten();
    let decoder = match embedded {
        Some(_) => default_decoder(set.hrirs.rate, set.options, order, progress)?,
        None => Arc::new(kept_or_made(set, order, progress)?),
    };
    *slot = Some(Arc::clone(&decoder));
    progress.set(1.0);
    Ok(decoder)
}

/// The default set's decoder for a rate in hertz. At 44.1 and 48 kHz it is embedded, which takes some milliseconds, and the
/// set itself need not be prepared; at other rates the set is, and the decoder is made as any other.
///
/// # Errors
/// [`HrtfError::Order`], [`HrtfError::Rate`], [`HrtfError::Cancelled`].
pub fn default_decoder(
    rate: f64,
    options: Options,
    order: usize,
    progress: &Progress,
) -> Result<Arc<Decoder>, HrtfError> {
    check(order)?;
    let mut defaults = DEFAULTS.lock().unwrap_or_else(PoisonError::into_inner);
    defaults.retain(|_, decoder| decoder.strong_count() > 0);
    let key = (rate.to_bits(), options, order);
    if let Some(decoder) = defaults.get(&key).and_then(Weak::upgrade) {
        return Ok(decoder);
    }
    let Some(decoder) = embedded::unpack(order, options, rate) else {
        drop(defaults);
        let set = load(&Source::Default, rate, options, progress)?;
        return decoder(&set, order, progress);
    };
    let decoder = Arc::new(decoder);
    defaults.insert(key, Arc::downgrade(&decoder));
    Ok(decoder)
}

/// Makes a decoder from filters, whatever they are of, and keeps it nowhere.
///
/// # Errors
/// [`HrtfError::Order`], [`HrtfError::Cancelled`].
pub fn make_decoder(
    hrirs: &Hrirs,
    order: usize,
    progress: &Progress,
) -> Result<Decoder, HrtfError> {
    check(order)?;
    design::design(hrirs, order, progress, [0.0, 1.0])
}

/// The decoders of all orders of a set that mirrors itself, as measured and equalised, in the form that the crate embeds;
/// `None` where it does not mirror itself.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn pack_decoders(aligned: &Aligned, progress: &Progress) -> Result<Option<Vec<u8>>, HrtfError> {
    embedded::pack(aligned, progress)
}

fn check(order: usize) -> Result<(), HrtfError> {
    if ORDERS.contains(&order) {
        Ok(())
    } else {
        Err(HrtfError::Order { order })
    }
}

fn kept_or_made(set: &Set, order: usize, progress: &Progress) -> Result<Decoder, HrtfError> {
    let key = disk::Key {
        hash: set.info.hash.clone(),
        order,
        rate: set.hrirs.rate.to_bits(),
        equalised: set.options.equalise,
    };
    let folder = disk::folder();
    if let Some(kept) = folder.as_ref().and_then(|folder| disk::read(folder, &key)) {
        return Ok(kept);
    }
    let made = design::design(&set.hrirs, order, progress, [0.0, 1.0])?;
    if let Some(folder) = folder {
        disk::write(&folder, &key, &made);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_again_has_the_same() {
        let options = Options::default();
        let set = load(&Source::Default, 48_000.0, options, &Progress::new()).unwrap();
        let progress = Progress::new();
        let one = decoder(&set, 2, &progress).unwrap();
        assert_eq!(progress.fraction(), 1.0);
        assert!(Arc::ptr_eq(&one, &decoder(&set, 2, &progress).unwrap()));
        assert!(Arc::ptr_eq(
            &one,
            &default_decoder(48_000.0, options, 2, &progress).unwrap()
        ));
        assert_eq!(one.taps, set.hrirs.taps);
    }

    #[test]
    fn orders_that_are_none_are_refused() {
        for order in [0, 8, usize::MAX] {
            let error =
                default_decoder(48_000.0, Options::default(), order, &Progress::new()).unwrap_err();
            assert_eq!(error, HrtfError::Order { order });
        }
        let error = default_decoder(1.0, Options::default(), 3, &Progress::new()).unwrap_err();
        assert_eq!(error, HrtfError::Rate { rate: 1.0 });
    }
}
