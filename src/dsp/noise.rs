//! White noise as a hash of a seed and a position: nothing is remembered.

use multiversion::multiversion;

/// Two ears' noises, and how much they share.
#[derive(Debug, Clone, Copy)]
pub struct Mixture {
    keys: [u64; 2],
    /// Shares of an ear's own noise and of the other's.
    own: f64,
    other: f64,
}

impl Mixture {
    /// Of seed, stream and width.
    pub fn new([seed, stream, width]: [f64; 3]) -> Mixture {
        let key = |channel: u64| {
            hash(
                0x5A45_4954_4745_4245,
                (seed as u64) << 16 | (stream as u64) << 8 | channel,
            )
        };
        // Two noises turned towards each other by an angle: their correlation is 1 - width, and each keeps
        // its power.
        let angle = 0.5 * (1.0 - width).asin();
        let (own, other) = if width == 0.0 {
            // To the bit the same in both ears, which cosine and sine of 45 degrees are not.
            (
                std::f64::consts::FRAC_1_SQRT_2,
                std::f64::consts::FRAC_1_SQRT_2,
            )
        } else {
            (angle.cos(), angle.sin())
        };
        Mixture {
            keys: [key(0), key(1)],
            own,
            other,
        }
    }
}

/// A well-mixed 64-bit number of a key and a counter: two rounds of the finaliser of SplitMix64 (Steele,
/// Lea and Flood 2014).
#[inline(always)]
fn hash(key: u64, counter: u64) -> u64 {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    mix(mix(counter.wrapping_add(0x9E37_79B9_7F4A_7C15)) ^ key)
}

/// Uniform with an RMS of 1.
#[inline(always)]
fn sample(key: u64, counter: u64) -> f64 {
    // The upper 53 bits as -1 to 1, times the square root of 3.
    let unit = (hash(key, counter) >> 11) as f64 * (1.0 / (1u64 << 52) as f64) - 1.0;
    unit * 1.732_050_807_568_877_2
}

/// The frames from a position on. Every frame by itself: vectors, with the bits of a lone one.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub fn fill(mixture: &Mixture, position: u64, left: &mut [f32], right: &mut [f32]) {
    let Mixture {
        keys: [key_left, key_right],
        own,
        other,
    } = *mixture;
    for (n, (l, r)) in left.iter_mut().zip(right).enumerate() {
        let position = position.wrapping_add(n as u64);
        let a = sample(key_left, position);
        let b = sample(key_right, position);
        *l = (own * a + other * b) as f32;
        *r = (own * b + other * a) as f32;
    }
}
