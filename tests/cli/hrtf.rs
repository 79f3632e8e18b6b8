//! `zeitgeber hrtf`: what a file holds, and what is wrong with one that holds nothing.

use super::Run;
use std::fs;
use std::path::Path;

fn with_kemar() -> Run {
    let run = Run::new();
    let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
    fs::copy(asset, run.path("kemar.sofa")).unwrap();
    run
}

#[test]
fn what_a_file_holds() {
    let run = with_kemar();
    let text = run.fine("hrtf kemar.sofa");
    for part in [
        "SimpleFreeFieldHRIR 1.0",
        "710 positions x 2 ears x 512 samples at 44100 Hz",
        "elevation    -40.0 to 90.0 degrees",
        "72 at 0.0",
        "none in the file",
        "ITD          -703 to 703 us",
        "symmetric    yes",
        "nothing was measured within 50 degrees",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&run.fine("hrtf --json kemar.sofa")).unwrap();
    assert_eq!(json["measurements"], 710);
    assert_eq!(json["rings"][4][1], 72);
    assert_eq!(json["symmetric"], true);
    assert_eq!(json["prepared"]["rate"], 48_000.0);
    assert!(json["prepared"]["directions"].as_u64().unwrap() > 2500);
}

#[test]
fn files_that_hold_nothing() {
    let run = with_kemar();
    run.write("empty.sofa", "");
    run.write("text.sofa", "no SOFA");
    let whole = fs::read(run.path("kemar.sofa")).unwrap();
    fs::write(run.path("cut.sofa"), &whole[..500_000]).unwrap();
    fs::create_dir(run.path("folder")).unwrap();
    for (words, says) in [
        ("hrtf", "<FILE>"),
        ("hrtf none.sofa", "none.sofa: cannot be read"),
        ("hrtf folder", "folder: is not a file"),
        ("hrtf empty.sofa", "it is empty"),
        ("hrtf text.sofa", "text.sofa: is no intact SOFA file"),
        ("hrtf cut.sofa", "cut.sofa: is no intact SOFA file"),
        ("hrtf kemar.sofa --rate 1", "8000 to 768000"),
        ("hrtf kemar.sofa --jsn", "nearest is '--json'"),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
}
