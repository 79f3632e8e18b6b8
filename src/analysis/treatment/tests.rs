//! Treatments that are known, found again; and sound without any, of which nothing is named.

use super::material::*;
use super::*;

const RATE: f64 = 48_000.0;
const FRAMES: usize = 20 * 48_000;

fn listen(ears: &[&[f64]], rate: f64) -> Treatments {
    let ears: Vec<Vec<f32>> = ears
        .iter()
        .map(|ear| ear.iter().map(|&x| x as f32).collect())
        .collect();
    let ears: Vec<&[f32]> = ears.iter().map(Vec::as_slice).collect();
    treatments(&ears, rate)
}

fn stereo([left, right]: &[Vec<f64>; 2], rate: f64) -> Treatments {
    listen(&[left, right], rate)
}

/// Materials of 20 s that hold no rhythm of their own.
fn materials() -> [(&'static str, Vec<f64>); 3] {
    [
        ("pink noise", pink(FRAMES, 1)),
        ("speech", speech(FRAMES, RATE, 1)),
        ("a chord", chord(FRAMES, RATE)),
    ]
}

fn assert_rate(found: &Rate, hz: f64, what: &str) {
    assert!((found.hz - hz).abs() < 0.008, "{what}: {found:?}");
    assert!(
        found.above > 16.0 && found.uncertainty < 0.01,
        "{what}: {found:?}"
    );
}

/// Nothing but a pulsation, which material may have.
fn assert_untreated(found: &Treatments, what: &str) {
    let rest = Treatments {
        pulsation: None,
        ..*found
    };
    assert_eq!(rest, Treatments::default(), "{what}");
}

#[test]
fn a_tremolo_is_known_by_rate_depth_and_shape() {
    for (what, sound) in materials() {
        for (beat, depth) in [(10.0, 0.8), (7.3, 1.0), (40.0, 0.9)] {
            let treated = tremolo(&sound, RATE, beat, depth);
            for found in [
                listen(&[&treated], RATE),
                listen(&[&treated, &treated], RATE),
            ] {
                let tremolo = found
                    .amplitude
                    .unwrap_or_else(|| panic!("{what} {beat}: {found:?}"));
                assert_rate(&tremolo.rate, beat, what);
                assert!((tremolo.depth - depth).abs() < 0.1, "{what}: {tremolo:?}");
                assert_eq!(tremolo.shape, Shape::Sine, "{what} {beat}");
                assert_eq!(
                    (found.bilateral, found.shift, found.sweep),
                    (None, None, None)
                );
            }
        }
    }
}

#[test]
fn pulses_are_known_by_their_duty() {
    for (what, sound) in materials() {
        for (beat, depth, duty) in [(10.0, 1.0, 0.3), (6.0, 0.8, 0.5)] {
            let found = listen(&[&pulses(&sound, RATE, beat, depth, duty)], RATE);
            // Pulses at the rate of syllables may go unheard, but not by a wrong rate.
            if what == "speech" && beat < 8.0 && found.amplitude.is_none() {
                continue;
            }
            let tremolo = found
                .amplitude
                .unwrap_or_else(|| panic!("{what} {beat}: {found:?}"));
            assert_rate(&tremolo.rate, beat, what);
            assert!((tremolo.depth - depth).abs() < 0.15, "{what}: {tremolo:?}");
            let Shape::Pulse { duty: seen } = tremolo.shape else {
                panic!("{what}: {tremolo:?}");
            };
            assert!((seen - 100.0 * duty).abs() < 5.0, "{what}: {tremolo:?}");
        }
    }
}

#[test]
fn sides_that_alternate_are_no_tremolo() {
    for (what, sound) in materials() {
        for (beat, depth) in [(1.0, 1.0), (4.0, 0.5)] {
            let found = stereo(&pan(&sound, RATE, beat, depth), RATE);
            let sides = found
                .bilateral
                .unwrap_or_else(|| panic!("{what}: {found:?}"));
            assert_rate(&sides.rate, beat, what);
            assert!((sides.depth - depth).abs() < 0.05, "{what}: {sides:?}");
            assert_eq!(
                (found.amplitude, found.shift, found.sweep),
                (None, None, None),
                "{what}"
            );
        }
    }
}

#[test]
fn a_shift_has_its_sign() {
    for (what, sound) in materials() {
        for beat in [10.0, -4.3, 0.5, 40.0] {
            let found = stereo(&shift(&sound, RATE, beat), RATE);
            let shift = found
                .shift
                .unwrap_or_else(|| panic!("{what} {beat}: {found:?}"));
            assert_rate(&shift.beat, beat, what);
            assert!(
                shift.coherence > 0.7 && shift.coherence <= 1.0,
                "{what}: {shift:?}"
            );
            assert_eq!(
                (found.amplitude, found.bilateral, found.sweep),
                (None, None, None),
                "{what}"
            );
        }
    }
}

#[test]
fn at_half_of_a_whole_shift_a_tremolo_is_one_and_at_half_of_a_mixed_one_it_is_the_mix() {
    let [(what, sound), ..] = materials();
    let found = stereo(&shift(&tremolo(&sound, RATE, 5.0, 0.6), RATE, 10.0), RATE);
    let whole = found.shift.unwrap();
    assert_rate(&whole.beat, 10.0, what);
    assert!(!whole.is_mixed);
    assert_rate(&found.amplitude.unwrap().rate, 5.0, what);
    let mixed = shift(&sound, RATE, 10.0).map(|ear| {
        let both = ear.iter().zip(&sound);
        both.map(|(wet, dry)| 0.5 * (wet + dry)).collect()
    });
    let found = stereo(&mixed, RATE);
    let part = found.shift.unwrap();
    assert_rate(&part.beat, 10.0, what);
    assert!(part.is_mixed && part.beat.uncertainty > whole.beat.uncertainty);
    assert_eq!(found.amplitude, None);
}

#[test]
fn a_sweep_is_known_by_its_range() {
    for (what, sound) in materials() {
        let found = listen(&[&sweep(&sound, RATE, 3.0, 300.0, 4000.0)], RATE);
        let sweep = found.sweep.unwrap_or_else(|| panic!("{what}: {found:?}"));
        assert_rate(&sweep.rate, 3.0, what);
        let (low, high) = sweep.range;
        assert!(
            (200.0..450.0).contains(&low) && (2600.0..6000.0).contains(&high),
            "{what}: {sweep:?}"
        );
        assert_eq!(found.amplitude, None, "{what}");
    }
}

#[test]
fn what_is_untreated_has_no_name() {
    for seed in 1..7 {
        let sound = speech(FRAMES, RATE, seed);
        assert_eq!(
            listen(&[&sound, &sound], RATE),
            Treatments::default(),
            "speech {seed}"
        );
        let ears = [pink(FRAMES, seed), pink(FRAMES, seed + 100)];
        assert_eq!(stereo(&ears, RATE), Treatments::default(), "noise {seed}");
    }
    assert_untreated(&listen(&[&chord(FRAMES, RATE)], RATE), "a chord");
    for silence in [vec![0.0; FRAMES], vec![f64::NAN; FRAMES], vec![0.5; FRAMES]] {
        assert_eq!(listen(&[&silence, &silence], RATE), Treatments::default());
    }
}

#[test]
fn drums_pulsate_and_are_no_tremolo() {
    for tempo in [2.0, 2.5] {
        let mut music = chord(FRAMES, RATE);
        music
            .iter_mut()
            .zip(drums(FRAMES, RATE, tempo))
            .for_each(|(x, drum)| *x += drum);
        for sound in [music, drums(FRAMES, RATE, tempo)] {
            let found = listen(&[&sound, &sound], RATE);
            assert_untreated(&found, "drums");
            assert_rate(&found.pulsation.unwrap().rate, tempo, "drums");
        }
    }
}

#[test]
fn a_shallow_tremolo_is_known_under_strokes_of_a_chord() {
    // Struck every two seconds: a rhythm whose harmonics are stronger than a tremolo.
    let mut music = chord(FRAMES, RATE);
    for (n, x) in music.iter_mut().enumerate() {
        *x *= (-2.0 * (n as f64 / RATE).rem_euclid(2.0)).exp();
    }
    let plain = listen(&[&music, &music], RATE);
    assert_untreated(&plain, "strokes");
    for (beat, depth) in [(9.7, 0.3), (6.3, 0.5)] {
        let found = listen(&[&tremolo(&music, RATE, beat, depth)], RATE);
        let seen = found
            .amplitude
            .unwrap_or_else(|| panic!("{beat}: {found:?}"));
        assert_rate(&seen.rate, beat, "strokes");
        assert!((seen.depth - depth).abs() < 0.1, "{beat}: {seen:?}");
    }
}

#[test]
fn a_bass_that_stays_is_a_pitch() {
    for pitch in [30.0, 55.0, 82.4] {
        let saw: Vec<f64> = (0..FRAMES)
            .map(|n| 0.4 * (pitch * n as f64 / RATE).fract() - 0.2)
            .collect();
        assert_untreated(&listen(&[&saw], RATE), &format!("{pitch} Hz"));
    }
}

#[test]
fn two_tones_are_no_shift() {
    let tone = |hz: f64| -> Vec<f64> {
        (0..FRAMES)
            .map(|n| 0.1 * (std::f64::consts::TAU * hz * n as f64 / RATE).sin())
            .collect()
    };
    for carrier in [250.0, 400.0, 800.0] {
        let found = stereo(&[tone(carrier - 5.0), tone(carrier + 5.0)], RATE);
        assert_eq!(found, Treatments::default(), "{carrier}");
    }
}

#[test]
fn what_is_short_is_not_judged() {
    for seconds in [0.0, 0.01, 1.0, 1.9, 3.0] {
        let sound = pink((seconds * RATE) as usize, 2);
        let treated = tremolo(&sound, RATE, 10.0, 1.0);
        assert_eq!(
            listen(&[&treated, &treated], RATE),
            Treatments::default(),
            "{seconds} s"
        );
    }
}

#[test]
fn it_is_the_same_at_every_rate() {
    for rate in [8000.0, 22_050.0, 44_100.0, 96_000.0] {
        let frames = (12.0 * rate) as usize;
        let sound = pink(frames, 3);
        let found = listen(&[&tremolo(&sound, rate, 10.0, 0.8)], rate);
        let tremolo = found
            .amplitude
            .unwrap_or_else(|| panic!("{rate}: {found:?}"));
        assert_rate(&tremolo.rate, 10.0, "tremolo");
        assert!((tremolo.depth - 0.8).abs() < 0.05, "{rate}: {tremolo:?}");
        let shifted = stereo(&shift(&sound, rate, 6.0), rate).shift.unwrap();
        assert_rate(&shifted.beat, 6.0, "shift");
    }
}

#[test]
fn in_pieces_it_is_the_same() {
    let sound: Vec<f32> = tremolo(&pink(6 * 48_000, 5), RATE, 10.0, 0.8)
        .iter()
        .map(|&x| x as f32)
        .collect();
    let mut listener = Listener::new(1, RATE);
    sound.chunks(997).for_each(|chunk| listener.push(&[chunk]));
    assert_eq!(listener.find(), treatments(&[&sound], RATE));
}
