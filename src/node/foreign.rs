//! The adapter for nodes written in Faust and C++: `cpp/node.h` on one side, [`Node`] on the other.

use super::{
    MAX_CHANNELS, MAX_PARAMS, Mover, Node, NodeError, NodeInfo, ParamInfo, ParamKind, ParamScale,
    accepted, parse_groups, parse_phases,
};
use arrayvec::ArrayVec;
use libloading::Library;
use std::ffi::{CStr, c_char, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

/// `ZG_ABI` of `cpp/node.h`.
const ABI: u32 = 1;

/// `ZG_NODE_SYMBOL` of `cpp/node.h`: what a library that is opened at run time exports.
const SYMBOL: &[u8] = b"zg_node\0";

/// `zg_param` of `cpp/node.h`.
#[repr(C)]
pub struct RawParam {
    name: *const c_char,
    unit: *const c_char,
    help: *const c_char,
    min: f64,
    max: f64,
    init: f64,
    step: f64,
    scale: u32,
    kind: u32,
}

/// `zg_node_descriptor` of `cpp/node.h`.
#[repr(C)]
pub struct RawDescriptor {
    abi: u32,
    inputs: u32,
    outputs: u32,
    latency: u32,
    language: *const c_char,
    help: *const c_char,
    input_names: *const c_char,
    output_names: *const c_char,
    phases: *const c_char,
    param_count: u32,
    params: *const RawParam,
    create: Option<unsafe extern "C" fn() -> *mut c_void>,
    destroy: Option<unsafe extern "C" fn(*mut c_void)>,
    init: Option<unsafe extern "C" fn(*mut c_void, f64, u32) -> *const c_char>,
    reset: Option<unsafe extern "C" fn(*mut c_void)>,
    process: Option<unsafe extern "C" fn(*mut c_void, *const *const f32, *const *mut f32, u32)>,
    set_param: Option<unsafe extern "C" fn(*mut c_void, u32, f64)>,
    get_param: Option<unsafe extern "C" fn(*mut c_void, u32) -> f64>,
    set_phase: Option<unsafe extern "C" fn(*mut c_void, u32, u64, u64, i64)>,
}

/// The functions of a descriptor that has been checked: none is missing.
#[derive(Clone, Copy)]
struct Functions {
    create: unsafe extern "C" fn() -> *mut c_void,
    destroy: unsafe extern "C" fn(*mut c_void),
    init: unsafe extern "C" fn(*mut c_void, f64, u32) -> *const c_char,
    reset: unsafe extern "C" fn(*mut c_void),
    process: unsafe extern "C" fn(*mut c_void, *const *const f32, *const *mut f32, u32),
    set_param: unsafe extern "C" fn(*mut c_void, u32, f64),
    get_param: unsafe extern "C" fn(*mut c_void, u32) -> f64,
    set_phase: Option<unsafe extern "C" fn(*mut c_void, u32, u64, u64, i64)>,
}

/// A checked foreign node, of which instances can be made.
pub struct ForeignKind {
    info: Arc<NodeInfo>,
    functions: Functions,
    /// Where the functions live, if they are not linked in: it stays loaded as long as this or any instance.
    library: Option<Arc<Library>>,
}

impl ForeignKind {
    /// Reads and checks a descriptor.
    ///
    /// # Errors
    /// [`NodeError::Descriptor`] where it breaks the contract.
    ///
    /// # Safety
    /// `descriptor` is null or points to a `zg_node_descriptor` that stays as it is while this kind and its
    /// instances live, whose strings end in NUL, whose `params` holds `param_count` entries, and whose functions do
    /// as `cpp/node.h` says.
    pub unsafe fn new(name: &str, descriptor: *const RawDescriptor) -> Result<Self, NodeError> {
        let broken = |problem: String| NodeError::Descriptor {
            name: name.to_owned(),
            problem,
        };
        if descriptor.is_null() {
            return Err(NodeError::Memory {
                name: name.to_owned(),
            });
        }
        // SAFETY: the caller promises a descriptor that stays.
        let raw = unsafe { &*descriptor };
        if raw.abi != ABI {
            return Err(broken(format!(
                "it speaks version {} of the ABI, this is version {ABI}: build it again",
                raw.abi
            )));
        }
        let (inputs, outputs) = (raw.inputs as usize, raw.outputs as usize);
        if inputs > MAX_CHANNELS || outputs > MAX_CHANNELS {
            return Err(broken(format!(
                "it has {inputs} inputs and {outputs} outputs, at most {MAX_CHANNELS} are allowed"
            )));
        }
        // SAFETY: the caller promises strings that end in NUL, or null.
        let input_groups = parse_groups(unsafe { text(raw.input_names) }, inputs, "in");
        // SAFETY: as above.
        let output_groups = parse_groups(unsafe { text(raw.output_names) }, outputs, "out");
        // SAFETY: as above.
        let phases = parse_phases(unsafe { text(raw.phases) }).map_err(broken)?;
        if raw.param_count as usize > MAX_PARAMS {
            return Err(broken(format!(
                "it has {} parameters, at most {MAX_PARAMS} are allowed",
                raw.param_count
            )));
        }
        let params = if raw.param_count == 0 {
            &[]
        } else {
            // SAFETY: the caller promises `param_count` entries.
            unsafe { std::slice::from_raw_parts(raw.params, raw.param_count as usize) }
        };
        let info = NodeInfo {
            name: name.to_owned(),
            // SAFETY: as above.
            language: unsafe { text(raw.language) }.to_owned(),
            // SAFETY: as above.
            help: unsafe { text(raw.help) }.to_owned(),
            inputs,
            outputs,
            input_groups: input_groups.map_err(broken)?,
            output_groups: output_groups.map_err(broken)?,
            latency: raw.latency,
            phases,
            params: params
                .iter()
                // SAFETY: as above.
                .map(|param| unsafe { read_param(param) })
                .collect(),
        };
        check_params(&info).map_err(broken)?;
        let functions = read_functions(raw, &info).map_err(broken)?;
        Ok(ForeignKind {
            info: Arc::new(info),
            functions,
            library: None,
        })
    }

    /// Opens a library that a user brings. Its code runs in this process from here on: [`crate::live`] lets
    /// it show in another process first that it keeps the contract.
    ///
    /// # Errors
    /// [`NodeError::Open`] where it is no library with a node; [`NodeError::Descriptor`].
    pub(crate) fn open(name: &str, path: &Path) -> Result<ForeignKind, NodeError> {
        let unopened = |error: libloading::Error| NodeError::Open {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // SAFETY: what the library does while it is opened, its author answers for, as for all it does.
        let library = unsafe { load(path) }.map_err(unopened)?;
        type Entry = unsafe extern "C" fn() -> *const RawDescriptor;
        // SAFETY: cpp/node.h gives this symbol this type.
        let entry = unsafe { library.get::<Entry>(SYMBOL) }.map_err(unopened)?;
        // SAFETY: by the contract the result stays as it is while the library is loaded, and nothing of it is
        // used without the library.
        let mut kind = unsafe { ForeignKind::new(name, entry()) }?;
        kind.library = Some(Arc::new(library));
        Ok(kind)
    }

    /// What its instances are.
    pub fn info(&self) -> &NodeInfo {
        &self.info
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// [`NodeError::Memory`].
    pub fn create(&self) -> Result<ForeignNode, NodeError> {
        // SAFETY: the functions do as the contract says.
        let instance = unsafe { (self.functions.create)() };
        match NonNull::new(instance) {
            Some(instance) => Ok(ForeignNode {
                info: self.info.clone(),
                functions: self.functions,
                instance,
                _library: self.library.clone(),
            }),
            None => Err(NodeError::Memory {
                name: self.info.name.clone(),
            }),
        }
    }
}

/// Loads a library with all its symbols bound: the audio thread must not wait for the loader.
///
/// # Safety
/// As [`Library::new`].
unsafe fn load(path: &Path) -> Result<Library, libloading::Error> {
    #[cfg(unix)]
    {
        use libloading::os::unix;
        // SAFETY: the caller answers for what the library does.
        unsafe { unix::Library::open(Some(path), unix::RTLD_NOW | unix::RTLD_LOCAL) }
            .map(Library::from)
    }
    #[cfg(not(unix))]
    // SAFETY: the caller answers for what the library does.
    unsafe {
        Library::new(path)
    }
}

/// A text of the other side; null is empty, and bytes that are not UTF-8 end it.
///
/// # Safety
/// `pointer` is null or points to a string that ends in NUL and lives as long as the result is used.
unsafe fn text<'a>(pointer: *const c_char) -> &'a str {
    if pointer.is_null() {
        return "";
    }
    // SAFETY: the caller promises a string.
    let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    }
}

/// # Safety
/// The texts of `raw` are null or strings that end in NUL.
unsafe fn read_param(raw: &RawParam) -> ParamInfo {
    // SAFETY: the caller promises the texts.
    let (name, unit, help) = unsafe { (text(raw.name), text(raw.unit), text(raw.help)) };
    let (help, more) = help.split_once('\n').unwrap_or((help, ""));
    ParamInfo {
        name: name.to_owned(),
        unit: unit.to_owned(),
        min: raw.min,
        max: raw.max,
        default: raw.init,
        step: raw.step,
        scale: match raw.scale {
            1 => ParamScale::Log,
            2 => ParamScale::Exp,
            _ => ParamScale::Linear,
        },
        kind: match raw.kind {
            1 => ParamKind::Button,
            2 => ParamKind::Switch,
            3 => ParamKind::Readout,
            _ => ParamKind::Number,
        },
        help: help.to_owned(),
        movers: Mover::read(more),
    }
}

fn check_params(info: &NodeInfo) -> Result<(), String> {
    for (index, param) in info.params.iter().enumerate() {
        if param.name.is_empty() || info.param(&param.name) != Some(index) {
            return Err(format!(
                "a parameter name is empty or used twice: \"{}\"",
                param.name
            ));
        }
        let ordered = param.min <= param.max && param.min.is_finite() && param.max.is_finite();
        let inside =
            param.kind == ParamKind::Readout || (param.min..=param.max).contains(&param.default);
        if !ordered || !inside {
            return Err(format!(
                "the range of \"{}\" is {} to {} and its default {}",
                param.name, param.min, param.max, param.default
            ));
        }
    }
    Ok(())
}

fn read_functions(raw: &RawDescriptor, info: &NodeInfo) -> Result<Functions, String> {
    let missing = |name: &str| format!("its function {name} is missing");
    if raw.set_phase.is_none() && !info.phases.is_empty() {
        return Err(missing("set_phase"));
    }
    Ok(Functions {
        create: raw.create.ok_or_else(|| missing("create"))?,
        destroy: raw.destroy.ok_or_else(|| missing("destroy"))?,
        init: raw.init.ok_or_else(|| missing("init"))?,
        reset: raw.reset.ok_or_else(|| missing("reset"))?,
        process: raw.process.ok_or_else(|| missing("process"))?,
        set_param: raw.set_param.ok_or_else(|| missing("set_param"))?,
        get_param: raw.get_param.ok_or_else(|| missing("get_param"))?,
        set_phase: raw.set_phase,
    })
}

/// An instance of a foreign node.
pub struct ForeignNode {
    info: Arc<NodeInfo>,
    functions: Functions,
    instance: NonNull<c_void>,
    /// Goes after the instance.
    _library: Option<Arc<Library>>,
}

// SAFETY: the contract lets an instance be used from any one thread at a time.
unsafe impl Send for ForeignNode {}

impl ForeignNode {
    /// Calls `process` if there are enough channels of enough frames.
    fn call(&mut self, inputs: &[*const f32], outputs: &[*mut f32], frames: usize) {
        if inputs.len() < self.info.inputs || outputs.len() < self.info.outputs {
            return;
        }
        // SAFETY: the instance is alive, and both tables hold as many channels as the node has, each of
        // `frames` frames, which the callers take from slices.
        unsafe {
            (self.functions.process)(
                self.instance.as_ptr(),
                inputs.as_ptr(),
                outputs.as_ptr(),
                frames as u32,
            );
        }
    }
}

impl ForeignNode {
    /// Processes up to `N` channels on each side.
    fn process_up_to<const N: usize>(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        // Filled in place: arrays that are collected are copied.
        let mut ins: ArrayVec<*const f32, N> = ArrayVec::new();
        let mut outs: ArrayVec<*mut f32, N> = ArrayVec::new();
        let mut shortest = usize::MAX;
        for channel in inputs.iter().take(N) {
            shortest = shortest.min(channel.len());
            let _ = ins.try_push(channel.as_ptr());
        }
        for channel in outputs.iter_mut().take(N) {
            shortest = shortest.min(channel.len());
            let _ = outs.try_push(channel.as_mut_ptr());
        }
        let frames = if shortest == usize::MAX { 0 } else { shortest };
        self.call(&ins, &outs, frames);
    }
}

impl Node for ForeignNode {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, max_frames: usize) -> Result<(), NodeError> {
        let frames = u32::try_from(max_frames).unwrap_or(u32::MAX);
        // SAFETY: the instance is alive; the result is null or a static string.
        let reason = unsafe {
            text((self.functions.init)(
                self.instance.as_ptr(),
                sample_rate,
                frames,
            ))
        };
        if reason.is_empty() {
            Ok(())
        } else {
            Err(NodeError::Init {
                name: self.info.name.clone(),
                reason: reason.to_owned(),
            })
        }
    }

    fn reset(&mut self) {
        // SAFETY: the instance is alive.
        unsafe { (self.functions.reset)(self.instance.as_ptr()) }
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        // Most nodes are stereo, and in blocks of one frame even making a large array is felt.
        match inputs.len().max(outputs.len()) {
            0..=4 => self.process_up_to::<4>(inputs, outputs),
            _ => self.process_up_to::<MAX_CHANNELS>(inputs, outputs),
        }
    }

    fn process_in_place(&mut self, signals: &mut [&mut [f32]]) -> bool {
        let shortest = signals.iter().map(|channel| channel.len()).min();
        let mut ins: ArrayVec<*const f32, MAX_CHANNELS> = ArrayVec::new();
        let mut outs: ArrayVec<*mut f32, MAX_CHANNELS> = ArrayVec::new();
        for channel in signals.iter_mut().take(MAX_CHANNELS) {
            let channel = channel.as_mut_ptr();
            let _ = ins.try_push(channel.cast_const());
            let _ = outs.try_push(channel);
        }
        self.call(&ins, &outs, shortest.unwrap_or(0));
        true
    }

    fn set_param(&mut self, index: usize, value: f64) {
        if let Some(value) = accepted(self.info.params.get(index), value) {
            // SAFETY: the instance is alive, the index and the value in range.
            unsafe { (self.functions.set_param)(self.instance.as_ptr(), index as u32, value) }
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        if index >= self.info.params.len() {
            return 0.0;
        }
        // SAFETY: the instance is alive, the index in range.
        unsafe { (self.functions.get_param)(self.instance.as_ptr(), index as u32) }
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        if let (Some(set_phase), true) = (self.functions.set_phase, index < self.info.phases.len())
        {
            // SAFETY: the instance is alive, the index in range.
            unsafe {
                set_phase(
                    self.instance.as_ptr(),
                    index as u32,
                    phase,
                    increment,
                    sweep,
                )
            }
        }
    }
}

impl Drop for ForeignNode {
    fn drop(&mut self) {
        // SAFETY: the instance came from `create` and is used no more.
        unsafe { (self.functions.destroy)(self.instance.as_ptr()) }
    }
}
