//! Ambisonics through its nodes: encode, rotate, decode, against each other and against closed forms.

mod common;

use common::{BLOCKS, Random, cuts, figure, sine};
use std::f64::consts::TAU;
use zeitgeber::analysis::clicks::ClickFilter;
use zeitgeber::dsp::ambisonics::{MAX_CHANNELS, channels, degree, encode, n3d};
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::node::{Node, registry};

const RATE: f64 = 48_000.0;
const QUANTUM: usize = 32;

type Bus = Vec<Vec<f32>>;

fn make(name: &str, params: &[(&str, f64)]) -> Box<dyn Node> {
    let mut node = registry().create(name).unwrap();
    for (param, value) in params {
        set(node.as_mut(), param, *value);
    }
    node.init(RATE, 1 << 16).unwrap();
    node
}

fn set(node: &mut dyn Node, param: &str, value: f64) {
    let index = node.info().param(param);
    node.set_param(index.unwrap_or_else(|| panic!("{param}")), value);
}

/// Runs a node over a signal; before each quantum `drive` may set parameters.
fn run(
    node: &mut dyn Node,
    input: &[Vec<f32>],
    mut drive: impl FnMut(&mut dyn Node, usize),
) -> Bus {
    let _mode = DenormalGuard::new();
    let frames = input[0].len();
    let mut out = vec![vec![0.0; frames]; node.info().outputs];
    let silence = [0.0; QUANTUM];
    for start in (0..frames).step_by(QUANTUM) {
        drive(node, start);
        let end = (start + QUANTUM).min(frames);
        let ins: Vec<&[f32]> = (0..node.info().inputs)
            .map(|channel| match input.get(channel) {
                Some(input) => &input[start..end],
                None => &silence[..end - start],
            })
            .collect();
        let mut outs: Vec<&mut [f32]> = out.iter_mut().map(|x| &mut x[start..end]).collect();
        node.process(&ins, &mut outs);
    }
    out
}

fn still(_: &mut dyn Node, _: usize) {}

/// A plane wave of a signal, every channel of an order.
fn wave(signal: &[f32], order: usize, azimuth: f64, elevation: f64) -> Bus {
    encode(order, azimuth, elevation)
        .iter()
        .map(|gain| {
            signal
                .iter()
                .map(|x| (f64::from(*x) * gain) as f32)
                .collect()
        })
        .collect()
}

fn noise(frames: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed | 1);
    (0..frames).map(|_| random.sample()).collect()
}

fn noises(frames: usize) -> Bus {
    (0..MAX_CHANNELS as u64)
        .map(|channel| noise(frames, 77 + 2 * channel))
        .collect()
}

/// The largest difference.
fn apart(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    a.iter()
        .flatten()
        .zip(b.iter().flatten())
        .map(|(a, b)| f64::from((a - b).abs()))
        .fold(0.0, f64::max)
}

/// Rows are the head's front, left and up in the world.
fn axes(yaw: f64, pitch: f64, roll: f64) -> [[f64; 3]; 3] {
    let (sy, cy) = yaw.to_radians().sin_cos();
    let (sp, cp) = pitch.to_radians().sin_cos();
    let (sr, cr) = roll.to_radians().sin_cos();
    [
        [cy * cp, sy * cp, sp],
        [-sy * cr - cy * sp * sr, cy * cr - sy * sp * sr, cp * sr],
        [sy * sr - cy * sp * cr, -cy * sr - sy * sp * cr, cp * cr],
    ]
}

/// A direction as a turned head sees it, in degrees.
fn seen(axes: &[[f64; 3]; 3], azimuth: f64, elevation: f64) -> (f64, f64) {
    let (sa, ca) = azimuth.to_radians().sin_cos();
    let (se, ce) = elevation.to_radians().sin_cos();
    let world = [ce * ca, ce * sa, se];
    let [front, left, up] =
        axes.map(|axis| -> f64 { axis.iter().zip(world).map(|(a, w)| a * w).sum() });
    (
        left.atan2(front).to_degrees(),
        up.clamp(-1.0, 1.0).asin().to_degrees(),
    )
}

/// The unit quaternion of a turn about an axis, in degrees.
fn about(axis: usize, degrees: f64) -> [f64; 4] {
    let (s, c) = (0.5 * degrees.to_radians()).sin_cos();
    let mut q = [c, 0.0, 0.0, 0.0];
    q[1 + axis] = s;
    q
}

