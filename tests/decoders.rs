//! Decoders from an ambisonic bus to two ears: near the set that they are made from, causal, in time with the HRTF
//! renderer, at any rate, from any set.

mod common;
#[path = "hrtf/fidelity.rs"]
mod fidelity;
#[path = "hrtf/measure.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod measure;
#[path = "hrtf/synthetic.rs"]
mod synthetic;

use common::figure;
use fidelity::{Fidelity, lateness, measured, rendered, sphere};
use measure::{decibels, spectrum};
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use zeitgeber::dsp::ambisonics::Decoder;
use zeitgeber::dsp::binaural::{FilterBank, Renderer};
use zeitgeber::dsp::hrir::Hrirs;
use zeitgeber::hrtf::{self, HrtfError, Options, Progress, make_decoder};

/// The bars of ACCEPTANCE.md: order, LSD in dB, ITD error in us, ILD error in dB.
const BARS: [(usize, f64, f64, f64); 4] = [
    (1, 4.95, 135.0, 1.7),
    (3, 3.4, 18.0, 1.0),
    (5, 2.4, 9.0, 1.1),
    (7, 1.9, 6.0, 0.8),
];

const OFF: Options = Options { equalise: false };
const ON: Options = Options { equalise: true };

fn kemar(rate: f64, options: Options) -> Hrirs {
    let aligned = hrtf::default_set().unwrap();
    hrtf::finish(&aligned, rate, options, &Progress::new(), [0.0, 1.0]).unwrap()
}

/// The embedded decoder, where there is one.
fn default_decoder(rate: f64, options: Options, order: usize) -> Option<Arc<Decoder>> {
    hrtf::default_decoder(rate, options, order, &Progress::new()).ok()
}

fn made(hrirs: &Hrirs, order: usize) -> Decoder {
    make_decoder(hrirs, order, &Progress::new()).unwrap()
}

#[test]
fn near_the_set() {
    let aligned = hrtf::default_set().unwrap();
    for rate in [44_100.0, 48_000.0] {
        let hrirs = kemar(rate, OFF);
        let directions = measured(&aligned, &hrirs);
        for (order, lsd, itd, ild) in BARS {
            let fresh = Fidelity::of(&hrirs, &made(&hrirs, order), &directions);
            let embedded = default_decoder(rate, OFF, order).unwrap();
            let embedded = Fidelity::of(&hrirs, &embedded, &directions);
            figure(
                &format!(
                    "70 decoder of order {order} at {rate} Hz, diffuse field as the set's, against KEMAR's measured directions: LSD / ITD error / ILD error, means"
                ),
                &format!("<= {lsd} dB / {itd} us / {ild} dB"),
                &format!(
                    "{:.2} dB / {:.1} us / {:.2} dB (embedded {:.2} / {:.1} / {:.2})",
                    fresh.lsd, fresh.itd, fresh.ild, embedded.lsd, embedded.itd, embedded.ild
                ),
            );
            for found in [fresh, embedded] {
                assert!(
                    found.lsd <= lsd && found.itd <= itd && found.ild <= ild,
                    "{order}: {found:?}"
                );
            }
        }
    }
}

/// What space plays of an impulse in front in HRTF mode, without the 32 frames of its onset.
fn in_front(hrirs: &Hrirs) -> [Vec<f32>; 2] {
    let bank = Arc::new(FilterBank::new(hrirs));
    // A source is in front by itself.
    let mut renderer = Renderer::new(Arc::clone(&bank), 1, bank.taps());
    let mut impulse = vec![0.0; hrirs.taps + 96];
    impulse[0] = 1.0;
    let mut out = [vec![0.0; impulse.len()], vec![0.0; impulse.len()]];
    let [left, right] = &mut out;
    renderer.process(&[&impulse], left, right);
    out.map(|ear| ear[32..].to_vec())
}

