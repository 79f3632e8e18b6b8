//! The renderer against its definition: filters of noise, delays and gains applied in f64.

use super::air::Air;
use super::bank::FilterBank;
use super::place::Place;
use super::*;
use crate::dsp::hrir::{Hrirs, Rings};
use std::sync::Arc;

const RATE: f64 = 48_000.0;
const TAPS: usize = 96;

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

/// Filters of noise on a few rings, with the delays of a sphere; mirrored to the right ear on demand.
fn set(symmetric: bool) -> Hrirs {
    let rings = Rings::new(&[(-90.0, 1), (-40.0, 12), (0.0, 24), (30.0, 20), (90.0, 1)]).unwrap();
    let directions = rings.directions();
    let mut filters = noise(directions * 2 * TAPS, 1);
    let itd = (0..directions)
        .map(|direction| {
            let (azimuth, elevation) = rings.direction(direction);
            let side = azimuth.to_radians().sin() * elevation.to_radians().cos();
            (0.0006 * RATE * side) as f32
        })
        .collect();
    if symmetric {
        for ring in rings.rings() {
            for k in 0..ring.count {
                let mirrored = ring.first + (ring.count - k) % ring.count;
                let from = mirrored * 2 * TAPS;
                let to = ((ring.first + k) * 2 + 1) * TAPS;
                filters.copy_within(from..from + TAPS, to);
            }
        }
    }
    Hrirs {
        rate: RATE,
        rings,
        taps: TAPS,
        filters,
        itd,
        distance: 1.4,
        symmetric,
    }
}

fn render(renderer: &mut Renderer, inputs: &[&[f32]], frames: usize) -> [Vec<f32>; 2] {
    let mut out = [vec![0.0; frames], vec![0.0; frames]];
    let [left, right] = &mut out;
    renderer.process(inputs, left, right);
    out
}

/// A still source as it is defined, one ear.
fn definition(hrirs: &Hrirs, target: Target, ear: usize, x: &[f32]) -> Vec<f64> {
    let bank = FilterBank::new(hrirs);
    let air = Air::new(RATE);
    let place = Place::new(&target.checked(), &bank, &air);
    let mut delays = super::delay::Delays::new(RATE);
    delays.set(place.delays, place.air, air.lag);
    let mut delayed = vec![0.0; x.len()];
    for (n, y) in delayed.iter_mut().enumerate() {
        for (age, tap) in delays.by_age(ear) {
            *y += n
                .checked_sub(age)
                .map_or(0.0, |m| f64::from(tap) * f64::from(x[m]));
        }
    }
    let filter: Vec<f64> = (0..TAPS)
        .map(|k| {
            place.neighbours[ear]
                .iter()
                .map(|(direction, weight)| {
                    f64::from(*weight) * f64::from(hrirs.filter(*direction, ear)[k])
                })
                .sum()
        })
        .collect();
    (0..x.len())
        .map(|n| {
            let sum: f64 = (0..TAPS.min(n + 1))
                .map(|k| filter[k] * delayed[n - k])
                .sum();
            sum * f64::from(place.gains[ear])
        })
        .collect()
}

#[test]
fn a_still_source_is_its_definition() {
    let x = noise(640, 7);
    for symmetric in [false, true] {
        let hrirs = set(symmetric);
        let bank = Arc::new(FilterBank::new(&hrirs));
        for (azimuth, elevation, distance) in [
            (0.0, 0.0, 1.5),
            (90.0, 0.0, 1.0),
            (-77.0, 21.0, 1.5),
            (-130.0, -63.0, 7.0),
            (10.0, 90.0, 20.0),
            (100.0, 10.0, 0.2),
            (3.0, -5.0, 0.6),
        ] {
            let target = Target {
                azimuth,
                elevation,
                distance,
                gain: 0.7,
            };
            let mut renderer = Renderer::new(bank.clone(), 1, TAPS);
            renderer.set_target(0, target, Move::Auto);
            let out = render(&mut renderer, &[&x], 640);
            for (ear, out) in out.iter().enumerate() {
                let due = definition(&hrirs, target, ear, &x);
                let error: f64 = (32..640)
                    .map(|n| (f64::from(out[n]) - due[n - 32]).powi(2))
                    .sum();
                let energy: f64 = due.iter().map(|y| y * y).sum();
                let error = 10.0 * (error / energy).log10();
                assert!(error < -120.0, "{target:?} ear {ear}: {error} dB");
                assert!(out[..32].iter().all(|y| *y == 0.0));
            }
        }
    }
}

