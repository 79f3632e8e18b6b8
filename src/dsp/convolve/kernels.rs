//! The inner loops, compiled for several instruction sets of which the best is chosen at run time.
//!
//! Each is safe code over rows of 32 lanes that the compiler turns into vectors. Bodies are generic over
//! whether products are fused into sums, which only pays where the machine has it.

use super::{PARTITION, SPAN, Spectrum};
use multiversion::multiversion;
use multiversion::target::match_target;
use rustfft::num_complex::Complex32;

/// Defines a function for AVX-512, AVX2 and the baseline (SSE2, NEON) from a body that is generic over fusing.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident = $body:ident($($argument:ident: $type:ty),*)) => {
        $(#[$doc])*
        #[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
        pub fn $name($($argument: $type),*) {
            match_target! {
                "x86_64+fma" => $body::<true>($($argument),*),
                "aarch64+neon" => $body::<true>($($argument),*),
                _ => $body::<false>($($argument),*),
            }
        }
    };
}
pub(in crate::dsp) use kernel;

/// a * b + c, fused or not.
#[inline(always)]
pub(in crate::dsp) fn mul_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Lanes that are summed at a time: sums of two filters then stay in registers, be they 16 or 32.
const LANES: usize = PARTITION / 2;

/// Part of a row: real and imaginary parts.
type Tile<const SIZE: usize> = [[f32; SIZE]; 2];

/// Half a row.
type Half = Tile<LANES>;

#[inline(always)]
fn tile<const SIZE: usize>(row: &Spectrum, at: usize) -> Tile<SIZE> {
    let part = |values: &[f32; PARTITION]| *values[at..].first_chunk().expect("a part");
    [part(&row.re), part(&row.im)]
}

#[inline(always)]
fn set_tile<const SIZE: usize>(row: &mut Spectrum, at: usize, values: &Tile<SIZE>) {
    row.re[at..][..SIZE].copy_from_slice(&values[0]);
    row.im[at..][..SIZE].copy_from_slice(&values[1]);
}

#[inline(always)]
fn half(row: &Spectrum, half: usize) -> Half {
    tile(row, half * LANES)
}

#[inline(always)]
fn set_half(row: &mut Spectrum, half: usize, values: &Half) {
    set_tile(row, half * LANES, values);
}

/// Adds a complex product.
#[inline(always)]
fn add_product<const FUSED: bool, const SIZE: usize>(
    x: &Tile<SIZE>,
    h: &Tile<SIZE>,
    sum: &mut Tile<SIZE>,
) {
    for k in 0..SIZE {
        let re = mul_add::<FUSED>(x[0][k], h[0][k], sum[0][k]);
        let im = mul_add::<FUSED>(x[0][k], h[1][k], sum[1][k]);
        sum[0][k] = mul_add::<FUSED>(-x[1][k], h[1][k], re);
        sum[1][k] = mul_add::<FUSED>(x[1][k], h[0][k], im);
    }
}

kernel!(
    /// Adds the products of spectra, pair by pair, to a sum.
    multiply_accumulate = multiply_accumulate_body(x: &[Spectrum], h: &[Spectrum], sum: &mut Spectrum)
);

#[inline(always)]
pub(super) fn multiply_accumulate_body<const FUSED: bool>(
    x: &[Spectrum],
    h: &[Spectrum],
    sum: &mut Spectrum,
) {
    for side in 0..2 {
        let mut total = half(sum, side);
        for (x, h) in x.iter().zip(h) {
            add_product::<FUSED, LANES>(&half(x, side), &half(h, side), &mut total);
        }
        set_half(sum, side, &total);
    }
}

/// Filters to blend, with weights.
pub type Blend<'a> = [(&'a [Spectrum], f32); 4];

kernel!(
    /// A weighted sum of four filters of one length.
    blend = blend_body(filters: Blend, out: &mut [Spectrum])
);

