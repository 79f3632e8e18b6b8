//! Beats that are known, found again.

use super::*;
use std::f64::consts::{PI, TAU};

const RATE: f64 = 16_000.0;
const SECONDS: f64 = 10.0;

fn signal(of: impl Fn(f64) -> f64) -> Vec<f32> {
    (0..(SECONDS * RATE) as usize)
        .map(|n| of(n as f64 / RATE) as f32)
        .collect()
}

fn tone(hertz: f64, t: f64) -> f64 {
    (TAU * (hertz * t).fract()).sin()
}

/// Noise whose RMS is `rms`.
fn add_noise(signal: &mut [f32], rms: f64, seed: u32) {
    let mut state = seed;
    for sample in signal {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample += ((f64::from(state >> 8) / f64::from(1 << 23) - 1.0) * 3f64.sqrt() * rms) as f32;
    }
}

/// A pulse of a duty with flanks of 10 ms.
fn pulse(t: f64, hertz: f64, duty: f64) -> f64 {
    let away = ((t * hertz + 0.25).fract() - 0.5).abs();
    let up = ((duty / 2.0 - away) / (0.01 * hertz) + 0.5).clamp(0.0, 1.0);
    0.5 - 0.5 * (PI * up).cos()
}

#[track_caller]
fn one(ears: &[&[f32]], kind: Kind, hertz: f64, carrier: f64) -> Beat {
    let found = beats(ears, RATE);
    assert_eq!(found.len(), 1, "{found:#?}");
    let beat = found[0];
    assert_eq!(beat.kind, kind, "{beat:?}");
    let error = (beat.frequency - hertz).abs();
    assert!(
        error < 1e-3 && error < 6.0 * beat.uncertainty + 1e-5,
        "{hertz}: {beat:?}"
    );
    assert!((beat.carrier() - carrier).abs() < 2e-3, "{beat:?}");
    beat
}

#[test]
fn two_tones_one_an_ear_are_a_binaural_beat_of_any_rate() {
    for noise in [0.0, 0.001] {
        for hertz in [0.05, 0.5, 4.0, 10.0, 40.0, 99.0, -6.3] {
            let mut ears = [-0.5, 0.5].map(|side| signal(|t| 0.1 * tone(250.0 + side * hertz, t)));
            for (ear, seed) in ears.iter_mut().zip([1, 2]) {
                add_noise(ear, noise, seed);
            }
            let beat = one(&[&ears[0], &ears[1]], Kind::Binaural, hertz, 250.0);
            assert!(
                (beat.level + 20.0).abs() < 0.05 && beat.depth > 0.98,
                "{beat:?}"
            );
            if hertz.abs() > 1.0 {
                assert!(beat.separation.unwrap() > 50.0, "{beat:?}");
            }
        }
    }
}

#[test]
fn what_reaches_the_other_ear_is_told() {
    let ear = |own: f64, other: f64| signal(|t| 0.1 * tone(own, t) + 0.02 * tone(other, t));
    let beat = one(
        &[&ear(245.0, 255.0), &ear(255.0, 245.0)],
        Kind::Binaural,
        10.0,
        250.0,
    );
    assert!((beat.separation.unwrap() - 13.98).abs() < 0.1, "{beat:?}");
}

#[test]
fn two_tones_in_both_ears_are_a_monaural_beat() {
    for hertz in [1.0, 6.0, 40.0] {
        let mut ear =
            signal(|t| 0.05 * (tone(250.0 - hertz / 2.0, t) + tone(250.0 + hertz / 2.0, t)));
        add_noise(&mut ear, 0.001, 3);
        for ears in [&[&ear[..]][..], &[&ear, &ear]] {
            let beat = one(ears, Kind::Monaural, hertz, 250.0);
            assert!(
                beat.depth > 0.95 && (beat.level + 20.0).abs() < 0.1,
                "{beat:?}"
            );
        }
    }
}

#[test]
fn pulses_are_isochronic_with_their_duty() {
    for (hertz, duty) in [
        (2.0, 0.5),
        (6.0, 0.3),
        (10.0, 0.5),
        (10.0, 0.7),
        (40.0, 0.5),
    ] {
        let mut ear = signal(|t| 0.1 * pulse(t, hertz, duty) * tone(250.0, t));
        add_noise(&mut ear, 0.0003, 4);
        for ears in [&[&ear[..]][..], &[&ear, &ear]] {
            let beat = one(ears, Kind::Isochronic, hertz, 250.0);
            assert!(
                beat.depth > 0.9 && (beat.level + 20.0).abs() < 0.6,
                "{beat:?}"
            );
            assert!(
                (beat.duty.unwrap() - 100.0 * duty).abs() < 3.0,
                "{duty}: {beat:?}"
            );
        }
    }
}

