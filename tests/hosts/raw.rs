//! A host that is as rude as C lets it be: the CLAP through its plain ABI, from any thread, with whatever counts and
//! positions it likes.

use crate::library::library;
use crate::watch::on_the_audio_thread;
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::entry::clap_plugin_entry;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_MIDI, CLAP_EVENT_PARAM_VALUE, CLAP_EVENT_TRANSPORT,
    CLAP_TRANSPORT_HAS_BEATS_TIMELINE, CLAP_TRANSPORT_HAS_SECONDS_TIMELINE,
    CLAP_TRANSPORT_HAS_TEMPO, CLAP_TRANSPORT_HAS_TIME_SIGNATURE, CLAP_TRANSPORT_IS_PLAYING,
    clap_event_header, clap_event_midi, clap_event_param_value, clap_event_transport,
    clap_input_events, clap_output_events,
};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::clap_process;
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use zeitgeber::engine::ControlId;

pub const STEREO: &CStr = c"org.zeitgeber.zeitgeber";
pub const AMBISONIC: &CStr = c"org.zeitgeber.zeitgeber-ambisonic";

/// The library in memory. It has been initialised, and is taken down again when it is dropped.
pub struct Library {
    entry: *const clap_plugin_entry,
    // Dropped last.
    _library: libloading::Library,
}

// SAFETY: the entry is constant data of the library, and its functions may be called from any thread.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

impl Library {
    /// The plugin that cargo has just built.
    pub fn open() -> Library {
        Library::at(&library())
    }

    /// The library of a file.
    pub fn at(path: &Path) -> Library {
        // SAFETY: it is our own plugin, whose entry has this type.
        unsafe {
            let library = libloading::Library::new(path).expect("the library loads");
            let entry: *const clap_plugin_entry = *library
                .get::<*const clap_plugin_entry>(b"clap_entry\0")
                .expect("a CLAP has an entry");
            let name = std::ffi::CString::new(path.to_str().expect("UTF-8")).expect("no zero");
            assert!((*entry).init.expect("a function")(name.as_ptr()));
            Library {
                entry,
                _library: library,
            }
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: it has been initialised, and no instance borrows it any more.
        unsafe { (*self.entry).deinit.expect("a function")() };
    }
}

unsafe extern "C" fn no_extension(_: *const clap_host, _: *const c_char) -> *const c_void {
    std::ptr::null()
}

unsafe extern "C" fn nothing(_: *const clap_host) {}

/// A host's end without extensions.
struct Host(clap_host);

// SAFETY: it holds pointers to constants only.
unsafe impl Sync for Host {}

static HOST: Host = Host(clap_host {
    clap_version: CLAP_VERSION,
    host_data: std::ptr::null_mut(),
    name: c"Zeitgeber's tests".as_ptr(),
    vendor: c"Zeitgeber".as_ptr(),
    url: c"".as_ptr(),
    version: c"1".as_ptr(),
    get_extension: Some(no_extension),
    request_restart: Some(nothing),
    request_process: Some(nothing),
    request_callback: Some(nothing),
});

/// What comes to the plugin in a block.
#[derive(Clone, Copy)]
pub enum Sent {
    Param(clap_event_param_value),
    Midi(clap_event_midi),
    Transport(clap_event_transport),
}

impl Sent {
    fn header(&self) -> &clap_event_header {
        match self {
            Sent::Param(event) => &event.header,
            Sent::Midi(event) => &event.header,
            Sent::Transport(event) => &event.header,
        }
    }
}

fn header<T>(time: u32, kind: u16) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        time,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_: kind,
        flags: 0,
    }
}

/// A MIDI message at a frame.
pub fn midi(time: u32, data: [u8; 3]) -> Sent {
    Sent::Midi(clap_event_midi {
        header: header::<clap_event_midi>(time, CLAP_EVENT_MIDI),
        port_index: 0,
        data,
    })
}

/// A transport that plays from a second of the song at a tempo; the same in beats.
pub fn playing(seconds: f64, tempo: f64) -> clap_event_transport {
    let fixed = |x: f64| (x * 2.0f64.powi(31)) as i64;
    clap_event_transport {
        header: header::<clap_event_transport>(0, CLAP_EVENT_TRANSPORT),
        flags: CLAP_TRANSPORT_IS_PLAYING
            | CLAP_TRANSPORT_HAS_TEMPO
            | CLAP_TRANSPORT_HAS_BEATS_TIMELINE
            | CLAP_TRANSPORT_HAS_SECONDS_TIMELINE
            | CLAP_TRANSPORT_HAS_TIME_SIGNATURE,
        song_pos_beats: fixed(seconds * tempo / 60.0),
        song_pos_seconds: fixed(seconds),
        tempo,
        tempo_inc: 0.0,
        loop_start_beats: 0,
        loop_end_beats: 0,
        loop_start_seconds: 0,
        loop_end_seconds: 0,
        bar_start: 0,
        bar_number: 0,
        tsig_num: 4,
        tsig_denom: 4,
    }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: the context is the slice that `Instance::process` made this list of.
    let events = unsafe { *((*list).ctx as *const &[Sent]) };
    events.len() as u32
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above.
    let events = unsafe { *((*list).ctx as *const &[Sent]) };
    events
        .get(index as usize)
        .map_or(std::ptr::null(), |event| event.header())
}

