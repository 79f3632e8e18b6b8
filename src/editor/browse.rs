//! Asks the user for a file in the system's own dialog: a program of its own, so that it can do nothing to the host, waited
//! for on a thread of its own, and ended with the window.

use super::link::Link;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the program is looked at.
const ROUND: Duration = Duration::from_millis(30);

/// The most that is read of what a program writes, in bytes.
const MOST: u64 = 1 << 16;

/// The longest reason of a program that is passed on, in letters.
const LONGEST: usize = 160;

/// The exit code of the PowerShell script where the user gave up; its own failures have 1.
const GIVEN_UP: i32 = 3;

/// What is said where there is no dialog.
const NONE: &str = if cfg!(any(target_os = "windows", target_os = "macos")) {
    "The system's dialog for files could not be opened: type a path here."
} else {
    "This system has no dialog for files that could be opened (zenity or kdialog): type a path here."
};

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

/// The file; none where the user gave up; or why there was no dialog.
type Answer = Result<Option<PathBuf>, String>;

/// A dialog that is open.
#[derive(Debug)]
struct Open {
    field: Field,
    stop: Arc<AtomicBool>,
    /// The field has been drawn since the last frame ended.
    drawn: bool,
    answer: Receiver<Answer>,
    thread: JoinHandle<()>,
}

/// The dialog of a window: one at a time.
#[derive(Debug, Default)]
pub(super) struct Browse {
    open: Option<Open>,
    /// Threads that have nothing more to say, and end.
    leaving: Vec<JoinHandle<()>>,
    /// Why there was none for a field.
    wrong: Option<(Field, String)>,
}

/// Tells the window when it is dropped, however the thread ends.
struct Tell<T: Fn()>(T);

impl<T: Fn()> Drop for Tell<T> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Browse {
    /// Whether one can be opened.
    pub fn is_free(&self) -> bool {
        self.open.is_none()
    }

    /// Opens one for a field.
    pub fn ask(&mut self, field: Field, ask: Ask, link: &Link) {
        let (asker, notifier) = (link.asker(), link.notifier());
        let asks = move |stop: &AtomicBool| match asker {
            Some(asker) => asker(&ask, stop),
            None => dialog(&ask, stop),
        };
        self.wait(field, asks, move || notifier.request_repaint());
    }

    /// Asks on a thread, which tells the window once the answer is there to be taken.
    fn wait(
        &mut self,
        field: Field,
        asks: impl FnOnce(&AtomicBool) -> Answer + Send + 'static,
        tell: impl Fn() + Send + 'static,
    ) {
        if !self.is_free() {
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = stop.clone();
        let (sender, answer) = channel();
        let thread = std::thread::Builder::new().name("zeitgeber-asks".to_owned());
        let spawned = thread.spawn(move || {
            let _last = Tell(tell);
            // It goes before the window is told.
            let sender = sender;
            // Nobody takes it where the field is out of sight.
            let _ = sender.send(asks(&theirs));
        });
        self.wrong = None;
        match spawned {
            Ok(thread) => {
                self.open = Some(Open {
                    field,
                    stop,
                    drawn: true,
                    answer,
                    thread,
                });
            }
            Err(error) => {
                self.wrong = Some((field, format!("the system gave no thread: {error}")));
            }
        }
    }

    /// The file that a field has been given, once. Asked for whenever the field is drawn.
    pub fn answer(&mut self, field: Field) -> Option<String> {
        let open = self.open.as_mut().filter(|open| open.field == field)?;
        open.drawn = true;
        let answer = match open.answer.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err("the dialog broke off".to_owned()),
            Ok(answer) => answer,
        };
        self.end();
        match answer {
            // What is typed is text, and what stands in the field, too.
            Ok(path) => return path.map(|path| path.display().to_string()),
            Err(why) => self.wrong = Some((field, why)),
        }
        None
    }

    /// A frame is drawn: a dialog whose field is not to be seen any more ends, for nobody would know what it answers.
    pub fn forget_what_is_out_of_sight(&mut self) {
        let drawn = |open: &mut Open| std::mem::take(&mut open.drawn);
        if self.open.as_mut().is_some_and(|open| !drawn(open)) {
            self.end();
        }
        self.leaving.retain(|thread| !thread.is_finished());
    }

    /// Ends the dialog; what it still answers is not heard.
    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            open.stop.store(true, Relaxed);
            self.leaving.push(open.thread);
        }
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
        self.end();
        // The library may be unloaded with the window.
        for thread in self.leaving.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A program that asks for a file and writes its path.
