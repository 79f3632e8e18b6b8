//! Real spherical harmonics.

/// The highest order.
pub const MAX_ORDER: usize = 7;

/// Channels of the highest order.
pub const MAX_CHANNELS: usize = channels(MAX_ORDER);

/// Channels of an order.
pub const fn channels(order: usize) -> usize {
    (order + 1) * (order + 1)
}

/// Degree l and index m (-l to l) of a channel in ACN order.
pub const fn degree(channel: usize) -> (usize, isize) {
    let degree = channel.isqrt();
    (
        degree,
        channel as isize - (degree * degree + degree) as isize,
    )
}

/// What SN3D of a degree is multiplied by to become N3D.
pub fn n3d(degree: usize) -> f64 {
    ((2 * degree + 1) as f64).sqrt()
}

/// The harmonics up to an order (at most [`MAX_ORDER`]) in a direction (degrees): the gains of a plane wave, SN3D.
/// Those above the order are 0.
///
/// Legendre functions by their recurrence in degree and the cosines and sines of multiples by theirs: within 1e-14.
pub fn encode(order: usize, azimuth: f64, elevation: f64) -> [f64; MAX_CHANNELS] {
    let order = order.min(MAX_ORDER);
    let (sine, cosine) = azimuth.to_radians().sin_cos();
    let (z, across) = elevation.to_radians().sin_cos();
    let mut gains = [0.0; MAX_CHANNELS];
    // Of m times the azimuth.
    let (mut s, mut c) = (0.0, 1.0);
    // P_mm without sign, times its normalisation sqrt((2 - [m = 0]) / (2m)!).
    let mut sectoral = 1.0;
    for m in 0..=order {
        if m > 0 {
            (s, c) = (s * cosine + c * sine, c * cosine - s * sine);
            let step = match m {
                1 => 1.0,
                _ => ((2 * m - 1) as f64 / (2 * m) as f64).sqrt(),
            };
            sectoral *= step * across;
        }
        let (mut before, mut now) = (0.0, sectoral);
        for l in m..=order {
            let acn = l * (l + 1);
            gains[acn + m] = now * c;
            if m > 0 {
                gains[acn - m] = now * s;
            }
            // The recurrence of Legendre functions with SN3D's factors in it.
            let root = |l: usize| ((l * l - m * m) as f64).sqrt();
            let next = ((2 * l + 1) as f64 * z * now - root(l) * before) / root(l + 1);
            (before, now) = (now, next);
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_orders_are_those_of_the_tables() {
        let gains = encode(3, 30.0, 20.0);
        let (a, e) = (30f64.to_radians(), 20f64.to_radians());
        let (x, y, z) = (a.cos() * e.cos(), a.sin() * e.cos(), e.sin());
        let root = f64::sqrt;
        let table = [
            1.0,
            y,
            z,
            x,
            root(3.0) * x * y,
            root(3.0) * y * z,
            0.5 * (3.0 * z * z - 1.0),
            root(3.0) * x * z,
            root(3.0) / 2.0 * (x * x - y * y),
            root(5.0 / 8.0) * y * (3.0 * x * x - y * y),
            root(15.0) * x * y * z,
            root(3.0 / 8.0) * y * (5.0 * z * z - 1.0),
            0.5 * z * (5.0 * z * z - 3.0),
            root(3.0 / 8.0) * x * (5.0 * z * z - 1.0),
            root(15.0) / 2.0 * z * (x * x - y * y),
            root(5.0 / 8.0) * x * (x * x - 3.0 * y * y),
        ];
        for (acn, value) in table.iter().enumerate() {
            assert!(
                (gains[acn] - value).abs() < 1e-14,
                "{acn} {} {value}",
                gains[acn]
            );
        }
        assert!(gains[16..].iter().all(|gain| *gain == 0.0));
    }

    #[test]
    fn channels_know_their_degree() {
        for (acn, expected) in [
            (0, (0, 0)),
            (1, (1, -1)),
            (3, (1, 1)),
            (6, (2, 0)),
            (63, (7, 7)),
        ] {
            assert_eq!(degree(acn), expected);
        }
    }

    #[test]
    fn each_degree_has_the_power_of_the_omnidirectional_one() {
        // Unsöld's theorem, in SN3D.
        for (azimuth, elevation) in [(0.0, 90.0), (10.0, -35.0), (-170.0, 3.0), (500.0, -90.0)] {
            let gains = encode(MAX_ORDER, azimuth, elevation);
            for l in 0..=MAX_ORDER {
                let power: f64 = gains[l * l..(l + 1) * (l + 1)].iter().map(|g| g * g).sum();
                assert!((power - 1.0).abs() < 1e-13, "{l} {power}");
            }
        }
    }

    #[test]
    fn n3d_is_orthonormal_over_the_sphere() {
        // Gauss-Legendre would be shorter to run, but even steps in azimuth and a fine midpoint rule in z need no table.
        let (turns, heights) = (16, 4000);
        let mut sums = vec![0.0; MAX_CHANNELS * 4];
        let picks = [0, 5, 12, 40];
        for h in 0..heights {
            let z = (h as f64 + 0.5) / heights as f64 * 2.0 - 1.0;
            for t in 0..turns {
                let azimuth = 360.0 * t as f64 / turns as f64;
                let gains = encode(MAX_ORDER, azimuth, z.asin().to_degrees());
                for (p, pick) in picks.iter().enumerate() {
                    for (acn, gain) in gains.iter().enumerate() {
                        let scale = n3d(degree(acn).0) * n3d(degree(*pick).0);
                        sums[p * MAX_CHANNELS + acn] +=
                            gains[*pick] * gain * scale / (turns * heights) as f64;
                    }
                }
            }
        }
        for (p, pick) in picks.iter().enumerate() {
            for acn in 0..MAX_CHANNELS {
                let expected = f64::from(u8::from(acn == *pick));
                let sum = sums[p * MAX_CHANNELS + acn];
                assert!((sum - expected).abs() < 1e-4, "{pick} {acn} {sum}");
            }
        }
    }
}
