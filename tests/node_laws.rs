//! The laws of the node contract, for every registered node by itself: a new node is tested for nothing.

mod common;

use common::{BLOCKS, Random, assert_same, bits, bursts, cuts};
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::dsp::phase;
use zeitgeber::node::{Node, ParamKind, registry};

const FRAMES: usize = 20_000;
const GRID: usize = 32;

fn names() -> Vec<String> {
    let names: Vec<String> = registry()
        .infos()
        .iter()
        .map(|info| info.name.clone())
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    names
}

fn make(name: &str, rate: f64) -> Box<dyn Node> {
    let mut node = registry().create(name).unwrap();
    node.init(rate, 1024).unwrap();
    node
}

fn inputs(node: &dyn Node, seed: u64) -> Vec<Vec<f32>> {
    (0..node.info().inputs as u64)
        .map(|channel| bursts(FRAMES, seed * 100 + channel))
        .collect()
}

/// Parameter changes at fixed frames: each parameter visits its ends and some places in between, switches
/// go on, so that there is something to get wrong.
fn changes(node: &dyn Node) -> Vec<(usize, usize, f64)> {
    let mut random = Random(7);
    let mut changes = Vec::new();
    for (index, param) in node.info().params.iter().enumerate() {
        if param.kind == ParamKind::Switch {
            changes.push((0, index, 1.0));
        }
        for value in [param.min, param.max, param.default] {
            changes.push((random.below(FRAMES as u64) as usize, index, value));
        }
        for _ in 0..4 {
            let share = random.below(1000) as f64 / 1000.0;
            let value = param.min + share * (param.max - param.min);
            changes.push((random.below(FRAMES as u64) as usize, index, value));
        }
    }
    changes.sort_by_key(|(frame, index, _)| (*frame, *index));
    changes
}

/// Sets the phase inputs at a frame of the grid: frequencies that differ and sweep.
fn drive(node: &mut dyn Node, frame: usize, rate: f64) {
    for index in 0..node.info().phases.len() {
        let increment = phase::increment(200.0 + 57.3 * index as f64, rate) as u64;
        let phase = increment.wrapping_mul(frame as u64);
        node.set_phase(index, phase, increment, frame as i64 * 1_000_003);
    }
}

#[derive(Clone, Copy)]
enum Way {
    Apart,
    InPlace,
}

/// Runs a node over a signal in blocks, with the changes and phases at their frames. Blocks are cut at
/// changes and at the grid of the phases, and nowhere else than the block size says besides.
fn run(
    node: &mut dyn Node,
    input: &[Vec<f32>],
    block: Option<usize>,
    changes: &[(usize, usize, f64)],
    rate: f64,
    way: Way,
) -> Vec<Vec<f32>> {
    let _mode = DenormalGuard::new();
    let outputs = node.info().outputs;
    let frames = input.first().map_or(FRAMES, Vec::len);
    let has_phases = !node.info().phases.is_empty();
    let mut result = vec![Vec::with_capacity(frames); outputs];
    let mut changes = changes.iter().peekable();
    let mut start = 0;
    for size in cuts(frames, block, 3) {
        let block_end = start + size;
        loop {
            while let Some((_, index, value)) = changes.next_if(|(at, ..)| *at <= start) {
                node.set_param(*index, *value);
            }
            if has_phases && start % GRID == 0 {
                drive(node, start, rate);
            }
            let mut end = block_end;
            if let Some((at, ..)) = changes.peek() {
                end = end.min(*at);
            }
            if has_phases {
                end = end.min((start / GRID + 1) * GRID);
            }
            let ins: Vec<&[f32]> = input.iter().map(|channel| &channel[start..end]).collect();
            let width = outputs.max(ins.len());
            let mut buffers: Vec<Vec<f32>> = (0..width)
                .map(|c| match way {
                    Way::InPlace => ins.get(c).map_or(vec![0.0; end - start], |i| i.to_vec()),
                    Way::Apart => vec![f32::NAN; end - start],
                })
                .collect();
            let mut outs: Vec<&mut [f32]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
            match way {
                Way::Apart => node.process(&ins, &mut outs[..outputs]),
                Way::InPlace => assert!(node.process_in_place(&mut outs)),
            }
            for (result, buffer) in result.iter_mut().zip(&buffers) {
                result.extend_from_slice(buffer);
            }
            start = end;
            if start >= block_end {
                break;
            }
        }
    }
    result
}

fn assert_all_same(a: &[Vec<f32>], b: &[Vec<f32>], what: &str) {
    for (channel, (a, b)) in a.iter().zip(b).enumerate() {
        assert_same(a, b, &format!("{what}, channel {channel}"));
    }
}

