//! What it costs: `cargo xtask bench` prints these tables and writes them to docs/performance.md;
//! `cargo bench --bench speed -- sources buses` prints some of them, and with ZEITGEBER_ONLY=reference in the environment
//! only that one of the chains, in ZEITGEBER_BLOCK=64 only blocks of so many frames, again and again: for a profiler.

mod buses;
mod chains;
mod clock;
mod life;
mod nodes;
mod sources;

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/hosts/library.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod library;
#[path = "../../tests/editor/raster.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod raster;
#[path = "../../tests/hosts/rig.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod rig;
#[path = "../../tests/editor/stand.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod stand;

const TABLES: [(&str, fn()); 7] = [
    ("memory", life::memory),
    ("sources", sources::table),
    ("buses", buses::table),
    ("chains", chains::table),
    ("histogram", chains::histogram),
    ("nodes", nodes::table),
    ("life", life::table),
];

fn main() {
    // Cargo passes `--bench`.
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for name in &wanted {
        if !TABLES.iter().any(|(table, _)| table == name) {
            let names: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
            eprintln!(
                "speed: there is no table \"{name}\"; there are {}",
                names.join(", ")
            );
            std::process::exit(2);
        }
    }
    for (name, table) in TABLES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            table();
        }
    }
}
