//! What brings head-related filters and decoders to an engine: sets are loaded and turned into spectra here, off the
//! audio thread, and travel to the nodes of space through their supply lines.

use crate::dsp::ambisonics::{BusRenderer, DecoderBank, MAX_ORDER};
use crate::dsp::binaural::{FilterBank, Renderer};
use crate::engine::{ControlId, Engine, SpaceSupply, SpaceWish, controls};
use crate::hrtf::{
    HrtfError, Info, Options, Progress, Set, Source, decoder, default_decoder, default_info, load,
};
use crate::node::{decode, hrtf};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long a file that could not be read is left alone.
const RETRY: Duration = Duration::from_secs(2);

/// Brings an engine what its controls ask for, before its first frame.
///
/// # Errors
/// [`HrtfError`].
pub fn bring(engine: &mut Engine, source: &Source) -> Result<(), HrtfError> {
    let wish = engine.space_wish();
    bring_all(engine, source, wish)
}

/// Brings an engine what it will ask for, before its first frame.
///
/// # Errors
/// [`HrtfError`].
pub fn bring_all(
    engine: &mut Engine,
    source: &Source,
    wishes: impl IntoIterator<Item = SpaceWish>,
) -> Result<(), HrtfError> {
    let rate = engine.sample_rate();
    let mut supplier: Option<Supplier> = None;
    for wish in wishes {
        if supplier.is_none() {
            supplier = engine.take_supply().map(|line| Supplier::new(line, rate));
        }
        if let Some(supplier) = supplier.as_mut() {
            supplier.supply(source, wish, &Progress::new())?;
        }
    }
    Ok(())
}

/// Everything that an engine can ask for, with decoders up to an order.
pub fn everything(order: usize) -> impl Iterator<Item = SpaceWish> {
    let orders = (1..=order).map(Some).chain([None]);
    orders.flat_map(|decoder| {
        [false, true].map(|equalised| SpaceWish {
            filters: decoder.is_none(),
            decoder,
            equalised,
        })
    })
}

/// What an engine would ask for if somebody turned space on, or the room, at values of the controls: where the embedded
/// set sounds it is brought ahead, and is there at once.
pub fn wish_ahead(engine: &Engine, value: impl Fn(ControlId) -> f64) -> Option<SpaceWish> {
    engine.space_wish_of(|id| match id {
        controls::SPACE_KIND if value(id) as usize == controls::SPACE_OFF => {
            controls::SPACE_HRTF as f64
        }
        controls::ROOM => 1.0,
        id => value(id),
    })
}

/// A file that could not be read, when, and as what.
pub struct Failure {
    source: Source,
    when: Instant,
    stamp: Stamp,
}

/// Length and time of change of a file, where it has them.
type Stamp = Option<(u64, Option<SystemTime>)>;

impl Failure {
    /// Of this source, just now.
    pub fn new(source: Source) -> Failure {
        Failure {
            stamp: stamp(&source),
            source,
            when: Instant::now(),
        }
    }

    /// Whether it has been looked at just now.
    pub fn is_fresh(&self, source: &Source) -> bool {
        self.source == *source && self.when.elapsed() < RETRY
    }

    /// Whether it is not worth another try: it has been looked at just now, or is what it was, and large files
    /// take seconds to refuse.
    pub fn holds(&mut self, source: &Source) -> bool {
        if self.is_fresh(source) {
            return true;
        }
        let same = self.source == *source && self.stamp.is_some() && stamp(source) == self.stamp;
        if same {
            // A look opens the file: the next one is as far away.
            self.when = Instant::now();
        }
        same
    }
}

fn stamp(source: &Source) -> Stamp {
    let Source::File(path) = source else {
        return None;
    };
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    // One that may not be opened has no content to be known by: it is tried again.
    fs::File::open(path).ok()?;
    Some((found.len(), found.modified().ok()))
}

/// One kind of what travels through a supply line.
trait Goods {
    type Bank;
    type Message;
    /// A renderer for such banks.
    fn renderer(bank: &Arc<Self::Bank>) -> Self::Message;
    fn bank(slot: usize, bank: Arc<Self::Bank>) -> Self::Message;
    /// Tells that what was sent before is of another set.
    fn forget() -> Self::Message;
    /// What a line has refused.
    fn refused(message: Self::Message) -> Option<(usize, Arc<Self::Bank>)>;
}