/// What Opus does to a tone at 24 kbit/s repeats every 20 ms: it stands on the common grid of 50 Hz and the rate.
#[test]
fn what_a_codec_adds_to_pulses_is_no_beat_of_its_own() {
    for hertz in [3.0, 6.0, 7.0, 18.0, 40.0] {
        let ear = signal(|t| {
            let grid = |k: f64, way: f64| tone(300.0 + way * (50.0 * k).rem_euclid(hertz), t);
            let left: f64 = (1..4)
                .map(f64::from)
                .map(|k| grid(k, 1.0) + 0.8 * grid(k, -1.0))
                .sum();
            0.1 * (pulse(t, hertz, 0.5) * tone(300.0, t) + 0.002 * left)
        });
        let beat = one(&[&ear, &ear], Kind::Isochronic, hertz, 300.0);
        assert!((beat.level + 20.0).abs() < 0.3, "{beat:?}");
    }
}

#[test]
fn sides_in_turn_are_bilateral() {
    for (hertz, duty) in [(1.0, 0.5), (3.0, 0.3), (10.0, 0.5)] {
        let left = signal(|t| 0.1 * pulse(t, hertz, duty) * tone(300.0, t));
        let right = signal(|t| 0.1 * (1.0 - pulse(t, hertz, duty)) * tone(300.0, t));
        let beat = one(&[&left, &right], Kind::Bilateral, hertz, 300.0);
        assert!(
            (beat.duty.unwrap() - 100.0 * duty).abs() < 3.0,
            "{duty}: {beat:?}"
        );
    }
}

#[test]
fn several_at_once_are_told_apart() {
    let ear = |side: f64| {
        signal(|t| {
            0.1 * tone(200.0 + side * 5.0, t)
                + 0.05 * tone(520.0 + side * 2.0, t)
                + 0.03 * pulse(t, 7.0, 0.5) * tone(900.0, t)
        })
    };
    let found = beats(&[&ear(-1.0), &ear(1.0)], RATE);
    let told: Vec<(Kind, f64)> = found
        .iter()
        .map(|beat| (beat.kind, (beat.frequency * 1e3).round() / 1e3))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::Binaural, 10.0),
            (Kind::Binaural, 4.0),
            (Kind::Isochronic, 7.0)
        ]
    );
}

