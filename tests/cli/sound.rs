//! What sounds: settings, presets, lanes, the song position, captures.

use super::{RATE, Run, data, sine};
use zeitgeber::analysis::{fit, tones::tones};

/// Ten hertz between 245 Hz and 255 Hz.
const PAIR: &str = "--set l1_kind=binaural --set beat=10 --set carrier=250";

fn hertz(samples: &[f32]) -> f64 {
    tones(samples, f64::from(RATE), 1)[0].frequency
}

/// Where the beat is at each second: right phase less left phase in cycles, from sliding fits.
fn beat_phase(ears: &[Vec<f32>; 2], frame: usize, left: f64, right: f64) -> f64 {
    let phase = |samples: &[f32], frequency: f64| {
        let span = &samples[frame..frame + 4800];
        fit::fit(span, f64::from(RATE), frequency).unwrap().phase / std::f64::consts::TAU
    };
    phase(&ears[1], right) - phase(&ears[0], left)
}

#[test]
fn a_binaural_beat_is_two_tones_at_their_level_after_the_fade() {
    let run = Run::new();
    run.fine(&format!("render --silence 20 -o o.wav {PAIR}"));
    let ears = run.read("o.wav");
    for (ear, frequency) in ears.iter().zip([245.0, 255.0]) {
        let found = tones(ear, f64::from(RATE), 3);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((found[0].frequency - frequency).abs() < 1e-6, "{found:?}");
        assert!(
            (found[0].level() + 20.0).abs() < 0.001,
            "{}",
            found[0].level()
        );
        assert!(
            ear[..480].iter().all(|sample| sample.abs() < 1e-3),
            "it fades in"
        );
        let steady = fit::fit(&ear[96_000..], f64::from(RATE), frequency).unwrap();
        assert!(steady.sinad() > 140.0, "{}", steady.sinad());
    }
    let text = run.fine("analyze o.wav");
    assert!(text.contains("10.00000"), "{text}");
}

#[test]
fn the_music_is_still_there() {
    let run = Run::new();
    run.fine(&format!(
        "render {} -o o.wav --rate 48000 {PAIR}",
        data("pair.flac")
    ));
    let [left, _] = run.read("o.wav");
    assert_eq!(left.len(), 96_000);
    assert!(left[..4800].iter().any(|sample| sample.abs() > 0.09));
}

#[test]
fn set_wins_over_preset_and_automate_over_both() {
    let run = Run::new();
    run.write(
        "p.json",
        r#"{"zeitgeber": 1, "params": {"l1_kind": "binaural", "beat": 4, "carrier": 300}}"#,
    );
    run.write("beat.csv", "0,20\n");
    let rendered = |words: &str| {
        run.fine(&format!(
            "render --silence 5 -o o.wav --preset p.json {words}"
        ));
        run.read("o.wav")
            .map(|ear| (hertz(&ear) * 1000.0).round() / 1000.0)
    };
    assert_eq!(rendered(""), [298.0, 302.0]);
    assert_eq!(rendered("--set beat=8"), [296.0, 304.0]);
    assert_eq!(
        rendered("--set beat=8 --automate beat=beat.csv"),
        [290.0, 310.0]
    );
    assert_eq!(
        rendered("--set beat=8 --set beat=6"),
        [297.0, 303.0],
        "the last --set wins"
    );
}

