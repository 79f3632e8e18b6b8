//! Tones that are known, found again.

use super::*;

const RATE: f64 = 48_000.0;

fn add(signal: &mut [f32], frequency: f64, amplitude: f64, phase: f64) {
    for (n, sample) in signal.iter_mut().enumerate() {
        let cycles = (frequency * n as f64 / RATE).fract();
        *sample = (f64::from(*sample) + amplitude * (TAU * cycles + phase).cos()) as f32;
    }
}

#[test]
fn a_minute_of_a_steady_tone_is_known_to_a_thousandth_of_a_millihertz() {
    for frequency in [245.0, 255.0, 250.123_457, 20.5, 11_999.999_001] {
        let mut signal = vec![0.0; 60 * 48_000];
        add(&mut signal, frequency, 0.1, 1.0);
        let found = tones(&signal, RATE, 5);
        assert_eq!(found.len(), 1, "{found:?}");
        let error = found[0].frequency - frequency;
        assert!(error.abs() < 1e-7, "{frequency}: off by {error:e}");
        assert!(found[0].uncertainty < 1e-6 && decimals(found[0].uncertainty) == 6);
        assert!((found[0].level() + 20.0).abs() < 0.001);
        assert!((found[0].phase - 1.0).abs() < 1e-4, "{}", found[0].phase);
    }
}

#[test]
fn a_fade_does_not_disturb_it() {
    let mut signal = vec![0.0; 20 * 48_000];
    add(&mut signal, 245.003, 0.1, 0.0);
    for (n, sample) in signal.iter_mut().take(48_000).enumerate() {
        *sample *= n as f32 / 48_000.0;
    }
    let found = tones(&signal, RATE, 5);
    assert!(
        (found[0].frequency - 245.003).abs() < 1e-6,
        "{:?}",
        found[0]
    );
    assert!((found[0].level() + 20.0).abs() < 0.001);
}

#[test]
fn several_tones_come_strongest_first_even_when_close() {
    let mut signal = vec![0.0; 30 * 48_000];
    add(&mut signal, 1000.5, 0.01, 0.0);
    add(&mut signal, 250.0, 0.1, 0.0);
    add(&mut signal, 254.25, 0.05, 2.0);
    let found = tones(&signal, RATE, 5);
    assert_eq!(found.len(), 3, "{found:?}");
    for (tone, frequency) in found.iter().zip([250.0, 254.25, 1000.5]) {
        assert!((tone.frequency - frequency).abs() < 1e-5, "{tone:?}");
    }
}

#[test]
fn noise_widens_the_uncertainty_honestly() {
    let mut signal = vec![0.0; 30 * 48_000];
    add(&mut signal, 245.0, 0.01, 0.0);
    let mut state = 1u32;
    for sample in &mut signal {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample += (state >> 8) as f32 / 16_777_216.0 * 0.2 - 0.1;
    }
    let found = tones(&signal, RATE, 5);
    let error = (found[0].frequency - 245.0).abs();
    assert!(
        error < 5.0 * found[0].uncertainty,
        "{error:e} {:?}",
        found[0]
    );
    assert!(found[0].uncertainty < 1e-3);
}

#[test]
fn a_short_signal_gives_few_decimals() {
    let mut signal = vec![0.0; 4800];
    add(&mut signal, 245.0, 0.1, 0.0);
    let found = tones(&signal, RATE, 5);
    assert!((found[0].frequency - 245.0).abs() < 0.1, "{found:?}");
    assert!(decimals(found[0].uncertainty) < 6);
}

#[test]
fn streamed_in_pieces_it_is_the_same() {
    let mut signal = vec![0.0; 8 * 48_000];
    add(&mut signal, 333.25, 0.1, 0.5);
    let whole = tones(&signal, RATE, 3);
    let mut spectrum = Spectrum::new(RATE);
    signal.chunks(997).for_each(|chunk| spectrum.push(chunk));
    let mut tracker = Tracker::new(RATE, spectrum.frames(), &spectrum.peaks(3));
    signal.chunks(1).for_each(|chunk| tracker.push(chunk));
    assert_eq!(tracker.tones(), whole);
}

#[test]
fn what_holds_no_tone_gives_none() {
    assert!(tones(&[], RATE, 5).is_empty());
    assert!(tones(&[1.0], RATE, 5).is_empty());
    assert!(tones(&[0.0; 48_000], RATE, 5).is_empty());
    assert!(
        tones(&[0.5; 480_000], RATE, 5).is_empty(),
        "a constant is no tone"
    );
    assert!(tones(&[f32::NAN; 48_000], RATE, 5).is_empty());
    assert!(tones(&[f32::INFINITY; 48_000], RATE, 5).is_empty());
}

#[test]
fn a_tone_that_leaves_has_the_level_that_it_had() {
    let mut signal = vec![0.0; 60 * 48_000];
    add(&mut signal[..20 * 48_000], 245.0, 0.1, 0.0);
    add(&mut signal[20 * 48_000..], 3000.0, 0.02, 0.0);
    let found = tones(&signal, RATE, 5);
    let tone = found
        .iter()
        .find(|tone| (tone.frequency - 245.0).abs() < 1.0);
    let tone = tone.unwrap_or_else(|| panic!("{found:?}"));
    assert!((tone.level() + 20.0).abs() < 0.1, "{tone:?}");
    let error = (tone.frequency - 245.0).abs();
    assert!(error < 4.0 * tone.uncertainty && error < 1e-3, "{tone:?}");
}
