//! Laws of graphs that nobody thought of: random ones, with nodes that are late, and graphs that are exchanged
//! while they play.

mod common;

use common::{BLOCKS, Random, assert_same, bursts, cuts};
use proptest::prelude::*;
use zeitgeber::dsp::denormals::DenormalGuard;
use zeitgeber::graph::{Activity, Graph, GraphError, GraphRun, Player, swappable};
use zeitgeber::node::oversample::oversampled;
use zeitgeber::node::{Node, NodeError, NodeInfo, registry};

const RATE: f64 = 48_000.0;
const FRAMES: usize = 4_000;

/// Stereo, and nothing but late.
struct Late {
    info: NodeInfo,
    past: Vec<[f32; 2]>,
    at: usize,
}

impl Late {
    fn boxed(frames: usize) -> Box<dyn Node> {
        let mut info = registry().info("gain").unwrap().clone();
        info.params.clear();
        info.latency = frames as u32;
        Box::new(Late {
            info,
            past: vec![[0.0; 2]; frames],
            at: 0,
        })
    }
}

impl Node for Late {
    fn info(&self) -> &NodeInfo {
        &self.info
    }
    fn init(&mut self, _: f64, _: usize) -> Result<(), NodeError> {
        Ok(())
    }
    fn reset(&mut self) {
        self.past.fill([0.0; 2]);
    }
    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        for n in 0..inputs[0].len() {
            let now = [inputs[0][n], inputs[1][n]];
            let before = std::mem::replace(&mut self.past[self.at], now);
            self.at = (self.at + 1) % self.past.len();
            (outputs[0][n], outputs[1][n]) = (before[0], before[1]);
        }
    }
    fn set_param(&mut self, _: usize, _: f64) {}
    fn get_param(&self, _: usize) -> f64 {
        0.0
    }
}

/// A random graph: kinds of nodes, and connections as (from, to) where 0 is the graph's own end.
struct Plan {
    kinds: Vec<usize>,
    connections: Vec<(usize, usize)>,
    /// The order in which nodes are added.
    order: Vec<usize>,
}

fn plan(seed: u64, nodes: usize) -> Plan {
    let mut random = Random(seed | 1);
    let kinds = (0..nodes).map(|_| random.below(6) as usize).collect();
    let mut connections = Vec::new();
    for to in 1..=nodes {
        for from in 0..to {
            if random.below(3) == 0 {
                connections.push((from, to));
            }
        }
    }
    for from in 0..=nodes {
        if random.below(4) == 0 {
            connections.push((from, 0));
        }
    }
    connections.push((nodes, 0));
    let shuffle = |list: &mut Vec<(usize, usize)>, random: &mut Random| {
        for n in (1..list.len()).rev() {
            list.swap(n, random.below(n as u64 + 1) as usize);
        }
    };
    shuffle(&mut connections, &mut random);
    let mut order: Vec<usize> = (1..=nodes).collect();
    for n in (1..order.len()).rev() {
        order.swap(n, random.below(n as u64 + 1) as usize);
    }
    Plan {
        kinds,
        connections,
        order,
    }
}

fn make(kind: usize, number: usize) -> Box<dyn Node> {
    match kind {
        0 | 1 => {
            let mut node = registry().create("gain").unwrap();
            let gain = node.info().param("gain").unwrap();
            node.set_param(gain, -3.0 - number as f64);
            node
        }
        2 => registry().create("low_pass").unwrap(),
        3 => registry().create("gain@2").unwrap(),
        _ => Late::boxed(1 + (number * 37) % 150),
    }
}

fn graph(plan: &Plan) -> Graph {
    let mut graph = Graph::new(2, 2);
    for number in &plan.order {
        graph
            .add(&format!("n{number}"), make(plan.kinds[number - 1], *number))
            .unwrap();
    }
    for (from, to) in &plan.connections {
        let name = |number: &usize, end: &str| match number {
            0 => end.to_owned(),
            number => format!("n{number}"),
        };
        graph.connect(&name(from, "in"), &name(to, "out")).unwrap();
    }
    graph
}

