//! Nodes of one's own: made, checked, heard; and those that would do harm.

use super::{RATE, Run, data, sine};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn fixture(name: &str) -> String {
    data(&format!("nodes/{name}"))
}

#[test]
fn nodes_that_would_do_harm_are_refused_with_a_reason() {
    let run = Run::new();
    for (file, says) in [
        (
            "broken.dsp",
            "broken.dsp:3: undefined symbol : undefined_thing",
        ),
        ("wires.dsp", "sequential composition"),
        ("nan.dsp", "it puts out NaN in channel 1 at frame 0"),
        ("broken.cpp", "broken.cpp:4: expected"),
        (
            "nameless.cpp",
            "does not define extern \"C\" const zg_node_descriptor* zg_node_nameless",
        ),
        ("other_abi.cpp", "version 99 of the ABI"),
        (
            "crash.cpp",
            "it crashed (signal 11) when its speed was measured",
        ),
        (
            "endless.cpp",
            "it did not come to an end when its speed was measured",
        ),
        ("slow.cpp", "it is too slow"),
        ("blocks.cpp", "how the signal is cut into blocks"),
        ("quits.cpp", "it ended the program (code 0)"),
        ("hungry.cpp", "it crashed"),
        ("fixture.h", "a node is a .dsp file"),
        ("nobody.dsp", "there is no such file"),
    ] {
        let line = run.wrong(&format!("node check {}", fixture(file)));
        assert!(line.contains(says) && line.contains(file), "{file}: {line}");
    }
    // Nothing is left where compilers and checks have worked.
    let left = kept(run.cache.path());
    assert!(
        left.iter().all(|name| !name.starts_with("job-")),
        "{left:?}"
    );
}

