//! THIRD-PARTY.txt: every package that is linked, with its licence and the texts that it ships.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The file, and what it could not have.
pub struct Notices {
    /// Its text.
    pub text: String,
    /// Packages that ship no text of their licence.
    pub without_text: Vec<String>,
}

/// Beginnings of names of files that hold a licence, in capitals.
const NAMES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// The texts in a folder, each with the name of its file.
type Files<'a> = &'a dyn Fn(&Path) -> Result<Vec<(String, String)>>;

/// Gathers them for what is linked into `root`. `files` gives the texts of a package by its folder.
///
/// # Errors
/// When cargo's metadata is not what it was.
pub fn notices(metadata: &Value, root: &str, files: Files) -> Result<Notices> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let linked = linked(metadata, root)?;
    let mut listed: Vec<&Value> = packages
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| linked.contains(id)))
        // Our own have their licences beside this file.
        .filter(|package| !package["source"].is_null())
        .collect();
    listed.sort_by_key(|package| (word(package, "name"), word(package, "version")));
    let mut list = String::new();
    let mut without_text = Vec::new();
    // Each text once, with whose it is.
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in listed {
        let name = format!("{} {}", word(package, "name"), word(package, "version"));
        let licence = package["license"].as_str().unwrap_or("see its text");
        let _ = writeln!(list, "{name}: {licence}");
        if let Some(repository) = package["repository"].as_str() {
            let _ = writeln!(list, "    {repository}");
        }
        let manifest = package["manifest_path"].as_str().context("no manifest")?;
        let folder = Path::new(manifest).parent().context("no folder")?;
        let found = files(folder)?;
        if found.is_empty() {
            without_text.push(name.clone());
        }
        for (file, text) in found {
            let text = text.replace("\r\n", "\n").trim().to_owned();
            texts
                .entry(text)
                .or_default()
                .push(format!("{name} ({file})"));
        }
    }
    let mut text = format!(
        "What is linked into Zeitgeber's programs and plugins, with the licences that it is under. Where a package is\n\
         under several, any of those joined by OR may be chosen. The texts follow the list. Packages under MPL-2.0 are\n\
         used unmodified; their source is at the address that is given. NOTICE tells of what is no package.\n\n{list}"
    );
    if !without_text.is_empty() {
        let _ = writeln!(
            text,
            "\nThese ship no text of their licence; it is one of those below, or of LICENSE-MIT and LICENSE-APACHE:\n    {}",
            without_text.join("\n    ")
        );
    }
    let mut texts: Vec<(Vec<String>, String)> = texts
        .into_iter()
        .map(|(text, whose)| (whose, text))
        .collect();
    texts.sort();
    for (whose, licence) in texts {
        let _ = write!(
            text,
            "\n{}\nOf {}:\n\n{licence}\n",
            "-".repeat(79),
            whose.join(", ")
        );
    }
    Ok(Notices { text, without_text })
}

fn word<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

/// The ids of all packages that `root` links: those that it needs to run, and what these need. Macros run in the
/// compiler, and what only builds or tests is not linked either.
fn linked<'a>(metadata: &'a Value, root: &str) -> Result<BTreeSet<&'a str>> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .context("no graph")?;
    let by_id: BTreeMap<&str, &Value> = packages
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let edges: BTreeMap<&str, &Value> = nodes
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, &node["deps"])))
        .collect();
    let is_macro = |id: &str| {
        let targets = by_id
            .get(id)
            .and_then(|package| package["targets"].as_array());
        let kinds = targets
            .into_iter()
            .flatten()
            .flat_map(|target| target["kind"].as_array());
        kinds.flatten().any(|kind| kind == "proc-macro")
    };
    let start = by_id
        .iter()
        .find(|(_, package)| package["name"] == root)
        .context("the package itself is missing")?;
    let mut found = BTreeSet::new();
    let mut open = vec![*start.0];
    while let Some(id) = open.pop() {
        if is_macro(id) || !found.insert(id) {
            continue;
        }
        let dependencies = edges.get(id).and_then(|deps| deps.as_array());
        for dependency in dependencies.into_iter().flatten() {
            let kinds = dependency["dep_kinds"].as_array();
            // A normal dependency has the kind null.
            let is_linked =
                kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()));
            if let Some(id) = dependency["pkg"].as_str().filter(|_| is_linked) {
                open.push(id);
            }
        }
    }
    Ok(found)
}

