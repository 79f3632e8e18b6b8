//! From a source to a library, by the installed compilers, as `build.rs` makes the built-in nodes.

use super::child::{self, End, Limits};
use super::{LiveError, Source};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What sources are compiled against, by name: the same files that the built-in nodes are made with.
pub(super) const SUPPORT: [(&str, &str); 4] = [
    ("node.h", include_str!("../../cpp/node.h")),
    ("node.cpp", include_str!("../../faust/node.cpp")),
    (ZEITGEBER_LIB, include_str!("../../faust/zeitgeber.lib")),
    ("ambisonics.lib", include_str!("../../faust/ambisonics.lib")),
];

/// What nodes in Faust share.
pub(super) const ZEITGEBER_LIB: &str = "zeitgeber.lib";

/// As in `build.rs`: the same bits on every machine of a kind, no exceptions. Unique symbols would keep a
/// library mapped after it was closed.
const FLAGS: &str = "-std=c++17 -O2 -fPIC -shared -ffp-contract=off -fno-exceptions -fno-rtti \
                     -fvisibility=hidden -Wall -Wno-unused -static-libgcc";

/// A compiler that takes longer is not going to end.
pub(super) const LIMITS: Limits = Limits {
    processor: 60,
    wall: Duration::from_secs(120),
    memory: 4 << 30,
};

pub(super) const FAUST: &str = "Faust (Debian/Ubuntu: apt-get install faust; macOS: brew install faust; \
                     Windows: the installer on faust.grame.fr)";
const CPP: &str =
    "a C++ compiler (Debian/Ubuntu: apt-get install g++; macOS: xcode-select --install)";

/// Compiles `source` in the folder `job`, which is the caller's to remove; gives the library.
pub(super) fn compile(source: &Source, job: &Path) -> Result<PathBuf, LiveError> {
    for (name, text) in SUPPORT {
        let path = job.join(name);
        fs::write(&path, text).map_err(|error| LiveError::folder(&path, error))?;
    }
    let name = &source.name;
    let code = if source.is_faust() {
        generate(source, job)?
    } else {
        source.file.clone()
    };
    // The node's own symbol is hidden; this is the one that is exported.
    let entry = job.join("entry.cpp");
    let text = format!(
        "#include \"node.h\"\n\
         extern \"C\" const zg_node_descriptor* zg_node_{name}(void);\n\
         extern \"C\" __attribute__((visibility(\"default\"))) const zg_node_descriptor* zg_node(void)\n\
         {{ return zg_node_{name}(); }}\n"
    );
    fs::write(&entry, text).map_err(|error| LiveError::folder(&entry, error))?;
    let library = job.join(library_name(name));
    let mut args: Vec<OsString> = FLAGS.split_whitespace().map(OsString::from).collect();
    if cfg!(target_os = "linux") {
        let more = "-fno-gnu-unique -static-libstdc++ -Wl,-z,defs -Wl,--exclude-libs,ALL";
        args.extend(more.split_whitespace().map(OsString::from));
    }
    args.extend(["-I".into(), job.into(), "-o".into(), library.clone().into()]);
    args.extend([code.into(), entry.into()]);
    let (compiler, words) = compiler();
    args.splice(..0, words);
    run(source, job, &compiler, &args, CPP, |log| {
        cpp_error(source, log)
    })?;
    Ok(library)
}

/// The C++ compiler, and the words that come before all others: `CXX` may say "ccache g++".
fn compiler() -> (OsString, Vec<OsString>) {
    let said = std::env::var_os("CXX").unwrap_or_default();
    split(&said).unwrap_or_else(|| ("c++".into(), Vec::new()))
}

fn split(said: &OsStr) -> Option<(OsString, Vec<OsString>)> {
    let whole = || (!said.is_empty()).then(|| (said.to_owned(), Vec::new()));
    let Some(text) = said.to_str().filter(|_| !Path::new(said).is_file()) else {
        return whole();
    };
    let mut words = text.split_whitespace().map(OsString::from);
    Some((words.next()?, words.collect()))
}

