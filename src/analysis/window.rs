//! Windows for measuring: Blackman-Harris for spectra, Kaiser for filters.

use std::f64::consts::TAU;

/// Half the width of the main lobe of [`blackman_harris`] in bins of its own length.
pub(super) const MAIN_LOBE: f64 = 4.0;

/// The four-term Blackman-Harris window (F. J. Harris, Proc. IEEE 66, 1978), periodic, `frames` long,
/// scaled to a mean of 1; its side lobes lie 92 dB down.
pub(super) fn blackman_harris(frames: usize) -> Vec<f64> {
    const A: [f64; 4] = [0.35875, 0.48829, 0.14128, 0.01168];
    (0..frames)
        .map(|n| {
            // Centred on the half sample, so that the window is symmetric and never exactly 0.
            let x = TAU * (n as f64 + 0.5) / frames as f64;
            (A[0] - A[1] * x.cos() + A[2] * (2.0 * x).cos() - A[3] * (3.0 * x).cos()) / A[0]
        })
        .collect()
}

/// The modified Bessel function of the first kind, order 0, by its power series.
pub(super) fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// The Kaiser window of `frames` points and shape `beta`, 1 in its middle.
pub(super) fn kaiser(frames: usize, beta: f64) -> Vec<f64> {
    let scale = bessel_i0(beta);
    (0..frames)
        .map(|n| {
            let x = if frames > 1 {
                2.0 * n as f64 / (frames - 1) as f64 - 1.0
            } else {
                0.0
            };
            bessel_i0(beta * (1.0 - x * x).max(0.0).sqrt()) / scale
        })
        .collect()
}