/// What a preset's protocol moves too: the command line takes it out of the protocol, and the rest plays on.
#[test]
fn set_and_automate_win_over_what_a_protocol_moves() {
    let run = Run::new();
    run.write(
        "p.json",
        r#"{"zeitgeber": 1, "params": {"l1_kind": "binaural", "fade_in": 0}, "protocol": [
            {"at": 0, "beat": 10, "carrier": 300}, {"at": 2, "carrier": 400}, {"at": 4, "beat": 12, "curve": "linear"}]}"#,
    );
    run.write("beat.csv", "0,20\n");
    let rendered = |words: &str| {
        run.fine(&format!("render -o o.wav --preset p.json -q {words}"));
        let ears = run.read("o.wav");
        // As long as the protocol, also where its last row is not played.
        assert_eq!(ears[0].len(), 4 * RATE as usize, "{words}");
        [24_000..72_000, 120_000..168_000]
            .map(|part| [0, 1].map(|ear| hertz(&ears[ear][part.clone()]).round()))
    };
    assert_eq!(
        rendered("--set beat=4"),
        [[298.0, 302.0], [398.0, 402.0]],
        "the carrier is still moved"
    );
    assert_eq!(
        rendered("--automate beat=beat.csv --set beat=4"),
        [[290.0, 310.0], [390.0, 410.0]]
    );
    assert_eq!(
        rendered("--set beat=4 --set carrier=200"),
        [[198.0, 202.0]; 2],
        "nothing is left to the protocol"
    );
    let said = run.fine("render -o o.wav --preset p.json --set beat=4");
    assert!(said.contains("protocol: it does not move beat"), "{said}");
}

#[test]
fn unknown_keys_of_a_preset_are_warned_of() {
    let run = Run::new();
    run.write("p.json", r#"{"zeitgeber": 1, "params": {"beta": 4}}"#);
    let output = run.zeitgeber("render --silence 1 -o o.wav --preset p.json");
    assert_eq!(output.status.code(), Some(0));
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(
        warning.contains("\"beta\"") && warning.contains("\"beat\""),
        "{warning}"
    );
}

#[test]
fn every_cut_sounds_the_same_to_the_bit() {
    let run = Run::new();
    run.write("beat.csv", "0,10\n1.0001,6\n2,4,linear\n2.5,20,step\n");
    let words = format!("render --silence 3 -o o.wav {PAIR} --automate beat=beat.csv");
    run.fine(&words);
    let whole = run.read("o.wav");
    for block in ["1", "7", "32", "64", "480", "1024", "random:3"] {
        run.fine(&format!("{words} --block {block}"));
        assert!(run.read("o.wav") == whole, "{block}");
    }
}

#[test]
fn steps_land_where_the_lane_says() {
    let run = Run::new();
    run.write("beat.csv", "0,10\n10,4\n");
    run.fine(&format!(
        "render --silence 20 -o o.wav {PAIR} --set glide=0 --automate beat=beat.csv"
    ));
    let [left, right] = run.read("o.wav");
    let rate = RATE as usize;
    assert!((hertz(&right[2 * rate..10 * rate]) - 255.0).abs() < 1e-5);
    assert!((hertz(&right[10 * rate..]) - 252.0).abs() < 1e-5);
    assert!((hertz(&left[10 * rate..]) - 248.0).abs() < 1e-5);
    // With no glide the tone before the step goes on to its very frame, and not one further.
    let before = fit::fit(&right[9 * rate..10 * rate], f64::from(RATE), 255.0).unwrap();
    let gone_on = |n: usize| {
        let angle = std::f64::consts::TAU * 255.0 * (n as f64 - 9.0 * f64::from(RATE)) / 48_000.0;
        before.amplitude * (angle + before.phase).cos()
    };
    let off = |n: usize| (f64::from(right[n]) - gone_on(n)).abs();
    assert!(off(10 * rate) < 1e-7, "{}", off(10 * rate));
    assert!(off(10 * rate + 2) > 1e-6, "{}", off(10 * rate + 2));
}

#[test]
fn a_line_is_exact_to_a_thousandth_of_a_cycle() {
    // From 10 to 4 Hz in 20 s: after t seconds the beat has gone through 10 t - 0.15 t^2 cycles.
    let run = Run::new();
    run.write("beat.csv", "seconds,value,travel\n0,10\n20,4,linear\n");
    run.fine(&format!(
        "render --silence 25 -o o.wav {PAIR} --automate beat=beat.csv"
    ));
    let ears = run.read("o.wav");
    let rate = RATE as usize;
    let cycles = |t: f64| {
        if t < 20.0 {
            10.0 * t - 0.15 * t * t
        } else {
            140.0 + 4.0 * (t - 20.0)
        }
    };
    // The end is steady: its phase tells how many cycles the whole line was.
    let found = beat_phase(&ears, 22 * rate, 248.0, 252.0);
    let start = {
        // What the very first beat phase is, is not this test's promise; take it from a steady render.
        run.fine(&format!(
            "render --silence 25 -o steady.wav {PAIR} --set beat=4"
        ));
        beat_phase(&run.read("steady.wav"), 22 * rate, 248.0, 252.0) - 4.0 * 22.0
    };
    let error = found - start - cycles(22.0);
    assert!((error - error.round()).abs() < 1e-3, "{error}");
}

#[test]
fn a_line_departs_from_the_step_before_it() {
    // 20 cycles to the step, then from 6.3 to 4 Hz in 2 s, which is 10.3 more.
    let run = Run::new();
    run.write("beat.csv", "0,10\n2,6.3,step\n4,4,linear\n");
    run.fine(&format!(
        "render --silence 8 -o o.wav {PAIR} --automate beat=beat.csv"
    ));
    run.fine(&format!(
        "render --silence 8 -o steady.wav {PAIR} --set beat=4"
    ));
    let phase = |name| beat_phase(&run.read(name), 6 * RATE as usize, 248.0, 252.0);
    let error = phase("o.wav") - phase("steady.wav") - (20.0 + 10.3 - 4.0 * 4.0);
    assert!((error - error.round()).abs() < 1e-3, "{error}");
}

#[test]
fn a_level_travels_from_the_very_first_frame() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.5; 48_000]]);
    run.write("gain.csv", "0,-20\n10,0,linear\n");
    run.fine("render in.wav -o o.wav --automate out_gain=gain.csv");
    let [left, _] = run.read("o.wav");
    for (n, sample) in left.iter().enumerate() {
        let db = -20.0 + 2.0 * n as f64 / f64::from(RATE);
        let expected = 0.5 * 10f64.powf(db / 20.0);
        assert!(
            (f64::from(*sample) - expected).abs() < 1e-5,
            "{n}: {sample} {expected}"
        );
    }
}

