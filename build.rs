//! Turns every faust/*.dsp and cpp/*.cpp into a node that is linked in; nothing else.
//!
//! Each file NAME.dsp or NAME.cpp exports `zg_node_NAME`; the list of them becomes `nodes.rs` in OUT_DIR,
//! which `src/node/registry.rs` includes. Everything is written to OUT_DIR, nothing beside the sources.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The oldest Faust whose C++ output has been tried.
const FAUST_VERSION: (u32, u32) = (2, 54);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=faust");
    println!("cargo:rerun-if-changed=cpp");
    println!("cargo:rerun-if-env-changed=PATH");
    // For the guard of instruction counts, which makes sense in an optimised build only.
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo:rustc-env=ZEITGEBER_OPT_LEVEL={level}");
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // A host that unloads the library while a thread of the framework still returns from it would
        // crash: the image stays mapped.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut names = Vec::new();
    let mut sources = Vec::new();
    let dsp_files = files("faust", "dsp");
    if !dsp_files.is_empty() {
        check_faust();
    }
    let by_frames = makes_frames();
    for dsp in dsp_files {
        let name = stem(&dsp);
        let generated = out.join(format!("{name}.faust.cpp"));
        // faust-build drives the compiler; later arguments win over its own "-lang rust". It finds its
        // libraries beside the .dsp.
        let mut faust = faust_build::FaustBuilder::new(path(&dsp), path(&generated))
            .set_arch_file("faust/node.cpp")
            .set_module_name(&name)
            .set_struct_name(&format!("faust_{name}"))
            .faust_arg("-lang")
            .faust_arg("cpp")
            .faust_arg("-double")
            .faust_arg("-inpl");
        if by_frames {
            // Frame by frame, and what depends on parameters alone apart: blocks of one frame are dear otherwise.
            faust = faust.faust_arg("-os");
        }
        faust.build();
        sources.push(generated);
        names.push(name);
    }
    for cpp in files("cpp", "cpp") {
        names.push(stem(&cpp));
        sources.push(cpp);
    }
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++17")
        .include("cpp")
        .files(&sources)
        .cpp_link_stdlib_static(true)
        // No fused multiply-adds: the same bits on every machine of a kind.
        .flag_if_supported("-ffp-contract=off")
        .flag_if_supported("-fno-exceptions")
        .flag_if_supported("-fno-rtti")
        .flag_if_supported("-fvisibility=hidden")
        .warnings(false)
        .flag_if_supported("-Wall")
        .flag_if_supported("-Wno-unused")
        // Nodes are as fast in tests as in a release.
        .opt_level(2)
        .compile("zeitgeber_nodes");
    fs::write(out.join("nodes.rs"), table(&names)).expect("OUT_DIR can be written");
}

/// Whether this Faust generates frame by frame in the form that the architecture file knows: later versions mean
/// something else by the same option.
fn makes_frames() -> bool {
    Command::new("faust")
        .arg("--help")
        .output()
        .is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--one-sample0"))
}

/// The declarations and the list that the registry includes.
fn table(names: &[String]) -> String {
    let mut text = String::from("unsafe extern \"C\" {\n");
    for name in names {
        text += &format!("    safe fn zg_node_{name}() -> *const RawDescriptor;\n");
    }
    text += "}\n\nconst FOREIGN: &[(&str, extern \"C\" fn() -> *const RawDescriptor)] = &[\n";
    for name in names {
        text += &format!("    (\"{name}\", zg_node_{name}),\n");
    }
    text += "];\n";
    text
}

/// The files of a folder with an ending, sorted, so that builds repeat.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read the folder {folder}: {error}"))
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    found.sort();
    for path in &found {
        let name = stem(path);
        let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(
            valid,
            "{}: a node's file name is its name: lower-case letters, digits and _, from a letter on",
            path.display()
        );
    }
    found
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("paths are UTF-8")
}

/// Says what to install when Faust is missing or too old.
fn check_faust() {
    let hint = "install it (Debian/Ubuntu: apt-get install faust; macOS: brew install faust; Windows: \
                the installer on faust.grame.fr) or run `cargo xtask setup`";
    let output = Command::new("faust")
        .arg("--version")
        .output()
        .unwrap_or_else(|error| panic!("the Faust compiler is missing ({error}): {hint}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text
        .split_whitespace()
        .find_map(|word| {
            let mut parts = word.split('.').map(str::parse::<u32>);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        })
        .unwrap_or_else(|| panic!("`faust --version` says nothing of a version: {hint}"));
    assert!(
        version >= FAUST_VERSION,
        "Faust {}.{} is too old, {}.{} or later is needed: {hint}",
        version.0,
        version.1,
        FAUST_VERSION.0,
        FAUST_VERSION.1
    );
}