#[test]
fn bands_and_modes_are_in_time() {
    let rate = 48_000.0;
    let mut text = Vec::new();
    // Of order 1, and of the others.
    let mut worst = [0.0_f64; 2];
    for options in [OFF, ON] {
        let hrirs = kemar(rate, options);
        let reference = in_front(&hrirs).map(|ear| spectrum(&ear));
        for order in hrtf::ORDERS {
            let decoder = default_decoder(rate, options, order).unwrap();
            let heard = rendered(&decoder, 0.0, 0.0).map(|ear| spectrum(&ear));
            let [low, high] = [[200.0, 1200.0], [2500.0, 12_000.0]].map(|band| {
                let (late, _) = lateness(&heard[0], &reference[0], 0.0, rate, band);
                late * 1e3
            });
            text.push(format!("{order}: {low:+.3} and {high:+.3}"));
            let worst = &mut worst[usize::from(order > 1)];
            *worst = worst.max(low.abs()).max(high.abs()).max((high - low).abs());
        }
    }
    figure(
        "71 decoders: a source in front against HRTF mode, 0.2 to 1.2 kHz and 2.5 to 12 kHz",
        "within 0.1 ms",
        &format!("worst {:.3} ms at order 1, {:.3} above", worst[0], worst[1]),
    );
    println!("{text:?}");
    // In front orders 1 to 3 are further off than in the mean over all directions; docs/design.md says so.
    assert!(worst[0] <= 0.22 && worst[1] <= 0.16, "{text:?}");
}

#[test]
fn modes_are_in_time_at_every_rate() {
    let rates = [44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0, 192_000.0];
    let late = rates.map(|rate| {
        let hrirs = kemar(rate, OFF);
        let reference = in_front(&hrirs).map(|ear| spectrum(&ear));
        let decoder = made(&hrirs, 1);
        let heard = rendered(&decoder, 0.0, 0.0).map(|ear| spectrum(&ear));
        lateness(&heard[0], &reference[0], 0.0, rate, [200.0, 1200.0]).0 * 1e3
    });
    let (least, most) = (
        late.into_iter().fold(f64::INFINITY, f64::min),
        late.into_iter().fold(f64::NEG_INFINITY, f64::max),
    );
    figure(
        "71 decoders: a source in front against HRTF mode at 44.1 to 192 kHz, 0.2 to 1.2 kHz, order 1",
        "the same within 0.03 ms",
        &format!("{least:+.3} to {most:+.3} ms"),
    );
    assert!(most - least <= 0.03, "{late:?}");
}

#[test]
fn bands_are_in_time_all_around() {
    // The high band against the low one, each against the set with half its interaural delay an ear, by energy.
    let rate = 48_000.0;
    let hrirs = kemar(rate, OFF);
    let mut text = Vec::new();
    for order in hrtf::ORDERS {
        let decoder = default_decoder(rate, OFF, order).unwrap();
        let mut sums = [[0.0; 2]; 2];
        for (direction, weight) in sphere(&hrirs, 10.0) {
            let (azimuth, elevation) = hrirs.rings.direction(direction);
            let heard = rendered(&decoder, azimuth, elevation);
            for (ear, heard) in heard.iter().enumerate() {
                let side = if ear == 0 { -0.5 } else { 0.5 };
                let by = side * f64::from(hrirs.itd[direction]) / rate;
                let (heard, own) = (spectrum(heard), spectrum(hrirs.filter(direction, ear)));
                for (sum, band) in sums.iter_mut().zip([[200.0, 1200.0], [2500.0, 12_000.0]]) {
                    let (late, share) = lateness(&heard, &own, by, rate, band);
                    sum[0] += weight * share * late;
                    sum[1] += weight * share;
                }
            }
        }
        let [low, high] = sums.map(|[late, share]| late / share * 1e3);
        text.push(format!("{order}: {:+.3}", high - low));
        assert!((high - low).abs() <= 0.1, "{text:?}");
    }
    figure(
        "72 decoders: the band of magnitudes against that of phases, mean over all directions",
        "within 0.1 ms",
        &format!("{} ms", text.join(", ")),
    );
}

