//! Transforms of many real signals at a time, each a lane, and what is done between them.
//!
//! A real signal x of 64 frames has 32 bins at odd frequencies, (2 k + 1) / 128 cycles a frame, and those of even k tell
//! the others (bin 63 - k is the conjugate of bin k). These are a transform of 32 complex values,
//! x[n] - i x[n + 32] turned by exp(-i pi n / 64) (Bellanger and Bonnerot 1978): no second signal has to share it, and
//! nothing has to be told apart. It is done as 4 x 8 (Cooley and Tukey 1965); its bins come in the order r x 8 + j for
//! bin 4 j + r, and get to their places when lanes become signals again.

use crate::dsp::convolve::kernels::{kernel, mul_add};
use crate::dsp::convolve::{PARTITION, Spectrum};
use multiversion::multiversion;
use multiversion::target::match_target;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Lanes: as many as the widest vectors have.
pub(super) const LANES: usize = 16;

/// Lanes that change places with frames or bins together.
pub(super) const SQUARE: usize = 4;

/// Values for each frame or bin, and each lane.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Rows(pub [[f32; LANES]; PARTITION]);

impl Rows {
    pub const ZERO: Rows = Rows([[0.0; LANES]; PARTITION]);
}

/// Spectra: real and imaginary parts.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Bins {
    pub re: Rows,
    pub im: Rows,
}

impl Bins {
    pub const ZERO: Bins = Bins {
        re: Rows::ZERO,
        im: Rows::ZERO,
    };
}

/// Cosines and sines.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    /// pi n / 64.
    twist: [[f32; 2]; PARTITION],
    /// 2 pi m r / 32, at 8 r + m.
    between: [[f32; 2]; PARTITION],
}

impl Turns {
    pub fn new() -> Turns {
        let turn = |angle: f64| [angle.cos() as f32, angle.sin() as f32];
        Turns {
            twist: std::array::from_fn(|n| turn(PI * n as f64 / 64.0)),
            between: std::array::from_fn(|at| turn(PI / 16.0 * ((at / 8) * (at % 8)) as f64)),
        }
    }
}

const ROOT: f32 = FRAC_1_SQRT_2 as f32;

/// Transforms of 8 complex values, rows 0 to 7 of each lane, in place.
#[inline(always)]
fn eight(re: &mut [[f32; LANES]], im: &mut [[f32; LANES]]) {
    let re: &mut [[f32; LANES]; 8] = re.first_chunk_mut().expect("eight rows");
    let im: &mut [[f32; LANES]; 8] = im.first_chunk_mut().expect("eight rows");
    for k in 0..LANES {
        let x = |row: usize| (re[row][k], im[row][k]);
        let sum = |a: (f32, f32), b: (f32, f32)| (a.0 + b.0, a.1 + b.1);
        let less = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0, a.1 - b.1);
        // Times -i.
        let back = |a: (f32, f32)| (a.1, -a.0);
        let (a0, a1) = (sum(x(0), x(4)), less(x(0), x(4)));
        let (a2, a3) = (sum(x(2), x(6)), back(less(x(2), x(6))));
        let (a4, a5) = (sum(x(1), x(5)), less(x(1), x(5)));
        let (a6, a7) = (sum(x(3), x(7)), back(less(x(3), x(7))));
        let (e0, e2) = (sum(a0, a2), less(a0, a2));
        let (e1, e3) = (sum(a1, a3), less(a1, a3));
        let (o0, o2) = (sum(a4, a6), back(less(a4, a6)));
        let (o1, o3) = (sum(a5, a7), less(a5, a7));
        let o1 = (ROOT * (o1.0 + o1.1), ROOT * (o1.1 - o1.0));
        let o3 = (ROOT * (o3.1 - o3.0), -ROOT * (o3.0 + o3.1));
        let out = [
            sum(e0, o0),
            sum(e1, o1),
            sum(e2, o2),
            sum(e3, o3),
            less(e0, o0),
            less(e1, o1),
            less(e2, o2),
            less(e3, o3),
        ];
        for (row, out) in out.into_iter().enumerate() {
            re[row][k] = out.0;
            im[row][k] = out.1;
        }
    }
}

kernel!(
    /// Spectra of spans, older half and newer half.
    forward = forward_body(older: &Rows, newer: &Rows, turns: &Turns, out: &mut Bins)
);

