//! Programs that may do anything, run so that they harm nobody: bounded in time, memory and output, and
//! killed with all that they started.

use super::checker::is_program;
use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// What a child may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Seconds of processor time.
    pub processor: u64,
    /// Time on the wall.
    pub wall: Duration,
    /// Bytes of memory.
    pub memory: u64,
}

/// The largest file that a child may write, in bytes.
const LARGEST_FILE: u64 = 256 << 20;

/// How much of what it says is kept, in bytes.
const KEPT: u64 = 64 << 10;

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this code.
    Code(i32),
    /// It could not be found.
    Missing,
    /// Of itself, by this signal.
    Signal(i32),
    /// It took too long.
    Late,
    /// It was told to stop.
    Stopped,
}

/// Runs a program in a folder and gives its end with what it said on stdout and stderr, which goes through
/// the file `log`: a pipe could be held open by what it leaves behind. Once `stop` is set it is killed.
///
/// # Errors
/// When nothing could be started.
pub(super) fn run(
    program: &OsString,
    args: &[OsString],
    folder: &Path,
    log: &Path,
    limits: Limits,
    stop: &AtomicBool,
) -> io::Result<(End, String)> {
    if cfg!(unix) && !is_there(program) {
        return Ok((End::Missing, String::new()));
    }
    let out = File::create(log)?;
    let mut command = limited(program, limits);
    command
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(out.try_clone()?)
        .stdout(out)
        // Messages are read by this program before people read them.
        .env("LC_ALL", "C");
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((End::Missing, String::new()));
        }
        Err(error) => return Err(error),
    };
    let deadline = Instant::now() + limits.wall;
    let mut glance = Duration::from_millis(1);
    let end = loop {
        if let Some(status) = child.try_wait()? {
            break end(status);
        }
        if stop.load(Relaxed) {
            break End::Stopped;
        }
        if Instant::now() >= deadline {
            break End::Late;
        }
        thread::sleep(glance);
        glance = (glance * 2).min(Duration::from_millis(20));
    };
    kill(&mut child);
    let mut said = Vec::new();
    File::open(log)?.take(KEPT).read_to_end(&mut said)?;
    fs::remove_file(log)?;
    Ok((end, String::from_utf8_lossy(&said).into_owned()))
}

/// Whether there is such a program: what one says by its own end is not to be taken for its absence.
fn is_there(program: &OsString) -> bool {
    let named = Path::new(program);
    if named.components().count() > 1 {
        return is_program(named);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| is_program(&folder.join(named)))
}

/// The shell sets the limits, which its successor inherits; core files would fill the user's folder.
#[cfg(unix)]
fn limited(program: &OsString, limits: Limits) -> Command {
    use std::os::unix::process::CommandExt;
    const SCRIPT: &str = "ulimit -c 0; ulimit -t \"$1\"; ulimit -f \"$2\"; ulimit -v \"$3\" 2>/dev/null; \
                          shift 3; exec \"$@\"";
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(SCRIPT)
        .arg("sh")
        .arg(limits.processor.to_string())
        // The units of POSIX and of most shells: 512 bytes, 1024 bytes.
        .arg((LARGEST_FILE / 512).to_string())
        .arg((limits.memory / 1024).to_string())
        .arg(program)
        .process_group(0);
    command
}

#[cfg(not(unix))]
fn limited(program: &OsString, _limits: Limits) -> Command {
    Command::new(program)
}

/// Ends the child, if it still runs, and everything that it started in its group.
fn kill(child: &mut Child) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // The group is there as long as one of it is; where none is left there is nothing to do.
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
fn end(status: ExitStatus) -> End {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        // Nobody but the limit of processor time sends these.
        (_, Some(signal)) if signal == Signal::KILL.as_raw() || signal == Signal::XCPU.as_raw() => {
            End::Late
        }
        (_, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

#[cfg(not(unix))]
fn end(status: ExitStatus) -> End {
    match status.code() {
        Some(code) if code >= 0 => End::Code(code),
        code => End::Signal(code.unwrap_or(0)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const SOME: Limits = Limits {
        processor: 1,
        wall: Duration::from_millis(300),
        memory: 1 << 30,
    };

    fn shell(script: &str, limits: Limits) -> (End, String) {
        let folder = tempfile::tempdir().unwrap();
        let args = ["-c".into(), script.into()];
        let log = folder.path().join("log");
        let go_on = AtomicBool::new(false);
        run(&"sh".into(), &args, folder.path(), &log, limits, &go_on).unwrap()
    }

    #[test]
    fn what_it_says_and_how_it_ends_come_back() {
        assert_eq!(
            shell("echo one; echo two >&2; exit 3", SOME),
            (End::Code(3), "one\ntwo\n".to_owned())
        );
        assert_eq!(shell("kill -SEGV $$", SOME).0, End::Signal(11));
        // What a shell says of a program that it does not find, anybody may say.
        assert_eq!(shell("exit 127", SOME).0, End::Code(127));
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let go_on = AtomicBool::new(false);
        let missing = run(&"zg-no-such".into(), &[], folder.path(), &log, SOME, &go_on).unwrap();
        assert_eq!(missing.0, End::Missing);
    }

    #[test]
    fn sleepers_and_loops_end_with_all_they_started() {
        let began = Instant::now();
        let marker = tempfile::tempdir().unwrap();
        let late = format!(
            "(sleep 1; touch {}/late) & sleep 60",
            marker.path().display()
        );
        assert_eq!(shell(&late, SOME).0, End::Late);
        let patient = Limits {
            wall: Duration::from_secs(20),
            ..SOME
        };
        assert_eq!(shell("while :; do :; done", patient).0, End::Late);
        assert!(began.elapsed() < Duration::from_secs(15));
        assert!(!marker.path().join("late").exists());
    }

    #[test]
    fn whoever_is_told_to_stop_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let patient = Limits {
            wall: Duration::from_secs(60),
            ..SOME
        };
        let (log, stop) = (folder.path().join("log"), AtomicBool::new(true));
        let args = ["-c".into(), "sleep 60".into()];
        let began = Instant::now();
        let (end, _) = run(&"sh".into(), &args, folder.path(), &log, patient, &stop).unwrap();
        assert_eq!(end, End::Stopped);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn memory_and_files_are_bounded() {
        let little = Limits {
            memory: 64 << 20,
            wall: Duration::from_secs(20),
            processor: 10,
        };
        let (end, _) = shell(
            "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}",
            little,
        );
        assert_ne!(end, End::Code(0));
        let (end, said) = shell("yes", little);
        assert!(!matches!(end, End::Code(0)) && said.len() as u64 <= KEPT);
    }
}