fn times(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [
        a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3],
        a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2],
        a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1],
        a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0],
    ]
}

fn quaternion(q: [f64; 4], order: f64) -> Vec<(&'static str, f64)> {
    vec![
        ("quaternion", 1.0),
        ("w", q[0]),
        ("x", q[1]),
        ("y", q[2]),
        ("z", q[3]),
        ("order", order),
    ]
}

const HEADS: [[f64; 3]; 6] = [
    [30.0, 0.0, 0.0],
    [0.0, 40.0, 0.0],
    [0.0, 0.0, -70.0],
    [110.0, 25.0, 60.0],
    [-170.0, -80.0, 179.0],
    [90.0, 90.0, 90.0],
];

#[test]
fn a_rotated_plane_wave_is_the_wave_of_the_rotated_direction() {
    let mut worst: f64 = 0.0;
    for order in [1, 2, 3, 5, 7] {
        for [yaw, pitch, roll] in HEADS {
            for (azimuth, elevation) in [(0.0, 0.0), (90.0, 0.0), (-130.0, 35.0), (12.0, -88.0)] {
                let x = noise(96, 5);
                let head = axes(yaw, pitch, roll);
                let (a, e) = seen(&head, azimuth, elevation);
                let expected = wave(&x, order, a, e);
                let angles = [
                    ("yaw", yaw),
                    ("pitch", pitch),
                    ("roll", roll),
                    ("order", order as f64),
                ];
                let input = wave(&x, order, azimuth, elevation);
                let out = run(make("rotate", &angles).as_mut(), &input, still);
                worst = worst.max(apart(&out, &expected));
                // Yaw, then pitch about the axis it has turned, then roll.
                let q = times(times(about(2, yaw), about(1, -pitch)), about(0, roll));
                let mut node = make("rotate", &quaternion(q, order as f64));
                worst = worst.max(apart(&run(node.as_mut(), &input, still), &expected));
            }
        }
    }
    figure(
        "23 rotated plane wave against the wave of the rotated direction",
        "<= 1e-6",
        &format!("{worst:.1e}"),
    );
    assert!(worst < 1e-6, "{worst}");
}

#[test]
fn a_rotation_and_its_inverse_are_the_identity() {
    let x = noises(960);
    let mut worst: f64 = 0.0;
    for [yaw, pitch, roll] in HEADS {
        let q = times(times(about(2, yaw), about(1, -pitch)), about(0, roll));
        let there = run(make("rotate", &quaternion(q, 7.0)).as_mut(), &x, still);
        let inverse = [q[0], -q[1], -q[2], -q[3]];
        let back = run(
            make("rotate", &quaternion(inverse, 7.0)).as_mut(),
            &there,
            still,
        );
        worst = worst.max(apart(&back, &x));
    }
    figure(
        "23 rotation, then its inverse, order 7",
        "<= 1e-6",
        &format!("{worst:.1e}"),
    );
    assert!(worst <= 1e-6, "{worst}");
}

#[test]
fn no_rotation_passes_bit_for_bit() {
    let mut x = noises(480);
    x[9][100] = -0.0;
    for order in 1..=7 {
        let out = run(
            make("rotate", &[("order", order as f64)]).as_mut(),
            &x,
            still,
        );
        for (channel, out) in out.iter().enumerate() {
            if channel < channels(order) {
                common::assert_same(
                    out,
                    &x[channel],
                    &format!("order {order}, channel {channel}"),
                );
            } else {
                assert!(out.iter().all(|x| x.to_bits() == 0));
            }
        }
    }
}

#[test]
fn encoding_is_that_of_the_harmonics_and_has_the_levels_of_the_ears() {
    let x = noise(960, 3);
    let mut worst: f64 = 0.0;
    for (azimuth, elevation, distance, gain) in [
        (0.0, 0.0, 1.5, 1.0),
        (75.0, -20.0, 1.5, 0.5),
        (-100.0, 60.0, 2.0, 1.0),
        (10.0, 0.0, 0.5, 1.0),
    ] {
        let places = [
            ("azimuth3", azimuth),
            ("elevation3", elevation),
            ("distance3", distance),
            ("gain3", gain),
            ("order", 7.0),
        ];
        let mut input = vec![vec![0.0; 960]; 2];
        input.push(x.clone());
        let out = run(make("encode", &places).as_mut(), &input, still);
        let level = gain
            * if distance < 1.0 {
                1.5 * (2.0 - distance)
            } else {
                1.5 / distance
            };
        let scaled: Vec<f32> = x.iter().map(|x| (f64::from(*x) * level) as f32).collect();
        worst = worst.max(apart(&out, &wave(&scaled, 7, azimuth, elevation)));
    }
    figure(
        "23 encode against the harmonics",
        "-",
        &format!("{worst:.1e}"),
    );
    assert!(worst < 1e-6, "{worst}");
    // A bus is added as it is, whatever the order.
    let mut input = vec![vec![0.0; 96]; 10];
    input.extend(noises(96));
    let out = run(make("encode", &[("order", 1.0)]).as_mut(), &input, still);
    assert!(apart(&out, &input[10..]) == 0.0);
}

