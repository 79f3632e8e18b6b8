//! The noise bed: colour, level, width, and that it is computed from seed and position.

mod common;

use common::{Render, assert_same, bits, figure, silence};
use zeitgeber::engine::controls as id;
use zeitgeber::engine::{ControlId, Engine, Transport};

fn render(rate: f64, settings: &[(ControlId, f64)], seconds: f64, song: i64) -> [Vec<f32>; 2] {
    let mut all = vec![(id::FADE_IN, 0.0)];
    all.extend_from_slice(settings);
    Render {
        rate,
        settings: &all,
        events: &[],
        input: silence((seconds * rate) as usize),
        song: Some(song),
    }
    .run(Some(64))
}

fn noise(kind: usize) -> Vec<(ControlId, f64)> {
    vec![(id::NOISE_KIND, kind as f64), (id::NOISE_LEVEL, -20.0)]
}

fn rms_db(signal: &[f32]) -> f64 {
    let power = signal.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / signal.len() as f64;
    10.0 * power.log10()
}

#[test]
fn every_colour_has_its_rms_level() {
    for rate in [8_000.0, 44_100.0, 96_000.0] {
        for kind in [id::NOISE_WHITE, id::NOISE_PINK, id::NOISE_BROWN] {
            let [left, right] = render(rate, &noise(kind), 40.0, 0);
            for ear in [left, right] {
                let level = rms_db(&ear[rate as usize..]);
                // Brown noise of 40 s is known to some tenths of a dB.
                assert!((level + 20.0).abs() < 0.4, "kind {kind} at {rate}: {level}");
            }
        }
    }
}

/// Decibels of a node's response at a frequency, from its impulse response: the noise's spectrum without
/// its chance.
fn response(node: &str, rate: f64, frequencies: &[f64]) -> Vec<f64> {
    let mut node = zeitgeber::node::registry().create(node).unwrap();
    let frames = (rate as usize).next_power_of_two() * 2;
    node.init(rate, frames).unwrap();
    let mut input = vec![0.0f32; frames];
    input[0] = 1.0;
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    node.process(&[&input, &input], &mut [&mut left, &mut right]);
    frequencies
        .iter()
        .map(|frequency| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in left.iter().enumerate() {
                let angle = std::f64::consts::TAU * (frequency * n as f64 / rate).fract();
                re += f64::from(*x) * angle.cos();
                im += f64::from(*x) * angle.sin();
            }
            20.0 * re.hypot(im).log10()
        })
        .collect()
}

#[test]
fn pink_falls_by_3_db_an_octave() {
    let mut worst: f64 = 0.0;
    for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        let top = f64::min(20_000.0, 0.45 * rate);
        let frequencies: Vec<f64> = (0..60)
            .map(|i| 20.0 * (top / 20.0f64).powf(f64::from(i) / 59.0))
            .collect();
        let tilted: Vec<f64> = response("pink", rate, &frequencies)
            .iter()
            .zip(&frequencies)
            .map(|(db, hertz)| db + 10.0 * hertz.log10())
            .collect();
        let (low, high) = tilted.iter().fold((f64::MAX, f64::MIN), |(low, high), x| {
            (low.min(*x), high.max(*x))
        });
        worst = worst.max(0.5 * (high - low));
    }
    figure(
        "23 pink, 20 Hz - 20 kHz, 44.1 to 192 kHz",
        "+-0.3 dB of -3 dB/octave",
        &format!("+-{worst:.2} dB"),
    );
    assert!(worst <= 0.3, "{worst}");
}

#[test]
fn pink_noise_itself_is_pink() {
    // The bed as it sounds: power in octave bands of two minutes.
    let [left, _] = render(48_000.0, &noise(id::NOISE_PINK), 120.0, 0);
    let size = 1 << 15;
    let mut planner = realfft::RealFftPlanner::<f64>::new();
    let fft = planner.plan_fft_forward(size);
    let mut power = vec![0.0; size / 2 + 1];
    for chunk in left[48_000..].chunks_exact(size) {
        let mut input: Vec<f64> = chunk
            .iter()
            .enumerate()
            .map(|(n, x)| {
                let window = 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / size as f64).cos();
                f64::from(*x) * window
            })
            .collect();
        let mut spectrum = fft.make_output_vec();
        fft.process(&mut input, &mut spectrum).unwrap();
        for (sum, bin) in power.iter_mut().zip(&spectrum) {
            *sum += bin.norm_sqr();
        }
    }
    let band = |low: f64, high: f64| {
        let bin = |hertz: f64| (hertz / 48_000.0 * size as f64).round() as usize;
        10.0 * power[bin(low)..bin(high)].iter().sum::<f64>().log10()
    };
    let octaves: Vec<f64> = [125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0]
        .iter()
        .map(|low| band(*low, 2.0 * low))
        .collect();
    let mean = octaves.iter().sum::<f64>() / octaves.len() as f64;
    for octave in &octaves {
        assert!(
            (octave - mean).abs() < 0.4,
            "equal power an octave: {octaves:?}"
        );
    }
}