#[inline(always)]
pub(super) fn forward_body<const FUSED: bool>(
    older: &Rows,
    newer: &Rows,
    turns: &Turns,
    out: &mut Bins,
) {
    for m in 0..8 {
        let twist: [[f32; 2]; 4] = std::array::from_fn(|q| turns.twist[m + 8 * q]);
        let between: [[f32; 2]; 4] = std::array::from_fn(|r| turns.between[8 * r + m]);
        for k in 0..LANES {
            let mut z = [(0.0, 0.0); 4];
            for q in 0..4 {
                let (o, w, [c, s]) = (older.0[m + 8 * q][k], newer.0[m + 8 * q][k], twist[q]);
                z[q] = (
                    mul_add::<FUSED>(o, c, -(w * s)),
                    mul_add::<FUSED>(-o, s, -(w * c)),
                );
            }
            let (a, b) = (
                (z[0].0 + z[2].0, z[0].1 + z[2].1),
                (z[0].0 - z[2].0, z[0].1 - z[2].1),
            );
            let (c, d) = (
                (z[1].0 + z[3].0, z[1].1 + z[3].1),
                (z[1].0 - z[3].0, z[1].1 - z[3].1),
            );
            let quarter = [
                (a.0 + c.0, a.1 + c.1),
                (b.0 + d.1, b.1 - d.0),
                (a.0 - c.0, a.1 - c.1),
                (b.0 - d.1, b.1 + d.0),
            ];
            for r in 0..4 {
                let ((re, im), [c, s]) = (quarter[r], between[r]);
                out.re.0[8 * r + m][k] = mul_add::<FUSED>(re, c, im * s);
                out.im.0[8 * r + m][k] = mul_add::<FUSED>(im, c, -(re * s));
            }
        }
    }
    for r in 0..4 {
        eight(&mut out.re.0[8 * r..], &mut out.im.0[8 * r..]);
    }
}

/// Signals to lanes; at least the first `lanes`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn gather(signals: &[&[f32; PARTITION]; LANES], lanes: usize, out: &mut Rows) {
    match_target! {
        "x86_64+avx512f" => sixteen::gather(signals, lanes, out),
        "x86_64+avx2" => eight::gather(signals, lanes, out),
        _ => gather_squares(signals, lanes, out),
    }
}

/// As [`gather`], in squares of four: that many loads, shuffles and stores, where single values would take sixteen.
pub(super) fn gather_squares(signals: &[&[f32; PARTITION]; LANES], lanes: usize, out: &mut Rows) {
    let (squares, _) = signals.as_chunks();
    for (number, square) in squares.iter().enumerate().take(lanes.div_ceil(SQUARE)) {
        gather_four(square, out, SQUARE * number);
    }
}

/// For the baseline: with wider instruction sets compilers take to gathering, which is many times slower.
#[inline(never)]
fn gather_four(signals: &[&[f32; PARTITION]; SQUARE], out: &mut Rows, lane: usize) {
    for n in (0..PARTITION).step_by(SQUARE) {
        let [a, b, c, d] = signals.map(|signal| four(signal, n));
        for k in 0..SQUARE {
            *four_mut(&mut out.0[n + k], lane) = [a[k], b[k], c[k], d[k]];
        }
    }
}

/// Lanes, at least the first, to the signals' spectra, which are of the lower half of all bins: those of odd k are the
/// conjugates of bins 63 - k.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn spread(bins: &Bins, lanes: usize, out: &mut [Spectrum; LANES]) {
    match_target! {
        "x86_64+avx512f" => sixteen::spread(bins, lanes, out),
        "x86_64+avx2" => eight::spread(bins, lanes, out),
        _ => spread_squares(bins, lanes, out),
    }
}

/// As [`spread`], in squares of four.
pub(super) fn spread_squares(bins: &Bins, lanes: usize, out: &mut [Spectrum; LANES]) {
    let (squares, _) = out.as_chunks_mut();
    for (number, square) in squares.iter_mut().enumerate().take(lanes.div_ceil(SQUARE)) {
        spread_four(bins, SQUARE * number, square);
    }
}

/// For the baseline, as [`gather_four`].
#[inline(never)]
fn spread_four(bins: &Bins, lane: usize, out: &mut [Spectrum; SQUARE]) {
    for (place, rows) in PLACES.as_chunks::<SQUARE>().0.iter().enumerate() {
        let at = SQUARE * place;
        let [a, b, c, d] = rows.map(|row| four(&bins.re.0[row], lane));
        for (k, out) in out.iter_mut().enumerate() {
            *four_mut(&mut out.re, at) = [a[k], b[k], c[k], d[k]];
        }
        let [a, b, c, d] = rows.map(|row| four(&bins.im.0[row], lane));
        for (k, out) in out.iter_mut().enumerate() {
            *four_mut(&mut out.im, at) = [a[k], -b[k], c[k], -d[k]];
        }
    }
}