#[inline(always)]
pub(super) fn blend_body<const FUSED: bool>(filters: Blend, out: &mut [Spectrum]) {
    let [a, b, c, d] = filters.map(|(filter, weight)| (&filter[..out.len()], weight));
    for (index, out) in out.iter_mut().enumerate() {
        for side in 0..2 {
            let part = |(filter, _): (&[Spectrum], f32)| half(&filter[index], side);
            let parts = [part(a), part(b), part(c), part(d)];
            let mut sum = [[0.0; LANES]; 2];
            for (part, sum) in sum.iter_mut().enumerate() {
                for (k, sum) in sum.iter_mut().enumerate() {
                    let pair = mul_add::<FUSED>(parts[1][part][k], b.1, parts[0][part][k] * a.1);
                    let three = mul_add::<FUSED>(parts[2][part][k], c.1, pair);
                    *sum = mul_add::<FUSED>(parts[3][part][k], d.1, three);
                }
            }
            set_half(out, side, &sum);
        }
    }
}

/// Adds the products of a signal's spectra with blends of four filters to three sums, each with weights of its own: the
/// signal goes through each filter once, whatever the blends. Where no sum has weights for the last two filters, as along a
/// ring, they are not read.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub fn add_blended(
    x: &[Spectrum],
    filters: [&[Spectrum]; 4],
    weights: &[[f32; 4]; 3],
    sums: [&mut Spectrum; 3],
) {
    match_target! {
        "x86_64+avx512f" => add_blended_body::<true, 32, 32>(x, filters, weights, sums),
        "x86_64+fma" => add_blended_body::<true, 16, 8>(x, filters, weights, sums),
        "aarch64+neon" => add_blended_body::<true, 16, 8>(x, filters, weights, sums),
        _ => add_blended_body::<false, 8, 4>(x, filters, weights, sums),
    }
}

/// As [`add_blended`], so many bins at a time of two filters and of four: the sums do not depend on it.
#[inline(always)]
pub(super) fn add_blended_body<const FUSED: bool, const TWO: usize, const FOUR: usize>(
    x: &[Spectrum],
    filters: [&[Spectrum]; 4],
    weights: &[[f32; 4]; 3],
    sums: [&mut Spectrum; 3],
) {
    let pair = weights.iter().all(|[_, _, c, d]| *c == 0.0 && *d == 0.0);
    if pair {
        add_products::<FUSED, TWO, true>(x, filters, weights, sums);
    } else {
        add_products::<FUSED, FOUR, false>(x, filters, weights, sums);
    }
}

#[inline(always)]
fn add_products<const FUSED: bool, const SIZE: usize, const PAIR: bool>(
    x: &[Spectrum],
    filters: [&[Spectrum]; 4],
    weights: &[[f32; 4]; 3],
    mut sums: [&mut Spectrum; 3],
) {
    let part = |number: usize| &filters[number][..x.len()];
    let filters = [part(0), part(1), part(2), part(3)];
    for at in (0..PARTITION).step_by(SIZE) {
        // One by one: as an array they would go through memory all the time.
        let zero = [[0.0; SIZE]; 2];
        let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
        for (index, x) in x.iter().enumerate() {
            let x = tile(x, at);
            add_product::<FUSED, SIZE>(&x, &tile(&filters[0][index], at), &mut a);
            add_product::<FUSED, SIZE>(&x, &tile(&filters[1][index], at), &mut b);
            if !PAIR {
                add_product::<FUSED, SIZE>(&x, &tile(&filters[2][index], at), &mut c);
                add_product::<FUSED, SIZE>(&x, &tile(&filters[3][index], at), &mut d);
            }
        }
        for (weights, sum) in weights.iter().zip(&mut sums) {
            if *weights == [0.0; 4] {
                continue;
            }
            let mut total = tile(sum, at);
            add_tile::<FUSED, SIZE>(&a, weights[0], &mut total);
            add_tile::<FUSED, SIZE>(&b, weights[1], &mut total);
            if !PAIR {
                add_tile::<FUSED, SIZE>(&c, weights[2], &mut total);
                add_tile::<FUSED, SIZE>(&d, weights[3], &mut total);
            }
            set_tile(sum, at, &total);
        }
    }
}

