//! The validators of others, where they are installed: clap-validator, Steinberg's `validator`, pluginval.
//!
//! promise: clap-validator, Steinberg's validator and pluginval at strictness 10 find nothing, where they are installed

use crate::library::{clap_bundle, on_path, run, skipped, vst3_bundle};
use std::process::Command;
use std::time::Duration;

/// The number in front of a word: "0 failed" gives 0.
fn count(text: &str, word: &str) -> Option<u64> {
    let before = &text[..text.find(word)?];
    before.split_whitespace().next_back()?.parse().ok()
}

/// Without the colours that a program puts into its text.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                chars.by_ref().find(char::is_ascii_alphabetic);
            }
            c => plain.push(c),
        }
    }
    plain
}

#[test]
fn clap_validator() {
    let Some(program) = on_path("clap-validator") else {
        return skipped("clap-validator", "it is not on the PATH");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bundle = clap_bundle(folder.path());
    // It times the plugin on denormals and warns when that takes twice as long: on a machine that runs
    // other tests beside it, a warning says something only if it comes every time. A failure is one.
    for last in [false, false, false, false, true] {
        let mut command = Command::new(&program);
        command.arg("validate").arg(&bundle);
        let output = run(&mut command, Duration::from_secs(600));
        let text = plain(&output.stdout) + &plain(&output.stderr);
        assert!(output.status.success(), "{text}");
        let result = text
            .lines()
            .rfind(|line| line.contains("tests run"))
            .unwrap_or_default();
        assert_eq!(count(result, "failed"), Some(0), "{text}");
        if count(result, "warning") == Some(0) {
            return println!("clap-validator: {result}");
        }
        assert!(
            !last && text.contains("longer to process denormals"),
            "{text}"
        );
    }
}

#[test]
fn steinbergs_validator() {
    let Some(program) = on_path("validator") else {
        return skipped(
            "Steinberg's VST3 validator",
            "there is no `validator` on the PATH",
        );
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(program);
    command.arg(vst3_bundle(folder.path()));
    let output = run(&mut command, Duration::from_secs(600));
    let text = plain(&output.stdout) + &plain(&output.stderr);
    assert!(output.status.success(), "{text}");
    // Its last line counts: two ERROR lines about bypass belong to passing tests.
    let result = text
        .lines()
        .rfind(|line| line.starts_with("Result:"))
        .unwrap_or_default();
    assert_eq!(count(result, "tests failed"), Some(0), "{text}");
    assert!(count(result, "tests passed") > Some(40), "{text}");
    println!("validator: {result}");
}

#[test]
fn pluginval() {
    let Some(program) = on_path("pluginval") else {
        return skipped("pluginval", "it is not on the PATH");
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(program);
    command.args(["--strictness-level", "10", "--skip-gui-tests", "--validate"]);
    command.arg(vst3_bundle(folder.path()));
    let output = run(&mut command, Duration::from_secs(1200));
    let text = plain(&output.stdout) + &plain(&output.stderr);
    assert!(output.status.success(), "{text}");
}