/// Where bin k, or its conjugate for odd k, is among the rows of [`Bins`].
const PLACES: [usize; PARTITION] = {
    let mut places = [0; PARTITION];
    let mut k = 0;
    while k < PARTITION {
        let bin = if k % 2 == 0 { k } else { 63 - k };
        places[k] = bin / 2 % 4 * 8 + bin / 8;
        k += 1;
    }
    places
};

/// What larger squares are done with: a module of its own for each, with `SIZE`, `zeros`, `load`, `store`, `negative` and
/// `transpose`.
#[cfg(target_arch = "x86_64")]
macro_rules! by_squares {
    ($feature:literal) => {
        // Plain loops: closures of a function with features of its own are not taken into others.
        /// As [`gather`](super::gather).
        #[target_feature(enable = $feature)]
        pub fn gather(signals: &[&[f32; PARTITION]; LANES], lanes: usize, out: &mut Rows) {
            for lane in (0..lanes).step_by(SIZE) {
                for at in (0..PARTITION).step_by(SIZE) {
                    let mut square = zeros();
                    for k in 0..SIZE {
                        square[k] = load(signals[lane + k], at);
                    }
                    let square = transpose(square);
                    for k in 0..SIZE {
                        store(square[k], &mut out.0[at + k], lane);
                    }
                }
            }
        }

        /// As [`spread`](super::spread).
        #[target_feature(enable = $feature)]
        pub fn spread(bins: &Bins, lanes: usize, out: &mut [Spectrum; LANES]) {
            for lane in (0..lanes).step_by(SIZE) {
                for at in (0..PARTITION).step_by(SIZE) {
                    let (mut re, mut im) = (zeros(), zeros());
                    for k in 0..SIZE {
                        re[k] = load(&bins.re.0[PLACES[at + k]], lane);
                    }
                    let re = transpose(re);
                    for k in 0..SIZE {
                        store(re[k], &mut out[lane + k].re, at);
                    }
                    for k in 0..SIZE {
                        im[k] = load(&bins.im.0[PLACES[at + k]], lane);
                    }
                    for k in (1..SIZE).step_by(2) {
                        im[k] = negative(im[k]);
                    }
                    let im = transpose(im);
                    for k in 0..SIZE {
                        store(im[k], &mut out[lane + k].im, at);
                    }
                }
            }
        }
    };
}

/// Squares of sixteen: as many shuffles for each as for two squares of four.
#[cfg(target_arch = "x86_64")]
mod sixteen {
    use super::{Bins, LANES, PARTITION, PLACES, Rows, Spectrum};
    use std::arch::x86_64::*;

    const SIZE: usize = 16;

    type Square = [__m512; SIZE];

    by_squares!("avx512f");

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn zeros() -> Square {
        [_mm512_setzero_ps(); SIZE]
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn negative(row: __m512) -> __m512 {
        let minus = _mm512_castps_si512(_mm512_set1_ps(-0.0));
        _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(row), minus))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(values: &[f32], at: usize) -> __m512 {
        let values: &[f32; SIZE] = values[at..].first_chunk().expect("sixteen values");
        // SAFETY: there are sixteen values, at any address.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(row: __m512, values: &mut [f32], at: usize) {
        let values: &mut [f32; SIZE] = values[at..].first_chunk_mut().expect("sixteen values");
        // SAFETY: there is room for sixteen values, at any address.
        unsafe { _mm512_storeu_ps(values.as_mut_ptr(), row) }
    }

