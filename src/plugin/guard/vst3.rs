//! The VST3: nice-plug's own wrapper within ours, which hands on what is sound and mends what is not.

use super::super::fence;
use super::{Given, LONGEST_STATE, Pads, complaint, made, refuse};
use crate::editor::Link;
use nice_plug::prelude::Vst3Plugin;
use nice_plug::wrapper::vst3::Wrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::IBStream_::IStreamSeekMode_::{
    kIBSeekEnd, kIBSeekSet,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::{
    IInfoListener, IInfoListenerTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, BusDirections_, BusInfo, CString,
    CtrlNumber, IAttributeList, IAudioProcessor, IAudioProcessorTrait, IComponent,
    IComponentHandler, IComponentTrait, IEditController, IEditControllerTrait, IMidiMapping,
    IMidiMappingTrait, INoteExpressionController, INoteExpressionControllerTrait,
    IProcessContextRequirements, IProcessContextRequirementsTrait, IUnitInfo, IUnitInfoTrait,
    IoMode, MediaType, MediaTypes_, NoteExpressionTypeID, NoteExpressionTypeInfo,
    NoteExpressionValue, ParamID, ParamValue, ParameterInfo, ProcessData, ProcessSetup,
    ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement, String128,
    SymbolicSampleSizes_, TChar, UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IBStreamTrait, IPlugView, IPluginBaseTrait, TBool, TUID, int16,
    int32, kInvalidArgument, kNotInitialized, kResultFalse, kResultOk, tresult, uint32,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError, Weak};

/// What a host holds.
pub struct Guarded<P: Vst3Plugin> {
    theirs: ManuallyDrop<Wrapper<P>>,
    link: Weak<Link>,
    /// Frames of a block at most, as was announced; negative before.
    most: AtomicI32,
    /// While it is active; as in the CLAP.
    pads: Mutex<Option<Pads>>,
}

impl<P: Vst3Plugin> Class for Guarded<P> {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

impl<P: Vst3Plugin> Guarded<P> {
    /// An instance.
    pub fn new() -> Guarded<P> {
        let theirs = Wrapper::new();
        Guarded {
            theirs: ManuallyDrop::new(theirs),
            link: made(),
            most: AtomicI32::new(-1),
            pads: Mutex::new(None),
        }
    }

    /// The channels of a main bus as they are now.
    fn channels(&self, direction: BusDirection) -> usize {
        // SAFETY: plain numbers and texts, for which nothing is a value.
        let mut info: BusInfo = unsafe { std::mem::zeroed() };
        let kind = MediaTypes_::kAudio as MediaType;
        // SAFETY: the information is written to what lives during the call.
        match unsafe { self.theirs.getBusInfo(kind, direction, 0, &mut info) } {
            ok if ok == kResultOk => usize::try_from(info.channelCount).unwrap_or(0),
            _ => 0,
        }
    }
}

/// Where nice-plug's background thread has ended, one instance stays: nice-plug panics when the last one goes, and a host that calls
/// from C ends with it.
impl<P: Vst3Plugin> Drop for Guarded<P> {
    fn drop(&mut self) {
        if !fence::keeps::<P>() {
            // SAFETY: nobody uses it afterwards.
            unsafe { ManuallyDrop::drop(&mut self.theirs) };
        }
    }
}

/// Hands a host's calls on.
macro_rules! pass {
    ($interface:ident: $(fn $name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {$(
        unsafe fn $name(&self, $($arg: $kind),*) -> $out {
            // SAFETY: it is the host's to give what the interface says.
            unsafe { $interface::$name(&*self.theirs, $($arg),*) }
        }
    )*};
}

impl<P: Vst3Plugin> IPluginBaseTrait for Guarded<P> {
    pass! { IPluginBaseTrait:
        fn initialize(context: *mut FUnknown) -> tresult;
        fn terminate() -> tresult;
    }
}

impl<P: Vst3Plugin> IComponentTrait for Guarded<P> {
    pass! { IComponentTrait:
        fn getControllerClassId(id: *mut TUID) -> tresult;
        fn setIoMode(mode: IoMode) -> tresult;
        fn getBusCount(kind: MediaType, direction: BusDirection) -> int32;
        fn getBusInfo(kind: MediaType, direction: BusDirection, index: int32, info: *mut BusInfo) -> tresult;
        fn getRoutingInfo(input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult;
        fn activateBus(kind: MediaType, direction: BusDirection, index: int32, state: TBool) -> tresult;
        fn getState(stream: *mut IBStream) -> tresult;
    }

    unsafe fn setActive(&self, state: TBool) -> tresult {
        let put = |pads| *self.pads.lock().unwrap_or_else(PoisonError::into_inner) = pads;
        put(None);
        // SAFETY: as the host calls it.
        let done = unsafe { self.theirs.setActive(state) };
        if done == kResultOk && state != 0 {
            let inputs = self.channels(BusDirections_::kInput as BusDirection);
            let outputs = self.channels(BusDirections_::kOutput as BusDirection);
            let most = usize::try_from(self.most.load(Ordering::Relaxed)).unwrap_or(0);
            put(Some(Pads::new(inputs, outputs, most)));
        }
        done
    }

    unsafe fn setState(&self, stream: *mut IBStream) -> tresult {
        // SAFETY: a host gives a stream that lives during the call.
        if let Some(reason) = unsafe { ComRef::from_raw(stream).and_then(|from| look(&from)) } {
            refuse(&self.link, &reason);
            return kResultFalse;
        }
        // SAFETY: as above.
        unsafe { IComponentTrait::setState(&*self.theirs, stream) }
    }
}

/// Why the rest of a stream is no state, if it is none. The stream is then where it was.
///
/// # Safety
/// The stream is one.
unsafe fn look(stream: &ComRef<'_, IBStream>) -> Option<String> {
    let (mut start, mut end) = (0, 0);
    // SAFETY: the caller's promise; what is written to lives.
    let is_sized = unsafe {
        stream.tell(&mut start) == kResultOk
            && stream.seek(0, kIBSeekEnd as int32, &mut end) == kResultOk
            && stream.seek(start, kIBSeekSet as int32, std::ptr::null_mut()) == kResultOk
    };
    if !is_sized {
        return Some("the host could not read it".to_owned());
    }
    let length = u64::try_from(end.saturating_sub(start)).unwrap_or(0);
    // nice-plug counts in 31 bits.
    if length > LONGEST_STATE {
        return Some(format!("it is {length} bytes long"));
    }
    let mut bytes = Vec::new();
    let mut part = [0u8; 4096];
    while (bytes.len() as u64) < length {
        let ask = part.len().min(length as usize - bytes.len());
        let mut read = 0;
        // SAFETY: there is room for so many bytes. Some hosts say that it failed where it has not.
        unsafe { stream.read(part.as_mut_ptr().cast(), ask as int32, &mut read) };
        match usize::try_from(read) {
            Ok(read) if read > 0 && read <= ask => bytes.extend_from_slice(&part[..read]),
            _ => break,
        }
    }
    // SAFETY: as above.
    unsafe { stream.seek(start, kIBSeekSet as int32, std::ptr::null_mut()) };
    if (bytes.len() as u64) < length {
        return Some(format!(
            "it ends in its midst: {} of {length} bytes are there",
            bytes.len()
        ));
    }
    complaint(&bytes)
}

impl<P: Vst3Plugin> IEditControllerTrait for Guarded<P> {
    pass! { IEditControllerTrait:
        fn setComponentState(stream: *mut IBStream) -> tresult;
        fn setState(stream: *mut IBStream) -> tresult;
        fn getState(stream: *mut IBStream) -> tresult;
        fn getParameterCount() -> int32;
        fn getParameterInfo(index: int32, info: *mut ParameterInfo) -> tresult;
        fn getParamStringByValue(id: ParamID, value: ParamValue, text: *mut String128) -> tresult;
        fn getParamValueByString(id: ParamID, text: *mut TChar, value: *mut ParamValue) -> tresult;
        fn normalizedParamToPlain(id: ParamID, value: ParamValue) -> ParamValue;
        fn plainParamToNormalized(id: ParamID, value: ParamValue) -> ParamValue;
        fn getParamNormalized(id: ParamID) -> ParamValue;
        fn setParamNormalized(id: ParamID, value: ParamValue) -> tresult;
        fn setComponentHandler(handler: *mut IComponentHandler) -> tresult;
        fn createView(name: FIDString) -> *mut IPlugView;
    }
}

/// The main bus of what a host gives.
///
/// # Safety
/// Where there are buses, there are so many.
unsafe fn given(buses: *const AudioBusBuffers, count: int32) -> Given {
    // SAFETY: the caller's promise.
    match unsafe { buses.as_ref() }.filter(|_| count > 0) {
        Some(bus) => Given {
            // SAFETY: samples are of 32 bits.
            channels: unsafe { bus.__field0.channelBuffers32 },
            count: usize::try_from(bus.numChannels).unwrap_or(0),
        },
        None => Given::NONE,
    }
}

impl<P: Vst3Plugin> IAudioProcessorTrait for Guarded<P> {
    pass! { IAudioProcessorTrait:
        fn setBusArrangements(inputs: *mut SpeakerArrangement, ins: int32, outputs: *mut SpeakerArrangement, outs: int32) -> tresult;
        fn getBusArrangement(direction: BusDirection, index: int32, arrangement: *mut SpeakerArrangement) -> tresult;
        fn canProcessSampleSize(size: int32) -> tresult;
        fn getLatencySamples() -> uint32;
        fn setProcessing(state: TBool) -> tresult;
        fn getTailSamples() -> uint32;
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        // SAFETY: as the host calls it.
        let done = unsafe { self.theirs.setupProcessing(setup) };
        // SAFETY: as above.
        if let Some(setup) = unsafe { setup.as_ref() }.filter(|_| done == kResultOk) {
            let most = setup.maxSamplesPerBlock.max(0);
            self.most.store(most, Ordering::Relaxed);
        }
        done
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: a host's block lives during the call.
        let Some(block) = (unsafe { data.as_ref() }) else {
            return kInvalidArgument;
        };
        if self.most.load(Ordering::Relaxed) < 0 {
            return kNotInitialized;
        }
        let Ok(frames) = usize::try_from(block.numSamples) else {
            return kInvalidArgument;
        };
        if block.symbolicSampleSize == SymbolicSampleSizes_::kSample64 as i32 {
            return kInvalidArgument;
        }
        // Never waits: a host that activates meanwhile gets an error.
        let Ok(mut pads) = self.pads.try_lock() else {
            return kResultFalse;
        };
        // SAFETY: what a host gives is as long as it says; what it does not give is null.
        unsafe {
            let input = given(block.inputs, block.numInputs);
            let output = given(block.outputs, block.numOutputs);
            let pads = pads.as_mut().filter(|_| output.count > 0 && frames > 0);
            let Some(pads) = pads else {
                // Parameters alone. Some hosts say that by giving no outputs.
                let mut bare = *block;
                (bare.numInputs, bare.numOutputs) = (0, 0);
                return self.theirs.process(&raw mut bare);
            };
            if pads.are_needless(input, output) {
                return self.theirs.process(data);
            }
            if !pads.stand_in(input, output, frames) {
                Pads::silence(output, 0, frames);
                return kResultOk;
            }
            let bus = |pointers: &mut Vec<*mut f32>| AudioBusBuffers {
                numChannels: pointers.len() as int32,
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 {
                    channelBuffers32: pointers.as_mut_ptr(),
                },
            };
            let mut inputs = bus(&mut pads.inputs);
            let mut outputs = bus(&mut pads.outputs);
            let mut mended = *block;
            (mended.numInputs, mended.numOutputs) = (1, 1);
            (mended.inputs, mended.outputs) = (&raw mut inputs, &raw mut outputs);
            let done = self.theirs.process(&raw mut mended);
            Pads::silence(output, pads.outputs.len(), frames);
            done
        }
    }
}

impl<P: Vst3Plugin> IMidiMappingTrait for Guarded<P> {
    pass! { IMidiMappingTrait:
        fn getMidiControllerAssignment(bus: int32, channel: int16, number: CtrlNumber, id: *mut ParamID) -> tresult;
    }
}

impl<P: Vst3Plugin> INoteExpressionControllerTrait for Guarded<P> {
    pass! { INoteExpressionControllerTrait:
        fn getNoteExpressionCount(bus: int32, channel: int16) -> int32;
        fn getNoteExpressionInfo(bus: int32, channel: int16, index: int32, info: *mut NoteExpressionTypeInfo) -> tresult;
        fn getNoteExpressionStringByValue(bus: int32, channel: int16, id: NoteExpressionTypeID, value: NoteExpressionValue, text: *mut String128) -> tresult;
        fn getNoteExpressionValueByString(bus: int32, channel: int16, id: NoteExpressionTypeID, text: *const TChar, value: *mut NoteExpressionValue) -> tresult;
    }
}

impl<P: Vst3Plugin> IProcessContextRequirementsTrait for Guarded<P> {
    pass! { IProcessContextRequirementsTrait:
        fn getProcessContextRequirements() -> uint32;
    }
}

impl<P: Vst3Plugin> IUnitInfoTrait for Guarded<P> {
    pass! { IUnitInfoTrait:
        fn getUnitCount() -> int32;
        fn getUnitInfo(index: int32, info: *mut UnitInfo) -> tresult;
        fn getProgramListCount() -> int32;
        fn getProgramListInfo(index: int32, info: *mut ProgramListInfo) -> tresult;
        fn getProgramName(list: ProgramListID, index: int32, name: *mut String128) -> tresult;
        fn getProgramInfo(list: ProgramListID, index: int32, id: CString, value: *mut String128) -> tresult;
        fn hasProgramPitchNames(list: ProgramListID, index: int32) -> tresult;
        fn getProgramPitchName(list: ProgramListID, index: int32, pitch: int16, name: *mut String128) -> tresult;
        fn getSelectedUnit() -> UnitID;
        fn selectUnit(id: UnitID) -> tresult;
        fn getUnitByBus(kind: MediaType, direction: BusDirection, bus: int32, channel: int32, id: *mut UnitID) -> tresult;
        fn setUnitProgramData(list: int32, index: int32, data: *mut IBStream) -> tresult;
    }
}

impl<P: Vst3Plugin> IInfoListenerTrait for Guarded<P> {
    pass! { IInfoListenerTrait:
        fn setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Ambisonic, Stereo, Zg};
    use super::*;
    use nice_plug::wrapper::vst3::vst3::ComWrapper;
    use std::cell::Cell;
    use std::ffi::c_void;

    /// A host's stream: what it holds, and where in it we are.
    struct Stream(Vec<u8>, Cell<i64>);

    impl Class for Stream {
        type Interfaces = (IBStream,);
    }

    impl IBStreamTrait for Stream {
        unsafe fn read(&self, into: *mut c_void, most: int32, read: *mut int32) -> tresult {
            let rest = &self.0[self.1.get() as usize..];
            // Little at a time: a host may. One that is cut says more than it has.
            let some = rest.len().min(most as usize).min(1000);
            // SAFETY: there is room for so many bytes.
            unsafe {
                std::ptr::copy_nonoverlapping(rest.as_ptr(), into.cast::<u8>(), some);
                if !read.is_null() {
                    *read = some as int32;
                }
            }
            self.1.set(self.1.get() + some as i64);
            kResultOk
        }

        unsafe fn write(&self, _: *mut c_void, _: int32, _: *mut int32) -> tresult {
            kResultFalse
        }

        unsafe fn seek(&self, to: i64, mode: int32, now: *mut i64) -> tresult {
            let from = if mode == kIBSeekEnd as int32 {
                self.0.len() as i64
            } else {
                0
            };
            self.1.set(from + to);
            // SAFETY: what is not null has room.
            if let Some(now) = unsafe { now.as_mut() } {
                *now = self.1.get();
            }
            kResultOk
        }

        unsafe fn tell(&self, now: *mut i64) -> tresult {
            // SAFETY: it has room.
            unsafe { *now = self.1.get() };
            kResultOk
        }
    }

    /// What lies before it is the host's.
    fn load<P: Vst3Plugin>(instance: &Guarded<P>, bytes: &[u8]) -> tresult {
        let bytes = [b"host's own", bytes].concat();
        let stream = ComWrapper::new(Stream(bytes, Cell::new(10)));
        let pointer = stream.to_com_ptr::<IBStream>().unwrap();
        // SAFETY: it lives during the call.
        unsafe { IComponentTrait::setState(instance, pointer.as_ptr()) }
    }

    const SOUND: &[u8] =
        br#"{"version":"","params":{"l1_kind":{"i32":1},"fade_in":{"f32":0}},"fields":{}}"#;

    #[test]
    fn why_a_state_cannot_be_read_is_said() {
        let instance = Guarded::<Zg<false, Stereo>>::new();
        let link = instance.link.upgrade().unwrap();
        for (bytes, says) in [
            (&b""[..], "it is empty"),
            (&SOUND[..SOUND.len() - 3], "it ends in its midst"),
            (b"{}", "missing field `params`"),
            (b"CcnK....", "it is damaged, or none of Zeitgeber's"),
        ] {
            assert_eq!(load(&instance, bytes), kResultFalse);
            let said = link.messages.all();
            link.messages.clear();
            assert_eq!(said.len(), 1, "{says}");
            assert!(said[0].text.contains(says), "{said:?}");
            assert!(said[0].text.ends_with(". The sound stays as it was."));
        }
    }

    /// What an instance that sounds makes of 0.25 in the inputs: `None` where the host gives no such bus, false for a
    /// channel that is no place.
    fn heard<P: Vst3Plugin>(
        inputs: Option<&[bool]>,
        outputs: Option<&[bool]>,
        frames: usize,
    ) -> Vec<Vec<f32>> {
        let instance = Guarded::<P>::new();
        let mut data = ProcessData {
            processMode: 0,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as i32,
            numSamples: frames as i32,
            numInputs: 0,
            numOutputs: 0,
            inputs: std::ptr::null_mut(),
            outputs: std::ptr::null_mut(),
            inputParameterChanges: std::ptr::null_mut(),
            outputParameterChanges: std::ptr::null_mut(),
            inputEvents: std::ptr::null_mut(),
            outputEvents: std::ptr::null_mut(),
            processContext: std::ptr::null_mut(),
        };
        // SAFETY: the calls are a host's, with what lives meanwhile.
        unsafe { assert_eq!(instance.process(&mut data), kNotInitialized) };
        let mut setup = ProcessSetup {
            processMode: 0,
            symbolicSampleSize: data.symbolicSampleSize,
            maxSamplesPerBlock: 256,
            sampleRate: 48_000.0,
        };
        let channels = |there: Option<&[bool]>, x: f32| -> Vec<Vec<f32>> {
            vec![vec![x; frames]; there.map_or(0, <[bool]>::len)]
        };
        let places = |channels: &mut [Vec<f32>], there: Option<&[bool]>| -> Vec<*mut f32> {
            let all = channels.iter_mut().zip(there.unwrap_or_default());
            let place = |(channel, there): (&mut Vec<f32>, &bool)| match there {
                true => channel.as_mut_ptr(),
                false => std::ptr::null_mut(),
            };
            all.map(place).collect()
        };
        let bus = |places: &mut Vec<*mut f32>| AudioBusBuffers {
            numChannels: places.len() as i32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: places.as_mut_ptr(),
            },
        };
        let mut sources = channels(inputs, 0.25);
        let mut heard = channels(outputs, 7.0);
        let mut from = places(&mut sources, inputs);
        let mut to = places(&mut heard, outputs);
        let (mut input, mut output) = (bus(&mut from), bus(&mut to));
        // SAFETY: as above.
        unsafe {
            assert_eq!(instance.setupProcessing(&mut setup), kResultOk);
            // Before it is active there are parameters alone.
            assert_eq!(instance.process(&mut data), kResultOk);
            assert_eq!(instance.setActive(1), kResultOk);
            assert_eq!(load(&instance, SOUND), kResultOk);
            assert_eq!(instance.setProcessing(1), kResultOk);
            (data.inputs, data.outputs) = (&mut input, &mut output);
            data.numInputs = i32::from(inputs.is_some());
            data.numOutputs = i32::from(outputs.is_some());
            assert_eq!(instance.process(&mut data), kResultOk);
            data.numSamples = -1;
            assert_eq!(instance.process(&mut data), kInvalidArgument);
            instance.setProcessing(0);
            instance.setActive(0);
        }
        heard
    }

    #[test]
    fn other_channels_than_the_buses_have_are_survived() {
        let all = [true; 64];
        let stereo = |inputs: Option<&[bool]>, outputs: Option<&[bool]>| {
            heard::<Zg<false, Stereo>>(inputs, outputs, 256)
        };
        let two = stereo(Some(&all[..2]), Some(&all[..2]));
        assert!(two[0].iter().any(|x| *x != 0.25), "it does not sound");
        for (inputs, outputs) in [(3, 3), (2, 3), (3, 2), (64, 8), (2, 64)] {
            let heard = stereo(Some(&all[..inputs]), Some(&all[..outputs]));
            assert_eq!(heard[..2], two, "{inputs} in, {outputs} out");
            assert!(heard[2..].iter().flatten().all(|x| *x == 0.0));
        }
        assert_eq!(stereo(Some(&all[..2]), Some(&all[..1])), two[..1]);
        assert_eq!(stereo(Some(&all[..2]), Some(&[false, true]))[1], two[1]);
        // Without outputs there are parameters alone, whatever goes in.
        stereo(Some(&all[..2]), Some(&[]));
        stereo(Some(&all[..2]), None);
        stereo(None, None);
        let quiet = stereo(None, Some(&all[..2]));
        assert_eq!(quiet, stereo(Some(&[false; 2]), Some(&all[..2])));
        assert!(quiet.iter().flatten().all(|x| x.abs() < 0.2));
        assert!(quiet[0].iter().any(|x| x.abs() > 1e-4));
        let bus = |inputs: usize, outputs: usize| {
            heard::<Zg<false, Ambisonic>>(Some(&all[..inputs]), Some(&all[..outputs]), 256)
        };
        let whole = bus(16, 16);
        assert_eq!(bus(20, 20)[..16], whole);
        assert_eq!(bus(16, 2), whole[..2]);
        // Longer than was announced, whole and not.
        let long = |outputs: usize| {
            heard::<Zg<false, Stereo>>(Some(&all[..2]), Some(&all[..outputs]), 5000)
        };
        assert_eq!(long(2)[0][..256], two[0]);
        assert!(long(1)[0].iter().all(|x| *x == 0.0));
    }
}
