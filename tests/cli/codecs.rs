//! Files of other programs: what MP3 and Opus leave of a beat. The encoders are tools of the machine; where one is not
//! there, its part is skipped, and says so.

use super::{RATE, Run, sine};
use std::process::{Command, Stdio};

/// Whether the encoder made the file; without the encoder it is said that the part is skipped.
fn encoded(run: &Run, codec: &str, bits: &str, name: &str) -> bool {
    let known = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-encoders"])
        .stdin(Stdio::null())
        .output();
    let known = known.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(codec));
    if !known {
        eprintln!("SKIPPED: there is no ffmpeg with {codec} on this machine: {name} is not tried");
        return false;
    }
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-y", "-i", "in.wav"])
        .args(["-c:a", codec, "-b:a", bits, name])
        .current_dir(run.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    true
}

/// The beats that `analyze --json` names, with their kind.
fn beats(run: &Run, name: &str) -> Vec<(String, f64)> {
    let report: serde_json::Value =
        serde_json::from_str(&run.fine(&format!("analyze {name} --json"))).unwrap();
    let found = report["entrainment"].as_array().unwrap();
    found
        .iter()
        .map(|course| {
            let kind = course["kind"].as_str().unwrap().to_owned();
            (kind, course["hz"].as_f64().unwrap())
        })
        .collect()
}

const FORMS: [(&str, &str, &str); 4] = [
    ("libmp3lame", "64k", "low.mp3"),
    ("libmp3lame", "128k", "high.mp3"),
    ("libopus", "24k", "low.opus"),
    ("libopus", "64k", "high.opus"),
];

#[test]
fn a_binaural_beat_is_found_in_mp3_and_opus_or_rightly_reported_lost() {
    let run = Run::new();
    let frames = 12 * RATE as usize;
    run.wav(
        "in.wav",
        RATE,
        &[
            &sine(245.0, 0.2, frames, RATE),
            &sine(255.0, 0.2, frames, RATE),
        ],
    );
    for (codec, bits, name) in FORMS {
        if !encoded(&run, codec, bits, name) {
            continue;
        }
        let found = beats(&run, name);
        let carries = found
            .iter()
            .any(|(kind, hertz)| kind == "binaural" && (hertz.abs() - 10.0).abs() < 0.02);
        // What is there by the plain measure: each ear's own tone, and how much of the other's is in it.
        let apart = separation(&run, name);
        eprintln!("{name}: ears apart by {apart:.1} dB, beats {found:?}");
        if apart > 12.0 {
            assert!(carries, "{name}: {apart:.1} dB apart, but {found:?}");
        } else if apart < 0.5 {
            assert!(!carries, "{name}: the ears are the same, but {found:?}");
        }
        if bits != "24k" {
            assert!(carries, "{name}: {found:?}");
        }
    }
}

/// By how much each ear's own tone is above the other ear's in it, in dB; the lesser of both.
fn separation(run: &Run, name: &str) -> f64 {
    use zeitgeber::analysis::fit;
    use zeitgeber::offline::{Decoder, Source};
    let mut decoder = Decoder::open(&run.path(name)).unwrap();
    let rate = f64::from(decoder.rate());
    let count = 10 * decoder.rate() as usize;
    let (mut left, mut right) = (vec![0.0; count], vec![0.0; count]);
    decoder.read(&mut [&mut left, &mut right]).unwrap();
    // Whole cycles of both, so that neither leaks into the other.
    let span = rate as usize..9 * rate as usize;
    let level = |ear: &[f32], hertz| fit::fit(&ear[span.clone()], rate, hertz).unwrap().level();
    let own = level(&left, 245.0) - level(&left, 255.0);
    own.min(level(&right, 255.0) - level(&right, 245.0))
}

/// At rates that go into that of Opus' frames (50 a second), and at others: those come back from 24 kbit/s with faint lines on
/// the grid that both have in common, by which they are not named.
#[test]
fn an_isochronic_beat_outlives_every_rate() {
    for rate in [6.0, 10.0, 40.0] {
        let run = Run::new();
        run.fine(&format!(
            "render --silence 12 -o in.wav -q --set l1_kind=isochronic --set beat={rate} --set carrier=300"
        ));
        for (codec, bits, name) in FORMS {
            if !encoded(&run, codec, bits, name) {
                continue;
            }
            let found = beats(&run, name);
            let (kind, hertz) = found.first().expect("a beat");
            let carries = kind == "isochronic" && (hertz - rate).abs() < 0.02;
            assert!(carries, "{rate} Hz, {name}: {found:?}");
        }
    }
}