unsafe extern "C" fn swallow(_: *const clap_output_events, _: *const clap_event_header) -> bool {
    true
}

/// Reads what a plugin saves into a vector; refuses once `limit` bytes have come, as a full disk does.
struct Sink {
    bytes: Vec<u8>,
    limit: usize,
}

unsafe extern "C" fn take(stream: *const clap_ostream, data: *const c_void, size: u64) -> i64 {
    // SAFETY: the context is the sink of `Instance::save`, and the plugin gives so many bytes.
    unsafe {
        let sink = &mut *((*stream).ctx as *mut Sink);
        // Little at a time: a host may.
        let size = (size as usize).min(4096);
        if sink.bytes.len() + size > sink.limit {
            return -1;
        }
        sink.bytes
            .extend_from_slice(std::slice::from_raw_parts(data.cast::<u8>(), size));
        size as i64
    }
}

unsafe extern "C" fn give(stream: *const clap_istream, data: *mut c_void, size: u64) -> i64 {
    // SAFETY: the context is the rest of the bytes of `Instance::load`, and the plugin has room for so many.
    unsafe {
        let rest = &mut *((*stream).ctx as *mut &[u8]);
        let size = (size as usize).min(rest.len()).min(4096);
        std::ptr::copy_nonoverlapping(rest.as_ptr(), data.cast::<u8>(), size);
        *rest = &rest[size..];
        size as i64
    }
}

/// One instance. All of it may be called from any thread: whether that is allowed is the test's business.
pub struct Instance<'library> {
    plugin: *const clap_plugin,
    ids: HashMap<String, (u32, f64)>,
    library: std::marker::PhantomData<&'library Library>,
}

// SAFETY: a CLAP says which of its functions are called on which thread; the tests keep to that.
unsafe impl Send for Instance<'_> {}
// SAFETY: as above.
unsafe impl Sync for Instance<'_> {}

impl<'library> Instance<'library> {
    /// Makes one of a class.
    pub fn of(library: &'library Library, class: &CStr) -> Instance<'library> {
        // SAFETY: these are the calls that a host makes, in their order, with valid arguments.
        unsafe {
            let factory =
                (*library.entry).get_factory.expect("a function")(CLAP_PLUGIN_FACTORY_ID.as_ptr())
                    as *const clap_plugin_factory;
            let plugin = (*factory).create_plugin.expect("a function")(
                factory,
                &raw const HOST.0,
                class.as_ptr(),
            );
            assert!(!plugin.is_null());
            assert!((*plugin).init.expect("a function")(plugin));
            let mut instance = Instance {
                plugin,
                ids: HashMap::new(),
                library: std::marker::PhantomData,
            };
            let params: &clap_plugin_params = instance.extension(CLAP_EXT_PARAMS);
            for index in 0..params.count.expect("a function")(plugin) {
                let mut info: clap_param_info = std::mem::zeroed();
                assert!(params.get_info.expect("a function")(
                    plugin, index, &mut info
                ));
                let name = CStr::from_ptr(info.name.as_ptr()).to_str().expect("UTF-8");
                instance
                    .ids
                    .insert(name.to_owned(), (info.id, info.max_value));
            }
            instance
        }
    }

    fn extension<T>(&self, name: &CStr) -> &'static T {
        // SAFETY: the caller names the type that belongs to the extension; the plugin's tables live as long as it.
        unsafe {
            let found =
                (*self.plugin).get_extension.expect("a function")(self.plugin, name.as_ptr());
            assert!(!found.is_null(), "{name:?}");
            &*(found as *const T)
        }
    }

    /// A parameter's change at a frame, in the control's unit.
    pub fn set(&self, time: u32, control: ControlId, value: f64) -> Sent {
        self.set_raw(time, control, control.control().to_normalized(value))
    }

    /// The same with a share of its range, or what pretends to be one.
    pub fn set_raw(&self, time: u32, control: ControlId, share: f64) -> Sent {
        let (id, max) = self.ids[control.control().name];
        Sent::Param(clap_event_param_value {
            header: header::<clap_event_param_value>(time, CLAP_EVENT_PARAM_VALUE),
            param_id: id,
            cookie: std::ptr::null_mut(),
            note_id: -1,
            port_index: -1,
            channel: -1,
            key: -1,
            value: share * max,
        })
    }

    /// The value of a parameter, in the control's unit.
    pub fn value(&self, control: ControlId) -> f64 {
        let (id, max) = self.ids[control.control().name];
        let params: &clap_plugin_params = self.extension(CLAP_EXT_PARAMS);
        let mut value = f64::NAN;
        // SAFETY: the id is one of the plugin's.
        assert!(unsafe { params.get_value.expect("a function")(self.plugin, id, &mut value) });
        control.control().from_normalized(value / max)
    }