/// Each node once over the whole signal, in the order of their numbers, what meets shifted by hand.
fn naive(plan: &Plan, input: &[Vec<f32>; 2]) -> ([Vec<f32>; 2], usize) {
    let _mode = DenormalGuard::new();
    let mut signals = vec![input.clone()];
    let mut late = vec![0];
    let gather = |to: usize, signals: &[[Vec<f32>; 2]], late: &[usize]| {
        let sources: Vec<usize> = plan
            .connections
            .iter()
            .filter(|connection| connection.1 == to)
            .map(|connection| connection.0)
            .collect();
        let latest = sources.iter().map(|from| late[*from]).max().unwrap_or(0);
        let met = [0, 1].map(|ear| {
            (0..FRAMES)
                .map(|n| {
                    let heard = |from: &usize| {
                        let early = latest - late[*from];
                        if n < early {
                            0.0
                        } else {
                            signals[*from][ear][n - early]
                        }
                    };
                    match &sources[..] {
                        [one] => heard(one),
                        many => many.iter().map(|from| f64::from(heard(from))).sum::<f64>() as f32,
                    }
                })
                .collect::<Vec<f32>>()
        });
        (met, latest)
    };
    for (index, kind) in plan.kinds.iter().enumerate() {
        let number = index + 1;
        let (met, latest) = gather(number, &signals, &late);
        let mut node = make(*kind, number);
        node.init(RATE, FRAMES).unwrap();
        let mut out = [vec![0.0; FRAMES], vec![0.0; FRAMES]];
        let [left, right] = &mut out;
        node.process(&[&met[0], &met[1]], &mut [left, right]);
        signals.push(out);
        late.push(latest + node.info().latency as usize);
    }
    gather(0, &signals, &late)
}

fn input() -> [Vec<f32>; 2] {
    [bursts(FRAMES, 1), bursts(FRAMES, 2)]
}

fn render(
    mut process: impl FnMut(&[&[f32]], &mut [&mut [f32]]),
    block: Option<usize>,
) -> [Vec<f32>; 2] {
    let input = input();
    let mut output = [vec![0.0; FRAMES], vec![0.0; FRAMES]];
    let mut start = 0;
    for count in cuts(FRAMES, block, 5) {
        let end = start + count;
        let [left, right] = output.each_mut().map(|ear| &mut ear[start..end]);
        process(
            &[&input[0][start..end], &input[1][start..end]],
            &mut [left, right],
        );
        start = end;
    }
    output
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_equals_the_naive_evaluation(seed in any::<u64>(), nodes in 1usize..12) {
        let plan = plan(seed, nodes);
        let (expected, latency) = naive(&plan, &input());
        let mut run = graph(&plan).compile(RATE, FRAMES).unwrap();
        prop_assert_eq!(run.latency(), latency);
        let output = render(|i, o| run.process(i, o), Some(FRAMES));
        assert_same(&expected[0], &output[0], "left");
        assert_same(&expected[1], &output[1], "right");
    }

    #[test]
    fn chunked_equals_whole(seed in any::<u64>(), nodes in 1usize..12, block in 0usize..7, most in 1usize..300) {
        let plan = plan(seed, nodes);
        let mut run = graph(&plan).compile(RATE, FRAMES).unwrap();
        let whole = render(|i, o| run.process(i, o), Some(FRAMES));
        let mut run = graph(&plan).compile(RATE, most).unwrap();
        let cut = render(|i, o| run.process(i, o), BLOCKS[block]);
        assert_same(&whole[0], &cut[0], "left");
        assert_same(&whole[1], &cut[1], "right");
        run.reset();
        let again = render(|i, o| run.process(i, o), BLOCKS[block]);
        assert_same(&whole[0], &again[0], "after a reset");
    }

    #[test]
    fn a_graph_in_a_graph_is_the_graph(seed in any::<u64>(), nodes in 1usize..8, block in 0usize..7) {
        let plan = plan(seed, nodes);
        let mut flat = graph(&plan).compile(RATE, 64).unwrap();
        let expected = render(|i, o| flat.process(i, o), Some(64));
        let mut outer = Graph::new(2, 2);
        outer.add("inner", graph(&plan).into_node("inner").unwrap()).unwrap();
        outer.serial(&["in", "inner", "out"]).unwrap();
        let mut run = outer.compile(RATE, 64).unwrap();
        prop_assert_eq!(run.latency(), flat.latency());
        let output = render(|i, o| run.process(i, o), BLOCKS[block]);
        assert_same(&expected[0], &output[0], "left");
        assert_same(&expected[1], &output[1], "right");
    }

    #[test]
    fn after_an_exchange_the_new_graph_is_a_fresh_one(
        seeds in any::<(u64, u64)>(), nodes in 1usize..8, at in 0usize..1500, block in 0usize..7,
    ) {
        let (old, new) = (plan(seeds.0, nodes), plan(seeds.1, nodes));
        let compile = |plan| graph(plan).compile(RATE, 64).unwrap();
        let (mut player, mut editor) = swappable(compile(&old), 0.0);
        let mut done = 0;
        let mut began = None;
        let output = render(|i, o| {
            if done >= at && began.is_none() {
                editor.swap(compile(&new)).unwrap();
                began = Some(done.next_multiple_of(32));
            }
            done += i[0].len();
            player.process(i, o);
        }, BLOCKS[block]);
        let began = began.unwrap_or(FRAMES);
        let input = input();
        let mut fresh = compile(&new);
        let rest = FRAMES - began.min(FRAMES);
        let mut expected = [vec![0.0; rest], vec![0.0; rest]];
        let [left, right] = &mut expected;
        fresh.process(&[&input[0][FRAMES - rest..], &input[1][FRAMES - rest..]], &mut [left, right]);
        let faded = began + 960;
        if faded < FRAMES {
            assert_same(&expected[0][960..], &output[0][faded..], "after the fade");
            prop_assert!(!player.is_fading());
            prop_assert_eq!(editor.collect(), 1);
        }
        let mut alone = compile(&old);
        let before = render(|i, o| alone.process(i, o), BLOCKS[block]);
        assert_same(&before[0][..began.min(FRAMES)], &output[0][..began.min(FRAMES)], "before");
    }
}

