//! A small CLAP host around one instance of the plugin.

use crate::library::library;
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, PluginParams};
use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
use clack_extensions::state::PluginState;
use clack_extensions::tail::{PluginTail, TailLength};
use clack_host::events::Pckn;
use clack_host::events::event_types::{MidiEvent, NoteOnEvent, ParamValueEvent, TransportEvent};
use clack_host::prelude::*;
use clack_host::utils::ClapId;
use std::collections::HashMap;
use std::ffi::CString;
use zeitgeber::engine::ControlId;

/// A change of a parameter: at this frame of the render, to this value in the control's unit.
pub type Change = (usize, ControlId, f64);

/// Two channels of equal length.
pub type Stereo = [Vec<f32>; 2];

pub struct Shared;

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {}
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

pub struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = ();
    type AudioProcessor<'a> = ();
}

/// Loads the library. It is never unloaded while the entry lives.
pub fn load() -> PluginEntry {
    // SAFETY: the library is our own plugin, built by this very run of cargo.
    unsafe { PluginEntry::load(library()) }.expect("the CLAP loads")
}

/// One instance, active or not.
pub struct Rig {
    instance: PluginInstance<Handlers>,
    ids: HashMap<String, (ClapId, f64)>,
    inputs: usize,
}

/// An active instance that is processing.
pub struct Running<'rig> {
    rig: &'rig mut Rig,
    /// MIDI notes to be played, with their frames, ascending.
    pub notes: Vec<(usize, u8)>,
    /// MIDI messages for the next block, with their frames.
    pub midi: Vec<(usize, [u8; 3])>,
    processor: Option<StartedPluginAudioProcessor<Handlers>>,
}

impl Rig {
    /// Makes an instance of the stereo class.
    pub fn new(entry: &PluginEntry) -> Rig {
        Rig::of(entry, c"org.zeitgeber.zeitgeber")
    }

    /// Makes an instance of a class.
    pub fn of(entry: &PluginEntry, class: &std::ffi::CStr) -> Rig {
        let host = HostInfo::new("Zeitgeber's tests", "Zeitgeber", "", "1").expect("a valid host");
        let mut instance = PluginInstance::<Handlers>::new(|_| Shared, |_| (), entry, class, &host)
            .expect("an instance is made");
        let plugin = instance.plugin_handle();
        let params: PluginParams = plugin.get_extension().expect("the plugin has parameters");
        let mut ids = HashMap::new();
        for index in 0..params.count(&plugin) {
            let mut buffer = ParamInfoBuffer::new();
            let info = params
                .get_info(&plugin, index, &mut buffer)
                .expect("every parameter has an info");
            let name = String::from_utf8(info.name.to_vec()).expect("names are UTF-8");
            ids.insert(name, (info.id, info.max_value));
        }
        Rig {
            instance,
            ids,
            inputs: 2,
        }
    }

    fn id(&self, control: ControlId) -> (ClapId, f64) {
        *self
            .ids
            .get(control.control().name)
            .unwrap_or_else(|| panic!("no {}", control.control().name))
    }

    /// How many parameters the host sees.
    pub fn params(&self) -> usize {
        self.ids.len()
    }

    /// Channels of the only input and output port.
    pub fn channels(&mut self) -> [Vec<u32>; 2] {
        let plugin = self.instance.plugin_handle();
        let ports: PluginAudioPorts = plugin.get_extension().expect("the plugin has audio ports");
        [true, false].map(|input| {
            (0..ports.count(&plugin, input))
                .map(|index| {
                    let mut buffer = AudioPortInfoBuffer::new();
                    ports
                        .get(&plugin, index, input, &mut buffer)
                        .expect("a port has an info")
                        .channel_count
                })
                .collect()
        })
    }

    /// The layouts by name, and selects one of them: its number of inputs is what is passed from then on.
    pub fn layouts(&mut self, select: Option<usize>) -> Vec<String> {
        let plugin = self.instance.plugin_handle();
        let configs: PluginAudioPortsConfig =
            plugin.get_extension().expect("the plugin has layouts");
        let mut names = Vec::new();
        for index in 0..configs.count(&plugin) {
            let mut buffer = AudioPortsConfigBuffer::new();
            let config = configs
                .get(&plugin, index, &mut buffer)
                .expect("a layout has an info");
            names.push(String::from_utf8_lossy(config.name).into_owned());
            if select == Some(index as usize) {
                configs
                    .select(&plugin, config.id)
                    .expect("a layout can be selected");
                self.inputs = config
                    .main_input
                    .map_or(0, |main| main.channel_count as usize);
            }
        }
        names
    }

