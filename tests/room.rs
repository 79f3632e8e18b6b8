//! The room: bands decay in the time they are told, reflections come when and where geometry says, and nothing clicks.

mod common;

use common::{BLOCKS, Random, assert_same, cuts, figure, sine};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;
use std::f64::consts::{PI, TAU};
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::dsp::ambisonics::{channels, encode};
use zeitgeber::dsp::binaural::Target;
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::dsp::room::{Image, Room, SOUND, images};
use zeitgeber::node::{Node, registry};

const RATE: f64 = 48_000.0;

/// Channels of the bus.
const BUS: usize = 64;

/// A parameter's change at a frame.
type Set<'a> = (usize, &'a str, f64);

fn make(name: &str, rate: f64, settings: &[(&str, f64)]) -> Box<dyn Node> {
    let mut node = registry().create(name).unwrap();
    for (param, value) in settings {
        let index = node.info().param(param).unwrap();
        node.set_param(index, *value);
    }
    node.init(rate, 1024).unwrap();
    node.reset();
    node
}

/// Runs a node on some of its inputs; all its outputs.
fn run(
    node: &mut dyn Node,
    inputs: &[(usize, &[f32])],
    sets: &[Set],
    block: Option<usize>,
) -> Vec<Vec<f32>> {
    let _mode = DenormalGuard::new();
    let frames = inputs[0].1.len();
    let silence = vec![0.0f32; frames];
    let all: Vec<&[f32]> = (0..node.info().inputs)
        .map(|c| {
            let given = inputs.iter().find(|(channel, _)| *channel == c);
            given.map_or(silence.as_slice(), |(_, signal)| *signal)
        })
        .collect();
    let mut outputs = vec![vec![f32::NAN; frames]; node.info().outputs];
    let mut sets = sets.iter().peekable();
    let mut start = 0;
    for size in cuts(frames, block, 5) {
        let block_end = start + size;
        while start < block_end {
            while let Some((_, name, value)) = sets.next_if(|(at, ..)| *at <= start) {
                let index = node.info().param(name).unwrap();
                node.set_param(index, *value);
            }
            let end = sets.peek().map_or(block_end, |(at, ..)| block_end.min(*at));
            let ins: Vec<&[f32]> = all.iter().map(|signal| &signal[start..end]).collect();
            let mut outs: Vec<&mut [f32]> =
                outputs.iter_mut().map(|o| &mut o[start..end]).collect();
            node.process(&ins, &mut outs);
            start = end;
        }
    }
    outputs
}

fn impulse(frames: usize) -> Vec<f32> {
    let mut signal = vec![0.0; frames];
    signal[0] = 1.0;
    signal
}

fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    (0..frames).map(|_| random.sample()).collect()
}

fn to_db(power: f64) -> f64 {
    10.0 * power.max(1e-40).log10()
}

/// Early and late part, one after the other: the bus.
fn room(
    rate: f64,
    settings: &[(&str, f64)],
    places: &[(&str, f64)],
    inputs: &[(usize, &[f32])],
) -> Vec<Vec<f32>> {
    let all: Vec<(&str, f64)> = settings.iter().chain(places).copied().collect();
    let mut early = make("early", rate, &all);
    let mut late = make("late", rate, settings);
    let first = run(early.as_mut(), inputs, &[], Some(64));
    let sends: Vec<(usize, &[f32])> = first[BUS..].iter().map(Vec::as_slice).enumerate().collect();
    let rest = run(late.as_mut(), &sends, &[], Some(64));
    let add = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a + b).collect();
    first[..BUS].iter().zip(&rest).map(add).collect()
}

