use super::*;
use crate::engine::Transport;
use crate::engine::controls as id;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

const CHANNELS: usize = 2;

/// An instance with a workshop of its own, an engine, and a program that finds every node fine.
struct Stand {
    folder: tempfile::TempDir,
    link: Arc<Link>,
    inserts: Arc<Inserts>,
    engine: Engine,
}

impl Stand {
    fn new() -> Stand {
        Stand::within(tempfile::tempdir().unwrap())
    }

    fn within(folder: tempfile::TempDir) -> Stand {
        let checker = folder.path().join("checker");
        let stand = Stand::checked_by(folder, checker);
        stand.write_checker();
        stand
    }

    fn write_checker(&self) {
        let checker = self.file("checker");
        let script = "#!/bin/sh\necho '{\"fine\":{\"load\":0.01}}' > \"$5\"\n";
        fs::write(&checker, script).unwrap();
        fs::set_permissions(&checker, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn checked_by(folder: tempfile::TempDir, checker: PathBuf) -> Stand {
        let link = Arc::new(Link::default());
        let inserts = Arc::new(Inserts::new(link.clone()));
        let workshop = Workshop::at(folder.path().join("nodes"), checker);
        assert!(inserts.workshop.set(workshop).is_ok());
        let mut engine = Engine::new(48_000.0).unwrap();
        inserts.attach(&mut engine);
        Stand {
            folder,
            link,
            inserts,
            engine,
        }
    }

    /// A second instance on the same machine.
    fn beside(self) -> Stand {
        self.inserts.end();
        Stand::within(self.folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a C++ node that multiplies.
    fn write(&self, name: &str, factor: &str) -> PathBuf {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/nodes");
        let header = fs::read_to_string(data.join("fixture.h")).unwrap();
        let body = format!(
            "void process(void*, const float* const* in, float* const* out, uint32_t frames)\n\
             {{ for (uint32_t i = 0; i < frames; ++i) out[0][i] = {factor} * in[0][i]; }}"
        );
        let stem = name.trim_end_matches(".cpp");
        let file = self.file(name);
        // All in one file, as what travels in a project has to be.
        let text = format!("{header}\nnamespace {{\n{body}\n}}\nNODE({stem}, ZG_ABI)\n");
        fs::write(&file, text).unwrap();
        file
    }

    fn choose(&self, choice: Option<InsertChoice>, consent: bool) {
        self.link.choose_insert(0, choice, consent);
    }

    fn choose_file(&self, path: &Path, consent: bool) {
        let choice = InsertChoice::File {
            path: path.to_owned(),
            source: None,
        };
        self.choose(Some(choice), consent);
    }

    /// Rounds until nothing is being compiled.
    fn settle(&self) {
        until("nothing is being compiled", || {
            self.inserts.round(true);
            self.inserts.desk().making.iter().all(Option::is_none)
        });
    }

    /// As [`Stand::settle`], and some rounds more: for what must not come later either.
    fn settle_for_good(&self) {
        for _ in 0..9 {
            self.settle();
        }
    }

    /// What the button does.
    fn allow(&self) {
        self.link
            .edit_insert(0, |state| state.allowed = state.asked);
    }

    /// The libraries that have been made.
    fn made(&self) -> usize {
        let entries = fs::read_dir(self.file("nodes")).into_iter().flatten();
        let files = entries.flatten().map(|entry| entry.path());
        files.filter(|path| path.is_file()).count()
    }

    fn status(&self) -> InsertStatus {
        self.link.insert(0).status
    }

    /// What the insert makes of 1, once a fade is over.
    fn gain(&mut self) -> f32 {
        let mut last = 0.0;
        for _ in 0..8 {
            let (mut left, mut right) = ([1.0; 512], [1.0; 512]);
            self.engine
                .process(&mut left, &mut right, Transport::Absent, &[]);
            last = left[511];
        }
        last
    }
}

/// Waits for what other threads and processes do.
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !is() {
        assert!(Instant::now() < deadline, "waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn state_of(stand: &Stand) -> [Option<InsertChoice>; 2] {
    let json = crate::editor::insert::write(&stand.link.insert_choices()).unwrap();
    crate::editor::insert::read(&json).unwrap().unwrap()
}

/// As [`state_of`], of what a host saves.
fn kept_of(stand: &Stand) -> [Option<InsertChoice>; 2] {
    stand.link.inserts_kept()
}

#[test]
fn a_built_in_node_is_brought_at_once_and_taken_away() {
    let mut stand = Stand::new();
    assert_eq!(stand.status(), InsertStatus::Empty);
    assert!(stand.link.insert_names()[0].contains(&"gain".to_owned()));
    stand.choose(Some(InsertChoice::Node("gain".to_owned())), false);
    stand.inserts.bring_known();
    assert_eq!(stand.status(), InsertStatus::Sounds);
    let state = stand.link.insert(0);
    assert_eq!(state.name, "gain");
    assert_eq!((state.macros[0].format)(0.8), "0 dB gain");
    assert_eq!((state.macros[0].parse)("0 dB"), Some(0.8));
    stand.engine.set(id::A_1, 0.77);
    stand.engine.set(id::A_2, 0.0);
    assert!((stand.gain() - 0.501_187).abs() < 1e-4);
    stand.choose(None, true);
    stand.inserts.bring_known();
    assert_eq!(stand.status(), InsertStatus::Empty);
    assert_eq!(stand.gain(), 1.0);
    // What is no node is said once, and nothing stands in for it.
    for _ in 0..3 {
        stand.choose(Some(InsertChoice::Node("gian".to_owned())), true);
        let choice = stand.link.insert(0).changes;
        stand.inserts.bring_known();
        stand.inserts.bring_known();
        assert_eq!(stand.link.insert(0).changes, choice);
    }
    assert!(matches!(stand.status(), InsertStatus::Failed(why) if why.contains("gain")));
    assert_eq!(stand.link.messages.all().len(), 1);
    assert_eq!(CHANNELS, stand.engine.insert_channels()[0]);
}

#[test]
fn a_project_runs_nothing_before_the_user_says_so() {
    let mut stand = Stand::new();
    let file = stand.write("twice.cpp", "2");
    stand.choose_file(&file, true);
    // Nothing is compiled where a host waits.
    stand.inserts.bring_known();
    assert_eq!(stand.gain(), 1.0);
    stand.settle();
    assert_eq!(stand.status(), InsertStatus::Sounds);
    assert_eq!(stand.gain(), 2.0);
    let saved = state_of(&stand);
    let Some(InsertChoice::File { source, .. }) = &saved[0] else {
        panic!("{saved:?}");
    };
    assert!(source.as_ref().unwrap().contains("out[0][i] = 2"));
    // Here it has been compiled: it sounds before the host goes on.
    let mut again = stand.beside();
    again.choose(saved[0].clone(), false);
    again.inserts.bring_known();
    assert_eq!(again.status(), InsertStatus::Sounds);
    assert_eq!(again.gain(), 2.0);
    // And where the file is gone.
    fs::remove_file(&file).unwrap();
    let mut again = again.beside();
    again.choose(saved[0].clone(), false);
    again.inserts.bring_known();
    assert_eq!(again.gain(), 2.0);
    // On another machine nothing is compiled, by no thread, until the user has said so.
    let mut other = Stand::new();
    other.choose(saved[0].clone(), false);
    for _ in 0..3 {
        other.settle();
        assert_eq!(other.status(), InsertStatus::NeedsConsent);
        assert_eq!(other.gain(), 1.0);
    }
    assert_eq!(other.made(), 0);
    other.allow();
    other.settle();
    assert_eq!(other.status(), InsertStatus::Sounds);
    assert_eq!(other.gain(), 2.0);
    // A file that lies there, but is not what the project says, is never run: the user is asked about what it says.
    let mut third = Stand::new();
    let foreign = third.write("twice.cpp", "5");
    let Some(InsertChoice::File { source, .. }) = saved[0].clone() else {
        unreachable!();
    };
    third.choose(
        Some(InsertChoice::File {
            path: foreign,
            source,
        }),
        false,
    );
    third.settle();
    assert_eq!(third.status(), InsertStatus::NeedsConsent);
    third.allow();
    for _ in 0..3 {
        third.settle();
        assert_eq!(third.gain(), 2.0);
    }
    let said = third.link.messages.all();
    assert!(said.len() == 1 && said[0].text.contains("not what this project says"));
}

#[test]
fn a_saved_file_is_taken_up_and_a_broken_one_is_said_while_the_old_one_sounds() {
    let mut stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.settle();
    assert_eq!(stand.gain(), 2.0);
    stand.write("a.cpp", "3.5");
    stand.settle();
    assert_eq!(stand.gain(), 3.5);
    let said = stand.link.messages.all().len();
    stand.write("a.cpp", "nothing_of_that_name");
    stand.settle();
    stand.settle();
    let InsertStatus::Failed(why) = stand.status() else {
        panic!("{:?}", stand.status());
    };
    // File and line.
    assert!(
        why.contains("a.cpp:") && why.contains("nothing_of_that_name"),
        "{why}"
    );
    assert_eq!(stand.link.messages.all().len(), said + 1);
    assert_eq!(stand.gain(), 3.5);
    // Taken back, it is well again; what is gone sounds on.
    stand.write("a.cpp", "3.5");
    stand.settle();
    assert_eq!(stand.status(), InsertStatus::Sounds);
    fs::remove_file(&file).unwrap();
    stand.settle();
    assert_eq!(stand.gain(), 3.5);
}

#[test]
fn the_thread_sees_to_files_within_a_second_and_ends_while_something_is_compiled() {
    let mut stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.inserts.look();
    until("the file sounds", || stand.gain() == 2.0);
    stand.write("a.cpp", "4");
    until("the saved file sounds", || stand.gain() == 4.0);
    stand.inserts.end();
    // A check that never ends is given up with the instance.
    let folder = tempfile::tempdir().unwrap();
    let checker = folder.path().join("sleeper");
    fs::write(
        &checker,
        "#!/bin/sh\ntouch \"$5.begun\" \"$(dirname \"$0\")/begun\"\nsleep 25\n",
    )
    .unwrap();
    fs::set_permissions(&checker, fs::Permissions::from_mode(0o755)).unwrap();
    let stand = Stand::checked_by(folder, checker);
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.inserts.look();
    until("the check has begun", || stand.file("begun").exists());
    let ending = Instant::now();
    stand.inserts.end();
    assert!(
        ending.elapsed() < Duration::from_secs(20),
        "it was waited for"
    );
}

#[test]
fn without_the_program_that_checks_it_is_said_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut stand = Stand::checked_by(folder, PathBuf::from("/no/such/program"));
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.settle();
    let InsertStatus::Failed(why) = stand.status() else {
        panic!("{:?}", stand.status());
    };
    assert!(
        why.contains(CHECKER) && why.contains("cargo install"),
        "{why}"
    );
    assert_eq!(stand.gain(), 1.0);
}

#[test]
fn a_new_engine_has_what_the_one_before_had() {
    let mut stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.settle();
    stand.engine = Engine::new(96_000.0).unwrap();
    stand.inserts.attach(&mut stand.engine);
    stand.inserts.bring_known();
    assert_eq!(stand.gain(), 2.0);
}

fn choice_of(path: &Path, source: &str) -> InsertChoice {
    InsertChoice::File {
        path: path.to_owned(),
        source: Some(source.to_owned()),
    }
}

/// A project that names the user's own file, word for word, may use what was made of it, and nothing that comes later.
#[test]
fn what_is_known_gives_no_consent() {
    let stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    let text = fs::read_to_string(&file).unwrap();
    stand.choose_file(&file, true);
    stand.settle();
    let mut again = stand.beside();
    again.choose(Some(choice_of(&file, &text)), false);
    again.settle();
    assert_eq!(again.gain(), 2.0);
    assert!(!again.link.insert(0).consent);
    let made = again.made();
    // Whatever the file comes to say, the project's version stays, and nothing is compiled.
    again.write("a.cpp", "7");
    for _ in 0..6 {
        again.settle();
        assert_eq!(again.gain(), 2.0);
    }
    assert_eq!(again.made(), made);
    let state = state_of(&again);
    assert_eq!(state[0], Some(choice_of(&file, &text)));
    assert!(again.link.messages.all()[0].text.contains("Load the file"));
    // A project that holds no source is asked about.
    let choice = InsertChoice::File {
        path: file.clone(),
        source: None,
    };
    again.choose(Some(choice), false);
    again.settle();
    assert_eq!(again.status(), InsertStatus::NeedsConsent);
    assert_eq!(again.made(), made);
    // Loaded by the user it is theirs.
    again.choose_file(&file, true);
    again.settle();
    assert_eq!(again.gain(), 7.0);
}

/// The button permits what was there when it was asked.
#[test]
fn what_is_allowed_is_one_content() {
    let mut stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    let choice = InsertChoice::File {
        path: file.clone(),
        source: None,
    };
    stand.choose(Some(choice), false);
    stand.settle();
    let asked = stand.link.insert(0).asked;
    stand.write("a.cpp", "31");
    stand.link.edit_insert(0, |state| state.allowed = asked);
    for _ in 0..3 {
        stand.settle();
        assert_eq!(stand.status(), InsertStatus::NeedsConsent);
    }
    assert_eq!((stand.made(), stand.gain()), (0, 1.0));
    assert_ne!(stand.link.insert(0).asked, asked);
    stand.allow();
    stand.settle();
    assert_eq!(stand.gain(), 31.0);
    // And what lies beside it is no part of what the project says.
    let text = fs::read_to_string(&file).unwrap();
    let text = format!("#include \"beside.h\"\n{text}");
    let mut other = Stand::new();
    let file = other.file("a.cpp");
    fs::write(&file, &text).unwrap();
    fs::write(other.file("beside.h"), "").unwrap();
    other.choose(Some(choice_of(&file, &text)), false);
    other.settle();
    let state = other.link.insert(0);
    assert_eq!(
        (state.status, state.needs),
        (InsertStatus::NeedsConsent, vec!["beside.h".to_owned()])
    );
    other.allow();
    other.settle();
    let InsertStatus::Failed(why) = other.status() else {
        panic!("{:?}", other.status());
    };
    // The user's own path, whatever was compiled.
    assert!(why.starts_with(&format!("{}:1:", file.display())), "{why}");
    assert_eq!(other.gain(), 1.0);
    other.choose_file(&file, true);
    other.settle();
    assert_eq!(other.gain(), 31.0);
    // That has been made here by the user: a project that says the same has it, with its parts.
    let mut again = other.beside();
    again.choose(Some(choice_of(&file, &text)), false);
    again.inserts.bring_known();
    assert_eq!(again.gain(), 31.0);
}

#[test]
fn what_nobody_has_allowed_is_not_read_time_and_again() {
    let stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    let choice = InsertChoice::File {
        path: file.clone(),
        source: None,
    };
    stand.choose(Some(choice), false);
    stand.settle();
    let asked = stand.link.insert(0).asked;
    // Another text of the same length and time: only who reads it knows.
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    stand.write("a.cpp", "3");
    let opened = fs::File::options().append(true).open(&file).unwrap();
    opened.set_modified(before).unwrap();
    stand.settle_for_good();
    assert_eq!(stand.link.insert(0).asked, asked);
    // What was not asked about is not compiled for all that.
    stand.allow();
    stand.settle_for_good();
    assert_eq!(stand.made(), 0);
}

#[test]
fn loading_a_broken_file_again_keeps_what_sounds_and_so_does_another() {
    let mut stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.settle();
    stand.write("a.cpp", "nothing_of_that_name");
    for _ in 0..2 {
        stand.choose_file(&file, true);
        stand.settle();
        assert!(matches!(stand.status(), InsertStatus::Failed(_)));
        assert_eq!(
            (stand.gain(), stand.link.insert(0).name.as_str()),
            (2.0, "a")
        );
    }
    let other = stand.write("b.cpp", "nothing_either");
    stand.choose_file(&other, true);
    stand.settle();
    let state = stand.link.insert(0);
    assert_eq!((state.name.as_str(), state.is_file(&file)), ("a", true));
    let (wanted, why) = state.refused.unwrap();
    assert!(wanted.text() == other.display().to_string() && why.contains("nothing_either"));
    assert_eq!(stand.gain(), 2.0);
    // Taken out, nothing of its name is left.
    stand.choose(Some(InsertChoice::Node("gain".to_owned())), true);
    stand.settle();
    assert_eq!(stand.link.insert(0).name, "gain");
    stand.choose(None, true);
    stand.settle();
    assert!(stand.link.insert(0).name.is_empty() && stand.link.insert(0).macros.is_empty());
}

/// A file is asked for again while it is not there, or broken: what the project keeps of it may be the only copy.
#[test]
fn the_same_path_that_cannot_be_had_leaves_the_source_in_the_project() {
    for consent in [true, false] {
        let mut stand = Stand::new();
        let file = stand.write("a.cpp", "2");
        stand.choose_file(&file, true);
        stand.settle();
        let saved = state_of(&stand);
        assert!(matches!(
            &saved[0],
            Some(InsertChoice::File {
                source: Some(_),
                ..
            })
        ));
        if !consent {
            // It comes back with the project.
            stand.choose(saved[0].clone(), false);
            stand.settle();
            assert_eq!(stand.status(), InsertStatus::Sounds);
        }
        fs::remove_file(&file).unwrap();
        stand.settle();
        stand.choose_file(&file, true);
        // While it is tried, too.
        assert_eq!(kept_of(&stand), saved, "{consent}");
        stand.settle_for_good();
        assert_eq!(kept_of(&stand), saved, "{consent}");
        // Whose it was it is: what a project brought may still not be compiled unasked.
        assert_eq!(stand.link.insert(0).consent, consent);
        assert_eq!(stand.gain(), 2.0, "{consent}");
    }
}

#[test]
fn what_a_project_brings_and_nobody_allowed_survives_a_path_that_is_not_there() {
    let stand = Stand::new();
    let brought = InsertChoice::File {
        path: stand.file("far.cpp"),
        source: Some(fs::read_to_string(stand.write("far.cpp", "3")).unwrap()),
    };
    fs::remove_file(stand.file("far.cpp")).unwrap();
    stand.choose(Some(brought.clone()), false);
    stand.settle();
    assert_eq!(stand.status(), InsertStatus::NeedsConsent);
    stand.choose_file(&stand.file("far.cpp"), true);
    stand.settle_for_good();
    assert_eq!(kept_of(&stand)[0], Some(brought));
    assert_eq!(stand.status(), InsertStatus::NeedsConsent);
    assert_eq!(stand.made(), 0, "nothing was compiled unasked");
}

#[test]
fn a_node_that_comes_back_begins_where_it_was_to() {
    let stand = Stand::new();
    let gain = InsertChoice::Node("gain".to_owned());
    stand.choose(Some(gain.clone()), true);
    stand
        .link
        .edit_insert(0, |state| state.fresh = Some([0.25; 4]));
    // Another is chosen before that one sounds, and cannot be had.
    stand.choose_file(&stand.file("nope.dsp"), true);
    assert_eq!(kept_of(&stand)[0], Some(gain));
    stand.settle_for_good();
    let state = stand.link.insert(0);
    assert_eq!(
        (state.name.as_str(), state.fresh),
        ("gain", Some([0.25; 4]))
    );
}

/// A name that was mistyped: nothing is another, and nothing is made anew.
#[test]
fn what_cannot_be_had_leaves_what_is_there() {
    let mut stand = Stand::new();
    stand.choose(Some(InsertChoice::Node("gain".to_owned())), false);
    stand.inserts.bring_known();
    stand.engine.set(id::A_1, 0.77);
    let (gain, saved) = (stand.gain(), state_of(&stand));
    assert!((gain - 0.501_187).abs() < 1e-4);
    let nowhere = stand.file("nope.dsp");
    for nothing in [
        InsertChoice::Node("gian".to_owned()),
        choice_of_nothing(&nowhere),
    ] {
        stand.choose(Some(nothing.clone()), true);
        stand
            .link
            .edit_insert(0, |state| state.fresh = Some([0.5; 4]));
        stand.settle_for_good();
        let state = stand.link.insert(0);
        assert_eq!(state.status, InsertStatus::Sounds);
        assert_eq!((state.name.as_str(), state.fresh), ("gain", None));
        assert_eq!(state.refused.unwrap().0, nothing);
        // Not the user's by that: what a project brings stays the project's.
        assert!(!state.consent && state.unsaved);
        assert_eq!((stand.gain(), state_of(&stand)), (gain, saved.clone()));
    }
    assert_eq!(stand.link.messages.all().len(), 2);
    // The engine that comes while it is tried has what was before as well.
    let broken = stand.write("b.cpp", "nothing_of_that_name");
    stand.choose_file(&broken, true);
    stand.inserts.round(true);
    stand.engine = Engine::new(96_000.0).unwrap();
    stand.inserts.attach(&mut stand.engine);
    stand.engine.set(id::A_1, 0.77);
    stand.settle_for_good();
    assert_eq!((stand.gain(), state_of(&stand)), (gain, saved));
    // What a project brings takes the place of what is there, whatever becomes of it.
    stand.choose(Some(choice_of_nothing(&nowhere)), false);
    stand.settle();
    assert!(matches!(stand.status(), InsertStatus::Failed(_)));
    assert_eq!(stand.gain(), 1.0);
}

fn choice_of_nothing(path: &Path) -> InsertChoice {
    InsertChoice::File {
        path: path.to_owned(),
        source: None,
    }
}

#[test]
fn what_was_missing_is_looked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let checker = folder.path().join("checker");
    let mut stand = Stand::checked_by(folder, checker);
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.settle();
    assert!(matches!(stand.status(), InsertStatus::Failed(why) if why.contains(CHECKER)));
    stand.write_checker();
    stand.choose_file(&file, true);
    stand.settle();
    assert_eq!(stand.gain(), 2.0);
}

/// A check that never ends neither keeps the other insert waiting nor outlives what it was wanted for.
#[test]
fn one_that_never_ends_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let checker = folder.path().join("sleeps");
    let script = "#!/bin/sh\ncase \"$4\" in slow) echo begun > \"$(dirname \"$0\")/begun\"; exec sleep 1000;; esac\n\
                  echo '{\"fine\":{\"load\":0.01}}' > \"$5\"\n";
    fs::write(&checker, script).unwrap();
    fs::set_permissions(&checker, fs::Permissions::from_mode(0o755)).unwrap();
    let mut stand = Stand::checked_by(folder, checker);
    let (slow, fast) = (stand.write("slow.cpp", "9"), stand.write("fast.cpp", "2"));
    stand.choose_file(&slow, true);
    let choice = InsertChoice::File {
        path: fast.clone(),
        source: None,
    };
    stand.link.choose_insert(1, Some(choice), true);
    until("one is checked and the other sounds", || {
        stand.inserts.round(true);
        stand.file("begun").exists() && stand.link.insert(1).status == InsertStatus::Sounds
    });
    assert_eq!(stand.gain(), 2.0);
    assert_eq!(stand.status(), InsertStatus::Compiling);
    // Something else is chosen: it is not waited for.
    stand.choose_file(&fast, true);
    stand.settle();
    assert_eq!(stand.gain(), 4.0);
}

/// A node that the user chooses begins as its author meant it; what moves afterwards moves it.
#[test]
fn a_chosen_node_begins_at_its_defaults() {
    let mut stand = Stand::new();
    let gain = |fresh: Option<[f64; 4]>, stand: &mut Stand| {
        stand.choose(Some(InsertChoice::Node("gain".to_owned())), true);
        stand.link.edit_insert(0, |state| state.fresh = fresh);
        stand.inserts.bring_known();
        stand.gain()
    };
    // In the middle of its range it is 60 dB down.
    assert!(gain(None, &mut stand) < 0.01);
    assert!((gain(Some([0.5; 4]), &mut stand) - 1.0).abs() < 1e-6);
    stand.engine.set(id::A_1, 0.77);
    assert!((stand.gain() - 0.501_187).abs() < 1e-3);
}

#[test]
fn what_the_project_keeps_is_told_to_the_host() {
    let stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.settle();
    assert!(stand.link.insert(0).unsaved);
    stand.link.edit_insert(0, |state| state.unsaved = false);
    stand.settle_for_good();
    assert!(!stand.link.insert(0).unsaved);
}
