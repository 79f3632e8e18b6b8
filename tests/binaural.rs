//! Space with head-related filters: moving sources without sidebands, jumps without clicks, one onset, and
//! the same bits however the stream is cut. Filters are those of a sphere with ears.

mod common;

use common::sphere::{lateral, sphere, woodworth};
use common::{BLOCKS, Random, assert_same, cuts, figure, sine};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;
use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock};
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::dsp::binaural::{FilterBank, LONGEST_ITD, Move, ONSET, Renderer, Target};

const RATE: f64 = 48_000.0;
const TAPS: usize = 288;
/// Frames of the engine's quantum.
const QUANTUM: usize = 32;

static BANK: LazyLock<Arc<FilterBank>> = LazyLock::new(|| bank(RATE, TAPS));

fn bank(rate: f64, taps: usize) -> Arc<FilterBank> {
    Arc::new(FilterBank::new(&sphere(rate, taps)))
}

/// In front of the head, turned to the left.
fn at(azimuth: f64) -> Target {
    Target {
        azimuth,
        ..Target::default()
    }
}

/// Renders one source, whose target at the end of each quantum is a function of its frame.
fn moving(x: &[f32], how: Move, target: impl Fn(usize) -> Target) -> [Vec<f32>; 2] {
    let mut renderer = Renderer::new(BANK.clone(), 1, TAPS);
    let mut out = [vec![0.0; x.len()], vec![0.0; x.len()]];
    for start in (0..x.len()).step_by(QUANTUM) {
        let end = (start + QUANTUM).min(x.len());
        renderer.set_target(0, target(end), how);
        let [left, right] = &mut out;
        renderer.process(
            &[&x[start..end]],
            &mut left[start..end],
            &mut right[start..end],
        );
    }
    out
}

/// Energy further than 300 Hz from a tone, re all of it, in dB.
fn beside(signal: &[f32], frequency: f64) -> f64 {
    let n = signal.len();
    let mut spectrum: Vec<Complex64> = signal
        .iter()
        .enumerate()
        .map(|(k, x)| {
            // The fourth power of Hann's window: 300 Hz away it is far below any figure here.
            let hann = 0.5 - 0.5 * (TAU * (k as f64 + 0.5) / n as f64).cos();
            Complex64::new(f64::from(*x) * hann.powi(4), 0.0)
        })
        .collect();
    FftPlanner::new().plan_fft_forward(n).process(&mut spectrum);
    let (mut all, mut far) = (0.0, 0.0);
    for (bin, value) in spectrum[..n / 2].iter().enumerate() {
        let energy = value.norm_sqr();
        all += energy;
        if (bin as f64 * RATE / n as f64 - frequency).abs() > 300.0 {
            far += energy;
        }
    }
    10.0 * (far / all).log10()
}

#[test]
fn a_moving_source_has_no_sidebands() {
    // A whole turn at 90 degrees a second, on the horizon and above it.
    let frames = 4 * RATE as usize + 1024;
    for (frequency, bar) in [(1000.0, -110.0), (4000.0, -100.0)] {
        let x = sine(frames, RATE, 0.5, frequency, 0.0);
        let worst = [0.0, 17.3]
            .into_iter()
            .flat_map(|elevation| {
                moving(&x, Move::Glide, |frame| Target {
                    azimuth: 90.0 * frame as f64 / RATE,
                    elevation,
                    ..Target::default()
                })
            })
            .map(|ear| beside(&ear[1024..], frequency))
            .fold(f64::NEG_INFINITY, f64::max);
        figure(
            &format!("20 moving source, 90 deg/s, beyond 300 Hz of {frequency} Hz (sphere)"),
            &format!("<= {bar} dB"),
            &format!("{worst:.1} dB"),
        );
        assert!(worst <= bar, "{frequency} Hz: {worst}");
    }
}

#[test]
fn the_measure_of_sidebands_can_fail() {
    let x = sine(48_000, RATE, 0.5, 1000.0, 0.0);
    let jerky = moving(&x, Move::Glide, |frame| at((frame / 4800 * 9) as f64));
    assert!(beside(&jerky[1][1024..], 1000.0) > -80.0);
}

