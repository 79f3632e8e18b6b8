//! How the benches measure: several workloads in turns, round after round, so that a machine that becomes slower
//! does so for all of them; the median round counts, and ratios are medians of the rounds' own.

pub use crate::common::floor::{FRAMES, Work};
pub use crate::common::noise;

use std::time::Instant;

/// Rounds, the first of which warm up.
const ROUNDS: usize = 120;
const WARM: usize = 20;

/// What workloads of one group took, round by round, in nanoseconds a frame.
pub struct Times(Vec<Vec<f64>>);

impl Times {
    /// The median of one of them.
    pub fn of(&self, work: usize) -> f64 {
        median(self.0[work].clone())
    }

    /// The median of the rounds' ratios of one to another.
    pub fn ratio(&self, work: usize, to: usize) -> f64 {
        let pairs = self.0[work].iter().zip(&self.0[to]);
        median(pairs.map(|(a, b)| a / b).collect())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures workloads in turns.
pub fn measure(works: &mut [Work]) -> Times {
    let mut times = vec![Vec::with_capacity(ROUNDS - WARM); works.len()];
    for round in 0..ROUNDS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            let start = Instant::now();
            work();
            let took = start.elapsed().as_nanos() as f64 / FRAMES as f64;
            if round >= WARM {
                times.push(took);
            }
        }
    }
    Times(times)
}

/// The median of some runs of what is not counted by frames, in milliseconds.
pub fn milliseconds(runs: usize, mut work: impl FnMut()) -> f64 {
    median(
        (0..runs)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect(),
    )
}

/// Nanoseconds a frame as per cent of a core.
pub fn percent(nanoseconds: f64, rate: f64) -> f64 {
    nanoseconds * rate * 1e-7
}
