//! In chunks or as a whole, the bits are the same: `cargo run --example graph_chunks`.

use zeitgeber::graph::{Graph, GraphRun};

/// A graph with a state, a phase and a node that is late, which the other branch waits for.
fn make() -> GraphRun {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("pulse", "amplitude").unwrap();
    graph.add_builtin("warm", "low_pass@4").unwrap();
    graph.serial(&["in", "pulse", "warm", "out"]).unwrap();
    graph.connect("in", "out").unwrap();
    graph.compile(48_000.0, 512).unwrap()
}

/// Runs it both ways and compares.
pub fn main() {
    let frames = 10_000;
    let input: Vec<f32> = (0..frames).map(|n| (n as f32 * 0.01).sin()).collect();

    let mut whole = [vec![0.0; frames], vec![0.0; frames]];
    let [left, right] = &mut whole;
    let mut run = make();
    run.process(&[&input, &input], &mut [left, right]);
    println!("late by {} frames", run.latency());

    for size in [1, 7, 64, 480, 1024] {
        let mut chunked = [vec![0.0; frames], vec![0.0; frames]];
        let [left, right] = &mut chunked;
        let mut run = make();
        let outputs = left.chunks_mut(size).zip(right.chunks_mut(size));
        for (chunk, (left, right)) in input.chunks(size).zip(outputs) {
            run.process(&[chunk, chunk], &mut [left, right]);
        }
        println!(
            "chunks of {size}: {}",
            if chunked == whole {
                "the same"
            } else {
                "different"
            }
        );
        assert!(chunked == whole);
    }
}
