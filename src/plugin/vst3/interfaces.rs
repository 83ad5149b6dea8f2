//! What VST3 hosts call: the exports of the library, and the interfaces of an instance that pass through the
//! shim.

use std::ffi::c_void;

use nice_plug::wrapper::{
    setup_logger,
    vst3::{
        PluginInfo, Wrapper,
        vst3::{
            Class, ComWrapper,
            Steinberg::{
                FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, IPluginFactory, IPluginFactory2,
                IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo,
                PClassInfo2, PClassInfoW, PFactoryInfo, TBool, TUID,
                Vst::{
                    BusDirection, BusInfo, CString, ChannelContext::IInfoListenerTrait, CtrlNumber,
                    IAttributeList, IAudioProcessorTrait, IComponentHandler, IComponentTrait,
                    IEditControllerTrait, IMidiMappingTrait, INoteExpressionControllerTrait,
                    IProcessContextRequirementsTrait, IUnitInfoTrait, IoMode, MediaType,
                    NoteExpressionTypeID, NoteExpressionTypeInfo, NoteExpressionValue, ParamID, ParamValue,
                    ParameterInfo, ProcessData, ProcessSetup, ProgramListID, ProgramListInfo, RoutingInfo,
                    SpeakerArrangement, String128, TChar, UnitID, UnitInfo,
                },
                int16, int32, kInvalidArgument, kResultOk, tresult, uint32,
            },
        },
    },
};

use super::Shim;
use crate::plugin::{Antiphon, Exported, InstrumentSlot, InstrumentSlotPlugin, NoteEffect, NoteEffectPlugin};

/// The plugin factory of the library.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory::new()).to_com_ptr::<IPluginFactory>();
    factory.expect("it has this interface").into_raw().cast()
}

fn begin() -> bool {
    setup_logger::<NoteEffectPlugin>();
    true
}

/// The library is loaded.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleEntry(_: *mut c_void) -> bool {
    begin()
}

/// The library is about to go.
#[cfg(all(target_family = "unix", not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleExit() -> bool {
    true
}

/// The library is loaded.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "C" fn bundleEntry(_: *mut c_void) -> bool {
    begin()
}

/// The library is about to go.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "C" fn bundleExit() -> bool {
    true
}

/// The library is loaded.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn InitDll() -> bool {
    begin()
}

/// The library is about to go.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn ExitDll() -> bool {
    true
}

/// The factory, which makes both plugins, each behind the shim.
struct Factory {
    plugins: [PluginInfo; 2],
}

impl Factory {
    fn new() -> Self {
        let plugins =
            [PluginInfo::for_plugin::<NoteEffectPlugin>(), PluginInfo::for_plugin::<InstrumentSlotPlugin>()];
        Self { plugins }
    }

