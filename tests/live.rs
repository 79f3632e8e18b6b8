//! Nodes from outside, within a program: reloaded without end, sounding while they are replaced, and kept
//! from putting out what is not finite.
//!
//! promise: a user's node that breaks is silenced, not the host, and reloads leave nothing behind

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use zeitgeber::live::{LiveError, Original, Reach, Workshop};
use zeitgeber::node::Node;

fn workshop(folder: &Path) -> Workshop {
    Workshop::at(
        folder.join("nodes"),
        PathBuf::from(env!("CARGO_BIN_EXE_zeitgeber")),
    )
}

fn one(node: &mut dyn Node, x: f32) -> f32 {
    let mut out = [0.0];
    node.process(&[&[x]], &mut [&mut out]);
    out[0]
}

/// Libraries of the folder that are mapped into this process.
fn mapped(folder: &Path) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let folder = folder.to_str().unwrap();
    maps.lines().filter(|line| line.contains(folder)).count()
}

#[test]
fn a_thousand_reloads_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (dsp, cpp) = (folder.path().join("a.dsp"), folder.path().join("b.cpp"));
    fs::write(&dsp, "process = *(2);").unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    fs::copy(data.join("fixture.h"), folder.path().join("fixture.h")).unwrap();
    let body = "void process(void*, const float* const* in, float* const* out, uint32_t frames)\n\
                { for (uint32_t i = 0; i < frames; ++i) out[0][i] = 3 * in[0][i]; }";
    fs::write(
        &cpp,
        format!("#include \"fixture.h\"\nnamespace {{\n{body}\n}}\nNODE(b, ZG_ABI)\n"),
    )
    .unwrap();
    let workshop = workshop(folder.path());
    for _ in 0..500 {
        for (file, factor) in [(&dsp, 2.0), (&cpp, 3.0)] {
            let live = workshop.open(file).unwrap();
            let (mut node, _) = live.create().unwrap();
            // An instance keeps its library open.
            drop(live);
            node.init(48_000.0, 64).unwrap();
            assert_eq!(one(node.as_mut(), 0.25), 0.25 * factor);
        }
    }
    assert_eq!(mapped(folder.path()), 0);
}

#[test]
fn the_old_node_sounds_on_while_the_new_one_is_made_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("a.dsp");
    let workshop = workshop(folder.path());
    fs::write(&dsp, "process = *(2);").unwrap();
    let (mut old, _) = workshop.open(&dsp).unwrap().create().unwrap();
    old.init(48_000.0, 64).unwrap();
    fs::write(&dsp, "process = *(2;").unwrap();
    let before = Workshop::content(&dsp).unwrap();
    match workshop.open(&dsp).err().unwrap() {
        LiveError::Compile {
            file, line, log, ..
        } => {
            assert_eq!((file, line), (dsp.clone(), Some(1)));
            assert!(log.contains("ERROR"));
        }
        other => panic!("{other}"),
    }
    assert_eq!(one(old.as_mut(), 1.0), 2.0);
    fs::write(&dsp, "process = *(4);").unwrap();
    assert_ne!(Workshop::content(&dsp).unwrap(), before);
    let live = workshop.open(&dsp).unwrap();
    assert!(live.library().exists() && live.report().load < 0.5);
    let (mut new, _) = live.create().unwrap();
    new.init(48_000.0, 64).unwrap();
    assert_eq!((one(old.as_mut(), 1.0), one(new.as_mut(), 1.0)), (2.0, 4.0));
}

#[test]
fn what_comes_later_than_the_check_is_silenced() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("late.dsp");
    // Infinite when 0.125 comes in, which the check does not try.
    fs::write(&dsp, "process(x) = x / (abs(x - 0.125) > 0);").unwrap();
    let (mut node, tripped) = workshop(folder.path())
        .open(&dsp)
        .unwrap()
        .create()
        .unwrap();
    node.init(48_000.0, 64).unwrap();
    assert_eq!(one(node.as_mut(), 0.5), 0.5);
    assert!(!tripped.is_set());
    assert_eq!(one(node.as_mut(), 0.125), 0.0);
    assert!(tripped.is_set());
    assert_eq!(one(node.as_mut(), 0.5), 0.0);
    node.reset();
    assert_eq!(one(node.as_mut(), 0.5), 0.5);
}

#[test]
fn without_the_program_that_checks_nothing_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let dsp = folder.path().join("a.dsp");
    fs::write(&dsp, "process = _;").unwrap();
    let workshop = Workshop::at(folder.path().join("nodes"), "/nowhere/zeitgeber".into());
    let error = workshop.open(&dsp).err().unwrap();
    assert!(matches!(error, LiveError::Checker { .. }), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Workshop::at(file, "zeitgeber".into())
        .open(&dsp)
        .err()
        .unwrap();
    assert!(matches!(error, LiveError::Folder { .. }), "{error}");
}

