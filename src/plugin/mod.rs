//! The plugin shell on nice-plug: parameters, state, transport and life cycle around the engine.

mod class;
mod export;
mod fence;
mod filters;
mod guard;
mod inserts;
mod loader;
mod outbox;
mod params;
mod session;
mod sink;
mod state;
mod transport;
mod worker;

pub use class::{AMBISONIC_LAYOUTS, Ambisonic, Class, STEREO_LAYOUTS, Stereo};
pub use fence::FenceTask;
pub use params::ZgParams;

use crate::control::{AudioMidi, Hooks};
use crate::dsp::level::repair;
use crate::editor::{Chain, Link, ZgEditor};
use crate::engine::{Change, Engine, Event, Tail, Telemetry, controls};
use crate::protocol::Library;
use crate::space::wish_ahead;
use fence::Fence;
use filters::Filters;
use inserts::Inserts;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{
    ActivateContext, AsyncExecutor, AudioIOLayout, AuxiliaryBuffers, Buffer, BufferConfig,
    ClapFeature, ClapPlugin, MidiConfig, NoteEvent, Params, Plugin, PluginApi, PluginState,
    ProcessContext, ProcessStatus, RemoteControlsContext, RemoteControlsSection, TaskExecutor,
    Vst3Plugin, Vst3SubCategory,
};
use outbox::Collector;
use session::Session;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use transport::{HostClock, Lead};
use worker::{Report, Reporter};

/// Whether audio has ever been processed in this process, and how many instances it has made: the
/// standalone's proof that its backend runs.
static HAS_RUN: AtomicBool = AtomicBool::new(false);
static INSTANCES: AtomicU64 = AtomicU64::new(0);

/// Whether the standalone's backend has a transport that others use, too.
static SHARES_TRANSPORT: AtomicBool = AtomicBool::new(false);

/// The standalone says whether its backend has a transport that other programs start and stop (JACK). Without one its
/// window leads the protocol; with one until that transport rolls for the first time.
pub fn share_transport(shares: bool) {
    SHARES_TRANSPORT.store(shares, Ordering::Relaxed);
}

/// Most notes of one block that are heeded; the carrier follows one at a time.
const NOTES: usize = 128;

/// Whether any instance in this process has processed audio.
pub fn has_run() -> bool {
    HAS_RUN.load(Ordering::Relaxed)
}

/// How many instances have been made in this process.
pub fn instances_made() -> u64 {
    INSTANCES.load(Ordering::Relaxed)
}

/// What an instance has nice-plug do on other threads.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    /// On its background thread: the fence before the instance goes, or a rest while a window closes.
    Fence(FenceTask),
    /// On the host's own thread: the window's words for the host.
    Collect,
}

/// The plugin of class `C`. `CC`: whether it takes MIDI controllers; in VST3 they would be 2080 parameters,
/// so only the CLAP and the standalone do.
pub struct Zg<const CC: bool, C: Class = Stereo> {
    params: Arc<ZgParams>,
    link: Arc<Link>,
    engine: Option<Engine>,
    clock: HostClock,
    mono_in: bool,
    /// The notes of a block; never more than fit without allocating.
    notes: Vec<Event>,
    /// What MIDI controllers of the host have learned to move.
    midi: AudioMidi,
    repaired: Repaired,
    reporter: Reporter,
    filters: Arc<Filters>,
    inserts: Arc<Inserts>,
    session: Arc<Session>,
    fence: Arc<Fence>,
    collector: Arc<Collector>,
    executor: Option<AsyncExecutor<Self>>,
    api: Option<PluginApi>,
    class: PhantomData<C>,
}

impl<const CC: bool, C: Class> Default for Zg<CC, C> {
    fn default() -> Self {
        INSTANCES.fetch_add(1, Ordering::Relaxed);
        let link = Arc::new(Link::default());
        guard::announce(&link);
        let filters = Arc::new(Filters::new(link.clone()));
        let inserts = Arc::new(Inserts::new(link.clone()));
        let params = Arc::new(ZgParams::new(link.clone()));
        let session = Arc::new(Session::new(link.clone(), params.clone()));
        params.answer_to(&session);
        params.bring_by(&filters, &inserts);
        let reporter = worker::attach(&link, &filters, &inserts, &session);
        let (host, voice, wake) = (
            Arc::downgrade(&params),
            Arc::downgrade(&link),
            reporter.waker(),
        );
        link.control.belong(Hooks {
            host: Box::new(move |id| host.upgrade().map_or(f64::NAN, |host| host.value(id))),
            say: Box::new(move |text| {
                if let Some(link) = voice.upgrade() {
                    link.messages.post(text);
                }
            }),
            wake: Box::new(wake),
        });
        // Beside the presets: what a project may do on this machine is no part of the project.
        if let Some(folder) = Library::new().folder().and_then(Path::parent) {
            link.control.keep_consent_in(folder);
        }
        Zg {
            params,
            reporter,
            midi: link.control.audio(),
            filters,
            inserts,
            session,
            link,
            engine: None,
            clock: HostClock::default(),
            mono_in: false,
            notes: Vec::with_capacity(NOTES),
            repaired: Repaired::default(),
            fence: Arc::default(),
            collector: Arc::default(),
            executor: None,
            api: None,
            class: PhantomData,
        }
    }
}