/// Energies of a band by frame, summed over signals. The band is a bell in frequency, hence in time: it rings as shortly
/// as can be.
fn band(signals: &[&[f32]], rate: f64, frequency: f64, width: f64) -> Vec<f64> {
    let frames = signals[0].len();
    let size = (frames + (rate * 0.2) as usize).next_power_of_two();
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(size),
        planner.plan_fft_inverse(size),
    );
    let mut energy = vec![0.0; frames];
    for signal in signals {
        let mut spectrum = vec![Complex64::default(); size];
        for (bin, x) in spectrum.iter_mut().zip(*signal) {
            bin.re = f64::from(*x);
        }
        forward.process(&mut spectrum);
        for (k, bin) in spectrum.iter_mut().enumerate() {
            let hertz = k as f64 * rate / size as f64;
            let off = (hertz - frequency) / width;
            *bin *= if k < size / 2 {
                (-0.5 * off * off).exp() / size as f64
            } else {
                0.0
            };
        }
        inverse.process(&mut spectrum);
        for (sum, y) in energy.iter_mut().zip(&spectrum) {
            *sum += y.norm_sqr();
        }
    }
    energy
}

/// What is still to come at each frame.
fn backward(energy: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut curve: Vec<f64> = energy
        .iter()
        .rev()
        .map(|e| {
            sum += e;
            sum
        })
        .collect();
    curve.reverse();
    curve
}

/// Seconds of a decay by 60 dB, from the slope between two levels in dB of what is still to come (Schroeder 1965).
fn decay(energy: &[f64], rate: f64, from: f64, to: f64) -> f64 {
    let curve = backward(energy);
    let whole = curve[0];
    let points: Vec<(f64, f64)> = curve
        .iter()
        .enumerate()
        .map(|(n, e)| (n as f64 / rate, to_db(e / whole)))
        .skip_while(|(_, level)| *level > from)
        .take_while(|(_, level)| *level > to)
        .collect();
    let n = points.len() as f64;
    let mean = points
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
    let (mut above, mut below) = (0.0, 0.0);
    for (t, level) in &points {
        above += (t - mean.0) * (level - mean.1);
        below += (t - mean.0) * (t - mean.0);
    }
    -60.0 * below / above
}

#[test]
fn every_band_decays_in_the_time_it_is_told() {
    let mut worst = (0.0f64, String::new());
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        for size in [2.0, 6.0, 30.0] {
            for seconds in [0.1, 0.4, 1.0, 5.0] {
                if seconds == 5.0 && rate != 48_000.0 {
                    continue;
                }
                // Of few modes, many mixtures.
                let order = if seconds < 1.0 { 3 } else { 1 };
                let settings = [("size", size), ("decay", seconds), ("order", order as f64)];
                let frames = (rate * (0.9 * seconds + 0.2)) as usize;
                let signal = impulse(frames);
                let responses: Vec<Vec<Vec<f32>>> = (0..4)
                    .map(|send| {
                        let mut late = make("late", rate, &settings);
                        run(late.as_mut(), &[(send, &signal)], &[], Some(480))
                    })
                    .collect();
                let signals: Vec<&[f32]> = responses
                    .iter()
                    .flat_map(|outputs| outputs[..channels(order)].iter().map(Vec::as_slice))
                    .take(if seconds > 1.0 { 4 } else { 64 })
                    .collect();
                for octave in 0..7 {
                    let frequency = 125.0 * f64::from(1 << octave);
                    let due = Room {
                        size,
                        decay: seconds,
                    }
                    .decay_at(frequency);
                    // Narrow where the decay changes within an octave, wide where a bell would ring.
                    let width = (frequency / 10.0).max(25.0);
                    let energy = band(&signals, rate, frequency, width);
                    let is = decay(&energy, rate, -8.0, -38.0);
                    let off = 100.0 * (is / due - 1.0);
                    if off.abs() > worst.0.abs() {
                        let place = format!("{frequency} Hz, {size} m, {seconds} s, {rate}");
                        worst = (off, place);
                    }
                    println!("{rate} {size} {seconds} {frequency}: {off:.2} %");
                }
            }
        }
    }
    figure(
        "70 room decay per octave band, 125 Hz - 8 kHz, 0.1 - 5 s, 2 - 30 m, 3 rates",
        "T60 +-5 %",
        &format!("worst {:+.1} % ({})", worst.0, worst.1),
    );
    assert!(worst.0.abs() <= 5.0, "{worst:?}");
}

