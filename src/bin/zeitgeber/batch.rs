//! Several files at a time: on all processors, in the order that was given where anything is told.

use crate::args::Problem;
use crate::material::{Job, Material, Report, Stage};
use crate::{print, tell as say};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use zeitgeber::file;
use zeitgeber::offline::{WavError, WavProblem};

/// How a job ended; none where the user stopped before it began.
type Ended = Option<Result<Report, Problem>>;

/// Folders that were made. When this goes, those that stayed empty go too.
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // One that holds something stays.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes the folders that are not there.
fn folders(wanted: Vec<PathBuf>) -> Result<Made, Problem> {
    let mut made = Made(Vec::new());
    for folder in wanted.into_iter().filter(|folder| !folder.is_dir()) {
        let begun = file::outside(&folder).and_then(|()| fs::create_dir(&folder));
        begun.map_err(|error| {
            Problem::new(format!(
                "{}: the folder cannot be made: {}",
                folder.display(),
                file::why(&error)
            ))
        })?;
        made.0.push(folder);
    }
    Ok(made)
}

/// Makes the folders, does all jobs, and tells how it went.
pub fn run(
    material: &Material,
    jobs: &[Job],
    stage: &Stage,
    each: impl Fn(&Job) -> Result<Report, Problem> + Sync,
) -> Result<(), Problem> {
    let made = folders(material.folders(jobs))?;
    if let [job] = jobs {
        let report = each(job)?;
        drop(made);
        return report.tell(material.is_quiet());
    }
    let done = all(jobs, material.workers(), stage, each);
    drop(made);
    tell(jobs, done, material.is_quiet())
}

/// Does all jobs, at most `workers` at a time. One that fails does not stop the others.
fn all(
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
            // What it had begun goes as it unwinds, and nothing else is shared.
            let done = catch_unwind(AssertUnwindSafe(|| each(job))).unwrap_or_else(|_| {
                Err(Problem::new(
                    "the program failed at this file, and says above where: please report it",
                ))
            });
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
            // Panics end in their jobs.
            let _ = helper.join();
        }
    });
    total.finish_and_clear();
    ended.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Tells how the jobs ended, and whether all is well.
fn tell(jobs: &[Job], ended: Vec<Ended>, is_quiet: bool) -> Result<(), Problem> {
    let (mut written, mut wrong, mut interrupted, mut kept) = (0, 0, 0, false);
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
            None => {
                interrupted += 1;
                kept |= job.output.exists();
            }
            Some(Err(problem)) if is_interruption(job, &problem) => {
                interrupted += 1;
                kept |= job.output.exists();
            }
            Some(Err(problem)) => {
                wrong += 1;
                let line = problem.to_string();
                let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
                let input = job.input.as_deref();
                match input.map(|input| input.display().to_string()) {
                    Some(input) if !line.contains(&input) => say(format_args!("{input}: {line}")),
                    _ => say(line),
                }
            }
        }
    }
    let all = jobs.len();
    if interrupted > 0 {
        let failed = match wrong {
            0 => String::new(),
            wrong => format!("{wrong} failed, "),
        };
        let kept = match kept {
            true => ", and files that were there are as they were",
            false => "",
        };
        return Err(Problem::new(format!(
            "interrupted: {written} of {all} files {} written, {failed}nothing is left of the others{kept}",
            are(written)
        )));
    }
    if wrong > 0 {
        return Err(Problem::new(match written {
            0 => format!("{wrong} of {all} files failed; none is written"),
            1 => format!("{wrong} of {all} files failed; the other one is written"),
            _ => format!("{wrong} of {all} files failed; the other {written} are written"),
        }));
    }
    if is_quiet {
        return Ok(());
    }
    print(&format!("{written} files are written\n"))
}

/// One is, two are.
fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// Whether a job ended because the user stopped it.
fn is_interruption(job: &Job, problem: &Problem) -> bool {
    [false, true].into_iter().any(|kept| {
        let stopped = WavError {
            path: job.output.clone(),
            problem: WavProblem::Interrupted { kept },
        };
        problem.to_string() == stopped.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        material: Material,
    }

    fn two_jobs() -> (Material, Vec<Job>) {
        let words = ["render", "a.wav", "b.wav", "-o", "out", "-q"];
        let material = Words::try_parse_from(words).unwrap().material;
        let jobs = material.jobs().unwrap();
        (material, jobs)
    }

    #[test]
    fn a_job_that_panics_is_told_and_stops_no_other() {
        let (material, jobs) = two_jobs();
        let stage = material.stage(2).unwrap();
        for workers in [1, 2] {
            let ended = all(&jobs, workers, &stage, |job| {
                assert!(job.input != jobs[0].input, "a panic that is meant");
                Ok(Report::default())
            });
            assert!(
                matches!(&ended[0], Some(Err(problem)) if problem.to_string().contains("report it"))
            );
            assert!(matches!(ended[1], Some(Ok(_))));
            let told = tell(&jobs, ended, true).unwrap_err().to_string();
            assert_eq!(told, "1 of 2 files failed; the other one is written");
        }
    }

    #[test]
    fn only_what_was_interrupted_counts_as_that() {
        let (_, jobs) = two_jobs();
        let fine = || Some(Ok(Report::default()));
        // Asked to stop when all was done.
        assert!(tell(&jobs, vec![fine(), fine()], true).is_ok());
        let stopped = WavError {
            path: jobs[1].output.clone(),
            problem: WavProblem::Interrupted { kept: true },
        };
        for (second, says) in [
            (None, "interrupted: 1 of 2 files is written, nothing"),
            (
                Some(Err(stopped.into())),
                "interrupted: 1 of 2 files is written, nothing",
            ),
            (
                Some(Err(Problem::new("the disk is full"))),
                "1 of 2 files failed",
            ),
        ] {
            let told = tell(&jobs, vec![fine(), second], true).unwrap_err();
            assert!(told.to_string().contains(says), "{told}");
        }
    }
}
