//! The CLAP: nice-plug's own plugin behind another face, which hands on what is sound and mends what is not.

use super::{Given, LONGEST_STATE, Pads, complaint, made, refuse};
use crate::editor::Link;
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, CLAP_TRANSPORT_HAS_TEMPO, clap_event_header,
    clap_event_transport, clap_input_events,
};
use clap_sys::ext::audio_ports::{
    CLAP_EXT_AUDIO_PORTS, clap_audio_port_info, clap_plugin_audio_ports,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::fixedpoint::{CLAP_BEATTIME_FACTOR, CLAP_SECTIME_FACTOR};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{
    CLAP_PROCESS_CONTINUE, CLAP_PROCESS_ERROR, clap_process, clap_process_status,
};
use clap_sys::stream::{clap_istream, clap_ostream};
use nice_plug::prelude::ClapPlugin;
use nice_plug::wrapper::clap::Wrapper;
use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Events of a block that can be put right; what is out of order after more than that is left out, with all that follows.
const MENDED: usize = 256;

/// Words of 8 bytes that every event fits that nice-plug reads; the longest is that of the transport.
const EVENT: usize = 16;

/// What a host holds: nice-plug's plugin with some functions of ours. nice-plug's functions know the plugin by its
/// data, which is theirs.
#[repr(C)]
struct Guarded {
    /// First, so that a pointer to it is one to the whole.
    face: clap_plugin,
    theirs: clap_plugin,
    link: Weak<Link>,
    /// While it is active. Only `activate` and `deactivate` take it beside `process`, and no host calls both at once; of one
    /// that does, `process` is refused.
    desk: Mutex<Option<Desk>>,
}

/// What `process` needs.
struct Desk {
    pads: Pads,
    events: Events,
}

/// Makes an instance of a class for a host.
///
/// # Safety
/// The host is what CLAP says that it is.
pub unsafe fn create<P: ClapPlugin>(host: *const clap_host) -> *const clap_plugin {
    if host.is_null() {
        return std::ptr::null();
    }
    // SAFETY: the caller's promise. `destroy` takes back what is leaked here.
    let wrapper = Arc::into_raw(unsafe { Wrapper::<P>::new(host) });
    // SAFETY: it lives, and nobody else knows of it yet.
    let theirs = unsafe { *(*wrapper).clap_plugin.as_ptr() };
    let face = clap_plugin {
        destroy: Some(destroy),
        activate: Some(activate),
        deactivate: Some(deactivate),
        process: Some(process),
        get_extension: Some(get_extension),
        ..theirs
    };
    let guarded = Box::new(Guarded {
        face,
        theirs,
        link: made(),
        desk: Mutex::new(None),
    });
    Box::into_raw(guarded).cast_const().cast()
}

/// # Safety
/// `plugin` is of [`create`], and has not been destroyed.
unsafe fn guarded<'a>(plugin: *const clap_plugin) -> Option<&'a Guarded> {
    // SAFETY: the face is the first field of what `create` made.
    unsafe { plugin.cast::<Guarded>().as_ref() }
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    if plugin.is_null() {
        return;
    }
    // SAFETY: it is of `create`, and the host does not use it any more.
    let guarded = unsafe { Box::from_raw(plugin.cast_mut().cast::<Guarded>()) };
    if let Some(destroy) = guarded.theirs.destroy {
        // SAFETY: as a host calls it.
        unsafe { destroy(&guarded.face) };
    }
}

unsafe extern "C" fn activate(
    plugin: *const clap_plugin,
    rate: f64,
    least: u32,
    most: u32,
) -> bool {
    // SAFETY: hosts give what `create` made.
    let Some(guarded) = (unsafe { guarded(plugin) }) else {
        return false;
    };
    let Some(activate) = guarded.theirs.activate else {
        return false;
    };
    // SAFETY: as a host calls it.
    if !unsafe { activate(plugin, rate, least, most) } {
        return false;
    }
    // SAFETY: as a host asks, on the same thread.
    let [inputs, outputs] = [true, false].map(|is_input| unsafe { channels(guarded, is_input) });
    let desk = Desk {
        pads: Pads::new(inputs, outputs, most as usize),
        events: Events::new(rate),
    };
    *guarded.desk.lock().unwrap_or_else(PoisonError::into_inner) = Some(desk);
    true
}

unsafe extern "C" fn deactivate(plugin: *const clap_plugin) {
    // SAFETY: hosts give what `create` made.
    let Some(guarded) = (unsafe { guarded(plugin) }) else {
        return;
    };
    *guarded.desk.lock().unwrap_or_else(PoisonError::into_inner) = None;
    if let Some(deactivate) = guarded.theirs.deactivate {
        // SAFETY: as a host calls it.
        unsafe { deactivate(plugin) };
    }
}

/// The channels of the main port as they are now.
///
/// # Safety
/// On the main thread.
unsafe fn channels(guarded: &Guarded, is_input: bool) -> usize {
    // SAFETY: tables of extensions live as long as the plugin, and are of the type that belongs to their name.
    unsafe {
        let ports = theirs::<clap_plugin_audio_ports>(guarded, CLAP_EXT_AUDIO_PORTS);
        let Some(get) = ports.and_then(|ports| ports.get) else {
            return 0;
        };
        let mut info: clap_audio_port_info = std::mem::zeroed();
        if get(&guarded.face, 0, is_input, &mut info) {
            info.channel_count as usize
        } else {
            0
        }
    }
}

/// nice-plug's own extension of a name.
///
/// # Safety
/// `T` is the type that belongs to the name.
unsafe fn theirs<'a, T>(guarded: &'a Guarded, name: &CStr) -> Option<&'a T> {
    let get = guarded.theirs.get_extension?;
    // SAFETY: the caller's promise.
    unsafe { get(&guarded.face, name.as_ptr()).cast::<T>().as_ref() }
}

