//! Spherical harmonics of all images of a source at once.

use super::images::IMAGES;
use super::kernels::Row;
use crate::dsp::ambisonics::{MAX_CHANNELS, MAX_ORDER};
use crate::dsp::convolve::kernels::{kernel, mul_add};
use multiversion::multiversion;
use multiversion::target::match_target;

/// The factors of the recurrences of [`crate::dsp::ambisonics::encode`], by order m and degree l.
#[derive(Debug, Clone)]
pub(super) struct Recurrence {
    sectoral: [f32; MAX_ORDER + 1],
    now: [[f32; MAX_ORDER + 1]; MAX_ORDER + 1],
    before: [[f32; MAX_ORDER + 1]; MAX_ORDER + 1],
}

impl Recurrence {
    pub fn new() -> Recurrence {
        let mut factors = Recurrence {
            sectoral: [1.0; MAX_ORDER + 1],
            now: [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1],
            before: [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1],
        };
        for m in 0..=MAX_ORDER {
            if m > 1 {
                factors.sectoral[m] = ((2 * m - 1) as f64 / (2 * m) as f64).sqrt() as f32;
            }
            for l in m..=MAX_ORDER {
                let root = |l: usize| ((l * l - m * m) as f64).sqrt();
                factors.now[m][l] = ((2 * l + 1) as f64 / root(l + 1)) as f32;
                factors.before[m][l] = (root(l) / root(l + 1)) as f32;
            }
        }
        factors
    }
}

kernel!(
    /// Harmonics up to an order (ACN, SN3D) of unit vectors (front, left, up), times gains: one row a channel.
    harmonics = harmonics_body(
        factors: &Recurrence, order: usize, toward: &[Row; 3], gains: &Row, rows: &mut [Row; MAX_CHANNELS]
    )
);

#[inline(always)]
fn harmonics_body<const FUSED: bool>(
    factors: &Recurrence,
    order: usize,
    toward: &[Row; 3],
    gains: &Row,
    rows: &mut [Row; MAX_CHANNELS],
) {
    let [x, y, z] = toward;
    // gain (x + i y)^m, normed.
    let (mut c, mut s) = (*gains, [0.0; IMAGES]);
    for m in 0..=order.min(MAX_ORDER) {
        if m > 0 {
            for i in 0..IMAGES {
                let (real, imaginary) = (c[i] * factors.sectoral[m], s[i] * factors.sectoral[m]);
                c[i] = mul_add::<FUSED>(real, x[i], -imaginary * y[i]);
                s[i] = mul_add::<FUSED>(imaginary, x[i], real * y[i]);
            }
        }
        let (mut before, mut now) = ([0.0; IMAGES], [1.0; IMAGES]);
        for l in m..=order.min(MAX_ORDER) {
            let acn = l * (l + 1);
            for i in 0..IMAGES {
                rows[acn + m][i] = now[i] * c[i];
            }
            if m > 0 {
                for i in 0..IMAGES {
                    rows[acn - m][i] = now[i] * s[i];
                }
            }
            let (a, b) = (factors.now[m][l], factors.before[m][l]);
            for i in 0..IMAGES {
                let next = mul_add::<FUSED>(a * z[i], now[i], -b * before[i]);
                before[i] = now[i];
                now[i] = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::ambisonics::encode;

    #[test]
    fn they_are_those_of_one_direction_at_a_time() {
        let factors = Recurrence::new();
        let directions: Vec<(f64, f64)> = (0..IMAGES)
            .map(|i| (i as f64 * 77.0, i as f64 * 180.0 / 23.0 - 90.0))
            .collect();
        let mut toward = [[0.0; IMAGES]; 3];
        for (i, (azimuth, elevation)) in directions.iter().enumerate() {
            let (sine, cosine) = azimuth.to_radians().sin_cos();
            let (up, across) = elevation.to_radians().sin_cos();
            for (row, part) in toward.iter_mut().zip([across * cosine, across * sine, up]) {
                row[i] = part as f32;
            }
        }
        for order in 1..=MAX_ORDER {
            let mut rows = [[0.0; IMAGES]; MAX_CHANNELS];
            harmonics(&factors, order, &toward, &[0.5; IMAGES], &mut rows);
            for (i, (azimuth, elevation)) in directions.iter().enumerate() {
                let due = encode(order, *azimuth, *elevation);
                for (row, due) in rows.iter().zip(due) {
                    assert!((f64::from(row[i]) - 0.5 * due).abs() < 2e-6);
                }
            }
        }
    }
}
