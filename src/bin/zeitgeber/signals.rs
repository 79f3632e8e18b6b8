//! Being told to stop (Ctrl-C, a closed terminal) without leaving anything behind.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};

/// The last of the signals that asked to stop; 0 where none did.
static ASKED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// A flag that the signals which ask a program to end will raise instead of ending it.
pub fn stop_flag() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in signal_hook::consts::TERM_SIGNALS {
        listen(*signal, &stop)?;
    }
    #[cfg(unix)]
    listen(signal_hook::consts::SIGHUP, &stop)?;
    Ok(stop)
}

fn listen(signal: i32, stop: &Arc<AtomicBool>) -> io::Result<()> {
    let asked = ASKED.get_or_init(Arc::default).clone();
    // Known before the flag is seen.
    signal_hook::flag::register_usize(signal, asked, usize::try_from(signal).unwrap_or(0))?;
    signal_hook::flag::register(signal, stop.clone())?;
    Ok(())
}

/// How a command ends that did not come to its end, where a signal asked it to stop: by that signal, so that a shell
/// gives up its loop too; where there is no such ending, with the exit code that shells show for it.
pub fn end() -> Option<ExitCode> {
    let signal = ASKED.get().map_or(0, |asked| asked.load(SeqCst));
    let code = u8::try_from(signal).ok().filter(|signal| *signal > 0)?;
    #[cfg(unix)]
    {
        // Where the system refuses, there is still the code.
        let _ = signal_hook::low_level::emulate_default_handler(i32::from(code));
    }
    Some(ExitCode::from(code.saturating_add(128)))
}

/// A file that may not grow is an error of whoever writes it, which says so and takes the file away, and no end of the
/// program on the spot.
pub fn outlive_file_limits() {
    // Where it cannot be asked for, all is as the system has it.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::signal::SIGXFSZ, Arc::default());
}
