//! What every node puts out, by name and channel: `cargo run --example graph_capture_all`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use zeitgeber::graph::Graph;

/// Whole signals by the name of their node: a vector a channel.
type Signals = BTreeMap<String, Vec<Vec<f32>>>;

/// Captures all nodes of a graph with two branches, and prints their peaks.
pub fn main() {
    let mut graph = Graph::new(2, 2);
    for (name, kind) in [
        ("warm", "low_pass"),
        ("tone", "tone_pair"),
        ("quiet", "gain"),
    ] {
        graph.add_builtin(name, kind).unwrap();
    }
    graph.set("quiet", "gain", -20.0).unwrap();
    graph.serial(&["in", "warm", "out"]).unwrap();
    graph.serial(&["tone", "quiet", "out"]).unwrap();
    let mut run = graph.compile(48_000.0, 512).unwrap();

    let kept: Arc<Mutex<Signals>> = Arc::default();
    // "in" and "out" are the graph's own ends.
    let places: Vec<String> = run.places().map(str::to_owned).collect();
    for place in places {
        let sink = kept.clone();
        let name = place.clone();
        let write = move |channels: &[&[f32]]| {
            let mut kept = sink.lock().unwrap();
            let signals = kept.entry(name.clone()).or_default();
            signals.resize(channels.len(), Vec::new());
            for (signal, chunk) in signals.iter_mut().zip(channels) {
                signal.extend_from_slice(chunk);
            }
        };
        run.capture(&place, Box::new(write)).unwrap();
    }

    let input = vec![0.25f32; 4800];
    let mut left = vec![0.0; 4800];
    let mut right = vec![0.0; 4800];
    run.process(&[&input, &input], &mut [&mut left, &mut right]);

    let kept = kept.lock().unwrap();
    for (name, signals) in kept.iter() {
        for (channel, signal) in signals.iter().enumerate() {
            let peak = signal.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            println!(
                "{name}, channel {}: {} frames, peak {peak:.3}",
                channel + 1,
                signal.len()
            );
            assert_eq!(signal.len(), 4800);
        }
    }
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        ["in", "out", "quiet", "tone", "warm"]
    );
    assert!(kept["out"][0] == left && kept["out"][1] == right);
}
