//! What the library exports to VST3 hosts.

use std::ffi::c_void;

use nice_plug::wrapper::{
    setup_logger,
    vst3::{
        PluginInfo,
        vst3::{
            Class, ComWrapper,
            Steinberg::{
                FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
                IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW,
                PFactoryInfo, TUID, int32, kInvalidArgument, kResultOk, tresult,
            },
        },
    },
};

use super::Shim;
use crate::plugin::{Exported, InstrumentSlot, InstrumentSlotPlugin, NoteEffect, NoteEffectPlugin};

struct Factory {
    plugins: [PluginInfo; 2],
}

impl Factory {
    fn new() -> Self {
        let plugins =
            [PluginInfo::for_plugin::<NoteEffectPlugin>(), PluginInfo::for_plugin::<InstrumentSlotPlugin>()];
        Self { plugins }
    }

    /// Writes what is asked about a plugin.
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

/// Makes an instance and gives the interface that is wanted of it.
///
/// # Safety
/// `iid` is that of an interface, and `obj` is a valid place.
unsafe fn create<V: Exported>(iid: FIDString, obj: *mut *mut c_void) -> tresult {
    let shim = ComWrapper::new(Shim::<V>::new());
    let unknown = shim.as_com_ref::<FUnknown>().expect("every object has it").as_ptr();
    // SAFETY: the object lives; what is given away counts for itself.
    unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, iid.cast::<TUID>(), obj) }
}

/// The factory of the library.
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