#[test]
fn a_bank_that_does_not_fit_comes_back_and_one_that_is_left_can_be_taken() {
    let hrirs = set(false);
    let bank = Arc::new(FilterBank::new(&hrirs));
    let mut renderer = Renderer::new(bank.clone(), 2, TAPS);
    let other_rate = Hrirs {
        rate: 44_100.0,
        ..hrirs.clone()
    };
    let Refused(_) = renderer
        .swap(Arc::new(FilterBank::new(&other_rate)))
        .unwrap_err();
    let longer = Hrirs {
        taps: TAPS + 32,
        filters: noise(hrirs.rings.directions() * 2 * (TAPS + 32), 3),
        ..hrirs.clone()
    };
    let Refused(_) = renderer
        .swap(Arc::new(FilterBank::new(&longer)))
        .unwrap_err();

    // Silent: at once. Nothing is retired before there is another.
    assert!(renderer.retired().is_none());
    let x = noise(64, 5);
    let [b, c, d] = [(); 3].map(|()| Arc::new(FilterBank::new(&hrirs)));
    assert!(renderer.swap(b.clone()).unwrap().is_none());
    assert!(Arc::ptr_eq(&renderer.retired().unwrap(), &bank));
    // Sounding: after the fade, and whoever waited for its turn is replaced by a later one.
    render(&mut renderer, &[&x, &x], 64);
    assert!(renderer.swap(c.clone()).unwrap().is_none());
    render(&mut renderer, &[&x, &x], 64);
    assert!(renderer.retired().is_none(), "it is being faded out");
    assert!(renderer.swap(d.clone()).unwrap().is_none());
    assert!(Arc::ptr_eq(
        &renderer.swap(bank.clone()).unwrap().unwrap(),
        &d
    ));
    for _ in 0..30 {
        render(&mut renderer, &[&x, &x], 64);
    }
    assert!(Arc::ptr_eq(&renderer.retired().unwrap(), &b));
    for _ in 0..30 {
        render(&mut renderer, &[&x, &x], 64);
    }
    assert!(Arc::ptr_eq(&renderer.retired().unwrap(), &c));
    assert!(renderer.retired().is_none());
}

#[test]
fn delays_are_the_sets_and_turn_smoothly() {
    let hrirs = set(false);
    let bank = FilterBank::new(&hrirs);
    for direction in 0..hrirs.rings.directions() {
        let (azimuth, elevation) = hrirs.rings.direction(direction);
        let itd = bank.itd(&hrirs.rings.cell(azimuth, elevation));
        assert!((itd - f64::from(hrirs.itd[direction])).abs() < 1e-4);
    }
    // Slopes of the left ear's delay, and of the difference, have no steps around the horizon.
    let air = Air::new(RATE);
    let at = |azimuth: f64, elevation: f64| {
        let target = Target {
            azimuth,
            elevation,
            ..Target::default()
        };
        Place::new(&target.checked(), &bank, &air).delays
    };
    for elevation in [0.0, 13.0, -30.0] {
        let step = 0.01;
        let delays: Vec<[f64; 2]> = (0..36_000)
            .map(|n| at(f64::from(n) * step, elevation))
            .collect();
        for ear in 0..2 {
            let bends = delays
                .windows(3)
                .map(|d| d[0][ear] - 2.0 * d[1][ear] + d[2][ear]);
            let bend = bends.fold(0.0, |bend: f64, b| bend.max(b.abs()));
            // 0.24 frames a degree over the median plane: a kink would be 2.4e-3, the hyperbola is 6e-5.
            assert!(bend < 1.5e-4, "{elevation} {ear}: {bend}");
        }
        assert!(
            delays
                .iter()
                .all(|d| d[0].min(d[1]) > 0.3 && d[0].min(d[1]) < 0.7)
        );
    }
}

#[test]
fn levels_follow_the_distance() {
    let hrirs = set(false);
    let bank = FilterBank::new(&hrirs);
    let air = Air::new(RATE);
    let gains = |azimuth: f64, distance: f64| {
        let target = Target {
            azimuth,
            distance,
            ..Target::default()
        };
        Place::new(&target.checked(), &bank, &air).gains
    };
    assert_eq!(gains(40.0, 1.5), [1.0; 2]);
    assert_eq!(gains(40.0, 6.0), [0.25; 2]);
    assert_eq!(gains(40.0, 1.0), [1.5; 2]);
    let near = gains(90.0, 0.2);
    let difference = 20.0 * (near[0] / near[1]).log10();
    assert!(
        (5.0..9.0).contains(&difference),
        "{difference} dB more at the near ear"
    );
    let front = gains(0.0, 0.2);
    assert!((front[0] / front[1] - 1.0).abs() < 1e-6);
    // No step anywhere.
    let mut before = gains(70.0, 0.2);
    for step in 1..2000 {
        let now = gains(70.0, 0.2 + 0.001 * f64::from(step));
        for ear in 0..2 {
            assert!((now[ear] / before[ear] - 1.0).abs() < 0.01);
        }
        before = now;
    }
    // The near ear is led by more than at 1 m, the more the nearer.
    let itd = |distance: f64| {
        let target = Target {
            azimuth: 90.0,
            distance,
            ..Target::default()
        };
        let delays = Place::new(&target.checked(), &bank, &air).delays;
        (delays[1] - delays[0]) / RATE * 1e6
    };
    assert!((itd(1.0) - 600.0).abs() < 0.1, "{}", itd(1.0));
    assert!(
        (30.0..60.0).contains(&(itd(0.2) - itd(1.0))),
        "{}",
        itd(0.2)
    );
}

#[test]
fn what_is_no_number_is_no_harm() {
    let bank = Arc::new(FilterBank::new(&set(false)));
    let mut renderer = Renderer::new(bank, 1, TAPS);
    let bad = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1e300,
        1e300,
        -0.0,
        -1e-300,
    ];
    for value in bad {
        let target = Target {
            azimuth: value,
            elevation: value,
            distance: value,
            gain: value,
        };
        renderer.set_target(0, target, Move::Auto);
        renderer.set_target(7, target, Move::Glide);
        let mut x = noise(320, 9);
        x[40] = f32::NAN;
        x[140] = f32::INFINITY;
        x[240] = f32::MAX;
        let out = render(&mut renderer, &[&x], 320);
        assert!(out.iter().flatten().all(|y| y.is_finite()), "{value}");
    }
}