#[test]
fn air_darkens_what_is_far_and_delays_nothing() {
    let mut input = vec![vec![0.0; 4800]];
    input[0][0] = 1.0;
    let out = run(
        make("encode", &[("distance1", 30.0)]).as_mut(),
        &input,
        still,
    );
    assert!(out[0][0] > 0.0, "the first frame answers");
    let gain = |hertz: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, x) in out[0].iter().enumerate() {
            re += f64::from(*x) * (TAU * hertz * n as f64 / RATE).cos();
            im += f64::from(*x) * (TAU * hertz * n as f64 / RATE).sin();
        }
        20.0 * (re.hypot(im) * 30.0 / 1.5).log10()
    };
    // ISO 9613-1 at 20 degrees, 50 %: some 0.103 dB a metre at 8 kHz, 0.0047 at 1 kHz; the first 2 m are eased in.
    let (low, high) = (gain(1000.0), gain(8000.0));
    println!("30 m: {low:.2} dB at 1 kHz, {high:.2} dB at 8 kHz");
    assert!((-0.3..0.01).contains(&low) && (-3.2..-2.3).contains(&high));
}

/// What another format's bus of a plane wave is.
fn formatted(format: usize, x: &[f32], azimuth: f64, elevation: f64) -> Bus {
    let (a, e) = (azimuth.to_radians(), elevation.to_radians());
    match format {
        0 => wave(x, 7, azimuth, elevation),
        1 => wave(x, 7, azimuth, elevation)
            .into_iter()
            .enumerate()
            .map(|(acn, channel)| {
                let gain = n3d(degree(acn).0);
                channel
                    .into_iter()
                    .map(|x| (f64::from(x) * gain) as f32)
                    .collect()
            })
            .collect(),
        _ => {
            // Malham's table.
            let (se, ce) = (e.sin(), e.cos());
            let gains = [
                0.5f64.sqrt(),
                a.cos() * ce,
                a.sin() * ce,
                se,
                1.5 * se * se - 0.5,
                a.cos() * (2.0 * e).sin(),
                a.sin() * (2.0 * e).sin(),
                (2.0 * a).cos() * ce * ce,
                (2.0 * a).sin() * ce * ce,
                se * (5.0 * se * se - 3.0) / 2.0,
                (135.0f64 / 256.0).sqrt() * a.cos() * ce * (5.0 * se * se - 1.0),
                (135.0f64 / 256.0).sqrt() * a.sin() * ce * (5.0 * se * se - 1.0),
                27f64.sqrt() / 2.0 * (2.0 * a).cos() * se * ce * ce,
                27f64.sqrt() / 2.0 * (2.0 * a).sin() * se * ce * ce,
                (3.0 * a).cos() * ce.powi(3),
                (3.0 * a).sin() * ce.powi(3),
            ];
            let all = gains.iter().chain([0.0; 48].iter());
            all.map(|gain| x.iter().map(|x| (f64::from(*x) * gain) as f32).collect())
                .collect()
        }
    }
}

#[test]
fn other_formats_become_acn_and_sn3d() {
    let x = noise(96, 3);
    let mut worst: f64 = 0.0;
    for (format, order) in [(0, 7), (1, 7), (2, 3)] {
        for (azimuth, elevation) in [(0.0, 0.0), (75.0, -20.0), (-100.0, 60.0), (190.0, 90.0)] {
            let mut node = make("bus_in", &[("format", format as f64)]);
            let out = run(
                node.as_mut(),
                &formatted(format, &x, azimuth, elevation),
                still,
            );
            worst = worst.max(apart(&out, &wave(&x, order, azimuth, elevation)));
        }
    }
    figure("23 N3D and FuMa against SN3D", "-", &format!("{worst:.1e}"));
    assert!(worst < 1e-6, "{worst}");
}

