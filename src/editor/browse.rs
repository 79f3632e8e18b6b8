//! Asks the user for a file in the system's own dialog: a program of its own, so that it can do nothing to the host, waited
//! for on a thread of its own, and ended with the window.

use super::link::Link;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the program is looked at.
const ROUND: Duration = Duration::from_millis(30);

/// A dialog that is over sooner without an answer was never there: nobody is as fast.
const AT_ONCE: Duration = Duration::from_millis(300);

/// What is said where there is no dialog.
const NONE: &str = "This system has no dialog for files that could be opened (zenity or kdialog): type a path here.";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The title of the dialog.
    pub title: &'static str,
    /// How the names of such files end, without dots.
    pub endings: &'static [&'static str],
    /// Whether the file is to be written.
    pub writes: bool,
}

/// Opens a dialog and waits for its end, or until the flag is set. The file; none where the user gave up.
///
/// # Errors
/// Why there was no dialog, for people.
pub type Asker = dyn Fn(&Ask, &AtomicBool) -> Result<Option<PathBuf>, String> + Send + Sync;

/// The field that a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Import,
    Export,
    Sofa,
    Insert(usize),
}

/// A dialog that is open.
#[derive(Debug)]
struct Open {
    field: Field,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Option<PathBuf>, String>>,
}

/// The dialog of a window: one at a time.
#[derive(Debug, Default)]
pub(super) struct Browse {
    open: Option<Open>,
    /// Why there was none for a field.
    wrong: Option<(Field, String)>,
}

impl Browse {
    /// Whether one can be opened.
    pub fn is_free(&self) -> bool {
        self.open.is_none()
    }

