//! What studies and installations need: listening tests, calibration, live without a device, completions and pages.

use super::{RATE, Run, sine, subcommands};
use std::fs;
use zeitgeber::analysis::fit;
use zeitgeber::analysis::loudness::LoudnessMeter;
use zeitgeber::offline::{Decoder, Source};

fn heard(run: &Run, name: &str) -> [Vec<f32>; 2] {
    let mut decoder = Decoder::open(&run.path(name)).unwrap();
    let frames = decoder.frames().unwrap() as usize;
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    assert_eq!(decoder.read(&mut [&mut left, &mut right]).unwrap(), frames);
    [left, right]
}

fn lufs(ears: &[Vec<f32>; 2]) -> f64 {
    let mut meter = LoudnessMeter::new(2, RATE).unwrap();
    meter.push(&[&ears[0], &ears[1]]);
    meter.measure().integrated.unwrap()
}

#[test]
fn a_listening_test_is_blind_even_in_loudness_and_its_key_is_right() {
    let run = Run::new();
    let tone = sine(440.0, 0.3, 3 * RATE as usize, RATE);
    run.wav("in.wav", RATE, &[&tone, &tone]);
    // B is 12 dB softer: the test takes that away.
    let how = "in.wav --set-a prog_kind=amplitude --set-a beat=8 --set-b prog_kind=off --set-b out_gain=-12 \
               --seconds 3 --trials 12 --seed 5";
    let said = run.fine(&format!("listen-test test {how}"));
    assert!(
        said.contains("12 trials") && said.contains("A and B at -") && said.contains("the key"),
        "{said}"
    );
    let (a, b) = (heard(&run, "test/A.wav"), heard(&run, "test/B.wav"));
    assert!(a != b);
    // A cut is no click.
    for ear in a.iter().chain(&b) {
        let end: Vec<f32> = ear.iter().rev().take(20).map(|x| x.abs()).collect();
        assert!(end.iter().all(|x| *x < 1e-3), "{end:?}");
    }
    assert!(
        (lufs(&a) - lufs(&b)).abs() < 0.05,
        "{} {}",
        lufs(&a),
        lufs(&b)
    );
    // Nothing in the folder tells which is which but the sound.
    let names: Vec<String> = fs::read_dir(run.path("test"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2 + 12 + 2, "{names:?}");
    let key = fs::read_to_string(run.path("test-key.csv")).unwrap();
    assert!(
        key.contains("seed 5") && key.contains("# A: prog_kind=amplitude"),
        "{key}"
    );
    let answers: Vec<&str> = key.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(answers.len(), 13);
    let mut seen = [0, 0];
    for line in &answers[1..] {
        let (trial, answer) = line.split_once(',').unwrap();
        let x = heard(
            &run,
            &format!("test/trial-{:03}-X.wav", trial.parse::<u32>().unwrap()),
        );
        assert!(
            x == if answer == "A" { a.clone() } else { b.clone() },
            "{line}"
        );
        seen[usize::from(answer == "B")] += 1;
    }
    assert!(seen[0] > 1 && seen[1] > 1, "{seen:?}");
    for sheet in ["sheet.html", "sheet.csv"] {
        let text = fs::read_to_string(run.path("test").join(sheet)).unwrap();
        assert!(
            !text.contains("amplitude") && !text.contains("seed"),
            "{sheet} tells"
        );
    }
    // The same seed is the same test; one that is there is not written over.
    run.fine(&format!("listen-test again {how}"));
    // But for what the test is called.
    let again = fs::read_to_string(run.path("again-key.csv")).unwrap();
    let but_its_name = |key: &str| -> Vec<String> {
        let lines = key.lines().filter(|line| !line.starts_with("# test "));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(but_its_name(&again), but_its_name(&key));
    assert_ne!(again, key);
    assert!(
        run.wrong(&format!("listen-test test {how}"))
            .contains("is there already")
    );
    // All right, all wrong, half answered.
    let given = answers.join("\n");
    run.write("right.csv", &given);
    let turned = given
        .replace(",A", ",x")
        .replace(",B", ",A")
        .replace(",x", ",b");
    run.write("wrong.csv", &turned.replace("trial,Answer", "trial,answer"));
    run.write(
        "half.csv",
        &given.lines().take(5).collect::<Vec<_>>().join("\n"),
    );
    let score = |name: &str| run.fine(&format!("listen-test --score {name} --key test-key.csv"));
    assert!(
        score("right.csv").contains("12 of 12") && score("right.csv").contains("told apart (p")
    );
    assert!(score("wrong.csv").contains("0 of 12 answers"));
    assert!(
        score("half.csv")
            .contains("4 of 12 answers are right (8 trials were not answered, and count as wrong)")
    );
    // Letters of another kind of test are a slip, and no wrong answer.
    run.write("pairs.csv", "trial,answer\n1,1\n");
    let line = run.wrong("listen-test --score pairs.csv --key test-key.csv");
    assert!(line.contains("write A or B"), "{line}");
    run.write(
        "pairs-key.csv",
        "# zeitgeber listen-test key\ntrial,answer\n1,2\n2,1\n",
    );
    run.write("letters.csv", "trial,answer\n1,a\n");
    let line = run.wrong("listen-test --score letters.csv --key pairs-key.csv");
    assert!(line.contains("write 1 or 2"), "{line}");
    let line = run.wrong("listen-test --score pairs.csv --key half-key.csv");
    assert!(
        line.contains("half-key.csv: there is no such file"),
        "{line}"
    );
    run.write(
        "no-key.csv",
        "# zeitgeber listen-test key\ntrial,answer\n1,A\n2,1\n",
    );
    let line = run.wrong("listen-test --score pairs.csv --key no-key.csv");
    assert!(line.contains("it is no key"), "{line}");
    run.write("other.csv", "trial,answer\n99,A\n");
    let line = run.wrong("listen-test --score other.csv --key test-key.csv");
    assert!(line.contains("trial 99 is not in the key"), "{line}");
}

#[test]
fn a_score_takes_the_key_of_its_test_and_sheets_as_spreadsheets_save_them() {
    let run = Run::new();
    let tone = sine(440.0, 0.3, 2 * RATE as usize, RATE);
    run.wav("in.wav", RATE, &[&tone, &tone]);
    let how = "in.wav --set-a prog_kind=amplitude --set-a beat=8 --seed 3";
    // The files are as long as the input, and there is one trial.
    let said = run.fine(&format!("listen-test one {how} --trials 1 --seconds 60"));
    assert!(said.contains("one: 1 trial of 2 s, "), "{said}");
    assert_eq!(heard(&run, "one/A.wav")[0].len(), 2 * RATE as usize);
    let said = run.fine(&format!("listen-test two {how} --trials 3 --seconds 1.5"));
    assert!(said.contains("two: 3 trials of 1.5 s, "), "{said}");
    let read = |name: &str| fs::read_to_string(run.path(name)).unwrap();
    let key = read("two-key.csv");
    let test = key
        .lines()
        .find(|line| line.starts_with("# test "))
        .unwrap();
    assert!(read("two/sheet.csv").contains(test) && read("two/sheet.html").contains(test));
    let right: Vec<&str> = key
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(_, answer)| answer)
        .collect();
    let right = &right[right.len() - 3..];
    // The sheet, filled in.
    let mut sheet = read("two/sheet.csv");
    for (n, answer) in right.iter().enumerate() {
        sheet = sheet.replace(
            &format!("\n{},\n", n + 1),
            &format!("\n{},{answer}\n", n + 1),
        );
    }
    let quoted: String = (sheet.lines())
        .map(|line| match line.split_once(',') {
            Some((trial, answer)) => format!("\"{trial}\",\"{answer}\"\r\n"),
            None => format!("\"{line}\",\r\n"),
        })
        .collect();
    for (name, text) in [
        ("plain.csv", sheet.clone()),
        ("marked.csv", format!("\u{feff}{sheet}")),
        (
            "semicolons.csv",
            sheet.replace(',', ";").replace('\n', ";;\r\n") + ";;;\r\n",
        ),
        ("tabs.csv", sheet.replace(',', "\t").to_lowercase()),
        ("quoted.csv", format!("\u{feff}{quoted}")),
    ] {
        run.write(name, &text);
        let said = run.fine(&format!("listen-test --score {name} --key two-key.csv"));
        assert!(said.contains("3 of 3 answers are right"), "{name}: {said}");
        assert!(!said.contains("do not say"), "{name}: {said}");
    }
    run.write("typed.csv", &format!("1,{}\n", right[0]));
    let said = run.fine("listen-test --score typed.csv --key two-key.csv");
    assert!(
        said.contains("1 of 3") && said.contains("do not say which test"),
        "{said}"
    );
    fs::write(run.path("wide.csv"), b"\xff\xfe1\0,\0A\0").unwrap();
    run.write("more.csv", "1,A,B\n");
    for (answers, key, says) in [
        (
            "plain.csv",
            "plain.csv",
            "plain.csv: it is no key of a listening test",
        ),
        (
            "two-key.csv",
            "two-key.csv",
            "two-key.csv: it is a key, and no sheet of answers",
        ),
        (
            "plain.csv",
            "one-key.csv",
            "one-key.csv is the key of another one",
        ),
        (
            "two/sheet.csv",
            "two-key.csv",
            "holds no answer; write A or B",
        ),
        (
            "missing.csv",
            "two-key.csv",
            "missing.csv: there is no such file",
        ),
        ("wide.csv", "two-key.csv", "save it as CSV"),
        ("more.csv", "two-key.csv", "line 1: write trial,answer"),
    ] {
        let line = run.wrong(&format!("listen-test --score {answers} --key {key}"));
        assert!(line.contains(says), "{answers}, {key}: {line}");
    }
}

#[test]
fn the_sham_of_a_listening_test_is_the_same_without_a_beat() {
    let run = Run::new();
    let sets = "--set-a l1_kind=binaural --set-a beat=7 --set-a carrier=300 --set-a fade_in=0";
    run.fine(&format!(
        "listen-test t {sets} --seconds 2 --trials 2 --kind ab --seed 1"
    ));
    let key = fs::read_to_string(run.path("t-key.csv")).unwrap();
    assert!(key.contains("beat=0 (sham)"), "{key}");
    for trial in 1..=2 {
        let right = key.contains(&format!("\n{trial},1"));
        for (file, is_a) in [("1", right), ("2", !right)] {
            let ears = heard(&run, &format!("t/trial-00{trial}-{file}.wav"));
            for (ear, side) in ears.iter().zip([-3.5, 3.5]) {
                let wanted = 300.0 + if is_a { side } else { 0.0 };
                // Within the ends, which fade.
                let middle = &ear[9600..90_000];
                let found = fit::fit_refined(middle, f64::from(RATE), wanted).unwrap();
                assert!(
                    (found.frequency - wanted).abs() < 1e-3 && found.sinad() > 60.0,
                    "{trial}-{file}: {found:?}"
                );
            }
        }
    }
    for (words, says) in [
        ("n", "give condition A"),
        (
            "n --set-a beat=6",
            "A is silent: give an INPUT (a sound to be treated), or switch a layer on with --set-a l1_kind=binaural",
        ),
        (
            "n --set-a l1_kind=binaural --set-b l1_kind=off",
            "B is silent: anybody",
        ),
        ("n --set-a l1_kind=binaural --trials 0", "--trials"),
        ("n --set-a l1_kind=binaural --seconds 2h", "--seconds"),
        ("n missing.wav --set-a prog_kind=shift", "no such file"),
        ("n --a Nonesuch", "--a Nonesuch: there is no preset"),
        (
            "n --a Pendulum --b Pendulun",
            "--b Pendulun: there is no preset",
        ),
        (
            "n --set-a l1_kind=binaural --key n/key.csv",
            "in the listener's folder",
        ),
        (
            "n --set-a l1_kind=binaural --key N/in/key.csv",
            "in the listener's folder",
        ),
        (
            "n --set-a l1_kind=binaural --key n",
            "in the listener's folder",
        ),
        (
            "n --set-a l1_kind=binaural --key no/key.csv --seconds 600",
            "the folder of the key does not exist",
        ),
        ("", "OUT_DIR"),
    ] {
        let line = run.wrong(&format!("listen-test {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
}

#[test]
fn the_reference_of_a_calibration_has_its_level() {
    let run = Run::new();
    run.fine("calibrate -o tone.wav --seconds 2");
    for ear in heard(&run, "tone.wav") {
        let found = fit::fit_refined(&ear[24_000..72_000], f64::from(RATE), 1000.0).unwrap();
        assert!((found.level() + 20.0).abs() < 0.001, "{}", found.level());
        assert!((found.frequency - 1000.0).abs() < 1e-4);
    }
    run.fine("calibrate -o pink.flac --signal pink --level -26 --seconds 20");
    let [left, right] = heard(&run, "pink.flac");
    assert_eq!(left.len(), 20 * RATE as usize);
    // The same noise in both ears, each with a dither of its own.
    let apart = left
        .iter()
        .zip(&right)
        .map(|(left, right)| (left - right).abs());
    assert!(apart.fold(0.0, f32::max) < 4.0 / 8_388_608.0);
    for ear in [left, right] {
        let power: f64 = ear[RATE as usize..]
            .iter()
            .map(|x| f64::from(*x).powi(2))
            .sum();
        let level = 10.0 * (power / (19.0 * f64::from(RATE))).log10();
        assert!((level + 26.0).abs() < 0.5, "{level}");
    }
    let said = run.fine("calibrate --measured 74.2 --want 60");
    assert!(
        said.contains("l1_level=-34.2") && said.contains("noise_level=-37.2"),
        "{said}"
    );
    assert!(run.wrong("calibrate").contains("--output"));
    assert!(
        run.wrong("calibrate --measured 200")
            .contains("nearest valid value is 140")
    );
    for (words, says) in [
        (
            "-o n.wav --level 3",
            "--level 3: outside -80 to 0 dB; the nearest valid value is 0",
        ),
        ("-o n.wav --hz 5", "--hz 5: outside"),
        ("-o n.wav --hz -5", "--hz -5: outside"),
        (
            "-o n.wav --signal pink --hz 250",
            "--hz 250: pink noise has no frequency",
        ),
        (
            "-o n.wav --signal pink --level -200",
            "--level -200: outside",
        ),
        ("-o n.wav --level nan", "--level NaN: it is not a number"),
        ("-o n.wav --want 60", "cannot be used with"),
        ("-o n.wav --measured 60", "cannot be used with"),
        ("--want 60", "not provided: --measured <DB_SPL>"),
        ("-o n.txt", "only WAV and FLAC can be written, not txt"),
    ] {
        let line = run.wrong(&format!("calibrate {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
    let said = run.fine("calibrate --measured 120 --level 0 --want 20");
    assert!(
        said.contains("no level gives it") && said.contains("turn the amplifier down"),
        "{said}"
    );
}

#[test]
fn live_plays_a_file_to_its_end_without_a_device() {
    let run = Run::new();
    run.wav("in.wav", 44_100, &[&sine(250.0, 0.1, 4410, 44_100)]);
    let said = run.fine("live in.wav --once --backend none --headless --frames 64");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("in.wav -> no device, at 48000 Hz"),
        "{said}"
    );
    assert!(
        lines[1].contains("load at most") && lines[1].contains("over-runs 0"),
        "{said}"
    );
    let said = run.fine("live --backend none --headless --seconds 0.1 --rate 96000");
    assert!(said.contains("silence -> no device, at 96000 Hz"), "{said}");
    for (words, says) in [
        ("live missing.wav --backend none --headless", "no such file"),
        ("live --once --backend none --headless", "<FILE>"),
        ("live in.wav --no-input", "cannot be used with"),
        (
            "live --backend none --headless --input Scarlett",
            "--backend none opens no device, and --input names one",
        ),
        (
            "live --backend none --headless --output Scarlett",
            "--backend none opens no device, and --output names one",
        ),
        ("live --in-channels 0", "counted from 1"),
        ("live --out-channels left", "counted from 1"),
        ("live --out-channels 3", "need a channel each"),
        ("live --out-channels 3,3", "need a channel each"),
        ("live --backend alsa", "--backend"),
        ("live --backend none --headless --seconds never", "1:30:00"),
    ] {
        let line = run.wrong(words);
        assert!(line.contains(says), "{words}: {line}");
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    let run = Run::new();
    let help = run.fine("--help");
    let commands = subcommands(&help);
    assert!(commands.len() >= 14, "{help}");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = run.fine(&format!("completions {shell}"));
        for command in &commands {
            assert!(text.contains(command.as_str()), "{shell}: {command}");
        }
        assert!(text.contains("normalize"), "{shell}");
    }
    assert!(run.wrong("completions tcsh").contains("bash"));
    run.fine("man pages");
    for command in &commands {
        let page = fs::read_to_string(run.path(&format!("pages/zeitgeber-{command}.1"))).unwrap();
        assert!(
            page.contains(".SH NAME") && page.contains("Example"),
            "{command}"
        );
    }
    assert!(run.path("pages/zeitgeber-presets-list.1").is_file());
    // Every option that takes a value says in the synopsis which, as it does below.
    let mut values = 0;
    for entry in fs::read_dir(run.path("pages")).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut lines = page.lines();
        lines.find(|line| *line == ".SH SYNOPSIS");
        let synopsis = lines.next().unwrap();
        for line in lines.filter(|line| line.starts_with("\\fB\\-")) {
            let option = line.split(", ").last().unwrap();
            let Some((option, value)) = option.split_once(" \\fI<") else {
                continue;
            };
            let (value, _) = value.split_once('>').unwrap();
            values += 1;
            assert!(
                synopsis.contains(&format!("{option} \\fI{value}")),
                "{option} {value}: {synopsis}"
            );
        }
    }
    assert!(values > 60, "{values}");
    let page = fs::read_to_string(run.path("pages/zeitgeber-live.1")).unwrap();
    for says in [
        "[\\fB\\-\\-rate\\fR \\fIHZ\\fR]",
        "[\\fB\\-\\-osc\\fR [\\fI[ADDRESS:]PORT\\fR]]",
        "[\\fB\\-\\-once\\fR]",
    ] {
        assert!(page.contains(says), "{says}");
    }
    assert!(
        !run.path("pages/zeitgeber-node-examine.1").exists(),
        "it is hidden"
    );
    let first = fs::read(run.path("pages/zeitgeber.1")).unwrap();
    run.fine("man pages");
    assert_eq!(fs::read(run.path("pages/zeitgeber.1")).unwrap(), first);
    run.fine("man no/where");
    assert!(run.path("no/where/zeitgeber.1").is_file());
    run.write("file", "");
    for (folder, says) in [
        ("file", "there is a file in its place"),
        #[cfg(unix)]
        ("file/below", "a file is where its folder would be"),
        #[cfg(unix)]
        ("/proc/1/fd", "/proc/1/fd"),
    ] {
        let line = run.wrong(&format!("man {folder}"));
        assert!(line.contains(says) && !line.contains("os error"), "{line}");
    }
}
