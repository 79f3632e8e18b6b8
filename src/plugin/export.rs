//! What hosts look for in the library: the CLAP entry and the VST3 factory.

use super::guard::{clap::create, vst3::Guarded};
use super::{Ambisonic, Zg};
use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::version::CLAP_VERSION;
use nice_plug::prelude::Vst3Plugin;
use nice_plug::wrapper::clap::PluginDescriptor;
use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::PluginInfo;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo,
    TUID, int32, kInvalidArgument, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};
use std::ffi::{CStr, c_char, c_void};
use std::sync::OnceLock;

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

/// Makes a VST3 for a host: an interface of it by its id, into a pointer.
type Make = unsafe fn(*const TUID, *mut *mut c_void) -> tresult;

const MAKE: [Make; 2] = [make::<Zg<false>>, make::<Zg<false, Ambisonic>>];

/// # Safety
/// The id is one, and there is room for the pointer.
unsafe fn make<P: Vst3Plugin>(interface: *const TUID, into: *mut *mut c_void) -> tresult {
    let made = ComWrapper::new(Guarded::<P>::new());
    let Some(unknown) = made.as_com_ref::<FUnknown>() else {
        return kInvalidArgument;
    };
    let pointer = unknown.as_ptr();
    // SAFETY: the caller's promise; the host holds what it gets.
    unsafe { ((*(*pointer).vtbl).queryInterface)(pointer, interface, into) }
}

/// The VST3's factory.
struct Factory([PluginInfo; 2]);

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl Factory {
    /// Writes what is said of a class, in one of three ways.
    ///
    /// # Safety
    /// There is room for it.
    unsafe fn tell<T>(&self, index: int32, into: *mut T, say: fn(&PluginInfo) -> T) -> tresult {
        let class = usize::try_from(index).ok().and_then(|n| self.0.get(n));
        match class {
            Some(class) if !into.is_null() => {
                // SAFETY: the caller's promise.
                unsafe { *into = say(class) };
                kResultOk
            }
            _ => kInvalidArgument,
        }
    }
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: a host gives room. Both classes are of one maker.
        unsafe { self.tell(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        self.0.len() as int32
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: a host gives room.
        unsafe { self.tell(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(
        &self,
        class: FIDString,
        interface: FIDString,
        into: *mut *mut c_void,
    ) -> tresult {
        if class.is_null() || interface.is_null() || into.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: a host gives ids, which are of 16 bytes.
        let id = unsafe { &*class.cast::<[u8; 16]>() };
        let mut classes = self.0.iter().zip(MAKE);
        match classes.find(|(info, _)| info.cid == id) {
            // SAFETY: as above.
            Some((_, make)) => unsafe { make(interface.cast(), into) },
            None => kInvalidArgument,
        }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: a host gives room.
        unsafe { self.tell(index, info, PluginInfo::create_class_info_2) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: a host gives room.
        unsafe { self.tell(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// The VST3's entry: its factory.
// SAFETY: VST3 hosts look for this name, and no other part of the library has it.
#[unsafe(no_mangle)]
#[allow(non_snake_case, reason = "VST3's name for it")]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let classes = [
        PluginInfo::for_plugin::<Zg<false>>(),
        PluginInfo::for_plugin::<Zg<false, Ambisonic>>(),
    ];
    let factory = ComWrapper::new(Factory(classes));
    match factory.to_com_ptr::<IPluginFactory>() {
        Some(factory) => factory.into_raw().cast(),
        None => std::ptr::null_mut(),
    }
}

/// What a VST3 host calls before everything else, and at the end, by the names of its system.
macro_rules! entries {
    ($system:meta, $abi:literal, $begin:ident($($arg:ty)?), $end:ident) => {
        /// Called by VST3 hosts first.
        // SAFETY: as above.
        #[cfg($system)]
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, reason = "VST3's name for it")]
        pub extern $abi fn $begin($(_: $arg)?) -> bool {
            setup_logger::<Zg<false>>();
            true
        }

        /// Called by VST3 hosts last.
        // SAFETY: as above.
        #[cfg($system)]
        #[unsafe(no_mangle)]
        #[allow(non_snake_case, reason = "VST3's name for it")]
        pub extern $abi fn $end() -> bool {
            true
        }
    };
}

entries!(
    all(target_family = "unix", not(target_os = "macos")),
    "C",
    ModuleEntry(*mut c_void),
    ModuleExit
);
entries!(
    target_os = "macos",
    "C",
    bundleEntry(*mut c_void),
    bundleExit
);
entries!(target_os = "windows", "system", InitDll(), ExitDll);