/// When the echo density of a response (Abel and Huang 2006: the share of samples beyond a standard deviation in 20 ms,
/// re that of noise) first reaches a value, in seconds.
fn dense(response: &[f32], rate: f64, value: f64) -> f64 {
    let half = (0.01 * rate) as usize;
    let window: Vec<f64> = (0..=2 * half)
        .map(|n| 0.5 - 0.5 * (PI * n as f64 / half as f64).cos())
        .collect();
    let whole: f64 = window.iter().sum();
    for at in (half..response.len() - half).step_by(24) {
        let span = &response[at - half..=at + half];
        let pairs = || span.iter().map(|x| f64::from(*x)).zip(&window);
        let deviation = (pairs().map(|(x, w)| w * x * x).sum::<f64>() / whole).sqrt();
        let beyond: f64 = pairs()
            .filter(|(x, _)| x.abs() > deviation)
            .map(|(_, w)| w)
            .sum();
        // 0.3173 of noise lies beyond a standard deviation.
        if beyond / whole / 0.3173 >= value {
            return at as f64 / rate;
        }
    }
    f64::INFINITY
}

#[test]
fn echoes_are_dense_soon() {
    for (size, seconds, bar) in [
        (2.0, 0.4, 0.03),
        (6.0, 0.4, 0.05),
        (6.0, 1.0, 0.09),
        (6.0, 5.0, 0.18),
        (30.0, 2.0, 0.26),
    ] {
        let settings = [("size", size), ("decay", seconds), ("order", 1.0)];
        let mut late = make("late", RATE, &settings);
        let signal = impulse((0.5 * RATE) as usize);
        let outputs = run(late.as_mut(), &[(0, &signal)], &[], Some(64));
        let reached = dense(&outputs[0], RATE, 0.9);
        figure(
            &format!("71 room: echo density 0.9 of noise, {size} m, {seconds} s"),
            &format!("<= {:.0} ms", 1000.0 * bar),
            &format!("{:.0} ms", 1000.0 * reached),
        );
        assert!(reached <= bar, "{size} {seconds}: {reached}");
    }
}

#[test]
fn no_mode_rings_above_the_others() {
    // Once the decay is taken out, a diffuse field's spectrum is that of noise: powers fall about their mean as an
    // exponential distribution, whose flatness (geometric over arithmetic mean) is -2.51 dB. A few modes that stand
    // out would lower it.
    for (size, seconds) in [(2.0, 0.4), (6.0, 0.4), (6.0, 1.0), (6.0, 2.0), (30.0, 2.0)] {
        let settings = [("size", size), ("decay", seconds), ("order", 1.0)];
        let mut late = make("late", RATE, &settings);
        let frames = (1.2 * seconds * RATE) as usize;
        let outputs = run(late.as_mut(), &[(0, &impulse(frames))], &[], Some(64));
        let size_fft = frames.next_power_of_two();
        let mut spectrum = vec![Complex64::default(); size_fft];
        for (n, (bin, x)) in spectrum.iter_mut().zip(&outputs[0]).enumerate() {
            // From a quarter of the decay on, with the reverberation's own slope.
            bin.re = if n as f64 > 0.25 * seconds * RATE {
                f64::from(*x)
            } else {
                0.0
            };
        }
        FftPlanner::new()
            .plan_fft_forward(size_fft)
            .process(&mut spectrum);
        let powers: Vec<f64> = (0..size_fft / 2)
            .filter(|k| (300.0..1500.0).contains(&(*k as f64 * RATE / size_fft as f64)))
            .map(|k| spectrum[k].norm_sqr())
            .collect();
        let count = powers.len() as f64;
        let mean = powers.iter().sum::<f64>() / count;
        let geometric = (powers.iter().map(|p| p.ln()).sum::<f64>() / count).exp();
        let flatness = to_db(geometric / mean);
        figure(
            &format!("72 room: spectral flatness of the tail, {size} m, {seconds} s"),
            ">= -4 dB (noise: -2.5)",
            &format!("{flatness:.1} dB"),
        );
        assert!(flatness > -4.0, "{size} {seconds}: {flatness}");
    }
}