    /// Values of two rows in turns, then pairs, then quarters of rows, twice.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn transpose(rows: Square) -> Square {
        let mut singles = rows;
        for k in (0..SIZE).step_by(2) {
            singles[k] = _mm512_unpacklo_ps(rows[k], rows[k + 1]);
            singles[k + 1] = _mm512_unpackhi_ps(rows[k], rows[k + 1]);
        }
        // Quarter q of row 4 i + j: column 4 q + j of rows 4 i to 4 i + 3.
        let mut pairs = singles;
        for i in (0..SIZE).step_by(4) {
            for half in 0..2 {
                let a = _mm512_castps_pd(singles[i + half]);
                let b = _mm512_castps_pd(singles[i + 2 + half]);
                pairs[i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                pairs[i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
            }
        }
        let mut out = pairs;
        for j in 0..4 {
            let [a, b, c, d] = [pairs[j], pairs[4 + j], pairs[8 + j], pairs[12 + j]];
            // Quarters 0 and 2, and 1 and 3, of two rows each.
            let ab = [
                _mm512_shuffle_f32x4::<0x88>(a, b),
                _mm512_shuffle_f32x4::<0xDD>(a, b),
            ];
            let cd = [
                _mm512_shuffle_f32x4::<0x88>(c, d),
                _mm512_shuffle_f32x4::<0xDD>(c, d),
            ];
            for odd in 0..2 {
                out[4 * odd + j] = _mm512_shuffle_f32x4::<0x88>(ab[odd], cd[odd]);
                out[4 * (odd + 2) + j] = _mm512_shuffle_f32x4::<0xDD>(ab[odd], cd[odd]);
            }
        }
        out
    }
}

/// Squares of eight.
#[cfg(target_arch = "x86_64")]
mod eight {
    use super::{Bins, LANES, PARTITION, PLACES, Rows, Spectrum};
    use std::arch::x86_64::*;

    const SIZE: usize = 8;

    type Square = [__m256; SIZE];

    by_squares!("avx2");

    #[inline]
    #[target_feature(enable = "avx2")]
    fn zeros() -> Square {
        [_mm256_setzero_ps(); SIZE]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn negative(row: __m256) -> __m256 {
        _mm256_xor_ps(row, _mm256_set1_ps(-0.0))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(values: &[f32], at: usize) -> __m256 {
        let values: &[f32; SIZE] = values[at..].first_chunk().expect("eight values");
        // SAFETY: there are eight values, at any address.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(row: __m256, values: &mut [f32], at: usize) {
        let values: &mut [f32; SIZE] = values[at..].first_chunk_mut().expect("eight values");
        // SAFETY: there is room for eight values, at any address.
        unsafe { _mm256_storeu_ps(values.as_mut_ptr(), row) }
    }

    /// Values of two rows in turns, then pairs, then halves of rows.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose(rows: Square) -> Square {
        let mut singles = rows;
        for k in (0..SIZE).step_by(2) {
            singles[k] = _mm256_unpacklo_ps(rows[k], rows[k + 1]);
            singles[k + 1] = _mm256_unpackhi_ps(rows[k], rows[k + 1]);
        }
        // Half q of row 4 i + j: column 4 q + j of rows 4 i to 4 i + 3.
        let mut pairs = singles;
        for i in (0..SIZE).step_by(4) {
            for half in 0..2 {
                let a = _mm256_castps_pd(singles[i + half]);
                let b = _mm256_castps_pd(singles[i + 2 + half]);
                pairs[i + 2 * half] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
                pairs[i + 2 * half + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
            }
        }
        let mut out = pairs;
        for j in 0..4 {
            out[j] = _mm256_permute2f128_ps::<0x20>(pairs[j], pairs[4 + j]);
            out[4 + j] = _mm256_permute2f128_ps::<0x31>(pairs[j], pairs[4 + j]);
        }
        out
    }
}

#[inline(always)]
fn four(values: &[f32], at: usize) -> [f32; SQUARE] {
    *values[at..].first_chunk().expect("four values")
}

#[inline(always)]
fn four_mut(values: &mut [f32], at: usize) -> &mut [f32; SQUARE] {
    values[at..].first_chunk_mut().expect("four values")
}

kernel!(
    /// Each lane's sum of magnitudes.
    loudness = loudness_body(frames: &Rows, loud: &mut [f32; LANES])
);

#[inline(always)]
fn loudness_body<const FUSED: bool>(frames: &Rows, loud: &mut [f32; LANES]) {
    let mut sums = [0.0f32; LANES];
    for row in &frames.0 {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x.abs();
        }
    }
    *loud = sums;
}

/// Squares of eight where the machine has them, whatever it would choose.
#[cfg(all(test, target_arch = "x86_64"))]
pub(super) fn by_eight(
    signals: &[&[f32; PARTITION]; LANES],
    rows: &mut Rows,
    bins: &Bins,
    out: &mut [Spectrum; LANES],
) -> bool {
    let there = std::arch::is_x86_feature_detected!("avx2");
    if there {
        // SAFETY: the processor has what they need.
        unsafe {
            eight::gather(signals, LANES, rows);
            eight::spread(bins, LANES, out);
        }
    }
    there
}