fn tones(frequency: f64) -> GraphRun {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("tone", "tone_pair").unwrap();
    graph.connect("tone", "out").unwrap();
    let mut run = graph.compile(RATE, 64).unwrap();
    run.set("tone", "left", frequency).unwrap();
    run
}

fn play(player: &mut Player, frames: usize) -> Vec<f32> {
    let mut out = [vec![0.0; frames], vec![0.0; frames]];
    let [left, right] = &mut out;
    player.process(&[], &mut [left, right]);
    out[0].clone()
}

#[test]
fn an_exchange_neither_clicks_nor_loses_the_phase() {
    let (mut player, mut editor) = swappable(tones(400.0), 0.03);
    let mut signal = play(&mut player, 5_017);
    editor.swap(tones(400.0)).unwrap();
    signal.extend(play(&mut player, 5_000));
    let mut fresh = tones(400.0);
    let mut expected = [vec![0.0; 10_017], vec![0.0; 10_017]];
    let [left, right] = &mut expected;
    fresh.process(&[], &mut [left, right]);
    for (n, (a, b)) in signal.iter().zip(&expected[0]).enumerate() {
        assert!((a - b).abs() < 1e-6, "frame {n}: {a} {b}");
    }
    let faded = 5_017usize.next_multiple_of(32) + 1_440;
    assert_same(&signal[faded..], &expected[0][faded..], "after the fade");
}

#[test]
fn exchanges_wait_their_turn_and_misfits_are_refused() {
    let (mut player, mut editor) = swappable(tones(100.0), 0.02);
    for frequency in [200.0, 300.0, 400.0, 500.0] {
        editor.swap(tones(frequency)).unwrap();
    }
    let error = editor.swap(tones(600.0)).err().unwrap();
    assert!(error.to_string().contains("too many"), "{error}");
    play(&mut player, 4 * 960 + 64);
    assert!(!player.is_fading() && editor.collect() == 4);
    let last = play(&mut player, 64);
    let mut fresh = tones(500.0);
    let mut expected = [vec![0.0; 3_968], vec![0.0; 3_968]];
    let [left, right] = &mut expected;
    fresh.process(&[], &mut [left, right]);
    assert_same(&expected[0][3_904..], &last, "the last one plays");
    let mut narrow = Graph::new(1, 1);
    narrow.connect("in", "out").unwrap();
    let error = editor
        .swap(narrow.compile(RATE, 64).unwrap())
        .err()
        .unwrap();
    assert!(error.to_string().contains("other channels"), "{error}");
    let mut other = Graph::new(2, 2);
    other.connect("in", "out").unwrap();
    let error = editor
        .swap(other.compile(44_100.0, 64).unwrap())
        .err()
        .unwrap();
    assert!(error.to_string().contains("another rate"), "{error}");
}