static STATE: clap_plugin_state = clap_plugin_state {
    save: Some(save),
    load: Some(load),
};

unsafe extern "C" fn get_extension(
    plugin: *const clap_plugin,
    name: *const c_char,
) -> *const c_void {
    // SAFETY: hosts give what `create` made, and a text.
    let Some(guarded) = (unsafe { guarded(plugin) }).filter(|_| !name.is_null()) else {
        return std::ptr::null();
    };
    // SAFETY: as above.
    if unsafe { CStr::from_ptr(name) } == CLAP_EXT_STATE {
        return (&raw const STATE).cast();
    }
    match guarded.theirs.get_extension {
        // SAFETY: as a host calls it.
        Some(get) => unsafe { get(plugin, name) },
        None => std::ptr::null(),
    }
}

unsafe extern "C" fn save(plugin: *const clap_plugin, stream: *const clap_ostream) -> bool {
    // SAFETY: hosts give what `create` made; the table is of this type.
    unsafe {
        let state = guarded(plugin).and_then(|guarded| theirs(guarded, CLAP_EXT_STATE));
        match state.and_then(|state: &clap_plugin_state| state.save) {
            Some(save) => save(plugin, stream),
            None => false,
        }
    }
}

unsafe extern "C" fn load(plugin: *const clap_plugin, stream: *const clap_istream) -> bool {
    // SAFETY: hosts give what `create` made, and a stream that lives during the call.
    let (guarded, stream) = match unsafe { (guarded(plugin), stream.as_ref()) } {
        (Some(guarded), Some(stream)) => (guarded, stream),
        _ => return false,
    };
    // SAFETY: as above.
    let bytes = match unsafe { read_state(stream) } {
        Ok(bytes) => bytes,
        Err(reason) => {
            refuse(&guarded.link, &reason);
            return false;
        }
    };
    let mut rest = &bytes[..];
    let again = clap_istream {
        ctx: (&raw mut rest).cast(),
        read: Some(give),
    };
    // SAFETY: the table is of this type, and the stream lives during the call.
    unsafe {
        let state = theirs::<clap_plugin_state>(guarded, CLAP_EXT_STATE);
        match state.and_then(|state| state.load) {
            Some(load) => load(plugin, &raw const again),
            None => false,
        }
    }
}

/// A state as nice-plug frames it: its length in 8 bytes, then JSON. The error says what is wrong with it.
///
/// # Safety
/// The stream is one.
unsafe fn read_state(stream: &clap_istream) -> Result<Vec<u8>, String> {
    // SAFETY: the caller's promise.
    let mut bytes = unsafe { read(stream, 8) }?;
    let length = match bytes[..].try_into() {
        Ok(length) => u64::from_le_bytes(length),
        Err(_) if bytes.is_empty() => return Err("it is empty".to_owned()),
        Err(_) => return Err(format!("it ends after {} bytes", bytes.len())),
    };
    if length > LONGEST_STATE {
        return Err(format!(
            "it is damaged, or none of Zeitgeber's: it says that it is {length} bytes long"
        ));
    }
    // SAFETY: as above.
    let json = unsafe { read(stream, length) }?;
    if (json.len() as u64) < length {
        return Err(format!(
            "it ends in its midst: {} of {length} bytes are there",
            json.len()
        ));
    }
    if let Some(reason) = complaint(&json) {
        return Err(reason);
    }
    bytes.extend(json);
    Ok(bytes)
}

