//! Decibels and factors, peaks, and samples that are no signal.

const SIGN: u32 = 1 << 31;

/// Decibels to a linear factor.
pub fn db_to_gain(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

/// A linear factor to decibels; 0 becomes minus infinity.
pub fn gain_to_db(gain: f64) -> f64 {
    20.0 * gain.log10()
}

/// Makes a signal safe: samples that are not finite become silence and are counted, subnormal ones become
/// silence as they would in any arithmetic with denormals as zero. Everything else stays bit for bit.
pub fn repair(samples: &mut [f32]) -> u64 {
    const SMALLEST: u32 = f32::MIN_POSITIVE.to_bits();
    const INFINITE: u32 = f32::INFINITY.to_bits();
    // On bits and without branches: vectors, whatever comes.
    let mut bad = 0u32;
    for x in samples.iter_mut() {
        let bits = x.to_bits();
        let magnitude = bits & !SIGN;
        bad |= u32::from(magnitude >= INFINITE);
        // Zeros wrap around, and stay.
        let subnormal = magnitude.wrapping_sub(1) < SMALLEST - 1;
        *x = f32::from_bits(if subnormal { 0 } else { bits });
    }
    if bad == 0 {
        return 0;
    }
    let mut count = 0;
    for x in samples.iter_mut().filter(|x| !x.is_finite()) {
        *x = 0.0;
        count += 1;
    }
    count
}

/// The highest absolute sample of finite ones.
pub fn peak(samples: &[f32]) -> f32 {
    // Without their signs finite floats are in the order of their bits, and integers make vectors.
    let highest = samples
        .iter()
        .fold(0, |highest: u32, x| highest.max(x.to_bits() & !SIGN));
    f32::from_bits(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repair_replaces_only_what_is_not_finite() {
        let mut x = [
            1.0,
            f32::NAN,
            -2.0,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
        ];
        assert_eq!(repair(&mut x), 3);
        assert_eq!(x, [1.0, 0.0, -2.0, 0.0, 0.0, f32::MAX]);
        assert_eq!(repair(&mut x), 0);
        assert_eq!(repair(&mut []), 0);
        let mut tiny = [
            f32::from_bits(1),
            -f32::from_bits(0x7F_FFFF),
            f32::MIN_POSITIVE,
            -0.0,
        ];
        assert_eq!(repair(&mut tiny), 0);
        assert_eq!(tiny[..3], [0.0, 0.0, f32::MIN_POSITIVE]);
        assert!(tiny[3].is_sign_negative(), "zeros keep their sign");
    }
}
