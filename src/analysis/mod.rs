//! Measuring sound: tones, beats, purity, clicks, loudness, treatments. Pure arithmetic that knows no engine.
//!
//! Everything here takes planar `f32` samples and the sample rate in hertz, computes in `f64`, and is
//! used by `zeitgeber analyze` and by the acceptance tests alike, so that what the tests promise is what
//! a user can measure. Samples that are not finite count as silence: a damaged file must not turn a whole
//! report into NaN.

pub mod bands;
pub mod beat;
pub mod clicks;
pub mod ears;
pub mod entrainment;
pub mod fit;
pub mod jumps;
pub mod loudness;
pub mod monitor;
mod sum;
pub mod together;
pub mod tones;
pub mod treatment;
mod window;

/// Amplitude as a level in dB re full scale; negative infinity for 0 and for what is not a number.
pub fn to_db(amplitude: f64) -> f64 {
    if amplitude > 0.0 {
        20.0 * amplitude.log10()
    } else {
        f64::NEG_INFINITY
    }
}

/// The sample as `f64`, silence where it is not finite.
fn finite(sample: f32) -> f64 {
    if sample.is_finite() {
        f64::from(sample)
    } else {
        0.0
    }
}