struct Filters;

impl Goods for Filters {
    type Bank = FilterBank;
    type Message = hrtf::Supply;

    fn renderer(bank: &Arc<FilterBank>) -> hrtf::Supply {
        let renderer = Renderer::new(Arc::clone(bank), hrtf::SOURCES, bank.taps());
        hrtf::Supply::Renderer(Box::new(renderer))
    }

    fn bank(slot: usize, bank: Arc<FilterBank>) -> hrtf::Supply {
        hrtf::Supply::Bank(slot, bank)
    }

    fn forget() -> hrtf::Supply {
        hrtf::Supply::Forget
    }

    fn refused(message: hrtf::Supply) -> Option<(usize, Arc<FilterBank>)> {
        match message {
            hrtf::Supply::Bank(slot, bank) => Some((slot, bank)),
            hrtf::Supply::Renderer(_) | hrtf::Supply::Forget => None,
        }
    }
}

struct Decoders;

impl Goods for Decoders {
    type Bank = DecoderBank;
    type Message = decode::Supply;

    fn renderer(bank: &Arc<DecoderBank>) -> decode::Supply {
        let renderer = BusRenderer::new(Arc::clone(bank), bank.taps());
        decode::Supply::Renderer(Box::new(renderer))
    }

    fn bank(slot: usize, bank: Arc<DecoderBank>) -> decode::Supply {
        decode::Supply::Bank(slot, bank)
    }

    fn forget() -> decode::Supply {
        decode::Supply::Forget
    }

    fn refused(message: decode::Supply) -> Option<(usize, Arc<DecoderBank>)> {
        match message {
            decode::Supply::Bank(slot, bank) => Some((slot, bank)),
            decode::Supply::Renderer(_) | decode::Supply::Forget => None,
        }
    }
}

/// One supply line, and what found no room in it yet.
struct Outlet<G: Goods> {
    to: rtrb::Producer<G::Message>,
    from: rtrb::Consumer<Arc<G::Bank>>,
    /// Where each is for: equalised or not, and the order of a decoder.
    unsent: Vec<(usize, usize, Arc<G::Bank>)>,
    has_renderer: bool,
    /// What the engine has is of another set, and it has not been told.
    stale: bool,
}

impl<G: Goods> Outlet<G> {
    fn new(to: rtrb::Producer<G::Message>, from: rtrb::Consumer<Arc<G::Bank>>) -> Outlet<G> {
        Outlet {
            to,
            from,
            unsent: Vec::new(),
            has_renderer: false,
            stale: false,
        }
    }

    /// Sends a bank on its way; one for the same place that still waits is not wanted any more.
    fn give(&mut self, slot: usize, order: usize, bank: Arc<G::Bank>) {
        self.unsent
            .retain(|(other, of, _)| (*other, *of) != (slot, order));
        self.unsent.push((slot, order, bank));
        self.send();
    }

    /// What has been given is of another set than what will be.
    fn forget(&mut self) {
        self.unsent.clear();
        self.stale = self.has_renderer;
        self.send();
    }

    /// A line is full only where the engine does not run: what finds no room waits here, and is not loaded
    /// anew meanwhile.
    fn send(&mut self) {
        if self.stale {
            self.stale = self.to.push(G::forget()).is_err();
        }
        // Never more than two at a time: what is pushed is gone if it is refused.
        while !self.stale && !self.unsent.is_empty() && self.to.slots() >= 2 {
            let (slot, order, bank) = self.unsent.remove(0);
            if !self.has_renderer {
                self.has_renderer = self.to.push(G::renderer(&bank)).is_ok();
            }
            if let Err(rtrb::PushError::Full(message)) = self.to.push(G::bank(slot, bank))
                && let Some((slot, bank)) = G::refused(message)
            {
                self.unsent.insert(0, (slot, order, bank));
            }
        }
    }

    fn drain(&mut self) {
        while self.from.pop().is_ok() {}
        self.send();
    }
}

