//! How late the ears hear, in frames.

use super::LONGEST_ITD;
use super::delay::BEFORE;

/// What a delay of 0 starts from: no whole number of frames, so that the sinc's first tap is never 0 and an
/// onset is where it should be.
const LEAST_DELAY: f64 = 0.3;

/// Up to this rate, in hertz, a source is as many frames late as the sinc takes; above, as long as at it: decoders need that
/// time before the nearer ear's onset, and all modes of space are heard at once.
const ALIKE: f64 = 48_000.0;

/// The least delay at a rate in frames: a whole number more above [`ALIKE`].
pub(super) fn least_delay(rate: f64) -> f64 {
    let front = |rate| ear_delays(0.0, rate)[0] + LEAST_DELAY + BEFORE as f64;
    let more = (front(ALIKE) * rate / ALIKE - front(rate)).round();
    LEAST_DELAY + if rate > ALIKE { more } else { 0.0 }
}

/// The longest delay at a rate in frames.
pub(super) fn longest_delay(rate: f64) -> f64 {
    // Near a head delays grow by up to a tenth.
    least_delay(rate) + 1.5 * LONGEST_ITD * rate
}

/// Frames that a source in front is later than the onset, at a rate in hertz: what both ears are delayed by there.
pub fn front_delay(rate: f64) -> f64 {
    ear_delays(0.0, rate)[0] + least_delay(rate) + BEFORE as f64
}

/// Delays of the ears, in frames, that differ by an interaural one. The nearer ear's stays near 0 and the
/// farther one's takes it all; the change-over at 0 is a hyperbola of 5 us, so that it has no kink.
pub(super) fn ear_delays(itd: f64, rate: f64) -> [f64; 2] {
    // At high rates less, so that the nearer ear's delay stays between two whole frames.
    let round = (5e-6 * rate).min(0.8);
    let root = (itd * itd + round * round).sqrt();
    [(root - itd) / 2.0, (root + itd) / 2.0]
}
