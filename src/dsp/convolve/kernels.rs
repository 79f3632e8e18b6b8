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

/// Half a row of the blend, of the first two filters only where `PAIR`.
#[inline(always)]
fn blended<const FUSED: bool, const PAIR: bool>(blend: &Blend, index: usize, side: usize) -> Half {
    let part = |number: usize| (half(&blend[number].0[index], side), blend[number].1);
    let (a, b) = (part(0), part(1));
    let mut out = [[0.0; LANES]; 2];
    if PAIR {
        for (part, out) in out.iter_mut().enumerate() {
            for (k, out) in out.iter_mut().enumerate() {
                *out = mul_add::<FUSED>(b.0[part][k], b.1, a.0[part][k] * a.1);
            }
        }
        return out;
    }
    let (c, d) = (part(2), part(3));
    for (part, out) in out.iter_mut().enumerate() {
        for (k, out) in out.iter_mut().enumerate() {
            let sum = mul_add::<FUSED>(b.0[part][k], b.1, a.0[part][k] * a.1);
            let sum = mul_add::<FUSED>(c.0[part][k], c.1, sum);
            *out = mul_add::<FUSED>(d.0[part][k], d.1, sum);
        }
    }
    out
}

kernel!(
    /// A weighted sum of four filters of one length.
    blend = blend_body(filters: Blend, out: &mut [Spectrum])
);

#[inline(always)]
pub(super) fn blend_body<const FUSED: bool>(filters: Blend, out: &mut [Spectrum]) {
    let filters = filters.map(|(filter, weight)| (&filter[..out.len()], weight));
    for side in 0..2 {
        for (index, out) in out.iter_mut().enumerate() {
            set_half(out, side, &blended::<FUSED, false>(&filters, index, side));
        }
    }
}

kernel!(
    /// From one filter to the next in one pass: blends the filters to `to`, and adds the products of the
    /// spectra with `from` and with `to`, times two gains, to two sums; and the latter times a third gain, unless
    /// that is 0, to a third one.
    turn = turn_body(x: &[Spectrum], from: &[Spectrum], filters: Blend, to: &mut [Spectrum], gains: [f32; 3], sums: [&mut Spectrum; 3])
);

#[inline(always)]
pub(super) fn turn_body<const FUSED: bool>(
    x: &[Spectrum],
    from: &[Spectrum],
    filters: Blend,
    to: &mut [Spectrum],
    gains: [f32; 3],
    sums: [&mut Spectrum; 3],
) {
    // Along a ring, as on the horizon, the other ring has no weight and need not be read.
    if filters[2].1 == 0.0 && filters[3].1 == 0.0 {
        turn_some::<FUSED, true>(x, from, &filters, to, gains, sums);
    } else {
        turn_some::<FUSED, false>(x, from, &filters, to, gains, sums);
    }
}

#[inline(always)]
fn turn_some<const FUSED: bool, const PAIR: bool>(
    x: &[Spectrum],
    from: &[Spectrum],
    filters: &Blend,
    to: &mut [Spectrum],
    gains: [f32; 3],
    sums: [&mut Spectrum; 3],
) {
    let count = to.len();
    let (x, from) = (&x[..count], &from[..count]);
    let part = |number: usize| (&filters[number].0[..count], filters[number].1);
    let filters = [part(0), part(1), part(2), part(3)];
    let [first, second, third] = sums;
    for side in 0..2 {
        let (mut start, mut end) = ([[0.0; LANES]; 2], [[0.0; LANES]; 2]);
        for index in 0..count {
            let x = half(&x[index], side);
            let next = blended::<FUSED, PAIR>(&filters, index, side);
            set_half(&mut to[index], side, &next);
            add_product::<FUSED, LANES>(&x, &half(&from[index], side), &mut start);
            add_product::<FUSED, LANES>(&x, &next, &mut end);
        }
        add_half::<FUSED>(&start, gains[0], first, side);
        add_half::<FUSED>(&end, gains[1], second, side);
        if gains[2] != 0.0 {
            add_half::<FUSED>(&end, gains[2], third, side);
        }
    }
}

/// Adds half a row times a gain to a sum.
#[inline(always)]
fn add_half<const FUSED: bool>(x: &Half, gain: f32, sum: &mut Spectrum, side: usize) {
    let mut total = half(sum, side);
    for (total, x) in total.iter_mut().zip(x) {
        for (total, x) in total.iter_mut().zip(x) {
            *total = mul_add::<FUSED>(*x, gain, *total);
        }
    }
    set_half(sum, side, &total);
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
