//! Storms: many instances made, automated and destroyed at once; nothing is left behind.

use crate::clap::noise;
use crate::rig::{Change, Rig, load};
use std::time::{Duration, Instant};
use zeitgeber::engine::controls::{BEAT, CARRIER, L1_KIND};

const ROUNDS: usize = 150;

/// Rounds of a whole life, one after the other.
fn storm() {
    let entry = load();
    let input = noise(512);
    let mut saved = Vec::new();
    for round in 0..ROUNDS {
        let mut rig = Rig::new(&entry);
        if !saved.is_empty() {
            assert!(rig.load(&saved));
        }
        let rate = [44_100.0, 48_000.0, 96_000.0][round % 3];
        if let Some(mut running) = rig.start(rate) {
            let changes: Vec<Change> = (0..512)
                .step_by(1 + round % 9)
                .flat_map(|at| {
                    [
                        (at, BEAT, (at % 97) as f64),
                        (at, CARRIER, 100.0 + at as f64),
                        (at, L1_KIND, (at % 2) as f64),
                    ]
                })
                .collect();
            let output = running.render(&input, &[64, 1, 200], &changes, |_| None);
            assert!(output.iter().flatten().all(|sample| sample.is_finite()));
        }
        if round % 5 == 0 {
            // Started and stopped again, at another rate.
            drop(rig.start(88_200.0));
        }
        saved = rig.save();
    }
}

/// Names of the threads of this process.
#[cfg(target_os = "linux")]
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists threads");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

#[test]
fn two_threads_of_short_lives() {
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(storm);
        }
    });
}

/// Run by itself in a process of its own (below), where no other test has instances.
#[test]
#[ignore = "run by nothing_is_left_behind"]
fn counted_storm() {
    #[cfg(target_os = "linux")]
    {
        let descriptors = || {
            std::fs::read_dir("/proc/self/fd")
                .map(Iterator::count)
                .unwrap_or(0)
        };
        // The first time loads the library and whatever it keeps.
        drop(Rig::new(&load()));
        let before = (threads().len(), descriptors());
        two_threads_of_short_lives();
        let deadline = Instant::now() + Duration::from_secs(5);
        while (threads().len(), descriptors()) != before {
            assert!(
                Instant::now() < deadline,
                "left behind: {:?}, {} files",
                threads(),
                descriptors()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn nothing_is_left_behind() {
    let test = std::env::current_exe().expect("a test knows its own path");
    let mut command = std::process::Command::new(test);
    command.args([
        "--exact",
        "storm::counted_storm",
        "--ignored",
        "--nocapture",
    ]);
    let output = crate::library::run(&mut command, Duration::from_secs(300));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