#[test]
fn a_later_start_enters_the_lane_on_its_way() {
    let run = Run::new();
    run.write("beat.csv", "0,10\n100,10\n110,20,linear\n");
    let words = format!("{PAIR} --automate beat=beat.csv");
    run.fine(&format!(
        "render --silence 4 --start 110 -o after.wav {words}"
    ));
    run.fine(&format!(
        "render --silence 4 --start 50 -o before.wav {words}"
    ));
    run.fine(&format!(
        "render --silence 4 --start 105 -o amid.wav {words}"
    ));
    assert!((hertz(&run.read("after.wav")[1]) - 260.0).abs() < 1e-3);
    assert!((hertz(&run.read("before.wav")[1]) - 255.0).abs() < 1e-3);
    // Amid the line, 105 to 109 s: from 15 to 19 Hz.
    let span = &run.read("amid.wav")[1][48_000..52_800];
    let found = fit::fit_refined(span, f64::from(RATE), 258.05)
        .unwrap()
        .frequency;
    assert!((found - 258.025).abs() < 0.02, "{found}");
}

#[test]
fn nodes_are_captured_whole() {
    let run = Run::new();
    let tone = sine(440.0, 0.3, 30_000, RATE);
    run.wav("in.wav", RATE, &[&tone, &tone]);
    run.fine("render in.wav -o o.wav --capture all");
    let graph = run.fine("graph");
    let names: Vec<&str> = graph.lines().collect();
    let mut captured = 0;
    for entry in std::fs::read_dir(run.path("all")).unwrap() {
        let path = entry.unwrap().path();
        let wav = hound::WavReader::open(&path).unwrap();
        assert_eq!(wav.duration(), 30_000, "{}", path.display());
        captured += 1;
    }
    assert!(captured > 0 && captured <= names.len());
    let last = names.last().unwrap();
    run.fine(&format!("render in.wav -o o.wav --capture one:{last}"));
    assert_eq!(std::fs::read_dir(run.path("one")).unwrap().count(), 1);
}