#[test]
fn what_passes_a_late_node_is_as_late() {
    let mut graph = Graph::new(2, 2);
    graph.add("late", Late::boxed(100)).unwrap();
    graph.serial(&["in", "late", "out"]).unwrap();
    graph.connect("in", "out").unwrap();
    let mut run = graph.compile(RATE, 64).unwrap();
    let both = render(|i, o| run.process(i, o), Some(64));
    let input = input();
    for n in 100..FRAMES {
        assert_eq!(both[0][n], 2.0 * input[0][n - 100], "{n}");
    }
    let late = run.find("late").unwrap();
    run.reset();
    let mut blocks = 0;
    let switched = render(
        |i, o| {
            if blocks == 20 {
                run.set_activity(late, Activity::Pass);
            }
            blocks += 1;
            run.process(i, o);
        },
        Some(64),
    );
    assert_same(&both[0], &switched[0], "running, then passing");
    let mut much = Graph::new(2, 2);
    much.add("late", Late::boxed(2_000_000)).unwrap();
    much.serial(&["in", "late", "out"]).unwrap();
    let error = much.compile(RATE, 64).err().unwrap();
    assert!(matches!(error, GraphError::Latency { .. }), "{error}");
}

#[test]
fn a_graph_that_was_edited_is_the_one_that_was_meant() {
    let mut edited = Graph::new(2, 2);
    for name in ["a", "b", "c"] {
        edited.add_builtin(name, "gain").unwrap();
    }
    edited.serial(&["in", "a", "b", "out"]).unwrap();
    edited.serial(&["in", "c", "out"]).unwrap();
    edited.remove("a").unwrap();
    edited.connect("in", "b").unwrap();
    edited
        .replace("c", registry().create("low_pass").unwrap())
        .unwrap();
    edited.disconnect("b", "out").unwrap();
    edited.connect("b", "c").unwrap();
    let before = edited.description();
    let error = edited
        .replace("c", registry().create("tone_pair").unwrap())
        .err()
        .unwrap();
    assert!(matches!(error, GraphError::Channels { .. }), "{error}");
    assert_eq!(edited.description(), before);
    let error = edited.disconnect("b", "out").err().unwrap();
    assert!(error.to_string().contains("not connected"), "{error}");
    assert!(edited.remove("a").is_err());
    let mut fresh = Graph::new(2, 2);
    fresh.add_builtin("b", "gain").unwrap();
    fresh.add_builtin("c", "low_pass").unwrap();
    fresh.connect("in", "c").unwrap();
    fresh.connect("c", "out").unwrap();
    fresh.connect("in", "b").unwrap();
    fresh.connect("b", "c").unwrap();
    assert_eq!(edited.description(), fresh.description());
}

/// A node as it is, but it never says that all it does is to pass.
struct Busy(Box<dyn Node>);

impl Node for Busy {
    fn info(&self) -> &NodeInfo {
        self.0.info()
    }
    fn init(&mut self, rate: f64, frames: usize) -> Result<(), NodeError> {
        self.0.init(rate, frames)
    }
    fn reset(&mut self) {
        self.0.reset();
    }
    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        self.0.process(inputs, outputs);
    }
    fn set_param(&mut self, index: usize, value: f64) {
        self.0.set_param(index, value);
    }
    fn get_param(&self, index: usize) -> f64 {
        self.0.get_param(index)
    }
}

/// Two gains in a row beside a third, whose inputs and outputs are also heard by taps.
fn gains(make: impl Fn() -> Box<dyn Node>) -> GraphRun {
    let mut graph = Graph::new(2, 2);
    for name in ["a", "b", "c"] {
        graph.add(name, make()).unwrap();
    }
    graph.serial(&["in", "a", "b", "out"]).unwrap();
    graph.serial(&["a", "c", "out"]).unwrap();
    graph.compile(RATE, 64).unwrap()
}

