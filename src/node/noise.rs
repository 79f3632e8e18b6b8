//! noise: white noise in stereo, computed from a seed and a position instead of remembered.

use super::{Node, NodeError, NodeInfo, ParamInfo, PhaseInfo, accepted};
use multiversion::multiversion;

/// Positions of the parameters.
pub mod param {
    /// Which noise.
    pub const SEED: usize = 0;
    /// Which of independent noises of one seed.
    pub const STREAM: usize = 1;
    /// 0: both ears the same, 1: independent.
    pub const WIDTH: usize = 2;
}

/// The node. Its phase input is the position in frames: a call with increment 1 says which frame comes
/// next, any other leaves it to count from its reset.
pub struct Noise {
    info: NodeInfo,
    values: [f64; 3],
    mixture: Mixture,
    position: u64,
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let info = NodeInfo {
        phases: vec![PhaseInfo {
            name: "position".to_owned(),
            frequency: 0.0,
        }],
        params: vec![
            ParamInfo::number("seed", "", 0.0..=65_535.0, 1.0, "Which noise"),
            ParamInfo::number(
                "stream",
                "",
                0.0..=255.0,
                0.0,
                "Which of the independent noises of one seed",
            ),
            ParamInfo::number(
                "width",
                "",
                0.0..=1.0,
                1.0,
                "0 is the same noise in both ears, 1 independent noises",
            ),
        ],
        ..NodeInfo::rust(
            "noise",
            "White noise of 0 dBFS RMS in each ear; the same position gives the same sample.",
            "",
            "noise: stereo",
        )
    };
    let values = [1.0, 0.0, 1.0];
    Box::new(Noise {
        info,
        values,
        mixture: Mixture::new(values),
        position: 0,
    })
}

/// What follows from the parameters.
#[derive(Debug, Clone, Copy)]
struct Mixture {
    keys: [u64; 2],
    /// Shares of an ear's own noise and of the other's.
    own: f64,
    other: f64,
}

impl Mixture {
    fn new([seed, stream, width]: [f64; 3]) -> Mixture {
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
fn fill(mixture: &Mixture, position: u64, left: &mut [f32], right: &mut [f32]) {
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

impl Node for Noise {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, _sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.position = 0;
    }

    fn process(&mut self, _inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [left, right] = outputs else {
            return;
        };
        fill(&self.mixture, self.position, left, right);
        self.position = self.position.wrapping_add(left.len() as u64);
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if let Some(value) = accepted(self.info.params.get(index), value) {
            self.values[index] = if index == param::WIDTH {
                value
            } else {
                value.round()
            };
            self.mixture = Mixture::new(self.values);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.values.get(index).copied().unwrap_or(0.0)
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, _sweep: i64) {
        if index == 0 && increment == 1 {
            self.position = phase;
        }
    }
}