/// Powers of a bus through beams of an order (max-rE: Daniel 2001) over the sphere, lowest and highest, re their mean, in dB.
fn evenness(bus: &[Vec<f32>], order: usize) -> (f64, f64) {
    let count = channels(order);
    let from = bus[0].len() / 4;
    let covariance: Vec<Vec<f64>> = (0..count)
        .map(|a| {
            (0..count)
                .map(|b| {
                    let pairs = bus[a][from..].iter().zip(&bus[b][from..]);
                    pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
                })
                .collect()
        })
        .collect();
    let taper: &[f64] = match order {
        1 => &[1.0, 0.577],
        _ => &[1.0, 0.861, 0.612, 0.305],
    };
    let powers: Vec<f64> = (0..400)
        .map(|n| {
            // A spiral of even steps (Fibonacci).
            let up = 1.0 - (2.0 * f64::from(n) + 1.0) / 400.0;
            let beam = encode(order, 137.507_764 * f64::from(n), up.asin().to_degrees());
            let weight = |c: usize| (2 * c.isqrt() + 1) as f64 * taper[c.isqrt()] * beam[c];
            let rows = covariance.iter().enumerate();
            rows.map(|(a, row)| {
                weight(a)
                    * row
                        .iter()
                        .enumerate()
                        .map(|(b, v)| weight(b) * v)
                        .sum::<f64>()
            })
            .sum()
        })
        .collect();
    let mean = powers.iter().sum::<f64>() / powers.len() as f64;
    let lowest = powers.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = powers.iter().copied().fold(0.0, f64::max);
    (to_db(lowest / mean), to_db(highest / mean))
}

#[test]
fn reverberation_comes_from_everywhere() {
    let frames = (8.0 * RATE) as usize;
    let signals: Vec<Vec<f32>> = (0..4).map(|send| noise(frames, 11 + send)).collect();
    for (name, sends) in [("one send", 1), ("all sends", 4)] {
        let inputs: Vec<(usize, &[f32])> = signals[..sends]
            .iter()
            .map(Vec::as_slice)
            .enumerate()
            .collect();
        let mut late = make("late", RATE, &[("order", 7.0)]);
        let bus = run(late.as_mut(), &inputs, &[], Some(64));
        for (order, bar) in [(1, 1.0), (3, 2.0)] {
            let (lowest, highest) = evenness(&bus, order);
            figure(
                &format!(
                    "73 room: evenness of the late field over the sphere, {name}, beams of order {order}"
                ),
                &format!("+-{bar} dB"),
                &format!("{lowest:+.2} to {highest:+.2} dB"),
            );
            assert!(
                lowest > -bar && highest < bar,
                "{name} {order}: {lowest} {highest}"
            );
        }
        // What arrives is a plane wave from each of the directions, at any order.
        let powers: Vec<f64> = (0..=7)
            .map(|l: usize| {
                (l * l..(l + 1) * (l + 1))
                    .map(|c| bus[c].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>())
                    .sum()
            })
            .collect();
        for power in &powers {
            assert!(to_db(power / powers[0]).abs() < 0.5, "{powers:?}");
        }
    }
}