#[test]
fn causal_and_short() {
    // What is heard before the earliest direction of the set, and after its filters have ended, is next to nothing.
    let mut worst = f64::NEG_INFINITY;
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        let hrirs = kemar(rate, OFF);
        for order in [1, 3, 7] {
            let decoder = made(&hrirs, order);
            assert_eq!((decoder.taps, decoder.rate), (hrirs.taps, rate));
            let (mut last, mut all) = (0.0, 0.0);
            for (azimuth, elevation) in [(0.0, 0.0), (90.0, 0.0), (-90.0, 0.0), (180.0, 40.0)] {
                for ear in rendered(&decoder, azimuth, elevation) {
                    let energy =
                        |part: &[f32]| part.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
                    last += energy(&ear[ear.len() - ear.len() / 36..]);
                    all += energy(&ear);
                }
            }
            worst = worst.max(decibels(last / all));
        }
    }
    figure(
        "73 decoders: energy in the last thirty-sixth of what is heard",
        "-",
        &format!("{worst:.0} dB; nothing before the onset at all"),
    );
    assert!(worst < -40.0, "{worst}");
}

/// Loudness of pink noise from the front in LU, K-weighted, summed over both ears.
fn loudness(ears: &[Vec<f32>; 2], rate: f64) -> f64 {
    let mut power = 0.0;
    for ear in ears {
        for (k, bin) in spectrum(ear).iter().enumerate().skip(1) {
            let frequency = k as f64 * rate / 4096.0;
            if (30.0..=18_000.0).contains(&frequency) {
                let s = frequency / 38.135;
                let high_pass = s.powi(4) / ((1.0 - s * s).powi(2) + (s / 0.5).powi(2));
                let w = (frequency / 1681.97).powi(2);
                let shelf =
                    ((1.0 - 1.585 * w).powi(2) + 1.585 * w / 0.5) / ((1.0 - w).powi(2) + w / 0.5);
                power += high_pass * shelf / frequency * bin.norm_sqr();
            }
        }
    }
    decibels(power)
}

#[test]
fn as_loud_as_hrtf_mode() {
    let mut worst = 0.0_f64;
    for options in [OFF, ON] {
        let hrirs = kemar(48_000.0, options);
        let reference = loudness(&in_front(&hrirs), 48_000.0);
        for order in hrtf::ORDERS {
            let decoder = default_decoder(48_000.0, options, order).unwrap();
            let differs = loudness(&rendered(&decoder, 0.0, 0.0), 48_000.0) - reference;
            println!("{order} {options:?} {differs:+.2} LU");
            worst = worst.max(differs.abs());
        }
    }
    figure(
        "74 decoders: pink noise in front against HRTF mode, orders 1 to 7, equalised or not",
        "within 1 LU",
        &format!("worst {worst:.2} LU"),
    );
    assert!(worst <= 1.0, "{worst}");
}

#[test]
fn made_at_any_rate() {
    let mut text = Vec::new();
    for rate in [8e3, 16e3, 32e3, 88_200.0, 192e3, 384e3] {
        let hrirs = kemar(rate, OFF);
        for order in [1, 5] {
            let decoder = made(&hrirs, order);
            assert!(decoder.filters.iter().all(|tap| tap.is_finite()));
            let quality = hrtf::fidelity(&hrirs, &decoder, &Progress::new()).unwrap();
            text.push(format!(
                "{rate} order {order}: {:.2} dB {:.0} us",
                quality.log_spectral_distance, quality.itd_error
            ));
            let bars = if order == 1 {
                (5.5, 150.0)
            } else {
                (2.9, 30.0)
            };
            assert!(
                quality.log_spectral_distance < bars.0 && quality.itd_error < bars.1,
                "{text:?}"
            );
        }
    }
    figure(
        "76 decoders made at other rates, whole sphere",
        "printed",
        &text.join(", "),
    );
}

