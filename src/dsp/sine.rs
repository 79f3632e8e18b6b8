//! Sines of exact phases, without tables.

use super::ramp::raised_cosine;
use multiversion::multiversion;

/// Tones from here on, in cycles a frame, fade out over the next 0.01: they come too close to the Nyquist frequency.
pub const HIGHEST: f64 = 0.44;

/// 1 for tones of so many cycles a frame that are heard, 0 for those that have faded out.
pub fn audible(speed: f64) -> f64 {
    1.0 - raised_cosine((speed - HIGHEST) / 0.01)
}

/// Phases that are taken at a time.
pub const CHUNK: usize = 32;

/// The polynomial of sin(2 pi q) / q in q squared, for a quarter cycle, interpolated at Chebyshev nodes: its own error is
/// below 1e-16, so that the double that goes in limits it. No library call: the same bits on every machine.
const TERMS: [f64; 9] = [
    std::f64::consts::TAU,
    -41.341702240399755,
    81.60524927607362,
    -76.70585975282492,
    42.058693925428685,
    -15.0946416761179,
    3.8199280942271643,
    -0.7177337921413454,
    0.10089695501646812,
];

/// sin of a phase in 2^-64 cycles.
#[inline(always)]
pub fn sine(phase: u64) -> f64 {
    // The upper 52 bits as the fraction of a float from 1 to 2: no conversion, which not every machine has for vectors.
    // With half a cycle more the result is the cycle from -1/2 to 1/2.
    const ONE: u64 = 1f64.to_bits();
    let turned = phase.wrapping_add(1 << 63);
    let r = f64::from_bits(ONE | (turned >> 12)) - 1.5;
    // sin(pi - x) = sin(x)
    let a = r.abs();
    let folded = if a > 0.25 { 0.5 - a } else { a };
    let q = folded.copysign(r);
    let t = q * q;
    let [c0, c1, c2, c3, c4, c5, c6, c7, c8] = TERMS;
    q * (c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * (c5 + t * (c6 + t * (c7 + t * c8))))))))
}

/// The sines of so many phases. The bits are those of [`sine`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub fn sines(phases: &[u64; CHUNK], out: &mut [f64; CHUNK]) {
    for (out, phase) in out.iter_mut().zip(phases) {
        *out = sine(*phase);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::phase::CYCLE;
    use std::f64::consts::TAU;

    #[test]
    fn sines_are_sines() {
        let mut phase = 0u64;
        for round in 0..2000 {
            let phases: [u64; CHUNK] = std::array::from_fn(|_| {
                phase = phase
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                phase
            });
            let mut out = [0.0; CHUNK];
            sines(&phases, &mut out);
            for (phase, y) in phases.iter().zip(out) {
                assert_eq!(y.to_bits(), sine(*phase).to_bits(), "{round}");
                let x = (*phase as i64) as f64 / CYCLE;
                assert!((y - (TAU * x).sin()).abs() < 2e-15, "{x}: {y}");
            }
        }
        assert_eq!(sine(0), 0.0);
        assert_eq!(sine(1 << 62), 1.0);
        assert_eq!(sine(3 << 62), -1.0);
    }
}
