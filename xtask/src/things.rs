//! What a machine needs, how to ask whether it is there, and what provides it where.

use crate::shell;
use std::path::Path;

/// What a thing is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing builds without it.
    Build,
    /// The editor's window does not open without it.
    Editor,
    /// The demo has no speech without it.
    Demo,
    /// The tests in Python hosts are skipped without it.
    Hosts,
}

/// One thing that must be on the machine.
#[derive(Debug)]
pub struct Thing {
    /// What it is, for messages.
    pub name: &'static str,
    /// What it is for.
    pub need: Need,
    /// Asks for the thing itself, not for a package: what was found, or what was seen instead.
    pub probe: fn() -> Result<String, String>,
    /// Debian, Ubuntu and their kin.
    pub apt: &'static str,
    /// Fedora and its kin.
    pub dnf: &'static str,
    /// Arch and its kin.
    pub pacman: &'static str,
    /// Homebrew.
    pub brew: &'static str,
    /// Windows, and by hand anywhere; a sentence.
    pub by_hand: &'static str,
}

/// The lowest version of Faust whose C++ our architecture file was written against.
pub const FAUST: (u32, u32) = (2, 54);

/// The interpreter that makes the environment of the Python hosts.
pub const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Everything that this operating system needs.
pub fn things() -> Vec<Thing> {
    let mut things = vec![
        Thing {
            name: "Faust",
            need: Need::Build,
            probe: faust,
            apt: "faust",
            dnf: "faust",
            pacman: "faust",
            brew: "faust",
            by_hand: "Faust 2.54 or newer from https://github.com/grame-cncm/faust/releases, with its bin folder on the PATH",
        },
        Thing {
            name: "CMake",
            need: Need::Build,
            probe: || version("cmake", "--version"),
            apt: "cmake",
            dnf: "cmake",
            pacman: "cmake",
            brew: "cmake",
            by_hand: "CMake from https://cmake.org/download, on the PATH; it builds the decoder of Opus",
        },
        Thing {
            name: "espeak-ng",
            need: Need::Demo,
            probe: || version("espeak-ng", "--version"),
            apt: "espeak-ng",
            dnf: "espeak-ng",
            pacman: "espeak-ng",
            brew: "espeak-ng",
            by_hand: "eSpeak NG from https://github.com/espeak-ng/espeak-ng/releases, on the PATH",
        },
        Thing {
            name: "Python with venv",
            need: Need::Hosts,
            probe: python,
            apt: "python3 python3-venv",
            dnf: "python3",
            pacman: "python",
            brew: "python",
            by_hand: "Python 3.11 or newer from https://www.python.org/downloads, on the PATH",
        },
    ];
    if cfg!(unix) {
        // On Windows the compiler that linked this very program also compiles C++.
        things.push(Thing {
            name: "C++ compiler",
            need: Need::Build,
            probe: cpp,
            apt: "g++",
            dnf: "gcc-c++",
            pacman: "gcc",
            brew: "",
            by_hand: "a C++ compiler called c++ (on macOS: xcode-select --install)",
        });
    }
    if cfg!(target_os = "linux") {
        things.extend(linux());
    }
    things
}

fn linux() -> [Thing; 6] {
    [
        Thing {
            name: "Xvfb",
            need: Need::Hosts,
            probe: || match shell::exists("Xvfb") {
                true => Ok("there".to_owned()),
                false => Err("Xvfb is not on the PATH".to_owned()),
            },
            apt: "xvfb libgl1-mesa-dri",
            dnf: "xorg-x11-server-Xvfb mesa-dri-drivers",
            pacman: "xorg-server-xvfb mesa",
            brew: "",
            by_hand: "Xvfb and a software GL, for the test of the window",
        },
        Thing {
            name: "pkg-config",
            need: Need::Build,
            probe: || version("pkg-config", "--version"),
            apt: "pkg-config",
            dnf: "pkgconf-pkg-config",
            pacman: "pkgconf",
            brew: "",
            by_hand: "pkg-config",
        },
        Thing {
            name: "ALSA headers",
            need: Need::Build,
            probe: || headers("alsa"),
            apt: "libasound2-dev",
            dnf: "alsa-lib-devel",
            pacman: "alsa-lib",
            brew: "",
            by_hand: "the development files of ALSA (alsa.pc)",
        },
        Thing {
            name: "JACK headers",
            need: Need::Build,
            probe: || headers("jack"),
            apt: "libjack-jackd2-dev",
            dnf: "jack-audio-connection-kit-devel",
            pacman: "jack2",
            brew: "",
            by_hand: "the development files of JACK (jack.pc)",
        },
        // baseview opens these when a window opens; nothing is compiled or linked against them.
        Thing {
            name: "X11 and GL libraries",
            need: Need::Editor,
            probe: || {
                libraries(&[
                    "libX11.so.6",
                    "libX11-xcb.so.1",
                    "libxcb.so.1",
                    "libxkbcommon-x11.so.0",
                    "libGL.so.1",
                    "libEGL.so.1",
                ])
            },
            apt: "libx11-6 libx11-xcb1 libxcb1 libxkbcommon-x11-0 libgl1 libegl1",
            dnf: "libX11 libX11-xcb libxcb libxkbcommon-x11 libglvnd-glx libglvnd-egl",
            pacman: "libx11 libxcb libxkbcommon-x11 libglvnd",
            brew: "",
            by_hand: "the X11, XCB, xkbcommon-x11, GL and EGL libraries",
        },
        Thing {
            name: "libraries of the Python hosts",
            need: Need::Hosts,
            probe: || libraries(&["libGL.so.1", "libglib-2.0.so.0", "libatomic.so.1"]),
            apt: "libgl1 libglib2.0-0 libatomic1",
            dnf: "libglvnd-glx glib2 libatomic",
            pacman: "libglvnd glib2 gcc-libs",
            brew: "",
            by_hand: "the GL, GLib and libatomic libraries",
        },
    ]
}

