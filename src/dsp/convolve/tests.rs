//! The convolution against its definition, and each instruction set against the baseline.

use super::kernels::*;
use super::*;

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

/// Energy of a difference re a reference, in dB.
fn error(measured: &[f32], reference: &[f64]) -> f64 {
    let difference: f64 = measured
        .iter()
        .zip(reference)
        .map(|(a, b)| (f64::from(*a) - b).powi(2))
        .sum();
    10.0 * (difference / reference.iter().map(|x| x * x).sum::<f64>()).log10()
}

/// The convolution as it is defined.
fn convolution(x: &[f32], h: &[f32]) -> Vec<f64> {
    (0..x.len())
        .map(|n| {
            (0..h.len().min(n + 1))
                .map(|k| f64::from(h[k]) * f64::from(x[n - k]))
                .sum()
        })
        .collect()
}

#[test]
fn two_signals_through_two_filters_are_their_convolutions() {
    for partitions in [1, 2, 5, 9] {
        let taps = partitions * PARTITION;
        let signals = [noise(1024, 1), noise(1024, 2)];
        let filters = [noise(taps, 3), noise(taps, 4)];
        let mut transform = Transform::new();
        let mut spectra = [
            vec![Spectrum::ZERO; partitions],
            vec![Spectrum::ZERO; partitions],
        ];
        let [first, second] = &mut spectra;
        partition(&mut transform, [&filters[0], &filters[1]], first, second);
        // A history may be longer than the filter.
        let mut histories = [History::new(partitions), History::new(partitions + 3)];
        let mut before = [[0.0f32; PARTITION]; 2];
        let mut out = [Vec::new(), Vec::new()];
        for block in 0..1024 / PARTITION {
            let now = [0, 1].map(|i| signals[i].as_chunks::<PARTITION>().0[block]);
            let [a, b] = &mut histories;
            transform.forward(
                [[&before[0], &now[0]], [&before[1], &now[1]]],
                a.push(),
                b.push(),
            );
            before = now;
            let mut sums = [Spectrum::ZERO; 2];
            for ear in 0..2 {
                histories[ear].convolve(&spectra[ear], &mut sums[ear]);
            }
            let mut frames = [[0.0; PARTITION]; 2];
            transform.inverse(&sums[0], &sums[1], &mut frames);
            out[0].extend_from_slice(&frames[0]);
            out[1].extend_from_slice(&frames[1]);
        }
        for ear in 0..2 {
            let error = error(&out[ear], &convolution(&signals[ear], &filters[ear]));
            println!("{partitions} partitions, signal {ear}: {error:.1} dB");
            assert!(error < -120.0, "{partitions} partitions: {error}");
        }
    }
}

#[test]
fn silence_stays_silence() {
    let mut transform = Transform::new();
    let mut history = History::new(3);
    let zeros = [0.0; PARTITION];
    let mut other = Spectrum::ZERO;
    transform.forward([[&zeros; 2]; 2], history.push(), &mut other);
    let mut sum = Spectrum::ZERO;
    history.convolve(
        &[Spectrum {
            re: [1.0; PARTITION],
            im: [-2.0; PARTITION],
        }; 3],
        &mut sum,
    );
    let mut frames = [[1.0; PARTITION]; 2];
    transform.inverse(&sum, &other, &mut frames);
    assert_eq!(frames, [zeros; 2]);
}

/// Random spectra.
fn rows(count: usize, seed: u64) -> Vec<Spectrum> {
    let values = noise(count * SPAN, seed);
    let (rows, _) = values.as_chunks::<SPAN>();
    rows.iter()
        .map(|row| {
            let (halves, _) = row.as_chunks::<PARTITION>();
            Spectrum {
                re: halves[0],
                im: halves[1],
            }
        })
        .collect()
}

/// A row as a list.
fn flat(rows: &[Spectrum]) -> Vec<f32> {
    rows.iter()
        .flat_map(|row| row.re.into_iter().chain(row.im))
        .collect()
}

fn same(what: &str, a: &[Spectrum], b: &[Spectrum]) {
    let reference: Vec<f64> = flat(b).into_iter().map(f64::from).collect();
    let error = error(&flat(a), &reference);
    println!("{what}: {error:.1} dB");
    assert!(error < -120.0, "{what}: {error}");
}

