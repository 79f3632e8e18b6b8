//! The directions that a decoder is fitted in, and the arithmetic between them and its channels.

use crate::dsp::ambisonics::{channels, degree, encode, n3d};
use crate::dsp::hrir::Rings;
use crate::hrtf::trend::{factor, solve};

/// Degrees between the rings of a fit: half of what separates the finest pattern of order 7 from its mean.
const SPACING: f64 = 7.0;

/// Bins that are worked on together.
pub const LANES: usize = 16;

/// One number, complex, in each of some bins: real parts, then imaginary parts.
pub type Row = [f32; 2 * LANES];

/// Directions of a set, every third ring or so, and their harmonics (N3D).
pub struct Field {
    /// Channels.
    pub channels: usize,
    /// Which directions of the set.
    pub picks: Vec<usize>,
    /// Share of the sphere that each stands for; they add up to 1.
    pub weights: Vec<f32>,
    /// Harmonics, directions x channels.
    harmonics: Vec<f32>,
    /// What gives the best fit, by least squares, of values in all directions: directions x channels.
    projection: Vec<f32>,
}

impl Field {
    /// For the directions of a set.
    pub fn new(rings: &Rings, order: usize) -> Field {
        let (picks, weights) = picks(rings, SPACING);
        let channels = channels(order);
        let mut harmonics = Vec::with_capacity(picks.len() * channels);
        for pick in &picks {
            let (azimuth, elevation) = rings.direction(*pick);
            let gains = encode(order, azimuth, elevation);
            harmonics.extend((0..channels).map(|c| gains[c] * n3d(degree(c).0)));
        }
        let mut gram = vec![0.0; channels * channels];
        for (row, weight) in harmonics.chunks_exact(channels).zip(&weights) {
            for (i, a) in row.iter().enumerate() {
                for (j, b) in row[..=i].iter().enumerate() {
                    gram[i * channels + j] += weight * a * b;
                }
            }
        }
        factor(&mut gram, channels);
        let mut projection = Vec::with_capacity(harmonics.len());
        let mut column = vec![0.0; channels];
        for (row, weight) in harmonics.chunks_exact(channels).zip(&weights) {
            for (x, y) in column.iter_mut().zip(row) {
                *x = weight * y;
            }
            solve(&gram, &mut column);
            projection.extend(column.iter().map(|x| *x as f32));
        }
        Field {
            channels,
            picks,
            weights: weights.iter().map(|w| *w as f32).collect(),
            harmonics: harmonics.iter().map(|y| *y as f32).collect(),
            projection,
        }
    }

    /// What channels sound like in every direction.
    pub fn decode(&self, channels: &[Row], directions: &mut [Row]) {
        let rows = self.harmonics.chunks_exact(self.channels);
        for (out, row) in directions.iter_mut().zip(rows) {
            let mut sum = [0.0; 2 * LANES];
            for (channel, gain) in channels.iter().zip(row) {
                for (sum, x) in sum.iter_mut().zip(channel) {
                    *sum += gain * x;
                }
            }
            *out = sum;
        }
    }

    /// The channels that fit values in every direction best.
    pub fn fit(&self, directions: &[Row], channels: &mut [Row]) {
        channels.fill([0.0; 2 * LANES]);
        // Four directions at a time: sums are loaded and stored a quarter as often.
        let (fours, rest) = directions.as_chunks::<4>();
        let (bulk, tail) = self.projection.split_at(fours.len() * 4 * self.channels);
        for ([a, b, c, d], gains) in fours.iter().zip(bulk.chunks_exact(4 * self.channels)) {
            let (first, gains) = gains.split_at(self.channels);
            let (second, gains) = gains.split_at(self.channels);
            let (third, fourth) = gains.split_at(self.channels);
            for (n, sum) in channels.iter_mut().enumerate() {
                let (p, q, r, s) = (first[n], second[n], third[n], fourth[n]);
                for k in 0..2 * LANES {
                    sum[k] += p * a[k] + q * b[k] + (r * c[k] + s * d[k]);
                }
            }
        }
        for (value, gains) in rest.iter().zip(tail.chunks_exact(self.channels)) {
            for (sum, gain) in channels.iter_mut().zip(gains) {
                for (sum, x) in sum.iter_mut().zip(value) {
                    *sum += gain * x;
                }
            }
        }
    }
}

/// Rings at least `spacing` degrees apart, all of their directions, and the share of the sphere that each stands for.
pub fn picks(rings: &Rings, spacing: f64) -> (Vec<usize>, Vec<f64>) {
    let all = rings.rings();
    let (first, last) = (&all[0], &all[all.len() - 1]);
    let mut chosen = vec![first];
    for ring in &all[1..all.len() - 1] {
        let below = chosen[chosen.len() - 1].elevation;
        if ring.elevation - below >= spacing && 90.0 - ring.elevation >= spacing / 2.0 {
            chosen.push(ring);
        }
    }
    chosen.push(last);
    let (mut picks, mut weights) = (Vec::new(), Vec::new());
    for (index, ring) in chosen.iter().enumerate() {
        let edge = |other: Option<&&crate::dsp::hrir::Ring>, pole: f64| {
            let place = other.map_or(pole, |other| 0.5 * (other.elevation + ring.elevation));
            place.to_radians().sin()
        };
        let below = edge(index.checked_sub(1).and_then(|i| chosen.get(i)), -90.0);
        let above = edge(chosen.get(index + 1), 90.0);
        for k in 0..ring.count {
            picks.push(ring.first + k);
            weights.push((above - below) / (2 * ring.count) as f64);
        }
    }
    (picks, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_of_what_channels_sound_like_is_those_channels() {
        let rings: Vec<(f64, usize)> = (0..=72)
            .map(|k| {
                let elevation = -90.0 + 2.5 * f64::from(k);
                let count = (72.0 * elevation.to_radians().cos()).round() as usize;
                (elevation, count.max(1))
            })
            .collect();
        let rings = Rings::new(&rings).unwrap();
        for order in [1, 4, 7] {
            let field = Field::new(&rings, order);
            assert!((field.weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let given: Vec<Row> = (0..field.channels)
                .map(|c| std::array::from_fn(|k| ((c * 32 + k) as f32).sin()))
                .collect();
            let mut heard = vec![[0.0; 32]; field.picks.len()];
            field.decode(&given, &mut heard);
            let mut found = vec![[0.0; 32]; field.channels];
            field.fit(&heard, &mut found);
            for (a, b) in given.iter().flatten().zip(found.iter().flatten()) {
                assert!((a - b).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
