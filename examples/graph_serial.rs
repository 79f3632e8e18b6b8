//! Nodes by name, one after the other: `cargo run --example graph_serial`.

use zeitgeber::graph::Graph;

/// Builds a chain, runs it over a second of a square wave, and prints what came out.
pub fn main() {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("warm", "low_pass").unwrap();
    graph.add_builtin("quiet", "gain").unwrap();
    graph.set("warm", "cutoff", 2000.0).unwrap();
    graph.set("quiet", "gain", -6.0).unwrap();
    graph.serial(&["in", "warm", "quiet", "out"]).unwrap();

    // Checked, sorted, and made ready for 48 kHz and blocks of up to 512 frames.
    let mut run = graph.compile(48_000.0, 512).unwrap();

    let input: Vec<f32> = (0..48_000)
        .map(|n| if n / 100 % 2 == 0 { 0.5 } else { -0.5 })
        .collect();
    let mut left = vec![0.0; input.len()];
    let mut right = vec![0.0; input.len()];
    run.process(&[&input, &input], &mut [&mut left, &mut right]);

    let peak = left[24_000..]
        .iter()
        .fold(0.0f32, |peak, x| peak.max(x.abs()));
    println!("order: {:?}", run.node_names().collect::<Vec<_>>());
    println!("peak: {peak:.3}");
    assert!(peak > 0.1 && peak < 0.4);
}
