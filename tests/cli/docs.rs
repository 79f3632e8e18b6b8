//! What the documents and the helps tell to type is typed. Commands get small inputs and short lengths in place of
//! those of the reader; devices are replaced by none.

use super::{RATE, Run, data, sine, subcommands};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use zeitgeber::offline::{Container, SampleFormat, SoundFile, Tags, WavWriter};

/// Longer than any of them takes: one that hangs fails.
const PATIENCE: Duration = Duration::from_secs(240);

/// Commands that are not typed here, and why. One that no document has any more fails the test.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "zeitgeber live --list",
        "asks for the devices of the machine",
    ),
    (
        "zeitgeber-standalone --input-device \"Scarlett\" --period-size 128",
        "opens a window and a device",
    ),
    ("zeitgeber osc monitor", "listens until it is stopped"),
    (
        "zeitgeber osc monitor --port 9100 --anywhere --count 10",
        "waits for packets",
    ),
    (
        "zeitgeber node watch mine.dsp music.flac -o out.wav",
        "watches until it is stopped; tests/cli/node.rs does it",
    ),
    (
        "zeitgeber node watch warm.dsp music.wav -o warm.wav",
        "watches until it is stopped; tests/cli/node.rs does it",
    ),
];

/// Documents whose commands another test types.
const ELSEWHERE: &[(&str, &str)] = &[(
    "docs/write-a-node.md",
    "tests/cli/node.rs: the_guide_does_what_it_says, with the files that it shows",
)];

/// Forms: what has a place to be filled in is no command.
fn is_form(line: &str) -> bool {
    let places = [
        "FILE", "NAME", "OLD", "INPUT", "ID=VALUE", "COMMAND", "SHELL",
    ];
    line.contains('[')
        || line.contains("...")
        || line.split_whitespace().any(|word| places.contains(&word))
}

/// The commands of a document, in order, each on one line and without its comment.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        let line = line.trim();
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.strip_prefix("./").unwrap_or(line);
            let line = line.strip_prefix("pw-jack ").unwrap_or(line);
            if line.starts_with("zeitgeber ") || line.starts_with("zeitgeber-standalone ") {
                found.push(plain(line));
            } else if line == "zeitgeber" {
                panic!("a command of no words");
            }
        }
    }
    found
}