/// Up to so many bytes of a stream; it takes no more memory than there is to read.
///
/// # Safety
/// The stream is one.
unsafe fn read(stream: &clap_istream, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut part = [0u8; 4096];
    while let Some(left) = most
        .checked_sub(bytes.len() as u64)
        .filter(|left| *left > 0)
    {
        let ask = left.min(part.len() as u64);
        let Some(read) = stream.read else { break };
        // SAFETY: there is room for so many bytes.
        match unsafe { read(stream, part.as_mut_ptr().cast(), ask) } {
            0 => break,
            some if some > 0 && some as u64 <= ask => {
                bytes.extend_from_slice(&part[..some as usize]);
            }
            _ => return Err("the host could not read it".to_owned()),
        }
    }
    Ok(bytes)
}

unsafe extern "C" fn give(stream: *const clap_istream, data: *mut c_void, size: u64) -> i64 {
    // SAFETY: the context is the slice of `load`, and there is room for so many bytes.
    unsafe {
        let rest = &mut *((*stream).ctx as *mut &[u8]);
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
        std::ptr::copy_nonoverlapping(rest.as_ptr(), data.cast::<u8>(), size);
        *rest = &rest[size..];
        size as i64
    }
}

/// The main port of what a host gives.
///
/// # Safety
/// Where there are ports, there are so many.
unsafe fn given(ports: *const clap_audio_buffer, count: u32) -> Given {
    // SAFETY: the caller's promise.
    match unsafe { ports.as_ref() }.filter(|_| count > 0) {
        Some(port) => Given {
            channels: port.data32,
            count: port.channel_count as usize,
        },
        None => Given::NONE,
    }
}

unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    block: *const clap_process,
) -> clap_process_status {
    // SAFETY: hosts give what `create` made, and a block that lives during the call.
    let (guarded, block) = match unsafe { (guarded(plugin), block.as_ref()) } {
        (Some(guarded), Some(block)) => (guarded, block),
        _ => return CLAP_PROCESS_ERROR,
    };
    // Never waits: a host that activates meanwhile gets an error.
    let Ok(mut desk) = guarded.desk.try_lock() else {
        return CLAP_PROCESS_ERROR;
    };
    let (Some(desk), Some(process)) = (desk.as_mut(), guarded.theirs.process) else {
        return CLAP_PROCESS_ERROR;
    };
    let frames = block.frames_count as usize;
    // SAFETY: what a host gives is as long as it says; what it does not give is null.
    unsafe {
        let input = given(block.audio_inputs, block.audio_inputs_count);
        let output = given(block.audio_outputs, block.audio_outputs_count);
        let sound = desk.events.are_sound(block.in_events, block.frames_count);
        let needless = desk.pads.are_needless(input, output);
        if sound && needless {
            return process(plugin, block);
        }
        let list = clap_input_events {
            ctx: (&raw const desk.events).cast_mut().cast(),
            size: Some(size),
            get: Some(get),
        };
        let mut mended = *block;
        if !sound {
            mended.in_events = &raw const list;
        }
        if needless {
            return process(plugin, &raw const mended);
        }
        if !desk.pads.stand_in(input, output, frames) {
            Pads::silence(output, 0, frames);
            return CLAP_PROCESS_CONTINUE;
        }
        let port = |pointers: &mut Vec<*mut f32>| clap_audio_buffer {
            data32: pointers.as_mut_ptr(),
            data64: std::ptr::null_mut(),
            channel_count: pointers.len() as u32,
            latency: 0,
            constant_mask: 0,
        };
        let inputs = port(&mut desk.pads.inputs);
        let mut outputs = port(&mut desk.pads.outputs);
        mended.audio_inputs = &raw const inputs;
        mended.audio_outputs = &raw mut outputs;
        (mended.audio_inputs_count, mended.audio_outputs_count) = (1, 1);
        let status = process(plugin, &raw const mended);
        Pads::silence(output, desk.pads.outputs.len(), frames);
        status
    }
}