struct Program {
    command: Command,
    /// Whether the user gave up, by its exit code and what it said of errors.
    gives_up: fn(i32, &str) -> bool,
}

/// Programs that ask for a file, the first that is there and has a screen is taken.
fn programs(ask: &Ask) -> Vec<Program> {
    if cfg!(target_os = "windows") {
        vec![program("powershell", powershell(ask), script_given_up)]
    } else if cfg!(target_os = "macos") {
        vec![program("osascript", osascript(ask), osascript_given_up)]
    } else {
        let kde = std::env::var("XDG_CURRENT_DESKTOP").is_ok_and(|desktop| desktop == "KDE");
        let mut both = vec![
            program("zenity", zenity(ask), given_up),
            program("kdialog", kdialog(ask), given_up),
        ];
        if kde {
            both.reverse();
        }
        both
    }
}

fn program(name: &str, words: Vec<String>, gives_up: fn(i32, &str) -> bool) -> Program {
    let mut command = Command::new(name);
    command.args(words);
    Program { command, gives_up }
}

/// Whether zenity or kdialog was cancelled: they end alike where they find no screen, and say so.
fn given_up(code: i32, said: &str) -> bool {
    let said = said.to_lowercase();
    let no_screen = ["open display", "connect to display", "init server"];
    code == 1 && !no_screen.iter().any(|words| said.contains(words))
}

/// Whether osascript was cancelled: its error -128.
fn osascript_given_up(code: i32, said: &str) -> bool {
    code == 1 && said.contains("(-128)")
}

/// Whether the PowerShell script says so.
fn script_given_up(code: i32, _: &str) -> bool {
    code == GIVEN_UP
}

fn zenity(ask: &Ask) -> Vec<String> {
    let mut words = vec![
        "--file-selection".to_owned(),
        format!("--title={}", ask.title),
    ];
    if ask.writes {
        // Versions before 4 ask nothing else before they return a file that is there.
        words.extend(["--save", "--confirm-overwrite"].map(str::to_owned));
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
        "$ErrorActionPreference = 'Stop'; Add-Type -AssemblyName System.Windows.Forms; \
         [Console]::OutputEncoding = [Text.Encoding]::UTF8; \
         $d = New-Object System.Windows.Forms.{what}; $d.Title = '{}'; $d.Filter = '{globs}|{globs}|*.*|*.*'; \
         if ($d.ShowDialog() -eq 'OK') {{ $d.FileName }} else {{ exit {GIVEN_UP} }}",
        ask.title
    );
    let words = ["-NoProfile", "-STA", "-Command", &script];
    words.map(str::to_owned).to_vec()
}

/// The system's own dialog.
fn dialog(ask: &Ask, stop: &AtomicBool) -> Answer {
    first_of(programs(ask), stop)
}

/// Runs the first program that is there.
fn first_of(programs: Vec<Program>, stop: &AtomicBool) -> Answer {
    let mut failed = None;
    for program in programs {
        let name = program.command.get_program().display().to_string();
        let why = match run(program, stop) {
            Ok(Ended::Path(path)) => return Ok(Some(path)),
            Ok(Ended::GivenUp) => return Ok(None),
            // The next, where it is not there or has no screen.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => error.to_string(),
            Ok(Ended::Failed(why)) => why,
        };
        failed.get_or_insert(format!("{name}: {why}"));
    }
    match failed {
        None => Err(NONE.to_owned()),
        Some(why) => Err(format!("{NONE} ({why})")),
    }
}

/// How a program that asks ended.
enum Ended {
    Path(PathBuf),
    GivenUp,
    Failed(String),
}

/// Runs a program that writes a path.
fn run(program: Program, stop: &AtomicBool) -> io::Result<Ended> {
    let Program {
        mut command,
        gives_up,
    } = program;
    // A host may bring libraries of its own, which other programs do not go with.
    for variable in ["LD_LIBRARY_PATH", "LD_PRELOAD"] {
        command.env_remove(variable);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        // CREATE_NO_WINDOW: the shell stays out of sight.
        command.creation_flags(0x0800_0000);
    }
    let [(mut out, written), (mut errors, complaints)] = [paper()?, paper()?];
    let mut child = command
        .stdin(Stdio::null())
        .stdout(written)
        .stderr(complaints)
        .spawn()?;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        if stop.load(Relaxed) {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait()?;
            return Ok(Ended::GivenUp);
        }
        std::thread::sleep(ROUND);
    };
    let (path, said) = (text(&mut out)?, text(&mut errors)?);
    let path = path.lines().next().unwrap_or_default();
    Ok(match ended.code() {
        Some(0) if !path.is_empty() => Ended::Path(PathBuf::from(path)),
        Some(code) if gives_up(code, &said) => Ended::GivenUp,
        _ => Ended::Failed(reason(ended, &said)),
    })
}

