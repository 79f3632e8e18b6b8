//! What brings head-related filters to an engine: sets are loaded and turned into spectra here, off the audio
//! thread, and travel to the node of space through its supply line.

use crate::dsp::binaural::{FilterBank, Renderer};
use crate::engine::Engine;
use crate::hrtf::{HrtfError, Info, Options, Progress, Set, Source, load};
use crate::node::hrtf::{SOURCES, Supply, SupplyLine};
use std::sync::Arc;

/// Brings an engine filters before its first frame.
///
/// # Errors
/// [`HrtfError`].
pub fn bring(engine: &mut Engine, source: &Source, equalised: &[bool]) -> Result<(), HrtfError> {
    let rate = engine.sample_rate();
    let Some(line) = engine.take_supply() else {
        return Ok(());
    };
    let mut supplier = Supplier::new(line, rate);
    for equalised in equalised {
        supplier.supply(source, *equalised, &Progress::new())?;
    }
    Ok(())
}

/// Supplies one engine. It holds the sets that the engine uses, so that other instances share them.
pub struct Supplier {
    line: SupplyLine,
    rate: f64,
    source: Source,
    /// As measured, equalised.
    sets: [Option<Arc<Set>>; 2],
    has_renderer: bool,
}

impl Supplier {
    /// For the engine of a supply line, which runs at a rate in hertz.
    pub fn new(line: SupplyLine, rate: f64) -> Supplier {
        Supplier {
            line,
            rate,
            source: Source::Default,
            sets: [None, None],
            has_renderer: false,
        }
    }

    /// Where the filters come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the engine has these filters already, or they are on their way.
    pub fn has(&self, source: &Source, equalised: bool) -> bool {
        self.source == *source && self.sets[usize::from(equalised)].is_some()
    }

    /// Loads filters (unless the engine has them) and sends them on their way; what the engine has given back is
    /// freed. Takes what [`load`] takes, and some 50 ms for the spectra.
    ///
    /// # Errors
    /// [`HrtfError`]: the engine keeps what it has.
    pub fn supply(
        &mut self,
        source: &Source,
        equalised: bool,
        progress: &Progress,
    ) -> Result<Info, HrtfError> {
        self.drain();
        let slot = usize::from(equalised);
        if self.has(source, equalised)
            && let Some(set) = &self.sets[slot]
        {
            return Ok(set.info.clone());
        }
        let set = load(
            source,
            self.rate,
            Options {
                equalise: equalised,
            },
            progress,
        )?;
        let other = 1 - slot;
        // Another source replaces both, or a change of the equalisation would bring the old one back.
        let second = match &self.sets[other] {
            Some(_) if self.source != *source => {
                let options = Options {
                    equalise: !equalised,
                };
                Some(load(source, self.rate, options, progress)?)
            }
            _ => None,
        };
        self.give(slot, &set);
        if let Some(second) = second {
            self.give(other, &second);
        }
        self.source = source.clone();
        Ok(set.info.clone())
    }

    fn give(&mut self, slot: usize, set: &Arc<Set>) {
        let bank = set.derived(FilterBank::new);
        if !self.has_renderer {
            let renderer = Renderer::new(Arc::clone(&bank), SOURCES, bank.taps());
            self.has_renderer = self.send(Supply::Renderer(Box::new(renderer)));
        }
        if self.send(Supply::Bank(slot, bank)) {
            self.sets[slot] = Some(Arc::clone(set));
        }
    }

    /// A line is full only where the engine does not run: it takes what comes before its next frame, and
    /// what found no room is sent with the next request.
    fn send(&mut self, what: Supply) -> bool {
        self.line.to.push(what).is_ok()
    }

    /// Frees what the engine has given back.
    pub fn drain(&mut self) {
        while self.line.from.pop().is_ok() {}
    }
}
