//! The floor: the bare transforms and multiply-adds that filtering on the engine's grid needs, with nothing around
//! them. No renderer with partitions of 32 frames can be faster than this.

use super::noise;
use multiversion::multiversion;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;
use std::hint::black_box;

/// Frames a partition.
const PARTITION: usize = 32;

/// Frames that a call of the work processes.
pub const FRAMES: usize = 3840;

/// A workload of [`FRAMES`] frames a call.
pub type Work<'a> = Box<dyn FnMut() + 'a>;

/// Partitions of the filters: 288 taps.
pub const PARTITIONS: usize = 9;

/// Adds complex products: 32 bins, real parts in front.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
fn multiply_add(x: &[[f32; 64]], h: &[[f32; 64]], sum: &mut [f32; 64]) {
    for (x, h) in x.iter().zip(h) {
        for k in 0..32 {
            sum[k] += x[k] * h[k] - x[k + 32] * h[k + 32];
            sum[k + 32] += x[k] * h[k + 32] + x[k + 32] * h[k];
        }
    }
}

/// Per partition of frames so many complex transforms of 64 and products of rows of 32 bins.
pub fn work(transforms: usize, products: usize) -> Work<'static> {
    let fft = FftPlanner::new().plan_fft_forward(2 * PARTITION);
    let mut scratch = vec![Complex32::default(); fft.get_inplace_scratch_len()];
    let mut signals: Vec<Vec<Complex32>> = (0..transforms)
        .map(|seed| {
            let parts = noise(4 * PARTITION, seed as u64);
            parts
                .chunks(2)
                .map(|part| Complex32::new(part[0], part[1]))
                .collect()
        })
        .collect();
    let rows = |seed: u64| -> Vec<[f32; 64]> {
        let values = noise(64 * products, seed);
        values
            .as_chunks::<64>()
            .0
            .iter()
            .map(|row| row.map(|x| 1e-6 * x))
            .collect()
    };
    let (x, h) = (rows(5), rows(6));
    let mut sum = [0.0; 64];
    Box::new(move || {
        for _ in 0..FRAMES / PARTITION {
            for signal in &mut signals {
                fft.process_with_scratch(signal, &mut scratch);
                // They must not grow from round to round.
                signal[0] = Complex32::new(1.0, 0.0);
                for value in signal.iter_mut() {
                    *value *= 0.125;
                }
            }
            multiply_add(&x, &h, &mut sum);
        }
        black_box((&mut signals, &mut sum));
        sum = [0.0; 64];
    })
}

/// One source to two ears, moving: one transform in, two out; two filters an ear.
pub fn source(sources: usize, moving: bool) -> Work<'static> {
    let twice = 1 + usize::from(moving);
    work(sources + twice, 2 * PARTITIONS * sources * twice)
}

/// A bus of so many channels to two ears by symmetric decoders: two channels share a transform, and a channel
/// needs one filter.
pub fn bus(channels: usize) -> Work<'static> {
    work(channels.div_ceil(2) + 1, PARTITIONS * channels)
}
