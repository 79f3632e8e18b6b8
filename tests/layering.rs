//! Imports run one way: each room may use itself and the rooms below it, nothing else. And what the audio thread runs
//! names nothing that waits.
//!
//! promise: the engine, its nodes, graphs and signal processing name no lock, no channel or cell that waits, no sleep and no print

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms of this crate that it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("file", &[]),
    ("dsp", &[]),
    ("hrtf", &["dsp", "file", "text"]),
    ("analysis", &["dsp"]),
    ("node", &["dsp", "hrtf", "text"]),
    ("live", &["dsp", "file", "node", "text"]),
    ("graph", &["dsp", "node", "text"]),
    ("engine", &["dsp", "node", "graph", "text"]),
    ("space", &["dsp", "hrtf", "node", "engine"]),
    (
        "offline",
        &[
            "analysis", "dsp", "file", "hrtf", "node", "live", "graph", "engine", "protocol",
            "space", "text",
        ],
    ),
    ("protocol", &["engine", "file", "text"]),
    ("control", &["dsp", "engine", "file", "text"]),
    (
        "editor",
        &[
            "analysis", "control", "dsp", "engine", "file", "protocol", "text",
        ],
    ),
    (
        "plugin",
        &[
            "control", "dsp", "hrtf", "live", "engine", "protocol", "space", "editor", "text",
        ],
    ),
];

/// The editor sees parameters and telemetry only, the node and graph know no engine, the engine knows no
/// framework: crates that only one room may name.
const FRAMEWORK: &[(&str, &[&str])] = &[
    ("nice_plug", &["plugin", "editor"]),
    ("nice_plug_egui", &["editor"]),
    ("egui", &["editor"]),
    ("symphonia", &["offline"]),
    ("miniz_oxide", &["hrtf"]),
    ("flac_codec", &["offline"]),
    ("ebur128", &["analysis", "offline"]),
    ("roxmltree", &["protocol"]),
    ("directories", &["file", "live"]),
    ("libloading", &["node"]),
    ("rustix", &["live"]),
    ("multiversion", &["dsp"]),
    ("rustfft", &["dsp"]),
    ("rosc", &["control"]),
    ("midir", &["control"]),
    ("clap_sys", &["plugin"]),
];

/// What of the engine the editor may name.
const EDITOR_ENGINE: &[&str] = &[
    "controls",
    "telemetry",
    "timeline",
    "Control",
    "ControlId",
    "PLACES",
    "Place",
    "Telemetry",
    // What a protocol has in force, and the tones that a layer gives the ears.
    "Timeline",
    "layer_tones",
];

/// What of the engine presets may name: controls, and the timelines that they become.
const PROTOCOL_ENGINE: &[&str] = &["controls", "timeline", "ControlError", "ControlId"];

/// Rooms that may hold `unsafe`, with why.
const UNSAFE: &[(&str, &str)] = &[
    (
        "node/foreign.rs",
        "the C ABI of foreign nodes, and the libraries they come in",
    ),
    ("node/registry.rs", "the descriptors that build.rs links in"),
    ("dsp/denormals.rs", "the floating-point mode"),
    (
        "dsp/ambisonics/decode/lanes.rs",
        "loads and stores of whole vectors, which the standard library has as pointers only",
    ),
    ("editor/window.rs", "asking OpenGL who draws"),
    (
        "plugin/params.rs",
        "nice-plug's Params trait is unsafe to implement",
    ),
    (
        "plugin/export.rs",
        "the C functions that hosts make instances with",
    ),
    (
        "plugin/guard.rs",
        "the channels that a host gives, as pointers",
    ),
    (
        "plugin/guard/clap.rs",
        "the C functions of a CLAP, between a host and nice-plug",
    ),
    (
        "plugin/guard/vst3.rs",
        "the interfaces of a VST3, between a host and nice-plug",
    ),
];

/// Rooms whose code the audio thread runs.
const AUDIO: &[&str] = &["engine", "node", "graph", "dsp"];

/// What waits, or may. A lock that nobody else holds calls nothing that a test could count, and waits on another day.
const WAITS: &[&str] = &[
    "Mutex",
    "RwLock",
    "ReentrantLock",
    "Condvar",
    "Barrier",
    "mpsc",
    "OnceLock",
    "LazyLock",
    "Once",
    "println",
    "eprintln",
    "print",
    "eprint",
    "dbg",
    "stdout",
    "stderr",
    "sleep",
    "park",
    "park_timeout",
    "yield_now",
    "spawn",
];

/// Where something that waits is named all the same: file, word and why.
const MAY_WAIT: &[(&str, &str, &str)] = &[
    (
        "node/registry.rs",
        "OnceLock",
        "the list of built-in nodes, read where graphs are made and nodes described",
    ),
    (
        "node/wave_pair.rs",
        "OnceLock",
        "the tables of waves, made with the first node; a node keeps a reference to them",
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The files of src with their path below it and their code lines without comments.
fn files() -> Vec<(String, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    assert!(paths.len() > 15, "the sources have moved: {paths:?}");
    paths
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            let lines = joined(&fs::read_to_string(&path).unwrap());
            (name, lines)
        })
        .collect()
}

/// The lines of code that are no tests: without files of tests, and up to a file's own.
fn without_tests<'a>(file: &str, lines: &'a [String]) -> &'a [String] {
    if file.ends_with("/tests.rs") || file.contains("/tests/") {
        return &[];
    }
    let end = lines
        .windows(2)
        .position(|pair| pair[0].starts_with("#[cfg(") && pair[1] == "mod tests {");
    &lines[..end.unwrap_or(lines.len())]
}

