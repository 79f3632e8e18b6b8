//! Files in and files out: formats, rates, lengths.

use super::{RATE, Run, data, sine};
use std::fs;
use zeitgeber::analysis::fit;
use zeitgeber::offline::WavWriter;

#[test]
fn the_output_is_a_float_wav_that_others_read() {
    let run = Run::new();
    run.fine("render --silence 1.5 --tail 0.25 -o o.wav");
    assert_eq!(run.names(), ["o.wav"]);
    let wav = hound::WavReader::open(run.path("o.wav")).unwrap();
    let spec = wav.spec();
    assert_eq!(
        (spec.channels, spec.sample_rate, spec.bits_per_sample),
        (2, RATE, 32)
    );
    assert_eq!(spec.sample_format, hound::SampleFormat::Float);
    assert_eq!(wav.duration(), 84_000);
    let bytes = fs::read(run.path("o.wav")).unwrap();
    let size = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    assert_eq!(size + 8, bytes.len());
    assert!(
        bytes.windows(4).any(|word| word == b"fact"),
        "EBU and Microsoft ask for one"
    );
}

#[test]
fn with_its_defaults_it_is_bit_exact_for_every_block_size() {
    let run = Run::new();
    let (left, right) = (
        sine(100.3, 0.5, 50_000, RATE),
        sine(1234.5, 0.25, 50_000, RATE),
    );
    run.wav("in.wav", RATE, &[&left, &right]);
    for block in [
        "1", "7", "64", "480", "1024", "100000", "random:1", "random:2",
    ] {
        run.fine(&format!("render in.wav -o o.wav --block {block}"));
        assert!(
            run.read("o.wav") == [left.clone(), right.clone()],
            "{block}"
        );
    }
}

#[test]
fn mono_goes_to_both_ears() {
    let run = Run::new();
    let tone = sine(250.0, 0.5, 10_000, 44_100);
    run.wav("in.wav", 44_100, &[&tone]);
    run.fine("render in.wav -o o.wav");
    assert!(run.read("o.wav") == [tone.clone(), tone]);
    assert_eq!(
        hound::WavReader::open(run.path("o.wav"))
            .unwrap()
            .spec()
            .sample_rate,
        44_100
    );
}

#[test]
fn every_format_is_decoded() {
    let run = Run::new();
    for (name, rate, level, tolerance) in [
        ("pair.flac", 44_100.0, -20.0, 0.01),
        ("pair.ogg", 44_100.0, -20.0, 0.2),
        // Encoded at 64 kbit/s: less level, the same tones.
        ("pair.mp3", 24_000.0, -20.4, 0.2),
        ("pair.opus", 48_000.0, -20.0, 0.2),
    ] {
        run.fine(&format!("render {} -o o.wav", data(name)));
        let ears = run.read("o.wav");
        assert_eq!(
            ears[0].len(),
            2 * rate as usize,
            "{name}: padding is removed"
        );
        for (ear, frequency) in ears.iter().zip([245.0, 255.0]) {
            let span = &ear[rate as usize / 2..rate as usize * 3 / 2];
            let found = fit::fit_refined(span, rate, frequency).unwrap();
            assert!(
                (found.frequency - frequency).abs() < 0.01,
                "{name}: {found:?}"
            );
            assert!(
                (found.level() - level).abs() < tolerance,
                "{name}: {}",
                found.level()
            );
        }
    }
}

#[test]
fn an_mp3_without_an_encoders_tag_keeps_all_its_frames() {
    // Frames of silence at 128 kbit/s and 44.1 kHz: a header and zeros.
    let run = Run::new();
    let mut frame = vec![0xff, 0xfb, 0x90, 0x00];
    frame.resize(417, 0);
    fs::write(run.path("in.mp3"), frame.repeat(100)).unwrap();
    run.fine("render in.mp3 -o o.wav");
    let [left, right] = run.read("o.wav");
    assert_eq!(left.len(), 115_200);
    assert!(left.iter().chain(&right).all(|sample| *sample == 0.0));
}

#[test]
fn integer_wavs_are_decoded() {
    let run = Run::new();
    for (bits, scale) in [
        (8, 127.0),
        (16, 32_767.0),
        (24, 8_388_607.0),
        (32, 2_147_483_647.0),
    ] {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(run.path("in.wav"), spec).unwrap();
        for sample in sine(250.0, 0.5, 48_000, RATE) {
            wav.write_sample((f64::from(sample) * scale).round() as i32)
                .unwrap();
        }
        wav.finalize().unwrap();
        run.fine("render in.wav -o o.wav");
        let found = fit::fit(&run.read("o.wav")[0], f64::from(RATE), 250.0).unwrap();
        assert!(
            (found.amplitude - 0.5).abs() < 0.005,
            "{bits} bits: {found:?}"
        );
    }
}

