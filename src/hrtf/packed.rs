//! The compact form of a set that mirrors itself: what the crate embeds of MIT KEMAR, and how it is made.
//!
//! Little-endian: "ZGH1", rate (f32), distance (f32), frames before the onset and taps (u16), number of
//! directions (u32), step (f32); for each direction azimuth, elevation and start of the left ear's window (f32);
//! then the left ear's windows in blocks of samples in units of the step ([`super::bits`]).

use super::align::Aligned;
use super::bits::{Reader, put};
use super::raw::About;

/// The default set. `cargo xtask asset` makes it from the SOFA file in assets/.
const KEMAR: &[u8] = include_bytes!("../../assets/kemar.bin");

const MAGIC: &[u8; 4] = b"ZGH1";

/// Steps in the largest sample: they err by -108 dB of it.
const STEPS: f32 = 131_072.0;

/// The bytes of the default set, which are its content.
pub fn default_bytes() -> &'static [u8] {
    KEMAR
}

/// The default set: MIT KEMAR with normal pinnae (Gardner and Martin, HRTF Measurements of a KEMAR
/// Dummy-Head Microphone, MIT Media Lab Perceptual Computing, Technical Report 280, 1994), windowed.
///
/// `None` never in a build whose assets are whole; the tests see to it.
pub fn default_set() -> Option<Aligned> {
    let mut aligned = unpack(KEMAR)?;
    aligned.about = About {
        title: "MIT KEMAR, normal pinna".to_owned(),
        convention: "SimpleFreeFieldHRIR 1.0".to_owned(),
        author: "Bill Gardner and Keith Martin".to_owned(),
        license: "Free without restriction if the authors are cited".to_owned(),
        organization: "MIT Media Lab, Perceptual Computing, 1994".to_owned(),
    };
    Some(aligned)
}

/// Packs a set; `None` where its ears do not mirror each other.
pub fn pack(aligned: &Aligned) -> Option<Vec<u8>> {
    if !aligned.symmetric {
        return None;
    }
    let largest = aligned
        .windows
        .iter()
        .fold(0.0_f32, |max, x| max.max(x.abs()));
    let step = largest / STEPS;
    let mut bytes = MAGIC.to_vec();
    bytes.extend((aligned.rate as f32).to_le_bytes());
    bytes.extend((aligned.distance as f32).to_le_bytes());
    for count in [aligned.before, aligned.taps] {
        bytes.extend(u16::try_from(count).ok()?.to_le_bytes());
    }
    let count = aligned.directions.len();
    bytes.extend(u32::try_from(count).ok()?.to_le_bytes());
    bytes.extend(step.to_le_bytes());
    for ([azimuth, elevation], start) in aligned.directions.iter().zip(&aligned.starts) {
        for number in [*azimuth, *elevation, start[0]] {
            bytes.extend((number as f32).to_le_bytes());
        }
    }
    for index in 0..count {
        put(&mut bytes, aligned.window(index, 0), step);
    }
    Some(bytes)
}

/// Unpacks a set; `None` where the bytes are none. The set says nothing of itself.
pub fn unpack(bytes: &[u8]) -> Option<Aligned> {
    let mut reader = Reader::new(bytes);
    if reader.take()? != *MAGIC {
        return None;
    }
    let rate = f64::from(reader.float()?);
    let distance = f64::from(reader.float()?);
    let (before, taps) = (reader.short()?, reader.short()?);
    let count = reader.long()?;
    let step = reader.float()?;
    let mut directions = Vec::new();
    let mut lefts = Vec::new();
    for _ in 0..count {
        directions.push([f64::from(reader.float()?), f64::from(reader.float()?)]);
        lefts.push(f64::from(reader.float()?));
    }
    let mut aligned = Aligned {
        about: About::default(),
        rate,
        directions,
        distance,
        taps,
        before,
        windows: Vec::new(),
        starts: Vec::new(),
        symmetric: true,
        notes: Vec::new(),
    };
    let mirror = aligned.mirror()?;
    let mut left = vec![0.0; count * taps];
    for window in left.chunks_exact_mut(taps.max(1)) {
        reader.samples(window, step)?;
    }
    aligned.windows.reserve(2 * left.len());
    for (index, other) in mirror.into_iter().enumerate() {
        aligned.starts.push([lefts[index], lefts[other]]);
        for source in [index, other] {
            aligned.windows.extend(&left[source * taps..][..taps]);
        }
    }
    Some(aligned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_set_is_there() {
        let set = default_set().unwrap();
        assert_eq!((set.directions.len(), set.rate), (710, 44_100.0));
        assert!(KEMAR.len() <= 350_000, "{} bytes", KEMAR.len());
        assert_eq!(pack(&set).unwrap(), KEMAR);
    }

    #[test]
    fn bytes_that_are_none_are_refused() {
        for length in (0..KEMAR.len()).step_by(997) {
            assert!(unpack(&KEMAR[..length]).is_none(), "{length}");
        }
        assert!(unpack(b"RIFF and what follows").is_none());
    }
}