/// The loudest click of any channel in dB re the loudest channel's peak, without the start.
fn click(bus: &[Vec<f32>]) -> f64 {
    let filter = ClickFilter::new(RATE).unwrap();
    let peak = bus
        .iter()
        .flatten()
        .fold(0.0f32, |peak, x| peak.max(x.abs()));
    bus.iter()
        .filter(|channel| channel.iter().any(|x| *x != 0.0))
        .map(|channel| filter.click(&channel[4800..], f64::from(peak)))
        .fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn trackers_and_jumps_do_not_click() {
    let frames = 48_000;
    let tone = sine(frames, RATE, 0.5, 400.0, 0.0);
    let input = wave(&tone, 7, 40.0, 10.0);
    // A head that swings by 60 degrees at 1 Hz, told at 1 kHz with a tremor of a tenth of a degree.
    let mut random = Random(9);
    let mut last = [0.0; 3];
    let tracked = run(
        make("rotate", &[("order", 7.0)]).as_mut(),
        &input,
        |node, frame| {
            // What the tracker said last, on its own grid of 48 frames.
            let told = frame / 48 * 48;
            if told + 48 > frame {
                let t = told as f64 / RATE;
                let tremor = |random: &mut Random| 0.1 * f64::from(random.sample());
                last = [
                    60.0 * (TAU * t).sin() + tremor(&mut random),
                    20.0 * (TAU * 0.7 * t).sin() + tremor(&mut random),
                    10.0 * (TAU * 1.3 * t).sin() + tremor(&mut random),
                ];
            }
            for (name, value) in ["yaw", "pitch", "roll"].iter().zip(last) {
                set(node, name, value);
            }
        },
    );
    let tracked = click(&tracked);
    let smooth = run(
        make("rotate", &[("order", 7.0)]).as_mut(),
        &input,
        |node, frame| {
            let told = frame / 48 * 48;
            set(node, "yaw", 60.0 * (TAU * told as f64 / RATE).sin());
        },
    );
    let smooth = click(&smooth);
    let jumps = run(
        make("rotate", &[("order", 7.0)]).as_mut(),
        &input,
        |node, frame| {
            set(node, "yaw", [0.0, 90.0, -100.0, 6.0][frame / 9600 % 4]);
            set(node, "order", [7.0, 7.0, 3.0, 5.0, 1.0][frame / 4800 % 5]);
        },
    );
    let jumps = click(&jumps);
    let mut sources = vec![tone.clone()];
    sources.resize(10, vec![0.0; frames]);
    let places = run(
        make("encode", &[("order", 7.0)]).as_mut(),
        &sources,
        |node, frame| {
            set(node, "azimuth1", [0.0, 90.0, -100.0, 6.0][frame / 9600 % 4]);
            set(node, "distance1", [1.5, 3.0, 0.5][frame / 7200 % 3]);
            set(node, "order", [7.0, 7.0, 3.0, 5.0, 1.0][frame / 4800 % 5]);
        },
    );
    let places = click(&places);
    let formats = run(make("bus_in", &[]).as_mut(), &input, |node, frame| {
        set(node, "format", [0.0, 1.0, 2.0][frame / 4800 % 3]);
    });
    let formats = click(&formats);
    let decoded = run(
        make("decode", &[("order", 7.0)]).as_mut(),
        &input,
        |node, frame| {
            set(node, "order", [7.0, 3.0, 1.0, 5.0][frame / 6400 % 4]);
            set(node, "equalised", [1.0, 0.0][frame / 9600 % 2]);
        },
    );
    let decoded = click(&decoded);
    println!("tracker with a tremor of 0.1 degrees: {tracked:.1} dB");
    figure(
        "24 clicks: tracker at 1 kHz / jumps of head and order, order 7",
        "<= -80 dB",
        &format!("{smooth:.1} / {jumps:.1} dB"),
    );
    figure(
        "24 clicks: jumps of sources / formats / decoders",
        "<= -80 dB",
        &format!("{places:.1} / {formats:.1} / {decoded:.1} dB"),
    );
    for level in [smooth, jumps, places, formats, decoded] {
        assert!(level <= -80.0, "{level}");
    }
}

/// Energy beyond +-300 Hz of a tone in dB re all of it (Blackman and Harris's window; its sidelobes are at -92 dB and
/// fall, its main lobe is 4 bins).
fn sidebands(signal: &[f32], hertz: f64) -> f64 {
    let frames = signal.len();
    let window = |n: usize| {
        let x = TAU * n as f64 / frames as f64;
        // Nuttall's, continuous with its slope: lobes fall by 18 dB an octave.
        0.355_768 - 0.487_396 * x.cos() + 0.144_232 * (2.0 * x).cos() - 0.012_604 * (3.0 * x).cos()
    };
    let mut planner = rustfft::FftPlanner::<f64>::new();
    let mut bins: Vec<rustfft::num_complex::Complex<f64>> = signal
        .iter()
        .enumerate()
        .map(|(n, x)| rustfft::num_complex::Complex::new(window(n) * f64::from(*x), 0.0))
        .collect();
    planner.plan_fft_forward(frames).process(&mut bins);
    let (mut near, mut far) = (0.0, 0.0);
    for (k, bin) in bins.iter().enumerate().take(frames / 2) {
        let away = (k as f64 * RATE / frames as f64 - hertz).abs();
        *if away > 300.0 { &mut far } else { &mut near } += bin.norm_sqr();
    }
    10.0 * (far / near).log10()
}

#[test]
fn moving_sources_and_heads_have_no_sidebands() {
    let frames = 96_000;
    for (hertz, bar) in [(1000.0, -110.0), (4000.0, -100.0)] {
        let tone = sine(frames, RATE, 0.5, hertz, 0.0);
        let mut sources = vec![tone.clone()];
        sources.resize(10, vec![0.0; frames]);
        let mut node = make("encode", &[("order", 7.0), ("motion", 1.0)]);
        let orbit = |frame: usize| 90.0 * frame as f64 / RATE;
        let bus = run(node.as_mut(), &sources, |node, frame| {
            set(node, "azimuth1", orbit(frame + QUANTUM).rem_euclid(360.0));
        });
        let worst = |bus: &Bus| {
            bus.iter()
                .filter(|channel| channel.iter().any(|x| x.abs() > 0.01))
                .map(|channel| sidebands(channel, hertz))
                .fold(f64::NEG_INFINITY, f64::max)
        };
        let encoded = worst(&bus);
        let ears = worst(&run(
            make("decode", &[("order", 7.0)]).as_mut(),
            &bus,
            still,
        ));
        let input = wave(&tone, 7, 20.0, 5.0);
        let turned = run(
            make("rotate", &[("order", 7.0)]).as_mut(),
            &input,
            |node, frame| {
                set(node, "yaw", orbit(frame + QUANTUM).rem_euclid(360.0));
            },
        );
        let turned = worst(&turned);
        figure(
            &format!(
                "25 sidebands at 90 deg/s, {hertz} Hz, order 7: worst channel encoded / rotated, ears"
            ),
            &format!("<= {bar} dB"),
            &format!("{encoded:.1} / {turned:.1}, {ears:.1} dB"),
        );
        for level in [encoded, turned, ears] {
            assert!(level <= bar, "{hertz}: {level}");
        }
    }
}

#[test]
fn encoded_rotated_decoded_is_decoded_from_the_rotated_direction() {
    let x = noise(9600, 4);
    let mut sources = vec![x.clone()];
    sources.resize(10, vec![0.0; 9600]);
    let mut worst: f64 = f64::NEG_INFINITY;
    for order in [1.0, 3.0, 5.0, 7.0] {
        for [yaw, pitch, roll] in HEADS {
            let (azimuth, elevation) = (50.0, 10.0);
            let place = |a: f64, e: f64| [("azimuth1", a), ("elevation1", e), ("order", order)];
            let bus = run(
                make("encode", &place(azimuth, elevation)).as_mut(),
                &sources,
                still,
            );
            let angles = [
                ("yaw", yaw),
                ("pitch", pitch),
                ("roll", roll),
                ("order", order),
            ];
            let bus = run(make("rotate", &angles).as_mut(), &bus, still);
            let ears = run(make("decode", &[("order", order)]).as_mut(), &bus, still);
            let (a, e) = seen(&axes(yaw, pitch, roll), azimuth, elevation);
            let direct = run(make("encode", &place(a, e)).as_mut(), &sources, still);
            let direct = run(make("decode", &[("order", order)]).as_mut(), &direct, still);
            let energy = |a: &Bus| {
                a.iter()
                    .flatten()
                    .map(|x| f64::from(*x).powi(2))
                    .sum::<f64>()
            };
            let difference: f64 = ears
                .iter()
                .flatten()
                .zip(direct.iter().flatten())
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum();
            worst = worst.max(10.0 * (difference / energy(&direct)).log10());
            let first = direct
                .iter()
                .map(|ear| ear.iter().position(|x| *x != 0.0))
                .min();
            assert_eq!(first, Some(Some(QUANTUM)), "the onset is a partition");
        }
    }
    figure(
        "23 encode, rotate, decode against decode of the rotated direction",
        "-",
        &format!("{worst:.1} dB"),
    );
    assert!(worst < -120.0, "{worst}");
}

#[test]
fn a_chain_of_all_gives_the_same_bits_in_any_blocks() {
    let frames = 20_000;
    let mut input: Bus = (0..10)
        .map(|source| common::bursts(frames, source + 1))
        .collect();
    input.extend((0..MAX_CHANNELS as u64).map(|channel| common::bursts(frames, 50 + channel)));
    let chain = |block: Option<usize>| {
        let _mode = DenormalGuard::new();
        let mut nodes = [
            make("encode", &[("order", 7.0)]),
            make("rotate", &[("order", 7.0)]),
            make("decode", &[("order", 7.0)]),
        ];
        let mut ears = [Vec::new(), Vec::new()];
        let mut start = 0;
        for size in cuts(frames, block, 3) {
            let end = start + size;
            while start < end {
                // Blocks are cut where parameters change: every 1000 frames, beside the grid.
                let step = start / 1000;
                let stop = ((step + 1) * 1000).min(end);
                set(nodes[0].as_mut(), "azimuth1", 37.0 * step as f64 % 360.0);
                set(nodes[0].as_mut(), "azimuth2", step as f64);
                set(nodes[0].as_mut(), "distance3", 1.0 + step as f64);
                set(nodes[1].as_mut(), "yaw", [2.0, 4.0, 90.0][step % 3]);
                set(nodes[1].as_mut(), "pitch", step as f64);
                set(
                    nodes[2].as_mut(),
                    "order",
                    [7.0, 7.0, 7.0, 3.0, 1.0][step % 5],
                );
                let mut signal: Bus = input.iter().map(|x| x[start..stop].to_vec()).collect();
                for node in &mut nodes {
                    let ins: Vec<&[f32]> = signal.iter().map(Vec::as_slice).collect();
                    let mut out = vec![vec![0.0; stop - start]; node.info().outputs];
                    let mut outs: Vec<&mut [f32]> = out.iter_mut().map(Vec::as_mut_slice).collect();
                    node.process(&ins, &mut outs);
                    signal = out;
                }
                for (ear, signal) in ears.iter_mut().zip(signal) {
                    ear.extend(signal);
                }
                start = stop;
            }
        }
        ears
    };
    let reference = chain(Some(4096));
    for block in BLOCKS {
        let other = chain(*block);
        for ear in 0..2 {
            common::assert_same(
                &reference[ear],
                &other[ear],
                &format!("blocks of {block:?}"),
            );
        }
    }
}

#[test]
fn faust_encodes_as_we_do() {
    let x = noise(4800, 3);
    let mut worst: f64 = 0.0;
    for order in [1, 2, 3] {
        for (azimuth, elevation) in [
            (0.0, 0.0),
            (75.0, -20.0),
            (-100.0, 60.0),
            (170.0, 90.0),
            (1.0, -90.0),
        ] {
            let mut node = make(
                &format!("encode_{order}"),
                &[("azimuth", azimuth), ("elevation", elevation)],
            );
            let out = run(node.as_mut(), std::slice::from_ref(&x), still);
            assert_eq!(out.len(), channels(order));
            worst = worst.max(apart(&out, &wave(&x, order, azimuth, elevation)));
        }
    }
    figure(
        "23 Faust's encoders against ours, orders 1 to 3",
        "-",
        &format!("{worst:.1e}"),
    );
    assert!(worst < 1e-6, "{worst}");
    let tone = sine(48_000, RATE, 0.5, 400.0, 0.0);
    let mut node = make("encode_3", &[]);
    let out = run(node.as_mut(), &[tone], |node, frame| {
        set(node, "azimuth", [0.0, 90.0, -100.0, 6.0][frame / 9600 % 4]);
    });
    let level = click(&out);
    figure(
        "24 clicks: jumps of Faust's encoder of order 3",
        "<= -80 dB",
        &format!("{level:.1} dB"),
    );
    assert!(level <= -80.0, "{level}");
}