/// What a file, a node or a compiler says is repeated, and moves no cursor.
#[test]
fn foreign_words_do_not_reach_the_terminal_as_they_are() {
    let run = Run::new();
    fs::copy(fixture("fixture.h"), run.path("fixture.h")).unwrap();
    let wild = "\\033[2J\\033[1Ahello\\r\\xc2\\x9b";
    let fixture = fs::read_to_string(run.path("fixture.h")).unwrap();
    let silent = "const char* init(void*, double, uint32_t) { return nullptr; }";
    assert!(fixture.contains(silent));
    let init = silent.replace("nullptr", &format!("\"{wild}\""));
    run.write("wild.h", &fixture.replace(silent, &init));
    let body = "namespace {\nvoid process(void*, const float* const* in, float* const* out, uint32_t frames)\n\
                { for (uint32_t i = 0; i < frames; ++i) out[0][i] = in[0][i]; }\n}";
    run.write(
        "wild.cpp",
        &format!("#include \"wild.h\"\n{body}\nNODE(wild, ZG_ABI)\n"),
    );
    let line = run.wrong("node check wild.cpp");
    assert!(line.contains("hello"), "{line}");
    let own = |line: &str| line.trim_end().contains(|c: char| c.is_control());
    assert!(!own(&line), "{line:?}");
    // What a node says of itself, and what stands in a preset.
    let help = fixture.replace("A node of a test.", &format!("A {wild} node."));
    run.write("told.h", &help);
    let told = format!("#include \"told.h\"\n{body}\nNODE(told, ZG_ABI)\n");
    run.write("told.cpp", &told);
    let shown = run.fine("node check told.cpp");
    assert!(shown.contains("hello"), "{shown}");
    assert!(!shown.lines().any(own), "{shown:?}");
    // JSON says all of it, in letters that no terminal obeys.
    let json = run.fine("node check told.cpp --json");
    assert!(!json.lines().any(own), "{json:?}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let help = value["help"].as_str().unwrap();
    assert_eq!(help, "A \u{1b}[2J\u{1b}[1Ahello\r\u{9b} node.");
    run.write(
        "wild.json",
        r#"{"zeitgeber": 1, "name": "a\u001b[2Jb\u009b", "notes": "\u001b]0;x\u0007y", "params": {"\u001bbeat": 1}}"#,
    );
    let shown = run.fine("presets show wild.json");
    assert!(!shown.lines().any(own), "{shown:?}");
    let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(value["name"], "a\u{1b}[2Jb\u{9b}");
}

/// The names in the folder of compiled nodes.
fn kept(cache: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut waiting = vec![cache.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            names.push(entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    names
}

#[test]
fn a_new_node_is_fine_and_sounds() {
    let run = Run::new();
    let tone = sine(250.0, 0.5, 48_000, RATE);
    run.wav("in.wav", RATE, &[&tone, &tone]);
    for (option, file) in [("--faust", "warm.dsp"), ("--cpp", "warm.cpp")] {
        run.fine(&format!("node new warm {option}"));
        let text = run.fine(&format!("node check {file}"));
        assert!(
            text.contains("cutoff") && text.contains("% of a core"),
            "{text}"
        );
        run.fine(&format!(
            "run {file} in.wav -o o.wav --set warm.gain=-6.0206 --set warm.cutoff=20000"
        ));
        let [left, right] = run.read("o.wav");
        assert_eq!(left, right);
        let peak = left[24_000..]
            .iter()
            .fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!((peak - 0.25).abs() < 0.002, "{file}: {peak}");
        assert!(
            run.wrong(&format!("node new warm {option}"))
                .contains("there already")
        );
    }
    assert!(run.wrong("node new Warm").contains("lower-case"));
    assert!(run.wrong("node").contains("give a command of node"));
    let line = run.wrong("node chek warm.dsp");
    assert!(line.contains("the nearest is 'check'"), "{line}");
    let line = run.wrong("node build warm.dsp --outptu x.so");
    assert!(line.contains("the nearest is '--output'"), "{line}");
    let json = run.fine("node check warm.dsp --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["load"].as_f64().unwrap() < 0.5 && json["name"] == "warm");
}

#[test]
fn what_fails_later_than_the_check_leaves_no_file() {
    let run = Run::new();
    run.write("late.dsp", "process(x) = x / (abs(x - 0.125) > 0);\n");
    run.wav("in.wav", RATE, &[&[0.5, 0.125, 0.5]]);
    run.wav("fine.wav", RATE, &[&[0.5, 0.25, 0.5]]);
    run.fine("run late.dsp fine.wav -o o.wav");
    let line = run.wrong("run late.dsp in.wav -o p.wav");
    assert!(
        line.contains("late: it put out something that is not a number, at 0.00 s; keep what"),
        "{line}"
    );
    // It ends there: the rest of ten hours is not rendered first.
    let mut later = vec![0.5; 96_000];
    later[72_000] = 0.125;
    run.wav("later.wav", RATE, &[&later]);
    let line = run.wrong("run late.dsp later.wav -o p.wav --loop 10h --block 480");
    assert!(line.contains("at 1.50 s"), "{line}");
    run.write("none.dsp", "");
    let line = run.wrong("node check none.dsp");
    assert!(line.contains("none.dsp: "), "{line}");
}

#[test]
fn a_built_node_runs_without_compilers() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[0.5; 1000], &[1.0; 1000]]);
    let library = format!("half.{}", std::env::consts::DLL_EXTENSION);
    run.fine(&format!("node build {} -o {library}", fixture("half.dsp")));
    let output = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(["run", &library, "in.wav", "-o", "o.wav", "-q"])
        .current_dir(run.folder.path())
        .env("HOME", run.folder.path())
        .env("XDG_CACHE_HOME", run.path("other"))
        .env("CXX", "no-such-compiler")
        .env("PATH", tools(run.folder.path()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let [left, right] = run.read("o.wav");
    assert!(left.iter().all(|x| *x == 0.25) && right.iter().all(|x| *x == 0.5));
    run.write("no.so", "this is no library");
    let line = run.wrong("node check no.so");
    assert!(line.contains("it holds no node"), "{line}");
    let same = format!("node build {0} -o {0}", fixture("half.dsp"));
    assert!(run.wrong(&same).contains("overwrite"));
}

/// A PATH with a shell and nothing else.
fn tools(folder: &Path) -> std::path::PathBuf {
    let tools = folder.join("tools");
    fs::create_dir(&tools).unwrap();
    std::os::unix::fs::symlink("/bin/sh", tools.join("sh")).unwrap();
    tools
}

#[test]
fn a_missing_compiler_is_named() {
    let run = Run::new();
    let tools = tools(run.folder.path());
    for (file, tool) in [
        ("half.dsp", "needs Faust"),
        ("blocks.cpp", "needs a C++ compiler"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
            .args(["node", "check", &fixture(file)])
            .env("XDG_CACHE_HOME", run.cache.path())
            .env("HOME", run.cache.path())
            .env("PATH", &tools)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains(tool) && said.contains("apt-get"), "{said}");
    }
}

#[test]
fn a_library_beside_the_source_belongs_to_its_content() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[1.0; 100], &[1.0; 100]]);
    fs::copy(fixture("half.dsp"), run.path("half.dsp")).unwrap();
    fs::copy(fixture("half.lib"), run.path("half.lib")).unwrap();
    run.fine("run half.dsp in.wav -o o.wav");
    assert_eq!(run.read("o.wav")[0][50], 0.5);
    let began = Instant::now();
    run.fine("run half.dsp in.wav -o o.wav");
    let again = began.elapsed();
    run.write("half.lib", "factor = 0.25;\n");
    run.fine("run half.dsp in.wav -o o.wav");
    assert_eq!(run.read("o.wav")[0][50], 0.25);
    assert!(
        again < Duration::from_secs(1),
        "what is known is not made again: {again:?}"
    );
}

