//! What goes through the shim as it is.

use nice_plug::wrapper::vst3::{
    Wrapper,
    vst3::Steinberg::{
        FIDString, FUnknown, IBStream, IPlugView, IPluginBaseTrait, TBool, TUID,
        Vst::{
            BusDirection, BusInfo, CString, ChannelContext::IInfoListenerTrait, CtrlNumber, IAttributeList,
            IAudioProcessorTrait, IComponentHandler, IComponentTrait, IEditControllerTrait,
            IMidiMappingTrait, INoteExpressionControllerTrait, IProcessContextRequirementsTrait,
            IUnitInfoTrait, IoMode, MediaType, NoteExpressionTypeID, NoteExpressionTypeInfo,
            NoteExpressionValue, ParamID, ParamValue, ParameterInfo, ProcessData, ProcessSetup,
            ProgramListID, ProgramListInfo, RoutingInfo, SpeakerArrangement, String128, TChar, UnitID,
            UnitInfo,
        },
        int16, int32, tresult, uint32,
    },
};

use super::Shim;
use crate::plugin::{Antiphon, Exported};

/// An interface of the framework's object, and what of it is put right.
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