fn place(azimuth: f64, elevation: f64, distance: f64) -> [(&'static str, f64); 3] {
    [
        ("azimuth1", azimuth),
        ("elevation1", elevation),
        ("distance1", distance),
    ]
}

#[test]
fn the_first_reflection_comes_when_and_where_geometry_says() {
    let (mut late_by, mut turned, mut louder, mut count) = (0.0f64, 0.0f64, 0.0f64, 0);
    for size in [3.0, 6.0, 15.0] {
        for step in 0..24 {
            let (azimuth, elevation) = (
                f64::from(step) * 14.7 - 180.0,
                f64::from(step % 5) * 15.0 - 30.0,
            );
            let target = Target {
                azimuth,
                elevation,
                distance: 1.0,
                gain: 1.0,
            };
            let scene = Room { size, decay: 1.0 };
            let mut due: Vec<Image> = images(&scene, &target).to_vec();
            due.sort_by(|a, b| a.delay.total_cmp(&b.delay));
            let clear = (due[1].delay - due[0].delay) * RATE;
            if clear < 40.0 || due[0].delay * RATE < 4.0 {
                continue;
            }
            count += 1;
            let mut settings = vec![("size", size), ("decay", 1.0), ("order", 3.0)];
            settings.extend(place(azimuth, elevation, 1.0));
            let mut early = make("early", RATE, &settings);
            let bus = run(early.as_mut(), &[(0, &impulse(6000))], &[], Some(64));
            let until = (due[1].delay * RATE) as usize - 4;
            let onset = (due[0].delay * RATE) as usize - 3;
            assert!(
                bus[0][..onset].iter().all(|x| *x == 0.0),
                "something comes before it"
            );
            let sum = |c: usize| bus[c][..until].iter().map(|x| f64::from(*x)).sum::<f64>();
            let moment = |c: usize| {
                let terms = bus[c][..until].iter().enumerate();
                terms.map(|(n, x)| n as f64 * f64::from(*x)).sum::<f64>()
            };
            // The wall's own delay at low frequencies belongs to the wall: some half a frame.
            late_by = late_by.max((moment(0) / sum(0) - due[0].delay * RATE).abs());
            let found = [sum(3), sum(1), sum(2)];
            let length = found.iter().map(|x| x * x).sum::<f64>().sqrt();
            let cosine: f64 = found
                .iter()
                .zip(due[0].toward)
                .map(|(a, b)| a * b / length)
                .sum();
            turned = turned.max(cosine.min(1.0).acos().to_degrees());
            let wall = (-6.907_755 * scene.free_time() / scene.decay).exp();
            louder = louder.max(to_db((sum(0) / (due[0].gain * wall)).powi(2)).abs());
        }
    }
    figure(
        "74 room: first reflection, time / direction / level against geometry",
        "<= 1 frame / 0.1 degree / 0.1 dB",
        &format!("{late_by:.2} frames / {turned:.3} degree / {louder:.3} dB ({count} places)"),
    );
    assert!(count > 20 && late_by <= 1.0 && turned < 0.1 && louder < 0.1);
}

#[test]
fn images_are_mirrored_in_the_walls() {
    // Against the definition: mirror the source in one wall, then in another.
    let scene = Room {
        size: 7.0,
        decay: 1.0,
    };
    let (edges, here) = (scene.edges(), scene.listener());
    let target = Target {
        azimuth: 40.0,
        elevation: 10.0,
        distance: 1.2,
        gain: 1.0,
    };
    let direction = encode(1, 40.0, 10.0);
    let source = [0, 1, 2].map(|axis| here[axis] + 1.2 * direction[[3, 1, 2][axis]]);
    let walls: Vec<(usize, f64)> = (0..3)
        .flat_map(|axis| [(axis, 0.0), (axis, edges[axis])])
        .collect();
    let mirror = |place: &[f64; 3], (axis, at): (usize, f64)| -> [f64; 3] {
        std::array::from_fn(|k| {
            if k == axis {
                2.0 * at - place[k]
            } else {
                place[k]
            }
        })
    };
    let once: Vec<[f64; 3]> = walls.iter().map(|wall| mirror(&source, *wall)).collect();
    let twice = once
        .iter()
        .flat_map(|place| walls.iter().map(|wall| mirror(place, *wall)));
    let due: Vec<[f64; 3]> = once.iter().copied().chain(twice).collect();
    let found = images(&scene, &target);
    for image in found {
        let way = 1.2 + image.delay * SOUND;
        let at = [0, 1, 2].map(|axis| here[axis] + way * image.toward[axis]);
        let near = |place: &[f64; 3]| place.iter().zip(at).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(due.iter().any(near), "{image:?}: {at:?} is none of {due:?}");
    }
}

#[test]
fn early_and_late_join() {
    for (size, seconds, bar) in [
        (3.0, 0.4, 2.5),
        (6.0, 0.4, 2.5),
        (6.0, 1.0, 2.5),
        (12.0, 1.5, 2.5),
        (30.0, 3.0, 2.5),
    ] {
        let settings = [("size", size), ("decay", seconds), ("order", 1.0)];
        let frames = (RATE * (seconds + 0.2)) as usize;
        let signal = impulse(frames);
        // Seen from several places, at 500 Hz to 2 kHz.
        let buses: Vec<Vec<Vec<f32>>> = [-30.0, 0.0, 30.0, 100.0, -140.0]
            .iter()
            .map(|azimuth| room(RATE, &settings, &place(*azimuth, 0.0, 1.5), &[(0, &signal)]))
            .collect();
        let signals: Vec<&[f32]> = buses.iter().map(|bus| bus[0].as_slice()).collect();
        let all = band(&signals, RATE, 1000.0, 300.0);
        // The same band of the impulse itself is the direct sound.
        let direct: f64 =
            band(&[&signal], RATE, 1000.0, 300.0).iter().sum::<f64>() * 2.0 * signals.len() as f64;
        let curve = backward(&all);
        let level = to_db(curve[0] / direct);
        let end = (0.6 * seconds * RATE) as usize;
        let time = Room {
            size,
            decay: seconds,
        }
        .decay_at(1000.0);
        let (mut low, mut high) = (0.0f64, 0.0f64);
        for (n, left) in curve[..end].iter().enumerate() {
            let off = to_db(left / curve[0]) + 60.0 * n as f64 / RATE / time;
            low = low.min(off);
            high = high.max(off);
        }
        figure(
            &format!(
                "75 room: energy re the direct sound at 1.5 m / its decay re a straight line, {size} m, {seconds} s"
            ),
            &format!("0 +-{bar} dB / +-{bar} dB"),
            &format!("{level:+.1} dB / {low:+.1} to {high:+.1} dB"),
        );
        assert!(
            level.abs() < bar && low > -bar && high < bar,
            "{size} {seconds}"
        );
    }
}

#[test]
fn nothing_clicks() {
    let filter = ClickFilter::new(RATE).unwrap();
    let frames = 60_000;
    let tone = sine(frames, RATE, 0.5, 400.0, 0.0);
    let worst = |outputs: &[Vec<f32>]| {
        // The tone's own beginning is no click of ours.
        let clicks = outputs
            .iter()
            .map(|signal| filter.click(&signal[24_000..], 0.5));
        clicks.fold(f64::NEG_INFINITY, f64::max)
    };
    let at = 36_017;
    let orbit = |from: usize| -> Vec<Set<'static>> {
        (from / 32..frames / 32)
            .flat_map(|k| {
                let angle = 90.0 * (32 * k - from) as f64 / RATE;
                let distance = 1.5 + 0.5 * (0.05 * angle).sin();
                [(32 * k, "azimuth1", angle), (32 * k, "distance1", distance)]
            })
            .collect()
    };
    let storm: Vec<Set> = (0..100)
        .map(|k| (30_000 + 160 * k, "size", 4.0 + 0.1 * k as f64))
        .collect();
    let cases: Vec<(&str, &str, Vec<Set>)> = vec![
        (
            "early",
            "a source jumps",
            vec![(at, "azimuth1", 95.0), (at + 500, "azimuth1", -20.0)],
        ),
        ("early", "a source moves, 90 deg/s", orbit(0)),
        ("early", "a source moves off at 90 deg/s", orbit(32_000)),
        (
            "early",
            "gain",
            vec![(at, "gain1", 0.0), (at + 3000, "gain1", 1.5)],
        ),
        (
            "early",
            "size",
            vec![(at, "size", 11.0), (at + 400, "size", 3.0)],
        ),
        ("early", "size on the move", storm.clone()),
        (
            "early",
            "decay",
            vec![(at, "decay", 5.0), (at + 300, "decay", 0.1)],
        ),
        (
            "early",
            "order",
            vec![(at, "order", 7.0), (at + 3000, "order", 1.0)],
        ),
        (
            "early",
            "level",
            vec![
                (at, "level", 0.0),
                (at + 3000, "level", 1.0),
                (at + 4200, "level", 0.3),
            ],
        ),
        (
            "late",
            "size",
            vec![(at, "size", 11.0), (at + 400, "size", 3.0)],
        ),
        ("late", "size on the move", storm),
        (
            "late",
            "decay",
            vec![(at, "decay", 5.0), (at + 300, "decay", 0.1)],
        ),
        (
            "late",
            "order",
            vec![(at, "order", 7.0), (at + 3000, "order", 1.0)],
        ),
        (
            "late",
            "level",
            vec![
                (at, "level", 0.0),
                (at + 3000, "level", 1.0),
                (at + 4200, "level", 0.3),
            ],
        ),
    ];
    let mut loud = Vec::new();
    for (name, what, sets) in cases {
        // Motion is told as motion; what jumps is not.
        let settings: &[(&str, f64)] = if what.contains("moves") {
            &[("motion", 1.0)]
        } else {
            &[]
        };
        let mut node = make(name, RATE, settings);
        let click = worst(&run(node.as_mut(), &[(0, &tone)], &sets, Some(64)));
        // What stands in one frame and moves in the next has a corner in its way, and so in its delay.
        let bar = if what.contains("off at") {
            -70.0
        } else {
            -80.0
        };
        figure(
            &format!("76 clicks: room, {name}: {what}"),
            &format!("<= {bar} dB re the tone"),
            &format!("{click:.1} dB"),
        );
        if click > bar {
            loud.push(format!("{name}, {what}: {click}"));
        }
    }
    assert!(loud.is_empty(), "{loud:?}");
}

