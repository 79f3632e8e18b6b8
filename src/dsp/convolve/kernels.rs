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
    let mut total = *sum;
    for (x, h) in x.iter().zip(h) {
        for k in 0..PARTITION {
            let re = mul_add::<FUSED>(x.re[k], h.re[k], total.re[k]);
            total.re[k] = mul_add::<FUSED>(-x.im[k], h.im[k], re);
            let im = mul_add::<FUSED>(x.re[k], h.im[k], total.im[k]);
            total.im[k] = mul_add::<FUSED>(x.im[k], h.re[k], im);
        }
    }
    *sum = total;
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
    /// A weighted sum of four filters of one length.
    blend = blend_body(filters: [&[Spectrum]; 4], weights: [f32; 4], out: &mut [Spectrum])
);

#[inline(always)]
pub(super) fn blend_body<const FUSED: bool>(
    filters: [&[Spectrum]; 4],
    weights: [f32; 4],
    out: &mut [Spectrum],
) {
    let [a, b, c, d] = filters.map(|filter| &filter[..out.len()]);
    for (index, out) in out.iter_mut().enumerate() {
        let (a, b, c, d) = (&a[index], &b[index], &c[index], &d[index]);
        let mix = |a: f32, b: f32, c: f32, d: f32| {
            let sum = mul_add::<FUSED>(b, weights[1], a * weights[0]);
            let sum = mul_add::<FUSED>(c, weights[2], sum);
            mul_add::<FUSED>(d, weights[3], sum)
        };
        for k in 0..PARTITION {
            out.re[k] = mix(a.re[k], b.re[k], c.re[k], d.re[k]);
        }
        for k in 0..PARTITION {
            out.im[k] = mix(a.im[k], b.im[k], c.im[k], d.im[k]);
        }
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