#[test]
fn watching_renders_on_each_save_and_survives_mistakes() {
    let run = Run::new();
    run.wav("in.wav", RATE, &[&[1.0; 100]]);
    run.write("quiet.dsp", "process = *(0.5), *(0.5);\n");
    let mut watch = Command::new(env!("CARGO_BIN_EXE_zeitgeber"))
        .args(["node", "watch", "quiet.dsp", "in.wav", "-o", "o.wav", "-q"])
        .current_dir(run.folder.path())
        .env("XDG_CACHE_HOME", run.cache.path())
        .env("HOME", run.cache.path())
        .stderr(Stdio::from(fs::File::create(run.path("errors")).unwrap()))
        .spawn()
        .unwrap();
    let wait = |what: &str, there: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !there() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}");
            sleep(Duration::from_millis(20));
        }
    };
    let sounds = |level: f32| {
        let wav = hound::WavReader::open(run.path("o.wav"));
        wav.is_ok_and(|mut wav| {
            wav.samples::<f32>()
                .nth(100)
                .is_some_and(|x| x.is_ok_and(|x| x == level))
        })
    };
    wait("first", &|| sounds(0.5));
    run.write("quiet.dsp", "process = *(0.5), *(0.5;\n");
    wait("mistake", &|| {
        fs::read_to_string(run.path("errors")).is_ok_and(|text| text.contains("quiet.dsp:1:"))
    });
    assert!(sounds(0.5), "the last good sound stays");
    run.write("quiet.dsp", "process = *(0.125), *(0.125);\n");
    wait("mended", &|| sounds(0.125));
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn the_guide_does_what_it_says() {
    let run = Run::new();
    let tone = sine(250.0, 0.5, 24_000, RATE);
    run.wav("music.wav", RATE, &[&tone, &tone]);
    let guide = include_str!("../../docs/write-a-node.md");
    let parts: Vec<&str> = guide.split("```").collect();
    let mut commands = 0;
    // Text and blocks in turn; the text before a block of Faust names its file.
    for pair in parts.chunks_exact(2) {
        let (before, block) = (pair[0], pair[1]);
        let (language, text) = block.split_once('\n').unwrap();
        let file = match language {
            "faust" => Some(named(before, ".dsp")),
            "json" => Some("graph.json".to_owned()),
            _ => None,
        };
        if let Some(file) = file {
            run.write(&file, text);
        }
        if language == "sh" {
            for line in text.lines() {
                run.fine(line.strip_prefix("zeitgeber ").unwrap());
                commands += 1;
            }
        }
    }
    assert!(commands >= 10, "{commands}");
    for file in ["warm", "clipped", "tremolo", "bright", "out"] {
        let sounds = run.read(&format!("{file}.wav"))[0]
            .iter()
            .any(|x| x.abs() > 0.01);
        assert!(sounds, "{file}");
    }
}

/// The last name with an ending in a text.
fn named(text: &str, ending: &str) -> String {
    let mut names = text.rsplit('`').filter(|word| word.ends_with(ending));
    names.next().unwrap().to_owned()
}

#[test]
fn a_node_becomes_the_source_of_a_max_external() {
    let run = Run::new();
    run.fine("node new warm");
    let said = run.fine("node export-max warm.dsp");
    assert!(said.contains("warm_tilde"), "{said}");
    let read = |name: &str| fs::read_to_string(run.path(name)).unwrap();
    let source = read("warm_tilde/warm~.cpp");
    for part in [
        "class faust_warm : public dsp",
        "void ext_main(",
        "#include \"ext.h\"",
        "#define FAUST_FILE_NAME \"warm.dsp\"",
    ] {
        assert!(source.contains(part), "{part}");
    }
    // It needs nothing of Faust's, and says nothing of this machine.
    assert!(!source.contains("#include \"faust/"));
    assert!(!source.contains(run.cache.path().to_str().unwrap()));
    let cmake = read("warm_tilde/CMakeLists.txt");
    assert!(
        cmake.contains("MODULE \"warm~.cpp\"") && !cmake.contains("NAME"),
        "{cmake}"
    );
    // The SDK's scripts call the external after the project, and would put it three folders above the source.
    assert!(
        cmake.contains("project(warm_tilde ") && cmake.contains("set(C74_LIBRARY_OUTPUT_DIRECTORY"),
        "{cmake}"
    );
    // No name of CMake's own has become one of the node's.
    assert!(!cmake.contains("_warm"), "{cmake}");
    assert!(read("warm_tilde/README.md").contains("`cutoff`, `gain`"));
    // What the engine drives elsewhere is a parameter there, and the rate is Max's.
    run.write(
        "pulse2.dsp",
        "declare phases \"beat:7\";\nzg = library(\"zeitgeber.lib\");\n\
         process = par(i, 2, *(zg.sine(zg.phase(0)) * zg.SR / 48000));\n",
    );
    run.fine("node export-max pulse2.dsp -o made");
    let source = read("made/pulse2~.cpp");
    assert!(source.contains("addHorizontalSlider(\"beat\""));
    assert!(!source.contains("\"zg\", \"rate\""));
    for (words, says) in [
        ("export-max warm.dsp", "it is there already"),
        (
            &format!("export-max {}", fixture("drive.cpp")),
            "only nodes in Faust",
        ),
        (
            &format!("export-max {}", fixture("broken.dsp")),
            "broken.dsp:3:",
        ),
    ] {
        let line = run.wrong(&format!("node {words}"));
        assert!(line.contains(says), "{words}: {line}");
    }
}