/// Adds part of a row times a weight.
#[inline(always)]
fn add_tile<const FUSED: bool, const SIZE: usize>(
    x: &Tile<SIZE>,
    weight: f32,
    sum: &mut Tile<SIZE>,
) {
    for (sum, x) in sum.iter_mut().zip(x) {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum = mul_add::<FUSED>(*x, weight, *sum);
        }
    }
}

/// Partitions of [`add_ahead`] whose sums stay in registers together.
pub const TOGETHER: usize = 3;

/// Moves sums up by one place (the last stays) and adds the products of signals' spectra with the partitions of their
/// filters, one to each sum but the last.
///
/// `there` tells which signals, a bit each; `places` where their filters are; `rows` holds groups of [`TOGETHER`]
/// partitions x filters x partitions of the group.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub fn add_ahead(
    x: &[Spectrum; 64],
    there: u64,
    places: &[u8; 64],
    rows: &[Spectrum],
    sums: &mut [Spectrum],
) {
    match_target! {
        "x86_64+avx512f" => add_ahead_body::<true, 32>(x, there, places, rows, sums),
        "x86_64+fma" => add_ahead_body::<true, 16>(x, there, places, rows, sums),
        "aarch64+neon" => add_ahead_body::<true, 8>(x, there, places, rows, sums),
        _ => add_ahead_body::<false, 4>(x, there, places, rows, sums),
    }
}

/// As [`add_ahead`], `SIZE` bins at a time: the sums do not depend on it.
#[inline(always)]
pub(super) fn add_ahead_body<const FUSED: bool, const SIZE: usize>(
    x: &[Spectrum; 64],
    there: u64,
    places: &[u8; 64],
    rows: &[Spectrum],
    sums: &mut [Spectrum],
) {
    let partitions = sums.len() - 1;
    let filters = rows.len() / partitions.max(1);
    let x = |signal: usize| &x[signal];
    let place = |signal: usize| usize::from(places[signal]);
    for first in (0..partitions).step_by(TOGETHER) {
        let (rows, sums) = (&rows[first * filters..], &mut sums[first..]);
        for at in (0..PARTITION).step_by(SIZE) {
            match partitions - first {
                1 => add_group::<FUSED, SIZE, 1>(x, there, place, rows, sums, at),
                2 => add_group::<FUSED, SIZE, 2>(x, there, place, rows, sums, at),
                _ => add_group::<FUSED, SIZE, TOGETHER>(x, there, place, rows, sums, at),
            }
        }
    }
}

/// The sums one by one: as an array they would go through memory all the time.
#[inline(always)]
fn add_group<'a, const FUSED: bool, const SIZE: usize, const COUNT: usize>(
    x: impl Fn(usize) -> &'a Spectrum,
    there: u64,
    place: impl Fn(usize) -> usize,
    rows: &[Spectrum],
    sums: &mut [Spectrum],
    at: usize,
) {
    let (rows, _) = rows.as_chunks::<COUNT>();
    let start = |number: usize| match number < COUNT {
        true => tile(&sums[number + 1], at),
        false => [[0.0; SIZE]; 2],
    };
    let (mut a, mut b, mut c) = (start(0), start(1), start(2));
    let mut rest = there;
    while rest != 0 {
        let signal = rest.trailing_zeros() as usize & 63;
        rest &= rest - 1;
        let x = tile(x(signal), at);
        let filter = &rows[place(signal)];
        add_product::<FUSED, SIZE>(&x, &tile(&filter[0], at), &mut a);
        if COUNT > 1 {
            add_product::<FUSED, SIZE>(&x, &tile(&filter[1], at), &mut b);
        }
        if COUNT > 2 {
            add_product::<FUSED, SIZE>(&x, &tile(&filter[2], at), &mut c);
        }
    }
    set_tile(&mut sums[0], at, &a);
    if COUNT > 1 {
        set_tile(&mut sums[1], at, &b);
    }
    if COUNT > 2 {
        set_tile(&mut sums[2], at, &c);
    }
}

kernel!(
    /// Adds spectra times a gain to a sum.
    add_scaled = add_scaled_body(x: &Spectrum, gain: f32, sum: &mut Spectrum)
);