/// A block's events, each at a frame of the block and none before the one before it, and transports as nice-plug reads them.
struct Events {
    of_host: *const clap_input_events,
    count: u32,
    /// Frames a second.
    rate: f64,
    /// Those that had to be put right, by their number.
    mended: Vec<(u32, Event)>,
}

impl Events {
    fn new(rate: f64) -> Events {
        Events {
            of_host: std::ptr::null(),
            count: 0,
            rate,
            mended: Vec::with_capacity(MENDED),
        }
    }

    /// Looks at all of them; false where some had to be put right.
    ///
    /// # Safety
    /// The list is one, or null.
    unsafe fn are_sound(&mut self, list: *const clap_input_events, frames: u32) -> bool {
        self.mended.clear();
        self.of_host = list;
        // SAFETY: the caller's promise.
        let Some(events) = (unsafe { list.as_ref() }) else {
            return true;
        };
        let (Some(size), Some(get)) = (events.size, events.get) else {
            self.count = 0;
            return false;
        };
        // SAFETY: as above.
        self.count = unsafe { size(list) };
        let (mut now, last) = (0, frames.saturating_sub(1));
        for index in 0..self.count {
            // SAFETY: as above.
            let place = unsafe { get(list, index) };
            // SAFETY: it lives during the block, or is null.
            let Some(event) = (unsafe { place.as_ref() }) else {
                continue;
            };
            let time = event.time.clamp(now, last);
            let kind = (event.space_id, event.type_);
            let tells = kind == (CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT);
            if time != event.time || (tells && time > 0) {
                if self.mended.len() == MENDED {
                    // A transport is off by its place in the block then; what is out of order would be worse.
                    if time == event.time {
                        now = time;
                        continue;
                    }
                    self.count = index;
                    return false;
                }
                // SAFETY: an event is as long as it says.
                let mut event = unsafe { Event::copy(place) };
                event.header.time = time;
                if tells {
                    event.begins_with_block(self.rate);
                }
                self.mended.push((index, event));
            }
            now = time;
        }
        self.mended.is_empty()
    }
}

/// A copy of an event.
union Event {
    words: [u64; EVENT],
    header: clap_event_header,
    transport: clap_event_transport,
}

impl Event {
    /// # Safety
    /// The event is as long as it says.
    unsafe fn copy(event: *const clap_event_header) -> Event {
        let mut copy = Event { words: [0; EVENT] };
        // SAFETY: it has a header, and the copy is at least as long as what is read of it; every pattern of bits is one of the
        // copy's fields.
        unsafe {
            let long = (*event).size as usize;
            let long = long.clamp(size_of::<clap_event_header>(), size_of::<Event>());
            std::ptr::copy_nonoverlapping(event.cast::<u8>(), (&raw mut copy).cast(), long);
        }
        copy
    }

    /// Of a transport: tells where the song would be at the block's first frame. CLAP tells it where the event is, and nice-plug
    /// adds what of the block has passed to any transport that has a tempo.
    fn begins_with_block(&mut self, rate: f64) {
        // SAFETY: the union is as long as a transport, and numbers are all that is in one.
        let transport = unsafe { &mut self.transport };
        if transport.flags & CLAP_TRANSPORT_HAS_TEMPO == 0 {
            return;
        }
        let seconds = f64::from(transport.header.time) / rate;
        let beats = seconds / 60.0 * transport.tempo;
        let fixed = |value: f64, factor: i64| (value * factor as f64).round() as i64;
        let position = &mut transport.song_pos_seconds;
        *position = position.saturating_sub(fixed(seconds, CLAP_SECTIME_FACTOR));
        let position = &mut transport.song_pos_beats;
        *position = position.saturating_sub(fixed(beats, CLAP_BEATTIME_FACTOR));
    }
}

unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
    // SAFETY: the context is the desk's list, which lives during the block.
    unsafe { (*((*list).ctx as *const Events)).count }
}

