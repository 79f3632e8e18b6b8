//! The inserts of `zeitgeber live`: a file is taken up again when it is saved, and a node that was left is told of.

use crate::args::Problem;
use crate::node;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use zeitgeber::control::Desk;
use zeitgeber::engine::{Engine, InsertLine};
use zeitgeber::live::{InsertNode, InsertSource, LiveNode, Tripped, Workshop};

/// How often files are looked at.
const GLANCE: Duration = Duration::from_millis(250);

/// Inserts as people call them.
const NAMES: [&str; 2] = ["insert A", "insert B"];

/// What both inserts hold.
pub struct Inserts {
    slots: [Slot; 2],
    lines: Option<[InsertLine; 2]>,
    channels: [usize; 2],
    rate: f64,
    looked: Instant,
}

#[derive(Default)]
struct Slot {
    node: Option<InsertNode>,
    /// Where it comes from, and what was in the file.
    file: Option<PathBuf>,
    content: Option<u128>,
    making: Option<Making>,
    tripped: Option<Tripped>,
    /// That it was left has been told.
    told: bool,
}

/// A file that is being compiled.
struct Making {
    made: Receiver<Result<LiveNode, String>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Making {
    fn drop(&mut self) {
        // Nothing of it is left behind when the program ends.
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Making {
    fn begin(file: PathBuf) -> Result<Making, Problem> {
        let stop = Arc::new(AtomicBool::new(false));
        let workshop = node::workshop()?.stopped_by(stop.clone());
        let (done, made) = mpsc::channel();
        let thread = thread::Builder::new().spawn(move || {
            // Nobody may be there to hear of it any more.
            let _ = done.send(workshop.open(&file).map_err(|error| error.to_string()));
        })?;
        Ok(Making {
            made,
            stop,
            thread: Some(thread),
        })
    }
}

impl Inserts {
    /// Finds and makes what was asked for.
    pub fn open(asked: [&Option<String>; 2]) -> Result<Inserts, Problem> {
        let mut inserts = Inserts {
            slots: [Slot::default(), Slot::default()],
            lines: None,
            channels: [2; 2],
            rate: 0.0,
            looked: Instant::now(),
        };
        for (slot, text) in inserts.slots.iter_mut().zip(asked) {
            let Some(text) = text else { continue };
            if let InsertSource::File(file) = InsertSource::parse(text) {
                slot.content = Workshop::content(&file).ok();
                slot.file = Some(file);
            }
            slot.node = Some(node::for_insert(text)?);
        }
        Ok(inserts)
    }

    /// Brings it to an engine.
    pub fn attach(&mut self, engine: &mut Engine, desk: &Desk) -> Result<(), Problem> {
        self.lines = engine.take_inserts();
        (self.channels, self.rate) = (engine.insert_channels(), engine.sample_rate());
        for insert in 0..NAMES.len() {
            self.bring(insert, desk)?;
        }
        Ok(())
    }

    fn bring(&mut self, insert: usize, desk: &Desk) -> Result<(), Problem> {
        let slot = &mut self.slots[insert];
        if let (Some(node), Some(lines)) = (&slot.node, &mut self.lines) {
            let mut bring = node.prepare(self.channels[insert], self.rate)?;
            desk.bring(insert, Some(&mut bring.prepared));
            // A line that is full is that of a device that stands still; the next save comes through.
            let _ = lines[insert].send(Some(bring.prepared));
            (slot.tripped, slot.told) = (Some(bring.tripped), false);
        }
        Ok(())
    }

    /// Looks whether anything has happened, and tells what.
    pub fn round(&mut self, desk: &Desk) -> Vec<String> {
        let mut said = Vec::new();
        let looks = self.looked.elapsed() >= GLANCE;
        if looks {
            self.looked = Instant::now();
        }
        for (insert, name) in NAMES.into_iter().enumerate() {
            if let Some(lines) = &mut self.lines {
                lines[insert].drain();
            }
            let slot = &mut self.slots[insert];
            if !slot.told && slot.tripped.as_ref().is_some_and(Tripped::is_set) {
                slot.told = true;
                let node = slot.node.as_ref().map_or("", InsertNode::name);
                said.push(format!(
                    "warning: {name}: \"{node}\" put out what is not finite, and the audio passes it by"
                ));
            }
            let made = slot.making.as_ref().map(|making| making.made.try_recv());
            match made {
                Some(Err(TryRecvError::Empty)) => {}
                Some(Ok(Ok(node))) => {
                    slot.making = None;
                    slot.node = Some(InsertNode::Live(Arc::new(node)));
                    said.push(match self.bring(insert, desk) {
                        Ok(()) => format!("{name}: the file was saved; its new version sounds"),
                        Err(problem) => format!("{name}: {problem}"),
                    });
                }
                Some(Ok(Err(problem))) => {
                    slot.making = None;
                    said.push(format!("{name}: {problem}"));
                }
                Some(Err(TryRecvError::Disconnected)) => slot.making = None,
                None if looks => {
                    if let Some(file) = &slot.file
                        // One that an editor is just replacing may be gone for a moment.
                        && let Ok(content) = Workshop::content(file)
                        && slot.content != Some(content)
                    {
                        slot.content = Some(content);
                        match Making::begin(file.clone()) {
                            Ok(making) => slot.making = Some(making),
                            Err(problem) => said.push(format!("{name}: {problem}")),
                        }
                    }
                }
                None => {}
            }
        }
        said
    }
}
