//! A prepared set as spectra, made once and shared by all renderers.

use super::LONGEST_ITD;
use super::late::least_delay;
use crate::dsp::convolve::{PARTITION, Spectrum, Transform, partition};
use crate::dsp::hrir::{Cell, Hrirs, Ring, Rings, smooth_step};

/// Spectra of a set's filters, per direction, ear and partition, and its interaural delays.
///
/// Memory: 256 bytes per direction, ear and partition of 32 taps, the left ear only where the set is
/// symmetric; 12 bytes a direction besides. 6600 directions of 288 taps take 30 MB, or 15 MB when symmetric.
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
    /// How much later the right ear hears each direction.
    itd: Vec<Itd>,
    distance: f64,
    /// Kept, for sources that move ask for it all the time.
    least_delay: f64,
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
        let itd: Vec<f32> = hrirs
            .itd
            .iter()
            .map(|itd| itd.clamp(-longest, longest))
            .collect();
        FilterBank {
            rate: hrirs.rate,
            partitions,
            mirror: hrirs.symmetric.then(|| mirrored(&hrirs.rings)),
            rings: hrirs.rings.clone(),
            spectra,
            itd: with_slopes(&hrirs.rings, &itd),
            distance: hrirs.distance,
            least_delay: least_delay(hrirs.rate),
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

    /// What a delay of 0 starts from at its rate, in frames.
    pub(super) fn least_delay(&self) -> f64 {
        self.least_delay
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

    /// How much later the right ear hears a place of the grid than the left one, in frames: cubic along the
    /// rings and between them (Catmull and Rom 1974), so that its slope is continuous.
    pub fn itd(&self, cell: &Cell) -> f64 {
        let along = |ring: usize| {
            let [from, to] = cell.directions[ring].map(|direction| self.itd[direction]);
            let x = cell.around[ring];
            let slopes = [from.around, to.around].map(f64::from);
            let itd = hermite(x, f64::from(from.itd), f64::from(to.itd), slopes);
            let up = f64::from(from.up) + smooth_step(x) * f64::from(to.up - from.up);
            (itd, up * cell.height)
        };
        let (low, high) = (along(0), along(1));
        // A pole's slope depends on where one comes from: straight from the ring beside it.
        let is_pole = |ring: usize| cell.directions[ring][0] == cell.directions[ring][1];
        let straight = high.0 - low.0;
        let slopes = [
            if is_pole(0) { straight } else { low.1 },
            if is_pole(1) { straight } else { high.1 },
        ];
        hermite(cell.up, low.0, high.0, slopes)
    }
}

/// The interaural delay of a direction, in frames.
#[derive(Debug, Clone, Copy, Default)]
struct Itd {
    itd: f32,
    /// Its slope along the ring, per step of it, and up, per degree.
    around: f32,
    up: f32,
}

/// Delays with their slopes, by central differences.
fn with_slopes(rings: &Rings, itd: &[f32]) -> Vec<Itd> {
    let all = rings.rings();
    // Along a ring at any azimuth, for the differences from ring to ring.
    let along = |ring: Ring, azimuth: f64| {
        let values = &itd[ring.first..ring.first + ring.count];
        let place = (azimuth / 360.0).rem_euclid(1.0) * ring.count as f64;
        let whole = place as usize;
        let [before, from, to, after] =
            [ring.count - 1, 0, 1, 2].map(|step| f64::from(values[(whole + step) % ring.count]));
        let slopes = [(to - before) / 2.0, (after - from) / 2.0];
        hermite(place - whole as f64, from, to, slopes)
    };
    let mut slopes = Vec::with_capacity(itd.len());
    for (index, ring) in all.iter().enumerate() {
        let values = &itd[ring.first..ring.first + ring.count];
        for k in 0..ring.count {
            let azimuth = k as f64 * 360.0 / ring.count as f64;
            // Poles have none of their own.
            let up = if index == 0 || index + 1 == all.len() {
                0.0
            } else {
                let (low, high) = (all[index - 1], all[index + 1]);
                (along(high, azimuth) - along(low, azimuth)) / (high.elevation - low.elevation)
            };
            let next = values[(k + 1) % ring.count];
            let before = values[(k + ring.count - 1) % ring.count];
            slopes.push(Itd {
                itd: values[k],
                around: (next - before) / 2.0,
                up: up as f32,
            });
        }
    }
    slopes
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
