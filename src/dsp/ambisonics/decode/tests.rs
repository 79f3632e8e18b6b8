//! The renderer against the convolution's definition, swaps, and the instruction sets.

use super::lanes::{Bins, Kernels, Lanes, NARROW, Rows, Turns, WIDE};
use super::lanes::{accumulate_body, forward_body, inverse_body};
use super::*;
use crate::dsp::ambisonics::{Decoder, channels, degree};
use std::sync::Arc;

const RATE: f64 = 48_000.0;

/// White noise of -1 to 1 (xorshift).
fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..frames)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

fn decoder(order: usize, taps: usize, symmetric: bool, seed: u64) -> Decoder {
    let ears = if symmetric { 1 } else { 2 };
    Decoder {
        rate: RATE,
        order,
        taps,
        filters: noise(channels(order) * ears * taps, seed),
        symmetric,
    }
}

fn bus(order: usize, frames: usize, seed: u64) -> Vec<Vec<f32>> {
    (0..channels(order) as u64)
        .map(|channel| noise(frames, 100 * seed + channel))
        .collect()
}

fn render(
    renderer: &mut BusRenderer,
    bus: &[Vec<f32>],
    cuts: impl Iterator<Item = usize>,
) -> [Vec<f32>; 2] {
    let frames = bus[0].len();
    let mut out = [vec![0.0; frames], vec![0.0; frames]];
    let mut start = 0;
    for count in cuts {
        let end = (start + count).min(frames);
        let inputs: Vec<&[f32]> = bus.iter().map(|channel| &channel[start..end]).collect();
        let [left, right] = &mut out;
        renderer.process(&inputs, &mut left[start..end], &mut right[start..end]);
        start = end;
        if start == frames {
            break;
        }
    }
    out
}

/// Energy of a difference re a reference, in dB.
fn error(measured: &[f32], reference: &[f64]) -> f64 {
    let difference: f64 = measured
        .iter()
        .zip(reference)
        .map(|(a, b)| (f64::from(*a) - b).powi(2))
        .sum();
    10.0 * (difference / reference.iter().map(|x| x * x).sum::<f64>()).log10()
}

/// The sum of convolutions as it is defined, a partition late.
fn reference(decoder: &Decoder, bus: &[Vec<f32>], ear: usize) -> Vec<f64> {
    let frames = bus[0].len();
    let mut out = vec![0.0; frames];
    for (channel, x) in bus.iter().enumerate().take(decoder.channels()) {
        let (taps, sign) = decoder.filter(channel, ear);
        for (late, out) in out.iter_mut().skip(ONSET).enumerate() {
            let sum: f64 = (0..taps.len().min(late + 1))
                .map(|k| f64::from(taps[k]) * f64::from(x[late - k]))
                .sum();
            *out += f64::from(sign) * sum;
        }
    }
    out
}

#[test]
fn every_order_is_its_convolutions() {
    for order in 1..=7 {
        for symmetric in [true, false] {
            let decoder = decoder(order, 96, symmetric, order as u64);
            let bus = bus(7, 480, 3);
            let mut renderer = BusRenderer::new(Arc::new(DecoderBank::new(&decoder)), 128);
            let out = render(&mut renderer, &bus, std::iter::repeat(480));
            for (ear, out) in out.iter().enumerate() {
                let error = error(out, &reference(&decoder, &bus, ear));
                println!("order {order}, symmetric {symmetric}, ear {ear}: {error:.1} dB");
                assert!(error < -125.0, "{order} {symmetric} {ear}: {error}");
            }
        }
    }
}

#[test]
fn lanes_hold_every_channel_once_on_its_side() {
    for order in 1..=7 {
        let bank = DecoderBank::new(&decoder(order, 32, true, 1));
        let seen: Vec<(usize, f32)> = match &bank.width {
            super::bank::Width::Narrow(filters) => lanes(&filters.layout),
            super::bank::Width::Wide(filters) => lanes(&filters.layout),
        };
        let mut all: Vec<usize> = seen.iter().map(|(channel, _)| *channel).collect();
        all.sort_unstable();
        assert_eq!(all, (0..channels(order)).collect::<Vec<_>>());
        for (channel, sign) in seen {
            assert_eq!(sign < 0.0, degree(channel).1 < 0);
        }
    }
}

fn lanes<const W: usize>(layout: &super::bank::Layout<W>) -> Vec<(usize, f32)> {
    let lanes = layout.channels.iter();
    lanes
        .flat_map(|lanes| lanes.iter().zip(layout.signs))
        .filter_map(|(channel, sign)| channel.map(|channel| (channel, sign)))
        .collect()
}