#[test]
fn markers_are_where_the_beat_is() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.0; 48_000 * 3]]);
    run.fine(
        "render in.wav -o o.wav --start 10 --set l2_kind=isochronic --set l2_ratio=2 --set beat=4 \
         --markers marks.csv",
    );
    let text = std::fs::read_to_string(run.path("marks.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    assert!(
        text.starts_with("seconds,frame,event,layer,value\n"),
        "{text}"
    );
    assert_eq!(rows[0][2], "anchor");
    let times = |event: &str| -> Vec<(f64, i64)> {
        rows.iter()
            .filter(|row| row[2] == event)
            .map(|row| (row[0].parse().unwrap(), row[4].parse().unwrap()))
            .collect()
    };
    // 4 Hz from second 10 on: cycle 40 begins there; the layer pulses at 8 Hz.
    let beats = times("beat");
    // The cycle at the very end may begin a billionth of a cycle before it.
    assert!((12..=13).contains(&beats.len()), "{beats:?}");
    for (n, (seconds, cycle)) in beats.iter().enumerate() {
        assert_eq!(*cycle, 40 + n as i64);
        assert!((seconds - 10.0 - 0.25 * n as f64).abs() < 1e-8, "{seconds}");
    }
    let onsets = times("onset");
    assert!((24..=25).contains(&onsets.len()));
    assert!((onsets[5].0 - 10.625).abs() < 1e-8 && onsets[5].1 == 85);
    let refused = run.wrong("render in.wav -o o2.wav --markers in.wav");
    assert!(refused.contains("overwrite"), "{refused}");
    let refused = run.wrong("render in.wav -o o2.wav --markers o2.wav");
    assert!(refused.contains("same file"), "{refused}");
}

#[test]
fn the_tempo_sets_the_beat() {
    let run = Run::new();
    run.fine(
        "render --silence 8 -o o.wav --set l1_kind=binaural --set beat_source=tempo \
         --set division=1/8 --bpm 90 --set carrier_source=note --set carrier_note=A3",
    );
    let [left, right] = run.read("o.wav");
    assert!((hertz(&left) - 218.5).abs() < 1e-4);
    assert!((hertz(&right) - 221.5).abs() < 1e-4);
}

#[test]
fn the_summary_tells_what_a_ceiling_leaves_between_the_samples() {
    let run = Run::new();
    // A tone at a quarter of the rate hides 3 dB between its samples, all of them below the ceiling.
    let wave = [0.8, 0.8, -0.8, -0.8];
    let hidden: Vec<f32> = wave.into_iter().cycle().take(48_000).collect();
    run.wav("in.wav", RATE, &[&hidden]);
    let text = run.fine("render in.wav -o o.wav --set ceiling_on=on");
    let told = text.lines().nth(1).unwrap_or_default();
    assert!(
        told.starts_with("ceiling: true peaks between samples up to ")
            && told.ends_with(" dB above it"),
        "{text}"
    );
    run.wav("in.wav", RATE, &[&sine(250.0, 0.5, 48_000, RATE)]);
    let text = run.fine("render in.wav -o o.wav --set ceiling_on=on");
    assert!(
        text.ends_with("\nceiling: no true peak above it\n"),
        "{text}"
    );
    assert!(!run.fine("render in.wav -o o.wav").contains("ceiling"));
}