#[test]
fn a_moving_source_has_no_sidebands_far_away() {
    let frames = 96_000;
    for (frequency, bar) in [(1000.0, -90.0), (4000.0, -80.0)] {
        let tone = sine(frames, RATE, 0.5, frequency, 0.0);
        let moves: Vec<Set> = (0..3000)
            .map(|k| {
                (
                    32 * k,
                    "azimuth1",
                    90.0 * f64::from(32 * k as i32) / RATE - 90.0,
                )
            })
            .collect();
        let mut early = make("early", RATE, &[("motion", 1.0)]);
        let bus = run(early.as_mut(), &[(0, &tone)], &moves, Some(64));
        let size = 65_536;
        let mut beyond = 0.0f64;
        for signal in &bus[..16] {
            let mut spectrum: Vec<Complex64> = (0..size)
                .map(|n| {
                    // Blackman and Harris's window: -92 dB.
                    let x = TAU * n as f64 / size as f64;
                    let window = 0.35875 - 0.48829 * x.cos() + 0.14128 * (2.0 * x).cos()
                        - 0.01168 * (3.0 * x).cos();
                    Complex64::new(f64::from(signal[24_000 + n]) * window, 0.0)
                })
                .collect();
            FftPlanner::new()
                .plan_fft_forward(size)
                .process(&mut spectrum);
            let (mut inside, mut outside) = (0.0, 0.0);
            for (k, bin) in spectrum[..size / 2].iter().enumerate() {
                let off = (k as f64 * RATE / size as f64 - frequency).abs();
                *(if off < 300.0 {
                    &mut inside
                } else {
                    &mut outside
                }) += bin.norm_sqr();
            }
            beyond = beyond.max(outside / inside);
        }
        let level = to_db(beyond);
        figure(
            &format!(
                "77 room: reflections of a moving source, 90 deg/s, beyond 300 Hz of {frequency} Hz"
            ),
            &format!("<= {bar} dB"),
            &format!("{level:.1} dB"),
        );
        assert!(level <= bar, "{frequency}: {level}");
    }
}

