//! Several files at a time: on all processors, in the order that was given where anything is told.

use crate::args::Problem;
use crate::material::{Job, Report, Stage};
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// How a job ended; none where the user stopped before it began.
type Ended = Option<Result<Report, Problem>>;

/// Folders that were made. When this goes, those that stayed empty go too.
pub struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // One that holds something stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes the folders that are not there.
pub fn folders(wanted: Vec<PathBuf>) -> Result<Made, Problem> {
    let mut made = Made(Vec::new());
    for folder in wanted.into_iter().filter(|folder| !folder.is_dir()) {
        fs::create_dir(&folder).map_err(|error| {
            Problem::new(format!(
                "{}: the folder cannot be made: {error}",
                folder.display()
            ))
        })?;
        made.0.push(folder);
    }
    Ok(made)
}

/// Does all jobs, at most `workers` at a time. One that fails does not stop the others.
pub fn all(
    jobs: &[Job],
    workers: usize,
    stage: &Stage,
    each: impl Fn(&Job) -> Result<Report, Problem> + Sync,
) -> Vec<Ended> {
    let next = AtomicUsize::new(0);
    let total = stage.total(jobs.len());
    let ended: Mutex<Vec<Ended>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || {
        loop {
            let place = next.fetch_add(1, Relaxed);
            let Some(job) = jobs.get(place).filter(|_| !stage.is_stopped()) else {
                return;
            };
            let done = each(job);
            total.inc(1);
            ended.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(done);
        }
    };
    thread::scope(|scope| {
        let helpers: Vec<_> = (1..workers.min(jobs.len()))
            .map(|_| scope.spawn(work))
            .collect();
        work();
        for helper in helpers {
            // A panic has been printed; its job counts as one that was not done.
            let _ = helper.join();
        }
    });
    total.finish_and_clear();
    ended.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Tells how the jobs ended, and whether all is well.
pub fn tell(jobs: &[Job], ended: Vec<Ended>, stage: &Stage, is_quiet: bool) -> Result<(), Problem> {
    let (mut written, mut wrong) = (0, 0);
    for (job, ended) in jobs.iter().zip(ended) {
        match ended {
            Some(Ok(mut report)) => {
                written += 1;
                if let Some(input) = job.input.as_deref().filter(|_| jobs.len() > 1) {
                    report.name(&input.display().to_string());
                }
                report.tell(is_quiet)?;
            }
            // What was interrupted is told once, below.
            Some(Err(_)) | None if stage.is_stopped() => {}
            Some(Err(problem)) => {
                wrong += 1;
                let line: Vec<_> = problem
                    .to_string()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect();
                let (line, input) = (line.join(" "), job.input.as_deref());
                match input.map(|input| input.display().to_string()) {
                    Some(input) if !line.contains(&input) => {
                        eprintln!("zeitgeber: {input}: {line}");
                    }
                    _ => eprintln!("zeitgeber: {line}"),
                }
            }
            None => wrong += 1,
        }
    }
    let all = jobs.len();
    if stage.is_stopped() {
        return Err(Problem::new(format!(
            "interrupted: {written} of {all} files are written, nothing is left of the others"
        )));
    }
    if wrong > 0 {
        return Err(Problem::new(format!(
            "{wrong} of {all} files failed; the other {written} are written"
        )));
    }
    if is_quiet {
        return Ok(());
    }
    crate::print(&format!("{written} files are written\n"))
}