    /// The pages of a host's remote control: their names and how many parameters are on them.
    pub fn pages(&mut self) -> Vec<(String, usize)> {
        let plugin = self.instance.plugin_handle();
        let remote: PluginRemoteControls = plugin.get_extension().expect("the plugin has pages");
        (0..remote.count(&plugin))
            .map(|index| {
                let mut buffer = RemoteControlsPageBuffer::new();
                let page = remote
                    .get(&plugin, index, &mut buffer)
                    .expect("a page has an info");
                let name = String::from_utf8_lossy(page.page_name).into_owned();
                (name, page.param_ids.iter().flatten().count())
            })
            .collect()
    }

    /// The value of a parameter as the host reads it, in the control's unit.
    pub fn value(&mut self, control: ControlId) -> f64 {
        let (id, max) = self.id(control);
        let plugin = self.instance.plugin_handle();
        let params: PluginParams = plugin.get_extension().expect("the plugin has parameters");
        let value = params
            .get_value(&plugin, id)
            .expect("a known parameter has a value");
        control.control().from_normalized(value / max)
    }

    /// The value's text, and what the plugin reads from it again, in the control's unit.
    pub fn text(&mut self, control: ControlId, value: f64) -> (String, f64) {
        let (id, max) = self.id(control);
        let plugin = self.instance.plugin_handle();
        let params: PluginParams = plugin.get_extension().expect("the plugin has parameters");
        let normalized = control.control().to_normalized(value) * max;
        let mut buffer = [0u8; 256];
        let text = params
            .value_to_text(&plugin, id, normalized, &mut buffer)
            .expect("a value has a text");
        let text = CString::new(text.to_vec()).expect("text without a zero");
        let back = params
            .text_to_value(&plugin, id, &text)
            .expect("own text is read");
        (
            text.into_string().expect("text is UTF-8"),
            control.control().from_normalized(back / max),
        )
    }

    /// Latency in frames.
    pub fn latency(&mut self) -> u32 {
        let plugin = self.instance.plugin_handle();
        plugin
            .get_extension::<PluginLatency>()
            .map_or(0, |latency| latency.get(&plugin))
    }

    /// The state as the host saves it.
    pub fn save(&mut self) -> Vec<u8> {
        let plugin = self.instance.plugin_handle();
        let state: PluginState = plugin.get_extension().expect("the plugin has a state");
        let mut bytes = Vec::new();
        state.save(&plugin, &mut bytes).expect("the state is saved");
        bytes
    }

    /// Loads a state. False where the plugin says that it cannot.
    pub fn load(&mut self, bytes: &[u8]) -> bool {
        let plugin = self.instance.plugin_handle();
        let state: PluginState = plugin.get_extension().expect("the plugin has a state");
        state.load(&plugin, &mut &bytes[..]).is_ok()
    }

    /// Activates at `rate` hertz and starts processing; `None` where the plugin refuses.
    pub fn start(&mut self, rate: f64) -> Option<Running<'_>> {
        let configuration = PluginAudioConfiguration {
            sample_rate: rate,
            min_frames_count: 1,
            max_frames_count: 8192,
        };
        let stopped = self.instance.activate(|_, _| (), configuration).ok()?;
        let started = stopped.start_processing().ok()?;
        Some(Running {
            rig: self,
            notes: Vec::new(),
            midi: Vec::new(),
            processor: Some(started),
        })
    }
}

