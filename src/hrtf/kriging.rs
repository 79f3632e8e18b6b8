//! Between measured directions: weights of the nearest ones by simple kriging (Gaussian process regression;
//! Rasmussen and Williams 2006), which is the best linear estimate for a field of known smoothness.

use super::trend::{factor, solve};

/// How many measured directions one estimate uses.
pub const NEAREST: usize = 24;

/// Directions differ more in elevation than around the axis: KEMAR, held out, fits best with this.
const HEIGHT: f64 = 1.5;

/// Radians over which log-magnitudes resemble each other (a Matern kernel of 3/2, rough).
const LOG_REACH: f64 = 0.33;

/// Radians over which complex spectra do, once the head's own delay is taken out (5/2, smooth).
const COMPLEX_REACH: f64 = 0.2;

/// Share of a measurement's variance that is its own error.
const NUGGET: f64 = 1e-2;

/// Spacing of measurements, in radians, for which the reaches are right; wider grids stretch them.
const SPACING: f64 = 0.175;

/// Points of the kernels' tables.
const TABLE: usize = 4096;

/// Squared stretched distance between directions at the tables' ends.
const FARTHEST: f64 = 4.0 * HEIGHT * HEIGHT;

/// The measured directions.
pub struct Kriging {
    directions: Vec<[f64; 3]>,
    log: Vec<f64>,
    complex: Vec<f64>,
    /// Median angle from one measurement to the next, in radians.
    pub spacing: f64,
}

/// The weights of an estimate.
#[derive(Default)]
pub struct Weights {
    /// Which measurements.
    pub index: Vec<usize>,
    /// For log-magnitudes less their trend.
    pub log: Vec<f64>,
    /// For complex spectra and what moves as smoothly.
    pub complex: Vec<f64>,
    /// Share of a complex spectrum's variance that the measurements explain, 0 to 1.
    pub known: f64,
    /// Angle to the nearest measurement, in radians.
    pub gap: f64,
    matrix: Vec<f64>,
    right: Vec<f64>,
    order: Vec<(f64, usize)>,
}

impl Kriging {
    /// For measurements in some directions, at least one.
    pub fn new(directions: Vec<[f64; 3]>) -> Kriging {
        let spacing = spacing(&directions);
        let stretch = (spacing / SPACING).max(1.0);
        let table = |reach: f64, kernel: fn(f64) -> f64| {
            (0..=TABLE)
                .map(|n| {
                    let squared = FARTHEST * n as f64 / TABLE as f64;
                    kernel(squared.sqrt() / (reach * stretch))
                })
                .collect()
        };
        Kriging {
            directions,
            log: table(LOG_REACH, |d| {
                let d = 3.0_f64.sqrt() * d;
                (1.0 + d) * (-d).exp()
            }),
            complex: table(COMPLEX_REACH, |d| {
                let d = 5.0_f64.sqrt() * d;
                (1.0 + d + d * d / 3.0) * (-d).exp()
            }),
            spacing,
        }
    }

    /// The measured directions, as unit vectors.
    pub fn directions(&self) -> &[[f64; 3]] {
        &self.directions
    }