/// What an engine has of one equalisation.
#[derive(Default)]
struct Stock {
    /// The set, so that other instances share it.
    set: Option<Arc<Set>>,
    filters: bool,
    /// By order.
    decoders: [bool; MAX_ORDER + 1],
}

impl Stock {
    fn has(&self, wish: &SpaceWish) -> bool {
        (self.filters || !wish.filters) && wish.decoder.is_none_or(|order| self.decoders[order])
    }
}

/// Supplies one engine.
pub struct Supplier {
    filters: Outlet<Filters>,
    decoders: Outlet<Decoders>,
    rate: f64,
    source: Source,
    /// As measured, equalised.
    stocks: [Stock; 2],
}

impl Supplier {
    /// For the engine of supply lines, which runs at a rate in hertz.
    pub fn new(lines: SpaceSupply, rate: f64) -> Supplier {
        Supplier {
            filters: Outlet::new(lines.filters.to, lines.filters.from),
            decoders: Outlet::new(lines.decoders.to, lines.decoders.from),
            rate,
            source: Source::Default,
            stocks: Default::default(),
        }
    }

    /// Where the filters come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the engine has this already, or it is on its way.
    pub fn has(&self, source: &Source, wish: &SpaceWish) -> bool {
        self.source == *source && self.stocks[usize::from(wish.equalised)].has(wish)
    }

    /// Loads filters and decoders (unless the engine has them) and sends them on their way, or keeps them until there is
    /// room in the line; what the engine has given back is freed. Takes what [`load`] takes, some 50 ms for the
    /// spectra, and up to seconds for a decoder.
    ///
    /// # Errors
    /// [`HrtfError`]: the engine keeps what it has.
    pub fn supply(
        &mut self,
        source: &Source,
        wish: SpaceWish,
        progress: &Progress,
    ) -> Result<Info, HrtfError> {
        self.drain();
        // Another source makes the engine forget all it has, or another order or equalisation would bring the old one
        // back; of the new one only what is wished for now is made.
        let anew = self.source != *source;
        let mut delivery: [Delivery; 2] = Default::default();
        for (slot, delivery) in delivery.iter_mut().enumerate() {
            let old = &self.stocks[slot];
            let mut wanted = Stock::default();
            if slot == usize::from(wish.equalised) {
                wanted.filters = wish.filters && (anew || !old.filters);
                if let Some(order) = wish.decoder {
                    wanted.decoders[order] = anew || !old.decoders[order];
                }
            }
            *delivery = self.fetch(source, slot, wanted, progress)?;
        }
        if anew {
            self.stocks = Default::default();
            self.filters.forget();
            self.decoders.forget();
        }
        for (slot, delivery) in delivery.into_iter().enumerate() {
            let stock = &mut self.stocks[slot];
            if let Some(bank) = delivery.filters {
                stock.filters = true;
                self.filters.give(slot, 0, bank);
            }
            for bank in delivery.decoders {
                stock.decoders[bank.order()] = true;
                self.decoders.give(slot, bank.order(), bank);
            }
            stock.set = delivery.set.or(stock.set.take());
        }
        self.source = source.clone();
        let stock = &self.stocks[usize::from(wish.equalised)];
        match &stock.set {
            Some(set) => Ok(set.info.clone()),
            None => Ok(default_info()),
        }
    }

    /// Makes what is wanted of one equalisation.
    fn fetch(
        &self,
        source: &Source,
        slot: usize,
        wanted: Stock,
        progress: &Progress,
    ) -> Result<Delivery, HrtfError> {
        let mut delivery = Delivery::default();
        if !wanted.filters && wanted.decoders == [false; MAX_ORDER + 1] {
            return Ok(delivery);
        }
        let options = Options {
            equalise: slot == 1,
        };
        let orders = (1..=MAX_ORDER).filter(|order| wanted.decoders[*order]);
        if *source == Source::Default && !wanted.filters {
            // The default set's decoders are embedded: the set need not be prepared for them.
            for order in orders {
                let decoder = default_decoder(self.rate, options, order, progress)?;
                delivery.decoders.push(Arc::new(DecoderBank::new(&decoder)));
            }
            return Ok(delivery);
        }
        let set = load(source, self.rate, options, progress)?;
        if wanted.filters {
            delivery.filters = Some(set.derived(FilterBank::new));
        }
        for order in orders {
            let decoder = decoder(&set, order, progress)?;
            delivery.decoders.push(Arc::new(DecoderBank::new(&decoder)));
        }
        delivery.set = Some(set);
        Ok(delivery)
    }

