//! Editing a graph while it plays: `cargo run --example graph_exchange`.

use std::thread;
use zeitgeber::graph::{Graph, swappable};

/// Plays on one thread and edits on another.
pub fn main() {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("warm", "low_pass").unwrap();
    graph.serial(&["in", "warm", "out"]).unwrap();
    let description = graph.description();
    let run = graph.compile(48_000.0, 512).unwrap();
    let (mut player, mut editor) = swappable(run, 0.02);

    // The editor reads the graph, changes it, and hands it over; nothing of it happens where the sound is made.
    let editing = thread::spawn(move || {
        let mut graph = Graph::from_json(&description.to_string()).unwrap();
        graph.disconnect("warm", "out").unwrap();
        graph.add_builtin("quiet", "gain").unwrap();
        graph.set("quiet", "gain", -20.0).unwrap();
        graph.serial(&["warm", "quiet", "out"]).unwrap();
        editor.swap(graph.compile(48_000.0, 512).unwrap()).unwrap();
        editor
    });
    let mut editor = editing.join().unwrap();

    let block = [0.5f32; 480];
    let mut left = [0.0; 480];
    let mut right = [0.0; 480];
    for number in 0..10 {
        player.process(&[&block, &block], &mut [&mut left, &mut right]);
        println!(
            "block {number}: {:.3}{}",
            left[479],
            if player.is_fading() { ", fading" } else { "" }
        );
    }
    assert!((left[479] - 0.05).abs() < 1e-3);
    assert_eq!(editor.collect(), 1);
}
