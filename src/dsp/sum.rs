//! Sums of signals in double precision, a chunk at a time.

use multiversion::multiversion;

/// Frames of a chunk.
pub const CHUNK: usize = 32;

/// Adds a signal to sums. A fixed count lets the compiler use vectors; the bits are those of any order of frames.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub fn add(sums: &mut [f64; CHUNK], frames: &[f32; CHUNK]) {
    for (sum, frame) in sums.iter_mut().zip(frames) {
        *sum += f64::from(*frame);
    }
}