#[test]
fn the_folder_does_not_grow_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = folder.path().join("nodes");
    fs::create_dir_all(nodes.join("job-1-1")).unwrap();
    fs::create_dir_all(nodes.join("job-1-2")).unwrap();
    let before = SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
    for n in 0..250 {
        let name = format!("old-{n}.{}", std::env::consts::DLL_EXTENSION);
        let file = fs::File::create(nodes.join(name)).unwrap();
        file.set_modified(before).unwrap();
    }
    let abandoned = fs::File::open(nodes.join("job-1-1")).unwrap();
    abandoned.set_modified(before).unwrap();
    let dsp = folder.path().join("a.dsp");
    fs::write(&dsp, "process = _;").unwrap();
    let library = workshop(folder.path()).build(&dsp).unwrap();
    let kept = fs::read_dir(&nodes).unwrap().count();
    assert!(library.exists() && kept == 201, "{kept}");
    assert!(nodes.join("job-1-2").exists() && !nodes.join("job-1-1").exists());
}

/// Libraries in the folder of the workshop.
fn libraries(folder: &Path) -> usize {
    let entries = fs::read_dir(folder.join("nodes")).unwrap().flatten();
    let ending = std::env::consts::DLL_EXTENSION;
    let is_library = |path: &PathBuf| path.extension().is_some_and(|e| e == ending);
    entries.map(|entry| entry.path()).filter(is_library).count()
}

/// A library goes by what was read, so nothing else may be in it.
#[test]
fn what_is_saved_while_it_is_compiled_is_not_taken_for_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let workshop = workshop(folder.path());
    let (dsp, part) = (folder.path().join("a.dsp"), folder.path().join("b.lib"));
    fs::write(&dsp, "process = *(library(\"b.lib\").x);").unwrap();
    fs::write(&part, "x = 2;").unwrap();
    let own = Original::read(&dsp, Reach::Anywhere).unwrap();
    let brought = Original::read(&dsp, Reach::Beside).unwrap();
    assert_eq!(own.key(), brought.key());
    fs::write(&part, "x = 3;").unwrap();
    let error = workshop.make(&own).err().unwrap();
    assert!(matches!(error, LiveError::Changed { .. }), "{error}");
    assert_eq!(libraries(folder.path()), 0);
    let factor = |live: zeitgeber::live::LiveNode| {
        let (mut node, _) = live.create().unwrap();
        node.init(48_000.0, 64).unwrap();
        one(node.as_mut(), 1.0)
    };
    // What a project brings is compiled from a copy: it is what it was when it was asked about.
    assert_eq!(factor(workshop.make(&brought).unwrap()), 2.0);
    assert_eq!(factor(workshop.open(&dsp).unwrap()), 3.0);
    fs::write(&part, "x = 2;").unwrap();
    assert_eq!(factor(workshop.known(&dsp).unwrap().unwrap()), 2.0);
}

#[test]
fn what_is_used_is_kept_and_what_is_refused_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = folder.path().join("nodes");
    let workshop = workshop(folder.path());
    let dsp = folder.path().join("a.dsp");
    fs::write(&dsp, "process = _;").unwrap();
    let used = workshop.open(&dsp).unwrap().library().to_owned();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    let error = workshop.open(&data.join("nan.dsp")).err().unwrap();
    assert!(matches!(error, LiveError::Refused { .. }), "{error}");
    assert_eq!(libraries(folder.path()), 1);
    let old = |path: &Path, days: u64| {
        let when = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(when).unwrap();
    };
    for n in 0..250 {
        let name = format!("old-{n}.{}", std::env::consts::DLL_EXTENSION);
        fs::write(nodes.join(&name), "").unwrap();
        old(&nodes.join(&name), 2);
    }
    for path in [&used, &used.with_extension("json")] {
        old(path, 9);
    }
    // Made longest ago, and used now.
    assert!(workshop.known(&dsp).unwrap().is_some());
    fs::write(&dsp, "process = *(2);").unwrap();
    workshop.build(&dsp).unwrap();
    assert!(used.exists());
    assert_eq!(libraries(folder.path()), 200);
}

/// A node may end the program with any code: that of a shell that finds no program, too.
#[test]
fn a_node_that_ends_the_program_is_no_missing_program() {
    let folder = tempfile::tempdir().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
    let quits = fs::read_to_string(data.join("quits.cpp")).unwrap();
    let file = folder.path().join("quits.cpp");
    fs::copy(data.join("fixture.h"), folder.path().join("fixture.h")).unwrap();
    fs::write(&file, quits.replace("exit(0)", "exit(127)")).unwrap();
    let error = workshop(folder.path()).open(&file).err().unwrap();
    assert!(error.to_string().contains("(code 127)"), "{error}");
}