impl<const CC: bool, C: Class> Plugin for Zg<CC, C> {
    const NAME: &'static str = C::NAME;
    const VENDOR: &'static str = "Zeitgeber";
    const URL: &'static str = env!("CARGO_PKG_HOMEPAGE");
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = C::LAYOUTS;
    const MIDI_INPUT: MidiConfig = if CC {
        MidiConfig::MidiCCs
    } else {
        MidiConfig::Basic
    };
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;
    // In VST3 every point of every automation lane in a block is an event.
    const INPUT_EVENT_CAPACITY: usize = 1024;

    type Editor = ZgEditor;
    type SysExMessage = ();
    type BackgroundTask = Task;

    fn task_executor(&mut self) -> TaskExecutor<Self> {
        let (pass, collector) = (self.fence.executor(), self.collector.clone());
        Box::new(move |task| match task {
            Task::Fence(fence) => pass(fence),
            Task::Collect => collector.collect(),
        })
    }

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, executor: AsyncExecutor<Self>) -> Option<ZgEditor> {
        self.executor = Some(executor.clone());
        let (fence, closed) = (self.fence.clone(), self.fence.clone());
        let background = executor.clone();
        let wake = Arc::new(move || executor.execute_gui(Task::Collect));
        let closing = sink::Closing {
            begins: Arc::new(move |context: &GuiContext| {
                if cfg!(target_os = "linux") && context.plugin_api() == PluginApi::Vst3 {
                    let post = |task| background.execute_background(Task::Fence(task));
                    fence.window_closes::<Self>(post);
                }
            }),
            ends: Arc::new(move || closed.window_closed()),
        };
        Some(ZgEditor::new(
            self.link.clone(),
            sink::maker(&self.params, &self.session, &self.collector, wake, closing),
        ))
    }

    fn filter_state(state: &mut PluginState) {
        state::filter(state);
    }

    /// Nothing here depends on the process mode: in VST3 it is the one from before.
    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        config: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.api = Some(context.plugin_api());
        self.mono_in = layout
            .main_input_channels
            .is_some_and(|channels| channels.get() == 1);
        let rate = f64::from(config.sample_rate);
        let channels = layout.main_output_channels.map_or(0, |n| n.get() as usize);
        let bus = C::bus(channels);
        self.params.set_bus(bus);
        if self
            .engine
            .as_ref()
            .is_some_and(|engine| engine.sample_rate() == rate && engine.bus() == bus)
        {
            self.bring_filters();
            self.inserts.bring_known();
            self.session.sync();
            return true;
        }
        // Also where the new one cannot be made: an engine of another rate would sound wrong.
        self.engine = None;
        let engine = match bus {
            None => Engine::new(rate),
            Some(order) => Engine::ambisonic(rate, order),
        };
        match engine {
            Ok(mut engine) => {
                self.filters.attach(&mut engine);
                self.inserts.attach(&mut engine);
                self.session.attach(&mut engine);
                self.link.watch(engine.telemetry().clone());
                self.link.set_chain(Chain {
                    description: engine.graph().to_json().clone(),
                    places: engine.graph().places().map(str::to_owned).collect(),
                });
                self.repaired = Repaired::default();
                self.engine = Some(engine);
                self.params.mark_all();
                self.bring_filters();
                self.inserts.bring_known();
                self.session.sync();
                true
            }
            // A host that runs at such a rate (validators do) keeps its audio; a rate that is none is refused.
            Err(error) if rate.is_finite() && rate > 0.0 => {
                self.link
                    .messages
                    .post(format!("{error}. The audio passes through untouched."));
                true
            }
            Err(error) => {
                self.link
                    .messages
                    .post(format!("the host's sample rate is refused: {error}"));
                false
            }
        }
    }

    fn reset(&mut self) {
        self.clock.reset();
        if let Some(engine) = &mut self.engine {
            engine.reset();
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        _aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        HAS_RUN.store(true, Ordering::Relaxed);
        // nice-plug always gives the channels of the layout; a host that passes fewer is not processed.
        let channels = buffer.as_slice();
        let [left, right, ..] = channels else {
            return ProcessStatus::Normal;
        };
        let frames = left.len();
        if self.mono_in {
            // nice-plug copied the input to the first output only.
            right.copy_from_slice(left);
        }
        let Some(engine) = &mut self.engine else {
            // What the engine would repair is repaired without it, too.
            for channel in channels {
                repair(channel);
            }
            return ProcessStatus::Normal;
        };
        self.params.take_changes(|id, value| engine.set(id, value));
        let lead = match self.api {
            Some(PluginApi::Standalone) => standalone_lead(self.params.value(controls::RUN)),
            _ => Lead::Host,
        };
        let rate = engine.sample_rate();
        let transport = self.clock.read_led(lead, context.transport(), rate, frames);
        self.notes.clear();
        while let Some(event) = context.next_event() {
            if let NoteEvent::NoteOn { timing, key, .. } = event
                && let Some(note) = key.number()
                && self.notes.len() < NOTES
            {
                self.notes.push(Event {
                    frame: timing as usize,
                    control: controls::CARRIER_SOURCE,
                    change: Change::Note(note),
                });
            }
            if let Some(message) = controller(&event) {
                let params = &self.params;
                self.midi.hear(message, engine, |id| params.value(id));
            }
        }
        engine.process_channels(channels, transport, &self.notes);
        self.repaired.report(engine.telemetry(), &mut self.reporter);
        match engine.tail() {
            // A generator that said Normal would be put to sleep on silent input.
            Tail::Infinite => ProcessStatus::KeepAlive,
            Tail::Frames(frames) => ProcessStatus::Tail(frames),
            Tail::None => ProcessStatus::Normal,
        }
    }

    fn deactivate(&mut self) {
        // In CLAP parameter changes go through the host's own queue: nothing is left behind there, and a
        // fence would be the only task that could be.
        if self.api == Some(PluginApi::Clap) {
            return;
        }
        if let Some(executor) = &self.executor {
            let post = |task| executor.execute_background(Task::Fence(task));
            self.fence.deactivates::<Self>(post);
        }
    }
}