    /// Activates and starts.
    pub fn start(&self, rate: f64, most: u32) -> bool {
        // SAFETY: the instance lives.
        unsafe {
            (*self.plugin).activate.expect("a function")(self.plugin, rate, 1, most)
                && (*self.plugin).start_processing.expect("a function")(self.plugin)
        }
    }

    /// Stops and deactivates.
    pub fn stop(&self) {
        // SAFETY: the instance lives, and has been started.
        unsafe {
            (*self.plugin).stop_processing.expect("a function")(self.plugin);
            (*self.plugin).deactivate.expect("a function")(self.plugin);
        }
    }

    /// Forgets what it has heard.
    pub fn reset(&self) {
        // SAFETY: the instance lives.
        unsafe { (*self.plugin).reset.expect("a function")(self.plugin) };
    }

    /// Processes the frames of `channels` in place; `told` is how many channels the host says that there are.
    pub fn process(
        &self,
        channels: &mut [Vec<f32>],
        told: u32,
        frames: u32,
        events: &[Sent],
        transport: Option<&clap_event_transport>,
    ) -> i32 {
        assert!(told as usize <= channels.len());
        assert!(
            channels
                .iter()
                .all(|channel| channel.len() >= frames as usize)
        );
        let mut pointers: Vec<*mut f32> = channels.iter_mut().map(|c| c.as_mut_ptr()).collect();
        let mut others = pointers.clone();
        pointers.truncate(told as usize);
        others.truncate(told as usize);
        // SAFETY: the channels live, and are as long as has just been looked at.
        unsafe { self.process_at(&mut pointers, &mut others, frames, events, transport) }
    }

    /// Processes what lies at these places: one for each channel that the host says that there is, or null. Without
    /// channels there is no port either.
    ///
    /// # Safety
    /// What is not null holds so many frames.
    pub unsafe fn process_at(
        &self,
        inputs: &mut [*mut f32],
        outputs: &mut [*mut f32],
        frames: u32,
        events: &[Sent],
        transport: Option<&clap_event_transport>,
    ) -> i32 {
        let port = |channels: &mut [*mut f32]| clap_audio_buffer {
            data32: channels.as_mut_ptr(),
            data64: std::ptr::null_mut(),
            channel_count: channels.len() as u32,
            latency: 0,
            constant_mask: 0,
        };
        let input = port(inputs);
        let mut output = port(outputs);
        let list = clap_input_events {
            ctx: (&raw const events).cast_mut().cast(),
            size: Some(size),
            get: Some(get),
        };
        let out = clap_output_events {
            ctx: std::ptr::null_mut(),
            try_push: Some(swallow),
        };
        let process = clap_process {
            steady_time: -1,
            frames_count: frames,
            transport: transport.map_or(std::ptr::null(), |transport| transport),
            audio_inputs: &raw const input,
            audio_outputs: &raw mut output,
            audio_inputs_count: u32::from(!inputs.is_empty()),
            audio_outputs_count: u32::from(!outputs.is_empty()),
            in_events: &raw const list,
            out_events: &raw const out,
        };
        // SAFETY: the buffers are as long as is told and live during the call; the instance has been started.
        on_the_audio_thread(|| unsafe {
            (*self.plugin).process.expect("a function")(self.plugin, &raw const process)
        })
    }

    /// The state; `None` where the host's stream took no more than `limit` bytes and the plugin said that it failed.
    pub fn save_within(&self, limit: usize) -> Option<Vec<u8>> {
        let state: &clap_plugin_state = self.extension(CLAP_EXT_STATE);
        let mut sink = Sink {
            bytes: Vec::new(),
            limit,
        };
        let stream = clap_ostream {
            ctx: (&raw mut sink).cast(),
            write: Some(take),
        };
        // SAFETY: the stream lives during the call.
        let saved = unsafe { state.save.expect("a function")(self.plugin, &raw const stream) };
        saved.then_some(sink.bytes)
    }

    /// The state.
    pub fn save(&self) -> Vec<u8> {
        self.save_within(usize::MAX).expect("the state is saved")
    }

    /// Loads a state; false where the plugin says that it cannot.
    pub fn load(&self, bytes: &[u8]) -> bool {
        let state: &clap_plugin_state = self.extension(CLAP_EXT_STATE);
        let mut rest = bytes;
        let stream = clap_istream {
            ctx: (&raw mut rest).cast(),
            read: Some(give),
        };
        // SAFETY: the stream lives during the call.
        unsafe { state.load.expect("a function")(self.plugin, &raw const stream) }
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        // SAFETY: nothing refers to the instance any more.
        unsafe { (*self.plugin).destroy.expect("a function")(self.plugin) };
    }
}

/// A saved state with another set of fields: each with the JSON text that is its value.
pub fn with_fields(saved: &[u8], fields: &[(&str, String)]) -> Vec<u8> {
    let mut state: serde_json::Value = serde_json::from_slice(&saved[8..]).expect("JSON");
    for (key, json) in fields {
        state["fields"][*key] = serde_json::Value::String(json.clone());
    }
    framed(state.to_string().into_bytes())
}

/// A state's text as it is saved: its length comes first.
pub fn framed(json: Vec<u8>) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json);
    bytes
}
