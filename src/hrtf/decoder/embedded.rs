//! The default set's decoders, as the crate embeds them.
//!
//! Little-endian: "ZGD1"; then for each of [`RATES`], for the set as measured and for the equalised one, for each order
//! from 1 on, the number of bytes that follow (u32), a step (f32), and the left ear's taps of each channel in units of it
//! ([`crate::hrtf::bits`]).

use super::ORDERS;
use super::design::design;
use crate::dsp::ambisonics::{Decoder, channels};
use crate::hrtf::align::Aligned;
use crate::hrtf::bits::{Reader, put};
use crate::hrtf::prepare::{Options, finish};
use crate::hrtf::spectra::taps;
use crate::hrtf::{HrtfError, Progress};

/// Made by `cargo xtask asset`.
const BYTES: &[u8] = include_bytes!("../../../assets/decoders.bin");

const MAGIC: &[u8; 4] = b"ZGD1";

/// The rates that they are kept at, in hertz. Resampling would not do: much begins at the first tap, and what a kernel
/// spreads in front of it would be lost.
const RATES: [f64; 2] = [44_100.0, 48_000.0];

/// Steps in the largest tap: they err by -90 dB of it.
const STEPS: f32 = 16_384.0;

/// Packs the decoders of all orders of a set that mirrors itself, as measured and equalised; `None` where it does
/// not.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn pack(aligned: &Aligned, progress: &Progress) -> Result<Option<Vec<u8>>, HrtfError> {
    let mut bytes = MAGIC.to_vec();
    for rate in RATES {
        for equalise in [false, true] {
            let hrirs = finish(aligned, rate, Options { equalise }, progress, [0.0, 0.0])?;
            if !hrirs.symmetric {
                return Ok(None);
            }
            for order in ORDERS {
                let decoder = design(&hrirs, order, progress, [0.0, 1.0])?;
                let filters = decoder.filters.iter();
                let step = filters.fold(0.0_f32, |max, x| max.max(x.abs())) / STEPS;
                let mut section = step.to_le_bytes().to_vec();
                for row in decoder.filters.chunks_exact(decoder.taps) {
                    put(&mut section, row, step);
                }
                bytes.extend((section.len() as u32).to_le_bytes());
                bytes.extend(section);
            }
        }
    }
    Ok(Some(bytes))
}

/// The decoder of an order for a rate in hertz, if it is embedded for that.
pub fn unpack(order: usize, options: Options, rate: f64) -> Option<Decoder> {
    section(BYTES, order, options, rate)
}

fn section(bytes: &[u8], order: usize, options: Options, rate: f64) -> Option<Decoder> {
    let mut reader = Reader::new(bytes);
    if reader.take()? != *MAGIC {
        return None;
    }
    let family = 2 * RATES.iter().position(|known| *known == rate)? + usize::from(options.equalise);
    for _ in 0..family * ORDERS.count() + order - ORDERS.start() {
        let count = reader.long()?;
        reader.bytes(count)?;
    }
    let count = reader.long()?;
    let mut reader = Reader::new(reader.bytes(count)?);
    let step = reader.float()?;
    let taps = taps(rate);
    let mut filters = vec![0.0; channels(order) * taps];
    for row in filters.chunks_exact_mut(taps) {
        reader.samples(row, step)?;
    }
    Some(Decoder {
        rate,
        order,
        taps,
        filters,
        symmetric: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_orders_are_there() {
        assert!(BYTES.len() < 400_000, "{} bytes", BYTES.len());
        for order in ORDERS {
            for equalise in [false, true] {
                let decoder = unpack(order, Options { equalise }, 48_000.0).unwrap();
                assert_eq!((decoder.taps, decoder.order), (288, order));
                assert_eq!(decoder.filters.len(), channels(order) * 288);
            }
        }
    }

    #[test]
    fn bytes_that_are_none_are_refused() {
        for length in (0..BYTES.len()).step_by(1009) {
            assert!(
                section(&BYTES[..length], 7, Options::default(), 48_000.0).is_none(),
                "{length}"
            );
        }
    }
}