/// The texts of licences that lie in a package, or in a folder of it: a library that it contains.
///
/// # Errors
/// When the folder cannot be read.
pub fn files_of(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    look(folder, "", 2, &mut found)?;
    found.sort();
    Ok(found)
}

fn look(folder: &Path, prefix: &str, depth: u32, found: &mut Vec<(String, String)>) -> Result<()> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("{}: run `cargo fetch` first", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let capitals = name.to_uppercase();
        // Fonts have theirs beside them under names of their own.
        let is_of_font = prefix.ends_with("fonts/") && capitals.ends_with(".TXT");
        let is_licence = is_of_font || NAMES.iter().any(|start| capitals.starts_with(start));
        let kind = entry.file_type()?;
        if kind.is_dir() && depth > 0 && !["target", "tests", "src"].contains(&name.as_str()) {
            look(&entry.path(), &format!("{prefix}{name}/"), depth - 1, found)?;
        } else if kind.is_file() && is_licence && !capitals.ends_with(".RS") {
            let bytes = fs::read(entry.path())?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            found.push((format!("{prefix}{name}"), text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, licence: &str, kind: &str) -> Value {
        let source = (name != "app").then_some("registry");
        json!({
            "id": name, "name": name, "version": "1.0.0", "license": licence, "source": source,
            "manifest_path": format!("/r/{name}/Cargo.toml"), "repository": format!("https://{name}"),
            "targets": [{ "kind": [kind] }],
        })
    }

    fn node(id: &str, needs: &[(&str, Option<&str>)]) -> Value {
        let deps: Vec<Value> = needs
            .iter()
            .map(|(name, kind)| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] }))
            .collect();
        json!({ "id": id, "deps": deps })
    }

    #[test]
    fn what_is_linked_is_named_once_with_its_texts() {
        let metadata = json!({
            "packages": [
                package("zlib", "Zlib", "lib"), package("app", "MIT", "lib"), package("b", "MIT", "lib"),
                package("derive", "MIT", "proc-macro"), package("cc", "MIT", "lib"),
                package("of_derive", "MIT", "lib"), package("mute", "ISC", "lib"), package("tester", "MIT", "lib"),
            ],
            "resolve": { "nodes": [
                node("app", &[("b", None), ("cc", Some("build")), ("tester", Some("dev")), ("derive", None)]),
                node("b", &[("zlib", None), ("mute", None)]),
                node("zlib", &[]), node("mute", &[("b", None)]), node("cc", &[]), node("tester", &[]),
                node("derive", &[("of_derive", None)]), node("of_derive", &[]),
            ]},
        });
        let files = |folder: &Path| -> Result<Vec<(String, String)>> {
            Ok(match folder.file_name().unwrap().to_str().unwrap() {
                "b" | "zlib" => vec![("LICENSE".into(), "The same\r\ntext.\n".into())],
                _ => Vec::new(),
            })
        };
        let notices = notices(&metadata, "app", &files).unwrap();
        let text = &notices.text;
        assert!(
            text.contains("b 1.0.0: MIT\n    https://b\nmute 1.0.0: ISC\n"),
            "{text}"
        );
        assert!(text.contains("zlib 1.0.0: Zlib"));
        for not_linked in ["app 1", "cc 1", "derive 1", "of_derive", "tester"] {
            assert!(!text.contains(not_linked), "{not_linked}: {text}");
        }
        assert_eq!(text.matches("The same\ntext.").count(), 1);
        assert!(text.contains("Of b 1.0.0 (LICENSE), zlib 1.0.0 (LICENSE):"));
        assert_eq!(notices.without_text, ["mute 1.0.0"]);
        assert!(super::notices(&metadata, "none", &files).is_err());
    }

    /// Of this very workspace: whatever is linked can be named, in the same words each time.
    #[test]
    fn this_workspace_can_be_told_of() {
        let output = crate::shell::cargo()
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            // What other platforms link need not be on this machine.
            .args(["--filter-platform", &crate::package::triple(&[]).unwrap()])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let first = notices(&metadata, "zeitgeber", &files_of).unwrap();
        for name in ["symphonia ", "flac-codec ", "egui ", "opusic-sys "] {
            assert!(first.text.contains(&format!("\n{name}")), "{name}");
        }
        assert!(first.text.contains("(fonts/OFL.txt)"));
        assert!(!first.text.contains("\nproptest ") && !first.text.contains("\ncc "));
        assert_eq!(
            first.text,
            notices(&metadata, "zeitgeber", &files_of).unwrap().text
        );
    }
}
