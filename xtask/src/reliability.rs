//! `cargo xtask reliability`: writes the table of `docs/reliability.md` from the promises that stand in the tests.
//!
//! A promise is a line `//! promise: ...` at the head of a file of tests.

use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/reliability.md";
const BEGIN: &str = "<!-- written by `cargo xtask reliability` -->\n";
const END: &str = "<!-- end -->\n";
const MARK: &str = "//! promise: ";

/// Writes the table anew.
///
/// # Errors
/// When the tests or the page cannot be read, or the page not be written.
pub fn reliability() -> Result<()> {
    let root = Path::new(".");
    let page = page(root)?;
    std::fs::write(root.join(PAGE), page).with_context(|| format!("could not write {PAGE}"))?;
    println!("{PAGE} is up to date");
    Ok(())
}

/// The page as it should be.
fn page(root: &Path) -> Result<String> {
    let path = root.join(PAGE);
    let page = std::fs::read_to_string(path).with_context(|| format!("could not read {PAGE}"))?;
    let missing = || format!("{PAGE} has lost its mark {BEGIN}");
    let (before, rest) = page.split_once(BEGIN).with_context(missing)?;
    let (_, after) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", table(root)?))
}

fn table(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for folder in ["tests", "src"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut table = String::from("| promise | tests | by themselves |\n|---|---|---|\n");
    for file in files {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("could not read {}", file.display()))?;
        let shown = file.strip_prefix(root).unwrap_or(&file).display();
        let has_tests = text.lines().any(|line| line.trim() == "#[test]");
        for promise in text.lines().filter_map(|line| line.strip_prefix(MARK)) {
            ensure!(has_tests, "{shown} promises and has no test: {promise}");
            let command = command(&shown.to_string());
            writeln!(table, "| {promise} | `{shown}` | `{command}` |")?;
        }
    }
    Ok(table)
}

/// What runs the tests of a file and no others.
fn command(file: &str) -> String {
    let stem = file.trim_end_matches(".rs");
    let parts: Vec<&str> = stem.split('/').collect();
    match parts.as_slice() {
        ["tests", name] => format!("cargo test --test {name}"),
        ["tests", name, module] => format!("cargo test --test {name} {module}::"),
        ["src", modules @ ..] => {
            let modules: Vec<&str> = modules.iter().copied().filter(|m| *m != "mod").collect();
            format!("cargo test --lib {}::", modules.join("::"))
        }
        _ => "cargo test".to_owned(),
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("could not read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_the_tests_promise() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let found = std::fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(
            found == page(root).unwrap(),
            "{PAGE} is out of date: run `cargo xtask reliability`"
        );
        assert!(found.matches("\n| ").count() > 15);
    }

    #[test]
    fn commands_name_the_file() {
        for (file, wanted) in [
            ("tests/storm.rs", "cargo test --test storm"),
            ("tests/hosts/clap.rs", "cargo test --test hosts clap::"),
            (
                "src/plugin/state/tests.rs",
                "cargo test --lib plugin::state::tests::",
            ),
        ] {
            assert_eq!(command(file), wanted);
        }
    }
}
