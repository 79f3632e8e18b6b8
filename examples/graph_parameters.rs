//! Parameters by name, before and while a graph runs: `cargo run --example graph_parameters`.

use zeitgeber::graph::Graph;

/// Sets and gets parameters, the frequency of a phase input too, and shows what a slip of the finger says.
pub fn main() {
    let mut graph = Graph::new(2, 2);
    graph.add_builtin("tone", "tone_pair").unwrap();
    graph.add_builtin("quiet", "gain").unwrap();
    graph.serial(&["tone", "quiet", "out"]).unwrap();
    graph.set("quiet", "gain", -12.0).unwrap();

    let mut run = graph.compile(48_000.0, 512).unwrap();
    println!("gain: {} dB", run.get("quiet", "gain").unwrap());
    run.set("quiet", "gain", -6.0).unwrap();
    assert_eq!(run.get("quiet", "gain").unwrap(), -6.0);

    // A binaural beat of 10 Hz: the phase inputs have frequencies.
    run.set("tone", "left", 245.0).unwrap();
    run.set("tone", "right", 255.0).unwrap();

    let slip = run.set("quiet", "gian", 0.0).err().unwrap();
    println!("{slip}");
    assert!(slip.to_string().contains("nearest is \"gain\""));

    let wild = run.set("quiet", "gain", 400.0).err().unwrap();
    println!("{wild}");
    assert!(wild.to_string().contains("nearest valid value"));
}