#[test]
fn level_0_is_exact_silence() {
    let signal = noise(30_000, 3);
    for name in ["early", "late"] {
        let mut node = make(name, RATE, &[("level", 0.0), ("order", 7.0)]);
        let outputs = run(node.as_mut(), &[(0, &signal), (3, &signal)], &[], None);
        assert!(outputs.iter().flatten().all(|x| x.to_bits() == 0), "{name}");
        // It fades to it as well, and is empty when it comes back.
        let mut node = make(name, RATE, &[]);
        let sets = [(9_000, "level", 0.0), (20_000, "level", 1.0)];
        let mut stops = signal.clone();
        stops[12_000..].fill(0.0);
        let outputs = run(node.as_mut(), &[(0, &stops)], &sets, None);
        assert!(outputs[0][8_000..9_000].iter().any(|x| *x != 0.0));
        let silent = outputs.iter().flat_map(|signal| &signal[9_000 + 1_100..]);
        assert!(silent.clone().all(|x| x.to_bits() == 0), "{name}");
    }
    figure("78 room: level 0", "exact silence", "exact silence");
}

#[test]
fn blocks_of_any_size_give_the_same_bits_through_both_parts() {
    let signal = noise(12_000, 5);
    let sets: Vec<Set> = vec![
        (2_000, "level", 0.0),
        (4_000, "level", 1.0),
        (5_000, "size", 9.0),
        (5_100, "decay", 2.0),
        (7_777, "order", 5.0),
    ];
    let render = |block| {
        let mut early = make("early", RATE, &[]);
        let mut late = make("late", RATE, &[]);
        let first = run(early.as_mut(), &[(1, &signal), (4, &signal)], &sets, block);
        let sends: Vec<(usize, &[f32])> =
            first[BUS..].iter().map(Vec::as_slice).enumerate().collect();
        let rest = run(late.as_mut(), &sends, &sets, block);
        [first, rest].concat()
    };
    let due = render(Some(512));
    for block in BLOCKS {
        for (a, b) in due.iter().zip(render(*block)) {
            assert_same(a, &b, &format!("blocks {block:?}"));
        }
    }
    figure(
        "79 room: block sizes 1, 7, 32, 64, 480, 1024, random",
        "bit-identical",
        "bit-identical",
    );
}

#[test]
fn what_is_not_finite_does_not_stay() {
    let mut signal = noise(20_000, 7);
    let clean = signal.clone();
    for (n, x) in signal[100..130].iter_mut().enumerate() {
        *x = [f32::NAN, f32::INFINITY, f32::MAX, -f32::INFINITY][n % 4];
    }
    for name in ["early", "late"] {
        let outputs = run(
            make(name, RATE, &[]).as_mut(),
            &[(0, &signal)],
            &[],
            Some(64),
        );
        assert!(outputs.iter().flatten().all(|x| x.is_finite()), "{name}");
        let due = run(
            make(name, RATE, &[]).as_mut(),
            &[(0, &clean)],
            &[],
            Some(64),
        );
        let peak = |signals: &[Vec<f32>]| {
            signals
                .iter()
                .flatten()
                .fold(0.0f32, |peak, x| peak.max(x.abs()))
        };
        assert!(peak(&outputs) < 1.5 * peak(&due), "{name}");
    }
}
