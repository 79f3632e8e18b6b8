//! The host's parameters, made from the table of controls: one parameter a control, in its order.

use super::filters::Filters;
use super::inserts::Inserts;
use super::outbox::Word;
use super::session::Session;
use super::state;
use crate::editor::Link;
use crate::editor::insert::InsertMacro;
use crate::engine::controls::{self, Control, Scale, Values};
use crate::engine::{ControlId, SpaceWish};
use nice_plug::prelude::{
    BoolParam, FloatParam, FloatRange, IntParam, IntRange, Param, ParamPtr, Params,
    RemoteControlsPage,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// One parameter. A framework `EnumParam` needs a Rust enum; the names live in the table instead.
enum Slot {
    Number(FloatParam),
    Choice(IntParam),
    Switch(BoolParam),
}

/// Calls `$do` with the framework's parameter in a slot.
macro_rules! with_param {
    ($slot:expr, $param:ident => $do:expr) => {
        match $slot {
            Slot::Number($param) => $do,
            Slot::Choice($param) => $do,
            Slot::Switch($param) => $do,
        }
    };
}

/// Which parameters have changed since the audio thread last looked: one bit each.
#[derive(Debug)]
struct Dirty(Box<[AtomicU64]>);

impl Dirty {
    fn new(len: usize) -> Dirty {
        Dirty((0..len.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    fn mark(&self, index: usize) {
        // Release: whoever sees the bit sees the value.
        self.0[index / 64].fetch_or(1 << (index % 64), Ordering::Release);
    }

    /// Takes one back; tells whether it was there.
    fn take_one(&self, index: usize) -> bool {
        let bit = 1 << (index % 64);
        let word = &self.0[index / 64];
        word.load(Ordering::Relaxed) & bit != 0
            && word.fetch_and(!bit, Ordering::Acquire) & bit != 0
    }

    fn take(&self, mut each: impl FnMut(usize)) {
        for (word, bits) in self.0.iter().enumerate() {
            // Most blocks change nothing: a load is cheaper than a locked exchange.
            if bits.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let mut left = bits.swap(0, Ordering::Acquire);
            while left != 0 {
                each(word * 64 + left.trailing_zeros() as usize);
                left &= left - 1;
            }
        }
    }
}

/// The id of the parameter that tells hosts of changes beside the parameters, and its largest value.
pub(super) const REVISION: &str = "revision";
pub(super) const LAST_REVISION: i32 = 65_535;

/// All parameters of one instance, and what else its state holds.
pub struct ZgParams {
    slots: Box<[Slot]>,
    ids: Box<[ControlId]>,
    /// Says nothing but that it has changed; boxed, for it is handed out as a pointer.
    revision: Box<IntParam>,
    dirty: Arc<Dirty>,
    link: Arc<Link>,
    session: OnceLock<Weak<Session>>,
    filters: OnceLock<Weak<Filters>>,
    inserts: OnceLock<Weak<Inserts>>,
    /// The order of the bus that the program is; 0 where it is stereo.
    bus: AtomicUsize,
}

impl ZgParams {
    /// Parameters at their defaults. `link` holds what is saved besides them and receives the messages of
    /// loaded states.
    pub fn new(link: Arc<Link>) -> ZgParams {
        let ids: Box<[ControlId]> = ControlId::all().collect();
        let dirty = Arc::new(Dirty::new(ids.len()));
        let slots = ids.iter().map(|id| slot(*id, &dirty, &link)).collect();
        let params = ZgParams {
            slots,
            ids,
            revision: Box::new(revision()),
            dirty,
            link,
            session: OnceLock::new(),
            filters: OnceLock::new(),
            inserts: OnceLock::new(),
            bus: AtomicUsize::new(0),
        };
        params.mark_all();
        params
    }

    /// The value of a control in its unit, as the host has it now (with its modulation, where it
    /// modulates), snapped to what is displayed. Wait-free.
    pub fn value(&self, id: ControlId) -> f64 {
        let slot = &self.slots[id.index()];
        let normalized = with_param!(slot, p => p.modulated_normalized_value());
        id.control().from_normalized(f64::from(normalized))
    }

    /// Hands every value that has changed since the last call to `set`. Wait-free; for the audio thread.
    pub fn take_changes(&self, mut set: impl FnMut(ControlId, f64)) {
        let mut pull = |id: ControlId| set(id, self.value(id));
        // Glide says how the others travel: where it changes at the same frame, it is set before them. Where it has
        // not changed it stays away: after a snapshot the parameter is that of before until the host has followed.
        if self.dirty.take_one(controls::GLIDE.index()) {
            pull(controls::GLIDE);
        }
        self.dirty.take(|index| pull(self.ids[index]));
    }

    /// Makes the next [`ZgParams::take_changes`] hand over everything: for a new engine.
    pub fn mark_all(&self) {
        for index in 0..self.slots.len() {
            self.dirty.mark(index);
        }
    }

    /// Makes the next [`ZgParams::take_changes`] hand this one over.
    pub(super) fn mark(&self, id: ControlId) {
        self.dirty.mark(id.index());
    }

    /// Forgets which values have changed: a snapshot that is on its way says all of them.
    pub(super) fn forget_changes(&self) {
        self.dirty.take(|_| ());
    }

    /// What brings what a loaded state asks for.
    pub(super) fn bring_by(&self, filters: &Arc<Filters>, inserts: &Arc<Inserts>) {
        // There is one of each for as long as the instance lives.
        let _ = self.filters.set(Arc::downgrade(filters));
        let _ = self.inserts.set(Arc::downgrade(inserts));
    }

    /// The order of the bus that the program is from now on; none where it is stereo.
    pub(super) fn set_bus(&self, bus: Option<usize>) {
        self.bus.store(bus.unwrap_or(0), Ordering::Relaxed);
    }

    /// From now on this session puts loaded states in force.
    pub(super) fn answer_to(&self, session: &Arc<Session>) {
        // Once for each instance; a second one would be of another engine.
        let _ = self.session.set(Arc::downgrade(session));
    }

    /// Tells the host what the window says.
    pub(super) fn say(&self, setter: &nice_plug::prelude::ParamSetter<'_>, word: Word) {
        match word {
            Word::Begin(id) => self.gesture(setter, id, true),
            Word::Set(id, value) => self.set(setter, id, value),
            Word::End(id) => self.gesture(setter, id, false),
            Word::Touch => self.touch(setter),
        }
    }

    /// Tells the host that the user takes hold of (`true`) or lets go of a control.
    fn gesture(&self, setter: &nice_plug::prelude::ParamSetter<'_>, id: ControlId, begin: bool) {
        with_param!(&self.slots[id.index()], p => if begin {
            setter.begin_set_parameter(p);
        } else {
            setter.end_set_parameter(p);
        });
    }

    /// Sets a control through the host, within a gesture.
    fn set(&self, setter: &nice_plug::prelude::ParamSetter<'_>, id: ControlId, value: f64) {
        let normalized = id.control().to_normalized(value) as f32;
        with_param!(&self.slots[id.index()], p => setter.set_parameter_normalized(p, normalized));
    }

    /// Changes the hidden revision, as a gesture: the host then knows that the state is another, which it does
    /// not see of what is saved beside the parameters.
    fn touch(&self, setter: &nice_plug::prelude::ParamSetter<'_>) {
        let next = (self.revision.value() + 1) % (LAST_REVISION + 1);
        setter.begin_set_parameter(&*self.revision);
        setter.set_parameter(&*self.revision, next);
        setter.end_set_parameter(&*self.revision);
    }

    /// The names of the groups in the order of the table.
    pub(super) fn groups(&self) -> Vec<&'static str> {
        let mut groups: Vec<&'static str> = self.ids.iter().map(|id| id.control().group).collect();
        groups.dedup();
        groups
    }

    /// Puts the controls of one group onto a page of a host's remote control.
    pub(super) fn fill_page(&self, group: &str, page: &mut impl RemoteControlsPage) {
        for id in self.ids.iter().filter(|id| id.control().group == group) {
            with_param!(&self.slots[id.index()], p => page.add_param(p));
        }
    }
}

// SAFETY: the pointers of `param_map` point into `slots` and `revision`, boxes that this struct owns, never replaces
// and frees only with itself; nice-plug keeps an `Arc` of this struct for as long as it uses them.
unsafe impl Params for ZgParams {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        self.ids
            .iter()
            .zip(&self.slots)
            .map(|(id, slot)| {
                let control = id.control();
                (
                    control.id.to_owned(),
                    with_param!(slot, p => p.as_ptr()),
                    control.group.to_owned(),
                )
            })
            .chain([(REVISION.to_owned(), self.revision.as_ptr(), String::new())])
            .collect()
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        let mut fields = state::fields(
            self.link.size(),
            self.link.hrtf().choice,
            &self.link.session(),
            &self.link.inserts_kept(),
        );
        fields.extend(self.link.control.save());
        fields
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        let loaded = state::restore(fields, &self.link);
        let session = self.session.get().and_then(Weak::upgrade);
        if let Some(session) = session.filter(|_| loaded) {
            // The parameters are those of the state already: nice-plug sets them first. A bounce that begins now
            // must not begin without the filters that it asks for.
            let bus = Some(self.bus.load(Ordering::Relaxed)).filter(|order| *order > 0);
            let wish = SpaceWish::of(bus, |id| self.value(id));
            let filters = self.filters.get().and_then(Weak::upgrade);
            if let (Some(filters), Some(wish)) = (filters, wish) {
                filters.ensure(wish);
            }
            if let Some(inserts) = self.inserts.get().and_then(Weak::upgrade) {
                inserts.bring_known();
            }
            session.load_state();
        }
    }
}

/// The value in the framework's own scale. The framework has no logarithmic range: such controls are kept
/// as the natural logarithm, in which they are linear.
pub(super) fn to_plain(control: &Control, value: f64) -> f32 {
    match control.values {
        Values::Number {
            scale: Scale::Logarithmic,
            ..
        } => value.ln() as f32,
        _ => value as f32,
    }
}

/// The inverse of [`to_plain`]: the value in the control's unit.
pub(super) fn from_plain(control: &Control, plain: f32) -> f64 {
    match control.values {
        Values::Number {
            scale: Scale::Logarithmic,
            ..
        } => f64::from(plain).exp(),
        _ => f64::from(plain),
    }
}

/// What a control moves of the node that an insert holds, if it is a macro and moves anything.
fn insert_macro(link: &Link, id: ControlId) -> Option<InsertMacro> {
    let place = |ids: &controls::InsertIds| ids.macros.iter().position(|of| *of == id);
    let mut inserts = controls::INSERTS.iter().enumerate();
    let (insert, number) = inserts.find_map(|(n, ids)| Some((n, place(ids)?)))?;
    link.insert_macro(insert, number)
}

/// Neither shown nor automated; no control, so that neither presets nor the command line know it.
fn revision() -> IntParam {
    let range = IntRange::Linear {
        min: 0,
        max: LAST_REVISION,
    };
    IntParam::new("Revision", 0, range).hide()
}

/// Units are part of the text and no unit is given to the host beside it: CLAP shows the text alone, VST3
/// hosts append a unit that they are given, and neither shows it twice.
fn slot(id: ControlId, dirty: &Arc<Dirty>, link: &Arc<Link>) -> Slot {
    let control = id.control();
    let index = id.index();
    let dirty = dirty.clone();
    let (shown, read) = (link.clone(), link.clone());
    match control.values {
        Values::Number {
            min, max, default, ..
        } => {
            let range = FloatRange::Linear {
                min: to_plain(control, min),
                max: to_plain(control, max),
            };
            Slot::Number(
                FloatParam::new(control.name, to_plain(control, default), range)
                    .with_value_to_string(Arc::new(move |plain| {
                        let value = from_plain(control, plain);
                        match insert_macro(&shown, id) {
                            Some(of_node) => (of_node.format)(value),
                            None => control.format(value),
                        }
                    }))
                    .with_string_to_value(Arc::new(move |text| {
                        let value = match insert_macro(&read, id) {
                            Some(of_node) => (of_node.parse)(text),
                            None => control.parse_any(text).ok(),
                        };
                        value.map(|value| to_plain(control, control.snap(value)))
                    }))
                    .with_callback(Arc::new(move |_| dirty.mark(index))),
            )
        }
        Values::Choice { names, default, .. } => {
            let range = IntRange::Linear {
                min: 0,
                max: names.len() as i32 - 1,
            };
            Slot::Choice(
                IntParam::new(control.name, default as i32, range)
                    .with_value_to_string(Arc::new(|plain| control.format(f64::from(plain))))
                    .with_string_to_value(Arc::new(|text| {
                        control.parse_any(text).ok().map(|value| value as i32)
                    }))
                    .with_callback(Arc::new(move |_| dirty.mark(index))),
            )
        }
        Values::Switch { default } => {
            let param = BoolParam::new(control.name, default)
                .with_value_to_string(Arc::new(|on| control.format(f64::from(u8::from(on)))))
                .with_string_to_value(Arc::new(|text| {
                    control.parse_any(text).ok().map(|value| value >= 0.5)
                }))
                .with_callback(Arc::new(move |_| dirty.mark(index)));
            Slot::Switch(if id == controls::BYPASS {
                param.make_bypass()
            } else {
                param
            })
        }
    }
}

/// The host's hand, for tests: nice-plug's setters are unsafe to call and stay in this file.
#[cfg(test)]
impl ZgParams {
    pub(super) fn host_sets(&self, id: ControlId, value: f64) {
        use nice_plug::params::InternalParamMut;
        let normalized = id.control().to_normalized(value) as f32;
        // SAFETY: "unsafe" only keeps plugins from calling it; the host's part is played here.
        with_param!(&self.slots[id.index()], p => unsafe { p._internal_set_normalized_value(normalized) });
    }

    pub(super) fn host_modulates(&self, id: ControlId, offset: f32) {
        use nice_plug::params::InternalParamMut;
        // SAFETY: as above.
        with_param!(&self.slots[id.index()], p => unsafe { p._internal_modulate_value(offset) });
    }
}

#[cfg(test)]
mod tests;
