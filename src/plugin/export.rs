//! What hosts look for in the library: the CLAP entry and the VST3 factory.

use super::guard::clap::create;
use super::{Ambisonic, Zg};
use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::version::CLAP_VERSION;
use nice_plug::prelude::nice_export_vst3;
use nice_plug::wrapper::clap::PluginDescriptor;
use nice_plug::wrapper::setup_logger;
use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

nice_export_vst3!(Zg<false>, Zg<false, Ambisonic>);

/// How nice-plug's own export makes an instance, with [`super::guard`] before it.
type Create = unsafe fn(*const clap_host) -> *const clap_plugin;

const CREATE: [Create; 2] = [create::<Zg<true>>, create::<Zg<true, Ambisonic>>];

fn descriptors() -> &'static [PluginDescriptor; 2] {
    static DESCRIPTORS: OnceLock<[PluginDescriptor; 2]> = OnceLock::new();
    DESCRIPTORS.get_or_init(|| {
        [
            PluginDescriptor::for_plugin::<Zg<true>>(),
            PluginDescriptor::for_plugin::<Zg<true, Ambisonic>>(),
        ]
    })
}

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(get_plugin_count),
    get_plugin_descriptor: Some(get_plugin_descriptor),
    create_plugin: Some(create_plugin),
};

unsafe extern "C" fn get_plugin_count(_: *const clap_plugin_factory) -> u32 {
    CREATE.len() as u32
}

unsafe extern "C" fn get_plugin_descriptor(
    _: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    match descriptors().get(index as usize) {
        Some(descriptor) => descriptor.clap_plugin_descriptor(),
        None => std::ptr::null(),
    }
}

unsafe extern "C" fn create_plugin(
    _: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    if id.is_null() {
        return std::ptr::null();
    }
    // SAFETY: a host gives a text.
    let id = unsafe { CStr::from_ptr(id) };
    let mut classes = descriptors().iter().zip(CREATE);
    match classes.find(|(descriptor, _)| descriptor.clap_id() == id) {
        // SAFETY: the host is the caller's own.
        Some((_, create)) => unsafe { create(host) },
        None => std::ptr::null(),
    }
}

extern "C" fn init(_path: *const c_char) -> bool {
    // Of all classes: it is the same, and acts once.
    setup_logger::<Zg<true>>();
    true
}

extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    // SAFETY: a host gives a text.
    if !id.is_null() && unsafe { CStr::from_ptr(id) } == CLAP_PLUGIN_FACTORY_ID {
        (&raw const FACTORY).cast()
    } else {
        std::ptr::null()
    }
}

/// The CLAP's entry.
// SAFETY: CLAP hosts look for this name, and no other part of the library has it.
#[unsafe(no_mangle)]
#[used]
#[allow(non_upper_case_globals, reason = "CLAP's name for it")]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};