/// Without comment and with single blanks.
fn plain(line: &str) -> String {
    let line = line.split(" #").next().unwrap_or(line);
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a command as a shell would hand them over; what a pipe or a redirection would do is left out.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for letter in line.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            '|' | '>' if !quoted => return words,
            letter => {
                word.push(letter);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

/// The words with lengths that a test can wait for, and no devices.
fn shortened(mut words: Vec<String>, folder: &Path) -> Vec<String> {
    // *.flac is the shell's.
    if let Some(at) = words.iter().position(|word| word.starts_with('*')) {
        let word = words.remove(at);
        let mut files: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(&word[1..]))
            .collect();
        files.sort();
        words.splice(at..at, files);
    }
    let set = |words: &mut Vec<String>, option: &str, value: &str| match words
        .iter()
        .position(|word| word == option)
    {
        Some(at) => words[at + 1] = value.to_owned(),
        None => words.extend([option.to_owned(), value.to_owned()]),
    };
    let has = |words: &[String], option: &str| words.iter().any(|word| word == option);
    match words.get(1).map(String::as_str) {
        Some("render") => {
            for option in ["--silence", "--loop"] {
                if has(&words, option) {
                    set(&mut words, option, "1");
                }
            }
            let reads = |word: &String| word.ends_with(".wav") || word.ends_with(".flac");
            let inputs = words
                .windows(2)
                .filter(|pair| !pair[0].starts_with('-') && reads(&pair[1]));
            if inputs.count() == 0 && !has(&words, "--silence") {
                words.extend(["--silence".to_owned(), "1".to_owned()]);
            }
            if has(&words, "--tail") {
                set(&mut words, "--tail", "0.2");
            }
        }
        Some("calibrate") if has(&words, "-o") => set(&mut words, "--seconds", "1"),
        Some("listen-test") if !has(&words, "--score") => {
            set(&mut words, "--seconds", "1");
            set(&mut words, "--trials", "3");
        }
        Some("live") => {
            set(&mut words, "--backend", "none");
            for option in ["--input", "--output"] {
                if let Some(at) = words.iter().position(|word| word == option) {
                    words.drain(at..at + 2);
                }
            }
            set(&mut words, "--seconds", "0.2");
            if !has(&words, "--headless") {
                words.push("--headless".to_owned());
            }
        }
        Some("presets") if has(&words, "measure") => {
            words.extend(["--seconds", "1", "--only", "Calm"].map(str::to_owned));
        }
        _ => {}
    }
    words
}

/// What a reader has: music, talk, a scene, lanes, presets.
fn inputs(run: &Run) {
    let tone = sine(250.0, 0.2, RATE as usize, RATE);
    let other = sine(377.0, 0.2, RATE as usize, RATE);
    for name in ["music", "talk", "speech"] {
        let format = SampleFormat::Int16;
        let path = run.path(&format!("{name}.flac"));
        let tags = Tags::default();
        let mut file = SoundFile::create(&path, Container::Flac, 2, RATE, format, tags).unwrap();
        file.write(&[&tone, &other]).unwrap();
        file.finish().unwrap();
    }
    for name in ["a", "b", "c", "talk", "rain", "out", "descent"] {
        run.wav(&format!("{name}.wav"), RATE, &[&tone, &other]);
    }
    let mut scene = WavWriter::create(&run.path("scene.wav"), 4, RATE).unwrap();
    scene.write(&[&tone, &other, &tone, &other]).unwrap();
    scene.finish().unwrap();
    for name in ["my.sofa", "subject.sofa"] {
        let kemar =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/MIT_KEMAR_normal_pinna.sofa");
        fs::copy(kemar, run.path(name)).unwrap();
    }
    fs::copy(data("pair.opus"), run.path("out.opus")).unwrap();
    run.write("ramp.csv", "0,10\n1,6,linear\n");
    run.write("descent.csv", "0,10\n300,10\n1500,4,linear\n");
    run.write(
        "evening.json",
        r#"{"zeitgeber": 1, "name": "Evening", "params": {"l1_kind": "binaural"}}"#,
    );
    run.write("mine.json", r#"{"zeitgeber": 1, "params": {"beat": 6}}"#);
    run.write("sequence.sbg", "a: 200+10/20\nNOW a\n");
    run.write("answers.csv", "trial,answer\n1,A\n2,B\n3,A\n");
}

/// Types a command; what is wrong with it, if anything.
fn typed(run: &Run, line: &str) -> Result<(), String> {
    let words = shortened(words(line), run.folder.path());
    let errors = run.path(".errors");
    let mut child = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(&words[1..])
        .current_dir(run.folder.path())
        .env("ZEITGEBER_PRESETS", run.path("own"))
        .env("XDG_CACHE_HOME", run.cache.path())
        .env("HOME", run.cache.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err(format!("{line}\n    does not end: {}", words.join(" ")));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(&errors).unwrap_or_default();
    Err(format!("{line}\n    {status}: {said}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// README and all pages, by their paths from the root.
fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    pages.sort();
    pages
}

/// The examples of all helps: what stands below "Example" with two blanks before it.
fn examples(run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    let general = run.fine("--help");
    let mut helps = vec![general.clone()];
    for command in subcommands(&general) {
        let help = run.fine(&format!("{command} --help"));
        assert!(help.contains("Example"), "{command} has no example");
        helps.push(help);
    }
    assert!(helps.len() >= 14, "{general}");
    for help in helps {
        let lines = help.lines().skip_while(|line| !line.starts_with("Example"));
        let lines = lines.filter_map(|line| line.strip_prefix("  "));
        found.extend(
            lines
                .filter(|line| line.starts_with("zeitgeber "))
                .map(plain),
        );
    }
    found
}

/// A page is typed in a folder of its own, from its first command to its last.
fn page(lines: &[String], wrong: &mut Vec<String>, where_from: &str) -> usize {
    let run = Run::new();
    inputs(&run);
    let mut typed_here = BTreeSet::new();
    let mut count = 0;
    for line in lines {
        let is_skipped = NOT_RUN.iter().any(|(skipped, _)| skipped == line);
        if is_skipped || is_form(line) || !typed_here.insert(line.clone()) {
            continue;
        }
        // A test of before is not written over.
        for name in ["test", "test-key.csv"] {
            if line.starts_with("zeitgeber listen-test test") {
                let _ = fs::remove_dir_all(run.path(name));
                let _ = fs::remove_file(run.path(name));
            }
        }
        if let Err(problem) = typed(&run, line) {
            wrong.push(format!("{where_from}: {problem}"));
        }
        if line.starts_with("zeitgeber listen-test test") && run.path("test").is_dir() {
            // In the letters of its kind.
            let answers = fs::read_to_string(run.path("answers.csv")).unwrap();
            let answers = match line.contains("--kind ab") {
                true => answers.replace('A', "1").replace('B', "2"),
                false => answers,
            };
            run.write("test/answers.csv", &answers);
        }
        count += 1;
    }
    count
}

#[test]
fn every_command_of_the_documents_runs() {
    let (mut wrong, mut count, mut all) = (Vec::new(), 0, BTreeSet::new());
    for name in pages() {
        let lines = commands(&fs::read_to_string(root().join(&name)).unwrap());
        all.extend(lines.iter().cloned());
        if !ELSEWHERE.iter().any(|(page, _)| *page == name) {
            count += page(&lines, &mut wrong, &name);
        }
    }
    let helps = examples(&Run::new());
    all.extend(helps.iter().cloned());
    for (line, why) in NOT_RUN {
        assert!(!why.is_empty());
        assert!(all.contains(*line), "no document has this any more: {line}");
    }
    for (name, _) in ELSEWHERE {
        assert!(root().join(name).is_file(), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 45, "only {count} commands were found");
}

#[test]
fn every_example_of_the_helps_runs() {
    let run = Run::new();
    let mut lines = examples(&run);
    // What a node of one's own needs comes from another test.
    lines.retain(|line| !line.starts_with("zeitgeber node ") && !line.contains("mine.dsp"));
    let mut wrong = Vec::new();
    let count = page(&lines, &mut wrong, "--help");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 25, "only {count} examples were found");
}

#[test]
fn evidence_is_that_of_the_presets() {
    let run = Run::new();
    let page = fs::read_to_string(root().join("docs/evidence.md")).unwrap();
    let mut cited = BTreeSet::new();
    let list: serde_json::Value = serde_json::from_str(&run.fine("presets list --json")).unwrap();
    for entry in list.as_array().unwrap() {
        let name = entry["name"].as_str().unwrap();
        let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/presets");
        let file = fs::read_dir(preset)
            .unwrap()
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap())
            .find(|preset| preset["name"] == name)
            .unwrap();
        let evidence = &file["evidence"];
        for cite in evidence["cites"].as_array().unwrap() {
            cited.insert(cite["text"].as_str().unwrap().to_owned());
        }
        let grade = evidence["grade"].as_str().unwrap();
        let row = format!("| {name} | {grade} | ");
        assert_eq!(page.contains(&row), grade != "D", "{name}");
        if grade != "D" {
            for key in ["found", "not_found"] {
                assert!(
                    page.contains(evidence[key].as_str().unwrap()),
                    "{name}: {key}"
                );
            }
        }
    }
    let references = page.split("## References").nth(1).unwrap();
    let listed: BTreeSet<String> = references
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .map(|line| line.split(" *(").next().unwrap().to_owned())
        .collect();
    assert_eq!(
        listed, cited,
        "nothing is cited that no preset cites, and nothing is missing"
    );
}

#[test]
fn pages_and_pictures_that_are_linked_are_there() {
    for name in pages() {
        let text = fs::read_to_string(root().join(&name)).unwrap();
        let folder = root().join(&name).parent().unwrap().to_owned();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") && !file.contains('\n') {
                assert!(folder.join(file).exists(), "{name}: {link}");
            }
        }
    }
}