#[test]
fn every_block_size_gives_the_same_bits() {
    for name in names() {
        for rate in [44_100.0, 48_000.0] {
            let reference = {
                let mut node = make(&name, rate);
                let changes = changes(node.as_ref());
                let input = inputs(node.as_ref(), 1);
                run(
                    node.as_mut(),
                    &input,
                    Some(1024),
                    &changes,
                    rate,
                    Way::Apart,
                )
            };
            for block in BLOCKS {
                let mut node = make(&name, rate);
                let changes = changes(node.as_ref());
                let input = inputs(node.as_ref(), 1);
                let output = run(node.as_mut(), &input, *block, &changes, rate, Way::Apart);
                assert_all_same(&reference, &output, &format!("{name}, blocks {block:?}"));
            }
        }
    }
}

#[test]
fn zero_frames_change_nothing() {
    for name in names() {
        let mut node = make(&name, 48_000.0);
        let input = inputs(node.as_ref(), 1);
        let before = run(node.as_mut(), &input, Some(64), &[], 48_000.0, Way::Apart);
        let mut other = make(&name, 48_000.0);
        let ins: Vec<&[f32]> = vec![&[]; other.info().inputs];
        let mut buffers = vec![Vec::<f32>::new(); other.info().outputs];
        let mut outs: Vec<&mut [f32]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
        other.process(&ins, &mut outs);
        let after = run(other.as_mut(), &input, Some(64), &[], 48_000.0, Way::Apart);
        assert_all_same(&before, &after, &name);
    }
}

#[test]
fn in_place_gives_the_same_bits() {
    let mut asked = 0;
    for name in names() {
        let mut node = make(&name, 48_000.0);
        if node.info().language == "rust" {
            // Rust's types rule shared buffers out: the node says so and touches nothing.
            assert!(!node.process_in_place(&mut []), "{name}");
            continue;
        }
        let changes = changes(node.as_ref());
        let input = inputs(node.as_ref(), 1);
        let apart = run(
            node.as_mut(),
            &input,
            Some(480),
            &changes,
            48_000.0,
            Way::Apart,
        );
        let mut node = make(&name, 48_000.0);
        let in_place = run(
            node.as_mut(),
            &input,
            Some(480),
            &changes,
            48_000.0,
            Way::InPlace,
        );
        assert_all_same(&apart, &in_place, &name);
        asked += 1;
    }
    assert!(asked >= 4);
}

#[test]
fn reset_equals_fresh() {
    for name in names() {
        let mut fresh = make(&name, 48_000.0);
        let input = inputs(fresh.as_ref(), 1);
        let changes = changes(fresh.as_ref());
        let expected = run(
            fresh.as_mut(),
            &input,
            Some(64),
            &changes,
            48_000.0,
            Way::Apart,
        );
        let mut used = make(&name, 48_000.0);
        run(
            used.as_mut(),
            &inputs(fresh.as_ref(), 9),
            Some(64),
            &changes,
            48_000.0,
            Way::Apart,
        );
        for (index, param) in used.info().clone().params.iter().enumerate() {
            used.set_param(index, param.default);
        }
        used.reset();
        let output = run(
            used.as_mut(),
            &input,
            Some(64),
            &changes,
            48_000.0,
            Way::Apart,
        );
        assert_all_same(&expected, &output, &name);
    }
}

#[test]
fn parameters_survive_reset_and_init() {
    for name in names() {
        let mut node = make(&name, 48_000.0);
        let params = node.info().clone().params;
        for (index, param) in params.iter().enumerate() {
            node.set_param(index, param.max);
        }
        let values = |node: &dyn Node| -> Vec<f64> {
            params
                .iter()
                .enumerate()
                .filter(|(_, param)| param.kind != ParamKind::Readout)
                .map(|(index, _)| node.get_param(index))
                .collect()
        };
        let before = values(node.as_ref());
        node.reset();
        assert_eq!(before, values(node.as_ref()), "{name}: reset");
        node.init(96_000.0, 64).unwrap();
        assert_eq!(before, values(node.as_ref()), "{name}: init");
    }
}

