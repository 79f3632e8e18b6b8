//! Transforms of many real signals at a time, each a lane, and what is done between them.
//!
//! A real signal x of 64 frames has 32 bins at odd frequencies, (2 k + 1) / 128 cycles a frame, and those of even k tell
//! the others (bin 63 - k is the conjugate of bin k). These are a transform of 32 complex values,
//! x[n] - i x[n + 32] turned by exp(-i pi n / 64) (Bellanger and Bonnerot 1978): no second signal has to share it, and
//! nothing has to be told apart. It is done as 4 x 8 (Cooley and Tukey 1965); its bins stay in the order in which they
//! come, r x 8 + j for bin 4 j + r, for all that is done with them is done bin by bin.

use crate::dsp::convolve::PARTITION;
use crate::dsp::convolve::kernels::{kernel, mul_add};
use multiversion::multiversion;
use multiversion::target::match_target;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Lanes of a wide batch.
pub(super) const WIDE: usize = 16;

/// Lanes of a narrow one, for order 1.
pub(super) const NARROW: usize = 4;

/// A quantum of signals: frames x lanes.
pub(super) type Frames<const W: usize> = Rows<W>;

/// Values for each frame or bin, and each lane.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Rows<const W: usize>(pub [[f32; W]; PARTITION]);

impl<const W: usize> Rows<W> {
    pub const ZERO: Rows<W> = Rows([[0.0; W]; PARTITION]);
}

/// Spectra: real and imaginary parts.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Bins<const W: usize> {
    pub re: Rows<W>,
    pub im: Rows<W>,
}