/// What of some lines waits, by whatever path it is named.
fn waits(lines: &[String]) -> impl Iterator<Item = &str> {
    lines
        .iter()
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| WAITS.contains(word))
}

/// The lines of code without comments, each `use` statement on one line whatever its braces.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default().trim();
        match lines.last_mut().filter(|_| open) {
            Some(last) => last.push_str(code),
            None => lines.push(code.to_owned()),
        }
        let starts = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
        open = (open || starts.iter().any(|start| code.starts_with(start))) && !code.contains(';');
    }
    lines
}

fn room(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The names that follow `prefix` in a line: "crate::" gives the rooms. Of a list in braces, the first name
/// of each entry, whatever braces the entry has itself.
fn named<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).flat_map(move |(at, _)| {
        let rest = &line[at + prefix.len()..];
        let mut entries = Vec::new();
        match rest.strip_prefix('{') {
            None => entries.push(rest),
            Some(list) => {
                let (mut depth, mut start) = (0, 0);
                for (index, letter) in list.char_indices() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            entries.push(&list[start..index]);
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            entries.push(&list[start..index]);
                            start = index + 1;
                        }
                        _ => {}
                    }
                }
            }
        }
        entries
            .into_iter()
            .map(|name| {
                let name = name.trim();
                let end = name
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(name.len());
                &name[..end]
            })
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
    })
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (file, lines) in files() {
        let here = room(&file);
        if here == "lib" {
            continue;
        }
        let (prefix, allowed): (&str, &[&str]) = match ROOMS.iter().find(|(name, _)| *name == here)
        {
            Some((_, allowed)) => ("crate::", allowed),
            // Programs may use the library, and within themselves what they like.
            None if here == "bin" => continue,
            None => panic!("src/{file}: a room that tests/layering.rs does not know"),
        };
        for line in lines {
            for name in named(&line, prefix) {
                if name != here && !allowed.contains(&name) {
                    wrong.push(format!("src/{file}: {here} must not import {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_framework_stays_in_its_rooms() {
    let mut wrong = Vec::new();
    for (file, lines) in files() {
        let here = room(&file);
        for line in lines {
            for (library, rooms) in FRAMEWORK {
                let used = line.contains(&format!("{library}::"));
                if used && here != "bin" && !rooms.contains(&here) {
                    wrong.push(format!(
                        "src/{file}: {library} belongs to {}",
                        rooms.join(", ")
                    ));
                }
            }
            if here == "protocol" {
                for name in named(&line, "crate::engine::") {
                    if !PROTOCOL_ENGINE.contains(&name) {
                        wrong.push(format!(
                            "src/{file}: presets must not see the engine's {name}"
                        ));
                    }
                }
            }
            if here == "editor" {
                for name in named(&line, "crate::engine::") {
                    if !EDITOR_ENGINE.contains(&name) {
                        wrong.push(format!(
                            "src/{file}: the editor must not see the engine's {name}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_lives_in_few_places() {
    let mut wrong = Vec::new();
    for (file, lines) in files() {
        let allowed = UNSAFE.iter().any(|(name, _)| *name == file);
        if !allowed && lines.iter().any(|line| line.contains("unsafe ")) {
            wrong.push(format!("src/{file}: unsafe has no place here"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_audio_thread_runs_names_nothing_that_waits() {
    let mut wrong = Vec::new();
    let mut excused = Vec::new();
    for (file, lines) in files() {
        if !AUDIO.contains(&room(&file)) {
            continue;
        }
        for word in waits(without_tests(&file, &lines)) {
            match MAY_WAIT
                .iter()
                .position(|(at, what, _)| *at == file && *what == word)
            {
                Some(index) => excused.push(index),
                None => wrong.push(format!(
                    "src/{file}: {word} may wait, and the audio thread runs this room; hand things over through a ring \
                     or atomics, or say in MAY_WAIT of tests/layering.rs why it is never there"
                )),
            }
        }
    }
    for (index, (file, word, _)) in MAY_WAIT.iter().enumerate() {
        if !excused.contains(&index) {
            wrong.push(format!(
                "src/{file}: {word} is gone; take it out of MAY_WAIT"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn this_very_test_can_fail() {
    let source =
        "use crate::{\n    engine::{Engine, Event},\n    node, // a comment\n};\nlet x = 1;";
    let lines = joined(source);
    assert_eq!(lines.len(), 2);
    let found: Vec<_> = named(&lines[0], "crate::").collect();
    assert_eq!(found, ["engine", "node"]);
    assert_eq!(room("dsp/phase.rs"), "dsp");
    assert_eq!(room("text.rs"), "text");
    let source = "use std::sync::{Arc, Mutex};\nfn f() { // a RwLock\n    let x = Mutexes;\n    std::thread::sleep(t);\n}
#[cfg(test)]\nfn only_tests_see_this() { println!(); }\n#[cfg(test)]\nmod tests {\n    use std::sync::mpsc;\n}";
    let lines = joined(source);
    let code = without_tests("engine/mod.rs", &lines);
    assert_eq!(
        waits(code).collect::<Vec<_>>(),
        ["Mutex", "sleep", "println"]
    );
    assert!(without_tests("dsp/convolve/tests.rs", &lines).is_empty());
}