/// What a program writes on, and where that is read: a file without a name. The end of a pipe is not known while any
/// program that it started holds it, and a pipe that nobody reads fills.
fn paper() -> io::Result<(File, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Relaxed);
    let name = format!("zeitgeber-asks-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    // One that ended badly may have left it.
    let _ = std::fs::remove_file(&path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // What is chosen is the user's alone.
        options.mode(0o600);
    }
    let written = options.open(&path)?;
    let read = File::open(&path);
    std::fs::remove_file(&path)?;
    Ok((read?, written))
}

/// What has been written so far.
fn text(paper: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    paper.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Why a program failed: what it said last.
fn reason(ended: ExitStatus, said: &str) -> String {
    let lines = said.lines().map(str::trim);
    match lines.rev().find(|line| !line.is_empty()) {
        Some(line) => line.chars().take(LONGEST).collect(),
        None => format!("it ended with {ended}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use std::time::Instant;

    /// Longer than anything takes here, and shorter than what sleeps.
    const SOON: Duration = Duration::from_secs(20);

    const ASK: Ask = Ask {
        title: "Open",
        endings: &["dsp"],
        writes: false,
    };

    fn shell(script: &str) -> Program {
        let words = ["-c", script].map(str::to_owned).to_vec();
        program("sh", words, given_up)
    }

    fn missing() -> Program {
        program("/no/such/program", Vec::new(), given_up)
    }

    fn answer(programs: Vec<Program>) -> Answer {
        first_of(programs, &AtomicBool::new(false))
    }

    /// Polls a field until something has come of its dialog.
    fn polled(browse: &mut Browse, field: Field) -> Option<String> {
        let began = Instant::now();
        loop {
            let answer = browse.answer(field);
            if answer.is_some() || browse.is_free() {
                return answer;
            }
            assert!(began.elapsed() < SOON, "no answer comes");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn a_path_is_taken_and_giving_up_is_no_error() {
        let path = Some(PathBuf::from("/a b/c.dsp"));
        assert_eq!(answer(vec![shell("echo '/a b/c.dsp'")]), Ok(path.clone()));
        // One that is not there, and one that has no screen, are passed over.
        let screenless = shell("echo 'Gtk-WARNING **: cannot open display: ' >&2; exit 1");
        let last = shell("echo '/a b/c.dsp'");
        assert_eq!(answer(vec![missing(), screenless, last]), Ok(path));
        // Given up at once, and with something else said meanwhile: the next one does not ask again.
        for given_up in ["exit 1", "echo 'dconf-WARNING **: no bus' >&2; exit 1"] {
            let next = shell("echo /unasked");
            assert_eq!(answer(vec![shell(given_up), next]), Ok(None), "{given_up}");
        }
        assert_eq!(answer(vec![missing()]), Err(NONE.to_owned()));
    }

    /// However long it took.
    #[test]
    fn a_dialog_that_failed_is_not_given_up() {
        for (script, why) in [
            ("sleep 0.4; exit 255", "exit status: 255"),
            (
                "echo 'cannot open display: :7' >&2; sleep 0.4; exit 1",
                "display: :7",
            ),
            ("kill -9 $$", "signal: 9"),
            ("exit 0", "exit status: 0"),
        ] {
            let wrong = answer(vec![shell(script), missing()]).unwrap_err();
            assert!(wrong.starts_with(NONE) && wrong.contains(why), "{wrong}");
        }
        assert!(given_up(1, "") && !given_up(1, "Failed to open display"));
        assert!(osascript_given_up(1, "error: User canceled. (-128)"));
        assert!(!osascript_given_up(
            1,
            "error: No user interaction allowed. (-1713)"
        ));
        assert!(script_given_up(3, "") && !script_given_up(1, ""));
    }

    /// What a dialog starts may hold its output for as long as it likes.
    #[test]
    fn what_outlives_a_dialog_is_not_waited_for() {
        let began = Instant::now();
        let script = "sleep 60 & echo /a; echo /b";
        let (asks, tell) = (
            |stop: &AtomicBool| first_of(vec![shell(script)], stop),
            || (),
        );
        let mut browse = Browse::default();
        browse.wait(Field::Sofa, asks, tell);
        assert_eq!(polled(&mut browse, Field::Sofa).as_deref(), Some("/a"));
        browse.wait(Field::Sofa, asks, tell);
        drop(browse);
        assert!(began.elapsed() < SOON, "it was waited for");
    }

    #[test]
    fn a_dialog_ends_with_its_window() {
        let link = Link::default();
        let asker: Box<Asker> = Box::new(|_, stop| first_of(vec![shell("exec sleep 60")], stop));
        link.ask_by(asker);
        let mut browse = Browse::default();
        browse.ask(Field::Sofa, ASK, &link);
        assert!(!browse.is_free() && browse.answer(Field::Sofa).is_none());
        let began = Instant::now();
        drop(browse);
        assert!(began.elapsed() < SOON, "it was waited for");
    }

    /// As long as its field is drawn; then nothing comes of it, and another can be opened.
    #[test]
    fn a_dialog_ends_with_its_field() {
        let mut browse = Browse::default();
        let (said, ended) = channel();
        let asks = move |stop: &AtomicBool| {
            while !stop.load(Relaxed) {
                std::thread::sleep(Duration::from_millis(2));
            }
            let _ = said.send(());
            Ok(Some(PathBuf::from("/late")))
        };
        browse.wait(Field::Insert(0), asks, || ());
        for _ in 0..3 {
            assert_eq!(browse.answer(Field::Insert(0)), None);
            browse.forget_what_is_out_of_sight();
            assert!(!browse.is_free(), "it is drawn");
        }
        // Another card is open.
        assert_eq!(browse.answer(Field::Insert(1)), None);
        browse.forget_what_is_out_of_sight();
        assert!(browse.is_free());
        assert!(ended.recv_timeout(SOON).is_ok(), "it was not ended");
        assert_eq!(browse.answer(Field::Insert(0)), None);
        browse.wait(Field::Insert(1), |_| Ok(Some("/new".into())), || ());
        let new = polled(&mut browse, Field::Insert(1));
        assert_eq!(new.as_deref(), Some("/new"));
    }

    /// A window that sleeps draws once more when it is told, and then must find it.
    #[test]
    fn the_answer_is_there_before_the_window_is_told() {
        let mut browse = Browse::default();
        let (tells, told) = sync_channel(0);
        let (goes, on) = channel::<()>();
        let tell = move || {
            let _ = tells.send(());
            // The thread goes on only when the window has drawn.
            let _ = on.recv_timeout(SOON);
        };
        browse.wait(Field::Sofa, |_| Ok(Some("/a".into())), tell);
        told.recv_timeout(SOON).unwrap();
        assert_eq!(browse.answer(Field::Sofa).as_deref(), Some("/a"));
        goes.send(()).unwrap();
    }

    #[test]
    fn a_dialog_that_breaks_off_is_said() {
        let mut browse = Browse::default();
        let (tells, told) = sync_channel(1);
        let tell = move || {
            let _ = tells.send(());
        };
        browse.wait(
            Field::Sofa,
            |_| std::panic::resume_unwind(Box::new(())),
            tell,
        );
        told.recv_timeout(SOON).unwrap();
        assert_eq!(browse.answer(Field::Sofa), None);
        assert_eq!(browse.wrong(Field::Sofa), Some("the dialog broke off"));
        assert!(browse.is_free());
    }

    #[test]
    fn what_is_asked_is_told_to_each_program() {
        let ask = Ask {
            title: "Export a preset",
            endings: &["json", "sbg"],
            writes: true,
        };
        let has = |words: &[String], word: &str| words.iter().any(|known| known == word);
        assert!(has(&zenity(&ask), "--save"));
        assert!(has(&zenity(&ask), "--confirm-overwrite"));
        assert!(!has(&zenity(&ASK), "--confirm-overwrite"));
        assert!(has(&zenity(&ask), "--file-filter=*.json *.sbg"));
        assert!(kdialog(&ask).contains(&"--getsavefilename".to_owned()));
        assert!(osascript(&ask)[1].contains("choose file name"));
        assert!(powershell(&ask)[3].contains("SaveFileDialog"));
        assert!(powershell(&ask)[3].contains("else { exit 3 }"));
    }
}
