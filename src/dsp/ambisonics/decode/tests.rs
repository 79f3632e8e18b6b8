//! The renderer against the convolution's definition, swaps, and the instruction sets.

use super::lanes::{Bins, LANES, Rows, Turns, forward, forward_body};
use super::lanes::{gather, gather_squares, spread, spread_squares};
use super::*;
use crate::dsp::ambisonics::{Decoder, channels, degree};
use crate::dsp::convolve::{PARTITION, Spectrum, Transform};
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
fn mixes_of_a_symmetric_decoder_hold_every_channel_once_on_its_side() {
    for order in 1..=7 {
        let bank = DecoderBank::new(&decoder(order, 32, true, 1));
        let [alike, others] = bank.mixes().each_ref().map(|mix| mix.signals());
        for channel in 0..64 {
            let is_there = channel < channels(order);
            let is_other = is_there && degree(channel).1 < 0;
            assert_eq!(others >> channel & 1 == 1, is_other, "{order} {channel}");
            assert_eq!(
                alike >> channel & 1 == 1,
                is_there && !is_other,
                "{order} {channel}"
            );
        }
    }
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

#[test]
fn what_is_in_the_middle_is_alike_at_both_ears_bit_for_bit() {
    let bank = Arc::new(DecoderBank::new(&decoder(3, 96, true, 1)));
    let mut renderer = BusRenderer::new(bank, 96);
    let mut bus = bus(3, 4800, 3);
    let beside = (0..bus.len()).filter(|channel| degree(*channel).1 < 0);
    for channel in beside {
        // Something is beside it for a while.
        bus[channel][..1000].iter_mut().for_each(|x| *x *= 0.1);
        bus[channel][1000..].fill(0.0);
    }
    let [left, right] = render(&mut renderer, &bus, std::iter::repeat(64));
    assert!(left[500..1000] != right[500..1000]);
    assert!(left[1400..].iter().any(|x| *x != 0.0));
    assert!(left[1400..] == right[1400..]);
}

#[test]
fn channels_beyond_the_order_wait_until_they_are_asked_for() {
    // What higher channels were before does not sound when another order comes to hear them.
    let low = Arc::new(DecoderBank::new(&decoder(1, 96, true, 1)));
    let high = decoder(6, 96, true, 2);
    let mut renderer = BusRenderer::new(Arc::new(DecoderBank::new(&high)), 96);
    let bus = bus(6, 4800, 3);
    let reach = reference(&high, &bus, 0);
    for (number, bank) in [low, Arc::new(DecoderBank::new(&high))]
        .into_iter()
        .enumerate()
    {
        render(
            &mut renderer,
            &bus,
            std::iter::repeat(if number == 0 { 64 } else { 7 }),
        );
        renderer.retired();
        renderer.swap(bank).unwrap();
    }
    let out = render(&mut renderer, &bus, std::iter::repeat(64));
    let error = error(&out[0][2000..], &reach[2000..]);
    assert!(error < -125.0, "{error}");
}

#[test]
fn instruction_sets_agree() {
    let turns = Turns::new();
    let signals: Vec<[f32; PARTITION]> = (0..2 * LANES as u64)
        .map(|seed| *noise(PARTITION, seed).first_chunk().unwrap())
        .collect();
    let mut rows = [Rows::ZERO; 2];
    for (rows, signals) in rows.iter_mut().zip(signals.chunks(LANES)) {
        let signals = std::array::from_fn(|lane| &signals[lane]);
        let mut squares = Rows::ZERO;
        gather(&signals, LANES, rows);
        gather_squares(&signals, LANES, &mut squares);
        assert_eq!(rows.0, squares.0);
        assert_eq!(rows.0[3][5], signals[5][3]);
    }
    let mut bins = [Bins::ZERO; 3];
    forward(&rows[0], &rows[1], &turns, &mut bins[0]);
    forward_body::<false>(&rows[0], &rows[1], &turns, &mut bins[1]);
    forward_body::<true>(&rows[0], &rows[1], &turns, &mut bins[2]);
    let same = |a: &[f32], b: &[f32]| {
        let reference: Vec<f64> = b.iter().copied().map(f64::from).collect();
        let error = error(a, &reference);
        assert!(error < -120.0, "{error}");
    };
    for other in [0, 2] {
        same(bins[other].re.0.as_flattened(), bins[1].re.0.as_flattened());
        same(bins[other].im.0.as_flattened(), bins[1].im.0.as_flattened());
    }
    // As one by one.
    let mut transform = Transform::new();
    let mut spectra = [[Spectrum::ZERO; LANES]; 2];
    spread(&bins[0], LANES, &mut spectra[0]);
    spread_squares(&bins[0], LANES, &mut spectra[1]);
    assert_eq!(spectra[0], spectra[1]);
    #[cfg(target_arch = "x86_64")]
    {
        let older = std::array::from_fn(|lane| &signals[lane]);
        let (mut squares, mut spread) = (Rows::ZERO, [Spectrum::ZERO; LANES]);
        if super::lanes::by_eight(&older, &mut squares, &bins[0], &mut spread) {
            assert_eq!(rows[0].0, squares.0);
            assert_eq!(spectra[0], spread);
        }
    }
    for (lane, spectrum) in spectra[0].iter().enumerate() {
        let mut alone = [Spectrum::ZERO; 2];
        let [a, b] = &mut alone;
        let span = [&signals[lane], &signals[LANES + lane]];
        transform.forward([span, span], a, b);
        same(&spectrum.re, &alone[0].re);
        same(&spectrum.im, &alone[0].im);
    }
}
