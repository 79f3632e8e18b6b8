//! Sets of head-related responses: what is prepared is what was measured, and right where nothing was.

mod common;
#[path = "hrtf/measure.rs"]
mod measure;
#[path = "hrtf/synthetic.rs"]
mod synthetic;

use common::figure;
use measure::{Measured, decibels, loudness, pair, time_difference};
use std::path::Path;
use std::time::Instant;
use zeitgeber::hrtf::{self, Aligned, Options, Progress};

/// The bars of ACCEPTANCE.md.
const HELD_OUT_BAR: (f64, f64) = (1.15, 1.5); // dB, us
const MEASURED_BAR: f64 = 0.1; // dB
const BESIDE_BAR: f64 = 0.25; // dB, beside the rings
const LEVEL_BAR: f64 = 0.1; // dB
const LOUDNESS_BAR: f64 = 1.0; // LU

const OFF: Options = Options { equalise: false };

fn kemar() -> Aligned {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
    let raw = hrtf::sofa::read(&file).unwrap();
    hrtf::align(&raw, &Progress::new(), [0.0, 1.0]).unwrap()
}

fn prepared(aligned: &Aligned, rate: f64, options: Options) -> zeitgeber::dsp::hrir::Hrirs {
    hrtf::finish(aligned, rate, options, &Progress::new(), [0.0, 1.0]).unwrap()
}

/// Odd-indexed azimuths of every ring with at least 4 directions.
fn held_out(aligned: &Aligned) -> Vec<bool> {
    let mut held = vec![false; aligned.directions.len()];
    for (index, [azimuth, elevation]) in aligned.directions.iter().enumerate() {
        let ring = aligned
            .directions
            .iter()
            .filter(|d| (d[1] - elevation).abs() < 0.01);
        let before = ring.clone().filter(|d| d[0] < *azimuth).count();
        held[index] = ring.count() >= 4 && before % 2 == 1;
    }
    held
}

#[test]
fn directions_that_are_held_out() {
    let full = kemar();
    assert!(full.symmetric);
    let held = held_out(&full);
    assert_eq!(held.iter().filter(|held| **held).count(), 354);
    let half = full.without(|index| held[index]);
    // Its ring at 50 degrees has an odd number of directions, so it mirrors itself no more: what was held
    // out is not known from the other ear.
    assert!(!half.symmetric);
    let mut worst = (0.0_f64, 0.0_f64);
    let mut text = Vec::new();
    for rate in [44_100.0, 48_000.0] {
        let hrirs = prepared(&half, rate, OFF);
        let found = Measured::against(&full, &hrirs, |index| held[index], |index| !held[index]);
        text.push(format!(
            "{:.3} dB / {:.2} us at {rate} Hz",
            found.lsd, found.itd
        ));
        worst = (worst.0.max(found.lsd), worst.1.max(found.itd));
    }
    figure(
        "60 HRTF: directions held out of KEMAR, log-spectral distance and ITD error, means",
        "<= 1.15 dB / <= 1.5 us",
        &text.join(", "),
    );
    assert!(
        worst.0 <= HELD_OUT_BAR.0 && worst.1 <= HELD_OUT_BAR.1,
        "{worst:?}"
    );
}

#[test]
fn directions_that_were_measured() {
    let full = kemar();
    let mut text = Vec::new();
    let mut worst = 0.0_f64;
    for rate in [44_100.0, 48_000.0] {
        let hrirs = prepared(&full, rate, OFF);
        let found = Measured::against(&full, &hrirs, |_| true, |_| true);
        text.push(format!(
            "{:.4} dB (worst {:.3}) / {:.2} us at {rate} Hz",
            found.lsd, found.worst, found.itd
        ));
        worst = worst.max(found.lsd);
        assert!(found.itd < 0.5);
    }
    figure(
        "61 HRTF: measured directions reproduced, log-spectral distance and ITD error, means",
        "<= 0.1 dB",
        &text.join(", "),
    );
    assert!(worst <= MEASURED_BAR, "{worst}");
}

