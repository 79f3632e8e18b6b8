//! Where the freshly built plugin lies, and bundles made of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The plugin library that `cargo test` has just built: it lies beside the test.
pub fn library() -> PathBuf {
    let name = format!(
        "{}zeitgeber{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let test = std::env::current_exe().expect("a test knows its own path");
    let library = test.with_file_name(name);
    assert!(library.exists(), "{} has not been built", library.display());
    library
}

/// The folders that the build may go to; `cargo xtask` puts the Python hosts into one of them.
pub fn targets() -> Vec<PathBuf> {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    // target/<profile>/deps/<library>
    let of_library = library().ancestors().nth(3).map(Path::to_owned);
    named.into_iter().chain([usual]).chain(of_library).collect()
}

/// Makes `Zeitgeber.clap` in a temporary folder.
pub fn clap_bundle(folder: &Path) -> PathBuf {
    let bundle = folder.join("Zeitgeber.clap");
    std::fs::copy(library(), &bundle).expect("the library can be copied");
    bundle
}

/// Makes the folder `Zeitgeber.vst3` as the format prescribes it.
pub fn vst3_bundle(folder: &Path) -> PathBuf {
    let bundle = folder.join("Zeitgeber.vst3");
    let (place, name) = match std::env::consts::OS {
        "macos" => ("MacOS".to_owned(), "Zeitgeber"),
        "windows" => (format!("{}-win", std::env::consts::ARCH), "Zeitgeber.vst3"),
        _ => (format!("{}-linux", std::env::consts::ARCH), "Zeitgeber.so"),
    };
    let contents = bundle.join("Contents").join(place);
    std::fs::create_dir_all(&contents).expect("a bundle can be made");
    std::fs::copy(library(), contents.join(name)).expect("the library can be copied");
    bundle
}

/// A program of this name on the PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Says that a test has not been run, so that it is seen in the output of a green run too.
pub fn skipped(what: &str, why: &str) {
    // Straight to the terminal: the harness keeps what is printed by tests that pass.
    let line = format!("\n==== SKIPPED: {what}: {why} ====\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// Runs a program to its end and returns what it wrote; fails when it takes longer than `longest`.
pub fn run(command: &mut Command, longest: Duration) -> Output {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    let id = child.id();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let readers = [stdout.map(read_all), stderr.map(read_all)];
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None if start.elapsed() > longest => {
                let _ = child.kill();
                panic!("{command:?} (process {id}) has not ended in {longest:?}");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let [stdout, stderr] = readers.map(|reader| {
        reader
            .map(|reader| reader.join().unwrap_or_default())
            .unwrap_or_default()
    });
    Output {
        status,
        stdout,
        stderr,
    }
}

/// Runs one ignored test of this program in a process of its own, where no other test disturbs it, and returns what it
/// printed.
pub fn run_alone(test: &str) -> String {
    run_alone_with(test, |_| ())
}

/// The same, with changes to the command.
pub fn run_alone_with(test: &str, change: impl FnOnce(&mut Command)) -> String {
    let program = std::env::current_exe().expect("a test knows its own path");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    change(&mut command);
    let output = run(&mut command, Duration::from_secs(600));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{errors}\n{text}",
        output.status
    );
    assert!(text.contains("1 passed"), "{test} is no test: {text}");
    text
}

fn read_all(mut pipe: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
