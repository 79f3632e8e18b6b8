//! What one node puts out, whole, while the graph runs in blocks: `cargo run --example graph_capture_one`.

use std::sync::{Arc, Mutex};
use zeitgeber::graph::Graph;

/// Captures a node in the middle of a chain.
pub fn main() {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("warm", "low_pass").unwrap();
    graph.add_builtin("mute", "gain").unwrap();
    graph.set("mute", "gain", -60.0).unwrap();
    graph.serial(&["in", "warm", "mute", "out"]).unwrap();
    let mut run = graph.compile(48_000.0, 512).unwrap();

    let kept: Arc<Mutex<Vec<f32>>> = Arc::default();
    let sink = kept.clone();
    run.capture(
        "warm",
        Box::new(move |channels: &[&[f32]]| sink.lock().unwrap().extend_from_slice(channels[0])),
    )
    .unwrap();

    let block = [0.5f32; 480];
    let mut left = [0.0; 480];
    let mut right = [0.0; 480];
    for _ in 0..100 {
        run.process(&[&block, &block], &mut [&mut left, &mut right]);
    }

    let kept = kept.lock().unwrap();
    println!(
        "{} frames of \"warm\", the last is {}",
        kept.len(),
        kept[kept.len() - 1]
    );
    assert_eq!(kept.len(), 48_000);
    assert!((kept[47_999] - 0.5).abs() < 1e-3 && left[479].abs() < 1e-3);
}