#[test]
fn two_instances_do_not_disturb_each_other_even_on_two_threads() {
    for name in names() {
        let alone = {
            let mut node = make(&name, 48_000.0);
            let (changes, input) = (changes(node.as_ref()), inputs(node.as_ref(), 1));
            run(
                node.as_mut(),
                &input,
                Some(64),
                &changes,
                48_000.0,
                Way::Apart,
            )
        };
        let renders: Vec<Vec<Vec<f32>>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4u64)
                .map(|thread| {
                    let name = &name;
                    scope.spawn(move || {
                        // Others run at other rates and on other signals.
                        let rate = if thread % 2 == 0 { 48_000.0 } else { 88_200.0 };
                        let seed = if thread % 2 == 0 { 1 } else { 5 + thread };
                        let mut node = make(name, rate);
                        let (changes, input) =
                            (changes(node.as_ref()), inputs(node.as_ref(), seed));
                        run(node.as_mut(), &input, Some(64), &changes, rate, Way::Apart)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_all_same(&alone, &renders[0], &name);
        assert_all_same(&alone, &renders[2], &name);
    }
}

#[test]
fn full_scale_stays_finite_and_leaves_no_trace() {
    for name in names() {
        let mut node = make(&name, 48_000.0);
        let mut input = inputs(node.as_ref(), 1);
        for channel in &mut input {
            for x in &mut channel[1000..2000] {
                *x = if *x < 0.0 { -1.0 } else { 1.0 };
            }
        }
        let changes = changes(node.as_ref());
        let output = run(
            node.as_mut(),
            &input,
            Some(64),
            &changes,
            48_000.0,
            Way::Apart,
        );
        for channel in output {
            assert!(channel.iter().all(|x| x.is_finite()), "{name}");
        }
    }
}

#[test]
fn what_is_not_finite_is_gone_after_a_reset() {
    // The engine repairs its input and resets what overflowed; a node must recover from that.
    for name in names() {
        let mut node = make(&name, 48_000.0);
        let input = inputs(node.as_ref(), 1);
        let expected = run(node.as_mut(), &input, Some(64), &[], 48_000.0, Way::Apart);
        let mut bad = input.clone();
        for (n, x) in bad.iter_mut().flatten().enumerate() {
            *x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1e-42][n % 5];
        }
        let mut node = make(&name, 48_000.0);
        run(node.as_mut(), &bad, Some(64), &[], 48_000.0, Way::Apart);
        node.reset();
        let output = run(node.as_mut(), &input, Some(64), &[], 48_000.0, Way::Apart);
        assert_all_same(&expected, &output, &name);
    }
}

#[test]
fn parameters_clamp_and_ignore_what_is_not_finite() {
    for name in names() {
        let mut node = make(&name, 48_000.0);
        for (index, param) in node.info().clone().params.iter().enumerate() {
            if param.kind == ParamKind::Readout {
                let before = node.get_param(index);
                node.set_param(index, param.max + 1.0);
                assert_eq!(node.get_param(index), before, "{name}.{}", param.name);
                continue;
            }
            assert_eq!(
                node.get_param(index),
                param.default,
                "{name}.{}",
                param.name
            );
            node.set_param(index, param.max + 1.0 + param.max.abs());
            assert_eq!(node.get_param(index), param.max, "{name}.{}", param.name);
            node.set_param(index, param.min - 1.0 - param.min.abs());
            assert_eq!(node.get_param(index), param.min, "{name}.{}", param.name);
            for nonsense in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                node.set_param(index, nonsense);
                assert_eq!(node.get_param(index), param.min, "{name}.{}", param.name);
            }
        }
        let beyond = node.info().params.len();
        node.set_param(beyond, 1.0);
        node.set_param(usize::MAX, 1.0);
        assert_eq!(node.get_param(beyond), 0.0);
        node.set_phase(usize::MAX, 1, 1, 1);
    }
}

#[test]
fn rates_from_8_to_768_khz_stay_finite() {
    for name in names() {
        for rate in [
            8_000.0, 11_025.0, 22_050.0, 96_000.0, 192_000.0, 384_000.0, 768_000.0,
        ] {
            let mut node = make(&name, rate);
            let (changes, input) = (changes(node.as_ref()), inputs(node.as_ref(), 1));
            let output = run(node.as_mut(), &input, Some(480), &changes, rate, Way::Apart);
            for channel in output {
                assert!(
                    channel.iter().all(|x| x.is_finite() && x.abs() < 1e4),
                    "{name} at {rate}"
                );
            }
        }
    }
}

#[test]
fn descriptions_are_complete() {
    for info in registry().infos() {
        assert!(!info.help.is_empty(), "{}: no help", info.name);
        assert!(
            ["faust", "c++", "rust"].contains(&info.language.as_str()),
            "{}",
            info.name
        );
        assert_eq!(
            info.latency, 0,
            "{}: built-in nodes do not delay",
            info.name
        );
        for param in &info.params {
            assert!(
                !param.help.is_empty(),
                "{}.{}: no help",
                info.name,
                param.name
            );
        }
        for (groups, channels) in [
            (&info.input_groups, info.inputs),
            (&info.output_groups, info.outputs),
        ] {
            assert_eq!(
                groups.iter().map(|group| group.channels).sum::<usize>(),
                channels
            );
        }
    }
    assert!(
        registry()
            .create("gaet")
            .is_err_and(|e| e.to_string().contains("\"gate\""))
    );
}

#[test]
fn the_tests_can_tell_signals_apart() {
    let mut node = make("gate", 48_000.0);
    let input = inputs(node.as_ref(), 1);
    let a = run(node.as_mut(), &input, Some(64), &[], 48_000.0, Way::Apart);
    let changed = changes(node.as_ref());
    let mut node = make("gate", 48_000.0);
    let b = run(
        node.as_mut(),
        &input,
        Some(64),
        &changed,
        48_000.0,
        Way::Apart,
    );
    assert_ne!(bits(&a[0]), bits(&b[0]));
}