#[test]
fn gains_that_have_come_to_nothing_are_left_out_and_wake() {
    let gain = || registry().create("gain").unwrap();
    let (mut sleepy, mut busy) = (gains(gain), gains(|| Box::new(Busy(gain()))));
    let mut taps: Vec<_> = [&mut sleepy, &mut busy]
        .map(|run| ["b", "c"].map(|node| run.tap(node, 1, 100_000).unwrap()))
        .into_iter()
        .collect();
    let mut random = Random(11);
    let input = bursts(60_000, 3);
    let mut outs = [(); 2].map(|()| [vec![0.0; input.len()], vec![0.0; input.len()]]);
    let mut at = 0;
    while at < input.len() {
        let count = (1 + (random.next() % 700) as usize).min(input.len() - at);
        let node = ["a", "b", "c"][(random.next() % 3) as usize];
        let what = random.next() % 10;
        for (run, out) in [&mut sleepy, &mut busy].into_iter().zip(&mut outs) {
            let index = run.find(node).unwrap();
            match what {
                // To 0 dB, where it is left out, mostly; elsewhere; and as if it had never been.
                0..=4 => run.set_param(index, 0, 0.0),
                5 => run.set(node, "gain", -7.5).unwrap(),
                6 => run.reset_node(index),
                7 => run.reset(),
                8 => _ = run.set_activity(index, Activity::Silent),
                _ => _ = run.set_activity(index, Activity::Run),
            }
            let [left, right] = out;
            let there = at..at + count;
            let here = &input[there.clone()];
            run.process(
                &[here, here],
                &mut [&mut left[there.clone()], &mut right[there]],
            );
        }
        at += count;
    }
    let [sleepy, busy] = &outs;
    for (sleepy, busy) in sleepy.iter().zip(busy) {
        assert_same(sleepy, busy, "left out or not");
    }
    assert!(outs[0][0].iter().any(|x| *x != 0.0));
    let heard: Vec<Vec<Vec<f32>>> = taps
        .iter_mut()
        .map(|taps| {
            taps.iter_mut()
                .map(|tap| std::iter::from_fn(|| tap.pop().ok()).collect())
                .collect()
        })
        .collect();
    assert_eq!(heard[0][0].len(), input.len());
    for (sleepy, busy) in heard[0].iter().zip(&heard[1]) {
        assert_same(sleepy, busy, "what taps hear");
    }
}

#[test]
fn a_part_of_a_graph_runs_at_another_rate() {
    let inner = || {
        let mut inner = Graph::new(2, 2);
        inner.add_builtin("tone", "tone_pair").unwrap();
        inner.add_builtin("quiet", "gain").unwrap();
        inner.set("quiet", "gain", -6.0).unwrap();
        inner.serial(&["tone", "quiet", "out"]).unwrap();
        inner.connect("in", "out").unwrap();
        inner.into_node("part").unwrap()
    };
    let mut graph = Graph::new(2, 2);
    graph.add("part", oversampled(inner(), 4).unwrap()).unwrap();
    graph.serial(&["in", "part", "out"]).unwrap();
    graph.set("part", "quiet.gain", -20.0).unwrap();
    let mut run = graph.compile(RATE, 64).unwrap();
    run.set("part", "tone.left", 1000.0).unwrap();
    assert_eq!(run.get("part", "quiet.gain").unwrap(), -20.0);
    let latency = run.latency();
    let input: Vec<f32> = (0..FRAMES).map(|n| (n as f32 * 0.02).sin()).collect();
    let mut out = [vec![0.0; FRAMES], vec![0.0; FRAMES]];
    let [left, right] = &mut out;
    run.process(&[&input, &input], &mut [left, right]);
    for n in 1000..FRAMES {
        let turns = 1000.0 * (n - latency) as f64 / RATE;
        let expected = f64::from(input[n - latency]) + 0.1 * (std::f64::consts::TAU * turns).sin();
        assert!((f64::from(out[0][n]) - expected).abs() < 1e-4, "{n}");
    }
}

