//! Real hosts: the CLAP through `clack-host`, the VST3 through `pedalboard`, DawDreamer and Ardour, and the
//! validators that are installed. What is missing is skipped, and says so.

mod ardour;
mod clap;
mod control;
mod faults;
#[path = "../common/held.rs"]
mod held;
#[cfg(target_os = "linux")]
mod jack;
mod library;
mod process;
mod raw;
mod recording;
mod rig;
mod storm;
mod validators;
mod vst3;
mod watch;