unsafe extern "C" fn get(list: *const clap_input_events, index: u32) -> *const clap_event_header {
    // SAFETY: as above.
    let events = unsafe { &*((*list).ctx as *const Events) };
    if index >= events.count {
        return std::ptr::null();
    }
    if let Ok(place) = events
        .mended
        .binary_search_by_key(&index, |(number, _)| *number)
    {
        return (&raw const events.mended[place].1).cast();
    }
    // SAFETY: the host's list lives during the block, and has such a function: `are_sound` has called it.
    match unsafe { (*events.of_host).get } {
        // SAFETY: as above.
        Some(get) => unsafe { get(events.of_host, index) },
        None => std::ptr::null(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Stereo, Zg};
    use super::*;
    use crate::editor::Message;

    unsafe extern "C" fn no_extension(_: *const clap_host, _: *const c_char) -> *const c_void {
        std::ptr::null()
    }

    unsafe extern "C" fn nothing(_: *const clap_host) {}

    fn host() -> clap_host {
        clap_host {
            clap_version: clap_sys::version::CLAP_VERSION,
            host_data: std::ptr::null_mut(),
            name: c"a host".as_ptr(),
            vendor: c"".as_ptr(),
            url: c"".as_ptr(),
            version: c"1".as_ptr(),
            get_extension: Some(no_extension),
            request_restart: Some(nothing),
            request_process: Some(nothing),
            request_callback: Some(nothing),
        }
    }

    unsafe extern "C" fn keep(stream: *const clap_ostream, data: *const c_void, size: u64) -> i64 {
        // SAFETY: the context is the vector below, and there are so many bytes.
        unsafe {
            let bytes = &mut *((*stream).ctx as *mut Vec<u8>);
            bytes.extend_from_slice(std::slice::from_raw_parts(data.cast(), size as usize));
        }
        size as i64
    }

    unsafe extern "C" fn broken(_: *const clap_istream, _: *mut c_void, _: u64) -> i64 {
        -1
    }

    fn framed(json: &[u8]) -> Vec<u8> {
        [&(json.len() as u64).to_le_bytes()[..], json].concat()
    }

    #[test]
    fn why_a_state_cannot_be_read_is_said_and_nothing_changes() {
        let host = host();
        // SAFETY: the calls are a host's, in their order, with what lives meanwhile.
        unsafe {
            let plugin = create::<Zg<true, Stereo>>(&raw const host);
            let link = guarded(plugin).unwrap().link.upgrade().unwrap();
            let get = (*plugin).get_extension.unwrap();
            let state = get(plugin, CLAP_EXT_STATE.as_ptr()).cast::<clap_plugin_state>();
            let saved = || {
                let mut bytes: Vec<u8> = Vec::new();
                let stream = clap_ostream {
                    ctx: (&raw mut bytes).cast(),
                    write: Some(keep),
                };
                assert!((*state).save.unwrap()(plugin, &raw const stream));
                bytes
            };
            let whole = saved();
            let load = |bytes: &[u8]| {
                let mut rest = bytes;
                let stream = clap_istream {
                    ctx: (&raw mut rest).cast(),
                    read: Some(give),
                };
                (*state).load.unwrap()(plugin, &raw const stream)
            };
            let said = || -> Vec<String> {
                let all = link.messages.all();
                link.messages.clear();
                all.into_iter()
                    .map(|message: Message| message.text)
                    .collect()
            };
            assert!(load(&whole));
            assert_eq!(said(), [""; 0]);
            let half = &whole[..whole.len() / 2];
            let mut lying = whole.clone();
            lying[..8].copy_from_slice(&u64::MAX.to_le_bytes());
            for (bytes, says) in [
                (&b""[..], "it is empty"),
                (&whole[..5], "it ends after 5 bytes"),
                (half, "it ends in its midst"),
                (&lying, "it says that it is 18446744073709551615 bytes long"),
                (&framed(b""), "it is empty"),
                (&framed(b"{}"), "missing field `params`"),
                (&framed(b"\0\0\0"), "it is damaged, or none of Zeitgeber's"),
                (&framed(&whole[8..whole.len() - 3]), "it ends in its midst"),
            ] {
                assert!(!load(bytes), "{says}");
                let said = said();
                assert_eq!(said.len(), 1, "{said:?}");
                assert!(
                    said[0].starts_with("this state was not loaded: "),
                    "{said:?}"
                );
                assert!(said[0].contains(says), "{said:?}");
                assert!(
                    said[0].ends_with(". The sound stays as it was."),
                    "{said:?}"
                );
                assert_eq!(saved(), whole);
            }
            let stream = clap_istream {
                ctx: std::ptr::null_mut(),
                read: Some(broken),
            };
            assert!(!(*state).load.unwrap()(plugin, &raw const stream));
            assert!(said()[0].contains("the host could not read it"));
            (*plugin).destroy.unwrap()(plugin);
        }
    }
}
