//! The graph: checks that name the culprit, order, sums, activity, taps, JSON, chunked against whole.

mod common;

use common::{BLOCKS, assert_same, bursts, cuts};
use std::sync::{Arc, Mutex};
use zeitgeber::graph::{Activity, Graph, GraphError, GraphRun, schema};

const FRAMES: usize = 10_000;

fn two_gains() -> Graph {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("half", "gain").unwrap();
    graph.add_builtin("tone", "tone_pair").unwrap();
    graph.add_builtin("sum", "gain").unwrap();
    graph.set("half", "gain", -6.0).unwrap();
    graph.serial(&["in", "half", "sum", "out"]).unwrap();
    graph.connect("tone", "sum").unwrap();
    graph
}

fn render(run: &mut GraphRun, block: Option<usize>) -> [Vec<f32>; 2] {
    let input = [bursts(FRAMES, 1), bursts(FRAMES, 2)];
    let mut output = [vec![0.0; FRAMES], vec![0.0; FRAMES]];
    let mut start = 0;
    for count in cuts(FRAMES, block, 5) {
        let end = start + count;
        let [left, right] = output.each_mut().map(|ear| &mut ear[start..end]);
        run.process(
            &[&input[0][start..end], &input[1][start..end]],
            &mut [left, right],
        );
        start = end;
    }
    output
}

#[test]
fn chunked_equals_whole() {
    let whole = render(
        &mut two_gains().compile(48_000.0, FRAMES).unwrap(),
        Some(FRAMES),
    );
    for block in BLOCKS {
        for max_frames in [1, 48, 64, 4096] {
            let mut run = two_gains().compile(48_000.0, max_frames).unwrap();
            let output = render(&mut run, *block);
            assert_same(
                &whole[0],
                &output[0],
                &format!("blocks {block:?} of at most {max_frames}"),
            );
            assert_same(&whole[1], &output[1], "right");
        }
    }
}

#[test]
fn what_meets_is_summed_and_phases_run_by_themselves() {
    let mut run = two_gains().compile(48_000.0, 64).unwrap();
    run.set("tone", "left", 1000.0).unwrap();
    let output = render(&mut run, Some(64));
    let input = bursts(FRAMES, 1);
    for (n, (x, y)) in input.iter().zip(&output[0]).enumerate() {
        let tone = (std::f64::consts::TAU * (1000.0 * n as f64 / 48_000.0).fract()).sin();
        let expected = f64::from(*x) * 10f64.powf(-0.3) + tone;
        assert!(
            (f64::from(*y) - expected).abs() < 3e-7,
            "frame {n}: {y} {expected}"
        );
    }
}

#[test]
fn reset_is_a_fresh_start() {
    let mut run = two_gains().compile(48_000.0, 64).unwrap();
    let first = render(&mut run, Some(64));
    run.reset();
    let second = render(&mut run, None);
    assert_same(&first[0], &second[0], "left");
}

#[test]
fn errors_name_the_culprit() {
    let message = |error: GraphError| error.to_string();
    let mut graph = two_gains();
    let error = graph.connect("halv", "out").err().unwrap();
    assert!(message(error).contains("nearest is \"half\""));
    let error = graph.connect("half", "uot").err().unwrap();
    assert!(message(error).contains("nearest is \"out\""));
    // What is near nothing is no slip: what there is is named, or nothing where that is too much.
    let error = graph.connect("xyzzy", "out").err().unwrap();
    assert!(message(error).ends_with("\"xyzzy\" in the graph, only: half, tone, sum, in"));
    let error = graph.set("half", "xyzzy", 0.0).err().unwrap();
    assert!(message(error).ends_with("no parameter \"xyzzy\", only: gain, glide, line"));
    let error = graph.add_builtin("x", "xyzzy").err().unwrap();
    assert_eq!(message(error), "there is no node \"xyzzy\"");
    let error = Graph::new(2, 2).remove("xyzzy").err().unwrap();
    assert!(message(error).ends_with("in the graph, nor any other"));
    let error = graph.connect("sum.left", "out").err().unwrap();
    assert!(message(error).contains("no channel group \"left\""));
    let error = graph.add_builtin("half", "gain").err().unwrap();
    assert!(message(error).contains("used twice"));
    let error = graph.add_builtin("in", "gain").err().unwrap();
    assert!(message(error).contains("own end"));
    let error = graph.add_builtin("a b", "gain").err().unwrap();
    assert!(message(error).contains("letters"));
    let error = graph.add_builtin("x", "ceilign").err().unwrap();
    assert!(message(error).contains("nearest is \"ceiling\""));
    let error = graph.set("half", "gian", 0.0).err().unwrap();
    assert!(message(error).contains("nearest is \"gain\""));
    let error = graph.set("half", "gain", 90.0).err().unwrap();
    assert!(message(error).contains("nearest valid value is 40"));
    assert!(graph.set("half", "gain", f64::NAN).is_err());
    graph.add_builtin("mix", "mix").unwrap();
    let error = graph.connect("half", "mix").err().unwrap();
    assert!(message(error).contains("2 channels") && graph.connect("half", "mix.b").is_ok());
    graph.add_builtin("gate", "gate").unwrap();
    let error = graph.set("gate", "gain", 0.0).err().unwrap();
    assert!(message(error).contains("readout"));
    let error = Graph::new(2, 2).compile(48_000.0, 64).err().unwrap();
    assert!(message(error).contains("nothing is connected"));
}

