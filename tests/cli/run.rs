//! Graphs and single nodes of one's own.

use super::{RATE, Run, data, sine};
use serde_json::Value;
use std::fs;

#[test]
fn one_node_alone() {
    let run = Run::new();
    let tone = sine(250.0, 0.5, 48_000, RATE);
    run.wav("in.wav", RATE, &[&tone]);
    run.fine("run gain in.wav -o o.wav --set gain.gain=-6.0206");
    let [left, right] = run.read("o.wav");
    assert_eq!(left, right);
    for (out, sample) in left.iter().zip(&tone) {
        assert!((out - sample / 2.0).abs() < 1e-5, "{out} {sample}");
    }
}

#[test]
fn a_node_that_generates_needs_no_file() {
    let run = Run::new();
    run.fine("run tone_pair --silence 5 -o o.wav --set tone_pair.right=251.25");
    let text = run.fine("analyze o.wav");
    assert!(
        text.contains("245.0000") && text.contains("251.2500") && text.contains("6.2500"),
        "{text}"
    );
}

#[test]
fn the_engines_own_chain_runs_as_a_graph() {
    let run = Run::new();
    let tone = sine(440.0, 0.5, 20_000, RATE);
    run.wav("in.wav", RATE, &[&tone]);
    fs::write(run.path("chain.json"), run.fine("graph --json")).unwrap();
    run.fine("run chain.json in.wav -o whole.wav");
    let whole = run.read("whole.wav");
    for block in ["1", "64", "1000", "20000", "random:5"] {
        run.fine(&format!("run chain.json in.wav -o o.wav --block {block}"));
        assert!(run.read("o.wav") == whole, "{block}");
    }
}

#[test]
fn nodes_of_a_graph_are_captured() {
    let run = Run::new();
    run.write(
        "g.json",
        r#"{"nodes": {"quiet": {"node": "gain", "params": {"gain": -20}}, "low": {"node": "low_pass"}},
            "connections": [["in", "quiet"], ["quiet", "low"], ["low", "out"]]}"#,
    );
    run.fine(&format!(
        "run g.json {} -o o.wav --tail 0.5 --capture taps:quiet,low",
        data("pair.flac")
    ));
    let taps = ["taps/quiet.wav", "taps/low.wav"].map(|name| run.read(name));
    assert_eq!(taps[0][0].len(), 44_100 * 5 / 2);
    assert!(taps[1] == run.read("o.wav"));
    assert!(taps[0] != taps[1]);
}

#[test]
fn several_nodes_are_captured_by_node_and_channel_and_drawn() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.5; 4_800], &[0.25; 4_800]]);
    run.write(
        "g.json",
        r#"{"nodes": {"quiet": {"node": "gain", "params": {"gain": -20}}, "low": {"node": "low_pass"},
                      "both": {"node": "mono_sum"}},
            "connections": [["in", "quiet"], ["quiet", "low"], ["quiet", "both"], ["low", "out"], ["both", "out"]]}"#,
    );
    run.fine("run g.json in.wav -o o.wav --capture all --plot -q");
    let mut found: Vec<String> = std::fs::read_dir(run.path("all"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    for node in ["quiet", "low", "both"] {
        assert!(found.contains(&format!("{node}.wav")), "{node}: {found:?}");
        assert!(found.contains(&format!("{node}.png")), "{node}: {found:?}");
    }
    // Each channel as it left its node, from the first frame to the last.
    let [left, right] = run.read("all/quiet.wav");
    assert_eq!((left.len(), right.len()), (4_800, 4_800));
    assert!(left.iter().all(|x| (x - 0.05).abs() < 1e-6));
    assert!(right.iter().all(|x| (x - 0.025).abs() < 1e-6));
    let [both, low, out] = ["all/both.wav", "all/low.wav", "o.wav"].map(|name| run.read(name));
    for ear in 0..2 {
        for frame in 0..4_800 {
            let sum = both[ear][frame] + low[ear][frame];
            assert!((sum - out[ear][frame]).abs() < 1e-6, "{ear} {frame}");
        }
    }
}

#[test]
fn wrong_graphs_nodes_and_parameters() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.1; 100]]);
    run.write("cut.json", r#"{"nodes": {"#);
    run.write(
        "loop.json",
        r#"{"nodes": {"a": {"node": "gain"}, "b": {"node": "gain"}},
            "connections": [["a", "b"], ["b", "a"], ["b", "out"]]}"#,
    );
    run.write(
        "kind.json",
        r#"{"nodes": {"a": {"node": "gian"}}, "connections": [["a", "out"]]}"#,
    );
    run.write(
        "mono.json",
        r#"{"inputs": 1, "outputs": 1, "nodes": {}, "connections": [["in", "out"]]}"#,
    );
    run.wav("two.wav", RATE, &[&[0.1; 100], &[0.2; 100]]);
    for (words, says) in [
        ("gian in.wav", "nearest is \"gain\""),
        ("none.json in.wav", "none.json: there is no such file"),
        ("cut.json in.wav", "cut.json: line 1"),
        ("loop.json in.wav", "a -> b"),
        ("kind.json in.wav", "nearest is \"gain\""),
        ("mono.json two.wav", "give a mono file"),
        ("gain none.wav", "there is no such file"),
        ("gain", "give an INPUT file"),
        ("gain in.wav --set gain.gin=0", "nearest is \"gain\""),
        ("gain in.wav --set gan.gain=0", "nearest is \"gain\""),
        (
            "gain in.wav --set gain.gain=41",
            "nearest valid value is 40",
        ),
        ("gain in.wav --set gain.gain=loud", "is not a number"),
        ("gain in.wav --set gain=0", "write --set NODE.PARAM=V"),
        ("gain in.wav --block 0", "nearest valid value is 1"),
        ("gain in.wav --capture taps:gian", "nearest is \"gain\""),
    ] {
        let line = run.wrong(&format!("run {words} -o o.wav"));
        assert!(line.contains(says), "{words}: {line}");
    }
    assert!(
        run.wrong("run cut.json in.wav -o cut.json")
            .contains("cut.json")
    );
}

#[test]
fn every_node_is_listed_with_its_parameters() {
    let run = Run::new();
    let list: Value = serde_json::from_str(&run.fine("nodes --json")).unwrap();
    let text = run.fine("nodes");
    for node in list.as_array().unwrap() {
        assert!(text.contains(node["help"].as_str().unwrap()), "{node}");
        assert!(["faust", "c++", "rust"].contains(&node["language"].as_str().unwrap()));
        for param in node["params"].as_array().unwrap() {
            assert!(
                param["min"].is_number() && param["max"].is_number(),
                "{param}"
            );
            assert!(text.contains(param["help"].as_str().unwrap()), "{param}");
        }
    }
}