    /// Finds the weights for an estimate in one direction.
    pub fn weigh(&self, direction: [f64; 3], weights: &mut Weights) {
        weights.order.clear();
        let distances = self.directions.iter().map(|d| squared(*d, direction));
        weights.order.extend(distances.zip(0..));
        let count = NEAREST.min(weights.order.len());
        if count < weights.order.len() {
            weights
                .order
                .select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0));
            weights.order.truncate(count);
        }
        weights.index.clear();
        weights
            .index
            .extend(weights.order.iter().map(|(_, index)| *index));
        let nearest = weights
            .index
            .iter()
            .map(|i| dot(self.directions[*i], direction));
        weights.gap = nearest.fold(-1.0, f64::max).clamp(-1.0, 1.0).acos();
        self.solve(&self.log, weights);
        weights.log.clone_from(&weights.right);
        self.solve(&self.complex, weights);
        weights.complex.clone_from(&weights.right);
        weights.known = weights
            .order
            .iter()
            .zip(&weights.complex)
            .map(|((squared, _), weight)| look_up(&self.complex, *squared) * weight)
            .sum::<f64>()
            .clamp(0.0, 1.0);
    }

    fn solve(&self, kernel: &[f64], weights: &mut Weights) {
        let count = weights.index.len();
        weights.matrix.resize(count * count, 0.0);
        for (i, a) in weights.index.iter().enumerate() {
            for (j, b) in weights.index[..i].iter().enumerate() {
                let squared = squared(self.directions[*a], self.directions[*b]);
                weights.matrix[i * count + j] = look_up(kernel, squared);
            }
            weights.matrix[i * count + i] = 1.0 + NUGGET;
        }
        weights.right.clear();
        let right = weights
            .order
            .iter()
            .map(|(squared, _)| look_up(kernel, *squared));
        weights.right.extend(right);
        factor(&mut weights.matrix, count);
        solve(&weights.matrix, &mut weights.right);
    }
}

/// Squared distance of two directions with height stretched.
fn squared(a: [f64; 3], b: [f64; 3]) -> f64 {
    let [x, y, z] = [a[0] - b[0], a[1] - b[1], (a[2] - b[2]) * HEIGHT];
    x * x + y * y + z * z
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn look_up(table: &[f64], squared: f64) -> f64 {
    let place = (squared * (TABLE as f64 / FARTHEST)).min(TABLE as f64 - 1.0);
    let index = place as usize;
    table[index] + (table[index + 1] - table[index]) * (place - index as f64)
}

/// The median angle from a direction to its nearest neighbour, of at most some hundred directions.
pub fn spacing(directions: &[[f64; 3]]) -> f64 {
    let every = directions.len().div_ceil(200);
    let mut angles: Vec<f64> = directions
        .iter()
        .enumerate()
        .step_by(every.max(1))
        .filter_map(|(index, a)| {
            let others = directions.iter().enumerate().filter(|(i, _)| *i != index);
            others.map(|(_, b)| dot(*a, *b)).reduce(f64::max)
        })
        .map(|cosine| cosine.clamp(-1.0, 1.0).acos())
        .collect();
    angles.sort_by(f64::total_cmp);
    angles
        .get(angles.len() / 2)
        .copied()
        .unwrap_or(std::f64::consts::PI)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hrtf::head::vector;

    fn sphere() -> Kriging {
        let place = |k: u32| {
            vector(
                f64::from(k) * 137.507_764,
                (f64::from(k) / 250.0 - 1.0).asin().to_degrees(),
            )
        };
        Kriging::new((0..500).map(place).collect())
    }

    #[test]
    fn a_measured_direction_is_nearly_itself() {
        let kriging = sphere();
        let mut weights = Weights::default();
        kriging.weigh(kriging.directions()[77], &mut weights);
        let own = weights.index.iter().position(|i| *i == 77).unwrap();
        assert!(weights.log[own] > 0.9 && weights.complex[own] > 0.9);
        assert!(weights.gap < 1e-6 && weights.known > 0.9);
    }

    #[test]
    fn a_smooth_field_is_found_between() {
        let kriging = sphere();
        let field = |[x, y, z]: [f64; 3]| (2.0 * x + y).sin() + z;
        let mut weights = Weights::default();
        for k in 0..50 {
            let direction = vector(f64::from(k) * 7.3, f64::from(k) - 25.0);
            kriging.weigh(direction, &mut weights);
            let found: f64 = weights
                .index
                .iter()
                .zip(&weights.complex)
                .map(|(i, w)| w * field(kriging.directions()[*i]))
                .sum();
            assert!((found - field(direction)).abs() < 0.05, "{k}: {found}");
        }
    }
}