/// The worst click of eight phases of a 400 Hz tone that sounds while something happens, re the tone.
fn click(change: impl Fn(&mut Renderer, usize)) -> f64 {
    let filter = ClickFilter::new(RATE).unwrap();
    let x = sine(24_000, RATE, 1.0, 400.0, 0.0);
    let mut worst = f64::NEG_INFINITY;
    for eighth in 0..8 {
        let mut renderer = Renderer::new(BANK.clone(), 1, TAPS);
        let mut out = [vec![0.0; x.len()], vec![0.0; x.len()]];
        // Phases of the tone by offsets of the start: changes happen on the grid.
        let x = &x[eighth * 15..];
        for start in (0..x.len() - QUANTUM).step_by(QUANTUM) {
            change(&mut renderer, start);
            let end = start + QUANTUM;
            let [left, right] = &mut out;
            renderer.process(
                &[&x[start..end]],
                &mut left[start..end],
                &mut right[start..end],
            );
        }
        for ear in out {
            worst = worst.max(filter.click(&ear[2000..23_000], 1.0));
        }
    }
    worst
}

#[test]
fn jumps_and_other_banks_fade() {
    let to = |target: Target| {
        click(|renderer, frame| {
            let target = if frame < 10_240 {
                Target::default()
            } else {
                target
            };
            renderer.set_target(0, target, Move::Auto);
        })
    };
    let jumps = [
        at(90.0),
        at(180.0),
        at(-6.0),
        Target {
            elevation: 80.0,
            ..at(0.0)
        },
        Target {
            distance: 0.3,
            ..at(40.0)
        },
        Target {
            distance: 12.0,
            ..at(-130.0)
        },
    ];
    let worst = jumps.into_iter().map(to).fold(f64::NEG_INFINITY, f64::max);
    figure(
        "09 clicks: a source jumps (sphere)",
        "<= -80 dB re the tone",
        &format!("{worst:.1} dB"),
    );
    assert!(worst <= -80.0, "jump: {worst}");

    let restless = click(|renderer, frame| {
        let azimuth = if frame < 10_240 {
            0.0
        } else {
            (frame / 320 * 70) as f64
        };
        renderer.set_target(0, at(azimuth), Move::Auto);
    });
    let mut other = sphere(RATE, TAPS);
    other.filters.iter_mut().for_each(|tap| *tap *= -0.5);
    let other = Arc::new(FilterBank::new(&other));
    let swap = click(|renderer, frame| {
        if frame == 10_240 {
            renderer.swap(other.clone()).unwrap();
        }
        renderer.retired();
    });
    figure(
        "09 clicks: a jump every 7 ms; another set (sphere)",
        "<= -80 dB re the tone",
        &format!("{restless:.1}, {swap:.1} dB"),
    );
    assert!(restless.max(swap) <= -80.0, "{restless} {swap}");
}

#[test]
fn an_impulse_is_first_heard_at_frame_32_or_as_late_at_high_rates() {
    let mut random = Random(5);
    for rate in [8e3, 44.1e3, 48e3, 192e3, 768e3] {
        // Short filters: what comes first does not depend on them.
        let bank = bank(rate, 64);
        let onset = ONSET + (11.42 * (rate / 48e3 - 1.0)).max(0.0).round() as usize;
        let mut renderer = Renderer::new(bank, 2, 64);
        for trial in 0..200 {
            let target = Target {
                azimuth: random.below(3600) as f64 / 10.0,
                elevation: random.below(1801) as f64 / 10.0 - 90.0,
                distance: 1.0 + random.below(19) as f64,
                gain: 1.0,
            };
            renderer.reset();
            renderer.set_target(trial % 2, target, Move::Auto);
            let mut x = [0.0; 288];
            x[0] = 1.0;
            let mut inputs = [[0.0; 288]; 2];
            inputs[trial % 2] = x;
            let (mut left, mut right) = ([0.0; 288], [0.0; 288]);
            renderer.process(&[&inputs[0], &inputs[1]], &mut left, &mut right);
            // Before it there is at most the rounding of the transform, from its quantum on.
            let peak = left
                .iter()
                .chain(&right)
                .fold(0.0f32, |a, b| a.max(b.abs()));
            let first = (0..288).find(|n| left[*n].abs().max(right[*n].abs()) > 1e-6 * peak);
            assert_eq!(first, Some(onset), "{rate} {target:?}");
            assert!(
                left[..ONSET]
                    .iter()
                    .chain(&right[..ONSET])
                    .all(|x| *x == 0.0)
            );
            // It is sound and no rounding of the transform.
            let first = left[onset].abs().max(right[onset].abs());
            let rest = left
                .iter()
                .chain(&right)
                .fold(0.0f32, |a, b| a.max(b.abs()));
            assert!(first > 3e-5 * rest, "{rate} {target:?}: {first} of {rest}");
        }
    }
}

