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
        fs::write(
            &checker,
            "#!/bin/sh\necho '{\"fine\":{\"load\":0.01}}' > \"$5\"\n",
        )
        .unwrap();
        fs::set_permissions(&checker, fs::Permissions::from_mode(0o755)).unwrap();
        Stand::checked_by(folder, checker)
    }

    fn checked_by(folder: tempfile::TempDir, checker: PathBuf) -> Stand {
        let link = Arc::new(Link::default());
        let inserts = Arc::new(Inserts::new(link.clone()));
        let workshop = Workshop::at(folder.path().join("nodes"), checker);
        let workshop = workshop.stopped_by(inserts.stop.clone());
        assert!(inserts.workshop.set(Ok(workshop)).is_ok());
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

fn state_of(stand: &Stand) -> [Option<InsertChoice>; 2] {
    let json = crate::editor::insert::write(&stand.link.insert_choices()).unwrap();
    crate::editor::insert::read(&json).unwrap().unwrap()
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
    stand.inserts.round(true);
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
        other.inserts.round(true);
        assert_eq!(other.status(), InsertStatus::NeedsConsent);
        assert_eq!(other.gain(), 1.0);
    }
    let nodes = other.file("nodes");
    let made = fs::read_dir(&nodes).unwrap().flatten().map(|e| e.path());
    let made: Vec<_> = made.filter(|path| path.is_file()).collect();
    assert!(made.is_empty(), "{made:?}");
    other.link.edit_insert(0, |state| state.allowed = true);
    other.inserts.round(true);
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
    third.inserts.round(true);
    assert_eq!(third.status(), InsertStatus::NeedsConsent);
    third.link.edit_insert(0, |state| state.allowed = true);
    for _ in 0..3 {
        third.inserts.round(true);
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
    stand.inserts.round(true);
    assert_eq!(stand.gain(), 2.0);
    stand.write("a.cpp", "3.5");
    stand.inserts.round(true);
    assert_eq!(stand.gain(), 3.5);
    let said = stand.link.messages.all().len();
    stand.write("a.cpp", "nothing_of_that_name");
    stand.inserts.round(true);
    stand.inserts.round(true);
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
    stand.inserts.round(true);
    assert_eq!(stand.status(), InsertStatus::Sounds);
    fs::remove_file(&file).unwrap();
    stand.inserts.round(true);
    assert_eq!(stand.gain(), 3.5);
}

#[test]
fn the_thread_sees_to_files_within_a_second_and_ends_while_something_is_compiled() {
    let mut stand = Stand::new();
    let file = stand.write("a.cpp", "2");
    stand.choose_file(&file, true);
    stand.inserts.look();
    let wait = |stand: &mut Stand, gain: f32| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while stand.gain() != gain {
            assert!(Instant::now() < deadline, "{:?}", stand.status());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait(&mut stand, 2.0);
    stand.write("a.cpp", "4");
    wait(&mut stand, 4.0);
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
    let deadline = Instant::now() + Duration::from_secs(60);
    while !stand.file("begun").exists() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
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
    stand.inserts.round(true);
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
    stand.inserts.round(true);
    stand.engine = Engine::new(96_000.0).unwrap();
    stand.inserts.attach(&mut stand.engine);
    stand.inserts.bring_known();
    assert_eq!(stand.gain(), 2.0);
}