/// What a library of this name is called here.
pub(super) fn library_name(name: &str) -> String {
    format!("{name}.{}", std::env::consts::DLL_EXTENSION)
}

/// Faust to C++.
fn generate(source: &Source, job: &Path) -> Result<PathBuf, LiveError> {
    let generated = job.join("faust.cpp");
    let structure = format!("faust_{}", source.name);
    let mut args: Vec<OsString> = ["-lang", "cpp", "-double", "-inpl", "-t", "0", "-cn"]
        .map(OsString::from)
        .to_vec();
    args.extend([structure.clone().into(), "-I".into(), job.into()]);
    args.extend(["-a".into(), job.join("node.cpp").into()]);
    args.extend([
        "-o".into(),
        generated.clone().into(),
        source.file.clone().into(),
    ]);
    let faust = OsString::from("faust");
    run(source, job, &faust, &args, FAUST, |log| {
        faust_error(source, log)
    })?;
    let text =
        fs::read_to_string(&generated).map_err(|error| LiveError::folder(&generated, error))?;
    let text = text
        .replace("<<moduleName>>", &source.name)
        .replace("<<structName>>", &structure);
    fs::write(&generated, text).map_err(|error| LiveError::folder(&generated, error))?;
    Ok(generated)
}

/// Runs a compiler beside the user's file, and makes an error of what it says when it fails.
fn run(
    source: &Source,
    job: &Path,
    program: &OsString,
    args: &[OsString],
    tool: &'static str,
    explain: impl Fn(&str) -> LiveError,
) -> Result<(), LiveError> {
    let file = || source.shown.clone();
    let folder = source.file.parent().unwrap_or(Path::new("."));
    let (end, log) = child::run(
        program,
        args,
        folder,
        &job.join("log"),
        LIMITS,
        &source.stop,
    )
    .map_err(|error| LiveError::folder(job, error))?;
    let gave = |what: String| LiveError::Gave { file: file(), what };
    match end {
        End::Code(0) => Ok(()),
        End::Code(_) => Err(explain(&log)),
        End::Missing => Err(LiveError::Missing { file: file(), tool }),
        End::Stopped => Err(LiveError::Stopped { file: file() }),
        End::Signal(signal) => Err(gave(format!("crashed on it (signal {signal})"))),
        End::Late => Err(gave(format!("did not end within {} s", LIMITS.processor))),
    }
}

/// "name.dsp : 4 : ERROR : undefined symbol : fo", or a few lines that begin with "ERROR".
pub(super) fn faust_error(source: &Source, log: &str) -> LiveError {
    let place = log.lines().find_map(|line| {
        let (place, message) = line.split_once(": ERROR :")?;
        let (file, number) = place.trim().rsplit_once(':')?;
        // "???? : -1" where it knows of no place.
        let file = Some(file.trim()).filter(|file| *file != "????");
        Some((
            file.unwrap_or(""),
            number.trim().parse().ok(),
            message.trim(),
        ))
    });
    let whole = || {
        log.trim()
            .trim_start_matches("ERROR :")
            .trim_start_matches("ERROR")
            .trim()
    };
    let (file, line, message) = place.unwrap_or(("", None, whole()));
    error(source, file, line, message, log)
}

/// "name.cpp:12:5: error: what", or the linker's words.
fn cpp_error(source: &Source, log: &str) -> LiveError {
    let entry = format!("zg_node_{}", source.name);
    if log.contains("undefined") && log.contains(&entry) {
        let message = format!(
            "it does not define extern \"C\" const zg_node_descriptor* {entry}(void), as cpp/node.h asks"
        );
        return error(source, "", None, &message, log);
    }
    let place = log.lines().find_map(|line| {
        let (place, message) = line
            .split_once(": error: ")
            .or_else(|| line.split_once(": fatal error: "))?;
        let mut parts = place.rsplitn(3, ':');
        let (_column, number, file) = (parts.next()?, parts.next()?, parts.next()?);
        Some((file, number.parse().ok(), message))
    });
    let (file, line, message) = place.unwrap_or(("", None, log.trim()));
    error(source, file, line, message, log)
}