/// Prints how long preparing takes; asserts nothing. Run it alone, on a machine that does nothing else.
#[test]
#[ignore = "a measurement of time"]
fn how_long_preparing_takes() {
    let kemar = hrtf::default_set().unwrap();
    for rate in [44_100.0, 48_000.0, 96_000.0, 384_000.0] {
        let times: Vec<f64> = (0..5)
            .map(|_| {
                let start = Instant::now();
                prepared(&kemar, rate, Options::default());
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        println!("default set at {rate} Hz: {times:.0?} ms");
    }
}

/// Gains of the left ear in some directions at some frequencies, in dB.
fn gains(hrirs: &zeitgeber::dsp::hrir::Hrirs, frequencies: &[f64]) -> Vec<f64> {
    let mut gains = Vec::new();
    for azimuth in [0.0, 30.0, 90.0, 180.0, 270.0] {
        let (filters, _) = pair(hrirs, azimuth, 0.0);
        for frequency in frequencies {
            let turn = std::f64::consts::TAU * frequency / hrirs.rate;
            let (mut re, mut im) = (0.0, 0.0);
            for (n, tap) in filters[0].iter().enumerate() {
                let (sin, cos) = (turn * n as f64).sin_cos();
                re += f64::from(*tap) * cos;
                im += f64::from(*tap) * sin;
            }
            gains.push(decibels(re * re + im * im));
        }
    }
    gains
}

#[test]
fn any_rate_at_any_rate() {
    let frequencies = [250.0, 500.0, 1000.0, 2000.0, 3000.0];
    let directions = synthetic::rings(10.0, -90.0, 90.0);
    let sphere = |rate| {
        let taps = (rate * 0.008) as usize;
        let sphere = synthetic::Sphere {
            rate,
            taps,
            delays: false,
        };
        hrtf::align(&sphere.raw(&directions), &Progress::new(), [0.0, 1.0]).unwrap()
    };
    let mut worst = 0.0_f64;
    let mut text = Vec::new();
    for (name, aligned) in [
        ("KEMAR", kemar()),
        ("44.1 kHz", sphere(44_100.0)),
        ("96 kHz", sphere(96_000.0)),
    ] {
        for options in [OFF, Options::default()] {
            let reference = gains(&prepared(&aligned, aligned.rate, options), &frequencies);
            let mut differs = 0.0_f64;
            let rates: &[f64] = if name == "KEMAR" {
                &[8e3, 11_025.0, 22_050.0, 48e3, 96e3, 176_400.0, 384e3, 768e3]
            } else {
                &[8e3, 48e3, 192e3]
            };
            for rate in rates.iter().copied() {
                let found = gains(&prepared(&aligned, rate, options), &frequencies);
                for (a, b) in reference.iter().zip(&found) {
                    differs = differs.max((a - b).abs());
                }
            }
            text.push(format!("{name} {differs:.3} dB"));
            worst = worst.max(differs);
        }
    }
    figure(
        "62 HRTF: sets of 44.1 to 96 kHz at host rates of 8 to 768 kHz, level at 250 Hz to 3 kHz against the set's own rate",
        "within 0.1 dB",
        &format!("worst {worst:.3} dB"),
    );
    assert!(worst <= LEVEL_BAR, "{text:?}");
}

#[test]
fn pink_noise_in_front() {
    let sphere = synthetic::Sphere {
        rate: 48_000.0,
        taps: 256,
        delays: true,
    };
    let sphere = hrtf::align(
        &sphere.raw(&synthetic::even(500)),
        &Progress::new(),
        [0.0, 1.0],
    );
    let mut worst = 0.0_f64;
    let mut text = Vec::new();
    for (name, aligned) in [("KEMAR", kemar()), ("a sphere", sphere.unwrap())] {
        for options in [OFF, Options::default()] {
            for rate in [44_100.0, 48_000.0, 96_000.0] {
                let [alike, different] = loudness(&prepared(&aligned, rate, options));
                worst = worst.max(alike.abs()).max(different.abs());
                if rate == 48_000.0 {
                    let equaliser = if options.equalise { "on" } else { "off" };
                    text.push(format!(
                        "{name}, equaliser {equaliser}: {alike:+.2} (channels alike) {different:+.2} (different)"
                    ));
                }
            }
        }
    }
    figure(
        "63 HRTF: pink noise through two virtual speakers against plain stereo, K-weighted",
        "within 1 LU",
        &format!("{} LU", text.join("; ")),
    );
    assert!(worst <= LOUDNESS_BAR, "{text:?}");
}

#[test]
fn sets_of_any_grid() {
    let cases: Vec<(&str, Vec<[f64; 2]>)> = vec![
        ("one direction", vec![[0.0, 0.0]]),
        ("two", vec![[30.0, 0.0], [330.0, 0.0]]),
        ("two alike", vec![[10.0, 5.0], [10.0, 5.0]]),
        ("fifty", synthetic::even(50)),
        ("the horizon", synthetic::rings(5.0, 0.0, 0.0)),
        ("above only", synthetic::rings(15.0, 0.0, 90.0)),
        (
            "the left half",
            synthetic::even(600)
                .into_iter()
                .filter(|d| d[0] < 180.0)
                .collect(),
        ),
        ("two thousand", synthetic::even(2000)),
        ("the poles", vec![[0.0, 90.0], [0.0, -90.0]]),
    ];
    for (name, directions) in cases {
        for (taps, rate, delays) in [
            (256, 44_100.0, true),
            (90, 48_000.0, false),
            (700, 96_000.0, false),
        ] {
            let raw = synthetic::Sphere { rate, taps, delays }.raw(&directions);
            let hrirs =
                hrtf::prepare(&raw, 48_000.0, Options::default(), &Progress::new()).unwrap();
            assert!(
                hrirs
                    .filters
                    .iter()
                    .chain(&hrirs.itd)
                    .all(|x| x.is_finite()),
                "{name}"
            );
            assert_eq!(hrirs.taps % 32, 0);
            let filters = hrirs.rings.directions() * 2;
            assert_eq!(hrirs.filters.len(), filters * hrirs.taps, "{name}");
            for direction in 0..hrirs.rings.directions() {
                for ear in 0..2 {
                    let energy: f32 = hrirs.filter(direction, ear).iter().map(|x| x * x).sum();
                    assert!(
                        (1e-3..30.0).contains(&energy),
                        "{name} {direction}: {energy}"
                    );
                }
            }
            // Nowhere far from a head's, and right where something was measured.
            for (azimuth, elevation) in [
                (90.0, 0.0),
                (270.0, 0.0),
                (0.0, -80.0),
                (45.0, -60.0),
                (180.0, 30.0),
            ] {
                let ([left, right], itd) = pair(&hrirs, azimuth, elevation);
                let spectra = [left, right].map(|filter| measure::spectrum(&filter));
                let found = time_difference(&spectra[0], &spectra[1], hrirs.rate, itd);
                let expected = synthetic::Sphere::time_difference([azimuth, elevation]);
                let near = if directions.len() > 40 {
                    120e-6
                } else {
                    250e-6
                };
                assert!(
                    (found - expected).abs() < near,
                    "{name} {azimuth} {elevation}: {:.0} us, {:.0} expected",
                    found * 1e6,
                    expected * 1e6
                );
            }
        }
    }
}

/// KEMAR's responses in directions turned about an oblique axis: a real set, none of whose directions lies on a ring.
fn turned(degrees: f64) -> Aligned {
    let mut set = kemar();
    let axis = [0.36, 0.48, 0.8];
    let (sin, cos) = degrees.to_radians().sin_cos();
    for direction in &mut set.directions {
        let [azimuth, elevation] = direction.map(f64::to_radians);
        let (level, height) = (elevation.cos(), elevation.sin());
        let p = [level * azimuth.cos(), level * azimuth.sin(), height];
        let along: f64 = axis.iter().zip(p).map(|(a, p)| a * p).sum();
        let [x, y, z]: [f64; 3] = std::array::from_fn(|i| {
            let across = axis[(i + 1) % 3] * p[(i + 2) % 3] - axis[(i + 2) % 3] * p[(i + 1) % 3];
            p[i] * cos + across * sin + axis[i] * along * (1.0 - cos)
        });
        *direction = [
            y.atan2(x).to_degrees().rem_euclid(360.0),
            z.clamp(-1.0, 1.0).asin().to_degrees(),
        ];
    }
    // Tells anew whether it mirrors itself.
    set.without(|_| false)
}

/// KEMAR as we prepare it, measured in other directions.
fn measured_in(truth: &zeitgeber::dsp::hrir::Hrirs, directions: &[[f64; 2]]) -> Aligned {
    let mut raw = hrtf::Raw {
        rate: truth.rate,
        taps: truth.taps + 80,
        ..hrtf::Raw::default()
    };
    for [azimuth, elevation] in directions {
        let (filters, itd) = pair(truth, *azimuth, *elevation);
        raw.positions.push([*azimuth, *elevation, 1.5]);
        for filter in filters {
            raw.responses.extend([0.0; 40]);
            raw.responses.extend(filter);
            raw.responses.extend([0.0; 40]);
        }
        raw.delays
            .push([-0.5 * itd * truth.rate, 0.5 * itd * truth.rate]);
    }
    hrtf::align(&raw, &Progress::new(), [0.0, 1.0]).unwrap()
}

/// Lebedev's 50 directions (1976): corners, edges and faces of a cube, and 24 more.
fn lebedev() -> Vec<[f64; 2]> {
    let mut points = Vec::new();
    let (l, m) = (0.301_511_344_577_763_6_f64, 0.904_534_033_733_290_9_f64);
    for code in 0..27 {
        let p = [code % 3, code / 3 % 3, code / 9].map(|k| f64::from(k) - 1.0);
        let parts = p.iter().filter(|x| **x != 0.0).count();
        if parts > 0 {
            points.push(p);
        }
        if parts == 3 {
            points.extend((0..3).map(|long| {
                std::array::from_fn(|axis| p[axis] * if axis == long { m } else { l })
            }));
        }
    }
    points
        .into_iter()
        .map(|[x, y, z]: [f64; 3]| {
            [
                y.atan2(x).to_degrees().rem_euclid(360.0),
                z.atan2(x.hypot(y)).to_degrees(),
            ]
        })
        .collect()
}

#[test]
fn directions_that_lie_on_no_ring() {
    let mut text = Vec::new();
    // Real measurements: those that are there, and those that are held out.
    let real = turned(17.0);
    let held = held_out(&kemar());
    let hrirs = prepared(&real, 44_100.0, OFF);
    let found = Measured::against(&real, &hrirs, |_| true, |_| true);
    text.push(format!(
        "KEMAR turned: {:.2} dB (worst {:.2}) / {:.1} us",
        found.lsd, found.worst, found.itd
    ));
    assert!(found.lsd <= BESIDE_BAR && found.itd <= 0.5, "{text:?}");
    let half = real.without(|index| held[index]);
    let hrirs = prepared(&half, 44_100.0, OFF);
    let found = Measured::against(&real, &hrirs, |index| held[index], |index| !held[index]);
    text.push(format!(
        "held out: {:.2} dB / {:.1} us",
        found.lsd, found.itd
    ));
    assert!(found.lsd <= HELD_OUT_BAR.0 && found.itd <= 4.0, "{text:?}");
    // Other grids, of what we make of KEMAR.
    let truth = prepared(&kemar(), 44_100.0, OFF);
    let mut random = common::Random(11);
    let scattered: Vec<[f64; 2]> = (0..600)
        .map(|_| {
            let height = f64::from(random.sample());
            [
                f64::from(random.sample()) * 180.0 + 180.0,
                height.asin().to_degrees(),
            ]
        })
        .collect();
    for (name, directions) in [
        ("Fibonacci 1200", synthetic::even(1200)),
        ("Fibonacci 440", synthetic::even(440)),
        ("random 600", scattered),
        ("Lebedev 50", lebedev()),
    ] {
        let set = measured_in(&truth, &directions);
        let hrirs = prepared(&set, 44_100.0, OFF);
        let found = Measured::against(&set, &hrirs, |_| true, |_| true);
        text.push(format!(
            "{name}: {:.2} dB (worst {:.2}) / {:.1} us",
            found.lsd, found.worst, found.itd
        ));
        println!("{}", text.last().unwrap());
        assert!(found.lsd <= MEASURED_BAR && found.itd <= 0.5, "{text:?}");
    }
    figure(
        "65 HRTF: measured directions that lie on no ring, log-spectral distance and ITD error, means",
        "<= 0.25 dB real, 0.1 of other grids / 0.5 us",
        &text.join("; "),
    );
}

#[test]
fn delays_in_the_file_are_delays() {
    let directions = synthetic::rings(10.0, -40.0, 90.0);
    let prepare = |delays| {
        let sphere = synthetic::Sphere {
            rate: 44_100.0,
            taps: 256,
            delays,
        };
        hrtf::prepare(&sphere.raw(&directions), 48_000.0, OFF, &Progress::new()).unwrap()
    };
    let (inside, beside) = (prepare(false), prepare(true));
    for (a, b) in inside.itd.iter().zip(&beside.itd) {
        assert!((a - b).abs() < 0.1, "{a} {b}");
    }
}

#[test]
fn a_direction_below_all_measurements_is_no_pole() {
    let hrirs = prepared(&kemar(), 48_000.0, Options::default());
    let energy = |azimuth: f64, elevation: f64| {
        let (filters, _) = pair(&hrirs, azimuth, elevation);
        filters.map(|f| f.iter().map(|x| f64::from(x * x)).sum::<f64>())
    };
    // From the lowest ring down nothing jumps, and at the bottom both ears hear the same.
    for azimuth in [0.0, 60.0, 90.0, 200.0] {
        let mut before = energy(azimuth, -40.0);
        for step in 1..=50 {
            let here = energy(azimuth, -40.0 - f64::from(step));
            for (a, b) in before.iter().zip(&here) {
                assert!(decibels(a / b).abs() < 1.5, "{azimuth} {step}");
            }
            before = here;
        }
        assert!(decibels(before[0] / before[1]).abs() < 1.0);
    }
}

#[test]
fn the_embedded_set_is_the_file_in_the_assets() {
    let (file, embedded) = (kemar(), hrtf::default_set().unwrap());
    let packed = hrtf::pack(&file).unwrap();
    assert_eq!(
        packed,
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/kemar.bin")).unwrap(),
        "run `cargo xtask asset`"
    );
    assert_eq!((file.taps, file.before), (embedded.taps, embedded.before));
    assert_eq!(file.starts, embedded.starts);
    let largest = file.windows.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
    let error = file.windows.iter().zip(&embedded.windows);
    let error = error.fold(0.0_f32, |max, (a, b)| max.max((a - b).abs()));
    let error = decibels(f64::from(error / largest).powi(2));
    let hrirs = prepared(&embedded, 44_100.0, OFF);
    let found = Measured::against(&file, &hrirs, |_| true, |_| true);
    figure(
        "64 HRTF: the embedded default against MIT KEMAR's SOFA file",
        "-90 dB",
        &format!(
            "largest error {error:.0} dB of the largest sample, {:.3} dB log-spectral, {} kB",
            found.lsd,
            packed.len() / 1000
        ),
    );
    assert!(
        error < -90.0 && found.lsd <= MEASURED_BAR,
        "{error} {}",
        found.lsd
    );
    assert!(packed.len() <= 350_000);
}