#[test]
fn blocks_of_any_size_and_pauses_give_the_same_bits() {
    let banks = [(7, 288), (1, 96), (4, 64)]
        .map(|(order, taps)| Arc::new(DecoderBank::new(&decoder(order, taps, true, 5))));
    let mut bus = bus(7, 9600, 3);
    for (number, channel) in bus.iter_mut().enumerate() {
        // Some channels pause, all of them for a while.
        channel[1500..3000].fill(0.0);
        if number > 8 {
            channel[5000..6000].fill(0.0);
        }
    }
    let run = |cut: usize| {
        let mut renderer = BusRenderer::new(banks[0].clone(), 288);
        let mut out = [Vec::new(), Vec::new()];
        for (part, start) in [0, 2400, 4800, 7200].into_iter().enumerate() {
            if part > 0 {
                renderer.swap(banks[part % 3].clone()).unwrap();
            }
            let piece: Vec<Vec<f32>> = bus
                .iter()
                .map(|channel| channel[start..start + 2400].to_vec())
                .collect();
            let piece = render(&mut renderer, &piece, std::iter::repeat(cut));
            for (out, piece) in out.iter_mut().zip(piece) {
                out.extend(piece.into_iter().map(f32::to_bits));
            }
            renderer.retired();
        }
        out
    };
    let whole = run(2400);
    for cut in [1, 7, 32, 64, 480, 1024] {
        assert!(run(cut) == whole, "{cut}");
    }
}

#[test]
fn a_swap_ends_in_the_other_bank_and_gives_the_first_back() {
    let first = Arc::new(DecoderBank::new(&decoder(3, 96, true, 1)));
    let other = decoder(5, 64, false, 2);
    let second = Arc::new(DecoderBank::new(&other));
    let bus = bus(7, 4800, 3);
    let mut renderer = BusRenderer::new(first.clone(), 96);
    render(&mut renderer, &bus, std::iter::repeat(64));
    assert!(renderer.retired().is_none());
    assert!(renderer.swap(second).unwrap().is_none());
    let out = render(&mut renderer, &bus, std::iter::repeat(64));
    let late: Vec<f64> = reference(&other, &bus, 1)[2000..].to_vec();
    let error = error(&out[1][2000..], &late);
    assert!(error < -125.0, "{error}");
    let retired = renderer.retired().unwrap();
    assert!(Arc::ptr_eq(&retired, &first));
    let long = Arc::new(DecoderBank::new(&decoder(1, 128, true, 1)));
    assert!(
        renderer.swap(long).is_err(),
        "more taps than it has room for"
    );
}

#[test]
fn what_is_no_sound_becomes_silence_and_is_forgotten() {
    let bank = Arc::new(DecoderBank::new(&decoder(3, 96, true, 1)));
    let mut renderer = BusRenderer::new(bank, 96);
    let mut bad = bus(3, 640, 3);
    bad[2][100] = f32::NAN;
    bad[3][200] = f32::INFINITY;
    bad[4][300] = f32::MAX;
    let out = render(&mut renderer, &bad, std::iter::repeat(64));
    assert!(out.iter().flatten().all(|x| x.is_finite()));
    let silence = vec![vec![0.0; 640]; 16];
    let out = render(&mut renderer, &silence, std::iter::repeat(64));
    assert!(
        out.iter()
            .all(|ear| ear[renderer.tail()..].iter().all(|x| *x == 0.0))
    );
}

fn rows<const W: usize>(seed: u64) -> Rows<W> {
    let values = noise(32 * W, seed);
    Rows(std::array::from_fn(|n| {
        std::array::from_fn(|k| values[n * W + k])
    }))
}

fn agree<const W: usize>()
where
    Kernels: Lanes<W>,
{
    let turns = Turns::new();
    let (older, newer) = (rows::<W>(1), rows::<W>(2));
    let mut bins = [Bins::<W>::ZERO; 3];
    Kernels::forward(&older, &newer, &turns, &mut bins[0]);
    forward_body::<false, W>(&older, &newer, &turns, &mut bins[1]);
    forward_body::<true, W>(&older, &newer, &turns, &mut bins[2]);
    let flat = |rows: &Rows<W>| rows.0.as_flattened().to_vec();
    let same = |a: &Rows<W>, b: &Rows<W>| {
        let reference: Vec<f64> = flat(b).into_iter().map(f64::from).collect();
        let error = error(&flat(a), &reference);
        assert!(error < -120.0, "{error}");
    };
    for other in [0, 2] {
        same(&bins[other].re, &bins[1].re);
        same(&bins[other].im, &bins[1].im);
    }
    let mut sums = [bins[0]; 3];
    Kernels::accumulate([&bins[..2], &bins[2..]], &bins, &mut sums[0]);
    accumulate_body::<false, W, 16>([&bins[..1], &bins[1..]], &bins, &mut sums[1]);
    accumulate_body::<true, W, 64>([&bins[..1], &bins[1..]], &bins, &mut sums[2]);
    same(&sums[0].re, &sums[1].re);
    same(&sums[2].im, &sums[1].im);
    // There and back.
    let mut out = [Rows::<W>::ZERO; 2];
    Kernels::inverse(&mut bins[0], &turns, &mut out[0]);
    inverse_body::<false, W>(&mut bins[1], &turns, &mut out[1]);
    same(&out[0], &newer);
    same(&out[1], &newer);
}

#[test]
fn instruction_sets_agree() {
    agree::<NARROW>();
    agree::<WIDE>();
}