#[test]
fn space_renders_with_the_embedded_set_and_with_a_file() {
    let run = Run::new();
    let tone = sine(500.0, 0.3, RATE as usize, RATE);
    run.wav("in.wav", RATE, &[&tone, &tone]);
    let asset = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/MIT_KEMAR_normal_pinna.sofa"
    );
    let space = "render in.wav --set space_kind=hrtf --set azimuth=90 -o";
    run.fine(&format!("{space} a.wav"));
    run.fine(&format!("{space} b.wav --hrtf {asset} --block 1"));
    let (a, b) = (run.read("a.wav"), run.read("b.wav"));
    let power = |ear: &[f32]| ear.iter().map(|x| x * x).sum::<f32>();
    assert!(power(&a[0]) > 2.0 * power(&a[1]), "it is on the left");
    // The embedded form is the file, but for its 16 bits.
    let worst = a
        .iter()
        .zip(&b)
        .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).abs()));
    assert!(worst.fold(0.0, f32::max) < 3e-3);
    // A lane on the equalisation gets both sets, at its own frame however blocks are cut.
    run.write("eq.csv", "0,diffuse\n0.5,off\n");
    let lane = format!("{space} c.wav --automate hrtf_eq=eq.csv");
    run.fine(&lane);
    run.fine(&format!(
        "{} --block random:4",
        lane.replace("c.wav", "d.wav")
    ));
    assert_eq!(run.read("c.wav"), run.read("d.wav"));
    assert_ne!(run.read("c.wav"), a);
}

/// A file of 16 channels becomes two ears; with space off it leaves as it came; other widths are refused.
#[test]
fn an_ambisonic_file_is_decoded() {
    let run = Run::new();
    let tone = sine(500.0, 0.25, 9600, RATE);
    let gains = zeitgeber::dsp::ambisonics::encode(7, 90.0, 0.0);
    let bus = |channels: usize| -> Vec<Vec<f32>> {
        let gains = &gains[..channels];
        let scaled = |gain: &f64| tone.iter().map(|x| (gain * f64::from(*x)) as f32).collect();
        gains.iter().map(scaled).collect()
    };
    for channels in [4, 9, 16, 25, 36, 49, 64, 5, 17] {
        let bus = bus(channels);
        let slices: Vec<&[f32]> = bus.iter().map(Vec::as_slice).collect();
        run.wav(&format!("b{channels}.wav"), RATE, &slices);
    }
    for channels in [4, 9, 16, 25, 36, 49, 64] {
        run.fine(&format!("render b{channels}.wav --bus ambisonic -o o.wav"));
        let [left, right] = run.read("o.wav");
        let energy = |ear: &[f32]| ear.iter().map(|x| x * x).sum::<f32>();
        // From the left.
        assert!(energy(&left) > 1.2 * energy(&right), "{channels}");
    }
    for channels in [4, 36] {
        run.fine(&format!(
            "render b{channels}.wav --bus ambisonic --set space_kind=off -o o.wav"
        ));
        let all = hound::WavReader::open(run.path("o.wav")).unwrap();
        assert_eq!(usize::from(all.spec().channels), channels);
        let samples: Vec<f32> = all.into_samples::<f32>().map(Result::unwrap).collect();
        let bus = bus(channels);
        for (frame, samples) in samples.chunks_exact(channels).enumerate() {
            for (channel, sample) in samples.iter().enumerate() {
                assert_eq!(*sample, bus[channel][frame]);
            }
        }
    }
    run.fine("render b16.wav --bus ambisonic --set bus_format=fuma -o o.wav");
    run.fine("render b25.wav --bus ambisonic --set bus_format=fuma --set space_kind=off -o o.wav");
    let line = run.wrong("render b25.wav --bus ambisonic --set bus_format=fuma -o o.wav");
    assert!(
        line.contains("b25.wav: has 25 channels, which is order 4, and fuma ends at order 3"),
        "{line}"
    );
    let line = run.wrong("render b5.wav --bus ambisonic -o o.wav");
    assert!(
        line.contains("has 5 channels") && line.contains("16"),
        "{line}"
    );
    for channels in [16, 17, 64] {
        let line = run.wrong(&format!("render b{channels}.wav -o o.wav"));
        assert!(line.contains("--bus ambisonic"), "{line}");
    }
}