#[inline(always)]
pub(super) fn add_scaled_body<const FUSED: bool>(x: &Spectrum, gain: f32, sum: &mut Spectrum) {
    for k in 0..PARTITION {
        sum.re[k] = mul_add::<FUSED>(x.re[k], gain, sum.re[k]);
        sum.im[k] = mul_add::<FUSED>(x.im[k], gain, sum.im[k]);
    }
}

kernel!(
    /// Half a span of two real signals as real and imaginary part, turned by a twist.
    modulate = modulate_body(a: &[f32; PARTITION], b: &[f32; PARTITION], twist: &Spectrum, out: &mut [Complex32])
);

#[inline(always)]
pub(super) fn modulate_body<const FUSED: bool>(
    a: &[f32; PARTITION],
    b: &[f32; PARTITION],
    twist: &Spectrum,
    out: &mut [Complex32],
) {
    let out = &mut out[..PARTITION];
    for n in 0..PARTITION {
        out[n] = Complex32 {
            re: mul_add::<FUSED>(a[n], twist.re[n], -b[n] * twist.im[n]),
            im: mul_add::<FUSED>(a[n], twist.im[n], b[n] * twist.re[n]),
        };
    }
}

kernel!(
    /// The spectra of two real signals from that of their complex sum (which is halved already): of a real
    /// signal bin 63 - k is the conjugate of bin k.
    separate = separate_body(z: &[Complex32; SPAN], a: &mut Spectrum, b: &mut Spectrum)
);

#[inline(always)]
pub(super) fn separate_body<const FUSED: bool>(
    z: &[Complex32; SPAN],
    a: &mut Spectrum,
    b: &mut Spectrum,
) {
    for k in 0..PARTITION {
        let (low, high) = (z[k], z[SPAN - 1 - k]);
        a.re[k] = low.re + high.re;
        a.im[k] = low.im - high.im;
        b.re[k] = low.im + high.im;
        b.im[k] = high.re - low.re;
    }
}

kernel!(
    /// The spectrum of a + i b from those of two real signals.
    merge = merge_body(a: &Spectrum, b: &Spectrum, z: &mut [Complex32; SPAN])
);

#[inline(always)]
pub(super) fn merge_body<const FUSED: bool>(a: &Spectrum, b: &Spectrum, z: &mut [Complex32; SPAN]) {
    for k in 0..PARTITION {
        z[k] = Complex32 {
            re: a.re[k] - b.im[k],
            im: a.im[k] + b.re[k],
        };
        z[SPAN - 1 - k] = Complex32 {
            re: a.re[k] + b.im[k],
            im: b.re[k] - a.im[k],
        };
    }
}

kernel!(
    /// The newest half of a span turned back, real parts to `a` and imaginary ones to `b`.
    demodulate = demodulate_body(z: &[Complex32; SPAN], twist: &Spectrum, a: &mut [f32; PARTITION], b: &mut [f32; PARTITION])
);

#[inline(always)]
pub(super) fn demodulate_body<const FUSED: bool>(
    z: &[Complex32; SPAN],
    twist: &Spectrum,
    a: &mut [f32; PARTITION],
    b: &mut [f32; PARTITION],
) {
    for (n, z) in z[PARTITION..].iter().enumerate() {
        a[n] = mul_add::<FUSED>(z.re, twist.re[n], -z.im * twist.im[n]);
        b[n] = mul_add::<FUSED>(z.re, twist.im[n], z.im * twist.re[n]);
    }
}

kernel!(
    /// Bends a signal to another over a partition: its first frame is the signal's own, and one after the
    /// last would be the other's.
    cross = cross_body(signal: &mut [f32; PARTITION], other: &[f32; PARTITION])
);

#[inline(always)]
pub(in crate::dsp) fn cross_body<const FUSED: bool>(
    signal: &mut [f32; PARTITION],
    other: &[f32; PARTITION],
) {
    for n in 0..PARTITION {
        let way = n as f32 * (1.0 / PARTITION as f32);
        signal[n] = mul_add::<FUSED>(other[n] - signal[n], way, signal[n]);
    }
}