#[test]
fn what_is_set_can_be_read() {
    let mut run = two_gains().compile(48_000.0, 64).unwrap();
    assert_eq!(run.get("half", "gain").unwrap(), -6.0);
    run.set("half", "gain", -3.5).unwrap();
    assert_eq!(run.get("half", "gain").unwrap(), -3.5);
    run.set("tone", "left", -251.25).unwrap();
    assert!((run.get("tone", "left").unwrap() + 251.25).abs() < 1e-9);
    let error = run.get("half", "gian").unwrap_err().to_string();
    assert!(error.contains("nearest is \"gain\""), "{error}");
    let error = run.get("half", "xyzzy").unwrap_err().to_string();
    assert!(error.contains("only: gain, "), "{error}");
    assert!(run.get("haf", "gain").is_err());
}

#[test]
fn a_cycle_is_named() {
    let mut graph = Graph::new(2, 2);
    for name in ["before", "a", "b", "c", "after"] {
        graph.add_builtin(name, "gain").unwrap();
    }
    graph.serial(&["in", "before", "a", "b", "c", "a"]).unwrap();
    graph.serial(&["c", "after", "out"]).unwrap();
    match graph.compile(48_000.0, 64).err().unwrap() {
        GraphError::Cycle { nodes } => {
            assert_eq!(nodes.first(), nodes.last());
            let mut inner = nodes[1..].to_vec();
            inner.sort();
            assert_eq!(inner, ["a", "b", "c"], "{nodes:?}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn order_does_not_depend_on_the_order_of_adding() {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("last", "gain").unwrap();
    graph.add_builtin("first", "gain").unwrap();
    graph.serial(&["in", "first", "last", "out"]).unwrap();
    let run = graph.compile(48_000.0, 64).unwrap();
    assert_eq!(run.node_names().collect::<Vec<_>>(), ["first", "last"]);
    assert_eq!((run.inputs(), run.outputs()), (2, 2));
    assert_eq!(
        (run.channels("first"), run.channels("nobody")),
        (Some(2), None)
    );
}

#[test]
fn captures_hold_the_whole_signal() {
    let mut run = two_gains().compile(48_000.0, 64).unwrap();
    let kept: Arc<Mutex<Vec<Vec<f32>>>> = Arc::new(Mutex::new(vec![Vec::new(); 2]));
    let sink = kept.clone();
    run.capture(
        "sum",
        Box::new(move |channels: &[&[f32]]| {
            for (kept, chunk) in sink.lock().unwrap().iter_mut().zip(channels) {
                kept.extend_from_slice(chunk);
            }
        }),
    )
    .unwrap();
    assert!(run.capture("smu", Box::new(|_: &[&[f32]]| {})).is_err());
    let output = render(&mut run, None);
    let kept = kept.lock().unwrap();
    assert_same(&output[0], &kept[0], "left");
    assert_same(&output[1], &kept[1], "right");
}

#[test]
fn a_hundred_sources_are_a_hundred_sources() {
    let mut graph = Graph::new(2, 2);
    for n in 0..100 {
        let name = format!("g{n}");
        graph.add_builtin(&name, "gain").unwrap();
        graph.serial(&["in", &name, "out"]).unwrap();
    }
    let output = render(&mut graph.compile(48_000.0, 64).unwrap(), Some(64));
    let input = bursts(FRAMES, 1);
    for (sum, one) in output[0].iter().zip(&input) {
        assert!((sum - 100.0 * one).abs() <= 1e-5 * sum.abs(), "{sum} {one}");
    }
}

#[test]
fn ring_taps_give_the_first_samples_and_never_block() {
    let mut run = two_gains().compile(48_000.0, 64).unwrap();
    let mut ring = run.tap("tone", 1, 1000).unwrap();
    assert!(run.tap("tone", 2, 10).is_err());
    let output = render(&mut run, Some(64));
    assert_eq!(ring.slots(), 1000);
    let first = ring.pop().unwrap();
    assert!(first.abs() < 1e-9 && output[0].len() == FRAMES);
}

#[test]
fn activity_passes_or_silences() {
    let mut run = two_gains().compile(48_000.0, 64).unwrap();
    let (half, tone) = (run.find("half").unwrap(), run.find("tone").unwrap());
    run.set_activity(half, Activity::Pass);
    run.set_activity(tone, Activity::Silent);
    let output = render(&mut run, Some(64));
    assert_same(
        &bursts(FRAMES, 1),
        &output[0],
        "only the input is left, bit for bit",
    );
}

#[test]
fn json_comes_back_as_it_went() {
    let mut graph = two_gains();
    graph.set("sum", "glide", 1.5).unwrap();
    let json = serde_json::to_string(&graph.description()).unwrap();
    let again = Graph::from_json(&json).unwrap();
    assert_eq!(again.description(), graph.description());
    let a = render(&mut graph.compile(48_000.0, 64).unwrap(), Some(64));
    let mut run = again.compile(48_000.0, 64).unwrap();
    let b = render(&mut run, Some(64));
    assert_same(&a[0], &b[0], "left");
    let dot = run.to_dot();
    assert!(
        dot.contains("\"half\" -> \"sum\"") && dot.contains("tone_pair"),
        "{dot}"
    );
}

#[test]
fn bad_json_says_where() {
    let message = |text: &str| Graph::from_json(text).err().unwrap().to_string();
    assert!(message("{").contains("line 1"));
    assert!(message(r#"{"nodes": {}, "connections": [], "nodse": 1}"#).contains("nodse"));
    let unknown = message(r#"{"nodes": {"a": {"node": "gatte"}}, "connections": []}"#);
    assert!(unknown.contains("nearest is \"gate\""), "{unknown}");
    let param = message(
        r#"{"nodes": {"a": {"node": "gain", "params": {"gain": "x"}}}, "connections": []}"#,
    );
    assert!(param.contains("nodes.a.params.gain"), "{param}");
    let wide = message(r#"{"inputs": 129, "nodes": {}, "connections": []}"#);
    assert!(wide.contains("128"), "{wide}");
}

#[test]
fn the_published_schema_is_that_of_the_code() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/graph.schema.json");
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("ZEITGEBER_REWRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == text,
        "docs/graph.schema.json is of another version of the nodes: \
         ZEITGEBER_REWRITE=1 cargo test --test graph_laws schema"
    );
}

#[test]
fn what_the_schema_names_is_what_is_read() {
    let schema = schema();
    // What a graph writes of itself has no key that the schema does not know.
    let description = two_gains().description();
    for key in description.as_object().unwrap().keys() {
        assert!(schema["properties"][key].is_object(), "{key}");
    }
    let node = &schema["properties"]["nodes"]["additionalProperties"];
    for kind in node["allOf"].as_array().unwrap() {
        let pattern = kind["if"]["properties"]["node"]["pattern"]
            .as_str()
            .unwrap();
        let name = pattern.trim_start_matches('^').split('(').next().unwrap();
        let mut graph = Graph::new(2, 2);
        graph.add_builtin("x", name).unwrap();
        let params = &kind["then"]["properties"]["params"]["properties"];
        for (param, about) in params.as_object().unwrap() {
            let highest = about["maximum"].as_f64().unwrap();
            graph.set("x", param, highest).unwrap();
            assert!(
                graph.set("x", param, highest + 1.0).is_err(),
                "{name}.{param}"
            );
        }
    }
}