impl Running<'_> {
    /// Renders `input` in the given block sizes (the last repeats). `transport` gives the transport at a
    /// frame of the render.
    pub fn render(
        &mut self,
        input: &Stereo,
        blocks: &[usize],
        changes: &[Change],
        transport: impl Fn(usize) -> Option<TransportEvent>,
    ) -> Stereo {
        let frames = input[0].len();
        let mut output = [vec![f32::NAN; frames], vec![f32::NAN; frames]];
        let mut blocks = blocks.iter().copied();
        let mut length = 1;
        let mut start = 0;
        while start < frames {
            length = blocks.next().unwrap_or(length);
            let end = (start + length).min(frames);
            self.block(
                input,
                &mut output,
                start..end,
                changes,
                transport(start).as_ref(),
            );
            start = end;
        }
        output
    }

    /// Processes the given frames and returns what the plugin said.
    pub fn block(
        &mut self,
        input: &Stereo,
        output: &mut Stereo,
        frames: std::ops::Range<usize>,
        changes: &[Change],
        transport: Option<&TransportEvent>,
    ) -> ProcessStatus {
        let buffer = self.events(&frames, changes);
        let inputs = input
            .iter()
            .take(self.rig.inputs)
            .map(|channel| channel[frames.clone()].to_vec())
            .collect();
        let outputs = output
            .iter_mut()
            .map(|channel| &mut channel[frames.clone()])
            .collect();
        self.process(inputs, outputs, &buffer, transport)
    }

    /// Loads a state while it plays.
    pub fn load(&mut self, bytes: &[u8]) -> bool {
        self.rig.load(bytes)
    }

    /// What happens in some frames.
    fn events(&self, frames: &std::ops::Range<usize>, changes: &[Change]) -> EventBuffer {
        let events: Vec<ParamValueEvent> = changes
            .iter()
            .filter(|(at, ..)| frames.contains(at))
            .map(|&(at, control, value)| {
                let (id, max) = self.rig.id(control);
                let value = control.control().to_normalized(value) * max;
                ParamValueEvent::new((at - frames.start) as u32, id, Pckn::match_all(), value)
            })
            .collect();
        let mut buffer = EventBuffer::with_capacity(events.len());
        for event in &events {
            buffer.push(event);
        }
        for &(at, key) in self.notes.iter().filter(|(at, _)| frames.contains(at)) {
            let pckn = Pckn::new(0u16, 0u16, u16::from(key), 0u32);
            buffer.push(&NoteOnEvent::new((at - frames.start) as u32, pckn, 1.0));
        }
        for &(at, data) in &self.midi {
            buffer.push(&MidiEvent::new(at as u32, 0, data));
        }
        buffer.sort();
        buffer
    }

    /// Renders a bus of as many channels as the layout has, in blocks of a size.
    pub fn render_bus(
        &mut self,
        input: &[Vec<f32>],
        block: usize,
        changes: &[Change],
        transport: impl Fn(usize) -> Option<TransportEvent>,
    ) -> Vec<Vec<f32>> {
        let length = input[0].len();
        let mut output = vec![vec![f32::NAN; length]; input.len()];
        for start in (0..length).step_by(block) {
            let frames = start..(start + block).min(length);
            let buffer = self.events(&frames, changes);
            let inputs = input.iter().map(|c| c[frames.clone()].to_vec()).collect();
            let outputs = output.iter_mut().map(|c| &mut c[frames.clone()]).collect();
            self.process(inputs, outputs, &buffer, transport(start).as_ref());
        }
        output
    }

    fn process(
        &mut self,
        mut inputs: Vec<Vec<f32>>,
        mut outputs: Vec<&mut [f32]>,
        events: &EventBuffer,
        transport: Option<&TransportEvent>,
    ) -> ProcessStatus {
        let mut in_ports = AudioPorts::with_capacity(inputs.len().max(2), 1);
        let mut out_ports = AudioPorts::with_capacity(outputs.len().max(2), 1);
        let in_audio = in_ports.with_input_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                inputs.iter_mut().map(InputChannel::variable),
            ),
        }]);
        let mut out_audio = out_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(
                outputs.iter_mut().map(|channel| &mut **channel),
            ),
        }]);
        self.processor
            .as_mut()
            .expect("the plugin is processing")
            .process(
                &in_audio,
                &mut out_audio,
                &InputEvents::from_buffer(events),
                &mut OutputEvents::void(),
                None,
                transport,
            )
            .expect("the plugin processes")
    }

    /// The tail as the host reads it after a block.
    pub fn tail(&mut self) -> TailLength {
        let processor = self.processor.as_mut().expect("the plugin is processing");
        let plugin = processor.plugin_handle();
        let tail: PluginTail = plugin.get_extension().expect("the plugin has a tail");
        tail.get(&plugin)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(processor) = self.processor.take() {
            self.rig.instance.deactivate(processor.stop_processing());
        }
    }
}
