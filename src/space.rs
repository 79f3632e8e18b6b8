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
    /// What is still to be sent of them.
    unsent: [Option<Arc<FilterBank>>; 2],
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
            unsent: [None, None],
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

    /// Loads filters (unless the engine has them) and sends them on their way, or keeps them until there is room
    /// in the line; what the engine has given back is freed. Takes what [`load`] takes, and some 50 ms for the spectra.
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
        self.unsent[slot] = Some(set.derived(FilterBank::new));
        self.sets[slot] = Some(Arc::clone(set));
        self.send();
    }

    /// A line is full only where the engine does not run: what finds no room waits here, and is not loaded
    /// anew meanwhile.
    fn send(&mut self) {
        for slot in 0..2 {
            // Never more than two at a time: what is pushed is gone if it is refused.
            if self.line.to.slots() < 2 {
                return;
            }
            let Some(bank) = self.unsent[slot].take() else {
                continue;
            };
            if !self.has_renderer {
                let renderer = Renderer::new(Arc::clone(&bank), SOURCES, bank.taps());
                let sent = self.line.to.push(Supply::Renderer(Box::new(renderer)));
                self.has_renderer = sent.is_ok();
            }
            if let Err(rtrb::PushError::Full(Supply::Bank(slot, bank))) =
                self.line.to.push(Supply::Bank(slot, bank))
            {
                self.unsent[slot] = Some(bank);
            }
        }
    }

    /// Frees what the engine has given back, and sends what found no room before.
    pub fn drain(&mut self) {
        while self.line.from.pop().is_ok() {}
        self.send();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Whoever chooses one file after another while the host stands still fills the line.
    #[test]
    fn a_full_line_keeps_the_last_filters_and_loads_nothing_twice() {
        let mut engine = Engine::new(8000.0).unwrap();
        let mut supplier = Supplier::new(engine.take_supply().unwrap(), 8000.0);
        let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sofa/netcdf.sofa");
        let sources = [Source::File(asset), Source::Default];
        for source in sources.iter().cycle().take(12) {
            supplier.supply(source, true, &Progress::new()).unwrap();
            assert!(supplier.has(source, true));
        }
        assert!(supplier.unsent[1].is_some(), "the line is not full");
        let kept = supplier.sets[1].clone().unwrap();
        engine.set(crate::engine::controls::SPACE_KIND, 1.0);
        let mut run = || {
            let (mut left, mut right) = ([0.1; 64], [0.1; 64]);
            let transport = crate::engine::Transport::default();
            engine.process(&mut left, &mut right, transport, &[]);
        };
        for _ in 0..200 {
            run();
            supplier.drain();
        }
        assert!(supplier.unsent[1].is_none());
        let bank = kept.derived::<FilterBank>(|_| unreachable!());
        // The set's own, this one, the node's (its place, what sounds, the renderer's): no earlier one waits.
        assert!(
            Arc::strong_count(&bank) >= 4,
            "{}",
            Arc::strong_count(&bank)
        );
    }
}