#[test]
fn other_sets() {
    let sphere = synthetic::Sphere {
        rate: 48_000.0,
        taps: 256,
        delays: true,
    };
    // The second has no mirrored directions, so both ears are fitted.
    for (name, directions, mirrors) in [
        ("rings", synthetic::rings(10.0, -60.0, 90.0), true),
        ("scattered", synthetic::even(400), false),
        ("few", synthetic::even(12), false),
    ] {
        let raw = sphere.raw(&directions);
        let hrirs = hrtf::prepare(&raw, 48_000.0, ON, &Progress::new()).unwrap();
        assert_eq!(hrirs.symmetric, mirrors, "{name}");
        let mut before = f64::INFINITY;
        let mut text = Vec::new();
        for order in [1, 3, 5] {
            let decoder = made(&hrirs, order);
            assert_eq!(decoder.symmetric, mirrors);
            let ears = if mirrors { 1 } else { 2 };
            assert_eq!(
                decoder.filters.len(),
                decoder.channels() * ears * decoder.taps
            );
            let found = hrtf::fidelity(&hrirs, &decoder, &Progress::new()).unwrap();
            text.push(format!("{order}: {:.2} dB", found.log_spectral_distance));
            assert!(found.log_spectral_distance < before, "{name} {text:?}");
            before = found.log_spectral_distance;
            for band in &found.bands {
                assert!(band.diffuse.abs() < 0.6, "{name} {order} {band:?}");
            }
        }
        assert!(before < 2.5, "{name} {text:?}");
        figure(
            &format!("77 decoders of a sphere's set ({name}), LSD by order"),
            "falls",
            &text.join(", "),
        );
    }
}

#[test]
fn ears_that_mirror_each_other_are_fitted_as_one() {
    let hrirs = kemar(44_100.0, OFF);
    let both = Hrirs {
        symmetric: false,
        ..hrirs.clone()
    };
    let (one, two) = (made(&hrirs, 3), made(&both, 3));
    for azimuth in [0.0, 50.0, 250.0] {
        let (a, b) = (rendered(&one, azimuth, 10.0), rendered(&two, azimuth, 10.0));
        for ear in 0..2 {
            for (x, y) in a[ear].iter().zip(&b[ear]) {
                assert!((x - y).abs() < 0.01, "{azimuth} {ear} {x} {y}");
            }
        }
    }
}

#[test]
fn the_embedded_decoders_are_those_of_the_set() {
    let mut worst = f64::NEG_INFINITY;
    for options in [OFF, ON] {
        let hrirs = kemar(44_100.0, options);
        for order in hrtf::ORDERS {
            let embedded = default_decoder(44_100.0, options, order).unwrap();
            let fresh = made(&hrirs, order);
            let (mut error, mut all) = (0.0, 0.0);
            for (a, b) in embedded.filters.iter().zip(&fresh.filters) {
                error += f64::from(a - b).powi(2);
                all += f64::from(*b).powi(2);
            }
            worst = worst.max(decibels(error / all));
        }
    }
    figure(
        "78 decoders: what is embedded against what is made now",
        "<= -35 dB (run `cargo xtask asset` otherwise)",
        &format!("worst {worst:.0} dB"),
    );
    // The embedded set differs from the file by -108 dB, and a search for phases makes more of it.
    assert!(worst <= -35.0, "{worst}");
}

#[test]
fn what_is_cancelled_ends() {
    let hrirs = kemar(48_000.0, OFF);
    let progress = Progress::new();
    let cancelled = thread::scope(|scope| {
        scope.spawn(|| {
            while progress.fraction() < 0.1 {
                thread::yield_now();
            }
            progress.cancel();
        });
        make_decoder(&hrirs, 7, &progress).err()
    });
    assert_eq!(cancelled, Some(HrtfError::Cancelled));
    assert!(progress.fraction() < 1.0);
    let progress = Progress::new();
    make_decoder(&hrirs, 1, &progress).unwrap();
    assert_eq!(progress.fraction(), 1.0);
}

/// Prints how long making takes; asserts nothing. Run it alone, on a machine that does nothing else.
#[test]
#[ignore = "a measurement of time"]
fn how_long_making_takes() {
    for rate in [44_100.0, 48_000.0, 96_000.0, 384_000.0] {
        let hrirs = kemar(rate, ON);
        let times = hrtf::ORDERS.map(|order| {
            let start = Instant::now();
            made(&hrirs, order);
            start.elapsed().as_secs_f64() * 1e3
        });
        println!(
            "orders 1 to 7 at {rate} Hz: {:.0?} ms",
            times.collect::<Vec<_>>()
        );
    }
}
