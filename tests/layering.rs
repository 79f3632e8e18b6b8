//! Imports run one way: each room may use itself and the rooms below it, nothing else.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms of this crate that it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("file", &[]),
    ("dsp", &[]),
    ("hrtf", &["dsp", "text"]),
    ("analysis", &["dsp"]),
    ("node", &["dsp", "hrtf", "text"]),
    ("live", &["dsp", "file", "node"]),
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
        &["analysis", "control", "dsp", "engine", "protocol", "text"],
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
    ("directories", &["protocol", "hrtf", "live"]),
    ("libloading", &["node"]),
    ("rustix", &["live"]),
    ("multiversion", &["dsp"]),
    ("rustfft", &["dsp"]),
    ("rosc", &["control"]),
    ("midir", &["control"]),
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
    ("editor/window.rs", "asking OpenGL who draws"),
    (
        "plugin/params.rs",
        "nice-plug's Params trait is unsafe to implement",
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
fn this_very_test_can_fail() {
    let source =
        "use crate::{\n    engine::{Engine, Event},\n    node, // a comment\n};\nlet x = 1;";
    let lines = joined(source);
    assert_eq!(lines.len(), 2);
    let found: Vec<_> = named(&lines[0], "crate::").collect();
    assert_eq!(found, ["engine", "node"]);
    assert_eq!(room("dsp/phase.rs"), "dsp");
    assert_eq!(room("text.rs"), "text");
}
