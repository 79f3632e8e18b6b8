//! A prepared set as spectra, made once and shared by all renderers.

use super::LONGEST_ITD;
use crate::dsp::convolve::{PARTITION, Spectrum, Transform, partition};
use crate::dsp::hrir::{Hrirs, Ring, Rings};

/// Spectra of a set's filters, per direction, ear and partition, and its interaural delays.
///
/// Memory: 256 bytes per direction, ear and partition of 32 taps, the left ear only where the set is
/// symmetric; 4 bytes a direction besides. 6600 directions of 288 taps take 30 MB, or 15 MB when symmetric.
#[derive(Debug, Clone)]
pub struct FilterBank {
    rate: f64,
    partitions: usize,
    rings: Rings,
    /// Directions x ears x partitions.
    spectra: Vec<Spectrum>,
    /// The direction mirrored left to right, of each, where the set is symmetric: its left ear's filter is
    /// this one's right ear's.
    mirror: Option<Vec<u32>>,
    /// How much later the right ear hears each direction, in frames.
    itd: Vec<f32>,
    distance: f64,
}

impl FilterBank {
    /// Transforms a set. Takes some 100 ns a partition; allocates; not for the audio thread.
    ///
    /// # Panics
    /// When the lengths of the set's lists do not fit its directions and taps, or taps are no multiple of 32.
    pub fn new(hrirs: &Hrirs) -> FilterBank {
        let directions = hrirs.rings.directions();
        assert!(hrirs.taps > 0 && hrirs.taps.is_multiple_of(PARTITION));
        assert_eq!(hrirs.filters.len(), directions * 2 * hrirs.taps);
        assert_eq!(hrirs.itd.len(), directions);
        let partitions = hrirs.taps / PARTITION;
        let ears = if hrirs.symmetric { 1 } else { 2 };
        let mut spectra = vec![Spectrum::ZERO; directions * ears * partitions];
        let mut transform = Transform::new();
        let mut unused = vec![Spectrum::ZERO; partitions];
        for (direction, rows) in spectra.chunks_exact_mut(ears * partitions).enumerate() {
            let filters = [0, 1].map(|ear| hrirs.filter(direction, ear));
            let (left, right) = rows.split_at_mut(partitions);
            let right = if hrirs.symmetric { &mut unused } else { right };
            partition(&mut transform, filters, left, right);
        }
        let longest = (LONGEST_ITD * hrirs.rate) as f32;
        FilterBank {
            rate: hrirs.rate,
            partitions,
            mirror: hrirs.symmetric.then(|| mirrored(&hrirs.rings)),
            rings: hrirs.rings.clone(),
            spectra,
            itd: hrirs
                .itd
                .iter()
                .map(|itd| itd.clamp(-longest, longest))
                .collect(),
            distance: hrirs.distance,
        }
    }

    /// Sample rate in hertz.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Taps of a filter.
    pub fn taps(&self) -> usize {
        self.partitions * PARTITION
    }

    /// The directions.
    pub fn rings(&self) -> &Rings {
        &self.rings
    }

    /// Distance of the measurement in metres.
    pub fn distance(&self) -> f64 {
        self.distance
    }

    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.spectra[..])
            + size_of_val(&self.itd[..])
            + self.mirror.as_deref().map_or(0, size_of_val)
    }

    /// Partitions of a filter.
    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }

    /// The partitions of one ear (0 left, 1 right) in one direction.
    pub(super) fn filter(&self, direction: usize, ear: usize) -> &[Spectrum] {
        let row = match &self.mirror {
            None => direction * 2 + ear,
            Some(_) if ear == 0 => direction,
            Some(mirror) => mirror[direction] as usize,
        };
        &self.spectra[row * self.partitions..][..self.partitions]
    }

    /// How much later the right ear hears a direction (degrees) than the left one, in frames: cubic along the
    /// rings and between them (Catmull and Rom 1974), so that its slope is continuous, over the poles too.
    pub fn itd(&self, azimuth: f64, elevation: f64) -> f64 {
        let rings = self.rings.rings();
        let elevation = elevation.clamp(-90.0, 90.0);
        let above = self.rings.above(elevation);
        let (low, high) = (rings[above - 1], rings[above]);
        // Beyond a pole comes the ring before it, seen from the other side.
        let below = match above.checked_sub(2) {
            Some(index) => (rings[index].elevation, self.along(rings[index], azimuth)),
            None => (
                -180.0 - rings[1].elevation,
                self.along(rings[1], azimuth + 180.0),
            ),
        };
        let beyond = match rings.get(above + 1) {
            Some(ring) => (ring.elevation, self.along(*ring, azimuth)),
            None => {
                let ring = rings[rings.len() - 2];
                (180.0 - ring.elevation, self.along(ring, azimuth + 180.0))
            }
        };
        let (from, to) = (self.along(low, azimuth), self.along(high, azimuth));
        let step = high.elevation - low.elevation;
        let slopes = [
            (to - below.1) / (high.elevation - below.0) * step,
            (beyond.1 - from) / (beyond.0 - low.elevation) * step,
        ];
        hermite((elevation - low.elevation) / step, from, to, slopes)
    }

    /// Along one ring; azimuths from -360 degrees up.
    fn along(&self, ring: Ring, azimuth: f64) -> f64 {
        let values = &self.itd[ring.first..ring.first + ring.count];
        let turns = azimuth * (1.0 / 360.0) + 1.0;
        let place = (turns - turns.trunc()) * ring.count as f64;
        let last = ring.count - 1;
        let whole = (place as usize).min(last);
        let after = |index: usize| if index == last { 0 } else { index + 1 };
        let before = if whole == 0 { last } else { whole - 1 };
        let at = |index: usize| f64::from(values[index]);
        let (from, to) = (at(whole), at(after(whole)));
        let slopes = [
            (to - at(before)) * 0.5,
            (at(after(after(whole))) - from) * 0.5,
        ];
        hermite(place - whole as f64, from, to, slopes)
    }
}

/// A cubic between two values with two slopes.
fn hermite(x: f64, from: f64, to: f64, slopes: [f64; 2]) -> f64 {
    let y = 1.0 - x;
    from * y * y * (1.0 + 2.0 * x)
        + to * x * x * (1.0 + 2.0 * y)
        + x * y * (slopes[0] * y - slopes[1] * x)
}

/// The mirrored direction of each.
fn mirrored(rings: &Rings) -> Vec<u32> {
    let rings = rings.rings().iter();
    rings
        .flat_map(|ring| {
            (0..ring.count).map(|k| (ring.first + (ring.count - k) % ring.count) as u32)
        })
        .collect()
}
