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

/// A graph of its own for each input, so that none hears what another left in it.
#[test]
fn several_inputs_become_the_files_that_each_becomes_alone() {
    let run = Run::new();
    for (name, frequency) in [("a.wav", 250.0), ("b.wav", 400.0), ("c.wav", 600.0)] {
        run.wav(name, RATE, &[&sine(frequency, 0.5, 9600, RATE)]);
    }
    run.write("text.wav", "no audio");
    let said = run.fine("run low_pass a.wav b.wav c.wav -o out --jobs 2 --capture taps");
    assert!(said.contains("3 files are written"), "{said}");
    for name in ["a", "b", "c"] {
        run.fine(&format!("run low_pass {name}.wav -o alone.wav"));
        assert!(run.read(&format!("out/{name}.wav")) == run.read("alone.wav"));
        assert!(run.path(&format!("taps/{name}/low_pass.wav")).is_file());
    }
    let output = run.zeitgeber("run low_pass text.wav a.wav -o some");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains("1 of 2 files failed; the other one is written"),
        "{errors}"
    );
    assert!(run.path("some/a.wav").is_file());
}

#[test]
fn what_is_far_above_full_scale_is_warned_of() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&sine(250.0, 0.5, 9600, RATE)]);
    run.write(
        "loud.json",
        r#"{"nodes": {"a": {"node": "gain", "params": {"gain": 40}}, "b": {"node": "gain", "params": {"gain": 20}}},
            "connections": [["in", "a"], ["a", "b"], ["b", "out"]]}"#,
    );
    let output = run.zeitgeber("run loud.json in.wav -o o.wav -q");
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    assert!(
        errors.contains("o.wav: the file is far above full scale (its peak is +54 dBFS)"),
        "{errors}"
    );
    // Brought to a level it is not, and what is only loud is left to the user.
    run.fine("run loud.json in.wav -o o.wav -q --normalize -1dBFS");
    run.fine("run gain in.wav -o o.wav -q --set gain.gain=40");
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
    // The defaults of its nodes are loud together, and that is said.
    let render = |words: &str| {
        let output = run.zeitgeber(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words}: {said}");
        assert!(
            said.lines().all(|line| line.contains("full scale")),
            "{said}"
        );
    };
    render("run chain.json in.wav -o whole.wav");
    let whole = run.read("whole.wav");
    for block in ["1", "64", "1000", "20000", "random:5"] {
        render(&format!("run chain.json in.wav -o o.wav --block {block}"));
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
        "xyzzy.json",
        r#"{"nodes": {"a": {"node": "xyzzy"}}, "connections": [["a", "out"]]}"#,
    );
    run.write(
        "mono.json",
        r#"{"inputs": 1, "outputs": 1, "nodes": {}, "connections": [["in", "out"]]}"#,
    );
    run.wav("two.wav", RATE, &[&[0.1; 100], &[0.2; 100]]);
    for (words, says) in [
        ("gian in.wav", "nearest is \"gain\""),
        (
            "xyzzy in.wav",
            "there is no node \"xyzzy\"; `zeitgeber nodes` lists them",
        ),
        (
            "xyzzy.json in.wav",
            "xyzzy.json: there is no node \"xyzzy\"; `zeitgeber nodes` lists them",
        ),
        ("gain in.wav --set gain.xyzzy=0", "\"xyzzy\", only: gain, "),
        (
            "gain in.wav --set xyzzy.gain=0",
            "in the graph, only: in, gain, out",
        ),
        ("none.json in.wav", "none.json: there is no such file"),
        ("cut.json in.wav", "cut.json: line 1"),
        ("loop.json in.wav", "loop.json: "),
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