#[test]
fn another_rate_keeps_length_place_and_level() {
    let run = Run::new();
    let click = 22_050;
    let mut tone = sine(1000.0, 0.5, 88_200, 44_100);
    tone[click] += 1.0;
    run.wav("in.wav", 44_100, &[&tone]);
    for rate in [8000u32, 48_000, 96_000, 192_000] {
        run.fine(&format!("render in.wav -o o.wav --rate {rate}"));
        let [left, _] = run.read("o.wav");
        assert_eq!(left.len(), 2 * rate as usize);
        let half = rate as usize / 2;
        let quiet = &left[half + half / 8..3 * half];
        let found = fit::fit(quiet, f64::from(rate), 1000.0).unwrap();
        assert!((found.amplitude - 0.5).abs() < 1e-4, "{rate}: {found:?}");
        // 500 whole cycles lie before the click, so the tone itself is 0 there.
        let peak = (half - 50..half + 50)
            .max_by(|a, b| left[*a].total_cmp(&left[*b]))
            .unwrap();
        if rate > 8000 {
            assert_eq!(peak, half, "{rate}");
        }
    }
}

#[test]
fn rf64_is_read_whatever_its_size() {
    let run = Run::new();
    let (left, right) = (
        sine(245.0, 0.1, 96_000, RATE),
        sine(255.0, 0.1, 96_000, RATE),
    );
    let mut wav = WavWriter::create_with_limit(&run.path("big.wav"), 2, RATE, 1000).unwrap();
    wav.write(&[&left, &right]).unwrap();
    wav.finish().unwrap();
    assert_eq!(&fs::read(run.path("big.wav")).unwrap()[..4], b"RF64");
    run.fine("render big.wav -o o.wav");
    assert!(run.read("o.wav") == [left, right]);
    assert!(run.fine("analyze big.wav").contains("2.000 s"));
}

#[test]
fn quiet_says_nothing_and_others_one_line() {
    let run = Run::new();
    assert_eq!(run.fine("render --silence 1 -o o.wav --quiet"), "");
    let said = run.fine("render --silence 1 -o o.wav");
    assert!(
        said.lines().count() == 1 && said.contains("1.000 s at 48000 Hz"),
        "{said}"
    );
}

#[test]
fn nothing_at_all_is_a_file_too() {
    let run = Run::new();
    run.fine("render --silence 0 -o o.wav");
    assert!(run.read("o.wav").iter().all(Vec::is_empty));
    run.wav("empty.wav", RATE, &[&[]]);
    run.fine("render empty.wav -o o.wav");
    run.fine("analyze empty.wav --json");
}

#[test]
fn integers_are_dithered_the_same_in_every_render_and_say_what_is_cut_off() {
    let run = Run::new();
    // A tone of a quarter of a step of 16 bits: without dither it would be silence.
    let soft = sine(250.0, 0.25 / 32_768.0, 48_000, RATE);
    run.wav("in.wav", RATE, &[&soft, &soft]);
    for (bits, step) in [(16u16, 1.0 / 32_768.0), (24, 1.0 / 8_388_608.0)] {
        run.fine(&format!("render in.wav -o a.wav -q --bits {bits}"));
        run.fine(&format!(
            "render in.wav -o b.wav -q --bits {bits} --block 77"
        ));
        assert_eq!(
            fs::read(run.path("a.wav")).unwrap(),
            fs::read(run.path("b.wav")).unwrap()
        );
        let mut wav = hound::WavReader::open(run.path("a.wav")).unwrap();
        assert_eq!(
            (wav.spec().bits_per_sample, wav.spec().sample_format),
            (bits, hound::SampleFormat::Int)
        );
        let values: Vec<f32> = wav
            .samples::<i32>()
            .map(|x| (f64::from(x.unwrap()) * step) as f32)
            .collect();
        let ears = [0, 1].map(|ear| {
            values
                .iter()
                .skip(ear)
                .step_by(2)
                .copied()
                .collect::<Vec<f32>>()
        });
        let found = fit::fit(&ears[0], f64::from(RATE), 250.0).unwrap();
        assert!(
            (found.amplitude * 32_768.0 - 0.25).abs() < 0.02,
            "{bits}: {found:?}"
        );
        // Triangular dither of two steps and the rounding leave half a step.
        let rest = found.residual / step;
        assert!((rest - 0.5).abs() < 0.02, "{bits}: {rest}");
        assert_ne!(ears[0], ears[1], "each ear has its own");
    }
    let loud = sine(250.0, 1.5, 4800, RATE);
    run.wav("loud.wav", RATE, &[&loud, &[0.0; 4800]]);
    let output = run.zeitgeber("render loud.wav -o c.wav -q --bits 16");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.contains("were cut off"),
        "{said}"
    );
    let mut wav = hound::WavReader::open(run.path("c.wav")).unwrap();
    let right: Vec<i32> = wav
        .samples::<i32>()
        .map(Result::unwrap)
        .skip(1)
        .step_by(2)
        .collect();
    assert!(right.iter().all(|x| *x == 0), "silence stays silence");
    assert!(
        run.wrong("render in.wav -o o.wav --bits 8")
            .contains("--bits")
    );
}

/// A disk that is full, as far as a file can tell: it may not grow beyond some kilobytes.
#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_nothing_is_left() {
    let run = Run::new();
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg("ulimit -f 16; exec \"$0\" render --silence 2 -o o.wav --set l1_kind=binaural")
        .arg(env!("CARGO_BIN_EXE_zeitgeber"))
        .current_dir(run.path("."))
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}");
    assert!(
        line.lines().count() == 1 && line.contains("o.wav"),
        "{line}"
    );
    assert!(run.names().is_empty(), "{:?}", run.names());
}