#[test]
fn the_ears_differ_by_the_delays_of_the_set() {
    let mut flat = sphere(RATE, 32);
    for (index, tap) in flat.filters.iter_mut().enumerate() {
        *tap = if index % 32 == 0 { 1.0 } else { 0.0 };
    }
    let bank = Arc::new(FilterBank::new(&flat));
    let mut random = Random(77);
    let mut worst = 0.0f64;
    let frequency = 500.0;
    let x = sine(2400, RATE, 1.0, frequency, 0.0);
    for _ in 0..200 {
        let azimuth = random.below(36_000) as f64 / 100.0;
        let elevation = random.below(18_001) as f64 / 100.0 - 90.0;
        let mut renderer = Renderer::new(bank.clone(), 1, 32);
        renderer.set_target(
            0,
            Target {
                elevation,
                ..at(azimuth)
            },
            Move::Auto,
        );
        let mut out = [vec![0.0; x.len()], vec![0.0; x.len()]];
        let [left, right] = &mut out;
        renderer.process(&[&x], left, right);
        let phase = |ear: &[f32]| {
            let start = 480;
            let sum: Complex64 = (start..start + 1920)
                .map(|n| {
                    Complex64::from_polar(f64::from(ear[n]), -TAU * frequency * n as f64 / RATE)
                })
                .sum();
            sum.arg()
        };
        let difference =
            (phase(&out[0]) - phase(&out[1]) + 3.0 * TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
        let itd = difference / TAU / frequency;
        worst = worst.max((itd - woodworth(lateral(azimuth, elevation))).abs() * 1e6);
    }
    figure(
        "21 interaural delay of the rendering re the set's, 200 random directions (sphere)",
        "<= 1 us",
        &format!("{worst:.2} us"),
    );
    assert!(worst <= 1.0, "{worst} us");
}

/// Two sources that move, jump, pause, change their gain, and another bank in between.
fn scene(renderer: &mut Renderer, other: &Arc<FilterBank>, quantum: usize) {
    let frame = (quantum * QUANTUM) as f64;
    let mut first = at(frame * 0.01);
    first.distance = 1.5 + (frame * 0.0005).sin();
    renderer.set_target(0, first, Move::Glide);
    let mut second = at((quantum / 60 * 50) as f64);
    second.gain = [1.0, 0.4, 0.0][quantum / 90 % 3];
    renderer.set_target(1, second, Move::Auto);
    if quantum == 100 {
        renderer.swap(other.clone()).unwrap();
    }
    renderer.retired();
}

#[test]
fn block_sizes_change_no_bit() {
    let frames = 12_800;
    let mut signals = [common::bursts(frames, 3), common::bursts(frames, 4)];
    signals[0][4000..9000].fill(0.0);
    let mut backward = sphere(RATE, TAPS);
    backward.filters.reverse();
    let other = Arc::new(FilterBank::new(&backward));
    let render = |renderer: &mut Renderer, block: Option<usize>| {
        let mut out = [vec![0.0; frames], vec![0.0; frames]];
        let mut done = 0;
        for size in cuts(frames, block, 11) {
            let end = done + size;
            renderer.process(&[&[], &[]], &mut [], &mut []);
            while done < end {
                if done % QUANTUM == 0 {
                    scene(renderer, &other, done / QUANTUM);
                }
                // Targets are for quanta: a block that holds several is cut by who sets them.
                let next = (done / QUANTUM * QUANTUM + QUANTUM).min(end);
                let [left, right] = &mut out;
                renderer.process(
                    &[&signals[0][done..next], &signals[1][done..next]],
                    &mut left[done..next],
                    &mut right[done..next],
                );
                done = next;
            }
        }
        out
    };
    let reference = render(&mut Renderer::new(BANK.clone(), 2, TAPS), None);
    assert!(reference[0].iter().any(|y| y.abs() > 0.1));
    for block in BLOCKS {
        let out = render(&mut Renderer::new(BANK.clone(), 2, TAPS), *block);
        for ear in 0..2 {
            assert_same(&out[ear], &reference[ear], &format!("{block:?}"));
        }
    }
}

#[test]
fn still_sources_in_blocks_of_any_size() {
    let x = common::bursts(5000, 8);
    let render = |block: Option<usize>| {
        let mut renderer = Renderer::new(BANK.clone(), 1, TAPS);
        renderer.set_target(0, at(33.0), Move::Auto);
        let mut out = [vec![0.0; 5000], vec![0.0; 5000]];
        let mut done = 0;
        for size in cuts(5000, block, 2) {
            let [left, right] = &mut out;
            let range = done..done + size;
            renderer.process(
                &[&x[range.clone()]],
                &mut left[range.clone()],
                &mut right[range],
            );
            done += size;
        }
        out
    };
    let reference = render(Some(5000));
    for block in BLOCKS {
        let out = render(*block);
        assert_same(&out[0], &reference[0], &format!("{block:?}"));
        assert_same(&out[1], &reference[1], &format!("{block:?}"));
    }
}

#[test]
fn a_source_that_stops_is_one_that_never_moved() {
    let x = common::bursts(24_000, 6);
    let still = moving(&x, Move::Auto, |_| at(50.0));
    for how in [Move::Glide, Move::Auto] {
        // Glides, or jumps, to its place.
        let stops = moving(&x, how, |frame| {
            at(if frame < 6400 {
                frame as f64 * 0.004
            } else {
                50.0
            })
        });
        for ear in 0..2 {
            assert!(stops[ear][..6400] != still[ear][..6400]);
            // Fade, delays and taps later.
            assert_same(
                &stops[ear][9600..],
                &still[ear][9600..],
                &format!("{how:?}"),
            );
        }
    }
}

#[test]
fn silence_comes_after_the_tail_and_reset_is_as_new() {
    let mut x = common::bursts(6400, 6);
    let mut renderer = Renderer::new(BANK.clone(), 1, TAPS);
    let tail = renderer.tail();
    assert!(tail >= TAPS + ONSET + (LONGEST_ITD * RATE) as usize);
    x[3200..].fill(0.0);
    let render = |renderer: &mut Renderer| {
        let mut out = [vec![0.0; x.len()], vec![0.0; x.len()]];
        let [left, right] = &mut out;
        renderer.process(&[&x], left, right);
        out
    };
    let first = render(&mut renderer);
    assert!(first[0][3200..3400].iter().any(|y| *y != 0.0));
    for ear in &first {
        assert!(ear[3200 + tail..].iter().all(|y| y.to_bits() == 0));
    }
    // Silent by itself, and in the middle of something.
    let again = render(&mut renderer);
    renderer.set_target(0, at(120.0), Move::Auto);
    renderer.process(&[&x[..1000]], &mut [0.0; 1000], &mut [0.0; 1000]);
    renderer.set_target(0, Target::default(), Move::Auto);
    renderer.reset();
    let reset = render(&mut renderer);
    for ear in 0..2 {
        assert_same(&again[ear], &first[ear], "again");
        assert_same(&reset[ear], &first[ear], "after reset");
    }
}

#[test]
fn a_source_that_is_silent_changes_no_bit_of_others() {
    let x = common::bursts(6400, 6);
    let render = |sources: usize| {
        let mut renderer = Renderer::new(BANK.clone(), sources, TAPS);
        let silence = vec![0.0; x.len()];
        let mut inputs = vec![&silence[..]; sources];
        inputs[sources - 1] = &x;
        for source in 0..sources {
            renderer.set_target(source, at(70.0), Move::Auto);
        }
        let (mut left, mut right) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        renderer.process(&inputs, &mut left, &mut right);
        [left, right]
    };
    let (one, six) = (render(1), render(6));
    assert_same(&one[0], &six[0], "left");
    assert_same(&one[1], &six[1], "right");
}