#[test]
fn what_is_on_its_way_to_a_late_neighbour_sounds_on() {
    let mut graph = Graph::new(2, 2);
    for name in ["first", "second"] {
        graph.add_builtin(name, "gain").unwrap();
    }
    graph.add("late", Late::boxed(100)).unwrap();
    graph.serial(&["in", "late", "out"]).unwrap();
    graph.serial(&["in", "first", "second", "out"]).unwrap();
    let mut run = graph.compile(RATE, 64).unwrap();
    let [first, second] = ["first", "second"].map(|name| run.find(name).unwrap());
    let mut blocks = 0;
    let output = render(
        |i, o| {
            if blocks == 20 {
                run.set_activity(first, Activity::Silent);
                run.set_activity(second, Activity::Pass);
            }
            blocks += 1;
            run.process(i, o);
        },
        Some(64),
    );
    let input = input();
    for n in 100..FRAMES {
        let ways = if n < 20 * 64 + 100 { 2.0 } else { 1.0 };
        assert_eq!(output[0][n], ways * input[0][n - 100], "{n}");
    }
}

/// What gains, activities and connections come to: every node in turn, everything copied.
fn by_hand(
    gains: &[f64],
    activities: &[Activity],
    edges: &[(usize, usize)],
    input: &[f32],
) -> Vec<f32> {
    let out = gains.len() + 1;
    // Place 0 is the input, then come the nodes, then the output. None: silent.
    let mut heard: Vec<Option<Vec<f32>>> = vec![Some(input.to_vec())];
    for place in 1..=out {
        let sources: Vec<&Vec<f32>> = edges
            .iter()
            .filter(|(_, to)| *to == place)
            .filter_map(|(from, _)| heard[*from].as_ref())
            .collect();
        let sum: Vec<f32> = (0..input.len())
            .map(|n| {
                let sum = sources
                    .iter()
                    .fold(-0.0f64, |sum, source| sum + f64::from(source[n]));
                sum as f32
            })
            .collect();
        heard.push(match activities.get(place - 1) {
            Some(Activity::Silent) => None,
            Some(Activity::Run) => {
                let gain = gains[place - 1];
                Some(sum.iter().map(|x| (f64::from(*x) * gain) as f32).collect())
            }
            Some(Activity::Pass) | None => Some(sum),
        });
    }
    heard.swap_remove(out).unwrap_or_default()
}

#[test]
fn activities_that_change_all_the_time_are_those_of_a_naive_evaluation() {
    let mut random = Random(0x5EED);
    for _ in 0..60 {
        let nodes = 2 + random.below(7) as usize;
        let mut edges: Vec<(usize, usize)> = (1..=nodes + 1)
            .flat_map(|to| (0..to).map(move |from| (from, to)))
            .filter(|_| random.below(3) == 0)
            .collect();
        edges.push((nodes, nodes + 1));
        edges.dedup();
        let mut graph = Graph::new(2, 2);
        let name = |place: usize| match place {
            0 => "in".to_owned(),
            place if place == nodes + 1 => "out".to_owned(),
            place => format!("n{place}"),
        };
        let mut gains = Vec::new();
        for place in 1..=nodes {
            graph.add_builtin(&name(place), "gain").unwrap();
            let db = -3.0 * random.below(5) as f64;
            graph.set(&name(place), "gain", db).unwrap();
            gains.push(10f64.powf(db / 20.0));
        }
        // In the order of their sources, as the reference adds them.
        for (from, to) in &edges {
            graph.connect(&name(*from), &name(*to)).unwrap();
        }
        let mut run = graph.compile(RATE, 64).unwrap();
        let places: Vec<_> = (1..=nodes).map(|n| run.find(&name(n)).unwrap()).collect();
        // One node is watched all the time, which must change nothing.
        let _tap = run.tap(&name(1 + random.below(nodes as u64) as usize), 0, 8);
        let mut activities = vec![Activity::Run; nodes];
        for _ in 0..30 {
            for (place, activity) in places.iter().zip(&mut activities) {
                if random.below(3) == 0 {
                    *activity =
                        [Activity::Run, Activity::Pass, Activity::Silent][random.below(3) as usize];
                    run.set_activity(*place, *activity);
                }
            }
            let frames = 1 + random.below(64) as usize;
            let input: Vec<f32> = (0..frames).map(|_| random.sample()).collect();
            let mut out = [vec![0.0; frames], vec![0.0; frames]];
            let [left, right] = &mut out;
            run.process(&[&input, &input], &mut [left, right]);
            let expected = by_hand(&gains, &activities, &edges, &input);
            assert_same(&out[0], &expected, &format!("{edges:?} {activities:?}"));
        }
    }
}