    /// Frees what the engine has given back, and sends what found no room before.
    pub fn drain(&mut self) {
        self.filters.drain();
        self.decoders.drain();
    }
}

/// What is to be sent of one equalisation.
#[derive(Default)]
struct Delivery {
    set: Option<Arc<Set>>,
    filters: Option<Arc<FilterBank>>,
    decoders: Vec<Arc<DecoderBank>>,
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
        let wish = SpaceWish {
            filters: true,
            decoder: Some(1),
            equalised: true,
        };
        for source in sources.iter().cycle().take(22) {
            supplier.supply(source, wish, &Progress::new()).unwrap();
            assert!(supplier.has(source, &wish));
        }
        assert_eq!(supplier.filters.unsent.len(), 1, "the line is not full");
        assert_eq!(supplier.decoders.unsent.len(), 1, "the line is not full");
        let kept = supplier.stocks[1].set.clone().unwrap();
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
        assert!(supplier.filters.unsent.is_empty());
        let bank = kept.derived::<FilterBank>(|_| unreachable!());
        // The set's own, this one, the node's (its place, what sounds, the renderer's): no earlier one waits.
        assert!(
            Arc::strong_count(&bank) >= 4,
            "{}",
            Arc::strong_count(&bank)
        );
    }

    /// Orders that were wished for with another set are not made of this one before they are wished for again.
    #[test]
    fn another_set_is_made_for_what_is_wished_now_and_the_old_one_never_comes_back() {
        let mut engine = Engine::new(8000.0).unwrap();
        let mut supplier = Supplier::new(engine.take_supply().unwrap(), 8000.0);
        let asset = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sofa/netcdf.sofa");
        let file = Source::File(asset);
        let wish = |order| SpaceWish {
            filters: false,
            decoder: Some(order),
            equalised: true,
        };
        for order in [1, 2] {
            supplier
                .supply(&Source::Default, wish(order), &Progress::new())
                .unwrap();
        }
        let line = &mut supplier.decoders;
        assert!(line.has_renderer && line.unsent.is_empty());
        supplier.supply(&file, wish(1), &Progress::new()).unwrap();
        assert!(supplier.has(&file, &wish(1)));
        assert!(!supplier.has(&file, &wish(2)) && !supplier.has(&Source::Default, &wish(1)));
        use crate::engine::controls as id;
        engine.set(id::SPACE_KIND, id::SPACE_AMBISONIC as f64);
        engine.set(id::ORDER, 1.0);
        engine.reset();
        let mut run = || {
            let (mut left, mut right) = ([0.1; 64], [0.1; 64]);
            let transport = crate::engine::Transport::default();
            engine.process(&mut left, &mut right, transport, &[]);
        };
        run();
        let mut back = Vec::new();
        while let Ok(bank) = supplier.decoders.from.pop() {
            back.push(bank.order());
        }
        // What sounded is held in two places.
        back.sort();
        back.dedup();
        assert_eq!(back, [1, 2]);
    }

    #[test]
    fn a_broken_file_is_read_again_when_it_has_changed_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("broken.sofa");
        fs::write(&file, "no SOFA").unwrap();
        let source = Source::File(file.clone());
        let mut failure = Failure::new(source.clone());
        assert!(failure.holds(&source) && !failure.holds(&Source::Default));
        failure.when -= RETRY;
        assert!(failure.holds(&source), "it is what it was");
        fs::write(&file, "something else").unwrap();
        assert!(failure.holds(&source), "it has been looked at just now");
        failure.when -= RETRY;
        assert!(!failure.holds(&source), "it has changed");
        fs::remove_file(&file).unwrap();
        let mut missing = Failure::new(source.clone());
        assert!(missing.holds(&source));
        missing.when -= RETRY;
        assert!(!missing.holds(&source), "one that is missing may come back");
    }
}