#[test]
fn what_does_not_beat_has_no_beat() {
    let same = signal(|t| 0.1 * tone(250.0, t));
    let mut noise = [vec![0.0; 160_000], vec![0.0; 160_000]];
    add_noise(&mut noise[0], 0.1, 5);
    add_noise(&mut noise[1], 0.1, 6);
    let vibrato = signal(|t| 0.1 * (TAU * 250.0 * t + 0.3 * (TAU * 6.0 * t).sin()).sin());
    for (what, ears) in [
        ("sham", [&same[..], &same]),
        ("noise", [&noise[0], &noise[1]]),
        ("vibrato", [&vibrato, &vibrato]),
        ("silence", [&[0.0; 48_000], &[0.0; 48_000]]),
        ("nothing", [&[], &[]]),
        ("one frame", [&[1.0], &[1.0]]),
        ("damage", [&[f32::NAN; 48_000], &[f32::INFINITY; 48_000]]),
    ] {
        let found = beats(&ears, RATE);
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

/// A note with eight overtones that sounds on.
fn note(hertz: f64, t: f64) -> f64 {
    (1..9)
        .map(f64::from)
        .map(|k| 0.03 / k * (0.7 + 0.3 * (k * hertz).sin()) * tone(k * hertz, t))
        .sum()
}

#[test]
fn notes_are_no_beats() {
    let low = signal(|t| note(41.2, t));
    let third = signal(|t| note(130.8, t) + note(164.8, t));
    let high = signal(|t| note(261.6, t) + note(329.6, t) + note(392.0, t));
    // Strings that are not quite harmonic.
    let string = signal(|t| {
        let overtone = |k: f64| 0.05 / k * tone(32.7 * k * (1.0 + 2e-4 * k * k).sqrt(), t);
        (1..25).map(f64::from).map(overtone).sum()
    });
    let plucked = signal(|t| (-1.5 * (t % 2.5)).exp() * (note(220.0, t) + note(246.9, t)));
    // A deep vibrato leaves nothing of its carrier.
    let deep = signal(|t| 0.1 * (TAU * 880.0 * t + 2.4 * (TAU * 5.5 * t).sin()).sin());
    for (what, ear) in [
        ("low", low),
        ("third", third),
        ("high", high),
        ("string", string),
        ("plucked", plucked),
        ("deep", deep),
    ] {
        let found = beats(&[&ear, &ear], RATE);
        assert!(found.is_empty(), "{what}: {found:#?}");
    }
}

#[test]
fn the_highest_beats_and_carriers_are_found() {
    let rate = 48_000.0;
    let at = |of: &dyn Fn(f64) -> f64| -> Vec<f32> {
        (0..480_000)
            .map(|n| of(f64::from(n) / rate) as f32)
            .collect()
    };
    for (carrier, hertz) in [
        (400.0, 100.0),
        (4300.0, 10.0),
        (6000.0, 40.0),
        (12_000.0, 100.0),
    ] {
        let (left, right) = (
            at(&|t| 0.1 * tone(carrier - hertz / 2.0, t)),
            at(&|t| 0.1 * tone(carrier + hertz / 2.0, t)),
        );
        let both: Vec<f32> = left.iter().zip(&right).map(|(a, b)| a + b).collect();
        let pulsed = at(&|t| 0.1 * (0.5 + 0.5 * tone(hertz, t)) * tone(carrier, t));
        for (kind, ears) in [
            (Kind::Binaural, [&left, &right]),
            (Kind::Monaural, [&both, &both]),
            (Kind::Isochronic, [&pulsed, &pulsed]),
        ] {
            let found = beats(&ears.map(Vec::as_slice), rate);
            let [beat] = found[..] else {
                panic!("{kind:?} {hertz} at {carrier}: {found:?}");
            };
            assert_eq!(beat.kind, kind, "{beat:?}");
            assert!((beat.frequency - hertz).abs() < 1e-3, "{beat:?}");
            assert!((beat.carrier() - carrier).abs() < 2e-3, "{beat:?}");
        }
    }
}

/// What is followed of two ears in windows of ten seconds.
fn followed(ear: impl Fn(f64, f64) -> f64, seconds: u32) -> Vec<Course> {
    let whole = |side: f64| -> Vec<f32> {
        (0..seconds * 16_000)
            .map(|n| ear(side, f64::from(n) / RATE) as f32)
            .collect()
    };
    let mut watch = Watch::new(2, RATE, 10.0);
    watch.push(&[&whole(-0.5), &whole(0.5)]);
    courses(&watch.finish())
}

#[test]
fn a_beat_that_moves_fast_or_steps_is_one_course() {
    // The phase in cycles of a beat from 40 to 4 Hz within 40 seconds, and of one that steps.
    let fast = |t: f64| 40.0 * t - 0.45 * t * t;
    let step = |t: f64| 10.0 * t.min(23.0) + 6.0 * (t - 23.0).max(0.0);
    let ear =
        |side: f64, t: f64, cycles: f64| 0.1 * (TAU * (250.0 * t + side * cycles).fract()).sin();
    let found = followed(|side, t| ear(side, t, fast(t)), 40);
    assert_eq!(found.len(), 1, "{found:#?}");
    let (from, to) = found[0].ends;
    assert!(
        (from - 40.0).abs() < 0.1 && (to - 4.0).abs() < 0.1,
        "{found:#?}"
    );
    assert!(found[0].is_moving && !found[0].is_stepping && found[0].share > 0.99);
    let found = followed(|side, t| ear(side, t, step(t)), 50);
    assert_eq!(found.len(), 1, "{found:#?}");
    let (from, to) = found[0].ends;
    assert!(
        (from - 10.0).abs() < 0.01 && (to - 6.0).abs() < 0.01,
        "{found:#?}"
    );
    assert!(found[0].is_moving && found[0].is_stepping, "{found:#?}");
}

#[test]
fn an_octave_above_is_a_layer_and_a_wave_has_harmonics() {
    let pair = |carrier: f64, hertz: f64, side: f64, t: f64| 0.1 * tone(carrier + side * hertz, t);
    let found = followed(
        |side, t| pair(200.0, 5.0, side, t) + pair(400.0, 10.0, side, t),
        10,
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found.iter().all(|course| course.harmonic == 1),
        "{found:#?}"
    );
    let saw = |side: f64, t: f64| {
        let harmonic = |k: f64| pair(200.0 * k, 10.0 * k, side, t) / k;
        (1..13).map(f64::from).map(harmonic).sum()
    };
    let found = followed(saw, 10);
    let first: Vec<u32> = found.iter().take(4).map(|course| course.harmonic).collect();
    assert_eq!(first, [1, 2, 3, 4]);
    assert!(
        found.iter().skip(1).all(|course| course.harmonic > 1),
        "{found:#?}"
    );
}

#[test]
fn a_beat_that_moves_is_one_course() {
    // 10 Hz that falls to 4 Hz within two minutes.
    let ear = |side: f64| -> Vec<f32> {
        (0..120 * 16_000)
            .map(|n| {
                let t = f64::from(n) / RATE;
                let cycles = 10.0 * t - 0.5 * 6.0 / 120.0 * t * t;
                (0.1 * (TAU * (250.0 * t + side * 0.5 * cycles).fract()).sin()) as f32
            })
            .collect()
    };
    let (left, right) = (ear(-1.0), ear(1.0));
    let mut watch = Watch::new(2, RATE, 10.0);
    for (left, right) in left.chunks(777).zip(right.chunks(777)) {
        watch.push(&[left, right]);
    }
    let moments = watch.finish();
    assert_eq!(moments.len(), 12);
    for moment in &moments {
        let middle = 10.0 - 0.05 * (moment.at + 5.0);
        assert_eq!(moment.beats.len(), 1, "{moment:?}");
        assert!(
            (moment.beats[0].frequency - middle).abs() < 2e-3,
            "{moment:?}"
        );
    }
    let found = courses(&moments);
    assert_eq!(found.len(), 1);
    assert!(found[0].is_moving && found[0].share == 1.0);
    assert!((found[0].range.0 - 4.25).abs() < 2e-3 && (found[0].range.1 - 9.75).abs() < 2e-3);
}