impl<const W: usize> Bins<W> {
    pub const ZERO: Bins<W> = Bins {
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

/// Transforms of 8 complex values, rows 0 to 7 of each lane, in place. With real and imaginary parts exchanged it goes
/// the other way.
#[inline(always)]
fn eight<const W: usize>(re: &mut [[f32; W]], im: &mut [[f32; W]]) {
    let re: &mut [[f32; W]; 8] = re.first_chunk_mut().expect("eight rows");
    let im: &mut [[f32; W]; 8] = im.first_chunk_mut().expect("eight rows");
    for k in 0..W {
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

/// Spectra of spans, older half and newer half.
#[inline(always)]
pub(super) fn forward_body<const FUSED: bool, const W: usize>(
    older: &Rows<W>,
    newer: &Rows<W>,
    turns: &Turns,
    out: &mut Bins<W>,
) {
    for m in 0..8 {
        let twist: [[f32; 2]; 4] = std::array::from_fn(|q| turns.twist[m + 8 * q]);
        let between: [[f32; 2]; 4] = std::array::from_fn(|r| turns.between[8 * r + m]);
        for k in 0..W {
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

/// The newest 32 frames of signals with these spectra, which are spoilt; the older half is what wrapped.
#[inline(always)]
pub(super) fn inverse_body<const FUSED: bool, const W: usize>(
    bins: &mut Bins<W>,
    turns: &Turns,
    out: &mut Rows<W>,
) {
    for r in 0..4 {
        eight(&mut bins.im.0[8 * r..], &mut bins.re.0[8 * r..]);
    }
    for m in 0..8 {
        let twist: [[f32; 2]; 4] =
            std::array::from_fn(|q| turns.twist[m + 8 * q].map(|x| x * (-1.0 / 32.0)));
        let between: [[f32; 2]; 4] = std::array::from_fn(|r| turns.between[8 * r + m]);
        for k in 0..W {
            let mut b = [(0.0, 0.0); 4];
            for r in 0..4 {
                let (re, im) = (bins.re.0[8 * r + m][k], bins.im.0[8 * r + m][k]);
                let [c, s] = between[r];
                b[r] = (
                    mul_add::<FUSED>(re, c, -(im * s)),
                    mul_add::<FUSED>(im, c, re * s),
                );
            }
            let (a, c) = (
                (b[0].0 + b[2].0, b[0].1 + b[2].1),
                (b[0].0 - b[2].0, b[0].1 - b[2].1),
            );
            let (d, e) = (
                (b[1].0 + b[3].0, b[1].1 + b[3].1),
                (b[1].0 - b[3].0, b[1].1 - b[3].1),
            );
            let z = [
                (a.0 + d.0, a.1 + d.1),
                (c.0 - e.1, c.1 + e.0),
                (a.0 - d.0, a.1 - d.1),
                (c.0 + e.1, c.1 - e.0),
            ];
            for q in 0..4 {
                let [c, s] = twist[q];
                out.0[m + 8 * q][k] = mul_add::<FUSED>(z[q].1, c, z[q].0 * s);
            }
        }
    }
}

/// Adds the products of a signal's newest spectra, in two runs, with the partitions of a filter. `TILE` values at a
/// time stay in registers; the sums do not depend on it.
#[inline(always)]
pub(super) fn accumulate_body<const FUSED: bool, const W: usize, const TILE: usize>(
    newest: [&[Bins<W>]; 2],
    filter: &[Bins<W>],
    sum: &mut Bins<W>,
) {
    let (first, second) = filter.split_at(newest[0].len());
    for at in (0..PARTITION * W).step_by(TILE) {
        let mut sums = [tile(&sum.re, at), tile(&sum.im, at)];
        for (x, h) in newest[0].iter().zip(first) {
            add_product::<FUSED, W, TILE>(x, h, at, &mut sums);
        }
        for (x, h) in newest[1].iter().zip(second) {
            add_product::<FUSED, W, TILE>(x, h, at, &mut sums);
        }
        // One by one: as a copy they would go through memory all the time.
        let re = &mut sum.re.0.as_flattened_mut()[at..at + TILE];
        let im = &mut sum.im.0.as_flattened_mut()[at..at + TILE];
        for ((re, im), k) in re.iter_mut().zip(im).zip(0..TILE) {
            (*re, *im) = (sums[0][k], sums[1][k]);
        }
    }
}

#[inline(always)]
fn tile<const W: usize, const TILE: usize>(rows: &Rows<W>, at: usize) -> [f32; TILE] {
    *rows.0.as_flattened()[at..].first_chunk().expect("a tile")
}

#[inline(always)]
fn add_product<const FUSED: bool, const W: usize, const TILE: usize>(
    x: &Bins<W>,
    h: &Bins<W>,
    at: usize,
    sums: &mut [[f32; TILE]; 2],
) {
    let (xr, xi): ([f32; TILE], [f32; TILE]) = (tile(&x.re, at), tile(&x.im, at));
    let (hr, hi): ([f32; TILE], [f32; TILE]) = (tile(&h.re, at), tile(&h.im, at));
    for k in 0..TILE {
        let a = mul_add::<FUSED>(xr[k], hr[k], sums[0][k]);
        let b = mul_add::<FUSED>(xr[k], hi[k], sums[1][k]);
        sums[0][k] = mul_add::<FUSED>(-xi[k], hi[k], a);
        sums[1][k] = mul_add::<FUSED>(xi[k], hr[k], b);
    }
}

/// Signals to lanes. Squares of four: that many loads, shuffles and stores, where single values would take sixteen. For the
/// baseline: with wider instruction sets compilers take to gathering, which is many times slower.
fn gather<const W: usize>(signals: &[&[f32; PARTITION]; W], out: &mut Rows<W>) {
    for (square, signals) in signals.chunks_exact(4).enumerate() {
        if let [a, b, c, d] = signals {
            gather_four([a, b, c, d], out, 4 * square);
        }
    }
}

#[inline(never)]
fn gather_four<const W: usize>(signals: [&[f32; PARTITION]; 4], out: &mut Rows<W>, lane: usize) {
    for n in (0..PARTITION).step_by(4) {
        let [a, b, c, d] =
            signals.map(|signal| -> [f32; 4] { *signal[n..].first_chunk().expect("four frames") });
        for k in 0..4 {
            let row = out.0[n + k][lane..].first_chunk_mut();
            *row.expect("four lanes") = [a[k], b[k], c[k], d[k]];
        }
    }
}

#[inline(always)]
fn loudness_body<const W: usize>(frames: &Rows<W>, loud: &mut [f32; W]) {
    let mut sums = [0.0f32; W];
    for row in &frames.0 {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x.abs();
        }
    }
    *loud = sums;
}

/// Lanes to ears: the sum of all, and the sum with signs.
#[inline(always)]
fn fold_body<const W: usize>(
    lanes: &Rows<W>,
    signs: &[f32; W],
    left: &mut [f32; PARTITION],
    right: &mut [f32; PARTITION],
) {
    for n in 0..PARTITION {
        let row = lanes.0[n];
        let mut turned = row;
        for (x, sign) in turned.iter_mut().zip(signs) {
            *x *= sign;
        }
        left[n] = total(row);
        right[n] = total(turned);
    }
}

/// Halves onto halves.
#[inline(always)]
fn total<const W: usize>(mut row: [f32; W]) -> f32 {
    let mut half = W / 2;
    while half > 0 {
        for k in 0..half {
            row[k] += row[k + half];
        }
        half /= 2;
    }
    row[0]
}

macro_rules! widths {
    ($module:ident, $width:expr, $large:expr) => {
        /// The kernels for one number of lanes.
        pub(super) mod $module {
            use super::*;

            const W: usize = $width;

            kernel!(
                /// As [`forward_body`].
                forward = forward_here(older: &Rows<W>, newer: &Rows<W>, turns: &Turns, out: &mut Bins<W>)
            );

            #[inline(always)]
            fn forward_here<const FUSED: bool>(older: &Rows<W>, newer: &Rows<W>, turns: &Turns, out: &mut Bins<W>) {
                forward_body::<FUSED, W>(older, newer, turns, out);
            }

            kernel!(
                /// As [`inverse_body`].
                inverse = inverse_here(bins: &mut Bins<W>, turns: &Turns, out: &mut Rows<W>)
            );

            #[inline(always)]
            fn inverse_here<const FUSED: bool>(bins: &mut Bins<W>, turns: &Turns, out: &mut Rows<W>) {
                inverse_body::<FUSED, W>(bins, turns, out);
            }

            /// As [`accumulate_body`].
            #[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
            pub fn accumulate(newest: [&[Bins<W>]; 2], filter: &[Bins<W>], sum: &mut Bins<W>) {
                match_target! {
                    "x86_64+avx512f" => accumulate_body::<true, W, $large>(newest, filter, sum),
                    "x86_64+fma" => accumulate_body::<true, W, 32>(newest, filter, sum),
                    "aarch64+neon" => accumulate_body::<true, W, 32>(newest, filter, sum),
                    _ => accumulate_body::<false, W, 16>(newest, filter, sum),
                }
            }

            kernel!(
                /// Each lane's sum of magnitudes.
                loudness = loudness_here(frames: &Rows<W>, loud: &mut [f32; W])
            );

            #[inline(always)]
            fn loudness_here<const FUSED: bool>(frames: &Rows<W>, loud: &mut [f32; W]) {
                loudness_body(frames, loud);
            }

            kernel!(
                /// As [`fold_body`].
                fold = fold_here(lanes: &Rows<W>, signs: &[f32; W], left: &mut [f32; PARTITION], right: &mut [f32; PARTITION])
            );

            #[inline(always)]
            fn fold_here<const FUSED: bool>(lanes: &Rows<W>, signs: &[f32; W], left: &mut [f32; PARTITION], right: &mut [f32; PARTITION]) {
                fold_body(lanes, signs, left, right);
            }
        }
    };
}

widths!(wide, WIDE, 64);
widths!(narrow, NARROW, 64);

/// A number of lanes that there are kernels for.
pub(super) trait Lanes<const W: usize> {
    fn forward(older: &Rows<W>, newer: &Rows<W>, turns: &Turns, out: &mut Bins<W>);
    fn inverse(bins: &mut Bins<W>, turns: &Turns, out: &mut Rows<W>);
    fn accumulate(newest: [&[Bins<W>]; 2], filter: &[Bins<W>], sum: &mut Bins<W>);
    fn gather(signals: &[&[f32; PARTITION]; W], out: &mut Rows<W>) {
        gather(signals, out);
    }
    fn loudness(frames: &Rows<W>, loud: &mut [f32; W]);
    fn fold(
        lanes: &Rows<W>,
        signs: &[f32; W],
        left: &mut [f32; PARTITION],
        right: &mut [f32; PARTITION],
    );
}

/// Chooses the kernels by the number of lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernels;

macro_rules! chosen {
    ($module:ident, $width:expr) => {
        impl Lanes<$width> for Kernels {
            fn forward(
                older: &Rows<$width>,
                newer: &Rows<$width>,
                turns: &Turns,
                out: &mut Bins<$width>,
            ) {
                $module::forward(older, newer, turns, out);
            }

            fn inverse(bins: &mut Bins<$width>, turns: &Turns, out: &mut Rows<$width>) {
                $module::inverse(bins, turns, out);
            }

            fn accumulate(
                newest: [&[Bins<$width>]; 2],
                filter: &[Bins<$width>],
                sum: &mut Bins<$width>,
            ) {
                $module::accumulate(newest, filter, sum);
            }

            fn loudness(frames: &Rows<$width>, loud: &mut [f32; $width]) {
                $module::loudness(frames, loud);
            }

            fn fold(
                lanes: &Rows<$width>,
                signs: &[f32; $width],
                left: &mut [f32; PARTITION],
                right: &mut [f32; PARTITION],
            ) {
                $module::fold(lanes, signs, left, right);
            }
        }
    };
}

chosen!(wide, WIDE);
chosen!(narrow, NARROW);