#[test]
fn brown_falls_by_6_db_an_octave_above_its_high_pass() {
    let found = response(
        "brown",
        96_000.0,
        &[5.0, 200.0, 400.0, 800.0, 1600.0, 3200.0],
    );
    for pair in found[1..].windows(2) {
        assert!((pair[0] - pair[1] - 6.02).abs() < 0.15, "{found:?}");
    }
    assert!(
        found[0] < found[1] + 25.0,
        "it does not go on rising below 20 Hz: {found:?}"
    );
}

#[test]
fn width_is_the_correlation() {
    let mut independent = 0.0;
    for (width, expected) in [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)] {
        let mut settings = noise(id::NOISE_WHITE);
        settings.push((id::NOISE_WIDTH, width));
        let [left, right] = render(48_000.0, &settings, 60.0, 0);
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let correlation = dot(&left, &right) / (dot(&left, &left) * dot(&right, &right)).sqrt();
        assert!(
            (correlation - expected).abs() < 0.01,
            "width {width}: {correlation}"
        );
        if width == 1.0 {
            independent = correlation.abs();
        }
        if width == 0.0 {
            assert_same(&left, &right, "mono");
        }
    }
    figure(
        "24 noise correlation at width 1",
        "<= 0.01",
        &format!("{independent:.4}"),
    );
}

#[test]
fn bounces_repeat_and_seeds_differ() {
    for kind in [id::NOISE_WHITE, id::NOISE_PINK, id::NOISE_BROWN] {
        let a = render(48_000.0, &noise(kind), 2.0, 1000);
        let b = render(48_000.0, &noise(kind), 2.0, 1000);
        assert_same(&a[0], &b[0], "the same bounce");
        let mut other = noise(kind);
        other.push((id::SEED, 2.0));
        let c = render(48_000.0, &other, 2.0, 1000);
        assert_ne!(bits(&a[0]), bits(&c[0]));
    }
}

#[test]
fn seeks_agree() {
    // A bounce from the middle is the middle of a bounce, filters included.
    for kind in [id::NOISE_WHITE, id::NOISE_PINK, id::NOISE_BROWN] {
        let whole = render(48_000.0, &noise(kind), 4.0, 0);
        let start = 100_003;
        let middle = render(48_000.0, &noise(kind), 1.5, start as i64);
        let worst = whole[0][start + 1000..]
            .iter()
            .zip(&middle[0][1000..])
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 1e-7, "kind {kind}: {worst:e}");
    }
}

#[test]
fn a_seek_while_playing_lands_where_a_bounce_would_be() {
    let mut engine = Engine::new(48_000.0).unwrap();
    engine.set(id::FADE_IN, 0.0);
    for (control, value) in noise(id::NOISE_PINK) {
        engine.set(control, value);
    }
    let mut play = |song: i64, frames: usize| {
        let [mut left, mut right] = silence(frames);
        for (n, (l, r)) in left.chunks_mut(64).zip(right.chunks_mut(64)).enumerate() {
            let song_frames = Some(song + 64 * n as i64);
            engine.process(
                l,
                r,
                Transport::Host {
                    playing: true,
                    song_frames,
                    tempo: None,
                },
                &[],
            );
        }
        left
    };
    play(0, 48_000);
    let after = play(1_000_000, 48_000);
    let [bounce, _] = render(48_000.0, &noise(id::NOISE_PINK), 1.0, 1_000_000);
    let worst = after[2000..]
        .iter()
        .zip(&bounce[2000..])
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(worst < 1e-7, "{worst:e}");
}