impl<const CC: bool, C: Class> Zg<CC, C> {
    /// A bounce never starts with the wrong filters: what the state asks for is there before the first block. No block
    /// waits for a load, so of the embedded set what a lane of space or room may ask for is brought, too.
    fn bring_filters(&self) {
        let Some(engine) = &self.engine else { return };
        self.filters.ask_again();
        let asked = |id| self.params.value(id);
        let wish = if self.link.hrtf().choice.is_none() {
            wish_ahead(engine, asked)
        } else {
            engine.space_wish_of(asked)
        };
        if let Some(wish) = wish {
            self.filters.ensure(wish);
        }
    }
}

/// Who leads in the standalone, where `run` is so: what is to sound with the transport waits for it.
fn standalone_lead(run: f64) -> Lead {
    match SHARES_TRANSPORT.load(Ordering::Relaxed) {
        true if run as usize == controls::RUN_TRANSPORT => Lead::Host,
        true => Lead::OnceItRolls,
        false => Lead::Window,
    }
}

/// The bytes of a controller, wheel, program change, pressure or note; they act at the start of their block.
fn controller(event: &NoteEvent<()>) -> Option<[u8; 3]> {
    let bits = |value: f32, most: f32| (value.clamp(0.0, 1.0) * most).round() as u16;
    match *event {
        NoteEvent::MidiCC {
            channel, cc, value, ..
        } => Some([0xB0 | channel & 15, cc & 127, bits(value, 127.0) as u8]),
        NoteEvent::MidiPitchBend { channel, value, .. } => {
            let bend = bits(value, 16_383.0);
            Some([0xE0 | channel & 15, (bend & 127) as u8, (bend >> 7) as u8])
        }
        NoteEvent::MidiProgramChange {
            channel, program, ..
        } => Some([0xC0 | channel & 15, program & 127, 0]),
        NoteEvent::MidiChannelPressure {
            channel, pressure, ..
        } => Some([0xD0 | channel & 15, bits(pressure, 127.0) as u8, 0]),
        NoteEvent::NoteOn {
            channel,
            key,
            velocity,
            ..
        } => {
            // Quiet as it may be, it is pressed.
            let velocity = bits(velocity, 127.0).max(1) as u8;
            Some([
                0x90 | channel.number().unwrap_or(0) & 15,
                key.number()? & 127,
                velocity,
            ])
        }
        NoteEvent::NoteOff {
            channel,
            key,
            velocity,
            ..
        } => {
            let velocity = bits(velocity, 127.0) as u8;
            Some([
                0x80 | channel.number().unwrap_or(0) & 15,
                key.number()? & 127,
                velocity,
            ])
        }
        _ => None,
    }
}

/// How much the engine has repaired, as far as it has been told to the musician.
#[derive(Default)]
struct Repaired {
    input: u64,
    output: u64,
}

impl Repaired {
    fn report(&mut self, telemetry: &Telemetry, reporter: &mut Reporter) {
        let (input, output) = (telemetry.input_repaired(), telemetry.output_repaired());
        // Where the ring is full the count stays, and the next block tells of both.
        if input > self.input && reporter.push(Report::InputRepaired(input - self.input)) {
            self.input = input;
        }
        if output > self.output && reporter.push(Report::OutputRepaired(output - self.output)) {
            self.output = output;
        }
    }
}

impl<const CC: bool, C: Class> ClapPlugin for Zg<CC, C> {
    const CLAP_ID: &'static str = C::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(C::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = C::CLAP_FEATURES;

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        let groups = self.params.groups();
        context.add_section(C::NAME, |section| {
            for group in groups {
                section.add_page(group, |page| self.params.fill_page(group, page));
            }
        });
    }
}

impl<const CC: bool, C: Class> Vst3Plugin for Zg<CC, C> {
    const VST3_CLASS_ID: [u8; 16] = C::VST3_CLASS_ID;
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = C::VST3_SUBCATEGORIES;
}
