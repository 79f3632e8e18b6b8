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
fn what_a_decoder_does() {
    let run = with_kemar();
    let text = run.fine("hrtf --decoder 2");
    for part in [
        "MIT KEMAR, normal pinna",
        "order 2, equalised, 288 taps at 48000 Hz",
        "LSD",
        "ITD error",
        "4000 Hz",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Of a file: made once, kept, and the same when it comes from there.
    let words = "hrtf kemar.sofa --decoder 3 --no-eq --rate 44100 --json";
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let first = json(&run.fine(words));
    assert_eq!(first["order"], 3);
    assert_eq!(first["equalised"], false);
    assert!(first["log_spectral_distance"].as_f64().unwrap() < 4.5);
    assert!(first["itd_error"].as_f64().unwrap() < 20.0);
    assert_eq!(first["bands"].as_array().unwrap().len(), 7);
    let second = json(&run.fine(words));
    assert_eq!(first["bands"], second["bands"]);
    assert_eq!(run.names(), ["kemar.sofa"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_cache_that_is_damaged_or_none_does_no_harm() {
    let run = with_kemar();
    let words = "hrtf kemar.sofa --decoder 1 --json";
    let bands = || {
        let json: serde_json::Value = serde_json::from_str(&run.fine(words)).unwrap();
        json["bands"].clone()
    };
    let first = bands();
    let folder = run.cache.path().join("zeitgeber/decoders");
    let kept: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(kept.len(), 1);
    let mut bytes = fs::read(&kept[0]).unwrap();
    bytes[3000] ^= 1;
    fs::write(&kept[0], &bytes).unwrap();
    assert_eq!(bands(), first);
    fs::remove_dir_all(run.cache.path().join("zeitgeber")).unwrap();
    fs::write(run.cache.path().join("zeitgeber"), "in the way").unwrap();
    assert_eq!(bands(), first);
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
        ("hrtf --decoder 0", "give an order from 1 to 7"),
        ("hrtf kemar.sofa --decoder 8", "give an order from 1 to 7"),
        ("hrtf --decoder 3 --rate 1", "8000 to 768000"),
        ("hrtf none.sofa --decoder 3", "none.sofa: cannot be read"),
        ("hrtf kemar.sofa --jsn", "nearest is '--json'"),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
}