    /// Opens one for a field.
    pub fn ask(&mut self, field: Field, ask: Ask, link: &Link) {
        if !self.is_free() {
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (asker, notifier, theirs) = (link.asker(), link.notifier(), stop.clone());
        let thread = std::thread::Builder::new().name("zeitgeber-asks".to_owned());
        let spawned = thread.spawn(move || {
            let answer = match asker {
                Some(asker) => asker(&ask, &theirs),
                None => dialog(&ask, &theirs),
            };
            notifier.request_repaint();
            answer
        });
        self.wrong = None;
        match spawned {
            Ok(thread) => {
                self.open = Some(Open {
                    field,
                    stop,
                    thread,
                });
            }
            Err(error) => {
                self.wrong = Some((field, format!("the system gave no thread: {error}")));
            }
        }
    }

    /// The file that a field has been given, once.
    pub fn answer(&mut self, field: Field) -> Option<String> {
        let done = |open: &mut Open| open.field == field && open.thread.is_finished();
        let open = self.open.take_if(done)?;
        let broken = || Err("the dialog broke off".to_owned());
        match open.thread.join().unwrap_or_else(|_| broken()) {
            // What is typed is text, and what stands in the field, too.
            Ok(path) => return path.map(|path| path.display().to_string()),
            Err(why) => self.wrong = Some((field, why)),
        }
        None
    }

    /// Why there was no dialog for a field.
    pub fn wrong(&self, field: Field) -> Option<&str> {
        let wrong = self.wrong.as_ref().filter(|(of, _)| *of == field);
        wrong.map(|(_, why)| why.as_str())
    }

    /// What was wrong with a field is settled: something has been typed.
    pub fn settle(&mut self, field: Field) {
        self.wrong.take_if(|(of, _)| *of == field);
    }
}

impl Drop for Browse {
    fn drop(&mut self) {
        // The library may be unloaded with the window.
        if let Some(open) = self.open.take() {
            open.stop.store(true, Relaxed);
            let _ = open.thread.join();
        }
    }
}

/// Programs that ask for a file, the first that is there is taken; each writes the path.
fn programs(ask: &Ask) -> Vec<Command> {
    let programs: Vec<(&str, Vec<String>)> = if cfg!(target_os = "windows") {
        vec![("powershell", powershell(ask))]
    } else if cfg!(target_os = "macos") {
        vec![("osascript", osascript(ask))]
    } else {
        let kde = std::env::var("XDG_CURRENT_DESKTOP").is_ok_and(|desktop| desktop == "KDE");
        let mut both = vec![("zenity", zenity(ask)), ("kdialog", kdialog(ask))];
        if kde {
            both.reverse();
        }
        both
    };
    let command = |(program, words): (&str, Vec<String>)| {
        let mut command = Command::new(program);
        command.args(words);
        command
    };
    programs.into_iter().map(command).collect()
}

fn zenity(ask: &Ask) -> Vec<String> {
    let mut words = vec![
        "--file-selection".to_owned(),
        format!("--title={}", ask.title),
    ];
    if ask.writes {
        words.push("--save".to_owned());
    }
    let globs: Vec<String> = ask.endings.iter().map(|end| format!("*.{end}")).collect();
    words.push(format!("--file-filter={}", globs.join(" ")));
    words.push("--file-filter=*".to_owned());
    words
}

fn kdialog(ask: &Ask) -> Vec<String> {
    let globs: Vec<String> = ask.endings.iter().map(|end| format!("*.{end}")).collect();
    let way = match ask.writes {
        true => "--getsavefilename",
        false => "--getopenfilename",
    };
    let words = ["--title", ask.title, way, ".", &globs.join(" ")];
    words.map(str::to_owned).to_vec()
}

fn osascript(ask: &Ask) -> Vec<String> {
    let what = match ask.writes {
        true => "choose file name",
        false => "choose file",
    };
    let script = format!("POSIX path of ({what} with prompt \"{}\")", ask.title);
    vec!["-e".to_owned(), script]
}

fn powershell(ask: &Ask) -> Vec<String> {
    let what = match ask.writes {
        true => "SaveFileDialog",
        false => "OpenFileDialog",
    };
    let globs: Vec<String> = ask.endings.iter().map(|end| format!("*.{end}")).collect();
    let globs = globs.join(";");
    let script = format!(
        "Add-Type -AssemblyName System.Windows.Forms; \
         [Console]::OutputEncoding = [Text.Encoding]::UTF8; \
         $d = New-Object System.Windows.Forms.{what}; $d.Title = '{}'; $d.Filter = '{globs}|{globs}|*.*|*.*'; \
         if ($d.ShowDialog() -eq 'OK') {{ $d.FileName }} else {{ exit 1 }}",
        ask.title
    );
    let words = ["-NoProfile", "-STA", "-Command", &script];
    words.map(str::to_owned).to_vec()
}

/// The system's own dialog.
fn dialog(ask: &Ask, stop: &AtomicBool) -> Result<Option<PathBuf>, String> {
    first_of(programs(ask), stop)
}

/// Runs the first program that is there.
fn first_of(programs: Vec<Command>, stop: &AtomicBool) -> Result<Option<PathBuf>, String> {
    for program in programs {
        // Else it is not there, or has no screen.
        if let Ok(Some(answer)) = run(program, stop) {
            return Ok(answer);
        }
    }
    Err(NONE.to_owned())
}

/// Runs a program that writes a path; nothing where it ended at once without one, as where it has no screen.
fn run(mut program: Command, stop: &AtomicBool) -> io::Result<Option<Option<PathBuf>>> {
    // A host may bring libraries of its own, which other programs do not go with.
    for variable in ["LD_LIBRARY_PATH", "LD_PRELOAD"] {
        program.env_remove(variable);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        // CREATE_NO_WINDOW: the shell stays out of sight.
        program.creation_flags(0x0800_0000);
    }
    let began = Instant::now();
    let mut child = program
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        if stop.load(Relaxed) {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait()?;
            return Ok(Some(None));
        }
        std::thread::sleep(ROUND);
    };
    let mut written = Vec::new();
    if let Some(mut out) = child.stdout.take() {
        out.read_to_end(&mut written)?;
    }
    let text = String::from_utf8_lossy(&written);
    let path = text.trim_end_matches(['\n', '\r']);
    Ok(
        match (ended.success() && !path.is_empty(), began.elapsed()) {
            (true, _) => Some(Some(PathBuf::from(path))),
            (false, took) if took < AT_ONCE => None,
            (false, _) => Some(None),
        },
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn answer(programs: Vec<Command>) -> Result<Option<PathBuf>, String> {
        first_of(programs, &AtomicBool::new(false))
    }

    #[test]
    fn a_path_is_taken_and_giving_up_is_no_error() {
        let path = Some(PathBuf::from("/a b/c.dsp"));
        assert_eq!(answer(vec![shell("echo '/a b/c.dsp'")]), Ok(path.clone()));
        // One that is not there, and one that has no screen, are passed over.
        let missing = Command::new("/no/such/program");
        let screenless = shell("exit 1");
        let last = shell("echo '/a b/c.dsp'");
        assert_eq!(answer(vec![missing, screenless, last]), Ok(path));
        assert_eq!(answer(vec![shell("sleep 0.5; exit 1")]), Ok(None));
        let none = answer(vec![Command::new("/no/such/program"), shell("exit 1")]);
        assert_eq!(none, Err(NONE.to_owned()));
    }

    #[test]
    fn a_dialog_ends_with_its_window() {
        let link = Link::default();
        let asker: Box<Asker> = Box::new(|_, stop| first_of(vec![shell("exec sleep 60")], stop));
        link.ask_by(asker);
        let mut browse = Browse::default();
        let ask = Ask {
            title: "Open",
            endings: &["dsp"],
            writes: false,
        };
        browse.ask(Field::Sofa, ask, &link);
        assert!(!browse.is_free() && browse.answer(Field::Sofa).is_none());
        let began = Instant::now();
        drop(browse);
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it was waited for"
        );
    }

    #[test]
    fn what_is_asked_is_told_to_each_program() {
        let ask = Ask {
            title: "Export a preset",
            endings: &["json", "sbg"],
            writes: true,
        };
        assert!(zenity(&ask).contains(&"--save".to_owned()));
        assert!(zenity(&ask).contains(&"--file-filter=*.json *.sbg".to_owned()));
        assert!(kdialog(&ask).contains(&"--getsavefilename".to_owned()));
        assert!(osascript(&ask)[1].contains("choose file name"));
        assert!(powershell(&ask)[3].contains("SaveFileDialog"));
    }
}
