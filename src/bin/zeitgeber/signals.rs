//! Being told to stop (Ctrl-C, a closed terminal) without leaving anything behind.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag that the signals which ask a program to end will raise instead of ending it.
pub fn stop_flag() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in signal_hook::consts::TERM_SIGNALS {
        signal_hook::flag::register(*signal, stop.clone())?;
    }
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGHUP, stop.clone())?;
    Ok(stop)
}

/// A file that may not grow is an error of whoever writes it, which says so and takes the file away, and no end of the
/// program on the spot.
pub fn outlive_file_limits() {
    // Where it cannot be asked for, all is as the system has it.
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::signal::SIGXFSZ, Arc::default());
}
