//! What a set is on the whole: a low-order surface over the sphere, which holds where nothing was measured.

/// Terms of order 3: every spherical harmonic of order 0 to 3, unnormalised.
const TERMS: usize = 16;

/// The order of each term.
const ORDERS: [usize; TERMS] = [0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3];

/// How much the fit prefers flat surfaces where the measurements leave it free.
const STIFFNESS: f64 = 1e-3;

/// A surface for each of some columns.
pub struct Trend {
    columns: usize,
    coefficients: Vec<f32>,
}

/// The terms in one direction.
fn terms([x, y, z]: [f64; 3]) -> [f64; TERMS] {
    [
        1.0,
        x,
        y,
        z,
        x * y,
        y * z,
        x * z,
        x * x - y * y,
        1.5 * z * z - 0.5,
        x * (x * x - 3.0 * y * y),
        y * (3.0 * x * x - y * y),
        z * (x * x - y * y),
        2.0 * x * y * z,
        x * (5.0 * z * z - 1.0) * 0.5,
        y * (5.0 * z * z - 1.0) * 0.5,
        z * (5.0 * z * z - 3.0) * 0.5,
    ]
}

impl Trend {
    /// Fits values, one row of `columns` for each direction, by least squares.
    pub fn fit<'a>(
        directions: &[[f64; 3]],
        columns: usize,
        row: impl Fn(usize) -> &'a [f32],
    ) -> Trend {
        // Fewer measurements than this a term would only follow noise.
        let order = match directions.len() {
            0..=5 => 0,
            6..=17 => 1,
            18..=39 => 2,
            _ => 3,
        };
        let used = ORDERS.iter().filter(|n| **n <= order).count();
        let mut normal = vec![0.0; used * used];
        let mut right = vec![0.0_f64; used * columns];
        for (index, direction) in directions.iter().enumerate() {
            let terms = terms(*direction);
            let values = row(index);
            for i in 0..used {
                for j in 0..used {
                    normal[i * used + j] += terms[i] * terms[j];
                }
                let to = &mut right[i * columns..][..columns];
                for (to, value) in to.iter_mut().zip(values) {
                    *to += terms[i] * f64::from(*value);
                }
            }
        }
        for (i, order) in ORDERS.iter().take(used).enumerate() {
            let bend = (order * (order + 1)) as f64;
            // The constant is kept from a division by nothing only.
            normal[i * used + i] += STIFFNESS * bend * bend * directions.len() as f64 + 1e-9;
        }
        factor(&mut normal, used);
        let mut coefficients = vec![0.0; TERMS * columns];
        let mut column = vec![0.0; used];
        for c in 0..columns {
            for (i, x) in column.iter_mut().enumerate() {
                *x = right[i * columns + c];
            }
            solve(&normal, &mut column);
            for (i, x) in column.iter().enumerate() {
                coefficients[i * columns + c] = *x as f32;
            }
        }
        Trend {
            columns,
            coefficients,
        }
    }

    /// The surface in one direction, a row of columns.
    pub fn at(&self, direction: [f64; 3], row: &mut [f32]) {
        row.fill(0.0);
        for (i, term) in terms(direction).into_iter().enumerate() {
            let from = &self.coefficients[i * self.columns..][..self.columns];
            for (to, from) in row.iter_mut().zip(from) {
                *to += term as f32 * from;
            }
        }
    }
}

/// Cholesky's factor of a symmetric positive matrix of `n` rows, in its lower half.
pub fn factor(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..=i {
            let (row, other) = (&matrix[i * n..i * n + j], &matrix[j * n..j * n + j]);
            let sum: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            let rest = matrix[i * n + j] - sum;
            matrix[i * n + j] = if i == j {
                // Rounding may take what is left of a near-singular matrix below nothing.
                rest.max(1e-12).sqrt()
            } else {
                rest / matrix[j * n + j]
            };
        }
    }
}

/// Solves a system of which [`factor`] has made the factor; `x` is the right side, then the solution.
pub fn solve(factor: &[f64], x: &mut [f64]) {
    let n = x.len();
    for i in 0..n {
        let sum: f64 = (0..i).map(|j| factor[i * n + j] * x[j]).sum();
        x[i] = (x[i] - sum) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|j| factor[j * n + i] * x[j]).sum();
        x[i] = (x[i] - sum) / factor[i * n + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hrtf::head::vector;

    #[test]
    fn a_surface_of_low_order_is_found() {
        let directions: Vec<[f64; 3]> = (0..200)
            .map(|k| vector(f64::from(k) * 137.5, f64::from(k) * 0.9 - 90.0))
            .collect();
        let values: Vec<[f32; 2]> = directions
            .iter()
            .map(|[_, y, z]| [(2.0 + 0.2 * y) as f32, (0.1 * z) as f32])
            .collect();
        let trend = Trend::fit(&directions, 2, |index| &values[index]);
        let mut row = [0.0; 2];
        trend.at(vector(90.0, 0.0), &mut row);
        assert!(
            (row[0] - 2.2).abs() < 0.02 && row[1].abs() < 0.02,
            "{row:?}"
        );
    }

    #[test]
    fn a_single_direction_holds_everywhere() {
        let trend = Trend::fit(&[[1.0, 0.0, 0.0]], 1, |_| &[3.0]);
        let mut row = [0.0];
        trend.at([0.0, 0.0, -1.0], &mut row);
        assert!((row[0] - 3.0).abs() < 1e-4);
    }
}