    /// Writes the information that is asked for about a plugin.
    ///
    /// # Safety
    /// `place` is valid or null.
    unsafe fn tell<T>(&self, index: int32, place: *mut T, of: impl Fn(&PluginInfo) -> T) -> tresult {
        let plugin = usize::try_from(index).ok().and_then(|index| self.plugins.get(index));
        match plugin {
            Some(plugin) if !place.is_null() => {
                // SAFETY: by the caller's promise.
                unsafe { place.write(of(plugin)) };
                kResultOk
            }
            _ => kInvalidArgument,
        }
    }
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host gives a valid place, or none.
        unsafe { self.tell(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        self.plugins.len() as int32
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: as above.
        unsafe { self.tell(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(&self, cid: FIDString, iid: FIDString, obj: *mut *mut c_void) -> tresult {
        if cid.is_null() || iid.is_null() || obj.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: the host names a class by sixteen bytes.
        let class = unsafe { &*cid.cast::<[u8; 16]>() };
        // SAFETY: the host names an interface so too, and gives a valid place.
        unsafe {
            match class {
                class if class == self.plugins[0].cid => create::<NoteEffect>(iid, obj),
                class if class == self.plugins[1].cid => create::<InstrumentSlot>(iid, obj),
                _ => kInvalidArgument,
            }
        }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host gives a valid place, or none.
        unsafe { self.tell(index, info, PluginInfo::create_class_info_2) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host gives a valid place, or none.
        unsafe { self.tell(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// Makes an instance and returns the requested interface of it.
///
/// # Safety
/// `iid` is that of an interface, and `obj` is a valid place.
unsafe fn create<V: Exported>(iid: FIDString, obj: *mut *mut c_void) -> tresult {
    let shim = ComWrapper::new(Shim::<V>::new());
    let unknown = shim.as_com_ref::<FUnknown>().expect("every object has it").as_ptr();
    // SAFETY: the object lives; what is given away counts for itself.
    unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, iid.cast::<TUID>(), obj) }
}

/// Implements an interface by the framework's object, except the functions that the shim corrects.
macro_rules! forward {
    (
        $interface:ident { $($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)* }
        $(put right { $($own:ident($($own_argument:ident: $own_type:ty),*) -> $own_result:ty = $right:ident;)* })?
    ) => {
        impl<V: Exported> $interface for Shim<V> {
            $(unsafe fn $name(&self, $($argument: $type),*) -> $result {
                // SAFETY: by the caller's promise.
                unsafe { <Wrapper<Antiphon<V>> as $interface>::$name(&self.wrapper, $($argument),*) }
            })*
            $($(unsafe fn $own(&self, $($own_argument: $own_type),*) -> $own_result {
                // SAFETY: by the caller's promise.
                unsafe { self.$right($($own_argument),*) }
            })*)?
        }
    };
}

forward! {
    IPluginBaseTrait {
        initialize(context: *mut FUnknown) -> tresult;
        terminate() -> tresult;
    }
}

forward! {
    IComponentTrait {
        getControllerClassId(class_id: *mut TUID) -> tresult;
        setIoMode(mode: IoMode) -> tresult;
        getBusCount(kind: MediaType, dir: BusDirection) -> int32;
        getBusInfo(kind: MediaType, dir: BusDirection, index: int32, bus: *mut BusInfo) -> tresult;
        getRoutingInfo(in_info: *mut RoutingInfo, out_info: *mut RoutingInfo) -> tresult;
        activateBus(kind: MediaType, dir: BusDirection, index: int32, state: TBool) -> tresult;
        setActive(state: TBool) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
    }
}

forward! {
    IEditControllerTrait {
        setComponentState(state: *mut IBStream) -> tresult;
        setState(state: *mut IBStream) -> tresult;
        getState(state: *mut IBStream) -> tresult;
        getParameterCount() -> int32;
        getParameterInfo(param_index: int32, info: *mut ParameterInfo) -> tresult;
        getParamStringByValue(id: ParamID, value_normalized: ParamValue, string: *mut String128) -> tresult;
        getParamValueByString(id: ParamID, string: *mut TChar, value_normalized: *mut ParamValue) -> tresult;
        normalizedParamToPlain(id: ParamID, value_normalized: ParamValue) -> ParamValue;
        plainParamToNormalized(id: ParamID, plain_value: ParamValue) -> ParamValue;
        getParamNormalized(id: ParamID) -> ParamValue;
        createView(name: FIDString) -> *mut IPlugView;
    }
    put right {
        setParamNormalized(id: ParamID, value: ParamValue) -> tresult = set_value;
        setComponentHandler(handler: *mut IComponentHandler) -> tresult = set_handler;
    }
}

forward! {
    IAudioProcessorTrait {
        setBusArrangements(inputs: *mut SpeakerArrangement, num_ins: int32, outputs: *mut SpeakerArrangement, num_outs: int32) -> tresult;
        getBusArrangement(dir: BusDirection, index: int32, arr: *mut SpeakerArrangement) -> tresult;
        canProcessSampleSize(symbolic_sample_size: int32) -> tresult;
        getLatencySamples() -> uint32;
        setProcessing(state: TBool) -> tresult;
        getTailSamples() -> uint32;
    }
    put right {
        setupProcessing(setup: *mut ProcessSetup) -> tresult = set_up;
        process(data: *mut ProcessData) -> tresult = perform;
    }
}

forward! {
    IMidiMappingTrait {
        getMidiControllerAssignment(bus_index: int32, channel: int16, midi_controller_number: CtrlNumber, id: *mut ParamID) -> tresult;
    }
}

forward! {
    INoteExpressionControllerTrait {
        getNoteExpressionCount(bus_index: int32, channel: int16) -> int32;
        getNoteExpressionInfo(bus_index: int32, channel: int16, note_expression_index: int32, info: *mut NoteExpressionTypeInfo) -> tresult;
        getNoteExpressionStringByValue(bus_index: int32, channel: int16, id: NoteExpressionTypeID, value_normalized: NoteExpressionValue, string: *mut String128) -> tresult;
        getNoteExpressionValueByString(bus_index: int32, channel: int16, id: NoteExpressionTypeID, string: *const TChar, value_normalized: *mut NoteExpressionValue) -> tresult;
    }
}

forward! {
    IProcessContextRequirementsTrait {
        getProcessContextRequirements() -> uint32;
    }
}

forward! {
    IUnitInfoTrait {
        getUnitCount() -> int32;
        getUnitInfo(unit_index: int32, info: *mut UnitInfo) -> tresult;
        getProgramListCount() -> int32;
        getProgramListInfo(list_index: int32, info: *mut ProgramListInfo) -> tresult;
        getProgramName(list_id: ProgramListID, program_index: int32, name: *mut String128) -> tresult;
        getProgramInfo(list_id: ProgramListID, program_index: int32, attribute_id: CString, attribute_value: *mut String128) -> tresult;
        hasProgramPitchNames(list_id: ProgramListID, program_index: int32) -> tresult;
        getProgramPitchName(list_id: ProgramListID, program_index: int32, midi_pitch: int16, name: *mut String128) -> tresult;
        getSelectedUnit() -> UnitID;
        selectUnit(unit_id: UnitID) -> tresult;
        getUnitByBus(kind: MediaType, dir: BusDirection, bus_index: int32, channel: int32, unit_id: *mut UnitID) -> tresult;
        setUnitProgramData(list_or_unit_id: int32, program_index: int32, data: *mut IBStream) -> tresult;
    }
}

forward! {
    IInfoListenerTrait {
        setChannelContextInfos(list: *mut IAttributeList) -> tresult;
    }
}
