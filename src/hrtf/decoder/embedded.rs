//! The default set's decoders, as the crate embeds them.
//!
//! Little-endian: "ZGD1", rate (f32) and taps (u16); then for the set as measured and for the equalised one, for each order
//! from 1 on, the number of bytes that follow (u32), a step (f32), and the left ear's taps of each channel in units of it
//! ([`crate::hrtf::bits`]).

use super::ORDERS;
use super::design::{design, onset};
use crate::dsp::ambisonics::{Decoder, channels};
use crate::hrtf::align::{Aligned, FADE};
use crate::hrtf::bits::{Reader, put};
use crate::hrtf::prepare::{Options, finish};
use crate::hrtf::resample::Resampler;
use crate::hrtf::spectra::taps;
use crate::hrtf::{HrtfError, Progress};
use std::f64::consts::PI;

/// Made by `cargo xtask asset`.
const BYTES: &[u8] = include_bytes!("../../../assets/decoders.bin");

const MAGIC: &[u8; 4] = b"ZGD1";

/// The rate that they are kept at, in hertz: the set's own.
const RATE: f64 = 44_100.0;

/// Steps in the largest tap: they err by -90 dB of it.
const STEPS: f32 = 16_384.0;

/// Packs the decoders of all orders of a set that mirrors itself, as measured and equalised; `None` where it does
/// not.
///
/// # Errors
/// [`HrtfError::Cancelled`].
pub fn pack(aligned: &Aligned, progress: &Progress) -> Result<Option<Vec<u8>>, HrtfError> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((RATE as f32).to_le_bytes());
    bytes.extend((taps(RATE) as u16).to_le_bytes());
    for equalise in [false, true] {
        let hrirs = finish(aligned, RATE, Options { equalise }, progress, [0.0, 0.0])?;
        if !hrirs.symmetric {
            return Ok(None);
        }
        for order in ORDERS {
            let decoder = design(&hrirs, order, progress, [0.0, 1.0])?;
            let largest = decoder
                .filters
                .iter()
                .fold(0.0_f32, |max, x| max.max(x.abs()));
            let step = largest / STEPS;
            let mut section = step.to_le_bytes().to_vec();
            for row in decoder.filters.chunks_exact(decoder.taps) {
                put(&mut section, row, step);
            }
            bytes.extend((section.len() as u32).to_le_bytes());
            bytes.extend(section);
        }
    }
    Ok(Some(bytes))
}

/// The decoder of an order for a rate in hertz; `None` never in a build whose assets are whole.
pub fn unpack(order: usize, options: Options, rate: f64) -> Option<Decoder> {
    let decoder = section(BYTES, order, options)?;
    Some(if rate == decoder.rate {
        decoder
    } else {
        resampled(&decoder, rate)
    })
}

fn section(bytes: &[u8], order: usize, options: Options) -> Option<Decoder> {
    let mut reader = Reader::new(bytes);
    if reader.take()? != *MAGIC {
        return None;
    }
    let rate = f64::from(reader.float()?);
    let taps = reader.short()?;
    let skipped = if options.equalise { ORDERS.count() } else { 0 } + order - ORDERS.start();
    for _ in 0..skipped {
        let count = reader.long()?;
        reader.bytes(count)?;
    }
    let count = reader.long()?;
    let mut reader = Reader::new(reader.bytes(count)?);
    let step = reader.float()?;
    let mut filters = vec![0.0; channels(order) * taps];
    for row in filters.chunks_exact_mut(taps.max(1)) {
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

/// At another rate, with the onset where that rate has it.
fn resampled(decoder: &Decoder, rate: f64) -> Decoder {
    let taps = taps(rate);
    let lead = onset(rate) / rate * decoder.rate - onset(decoder.rate);
    let resampler = Resampler::cut(decoder.rate, rate, decoder.taps, lead, taps);
    let fade = ((FADE * rate).ceil() as usize).min(taps);
    let mut filters = Vec::with_capacity(decoder.channels() * taps);
    let mut row = Vec::new();
    for input in decoder.filters.chunks_exact(decoder.taps) {
        resampler.run(input, &mut row);
        for n in 0..fade {
            let place = PI * (n as f64 + 0.5) / fade as f64;
            row[taps - 1 - n] *= (0.5 - 0.5 * place.cos()) as f32;
        }
        filters.extend_from_slice(&row);
    }
    Decoder {
        rate,
        taps,
        filters,
        ..*decoder
    }
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
                section(&BYTES[..length], 7, Options::default()).is_none(),
                "{length}"
            );
        }
    }
}