/// The version, and that the libraries are where it looks for them: a program that imports them compiles.
fn faust() -> Result<String, String> {
    let text = version("faust", "--version")?;
    recent_enough(&text)?;
    let program = "import(\"stdfaust.lib\"); process = fi.lowpass(1, 1000);";
    let compiled = with_file("dsp", program, |file| {
        shell::quietly("faust", &["-lang", "cpp", file])
    })?;
    match compiled {
        Some(_) => Ok(text),
        None => Err(
            "it is there but cannot compile with stdfaust.lib: its libraries are missing"
                .to_owned(),
        ),
    }
}

fn recent_enough(faust: &str) -> Result<(), String> {
    let mut numbers = faust
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
        return Err(format!("its version cannot be read from \"{faust}\""));
    };
    if (major, minor) < FAUST {
        return Err(format!(
            "{major}.{minor} is too old, {}.{} is needed",
            FAUST.0, FAUST.1
        ));
    }
    Ok(())
}

/// The compiler that the cc crate will take, and that it has its standard library.
fn cpp() -> Result<String, String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let words: Vec<&str> = compiler.split_whitespace().collect();
    let (&program, arguments) = words.split_first().ok_or("CXX is set but empty")?;
    let with = |last: &[&str]| shell::quietly(program, &[arguments, last].concat());
    let text = with(&["--version"])
        .ok_or_else(|| format!("{compiler} is not on the PATH or does not run"))?;
    match with_file("cpp", "#include <cmath>\n", |file| {
        with(&["-fsyntax-only", file])
    })? {
        Some(_) => Ok(text.lines().next().unwrap_or_default().to_owned()),
        None => Err(format!(
            "{compiler} is there without the C++ standard library"
        )),
    }
}

fn python() -> Result<String, String> {
    let text = version(PYTHON, "--version")?;
    if shell::quietly(
        PYTHON,
        &["-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
    )
    .is_none()
    {
        return Err(format!("{text} is too old, 3.11 is needed"));
    }
    match shell::quietly(PYTHON, &["-c", "import venv, ensurepip"]) {
        Some(_) => Ok(text),
        None => Err(format!("{text} is there without venv and ensurepip")),
    }
}

/// Runs `compile` on a temporary file with this text; its name goes in.
fn with_file<T>(extension: &str, text: &str, compile: impl Fn(&str) -> T) -> Result<T, String> {
    let file = std::env::temp_dir().join(format!(
        "zeitgeber-setup-{}.{extension}",
        std::process::id()
    ));
    std::fs::write(&file, text)
        .map_err(|error| format!("could not write {}: {error}", file.display()))?;
    let result = compile(&file.to_string_lossy());
    // A file left in the temporary folder is no reason to stop.
    let _ = std::fs::remove_file(&file);
    Ok(result)
}

/// The first line that a program prints about itself.
fn version(program: &str, argument: &str) -> Result<String, String> {
    match shell::quietly(program, &[argument]) {
        Some(text) => Ok(text.lines().next().unwrap_or_default().trim().to_owned()),
        None => Err(format!("{program} is not on the PATH or does not run")),
    }
}

fn headers(name: &str) -> Result<String, String> {
    shell::quietly("pkg-config", &["--modversion", name])
        .ok_or_else(|| format!("pkg-config does not know {name}"))
}

fn libraries(names: &[&str]) -> Result<String, String> {
    // A user's PATH often leaves the sbin folders out.
    let Some(cache) = ["ldconfig", "/sbin/ldconfig", "/usr/sbin/ldconfig"]
        .iter()
        .filter(|program| !program.starts_with('/') || Path::new(program).exists())
        .find_map(|program| shell::quietly(program, &["-p"]))
        .filter(|cache| !cache.is_empty())
    else {
        return Ok("not checked: there is no ldconfig here".to_owned());
    };
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !cache.contains(&format!("{name} ")))
        .collect();
    if missing.is_empty() {
        Ok("all there".to_owned())
    } else {
        Err(missing.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::recent_enough;

    #[test]
    fn versions_of_faust_are_read_and_compared() {
        assert!(recent_enough("FAUST Version 2.54.9").is_ok());
        assert!(recent_enough("FAUST Version 2.79.3").is_ok());
        assert!(recent_enough("FAUST Version 3.0").is_ok());
        assert!(
            recent_enough("FAUST Version 2.37.3")
                .unwrap_err()
                .contains("2.54 is needed")
        );
        assert!(recent_enough("no number").is_err());
    }
}
