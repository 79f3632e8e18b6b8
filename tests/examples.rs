//! The examples do what they say: each asserts it, and is run here.

#[path = "../examples/graph_capture_all.rs"]
mod graph_capture_all;
#[path = "../examples/graph_capture_one.rs"]
mod graph_capture_one;
#[path = "../examples/graph_chunks.rs"]
mod graph_chunks;
#[path = "../examples/graph_exchange.rs"]
mod graph_exchange;
#[path = "../examples/graph_parameters.rs"]
mod graph_parameters;
#[path = "../examples/graph_serial.rs"]
mod graph_serial;

#[test]
fn every_example_runs() {
    graph_serial::main();
    graph_parameters::main();
    graph_capture_one::main();
    graph_capture_all::main();
    graph_chunks::main();
    graph_exchange::main();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let names = std::fs::read_dir(folder).unwrap().flatten();
    let rust = names.filter(|entry| {
        entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "rs")
    });
    assert_eq!(rust.count(), 6, "an example is not run here");
}