/// Bodies called as they are compiled for the baseline; kernels take the best the machine has. Fused and
/// unfused, which is all that tells the instruction sets apart: lanes do not depend on the vectors' width.
#[test]
fn instruction_sets_agree() {
    let (x, h) = (rows(9, 1), rows(9, 2));
    let mut sums = [rows(1, 3)[0]; 3];
    multiply_accumulate(&x, &h, &mut sums[0]);
    multiply_accumulate_body::<false>(&x, &h, &mut sums[1]);
    multiply_accumulate_body::<true>(&x, &h, &mut sums[2]);
    same("multiply-accumulate", &sums[..1], &sums[1..2]);
    same("fused", &sums[2..], &sums[1..2]);

    let mut sums = [x[0]; 2];
    add_scaled(&h[0], 0.3, &mut sums[0]);
    add_scaled_body::<false>(&h[0], 0.3, &mut sums[1]);
    same("scaled", &sums[..1], &sums[1..]);

    let filters = [
        (&x[..4], 0.1),
        (&x[4..8], 0.2),
        (&h[..4], 0.3),
        (&h[4..8], 0.4),
    ];
    let mut out = [rows(4, 5), rows(4, 6)];
    blend(filters, &mut out[0]);
    blend_body::<false>(filters, &mut out[1]);
    same("blend", &out[0], &out[1]);

    // What goes through each filter once is what goes through the blends.
    let filters = filters.map(|(filter, _)| filter);
    let four = [[0.1, 0.2, 0.3, 0.4], [-0.5, 0.0, 0.0, 0.25], [0.0; 4]];
    let two = [
        [0.1, 0.9, 0.0, 0.0],
        [0.2, 0.8, 0.0, 0.0],
        [0.0, -0.3, 0.0, 0.0],
    ];
    for weights in [&four, &two] {
        let start = [x[0], h[1], x[2]];
        let mut parts = start;
        for (weights, sum) in weights.iter().zip(&mut parts) {
            let mut blended = rows(4, 5);
            let parts = [0, 1, 2, 3].map(|k| (filters[k], weights[k]));
            blend_body::<false>(parts, &mut blended);
            multiply_accumulate_body::<false>(&x[..4], &blended, sum);
        }
        let mut sums = [start; 4];
        for (way, sums) in sums.iter_mut().enumerate() {
            let [a, b, c] = sums;
            let sums = [a, b, c];
            match way {
                0 => add_blended(&x[..4], filters, weights, sums),
                1 => add_blended_body::<false, 8, 4>(&x[..4], filters, weights, sums),
                2 => add_blended_body::<true, 16, 8>(&x[..4], filters, weights, sums),
                _ => add_blended_body::<true, 32, 32>(&x[..4], filters, weights, sums),
            }
        }
        sums.iter().for_each(|sums| same("blended", sums, &parts));
        assert_eq!(sums[2], sums[3]);
    }

    let mut signals = [x[0].re; 2];
    cross(&mut signals[0], &h[0].re);
    cross_body::<false>(&mut signals[1], &h[0].re);
    assert_eq!(signals[0][0], x[0].re[0]);
    for (a, b) in signals[0].iter().zip(&signals[1]) {
        assert!((a - b).abs() < 1e-6);
    }
}

/// Filters of one to seven partitions: groups that are full, and those that are not. Signals come and go; the sums of
/// what is heard are those of a delay line for each of them.
#[test]
fn what_is_summed_ahead_is_what_delay_lines_hold() {
    for partitions in 1..=7 {
        let signals = [3, 17, 63];
        let filters: Vec<Vec<f32>> = (1..=3)
            .map(|seed| noise(partitions * PARTITION, 10 * seed))
            .collect();
        let mut transform = Transform::new();
        let numbered = signals.into_iter().zip(filters.iter().map(Vec::as_slice));
        let mix = Mix::new(&mut transform, partitions, numbered);
        let mut ahead = Ahead::new(partitions + 2);
        let mut lines: Vec<History> = (0..3).map(|_| History::new(partitions)).collect();
        let mut spectra: Vec<Vec<Spectrum>> = Vec::new();
        for filter in &filters {
            let (mut first, mut other) = (rows(partitions, 1), rows(partitions, 1));
            partition(&mut transform, [filter, filter], &mut first, &mut other);
            spectra.push(first);
        }
        for quantum in 0..20 {
            let newest = rows(64, 100 + quantum);
            // One of them is not there in every third quantum, and one that the mix does not have always is.
            let there = 1 << 5 | 1 << 63 | 1 << 17 | u64::from(quantum % 3 != 0) << 3;
            ahead.hear(&mix, newest.first_chunk().unwrap(), there);
            let mut sum = Spectrum::ZERO;
            for (number, signal) in signals.into_iter().enumerate() {
                let heard = there >> signal & 1 == 1;
                *lines[number].push() = if heard {
                    newest[signal]
                } else {
                    Spectrum::ZERO
                };
                lines[number].convolve(&spectra[number], &mut sum);
            }
            same("ahead", &[*ahead.now()], &[sum]);
        }
        ahead.clear();
        ahead.hear(&mix, rows(64, 1).first_chunk().unwrap(), 0);
        assert_eq!(*ahead.now(), Spectrum::ZERO);
    }
}

#[test]
fn parts_of_rows_do_not_change_sums() {
    let (x, h) = (rows(64, 1), rows(2 * 7, 2));
    let places = std::array::from_fn(|signal| u8::from(signal == 9));
    let sums = [rows(8, 3), rows(8, 3), rows(8, 3), rows(8, 3)];
    let [mut best, mut small, mut half, mut whole] = sums;
    let x = x.first_chunk().unwrap();
    let there = 1 << 9 | 1 << 2;
    add_ahead(x, there, &places, &h, &mut best);
    add_ahead_body::<false, 4>(x, there, &places, &h, &mut small);
    add_ahead_body::<true, 16>(x, there, &places, &h, &mut half);
    add_ahead_body::<true, 32>(x, there, &places, &h, &mut whole);
    same("ahead: best", &best, &small);
    assert_eq!(half, whole);
    same("ahead: fused", &half, &small);
}