/// The error as people see it: their own file under the name that they gave.
fn error(source: &Source, file: &str, line: Option<u32>, message: &str, log: &str) -> LiveError {
    let own = source.file.file_name();
    let named = Path::new(file);
    let is_own = file.is_empty() || named.file_name().is_some_and(|name| Some(name) == own);
    LiveError::Compile {
        file: if is_own {
            source.shown.clone()
        } else {
            named.to_owned()
        },
        line,
        message: if message.is_empty() {
            "the compiler failed and said nothing".to_owned()
        } else {
            message.to_owned()
        },
        log: log.to_owned(),
    }
}

/// A node's name from that of its file: lower-case letters, digits and `_`, from a letter on.
pub(super) fn node_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or(OsStr::new("")).to_string_lossy();
    let mut name: String = stem
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.insert_str(0, "node_");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source {
            file: "/somewhere/My Node.dsp".into(),
            shown: "My Node.dsp".into(),
            name: node_name(Path::new("My Node.dsp")),
            stop: Default::default(),
        }
    }

    fn shown(error: LiveError) -> String {
        error.to_string()
    }

    #[test]
    fn the_compiler_may_be_several_words() {
        let words = |said: &str| split(OsStr::new(said));
        assert_eq!(words("  "), None);
        assert_eq!(words("clang++"), Some(("clang++".into(), Vec::new())));
        assert_eq!(
            words("ccache g++ -m64"),
            Some(("ccache".into(), vec!["g++".into(), "-m64".into()]))
        );
        let folder = tempfile::tempdir().unwrap();
        let spaced = folder.path().join("a compiler");
        fs::write(&spaced, "").unwrap();
        let said = spaced.clone().into_os_string();
        assert_eq!(split(&said), Some((said.clone(), Vec::new())));
    }

    #[test]
    fn names_follow_files() {
        for (file, name) in [
            ("warm.dsp", "warm"),
            ("My Node.dsp", "my_node"),
            ("2nd-try.cpp", "node_2nd_try"),
            ("a.b.cpp", "a_b"),
        ] {
            assert_eq!(node_name(Path::new(file)), name);
        }
    }

    #[test]
    fn fausts_words_become_file_line_and_message() {
        let error = faust_error(
            &source(),
            "My Node.dsp : 4 : ERROR : undefined symbol : fo\n",
        );
        assert_eq!(shown(error), "My Node.dsp:4: undefined symbol : fo");
        let said = "ERROR in sequential composition A:B\nThe number of outputs [1]...\n";
        let error = shown(faust_error(&source(), said));
        assert!(
            error.starts_with("My Node.dsp: in sequential composition A:B"),
            "{error}"
        );
        let error = shown(faust_error(
            &source(),
            "other.lib : 9 : ERROR : syntax error\n",
        ));
        assert_eq!(error, "other.lib:9: syntax error");
        let error = shown(faust_error(
            &source(),
            "???? : -1 : ERROR : undefined symbol : process\n",
        ));
        assert_eq!(error, "My Node.dsp: undefined symbol : process");
    }

    #[test]
    fn the_cpp_compilers_words_too() {
        let said = "In function x:\n/somewhere/My Node.dsp:12:5: error: expected ';'\n  12 | x\n";
        assert_eq!(
            shown(cpp_error(&source(), said)),
            "My Node.dsp:12: expected ';'"
        );
        let said = "x.cpp:(.text+0x5): undefined reference to `zg_node_my_node'\n";
        assert!(shown(cpp_error(&source(), said)).contains("does not define extern \"C\""));
        assert!(shown(cpp_error(&source(), "")).contains("said nothing"));
    }
}
